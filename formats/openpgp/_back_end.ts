import {
  type Config,
  config,
  createMessage,
  enums,
  type PublicKey,
  readSignature,
  type SignaturePacket,
  type Subkey,
  verify,
} from "openpgp";
import { AttestationError } from "../../errors.ts";
import { printable } from "../../internal/json.ts";
import { encodePacket, Tag } from "./_packets.ts";
import type { OpenPgpSignature } from "./_signature.ts";

/** Nothing that the library would rather overlook is overlooked. */
export const CONFIG: Config = {
  ...config,
  ignoreUnsupportedPackets: false,
  ignoreMalformedPackets: false,
  enforceGrammar: true,
  enableParsingV5Entities: false,
  minRSABits: 2048,
  maxDecompressedMessageSize: 0,
  knownNotations: [],
  // A key that was extended keeps the latest certification alone. It has to be valid now in
  // any case, and the time of signing is only what the signer says.
  allowInsecureVerificationWithReformattedKeys: true,
  rejectMessageHashAlgorithms: new Set([
    enums.hash.md5,
    enums.hash.sha1,
    enums.hash.ripemd,
  ]),
};

/** A revocation is heeded whatever it is over: no other key is believed by that. */
const OF_REVOCATIONS: Config = { ...CONFIG, rejectHashAlgorithms: new Set() };
/** Revocations for these reasons count from their time on, all others ever: RFC 9580, 5.2.3.31. */
const SOFT: ReadonlySet<number | null> = new Set<number | null>([
  enums.reasonForRevocation.keySuperseded,
  enums.reasonForRevocation.keyRetired,
]);

/** A key that may have made a signature, within the key that it belongs to. */
export interface SigningKey {
  readonly primary: PublicKey;
  readonly part: PublicKey | Subkey;
}

/** The primary key or the subkey that a signature names; undefined if it is none of this key. */
export function findSigningKey(
  primary: PublicKey,
  { keyid, fingerprint }: OpenPgpSignature["issuer"],
): SigningKey | undefined {
  const part = [primary, ...primary.getSubkeys()].find((one) =>
    fingerprint === undefined
      ? one.getKeyID().toHex() === keyid
      : one.getFingerprint() === fingerprint
  );
  return part === undefined ? undefined : { primary, part };
}

/**
 * Tells why a key may not sign at a moment: it is revoked, has expired, is not for signing, or
 * its primary key does not vouch for it.
 *
 * Source: RFC 9580, 5.2.3.10, 5.2.3.13 and 10.1.5.
 */
export async function keyRefusal(
  { primary, part }: SigningKey,
  now: Date,
): Promise<AttestationError | undefined> {
  const key = primary.keyPacket;
  // A subkey that is there twice is revoked if one of its copies is.
  const copies = primary.getSubkeys().filter((one) =>
    one.getFingerprint() === part.getFingerprint()
  );
  const { keyRevocation, subkeyRevocation } = enums.signature;
  const answers = await Promise.all([
    isRevokedBy(primary, { type: keyRevocation, data: { key }, now }),
    ...copies.map((one) => {
      const data = { key, bind: one.keyPacket };
      return isRevokedBy(one, { type: subkeyRevocation, data, now });
    }),
  ]);
  if (answers.includes(true)) {
    return new AttestationError(
      "key-revoked",
      `Cannot accept signature: its OpenPGP key ${part.getFingerprint()} is revoked`,
    );
  }
  try {
    await primary.getSigningKey(part.getKeyID(), now, undefined, CONFIG);
  } catch (cause) {
    return new AttestationError(
      "key-not-valid",
      `Cannot accept signature: its OpenPGP key ${part.getFingerprint()} is not valid for ` +
        `signing at ${now.toISOString()}: ${reasonOf(cause)}`,
      { cause },
    );
  }
}

/**
 * Tells whether the primary key made one of the revocations of a key. The library overlooks those
 * that it would not believe as other signatures: with a part that is critical and unknown, or
 * without the name of their key. Who says that a key counts no more has to be heeded all the same.
 *
 * Source: RFC 9580, 5.2.3.31.
 */
async function isRevokedBy(
  { revocationSignatures }: PublicKey | Subkey,
  { type, data, now }: { type: number; data: { key: PublicKey["keyPacket"] }; now: Date },
): Promise<boolean> {
  const { key } = data;
  const found = await Promise.all(revocationSignatures.map(async (one) => {
    const bare: SignaturePacket = Object.create(one, {
      created: { value: new Date(0) },
      issuerKeyID: { value: key.getKeyID() },
      rawNotations: { value: [] },
      revocationKeyClass: { value: null },
      signatureNeverExpires: { value: true },
      unknownSubpackets: { value: [] },
    });
    try {
      await bare.verify(key, type, data, undefined, false, OF_REVOCATIONS);
    } catch {
      return false;
    }
    return one.created === null || one.created <= now || !SOFT.has(one.reasonForRevocationFlag);
  }));
  return found.includes(true);
}

/**
 * Verifies one signature by one key over the bytes that it is computed over.
 *
 * @throws {AttestationError} `invalid-signature`.
 */
export async function verifySignature(
  signature: OpenPgpSignature,
  { primary }: SigningKey,
  { data, now }: { data: Uint8Array; now: Date },
): Promise<void> {
  try {
    const { signatures } = await verify({
      message: await createMessage({ binary: data }),
      signature: await readSignature({
        binarySignature: encodePacket(Tag.signature, signature.body),
        config: CONFIG,
      }),
      verificationKeys: [primary],
      format: "binary",
      date: now,
      config: CONFIG,
    });
    if (signatures.length === 1 && await signatures[0].verified === true) return;
  } catch (cause) {
    throw refused(reasonOf(cause), cause);
  }
  throw refused("it was not looked at");
}

function refused(what: string, cause?: unknown): AttestationError {
  return new AttestationError("invalid-signature", `Cannot verify OpenPGP signature: ${what}`, {
    cause,
  });
}

/** What the library says, as a part of a message of ours. */
export function reasonOf(cause: unknown): string {
  const text = cause instanceof Error ? cause.message : "an unexpected error";
  return printable(text.slice(0, 160).replace(/[.\s]+$/, ""), 160);
}
