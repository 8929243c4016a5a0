import { printable, quote } from "../internal/json.ts";
import { parseBuilderTrust } from "../slsa/builder_trust.ts";
import {
  assertProvenanceExpectation,
  type BuildLevel,
  type ProvenanceExpectation,
} from "../slsa/expectation.ts";
import { PROVENANCE_TYPES } from "../slsa/provenance.ts";
import { canonicalRepository } from "../slsa/source.ts";
import { type ParsedArgs, usageError } from "./args.ts";
import { inFile } from "./in_file.ts";
import { readBounded, type Runtime } from "./runtime.ts";
import { plural } from "./text.ts";

const MAX_BUILDERS_BYTES = 4 << 20;

/** What is expected of provenance, and in words. */
export interface ExpectedProvenance {
  /** For `verify()`. */
  provenance: ProvenanceExpectation;
  /** For the report. */
  rows: [string, string][];
}

/** Members of the expectation by the option that gives them. */
const OPTION_OF: Readonly<Record<string, string>> = {
  sourceUri: "--source-uri",
  sourceBranch: "--source-branch",
  sourceTag: "--source-tag",
  sourceVersionedTag: "--source-versioned-tag",
  sourceCommit: "--source-digest",
  builderId: "--builder-id",
};

/**
 * What the command line expects of provenance.
 *
 * @param types Predicate types that the command line names; none for all of provenance.
 * @throws {AttestationError} `usage`, `unreadable-file`, `malformed-builder-trust`.
 */
export async function readProvenanceExpectation(
  args: ParsedArgs,
  runtime: Runtime,
  types: readonly string[],
): Promise<ExpectedProvenance> {
  const other = types.find((type) => !PROVENANCE_TYPES.includes(type));
  if (other !== undefined) {
    throw usageError(`--predicate-type ${quote(other)} is no provenance, which is expected`);
  }
  const provenance: ProvenanceExpectation = {};
  if (types.length > 0) provenance.predicateTypes = types;
  const rows: [string, string][] = [];
  const text = (
    option: string,
    member: "sourceUri" | "sourceBranch" | "sourceTag" | "sourceVersionedTag" | "buildType",
    label: string,
  ) => {
    const value = args.get(option);
    if (value === undefined) return;
    provenance[member] = value;
    const shown = member === "sourceUri" ? canonicalRepository(value) ?? value : value;
    rows.push([label, printable(shown)]);
  };
  text("source-uri", "sourceUri", "source");
  text("source-branch", "sourceBranch", "source branch");
  text("source-tag", "sourceTag", "source tag");
  text("source-versioned-tag", "sourceVersionedTag", "source version");
  const commit = args.get("source-uri") === undefined ? undefined : args.get("source-digest");
  if (commit !== undefined) {
    provenance.sourceCommit = commit;
    rows.push(["source commit", printable(commit)]);
  }
  const builder = args.get("builder-id");
  if (builder !== undefined) provenance.builderId = builder;
  rows.push(["builder", builder === undefined ? "any that is recognised" : printable(builder)]);
  rows.push(["recognised by", await readBuilders(args, runtime, provenance)]);
  text("build-type", "buildType", "build type");
  const inputs = args.all("build-workflow-input");
  if (inputs.length > 0) {
    provenance.workflowInputs = readInputs(inputs);
    rows.push(["workflow input", inputs.map((input) => printable(input)).join("\n")]);
  }
  const level = args.get("min-level");
  if (level !== undefined) {
    provenance.minLevel = Number(level) as BuildLevel;
    rows.push(["Build level", `${level} or more`]);
  }
  try {
    assertProvenanceExpectation(provenance);
  } catch (cause) {
    if (!(cause instanceof TypeError)) throw cause;
    throw usageError(
      cause.message.replace(/\b[a-z]+[A-Z]\w*\b/g, (member) => OPTION_OF[member] ?? member),
    );
  }
  return { provenance, rows };
}

async function readBuilders(
  args: ParsedArgs,
  runtime: Runtime,
  provenance: ProvenanceExpectation,
): Promise<string> {
  const path = args.get("builders");
  if (path === undefined) return "the known builders";
  const trust = await inFile(
    "list of builders",
    path,
    async () => parseBuilderTrust(await readBounded(runtime, path, MAX_BUILDERS_BYTES)),
  );
  provenance.builders = trust;
  return `${printable(path)} (${plural(trust.builders.length, "builder")})`;
}

function readInputs(inputs: readonly string[]): Record<string, string> {
  const values = new Map<string, string>();
  for (const input of inputs) {
    const equals = input.indexOf("=");
    if (equals < 1) {
      throw usageError(`--build-workflow-input is NAME=VALUE, not ${quote(input)}`);
    }
    const name = input.slice(0, equals);
    if (values.has(name)) {
      throw usageError(`--build-workflow-input gives ${quote(name)} twice`);
    }
    values.set(name, input.slice(equals + 1));
  }
  return Object.fromEntries(values);
}
