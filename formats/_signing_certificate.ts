import { AttestationError } from "../errors.ts";
import { type Certificate, Purpose } from "../sigstore/certificate.ts";

/** Purposes that a certificate for signing must not have beside its own. */
const FOREIGN: ReadonlySet<string> = new Set([
  Purpose.any,
  Purpose.timeStamping,
  "1.3.6.1.5.5.7.3.1",
  "1.3.6.1.5.5.7.3.4",
  "1.3.6.1.5.5.7.3.9",
]);

/**
 * Refuses a certificate that is not for signatures, that is one of an authority, or that is
 * for something else than code.
 *
 * Source: Notary Project, signature-specification.md, "Certificate Requirements", leaf.
 *
 * @throws {AttestationError} `invalid-certificate-usage`.
 */
export function checkSigningUsage(
  { keyUsage, basicConstraints, extendedKeyUsage }: Certificate,
): void {
  if (keyUsage === undefined || (keyUsage & 0x80) === 0) {
    throw refusal("its certificate is not for signatures");
  }
  if (basicConstraints?.ca === true) throw refusal("its certificate is one of an authority");
  if (extendedKeyUsage === undefined) return;
  const { purposes } = extendedKeyUsage;
  if (!purposes.includes(Purpose.codeSigning) || purposes.some((one) => FOREIGN.has(one))) {
    throw refusal("its certificate is not for signing code alone");
  }
}

function refusal(what: string): AttestationError {
  return new AttestationError("invalid-certificate-usage", `Cannot verify signature: ${what}`);
}
