import { deepStrictEqual as deepEqual, strictEqual as equal, throws } from "node:assert/strict";
import { describe, it } from "node:test";
import { isAttestationError } from "../errors.ts";
import { highestPerTrack, isSlsaResult, parseTrackLevel, repeatedTracks } from "./vsa_level.ts";
import { parseVsaPredicate, validateVsaPredicate } from "./vsa_predicate.ts";

const GOOD = {
  verifier: { id: "https://example.com/verifier", version: { engine: "2.1" } },
  timeVerified: "2026-01-01T00:00:00Z",
  resourceUri: "pkg:npm/app@1.0.0",
  policy: { uri: "https://example.com/policy", digest: { sha256: "a".repeat(64) } },
  inputAttestations: [{ uri: "https://example.com/a", digest: { sha256: "b".repeat(64) } }],
  verificationResult: "PASSED",
  verifiedLevels: ["SLSA_BUILD_LEVEL_3", "SLSA_SOURCE_LEVEL_UNEVALUATED", "OWN_WORD"],
  dependencyLevels: { SLSA_BUILD_LEVEL_1: 4, OWN_WORD: 0 },
  slsaVersion: "1.2",
};

function faults(changes: object): string[] {
  return validateVsaPredicate({ ...GOOD, ...changes })
    .map(({ reason, path }) => `${reason} ${path}`);
}

describe("validateVsaPredicate()", () => {
  it("accepts a complete predicate and one with the required members only", () => {
    deepEqual(faults({}), []);
    deepEqual(
      validateVsaPredicate({
        verifier: { id: "v" },
        resourceUri: "r",
        policy: { uri: "p" },
        verificationResult: "FAILED",
        verifiedLevels: ["FAILED"],
        other: 1,
      }),
      [],
    );
  });

  it("asks for each required member: absent, null and empty are the same", () => {
    for (const name of ["verifier", "policy"]) {
      for (const value of [undefined, null, {}]) {
        deepEqual(faults({ [name]: value }), [`missing-predicate-field /${name}`]);
      }
    }
    for (const value of [undefined, null, ""]) {
      deepEqual(faults({ resourceUri: value }), ["missing-predicate-field /resourceUri"]);
      equal(
        faults({ verificationResult: value })[0],
        "missing-predicate-field /verificationResult",
      );
      deepEqual(faults({ policy: { uri: value, name: "p" } }), [
        "missing-predicate-field /policy/uri",
      ]);
      deepEqual(faults({ verifier: { id: value, version: {} } }), [
        "missing-predicate-field /verifier/id",
      ]);
    }
    for (const value of [undefined, null, []]) {
      deepEqual(faults({ verifiedLevels: value }), ["missing-predicate-field /verifiedLevels"]);
    }
  });

  it("takes null for an optional member", () => {
    for (
      const name of ["timeVerified", "inputAttestations", "dependencyLevels", "slsaVersion"]
    ) {
      deepEqual(faults({ [name]: null }), []);
      deepEqual(faults({ [name]: undefined }), []);
    }
  });

  it("refuses members of the wrong type", () => {
    for (const name of Object.keys(GOOD)) {
      equal(faults({ [name]: 5 })[0], `malformed-predicate /${name}`, name);
    }
    deepEqual(faults({ verifier: { id: "v", version: { "a/b": 1 } } }), [
      "malformed-predicate /verifier/version/a~1b",
    ]);
    deepEqual(faults({ verifier: { id: "v", version: "1" } }), [
      "malformed-predicate /verifier/version",
    ]);
    deepEqual(faults({ verifiedLevels: ["SLSA_BUILD_LEVEL_1", 5, ""] }), [
      "malformed-predicate /verifiedLevels/1",
      "malformed-predicate /verifiedLevels/2",
    ]);
    deepEqual(faults({ verifier: { id: "v", version: null } }), []);
    deepEqual(faults({ policy: { uri: "p", digest: { sha256: "abc" } } }), [
      "invalid-digest /policy/digest/sha256",
    ]);
    deepEqual(faults({ policy: { uri: 7 } }), ["malformed-resource-descriptor /policy/uri"]);
    for (const value of [null, [], "x"]) {
      deepEqual(validateVsaPredicate(value).map(({ path }) => path), [""]);
    }
  });

  it("counts dependencies in whole numbers from zero", () => {
    for (const count of [-1, 0.5, "1", null, 2 ** 53]) {
      deepEqual(faults({ dependencyLevels: { OWN: count } }), [
        "malformed-predicate /dependencyLevels/OWN",
      ]);
    }
  });

  it("wants a result of PASSED or FAILED, to the letter", () => {
    for (const result of ["passed", "OK", "PASSED "]) {
      equal(faults({ verificationResult: result })[0], "malformed-predicate /verificationResult");
    }
  });

  it("wants a time in UTC with Z and a version of two numbers", () => {
    deepEqual(faults({ timeVerified: "yesterday" }), ["invalid-timestamp /timeVerified"]);
    for (const version of ["1", "v1.2", "1.2.3", "01.2"]) {
      deepEqual(faults({ slsaVersion: version }), ["malformed-predicate /slsaVersion"]);
    }
  });

  it("wants a digest of each input attestation", () => {
    deepEqual(faults({ inputAttestations: [{ uri: "a:b" }, { digest: { sha256: "abc" } }, 5] }), [
      "missing-predicate-field /inputAttestations/0/digest",
      "invalid-digest /inputAttestations/1/digest/sha256",
      "malformed-resource-descriptor /inputAttestations/2",
    ]);
  });

  it("lists words of SLSA that do not exist", () => {
    const words = ["SLSA_LEVEL_3", "SLSA_BUILD_LEVEL_03", "SLSA_BUILD_LEVEL_3_OR_SO"];
    deepEqual(
      faults({ verifiedLevels: words }),
      words.map((_, i) => `invalid-level /verifiedLevels/${i}`),
    );
    deepEqual(faults({ dependencyLevels: { SLSA_3: 1 } }), [
      "invalid-level /dependencyLevels/SLSA_3",
    ]);
  });

  it("lists a track that has more than one level", () => {
    for (const other of ["SLSA_BUILD_LEVEL_2", "SLSA_BUILD_LEVEL_UNEVALUATED"]) {
      deepEqual(faults({ verifiedLevels: ["SLSA_BUILD_LEVEL_3", other] }), [
        "duplicate-track-level /verifiedLevels",
      ]);
    }
  });

  it("lists levels that contradict the result", () => {
    deepEqual(faults({ verifiedLevels: ["FAILED"] }), ["invalid-level /verifiedLevels"]);
    deepEqual(faults({ verificationResult: "FAILED" }), ["invalid-level /verifiedLevels"]);
    deepEqual(faults({ verificationResult: "FAILED", verifiedLevels: [] }), [
      "missing-predicate-field /verifiedLevels",
    ]);
  });
});

describe("parseVsaPredicate()", () => {
  it("reads text, bytes and objects", () => {
    const text = JSON.stringify(GOOD);
    deepEqual(parseVsaPredicate(text), GOOD);
    deepEqual(parseVsaPredicate(new TextEncoder().encode(text)), GOOD);
  });

  it("keeps words that it does not know, and throws the first problem of the shape", () => {
    const unknown = { ...GOOD, verifiedLevels: ["SLSA_FUTURE_PROPERTY"] };
    deepEqual(parseVsaPredicate(unknown), unknown);
    throws(
      () => parseVsaPredicate({ ...GOOD, resourceUri: "" }),
      (error: unknown) => isAttestationError(error) && error.path === "/resourceUri",
    );
  });

  it("does not take the words of a version before 1.0 for its own", () => {
    throws(() =>
      parseVsaPredicate({
        verifier: { id: "v" },
        time_verified: "2026-01-01T00:00:00Z",
        resource_uri: "r",
        policy: { uri: "p" },
        verification_result: "PASSED",
        policy_level: "SLSA_LEVEL_3",
      }), (error: unknown) => isAttestationError(error) && error.path === "/resourceUri");
  });
});

describe("words of a VSA", () => {
  it("parseTrackLevel() reads whole words only", () => {
    deepEqual(parseTrackLevel("SLSA_SOURCE_LEVEL_4"), { track: "SOURCE", level: 4 });
    for (const word of ["SLSA_BUILD_LEVEL_", "slsa_build_level_1", "XSLSA_BUILD_LEVEL_1", ""]) {
      equal(parseTrackLevel(word), undefined);
    }
  });

  it("isSlsaResult() knows the properties, and any word without SLSA_", () => {
    for (const word of ["SLSA_SOURCE_TWO_PARTY_REVIEWED", "SLSA_BUILD_REPRODUCED", "BCID_L1"]) {
      equal(isSlsaResult(word), true);
    }
    equal(isSlsaResult("SLSA_MADE_UP"), false);
  });

  it("highestPerTrack() leaves one level of each track", () => {
    deepEqual(
      highestPerTrack([
        "SLSA_BUILD_LEVEL_2",
        "OWN",
        "SLSA_BUILD_LEVEL_10",
        "SLSA_SOURCE_LEVEL_UNEVALUATED",
        "SLSA_BUILD_LEVEL_UNEVALUATED",
        "OWN",
      ]),
      ["OWN", "SLSA_BUILD_LEVEL_10", "SLSA_SOURCE_LEVEL_UNEVALUATED"],
    );
    deepEqual([...repeatedTracks(["SLSA_BUILD_LEVEL_2", "SLSA_SOURCE_LEVEL_2"])], []);
  });
});
