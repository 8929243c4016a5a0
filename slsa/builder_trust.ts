import { AttestationError, type Problem } from "../errors.ts";
import { isObject, parseJson, quote } from "../internal/json.ts";
import { listTo, pointer, refuse, type Report } from "../internal/problem.ts";
import { CLAIM_EXTENSIONS, type ClaimName } from "../sigstore/identity.ts";
import type { SignerEvidence } from "./evidence.ts";

/**
 * Claims that a verified certificate must have, all of them, each equal to the text. A text
 * may end in `@refs/tags/` and a placeholder: `{release}` is three numbers with dots,
 * `{tag}` any tag without a slash; both may have a `v` before them.
 */
export type SignerClaims = { readonly [Claim in ClaimName]?: string };

/** Who may sign for a builder: a kind of certificate, or trusted keys. */
export type BuilderSigner =
  | {
    /** Claims of the certificate; `issuer` among them. */
    certificate: SignerClaims;
  }
  | {
    /** Names or SHA-256 fingerprints of trusted keys; one that accepted is enough. */
    keys: readonly string[];
  };

/** One root of trust: this signer may speak for this builder, up to this level. */
export interface BuilderRule {
  /** For people. */
  name?: string;
  /** Who signs. */
  signer: BuilderSigner;
  /**
   * `builder.id`, with the placeholders of {@linkcode SignerClaims}. `{signer}` alone is the
   * name in the certificate, `*` alone any builder at a
   * tag or commit that the caller names (`mustBeNamed`), or any that is named in full.
   */
  builderId: string;
  /** Highest Build level that is believed. */
  maxBuildLevel: 1 | 2 | 3;
  /** Only if the caller's `builderId` names this builder. Default false. */
  mustBeNamed?: boolean;
  /**
   * Only if the workflow that signs is the repository's `own`, or `reusable`: of another
   * repository than was built, and pinned to a tag or commit. Default any.
   */
  workflow?: "own" | "reusable";
}

/**
 * Roots of trust for provenance: pairs of a signer and the builder that it may speak for,
 * each with the highest level. A signer of one pair says nothing for the builder of another.
 *
 * Source: SLSA 1.2, verifying-artifacts.md, "Configuring the verifier's roots of trust".
 */
export interface BuilderTrust {
  /** Every pair; the order has no meaning. */
  builders: readonly BuilderRule[];
}

const CLAIM_NAMES: readonly string[] = [
  "subjectAlternativeName",
  "sanType",
  "issuer",
  ...CLAIM_EXTENSIONS.values(),
];
const RULE_MEMBERS = [
  "name",
  "signer",
  "builderId",
  "maxBuildLevel",
  "mustBeNamed",
  "workflow",
];
const PLACEHOLDER = /^([^{}*]*@refs\/tags\/v?)\{(release|tag)\}$/;
const RELEASE = /^(?:0|[1-9][0-9]{0,15})(?:\.(?:0|[1-9][0-9]{0,15})){2}$/;
const TAG = /^[0-9A-Za-z._+-]{1,256}$/;
const PINNED = /^[^@]+@(?:refs\/tags\/[^@]+|[0-9a-f]{40}|[0-9a-f]{64})$/;
const MAX_RULES = 10_000;

/**
 * Lists everything that is wrong with a document of roots of trust.
 *
 * @param value Parsed JSON.
 * @returns Problems with the reason `malformed-builder-trust`; unknown members are refused.
 *
 * @example A pattern outside of the tag
 * ```ts
 * import { validateBuilderTrust } from "@x/attest/slsa";
 * import assert from "node:assert/strict";
 *
 * const problems = validateBuilderTrust({
 *   builders: [{
 *     signer: { keys: ["ci"] },
 *     builderId: "https://ci.example/{tag}",
 *     maxBuildLevel: 2,
 *   }],
 * });
 * assert.equal(problems[0].path, "/builders/0/builderId");
 * ```
 */
export function validateBuilderTrust(value: unknown): Problem[] {
  const problems: Problem[] = [];
  checkBuilderTrust(value, listTo(problems));
  return problems;
}

/**
 * Reads a document of roots of trust; refuses it for its first problem.
 *
 * @param source JSON text, UTF-8 bytes or parsed JSON.
 * @throws {AttestationError} `malformed-builder-trust`, or the reasons of strict JSON.
 *
 * @example A builder of one's own
 * ```ts
 * import { parseBuilderTrust } from "@x/attest/slsa";
 * import assert from "node:assert/strict";
 *
 * const { builders } = parseBuilderTrust(`{ "builders": [{
 *   "signer": { "keys": ["ci"] },
 *   "builderId": "https://ci.example/builder",
 *   "maxBuildLevel": 2
 * }] }`);
 * assert.equal(builders[0].maxBuildLevel, 2);
 * ```
 */
export function parseBuilderTrust(source: string | Uint8Array | object): BuilderTrust {
  const value: unknown = typeof source === "string" || source instanceof Uint8Array
    ? parseJson(source)
    : source;
  checkBuilderTrust(value, refuse);
  return value as BuilderTrust;
}

/** Checks the shape of a document of roots of trust. */
export function checkBuilderTrust(value: unknown, report: Report): void {
  const wrong = (path: string, what: string) =>
    report("malformed-builder-trust", path, `Cannot read builders: ${what}`);
  if (!isObject(value)) return wrong("", "the document is no JSON object");
  refuseOthers(value, "", ["builders"], wrong);
  const { builders } = value;
  if (!Array.isArray(builders)) return wrong("/builders", "builders is not an array");
  if (builders.length > MAX_RULES) return wrong("/builders", `more than ${MAX_RULES} pairs`);
  for (let i = 0; i < builders.length; i++) {
    const rule = builders[i];
    const path = `/builders/${i}`;
    if (!isObject(rule)) {
      wrong(path, "a pair is no JSON object");
      continue;
    }
    refuseOthers(rule, path, RULE_MEMBERS, wrong);
    if (rule.name !== undefined && typeof rule.name !== "string") {
      wrong(`${path}/name`, "name is not a string");
    }
    if (rule.mustBeNamed !== undefined && typeof rule.mustBeNamed !== "boolean") {
      wrong(`${path}/mustBeNamed`, "mustBeNamed is neither true nor false");
    }
    if (![1, 2, 3].includes(rule.maxBuildLevel as number)) {
      wrong(`${path}/maxBuildLevel`, "maxBuildLevel is none of 1, 2 and 3");
    }
    const { signer, builderId } = rule;
    const byCertificate = isObject(signer) && signer.certificate !== undefined;
    if (typeof builderId !== "string" || builderId === "") {
      wrong(`${path}/builderId`, "builderId is not a text");
    } else if (builderId === "*") {
      if (rule.mustBeNamed !== true) {
        wrong(`${path}/builderId`, "builderId may be any only with mustBeNamed");
      }
    } else if (builderId === "{signer}") {
      if (!byCertificate) wrong(`${path}/builderId`, "only a certificate has a name");
    } else checkTemplate(builderId, `${path}/builderId`, wrong);
    checkSigner(signer, `${path}/signer`, wrong);
    if (rule.workflow !== undefined) {
      if (rule.workflow !== "own" && rule.workflow !== "reusable") {
        wrong(`${path}/workflow`, "workflow is neither own nor reusable");
      } else if (!byCertificate) wrong(`${path}/workflow`, "only a certificate names a workflow");
    }
  }
}

type Wrong = (path: string, what: string) => void;

function checkSigner(signer: unknown, path: string, wrong: Wrong): void {
  if (!isObject(signer)) return wrong(path, "signer is no JSON object");
  refuseOthers(signer, path, ["certificate", "keys"], wrong);
  const { certificate, keys } = signer;
  if ((certificate === undefined) === (keys === undefined)) {
    return wrong(path, "signer has not exactly one of certificate and keys");
  }
  if (keys !== undefined) {
    const all = Array.isArray(keys) && keys.length > 0 &&
      keys.every((key) => typeof key === "string" && key !== "");
    if (!all) wrong(`${path}/keys`, "keys is not a list of names or fingerprints");
    return;
  }
  if (!isObject(certificate)) return wrong(`${path}/certificate`, "it is no JSON object");
  refuseOthers(certificate, `${path}/certificate`, CLAIM_NAMES, wrong);
  for (const name of Object.keys(certificate)) {
    const at = pointer(`${path}/certificate`, name);
    const text = certificate[name];
    if (typeof text !== "string" || text === "") wrong(at, "a claim is not a text");
    else checkTemplate(text, at, wrong);
  }
  if (certificate.issuer === undefined) {
    wrong(`${path}/certificate/issuer`, "issuer is not set");
  }
}

function checkTemplate(text: string, path: string, wrong: Wrong): void {
  if (/[{}*]/.test(text) && !PLACEHOLDER.test(text)) {
    wrong(path, "a placeholder is {release} or {tag}, once, at the end behind @refs/tags/");
  }
}

function refuseOthers(
  value: object,
  path: string,
  known: readonly string[],
  wrong: Wrong,
): void {
  for (const name of Object.keys(value)) {
    if (!known.includes(name)) wrong(pointer(path, name), `unknown member ${quote(name)}`);
  }
}

/** Tells whether all of a text is what a template stands for. */
export function matchesTemplate(text: string, template: string): boolean {
  const match = PLACEHOLDER.exec(template);
  if (match === null) return text === template;
  const [, start, kind] = match;
  if (!text.startsWith(start)) return false;
  return (kind === "release" ? RELEASE : TAG).test(text.slice(start.length));
}

/**
 * Tells whether a builder is the one that the caller names: whole; without its `@` and
 * version; or with the bare tag where it has `@refs/tags/`.
 */
export function isNamedBuilder(builderId: string, named: string): boolean {
  if (builderId === named) return true;
  const at = builderId.lastIndexOf("@");
  if (at < 0) return false;
  const name = builderId.slice(0, at);
  const version = builderId.slice(at + 1);
  if (named === name) return true;
  return version.startsWith("refs/tags/") && named === `${name}@${version.slice(10)}`;
}

/** What is known of a builder in relation to who signed. */
export interface RecognisedBuilder {
  /** The pair, if there is one. */
  rule?: BuilderRule;
  /** A pair names this very signer, for another builder. */
  signerOfAnother: boolean;
  /** There would be a pair if the caller named the builder. */
  wouldNeedName: boolean;
}

/** The pair of this signer and this builder with the highest level. */
export function recogniseBuilder(
  builderId: string,
  evidence: SignerEvidence,
  named: string | undefined,
  trust: BuilderTrust,
): RecognisedBuilder {
  const found: RecognisedBuilder = { signerOfAnother: false, wouldNeedName: false };
  const isNamed = named !== undefined && isNamedBuilder(builderId, named);
  for (const rule of trust.builders) {
    if (!isSigner(evidence, rule)) continue;
    const isBuilder = isBuilderOf(rule, builderId, evidence, named);
    const lacksName = isBuilder && rule.mustBeNamed === true && !isNamed;
    found.wouldNeedName ||= lacksName;
    if (!isBuilder || lacksName) {
      found.signerOfAnother ||= "keys" in rule.signer ||
        rule.signer.certificate.subjectAlternativeName !== undefined;
      continue;
    }
    if (found.rule === undefined || rule.maxBuildLevel > found.rule.maxBuildLevel) {
      found.rule = rule;
    }
  }
  return found;
}

function isBuilderOf(
  rule: BuilderRule,
  builderId: string,
  { identity }: SignerEvidence,
  named: string | undefined,
): boolean {
  // Any builder, but not any branch of it that its name alone would let in.
  if (rule.builderId === "*") return PINNED.test(builderId) || builderId === named;
  if (rule.builderId === "{signer}") return builderId === identity?.subjectAlternativeName;
  return matchesTemplate(builderId, rule.builderId);
}

function isSigner({ identity, keys = [] }: SignerEvidence, rule: BuilderRule): boolean {
  const { signer } = rule;
  if ("keys" in signer) {
    return keys.some(({ name, fingerprint }) =>
      signer.keys.includes(name) || signer.keys.includes(fingerprint)
    );
  }
  if (identity === undefined) return false;
  for (const claim of Object.keys(signer.certificate) as ClaimName[]) {
    const wanted = signer.certificate[claim];
    const actual = identity[claim];
    if (wanted === undefined) continue;
    if (actual === undefined || !matchesTemplate(actual, wanted)) return false;
  }
  if (rule.workflow === undefined) return true;
  const { sourceRepositoryURI, subjectAlternativeName } = identity;
  if (sourceRepositoryURI === undefined) return false;
  const isOwn = subjectAlternativeName.startsWith(`${sourceRepositoryURI}/`);
  return rule.workflow === "own" ? isOwn : !isOwn && PINNED.test(subjectAlternativeName);
}

/** Refuses what is no document of roots of trust, as an argument. */
export function assertBuilderTrust(value: unknown): asserts value is BuilderTrust {
  try {
    checkBuilderTrust(value, refuse);
  } catch (cause) {
    if (!(cause instanceof AttestationError)) throw cause;
    throw new TypeError(`${cause.message} (${cause.path})`, { cause });
  }
}
