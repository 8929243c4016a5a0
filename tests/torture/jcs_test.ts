import { strictEqual as equal } from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { decodeBase64 } from "../../internal/base64.ts";
import { canonicalJson, decodeUtf8, parseJson } from "../../internal/json.ts";

/* Third-party vectors beside the checkout: cyberphone/json-canonicalization (RFC 8785). */
const ROOT = new URL("../../../shared/torture/rfc8785/", import.meta.url);
const present = existsSync(ROOT);
const options = present ? {} : { skip: `no third-party vectors at ${ROOT.pathname}` };
if (!present) console.log(`skipped: ${options.skip}`);

test("canonicalJson() gives the published outputs", options, () => {
  const { cases } = JSON.parse(readFileSync(new URL("jcs.json", ROOT), "utf8"));
  equal(cases.length, 6);
  for (const { name, input, output } of cases) {
    const found = canonicalJson(parseJson(decodeBase64(input)));
    equal(found, decodeUtf8(decodeBase64(output)), name);
    equal(canonicalJson(parseJson(found)), found, name);
  }
});

test("canonicalJson() writes numbers as published", options, () => {
  const lines = readFileSync(new URL("es6-numbers-10000.txt", ROOT), "utf8").trim().split("\n");
  equal(lines.length, 10_000);
  const view = new DataView(new ArrayBuffer(8));
  for (const line of lines) {
    const [bits, wanted] = line.split(",");
    view.setBigUint64(0, BigInt(`0x${bits}`));
    equal(canonicalJson(view.getFloat64(0)), wanted, line);
  }
});
