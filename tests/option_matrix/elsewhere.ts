/** Types that are no options, and options whose cases are tests of their own. */

const VALUE = "what is made or read, not how: its form is checked by its own parser";
const RESULT = "an answer of the library, handed back to it";
const FORMAT = "a public format, with members that its specification leaves open";

/** Types with optional members that are no options, each with the reason. */
export const DATA: Readonly<Record<string, string>> = {
  Signer: VALUE,
  KeyEvidence: VALUE,
  SigningKey: VALUE,
  TrustedKey: VALUE,
  PublicKey: VALUE,
  JwkSource: VALUE,
  EnvelopeSignature: FORMAT,
  ResourceDescriptor: FORMAT,
  Statement: FORMAT,
  PrivateJwk: FORMAT,
  PublicJwk: FORMAT,
  Purl: FORMAT,
  SigningConfig: FORMAT,
  ProvenancePayload: FORMAT,
  VsaVerifier: FORMAT,
  TrustedRoot: RESULT,
  ValidityPeriod: RESULT,
  Certificate: RESULT,
  CompiledPolicy: RESULT,
  ChecksumEntry: RESULT,
  AttestationInput: VALUE,
  BuildKitLayer: VALUE,
  DetachedMessage: VALUE,
  CertificateTrust: RESULT,
  OpenPgpKey: RESULT,
  FormatEnvelope: RESULT,
  VerifiedFormat: RESULT,
  SignerResult: RESULT,
  GoodSigner: RESULT,
  BadSigner: RESULT,
  NpmKey: RESULT,
  NpmRecord: RESULT,
  NpmSource: RESULT,
  ArtifactEvidence: RESULT,
  EvidenceAttestation: RESULT,
  EvidenceSigner: RESULT,
  PolicyVerdict: RESULT,
  PolicyCheck: RESULT,
  IdentityToken: RESULT,
  SignerEvidence: RESULT,
  SignedArtifact: VALUE,
  KeyRevocation: RESULT,
  KeySetEntry: RESULT,
  PolicySource: VALUE,
  ForeignPolicy: VALUE,
  PolicyTestCase: VALUE,
  PolicyTestArtifact: VALUE,
  LayoutFiles: VALUE,
  OciDescriptor: FORMAT,
  OciManifest: RESULT,
  OciPlatform: FORMAT,
  OciReference: VALUE,
  PolicyDocument: "tests/policy_mutation_test.ts takes away each member of the worked policies",
  PolicyTrust: "part of PolicyDocument",
  PolicyKey: "part of PolicyDocument",
  PolicyRule: "part of PolicyDocument",
  Selector: "part of PolicyDocument",
  Requirement: "part of PolicyDocument",
  EnvelopeRule: "part of PolicyDocument",
  SignedBy: "part of PolicyDocument",
  StatementRule: "part of PolicyDocument",
  PredicateRule: "part of PolicyDocument",
  DependencyRule: "part of PolicyDocument",
  SbomRule: "part of PolicyDocument",
  VulnerabilityRule: "part of PolicyDocument",
  Condition: "part of PolicyDocument",
  CrossRule: "part of PolicyDocument",
  Waiver: "part of PolicyDocument",
  GateRulesDocument: "tests/schema_test.ts takes away each member",
  GateRule: "part of GateRulesDocument",
  GateTarget: RESULT,
  RevocationListDocument: "tests/schema_test.ts takes away each member",
  RevokedKey: "part of RevocationListDocument",
};

const SIGN = [
  "sigstore/sign/sign_test.ts",
  "sigstore/sign/faults_test.ts",
  "sigstore/sign/_fixtures_test.ts",
  "internal/http_test.ts",
];
const REGISTRY = [
  "store/oci/repository_test.ts",
  "store/oci/auth_test.ts",
  "internal/http_test.ts",
];
const FORMATS = [
  "formats/paseto_test.ts",
  "formats/notation_jws_test.ts",
  "formats/minisign_test.ts",
  "formats/registry_test.ts",
  "formats/jws_test.ts",
  "formats/attached/authenticode_test.ts",
];
const SOURCES = ["store/_server_test.ts", "internal/http_test.ts"];
const NPM = ["npm/package_test.ts", "npm/lockfile_test.ts"];
const TUF = ["sigstore/tuf/trust_test.ts", "sigstore/tuf/client_test.ts"];
const OIDC = [
  "sigstore/oidc/ambient_test.ts",
  "sigstore/oidc/device_test.ts",
  "internal/http_test.ts",
];

/** Test files, which run with the others, that give each option of a type. */
export const TESTED_IN: Readonly<Record<string, readonly string[]>> = {
  RegistryServerOptions: [
    "tests/registry/attack_test.ts",
    "tests/registry/behaviour_test.ts",
    "tests/registry/fixture.ts",
  ],
  RegistryServerLimits: ["tests/registry/attack_test.ts"],
  NewApiKey: ["tests/sql/options_test.ts"],
  HistoryOptions: ["tests/sql/options_test.ts"],
  ManifestFilter: ["tests/sql/options_test.ts"],
  SqlStoreOptions: ["tests/sql/options_test.ts"],
  PostgresOptions: ["tests/sql/options_test.ts"],
  SqliteOptions: ["tests/sql/options_test.ts"],
  NewStatement: ["intoto/statement_test.ts"],
  ImportSignerOptions: ["keys/signer_test.ts"],
  TrustedRootOptions: ["sigstore/trusted_root_test.ts", "tests/fixtures/sigstore.ts"],
  ArtifactInput: ["verify/verify_test.ts", "verify/policy_test.ts", "tests/policy_cases.ts"],
  ArtifactPlace: ["verify/verify_test.ts", "verify/policy_test.ts", "tests/policy_cases.ts"],
  VerifyOptions: ["verify/policy_test.ts"],
  VsaRequirement: ["slsa/vsa_test.ts"],
  BuilderRule: ["slsa/builder_trust_test.ts", "slsa/evaluate_test.ts"],
  SubjectOptions: ["intoto/subjects/content_test.ts"],
  DigestOptions: ["intoto/subjects/content_test.ts", "intoto/subjects/directory_test.ts"],
  DirectorySubjectOptions: ["intoto/subjects/directory_test.ts"],
  GitSubjectOptions: ["intoto/subjects/git_test.ts"],
  EncryptionOptions: ["keys/encrypted_key_test.ts"],
  KeyMoments: ["keys/key_set_test.ts"],
  NpmFolders: ["npm/folder_test.ts"],
  LockfileOptions: NPM,
  NpmTrust: NPM,
  NpmExpectations: NPM,
  NpmRule: NPM,
  NpmVerifyOptions: NPM,
  NpmExpectation: NPM,
  CompileOptions: ["policy/compile_test.ts", "policy/evaluate_test.ts", "policy/cel_test.ts"],
  DeriveOptions: ["policy/evaluate_test.ts", "cli/policy_test.ts"],
  SegmentWork: ["store/reverify/reverify_test.ts"],
  WorkerOptions: ["store/reverify/reverify_test.ts"],
  RevocationListOptions: ["policy/revocations_test.ts"],
  SignedDocumentOptions: ["policy/compile_test.ts", "policy/parse_test.ts"],
  CelOptions: ["policy/cel_test.ts"],
  PredicateDefinition: ["intoto/predicates/kind_test.ts"],
  AmbientTokenOptions: OIDC,
  HttpOptions: OIDC,
  DeviceTokenOptions: OIDC,
  KeylessOptions: SIGN,
  ServiceOptions: SIGN,
  KeySigningOptions: SIGN,
  RefreshTargetsOptions: TUF,
  TufRepositoryOptions: TUF,
  CachedTrustOptions: TUF,
  RefreshTrustOptions: TUF,
  AttachOptions: ["store/oci/attach_test.ts", "store/oci/repository_test.ts"],
  CopyOptions: ["store/oci/copy_test.ts", "store/oci/repository_test.ts"],
  DockerCredentialsOptions: ["store/oci/credentials_test.ts"],
  OciManifestOptions: ["store/oci/manifest_test.ts"],
  OciOptions: REGISTRY,
  BesideStoreOptions: ["store/beside_test.ts"],
  CacheOptions: ["store/cache_test.ts"],
  FindOptions: ["store/layered_test.ts", "store/_contract_test.ts"],
  FolderStoreOptions: ["store/folder_test.ts"],
  GithubSourceOptions: ["store/github_test.ts", ...SOURCES],
  HttpSourceOptions: ["store/http_test.ts", ...SOURCES],
  LinesStoreOptions: ["store/lines_test.ts"],
  LookupOptions: ["store/layered_test.ts", "store/_contract_test.ts"],
  MemoryStoreOptions: ["store/memory_test.ts"],
  NpmRegistryOptions: ["store/npm_test.ts", ...SOURCES],
  StoreOptions: ["store/_contract_test.ts", "store/layered_test.ts"],
  OciStoreOptions: ["store/oci/store_test.ts"],
  RepositoryOptions: REGISTRY,
  NewProvenance: ["slsa/create_test.ts"],
  NewProvenancePayload: ["slsa/ossp_test.ts"],
  PayloadUpgrade: ["slsa/ossp_test.ts"],
  ProvenancePayloadTrust: ["slsa/ossp_test.ts"],
  NewVsa: ["slsa/vsa_create_test.ts"],
  CiProvenanceOptions: ["slsa/ci/create_test.ts"],
  SourceFacts: ["slsa/ci/create_test.ts"],
  SimpleSigningLimits: ["formats/simple_signing_test.ts"],
  CosignLayerLimits: ["sigstore/cosign_layer_test.ts"],
  OciLookupOptions: ["store/oci/lookup_test.ts"],
  VerifyImageOptions: ["store/oci/verify_image_test.ts"],
  CertificateTrustOptions: ["formats/notation_jws_test.ts", "formats/attached/apk_test.ts"],
  LayoutTrust: ["formats/layout/verify_layout_test.ts"],
  ConversionOrigin: ["formats/convert_test.ts"],
  EfiTrustOptions: ["formats/attached/authenticode_test.ts"],
  EfiSignatureLimits: ["formats/attached/authenticode_test.ts"],
  OpenPgpKeyringOptions: ["formats/openpgp/keyring_test.ts"],
  FormatTrust: [...FORMATS, "formats/openpgp/openpgp_format_test.ts"],
  CoseTrust: ["formats/cose/cose_sign1_test.ts"],
  VerifyHelmChartOptions: ["store/helm_test.ts"],
  GoogleCloudBuildOptions: ["verify/google_cloud_build_test.ts"],
};

const GATE = "tests/gate_test.ts";
const SERVE = "tests/serve_cli_test.ts";
const REVERIFY = "tests/reverify_test.ts";
const POLICY = [
  ...["policy", "policy-key", "policy-threshold", "waivers", "waivers-key"],
  ...["revocations", "revocations-key", "revocations-state"],
];

function all(names: readonly string[], file: string): Record<string, string> {
  return Object.fromEntries(names.map((name) => [name, file]));
}

/**
 * By command and option: the test that runs the command with the option and without. Those
 * commands need processes, sockets and databases.
 */
export const COMMANDS_TESTED_IN: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  "gate": {
    ...all(["since", "rules", "from-base", "exit-code"], GATE),
    ...all(["registry", "db"], "tests/gate_sources_test.ts"),
  },
  "reverify": all(
    [...POLICY, "db", "now", "segment", "lease", "worker", "output", "format"],
    REVERIFY,
  ),
  "serve": all([
    ...[...POLICY, "db", "pool-size", "mode", "key", "trusted-root", "listen", "proxied"],
    ...["private-reads", "unsafe-any-writer", "rate-limit", "max-body", "body-timeout", "log"],
  ], SERVE),
  "serve keys create": all(["db", "pool-size", "name", "prefix", "all-urns"], SERVE),
  "serve keys list": all(["db", "pool-size", "format"], SERVE),
};

/** Options of the API that no test gives: the list may only get shorter. */
export const WITHOUT_CASE: readonly string[] = [
  "DirectorySubjectOptions.signal",
  "LockfileOptions.thresholds",
  "DeriveOptions.thresholds",
  "DeriveOptions.publicGood",
  "PredicateDefinition.parse",
];
