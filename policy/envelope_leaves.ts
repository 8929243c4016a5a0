import { quote } from "../internal/json.ts";
import { CLOCK_SKEW_MS, parseTimestamp } from "../internal/timestamp.ts";
import type { CompiledPolicy } from "./compiled.ts";
import type { EnvelopeRule, Requirement } from "./document.ts";
import { parseDuration } from "./duration.ts";
import type { EvidenceAttestation, EvidenceSigner } from "./evidence.ts";
import { type AddLeaf, anyOf, failed, passed } from "./finding.ts";
import { formatLeaves } from "./format_leaves.ts";
import { matchSigners } from "./signer_slots.ts";
import { countingSigners, describeSigner, originOf, signerRules } from "./signers.ts";

/** What is asked of the envelope: its form, who signed, how, and when. */
export function envelopeLeaves(
  requirement: Requirement,
  policy: CompiledPolicy,
  add: AddLeaf,
): void {
  const { envelope = {}, freshness } = requirement;
  const counts = countingSigners(envelope);
  formatLeaves(envelope, add);
  const { payloadTypes, algorithms, minKeyBits, log, timestamp } = envelope;
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
}

/** Latest verified time of signing, in milliseconds; undefined if there is none. */
export function latestTime({ timestamps }: EvidenceAttestation): number | undefined {
  let latest = -Infinity;
  for (const { timestamp } of timestamps) {
    latest = Math.max(latest, parseTimestamp(timestamp)?.getTime() ?? -Infinity);
  }
  return latest === -Infinity ? undefined : latest;
}

function strength({ algorithms, minKeyBits = {} }: EnvelopeRule): string {
  const sizes = Object.entries(minKeyBits).map(([kind, bits]) => `${kind} of ${bits} bits or more`);
  return [...(algorithms === undefined ? [] : [anyOf(algorithms)]), ...sizes].join(", ");
}

function describeStrength({ algorithm, key }: EvidenceSigner): string {
  return `${algorithm} (${key.kind}, ${key.bits} bits)`;
}
