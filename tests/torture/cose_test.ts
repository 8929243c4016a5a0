import { deepStrictEqual as deepEqual, ok, strictEqual as equal, throws } from "node:assert/strict";
import { describe, it } from "node:test";
import { isAttestationError } from "../../errors.ts";
import { parseSign1, sigStructure } from "../../formats/cose/_sign1.ts";
import { verifyCoseSign1 } from "../../formats/cose/mod.ts";
import { verifyFormat } from "../../formats/mod.ts";
import { encodeBase64Url } from "../../internal/base64.ts";
import { utf8 } from "../../internal/bytes.ts";
import { type Cbor, CborTag, decodeCbor } from "../../internal/cbor.ts";
import { decodeHex, encodeHex } from "../../internal/hex.ts";
import { importTrustedKey, type KeyAlgorithm, type TrustedKey } from "../../keys/mod.ts";
import { load, options, ran } from "./corpus.ts";

/* Third-party vectors: cbor/test-vectors (RFC 7049, appendix A) and cose-wg/Examples. */

interface CborCase {
  hex: string;
  decoded?: unknown;
  diagnostic?: string;
}

/** Cases of appendix A that strict CBOR has not, by their first byte or bytes. */
const NOT_STRICT: readonly [RegExp, string][] = [
  [/^[579b]f|^8.*9f|^826161bf/, "lengths are stated"],
  [/^f7$/, "undefined is no value"],
  [/^f(0|8..)$/, "a simple value without a meaning"],
];

/** A value as the corpus writes it; names of maps are text there. */
function plain(value: Cbor): unknown {
  if (value instanceof Map) {
    return Object.fromEntries([...value].map(([name, one]) => [String(name), plain(one)]));
  }
  if (Array.isArray(value)) return value.map(plain);
  if (value instanceof CborTag && (value.tag === 2 || value.tag === 3)) {
    const number = BigInt(`0x${encodeHex(value.value)}`);
    return Number(value.tag === 2 ? number : -1n - number);
  }
  if (value instanceof Uint8Array) return `h'${encodeHex(value)}'`;
  if (value instanceof CborTag) return `${value.tag}(${shown(value.value)})`;
  return typeof value === "bigint" ? Number(value) : value;
}

function shown(value: Cbor): string {
  return typeof value === "string" ? JSON.stringify(value) : String(plain(value));
}

describe("decodeCbor() on the examples of RFC 7049", options, () => {
  it("reads what is strict, and refuses the rest", () => {
    const cases = load<CborCase[]>("cbor/appendix_a.json");
    let otherwise = 0;
    for (const { hex, decoded, diagnostic } of cases) {
      const isLax = NOT_STRICT.some(([pattern]) => pattern.test(hex));
      if (isLax) {
        otherwise++;
        throws(() => decodeCbor(decodeHex(hex)), { reason: "malformed-cbor" }, hex);
        continue;
      }
      const value = plain(decodeCbor(decodeHex(hex)));
      if (decoded === undefined) {
        const text = typeof value === "object" && value !== null
          ? `{${Object.entries(value).map(([name, one]) => `${name}: ${one}`).join(", ")}}`
          : String(value);
        equal(text, diagnostic, hex);
      } else if (Object.is(value, -0)) equal(hex, "f98000");
      else deepEqual(value, decoded, hex);
    }
    equal(otherwise, 15);
    ran("cbor", cases.length, otherwise);
  });
});

interface CoseCase {
  name: string;
  result: "valid" | "invalid";
  input: {
    plaintext: string;
    sign0?: { key: JsonWebKey & { kid?: string; x_hex?: string }; external?: string };
  };
  intermediates: { ToBeSign_hex?: string };
  output: { cbor: string };
}

/** Cases that are decided otherwise than by the origin. */
const OTHERWISE: Readonly<Record<string, string>> = {
  "sign1-tests/sign-pass-01": "the algorithm is in the header that nobody signed",
  "eddsa-examples/eddsa-sig-02": "WebCrypto has no Ed448",
};

/** Cases that are decided alike, with what they ask for. */
const UNTAGGED = "sign1-tests/sign-pass-03";

/** Algorithm of a key that is not the usual one of its type. */
const KEY_ALGORITHM: Readonly<Record<string, KeyAlgorithm>> = {
  "ecdsa-examples/ecdsa-sig-04": "ECDSA-P256-SHA512",
};

async function keyOf({ name, input }: CoseCase): Promise<TrustedKey | undefined> {
  const { kid: _, x_hex: x, ...jwk } = input.sign0!.key;
  if (x !== undefined) jwk.x = encodeBase64Url(decodeHex(x));
  const alg = KEY_ALGORITHM[name];
  try {
    return await importTrustedKey(jwk, alg === undefined ? {} : { alg });
  } catch (error) {
    if (isAttestationError(error)) return undefined;
    throw error;
  }
}

describe("verifyCoseSign1() on the examples of the working group", options, () => {
  it("decides those with one signature, over the bytes that are to be signed", async () => {
    const cases = ["sign1", "algorithms"].flatMap((name) =>
      load<{ cases: CoseCase[] }>(`cose/${name}.json`).cases
    ).filter(({ input }) => input.sign0 !== undefined);
    equal(cases.length, 16);
    let otherwise = 0;
    for (const one of cases) {
      const { name, result, input, intermediates } = one;
      const source = decodeHex(one.output.cbor);
      const externalData = decodeHex(input.sign0?.external ?? "");
      const key = await keyOf(one);
      const trust = { keys: key === undefined ? [] : [key], externalData };
      const untagged = name === UNTAGGED;
      const answer = await verifyCoseSign1(source, { ...trust, untagged });
      const isOther = Object.hasOwn(OTHERWISE, name);
      if (isOther) otherwise++;
      equal(answer.ok, result === "valid" && !isOther, name);
      if (untagged) equal((await verifyCoseSign1(source, trust)).ok, false);
      if (result === "invalid" || isOther) continue;
      ok(answer.ok);
      deepEqual(answer.envelope.message, utf8(input.plaintext), name);
      const parts = parseSign1(source, { maxBytes: 1 << 20, untagged });
      const signed = sigStructure(parts, utf8(input.plaintext), externalData);
      equal(encodeHex(signed).toUpperCase(), intermediates.ToBeSign_hex, name);
    }
    equal(otherwise, Object.keys(OTHERWISE).length);
    // A header without parameters is signed as the empty string, however it is written.
    const redone = cases.find(({ name }) => name === "sign1-tests/sign-pass-01");
    const data = sigStructure(
      { protectedBytes: new Uint8Array() },
      utf8("This is the content."),
      new Uint8Array(),
    );
    equal(encodeHex(data).toUpperCase(), redone?.intermediates.ToBeSign_hex);
    ran("cose", cases.length, otherwise);
  });

  it("refuses those with several signers, which are another format", async () => {
    const cases = ["sign", "algorithms"].flatMap((name) =>
      load<{ cases: CoseCase[] }>(`cose/${name}.json`).cases
    ).filter(({ input }) => input.sign0 === undefined);
    equal(cases.length, 28);
    for (const { output, name } of cases) {
      const source = decodeHex(output.cbor);
      for (const untagged of [false, true]) {
        const answer = await verifyCoseSign1(source, { untagged });
        ok(!answer.ok && answer.errorReason === "malformed-envelope", name);
      }
      const answer = await verifyFormat(source, {});
      ok(!answer.ok && answer.errorReason === "unknown-format", name);
    }
    ran("cose", cases.length, cases.filter(({ result }) => result === "valid").length);
  });
});
