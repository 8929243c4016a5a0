import { deepStrictEqual as deepEqual, strictEqual as equal, throws } from "node:assert/strict";
import { describe, it } from "node:test";
import { isAttestationError } from "../errors.ts";
import { parseResourceDescriptor, validateResourceDescriptor } from "./resource_descriptor.ts";

function faults(value: unknown, path?: string): string[] {
  return validateResourceDescriptor(value, path).map(({ reason, path }) => `${reason} ${path}`);
}

const SHA256 = "a".repeat(64);

describe("validateResourceDescriptor()", () => {
  it("accepts each of uri, digest, content and name alone", () => {
    deepEqual(faults({ uri: "pkg:npm/a@1" }), []);
    deepEqual(faults({ digest: { sha256: SHA256 } }), []);
    deepEqual(faults({ content: "aGk=" }), []);
    deepEqual(faults({ name: "a" }), []);
  });

  it("refuses a descriptor that does not say what it is", () => {
    for (
      const value of [
        {},
        { name: "" },
        { uri: "", digest: {}, content: "" },
        { name: null, uri: null, digest: null, content: null },
        { downloadLocation: "https://example.com/a", mediaType: "t", annotations: { a: 1 } },
        JSON.parse(`{"__proto__":{"uri":"x"}}`),
      ]
    ) deepEqual(faults(value, "/r"), ["empty-resource-descriptor /r"], JSON.stringify(value));
  });

  it("refuses members of the wrong type, each at its place", () => {
    deepEqual(
      faults({
        name: 1,
        uri: {},
        digest: [],
        content: 2,
        downloadLocation: false,
        mediaType: [],
        annotations: "a",
      }, "/r").sort(),
      ["annotations", "content", "digest", "downloadLocation", "mediaType", "name", "uri"].map(
        (member) => `malformed-resource-descriptor /r/${member}`,
      ),
    );
    deepEqual(faults({ uri: "x:y", annotations: [] }), [
      "malformed-resource-descriptor /annotations",
    ]);
  });

  it("reports a digest that is no object once", () => {
    for (const digest of [[], "sha256:aa", 5]) {
      deepEqual(faults({ digest }), ["malformed-resource-descriptor /digest"]);
    }
  });

  it("refuses what is no object", () => {
    for (const value of [null, undefined, "x", 1, [], true]) {
      deepEqual(faults(value), ["malformed-resource-descriptor "]);
    }
  });

  it("refuses content that is not base64", () => {
    for (const content of ["a", "aGk", "aG k=", "aGl=", "_+__"]) {
      const expected = content === "aGk" ? [] : ["invalid-base64 /content"];
      deepEqual(faults({ uri: "x:y", content }), expected, content);
    }
  });

  it("reports a bad digest inside", () => {
    deepEqual(faults({ digest: { sha256: "abc123" } }, "/r"), ["invalid-digest /r/digest/sha256"]);
  });

  it("ignores unknown members, protobuf's names among them", () => {
    deepEqual(faults({ uri: "x:y", download_location: 1, media_type: 2, x: null }), []);
  });
});

describe("parseResourceDescriptor()", () => {
  it("reads text and bytes, and leaves null out", () => {
    const text = `{"name":null,"uri":"x:y","digest":{"sha256":"${SHA256}"}}`;
    const expected = { uri: "x:y", digest: { sha256: SHA256 } };
    deepEqual(parseResourceDescriptor(text), expected);
    deepEqual(parseResourceDescriptor(new TextEncoder().encode(text)), expected);
    deepEqual(parseResourceDescriptor(JSON.parse(text)), expected);
  });

  it("leaves out any member that is null, and gives back as it is what has none", () => {
    const whole = {
      name: "a",
      uri: "x:y",
      digest: { sha256: SHA256 },
      content: "aGk=",
      downloadLocation: "x:z",
      mediaType: "t",
      annotations: { a: null },
    };
    equal(parseResourceDescriptor(whole), whole);
    for (const name of Object.keys(whole)) {
      const { [name as keyof typeof whole]: _, ...rest } = whole;
      deepEqual(parseResourceDescriptor({ ...rest, [name]: null }), rest, name);
    }
  });

  it("throws with the reason and the place", () => {
    const cases: [string, string, string | undefined][] = [
      ["{}", "empty-resource-descriptor", ""],
      ["[]", "malformed-resource-descriptor", ""],
      [`{"digest":{"sha1":"x"}}`, "invalid-digest", "/digest/sha1"],
      [`{"uri":"a:b","uri":"c:d"}`, "duplicate-json-key", undefined],
      ["", "empty-input", undefined],
    ];
    for (const [text, reason, path] of cases) {
      throws(() => parseResourceDescriptor(text), (error: unknown) => {
        equal(isAttestationError(error) && error.reason, reason);
        equal(isAttestationError(error) && error.path, path);
        return true;
      });
    }
  });
});
