import { deepStrictEqual as deepEqual, strictEqual as equal, throws } from "node:assert/strict";
import { test } from "node:test";
import { decodeHex, encodeHex } from "./hex.ts";

test("encodeHex() writes lowercase, decodeHex() reads both cases", () => {
  const all = Uint8Array.from({ length: 256 }, (_, i) => i);
  equal(encodeHex(Uint8Array.of(0, 1, 0xab, 0xff)), "0001abff");
  deepEqual(decodeHex(encodeHex(all)), all);
  deepEqual(decodeHex(encodeHex(all).toUpperCase()), all);
  equal(encodeHex(new Uint8Array(0)), "");
  equal(decodeHex("").length, 0);
});

test("decodeHex() refuses everything else, and says where", () => {
  for (
    const text of ["a", "abc", "0x00", "gg", " 00", "00 ", "0\n", "00\n", "-1", "+1", "１１", "0."]
  ) {
    throws(() => decodeHex(text, "/digest"), { reason: "invalid-hex", path: "/digest" }, text);
  }
});
