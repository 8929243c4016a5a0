import { encodeBase64 } from "../../internal/base64.ts";
import { keyOf, raw } from "../_fixtures_test.ts";
import { readSpki } from "../../keys/spki.ts";
import type { KeyAlgorithm } from "../../keys/mod.ts";
import { type Bytes, concat, utf8 } from "../../internal/bytes.ts";
import { encodePacket } from "./_packets.ts";

/** When all keys and signatures are made, unless a test says otherwise. */
export const MADE = new Date("2025-01-01T00:00:00Z");
/** When they are judged. */
export const NOW = new Date("2025-06-01T00:00:00Z");
const DAY = 86_400;

/** What may be odd about a signature. */
export interface SignatureForm {
  type?: number;
  hash?: number;
  created?: Date;
  /** Parts that are signed, in place of or beside the time of creation. */
  hashed?: Uint8Array[];
  /** Parts that are not signed. Default: the id of the key. */
  unhashed?: Uint8Array[];
  /** Leaves out the time of creation. */
  timeless?: boolean;
  version?: 4 | 6;
}

/** A key as OpenPGP has it, with all that is needed to sign. */
export interface TestKey {
  /** Body of the public key packet. */
  body: Bytes;
  fingerprint: Bytes;
  keyid: Bytes;
  version: 4 | 6;
  /** Number of its algorithm. */
  algorithm: number;
  /** Number of the digest that it signs. */
  hash: number;
  /** The signature as its packet holds it. */
  sign(data: Bytes, digest: Bytes): Promise<Bytes>;
}

/** A number of some octets. */
export function uint(value: number, octets: number): Bytes {
  const bytes = new Uint8Array(octets);
  for (let i = octets - 1; i >= 0; i--, value = Math.floor(value / 256)) bytes[i] = value % 256;
  return bytes;
}

function seconds(time: Date): Bytes {
  return uint(Math.floor(time.getTime() / 1000), 4);
}

function mpi(value: Uint8Array): Bytes {
  let start = 0;
  while (value[start] === 0) start++;
  const rest = value.subarray(start);
  const bits = rest.length === 0 ? 0 : rest.length * 8 - Math.clz32(rest[0]) + 24;
  return concat(uint(bits, 2), rest);
}

/** A part of a signature. */
export function part(type: number, body: Uint8Array): Bytes {
  return concat(uint(body.length + 1, 1), uint(type, 1), body);
}

async function hash(algorithm: string, ...parts: Uint8Array[]): Promise<Bytes> {
  return new Uint8Array(await crypto.subtle.digest(algorithm, concat(...parts)));
}

/** Makes a key. */
export async function makeKey(
  { created = MADE, version = 4 as 4 | 6 } = {},
): Promise<TestKey> {
  const pair = await crypto.subtle.generateKey("Ed25519", true, [
    "sign",
    "verify",
  ]) as CryptoKeyPair;
  const point = new Uint8Array(await crypto.subtle.exportKey("raw", pair.publicKey));
  const oid = Uint8Array.of(9, 0x2b, 6, 1, 4, 1, 0xda, 0x47, 0x0f, 1);
  const body = version === 4
    ? concat(uint(4, 1), seconds(created), uint(22, 1), oid, uint(263, 2), uint(0x40, 1), point)
    : concat(uint(6, 1), seconds(created), uint(27, 1), uint(32, 4), point);
  const fingerprint = await hash(version === 4 ? "SHA-1" : "SHA-256", keyed(body, version));
  return {
    body,
    version,
    algorithm: version === 4 ? 22 : 27,
    hash: 8,
    fingerprint,
    keyid: (version === 4 ? fingerprint.slice(-8) : fingerprint.slice(0, 8)) as Bytes,
    async sign(_data, digest) {
      const signed = new Uint8Array(
        await crypto.subtle.sign("Ed25519", pair.privateKey, digest),
      );
      return version === 4 ? halves(signed) : signed;
    },
  };
}

const OIDS: Readonly<Record<string, readonly number[]>> = {
  "P-256": [0x2a, 0x86, 0x48, 0xce, 0x3d, 3, 1, 7],
  "P-384": [0x2b, 0x81, 4, 0, 0x22],
};

/** A key of RSA or ECDSA. */
export async function makeKeyOf(alg: KeyAlgorithm): Promise<TestKey> {
  if (alg === "Ed25519") return await makeKey();
  const { signer } = await keyOf(alg);
  const material = readSpki(await signer.publicKey());
  const isRsa = material.kind === "RSA";
  let value: Bytes;
  if (material.kind === "RSA") value = concat(mpi(material.modulus), mpi(material.exponent));
  else if (material.kind === "EC") {
    const oid = Uint8Array.from(OIDS[material.curve]);
    value = concat(uint(oid.length, 1), oid, mpi(material.point));
  } else throw new Error(`${alg}: no key of OpenPGP`);
  const body = concat(uint(4, 1), seconds(MADE), uint(isRsa ? 1 : 19, 1), value);
  const fingerprint = await hash("SHA-1", keyed(body, 4));
  return {
    body,
    version: 4,
    algorithm: isRsa ? 1 : 19,
    hash: alg === "ES384" ? 9 : 8,
    fingerprint,
    keyid: fingerprint.slice(-8) as Bytes,
    async sign(data) {
      const signed = raw(alg, await signer.sign(data));
      return isRsa ? mpi(signed) : halves(signed);
    },
  };
}

/** Two numbers of one length. */
function halves(signature: Uint8Array): Bytes {
  const size = signature.length / 2;
  return concat(mpi(signature.subarray(0, size)), mpi(signature.subarray(size)));
}

/** A key as it enters a signature over it: RFC 9580, 5.2.4. */
function keyed(body: Uint8Array, version: number): Bytes {
  return version === 4
    ? concat(uint(0x99, 1), uint(body.length, 2), body)
    : concat(uint(0x9b, 1), uint(body.length, 4), body);
}

const HASHES: Readonly<Record<number, [string, number]>> = {
  2: ["SHA-1", 16],
  8: ["SHA-256", 16],
  9: ["SHA-384", 24],
  10: ["SHA-512", 32],
};

/** Body of a signature packet over data. */
export async function signatureBody(
  key: TestKey,
  data: Uint8Array,
  form: SignatureForm = {},
): Promise<Bytes> {
  const { type = 0, hash: algorithm = key.hash, created = MADE, hashed = [], timeless = false } =
    form;
  const { version = key.version } = form;
  const issuer = key.version === 4 ? part(16, key.keyid) : part(
    33,
    concat(uint(6, 1), key.fingerprint),
  );
  const { unhashed = [issuer] } = form;
  const time = timeless ? [] : [part(2, seconds(created))];
  const signed = concat(...time, ...hashed);
  const rest = concat(...unhashed);
  const octets = version === 6 ? 4 : 2;
  const head = concat(
    Uint8Array.of(version, type, key.algorithm, algorithm),
    uint(signed.length, octets),
    signed,
  );
  const [name, saltBytes] = HASHES[algorithm] ?? ["SHA-256", 0];
  const salt = new Uint8Array(version === 6 ? saltBytes : 0).fill(7);
  const trailer = concat(head, Uint8Array.of(version, 0xff), uint(head.length, 4));
  const preimage = concat(salt, data, trailer);
  const digest = await hash(name, preimage);
  return concat(
    head,
    uint(rest.length, octets),
    rest,
    digest.subarray(0, 2),
    ...(version === 6 ? [uint(salt.length, 1), salt] : []),
    await key.sign(preimage, digest),
  );
}

/** A signature packet over data. */
export async function signaturePacket(
  key: TestKey,
  data: Uint8Array,
  form: SignatureForm = {},
): Promise<Bytes> {
  return encodePacket(2, await signatureBody(key, data, form));
}

/** What may be odd about a key. */
export interface KeyForm {
  /** Seconds from its making to its end. */
  lasts?: number;
  /** It revokes itself, in this way. */
  revocation?: SignatureForm;
  /** Makes that signature. Default: the key. */
  revoker?: TestKey;
  /** What it is for; 2 is signing. */
  flags?: number;
  /** A subkey that signs. */
  subkey?: TestKey;
  /** The subkey is revoked, in this way. */
  subkeyRevocation?: SignatureForm;
  /** The subkey does not say itself that it belongs to the key. */
  withoutBackSignature?: boolean;
}

/** A public key with a name and its own signature over that, as packets. */
export async function publicKey(key: TestKey, form: KeyForm = {}): Promise<Bytes> {
  const { lasts, revocation, revoker = key, flags = 3, subkey } = form;
  const whole = keyed(key.body, key.version);
  const userId = utf8("Test <test@example.com>");
  const own = await signaturePacket(
    key,
    concat(whole, uint(0xb4, 1), uint(userId.length, 4), userId),
    {
      type: 0x13,
      hashed: [
        part(27, uint(flags, 1)),
        ...(lasts === undefined ? [] : [part(9, uint(lasts, 4))]),
      ],
    },
  );
  // RFC 9580, 10.1.1: version 6 says of itself what it is for in a signature over the key alone.
  const direct = key.version === 6
    ? [await signaturePacket(key, whole, { type: 0x1f, hashed: [part(27, uint(flags, 1))] })]
    : [];
  const packets = [encodePacket(6, key.body)];
  if (revocation !== undefined) {
    packets.push(await signaturePacket(revoker, whole, { type: 0x20, ...revocation }));
  }
  packets.push(...direct, encodePacket(13, userId), own);
  if (subkey !== undefined) {
    const both = concat(whole, keyed(subkey.body, subkey.version));
    const back = await signatureBody(subkey, both, { type: 0x19 });
    packets.push(
      encodePacket(14, subkey.body),
      await signaturePacket(key, both, {
        type: 0x18,
        hashed: [part(27, uint(2, 1))],
        unhashed: [
          part(16, key.keyid),
          ...(form.withoutBackSignature === true ? [] : [part(32, back)]),
        ],
      }),
    );
    if (form.subkeyRevocation !== undefined) {
      packets.push(await signaturePacket(key, both, { type: 0x28, ...form.subkeyRevocation }));
    }
  }
  return concat(...packets);
}

/** Packets in armor. */
export function armor(
  label: string,
  bytes: Uint8Array,
  { headers = [] as string[], crc = "" } = {},
): string {
  const text = encodeBase64(bytes).replace(/.{64}/g, "$&\n").trimEnd();
  return `-----BEGIN PGP ${label}-----\n${headers.map((one) => `${one}\n`).join("")}\n${text}\n${
    crc === "" ? "" : `${crc}\n`
  }-----END PGP ${label}-----\n`;
}

/** Clear text, signed. */
export async function cleartext(
  key: TestKey,
  text: string,
  { form = {} as SignatureForm, header = "Hash: SHA256\n" } = {},
): Promise<string> {
  const lines = text.split("\n").map((line) => line.replace(/[\t ]+$/, ""));
  const signature = await signaturePacket(key, utf8(lines.join("\r\n")), { type: 1, ...form });
  const escaped = text.split("\n").map((line) => line.startsWith("-") ? `- ${line}` : line);
  return `-----BEGIN PGP SIGNED MESSAGE-----\n${header}\n${escaped.join("\n")}\n${
    armor("SIGNATURE", signature)
  }`;
}

/** A literal packet. */
export function literal(data: Uint8Array, kind = "b"): Bytes {
  return encodePacket(11, concat(utf8(kind), uint(1, 1), utf8("x"), uint(0, 4), data));
}

/** The announcement of a signature of version 4. */
export function onePass(key: TestKey, { type = 0, hash = key.hash, isLast = true } = {}): Bytes {
  return encodePacket(
    4,
    concat(Uint8Array.of(3, type, hash, key.algorithm), key.keyid, uint(isLast ? 1 : 0, 1)),
  );
}

/** A message that holds what it signs. */
export async function inline(
  key: TestKey,
  data: Uint8Array,
  form: SignatureForm = {},
): Promise<Bytes> {
  return concat(
    onePass(key, form),
    literal(data),
    await signaturePacket(key, data, form),
  );
}

/** Packets in a packet that is compressed. */
export async function compressed(bytes: Uint8Array, indeterminate = false): Promise<Bytes> {
  const stream = new Blob([bytes as Bytes]).stream().pipeThrough(
    new CompressionStream("deflate-raw"),
  );
  const body = concat(uint(1, 1), new Uint8Array(await new Response(stream).arrayBuffer()));
  return indeterminate ? concat(uint(0xa3, 1), body) : encodePacket(8, body);
}

/** Seconds of some days. */
export function days(count: number): number {
  return count * DAY;
}

/** A value in a header of RPM: text, texts, a number or bytes. */
export type RpmValue = string | string[] | number | Uint8Array;

/** A header of RPM. */
export function rpmHeader(
  region: 62 | 63,
  values: readonly (readonly [number, RpmValue])[],
): Bytes {
  const index: Uint8Array[] = [];
  const store: Uint8Array[] = [];
  let at = 0;
  const put = (bytes: Uint8Array) => {
    store.push(bytes);
    at += bytes.length;
  };
  for (const [tag, value] of values) {
    if (typeof value === "number") put(new Uint8Array((4 - at % 4) % 4));
    const [type, count, bytes] = typeof value === "string"
      ? [6, 1, utf8(`${value}\0`)] as const
      : typeof value === "number"
      ? [4, 1, uint(value, 4)] as const
      : value instanceof Uint8Array
      ? [7, value.length, value] as const
      : [8, value.length, utf8(value.map((one) => `${one}\0`).join(""))] as const;
    index.push(concat(uint(tag, 4), uint(type, 4), uint(at, 4), uint(count, 4)));
    put(bytes);
  }
  const count = values.length + 1;
  const first = concat(uint(region, 4), uint(7, 4), uint(at, 4), uint(16, 4));
  const trailer = concat(uint(region, 4), uint(7, 4), uint(2 ** 32 - 16 * count, 4), uint(16, 4));
  return concat(
    Uint8Array.of(0x8e, 0xad, 0xe8, 1, 0, 0, 0, 0),
    uint(count, 4),
    uint(at + 16, 4),
    first,
    ...index,
    ...store,
    trailer,
  );
}

/** A package of RPM from its parts. */
export function rpmOf(signatureHeader: Uint8Array, header: Uint8Array, payload: Uint8Array): Bytes {
  const lead = new Uint8Array(96);
  lead.set([0xed, 0xab, 0xee, 0xdb, 3]);
  const padding = new Uint8Array((8 - signatureHeader.length % 8) % 8);
  return concat(lead, signatureHeader, padding, header, payload);
}
