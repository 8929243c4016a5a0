import { AttestationError } from "../../errors.ts";
import { encodeBase64 } from "../../internal/base64.ts";
import { digest } from "../../internal/digest.ts";
import { jsonAnswer, request } from "../../internal/http.ts";
import { decodeHex } from "../../internal/hex.ts";
import type { JsonObject } from "../../internal/json.ts";
import { describeKey } from "../../keys/algorithm.ts";
import { keyDetailsOf } from "../_scheme.ts";
import type { SignedFacts } from "../log_body.ts";
import { below, readAnswer } from "./_answer.ts";
import {
  checkEntry,
  entryJson,
  entryOf,
  LOG_ACTION,
  type LoggedEntry,
  type LogRequest,
  notLogged,
} from "./log_request.ts";

/** The part of the facts that says whether a log takes a key. */
export type LoggedKey = Pick<SignedFacts, "key" | "scheme">;

/**
 * Refuses a key that Rekor v2 does not take: the entry is over a digest, which plain
 * Ed25519 does not sign.
 *
 * @returns `keyDetails` of the key.
 * @throws {AttestationError} `unsupported-algorithm`.
 */
export function checkKeyForV2({ key, scheme }: LoggedKey): string {
  const details = "hash" in scheme ? keyDetailsOf(key, scheme) : undefined;
  if (details === undefined) {
    throw notLogged(2, `signature of ${scheme.name} by ${describeKey(key)}`);
  }
  return details;
}

/** The log holds this very signature, and does not show the entry. */
export class AlreadyLogged extends AttestationError {
  /** Why the answer to an earlier try was lost, if there was one. */
  readonly earlier: AttestationError | undefined;

  constructor(url: string, earlier: AttestationError | undefined) {
    super(
      "service-refused",
      `Cannot ${LOG_ACTION}: ${url} answered with status 409, it holds this signature already`,
    );
    this.earlier = earlier;
  }
}

/**
 * Logs a signature in Rekor v2, as hashedrekord 0.0.2: over the artifact's digest, or over
 * that of an envelope's encoding (PAE).
 *
 * Source: sigstore/rekor-tiles, CLIENTS.md and rekor_service.proto.
 *
 * @throws {AlreadyLogged} 409.
 * @throws {AttestationError} What {@linkcode request} refuses, `unsupported-algorithm`,
 * `malformed-response` or `response-mismatch`.
 */
export async function logInRekorV2(asked: LogRequest): Promise<LoggedEntry> {
  const { facts, http } = asked;
  const url = below(asked.url, "/api/v2/log/entries");
  const answer = await request(LOG_ACTION, url, {
    method: "POST",
    headers: { "content-type": "application/json", "accept": "application/json" },
    body: JSON.stringify({ hashedRekordRequestV002: await hashedRekord(facts) }),
    accept: [200, 201, 409],
  }, http);
  if (answer.status === 409) throw new AlreadyLogged(url, answer.earlier);
  const json = jsonAnswer(LOG_ACTION, answer);
  const entry = readAnswer(LOG_ACTION, url, () => entryOf(json));
  await checkEntry(asked, url, entry);
  return { json: entryJson(entry), logIndex: `${entry.logIndex}`, url: asked.url };
}

async function hashedRekord(facts: SignedFacts): Promise<JsonObject> {
  const { envelope, artifact, scheme, signature, verifier } = facts;
  const keyDetails = checkKeyForV2(facts);
  const hash = "hash" in scheme ? scheme.hash : "SHA-256";
  const known = artifact?.[hash.toLowerCase().replace("-", "")] ?? "";
  const hashed = envelope === undefined ? decodeHex(known) : await digest(hash, envelope.pae);
  const rawBytes = encodeBase64(verifier.der);
  return {
    digest: encodeBase64(hashed),
    signature: {
      content: encodeBase64(signature),
      verifier: verifier.kind === "certificate"
        ? { x509Certificate: { rawBytes }, keyDetails }
        : { publicKey: { rawBytes }, keyDetails },
    },
  };
}
