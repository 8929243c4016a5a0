import { deepStrictEqual as deepEqual, strictEqual as equal } from "node:assert/strict";
import { describe, it } from "node:test";
import { compilePathPattern, pathPatternFault } from "./path_pattern.ts";

describe("pathPatternFault()", () => {
  it("says what is wrong, and accepts nine wildcards", () => {
    const stars = Array.from({ length: 8 }, () => "a*").join("/");
    const rows: [pattern: string, fault: string | undefined][] = [
      ["dist/**", undefined],
      ["**", undefined],
      ["a*.tgz", undefined],
      [`**/${stars}`, undefined],
      [`**/${stars}/a`, undefined],
      [`**/${stars}/*`, `"**/${stars}/*" has more than 9 wildcards`],
      ["a\\b", '"a\\b" has a backslash or control characters'],
      ["a?", '"a?" has ?, braces or brackets: only * and ** are known'],
      ["a{b}", '"a{b}" has ?, braces or brackets: only * and ** are known'],
      ["[a]", '"[a]" has ?, braces or brackets: only * and ** are known'],
      ["/a", '"/a" begins with /: paths are from the top of the repository'],
      ["", '"" has an empty part, . or ..: no path of a repository has'],
      ["a//b", '"a//b" has an empty part, . or ..: no path of a repository has'],
      ["./a", '"./a" has an empty part, . or ..: no path of a repository has'],
      ["a/..", '"a/.." has an empty part, . or ..: no path of a repository has'],
      ["a*b*", '"a*b*" has more than one * in a part, or ** beside something'],
      ["a/**b", '"a/**b" has more than one * in a part, or ** beside something'],
      ["**/a/**", '"**/a/**" has more than one **'],
    ];
    for (const [pattern, fault] of rows) equal(pathPatternFault(pattern), fault, pattern);
  });
});

describe("compilePathPattern()", () => {
  it("matches the whole path, and gives what stands for each wildcard", () => {
    const rows: [pattern: string, path: string, captures: string[] | undefined][] = [
      ["a", "a", []],
      ["a", "b", undefined],
      ["a", "a/b", undefined],
      ["a/b", "a", undefined],
      ["*", "a", ["a"]],
      ["*", "a/b", undefined],
      ["a*b", "axb", ["x"]],
      ["a*b", "ab", [""]],
      ["a*b", "a", undefined],
      ["a*b", "xb", undefined],
      ["a*b", "ax", undefined],
      ["ab*ba", "aba", undefined],
      ["ab*ba", "abba", [""]],
      ["*.tgz", "app.tgz", ["app"]],
      ["*.tgz", ".tgz", [""]],
      ["dist/*/app-*.tgz", "dist/x/app-1.tgz", ["x", "1"]],
      ["dist/*/app-*.tgz", "dist/x/y/app-1.tgz", undefined],
      ["**", "a/b/c", ["a/b/c"]],
      ["dist/**", "dist/a/b", ["a/b"]],
      ["dist/**", "dist", undefined],
      ["dist/**", "disk/a", undefined],
      ["**/a", "a", [""]],
      ["**/a", "x/y/a", ["x/y"]],
      ["**/a", "x/b", undefined],
      ["a/**/*.js", "a/b.js", ["", "b"]],
      ["a/**/*.js", "a/x/y/b.js", ["x/y", "b"]],
      ["a/**/*.js", "a/x/b.ts", undefined],
      ["a*/**/b", "ax/b", ["x", ""]],
      ["a*/**/b", "ax", undefined],
    ];
    for (const [pattern, path, captures] of rows) {
      deepEqual(compilePathPattern(pattern)(path), captures, `${pattern} ${path}`);
    }
  });
});
