import { AttestationError } from "../../errors.ts";
import { asRefusal } from "../../internal/check_list.ts";
import { importTrustedKey, type TrustedKey } from "../../keys/trusted_key.ts";
import type { BadSigner, FormatContext, SignerResult } from "../format.ts";
import { findSigningKey, keyRefusal, type SigningKey, verifySignature } from "./_back_end.ts";
import { algorithmOf, materialOf } from "./_key_material.ts";
import { acceptedHash, type OpenPgpSignature } from "./_signature.ts";
import { entriesOf, type KeyEntry } from "./keyring.ts";

/**
 * Checks one signature by itself: its own demands first, then its key, then the signature.
 *
 * The signer is the primary key, whichever of its subkeys signed: one person with two subkeys
 * is one signer.
 */
export async function verifyOne(
  signature: OpenPgpSignature,
  data: Uint8Array,
  { openpgp, now }: FormatContext,
): Promise<SignerResult> {
  const { issuer, created, expires, refusal } = signature;
  const keyid = issuer.fingerprint ?? issuer.keyid;
  try {
    if (refusal !== undefined) throw refusal;
    const hash = acceptedHash(signature.hashAlgorithm, "signature");
    const { entry, signing } = keyOf(entriesOf(openpgp), signature);
    const { info, trusted } = entry;
    if (trusted === undefined) throw info.error;
    const { keyPacket } = signing.part;
    const material = materialOf(keyPacket);
    if (family(keyPacket.write()[5]) !== family(signature.keyAlgorithm)) {
      throw new AttestationError(
        "key-algorithm-mismatch",
        `Cannot verify signature: it is of algorithm ${signature.keyAlgorithm}, its key is not`,
      );
    }
    const algorithm = algorithmOf(material, hash);
    if (created > now) {
      throw new AttestationError(
        "attestation-not-yet-valid",
        `Cannot accept signature: it is of ${created.toISOString()}, which is yet to come`,
      );
    }
    if (expires !== undefined && expires <= now) {
      throw new AttestationError(
        "attestation-expired",
        `Cannot accept signature: it counted until ${expires.toISOString()}`,
      );
    }
    if (created < signing.part.getCreationTime()) {
      throw new AttestationError(
        "key-not-valid",
        `Cannot accept signature: it is of ${created.toISOString()}, before its key was made`,
      );
    }
    const unfit = await keyRefusal(signing, now);
    if (unfit !== undefined) throw unfit;
    await verifySignature(signature, signing, { data, now });
    const key = await withAlgorithm(trusted, algorithm);
    return { ok: true, name: info.name, fingerprint: trusted.fingerprint, algorithm, key };
  } catch (thrown) {
    return badSigner(asRefusal(thrown), keyid);
  }
}

/** The primary key, used with the algorithm of the signature if it is one of its own. */
async function withAlgorithm(
  trusted: TrustedKey,
  alg: TrustedKey["alg"],
): Promise<TrustedKey> {
  if (trusted.alg === alg) return trusted;
  try {
    return await importTrustedKey(trusted.spki, { alg, name: trusted.name });
  } catch {
    return trusted; // A subkey of another kind signed.
  }
}

function keyOf(
  entries: readonly KeyEntry[],
  { issuer }: OpenPgpSignature,
): { entry: KeyEntry; signing: SigningKey } {
  for (const entry of entries) {
    const signing = findSigningKey(entry.key, issuer);
    if (signing !== undefined) return { entry, signing };
  }
  const id = issuer.fingerprint ?? issuer.keyid;
  throw new AttestationError(
    "missing-trusted-key",
    entries.length === 0
      ? `Cannot verify signature: it is made with the OpenPGP key ${id}, and none is given to trust`
      : `Cannot verify signature: its OpenPGP key ${id} is none of those that are trusted`,
  );
}

/** RSA has two numbers for keys that sign: RFC 9580, 9.1. */
function family(algorithm: number): number {
  return algorithm === 3 ? 1 : algorithm;
}

function badSigner(error: AttestationError, keyid: string): BadSigner {
  return { ok: false, error, keyid };
}
