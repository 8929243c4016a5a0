import { type Bytes, utf8 } from "../../internal/bytes.ts";
import { encodeDer, Tag } from "../../internal/der.ts";
import { encodePem } from "../../internal/pem.ts";
import type { Signer } from "../../keys/signer.ts";

/** AlgorithmIdentifier of ECDSA with SHA-256 and SHA-384: 1.2.840.10045.4.3.2 and .3. */
function ecdsaWith(last: number): Bytes {
  const oid = Uint8Array.of(0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, last);
  return encodeDer(Tag.sequence, encodeDer(Tag.oid, oid));
}

const ALGORITHMS: Readonly<Record<string, Bytes>> = { ES256: ecdsaWith(2), ES384: ecdsaWith(3) };

/**
 * Certificate signing request without a name and attributes, as PEM: it shows no more than
 * that the key is held.
 *
 * Source: RFC 2986, 4.
 *
 * @param signer An ES256 or ES384 key whose signatures are DER.
 */
export async function createCertificateRequest(signer: Signer): Promise<string> {
  const algorithm = ALGORITHMS[signer.alg];
  const info = encodeDer(
    Tag.sequence,
    encodeDer(Tag.integer, Uint8Array.of(0)),
    encodeDer(Tag.sequence),
    await signer.publicKey(),
    encodeDer(0xa0),
  );
  const signature = encodeDer(Tag.bitString, Uint8Array.of(0), await signer.sign(info));
  return encodePem("CERTIFICATE REQUEST", encodeDer(Tag.sequence, info, algorithm, signature));
}

/** Signature over the name that the authority takes from the token. */
export function signSubject(signer: Signer, name: string): Promise<Bytes> {
  return signer.sign(utf8(name));
}
