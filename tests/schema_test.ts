import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { describe, it } from "node:test";
import { Ajv2020 } from "ajv/dist/2020.js";
import { POLICY_SCHEMA, POLICY_TESTS_SCHEMA } from "../cli/policy_schemas.ts";
import { createEnvelope } from "../dsse/mod.ts";
import { AttestationError } from "../errors.ts";
import { generateSigner, parseKeySet } from "../keys/mod.ts";
import {
  type LockfileOptions,
  type LockfileReport,
  parseNpmExpectations,
  parseNpmHistory,
  verifyLockfile,
} from "../npm/mod.ts";
import { CLAIM_EXTENSIONS } from "../sigstore/identity.ts";
import {
  createProvenancePayload,
  createVsa,
  googleCloudBuildBuilders,
  KNOWN_BUILDERS,
  validateBuilderTrust,
  validateProvenance,
} from "../slsa/mod.ts";
import { encodePem } from "../internal/pem.ts";
import type { TrustedKey } from "../keys/trusted_key.ts";
import {
  compilePolicy,
  parseGateRules,
  parsePolicy,
  parsePolicyTests,
  parseRevocationList,
} from "../policy/mod.ts";
import { verifyImage } from "../store/oci/mod.ts";
import { compact, keyOf } from "../formats/_fixtures_test.ts";
import { utf8 } from "../internal/bytes.ts";
import { verify } from "../verify/mod.ts";
import type { VerificationReport } from "../verify/report.ts";
import {
  type AnswerChanges,
  answerOf,
  claimsOf,
  integrityOf,
  keysOf,
  PACKAGE,
  TARBALL,
} from "./fixtures/npm.ts";
import {
  GENERATOR,
  provenanceBundle,
  provenanceStatement,
  REPOSITORY,
  verifyHere,
} from "./fixtures/provenance.ts";
import { chart } from "./fixtures/chart.ts";
import { digestOf, TestRepository } from "./fixtures/oci.ts";
import { ARTIFACT, BLOB, bundleOf, IDENTITY, rootJson, rootOf } from "./fixtures/sigstore.ts";
import { changesOf } from "./json_changes.ts";

type Schema = Record<string, unknown>;

const FOLDER = new URL("../docs/schema/", import.meta.url);
const FILES = readdirSync(FOLDER).filter((name) => name.endsWith(".json"));

function read(file: string): Schema {
  return JSON.parse(readFileSync(new URL(file, FOLDER), "utf8"));
}

/** A schema under which an object has no member but those that the schema names. */
function closed(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(closed);
  if (typeof schema !== "object" || schema === null) return schema;
  const copy = Object.fromEntries(
    Object.entries(schema).map(([name, member]) => [name, closed(member)]),
  );
  if (copy.type === "object" && "properties" in copy) copy.additionalProperties ??= false;
  return copy;
}

function judges(change: (schema: Schema) => Schema): Ajv2020 {
  const ajv = new Ajv2020({
    allErrors: true,
    strict: true,
    strictRequired: false,
    strictTypes: false,
  });
  for (const file of FILES) ajv.addSchema(change(read(file)), file);
  return ajv;
}

const open = judges((schema) => schema);
const shut = judges((schema) => closed(schema) as Schema);

/** What JSON makes of a value: no Date, no undefined. */
function asJson(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value));
}

/** Whether a value satisfies a schema. */
function accepts(file: string, value: unknown): boolean {
  return open.validate(file, value);
}

/** Nothing in a document of ours is missing from its schema. */
function describes(file: string, document: unknown): void {
  const value = asJson(document);
  assert.ok(accepts(file, value), JSON.stringify(open.errors));
  assert.ok(shut.validate(file, value), JSON.stringify(shut.errors));
}

describe("docs/schema", () => {
  it("has schemas that are JSON Schema 2020-12 and whose references lead somewhere", () => {
    assert.ok(FILES.length > 6);
    for (const file of FILES) {
      const schema = read(file);
      assert.equal(schema.$schema, "https://json-schema.org/draft/2020-12/schema", file);
      assert.ok(typeof schema.title === "string" && typeof schema.description === "string", file);
      assert.ok(open.validateSchema(schema), `${file}: ${JSON.stringify(open.errors)}`);
      assert.ok(open.getSchema(file) !== undefined, file);
    }
  });

  it("is what policy schema prints; else run tools/policy_schemas.ts", () => {
    assert.deepEqual(POLICY_SCHEMA, read("policy.schema.json"));
    assert.deepEqual(POLICY_TESTS_SCHEMA, read("policy-tests.schema.json"));
  });

  it("names each claim of a certificate", () => {
    const claims = ["issuer", "sanType", "subjectAlternativeName", ...CLAIM_EXTENSIONS.values()];
    assert.deepEqual(membersOf("verification-report.schema.json", "identity"), claims.sort());
    const path = ["signer", "properties", "certificate"];
    assert.deepEqual(membersOf("builder-trust.schema.json", ...path), claims);
  });
});

/** Names of the members that a schema in `$defs` has, sorted. */
function membersOf(file: string, ...path: string[]): string[] {
  let schema = read(file).$defs as Schema;
  for (const name of path) schema = schema[name] as Schema;
  return Object.keys(schema.properties as Schema).sort();
}

/** Validator and schema say the same of examples, and of them with any one member changed. */
async function compare(
  file: string,
  good: readonly object[],
  bad: Readonly<Record<string, unknown>>,
  isGood: (value: unknown) => boolean | Promise<boolean>,
): Promise<void> {
  for (const value of good) {
    assert.ok(await isGood(value), JSON.stringify(value));
    describes(file, value);
  }
  for (const [name, value] of Object.entries(bad)) {
    assert.ok(!await isGood(value), `the validator accepts: ${name}`);
    assert.ok(!accepts(file, value), `the schema accepts: ${name}`);
  }
  let refused = 0;
  for (const value of good.flatMap((one) => [...changesOf(asJson(one))])) {
    const expected = await isGood(value);
    assert.equal(accepts(file, value), expected, JSON.stringify(value).slice(0, 400));
    refused += expected ? 0 : 1;
  }
  assert.ok(refused > 5);
}

/** Whether a parser takes a document. */
function parses(parse: (text: string) => unknown): (value: unknown) => boolean {
  return (value) => {
    try {
      parse(JSON.stringify(value));
      return true;
    } catch (error) {
      assert.ok(error instanceof AttestationError);
      return false;
    }
  };
}

describe("builder-trust.schema.json", () => {
  const issuer = "https://issuer.example";
  const rule = {
    name: "CI",
    signer: {
      certificate: { issuer, subjectAlternativeName: "https://ci.example/x@refs/tags/v{release}" },
    },
    builderId: "https://ci.example/x@refs/tags/{tag}",
    maxBuildLevel: 2,
    mustBeNamed: false,
    workflow: "own",
  };
  const keyed = {
    signer: { keys: ["ci"] },
    builderId: "https://ci.example/builder",
    maxBuildLevel: 3,
  };
  const any = { ...keyed, builderId: "*", mustBeNamed: true };
  const self = { signer: { certificate: { issuer } }, builderId: "{signer}", maxBuildLevel: 1 };
  const of = (...builders: object[]) => ({ builders });

  it("agrees with the validator", async () => {
    const good = [of(), of(rule, keyed), of(any, self)];
    const bad = {
      "no object": [],
      "an unknown member": { ...of(keyed), $schema: "x" },
      "an unknown member of a pair": of({ ...keyed, minBuildLevel: 1 }),
      "both kinds of signer": of({ ...keyed, signer: { ...rule.signer, ...keyed.signer } }),
      "no kind of signer": of({ ...keyed, signer: {} }),
      "an unknown member of a signer": of({ ...keyed, signer: { keys: ["ci"], key: "ci" } }),
      "no key": of({ ...keyed, signer: { keys: [] } }),
      "no issuer": of({ ...rule, signer: { certificate: { subjectAlternativeName: "x" } } }),
      "an unknown claim": of({ ...rule, signer: { certificate: { issuer, san: "x" } } }),
      "an empty claim": of({ ...rule, signer: { certificate: { issuer: "" } } }),
      "level 4": of({ ...keyed, maxBuildLevel: 4 }),
      "a level as text": of({ ...keyed, maxBuildLevel: "3" }),
      "any builder without a name": of({ ...any, mustBeNamed: false }),
      "any builder, not even false": of({ ...keyed, builderId: "*" }),
      "a pattern elsewhere": of({ ...keyed, builderId: "https://ci.example/*" }),
      "a placeholder elsewhere": of({ ...keyed, builderId: "https://ci.example/{tag}" }),
      "a placeholder with more behind it": of({ ...rule, builderId: "x@refs/tags/{tag}-evil" }),
      "an unknown placeholder": of({ ...rule, builderId: "x@refs/tags/{version}" }),
      "a key's name as builder": of({ ...keyed, builderId: "{signer}" }),
      "a key's workflow": of({ ...keyed, workflow: "own" }),
      "an unknown workflow": of({ ...rule, workflow: "any" }),
    };
    await compare(
      "builder-trust.schema.json",
      good,
      bad,
      (value) => validateBuilderTrust(value).length === 0,
    );
  });

  it("describes the builders that are known", () => {
    describes("builder-trust.schema.json", KNOWN_BUILDERS);
    describes("builder-trust.schema.json", of(...googleCloudBuildBuilders(["global"])));
    const many = { builders: Array(10_001).fill(keyed) };
    assert.ok(!accepts("builder-trust.schema.json", many));
    assert.equal(validateBuilderTrust(many).length, 1);
  });
});

describe("gate-rules.schema.json", () => {
  const of = (...rules: object[]) => ({ type: "attest-gate-rules/v1", rules });
  const rule = { id: "r", paths: "a/*", artifact: true };

  it("agrees with the parser", async () => {
    const good = [
      of(rule, { id: "s", description: "for people", paths: ["a", "**/b*.c"], ignored: true }),
      {
        $schema: "gate-rules.schema.json",
        unmatched: "ignored",
        removed: "refused",
        ...of({ id: "u", paths: "a/*/*.json", urn: "urn:acme:{2}:{1}", subject: "stored" }),
      },
    ];
    const paths = (one: unknown) => of({ ...rule, paths: one });
    const urn = (one: string) => of({ id: "r", paths: "*/*/*", urn: one });
    const bad = {
      "two kinds": of({ ...rule, ignored: true }),
      "a kind that is false": of({ ...rule, artifact: false }),
      "subject alone": of({ ...rule, subject: "card" }),
      "a path from the root": paths("/a"),
      "an empty part": paths("a//b"),
      "a part of dots": paths("a/../b"),
      "a dot": paths("./a"),
      "two wildcards in a part": paths("a/*b*"),
      "** in a part": paths("a/b**"),
      "** twice": paths("**/a/**"),
      "braces": paths("{a,b}"),
      "a backslash": paths("a\\b"),
      "ten wildcards": paths("*/*/*/*/*/*/*/*/*/*"),
      "the same path twice": paths(["a", "a"]),
      "captures side by side": urn("urn:acme:{1}{2}"),
      "a capture twice": urn("urn:acme:{1}:{1}"),
      "no namespace": urn("acme:{1}"),
      "a query": urn("urn:acme:{1}?=a"),
    };
    await compare("gate-rules.schema.json", good, bad, parses(parseGateRules));
  });
});

describe("revocation-list.schema.json", () => {
  const entry = { key: `sha256:${"a".repeat(64)}`, at: "2026-03-01T00:00:00Z", reason: "retired" };
  const of = (more: object) => ({
    type: "attest-revocations/v1",
    sequence: 1,
    issuedAt: "2026-03-01T00:00:00Z",
    expires: "2026-03-08T00:00:00.5Z",
    revocations: [],
    ...more,
  });

  it("agrees with the parser", async () => {
    const good = [
      of({}),
      of({ description: "for people", revocations: [{ ...entry, note: "n" }] }),
    ];
    const bad = {
      "no sequence": of({ sequence: 0 }),
      "a key in upper case": of({ revocations: [{ ...entry, key: `sha256:${"A".repeat(64)}` }] }),
      "another reason": of({ revocations: [{ ...entry, reason: "stolen" }] }),
      "a time of elsewhere": of({ issuedAt: "2026-03-01T00:00:00+01:00" }),
    };
    await compare("revocation-list.schema.json", good, bad, parses(parseRevocationList));
  });
});

describe("key-set.schema.json", () => {
  const time = "2026-03-01T00:00:00Z";
  const of = (...keys: object[]) => ({ type: "attest-key-set/v1", keys });

  /** Whether the parser takes a document, as text. */
  async function isKeySet(value: unknown): Promise<boolean> {
    try {
      await parseKeySet(JSON.stringify(value));
      return true;
    } catch (error) {
      assert.ok(error instanceof AttestationError, String(error));
      return false;
    }
  }

  it("agrees with the parser", async () => {
    const [{ publicKey }, ec, okp] = await Promise.all([
      generateSigner("Ed25519"),
      generateSigner("ES256"),
      generateSigner("Ed25519"),
    ]);
    const key = { name: "a", publicKey };
    const good = [
      of(key),
      of({
        ...key,
        alg: "Ed25519",
        keyid: "k",
        validFrom: "2026-01-01T00:00:00Z",
        validUntil: "2026-12-31T23:59:59.5Z",
        successor: "b",
        revoked: { at: time, reason: "compromised", note: "laptop stolen" },
      }, { name: "b", publicKey: { ...ec.publicJwk, kid: "x" } }),
      of({ name: "a", publicKey: okp.publicJwk, revoked: { at: time, reason: "retired" } }),
    ];
    const bad = {
      "no object": [],
      "an unknown member": { ...of(key), $schema: "x" },
      "another version": { ...of(key), type: "attest-key-set/v2" },
      "no key": of(),
      "an unknown member of a key": of({ ...key, validTo: time }),
      "an empty name": of({ ...key, name: "" }),
      "a long name": of({ ...key, name: "x".repeat(201) }),
      "a private key": of({ ...key, publicKey: "-----BEGIN PRIVATE KEY-----\nAA==\n" }),
      "a private JWK": of({ ...key, publicKey: { ...okp.publicJwk, d: "AA" } }),
      "an unknown algorithm": of({ ...key, alg: "none" }),
      "an unknown kind": of({ ...key, publicKey: { kty: "oct", k: "AA" } }),
      "a date": of({ ...key, validFrom: "2026-03-01" }),
      "an offset": of({ ...key, validFrom: "2026-03-01T00:00:00+00:00" }),
      "month 13": of({ ...key, validUntil: "2026-13-01T00:00:00Z" }),
      "no reason": of({ ...key, revoked: { at: time } }),
      "an unknown reason": of({ ...key, revoked: { at: time, reason: "lost" } }),
      "no time": of({ ...key, revoked: { reason: "retired" } }),
      "an unknown member of a revocation": of({
        ...key,
        revoked: { at: time, reason: "retired", by: "x" },
      }),
      "a long note": of({
        ...key,
        revoked: { at: time, reason: "retired", note: "x".repeat(1001) },
      }),
    };
    await compare("key-set.schema.json", good, bad, isKeySet);
  });

  it("names each algorithm and reason", async () => {
    const { KEY_ALGORITHMS } = await import("../cli/verify_options.ts");
    const { REVOCATION_REASONS } = await import("../keys/key_set.ts");
    const { algorithm, key } = read("key-set.schema.json").$defs as Record<string, Schema>;
    const names = algorithm.enum as string[];
    for (const name of KEY_ALGORITHMS) assert.ok(names.includes(name), name);
    const text = JSON.stringify(key);
    assert.ok(text.includes(JSON.stringify(REVOCATION_REASONS)));
  });
});

describe("npm-expectations.schema.json", () => {
  const rule = {
    builderId: ["https://ci.example/builder"],
    repository: "https://github.com/acme/app",
    repositoryId: "1001",
    ownerId: "77",
    workflow: ".github/workflows/release.yml",
    ref: "refs/tags/v{version}",
    minLevel: 2,
    registry: "https://registry.example",
    required: true,
    anyRepository: false,
    waiver: { accept: ["provenance-lost"], reason: "known", until: "2026-12-31T00:00:00Z" },
  };
  const of = (one: object, name = "app") => ({ packages: { [name]: one } });

  it("agrees with the parser", async () => {
    const good = [
      {},
      { $schema: "npm-expectations.schema.json", defaults: { anyRepository: true } },
      of(rule, "@acme/app"),
      of({ builderId: "https://ci.example/builder", ref: { pattern: "refs/tags/.+" } }, "@acme/*"),
      of({ repository: "github.com/acme/app" }),
      of({ repository: "git+https://github.com/acme/app.git/" }),
    ];
    const bad = {
      "an unknown member": { rules: {} },
      "a misspelt member": of({ repositry: "github.com/acme/app" }),
      "a name that is none": of({}, "../app"),
      "dots as a name": of({}, ".."),
      "dots as a scope": of({}, "@../app"),
      "all of everything": of({}, "*"),
      "a name with a slash too many": of({}, "@acme/app/x"),
      "level 0": of({ minLevel: 0 }),
      "a number as number": of({ repositoryId: 1001 }),
      "a number that is none": of({ ownerId: "0x4d" }),
      "no repository": of({ repository: "acme" }),
      "a repository with a ref": of({ repository: "github.com/acme/app@main" }),
      "a repository that goes up": of({ repository: "github.com/acme/../app" }),
      "a branch by its name": of({ ref: "main" }),
      "a pattern with more": of({ ref: { pattern: "refs/.+", flags: "i" } }),
      "no object": [],
      "a name that is too long": of({}, "a".repeat(215)),
      "a repository that is too long": of({ repository: `github.com/acme/${"a".repeat(2048)}` }),
      "an unknown member of a waiver": of({ waiver: { ...rule.waiver, forever: true } }),
      "an empty builder": of({ builderId: [""] }),
      "a waiver without an end": of({ waiver: { accept: ["provenance-lost"], reason: "x" } }),
      "a waiver of anything": of({ waiver: { ...rule.waiver, accept: ["invalid-signature"] } }),
      "a waiver of nothing": of({ waiver: { ...rule.waiver, accept: [] } }),
      "a waiver with another time": of({ waiver: { ...rule.waiver, until: "2026-12-31" } }),
    };
    await compare("npm-expectations.schema.json", good, bad, parses(parseNpmExpectations));
  });
});

describe("npm-history.schema.json", () => {
  it("agrees with the parser", async () => {
    const record = { name: "app", version: "1.0.0", status: "verified" };
    const source = {
      repository: "https://github.com/acme/app",
      repositoryId: "1001",
      ownerId: "77",
    };
    const good = [
      { packages: [] },
      { packages: [record, { ...record, status: "unattested" }] },
      { packages: [{ ...record, source: { ...source, ref: "r", commit: "c", workflow: "w" } }] },
    ];
    const bad = {
      "no object": [],
      "no packages": {},
      "an unknown status": { packages: [{ ...record, status: "ok" }] },
      "no version": { packages: [{ name: "app", status: "verified" }] },
      "a number as number": { packages: [{ ...record, source: { repositoryId: 1001 } }] },
    };
    await compare("npm-history.schema.json", good, bad, parses(parseNpmHistory));
  });
});

describe("ossp-v0.schema.json", () => {
  it("agrees with validateProvenance()", async () => {
    const { signer, publicKey } = await generateSigner("Ed25519");
    const isGood = async (payload: unknown): Promise<boolean> => {
      const text = new TextEncoder().encode(JSON.stringify(payload));
      const envelope = await createEnvelope("application/vnd.in-toto+json", text, signer);
      return (await validateProvenance(envelope, { pubkey: publicKey, alg: "Ed25519" })).ok;
    };
    const least = createProvenancePayload({ builderId: "ci", commit: "abc123", materials: [] });
    const most = createProvenancePayload({
      builderId: "ci",
      commit: "abc123",
      materials: ["a", { uri: "b" }],
      timestamp: new Date("2026-01-01T00:00:00Z"),
      buildTool: "make",
      inputs: [{ name: "a" }],
      outputs: [{ name: "b" }, { name: "c" }],
    });
    const bad = {
      "no object": [least],
      "no builder": { ...least, builder: {} },
      "no materials": { ...least, materials: null },
      "materials by name": { ...least, materials: {} },
      "no commit": { ...least, metadata: {} },
      "a commit as number": { ...least, metadata: { commit: 1 } },
      "an output without a name": { ...least, outputs: [{}] },
      "a Statement": provenanceStatement(),
    };
    await compare("ossp-v0.schema.json", [least, most], bad, isGood);
  });
});

/** Members whose content is of somebody else. */
const FOREIGN = /\/(?:statement|provenance)\//;

/** Members that may be left out, or that have names of their own. */
const OPTIONAL = new RegExp(
  "/(?:reason|expected|actual|path|origin|predicateType|identity|statement|buildLevel|message|" +
    "lockfileVersion|builderId|level|waived|report|package|provenance)$|" +
    "/artifacts/[0-9]+/(?:oci|npm|platform|lookups)$|^/images$|/lookups/[0-9]+/(?:others|notes)$|" +
    "/images/[0-9]+/(?:chart|index|others|hint|notes|index/platform|index/lookups)$|/(?:evidence|fingerprint|implicit)$|^/policy$|/policy/policy$|" +
    "/foreign/(?:authenticated|messageType|authenticated/[^/]+)$|" +
    "/evidence/(?:coverage|messageTypeAuthenticated)$|" +
    "^/policy/.*/(?:layer|remedy|waiver|children|source)$|" +
    "/packages/[0-9]+/source$|/report/source$|/(?:source|digest|reasons)/[^/]+$|" +
    "/identity/(?!issuer$|sanType$|subjectAlternativeName$)",
);

/** Copies of a report with one member of another JSON type, or without one that it must have. */
function* brokenReports(value: unknown, path = ""): Generator<[path: string, broken: unknown]> {
  if (typeof value !== "object" || value === null || FOREIGN.test(`${path}/`)) return;
  for (const [name, member] of Object.entries(value)) {
    const at = `${path}/${name}`;
    const put = (other: unknown): unknown =>
      Array.isArray(value) ? value.with(Number(name), other) : { ...value, [name]: other };
    for (const other of [null, "", 7, true, [], {}]) {
      if (typeOf(other) !== typeOf(member)) yield [at, put(other)];
    }
    if (!Array.isArray(value) && !OPTIONAL.test(at)) yield [at, asJson(put(undefined))];
    for (const [inner, broken] of brokenReports(member, at)) yield [inner, put(broken)];
  }
}

function typeOf(value: unknown): string {
  return value === null ? "null" : Array.isArray(value) ? "array" : typeof value;
}

/** Every member of a report has its one type, and is there. */
function refusesBroken(file: string, report: unknown): void {
  let count = 0;
  for (const [path, broken] of brokenReports(asJson(report))) {
    assert.ok(!accepts(file, broken), path);
    count++;
  }
  assert.ok(count > 10);
}

/** Reports of everything that `verify()` distinguishes. */
async function reports(): Promise<VerificationReport[]> {
  const { signer, trustedKey } = await generateSigner("Ed25519", { name: "ci" });
  const bundle = await provenanceBundle({ signer: GENERATOR });
  const provenance = { sourceUri: REPOSITORY };
  const good = await verifyHere(bundle, { expect: { provenance } });
  const vsa = createVsa(good, {
    verifier: { id: "https://example.com/verifier" },
    resourceUri: "pkg:npm/app@1.2.3",
    policy: { uri: "https://example.com/policy" },
    timeVerified: new Date("2026-01-02T00:00:00Z"),
  });
  const envelope = await createEnvelope("application/vnd.in-toto+json", { ...vsa }, signer);
  const expect = {
    vsa: { verifierId: "https://example.com/verifier", resourceUri: "pkg:npm/app@1.2.3" },
  };
  const keys = { trust: { keys: [trustedKey] } };
  return [
    good,
    await verifyHere(bundle, { expect: { provenance: { ...provenance, minLevel: 3 } } }),
    await verifyHere(bundle, { expect: { provenance: { sourceUri: "github.com/mallory/app" } } }),
    await verifyHere(bundle, { expect: { provenance } }, new Uint8Array(3)),
    await verifyHere(bundle, {}),
    await verifyHere(bundle, { unsafelyAcceptAnyIdentity: true }),
    await verifyHere(bundle, {
      unsafelyAcceptAnyIdentity: true,
      unsafelyVerifyWithoutArtifact: true,
    }, []),
    await verifyHere(envelope, { ...keys, expect }),
    await verifyHere(envelope, { ...keys, expect: { vsa: { ...expect.vsa, resourceUri: "x" } } }),
    await verifyHere(envelope, {}),
    await verify(
      await compact({ alg: "EdDSA", cty: "vnd.in-toto+json" }),
      utf8("abc"),
      { trust: { keys: [(await keyOf("Ed25519")).trustedKey] }, evidence: true },
    ),
    await verifyHere(await bundleOf(BLOB), { expect: { identity: IDENTITY } }),
    await verifyHere([JSON.stringify(provenanceStatement()), "{", "{}", envelope], keys),
    await verifyHere([], {}),
    await verifyHere(envelope, {}, []),
    ...await policyReports(envelope, await bundleOf(BLOB), trustedKey),
  ];
}

/** Reports that a policy decided, with every outcome. */
async function policyReports(
  envelope: object,
  blob: object,
  { spki }: TrustedKey,
): Promise<VerificationReport[]> {
  const publicKey = encodePem("PUBLIC KEY", spki);
  const policyOf = async (more: object) =>
    await compilePolicy(parsePolicy({
      type: "attest-policy/v1",
      name: "schema",
      trust: {
        keys: { ci: { publicKey } },
        identities: { workflow: IDENTITY },
        roots: [await rootJson()],
      },
      selection: "all",
      rules: [
        { id: "keyed", require: [{ id: "signed", envelope: { signedBy: { of: ["ci"] } } }] },
        { id: "holder", require: [{ id: "signed", envelope: { signedBy: { of: ["workflow"] } } }] },
        { id: "other", select: { name: "other" }, require: [{ id: "signed" }] },
        {
          id: "said",
          require: [{ id: "x", predicate: { where: [{ path: "/predicate/x", equals: 1 }] } }],
        },
      ],
      ...more,
    }));
  const waivers = ["keyed", "holder", "said"].map((rule) => ({
    rule,
    artifact: { digest: `sha256:${"0".repeat(64)}` },
    reason: "known",
    owner: "security",
    until: "2999-01-01T00:00:00Z",
  }));
  const place = { oci: "registry.example/app", npm: "@acme/app" };
  const artifact = { name: "artifact", content: ARTIFACT, ...place };
  const nothing = { name: "nothing", digest: { sha256: "0".repeat(64) } };
  const now = new Date("2026-06-01T00:00:00Z");
  const inputs = [envelope, blob];
  return [
    await verify(inputs, artifact, { policy: await policyOf({}), now }),
    await verify(inputs, nothing, { policy: await policyOf({ waivers }), now }),
    await verify([], [artifact, nothing], { policy: await policyOf({ mode: "permissive" }), now }),
  ];
}

describe("policy-tests.schema.json", () => {
  it("describes what parsePolicyTests() reads", async () => {
    const most = {
      $schema: "policy-tests.schema.json",
      type: "attest-policy-tests/v1",
      cases: [{
        name: "all of it",
        description: "for people",
        artifacts: [{ file: "a/b.tgz", name: "b", oci: "r/b", npm: "b" }, {
          digest: `sha256:${"a".repeat(64)}`,
        }],
        attestations: ["a.json"],
        now: "2026-01-01T00:00:00Z",
        keys: { ci: "ci.pub" },
        roots: ["root.json"],
        expect: { ok: false, reasons: ["signer-mismatch"], outcomes: { "r/x": "failed" } },
      }],
    };
    const [one] = most.cases;
    const least = {
      type: most.type,
      cases: [{ name: "x", artifacts: [{ file: "x" }], now: one.now, expect: { ok: true } }],
    };
    const withCase = (changes: object) => ({ ...most, cases: [{ ...one, ...changes }] });
    const bad = {
      "no object": [most],
      "no case": { ...most, cases: [] },
      "an unknown member": withCase({ expects: {} }),
      "no artifact": withCase({ artifacts: [] }),
      "neither file nor digest": withCase({ artifacts: [{ name: "x" }] }),
      "file and digest": withCase({
        artifacts: [{ file: "x", digest: `sha256:${"a".repeat(64)}` }],
      }),
      "a path that leads out": withCase({ attestations: ["../x"] }),
      "a path from the root": withCase({ artifacts: [{ file: "/x" }] }),
      "a time that is none": withCase({ now: "today" }),
      "a wrong outcome": withCase({ expect: { ok: true, outcomes: { r: "fine" } } }),
      "reasons of what passes": withCase({ expect: { ok: true, reasons: ["signer-mismatch"] } }),
      "a reason that is none": withCase({ expect: { ok: false, reasons: ["Signer"] } }),
    };
    await compare("policy-tests.schema.json", [least, most], bad, (value) => {
      try {
        parsePolicyTests(value as object);
        return true;
      } catch {
        return false;
      }
    });
  });
});

/** Reports of images: accepted, refused, with what hangs on them and what could not be asked. */
async function imageReports(): Promise<VerificationReport[]> {
  const repository = new TestRepository();
  const linux = { os: "linux", architecture: "amd64" };
  const image = repository.image(linux);
  const unknown = { os: "unknown", architecture: "unknown" };
  const orphan = {
    ...repository.push({ layers: [] }),
    platform: unknown,
    annotations: {
      "vnd.docker.reference.type": "attestation-manifest",
      "vnd.docker.reference.digest": digestOf(ARTIFACT),
    },
  };
  repository.index([image, orphan], "1");
  const { mediaType, digest, size } = image;
  const subject = { mediaType, digest, size };
  const picture = { mediaType: "image/png", bytes: ARTIFACT };
  repository.push({ artifactType: "image/png", layers: [picture], subject });
  repository.push({ artifactType: "image/png", layers: [], listedAt: digest });
  const options = { verify: { trust: { trustedRoots: [await rootOf()], onlyRoot: true } } };
  const reports = [
    await verifyImage(repository, "1", options),
    await verifyImage(repository, "1", { ...options, platforms: ["linux/s390x"] }),
    await verifyImage(repository, digest, options),
  ];
  const helm = await chart();
  reports.push(await verifyImage(helm.repository, helm.tag, options));
  repository.down = ["referrers"];
  reports.push(await verifyImage(repository, "1", options));
  return reports;
}

describe("verification-report.schema.json", () => {
  it("describes what verify() answers", async () => {
    const outcomes = new Set<string>();
    const seen = new Set<string>();
    for (const report of await reports()) {
      describes("verification-report.schema.json", report);
      refusesBroken("verification-report.schema.json", report);
      outcomes.add(report.verificationResult);
      for (const { attestations } of report.artifacts) {
        for (const one of attestations) {
          for (const name of Object.keys(one)) seen.add(name);
          for (const check of one.checks) {
            for (const name of Object.keys(check)) seen.add(`check.${name}`);
          }
        }
      }
    }
    assert.equal(outcomes.size, 2);
    // Nor does the schema name what no report has.
    const report = "verification-report.schema.json";
    const named = [
      ...membersOf(report, "attestation"),
      ...membersOf(report, "check").map((name) => `check.${name}`),
    ];
    assert.deepEqual([...seen].sort(), named.sort());
  });

  it("describes what verifyImage() answers", async () => {
    const file = "verification-report.schema.json";
    const seen = new Set<string>();
    for (const report of await imageReports()) {
      describes(file, report);
      refusesBroken(file, report);
      for (const image of report.images ?? []) {
        for (const name of Object.keys(image)) seen.add(`image.${name}`);
      }
      for (const { lookups = [] } of report.artifacts) {
        for (const name of lookups.flatMap(Object.keys)) seen.add(`lookup.${name}`);
      }
    }
    const named = ["image", "lookup"].flatMap((definition) =>
      membersOf(file, definition).map((name) => `${definition}.${name}`)
    );
    assert.deepEqual([...seen].sort(), named.sort());
  });

  it("refuses what contradicts itself", async () => {
    const [good, , failed] = asJson(await reports()) as VerificationReport[];
    const withCheck = (changes: object): unknown => {
      const copy = structuredClone(good);
      Object.assign(copy.artifacts[0].attestations[0].checks[0], changes);
      return copy;
    };
    const withAttestation = (changes: object): unknown => {
      const copy = structuredClone(good);
      Object.assign(copy.artifacts[0].attestations[0], changes);
      return copy;
    };
    const bad = [
      { ...good, verificationResult: "FAILED" },
      { ...good, errorReason: "invalid-signature" },
      { ...failed, errorReason: null },
      { ...failed, ok: true },
      { ...failed, errorReason: "Invalid signature" },
      { ...good, artifacts: [{ ...good.artifacts[0], digest: { sha256: "" } }] },
      withCheck({ outcome: "failed" }),
      withCheck({ outcome: "ok" }),
      withCheck({ reason: "invalid-signature" }),
      withCheck({ origin: "network" }),
      withCheck({ id: "signature" }),
      withCheck({ path: "subject" }),
      withCheck({ layer: "network" }),
      withCheck({ message: "" }),
      withAttestation({ ok: false }),
      withAttestation({ errorReason: "invalid-signature" }),
      withAttestation({ format: "jwt" }),
      withAttestation({ buildLevel: 4 }),
      withAttestation({ checks: [] }),
      { ...good, artifacts: [{ ...good.artifacts[0], ok: false }] },
      { ...good, artifacts: [{ ...good.artifacts[0], errorReason: "invalid-signature" }] },
    ];
    for (const value of bad) {
      assert.ok(!accepts("verification-report.schema.json", value), JSON.stringify(value));
    }
  });
});

async function lockfileReport(
  answers: Record<string, AnswerChanges>,
  options: Partial<LockfileOptions> = {},
  lockfile?: string,
): Promise<LockfileReport> {
  const integrity = await integrityOf(TARBALL);
  const packages = Object.fromEntries(
    ["@acme/app", "bare", "forged"].map((name) => [`node_modules/${name}`, {
      version: PACKAGE.version,
      integrity,
    }]),
  );
  const link = {
    "node_modules/link": { resolved: "link", link: true },
    link: { version: "1.0.0" },
  };
  const text = JSON.stringify({ lockfileVersion: 3, packages: { "": {}, ...packages, ...link } });
  return await verifyLockfile(lockfile ?? text, {
    tarball: () => Promise.resolve(TARBALL),
    attestations: async ({ name }) =>
      name in answers ? JSON.stringify(await answerOf(answers[name])) : undefined,
  }, {
    trust: { keys: await keysOf(), trustedRoots: [await rootOf()], onlyRoot: true },
    expectations: { defaults: { anyRepository: true } },
    ...options,
  });
}

describe("npm-lockfile-report.schema.json", () => {
  const file = "npm-lockfile-report.schema.json";

  it("describes what verifyLockfile() answers, and a report is a history", async () => {
    const forged = { name: "@mallory/forged" };
    const first = await lockfileReport({ "@acme/app": {}, forged });
    const statuses = [...new Set(first.packages.map(({ status }) => status))].sort();
    assert.deepEqual(statuses, ["failed", "local", "unattested", "verified"]);
    const waiver = {
      accept: ["provenance-lost" as const],
      reason: "known",
      until: new Date("2999-01-01T00:00:00Z"),
    };
    const all = [
      first,
      await lockfileReport({ "@acme/app": {} }),
      await lockfileReport({}, {
        previous: first,
        expectations: { defaults: { anyRepository: true, waiver } },
      }),
      await lockfileReport(
        {
          "@acme/app": {
            repository: "https://github.com/mallory/app",
            claims: claimsOf("https://github.com/mallory/app", "9", "8"),
          },
        },
        { previous: first },
      ),
      await lockfileReport({}, {}, "{"),
      await lockfileReport({}, {}, '{"lockfileVersion":3,"packages":{"":{}}}'),
    ];
    assert.ok(all.some(({ packages }) => packages.some(({ waived }) => waived !== undefined)));
    for (const report of all) {
      describes(file, report);
      refusesBroken(file, report);
      assert.ok(accepts("npm-history.schema.json", asJson(report)));
      parseNpmHistory(JSON.stringify(report));
    }
  });

  it("refuses what contradicts itself", async () => {
    const good = asJson(await lockfileReport({ "@acme/app": {} })) as LockfileReport;
    const withFirst = (changes: object) => ({
      ...good,
      packages: [{ ...good.packages[0], ...changes }],
    });
    const bad = [
      { ...good, ok: false },
      { ...good, verificationResult: "FAILED" },
      { ...good, verificationResult: "OK" },
      { ...good, errorReason: "invalid-signature" },
      { ...good, message: "" },
      { ...good, summary: { ...good.summary, total: 1.5 } },
      withFirst({ status: "ok" }),
      withFirst({ level: 4 }),
      withFirst({ message: "" }),
      { ...good, lockfileVersion: 1 },
      { ...good, summary: { ...good.summary, failed: -1 } },
      { ...good, summary: { ...good.summary, reasons: { "not a reason": 1 } } },
      withFirst({ status: "failed" }),
      withFirst({ errorReason: "invalid-signature" }),
      withFirst({ tarball: "missing" }),
      withFirst({ waived: { errorReason: "provenance-lost", reason: "x" } }),
    ];
    for (const value of bad) assert.ok(!accepts(file, value), JSON.stringify(value).slice(0, 400));
  });
});
