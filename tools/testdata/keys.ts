import type { Reason } from "../../errors.ts";
import { type Bytes, concat } from "../../internal/bytes.ts";
import { encodeBase64Url } from "../../internal/base64.ts";
import { encodePem } from "../../internal/pem.ts";
import { bitString, element, integer, nullValue, oid, sequence } from "../pki/der_writer.ts";
import { publicKeyPem, sha256Of, testKey } from "../pki/keys.ts";
import type { Collection } from "./collection.ts";

const ED25519 = "1.3.101.112";
const EC = "1.2.840.10045.2.1";
const RSA = "1.2.840.113549.1.1.1";
const P256 = "1.2.840.10045.3.1.7";
const SECP256K1 = "1.3.132.0.10";

/** Prime of the field of Ed25519. */
const ED_P = 2n ** 255n - 19n;

/** Faults of other programs that keys show. */
const ADVISORIES: Readonly<Record<string, string>> = {
  "ec-explicit-curve": "CryptoAPI CVE-2020-0601: the parameters of a curve were taken from the key",
  "ec-off-curve": "nistec GO-2023-1595 and others: points that are not on the curve",
  "ed25519-not-canonical": "edwards25519 GO-2026-4503 and others: other writings of a point",
  "rsa-exponent-0": "node-forge CVE-2026-33891: an endless loop on 0",
  "jwk-secret": "JOSE libraries CVE-2015-9235 and others: a public key was taken for a secret one",
};

/** Public keys that are good, weak, malformed, or of an algorithm that nobody should trust. */
export async function addPublicKeys(collection: Collection): Promise<void> {
  const add = (id: string, why: string, rule: string, pem: string, reason?: Reason) => {
    const key = collection.file(`public-key/${id}.pub`, pem);
    collection.case({
      id,
      kind: "public-key",
      files: { key },
      why,
      rule,
      scope: "step:parse",
      ...(reason === undefined ? {} : { reason }),
      ...(ADVISORIES[id] === undefined ? {} : { advisory: ADVISORIES[id] }),
    });
  };
  const pem = (spki: Bytes) => encodePem("PUBLIC KEY", spki);

  const spki: Record<string, Bytes> = {};
  for (const name of ["dsse-ed25519", "dsse-p256", "dsse-p384", "dsse-rsa"]) {
    const key = await testKey(name);
    spki[name] = key.spki;
    add(
      name.slice("dsse-".length),
      `a key of ${key.algorithm}`,
      "RFC 5480, 8410, 3279",
      publicKeyPem(key),
    );
  }

  addEd25519(add, pem);
  addEc(add, pem, spki["dsse-p256"]);
  addRsa(add, pem, spki["dsse-rsa"]);

  const p256 = spki["dsse-p256"];
  const good = pem(p256);
  const frame: readonly [id: string, why: string, text: string, reason: Reason][] = [
    ["der-trailing", "a byte behind the key", pem(concat(p256, Uint8Array.of(0))), "malformed-key"],
    [
      "der-long-length",
      "a length in more octets than it needs",
      pem(concat(Uint8Array.of(0x30, 0x82, 0, p256[1]), p256.subarray(2))),
      "malformed-key",
    ],
    [
      "der-indefinite-length",
      "BER: an indefinite length",
      pem(concat(Uint8Array.of(0x30, 0x80), p256.subarray(2), Uint8Array.of(0, 0))),
      "malformed-key",
    ],
    ["der-truncated", "the last byte is missing", pem(p256.subarray(0, -1)), "malformed-key"],
    ["pem-empty", "a block with nothing in it", pem(new Uint8Array()), "malformed-key"],
    ["pem-label", "the label of a private key", encodePem("PRIVATE KEY", p256), "malformed-key"],
    ["pem-two", "two keys in a file of one", good + good, "malformed-pem"],
    ["pem-no-end", "no end line", good.slice(0, good.indexOf("-----END")), "malformed-pem"],
  ];
  for (const [id, why, text, reason] of frame) {
    add(id, why, "RFC 7468; X.690, DER", text, reason);
  }
}

type Add = (id: string, why: string, rule: string, pem: string, reason?: Reason) => void;
type Pem = (spki: Bytes) => string;

function addEd25519(add: Add, pem: Pem): void {
  const rule = "RFC 8032, 5.1.3 and 5.1.7; RFC 8410";
  const key = (y: bigint, sign = 0) => {
    const point = new Uint8Array(32);
    for (let i = 0, rest = y; i < 32; i++, rest >>= 8n) point[i] = Number(rest & 255n);
    point[31] |= sign << 7;
    return pem(sequence(sequence(oid(ED25519)), bitString(point)));
  };
  // Order 8: d*y^4 + 2*y^2 = 1; the encodings are those of the libraries' own tests.
  const eight = 0x7a03ac9277fdc74ec6cc392cfa53202a0f67100d760b3cba4fd84d3d706a17c7n;
  const small: readonly [string, string, bigint, number][] = [
    ["order-1", "the neutral element: S = 0 signs everything", 1n, 0],
    ["order-2", "the point of order 2", ED_P - 1n, 0],
    ["order-4", "a point of order 4", 0n, 0],
    ["order-4-negative", "the other point of order 4", 0n, 1],
    ["order-8", "a point of order 8", eight, 0],
    ["order-8-negative", "another point of order 8", ED_P - eight, 1],
  ];
  for (const [id, why, y, sign] of small) {
    add(`ed25519-${id}`, why, rule, key(y, sign), "weak-key");
  }
  add(
    "ed25519-not-canonical",
    "y = p + 1, the neutral element in another writing",
    rule,
    key(ED_P + 1n),
    "malformed-key",
  );
  add("ed25519-not-on-curve", "y = 2 has no x", rule, key(2n), "malformed-key");
  const short = sequence(sequence(oid(ED25519)), bitString(new Uint8Array(31).fill(3)));
  add("ed25519-short", "31 octets", rule, pem(short), "malformed-key");
  const parameters = sequence(
    sequence(oid(ED25519), nullValue()),
    bitString(new Uint8Array(32).fill(3)),
  );
  add(
    "ed25519-parameters",
    "parameters, which must be absent",
    rule,
    pem(parameters),
    "malformed-key",
  );
  for (const [name, id] of [["x25519", "1.3.101.110"], ["ed448", "1.3.101.113"]] as const) {
    const other = sequence(sequence(oid(id)), bitString(new Uint8Array(32).fill(3)));
    add(name, `a key of ${name}`, "RFC 8410", pem(other), "unsupported-algorithm");
  }
}

function addEc(add: Add, pem: Pem, p256: Bytes): void {
  const rule = "RFC 5480, 2; SEC 1, 2.3 and 3.2.2.1";
  const point = p256.slice(-65);
  const key = (encoded: Bytes, curve = P256, unused = 0) =>
    pem(sequence(sequence(oid(EC), oid(curve)), bitString(encoded, unused)));
  const changed = (at: number, value: number) => {
    const copy = point.slice();
    copy[at] = value;
    return copy;
  };
  const x = point.slice(1, 33);
  const parity = point[64] & 1;
  const cases: readonly [id: string, why: string, pem: string, reason: Reason][] = [
    [
      "off-curve",
      "a point that is not on the curve",
      key(changed(64, point[64] ^ 1)),
      "malformed-key",
    ],
    ["infinity", "the point at infinity", key(Uint8Array.of(0)), "malformed-key"],
    ["zero", "x = y = 0", key(concat(Uint8Array.of(4), new Uint8Array(64))), "malformed-key"],
    [
      "coordinate-too-large",
      "x is not below the prime of the field",
      key(concat(Uint8Array.of(4), new Uint8Array(32).fill(255), point.slice(33))),
      "malformed-key",
    ],
    [
      "compressed",
      "a compressed point",
      key(concat(Uint8Array.of(2 + parity), x)),
      "malformed-key",
    ],
    ["hybrid", "a hybrid point", key(changed(0, 6 + parity)), "malformed-key"],
    ["short", "a coordinate of 31 octets", key(point.slice(0, -1)), "malformed-key"],
    ["unused-bits", "a bit string with unused bits", key(point, P256, 1), "malformed-key"],
    [
      "no-curve",
      "no curve",
      pem(sequence(sequence(oid(EC)), bitString(point))),
      "malformed-key",
    ],
    [
      "explicit-curve",
      "the parameters of a curve in the place of its name: CVE-2020-0601",
      pem(sequence(sequence(oid(EC), sequence(integer(1))), bitString(point))),
      "malformed-key",
    ],
    ["secp256k1", "the curve secp256k1", key(point, SECP256K1), "unsupported-algorithm"],
    [
      "brainpool",
      "the curve brainpoolP256r1",
      key(point, "1.3.36.3.3.2.8.1.1.7"),
      "unsupported-algorithm",
    ],
    ["p224", "the curve P-224", key(point, "1.3.132.0.33"), "unsupported-algorithm"],
  ];
  for (const [id, why, text, reason] of cases) add(`ec-${id}`, why, rule, text, reason);
  add(
    "ec-jwk-off-curve",
    "a JWK whose point is not on the curve",
    "RFC 7518, 6.2.1",
    jwk({
      kty: "EC",
      crv: "P-256",
      x: urlOf(x),
      y: urlOf(changed(64, point[64] ^ 1).slice(33)),
    }),
    "malformed-key",
  );
  add(
    "ec-jwk",
    "a JWK",
    "RFC 7517",
    jwk({
      kty: "EC",
      crv: "P-256",
      x: urlOf(x),
      y: urlOf(point.slice(33)),
    }),
  );
  add(
    "jwk-secret",
    "a JWK with a secret key for HMAC",
    "RFC 7518, 6.4",
    jwk({
      kty: "oct",
      k: urlOf(sha256Of("everybody knows it")),
    }),
    "unsupported-algorithm",
  );
}

function addRsa(add: Add, pem: Pem, rsa: Bytes): void {
  const rule = "RFC 8017, 3.1; NIST SP 800-131A: 2048 bits";
  const key = (modulus: Bytes, exponent: number | Bytes, algorithm = RSA) =>
    pem(sequence(
      sequence(oid(algorithm), nullValue()),
      bitString(sequence(integer(modulus), integer(exponent))),
    ));
  /** The modulus of the test key: 256 octets before the exponent 65537, 5 octets with its head. */
  const modulus = rsa.slice(-5 - 256, -5);
  const numberOf = (bits: number) => {
    const parts: Bytes[] = [];
    for (let i = 0; i * 256 < bits; i++) parts.push(sha256Of(`modulus ${bits} ${i}`));
    const bytes = concat(...parts).slice(0, bits / 8);
    bytes[0] |= 0x80;
    bytes[bytes.length - 1] |= 1;
    return bytes;
  };
  const even = modulus.slice();
  even[255] &= 0xfe;
  const cases: readonly [id: string, why: string, pem: string, reason: Reason][] = [
    ["512", "512 bits", key(numberOf(512), 65537), "weak-key"],
    ["1024", "1024 bits", key(numberOf(1024), 65537), "weak-key"],
    ["2040", "2040 bits", key(numberOf(2040), 65537), "weak-key"],
    ["16384", "16384 bits: what it costs to verify", key(numberOf(16384), 65537), "limit-exceeded"],
    [
      "exponent-1",
      "exponent 1: the padded digest is its own signature",
      key(modulus, 1),
      "weak-key",
    ],
    ["exponent-0", "exponent 0", key(modulus, 0), "weak-key"],
    ["exponent-even", "an even exponent", key(modulus, 65536), "malformed-key"],
    ["modulus-even", "an even modulus", key(even, 65537), "malformed-key"],
    [
      "pss-identifier",
      "the identifier of RSASSA-PSS",
      key(modulus, 65537, "1.2.840.113549.1.1.10"),
      "unsupported-algorithm",
    ],
    [
      "no-parameters",
      "no parameters, which must be NULL",
      pem(sequence(sequence(oid(RSA)), bitString(sequence(integer(modulus), integer(65537))))),
      "malformed-key",
    ],
    [
      "negative",
      "a modulus below zero",
      pem(sequence(
        sequence(oid(RSA), nullValue()),
        bitString(sequence(element(2, modulus), integer(65537))),
      )),
      "malformed-key",
    ],
    ["dsa", "a key of DSA", key(modulus, 65537, "1.2.840.10040.4.1"), "unsupported-algorithm"],
  ];
  for (const [id, why, text, reason] of cases) add(`rsa-${id}`, why, rule, text, reason);
}

function urlOf(bytes: Uint8Array): string {
  return encodeBase64Url(bytes);
}

function jwk(members: Record<string, string>): string {
  return JSON.stringify(members) + "\n";
}
