import { ok, strictEqual as equal } from "node:assert/strict";
import { describe, it } from "node:test";
import { utf8 } from "../../internal/bytes.ts";
import { compareCodePoints, fileNameFault } from "./file_name.ts";

describe("fileNameFault()", () => {
  const faults: [string, string][] = [
    ["", "it is empty"],
    ["x".repeat(4097), "it is longer than 4096 characters"],
    ["a\ud800", "it has an unpaired surrogate"],
    ["a\nb", "it has a control character"],
    ["a\u0085b", "it has a control character"],
    ["a\\b", "it has a backslash"],
    ["/a", "it is not relative"],
    ["C:a", "it is not relative"],
    ["a/../b", 'it has ".."'],
    ["./a", 'it has "." or an empty part'],
    ["a//b", 'it has "." or an empty part'],
    ["a/", 'it has "." or an empty part'],
  ];
  for (const [path, fault] of faults) {
    it(`${JSON.stringify(path).slice(0, 16)}: ${fault}`, () => equal(fileNameFault(path), fault));
  }

  it("finds nothing wrong with a relative path", () => {
    for (const path of ["a", "a/b", "..a", "a.", "ä😀/b c", "x".repeat(4096)]) {
      equal(fileNameFault(path), undefined);
    }
  });
});

describe("compareCodePoints()", () => {
  it("orders as the bytes of UTF-8 do", () => {
    const characters = ["a", "\ud7ff", "\ue000", "\uffff", "\u{10000}", "\u{103ff}", "\u{10ffff}"];
    const texts = ["", ...characters, ...characters.map((one) => `a${one}`), "\u{10000}b", "ab"];
    for (const a of texts) {
      for (const b of texts) {
        const [x, y] = [utf8(a), utf8(b)];
        const at = x.findIndex((byte, i) => byte !== y[i]);
        const bytes = at < 0 || at >= y.length ? x.length - y.length : x[at] - y[at];
        equal(Math.sign(compareCodePoints(a, b)), Math.sign(bytes), JSON.stringify([a, b]));
      }
    }
    ok(compareCodePoints("\u{103ff}", "\u{103fe}") > 0);
    ok(compareCodePoints("\u{103fe}", "\u{103ff}") < 0);
  });
});
