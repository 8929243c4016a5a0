import { deepStrictEqual as deepEqual, ok, strictEqual as equal, throws } from "node:assert/strict";
import { describe, it } from "node:test";
import type { Json, JsonObject } from "../internal/json.ts";
import { AttestationError } from "../errors.ts";
import { ISSUER, KEYS } from "./_fixtures_test.ts";
import { cip, imported } from "./_imports_test.ts";
import { type ImportedPolicy, importPolicy } from "./import.ts";

const images = [{ glob: "ghcr.io/acme/**" }];
const identity = {
  issuer: ISSUER,
  subject: "https://github.com/acme/app/.github/workflows/r.yml@x",
};
const keyless = { url: "https://fulcio.sigstore.dev", identities: [identity] };

/** A condition that never holds is in every requirement. */
function refusesAll({ document }: ImportedPolicy): boolean {
  return document.rules.every(({ require }) =>
    require.every(({ predicate }) => predicate?.where?.some(({ id }) => id?.startsWith("replace-")))
  );
}

function lost({ notCarriedOver }: ImportedPolicy, path: string): boolean {
  return notCarriedOver.some((one) => one.path === path);
}

describe("importPolicy() of a ClusterImagePolicy", () => {
  it("carries over images, identities, keys, attestations and mode", () => {
    const found = imported(cip({
      images,
      mode: "warn",
      authorities: [{
        name: "ci",
        keyless,
        attestations: [{ name: "prov", predicateType: "slsaprovenance1" }, {
          predicateType: "https://spdx.dev/Document",
        }],
      }],
    }));
    const { document } = found;
    equal(document.mode, "permissive");
    equal(document.selection, "all");
    deepEqual(document.trust?.roots, ["public-good"]);
    deepEqual(document.trust?.identities?.ci, {
      issuer: ISSUER,
      subjectAlternativeName: identity.subject,
    });
    const [rule] = document.rules;
    deepEqual(rule.select, { oci: ["ghcr.io/acme/**"] });
    deepEqual(rule.require.map(({ statement }) => statement?.predicateTypes), [
      ["https://slsa.dev/provenance/v1"],
      ["https://spdx.dev/Document"],
    ]);
    deepEqual(found.notCarriedOver, []);
    const keyed = imported(
      cip({ images, authorities: [{ key: { data: KEYS.alice }, ctlog: {} }] }),
    );
    equal(keyed.document.rules[0].require[0].envelope?.log, 1);
    deepEqual(keyed.document.trust?.roots, ["public-good"]);
  });

  it("accepts any of several plain authorities, else only the first", () => {
    const plain = imported(cip({
      images,
      authorities: [{ name: "a", key: { data: KEYS.alice } }, {
        name: "b",
        key: { data: KEYS.bob },
      }],
    }));
    deepEqual(plain.document.rules[0].require[0].envelope?.signedBy, { of: ["a", "b"] });
    const attestations = [{ predicateType: "slsaprovenance1" }, { predicateType: "spdx" }];
    const mixed = imported(cip({
      images,
      authorities: [{ name: "a", key: { data: KEYS.alice }, attestations }, {
        name: "b",
        key: { data: KEYS.bob },
        attestations,
      }],
    }));
    for (const { envelope } of mixed.document.rules[0].require) {
      deepEqual(envelope?.signedBy, { of: ["a"] });
    }
    ok(lost(mixed, "/spec/authorities/1"));
  });

  it("refuses everything where a restriction cannot be written", () => {
    const policy = { type: "rego", data: "package x" };
    const attestations = [{ predicateType: "vuln", policy }];
    const cases: [JsonObject, string][] = [
      [
        { images, authorities: [{ keyless, attestations }] },
        "/spec/authorities/0/attestations/0/policy",
      ],
      [{ images, policy, authorities: [{ keyless }] }, "/spec/policy"],
      [
        { images, authorities: [{ keyless, ctlog: { url: "https://rekor.acme.example" } }] },
        "/spec/authorities/0/ctlog",
      ],
      [
        { images, authorities: [{ keyless, rfc3161timestamp: { trustRootRef: "tsa" } }] },
        "/spec/authorities/0/rfc3161timestamp",
      ],
      [
        { images, authorities: [{ keyless, attestations: [{ predicateType: "mine" }] }] },
        "/spec/authorities/0/attestations/0/predicateType",
      ],
    ];
    for (const [spec, path] of cases) {
      const found = imported(cip(spec));
      ok(refusesAll(found), path);
      ok(lost(found, path), path);
    }
  });

  it("leaves out what would accept more, and says so", () => {
    const authority = { name: "ok", key: { data: KEYS.alice } };
    const other: [Json, string][] = [
      [{ static: { action: "pass" } }, "/static"],
      [{ keyless: {} }, "/keyless"],
      [{ keyless: { identities: [] } }, "/keyless"],
      [{ keyless: { identities: [{ issuer: ISSUER }] } }, "/keyless/identities/0/subject"],
      [
        { keyless: { identities: [{ issuer: ISSUER, subjectRegExp: ".*" }] } },
        "/keyless/identities/0/subjectRegExp",
      ],
      [
        { keyless: { identities: [{ issuer: ISSUER, subjectRegExp: "^(?i)acme$" }] } },
        "/keyless/identities/0/subjectRegExp",
      ],
      [
        { keyless: { identities: [{ issuer: ISSUER, subjectRegExp: "^a{1500}$" }] } },
        "/keyless/identities/0/subjectRegExp",
      ],
      [{ keyless: { ...keyless, trustRootRef: "own" } }, "/keyless"],
      [{ keyless: { ...keyless, url: "https://fulcio.acme.example" } }, "/keyless/url"],
      [{ key: { kms: "awskms:///x" } }, "/key"],
      [{ key: { secretRef: { name: "x" } } }, "/key"],
      [{ key: { data: "no key" } }, "/key/data"],
      [{ key: { data: KEYS.bob }, sometimes: true }, "/sometimes"],
    ];
    for (const [one, path] of other) {
      const found = imported(cip({ images, authorities: [one, authority] }));
      deepEqual(found.document.rules[0].require[0].envelope?.signedBy, { of: ["ok"] }, path);
      ok(lost(found, `/spec/authorities/0${path}`), path);
    }
    const tagged = imported(
      cip({ images: [...images, { glob: "ghcr.io/acme/app:v1" }], authorities: [authority] }),
    );
    ok(lost(tagged, "/spec/images/1"));
    throws(() => imported(cip({ images, authorities: [{ static: { action: "pass" } }] })), refusal);
    throws(() => imported({ kind: "TrustRoot" }), refusal);
    throws(() => imported("text"), refusal);
  });

  it("takes an expression for the whole text, and says where it was not", () => {
    const subjects: [string, string, boolean][] = [
      ["^https://github\\.com/acme/.*$", "https://github\\.com/acme/.*", false],
      ["https://github\\.com/acme/app", "https://github\\.com/acme/app", true],
      ["^https://github\\.com/acme/", "https://github\\.com/acme/", true],
      ["^cost\\$", "cost\\$", true],
    ];
    for (const [subjectRegExp, pattern, told] of subjects) {
      const identities = [{ issuer: ISSUER, subjectRegExp }];
      const found = imported(
        cip({ images, authorities: [{ name: "ci", keyless: { identities } }] }),
      );
      const ci = found.document.trust?.identities?.ci as { subjectAlternativeName: unknown };
      deepEqual(ci.subjectAlternativeName, { pattern });
      equal(lost(found, "/spec/authorities/0/keyless/identities/0/subjectRegExp"), told);
    }
  });
});

function refusal(error: unknown): boolean {
  return error instanceof AttestationError && error.reason === "malformed-policy";
}

describe("importPolicy() of an in-toto layout", () => {
  const hex = "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a";
  const key = { keytype: "ed25519", scheme: "ed25519", keyval: { public: hex } };
  const step = { name: "build", pubkeys: ["aa"], threshold: 1 };
  const layout = { _type: "layout", expires: "2030-01-01T00:00:00Z", keys: { aa: key } };

  it("makes steps requirements", () => {
    const { document, notCarriedOver } = importPolicy({
      kind: "in-toto-layout",
      layout: { signed: { ...layout, steps: [step], inspect: [] }, signatures: [] },
    });
    equal(document.expires, "2030-01-01T00:00:00Z");
    const [{ require }] = document.rules;
    deepEqual(require.map(({ id }) => id), ["build"]);
    deepEqual(require[0].predicate?.where, [{
      id: "step",
      path: "/predicate/name",
      equals: "build",
    }]);
    deepEqual(notCarriedOver.map(({ path }) => path), ["/signatures"]);
  });

  it("refuses everything where artifact rules, inspections or functionaries are lost", () => {
    const cases: [JsonObject, string][] = [
      [
        { steps: [{ ...step, expected_products: [["CREATE", "app"]] }] },
        "/steps/0/expected_products",
      ],
      [{ steps: [{ ...step, pubkeys: ["bb"] }] }, "/steps/0/pubkeys"],
      [{ steps: [{ ...step, threshold: 2 }] }, "/steps/0/pubkeys"],
    ];
    for (const [more, path] of cases) {
      const found = importPolicy({ kind: "in-toto-layout", layout: { ...layout, ...more } });
      ok(refusesAll(found), path);
      ok(lost(found, path), path);
    }
    const inspected = importPolicy({
      kind: "in-toto-layout",
      layout: { ...layout, steps: [step], inspect: [{ name: "untar", run: ["tar"] }] },
    });
    ok(inspected.document.rules[0].require[1].predicate?.where?.[0].id?.startsWith("replace-"));
    for (const bad of [{}, { ...layout, steps: [] }, { ...layout, steps: [step], expires: "x" }]) {
      throws(() => importPolicy({ kind: "in-toto-layout", layout: bad as Json }), refusal);
    }
  });
});

describe("importPolicy() of flags of slsa-verifier", () => {
  const words = (...more: string[]) => ({ kind: "slsa-verifier" as const, words: more });

  it("carries over what provenance must say", () => {
    const { document, notCarriedOver } = importPolicy(words(
      "slsa-verifier",
      "verify-image",
      "ghcr.io/acme/app@sha256:" + "a".repeat(64),
      "--source-uri=github.com/acme/app",
      "--source-versioned-tag",
      "v1.2",
      "--build-workflow-input=a=b=c",
      "--print-provenance",
    ));
    const [rule] = document.rules;
    deepEqual(rule.select, { oci: "ghcr.io/acme/app" });
    deepEqual(rule.require[0].predicate?.provenance, {
      sourceUri: "github.com/acme/app",
      sourceVersionedTag: "v1.2",
      workflowInputs: { a: "b=c" },
      minLevel: 3,
    });
    deepEqual(notCarriedOver.map(({ path }) => path), ["operand"]);
    const npm = ["verify-npm-package", "--source-uri=github.com/a/b", "--package-name=@a/b"];
    deepEqual(importPolicy(words(...npm)).document.rules[0].select, { npm: "@a/b" });
  });

  it("reads the flags of verify-vsa with its key", () => {
    const flags = [
      "verify-vsa",
      "--verifier-id=https://verifier.example",
      "--resource-uri=pkg:npm/a",
      "--verified-level=SLSA_BUILD_LEVEL_3",
      "--public-key-path=v.pub",
    ];
    const { document } = importPolicy({
      ...words(...flags),
      keys: new Map([["v.pub", KEYS.alice]]),
    });
    deepEqual(document.rules[0].require[0].envelope?.signedBy, { of: ["verifier"] });
    throws(() => importPolicy(words(...flags)), refusal);
  });

  it("refuses flags that it does not know", () => {
    const source = "--source-uri=github.com/acme/app";
    for (
      const bad of [
        [],
        ["verify"],
        ["verify-artifact"],
        ["verify-artifact", source, "--source-branch"],
        ["verify-artifact", source, "--skip-checks"],
        ["verify-artifact", source, "-x"],
        ["verify-artifact", source, "--build-workflow-input=x"],
        ["verify-artifact", source, "--verifier-id=x"],
        ["verify-npm-package", source],
      ]
    ) throws(() => importPolicy(words(...bad)), refusal);
  });
});
