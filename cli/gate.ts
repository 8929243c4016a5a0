import { AttestationError, isAttestationError, type Reason } from "../errors.ts";
import type { Bytes } from "../internal/bytes.ts";
import { digest as digestOf } from "../internal/digest.ts";
import { utf8 } from "../internal/bytes.ts";
import { encodeHex } from "../internal/hex.ts";
import { canonicalJson, parseJson, printable, quote } from "../internal/json.ts";
import { mapWindow } from "../internal/window.ts";
import type { DigestSet } from "../intoto/digest_set.ts";
import {
  compileGateRules,
  defineGateRules,
  type GateRules,
  parseGateRules,
} from "../policy/gate_rules.ts";
import type { ArtifactReport, VerificationReport } from "../verify/report.ts";
import { parseArgs, type ParsedArgs, usageError } from "./args.ts";
import { splitPath } from "./artifacts.ts";
import { AttestationFiles, type NamedAttestation } from "./attestations.ts";
import { readExpectations } from "./expectations.ts";
import { inFile } from "./in_file.ts";
import {
  type Changes,
  pathInRepository,
  readBaseTree,
  readBlob,
  readChanges,
  type Trace,
  type TreeEntry,
} from "./gate/git_tree.ts";
import {
  besideInTree,
  fileOfTree,
  type ProvenanceSource,
  runtimeOfCommit,
} from "./gate/sources.ts";
import { type PathReport, type Plan, planOf, type Refused, type Target } from "./gate/targets.ts";
import { GATE_OPTIONS } from "./gate_options.ts";
import { writeReport } from "./inputs.ts";
import { REFUSED, VERIFIED } from "./main.ts";
import { hasPolicy } from "./policy_options.ts";
import { readBounded, type Runtime } from "./runtime.ts";
import { plural } from "./text.ts";
import { isForUpload, permissiveWarning, present, refuseExitCode } from "./present.ts";
import type { Run, Verify } from "./verify_artifacts.ts";

/** What was compared, and what each changed path stands for. */
export interface GateFacts {
  /** The ref, as it was given. */
  since: string;
  /** Commits that HEAD was compared with; none if all is new. */
  bases: readonly string[];
  /** The commit that was looked at. */
  head: string;
  /** SHA-256 of the rules, lowercase hex. */
  rulesDigest: string;
  /** Every changed path. */
  paths: readonly PathReport[];
  /** What somebody should look at. */
  warnings: readonly string[];
}

/** The report of `gate`: one of verification, with what it is about. */
export interface GateReport extends VerificationReport {
  /** What was compared. */
  gate: GateFacts;
}

/** What the command needs beside the machine; given by tests. */
export interface GateDependencies {
  /** The library's `verify()`. */
  verify?: Verify;
  /** Sources, instead of those that the options name. */
  sources?: readonly ProvenanceSource[];
}

/** Paths that are verified in one run. */
const MAX_TARGETS = 20_000;
const MAX_RULES_BYTES = 1 << 20;

/** Options whose files decide: a change must not bring its own. */
const TRUST_FILES: readonly string[] = [
  "rules",
  "policy",
  "policy-key",
  "waivers",
  "waivers-key",
  "revocations-key",
  "key",
  "key-set",
  "trusted-root",
  "builders",
];

/** `gate`: what changed since a ref must have valid provenance. */
export async function runGate(
  args: readonly string[],
  runtime: Runtime,
  dependencies: GateDependencies = {},
): Promise<number> {
  const parsed = parseArgs(args, GATE_OPTIONS);
  if (parsed.operands.length > 0) {
    throw usageError(`gate takes no argument, found ${quote(parsed.operands[0])}`);
  }
  refuseExitCode(parsed);
  const trace: Trace = runtime.env("DEBUG") === "1"
    ? (step) => runtime.write("stderr", `debug: ${printable(step, 500)}\n`)
    : () => {};
  const changes = await readChanges(runtime, parsed.get("since"), trace);
  const trusted = await trustedFiles(parsed, changes, runtime);
  const rules = await readRules(parsed, trusted.runtime);
  const byPolicy = hasPolicy(parsed) ? await import("./policy_enforced.ts") : undefined;
  const enforced = byPolicy === undefined
    ? await readExpectations(parsed, trusted.runtime)
    : await byPolicy.readPolicyExpectations(parsed, trusted.runtime);
  const plan = planOf(changes, rules);
  plan.warnings.unshift(...trusted.warnings);
  for (const { path, change, outcome, rule } of plan.paths) {
    trace(`${change} ${path}: ${outcome}${rule === undefined ? "" : ` by ${rule}`}`);
  }
  if (plan.targets.length > MAX_TARGETS) {
    throw new AttestationError(
      "limit-exceeded",
      `Cannot verify ${plan.targets.length} changed paths: at most ${MAX_TARGETS} in one run`,
    );
  }
  const notices: string[] = [];
  const run: Run = {
    runtime,
    verify: dependencies.verify ?? (await import("../verify/mod.ts")).verify,
    enforced,
    files: new AttestationFiles(runtime, notices),
    loaded: [],
    looked: new Map(),
    places: [],
  };
  const own = dependencies.sources ??
    await (await import("./gate/open_sources.ts")).openSources(
      parsed,
      runtime,
      (text) => {
        if (!notices.includes(text)) notices.push(text);
      },
    );
  try {
    const found = await verifyTargets(plan.targets, { run, own, parsed, changes, trace });
    const verifiable = plan.targets.filter((_, i) => !("reason" in found[i]));
    const reports = found.flatMap((one) => "reason" in one ? [] : one);
    plan.refused.push(...found.flatMap((one) => "reason" in one ? one : []));
    const verified = byPolicy === undefined || reports.length === 0
      ? summarize(reports)
      : byPolicy.decide(summarize(reports), enforced);
    const report = withRefused(verified, plan);
    run.places = [
      ...verifiable.map(({ entry: { path } }) => ({ file: path })),
      ...plan.refused.map(({ path, file = path }) => ({ file })),
    ];
    return await finish({ ...report, gate: factsOf(changes, rules, plan) }, parsed, run);
  } finally {
    for (const source of own) await source.close?.();
    for (const notice of notices) runtime.write("stderr", `notice: ${notice}\n`);
  }
}

async function finish(report: GateReport, parsed: ParsedArgs, run: Run): Promise<number> {
  const { runtime } = run;
  for (const warning of report.gate.warnings) runtime.write("stderr", `warning: ${warning}\n`);
  const text = await textOf(report, parsed, run);
  await writeReport(text, parsed, GATE_OPTIONS, runtime);
  if (parsed.has("output")) runtime.write("stderr", `${report.verificationResult}\n`);
  if (report.ok) return VERIFIED;
  // What no policy judged is refused whatever its mode.
  const { policy } = report;
  if (policy?.mode === "permissive" && policy.artifacts.length === report.artifacts.length) {
    runtime.write("stderr", permissiveWarning(report));
    return VERIFIED;
  }
  return isForUpload(parsed) ? VERIFIED : REFUSED;
}

async function textOf(report: GateReport, parsed: ParsedArgs, run: Run): Promise<string> {
  const format = parsed.get("format") ?? "text";
  const { since, paths, bases, head } = report.gate;
  if (format === "text") {
    const { gateText } = await import("./gate/text.ts");
    if (report.artifacts.length === 0) return gateText(report);
    return gateText(report) + await present(report, format, run, !parsed.has("output"));
  }
  const text = await present(report, format, run, !parsed.has("output"));
  if (format !== "markdown") return text;
  const from = bases.length === 0 ? "the beginning" : bases.map((id) => id.slice(0, 12)).join(", ");
  return `Release gate: ${plural(paths.length, "path")} changed since ${
    printable(since, 100)
      .replace(/[\\`*_{}[\]<>|~&]/g, "\\$&")
  } (${from}…${head.slice(0, 12)})\n\n${text}`;
}

function factsOf({ since, bases, head }: Changes, rules: GateRules, plan: Plan): GateFacts {
  const { paths, warnings } = plan;
  return { since, bases, head, rulesDigest: rules.digest, paths, warnings };
}

async function readRules(args: ParsedArgs, runtime: Runtime): Promise<GateRules> {
  const path = args.get("rules");
  if (path === undefined) {
    const rules = [{ id: "all", paths: "**", artifact: true as const }];
    return compileGateRules(defineGateRules({ rules }));
  }
  return await inFile(
    "file of gate rules",
    path,
    async () => compileGateRules(parseGateRules(await readBounded(runtime, path, MAX_RULES_BYTES))),
  );
}

/** Where what decides is read from, and what of it the change itself touches. */
async function trustedFiles(
  args: ParsedArgs,
  { changes, bases }: Changes,
  runtime: Runtime,
): Promise<{ runtime: Runtime; warnings: string[] }> {
  const changed = new Set(changes.map(({ entry: { path } }) => path));
  const files = new Map<string, TreeEntry>();
  const warnings: string[] = [];
  const fromBase = args.has("from-base");
  if (fromBase && bases.length !== 1) {
    throw usageError(
      `--from-base needs one commit to read from, and HEAD is compared with ${bases.length}`,
    );
  }
  const tree = fromBase ? await readBaseTree(runtime, bases[0]) : undefined;
  for (const path of TRUST_FILES.flatMap((name) => args.all(name))) {
    const place = await pathInRepository(runtime, path);
    if (place === undefined) continue;
    if (tree !== undefined) files.set(path, fileOfTree(tree, place, bases[0]));
    if (!changed.has(place)) continue;
    warnings.push(
      `${quote(place)} decides what passes, and this change changes it: ${
        fromBase ? "it was read as it was before" : "see --from-base"
      }`,
    );
  }
  return { runtime: fromBase ? runtimeOfCommit(runtime, files) : runtime, warnings };
}

interface Context {
  run: Run;
  own: readonly ProvenanceSource[];
  parsed: ParsedArgs;
  changes: Changes;
  trace: Trace;
}

async function verifyTargets(
  targets: readonly Target[],
  context: Context,
): Promise<(ArtifactReport | Refused)[]> {
  const { run, parsed } = context;
  const given = await run.files.load(parsed.all("bundle"));
  return await mapWindow(targets, 4, async (target) => {
    const report = await verifyTarget(target, given.attestations, context);
    if ("reason" in report) {
      context.trace(`${target.name}: ${report.reason}`);
      return report;
    }
    context.trace(`${target.name}: ${report.ok ? "verified" : report.errorReason}`);
    return report.errorReason === "attestation-not-found" && given.unusable.length > 0
      ? { ...report, attestations: [...report.attestations, ...given.unusable] }
      : report;
  });
}

async function verifyTarget(
  target: Target,
  given: readonly NamedAttestation[],
  { run, own, changes: { tree }, trace }: Context,
): Promise<ArtifactReport | Refused> {
  const { name, kind, entry } = target;
  let digest: DigestSet;
  const attestations = [...given];
  try {
    const stored = kind === "urn" ? await recordOf(target, own) : undefined;
    for (const one of stored ?? []) attestations.push(...one.attestations);
    digest = await subjectOf(target, stored ?? [], run.runtime);
  } catch (error) {
    if (!isAttestationError(error) || !ABOUT_CONTENT.has(error.reason)) throw error;
    return { path: name, file: entry.path, reason: error.reason, message: error.message };
  }
  if (entry.kind === "file" && digest.sha256 !== undefined) {
    const place = { path: entry.path, digest: digest.sha256 };
    attestations.push(...await besideInTree(run.runtime, tree, place));
  }
  for (const source of own) {
    const found = await source.byDigest(digest, splitPath(entry.path).name);
    trace(`${name}: ${plural(found.length, "attestation")} in ${source.name}`);
    attestations.push(...found);
  }
  const each = [...new Map(attestations.map((one) => [one.source, one])).values()];
  for (const one of each) run.loaded?.push(one);
  const report = await run.verify(each, { name, digest }, run.enforced.options);
  return report.artifacts[0];
}

/** What is wrong with what changed, and not with the run. */
const ABOUT_CONTENT: ReadonlySet<Reason> = new Set([
  "attestation-not-found",
  "duplicate-json-key",
  "empty-input",
  "invalid-unicode",
  "malformed-json",
  "limit-exceeded",
]);

async function recordOf({ name, subject }: Target, own: readonly ProvenanceSource[]) {
  const sources = own.filter(({ byUrn }) => byUrn !== undefined);
  if (sources.length === 0 && subject === "stored") {
    throw usageError(`${quote(name)} is looked up by its stored digest: give --registry or --db`);
  }
  const found = [];
  for (const source of sources) {
    const record = await source.byUrn?.(name);
    if (record !== undefined) found.push(record);
  }
  return found;
}

/** What the provenance must be about. */
async function subjectOf(
  { name, kind, subject, entry }: Target,
  stored: readonly { digest?: DigestSet }[],
  runtime: Runtime,
): Promise<DigestSet> {
  if (kind === "urn" && subject === "stored") {
    const known = stored.find(({ digest }) => digest !== undefined)?.digest;
    if (known !== undefined) return known;
    throw new AttestationError(
      "attestation-not-found",
      `Cannot verify ${quote(name)}: no registry or database knows it`,
    );
  }
  if (entry.kind === "submodule") return { gitCommit: entry.id };
  const bytes = await readBlob(runtime, entry.id);
  return { sha256: encodeHex(await digestOf("SHA-256", cardBytes(bytes, subject))) };
}

function cardBytes(bytes: Bytes, subject: Target["subject"]): Bytes {
  return subject === "card"
    ? utf8(canonicalJson(parseJson(bytes, { maxLength: 16 << 20 })))
    : bytes;
}

function refusedReport({ path, reason, message }: Refused): ArtifactReport {
  return {
    artifact: path,
    digest: {},
    ok: false,
    errorReason: reason,
    attestations: [{
      source: path,
      format: "unknown",
      ok: false,
      errorReason: reason,
      signers: [],
      timestamps: [],
      checks: [{ id: "storage.path", layer: "storage", outcome: "failed", reason, message }],
    }],
  };
}

/** Nothing that changed and asks for an attestation is nothing that lacks one. */
function summarize(artifacts: ArtifactReport[]): VerificationReport {
  const failed = artifacts.find(({ ok }) => !ok);
  return {
    ok: failed === undefined,
    errorReason: failed?.errorReason ?? null,
    verificationResult: failed === undefined ? "PASSED" : "FAILED",
    artifacts,
  };
}

/** No policy judges what has no digest: it fails beside the verdict. */
function withRefused(report: VerificationReport, { refused }: Plan): VerificationReport {
  if (refused.length === 0) return report;
  return {
    ...report,
    ok: false,
    errorReason: report.errorReason ?? refused[0].reason,
    verificationResult: "FAILED",
    artifacts: [...report.artifacts, ...refused.map(refusedReport)],
  };
}
