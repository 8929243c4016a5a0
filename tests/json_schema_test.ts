import { ok, throws } from "node:assert/strict";
import { describe, it } from "node:test";
import { satisfies, type Schema } from "./json_schema.ts";

const noFile = (name: string): Schema => {
  throw new Error(`${name} is not there`);
};

describe("satisfies()", () => {
  it("refuses to pass over a keyword", () => {
    throws(() => satisfies({}, { contains: {} }, noFile), /contains/);
    throws(() => satisfies({}, { type: "date" }, noFile), /date/);
    throws(() => satisfies({}, { $ref: "#/$defs/gone" }, noFile), /names nothing/);
  });

  it("knows its keywords", () => {
    const rows: [Schema, unknown, unknown][] = [
      [{ type: "integer", minimum: 1, maximum: 2 }, 2, 3],
      [{ enum: [{ a: 1 }] }, { a: 1 }, { a: 2 }],
      [{ const: "a" }, "a", "b"],
      [{ enum: [1] }, 1, "1"],
      [{ minLength: 2, maxLength: 2 }, "éé", "a"],
      [{ pattern: "^a" }, "ab", "ba"],
      [{ items: { type: "null" }, minItems: 1, maxItems: 1 }, [null], [null, null]],
      [{ uniqueItems: true }, [1, 2], [1, 1]],
      [{ additionalProperties: false, properties: { a: true } }, { a: 1 }, { b: 1 }],
      [{ patternProperties: { "^a": { type: "null" } } }, { ab: null, b: 1 }, { ab: 1 }],
      [{ propertyNames: { maxLength: 1 } }, { a: 1 }, { ab: 1 }],
      [{ minProperties: 1, maxProperties: 1 }, { a: 1 }, {}],
      [{ oneOf: [{ type: "string" }, { minLength: 2 }] }, "a", "ab"],
      [{ not: { type: "null" } }, 1, null],
      [{ $ref: "#/$defs/a", $defs: { a: { type: "null" } } }, null, 1],
    ];
    for (const [schema, good, bad] of rows) {
      ok(satisfies(good, schema, noFile), JSON.stringify(schema));
      ok(!satisfies(bad, schema, noFile), JSON.stringify(schema));
    }
  });
});
