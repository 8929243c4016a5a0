import { ISSUER, KEYS, policyOf, PROVENANCE, SHA, TEST } from "./_fixtures_test.ts";

export type Loose = Record<string, unknown>;

const JWK = {
  kty: "OKP",
  crv: "Ed25519",
  x: "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo",
};

/** A policy with one rule, one requirement, and one member of it changed. */
const rule = (more: Loose): unknown => policyOf(more as never);
const asks = (more: Loose): unknown => rule({ require: [{ id: "signed", ...more }] });
const trust = (more: Loose): unknown => {
  const policy = policyOf({}) as { trust: Loose };
  return { ...policy, trust: { ...policy.trust, ...more } };
};
const where = (condition: Loose): unknown =>
  asks({ predicate: { where: [{ path: "/predicate/a", ...condition }] } });
export const top = (more: Loose): unknown => policyOf({}, more as never);

const WAIVER = {
  rule: "release/signed",
  artifact: { name: "app" },
  reason: "known",
  owner: "me",
  until: "2026-12-31T00:00:00Z",
};

const R = "/rules/0/require/0";
const W = `${R}/predicate/where/0`;

/** Document, path of its one problem, and a part of what is said. */
export const BAD_POLICIES: Readonly<Record<string, [unknown, string, RegExp]>> = {
  "no object": [[], "", /no JSON object/],
  "no type": [{ ...(policyOf({}) as Loose), type: undefined }, "/type", /has no type/],
  "another type": [top({ type: "attest-policy/v2" }), "/type", /attest-policy\/v1/],
  "an unknown member": [top({ rule: [] }), "/rule", /did you mean rules\?/],
  "an unknown mode": [top({ mode: "enforced" }), "/mode", /did you mean enforce\?/],
  "a mode of another type": [top({ mode: true }), "/mode", /no text/],
  "an expiry without Z": [top({ expires: "2026-01-01" }), "/expires", /RFC 3339/],
  "an expiry that does not exist": [top({ expires: "2026-02-30T00:00:00Z" }), "/expires", /RFC/],
  "an unknown selection": [top({ selection: "last" }), "/selection", /first, all/],
  "no rules": [top({ rules: [] }), "/rules", /is empty/],
  "rules by name": [top({ rules: {} }), "/rules", /no list/],
  "no rules at all": [top({ rules: undefined }), "/rules", /has no rules/],

  "a rule without id": [rule({ id: undefined }), "/rules/0/id", /has no id/],
  "an id with a slash": [rule({ id: "a/b" }), "/rules/0/id", /is no id/],
  "a rule that asks nothing": [rule({ require: [] }), "/rules/0/require", /is empty/],
  "a selector that says nothing": [rule({ select: {} }), "/rules/0/select", /asks nothing/],
  "a misspelt selector": [rule({ select: { names: "a" } }), "/rules/0/select/names", /mean name\?/],
  "a regular expression as selector": [
    rule({ select: { name: "^app-.*$" } }),
    "/rules/0/select/name",
    /looks like a regular expression/,
  ],
  "a digest without algorithm": [
    rule({ select: { digest: SHA } }),
    "/rules/0/select/digest",
    /no digest/,
  ],
  "a short digest": [rule({ select: { digest: "sha256:ab" } }), "/rules/0/select/digest", /64/],
  "a broken digest": [
    rule({ select: { digest: `sha1:${"a".repeat(40)}` } }),
    "/rules/0/select/digest",
    /broken/,
  ],
  "a repository with a tag": [
    rule({ select: { oci: "ghcr.io/a/b:1" } }),
    "/rules/0/select/oci",
    /tag/,
  ],
  "a repository with a scheme": [
    rule({ select: { oci: ["https://ghcr.io/a"] } }),
    "/rules/0/select/oci/0",
    /address/,
  ],
  "a scope alone": [rule({ select: { npm: "@acme" } }), "/rules/0/select/npm", /@acme\/\*/],
  "a package with version": [rule({ select: { npm: "app@1" } }), "/rules/0/select/npm", /version/],

  "an unknown member of a requirement": [asks({ envelop: {} }), `${R}/envelop`, /mean envelope\?/],
  "the id across": [asks({ id: "across" }), `${R}/id`, /taken/],
  "a count of 0": [asks({ count: 0 }), `${R}/count`, /1 to 1000/],
  "the latest two": [asks({ count: 2, conflict: "latest" }), `${R}/count`, /latest/],
  "an unknown conflict": [asks({ conflict: "first" }), `${R}/conflict`, /any, all, latest/],
  "an envelope that asks nothing": [asks({ envelope: {} }), `${R}/envelope`, /asks nothing/],
  "an unknown format": [
    asks({ envelope: { formats: ["sigstore"] } }),
    `${R}/envelope/formats/0`,
    /sigstore-bundle/,
  ],
  "an unknown algorithm": [
    asks({ envelope: { algorithms: ["HS256"] } }),
    `${R}/envelope/algorithms/0`,
    /wanted one of/,
  ],
  "an algorithm by another name": [
    asks({ envelope: { algorithms: ["ECDSA-P256-SHA256"] } }),
    `${R}/envelope/algorithms/0`,
    /called ES256/,
  ],
  "a size that no key has": [
    asks({ envelope: { minKeyBits: { EC: 2048 } } }),
    `${R}/envelope/minKeyBits/EC`,
    /521/,
  ],
  "an unknown kind of key": [
    asks({ envelope: { minKeyBits: { rsa: 2048 } } }),
    `${R}/envelope/minKeyBits/rsa`,
    /no member/,
  ],
  "a log entry of a bare envelope": [
    asks({ envelope: { formats: ["dsse"], log: 1 } }),
    `${R}/envelope/log`,
    /bare DSSE/,
  ],
  "the age of a bare envelope": [
    asks({ envelope: { formats: ["dsse"] }, freshness: { maxAge: "P1D" } }),
    `${R}/freshness`,
    /bare DSSE/,
  ],
  "a holder who signs a bare envelope": [
    asks({ envelope: { formats: ["dsse"], signedBy: { of: ["release"] } } }),
    `${R}/envelope/signedBy/of`,
    /no certificate/,
  ],
  "a signer who is nobody": [
    asks({ envelope: { signedBy: { of: ["alise"] } } }),
    `${R}/envelope/signedBy/of/0`,
    /did you mean alice\?/,
  ],
  "no signer": [asks({ envelope: { signedBy: { of: [] } } }), `${R}/envelope/signedBy/of`, /empty/],
  "a threshold above the group": [
    asks({ envelope: { signedBy: { of: ["maintainers"], threshold: 3 } } }),
    `${R}/envelope/signedBy/threshold`,
    /only 2 distinct/,
  ],
  "a threshold above a group and its member": [
    asks({ envelope: { signedBy: { of: ["maintainers", "alice"], threshold: 3 } } }),
    `${R}/envelope/signedBy/threshold`,
    /only 2 distinct/,
  ],
  "a threshold of 0": [
    asks({ envelope: { signedBy: { of: ["alice"], threshold: 0 } } }),
    `${R}/envelope/signedBy/threshold`,
    /no integer from 1/,
  ],
  "a signer twice": [
    asks({ envelope: { signedBy: { of: ["alice", "alice"] } } }),
    `${R}/envelope/signedBy/of/1`,
    /twice/,
  ],
  "a short predicate type": [
    asks({ statement: { predicateTypes: ["slsaprovenance1"] } }),
    `${R}/statement/predicateTypes/0`,
    /did you mean https:\/\/slsa.dev\/provenance\/v1/,
  ],
  "a broken digest algorithm": [
    asks({ statement: { digestAlgorithms: ["sha1"] } }),
    `${R}/statement/digestAlgorithms/0`,
    /broken/,
  ],
  "an unknown digest algorithm": [
    asks({ statement: { digestAlgorithms: ["SHA256"] } }),
    `${R}/statement/digestAlgorithms/0`,
    /no digest algorithm/,
  ],
  "a subject by a regular expression": [
    asks({ statement: { subjectNames: ["app\\.tgz"] } }),
    `${R}/statement/subjectNames/0`,
    /regular expression/,
  ],
  "a predicate rule that asks nothing": [asks({ predicate: {} }), `${R}/predicate`, /asks nothing/],
  "a misspelt expectation": [
    asks({ predicate: { provenance: { sourceUrl: "github.com/a/b" } } }),
    `${R}/predicate/provenance/sourceUrl`,
    /mean sourceUri\?/,
  ],
  "a source that is none": [
    asks({ predicate: { provenance: { sourceUri: "acme" } } }),
    `${R}/predicate/provenance`,
    /no repository/,
  ],
  "a level that is none": [
    asks({ predicate: { provenance: { minLevel: 4 } } }),
    `${R}/predicate/provenance`,
    /minLevel/,
  ],
  "provenance of another type": [
    asks({ statement: { predicateTypes: [TEST] }, predicate: { provenance: { minLevel: 1 } } }),
    `${R}/predicate/provenance`,
    /none of provenance/,
  ],
  "provenance and VSA at once": [
    asks({
      predicate: {
        provenance: { minLevel: 1 },
        vsa: { verifierId: "https://v.example", resourceUri: "pkg:npm/a@1.0.0" },
      },
    }),
    `${R}/predicate/vsa`,
    /two requirements/,
  ],
  "a builder's key that is nobody's": [
    asks({
      predicate: {
        provenance: {
          builders: {
            builders: [{
              signer: { keys: ["carol"] },
              builderId: "https://b.example",
              maxBuildLevel: 1,
            }],
          },
        },
      },
    }),
    `${R}/predicate/provenance/builders/builders/0/signer/keys/0`,
    /neither the name/,
  ],
  "a parameter by an explosive expression": [
    asks({
      predicate: {
        provenance: {
          buildType: "https://b.example",
          externalParameters: { a: { members: { b: { pattern: "(a+)+" } } } },
        },
      },
    }),
    `${R}/predicate/provenance/externalParameters/a/members/b/pattern`,
    /repeats a group/,
  ],
  "a VSA without verifier": [
    asks({ predicate: { vsa: { resourceUri: "pkg:npm/a@1.0.0" } } }),
    `${R}/predicate/vsa/verifierId`,
    /has no verifierId/,
  ],
  "dependencies by expression": [
    asks({ predicate: { dependencies: { forbidden: ["pkg:npm/evil.*"] } } }),
    `${R}/predicate/dependencies/forbidden/0`,
    /regular expression/,
  ],
  "a package URL that is none": [
    asks({ predicate: { sbom: { forbidden: ["pkg:npm"] } } }),
    `${R}/predicate/sbom/forbidden/0`,
    /Cannot/,
  ],
  "a package both forbidden and required": [
    asks({ predicate: { sbom: { forbidden: ["a"], required: ["a"] } } }),
    `${R}/predicate/sbom/required/0`,
    /forbidden too/,
  ],
  "an unknown severity": [
    asks({ predicate: { vulnerabilities: { maxSeverity: "moderate" } } }),
    `${R}/predicate/vulnerabilities/maxSeverity`,
    /none, low/,
  ],
  "no severity": [
    asks({ predicate: { vulnerabilities: { maxAge: "P7D" } } }),
    `${R}/predicate/vulnerabilities/maxSeverity`,
    /has no maxSeverity/,
  ],
  "an exception for many": [
    asks({
      predicate: {
        vulnerabilities: {
          maxSeverity: "low",
          exceptions: [{ id: "CVE-*", reason: "x", until: "2026-01-01T00:00:00Z" }],
        },
      },
    }),
    `${R}/predicate/vulnerabilities/exceptions/0/id`,
    /one finding/,
  ],
  "an exception without end": [
    asks({
      predicate: {
        vulnerabilities: { maxSeverity: "low", exceptions: [{ id: "C", reason: "x" }] },
      },
    }),
    `${R}/predicate/vulnerabilities/exceptions/0/until`,
    /has no until/,
  ],
  "an age in months": [asks({ freshness: { maxAge: "P1M" } }), `${R}/freshness/maxAge`, /P30D/],
  "no age": [asks({ freshness: {} }), `${R}/freshness/maxAge`, /has no maxAge/],

  "a misspelt operator": [where({ equal: 1 }), `${W}/equal`, /did you mean equals\?/],
  "two operators": [where({ equals: 1, matches: "a" }), W, /found equals and matches/],
  "no condition path": [
    asks({ predicate: { where: [{ equals: 1 }] } }),
    `${W}/path`,
    /has no path/,
  ],
  "a path that leads nowhere": [
    where({ path: "/predicte/a", exists: false }),
    `${W}/path`,
    /nothing else/,
  ],
  "a path without slash": [where({ path: "predicate", equals: 1 }), `${W}/path`, /begin with/],
  "a number that JSON does not keep": [
    where({ equals: JSON.parse("9007199254740993") }),
    `${W}/equals`,
    /2\^53/,
  ],
  "nothing to be one of": [where({ oneOf: [] }), `${W}/oneOf`, /empty/],
  "one value twice": [where({ oneOf: [{ a: 1, b: 2 }, { b: 2, a: 1 }] }), `${W}/oneOf/1`, /twice/],
  "a match by expression": [where({ matches: "v\\d+" }), `${W}/matches`, /regular expression/],
  "a range that is none": [where({ semver: "1.x" }), `${W}/semver`, /comparator/],
  "a number within nothing": [where({ number: { min: 2, max: 1 } }), `${W}/number`, /no number/],
  "a number without bounds": [where({ number: {} }), `${W}/number`, /asks nothing/],
  "a bound as text": [where({ number: { min: "1" } }), `${W}/number/min`, /no number/],
  "a time within nothing": [
    where({ time: { after: "P1D", before: "P2D" } }),
    `${W}/time`,
    /no time/,
  ],
  "a time without Z": [where({ time: { after: "2026-01-01" } }), `${W}/time/after`, /neither/],
  "a quantifier of nothing": [
    where({ exists: false, quantifier: "some" }),
    `${W}/quantifier`,
    /no meaning/,
  ],
  "exists as text": [where({ exists: "yes" }), `${W}/exists`, /neither true nor false/],

  "a cross rule of nothing": [
    rule({ across: [{ id: "x" }] }),
    "/rules/0/across/0",
    /exactly one of/,
  ],
  "a cross rule of two kinds": [
    rule({
      across: [{
        id: "x",
        signers: { of: ["signed"], min: 1 },
        equal: [
          { requirement: "signed", path: "/predicate/a" },
          { requirement: "signed", path: "/predicate/b" },
        ],
      }],
    }),
    "/rules/0/across/0",
    /found equal and signers/,
  ],
  "a cross rule by the name of a requirement": [
    rule({ across: [{ id: "signed", signers: { of: ["signed"], min: 1 } }] }),
    "/rules/0/across/0/id",
    /twice/,
  ],
  "a requirement that is not there": [
    rule({ across: [{ id: "x", signers: { of: ["sign"], min: 1 } }] }),
    "/rules/0/across/0/signers/of/0",
    /did you mean signed\?/,
  ],
  "one requirement with distinct signers": [
    rule({ across: [{ id: "x", distinctSigners: ["signed"] }] }),
    "/rules/0/across/0/distinctSigners",
    /than itself/,
  ],
  "one field that is equal": [
    rule({ across: [{ id: "x", equal: [{ requirement: "signed", path: "/predicate/a" }] }] }),
    "/rules/0/across/0/equal",
    /fewer than 2/,
  ],
  "a chain to no rule": [
    rule({ across: [{ id: "x", chain: { from: "signed", dependency: "a", rule: "binary" } }] }),
    "/rules/0/across/0/chain/rule",
    /no rule/,
  ],
  "a chain to itself": [
    rule({ across: [{ id: "x", chain: { from: "signed", dependency: "a", rule: "release" } }] }),
    "/rules/0/across/0/chain/rule",
    /circle: release > release/,
  ],

  "a name with blanks": [
    trust({ keys: { "a b": { publicKey: KEYS.alice } }, groups: {} }),
    "/trust/keys/a b",
    /no name/,
  ],
  "a name twice": [
    trust({ identities: { alice: { github: { owner: "acme" } } } }),
    "/trust/identities/alice",
    /twice/,
  ],
  "a key under two names": [
    trust({ keys: { alice: { publicKey: KEYS.alice }, bob: { publicKey: JWK } } }),
    "/trust/keys/bob/publicKey",
    /the key of "alice" too/,
  ],
  "a key of a key set that has a name": [
    trust({
      keySets: {
        team: { type: "attest-key-set/v1", keys: [{ name: "a", publicKey: KEYS.alice }] },
      },
    }),
    "/trust/keySets/team/keys/0/publicKey",
    /the key of "alice" too/,
  ],
  "a key that is none": [
    trust({ keys: { alice: { publicKey: "AAAA" }, bob: { publicKey: KEYS.bob } } }),
    "/trust/keys/alice/publicKey",
    /PEM/,
  ],
  "a private key": [
    trust({ keys: { alice: { publicKey: { ...JWK, d: "AA" } }, bob: { publicKey: KEYS.bob } } }),
    "/trust/keys/alice/publicKey",
    /private/,
  ],
  "an algorithm that the key is not for": [
    trust({
      keys: { alice: { publicKey: KEYS.alice, alg: "ES256" }, bob: { publicKey: KEYS.bob } },
    }),
    "/trust/keys/alice/publicKey",
    /Ed25519/,
  ],
  "a group of groups": [
    trust({ groups: { maintainers: ["alice"], all: ["maintainers"] } }),
    "/trust/groups/all/0",
    /groups have no groups/,
  ],
  "a group of nobody": [
    trust({ groups: { maintainers: [] } }),
    "/trust/groups/maintainers",
    /empty/,
  ],
  "a group with a stranger": [
    trust({ groups: { maintainers: ["carol"] } }),
    "/trust/groups/maintainers/0",
    /no name of/,
  ],
  "an identity without issuer": [
    trust({ identities: { ci: { subjectAlternativeName: "https://ci.example" } } }),
    "/trust/identities/ci",
    /no issuer/,
  ],
  "an identity that names nobody": [
    trust({ identities: { ci: { issuer: ISSUER, runnerEnvironment: "github-hosted" } } }),
    "/trust/identities/ci",
    /names nobody/,
  ],
  "an identity that is anybody": [
    trust({ identities: { ci: { issuer: ISSUER, subjectAlternativeName: { pattern: ".+" } } } }),
    "/trust/identities/ci",
    /names nobody/,
  ],
  "an issuer that is anybody": [
    trust({ identities: { ci: { issuer: { pattern: ".*" }, subjectAlternativeName: "a" } } }),
    "/trust/identities/ci",
    /anybody/,
  ],
  "an explosive expression": [
    trust({
      identities: { ci: { issuer: ISSUER, subjectAlternativeName: { pattern: "(a+)+b" } } },
    }),
    "/trust/identities/ci/subjectAlternativeName",
    /repeats a group/,
  ],
  "a misspelt claim": [
    trust({ identities: { ci: { issuer: ISSUER, subjectAlternativName: "a" } } }),
    "/trust/identities/ci/subjectAlternativName",
    /mean subjectAlternativeName\?/,
  ],
  "a GitHub identity of nobody": [
    trust({ identities: { ci: { github: { denySelfHostedRunners: true } } } }),
    "/trust/identities/ci/github",
    /neither an owner/,
  ],
  "an identity of two forms": [
    trust({ identities: { ci: { github: { owner: "acme" }, issuer: ISSUER } } }),
    "/trust/identities/ci/issuer",
    /no member/,
  ],
  "an identity without any root": [trust({ roots: [] }), "/trust/roots", /no root/],
  "a root that is none": [
    trust({ roots: [{ mediaType: "x" }] }),
    "/trust/roots/0/mediaType",
    /no trusted root/,
  ],
  "a root by an unknown name": [trust({ roots: ["public"] }), "/trust/roots/0", /public-good/],
  "a threshold as text": [
    trust({ thresholds: { log: "1" } }),
    "/trust/thresholds/log",
    /no integer/,
  ],

  "a waiver for a rule that is not there": [
    top({ waivers: [{ ...WAIVER, rule: "relese" }] }),
    "/waivers/0/rule",
    /no rule/,
  ],
  "a waiver for a requirement that is not there": [
    top({ waivers: [{ ...WAIVER, rule: "release/sign" }] }),
    "/waivers/0/rule",
    /no requirement/,
  ],
  "a waiver for no check": [
    top({ waivers: [{ ...WAIVER, rule: "release/signed/anything" }] }),
    "/waivers/0/rule",
    /no check/,
  ],
  "a waiver for every artifact": [
    top({ waivers: [{ ...WAIVER, artifact: {} }] }),
    "/waivers/0/artifact",
    /asks nothing/,
  ],
  "a waiver without end": [
    top({ waivers: [{ ...WAIVER, until: undefined }] }),
    "/waivers/0/until",
    /has no until/,
  ],
  "a waiver without owner": [
    top({ waivers: [{ ...WAIVER, owner: " " }] }),
    "/waivers/0/owner",
    /empty/,
  ],
  "a waiver of a wrong signature": [
    top({ waivers: [{ ...WAIVER, reasons: ["invalid-signature"] }] }),
    "/waivers/0/reasons/0",
    /cannot be waived/,
  ],
  "unsigned waivers where signed ones are asked for": [
    top({ waivers: [WAIVER], waiverSigners: { of: ["alice"] } }),
    "/waivers",
    /are not/,
  ],
  "waivers signed by a certificate": [
    top({ waiverSigners: { of: ["release"] } }),
    "/waiverSigners/of/0",
    /signed with keys/,
  ],
};

/** Every member that there is. */
export const FULL_POLICY = {
  $schema: "policy.schema.json",
  type: "attest-policy/v1",
  name: "acme",
  description: "All releases",
  mode: "permissive",
  expires: "2027-01-01T00:00:00Z",
  trust: {
    keys: { alice: { publicKey: KEYS.alice, alg: "Ed25519", keyid: "a", description: "A" } },
    keySets: {
      team: { type: "attest-key-set/v1", keys: [{ name: "bob", publicKey: KEYS.bob }] },
    },
    identities: {
      ci: { github: { repository: "acme/app", denySelfHostedRunners: true } },
      other: {
        issuer: ISSUER,
        sourceRepositoryIdentifier: "1001",
        subjectAlternativeName: {
          pattern: "https://github\\.com/acme/[^/]+/\\.github/workflows/.+@refs/tags/v.+",
        },
      },
    },
    groups: { all: ["alice", "team", "ci"] },
    roots: ["public-good"],
    thresholds: { log: 1, timestampAuthority: 0 },
  },
  selection: "all",
  unselected: "pass",
  rules: [{
    id: "image",
    description: "Images",
    select: { oci: ["ghcr.io/acme/**"], name: "**", digest: `sha256:${SHA}`, npm: "@acme/*" },
    require: [
      {
        id: "built",
        envelope: {
          formats: ["sigstore-bundle"],
          payloadTypes: ["application/vnd.in-toto+json"],
          algorithms: ["ES256", "Ed25519"],
          minKeyBits: { RSA: 3072, EC: 256 },
          signedBy: [{ of: ["all"], threshold: 3 }, { of: ["ci"] }],
          log: 1,
          timestamp: 1,
        },
        statement: {
          predicateTypes: [PROVENANCE],
          digestAlgorithms: ["sha256", "gitCommit"],
          subjectNames: ["app-*.tgz"],
          subjects: "exact",
        },
        predicate: {
          provenance: {
            sourceUri: "github.com/acme/app",
            minLevel: 3,
            buildType: "https://b.example",
            externalParameters: { ref: { pattern: "refs/tags/v\\d+\\.\\d+" } },
            builders: {
              builders: [
                {
                  signer: { keys: ["alice", "bob"] },
                  builderId: "https://b.example",
                  maxBuildLevel: 1,
                },
              ],
            },
          },
          dependencies: {
            allowed: ["git+https://github.com/acme/**"],
            digests: ["sha256"],
            min: 1,
          },
          where: [
            { id: "tests", path: "/predicate/*/result", quantifier: "some", equals: "PASSED" },
            { path: "/predicate/version", semver: ">=1.0.0" },
            { path: "/predicate/time", time: { after: "P30D", before: "P1D" } },
          ],
          cel: "statement.subject.size() == 1",
        },
        freshness: { maxAge: "P30D" },
        count: 1,
        conflict: "all",
      },
      {
        id: "scanned",
        predicate: {
          vulnerabilities: {
            maxSeverity: "medium",
            exceptions: [{ id: "CVE-1", reason: "x", until: "2026-01-01T00:00:00Z" }],
            maxAge: "P7D",
            scanners: ["https://github.com/aquasecurity/**"],
            maxDatabaseAge: "P1D",
          },
        },
      },
      {
        id: "listed",
        predicate: {
          sbom: {
            formats: ["spdx"],
            forbidden: ["pkg:npm/event-stream"],
            required: ["openssl*"],
            versions: true,
            min: 1,
          },
        },
      },
    ],
    across: [
      { id: "apart", distinctSigners: ["built", "scanned"] },
      {
        id: "same",
        equal: [
          { requirement: "built", path: "/predicate/commit" },
          { requirement: "listed", path: "/predicate/commit" },
        ],
      },
      { id: "two", signers: { of: ["built", "scanned"], min: 2 } },
      { id: "binary", chain: { from: "built", dependency: "**/app", rule: "bin" } },
    ],
  }, { id: "bin", require: [{ id: "signed" }] }],
  waivers: [
    { ...WAIVER, rule: "image/scanned/predicate.vulnerabilities", reasons: ["scan-too-old"] },
    { ...WAIVER, rule: "image/apart" },
    { ...WAIVER, rule: "bin" },
  ],
};
