import { ok, strictEqual as equal } from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { decodeBase64, encodeBase64 } from "../../internal/base64.ts";
import { encodeHex } from "../../internal/hex.ts";

/* Third-party vectors beside the checkout: web-platform-tests and RFC 4648, section 10. */
const FILE = new URL("../../../shared/torture/base64/cases.json", import.meta.url);
const present = existsSync(FILE);
const options = present ? {} : { skip: `no third-party vectors at ${FILE.pathname}` };
if (!present) console.log(`skipped: ${options.skip}`);

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
  const { cases }: { cases: TestCase[] } = JSON.parse(readFileSync(FILE, "utf8"));
  ok(cases.length >= 78);
  for (const { input, forgiving, strict } of cases) {
    const found = decode(input, "required");
    equal(found, strict === "valid" ? forgiving : undefined, JSON.stringify(input));
  }
});

test("decodeBase64() without padding accepts what differs by the padding alone", options, () => {
  const { cases }: { cases: TestCase[] } = JSON.parse(readFileSync(FILE, "utf8"));
  for (const { input } of cases) {
    const found = decode(input, "optional");
    if (found === undefined) continue;
    const again = encodeBase64(decodeBase64(input));
    ok(again === input || again.replace(/=+$/, "") === input, JSON.stringify(input));
  }
});
