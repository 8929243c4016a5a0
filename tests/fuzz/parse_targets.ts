/** Targets that read documents without verifying anything. */

import { parseEnvelope } from "../../dsse/mod.ts";
import {
  googleCloudBuildKeyId,
  isGoogleCloudBuild,
  parseGoogleCloudBuild,
} from "../../formats/mod.ts";
import { decodeBase64, encodeBase64 } from "../../internal/base64.ts";
import { equalBytes } from "../../internal/bytes.ts";
import type { JsonObject } from "../../internal/json.ts";
import {
  detectFormat,
  encodeStatement,
  matchSubject,
  normalizeDigest,
  parseResourceDescriptor,
  parseStatement,
  readJsonLines,
  validateDigestSet,
  validateResourceDescriptor,
  validateStatement,
} from "../../intoto/mod.ts";
import { checksumSubjects, ociSubject, parseChecksums } from "../../intoto/subjects/mod.ts";
import { EXAMPLES } from "../../intoto/predicates/_fixtures_test.ts";
import {
  parseLockfile,
  parseNpmAttestations,
  parseNpmExpectations,
  parseNpmHistory,
  parseNpmKeys,
  parseNpmPurl,
} from "../../npm/mod.ts";
import {
  findPredicateTypes,
  formatPurl,
  IN_TOTO_PREDICATES,
  listCycloneDxComponents,
  listPackages,
  listSpdxPackages,
  listVexStatements,
  listVulnerabilities,
  lookupPredicate,
  mapCycloneDxDependencies,
  parsePurl,
  SLSA_PREDICATES,
} from "../../predicates.ts";
import { parseIdentityToken } from "../../sigstore/oidc/mod.ts";
import {
  CLAIMS as TOKEN_CLAIMS,
  NOW as TOKEN_NOW,
  tokenOf,
} from "../../sigstore/oidc/_tokens_test.ts";
import {
  type Certificate,
  parseCertificate,
  parseCheckpoint,
  parseSigstoreBundle,
  parseTrustedRoot,
  parseTrustedRoots,
  readIdentity,
} from "../../sigstore/mod.ts";
import { parseSigningConfig, parseTrustConfig, selectServices } from "../../sigstore/sign/mod.ts";
import {
  canonicalRepository,
  KNOWN_BUILDERS,
  parseBuilderTrust,
  parseProvenance,
  parseProvenancePredicate,
  parseTrackLevel,
  parseVsaPredicate,
  validateBuilderTrust,
  validateProvenancePredicate,
  validateProvenanceV0_1,
  validateProvenanceV0_2,
  validateVsaPredicate,
} from "../../slsa/mod.ts";
import { answerOf, keysFile } from "../fixtures/npm.ts";
import { provenanceStatement } from "../fixtures/provenance.ts";
import { type Corpus, jsonSeed, textSeed, textSeeds } from "./corpus.ts";
import { heldBy, textOf } from "./mutate_text.ts";
import { parser, reasonOf, validator } from "./parsers.ts";
import { Broken, type Seed, type Target } from "./target.ts";

const VSA: JsonObject = {
  verifier: { id: "https://example.com/verifier", version: { attest: "1" } },
  timeVerified: "2026-02-28T00:00:00Z",
  resourceUri: "pkg:npm/app@1.0.0",
  policy: { uri: "https://example.com/policy/v2", digest: { sha256: "c".repeat(64) } },
  inputAttestations: [{ uri: "https://example.com/a", digest: { sha256: "d".repeat(64) } }],
  verificationResult: "PASSED",
  verifiedLevels: ["SLSA_BUILD_LEVEL_2", "SLSA_SOURCE_LEVEL_UNEVALUATED", "OWN_REVIEWED"],
  dependencyLevels: { SLSA_BUILD_LEVEL_1: 3 },
  slsaVersion: "1.1",
};

/** Predicates of earlier versions. */
const V0_2: JsonObject = {
  builder: { id: "https://ci.example/builder@v1" },
  buildType: "https://ci.example/type/v1",
  invocation: {
    configSource: {
      uri: "git+https://github.com/acme/app@refs/tags/v1.2.3",
      digest: { sha1: "c".repeat(40) },
      entryPoint: ".github/workflows/release.yml",
    },
    parameters: {},
    environment: { github_event_name: "push", github_ref: "refs/tags/v1.2.3" },
  },
  metadata: {
    buildInvocationId: "55-2",
    buildStartedOn: "2025-01-01T00:00:00Z",
    completeness: { parameters: true, environment: false, materials: false },
    reproducible: false,
  },
  materials: [{ uri: "git+https://github.com/acme/app", digest: { sha1: "c".repeat(40) } }],
};
const V0_1: JsonObject = {
  builder: { id: "https://cloudbuild.googleapis.com/GoogleHostedWorker@v0.3" },
  materials: [{ uri: "https://github.com/acme/app", digest: { sha1: "c".repeat(40) } }],
  recipe: {
    type: "https://cloudbuild.googleapis.com/CloudBuildYaml@v0.1",
    definedInMaterial: 0,
    arguments: { substitutions: { TAG_NAME: "v1.2.3" } },
  },
  metadata: { buildStartedOn: "2025-01-01T00:00:00Z" },
};

const statements = (corpus: Corpus): Seed[] => [
  ...corpus.folder("testdata/statement"),
  ...corpus.vectors("statement", "statement"),
  jsonSeed("provenance", provenanceStatement()),
];
const provenances = (corpus: Corpus): Seed[] => [
  ...corpus.folder("testdata/slsa-provenance-predicate"),
  ...corpus.vectors("slsa-provenance-predicate", "statement"),
  jsonSeed("provenance", provenanceStatement().predicate),
];
const envelopes = (corpus: Corpus): Seed[] => [
  ...corpus.folder("testdata/dsse"),
  ...corpus.vectors("dsse", "envelope"),
  ...corpus.vectors("slsa", "provenance").slice(0, 8),
];
const bundles = (corpus: Corpus): Seed[] => [
  ...corpus.folder("testdata/sigstore-bundle", ".sigstore.json"),
  ...corpus.vectors("sigstore-bundle", "bundle"),
];
const roots = (corpus: Corpus): Seed[] => [
  ...corpus.folder("testdata/sigstore-bundle/roots"),
  ...corpus.vectors("sigstore-bundle", "trustedRoot"),
];

/** Certificates of bundles, and of the roots. */
function certificates(corpus: Corpus): Seed[] {
  const found = new Map<string, Seed>();
  for (const { name, bytes } of [...bundles(corpus), ...roots(corpus)]) {
    for (const [, base64] of textOf(bytes).matchAll(/"rawBytes": ?"([^"]+)"/g)) {
      const der = heldBy(base64);
      if (der !== undefined && der.length > 300 && der[0] === 0x30 && found.size < 120) {
        found.set(base64, { name: `certificate of ${name} ${found.size}`, bytes: der });
      }
    }
  }
  return [...found.values()];
}

const PURLS = [
  "pkg:npm/%40angular/http@7.2.16",
  "pkg:npm/a@1.0.0",
  "pkg:docker/cassandra@sha256:244fd47e07d1004f0aed9c",
  "pkg:deb/debian/curl@7.50.3-1?arch=i386&distro=jessie",
  "pkg:github/package-url/purl-spec@244fd47e07d1004#everybody/loves/dogs",
  "pkg:golang/google.golang.org/genproto#googleapis/api/annotations",
  "pkg:maven/org.apache.xmlgraphics/batik-anim@1.9.1?classifier=sources",
];

function purls(corpus: Corpus): Seed[] {
  const file = corpus.torture("purl/tests.json");
  const texts = new Set(PURLS);
  JSON.stringify(file ?? null, (_, value) => {
    if (typeof value === "string" && value.startsWith("pkg:") && texts.size < 300) texts.add(value);
    return value;
  });
  return textSeeds(...texts);
}

/** Examples of the kinds of predicates, each in an object with its kind. */
function predicates(): Seed[] {
  return Object.entries(EXAMPLES).flatMap(([kind, { good, bad }]) =>
    [...good, ...bad.map(({ value }) => value)].map((predicate, i) =>
      jsonSeed(`${kind} ${i + 1}`, { kind, predicate })
    )
  );
}

const KINDS = new Map(
  [...IN_TOTO_PREDICATES, ...SLSA_PREDICATES].map((kind) => [kind.name, kind]),
);

/** Readers of any predicate: they give what they find, and nothing if there is nothing. */
function listers(value: object): void {
  listPackages(value);
  listVulnerabilities(value);
  for (
    const list of [
      listCycloneDxComponents,
      listSpdxPackages,
      listVexStatements,
      mapCycloneDxDependencies,
    ]
  ) {
    try {
      list(value);
    } catch (error) {
      reasonOf(error);
    }
  }
}

const jsonText = (value: unknown): string => JSON.stringify(value);

const SERVICE = {
  url: "https://a.example",
  majorApiVersion: 1,
  validFor: { start: "2025-01-01T00:00:00Z", end: "2027-01-01T00:00:00Z" },
  operator: "a",
};
const SIGNING_CONFIG = {
  mediaType: "application/vnd.dev.sigstore.signingconfig.v0.2+json",
  caUrls: [SERVICE],
  oidcUrls: [SERVICE],
  rekorTlogUrls: [{ ...SERVICE, majorApiVersion: 2 }, SERVICE],
  rekorTlogConfig: { selector: "EXACT", count: 1 },
  tsaUrls: [SERVICE, { ...SERVICE, operator: "b" }],
  tsaConfig: { selector: "ALL" },
};

const LOCKFILE = {
  name: "mine",
  lockfileVersion: 3,
  packages: {
    "": { name: "mine", dependencies: { a: "^1.0.0" } },
    "node_modules/a": {
      version: "1.0.0",
      resolved: "https://registry.example/a/-/a-1.0.0.tgz",
      integrity: `sha512-${encodeBase64(new Uint8Array(64))}`,
      dev: true,
    },
    "node_modules/@acme/b": {
      version: "2.0.0-rc.1",
      resolved: "https://registry.example/@acme/b/-/b-2.0.0-rc.1.tgz",
      integrity: `sha512-${encodeBase64(new Uint8Array(64))} sha1-${
        encodeBase64(new Uint8Array(20))
      }`,
    },
    "node_modules/c": { resolved: "packages/c", link: true },
    "packages/c": { version: "1.0.0" },
    "node_modules/alias": { name: "real", version: "1.0.0", inBundle: true },
  },
};

/** All of them. */
export const PARSE_TARGETS: readonly Target[] = [
  parser("parseEnvelope", envelopes, (source) => parseEnvelope(source), {
    objects: true,
    holds({ payload, payloadType, signatures }, input) {
      const read = JSON.parse(textOf(input)) as { payload: string; payloadType: string };
      if (!equalBytes(payload, decodeBase64(read.payload))) throw new Broken("another payload");
      if (payloadType !== read.payloadType) throw new Broken("another payloadType");
      if (signatures.length === 0) throw new Broken("no signature");
    },
  }),
  parser(
    "parseGoogleCloudBuild",
    (corpus) => [
      ...corpus.vectors("gcb-provenance", "provenance"),
      jsonSeed("record", {
        image_summary: { digest: "sha256:a", fully_qualified_digest: "image@sha256:a" },
        provenance_summary: {
          provenance: [{
            kind: "BUILD",
            resourceUri: "u",
            build: { intotoStatement: { a: 1 } },
            envelope: {
              payloadType: "application/vnd.in-toto+json",
              payload: "e30=",
              signatures: [{ keyid: "k", sig: "AA==" }],
            },
          }],
        },
      }),
    ],
    (source) => parseGoogleCloudBuild(source),
    {
      objects: true,
      covers: ["isGoogleCloudBuild"],
      holds(_, input) {
        if (!isGoogleCloudBuild(JSON.parse(textOf(input)))) {
          throw new Broken("it is read, but not recognised");
        }
      },
    },
  ),
  // Without a predicate is the same as with an empty one.
  parser("parseStatement", statements, (source) => ({ predicate: {}, ...parseStatement(source) }), {
    objects: true,
    write: encodeStatement,
    covers: ["matchSubject"],
    holds(statement) {
      const digest = { sha256: "a".repeat(64) };
      const found = matchSubject(statement, digest);
      const listed = statement.subject.some((one) =>
        one.digest?.sha256?.toLowerCase() === digest.sha256
      );
      if (found.ok && !listed) throw new Broken("a subject matches that is not listed");
      if (found.ok && found.matched.length === 0) throw new Broken("a match without a subject");
    },
  }),
  validator(
    "validateStatement",
    statements,
    validateStatement,
    (value) => parseStatement(value),
    ["missing-predicate"],
  ),
  parser(
    "parseResourceDescriptor",
    (corpus) => [
      ...corpus.folder("testdata/resource-descriptor"),
      ...corpus.vectors("resource-descriptor", "statement"),
    ],
    (source) => parseResourceDescriptor(source),
    { objects: true, write: jsonText },
  ),
  validator(
    "validateResourceDescriptor",
    (corpus) => corpus.folder("testdata/resource-descriptor"),
    (value) => validateResourceDescriptor(value),
    (value) => parseResourceDescriptor(value),
  ),
  {
    ...validator("validateDigestSet", () => [
      jsonSeed("digests", {
        sha256: "a".repeat(64),
        sha512: "b".repeat(128),
        gitCommit: "c".repeat(40),
      }),
      jsonSeed("others", {
        sha1: "c".repeat(40),
        dirHash1: "h1:x",
        gce_image_id: "77",
        md5: "d".repeat(32),
      }),
    ], (value) => {
      if (typeof value === "object" && value !== null && !Array.isArray(value)) {
        for (const [algorithm, text] of Object.entries(value)) {
          if (typeof text !== "string") continue;
          try {
            normalizeDigest(algorithm, text);
          } catch (error) {
            reasonOf(error);
          }
        }
      }
      return validateDigestSet(value);
    }),
    covers: ["normalizeDigest"],
  },
  {
    name: "readJsonLines",
    kind: "verifier",
    prepare: (corpus) => ({
      seeds: [
        ...corpus.folder("testdata/attestation-jsonl"),
        ...corpus.vectors("attestation-jsonl", "jsonl"),
      ],
      shape: "json-lines",
      async run(input) {
        let last = 0;
        let refused: string | null = null;
        const limits = { maxLineBytes: 4096, maxLines: 100 };
        for await (const one of readJsonLines(input, limits)) {
          if (one.line <= last) throw new Broken("the lines do not go up");
          last = one.line;
          if (!one.ok) refused ??= one.errorReason;
          else detectFormat(one.value);
        }
        return refused;
      },
    }),
    covers: ["detectFormat"],
  },
  parser(
    "parseChecksums",
    () => [
      textSeed("sums", `${"a".repeat(64)}  a.txt\n${"b".repeat(64)} *b.bin\n`),
      textSeed("bsd", `SHA256 (a b.txt) = ${"a".repeat(64)}\nSHA512 (c) = ${"c".repeat(128)}\n`),
      textSeed("escaped", `\\${"a".repeat(64)}  a\\nb\n`),
      textSeed("json", JSON.stringify([{ name: "a", digest: { sha256: "a".repeat(64) } }])),
    ],
    (source) => parseChecksums(source as Uint8Array),
    {
      shape: "note",
      bytesOnly: true,
      covers: ["checksumSubjects"],
      holds(entries) {
        try {
          checksumSubjects(entries);
        } catch (error) {
          reasonOf(error);
        }
      },
    },
  ),
  parser(
    "ociSubject",
    () =>
      textSeeds(
        `registry.example:5000/acme/app@sha256:${"a".repeat(64)}`,
        `registry.example/app:v1@sha256:${"a".repeat(64)}`,
        `pkg:oci/app@sha256%3A${"a".repeat(64)}?repository_url=registry.example/acme`,
      ),
    (source) => ociSubject(source as string),
    { shape: "text", textOnly: true },
  ),
  parser("parsePurl", purls, (source) => parsePurl(source as string), {
    shape: "text",
    textOnly: true,
    write: formatPurl,
    covers: ["formatPurl"],
  }),
  parser("parseNpmPurl", purls, (source) => parseNpmPurl(source as string), {
    shape: "text",
    textOnly: true,
    holds({ name, version }) {
      if (/[\\\s]|\.\.\/|^\.|\/\./.test(name) || /[\\/\s]/.test(version)) {
        throw new Broken("a name that could be a path");
      }
    },
  }),
  parser(
    "parseNpmAttestations",
    async (corpus) => [
      jsonSeed("answer", await answerOf()),
      ...corpus.vectors("npm-attestations", "attestations"),
    ],
    (source) => parseNpmAttestations(source),
    { objects: true },
  ),
  parser(
    "parseNpmExpectations",
    () => [
      jsonSeed("rules", {
        defaults: { anyRepository: true },
        packages: {
          "@acme/app": {
            repository: "https://github.com/acme/app",
            repositoryId: "1001",
            ownerId: "77",
            workflow: ".github/workflows/release.yml",
            ref: { pattern: "refs/tags/v.*" },
            minLevel: 2,
            required: true,
            waiver: {
              until: "2026-01-01T00:00:00Z",
              reason: "known",
              reasons: ["provenance-lost"],
            },
          },
          "@acme/*": { builderId: ["https://a.example"], ref: "refs/tags/v{version}" },
        },
      }),
    ],
    (source) => parseNpmExpectations(source as string),
    { write: jsonText },
  ),
  parser(
    "parseNpmHistory",
    () => [
      jsonSeed("history", {
        packages: [
          { name: "a", version: "1.0.0", status: "verified", source: { repository: "https://a" } },
          { name: "@b/c", version: "1.0.0", status: "unattested" },
        ],
      }),
    ],
    (source) => parseNpmHistory(source as string),
    { write: jsonText },
  ),
  parser(
    "parseNpmKeys",
    async () => [
      jsonSeed("file", await keysFile()),
      jsonSeed("list", {
        keys: [{
          keyid: "SHA256:a",
          keytype: "ecdsa-sha2-nistp256",
          scheme: "x",
          key: (await keysFile()).keys[0].publicKey.rawBytes,
          expires: "2025-01-29T00:00:00.000Z",
        }],
      }),
    ],
    (source) => parseNpmKeys(source as string),
  ),
  parser("parseLockfile", () => [
    jsonSeed("lockfile", LOCKFILE),
    jsonSeed("lockfile 2", { ...LOCKFILE, lockfileVersion: 2, dependencies: {} }),
  ], (source) => parseLockfile(source as string)),
  {
    name: "lookupPredicate",
    kind: "parser",
    covers: [
      "findPredicateTypes",
      "listPackages",
      "listVulnerabilities",
      "listCycloneDxComponents",
      "listSpdxPackages",
      "listVexStatements",
      "mapCycloneDxDependencies",
    ],
    prepare: () => ({
      seeds: predicates(),
      shape: "json",
      run(input) {
        let read: { kind?: unknown; predicate?: unknown };
        try {
          read = JSON.parse(textOf(input)) ?? {};
        } catch {
          return "malformed-json";
        }
        const name = typeof read.kind === "string" ? read.kind : "";
        findPredicateTypes(name);
        const { predicate } = read;
        if (typeof predicate === "object" && predicate !== null) listers(predicate);
        const kind = KINDS.get(name);
        if (kind === undefined) return lookupPredicate(name).known ? null : "unknown-format";
        const problems = kind.validate(predicate);
        if (typeof predicate !== "object" || predicate === null) {
          return problems.length === 0 ? null : problems[0].reason;
        }
        // What is contradictory can still be read, so that no problem implies parsing only.
        const value = kind.parse(predicate);
        if (problems.length === 0) kind.parse(JSON.stringify(value));
        listers(value);
        return null;
      },
    }),
  },
  parser("parseCertificate", certificates, (source) => parseCertificate(source as Uint8Array), {
    shape: "der",
    bytesOnly: true,
    covers: ["readIdentity"],
    holds(certificate: Certificate) {
      try {
        readIdentity(certificate);
      } catch (error) {
        reasonOf(error);
      }
    },
  }),
  parser(
    "parseCheckpoint",
    (corpus) => [
      ...corpus.folder("testdata/checkpoint"),
      ...corpus.vectors("checkpoint", "checkpoint"),
    ],
    (source) => parseCheckpoint(source as string),
    { shape: "note" },
  ),
  parser("parseSigstoreBundle", bundles, (source) => parseSigstoreBundle(source), {
    objects: true,
  }),
  parser("parseTrustedRoot", roots, (source) => parseTrustedRoot(source), { objects: true }),
  parser(
    "parseTrustedRoots",
    (corpus) => [
      ...roots(corpus),
      textSeed(
        "two",
        roots(corpus).slice(0, 2).map(({ bytes }) => JSON.stringify(JSON.parse(textOf(bytes))))
          .join("\n"),
      ),
    ],
    (source) => parseTrustedRoots(source as string),
    { textOnly: true, shape: "json-lines" },
  ),
  parser(
    "parseIdentityToken",
    () => [
      textSeed("token", tokenOf(TOKEN_CLAIMS)),
      textSeed(
        "email",
        tokenOf({
          ...TOKEN_CLAIMS,
          email: "a@b.example",
          email_verified: true,
          aud: ["sigstore", "b"],
        }),
      ),
    ],
    (source) => parseIdentityToken(source as string, { now: TOKEN_NOW }),
    {
      shape: "token",
      textOnly: true,
      holds(token) {
        if (!token.audience.includes("sigstore")) throw new Broken("another audience");
        if (token.expiresAt.getTime() <= TOKEN_NOW.getTime() - 600_000) throw new Broken("expired");
        if (JSON.stringify(token).includes(token.token)) throw new Broken("the token is printed");
      },
    },
  ),
  parser(
    "parseSigningConfig",
    () => [jsonSeed("config", SIGNING_CONFIG)],
    (source) => parseSigningConfig(source),
    {
      objects: true,
      covers: ["selectServices"],
      holds(config) {
        try {
          selectServices(config, new Date("2025-06-01T00:00:00Z"));
        } catch (error) {
          reasonOf(error);
        }
      },
    },
  ),
  parser(
    "parseTrustConfig",
    (corpus) =>
      corpus.folder("testdata/sigstore-bundle/roots").slice(0, 3).map(({ name, bytes }) =>
        jsonSeed(name, {
          mediaType: "application/vnd.dev.sigstore.clienttrustconfig.v0.1+json",
          trustedRoot: JSON.parse(textOf(bytes)),
          signingConfig: SIGNING_CONFIG,
        })
      ),
    (source) => parseTrustConfig(source),
    { objects: true },
  ),
  parser(
    "parseBuilderTrust",
    () => [
      jsonSeed("known", KNOWN_BUILDERS),
      jsonSeed("own", {
        builders: [
          {
            name: "ci",
            signer: { keys: ["ci"] },
            builderId: "https://ci.example/b",
            maxBuildLevel: 2,
          },
          {
            signer: { certificate: { issuer: "https://issuer.example" } },
            builderId: "{signer}",
            maxBuildLevel: 3,
          },
        ],
      }),
    ],
    (source) => parseBuilderTrust(source),
    { objects: true, write: jsonText },
  ),
  validator(
    "validateBuilderTrust",
    () => [jsonSeed("known", KNOWN_BUILDERS)],
    validateBuilderTrust,
    (value) => parseBuilderTrust(value),
  ),
  parser("parseProvenancePredicate", provenances, (source) => parseProvenancePredicate(source), {
    objects: true,
    write: jsonText,
  }),
  validator(
    "validateProvenancePredicate",
    provenances,
    validateProvenancePredicate,
    (value) => parseProvenancePredicate(value),
  ),
  validator("validateProvenanceV0_1", () => [jsonSeed("v0.1", V0_1)], validateProvenanceV0_1),
  validator("validateProvenanceV0_2", () => [jsonSeed("v0.2", V0_2)], validateProvenanceV0_2),
  {
    name: "parseProvenance",
    kind: "parser",
    prepare: () => ({
      seeds: [
        jsonSeed("v1", provenanceStatement()),
        ...([["v0.1", V0_1], ["v0.2", V0_2]] as const).map(([version, predicate]) =>
          jsonSeed(version, {
            ...provenanceStatement(),
            predicateType: `https://slsa.dev/provenance/${version}`,
            predicate,
          })
        ),
      ],
      shape: "json",
      run(input) {
        parseProvenance(parseStatement(input));
        return null;
      },
    }),
  },
  parser("parseVsaPredicate", () => [jsonSeed("vsa", VSA)], (source) => parseVsaPredicate(source), {
    objects: true,
  }),
  validator(
    "validateVsaPredicate",
    () => [jsonSeed("vsa", VSA)],
    validateVsaPredicate,
    (value) => parseVsaPredicate(value),
    ["invalid-level", "duplicate-track-level"],
  ),
  {
    name: "parseTrackLevel",
    kind: "verifier",
    covers: ["canonicalRepository", "googleCloudBuildKeyId"],
    prepare: () => ({
      seeds: textSeeds(
        "SLSA_BUILD_LEVEL_3",
        "SLSA_SOURCE_LEVEL_UNEVALUATED",
        "git+https://github.com/acme/app.git@refs/tags/v1",
        "github.com/acme/app",
        "us-west2.key",
        "global-pae-provenanceSigner_1.key",
      ),
      shape: "text",
      run(input) {
        const text = textOf(input);
        const level = parseTrackLevel(text);
        if (level !== undefined && level.level !== null && !Number.isInteger(level.level)) {
          throw new Broken("a level that is no integer");
        }
        const repository = canonicalRepository(text);
        if (repository !== undefined && canonicalRepository(repository) !== repository) {
          throw new Broken("the canonical form of a repository has another canonical form");
        }
        const keyid = googleCloudBuildKeyId(text);
        return level ?? repository ?? keyid ? null : "unknown-format";
      },
    }),
  },
];
