import { ISSUER, KEYS, policyOf, PROVENANCE, SHA, TEST } from "./_fixtures_test.ts";

export type Loose = Record<string, unknown>;

const JWK = {
  kty: "OKP",
  crv: "Ed25519",
  x: "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo",
};

/** A policy with one rule, one requirement, and one member of it changed. */
export const rule = (more: Loose): unknown => policyOf(more as never);
export const asks = (more: Loose): unknown => rule({ require: [{ id: "signed", ...more }] });
export const trust = (more: Loose): unknown => {
  const policy = policyOf({}) as { trust: Loose };
  return { ...policy, trust: { ...policy.trust, ...more } };
};
export const where = (condition: Loose): unknown =>
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
  "a parameter by an expression that looks around": [
    asks({
      predicate: {
        provenance: {
          buildType: "https://b.example",
          externalParameters: { a: { members: { b: { pattern: "a(?=b)" } } } },
        },
      },
    }),
    `${R}/predicate/provenance/externalParameters/a/members/b/pattern`,
    /looks around, refers back/,
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
  "an identity that is anybody with a long name": [
    trust({
      identities: { ci: { issuer: ISSUER, subjectAlternativeName: { pattern: ".+".repeat(9) } } },
    }),
    "/trust/identities/ci",
    /names nobody/,
  ],
  "an issuer that is anybody with a name of some length": [
    trust({
      identities: { ci: { issuer: { pattern: ".{50,500}" }, subjectAlternativeName: "a" } },
    }),
    "/trust/identities/ci",
    /anybody/,
  ],
  "an issuer that is anybody": [
    trust({ identities: { ci: { issuer: { pattern: ".*" }, subjectAlternativeName: "a" } } }),
    "/trust/identities/ci",
    /anybody/,
  ],
  "an expression that refers back": [
    trust({
      identities: { ci: { issuer: ISSUER, subjectAlternativeName: { pattern: "(a)\\1" } } },
    }),
    "/trust/identities/ci/subjectAlternativeName",
    /looks around, refers back/,
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

  "a requirement twice": [
    rule({ require: [{ id: "a" }, { id: "a" }] }),
    "/rules/0/require/1/id",
    /there twice/,
  ],
  "a rule twice, of others between": [
    top({
      selection: "all",
      rules: [
        { id: "a", require: [{ id: "x" }] },
        { id: "b", require: [{ id: "x" }] },
        { id: "a", require: [{ id: "x" }] },
      ],
    }),
    "/rules/2/id",
    /there twice/,
  ],
  "a cross rule that is called across": [
    rule({ across: [{ id: "across", signers: { of: ["signed"], min: 1 } }] }),
    "/rules/0/across/0/id",
    /taken/,
  ],
  "two cross rules of one name": [
    rule({
      across: [
        { id: "x", signers: { of: ["signed"], min: 1 } },
        { id: "x", signers: { of: ["signed"], min: 1 } },
      ],
    }),
    "/rules/0/across/1/id",
    /twice/,
  ],
  "distinct signers of a requirement that is not there": [
    rule({ across: [{ id: "x", distinctSigners: ["signed", "sighed"] }] }),
    "/rules/0/across/0/distinctSigners/1",
    /did you mean signed\?/,
  ],
  "a field of a requirement that is not there": [
    rule({
      across: [{
        id: "x",
        equal: [
          { requirement: "signed", path: "/predicate/a" },
          { requirement: "nothing", path: "/predicate/a" },
        ],
      }],
    }),
    "/rules/0/across/0/equal/1/requirement",
    /no requirement/,
  ],
  "many values where one must be equal": [
    rule({
      across: [{
        id: "x",
        equal: [
          { requirement: "signed", path: "/predicate/a" },
          { requirement: "signed", path: "/predicate/*/a" },
        ],
      }],
    }),
    "/rules/0/across/0/equal/1/path",
    /no place/,
  ],
  "an equal value at no path": [
    rule({
      across: [{
        id: "x",
        equal: [
          { requirement: "signed", path: "/predicate/a" },
          { requirement: "signed", path: "/nowhere" },
        ],
      }],
    }),
    "/rules/0/across/0/equal/1/path",
    /nothing else/,
  ],
  "a chain from a requirement that is not there": [
    top({
      selection: "all",
      rules: [
        {
          id: "a",
          require: [{ id: "p" }],
          across: [{ id: "x", chain: { from: "q", dependency: "d", rule: "b" } }],
        },
        { id: "b", require: [{ id: "p" }] },
      ],
    }),
    "/rules/0/across/0/chain/from",
    /no requirement/,
  ],
  "an exception twice": [
    asks({
      predicate: {
        vulnerabilities: {
          maxSeverity: "low",
          exceptions: [
            { id: "CVE-1", reason: "x", until: "2026-01-01T00:00:00Z" },
            { id: "CVE-1", reason: "y", until: "2027-01-01T00:00:00Z" },
          ],
        },
      },
    }),
    `${R}/predicate/vulnerabilities/exceptions/1/id`,
    /twice/,
  ],
  "a repository with a digest": [
    rule({ select: { oci: `ghcr.io/a/b@sha256:${SHA}` } }),
    "/rules/0/select/oci",
    /tag/,
  ],
  "a time of a bare envelope": [
    asks({ envelope: { formats: ["dsse"], timestamp: 1 } }),
    `${R}/envelope/timestamp`,
    /bare DSSE/,
  ],
  "a VSA under another type": [
    asks({
      statement: { predicateTypes: [TEST] },
      predicate: { vsa: { verifierId: "https://v.example", resourceUri: "pkg:npm/a@1.0.0" } },
    }),
    `${R}/predicate/vsa`,
    /none of vsa/,
  ],
  "a VSA's level that no dependency has": [
    asks({
      predicate: {
        vsa: { verifierId: "https://v.example", resourceUri: "a", dependencyLevels: ["high"] },
      },
    }),
    `${R}/predicate/vsa`,
    /no level/,
  ],
  "a VSA's key that is nobody's": [
    asks({
      predicate: {
        vsa: { verifierId: "https://v.example", resourceUri: "a", signer: { keys: ["carol"] } },
      },
    }),
    `${R}/predicate/vsa/signer/keys/0`,
    /neither the name/,
  ],
  "provenance of a version that the types leave out": [
    asks({
      statement: { predicateTypes: [PROVENANCE] },
      predicate: {
        provenance: { minLevel: 1, predicateTypes: ["https://slsa.dev/provenance/v0.2"] },
      },
    }),
    `${R}/predicate/provenance`,
    /none of provenance/,
  ],
  "a dependency of a broken digest": [
    asks({ predicate: { dependencies: { digests: ["md5"] } } }),
    `${R}/predicate/dependencies/digests/0`,
    /broken/,
  ],
  "dependencies that ask nothing": [
    asks({ predicate: { dependencies: {} } }),
    `${R}/predicate/dependencies`,
    /asks nothing/,
  ],
  "an SBOM that asks nothing": [
    asks({ predicate: { sbom: {} } }),
    `${R}/predicate/sbom`,
    /asks nothing/,
  ],
  "provenance that asks nothing": [
    asks({ predicate: { provenance: {} } }),
    `${R}/predicate/provenance`,
    /asks nothing/,
  ],
  "a statement that asks nothing": [asks({ statement: {} }), `${R}/statement`, /asks nothing/],
  "sizes of no key": [
    asks({ envelope: { minKeyBits: {} } }),
    `${R}/envelope/minKeyBits`,
    /asks nothing/,
  ],
  "an id that is too long": [asks({ id: "a".repeat(129) }), `${R}/id`, /no id/],
  "a text that is too long": [
    top({ description: "a".repeat(4097) }),
    "/description",
    /more than 4096/,
  ],
  "a GitHub identity that is no object": [
    trust({ identities: { ci: { github: "acme/app" } } }),
    "/trust/identities/ci/github",
    /no JSON object/,
  ],
  "a VSA about nothing": [
    asks({ predicate: { vsa: { verifierId: "https://v.example", resourceUri: "" } } }),
    `${R}/predicate/vsa/resourceUri`,
    /empty/,
  ],
  "a VSA of a branch in a list": [
    asks({
      predicate: {
        vsa: { verifierId: "https://v.example", resourceUri: "a", sourceRef: ["refs/heads/main"] },
      },
    }),
    `${R}/predicate/vsa`,
    /sourceRef/,
  ],
  "a GitHub ref that is empty": [
    trust({ identities: { ci: { github: { owner: "acme", sourceRef: "" } } } }),
    "/trust/identities/ci/github",
    /sourceRef is empty/,
  ],
  "a runner that is refused by a word": [
    trust({ identities: { ci: { github: { owner: "acme", denySelfHostedRunners: "no" } } } }),
    "/trust/identities/ci/github",
    /denySelfHostedRunners/,
  ],
  "a pattern with another member": [
    trust({
      identities: {
        ci: { issuer: ISSUER, subjectAlternativeName: { pattern: "a", flags: "i" } },
      },
    }),
    "/trust/identities/ci/subjectAlternativeName",
    /one member pattern/,
  ],
  "an empty pattern": [
    trust({ identities: { ci: { issuer: ISSUER, subjectAlternativeName: { pattern: "" } } } }),
    "/trust/identities/ci/subjectAlternativeName",
    /one member pattern/,
  ],
  "an empty claim": [
    trust({ identities: { ci: { issuer: ISSUER, subjectAlternativeName: "" } } }),
    "/trust/identities/ci/subjectAlternativeName",
    /empty/,
  ],
  "a key that is a number": [
    trust({ keys: { alice: { publicKey: 7 }, bob: { publicKey: KEYS.bob } } }),
    "/trust/keys/alice/publicKey",
    /neither PEM text nor a JWK/,
  ],
  "keys in a list": [trust({ keys: [], groups: {} }), "/trust/keys", /no JSON object/],
  "a key set with a key that is none": [
    trust({ keySets: { team: { type: "attest-key-set/v1", keys: [7] } } }),
    "/trust/keySets/team/keys/0",
    /no JSON object/,
  ],
  "a key set of another type": [
    trust({
      keySets: {
        team: { type: "attest-key-set/v2", keys: [{ name: "a", publicKey: KEYS.alice }] },
      },
      keys: { alice: { publicKey: KEYS.bob } },
      groups: {},
    }),
    "/trust/keySets/team/type",
    /attest-key-set\/v1/,
  ],
  "a root twice": [trust({ roots: ["public-good", "public-good"] }), "/trust/roots/1", /twice/],
  "a waiver for a reason that is none": [
    top({ waivers: [{ ...WAIVER, reasons: ["Too old"] }] }),
    "/waivers/0/reasons/0",
    /no reason/,
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
  platforms: "from-index",
  rules: [{
    id: "image",
    description: "Images",
    select: { oci: ["ghcr.io/acme/**"], name: "**", digest: `sha256:${SHA}`, npm: "@acme/*" },
    require: [
      {
        id: "built",
        description: "By the release workflow",
        envelope: {
          formats: ["sigstore-bundle"],
          coverage: ["message", "whole-artifact"],
          signedMessageType: true,
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
            forbidden: ["pkg:npm/event-stream@**"],
            digests: ["sha256"],
            min: 1,
          },
          where: [
            { id: "tests", path: "/predicate/*/result", quantifier: "some", equals: "PASSED" },
            { path: "/predicate/version", semver: ">=1.0.0" },
            { path: "/predicate/time", time: { after: "P30D", before: "P1D" } },
            { path: "/predicate/age", time: { maxAge: "P30D" } },
            { path: "/predicate/state", quantifier: "none", oneOf: ["bad", "worse"] },
            { path: "/predicate/name", matches: ["app-*"] },
            { path: "/predicate/score", number: { min: 1, max: 10 } },
            { path: "/predicate/tools", containsAll: ["a"] },
            { path: "/predicate/tools", subsetOf: ["a", "b"] },
            { path: "/predicate/tools", disjointFrom: ["c"] },
            { path: "/predicate/debug", exists: false },
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
        id: "summed-up",
        predicate: {
          vsa: {
            verifierId: "https://v.example",
            signer: { keys: ["alice", "a".repeat(64)] },
            resourceUri: "pkg:npm/a@1.0.0",
            verifiedLevels: ["SLSA_BUILD_LEVEL_3"],
            maxAge: 86_400,
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
      { id: "apart", description: "Two people", distinctSigners: ["built", "scanned"] },
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

/** Members of {@linkcode FULL_POLICY} that cannot be left out. */
export const NEEDED: readonly string[] = `
/type
/trust
/trust/keys
/trust/keys/alice
/trust/keys/alice/publicKey
/trust/keySets
/trust/keySets/team
/trust/keySets/team/type
/trust/keySets/team/keys
/trust/keySets/team/keys/0/name
/trust/keySets/team/keys/0/publicKey
/trust/identities
/trust/identities/ci
/trust/identities/ci/github
/trust/identities/ci/github/repository
/trust/identities/other/issuer
/trust/identities/other/subjectAlternativeName/pattern
/trust/groups
/trust/groups/all
/rules
/rules/0/id
/rules/0/require
/rules/0/require/0/id
/rules/0/require/0/envelope/signedBy/0/of
/rules/0/require/0/envelope/signedBy/1/of
/rules/0/require/0/predicate/provenance/buildType
/rules/0/require/0/predicate/provenance/externalParameters/ref/pattern
/rules/0/require/0/predicate/provenance/builders/builders
/rules/0/require/0/predicate/provenance/builders/builders/0/signer
/rules/0/require/0/predicate/provenance/builders/builders/0/signer/keys
/rules/0/require/0/predicate/provenance/builders/builders/0/builderId
/rules/0/require/0/predicate/provenance/builders/builders/0/maxBuildLevel
/rules/0/require/0/predicate/where/0/path
/rules/0/require/0/predicate/where/0/equals
/rules/0/require/0/predicate/where/1/path
/rules/0/require/0/predicate/where/1/semver
/rules/0/require/0/predicate/where/2/path
/rules/0/require/0/predicate/where/2/time
/rules/0/require/0/predicate/where/3/path
/rules/0/require/0/predicate/where/3/time
/rules/0/require/0/predicate/where/3/time/maxAge
/rules/0/require/0/predicate/where/4/path
/rules/0/require/0/predicate/where/4/oneOf
/rules/0/require/0/predicate/where/5/path
/rules/0/require/0/predicate/where/5/matches
/rules/0/require/0/predicate/where/6/path
/rules/0/require/0/predicate/where/6/number
/rules/0/require/0/predicate/where/7/path
/rules/0/require/0/predicate/where/7/containsAll
/rules/0/require/0/predicate/where/8/path
/rules/0/require/0/predicate/where/8/subsetOf
/rules/0/require/0/predicate/where/9/path
/rules/0/require/0/predicate/where/9/disjointFrom
/rules/0/require/0/predicate/where/10/path
/rules/0/require/0/predicate/where/10/exists
/rules/0/require/0/freshness/maxAge
/rules/0/require/1/id
/rules/0/require/1/predicate/vulnerabilities
/rules/0/require/1/predicate/vulnerabilities/maxSeverity
/rules/0/require/1/predicate/vulnerabilities/exceptions/0/id
/rules/0/require/1/predicate/vulnerabilities/exceptions/0/reason
/rules/0/require/1/predicate/vulnerabilities/exceptions/0/until
/rules/0/require/2/id
/rules/0/require/2/predicate/vsa
/rules/0/require/2/predicate/vsa/verifierId
/rules/0/require/2/predicate/vsa/signer/keys
/rules/0/require/2/predicate/vsa/resourceUri
/rules/0/require/3/id
/rules/0/require/3/predicate/sbom
/rules/0/across
/rules/0/across/0/id
/rules/0/across/0/distinctSigners
/rules/0/across/1/id
/rules/0/across/1/equal
/rules/0/across/1/equal/0/requirement
/rules/0/across/1/equal/0/path
/rules/0/across/1/equal/1/requirement
/rules/0/across/1/equal/1/path
/rules/0/across/2/id
/rules/0/across/2/signers
/rules/0/across/2/signers/of
/rules/0/across/2/signers/min
/rules/0/across/3/id
/rules/0/across/3/chain
/rules/0/across/3/chain/from
/rules/0/across/3/chain/dependency
/rules/0/across/3/chain/rule
/rules/1/id
/rules/1/require
/rules/1/require/0/id
/waivers/0/rule
/waivers/0/artifact
/waivers/0/artifact/name
/waivers/0/reason
/waivers/0/owner
/waivers/0/until
/waivers/1/rule
/waivers/1/artifact
/waivers/1/artifact/name
/waivers/1/reason
/waivers/1/owner
/waivers/1/until
/waivers/2/rule
/waivers/2/artifact
/waivers/2/artifact/name
/waivers/2/reason
/waivers/2/owner
/waivers/2/until
`.trim().split("\n");

/** Places of it that take another value of another type, and which. */
export const FREE: readonly [place: RegExp, is: (value: unknown, was: unknown) => boolean][] = [
  [/\/where\/0\/equals$/, () => true],
  [/\/(?:oneOf|containsAll|subsetOf|disjointFrom)\/\d$/, () => true],
  [
    /\/(?:oneOf|containsAll|subsetOf|disjointFrom)$/,
    (value) => Array.isArray(value) && value.length > 0,
  ],
  [
    /\/(?:log|timestamp|timestampAuthority|RSA|EC|min|max|count|maxAge)$/,
    (value, was) => value === 7 && typeof was === "number",
  ],
  [/\/where\/10\/exists$/, (value) => value === true],
  [/\/(?:denySelfHostedRunners|signedMessageType|versions)$/, (value) => value === true],
  // Without an entry these ask less, or trust nobody.
  [/\/(?:builders\/builders|verifiedLevels)$|^\/waivers$/, (value) => isEmptyList(value)],
  [/\/(?:thresholds|externalParameters)$/, (value) => isEmptyObject(value)],
];

function isEmptyList(value: unknown): boolean {
  return Array.isArray(value) && value.length === 0;
}

function isEmptyObject(value: unknown): boolean {
  return JSON.stringify(value) === "{}";
}
