import { strictEqual as equal, throws } from "node:assert/strict";
import { describe, it } from "node:test";
import { utf8 } from "../internal/bytes.ts";
import { encodeHex } from "../internal/hex.ts";
import { sha256 } from "../internal/sha256.ts";
import { pae } from "./pae.ts";

describe("pae()", () => {
  it("gives the bytes of the worked examples (DSSE 1.0.2, protocol.md, Signature Definition)", () => {
    const rows: [string, Uint8Array, number, string, string][] = [
      [
        "http://example.com/HelloWorld",
        utf8("hello world"),
        54,
        "44535345763120323920687474703a2f2f6578616d706c652e636f6d2f48656c6c6f576f726c642031312068656c6c6f20776f726c64",
        "217751fac2c4f14edb2c9297fbc34abcb016ba88e74757e875ec4ac16fb6b6a1",
      ],
      [
        "",
        new Uint8Array(0),
        12,
        "445353457631203020203020",
        "956e625084667c50b492ede8cbd6475245288079498c3ef6d433f3abd913f636",
      ],
      [
        "application/vnd.in-toto+json",
        utf8("{}"),
        43,
        "445353457631203238206170706c69636174696f6e2f766e642e696e2d746f746f2b6a736f6e2032207b7d",
        "4842cb1ba6fed6e460d8a0d56f6b64ccf1f1e11f7714a7f282080d5780251b63",
      ],
      [
        "application/vnd.t\u00ebst+json",
        utf8("\u00e9"),
        41,
        "445353457631203236206170706c69636174696f6e2f766e642e74c3ab73742b6a736f6e203220c3a9",
        "868ea129dc7ea25fcb00ec2f9b395cefd7abef18542f5daa872988d0e951e3c6",
      ],
      [
        "a b",
        utf8("1 2 3"),
        20,
        "4453534576312033206120622035203120322033",
        "b53125dd840c43c453936481dd5ef4974403fc914e8724cda2bdf04b8f7c91dc",
      ],
      [
        "t",
        Uint8Array.of(0, 0xff, 0x0a),
        16,
        "4453534576312031207420332000ff0a",
        "22f93bdd923bcbac5e9577fc4bf01283fb389bb04db18c81ea01f1ca776aaa0a",
      ],
    ];
    for (const [type, payload, length, hex, digest] of rows) {
      const found = pae(type, payload);
      equal(found.length, length, type);
      equal(encodeHex(found), hex, type);
      equal(encodeHex(sha256(found)), digest, type);
    }
  });

  it("counts bytes, also where the payload leaves room for more of them than characters", () => {
    for (
      const type of [
        "\u00e9",
        "\u4e16\u754c",
        "\u{1f600}",
        "a\u00e9",
        "\u00e9".repeat(50),
        "t\u{1f600}t",
      ]
    ) {
      for (const length of [0, 1, 2, 3, 10, 1000]) {
        const payload = new Uint8Array(length).fill(7);
        const text = `DSSEv1 ${utf8(type).length} ${type} ${length} ${"\u0007".repeat(length)}`;
        equal(encodeHex(pae(type, payload)), encodeHex(utf8(text)), `${type} ${length}`);
      }
    }
  });

  it("refuses an unpaired surrogate, which would share its encoding with another one", () => {
    for (const type of ["\ud800", "a\udc00", "\udc00\ud800"]) {
      throws(() => pae(type, new Uint8Array(0)), TypeError);
    }
  });
});
