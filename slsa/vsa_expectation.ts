import { quote } from "../internal/json.ts";
import { refuseUnknown } from "../internal/options.ts";
import type { DigestSet } from "../intoto/digest_set.ts";
import { type IdentityExpectation, missingExpectation } from "../sigstore/identity.ts";
import { parseTrackLevel } from "./vsa_level.ts";

/** Who may speak for a verifier: the holder of a certificate, or trusted keys. */
export type VsaSigner =
  | {
    /** What the verified certificate must say: `issuer`, and who the holder is. */
    certificate: IdentityExpectation;
  }
  | {
    /** Names or SHA-256 fingerprints of trusted keys; one that accepted is enough. */
    keys: readonly string[];
  };

/**
 * What a verification summary must say, and who may say it. `verifierId` and `resourceUri`
 * are required; everything else that is absent is not asked.
 *
 * A VSA protects against nothing that its verifier does: name one that you would believe
 * without it.
 *
 * Source: SLSA 1.2, verification_summary.md, "How to verify"; verifying-source.md.
 */
export interface VsaExpectation {
  /** `verifier.id`, exact. */
  verifierId: string;
  /**
   * Who may speak for that verifier. Default: any trusted key that accepted, or a certificate
   * whose identity was expected.
   */
  signer?: VsaSigner;
  /** `resourceUri`, exact: the name under which the subject is used here. */
  resourceUri: string;
  /**
   * Words that `verifiedLevels` must satisfy, all of them. A level is satisfied by the same
   * or a higher one of its track, any other word only by itself.
   */
  verifiedLevels?: readonly string[];
  /** Highest level per track that this verifier is believed, such as `{ SOURCE: 3 }`. */
  maxLevels?: Readonly<Record<string, number>>;
  /** Least levels of every dependency, such as `SLSA_BUILD_LEVEL_2`; one per track. */
  dependencyLevels?: readonly string[];
  /** Seconds since `timeVerified`, which must then be stated. */
  maxAge?: number;
  /** Policy that was applied: its `uri`, exact, and digests, all of them. */
  policy?: {
    /** `policy.uri`, exact. */
    uri?: string;
    /** Digests that `policy.digest` must have, all of them. */
    digest?: DigestSet;
  };
  /**
   * Digests that one subject must have, all of them, whatever their algorithm; for a
   * revision such as `{ gitCommit: "…" }`. Beside the artifact, or in its place.
   */
  digest?: DigestSet;
  /** Git ref, such as `refs/heads/main`, that the `sourceRefs` of that subject must list. */
  sourceRef?: string;
}

const EXPECTATION = [
  "verifierId",
  "signer",
  "resourceUri",
  "verifiedLevels",
  "maxLevels",
  "dependencyLevels",
  "maxAge",
  "policy",
  "digest",
  "sourceRef",
];

/**
 * Refuses an expectation that is not of its form, before anything is verified.
 *
 * @throws {TypeError} If a member is unknown, missing or cannot be satisfied by any VSA.
 */
export function checkVsaExpectation(expectation: VsaExpectation): void {
  if (typeof expectation !== "object" || expectation === null) {
    throw new TypeError("An expected VSA is not an object");
  }
  refuseUnknown(expectation, EXPECTATION, "an expected VSA");
  const { verifierId, signer, resourceUri, maxAge, policy, digest, sourceRef } = expectation;
  if (!isText(verifierId)) throw new TypeError("verifierId of an expected VSA is not set");
  if (resourceUri !== undefined && typeof resourceUri !== "string") {
    throw new TypeError("resourceUri of an expected VSA is not a text");
  }
  if (signer !== undefined) checkSigner(signer);
  const { verifiedLevels = [], dependencyLevels = [], maxLevels = {} } = expectation;
  if (!isTexts(verifiedLevels)) throw new TypeError("verifiedLevels is not an array of words");
  if (!isTexts(dependencyLevels)) throw new TypeError("dependencyLevels is not an array of words");
  for (const word of dependencyLevels) {
    if (typeof parseTrackLevel(word)?.level === "number") continue;
    throw new TypeError(`${quote(word)} is no level that every dependency can have`);
  }
  for (const [track, level] of Object.entries(maxLevels)) {
    if (/^[A-Z]+$/.test(track) && Number.isInteger(level) && level >= 0) continue;
    throw new TypeError(`maxLevels has ${quote(track)}, wanted a track such as BUILD and a level`);
  }
  if (maxAge !== undefined && !(typeof maxAge === "number" && maxAge > 0)) {
    throw new TypeError("maxAge is not a number of seconds above 0");
  }
  if (policy !== undefined) {
    refuseUnknown(policy, ["uri", "digest"], "an expected policy");
    if (policy.uri === undefined && policy.digest === undefined) {
      throw new TypeError("An expected policy has neither uri nor digest");
    }
    if (policy.uri !== undefined && !isText(policy.uri)) {
      throw new TypeError("The uri of an expected policy is empty");
    }
    if (policy.digest !== undefined) checkDigest(policy.digest);
  }
  if (digest !== undefined) checkDigest(digest);
  if (sourceRef !== undefined && !(isText(sourceRef) && /^refs\/./.test(sourceRef))) {
    throw new TypeError(`sourceRef is ${quote(String(sourceRef))}, wanted all of it: refs/…`);
  }
}

function checkSigner(signer: VsaSigner): void {
  refuseUnknown(signer, ["certificate", "keys"], "a signer");
  if ("keys" in signer) {
    if ("certificate" in signer || !isTexts(signer.keys) || signer.keys.length === 0) {
      throw new TypeError("A signer has either a certificate or keys");
    }
  } else if (missingExpectation(signer.certificate) !== undefined) {
    throw new TypeError("A signer's certificate names no issuer or no holder");
  }
}

function checkDigest(digest: DigestSet): void {
  const entries = Object.entries(digest);
  if (entries.length === 0 || !entries.every(([, value]) => isText(value))) {
    throw new TypeError("An expected digest is empty");
  }
}

/** Whether a value is a text that is not empty. */
export function isText(value: unknown): value is string {
  return typeof value === "string" && value !== "";
}

function isTexts(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every(isText);
}
