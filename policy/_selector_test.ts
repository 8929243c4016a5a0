import { deepStrictEqual as deepEqual } from "node:assert/strict";
import { test } from "node:test";
import type { Json } from "../internal/json.ts";
import { checkSelector } from "./_selector.ts";
import { ProblemList } from "./_shape.ts";

const HEX = "ab".repeat(32);

test("checkSelector() says what is wrong with each kind of entry, alone and in a list", () => {
  const like = "looks like a regular expression, but patterns match the whole text: " +
    "* stops at /, ** does not, ? is one character";
  const digest = "is no digest: wanted an algorithm, a colon and hex, such as sha256:\u2026";
  const tag = "has a tag or digest: a repository has none";
  const rows: [name: string, entry: string, fault: string | undefined][] = [
    ["name", "dist/*", undefined],
    ["name", "a@1:x", undefined],
    ["name", "^a$", `"^a$" ${like}`],
    ["digest", `sha256:${HEX}`, undefined],
    ["digest", HEX, `"${HEX}" ${digest}`],
    ["digest", `:${HEX}`, `":${HEX}" ${digest}`],
    ["digest", "(a)", `"(a)" ${digest}`],
    ["digest", `md5:${"ab".repeat(16)}`, "md5 is broken: nothing is known by it"],
    ["digest", "sha256:ab", 'the digest "sha256:ab": 2 characters, wanted 64 of hex'],
    ["oci", "ghcr.io/acme/**", undefined],
    ["oci", "localhost:5000/app", undefined],
    [
      "oci",
      "https://ghcr.io/acme",
      '"https://ghcr.io/acme" is an address: write the repository alone',
    ],
    ["oci", "ghcr.io/acme/app:1", `"ghcr.io/acme/app:1" ${tag}`],
    ["oci", "app:1", `"app:1" ${tag}`],
    ["oci", "ghcr.io/acme/app@latest", `"ghcr.io/acme/app@latest" ${tag}`],
    ["oci", "ghcr.io/acme@latest/app", `"ghcr.io/acme@latest/app" ${tag}`],
    ["npm", "@acme/*", undefined],
    ["npm", "left-pad", undefined],
    ["npm", "@acme", '"@acme" is a scope: write "@acme/*"'],
    ["npm", "app@1", '"app@1" has a version: a package name has none'],
    ["npm", "@acme/app@1", '"@acme/app@1" has a version: a package name has none'],
    ["npm", "pkg:npm/app", '"pkg:npm/app" is a package URL: write the name alone'],
    ["npm", "", "npm is empty"],
  ];
  for (const [name, entry, fault] of rows) {
    const places: [value: Json, path: string][] = [[entry, ""], [[entry], "/0"]];
    for (const [value, path] of places) {
      const list = new ProblemList("malformed-policy", "No");
      checkSelector(list, { [name]: value }, "/s", "a selector");
      deepEqual(
        list.problems.map(({ path, message }) => [path, message]),
        fault === undefined ? [] : [[`/s/${name}${path}`, `No: ${fault}`]],
      );
    }
  }
});
