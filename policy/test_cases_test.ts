import { deepStrictEqual as deepEqual, strictEqual as equal } from "node:assert/strict";
import { describe, it } from "node:test";
import { AttestationError } from "../errors.ts";
import { utf8 } from "../internal/bytes.ts";
import { placedChangesOf } from "../tests/json_changes.ts";
import { SHA } from "./_fixtures_test.ts";
import { compareVerdict, parsePolicyTests, type PolicyTestCase } from "./test_cases.ts";
import type { ArtifactVerdict, PolicyCheck, PolicyVerdict } from "./verdict.ts";

/** Every member that there is. */
const FULL = {
  $schema: "policy-tests.schema.json",
  type: "attest-policy-tests/v1",
  cases: [{
    name: "refused",
    description: "Nobody signed it",
    artifacts: [
      { file: "dist/app.tgz", name: "app.tgz", npm: "@acme/app" },
      { digest: `sha256:${SHA}`, oci: "ghcr.io/acme/app" },
    ],
    attestations: ["app.json"],
    now: "2026-06-01T00:00:00Z",
    keys: { alice: "keys/alice.pub" },
    roots: ["root.json"],
    expect: {
      ok: false,
      reasons: ["missing-attestation", "x2"],
      outcomes: { release: "failed", "release/signed": "not-applicable" },
    },
  }, {
    name: "accepted",
    artifacts: [{ file: "app.tgz" }],
    attestations: [],
    now: "2026-06-01T00:00:00.5Z",
    roots: [],
    expect: { ok: true, outcomes: {} },
  }],
};

/** Members of it that cannot be left out. */
const NEEDED = `
/type
/cases
/cases/0/name
/cases/0/artifacts
/cases/0/artifacts/0/file
/cases/0/artifacts/1/digest
/cases/0/now
/cases/0/expect
/cases/0/expect/ok
/cases/1/name
/cases/1/artifacts
/cases/1/artifacts/0/file
/cases/1/now
/cases/1/expect
/cases/1/expect/ok
`.trim().split("\n");

function problemOf(source: string | Uint8Array | object): [path: string | undefined, what: string] {
  try {
    parsePolicyTests(source);
  } catch (error) {
    if (!(error instanceof AttestationError)) throw error;
    equal(error.reason, "malformed-policy-tests");
    equal(error.message.startsWith("Cannot read policy tests: "), true);
    return [error.path, error.message.slice("Cannot read policy tests: ".length)];
  }
  return [undefined, ""];
}

/** The first problem of a table of one case. */
function problemOfCase(more: object): [path: string | undefined, what: string] {
  const [, one] = FULL.cases;
  return problemOf({ ...FULL, cases: [{ ...one, ...more }] });
}

describe("parsePolicyTests()", () => {
  it("reads text, bytes and objects alike, and takes a copy", () => {
    const text = JSON.stringify(FULL);
    deepEqual(parsePolicyTests(text), FULL);
    deepEqual(parsePolicyTests(utf8(text)), FULL);
    const source = structuredClone(FULL);
    const read = parsePolicyTests(source);
    deepEqual(read, FULL);
    source.cases[0].name = "changed";
    equal(read.cases[0].name, "refused");
  });

  it("checks every member: what it is, and that it is there", () => {
    const needed: string[] = [];
    for (const { value, place, is } of placedChangesOf(FULL)) {
      const good = problemOf(value as object)[0] === undefined;
      if (is === undefined) {
        if (!good) needed.push(place);
        continue;
      }
      // Lists of files may be empty, and there may be no keys and no outcomes.
      const free = (/\/(?:attestations|roots)$/.test(place) && Array.isArray(is) && !is.length) ||
        (/\/(?:keys|outcomes)$/.test(place) && JSON.stringify(is) === "{}") ||
        (place === "/cases/1/expect/ok" && is === true);
      equal(good, free, `${place}: ${JSON.stringify(is)}`);
    }
    deepEqual(needed, NEEDED);
  });

  it("says where the first problem is, and what it is", () => {
    const [first] = FULL.cases;
    deepEqual(problemOf([]), ["", "a table of cases is no JSON object"]);
    deepEqual(problemOf({ ...FULL, type: "attest-policy-tests/v2" }), [
      "/type",
      'type is "attest-policy-tests/v2", wanted one of attest-policy-tests/v1; ' +
      "did you mean attest-policy-tests/v1? at /type",
    ]);
    deepEqual(problemOf({ ...FULL, cases: [first, FULL.cases[1], first] }), [
      "/cases/2/name",
      '"refused" is there twice at /cases/2/name',
    ]);
    deepEqual(problemOf({ type: "attest-policy-tests/v1", case: [] }), [
      "/case",
      'a table of cases has no member "case"; did you mean cases? at /case (and 1 more)',
    ]);
    deepEqual(problemOfCase({ keys: [] }), [
      "/cases/0/keys",
      "keys is no JSON object at /cases/0/keys",
    ]);
    deepEqual(problemOfCase({ expect: { ok: false, outcomes: [] } }), [
      "/cases/0/expect/outcomes",
      "outcomes is no JSON object at /cases/0/expect/outcomes",
    ]);
    deepEqual(problemOfCase({ expect: { ok: true, reasons: ["x"] } }), [
      "/cases/0/expect/reasons",
      "a case that passes has no reasons at /cases/0/expect/reasons",
    ]);
    deepEqual(problemOfCase({ expect: { ok: false, outcomes: { "a/b": "pass" } } }), [
      "/cases/0/expect/outcomes/a~1b",
      '"a/b" is "pass", wanted one of passed, failed, waived, not-applicable; did you mean ' +
      "passed? at /cases/0/expect/outcomes/a~1b",
    ]);
    for (const reason of ["Missing-Attestation", "missing_attestation", "-x", "x-", "x--y", "2x"]) {
      deepEqual(problemOfCase({ expect: { ok: false, reasons: [reason] } }), [
        "/cases/0/expect/reasons/0",
        `"${reason}" is no reason at /cases/0/expect/reasons/0`,
      ]);
    }
  });

  it("keeps files within the folder of the table", () => {
    const places: [make: (file: string) => object, path: string, what: string][] = [
      [(file) => ({ artifacts: [{ file }] }), "/cases/0/artifacts/0/file", "file"],
      [
        (file) => ({ attestations: ["a", file] }),
        "/cases/0/attestations/1",
        "an entry of attestations",
      ],
      [(file) => ({ roots: [file] }), "/cases/0/roots/0", "an entry of roots"],
      [(file) => ({ keys: { "a/b": file } }), "/cases/0/keys/a~1b", "a file of a key"],
    ];
    const bad = [
      "/etc/passwd",
      "../a",
      "a/../../b",
      "a/..",
      ".",
      "./a",
      "a//b",
      "a/",
      "C:a",
      "a\\b",
      "a\u0000b",
      "a\u001fb",
      "..",
    ];
    for (const [make, path, what] of places) {
      for (const file of bad) {
        const [at, said] = problemOfCase(make(file));
        equal(at, path, file);
        equal(said.startsWith(`${what} "`), true, said);
        equal(
          said.endsWith(` is no relative path within the folder of the table at ${path}`),
          true,
          said,
        );
      }
      for (const file of ["a", "...", "a/.b/..c", "a b", "ä/\u0080"]) {
        deepEqual(problemOfCase(make(file)), [undefined, ""], file);
      }
      deepEqual(problemOfCase(make("a".repeat(1024))), [undefined, ""]);
      equal(problemOfCase(make("a".repeat(1025)))[0], path);
    }
  });

  it("takes a file or a digest, and a digest that can be one", () => {
    const either = "an artifact has either a file or a digest at /cases/0/artifacts/0";
    const digest = `sha256:${SHA}`;
    for (const artifact of [{}, { name: "a" }, { file: "a", digest }]) {
      deepEqual(problemOfCase({ artifacts: [artifact] }), ["/cases/0/artifacts/0", either]);
    }
    for (
      const good of [digest, digest.toUpperCase().replace("SHA", "sha"), `sha1:${"a".repeat(40)}`]
    ) {
      deepEqual(problemOfCase({ artifacts: [{ digest: good }] }), [undefined, ""], good);
    }
    const bad = [`SHA256:${SHA}`, "sha256", "sha256:", `sha256:${SHA.slice(1)}`, `sha256:${SHA}:a`];
    for (const digest of bad) {
      const [path, said] = problemOfCase({ artifacts: [{ digest }] });
      equal(path, "/cases/0/artifacts/0/digest", digest);
      equal(said.startsWith(`the digest "${digest}": `), true, said);
    }
    deepEqual(
      problemOfCase({ artifacts: [{ digest: SHA }] })[1],
      `the digest "${SHA}": it begins with no known algorithm at /cases/0/artifacts/0/digest`,
    );
  });

  it("has so many cases, files and reasons, and no more", () => {
    const [, one] = FULL.cases;
    const table = (count: number) => ({
      ...FULL,
      cases: Array.from({ length: count }, (_, i) => ({ ...one, name: `${i}` })),
    });
    deepEqual(problemOf(table(10_000)), [undefined, ""]);
    equal(problemOf(table(10_001))[0], "/cases");
    equal(problemOf(table(0))[0], "/cases");
    const files = (count: number) => Array.from({ length: count }, (_, i) => `f${i}`);
    for (const member of ["attestations", "roots"]) {
      deepEqual(problemOfCase({ [member]: files(1000) }), [undefined, ""]);
      equal(problemOfCase({ [member]: files(1001) })[0], `/cases/0/${member}`);
    }
    const artifacts = (count: number) => ({ artifacts: files(count).map((file) => ({ file })) });
    deepEqual(problemOfCase(artifacts(1000)), [undefined, ""]);
    equal(problemOfCase(artifacts(1001))[0], "/cases/0/artifacts");
    const reasons = (count: number) => ({ expect: { ok: false, reasons: files(count) } });
    deepEqual(problemOfCase(reasons(100)), [undefined, ""]);
    equal(problemOfCase(reasons(101))[0], "/cases/0/expect/reasons");
    deepEqual(problemOfCase({ name: "a".repeat(256) }), [undefined, ""]);
    equal(problemOfCase({ name: "a".repeat(257) })[0], "/cases/0/name");
    for (const member of ["name", "oci", "npm"]) {
      const named = (length: number) => ({
        artifacts: [{ file: "a", [member]: "a".repeat(length) }],
      });
      deepEqual(problemOfCase(named(1024)), [undefined, ""]);
      equal(problemOfCase(named(1025))[0], `/cases/0/artifacts/0/${member}`);
    }
  });
});

function check(id: string, outcome: PolicyCheck["outcome"], more: Partial<PolicyCheck> = {}) {
  return { id, outcome, message: id, ...more };
}

function verdictOf(...rules: PolicyCheck[][]): PolicyVerdict {
  const ok = rules.flat().every(({ outcome }) => outcome !== "failed");
  const artifacts = rules.map((rules): ArtifactVerdict => ({
    artifact: "app",
    digest: {},
    ok,
    errorReason: ok ? null : "missing-attestation",
    rules,
  }));
  const errorReason = ok ? null : "missing-attestation";
  return { ok, errorReason, mode: "enforce", policyDigest: SHA, time: "", artifacts };
}

describe("compareVerdict()", () => {
  const passed = verdictOf([check("r", "passed")]);
  const failed = verdictOf(
    [
      check("r", "failed", {
        reason: "missing-attestation",
        children: [
          check("r/a", "failed", { reason: "signature-expired" as never }),
          check("r/a", "passed", { reason: "too-old" as never }),
          check("r/a", "failed"),
          check("r/b", "waived", { reason: "untrusted-key" as never }),
          check("r/b", "passed"),
        ],
      }),
      check("s", "not-applicable"),
    ],
    [check("r", "passed"), check("t", "failed", { reason: "subject-mismatch" })],
  );
  const cases: [name: string, PolicyVerdict, PolicyTestCase["expect"], string[]][] = [
    ["accepts what passes", passed, { ok: true }, []],
    ["accepts what fails", failed, { ok: false }, []],
    ["tells that it passed", passed, { ok: false }, ["wanted failed, passed"]],
    ["tells that it failed, and why", failed, { ok: true }, [
      "wanted passed, failed (missing-attestation)",
    ]],
    ["finds reasons of every artifact and part", failed, {
      ok: false,
      reasons: ["missing-attestation", "signature-expired", "subject-mismatch"],
    }, []],
    [
      "counts no reasons of what is waived or passed",
      failed,
      {
        ok: false,
        reasons: ["untrusted-key", "too-old"],
      },
      ["untrusted-key", "too-old"].map((reason) =>
        `wanted the reason ${reason}, ` +
        "found missing-attestation, signature-expired, subject-mismatch"
      ),
    ],
    ["tells that nothing failed", passed, { ok: true, reasons: ["too-old"] }, [
      "wanted the reason too-old, found no failure",
    ]],
    [
      "knows the outcomes of the first artifact: of several under one id the one that stands",
      failed,
      {
        ok: false,
        outcomes: { r: "failed", "r/a": "passed", "r/b": "waived", s: "not-applicable" },
      },
      [],
    ],
    ["tells other outcomes", failed, {
      ok: false,
      outcomes: { r: "passed", "r/a": "failed", t: "failed" },
    }, [
      '"r": wanted passed, found failed',
      '"r/a": wanted failed, found passed',
      '"t": wanted failed, found no such check',
    ]],
  ];
  for (const [name, verdict, expect, lines] of cases) {
    it(name, () => deepEqual(compareVerdict(verdict, expect), lines));
  }
});
