import { encodeBase64 } from "../../internal/base64.ts";
import type { Bytes } from "../../internal/bytes.ts";
import type { JsonObject } from "../../internal/json.ts";

/** Parts of a bundle of version 0.3. */
export interface BundleParts {
  /** Leaf certificate, DER, or the hint at a key. */
  readonly signer: { readonly certificate: Bytes } | { readonly hint: string };
  readonly content: BundleMember;
  /** TransparencyLogEntry as it goes into the bundle. */
  readonly logEntries: readonly JsonObject[];
  /** TimeStampResp, DER. */
  readonly timestamps: readonly Bytes[];
}

/** The signed content as a bundle has it. */
export type BundleMember = { dsseEnvelope: JsonObject } | { messageSignature: JsonObject };

/**
 * Writes a Sigstore bundle: the leaf certificate only, base64 standard and padded, int64
 * as strings.
 *
 * Source: sigstore/protobuf-specs, sigstore_bundle.proto; protobuf JSON mapping.
 */
export function writeBundle(parts: BundleParts): JsonObject {
  const { signer, content, logEntries, timestamps } = parts;
  return {
    mediaType: "application/vnd.dev.sigstore.bundle.v0.3+json",
    verificationMaterial: {
      ...("certificate" in signer
        ? { certificate: { rawBytes: encodeBase64(signer.certificate) } }
        : { publicKey: { hint: signer.hint } }),
      tlogEntries: [...logEntries],
      ...(timestamps.length === 0 ? {} : {
        timestampVerificationData: {
          rfc3161Timestamps: timestamps.map((der) => ({ signedTimestamp: encodeBase64(der) })),
        },
      }),
    },
    ...content,
  };
}
