import { deepStrictEqual as deepEqual, ok } from "node:assert/strict";
import { describe, it } from "node:test";
import { isAttestationError } from "../../errors.ts";
import { encodeBase64Url } from "../../internal/base64.ts";
import type { Bytes } from "../../internal/bytes.ts";
import { encodeDer } from "../../internal/der.ts";
import { decodeHex, encodeHex } from "../../internal/hex.ts";
import { encodeBitString } from "../../keys/_der.ts";
import { importTrustedKey, type KeyAlgorithm } from "../../keys/mod.ts";
import { load, options, ran } from "./corpus.ts";

/*
 * What WebCrypto of a runtime takes and should not: our own check refuses it before. The
 * lines WEBCRYPTO tell what this runtime would have taken.
 */

const RSA = { name: "RSASSA-PKCS1-v1_5", hash: "SHA-256" } as const;

type Taken = "refused" | "imported" | "verified";

/** What the runtime does: with a key, and with a signature that must not be good. */
async function taken(
  format: "spki" | "raw" | "jwk",
  key: Bytes | JsonWebKey,
  algorithm: RsaHashedImportParams | EcKeyImportParams | { name: "Ed25519" },
  forged?: { signature: Bytes; message: Bytes },
): Promise<Taken> {
  try {
    const imported = format === "jwk"
      ? await crypto.subtle.importKey("jwk", key as JsonWebKey, algorithm, true, ["verify"])
      : await crypto.subtle.importKey(format, key as Bytes, algorithm, true, ["verify"]);
    if (forged === undefined) return "imported";
    const { signature, message } = forged;
    const params = algorithm.name === "ECDSA" ? { name: "ECDSA", hash: "SHA-256" } : algorithm;
    const verified = await crypto.subtle.verify(params, imported, signature, message)
      .catch(() => false);
    return verified ? "verified" : "imported";
  } catch {
    return "refused";
  }
}

async function ours(key: Uint8Array | JsonWebKey, alg?: KeyAlgorithm): Promise<string> {
  try {
    await importTrustedKey(key, alg === undefined ? {} : { alg });
    return "accepted";
  } catch (error) {
    if (isAttestationError(error)) return error.reason;
    throw error;
  }
}

function integer(value: bigint): Bytes {
  const hex = value.toString(16);
  const bytes = decodeHex(hex.length % 2 === 0 ? hex : `0${hex}`);
  return encodeDer(2, bytes[0] & 0x80 ? Uint8Array.from([0, ...bytes]) : bytes);
}

function rsa(modulus: bigint, exponent: bigint): Bytes {
  const algorithm = decodeHex("300d06092a864886f70d0101010500");
  return encodeDer(
    0x30,
    algorithm,
    encodeBitString(encodeDer(0x30, integer(modulus), integer(exponent))),
  );
}

/** An odd number with so many bits; nobody knows its factors, and nobody needs to. */
function modulusOf(bits: number): bigint {
  return (1n << BigInt(bits - 1)) + (1n << BigInt(bits >> 1)) + 0xfffffn * 2n + 1n;
}

/** The padded digest itself: what e = 1 takes for a signature. */
async function paddedDigest(message: Bytes, size: number): Promise<Bytes> {
  const hash = new Uint8Array(await crypto.subtle.digest("SHA-256", message));
  const info = Uint8Array.from([...decodeHex("3031300d060960864801650304020105000420"), ...hash]);
  const padded = new Uint8Array(size).fill(0xff);
  padded.set([0, 1]);
  padded.set([0], size - info.length - 1);
  padded.set(info, size - info.length);
  return padded;
}

/** Names of hazards that the runtime takes, by what it does with them. */
function report(what: string, found: readonly (readonly [string, Taken])[]): void {
  for (const kind of ["verified", "imported"] as const) {
    const names = found.filter(([, done]) => done === kind).map(([name]) => name);
    if (names.length > 0) {
      console.log(`WEBCRYPTO ${what} ${kind}, refused here: ${names.join(", ")}`);
    }
  }
}

describe("importTrustedKey() refuses what WebCrypto may take", () => {
  it("RSA keys of bad size, exponent or modulus", async () => {
    const good = modulusOf(2048);
    const message = new TextEncoder().encode("forged");
    const cases: [string, bigint, bigint][] = [
      ["e = 0", good, 0n],
      ["e = 1", good, 1n],
      ["e = 2", good, 2n],
      ["e = 65536", good, 65536n],
      ["e of 40 bits", good, (1n << 39n) + 1n],
      ["even modulus", good + 1n, 65537n],
      ["512 bits", modulusOf(512), 65537n],
      ["1024 bits", modulusOf(1024), 65537n],
      ["16384 bits", modulusOf(16384), 65537n],
    ];
    const found: [string, Taken][] = [];
    const wrong: string[] = [];
    for (const [name, modulus, exponent] of cases) {
      const spki = rsa(modulus, exponent);
      const signature = await paddedDigest(message, modulus.toString(16).length / 2);
      found.push([name, await taken("spki", spki, RSA, { signature, message })]);
      if (await ours(spki) === "accepted") wrong.push(name);
    }
    deepEqual(wrong, []);
    report("RSA", found);
  });

  it("P-256 points off the curve, compressed, hybrid, and other forms of the key", async () => {
    const pair = await crypto.subtle.generateKey({ name: "ECDSA", namedCurve: "P-256" }, true, [
      "sign",
      "verify",
    ]) as CryptoKeyPair;
    const spki = new Uint8Array(await crypto.subtle.exportKey("spki", pair.publicKey));
    const jwk = await crypto.subtle.exportKey("jwk", pair.publicKey);
    const curve = { name: "ECDSA", namedCurve: "P-256" };
    const hex = encodeHex(spki);
    const [x, y] = [hex.slice(54, 118), hex.slice(118)];
    const change = (edit: (copy: Uint8Array) => void) => {
      const copy = Uint8Array.from(spki);
      edit(copy);
      return copy;
    };
    const parity = (parseInt(y.slice(-1), 16) & 1) + 2;
    const cases: [string, Bytes][] = [
      ["point off the curve", change((copy) => copy[90] ^= 1)],
      ["hybrid point", change((copy) => copy[26] = parity + 4)],
      ["trailing byte", Uint8Array.from([...spki, 0])],
      ["length in long form", Uint8Array.from([0x30, 0x81, 0x59, ...spki.slice(2)])],
      ["unused bits", change((copy) => copy[25] = 1)],
      [
        "compressed point",
        decodeHex(`3039301306072a8648ce3d020106082a8648ce3d030107032200${`0${parity}`}${x}`),
      ],
    ];
    const found: [string, Taken][] = [];
    const wrong: string[] = [];
    for (const [name, key] of cases) {
      found.push([name, await taken("spki", key, curve)]);
      if (await ours(key) === "accepted") wrong.push(name);
    }
    const numbers = { kty: "EC", crv: "P-256", x: jwk.x ?? "", y: jwk.y ?? "" };
    const wide = encodeBase64Url(decodeHex(`00${x}`));
    const jwks: [string, JsonWebKey, string][] = [
      ["JWK point off the curve", { ...numbers, y: numbers.x }, "P-256"],
      ["JWK of another curve", { ...numbers, crv: "P-384" }, "P-256"],
      ["JWK x with padding", { ...numbers, x: `${numbers.x}=` }, "P-256"],
      ["JWK x with a leading zero", { ...numbers, x: wide }, "P-256"],
      ["JWK curve P-256K", { ...numbers, crv: "P-256K" }, "P-256"],
    ];
    for (const [name, key, namedCurve] of jwks) {
      found.push([name, await taken("jwk", key, { name: "ECDSA", namedCurve })]);
      if (await ours(key) === "accepted") wrong.push(name);
    }
    deepEqual(wrong, []);
    report("P-256", found);
  });

  it("Ed25519 keys of small order, whose signature anybody can make", async () => {
    const points: [string, string][] = [
      ["identity", `01${"00".repeat(31)}`],
      ["order 2", `ec${"ff".repeat(30)}7f`],
      ["order 4", "00".repeat(32)],
      ["y not below p", `ee${"ff".repeat(30)}7f`],
      ["identity with the sign bit", `01${"00".repeat(30)}80`],
    ];
    const message = new TextEncoder().encode("forged");
    const found: [string, Taken][] = [];
    const wrong: string[] = [];
    for (const [name, point] of points) {
      // R is the identity, S is 0.
      const signature = decodeHex(`01${"00".repeat(63)}`);
      const spki = decodeHex(`302a300506032b6570032100${point}`);
      found.push([name, await taken("spki", spki, { name: "Ed25519" }, { signature, message })]);
      if (await ours(spki) === "accepted") wrong.push(name);
    }
    deepEqual(wrong, []);
    report("Ed25519", found);
  });
});

describe("importTrustedKey() and WebCrypto on the public keys of wycheproof", options, () => {
  for (const [size, alg] of [[256, "ES256"], [384, "ES384"], [521, "ES512"]] as const) {
    it(`takes no key of P-${size} that the origin does not call valid`, async () => {
      const { cases } = load<
        { cases: { encoding: string; flags: string[]; public: string; result: string }[] }
      >(`wycheproof/public_keys_p${size}.json`);
      const kinds = new Map<string, number>();
      const wrong: string[] = [];
      let run = 0;
      for (const { encoding, flags, public: given, result } of cases) {
        if (encoding !== "spki" || result === "valid") continue;
        run++;
        const key = decodeHex(given);
        const algorithm = { name: "ECDSA", namedCurve: `P-${size}` };
        if (await taken("spki", key, algorithm) !== "refused") {
          for (const flag of flags) kinds.set(flag, (kinds.get(flag) ?? 0) + 1);
        }
        if (await ours(key, alg) === "accepted") wrong.push(given);
      }
      deepEqual(wrong, []);
      ok(run > 200);
      ran("wycheproof", run);
      if (kinds.size > 0) {
        const text = [...kinds].map(([flag, count]) => `${count} ${flag}`).join(", ");
        console.log(`WEBCRYPTO P-${size} SPKI imported, refused here: ${text}`);
      }
    });
  }
});
