import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { describe, it } from "node:test";
import { Ajv2020 } from "ajv/dist/2020.js";
import { AttestationError } from "../errors.ts";
import { policyOf } from "../policy/_fixtures_test.ts";
import { BAD_POLICIES, FULL_POLICY } from "../policy/_policies_test.ts";
import { parseWaivers, validatePolicy } from "../policy/mod.ts";
import { changesOf } from "./json_changes.ts";

const FOLDER = new URL("../docs/schema/", import.meta.url);
const ajv = new Ajv2020({ strict: true, strictRequired: false, strictTypes: false });
for (const file of readdirSync(FOLDER).filter((name) => name.endsWith(".json"))) {
  ajv.addSchema(JSON.parse(readFileSync(new URL(file, FOLDER), "utf8")), file);
}

const accepts = (file: string, value: unknown): boolean =>
  ajv.validate(file, JSON.parse(JSON.stringify(value)));

/** What a schema cannot say: what one member means for another, and rules of other rooms. */
const BEYOND = new RegExp(
  [
    "an expiry that does not exist",
    "a short digest",
    "the latest two",
    "algorithm",
    "bare envelope",
    "a signer who is nobody",
    "a threshold above",
    "a source that is none",
    "of another type",
    "at once",
    "nobody's",
    "looks around",
    "refers back",
    "a package URL that is none",
    "both forbidden",
    "JSON does not keep",
    "one value twice",
    "a range that is none",
    "within nothing",
    "a quantifier of nothing",
    "by the name of a requirement",
    "not there",
    "a chain to",
    "a name twice",
    "a key under two names",
    "that has a name",
    "a key that is none",
    "a private key",
    "a group of groups",
    "a stranger",
    "is anybody",
    "without any root",
    "a root that is none",
    "a waiver for no check",
    "signed by a certificate",
    "(?:requirement|exception|root) twice",
    "a rule twice",
    "two cross rules of one name",
    "many values where one",
    "under another type",
    "that no dependency has",
    "that the types leave out",
  ].join("|"),
);

describe("policy.schema.json", () => {
  it("accepts what the validator accepts", () => {
    for (const policy of [FULL_POLICY, policyOf({}), policyOf({ select: { name: ["a", "b"] } })]) {
      assert.deepEqual(validatePolicy(policy), []);
      assert.ok(accepts("policy.schema.json", policy), JSON.stringify(ajv.errors));
    }
  });

  it("refuses what the validator refuses, as far as a schema can", () => {
    let beyond = 0;
    for (const [name, [policy]] of Object.entries(BAD_POLICIES)) {
      if (!accepts("policy.schema.json", policy)) continue;
      assert.ok(BEYOND.test(name), `the schema accepts: ${name}`);
      beyond++;
    }
    assert.ok(beyond < Object.keys(BAD_POLICIES).length / 2);
  });

  it("refuses nothing that the validator accepts, with any one member changed", () => {
    let refused = 0;
    let both = 0;
    for (const value of changesOf(JSON.parse(JSON.stringify(FULL_POLICY)))) {
      const good = validatePolicy(value).length === 0;
      const said = accepts("policy.schema.json", value);
      assert.ok(!good || said, `${JSON.stringify(ajv.errors)} ${JSON.stringify(value)}`);
      refused += good ? 0 : 1;
      both += said ? 0 : 1;
    }
    assert.ok(refused > 1000 && both > 0.9 * refused, `${both} of ${refused}`);
  });

  it("has every member of the document, and describes each", () => {
    const walk = (schema: unknown, path: string): void => {
      if (typeof schema !== "object" || schema === null) return;
      for (const [name, member] of Object.entries(schema)) {
        if (name === "properties" && !/\/(?:allOf|anyOf|oneOf)\/\d+$/.test(path)) {
          for (const [property, one] of Object.entries(member as Record<string, object>)) {
            const told = "description" in one || "$ref" in one;
            assert.ok(told, `${path}/${property} is not described`);
          }
        }
        walk(member, `${path}/${name}`);
      }
    };
    walk(JSON.parse(readFileSync(new URL("policy.schema.json", FOLDER), "utf8")), "");
  });
});

describe("waivers.schema.json", () => {
  const waiver = FULL_POLICY.waivers[0];
  const isGood = (value: unknown): boolean => {
    try {
      parseWaivers(value as object);
      return true;
    } catch (error) {
      assert.ok(error instanceof AttestationError, String(error));
      return false;
    }
  };

  it("agrees with the parser, with any one member changed", () => {
    const good = { type: "attest-waivers/v1", policy: "acme", waivers: [waiver, waiver] };
    assert.ok(isGood(good) && accepts("waivers.schema.json", good), JSON.stringify(ajv.errors));
    for (const value of changesOf(JSON.parse(JSON.stringify(good)))) {
      assert.equal(accepts("waivers.schema.json", value), isGood(value), JSON.stringify(value));
    }
  });

  it("is that of the waivers in a policy", () => {
    const policy = policyOf({}, { waivers: [{ ...waiver, rule: "release" }] });
    assert.ok(accepts("policy.schema.json", policy));
  });
});
