import { deepStrictEqual as deepEqual, strictEqual as equal } from "node:assert/strict";
import { test } from "node:test";
import { isAttestationError } from "../../errors.ts";
import { decodeBase64 } from "../../internal/base64.ts";
import { parseJson } from "../../internal/json.ts";
import { load, options, ran } from "./corpus.ts";

/* Third-party vectors: nst/JSONTestSuite. */

interface TestCase {
  name: string;
  expected?: "accept" | "reject" | "either";
  base64: string;
}

function casesOf(name: string): TestCase[] {
  return load<{ cases: TestCase[] }>(`jsontestsuite/${name}`).cases;
}

function outcome({ base64 }: TestCase): string {
  try {
    parseJson(decodeBase64(base64));
    return "accepted";
  } catch (error) {
    if (isAttestationError(error)) return error.reason;
    throw error;
  }
}

/** Legal by the grammar, refused by us: names that occur twice. */
const STRICTER: readonly string[] = [
  "y_object_duplicated_key",
  "y_object_duplicated_key_and_value",
];

/** What the grammar leaves open and we accept; everything else of the kind is refused. */
const ACCEPTED: readonly string[] = [
  "i_number_double_huge_neg_exp",
  "i_number_real_underflow",
  "i_number_too_big_neg_int",
  "i_number_too_big_pos_int",
  "i_number_very_big_negative_int",
];

/**
 * Inputs on which parsers silently differ. What is not here is accepted: numbers that lose
 * digits, and names that differ by their normal form only.
 */
const REFUSED: Readonly<Record<string, string>> = {
  "object_same_key_different_values": "duplicate-json-key",
  "object_same_key_same_value": "duplicate-json-key",
  "object_same_key_unclear_values": "duplicate-json-key",
  "string_1_escaped_invalid_codepoint": "invalid-unicode",
  "string_1_invalid_codepoint": "invalid-unicode",
  "string_2_escaped_invalid_codepoints": "invalid-unicode",
  "string_2_invalid_codepoints": "invalid-unicode",
  "string_3_escaped_invalid_codepoints": "invalid-unicode",
  "string_3_invalid_codepoints": "invalid-unicode",
};

test("parseJson() accepts what must be, refuses what must be", options, () => {
  const cases = casesOf("test_parsing.json");
  ran("jsontestsuite", cases.length, STRICTER.length);
  for (const one of cases) {
    const found = outcome(one);
    if (one.expected === "accept") {
      equal(found, STRICTER.includes(one.name) ? "duplicate-json-key" : "accepted", one.name);
    } else if (one.expected === "reject") equal(found === "accepted", false, one.name);
  }
});

test("parseJson() decides what is left open as recorded", options, () => {
  const open = casesOf("test_parsing.json").filter(({ expected }) => expected === "either");
  deepEqual(open.filter((one) => outcome(one) === "accepted").map(({ name }) => name), ACCEPTED);
});

test("parseJson() decides what parsers differ on as recorded", options, () => {
  const cases = casesOf("test_transform.json");
  ran("jsontestsuite", cases.length);
  equal(cases.length, 22);
  const refused = cases.map((one) => [one.name, outcome(one)]).filter(([, found]) =>
    found !== "accepted"
  );
  deepEqual(Object.fromEntries(refused), REFUSED);
});
