import { AttestationError } from "../../errors.ts";
import type { Bytes } from "../../internal/bytes.ts";
import { encodeHex } from "../../internal/hex.ts";
import type { HashName } from "../../internal/digest.ts";
import { malformed, type Packet, PacketReader, Tag } from "./_packets.ts";

/** A signature packet, read and not verified. */
export interface OpenPgpSignature {
  /** Version of the packet. */
  readonly version: 4 | 6;
  /** What it is over: 0 bytes as they are, 1 text with its line ends made equal. */
  readonly type: number;
  /** Algorithm of the key, by its number. */
  readonly keyAlgorithm: number;
  /** Algorithm of the digest, by its number. */
  readonly hashAlgorithm: number;
  /** When the signer says that it was made. */
  readonly created: Date;
  /** Until when it counts, if the signer says so. */
  readonly expires?: Date;
  /** Key that made it, as the packet says: its id, and its fingerprint if that is stated. */
  readonly issuer: { readonly keyid: string; readonly fingerprint?: string };
  /** Body of the packet. */
  readonly body: Bytes;
  /** A part that has to be understood, and is not. */
  readonly refusal?: AttestationError;
}

/** Digests by their number: RFC 9580, 9.5. */
const HASHES: ReadonlyMap<number, { name: string; salt: number; hash?: HashName }> = new Map([
  [1, { name: "MD5", salt: 0 }],
  [2, { name: "SHA1", salt: 0 }],
  [3, { name: "RIPEMD160", salt: 0 }],
  [8, { name: "SHA256", salt: 16, hash: "SHA-256" }],
  [9, { name: "SHA384", salt: 24, hash: "SHA-384" }],
  [10, { name: "SHA512", salt: 32, hash: "SHA-512" }],
  [11, { name: "SHA224", salt: 16 }],
  [12, { name: "SHA3-256", salt: 16 }],
  [14, { name: "SHA3-512", salt: 32 }],
]);
const BROKEN: ReadonlySet<number> = new Set([1, 2, 3]);

/** Name of a digest in armor, or its number. */
export function hashName(algorithm: number): string {
  return HASHES.get(algorithm)?.name ?? `hash ${algorithm}`;
}

/** Tells whether armor may name a digest so. */
export function isHashName(name: string): boolean {
  return [...HASHES.values()].some((one) => one.name === name);
}

/**
 * The digest as WebCrypto names it.
 *
 * @throws {AttestationError} `weak-hash`, `unsupported-algorithm`.
 */
export function acceptedHash(algorithm: number, what: string): HashName {
  const hash = HASHES.get(algorithm)?.hash;
  if (hash !== undefined) return hash;
  const broken = BROKEN.has(algorithm);
  throw new AttestationError(
    broken ? "weak-hash" : "unsupported-algorithm",
    `Cannot verify ${what}: it is over ${hashName(algorithm)}, wanted SHA-256, SHA-384 or SHA-512`,
  );
}

const CREATED = 2, EXPIRES = 3, ISSUER = 16, ISSUER_FINGERPRINT = 33;
/** Parts whose meaning is heeded here: a critical one of another kind refuses the signature. */
const UNDERSTOOD: ReadonlySet<number> = new Set([CREATED, EXPIRES, ISSUER, ISSUER_FINGERPRINT]);
const MAX_SUBPACKETS = 256;

interface Subpacket {
  readonly type: number;
  readonly isCritical: boolean;
  readonly body: Bytes;
}

/**
 * Reads a signature packet over data: of version 4 or 6, over bytes or text, with one time of
 * creation that it covers, and with the key that made it.
 *
 * Source: RFC 9580, 5.2.
 *
 * @throws {AttestationError} `malformed-envelope`, `unsupported-signature-type`, `limit-exceeded`.
 */
export function parseSignaturePacket({ tag, body }: Packet): OpenPgpSignature {
  if (tag !== Tag.signature) throw malformed(`a packet of type ${tag} is no signature`);
  const reader = new PacketReader(body);
  const version = reader.number(1);
  if (version !== 4 && version !== 6) {
    throw unsupported(`a signature of version ${version}, wanted 4 or 6`);
  }
  const type = reader.number(1);
  if (type !== 0 && type !== 1) throw unsupported(`a signature of type ${type} is not over data`);
  const keyAlgorithm = reader.number(1);
  const hashAlgorithm = reader.number(1);
  const octets = version === 6 ? 4 : 2;
  const hashed = subpackets(reader.take(reader.number(octets)));
  const unhashed = subpackets(reader.take(reader.number(octets)));
  reader.take(2);
  if (version === 6) {
    const salt = reader.take(reader.number(1));
    const wanted = HASHES.get(hashAlgorithm)?.salt;
    if (wanted !== undefined && salt.length !== wanted) {
      throw malformed(`a salt of ${salt.length} bytes, wanted ${wanted}`);
    }
  }
  readValue(reader, keyAlgorithm);
  const created = timeOf(one(hashed, CREATED));
  if (created === undefined) throw malformed("a signature does not say when it was made");
  const lasts = one(hashed, EXPIRES);
  const seconds = lasts === undefined ? 0 : new PacketReader(lasts).number(4);
  const critical = [...hashed, ...unhashed].find((part) =>
    part.isCritical && !UNDERSTOOD.has(part.type)
  );
  return {
    version,
    type,
    keyAlgorithm,
    hashAlgorithm,
    created,
    // RFC 9580, 5.2.3.18: zero means that it never expires.
    ...(seconds === 0 ? {} : { expires: new Date(created.getTime() + seconds * 1000) }),
    issuer: issuerOf([hashed, unhashed]),
    body,
    ...(critical === undefined ? {} : {
      refusal: new AttestationError(
        "unsupported-critical-header",
        `Cannot verify signature: its part ${critical.type} is critical, and is not known here`,
      ),
    }),
  };
}

/** The numbers of the signature: the packet holds them and nothing more. */
function readValue(reader: PacketReader, algorithm: number): void {
  if (algorithm === 1 || algorithm === 3) reader.mpi();
  else if (algorithm === 17 || algorithm === 19 || algorithm === 22) {
    reader.mpi();
    reader.mpi();
  } else if (algorithm === 27) reader.take(64);
  // Nobody verifies another one, so its form does not matter.
  else reader.take(reader.left);
  if (reader.left > 0) throw malformed(`${reader.left} bytes follow in a signature`);
}

function subpackets(bytes: Bytes): Subpacket[] {
  const reader = new PacketReader(bytes);
  const found: Subpacket[] = [];
  while (reader.left > 0) {
    if (found.length === MAX_SUBPACKETS) {
      throw new AttestationError(
        "limit-exceeded",
        `Cannot read OpenPGP: more than ${MAX_SUBPACKETS} parts of a signature`,
      );
    }
    const first = reader.number(1);
    const length = first < 192
      ? first
      : first < 255
      ? (first - 192 << 8) + reader.number(1) + 192
      : reader.number(4);
    if (length === 0) throw malformed("a part of a signature is empty");
    const type = reader.number(1);
    const body = reader.take(length - 1);
    found.push({ type: type & 0x7f, isCritical: type > 0x7f, body });
  }
  return found;
}

/** The part of a kind: what stands twice can be read in two ways. */
function one(parts: readonly Subpacket[], type: number): Bytes | undefined {
  const found = parts.filter((part) => part.type === type);
  if (found.length > 1) {
    throw malformed(`a signature has ${found.length} parts of the kind ${type}`);
  }
  return found[0]?.body;
}

function timeOf(body: Bytes | undefined): Date | undefined {
  if (body === undefined) return undefined;
  if (body.length !== 4) throw malformed("a time has not 4 bytes");
  return new Date(new PacketReader(body).number(4) * 1000);
}

/** It may stand in what is not signed: it names a key, which has to verify. */
function issuerOf(areas: readonly (readonly Subpacket[])[]): OpenPgpSignature["issuer"] {
  const ids = new Set<string>();
  const fingerprints = new Set<string>();
  for (const area of areas) {
    const id = one(area, ISSUER);
    if (id !== undefined) ids.add(encodeHex(sized(id, 8)));
    const fingerprint = one(area, ISSUER_FINGERPRINT);
    if (fingerprint === undefined) continue;
    const [version] = fingerprint;
    const own = encodeHex(sized(fingerprint, version === 6 ? 33 : 21).subarray(1));
    fingerprints.add(own);
    ids.add(version === 6 ? own.slice(0, 16) : own.slice(-16));
  }
  if (ids.size !== 1 || fingerprints.size > 1) {
    throw malformed(
      ids.size === 0 ? "a signature does not name its key" : "a signature names two keys",
    );
  }
  const [keyid] = ids;
  const [fingerprint] = fingerprints;
  return fingerprint === undefined ? { keyid } : { keyid, fingerprint };
}

function sized(bytes: Bytes, length: number): Bytes {
  if (bytes.length !== length) throw malformed(`the name of a key has ${bytes.length} bytes`);
  return bytes;
}

function unsupported(what: string): AttestationError {
  return new AttestationError("unsupported-signature-type", `Cannot read OpenPGP: ${what}`);
}
