import { deepStrictEqual as deepEqual, ok, strictEqual as equal } from "node:assert/strict";
import { describe, it } from "node:test";
import { KEYS, policyOf, SHA } from "./_fixtures_test.ts";
import { FULL_POLICY } from "./_policies_test.ts";
import type { PolicyDocument, Requirement } from "./document.ts";
import { explainPolicy, explainVerdict, type Explanation } from "./explain.ts";
import { parsePolicy } from "./parse.ts";
import type { PolicyCheck, PolicyVerdict } from "./verdict.ts";

/** Lines of an explanation, each further in than what it is a part of. */
function outline({ text, outcome, children }: Explanation, depth = 0): string[] {
  const mark = outcome === undefined ? "" : `[${outcome}] `;
  return [
    `${"  ".repeat(depth)}${mark}${text}`,
    ...children.flatMap((child) => outline(child, depth + 1)),
  ];
}

const explained = (policy: unknown): string[] =>
  outline(explainPolicy(policy as PolicyDocument)).slice(1);

const FULL = `
Policy "acme": a failed verdict is only a warning
  All releases
  From 2027-01-01T00:00:00Z on, everything fails
  Who is trusted
    Key "alice" (Ed25519): A
    Keys of the set "team", each in its time
    Identity "ci": a certificate that says
      issuer https://token.actions.githubusercontent.com
      sourceRepositoryURI https://github.com/acme/app
      subjectAlternativeName all of it matches /https:\\/\\/github\\.com\\/acme\\/app/.+/
      runnerEnvironment github-hosted
    Identity "other": a certificate that says
      issuer https://token.actions.githubusercontent.com
      sourceRepositoryIdentifier 1001
      subjectAlternativeName all of it matches /https://github\\.com/acme/[^/]+/\\.github/workflows/.+@refs/tags/v.+/
    Group "all": "alice", "team", "ci"
    Certificates, logs and times: the public-good Sigstore instance
    Keyless evidence: log at least 1
    Keyless evidence: timestampAuthority at least 0
  Every rule that selects an artifact judges it
  An artifact that no rule selects PASSES without any attestation
  Attestations of an image's index count for each platform that it lists
  Rule "image" (Images): for artifacts whose name matches "**" and with the digest "sha256:${SHA}" and of the OCI repository "ghcr.io/acme/**" and of the npm package "@acme/*"
    Needs an attestation, and every one of the type must hold – "built" (By the release workflow)
      Of the type "https://slsa.dev/provenance/v1"
      In the format sigstore-bundle
      Signatures cover message or whole-artifact
      With a signed type of the message
      With the payload type "application/vnd.in-toto+json"
      Signed by 3 distinct signers of "all"
      Signed by "ci"
      With a signature of ES256 or Ed25519
      RSA keys of 3072 bits or more
      EC keys of 256 bits or more
      In 1 or more transparency logs
      With 1 or more verified times
      Signed at most P30D ago
      Matched by a digest of sha256 or gitCommit
      The subject's name matches "app-*.tgz"
      The artifact is its only subject
      SLSA provenance that says
        sourceUri: "github.com/acme/app"
        minLevel: 3
        buildType: "https://b.example"
        externalParameters: {"ref":{"pattern":"refs/tags/v\\\\d+\\\\.\\\\d+"}}
        builders: {"builders":[{"signer":{"keys":["alice","bob"]},"builderId":"https://b.example","maxBuildLevel":1}]}
      Dependencies
        allowed: ["git+https://github.com/acme/**"]
        forbidden: ["pkg:npm/event-stream@**"]
        digests: ["sha256"]
        min: 1
      At /predicate/*/result of some value: equals "PASSED"
      At /predicate/version: semver ">=1.0.0"
      At /predicate/time: time {"after":"P30D","before":"P1D"}
      At /predicate/age: time {"maxAge":"P30D"}
      At /predicate/state of none value: oneOf ["bad","worse"]
      At /predicate/name: matches ["app-*"]
      At /predicate/score: number {"min":1,"max":10}
      At /predicate/tools: containsAll ["a"]
      At /predicate/tools: subsetOf ["a","b"]
      At /predicate/tools: disjointFrom ["c"]
      There is nothing at /predicate/debug
      The CEL expression is true: statement.subject.size() == 1
    Needs an attestation – "scanned"
      Signed by anybody whom the policy names
      A vulnerability scan
        maxSeverity: "medium"
        exceptions: [{"id":"CVE-1","reason":"x","until":"2026-01-01T00:00:00Z"}]
        maxAge: "P7D"
        scanners: ["https://github.com/aquasecurity/**"]
        maxDatabaseAge: "P1D"
    Needs an attestation – "summed-up"
      Signed by anybody whom the policy names
      A verification summary
        verifierId: "https://v.example"
        signer: {"keys":["alice","${SHA}"]}
        resourceUri: "pkg:npm/a@1.0.0"
        verifiedLevels: ["SLSA_BUILD_LEVEL_3"]
        maxAge: 86400
    Needs an attestation – "listed"
      Signed by anybody whom the policy names
      An SBOM
        formats: ["spdx"]
        forbidden: ["pkg:npm/event-stream"]
        required: ["openssl*"]
        versions: true
        min: 1
    Across – "apart": "built", "scanned" are signed by different people
    Across – "same": Equal: /predicate/commit of "built", /predicate/commit of "listed"
    Across – "two": 2 or more distinct signers over "built", "scanned"
    Across – "binary": A dependency "**/app" of "built" passed the rule "bin"
  Rule "bin": for every artifact
    Needs an attestation – "signed"
      Signed by anybody whom the policy names
  Accepted for a time: 3
    "image/scanned/predicate.vulnerabilities" for artifacts whose name matches "app" until 2026-12-31T00:00:00Z, by "me": "known" (only scan-too-old)
    "image/apart" for artifacts whose name matches "app" until 2026-12-31T00:00:00Z, by "me": "known"
    "bin" for artifacts whose name matches "app" until 2026-12-31T00:00:00Z, by "me": "known"
`;

describe("explainPolicy()", () => {
  it("has words for every member", () => {
    deepEqual(outline(explainPolicy(parsePolicy(FULL_POLICY))), FULL.trim().split("\n"));
  });

  it("says what holds where a policy says nothing", () => {
    const trust = { keys: { alice: { publicKey: KEYS.alice } } };
    const policy = parsePolicy(policyOf({}, { trust, waivers: [] }) as object);
    deepEqual(outline(explainPolicy(policy)), [
      "Policy: a failed verdict is a refusal",
      "  Who is trusted",
      '    Key "alice" (PEM)',
      "    Certificates, logs and times: the public-good Sigstore instance",
      "  The first rule that selects an artifact judges it",
      "  An artifact that no rule selects fails",
      '  Rule "release": for every artifact',
      '    Needs an attestation – "signed"',
      "      Signed by anybody whom the policy names",
    ]);
  });

  it("tells keys and roots by their kind", () => {
    const trusted = (trust: object) =>
      explained(policyOf({}, { trust: trust as PolicyDocument["trust"] }))
        .filter((line) => line.startsWith("    ")).slice(0, -2).map((line) => line.trim());
    const keys = {
      a: { publicKey: { kty: "OKP" } },
      b: { publicKey: "-----BEGIN PGP PUBLIC KEY BLOCK-----", description: "RPM" },
      c: { publicKey: { kty: "OKP" }, alg: "Ed25519" },
    };
    const nobody = "Certificates, logs and times: of nobody";
    deepEqual(trusted({ keys, roots: [] }), [
      'Key "a" (JWK)',
      'Key "b" (OpenPGP): RPM',
      'Key "c" (Ed25519)',
      nobody,
    ]);
    const instance = "the public-good Sigstore instance";
    const roots: [unknown[], string][] = [
      [[], "of nobody"],
      [["public-good"], instance],
      [[{}], "1 trusted root of its own"],
      [[{}, {}], "2 trusted roots of its own"],
      [["public-good", {}], `${instance} and 1 trusted root of its own`],
    ];
    for (const [list, text] of roots) {
      deepEqual(trusted({ roots: list }), [`Certificates, logs and times: ${text}`]);
    }
  });

  it("says of a requirement who has to sign, how many must hold and which", () => {
    const nobody = "      Signed by anybody whom the policy names";
    const needs = (what: string) => `    Needs ${what} – "s"`;
    const by = (text: string) => [needs("an attestation"), `      Signed by ${text}`];
    const sourceUri = "https://github.com/acme/app";
    const where = [{ path: "/predicate/a", exists: true }];
    const cases: [Partial<Requirement>, string[]][] = [
      [{ envelope: { signedBy: { of: ["a"] } } }, by('"a"')],
      [{ envelope: { signedBy: { of: ["a", "b"] } } }, by('one of "a", "b"')],
      [{ envelope: { signedBy: { of: ["a", "b"], threshold: 1 } } }, by('one of "a", "b"')],
      [
        { envelope: { signedBy: { of: ["a", "b"], threshold: 2 } } },
        by('2 distinct signers of "a", "b"'),
      ],
      [{ predicate: { provenance: { sourceUri } } }, [
        ...by("whoever may speak for its builder"),
        "      SLSA provenance that says",
        `        sourceUri: "${sourceUri}"`,
      ]],
      [{ predicate: { provenance: { minLevel: 2 } } }, [
        ...by("anybody whom the policy names"),
        "      SLSA provenance that says",
        "        minLevel: 2",
      ]],
      [{ count: 2 }, [needs("2 distinct attestations"), nobody]],
      [{ count: 1, conflict: "any" }, [needs("an attestation"), nobody]],
      [{ conflict: "latest" }, [
        needs("an attestation, and the latest of the type must hold"),
        nobody,
      ]],
      [{ conflict: "all" }, [
        needs("an attestation, and every one of the type must hold"),
        nobody,
      ]],
      [{ statement: { subjects: "all" } }, [
        needs("an attestation"),
        nobody,
        "      All its subjects are artifacts of the run",
      ]],
      [{ statement: { subjects: "any" } }, [needs("an attestation"), nobody]],
      [{ envelope: { signedMessageType: false } as never }, [needs("an attestation"), nobody]],
      [{ predicate: { where } }, [
        needs("an attestation"),
        nobody,
        "      There is something at /predicate/a",
      ]],
    ];
    for (const [requirement, lines] of cases) {
      const all = explained(policyOf({ require: [{ id: "s", ...requirement }] }));
      deepEqual(all.slice(all.indexOf('  Rule "release": for every artifact') + 1), lines);
    }
  });

  it("lists twenty names, and counts the rest", () => {
    const group = (length: number) => {
      const a = Array.from({ length }, (_, i) => `k${i}`);
      const trust = { groups: { a } } as PolicyDocument["trust"];
      return explained(policyOf({}, { trust })).find((line) => line.includes("Group")) ?? "";
    };
    equal(group(2), '    Group "a": "k0", "k1"');
    equal(group(20).endsWith('"k18", "k19"'), true);
    equal(group(21).endsWith('"k18", "k19", 1 more'), true);
  });

  it("says of a policy what it does with an index, and who may waive", () => {
    const trust = {};
    const waiverSigners = { of: ["maintainers"], threshold: 2 };
    deepEqual(explained(policyOf({}, { trust, platforms: "from-index", waiverSigners })).slice(2), [
      "  The first rule that selects an artifact judges it",
      "  An artifact that no rule selects fails",
      "  Attestations of an image's index count for each platform that it lists",
      '  Rule "release": for every artifact',
      '    Needs an attestation – "signed"',
      "      Signed by anybody whom the policy names",
      '  Waivers come in files, signed by 2 distinct signers of "maintainers"',
    ]);
  });
});

describe("explainVerdict()", () => {
  const check = (more: Partial<PolicyCheck>): PolicyCheck => ({
    id: "r/s/c",
    outcome: "passed",
    message: "m",
    ...more,
  });
  const head = { policyDigest: "ab", time: "2026-01-01T00:00:00Z" };

  it("says of every check what was found, wanted and advised", () => {
    const errorReason = "condition-not-met";
    const rules = [
      check({}),
      check({
        outcome: "failed",
        reason: "cel-error",
        source: "a.json",
        expected: "e",
        actual: "a",
        origin: "signed",
        path: "/p",
        remedy: "r",
      }),
      check({ actual: "a", path: "" }),
      check({
        outcome: "waived",
        reason: "cel-error",
        waiver: { owner: "o", reason: "why", until: "u" },
        children: [check({ expected: "e" })],
      }),
      check({ outcome: "not-applicable", remedy: "r", children: [] }),
    ];
    const verdict: PolicyVerdict = {
      ok: false,
      errorReason,
      mode: "enforce",
      ...head,
      artifacts: [{ artifact: "app", digest: {}, ok: false, errorReason, rules }],
    };
    deepEqual(outline(explainVerdict(verdict)), [
      "FAILED (condition-not-met): policy (sha256:ab), enforce, at 2026-01-01T00:00:00Z",
      '  [failed] "app": FAILED (condition-not-met)',
      "    [passed] r/s/c: m",
      "    [failed] r/s/c of a.json: m (cel-error)",
      "      found: a (signed)",
      "      wanted: e",
      "      at: /p",
      "      remedy: r",
      "    [passed] r/s/c: m",
      "      found: a",
      "    [waived] r/s/c: m (cel-error)",
      "      waived by o until u: why",
      "      [passed] r/s/c: m",
      "        wanted: e",
      "    [not-applicable] r/s/c: m",
      "      remedy: r",
    ]);
  });

  it("names the policy of what has passed", () => {
    const one = { artifact: "a", digest: {}, ok: true, errorReason: null, rules: [] };
    const verdict: PolicyVerdict = {
      ok: true,
      errorReason: null,
      mode: "permissive",
      policy: "acme",
      ...head,
      artifacts: [one],
    };
    deepEqual(outline(explainVerdict(verdict)), [
      'PASSED: policy "acme" (sha256:ab), permissive, at 2026-01-01T00:00:00Z',
      '  [passed] "a": PASSED',
    ]);
  });

  it("cleans what a verdict quotes", () => {
    const { children } = explainVerdict({
      ok: false,
      errorReason: "condition-not-met",
      mode: "enforce",
      policyDigest: "a",
      time: "2026-01-01T00:00:00Z",
      artifacts: [{
        artifact: "\u001b[2Ja",
        digest: {},
        ok: false,
        errorReason: "condition-not-met",
        rules: [{ id: "r", outcome: "failed", message: "m\u202e", actual: "\u0007" }],
      }],
    });
    // deno-lint-ignore no-control-regex
    ok(!/[\u0007\u001b\u202e]/.test(children[0].text + children[0].children[0].text));
  });
});
