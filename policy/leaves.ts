import { AttestationError } from "../errors.ts";
import type { Coverage } from "../formats/format.ts";
import { quote } from "../internal/json.ts";
import { parseTimestamp } from "../internal/timestamp.ts";
import { evaluateProvenance } from "../slsa/evaluate.ts";
import type { SignerEvidence } from "../slsa/evidence.ts";
import { evaluateVsa } from "../slsa/vsa.ts";
import type { Check } from "../report.ts";
import type { CompiledPolicy, SignerSlot } from "./compiled.ts";
import { compileCondition } from "./condition.ts";
import { dependencyLeaves } from "./dependency_leaves.ts";
import type { EnvelopeRule, Requirement, SignedBy } from "./document.ts";
import { parseDuration } from "./duration.ts";
import type { EvidenceAttestation, EvidenceSigner } from "./evidence.ts";
import { anyOf, failed, type Leaf, type LeafContext, passed } from "./finding.ts";
import { compilePatterns } from "./pattern.ts";
import { sbomLeaves } from "./sbom_leaves.ts";
import { matchSigners } from "./signer_slots.ts";
import type { PolicyCheck } from "./verdict.ts";
import { vulnerabilityLeaves } from "./vulnerability_leaves.ts";

/** Allowed difference of the clocks of signer and reader, in milliseconds. */
export const CLOCK_SKEW_MS = 300_000;

/** A bundle that signs the artifact itself covers the whole of it. */
function coverageOf({ coverage, implicit }: EvidenceAttestation): Coverage {
  return coverage ?? (implicit === true ? "whole-artifact" : "message");
}

/** Everything that a requirement asks of one attestation, in the order of the layers. */
export function requirementLeaves(
  requirement: Requirement,
  prefix: string,
  policy: CompiledPolicy,
): Leaf[] {
  const { envelope = {}, statement = {}, predicate = {}, freshness } = requirement;
  const counts = countingSigners(envelope);
  const leaves: Leaf[] = [];
  const add = (
    check: string,
    judge: (leaf: Leaf, attestation: EvidenceAttestation, context: LeafContext) =>
      | PolicyCheck
      | PolicyCheck[],
  ): void => {
    const layer = check.slice(0, check.indexOf(".")) as Leaf["layer"];
    const leaf: Leaf = {
      id: `${prefix}/${check}`,
      layer,
      judge: (attestation, context) => judge(leaf, attestation, context),
    };
    leaves.push(leaf);
  };

  const { formats, coverage, signedMessageType, payloadTypes, algorithms, minKeyBits } = envelope;
  const { log, timestamp } = envelope;
  if (formats === undefined) {
    add(
      "envelope.format",
      (leaf, { format, messageTypeAuthenticated }) =>
        messageTypeAuthenticated === false
          ? failed(
            leaf,
            "format-not-accepted",
            `Cannot accept envelope: its format, ${
              quote(format)
            }, does not sign the message's type`,
            { remedy: "Name the format in formats, if that is what you mean" },
            format,
          )
          : [],
    );
  } else {
    const facts = { expected: anyOf(formats), remedy: "Store the attestation in that format" };
    add(
      "envelope.format",
      (leaf, { format }) =>
        formats.some((one) => one === format)
          ? passed(leaf, "The format is accepted", facts, format)
          : failed(
            leaf,
            "format-not-accepted",
            `Cannot accept envelope: its format is ${quote(format)}, wanted ${facts.expected}`,
            facts,
            format,
          ),
    );
  }
  if (coverage !== undefined) {
    const facts = { expected: anyOf(coverage), remedy: "Sign more of the artifact" };
    add("envelope.coverage", (leaf, attestation) => {
      const found = coverageOf(attestation);
      return coverage.includes(found)
        ? passed(leaf, "The signatures cover enough", facts, found)
        : failed(
          leaf,
          "coverage-not-accepted",
          `Cannot accept envelope: its signatures cover ${quote(found)}, wanted ${facts.expected}`,
          facts,
          found,
        );
    });
  }
  if (signedMessageType === true) {
    const facts = { expected: "signed", remedy: "Use a format that signs the type of its message" };
    add(
      "envelope.message-type",
      (leaf, { implicit, messageTypeAuthenticated = implicit !== true }) =>
        messageTypeAuthenticated
          ? passed(leaf, "The type of the message is signed", facts, "signed")
          : failed(
            leaf,
            "message-type-not-signed",
            "Cannot accept envelope: nobody signed how its message is to be read",
            facts,
            "not signed",
          ),
    );
  }
  if (payloadTypes !== undefined) {
    const facts = {
      expected: anyOf(payloadTypes),
      path: "/payloadType",
      origin: "signed",
      remedy: "Sign a payload of that type, or accept this one in payloadTypes",
    } as const;
    add(
      "envelope.payload-type",
      (leaf, { payloadType }) =>
        payloadTypes.includes(payloadType)
          ? passed(leaf, "The payload type is accepted", facts, payloadType)
          : failed(
            leaf,
            "unsupported-payload-type",
            `Cannot accept envelope: payloadType is ${
              quote(payloadType)
            }, wanted ${facts.expected}`,
            facts,
            payloadType,
          ),
    );
  }
  if (algorithms !== undefined || minKeyBits !== undefined) {
    const facts = {
      expected: strength(envelope),
      origin: "signed",
      remedy: "Sign with a key of that kind",
    } as const;
    add("envelope.algorithm", (leaf, { signers }) => {
      const found = signers.map(describeStrength).join(", ");
      return signers.some(counts)
        ? passed(leaf, "A signature is strong enough", facts, found)
        : failed(
          leaf,
          "weak-algorithm",
          `Cannot accept envelope: signed with ${found}, wanted ${facts.expected}`,
          facts,
          found,
        );
    });
  }
  for (const [i, rule] of signerRules(requirement, policy).entries()) {
    add(i === 0 ? "envelope.signed-by" : `envelope.signed-by-${i + 1}`, (leaf, attestation) => {
      const signers = attestation.signers.filter(counts);
      const matched = matchSigners(signers, rule.slots);
      const facts = { expected: rule.expected, origin: originOf(signers), remedy: rule.remedy };
      if (matched.length >= rule.threshold) {
        const names = matched.map(({ slot }) => slot.name).join(", ");
        return passed(leaf, "The expected signers signed", facts, names);
      }
      const found = signers.map(describeSigner).join(", ") || "nobody whose key counts";
      return failed(
        leaf,
        matched.length === 0 ? "signer-mismatch" : "insufficient-signers",
        `Cannot accept envelope: signed by ${found}, wanted ${rule.expected}`,
        facts,
        found,
      );
    });
  }
  if (log !== undefined) {
    const facts = {
      expected: `${log} or more logs`,
      origin: "log",
      remedy: "Sign with a signing config that names a transparency log",
    } as const;
    add(
      "envelope.log",
      (leaf, { logs }) =>
        logs >= log ? passed(leaf, "Enough logs include it", facts, String(logs)) : failed(
          leaf,
          "insufficient-log-entries",
          `Cannot accept envelope: ${logs} logs include it, wanted ${log}`,
          facts,
          String(logs),
        ),
    );
  }
  if (timestamp !== undefined) {
    const facts = {
      expected: `${timestamp} or more verified times`,
      origin: "timestamp",
      remedy: "Sign with a signing config that names a timestamp authority",
    } as const;
    add("envelope.timestamp", (leaf, { timestamps }) => {
      const { size } = new Set(timestamps.map(({ uri }) => uri));
      return size >= timestamp
        ? passed(leaf, "Enough verified times", facts, String(size))
        : failed(
          leaf,
          "insufficient-timestamps",
          `Cannot accept envelope: ${size} verified times, wanted ${timestamp}`,
          facts,
          String(size),
        );
    });
  }

  if (freshness !== undefined) {
    const maxAge = parseDuration(freshness.maxAge);
    const facts = {
      expected: `signed at most ${freshness.maxAge} ago`,
      origin: "timestamp",
      remedy: "Attest the artifact again",
    } as const;
    add("envelope.freshness", (leaf, attestation, { now }) => {
      const latest = latestTime(attestation);
      if (latest === undefined) {
        return failed(
          leaf,
          "insufficient-timestamps",
          "Cannot judge age: the attestation has no verified time",
          facts,
        );
      }
      const age = now.getTime() - latest;
      const actual = new Date(latest).toISOString();
      if (age < -CLOCK_SKEW_MS) {
        return failed(
          leaf,
          "invalid-timestamp",
          `Cannot judge age: signed at ${actual}, which is in the future`,
          facts,
          actual,
        );
      }
      return age <= maxAge ? passed(leaf, "The attestation is fresh", facts, actual) : failed(
        leaf,
        "attestation-too-old",
        `Cannot accept envelope: signed at ${actual}, wanted ${facts.expected}`,
        facts,
        actual,
      );
    });
  }

  const { digestAlgorithms, subjectNames, subjects } = statement;
  if (digestAlgorithms !== undefined) {
    const facts = {
      expected: anyOf(digestAlgorithms),
      path: "/subject",
      origin: "signed",
      remedy: "State the subject's digest in that algorithm",
    } as const;
    add("statement.digest-algorithm", (leaf, { matched }) => {
      const found = matched.length === 1
        ? matched[0].algorithms
        : [...new Set(matched.flatMap(({ algorithms }) => algorithms))];
      return found.some((algorithm) => digestAlgorithms.includes(algorithm))
        ? passed(leaf, "The subject matched by an accepted algorithm", facts, found.join(", "))
        : failed(
          leaf,
          "digest-algorithm-not-accepted",
          `Cannot accept subject: it matched by ${
            found.join(", ") || "nothing"
          }, wanted ${facts.expected}`,
          facts,
          found.join(", "),
        );
    });
  }
  if (subjectNames !== undefined) {
    const isAccepted = compilePatterns(subjectNames);
    const facts = {
      expected: anyOf(subjectNames),
      path: "/subject",
      origin: "signed",
      remedy: "Name the subject so, or accept its name in subjectNames",
    } as const;
    add("statement.subject-name", (leaf, { matched, statement }) => {
      const names = matched.map(({ index }) => statement.subject[index]?.name ?? "");
      const shown = names.map(quote).join(", ");
      return names.some(isAccepted)
        ? passed(leaf, "The subject has an accepted name", facts, shown)
        : failed(
          leaf,
          "subject-name-mismatch",
          `Cannot accept subject: its name is ${shown || "not stated"}, wanted ${facts.expected}`,
          facts,
          shown,
        );
    });
  }
  if (subjects === "exact" || subjects === "all") {
    const facts = {
      expected: subjects === "exact" ? "the artifact as the only subject" : "no other subject",
      path: "/subject",
      origin: "signed",
      remedy: "Attest each artifact by itself, or verify all of them together",
    } as const;
    add("statement.subjects", (leaf, { statement, matched, allSubjectsMatched }) => {
      const count = statement.subject.length;
      const holds = subjects === "exact"
        ? count === 1 && matched.length === 1
        : allSubjectsMatched && matched.length > 0;
      return holds ? passed(leaf, "The subjects are the artifacts", facts, String(count)) : failed(
        leaf,
        "subject-mismatch",
        `Cannot accept subjects: ${count} are stated, wanted ${facts.expected}`,
        facts,
        String(count),
      );
    });
  }

  const { provenance, dependencies, sbom, vulnerabilities, vsa, where = [], cel } = predicate;
  if (provenance !== undefined) {
    const standsForSigner = signerRules(requirement, policy).length === 0;
    let vouched: EvidenceAttestation | undefined;
    add("predicate.provenance", (leaf, attestation) => {
      vouched = undefined;
      const evidence = signerEvidence(attestation.signers.filter(counts), policy);
      const { checks } = evaluateProvenance(attestation.statement, evidence, provenance);
      if (!standsForSigner || isVouchedFor(checks)) vouched = attestation;
      return checks.map((check) => adopt(leaf, check, prefix));
    });
    if (standsForSigner) {
      // A waiver of what the builder says does not let a stranger sign.
      const slots = [...new Set([...policy.slots.values()].flat())];
      const facts = {
        expected: "a builder of the expected source, or anybody whom the policy names",
        origin: "certificate",
        remedy: "Name the signer under trust, or build with a builder that is known",
      } as const;
      add("envelope.signed-by", (leaf, attestation) => {
        if (vouched === attestation) return [];
        const signers = attestation.signers.filter(counts);
        if (matchSigners(signers, slots).length > 0) return [];
        const found = signers.map(describeSigner).join(", ") || "nobody whose key counts";
        return failed(
          leaf,
          "signer-mismatch",
          `Cannot accept envelope: signed by ${found}, wanted ${facts.expected}`,
          facts,
          found,
        );
      });
    }
  }
  if (vsa !== undefined) {
    add("predicate.vsa", (leaf, attestation, { now }) => {
      const evidence = signerEvidence(attestation.signers.filter(counts), policy);
      const { checks } = evaluateVsa(attestation.statement, evidence, vsa, now);
      return checks.map((check) => adopt(leaf, check, prefix));
    });
  }
  if (dependencies !== undefined) dependencyLeaves(dependencies, add);
  if (sbom !== undefined) sbomLeaves(sbom, add);
  if (vulnerabilities !== undefined) vulnerabilityLeaves(vulnerabilities, add);
  for (const [i, condition] of where.entries()) {
    const judge = compileCondition(condition);
    const remedy = "Produce an attestation that says so, or change the condition";
    add(`predicate.where.${condition.id ?? i + 1}`, (leaf, { statement }, { now }) => {
      const { ok, reason = "condition-not-met", expected, actual, path } = judge(statement, now);
      const facts = { expected, path, origin: "signed", remedy } as const;
      return ok ? passed(leaf, "The condition holds", facts, actual) : failed(
        leaf,
        reason,
        `Cannot accept statement: found ${actual ?? "nothing"} at ${path}, wanted ${expected}`,
        facts,
        actual,
      );
    });
  }
  if (cel !== undefined) {
    const run = policy.cel?.compile(cel);
    const facts = { expected: cel, remedy: "Change the expression, or what is attested" };
    add("predicate.cel", (leaf, { statement, signers, timestamps }, { now }) => {
      if (run === undefined) {
        throw new AttestationError("cel-error", "Cannot evaluate CEL: no evaluator is loaded");
      }
      const times = timestamps.map(({ timestamp }) => timestamp);
      const value = run({ statement, signers, timestamps: times, now });
      if (value === true) return passed(leaf, "The expression is true", facts);
      const found = typeof value === "boolean" ? "false" : "no boolean";
      const reason = value === false ? "condition-not-met" : "cel-error";
      return failed(leaf, reason, `Cannot accept statement: the expression is ${found}`, facts);
    });
  }

  return leaves;
}

/** Latest verified time of signing, in milliseconds; undefined if there is none. */
export function latestTime({ timestamps }: EvidenceAttestation): number | undefined {
  let latest: number | undefined;
  for (const { timestamp } of timestamps) {
    const time = parseTimestamp(timestamp)?.getTime();
    if (time !== undefined && (latest === undefined || time > latest)) latest = time;
  }
  return latest;
}

interface SignerRule {
  slots: readonly SignerSlot[];
  threshold: number;
  expected: string;
  remedy: string;
}

/**
 * Who must have signed. A requirement that says nothing means somebody whom the policy
 * knows; only a known builder of a named source may stand for that.
 */
function signerRules({ envelope, predicate }: Requirement, policy: CompiledPolicy): SignerRule[] {
  const { signedBy } = envelope ?? {};
  if (signedBy === undefined) {
    if (predicate?.provenance?.sourceUri !== undefined) return [];
    const slots = [...new Set([...policy.slots.values()].flat())];
    return [{
      slots,
      threshold: 1,
      expected: "anybody whom the policy names",
      remedy: "Name the signer under trust, or say in signedBy who it is",
    }];
  }
  const rules: readonly SignedBy[] = Array.isArray(signedBy) ? signedBy : [signedBy as SignedBy];
  return rules.map(({ of, threshold = 1 }) => ({
    slots: [...new Set(of.flatMap((name) => policy.slots.get(name) ?? []))],
    threshold,
    expected: threshold === 1 ? anyOf(of) : `${threshold} distinct signers of ${anyOf(of)}`,
    remedy: "Have it signed by them, or change who is accepted",
  }));
}

/** Tells of a signer whether the algorithm and the key are accepted. */
export function countingSigners(rule: EnvelopeRule): (signer: EvidenceSigner) => boolean {
  const { algorithms, minKeyBits = {} } = rule;
  return ({ algorithm, key }) =>
    (algorithms === undefined || algorithms.includes(algorithm)) &&
    (!Object.hasOwn(minKeyBits, key.kind) || key.bits >= minKeyBits[key.kind]);
}

function strength({ algorithms, minKeyBits = {} }: EnvelopeRule): string {
  const sizes = Object.entries(minKeyBits).map(([kind, bits]) => `${kind} of ${bits} bits or more`);
  return [...(algorithms === undefined ? [] : [anyOf(algorithms)]), ...sizes].join(", ");
}

function describeStrength({ algorithm, key }: EvidenceSigner): string {
  return `${algorithm} (${key.kind}, ${key.bits} bits)`;
}

function describeSigner({ name, kind, identity }: EvidenceSigner): string {
  return kind === "key" ? quote(name) : `${quote(name)} (${identity?.issuer ?? "no issuer"})`;
}

function originOf(signers: readonly EvidenceSigner[]): "certificate" | "signed" {
  return signers.some(({ kind }) => kind === "certificate") ? "certificate" : "signed";
}

function signerEvidence(
  signers: readonly EvidenceSigner[],
  { slots }: CompiledPolicy,
): SignerEvidence {
  const holder = signers.find(({ identity }) => identity !== undefined);
  const keys = signers.flatMap(({ name, fingerprint }) =>
    fingerprint === undefined ? [] : [{ name, fingerprint }]
  );
  const known = holder !== undefined &&
    [...slots.values()].some((all) => all.some((slot) => slot.matches(holder)));
  return {
    ...(holder === undefined ? {} : { identity: holder.identity, identityExpected: known }),
    keys,
  };
}

/** The signer may speak for a builder, and both agree on the expected source. */
function isVouchedFor(checks: readonly Check[]): boolean {
  const has = (id: string, outcome: Check["outcome"]): boolean =>
    checks.some((check) => check.id === id && check.outcome === outcome);
  return has("predicate.builder", "passed") && has("predicate.source", "passed") &&
    !has("predicate.builder", "failed") && !has("predicate.source", "failed") &&
    !has("predicate.certificate", "failed");
}

/** A check of another room as one of the policy, under the same name. */
function adopt(leaf: Leaf, check: Check, prefix: string): PolicyCheck {
  const { id, layer, outcome, ...rest } = check;
  if (outcome === "skipped") {
    return { ...rest, id: `${prefix}/${id}`, layer, outcome: "not-applicable" };
  }
  const adopted: PolicyCheck = { ...rest, id: `${prefix}/${id}`, layer, outcome };
  if (outcome === "failed") {
    const asked = leaf.id.slice(prefix.length + 1);
    adopted.remedy = `Change what is attested, or what the policy asks under ${asked}`;
  }
  return adopted;
}
