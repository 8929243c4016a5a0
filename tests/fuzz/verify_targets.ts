/** Targets that verify signatures, end to end. */

import { createProvenancePayload, validateProvenance } from "../../slsa/mod.ts";
import { createEnvelope, verifyEnvelope, verifyEnvelopes } from "../../dsse/mod.ts";
import { pae } from "../../dsse/pae.ts";
import { googleCloudBuildKeyId } from "../../formats/mod.ts";
import { encodeBase64, encodeBase64Url } from "../../internal/base64.ts";
import { utf8 } from "../../internal/bytes.ts";
import { encodeHex } from "../../internal/hex.ts";
import type { Json, JsonObject } from "../../internal/json.ts";
import { sha256 } from "../../internal/sha256.ts";
import { importSigner, importTrustedKey, type Signer, type TrustedKey } from "../../keys/mod.ts";
import { NPM_GITHUB_HOSTED, verifyLockfile, verifyNpmPackage } from "../../npm/mod.ts";
import {
  parseTrustedRoot,
  type SigstoreThresholds,
  type SigstoreTrust,
  type TrustedRoot,
  verifySigstoreBundle,
} from "../../sigstore/mod.ts";
import type { SignedArtifact } from "../../sigstore/signed_artifact.ts";
import { memoryTufCache, readCachedTrust, refreshTrust } from "../../sigstore/tuf/mod.ts";
import { PUBLIC_GOOD_ROOT } from "../../sigstore/roots/public_good.ts";
import { verify, verifyGoogleCloudBuild, type VerifyOptions } from "../../verify/mod.ts";
import type { VerificationReport } from "../../verify/report.ts";
import storedKeys from "../../tools/pki/test_keys.json" with { type: "json" };
import { signTuf, TestTufRepository, TUF_START } from "../../tools/pki/tuf_repository.ts";
import {
  answerOf,
  integrityOf,
  keysOf,
  PACKAGE,
  REPOSITORY as NPM_REPOSITORY,
  TARBALL,
} from "../fixtures/npm.ts";
import { provenanceBundle, provenanceStatement, REPOSITORY } from "../fixtures/provenance.ts";
import { ARTIFACT, rootOf } from "../fixtures/sigstore.ts";
import { type Corpus, jsonSeed, textSeed } from "./corpus.ts";
import { essence, type Harmless } from "./differences.ts";
import { textOf } from "./mutate_text.ts";
import { printOf, reasonOf } from "./parsers.ts";
import { Broken, type Seed, type Target } from "./target.ts";
import { type Facts, type Verdict, verifier, type Verifying } from "./verifiers.ts";

const TYPE = "application/vnd.in-toto+json";

/** Signer and key of a test key, the same in each run. */
export async function signerOf(
  name: keyof typeof storedKeys,
  keyid?: string,
): Promise<{ signer: Signer; key: TrustedKey; pem: string }> {
  const { key_ops: _, ...jwk } = storedKeys[name].jwk as JsonWebKey;
  const signer = await importSigner(jwk);
  const key = await importTrustedKey(await signer.publicKey(), {
    name,
    ...(keyid === undefined ? {} : { keyid }),
  });
  const { encodePem } = await import("../../internal/pem.ts");
  return { signer, key, pem: encodePem("PUBLIC KEY", await signer.publicKey()) };
}

/** Places of an envelope from which nothing follows; what was signed is compared as a fact. */
const ENVELOPE: readonly Harmless[] = [
  { place: /^\/signatures\/-\/keyid$/, why: "an unauthenticated hint" },
  { place: /^\/payload$/, why: "another text of the same bytes, which are compared as a fact" },
  {
    place: /^\/signatures(\/-(\/sig)?)?$/,
    why: "of several signatures one by a trusted key is enough",
  },
  {
    place:
      /^\/(mediaType|kind|version|digest|certificate|signature|bundle|hint|algorithm|build|sig|keyid)$/,
    why: "no member of an envelope",
  },
];

/** Key ids of the logs that roots trust. */
function logsOf(roots: readonly TrustedRoot[]): ReadonlySet<string> {
  return new Set(roots.flatMap(({ logs }) => logs.flatMap(({ keyIds }) => keyIds)));
}

/** Members of other parts of a bundle, which have no meaning in this one. */
function noMemberOf(part: string, members: readonly string[]): Harmless {
  return {
    place: new RegExp(`^${part}/(?!(${members.join("|")})(/|$))[A-Za-z0-9]+(/.*)?$`),
    why: "not defined there, and not read",
  };
}

/** Places of a bundle from which nothing follows; evidence is compared as a fact. */
const BUNDLE: readonly Harmless[] = [
  noMemberOf("/verificationMaterial", [
    "certificate",
    "publicKey",
    "x509CertificateChain",
    "tlogEntries",
    "timestampVerificationData",
  ]),
  noMemberOf("/verificationMaterial/publicKey", ["hint"]),
  noMemberOf("/verificationMaterial/certificate", ["rawBytes"]),
  noMemberOf("/messageSignature", ["messageDigest", "signature"]),
  noMemberOf("/dsseEnvelope", ["payload", "payloadType", "signatures"]),
  noMemberOf("/dsseEnvelope/signatures/-", ["sig", "keyid"]),
  noMemberOf("/verificationMaterial/tlogEntries/-", [
    "logIndex",
    "logId",
    "kindVersion",
    "integratedTime",
    "inclusionPromise",
    "inclusionProof",
    "canonicalizedBody",
  ]),
  { place: /^\/mediaType$/, why: "two spellings of one version, or another version's rules kept" },
  { place: /^\/dsseEnvelope\/signatures\/-\/keyid$/, why: "an unauthenticated hint" },
  {
    place: /^\/messageSignature\/messageDigest(\/.*)?$/,
    why: "a hint that may be absent; the signature is over the artifact",
  },
  {
    place: /^\/verificationMaterial\/timestampVerificationData(\/.*)?$/,
    why: "times that do not count are passed over; the certificates beside are not signed",
  },
  {
    place: /^\/verificationMaterial\/tlogEntries(\/-)?$/,
    why: "entries beyond those that are needed, or none where none is",
  },
  {
    place: /^\/verificationMaterial\/tlogEntries\/-\/(inclusionPromise|integratedTime)(\/.*)?$/,
    why: "without a promise the time does not count, and the proof stands by itself",
  },
  {
    place: /^\/verificationMaterial\/tlogEntries\/-\/(inclusionProof)(\/.*)?$/,
    why: "a promise stands by itself in bundles of version 0.1",
  },
  {
    place: /^\/verificationMaterial\/tlogEntries\/-\/logIndex$/,
    why: "the index in all shards is not signed without a promise",
  },
  {
    place: /^\/verificationMaterial\/publicKey\/hint$/,
    why: "a hint at a key that the caller has",
  },
  {
    place: /^\/verificationMaterial\/x509CertificateChain\/certificates(\/-)?(\/rawBytes)?$/,
    why: "certificates beside the leaf are candidates, and no trust",
  },
];

/** The same places in an answer of a registry, whose own members are not signed. */
function inAnswers(places: readonly Harmless[]): Harmless[] {
  return [
    ...places.map(({ place, why }) => ({
      place: new RegExp(place.source.replace("^", "^/attestations/-/bundle")),
      why,
    })),
    {
      place: /^(\/predicateType|\/attestations(\/-(\/(predicateType|bundle))?)?)$/,
      why: "what stands beside the one that verified; the type is compared with the signed one",
    },
  ];
}

interface BundleCase {
  trust: SigstoreTrust;
  artifact?: SignedArtifact;
}

interface TestCase {
  id: string;
  kind: string;
  files: Record<string, string | string[]>;
  expected: string;
  options: Record<string, unknown>;
}

/** Good bundles of `testdata/` with what they must be verified by. */
async function bundleCases(corpus: Corpus): Promise<Map<string, { seed: Seed; by: BundleCase }>> {
  const { cases } = JSON.parse(corpus.text("testdata/index.json")) as { cases: TestCase[] };
  const found = new Map<string, { seed: Seed; by: BundleCase }>();
  for (const { id, kind, files, expected, options } of cases) {
    if (kind !== "sigstore-bundle" || expected !== "pass" || Array.isArray(files.key)) continue;
    const path = (name: string) => `testdata/${files[name]}`;
    const bytes = corpus.file(path("bundle"));
    if (bytes.length > 48 * 1024) continue;
    const issuer = options.certificateOidcIssuer;
    const san = options.certificateIdentity ?? options.certificateIdentities;
    const names = typeof san === "string" ? [san] : Array.isArray(san) ? san : [];
    const keyFile = files.key === undefined ? undefined : corpus.text(path("key"));
    const thresholds: SigstoreThresholds = {};
    const set = (name: keyof SigstoreThresholds, value: unknown) => {
      if (typeof value === "number") thresholds[name] = value;
    };
    set("log", options.tlogThreshold);
    set("sct", options.ctlogThreshold);
    set("timestamp", options.timestampThreshold);
    set("timestampAuthority", options.tsaThreshold);
    set("integratedTime", options.integratedTimestampThreshold);
    const content = files.artifact === undefined ? undefined : corpus.file(path("artifact"));
    const digest = content === undefined
      ? options.artifactDigest as Record<string, string> | undefined
      : { sha256: encodeHex(sha256(content)) };
    if (keyFile === undefined && names.length === 0) continue;
    // Without a log nothing says which of two certificates for one key was meant.
    if (keyFile === undefined && thresholds.log === 0) continue;
    found.set(id, {
      seed: { name: id, bytes },
      by: {
        trust: {
          trustedRoots: [parseTrustedRoot(corpus.text(path("trustedRoot")), { name: "test" })],
          ...(keyFile === undefined ? {} : { keys: [await importTrustedKey(keyFile)] }),
          ...(names.length === 0 ? {} : {
            identity: names.map((subjectAlternativeName) => ({
              subjectAlternativeName,
              issuer: String(issuer),
            })),
          }),
          thresholds,
        },
        ...(digest === undefined ? {} : { artifact: { digest, ...(content && { content }) } }),
      },
    });
  }
  return found;
}

function reportFacts(report: VerificationReport): Facts {
  const ok = report.artifacts.flatMap((artifact) =>
    artifact.attestations.filter((one) => one.ok).map((one) => ({ artifact, one }))
  );
  if (ok.length === 0 || report.verificationResult !== "PASSED" || report.errorReason !== null) {
    throw new Broken("a report that passed without an attestation that passed");
  }
  for (const { one } of ok) {
    if (one.checks.some(({ outcome }) => outcome === "failed")) {
      throw new Broken("an attestation that is ok with a failed check");
    }
  }
  const [{ artifact, one }] = ok;
  const { identity, signers, statement, timestamps, predicateType, evidence } = one;
  const { payloadDigest, payloadType } = evidence ?? {};
  return {
    must: printOf({
      artifact: artifact.digest,
      identity,
      signers,
      statement,
      predicateType,
      payloadDigest,
      payloadType,
    }),
    evidence: timestamps.map((stamp) => printOf(stamp)),
  };
}

function verdictOf(report: VerificationReport): Verdict {
  return report.ok ? { facts: reportFacts(report) } : { reason: report.errorReason ?? "" };
}

async function googleCloudBuild(): Promise<Verifying> {
  const keyid = googleCloudBuildKeyId("us-west2.key") ?? "";
  const globalId = googleCloudBuildKeyId("global-pae-provenanceSigner_1.key") ?? "";
  const regional = await signerOf("managed", keyid);
  const global = await signerOf("dsse-p256", globalId);
  const digest = `sha256:${"a".repeat(64)}`;
  const source = "github.com/acme/app";
  const statement = {
    _type: "https://in-toto.io/Statement/v0.1",
    subject: [{ name: "image", digest: { sha256: "a".repeat(64) } }],
    predicateType: "https://slsa.dev/provenance/v0.1",
    predicate: {
      builder: { id: "https://cloudbuild.googleapis.com/GoogleHostedWorker@v0.3" },
      materials: [{ uri: `https://${source}`, digest: { sha1: "1".repeat(40) } }],
      recipe: {
        type: "https://cloudbuild.googleapis.com/CloudBuildYaml@v0.1",
        arguments: {
          "@type": "type.googleapis.com/google.devtools.cloudbuild.v1.Build",
          substitutions: { BRANCH_NAME: "main", TAG_NAME: "v1.2.3" },
        },
      },
    },
  };
  const record = async (form: "payload" | "pae", by: Signer, id: string) => {
    const bytes = utf8(JSON.stringify(statement));
    const signed = await by.sign(form === "payload" ? bytes : pae(TYPE, bytes));
    return {
      kind: "BUILD",
      resourceUri: `https://registry.example/image@${digest}`,
      build: { intotoStatement: statement },
      envelope: {
        payloadType: TYPE,
        payload: encodeBase64(bytes),
        signatures: [{ keyid: id, sig: encodeBase64Url(signed) }],
      },
    };
  };
  const document = (...provenance: Json[]) => ({
    image_summary: { digest, fully_qualified_digest: `registry.example/image@${digest}` },
    provenance_summary: { provenance },
  });
  const first = await record("payload", regional.signer, keyid);
  const second = await record("pae", global.signer, globalId);
  return {
    seeds: [
      jsonSeed("regional", document(first)),
      jsonSeed("global", document(second)),
      jsonSeed("both", document(first, second)),
    ],
    async verify(input) {
      const report = await verifyGoogleCloudBuild(input, {
        imageDigest: digest,
        keys: [regional.key, global.key],
        expect: { sourceUri: source },
      });
      if (!report.ok) return { reason: report.errorReason ?? "" };
      const { must } = reportFacts(report);
      const at = report.artifacts[0].attestations.findIndex(({ ok }) => ok);
      const counts = countedRecord(JSON.parse(textOf(input)), at, statement, digest);
      return { facts: { must: must.replaceAll(globalId, keyid), evidence: [], counts } };
    },
  };
}

/**
 * The record that passed, and what stands around all of them. What people read in it must be
 * about the image and say what is signed, or not be there.
 */
function countedRecord(
  { image_summary: image, provenance_summary: { provenance } }: {
    image_summary: JsonObject;
    provenance_summary: { provenance: JsonObject[] };
  },
  at: number,
  signed: JsonObject,
  digest: string,
): Json {
  const { kind, resourceUri, build, envelope } = provenance[at];
  const { digest: printed, fully_qualified_digest: fullyQualifiedDigest } = image;
  for (const name of [resourceUri, fullyQualifiedDigest]) {
    if (!String(name).endsWith(`@${digest}`)) throw new Broken("accepted: text of another image");
  }
  const { intotoStatement, inTotoSlsaProvenanceV1 } = Object(build);
  for (const copy of [intotoStatement, inTotoSlsaProvenanceV1]) {
    // Cloud Build calls the predicate by two names.
    const said = { ...signed, slsaProvenance: signed.predicate };
    if (copy !== undefined && copy !== null && !isPartOf(copy, said)) {
      throw new Broken("accepted: text that nobody signed");
    }
  }
  return { kind, resourceUri, printed, fullyQualifiedDigest, envelope: essence(envelope) };
}

/** Whether a value says nothing that another one does not say. */
function isPartOf(part: Json, whole: Json | undefined): boolean {
  if (typeof part !== "object" || part === null) return part === whole;
  if (typeof whole !== "object" || whole === null) return false;
  if (Array.isArray(part) || Array.isArray(whole)) {
    return Array.isArray(part) && Array.isArray(whole) && part.length === whole.length &&
      part.every((one, i) => isPartOf(one, whole[i]));
  }
  return Object.entries(part).every(([name, one]) =>
    isPartOf(one, Object.hasOwn(whole, name) ? whole[name] : undefined)
  );
}

async function npmTrust() {
  return { keys: await keysOf(), trustedRoots: [await rootOf()], onlyRoot: true };
}

async function tufSeeds(): Promise<{ repository: TestTufRepository; seed: Seed }> {
  const targets = {
    "trusted_root.json": PUBLIC_GOOD_ROOT,
    "signing_config.v0.2.json":
      '{"mediaType":"application/vnd.dev.sigstore.signingconfig.v0.2+json"}',
  };
  const repository = await TestTufRepository.create(targets);
  const root = repository.rootBody();
  repository.files.set("2.root.json", await signTuf(root, repository.roles.root.signers));
  repository.versions.root = 2;
  const files: JsonObject = {};
  for (const [path, bytes] of repository.files) {
    if (!path.startsWith("targets/")) files[path] = textOf(bytes);
  }
  return { repository, seed: jsonSeed("repository", files) };
}

/** Serves what an input says, and the targets as they are. */
function serving(repository: TestTufRepository, input: Uint8Array) {
  let files: unknown;
  try {
    files = JSON.parse(textOf(input));
  } catch {
    return undefined;
  }
  const tree = Object.entries(typeof files === "object" && files !== null ? files : {});
  const changed = new Map<string, unknown>(tree);
  return (url: string): Promise<Response> => {
    const path = decodeURI(url.slice(repository.baseUrl.length + 1));
    const found = path.startsWith("targets/") ? repository.files.get(path) : changed.get(path);
    const body = found instanceof Uint8Array
      ? new Uint8Array(found)
      : found === undefined
      ? undefined
      : typeof found === "string"
      ? found
      : JSON.stringify(found);
    return Promise.resolve(
      body === undefined ? new Response("", { status: 404 }) : new Response(body),
    );
  };
}

/** All of them. */
export const VERIFY_TARGETS: readonly Target[] = [
  verifier("verifyEnvelope", async (corpus) => {
    const keys: TrustedKey[] = [];
    for (const { name, bytes } of corpus.folder("testdata/keys")) {
      if (!name.includes("dsse-ed25519") && !name.includes("other")) {
        keys.push(await importTrustedKey(textOf(bytes), { name }));
      }
    }
    for (const { name, bytes } of corpus.vectors("dsse", "key")) {
      try {
        keys.push(await importTrustedKey(textOf(bytes), { name }));
      } catch (error) {
        reasonOf(error);
      }
    }
    return {
      seeds: [...corpus.folder("testdata/dsse"), ...corpus.vectors("dsse", "envelope")],
      async verify(input) {
        const result = await verifyEnvelope(input, { keys });
        if (!result.ok) return { reason: result.errorReason };
        const { payload, payloadType, acceptedBy } = result;
        return { facts: { must: printOf({ payload, payloadType }), evidence: acceptedBy } };
      },
    };
  }, ENVELOPE),
  verifier("verifyEnvelopes", async (corpus) => {
    const { signer, key } = await signerOf("dsse-ed25519");
    const seeds = [
      ...corpus.folder("testdata/dsse").slice(0, 12),
      jsonSeed("signed", await createEnvelope("text/plain", utf8("text"), signer)),
    ];
    const good = await createEnvelope("text/plain", utf8("beside"), signer);
    return {
      seeds,
      async verify(input) {
        const results = [];
        for await (const one of verifyEnvelopes([input, good, input], { keys: [key] })) {
          results.push(one);
        }
        const [first, beside, again] = results;
        if (results.length !== 3 || !beside.ok || first.errorReason !== again.errorReason) {
          throw new Broken("an envelope changes the answer about another one");
        }
        if (!first.ok) return { reason: first.errorReason };
        const { payload, payloadType, acceptedBy } = first;
        return { facts: { must: printOf({ payload, payloadType }), evidence: acceptedBy } };
      },
    };
  }, ENVELOPE),
  verifier("verifySigstoreBundle", async (corpus) => {
    const cases = await bundleCases(corpus);
    return {
      seeds: [...cases.values()].map(({ seed }) => seed),
      async verify(input, { name }) {
        const { trust, artifact } = cases.get(name)!.by;
        const result = await verifySigstoreBundle(input, trust, artifact);
        if (!result.ok) return { reason: result.errorReason };
        const { envelope, identity, signer, publicKey, timestamps, trustedRoot, checks } = result;
        if (checks.some(({ outcome }) => outcome === "failed")) {
          throw new Broken("ok with a failed check");
        }
        const key = encodeHex(sha256(publicKey.spki));
        const logs = checks.filter(({ origin }) => origin === "log").map(({ id, actual }) =>
          `${id} ${actual}`
        );
        return {
          facts: {
            must: printOf({ envelope, identity, signer, key, trustedRoot }),
            evidence: [...timestamps.map((stamp) => printOf(stamp)), ...logs],
          },
        };
      },
      logs: ({ name }) => logsOf(cases.get(name)!.by.trust.trustedRoots),
    };
  }, [
    ...BUNDLE,
    noMemberOf("", [
      "mediaType",
      "verificationMaterial",
      "dsseEnvelope",
      "messageSignature",
    ]),
  ]),
  verifier(
    "verify",
    async (corpus) => {
      const cases = await bundleCases(corpus);
      const runs = new Map<string, { artifact: SignedArtifact; options: VerifyOptions }>();
      const seeds: Seed[] = [];
      for (const [id, { seed, by: { trust, artifact } }] of cases) {
        const { trustedRoots, keys, identity, thresholds } = trust;
        if (artifact === undefined) continue;
        seeds.push(seed);
        runs.set(id, {
          artifact,
          options: {
            trust: {
              trustedRoots: [...trustedRoots],
              onlyRoot: true,
              ...(keys === undefined ? {} : { keys: [...keys] }),
            },
            expect: Array.isArray(identity) ? { identity: [...identity] } : {},
            thresholds,
            evidence: true,
          },
        });
      }
      const { signer, key } = await signerOf("dsse-ed25519");
      const artifact = { digest: { sha256: encodeHex(sha256(ARTIFACT)) }, content: ARTIFACT };
      const keyed = await createEnvelope(TYPE, provenanceStatement(), signer);
      const options: VerifyOptions = {
        trust: { keys: [key], trustedRoots: [await rootOf()], onlyRoot: true },
        expect: { provenance: { sourceUri: REPOSITORY } },
        evidence: true,
      };
      const plain = { ...options, expect: {} };
      const add = (seed: Seed, by: VerifyOptions) => {
        seeds.push(seed);
        runs.set(seed.name, { artifact, options: by });
      };
      add(jsonSeed("keyed", keyed), plain);
      add(textSeed("lines", `${JSON.stringify(keyed)}\n{}\n`), plain);
      const bundle = await provenanceBundle();
      add(jsonSeed("provenance", bundle), options);
      add(jsonSeed("answer", { attestations: [{ bundle, repository_id: 1 }] }), options);
      return {
        seeds,
        async verify(input, { name }) {
          const { artifact, options } = runs.get(name)!;
          const content = artifact.content ?? { digest: { ...artifact.digest } };
          return verdictOf(await verify(input, content, options));
        },
        logs: ({ name }) => logsOf(runs.get(name)?.options.trust?.trustedRoots ?? []),
      };
    },
    [...BUNDLE, ...ENVELOPE, ...inAnswers(BUNDLE)],
    { lists: true },
  ),
  verifier("verifyNpmPackage", async () => {
    const trust = await npmTrust();
    const tarball = TARBALL;
    return {
      seeds: [jsonSeed("answer", await answerOf())],
      async verify(input) {
        const report = await verifyNpmPackage(input, tarball, {
          trust,
          expect: {
            packageName: PACKAGE.name,
            packageVersion: PACKAGE.version,
            repository: NPM_REPOSITORY,
            builderId: NPM_GITHUB_HOSTED,
          },
        });
        if (!report.ok) return { reason: report.errorReason ?? "" };
        const { package: of, source, provenance, level } = report;
        return { facts: { must: printOf({ of, source, provenance, level }), evidence: [] } };
      },
      logs: () => logsOf(trust.trustedRoots),
    };
  }, inAnswers(BUNDLE)),
  {
    name: "verifyLockfile",
    kind: "verifier",
    async prepare() {
      const trust = await npmTrust();
      const integrity = await integrityOf(TARBALL);
      const answer = JSON.stringify(await answerOf());
      const { name: packageName, version } = PACKAGE;
      const lockfile = (more: object = {}) => ({
        name: "mine",
        lockfileVersion: 3,
        packages: {
          "": {},
          [`node_modules/${packageName}`]: {
            version,
            resolved: "https://registry.example/@acme/app/-/app-1.2.3.tgz",
            integrity,
          },
          ...more,
        },
      });
      const source = {
        tarball: () => Promise.resolve(undefined),
        attestations: (asked: { name: string; version: string }) =>
          Promise.resolve(
            asked.name === packageName && asked.version === version ? answer : undefined,
          ),
      };
      return {
        seeds: [
          jsonSeed("one", lockfile()),
          jsonSeed(
            "two",
            lockfile({
              "node_modules/b": {
                version: "1.0.0",
                resolved: "https://registry.example/b/-/b-1.0.0.tgz",
                integrity,
              },
              "node_modules/c": { resolved: "packages/c", link: true },
            }),
          ),
        ],
        shape: "json" as const,
        async run(input) {
          const report = await verifyLockfile(input, source, {
            trust,
            expectations: { defaults: { anyRepository: true } },
          });
          for (const one of report.packages) {
            if (one.status !== "verified") continue;
            const { name, version: found } = one;
            if (name !== packageName || found !== version) {
              throw new Broken("verified: a package that nobody attested");
            }
            if (!textOf(input).includes(integrity.slice(7, 30))) {
              throw new Broken("verified: another tarball");
            }
          }
          if (report.ok && report.summary.failed > 0) throw new Broken("ok with a failed package");
          return report.ok ? null : report.errorReason ?? "";
        },
      };
    },
  },
  verifier("verifyGoogleCloudBuild", googleCloudBuild, [{
    place: /^\/(fullyQualifiedDigest|resourceUri)$/,
    why: "the name of the repository, which nobody signs; its digest is a fact",
  }, {
    place: /^\/envelope\/signatures(\/-(\/.*)?)?$/,
    why: "signatures beside the one that the key of its id accepts; that it is signed is a fact",
  }, {
    place: /^\/envelope\/payload(Type)?$/,
    why: "the writing of it; what was signed, and its type, are facts",
  }]),
  verifier("validateProvenance", async () => {
    const { signer, pem } = await signerOf("dsse-p256");
    const payload = createProvenancePayload({
      builderId: "ci",
      commit: "c".repeat(40),
      materials: [{ uri: "pkg:npm/a@1" }, "src/main.ts"],
      timestamp: new Date("2026-01-01T00:00:00Z"),
      buildTool: "make",
    });
    return {
      seeds: [
        jsonSeed("good", await createEnvelope(TYPE, payload, signer)),
        jsonSeed("no builder", await createEnvelope(TYPE, {}, signer)),
        jsonSeed("no commit", await createEnvelope(TYPE, { ...payload, metadata: {} }, signer)),
      ],
      async verify(input) {
        const result = await validateProvenance(input, { pubkey: pem });
        if (!result.ok) return { reason: result.errorReason };
        return { facts: { must: printOf(result.payload), evidence: [] } };
      },
    };
  }, ENVELOPE),
  ...([["refreshTrust", ["refreshTargets"]], ["readCachedTrust", []]] as const).map((
    [name, covers],
  ): Target => ({
    name,
    kind: "parser",
    covers,
    async prepare() {
      const { repository, seed } = await tufSeeds();
      const { firstRoot: root, baseUrl } = repository;
      const common = { root, baseUrl, now: TUF_START, retries: 0 };
      const cache = memoryTufCache();
      await refreshTrust({ ...common, fetch: serving(repository, seed.bytes)!, cache });
      const isCached = name === "readCachedTrust";
      const seeds: Seed[] = [];
      const names = ["root.json", "timestamp.json", "snapshot.json", "targets.json"];
      if (isCached) {
        const files: JsonObject = {};
        for (const one of names) files[one] = textOf(await cache.read(one) ?? new Uint8Array());
        seeds.push(jsonSeed("cache", files));
      } else seeds.push(seed);
      return {
        seeds,
        shape: "json" as const,
        async run(input) {
          if (isCached) {
            let files: unknown;
            try {
              files = JSON.parse(textOf(input));
            } catch {
              return "malformed-json";
            }
            const changed = new Map<string, unknown>(Object.entries(files ?? {}));
            const other = {
              ...cache,
              read: async (path: string) => {
                const found = changed.get(path);
                return typeof found === "string" ? utf8(found) : await cache.read(path);
              },
            };
            const trust = await readCachedTrust({ root, cache: other });
            if (trust === undefined) return "tuf-target-not-found";
            if (trust.trustedRootText !== PUBLIC_GOOD_ROOT) {
              throw new Broken("another trusted root");
            }
            return null;
          }
          const fetch = serving(repository, input);
          if (fetch === undefined) return "malformed-json";
          const trust = await refreshTrust({ ...common, fetch });
          if (trust.trustedRootText !== PUBLIC_GOOD_ROOT) throw new Broken("another trusted root");
          return null;
        },
      };
    },
  })),
];
