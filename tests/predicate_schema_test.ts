import { deepStrictEqual as deepEqual, ok, strictEqual as equal } from "node:assert/strict";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { describe, it } from "node:test";
import { Ajv2020 } from "ajv/dist/2020.js";
import { EXAMPLES } from "../intoto/predicates/_fixtures_test.ts";
import { IN_TOTO_PREDICATES } from "../intoto/predicates/registry.ts";
import { validateResourceDescriptor } from "../intoto/resource_descriptor.ts";
import { satisfies as satisfiesSchema, type Schema } from "./json_schema.ts";

const ROOT = new URL("../docs/schema/", import.meta.url);

const DESCRIPTOR = "resource-descriptor.schema.json";
const ajv = new Ajv2020({ allowUnionTypes: true, strictRequired: false });
ajv.addSchema(schemaOf(DESCRIPTOR), DESCRIPTOR);

function schemaOf(name: string): Schema {
  return JSON.parse(readFileSync(new URL(name, ROOT), "utf8"));
}

/** Two readers of the schema, which must agree. */
function checkerOf(name: string): (value: unknown) => boolean {
  const schema = schemaOf(name);
  equal(schema.$schema, "https://json-schema.org/draft/2020-12/schema");
  const validate = ajv.getSchema(name) ?? ajv.compile(schema);
  return (value) => {
    const accepted = validate(value) === true;
    equal(satisfiesSchema(value, schema, schemaOf), accepted, JSON.stringify(value));
    return accepted;
  };
}

/** Their authors publish JSON Schemas themselves, or they are passed through. */
const WITHOUT_SCHEMA = ["cyclonedx", "legacy-link", "openvex", "spdx", "spdx-v3"];

describe("JSON Schemas of predicates", () => {
  it("are there for all kinds that have none of their own", () => {
    const names = IN_TOTO_PREDICATES.map(({ name }) => name);
    const wanted = names.filter((name) => !WITHOUT_SCHEMA.includes(name)).sort();
    const found = readdirSync(ROOT).flatMap((file) =>
      /^predicate-(.*)\.schema\.json$/.exec(file)?.[1] ?? []
    );
    deepEqual(found.sort(), wanted);
  });

  for (const kind of IN_TOTO_PREDICATES) {
    const file = `predicate-${kind.name}.schema.json`;
    if (!existsSync(new URL(file, ROOT))) continue;
    it(`${kind.name}: agrees with the validator`, () => {
      const satisfies = checkerOf(file);
      const { good, bad } = EXAMPLES[kind.name];
      for (const value of good) ok(satisfies(value), JSON.stringify(value));
      for (const { name, value, beyondSchema } of bad) {
        equal(satisfies(value), beyondSchema === true, name);
      }
      for (const value of [null, [], "text", 1]) ok(!satisfies(value));
    });

    it(`${kind.name}: agrees with the validator when any one member is changed`, () => {
      const satisfies = checkerOf(file);
      let refused = 0;
      for (const good of EXAMPLES[kind.name].good) {
        for (const value of changes(good)) {
          const problems = kind.validate(value).filter(({ reason }) =>
            reason !== "inconsistent-predicate"
          );
          const contradicts = kind.validate(value).length > problems.length;
          if (contradicts && problems.length === 0) continue;
          refused += problems.length > 0 ? 1 : 0;
          equal(
            satisfies(value),
            problems.length === 0,
            `${JSON.stringify(value)} ${JSON.stringify(problems)}`,
          );
        }
      }
      ok(refused > 2);
    });
  }

  it("resource-descriptor: agrees with the validator", () => {
    const satisfies = checkerOf(DESCRIPTOR);
    const sha256 = "a".repeat(64);
    const good = { name: "a", uri: "a:b", digest: { sha256, other: "x" }, content: "aGk=" };
    deepEqual(validateResourceDescriptor(good), []);
    for (const value of [good, ...changes(good), { digest: { gitCommit: "a".repeat(40) } }]) {
      equal(
        satisfies(value),
        validateResourceDescriptor(value).length === 0,
        JSON.stringify(value),
      );
    }
  });
});

/** The value with one member, however deep, left out or of another type. */
function* changes(value: unknown): Generator<unknown> {
  if (typeof value !== "object" || value === null) return;
  for (const name of Object.keys(value)) {
    const member = (value as Schema)[name];
    for (const other of [undefined, null, "", 7, true, [], {}, [7], { x: 7 }]) {
      if (Array.isArray(value) && other === undefined) continue;
      yield replaced(value, name, other);
    }
    for (const inner of changes(member)) yield replaced(value, name, inner);
  }
}

function replaced(value: object, name: string, member: unknown): unknown {
  if (Array.isArray(value)) return value.with(Number(name), member);
  const { [name]: _, ...rest } = value as Schema;
  return member === undefined ? rest : { ...rest, [name]: member };
}
