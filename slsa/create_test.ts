import { deepStrictEqual as deepEqual, strictEqual as equal, throws } from "node:assert/strict";
import { describe, it } from "node:test";
import { isAttestationError, type Reason } from "../errors.ts";
import { encodeStatement, parseStatement } from "../intoto/statement.ts";
import { createProvenance, type NewProvenance } from "./create.ts";
import { parseProvenance } from "./provenance.ts";
import { validateProvenancePredicate } from "./provenance_v1.ts";

const NEW: NewProvenance = {
  subject: [{ name: "app.tgz", digest: { sha256: "a".repeat(64) } }],
  buildType: "https://ci.example/type/v1",
  externalParameters: { ref: "refs/tags/v1" },
  builderId: "https://ci.example/builder",
};
const WHOLE: NewProvenance = {
  ...NEW,
  internalParameters: { runner: "hosted" },
  resolvedDependencies: [{ uri: "git+https://h/a", digest: { gitCommit: "c".repeat(40) } }],
  builderVersion: { ci: "1" },
  builderDependencies: [{ uri: "pkg:docker/ci" }],
  invocationId: "7",
  startedOn: new Date("2026-01-01T00:00:00Z"),
  finishedOn: new Date("2026-01-01T00:00:01.500Z"),
  byproducts: [{ name: "log", content: "aGk=" }],
};

function reasonOf(changes: object): Reason | "none" | "TypeError" {
  try {
    createProvenance({ ...WHOLE, ...changes } as NewProvenance);
  } catch (error) {
    if (isAttestationError(error)) return error.reason;
    if (error instanceof TypeError) return "TypeError";
    throw error;
  }
  return "none";
}

describe("createProvenance()", () => {
  it("makes what the parsers read", () => {
    for (const content of [NEW, WHOLE]) {
      const statement = createProvenance(content);
      deepEqual(validateProvenancePredicate(statement.predicate), []);
      const read = parseProvenance(parseStatement(encodeStatement(statement)));
      equal(read.builderId, content.builderId);
      deepEqual(read.finishedOn, content.finishedOn);
      deepEqual(read.externalParameters, content.externalParameters);
    }
  });

  it("shares nothing with what was given", () => {
    const externalParameters = { a: { b: 1 } };
    const statement = createProvenance({ ...NEW, externalParameters });
    externalParameters.a.b = 2;
    deepEqual(parseProvenance(statement).externalParameters, { a: { b: 1 } });
  });

  it("cannot make an invalid one", () => {
    const wrong: [object, Reason | "TypeError"][] = [
      [{ subject: [] }, "missing-subject"],
      [{ subject: [{ name: "a" }] }, "missing-subject-digest"],
      [{ buildType: "" }, "missing-predicate-field"],
      [{ buildType: "plain word" }, "invalid-uri"],
      [{ builderId: undefined }, "missing-predicate-field"],
      [{ builderId: "ci" }, "invalid-uri"],
      [{ externalParameters: {} }, "missing-predicate-field"],
      [{ externalParameters: undefined }, "missing-predicate-field"],
      [{ externalParameters: { a: undefined } }, "malformed-predicate"],
      [{ externalParameters: { a: Number.NaN } }, "malformed-predicate"],
      [{ externalParameters: { a: new Date(0) } }, "malformed-predicate"],
      [{ internalParameters: { ref: 1 } }, "malformed-predicate"],
      [{ internalParameters: [] }, "malformed-predicate"],
      [{ resolvedDependencies: [{}] }, "empty-resource-descriptor"],
      [{ resolvedDependencies: [{ digest: { sha256: "A".repeat(64) } }] }, "invalid-digest"],
      [{ byproducts: [{ digest: { sha256: "abc" } }] }, "invalid-digest"],
      [{ byproducts: [{ digest: { sha256: "A".repeat(64) } }] }, "invalid-digest"],
      [{ builderDependencies: [{ digest: { sha256: "A".repeat(64) } }] }, "invalid-digest"],
      [{ builderVersion: { ci: 1 } }, "malformed-predicate"],
      [{ finishedOn: new Date("2025-01-01T00:00:00Z") }, "invalid-timestamp"],
      [{ startedOn: new Date(Number.NaN) }, "TypeError"],
      [{ startedOn: "2026-01-01T00:00:00Z" }, "TypeError"],
      [{ startedOn: new Date("-000001-01-01T00:00:00Z") }, "TypeError"],
      [{ finishedOn: new Date("+010000-01-01T00:00:00Z") }, "TypeError"],
      [{ builder: {} }, "TypeError"],
    ];
    for (const [changes, reason] of wrong) {
      equal(reasonOf(changes), reason, JSON.stringify(changes));
    }
    equal(reasonOf({}), "none");
    throws(() => createProvenance({} as NewProvenance), { reason: "missing-predicate-field" });
  });

  it("takes each year of four digits, and a run that ends when it starts", () => {
    const moments = ["0000-01-01T00:00:00.000Z", "9999-12-31T23:59:59.999Z"];
    for (const moment of moments) {
      const time = new Date(moment);
      const made = createProvenance({ ...NEW, startedOn: time, finishedOn: time });
      deepEqual(parseProvenance(made).finishedOn, time);
      // One of the two says nothing about the other.
      for (const member of ["startedOn", "finishedOn"]) {
        equal(reasonOf({ startedOn: undefined, finishedOn: undefined, [member]: time }), "none");
      }
    }
  });

  it("takes nothing for a time that only looks like one", () => {
    const like = { getTime: () => 0, getUTCFullYear: () => 2026, toISOString: () => "now" };
    for (const time of ["2026-01-01T00:00:00Z", 0, like, null]) {
      throws(() => createProvenance({ ...NEW, startedOn: time as unknown as Date }), {
        name: "TypeError",
        message: "Cannot create provenance: startedOn is no valid Date",
      });
    }
  });
});
