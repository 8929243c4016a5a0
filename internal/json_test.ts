import { deepStrictEqual as deepEqual, ok, strictEqual as equal, throws } from "node:assert/strict";
import { describe, it } from "node:test";
import { isAttestationError } from "../errors.ts";
import { isProportional } from "../tests/fixtures/growth.ts";
import { utf8 } from "./bytes.ts";
import {
  canonicalJson,
  copyJson,
  decodeUtf8,
  type Json,
  parseJson,
  printable,
  quote,
} from "./json.ts";

/** Reason of the refusal, or the accepted value as JSON. */
function outcome(run: () => unknown): string {
  try {
    return JSON.stringify(run());
  } catch (error) {
    if (isAttestationError(error)) return error.reason;
    throw error;
  }
}

function parsed(source: string | Uint8Array): string {
  return outcome(() => parseJson(source));
}

describe("parseJson()", () => {
  it("refuses a name that occurs twice, at every depth and however it is spelt", () => {
    for (
      const text of [
        '{"a":1,"a":1}',
        '{"a":1,"\\u0061":2}',
        '{"\\u0061":1,"\\u0061":2}',
        '{"a":{"b":1,"b":2}}',
        '[[{"x":[{"b":1,"c":2,"b":3}]}]]',
        '{"a":{"b":1},"a":{"b":1}}',
        '{"":1,"":2}',
        '{"__proto__":1,"__proto__":2}',
        '{"__proto__":1,"\\u005f_proto__":2}',
        '{"constructor":1,"constructor":2}',
        '{"1":1,"01":2,"1":3}',
        '{"a\\"":1,"a\\"":2}',
        '{"a\\\\":1,"a\\\\":2}',
        '{"/":1,"\\/":2}',
        '{"\\n":1,"\\u000a":2}',
        '{"\\u00e9":1,"é":2}',
        '{"\\ud83d\\ude00":1,"😀":2}',
        '{"a":":","b":"{\\"a\\":1","a":[]}',
        `{"a"${" ".repeat(200)}:1,"a"${"\n".repeat(200)}:2}`,
      ]
    ) equal(parsed(text), "duplicate-json-key", text);
  });

  it("takes equal names in different objects, and names that only look equal", () => {
    for (
      const text of [
        '[{"a":1},{"a":1}]',
        '{"a":{"a":{"a":1}}}',
        '{"a":1,"A":2}',
        '{"\u00e9":1,"e\u0301":2}',
        '{"a":"\\"a\\":1,\\"a\\":2"}',
        '{":":":::"}',
        '{"a\\\\":1,"a":2}',
        '{"__proto__":1,"proto":2}',
      ]
    ) equal(parsed(text), JSON.stringify(JSON.parse(text)), text);
  });

  it("keeps __proto__ a member like any other", () => {
    const value = parseJson('{"__proto__":{"admin":true}}') as { admin?: boolean };
    equal(value.admin, undefined);
    deepEqual(Object.keys(value), ["__proto__"]);
  });

  it("refuses unpaired surrogates, raw or escaped, in names and in values", () => {
    for (
      const text of [
        '"\ud800"',
        '"\\ud800"',
        '"\\uD800\\u0041"',
        '"\\udc00\\ud800"',
        '{"\\ud800":1}',
        '{"\ud800":1}',
        '{"a":["x",{"b":"\\udfff"}]}',
        '{"a":{"\\udfff":1}}',
        '["\\u0041","\\ud800"]',
      ]
    ) equal(parsed(text), "invalid-unicode", text);
    equal(parsed('"\\ud83d\\ude00"'), '"😀"');
    equal(parsed('"\\\\ud800"'), '"\\\\ud800"');
  });

  it("refuses bytes that are not UTF-8", () => {
    for (
      const bytes of [
        [0x22, 0xff, 0x22],
        [0x22, 0xc0, 0x80, 0x22],
        [0x22, 0xed, 0xa0, 0x80, 0x22],
        [0x22, 0xf4, 0x90, 0x80, 0x80, 0x22],
        [0x22, 0xe2, 0x82, 0x22],
      ]
    ) equal(parsed(Uint8Array.from(bytes)), "invalid-unicode", String(bytes));
    equal(parsed(utf8('"é😀"')), '"é😀"');
  });

  it("refuses a byte order mark", () => {
    equal(parsed("\ufeff{}"), "malformed-json");
    equal(parsed(Uint8Array.of(0xef, 0xbb, 0xbf, 0x7b, 0x7d)), "malformed-json");
    equal(parsed(Uint8Array.of(0xff, 0xfe, 0x7b, 0, 0x7d, 0)), "invalid-unicode");
  });

  it("bounds the nesting, at the limit and over it", () => {
    const nested = (depth: number) => "[".repeat(depth) + "]".repeat(depth);
    equal(parsed(nested(128)), nested(128));
    equal(parsed(nested(129)), "limit-exceeded");
    equal(parsed('{"a":'.repeat(129) + "1" + "}".repeat(129)), "limit-exceeded");
    equal(parsed("[".repeat(10_000)), "limit-exceeded");
    equal(parsed("[".repeat(5_000_000)), "limit-exceeded");
    equal(outcome(() => parseJson("[[]]", { maxDepth: 1 })), "limit-exceeded");
    equal(outcome(() => parseJson("[[]]", { maxDepth: 2 })), "[[]]");
    equal(outcome(() => parseJson('["[[[{{{"]', { maxDepth: 1 })), '["[[[{{{"]');
    equal(outcome(() => parseJson("[[],[],[]]", { maxDepth: 2 })), "[[],[],[]]");
  });

  it("bounds the length, at the limit and over it", () => {
    equal(outcome(() => parseJson("[12]", { maxLength: 4 })), "[12]");
    equal(outcome(() => parseJson("[123]", { maxLength: 4 })), "limit-exceeded");
    equal(outcome(() => parseJson(utf8("[12]"), { maxLength: 4 })), "[12]");
    equal(outcome(() => parseJson(utf8("[123]"), { maxLength: 4 })), "limit-exceeded");
  });

  it("refuses a number that overflows", () => {
    for (const text of ["1e400", "-1e400", "[1e999]", '{"a":{"b":-1e309}}']) {
      equal(parsed(text), "malformed-json", text);
    }
    equal(parsed("[1e308,1e-999,-0]"), "[1e+308,0,0]");
  });

  it("tells an empty input from a malformed one", () => {
    for (const text of ["", " ", "\r\n\t "]) equal(parsed(text), "empty-input");
    equal(parsed(new Uint8Array(0)), "empty-input");
    for (
      const text of [
        "{",
        '{"a"',
        '{"a":1',
        '{"a":1}}',
        "{}{}",
        "[1,]",
        '{"a":1,}',
        '"',
        '"a',
        '"\\',
        '"\\"',
        "'a'",
        "nul",
        "NaN",
        "Infinity",
        "01",
        "+1",
        "1.",
        ".5",
        "0x1",
        "{} //",
        "/**/{}",
        "{}\0",
        "\0",
        '"\0"',
        '"\n"',
        '"\u001f"',
        "{a:1}",
        '{"a" 1}',
        '{"a":}',
        "[1 2]",
        "\u00a0{}",
        "undefined",
        "<html>",
      ]
    ) equal(parsed(text), "malformed-json", text);
  });

  it("refuses every truncation of a text", () => {
    const text = '{"a":["b\\u00e9\\\\",{"c":-1.5e3,"d":null}],"e":"{"}';
    equal(parsed(text), JSON.stringify(JSON.parse(text)));
    for (let length = 1; length < text.length; length++) {
      equal(parsed(text.slice(0, length)), "malformed-json", text.slice(0, length));
    }
  });

  it("agrees with JSON.parse() on every single-character change, or is stricter", () => {
    const text = '{"a":[1,"b\\u0041"],"c":{"d":true}}';
    for (let at = 0; at < text.length; at++) {
      for (const unit of ' "\\,:{}[]0eu-\0\ud800') {
        const changed = text.slice(0, at) + unit + text.slice(at + 1);
        const found = parsed(changed);
        let wanted: string | undefined;
        try {
          wanted = JSON.stringify(JSON.parse(changed));
        } catch {
          // JSON.parse refuses it: so must we.
        }
        if (wanted === undefined) ok(/^[a-z-]+$/.test(found) && found !== "true", changed);
        else ok(found === wanted || /^(duplicate|invalid|malformed)-/.test(found), changed);
      }
    }
  });

  it("takes time that grows with the length, not with its square", async () => {
    const names = (count: number) =>
      `{${Array.from({ length: count / 4 }, (_, i) => `"${i}":0`).join()}}`;
    const attacks: ((count: number) => string)[] = [
      (count) => '["' + '\\"'.repeat(count) + '"]',
      (count) => '["' + "\\\\".repeat(count) + '"]',
      names,
      (count) => names(count).replace(`"${count / 4 - 1}"`, '"0"'),
      (count) => '"' + "\\".repeat(2 * count + 1),
    ];
    for (const [index, attack] of attacks.entries()) {
      const work = (count: number) => {
        const text = attack(count);
        return () => parsed(text);
      };
      ok(await isProportional(work, 160_000), String(index));
    }
  });

  it("quotes the culprit without its control characters", () => {
    throws(() => parseJson('{"a\\u001b[2J":1,"a\\u001b[2J":2}'), {
      message: /"a\ufffd\[2J" occurs twice/,
    });
  });
});

describe("copyJson()", () => {
  it("copies what JSON can hold", () => {
    const value = { a: [1, "b", null, true, { c: -1.5 }], d: undefined, é: "😀" };
    const copy = copyJson(value);
    deepEqual(copy, { a: [1, "b", null, true, { c: -1.5 }], é: "😀" });
    value.a.push("later");
    equal((copy as { a: Json[] }).a.length, 5);
    const proto = copyJson(JSON.parse('{"__proto__":{"admin":1}}'));
    deepEqual(Object.keys(proto as object), ["__proto__"]);
    equal((proto as { admin?: number }).admin, undefined);
  });

  it("reads each member once", () => {
    const reads: Record<string, number> = {};
    const counting = new Proxy({ a: 1, b: [1, 2], c: { d: 3 } }, {
      get(target, name, receiver) {
        reads[String(name)] = (reads[String(name)] ?? 0) + 1;
        return Reflect.get(target, name, receiver);
      },
    });
    deepEqual(copyJson(counting), { a: 1, b: [1, 2], c: { d: 3 } });
    deepEqual(reads, { a: 1, b: 1, c: 1 });
  });

  it("refuses what JSON cannot hold", () => {
    const circle: unknown[] = [];
    circle.push(circle);
    const cases: [unknown, string][] = [
      [undefined, "malformed-json"],
      [1n, "malformed-json"],
      [Symbol("s"), "malformed-json"],
      [() => 1, "malformed-json"],
      [NaN, "malformed-json"],
      [{ a: Infinity }, "malformed-json"],
      [{ toJSON: () => ({}) }, "malformed-json"],
      // deno-lint-ignore no-sparse-arrays
      [[1, , 2], "malformed-json"],
      [new Array(2 ** 32 - 1), "malformed-json"],
      [{
        get a(): never {
          throw new Error("no");
        },
      }, "malformed-json"],
      [
        new Proxy({}, {
          ownKeys() {
            throw new TypeError("no");
          },
        }),
        "malformed-json",
      ],
      [circle, "limit-exceeded"],
      ["\ud800", "invalid-unicode"],
      [{ "\udfff": 1 }, "invalid-unicode"],
      [[{ a: "\udfff" }], "invalid-unicode"],
    ];
    for (const [value, reason] of cases) equal(outcome(() => copyJson(value)), reason);
    equal(outcome(() => copyJson([[1]], 1)), "limit-exceeded");
    equal(outcome(() => copyJson([[1]], 2)), "[[1]]");
  });

  it("does not use an iterator of the array's own", () => {
    const list = Object.assign([1, 2], {
      *[Symbol.iterator](): Generator<number> {
        yield 9;
      },
    });
    deepEqual(copyJson(list), [1, 2]);
  });
});

describe("decodeUtf8()", () => {
  it("keeps a byte order mark and refuses what is not UTF-8", () => {
    equal(decodeUtf8(Uint8Array.of(0xef, 0xbb, 0xbf, 0x61)), "\ufeffa");
    throws(() => decodeUtf8(Uint8Array.of(0x80)), { reason: "invalid-unicode" });
  });
});

describe("canonicalJson()", () => {
  it("orders names by UTF-16 units (RFC 8785, 3.2.3)", () => {
    const names = ["€", "\r", "\ufb33", "1", "😀", "\u0080", "ö"];
    const value = Object.fromEntries(names.map((name, i) => [name, i]));
    equal(canonicalJson(value), '{"\\r":1,"1":3,"\u0080":5,"ö":6,"€":0,"😀":4,"\ufb33":2}');
  });

  it("writes numbers and strings as ECMAScript does (3.2.2)", () => {
    equal(
      canonicalJson([333333333.33333329, 1E30, 4.50, 2e-3, 0.000000000000000000000000001, -0]),
      "[333333333.3333333,1e+30,4.5,0.002,1e-27,0]",
    );
    equal(
      canonicalJson("€$\u000f\nA'\u0042\u0022\u005c\\\"/"),
      '"€$\\u000f\\nA\'B\\"\\\\\\\\\\"/"',
    );
    equal(
      canonicalJson({ b: [null, true, { d: 1, c: {} }], a: [] }),
      '{"a":[],"b":[null,true,{"c":{},"d":1}]}',
    );
  });

  it("refuses what has no canonical text", () => {
    const values: Json[] = [NaN, [Infinity], { a: -Infinity }, "\ud800", ["\udc00"], {
      "\ud800": 1,
    }];
    for (const value of values) {
      throws(() => canonicalJson(value), RangeError);
    }
  });
});

describe("printable()", () => {
  it("replaces what moves the cursor, the text or is not seen", () => {
    for (
      const unit of [
        "\0",
        "\u0007",
        "\b",
        "\t",
        "\n",
        "\r",
        "\u001b",
        "\u007f",
        "\u0085",
        "\u009b",
        "\u00ad",
        "\u061c",
        "\u180e",
        "\u200b",
        "\u200e",
        "\u200f",
        "\u2028",
        "\u2029",
        "\u202a",
        "\u202e",
        "\u2060",
        "\u2066",
        "\u2069",
        "\ufeff",
        "\ufff9",
        "\u{e0041}",
        "\ud800",
        "\udc00",
      ]
    ) equal(printable(`a${unit}b`), "a\ufffdb", unit.codePointAt(0)?.toString(16));
    equal(printable("Grüße, 世界 😀 €"), "Grüße, 世界 😀 €");
  });

  it("cuts to the limit and leaves no half of a pair", () => {
    equal(printable("abc", 3), "abc");
    equal(printable("abcd", 3), "abc…");
    equal(printable("ab😀", 3), "ab\ufffd…");
    equal(printable("ab😀", 4), "ab😀");
    ok(printable("😀".repeat(500), 199).isWellFormed());
    equal(printable("x".repeat(1000)).length, 201);
  });
});

describe("quote()", () => {
  it("lets no text end its own quotation", () => {
    equal(quote("a"), '"a"');
    equal(quote('x", wanted "y'), '"x\\", wanted \\"y"');
    equal(quote("x".repeat(200)), `"${"x".repeat(120)}…"`);
  });
});
