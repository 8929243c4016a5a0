import { AttestationError, isAttestationError } from "../../errors.ts";
import { type Bytes, utf8 } from "../../internal/bytes.ts";
import { decodeHex } from "../../internal/hex.ts";
import { type Json, type JsonObject, parseJson } from "../../internal/json.ts";
import { parseTimestamp } from "../../internal/timestamp.ts";
import { canonicalTufJson } from "./canonical.ts";
import { isInteger, list, malformed, members, pointer, positive, record, text } from "./fields.ts";
import { isKeyIdOf } from "./key.ts";

/** Kinds of metadata; a delegated role's is `targets`. */
export type TufType = "root" | "timestamp" | "snapshot" | "targets";

/** Who signs for a role, and how many of them must. */
export interface TufRole {
  readonly keyids: readonly string[];
  readonly threshold: number;
}

/** What a file must be. */
export interface TufFileInfo {
  /** Bytes; always known for targets. */
  readonly length?: number;
  /** Lowercase hex by name of the algorithm. */
  readonly hashes: Readonly<Record<string, string>>;
}

/** What a metadata file must be. */
export interface TufMetaInfo extends TufFileInfo {
  readonly version: number;
}

/** A role that speaks for some of the targets. */
export interface TufDelegation extends TufRole {
  readonly name: string;
  readonly terminating: boolean;
  readonly paths?: readonly string[];
  readonly pathHashPrefixes?: readonly string[];
}

interface Signed {
  readonly version: number;
  readonly expires: Date;
}

/** `root.json`. */
export interface TufRoot extends Signed {
  readonly type: "root";
  readonly consistentSnapshot: boolean;
  readonly keys: ReadonlyMap<string, JsonObject>;
  readonly roles: Readonly<Record<TufType, TufRole>>;
}

/** `timestamp.json`. */
export interface TufTimestamp extends Signed {
  readonly type: "timestamp";
  readonly snapshot: TufMetaInfo;
}

/** `snapshot.json`. */
export interface TufSnapshot extends Signed {
  readonly type: "snapshot";
  /** By file name, such as `targets.json`. */
  readonly meta: ReadonlyMap<string, TufMetaInfo>;
}

/** `targets.json`, or that of a delegated role. */
export interface TufTargetsFile extends Signed {
  readonly type: "targets";
  readonly targets: ReadonlyMap<string, TufFileInfo>;
  readonly keys: ReadonlyMap<string, JsonObject>;
  readonly delegations: readonly TufDelegation[];
}

interface ByType {
  root: TufRoot;
  timestamp: TufTimestamp;
  snapshot: TufSnapshot;
  targets: TufTargetsFile;
}

/** A metadata file, read; nothing of it is verified. */
export interface TufFile<T extends TufType> {
  /** Name for messages. */
  readonly name: string;
  /** As received. */
  readonly bytes: Bytes;
  /** What the signatures are over. */
  readonly canonical: Bytes;
  /** By key id. One that is no hex cannot count and is left out. */
  readonly signatures: ReadonlyMap<string, Bytes>;
  readonly signed: ByType[T];
}

const MAX_SIGNATURES = 256;
const MAX_KEYS = 256;
const MAX_FILES = 8192;
const MAX_DELEGATIONS = 256;
const MAX_PATTERNS = 256;
/** RSA of 8192 bits, in hex. */
const MAX_SIGNATURE = 2048;

const TOP_LEVEL: readonly string[] = ["root", "timestamp", "snapshot", "targets"];

/**
 * Reads a metadata file strictly. What is read of it is the value whose canonical form the
 * signatures cover, so that nothing can be shown that was not signed.
 *
 * Source: TUF 1.0, 4.
 *
 * @throws {AttestationError} `malformed-tuf-metadata`, with what strict JSON refuses as its
 * cause.
 */
export function parseTufFile<T extends TufType>(name: string, type: T, bytes: Bytes): TufFile<T> {
  try {
    const file = record(parseJson(bytes, { maxLength: bytes.length, maxDepth: 32 }), "");
    const body = record(file.signed, "/signed");
    if (body._type !== type) {
      throw malformed(`another type than ${type}`, "/signed/_type");
    }
    if (!/^1(\.\d{1,6}){1,2}$/.test(text(body.spec_version, "/signed/spec_version"))) {
      throw malformed("not a 1.x version of TUF", "/signed/spec_version");
    }
    return {
      name,
      bytes,
      canonical: utf8(canonicalTufJson(body)),
      signatures: readSignatures(file.signatures),
      signed: READERS[type](body),
    };
  } catch (cause) {
    if (!isAttestationError(cause)) throw cause;
    throw new AttestationError(
      "malformed-tuf-metadata",
      `Cannot read ${name}: ${cause.message}`,
      { cause: cause.reason === "malformed-tuf-metadata" ? undefined : cause, path: cause.path },
    );
  }
}

const READERS: { [T in TufType]: (body: JsonObject) => ByType[T] } = {
  root: (body) => {
    const roles = record(body.roles, "/signed/roles");
    const keys = readKeys(body.keys, "/signed/keys");
    const role = (name: TufType) => readRole(roles[name], `/signed/roles/${name}`);
    if (typeof body.consistent_snapshot !== "boolean") {
      throw malformed("neither true nor false", "/signed/consistent_snapshot");
    }
    return {
      type: "root",
      ...readSigned(body),
      consistentSnapshot: body.consistent_snapshot,
      keys,
      roles: {
        root: role("root"),
        timestamp: role("timestamp"),
        snapshot: role("snapshot"),
        targets: role("targets"),
      },
    };
  },
  timestamp: (body) => {
    const meta = readMeta(body.meta);
    const snapshot = meta.get("snapshot.json");
    if (snapshot === undefined || meta.size !== 1) {
      throw malformed("not snapshot.json alone", "/signed/meta");
    }
    return { type: "timestamp", ...readSigned(body), snapshot };
  },
  snapshot: (body) => ({ type: "snapshot", ...readSigned(body), meta: readMeta(body.meta) }),
  targets: (body) => {
    const targets = new Map<string, TufFileInfo>();
    for (const [path, value] of members(body.targets, "/signed/targets", MAX_FILES)) {
      const at = `/signed/targets/${pointer(path)}`;
      const info = readFileInfo(record(value, at), at);
      if (info.length === undefined) throw malformed("not a length", `${at}/length`);
      if (Object.keys(info.hashes).length === 0) throw malformed("empty", `${at}/hashes`);
      targets.set(path, info);
    }
    return { type: "targets", ...readSigned(body), targets, ...readDelegations(body.delegations) };
  },
};

function readSigned(body: JsonObject): Signed {
  const expires = parseTimestamp(text(body.expires, "/signed/expires"));
  if (expires === undefined) throw malformed("not a time in UTC", "/signed/expires");
  return { version: positive(body.version, "/signed/version"), expires };
}

function readSignatures(value: Json | undefined): Map<string, Bytes> {
  const signatures = new Map<string, Bytes>();
  const seen = new Set<string>();
  list(value, "/signatures", MAX_SIGNATURES).forEach((one, i) => {
    const { keyid, sig } = record(one, `/signatures/${i}`);
    const id = text(keyid, `/signatures/${i}/keyid`);
    if (typeof sig !== "string") throw malformed("not a string", `/signatures/${i}/sig`);
    // TUF 1.0, 4.2.1: each key signs once.
    if (seen.has(id)) throw malformed("a key that signs twice", `/signatures/${i}/keyid`);
    seen.add(id);
    // tuf-on-ci keeps an empty text in the place of a signature that is still to come.
    if (sig.length <= MAX_SIGNATURE && /^([0-9a-f]{2})+$/i.test(sig)) {
      signatures.set(id, decodeHex(sig));
    }
  });
  return signatures;
}

function readKeys(value: Json | undefined, path: string): Map<string, JsonObject> {
  const keys = new Map<string, JsonObject>();
  for (const [keyid, one] of members(value, path, MAX_KEYS)) {
    const at = `${path}/${pointer(keyid)}`;
    const key = record(one, at);
    text(key.keytype, `${at}/keytype`);
    text(key.scheme, `${at}/scheme`);
    record(key.keyval, `${at}/keyval`);
    if (!isKeyIdOf(keyid, key)) throw malformed("a key under an id that is not its own", at);
    keys.set(keyid, key);
  }
  return keys;
}

/** Who signs for a role. */
export function readRole(value: Json | undefined, path: string): TufRole {
  const role = record(value, path);
  const keyids = list(role.keyids, `${path}/keyids`, MAX_KEYS).map((one, i) =>
    text(one, `${path}/keyids/${i}`)
  );
  if (new Set(keyids).size !== keyids.length) {
    throw malformed("a key id that occurs twice", `${path}/keyids`);
  }
  return { keyids, threshold: positive(role.threshold, `${path}/threshold`) };
}

function readMeta(value: Json | undefined): Map<string, TufMetaInfo> {
  const meta = new Map<string, TufMetaInfo>();
  for (const [name, one] of members(value, "/signed/meta", MAX_FILES)) {
    const path = `/signed/meta/${pointer(name)}`;
    const info = record(one, path);
    meta.set(name, {
      version: positive(info.version, `${path}/version`),
      ...readFileInfo(info, path),
    });
  }
  return meta;
}

function readFileInfo(info: JsonObject, path: string): TufFileInfo {
  const hashes: Record<string, string> = {};
  if (info.hashes !== undefined) {
    for (const [name, digest] of members(info.hashes, `${path}/hashes`, 16)) {
      const hex = text(digest, `${path}/hashes/${pointer(name)}`);
      if (!/^([0-9a-f]{2})+$/.test(hex)) throw malformed("not hex", `${path}/hashes`);
      hashes[name] = hex;
    }
  }
  if (info.length === undefined) return { hashes };
  if (!isInteger(info.length) || info.length < 0) {
    throw malformed("not a length", `${path}/length`);
  }
  return { hashes, length: info.length };
}

function readDelegations(
  value: Json | undefined,
): Pick<TufTargetsFile, "keys" | "delegations"> {
  if (value === undefined) return { keys: new Map(), delegations: [] };
  const path = "/signed/delegations";
  const body = record(value, path);
  const delegations: TufDelegation[] = [];
  const names = new Set<string>();
  const roles = body.roles === undefined ? [] : list(body.roles, `${path}/roles`, MAX_DELEGATIONS);
  roles.forEach((one, i) => {
    const at = `${path}/roles/${i}`;
    const role = record(one, at);
    const name = text(role.name, `${at}/name`);
    // It would speak for the whole repository.
    if (TOP_LEVEL.includes(name)) throw malformed("the name of a top-level role", `${at}/name`);
    if (names.has(name)) throw malformed("a role that occurs twice", `${at}/name`);
    names.add(name);
    if (typeof role.terminating !== "boolean") {
      throw malformed("neither true nor false", `${at}/terminating`);
    }
    if ((role.paths === undefined) === (role.path_hash_prefixes === undefined)) {
      throw malformed("not either paths or path_hash_prefixes", at);
    }
    const texts = (member: "paths" | "path_hash_prefixes") =>
      role[member] === undefined
        ? undefined
        : list(role[member], `${at}/${member}`, MAX_PATTERNS).map((pattern, k) =>
          text(pattern, `${at}/${member}/${k}`)
        );
    delegations.push({
      name,
      ...readRole(role, at),
      terminating: role.terminating,
      paths: texts("paths"),
      pathHashPrefixes: texts("path_hash_prefixes"),
    });
  });
  return { keys: readKeys(body.keys, `${path}/keys`), delegations };
}
