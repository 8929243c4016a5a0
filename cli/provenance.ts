import { AttestationError } from "../errors.ts";
import { decodeUtf8 } from "../internal/json.ts";
import { encodeStatement, type Statement } from "../intoto/statement.ts";
import { type OptionSpec, parseArgs, type ParsedArgs, usageError } from "./args.ts";
import { ATTEST_OPTIONS } from "./attest_options.ts";
import { readCiProvenance, readJobToken } from "./ci_provenance.ts";
import { refuseInputs } from "./inputs.ts";
import { checkOutputs, STDOUT, tellFailure } from "./output.ts";
import { inPhase } from "./phase.ts";
import { CI_PROVENANCE_OPTIONS } from "./provenance_command_options.ts";
import type { Runtime } from "./runtime.ts";
import { namesSubjects, readSubjects } from "./subjects.ts";
import { safeJson } from "./text.ts";

const SUBJECT_NAMES = [
  "subject-digest",
  "subject-name",
  "checksums",
  "git",
  "subjects",
  "digest-algorithm",
];
const OUTPUT = "Output";

/** Options of `provenance`. */
export const PROVENANCE_COMMAND_OPTIONS: readonly OptionSpec[] = [
  ...ATTEST_OPTIONS.filter(({ name }) => SUBJECT_NAMES.includes(name)),
  ...CI_PROVENANCE_OPTIONS,
  {
    name: "predicate-only",
    group: OUTPUT,
    help: "Write the predicate alone, as attest --type slsaprovenance1 --predicate takes it; " +
      "no artifact is needed",
  },
  {
    name: "output",
    short: "o",
    value: "FILE",
    group: OUTPUT,
    help: "File to write, whole or not at all; default standard output",
  },
  { name: "force", group: OUTPUT, help: "Replace a file that is there" },
];

/** A subject that stands for all: a predicate says nothing about any. */
const NO_SUBJECT = [{ digest: { sha256: "0".repeat(64) } }];

/** `provenance`: what the environment tells of this build, as SLSA provenance, not signed. */
export async function runProvenance(args: readonly string[], runtime: Runtime): Promise<number> {
  const parsed = parseArgs(args, PROVENANCE_COMMAND_OPTIONS);
  return await tellFailure("provenance", parsed, runtime, () => provenance(parsed, runtime));
}

async function provenance(args: ParsedArgs, runtime: Runtime): Promise<number> {
  const predicateOnly = args.has("predicate-only");
  if (predicateOnly && namesSubjects(args)) {
    throw usageError("--predicate-only excludes artifacts: a predicate names none");
  }
  if (!predicateOnly && !namesSubjects(args)) {
    throw new AttestationError(
      "artifact-required",
      "Cannot create provenance: name what was built, a file or folder, or give --checksums, " +
        "--git or --subject-digest; or --predicate-only",
    );
  }
  const file = args.get("output") ?? STDOUT;
  if (file === STDOUT && args.has("force")) {
    throw usageError("--force needs a file, not standard output");
  }
  await inPhase("upload", async () => {
    await refuseInputs([file], args, runtime);
    await checkOutputs([file], args, runtime);
  });
  const token = await inPhase("generation", () => readJobToken(args, runtime));
  const sources = await inPhase("build", () => readSubjects(args, runtime));
  const subjects = predicateOnly ? NO_SUBJECT : sources.flatMap(({ subjects }) => subjects);
  const statement = await inPhase(
    "generation",
    () => readCiProvenance(subjects, args, runtime, token),
  );
  const text = `${encode(statement, predicateOnly)}\n`;
  if (file === STDOUT) runtime.write("stdout", text);
  else {
    const force = args.has("force");
    await inPhase("upload", () => runtime.writeNew(file, text, { force }));
  }
  return 0;
}

function encode(statement: Statement, predicateOnly: boolean): string {
  return predicateOnly ? safeJson(statement.predicate) : decodeUtf8(encodeStatement(statement));
}
