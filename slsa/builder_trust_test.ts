import { deepStrictEqual as deepEqual, ok, strictEqual as equal, throws } from "node:assert/strict";
import { describe, it } from "node:test";
import { isAttestationError } from "../errors.ts";
import { isNamedBuilder, matchesTemplate, parseBuilderTrust } from "./builder_trust.ts";
import { validateBuilderTrust } from "./builder_trust.ts";
import { googleCloudBuildBuilders, KNOWN_BUILDERS } from "./known_builders.ts";

const RULE = {
  name: "ci",
  signer: { keys: ["ci"] },
  builderId: "https://ci.example/builder",
  maxBuildLevel: 2,
};
const CERTIFICATE = {
  signer: { certificate: { issuer: "https://issuer.example" } },
  builderId: "{signer}",
  maxBuildLevel: 3,
};

function faults(...builders: unknown[]): string[] {
  return validateBuilderTrust({ builders }).map(({ reason, path }) => {
    equal(reason, "malformed-builder-trust");
    return path;
  });
}

describe("validateBuilderTrust()", () => {
  it("accepts the known builders and those of Google Cloud Build", () => {
    deepEqual(validateBuilderTrust(KNOWN_BUILDERS), []);
    deepEqual(faults(...googleCloudBuildBuilders(["a", "b"])), []);
    deepEqual(faults(RULE, CERTIFICATE, { ...CERTIFICATE, builderId: "*", mustBeNamed: true }), []);
    deepEqual(faults({ ...RULE, builderId: "https://h/b@refs/tags/v{release}" }), []);
    deepEqual(faults({ ...RULE, builderId: "https://h/b@refs/tags/{tag}" }), []);
    throws(() => googleCloudBuildBuilders([]), TypeError);
  });

  it("refuses patterns outside of the tag", () => {
    for (
      const builderId of [
        "https://h/*",
        "*",
        "https://h/b@refs/tags/*",
        "https://h/{tag}",
        "https://h/b@{tag}",
        "https://h/b@refs/heads/{tag}",
        "https://h/b@refs/tags/x{tag}",
        "https://h/b@refs/tags/v{release}-evil",
        "https://h/{tag}@refs/tags/{tag}",
        "https://h/b@refs/tags/{version}",
        "{signer}",
        "",
        5,
        null,
      ]
    ) deepEqual(faults({ ...RULE, builderId }), ["/builders/0/builderId"], String(builderId));
    deepEqual(
      faults({
        ...CERTIFICATE,
        signer: {
          certificate: { issuer: "https://*.example", subjectAlternativeName: "{signer}" },
        },
      }),
      [
        "/builders/0/signer/certificate/issuer",
        "/builders/0/signer/certificate/subjectAlternativeName",
      ],
    );
  });

  it("refuses what is misspelt, absent or of the wrong type", () => {
    const { signer: _, ...unsigned } = RULE;
    const wrong: [unknown, string][] = [
      [{ ...RULE, level: 3 }, "/level"],
      [{ ...RULE, name: 1 }, "/name"],
      [{ ...RULE, maxBuildLevel: 0 }, "/maxBuildLevel"],
      [{ ...RULE, maxBuildLevel: 4 }, "/maxBuildLevel"],
      [{ ...RULE, maxBuildLevel: "3" }, "/maxBuildLevel"],
      [{ ...RULE, mustBeNamed: "yes" }, "/mustBeNamed"],
      [{ ...RULE, workflow: "own" }, "/workflow"],
      [{ ...CERTIFICATE, workflow: "other" }, "/workflow"],
      [unsigned, "/signer"],
      [{ ...RULE, signer: {} }, "/signer"],
      [{ ...RULE, signer: { keys: ["a"], certificate: { issuer: "b" } } }, "/signer"],
      [{ ...RULE, signer: { keys: [] } }, "/signer/keys"],
      [{ ...RULE, signer: { keys: [""] } }, "/signer/keys"],
      [{ ...RULE, signer: { keys: "a" } }, "/signer/keys"],
      [{ ...CERTIFICATE, signer: { certificate: {} } }, "/signer/certificate/issuer"],
      [{ ...CERTIFICATE, signer: { certificate: [] } }, "/signer/certificate"],
      [
        { ...CERTIFICATE, signer: { certificate: { issuer: "a", san: "b" } } },
        "/signer/certificate/san",
      ],
      [
        { ...CERTIFICATE, signer: { certificate: { issuer: { pattern: "a" } } } },
        "/signer/certificate/issuer",
      ],
      ["rule", ""],
    ];
    for (const [rule, path] of wrong) {
      deepEqual(faults(rule), [`/builders/0${path}`], JSON.stringify(rule));
    }
    for (const value of [null, [], "x", {}, { builders: {} }, { builders: [], more: 1 }]) {
      ok(validateBuilderTrust(value).length > 0);
    }
  });
});

describe("parseBuilderTrust()", () => {
  it("reads text strictly and throws the first problem", () => {
    equal(parseBuilderTrust(JSON.stringify({ builders: [RULE] })).builders.length, 1);
    throws(
      () => parseBuilderTrust({ builders: [{ ...RULE, level: 1 }] }),
      (error: unknown) => isAttestationError(error) && error.reason === "malformed-builder-trust",
    );
    throws(
      () => parseBuilderTrust('{"builders":[],"builders":[]}'),
      (error: unknown) => isAttestationError(error) && error.reason === "duplicate-json-key",
    );
  });
});

describe("matchesTemplate()", () => {
  it("matches all of a text", () => {
    const release = "https://h/b@refs/tags/v{release}";
    ok(matchesTemplate("https://h/b@refs/tags/v1.20.3", release));
    for (
      const tag of [
        "1.2.3",
        "v1.2",
        "v1.2.3.4",
        "v1.2.3-rc",
        "v1.2.3+b",
        "v01.2.3",
        "v1.2.3\n",
        "v",
      ]
    ) ok(!matchesTemplate(`https://h/b@refs/tags/${tag}`, release), tag);
    ok(!matchesTemplate("https://h/c@refs/tags/v1.2.3", release));
    ok(matchesTemplate("https://h/b@refs/tags/v4", "https://h/b@refs/tags/{tag}"));
    ok(!matchesTemplate("https://h/b@refs/tags/a/b", "https://h/b@refs/tags/{tag}"));
    ok(!matchesTemplate("https://h/b@refs/tags/", "https://h/b@refs/tags/{tag}"));
    ok(!matchesTemplate("https://h/builder", "https://h/b"));
  });
});

describe("isNamedBuilder()", () => {
  it("takes the name with and without its version, and no other part of it", () => {
    const id = "https://h/b@refs/tags/v1";
    for (const named of [id, "https://h/b", "https://h/b@v1"]) ok(isNamedBuilder(id, named), named);
    for (const named of ["https://h/", "https://h/b@", "https://h/b@refs/tags/", "https://h/b@v"]) {
      ok(!isNamedBuilder(id, named), named);
    }
    ok(!isNamedBuilder("https://h/b@refs/heads/v1", "https://h/b@v1"));
    ok(!isNamedBuilder("https://h/b@refs/evil/v1", "https://h/b@v1"));
    ok(!isNamedBuilder("https://h/b@refs/tagz/v1", "https://h/b@v1"));
    ok(!isNamedBuilder("https://h/b-evil", "https://h/b"));
  });
});
