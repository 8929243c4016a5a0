import { deepStrictEqual as deepEqual, ok, strictEqual as equal, throws } from "node:assert/strict";
import { describe, it } from "node:test";
import { escapePattern } from "../sigstore/identity.ts";
import { attestation, holder, ISSUER, KEYS, SHA, signer, TEST } from "./_fixtures_test.ts";
import { compilePolicy } from "./compile.ts";
import { evaluatePolicy } from "./evaluate.ts";
import type { ArtifactEvidence, EvidenceAttestation, EvidenceSigner } from "./evidence.ts";
import { type DerivedPolicy, derivePolicy } from "./init.ts";

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

/** The identity of the one signer, a certificate that says this. */
function identityOf(identity: Partial<NonNullable<EvidenceSigner["identity"]>>): unknown {
  const one = holder(WORKFLOW);
  const signed = attestation([{ ...one, identity: { ...one.identity!, ...identity } }]);
  return derivePolicy(about(signed)).document.trust?.identities?.certificate;
}

describe("derivePolicy()", () => {
  const wide = "Which artifacts it is for: rules/0 has no select, so it is for every one";
  const end = "When it ends: set expires, so that somebody looks at it again";
  const refs = "Which refs may be released: no identity names a sourceRepositoryRef";
  const age = "How old an attestation may be: no requirement has freshness";

  it("asks for the keys that accepted, by type of attestation, and says where it has it from", async () => {
    const alice = { ...await signer("alice"), name: "keys/alice.pub" };
    const bob = { ...await signer("bob"), name: "across" };
    const keys = new Map([
      [alice.fingerprint ?? "", { publicKey: KEYS.alice }],
      [bob.fingerprint ?? "", { publicKey: KEYS.bob }],
    ]);
    const found = derivePolicy(
      about(
        attestation([alice], {}, { source: "a.json" }),
        attestation([bob], {}, { source: "b.json" }),
        attestation([bob, alice, bob], {}, {
          source: "c.json",
          predicateType: "https://spdx.dev/Document",
        }),
        attestation([alice], {}, { source: "d.sig", implicit: true, predicateType: "" }),
      ),
      { name: "mine", keys, thresholds: { log: 2 }, roots: [{ mediaType: "x" }] },
    );
    const algorithms = ["Ed25519"];
    const require = [
      {
        id: "tested",
        envelope: { algorithms, signedBy: { of: ["alice"] } },
        statement: { predicateTypes: [TEST] },
      },
      {
        id: "sbom",
        envelope: { algorithms, signedBy: { of: ["key", "alice"], threshold: 2 } },
        statement: { predicateTypes: ["https://spdx.dev/Document"] },
      },
      { id: "signed", envelope: { algorithms, signedBy: { of: ["alice"] } } },
    ];
    const at = "/rules/0/require";
    const expected: DerivedPolicy = {
      document: {
        type: "attest-policy/v1",
        name: "mine",
        mode: "enforce",
        trust: {
          keys: { alice: { publicKey: KEYS.alice }, key: { publicKey: KEYS.bob } },
          roots: [],
        },
        rules: [{ id: "release", require }],
      },
      facts: [
        {
          path: "/trust/keys/alice",
          value: `sha256:${alice.fingerprint}`,
          from: "the key that accepted a.json",
        },
        { path: `${at}/0/envelope/signedBy`, value: "alice", from: "a.json" },
        { path: `${at}/0/statement/predicateTypes`, value: TEST, from: "a.json" },
        {
          path: "/trust/keys/key",
          value: `sha256:${bob.fingerprint}`,
          from: "the key that accepted c.json",
        },
        { path: `${at}/1/envelope/signedBy`, value: "key, alice", from: "c.json" },
        {
          path: `${at}/1/statement/predicateTypes`,
          value: "https://spdx.dev/Document",
          from: "c.json",
        },
        { path: `${at}/2/envelope/signedBy`, value: "alice", from: "d.sig" },
      ],
      open: [wide, end, age],
    };
    deepEqual(found, expected);
  });

  it("asks for certificates by what stays, and for the builder", () => {
    const ref = "refs/tags/v1.0.0";
    const signed = provenance(ref);
    const { document, facts, open } = derivePolicy(about(signed, signed));
    const pattern = `${escapePattern(WORKFLOW)}@[^@]+`;
    const path = "/predicate/runDetails/builder/id";
    deepEqual(document, {
      type: "attest-policy/v1",
      name: "first-policy",
      mode: "enforce",
      trust: {
        identities: {
          certificate: {
            issuer: ISSUER,
            subjectAlternativeName: { pattern },
            sourceRepositoryURI: "https://github.com/acme/app",
            sourceRepositoryIdentifier: "123",
            runnerEnvironment: "github-hosted",
          },
        },
        roots: ["public-good"],
      },
      rules: [{
        id: "release",
        require: [{
          id: "provenance",
          envelope: { algorithms: ["ES256"], signedBy: { of: ["certificate"] } },
          statement: { predicateTypes: ["https://slsa.dev/provenance/v1"] },
          predicate: { where: [{ id: "builder", path, equals: "https://builder.example" }] },
        }],
      }],
    });
    const from = "the certificate of app.sigstore.json";
    const identity = "/trust/identities/certificate";
    deepEqual(facts, [
      { path: `${identity}/issuer`, value: ISSUER, from },
      { path: `${identity}/subjectAlternativeName`, value: pattern, from },
      { path: `${identity}/sourceRepositoryURI`, value: "https://github.com/acme/app", from },
      { path: `${identity}/sourceRepositoryIdentifier`, value: "123", from },
      { path: `${identity}/runnerEnvironment`, value: "github-hosted", from },
      {
        path: "/rules/0/require/0/envelope/signedBy",
        value: "certificate",
        from: "app.sigstore.json",
      },
      {
        path: "/rules/0/require/0/statement/predicateTypes",
        value: "https://slsa.dev/provenance/v1",
        from: "app.sigstore.json",
      },
      {
        path: "/rules/0/require/0/predicate/where/0",
        value: "https://builder.example",
        from: `${path} of app.sigstore.json`,
      },
    ]);
    deepEqual(open, [wide, end, refs, age]);
  });

  it("leaves the ref of a workflow open, and of nothing else", () => {
    const san = (subjectAlternativeName: string, more: object = {}) => {
      const found = identityOf({ subjectAlternativeName, ...more });
      return (found as { subjectAlternativeName: unknown }).subjectAlternativeName;
    };
    const pattern = `${escapePattern("https://ci.example/a@b")}@[^@]+`;
    deepEqual(san("https://ci.example/a@b@refs/tags/v1"), { pattern });
    const other = { issuer: "https://issuer.example" };
    equal(san("https://ci.example/a@b@refs/tags/v1", other), "https://ci.example/a@b@refs/tags/v1");
    const built = { ...other, buildSignerURI: "https://ci.example/a" };
    deepEqual(san("https://ci.example/a@b@refs/tags/v1", built), { pattern });
    equal(san("me@acme.example", { sanType: "email" }), "me@acme.example");
    equal(san("https://ci.example/a"), "https://ci.example/a");
    equal(san("@refs/tags/v1"), "@refs/tags/v1");
  });

  it("asks for a builder only where provenance names one that stays", () => {
    const builderOf = (predicate: unknown, predicateType = "https://slsa.dev/provenance/v1") => {
      const signed = { ...provenance("refs/tags/v1") };
      const statement = { ...signed.statement, predicateType, predicate: predicate as never };
      const { document } = derivePolicy(about({ ...signed, statement }));
      return document.rules[0].require[0].predicate?.where;
    };
    const id = "https://b.example";
    const asks = (path: string) => [{ id: "builder", path, equals: id }];
    deepEqual(
      builderOf({ runDetails: { builder: { id } } }),
      asks("/predicate/runDetails/builder/id"),
    );
    const v02 = "https://slsa.dev/provenance/v0.2";
    deepEqual(builderOf({ builder: { id } }, v02), asks("/predicate/builder/id"));
    equal(builderOf({ builder: { id } }, TEST), undefined);
    for (const builder of [{ id: 7 }, { id: `${id}@refs/heads/main` }, {}, id, null, [id]]) {
      equal(builderOf({ runDetails: { builder } }), undefined, JSON.stringify(builder));
    }
    equal(builderOf({ runDetails: null }), undefined);
    equal(builderOf({ runDetails: { builder: { id: 7 } }, builder: { id: 7 } }), undefined);
  });

  it("names requirements after types, each once", () => {
    const types: [type: string, id: string][] = [
      ["https://slsa.dev/provenance/v1", "provenance"],
      ["https://slsa.dev/provenance/v0.2", "provenance-2"],
      ["https://cyclonedx.org/bom", "sbom"],
      ["https://cosign.sigstore.dev/attestation/vuln/v1", "vulnerabilities"],
      ["https://slsa.dev/verification_summary/v1", "summary"],
      ["https://acme.example/code-review/v2.1", "code-review"],
      ["urn:acme:across", "attestation"],
      ["https://acme.example/%%/v1", "attestation-2"],
    ];
    const { document } = derivePolicy(
      about(
        ...types.map(([predicateType]) => attestation([holder(WORKFLOW)], {}, { predicateType })),
      ),
    );
    deepEqual(document.rules[0].require.map(({ id }) => id), types.map(([, id]) => id));
  });

  it("gives the signers of a file's name a name, each one", async () => {
    const alice = { ...await signer("alice"), name: "a/Release Key.pem" };
    const bob = { ...await signer("bob"), name: "b\\Release Key.pub" };
    const keys = new Map([alice, bob].map((one, i) => [
      one.fingerprint ?? "",
      { publicKey: i === 0 ? KEYS.alice : KEYS.bob },
    ]));
    const { document } = derivePolicy(about(attestation([alice, bob, holder(WORKFLOW)])), { keys });
    deepEqual(document.rules[0].require[0].envelope?.signedBy, {
      of: ["Release-Key", "Release-Key-2", "certificate"],
      threshold: 3,
    });
    deepEqual(Object.keys(document.trust?.keys ?? {}), ["Release-Key", "Release-Key-2"]);
  });

  it("trusts the roots that it is told, for certificates", () => {
    const rootsOf = (options: Parameters<typeof derivePolicy>[1]) =>
      derivePolicy(about(provenance("refs/tags/v1")), options).document.trust?.roots;
    deepEqual(rootsOf({ publicGood: true }), ["public-good"]);
    const { document } = derivePolicy(about(provenance("refs/tags/v1")));
    equal(document.trust?.thresholds, undefined);
    throws(() => rootsOf({ publicGood: false }), /no root is trusted/);
    throws(() => rootsOf({ roots: [{ mediaType: "x" }] }), /no trusted root/);
  });

  it("refuses what says nothing, keys that are not given, and options that it does not know", async () => {
    throws(() => derivePolicy(about()), {
      reason: "missing-attestation",
      message: 'Cannot derive policy: no attestation of "app" verified',
    });
    const signed = attestation([await signer("alice")]);
    throws(() => derivePolicy(about(signed)), {
      name: "TypeError",
      message: "The public key of alice is not given",
    });
    throws(() => derivePolicy(about(signed), { treshold: {} } as never), {
      name: "TypeError",
      message: 'Unknown option "treshold" of derivePolicy()',
    });
  });

  it("asks for a hundred types, and no more", () => {
    const many = Array.from(
      { length: 101 },
      (_, i) => attestation([holder(WORKFLOW)], {}, { predicateType: `https://acme.example/${i}` }),
    );
    equal(derivePolicy(about(...many)).document.rules[0].require.length, 100);
  });
});
