import { deepStrictEqual as deepEqual, strictEqual as equal, throws } from "node:assert/strict";
import { describe, it } from "node:test";
import {
  type CertificateIdentity,
  compareIdentity,
  describeMatcher,
  escapePattern,
  GITHUB_ISSUER,
  type GithubExpectation,
  githubIdentity,
  type IdentityExpectation,
  type Matcher,
  missingExpectation,
} from "./identity.ts";

const WORKFLOW = "https://github.com/acme/app/.github/workflows/release.yml@refs/tags/v1";
const IDENTITY: CertificateIdentity = {
  subjectAlternativeName: WORKFLOW,
  sanType: "uri",
  issuer: GITHUB_ISSUER,
  sourceRepositoryURI: "https://github.com/acme/app",
  sourceRepositoryOwnerURI: "https://github.com/acme",
  sourceRepositoryRef: "refs/tags/v1",
  sourceRepositoryDigest: "a".repeat(40),
  buildSignerDigest: "b".repeat(40),
  runnerEnvironment: "github-hosted",
};

function verdictOf(
  expectation: IdentityExpectation,
  changes: Partial<CertificateIdentity> = {},
): string {
  const missing = missingExpectation(expectation);
  if (missing !== undefined) return missing;
  const findings = compareIdentity({ ...IDENTITY, ...changes }, expectation);
  return findings.find(({ reason }) => reason !== undefined)?.reason ?? "ok";
}

const san = (matcher: Matcher): IdentityExpectation => ({
  subjectAlternativeName: matcher,
  issuer: GITHUB_ISSUER,
});

describe("compareIdentity()", () => {
  it("compares a text exactly", () => {
    equal(verdictOf(san(WORKFLOW)), "ok");
    for (
      const text of [
        WORKFLOW.slice(0, -1),
        `${WORKFLOW}0`,
        `${WORKFLOW}\n`,
        ` ${WORKFLOW}`,
        WORKFLOW.toUpperCase(),
        WORKFLOW.replace("acme", "аcme"),
        ".*",
      ]
    ) equal(verdictOf(san(text)), "identity-mismatch", text);
  });

  it("matches a pattern against the whole text only", () => {
    equal(verdictOf(san({ pattern: "https://github\\.com/acme/app/.*" })), "ok");
    equal(verdictOf(san({ pattern: "^https://github\\.com/acme/app/.*$" })), "ok");
    for (
      const pattern of [
        "https://github\\.com/acme/app",
        "acme",
        "release",
        "x|https",
        "https|x",
        "https://github\\.com/acme|evil",
        ".",
        "$",
        "^",
      ]
    ) equal(verdictOf(san({ pattern })), "identity-mismatch", pattern);
  });

  it("keeps alternatives together", () => {
    const pattern = "https://a\\.example|https://b\\.example";
    const named = (name: string) => verdictOf(san({ pattern }), { subjectAlternativeName: name });
    equal(named("https://a.example"), "ok");
    equal(named("https://b.example"), "ok");
    for (
      const name of [
        "https://a.example.evil",
        "evil https://b.example",
        "https://a.example/https://b.example",
      ]
    ) {
      equal(named(name), "identity-mismatch", name);
    }
  });

  it("does not end a pattern at a line feed", () => {
    const pattern = "https://github\\.com/acme/.+";
    for (
      const name of [
        "https://github.com/acme/app\n",
        "https://github.com/acme/app\nhttps://evil.example",
        "https://evil.example\nhttps://github.com/acme/app",
        "https://github.com/acme/\u2028",
      ]
    ) equal(verdictOf(san({ pattern }), { subjectAlternativeName: name }), "identity-mismatch");
  });

  it("does not let a pattern close the group that keeps it whole", () => {
    for (const pattern of ["a)|(?:b", "a)|.*(?:", "(", "[", "a{2,1}", "\\", "(?<n>a)(?<n>b)"]) {
      throws(() => missingExpectation(san({ pattern })), TypeError, pattern);
    }
  });

  it("refuses a claim that the certificate does not have", () => {
    equal(
      verdictOf({ ...san(WORKFLOW), deploymentEnvironment: "prod" }),
      "certificate-claim-mismatch",
    );
    equal(
      verdictOf({ ...san(WORKFLOW), deploymentEnvironment: { pattern: ".*" } }),
      "certificate-claim-mismatch",
    );
  });

  it("gives each mismatch its reason", () => {
    equal(verdictOf({ ...san(WORKFLOW), issuer: "https://evil.example" }), "issuer-mismatch");
    equal(verdictOf({ ...san(WORKFLOW), issuer: `${GITHUB_ISSUER}/` }), "issuer-mismatch");
    equal(verdictOf({ ...san(WORKFLOW), sanType: "email" }), "identity-mismatch");
    equal(
      verdictOf({ ...san(WORKFLOW), sourceRepositoryRef: "refs/heads/main" }),
      "certificate-claim-mismatch",
    );
    const hosted = { ...san(WORKFLOW), runnerEnvironment: "github-hosted" };
    equal(verdictOf(hosted, { runnerEnvironment: "self-hosted" }), "self-hosted-runner");
    for (
      const other of [
        { runnerEnvironment: "self-hosted" },
        { sourceRepositoryRef: "github-hosted" },
      ]
    ) equal(verdictOf({ ...san(WORKFLOW), ...other }), "certificate-claim-mismatch");
  });

  it("asks every member of an expectation, each time again", () => {
    const expectation = {
      ...san({ pattern: ".*" }),
      sourceRepositoryURI: "https://github.com/acme/app",
    };
    for (let i = 0; i < 3; i++) equal(verdictOf(expectation), "ok");
    equal(
      verdictOf(expectation, { sourceRepositoryURI: "https://github.com/acme/app-evil" }),
      "certificate-claim-mismatch",
    );
    deepEqual(compareIdentity(IDENTITY, expectation).map(({ claim }) => claim).sort(), [
      "issuer",
      "sourceRepositoryURI",
      "subjectAlternativeName",
    ]);
  });

  it("reads inherited members as it reads own ones", () => {
    class Expected {
      get subjectAlternativeName() {
        return "https://github.com/other/app";
      }
      get issuer() {
        return GITHUB_ISSUER;
      }
    }
    equal(verdictOf(new Expected()), "identity-mismatch");
    equal(verdictOf(Object.create(san("https://github.com/other/app"))), "identity-mismatch");
  });
});

describe("missingExpectation()", () => {
  it("asks for whom and for the issuer", () => {
    equal(missingExpectation({}), "missing-identity-expectation");
    equal(missingExpectation({ issuer: GITHUB_ISSUER }), "missing-identity-expectation");
    equal(missingExpectation({ subjectAlternativeName: WORKFLOW }), "missing-issuer-expectation");
    equal(
      missingExpectation({ subjectAlternativeName: undefined, issuer: "x" }),
      "missing-identity-expectation",
    );
    equal(
      missingExpectation({ subjectAlternativeName: "x", issuer: undefined }),
      "missing-issuer-expectation",
    );
    equal(
      missingExpectation({ sourceRepositoryRef: "x", runnerEnvironment: "x", issuer: "x" }),
      "missing-identity-expectation",
    );
    equal(missingExpectation({ sanType: "uri", issuer: "x" }), "missing-identity-expectation");
    for (
      const name of [
        "subjectAlternativeName",
        "buildSignerURI",
        "buildConfigURI",
        "sourceRepositoryURI",
        "sourceRepositoryIdentifier",
        "sourceRepositoryOwnerURI",
        "sourceRepositoryOwnerIdentifier",
      ]
    ) {
      equal(missingExpectation({ [name]: "x", issuer: "x" }), undefined, name);
    }
  });

  it("throws for an unknown claim, and for a matcher that is none", () => {
    const bad: unknown[] = [
      { subjectAltName: "x", issuer: "x" },
      { certificateOIDs: {}, ...san("x") },
      san(""),
      san({ pattern: "" }),
      san(null as unknown as Matcher),
      san(1 as unknown as Matcher),
      san(/x/ as unknown as Matcher),
      san(["x"] as unknown as Matcher),
      san({ pattern: "x", flags: "i" } as Matcher),
      san({ regexp: "x" } as unknown as Matcher),
      null,
      "x",
    ];
    for (const one of bad) {
      const wanted = {
        name: "TypeError",
        message: /^(Cannot match|An expected|Unknown|Cannot expect)/,
      };
      throws(() => missingExpectation(one as IdentityExpectation), wanted, JSON.stringify(one));
    }
    const said = (one: unknown, message: string) =>
      throws(() => missingExpectation(one as IdentityExpectation), { message });
    for (const one of [null, "x", 7]) said(one, "An expected identity is not an object");
    for (const matcher of [null, 7, true]) {
      const one = san(matcher as unknown as Matcher);
      said(one, "Cannot match an identity: neither a text nor a pattern");
    }
  });
});

describe("githubIdentity()", () => {
  const verdict = (expectation: GithubExpectation, changes: Partial<CertificateIdentity> = {}) =>
    verdictOf(githubIdentity(expectation), changes);

  it("accepts what the words of gh attestation verify mean", () => {
    for (
      const expectation of [
        { owner: "acme" },
        { repository: "acme/app" },
        { owner: "acme", repository: "acme/app" },
        { repository: "acme/app", signerWorkflow: "acme/app/.github/workflows/release.yml" },
        {
          repository: "acme/app",
          signerWorkflow: "github.com/acme/app/.github/workflows/release.yml",
        },
        { repository: "acme/app", signerRepository: "acme/app" },
        { owner: "acme", sourceRef: "refs/tags/v1", sourceDigest: "a".repeat(40) },
        { owner: "acme", signerDigest: "b".repeat(40), denySelfHostedRunners: true },
      ]
    ) equal(verdict(expectation), "ok", JSON.stringify(expectation));
  });

  it("takes the first of three parts for an owner, also with a dot in it", () => {
    const { subjectAlternativeName } = githubIdentity({ owner: "a", signerWorkflow: "a.b/c/d" });
    deepEqual(subjectAlternativeName, {
      pattern: `${escapePattern("https://github.com/a.b/c/d")}@.+`,
    });
  });

  it("refuses look-alikes of owner and repository", () => {
    const as = (owner: string, name: string) => ({
      subjectAlternativeName: WORKFLOW.replace("acme/app", `${owner}/${name}`),
      sourceRepositoryURI: `https://github.com/${owner}/${name}`,
      sourceRepositoryOwnerURI: `https://github.com/${owner}`,
    });
    for (
      const [owner, name] of [["acme-evil", "app"], ["evil-acme", "app"], ["acm", "app"], [
        "acme.",
        "app",
      ]]
    ) {
      equal(verdict({ owner: "acme" }, as(owner, name)), "identity-mismatch", owner);
      equal(verdict({ repository: "acme/app" }, as(owner, name)) === "ok", false, owner);
    }
    for (const name of ["app-evil", "ap", "app.evil", "xapp"]) {
      equal(verdict({ repository: "acme/app" }, as("acme", name)) === "ok", false, name);
    }
    // A dot in a name is a dot.
    equal(verdict({ repository: "acme/a.p" }, as("acme", "axp")) === "ok", false);
  });

  it("asks for the repository that was built and for the one that signed", () => {
    const reusable = {
      subjectAlternativeName: "https://github.com/shared/ci/.github/workflows/x.yml@v1",
    };
    equal(verdict({ repository: "acme/app" }, reusable), "identity-mismatch");
    equal(verdict({ repository: "acme/app", signerRepository: "shared/ci" }, reusable), "ok");
    equal(verdict({ repository: "acme/app", signerRepository: "shared/ci" }), "identity-mismatch");
    const signerWorkflow = "shared/ci/.github/workflows/x.yml";
    equal(verdict({ repository: "acme/app", signerWorkflow }, reusable), "ok");
    equal(
      verdict(
        { repository: "acme/app", signerWorkflow: "shared/ci/.github/workflows/x.ym" },
        reusable,
      ),
      "identity-mismatch",
    );
    equal(
      verdict({ repository: "evil/app", signerWorkflow }, reusable),
      "certificate-claim-mismatch",
    );
  });

  it("asks for each further member", () => {
    equal(verdict({ owner: "acme", sourceRef: "refs/heads/main" }), "certificate-claim-mismatch");
    equal(verdict({ owner: "acme", sourceDigest: "c".repeat(40) }), "certificate-claim-mismatch");
    equal(verdict({ owner: "acme", signerDigest: "c".repeat(40) }), "certificate-claim-mismatch");
    equal(
      verdict({ owner: "acme", denySelfHostedRunners: true }, { runnerEnvironment: "self-hosted" }),
      "self-hosted-runner",
    );
    equal(verdict({ owner: "acme", issuer: "https://evil.example" }), "issuer-mismatch");
    equal(verdict({ owner: "acme", host: "ghe.example" }), "identity-mismatch");
  });

  it("throws for what is no owner, repository, workflow or host, and for unknown members", () => {
    const bad: unknown[] = [
      {},
      { signerRepository: "acme/app" },
      { owner: "" },
      { owner: "acme/app" },
      { owner: "ac me" },
      { owner: "acme\n" },
      { owner: ".*|" },
      { repository: "app" },
      { repository: "acme/app/x" },
      { repository: "https://github.com/acme/app" },
      { owner: "acme", signerRepository: "x" },
      { owner: "acme", signerWorkflow: "x.yml" },
      { owner: "acme", signerWorkflow: "acme/app/x.yml@main" },
      { owner: "acme", host: "github.com/evil" },
      { owner: "acme", host: "github.com@evil.example" },
      { owner: "acme", repo: "acme/app" },
    ];
    for (const one of bad) {
      throws(() => githubIdentity(one as GithubExpectation), TypeError, JSON.stringify(one));
    }
  });

  it("takes no member of another type, or without a letter", () => {
    for (
      const [name, values] of Object.entries({
        owner: ["", 7, ["acme"], null],
        repository: ["", ["acme/app"], null],
        signerRepository: ["", ["acme/app"]],
        signerWorkflow: ["", 7, {}],
        signerDigest: ["", 7],
        sourceRef: ["", {}],
        sourceDigest: ["", []],
        host: ["", 7],
        issuer: ["", {}],
        // None of these is "no", and none is "yes".
        denySelfHostedRunners: ["", 0, null, "false", "true", 1, {}],
      })
    ) {
      for (const value of values) {
        const expectation = { owner: "acme", [name]: value } as unknown as GithubExpectation;
        throws(() => githubIdentity(expectation), { name: "TypeError", message: /empty or of/ });
      }
    }
    equal(
      githubIdentity({ owner: "acme", denySelfHostedRunners: false }).runnerEnvironment,
      undefined,
    );
  });
});

describe("describeMatcher()", () => {
  it("gives a text as it is, and says what a pattern has to match", () => {
    equal(describeMatcher("a.b"), "a.b");
    equal(describeMatcher({ pattern: "a.b" }), "all of it matches /a.b/");
  });
});

describe("escapePattern()", () => {
  it("makes a text match itself and nothing else", () => {
    const text = "https://a.b/c+d?(e)[f]{g}|h^i$j\\k*l";
    equal(verdictOf(san({ pattern: escapePattern(text) }), { subjectAlternativeName: text }), "ok");
    equal(
      verdictOf(san({ pattern: escapePattern("a.b") }), { subjectAlternativeName: "axb" }),
      "identity-mismatch",
    );
  });
});
