import { AttestationError, type Reason } from "../errors.ts";
import { quote } from "../internal/json.ts";
import { PROVENANCE_TYPES } from "../slsa/provenance.ts";
import type { AttestationReport, VerificationReport } from "../verify/report.ts";
import { parseArgs, ParsedArgs, usageError } from "./args.ts";
import { type Artifact, readArtifacts } from "./artifacts.ts";
import { AttestationFiles } from "./attestations.ts";
import { DIFF_OPTIONS } from "./diff_options.ts";
import { readExpectations } from "./expectations.ts";
import { REFUSED, VERIFIED } from "./main.ts";
import { type Difference, diffProvenance, type DiffSide } from "./provenance_diff.ts";
import { readProvenance } from "./provenance_facts.ts";
import type { Runtime } from "./runtime.ts";
import { safeJson, style } from "./text.ts";
import { writeReport } from "./inputs.ts";
import { type Run, type VerifyDependencies, verifyGroup } from "./verify_artifacts.ts";

/** What `diff` found. */
export interface DiffReport {
  /** True only if both were verified. */
  ok: boolean;
  /** Why not; null when `ok`. */
  errorReason: Reason | null;
  /** True if nothing differs; null if they were not compared, as one was not verified. */
  same: boolean | null;
  /** How A was verified. */
  a: VerificationReport;
  /** How B was verified. */
  b: VerificationReport;
  /** What differs. */
  differences: Difference[];
}

/** `diff A B`: verifies two provenances and compares what they say. */
export async function runDiff(
  args: readonly string[],
  runtime: Runtime,
  dependencies?: VerifyDependencies,
): Promise<number> {
  const parsed = parseArgs(args, DIFF_OPTIONS);
  if (parsed.operands.length !== 2) throw usageError("diff takes two files: A and B");
  const [pathA, pathB] = parsed.operands;
  const enforced = await readExpectations(parsed, runtime, { provenance: true });
  const artifactA = await readArtifact(parsed, "artifact-a", runtime);
  const artifactB = await readArtifact(parsed, "artifact-b", runtime);
  const notices: string[] = [];
  const run: Run = {
    runtime,
    verify: dependencies?.verify ?? (await import("../verify/verify.ts")).verify,
    enforced,
    files: new AttestationFiles(runtime, notices),
    loaded: [],
    looked: new Map(),
  };
  let a: VerificationReport;
  let b: VerificationReport;
  try {
    a = await verifySide(pathA, artifactA, run);
    b = await verifySide(pathB, artifactB, run);
  } finally {
    for (const notice of notices) runtime.write("stderr", `notice: ${notice}\n`);
  }
  const report = compare(a, b, [pathA, pathB]);
  const output = parsed.get("output");
  const coloured = output === undefined && runtime.isTerminal("stdout") && !runtime.noColor;
  let text = `${safeJson(report, 2)}\n`;
  if (parsed.get("format") !== "json") {
    const { diffText } = await import("./diff_text.ts");
    text = await diffText(report, {
      names: [pathA, pathB],
      artifacts: [artifactA?.name, artifactB?.name],
      report: {
        expected: enforced.rows,
        paint: style(coloured),
        program: runtime.program,
        looked: new Map(),
      },
    });
  }
  await writeReport(text, parsed, DIFF_OPTIONS, runtime);
  return report.same === true ? VERIFIED : REFUSED;
}

async function readArtifact(
  args: ParsedArgs,
  option: string,
  runtime: Runtime,
): Promise<Artifact | undefined> {
  const value = args.get(option);
  if (value === undefined) return undefined;
  const named = new ParsedArgs();
  named.operands.push(value);
  const { artifacts } = await readArtifacts(named, runtime);
  if (artifacts.length !== 1) throw usageError(`--${option} is one artifact, not a folder`);
  return artifacts[0];
}

async function verifySide(
  path: string,
  artifact: Artifact | undefined,
  run: Run,
): Promise<VerificationReport> {
  const options = { ...run.enforced.options };
  if (artifact === undefined) options.unsafelyVerifyWithoutArtifact = true;
  const loaded = await run.files.load([path]);
  return await verifyGroup(artifact === undefined ? [] : [artifact], loaded, {
    ...run,
    enforced: { ...run.enforced, options },
  });
}

function compare(
  a: VerificationReport,
  b: VerificationReport,
  [nameA, nameB]: readonly [string, string],
): DiffReport {
  const failed = [a, b].find(({ ok }) => !ok);
  if (failed !== undefined) {
    return { ok: false, errorReason: failed.errorReason, same: null, a, b, differences: [] };
  }
  const differences = diffProvenance(sideOf(a, nameA), sideOf(b, nameB));
  return { ok: true, errorReason: null, same: differences.length === 0, a, b, differences };
}

/** The one verified provenance of a report: of several, none may be picked in silence. */
function sideOf(report: VerificationReport, name: string): DiffSide {
  const verified = report.artifacts.flatMap(({ attestations }) => attestations)
    .filter(({ ok, predicateType }) => ok && PROVENANCE_TYPES.includes(predicateType ?? ""));
  const [first, ...others] = verified;
  if (others.length > 0) {
    throw usageError(
      `Cannot compare ${quote(name)}: ${verified.length} provenances of it verify; ` +
        "give a file with one of them, or say with --artifact-a and --artifact-b which is meant",
    );
  }
  const provenance = first?.statement === undefined ? undefined : readProvenance(first.statement);
  if (provenance === undefined) {
    throw new AttestationError(
      "predicate-type-mismatch",
      `Cannot compare ${quote(name)}: it is no provenance`,
    );
  }
  return sideWith(first, { provenance, signers: first.signers });
}

function sideWith({ identity, buildLevel }: AttestationReport, side: DiffSide): DiffSide {
  if (identity !== undefined) side.identity = identity;
  if (buildLevel !== undefined) side.level = buildLevel;
  return side;
}
