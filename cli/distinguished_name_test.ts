import assert from "node:assert/strict";
import { test } from "node:test";
import { decodeHex } from "../internal/hex.ts";
import { formatName } from "./distinguished_name.ts";

test("formatName() puts the last part first, with short names", () => {
  // O=a, CN=b
  const der = decodeHex("3018310a300806035504" + "0a0c0161" + "310a300806035504" + "030c0162");
  assert.equal(formatName(der), "CN=b,O=a");
});

test("formatName() escapes what separates, and shows unknown types by number", () => {
  // 2.5.4.99="a,b"
  assert.equal(formatName(decodeHex("300e310c300a06035504" + "630c03612c62")), "2.5.4.99=a\\,b");
});

test("formatName() refuses what is not DER", () => {
  assert.throws(() => formatName(decodeHex("3001")), { reason: "malformed-der" });
  // An attribute without a value.
  const bare = decodeHex("3009" + "3107" + "3005" + "0603550403");
  assert.throws(() => formatName(bare), { reason: "malformed-der" });
});
