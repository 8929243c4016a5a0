import { ok, strictEqual as equal, throws } from "node:assert/strict";
import { describe, it } from "node:test";
import { AttestationError, type Reason } from "../errors.ts";
import type { JsonObject } from "../internal/json.ts";
import { artifact, attestation, judge, NOW, policyOf, signer } from "./_fixtures_test.ts";
import { celEvaluator } from "./cel.ts";
import { compilePolicy } from "./compile.ts";
import type { CelInput } from "./compiled.ts";
import { evaluatePolicy } from "./evaluate.ts";
import { parsePolicy } from "./parse.ts";

const LIST = Array.from({ length: 10_000 }, (_, i) => ({ name: `p${i}`, n: i }));

function inputOf(predicate: JsonObject): CelInput {
  return {
    statement: { _type: "t", subject: [{ name: "app" }], predicateType: "p", predicate },
    signers: [{
      name: "alice",
      kind: "key",
      distinct: "ab",
      fingerprint: "ab",
      algorithm: "ES256",
      key: { kind: "EC", bits: 256 },
    }],
    timestamps: ["2026-05-31T00:00:00Z"],
    now: NOW,
  };
}

const INPUT = inputOf({
  list: LIST,
  big: "a".repeat(2_000_000),
  numbers: Array.from({ length: 50_000 }, (_, i) => i),
  text: "release",
  nothing: null,
  count: 3,
});

/** The value, or the reason of the refusal. */
function evaluate(expression: string, input: CelInput = INPUT): unknown {
  try {
    return celEvaluator().compile(expression)(input);
  } catch (error) {
    ok(error instanceof AttestationError, String(error));
    return error.reason;
  }
}

describe("celEvaluator()", () => {
  it("fails a rule that cannot be evaluated", () => {
    const failing = [
      "predicate.missing == 1",
      "predicate.text",
      "predicate.count",
      "null",
      "predicate.text > 1",
      "predicate.list[99999].n == 1.0",
      "1 / 0 == 1",
      "timestamp(predicate.text) < now",
      "predicate.constructor == 1",
      "predicate.__proto__ == 1",
      "int(predicate.text) == 1",
    ];
    for (const expression of failing) equal(evaluate(expression), "cel-error", expression);
  });

  it("refuses what is no expression, when it is read", () => {
    const bad = [
      "",
      "1 +",
      "statment.predicate",
      "constructor == 1",
      "__proto__ == 1",
      "foo(1) == 1",
      "predicate.text.foo()",
      "google.protobuf.Timestamp{seconds: 1} == now",
      "predicate.text.matches(predicate.text)",
      `predicate.text.matches('${"a".repeat(257)}')`,
      "predicate.text.matches('a{1000}')",
      "[1].all(a, [1].all(b, [1].all(c, [1].all(d, [1].all(e, true)))))",
      `true${" ".repeat(4096)}`,
      `${"[".repeat(300)}1${"]".repeat(300)} == 1`,
      Array(2000).fill("1").join("+"),
      "x == 1",
      "[1].all(x, true) && x == 1",
    ];
    for (const expression of bad) {
      throws(
        () => celEvaluator().compile(expression),
        (error) => error instanceof AttestationError && error.reason === "malformed-policy",
        expression.slice(0, 60),
      );
    }
  });

  it("is bounded in steps, whatever is done with the input", () => {
    const doubling = Array(200).fill(".map(a, a + a)").join("");
    const attacks = [
      "predicate.list.all(a, predicate.list.all(b, predicate.list.all(c, a.n + b.n + c.n >= 0.0)))",
      "predicate.list.all(a, predicate.list == predicate.list)",
      "predicate.numbers.all(a, !(-1.0 in predicate.numbers))",
      "predicate.numbers.all(a, !predicate.big.contains('b'))",
      `[predicate.big]${doubling}.size() == 1`,
      `[predicate.numbers]${doubling}[0].size() == 1`,
      "predicate.big.matches('^(a+)+$')",
      "predicate.numbers.all(a, predicate.big.size() > 1)",
      // What ran out of steps is not passed over.
      "predicate.list.exists(a, predicate.list.all(b, predicate.list.all(c, true)) && false) || true",
    ];
    // Without a bound they would not end, fill the memory, or come to a verdict.
    for (const expression of attacks) equal(evaluate(expression), "cel-error", expression);
    const run = celEvaluator({ maxSteps: 100 }).compile("predicate.list.all(a, a.n >= 0.0)");
    throws(() => run(INPUT), /more than 100 steps/);
    equal(celEvaluator({ maxSteps: 100 }).compile("predicate.count > 1.0")(INPUT), true);
  });

  it("counts turns, what is compared in depth, and the length of lists", () => {
    const limited = (maxSteps: number, expression: string) => () =>
      celEvaluator({ maxSteps }).compile(expression)(INPUT);
    throws(limited(5000, "predicate.list.all(a, true)"), /more than 5000 steps/);
    equal(limited(50_000, "predicate.list.all(a, true)")(), true);
    throws(limited(5000, "[[predicate.list]] == [[predicate.list]]"), /more than 5000 steps/);
    throws(limited(5000, "[predicate.list] in [[predicate.list]]"), /more than 5000 steps/);
    const doubled = "predicate.numbers + predicate.numbers + predicate.numbers + predicate.numbers";
    equal(limited(50_000, `(${doubled}).size() == 200000`)(), true);
    throws(limited(50_000, `(${doubled} + [1]).size() == 1`), /200000 elements/);
  });

  it("counts by the size of what is looked at, to the step", () => {
    const input = inputOf({
      text: "a".repeat(3200),
      list: Array(3200).fill(1),
      map: Object.fromEntries(Array.from({ length: 3200 }, (_, i) => [`k${i}`, 1])),
      deep: [[["a".repeat(320)]]],
      nest: { a: { b: "a".repeat(320) } },
      few: [1, 2],
    });
    const steps: Record<string, number> = {
      "true": 1,
      // 3200 characters, elements or members are 100 steps.
      "size(predicate.text) == 3200": 104,
      "size(predicate.list) == 3200": 104,
      "size(predicate.map) == 3200": 104,
      "size(bytes(predicate.text)) == 3200": 306,
      "{size(predicate.text): size(predicate.list)}.size() == 1": 209,
      // What is compared counts to its depth, on both sides.
      "predicate.deep == predicate.deep": 30,
      "predicate.nest == predicate.nest": 28,
      "predicate.deep[0] in predicate.deep": 29,
      "size(predicate.list + predicate.list) == 6400": 219,
      "predicate.few.all(x, x > 0.0)": 8,
      // A pattern costs its length and its repetitions for each character.
      "predicate.text.matches('a+')": 3451,
      "predicate.text.matches('a{10}')": 37_051,
      "predicate.text.matches('a{10}a{3,20}')": 880_051,
    };
    for (const [expression, least] of Object.entries(steps)) {
      equal(celEvaluator({ maxSteps: least }).compile(expression)(input), true, expression);
      if (least === 1) continue;
      const tight = celEvaluator({ maxSteps: least - 1 }).compile(expression);
      throws(() => tight(input), new RegExp(`more than ${least - 1} steps`), expression);
    }
  });

  it("is bounded in the length and the depth of an expression", () => {
    const compiles = (expression: unknown): unknown => {
      try {
        return typeof celEvaluator().compile(expression as string);
      } catch (error) {
        ok(error instanceof AttestationError);
        return error.reason;
      }
    };
    equal(compiles("true".padEnd(4096)), "function");
    equal(compiles("true".padEnd(4097)), "malformed-policy");
    const nested = (depth: number) => `[${"[".repeat(depth)}1${"]".repeat(depth)}] == []`;
    equal(compiles(nested(248)), "function");
    equal(compiles(nested(249)), "malformed-policy");
    for (const none of [7, null, undefined, ["true"], { length: 4 }, " ".repeat(4097)]) {
      throws(() => celEvaluator().compile(none as string), {
        name: "AttestationError",
        message: "Cannot read CEL: it is no text of at most 4096 characters",
      }, JSON.stringify(none));
    }
  });

  it("starts every evaluation with all its steps", () => {
    const run = celEvaluator({ maxSteps: 1000 }).compile("subject.all(s, s.name == 'app')");
    for (let i = 0; i < 200; i++) equal(run(INPUT), true);
    const tight = celEvaluator({ maxSteps: 100 });
    const heavy = tight.compile("predicate.list.all(a, true)");
    throws(() => heavy(INPUT), AttestationError);
    equal(tight.compile("predicate.count > 1.0")(INPUT), true);
  });

  it("is bounded in its input", () => {
    // Beside its elements the Statement has eight values.
    const input = (length: number) => inputOf({ list: Array(length).fill(1) });
    equal(evaluate("true", input(199_992)), true);
    throws(() => celEvaluator().compile("true")(input(199_993)), {
      message: "Cannot evaluate CEL: the Statement has more than 200000 values",
    });
  });

  it("sees no time that CEL does not have", () => {
    const [far, first] = [new Date("+010000-01-01T00:00:00Z"), "0000-12-31T00:00:00Z"];
    for (const input of [{ ...INPUT, now: far }, { ...INPUT, timestamps: [first] }]) {
      throws(() => celEvaluator().compile("true")(input), {
        message: "Cannot evaluate CEL: a verified time is out of range",
      });
    }
    equal(evaluate("now.getFullYear() == 9999", { ...INPUT, now: new Date("9999-12-31") }), true);
  });

  it("sees who signed, and of whom there is a certificate", () => {
    const [{ fingerprint: _, ...signer }] = INPUT.signers;
    const identity = { subjectAlternativeName: "s", sanType: "uri", issuer: "i" } as const;
    const signers = [...INPUT.signers, { ...signer, name: "ci", kind: "certificate", identity }];
    for (
      const expression of [
        "signers[0].fingerprint == 'ab' && !has(signers[0].identity)",
        "signers[1].identity == {'subjectAlternativeName': 's', 'sanType': 'uri', 'issuer': 'i'}",
        "!has(signers[1].fingerprint) && !has(signers[1].distinct)",
        "signers[1].key == {'kind': 'EC', 'bits': 256.0}",
      ]
    ) equal(evaluate(expression, { ...INPUT, signers } as CelInput), true, expression);
  });

  it("sees the variables that it is said to see", () => {
    const holding = [
      "statement.predicateType == 'p' && statement.predicate == predicate",
      "subject[0].name == 'app'",
      "signers.exists(s, s.name == 'alice' && s.key.bits >= 256 && !has(s.identity))",
      "signers.all(s, s.algorithm in ['ES256', 'Ed25519'])",
      "now - timestamps[0] <= duration('24h')",
      "timestamps[0].getFullYear() == 2026",
      "predicate.count + 1.0 == 4.0 && predicate.count == 3",
      "!has(predicate.nothing) && !has(predicate.missing) && predicate.nothing == null",
      "predicate.list.map(p, p.n).size() == 10000",
      "predicate.list.filter(p, p.n < 3.0).map(p, p.name) == ['p0', 'p1', 'p2']",
      "predicate.list.exists_one(p, p.name == 'p77')",
      "predicate.text.matches('^rel[a-z]+$')",
      "type(predicate.text) == string",
      "[1, 2] + [3] == [1, 2, 3]",
      "'a' + 'b' == 'ab'",
      "{'a': 1}['a'] == 1",
      "predicate.count > 1.0 ? true : false",
    ];
    for (const expression of holding) equal(evaluate(expression), true, expression);
    equal(evaluate("predicate.text == 'other'"), false);
  });

  it("refuses options that it does not have", () => {
    throws(() => celEvaluator({ maxstep: 1 } as never), TypeError);
    for (const maxSteps of [0, -1, 1.5, NaN, "100", null]) {
      throws(() => celEvaluator({ maxSteps: maxSteps as number }), TypeError);
    }
    equal(celEvaluator({ maxSteps: 1 }).compile("true")(INPUT), true);
  });
});

describe("a policy with CEL", () => {
  const policy = (cel: string) =>
    parsePolicy(policyOf({ require: [{ id: "signed", predicate: { cel } }] }) as object);
  const reasonOf = async (cel: string): Promise<Reason | null> => {
    const evidence = [artifact([attestation([await signer("alice")], { result: "PASSED" })])];
    const compiled = await compilePolicy(policy(cel), { cel: celEvaluator() });
    return evaluatePolicy(compiled, evidence, NOW).errorReason;
  };

  it("passes only when the expression is true", async () => {
    equal(await reasonOf("predicate.result == 'PASSED'"), null);
    equal(await reasonOf("predicate.result == 'FAILED'"), "condition-not-met");
    equal(await reasonOf("predicate.results == 'FAILED'"), "cel-error");
    equal(await reasonOf("predicate.result"), "cel-error");
  });

  it("fails without an evaluator, and is read with one before anything is judged", async () => {
    const evidence = [artifact([attestation([await signer("alice")], {})])];
    equal((await judge(policy("true"), evidence)).errorReason, "cel-error");
    try {
      await compilePolicy(policy("statment.x == 1"), { cel: celEvaluator() });
      ok(false);
    } catch (error) {
      ok(error instanceof AttestationError);
      equal(error.reason, "malformed-policy");
      equal(error.path, "/rules/0/require/0/predicate/cel");
    }
  });
});
