/**
 * Splices: a part of one good bundle put into another good one. Pure, so that every runtime
 * can run it; all bundles are trusted alike, and anybody's identity is accepted: nothing but
 * the binding of the parts to one another is left to refuse them.
 */

import type { Reason } from "../../errors.ts";
import { type Bytes, utf8 } from "../../internal/bytes.ts";
import { encodeHex } from "../../internal/hex.ts";
import type { Json, JsonObject } from "../../internal/json.ts";
import { sha256 } from "../../internal/sha256.ts";
import { importTrustedKey } from "../../keys/mod.ts";
import { logged, type Recipe, rekor, rekor2, stamped } from "../../tools/pki/instance.ts";
import { publicKeyPem, testKey } from "../../tools/pki/keys.ts";
import { intotoBody } from "../../tools/pki/rekor_v1.ts";
import type { ArtifactInput, Trust } from "../../verify/options.ts";
import type { AttestationReport } from "../../verify/report.ts";
import { verify } from "../../verify/verify.ts";
import { bundleOf, edited, rootOf, valueAt } from "../fixtures/sigstore.ts";

/** A good bundle, and what it is about; without an artifact it is verified alone. */
export interface Sample {
  name: string;
  json: JsonObject;
  artifact?: ArtifactInput;
}

/** What is exchanged, and what must come of it. */
interface Part {
  /** Pointers of what goes over; the part is there if one of them is. */
  pointers: readonly string[];
  /** Reasons that name what no longer fits. */
  reasons: readonly Reason[];
  /** May be absent: without it, it is another good bundle. */
  optional?: true;
  /** Decides nothing: the same signer said the same, whatever it says. */
  hint?: true;
}

const MATERIAL = "/verificationMaterial";
const ENTRY = `${MATERIAL}/tlogEntries/0`;
const PROOF = `${ENTRY}/inclusionProof`;

/** What follows when nobody vouches for the time any more. */
const NO_TIME: readonly Reason[] = [
  "timestamp-threshold-not-met",
  "missing-inclusion-promise",
  "log-threshold-not-met",
];

/** What a log says of another signature, or of another kind of content. */
const OTHER_BODY: readonly Reason[] = [
  "log-digest-mismatch",
  "log-signature-mismatch",
  "log-key-mismatch",
  "unsupported-log-entry",
];
const OTHER_LOG: readonly Reason[] = ["invalid-checkpoint-signature", "untrusted-log"];
const OTHER_SIGNATURE: readonly Reason[] = ["invalid-signature"];

/** Parts of a bundle that are good where they are, and nowhere else. */
export const PARTS: Readonly<Record<string, Part>> = {
  "log entry": {
    pointers: [ENTRY],
    reasons: [
      ...OTHER_BODY,
      "untrusted-log",
      "missing-inclusion-proof",
      "missing-inclusion-promise",
    ],
  },
  "promise": {
    pointers: [`${ENTRY}/inclusionPromise`],
    optional: true,
    reasons: ["invalid-inclusion-promise", ...NO_TIME],
  },
  "promise with its time and index": {
    pointers: [`${ENTRY}/inclusionPromise`, `${ENTRY}/integratedTime`, `${ENTRY}/logIndex`],
    optional: true,
    // The index of a Rekor v2 entry is that of its proof.
    reasons: ["invalid-inclusion-promise", "invalid-inclusion-proof", ...NO_TIME],
  },
  "proof": { pointers: [PROOF], reasons: ["invalid-inclusion-proof", ...OTHER_LOG] },
  "proof with the index": {
    pointers: [PROOF, `${ENTRY}/logIndex`],
    // The index is part of the promise.
    reasons: [
      "invalid-inclusion-promise",
      "invalid-inclusion-proof",
      "missing-inclusion-proof",
      ...OTHER_LOG,
    ],
  },
  "hashes": { pointers: [`${PROOF}/hashes`], reasons: ["invalid-inclusion-proof"] },
  "checkpoint": {
    pointers: [`${PROOF}/checkpoint`],
    reasons: ["checkpoint-mismatch", ...OTHER_LOG],
  },
  "checkpoint with its root": {
    pointers: [`${PROOF}/checkpoint`, `${PROOF}/rootHash`, `${PROOF}/treeSize`],
    // The index may lie outside of a smaller tree.
    reasons: ["invalid-inclusion-proof", "malformed-sigstore-bundle", ...OTHER_LOG],
  },
  "logged body": {
    pointers: [`${ENTRY}/canonicalizedBody`],
    reasons: ["malformed-log-entry", ...OTHER_BODY],
  },
  "logged body with its kind": {
    pointers: [`${ENTRY}/canonicalizedBody`, `${ENTRY}/kindVersion`],
    reasons: OTHER_BODY,
  },
  "log": {
    pointers: [`${ENTRY}/logId`],
    reasons: ["invalid-inclusion-promise", ...OTHER_LOG],
  },
  "timestamp": {
    pointers: [`${MATERIAL}/timestampVerificationData`],
    optional: true,
    reasons: ["timestamp-imprint-mismatch", "untrusted-timestamp-authority", ...NO_TIME],
  },
  "signer": {
    pointers: [
      `${MATERIAL}/certificate`,
      `${MATERIAL}/x509CertificateChain`,
      `${MATERIAL}/publicKey`,
    ],
    // Of the same key, with another certificate: the log knows which one it was.
    reasons: [
      ...OTHER_SIGNATURE,
      "log-key-mismatch",
      "forbidden-certificate-chain",
      "key-hint-mismatch",
      "root-in-bundle",
      "artifact-required",
    ],
  },
  "key hint": {
    pointers: [`${MATERIAL}/publicKey/hint`],
    hint: true,
    reasons: ["key-hint-mismatch"],
  },
  "key id": {
    pointers: ["/dsseEnvelope/signatures/0/keyid"],
    hint: true,
    reasons: ["key-hint-mismatch"],
  },
  "signature of an envelope": {
    pointers: ["/dsseEnvelope/signatures/0/sig"],
    reasons: OTHER_SIGNATURE,
  },
  "payload": { pointers: ["/dsseEnvelope/payload"], reasons: OTHER_SIGNATURE },
  "payload type": { pointers: ["/dsseEnvelope/payloadType"], reasons: OTHER_SIGNATURE },
  "payload with its signature": {
    pointers: ["/dsseEnvelope/payload", "/dsseEnvelope/signatures", "/dsseEnvelope/payloadType"],
    // Of the same key: the signature is right, and the log has another one.
    reasons: [
      ...OTHER_SIGNATURE,
      "log-digest-mismatch",
      "log-signature-mismatch",
      "key-hint-mismatch",
    ],
  },
  "signature of a message": {
    pointers: ["/messageSignature/signature"],
    reasons: OTHER_SIGNATURE,
  },
  "message digest": {
    pointers: ["/messageSignature/messageDigest"],
    optional: true,
    reasons: ["message-digest-mismatch"],
  },
  "content": {
    pointers: ["/dsseEnvelope", "/messageSignature"],
    reasons: [
      ...OTHER_SIGNATURE,
      "message-digest-mismatch",
      "subject-mismatch",
      "key-hint-mismatch",
      "artifact-required",
      ...OTHER_BODY,
    ],
  },
};

/** What a splice came to. */
export interface Outcome {
  part: string;
  into: string;
  from: string;
  /** Of the refusal; null when it was accepted. */
  reason: Reason | null;
  /** Why that is wrong; undefined when it is as it must be. */
  wrong?: string;
}

const KEYS = ["managed", "managed-other"];

/** Everybody who signs the bundles made here. */
export async function trustHere(): Promise<Trust> {
  const keys = await Promise.all(
    KEYS.map(async (name) => await importTrustedKey(publicKeyPem(await testKey(name)), { name })),
  );
  return { trustedRoots: [await rootOf()], keys };
}

function artifactOf(number: number): Bytes {
  return utf8(`Artifact ${number} of the throw-away Sigstore instance.\n`);
}

function payloadOf(number: number, artifact: Bytes): Bytes {
  return utf8(JSON.stringify({
    _type: "https://in-toto.io/Statement/v1",
    subject: [{ name: `${number}.txt`, digest: { sha256: encodeHex(sha256(artifact)) } }],
    predicateType: "https://example.com/review/v1",
    predicate: { number },
  }));
}

const EVIDENCE: readonly (readonly [string, Partial<Recipe>])[] = [
  ["rekor 1", {}],
  ["rekor 2", { entries: rekor2({ index: 3 }), timestamps: stamped() }],
  ["rekor 1, stamp", { entries: rekor, timestamps: stamped({ embed: false }) }],
  ["second log", {
    entries: async (made) => [await logged(made, { log: made.instance.secondRekor, index: 1 })],
  }],
  ["rekor 2, size 9", { entries: rekor2({ size: 9 }), timestamps: stamped() }],
  ["rekor 1, v0.2", { version: "v0.2" }],
  ["rekor 1, index 2", { entries: async (made) => [await logged(made, { index: 2 })] }],
];
const INTOTO: Partial<Recipe> = {
  entries: async (made) => [
    await logged(made, { body: intotoBody(made.envelope!, made.verifier), index: 2 }),
  ],
};
const SIGNERS = ["leaf-p256", "leaf-p384", "leaf-other", "leaf-rsa", "managed", "leaf-ed25519"];

/**
 * Bundles of the throw-away instance. No two have the same signer: a signature of the same
 * key over the same content is the same, and then an entry is about both.
 */
export async function samples(count: number): Promise<Sample[]> {
  return await Promise.all(
    Array.from({ length: count }, async (_, i) => {
      const [log, evidence] = EVIDENCE[i % EVIDENCE.length];
      const signer = SIGNERS[i % SIGNERS.length];
      const isBlob = i % 2 === 1 && signer !== "leaf-ed25519";
      const keyed = signer === "managed";
      const key = keyed ? KEYS[(i >> 1) % 2] : signer;
      const artifact = artifactOf(keyed ? 100 + i : i % 5);
      const payloadType = i % 8 === 5 || i % 8 === 6 && !keyed ? "text/plain" : undefined;
      const recipe: Recipe = {
        ...evidence,
        ...(i % 11 === 2 && !isBlob && !keyed ? INTOTO : {}),
        content: isBlob ? { artifact } : { payload: payloadOf(i, artifact), payloadType },
        key,
        leaf: { serial: 500 + i },
        ...(keyed ? { hint: key, ...(i % 3 === 1 ? { keyid: key } : {}) } : {}),
      };
      const json = await bundleOf(recipe);
      const name = `${i} ${isBlob ? "blob" : "envelope"}, ${key}, ${log}`;
      // A payload that is no Statement is about no artifact.
      return isBlob || payloadType === undefined ? { name, json, artifact } : { name, json };
    }),
  );
}

/** Verifies a sample as everybody here is trusted. */
export async function judge(
  { json, artifact }: Pick<Sample, "json" | "artifact">,
  trust: Trust,
): Promise<AttestationReport> {
  const report = await verify({ source: "sample", content: json }, artifact, {
    trust: { ...trust, onlyRoot: true },
    unsafelyAcceptAnyIdentity: true,
    ...(artifact === undefined ? { unsafelyVerifyWithoutArtifact: true } : {}),
  });
  return report.artifacts[0].attestations[0];
}

/** Exchanges every part of every two samples, and their artifacts, one by one. */
export async function* splices(
  all: readonly Sample[],
  trust: Trust,
): AsyncGenerator<Outcome> {
  for (const into of all) {
    const good = await judge(into, trust);
    if (!good.ok) throw new Error(`${into.name} is no good bundle: ${good.errorReason}`);
    for (const from of all) {
      if (into === from) continue;
      for (const [part, { pointers, reasons, optional, hint }] of Object.entries(PARTS)) {
        const [first] = pointers;
        const there = (json: JsonObject) => pointers.some((at) => valueAt(json, at) !== undefined);
        if (!there(into.json) || !(there(from.json) || optional)) continue;
        let json = into.json;
        for (const at of pointers) {
          if (hasParent(json, at)) json = edited(json, at, valueAt(from.json, at));
        }
        if (JSON.stringify(json) === JSON.stringify(into.json)) continue;
        // A payload that is no Statement is verified without an artifact; a message needs one.
        const artifact = into.artifact ?? (part === "content" ? from.artifact : undefined);
        const report = await judge({ json, artifact }, trust);
        const outcome = { part, into: into.name, from: from.name, reason: report.errorReason };
        // Without what may be absent (a stamp of somebody unknown is as good as none), with what is only a hint, or with what is true of both.
        const mayPass = hint || part === "timestamp" ||
          (optional && valueAt(from.json, first) === undefined) ||
          (part === "signer" && isKeyed(into.json) && isKeyed(from.json)) ||
          (part === "message digest" &&
            (String(into.artifact) === String(from.artifact) ||
              // Nothing to compare another algorithm's digest with: the signature decides.
              !(into.artifact instanceof Uint8Array)));
        if (!report.ok) {
          const expected = reasons.includes(report.errorReason!);
          yield expected ? outcome : { ...outcome, wrong: "another reason" };
        } else if (!mayPass) yield { ...outcome, wrong: "accepted" };
        else if (!sameClaims(good, report) || hasNewTime(good, report)) {
          yield { ...outcome, wrong: "other claims" };
        } else yield outcome;
      }
      yield* artifacts(into, from, trust);
    }
  }
}

async function* artifacts(into: Sample, from: Sample, trust: Trust): AsyncGenerator<Outcome> {
  if (into.artifact === undefined || from.artifact === undefined) return;
  if (String(into.artifact) === String(from.artifact)) return;
  const report = await judge({ json: into.json, artifact: from.artifact }, trust);
  const outcome = {
    part: "artifact",
    into: into.name,
    from: from.name,
    reason: report.errorReason,
  };
  const wanted = ARTIFACT_REASONS.includes(report.errorReason!);
  yield wanted ? outcome : { ...outcome, wrong: report.ok ? "accepted" : "another reason" };
}

const ARTIFACT_REASONS: readonly Reason[] = [
  "subject-mismatch",
  "message-digest-mismatch",
  // With a digest alone, a signature that needs the bytes.
  "artifact-required",
];

function hasNewTime(good: AttestationReport, spliced: AttestationReport): boolean {
  const known = new Set(good.timestamps.map((one) => JSON.stringify(one)));
  return spliced.timestamps.some((one) => !known.has(JSON.stringify(one)));
}

function isKeyed(json: Json): boolean {
  return valueAt(json, `${MATERIAL}/publicKey`) !== undefined;
}

function hasParent(json: Json, pointer: string): boolean {
  const parent = valueAt(json, pointer.slice(0, pointer.lastIndexOf("/")));
  return typeof parent === "object" && parent !== null;
}

/** Whether two reports establish the same: who signed, and what. */
export function sameClaims(a: AttestationReport, b: AttestationReport): boolean {
  const claims = ({ signers, identity, statement, predicateType }: AttestationReport) =>
    JSON.stringify({ signers, identity, statement, predicateType });
  return claims(a) === claims(b);
}
