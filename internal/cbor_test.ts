import { deepStrictEqual as deepEqual, ok, strictEqual as equal, throws } from "node:assert/strict";
import { describe, it } from "node:test";
import { concat, utf8 } from "./bytes.ts";
import { CborTag, decodeCbor, encodeCborBytes, encodeCborHead } from "./cbor.ts";
import { scanCbor } from "./cbor_scan.ts";
import { decodeHex } from "./hex.ts";

const decode = (hex: string, limits = {}) => decodeCbor(decodeHex(hex), limits);
const refuses = (hex: string, reason: string, limits = {}) =>
  throws(() => decode(hex, limits), { reason }, hex);

describe("decodeCbor()", () => {
  it("reads numbers, text, bytes, lists, maps and tags", () => {
    equal(decode("1903e8"), 1000);
    equal(decode("1bffffffffffffffff"), 18446744073709551615n);
    equal(decode("3863"), -100);
    equal(decode("62c3bc"), "\u00fc");
    deepEqual(decode("83f4f5f6"), [false, true, null]);
    deepEqual(decode("a201020304"), new Map([[1, 2], [3, 4]]));
    deepEqual([...decode("430a0b0c") as Uint8Array], [10, 11, 12]);
    const tagged = decode("d9018bc11a514b67b0") as CborTag;
    ok(tagged instanceof CborTag);
    equal(tagged.tag, 395);
    equal((tagged.value as CborTag).value, 1363896240);
    equal((decode("a1695f5f70726f746f5f5f01") as Map<unknown, unknown>).get("__proto__"), 1);
  });

  it("takes lengths that are stated, in their shortest form", () => {
    for (
      const hex of [
        "9f01ff", // lists
        "bf0102ff", // maps
        "5f4101ff", // bytes
        "7f6161ff", // text
        "ff",
        "81ff",
        "1800",
        "1817",
        "190017",
        "1900ff",
        "1a0000ffff",
        "1b00000000ffffffff",
        "3817",
        "5800",
        "590001aa",
        "7800",
        "9800",
        "b800",
        "d81201", // a tag
        "1c", // reserved
        "fc",
      ]
    ) refuses(hex, "malformed-cbor");
  });

  it("refuses what is cut off, and what follows", () => {
    for (const hex of ["", "18", "19ff", "41", "6261", "81", "a1", "a101", "c1", "fb00"]) {
      refuses(hex, "malformed-cbor");
    }
    refuses("0000", "malformed-cbor");
    refuses("a0f6", "malformed-cbor");
    // Lengths of far more than there is are no reason to wait, or to add up to little.
    for (const major of ["5b", "7b", "9b", "bb"]) {
      refuses(`${major}7fffffffffffffff00`, "malformed-cbor");
      refuses(`${major}ffffffffffffffff00`, "malformed-cbor");
    }
  });

  it("refuses names that occur twice, and that are neither a number nor text", () => {
    refuses("a201000100", "malformed-cbor");
    refuses("a2616100616100", "malformed-cbor");
    refuses("a120a2616100616100", "malformed-cbor");
    refuses("a21bffffffffffffffff001bffffffffffffffff00", "malformed-cbor");
    deepEqual(decode("a20100613100"), new Map<unknown, unknown>([[1, 0], ["1", 0]]));
    for (const name of ["4101", "80", "a0", "f4", "f6", "f93c00", "c101"]) {
      refuses(`a1${name}00`, "malformed-cbor");
    }
  });

  it("refuses text that is no UTF-8, and marks that a decoder drops", () => {
    refuses("61ff", "invalid-unicode");
    refuses("63eda080", "invalid-unicode"); // a surrogate
    refuses("62c080", "invalid-unicode"); // too long a form
    refuses("a161ff00", "invalid-unicode");
    refuses("64efbbbf61", "malformed-cbor");
  });

  it("refuses values that stand for nothing", () => {
    for (const hex of ["f7", "f0", "e0", "f3", "f818", "f8ff", "f814"]) {
      refuses(hex, "malformed-cbor");
    }
  });

  it("is bounded in bytes, depth and items before anything is decoded", () => {
    refuses("4401020304", "limit-exceeded", { maxBytes: 4 });
    deepEqual(decode("818100", { maxDepth: 2 }), [[0]]);
    refuses("81818100", "limit-exceeded", { maxDepth: 2 });
    refuses("c1c1c100", "limit-exceeded", { maxDepth: 2 });
    refuses("83010203", "limit-exceeded", { maxItems: 3 });
    deepEqual(decode("83010203", { maxItems: 4 }), [1, 2, 3]);
    const deep = concat(new Uint8Array(1 << 20).fill(0x81), Uint8Array.of(0));
    throws(() => decodeCbor(deep), { reason: "limit-exceeded" });
    const many = concat(encodeCborHead(4, 1 << 20), new Uint8Array(1 << 20));
    throws(() => decodeCbor(many), { reason: "limit-exceeded" });
  });
});

describe("encodeCborHead()", () => {
  it("writes the shortest form, which scanCbor() takes", () => {
    for (const length of [0, 23, 24, 255, 256, 65535, 65536]) {
      const item = encodeCborBytes(new Uint8Array(length));
      equal(scanCbor(item, 0).end, item.length);
    }
    for (const [value, size] of [[2 ** 32 - 1, 5], [2 ** 32, 9], [2 ** 53 - 1, 9]]) {
      const head = encodeCborHead(0, value);
      equal(head.length, size);
      equal(Number(decodeCbor(head)), value);
    }
    deepEqual(encodeCborBytes(utf8("a")), Uint8Array.of(0x41, 0x61));
  });
});
