import { AttestationError, type Reason } from "../errors.ts";
import { printable, quote } from "../internal/json.ts";
import { refuseUnknown } from "../internal/options.ts";
import { digestFault, type DigestSet, normalizeDigest, WEAK_DIGESTS } from "./digest_set.ts";
import type { ResourceDescriptor } from "./resource_descriptor.ts";
import type { Statement } from "./statement.ts";

/** How artifacts are matched with subjects. */
export interface MatchOptions {
  /**
   * Algorithms that count; all others are ignored. MD5, SHA-1 and RIPEMD-160 may be named
   * to refuse conflicts, but are never enough alone. Default: `sha256`, `sha384`, `sha512`,
   * `sha512_256`, `sha3_256`, `sha3_384`, `sha3_512`, `blake2b`, `blake2s`, and the git
   * object ids `gitCommit`, `gitTree`, `gitBlob`, `gitTag` and the folder's `dirHash`, which
   * can only match where the artifact itself is given as a git object id or a folder.
   */
  algorithms?: readonly string[];
  /**
   * `consistent`: a subject that agrees with the artifact under one accepted algorithm and
   * contradicts it under another is refused. `any`: one that agrees is enough, as the
   * specification says. Default `consistent`.
   */
  digestMatch?: "consistent" | "any";
}

/**
 * `any`: each artifact is a subject. `all`: also each subject is one of the artifacts.
 * `exact`: also one to one, each artifact with one subject of its own.
 */
export type MatchMode = "any" | "all" | "exact";

/** How several artifacts are matched with the subjects of one Statement. */
export interface MatchManyOptions extends MatchOptions {
  /** What is asked of all of them together. Default `any`. */
  mode?: MatchMode;
}

/** A subject that is the artifact, or one of the artifacts. */
export interface MatchedSubject {
  /** Its place in the Statement, from 0. */
  index: number;
  /** The subject. Its name is the signer's word, nothing was compared with it. */
  subject: ResourceDescriptor;
}

/** What a match found. */
export type MatchResult = {
  /** The Statement is about the artifacts. */
  ok: true;
  /** No reason. */
  errorReason: null;
  /** Subjects that match, each once, in the order of the Statement. */
  matched: MatchedSubject[];
} | {
  /** The Statement is not about the artifacts, or not as was asked. */
  ok: false;
  /**
   * `subject-mismatch`, `subject-conflict`, `unsupported-digest-algorithm` (nothing that
   * could be compared is under an accepted algorithm), `invalid-digest` (of an artifact),
   * or `artifact-required` (there is none).
   */
  errorReason: Reason;
  /** The same in words. */
  error: AttestationError;
  /** What was looked for, for people: short. */
  wanted: string;
  /** What was there instead, for people: short. */
  found: string;
};

const DEFAULT_ALGORITHMS: ReadonlySet<string> = new Set([
  "sha256",
  "sha384",
  "sha512",
  "sha512_256",
  "sha3_256",
  "sha3_384",
  "sha3_512",
  "blake2b",
  "blake2s",
  "gitCommit",
  "gitTree",
  "gitBlob",
  "gitTag",
  "dirHash",
]);

interface Rules {
  algorithms: ReadonlySet<string>;
  consistent: boolean;
}

const DEFAULTS: Rules = { algorithms: DEFAULT_ALGORITHMS, consistent: true };

/** A digest of the artifact that counts. */
interface Digest {
  algorithm: string;
  value: string;
  weak: boolean;
}

type Failure = Extract<MatchResult, { ok: false }>;

const NONE = 0, MATCH = 1, CONFLICT = 2;

/**
 * Finds the subjects of a Statement that are an artifact: those with an equal digest under
 * an accepted algorithm. Name, URI and media type are not looked at.
 *
 * A subject that contradicts the artifact under another accepted algorithm refuses the
 * whole Statement, whatever its other subjects say. Hex is compared in either case.
 *
 * Source: in-toto attestation v1, digest_set.md; docs/validation.md.
 *
 * @param statement A Statement that `parseStatement()` read from a verified payload.
 * @param digest Digests of the artifact, computed or vouched for by the caller.
 * @param options Which algorithms count, and how.
 * @throws {TypeError} If an option is unknown.
 * @throws {RangeError} If an option has a value that it cannot have.
 *
 * @example
 * ```ts
 * import { createStatement, matchSubject } from "@x/attest/intoto";
 * import assert from "node:assert/strict";
 *
 * const statement = createStatement({
 *   subject: [{ name: "app.tgz", digest: { sha256: "a".repeat(64) } }],
 *   predicateType: "https://example.com/review/v1",
 * });
 * const result = matchSubject(statement, { sha256: "b".repeat(64) });
 * assert.equal(result.errorReason, "subject-mismatch");
 * ```
 */
export function matchSubject(
  statement: Pick<Statement, "subject">,
  digest: DigestSet,
  options?: MatchOptions,
): MatchResult {
  const rules = options === undefined ? DEFAULTS : rulesOf(options);
  const wanted = digestsOf(digest, rules);
  if (!Array.isArray(wanted)) return wanted;
  return matchOne(statement.subject, digest, wanted, rules);
}

/**
 * Matches several artifacts with the subjects of one Statement.
 *
 * Artifacts that are given twice count once. In time it is linear in artifacts plus
 * subjects.
 *
 * Source: in-toto attestation v1, docs/validation.md; `mode` is ours.
 *
 * @param statement A Statement that `parseStatement()` read from a verified payload.
 * @param artifacts Digests of each artifact.
 * @param options `mode`, what is asked of all of them together; which algorithms count, and how.
 * @throws {TypeError} If an option is unknown.
 * @throws {RangeError} If `mode` or an option has a value that it cannot have.
 *
 * @example An artifact is missing
 * ```ts
 * import { createStatement, matchSubjects } from "@x/attest/intoto";
 * import assert from "node:assert/strict";
 *
 * const [a, b] = [{ sha256: "a".repeat(64) }, { sha256: "b".repeat(64) }];
 * const statement = createStatement({
 *   subject: [{ name: "a", digest: a }, { name: "b", digest: b }],
 *   predicateType: "https://example.com/review/v1",
 * });
 * assert.ok(matchSubjects(statement, [a]).ok);
 * assert.equal(matchSubjects(statement, [a], { mode: "all" }).errorReason, "subject-mismatch");
 * ```
 */
export function matchSubjects(
  statement: Pick<Statement, "subject">,
  artifacts: readonly DigestSet[],
  options: MatchManyOptions = {},
): MatchResult {
  const { mode = "any", ...further } = options;
  if (mode !== "any" && mode !== "all" && mode !== "exact") {
    throw new RangeError(`Mode is ${quote(String(mode))}, wanted any, all or exact`);
  }
  const rules = Object.keys(further).length === 0 ? DEFAULTS : rulesOf(further);
  const { subject } = statement;
  if (artifacts.length === 0) {
    return failure("artifact-required", "there is no artifact", "an artifact", "none", "");
  }
  const candidatesOf = artifacts.length === 1 ? undefined : indexOf(subject, rules);
  const owners = new Map<number, number>();
  const seen = new Set<string>();
  for (let i = 0; i < artifacts.length; i++) {
    const wanted = digestsOf(artifacts[i], rules);
    if (!Array.isArray(wanted)) return wanted;
    const key = JSON.stringify(wanted.map((digest) => [digest.algorithm, digest.value]).sort());
    if (seen.has(key)) continue;
    seen.add(key);
    const result = matchOne(subject, artifacts[i], wanted, rules, candidatesOf?.(wanted));
    if (!result.ok) return result;
    if (mode === "exact" && result.matched.length !== 1) {
      return inexact(subject, result.matched[1].index, artifacts[i]);
    }
    for (const { index } of result.matched) {
      if (mode === "exact" && owners.has(index)) return inexact(subject, index, artifacts[i]);
      owners.set(index, i);
    }
  }
  if (mode !== "any" && owners.size !== subject.length) {
    const index = subject.findIndex((_, i) => !owners.has(i));
    return failure(
      "subject-mismatch",
      `${subject.length - owners.size} of ${subject.length} subjects are none of the artifacts`,
      describeSubject(subject[index]),
      `${artifacts.length} other artifacts`,
      `/subject/${index}`,
    );
  }
  const matched = [...owners.keys()].sort((a, b) => a - b)
    .map((index) => ({ index, subject: subject[index] }));
  return { ok: true, errorReason: null, matched };
}

function matchOne(
  subject: readonly ResourceDescriptor[],
  digest: DigestSet,
  wanted: readonly Digest[],
  rules: Rules,
  candidates?: readonly number[],
): MatchResult {
  const matched: MatchedSubject[] = [];
  const count = candidates === undefined ? subject.length : candidates.length;
  for (let i = 0; i < count; i++) {
    const index = candidates === undefined ? i : candidates[i];
    const verdict = compare(subject[index]?.digest, wanted, rules.consistent);
    if (verdict === NONE) continue;
    if (verdict === CONFLICT) {
      return failure(
        "subject-conflict",
        "one digest is equal and another one differs",
        describeDigest(digest),
        describeSubject(subject[index]),
        `/subject/${index}/digest`,
      );
    }
    matched.push({ index, subject: subject[index] });
  }
  if (matched.length > 0) return { ok: true, errorReason: null, matched };

  if (!subject.some((descriptor) => hasAccepted(descriptor?.digest, rules))) {
    return failure(
      "unsupported-digest-algorithm",
      "no subject has a digest under an accepted algorithm",
      describeDigest(digest),
      describeSubjects(subject),
      "/subject",
    );
  }
  return failure(
    "subject-mismatch",
    "it is none of the subjects",
    describeDigest(digest),
    describeSubjects(subject),
    "/subject",
  );
}

function compare(
  digest: DigestSet | undefined,
  wanted: readonly Digest[],
  consistent: boolean,
): number {
  if (digest === undefined || digest === null) return NONE;
  let equal = false;
  let different = false;
  for (let i = 0; i < wanted.length; i++) {
    const { algorithm, value, weak } = wanted[i];
    const found: unknown = digest[algorithm];
    if (typeof found !== "string") continue;
    if (found === value || equalDigests(algorithm, found, value)) equal ||= !weak;
    // Git ids of another length are of the other object format: they cannot be compared.
    else if (found.length === value.length || !algorithm.startsWith("git")) different = true;
  }
  return !equal ? NONE : different && consistent ? CONFLICT : MATCH;
}

function equalDigests(algorithm: string, found: string, value: string): boolean {
  return found.length === value.length && normalizeDigest(algorithm, found) === value;
}

/** For many artifacts: the subjects that have at least one digest of an artifact. */
function indexOf(
  subject: readonly ResourceDescriptor[],
  rules: Rules,
): (wanted: readonly Digest[]) => number[] {
  const places = new Map<string, Map<string, number[]>>();
  for (let i = 0; i < subject.length; i++) {
    const digest = subject[i]?.digest ?? {};
    for (const algorithm of Object.keys(digest)) {
      if (!isSufficient(algorithm, rules) || typeof digest[algorithm] !== "string") continue;
      let byValue = places.get(algorithm);
      if (byValue === undefined) places.set(algorithm, byValue = new Map());
      const value = normalizeDigest(algorithm, digest[algorithm]);
      const at = byValue.get(value);
      if (at === undefined) byValue.set(value, [i]);
      else at.push(i);
    }
  }
  return (wanted) => {
    const found = new Set<number>();
    for (const { algorithm, value } of wanted) {
      for (const i of places.get(algorithm)?.get(value) ?? []) found.add(i);
    }
    return [...found].sort((a, b) => a - b);
  };
}

/** The artifact's digests that count, or why there are none. */
function digestsOf(digest: DigestSet, rules: Rules): Digest[] | Failure {
  const digests: Digest[] = [];
  let sufficient = false;
  for (const algorithm of Object.keys(digest)) {
    if (!rules.algorithms.has(algorithm)) continue;
    const fault = digestFault(algorithm, digest[algorithm], false);
    if (fault !== undefined) {
      return failure(
        "invalid-digest",
        `${printable(algorithm, 64)} of the artifact: ${fault}`,
        "a digest",
        describeDigest(digest),
        "",
      );
    }
    const weak = WEAK_DIGESTS.has(algorithm);
    if (!weak) sufficient = true;
    digests.push({ algorithm, value: normalizeDigest(algorithm, digest[algorithm]), weak });
  }
  if (sufficient) return digests;
  return failure(
    "unsupported-digest-algorithm",
    "the artifact has no digest under an accepted algorithm",
    [...rules.algorithms].filter((name) => !WEAK_DIGESTS.has(name)).slice(0, 16).map((name) =>
      printable(name, 64)
    )
      .join(", "),
    describeDigest(digest),
    "",
  );
}

function hasAccepted(digest: DigestSet | undefined, rules: Rules): boolean {
  return Object.keys(digest ?? {}).some((algorithm) => isSufficient(algorithm, rules));
}

function isSufficient(algorithm: string, rules: Rules): boolean {
  return rules.algorithms.has(algorithm) && !WEAK_DIGESTS.has(algorithm);
}

function inexact(
  subject: readonly ResourceDescriptor[],
  index: number,
  artifact: DigestSet,
): Failure {
  return failure(
    "subject-mismatch",
    "artifacts and subjects are not one to one",
    describeDigest(artifact),
    describeSubject(subject[index]),
    `/subject/${index}`,
  );
}

function failure(
  errorReason: Reason,
  what: string,
  wanted: string,
  found: string,
  path: string,
): Failure {
  const message = `Cannot match subjects: ${what}; wanted ${wanted}, found ${found}`;
  const error = new AttestationError(errorReason, message, { path });
  return { ok: false, errorReason, error, wanted, found };
}

function describeSubjects(subject: readonly ResourceDescriptor[]): string {
  const some = subject.slice(0, 3).map(describeSubject).join("; ");
  return subject.length > 3 ? `${some}; and ${subject.length - 3} more` : some || "none";
}

function describeSubject(subject: ResourceDescriptor): string {
  const name = typeof subject?.name === "string" ? `${quote(subject.name)} ` : "";
  return name + describeDigest(subject?.digest ?? {});
}

function describeDigest(digest: DigestSet): string {
  const algorithms = Object.keys(digest);
  const some = algorithms.slice(0, 3).map((algorithm) =>
    `${printable(algorithm, 64)}:${printable(String(digest[algorithm]), 128)}`
  ).join(" ");
  return algorithms.length > 3 ? `${some} and ${algorithms.length - 3} more` : some || "no digest";
}

function rulesOf(options: MatchOptions): Rules {
  refuseUnknown(options, ["algorithms", "digestMatch"], "subject matching");
  const { algorithms, digestMatch = "consistent" } = options;
  if (digestMatch !== "consistent" && digestMatch !== "any") {
    throw new RangeError(`Option digestMatch is ${quote(String(digestMatch))}`);
  }
  if (algorithms !== undefined && algorithms.every((algorithm) => WEAK_DIGESTS.has(algorithm))) {
    throw new RangeError("Option algorithms wants one or more that are not broken");
  }
  return {
    algorithms: algorithms === undefined ? DEFAULT_ALGORITHMS : new Set(algorithms),
    consistent: digestMatch === "consistent",
  };
}
