import { deepStrictEqual as deepEqual, ok, strictEqual as equal } from "node:assert/strict";
import { describe, it } from "node:test";
import { utf8 } from "../internal/bytes.ts";
import { decodeOnePem, encodePem } from "../internal/pem.ts";
import { P256_D, P256_JWK, refusal } from "./_fixtures_test.ts";
import { decryptPrivateKey, encryptPrivateKey, findKeyEncryption } from "./encrypted_key.ts";
import type { EncryptionOptions } from "./pbes2.ts";
import { generateSigner, importSigner, type ImportSignerOptions } from "./signer.ts";

const PASSPHRASE = "correct horse";

describe("encryptPrivateKey() and decryptPrivateKey()", () => {
  it("come back to the same key", async () => {
    for (const alg of ["Ed25519", "ES384"] as const) {
      const { privateKey, publicKey, signer } = await generateSigner(alg);
      for (const cipher of ["AES-256-CBC", "AES-256-GCM"] as const) {
        const encrypted = await encryptPrivateKey(privateKey, PASSPHRASE, { cipher });
        equal(findKeyEncryption(encrypted), "pkcs8");
        equal(await decryptPrivateKey(encrypted, utf8(PASSPHRASE)), privateKey);
        const again = await importSigner(encrypted, { passphrase: PASSPHRASE });
        deepEqual(await again.publicKey(), await signer.publicKey());
        deepEqual(decodeOnePem(publicKey, "PUBLIC KEY").der, await again.publicKey());
      }
    }
  });

  it("refuse an empty passphrase to write under, and none or a wrong one to read with", async () => {
    const { privateKey } = await generateSigner("Ed25519");
    for (const empty of ["", new Uint8Array(0)]) {
      const found = await refusal(() => encryptPrivateKey(privateKey, empty));
      ok(found.startsWith("missing-passphrase "), found);
    }
    const encrypted = await encryptPrivateKey(privateKey, PASSPHRASE);
    for (const source of [encrypted, decodeOnePem(encrypted, "ENCRYPTED PRIVATE KEY").der]) {
      ok((await refusal(() => importSigner(source))).startsWith("missing-passphrase "));
      for (const passphrase of ["", "Correct horse", "correct horse\n"]) {
        const found = await refusal(() => importSigner(source, { passphrase }));
        ok(found.startsWith("wrong-passphrase "), found);
      }
    }
    ok((await refusal(() => decryptPrivateKey(encrypted, "no"))).startsWith("wrong-passphrase "));
  });

  it("do not look at the passphrase of a key that is not encrypted", async () => {
    const { privateKey } = await generateSigner("Ed25519");
    await importSigner(privateKey, { passphrase: PASSPHRASE });
    await importSigner({ ...P256_JWK, d: P256_D }, { passphrase: PASSPHRASE });
    const found = await refusal(() => decryptPrivateKey(privateKey, PASSPHRASE));
    ok(/^malformed-key .*no encrypted/.test(found), found);
  });

  it("refuse other files", async () => {
    const { privateKey, publicKey } = await generateSigner("Ed25519", { passphrase: PASSPHRASE });
    const refused = async (run: () => Promise<unknown>, expected: RegExp) => {
      const found = await refusal(run);
      ok(expected.test(found), `${found} instead of ${expected}`);
    };
    await refused(() => encryptPrivateKey(privateKey, "x"), /^malformed-key .*encrypted/);
    await refused(() => encryptPrivateKey(publicKey, "x"), /^malformed-key .*public key/);
    await refused(() => encryptPrivateKey("", "x"), /^malformed-pem /);
    await refused(() => decryptPrivateKey(privateKey.repeat(2), PASSPHRASE), /^malformed-pem /);
    await refused(() => decryptPrivateKey(privateKey + publicKey, PASSPHRASE), /^malformed-pem /);
    await refused(() => decryptPrivateKey(privateKey.slice(0, 200), PASSPHRASE), /^malformed-pem /);
    await refused(() => decryptPrivateKey("x".repeat(20_000), "x"), /^limit-exceeded /);
    await refused(() => encryptPrivateKey("x".repeat(20_000), "x"), /^limit-exceeded /);
    const der = encodePem("ENCRYPTED PRIVATE KEY", new Uint8Array(40));
    await refused(() => decryptPrivateKey(der, PASSPHRASE), /^malformed-key /);
  });

  it("refuse wrong arguments with a TypeError", async () => {
    const { privateKey } = await generateSigner("Ed25519");
    // The last would be taken for the empty passphrase.
    const lookalike = { length: 1, isWellFormed: () => true };
    const bad = [null, 1, {}, "\ud800", lookalike] as unknown as string[];
    for (const passphrase of bad) {
      for (
        const run of [
          () => encryptPrivateKey(privateKey, passphrase),
          () => decryptPrivateKey(privateKey, passphrase),
          () => importSigner(privateKey, { passphrase }),
          () => generateSigner("Ed25519", { passphrase }),
        ]
      ) ok(/^TypeError \| A passphrase must be/.test(await refusal(run)));
    }
    const bytes = utf8(privateKey) as unknown as string;
    for (
      const run of [
        () => encryptPrivateKey(bytes, PASSPHRASE),
        () => decryptPrivateKey(bytes, PASSPHRASE),
      ]
    ) equal(await refusal(run), "TypeError | A private key must be PEM text");
    const options = { rounds: 1 } as EncryptionOptions;
    ok((await refusal(() => encryptPrivateKey(privateKey, "x", options))).startsWith("TypeError"));
    const misspelt = { passPhrase: "x" } as ImportSignerOptions;
    ok((await refusal(() => importSigner(privateKey, misspelt))).startsWith("TypeError"));
  });
});

describe("generateSigner() with a passphrase", () => {
  it("gives nothing of the private key in plain text", async () => {
    const made = await generateSigner("ES256", { passphrase: PASSPHRASE });
    equal(findKeyEncryption(made.privateKey), "pkcs8");
    equal(made.privateJwk, undefined);
    ok(!("privateJwk" in made));
    const signer = await importSigner(made.privateKey, { passphrase: PASSPHRASE });
    ok(await made.trustedKey.verify(utf8("x"), await signer.sign(utf8("x"))));
    const found = await refusal(() => generateSigner("ES256", { passphrase: "" }));
    ok(found.startsWith("missing-passphrase "), found);
  });
});

describe("findKeyEncryption()", () => {
  it("tells a file by its label", () => {
    const of = (label: string) => findKeyEncryption(encodePem(label, new Uint8Array(3)));
    equal(of("ENCRYPTED PRIVATE KEY"), "pkcs8");
    equal(of("ENCRYPTED SIGSTORE PRIVATE KEY"), "cosign");
    equal(of("ENCRYPTED COSIGN PRIVATE KEY"), "cosign");
    equal(of("PRIVATE KEY"), undefined);
    equal(of("ENCRYPTED OTHER PRIVATE KEY"), undefined);
    equal(findKeyEncryption("{}"), undefined);
  });
});
