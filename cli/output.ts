import { AttestationError, isAttestationError } from "../errors.ts";
import { printable, quote } from "../internal/json.ts";
import type { ResourceDescriptor } from "../intoto/resource_descriptor.ts";
import { type ParsedArgs, usageError } from "./args.ts";
import { splitPath } from "./artifacts.ts";
import { COULD_NOT_RUN, describeFailure, REFUSED } from "./main.ts";
import { PhaseError } from "./phase.ts";
import type { Runtime } from "./runtime.ts";
import type { Signed } from "./signing.ts";
import { errorChain, plural, safeJson, table } from "./text.ts";

/** Standard output in place of a file. */
export const STDOUT = "-";

/** A document that was signed, where it goes, and what is told of it. */
export interface Product {
  /** File, or {@linkcode STDOUT}. */
  readonly file: string;
  /** What was signed. */
  readonly signed: Signed;
  /** What it is about, for people. */
  readonly about: readonly string[];
  /** Type of the predicate, of a Statement. */
  readonly predicateType?: string;
  /** What the Statement is about. */
  readonly subjects?: readonly ResourceDescriptor[];
  /** Operands and options by which `verify` is told the artifact; undefined if it cannot. */
  readonly verify?: readonly string[];
}

/** Refuses options about the output that contradict each other. */
export function checkOutputOptions(args: ParsedArgs): void {
  const output = args.get("output");
  if (args.has("append") && args.has("force")) {
    throw usageError("--append and --force exclude each other: add to the file, or replace it");
  }
  if (output !== STDOUT) return;
  for (const name of ["append", "force"]) {
    if (args.has(name)) throw usageError(`--${name} needs a file, not standard output`);
  }
  if (args.get("format") === "json") {
    throw usageError("--output - and --format json exclude each other: both are standard output");
  }
}

/** Where an attestation goes: as the command line says, or beside the artifact. */
export function outputOf(args: ParsedArgs, path: string | undefined, suffix: string): string {
  const output = args.get("output");
  if (output !== undefined) return output;
  if (path === undefined || /(^|[/\\])\.{0,2}$/.test(path)) {
    throw usageError("Say where to write to: --output FILE, or - for standard output");
  }
  return `${path}${args.has("append") ? ".intoto.jsonl" : suffix}`;
}

/**
 * Looks whether files can be written, before any work is done. What changes meanwhile is
 * noticed again when they are.
 *
 * @throws {AttestationError} `file-exists`, `unwritable-file`.
 */
export async function checkOutputs(
  files: readonly string[],
  args: ParsedArgs,
  runtime: Runtime,
): Promise<void> {
  for (const file of files) {
    if (file === STDOUT) continue;
    const info = await lookAt(file, runtime);
    if (info !== undefined && info.kind !== "file") {
      throw new AttestationError("unwritable-file", `Cannot write ${quote(file)}: it is no file`);
    }
    if (info !== undefined && !args.has("force") && !args.has("append")) {
      throw new AttestationError(
        "file-exists",
        `Cannot write ${quote(file)}: it exists; --force replaces it`,
      );
    }
    const { folder } = splitPath(file);
    if (folder !== "" && (await lookAt(folder, runtime))?.kind !== "directory") {
      throw new AttestationError(
        "unwritable-file",
        `Cannot write ${quote(file)}: ${quote(folder)} is no folder`,
      );
    }
  }
}

async function lookAt(path: string, runtime: Runtime) {
  try {
    return await runtime.stat(path);
  } catch (cause) {
    throw new AttestationError("unwritable-file", `Cannot look at ${quote(path)}`, { cause });
  }
}

/** Writes what was signed: all files or none. Lines are added under a lock. */
export async function writeProducts(
  products: readonly Product[],
  args: ParsedArgs,
  runtime: Runtime,
): Promise<void> {
  if (args.has("append")) {
    for (const { file, signed } of products) await runtime.appendLine(file, signed.text);
    return;
  }
  const files = products.filter(({ file }) => file !== STDOUT);
  const force = args.has("force");
  await runtime.writeAllNew(
    files.map(({ file, signed }) => ({ path: file, text: `${signed.text}\n`, force })),
  );
  for (const { file, signed } of products) {
    if (file === STDOUT) runtime.write("stdout", `${signed.text}\n`);
  }
}

/** Tells what was signed, by whom, where it lies, and how to check it. */
export async function tellProducts(
  products: readonly Product[],
  args: ParsedArgs,
  runtime: Runtime,
): Promise<void> {
  if (args.get("format") === "json") {
    const attestations = await Promise.all(products.map((one) => productJson(one, runtime)));
    runtime.write("stdout", `${safeJson({ ok: true, errorReason: null, attestations }, 2)}\n`);
    return;
  }
  const stream = products.some(({ file }) => file === STDOUT) ? "stderr" : "stdout";
  for (const product of products) runtime.write(stream, await productText(product, runtime));
}

/** A subject for people: its name, and the first of its digests. */
export function describeSubject({ name, digest = {} }: ResourceDescriptor): string {
  const [[algorithm, value]] = Object.entries(digest);
  const short = `${algorithm}:${value}`;
  return name === undefined ? short : `${name} (${short})`;
}

const MAX_TOLD = 10;

async function productText(product: Product, runtime: Runtime): Promise<string> {
  const { file, signed, about, predicateType } = product;
  const rows: [string, string][] = [];
  const told = about.slice(0, MAX_TOLD).map((one) => printable(one));
  if (about.length > MAX_TOLD) told.push(`and ${about.length - MAX_TOLD} more`);
  rows.push(["about", told.join("\n")]);
  if (predicateType !== undefined) rows.push(["predicate type", printable(predicateType)]);
  if (signed.identity !== undefined) {
    rows.push(["signer", printable(signed.identity.subjectAlternativeName)]);
    rows.push(["issuer", printable(signed.identity.issuer)]);
  }
  for (const { path, alg, fingerprint } of signed.keys) {
    rows.push(["key", `${printable(path)} (${alg}, ${fingerprint.slice(0, 16)}…)`]);
  }
  for (const { logIndex, url } of signed.logEntries) {
    rows.push(["log entry", `${logIndex} at ${printable(url)}`]);
  }
  for (const { timestamp, uri } of signed.timestamps) {
    rows.push(["time", `${printable(timestamp)} by ${printable(uri)}`]);
  }
  if (file !== STDOUT) rows.push(["written to", printable(file)]);
  const command = await verifyCommand(product, runtime);
  const check = command === undefined
    ? ""
    : `Verify it with:\n  ${runtime.program} ${command.map(shellWord).join(" ")}\n`;
  return `Signed ${plural(about.length, "subject")}:\n${table(rows, "  ")}${check}`;
}

async function productJson(product: Product, runtime: Runtime): Promise<object> {
  const { file, signed, predicateType, subjects } = product;
  const { format, identity, keys, logEntries, timestamps } = signed;
  const verify = await verifyCommand(product, runtime);
  return {
    file,
    format,
    ...(predicateType === undefined ? {} : { predicateType }),
    ...(subjects === undefined
      ? {}
      : { subjects: subjects.map(({ name, digest }) => ({ name, digest })) }),
    ...(identity === undefined ? {} : { identity }),
    ...(keys.length === 0 ? {} : { keys }),
    logEntries,
    timestamps,
    ...(verify === undefined ? {} : { verify }),
  };
}

/** Arguments of the command that verifies what was signed. */
async function verifyCommand(
  { file, signed, predicateType, verify }: Product,
  runtime: Runtime,
): Promise<string[] | undefined> {
  if (verify === undefined || file === STDOUT) return undefined;
  const signer: string[] = [];
  if (signed.identity !== undefined) {
    signer.push(`--cert-identity=${signed.identity.subjectAlternativeName}`);
    signer.push(`--cert-oidc-issuer=${signed.identity.issuer}`);
  }
  for (const { path } of signed.keys) signer.push(`--key=${await publicKeyOf(path, runtime)}`);
  return [
    "verify",
    ...verify,
    `--bundle=${file}`,
    ...signer,
    ...signed.evidence,
    ...(predicateType === undefined ? [] : [`--predicate-type=${predicateType}`]),
  ];
}

/** Where the public half of a key lies, by the names that `keygen` and cosign give. */
async function publicKeyOf(path: string, runtime: Runtime): Promise<string> {
  const stem = path.replace(/\.(?:key|pem|jwk|json)$/, "");
  for (const candidate of [`${stem}.pub`, `${path}.pub`, `${stem}.pub.pem`, `${stem}.pub.jwk`]) {
    const info = await runtime.stat(candidate).catch(() => undefined);
    if (info?.kind === "file") return candidate;
  }
  return `${stem}.pub`;
}

/** A word as a shell reads it again. */
export function shellWord(word: string): string {
  const clean = printable(word, 4096);
  return /^[A-Za-z0-9_\/.,:=@%+~-]+$/.test(clean) && !clean.startsWith("~")
    ? clean
    : `'${clean.replaceAll("'", `'\\''`)}'`;
}

/** Says that nothing was signed, and that this is no failure. */
export function tellSkipped(why: string, args: ParsedArgs, runtime: Runtime): number {
  runtime.write("stderr", `notice: Nothing is signed: ${printable(why)}\n`);
  if (args.get("format") === "json") {
    const skipped = { ok: true, errorReason: null, skipped: printable(why), attestations: [] };
    runtime.write("stdout", `${safeJson(skipped, 2)}\n`);
  }
  return 0;
}

/**
 * Runs a command that signs, and tells its failure to people and, with `--format json`, to
 * programs: nothing of it is secret. Answers the exit status: 1 if there is nothing that may
 * be signed, 2 if the work could not be done.
 */
export async function tellFailure(
  command: string,
  args: ParsedArgs,
  runtime: Runtime,
  run: () => Promise<number>,
): Promise<number> {
  try {
    return await run();
  } catch (error) {
    if (!isAttestationError(error) || error.reason === "usage") throw error;
    const phase = error instanceof PhaseError ? error.phase : null;
    runtime.write("stderr", describeFailure(error, command, runtime.program));
    if (args.get("format") === "json") {
      const [message, ...causes] = errorChain(error);
      const failure = { ok: false, phase, errorReason: error.reason, message, causes };
      runtime.write("stdout", `${safeJson(failure, 2)}\n`);
    }
    return phase === "generation" ? REFUSED : COULD_NOT_RUN;
  }
}
