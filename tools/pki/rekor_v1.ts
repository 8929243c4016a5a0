import { type Bytes, utf8 } from "../../internal/bytes.ts";
import { encodeBase64 } from "../../internal/base64.ts";
import { encodeHex } from "../../internal/hex.ts";
import { canonicalJson, type Json, type JsonObject } from "../../internal/json.ts";
import { encodePem } from "../../internal/pem.ts";
import { sha256Of, type TestKey } from "./keys.ts";
import { inclusionPath, logHashes, treeRoot } from "./merkle.ts";
import { checkpointText, logSignature, signedNote } from "./checkpoint.ts";

/** A Rekor v1 log. */
export interface RekorV1 {
  key: TestKey;
  /** Host, which signs the checkpoints. */
  name: string;
  treeId: string;
  /** Entries in earlier shards: global index less index in the tree. */
  offset: number;
}

/** What the body of an entry says besides the artifact or envelope. */
export interface Verifier {
  /** Certificate or public key, DER. */
  der: Uint8Array;
  label: "CERTIFICATE" | "PUBLIC KEY";
}

/** Parts of an envelope that entries speak of. */
export interface LoggedEnvelope {
  payloadType: string;
  payload: Uint8Array;
  signature: Bytes;
  /** The envelope's JSON text as it was submitted. */
  text: string;
}

/** Body of a hashedrekord 0.0.1 entry. */
export function hashedRekordBody(
  artifactDigest: { algorithm: string; value: Uint8Array },
  signature: Uint8Array,
  verifier: Verifier,
): JsonObject {
  return {
    apiVersion: "0.0.1",
    kind: "hashedrekord",
    spec: {
      data: {
        hash: { algorithm: artifactDigest.algorithm, value: encodeHex(artifactDigest.value) },
      },
      signature: { content: encodeBase64(signature), publicKey: { content: pem64(verifier) } },
    },
  };
}

/** Body of a dsse 0.0.1 entry. */
export function dsseBody(envelope: LoggedEnvelope, verifier: Verifier): JsonObject {
  return {
    apiVersion: "0.0.1",
    kind: "dsse",
    spec: {
      envelopeHash: hash(utf8(envelope.text)),
      payloadHash: hash(envelope.payload),
      signatures: [{ signature: encodeBase64(envelope.signature), verifier: pem64(verifier) }],
    },
  };
}

/** Body of an intoto 0.0.2 entry; the signature is base64 of its base64 text. */
export function intotoBody(envelope: LoggedEnvelope, verifier: Verifier): JsonObject {
  return {
    apiVersion: "0.0.2",
    kind: "intoto",
    spec: {
      content: {
        envelope: {
          payloadType: envelope.payloadType,
          signatures: [{
            publicKey: pem64(verifier),
            sig: encodeBase64(utf8(encodeBase64(envelope.signature))),
          }],
        },
        hash: hash(utf8(envelope.text)),
        payloadHash: hash(envelope.payload),
      },
    },
  };
}

function hash(data: Uint8Array): JsonObject {
  return { algorithm: "sha256", value: encodeHex(sha256Of(data)) };
}

function pem64({ der, label }: Verifier): string {
  return encodeBase64(utf8(encodePem(label, der)));
}

/** Where and when an entry was logged, and what to get wrong about it. */
export interface EntryOptions {
  integratedTime: Date;
  /** Index in the tree. Default 4. */
  index?: number;
  /** Entries in the tree. Default 7. */
  size?: number;
  /** Origin of the checkpoint instead of `name - treeId`. */
  origin?: string;
  /** Key that signs the promise instead of the log's. */
  promiseKey?: TestKey;
  /** Key that signs the checkpoint instead of the log's. */
  checkpointKey?: TestKey;
  /** Root in the checkpoint instead of the tree's. */
  checkpointRoot?: Bytes;
  /** `kindVersion` of the entry instead of the body's. */
  kindVersion?: { kind: string; version: string };
}

/** A TransparencyLogEntry of a Rekor v1 log as bundles hold it. */
export async function rekorV1Entry(
  log: RekorV1,
  body: JsonObject,
  options: EntryOptions,
): Promise<JsonObject> {
  const { index = 4, size = 7 } = options;
  const canonicalized = utf8(canonicalJson(body));
  const hashes = logHashes(canonicalized, index, size);
  const root = treeRoot(hashes);
  const keyId = sha256Of(log.key.spki);
  const time = Math.floor(options.integratedTime.getTime() / 1000);
  const promise = canonicalJson({
    body: encodeBase64(canonicalized),
    integratedTime: time,
    logID: encodeHex(keyId),
    logIndex: index + log.offset,
  });
  const text = checkpointText(
    options.origin ?? `${log.name} - ${log.treeId}`,
    size,
    options.checkpointRoot ?? root,
  );
  const line = await logSignature(text, log.name, options.checkpointKey ?? log.key);
  const kindVersion: Json = options.kindVersion ??
    { kind: String(body.kind), version: String(body.apiVersion) };
  return {
    logIndex: String(index + log.offset),
    logId: { keyId: encodeBase64(keyId) },
    kindVersion,
    integratedTime: String(time),
    inclusionPromise: {
      signedEntryTimestamp: encodeBase64(
        await (options.promiseKey ?? log.key).sign(utf8(promise)),
      ),
    },
    inclusionProof: {
      logIndex: String(index),
      rootHash: encodeBase64(root),
      treeSize: String(size),
      hashes: inclusionPath(index, hashes).map(encodeBase64),
      checkpoint: { envelope: signedNote(text, [line]) },
    },
    canonicalizedBody: encodeBase64(canonicalized),
  };
}
