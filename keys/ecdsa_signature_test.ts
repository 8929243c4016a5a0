import { deepStrictEqual as deepEqual, ok, strictEqual as equal } from "node:assert/strict";
import { describe, it } from "node:test";
import { decodeHex, encodeHex } from "../internal/hex.ts";
import { derToP1363, p1363ToDer } from "./ecdsa_signature.ts";

const one = "00".repeat(31) + "01";
const big = "ff".repeat(32);

/** A signature of two integers, which are given as contents octets. */
function der(r: string, s: string): string {
  const integers = [r, s].map((hex) => `02${byte(hex.length / 2)}${hex}`).join("");
  const length = integers.length / 2;
  return `30${length < 128 ? "" : "81"}${byte(length)}${integers}`;
}

function byte(value: number): string {
  return value.toString(16).padStart(2, "0");
}

function read(hex: string, size = 32): string | undefined {
  const joined = derToP1363(decodeHex(hex), size);
  return joined && encodeHex(joined);
}

describe("derToP1363()", () => {
  it("pads short integers and drops the sign octet", () => {
    equal(read(der("01", "00" + big)), one + big);
    equal(read(der("00" + big, "7f")), big + "00".repeat(31) + "7f");
  });

  it("reads the long form of the length where it is due", () => {
    const wide = "01" + "ff".repeat(65);
    equal(read(der(wide, wide), 66), wide + wide);
    // The shortest contents that need it: 128 octets.
    const short = "01" + "ff".repeat(61);
    const padded = "00".repeat(4) + short;
    equal(read(der(short, short), 66), padded + padded);
  });

  const refused: Record<string, string> = {
    "nothing": "",
    "one octet": "30",
    "an empty sequence": "3000",
    "a set": der("01", "01").replace(/^30/, "31"),
    "one integer": "3003020101",
    "three integers": "3009020101020101020101",
    "zero as r": der("00", "01"),
    "zero as s": der("01", "00"),
    "an empty r": der("", "01"),
    "an empty s": der("01", ""),
    "a negative r": der("ff", "01"),
    "a negative s": der("01", "80"),
    "a leading zero in r": der("0001", "01"),
    "a leading zero in s": der("01", "007f"),
    "two leading zeros": der("0000" + big, "01"),
    "an r that does not fit": der("01" + big, "01"),
    "an s that does not fit": der("01", "01" + big),
    "trailing bytes": der("01", "01") + "00",
    "trailing bytes inside": "300802010102010100" + "00",
    "a length that is short": "30050201010201",
    "a length that is long": "3007020101020101",
    "a long form where the short is due": "308106020101020101",
    "a long form of two octets": "30820006020101020101",
    "an indefinite length": "30800201010201010000",
    "an integer with the long form": "300702810101020101",
    "an integer with an indefinite length": "3006028001020101",
    "a bit string for r": "3006030101020101",
    "an integer past the end": "30060201010202" + "01",
    "a cut after the tag": "3004020101" + "02",
  };
  for (const [what, hex] of Object.entries(refused)) {
    it(`refuses ${what}`, () => equal(read(hex), undefined));
  }

  it("refuses an indefinite length before as many octets as its tag is as a number", () => {
    const short = "01" + "ff".repeat(61);
    equal(read(der(short, short).replace(/^308180/, "3080"), 66), undefined);
  });

  it("refuses each cut and each flipped bit, or reads another pair", () => {
    const signature = decodeHex(der("00" + "8".padEnd(64, "1"), "7".padEnd(64, "3")));
    for (let length = 0; length < signature.length; length++) {
      equal(derToP1363(signature.subarray(0, length), 32), undefined);
    }
    const original = read(encodeHex(signature));
    ok(original !== undefined);
    for (let bit = 0; bit < signature.length * 8; bit++) {
      const changed = signature.slice();
      changed[bit >> 3] ^= 1 << (bit & 7);
      ok(read(encodeHex(changed)) !== original, `bit ${bit}`);
    }
  });
});

describe("p1363ToDer()", () => {
  it("undoes derToP1363()", () => {
    for (const size of [32, 48, 66]) {
      for (const fill of [1, 0x7f, 0x80, 0xff]) {
        for (const zeros of [0, 1, size - 1]) {
          const joined = new Uint8Array(2 * size).fill(fill);
          joined.fill(0, 0, zeros);
          deepEqual(derToP1363(p1363ToDer(joined), size), joined);
        }
      }
    }
  });
});
