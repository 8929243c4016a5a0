import { deepStrictEqual as deepEqual, strictEqual as equal, throws } from "node:assert/strict";
import { describe, it } from "node:test";
import { AttestationError } from "../errors.ts";
import { utf8 } from "../internal/bytes.ts";
import type { JsonObject } from "../internal/json.ts";
import {
  artifact,
  attestation,
  judge,
  judgeOne,
  policyOf,
  PROVENANCE,
  signer,
  TEST,
} from "./_fixtures_test.ts";
import type { CrossRule, PolicyDocument, Waiver } from "./document.ts";
import { parsePolicy, validatePolicy } from "./parse.ts";
import { parseWaivers, type WaiversDocument } from "./waivers.ts";

const alice = await signer("alice");

const waiverOf = (rule: string, reasons?: string[]): Waiver => ({
  rule,
  artifact: { name: "app" },
  reason: "A ticket",
  owner: "security",
  until: "2026-12-31T00:00:00Z",
  ...(reasons === undefined ? {} : { reasons }),
});

const file = (more: object = {}, ...waivers: object[]): WaiversDocument =>
  ({ type: "attest-waivers/v1", waivers, ...more }) as WaiversDocument;

/** The first problem of a file of waivers: where, and what. */
function faultOf(value: unknown, policy?: PolicyDocument): string[] {
  try {
    parseWaivers(value as object, policy);
  } catch (error) {
    if (!(error instanceof AttestationError)) throw error;
    equal(error.reason, "malformed-waivers");
    return [error.path ?? "", error.message];
  }
  return [];
}

describe("parseWaivers()", () => {
  it("reads text, bytes and JSON alike", () => {
    const document = file({}, waiverOf("release"));
    const text = JSON.stringify(document);
    for (const source of [text, utf8(text), document]) deepEqual(parseWaivers(source), document);
    for (const source of ["{", utf8("{"), '{"type":"a","type":"b"}']) {
      throws(() => parseWaivers(source), { name: "AttestationError" });
    }
  });

  it("refuses what is no file of waivers", () => {
    const good = waiverOf("release");
    const bad: [unknown, string][] = [
      [[], ""],
      [{ waivers: [] }, "/type"],
      [{ type: "attest-waivers/v2", waivers: [] }, "/type"],
      [{ type: "attest-waivers/v1" }, "/waivers"],
      [{ type: "attest-waivers/v1", waivers: [], until: "x" }, "/until"],
      [{ type: "attest-waivers/v1", waivers: [{ ...good, until: "2026" }] }, "/waivers/0/until"],
      [
        { type: "attest-waivers/v1", waivers: [{ ...good, artifact: {} }] },
        "/waivers/0/artifact",
      ],
    ];
    for (const [value, path] of bad) equal(faultOf(value)[0], path);
    deepEqual(parseWaivers({ type: "attest-waivers/v1", waivers: [] }).waivers, []);
  });

  it("says what is wrong with a waiver", () => {
    const good = waiverOf("release/signed");
    const at = "Cannot read waivers: ";
    const cases: [JsonObject, string, string][] = [
      [{ reason: 7 }, "/reason", "reason is no text"],
      [{ reason: " " }, "/reason", "reason is empty"],
      [{ owner: 7 }, "/owner", "owner is no text"],
      [{ rule: 7 }, "/rule", "rule is no text"],
      [{ until: "soon" }, "/until", 'until "soon" is no RFC 3339 time in UTC with Z'],
      [{ reasons: ["Too old"] }, "/reasons/0", '"Too old" is no reason'],
      [{ reasons: ["a", "b-"] }, "/reasons/1", '"b-" is no reason'],
      [{ reasons: ["policy-expired"] }, "/reasons/0", '"policy-expired" cannot be waived'],
    ];
    for (const [more, place, message] of cases) {
      const path = `/waivers/0${place}`;
      deepEqual(faultOf(file({}, { ...good, ...more })), [path, `${at}${message} at ${path}`]);
    }
    const policy = parsePolicy(policyOf({}) as object);
    for (const name of ["rule", "artifact", "reason", "owner", "until"]) {
      const path = `/waivers/0/${name}`;
      deepEqual(faultOf(file({}, { ...good, [name]: undefined }), policy), [
        path,
        `${at}a waiver has no ${name} at ${path}`,
      ]);
    }
    deepEqual(faultOf([]), ["", `${at}a file of waivers is no JSON object`]);
    deepEqual(faultOf(file({ policy: 7 })), ["/policy", `${at}policy is no text at /policy`]);
  });

  it("takes waivers for the policy, or for any in which the names exist", () => {
    const named = parsePolicy(policyOf({}, { name: "acme" }) as object);
    const nameless = parsePolicy(policyOf({}) as object);
    const waiver = waiverOf("release");
    deepEqual(faultOf(file({}, waiver), named), []);
    deepEqual(faultOf(file({}, waiver), nameless), []);
    deepEqual(faultOf(file({ policy: "acme" }, waiver), named), []);
    deepEqual(faultOf(file({ policy: "acme" }, waiver)), []);
    for (const policy of [nameless, parsePolicy(policyOf({}, { name: "acm" }) as object)]) {
      deepEqual(faultOf(file({ policy: "acme" }, waiver), policy), [
        "/policy",
        'Cannot read waivers: they are for the policy "acme" at /policy',
      ]);
    }
    const other = file({}, waiverOf("other"));
    deepEqual(faultOf(other), []);
    deepEqual(faultOf(other, named), [
      "/waivers/0/rule",
      'Cannot read waivers: "other" is no rule at /waivers/0/rule',
    ]);
  });
});

describe("waivers of a policy that is malformed itself", () => {
  it("are checked as far as the policy has names", () => {
    const waivers = [waiverOf("release/signed")];
    const { rules: [rule] } = policyOf({}) as PolicyDocument;
    const paths = (rules: unknown) =>
      validatePolicy(policyOf({}, { rules: rules as never, waivers }) as object)
        .map(({ path }) => path);
    const waiver = "/waivers/0/rule";
    const [one] = rule.require;
    const cases: [unknown, string[]][] = [
      [[null, rule], ["/rules/0"]],
      [[{ ...rule, id: 7 }], ["/rules/0/id", waiver]],
      [[{ ...rule, require: [null, one] }], ["/rules/0/require/0"]],
      [[{ ...rule, require: [{ id: 7 }] }], ["/rules/0/require/0/id", waiver]],
      [[{ ...rule, require: one }], ["/rules/0/require", waiver]],
      [{ 0: rule }, ["/rules", waiver]],
    ];
    for (const [rules, wanted] of cases) deepEqual(paths(rules), wanted, JSON.stringify(rules));
  });
});

describe("a waiver", () => {
  const predicate = { where: [{ id: "ok", path: "/predicate/ok", equals: true }] };
  const good = attestation([alice], { ok: true });
  const bad = attestation([alice], { ok: false });

  it("changes nothing that has passed", async () => {
    const waivers = ["release", "release/signed", "release/signed/predicate.where.ok"]
      .map((rule) => waiverOf(rule));
    const without = await judgeOne({ predicate }, [good]);
    deepEqual(await judgeOne({ predicate }, [good], { waivers }), without);
  });

  it("for a reason of the requirement is for that, whatever its attestations lack", async () => {
    const judged = async (reasons: string[]) => {
      const waivers = [waiverOf("release/signed", reasons)];
      const { errorReason, rules } = await judgeOne({ predicate, conflict: "all" }, [good, bad], {
        waivers,
      });
      return [errorReason, rules[0].outcome];
    };
    deepEqual(await judged(["attestations-disagree"]), [null, "waived"]);
    deepEqual(await judged(["condition-not-met"]), ["attestations-disagree", "failed"]);
  });

  it("of a rule for some reasons covers no rule across that fails by another", async () => {
    const policy = (reasons: string[]) =>
      policyOf({
        require: [
          { id: "a", statement: { predicateTypes: [TEST] } },
          { id: "b", statement: { predicateTypes: [PROVENANCE] } },
        ],
        across: [
          {
            id: "same",
            equal: ["a", "b"].map((requirement) => ({ requirement, path: "/predicate/n" })),
          },
          { id: "apart", distinctSigners: ["a", "b"] },
        ] as CrossRule[],
      }, { waivers: [waiverOf("release", reasons)] });
    const all = [
      attestation([alice], { n: 1 }),
      attestation([alice], { n: 2 }, { predicateType: PROVENANCE }),
    ];
    const judged = async (...reasons: string[]) =>
      (await judge(policy(reasons), [artifact(all)])).errorReason;
    equal(await judged("fields-differ"), "fields-differ");
    equal(await judged("signers-not-distinct"), "fields-differ");
    equal(await judged("signers-not-distinct", "fields-differ"), null);
  });
});
