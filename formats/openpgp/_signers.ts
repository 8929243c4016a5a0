import { AttestationError } from "../../errors.ts";
import { asRefusal } from "../../internal/check_list.ts";
import type { HashName } from "../../internal/digest.ts";
import { importTrustedKey, type TrustedKey } from "../../keys/trusted_key.ts";
import type { FormatContext, GoodSigner, SignerResult } from "../format.ts";
import { findSigningKey, keyRefusal, type SigningKey, verifySignature } from "./_back_end.ts";
import { algorithmOf, materialOf } from "./_key_material.ts";
import { malformed } from "./_packets.ts";
import { acceptedHash, type OpenPgpSignature } from "./_signature.ts";
import { entriesOf, type KeyEntry } from "./keyring.ts";

/** Checks signatures one after another: the library makes a copy of the data for each. */
export async function verifyEach(
  signatures: readonly OpenPgpSignature[],
  data: Uint8Array,
  context: FormatContext,
): Promise<SignerResult[]> {
  const results: SignerResult[] = [];
  for (const one of signatures) results.push(await verifyOne(one, data, context));
  return results;
}

/**
 * Checks one signature by itself: its own demands first, then its key, then the signature.
 *
 * The signer is the primary key, whichever of its subkeys signed: one person with two subkeys
 * is one signer.
 */
async function verifyOne(
  signature: OpenPgpSignature,
  data: Uint8Array,
  { openpgp, now }: FormatContext,
): Promise<SignerResult> {
  const { issuer, created, expires, refusal } = signature;
  try {
    if (refusal !== undefined) throw refusal;
    const hash = acceptedHash(signature.hashAlgorithm, "signature");
    const candidates = candidatesOf(entriesOf(openpgp), signature);
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
    let first: unknown;
    for (const candidate of candidates) {
      try {
        return await verifyBy(candidate, { signature, hash, data, now });
      } catch (thrown) {
        first ??= thrown;
      }
    }
    throw first;
  } catch (thrown) {
    return { ok: false, error: asRefusal(thrown), keyid: issuer.fingerprint ?? issuer.keyid };
  }
}

/** A key that may have made a signature, with the key of the keyring that it belongs to. */
interface Candidate {
  readonly entry: KeyEntry;
  readonly signing: SigningKey;
}

/** Checks a signature by one key. */
async function verifyBy(
  { entry: { info, trusted }, signing }: Candidate,
  { signature, hash, data, now }: {
    signature: OpenPgpSignature;
    hash: HashName;
    data: Uint8Array;
    now: Date;
  },
): Promise<GoodSigner> {
  const { created, keyAlgorithm, version } = signature;
  if (trusted === undefined) throw info.error;
  const { keyPacket } = signing.part;
  const material = materialOf(keyPacket);
  // RFC 9580, 5.2.3.35: each version of keys has its version of signatures.
  if (keyPacket.version !== version) {
    throw malformed(`a signature of version ${version} by a key of version ${keyPacket.version}`);
  }
  if (family(keyPacket.write()[5]) !== family(keyAlgorithm)) {
    throw new AttestationError(
      "key-algorithm-mismatch",
      `Cannot verify signature: it is of algorithm ${keyAlgorithm}, its key is not`,
    );
  }
  const algorithm = algorithmOf(material, hash);
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

/**
 * Keys that have what a signature names. There may be several: nobody vouches for a subkey that
 * another key has in it too, and ids of 64 bits can be made to be the same.
 */
function candidatesOf(
  entries: readonly KeyEntry[],
  { issuer }: OpenPgpSignature,
): readonly Candidate[] {
  const found = entries.flatMap((entry) => {
    const signing = findSigningKey(entry.key, issuer);
    return signing === undefined ? [] : [{ entry, signing }];
  });
  if (found.length > 0) return found;
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
