/**
 * Where the cost of a DSSE envelope lies: each layer of the way from text to a Statement by
 * itself, beside bare WebCrypto, 64 in flight. Arguments: folder of fixtures, rounds. Prints
 * CPU microseconds and the ratio to bare WebCrypto, the least of all rounds.
 */

import { readFileSync } from "node:fs";
import process from "node:process";
import { pae, parseEnvelope, verifyEnvelope } from "../../dsse/mod.ts";
import { verifyDecodedEnvelope } from "../../dsse/verify.ts";
import { decodeBase64 } from "../../internal/base64.ts";
import { parseJson } from "../../internal/json.ts";
import { parseStatement } from "../../intoto/mod.ts";
import { derToP1363 } from "../../keys/ecdsa_signature.ts";
import { importTrustedKey } from "../../keys/mod.ts";
import { defaultScheme, parseSpki, verifySignature } from "../../keys/public_key.ts";
import { inFlight, interleave, runtimeName, type Work } from "../measure.ts";

const [folder, rounds = "10"] = process.argv.slice(2);
const read = (name: string) => readFileSync(`${folder}/${name}`, "utf8");
const text = read("env-p256.json");
const trusted = await importTrustedKey(read("p256.pub.pem"));
const trust = { keys: [trusted] };
const envelope = parseEnvelope(text);
const { payload, payloadType, signatures: [{ sig }] } = envelope;
const signed = pae(payloadType, payload), bare = derToP1363(sig, 32)!;
const params = { name: "ECDSA", hash: "SHA-256" };
const imported = { name: "ECDSA", namedCurve: "P-256" };
const key = await crypto.subtle.importKey("spki", trusted.spki, imported, true, ["verify"]);
const publicKey = parseSpki(trusted.spki), scheme = defaultScheme(publicKey);
const base64: string = JSON.parse(text).payload;

/** Something that is over at once; a hundred of it, or the account is too coarse. */
const atOnce = (work: () => unknown): Work => (n) => {
  for (let i = 0; i < 100 * n; i++) work();
};
const parts: Record<string, Work> = {
  "bare WebCrypto": inFlight(() => crypto.subtle.verify(params, key, bare, signed)),
  "bare WebCrypto, other arrays each time": inFlight(() =>
    crypto.subtle.verify(params, key, bare.slice(), signed.slice())
  ),
  "verifySignature()": inFlight(() => verifySignature(publicKey, scheme, sig, signed)),
  "verifyDecodedEnvelope()": inFlight(() => verifyDecodedEnvelope(envelope, trust)),
  "verifyEnvelope()": inFlight(() => verifyEnvelope(text, trust)),
  "verifyEnvelope() and parseStatement()": inFlight(async () => {
    const result = await verifyEnvelope(text, trust);
    if (!result.ok) throw result.error;
    parseStatement(result.payload);
  }),
};
const reading: Record<string, Work> = {
  "JSON.parse, envelope": atOnce(() => JSON.parse(text)),
  "parseJson(), envelope": atOnce(() => parseJson(text)),
  "decodeBase64(), payload": atOnce(() => decodeBase64(base64)),
  "parseEnvelope()": atOnce(() => parseEnvelope(text)),
  "pae()": atOnce(() => pae(payloadType, payload)),
  "parseJson(), Statement": atOnce(() => parseJson(payload)),
  "parseStatement()": atOnce(() => parseStatement(payload)),
};
const costs = {
  ...await interleave(parts, { rounds: Number(rounds), ms: 80, step: 64 }),
  ...await interleave(reading, { rounds: Number(rounds), ms: 20, step: 1 }),
};
const raw = costs["bare WebCrypto"].cpu;
console.log(runtimeName());
for (const [name, { cpu }] of Object.entries(costs)) {
  const us = name in reading ? cpu / 100 : cpu;
  console.log(`${us.toFixed(2).padStart(8)} us ${(us / raw).toFixed(3)}  ${name}`);
}
