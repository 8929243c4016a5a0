/** Calls with one more member in their options; each must be refused. */

import { createRegistry } from "../../server/mod.ts";
import { createApiKey, createSqlStore, getProvenance, listManifests } from "../../store/sql/mod.ts";
import { postgresDriver } from "../../store/sql/postgres.ts";
import { sqliteDriver } from "../../store/sql/sqlite.ts";
import { createEnvelope, parseEnvelope, verifyEnvelope } from "../../dsse/mod.ts";
import {
  convertToStatement,
  createCertificateTrust,
  parseGoogleCloudBuild,
  parseSimpleSigning,
  verifyFormat,
} from "../../formats/mod.ts";
import { verifyLayout } from "../../formats/layout/mod.ts";
import { createEfiTrust, parseEfiSignatureLists } from "../../formats/attached/mod.ts";
import { verifyCoseSign1 } from "../../formats/cose/mod.ts";
import {
  createStatement,
  matchSubject,
  matchSubjects,
  parseStatement,
  readJsonLines,
  validateStatement,
} from "../../intoto/mod.ts";
import {
  createDirectoryManifest,
  createSubject,
  directorySubject,
  gitSubject,
} from "../../intoto/subjects/mod.ts";
import {
  encryptPrivateKey,
  generateSigner,
  importSigner,
  importTrustedKey,
  parseKeySet,
  refusalOfKey,
} from "../../keys/mod.ts";
import { definePredicate } from "../../predicates.ts";
import {
  createFolderSource,
  parseNpmExpectations,
  verifyLockfile,
  verifyNpmPackage,
} from "../../npm/mod.ts";
import { createOpenPgpKeyring } from "../../formats/openpgp/mod.ts";
import { celEvaluator } from "../../policy/cel.ts";
import {
  compilePolicy,
  defineGateRules,
  derivePolicy,
  openRevocationList,
  openSignedPolicy,
} from "../../policy/mod.ts";
import {
  githubIdentity,
  parseCosignLayer,
  parseSigstoreBundle,
  parseTrustedRoot,
  verifySigstoreBundle,
} from "../../sigstore/mod.ts";
import {
  ambientIdentityToken,
  deviceIdentityToken,
  parseIdentityToken,
} from "../../sigstore/oidc/mod.ts";
import { signKeyless, signWithKey } from "../../sigstore/sign/mod.ts";
import { readCachedTrust, refreshTargets, refreshTrust } from "../../sigstore/tuf/mod.ts";
import {
  createProvenance,
  createProvenancePayload,
  createVsa,
  evaluateVsa,
  upgradeProvenancePayload,
  validateProvenance,
  VSA_V1,
} from "../../slsa/mod.ts";
import { createCiProvenance } from "../../slsa/ci/mod.ts";
import { findOciAttestations, verifyImage } from "../../store/oci/mod.ts";
import {
  attachAttestation,
  copyImage,
  createLayout,
  createMemoryFiles,
  createOciStore,
  createRepository,
  dockerCredentials,
  parseOciManifest,
} from "../../store/oci/mod.ts";
import { judgeSegment, memoryVerdictFiles, runWorker } from "../../store/reverify/mod.ts";
import { verify, verifyGoogleCloudBuild } from "../../verify/mod.ts";
import {
  createCache,
  createGithubSource,
  createHttpSource,
  createMemoryStore,
  createNpmRegistry,
  lookUp,
  verifyHelmChart,
} from "../../store/mod.ts";
import { createBesideStore, createFolderStore, createLinesStore } from "../../store/fs.ts";

const layout = createLayout(createMemoryFiles("layout"));

type Call = (more: object) => unknown;

/**
 * The options as a caller has them who does not check types: what is missing besides the
 * unknown member must not be what is complained about.
 */
function untyped<T>(options: object): T {
  return options as T;
}

const { trustedKey, signer, privateKey, publicKey } = await generateSigner("Ed25519");
const keys = [trustedKey];
const statement = createStatement({
  subject: [{ digest: { sha256: "a".repeat(64) } }],
  predicateType: "https://example.com/p",
});
const ENVELOPE = { payload: "e30=", payloadType: "t", signatures: [{ sig: "AA==" }] };
const identity = { issuer: "i", subjectAlternativeName: "s" };
const withOptions = (options: object) => verify(ENVELOPE, new Uint8Array(1), untyped(options));
const sigstore = (trust: object) =>
  verifySigstoreBundle({}, untyped({ trustedRoots: [], ...trust }));

/** By the type of the options, or the function. */
export const UNKNOWN: Readonly<Record<string, Call>> = {
  VerifyOptions: (more) => withOptions(more),
  Trust: (more) => withOptions({ trust: { keys, ...more } }),
  Expectations: (more) => withOptions({ trust: { keys }, expect: more }),
  EvidenceThresholds: (more) => withOptions({ trust: { keys }, thresholds: more }),
  VerifyLimits: (more) => withOptions({ trust: { keys }, limits: more }),
  ProvenanceExpectation: (more) =>
    withOptions({
      trust: { keys },
      expect: { provenance: { sourceUri: "github.com/a/b", ...more } },
    }),
  VsaExpectation: (more) =>
    withOptions({
      trust: { keys },
      expect: { vsa: { verifierId: "https://v.example", resourceUri: "r", ...more } },
    }),
  VsaRequirement: (more) =>
    evaluateVsa(
      { ...statement, predicateType: VSA_V1 },
      { keys: [] },
      untyped({ verifierId: "https://v.example", resourceUri: "r", ...more }),
    ),
  "VsaExpectation.policy": (more) =>
    withOptions({
      trust: { keys },
      expect: {
        vsa: { verifierId: "https://v.example", resourceUri: "r", policy: { uri: "u", ...more } },
      },
    }),
  "VsaExpectation.signer": (more) =>
    withOptions({
      trust: { keys },
      expect: {
        vsa: {
          verifierId: "https://v.example",
          resourceUri: "r",
          signer: { keys: ["k"], ...more },
        },
      },
    }),
  CertificateIdentity: (more) =>
    withOptions({ trust: { keys }, expect: { identity: { ...identity, ...more } } }),
  Matcher: (more) =>
    withOptions({
      trust: { keys },
      expect: { identity: { ...identity, issuer: { pattern: "i", ...more } } },
    }),
  BuilderRule: (more) => {
    const rule = { signer: "github", builderId: "*", maxBuildLevel: 1, ...more };
    return withOptions({
      trust: { keys },
      expect: { provenance: { sourceUri: "github.com/a/b", builders: { builders: [rule] } } },
    });
  },
  ArtifactInput: (more) =>
    verify(ENVELOPE, untyped({ content: new Uint8Array(1), ...more }), { trust: { keys } }),
  SigstoreTrust: (more) => sigstore(more),
  SigstoreThresholds: (more) => sigstore({ thresholds: more }),
  EnvelopeTrust: (more) => verifyEnvelope(ENVELOPE, untyped({ keys, ...more })),
  EnvelopeLimits: (more) => parseEnvelope(ENVELOPE, untyped(more)),
  EnvelopePublicKey: (more) => verifyEnvelope(ENVELOPE, untyped({ pubkey: publicKey, ...more })),
  GithubExpectation: (more) => githubIdentity(untyped({ repository: "a/b", ...more })),
  SigstoreBundleLimits: (more) => parseSigstoreBundle({}, untyped(more)),
  TrustedRootOptions: (more) => parseTrustedRoot({}, untyped(more)),
  MatchOptions: (more) => matchSubject(statement, { sha256: "a".repeat(64) }, untyped(more)),
  MatchManyOptions: (more) => matchSubjects(statement, [{ sha256: "a".repeat(64) }], untyped(more)),
  ParseStatementOptions: (more) => parseStatement("{}", untyped(more)),
  "validateStatement()": (more) => validateStatement({}, untyped(more)),
  NewStatement: (more) =>
    createStatement(
      untyped({ subject: statement.subject, predicateType: "https://e.example/p", ...more }),
    ),
  JsonLinesOptions: (more) => readJsonLines("{}", untyped(more)),
  PredicateDefinition: (more) =>
    definePredicate<object>(
      untyped({ name: "n", predicateTypes: ["https://e.example/x"], ...more }),
    ),
  SubjectOptions: (more) => createSubject(new Uint8Array(1), untyped(more)),
  DigestOptions: (more) => createDirectoryManifest(untyped([]), untyped(more)),
  DirectorySubjectOptions: (more) => directorySubject(untyped([]), untyped(more)),
  GitSubjectOptions: (more) => gitSubject(untyped({}), untyped(more)),
  ImportKeyOptions: (more) => importTrustedKey(publicKey, untyped(more)),
  ImportSignerOptions: (more) => importSigner(privateKey, untyped(more)),
  GenerateSignerOptions: (more) => generateSigner("Ed25519", untyped(more)),
  EncryptionOptions: (more) => encryptPrivateKey(privateKey, "passphrase", untyped(more)),
  KeyMoments: (more) =>
    refusalOfKey({ name: "k", key: trustedKey }, untyped({ now: new Date(), ...more })),
  IdentityTokenOptions: (more) => parseIdentityToken("a.b.c", untyped(more)),
  AmbientTokenOptions: (more) => ambientIdentityToken({}, untyped(more)),
  DeviceTokenOptions: (more) =>
    deviceIdentityToken("https://oidc.example", untyped({ show: () => {}, ...more })),
  KeylessOptions: (more) => signKeyless({ artifact: new Uint8Array(1) }, untyped(more)),
  KeySigningOptions: (more) => signWithKey({ artifact: new Uint8Array(1) }, signer, untyped(more)),
  "createEnvelope()": (more) => createEnvelope("t", {}, untyped({ key: privateKey, ...more })),
  RefreshTrustOptions: (more) => refreshTrust(untyped(more)),
  RefreshTargetsOptions: (more) => refreshTargets(untyped(more)),
  CachedTrustOptions: (more) => readCachedTrust(untyped(more)),
  NewProvenance: (more) => createProvenance(untyped(more)),
  NewVsa: (more) => createVsa(untyped({}), untyped(more)),
  CiProvenanceOptions: (more) => createCiProvenance([], {}, untyped(more)),
  SourceFacts: (more) => createCiProvenance([], {}, untyped({ source: more })),
  NewProvenancePayload: (more) => createProvenancePayload(untyped(more)),
  PayloadUpgrade: (more) => upgradeProvenancePayload(untyped({}), untyped(more)),
  ProvenancePayloadTrust: (more) =>
    validateProvenance(ENVELOPE, untyped({ pubkey: publicKey, ...more })),
  CosignLayerLimits: (more) => parseCosignLayer({}, untyped(more)),
  OciLookupOptions: (more) =>
    findOciAttestations(untyped({}), `sha256:${"a".repeat(64)}`, untyped(more)),
  VerifyImageOptions: (more) => verifyImage(untyped({}), "1", untyped(more)),
  VerifyHelmChartOptions: (more) => verifyHelmChart(untyped({}), untyped(more)),
  GoogleCloudBuildLimits: (more) => parseGoogleCloudBuild({}, untyped(more)),
  GoogleCloudBuildOptions: (more) => verifyGoogleCloudBuild({}, untyped({ keys, ...more })),
  NpmVerifyOptions: (more) =>
    verifyNpmPackage(untyped({}), new Uint8Array(1), untyped({ trust: {}, expect: {}, ...more })),
  NpmTrust: (more) =>
    verifyNpmPackage(untyped({}), new Uint8Array(1), untyped({ trust: more, expect: {} })),
  NpmExpectation: (more) =>
    verifyNpmPackage(
      untyped({}),
      new Uint8Array(1),
      untyped({
        trust: { keys: [] },
        expect: { packageName: "a", packageVersion: "1.0.0", ...more },
      }),
    ),
  LockfileOptions: (more) => verifyLockfile("{}", untyped({}), untyped(more)),
  NpmFolders: (more) => createFolderSource(untyped({}), untyped(more)),
  CertificateTrustOptions: (more) => createCertificateTrust(untyped({ authorities: [], ...more })),
  ConversionOrigin: (more) =>
    convertToStatement(untyped({}), untyped({ attester: "", downloadLocation: "", ...more })),
  EfiTrustOptions: (more) => createEfiTrust(untyped({ db: [], ...more })),
  EfiSignatureLimits: (more) => parseEfiSignatureLists(new Uint8Array(), untyped(more)),
  OpenPgpKeyringOptions: (more) => createOpenPgpKeyring("", untyped(more)),
  CoseTrust: (more) => verifyCoseSign1(new Uint8Array(), untyped(more)),
  FormatTrust: (more) => verifyFormat("", untyped(more)),
  LayoutTrust: (more) => verifyLayout("{}", untyped({ keys, links: {}, ...more })),
  SimpleSigningLimits: (more) => parseSimpleSigning("{}", untyped(more)),
  CelOptions: (more) => celEvaluator(untyped(more)),
  CompileOptions: (more) => compilePolicy(untyped({}), untyped(more)),
  DeriveOptions: (more) => derivePolicy(untyped({ attestations: [] }), untyped(more)),
  RevocationListOptions: (more) =>
    openRevocationList(ENVELOPE, keys, untyped({ now: new Date(0), ...more })),
  SegmentWork: (more) =>
    judgeSegment(untyped({}), untyped({ files: memoryVerdictFiles(), ...more })),
  WorkerOptions: (more) => runWorker(untyped({ segments: [] }), untyped(more)),
  NewGateRules: (more) => defineGateRules(untyped({ rules: [], ...more })),
  RepositoryOptions: (more) => createRepository("registry.example/app", untyped(more)),
  DockerCredentialsOptions: (more) => dockerCredentials("{}", untyped(more)),
  OciManifestOptions: (more) =>
    parseOciManifest(new Uint8Array(), untyped({ digest: `sha256:${"a".repeat(64)}`, ...more })),
  BesideStoreOptions: (more) => createBesideStore("app", untyped(more)),
  CacheOptions: (more) => createCache(createMemoryStore(), untyped(more)),
  FolderStoreOptions: (more) => createFolderStore("store", untyped(more)),
  GithubSourceOptions: (more) =>
    createGithubSource(untyped({ api: "https://x.example", user: "a", ...more })),
  HttpSourceOptions: (more) => createHttpSource(untyped({ url: "https://x.example/a", ...more })),
  LinesStoreOptions: (more) => createLinesStore("a.jsonl", untyped(more)),
  LookupOptions: (more) => lookUp([createMemoryStore()], { sha256: "a".repeat(64) }, untyped(more)),
  MemoryStoreOptions: (more) => createMemoryStore(untyped(more)),
  NpmRegistryOptions: (more) =>
    createNpmRegistry(untyped({ registry: "https://x.example", ...more })),
  OciStoreOptions: (more) => createOciStore(layout, untyped(more)),
  AttachOptions: (more) =>
    attachAttestation(layout, untyped({}), untyped({ content: new Uint8Array(), ...more })),
  CopyOptions: (more) => copyImage(layout, layout, untyped({ root: {}, ...more })),
  SignedDocumentOptions: (more) => openSignedPolicy(ENVELOPE, keys, untyped(more)),
  RegistryServerOptions: (more) => createRegistry(untyped({ policy: () => {}, ...more })),
  RegistryServerLimits: (more) => createRegistry(untyped({ limits: more })),
  NewApiKey: (more) => createApiKey(untyped({}), untyped({ name: "", urnPrefix: "", ...more })),
  HistoryOptions: (more) => getProvenance(untyped({}), "urn:acme:app", untyped(more)),
  ManifestFilter: (more) => listManifests(untyped({}), untyped(more)),
  SqlStoreOptions: (more) => createSqlStore(untyped({}), untyped(more)),
  PostgresOptions: (more) => postgresDriver("postgres://host/db", untyped(more)),
  SqliteOptions: (more) => sqliteDriver(":memory:", untyped(more)),
};

/** Documents of the caller, whose unknown members are refused with a reason. */
export const UNKNOWN_IN_DOCUMENTS: Readonly<Record<string, Call>> = {
  NpmExpectations: (more) => parseNpmExpectations(JSON.stringify(more)),
  NpmRule: (more) => parseNpmExpectations(JSON.stringify({ defaults: more })),
  KeySetEntry: (more) =>
    parseKeySet({ type: "attest-key-set/v1", keys: [{ name: "k", publicKey, ...more }] }),
  "key set": (more) =>
    parseKeySet({ type: "attest-key-set/v1", keys: [{ name: "k", publicKey }], ...more }),
};
