import { strictEqual as equal } from "node:assert/strict";
import { test } from "node:test";
import { decodeBase64 } from "../../internal/base64.ts";
import { canonicalJson, decodeUtf8, parseJson } from "../../internal/json.ts";
import { load, options, ran, readText } from "./corpus.ts";

/* Third-party vectors: cyberphone/json-canonicalization (RFC 8785). */
interface JcsCase {
  name: string;
  input: string;
  output: string;
}

test("canonicalJson() gives the published outputs", options, () => {
  const { cases } = load<{ cases: JcsCase[] }>("rfc8785/jcs.json");
  equal(cases.length, 6);
  ran("rfc8785", cases.length);
  for (const { name, input, output } of cases) {
    const found = canonicalJson(parseJson(decodeBase64(input)));
    equal(found, decodeUtf8(decodeBase64(output)), name);
    equal(canonicalJson(parseJson(found)), found, name);
  }
});

test("canonicalJson() writes numbers as published", options, () => {
  const lines = readText("rfc8785/es6-numbers-10000.txt").trim().split("\n");
  equal(lines.length, 10_000);
  ran("rfc8785", lines.length);
  const view = new DataView(new ArrayBuffer(8));
  for (const line of lines) {
    const [bits, wanted] = line.split(",");
    view.setBigUint64(0, BigInt(`0x${bits}`));
    equal(canonicalJson(view.getFloat64(0)), wanted, line);
  }
});
