import { deepStrictEqual as deepEqual, strictEqual as equal, throws } from "node:assert/strict";
import { test } from "node:test";
import { fullMatch } from "./full_match.ts";

/** What ECMAScript says, with the same anchors. */
function native(pattern: string): RegExp {
  return new RegExp(`^(?:${pattern})$`, "u");
}

test("fullMatch() wants all of the text", () => {
  for (
    const [pattern, good, bad] of [
      ["repo", ["repo"], ["", "repo-evil", "xrepo", "repo\n", "Repo"]],
      ["a|bc", ["a", "bc"], ["ac", "abc", "c"]],
      ["", [""], ["a"]],
      ["a|", ["a", ""], ["aa"]],
      ["(?:ab)*", ["", "ab", "abab"], ["a", "aba"]],
      ["(?<n>a)+?", ["a", "aaa"], ["", "b"]],
      ["a{2}", ["aa"], ["a", "aaa"]],
      ["a{2,}", ["aa", "aaaaa"], ["a"]],
      ["a{1,3}b?", ["a", "aaab"], ["", "aaaa", "b"]],
      ["a{0}", [""], ["a"]],
      ["[^/]+/\\d\\.[\\]-]", ["x/1.]", "é/9.-"], ["x/1x]", "/1.]", "x/y/1.]"]],
      [".", ["a", "\u{1f600}", "\ud83d"], ["\n", "\u2028", "aa"]],
      ["\\u{1f600}", ["\u{1f600}"], ["\ud83d"]],
      ["\\ud83d\\ude00", ["\u{1f600}"], ["\ud83d"]],
      ["\\p{Lu}\\x61\\cA", ["Za\u0001"], ["za\u0001"]],
      ["^a$|b^", ["a"], ["b"]],
      ["\\ba\\b.\\Bb?", ["a "], ["ab", "a b"]],
      ["[]|a[^]", ["ab", "a\n"], ["a"]],
    ] as const
  ) {
    const matches = fullMatch(pattern);
    for (const text of good) equal(matches(text), true, `${pattern} ${JSON.stringify(text)}`);
    for (const text of bad) equal(matches(text), false, `${pattern} ${JSON.stringify(text)}`);
  }
});

test("fullMatch() says what ECMAScript says, of all patterns that it takes", () => {
  let state = 7;
  const below = (n: number) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor(state / 2 ** 32 * n);
  };
  const pick = <T>(all: readonly T[]): T => all[below(all.length)];
  const parts = ["a", "b", "/", "\u{1f600}", ".", "[ab]", "[^a]", "[a-c/]", "[^]", "[]", "[\\]a]"];
  const escapes = [
    "\\d",
    "\\w",
    "\\W",
    "\\s",
    "\\.",
    "\\u0061",
    "\\u{1F600}",
    "\\x61",
    "\\P{L}",
    "\\n",
  ];
  const repeats = [
    "",
    "",
    "",
    "*",
    "+",
    "?",
    "{2}",
    "{1,2}",
    "{0,}",
    "{1,}",
    "*?",
    "+?",
    "??",
    "{0}",
  ];
  const sequence = (depth: number): string => {
    let text = "";
    for (let i = below(4); i > 0; i--) {
      if (below(8) === 0) text += pick(["^", "$", "\\b", "\\B"]);
      else {text += (depth > 0 && below(3) === 0 ? group(depth) : pick(pick([parts, escapes]))) +
          pick(repeats);}
    }
    return text;
  };
  const ways = (depth: number): string =>
    Array.from({ length: 1 + below(2) }, () => sequence(depth)).join("|");
  const group = (depth: number) => `${pick(["(", "(?:"])}${ways(depth - 1)})`;
  let matched = 0;
  for (let i = 0; i < 3000; i++) {
    const pattern = ways(2);
    const [matches, expression] = [fullMatch(pattern), native(pattern)];
    for (let k = 0; k < 8; k++) {
      let text = "";
      for (let j = below(6); j > 0; j--) {
        text += pick(["a", "b", "/", "1", " ", "\n", "\u{1f600}", "\ud83d"]);
      }
      const wanted = expression.test(text);
      if (wanted) matched++;
      equal(matches(text), wanted, `${JSON.stringify(pattern)} ${JSON.stringify(text)}`);
    }
  }
  equal(matched > 1000, true, String(matched));
});

test("fullMatch() ends where going back would not", () => {
  const long = "a".repeat(2048);
  for (
    const pattern of ["(a+)+b", "(a|a)*b", "(a*)*b", ".*.*.*.*b", "(?:a?){200}a{200}b", "((a+)+)+b"]
  ) {
    const matches = fullMatch(pattern);
    deepEqual([matches(long), matches(`${long}c`)], [false, false], pattern);
  }
  equal(fullMatch("(a+)+b")(`${long}b`), true);
});

test("fullMatch() refuses what is no pattern, what no automaton can do, and what is too large", () => {
  const unsupported =
    /^SyntaxError: The regular expression ".*" looks around, refers back or sets flags at character \d+$/;
  for (const pattern of ["(a)\\1", "(?<n>a)\\k<n>", "a(?=b)", "(?!a)", "(?<=a)b", "(?<!a)b"]) {
    throws(() => fullMatch(pattern), (error) => unsupported.test(String(error)), pattern);
  }
  for (const pattern of ["(", "a)|(b", "[", "a{2", "*", "\\", "\\-", "a{2,1}", "(?i-i:a)"]) {
    const message = /^".*" is no regular expression$|sets flags at character 1$/;
    throws(() => fullMatch(pattern), { name: "SyntaxError", message }, pattern);
  }
  throws(() => fullMatch("(?=a)"), { message: /character 1$/ });
  throws(() => fullMatch("ab\\1(c)"), { message: /character 3$/ });
  const large = { message: /^The regular expression ".*" has more than 2000 characters or parts$/ };
  for (
    const pattern of [
      "a".repeat(2001),
      "a{1001}",
      "(?:a{40}){40}",
      "(?:){3000}",
      "(?:(?:(?:){1000}){1000}){1000}",
    ]
  ) {
    throws(() => fullMatch(pattern), large, pattern.slice(0, 40));
  }
  equal(fullMatch("a".repeat(1999))("a".repeat(1999)), true);
  equal(fullMatch("a{999}")("a".repeat(999)), true);
});
