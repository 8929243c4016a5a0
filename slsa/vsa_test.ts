import { deepStrictEqual as deepEqual, strictEqual as equal, throws } from "node:assert/strict";
import { describe, it } from "node:test";
import type { JsonObject } from "../internal/json.ts";
import type { Statement } from "../intoto/statement.ts";
import type { SignerEvidence } from "./evidence.ts";
import { evaluateVsa, type VsaRequirement } from "./vsa.ts";
import { checkVsaExpectation, type VsaExpectation } from "./vsa_expectation.ts";
import { VSA_V0_2, VSA_V1 } from "./vsa_predicate.ts";

const NOW = new Date("2026-03-01T00:00:00Z");
const FINGERPRINT = "f".repeat(64);
const KEYED: SignerEvidence = {
  keys: [{ name: "verifier", keyid: "k", fingerprint: FINGERPRINT }],
};
const KEYLESS: SignerEvidence = {
  identity: {
    subjectAlternativeName:
      "https://github.com/acme/verifier/.github/workflows/v.yml@refs/heads/main",
    sanType: "uri",
    issuer: "https://token.actions.githubusercontent.com",
  },
};
const EXPECTED: VsaExpectation = {
  verifierId: "https://example.com/verifier",
  resourceUri: "pkg:npm/app@1.0.0",
};
const PREDICATE: JsonObject = {
  verifier: { id: "https://example.com/verifier" },
  timeVerified: "2026-02-28T00:00:00Z",
  resourceUri: "pkg:npm/app@1.0.0",
  policy: { uri: "https://example.com/policy/v2", digest: { sha256: "C".repeat(64) } },
  verificationResult: "PASSED",
  verifiedLevels: ["SLSA_BUILD_LEVEL_2", "SLSA_SOURCE_LEVEL_UNEVALUATED", "OWN_REVIEWED"],
};
const COMMIT = "1".repeat(40);
const SUBJECT: Statement["subject"] = [
  { name: "other", digest: { sha256: "9".repeat(64), gce_image_id: "7" } },
  {
    name: "app",
    digest: { sha256: "a".repeat(64), gitCommit: COMMIT, gce_image_id: "8" },
    annotations: { sourceRefs: ["refs/heads/main", "refs/tags/v1", 5] },
  },
];

interface Given {
  predicate?: JsonObject;
  subject?: Statement["subject"];
  predicateType?: string;
  evidence?: SignerEvidence;
}

/** Failed checks as `id reason`. */
function failures(expectation: Partial<VsaRequirement>, given: Given = {}): string[] {
  const statement: Statement = {
    _type: "https://in-toto.io/Statement/v1",
    subject: given.subject ?? SUBJECT,
    predicateType: given.predicateType ?? VSA_V1,
    predicate: { ...PREDICATE, ...given.predicate },
  };
  const { checks } = evaluateVsa(
    statement,
    given.evidence ?? KEYED,
    { ...EXPECTED, now: NOW, ...expectation },
  );
  return checks.filter(({ outcome }) => outcome !== "passed").map(({ id, reason }) =>
    `${id} ${reason}`
  );
}

describe("evaluateVsa()", () => {
  it("accepts a VSA that says all that is expected, and shows each check", () => {
    const { checks, summary } = evaluateVsa(
      {
        _type: "https://in-toto.io/Statement/v1",
        subject: SUBJECT,
        predicateType: VSA_V1,
        predicate: { ...PREDICATE, dependencyLevels: { SLSA_BUILD_LEVEL_1: 2 } },
      },
      KEYED,
      {
        ...EXPECTED,
        signer: { keys: ["verifier"] },
        verifiedLevels: ["SLSA_BUILD_LEVEL_2", "OWN_REVIEWED"],
        dependencyLevels: ["SLSA_BUILD_LEVEL_1"],
        maxAge: 86_400,
        policy: { uri: "https://example.com/policy/v2", digest: { sha256: "c".repeat(64) } },
        digest: { gitCommit: COMMIT },
        sourceRef: "refs/heads/main",
        now: NOW,
      },
    );
    deepEqual(checks.map(({ id, outcome }) => `${id} ${outcome}`), [
      "predicate.type passed",
      "predicate.verifier passed",
      "predicate.resource passed",
      "predicate.result passed",
      "predicate.level passed",
      "predicate.level passed",
      "predicate.dependencies passed",
      "predicate.age passed",
      "predicate.policy passed",
      "predicate.subject passed",
      "predicate.source-ref passed",
    ]);
    equal(summary?.verifier.id, EXPECTED.verifierId);
    equal(checks[1].path, "/predicate/verifier/id");
    equal(checks[9].path, "/subject/1");
  });

  it("refuses another predicate type, a VSA before 1.0 too, and looks no further", () => {
    for (const predicateType of [VSA_V0_2, `${VSA_V1}/`, "https://slsa.dev/provenance/v1"]) {
      deepEqual(failures({}, { predicateType }), ["predicate.type predicate-type-mismatch"]);
    }
  });

  it("refuses a predicate that cannot be read, with its place in the Statement", () => {
    const statement: Statement = {
      _type: "https://in-toto.io/Statement/v1",
      subject: SUBJECT,
      predicateType: VSA_V1,
    };
    for (const now of [0, new Date("never")]) {
      throws(
        () => evaluateVsa(statement, KEYED, { ...EXPECTED, now: now as Date }),
        { name: "TypeError", message: "now is not a Date" },
      );
    }
    const { checks, summary } = evaluateVsa(statement, KEYED, { ...EXPECTED, now: NOW });
    equal(summary, undefined);
    equal(checks[1].reason, "missing-predicate-field");
    equal(checks[1].path, "/predicate/verifier");
  });

  it("compares the verifier to the letter", () => {
    for (const id of ["https://example.com/verifier/", "https://example.com/verifier-evil"]) {
      deepEqual(failures({}, { predicate: { verifier: { id } } }), [
        "predicate.verifier verifier-mismatch",
      ]);
    }
  });

  it("lets only the named signers speak for the verifier", () => {
    const refused = ["predicate.verifier verifier-mismatch"];
    deepEqual(failures({ signer: { keys: ["verifier"] } }), []);
    deepEqual(failures({ signer: { keys: [FINGERPRINT] } }), []);
    deepEqual(failures({ signer: { keys: ["k", "another"] } }), refused);
    const certificate = {
      issuer: "https://token.actions.githubusercontent.com",
      subjectAlternativeName: { pattern: "https://github\\.com/acme/verifier/.+" },
    };
    deepEqual(failures({ signer: { certificate } }, { evidence: KEYLESS }), []);
    deepEqual(failures({ signer: { certificate } }), refused);
    deepEqual(
      failures({ signer: { certificate: { ...certificate, issuer: "https://other.example" } } }, {
        evidence: KEYLESS,
      }),
      refused,
    );
    deepEqual(failures({ signer: { keys: ["verifier"] } }, { evidence: KEYLESS }), refused);
  });

  it("lets a certificate of anybody speak for nobody", () => {
    const refused = ["predicate.verifier verifier-mismatch"];
    deepEqual(failures({}, { evidence: KEYLESS }), refused);
    deepEqual(failures({}, { evidence: { ...KEYLESS, identityExpected: true } }), []);
    deepEqual(failures({}, { evidence: {} }), refused);
  });

  it("compares the resource to the letter, and wants one", () => {
    deepEqual(failures({ resourceUri: "pkg:npm/app@1.0.0?x" }), [
      "predicate.resource resource-mismatch",
    ]);
    deepEqual(failures({}, { predicate: { resourceUri: "pkg:npm/APP@1.0.0" } }), [
      "predicate.resource resource-mismatch",
    ]);
    deepEqual(failures({}, { predicate: { resourceUri: "pkg:npm/app@1.0.0-evil" } }), [
      "predicate.resource resource-mismatch",
    ]);
    deepEqual(failures({ resourceUri: "" }), ["predicate.resource missing-resource-expectation"]);
    deepEqual(failures({ resourceUri: undefined }), [
      "predicate.resource missing-resource-expectation",
    ]);
  });

  it("refuses a verification that did not pass", () => {
    const refused = ["predicate.result verification-not-passed"];
    deepEqual(failures({}, { predicate: { verificationResult: "FAILED" } }), refused);
    deepEqual(failures({}, { predicate: { verifiedLevels: ["FAILED"] } }), refused);
  });

  it("wants every level of the list, or a higher one of the same track", () => {
    const refused = ["predicate.level insufficient-level"];
    for (const word of ["SLSA_BUILD_LEVEL_0", "SLSA_BUILD_LEVEL_1", "SLSA_BUILD_LEVEL_2"]) {
      deepEqual(failures({ verifiedLevels: [word, "OWN_REVIEWED"] }), []);
    }
    deepEqual(failures({ verifiedLevels: ["SLSA_BUILD_LEVEL_3", "OWN_REVIEWED"] }), refused);
    deepEqual(failures({ verifiedLevels: ["SLSA_SOURCE_LEVEL_1"] }), refused);
    deepEqual(failures({ verifiedLevels: ["SLSA_DEPS_LEVEL_0"] }), refused);
    deepEqual(failures({ verifiedLevels: ["OWN_REVIEWE", "own_reviewed"] }), [
      ...refused,
      ...refused,
    ]);
  });

  it("compares levels as numbers", () => {
    const given = { predicate: { verifiedLevels: ["SLSA_BUILD_LEVEL_10"] } };
    deepEqual(failures({ verifiedLevels: ["SLSA_BUILD_LEVEL_9"] }, given), []);
  });

  it("takes UNEVALUATED for nothing but itself", () => {
    deepEqual(failures({ verifiedLevels: ["SLSA_SOURCE_LEVEL_UNEVALUATED"] }), []);
    deepEqual(failures({ verifiedLevels: ["SLSA_SOURCE_LEVEL_0"] }), [
      "predicate.level insufficient-level",
    ]);
    deepEqual(failures({ verifiedLevels: ["SLSA_BUILD_LEVEL_UNEVALUATED"] }), [
      "predicate.level insufficient-level",
    ]);
  });

  it("takes no level of a track that has several, and leaves other tracks alone", () => {
    const given = {
      predicate: {
        verifiedLevels: ["SLSA_BUILD_LEVEL_2", "SLSA_BUILD_LEVEL_3", "SLSA_SOURCE_LEVEL_2"],
      },
    };
    deepEqual(failures({ verifiedLevels: ["SLSA_BUILD_LEVEL_2"] }, given), [
      "predicate.level duplicate-track-level",
    ]);
    deepEqual(failures({ verifiedLevels: ["SLSA_SOURCE_LEVEL_2"] }, given), []);
    deepEqual(failures({}, given), []);
  });

  it("ignores words that no version of SLSA defines", () => {
    const given = { predicate: { verifiedLevels: ["SLSA_LEVEL_3", "SLSA_BUILD_LEVEL_2"] } };
    deepEqual(failures({ verifiedLevels: ["SLSA_BUILD_LEVEL_2"] }, given), []);
    deepEqual(failures({ verifiedLevels: ["SLSA_BUILD_LEVEL_3"] }, given), [
      "predicate.level insufficient-level",
    ]);
  });

  it("believes a verifier up to its highest level", () => {
    const given = { predicate: { verifiedLevels: ["SLSA_SOURCE_LEVEL_4"] } };
    const wish = { verifiedLevels: ["SLSA_SOURCE_LEVEL_3"] };
    deepEqual(failures({ ...wish, maxLevels: { SOURCE: 3 } }, given), []);
    deepEqual(failures({ ...wish, maxLevels: { BUILD: 1 } }, given), []);
    deepEqual(failures({ ...wish, maxLevels: { SOURCE: 2 } }, given), [
      "predicate.level insufficient-level",
    ]);
  });

  it("wants the level of every dependency", () => {
    const of = (dependencyLevels: JsonObject | null | undefined) =>
      failures({ dependencyLevels: ["SLSA_BUILD_LEVEL_2"] }, {
        predicate: dependencyLevels === undefined ? {} : { dependencyLevels },
      });
    const unknown = ["predicate.dependencies dependencies-unknown"];
    const low = ["predicate.dependencies insufficient-level"];
    deepEqual(of(undefined), unknown);
    deepEqual(of(null), unknown);
    deepEqual(of({}), []);
    deepEqual(of({ SLSA_BUILD_LEVEL_2: 3, SLSA_BUILD_LEVEL_3: 1, SLSA_BUILD_LEVEL_1: 0 }), []);
    deepEqual(of({ SLSA_BUILD_LEVEL_2: 3, SLSA_BUILD_LEVEL_1: 1 }), low);
    deepEqual(of({ SLSA_BUILD_LEVEL_2: 3, SLSA_BUILD_LEVEL_UNEVALUATED: 1 }), low);
    deepEqual(of({ SLSA_BUILD_LEVEL_2: 3, FAILED: 1 }), low);
    deepEqual(of({ SLSA_SOURCE_LEVEL_3: 1 }), unknown);
    deepEqual(of({ SLSA_BUILD_LEVEL_2: 3, SLSA_SOURCE_LEVEL_1: 4 }), unknown);
    deepEqual(of({ SLSA_BUILD_LEVEL_2: 4, SLSA_SOURCE_LEVEL_1: 4, OWN: 2 }), []);
    deepEqual(of({ SLSA_BUILD_LEVEL_2: 1, OWN: 2 }), unknown);
  });

  it("wants a VSA that is young enough, by the second", () => {
    deepEqual(failures({ maxAge: 86_400 }), []);
    deepEqual(failures({ maxAge: 86_399.9 }), ["predicate.age vsa-too-old"]);
    deepEqual(failures({ maxAge: 1e300 }), []);
    deepEqual(failures({ maxAge: 86_400 }, { predicate: { timeVerified: null } }), [
      "predicate.age vsa-too-old",
    ]);
    const at = (timeVerified: string) => failures({ maxAge: 60 }, { predicate: { timeVerified } });
    deepEqual(at("2026-03-01T00:05:00Z"), []);
    deepEqual(at("2026-03-01T00:05:01Z"), ["predicate.age invalid-timestamp"]);
    deepEqual(failures({}, { predicate: { timeVerified: "2001-01-01T00:00:00Z" } }), []);
  });

  it("wants the expected policy, by name and by digest", () => {
    const refused = ["predicate.policy policy-mismatch"];
    deepEqual(failures({ policy: { uri: "https://example.com/policy/v1" } }), refused);
    deepEqual(failures({ policy: { digest: { sha256: "d".repeat(64) } } }), refused);
    const both = { sha256: "c".repeat(64), sha512: "c".repeat(128) };
    deepEqual(failures({ policy: { digest: both } }), refused);
    deepEqual(failures({ policy: { digest: { sha256: "c".repeat(64) } } }), []);
    deepEqual(failures({ policy: { uri: "https://example.com/policy/v2" } }), []);
  });

  it("wants all digests in one subject", () => {
    const refused = ["predicate.subject subject-mismatch"];
    deepEqual(failures({ digest: { gce_image_id: "8" } }), []);
    deepEqual(failures({ digest: { sha256: "A".repeat(64), gce_image_id: "8" } }), []);
    deepEqual(failures({ digest: { sha256: "a".repeat(64), gce_image_id: "7" } }), refused);
    deepEqual(failures({ digest: { sha256: "a".repeat(64), sha512: "a".repeat(128) } }), refused);
    deepEqual(failures({ digest: { gce_image_id: "9" } }), refused);
    deepEqual(failures({ digest: { constructor: "x" } }), refused);
  });

  it("takes no broken digest alone", () => {
    const subject = [{ digest: { sha1: "b".repeat(40), sha256: "a".repeat(64) } }];
    const sha1 = "b".repeat(40);
    deepEqual(failures({ digest: { sha1 } }, { subject }), [
      "predicate.subject unsupported-digest-algorithm",
    ]);
    deepEqual(failures({ digest: { sha1, sha256: "a".repeat(64) } }, { subject }), []);
  });

  it("wants the revision on the expected ref", () => {
    const refused = ["predicate.source-ref source-ref-mismatch"];
    const digest = { gitCommit: COMMIT };
    deepEqual(failures({ digest, sourceRef: "refs/tags/v1" }), []);
    deepEqual(failures({ digest, sourceRef: "refs/heads/v1" }), refused);
    deepEqual(failures({ digest: { gce_image_id: "7" }, sourceRef: "refs/heads/main" }), refused);
    // Without a digest every subject has to be on it.
    deepEqual(failures({ sourceRef: "refs/heads/main" }), refused);
    deepEqual(failures({ sourceRef: "refs/heads/main" }, { subject: [SUBJECT[1]] }), []);
  });

  it("reports everything that is wrong, not the first only", () => {
    equal(
      failures({ verifiedLevels: ["SLSA_BUILD_LEVEL_4"], maxAge: 1 }, {
        predicate: { verifier: { id: "x" }, resourceUri: "y", verificationResult: "FAILED" },
      }).length,
      5,
    );
  });

  it("says what its type, its level and its digests are", () => {
    const said = (expectation: Partial<VsaExpectation>, given: Partial<Statement> = {}) => {
      const statement: Statement = {
        _type: "https://in-toto.io/Statement/v1",
        subject: SUBJECT,
        predicateType: VSA_V1,
        predicate: PREDICATE,
        ...given,
      };
      const { checks } = evaluateVsa(statement, KEYED, { ...EXPECTED, ...expectation, now: NOW });
      const failed = checks.filter(({ outcome }) => outcome === "failed");
      equal(failed.length, 1);
      return failed[0];
    };
    const type = (predicateType: string) => said({}, { predicateType }).message;
    equal(type(VSA_V0_2), "Cannot accept VSA: it is a VSA of a version before 1.0");
    equal(type("x"), 'Cannot accept VSA: its type is "x"');
    const level = (wanted: number, most: number) =>
      said({ verifiedLevels: [`SLSA_BUILD_LEVEL_${wanted}`], maxLevels: { BUILD: most } }).message;
    equal(level(2, 1), "Cannot accept VSA: its verifier is believed BUILD level 1");
    equal(level(3, 3), 'Cannot accept VSA: it does not state "SLSA_BUILD_LEVEL_3"');
    const digest = { sha256: "b".repeat(64) };
    equal(said({ digest }).expected, `sha256:${digest.sha256}`);
    equal(said({ digest }).actual, `sha256:${"9".repeat(64)}, gce_image_id:7`);
    equal(said({ digest }, { subject: [{ digest: {} }] }).actual, "none");
    equal(said({ digest: { sha1: "b".repeat(40) } }).path, undefined);
  });

  it("believes a verifier nothing, where it may say nothing of a track", () => {
    deepEqual(failures({ verifiedLevels: ["SLSA_BUILD_LEVEL_1"], maxLevels: { BUILD: 0 } }), [
      "predicate.level insufficient-level",
    ]);
    const words = { verifiedLevels: ["SLSA_BUILD_LEVEL_2"], maxLevels: { BUILD: 2 } };
    deepEqual(failures(words), []);
  });

  it("throws for an expectation that no VSA could keep", () => {
    const wrong: [object, RegExp][] = [
      [{ verifierID: "x" }, /Unknown option "verifierID"/],
      [{ verifierId: "" }, /verifierId/],
      [{ now: "2026-01-02T00:00:00Z" }, /now is not a Date/],
      [{ now: 7 }, /now is not a Date/],
      [{ verifiedLevels: "SLSA_BUILD_LEVEL_1" }, /array of words/],
      [{ verifiedLevels: [""] }, /array of words/],
      [{ dependencyLevels: ["OWN"] }, /no level/],
      [{ dependencyLevels: ["SLSA_BUILD_LEVEL_UNEVALUATED"] }, /no level/],
      [{ resourceUri: 7 }, /resourceUri/],
      [{ resourceUri: null }, /resourceUri/],
      [{ dependencyLevels: "SLSA_BUILD_LEVEL_1" }, /dependencyLevels is not an array/],
      [{ dependencyLevels: [7] }, /dependencyLevels is not an array/],
      [{ maxLevels: { build: 3 } }, /maxLevels/],
      [{ maxLevels: { BUILD: 1.5 } }, /maxLevels/],
      [{ maxLevels: { BUILD: -1 } }, /maxLevels/],
      [{ maxLevels: { BUILD: "3" } }, /maxLevels/],
      [{ maxAge: "60" }, /maxAge/],
      [{ maxAge: [60] }, /maxAge/],
      [{ maxAge: 0 }, /maxAge/],
      [{ maxAge: NaN }, /maxAge/],
      [{ policy: {} }, /neither uri nor digest/],
      [{ policy: { url: "x" } }, /Unknown option "url"/],
      [{ policy: { uri: "" } }, /uri of an expected policy is empty/],
      [{ policy: { uri: "x", digest: {} } }, /digest is empty/],
      [{ policy: { digest: { sha256: "" } } }, /digest is empty/],
      [{ digest: {} }, /empty/],
      [{ digest: { sha256: "" } }, /empty/],
      [{ sourceRef: "main" }, /refs\//],
      [{ signer: { keys: [] } }, /either a certificate or keys/],
      [{ signer: { keys: "ab" } }, /either a certificate or keys/],
      [{ signer: { keys: [""] } }, /either a certificate or keys/],
      [{ signer: { keys: ["ab"], certificate: {} } }, /either a certificate or keys/],
      [{ signer: { keys: ["ab"], key: "ab" } }, /Unknown option "key"/],
      [{ signer: { certificate: { issuer: "x" } } }, /no holder/],
    ];
    for (const [expectation, message] of wrong) {
      throws(
        () => failures(expectation),
        (error: unknown) => error instanceof TypeError && message.test(error.message),
        String(message),
      );
    }
  });
});

describe("checkVsaExpectation()", () => {
  it("refuses what is no object", () => {
    for (const value of [null, undefined, "x", 7]) {
      throws(() => checkVsaExpectation(value as unknown as VsaExpectation), {
        name: "TypeError",
        message: "An expected VSA is not an object",
      });
    }
  });
});
