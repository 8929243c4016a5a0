import { AttestationError } from "../errors.ts";
import { quote } from "../internal/json.ts";
import { parseTimestamp } from "../internal/timestamp.ts";
import { type DigestSet, normalizeDigest } from "../intoto/digest_set.ts";
import { matchSubject } from "../intoto/match.ts";
import {
  compileCrossRule,
  type CompiledCrossRule,
  type Holders,
  type RulePassed,
  type SignersThatCount,
} from "./across.ts";
import type { CompiledPolicy } from "./compiled.ts";
import type { PolicyRule } from "./document.ts";
import type { ArtifactEvidence, EvidenceAttestation } from "./evidence.ts";
import type { LeafContext } from "./finding.ts";
import {
  byType,
  judgeRequirement,
  type MeantOf,
  type PreparedRequirement,
  summary,
} from "./judge_requirement.ts";
import { countingSigners } from "./signers.ts";
import { requirementLeaves } from "./leaves.ts";
import { compileSelector } from "./select.ts";
import type { ArtifactVerdict, PolicyCheck, PolicyVerdict } from "./verdict.ts";
import { type CompiledWaiver, compileWaivers, waive } from "./waive.ts";

/** Choices of attestations that are tried for the rules across them. */
const MAX_CHOICES = 10_000;
/** Artifacts of one run that have one digest of a dependency and contradict another. */
const MAX_CONTRADICTED = 10_000;

interface PreparedRule {
  rule: PolicyRule;
  selects: (artifact: ArtifactEvidence) => boolean;
  requirements: PreparedRequirement[];
  across: CompiledCrossRule[];
  /** Rules whose verdicts its chains ask for. */
  needs: string[];
}

interface PreparedPolicy {
  rules: PreparedRule[];
  /** Indexes of `rules`, those first that others ask for. */
  order: number[];
  /** Rules that others ask for. */
  asked: ReadonlySet<string>;
  waivers: CompiledWaiver[];
  expires: number | undefined;
  /** The last moment and its text: writing one costs as much as three checks. */
  moment: { ms: number; text: string };
}

const prepared = new WeakMap<CompiledPolicy, PreparedPolicy>();

/**
 * Judges what was verified by a policy. Pure: the same policy, evidence and time give the
 * same verdict. What cannot be evaluated has failed.
 *
 * @param policy As `compilePolicy()` gives it.
 * @param evidence What was established about each artifact; none at all is a failure.
 * @param now Moment of the verdict.
 * @returns Every rule for every artifact, in the order of the document.
 * @throws {TypeError} If `now` is no valid time.
 *
 * @example Nothing is attested
 * ```ts
 * import { compilePolicy, evaluatePolicy, parsePolicy } from "@x/attest/policy";
 * import { generateSigner } from "@x/attest/keys";
 * import assert from "node:assert/strict";
 *
 * const { publicKey } = await generateSigner("Ed25519");
 * const document = parsePolicy({
 *   type: "attest-policy/v1",
 *   trust: { keys: { ci: { publicKey } } },
 *   rules: [{ id: "release", require: [{ id: "signed", envelope: { signedBy: { of: ["ci"] } } }] }],
 * });
 * const policy = await compilePolicy(document);
 * const evidence = { artifact: "app", digest: { sha256: "a".repeat(64) }, attestations: [], refused: [] };
 * const { ok, errorReason } = evaluatePolicy(policy, [evidence], new Date());
 * assert.equal(ok, false);
 * assert.equal(errorReason, "missing-attestation");
 * ```
 */
export function evaluatePolicy(
  policy: CompiledPolicy,
  evidence: readonly ArtifactEvidence[],
  now: Date,
): PolicyVerdict {
  if (!(now instanceof Date) || Number.isNaN(now.getTime())) throw new TypeError("now is no time");
  const ready = prepare(policy);
  const { document, digest } = policy;
  const artifacts = judgeAll(ready, policy, evidence, now);
  const bad = artifacts.find(({ ok }) => !ok);
  const errorReason = evidence.length === 0 ? "artifact-required" : bad?.errorReason ?? null;
  return {
    ok: errorReason === null,
    errorReason,
    mode: document.mode ?? "enforce",
    ...(document.name === undefined ? {} : { policy: document.name }),
    policyDigest: digest,
    time: textOf(now, ready),
    artifacts,
  };
}

/** By requirement, the signers whose algorithm and key count. */
function countsOf({ require }: PolicyRule): SignersThatCount {
  return new Map(require.map(({ id, envelope = {} }) => [id, countingSigners(envelope)]));
}

function textOf(now: Date, ready: PreparedPolicy): string {
  const ms = now.getTime();
  if (ready.moment.ms !== ms) ready.moment = { ms, text: now.toISOString() };
  return ready.moment.text;
}

function prepare(policy: CompiledPolicy): PreparedPolicy {
  const known = prepared.get(policy);
  if (known !== undefined) return known;
  const { document } = policy;
  const rules = document.rules.map((rule): PreparedRule => ({
    rule,
    selects: compileSelector(rule.select),
    requirements: rule.require.map((requirement) => {
      const id = `${rule.id}/${requirement.id}`;
      return { id, requirement, leaves: requirementLeaves(requirement, id, policy) };
    }),
    across: (rule.across ?? []).map((one) => compileCrossRule(one, rule.id, countsOf(rule))),
    needs: (rule.across ?? []).flatMap(({ chain }) => chain === undefined ? [] : [chain.rule]),
  }));
  const ready: PreparedPolicy = {
    rules,
    order: orderOf(rules),
    asked: new Set(rules.flatMap(({ needs }) => needs)),
    waivers: compileWaivers(document.waivers ?? []),
    expires: document.expires === undefined
      ? undefined
      // A time that is none has passed.
      : parseTimestamp(document.expires)?.getTime() ?? 0,
    moment: { ms: NaN, text: "" },
  };
  prepared.set(policy, ready);
  return ready;
}

/** What is asked for first; what is in a circle is never passed to the one that asks. */
function orderOf(rules: readonly PreparedRule[]): number[] {
  const index = new Map(rules.map(({ rule }, i) => [rule.id, i]));
  const order: number[] = [];
  const seen = new Set<number>();
  for (let i = 0; i < rules.length; i++) {
    const stack = seen.has(i) ? [] : [i];
    while (stack.length > 0) {
      const top = stack[stack.length - 1];
      seen.add(top);
      const next = rules[top].needs.map((id) => index.get(id)).find((one) =>
        one !== undefined && !seen.has(one)
      );
      if (next !== undefined) {
        stack.push(next);
        continue;
      }
      stack.pop();
      order.push(top);
    }
  }
  return order;
}

function judgeAll(
  { rules, order, asked, waivers, expires }: PreparedPolicy,
  { document }: CompiledPolicy,
  evidence: readonly ArtifactEvidence[],
  now: Date,
): ArtifactVerdict[] {
  const selected = evidence.map((artifact) => {
    const hits = rules.map(({ selects }) => selects(artifact));
    if (document.selection === "all") return hits;
    const first = hits.indexOf(true);
    return hits.map((_, i) => i === first);
  });
  const checks: PolicyCheck[][] = evidence.map(() => []);
  const mine = evidence.map((artifact) => waivers.filter(({ selects }) => selects(artifact)));
  const passedBy = new Map<string, Map<string, DigestSet[]>>();
  let contradicted = 0;
  const rulePassed: RulePassed = (rule, digest) => {
    const subject = [{ digest }];
    const isSame = (known: DigestSet): boolean => {
      if (matchSubject({ subject }, known).ok) return true;
      if (++contradicted <= MAX_CONTRADICTED) return false;
      throw new AttestationError(
        "limit-exceeded",
        `Cannot follow chain: more than ${MAX_CONTRADICTED} digests are equal beside others ` +
          "that are not",
      );
    };
    return keysOf(digest).some((key) => passedBy.get(rule)?.get(key)?.some(isSame));
  };
  const meantOf = evidence.map(({ attestations }) => byType(attestations));

  for (const i of order) {
    const digests = new Map<string, DigestSet[]>();
    evidence.forEach((artifact, k) => {
      checks[k][i] = selected[k][i]
        ? judgeRule(rules[i], artifact, meantOf[k], mine[k], rulePassed, { now })
        : notApplicable(rules[i].rule.id, "It does not select the artifact");
      if (!asked.has(rules[i].rule.id)) return;
      // A waived failure is accepted for this artifact, not for those that are built of it.
      if (checks[k][i].outcome !== "passed") return;
      for (const key of keysOf(artifact.digest)) {
        const same = digests.get(key);
        if (same === undefined) digests.set(key, [artifact.digest]);
        else same.push(artifact.digest);
      }
    });
    passedBy.set(rules[i].rule.id, digests);
  }

  return evidence.map(({ artifact, digest }, k) => {
    const all = checks[k];
    if (!selected[k].includes(true)) all.push(unselected(document.unselected ?? "fail"));
    if (expires !== undefined && now.getTime() >= expires) {
      all.unshift({
        id: "policy",
        outcome: "failed",
        reason: "policy-expired",
        expected: `before ${document.expires}`,
        actual: now.toISOString(),
        message: `Cannot apply policy: it ended at ${document.expires}`,
        remedy: "Review the policy and set a later end",
      });
    }
    const errorReason = all.find(({ outcome }) => outcome === "failed")?.reason ?? null;
    return { artifact, digest, ok: errorReason === null, errorReason, rules: all };
  });
}

function keysOf(digest: DigestSet): string[] {
  return Object.entries(digest).map(([algorithm, value]) =>
    `${algorithm}:${normalizeDigest(algorithm, value)}`
  );
}

function notApplicable(id: string, message: string): PolicyCheck {
  return { id, outcome: "not-applicable", message };
}

function unselected(outcome: "fail" | "pass"): PolicyCheck {
  if (outcome === "pass") return notApplicable("unselected", "The policy lets it pass unselected");
  return {
    id: "unselected",
    outcome: "failed",
    reason: "unselected-artifact",
    message: "Cannot accept artifact: no rule selects it",
    remedy: "Add a rule that selects it, or say what becomes of unselected artifacts",
  };
}

function judgeRule(
  { rule, requirements, across }: PreparedRule,
  artifact: ArtifactEvidence,
  meantOf: MeantOf,
  waivers: readonly CompiledWaiver[],
  rulePassed: RulePassed,
  context: LeafContext,
): PolicyCheck {
  const holders = new Map<string, readonly EvidenceAttestation[][]>();
  const whole = new Set<PolicyCheck>();
  const children = requirements.map((one) => {
    const { check, choices } = judgeRequirement(one, artifact, meantOf, waivers, context);
    holders.set(one.requirement.id, choices);
    if ((one.requirement.conflict ?? "any") !== "any") whole.add(check);
    return waive(check, waivers, context.now, whole);
  });
  if (across.length > 0) {
    children.push(
      ...judgeAcross(rule.id, across, holders, rulePassed).map((check) =>
        waive(check, waivers, context.now)
      ),
    );
  }
  return waive(summary(rule.id, children, rule.description), waivers, context.now, whole);
}

/** Looks for one choice of attestations for which every rule holds. */
function judgeAcross(
  rule: string,
  across: readonly CompiledCrossRule[],
  holders: ReadonlyMap<string, readonly EvidenceAttestation[][]>,
  rulePassed: RulePassed,
): PolicyCheck[] {
  const names = [...holders.keys()];
  const position = names.map(() => 0);
  let best: PolicyCheck[] | undefined;
  let most = -1;
  for (let tries = 0; tries < MAX_CHOICES; tries++) {
    const chosen: Holders = new Map(
      names.map((name, i) => [name, holders.get(name)?.[position[i]] ?? []]),
    );
    const checks = across.map((judge) => judge(chosen, rulePassed));
    const good = checks.filter(({ outcome }) => outcome === "passed").length;
    if (good === checks.length) return checks;
    if (good > most) {
      most = good;
      best = checks;
    }
    let i = 0;
    while (i < names.length && ++position[i] >= (holders.get(names[i])?.length ?? 0)) {
      position[i++] = 0;
    }
    if (i === names.length) return best ?? [];
  }
  return [{
    id: `${rule}/across`,
    outcome: "failed",
    reason: "limit-exceeded",
    message: `Cannot judge ${quote(rule)}: more than ${MAX_CHOICES} choices of attestations`,
    remedy: "Give fewer attestations, or ask for more in the requirements",
  }];
}
