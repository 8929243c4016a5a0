import { deepStrictEqual as deepEqual, strictEqual as equal } from "node:assert/strict";
import { test } from "node:test";
import { load, options } from "./corpus.ts";

/** Kinds of the corpus that the tests of this folder run. */
const RUN: readonly string[] = [
  "base64",
  "cbor",
  "checkpoint",
  "checkpoint-note",
  "cose",
  "cosignature-vkey",
  "ec-public-key",
  "ecdsa-der",
  "ecdsa-p1363",
  "ed25519",
  "ed25519-edge",
  "es6-number",
  "jcs",
  "json-parse",
  "jws",
  "merkle-inclusion",
  "note-vkey",
  "olpc-cjson",
  "paseto-public",
  "purl",
  "rfc3161",
  "rsa-pkcs1v15",
  "rsa-pss",
  "rsa-pss-params",
  "semver-compare",
  "semver-equal",
  "semver-invalid",
  "semver-valid",
  "signed-note",
  "tlog-proof",
  "tuf-client",
  "x509-path",
];

const NO_MONITOR = "a verifier of bundles checks inclusion; consistency is for who follows a log";

/** Kinds that nothing here reads, and why. */
const NOT_RUN: Readonly<Record<string, string>> = {
  "merkle-consistency": NO_MONITOR,
  "merkle-subtreeconsistency": NO_MONITOR,
  "merkle-subtreeinclusion": "logs of Sigstore have no subtrees",
  "cosignature": "signatures of witnesses are overlooked: the log's own decides",
  "semver-range": "tags are compared as versions, there are no ranges",
};

test("every kind of the corpus is run, or it says why not", options, () => {
  const { files } = load<{ files: { kind: string; cases: number }[] }>("index.json");
  const kinds = [...new Set(files.map(({ kind }) => kind))].sort();
  deepEqual(kinds, [...RUN, ...Object.keys(NOT_RUN)].sort());
  const left = files.filter(({ kind }) => Object.hasOwn(NOT_RUN, kind));
  equal(left.reduce((sum, { cases }) => sum + cases, 0), 647);
});
