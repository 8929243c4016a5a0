import { isAttestationError } from "../errors.ts";
import { type LayoutResult, verifyLayout } from "../formats/layout/mod.ts";
import { CheckList } from "../internal/check_list.ts";
import { HASHES } from "../internal/hasher.ts";
import { printable, quote } from "../internal/json.ts";
import { type MatchResult, matchSubject, matchSubjects } from "../intoto/match.ts";
import type { DigestSet } from "../intoto/digest_set.ts";
import { digestArtifact, type DigestedArtifact } from "../verify/artifact.ts";
import { assembleReport } from "../verify/assemble.ts";
import type {
  ArtifactReport,
  AttestationFormat,
  AttestationReport,
  VerificationReport,
} from "../verify/report.ts";
import { type ParsedArgs, usageError } from "./args.ts";
import { type Artifact, join, splitPath, toInput } from "./artifacts.ts";
import { MAX_ATTESTATION_BYTES } from "./attestations.ts";
import type { Enforced } from "./expectations.ts";
import { access, readBounded, type Runtime } from "./runtime.ts";
import type { Run } from "./verify_artifacts.ts";
import { VERIFY_OPTIONS } from "./verify_options.ts";

/** What has a meaning beside `--layout`. */
const ALLOWED: ReadonlySet<string> = new Set([
  "checksums",
  "digest",
  "exit-code",
  "format",
  "key",
  "key-alg",
  "layout",
  "links",
  "output",
  "print-provenance",
  "subjects",
  "threshold",
]);

/** Verifies artifacts by a supply chain. */
export type ChainVerification = (
  artifacts: readonly Artifact[],
  run: Run,
) => Promise<VerificationReport>;

/**
 * `verify --layout`: files are what the last step of a supply chain made.
 *
 * @throws {AttestationError} `usage` if something else is expected as well.
 */
export function supplyChain(args: ParsedArgs, { options, rows }: Enforced): ChainVerification {
  const path = args.get("layout");
  if (path === undefined) throw usageError("--links needs --layout");
  const other = VERIFY_OPTIONS.find(({ name }) => args.has(name) && !ALLOWED.has(name));
  if (other !== undefined) {
    throw usageError(
      `--layout and --${other.name} exclude each other: the layout says what counts`,
    );
  }
  const format = args.get("format");
  if (format === "gh") throw usageError("--layout has no report in the form of gh");
  const keys = options.trust?.keys ?? [];
  if (keys.length === 0) throw usageError("--layout needs --key: the key of its owner");
  const folder = args.get("links") ?? splitPath(path).folder;
  rows.push(["layout", printable(path)], ["links", folder === "" ? "." : printable(folder)]);
  return async (artifacts, run) => {
    const { runtime } = run;
    const content = await readBounded(runtime, path, MAX_ATTESTATION_BYTES);
    const { find, failed, read } = linkFolder(folder, runtime);
    run.links = read;
    const result = await verifyLayout(content, {
      keys,
      threshold: options.trust?.threshold ?? 1,
      links: find,
      ...(options.now === undefined ? {} : { now: options.now }),
    });
    // Whether a link that cannot be read would have counted, nobody knows.
    const [failure] = failed;
    if (failure !== undefined) throw failure;
    for (const warning of result.warnings) runtime.write("stderr", `notice: ${warning}\n`);
    const source = { source: path, format: result.format ?? "unknown" } as const;
    return await judge(artifacts, { runtime, result, source, mode: options.expect?.subjects });
  };
}

/** Links in a folder by their names; what cannot be looked at is kept. */
function linkFolder(folder: string, runtime: Runtime) {
  const failed: unknown[] = [];
  const read: string[] = [];
  const find = async (name: string): Promise<Uint8Array | undefined> => {
    // A name has no other `/` than those between folders of sublayouts.
    const path = name.split("/").reduce(join, folder);
    try {
      if (await access("read", path, () => runtime.stat(path)) === undefined) return undefined;
      read.push(path);
      return await readBounded(runtime, path, MAX_ATTESTATION_BYTES);
    } catch (error) {
      if (isAttestationError(error) && error.reason === "unreadable-file") failed.push(error);
      throw error;
    }
  };
  return { find, failed, read };
}

/** Compares artifacts with what the last step made. */
async function judge(
  artifacts: readonly Artifact[],
  { runtime, result, source, mode = "any" }: {
    runtime: Runtime;
    result: LayoutResult;
    source: { source: string; format: AttestationFormat };
    mode?: "any" | "all" | "exact";
  },
): Promise<VerificationReport> {
  const digested: DigestedArtifact[] = [];
  for (const [i, artifact] of artifacts.entries()) {
    const watch = { algorithms: [...HASHES.keys()], onBytes: () => {} };
    digested.push(await digestArtifact(toInput(artifact, runtime), i, watch));
  }
  const match = mode === "any" ? undefined : matchAll(result, digested, mode);
  return assembleReport(digested.map(({ name, digest }): ArtifactReport => {
    const attestation = reportOf(result, source, match ?? matchOf(result, digest));
    const { ok, errorReason } = attestation;
    return { artifact: name, digest, ok, errorReason, attestations: [attestation] };
  }));
}

function matchOf(result: LayoutResult, digest: DigestSet): MatchResult | undefined {
  if (!result.ok || !("statement" in result.statement)) return undefined;
  return matchSubject(result.statement.statement, digest);
}

function matchAll(
  result: LayoutResult,
  artifacts: readonly DigestedArtifact[],
  mode: "all" | "exact",
): MatchResult | undefined {
  if (!result.ok || !("statement" in result.statement)) return undefined;
  const digests = artifacts.map(({ digest }) => digest);
  return matchSubjects(result.statement.statement, digests, { mode });
}

function reportOf(
  result: LayoutResult,
  source: { source: string; format: AttestationFormat },
  match: MatchResult | undefined,
): AttestationReport {
  const list = new CheckList();
  if (match?.ok) {
    const names = match.matched.slice(0, 4).map(({ subject: { name } }) => quote(name ?? ""));
    list.passed("statement.subject", `Products that are the artifact: ${match.matched.length}`, {
      actual: names.join(", "),
      origin: "signed",
    });
  } else if (match !== undefined) {
    list.failed("statement.subject", match.error, { expected: match.wanted, actual: match.found });
  } else if (result.ok && !("statement" in result.statement)) {
    list.failed("statement.subject", result.statement);
  }
  const error = result.ok ? list.error : result.error;
  const report: AttestationReport = {
    ...source,
    ok: error === undefined,
    errorReason: error?.reason ?? null,
    signers: result.ok ? [...result.owners] : [],
    timestamps: [],
    checks: [...result.checks, ...list.checks],
  };
  if (!result.ok || !("statement" in result.statement)) return report;
  const { statement } = result.statement;
  return { ...report, predicateType: statement.predicateType, statement };
}
