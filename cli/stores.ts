import { isAttestationError } from "../errors.ts";
import { printable, quote } from "../internal/json.ts";
import { digestStream, HASHES } from "../internal/hasher.ts";
import { encodeHex } from "../internal/hex.ts";
import type { DigestSet } from "../intoto/digest_set.ts";
import { isNpmName, isNpmVersion, type NpmPackage } from "../npm/purl.ts";
import type { Lookup, LookupStep } from "../store/layered.ts";
import type { AttestationSource, AttestationStore, StoreNote } from "../store/store.ts";
import type { LookupReport } from "../verify/report.ts";
import { type ParsedArgs, usageError } from "./args.ts";
import { type Artifact, openLazily, splitPath } from "./artifacts.ts";
import { npmConfig } from "./npm_config.ts";
import type { Runtime } from "./runtime.ts";
import { errorChain } from "./text.ts";

/** The stores that a command line names, in its order. */
export async function openStores(
  args: ParsedArgs,
  runtime: Runtime,
): Promise<AttestationSource[]> {
  const stores: AttestationSource[] = [];
  for (const name of args.all("store")) stores.push(await openStore(name, args, runtime));
  return stores;
}

/**
 * A store by its name on the command line; nothing is read of it yet.
 *
 * @throws {AttestationError} `usage`.
 */
export async function openStore(
  name: string,
  args: ParsedArgs,
  runtime: Runtime,
): Promise<AttestationSource> {
  const local = await openLocal(name, args, runtime);
  if (local !== undefined) return local;
  const [, scheme, rest] = /^([a-z-]+):(.+)$/.exec(name) ?? [];
  try {
    if (scheme === "npm") {
      const one = parseNpmOperand(name);
      const { createNpmRegistry } = await import("../store/npm.ts");
      const config = await npmConfig(one.name, args, runtime);
      return createNpmRegistry({ ...config, ...http(runtime) }).source(one);
    }
    if (scheme === "https" || scheme === "http") {
      const { createHttpSource } = await import("../store/http.ts");
      return createHttpSource({ url: name, ...http(runtime) });
    }
    const { createGithubSource } = await import("../store/github.ts");
    return createGithubSource({ ...githubOwner(scheme, rest), ...github(args, runtime), name });
  } catch (error) {
    if (error instanceof TypeError) {
      throw usageError(`Cannot use ${quote(name)} as a store: ${error.message}`);
    }
    throw error;
  }
}

/** A store that can also be put into and listed; undefined if the name is of a service. */
export async function openLocal(
  name: string,
  args: ParsedArgs,
  runtime: Runtime,
): Promise<AttestationStore | undefined> {
  if (name.startsWith("beside:")) {
    const path = name.slice("beside:".length);
    if (path === "" || path.endsWith("/")) throw usageError("beside: needs the path of a file");
    const { BesideStore } = await import("../store/beside.ts");
    return new BesideStore(path, runtime.disk);
  }
  if (/^(npm|github|github-org|github-user|https?):/.test(name)) return undefined;
  if (name.startsWith("oci://")) {
    const [{ createOciStore }, { openRegistry }] = await Promise.all([
      import("../store/oci/store.ts"),
      import("./registry.ts"),
    ]);
    return createOciStore(openRegistry(name.slice("oci://".length), args, runtime));
  }
  if (name.endsWith(".jsonl")) {
    const { LinesStore } = await import("../store/lines.ts");
    return new LinesStore(name, runtime.disk);
  }
  const { FolderStore } = await import("../store/folder.ts");
  return new FolderStore(name, runtime.disk);
}

/**
 * The package of `npm:NAME@VERSION`.
 *
 * @throws {AttestationError} `usage`.
 */
export function parseNpmOperand(operand: string): NpmPackage {
  const rest = operand.replace(/^npm:/, "");
  const at = rest.lastIndexOf("@");
  const [name, version] = at <= 0 ? [rest, ""] : [rest.slice(0, at), rest.slice(at + 1)];
  if (isNpmName(name) && isNpmVersion(version)) return { name, version };
  throw usageError(
    `${quote(operand)} is no package: wanted npm:NAME@VERSION with an exact version, such as ` +
      "npm:@acme/app@1.2.3",
  );
}

function githubOwner(scheme: string, owner: string) {
  if (scheme === "github-org") return { organization: owner };
  if (scheme === "github-user") return { user: owner };
  if (scheme === "github") return { repository: owner };
  throw usageError(`Unknown kind of store ${quote(`${scheme}:`)}`);
}

function github(args: ParsedArgs, runtime: Runtime) {
  const api = args.get("github-api") ?? runtime.env("GITHUB_API_URL");
  // Where a variable is not meant it is often empty.
  if (api === undefined || api === "") {
    throw usageError("GitHub's API is not named: give --github-api URL, or set GITHUB_API_URL");
  }
  const token = runtime.env("GH_TOKEN") ?? runtime.env("GITHUB_TOKEN");
  return { api, ...(token === undefined || token === "" ? {} : { token }), ...http(runtime) };
}

/** How services are asked on this machine. */
export function http({ fetch, sleep }: Runtime) {
  return { ...(fetch === undefined ? {} : { fetch }), ...(sleep === undefined ? {} : { sleep }) };
}

/** Digests of an artifact by which stores are asked: given, or of its content in one pass. */
export async function digestsOf(
  { digest, path }: Artifact,
  runtime: Runtime,
  onBytes: (count: number) => void = () => {},
): Promise<DigestSet> {
  if (digest !== undefined) return digest;
  if (path === undefined) throw new TypeError("An artifact has neither a path nor a digest");
  const names = ["sha256", "sha512"];
  const hashes = names.map((name) => HASHES.get(name)!);
  const { digests } = await digestStream(openLazily(runtime, path), hashes, { onBytes });
  return Object.fromEntries(names.map((name, i) => [name, encodeHex(digests[i])]));
}

/** Asks the stores about one artifact. */
export async function lookUpArtifact(
  stores: readonly AttestationSource[],
  { digest, artifact, onNote }: {
    digest: DigestSet;
    artifact: Artifact;
    onNote: (note: StoreNote) => void;
  },
): Promise<Lookup> {
  const { lookUp } = await import("../store/layered.ts");
  const { name } = splitPath(artifact.path ?? artifact.name);
  return await lookUp(stores, digest, { onNote, name });
}

/** What became of asking a store, for the report. */
export function lookupReport(
  { store, outcome, count, errorReason, error }: LookupStep,
): LookupReport {
  const report: LookupReport = {
    via: "store",
    place: store,
    outcome: outcome === "failed" ? "unavailable" : outcome === "found" ? "found" : "not-found",
    count,
  };
  if (errorReason !== null) report.reason = errorReason;
  if (error !== undefined) report.message = errorChain(error).join(": ");
  return report;
}

/** A note for standard error. */
export function noteText({ reason, message }: StoreNote): string {
  return `${printable(message, 400)} (${reason})`;
}

/** Any error of a store as words, for a table. */
export function failureText(error: unknown): string {
  const reason = isAttestationError(error) ? error.reason : "internal-error";
  return `${errorChain(error).join(": ")} (${reason})`;
}
