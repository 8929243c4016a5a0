import { AttestationError } from "../errors.ts";
import { quote } from "../internal/json.ts";
import type { DigestSet } from "../intoto/digest_set.ts";
import type { ArtifactInput, AttestationInput, VerifyOptions } from "../verify/options.ts";
import type { ArtifactReport, AttestationReport, VerificationReport } from "../verify/report.ts";
import { parseArgs, type ParsedArgs, usageError } from "./args.ts";
import { type Artifact, readArtifacts, toInput } from "./artifacts.ts";
import { AttestationFiles, type Loaded, type NamedAttestation } from "./attestations.ts";
import { discover } from "./discover.ts";
import { type Enforced, readExpectations } from "./expectations.ts";
import { REFUSED, VERIFIED } from "./main.ts";
import { isNpm, refuseNpmOptions } from "./npm_options.ts";
import { progressBar } from "./progress.ts";
import type { Runtime } from "./runtime.ts";
import { safeJson, style } from "./text.ts";
import type { TextContext } from "./text_report.ts";
import { VERIFY_OPTIONS } from "./verify_options.ts";

/** The library's `verify()`. */
export type Verify = (
  attestations: AttestationInput | AttestationInput[],
  artifacts: ArtifactInput | ArtifactInput[] | undefined,
  options: VerifyOptions,
) => Promise<VerificationReport>;

/** What the command needs of the library; given by tests. */
export interface VerifyDependencies {
  /** The library's `verify()`. */
  verify: Verify;
}

/** The work of one run. */
export interface Run {
  /** The machine. */
  runtime: Runtime;
  /** The library's `verify()`. */
  verify: Verify;
  /** What is enforced. */
  enforced: Enforced;
  /** Files of attestations, each read once. */
  files: AttestationFiles;
  /** Attestations that were verified, by the name that the report has for them. */
  loaded: Loaded["attestations"];
  /** Where an attestation was looked for, by the artifact's place in the report. */
  looked: Map<number, readonly string[]>;
}

/** `verify`: artifacts, attestations and expectations to a report. */
export async function runVerify(
  args: readonly string[],
  runtime: Runtime,
  dependencies?: VerifyDependencies,
): Promise<number> {
  const parsed = parseArgs(args, VERIFY_OPTIONS);
  if (isNpm(parsed)) {
    return await (await import("./npm.ts")).runNpm(parsed, runtime, VERIFY_OPTIONS);
  }
  refuseNpmOptions(parsed);
  const format = parsed.get("format") ?? "text";
  const printsStatements = parsed.has("print-provenance");
  if (printsStatements && format === "gh") {
    throw usageError("--print-provenance and --format gh exclude each other: gh prints them too");
  }
  const { report, run } = await verifyArguments(parsed, runtime, dependencies);
  const output = parsed.get("output");
  const text = await present(report, format, run, output === undefined);
  // A report that cannot be told from one of a success must not exist for a failure.
  if (format === "gh" && !report.ok) runtime.write("stderr", text);
  else if (output !== undefined) await writeOutput(runtime, output, text);
  else runtime.write(printsStatements ? "stderr" : "stdout", text);
  if (output !== undefined) {
    runtime.write("stderr", `${report.verificationResult}\n`);
  }
  if (printsStatements && report.ok) runtime.write("stdout", statementsOf(report));
  return report.ok ? VERIFIED : REFUSED;
}

/** What was verified, and with what. */
export interface Verification {
  /** Answer of the library. */
  report: VerificationReport;
  /** The work of the run. */
  run: Run;
}

/** Verifies the artifacts of a command line; notices go to standard error. */
export async function verifyArguments(
  parsed: ParsedArgs,
  runtime: Runtime,
  dependencies?: VerifyDependencies,
): Promise<Verification> {
  const enforced = await readExpectations(parsed, runtime);
  const { artifacts, notices } = await readArtifacts(parsed, runtime);
  requireArtifact(parsed, artifacts);

  const progress = progressBar(runtime);
  enforced.options.onProgress = progress.update;
  const run: Run = {
    runtime,
    verify: dependencies?.verify ?? (await import("../verify/mod.ts")).verify,
    enforced,
    files: new AttestationFiles(runtime, notices),
    loaded: [],
    looked: new Map(),
  };
  try {
    const report = await verifyAll(parsed, artifacts, run);
    return { report, run };
  } finally {
    progress.end();
    for (const notice of notices) runtime.write("stderr", `notice: ${notice}\n`);
  }
}

function requireArtifact(args: ParsedArgs, artifacts: readonly Artifact[]): void {
  if (args.has("unsafe-no-artifact")) {
    if (artifacts.length > 0) throw usageError("--unsafe-no-artifact excludes an artifact");
    if (bundlesOf(args).length === 0) throw usageError("--unsafe-no-artifact needs --bundle");
  } else if (artifacts.length === 0 && args.has("subject-digest")) {
    if (bundlesOf(args).length === 0) throw usageError("--subject-digest needs --vsa");
  } else if (artifacts.length === 0) {
    throw new AttestationError(
      "artifact-required",
      "Cannot verify: name the artifact, a file or folder, or give --digest or --checksums",
    );
  }
}

/** Files of attestations; a VSA is one. */
function bundlesOf(args: ParsedArgs): readonly string[] {
  return [...args.all("bundle"), ...args.all("vsa")];
}

async function verifyAll(
  args: ParsedArgs,
  artifacts: readonly Artifact[],
  run: Run,
): Promise<VerificationReport> {
  const bundles = bundlesOf(args);
  if (bundles.length > 0) {
    return await verifyGroup(artifacts, await run.files.load(bundles), run);
  }
  const found: { artifact: Artifact; paths: string[] }[] = [];
  for (const [index, artifact] of artifacts.entries()) {
    const digestOf = async (): Promise<DigestSet> =>
      artifact.digest ?? (await verifyGroup([artifact], NOTHING, run)).artifacts[0].digest;
    const { paths, looked } = await discover(artifact, run.runtime, digestOf);
    run.looked.set(index, looked);
    found.push({ artifact, paths });
  }
  if ((args.get("subjects") ?? "any") !== "any") {
    // These modes compare all subjects with all artifacts.
    const paths = [...new Set(found.flatMap(({ paths }) => paths))];
    return await verifyGroup(artifacts, await run.files.load(paths), run);
  }
  // Neighbours with the same attestations are verified together, so that each is read once.
  const reports: ArtifactReport[] = [];
  for (let start = 0; start < found.length;) {
    const key = JSON.stringify(found[start].paths);
    let end = start + 1;
    while (end < found.length && JSON.stringify(found[end].paths) === key) end++;
    const group = found.slice(start, end).map(({ artifact }) => artifact);
    const loaded = await run.files.load(found[start].paths);
    reports.push(...(await verifyGroup(group, loaded, run)).artifacts);
    start = end;
  }
  return summarize(reports);
}

const NOTHING: Loaded = { attestations: [], unusable: [] };

/** Verifies artifacts by attestations; what could not be read is reported beside them. */
export async function verifyGroup(
  artifacts: readonly Artifact[],
  { attestations, unusable }: Loaded,
  { verify, enforced, loaded, runtime }: Run,
): Promise<VerificationReport> {
  for (const attestation of attestations) loaded.push(attestation);
  const printed = attestations.find(isCloudBuild);
  if (printed !== undefined) {
    if (attestations.length > 1) {
      throw usageError(`${quote(printed.source)} is of Google Cloud Build: give it alone`);
    }
    const { verifyCloudBuild } = await import("./google_cloud_build.ts");
    const wanted = artifacts.length === 0 ? [undefined] : artifacts;
    return summarize(
      await Promise.all(wanted.map((one) => verifyCloudBuild(printed, one, enforced.options))),
    );
  }
  const inputs = artifacts.map((artifact) => toInput(artifact, runtime));
  const report = await verify(
    attestations,
    inputs.length === 0 ? undefined : inputs,
    enforced.options,
  );
  if (unusable.length === 0) return report;
  return summarize(report.artifacts.map((artifact) => ({
    ...artifact,
    // Nothing was found because nothing could be read.
    errorReason: artifact.errorReason === "attestation-not-found"
      ? unusable[0].errorReason
      : artifact.errorReason,
    attestations: [...artifact.attestations, ...unusable],
  })));
}

/** What gcloud prints about an image is no attestation but holds some. */
function isCloudBuild({ content }: NamedAttestation): boolean {
  return content instanceof Uint8Array &&
    new TextDecoder().decode(content).includes('"provenance_summary"');
}

function summarize(artifacts: ArtifactReport[]): VerificationReport {
  const failed = artifacts.find((artifact) => !artifact.ok);
  const ok = artifacts.length > 0 && failed === undefined;
  return {
    ok,
    errorReason: failed?.errorReason ?? null,
    verificationResult: ok ? "PASSED" : "FAILED",
    artifacts,
  };
}

/** The report in a format. */
export async function present(
  report: VerificationReport,
  format: string,
  run: Run,
  onTerminal: boolean,
): Promise<string> {
  if (format === "json") return `${safeJson(report, 2)}\n`;
  if (format === "gh" && report.ok) {
    const { ghReport } = await import("./gh_report.ts");
    const identity = run.enforced.options.expect?.identity;
    const expected = Array.isArray(identity) ? identity[0] : identity;
    return `${safeJson(ghReport(report, run.loaded, expected))}\n`;
  }
  const { textReport } = await import("./text_report.ts");
  const stream = format === "gh" ? "stderr" : "stdout";
  return textReport(report, {
    factsOf: await factReader(report),
    expected: run.enforced.rows,
    paint: style(onTerminal && run.runtime.isTerminal(stream) && !run.runtime.noColor),
    program: run.runtime.program,
    looked: run.looked,
  });
}

/** Tells what provenance says; nothing is loaded where there is none. */
async function factReader(
  { artifacts }: VerificationReport,
): Promise<TextContext["factsOf"]> {
  const isProvenance = ({ predicateType = "" }: AttestationReport) =>
    /\/provenance\/v\d/i.test(predicateType);
  if (!artifacts.some(({ attestations }) => attestations.some(isProvenance))) return undefined;
  const { provenanceFacts, readProvenance } = await import("./provenance_facts.ts");
  return ({ statement, identity }) => {
    const provenance = statement === undefined ? undefined : readProvenance(statement);
    return provenance === undefined ? [] : provenanceFacts(provenance, identity);
  };
}

/** Writes a result to a file, whole or not at all. */
export async function writeOutput(runtime: Runtime, path: string, text: string): Promise<void> {
  const { access } = await import("./runtime.ts");
  await access("write", path, () => runtime.writeFileAtomic(path, text));
}

/** Verified Statements, one a line, each once. */
function statementsOf(report: VerificationReport): string {
  const lines = new Set<string>();
  for (const artifact of report.artifacts) {
    for (const { ok, statement } of artifact.attestations) {
      if (ok && statement !== undefined) lines.add(safeJson(statement));
    }
  }
  return [...lines].map((line) => `${line}\n`).join("");
}
