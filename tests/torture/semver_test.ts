import { deepStrictEqual as deepEqual, ok, strictEqual as equal } from "node:assert/strict";
import { test } from "node:test";
import { isVersionOf, parseVersion } from "../../internal/semver.ts";
import { load, options, ran } from "./corpus.ts";

/* Third-party vectors: the tables of node-semver. */

type Row = unknown[];

function rows(name: string): Row[] {
  return load<{ cases: Row[] }>(`semver/${name}`).cases;
}

function isLoose(row: Row): boolean {
  return row.some((cell) =>
    cell === true || (typeof cell === "object" && cell !== null && "loose" in cell &&
      cell.loose === true)
  );
}

test("parseVersion() reads the valid versions", options, () => {
  const cases = rows("valid-versions.json");
  ok(cases.length >= 20);
  ran("semver", cases.length);
  for (const [text, major, minor, patch, prerelease, build] of cases) {
    const found = parseVersion(String(text).replace(/^v/, ""));
    deepEqual(found, {
      core: [major, minor, patch].map(String),
      prerelease: (prerelease as unknown[]).map(String),
      build,
    }, String(text));
  }
});

test("parseVersion() refuses what is none, but has no bound on numbers", options, () => {
  let judged = 0;
  for (const [text, why] of rows("invalid-versions.json")) {
    if (typeof text !== "string") continue;
    if (why === "too big") {
      ok(parseVersion(text) !== undefined, "a tag may have any number");
      continue;
    }
    judged++;
    equal(parseVersion(text), undefined, text);
  }
  ok(judged >= 3);
  ran("semver", judged);
});

test("isVersionOf() tells versions apart", options, () => {
  let judged = 0;
  for (const row of rows("comparisons.json")) {
    const [greater, less] = row.map((cell) => parseVersion(String(cell)));
    if (isLoose(row) || greater === undefined || less === undefined) continue;
    judged++;
    ok(!isVersionOf(greater, less) && !isVersionOf(less, greater), row.join(" "));
  }
  ok(judged >= 10);
  ran("semver", judged);
});

test("isVersionOf() ignores build metadata and a leading v only", options, () => {
  let judged = 0;
  for (const row of rows("equality.json")) {
    const [left, right] = row.slice(0, 2).map((cell) =>
      parseVersion(String(cell).replace(/^v/, ""))
    );
    if (left === undefined || right === undefined) continue;
    judged++;
    ok(isVersionOf(left, right) && isVersionOf(right, left), row.join(" "));
  }
  ok(judged >= 5);
  ran("semver", judged);
});
