import { type PublicKey, readKey } from "openpgp";
import { AttestationError, isAttestationError } from "../../errors.ts";
import { concat, utf8 } from "../../internal/bytes.ts";
import { asRefusal } from "../../internal/check_list.ts";
import { printable } from "../../internal/json.ts";
import { refuseUnknown } from "../../internal/options.ts";
import { importTrustedKey, type TrustedKey } from "../../keys/trusted_key.ts";
import { encodeSpki, type KeyMaterial } from "../../keys/spki.ts";
import {
  type OpenPgpKey,
  type OpenPgpKeyring,
  originOf,
  registerKeyring,
} from "../openpgp_keyring.ts";
import { linesOf, readArmor } from "./_armor.ts";
import { CONFIG, reasonOf } from "./_back_end.ts";
import { materialOf } from "./_key_material.ts";
import { encodePacket, type Packet, readPackets, Tag } from "./_packets.ts";

/** Bytes of OpenPGP keys, armored or not; with a name for reports. */
export type OpenPgpKeySource = string | Uint8Array | {
  /** Name in reports. Default: the fingerprint. */
  readonly name: string;
  /** The keys. */
  readonly content: string | Uint8Array;
};

/** Bounds of {@linkcode createOpenPgpKeyring}. Unknown names are refused. */
export interface OpenPgpKeyringOptions {
  /** Bytes of all sources; integer >= 1, default 4 MiB. */
  maxBytes?: number;
  /** Keys; integer >= 1, default 256. */
  maxKeys?: number;
}

/** A key with what only the modules of this folder need to know. */
export interface KeyEntry {
  readonly info: OpenPgpKey;
  readonly key: PublicKey;
  /** The primary key; absent if its signatures are never accepted. */
  readonly trusted?: TrustedKey;
}

const entries = new WeakMap<OpenPgpKeyring, readonly KeyEntry[]>();
const MAX_PACKETS = 65_536;
const MAX_PACKETS_OF_KEY = 16_384;
/** Packets of a public key: RFC 9580, 10.1. */
const OF_KEYS: ReadonlySet<number> = new Set([
  Tag.publicKey,
  Tag.publicSubkey,
  Tag.userId,
  Tag.userAttribute,
  Tag.signature,
]);

/**
 * Reads OpenPGP public keys to trust. Whoever is in the keyring is believed by that: signatures
 * of others over a key, and the web of trust, count for nothing.
 *
 * A key that cannot be used stays in the keyring with the reason, so that its signatures are
 * refused for that: RSA below 2048 bits, DSA, a curve that is not supported. A key that is there
 * twice is put together, so that a revocation in one copy counts.
 *
 * Source: RFC 9580, 10.1 and 5.5.
 *
 * @param sources Blocks `PGP PUBLIC KEY BLOCK`, one or several to a text, or packets.
 * @param options Bounds.
 * @throws {AttestationError} `malformed-key` (also a private key), `invalid-base64`,
 * `invalid-unicode`, `limit-exceeded`; the reason of the only key, if that cannot be used.
 * @throws {TypeError} If a source is none, or an option is unknown.
 * @throws {RangeError} If a bound is no integer >= 1.
 *
 * @example The public key of a release, and a list of checksums that it signed
 * ```ts
 * import { createOpenPgpKeyring } from "@x/attest/formats/openpgp";
 * import { verifyFormat } from "@x/attest/formats";
 * import assert from "node:assert/strict";
 *
 * const armored = [
 *   "-----BEGIN PGP PUBLIC KEY BLOCK-----",
 *   "",
 *   "xjMEaJQ5ABYJKwYBBAHaRw8BAQdA",
 *   "-----END PGP PUBLIC KEY BLOCK-----",
 * ].join("\n");
 * await assert.rejects(createOpenPgpKeyring(armored), { reason: "malformed-key" });
 * assert.equal((await verifyFormat("hello", {})).errorReason, "unknown-format");
 * ```
 */
export async function createOpenPgpKeyring(
  sources: OpenPgpKeySource | readonly OpenPgpKeySource[],
  options: OpenPgpKeyringOptions = {},
): Promise<OpenPgpKeyring> {
  refuseUnknown(options, ["maxBytes", "maxKeys"], "createOpenPgpKeyring()");
  const { maxBytes = 4 << 20, maxKeys = 256 } = options;
  for (const [name, value] of Object.entries({ maxBytes, maxKeys })) {
    if (!Number.isSafeInteger(value) || value < 1) {
      throw new RangeError(`${name} is ${value}, wanted an integer >= 1`);
    }
  }
  const list = (Array.isArray(sources) ? sources : [sources]).map(opened);
  if (list.length === 0) throw new TypeError("No OpenPGP key is given");
  const size = list.reduce((sum, { content }) => sum + content.length, 0);
  if (size > maxBytes) throw tooMuch(`${size} bytes, at most ${maxBytes}`);
  const found = new Map<string, KeyEntry>();
  for (const { name, content } of list) {
    const keys = asKeyError(() => splitKeys(packetsOf(content)));
    if (found.size + keys.length > maxKeys) throw tooMuch(`more than ${maxKeys} keys`);
    for (const bytes of keys) {
      const key = await readOne(bytes);
      const fingerprint = key.getFingerprint();
      const known = found.get(fingerprint);
      const merged = known === undefined ? key : await merge(known.key, key);
      const label = known?.info.name ??
        (name === undefined || keys.length === 1
          ? name ?? fingerprint
          : `${name}#${key.getKeyID().toHex()}`);
      found.set(fingerprint, await entryOf(merged, label));
    }
  }
  const all = [...found.values()];
  const [first] = all;
  if (all.length === 1 && first.info.error !== undefined) throw first.info.error;
  const keyring: OpenPgpKeyring = Object.freeze({
    keys: Object.freeze(all.map(({ info }) => info)),
  });
  entries.set(keyring, all);
  registerKeyring(keyring);
  return keyring;
}

/** What is in a keyring; a key that counts no more has the reason instead of what accepts. */
export function entriesOf(keyring: OpenPgpKeyring | undefined): readonly KeyEntry[] {
  if (keyring === undefined) return [];
  return (entries.get(originOf(keyring)) ?? []).map((entry, i) => {
    const info = keyring.keys[i];
    return info.error === undefined ? entry : { info, key: entry.key };
  });
}

function opened(source: OpenPgpKeySource): { name?: string; content: string | Uint8Array } {
  if (typeof source === "string" || source instanceof Uint8Array) return { content: source };
  if (
    typeof source !== "object" || source === null || typeof source.name !== "string" ||
    !(typeof source.content === "string" || source.content instanceof Uint8Array)
  ) throw new TypeError("An OpenPGP key is text or bytes, or those with a name");
  refuseUnknown(source, ["name", "content"], "an OpenPGP key");
  return source;
}

function packetsOf(content: string | Uint8Array): Packet[] {
  const bytes = typeof content === "string" ? utf8(content) : content;
  if ((bytes[0] & 0x80) !== 0) return readPackets(bytes, MAX_PACKETS);
  const lines = linesOf(bytes);
  const packets: Packet[] = [];
  for (let at = 0; at < lines.length;) {
    if (lines[at].trim() === "") {
      at++;
      continue;
    }
    const { label, bytes: data, next } = readArmor(lines, at);
    if (label !== "PGP PUBLIC KEY BLOCK") throw malformed(`its armor is of ${label}`);
    for (const packet of readPackets(data, MAX_PACKETS - packets.length)) packets.push(packet);
    at = next;
  }
  return packets;
}

/** Packets of each key. */
function splitKeys(packets: readonly Packet[]): Packet[][] {
  const keys: Packet[][] = [];
  for (const packet of packets) {
    const { tag } = packet;
    if (tag === Tag.secretKey || tag === Tag.secretSubkey) {
      throw malformed("it is a private key, wanted a public one");
    }
    if (!OF_KEYS.has(tag)) throw malformed(`a packet of type ${tag} is no part of a public key`);
    if (tag === Tag.publicKey) keys.push([]);
    const key = keys.at(-1);
    if (key === undefined) throw malformed("it does not begin with a primary key");
    if (key.length === MAX_PACKETS_OF_KEY) {
      throw tooMuch(`a key of more than ${MAX_PACKETS_OF_KEY} packets`);
    }
    key.push(packet);
  }
  if (keys.length === 0) throw malformed("it has no key");
  return keys;
}

async function readOne(packets: readonly Packet[]): Promise<PublicKey> {
  for (const { tag, body } of packets) {
    if (tag === Tag.publicKey || tag === Tag.publicSubkey) asKeyError(() => checkKey(body));
  }
  const binaryKey = concat(...packets.map(({ tag, body }) => encodePacket(tag, body)));
  try {
    return (await readKey({ binaryKey, config: CONFIG })).toPublic();
  } catch (cause) {
    throw new AttestationError(
      "malformed-key",
      `Cannot read OpenPGP key: ${reasonOf(cause)}`,
      { cause },
    );
  }
}

/** Its form comes first; what is weak or not supported stays in the keyring, without effect. */
function checkKey(body: Uint8Array): void {
  try {
    materialOf({ write: () => body });
  } catch (error) {
    const { reason } = asRefusal(error);
    if (reason !== "weak-key" && reason !== "unsupported-algorithm") throw error;
  }
}

async function merge(known: PublicKey, other: PublicKey): Promise<PublicKey> {
  try {
    return await known.update(other, undefined, CONFIG);
  } catch (cause) {
    throw new AttestationError("malformed-key", "Cannot read OpenPGP key: its copies differ", {
      cause,
    });
  }
}

async function entryOf(key: PublicKey, name: string): Promise<KeyEntry> {
  const common = {
    name,
    fingerprint: key.getFingerprint(),
    created: key.getCreationTime(),
    userIds: Object.freeze(key.getUserIDs().map((one) => printable(one))),
  };
  try {
    const trusted = await trustedKeyOf(materialOf(key.keyPacket), name);
    const info = Object.freeze({ ...common, keyFingerprint: trusted.fingerprint });
    return { info, key, trusted };
  } catch (error) {
    return { info: Object.freeze({ ...common, error: asRefusal(error) }), key };
  }
}

async function trustedKeyOf(material: KeyMaterial, name: string): Promise<TrustedKey> {
  return await importTrustedKey(encodeSpki(material), { name });
}

/** What is wrong with the packets of a key is wrong with the key. */
function asKeyError<T>(read: () => T): T {
  try {
    return read();
  } catch (cause) {
    if (!isAttestationError(cause) || cause.reason !== "malformed-envelope") throw cause;
    const message = cause.message.replace("Cannot read OpenPGP", "Cannot read OpenPGP key");
    throw new AttestationError("malformed-key", message, { cause });
  }
}

function malformed(what: string): AttestationError {
  return new AttestationError("malformed-key", `Cannot read OpenPGP key: ${what}`);
}

function tooMuch(what: string): AttestationError {
  return new AttestationError("limit-exceeded", `Cannot read OpenPGP keys: ${what}`);
}
