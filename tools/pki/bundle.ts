import { type Bytes, concat, utf8 } from "../../internal/bytes.ts";
import { encodeBase64 } from "../../internal/base64.ts";
import type { JsonObject } from "../../internal/json.ts";
import { digest, type TestHash, type TestKey } from "./keys.ts";
import type { LoggedEnvelope } from "./rekor_v1.ts";

/** Media types of bundles, by a short name. */
export const MEDIA_TYPES = {
  "v0.1": "application/vnd.dev.sigstore.bundle+json;version=0.1",
  "v0.2": "application/vnd.dev.sigstore.bundle+json;version=0.2",
  "v0.3-old": "application/vnd.dev.sigstore.bundle+json;version=0.3",
  "v0.3": "application/vnd.dev.sigstore.bundle.v0.3+json",
} as const;

/** Payload type of in-toto Statements. */
export const IN_TOTO = "application/vnd.in-toto+json";

/** Pre-authentication encoding (DSSE, protocol.md). */
export function preAuthenticationEncoding(payloadType: string, payload: Uint8Array): Bytes {
  const type = utf8(payloadType);
  return concat(
    utf8(`DSSEv1 ${type.length} `),
    type,
    utf8(` ${payload.length} `),
    payload,
  );
}

/** An envelope with one signature, and what its log entry says of it. */
export interface SignedEnvelope extends LoggedEnvelope {
  json: JsonObject;
  /** Pre-authentication encoding of the payload. */
  pae: Bytes;
}

/** Signs a payload for a bundle. */
export async function signEnvelope(
  payload: Uint8Array,
  key: TestKey,
  { payloadType = IN_TOTO, keyid, signed }: {
    payloadType?: string;
    keyid?: string;
    /** What is signed in place of the encoded payload. */
    signed?: Uint8Array;
  } = {},
): Promise<SignedEnvelope> {
  const pae = preAuthenticationEncoding(payloadType, payload);
  const signature = await key.sign(signed ?? pae);
  const sig = encodeBase64(signature);
  const json: JsonObject = {
    payload: encodeBase64(payload),
    payloadType,
    signatures: [keyid === undefined ? { sig } : { sig, keyid }],
  };
  return {
    payloadType,
    payload: Uint8Array.from(payload),
    signature,
    text: JSON.stringify(json),
    json,
    pae,
  };
}

/** Content of a bundle that signs a blob. */
export function messageSignature(
  artifact: Uint8Array,
  signature: Uint8Array,
  hash: TestHash = "SHA-256",
): JsonObject {
  return {
    messageDigest: {
      algorithm: hash.replace("SHA-", "SHA2_"),
      digest: encodeBase64(digest(hash, artifact)),
    },
    signature: encodeBase64(signature),
  };
}

/** Parts of a bundle. */
export interface BundleParts {
  mediaType: string;
  /** Who signed. */
  material:
    | { certificate: Uint8Array }
    | { chain: Uint8Array[] }
    | { hint: string };
  tlogEntries: JsonObject[];
  /** TimeStampResp, DER. */
  timestamps?: Uint8Array[];
  content: { dsseEnvelope: JsonObject } | { messageSignature: JsonObject };
}

/** A Sigstore bundle as JSON. */
export function sigstoreBundle(parts: BundleParts): JsonObject {
  const { material } = parts;
  const raw = (der: Uint8Array): JsonObject => ({ rawBytes: encodeBase64(der) });
  const signer: JsonObject = "certificate" in material
    ? { certificate: raw(material.certificate) }
    : "chain" in material
    ? { x509CertificateChain: { certificates: material.chain.map(raw) } }
    : { publicKey: { hint: material.hint } };
  const verificationMaterial: JsonObject = { ...signer, tlogEntries: parts.tlogEntries };
  if (parts.timestamps !== undefined) {
    verificationMaterial.timestampVerificationData = {
      rfc3161Timestamps: parts.timestamps.map((der) => ({ signedTimestamp: encodeBase64(der) })),
    };
  }
  return { mediaType: parts.mediaType, verificationMaterial, ...parts.content };
}
