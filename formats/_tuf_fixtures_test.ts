import { encodeBase64 } from "../internal/base64.ts";
import { utf8 } from "../internal/bytes.ts";
import { encodeHex } from "../internal/hex.ts";
import type { Json, JsonObject } from "../internal/json.ts";
import { encodePem } from "../internal/pem.ts";
import { sha256 } from "../internal/sha256.ts";
import type { KeyAlgorithm } from "../keys/mod.ts";
import { canonicalTufJson } from "../sigstore/tuf/canonical.ts";
import { ABC, keyOf, raw } from "./_fixtures_test.ts";

/** How metadata is written: by Notary v1, or by TUF 1.0. */
export type Dialect = "notary" | "tuf";

/** When the metadata is valid. */
export const TUF_NOW = new Date("2026-01-01T00:00:00Z");
export const TUF_EXPIRES = "2027-01-01T00:00:00Z";

/** What a file is to be made of, wrong where it is told to be. */
export interface MadeTuf {
  dialect?: Dialect;
  /** Names of keys that sign; of `keyOf()`. */
  signers?: readonly string[];
  alg?: KeyAlgorithm;
  expires?: string;
  /** Members of `signed` that are other than usual. */
  signed?: JsonObject;
  /** `signed` is all of it, and in the order that it has. */
  whole?: boolean;
  /** What `latest` is; default `abc`. */
  content?: Uint8Array;
  /** Keys by name in place of those of `keyOf()`. */
  stored?: (alg: KeyAlgorithm, name: string) => Promise<KeyPair>;
  /** ECDSA signatures of Notary in DER, as its later versions write them. */
  der?: boolean;
}

/** What signs, and its public part. */
interface KeyPair {
  signer: { sign(data: Uint8Array): Promise<Uint8Array> };
  trustedKey: { spki: Uint8Array };
}

/** Of a root: who may sign targets, and how many must. */
export interface MadeRoot extends MadeTuf {
  targetSigners?: readonly string[];
  threshold?: number;
}

/** The key as metadata has it, with its id. */
export async function tufKey(
  dialect: Dialect,
  alg: KeyAlgorithm,
  { name, stored = keyOf }: { name: string } & Pick<MadeTuf, "stored">,
): Promise<{ keyid: string; key: JsonObject; signer: KeyPair["signer"] }> {
  const { signer, trustedKey } = await stored(alg, name);
  const { spki } = trustedKey;
  const isEd = alg === "Ed25519";
  const key: JsonObject = dialect === "notary"
    ? {
      keytype: isEd ? "ed25519" : "ecdsa",
      keyval: { private: null, public: encodeBase64(isEd ? spki.subarray(-32) : spki) },
    }
    : {
      keytype: isEd ? "ed25519" : "ecdsa",
      scheme: isEd ? "ed25519" : "ecdsa-sha2-nistp256",
      keyval: { public: isEd ? encodeHex(spki.subarray(-32)) : encodePem("PUBLIC KEY", spki) },
    };
  return { keyid: encodeHex(sha256(utf8(canonicalTufJson(key)))), key, signer };
}

/** A targets file with `latest`, which is `abc`. */
export async function tufTargetsFile(made: MadeTuf = {}): Promise<string> {
  const { dialect = "notary", content = ABC } = made;
  const bytes = sha256(content);
  const digest = dialect === "notary" ? encodeBase64(bytes) : encodeHex(bytes);
  return await file(made, {
    _type: dialect === "notary" ? "Targets" : "targets",
    delegations: { keys: {}, roles: [] },
    targets: { latest: { hashes: { sha256: digest }, length: content.length } },
  });
}

/** A root that names who signs targets. */
export async function tufRootFile(made: MadeRoot = {}): Promise<string> {
  const { dialect = "notary", alg = "ES256", targetSigners = ["ci"], threshold = 1 } = made;
  const keys: JsonObject = {};
  const add = async (name: string) => {
    const { keyid, key } = await tufKey(dialect, alg, { name, stored: made.stored });
    keys[keyid] = key;
    return keyid;
  };
  const root = { keyids: [await add("root")], threshold: 1 };
  const keyids: string[] = [];
  for (const name of targetSigners) keyids.push(await add(name));
  const targets = { keyids, threshold };
  const roles: Json = { root, targets, snapshot: root, timestamp: root };
  return await file({ signers: ["root"], ...made }, {
    _type: dialect === "notary" ? "Root" : "root",
    consistent_snapshot: false,
    keys,
    roles,
  });
}

async function file(
  { dialect = "notary", signers = ["ci"], alg = "ES256", der = false, whole, ...made }: MadeTuf,
  body: JsonObject,
): Promise<string> {
  const signed: JsonObject = whole ? made.signed ?? {} : {
    ...body,
    ...(dialect === "tuf" ? { spec_version: "1.0.31" } : {}),
    version: 2,
    expires: made.expires ?? TUF_EXPIRES,
    ...made.signed,
  };
  const canonical = utf8(canonicalTufJson(signed));
  const signatures: Json[] = [];
  for (const name of signers) {
    const { keyid, signer } = await tufKey(dialect, alg, { name, stored: made.stored });
    const bytes = await signer.sign(canonical);
    signatures.push(
      dialect === "notary"
        ? { keyid, method: "ecdsa", sig: encodeBase64(der ? bytes : raw(alg, bytes)) }
        : { keyid, sig: encodeHex(bytes) },
    );
  }
  return JSON.stringify({ signed, signatures });
}
