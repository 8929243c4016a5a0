/**
 * What a policy costs. Arguments: `leaves`, or the number of attestations. Prints one line of
 * JSON. `leaves`: CPU microseconds of one verdict of ten checks over a parsed Statement, and of
 * one by a policy with one check. A number: so many attestations, each signed, verified and
 * judged by a policy of 100 rules, 64 at a time; milliseconds of CPU and of judging alone, and
 * the largest resident set in MiB.
 */

import process from "node:process";
import { createEnvelope } from "../../dsse/mod.ts";
import { parseStatement } from "../../intoto/mod.ts";
import { generateSigner } from "../../keys/mod.ts";
import {
  type ArtifactEvidence,
  compilePolicy,
  definePolicy,
  evaluatePolicy,
  type Requirement,
} from "../../policy/mod.ts";
import { verify } from "../../verify/mod.ts";
import { cpuNs, inSequence, interleave, peakMiB, runtimeName } from "../measure.ts";

const NOW = new Date("2026-06-01T00:00:00Z");
const PROVENANCE = "https://slsa.dev/provenance/v1";
const IN_TOTO = "application/vnd.in-toto+json";
const ci = await generateSigner("Ed25519", { name: "ci" });
const trust = { keys: { ci: { publicKey: ci.publicKey } } };

const TEN: Requirement = {
  id: "provenance",
  envelope: {
    formats: ["dsse"],
    payloadTypes: [IN_TOTO],
    algorithms: ["Ed25519", "ES256"],
    signedBy: { of: ["ci"] },
  },
  statement: {
    predicateTypes: [PROVENANCE],
    digestAlgorithms: ["sha256"],
    subjectNames: ["app-*.tgz", "lib-*.tgz"],
  },
  predicate: {
    where: [
      { path: "/predicate/runDetails/builder/id", matches: "https://ci.example/builders/**" },
      { path: "/predicate/buildDefinition/buildType", equals: "https://ci.example/v1" },
      {
        path: "/predicate/buildDefinition/externalParameters/ref",
        oneOf: ["refs/heads/main", "refs/heads/next"],
      },
      { path: "/predicate/buildDefinition/resolvedDependencies/*/digest", exists: true },
    ],
  },
};

function statementOf(name: string, sha256: string) {
  return {
    _type: "https://in-toto.io/Statement/v1" as const,
    subject: [{ name, digest: { sha256 } }],
    predicateType: PROVENANCE,
    predicate: {
      buildDefinition: {
        buildType: "https://ci.example/v1",
        externalParameters: { ref: "refs/heads/main" },
        resolvedDependencies: [
          { uri: "git+https://git.example/app", digest: { gitCommit: "c".repeat(40) } },
          { uri: "pkg:npm/left-pad@1.3.0", digest: { sha512: "d".repeat(128) } },
        ],
      },
      runDetails: { builder: { id: "https://ci.example/builders/main" } },
    },
  };
}

async function leaves(): Promise<object> {
  const digest = { sha256: "a".repeat(64) };
  const evidence: ArtifactEvidence = {
    artifact: "app-1.0.0.tgz",
    digest,
    refused: [],
    attestations: [{
      source: "app.json",
      format: "dsse",
      payloadType: IN_TOTO,
      payloadDigest: "b".repeat(64),
      signers: [{
        name: "ci",
        kind: "key",
        distinct: ci.trustedKey.fingerprint,
        fingerprint: ci.trustedKey.fingerprint,
        algorithm: "Ed25519",
        key: { kind: "Ed25519", bits: 256 },
      }],
      timestamps: [],
      logs: 0,
      statement: parseStatement(JSON.stringify(statementOf("app-1.0.0.tgz", digest.sha256))),
      matched: [{ index: 0, algorithms: ["sha256"] }],
      allSubjectsMatched: true,
    }],
  };
  const policyOf = (one: Requirement) =>
    compilePolicy(definePolicy({ trust, rules: [{ id: "release", require: [one] }] }));
  const ten = await policyOf(TEN);
  const one = await policyOf({ id: "signed", envelope: { signedBy: { of: ["ci"] } } });
  const verdict = evaluatePolicy(ten, [evidence], NOW);
  const checks = verdict.artifacts[0].rules[0].children?.[0].children?.[0].children ?? [];
  if (!verdict.ok || checks.length !== 10) throw new Error(`${checks.length} checks`);
  const judge = (policy: typeof ten) => () => {
    if (!evaluatePolicy(policy, [evidence], NOW).ok) throw new Error("refused");
  };
  const repeat = (work: () => void) => (): void => {
    for (let i = 0; i < 1000; i++) work();
  };
  const costs = await interleave({
    ten: inSequence(repeat(judge(ten))),
    one: inSequence(repeat(judge(one))),
  }, { rounds: 6, ms: 200, step: 4 });
  return { ten: costs.ten.cpu / 1000, one: costs.one.cpu / 1000 };
}

async function many(count: number): Promise<object> {
  const rules = Array.from({ length: 100 }, (_, i) => ({
    id: `rule-${i}`,
    select: { name: `app-${i}-*.tgz` },
    require: [{ ...TEN, statement: { ...TEN.statement, subjectNames: [`app-${i}-*.tgz`] } }],
  }));
  const policy = await compilePolicy(definePolicy({ trust, rules }));
  const cpu = cpuNs(), start = performance.now();
  let passed = 0, next = 0;
  const worker = async (): Promise<void> => {
    while (next < count) {
      const i = next++;
      const name = `app-${i % 100}-${i}.tgz`;
      const sha256 = i.toString(16).padStart(64, "0");
      const envelope = await createEnvelope(IN_TOTO, statementOf(name, sha256), ci.signer);
      const report = await verify(envelope, { name, digest: { sha256 } }, { policy, now: NOW });
      if (report.ok) passed++;
    }
  };
  await Promise.all(Array.from({ length: 64 }, worker));
  if (passed !== count) throw new Error(`${passed} of ${count} passed`);
  const ms = performance.now() - start;
  return { count, ms, cpu: (cpuNs() - cpu) / 1e6, peak: peakMiB() };
}

const [what] = process.argv.slice(2);
const found = what === "leaves" ? await leaves() : await many(Number(what));
console.log(JSON.stringify({ runtime: runtimeName(), ...found }));
