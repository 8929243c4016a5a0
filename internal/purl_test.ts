import { deepStrictEqual as deepEqual, strictEqual as equal, throws } from "node:assert/strict";
import { describe, it } from "node:test";
import { formatPurl, parsePurl } from "./purl.ts";

describe("parsePurl()", () => {
  it("reads all parts", () => {
    deepEqual(parsePurl("pkg:golang/github.com/X/Y@v1%2B2?b=2&a=%2F#./src/../api/"), {
      type: "golang",
      name: "y",
      namespace: "github.com/x",
      version: "v1+2",
      qualifiers: { b: "2", a: "/" },
      subpath: "src/api",
    });
    deepEqual(parsePurl("pkg:npm/@x/app"), { type: "npm", name: "app", namespace: "@x" });
    deepEqual(parsePurl("pkg://NPM//app@1/"), { type: "npm", name: "app", version: "1" });
    deepEqual(parsePurl("pkg:npm/app?a="), { type: "npm", name: "app" });
  });

  const refused: Record<string, string> = {
    "nothing": "",
    "no scheme": "npm/app@1",
    "another scheme": "pkgs:npm/app",
    "no type": "pkg:app",
    "a malformed type": "pkg:n&m/app",
    "a type that starts with a digit": "pkg:3d/app",
    "no name": "pkg:npm/@1.0.0",
    "an empty name": "pkg:npm//",
    "no name after a namespace": "pkg:npm/a/@1.0.0",
    "white space": "pkg:npm/left pad",
    "a line break": "pkg:npm/app\n",
    "text that is not escaped": "pkg:npm/å",
    "a cut escape": "pkg:npm/app%4",
    "an escape that is no UTF-8": "pkg:npm/%ff",
    "an overlong escape": "pkg:npm/%c0%af",
    "a slash in an escape of a namespace": "pkg:npm/a%2Fb/app",
    "a slash in an escape of a name that is a path": "pkg:git/example.com/a%2Fb",
    "a slash in an escape of a subpath": "pkg:npm/app#a%2Fb",
    "a key in upper case": "pkg:npm/app?Arch=x",
    "a key twice": "pkg:npm/app?a=1&a=2",
    "a qualifier without a value": "pkg:npm/app?a",
    "a qualifier without a key": "pkg:npm/app?=a",
    "a namespace where there is none": "pkg:oci/library/debian",
    "no namespace where there is one": "pkg:swift/app@1",
    "no publisher of an extension": "pkg:vscode-extension/java@1",
    "a name of another form": "pkg:cpan/A::B",
    "a version of another form": `pkg:chrome-extension/${"a".repeat(32)}@1-beta`,
    "no qualifier where there is one": "pkg:julia/Dates",
    "too much": `pkg:npm/${"a".repeat(8192)}`,
  };
  for (const [name, text] of Object.entries(refused)) {
    it(`refuses ${name}`, () => throws(() => parsePurl(text), { reason: "malformed-purl" }));
  }

  it("refuses a long text in little time", () => {
    for (const text of ["pkg:npm/" + "/".repeat(8000), "pkg:" + "/".repeat(8000)]) {
      throws(() => parsePurl(text), { reason: "malformed-purl" });
    }
  });
});

describe("formatPurl()", () => {
  it("writes the canonical form, which is read back", () => {
    const purl = {
      type: "generic",
      namespace: "a b/(c)",
      name: "d/e@f",
      version: "1:2+3",
      qualifiers: { z: "1", a: "?#&", empty: "" },
      subpath: "x/y z",
    };
    const text = formatPurl(purl);
    equal(
      text,
      "pkg:generic/a%20b/%28c%29/d%2Fe%40f@1:2%2B3?a=%3F%23%26&z=1#x/y%20z",
    );
    deepEqual(parsePurl(text), { ...purl, qualifiers: { z: "1", a: "?#&" } });
  });

  it("writes the same for what names the same", () => {
    const canonical = (text: string) => formatPurl(parsePurl(text));
    equal(canonical("pkg:npm/@x/a@1"), "pkg:npm/%40x/a@1");
    equal(canonical("pkg:pypi/A_b@1"), "pkg:pypi/a-b@1");
    equal(canonical("pkg:npm/a@1?b=1&a=2"), "pkg:npm/a@1?a=2&b=1");
    equal(canonical("pkg:npm/A#./b//../c/"), "pkg:npm/A#b/c");
  });

  it("refuses parts that make none", () => {
    throws(() => formatPurl({ type: "npm", name: "" }), { reason: "malformed-purl" });
    throws(() => formatPurl({ type: "", name: "a" }), { reason: "malformed-purl" });
    throws(() => formatPurl({ type: "npm", name: "a", qualifiers: { "A B": "c" } }), {
      reason: "malformed-purl",
    });
    throws(() => formatPurl({ type: "npm", name: "\ud800" }), { reason: "malformed-purl" });
  });
});
