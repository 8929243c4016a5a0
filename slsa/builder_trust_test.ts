import { deepStrictEqual as deepEqual, ok, strictEqual as equal, throws } from "node:assert/strict";
import { describe, it } from "node:test";
import { isAttestationError } from "../errors.ts";
import {
  assertBuilderTrust,
  type BuilderRule,
  isNamedBuilder,
  matchesTemplate,
  parseBuilderTrust,
  recogniseBuilder,
  validateBuilderTrust,
} from "./builder_trust.ts";
import type { SignerEvidence } from "./evidence.ts";
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

  it("refuses what a signer has besides, and what is no text", () => {
    const signer = (value: object) =>
      faults({ ...RULE, signer: value }).map((path) => path.replace("/builders/0/signer", ""));
    deepEqual(signer({ keys: ["ci"], key: "ci" }), ["/key"]);
    for (const keys of [[], "ci", ["ci", 7], ["ci", ""], [null]]) {
      deepEqual(signer({ keys }), ["/keys"]);
    }
    for (const sanType of ["", 7, null]) {
      deepEqual(signer({ certificate: { issuer: "x", sanType } }), ["/certificate/sanType"]);
    }
  });

  it("takes 10 000 pairs and looks at none of 10 001", () => {
    deepEqual(faults(...Array(10_000).fill(RULE)), []);
    deepEqual(faults(...Array(10_001).fill({})), ["/builders"]);
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
    const text = JSON.stringify({ builders: [RULE] });
    for (const source of [text, new TextEncoder().encode(text), JSON.parse(text)]) {
      equal(parseBuilderTrust(source).builders.length, 1);
    }
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
    ok(isNamedBuilder("@refs/tags/v1", "@v1"), "nothing but a version");
  });
});

describe("recogniseBuilder()", () => {
  const BUILDER = "https://ci.example/builder@refs/tags/v1.0.0";
  const OTHER = "https://ci.example/other@refs/tags/v1.0.0";
  const KEYED: SignerEvidence = { keys: [{ name: "ci", fingerprint: "f".repeat(64) }] };
  const KEYLESS: SignerEvidence = {
    identity: {
      subjectAlternativeName: "https://ci.example/a/b@refs/heads/main",
      sanType: "uri",
      issuer: "https://issuer.example",
    },
  };
  const keyed = (more: Partial<BuilderRule> = {}): BuilderRule => ({
    signer: { keys: ["ci"] },
    builderId: BUILDER,
    maxBuildLevel: 2,
    ...more,
  });
  const certified = (claims: Record<string, string>): BuilderRule =>
    keyed({ signer: { certificate: { issuer: "https://issuer.example", ...claims } } });
  const found = (evidence: SignerEvidence, named: string | undefined, ...builders: BuilderRule[]) =>
    recogniseBuilder(BUILDER, evidence, named, { builders });
  const nothing = { signerOfAnother: false, wouldNeedName: false };

  it("takes the pair with the highest level, the first of those", () => {
    const [one, two, three] = [1, 2, 2].map((maxBuildLevel) =>
      keyed({ maxBuildLevel: maxBuildLevel as 1 | 2 })
    );
    equal(found(KEYED, undefined, one, two, three).rule, two);
    equal(found(KEYED, undefined, three, two, one).rule, three);
    deepEqual(found({}, undefined, one), nothing);
  });

  it("asks for the name of the very builder where it must be named", () => {
    for (const builderId of ["*", BUILDER]) {
      const rule = keyed({ builderId, mustBeNamed: true });
      equal(found(KEYED, BUILDER, rule).rule, rule);
      equal(found(KEYED, "https://ci.example/builder", rule).rule, rule);
      for (const named of [undefined, OTHER, "https://ci.example/other"]) {
        deepEqual(found(KEYED, named, rule), { signerOfAnother: true, wouldNeedName: true });
      }
    }
    const other = keyed({ builderId: OTHER, mustBeNamed: true });
    deepEqual(found(KEYED, undefined, other), { signerOfAnother: true, wouldNeedName: false });
  });

  it("tells a signer of another builder from one that nobody names", () => {
    const another = { signerOfAnother: true, wouldNeedName: false };
    deepEqual(found(KEYED, undefined, keyed({ builderId: OTHER })), another);
    const named = { subjectAlternativeName: "https://ci.example/a/b@refs/heads/main" };
    const of = (claims: Record<string, string>) =>
      found(KEYLESS, undefined, { ...certified(claims), builderId: OTHER });
    deepEqual(of(named), another);
    deepEqual(of({}), nothing);
  });

  it("takes no certificate that lacks a claim, or has another", () => {
    const claims: Record<string, string>[] = [
      { issuer: "https://other.example" },
      { buildSignerURI: "https://ci.example/a/b@refs/heads/main" },
      { buildSignerURI: "https://ci.example/a/b@refs/tags/{tag}" },
      { subjectAlternativeName: "https://ci.example/a/b@refs/tags/{tag}" },
    ];
    for (const one of claims) deepEqual(found(KEYLESS, undefined, certified(one)), nothing);
    ok(found(KEYLESS, undefined, certified({})).rule !== undefined);
  });
});

describe("assertBuilderTrust()", () => {
  it("refuses as an argument what is no document, and says where", () => {
    assertBuilderTrust({ builders: [RULE] });
    throws(() => assertBuilderTrust({ builders: [{ ...RULE, maxBuildLevel: 4 }] }), {
      name: "TypeError",
      message: "Cannot read builders: maxBuildLevel is none of 1, 2 and 3 " +
        "(/builders/0/maxBuildLevel)",
    });
    throws(() => assertBuilderTrust(null), TypeError);
  });
});
