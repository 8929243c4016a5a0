import { isAttestationError } from "../errors.ts";
import type { Bytes } from "../internal/bytes.ts";
import { decodeHex } from "../internal/hex.ts";
import { encodeDer } from "../internal/der.ts";
import { encodeBitString, encodeUnsigned } from "./_der.ts";

/*
 * Public test keys, from specifications. None of them signs anything real.
 */

/** RFC 8032, 7.1, test 1. */
export const ED25519_SEED = "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60";
export const ED25519_POINT = "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a";

/** DSSE 1.0.2, protocol.md, "Test Vectors". */
export const P256_JWK = {
  kty: "EC",
  crv: "P-256",
  x: "Z805D3eqNZywjCI19lInBJOp7YMrCrzAH3CVTAOQ0jg",
  y: "DHgr1U4mkSWkT0Qzr_FDLOlOErynOqZ6yAzqEmCN33Q",
} as const;
export const P256_D = "1z7EN_1jRuNhnF6_3_8PaRaASVWtMqyaxJKw7eH2_7c";
export const P256_SPKI =
  "3059301306072a8648ce3d020106082a8648ce3d0301070342000467cd390f77aa359cb08c2235f652270493a9ed832b0abcc01f70954c0390d238" +
  "0c782bd54e269125a44f4433aff1432ce94e12bca73aa67ac80cea12608ddf74";

/** RFC 7638, 3.1. */
export const RSA_JWK = {
  kty: "RSA",
  n: "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw",
  e: "AQAB",
} as const;

/** C2SP/wycheproof, json_web_key_test.json, jws_rsa_roca_key: a key of CVE-2017-15361. */
export const ROCA_N =
  "AanFpofbj7KjD4Lf-N2hVMKR7yewSyXhhbirIMTGpfYEhZ_lnt5UoK98DnKIgArXGTu3MaW_HhFw16HGaTDUHqPrId7fe4r11CqRw09yBFuW79V8sYIwHdzCaWflUI6auImYbVfoN9_nD5n8N8SY9DwXw7mwZM9wREPXoDPgOoIWl6q_MPsp7n0zs3Z5ZaiQWOOzl1S9OhwAfSiiOwz6efnXEaxuTEtPd7BjSx7NaFka8Dx9U7YqXy2RFj1O9PjyaDGuRh7YXsX3iMUSP_wSyHQg_c_qHRtKUsNSGCT7OZg0hzm2KphtjnayKJvC64vAbROBR4Ubg6Bxg9IQVZ-QYyE";

export const OID = {
  ec: "06072a8648ce3d0201",
  p256: "06082a8648ce3d030107",
  p384: "06052b81040022",
  secp256k1: "06052b8104000a",
  rsa: "06092a864886f70d010101",
  pss: "06092a864886f70d01010a",
  dsa: "06072a8648ce380401",
  ed25519: "06032b6570",
  x25519: "06032b656e",
  ed448: "06032b6571",
} as const;

/** SubjectPublicKeyInfo from the contents of its AlgorithmIdentifier and its key, in hex. */
export function spki(algorithm: string, key: string): Bytes {
  return encodeDer(0x30, encodeDer(0x30, decodeHex(algorithm)), encodeBitString(decodeHex(key)));
}

/** SubjectPublicKeyInfo of an RSA key of these numbers. */
export function rsaSpki(modulus: Uint8Array, exponent: Uint8Array): Bytes {
  const key = encodeDer(0x30, encodeUnsigned(modulus), encodeUnsigned(exponent));
  const algorithm = encodeDer(0x30, decodeHex(OID.rsa), decodeHex("0500"));
  return encodeDer(0x30, algorithm, encodeBitString(key));
}

/** An odd number of so many bits, which is no product of primes that anybody chose. */
export function modulus(bits: number): Bytes {
  const number = new Uint8Array(Math.ceil(bits / 8));
  for (let i = 0; i < number.length; i++) number[i] = (i * 167 + 13) & 0xff;
  const top = (bits - 1) % 8;
  number[0] = (number[0] & ((1 << top) - 1)) | (1 << top);
  number[number.length - 1] |= 1;
  return number;
}

/** Runs with another implementation of some of WebCrypto: a laxer one, or one that lacks something. */
export async function withSubtle<T>(
  methods: Partial<Record<keyof SubtleCrypto, () => Promise<unknown>>>,
  run: () => T | Promise<T>,
): Promise<T> {
  const { subtle } = crypto;
  const own = Object.keys(methods).map((name) =>
    [name, Object.getOwnPropertyDescriptor(subtle, name)] as const
  );
  for (const [name, value] of Object.entries(methods)) {
    Object.defineProperty(subtle, name, { configurable: true, writable: true, value });
  }
  try {
    return await run();
  } finally {
    // In some runtimes the methods are the object's own.
    for (const [name, descriptor] of own) {
      if (descriptor === undefined) Reflect.deleteProperty(subtle, name);
      else Object.defineProperty(subtle, name, descriptor);
    }
  }
}

/** What `run` is refused with; a text that matches nothing if it is not. */
export async function refusal(run: () => unknown): Promise<string> {
  try {
    await run();
  } catch (error) {
    return describe(error);
  }
  return "accepted";
}

/** The same for what does not wait. */
export function refusalOf(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    return describe(error);
  }
  return "accepted";
}

function describe(error: unknown): string {
  if (isAttestationError(error)) {
    return `${error.reason}${error.path === undefined ? "" : ` ${error.path}`} | ${error.message}`;
  }
  return error instanceof Error ? `${error.name} | ${error.message}` : "no error";
}
