import { deepStrictEqual as deepEqual, strictEqual as equal, throws } from "node:assert/strict";
import { describe, it } from "node:test";
import type { JsonObject } from "../../internal/json.ts";
import type { ResourceDescriptor } from "../resource_descriptor.ts";
import type { Statement } from "../statement.ts";
import type { PredicateKind } from "./kind.ts";
import { createLegacyLink, linkPredicate } from "./link.ts";
import { npmPublishPredicate } from "./npm_publish.ts";
import { svrPredicate } from "./svr.ts";

const SHA256 = "a".repeat(64);
const SHA512 = "b".repeat(128);

function statementOf(
  kind: PredicateKind<object>,
  subject: ResourceDescriptor[],
  predicate: JsonObject,
  predicateType: string = kind.predicateTypes[0],
): Statement {
  return { _type: "https://in-toto.io/Statement/v1", subject, predicateType, predicate };
}

function faults(kind: PredicateKind<object>, statement: Statement): [string, string][] {
  return kind.validateStatement(statement).map(({ reason, path }) => [reason, path]);
}

describe("linkPredicate", () => {
  const named = (...names: (string | undefined)[]): Statement =>
    statementOf(
      linkPredicate,
      names.map((name) => ({ name, digest: { sha256: SHA256 } })),
      { name: "build" },
    );

  it("wants a name of its own for each product", () => {
    deepEqual(faults(linkPredicate, named("a", "b")), []);
    deepEqual(faults(linkPredicate, named("a", undefined, "a")), [
      ["missing-subject-name", "/subject/1/name"],
      ["duplicate-subject-name", "/subject/2/name"],
    ]);
    throws(() => linkPredicate.parseStatement(named("")), { reason: "missing-subject-name" });
    throws(
      () => linkPredicate.createStatement([{ digest: { sha256: SHA256 } }], { name: "a" }),
      { reason: "missing-subject-name" },
    );
  });

  it("gives pointers from the Statement", () => {
    const { predicate: _, ...rest } = named("a");
    deepEqual(faults(linkPredicate, rest), [["missing-predicate-field", "/predicate/name"]]);
  });

  it("becomes the link of before", () => {
    const statement = statementOf(
      linkPredicate,
      [{ name: "app", digest: { sha256: SHA256 } }],
      {
        name: "build",
        command: ["make"],
        materials: [{ name: "a.c", digest: { sha1: "c".repeat(40) } }],
      },
    );
    deepEqual(createLegacyLink(statement), {
      _type: "link",
      name: "build",
      command: ["make"],
      materials: { "a.c": { sha1: "c".repeat(40) } },
      products: { app: { sha256: SHA256 } },
      byproducts: {},
      environment: {},
    });
    throws(() => createLegacyLink(named(undefined)), { reason: "missing-subject-name" });
  });
});

describe("npmPublishPredicate", () => {
  const publish = { name: "@x/app", version: "1.0.0", registry: "https://registry.example" };
  const of = (name: string, digest: Record<string, string> = { sha512: SHA512 }): Statement =>
    statementOf(npmPublishPredicate, [{ name, digest }], publish);

  it("compares package URLs decoded", () => {
    for (const name of ["pkg:npm/%40x/app@1.0.0", "pkg:npm/@x/app@1.0.0"]) {
      deepEqual(faults(npmPublishPredicate, of(name)), [], name);
    }
  });

  it("refuses another package", () => {
    for (
      const name of [
        "pkg:npm/%40x/app@1.0.1",
        "pkg:npm/%40x/app",
        "pkg:npm/app@1.0.0",
        "pkg:npm/%40y/app@1.0.0",
        "pkg:npm/%40X/app@1.0.0",
        "pkg:pypi/app@1.0.0",
        "pkg:npm/%40x/app@1.0.0?a=b",
      ]
    ) {
      deepEqual(
        faults(npmPublishPredicate, of(name)),
        [["package-mismatch", "/subject/0/name"]],
        name,
      );
      throws(() => npmPublishPredicate.parseStatement(of(name)), { reason: "package-mismatch" });
    }
  });

  it("refuses a plus that a form decoder would make a space", () => {
    const statement = statementOf(
      npmPublishPredicate,
      [{ name: "pkg:npm/a@1.0.0+1", digest: { sha512: SHA512 } }],
      { ...publish, name: "a", version: "1.0.0 1" },
    );
    deepEqual(faults(npmPublishPredicate, statement), [["package-mismatch", "/subject/0/name"]]);
  });

  it("refuses a subject that is no package, and names that make none", () => {
    deepEqual(faults(npmPublishPredicate, of("app.tgz")), [["malformed-purl", "/subject/0/name"]]);
    const nameless = statementOf(
      npmPublishPredicate,
      [{ name: "pkg:npm/a@1", digest: { sha512: SHA512 } }],
      { ...publish, name: "@x/" },
    );
    deepEqual(faults(npmPublishPredicate, nameless), [["malformed-purl", "/subject/0/name"]]);
  });

  it("compares no name or version that is no text", () => {
    for (const member of ["name", "version"]) {
      const { predicate: _, ...rest } = of("pkg:npm/%40x/app@1.0.0");
      const statement = { ...rest, predicate: { ...publish, [member]: 7 } };
      deepEqual(faults(npmPublishPredicate, statement), [
        ["malformed-predicate", `/predicate/${member}`],
      ]);
    }
  });

  it("wants a SHA-512 digest and one subject", () => {
    deepEqual(faults(npmPublishPredicate, of("pkg:npm/%40x/app@1.0.0", { sha256: SHA256 })), [
      ["missing-subject-digest", "/subject/0/digest/sha512"],
    ]);
    const two = of("pkg:npm/%40x/app@1.0.0");
    two.subject.push({ name: "pkg:npm/b@1.0.0", digest: { sha512: SHA512 } });
    deepEqual(faults(npmPublishPredicate, two), [["package-mismatch", "/subject"]]);
    const none = statementOf(npmPublishPredicate, [], publish);
    deepEqual(faults(npmPublishPredicate, none), [["package-mismatch", "/subject"]]);
  });
});

describe("svrPredicate", () => {
  it("wants policies since v0.2 only", () => {
    const result = {
      verifier: { id: "https://example.com/v" },
      timeCreated: "2025-01-02T03:04:05Z",
      properties: ["A"],
    };
    const [newer, older] = svrPredicate.predicateTypes;
    equal(svrPredicate.validate(result, newer)[0].path, "/verifier/policies");
    deepEqual(svrPredicate.validate(result, older), []);
    const subject = [{ digest: { sha256: SHA256 } }];
    deepEqual(faults(svrPredicate, statementOf(svrPredicate, subject, result, older)), []);
    equal(svrPredicate.createStatement(subject, result, older).predicateType, older);
    throws(() => svrPredicate.createStatement(subject, result), {
      path: "/predicate/verifier/policies",
    });
  });
});
