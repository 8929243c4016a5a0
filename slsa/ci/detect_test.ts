import { deepStrictEqual as deepEqual, ok, strictEqual as equal, throws } from "node:assert/strict";
import { describe, it } from "node:test";
import { isAttestationError } from "../../errors.ts";
import { GITHUB, PLATFORMS } from "./_environments_test.ts";
import { BUILD_PLATFORMS, detectBuildPlatform } from "./detect.ts";

describe("detectBuildPlatform()", () => {
  it("finds each platform by its own variables", () => {
    for (const [platform, { environment }] of Object.entries(PLATFORMS)) {
      equal(detectBuildPlatform(environment), platform);
    }
    deepEqual(Object.keys(PLATFORMS).concat("local").sort(), [...BUILD_PLATFORMS].sort());
  });

  it("lists what it looked for where it finds nothing", () => {
    const environments = [
      {},
      { CI: "true" },
      { GITHUB_ACTIONS: "false", GITLAB_CI: "1", BUILDKITE: "", CIRCLECI: "TRUE" },
      { PROJECT_ID: "acme", BUILD_ID: "17" },
      { PROJECT_ID: "", BUILD_ID: "1a2b3c4d-0000-4000-8000-123456789abc" },
      // Forges with the same workflows are other builders.
      { ...GITHUB, GITEA_ACTIONS: "true" },
      { ...GITHUB, FORGEJO_ACTIONS: "true" },
    ];
    for (const environment of environments) {
      try {
        detectBuildPlatform(environment);
        ok(false, "not reached");
      } catch (error) {
        if (!isAttestationError(error)) throw error;
        equal(error.reason, "unknown-build-environment");
        for (const name of ["GITHUB_ACTIONS", "GITLAB_CI", "PROJECT_ID", "BUILDKITE", "CIRCLECI"]) {
          ok(error.message.includes(name), error.message);
        }
      }
    }
  });

  it("refuses to choose between two", () => {
    throws(() => detectBuildPlatform({ ...GITHUB, GITLAB_CI: "true" }), {
      reason: "conflicting-build-fact",
    });
  });
});
