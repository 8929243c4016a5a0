/** `docs/buildtypes.md` names every variable that is read and every URI that is written. */

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, it } from "node:test";
import { GITHUB_BUILD_TYPE, LOCAL_BUILDER, OWN_BUILD_TYPES } from "../slsa/build_types.ts";
import { FINISHED, PLATFORMS, SUBJECT } from "../slsa/ci/_environments_test.ts";
import { createCiProvenance } from "../slsa/ci/mod.ts";

const page = readFileSync(new URL("../docs/buildtypes.md", import.meta.url), "utf8");
const words = new Set(page.match(/[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+|BUILDKITE|CIRCLECI|LOCATION/g));

/** Variables that only say what a forge is not. */
const MARKS = ["GITEA_ACTIONS", "FORGEJO_ACTIONS"];

describe("docs/buildtypes.md", () => {
  it("names every URI", () => {
    for (const uri of [GITHUB_BUILD_TYPE, LOCAL_BUILDER, ...Object.values(OWN_BUILD_TYPES)]) {
      assert.ok(page.includes(`\`${uri}\``), uri);
    }
  });

  for (const [platform, { environment, token }] of Object.entries(PLATFORMS)) {
    it(`names what is read on ${platform}, and nothing else of that platform`, () => {
      const read = new Set<string>();
      for (const changes of [{}, { CI_COMMIT_TAG: "", CIRCLE_TAG: "", TAG_NAME: "" }]) {
        const watched = new Proxy({ ...environment, ...changes }, {
          get(target, name) {
            if (typeof name === "string") read.add(name);
            return Reflect.get(target, name);
          },
        });
        const source = { repository: "https://github.com/acme/app" };
        const given = platform === "google-cloud-build" ? { source } : {};
        try {
          createCiProvenance(SUBJECT, watched, {
            finishedOn: FINISHED,
            ...given,
            ...(token === undefined ? {} : { identityToken: token }),
          });
        } catch {
          // What it looked at before it refused counts too.
        }
      }
      const unnamed = [...read].filter((name) => !words.has(name) && !MARKS.includes(name));
      assert.deepEqual(unnamed, []);
      const prefix =
        { github: "GITHUB_", gitlab: "CI_", buildkite: "BUILDKITE_", circleci: "CIRCLE_" }[
          platform
        ];
      const elsewhere = ["GITHUB_EVENT_PATH", "BUILDKITE_PULL_REQUEST", "CIRCLE_OIDC_TOKEN_V2"];
      const unread = [...words].filter((name) =>
        prefix !== undefined && name.startsWith(prefix) && !read.has(name) &&
        !elsewhere.includes(name)
      );
      assert.deepEqual(unread, []);
    });
  }
});
