import { AttestationError, isAttestationError } from "../errors.ts";
import { decodeBase64 } from "../internal/base64.ts";
import { type Bytes, utf8 } from "../internal/bytes.ts";
import { encodeHex } from "../internal/hex.ts";
import { decodeUtf8, type Json, type JsonObject, parseJson } from "../internal/json.ts";
import { decodeOnePem } from "../internal/pem.ts";
import { parseOffsetTimestamp } from "../internal/timestamp.ts";
import type { KeyAlgorithm } from "../keys/algorithm.ts";
import { parseSpki } from "../keys/public_key.ts";
import { importTrustedKey, type TrustedKey } from "../keys/trusted_key.ts";
import { parseCertificate } from "../sigstore/certificate.ts";
import { canonicalTufJson } from "../sigstore/tuf/canonical.ts";
import {
  list,
  malformed,
  members,
  pointer,
  positive,
  record,
  text,
} from "../sigstore/tuf/fields.ts";
import { isKeyIdOf } from "../sigstore/tuf/key.ts";
import {
  readRole,
  type TufFile,
  type TufFileInfo,
  type TufRoot,
  type TufTargetsFile,
} from "../sigstore/tuf/metadata.ts";

/*
 * Metadata of Notary v1 (Docker Content Trust): TUF before 1.0. It has no `spec_version`;
 * types are capitalised, times have offsets, and digests, keys and signatures are base64.
 *
 * Source: Notary v0.7, docs/service_architecture.md; tuf/data and tuf/signed as they are
 * written by it.
 */

const MAX_SIGNATURES = 256;
const MAX_KEYS = 256;
const MAX_FILES = 8192;
const MAX_DEPTH = 32;

type Common = Pick<TufRoot, "version" | "expires">;

const READERS: {
  [T in "root" | "targets"]: (body: JsonObject, common: Common) => TufFile<T>["signed"];
} = {
  root: (body, common) => ({ type: "root", ...common, ...readRoot(body) }),
  targets: (body, common) => ({ type: "targets", ...common, ...readTargets(body) }),
};

/**
 * Reads a root or targets file of Notary strictly, to the same shape as a file of TUF 1.0.
 *
 * @throws {AttestationError} `malformed-tuf-metadata`, with what strict JSON refuses as its
 * cause.
 */
export function readNotaryFile<T extends "root" | "targets">(
  name: string,
  type: T,
  bytes: Bytes,
): TufFile<T> {
  try {
    const file = record(parseJson(bytes, { maxLength: bytes.length, maxDepth: MAX_DEPTH }), "");
    const body = record(file.signed, "/signed");
    if (text(body._type, "/signed/_type").toLowerCase() !== type) {
      throw malformed(`another type than ${type}`, "/signed/_type");
    }
    const expires = parseOffsetTimestamp(text(body.expires, "/signed/expires"));
    if (expires === undefined) throw malformed("not a time of RFC 3339", "/signed/expires");
    const common = { version: positive(body.version, "/signed/version"), expires };
    return {
      name,
      bytes,
      canonical: utf8(canonicalTufJson(body)),
      signatures: readSignatures(file.signatures),
      signed: READERS[type](body, common),
    };
  } catch (cause) {
    if (!isAttestationError(cause)) throw cause;
    throw new AttestationError("malformed-tuf-metadata", `Cannot read ${name}: ${cause.message}`, {
      cause: cause.reason === "malformed-tuf-metadata" ? undefined : cause,
      path: cause.path,
    });
  }
}

function readSignatures(value: Json | undefined): Map<string, Bytes> {
  const signatures = new Map<string, Bytes>();
  list(value, "/signatures", MAX_SIGNATURES).forEach((one, i) => {
    const { keyid, sig } = record(one, `/signatures/${i}`);
    const id = text(keyid, `/signatures/${i}/keyid`);
    if (signatures.has(id)) throw malformed("a key that signs twice", `/signatures/${i}/keyid`);
    signatures.set(id, base64(sig, `/signatures/${i}/sig`));
  });
  return signatures;
}

function readRoot(body: JsonObject): Pick<TufRoot, "consistentSnapshot" | "keys" | "roles"> {
  const keys = new Map<string, JsonObject>();
  for (const [keyid, one] of members(body.keys, "/signed/keys", MAX_KEYS)) {
    const at = `/signed/keys/${pointer(keyid)}`;
    const key = record(one, at);
    if (!isKeyIdOf(keyid, key)) throw malformed("a key under an id that is not its own", at);
    keys.set(keyid, key);
  }
  const roles = record(body.roles, "/signed/roles");
  const role = (name: string) => readRole(roles[name], `/signed/roles/${name}`);
  return {
    consistentSnapshot: body.consistent_snapshot === true,
    keys,
    roles: {
      root: role("root"),
      timestamp: role("timestamp"),
      snapshot: role("snapshot"),
      targets: role("targets"),
    },
  };
}

function readTargets(body: JsonObject): Pick<TufTargetsFile, "targets" | "keys" | "delegations"> {
  const targets = new Map<string, TufFileInfo>();
  for (const [name, one] of members(body.targets, "/signed/targets", MAX_FILES)) {
    const at = `/signed/targets/${pointer(name)}`;
    const info = record(one, at);
    if (!Number.isSafeInteger(info.length) || Number(info.length) < 0) {
      throw malformed("not a length", `${at}/length`);
    }
    const hashes: Record<string, string> = {};
    for (const [algorithm, digest] of members(info.hashes, `${at}/hashes`, 16)) {
      hashes[algorithm] = encodeHex(base64(digest, `${at}/hashes`));
    }
    if (Object.keys(hashes).length === 0) throw malformed("empty", `${at}/hashes`);
    targets.set(name, { length: Number(info.length), hashes });
  }
  // Delegated roles sign files of their own, which are none of this file's signatures.
  return { targets, keys: new Map(), delegations: [] };
}

/** A key of a root of Notary; undefined for one that is not read here: its signatures do not count. */
export async function readNotaryKey(
  { keytype, keyval }: JsonObject,
  { keyid, name }: { keyid: string; name: string },
): Promise<TrustedKey | undefined> {
  try {
    const der = base64(record(keyval, "").public, "");
    if (keytype === "ed25519") {
      return await importTrustedKey(der, { alg: "Ed25519", keyid, name });
    }
    if (typeof keytype !== "string" || !/^(ecdsa|rsa)(-x509)?$/.test(keytype)) return undefined;
    const spki = keytype.endsWith("-x509")
      ? parseCertificate(decodeOnePem(decodeUtf8(der), "CERTIFICATE").der).publicKey.spki
      : der;
    const { kind, curve } = parseSpki(spki);
    // Notary hashes with SHA-256, whatever the curve is, and pads RSA by PSS.
    const alg: KeyAlgorithm | undefined = keytype.startsWith("rsa")
      ? kind === "RSA" ? "PS256" : undefined
      : curve === "P-256"
      ? "ES256"
      : curve === undefined
      ? undefined
      : `ECDSA-P${curve === "P-384" ? 384 : 521}-SHA256`;
    return alg === undefined ? undefined : await importTrustedKey(spki, { alg, keyid, name });
  } catch (error) {
    if (isAttestationError(error)) return undefined;
    throw error;
  }
}

function base64(value: Json | undefined, path: string): Bytes {
  if (typeof value !== "string") throw malformed("not a text", path);
  return decodeBase64(value, { alphabet: "standard", padding: "required", path });
}
