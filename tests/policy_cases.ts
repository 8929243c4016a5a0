/**
 * The worked policies of `docs/policy/examples`, each with evidence that it accepts and
 * evidence that it refuses, made on the spot: keys by name, and the throw-away Sigstore.
 */

import { sha512 } from "@noble/hashes/sha2.js";
import { createEnvelope } from "../dsse/sign.ts";
import type { Reason } from "../errors.ts";
import { utf8 } from "../internal/bytes.ts";
import { encodeHex } from "../internal/hex.ts";
import { encodePem } from "../internal/pem.ts";
import type { Json, JsonObject } from "../internal/json.ts";
import { sha256 } from "../internal/sha256.ts";
import { type GeneratedSigner, generateSigner } from "../keys/signer.ts";
import type { PolicyDocument } from "../policy/document.ts";
import { testKey } from "../tools/pki/keys.ts";
import { logged, type Recipe, SIGNED, stamped } from "../tools/pki/instance.ts";
import type { ArtifactInput } from "../verify/options.ts";
import {
  BUILD_TYPE,
  certificateClaims,
  payloadOf,
  type ProvenanceChanges,
  provenanceStatement,
} from "./fixtures/provenance.ts";
import { bundleOf, later, rootJson, theInstance } from "./fixtures/sigstore.ts";

/** One verdict of a worked policy. */
export interface PolicyCase {
  /** What is special about it. */
  name: string;
  /** What is verified. */
  artifacts: readonly ArtifactInput[];
  /** What is attested. */
  attestations: () => Promise<object[]>;
  /** Moment of the verdict. Default two days after the signing. */
  now?: Date;
  /** Keys under other names of the ring than their own. */
  keys?: Readonly<Record<string, string>>;
  /** First failing check, `rule/requirement/check`, and its reason; absent if it passes. */
  fails?: [at: string, reason: Reason];
}

/** A worked policy. */
export interface PolicyExample {
  /** Name of the file without its ending. */
  file: string;
  /** What it says yes and no to. */
  cases: readonly PolicyCase[];
}

/** Moment of most verdicts. */
export const NOW: Date = later(SIGNED, 2 * 86_400_000);

const ring = new Map<string, Promise<GeneratedSigner>>();

/** The key of a name, made when it is first asked for; the kind is told by the name. */
export function keyOf(name: string): Promise<GeneratedSigner> {
  const known = ring.get(name);
  if (known !== undefined) return known;
  const made = name.endsWith("2024")
    ? generateSigner("PS256", { name, modulusLength: 3072 })
    : name.endsWith("rsa2048")
    ? generateSigner("PS256", { name, modulusLength: 2048 })
    : generateSigner(name.endsWith("p256") ? "ES256" : "Ed25519", { name });
  ring.set(name, made);
  return made;
}

async function publicKeyOf(name: string): Promise<string> {
  return name.startsWith("pki:")
    ? encodePem("PUBLIC KEY", (await testKey(name.slice(4))).spki)
    : (await keyOf(name)).publicKey;
}

/** The document with the keys of the ring under its names, and the throw-away root for the public one. */
export async function withTrust(
  document: PolicyDocument,
  others: Readonly<Record<string, string>> = {},
): Promise<PolicyDocument> {
  const copy = structuredClone(document) as { trust?: JsonObject } & PolicyDocument;
  const trust = (copy.trust ??= {}) as Record<string, Json>;
  for (const [name, key] of Object.entries(trust.keys ?? {}) as [string, JsonObject][]) {
    const other = others[name] ?? name;
    key.publicKey = await publicKeyOf(other);
    if (!other.endsWith("rsa2048") && other !== name) delete key.alg;
  }
  trust.roots ??= [await rootJson()];
  return copy;
}

const RELEASE = "https://in-toto.io/attestation/release/v0.2";
const PROVENANCE = "https://slsa.dev/provenance/v1";
const VULNS = "https://in-toto.io/attestation/vulns/v0.2";
const IN_TOTO = "application/vnd.in-toto+json";
const COMMIT = "c".repeat(40);

interface Subject {
  name: string;
  digest: Record<string, string>;
}

function fileOf(name: string): { input: ArtifactInput; subject: Subject } {
  const content = utf8(`content of ${name}\n`);
  return {
    input: { name, content },
    subject: { name, digest: { sha256: encodeHex(sha256(content)) } },
  };
}

function statementOf(
  subject: Subject | readonly Subject[],
  predicateType: string,
  predicate: object,
): JsonObject {
  return {
    _type: "https://in-toto.io/Statement/v1",
    subject: [subject].flat() as unknown as Json,
    predicateType,
    predicate: predicate as Json,
  };
}

async function keyed(
  statement: JsonObject,
  names: readonly string[],
  payloadType: string = IN_TOTO,
): Promise<object> {
  const signers = await Promise.all(names.map(async (name) => (await keyOf(name)).signer));
  return await createEnvelope(payloadType, payloadOf(statement), signers);
}

/** A workflow of GitHub that signs. */
interface Job {
  /** `owner/name`. */
  repository?: string;
  id?: string;
  ownerId?: string;
  ref?: string;
  /** File of the workflow. */
  workflow?: string;
  /** Whole name of the signer, if it is a reusable workflow. */
  signer?: string;
  runner?: string;
  /** Extensions of the certificate by number. */
  claims?: Readonly<Record<number, string>>;
  recipe?: Partial<Recipe>;
}

function jobOf(job: Job): { changes: ProvenanceChanges; san: string } {
  const { repository = "acme/app", ref = "refs/tags/v1.2.3", workflow = "release.yml" } = job;
  const source = `https://github.com/${repository}`;
  const own = `${source}/.github/workflows/${workflow}@${ref}`;
  const { signer = own, id = "1001", ownerId = "77", runner = "github-hosted" } = job;
  const claims: Record<number, string> = {
    15: id,
    17: ownerId,
    11: runner,
    18: own,
    ...job.claims,
  };
  return {
    san: signer,
    changes: {
      repository: source,
      ref,
      signer,
      claims,
      workflow: { path: `.github/workflows/${workflow}` },
    },
  };
}

async function keyless(statement: JsonObject, job: Job = {}): Promise<object> {
  const { changes, san } = jobOf(job);
  return await bundleOf({
    content: { payload: payloadOf(statement) },
    ...job.recipe,
    leaf: {
      san: { type: "uri", value: san },
      claims: certificateClaims(changes),
      ...job.recipe?.leaf,
    },
  });
}

function provenanceOf(
  subject: Subject | readonly Subject[],
  job: Job = {},
  changes: ProvenanceChanges = {},
): JsonObject {
  return provenanceStatement({
    ...jobOf(job).changes,
    ...changes,
    statement: { subject: [subject].flat() as unknown as Json },
  });
}

async function built(
  subject: Subject | readonly Subject[],
  job: Job = {},
  changes: ProvenanceChanges = {},
): Promise<object> {
  return await keyless(provenanceOf(subject, job, changes), { ...job, claims: changes.claims });
}

/** The same as version 0.2 says it. */
async function builtBefore(
  subject: Subject,
  job: Job = {},
  materials: object[] = [],
): Promise<object> {
  const { repository = "", ref = "", signer = "" } = jobOf(job).changes;
  const uri = `git+${repository}@${ref}`;
  const digest = { sha1: COMMIT };
  const predicate = {
    builder: { id: signer },
    buildType: BUILD_TYPE,
    invocation: {
      configSource: {
        uri,
        digest,
        entryPoint: `.github/workflows/${job.workflow ?? "release.yml"}`,
      },
      parameters: {},
      environment: {},
    },
    metadata: { completeness: { parameters: true, environment: false, materials: false } },
    materials: [{ uri, digest }, ...materials],
  };
  return await keyless(statementOf(subject, "https://slsa.dev/provenance/v0.2", predicate), job);
}

/** A certificate and a log entry of another moment than the usual one. */
function signedAt(time: Date): Partial<Recipe> {
  return {
    leaf: { notBefore: later(time, -5000), notAfter: later(time, 595_000) },
    entries: async (made) => [await logged(made, { integratedTime: time })],
  };
}

function day(offset: number): Date {
  return later(SIGNED, offset * 86_400_000);
}

function keySignedReleases(): PolicyExample {
  const { input, subject } = fileOf("acme-1.2.3.tar.gz");
  const release = statementOf(subject, RELEASE, { purl: "pkg:generic/acme@1.2.3" });
  const one = (
    name: string,
    attestation: () => Promise<object>,
    fails?: PolicyCase["fails"],
    keys: Record<string, string> = {},
  ): PolicyCase => ({
    name,
    artifacts: [input],
    attestations: async () => [await attestation()],
    keys,
    ...(fails === undefined ? {} : { fails }),
  });
  const signed = "release/signed";
  const other = fileOf("other.tar.gz");
  return {
    file: "key-signed-releases",
    cases: [
      one("the release key signed", () => keyed(release, ["release-2025"])),
      one("the earlier release key signed", () => keyed(release, ["release-2024"])),
      one("nobody known signed", () => keyed(release, ["stranger"]), [
        signed,
        "missing-attestation",
      ]),
      one("a known key signed that may not", () => keyed(release, ["nightly"]), [
        `${signed}/envelope.signed-by`,
        "signer-mismatch",
      ]),
      one("the key is too short", () => keyed(release, ["release-rsa2048"]), [
        `${signed}/envelope.algorithm`,
        "weak-algorithm",
      ], { "release-2024": "release-rsa2048" }),
      one("the algorithm is another", () => keyed(release, ["release-p256"]), [
        `${signed}/envelope.algorithm`,
        "weak-algorithm",
      ], { "release-2025": "release-p256" }),
      one(
        "the payload type is another",
        () => keyed(release, ["release-2025"], "application/vnd.in-toto.release+json"),
        [`${signed}/envelope.payload-type`, "unsupported-payload-type"],
      ),
      one(
        "it is a Sigstore bundle",
        () =>
          bundleOf({
            content: { payload: payloadOf(release) },
            key: "leaf-ed25519",
            hint: "release-2025",
          }),
        [`${signed}/envelope.format`, "format-not-accepted"],
        { "release-2025": "pki:leaf-ed25519" },
      ),
      one(
        "something else is said",
        () => keyed(statementOf(subject, "https://acme.example/draft/v1", {}), ["release-2025"]),
        [signed, "missing-attestation"],
      ),
      one(
        "the subject has another name",
        () =>
          keyed(statementOf({ ...subject, name: "beta.tar.gz" }, RELEASE, {}), ["release-2025"]),
        [`${signed}/statement.subject-name`, "subject-name-mismatch"],
      ),
      {
        name: "the subject is known by another digest",
        artifacts: [{ name: "acme-1.2.3.tar.gz", digest: { sha512: "5".repeat(128) } }],
        attestations: async () => [
          await keyed(
            statementOf({ name: subject.name, digest: { sha512: "5".repeat(128) } }, RELEASE, {}),
            ["release-2025"],
          ),
        ],
        fails: [`${signed}/statement.digest-algorithm`, "digest-algorithm-not-accepted"],
      },
      {
        name: "another file",
        artifacts: [other.input],
        attestations: async () => [
          await keyed(
            statementOf([other.subject, { ...other.subject, name: subject.name }], RELEASE, {}),
            [
              "release-2025",
            ],
          ),
        ],
        fails: ["unselected", "unselected-artifact"],
      },
    ],
  };
}

function githubById(): PolicyExample {
  const { input, subject } = fileOf("app-1.2.3.tar.gz");
  const nightly = fileOf("nightly-20250203.tar.gz");
  const one = (
    name: string,
    attestation: () => Promise<object>,
    fails?: PolicyCase["fails"],
  ): PolicyCase => ({
    name,
    artifacts: [input],
    attestations: async () => [await attestation()],
    ...(fails === undefined ? {} : { fails }),
  });
  const at = "release/provenance";
  const nobody: PolicyCase["fails"] = [`${at}/envelope.signed-by`, "signer-mismatch"];
  const event = (event_name: string): ProvenanceChanges => ({
    definition: { internalParameters: { github: { event_name } } },
    claims: { 20: event_name },
  });
  return {
    file: "github-by-repository-id",
    cases: [
      one("the release workflow signed", () => built(subject)),
      one("a release was published", () => built(subject, {}, event("release"))),
      one("the repository has a new name", () => built(subject, { repository: "acme/renamed" })),
      one("another repository has the name", () => built(subject, { id: "6666" }), nobody),
      one("the repository has another owner", () => built(subject, { ownerId: "88" }), nobody),
      one("of a branch", () => built(subject, { ref: "refs/heads/main" }), nobody),
      one("of a tag that is no version", () => built(subject, { ref: "refs/tags/v1-rc" }), nobody),
      one("another workflow", () => built(subject, { workflow: "test.yml" }), nobody),
      one("a self-hosted runner", () => built(subject, { runner: "self-hosted" }), nobody),
      one("started by hand", () => built(subject, {}, event("workflow_dispatch")), [
        `${at}/predicate.where.trigger`,
        "condition-not-met",
      ]),
      one(
        "a dependency without a digest",
        () =>
          built(subject, {}, {
            definition: {
              resolvedDependencies: [
                {
                  uri: "git+https://github.com/acme/app@refs/tags/v1.2.3",
                  digest: { gitCommit: COMMIT },
                },
                { uri: "https://example.com/patch" },
              ],
            },
          }),
        [`${at}/predicate.dependencies`, "unpinned-dependency"],
      ),
      one(
        "it says another repository than the certificate",
        () => built(subject, {}, { workflow: { repository: "https://github.com/acme/other" } }),
        [`${at}/predicate.certificate`, "certificate-provenance-mismatch"],
      ),
      one("no provenance", () => keyless(statementOf(subject, "https://acme.example/x/v1", {})), [
        at,
        "missing-attestation",
      ]),
      one(
        "the nightly job of the same repository",
        () => built(subject, { ref: "refs/heads/main" }),
        nobody,
      ),
      {
        name: "a nightly build",
        artifacts: [nightly.input],
        attestations: async () => [await built(nightly.subject, { ref: "refs/heads/main" })],
      },
      ...([
        ["of another branch", { ref: "refs/heads/dev" }],
        ["of another repository", { ref: "refs/heads/main", id: "6666" }],
        ["of another owner", { ref: "refs/heads/main", ownerId: "88" }],
        ["by the release job", {}],
      ] as const).map(([name, job]): PolicyCase => ({
        name: `a nightly build ${name}`,
        artifacts: [nightly.input],
        attestations: async () => [await built(nightly.subject, job)],
        fails: ["nightly/provenance/envelope.signed-by", "signer-mismatch"],
      })),
      {
        name: "a nightly build without provenance",
        artifacts: [nightly.input],
        attestations: async () => [
          await keyless(statementOf(nightly.subject, "https://acme.example/x/v1", {}), {
            ref: "refs/heads/main",
          }),
        ],
        fails: ["nightly/provenance", "missing-attestation"],
      },
      {
        name: "a file of neither name, of the nightly job",
        artifacts: [fileOf("tool.zip").input],
        attestations: async () => [
          await built(fileOf("tool.zip").subject, { ref: "refs/heads/main" }),
        ],
        fails: ["unselected", "unselected-artifact"],
      },
      {
        name: "another file",
        artifacts: [fileOf("tool.zip").input],
        attestations: async () => [await built(fileOf("tool.zip").subject)],
        fails: ["unselected", "unselected-artifact"],
      },
    ],
  };
}

function reusableWorkflow(): PolicyExample {
  const { input, subject } = fileOf("app-1.2.3.tar.gz");
  const builder = "https://github.com/acme/builders/.github/workflows/build.yml";
  const tagged: Job = { signer: `${builder}@refs/tags/v3.0.0` };
  const at = "release/provenance";
  const one = (
    name: string,
    attestation: () => Promise<object>,
    fails?: PolicyCase["fails"],
  ): PolicyCase => ({
    name,
    artifacts: [input],
    attestations: async () => [await attestation()],
    ...(fails === undefined ? {} : { fails }),
  });
  return {
    file: "slsa-l3-reusable-workflow",
    cases: [
      one("the organisation's builder at a tag", () => built(subject, tagged)),
      one(
        "the builder at a branch",
        () => built(subject, { signer: `${builder}@refs/heads/main` }),
        [`${at}/predicate.level`, "insufficient-level"],
      ),
      one(
        "another builder of level 3",
        () =>
          built(subject, {
            signer: "https://github.com/slsa-framework/slsa-github-generator/.github/workflows/" +
              "generator_generic_slsa3.yml@refs/tags/v2.1.0",
          }),
        [`${at}/predicate.builder`, "unexpected-builder"],
      ),
      one(
        "a builder whose name goes on",
        () => built(subject, { signer: `${builder}.evil.yml@refs/tags/v3.0.0` }),
        [`${at}/predicate.builder`, "unexpected-builder"],
      ),
      one(
        "another source",
        () => built(subject, { ...tagged, repository: "mallory/app" }),
        [`${at}/predicate.source`, "source-mismatch"],
      ),
      one(
        "the next major version",
        () => built(subject, { ...tagged, ref: "refs/tags/v2.0.0" }),
        [`${at}/predicate.versioned-tag`, "versioned-tag-mismatch"],
      ),
      one(
        "another build type",
        () => built(subject, tagged, { definition: { buildType: "https://acme.example/v1" } }),
        [`${at}/predicate.build-type`, "build-type-mismatch"],
      ),
      one(
        "a dependency without a digest",
        () =>
          built(subject, tagged, {
            definition: {
              resolvedDependencies: [
                {
                  uri: "git+https://github.com/acme/app@refs/tags/v1.2.3",
                  digest: { gitCommit: COMMIT },
                },
                { uri: "https://example.com/patch" },
              ],
            },
          }),
        [`${at}/predicate.dependencies`, "unpinned-dependency"],
      ),
      one(
        "no provenance",
        () => keyless(statementOf(subject, "https://acme.example/x/v1", {}), tagged),
        [at, "missing-attestation"],
      ),
      one("provenance of version 0.2", () => builtBefore(subject, tagged), [
        at,
        "missing-attestation",
      ]),
      {
        name: "another file",
        artifacts: [fileOf("tool.zip").input],
        attestations: async () => [await built(fileOf("tool.zip").subject, tagged)],
        fails: ["unselected", "unselected-artifact"],
      },
    ],
  };
}

function twoPersons(): PolicyExample {
  const { input, subject } = fileOf("app-2.0.0.tar.gz");
  const approve = (
    by: string[],
    changes: object = {},
    type = "release-approval",
  ): Promise<object> =>
    keyed(
      statementOf(subject, `https://acme.example/${type}/v1`, {
        decision: "approved",
        commit: COMMIT,
        findings: [{ id: 1, state: "closed" }],
        ...changes,
      }),
      by,
    );
  const test = (by: string[], changes: object = {}): Promise<object> =>
    keyed(
      statementOf(subject, "https://in-toto.io/attestation/test-result/v0.1", {
        result: "PASSED",
        configuration: [{ name: "source", digest: { gitCommit: COMMIT } }],
        ...changes,
      }),
      by,
    );
  const one = (
    name: string,
    attestations: () => Promise<object>[],
    fails?: PolicyCase["fails"],
  ): PolicyCase => ({
    name,
    artifacts: [input],
    attestations: () => Promise.all(attestations()),
    ...(fails === undefined ? {} : { fails }),
  });
  const other = "d".repeat(40);
  return {
    file: "two-person-release",
    cases: [
      one("two approve what the build service tested", () => [
        approve(["alice", "bob"]),
        test(["ci"]),
      ]),
      one("a third maintainer tested", () => [approve(["alice", "bob"]), test(["carol"])]),
      one(
        "with a warning",
        () => [approve(["alice", "carol"]), test(["ci"], { result: "WARNED" })],
      ),
      one("one approves", () => [approve(["alice"]), test(["ci"])], [
        "release/approval/envelope.signed-by",
        "insufficient-signers",
      ]),
      one("one approves in two attestations", () => [
        approve(["alice"]),
        approve(["bob"]),
        test(["ci"]),
      ], ["release/approval/envelope.signed-by", "insufficient-signers"]),
      one("the build service approves", () => [approve(["alice", "ci"]), test(["ci"])], [
        "release/approval/envelope.signed-by",
        "insufficient-signers",
      ]),
      one(
        "they decline",
        () => [approve(["alice", "bob"], { decision: "declined" }), test(["ci"])],
        [
          "release/approval/predicate.where.decision",
          "condition-not-met",
        ],
      ),
      one("a finding is open", () => [
        approve(["alice", "bob"], { findings: [{ state: "closed" }, { state: "open" }] }),
        test(["ci"]),
      ], ["release/approval/predicate.where.open-findings", "condition-not-met"]),
      one("nothing is approved", () => [approve(["alice", "bob"], {}, "review"), test(["ci"])], [
        "release/approval",
        "missing-attestation",
      ]),
      one("nothing is tested", () => [approve(["alice", "bob"])], [
        "release/tested",
        "missing-attestation",
      ]),
      one("a stranger tested", () => [approve(["alice", "bob"]), test(["stranger"])], [
        "release/tested",
        "missing-attestation",
      ]),
      one("a test failed", () => [
        approve(["alice", "bob"]),
        test(["ci"], { result: "FAILED" }),
      ], ["release/tested/predicate.where.result", "condition-not-met"]),
      one("one of two tests failed", () => [
        approve(["alice", "bob"]),
        test(["ci"]),
        test(["ci"], { result: "FAILED" }),
      ], ["release/tested", "attestations-disagree"]),
      one("who approves tested", () => [approve(["alice", "bob"]), test(["bob"])], [
        "release/other-people",
        "signers-not-distinct",
      ]),
      one("another commit was tested", () => [
        approve(["alice", "bob"], { commit: other }),
        test(["ci"]),
      ], ["release/same-commit", "fields-differ"]),
      one("which commit was tested is not said", () => [
        approve(["alice", "bob"]),
        test(["ci"], { configuration: [] }),
      ], ["release/same-commit", "condition-error"]),
    ],
  };
}

const IMAGE = { name: "ghcr.io/acme/app", oci: "ghcr.io/acme/app" };

function imageOf(hex: string, oci: string = IMAGE.oci): { input: ArtifactInput; subject: Subject } {
  const sha256 = hex.repeat(64);
  return {
    input: { name: `${oci}@sha256:${sha256}`, oci, digest: { sha256 } },
    subject: { name: oci, digest: { sha256 } },
  };
}

function scanOf(subject: Subject, changes: object = {}, result: object[] = []): JsonObject {
  return statementOf(subject, VULNS, {
    scanner: {
      uri: "https://scanner.example/cli",
      version: "2.0.0",
      db: { lastUpdate: "2025-02-04T22:00:00Z" },
      result,
      ...changes,
    },
    metadata: {
      scanStartedOn: "2025-02-03T09:59:00Z",
      scanFinishedOn: "2025-02-03T10:00:00Z",
    },
  });
}

function finding(id: string, score: string): object {
  return { id, severity: [{ method: "nvd", score }] };
}

function image(): PolicyExample {
  const { input, subject } = imageOf("1");
  const SCANNER: Job = { repository: "acme/scanner", id: "2002" };
  const source = {
    uri: "git+https://github.com/acme/app@refs/tags/v1.2.3",
    digest: { gitCommit: COMMIT },
  };
  const base = { uri: "pkg:docker/alpine@3.20", digest: { sha256: "b".repeat(64) } };
  const provenance = (dependencies: object[] = [source, base], job: Job = {}) =>
    built(subject, job, { definition: { resolvedDependencies: dependencies as unknown as Json } });
  const openssl = {
    type: "library",
    name: "openssl",
    version: "3.3.1",
    purl: "pkg:generic/openssl@3.3.1",
  };
  const musl = { type: "library", name: "musl", version: "1.2.5", purl: "pkg:generic/musl@1.2.5" };
  const sbom = (components: object[] = [openssl, musl], uid = COMMIT, job: Job = {}) =>
    keyless(
      statementOf(subject, "https://cyclonedx.org/bom", {
        bomFormat: "CycloneDX",
        specVersion: "1.6",
        metadata: {
          component: { type: "container", name: "app", pedigree: { commits: [{ uid }] } },
        },
        components,
      }),
      job,
    );
  const scan = (statement: JsonObject = scanOf(subject), job: Job = SCANNER) =>
    keyless(statement, job);
  const one = (
    name: string,
    attestations: () => Promise<object>[],
    fails?: PolicyCase["fails"],
    now?: Date,
  ): PolicyCase => ({
    name,
    artifacts: [input],
    attestations: () => Promise.all(attestations()),
    ...(fails === undefined ? {} : { fails }),
    ...(now === undefined ? {} : { now }),
  });
  const P = "image/provenance/predicate.dependencies";
  const S = "image/sbom/predicate.sbom";
  const V = "image/scan/predicate.vulnerabilities";
  return {
    file: "image",
    cases: [
      one("built, listed and scanned", () => [provenance(), sbom(), scan()]),
      one("a second job of the build's repository scanned", () => [
        provenance(),
        sbom(),
        scan(scanOf(subject), { workflow: "scan.yml" }),
      ]),
      one("with findings that are accepted", () => [
        provenance(),
        sbom(),
        scan(scanOf(subject, {}, [finding("CVE-2025-0001", "9.8"), finding("CVE-2", "MEDIUM")])),
      ]),
      one("no provenance", () => [sbom(), scan()], ["image/provenance", "missing-attestation"]),
      one("no SBOM", () => [provenance(), scan()], ["image/sbom", "missing-attestation"]),
      one("no scan", () => [provenance(), sbom()], ["image/scan", "missing-attestation"]),
      one("the scanner built", () => [provenance(undefined, SCANNER), sbom(), scan()], [
        "image/provenance/envelope.signed-by",
        "signer-mismatch",
      ]),
      one(
        "the scanner built, and the build scanned",
        () => [
          provenance(undefined, SCANNER),
          sbom(),
          scan(undefined, { workflow: "scan.yml" }),
        ],
        ["image/provenance/envelope.signed-by", "signer-mismatch"],
      ),
      one("the scanner listed", () => [provenance(), sbom(undefined, undefined, SCANNER), scan()], [
        "image/sbom/envelope.signed-by",
        "signer-mismatch",
      ]),
      one("somebody else scanned", () => [provenance(), sbom(), scan(undefined, { id: "9" })], [
        "image/scan/envelope.signed-by",
        "signer-mismatch",
      ]),
      one(
        "the builder is of no known level",
        () => [
          built(subject, {}, {
            builderId: "https://acme.example/builder",
            definition: { resolvedDependencies: [source, base] as unknown as Json },
          }),
          sbom(),
          scan(),
        ],
        ["image/provenance/predicate.level", "insufficient-level"],
      ),
      one("built on a self-hosted runner", () => [
        provenance(undefined, { runner: "self-hosted" }),
        sbom(),
        scan(),
      ], ["image/provenance/envelope.signed-by", "signer-mismatch"]),
      one("scanned on a self-hosted runner", () => [
        provenance(),
        sbom(),
        scan(undefined, { ...SCANNER, runner: "self-hosted" }),
      ], ["image/scan/envelope.signed-by", "signer-mismatch"]),
      one("listed on a self-hosted runner", () => [
        provenance(),
        sbom(undefined, undefined, { runner: "self-hosted" }),
        scan(),
      ], ["image/sbom/envelope.signed-by", "signer-mismatch"]),
      one("a scan of the earlier version", () => [
        provenance(),
        sbom(),
        scan({
          ...scanOf(subject),
          predicateType: "https://in-toto.io/attestation/vulns/v0.1",
        }),
      ], ["image/scan", "missing-attestation"]),
      one("too few dependencies", () => [provenance([source]), sbom(), scan()], [
        P,
        "missing-dependency",
      ]),
      one("a dependency from elsewhere", () => [
        provenance([source, base, {
          uri: "https://example.com/x",
          digest: { sha256: "e".repeat(64) },
        }]),
        sbom(),
        scan(),
      ], [`${P}.allowed`, "dependency-not-allowed"]),
      one("a path that climbs", () => [
        provenance([
          source,
          base,
          { uri: "git+https://github.com/acme/../mallory/x", digest: { gitCommit: COMMIT } },
        ]),
        sbom(),
        scan(),
      ], [`${P}.allowed`, "dependency-not-allowed"]),
      one("a forbidden base", () => [
        provenance([source, { uri: "pkg:docker/debian@buster-slim", digest: base.digest }]),
        sbom(),
        scan(),
      ], [`${P}.forbidden`, "forbidden-dependency"]),
      one("a dependency without such a digest", () => [
        provenance([source, { uri: base.uri, digest: { sha1: "a".repeat(40) } }]),
        sbom(),
        scan(),
      ], [`${P}.digests`, "unpinned-dependency"]),
      one("a forbidden package", () => [
        provenance(),
        sbom([openssl, {
          name: "event-stream",
          version: "3.3.6",
          purl: "pkg:npm/event-stream@3.3.6",
        }]),
        scan(),
      ], [`${S}.forbidden.pkg:npm/event-stream`, "forbidden-package"]),
      one("a required package is not listed", () => [
        provenance(),
        sbom([musl, { ...musl, name: "zlib", purl: "pkg:generic/zlib@1" }]),
        scan(),
      ], [`${S}.required.pkg:generic/openssl`, "missing-package"]),
      one("a package without version", () => [
        provenance(),
        sbom([openssl, { type: "library", name: "musl" }]),
        scan(),
      ], [`${S}.versions`, "unversioned-package"]),
      one("too few packages", () => [provenance(), sbom([openssl]), scan()], [
        S,
        "missing-package",
      ]),
      one("a high finding", () => [
        provenance(),
        sbom(),
        scan(scanOf(subject, {}, [finding("CVE-3", "HIGH")])),
      ], [V, "severity-too-high"]),
      one("a finding of unknown severity", () => [
        provenance(),
        sbom(),
        scan(scanOf(subject, {}, [finding("CVE-4", "unknown")])),
      ], [V, "severity-too-high"]),
      {
        ...one("the exception has ended", () => [
          provenance(),
          sbom(),
          scan({
            ...scanOf(subject, { db: { lastUpdate: "2025-03-01T00:00:00Z" } }, [
              finding("CVE-2025-0001", "9.8"),
            ]),
            predicate: {
              ...(scanOf(subject, { db: { lastUpdate: "2025-03-01T00:00:00Z" } }, [
                finding("CVE-2025-0001", "9.8"),
              ]).predicate as JsonObject),
              metadata: {
                scanStartedOn: "2025-03-01T00:00:00Z",
                scanFinishedOn: "2025-03-01T00:00:00Z",
              },
            },
          }),
        ], [V, "severity-too-high"]),
        now: new Date("2025-03-01T12:00:00Z"),
      },
      one("another scanner", () => [
        provenance(),
        sbom(),
        scan(scanOf(subject, { uri: "https://scanner.example.evil/cli" })),
      ], [`${V}.scanner`, "scanner-mismatch"]),
      one(
        "the scan is old",
        () => [
          provenance(),
          sbom(),
          scan(scanOf(subject, { db: { lastUpdate: "2025-02-11T00:00:00Z" } })),
        ],
        [`${V}.age`, "scan-too-old"],
        day(8),
      ),
      one(
        "the scanner's database is old",
        () => [
          provenance(),
          sbom(),
          scan(scanOf(subject, { db: { lastUpdate: "2025-01-31T00:00:00Z" } })),
        ],
        [`${V}.database-age`, "scan-too-old"],
      ),
      one(
        "the SBOM is of another commit",
        () => [provenance(), sbom(undefined, "d".repeat(40)), scan()],
        ["image/same-commit", "fields-differ"],
      ),
      one("the build scanned itself", () => [provenance(), sbom(), scan(undefined, {})], [
        "image/other-signer",
        "signers-not-distinct",
      ]),
      {
        name: "an image of somebody else",
        artifacts: [imageOf("1", "ghcr.io/acme-evil/app").input],
        attestations: () => Promise.all([provenance(), sbom(), scan()]),
        fails: ["unselected", "unselected-artifact"],
      },
    ],
  };
}

function npmDependencies(): PolicyExample {
  const packageOf = (npm: string) => {
    const name = `${npm.replace("@", "").replace("/", "-")}-1.0.0.tgz`;
    const content = utf8(`tarball of ${npm}`);
    const digest = { sha512: encodeHex(sha512(content)) };
    return {
      input: { name, npm, content },
      subject: { name: `pkg:npm/${npm.replace("@", "%40")}@1.0.0`, digest },
      sha256: encodeHex(sha256(content)),
    };
  };
  const ours = packageOf("@acme/app");
  const tiny = packageOf("tiny-lib");
  const TINY: Job = { repository: "tiny/lib", id: "3003", ownerId: "5" };
  const one = (
    name: string,
    { input }: { input: ArtifactInput },
    attestation: () => Promise<object>,
    fails?: PolicyCase["fails"],
  ): PolicyCase => ({
    name,
    artifacts: [input],
    attestations: async () => [await attestation()],
    ...(fails === undefined ? {} : { fails }),
  });
  const O = "ours/provenance";
  const T = "third-party/provenance";
  const nobody: PolicyCase["fails"] = [`${O}/envelope.signed-by`, "signer-mismatch"];
  const other = packageOf("unknown");
  return {
    file: "npm-dependencies",
    cases: [
      one("our package", ours, () => built(ours.subject)),
      one(
        "our package, of another repository",
        ours,
        () => built(ours.subject, { repository: "acme/mono", id: "1009" }),
      ),
      one("the other package", tiny, () => built(tiny.subject, TINY)),
      one("our package, built by somebody else", ours, () => built(ours.subject, TINY), nobody),
      one("our name, another owner", ours, () => built(ours.subject, { ownerId: "666" }), nobody),
      one(
        "our id, another name",
        ours,
        () => built(ours.subject, { repository: "ecma/app" }),
        nobody,
      ),
      one(
        "a self-hosted runner",
        ours,
        () => built(ours.subject, { runner: "self-hosted" }),
        [`${O}/predicate.level`, "insufficient-level"],
      ),
      one(
        "a builder of no known level",
        ours,
        () => built(ours.subject, {}, { builderId: "https://acme.example/builder" }),
        [
          `${O}/predicate.level`,
          "insufficient-level",
        ],
      ),
      one(
        "known by SHA-256 only",
        ours,
        () => built({ ...ours.subject, digest: { sha256: ours.sha256 } }),
        [
          `${O}/statement.digest-algorithm`,
          "digest-algorithm-not-accepted",
        ],
      ),
      one(
        "attested under another name",
        ours,
        () => built({ ...ours.subject, name: "pkg:npm/acme-app@1.0.0" }),
        [
          `${O}/statement.subject-name`,
          "subject-name-mismatch",
        ],
      ),
      one(
        "no provenance",
        ours,
        () => keyless(statementOf(ours.subject, "https://acme.example/x/v1", {})),
        [
          O,
          "missing-attestation",
        ],
      ),
      one("the other package, built by us", tiny, () => built(tiny.subject), [
        `${T}/envelope.signed-by`,
        "signer-mismatch",
      ]),
      one(
        "the other package, under another name",
        tiny,
        () => built({ ...tiny.subject, name: "pkg:npm/tiny-lib2@1.0.0" }, TINY),
        [
          `${T}/statement.subject-name`,
          "subject-name-mismatch",
        ],
      ),
      one(
        "the other package, of another source",
        tiny,
        () => built(tiny.subject, { ...TINY, repository: "tiny/other" }),
        [
          `${T}/predicate.source`,
          "source-mismatch",
        ],
      ),
      one(
        "the other package, without provenance",
        tiny,
        () => keyless(statementOf(tiny.subject, "https://acme.example/x/v1", {}), TINY),
        [
          T,
          "missing-attestation",
        ],
      ),
      one("provenance of version 0.2", ours, () => builtBefore(ours.subject), [
        O,
        "missing-attestation",
      ]),
      one(
        "the other package, with provenance of version 0.2",
        tiny,
        () => builtBefore(tiny.subject, TINY),
        [T, "missing-attestation"],
      ),
      one(
        "the other package, of a new repository of that name",
        tiny,
        () => built(tiny.subject, { ...TINY, id: "4444" }),
        [
          `${T}/envelope.signed-by`,
          "signer-mismatch",
        ],
      ),
      one(
        "a package that nobody named, attested as the other",
        other,
        () => built({ ...tiny.subject, digest: other.subject.digest }, TINY),
        [
          "unselected",
          "unselected-artifact",
        ],
      ),
      one("a package that nobody named", other, () => built(other.subject), [
        "unselected",
        "unselected-artifact",
      ]),
    ],
  };
}

function helmChart(): PolicyExample {
  const chart = fileOf("app-1.2.3.tgz");
  const app = imageOf("3");
  const CHART: Job = { repository: "acme/charts", id: "1002" };
  const source = {
    uri: "git+https://github.com/acme/charts@refs/tags/v1.2.3",
    digest: { gitCommit: COMMIT },
  };
  const used = { uri: "oci://ghcr.io/acme/app", digest: app.subject.digest };
  const packaged = (
    dependencies: object[] = [source, used],
    subjects: Subject | Subject[] = chart.subject,
    job: Job = CHART,
  ) =>
    built(subjects, job, { definition: { resolvedDependencies: dependencies as unknown as Json } });
  const one = (
    name: string,
    attestations: () => Promise<object>[],
    fails?: PolicyCase["fails"],
    artifacts: ArtifactInput[] = [app.input, chart.input],
  ): PolicyCase => ({
    name,
    artifacts,
    attestations: () => Promise.all(attestations()),
    ...(fails === undefined ? {} : { fails }),
  });
  const P = "chart/package";
  return {
    file: "helm-chart",
    cases: [
      one("the chart and its image", () => [packaged(), built(app.subject)]),
      one("the chart in its folder", () => [
        packaged(undefined, { ...chart.subject, name: "charts/app-1.2.3.tgz" }),
        built(app.subject),
      ]),
      one("the image alone", () => [built(app.subject)], undefined, [app.input]),
      one("the chart alone", () => [packaged()], ["chart/images", "chain-not-met"], [chart.input]),
      one("another image than the one that was built", () => [
        packaged([source, { ...used, digest: { sha256: "9".repeat(64) } }]),
        built(app.subject),
      ], ["chart/images", "chain-not-met"]),
      one("the image is built by the charts' repository", () => [
        packaged(),
        built(app.subject, CHART),
      ], ["image/provenance/envelope.signed-by", "signer-mismatch"]),
      one("the image's builder is of no known level", () => [
        packaged(),
        built(app.subject, {}, { builderId: "https://acme.example/builder" }),
      ], ["image/provenance/predicate.level", "insufficient-level"]),
      one("the image has no provenance", () => [
        packaged(),
        keyless(statementOf(app.subject, "https://acme.example/x/v1", {})),
      ], ["image/provenance", "missing-attestation"]),
      one("the chart is packaged by the image's repository", () => [
        packaged(undefined, undefined, {}),
        built(app.subject),
      ], [`${P}/envelope.signed-by`, "signer-mismatch"]),
      one("the chart is under another name", () => [
        packaged(undefined, { ...chart.subject, name: "other/app-1.2.3.tgz" }),
        built(app.subject),
      ], [`${P}/statement.subject-name`, "subject-name-mismatch"]),
      one("the chart with another subject", () => [
        packaged(undefined, [chart.subject, { name: "b", digest: { sha256: "b".repeat(64) } }]),
        built(app.subject),
      ], [`${P}/statement.subjects`, "subject-mismatch"]),
      one("the chart takes something from elsewhere", () => [
        packaged([source, used, {
          uri: "oci://docker.io/evil/x",
          digest: { sha256: "e".repeat(64) },
        }]),
        built(app.subject),
      ], [`${P}/predicate.dependencies.allowed`, "dependency-not-allowed"]),
      one("no provenance of the chart", () => [
        built(app.subject),
        keyless(statementOf(chart.subject, "https://acme.example/x/v1", {}), CHART),
      ], [P, "missing-attestation"]),
      one("the chart with provenance of version 0.2", () => [
        builtBefore(chart.subject, CHART, [used]),
        built(app.subject),
      ], [P, "missing-attestation"]),
      one("the image with provenance of version 0.2", () => [
        packaged(),
        builtBefore(app.subject),
      ], ["image/provenance", "missing-attestation"]),
      one(
        "another file, attested as a chart",
        () => [
          packaged(undefined, { ...fileOf("tool.zip").subject, name: "tool.tgz" }),
          built(app.subject),
        ],
        ["unselected", "unselected-artifact"],
        [app.input, fileOf("tool.zip").input],
      ),
      one("an image of somebody else", () => [built(imageOf("3").subject)], [
        "unselected",
        "unselected-artifact",
      ], [imageOf("3", "docker.io/evil/app").input]),
    ],
  };
}

function airGapped(): PolicyExample {
  const { input, subject } = fileOf("firmware.bin");
  const own = (
    changes: Partial<Recipe> = {},
    leaf: Recipe["leaf"] = {},
    predicateType = PROVENANCE,
  ) =>
    bundleOf({
      content: {
        payload: payloadOf(
          predicateType === PROVENANCE
            ? provenanceOf(subject)
            : statementOf(subject, predicateType, {}),
        ),
      },
      entries: () => Promise.resolve([]),
      timestamps: stamped(),
      ...changes,
      leaf: {
        san: { type: "uri", value: "https://ci.corp.example/pipelines/release" },
        issuer: "https://oidc.corp.example",
        claims: {},
        scts: [],
        ...leaf,
      },
    });
  const one = (
    name: string,
    attestation: () => Promise<object>,
    fails?: PolicyCase["fails"],
  ): PolicyCase => ({
    name,
    artifacts: [input],
    attestations: async () => [await attestation()],
    ...(fails === undefined ? {} : { fails }),
  });
  const at = "release/built";
  const mirror = fileOf("mirror-2025.tar");
  const copied = (san: string, type = "https://corp.example/copy/v1") =>
    own({
      content: {
        payload: payloadOf(statementOf(mirror.subject, type, {})),
      },
    }, { san: { type: "uri", value: `https://ci.corp.example/pipelines/${san}` } });
  const nobody: PolicyCase["fails"] = [`${at}/envelope.signed-by`, "signer-mismatch"];
  return {
    file: "air-gapped",
    cases: [
      one("the pipeline signed, with a timestamp", () => own()),
      one(
        "another pipeline",
        () => own({}, { san: { type: "uri", value: "https://ci.corp.example/pipelines/test" } }),
        nobody,
      ),
      {
        name: "a copy of the mirror",
        artifacts: [mirror.input],
        attestations: async () => [await copied("mirror")],
      },
      {
        name: "a copy that the release signed",
        artifacts: [mirror.input],
        attestations: async () => [await copied("release")],
        fails: ["mirror/copied/envelope.signed-by", "signer-mismatch"],
      },
      {
        name: "a copy that is none",
        artifacts: [mirror.input],
        attestations: async () => [await copied("mirror", "https://corp.example/x/v1")],
        fails: ["mirror/copied", "missing-attestation"],
      },
      one(
        "the pipeline of the mirror",
        () => own({}, { san: { type: "uri", value: "https://ci.corp.example/pipelines/mirror" } }),
        nobody,
      ),
      one("another issuer", () => own({}, { issuer: "https://token.example" }), nobody),
      one("a time of the log only", () => own({ entries: undefined, timestamps: undefined }), [
        at,
        "missing-attestation",
      ]),
      one("no time at all", () => own({ timestamps: undefined }), [at, "missing-attestation"]),
      one(
        "another certificate authority",
        async () => own({ authority: (await theInstance()).otherAuthority }),
        [at, "missing-attestation"],
      ),
      one("something else is said", () => own({}, {}, "https://acme.example/x/v1"), [
        at,
        "missing-attestation",
      ]),
    ],
  };
}

function freshness(): PolicyExample {
  const { input, subject } = fileOf("app.bin");
  const minutes = (count: number): Date => later(SIGNED, count * 60_000);
  const scan = (result: object[] = [], time: Date = SIGNED, finished = "2025-02-03T10:00:00Z") => {
    const statement = scanOf(subject, {}, result);
    const predicate = { ...(statement.predicate as JsonObject) };
    predicate.metadata = { scanStartedOn: finished, scanFinishedOn: finished };
    return keyless({ ...statement, predicate }, { recipe: signedAt(time) });
  };
  const one = (
    name: string,
    attestations: () => Promise<object>[],
    now: Date,
    fails?: PolicyCase["fails"],
  ): PolicyCase => ({
    name,
    artifacts: [input],
    attestations: () => Promise.all(attestations()),
    now,
    ...(fails === undefined ? {} : { fails }),
  });
  return {
    file: "freshness",
    cases: [
      one("of two days ago", () => [built(subject), scan()], day(2)),
      one("the later scan is better", () => [
        built(subject),
        scan([finding("CVE-5", "CRITICAL")]),
        scan([], minutes(4)),
      ], day(2)),
      one(
        "the later scan is worse",
        () => [
          built(subject),
          scan(),
          scan([finding("CVE-5", "CRITICAL")], minutes(4)),
        ],
        day(2),
        ["deploy/scan/predicate.vulnerabilities", "severity-too-high"],
      ),
      one("a high finding", () => [built(subject), scan([finding("CVE-6", "HIGH")])], day(2)),
      one(
        "the scan's signature is old",
        () => [built(subject), scan([], SIGNED, day(8).toISOString())],
        day(8),
        [
          "deploy/scan/envelope.freshness",
          "attestation-too-old",
        ],
      ),
      one(
        "the scan itself is old",
        () => [
          built(subject),
          scan([], SIGNED, "2025-01-20T00:00:00Z"),
        ],
        day(2),
        ["deploy/scan/predicate.where.finished", "condition-not-met"],
      ),
      one(
        "the scan says no time",
        () => [
          built(subject),
          scan([], SIGNED, "yesterday"),
        ],
        day(2),
        ["deploy/scan/predicate.where.finished", "condition-error"],
      ),
      one(
        "provenance of long ago, a scan of today",
        () => [
          built(subject),
          scan([], day(91), day(91).toISOString()),
        ],
        day(91),
        ["deploy/provenance/envelope.freshness", "attestation-too-old"],
      ),
      one("no scan", () => [built(subject)], day(2), ["deploy/scan", "missing-attestation"]),
      one("no provenance", () => [scan()], day(2), ["deploy/provenance", "missing-attestation"]),
      one(
        "somebody else scanned",
        () => [
          built(subject),
          keyless(scanOf(subject), { id: "5" }),
        ],
        day(2),
        ["deploy/scan/envelope.signed-by", "signer-mismatch"],
      ),
      one("somebody else built", () => [built(subject, { id: "5" }), scan()], day(2), [
        "deploy/provenance/envelope.signed-by",
        "signer-mismatch",
      ]),
      one(
        "the policy has ended",
        () => [
          built(subject, { recipe: signedAt(day(117)) }),
          scan([], day(117), day(117).toISOString()),
        ],
        new Date("2025-06-01T00:00:00Z"),
        [
          "policy",
          "policy-expired",
        ],
      ),
    ],
  };
}

function migration(file: string, isStrict: boolean): PolicyExample {
  const app = fileOf("app-1.2.3.tar.gz");
  const legacy = fileOf("legacy-0.9.tar.gz");
  const signed = ({ subject }: { subject: Subject }, by = "release") =>
    keyed(statementOf(subject, RELEASE, { purl: "pkg:generic/app" }), [by]);
  const one = (
    name: string,
    { input }: { input: ArtifactInput },
    attestations: () => Promise<object>[],
    fails?: PolicyCase["fails"],
    now?: Date,
  ): PolicyCase => ({
    name,
    artifacts: [input],
    attestations: () => Promise.all(attestations()),
    ...(fails === undefined ? {} : { fails }),
    ...(now === undefined ? {} : { now }),
  });
  const missing: PolicyCase["fails"] = ["release/provenance", "missing-attestation"];
  return {
    file,
    cases: [
      one("signed and built", app, () => [signed(app), built(app.subject)]),
      one("of the old machine", legacy, () => [signed(legacy)], isStrict ? undefined : missing),
      one(
        "of the old machine, after the waiver",
        legacy,
        () => [signed(legacy)],
        missing,
        new Date("2025-06-30T00:00:00Z"),
      ),
      one("of the old machine, built by somebody else", legacy, () => [
        signed(legacy),
        built(legacy.subject, { id: "5" }),
      ], ["release/provenance/envelope.signed-by", "signer-mismatch"]),
      one("not built where it is built now", app, () => [signed(app)], missing),
      one("built by somebody else", app, () => [signed(app), built(app.subject, { id: "5" })], [
        "release/provenance/envelope.signed-by",
        "signer-mismatch",
      ]),
      one("not signed", app, () => [built(app.subject)], ["release/signed", "missing-attestation"]),
      one("signed, but not as a release", app, () => [
        keyed(statementOf(app.subject, "https://acme.example/x/v1", {}), ["release"]),
        built(app.subject),
      ], ["release/signed", "missing-attestation"]),
      one("the build says something else", app, () => [
        signed(app),
        keyless(statementOf(app.subject, "https://acme.example/x/v1", {})),
      ], missing),
      one("the release team states the provenance", app, () => [
        signed(app),
        keyed(provenanceOf(app.subject), ["release"]),
      ], ["release/provenance/envelope.signed-by", "signer-mismatch"]),
      one("signed by the build only", app, () => [
        built(app.subject),
        keyless(statementOf(app.subject, RELEASE, {})),
      ], ["release/signed/envelope.signed-by", "signer-mismatch"]),
    ],
  };
}

/** All worked policies, in the order of the guide. */
export const EXAMPLES: readonly PolicyExample[] = [
  keySignedReleases(),
  githubById(),
  reusableWorkflow(),
  twoPersons(),
  image(),
  npmDependencies(),
  helmChart(),
  airGapped(),
  freshness(),
  migration("migration-permissive", false),
  migration("migration-enforce", true),
];
