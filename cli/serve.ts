import { printable, quote } from "../internal/json.ts";
import type { RegistryLogEntry } from "../server/options.ts";
import { createRegistry } from "../server/registry.ts";
import { parseArgs, type ParsedArgs, usageError } from "./args.ts";
import type { HttpServer, ServeHttp } from "./http_server.ts";
import { VERIFIED } from "./main.ts";
import type { Runtime } from "./runtime.ts";
import { openDatabase, wholeNumber } from "./serve_database.ts";
import { SERVE_OPTIONS } from "./serve_options.ts";

/** Milliseconds for requests that are under way when the process is told to end. */
const GRACE_MS = 10_000;
const LEVELS = ["info", "warning", "error", "none"];

/** `serve`, `serve keys …` and `serve policy …`. */
export async function runServe(args: readonly string[], runtime: Runtime): Promise<number> {
  const [action, ...rest] = args;
  if (action === "keys") {
    return await (await import("./serve_keys.ts")).runServeKeys(
      rest,
      runtime,
    );
  }
  const { policySource, runServePolicy } = await import("./serve_policy.ts");
  if (action === "policy") return await runServePolicy(rest, runtime);
  const parsed = parseArgs(args, SERVE_OPTIONS);
  if (parsed.operands.length > 0) {
    throw usageError("serve takes no argument: serve, serve keys …, or serve policy …");
  }
  const { hostname, port } = addressOf(parsed);
  const perSecond = wholeNumber(parsed, "rate-limit", 0, 1_000_000) ?? 100;
  const maxBodyBytes = wholeNumber(parsed, "max-body", 1024, 256 << 20);
  const bodySeconds = wholeNumber(parsed, "body-timeout", 1, 3600);
  const mode = parsed.get("mode") as "enforce" | "permissive" | undefined;
  const database = await openDatabase(parsed, runtime);
  try {
    const registry = createRegistry({
      database,
      policy: await policySource(parsed, runtime, database),
      ...(mode === undefined ? {} : { mode }),
      unsafelyAcceptAnyWriter: parsed.has("unsafe-any-writer"),
      privateReads: parsed.has("private-reads"),
      limits: {
        ...(maxBodyBytes === undefined ? {} : { maxBodyBytes }),
        ...(bodySeconds === undefined ? {} : { bodyTimeoutMs: 1000 * bodySeconds }),
      },
      rateLimit: perSecond === 0 ? null : { perSecond, burst: 2 * perSecond },
      log: logger(parsed, runtime),
    });
    // A policy that is not good must not be found out by the first request.
    const { problem } = await registry.refreshPolicy();
    if (problem !== undefined) throw problem;
    const isProxied = parsed.has("proxied");
    const serveHttp = await loadServer();
    const server = await serveHttp({ hostname, port }, (request, address) => {
      return registry.handler(request, { address: isProxied ? forwarded(request) : address });
    });
    await announce(server, parsed, runtime, database);
    await server.stopped(GRACE_MS);
    return VERIFIED;
  } finally {
    await database.close();
  }
}

async function loadServer(): Promise<ServeHttp> {
  if ("Deno" in globalThis) {
    return (await import("./http_deno.ts")).serveDeno;
  }
  return (await import("./http_node.ts")).serveNode;
}

async function announce(
  { url }: HttpServer,
  args: ParsedArgs,
  runtime: Runtime,
  database: Awaited<ReturnType<typeof openDatabase>>,
): Promise<void> {
  const { listApiKeys } = await import("../store/sql/api_keys.ts");
  const keys = await listApiKeys(database);
  if (args.has("unsafe-any-writer")) {
    runtime.write("stderr", "warning: Anybody who reaches this address can write\n");
  } else if (!keys.some(({ revokedAt }) => revokedAt === undefined)) {
    const db = args.get("db");
    const where = db === undefined || db.includes("://") ? "" : ` --db ${printable(db)}`;
    runtime.write(
      "stderr",
      `notice: There is no API key yet: ${runtime.program} serve keys create${where} --all-urns\n`,
    );
  }
  runtime.write("stdout", `listening on ${url}\n`);
}

function addressOf(args: ParsedArgs): { hostname: string; port: number } {
  const text = args.get("listen") ?? "127.0.0.1:8080";
  const match = /^(\[[0-9a-fA-F:.]+\]|[A-Za-z0-9.-]+):(\d{1,5})$/.exec(text);
  const port = Number(match?.[2]);
  if (match === null || port > 65535) {
    throw usageError(`--listen is HOST:PORT, such as 127.0.0.1:8080, not ${quote(text)}`);
  }
  return { hostname: match[1].replace(/^\[|\]$/g, ""), port };
}

/** What the nearest proxy saw; what comes before it, anybody could have written. */
function forwarded({ headers }: Request): string {
  return headers.get("x-forwarded-for")?.split(",").at(-1)?.trim() ?? "";
}

function logger(args: ParsedArgs, runtime: Runtime): (entry: RegistryLogEntry) => void {
  const least = LEVELS.indexOf(args.get("log") ?? "info");
  return (entry) => {
    if (LEVELS.indexOf(entry.level) < least) return;
    const time = (runtime.now?.() ?? new Date()).toISOString();
    runtime.write("stderr", `${JSON.stringify({ time, ...entry })}\n`);
  };
}
