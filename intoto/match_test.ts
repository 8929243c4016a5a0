import { ok, strictEqual as equal, throws } from "node:assert/strict";
import { describe, it } from "node:test";
import { isProportional } from "../tests/fixtures/growth.ts";
import type { DigestSet } from "./digest_set.ts";
import {
  type MatchMode,
  type MatchOptions,
  type MatchResult,
  matchSubject,
  matchSubjects,
} from "./match.ts";

const A = "a".repeat(64), B = "b".repeat(64), C = "c".repeat(64);
const LONG_A = "a".repeat(128), LONG_B = "b".repeat(128);
const SHA1 = "1".repeat(40);
const MD5 = "5".repeat(32);

function statement(...digests: DigestSet[]) {
  return { subject: digests.map((digest, i) => ({ name: `f${i}`, digest })) };
}

/** Places of the subjects that match, or the reason. */
function outcome(result: MatchResult): string {
  if (result.ok) {
    equal(result.errorReason, null);
    return result.matched.map(({ index }) => index).join();
  }
  equal(result.error.reason, result.errorReason);
  ok(/^Cannot match subjects: .*[^.]$/s.test(result.error.message));
  return result.errorReason;
}

function one(subjects: DigestSet[], digest: DigestSet, options?: MatchOptions): string {
  return outcome(matchSubject(statement(...subjects), digest, options));
}

function many(subjects: DigestSet[], digests: DigestSet[], mode: MatchMode): string {
  return outcome(matchSubjects(statement(...subjects), digests, { mode }));
}

describe("matchSubject()", () => {
  it("finds every subject with an equal digest, in order", () => {
    equal(one([{ sha256: A }], { sha256: A }), "0");
    equal(one([{ sha256: B }, { sha256: A }, { sha256: A }], { sha256: A }), "1,2");
    equal(one([{ sha256: B }, { sha512: LONG_A }], { sha256: A, sha512: LONG_A }), "1");
    const { subject } = statement({ sha256: A });
    const result = matchSubject({ subject }, { sha256: A });
    ok(result.ok && result.matched[0].subject === subject[0]);
  });

  it("keeps the examples of the specification", () => {
    const sets = { sha256: A, sha512: LONG_B };
    equal(one([sets], { sha256: A }), "0");
    equal(one([{ sha256: A }], sets), "0");
    equal(one([{ sha256: A }], { sha256: B, sha512: LONG_A }), "subject-mismatch");
  });

  it("refuses an artifact that is no subject", () => {
    equal(one([{ sha256: A }, { sha256: B }], { sha256: C }), "subject-mismatch");
    equal(one([{ sha512: LONG_A }], { sha256: A }), "subject-mismatch");
    equal(one([{ sha256: A }], { sha256: `${A.slice(1)}b` }), "subject-mismatch");
    equal(one([{ sha256: A.slice(1) }], { sha256: A }), "subject-mismatch");
    equal(one([{ sha256: `${A}a` }], { sha256: A }), "subject-mismatch");
  });

  it("does not compare values across algorithms", () => {
    equal(one([{ sha3_256: A }], { sha256: A }), "subject-mismatch");
    equal(one([{ sha512_256: A }], { sha256: A }), "subject-mismatch");
  });

  it("compares hex in either case, and no other letters", () => {
    equal(one([{ sha256: A.toUpperCase() }], { sha256: A }), "0");
    equal(one([{ sha256: A }], { sha256: A.toUpperCase() }), "0");
    const options = { algorithms: ["sha256", "arn"] };
    equal(one([{ arn: "Bucket" }], { arn: "bucket" }, options), "subject-mismatch");
    equal(one([{ arn: "bucket" }], { arn: "bucket" }, options), "0");
  });

  it("does not take a match by MD5, SHA-1 or an unknown algorithm", () => {
    const sets: DigestSet[] = [{ sha1: SHA1 }, { md5: MD5 }, { sha1: SHA1, md5: MD5 }];
    for (const digest of sets) {
      equal(one([digest], digest), "unsupported-digest-algorithm");
      equal(one([digest], { ...digest, sha256: A }), "unsupported-digest-algorithm");
      equal(one([{ ...digest, sha256: A }], digest), "unsupported-digest-algorithm");
      equal(one([{ ...digest, sha256: A }], { ...digest, sha256: B }), "subject-mismatch");
    }
    equal(one([{ arn: "x" }], { arn: "x" }), "unsupported-digest-algorithm");
    equal(one([{ SHA256: A }], { sha256: A }), "unsupported-digest-algorithm");
    equal(one([{ sha256: A }], { SHA256: A }), "unsupported-digest-algorithm");
    equal(one([{ sha224: A.slice(8) }], { sha224: A.slice(8) }), "unsupported-digest-algorithm");
    equal(one([{ sha256: A }], {}), "unsupported-digest-algorithm");
  });

  it("does not let SHA-1 suffice when it is named, but sees its conflicts", () => {
    const options = { algorithms: ["sha256", "sha1"] };
    const other = SHA1.replaceAll("1", "2");
    equal(
      one([{ sha1: SHA1 }], { sha1: SHA1, sha256: A }, options),
      "unsupported-digest-algorithm",
    );
    equal(
      one([{ sha1: SHA1, sha256: B }], { sha1: SHA1, sha256: A }, options),
      "subject-mismatch",
    );
    equal(
      one([{ sha1: SHA1, sha256: B }], { sha1: SHA1 }, options),
      "unsupported-digest-algorithm",
    );
    const both = { sha1: SHA1, sha256: A };
    equal(one([both], both, options), "0");
    equal(one([{ sha1: other, sha256: A }], both, options), "subject-conflict");
    equal(one([{ sha1: other, sha256: A }], both), "0");
  });

  it("refuses a subject that agrees under one algorithm and differs under another", () => {
    const artifact = { sha256: A, sha512: LONG_A };
    const liar = { sha256: A, sha512: LONG_B };
    equal(one([liar], artifact), "subject-conflict");
    equal(one([{ sha512: LONG_A, sha256: B }], artifact), "subject-conflict");
    equal(one([artifact, liar], artifact), "subject-conflict");
    equal(one([liar], artifact, { digestMatch: "any" }), "0");
    equal(one([{ sha256: A.slice(1), sha512: LONG_A }], artifact), "subject-conflict");
    const result = matchSubject(statement({ sha256: B }, liar), artifact);
    equal(!result.ok && result.error.path, "/subject/1/digest");
  });

  it("matches git object ids only where the artifact is given as one", () => {
    const commit = { gitCommit: SHA1 };
    equal(one([commit], commit), "0");
    equal(one([commit], { sha1: SHA1 }), "unsupported-digest-algorithm");
    equal(one([{ sha1: SHA1 }], commit), "unsupported-digest-algorithm");
    equal(one([commit], { sha256: A }), "subject-mismatch");
    equal(one([commit], { gitTree: SHA1 }), "subject-mismatch");
  });

  it("does not compare git ids of the two object formats", () => {
    equal(one([{ gitCommit: SHA1 }], { gitCommit: A }), "subject-mismatch");
    equal(one([{ gitCommit: SHA1, sha256: A }], { gitCommit: B, sha256: A }), "0");
    const other = SHA1.replaceAll("1", "2");
    equal(
      one([{ gitCommit: SHA1, sha256: A }], { gitCommit: other, sha256: A }),
      "subject-conflict",
    );
  });

  it("matches under every algorithm of its default", () => {
    const short = ["sha256", "sha512_256", "sha3_256", "blake2s"];
    for (const algorithm of short) equal(one([{ [algorithm]: A }], { [algorithm]: A }), "0");
    const long = ["sha512", "sha3_512", "blake2b"];
    for (const algorithm of long) {
      equal(one([{ [algorithm]: LONG_A }], { [algorithm]: LONG_A }), "0");
    }
    const middle = "a".repeat(96);
    for (const name of ["sha384", "sha3_384"]) {
      equal(one([{ [name]: middle }], { [name]: middle }), "0");
    }
  });

  it("narrows and widens by option", () => {
    const options = { algorithms: ["sha512"] };
    equal(one([{ sha256: A }], { sha256: A }, options), "unsupported-digest-algorithm");
    equal(one([{ sha512: LONG_A, sha256: B }], { sha512: LONG_A, sha256: A }, options), "0");
    equal(one([{ sha224: A.slice(8) }], { sha224: A.slice(8) }, { algorithms: ["sha224"] }), "0");
  });

  it("refuses a digest of the artifact that cannot be one", () => {
    for (const value of ["", "abc", `sha256:${A}`, "z".repeat(64), A.slice(1)]) {
      equal(one([{ sha256: value }], { sha256: value }), "invalid-digest", value);
    }
    equal(one([{ sha256: A }], { sha256: A, sha512: "abc" }), "invalid-digest");
  });

  it("is not confused by names of prototype members", () => {
    const algorithms = ["__proto__", "constructor", "toString", "sha256"];
    const digest = JSON.parse(`{"__proto__":"x","constructor":"y","toString":"z"}`);
    equal(one([{ sha256: A }], digest, { algorithms }), "subject-mismatch");
    equal(one([digest], digest, { algorithms }), "0");
    equal(one([{ sha256: A }], { ...digest, sha256: A }, { algorithms }), "0");
    const named = JSON.parse(`{"__proto__":"x","sha256":"${A}"}`);
    equal(one([{ sha256: A }], named, { algorithms }), "0");
    equal(one([digest], { sha256: A }), "unsupported-digest-algorithm");
  });

  it("tells what was wanted and found, short and without controls", () => {
    const evil = `\u001b[2J\u202e${"x".repeat(10_000)}`;
    const { subject } = statement(...Array(1000).fill({ sha256: B, [evil]: evil }));
    for (const descriptor of subject) descriptor.name = evil;
    const result = matchSubject({ subject }, { sha256: A });
    ok(!result.ok);
    equal(result.wanted, `sha256:${A}`);
    ok(result.found.includes(`sha256:${B}`) && result.found.endsWith("; and 997 more"));
    ok(result.error.message.length < 2000);
    for (const text of [result.error.message, result.found]) {
      // deno-lint-ignore no-control-regex
      ok(!/[\u0000-\u001f\u202e]/.test(text));
    }
  });

  it("tells all of three, and how many more there are of four", () => {
    const found = (...digests: DigestSet[]) => {
      const result = matchSubject(statement(...digests), { sha256: A });
      return !result.ok && result.found;
    };
    const [md5, sha1, arn, url] = [{ md5: MD5 }, { sha1: SHA1 }, { arn: "x" }, { url: "y" }];
    equal(found(), "none");
    equal(found({}), '"f0" no digest');
    equal(found(md5, sha1, arn), `"f0" md5:${MD5}; "f1" sha1:${SHA1}; "f2" arn:x`);
    ok(String(found(md5, sha1, arn, url)).endsWith("; and 1 more"));
    equal(found({ ...md5, ...sha1, ...arn }), `"f0" md5:${MD5} sha1:${SHA1} arn:x`);
    equal(
      found({ ...md5, ...sha1, ...arn, ...url }),
      `"f0" md5:${MD5} sha1:${SHA1} arn:x and 1 more`,
    );
  });

  it("finds nothing among no subjects", () => {
    equal(one([], { sha256: A }), "unsupported-digest-algorithm");
  });

  it("passes over subjects without a digest that is a text", () => {
    for (const digest of [undefined, null, {}, { sha256: null }, { sha256: 7 }]) {
      const { subject } = statement(digest as unknown as DigestSet, { sha256: A }, { sha256: B });
      equal(outcome(matchSubject({ subject }, { sha256: A })), "1");
      equal(outcome(matchSubjects({ subject }, [{ sha256: A }, { sha256: B }])), "1,2");
    }
  });

  it("refuses options that it does not know", () => {
    const digest = { sha256: A };
    throws(() => one([digest], digest, { algorithm: ["sha256"] } as MatchOptions), TypeError);
    throws(
      () => one([digest], digest, { digestMatch: "all" } as unknown as MatchOptions),
      RangeError,
    );
    for (const algorithms of [[], ["sha1"], ["md5", "sha1", "ripemd160"]]) {
      throws(() => one([digest], digest, { algorithms }), RangeError);
    }
  });
});

describe("matchSubjects()", () => {
  const a = { sha256: A }, b = { sha256: B }, c = { sha256: C };

  it("any: wants each artifact among the subjects", () => {
    equal(many([a, b, c], [b], "any"), "1");
    equal(many([a, b, c], [c, a], "any"), "0,2");
    equal(many([a, b], [a, c], "any"), "subject-mismatch");
    equal(many([a, b], [c], "any"), "subject-mismatch");
  });

  it("all: wants each subject among the artifacts too", () => {
    equal(many([a, b], [b, a], "all"), "0,1");
    equal(many([a, b, c], [b, a], "all"), "subject-mismatch");
    equal(many([a, b], [a, b, c], "all"), "subject-mismatch");
    equal(many([a], [a], "all"), "0");
    equal(many([a, a], [a], "all"), "0,1");
    const result = matchSubjects(statement(a, b, c), [a, c], { mode: "all" });
    equal(!result.ok && result.error.path, "/subject/1");
    ok(!result.ok && result.wanted.includes(B));
  });

  it("exact: wants one artifact for each subject", () => {
    equal(many([a, b], [b, a], "exact"), "0,1");
    equal(many([a, b, c], [b, a], "exact"), "subject-mismatch");
    equal(many([a, a], [a], "exact"), "subject-mismatch");
    const more = { sha256: A, sha512: LONG_A };
    equal(many([more], [a, more], "exact"), "subject-mismatch");
    equal(many([more], [a, more], "all"), "0");
  });

  it("counts an artifact that is given twice once", () => {
    equal(many([a], [a, { sha256: A.toUpperCase() }], "exact"), "0");
    equal(many([a, b], [a, a], "all"), "subject-mismatch");
    equal(many([a, b], [a, a], "exact"), "subject-mismatch");
  });

  it("wants at least one artifact", () => {
    for (const mode of ["any", "all", "exact"] as const) {
      equal(many([a], [], mode), "artifact-required");
      equal(many([], [], mode), "artifact-required");
    }
  });

  it("refuses conflicts, broken algorithms and bad digests among several artifacts", () => {
    const liar = { sha256: B, sha512: LONG_B };
    const artifacts = [a, { sha256: B, sha512: LONG_A }];
    equal(many([a, liar], artifacts, "any"), "subject-conflict");
    equal(
      outcome(matchSubjects(statement(a, liar), artifacts, { mode: "any", digestMatch: "any" })),
      "0,1",
    );
    const weak = { sha1: SHA1 };
    equal(many([a, weak], [a, weak], "any"), "unsupported-digest-algorithm");
    equal(many([a, weak], [a, { sha1: SHA1, sha256: C }], "any"), "subject-mismatch");
    equal(many([a, b], [a, { sha256: "b" }], "any"), "invalid-digest");
    equal(many([{ sha256: A.toUpperCase() }, b], [a, b], "any"), "0,1");
  });

  it("gives for one of several artifacts what it gives for it alone", () => {
    const digests: DigestSet[] = [
      a,
      { sha256: A, sha512: LONG_A },
      { sha512: LONG_A },
      { sha256: B, sha512: LONG_A },
      { sha256: A.toUpperCase(), md5: MD5 },
    ];
    for (const artifact of digests) {
      for (const first of digests) {
        for (const second of digests) {
          const subjects = [first, second, c];
          const alone = one(subjects, artifact);
          const together = many(subjects, [c, artifact], "any");
          equal(together, /^[\d,]+$/.test(alone) ? `${alone},2` : alone);
        }
      }
    }
  });

  it("refuses a mode that it does not know", () => {
    throws(() => many([a], [a], "every" as MatchMode), RangeError);
    throws(() => matchSubjects(statement(a), [a], { x: 1 } as MatchOptions), TypeError);
  });

  it("takes time that grows with artifacts plus subjects", async () => {
    const work = (count: number) => {
      const digests = Array.from({ length: count }, (_, i) => ({
        sha256: i.toString(16).padStart(64, "0"),
      }));
      const subjects = statement(...digests);
      const artifacts = digests.toReversed();
      return () => {
        const result = matchSubjects(subjects, artifacts, { mode: "exact" });
        equal(result.ok && result.matched.length, count);
      };
    };
    ok(await isProportional(work, 4000));
  });
});
