import { strictEqual as equal } from "node:assert/strict";
import { describe, it } from "node:test";
import { gitCommit, gitRef, repositoryPath, repositoryUrl } from "./git.ts";

describe("repositoryUrl()", () => {
  const urls: Record<string, string | undefined> = {
    "https://github.com/acme/app": "https://github.com/acme/app",
    "https://github.com/acme/app.git": "https://github.com/acme/app",
    "https://GitHub.com/acme/App/": "https://github.com/acme/App",
    "git+https://github.com/acme/app": "https://github.com/acme/app",
    "github.com/acme/app": "https://github.com/acme/app",
    "git@github.com:acme/app.git": "https://github.com/acme/app",
    "ssh://git@git.example:2222/acme/app.git": "https://git.example/acme/app",
    "git://git.example/acme/app": "https://git.example/acme/app",
    "https://git.example:8443/acme/app": "https://git.example:8443/acme/app",
    "http://git.example/acme/app": "http://git.example/acme/app",
    "https://user:secret@git.example/acme/app.git": "https://git.example/acme/app",
    "https://token@git.example/acme/app": "https://git.example/acme/app",
    "https://git.example/a/b/c/app": "https://git.example/a/b/c/app",
    "https://git.example": undefined,
    "https://git.example/": undefined,
    "https://git.example/acme/app?x=1": undefined,
    "https://git.example/acme/app#x": undefined,
    "https://git.example/acme/ app": undefined,
    "ftp://git.example/acme/app": undefined,
    "file:///srv/git/app.git": undefined,
    "/srv/git/app.git": undefined,
    "../app": undefined,
    "C:\\git\\app": undefined,
    "git@github.com:/acme/app": "https://github.com/acme/app",
    "javascript:alert(1)": undefined,
    "app": undefined,
    "-x.example/acme/app\n": undefined,
    "git@github.com://acme/app": undefined,
    "": undefined,
  };
  for (const [text, url] of Object.entries(urls)) {
    it(`takes ${JSON.stringify(text)} for ${url ?? "none"}`, () => equal(repositoryUrl(text), url));
  }
});

describe("gitRef(), gitCommit() and repositoryPath()", () => {
  it("accept what git does", () => {
    for (
      const ref of [
        "refs/heads/main",
        "refs/tags/v1.2.3",
        "refs/pull/1/merge",
        "refs/tags/@a/b@1",
        "refs/heads/ä",
      ]
    ) {
      equal(gitRef(ref), ref);
    }
    equal(gitCommit("A".repeat(40)), "a".repeat(40));
    equal(gitCommit("a".repeat(64)), "a".repeat(64));
    for (const path of ["Makefile", ".gitlab-ci.yml", "a/b c/d"]) equal(repositoryPath(path), path);
  });

  it("refuse the rest", () => {
    const refs = [
      "",
      "main",
      "heads/main",
      "refs/main",
      "refs/heads/",
      "refs/heads/a b",
      "refs/heads/a\u007fb",
      "refs/heads/a:b",
      "refs/heads/a?",
      "refs/heads/a[",
      "refs/heads/a\\b",
      "refs/heads/a.",
      "refs/heads/a/.b",
      "refs/heads/a.lock/b",
    ];
    for (const ref of refs) equal(gitRef(ref), undefined, ref);
    for (
      const commit of ["", "HEAD", "a".repeat(39), "a".repeat(41), "g".repeat(40), "0".repeat(64)]
    ) {
      equal(gitCommit(commit), undefined, commit);
    }
    for (const path of ["", "/", "/a", "a/", "./a", "..", "a/../b", "a@b", "a:b"]) {
      equal(repositoryPath(path), undefined, path);
    }
  });
});
