import { deepStrictEqual as deepEqual, ok, strictEqual as equal, throws } from "node:assert/strict";
import { describe, it } from "node:test";
import { AttestationError } from "../../errors.ts";
import { EXAMPLES } from "./_fixtures_test.ts";
import { definePredicate } from "./kind.ts";
import { IN_TOTO_PREDICATES } from "./registry.ts";

const SUBJECT = [{ name: "app.tgz", digest: { sha256: "a".repeat(64) } }];

describe("every kind of predicate", () => {
  it("has examples, good and bad", () => {
    deepEqual(IN_TOTO_PREDICATES.map(({ name }) => name).sort(), Object.keys(EXAMPLES).sort());
  });

  for (const kind of IN_TOTO_PREDICATES) {
    const { good, bad } = EXAMPLES[kind.name];
    it(`${kind.name}: accepts what is good, and reads what it made`, () => {
      for (const value of good) {
        deepEqual(kind.validate(value), []);
        equal(kind.parse(value), value);
        const made = kind.create(value);
        deepEqual(made, value);
        ok(made !== value);
        deepEqual(kind.parse(new TextEncoder().encode(JSON.stringify(made))), value);
      }
    });

    for (const { name, value, problems, readable, predicateType } of bad) {
      it(`${kind.name}: refuses ${name}`, () => {
        const found = kind.validate(value, predicateType);
        deepEqual(found.map(({ reason, path }) => [reason, path]), problems);
        for (const { message } of found) ok(/^[A-Z].*[^.]$/.test(message), message);
        const [[reason, path]] = problems;
        throws(() => kind.create(value as object, predicateType), { reason, path });
        if (readable) equal(kind.parse(value as object, predicateType), value);
        else throws(() => kind.parse(value as object, predicateType), { reason, path });
      });
    }

    it(`${kind.name}: refuses what is no JSON object`, () => {
      for (const value of [null, [], "text", 1]) {
        deepEqual(kind.validate(value)[0].reason, "malformed-predicate");
      }
      throws(() => kind.parse("[]"), { reason: "malformed-predicate" });
      throws(() => kind.parse('{"a":1,"a":2}'), { reason: "duplicate-json-key" });
    });

    it(`${kind.name}: refuses a type that is not its own`, () => {
      throws(() => kind.parse(good[0], "https://example.com/other"), RangeError);
      const statement = {
        _type: "https://in-toto.io/Statement/v1" as const,
        subject: SUBJECT,
        predicateType: `${kind.predicateTypes[0]}/`,
        predicate: good[0],
      };
      throws(() => kind.parseStatement(statement), {
        reason: "predicate-type-mismatch",
        path: "/predicateType",
      });
      deepEqual(kind.validateStatement(statement).map(({ reason }) => reason), [
        "predicate-type-mismatch",
      ]);
    });
  }
});

describe("create", () => {
  const kind = IN_TOTO_PREDICATES[0];

  it("leaves out what is undefined", () => {
    deepEqual(kind.create({ name: "a", command: undefined }), { name: "a" });
  });

  it("refuses what JSON cannot say, and says where", () => {
    const cycle: Record<string, unknown> = {};
    cycle.self = cycle;
    for (
      const [value, reason] of [
        [NaN, "malformed-predicate"],
        [1n, "malformed-predicate"],
        [() => 1, "malformed-predicate"],
        [new Date(0), "malformed-predicate"],
        [[undefined], "malformed-predicate"],
        ["\ud800", "invalid-unicode"],
        [{ "\ud800": 1 }, "invalid-unicode"],
        [cycle, "limit-exceeded"],
      ]
    ) {
      throws(() => kind.create({ name: "a", byproducts: { x: value } }), { reason });
    }
    throws(() => kind.create({ name: "a", byproducts: { "a/b": NaN } }), {
      path: "/byproducts/a~1b",
    });
    throws(() => kind.create([]), { reason: "malformed-predicate" });
  });

  it("takes objects without a prototype", () => {
    const value = Object.assign(Object.create(null), { name: "a" });
    deepEqual(kind.create(value), { name: "a" });
  });

  it("takes what is nested 120 deep, and no deeper", () => {
    const nested = (times: number): object => times === 0 ? {} : { a: nested(times - 1) };
    deepEqual(kind.create({ name: "a", byproducts: nested(119) }), {
      name: "a",
      byproducts: nested(119),
    });
    throws(() => kind.create({ name: "a", byproducts: nested(120) }), { reason: "limit-exceeded" });
  });

  it("is for objects only, also in a Statement", () => {
    const statement = { ...kind.createStatement(SUBJECT, { name: "a" }), ...{ predicate: [] } };
    const wrong = JSON.parse(JSON.stringify(statement));
    deepEqual(kind.validateStatement(wrong).map(({ reason, path }) => [reason, path]), [
      ["malformed-predicate", "/predicate"],
    ]);
    throws(() => kind.parseStatement(wrong), {
      reason: "malformed-predicate",
      path: "/predicate",
    });
  });

  it("makes a Statement that its reader accepts", () => {
    const statement = kind.createStatement(SUBJECT, { name: "build" });
    equal(statement.predicateType, kind.predicateTypes[0]);
    deepEqual(kind.validateStatement(statement), []);
    deepEqual(kind.parseStatement(statement), { name: "build" });
    throws(() => kind.createStatement(SUBJECT, {}), {
      reason: "missing-predicate-field",
      path: "/predicate/name",
    });
    throws(() => kind.createStatement([], { name: "a" }), { reason: "missing-subject" });
  });
});

describe("definePredicate()", () => {
  const definition = {
    name: "review",
    predicateTypes: ["https://example.com/review/v1", "https://example.com/review/v2"],
    parse(value: object): { approved: boolean } {
      if ("cause" in value) {
        throw new AttestationError("invalid-timestamp", "Cannot read: no time", { path: "/at" });
      }
      if (!("approved" in value) || typeof value.approved !== "boolean") {
        throw new RangeError("approved is\u0007 no boolean");
      }
      return { approved: value.approved };
    },
  };
  const review = definePredicate(definition);

  it("gives what it parses its type", () => {
    const { approved }: { approved: boolean } = review.parse('{"approved":true,"more":1}');
    equal(approved, true);
    deepEqual(review.create({ approved: false }), { approved: false });
    const made = review.createStatement(SUBJECT, { approved: true }, review.predicateTypes[1]);
    equal(made.predicateType, "https://example.com/review/v2");
    equal(review.parseStatement(made).approved, true);
  });

  it("reports what its parser throws", () => {
    deepEqual(review.validate({}), [{
      reason: "malformed-predicate",
      path: "",
      message: "Cannot read predicate: approved is\ufffd no boolean",
    }]);
    throws(() => review.parse({}), { reason: "malformed-predicate" });
    throws(() => review.create({} as { approved: boolean }), { reason: "malformed-predicate" });
    const statement = {
      ...review.createStatement(SUBJECT, { approved: true }),
      predicate: { cause: 1 },
    };
    deepEqual(review.validateStatement(statement).map(({ reason, path }) => [reason, path]), [
      ["invalid-timestamp", "/predicate/at"],
    ]);
  });

  it("makes nothing that its validator refuses", () => {
    const strict = definePredicate({
      ...definition,
      validate: () => [{ reason: "malformed-predicate", path: "/approved", message: "Cannot" }],
    });
    throws(() => strict.create({ approved: true }), { path: "/approved" });
    equal(strict.parse({ approved: true }).approved, true);
  });

  it("refuses definitions that are incomplete", () => {
    for (const name of ["Review", "", null, ["review"]]) {
      throws(() => definePredicate({ ...definition, name: name as string }), TypeError);
    }
    for (const types of [[], [""], [7], "https://example.com/review", new Set(["a:b"]), null]) {
      throws(() => definePredicate({ ...definition, predicateTypes: types as string[] }), {
        name: "TypeError",
        message: "Option predicateTypes of definePredicate() wants one text or more",
      });
    }
    const misspelt: typeof definition = { ...definition, ...{ validater: () => [] } };
    throws(() => definePredicate(misspelt), TypeError);
  });
});
