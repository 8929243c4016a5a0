import { scryptAsync } from "@noble/hashes/scrypt.js";
import { xsalsa20poly1305 } from "@noble/ciphers/salsa.js";
import { deepStrictEqual as deepEqual, ok, strictEqual as equal } from "node:assert/strict";
import { describe, it } from "node:test";
import { encodeBase64, encodeBase64Url } from "../internal/base64.ts";
import { utf8 } from "../internal/bytes.ts";
import { decodeHex } from "../internal/hex.ts";
import { decodeOnePem, encodePem } from "../internal/pem.ts";
import { P256_D, P256_JWK, P256_SPKI, refusal } from "./_fixtures_test.ts";
import { decryptCosignKey } from "./cosign_key.ts";
import { importSigner } from "./signer.ts";

const PASSPHRASE = "correct horse";
const COST = { N: 1024, r: 8, p: 1 };

// Version 0, id-ecPublicKey on P-256, ECPrivateKey of version 1 with P256_D.
const PKCS8 = decodeHex(
  "3041020100301306072a8648ce3d020106082a8648ce3d030107042730250201010420" +
    "d73ec437fd6346e3619c5ebfdfff0f6916804955ad32ac9ac492b0ede1f6ffb7",
);

/** A file of cosign's format, with members changed or added. */
interface File {
  kdf: { name: unknown; params: Record<string, unknown>; salt: unknown };
  cipher: { name: unknown; nonce: unknown };
  ciphertext: unknown;
}

async function file(
  plain = PKCS8,
  passphrase = PASSPHRASE,
  cost: { N: number; r: number; p: number } = COST,
): Promise<File> {
  const salt = new Uint8Array(32).fill(3);
  const nonce = new Uint8Array(24).fill(5);
  const key = await scryptAsync(utf8(passphrase), salt, { ...cost, dkLen: 32 });
  return {
    kdf: { name: "scrypt", params: { ...cost }, salt: encodeBase64(salt) },
    cipher: { name: "nacl/secretbox", nonce: encodeBase64(nonce) },
    ciphertext: encodeBase64(xsalsa20poly1305(key, nonce).encrypt(plain)),
  };
}

function pem(source: unknown, label = "ENCRYPTED SIGSTORE PRIVATE KEY"): string {
  return encodePem(label, utf8(typeof source === "string" ? source : JSON.stringify(source)));
}

async function refuses(source: unknown, expected: RegExp, passphrase = PASSPHRASE): Promise<void> {
  const found = await refusal(() => importSigner(pem(source), { passphrase }));
  ok(expected.test(found), `${found} instead of ${expected}`);
}

describe("decryptCosignKey()", () => {
  it("opens a key under both labels, and one without a passphrase", async () => {
    for (const label of ["ENCRYPTED SIGSTORE PRIVATE KEY", "ENCRYPTED COSIGN PRIVATE KEY"]) {
      const signer = await importSigner(pem(await file(), label), { passphrase: PASSPHRASE });
      equal(signer.alg, "ES256");
      deepEqual(await signer.publicKey(), decodeHex(P256_SPKI));
    }
    const open = await importSigner(pem(await file(PKCS8, "")), { passphrase: "" });
    deepEqual(await open.publicKey(), decodeHex(P256_SPKI));
  });

  it("opens the costs that cosign has written", async () => {
    for (const N of [32768, 65536]) {
      const json = utf8(JSON.stringify(await file(PKCS8, PASSPHRASE, { N, r: 8, p: 1 })));
      deepEqual(await decryptCosignKey(json, utf8(PASSPHRASE)), PKCS8);
    }
  });

  it("refuses a wrong passphrase, a missing one, and a changed ciphertext", async () => {
    await refuses(await file(), /^wrong-passphrase /, "wrong");
    await refuses(await file(), /^wrong-passphrase /, "");
    const found = await refusal(async () => importSigner(pem(await file())));
    ok(found.startsWith("missing-passphrase "), found);
    const cut = await file();
    cut.ciphertext = encodeBase64(new Uint8Array(64));
    await refuses(cut, /^wrong-passphrase /);
  });

  it("says what is wrong with the key inside", async () => {
    await refuses(await file(PKCS8.slice(1)), /^malformed-key /);
    await refuses(await file(utf8("no key")), /^malformed-key /);
    deepEqual(decodeOnePem(pem("x"), "ENCRYPTED SIGSTORE PRIVATE KEY").der, utf8("x"));
  });

  it("bounds the memory and the time of scrypt before it is loaded", async () => {
    const of = async (params: Record<string, unknown>) => {
      const changed = await file();
      changed.kdf.params = params;
      return changed;
    };
    await refuses(await of({ N: 2 ** 22, r: 8, p: 1 }), /^limit-exceeded \/kdf\/params .*MiB/);
    await refuses(await of({ N: 2 ** 30, r: 2 ** 30, p: 2 ** 30 }), /^limit-exceeded /);
    await refuses(await of({ N: 2 ** 19, r: 8, p: 1 }), /^limit-exceeded /);
    await refuses(await of({ N: 2, r: 2 ** 22, p: 1 }), /^limit-exceeded /);
    await refuses(await of({ N: 2, r: 1, p: 2 ** 22 }), /^limit-exceeded /);
    await refuses(await of({ N: 2 ** 16, r: 8, p: 16 }), /^limit-exceeded /);
    for (const N of [0, 1, 3, 1023, -2, 1.5, 2 ** 31, 1e300, "1024", null]) {
      await refuses(await of({ N, r: 8, p: 1 }), /^malformed-key \/kdf\/params\/N /);
    }
    await refuses(await of({ N: 1024, r: 0, p: 1 }), /^malformed-key \/kdf\/params\/r /);
    await refuses(await of({ N: 1024, r: 8, p: 0 }), /^malformed-key \/kdf\/params\/p /);
    await refuses(await of({ N: 1024, r: 8 }), /^malformed-key \/kdf\/params\/p .*without p/);
    await refuses(await of({ ...COST, q: 1 }), /^malformed-key \/kdf\/params .*unknown member/);
  });

  it("takes the costs and salts up to the bounds, and whole numbers only", async () => {
    const of = async (params: Record<string, unknown>, salt = "AA==") => {
      const changed = await file();
      return { ...changed, kdf: { ...changed.kdf, params, salt } };
    };
    // The salt is looked at after the costs: 256 MiB, and 2^22 steps.
    await refuses(await of({ N: 2 ** 18, r: 8, p: 1 }), /^malformed-key \/kdf\/salt /);
    await refuses(await of({ N: 2 ** 16, r: 8, p: 8 }), /^malformed-key \/kdf\/salt /);
    await refuses(await of({ N: 1026.5, r: 8, p: 1 }), /^malformed-key \/kdf\/params\/N /);
    await refuses(await of({ ...COST, r: 8.5 }), /^malformed-key \/kdf\/params\/r /);
    await refuses(await of({ ...COST, p: 1.5 }), /^malformed-key \/kdf\/params\/p /);
    await refuses(await of({ ...COST, p: "1" }), /^malformed-key \/kdf\/params\/p /);
    const salt = (length: number) => of(COST, encodeBase64(new Uint8Array(length)));
    for (const length of [8, 256]) await refuses(await salt(length), /^wrong-passphrase /);
  });

  it("refuses another format, and members that are missing, unknown or of another type", async () => {
    const good = await file();
    await refuses({ ...good, kdf: { ...good.kdf, name: "pbkdf2" } }, /^unsupported-algorithm /);
    await refuses({ ...good, kdf: { ...good.kdf, name: 1 } }, /^malformed-key \/kdf\/name /);
    await refuses({ ...good, cipher: { ...good.cipher, name: "aes" } }, /^unsupported-algorithm /);
    await refuses({ ...good, comment: "x" }, /^malformed-key .*unknown member/);
    await refuses({ ...good, kdf: { ...good.kdf, x: 1 } }, /^malformed-key \/kdf .*unknown member/);
    await refuses({ ...good, cipher: undefined }, /^malformed-key \/cipher /);
    await refuses({ ...good, ciphertext: undefined }, /^malformed-key \/ciphertext /);
    await refuses({ ...good, ciphertext: 1 }, /^malformed-key \/ciphertext .*no string/);
    await refuses({ ...good, kdf: [] }, /^malformed-key \/kdf /);
    await refuses({ ...good, kdf: null }, /^malformed-key \/kdf /);
    await refuses([], /^malformed-key /);
    await refuses("", /^empty-input /);
    await refuses("{", /^malformed-json /);
    await refuses(
      JSON.stringify(good).replace("{", '{"ciphertext":"",'),
      /^duplicate-json-key /,
    );
  });

  it("reads standard base64 of the right lengths only", async () => {
    const good = await file();
    const nonce = (bytes: number) => ({
      ...good,
      cipher: { ...good.cipher, nonce: encodeBase64(new Uint8Array(bytes)) },
    });
    for (const length of [0, 12, 23, 25]) {
      await refuses(nonce(length), /^malformed-key \/cipher\/nonce /);
    }
    const salt = (text: string) => ({ ...good, kdf: { ...good.kdf, salt: text } });
    await refuses(salt(encodeBase64(new Uint8Array(7))), /^malformed-key \/kdf\/salt /);
    await refuses(salt(encodeBase64(new Uint8Array(257))), /^malformed-key \/kdf\/salt /);
    await refuses(
      salt(encodeBase64Url(new Uint8Array(33).fill(255))),
      /^malformed-key \/kdf\/salt /,
    );
    await refuses(salt(" " + good.kdf.salt), /^malformed-key \/kdf\/salt /);
    await refuses(
      { ...good, ciphertext: encodeBase64(new Uint8Array(16)) },
      /^malformed-key \/ciphertext /,
    );
  });

  it("says nothing of the passphrase or the key", async () => {
    const found = await refusal(async () =>
      importSigner(pem(await file()), { passphrase: "a secret" })
    );
    ok(!found.includes("a secret"));
    const signer = await importSigner(pem(await file()), { passphrase: PASSPHRASE });
    const same = await importSigner({ ...P256_JWK, d: P256_D });
    deepEqual(await signer.publicKey(), await same.publicKey());
  });
});
