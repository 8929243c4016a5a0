import { AttestationError, type Problem } from "../errors.ts";
import { concat, utf8 } from "../internal/bytes.ts";
import {
  decodeUtf8,
  isObject,
  type JsonObject,
  parseJson,
  printable,
  quote,
} from "../internal/json.ts";
import { lookupPredicate } from "../predicates.ts";
import { findPredicateTypes, PREDICATE_SHORT_NAMES } from "../intoto/predicates/short_name.ts";
import type { ResourceDescriptor } from "../intoto/resource_descriptor.ts";
import {
  createStatement,
  encodeStatement,
  parseStatement,
  type Statement,
} from "../intoto/statement.ts";
import { createSubject } from "../intoto/subjects/content.ts";
import { type ParsedArgs, suggestion, usageError } from "./args.ts";
import { openLazily, splitPath } from "./artifacts.ts";
import { PREDICATE_OPTIONS } from "./attest_options.ts";
import { CI_PROVENANCE_OPTIONS } from "./provenance_command_options.ts";
import { inFile } from "./in_file.ts";
import { readBounded, type Runtime } from "./runtime.ts";

/** A predicate that is to be said about subjects. */
export interface Claim {
  /** URI of its meaning. */
  readonly predicateType: string;
  /** The predicate. */
  readonly predicate: JsonObject;
  /** JSON text of the predicate as it was given; undefined if it was made here. */
  readonly text?: string;
}

/** A Statement and the bytes that are signed. */
export interface EncodedStatement {
  readonly statement: Statement;
  readonly payload: Uint8Array;
}

const MAX_BYTES = 16 << 20;
const SOURCES: readonly string[] = ["predicate", "sbom", "provenance", "statement"];

/** Refuses options about the predicate that contradict each other or say nothing. */
export function checkPredicateOptions(args: ParsedArgs): void {
  const given = SOURCES.filter((name) => args.has(name));
  if (given.length > 1) throw usageError(`--${given.join(" and --")} exclude each other`);
  const type = args.get("type");
  if (type !== undefined) predicateTypeOf(type);
  for (const name of ["statement", "provenance"]) {
    if (args.has(name) && type !== undefined) {
      throw usageError(`--${name} and --type exclude each other: its type is its own`);
    }
  }
  const ofBuild = CI_PROVENANCE_OPTIONS.find(({ name }) => args.has(name));
  if (ofBuild !== undefined && !args.has("provenance")) {
    throw usageError(`--${ofBuild.name} needs --provenance`);
  }
  if (args.has("no-identity") && !args.has("key")) {
    throw usageError("--no-identity needs --key: without one the identity signs");
  }
  for (const [short, options] of Object.entries(PREDICATE_OPTIONS)) {
    const option = options.find((name) => args.has(name));
    if (option === undefined) continue;
    if (given.length > 0) throw usageError(`--${option} and --${given[0]} exclude each other`);
    if (type === undefined || !isTypeOf(type, short)) {
      throw usageError(`--${option} needs --type ${short}`);
    }
  }
  if (given.length > 0) {
    if (args.has("predicate") && type === undefined) throw usageError("--predicate needs --type");
    return;
  }
  if (type === undefined) {
    throw usageError(
      "Say what is claimed: --type TYPE with --predicate FILE, --sbom FILE, --provenance or " +
        "--statement FILE",
    );
  }
  const made = Object.keys(PREDICATE_OPTIONS).find((short) => isTypeOf(type, short));
  if (made === undefined) throw usageError(`--type ${quote(type)} needs --predicate FILE`);
  const [option] = PREDICATE_OPTIONS[made];
  if (!args.has(option)) {
    throw usageError(`--type ${made} needs --${option}, or --predicate FILE`);
  }
}

function isTypeOf(type: string, short: string): boolean {
  return PREDICATE_SHORT_NAMES.get(short)?.includes(predicateTypeOf(type)) === true;
}

/** The URI that a type is written as. */
function predicateTypeOf(type: string): string {
  const [uri] = findPredicateTypes(type) ?? [];
  if (uri !== undefined) return uri;
  const names = [...PREDICATE_SHORT_NAMES.keys()];
  throw usageError(
    `--type is a URI or one of ${names.join(", ")}, not ${quote(type)}${suggestion(type, names)}`,
  );
}

/**
 * Reads or makes the predicate that a command line says, except provenance.
 *
 * @throws {AttestationError} `usage`, `unreadable-file`, `limit-exceeded`,
 * `malformed-predicate`, or what strict JSON refuses.
 */
export async function readClaim(args: ParsedArgs, runtime: Runtime): Promise<Claim> {
  const sbom = args.get("sbom");
  if (sbom !== undefined) {
    const { predicate, text } = await readObject("SBOM", sbom, runtime);
    const type = args.get("type");
    return {
      predicateType: type === undefined ? sbomType(predicate, sbom) : predicateTypeOf(type),
      predicate,
      text,
    };
  }
  const type = args.get("type")!;
  const predicateType = predicateTypeOf(type);
  const file = args.get("predicate");
  if (file !== undefined) {
    if (isTypeOf(type, "custom")) return await readCustom(file, predicateType, runtime);
    return { predicateType, ...await readObject("predicate", file, runtime) };
  }
  const predicate = isTypeOf(type, "release")
    ? release(args)
    : isTypeOf(type, "test-result")
    ? await testResult(args, runtime)
    : await vulnerabilities(args, runtime);
  return { predicateType, predicate };
}

async function readText(what: string, path: string, runtime: Runtime): Promise<string> {
  return await inFile(what, path, async () =>
    decodeUtf8(
      path === "-"
        ? await runtime.readStdin(MAX_BYTES)
        : await readBounded(runtime, path, MAX_BYTES),
    ));
}

async function readObject(
  what: string,
  path: string,
  runtime: Runtime,
): Promise<{ predicate: JsonObject; text: string }> {
  const text = await readText(what, path, runtime);
  return await inFile(what, path, () => {
    const predicate = parseJson(text);
    if (!isObject(predicate)) {
      throw new AttestationError(
        "malformed-predicate",
        "Cannot read predicate: it is no JSON object",
      );
    }
    return Promise.resolve({ predicate, text: text.trim() });
  });
}

/** Data of any kind in cosign's wrapper, unless it is in it already. */
async function readCustom(path: string, predicateType: string, runtime: Runtime): Promise<Claim> {
  const text = await readText("predicate", path, runtime);
  try {
    const value = parseJson(text);
    if (isObject(value) && (Object.hasOwn(value, "Data") || Object.hasOwn(value, "data"))) {
      return { predicateType, predicate: value, text: text.trim() };
    }
  } catch {
    // Data need not be JSON.
  }
  const Timestamp = (runtime.now?.() ?? new Date()).toISOString();
  return { predicateType, predicate: { Data: text, Timestamp } };
}

/** Type of an SBOM by what the document says that it is. */
function sbomType(document: JsonObject, path: string): string {
  const { bomFormat, spdxVersion, "@context": context, "@graph": graph } = document;
  if (bomFormat === "CycloneDX") return "https://cyclonedx.org/bom";
  if (typeof spdxVersion === "string") {
    const versioned = `https://spdx.dev/Document/v${spdxVersion.replace(/^SPDX-/, "")}`;
    return lookupPredicate(versioned).known ? versioned : "https://spdx.dev/Document";
  }
  if (context !== undefined && Array.isArray(graph)) return "https://spdx.dev/Document/v3";
  throw new AttestationError(
    "malformed-predicate",
    `Cannot use ${quote(path)} as an SBOM: it is neither SPDX nor CycloneDX as JSON`,
  );
}

function release(args: ParsedArgs): JsonObject {
  return { ...textMember(args, "purl", "purl"), ...textMember(args, "package-id", "packageId") };
}

function textMember(args: ParsedArgs, option: string, member: string): JsonObject {
  const value = args.get(option);
  return value === undefined ? {} : { [member]: value };
}

async function testResult(args: ParsedArgs, runtime: Runtime): Promise<JsonObject> {
  const configuration: JsonObject[] = [];
  for (const text of args.all("configuration")) {
    if ((await runtime.stat(text).catch(() => undefined))?.kind === "file") {
      const { name } = splitPath(text);
      const { digest } = await createSubject(openLazily(runtime, text));
      configuration.push({ name, digest: { ...digest } });
    } else if (URL.canParse(text)) configuration.push({ uri: text });
    else throw usageError(`--configuration is a file that exists or a URI, not ${quote(text)}`);
  }
  const tests = (option: string, member: string): JsonObject =>
    args.has(option) ? { [member]: [...args.all(option)] } : {};
  return {
    ...textMember(args, "result", "result"),
    configuration,
    ...textMember(args, "url", "url"),
    ...tests("passed-test", "passedTests"),
    ...tests("warned-test", "warnedTests"),
    ...tests("failed-test", "failedTests"),
  };
}

async function vulnerabilities(args: ParsedArgs, runtime: Runtime): Promise<JsonObject> {
  const path = args.get("scan-result")!;
  const text = await readText("scan result", path, runtime);
  const result = await inFile("scan result", path, () => Promise.resolve(parseJson(text)));
  const started = args.get("scan-started");
  if (started === undefined) throw usageError("--type vuln needs --scan-started");
  if (!args.has("scanner")) throw usageError("--type vuln needs --scanner");
  const db = {
    ...textMember(args, "scanner-db", "uri"),
    ...textMember(args, "scanner-db-version", "version"),
  };
  return {
    invocation: {},
    scanner: {
      ...textMember(args, "scanner", "uri"),
      ...textMember(args, "scanner-version", "version"),
      db,
      result,
    },
    metadata: {
      scanStartedOn: started,
      scanFinishedOn: args.get("scan-finished") ?? started,
    },
  };
}

/**
 * Makes the Statement that is signed. A predicate that was given as text is in it to the
 * letter, so that no number loses digits.
 *
 * @throws {AttestationError} What `createStatement()` refuses, and unless `validate` is false
 * everything that is wrong for the type, the first reason standing for all.
 */
export function makeStatement(
  subject: readonly ResourceDescriptor[],
  { predicateType, predicate, text }: Claim,
  validate: boolean,
): EncodedStatement {
  const statement = createStatement({ subject, predicateType, predicate });
  if (validate) refuseProblems(statement);
  if (text === undefined) return encoded(encodeStatement(statement));
  const frame = encodeStatement({ ...statement, predicate: {} });
  return encoded(concat(frame.subarray(0, frame.length - "{}}".length), utf8(`${text}}`)));
}

/** What is read here must be readable by whoever verifies: within the same limits. */
function encoded(payload: Uint8Array): EncodedStatement {
  return { statement: parseStatement(payload), payload };
}

/** Reads a complete Statement, whose bytes are the payload. */
export async function readStatement(
  path: string,
  runtime: Runtime,
  validate: boolean,
): Promise<EncodedStatement> {
  return await inFile("Statement", path, async () => {
    const payload = path === "-"
      ? await runtime.readStdin(MAX_BYTES)
      : await readBounded(runtime, path, MAX_BYTES);
    const statement = parseStatement(payload);
    if (validate) refuseProblems(statement);
    return { statement, payload };
  });
}

const MAX_TOLD = 10;

function refuseProblems(statement: Statement): void {
  const found = lookupPredicate(statement.predicateType);
  if (!found.known) return;
  const problems: Problem[] = found.kind.validateStatement(statement);
  if (problems.length === 0) return;
  const [{ reason, path }] = problems;
  const told = problems.slice(0, MAX_TOLD).map(({ message, reason }) => `${message} (${reason})`);
  if (problems.length > MAX_TOLD) told.push(`and ${problems.length - MAX_TOLD} more`);
  throw new AttestationError(
    reason,
    `Cannot attest: the predicate is wrong for ${quote(statement.predicateType)}: ${
      printable(told.join("; "), 2000)
    }; --no-validate signs it all the same`,
    { path },
  );
}
