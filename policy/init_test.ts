import { deepStrictEqual as deepEqual, ok, strictEqual as equal } from "node:assert/strict";
import { describe, it } from "node:test";
import { holder, SHA } from "./_fixtures_test.ts";
import { compilePolicy } from "./compile.ts";
import { evaluatePolicy } from "./evaluate.ts";
import type { ArtifactEvidence, EvidenceAttestation } from "./evidence.ts";
import { derivePolicy } from "./init.ts";

const WORKFLOW = "https://github.com/acme/app/.github/workflows/release.yml";
const NOW = new Date("2026-06-01T00:00:00Z");

function provenance(ref: string, changes: Record<string, string> = {}): EvidenceAttestation {
  const signer = holder(`${WORKFLOW}@${ref}`);
  return {
    source: "app.sigstore.json",
    format: "sigstore-bundle",
    payloadType: "application/vnd.in-toto+json",
    payloadDigest: "b".repeat(64),
    signers: [{
      ...signer,
      identity: {
        ...signer.identity!,
        sanType: "uri",
        buildSignerURI: `${WORKFLOW}@${ref}`,
        sourceRepositoryURI: "https://github.com/acme/app",
        sourceRepositoryIdentifier: "123",
        sourceRepositoryRef: ref,
        sourceRepositoryDigest: "c".repeat(40),
        runnerEnvironment: "github-hosted",
        ...changes,
      },
    }],
    timestamps: [],
    logs: 1,
    statement: {
      _type: "https://in-toto.io/Statement/v1",
      subject: [{ name: "app", digest: { sha256: SHA } }],
      predicateType: "https://slsa.dev/provenance/v1",
      predicate: { runDetails: { builder: { id: "https://builder.example" } } },
    },
    matched: [{ index: 0, algorithms: ["sha256"] }],
    allSubjectsMatched: true,
  };
}

const about = (...attestations: EvidenceAttestation[]): ArtifactEvidence => ({
  artifact: "app",
  digest: { sha256: SHA },
  attestations,
  refused: [],
});

describe("derivePolicy() of keyless evidence", () => {
  it("accepts the next release, and nobody else's", async () => {
    const { document, open } = derivePolicy(about(provenance("refs/tags/v1.0.0")));
    deepEqual(document.trust?.roots, ["public-good"]);
    ok(open.some((one) => one.includes("refs")));
    const policy = await compilePolicy(document);
    const judge = (one: EvidenceAttestation) => evaluatePolicy(policy, [about(one)], NOW).ok;
    ok(judge(provenance("refs/tags/v1.0.0")));
    ok(judge(provenance("refs/tags/v1.0.1")));
    equal(judge(provenance("refs/tags/v1", { sourceRepositoryIdentifier: "124" })), false);
    equal(judge(provenance("refs/tags/v1", { runnerEnvironment: "self-hosted" })), false);
    const evil = "https://github.com/evil/app/.github/workflows/release.yml@refs/tags/v1";
    equal(judge(provenance("refs/tags/v1", { subjectAlternativeName: evil })), false);
    const dots = "https://githubxcom/acme/app/.github/workflows/release.yml@refs/tags/v1";
    equal(judge(provenance("refs/tags/v1", { subjectAlternativeName: dots })), false);
    equal(judge(provenance("refs/tags/v1", { issuer: "https://issuer.example" })), false);
    const other = provenance("refs/tags/v1.0.0");
    const statement = {
      ...other.statement,
      predicate: { runDetails: { builder: { id: "https://evil.example" } } },
    };
    equal(judge({ ...other, statement }), false);
  });

  it("keeps roots and thresholds that were given", () => {
    const { document } = derivePolicy(about(provenance("refs/tags/v1")), {
      name: "mine",
      thresholds: { log: 2 },
    });
    equal(document.name, "mine");
    deepEqual(document.trust?.thresholds, { log: 2 });
  });
});
