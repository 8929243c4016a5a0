import { encodeBase64 } from "../../internal/base64.ts";
import { utf8 } from "../../internal/bytes.ts";
import { decodeHex } from "../../internal/hex.ts";
import { type HttpAnswer, jsonAnswer, request } from "../../internal/http.ts";
import { isObject, type Json, type JsonObject, parseJson } from "../../internal/json.ts";
import { encodePem } from "../../internal/pem.ts";
import { describeKey } from "../../keys/algorithm.ts";
import { Shape } from "../_shape.ts";
import type { SignedFacts } from "../log_body.ts";
import { below, mismatch, readAnswer } from "./_answer.ts";
import {
  checkEntry,
  entryJson,
  entryOf,
  LOG_ACTION,
  type LoggedEntry,
  type LogRequest,
  notLogged,
} from "./log_request.ts";
import type { LoggedKey } from "./rekor_v2.ts";

const ENTRIES = "/api/v1/log/entries";

/** Identifier of an entry: 64 digits of its leaf, behind 16 of its tree. */
const ENTRY_ID = /^[0-9a-f]{64}(?:[0-9a-f]{16})?$/;

/**
 * Refuses a key that Rekor v1 does not take: it checks a signature over an artifact by its
 * digest, which plain Ed25519 does not sign, and RSA in the older padding only.
 *
 * @throws {AttestationError} `unsupported-algorithm`.
 */
export function checkKeyForV1({ key, scheme }: LoggedKey, hasEnvelope: boolean): void {
  const taken = scheme.name === "ECDSA" || scheme.name === "RSASSA-PKCS1-v1_5" ||
    (scheme.name === "Ed25519" && hasEnvelope);
  if (taken) return;
  const over = hasEnvelope ? "an envelope" : "an artifact";
  throw notLogged(1, `signature of ${scheme.name} by ${describeKey(key)} over ${over}`);
}

/**
 * Logs a signature in Rekor v1: an envelope as dsse 0.0.1, an artifact as hashedrekord
 * 0.0.1. When it is logged already (409), as after an answer that was lost, the entry is
 * fetched, and taken if it is this one.
 *
 * Source: sigstore/rekor, openapi.yaml and pkg/types.
 *
 * @throws {AttestationError} What {@linkcode request} refuses, `malformed-response` or
 * `response-mismatch`.
 */
export async function logInRekorV1(asked: LogRequest): Promise<LoggedEntry> {
  const url = below(asked.url, ENTRIES);
  let answer = await request(LOG_ACTION, url, {
    method: "POST",
    headers: { "content-type": "application/json", "accept": "application/json" },
    body: JSON.stringify(proposal(asked)),
    accept: [200, 201, 409],
  }, asked.http);
  if (answer.status === 409) answer = await fetchExisting(asked, url, answer);
  const json = jsonAnswer(LOG_ACTION, answer);
  const entry = readAnswer(LOG_ACTION, url, () => entryOf(convert(json)));
  await checkEntry(asked, url, entry);
  return { json: entryJson(entry), logIndex: `${entry.logIndex}`, url: asked.url };
}

/** Only an entry of the same log: an address elsewhere is not followed. */
async function fetchExisting(
  asked: LogRequest,
  url: string,
  { headers }: HttpAnswer,
): Promise<HttpAnswer> {
  const location = headers.get("location") ?? "";
  const id = location.slice(location.lastIndexOf("/") + 1);
  const target = `${url}/${id}`;
  const resolved = URL.canParse(location, url) ? new URL(location, url) : undefined;
  const isOwn = resolved?.origin === new URL(url).origin &&
    (resolved.pathname === new URL(target).pathname || resolved.pathname === `${ENTRIES}/${id}`);
  if (!ENTRY_ID.test(id) || !isOwn || resolved?.search !== "") {
    throw mismatch(LOG_ACTION, url, "status 409 and no address of the entry that is there");
  }
  return await request(
    LOG_ACTION,
    target,
    { headers: { "accept": "application/json" } },
    asked.http,
  );
}

function proposal({ facts, envelope }: LogRequest): JsonObject {
  const verifier = pem64(facts);
  if (envelope !== undefined) {
    const proposedContent = { envelope: JSON.stringify(envelope), verifiers: [verifier] };
    return { apiVersion: "0.0.1", kind: "dsse", spec: { proposedContent } };
  }
  const algorithm = "hash" in facts.scheme
    ? facts.scheme.hash.toLowerCase().replace("-", "")
    : "sha256";
  return {
    apiVersion: "0.0.1",
    kind: "hashedrekord",
    spec: {
      data: { hash: { algorithm, value: facts.artifact?.[algorithm] ?? "" } },
      signature: {
        content: encodeBase64(facts.signature),
        publicKey: { content: verifier },
      },
    },
  };
}

function pem64({ verifier: { kind, der } }: SignedFacts): string {
  const label = kind === "certificate" ? "CERTIFICATE" : "PUBLIC KEY";
  return encodeBase64(utf8(encodePem(label, der)));
}

/** The one entry of an answer as a TransparencyLogEntry: its hex becomes base64. */
function convert(answer: JsonObject): JsonObject {
  const names = Object.keys(answer);
  const logged = new Shape(names.length === 1 ? answer[names[0]] : null, "malformed-response");
  const verification = logged.object("verification");
  const proof = verification.object("inclusionProof");
  const body = logged.text("body");
  const decoded: Json = parseJson(logged.bytes("body"), { maxDepth: 32 });
  const { kind = "", apiVersion = "" } = isObject(decoded) ? decoded : {};
  const hashes = proof.raw("hashes") ?? [];
  if (!Array.isArray(hashes)) throw proof.refuse("hashes", "not an array");
  return {
    logIndex: `${logged.int64("logIndex")}`,
    logId: { keyId: base64OfHex(logged.text("logID")) },
    kindVersion: { kind, version: apiVersion },
    integratedTime: `${logged.int64("integratedTime")}`,
    inclusionPromise: { signedEntryTimestamp: verification.text("signedEntryTimestamp") },
    inclusionProof: {
      logIndex: `${proof.int64("logIndex")}`,
      rootHash: base64OfHex(proof.text("rootHash")),
      treeSize: `${proof.int64("treeSize")}`,
      hashes: hashes.map((one) => base64OfHex(typeof one === "string" ? one : "-")),
      checkpoint: { envelope: proof.text("checkpoint") },
    },
    canonicalizedBody: body,
  };
}

function base64OfHex(hex: string): string {
  return encodeBase64(decodeHex(hex));
}
