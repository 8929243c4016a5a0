import { AttestationError } from "../errors.ts";
import { printable, quote } from "../internal/json.ts";
import { type ApiKey, createApiKey, listApiKeys, revokeApiKey } from "../store/sql/api_keys.ts";
import { parseArgs, suggestion, usageError } from "./args.ts";
import { VERIFIED } from "./main.ts";
import type { Runtime } from "./runtime.ts";
import { openDatabase } from "./serve_database.ts";
import { DATABASE_OPTIONS, KEYS_CREATE_OPTIONS, KEYS_LIST_OPTIONS } from "./serve_options.ts";
import { safeJson, table } from "./text.ts";

const ACTIONS: Readonly<
  Record<string, (args: readonly string[], runtime: Runtime) => Promise<void>>
> = { create, list, revoke };

/** `serve keys create|list|revoke`. */
export async function runServeKeys(args: readonly string[], runtime: Runtime): Promise<number> {
  const [action, ...rest] = args;
  if (action === undefined || !Object.hasOwn(ACTIONS, action)) {
    throw usageError(
      action === undefined || action.startsWith("-")
        ? "Say what to do: serve keys create, serve keys list, or serve keys revoke ID"
        : `Unknown action ${quote(action)}${suggestion(action, Object.keys(ACTIONS))}`,
    );
  }
  await ACTIONS[action](rest, runtime);
  return VERIFIED;
}

/** The key goes to standard output, alone, so that it can be put into a secret store. */
async function create(args: readonly string[], runtime: Runtime): Promise<void> {
  const parsed = parseArgs(args, KEYS_CREATE_OPTIONS);
  if (parsed.operands.length > 0) throw usageError("serve keys create takes no argument");
  const prefix = parsed.get("prefix");
  if ((prefix === undefined) === !parsed.has("all-urns")) {
    throw usageError("Say what the key may write: --prefix URN, or --all-urns");
  }
  const db = await openDatabase(parsed, runtime);
  try {
    const { key, apiKey } = await createApiKey(db, {
      name: parsed.get("name") ?? "",
      urnPrefix: prefix ?? "",
    });
    runtime.write("stderr", `key ${apiKey.id} for ${scopeOf(apiKey)}; it is shown once\n`);
    runtime.write("stdout", `${key}\n`);
  } finally {
    await db.close();
  }
}

async function list(args: readonly string[], runtime: Runtime): Promise<void> {
  const parsed = parseArgs(args, KEYS_LIST_OPTIONS);
  if (parsed.operands.length > 0) throw usageError("serve keys list takes no argument");
  const db = await openDatabase(parsed, runtime);
  try {
    const keys = await listApiKeys(db);
    if (parsed.get("format") === "json") {
      runtime.write("stdout", `${safeJson(keys, 2)}\n`);
      return;
    }
    const rows = keys.map((key): [string, string] => [
      key.id,
      `${scopeOf(key)}  ${key.createdAt.toISOString()}  ${
        key.revokedAt === undefined ? "counts" : `revoked ${key.revokedAt.toISOString()}`
      }  ${printable(key.name)}`,
    ]);
    runtime.write("stdout", rows.length === 0 ? "no API keys\n" : table(rows, ""));
  } finally {
    await db.close();
  }
}

async function revoke(args: readonly string[], runtime: Runtime): Promise<void> {
  const parsed = parseArgs(args, DATABASE_OPTIONS);
  const [id] = parsed.operands;
  if (parsed.operands.length !== 1) throw usageError("serve keys revoke takes one ID");
  const db = await openDatabase(parsed, runtime);
  try {
    if (await revokeApiKey(db, id)) {
      runtime.write("stderr", `key ${printable(id)} is revoked\n`);
      return;
    }
    throw new AttestationError(
      "invalid-api-key",
      `Cannot revoke ${quote(id)}: there is no key of that id that counts`,
    );
  } finally {
    await db.close();
  }
}

function scopeOf({ urnPrefix }: ApiKey): string {
  return urnPrefix === "" ? "all urns" : urnPrefix;
}
