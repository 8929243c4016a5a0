import { type Bytes, utf8 } from "../../internal/bytes.ts";
import { encodeBase64 } from "../../internal/base64.ts";
import { canonicalJson, type JsonObject } from "../../internal/json.ts";
import type { TestKey } from "./keys.ts";
import { inclusionPath, logHashes, treeRoot } from "./merkle.ts";
import { checkpointText, logSignature, noteKeyId, signedNote } from "./checkpoint.ts";

/** A Rekor v2 log: its name is the host of its address and the origin of its checkpoints. */
export interface RekorV2 {
  key: TestKey;
  name: string;
}

/** `PublicKeyDetails` of the keys that sign. */
export const KEY_DETAILS = {
  "P-256": "PKIX_ECDSA_P256_SHA_256",
  "P-384": "PKIX_ECDSA_P384_SHA_384",
  "Ed25519": "PKIX_ED25519",
  "RSA-2048": "PKIX_RSA_PKCS1V15_2048_SHA256",
} as const;

/** What a hashedrekord 0.0.2 entry says. */
export interface HashedRekordV002 {
  algorithm: string;
  /** Digest of the artifact, or of the PAE of an envelope. */
  digest: Uint8Array;
  signature: Uint8Array;
  key: TestKey;
  /** Certificate, DER; the bare public key when absent. */
  certificate?: Uint8Array;
}

/** Body of a hashedrekord 0.0.2 entry. */
export function hashedRekordV002Body(entry: HashedRekordV002): JsonObject {
  const keyDetails = KEY_DETAILS[entry.key.algorithm];
  const verifier: JsonObject = entry.certificate === undefined
    ? { keyDetails, publicKey: { rawBytes: encodeBase64(entry.key.spki) } }
    : { keyDetails, x509Certificate: { rawBytes: encodeBase64(entry.certificate) } };
  return {
    apiVersion: "0.0.2",
    kind: "hashedrekord",
    spec: {
      hashedRekordV002: {
        data: { algorithm: entry.algorithm, digest: encodeBase64(entry.digest) },
        signature: { content: encodeBase64(entry.signature), verifier },
      },
    },
  };
}

/** Where an entry was logged, and what to get wrong about it. */
export interface EntryV2Options {
  /** Index in the tree. Default 5. */
  index?: number;
  /** Entries in the tree. Default 8. */
  size?: number;
  /** Origin of the checkpoint instead of the log's name. */
  origin?: string;
  /** Extension lines of the checkpoint. */
  extensions?: string[];
  /** Key that signs the checkpoint instead of the log's. */
  checkpointKey?: TestKey;
  /** Root in the checkpoint instead of the tree's. */
  checkpointRoot?: Bytes;
  /** All signature lines; default the log's alone. */
  lines?: (text: string, own: string) => Promise<string[]>;
}

/** A TransparencyLogEntry of a Rekor v2 log as bundles hold it. */
export async function rekorV2Entry(
  log: RekorV2,
  body: JsonObject,
  options: EntryV2Options = {},
): Promise<JsonObject> {
  const { index = 5, size = 8 } = options;
  const canonicalized = utf8(canonicalJson(body));
  const hashes = logHashes(canonicalized, index, size);
  const root = treeRoot(hashes);
  const text = checkpointText(
    options.origin ?? log.name,
    size,
    options.checkpointRoot ?? root,
    options.extensions,
  );
  const own = await logSignature(text, log.name, options.checkpointKey ?? log.key);
  return {
    logIndex: String(index),
    logId: { keyId: encodeBase64(noteKeyId(log.name, log.key)) },
    kindVersion: { kind: String(body.kind), version: String(body.apiVersion) },
    inclusionProof: {
      logIndex: String(index),
      rootHash: encodeBase64(root),
      treeSize: String(size),
      hashes: inclusionPath(index, hashes).map(encodeBase64),
      checkpoint: {
        envelope: signedNote(text, options.lines ? await options.lines(text, own) : [own]),
      },
    },
    canonicalizedBody: encodeBase64(canonicalized),
  };
}
