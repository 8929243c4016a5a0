import { quote } from "../internal/json.ts";
import type { VerificationReport } from "../verify/report.ts";
import { judgeReports } from "../verify/policy.ts";
import { type ParsedArgs, usageError } from "./args.ts";
import type { Artifact } from "./artifacts.ts";
import type { Enforced } from "./expectations.ts";
import { compilePolicyFile, nowOf, policyRows, readPolicyFile } from "./policy_file.ts";
import { PLATFORM_OPTIONS } from "./image_options.ts";
import { REGISTRY_OPTIONS } from "./registry_options.ts";
import type { Runtime } from "./runtime.ts";
import { STORE_OPTIONS } from "./store_options.ts";
import { VERIFY_OPTIONS } from "./verify_options.ts";

/** Groups of options that say what to verify and how to tell it, not whom to believe. */
const NEUTRAL: ReadonlySet<string> = new Set([
  "Attestation",
  "Output",
  "Policy",
  ...PLATFORM_OPTIONS.map(({ group }) => group),
  ...REGISTRY_OPTIONS.map(({ group }) => group),
  ...STORE_OPTIONS.map(({ group }) => group),
]);

/** Options of other groups that go with a policy. */
const BESIDE: ReadonlySet<string> = new Set(["package-name", "registry"]);

/**
 * Reads the policy that decides instead of expectations.
 *
 * @throws {AttestationError} `usage` if an option says what the policy says, and what is
 * wrong with the policy.
 */
export async function readPolicyExpectations(
  args: ParsedArgs,
  runtime: Runtime,
): Promise<Enforced> {
  const others = VERIFY_OPTIONS.filter(({ name, group }) =>
    args.has(name) && !NEUTRAL.has(group) && !BESIDE.has(name)
  ).map(({ name }) => `--${name}`);
  if (others.length > 0) {
    throw usageError(
      `--policy and ${others.join(", ")} exclude each other: the policy says whom to believe ` +
        "and what to expect",
    );
  }
  if (args.get("format") === "gh") {
    throw usageError("--policy and --format gh exclude each other: gh knows no policy");
  }
  const file = await readPolicyFile(args.get("policy") ?? "", args, runtime);
  const policy = await compilePolicyFile(file, args, runtime);
  return { options: { policy, now: nowOf(runtime) }, rows: policyRows(file, policy) };
}

/** Says of the artifact which package it is. */
export function placeArtifacts(args: ParsedArgs, artifacts: readonly Artifact[]): void {
  const npm = args.get("package-name");
  if (npm === undefined) return;
  if (artifacts.length !== 1) {
    throw usageError("--package-name takes one artifact: the tarball of that package");
  }
  if (!/^(?:@[a-z0-9~-][a-z0-9._~-]*\/)?[a-z0-9~-][a-z0-9._~-]*$/i.test(npm)) {
    throw usageError(
      `--package-name is the name of a package, such as @acme/app, not ${quote(npm)}`,
    );
  }
  artifacts[0].npm = npm;
}

/** The verdict over all artifacts of a run, which may have been verified one by one. */
export function decide(report: VerificationReport, { options }: Enforced): VerificationReport {
  const { policy, now = new Date() } = options;
  return policy === undefined
    ? report
    : judgeReports(policy, report.artifacts, now, { recount: true });
}
