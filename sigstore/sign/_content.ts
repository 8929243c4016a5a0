import { pae } from "../../dsse/pae.ts";
import { AttestationError } from "../../errors.ts";
import { encodeBase64 } from "../../internal/base64.ts";
import { asBytes, type Bytes } from "../../internal/bytes.ts";
import { digest, type HashName } from "../../internal/digest.ts";
import { encodeHex } from "../../internal/hex.ts";
import type { JsonObject } from "../../internal/json.ts";
import type { SignedArtifact } from "../signed_artifact.ts";
import type { SigningPlan } from "./_work.ts";
import type { BundleMember } from "./bundle_writer.ts";
import type { SigningContent } from "./options.ts";

/** What a verifier reads of an envelope when nothing else is said. */
const MAX_PAYLOAD_BYTES = 16 << 20;

/** Content whose payload cannot change under the work. */
export type CheckedContent = { payloadType: string; payload: Bytes } | { artifact: Uint8Array };

/** Throws a TypeError for what is neither a payload with its type nor an artifact. */
export function checkedContent(content: SigningContent): CheckedContent {
  if ("artifact" in content) {
    if (!(content.artifact instanceof Uint8Array)) throw new TypeError("artifact is no Uint8Array");
    return { artifact: content.artifact };
  }
  const { payloadType, payload } = content;
  if (typeof payloadType !== "string" || payloadType === "" || !payloadType.isWellFormed()) {
    throw new TypeError("payloadType is not a well-formed string, or empty");
  }
  if (!(payload instanceof Uint8Array)) throw new TypeError("payload is no Uint8Array");
  if (payload.length > MAX_PAYLOAD_BYTES) {
    throw new AttestationError(
      "limit-exceeded",
      `Cannot sign: the payload has ${payload.length} bytes, verifiers read at most ` +
        `${MAX_PAYLOAD_BYTES}`,
    );
  }
  return { payloadType, payload: new Uint8Array(payload) };
}

interface SignedContent {
  signature: Bytes;
  /** What the signature is over. */
  message: Bytes;
  member: BundleMember;
  artifact?: SignedArtifact;
}

/** Signs, and writes the bundle's member that holds the signature. */
export async function signContent(
  content: CheckedContent,
  { signer, keyid, scheme }: SigningPlan,
): Promise<SignedContent> {
  if ("payload" in content) {
    const { payloadType, payload } = content;
    const message = pae(payloadType, payload);
    const signature = await signer.sign(message);
    const sig = encodeBase64(signature);
    const dsseEnvelope: JsonObject = {
      payload: encodeBase64(payload),
      payloadType,
      signatures: [keyid === undefined ? { sig } : { sig, keyid }],
    };
    return { signature, message, member: { dsseEnvelope } };
  }
  const message = asBytes(content.artifact);
  const hash: HashName = "hash" in scheme ? scheme.hash : "SHA-256";
  const [signature, hashed] = await Promise.all([signer.sign(message), digest(hash, message)]);
  const messageSignature: JsonObject = {
    messageDigest: { algorithm: hash.replace("SHA-", "SHA2_"), digest: encodeBase64(hashed) },
    signature: encodeBase64(signature),
  };
  const name = hash.toLowerCase().replace("-", "");
  const artifact = { digest: { [name]: encodeHex(hashed) }, content: message };
  return { signature, message, member: { messageSignature }, artifact };
}
