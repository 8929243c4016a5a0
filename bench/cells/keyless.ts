/**
 * Cost of a keyless Sigstore bundle, from text to report, in the runtime that runs this file.
 * Arguments: trusted root, bundle, folder of peers, milliseconds, rounds. Prints one line of
 * JSON.
 *
 * The floor is what nobody can leave out once a root is loaded: the signature checks of this
 * bundle (the chain above the leaf is the root's), the import of the leaf's key, JSON.parse.
 */

import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import process from "node:process";
import { pathToFileURL } from "node:url";
import { parseTrustedRoot, verifySigstoreBundle } from "../../sigstore/mod.ts";
import { floorOf, recordChecks } from "../floor.ts";
import { inSequence, interleave, runtimeName, type Work } from "../measure.ts";

interface SigstoreVerify {
  Verifier: new (material: unknown) => { verify(entity: unknown): unknown };
  toTrustMaterial(root: unknown): unknown;
  toSignedEntity(bundle: unknown): unknown;
}

interface SigstoreBrowser {
  SigstoreVerifier: new () => {
    loadSigstoreRoot(root: unknown): Promise<void>;
    verifyDsse(bundle: unknown, policy: { verify(): void }): Promise<unknown>;
  };
}

const [rootFile, bundleFile, peers, ms = "300", rounds = "3"] = process.argv.slice(2);
const rootText = readFileSync(rootFile, "utf8"), text = readFileSync(bundleFile, "utf8");
const absent: Record<string, string> = {};
const trust = { trustedRoots: [parseTrustedRoot(rootText)], unsafelyAcceptAnyIdentity: true };

async function ours(): Promise<void> {
  const result = await verifySigstoreBundle(text, trust);
  if (!result.ok) throw result.error;
}

const calls = await recordChecks(ours);
const checks = calls.map(([, key]) => (key.algorithm as EcKeyAlgorithm).namedCurve).sort();

const works: Record<string, Work> = {
  floor: inSequence(floorOf(calls, text)),
  "floor, checks together": inSequence(async () => {
    const verdicts = await Promise.all(calls.map((call) => crypto.subtle.verify(...call)));
    if (verdicts.includes(false)) throw new Error("floor refuses");
  }),
  ours: inSequence(ours),
};

try {
  const require = createRequire(pathToFileURL(`${peers}/js/package.json`));
  const { TrustedRoot } = require("@sigstore/protobuf-specs");
  const { bundleFromJSON } = require("@sigstore/bundle");
  const { Verifier, toTrustMaterial, toSignedEntity }: SigstoreVerify = require("@sigstore/verify");
  const verifier = new Verifier(toTrustMaterial(TrustedRoot.fromJSON(JSON.parse(rootText))));
  const one = () => verifier.verify(toSignedEntity(bundleFromJSON(JSON.parse(text))));
  one();
  works["@sigstore/verify"] = inSequence(one);
} catch (error) {
  absent["@sigstore/verify"] = reasonOf(error);
}

try {
  const path = `${peers}/fpf/node_modules/@freedomofpress/sigstore-browser/dist/index.js`;
  const { SigstoreVerifier }: SigstoreBrowser = await import(pathToFileURL(path).href);
  const verifier = new SigstoreVerifier();
  await verifier.loadSigstoreRoot(JSON.parse(rootText));
  const policy = { verify(): void {} };
  const one = () => verifier.verifyDsse(JSON.parse(text), policy);
  await one();
  works["sigstore-browser"] = inSequence(one);
} catch (error) {
  absent["sigstore-browser"] = reasonOf(error);
}

function reasonOf(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).split("\n")[0];
}

const keyless = await interleave(works, { rounds: Number(rounds), ms: Number(ms), step: 4 });
console.log(JSON.stringify({ runtime: runtimeName(), checks, absent, out: { keyless } }));
