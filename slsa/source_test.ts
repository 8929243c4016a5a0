import { strictEqual as equal } from "node:assert/strict";
import { describe, it } from "node:test";
import { isProportional } from "../tests/fixtures/growth.ts";
import { canonicalRepository, commitOf, splitRef } from "./source.ts";

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
  });
});

describe("commitOf()", () => {
  it("reads gitCommit, then sha1, as 40 or 64 hex digits", () => {
    equal(commitOf({ sha1: "A".repeat(40) }), "a".repeat(40));
    equal(commitOf({ sha1: "b".repeat(40), gitCommit: "c".repeat(64) }), "c".repeat(64));
    for (
      const digest of [{}, null, [], { gitCommit: "abc" }, { sha256: "a".repeat(64) }, { sha1: 1 }]
    ) {
      equal(commitOf(digest), undefined);
    }
  });
});
