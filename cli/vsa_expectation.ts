import { printable, quote } from "../internal/json.ts";
import { checkVsaExpectation, type VsaExpectation } from "../slsa/vsa_expectation.ts";
import { VSA_V1 } from "../slsa/vsa_predicate.ts";
import { type ParsedArgs, usageError } from "./args.ts";
import { plural } from "./text.ts";

/** What is expected of a VSA, and in words. */
export interface ExpectedVsa {
  /** For `verify()`. */
  vsa: VsaExpectation;
  /** For the report. */
  rows: [string, string][];
}

const DAY_SECONDS = 86_400;
const DAYS = /^\d{1,6}(\.\d{1,6})?$/;

/**
 * What the command line expects of a VSA.
 *
 * @param types Predicate types that the command line names; none, or that of a VSA.
 * @throws {AttestationError} `usage`.
 */
export function readVsaExpectation(args: ParsedArgs, types: readonly string[]): ExpectedVsa {
  const other = types.find((type) => type !== VSA_V1);
  if (other !== undefined) {
    throw usageError(`--predicate-type ${quote(other)} is no VSA, which is expected`);
  }
  const verifierId = args.get("vsa-verifier-id");
  const resourceUri = args.get("vsa-resource-uri");
  if (verifierId === undefined) {
    throw usageError("A VSA needs --vsa-verifier-id: whose word is believed");
  }
  if (resourceUri === undefined) {
    throw usageError("A VSA needs --vsa-resource-uri: it could be about any resource");
  }
  const vsa: VsaExpectation = { verifierId, resourceUri };
  const rows: [string, string][] = [
    ["verifier", printable(verifierId)],
    ["resource", printable(resourceUri)],
  ];
  const levels = args.all("vsa-level");
  if (levels.length > 0) {
    vsa.verifiedLevels = levels;
    rows.push(["verified level", levels.map((level) => printable(level)).join("\n")]);
  }
  const dependencyLevels = args.all("vsa-dependency-level");
  if (dependencyLevels.length > 0) {
    vsa.dependencyLevels = dependencyLevels;
    rows.push(["dependency level", dependencyLevels.map((level) => printable(level)).join("\n")]);
  }
  const days = args.get("vsa-max-age");
  if (days !== undefined) {
    if (!DAYS.test(days) || Number(days) <= 0) {
      throw usageError(`--vsa-max-age is a number of days above 0, not ${quote(days)}`);
    }
    vsa.maxAge = Number(days) * DAY_SECONDS;
    rows.push(["age", `at most ${plural(Number(days), "day")}`]);
  }
  const policy = args.get("vsa-policy-uri");
  if (policy !== undefined) {
    vsa.policy = { uri: policy };
    rows.push(["policy", printable(policy)]);
  }
  const digests = args.all("subject-digest");
  if (digests.length > 0) {
    vsa.digest = readDigests(digests);
    rows.push(["subject digest", digests.map((digest) => printable(digest)).join("\n")]);
  }
  const ref = args.get("vsa-source-ref");
  if (ref !== undefined) {
    vsa.sourceRef = ref;
    rows.push(["source ref", printable(ref)]);
  }
  try {
    checkVsaExpectation(vsa);
  } catch (cause) {
    if (!(cause instanceof TypeError)) throw cause;
    throw usageError(cause.message);
  }
  return { vsa, rows };
}

function readDigests(digests: readonly string[]): Record<string, string> {
  const values = new Map<string, string>();
  for (const digest of digests) {
    const colon = digest.indexOf(":");
    const algorithm = digest.slice(0, Math.max(0, colon));
    if (!/^[A-Za-z][A-Za-z0-9_-]{0,63}$/.test(algorithm) || colon === digest.length - 1) {
      throw usageError(`--subject-digest is ALG:VALUE, not ${quote(digest)}`);
    }
    if (values.has(algorithm)) throw usageError(`--subject-digest gives ${algorithm} twice`);
    values.set(algorithm, digest.slice(colon + 1));
  }
  return Object.fromEntries(values);
}
