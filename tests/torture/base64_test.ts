import { ok, strictEqual as equal } from "node:assert/strict";
import { test } from "node:test";
import { decodeBase64, encodeBase64 } from "../../internal/base64.ts";
import { encodeHex } from "../../internal/hex.ts";
import { load, options, ran } from "./corpus.ts";

/* Third-party vectors: web-platform-tests and RFC 4648, section 10. */

interface TestCase {
  input: string;
  forgiving: string | null;
  strict: "valid" | "invalid";
}

function decode(text: string, padding: "required" | "optional"): string | undefined {
  try {
    return encodeHex(decodeBase64(text, { alphabet: "standard", padding }));
  } catch {
    return undefined;
  }
}

test("decodeBase64() accepts the strict cases and no other", options, () => {
  const { cases } = load<{ cases: TestCase[] }>("base64/cases.json");
  ok(cases.length >= 78);
  ran("base64", cases.length);
  for (const { input, forgiving, strict } of cases) {
    const found = decode(input, "required");
    equal(found, strict === "valid" ? forgiving : undefined, JSON.stringify(input));
  }
});

test("decodeBase64() without padding accepts what differs by the padding alone", options, () => {
  const { cases } = load<{ cases: TestCase[] }>("base64/cases.json");
  for (const { input } of cases) {
    const found = decode(input, "optional");
    if (found === undefined) continue;
    const again = encodeBase64(decodeBase64(input));
    ok(again === input || again.replace(/=+$/, "") === input, JSON.stringify(input));
  }
});
