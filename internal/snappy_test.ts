import { deepStrictEqual as deepEqual, strictEqual as equal, throws } from "node:assert/strict";
import { test } from "node:test";
import type { AttestationError } from "../errors.ts";
import { concat, utf8 } from "./bytes.ts";
import { decodeSnappy } from "./snappy.ts";

const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);

function refuses(reason: string, bytes: readonly number[] | Uint8Array, maxBytes = 1 << 20): void {
  throws(() => decodeSnappy(new Uint8Array(bytes), maxBytes), (error: AttestationError) => {
    equal(error.reason, reason, error.message);
    return true;
  });
}

test("decodeSnappy() decodes literals of every form of length", () => {
  equal(decodeSnappy(new Uint8Array([0]), 10).length, 0);
  equal(text(decodeSnappy(new Uint8Array([3, 2 << 2, 97, 98, 99]), 3)), "abc");
  for (const [bytes, length] of [[1, 200], [2, 60_000], [3, 70_000], [4, 70_000]] as const) {
    const varint = length < 128
      ? [length]
      : length < 16_384
      ? [length & 127 | 128, length >> 7]
      : [length & 127 | 128, length >> 7 & 127 | 128, length >> 14];
    const size = Array.from({ length: bytes }, (_, i) => Math.floor((length - 1) / 256 ** i) & 255);
    const body = new Uint8Array(length).fill(120);
    const block = concat(new Uint8Array([...varint, (59 + bytes) << 2, ...size]), body);
    equal(text(decodeSnappy(block, length)), "x".repeat(length));
  }
});

test("decodeSnappy() decodes copies of every form, also those that overlap", () => {
  // "abab…": a literal, then copies with offsets of 11, 16 and 32 bits.
  const copy1 = [1 | (4 - 4) << 2, 2];
  const copy2 = [2 | (6 - 1) << 2, 2, 0];
  const copy4 = [3 | (64 - 1) << 2, 2, 0, 0, 0];
  const block = [2 + 4 + 6 + 64, 1 << 2, 97, 98, ...copy1, ...copy2, ...copy4];
  equal(text(decodeSnappy(new Uint8Array(block), 100)), "ab".repeat(38));
  const far = concat(
    new Uint8Array([0x84, 0x10, 61 << 2, 0xff, 0x07]),
    new Uint8Array(2048).map((_, i) => i % 251),
    new Uint8Array([1 | 0 << 2 | 7 << 5, 0]),
  );
  deepEqual([...decodeSnappy(far, 4096).subarray(2048)], [256, 257, 258, 259].map((i) => i % 251));
});

test("decodeSnappy() refuses what is cut, too long, too short, or reaches before its start", () => {
  refuses("malformed-response", []);
  refuses("malformed-response", [0x80]);
  refuses("malformed-response", [0x80, 0x80, 0x80, 0x80, 0x80, 1]);
  refuses("malformed-response", [0xff, 0xff, 0xff, 0xff, 0x1f]);
  refuses("malformed-response", [0x83, 0, 2 << 2, 97, 98, 99]);
  refuses("malformed-response", [3]);
  refuses("malformed-response", [3, 2 << 2, 97, 98]);
  refuses("malformed-response", [2, 2 << 2, 97, 98, 99]);
  refuses("malformed-response", [4, 2 << 2, 97, 98, 99]);
  refuses("malformed-response", [3, 60 << 2]);
  refuses("malformed-response", [3, 63 << 2, 0xff, 0xff, 0xff, 0xff, 1]);
  refuses("malformed-response", [5, 0, 97, 1, 0]);
  refuses("malformed-response", [5, 0, 97, 1, 2]);
  refuses("malformed-response", [5, 0, 97, 1 << 5 | 1, 0]);
  refuses("malformed-response", [5, 0, 97, 1]);
  refuses("malformed-response", [4, 0, 97, 1, 1]);
  refuses("malformed-response", [5, 0, 97, 1, 1, 0, 98]);
  refuses("malformed-response", [5, 0, 97, 2 | 3 << 2, 1]);
});

test("decodeSnappy() takes no more memory than is accepted, and than a block can hold", () => {
  const block = utf8("\x03\x08abc");
  equal(text(decodeSnappy(block, 3)), "abc");
  refuses("limit-exceeded", block, 2);
  refuses("limit-exceeded", [0xff, 0xff, 0xff, 0xff, 0x0f, 0, 97], 1 << 20);
  refuses("malformed-response", [0xff, 0xff, 0xff, 0xff, 0x0f, 0, 97], 2 ** 32);
});
