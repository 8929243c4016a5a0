import { AttestationError } from "../errors.ts";
import { verifySignature } from "../keys/public_key.ts";
import type { Attempt, Settled } from "./_attempt.ts";
import type { SignedFacts } from "./log_body.ts";
import { refuseOtherDigest, verifyArtifactSignature } from "./signed_artifact.ts";

/** What a log entry must be about; undefined without a key to compare it with. */
export function signedFacts(
  { bundle, signer, signed, artifact }: Attempt,
): SignedFacts | undefined {
  const { content } = bundle;
  if (signer.key === undefined || signer.scheme === undefined) return undefined;
  return {
    signature: content.signature,
    verifier: signer.kind === "certificate"
      ? { kind: "certificate", der: signer.leaf.raw }
      : { kind: "publicKey", der: signer.key.spki },
    key: signer.key,
    scheme: signer.scheme,
    envelope: content.kind === "envelope" ? { ...content.envelope, pae: signed! } : undefined,
    artifact: artifact?.digest,
  };
}

/** Verifies the signature over the envelope's payload, or over the artifact itself. */
export async function verifyContent({ bundle, signer, signed, artifact }: Attempt): Promise<void> {
  const { content } = bundle;
  const { key, scheme } = signer;
  if (key === undefined || scheme === undefined) {
    throw new AttestationError(
      "missing-trusted-key",
      "Cannot verify bundle: it is signed with a key, and no trusted key is given",
    );
  }
  let good: boolean;
  if (signed !== undefined) good = await verifySignature(key, scheme, content.signature, signed);
  else {
    if (artifact === undefined) {
      throw new AttestationError(
        "artifact-required",
        "Cannot verify bundle: it signs the artifact itself, and none is given",
      );
    }
    refuseOtherDigest(content, artifact);
    good = await verifyArtifactSignature(key, scheme, content.signature, artifact);
  }
  if (!good) {
    throw new AttestationError(
      "invalid-signature",
      "Cannot verify bundle: the signature does not verify",
    );
  }
}

/** Records the outcome. */
export async function checkSignature(
  { list, signer }: Attempt,
  work: Settled<void>,
): Promise<void> {
  const outcome = await work;
  const by = signer.kind === "certificate" ? "the certificate's key" : "a trusted key";
  if ("error" in outcome) list.failed("envelope.signature", outcome.error);
  else list.passed("envelope.signature", `The signature is by ${by}`);
}
