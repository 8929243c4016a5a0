import { ok, strictEqual as equal } from "node:assert/strict";
import { test } from "node:test";
import { regexFault } from "./_regex.ts";

test("regexFault() refuses what could explode", () => {
  const bad = [
    "(a+)+",
    "(a*)*b",
    "(a|a)*",
    "(a|ab)+c",
    "(?:a+){2,}",
    "(a?)*",
    "((a+))*",
    "(x(a+)y)*",
    "(a{2,3})+",
    "(a+){10}",
    "\\1",
    "(a)\\1",
    "(?<n>a)\\k<n>",
    "(?=a)",
    "(?!a)",
    "(?<=a)",
    "(?<!a)",
    ".*.*.*.*.*",
    "([)]+)+",
    "(\\)+)+",
    "(a+)+?",
    "(a+)*?",
    // However a number is written.
    "(a+){02}",
    `(a+){${"0".repeat(40)}2,}`,
    `(a+){1,${"0".repeat(40)}9}`,
    "a*b+c{0,}d{1,}e*",
    `(?<${"n".repeat(200)}>a+)+`,
    "([a\\]]+)+",
  ];
  for (const pattern of bad) ok(regexFault(pattern) !== undefined, pattern);
});

test("regexFault() accepts what repositories are named by", () => {
  const good = [
    "https://github\\.com/acme/[^/]+/\\.github/workflows/.+@refs/tags/v.+",
    "refs/tags/v\\d+\\.\\d+\\.\\d+",
    "a|b",
    "(a|b)c",
    "(a|b)?c",
    "(abc)+",
    "(a+)?",
    "(a+){0,1}",
    "[(+]+",
    "\\(a+\\)+",
    "a{2}",
    "(?:ab){2,3}",
    "((ab)c)+",
    "(?<n>ab)+",
    `(?<${"n".repeat(200)}>ab)+`,
    "([a+])+",
    "([\\]+])+",
    "(a\\|b)+",
    ".*a.*b.*c.*",
    "a*b+c{0,}d{1,}",
    "a{2}b?c{1,2}d?e{3}f?",
  ];
  for (const pattern of good) equal(regexFault(pattern), undefined, pattern);
});
