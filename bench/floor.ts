/** The cryptography of a Sigstore bundle alone: what no verifier of it can leave out. */

/** Arguments of one `crypto.subtle.verify`. */
export type VerifyCall = Parameters<SubtleCrypto["verify"]>;

/** The signature checks of a verification that is repeated: its root's chain is known. */
export async function recordChecks(verifyBundle: () => Promise<void>): Promise<VerifyCall[]> {
  const { subtle } = crypto;
  const verify = subtle.verify;
  const calls: VerifyCall[] = [];
  await verifyBundle();
  subtle.verify = function (...call: VerifyCall): Promise<boolean> {
    calls.push(call);
    return verify.apply(subtle, call);
  };
  await verifyBundle();
  subtle.verify = verify;
  return calls;
}

/** Those checks in sequence, the import of the leaf's key, and JSON.parse. */
export function floorOf(calls: readonly VerifyCall[], bundle: string): () => Promise<void> {
  const leaf = leafKey(bundle);
  return async () => {
    const params = { name: "ECDSA", namedCurve: "P-256" };
    await crypto.subtle.importKey("spki", leaf, params, true, ["verify"]);
    for (const call of calls) {
      if (!await crypto.subtle.verify(...call)) throw new Error("The floor refuses a signature");
    }
    JSON.parse(bundle);
  };
}

function leafKey(bundle: string): Uint8Array<ArrayBuffer> {
  // The header of a P-256 SubjectPublicKeyInfo up to its point's 65 octets, which follow.
  const header = [0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01];
  const { verificationMaterial } = JSON.parse(bundle);
  const { rawBytes } = verificationMaterial.certificate ??
    verificationMaterial.x509CertificateChain.certificates[0];
  const der = Uint8Array.from(atob(rawBytes), (unit) => unit.charCodeAt(0));
  const at = der.findIndex((_, i) => header.every((octet, j) => der[i + j] === octet));
  if (at < 0) throw new Error("The bundle's leaf has no P-256 key");
  return der.slice(at, at + 91);
}
