import { deepStrictEqual as deepEqual, strictEqual as equal } from "node:assert/strict";
import { describe, it } from "node:test";
import { DIGEST_ALGORITHMS, normalizeDigest, validateDigestSet } from "./digest_set.ts";

function faults(value: unknown): string[] {
  return validateDigestSet(value, "/d").map(({ reason, path }) => `${reason} ${path}`);
}

describe("validateDigestSet()", () => {
  it("accepts hex of the right length for every known algorithm, and no other length", () => {
    for (const [algorithm, lengths] of DIGEST_ALGORITHMS) {
      for (const bytes of lengths) {
        deepEqual(faults({ [algorithm]: "0f".repeat(bytes) }), [], algorithm);
        for (const wrong of [2 * bytes - 1, 2 * bytes + 1, 2 * bytes + 2, 2 * bytes - 2]) {
          const value = "f".repeat(wrong);
          if (lengths.includes(wrong / 2)) continue;
          deepEqual(faults({ [algorithm]: value }), [`invalid-digest /d/${algorithm}`], algorithm);
        }
      }
      deepEqual(faults({ [algorithm]: "" }), [`invalid-digest /d/${algorithm}`], algorithm);
    }
  });

  it("takes both object formats of git, and any even length of SHAKE", () => {
    deepEqual(faults({ gitCommit: "a".repeat(40), gitTree: "b".repeat(64) }), []);
    deepEqual(faults({ gitBlob: "a".repeat(128) }), ["invalid-digest /d/gitBlob"]);
    deepEqual(faults({ shake256: "abcd" }), []);
    deepEqual(faults({ shake256: "abc" }), ["invalid-digest /d/shake256"]);
  });

  it("refuses base64, prefixes, white space and look-alike digits in hex", () => {
    for (
      const value of [
        "sha256:" + "a".repeat(57),
        "g".repeat(64),
        "a".repeat(63) + "\n",
        " " + "a".repeat(63),
        "0x" + "a".repeat(62),
        "\uff11".repeat(64),
        "\u0430".repeat(64),
      ]
    ) deepEqual(faults({ sha256: value }), ["invalid-digest /d/sha256"], JSON.stringify(value));
    const base64 = "z4PhNX7vuL3xVChQ1m2AB9Yg5AULVxXcg/SpIdNs6c5H0NE8XYXysP+DGNKHfuwv";
    deepEqual(faults({ sha512: base64 }), ["invalid-digest /d/sha512"]);
  });

  it("takes upper case, and leaves values of other algorithms alone", () => {
    deepEqual(faults({ sha256: "A".repeat(64) }), []);
    deepEqual(faults({ arn: "arn:aws:s3:::Bucket", SHA256: "not hex", "sha-256": "x" }), []);
    deepEqual(faults({ arn: "" }), ["invalid-digest /d/arn"]);
  });

  it("refuses values that are not strings", () => {
    for (const value of [null, 5, true, {}, ["a".repeat(64)]]) {
      deepEqual(faults({ sha256: value }), ["invalid-digest /d/sha256"]);
      deepEqual(faults({ other: value }), ["invalid-digest /d/other"]);
    }
  });

  it("refuses what is no object", () => {
    for (const value of [null, undefined, "sha256:aa", 5, [], [{ sha256: "a" }]]) {
      deepEqual(faults(value), ["malformed-resource-descriptor /d"]);
    }
    deepEqual(faults({}), []);
  });

  it("treats names of prototype members as any other name", () => {
    const set = JSON.parse(`{"__proto__":"x","constructor":"y","toString":""}`);
    deepEqual(faults(set), ["invalid-digest /d/toString"]);
    deepEqual(faults(JSON.parse(`{"__proto__":{"sha256":"a"}}`)), ["invalid-digest /d/__proto__"]);
  });

  it("keeps messages and pointers short and printable", () => {
    const name = `\u001b[31m/~${"x".repeat(1000)}`;
    const [problem] = validateDigestSet({ [name]: "" }, "");
    equal(problem.path.slice(0, 12), "/\ufffd[31m~1~0xx");
    equal(problem.path.length < 100 && problem.message.length < 250, true);
    equal(problem.message.includes("\u001b"), false);
  });
});

describe("normalizeDigest()", () => {
  it("changes the case of hex only", () => {
    equal(normalizeDigest("sha512", "ABcd"), "abcd");
    equal(normalizeDigest("SHA512", "ABcd"), "ABcd");
    equal(normalizeDigest("__proto__", "ABcd"), "ABcd");
  });
});
