/**
 * Cost of a DSSE envelope with a Statement, from text to parsed Statement, in the runtime that
 * runs this file. Arguments: folder of fixtures, folder of peers, milliseconds, rounds.
 * Prints one line of JSON.
 */

import { Buffer } from "node:buffer";
import { createPublicKey, type KeyObject } from "node:crypto";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import process from "node:process";
import { pathToFileURL } from "node:url";
import { pae, parseEnvelope, verifyEnvelope } from "../../dsse/mod.ts";
import { parseStatement } from "../../intoto/mod.ts";
import { importTrustedKey } from "../../keys/mod.ts";
import { derToP1363 } from "../../keys/ecdsa_signature.ts";
import { inFlight, inSequence, interleave, runtimeName, type Work } from "../measure.ts";

interface Jose {
  compactVerify(jws: string, key: CryptoKey): Promise<{ payload: Uint8Array }>;
}

interface SigstoreCore {
  crypto: {
    verify(data: Uint8Array, key: KeyObject, signature: Uint8Array, digest?: string): boolean;
  };
  dsse: { preAuthEncoding(type: string, payload: Uint8Array): Uint8Array };
}

const [folder, peers, ms = "150", rounds = "3"] = process.argv.slice(2);
const read = (name: string) => readFileSync(`${folder}/${name}`, "utf8");
const require = createRequire(pathToFileURL(`${peers}/js/package.json`));
const absent: Record<string, string> = {};
const out: Record<string, unknown> = {};

async function peer<T>(name: string): Promise<T | undefined> {
  try {
    const module = await import(pathToFileURL(require.resolve(name)).href);
    return module.default ?? module;
  } catch (error) {
    absent[name] = error instanceof Error ? error.message.split("\n")[0] : String(error);
  }
}

const jose = await peer<Jose>("jose");
const core = await peer<SigstoreCore>("@sigstore/core");

for (const alg of ["p256", "ed25519"] as const) {
  const text = read(`env-${alg}.json`), jws = read(`jws-${alg}.txt`), pem = read(`${alg}.pub.pem`);
  const trusted = await importTrustedKey(pem);
  const trust = { keys: [trusted] };
  const ec = alg === "p256";
  const params = ec ? { name: "ECDSA", hash: "SHA-256" } : { name: "Ed25519" };
  const imported = ec ? { name: "ECDSA", namedCurve: "P-256" } : { name: "Ed25519" };
  const key = await crypto.subtle.importKey("spki", trusted.spki, imported, true, ["verify"]);
  const decoded = parseEnvelope(text);
  const signed = pae(decoded.payloadType, decoded.payload);
  const { sig } = decoded.signatures[0];
  const signature = ec ? derToP1363(sig, 32)! : sig;

  const raw = async () => {
    if (!await crypto.subtle.verify(params, key, signature, signed)) throw new Error("raw refuses");
  };
  const ours = async () => {
    const result = await verifyEnvelope(text, trust);
    if (!result.ok) throw result.error;
    parseStatement(result.payload);
  };
  const works: Record<string, Work> = {
    "raw, in sequence": inSequence(raw),
    "ours, in sequence": inSequence(ours),
    "raw": inFlight(raw),
    "ours": inFlight(ours),
    "ours, reading only": inFlight(() => {
      const envelope = parseEnvelope(text);
      pae(envelope.payloadType, envelope.payload);
      parseStatement(envelope.payload);
      return Promise.resolve();
    }),
  };
  if (jose !== undefined) {
    const decoder = new TextDecoder();
    works.jose = inFlight(async () => {
      JSON.parse(decoder.decode((await jose.compactVerify(jws, key)).payload));
    });
  }
  if (core !== undefined) {
    const publicKey = createPublicKey(pem);
    works["@sigstore/core"] = inSequence(() => {
      const envelope = JSON.parse(text);
      const payload = Buffer.from(envelope.payload, "base64");
      const good = core.crypto.verify(
        core.dsse.preAuthEncoding(envelope.payloadType, payload),
        publicKey,
        Buffer.from(envelope.signatures[0].sig, "base64"),
        ec ? "sha256" : undefined,
      );
      if (!good) throw new Error("@sigstore/core refuses");
      JSON.parse(payload.toString());
    });
  }
  out[alg] = await interleave(works, { rounds: Number(rounds), ms: Number(ms), step: 64 });
}
console.log(JSON.stringify({ runtime: runtimeName(), absent, out }));
