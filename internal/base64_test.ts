import { deepStrictEqual as deepEqual, strictEqual as equal, throws } from "node:assert/strict";
import { describe, it } from "node:test";
import { isAttestationError } from "../errors.ts";
import {
  type Base64Options,
  decodeBase64,
  decodePlain,
  encodeBase64,
  encodeBase64Url,
  encodePlain,
} from "./base64.ts";
import { encodeHex } from "./hex.ts";
import { utf8 } from "./bytes.ts";

function hexOf(text: string, options?: Base64Options): string {
  try {
    return encodeHex(decodeBase64(text, options));
  } catch (error) {
    if (isAttestationError(error)) return error.reason;
    throw error;
  }
}

const BAD = "invalid-base64";

describe("decodeBase64()", () => {
  it("decodes the vectors of RFC 4648, section 10, padded or not", () => {
    const vectors = ["", "Zg==", "Zm8=", "Zm9v", "Zm9vYg==", "Zm9vYmE=", "Zm9vYmFy"];
    vectors.forEach((text, i) => {
      const wanted = encodeHex(utf8("foobar".slice(0, i)));
      equal(hexOf(text), wanted);
      equal(hexOf(text.replace(/=+$/, "")), wanted);
      equal(hexOf(text, { padding: "required" }), wanted);
      equal(hexOf(text.replace(/=+$/, ""), { padding: "none" }), wanted);
    });
  });

  it("takes one alphabet or the other, and never both", () => {
    equal(hexOf("-_-_"), "fbffbf");
    equal(hexOf("+/+/"), "fbffbf");
    equal(hexOf("c3ViamVjdHM/Pj5+fn4="), encodeHex(utf8("subjects?>>~~~")));
    equal(hexOf("c3ViamVjdHM_Pj5-fn4="), encodeHex(utf8("subjects?>>~~~")));
    equal(hexOf("c3ViamVjdHM_Pj5-fn4"), encodeHex(utf8("subjects?>>~~~")));
    for (const text of ["+-AA", "/_AA", "AAA+AAA_", "-/A=", "+A_", "AAAA+AAAAAAAAAA-AA"]) {
      equal(hexOf(text), BAD, text);
    }
    equal(hexOf("-_-_", { alphabet: "standard" }), BAD);
    equal(hexOf("+/+/", { alphabet: "url" }), BAD);
    equal(hexOf("-_-_", { alphabet: "url" }), "fbffbf");
    equal(hexOf("+/+/", { alphabet: "standard" }), "fbffbf");
    equal(hexOf("AAAA", { alphabet: "url" }), "000000");
  });

  it("refuses padding that is wrong, misplaced or not asked for", () => {
    for (
      const text of [
        "=",
        "==",
        "===",
        "====",
        "A",
        "A=",
        "A==",
        "A===",
        "AA=",
        "AA===",
        "AAA==",
        "AAAA=",
        "AAAA==",
        "AAAA====",
        "AAAAA",
        "AA==AA==",
        "AA=A",
        "=AAA",
        "A=AA",
        "AA= =",
      ]
    ) equal(hexOf(text), BAD, text);
    for (const text of ["AA", "AAA", "AAAAAA"]) equal(hexOf(text, { padding: "required" }), BAD);
    for (const text of ["AA==", "AAA="]) equal(hexOf(text, { padding: "none" }), BAD);
  });

  it("refuses white space wherever it is", () => {
    for (const space of [" ", "\t", "\n", "\r", "\f", "\v", "\u00a0", "\u2003", "\ufeff"]) {
      for (
        const text of [
          space,
          space.repeat(4),
          `${space}AAAA`,
          `AAAA${space}`,
          `AA${space}AA`,
          `A${space}AA`,
          `AAA${space}`,
          `AA${space}=`,
          `AA${space}==`,
          `AA=${space}`,
          `AA==${space}`,
          `AAAA${space.repeat(4)}`,
          `${space.repeat(4)}AAAA`,
          `AAAA${space.repeat(3)}=`,
        ]
      ) equal(hexOf(text), BAD, JSON.stringify(text));
    }
  });

  it("refuses characters of neither alphabet, also those that a table of bytes could hit", () => {
    for (
      const unit of ["\0", "!", ".", ",", "~", "\x7f", "\x80", "\u0141", "Ａ", "😀", "\ud800", "é"]
    ) {
      for (
        const text of [`AAA${unit}`, `${unit}AAA`, `AA${unit}A`, `A${unit}`, `AA${unit}=`, unit]
      ) {
        equal(hexOf(text), BAD, JSON.stringify(text));
      }
    }
  });

  it("refuses unused bits that are not zero", () => {
    equal(hexOf("AA=="), "00");
    equal(hexOf("AAA="), "0000");
    const digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for (let i = 0; i < 64; i++) {
      for (const pad of ["", "=="]) {
        const found = hexOf(`A${digits[i]}${pad}`);
        equal(found, i % 16 === 0 ? encodeHex(Uint8Array.of(i >> 4)) : BAD);
      }
      for (const pad of ["", "="]) {
        const found = hexOf(`AA${digits[i]}${pad}`);
        equal(found, i % 4 === 0 ? encodeHex(Uint8Array.of(0, i >> 2)) : BAD);
      }
    }
  });

  it("gives each value one text per alphabet and padding", () => {
    for (let length = 0; length < 70; length++) {
      const bytes = Uint8Array.from({ length }, (_, i) => (i * 167 + length * 31) & 255);
      const padded = encodeBase64(bytes);
      const url = encodeBase64Url(bytes);
      equal(padded.length % 4, 0);
      equal(url, padded.replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, ""));
      equal(padded, btoa(String.fromCharCode(...bytes)));
      deepEqual(decodeBase64(padded, { alphabet: "standard", padding: "required" }), bytes);
      deepEqual(decodeBase64(url, { alphabet: "url", padding: "none" }), bytes);
    }
  });

  it("takes no character of several bytes for digits, at no length", () => {
    for (const length of [8, 4096, 8184, 8188, 8192, 8196, 12_288]) {
      for (const [tail, at] of [["é==", 3], ["éA=", 3], ["A€==", 4], ["\ud800A==", 4]] as const) {
        const text = "A".repeat(length - at) + tail;
        throws(() => decodePlain(text, text.replace(/=+$/, "").length), { reason: BAD });
        throws(() => decodePlain("é" + "A".repeat(length - 1), length), { reason: BAD });
      }
      equal(decodePlain("A".repeat(length), length).length, length * 3 / 4);
    }
  });

  it("says where", () => {
    throws(() => decodeBase64("!", { path: "/payload" }), { reason: BAD, path: "/payload" });
    throws(() => decodeBase64("AA!A", { path: "/payload" }), { reason: BAD, path: "/payload" });
  });

  it("returns bytes of its own memory, the whole of it", () => {
    equal(decodeBase64("AAAA").buffer.byteLength, 3);
  });
});

describe("decodePlain() and encodePlain()", () => {
  it("decide and encode as the runtime's own codec does", () => {
    const alphabet = "AZaz09+/-_= \n\té!";
    let seed = 1;
    const random = (below: number): number => {
      seed = (seed * 1103515245 + 12345) % 2 ** 31;
      return Math.floor(seed / 65536) % below;
    };
    for (let i = 0; i < 20_000; i++) {
      const digits = i % 2 === 0 ? alphabet : "AQgwEIMUYckosw048+/";
      const text = Array.from({ length: random(10) }, () => digits[random(digits.length)]).join("");
      const end = text.replace(/={1,2}$/, "").length;
      let plain: string;
      try {
        const pads = text.length - end;
        if (end % 4 === 1 || (pads > 0 && text.length % 4 !== 0)) plain = BAD;
        else plain = encodeHex(decodePlain(text, end));
      } catch {
        plain = BAD;
      }
      equal(hexOf(text), plain, JSON.stringify(text));
    }
    for (let length = 0; length < 70; length++) {
      const bytes = Uint8Array.from({ length }, () => random(256));
      equal(encodePlain(bytes), encodeBase64(bytes));
      equal(encodePlain(bytes, true), encodeBase64Url(bytes));
      const text = encodePlain(bytes);
      deepEqual(decodePlain(text, text.replace(/=+$/, "").length), bytes);
    }
  });
});
