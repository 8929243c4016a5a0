import type { Problem } from "../errors.ts";
import { isObject, quote } from "../internal/json.ts";
import { listTo, pointer, type Report } from "../internal/problem.ts";

/**
 * Digests of one thing: algorithm name to value, such as `{ sha256: "…" }`.
 *
 * Values of the algorithms in {@linkcode DIGEST_ALGORITHMS} are lowercase hex. Those of
 * any other name are the producer's own and are compared as they are.
 *
 * Source: in-toto attestation v1, digest_set.md.
 */
export type DigestSet = Readonly<Record<string, string>>;

/** Algorithms that are broken: nothing is known by one of them alone. */
export const WEAK_DIGESTS: ReadonlySet<string> = new Set(["md5", "sha1", "ripemd160"]);

/**
 * Algorithms whose values are hex, each with the lengths in bytes that its value can have;
 * none listed means any length. Names are case-sensitive: `SHA256` is not `sha256`.
 */
export const DIGEST_ALGORITHMS: ReadonlyMap<string, readonly number[]> = new Map([
  ["sha256", [32]],
  ["sha512", [64]],
  ["sha384", [48]],
  ["sha224", [28]],
  ["sha512_224", [28]],
  ["sha512_256", [32]],
  ["sha3_224", [28]],
  ["sha3_256", [32]],
  ["sha3_384", [48]],
  ["sha3_512", [64]],
  ["shake128", []],
  ["shake256", []],
  ["blake2b", [64]],
  ["blake2s", [32]],
  ["sm3", [32]],
  ["gost", [32]],
  ["ripemd160", [20]],
  ["sha1", [20]],
  ["md5", [16]],
  ["gitCommit", [20, 32]],
  ["gitTree", [20, 32]],
  ["gitBlob", [20, 32]],
  ["gitTag", [20, 32]],
  ["dirHash", [32]],
]);

const HEX = /^[0-9a-fA-F]+$/;
const LOWER_HEX = /^[0-9a-f]+$/;

/**
 * Digest as it is compared: lower case if the algorithm's values are hex, else unchanged.
 *
 * @example Hex is compared without regard to case
 * ```ts
 * import { normalizeDigest } from "@x/attest/intoto";
 * import assert from "node:assert/strict";
 *
 * assert.equal(normalizeDigest("sha256", "ABCD"), "abcd");
 * assert.equal(normalizeDigest("arn", "ABCD"), "ABCD");
 * ```
 */
export function normalizeDigest(algorithm: string, value: string): string {
  return DIGEST_ALGORITHMS.has(algorithm) ? value.toLowerCase() : value;
}

/**
 * Lists what is wrong with a DigestSet. Empty is fine here; where a digest is needed, the
 * caller asks for one.
 *
 * @param value What should be a DigestSet.
 * @param path JSON Pointer of `value`, to report problems by.
 * @returns Problems with the reasons `malformed-resource-descriptor` (no JSON object) and
 * `invalid-digest` (no string, empty, or not hex of the algorithm's length).
 *
 * @example A digest that is cut
 * ```ts
 * import { validateDigestSet } from "@x/attest/intoto";
 * import assert from "node:assert/strict";
 *
 * const problems = validateDigestSet({ sha256: "abc123" }, "/digest");
 * assert.equal(problems[0].reason, "invalid-digest");
 * assert.equal(problems[0].path, "/digest/sha256");
 * ```
 */
export function validateDigestSet(value: unknown, path = ""): Problem[] {
  const problems: Problem[] = [];
  checkDigestSet(value, path, -1, false, listTo(problems));
  return problems;
}

/**
 * Checks a DigestSet, and tells how many digests it has.
 *
 * @param index Place in the list at `path`, whose member `digest` is checked, or -1 if
 * `path` is the set itself: pointers are made only for problems.
 * @param lowerCase Refuse upper-case hex, as for a set that is to be written.
 */
export function checkDigestSet(
  value: unknown,
  path: string,
  index: number,
  lowerCase: boolean,
  report: Report,
): number {
  if (!isObject(value)) {
    const at = index < 0 ? path : `${path}/${index}/digest`;
    report("malformed-resource-descriptor", at, "Cannot read DigestSet: it is no JSON object");
    return 0;
  }
  const names = Object.keys(value);
  for (let i = 0; i < names.length; i++) {
    const fault = digestFault(names[i], value[names[i]], lowerCase);
    if (fault === undefined) continue;
    const at = pointer(index < 0 ? path : `${path}/${index}/digest`, names[i]);
    report("invalid-digest", at, `Cannot read digest ${quote(names[i])}: ${fault}`);
  }
  return names.length;
}

/** What is wrong with one digest, or undefined. */
export function digestFault(
  algorithm: string,
  value: unknown,
  lowerCase: boolean,
): string | undefined {
  if (typeof value !== "string") return "its value is no string";
  const lengths = DIGEST_ALGORITHMS.get(algorithm);
  if (lengths === undefined) return value === "" ? "its value is empty" : undefined;
  if (lengths.length === 0) {
    if (value.length % 2 !== 0) return "an odd number of hex digits";
  } else if (value.length !== 2 * lengths[0] && value.length !== 2 * (lengths[1] ?? 0)) {
    const wanted = lengths.map((bytes) => 2 * bytes).join(" or ");
    return `${value.length} characters, wanted ${wanted} of hex`;
  }
  if (!HEX.test(value)) return "found other characters, wanted hex";
  if (lowerCase && !LOWER_HEX.test(value)) return "found upper case, wanted lowercase hex";
  return undefined;
}
