import { ok, strictEqual as equal, throws } from "node:assert/strict";
import { describe, it } from "node:test";
import { AttestationError } from "../errors.ts";
import { isProportional } from "../tests/fixtures/growth.ts";
import { compilePattern, compilePatterns, patternFault } from "./pattern.ts";

const matches = (pattern: string, text: string): boolean => compilePattern(pattern)(text);

describe("compilePattern()", () => {
  it("never matches a part of a text", () => {
    equal(matches("app", "app-evil"), false);
    equal(matches("app", "my-app"), false);
    equal(matches("https://github.com/acme/*", "https://github.com/acme/app/evil"), false);
    equal(
      matches("https://github.com/acme/**", "https://evil.example/https://github.com/acme/x"),
      false,
    );
    equal(matches("app", "app\n"), false);
    equal(matches("a*", "b\na"), false);
    equal(matches("app.tgz", "appxtgz"), false);
  });

  it("stops * at / and ** nowhere", () => {
    const rows: [string, string, boolean][] = [
      ["*.tgz", "app.tgz", true],
      ["*.tgz", "dist/app.tgz", false],
      ["**.tgz", "dist/app.tgz", true],
      ["**/app", "a/b/app", true],
      ["**/app", "app", false],
      ["ghcr.io/acme/**", "ghcr.io/acme/a/b", true],
      ["ghcr.io/acme/**", "ghcr.io/acme-evil/a", false],
      ["ghcr.io/acme/**", "ghcr.io/acme", false],
      ["a*b*c", "aXbYc", true],
      ["a*b*c", "aXb/Yc", false],
      ["a**b*c", "a/x/b/bYc", true],
      ["a**b*c", "a/xb/c", false],
      ["*/x", "a/x", true],
      ["*/x", "/x", true],
      ["**", "", true],
      ["*", "", true],
      ["*", "a/b", false],
      ["*a", "bab", false],
      ["**a*", "b/ab", true],
    ];
    for (const [pattern, text, wanted] of rows) {
      equal(matches(pattern, text), wanted, `${pattern} ${text}`);
    }
  });

  it("takes ? for one character, also one of two code units", () => {
    equal(matches("v?", "v1"), true);
    equal(matches("v?", "v"), false);
    equal(matches("v?", "v12"), false);
    equal(matches("a?b", "a/b"), false);
    equal(matches("a?b", "a\u{1f600}b"), true);
    equal(matches("a??b", "a\u{1f600}b"), false);
    equal(matches("??", "\uffffb"), true);
    equal(matches("?", "\u{10000}"), true);
    equal(matches("*\u{1f600}?", "x\u{1f600}\u{1f600}"), true);
  });

  it("has neither case folding nor normalisation", () => {
    equal(matches("App*", "app1"), false);
    equal(matches("caf\u00e9*", "cafe\u03011"), false);
  });

  it("is as a slow reading of the same rules on all short texts", () => {
    const slow = (pattern: string, text: string): boolean => {
      if (pattern === "") return text === "";
      if (pattern.startsWith("**")) {
        return slow(pattern.slice(2), text) || (text !== "" && slow(pattern, text.slice(1)));
      }
      if (pattern.startsWith("*")) {
        return slow(pattern.slice(1), text) ||
          (text !== "" && text[0] !== "/" && slow(pattern, text.slice(1)));
      }
      if (text === "" || (pattern[0] === "?" ? text[0] === "/" : pattern[0] !== text[0])) {
        return false;
      }
      return slow(pattern.slice(1), text.slice(1));
    };
    const words = (letters: string[], length: number): string[] =>
      length === 0 ? [""] : [
        "",
        ...words(letters, length - 1).flatMap((word) => letters.map((letter) => letter + word)),
      ];
    const texts = [...new Set(words(["a", "b", "/"], 4))];
    const patterns = [...new Set(words(["a", "*", "**", "?", "/"], 4))].filter((one) =>
      patternFault(one) === undefined
    );
    ok(patterns.length > 300);
    for (const pattern of patterns) {
      const test = compilePattern(pattern);
      for (const text of texts) equal(test(text), slow(pattern, text), `${pattern} ${text}`);
    }
  });

  it("follows every place that a long text can have reached", () => {
    const stars = "*a".repeat(30);
    equal(matches(`${stars}*b`, `${"a".repeat(60)}b`), true);
    equal(matches(`${stars}*b`, `${"a".repeat(29)}b`), false);
    equal(matches(`**a*b**c*`, `${"a/".repeat(50)}a${"b/".repeat(50)}${"ab".repeat(50)}c`), true);
    equal(matches(`x${"**a?".repeat(10)}c`, `x${"ab/".repeat(10)}ac`), false);
    equal(matches(`x${"**a?".repeat(10)}/c`, `x${"ab/".repeat(10)}c`), true);
    equal(matches(`${"**?".repeat(20)}x**z`, `${"yx".repeat(40)}/z`), true);
  });

  it("costs time in proportion to the text, whatever it is", async () => {
    const pattern = `${"*a".repeat(40)}*b**${"a*".repeat(20)}c`;
    const test = compilePattern(pattern);
    const work = (length: number) => {
      const text = "a".repeat(length);
      return () => {
        equal(test(text), false);
        equal(test(`${text}c`), false);
      };
    };
    ok(await isProportional(work, 40_000));
  });

  it("refuses what looks like a regular expression", () => {
    const bad = [
      "^app$",
      "^app",
      "app$",
      "https://github.com/acme/.*",
      "v.+",
      "app\\.tgz",
      "(a|b)",
      "a|b",
      "v[0-9]",
      "[^a]",
      "{a,b}",
      "a{2}",
      "***",
      "",
      "a\u0000",
      "a\n",
      "a".repeat(1025),
    ];
    for (const pattern of bad) {
      ok(patternFault(pattern) !== undefined, pattern);
      throws(
        () => compilePattern(pattern),
        (error) => error instanceof AttestationError && error.reason === "malformed-policy",
        pattern,
      );
    }
    const like = "looks like a regular expression, but patterns match the whole text: " +
      "* stops at /, ** does not, ? is one character";
    const faults: [pattern: string, fault: string | undefined][] = [
      ["", "the pattern is empty"],
      ["a".repeat(1024), undefined],
      ["a".repeat(1025), "the pattern has more than 1024 characters"],
      ["a.*", `"a.*" ${like}; for a dot with something behind it write .?*`],
      ["^a.*", `"^a.*" ${like}`],
      ["(a.*)", `"(a.*)" ${like}`],
      ["a.*$", `"a.*$" ${like}`],
      ["a.+", `"a.+" ${like}`],
      ["a$", `"a$" ${like}`],
      ["a{2}", '"a{2}" has braces: list several patterns instead'],
      ["a***", '"a***" has more than two * together'],
      ["a\u2028", "the pattern has control characters"],
    ];
    for (const [pattern, fault] of faults) equal(patternFault(pattern), fault, pattern);
    throws(() => compilePattern(""), { message: "Cannot read pattern: the pattern is empty" });
    const good = ["*", "**", "app.?*", "c++", "pkg:npm/%40acme/*", "a b", "https://[::1]/x", "~x"];
    for (const pattern of good) equal(patternFault(pattern), undefined, pattern);
  });
});

describe("compilePatterns()", () => {
  it("wants one of several", () => {
    const test = compilePatterns(["a", "b/*", "c"]);
    for (const text of ["a", "b/x", "c"]) ok(test(text), text);
    for (const text of ["", "b", "b/x/y", "ab"]) ok(!test(text), text);
    equal(compilePatterns([])("a"), false);
  });
});
