import { deepStrictEqual as deepEqual, strictEqual as equal, throws } from "node:assert/strict";
import { describe, it } from "node:test";
import { concat } from "../../internal/bytes.ts";
import { uint } from "./_fixtures_test.ts";
import { PacketReader, readPackets } from "./_packets.ts";

const TEN = new Uint8Array(10).fill(7);

describe("readPackets()", () => {
  it("reads lengths of all forms, new and old", () => {
    for (const length of [0, 1, 191, 192, 193, 223, 255, 256, 8383, 8384, 65_535, 65_536]) {
      const body = new Uint8Array(length).fill(7);
      const forms = [concat(Uint8Array.of(0xc2, 255), uint(length, 4), body)];
      if (length < 192) forms.push(concat(Uint8Array.of(0xc2, length), body));
      else if (length < 8384) {
        forms.push(concat(Uint8Array.of(0xc2), uint(length - 192 + (192 << 8), 2), body));
      }
      if (length < 256) forms.push(concat(Uint8Array.of(0x88, length), body));
      if (length < 65_536) forms.push(concat(Uint8Array.of(0x89), uint(length, 2), body));
      forms.push(concat(Uint8Array.of(0x8a), uint(length, 4), body));
      for (const bytes of forms) {
        const packets = readPackets(concat(bytes, Uint8Array.of(0xcd, 0)), 2);
        deepEqual(packets.map(({ tag, start, end }) => [tag, start, end]), [
          [2, 0, bytes.length],
          [13, bytes.length, bytes.length + 2],
        ]);
        deepEqual(packets[0].body, body);
        throws(() => readPackets(bytes.subarray(0, -1), 2), { reason: "malformed-envelope" });
        throws(() => readPackets(concat(bytes, bytes, bytes), 2), { reason: "limit-exceeded" });
      }
    }
    const [rest] = readPackets(concat(Uint8Array.of(0xaf), TEN), 1);
    deepEqual([rest.tag, rest.body], [11, TEN]);
  });

  it("refuses what begins no packet, and a length that is open where none may be", () => {
    for (
      const bytes of [
        Uint8Array.of(0x02, 0),
        Uint8Array.of(0xc0, 0),
        Uint8Array.of(0x80, 0),
        Uint8Array.of(0xc2),
        Uint8Array.of(0xc2, 192),
        Uint8Array.of(0xc2, 255, 0, 0, 0),
        Uint8Array.of(0x89, 0),
        // Up to the end of the bytes, and in parts: data alone may be so.
        concat(Uint8Array.of(0x8b), TEN),
        concat(Uint8Array.of(0x9b), TEN),
        concat(Uint8Array.of(0xc2, 0xe9), new Uint8Array(512), Uint8Array.of(0)),
        concat(Uint8Array.of(0xcb, 0xe8), new Uint8Array(256), Uint8Array.of(0)),
        concat(Uint8Array.of(0xcb, 0xe9), new Uint8Array(511)),
        concat(Uint8Array.of(0xcb, 0xe9), new Uint8Array(512)),
        concat(Uint8Array.of(0xcb, 0xe9), new Uint8Array(512), Uint8Array.of(0xe1, 0)),
        concat(Uint8Array.of(0xcb, 0xe9), new Uint8Array(512), Uint8Array.of(1)),
      ]
    ) throws(() => readPackets(bytes, 9), { reason: "malformed-envelope" }, String(bytes));
    const parts = concat(Uint8Array.of(0xcb, 0xe9), new Uint8Array(512), Uint8Array.of(0xe0, 1, 0));
    equal(readPackets(parts, 1)[0].body.length, 513);
  });
});

describe("PacketReader", () => {
  it("reads numbers that have the bits that they state", () => {
    const of = (...bytes: number[]) => new PacketReader(Uint8Array.from(bytes)).mpi();
    deepEqual(of(0, 0), new Uint8Array());
    deepEqual(of(0, 1, 1), Uint8Array.of(1));
    deepEqual(of(0, 9, 1, 0xff), Uint8Array.of(1, 0xff));
    for (
      const bad of [
        [0],
        [0, 1],
        [0, 1, 0],
        [0, 2, 1],
        [0, 8, 0x7f],
        [0, 7, 0xff],
        [0, 16, 0, 1],
        [0, 9, 2, 0],
      ]
    ) throws(() => of(...bad), { reason: "malformed-envelope" }, String(bad));
  });

  it("takes no more than is there", () => {
    const reader = new PacketReader(TEN);
    equal(reader.take(9).length, 9);
    equal(reader.left, 1);
    throws(() => reader.take(2), { reason: "malformed-envelope" });
    throws(() => reader.number(2), { reason: "malformed-envelope" });
    equal(reader.number(1), 7);
  });
});
