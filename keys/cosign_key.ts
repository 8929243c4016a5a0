import { AttestationError, isAttestationError } from "../errors.ts";
import { decodeBase64 } from "../internal/base64.ts";
import type { Bytes } from "../internal/bytes.ts";
import { isObject, type JsonObject, quote } from "../internal/json.ts";
import { parseKeyJson } from "./_source.ts";
import { wrongPassphrase } from "./pbes2.ts";
import { malformed, MAX_KEY_BYTES, unsupported } from "./spki.ts";

/** Cost of scrypt (RFC 7914, 2): it takes 128·N·r bytes and N·r·p steps. */
interface Cost {
  readonly N: number;
  readonly r: number;
  readonly p: number;
}

const MAX_MEMORY_BYTES = 2 ** 28;
const MAX_WORK = 2 ** 22;
const NONCE_BYTES = 24;
const TAG_BYTES = 16;

/**
 * Opens the private key file of cosign: PKCS#8 in a NaCl secretbox under scrypt, as JSON.
 * `@noble/hashes` and `@noble/ciphers` are loaded when it is needed: WebCrypto has neither.
 *
 * Source: cosign, "Keys" (`cosign generate-key-pair`): the format of go-tuf's package
 * `encrypted`; RFC 7914; NaCl, `crypto_secretbox` (XSalsa20 and Poly1305).
 *
 * @param json Contents of the PEM block `ENCRYPTED SIGSTORE PRIVATE KEY`.
 * @returns PKCS#8, not yet read.
 * @throws {AttestationError} `wrong-passphrase`, `malformed-key`, `malformed-json`,
 * `duplicate-json-key`, `limit-exceeded`, `unsupported-algorithm`.
 */
export async function decryptCosignKey(json: Uint8Array, passphrase: Uint8Array): Promise<Bytes> {
  const { cost, salt, nonce, ciphertext } = readFile(json);
  const { scryptAsync, xsalsa20poly1305 } = await loadPrimitives();
  const key = await scryptAsync(passphrase, salt, {
    ...cost,
    dkLen: 32,
    maxmem: 2 * MAX_MEMORY_BYTES,
  });
  try {
    return new Uint8Array(xsalsa20poly1305(key, nonce).decrypt(ciphertext));
  } catch {
    throw wrongPassphrase();
  } finally {
    key.fill(0);
  }
}

function readFile(
  json: Uint8Array,
): { cost: Cost; salt: Bytes; nonce: Bytes; ciphertext: Bytes } {
  const file = members(
    parseKeyJson(json, { maxLength: MAX_KEY_BYTES, maxDepth: 8 }),
    "",
    ["kdf", "cipher", "ciphertext"],
  );
  const kdf = members(file.kdf, "/kdf", ["name", "params", "salt"]);
  expectName(kdf.name, "scrypt", "/kdf/name");
  const params = members(kdf.params, "/kdf/params", ["N", "r", "p"]);
  const cost: Cost = {
    N: count(params.N, "/kdf/params/N"),
    r: count(params.r, "/kdf/params/r"),
    p: count(params.p, "/kdf/params/p"),
  };
  checkCost(cost);
  const salt = bytes(kdf.salt, "/kdf/salt");
  if (salt.length < 8 || salt.length > 256) {
    throw malformed(`a salt of ${salt.length} octets, wanted 8 to 256`, "/kdf/salt");
  }
  const cipher = members(file.cipher, "/cipher", ["name", "nonce"]);
  expectName(cipher.name, "nacl/secretbox", "/cipher/name");
  const nonce = bytes(cipher.nonce, "/cipher/nonce");
  if (nonce.length !== NONCE_BYTES) {
    throw malformed(`${nonce.length} octets of nonce, wanted ${NONCE_BYTES}`, "/cipher/nonce");
  }
  const ciphertext = bytes(file.ciphertext, "/ciphertext");
  if (ciphertext.length <= TAG_BYTES) {
    throw malformed(`${ciphertext.length} octets of encrypted key`, "/ciphertext");
  }
  return { cost, salt, nonce, ciphertext };
}

function checkCost({ N, r, p }: Cost): void {
  if (N < 2 || (N & (N - 1)) !== 0) {
    throw malformed("a cost N of scrypt that is no power of two", "/kdf/params/N");
  }
  if (128 * N * r > MAX_MEMORY_BYTES || N * r * p > MAX_WORK) {
    throw new AttestationError(
      "limit-exceeded",
      `Cannot decrypt key: scrypt with N=${N}, r=${r}, p=${p} takes more than ` +
        `${MAX_MEMORY_BYTES / 2 ** 20} MiB or ${MAX_WORK} steps`,
      { path: "/kdf/params" },
    );
  }
}

function members(value: unknown, path: string, names: readonly string[]): JsonObject {
  if (!isObject(value)) throw malformed("a cosign key file without an object", path);
  for (const name of Object.keys(value)) {
    if (!names.includes(name)) {
      throw malformed(
        `a cosign key file with the unknown member ${quote(name)}`,
        path === "" ? undefined : path,
      );
    }
  }
  for (const name of names) {
    if (!Object.hasOwn(value, name)) {
      throw malformed(`a cosign key file without ${name}`, `${path}/${name}`);
    }
  }
  return value;
}

function expectName(value: unknown, wanted: string, path: string): void {
  if (typeof value !== "string") throw malformed("a name that is no string", path);
  if (value !== wanted) throw unsupported(`the cosign key file with ${quote(value)}`, path);
}

function count(value: unknown, path: string): number {
  if (typeof value !== "number" || !Number.isInteger(value) || value < 1 || value > 2 ** 30) {
    throw malformed("a cost of scrypt that is no integer from 1 to 2^30", path);
  }
  return value;
}

function bytes(value: unknown, path: string): Bytes {
  if (typeof value !== "string") throw malformed("a member that is no string", path);
  try {
    return decodeBase64(value, { alphabet: "standard", padding: "required" });
  } catch (cause) {
    if (!isAttestationError(cause)) throw cause;
    throw malformed("a member that is not standard base64", path);
  }
}

interface Primitives {
  scryptAsync: typeof import("@noble/hashes/scrypt.js").scryptAsync;
  xsalsa20poly1305: typeof import("@noble/ciphers/salsa.js").xsalsa20poly1305;
}

async function loadPrimitives(): Promise<Primitives> {
  try {
    const [{ scryptAsync }, { xsalsa20poly1305 }] = await Promise.all([
      import("@noble/hashes/scrypt.js"),
      import("@noble/ciphers/salsa.js"),
    ]);
    return { scryptAsync, xsalsa20poly1305 };
  } catch (cause) {
    throw new AttestationError(
      "unsupported-algorithm",
      "Cannot decrypt key: the packages @noble/hashes and @noble/ciphers are not installed",
      { cause },
    );
  }
}
