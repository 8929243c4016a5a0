import { AttestationError, isAttestationError, type Reason } from "../errors.ts";
import { printable, quote } from "../internal/json.ts";
import type { TufCache } from "../sigstore/tuf/cache.ts";
import type { RefreshedTrust } from "../sigstore/tuf/trust.ts";
import { parseArgs, type ParsedArgs, suggestion, usageError } from "./args.ts";
import { COULD_NOT_RUN, describeFailure, REFUSED, VERIFIED } from "./main.ts";
import { checkOutputs } from "./output.ts";
import { type NewFile, readBounded, type Runtime } from "./runtime.ts";
import { errorChain, plural, safeJson, table } from "./text.ts";
import { UPDATE_OPTIONS } from "./trusted_root_options.ts";
import { cacheFolder, folderTufCache } from "./tuf_cache.ts";

const MAX_ROOT_BYTES = 512 << 10;

/** Reasons for which the repository, not its absence, is to blame. */
const UNTRUSTED: ReadonlySet<Reason> = new Set<Reason>([
  "invalid-tuf-signature",
  "malformed-trusted-root",
  "malformed-tuf-metadata",
  "tuf-expired",
  "tuf-rollback",
  "tuf-target-mismatch",
  "tuf-target-not-found",
  "tuf-version-mismatch",
]);

/** `trusted-root update|show`. */
export async function runTrustedRoot(args: readonly string[], runtime: Runtime): Promise<number> {
  const [action, ...rest] = args;
  if (action === "update") return await runUpdate(rest, runtime);
  if (action === "show") {
    return await (await import("./trusted_root_show.ts")).runShow(
      rest,
      runtime,
    );
  }
  const known = ["update", "show"];
  throw usageError(
    action === undefined || action.startsWith("-")
      ? "Say what to do: trusted-root update, or trusted-root show"
      : `Unknown action ${quote(action)}${suggestion(action, known)}`,
  );
}

/** A TUF repository as the command line names it. */
export interface NamedRepository {
  /** Folder of the metadata. */
  baseUrl: string;
  /** Where to start to believe it. */
  root: Uint8Array;
  /** What the last update got. */
  cache: TufCache;
  /** Folder of the cache. */
  folder: string;
}

/** Reads the options that name a TUF repository. */
export async function readRepository(args: ParsedArgs, runtime: Runtime): Promise<NamedRepository> {
  const { publicGoodTufRoot } = await import("../sigstore/tuf/public_good.ts");
  const publicGood = await publicGoodTufRoot();
  const named = args.get("tuf-url");
  const file = args.get("tuf-root");
  if (named !== undefined && !(URL.canParse(named) && /^https?:/.test(named))) {
    throw usageError(`--tuf-url is an https address, not ${quote(named)}`);
  }
  if (named !== undefined && /[?#]/.test(named)) {
    throw usageError("--tuf-url is the address of a folder, without query and fragment");
  }
  const baseUrl = named?.replace(/\/+$/, "") ?? publicGood.baseUrl;
  if (file === undefined && baseUrl !== publicGood.baseUrl) {
    throw usageError("--tuf-url needs --tuf-root: the root of that repository, got another way");
  }
  const root = file === undefined
    ? publicGood.root
    : await readBounded(runtime, file, MAX_ROOT_BYTES);
  const folder = cacheFolder(args.get("cache"), baseUrl, runtime);
  return { baseUrl, root, cache: folderTufCache(folder, runtime), folder };
}

async function runUpdate(args: readonly string[], runtime: Runtime): Promise<number> {
  const parsed = parseArgs(args, UPDATE_OPTIONS);
  if (parsed.operands.length > 0) throw usageError("trusted-root update takes no file");
  try {
    return await update(parsed, runtime);
  } catch (error) {
    if (!isAttestationError(error) || error.reason === "usage") throw error;
    runtime.write("stderr", describeFailure(error, "trusted-root", runtime.program));
    if (parsed.get("format") === "json") {
      const [message, ...causes] = errorChain(error);
      const failure = { ok: false, errorReason: error.reason, message, causes };
      runtime.write("stdout", `${safeJson(failure, 2)}\n`);
    }
    return UNTRUSTED.has(error.reason) ? REFUSED : COULD_NOT_RUN;
  }
}

async function update(args: ParsedArgs, runtime: Runtime): Promise<number> {
  const output = args.get("output");
  const configOutput = args.get("signing-config-output");
  if (output !== undefined && output === configOutput) {
    throw usageError("--output and --signing-config-output name the same file");
  }
  if (args.has("force") && output === undefined && configOutput === undefined) {
    throw usageError("--force needs --output or --signing-config-output");
  }
  const { baseUrl, root, cache, folder } = await readRepository(args, runtime);
  const names = [output, configOutput].filter((path) => path !== undefined);
  if (names.includes("-")) throw usageError("--output names a file, not standard output");
  await checkOutputs(names, args, runtime);
  const { refreshTrust } = await import("../sigstore/tuf/trust.ts");
  const trust = await refreshTrust({
    baseUrl,
    root,
    cache,
    ...(runtime.fetch === undefined ? {} : { fetch: runtime.fetch }),
    ...(runtime.now === undefined ? {} : { now: runtime.now() }),
  });
  const written = filesOf(trust, output, configOutput, args.has("force"));
  await runtime.writeAllNew(written);
  const { versions, expires, trustedRoot, signingConfigText } = trust;
  if (args.get("format") === "json") {
    const report = {
      ok: true,
      errorReason: null,
      repository: baseUrl,
      versions,
      expires: expires.toISOString(),
      cache: folder,
      signingConfig: signingConfigText !== undefined,
      written: written.map(({ path }) => path),
    };
    runtime.write("stdout", `${safeJson(report, 2)}\n`);
    return VERIFIED;
  }
  const rows: [string, string][] = [
    ["repository", printable(baseUrl)],
    ["versions", Object.entries(versions).map(([name, one]) => `${name} ${one}`).join(", ")],
    ["good until", expires.toISOString().replace(".000Z", "Z")],
    ["trusted root", contentOf(trustedRoot)],
    ["signing config", signingConfigText === undefined ? "none" : "present"],
    ["kept in", printable(folder)],
    ...written.map(({ path }): [string, string] => ["written to", printable(path)]),
  ];
  runtime.write("stdout", `Updated the trusted root:\n${table(rows, "  ")}`);
  return VERIFIED;
}

function filesOf(
  { trustedRootText, signingConfigText }: RefreshedTrust,
  output: string | undefined,
  configOutput: string | undefined,
  force: boolean,
): NewFile[] {
  const files: NewFile[] = [];
  if (output !== undefined) files.push({ path: output, text: trustedRootText, force });
  if (configOutput !== undefined) {
    if (signingConfigText === undefined) {
      throw new AttestationError(
        "tuf-target-not-found",
        `Cannot write ${quote(configOutput)}: the repository has no signing configuration`,
      );
    }
    files.push({ path: configOutput, text: signingConfigText, force });
  }
  return files;
}

function contentOf(root: RefreshedTrust["trustedRoot"]): string {
  return [
    plural(root.logs.length, "log"),
    plural(root.ctLogs.length, "CT log"),
    plural(root.certificateAuthorities.length, "CA"),
    plural(root.timestampAuthorities.length, "TSA"),
  ].join(", ");
}
