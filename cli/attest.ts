import { AttestationError } from "../errors.ts";
import { quote } from "../internal/json.ts";
import { mapWindow } from "../internal/window.ts";
import { matchSubjects } from "../intoto/match.ts";
import type { ResourceDescriptor } from "../intoto/resource_descriptor.ts";
import { encodeStatement } from "../intoto/statement.ts";
import { ATTESTATION_SUFFIXES } from "../store/file_names.ts";
import { parseArgs, type ParsedArgs, usageError } from "./args.ts";
import { ATTEST_OPTIONS } from "./attest_options.ts";
import {
  checkPredicateOptions,
  type Claim,
  type EncodedStatement,
  makeStatement,
  readClaim,
  readStatement,
} from "./attest_predicate.ts";
import {
  checkOutputOptions,
  checkOutputs,
  describeSubject,
  outputOf,
  type Product,
  STDOUT,
  tellFailure,
  tellProducts,
  tellSkipped,
  writeProducts,
} from "./output.ts";
import { placeOf, refuseInputs } from "./inputs.ts";
import { inPhase } from "./phase.ts";
import { access, type Runtime } from "./runtime.ts";
import { checkSigningOptions, readSigning, type Signing, withheld } from "./signing.ts";
import { namesSubjects, readSubjects, type SubjectSource } from "./subjects.ts";

const PAYLOAD_TYPE = "application/vnd.in-toto+json";
/** Attestations of one run that are signed at the same time. */
const WINDOW = 4;

/** `attest`: subjects and a predicate to signed Statements. */
export async function runAttest(args: readonly string[], runtime: Runtime): Promise<number> {
  const parsed = parseArgs(args, ATTEST_OPTIONS);
  return await tellFailure("attest", parsed, runtime, () => attest(parsed, runtime));
}

async function attest(args: ParsedArgs, runtime: Runtime): Promise<number> {
  checkPredicateOptions(args);
  checkSigningOptions(args);
  checkOutputOptions(args);
  if (!namesSubjects(args) && !args.has("statement")) {
    throw new AttestationError(
      "artifact-required",
      "Cannot attest: name the artifact, a file or folder, or give --checksums, --git, " +
        "--subject-digest or --statement",
    );
  }
  const why = await withheld(args, runtime);
  if (why !== undefined) return tellSkipped(why, args, runtime);

  const outputs = outputsOf(args);
  await inPhase("build", () => refuseOutputInside(outputs(".sigstore.json"), args, runtime));
  await inPhase("upload", async () => {
    await refuseInputs(outputs(".sigstore.json"), args, runtime);
    await checkOutputs(outputs(".sigstore.json"), args, runtime);
  });
  const signing = await inPhase("signing", () => readSigning(args, runtime));
  const files = outputs(signing.suffix);
  if (signing.suffix !== ".sigstore.json") {
    await inPhase("upload", async () => {
      await refuseInputs(files, args, runtime);
      await checkOutputs(files, args, runtime);
    });
  }
  const sources = await inPhase("build", () => readSubjects(args, runtime));
  const groups = args.has("each") ? sources.map((source) => [source]) : [sources];
  const statements = await inPhase(
    "generation",
    () => readStatements(groups, args, runtime, signing),
  );
  const products = await inPhase(
    "signing",
    () =>
      mapWindow(statements, WINDOW, async ({ statement, payload }, i): Promise<Product> => ({
        file: files[i],
        signed: await signing.sign({ payloadType: PAYLOAD_TYPE, payload }),
        about: statement.subject.map(describeSubject),
        predicateType: statement.predicateType,
        subjects: statement.subject,
        verify: verifyArguments(groups[i], statement.subject),
      })),
  );
  await inPhase("upload", () => writeProducts(products, args, runtime));
  await tellProducts(products, args, runtime);
  return 0;
}

/** Files to write, as far as they are known before anything is read. */
function outputsOf(args: ParsedArgs): (suffix: string) => string[] {
  const withPath = [...args.operands.filter((one) => !one.startsWith("oci://"))]
    .map((path) => path.replace(/(?<=[^/\\])[/\\]+$/, "")).concat(args.all("checksums"));
  const all = args.operands.length +
    ["checksums", "git", "subject-digest"].reduce((sum, name) => sum + args.all(name).length, 0);
  if (!args.has("each")) {
    return (suffix) => [outputOf(args, all === 1 ? withPath[0] : undefined, suffix)];
  }
  if (args.has("statement")) throw usageError("--each and --statement exclude each other");
  if (args.has("output") && !args.has("append") && args.get("output") !== STDOUT) {
    throw usageError("--each with --output needs --append: all go into one file");
  }
  if (!args.has("output") && withPath.length < all) {
    throw usageError("--each needs files: an image, revision or digest has no place beside it");
  }
  if (new Set(withPath).size < withPath.length) throw usageError("--each: a file is named twice");
  return (suffix) =>
    args.has("output")
      ? Array.from({ length: all }, () => args.get("output")!)
      : withPath.map((path) => outputOf(args, path, suffix));
}

/**
 * An attestation in the folder that it is about makes that another folder; where each file is
 * a subject, what is named like an attestation is none.
 */
async function refuseOutputInside(
  files: readonly string[],
  args: ParsedArgs,
  runtime: Runtime,
): Promise<void> {
  const isMany = args.get("subjects") === "many";
  const attestations = files.filter((file) =>
    file !== STDOUT && !(isMany && ATTESTATION_SUFFIXES.some((suffix) => file.endsWith(suffix)))
  );
  for (const operand of args.operands.filter((one) => !one.startsWith("oci://"))) {
    const info = await access("read", operand, () => runtime.stat(operand));
    if (info?.kind !== "directory") continue;
    const folder = partsOf(await access("read", operand, () => runtime.realPath(operand)));
    let inside: string | undefined;
    for (const file of attestations) {
      const parts = partsOf(await placeOf(file, runtime));
      const isBelow = parts.length > folder.length &&
        folder.every((part, i) => part === parts[i]);
      if (isBelow && parts[folder.length] !== "..") inside ??= file;
    }
    if (inside === undefined) continue;
    throw usageError(
      `Cannot write ${quote(inside)}: it is in ${quote(operand)}, which it would change; ` +
        "write it beside the folder",
    );
  }
}

function partsOf(path: string): string[] {
  const parts: string[] = path.startsWith("/") ? [""] : [];
  for (const part of path.split(/[/\\]+/)) {
    if (part === "" || part === ".") continue;
    if (part === ".." && parts.length > 0 && parts.at(-1) !== ".." && parts.at(-1) !== "") {
      parts.pop();
    } else parts.push(part);
  }
  return parts;
}

async function readStatements(
  groups: readonly (readonly SubjectSource[])[],
  args: ParsedArgs,
  runtime: Runtime,
  signing: Signing,
): Promise<EncodedStatement[]> {
  const validate = !args.has("no-validate");
  const file = args.get("statement");
  if (file !== undefined) {
    const given = await readStatement(file, runtime, validate);
    const artifacts = groups.flat().flatMap(({ subjects }) =>
      subjects.map(({ digest }) => digest!)
    );
    if (artifacts.length > 0) {
      const match = matchSubjects(given.statement, artifacts);
      if (!match.ok) throw match.error;
    }
    return [given];
  }
  const subjectsOf = (group: readonly SubjectSource[]): ResourceDescriptor[] =>
    group.flatMap(({ subjects }) => subjects);
  if (args.has("provenance")) {
    const { readCiProvenance, readJobToken } = await import("./ci_provenance.ts");
    const { identityToken } = signing;
    // Who signs with a key may have a token of the job all the same, for what it tells.
    const token = identityToken === undefined
      ? await readJobToken(args, runtime)
      : await inPhase("signing", identityToken);
    const statements: EncodedStatement[] = [];
    for (const group of groups) {
      const statement = await readCiProvenance(subjectsOf(group), args, runtime, token);
      statements.push({ statement, payload: encodeStatement(statement) });
    }
    return statements;
  }
  const claim: Claim = await readClaim(args, runtime);
  return groups.map((group) => makeStatement(subjectsOf(group), claim, validate));
}

/** Operands and options by which `verify` finds the same artifacts. */
function verifyArguments(
  sources: readonly SubjectSource[],
  subject: readonly ResourceDescriptor[],
): string[] {
  if (sources.length === 0) {
    return subject.flatMap(({ digest = {} }) =>
      Object.entries(digest).slice(0, 1).map(([algorithm, value]) => `${algorithm}:${value}`)
    );
  }
  const words = sources.flatMap(({ source, path, kind, subjects }) => {
    if (kind === "checksums") return [`--checksums=${source}`];
    if (path !== undefined) return [source.startsWith("-") ? `./${source}` : source];
    return subjects.flatMap(({ digest = {} }) =>
      Object.entries(digest).slice(0, 1).map(([algorithm, value]) => `${algorithm}:${value}`)
    );
  });
  return sources.some(({ kind }) => kind === "files") ? [...words, "--subjects=all"] : words;
}
