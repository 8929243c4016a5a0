/** Targets that read keys. */

import { encodePem } from "../../internal/pem.ts";
import { decodeBase64 } from "../../internal/base64.ts";
import { decodeHex } from "../../internal/hex.ts";
import { utf8 } from "../../internal/bytes.ts";
import {
  decryptPrivateKey,
  exportPublicJwk,
  findKeyEncryption,
  importSigner,
  importTrustedKey,
  jwkThumbprint,
  opensshFingerprint,
  parseKeySet,
  refusalOfKey,
  spkiFingerprint,
  type TrustedKey,
  validKeys,
} from "../../keys/mod.ts";
import { readIterations } from "./key_cost.ts";
import { type Corpus, jsonSeed, textSeed } from "./corpus.ts";
import { textOf } from "./mutate_text.ts";
import { parser, reasonOf } from "./parsers.ts";
import { Broken, type Seed, type Target } from "./target.ts";
import storedKeys from "../../tools/pki/test_keys.json" with { type: "json" };

const NOW = new Date("2026-01-01T00:00:00Z");
const PASSPHRASE = "correct horse";

/** `openssl pkcs8 -topk8 -v2 aes-256-cbc -iter 1000` and PyCryptodome's GCM, of test keys. */
const ENCRYPTED = [
  "MIHeMEkGCSqGSIb3DQEFDTA8MBsGCSqGSIb3DQEFDDAOBAhIpSCy1e56VQICA+gwHQYJYIZIAWUDBAECBBCwD/H665pnE6Zzf4vphK4OBIGQq3Yp+CzmoTLS6j0odEn5vmPjP5q1KsShaIl6uMzuGG11K8c92mLEo6Is/V36kKVSQPJZohMUH0CEcsVT7UCKvWU6BK367tP5A0a6sZUXPo3QRuuqaW+wC29EAcB+2pgri+kdgaR9sI9u7Tk7t5skIAN86yR0B05SRUQ3SLbecaTOLFZGuApKKY49LJRIIoFk",
  "MIHsMFcGCSqGSIb3DQEFDTBKMCkGCSqGSIb3DQEFDDAcBAie/bgRCH3awQICA+gwDAYIKoZIhvcNAgsFADAdBglghkgBZQMEASoEEBOod1ocAYdUWrYdPdwUHTUEgZB3NAOx0SAMOWCnxmUg5W8DMQn5Q2AB7JQ/t1Ke5oZh2jyEBYDlzjF0+JISOjeIDuWWRHZ609iKJRvummaf8EYbfN+vmL9lxCK7bP+4gkmSLO+E9SaPTNIr6bP1CNBB1BbNNt5xQQvm9SzCr99ow9cPFoN3h3eslImELqQroSXCA6CFU6IcViO+RsDtia0uH8Y=",
  "MIHwMFEGCSqGSIb3DQEFDTBEMCcGCSqGSIb3DQEFDDAaBAh0Ku8AxuClmwICA+gwCgYIKoZIhvcNAgswGQYJYIZIAWUDBAEuBAzBEHnMj8V9V5XcpkkEgZrFoM7U5hzOdyenSkRManNqpFoQjOKBqLdj0Pb+tJguwL/qw4EemyH+hpXCijLoRcuYKs7hXU58FW4dF4QBWqpRGxPEZrnZL9ajbwrI2o7vzisjA2BchgnpYpgNJvVownKF4RaQFLfkZLTocMSvbj6FIRFtrPrayCCSLPYPntzbU+F1KmJLQYrhmYqQdg+eE9UfVG0zXqVXYkXt",
];

const jwks: readonly (readonly [string, JsonWebKey])[] = Object.entries(storedKeys).map((
  [name, { jwk }],
) => [name, jwk as JsonWebKey]);

function publicJwk(jwk: JsonWebKey): JsonWebKey {
  const { kty, crv, x, y, n, e } = jwk;
  return JSON.parse(JSON.stringify({ kty, crv, x, y, n, e }));
}

/** Public keys as PEM and JWK, and mutated ones of others. */
function publicKeys(corpus: Corpus): Seed[] {
  const seeds = [
    ...corpus.folder("testdata/keys"),
    ...jwks.slice(0, 16).map(([name, jwk]) => jsonSeed(`jwk ${name}`, publicJwk(jwk))),
  ];
  for (const curve of ["p256", "p384"]) {
    const file = corpus.torture(`wycheproof/public_keys_${curve}.json`) as
      | { tests?: { encoding: string; public: unknown }[] }
      | undefined;
    for (const [i, { encoding, public: key }] of (file?.tests ?? []).slice(0, 60).entries()) {
      if (typeof key !== "string") continue;
      if (encoding === "pem") seeds.push(textSeed(`pem ${curve} ${i}`, key));
      if (encoding === "spki" && /^[0-9a-f]+$/.test(key)) {
        seeds.push(textSeed(`spki ${curve} ${i}`, encodePem("PUBLIC KEY", decodeHex(key))));
      }
    }
  }
  return seeds;
}

async function privateKeys(): Promise<Seed[]> {
  const seeds: Seed[] = [];
  for (const [name, jwk] of jwks) {
    seeds.push(jsonSeed(`jwk ${name}`, jwk));
    const algorithm = jwk.kty === "OKP"
      ? { name: "Ed25519" }
      : jwk.kty === "EC"
      ? { name: "ECDSA", namedCurve: jwk.crv }
      : { name: "RSASSA-PKCS1-v1_5", hash: "SHA-256" };
    const { key_ops: _, ...plain } = jwk;
    const key = await crypto.subtle.importKey("jwk", plain, algorithm, true, ["sign"]);
    const pkcs8 = new Uint8Array(await crypto.subtle.exportKey("pkcs8", key));
    seeds.push(textSeed(`pem ${name}`, encodePem("PRIVATE KEY", pkcs8)));
  }
  return seeds.filter((_, i) => i % 3 !== 2);
}

async function encryptedKeys(): Promise<Seed[]> {
  const { scryptAsync } = await import("@noble/hashes/scrypt.js");
  const { xsalsa20poly1305 } = await import("@noble/ciphers/salsa.js");
  const { encodeBase64 } = await import("../../internal/base64.ts");
  const cost = { N: 2, r: 1, p: 1 };
  const salt = new Uint8Array(32).fill(3);
  const nonce = new Uint8Array(24).fill(5);
  const plain = decodeHex(
    "3041020100301306072a8648ce3d020106082a8648ce3d030107042730250201010420" +
      "d73ec437fd6346e3619c5ebfdfff0f6916804955ad32ac9ac492b0ede1f6ffb7",
  );
  const key = await scryptAsync(utf8(PASSPHRASE), salt, { ...cost, dkLen: 32 });
  const cosign = JSON.stringify({
    kdf: { name: "scrypt", params: cost, salt: encodeBase64(salt) },
    cipher: { name: "nacl/secretbox", nonce: encodeBase64(nonce) },
    ciphertext: encodeBase64(xsalsa20poly1305(key, nonce).encrypt(plain)),
  });
  return [
    ...ENCRYPTED.map((base64, i) =>
      textSeed(
        `pkcs8 ${i + 1}`,
        encodePem("ENCRYPTED PRIVATE KEY", decodeBase64(base64)),
      )
    ),
    textSeed("cosign", encodePem("ENCRYPTED SIGSTORE PRIVATE KEY", utf8(cosign))),
  ];
}

const keyText = (source: string | Uint8Array | object): string | Uint8Array | JsonWebKey => {
  if (!(source instanceof Uint8Array)) return source as string;
  const text = textOf(source);
  if (!text.startsWith("{")) return text;
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? value as JsonWebKey : text;
  } catch {
    return text;
  }
};

async function holdsOfKey(key: TrustedKey): Promise<void> {
  const jwk = exportPublicJwk(key);
  const thumbprint = jwkThumbprint(key);
  const again = await importTrustedKey(jwk as JsonWebKey);
  if (again.fingerprint !== key.fingerprint) throw new Broken("another key after JWK");
  if (jwkThumbprint(again) !== thumbprint) throw new Broken("another thumbprint after JWK");
  if (spkiFingerprint(key.spki) !== key.fingerprint) throw new Broken("another fingerprint");
  opensshFingerprint(key);
  for (
    const signature of [
      new Uint8Array(64),
      new Uint8Array(0),
      Uint8Array.of(0x30, 6, 2, 1, 0, 2, 1, 0),
    ]
  ) {
    let accepted: boolean;
    try {
      accepted = await key.verify(utf8("message"), signature);
    } catch (error) {
      reasonOf(error);
      continue;
    }
    if (accepted) throw new Broken("a key accepts a signature of zeros");
  }
}

/** All of them. */
export const KEY_TARGETS: readonly Target[] = [
  parser("importTrustedKey", publicKeys, (source) => importTrustedKey(keyText(source)), {
    shape: "pem",
    bytesOnly: true,
    covers: ["exportPublicJwk", "jwkThumbprint", "spkiFingerprint", "opensshFingerprint"],
    holds: holdsOfKey,
  }),
  parser(
    "importSigner",
    privateKeys,
    (source) => importSigner(keyText(source)),
    {
      shape: "pem",
      bytesOnly: true,
      async holds(signer) {
        let signature: Uint8Array;
        try {
          signature = await signer.sign(utf8("message"));
        } catch (error) {
          reasonOf(error);
          return;
        }
        const key = await importTrustedKey(await signer.publicKey(), { alg: signer.alg });
        if (!await key.verify(utf8("message"), signature)) {
          throw new Broken("a signer whose signatures its own public key refuses");
        }
      },
    },
  ),
  parser(
    "decryptPrivateKey",
    encryptedKeys,
    (source) => decryptPrivateKey(textOf(source as Uint8Array), PASSPHRASE),
    {
      shape: "pem",
      bytesOnly: true,
      covers: ["findKeyEncryption"],
      isCostly: (input) => readIterations(input) > 20_000,
      async holds(pem, input) {
        if (findKeyEncryption(textOf(input)) === undefined) {
          throw new Broken("it is decrypted, but not recognised as encrypted");
        }
        await importSigner(pem);
      },
    },
  ),
  parser(
    "parseKeySet",
    (corpus) => {
      const [a, b] = corpus.folder("testdata/keys").map(({ bytes }) => textOf(bytes));
      const key = {
        name: "a",
        publicKey: a,
        validFrom: "2025-01-01T00:00:00Z",
        validUntil: "2026-12-31T23:59:59Z",
        successor: "b",
        keyid: "k1",
      };
      const other = { name: "b", publicKey: b, revokedAt: "2026-01-01T00:00:00Z" };
      const third = { name: "c", publicKey: publicJwk(jwks[0][1]), alg: "ES384" };
      return [
        jsonSeed("three", { type: "attest-key-set/v1", keys: [key, other, third] }),
        jsonSeed("one", { type: "attest-key-set/v1", keys: [{ name: "b", publicKey: b }] }),
      ];
    },
    (source) => parseKeySet(source),
    {
      objects: true,
      covers: ["refusalOfKey", "validKeys"],
      holds(set) {
        const valid = validKeys(set, NOW);
        for (const entry of set.keys) {
          const refused = refusalOfKey(entry, { verifiedTimes: [], now: NOW });
          if ((refused === undefined) !== valid.includes(entry.key)) {
            throw new Broken("validKeys() and refusalOfKey() disagree");
          }
        }
      },
    },
  ),
];
