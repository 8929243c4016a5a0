import { deepStrictEqual as deepEqual, strictEqual as equal } from "node:assert/strict";
import { describe, it } from "node:test";
import type { JsonObject } from "../internal/json.ts";
import type { ResourceDescriptor } from "../intoto/resource_descriptor.ts";
import { isProportional } from "../tests/fixtures/growth.ts";
import { canonicalRepository, commitOf, sourceOfV1, splitRef } from "./source.ts";

describe("canonicalRepository()", () => {
  it("has one spelling for the same repository", () => {
    for (
      const uri of [
        "github.com/acme/App",
        "https://github.com/acme/App",
        "git+https://github.com/acme/App",
        "git+https://GitHub.COM/acme/App.git",
        "https://github.com/acme/App.git/",
        "github.com/acme/App//",
      ]
    ) equal(canonicalRepository(uri), "git+https://github.com/acme/App", uri);
    equal(canonicalRepository("git+ssh://git@host/a/b"), "git+ssh://git@host/a/b");
  });

  it("keeps different repositories apart", () => {
    for (
      const uri of ["http://github.com/acme/App", "github.com/acme/app", "github.com/acme/App.gits"]
    ) equal(canonicalRepository(uri) === "git+https://github.com/acme/App", false, uri);
  });

  it("takes 2048 characters", () => {
    const longest = `git+https://h/${"a".repeat(2034)}`;
    equal(canonicalRepository(longest), longest);
    equal(canonicalRepository(`${longest}a`), undefined);
  });

  it("takes nothing else for a repository", () => {
    for (
      const uri of [
        "",
        "acme",
        "/acme/app",
        "https://github.com",
        "https://github.com/",
        "https:///acme/app",
        "https://github.com/acme/../evil",
        "https://github.com/acme/./app",
        "https://github.com/acme//app",
        "https://github.com/acme/.git",
        "https://github.com/acme/app.git.git",
        `github.com/${"a".repeat(2037)}`,
        "https://github.com/acme/app?x",
        "https://github.com/acme/app#x",
        "https://github.com/acme/a b",
        "https://github.com/acme/app\n",
        `github.com/${"a".repeat(3000)}`,
      ]
    ) equal(canonicalRepository(uri), undefined, uri);
  });

  it("takes time that grows with the length, not with its square", async () => {
    const work = (length: number) => {
      const uri = `${"a/".repeat(length / 2)} `;
      return () => {
        for (let i = 0; i < 500; i++) equal(canonicalRepository(uri), undefined);
      };
    };
    equal(await isProportional(work, 2000), true);
  });
});

describe("splitRef()", () => {
  it("splits at the last @ behind the host", () => {
    const split = (uri: string) => {
      const found = splitRef(uri);
      return `${found.uri} ${found.ref}`;
    };
    equal(split("git+https://h/a/b@refs/heads/x"), "git+https://h/a/b refs/heads/x");
    equal(split("git+https://h/a@b@v1"), "git+https://h/a@b v1");
    equal(split("git+ssh://git@h/a/b"), "git+ssh://git@h/a/b undefined");
    equal(split("h/a/b"), "h/a/b undefined");
    equal(split("a@b"), "a@b undefined");
    equal(split("/a@b"), "/a b");
    equal(split("://user@h/a"), "://user@h/a undefined");
  });
});

describe("commitOf()", () => {
  it("reads gitCommit, then sha1, as 40 or 64 hex digits", () => {
    equal(commitOf({ sha1: "A".repeat(40) }), "a".repeat(40));
    equal(commitOf({ sha1: "b".repeat(40), gitCommit: "c".repeat(64) }), "c".repeat(64));
    for (
      const digest of [
        {},
        null,
        [],
        { gitCommit: "abc" },
        { sha256: "a".repeat(64) },
        { sha1: 1 },
        {
          sha1: ["a".repeat(40)],
        },
      ]
    ) {
      equal(commitOf(digest), undefined);
    }
  });
});

describe("sourceOfV1()", () => {
  const WORKFLOW = "https://slsa-framework.github.io/github-actions-buildtypes/workflow/v1";
  const CONTAINER = "https://slsa.dev/container-based-build/v0.1";
  const DELEGATOR = "https://github.com/slsa-framework/slsa-github-generator/delegator-generic@v0";
  const REPOSITORY = "git+https://h/a/b", COMMIT = "a".repeat(40), REF = "refs/heads/main";
  const digest = { gitCommit: COMMIT };
  const of = (type: string, parameters: unknown, ...dependencies: ResourceDescriptor[]) =>
    sourceOfV1(type, parameters as JsonObject, dependencies);

  it("reads a workflow, and the commit of its repository at its ref", () => {
    const workflow = { repository: "https://h/a/b", ref: REF, path: "ci.yml" };
    const whole = { uri: REPOSITORY, ref: REF, commit: COMMIT, entryPoint: "ci.yml" };
    deepEqual(of(WORKFLOW, { workflow }, { uri: `${REPOSITORY}@${REF}`, digest }), whole);
    const { commit: _, ...without } = whole;
    const others = [
      { digest },
      { uri: REPOSITORY, digest },
      { uri: `${REPOSITORY}@refs/heads/evil`, digest },
      { uri: `git+https://h/a/c@${REF}`, digest },
      { uri: `${REPOSITORY}@${REF}`, digest: { sha256: "a".repeat(64) } },
    ];
    for (const other of others) deepEqual(of(WORKFLOW, { workflow }, other), without);
  });

  it("reads a workflow without a ref, and no member that is no text", () => {
    const workflow = { repository: "https://h/a/b", path: 7 };
    for (const ref of [undefined, "", 7, null]) {
      const found = of(
        WORKFLOW,
        { workflow: { ...workflow, ref } },
        { uri: `${REPOSITORY}@undefined`, digest },
        { uri: REPOSITORY, digest: { gitCommit: "b".repeat(40) } },
      );
      deepEqual(found, { uri: REPOSITORY, commit: "b".repeat(40) });
    }
  });

  it("reads the source of a container build", () => {
    const source = { uri: `${REPOSITORY}@${REF}`, digest };
    deepEqual(of(CONTAINER, { source, configPath: "c.toml" }), {
      uri: REPOSITORY,
      ref: REF,
      commit: COMMIT,
      entryPoint: "c.toml",
    });
  });

  it("reads the first dependency where the build type says so", () => {
    const first = { uri: `${REPOSITORY}@${REF}`, digest };
    deepEqual(of(DELEGATOR, {}, first), { uri: REPOSITORY, ref: REF, commit: COMMIT });
    deepEqual(of(DELEGATOR, {}), undefined);
    for (const other of [{ digest }, { uri: "https://h/a/b", digest }]) {
      deepEqual(of(DELEGATOR, {}, other, first), undefined);
    }
  });

  it("finds nothing in what has another form, or an unknown build type", () => {
    for (const value of [undefined, null, 7, "https://h/a/b", [], {}]) {
      equal(of(WORKFLOW, { workflow: value }), undefined);
      equal(of(CONTAINER, { source: value }), undefined);
    }
    for (const uri of [7, null, ["https://h/a/b"], "no address"]) {
      equal(of(WORKFLOW, { workflow: { repository: uri } }), undefined);
      equal(of(CONTAINER, { source: { uri } }), undefined);
    }
    equal(of("https://example.com/own", { workflow: { repository: "https://h/a/b" } }), undefined);
  });
});
