import { deepStrictEqual as deepEqual, ok, strictEqual as equal, throws } from "node:assert/strict";
import { describe, it } from "node:test";
import { definePredicate } from "../intoto/predicates/kind.ts";
import { findPredicateTypes, PREDICATE_SHORT_NAMES } from "../intoto/predicates/short_name.ts";
import type { Statement } from "../intoto/statement.ts";
import { createPredicateRegistry, lookupPredicate } from "./predicate_registry.ts";

const statementOf = (predicateType: string, predicate?: Statement["predicate"]): Statement => ({
  _type: "https://in-toto.io/Statement/v1",
  subject: [{ name: "a", digest: { sha256: "a".repeat(64) } }],
  predicateType,
  predicate,
});

describe("lookupPredicate()", () => {
  const known: Record<string, string> = {
    "https://slsa.dev/provenance/v1": "provenance",
    "https://slsa.dev/provenance/v0.2": "provenance-v0.2",
    "https://slsa.dev/provenance/v0.1": "provenance-v0.1",
    "https://in-toto.io/Provenance/v0.1": "provenance-v0.1",
    "https://slsa.dev/verification_summary/v1": "vsa",
    "https://in-toto.io/attestation/link/v0.3": "link",
    "https://in-toto.io/Link/v1": "legacy-link",
    "https://in-toto.io/attestation/scai/v0.3": "scai",
    "https://spdx.dev/Document": "spdx",
    "https://spdx.dev/Document/v2.3": "spdx",
    "https://spdx.dev/Document/v3": "spdx-v3",
    "https://cyclonedx.org/bom": "cyclonedx",
    "https://cyclonedx.org/bom/v1.4": "cyclonedx",
    "https://in-toto.io/attestation/vulns/v0.1": "vulns-v0.1",
    "https://in-toto.io/attestation/vulns/v0.2": "vulns",
    "https://cosign.sigstore.dev/attestation/vuln/v1": "vuln",
    "https://in-toto.io/attestation/release/v0.1": "release",
    "https://in-toto.io/attestation/release/v0.2": "release",
    "https://in-toto.io/attestation/test-result/v0.1": "test-result",
    "https://in-toto.io/attestation/svr/v0.1": "svr",
    "https://in-toto.io/attestation/svr/v0.2": "svr",
    "https://in-toto.io/attestation/reference/v0.1": "reference",
    "https://in-toto.io/attestation/runtime-trace/v0.1": "runtime-trace",
    "https://github.com/npm/attestation/tree/main/specs/publish/v0.1": "npm-publish",
    "https://cosign.sigstore.dev/attestation/v1": "custom",
    "https://openvex.dev/ns": "openvex",
    "https://openvex.dev/ns/v0.2.0": "openvex",
  };

  it("knows the types of the field", () => {
    for (const [type, name] of Object.entries(known)) equal(lookupPredicate(type).kind?.name, name);
  });

  it("compares them as they are", () => {
    for (
      const type of [
        "https://slsa.dev/provenance/v1/",
        "https://slsa.dev/provenance/v1.0",
        "HTTPS://slsa.dev/provenance/v1",
        "https://slsa.dev/provenance/v1-rc1",
        "https://slsa.dev/provenance/v2",
        "https://cyclonedx.org/bom/v1.40",
        "",
        "constructor",
      ]
    ) deepEqual(lookupPredicate(type), { known: false, predicateType: type });
  });
});

describe("createPredicateRegistry()", () => {
  const review = definePredicate({
    name: "review",
    predicateTypes: ["https://example.com/review/v1"],
    parse(value): { by: string } {
      if (typeof value.by !== "string") throw new Error("by is no string");
      return { by: value.by };
    },
  });

  it("passes an unknown type through, marked as unknown", () => {
    const registry = createPredicateRegistry();
    const statement = statementOf("https://example.com/review/v1", { by: 1 });
    deepEqual(registry.parse(statement), {
      known: false,
      predicateType: "https://example.com/review/v1",
      predicate: { by: 1 },
    });
    deepEqual(registry.validate(statement), []);
    deepEqual(registry.parse(statementOf("a:b")).predicate, {});
  });

  it("reads types of one's own", () => {
    const registry = createPredicateRegistry([review]);
    ok(registry.kinds.includes(review));
    const good = registry.parse(statementOf("https://example.com/review/v1", { by: "a" }));
    ok(good.known && good.kind === review);
    const bad = statementOf("https://example.com/review/v1", { by: 1 });
    throws(() => registry.parse(bad), { reason: "malformed-predicate", path: "/predicate" });
    equal(registry.validate(bad).length, 1);
    equal(lookupPredicate("https://example.com/review/v1").known, false);
  });

  it("prefers one's own kind, and refuses two", () => {
    const type = "https://cyclonedx.org/bom";
    const own = definePredicate({ name: "bom", predicateTypes: [type], parse: (value) => value });
    const registry = createPredicateRegistry([own]);
    equal(registry.lookup(type).kind, own);
    equal(registry.lookup(`${type}/v1.6`).kind?.name, "cyclonedx");
    throws(() => createPredicateRegistry([own, own]), TypeError);
  });

  it("refuses a known type that is wrong", () => {
    const registry = createPredicateRegistry();
    for (const { name, predicateTypes } of registry.kinds) {
      for (const type of predicateTypes) {
        if (name === "legacy-link") continue;
        const found = registry.validate(statementOf(type, {}));
        ok(found.length > 0, type);
        ok(found.every(({ path }) => /^\/(predicate|subject)/.test(path)), type);
        throws(() => registry.parse(statementOf(type, {})), { reason: found[0].reason }, type);
      }
    }
  });

  it("does not let a kind make what it refuses", () => {
    for (const { kind } of [lookupPredicate("https://slsa.dev/provenance/v0.2")]) {
      throws(() => kind?.create({}), { reason: "missing-predicate-field" });
      const subject = statementOf("a:b").subject;
      throws(() => kind?.createStatement(subject, {}), { reason: "missing-predicate-field" });
    }
  });
});

describe("findPredicateTypes()", () => {
  it("knows cosign's names", () => {
    const first = (name: string) => findPredicateTypes(name)?.[0];
    equal(first("custom"), "https://cosign.sigstore.dev/attestation/v1");
    equal(first("slsaprovenance"), "https://slsa.dev/provenance/v0.2");
    equal(first("slsaprovenance02"), "https://slsa.dev/provenance/v0.2");
    equal(first("slsaprovenance1"), "https://slsa.dev/provenance/v1");
    equal(first("spdx"), "https://spdx.dev/Document");
    equal(first("spdxjson"), "https://spdx.dev/Document");
    equal(first("cyclonedx"), "https://cyclonedx.org/bom");
    equal(first("link"), "https://in-toto.io/Link/v1");
    equal(first("vuln"), "https://cosign.sigstore.dev/attestation/vuln/v1");
    equal(first("openvex"), "https://openvex.dev/ns");
  });

  it("takes absolute URIs as they are, and nothing else", () => {
    deepEqual(findPredicateTypes("https://Example.com/a/"), ["https://Example.com/a/"]);
    for (const text of ["", "slsa", "SPDX", "/a", "a b:c", "https:", "é:a"]) {
      equal(findPredicateTypes(text), undefined, text);
    }
  });

  it("names only types that are known", () => {
    for (const types of PREDICATE_SHORT_NAMES.values()) {
      for (const type of types) ok(lookupPredicate(type).known, type);
    }
  });
});
