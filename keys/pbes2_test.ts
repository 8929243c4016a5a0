import { deepStrictEqual as deepEqual, ok, strictEqual as equal } from "node:assert/strict";
import { describe, it } from "node:test";
import { decodeBase64 } from "../internal/base64.ts";
import { type Bytes, concat, utf8 } from "../internal/bytes.ts";
import { encodeDer, parseDer, readOid, readSequence, Tag } from "../internal/der.ts";
import { decodeHex } from "../internal/hex.ts";
import { encodePem } from "../internal/pem.ts";
import { encodeOid, encodeUnsigned } from "./_der.ts";
import { ED25519_SEED, P256_SPKI, refusal, withSubtle } from "./_fixtures_test.ts";
import { decryptPkcs8, type EncryptionOptions, encryptPkcs8 } from "./pbes2.ts";
import { importSigner } from "./signer.ts";

const PASSPHRASE = "correct horse";

/** `openssl pkcs8 -topk8 -v2 CIPHER -v2prf PRF -iter 1000` of the P-256 key of the DSSE vectors. */
const OPENSSL: Readonly<Record<string, [passphrase: string, base64: string]>> = {
  "aes-256-cbc, hmacWithSHA256, 2048 rounds": [
    PASSPHRASE,
    "MIHsMFcGCSqGSIb3DQEFDTBKMCkGCSqGSIb3DQEFDDAcBAgUHXW9qCe1QgICCAAwDAYIKoZIhvcNAgkFADAdBglghkgBZQMEASoEEEJ8LZEDhOcK8ZuuRuYX0dUEgZDkMnSjR0pZdid6uf/iIhStWfX5O3QmMS/TIdtmRHK2kFQ8oqK7H6+ks6NU/u9qqSJ9xYvsCdXlA1tcNOXISbTvnvfAdo1v+K5hD1FdfnnPwX8gxTbPViwTptcJ5oPcA7JYfADbAZ93GGx8OB0Vlp2EUkggoqFlx9DUTHb/i0KkJoIDrC31y5xltux2eBZ+gsk=",
  ],
  "aes-128-cbc, hmacWithSHA1": [
    PASSPHRASE,
    "MIHeMEkGCSqGSIb3DQEFDTA8MBsGCSqGSIb3DQEFDDAOBAhIpSCy1e56VQICA+gwHQYJYIZIAWUDBAECBBCwD/H665pnE6Zzf4vphK4OBIGQq3Yp+CzmoTLS6j0odEn5vmPjP5q1KsShaIl6uMzuGG11K8c92mLEo6Is/V36kKVSQPJZohMUH0CEcsVT7UCKvWU6BK367tP5A0a6sZUXPo3QRuuqaW+wC29EAcB+2pgri+kdgaR9sI9u7Tk7t5skIAN86yR0B05SRUQ3SLbecaTOLFZGuApKKY49LJRIIoFk",
  ],
  "aes-256-cbc, hmacWithSHA512": [
    PASSPHRASE,
    "MIHsMFcGCSqGSIb3DQEFDTBKMCkGCSqGSIb3DQEFDDAcBAie/bgRCH3awQICA+gwDAYIKoZIhvcNAgsFADAdBglghkgBZQMEASoEEBOod1ocAYdUWrYdPdwUHTUEgZB3NAOx0SAMOWCnxmUg5W8DMQn5Q2AB7JQ/t1Ke5oZh2jyEBYDlzjF0+JISOjeIDuWWRHZ609iKJRvummaf8EYbfN+vmL9lxCK7bP+4gkmSLO+E9SaPTNIr6bP1CNBB1BbNNt5xQQvm9SzCr99ow9cPFoN3h3eslImELqQroSXCA6CFU6IcViO+RsDtia0uH8Y=",
  ],
  "aes-256-cbc, hmacWithSHA256, a passphrase beyond ASCII": [
    "pässwörd €",
    "MIHsMFcGCSqGSIb3DQEFDTBKMCkGCSqGSIb3DQEFDDAcBAi2RPt4shITxQICA+gwDAYIKoZIhvcNAgkFADAdBglghkgBZQMEASoEEBMtOgxc7VvTN0J/4/qPQfwEgZDYFSu9zlQeP3lsvfaQ/IdBFyx4GwVCb3/aIBYcJjEYy6R1sOYDaJHrRglbkX+kFeb3guHulkfebssuvD4Ax6J82YtJxyVW5omLUeXbrY2YrGxB7frkrL+wOodXoVeq6AjLspHPFZMHP/z+GZfrfJcY3fWnt0x668rNRcTBEW6fJiy/zcajNELkl5N+FloVuyU=",
  ],
  "aes-256-cbc, hmacWithSHA256, an empty passphrase": [
    "",
    "MIHsMFcGCSqGSIb3DQEFDTBKMCkGCSqGSIb3DQEFDDAcBAiGvMZurmjEzwICA+gwDAYIKoZIhvcNAgkFADAdBglghkgBZQMEASoEEBcp6CrrLG7xR0QtoA+NmYwEgZBxckjt//6yzZfSc8Bj3CIf5PntMLWLnTfr6CGRReyDu5j1cbjXnCHhHYvwd2Goh6B9EcMRTQBenDxfOPi9INMHW+uUCTPzdyzUVrVu5FdjB6BvvdAsomZDQy5eFOO1cGe/++BE5lvqIDYxAOMdmHXzbyzKUBReqMIgUtcMeuvT5EnxJxdhqFT0+iLmru/gL0g=",
  ],
};

/** Of the same key, with AES of 192 bits, which some browsers lack. */
const AES_192 =
  "MIHsMFcGCSqGSIb3DQEFDTBKMCkGCSqGSIb3DQEFDDAcBAhDivrEZ3diPAICA+gwDAYIKoZIhvcNAgoFADAdBglghkgBZQMEARYEED7Jjop1e2ozRnDUUdn+J/cEgZABr8v5UN2ncvhpueYc+jsoS1JUbnEv6Kk0szqFxM9esogtQh/j6M5u0+Vv+vpwf/LHiz59T23qtPVwbF5kPfyMizSNN071TqbPIaZW5elCQ+3WQONktHFdwsejUt97J7iEwqZ8lzFN/uak+OPcZaJ1EJbqovixRhOmGjezxLREDALGjY/+B8mI20u8LqLTFJQ=";

/** What openssl writes and this package does not take, by the name that the refusal tells. */
const REFUSED: Readonly<Record<string, string>> = {
  hmacWithSHA224:
    "MIHsMFcGCSqGSIb3DQEFDTBKMCkGCSqGSIb3DQEFDDAcBAihmm6xa4hfxQICA+gwDAYIKoZIhvcNAggFADAdBglghkgBZQMEASoEEIoyQtix2+zHnmnOnxqJAJIEgZCFlqwcYdn9oNaTIt5u654+KKnep1OSxRX0mxLw8MaUgliNpixNfJqoEpmgY1VHa8o/6tyOmAXt/VCvMhM633cd0sd/RT0vrJ20yBdn7cGywWut7z8k/GWOpCg+H1vh9ds4yeWOXQcZHfRSzBdaDYlkC73znVSt3eGY/3i8YTKjGnrXylUF2Wxo6S5DHfeO3zg=",
  "des-EDE3-CBC":
    "MIHjME4GCSqGSIb3DQEFDTBBMCkGCSqGSIb3DQEFDDAcBAhui0xrzsD4JgICA+gwDAYIKoZIhvcNAgkFADAUBggqhkiG9w0DBwQIiFNB/XsWIDwEgZChtJoWpVXuM1+H3kU7gDt5eMjP0v2ZHVv9ddXgCG4NxItrO2rP4fvMPadAPB2XrXE54OlQL6bJ+IEL6Q9iQi6fVHNdgeeUs7w9Wpajn//inLe1W1Y0z447kMfFnOJKbFkFccn9pw76cHbIzdoPfswZ27wXherKyEq+wz4Z5QyevdWYcXq6lknCmcNS4olAjDQ=",
  "pbeWithSHAAnd3-KeyTripleDES-CBC":
    "MIGxMBwGCiqGSIb3DQEMAQMwDgQIZSjEk0kygnYCAggABIGQOEkwSlYnYhvBMAVfgoM0oaYlkGw66JrKLxYf3evRsjpy3aAvUUWLKSjtwrOeK0C9X5ZF+BbE9mf+QHSPkBxlfEhX1aT58vt61EQHnLxGhGfcnOAtSmLIbrGy6P1igXvmXDqSGJWczlCk6yN5KDLluWkLbruAGW7acC5o6A7P6NcluAT1MgdGzF8YwC1EQHaS",
  scrypt:
    "MIHkME8GCSqGSIb3DQEFDTBCMCEGCSsGAQQB2kcECzAUBAhMLQkKRiWPiQICQAACAQgCAQEwHQYJYIZIAWUDBAEqBBAdy7P7hBJvnb1XxEg7eGhZBIGQTPQmRCd1VU2X0GXQkRxl/PkcmyGEpB2VNvHljG9oveEcEJGwaqPqBltyZuE9Mk/C0XnSokuoH4o5FUb5QsGSKNF6lpFNobAV1sGaqbgOgpQVKBwedDukXNJP6jEIsUak2F2jQY0Kt+D7bpr5ZewmyA2JD47F97+T2h3bwUOI/b0AXMs5aCsueWnR3jVJjbW7",
};

/** `ECC.generate().export_key()` of PyCryptodome with AES-256-GCM, 1000 rounds of HMAC-SHA-512. */
const PYCRYPTODOME =
  "MIHwMFEGCSqGSIb3DQEFDTBEMCcGCSqGSIb3DQEFDDAaBAh0Ku8AxuClmwICA+gwCgYIKoZIhvcNAgswGQYJYIZIAWUDBAEuBAzBEHnMj8V9V5XcpkkEgZrFoM7U5hzOdyenSkRManNqpFoQjOKBqLdj0Pb+tJguwL/qw4EemyH+hpXCijLoRcuYKs7hXU58FW4dF4QBWqpRGxPEZrnZL9ajbwrI2o7vzisjA2BchgnpYpgNJvVownKF4RaQFLfkZLTocMSvbj6FIRFtrPrayCCSLPYPntzbU+F1KmJLQYrhmYqQdg+eE9UfVG0zXqVXYkXt";

const PRF = { "SHA-1": 7, "SHA-256": 9, "SHA-384": 10, "SHA-512": 11 } as const;
const SALT = new Uint8Array(8).fill(7);
const IV = new Uint8Array(16).fill(9);
const NONCE = new Uint8Array(12).fill(9);
const NULL = encodeDer(Tag.null);
const SEED = encodeDer(0x04, decodeHex(ED25519_SEED));

function plainKey(oid: string, inner: Bytes): Bytes {
  const algorithm = encodeDer(0x30, encodeOid(oid));
  return encodeDer(0x30, integer(0), algorithm, encodeDer(0x04, inner));
}

const ED25519 = plainKey("1.3.101.112", SEED);

function integer(value: number): Bytes {
  const octets = new Uint8Array(4);
  new DataView(octets.buffer).setUint32(0, value);
  return encodeUnsigned(octets);
}

interface Parts {
  /** What is encrypted. */
  plain?: Uint8Array;
  /** What stands as ciphertext, whatever it is. */
  data?: Uint8Array;
  salt?: Bytes;
  iterations?: number;
  /** What is written instead of the number of rounds. */
  statedIterations?: Bytes;
  keyLength?: Bytes;
  hash?: keyof typeof PRF;
  prf?: Bytes;
  keyBytes?: 16 | 32;
  gcm?: boolean;
  tag?: number;
  cipherParams?: Bytes;
  scheme?: string;
  kdf?: string;
  /** What follows the last element of a SEQUENCE. */
  rest?: Bytes;
  schemeRest?: Bytes;
  paramsRest?: Bytes;
  kdfRest?: Bytes;
}

/** An EncryptedPrivateKeyInfo of any parts, under {@linkcode PASSPHRASE}. */
async function encrypted(parts: Parts = {}): Promise<Bytes> {
  const { plain = ED25519, salt = SALT, iterations = 1, hash = "SHA-256", keyBytes = 32 } = parts;
  const { gcm = false, tag = 16 } = parts;
  const secret = await crypto.subtle.importKey("raw", utf8(PASSPHRASE), "PBKDF2", false, [
    "deriveBits",
  ]);
  const bits = await crypto.subtle.deriveBits(
    { name: "PBKDF2", hash, salt, iterations },
    secret,
    keyBytes * 8,
  );
  const name = gcm ? "AES-GCM" : "AES-CBC";
  const key = await crypto.subtle.importKey("raw", bits, name, false, ["encrypt"]);
  const params = gcm ? { name, iv: NONCE, tagLength: tag * 8 } : { name, iv: IV };
  const data = parts.data ??
    new Uint8Array(await crypto.subtle.encrypt(params, key, new Uint8Array(plain)));
  const cipherParams = parts.cipherParams ??
    (gcm
      ? encodeDer(0x30, encodeDer(0x04, NONCE), ...(tag === 12 ? [] : [integer(tag)]))
      : encodeDer(0x04, IV));
  const arc = (keyBytes === 16 ? 0 : 40) + (gcm ? 6 : 2);
  const prf = parts.prf ??
    (hash === "SHA-1"
      ? concat()
      : encodeDer(0x30, encodeOid(`1.2.840.113549.2.${PRF[hash]}`), NULL));
  const kdfParams = encodeDer(
    0x30,
    encodeDer(0x04, salt),
    parts.statedIterations ?? integer(iterations),
    parts.keyLength ?? concat(),
    prf,
  );
  const scheme = encodeDer(
    0x30,
    encodeOid(parts.scheme ?? "1.2.840.113549.1.5.13"),
    encodeDer(
      0x30,
      encodeDer(
        0x30,
        encodeOid(parts.kdf ?? "1.2.840.113549.1.5.12"),
        kdfParams,
        parts.kdfRest ?? concat(),
      ),
      encodeDer(0x30, encodeOid(`2.16.840.1.101.3.4.1.${arc}`), cipherParams),
      parts.paramsRest ?? concat(),
    ),
    parts.schemeRest ?? concat(),
  );
  return encodeDer(0x30, scheme, encodeDer(0x04, data), parts.rest ?? concat());
}

async function refuses(
  parts: Parts | Bytes,
  expected: RegExp,
  passphrase = PASSPHRASE,
): Promise<void> {
  const der = parts instanceof Uint8Array ? parts : await encrypted(parts);
  const found = await refusal(() => importSigner(der, { passphrase }));
  ok(expected.test(found), `${found} instead of ${expected}`);
}

describe("decryptPkcs8()", () => {
  for (const [name, [passphrase, base64]] of Object.entries(OPENSSL)) {
    it(`opens what openssl writes: ${name}`, async () => {
      const der = decodeBase64(base64);
      const signer = await importSigner(der, { passphrase });
      deepEqual(await signer.publicKey(), decodeHex(P256_SPKI));
      const pem = encodePem("ENCRYPTED PRIVATE KEY", der);
      deepEqual(
        await (await importSigner(pem, { passphrase: utf8(passphrase) })).publicKey(),
        decodeHex(P256_SPKI),
      );
      await refuses(der, /^wrong-passphrase /, `${passphrase} `);
    });
  }

  it("opens AES of 192 bits, or says that the runtime lacks it", async () => {
    const found = await refusal(() =>
      importSigner(decodeBase64(AES_192), { passphrase: PASSPHRASE })
    );
    ok(/^(accepted|unsupported-algorithm .*AES-CBC-192)/.test(found), found);
  });

  it("says that a runtime allows fewer rounds, not that the passphrase is wrong", async () => {
    const der = await encrypted();
    const deriveBits = () => Promise.reject(new DOMException("too many", "NotSupportedError"));
    const found = await withSubtle(
      { deriveBits },
      () => refusal(() => decryptPkcs8(der, utf8(PASSPHRASE))),
    );
    ok(
      /^unsupported-algorithm .*PBKDF2 of 1 rounds and SHA-256 for AES-CBC-256/.test(found),
      found,
    );
    deepEqual(await decryptPkcs8(der, utf8(PASSPHRASE)), ED25519);
  });

  for (const [name, base64] of Object.entries(REFUSED)) {
    it(`refuses ${name} by name, with what to do`, async () => {
      const expected = new RegExp(
        `^unsupported-algorithm .*${name} .*openssl pkcs8 -topk8 -v2 aes`,
      );
      await refuses(decodeBase64(base64), expected);
    });
  }

  it("opens what PyCryptodome writes with AES-256-GCM", async () => {
    equal((await importSigner(decodeBase64(PYCRYPTODOME), { passphrase: "pw" })).alg, "ES256");
    await refuses(decodeBase64(PYCRYPTODOME), /^wrong-passphrase /, "wrong");
  });

  it("opens every hash and cipher that it knows", async () => {
    for (const hash of ["SHA-1", "SHA-256", "SHA-384", "SHA-512"] as const) {
      for (const keyBytes of [16, 32] as const) {
        for (const gcm of [false, true]) {
          const der = await encrypted({ hash, keyBytes, gcm });
          deepEqual(await decryptPkcs8(der, utf8(PASSPHRASE)), ED25519);
          await refuses(der, /^wrong-passphrase /, "wrong");
        }
      }
    }
    const bare = encodeDer(0x04, NONCE);
    deepEqual(
      await decryptPkcs8(await encrypted({ gcm: true, cipherParams: bare }), utf8(PASSPHRASE)),
      ED25519,
    );
    for (const tag of [12, 13, 14, 15]) {
      await refuses({ gcm: true, tag }, /^unsupported-algorithm .*GCM tag/);
    }
    const explicit = encodeDer(0x30, encodeOid("1.2.840.113549.2.7"), NULL);
    await importSigner(await encrypted({ hash: "SHA-1", prf: explicit }), {
      passphrase: PASSPHRASE,
    });
    await importSigner(await encrypted({ keyLength: integer(32) }), { passphrase: PASSPHRASE });
  });

  it("takes noise under a good padding for a wrong passphrase", async () => {
    const noise = Uint8Array.from({ length: 48 }, (_, i) => (i * 167 + 13) & 0xff);
    const shapes = [
      new Uint8Array(0),
      noise,
      encodeDer(0x30, noise),
      encodeDer(0x30, integer(0)),
      encodeDer(0x30, integer(0), encodeDer(0x30)),
      encodeDer(0x30, integer(0), encodeDer(0x30, encodeOid("1.3.101.112"))),
      ED25519.slice(0, -1),
      concat(ED25519, Uint8Array.of(0)),
    ];
    for (const plain of shapes) await refuses({ plain }, /^wrong-passphrase /);
    // GCM has shown that the passphrase is right: then the key is wrong.
    for (const plain of shapes.slice(1)) await refuses({ plain, gcm: true }, /^malformed-key /);
  });

  it("never tells a passphrase with a good padding from another", async () => {
    const der = await encrypted();
    const seen = new Set<string>();
    // With one round 1500 tries are quick; some six of them end in a good padding.
    for (let i = 0; i < 1500; i++) {
      seen.add(await refusal(() => importSigner(der, { passphrase: `wrong ${i}` })));
    }
    equal(seen.size, 1);
    ok([...seen][0].startsWith("wrong-passphrase "));
  });

  it("says what is wrong with a key when the passphrase is right", async () => {
    await refuses({ plain: plainKey("1.3.101.110", SEED) }, /^unsupported-algorithm .*X25519/);
    await refuses(
      { plain: plainKey("1.3.101.112", encodeDer(0x04, new Uint8Array(31))) },
      /^malformed-key .*31 octets/,
    );
  });

  it("bounds what it computes before it computes", async () => {
    await refuses({ statedIterations: integer(0) }, /^malformed-key .*without a round/);
    await refuses({ statedIterations: integer(10_000_001) }, /^limit-exceeded .*10000001 rounds/);
    await refuses({ statedIterations: integer(0xffffffff) }, /^limit-exceeded /);
    await refuses({ statedIterations: decodeHex("0206010000000000") }, /^malformed-key /);
    await refuses({ statedIterations: decodeHex("0201ff") }, /^malformed-key .*negative/);
    for (const length of [0, 7, 257]) {
      await refuses(
        { salt: new Uint8Array(length) },
        new RegExp(`^malformed-key .*salt of ${length} octets`),
      );
    }
    await importSigner(await encrypted({ salt: new Uint8Array(256) }), { passphrase: PASSPHRASE });
    await refuses(new Uint8Array(16_385), /^limit-exceeded /);
    const found = await refusal(() => decryptPkcs8(new Uint8Array(16_385), utf8(PASSPHRASE)));
    ok(found.startsWith("limit-exceeded "), found);
    // As many rounds as are allowed: what comes behind them is looked at.
    await refuses({ statedIterations: integer(10_000_000), cipherParams: NULL }, /^malformed-key /);
  });

  it("refuses parameters that do not belong together", async () => {
    await refuses({ keyLength: integer(16) }, /^malformed-key .*16 octets .*takes 32/);
    await refuses({ keyBytes: 16, keyLength: integer(32) }, /^malformed-key /);
    await refuses({ cipherParams: encodeDer(0x04, IV.slice(1)) }, /^malformed-key .*15 octets/);
    await refuses({ cipherParams: NULL }, /^malformed-key /);
    await refuses({ cipherParams: concat(encodeDer(0x04, IV), NULL) }, /^malformed-key /);
    const nonce = (length: number, ...rest: Bytes[]) =>
      encodeDer(0x30, encodeDer(0x04, new Uint8Array(length)), ...rest);
    await refuses(
      { gcm: true, cipherParams: nonce(11, integer(16)) },
      /^malformed-key .*11 octets/,
    );
    await refuses({ gcm: true, cipherParams: nonce(0, integer(16)) }, /^malformed-key /);
    await refuses({ gcm: true, cipherParams: encodeDer(0x04, IV) }, /^malformed-key .*16 octets/);
    for (const tag of [0, 4, 8, 11, 17]) {
      await refuses({ gcm: true, cipherParams: nonce(12, integer(tag)) }, /^malformed-key .*tag/);
    }
    await refuses({ gcm: true, cipherParams: nonce(12, integer(12), NULL) }, /^malformed-key /);
    const sha256 = encodeOid("1.2.840.113549.2.9");
    await refuses({ prf: encodeDer(0x30, sha256, NULL, NULL) }, /^malformed-key /);
    await refuses({ prf: encodeDer(0x30, sha256, encodeDer(5, SALT)) }, /^malformed-key /);
    await refuses({ prf: concat(encodeDer(0x30, sha256), NULL) }, /^malformed-key /);
    await refuses({ scheme: "1.2.3.4" }, /^unsupported-algorithm .*encryption 1\.2\.3\.4/);
    await refuses({ kdf: "1.2.3.4" }, /^unsupported-algorithm .*derivation 1\.2\.3\.4/);
    for (const rest of ["rest", "schemeRest", "paramsRest", "kdfRest"]) {
      await refuses({ [rest]: NULL }, /^malformed-key /);
    }
  });

  it("refuses a ciphertext that no cipher gives", async () => {
    for (const length of [0, 1, 15, 17, 63]) {
      await refuses({ data: new Uint8Array(length) }, /^malformed-key .*octets of encrypted key/);
    }
    for (const length of [0, 12, 16]) {
      await refuses({ gcm: true, data: new Uint8Array(length) }, /^malformed-key /);
    }
    await refuses({ data: new Uint8Array(16) }, /^wrong-passphrase /);
    await refuses({ gcm: true, data: new Uint8Array(17) }, /^wrong-passphrase /);
  });

  it("refuses every cut and survives every flipped bit", async () => {
    const der = await encrypted({ gcm: true });
    for (let length = 0; length < der.length; length++) {
      ok(/^malformed-key /.test(
        await refusal(() => importSigner(der.slice(0, length), { passphrase: PASSPHRASE })),
      ));
    }
    for (let bit = 0; bit < der.length * 8; bit++) {
      const flipped = der.slice();
      flipped[bit >> 3] ^= 1 << (bit & 7);
      const found = await refusal(() => decryptPkcs8(flipped, utf8(PASSPHRASE)));
      ok(
        /^(malformed-key|unsupported-algorithm|wrong-passphrase|limit-exceeded) /.test(found),
        `bit ${bit}: ${found}`,
      );
    }
  });

  it("says nothing of the passphrase or the key", async () => {
    const passphrase = "a secret that nobody may read";
    const found = await refusal(async () => importSigner(await encrypted(), { passphrase }));
    ok(!found.includes("secret"));
  });
});

describe("encryptPkcs8()", () => {
  it("writes PBES2 with HMAC-SHA-256 and a new salt each time", async () => {
    for (const cipher of [undefined, "AES-256-CBC", "AES-256-GCM"] as const) {
      const of = () =>
        encryptPkcs8(ED25519, utf8(PASSPHRASE), cipher === undefined ? {} : { cipher });
      const der = await of();
      deepEqual(await decryptPkcs8(der, utf8(PASSPHRASE)), ED25519);
      const { kdf, oid } = outline(der);
      deepEqual(kdf, { salt: 16, iterations: 600_000, prf: "1.2.840.113549.2.9" });
      equal(oid, `2.16.840.1.101.3.4.1.${cipher === "AES-256-GCM" ? 46 : 42}`);
      ok(indexOf(await of(), der.slice(0, 60)) < 0);
    }
  });

  it("takes as many rounds as asked, not fewer than are safe", async () => {
    const der = await encryptPkcs8(ED25519, utf8(PASSPHRASE), { iterations: 700_000 });
    equal(outline(der).kdf.iterations, 700_000);
    for (const iterations of [0, 1, 599_999, 10_000_001, 600_000.5, NaN, "600000"]) {
      const options = { iterations } as EncryptionOptions;
      const found = await refusal(() => encryptPkcs8(ED25519, utf8(PASSPHRASE), options));
      ok(found.startsWith("RangeError"), `${iterations}: ${found}`);
    }
    const options = { cipher: "AES-128-CBC" } as unknown as EncryptionOptions;
    const found = await refusal(() => encryptPkcs8(ED25519, utf8(PASSPHRASE), options));
    ok(found.startsWith("RangeError | cipher must be"), found);
    // So many rounds are allowed: the cipher is looked at behind them.
    const most = await refusal(() =>
      encryptPkcs8(ED25519, utf8(PASSPHRASE), { ...options, iterations: 10_000_000 })
    );
    ok(most.startsWith("RangeError | cipher must be"), most);
  });
});

function indexOf(bytes: Uint8Array, part: Uint8Array): number {
  return Array.from(bytes).join().indexOf(Array.from(part).join());
}

function outline(
  der: Bytes,
): { kdf: { salt: number; iterations: number; prf: string }; oid: string } {
  const scheme = readSequence(readSequence(parseDer(der)).next());
  equal(readOid(scheme.next()), "1.2.840.113549.1.5.13");
  const params = readSequence(scheme.next());
  const derivation = readSequence(params.next());
  equal(readOid(derivation.next()), "1.2.840.113549.1.5.12");
  const kdf = readSequence(derivation.next());
  const salt = kdf.next(Tag.octetString).value.length;
  const iterations = kdf.next(Tag.integer).value.reduce((sum, octet) => sum * 256 + octet, 0);
  const prf = readOid(readSequence(kdf.next()).next());
  kdf.end();
  return { kdf: { salt, iterations, prf }, oid: readOid(readSequence(params.next()).next()) };
}
