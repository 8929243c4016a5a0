import { deepStrictEqual as deepEqual, ok } from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import type { VectorCase, VectorIndex } from "../vectors/cases.ts";
import { type Accepted, flipBits, HARMLESS, harmless } from "./bit_flips.ts";
import { jsonPlaces } from "./json_places.ts";

const TESTDATA = new URL("../../testdata/", import.meta.url);
const { cases }: VectorIndex = JSON.parse(readFileSync(new URL("index.json", TESTDATA), "utf8"));
const read = (path: string) =>
  Promise.resolve(new Uint8Array(readFileSync(new URL(path, TESTDATA))));

/** A prime: it comes by each place of an octet. The long run flips every bit. */
const STRIDE = 1511;

test("each bit of a good vector is checked, or in the list of harmless places", async () => {
  const found: Accepted[] = [];
  let flips = 0;
  const kinds = new Set<string>();
  for (const [i, vector] of cases.entries()) {
    if (vector.expected !== "pass") continue;
    const counts = await flipBits(vector, read, { stride: STRIDE, start: (i * 211) % STRIDE });
    kinds.add(vector.kind);
    flips += counts.flips;
    found.push(...counts.wrong);
    found.push(...counts.accepted.filter((place) => harmless(place) === undefined));
  }
  deepEqual(found, []);
  ok(flips > 1500, `${flips} flips`);
  ok(kinds.size >= 7);
});

test("the list of harmless places gives a reason for each, and names no signed field", () => {
  const signed = [
    "/messageSignature/signature",
    "/dsseEnvelope/payload",
    "/dsseEnvelope/signatures/0/sig",
    "/verificationMaterial/certificate/rawBytes",
    "/verificationMaterial/x509CertificateChain/certificates/0/rawBytes",
    "/verificationMaterial/tlogEntries/0/canonicalizedBody",
    "/verificationMaterial/tlogEntries/0/inclusionProof/rootHash",
    "/verificationMaterial/tlogEntries/0/inclusionPromise/signedEntryTimestamp",
    "/verificationMaterial/timestampVerificationData/rfc3161Timestamps/0/signedTimestamp" +
    "#encapContentInfo",
  ];
  for (const { why } of HARMLESS) ok(why.length > 20);
  for (const pointer of signed) {
    const place = { id: "x-attest/sigstore-bundle/v0.3-envelope", file: "", bit: 0, pointer };
    deepEqual([pointer, harmless({ ...place, role: "value" })], [pointer, undefined]);
  }
});

test("a flip that is not noticed is reported", async () => {
  const vector = cases.find(({ id }) => id.endsWith("dsse/unknown-members")) as VectorCase;
  const { accepted } = await flipBits(vector, read);
  // The member that nobody knows, and the key id.
  ok(accepted.length > 0);
  ok(accepted.some((place) => harmless({ ...place, id: "x-attest/dsse/p256" }) === undefined));
});

test("jsonPlaces() tells names from values, and counts in arrays", () => {
  const text = '{"a": [1, {"b\\"": "c"}], "d": true}';
  const places = jsonPlaces(text);
  const at = (part: string) => places(text.indexOf(part));
  deepEqual(at("1"), { pointer: "/a/0", role: "value" });
  deepEqual(at('"b'), { pointer: '/a/1/b\\"', role: "name" });
  deepEqual(at('"c"'), { pointer: '/a/1/b\\"', role: "value" });
  deepEqual(at("true"), { pointer: "/d", role: "value" });
  deepEqual(places(0).role, "layout");
});
