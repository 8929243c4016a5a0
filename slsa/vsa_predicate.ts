import type { Problem } from "../errors.ts";
import { isObject, type JsonObject, jsonText, parseJson, quote } from "../internal/json.ts";
import { listTo, pointer, refuse, type Report } from "../internal/problem.ts";
import { parseTimestamp } from "../internal/timestamp.ts";
import { checkDescriptor, type ResourceDescriptor } from "../intoto/resource_descriptor.ts";
import { isSlsaResult, repeatedTracks } from "./vsa_level.ts";

/** `predicateType` of a verification summary (VSA) of SLSA 1.0, 1.1 and 1.2. */
export const VSA_V1 = "https://slsa.dev/verification_summary/v1";

/** `predicateType` of the VSA before 1.0: recognised, never read as v1. */
export const VSA_V0_2 = "https://slsa.dev/verification_summary/v0.2";

/**
 * Predicate of a verification summary attestation: a verifier has checked the subject
 * against a policy, and says with what result.
 *
 * Source: SLSA 1.2, verification_summary.md, "Schema".
 */
export interface VerificationSummary {
  /** Who verified. */
  verifier: VsaVerifier;
  /** When, RFC 3339 with `Z`. */
  timeVerified?: string | null;
  /** Name under which the subject was verified. */
  resourceUri: string;
  /** What it was verified against: `uri` is required. */
  policy: ResourceDescriptor;
  /** All attestations that were used, each with a digest. */
  inputAttestations?: ResourceDescriptor[] | null;
  /** Whether the policy was satisfied. */
  verificationResult: "PASSED" | "FAILED";
  /**
   * Highest level per track, such as `SLSA_BUILD_LEVEL_3`, and properties; `FAILED` when
   * the policy was not satisfied.
   */
  verifiedLevels: string[];
  /**
   * How many transitive dependencies have which level. Empty: there are none. Absent or
   * null: nothing is said about them.
   */
  dependencyLevels?: Record<string, number> | null;
  /** Version of SLSA, `<MAJOR>.<MINOR>`. */
  slsaVersion?: string | null;
}

/** The verifier that a VSA names. */
export interface VsaVerifier {
  /** URI of the verifier; means something only together with who signed. */
  id: string;
  /** Version of each of its components. */
  version?: Record<string, string> | null;
}

/**
 * Lists everything that is wrong with a VSA v1 predicate: its shape, and what a producer
 * must not write although it can be read. What it says is not judged.
 *
 * Unknown members are ignored; `null` and empty are the same as absent, except for
 * `dependencyLevels`.
 *
 * Source: SLSA 1.2, verification_summary.md, "Schema" and "SlsaResult".
 *
 * @param value What should be the predicate: parsed JSON.
 * @returns Problems with the reasons `malformed-predicate` (wrong JSON type or form),
 * `missing-predicate-field`, `invalid-timestamp`, `invalid-level` (a word of SLSA that does
 * not exist, or levels that contradict the result), `duplicate-track-level`, and for
 * resources `malformed-resource-descriptor`, `empty-resource-descriptor`, `invalid-digest`,
 * `invalid-base64`.
 *
 * @example Two levels of one track
 * ```ts
 * import { validateVsaPredicate } from "@x/attest/slsa";
 * import assert from "node:assert/strict";
 *
 * const problems = validateVsaPredicate({
 *   verifier: { id: "https://example.com/verifier" },
 *   resourceUri: "pkg:npm/app@1.0.0",
 *   policy: { uri: "https://example.com/policy" },
 *   verificationResult: "PASSED",
 *   verifiedLevels: ["SLSA_BUILD_LEVEL_2", "SLSA_BUILD_LEVEL_3"],
 * });
 * assert.deepEqual(problems.map(({ reason }) => reason), ["duplicate-track-level"]);
 * ```
 */
export function validateVsaPredicate(value: unknown): Problem[] {
  const problems: Problem[] = [];
  const report = listTo(problems);
  checkShape(value, report);
  if (isObject(value)) checkWords(value, report);
  return problems;
}

/**
 * Reads a VSA v1 predicate; refuses it for the first problem of its shape. Words that no
 * version of SLSA defines are kept: they satisfy nothing but a wish for exactly them.
 *
 * @param source JSON text, UTF-8 bytes or parsed JSON, such as the `predicate` of a
 * Statement whose `predicateType` is {@linkcode VSA_V1}.
 * @returns The predicate as it is, other members included.
 * @throws {AttestationError} With the reasons of {@linkcode validateVsaPredicate} but
 * `invalid-level` and `duplicate-track-level`, or those of strict JSON: `malformed-json`,
 * `duplicate-json-key`, `invalid-unicode`, `limit-exceeded`, `empty-input`.
 *
 * @example
 * ```ts
 * import { parseVsaPredicate } from "@x/attest/slsa";
 * import assert from "node:assert/strict";
 *
 * const summary = parseVsaPredicate({
 *   verifier: { id: "https://example.com/verifier" },
 *   resourceUri: "pkg:npm/app@1.0.0",
 *   policy: { uri: "https://example.com/policy" },
 *   verificationResult: "PASSED",
 *   verifiedLevels: ["SLSA_BUILD_LEVEL_3"],
 * });
 * assert.equal(summary.verifier.id, "https://example.com/verifier");
 * ```
 */
export function parseVsaPredicate(source: string | Uint8Array | object): VerificationSummary {
  const value: unknown = typeof source === "string" || source instanceof Uint8Array
    ? parseJson(source)
    : source;
  checkShape(value, refuse);
  return value as VerificationSummary;
}

function checkShape(value: unknown, report: Report): void {
  if (!isObject(value)) {
    report("malformed-predicate", "", "Cannot read VSA: it is no JSON object");
    return;
  }
  checkVerifier(value.verifier, report);
  const time = textAt(value, "/timeVerified", false, report);
  if (time !== undefined && parseTimestamp(time) === undefined) {
    report(
      "invalid-timestamp",
      "/timeVerified",
      `Cannot read VSA: found time ${quote(time)}, wanted RFC 3339 in UTC with Z`,
    );
  }
  textAt(value, "/resourceUri", true, report);
  checkPolicy(value.policy, report);
  checkInputs(value.inputAttestations, report);
  const result = textAt(value, "/verificationResult", true, report);
  if (result !== undefined && result !== "PASSED" && result !== "FAILED") {
    wrong("/verificationResult", `is ${quote(result)}, neither PASSED nor FAILED`, report);
  }
  checkLevels(value.verifiedLevels, report);
  checkCounts(value.dependencyLevels, report);
  const version = textAt(value, "/slsaVersion", false, report);
  if (version !== undefined && !/^(0|[1-9]\d{0,5})\.(0|[1-9]\d{0,5})$/.test(version)) {
    wrong("/slsaVersion", `is ${quote(version)}, wanted <MAJOR>.<MINOR>`, report);
  }
}

function checkVerifier(verifier: unknown, report: Report): void {
  if (isUnset(verifier)) return missing("/verifier", report);
  if (!isObject(verifier)) return wrong("/verifier", "is not an object", report);
  textAt(verifier, "/verifier/id", true, report);
  const { version } = verifier;
  if (version === undefined || version === null) return;
  if (!isObject(version)) return wrong("/verifier/version", "is not an object", report);
  for (const name of Object.keys(version)) {
    if (typeof version[name] === "string") continue;
    wrong(pointer("/verifier/version", name), "is not a string", report);
  }
}

function checkPolicy(policy: unknown, report: Report): void {
  if (isUnset(policy)) return missing("/policy", report);
  if (!isObject(policy)) return wrong("/policy", "is not an object", report);
  if (isUnset(policy.uri)) return missing("/policy/uri", report);
  checkDescriptor(policy, "/policy", -1, "read", report);
}

function checkInputs(inputs: unknown, report: Report): void {
  if (inputs === undefined || inputs === null) return;
  if (!Array.isArray(inputs)) return wrong("/inputAttestations", "is not an array", report);
  for (let i = 0; i < inputs.length; i++) {
    const input: unknown = inputs[i];
    const path = `/inputAttestations/${i}/digest`;
    if (isObject(input) && isUnset(input.digest)) missing(path, report);
    else checkDescriptor(input, "/inputAttestations", i, "read", report);
  }
}

function checkLevels(levels: unknown, report: Report): void {
  if (isUnset(levels)) return missing("/verifiedLevels", report);
  if (!Array.isArray(levels)) return wrong("/verifiedLevels", "is not an array", report);
  if (levels.length === 0) return missing("/verifiedLevels", report);
  for (let i = 0; i < levels.length; i++) {
    if (typeof levels[i] === "string" && levels[i] !== "") continue;
    wrong(`/verifiedLevels/${i}`, "is not a string, or empty", report);
  }
}

function checkCounts(counts: unknown, report: Report): void {
  if (counts === undefined || counts === null) return;
  if (!isObject(counts)) return wrong("/dependencyLevels", "is not an object", report);
  for (const [word, count] of Object.entries(counts)) {
    if (Number.isSafeInteger(count) && Number(count) >= 0) continue;
    wrong(pointer("/dependencyLevels", word), "is not a count of dependencies", report);
  }
}

/** What a producer must not write, of members that have the right shape. */
function checkWords(value: JsonObject, report: Report): void {
  const { verifiedLevels, dependencyLevels, verificationResult } = value;
  const levels = (Array.isArray(verifiedLevels) ? verifiedLevels : [])
    .map((word) => typeof word === "string" ? word : "");
  levels.forEach((word, i) => {
    if (!isSlsaResult(word)) unknownWord(`/verifiedLevels/${i}`, word, report);
  });
  const repeated = [...repeatedTracks(levels)];
  if (repeated.length > 0) {
    const tracks = repeated.slice(0, 8).join(", ");
    report(
      "duplicate-track-level",
      "/verifiedLevels",
      `Cannot accept VSA: more than one level of the track ${quote(tracks)}`,
    );
  }
  const failed = levels.includes("FAILED");
  if (levels.length > 0 && failed !== (verificationResult === "FAILED")) {
    report(
      "invalid-level",
      "/verifiedLevels",
      `Cannot accept VSA: the result is ${
        quote(jsonText(verificationResult))
      }, but verifiedLevels ${failed ? "says" : "does not say"} FAILED`,
    );
  }
  if (!isObject(dependencyLevels)) return;
  for (const word of Object.keys(dependencyLevels)) {
    if (!isSlsaResult(word)) unknownWord(pointer("/dependencyLevels", word), word, report);
  }
}

function unknownWord(path: string, word: string, report: Report): void {
  report("invalid-level", path, `Cannot accept VSA: SLSA defines no level ${quote(word)}`);
}

function isUnset(value: unknown): boolean {
  return value === undefined || value === null || value === "" ||
    (isObject(value) && Object.keys(value).length === 0);
}

function textAt(
  parent: JsonObject,
  path: string,
  required: boolean,
  report: Report,
): string | undefined {
  const value = parent[path.slice(path.lastIndexOf("/") + 1)];
  if (value === undefined || value === null || value === "") {
    if (required) missing(path, report);
    return undefined;
  }
  if (typeof value === "string") return value;
  wrong(path, "is not a string", report);
  return undefined;
}

function missing(path: string, report: Report): void {
  report("missing-predicate-field", path, `Cannot accept VSA: ${path} is not set`);
}

function wrong(path: string, what: string, report: Report): void {
  report("malformed-predicate", path, `Cannot read VSA: ${path} ${what}`);
}
