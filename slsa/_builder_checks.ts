import { quote } from "../internal/json.ts";
import type { ProvenanceCase } from "./_case.ts";
import { crossCheck } from "./_certificate.ts";
import { isNamedBuilder, recogniseBuilder, type RecognisedBuilder } from "./builder_trust.ts";
import type { SignerEvidence } from "./evidence.ts";
import type { BuildLevel } from "./expectation.ts";
import { KNOWN_BUILDERS } from "./known_builders.ts";

function builderPath({ provenance }: ProvenanceCase): string {
  return provenance.derived ? "/predicate/builder/id" : "/predicate/runDetails/builder/id";
}

/** Whether the signer may speak for the builder; gives the level that it is trusted up to. */
export function checkBuilder(judged: ProvenanceCase): BuildLevel {
  const { list, provenance, evidence, expectation } = judged;
  const { builderId } = provenance;
  const named = expectation.builderId;
  const facts = { actual: builderId, origin: "signed" as const, path: builderPath(judged) };
  if (named !== undefined && !isNamedBuilder(builderId, named)) {
    list.refused(
      "predicate.builder",
      "unexpected-builder",
      `Cannot accept provenance: found builder ${quote(builderId)}, wanted ${quote(named)}`,
      { ...facts, expected: named },
    );
    return 0;
  }
  const trust = expectation.builders ?? KNOWN_BUILDERS;
  const found = recogniseBuilder(builderId, evidence, named, trust);
  if (found.rule === undefined && !mayDefault(evidence, found)) {
    list.refused(
      "predicate.builder",
      "untrusted-builder",
      found.wouldNeedName
        ? `Cannot accept provenance: anybody may publish a builder such as ${quote(builderId)}, ` +
          "and it is not expected by name"
        : `Cannot accept provenance: ${signerOf(evidence)} may not speak for ${quote(builderId)}`,
      { ...facts, expected: named ?? "a builder for which the signer may speak" },
    );
    return 0;
  }
  list.passed("predicate.builder", "Its signer may speak for its builder", {
    ...facts,
    expected: named,
  });
  return levelOf(found, evidence);
}

/**
 * An unknown builder of a signer that the caller trusts has level 1; a signer that may
 * speak for other builders only has none.
 *
 * Source: SLSA 1.2, verifying-artifacts.md, "Step 1: Check SLSA Build level".
 */
function mayDefault(evidence: SignerEvidence, found: RecognisedBuilder): boolean {
  if (found.signerOfAnother) return false;
  return (evidence.keys ?? []).length > 0 || evidence.identityExpected === true;
}

function levelOf({ rule }: RecognisedBuilder, { identity }: SignerEvidence): BuildLevel {
  if (rule === undefined) return 1;
  // A certificate names the runner: one that the tenant owns does not isolate the build.
  const runner = identity?.runnerEnvironment;
  const isVouched = "certificate" in rule.signer &&
    rule.signer.certificate.runnerEnvironment !== undefined;
  if (runner !== undefined && runner !== "github-hosted" && !isVouched) return 1;
  return rule.maxBuildLevel;
}

function signerOf({ identity, keys = [] }: SignerEvidence): string {
  if (identity !== undefined) return quote(identity.subjectAlternativeName);
  return keys.length === 0 ? "nobody" : `the key ${quote(keys[0].name)}`;
}

/** Whether that level is enough. */
export function checkLevel(
  { list, expectation: { minLevel = 0 } }: ProvenanceCase,
  level: BuildLevel,
): void {
  const facts = { expected: `SLSA_BUILD_LEVEL_${minLevel}`, actual: `SLSA_BUILD_LEVEL_${level}` };
  if (level >= minLevel) {
    list.passed("predicate.level", `Its builder is trusted up to Build level ${level}`, facts);
    return;
  }
  list.refused(
    "predicate.level",
    "insufficient-level",
    `Cannot accept provenance: Build level ${level}, at least ${minLevel} is required`,
    facts,
  );
}

/** Whether the provenance agrees with what its certificate says. */
export function checkCertificate({ list, provenance, evidence, facts }: ProvenanceCase): void {
  const { identity } = evidence;
  if (identity === undefined) return;
  const isSelf = provenance.builderId === identity.subjectAlternativeName;
  const { compared, contradictions } = crossCheck(provenance, facts, identity, isSelf);
  if (contradictions.length === 0) {
    list.passed("predicate.certificate", "It agrees with its certificate", {
      actual: compared.join(", "),
      origin: "certificate",
    });
    return;
  }
  for (const { claim, certificate, provenance: stated } of contradictions) {
    list.refused(
      "predicate.certificate",
      "certificate-provenance-mismatch",
      `Cannot accept provenance: it states ${quote(stated)}, its certificate's ${claim} is ${
        quote(certificate)
      }`,
      { expected: certificate, actual: stated, origin: "signed" },
    );
  }
}
