import { strictEqual as equal, throws } from "node:assert/strict";
import { test } from "node:test";
import { Glob, Work } from "./_glob.ts";

const matches = (pattern: string, name: string) => new Glob(pattern).matches(name, new Work());

test("Glob matches as Python's fnmatch does", () => {
  const cases: [pattern: string, name: string, wanted: boolean][] = [
    ["*", "", true],
    ["*", "a/b/c", true],
    ["", "", true],
    ["", "a", false],
    ["a", "a", true],
    ["a", "A", false],
    ["a*", "a", true],
    ["a*c", "abbbc", true],
    ["a*c", "abbbcd", false],
    ["*.tar.gz", "x/y.tar.gz", true],
    ["a**b", "ab", true],
    ["?", "/", true],
    ["?", "", false],
    ["?", "😀", true],
    ["??", "😀", false],
    ["*?a", "😀a", true],
    ["*??a", "😀a", false],
    ["*[!b]a", "😀a", true],
    ["*[!b][!b]a", "😀a", false],
    ["[abc]", "b", true],
    ["[a-c]x", "bx", true],
    ["[a-c]x", "dx", false],
    ["[!a-c]x", "dx", true],
    ["[!a-c]x", "ax", false],
    ["[]]", "]", true],
    ["[!]]", "]", false],
    ["[a-]", "-", true],
    ["[c-a]", "b", false],
    ["[", "[", true],
    ["[a", "[a", true],
    ["[a", "a", false],
    ["[*]", "*", true],
    ["[*]", "x", false],
    ["a[/]b", "a/b", true],
    [".*", ".hidden", true],
    ["a.b", "axb", false],
    ["*a*b*c*", "xxaxxbxxcxx", true],
    ["*a*b*c*", "xxaxxcxxbxx", false],
  ];
  for (const [pattern, name, wanted] of cases) {
    equal(matches(pattern, name), wanted, `${pattern} ${name}`);
  }
});

test("Glob tells a name from a pattern", () => {
  equal(new Glob("a/b.c").isLiteral, true);
  equal(new Glob("a[").isLiteral, true);
  for (const pattern of ["*", "a?", "[a]"]) equal(new Glob(pattern).isLiteral, false);
});

test("Glob never tries a star again once another came after it", () => {
  // Trying them all would take longer than the age of the universe.
  equal(matches("*a".repeat(200) + "b", "a".repeat(20_000)), false);
});

test("Glob counts its steps, and stops when there were too many in all", () => {
  const pattern = new Glob(`*${"a".repeat(1000)}b`), name = "a".repeat(4096);
  const work = new Work();
  throws(
    () => {
      for (let i = 0; i < 1000; i++) pattern.matches(name, work);
    },
    { reason: "limit-exceeded" },
  );
});
