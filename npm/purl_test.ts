import { deepStrictEqual as deepEqual, strictEqual as equal, throws } from "node:assert/strict";
import { describe, it } from "node:test";
import { reasonOf } from "../tests/fixtures/sigstore.ts";
import { isNpmName, isNpmVersion, parseNpmPurl } from "./purl.ts";

describe("parseNpmPurl()", () => {
  it("reads names with and without a scope, percent-encoded or not", () => {
    const app = { name: "@acme/app", version: "1.2.3" };
    deepEqual(parseNpmPurl("pkg:npm/%40acme/app@1.2.3"), app);
    deepEqual(parseNpmPurl("pkg:npm/@acme/app@1.2.3"), app);
    deepEqual(parseNpmPurl("pkg:npm/%40acme/%61pp@1%2e2.3"), app);
    deepEqual(parseNpmPurl("pkg:npm/app@1.2.3-rc.1"), { name: "app", version: "1.2.3-rc.1" });
  });

  it("keeps a plus sign, escaped or not: this is no query", () => {
    for (const version of ["1.0.0+build", "1.0.0%2Bbuild"]) {
      equal(parseNpmPurl(`pkg:npm/app@${version}`).version, "1.0.0+build");
    }
  });

  it("says what is wrong with qualifiers", () => {
    throws(() => parseNpmPurl("pkg:npm/app@1.0.0?a=b"), /qualifier/);
  });

  it("decodes once only", async () => {
    equal(await reasonOf(() => parseNpmPurl("pkg:npm/%2540acme/app@1.0.0")), "malformed-purl");
  });

  it("refuses what names something else or nothing", async () => {
    for (
      const text of [
        "",
        "app@1.0.0",
        "pkg:NPM/app@1.0.0",
        "pkg:pypi/app@1.0.0",
        "pkg://npm/app@1.0.0",
        "pkg:npm/app",
        "pkg:npm/@1.0.0",
        "pkg:npm/%40acme@1.0.0",
        "pkg:npm/%40acme%2Fapp@1.0.0",
        "pkg:npm/%40acme%2Fb/app@1.0.0",
        "pkg:npm/%40acme/b%2Fapp@1.0.0",
        "pkg:npm/acme/app@1.0.0",
        "pkg:npm/%40a/b/c@1.0.0",
        "pkg:npm/%40acme/@1.0.0",
        "pkg:npm/../app@1.0.0",
        "pkg:npm/app@",
        "pkg:npm/app@latest",
        "pkg:npm/app@^1.0.0",
        "pkg:npm/app@1.0",
        "pkg:npm/app@1.0.0?repository_url=https://evil.example",
        "pkg:npm/app@1.0.0#bin/a",
        "pkg:npm/app%00@1.0.0",
        "pkg:npm/app%E0%A4%A@1.0.0",
        "pkg:npm/app%FF@1.0.0",
        "pkg:npm/a b@1.0.0",
        "pkg:npm/аpp@1.0.0",
        `pkg:npm/${"a".repeat(3000)}@1.0.0`,
      ]
    ) equal(await reasonOf(() => parseNpmPurl(text)), "malformed-purl", text.slice(0, 80));
  });
});

describe("isNpmName() and isNpmVersion()", () => {
  it("bound length and characters", () => {
    equal(isNpmName("a".repeat(214)), true);
    equal(isNpmName("a".repeat(215)), false);
    for (
      const name of [
        "",
        ".",
        "..",
        "@a",
        "a/b",
        "@a/..",
        "@../a",
        "@./a",
        "a\n",
        "a%2fb",
        ".a",
        "@.a/b",
        "@a/.b",
      ]
    ) {
      equal(isNpmName(name), false, name);
    }
    equal(isNpmVersion("1.0.0-a"), true);
    equal(isNpmVersion(`1.0.0-${"a".repeat(260)}`), false);
    equal(isNpmVersion("1.0.0\n"), false);
  });
});
