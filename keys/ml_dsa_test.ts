import { deepStrictEqual as deepEqual, ok, strictEqual as equal } from "node:assert/strict";
import { describe, it } from "node:test";
import { decodeBase64, encodeBase64Url } from "../internal/base64.ts";
import { type Bytes, concat, utf8 } from "../internal/bytes.ts";
import { encodeDer, Tag } from "../internal/der.ts";
import { decodeHex } from "../internal/hex.ts";
import { encodeBitString, encodeOid } from "./_der.ts";
import { P256_D, P256_JWK, refusal, refusalOf } from "./_fixtures_test.ts";
import type { KeyAlgorithm, MlDsaName } from "./algorithm.ts";
import { exportPublicJwk, type PublicJwk } from "./jwk.ts";
import { jwkThumbprint, opensshFingerprint } from "./key_id.ts";
import { parseSpki } from "./public_key.ts";
import { generateSigner, importSigner } from "./signer.ts";
import { encodeAlgorithm, ML_DSA } from "./spki.ts";
import { importTrustedKey } from "./trusted_key.ts";

const DATA = utf8("data");
const SEED = Uint8Array.from({ length: 32 }, (_, i) => i);
const NAMES = ["ML-DSA-44", "ML-DSA-65", "ML-DSA-87"] as const;
const EXPANDED = { "ML-DSA-44": 2560, "ML-DSA-65": 4032, "ML-DSA-87": 4896 } as const;

/**
 * What another implementation (cryptography 50 on OpenSSL 4) makes of {@linkcode SEED}: the
 * SHA-256 of the SubjectPublicKeyInfo and the first octets of the public key.
 */
const FINGERPRINTS: Readonly<Record<MlDsaName, [spki: string, start: string]>> = {
  "ML-DSA-44": [
    "837832708c5236d951581f1fddf2b79991b3424a0486d16da1ddad0fd69701be",
    "d7b2b47254aae0db45e7930d4a98d2c97d8f1397d1789dafa17024b316e9bec9",
  ],
  "ML-DSA-65": [
    "b8b62131bfbe84433efb2273d7f5b87f7a22854a2cfd366fc2aead86d837c52d",
    "48683d91978e31eb3dddb8b0473482d2b88a5f625949fd8f58a561e696bd4c27",
  ],
  "ML-DSA-87": [
    "07e57c4f14dbad1267f621ec3777b4e2e6c4fbc4c22fbb87510ff8e0b3c6a642",
    "9792bcec2f2430686a82fccf3c2f5ff665e771d7ab41b90258cfa7e90ec97124",
  ],
};

/** SubjectPublicKeyInfo of ML-DSA-44 from {@linkcode SEED}, and its signature of `data`. */
const SPKI = decodeBase64(
  "MIIFMjALBglghkgBZQMEAxEDggUhANeytHJUquDbReeTDUqY0sl9jxOX0Xidr6FwJLMW6b7JT8mUbULxm3mnQTu6oz5xSctC7VEVaTrAQfrLmIretf4OHYYxGEmVtZLDl9IpTi4U+QqkFLo4JomaxD9MzKy8JumoMrlRGNXLQzy++WYLABOOCBf2HnYsonTDatVU6yKqwRYuSrAay6HjjE79j4C2WzM9D3LlXf5xzpweu5iJ58VhBsD9c4A6Kuz+r97XqjyyztpU0SvYzTanjPl1lDtHq9JeiArEUuV0LtHo0agq+oblkMdYwVrk0oQNkryhpQkPQElll/yn2LlRPxob2m6VCqqY3kZ1B9Sk9aTwWZIWWCw1cvYu2okFqzWBZwxKAnd6M+DKcpX9j0/20aCjp2g9ZfX19/xg2gI+gmxfkhRMAvfRuhB1mHVT6pNn/NdtmQt/qZzUWv24g21D5Fn1GH3wWEeXCaAepoNZNfpwRgmQzT3BukAbqUurHd5BrGerMxncrKBgSNTE7vJ+4TqcF9BTj0MPLWQtwkFWYN54h32NirxyUjl4wELkKF9DGYRsRBJiQpdoRMEOVWuiFbWnGeWdDGsqltOYWQcf3MLN51JKe+2uVOhbMY6FTo/isvPt+slxkSgnCq/R5QRMOk/a/Z/zH5B4S46ORZYUSg2vWGUR09mWK56pWvGXtOX8YPKx7RXeOlvvX4m9x52RBR2bKBbnT6VFMe/cHL501EiFf0drzVjyHAtlOzt2pOB2plWaMCcYVVzGP3SFmqurkl8COGHKjND3utsocfZ9VTJtdFETWtRfShumkRj7ssijDuyTku8/l3Bmya3VxxDMZHsVFNIX2VjHAXw+kP0gwE5nS5BIbpNwoxoAHTL0c5eeSQZ0nn5Hf6C3RQj4pfI3gxK4PCW9OIygsP/3R4uvQrcWZ+2qyXxGsSlkPlhuWwVaDCEZRtTzbmdb7Vhg+gQqMV2YJhZNapI3w1pfv0lUkKW9TfJIuVxKrneEtgVnMWasQkW1tLCCoJ6TI+YvIHjFt2eDRG3v1zatOjcC1JsImESQCmGDM5e8RBmzDXqXoLOHwZEUdMTUG1PjKpd6y28Op122W7OeWecB52lX3vby1EVZwxp3EitSBOO1whnxaIsU7QvAuAGz5ugtzUPpwOn0F0TNmBW9G8iCDYuxI/BPrNGxtoXdWisbjbvz7ZM2cPCVoYC08ZLQixC4+rvfzCskUY4y7qCl4MkEyoRHgAg/OwzS0Li2r2e8NVuUlAJdx7Cnj6gOOi2/61EyiFHWB4GY6Uk2Ua54fsAlH5Irow6fUd9iptcnhM890gU5MXbfoySlEr2Ulwo23TSlFKhnkfDrNvAUWwmrZGUbSgMTsplhGiocSIkWJ1mHaKMRQGC6RENIbfUVIqHOiLMJhcIW+ObtF43VZ7MEoNTK+6iCooNC8XqaomrljbYwCD0sNY/fVmw/XWKkKFZ7yeqM6VyqDzVHSwv6jzOaJQq0388gg76O77wQVeGP4VNw7ssmBWbYP/BrIRquxDyim1TM0A+IFaJGXvC0ZRXMfkHzEk8J7/9zkwmrWLKaFFmgC85QOOk4yWePcusOTuX9quZtn4Vz/Jf8QrSVn0v4th14Qz6GsDNdbpGRxNi/SHs5BcEIz9asJLDOt9y3z1H4TQ7Wh7lerrHFM8BvDZcCPZKnCCWDe1m6bLfU5WsKh8IDhiro8xW6WSXo7e+meTaaIgJ2YVHxapZfn4Hs52zAcLVYaeTbl4TPBcgwsyQsgxI=",
);
const SIGNATURE = decodeBase64(
  "59wCmHKVez6ZyiQWJy31F2ctDZsgQ7YmccjckwunfxGvn7lsaDMkThFCH4bBIFyi9c+UdLoz9qXrzmkc7Mgv1sQClV1X/gAwJvRgyu2HygEH0vA9lpq8NXBzefvUnelEWB3TkFgZovKcvQoKfXtXS14UxKfPuvCoMMlPBPcIASbE3mbtM1Ekdz//cJ4iyfuBz/jm36eJZiPkzCe5MPDo1deuqfKeu9xMooW5nZIKbFLHAeZnzeaFgf1v5F0WFJ+qiheZXZOqAmQHCiZWp+qLOhcevUGoQqOeCAaHG5d1I7bwwf+lyyYVkHml0SrKv7X0NjVi/d0d4nZp9iBJfnK2n113eGhFpRpFaAX6D62TAwF4GtVn7A0cLsnKDTXLQAMft0fqlgap93E6+h5B3NvD6yHA9SAldEOkujSckJAqOGUYL1IOIY91FEPLxDUxgIG5vXYf3jFGOoeazOOWjEP3SIm16I3/emBARE35Y3WPJ52/qxUb5LIv7vBXcRgkjq4sNapln75sgqHbHx3E8JMqxerbEG51U8pQtk+Nc5DK1MDYpUu1+TIiXNUCpkci/qbWmkh7WHE6+0AkkFdQGBSW5n6bOckmQhu9VwV/T9WCjK76Mdvx7E+cIrNcTSTqEua7Y0tkwH+ajVamNjX5dEkwVW60jWbn7UWNb/xkHVyVh/N3/te2QYrYo3Rp/w+FZe8GTRKJd7cv6LDd0sKxA7gpp8Ybr3q4sPdu/RFnMptYF5ytzskd9tuVlvKjyBzVxajUQ4+h0h7rOinf6y1w3FJDNtn11uuA1HJdUljLcgV5aYn0xyvnou0IOBoBvHg7qN3mR5pZchZB2YHVPpgpUWaww+1XdIhP4qG95wba128xL+IQOsW5UT1vqufc6CR+RfTddjZRI4iXHG3A3r8seJYYGPA7vmTjW8n5KhV2tHWqt7uvJ7mb2W16C84pE0pZw8sBe58+0UJFxlQRwklAoHmXnCBX9E8KfFxIUh1QMs//iHy1bJSZmmC6NHlcLmFUDkvAwlgGBJFVj0xxXuyawh5AtCyVfcrJZXU1+RXFLLGDECyTd2tehtx9X/3kQy21qjk9WKljHHFFLQukcRx52VB1xcknPOHbh2ielg/hzNYiMXXlJzfpA0DlHI/AqryYaVXeZs75P4Qd67VaFCB6XXYKX92KQDt4WeJDDQpgHkOW5FX4tLZ12/OkIbw/u+0rF6UNQ+lt/yNKY/gh/a/y+d4rLtp5hvySCf4tx9lcwaiCzdBxZJ034QydRrkR5fCySNFKxjucQAZKob7epnkPhQ46dSap/7tqZUKecVVhT87qCAHqWqMjj4jeAWnhJv6Qw7r6fLzgVZ2dBwYLIshpJX9K0sau2j5trWCxN0pSkrtYNrSl44gDhUJGnmoYvqDyi5iNVlhLeSW4/evsfpeKIpt4aNXpmlA5Au5e5M6bLa6Qm+y25Axm040Cn0F3VN5FO8KF+T3idaBGhDVGEenzITs4NVZpmgGsDk/677RSkC94DJkT9LytU6R2EKqxwMdCBF2vs6otJx399QBpFadg2mU0cybDSRbXO4nTJ/uiX+4bnOtEZ2PTpwF1Eu0xi39Ri/lSTeaLMkfRDpLAEZYMCxKEM4Uv4IBVJbmjeJ9T9z21aeVipbdnb+N29LjDtBo53LvrXWRxyot9B+0B55N25OB5+VhmpCrYPbggftJgKQJlO2FuSnBif5pbtRasMj4TeJ+fbaZIBKvNn5ZumlORBPwddJSWFlq0dqWrDPFlcnjdMLs4hlEVWayoAWMHuzqoh/GUQu8xuKQAT3ywgaSlQXTFrIl4D2mM6MtLmEyYZTSrdT+AtgrVjKPMeYIAORXzN3iCZprC/hNbDIXwLO2rTQ7ArpY9hlijpQ14skuKZbtqtO5t7hXrdocHluHSVvsokL3CSylWylPEV/Iskg9uFdK3mrnDNnDHjhPaX62M/nxyqc/v77U8/JL8syAFGNhyqvnsU/MvZLFOMBhComCelTHC9eStOW9TreV2+OjAD3L8vI3GxSNaN+vJF11PYFM4GClZtEQPH11zBuI5goniuH+Y8NVEpDY3OUFObe3wtiPNi2Etova2zq1W+is2HC238/hAUC72Z1cO2bsz78XT0y6Dfz9w5YUAUvgV8XEwEvnAgRPTo6BBShWKj/u/emFbtaQdML21CuGuEjqfrP4eauihYZLkhFtc2QQIeU8x3a+N3Bda1EZ5ZKmUvJyDoNGQxUWxxU/PhKWwvrVLkGl6Rpu16j1c5Lf70Tscef6hlO+qbCqIiOpRmTadAwlfE/+BBm76QGm6+pennY5HMR/0m8Vvmp6c0kpRRjVslR8K3rX6fjtSWYiZcXq7Onc8JTSnz02vhio7ZdoQAnxhEB5MnyhEkHQ/RhMoOrXN7hWrJsLIbT1bSN6hkylAVs8vtyVO1G6nuwSd4+mKY1SXQhLlot+lU5AqO9DUbMgs0xybKyL2AaZG3PaLnIgTbOiJ3I8vlS1buIAvGkC1rTD3IExddd1XXeR91FXLluaDX0+0r4O4x1WRpPp3m8tvI0spVQ4PqqOcuL86xvwpR8THNMK9bvmgy+0j9cfUno/ywzDrXYZDy+keFD5ybHNdlgKdwB6mvPhD5qOBs1RchFgiXtzHZGrgqcpyf18/7UvhhXxm3JeslOQnRZmXg/9dyD/8QC/l5KlIIxrfwss2pYVMPmWyVyezk8QdZ/5QgMpF2TF1Wj9jAtw5ZSC79oVZVir92Rrp0goQpza9uSf/Tlg96UsA2kQqqFFrsd3Qn4FTi0hiFhVH2mFTfesjcJspHbBQJMIgdSOeJMXXe5aPOVrpQISz7CvqV/oz9JWr4Q+lkApnTk3oXvl0Vs750l7GCdjyGH4Bq3sf+qYt0SEFXsL6xPa5pN0epVzjn0WTVmhkwpuWUkLRGF2BAd936+ezy10oUEn3tk7hb6vQ2hk9Lc4H/JC/9gVED80i9Y32qTClaZJSnCOXUVHHEvuB9e5ydK6DtTfOj6Nc6QBghLj/pxXLWzDi6Vyg8/VjJvquHjZYSoBiwmiWCHw+1D2kqy9jGj3wW/zpwOe6JPDo1IDaIsMiYjnHAcglMGWG9ks0zIRWbAEHGBnzkLsZKT5QZWqNj6a5wMvP1trcECEmLleChZCUpcjn7vsACTg7Qldia4SwzNjp7u//EVBYYWVncnOHsL3J0N3e6+4AAAAAAAAAAAAAAAAAAAAAABAeLj8=",
);

/** Whether this runtime has ML-DSA: Deno, Node 24 and Bun do, workerd and Node 20 do not. */
async function isSupported(): Promise<boolean> {
  try {
    await crypto.subtle.generateKey({ name: "ML-DSA-44" }, false, ["sign", "verify"]);
    return true;
  } catch {
    return false;
  }
}

/** What is expected where there is ML-DSA; where there is none, its reason. */
async function refuses(run: () => Promise<unknown>, expected: RegExp): Promise<void> {
  const found = await refusal(run);
  ok(expected.test(found), `${found} instead of ${expected}`);
}

function pkcs8(name: MlDsaName, inner: Bytes, ...rest: Bytes[]): Bytes {
  const version = decodeHex(rest.length === 0 ? "020100" : "020101");
  const octets = encodeDer(Tag.octetString, inner);
  return encodeDer(0x30, version, encodeAlgorithm({ kind: name }), octets, ...rest);
}

function seedOnly(seed: Uint8Array = SEED): Bytes {
  return encodeDer(0x80, seed);
}

function spki(name: MlDsaName, key: Uint8Array, ...parameters: Bytes[]): Bytes {
  const algorithm = encodeDer(0x30, encodeOid(ML_DSA[name].oid), ...parameters);
  return encodeDer(0x30, algorithm, encodeBitString(key));
}

describe("ML-DSA where the runtime has it, else unsupported-algorithm", () => {
  for (const name of NAMES) {
    it(`makes ${name} keys that sign, verify and are read again`, async () => {
      if (!await isSupported()) {
        await refuses(() => generateSigner(name), /^unsupported-algorithm .*does not make/);
        return;
      }
      const made = await generateSigner(name, { name: "ci", keyid: "k1" });
      equal(made.signer.alg, name);
      equal(made.trustedKey.spki.length, ML_DSA[name].publicKey + 22);
      const signature = await made.signer.sign(DATA);
      equal(signature.length, ML_DSA[name].signature);
      for (const source of [made.publicKey, made.publicJwk, JSON.stringify(made.publicJwk)]) {
        const trusted = await importTrustedKey(source);
        deepEqual([trusted.alg, trusted.fingerprint], [name, made.trustedKey.fingerprint]);
        ok(await trusted.verify(DATA, signature));
        equal(await trusted.verify(utf8("datb"), signature), false);
        signature[100] ^= 1;
        equal(await trusted.verify(DATA, signature), false);
        signature[100] ^= 1;
        equal(await trusted.verify(DATA, signature.slice(1)), false);
        equal(await trusted.verify(DATA, concat(signature, Uint8Array.of(0))), false);
        equal(await trusted.verify(DATA, new Uint8Array(0)), false);
      }
      ok(made.privateJwk !== undefined);
      deepEqual(Object.keys(made.privateJwk).sort(), ["alg", "kid", "kty", "priv", "pub"]);
      for (const source of [made.privateKey, made.privateJwk, JSON.stringify(made.privateJwk)]) {
        const signer = await importSigner(source);
        deepEqual(await signer.publicKey(), made.trustedKey.spki);
        ok(await made.trustedKey.verify(DATA, await signer.sign(DATA)));
      }
    });

    it(`reads ${name} from a seed as others do`, async () => {
      const run = () => importSigner(pkcs8(name, seedOnly()));
      if (!await isSupported()) return await refuses(run, /^unsupported-algorithm /);
      const trusted = await importTrustedKey(await (await run()).publicKey());
      deepEqual(
        [trusted.alg, trusted.fingerprint],
        [name, FINGERPRINTS[name][0]],
      );
    });

    it(`reads ${name} with seed and expanded key, from its seed`, async () => {
      const start = decodeHex(FINGERPRINTS[name][1]);
      const both = (expanded: Uint8Array) =>
        pkcs8(name, encodeDer(0x30, encodeDer(0x04, SEED), encodeDer(0x04, expanded)));
      const good = new Uint8Array(EXPANDED[name]);
      good.set(start);
      const run = () => importSigner(both(good));
      if (await isSupported()) {
        const { fingerprint } = parseSpki(await (await run()).publicKey());
        equal(fingerprint, FINGERPRINTS[name][0]);
        const other = good.slice();
        other[31] ^= 1;
        await refuses(() => importSigner(both(other)), /^malformed-key .*does not belong/);
      } else await refuses(run, /^unsupported-algorithm /);
      await refuses(() => importSigner(both(good.slice(1))), /^malformed-key .*expanded/);
    });

    it(`refuses private ${name} keys of other forms`, async () => {
      const expanded = encodeDer(0x04, new Uint8Array(EXPANDED[name]));
      await refuses(
        () => importSigner(pkcs8(name, expanded)),
        /^unsupported-algorithm .*without its seed/,
      );
      const short = encodeDer(0x04, SEED);
      await refuses(() => importSigner(pkcs8(name, short)), /^malformed-key .*32 octets/);
      const wrong: [Bytes, RegExp][] = [
        [seedOnly(SEED.slice(1)), /31 octets of .* seed/],
        [seedOnly(concat(SEED, SEED)), /64 octets of .* seed/],
        [encodeDer(0xa0, encodeDer(0x04, SEED)), /unknown form/],
        [encodeDer(0x81, SEED), /unknown form/],
        [encodeDer(0x30, encodeDer(0x04, SEED)), /missing/],
        [encodeDer(0x30, expanded, encodeDer(0x04, SEED)), /32 octets of expanded/],
        [encodeDer(0x30, encodeDer(0x04, SEED.slice(1)), expanded), /31 octets of .* seed/],
        [encodeDer(0x30, encodeDer(0x04, SEED), expanded, encodeDer(0x05)), /not known here/],
        [SEED, /reserved tag/],
        [concat(seedOnly(), Uint8Array.of(0)), /trailing/],
        [new Uint8Array(0), /truncated/],
      ];
      for (const [inner, expected] of wrong) {
        const found = await refusal(() => importSigner(pkcs8(name, inner)));
        ok(found.startsWith("malformed-key ") && expected.test(found), found);
      }
    });

    it(`refuses public ${name} keys of other lengths and with parameters`, () => {
      const { publicKey } = ML_DSA[name];
      equal(parseSpki(spki(name, new Uint8Array(publicKey))).kind, name);
      for (const length of [0, 32, publicKey - 1, publicKey + 1]) {
        const found = refusalOf(() => parseSpki(spki(name, new Uint8Array(length))));
        ok(found.startsWith("malformed-key "), found);
      }
      const found = refusalOf(() =>
        parseSpki(spki(name, new Uint8Array(publicKey), encodeDer(Tag.null)))
      );
      ok(found.startsWith("malformed-key "), found);
    });
  }

  it("verifies what another implementation signed", async () => {
    const run = () => importTrustedKey(SPKI);
    if (!await isSupported()) return await refuses(run, /^unsupported-algorithm .*runtime/);
    const key = await run();
    equal(key.fingerprint, FINGERPRINTS["ML-DSA-44"][0]);
    ok(await key.verify(DATA, SIGNATURE));
    equal(await key.verify(utf8("Data"), SIGNATURE), false);
  });

  it("takes a raw public key with its algorithm, and a CryptoKey", async () => {
    if (!await isSupported()) return;
    const raw = SPKI.slice(22);
    const key = await importTrustedKey(raw, { alg: "ML-DSA-44" });
    equal(key.fingerprint, FINGERPRINTS["ML-DSA-44"][0]);
    await refuses(() => importTrustedKey(raw), /^malformed-key /);
    await refuses(() => importTrustedKey(raw, { alg: "ML-DSA-65" }), /^malformed-key /);
    const pair = await crypto.subtle.generateKey({ name: "ML-DSA-65" }, true, ["sign", "verify"]);
    ok("privateKey" in pair);
    const signer = await importSigner(pair.privateKey);
    const trusted = await importTrustedKey(pair.publicKey);
    deepEqual([signer.alg, trusted.alg], ["ML-DSA-65", "ML-DSA-65"]);
    ok(await trusted.verify(DATA, await signer.sign(DATA)));
  });

  it("refuses a public half that does not belong to the private one", async () => {
    if (!await isSupported()) return;
    const outer = (key: Uint8Array) => encodeDer(0x81, Uint8Array.of(0), key);
    const own = SPKI.slice(22);
    deepEqual(
      await (await importSigner(pkcs8("ML-DSA-44", seedOnly(), outer(own)))).publicKey(),
      SPKI,
    );
    const other = own.slice();
    other[700] ^= 1;
    await refuses(
      () => importSigner(pkcs8("ML-DSA-44", seedOnly(), outer(other))),
      /^malformed-key .*does not belong/,
    );
    const jwk = { kty: "AKP", alg: "ML-DSA-44", priv: encodeBase64Url(SEED) } as const;
    await importSigner({ ...jwk, pub: encodeBase64Url(own) });
    await refuses(
      () => importSigner({ ...jwk, pub: encodeBase64Url(other) }),
      /^malformed-key .*does not belong/,
    );
  });

  it("refuses algorithms of other keys, before the runtime is asked", async () => {
    const mismatch = /^key-algorithm-mismatch /;
    await refuses(() => importTrustedKey(SPKI, { alg: "ML-DSA-65" }), mismatch);
    await refuses(() => importTrustedKey(SPKI, { alg: "Ed25519" }), mismatch);
    await refuses(() => importTrustedKey(P256_JWK, { alg: "ML-DSA-44" }), mismatch);
    await refuses(() => importTrustedKey({ ...P256_JWK, alg: "ML-DSA-44" }), mismatch);
    const unknown = "ML-DSA-128" as KeyAlgorithm;
    await refuses(() => generateSigner(unknown), /^unsupported-algorithm .*"ML-DSA-128"/);
  });
});

describe("JWK of kty AKP", () => {
  const pub = encodeBase64Url(SPKI.slice(22));
  const jwk: PublicJwk = { kty: "AKP", alg: "ML-DSA-44", pub };
  const priv = encodeBase64Url(SEED);

  it("is strict about its members", async () => {
    const bad: [object, RegExp][] = [
      [{ kty: "AKP", pub }, /^malformed-key \/alg /],
      [{ ...jwk, alg: "ES256" }, /^unsupported-algorithm \/alg /],
      [{ ...jwk, alg: "toString" }, /^unsupported-algorithm \/alg /],
      [{ ...jwk, alg: "ML-DSA-65" }, /^malformed-key \/pub .*wanted 1952/],
      [{ ...jwk, pub: undefined }, /^malformed-key \/pub /],
      [{ ...jwk, pub: pub.slice(0, -4) }, /^malformed-key \/pub /],
      [{ ...jwk, pub: pub + "==" }, /^malformed-key \/pub /],
      [{ ...jwk, priv }, /^malformed-key \/priv .*private JWK/],
      [{ ...P256_JWK, priv }, /^malformed-key \/priv .*private JWK/],
      [{ ...jwk, use: "enc" }, /^malformed-key \/use /],
    ];
    for (const [source, expected] of bad) await refuses(() => importTrustedKey(source), expected);
    const badPrivate: [object, RegExp][] = [
      [jwk, /^malformed-key \/priv .*public JWK/],
      [{ ...jwk, d: priv }, /^malformed-key \/priv /],
      [{ ...jwk, priv, d: priv }, /^malformed-key \/d /],
      [{ ...jwk, priv: priv.slice(0, -2) }, /^malformed-key /],
      [{ ...P256_JWK, d: P256_D, priv }, /^malformed-key \/priv /],
    ];
    for (const [source, expected] of badPrivate) {
      await refuses(() => importSigner(source), expected);
    }
  });

  it("is written with alg, kty and pub, which its thumbprint hashes", () => {
    deepEqual(exportPublicJwk({ spki: SPKI, alg: "ML-DSA-44", keyid: "k" }), {
      ...jwk,
      kid: "k",
    });
    ok(/^[\w-]{43}$/.test(jwkThumbprint(SPKI)));
    const found = refusalOf(() => opensshFingerprint(SPKI));
    ok(found.startsWith("unsupported-algorithm "), found);
  });
});
