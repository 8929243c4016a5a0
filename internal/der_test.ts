import { deepStrictEqual as deepEqual, ok, strictEqual as equal, throws } from "node:assert/strict";
import { describe, it } from "node:test";
import { isAttestationError } from "../errors.ts";
import { type Bytes, utf8 } from "./bytes.ts";
import {
  children,
  type Der,
  encodeDer,
  parseDer,
  readBitString,
  readBoolean,
  readInteger,
  readNamedBits,
  readOctetString,
  readOid,
  readSequence,
  readSmall,
  readTime,
  readUnsigned,
  Tag,
} from "./der.ts";
import { decodeHex, encodeHex } from "./hex.ts";

function outcome(run: () => unknown): string {
  try {
    const value = run();
    return value instanceof Uint8Array
      ? encodeHex(value)
      : value instanceof Date
      ? value.toISOString()
      : String(value);
  } catch (error) {
    if (isAttestationError(error)) return error.reason;
    throw error;
  }
}

/** What a reader makes of one element given as hex. */
function read(reader: (element: Der) => unknown, hex: string): string {
  return outcome(() => reader(parseDer(decodeHex(hex))));
}

const BAD = "malformed-der";

describe("parseDer()", () => {
  it("keeps the bytes of an element and of its contents", () => {
    const element = parseDer(decodeHex("30030201ff"));
    equal(element.tag, Tag.sequence);
    equal(encodeHex(element.raw), "30030201ff");
    equal(encodeHex(element.value), "0201ff");
    const [integer] = children(element);
    equal(encodeHex(integer.raw), "0201ff");
    equal(integer.raw.buffer, element.raw.buffer);
  });

  it("reads lengths of every form, in their shortest form only", () => {
    for (const length of [0, 1, 127, 128, 255, 256, 65_535, 65_536, 1 << 24]) {
      const bytes = encodeDer(Tag.octetString, new Uint8Array(length));
      equal(parseDer(bytes).value.length, length);
      equal(outcome(() => parseDer(bytes.subarray(0, bytes.length - 1))), BAD);
    }
    for (
      const hex of [
        "0480",
        "048000000000",
        "04810100",
        "04817f" + "00".repeat(127),
        "0482007f" + "00".repeat(127),
        "048200ff" + "00".repeat(255),
        "0483000100" + "00".repeat(256),
        "04840000000100",
        "0485000000000100",
        "04ff00",
        "0484ffffffff",
        "0488ffffffffffffffff",
      ]
    ) equal(outcome(() => parseDer(decodeHex(hex))), BAD, hex.slice(0, 16));
  });

  it("refuses what is truncated, trailing, of a long tag or of tag 0", () => {
    for (
      const hex of [
        "",
        "30",
        "3001",
        "0201",
        "0481",
        "048180",
        "0500ff",
        "05000500",
        "0000",
        "1f0100",
        "3f8101",
        "bf1f00",
      ]
    ) {
      equal(outcome(() => parseDer(decodeHex(hex))), BAD, hex);
    }
    equal(outcome(() => parseDer(decodeHex("0500"), Tag.integer)), BAD);
    equal(parseDer(decodeHex("0500"), Tag.null).value.length, 0);
  });
});

describe("children() and readSequence()", () => {
  it("refuse a primitive parent, a child that sticks out, and too many of them", () => {
    equal(outcome(() => children(parseDer(decodeHex("0403020101")))), BAD);
    equal(outcome(() => children(parseDer(decodeHex("3003020201")))), BAD);
    equal(outcome(() => children(parseDer(decodeHex("300302010505")))), BAD);
    const many = (count: number) => parseDer(encodeDer(0x30, decodeHex("0500".repeat(count))));
    equal(children(many(3), 3).length, 3);
    equal(outcome(() => children(many(4), 3)), "limit-exceeded");
    equal(children(many(4096)).length, 4096);
    equal(outcome(() => children(many(4097))), "limit-exceeded");
    equal(outcome(() => readSequence(parseDer(decodeHex("3100")))), BAD);
  });

  it("lead a cursor that misses nothing", () => {
    const reader = readSequence(parseDer(decodeHex("30050201010500")));
    equal(reader.tag, Tag.integer);
    equal(reader.optional(Tag.null), undefined);
    equal(outcome(() => reader.next(Tag.null)), BAD);
    equal(reader.next().tag, Tag.integer);
    equal(outcome(() => reader.end()), BAD);
    equal(reader.optional(Tag.null)?.tag, Tag.null);
    equal(reader.tag, -1);
    reader.end();
    equal(outcome(() => reader.next()), BAD);
  });

  it("cost no stack, however deep the nesting is", () => {
    let bytes: Bytes = new Uint8Array(0);
    for (let i = 0; i < 2000; i++) bytes = encodeDer(0x30, bytes);
    let element = parseDer(bytes);
    for (let i = 0; i < 1999; i++) [element] = children(element);
    equal(element.value.length, 0);
  });
});

describe("readOid()", () => {
  it("reads arcs of any size", () => {
    equal(read(readOid, "06032a0304"), "1.2.3.4");
    equal(read(readOid, "06092b0601040183bf3001"), "1.3.6.1.4.1.57264.1");
    equal(read(readOid, "0603551d11"), "2.5.29.17");
    equal(read(readOid, "06028837"), "2.999");
    equal(read(readOid, "060100"), "0.0");
    equal(read(readOid, "06014f"), "1.39");
    equal(read(readOid, "060150"), "2.0");
    equal(read(readOid, "06062a8fffffff7f"), "1.2.4294967295");
    equal(read(readOid, "06062a9080808000"), "1.2.4294967296");
    equal(read(readOid, "06092a8fffffffffffff7f"), "1.2.9007199254740991");
    equal(read(readOid, "06092a90808080808080" + "00"), "1.2.9007199254740992");
    equal(read(readOid, "06092a90808080808080" + "01"), "1.2.9007199254740993");
    equal(read(readOid, "060a90808080808080808051"), `2.${(1n << 67n) + 1n}`);
  });

  it("refuses what is empty, cut, padded or long", () => {
    for (
      const hex of [
        "0600",
        "06022a80",
        "060188",
        "0603800102",
        "06042a800102",
        "0403551d11",
        "0641" + "2a".repeat(65),
      ]
    ) {
      equal(read(readOid, hex), BAD, hex);
    }
    ok(read(readOid, "0640" + "2a".repeat(64)).startsWith("1.2.42"));
  });
});

describe("readInteger() and its kin", () => {
  it("take minimal integers only", () => {
    equal(read(readInteger, "020100"), "00");
    equal(read(readInteger, "0201ff"), "ff");
    equal(read(readInteger, "02020080"), "0080");
    equal(read(readInteger, "0202ff7f"), "ff7f");
    for (
      const hex of ["0200", "02020000", "0202007f", "0202ffff", "0202ff80", "030100", "0a0101"]
    ) {
      equal(read(readInteger, hex), BAD, hex);
    }
    equal(read(readUnsigned, "02020080"), "80");
    equal(read(readUnsigned, "020100"), "00");
    equal(read(readUnsigned, "0201ff"), BAD);
    equal(read(readSmall, "020500ffffffff"), "4294967295");
    equal(read(readSmall, "02050100000000"), BAD);
    equal(read(readSmall, "020100"), "0");
    equal(read(readSmall, "020180"), BAD);
  });
});

describe("readBoolean()", () => {
  it("takes 00 and FF", () => {
    equal(read(readBoolean, "0101ff"), "true");
    equal(read(readBoolean, "010100"), "false");
    for (const hex of ["010101", "0100", "0102ffff", "0201ff"]) equal(read(readBoolean, hex), BAD);
  });
});

describe("readBitString() and readNamedBits()", () => {
  it("take no unused bits, or such that are zero and needed", () => {
    equal(read(readBitString, "0302000f"), "0f");
    equal(read(readBitString, "030100"), "");
    for (const hex of ["0300", "03020180", "03020880", "0402000f", "23040302000f"]) {
      equal(read(readBitString, hex), BAD, hex);
    }
    equal(read(readNamedBits, "03020780"), "80");
    equal(read(readNamedBits, "03020106"), "06");
    equal(read(readNamedBits, "030100"), "");
    for (
      const hex of ["0300", "030101", "03020781", "03020680", "03020000", "03020880", "0302ff80"]
    ) {
      equal(read(readNamedBits, hex), BAD, hex);
    }
  });
});

describe("readOctetString()", () => {
  it("refuses the constructed form", () => {
    equal(read(readOctetString, "0402abcd"), "abcd");
    equal(read(readOctetString, "24040402abcd"), BAD);
  });
});

describe("readTime()", () => {
  const time = (tag: number, text: string) =>
    outcome(() => readTime(parseDer(encodeDer(tag, utf8(text)))));

  it("reads UTCTime from 1950 to 2049 and GeneralizedTime", () => {
    equal(time(Tag.utcTime, "500101000000Z"), "1950-01-01T00:00:00.000Z");
    equal(time(Tag.utcTime, "491231235959Z"), "2049-12-31T23:59:59.000Z");
    equal(time(Tag.generalizedTime, "20240229120000Z"), "2024-02-29T12:00:00.000Z");
    equal(time(Tag.generalizedTime, "00010101000000Z"), "0001-01-01T00:00:00.000Z");
    equal(time(Tag.generalizedTime, "99991231235959Z"), "9999-12-31T23:59:59.000Z");
  });

  it("keeps each millisecond of a fraction and cuts what is smaller", () => {
    for (let ms = 1; ms < 1000; ms++) {
      const digits = String(ms).padStart(3, "0");
      const text = `20250101000000.${digits.replace(/0+$/, "")}Z`;
      equal(time(Tag.generalizedTime, text), `2025-01-01T00:00:00.${digits}Z`);
    }
    equal(time(Tag.generalizedTime, "20250101000000.9999Z"), "2025-01-01T00:00:00.999Z");
    equal(
      time(Tag.generalizedTime, "20250101235959.99999999999999999999Z"),
      "2025-01-01T23:59:59.999Z",
    );
  });

  it("refuses everything that DER does not write", () => {
    for (
      const text of [
        "",
        "20250101000000",
        "202501010000Z",
        "20250101000000+0000",
        "20250101000000.Z",
        "20250101000000.10Z",
        "20250101000000,1Z",
        "20250001000000Z",
        "20251301000000Z",
        "20250100000000Z",
        "20250229000000Z",
        "20250431000000Z",
        "20250101240000Z",
        "20250101006000Z",
        "20250101000060Z",
        "20250101000000z",
        " 0250101000000Z",
        "20250101000000Z\n",
        "20250101000000Z\0",
        "٢٠250101000000Z",
        `20250101000000.${"1".repeat(60)}Z`,
      ]
    ) equal(time(Tag.generalizedTime, text), BAD, text);
    for (
      const text of [
        "2501010000Z",
        "250101000000+0000",
        "20250101000000Z",
        "250229000000Z",
        "250101000000.5Z",
      ]
    ) {
      equal(time(Tag.utcTime, text), BAD, text);
    }
    equal(time(Tag.ia5String, "20250101000000Z"), BAD);
  });
});

describe("an element of DER", () => {
  it("never reads over its end: every truncation and every bit of a small one", () => {
    const whole = decodeHex(
      "301a06092a864886f70d01010b0500020300ffff0303000102010100".slice(0, 56),
    );
    for (let length = 0; length < whole.length; length++) {
      equal(outcome(() => parseDer(whole.subarray(0, length))), BAD);
    }
    let refused = 0;
    for (let bit = 0; bit < whole.length * 8; bit++) {
      const changed = whole.slice();
      changed[bit >> 3] ^= 1 << (bit & 7);
      try {
        const all = children(parseDer(changed));
        deepEqual(
          encodeHex(encodeDer(changed[0], ...all.map(({ raw }) => raw))),
          encodeHex(changed),
        );
      } catch (error) {
        ok(isAttestationError(error));
        refused++;
      }
    }
    ok(refused > 0);
    throws(() => parseDer(new Uint8Array(0)), { reason: BAD });
  });
});
