/** Targets that read policies, and judge by them. */

import { createEnvelope } from "../../dsse/mod.ts";
import { utf8 } from "../../internal/bytes.ts";
import type { JsonObject } from "../../internal/json.ts";
import type { TrustedKey } from "../../keys/mod.ts";
import { parseStatement, type Statement } from "../../intoto/mod.ts";
import {
  type ArtifactEvidence,
  compileGateRules,
  compilePolicy,
  diffPolicies,
  evaluatePolicy,
  explainPolicy,
  explainVerdict,
  importPolicy,
  openRevocationList,
  openSignedPolicy,
  openSignedWaivers,
  parseGateRules,
  parsePolicy,
  parsePolicyTests,
  parseRevocationList,
  parseWaivers,
  POLICY_PAYLOAD_TYPE,
  type PolicyDocument,
  type PolicyTests,
  reviewPolicy,
  REVOCATIONS_PAYLOAD_TYPE,
  validateGateRules,
  validatePolicy,
  WAIVERS_PAYLOAD_TYPE,
} from "../../policy/mod.ts";
import { artifact, attestation, KEYS, NOW, policyOf, signer } from "../../policy/_fixtures_test.ts";
import { BAD_POLICIES, FULL_POLICY } from "../../policy/_policies_test.ts";
import { evaluateProvenance, evaluateVsa, type SignerEvidence, VSA_V1 } from "../../slsa/mod.ts";
import { encodeVerdictFile, readVerdictFile } from "../../store/reverify/mod.ts";
import { provenanceStatement, REPOSITORY, workflowOf } from "../fixtures/provenance.ts";
import { type Corpus, jsonSeed, textSeeds } from "./corpus.ts";
import { textOf } from "./mutate_text.ts";
import { parser, printOf, reasonOf, validator } from "./parsers.ts";
import { Broken, type Seed, type Target } from "./target.ts";
import { verifier } from "./verifiers.ts";
import { signerOf } from "./verify_targets.ts";

const policies = (corpus: Corpus): Seed[] => [
  ...corpus.folder("docs/policy/examples", ".json"),
  jsonSeed("full", FULL_POLICY),
  jsonSeed("plain", policyOf({})),
  ...Object.entries(BAD_POLICIES).map(([name, [policy]]) => jsonSeed(name, policy)),
];

const WAIVERS = {
  type: "attest-waivers/v1",
  policy: "acme",
  waivers: [{
    rule: "release/scan",
    artifact: { name: "app-1.2.3.tgz" },
    reason: "The finding is not reachable",
    owner: "security@acme.example",
    until: "2026-12-31T00:00:00Z",
  }],
};

const TESTS = {
  type: "attest-policy-tests/v1",
  cases: [{
    name: "passes",
    artifacts: [{ file: "app.tgz", oci: "registry.example/app" }, {
      digest: `sha256:${"a".repeat(64)}`,
    }],
    attestations: ["app.json"],
    now: "2026-01-01T00:00:00Z",
    keys: { alice: "alice.pub" },
    expect: {
      ok: false,
      reasons: ["missing-attestation"],
      outcomes: { "release/signed": "failed" },
    },
  }],
};

const GATE_RULES = {
  type: "attest-gate-rules/v1",
  unmatched: "ignored",
  removed: "refused",
  rules: [
    {
      id: "cards",
      paths: ["cards/*/*.json", "**/c/*.j"],
      urn: "urn:acme:{1}:{2}",
      subject: "file",
    },
    { id: "dist", paths: "dist/**", artifact: true },
  ],
};

const REVOCATIONS = {
  type: "attest-revocations/v1",
  description: "for people",
  sequence: 7,
  issuedAt: "2026-03-09T00:00:00Z",
  expires: "2026-03-16T00:00:00Z",
  revocations: [{
    key: `sha256:${"a".repeat(64)}`,
    at: "2026-03-01T00:00:00Z",
    reason: "retired",
    note: "left",
  }],
};

const openListNow = (source: string | Uint8Array, keys: readonly TrustedKey[]) =>
  openRevocationList(source, keys, { now: new Date("2026-03-10T00:00:00Z") });

const INPUTS = { policy: "a", trust: "b", time: "2026-01-01T00:00:00.000Z", version: "1" };
const SEGMENT = { digest: "c".repeat(64) };
const VERDICTS = new TextDecoder().decode(encodeVerdictFile(SEGMENT, INPUTS, [
  { key: "urn:acme:a 0000000001", entry: "d".repeat(64), ok: true, reason: null },
  { key: "urn:acme:b 0000000001", entry: "e".repeat(64), ok: false, reason: "key-revoked" },
]));

const gateRules = (): Seed[] => [jsonSeed("rules", GATE_RULES)];

const VERIFIER = "https://example.com/verifier";
const RESOURCE = "pkg:npm/app@1.0.0";
const JSON_TEXT = (value: unknown): string => JSON.stringify(value);

/** All checks passed, or the reason of the first one that failed. */
function firstFailure(checks: readonly { outcome: string; reason?: string }[]): string | null {
  const bad = checks.find(({ outcome }) => outcome === "failed");
  return bad === undefined ? null : bad.reason ?? "";
}

/** All of them. */
export const POLICY_TARGETS: readonly Target[] = [
  parser("parseGateRules", gateRules, (source) => parseGateRules(source), {
    objects: true,
    holds(rules) {
      for (const path of ["cards/a/b.json", "a/c/d.j", "dist/a/b", "x", ""]) {
        const target = compileGateRules(rules).targetOf(path);
        if (target.kind === "urn" && /[{}]/.test(target.urn)) throw new Broken("a capture is left");
      }
    },
  }),
  {
    name: "readVerdictFile",
    kind: "parser",
    prepare: () => ({
      seeds: textSeeds(VERDICTS),
      shape: "text",
      run(input) {
        try {
          const verdicts = readVerdictFile(utf8(textOf(input)), SEGMENT, INPUTS);
          const text = new TextDecoder().decode(encodeVerdictFile(SEGMENT, INPUTS, verdicts));
          if (text.split("\n")[0] !== VERDICTS.split("\n")[0]) throw new Broken("another header");
          return null;
        } catch (error) {
          return reasonOf(error);
        }
      },
    }),
  },
  parser(
    "parseRevocationList",
    () => [jsonSeed("list", REVOCATIONS)],
    (source) => parseRevocationList(source),
    { objects: true },
  ),
  validator(
    "validateGateRules",
    gateRules,
    (one) => validateGateRules(one as object),
    (value) => parseGateRules(value),
  ),
  parser("parsePolicy", policies, (source) => parsePolicy(source), {
    objects: true,
    write: JSON_TEXT,
    covers: ["reviewPolicy", "explainPolicy", "diffPolicies"],
    holds(policy: PolicyDocument) {
      reviewPolicy(policy, NOW);
      explainPolicy(policy);
      if (diffPolicies(policy, policy).length > 0) throw new Broken("it differs from itself");
    },
  }),
  validator("validatePolicy", policies, validatePolicy, (value) => parsePolicy(value)),
  parser("parseWaivers", () => [jsonSeed("waivers", WAIVERS)], (source) => parseWaivers(source), {
    objects: true,
    write: JSON_TEXT,
  }),
  parser(
    "parsePolicyTests",
    () => [jsonSeed("tests", TESTS)],
    (source) => parsePolicyTests(source),
    {
      objects: true,
      write: JSON_TEXT,
      holds({ cases }: PolicyTests) {
        for (const { attestations = [] } of cases) {
          if (attestations.some((path) => /^\/|(^|\/)\.\.(\/|$)/.test(path))) {
            throw new Broken("a path outside of the folder");
          }
        }
      },
    },
  ),
  {
    name: "importPolicy",
    kind: "parser",
    prepare: () => ({
      seeds: [
        jsonSeed("cip", {
          kind: "cluster-image-policy",
          documents: [{
            apiVersion: "policy.sigstore.dev/v1beta1",
            kind: "ClusterImagePolicy",
            metadata: { name: "a" },
            spec: {
              images: [{ glob: "registry.example/**" }],
              authorities: [
                { name: "k", key: { data: KEYS.alice } },
                {
                  keyless: {
                    url: "https://fulcio.example",
                    identities: [{ issuer: "https://i.example", subjectRegExp: ".*" }],
                  },
                },
              ],
            },
          }],
        }),
        jsonSeed("layout", {
          kind: "in-toto-layout",
          layout: {
            signed: {
              _type: "layout",
              expires: "2030-01-01T00:00:00Z",
              keys: {},
              steps: [{
                name: "build",
                threshold: 1,
                pubkeys: [],
                expected_products: [["ALLOW", "*"]],
              }],
              inspect: [],
            },
            signatures: [],
          },
        }),
        jsonSeed("words", {
          kind: "slsa-verifier",
          words: [
            "verify-artifact",
            "app.tgz",
            "--source-uri",
            "github.com/acme/app",
            "--source-tag",
            "v1",
          ],
        }),
      ],
      shape: "json",
      run(input) {
        let source: JsonObject;
        try {
          source = JSON.parse(textOf(input));
        } catch {
          return "malformed-json";
        }
        // The kind and the outer type are the caller's.
        const { kind, documents, layout, words } = Object(source);
        if (kind === "in-toto-layout") importPolicy({ kind, layout: layout ?? null });
        else if (kind === "cluster-image-policy") {
          importPolicy({ kind, documents: Array.isArray(documents) ? documents : [] });
        } else {
          const texts = Array.isArray(words)
            ? words.filter((word) => typeof word === "string")
            : [];
          importPolicy({ kind: "slsa-verifier", words: texts });
        }
        return null;
      },
    }),
  },
  {
    name: "evaluatePolicy",
    kind: "parser",
    covers: ["compilePolicy", "explainVerdict"],
    async prepare(corpus) {
      const by = [await signer("alice"), await signer("bob")];
      const evidence = (statement: Statement): ArtifactEvidence[] => [
        artifact([{ ...attestation([by[0]]), statement }, attestation(by, { result: "PASSED" })]),
      ];
      return {
        seeds: policies(corpus).map(({ name, bytes }) => {
          const policy = JSON.parse(textOf(bytes));
          return jsonSeed(name, { policy, statement: provenanceStatement() });
        }),
        shape: "json" as const,
        async run(input) {
          let read: { policy?: object; statement?: object };
          try {
            read = Object(JSON.parse(textOf(input)));
          } catch {
            return "malformed-json";
          }
          const statement = parseStatement(Object(read.statement));
          const policy = await compilePolicy(parsePolicy(Object(read.policy)));
          const verdict = evaluatePolicy(policy, evidence(statement), NOW);
          const again = evaluatePolicy(policy, evidence(statement), NOW);
          if (printOf(verdict) !== printOf(again)) throw new Broken("two verdicts on one thing");
          explainVerdict(verdict);
          if (verdict.ok !== (verdict.errorReason === null)) throw new Broken("ok with a reason");
          if (evaluatePolicy(policy, [], NOW).ok) throw new Broken("ok without an artifact");
          const nothing = evaluatePolicy(policy, [artifact([])], NOW);
          if (nothing.ok && (policy.document.waivers ?? []).length === 0) {
            throw new Broken("ok without an attestation");
          }
          return verdict.errorReason;
        },
      };
    },
  },
  {
    name: "evaluateProvenance",
    kind: "parser",
    prepare: () => ({
      seeds: [jsonSeed("provenance", provenanceStatement())],
      shape: "json",
      run(input) {
        const statement = parseStatement(input);
        const san = workflowOf(REPOSITORY);
        const evidence: SignerEvidence = {
          identity: {
            subjectAlternativeName: san,
            sanType: "uri",
            issuer: "https://token.actions.githubusercontent.com",
            buildSignerURI: san,
            runnerEnvironment: "github-hosted",
            sourceRepositoryURI: REPOSITORY,
          },
        };
        const { checks } = evaluateProvenance(statement, evidence, { sourceUri: REPOSITORY });
        const refused = firstFailure(checks);
        if (refused === null && !JSON.stringify(statement.predicate).includes(REPOSITORY)) {
          throw new Broken("another repository");
        }
        return refused;
      },
    }),
  },
  {
    name: "evaluateVsa",
    kind: "parser",
    prepare: () => ({
      seeds: [jsonSeed("vsa", {
        _type: "https://in-toto.io/Statement/v1",
        subject: [{ name: "app", digest: { sha256: "a".repeat(64) } }],
        predicateType: VSA_V1,
        predicate: {
          verifier: { id: VERIFIER },
          timeVerified: "2026-02-28T00:00:00Z",
          resourceUri: RESOURCE,
          policy: { uri: "https://example.com/policy/v2", digest: { sha256: "c".repeat(64) } },
          verificationResult: "PASSED",
          verifiedLevels: ["SLSA_BUILD_LEVEL_2"],
        },
      })],
      shape: "json",
      run(input) {
        const statement = parseStatement(input);
        const { checks, summary } = evaluateVsa(
          statement,
          { keys: [{ name: "verifier", fingerprint: "f".repeat(64) }] },
          {
            verifierId: VERIFIER,
            resourceUri: RESOURCE,
            verifiedLevels: ["SLSA_BUILD_LEVEL_2"],
            now: new Date("2026-03-01T00:00:00Z"),
          },
        );
        const refused = firstFailure(checks);
        if (
          refused === null &&
          (summary?.verifier.id !== VERIFIER || summary.resourceUri !== RESOURCE ||
            summary.verificationResult !== "PASSED")
        ) throw new Broken("another verifier, resource or result");
        return refused;
      },
    }),
  },
  ...([
    ["openSignedPolicy", openSignedPolicy, POLICY_PAYLOAD_TYPE, FULL_POLICY],
    ["openSignedWaivers", openSignedWaivers, WAIVERS_PAYLOAD_TYPE, WAIVERS],
    ["openRevocationList", openListNow, REVOCATIONS_PAYLOAD_TYPE, REVOCATIONS],
  ] as const).map(([name, open, type, document]) =>
    verifier(
      name,
      async () => {
        const { signer, key } = await signerOf("dsse-ed25519");
        const bytes = utf8(JSON.stringify(document));
        return {
          seeds: [
            jsonSeed("signed", await createEnvelope(type, bytes, signer)),
            jsonSeed("another type", await createEnvelope("text/plain", bytes, signer)),
          ],
          async verify(input) {
            const { document, acceptedBy } = await open(input, [key]);
            return { facts: { must: printOf({ document, acceptedBy }), evidence: [] } };
          },
        };
      },
      [{
        place: /^\/signatures(\/-(\/keyid)?)?$/,
        why: "a hint, or a signature that is not needed",
      }, {
        place: /^\/[a-z]+[A-Za-z]*$/,
        why: "members that an envelope does not have; what was signed is compared as a fact",
      }],
      { kind: "parser" },
    )
  ),
];
