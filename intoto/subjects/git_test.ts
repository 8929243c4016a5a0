import { deepStrictEqual as deepEqual, rejects, strictEqual as equal } from "node:assert/strict";
import { describe, it } from "node:test";
import { isAttestationError } from "../../errors.ts";
import { concat, utf8 } from "../../internal/bytes.ts";
import { type GitObject, gitSubject } from "./git.ts";

const WHO = "A <a@acme.example> 1700000000 +0000";
const TREE = "4b825dc642cb6eb9a060e54bf8d69288fbee4904";
const TREE_256 = "6ef19b41225c5369f1c104d45d8d85efa9b057b53b14b4b9b939dd74decc5321";

const commitText = (tree: string): string => `tree ${tree}\nauthor ${WHO}\ncommitter ${WHO}\n\nx\n`;

/** Ids of `git hash-object`, in repositories of both object formats. */
const COMMIT: GitObject = {
  type: "commit",
  content: utf8(commitText(TREE)),
  id: "91c197871db52ec628bdc306b03ac959a5e370ed",
};
const COMMIT_256: GitObject = {
  type: "commit",
  content: utf8(commitText(TREE_256)),
  id: "7070f3279b48b582cfe6013c3a14e10288867058e83b132d0ab3ba1cc8aa098f",
};
const TAG: GitObject = {
  type: "tag",
  content: utf8(`object ${COMMIT.id}\ntype commit\ntag v1\ntagger ${WHO}\n\nx\n`),
  id: "0dc89e00f777312d7b222245c28df70df0455725",
};

async function reasonOf(object: GitObject): Promise<string> {
  try {
    await gitSubject(object);
    return "accepted";
  } catch (error) {
    if (!isAttestationError(error)) throw error;
    return error.reason;
  }
}

describe("gitSubject()", () => {
  it("computes the ids that git computes, of both object formats", async () => {
    deepEqual(await gitSubject(COMMIT, { name: "HEAD" }), {
      name: "HEAD",
      digest: { gitCommit: COMMIT.id },
    });
    deepEqual((await gitSubject(COMMIT_256)).digest, { gitCommit: COMMIT_256.id });
    deepEqual((await gitSubject(TAG, { uri: "git+https://git.example/a" })).digest, {
      gitTag: TAG.id,
    });
  });

  it("refuses bytes that are another object than the id says", async () => {
    equal(await reasonOf({ ...COMMIT, id: TAG.id }), "subject-mismatch");
    const content = utf8(commitText(TREE).replace("x\n", "y\n"));
    equal(await reasonOf({ ...COMMIT, content }), "subject-mismatch");
    equal(await reasonOf({ ...COMMIT, id: COMMIT_256.id }), "unsupported-git-object");
    equal(await reasonOf({ ...COMMIT_256, id: COMMIT.id }), "unsupported-git-object");
  });

  it("refuses ids that are cut, in upper case, or no hex", async () => {
    for (const id of [COMMIT.id.slice(1), COMMIT.id.toUpperCase(), "HEAD", "", "z".repeat(40)]) {
      equal(await reasonOf({ ...COMMIT, id }), "invalid-digest", id);
    }
  });

  it("refuses what is neither a commit nor an annotated tag", async () => {
    equal(await reasonOf({ ...COMMIT, type: "tag" }), "unsupported-git-object");
    equal(await reasonOf({ ...TAG, type: "commit" }), "unsupported-git-object");
    for (const type of ["blob", "tree", "__proto__"]) {
      const object = { ...COMMIT, type } as unknown as GitObject;
      equal(await reasonOf(object), "unsupported-git-object", type);
    }
    for (const content of ["", "tree\n", `tree ${TREE}\nparent x\n`, `\ufefftree ${TREE}\n`]) {
      equal(await reasonOf({ ...COMMIT, content: utf8(content) }), "unsupported-git-object");
    }
    await rejects(gitSubject(COMMIT, { url: "x" } as object), TypeError);
  });

  it("reads a header with names that are no UTF-8, and bounds the object", async () => {
    const content = concat(
      utf8(`tree ${TREE}\nauthor `),
      Uint8Array.of(0xff, 0xe9),
      utf8(` <a@acme.example> 0 +0000\ncommitter ${WHO}\n\n`),
    );
    equal(await reasonOf({ ...COMMIT, content }), "subject-mismatch");
    equal(
      await reasonOf({ ...COMMIT, content: new Uint8Array((16 << 20) + 1) }),
      "limit-exceeded",
    );
    const largest = new Uint8Array(16 << 20);
    largest.set(content);
    equal(await reasonOf({ ...COMMIT, content: largest }), "subject-mismatch");
  });
});
