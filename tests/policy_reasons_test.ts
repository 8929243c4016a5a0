/** Every reason of the policy layer, provoked. */

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, it } from "node:test";
import { isAttestationError } from "../errors.ts";
import { artifact, attestation, judge, NOW, policyOf, signer } from "../policy/_fixtures_test.ts";
import { celEvaluator } from "../policy/cel.ts";
import { compilePolicy } from "../policy/compile.ts";
import type { PolicyRule, Requirement } from "../policy/document.ts";
import { evaluatePolicy } from "../policy/evaluate.ts";
import type { EvidenceAttestation } from "../policy/evidence.ts";
import { parsePolicy } from "../policy/parse.ts";
import { parsePolicyTests } from "../policy/test_cases.ts";
import { parseWaivers } from "../policy/waivers.ts";
import { REASONS } from "../reasons.ts";
import { judgeReports } from "../verify/policy.ts";
import { EXAMPLES } from "./policy_cases.ts";

type Provoked = () => unknown;

/** First reason of a verdict on what Alice signed. */
async function asked(
  requirement: Partial<Requirement>,
  predicate: Parameters<typeof attestation>[1] = {},
  more: Partial<EvidenceAttestation> = {},
): Promise<string | null> {
  const rule: Partial<PolicyRule> = { require: [{ id: "signed", ...requirement }] };
  const one = attestation([await signer("alice")], predicate, more);
  return (await judge(policyOf(rule), [artifact([one])])).errorReason;
}

const RULE = policyOf({}) as object;

/** What the worked policies do not provoke. */
const OTHERS: Readonly<Record<string, Provoked>> = {
  "cel-error": async () => {
    const rule = { require: [{ id: "a", predicate: { cel: "predicate.count + 'x' == 1.0" } }] };
    const cel = celEvaluator();
    const policy = await compilePolicy(parsePolicy(policyOf(rule) as object), { cel });
    const one = attestation([await signer("alice")], { count: 1 });
    return evaluatePolicy(policy, [artifact([one])], NOW).errorReason;
  },
  "coverage-not-accepted": () =>
    asked({ envelope: { formats: ["minisign"], coverage: ["message"] } }, {}, {
      format: "minisign",
      coverage: "whole-artifact",
    }),
  "message-type-not-signed": () =>
    asked({ envelope: { formats: ["paseto"], signedMessageType: true } }, {}, {
      format: "paseto",
      messageTypeAuthenticated: false,
    }),
  "insufficient-log-entries": () => asked({ envelope: { log: 1 } }),
  "insufficient-timestamps": () => asked({ envelope: { timestamp: 1 } }),
  "malformed-policy": () => parsePolicy({ ...RULE, rulez: [] }),
  "malformed-policy-tests": () => parsePolicyTests({ type: "x" }),
  "malformed-report": async () => {
    const policy = await compilePolicy(parsePolicy(RULE));
    const report = { artifact: "a", digest: {}, ok: true, errorReason: null };
    const attestations = [{ ok: true, source: "b", format: "dsse", timestamps: [], checks: [] }];
    judgeReports(policy, [{ ...report, attestations }] as never, NOW);
  },
  "malformed-waivers": () => parseWaivers({ type: "attest-waivers/v1", waivers: [{}] }),
  "requirement-not-met": async () => await asked({ count: 2 }),
};

async function reasonOf(work: Provoked): Promise<unknown> {
  try {
    return await work();
  } catch (error) {
    if (isAttestationError(error)) return error.reason;
    throw error;
  }
}

/** Those of the gate and of revocation lists, which have tests of their own. */
const TESTED_IN: Readonly<Record<string, string>> = {
  "covered-path-removed": "tests/gate_test.ts",
  "malformed-gate-rules": "policy/gate_rules_test.ts",
  "malformed-revocation-list": "policy/revocations_test.ts",
  "revocation-list-expired": "policy/revocations_test.ts",
  "revocation-list-rollback": "policy/revocations_test.ts",
};

describe("Reasons of the policy layer", () => {
  const worked = new Set(EXAMPLES.flatMap(({ cases }) => cases.map(({ fails }) => fails?.[1])));
  for (const [reason, { layer }] of Object.entries(REASONS)) {
    if (layer !== "policy") continue;
    it(`provokes ${reason}`, async () => {
      const file = TESTED_IN[reason];
      if (file !== undefined) {
        const text = readFileSync(new URL(`../${file}`, import.meta.url), "utf8");
        assert.ok(text.includes(`"${reason}"`), `${file} does not`);
        return;
      }
      const provoke = OTHERS[reason];
      if (provoke === undefined) assert.ok(worked.has(reason as never), `nothing does`);
      else assert.equal(await reasonOf(provoke), reason);
    });
  }

  it("has no provocation that a worked policy has", () => {
    assert.deepEqual(Object.keys(OTHERS).filter((reason) => worked.has(reason as never)), []);
  });
});
