import { AttestationError } from "../../errors.ts";
import { type Bytes, equalBytes } from "../../internal/bytes.ts";
import { lookupAlgorithm } from "../../keys/algorithm.ts";
import { verifySignature } from "../../keys/public_key.ts";
import { type ApkCertificate, readApkCertificate } from "./_apk_certificate.ts";
import { apkAlgorithm, keyAlgorithmOf, nameOfAlgorithm } from "./_apk_algorithms.ts";
import { ByteReader, malformedBlock } from "./_byte_reader.ts";

const MAX_LEVELS = 16;

/**
 * Verifies a proof of rotation: the certificates that a signer had, oldest first, of which
 * each one's key signed the next. The last is the one that signed the APK.
 *
 * Source: Android, "APK Signature Scheme v3", "Proof-of-rotation".
 *
 * @throws {AttestationError} `malformed-signing-block`, `invalid-signature`,
 * `unsupported-algorithm`, or why a certificate is refused.
 */
export async function verifyLineage(
  proof: Bytes,
  signer: ApkCertificate,
): Promise<ApkCertificate[]> {
  const outer = new ByteReader(proof);
  if (outer.u32() !== 1) throw malformedBlock("a proof of rotation of another version");
  const certificates: ApkCertificate[] = [];
  /** Algorithm that the certificate before states for its signature over the next. */
  let stated = 0;
  for (const level of outer.parts(MAX_LEVELS, "levels of rotation")) {
    const reader = new ByteReader(level);
    const signed = reader.part();
    reader.u32(); // What the older one may still do on a device: no matter of who signed.
    const next = reader.u32();
    const signature = reader.part();
    reader.end("a level of rotation");
    const inner = new ByteReader(signed);
    const certificate = readApkCertificate(inner.part());
    const id = inner.u32();
    inner.end("what is signed of a level of rotation");
    const before = certificates.at(-1);
    if (before !== undefined) {
      if (id !== stated) throw malformedBlock("a level of rotation states two algorithms");
      await checkLevel(before, { id, signed, signature });
    }
    if (certificates.some(({ raw }) => equalBytes(raw, certificate.raw))) {
      throw malformedBlock("a proof of rotation has a certificate twice");
    }
    certificates.push(certificate);
    stated = next;
  }
  const last = certificates.at(-1);
  if (last === undefined || !equalBytes(last.raw, signer.raw)) {
    throw malformedBlock("a proof of rotation ends in another certificate than the signer's");
  }
  return certificates;
}

async function checkLevel(
  { publicKey }: ApkCertificate,
  { id, signed, signature }: { id: number; signed: Bytes; signature: Bytes },
): Promise<void> {
  const algorithm = apkAlgorithm(id);
  const alg = algorithm === undefined ? undefined : keyAlgorithmOf(algorithm, publicKey);
  if (alg === undefined) {
    throw new AttestationError(
      "unsupported-algorithm",
      `Cannot verify rotation of keys: ${nameOfAlgorithm(id)} is not verified with such a key`,
    );
  }
  const { scheme } = lookupAlgorithm(alg);
  if (!await verifySignature(publicKey, scheme, signature, signed, "der")) {
    throw new AttestationError(
      "invalid-signature",
      "Cannot verify rotation of keys: the older key did not sign the certificate of the newer",
    );
  }
}
