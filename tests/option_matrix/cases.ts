/** One case for each option: what is answered without it, and with it. */

import type { Envelope } from "../../dsse/mod.ts";
import { createEnvelope, verifyEnvelope } from "../../dsse/mod.ts";
import { authority, sample } from "../../formats/_notation_fixtures_test.ts";
import { TUF_NOW, tufRootFile, tufTargetsFile } from "../../formats/_tuf_fixtures_test.ts";
import { pe, signatureList, X509 } from "../../formats/attached/_signed_fixtures_test.ts";
import { createEfiTrust } from "../../formats/attached/mod.ts";
import { makeKey, publicKey, signaturePacket } from "../../formats/openpgp/_fixtures_test.ts";
import { createOpenPgpKeyring } from "../../formats/openpgp/mod.ts";
import {
  createCertificateTrust,
  type FormatTrust,
  importTufRoot,
  parseGoogleCloudBuild,
  parseSimpleSigning,
  type TufRootTrust,
  verifyFormat,
} from "../../formats/mod.ts";
import {
  matchSubject,
  matchSubjects,
  parseStatement,
  type ParseStatementOptions,
  readJsonLines,
} from "../../intoto/mod.ts";
import { NPM_GITHUB_HOSTED, type NpmVerifyOptions, verifyNpmPackage } from "../../npm/mod.ts";
import {
  encryptPrivateKey,
  generateSigner,
  importSigner,
  importTrustedKey,
  parseKeySet,
} from "../../keys/mod.ts";
import {
  githubIdentity,
  type IdentityExpectation,
  parseSigstoreBundle,
  type SigstoreTrust,
} from "../../sigstore/mod.ts";
import { parseIdentityToken } from "../../sigstore/oidc/mod.ts";
import type { ProvenanceExpectation, VsaExpectation } from "../../slsa/mod.ts";
import { createVsa } from "../../slsa/mod.ts";
import { testKey } from "../../tools/pki/keys.ts";
import {
  ABC,
  ABC_SHA256,
  ciKey,
  signed,
  statementAbout,
  TYPE,
} from "../../verify/_fixtures_test.ts";
import { type Trust, verify, type VerifyOptions } from "../../verify/mod.ts";
import {
  answerOf,
  keysOf,
  PACKAGE,
  REPOSITORY as NPM_REPOSITORY,
  TARBALL,
} from "../fixtures/npm.ts";
import {
  certificateClaims,
  COMMIT,
  GENERATOR,
  provenanceBundle,
  REPOSITORY,
  verdictOf,
  workflowOf,
} from "../fixtures/provenance.ts";
import { bundleOf, ENVELOPE, IDENTITY, reasonOf, rootOf, verdict } from "../fixtures/sigstore.ts";

/** An option's case. */
export interface OptionCase {
  /** Answers that are wanted without the option, and with it. */
  wanted: readonly [without: string, withIt: string];
  without: () => Promise<string>;
  withIt: () => Promise<string>;
}

/** Cases by the name of the type, a dot, and the name of the member. */
export const CASES: Record<string, OptionCase> = {};

function add(
  option: string,
  wanted: readonly [string, string],
  without: () => Promise<string>,
  withIt: () => Promise<string>,
): void {
  CASES[option] = { wanted, without, withIt };
}

const NOTATION_TIME = new Date("2025-06-01T00:00:00Z");
const notation = async (options: VerifyOptions = {}) =>
  (await verify(await sample(), ABC, { now: NOTATION_TIME, ...options })).errorReason ?? "ok";

const second = generateSigner("ES256", { name: "second" });
const envelope = async (texts = ["abc"]) => await signed(statementAbout(texts));

async function keyed(
  options: VerifyOptions = {},
  what: Envelope | Envelope[] | undefined = undefined,
) {
  const trust = { keys: [(await ciKey()).trustedKey], ...options.trust };
  const report = await verify(what ?? await envelope(), ABC, { ...options, trust });
  return report.errorReason ?? "ok";
}

const LATER = new Date("2026-06-01T00:00:00Z");
const expired = async () =>
  await parseKeySet({
    type: "attest-key-set/v1",
    keys: [{
      name: "old",
      publicKey: (await ciKey()).publicKey,
      validUntil: "2026-01-01T00:00:00Z",
    }],
  });
const byKeySet = async (now: Date) =>
  (await verify(await envelope(), ABC, { now, trust: { keySets: [await expired()] } }))
    .errorReason ?? "ok";

add(
  "Trust.certificates",
  ["untrusted-certificate", "ok"],
  () => notation(),
  async () =>
    await notation({
      trust: {
        certificates: createCertificateTrust({
          authorities: [(await authority()).root],
          identities: ["CN=release"],
        }),
      },
    }),
);
const pinned = async (): Promise<TufRootTrust[]> => [await importTufRoot(await tufRootFile())];
const targets = async (trust: Trust = {}) =>
  (await verify(await tufTargetsFile(), ABC, { trust, now: TUF_NOW })).errorReason ?? "ok";
add(
  "Trust.tufRoots",
  ["missing-trusted-key", "ok"],
  () => targets(),
  async () => await targets({ tufRoots: await pinned() }),
);
const targetsAlone = async (trust: FormatTrust = {}) =>
  (await verifyFormat(await tufTargetsFile(), { now: TUF_NOW, ...trust })).errorReason ?? "ok";
add(
  "FormatTrust.tufRoots",
  ["missing-trusted-key", "ok"],
  () => targetsAlone(),
  async () => await targetsAlone({ tufRoots: await pinned() }),
);
const image = async (trust: VerifyOptions["trust"]) => {
  const bytes = await pe({ subsystem: 10 });
  return (await verify(bytes, bytes, { trust })).errorReason ?? "ok";
};
add(
  "Trust.efi",
  ["untrusted-certificate", "ok"],
  () => image({}),
  async () => {
    const db = [signatureList(X509, (await authority()).root)];
    return await image({ efi: createEfiTrust({ db }) });
  },
);
const openPgpKey = makeKey();
const byOpenPgp = async (trust: VerifyOptions["trust"]) => {
  const signature = await signaturePacket(await openPgpKey, ABC);
  const report = await verify(signature, ABC, { trust });
  return report.errorReason ?? "ok";
};
add(
  "Trust.openpgp",
  ["missing-trusted-key", "ok"],
  () => byOpenPgp({}),
  async () =>
    await byOpenPgp({ openpgp: await createOpenPgpKeyring(await publicKey(await openPgpKey)) }),
);
add(
  "Expectations.formats",
  ["ok", "format-not-accepted"],
  () => keyed(),
  () => keyed({ expect: { formats: ["jws"] } }),
);
const simple = (maxBytes?: number) =>
  reasonOf(() =>
    Promise.resolve(parseSimpleSigning("{}", maxBytes === undefined ? {} : { maxBytes }))
  );
add(
  "SimpleSigningLimits.maxBytes",
  ["malformed-signature-payload", "limit-exceeded"],
  () => simple(),
  () => simple(1),
);

// verify()
const own = workflowOf(REPOSITORY);
const identity: IdentityExpectation = {
  subjectAlternativeName: own,
  issuer: "https://token.actions.githubusercontent.com",
};
const keyless = async (options: VerifyOptions = {}) =>
  await verdictOf(await provenanceBundle(), { expect: { identity }, ...options });
const aborted = async (signal?: AbortSignal) => {
  try {
    return await keyed(signal === undefined ? {} : { signal });
  } catch (error) {
    return error === signal?.reason ? "aborted" : String(error);
  }
};
add(
  "VerifyOptions.trust",
  ["missing-trusted-key", "ok"],
  async () => (await verify(await envelope(), ABC)).errorReason ?? "ok",
  () => keyed(),
);
add(
  "VerifyOptions.expect",
  ["ok", "predicate-type-mismatch"],
  () => keyed(),
  () => keyed({ expect: { predicateType: "https://example.com/other" } }),
);
add("VerifyOptions.evidence", ["absent", "there"], () => evidence(false), () => evidence(true));
add(
  "VerifyOptions.thresholds",
  ["ok", "log-threshold-not-met"],
  () => keyless(),
  () => keyless({ thresholds: { log: 2 } }),
);
add(
  "VerifyOptions.limits",
  ["ok", "limit-exceeded"],
  () => keyed(),
  () => keyed({ limits: { maxAttestationBytes: 10 } }),
);
add("VerifyOptions.concurrency", ["6", "2"], () => atOnce({}), () => atOnce({ concurrency: 2 }));
add(
  "VerifyOptions.now",
  ["ok", "key-not-valid"],
  () => byKeySet(new Date("2025-06-01T00:00:00Z")),
  () => byKeySet(LATER),
);
add(
  "VerifyOptions.signal",
  ["ok", "aborted"],
  () => aborted(),
  () => aborted(AbortSignal.abort(new Error("enough"))),
);
add(
  "VerifyOptions.onProgress",
  ["not called", "called"],
  () => Promise.resolve("not called"),
  async () => {
    let calls = 0;
    await keyed({ onProgress: () => calls++ });
    return calls > 0 ? "called" : "not called";
  },
);
add(
  "VerifyOptions.unsafelyAcceptAnyIdentity",
  ["missing-identity-expectation", "ok"],
  () => keyless({ expect: {} }),
  () => keyless({ expect: {}, unsafelyAcceptAnyIdentity: true }),
);
const unlogged = (more: VerifyOptions) => async () =>
  await verdictOf(
    await provenanceBundle({ recipe: { entries: () => Promise.resolve([]) } }),
    { expect: { identity }, thresholds: { log: 0 }, ...more },
  );
add(
  "VerifyOptions.unsafelyTrustCertificateTime",
  ["timestamp-threshold-not-met", "ok"],
  unlogged({}),
  unlogged({ unsafelyTrustCertificateTime: true }),
);
const withoutArtifact = (more: VerifyOptions) => async () => {
  const trust = { keys: [(await ciKey()).trustedKey] };
  return (await verify(await envelope(), undefined, { trust, ...more })).errorReason ?? "ok";
};
add(
  "VerifyOptions.unsafelyVerifyWithoutArtifact",
  ["artifact-required", "ok"],
  withoutArtifact({}),
  withoutArtifact({ unsafelyVerifyWithoutArtifact: true }),
);

async function evidence(wanted: boolean): Promise<string> {
  const trust = { keys: [(await ciKey()).trustedKey] };
  const report = await verify(await envelope(), ABC, { trust, evidence: wanted });
  return "evidence" in report.artifacts[0].attestations[0] ? "there" : "absent";
}

async function atOnce(options: VerifyOptions): Promise<string> {
  const { trustedKey } = await ciKey();
  let now = 0;
  let most = 0;
  const watched = {
    ...trustedKey,
    verify: async (data: Uint8Array, signature: Uint8Array) => {
      most = Math.max(most, ++now);
      await new Promise((resolve) => setTimeout(resolve, 5));
      now--;
      return await trustedKey.verify(data, signature);
    },
  };
  const one = await envelope();
  await verify(Array.from({ length: 6 }, () => one), ABC, {
    trust: { keys: [watched] },
    ...options,
  });
  return String(most);
}

// Trust
add(
  "Trust.keys",
  ["invalid-signature", "ok"],
  async () => await keyed({ trust: { keys: [(await second).trustedKey] } }),
  () => keyed(),
);
add(
  "Trust.keySets",
  ["missing-trusted-key", "ok"],
  async () => (await verify(await envelope(), ABC, {})).errorReason ?? "ok",
  () => byKeySet(new Date("2025-06-01T00:00:00Z")),
);
const both = async () => ({ keys: [(await ciKey()).trustedKey, (await second).trustedKey] });
add(
  "Trust.threshold",
  ["ok", "threshold-not-met"],
  async () => await keyed({ trust: await both() }),
  async () => await keyed({ trust: { ...await both(), threshold: 2 } }),
);
const rooted = async (trust: VerifyOptions["trust"]) =>
  (await verify(await bundleOf(ENVELOPE), undefined, {
    trust,
    expect: { identity: IDENTITY },
    unsafelyVerifyWithoutArtifact: true,
  })).errorReason ?? "ok";
add(
  "Trust.trustedRoots",
  ["untrusted-certificate", "ok"],
  () => rooted({}),
  async () => await rooted({ trustedRoots: [await rootOf()] }),
);
add(
  "Trust.onlyRoot",
  ["untrusted-certificate", "untrusted-certificate by 1"],
  () => rooted({}),
  async () =>
    `${await rooted({
      onlyRoot: true,
      trustedRoots: [
        await rootOf({
          certificateAuthorities: [],
        }),
      ],
    })} by 1`,
);

// Expectations
add(
  "Expectations.identity",
  ["missing-identity-expectation", "ok"],
  () => keyless({ expect: {} }),
  () => keyless(),
);
add(
  "Expectations.predicateType",
  ["ok", "predicate-type-mismatch"],
  () => keyed(),
  () => keyed({ expect: { predicateType: "https://example.com/other" } }),
);
add(
  "Expectations.subjects",
  ["ok", "subject-mismatch"],
  async () => await keyed({}, await envelope(["abc", "abcd"])),
  async () => await keyed({ expect: { subjects: "all" } }, await envelope(["abc", "abcd"])),
);
add(
  "Expectations.provenance",
  ["ok", "source-mismatch"],
  () => keyless(),
  () => keyless({ expect: { identity, provenance: { sourceUri: "github.com/acme/other" } } }),
);
add(
  "Expectations.vsa",
  ["ok", "predicate-type-mismatch"],
  () => keyed(),
  () => keyed({ expect: { vsa: { verifierId: "https://v.example", resourceUri: "pkg:a" } } }),
);

// EvidenceThresholds and SigstoreThresholds
const THRESHOLDS = {
  log: "log-threshold-not-met",
  sct: "sct-threshold-not-met",
  timestamp: "timestamp-threshold-not-met",
  timestampAuthority: "timestamp-threshold-not-met",
  integratedTime: "timestamp-threshold-not-met",
} as const;
for (const [name, reason] of Object.entries(THRESHOLDS)) {
  const thresholds = { [name]: 2 };
  add(
    `EvidenceThresholds.${name}`,
    ["ok", reason],
    () => keyless(),
    () => keyless({ thresholds }),
  );
  add(
    `SigstoreThresholds.${name}`,
    ["ok", reason],
    async () => await verdict(await bundleOf(ENVELOPE)),
    async () => await verdict(await bundleOf(ENVELOPE), { thresholds }),
  );
}

// VerifyLimits
const limited =
  (limits: VerifyOptions["limits"], what?: () => Promise<Envelope | Envelope[]>) => async () =>
    await keyed(limits === undefined ? {} : { limits }, await what?.());
const twoEnvelopes = async () => [await envelope(), await envelope()];
const twiceSigned = async () =>
  await signed(statementAbout(["abc"]), [(await ciKey()).signer, (await second).signer]);
const twoSubjects = () => envelope(["abc", "abcd"]);
add(
  "VerifyLimits.maxAttestationBytes",
  ["ok", "limit-exceeded"],
  limited(undefined),
  limited({
    maxAttestationBytes: 10,
  }),
);
add(
  "VerifyLimits.maxAttestations",
  ["2", "1 limit-exceeded"],
  () => counted({}),
  () => counted({ maxAttestations: 1 }),
);
add(
  "VerifyLimits.maxSignatures",
  ["ok", "limit-exceeded"],
  limited(undefined, twiceSigned),
  limited({
    maxSignatures: 1,
  }, twiceSigned),
);
add(
  "VerifyLimits.maxSubjects",
  ["ok", "limit-exceeded"],
  limited(undefined, twoSubjects),
  limited({
    maxSubjects: 1,
  }, twoSubjects),
);

async function counted(limits: VerifyOptions["limits"]): Promise<string> {
  const trust = { keys: [(await ciKey()).trustedKey] };
  const report = await verify(await twoEnvelopes(), ABC, { trust, limits });
  const found = report.artifacts[0].attestations;
  const bad = found.find(({ ok }) => !ok)?.errorReason;
  return bad === undefined ? String(found.length) : `${found.length - 1} ${bad}`;
}

// SigstoreTrust
const managed = async () => {
  const key = await importTrustedKey((await testKey("managed")).spki, { name: "managed" });
  return {
    key,
    json: await bundleOf({ ...ENVELOPE, key: "managed", hint: "managed" }),
    set: await parseKeySet({
      type: "attest-key-set/v1",
      keys: [{
        name: "managed",
        publicKey: pem((await testKey("managed")).spki),
        validUntil: "2026-01-01T00:00:00Z",
      }],
    }),
  };
};
const pem = (spki: Uint8Array) =>
  `-----BEGIN PUBLIC KEY-----\n${btoa(String.fromCharCode(...spki))}\n-----END PUBLIC KEY-----\n`;
const direct = (changes: Partial<SigstoreTrust>) => async () =>
  await verdict(await bundleOf(ENVELOPE), changes);
add(
  "SigstoreTrust.trustedRoots",
  ["untrusted-certificate", "ok"],
  async () =>
    await verdict(await bundleOf(ENVELOPE), {
      trustedRoots: [await rootOf({ certificateAuthorities: [] })],
    }),
  direct({}),
);
add(
  "SigstoreTrust.keys",
  ["missing-trusted-key", "ok"],
  async () => await verdict((await managed()).json, { identity: undefined }),
  async () => {
    const { key, json } = await managed();
    return await verdict(json, { identity: undefined, keys: [key] });
  },
);
add(
  "SigstoreTrust.keySets",
  ["missing-trusted-key", "ok"],
  async () => await verdict((await managed()).json, { identity: undefined }),
  async () => {
    const { set, json } = await managed();
    return await verdict(json, { identity: undefined, keySets: [set] });
  },
);
const bare = async (now: Date) => {
  const { set } = await managed();
  const json = await bundleOf({
    ...ENVELOPE,
    key: "managed",
    hint: "managed",
    entries: () => Promise.resolve([]),
  });
  return await verdict(json, { identity: undefined, keySets: [set], now });
};
add(
  "SigstoreTrust.now",
  ["ok", "key-not-valid"],
  () => bare(new Date("2025-06-01T00:00:00Z")),
  () => bare(LATER),
);
add(
  "SigstoreTrust.identity",
  ["missing-identity-expectation", "ok"],
  direct({ identity: undefined }),
  direct({}),
);
add(
  "SigstoreTrust.thresholds",
  ["ok", "log-threshold-not-met"],
  direct({}),
  direct({
    thresholds: { log: 2 },
  }),
);
add(
  "SigstoreTrust.unsafelyAcceptAnyIdentity",
  ["missing-identity-expectation", "ok"],
  direct({ identity: undefined }),
  direct({ identity: undefined, unsafelyAcceptAnyIdentity: true }),
);
const timeless = (changes: Partial<SigstoreTrust>) => async () =>
  await verdict(await bundleOf({ ...ENVELOPE, entries: () => Promise.resolve([]) }), {
    thresholds: { log: 0 },
    ...changes,
  });
add(
  "SigstoreTrust.unsafelyTrustCertificateTime",
  ["timestamp-threshold-not-met", "ok"],
  timeless({}),
  timeless({ unsafelyTrustCertificateTime: true }),
);

// EnvelopeTrust, EnvelopeLimits, EnvelopePublicKey
const dsse = (more: object, what = envelope) => async () => {
  const trust = { keys: [(await ciKey()).trustedKey], ...more };
  return (await verifyEnvelope(await what(), trust)).errorReason ?? "ok";
};
add(
  "EnvelopeTrust.keys",
  ["invalid-signature", "ok"],
  async () =>
    (await verifyEnvelope(await envelope(), { keys: [(await second).trustedKey] })).errorReason ??
      "ok",
  dsse({}),
);
add(
  "EnvelopeTrust.threshold",
  ["ok", "threshold-not-met"],
  async () => await dsse(await both())(),
  async () => await dsse({ ...await both(), threshold: 2 })(),
);
const renamed = async () => {
  const one = await envelope();
  return { ...one, signatures: one.signatures.map((s) => ({ ...s, keyid: "somebody else" })) };
};
add(
  "EnvelopeTrust.keyIdRule",
  ["ok", "invalid-signature"],
  dsse({}, renamed),
  dsse({
    keyIdRule: "must-match",
  }, renamed),
);
add(
  "EnvelopeTrust.payloadTypes",
  ["ok", "unsupported-payload-type"],
  dsse({}),
  dsse({
    payloadTypes: ["text/plain"],
  }),
);
for (const type of ["EnvelopeTrust", "EnvelopeLimits"]) {
  add(`${type}.maxPayloadBytes`, ["ok", "limit-exceeded"], dsse({}), dsse({ maxPayloadBytes: 10 }));
  add(
    `${type}.maxSignatures`,
    ["ok", "limit-exceeded"],
    dsse({}, twiceSigned),
    dsse({
      maxSignatures: 1,
    }, twiceSigned),
  );
}
const shortForm = (more: object) => async () =>
  (await verifyEnvelope(await envelope(), { pubkey: (await ciKey()).publicKey, ...more }))
    .errorReason ?? "ok";
add(
  "EnvelopePublicKey.pubkey",
  ["invalid-signature", "ok"],
  async () => await shortForm({ pubkey: (await second).publicKey })(),
  shortForm({}),
);
add(
  "EnvelopePublicKey.alg",
  ["ok", "key-algorithm-mismatch"],
  shortForm({}),
  shortForm({
    alg: "ES256",
  }),
);

// ProvenanceExpectation
const BRANCH = "refs/heads/main";
const fromBranch = () => provenanceBundle({ ref: BRANCH });
const provenance =
  (expectation: ProvenanceExpectation, make = () => provenanceBundle()) => async () =>
    await verdictOf(await make(), {
      expect: { provenance: { sourceUri: REPOSITORY, ...expectation } },
    });
const dispatched = () =>
  provenanceBundle({
    claims: { 20: "workflow_dispatch" },
    parameters: { inputs: { level: "debug" } },
    definition: { internalParameters: { github: { event_name: "workflow_dispatch" } } },
  });
const unpinned = () =>
  provenanceBundle({
    definition: {
      resolvedDependencies: [
        { uri: `git+${REPOSITORY}@refs/tags/v1.2.3`, digest: { gitCommit: COMMIT } },
        { uri: "pkg:npm/left-pad@1.0.0" },
      ],
    },
  });
const MISMATCHES: Record<string, readonly [ProvenanceExpectation, string, typeof fromBranch]> = {
  sourceUri: [{ sourceUri: "github.com/acme/other" }, "source-mismatch", provenanceBundle],
  sourceBranch: [{ sourceBranch: "next" }, "branch-mismatch", fromBranch],
  sourceTag: [{ sourceTag: "v2" }, "tag-mismatch", provenanceBundle],
  sourceVersionedTag: [{ sourceVersionedTag: "v2" }, "versioned-tag-mismatch", provenanceBundle],
  sourceCommit: [{ sourceCommit: "d".repeat(40) }, "commit-mismatch", provenanceBundle],
  builderId: [{ builderId: GENERATOR }, "unexpected-builder", provenanceBundle],
  workflowInputs: [{ workflowInputs: { level: "info" } }, "workflow-input-mismatch", dispatched],
  buildType: [{ buildType: "https://b.example/other" }, "build-type-mismatch", provenanceBundle],
  minLevel: [{ minLevel: 3 }, "insufficient-level", provenanceBundle],
  builders: [{ builders: { builders: [] } }, "untrusted-builder", provenanceBundle],
  predicateTypes: [
    { predicateTypes: ["https://slsa.dev/provenance/v0.2"] },
    "predicate-type-mismatch",
    provenanceBundle,
  ],
  requirePinnedDependencies: [
    { requirePinnedDependencies: true },
    "unpinned-dependency",
    unpinned,
  ],
};
for (const [name, [expectation, reason, make]] of Object.entries(MISMATCHES)) {
  add(
    `ProvenanceExpectation.${name}`,
    ["ok", reason],
    provenance({}, make),
    provenance(expectation, make),
  );
}
const buildType = "https://slsa-framework.github.io/github-actions-buildtypes/workflow/v1";
add(
  "ProvenanceExpectation.externalParameters",
  ["ok", "unexpected-parameter"],
  provenance({ buildType }),
  provenance({ buildType, externalParameters: {} }),
);

// VsaExpectation
const NOW = new Date("2026-03-01T00:00:00Z");
const VSA: VsaExpectation = {
  verifierId: "https://example.com/verifier",
  resourceUri: "pkg:npm/app@1.0.0",
};
const vsa = (changes: Partial<VsaExpectation>) => async () => {
  const { signer, trustedKey } = await ciKey();
  const trust = { keys: [trustedKey] };
  const report = await verify(await envelope(), ABC, { trust });
  const statement = createVsa(report, {
    verifier: { id: VSA.verifierId },
    resourceUri: VSA.resourceUri,
    policy: { uri: "https://example.com/policy", digest: { sha256: "a".repeat(64) } },
    verifiedLevels: ["SLSA_BUILD_LEVEL_3"],
    dependencyLevels: { SLSA_BUILD_LEVEL_1: 1 },
    timeVerified: NOW,
  });
  const summary = await createEnvelope(TYPE, statement, signer);
  const now = new Date(NOW.getTime() + 3_600_000);
  return (await verify(summary, ABC, { trust, expect: { vsa: { ...VSA, ...changes } }, now }))
    .errorReason ?? "ok";
};
const VSA_MISMATCHES: Record<string, readonly [Partial<VsaExpectation>, string]> = {
  verifierId: [{ verifierId: "https://example.com/other" }, "verifier-mismatch"],
  signer: [{ signer: { keys: ["other"] } }, "verifier-mismatch"],
  resourceUri: [{ resourceUri: "pkg:npm/app@2.0.0" }, "resource-mismatch"],
  verifiedLevels: [{ verifiedLevels: ["SLSA_BUILD_LEVEL_4"] }, "insufficient-level"],
  dependencyLevels: [{ dependencyLevels: ["SLSA_BUILD_LEVEL_2"] }, "insufficient-level"],
  maxAge: [{ maxAge: 60 }, "vsa-too-old"],
  policy: [{ policy: { uri: "https://example.com/other" } }, "policy-mismatch"],
  digest: [{ digest: { sha256: "b".repeat(64) } }, "subject-mismatch"],
  sourceRef: [{ sourceRef: "refs/heads/main" }, "source-ref-mismatch"],
};
for (const [name, [changes, reason]] of Object.entries(VSA_MISMATCHES)) {
  add(`VsaExpectation.${name}`, ["ok", reason], vsa({}), vsa(changes));
}
const level3 = { verifiedLevels: ["SLSA_BUILD_LEVEL_3"] };
add(
  "VsaExpectation.maxLevels",
  ["ok", "insufficient-level"],
  vsa(level3),
  vsa({
    ...level3,
    maxLevels: { BUILD: 2 },
  }),
);

// IdentityExpectation, GithubExpectation
const CLAIM_NUMBERS: Record<string, number> = {
  buildSignerURI: 9,
  buildSignerDigest: 10,
  runnerEnvironment: 11,
  sourceRepositoryURI: 12,
  sourceRepositoryDigest: 13,
  sourceRepositoryRef: 14,
  sourceRepositoryIdentifier: 15,
  sourceRepositoryOwnerURI: 16,
  sourceRepositoryOwnerIdentifier: 17,
  buildConfigURI: 18,
  buildConfigDigest: 19,
  buildTrigger: 20,
  runInvocationURI: 21,
  sourceRepositoryVisibilityAtSigning: 22,
  deploymentEnvironment: 23,
  tokenSubject: 24,
};
const LEGACY: Record<string, number> = {
  githubWorkflowTrigger: 2,
  githubWorkflowSHA: 3,
  githubWorkflowName: 4,
  githubWorkflowRepository: 5,
  githubWorkflowRef: 6,
};
const claimed = () =>
  provenanceBundle({
    claims: { 2: "push", 3: COMMIT, 4: "w", 5: "acme/app", 6: "r", 22: "public", 23: "e", 24: "s" },
  });
const claims: Record<string, string> = {
  subjectAlternativeName: own,
  sanType: "uri",
  issuer: "https://token.actions.githubusercontent.com",
};
for (const [name, number] of Object.entries(CLAIM_NUMBERS)) {
  claims[name] = certificateClaims()[number] ?? { 22: "public", 23: "e", 24: "s" }[number] ?? "";
}
Object.assign(claims, {
  githubWorkflowTrigger: "push",
  githubWorkflowSHA: COMMIT,
  githubWorkflowName: "w",
  githubWorkflowRepository: "acme/app",
  githubWorkflowRef: "r",
});
for (
  const name of [
    "subjectAlternativeName",
    "sanType",
    "issuer",
    ...Object.keys(CLAIM_NUMBERS),
    ...Object.keys(LEGACY),
  ]
) {
  const expecting = (value: string) => async () =>
    (await verdictOf(await claimed(), { expect: { identity: { ...identity, [name]: value } } }))
      .replace(/^.*mismatch$|^self-hosted-runner$/, "mismatch");
  add(
    `CertificateIdentity.${name}`,
    ["ok", "mismatch"],
    expecting(claims[name]),
    expecting(`${claims[name]}x`),
  );
}
const github = (
  changes: Parameters<typeof githubIdentity>[0],
  base: Parameters<typeof githubIdentity>[0] = { repository: "acme/app" },
  make = () => provenanceBundle(),
) =>
async () =>
  (await verdictOf(await make(), {
    expect: { identity: githubIdentity({ ...base, ...changes }) },
  })).replace(/^.*mismatch$|^self-hosted-runner$/, "mismatch");
const selfHosted = () => provenanceBundle({ claims: { 11: "self-hosted" } });
const GITHUB: Record<string, readonly [Parameters<typeof githubIdentity>[0], typeof selfHosted]> = {
  owner: [{ owner: "other" }, provenanceBundle],
  repository: [{ repository: "acme/other" }, provenanceBundle],
  signerRepository: [{ signerRepository: "acme/other" }, provenanceBundle],
  signerWorkflow: [{ signerWorkflow: "acme/app/.github/workflows/x.yml" }, provenanceBundle],
  signerDigest: [{ signerDigest: "d".repeat(40) }, provenanceBundle],
  sourceRef: [{ sourceRef: "refs/heads/main" }, provenanceBundle],
  sourceDigest: [{ sourceDigest: "d".repeat(40) }, provenanceBundle],
  denySelfHostedRunners: [{ denySelfHostedRunners: true }, selfHosted],
  host: [{ host: "github.example" }, provenanceBundle],
  issuer: [{ issuer: "https://oidc.example" }, provenanceBundle],
};
for (const [name, [changes, make]] of Object.entries(GITHUB)) {
  add(
    `GithubExpectation.${name}`,
    ["ok", "mismatch"],
    github({}, undefined, make),
    github(changes, undefined, make),
  );
}

// MatchOptions, ParseStatementOptions, JsonLinesOptions, other parsers
const subject = [{ digest: { sha256: ABC_SHA256, sha512: "0".repeat(128) } }];
const matched = (options: Parameters<typeof matchSubject>[2]) => () => {
  const statement = parseStatement({ ...statementAbout(["abc"]), subject });
  const artifact = { sha256: ABC_SHA256, sha512: "1".repeat(128) };
  return Promise.resolve(matchSubject(statement, artifact, options).errorReason ?? "ok");
};
add(
  "MatchOptions.algorithms",
  ["subject-conflict", "ok"],
  matched({}),
  matched({
    algorithms: ["sha256"],
  }),
);
add(
  "MatchOptions.digestMatch",
  ["subject-conflict", "ok"],
  matched({}),
  matched({
    digestMatch: "any",
  }),
);
const matchedAll = (options: Parameters<typeof matchSubjects>[2]) => () => {
  const other = { digest: { sha256: "b".repeat(64) } };
  const statement = parseStatement({ ...statementAbout(["abc"]), subject: [...subject, other] });
  const artifact = { sha256: ABC_SHA256, sha512: "1".repeat(128) };
  return Promise.resolve(matchSubjects(statement, [artifact], options).errorReason ?? "ok");
};
add(
  "MatchManyOptions.algorithms",
  ["subject-conflict", "ok"],
  matchedAll({}),
  matchedAll({ algorithms: ["sha256"] }),
);
add(
  "MatchManyOptions.digestMatch",
  ["subject-conflict", "ok"],
  matchedAll({}),
  matchedAll({ digestMatch: "any" }),
);
add(
  "MatchManyOptions.mode",
  ["ok", "subject-mismatch"],
  matchedAll({ digestMatch: "any" }),
  matchedAll({ digestMatch: "any", mode: "all" }),
);
const parsed = (options: ParseStatementOptions, changes: object = {}) => () =>
  reasonOf(() =>
    parseStatement(JSON.stringify({ ...statementAbout(["abc"]), ...changes }), options)
  );
const V1 = "https://in-toto.io/Statement/v1";
const V01 = "https://in-toto.io/Statement/v0.1";
add(
  "ParseStatementOptions.acceptStatementTypes",
  ["ok", "unsupported-statement-type"],
  parsed({}, {
    _type: V01,
  }),
  parsed({ acceptStatementTypes: [V1] }, { _type: V01 }),
);
add(
  "ParseStatementOptions.allowStringPredicate",
  ["malformed-predicate", "ok"],
  parsed({}, {
    predicate: "x",
  }),
  parsed({ allowStringPredicate: true }, { predicate: "x" }),
);
const nameless = { _type: V01, subject: [{ digest: { sha256: ABC_SHA256 } }] };
add(
  "ParseStatementOptions.lenientSubjectNames",
  ["missing-subject-name", "ok"],
  parsed({}, nameless),
  parsed({ lenientSubjectNames: true }, nameless),
);
add(
  "ParseStatementOptions.maxBytes",
  ["ok", "limit-exceeded"],
  parsed({}),
  parsed({ maxBytes: 9 }),
);
const two = { subject: [1, 2].map((n) => ({ name: `${n}`, digest: { sha256: ABC_SHA256 } })) };
add(
  "ParseStatementOptions.maxSubjects",
  ["ok", "limit-exceeded"],
  parsed({}, two),
  parsed({
    maxSubjects: 1,
  }, two),
);
const lines = (options: Parameters<typeof readJsonLines>[1]) => async () => {
  for await (const line of readJsonLines('{"a":1}\n{"a":2}\n', options)) {
    if (!line.ok) return line.errorReason;
  }
  return "ok";
};
add(
  "JsonLinesOptions.maxLineBytes",
  ["ok", "limit-exceeded"],
  lines({}),
  lines({ maxLineBytes: 3 }),
);
add("JsonLinesOptions.maxLines", ["ok", "limit-exceeded"], lines({}), lines({ maxLines: 1 }));
const bundle = (limits: Parameters<typeof parseSigstoreBundle>[1]) => async () => {
  const json = await bundleOf(ENVELOPE);
  return await reasonOf(() => parseSigstoreBundle(json, limits));
};
add(
  "SigstoreBundleLimits.maxPayloadBytes",
  ["ok", "limit-exceeded"],
  bundle({}),
  bundle({
    maxPayloadBytes: 9,
  }),
);
const cloudBuild = {
  image_summary: { digest: `sha256:${"a".repeat(64)}` },
  provenance_summary: { provenance: [{ envelope: {} }, { envelope: {} }] },
};
const googled = (limits: Parameters<typeof parseGoogleCloudBuild>[1]) => () =>
  reasonOf(() => parseGoogleCloudBuild(JSON.stringify(cloudBuild), limits));
add(
  "GoogleCloudBuildLimits.maxBytes",
  ["ok", "limit-exceeded"],
  googled({}),
  googled({
    maxBytes: 9,
  }),
);
add(
  "GoogleCloudBuildLimits.maxRecords",
  ["ok", "limit-exceeded"],
  googled({}),
  googled({
    maxRecords: 1,
  }),
);

// IdentityTokenOptions
const token = (audience: string) => {
  const part = (value: object) =>
    btoa(JSON.stringify(value)).replaceAll("=", "").replaceAll("+", "-").replaceAll("/", "_");
  const claims = {
    iss: "https://oidc.example",
    sub: "somebody",
    aud: audience,
    iat: 1_772_000_000,
    exp: 1_772_003_600,
  };
  return `${part({ alg: "RS256", typ: "JWT" })}.${part(claims)}.${"A".repeat(342)}`;
};
const inTime = new Date(1_772_000_100_000);
const read = (options: Parameters<typeof parseIdentityToken>[1], audience = "sigstore") => () =>
  reasonOf(() => parseIdentityToken(token(audience), { now: inTime, ...options }));
add(
  "IdentityTokenOptions.audience",
  ["audience-mismatch", "ok"],
  read({}, "other"),
  read({
    audience: "other",
  }, "other"),
);
add(
  "IdentityTokenOptions.now",
  ["ok", "identity-token-expired"],
  read({}),
  read({
    now: new Date(1_773_000_000_000),
  }),
);

// Keys
const es256 = generateSigner("ES256");
const imported = (options: Parameters<typeof importTrustedKey>[1]) => async () =>
  await reasonOf(async () => await importTrustedKey((await es256).publicKey, options));
add(
  "ImportKeyOptions.alg",
  ["ok", "key-algorithm-mismatch"],
  imported({}),
  imported({
    alg: "Ed25519",
  }),
);
const member =
  (name: "name" | "keyid", options: Parameters<typeof importTrustedKey>[1]) => async () => {
    const key = await importTrustedKey((await es256).publicKey, options);
    return key[name] === "mine" ? "mine" : "another";
  };
add(
  "ImportKeyOptions.name",
  ["another", "mine"],
  member("name", {}),
  member("name", {
    name: "mine",
  }),
);
add(
  "ImportKeyOptions.keyid",
  ["another", "mine"],
  member("keyid", {}),
  member("keyid", {
    keyid: "mine",
  }),
);
const verified = (options: Parameters<typeof importTrustedKey>[1]) => async () => {
  const { signer, publicKey } = await es256;
  const key = await importTrustedKey(publicKey, options);
  return String(await key.verify(ABC, await signer.sign(ABC)));
};
add(
  "ImportKeyOptions.ecdsaEncoding",
  ["true", "false"],
  verified({}),
  verified({
    ecdsaEncoding: "p1363",
  }),
);
const locked = generateSigner("ES256", { passphrase: "a passphrase" });
const signerOf = (options: Parameters<typeof importSigner>[1], from = es256) => async () =>
  await reasonOf(async () => await importSigner((await from).privateKey, options));
add(
  "ImportSignerOptions.alg",
  ["ok", "key-algorithm-mismatch"],
  signerOf({}),
  signerOf({
    alg: "Ed25519",
  }),
);
add(
  "ImportSignerOptions.passphrase",
  ["missing-passphrase", "ok"],
  signerOf({}, locked),
  signerOf({
    passphrase: "a passphrase",
  }, locked),
);
add(
  "ImportSignerOptions.keyid",
  ["another", "mine"],
  async () => (await importSigner((await es256).privateKey)).keyid ?? "another",
  async () => (await importSigner((await es256).privateKey, { keyid: "mine" })).keyid ?? "another",
);
const layout = (options: Parameters<typeof importSigner>[1]) => async () => {
  const signature = await (await importSigner((await es256).privateKey, options)).sign(ABC);
  return signature.length === 64 ? "r‖s" : "DER";
};
add(
  "ImportSignerOptions.ecdsaEncoding",
  ["DER", "r‖s"],
  layout({}),
  layout({
    ecdsaEncoding: "p1363",
  }),
);
const generated = async (options: Parameters<typeof generateSigner>[1]) => {
  const { trustedKey, signer, privateKey } = await generateSigner("ES256", options);
  const length = (await signer.sign(ABC)).length === 64 ? "r‖s" : "DER";
  return {
    name: trustedKey.name === "mine" ? "mine" : "another",
    keyid: signer.keyid ?? "none",
    length,
    kind: privateKey.includes("ENCRYPTED") ? "encrypted" : "plain",
  };
};
add(
  "GenerateSignerOptions.name",
  ["another", "mine"],
  async () => (await generated({})).name,
  async () => (await generated({ name: "mine" })).name,
);
add(
  "GenerateSignerOptions.keyid",
  ["none", "mine"],
  async () => (await generated({})).keyid,
  async () => (await generated({ keyid: "mine" })).keyid,
);
add(
  "GenerateSignerOptions.ecdsaEncoding",
  ["DER", "r‖s"],
  async () => (await generated({})).length,
  async () => (await generated({ ecdsaEncoding: "p1363" })).length,
);
add(
  "GenerateSignerOptions.passphrase",
  ["plain", "encrypted"],
  async () => (await generated({})).kind,
  async () => (await generated({ passphrase: "secret words" })).kind,
);
add(
  "GenerateSignerOptions.modulusLength",
  ["3072", "2048"],
  () => modulus({}),
  () => modulus({ modulusLength: 2048 }),
);

async function modulus(options: Parameters<typeof generateSigner>[1]): Promise<string> {
  const { publicJwk } = await generateSigner("RS256", options);
  return String(Math.floor((publicJwk.n ?? "").length * 6 / 8) * 8);
}

// npm
const npm =
  (rest: Partial<NpmVerifyOptions>, expect: Partial<NpmVerifyOptions["expect"]> = {}) => async () =>
    (await verifyNpmPackage(JSON.stringify(await answerOf()), TARBALL, {
      trust: { keys: await keysOf(), trustedRoots: [await rootOf()], onlyRoot: true },
      expect: {
        packageName: PACKAGE.name,
        packageVersion: PACKAGE.version,
        builderId: NPM_GITHUB_HOSTED,
        repository: NPM_REPOSITORY,
        ...expect,
      },
      ...rest,
    })).errorReason ?? "ok";
add(
  "NpmVerifyOptions.thresholds",
  ["ok", "log-threshold-not-met"],
  npm({}),
  npm({
    thresholds: { log: 2 },
  }),
);
add(
  "NpmVerifyOptions.limits",
  ["ok", "limit-exceeded"],
  npm({}),
  npm({
    limits: { maxAttestationBytes: 9 },
  }),
);
add(
  "NpmExpectation.identity",
  ["ok", "identity-mismatch"],
  npm({}),
  npm({}, {
    identity: { ...identity, subjectAlternativeName: "https://other.example" },
  }),
);

const encrypted = (options: Parameters<typeof encryptPrivateKey>[2]) => async () => {
  const text = await encryptPrivateKey((await es256).privateKey, "a passphrase", options);
  const der = atob(text.split("\n").slice(1, -2).join(""));
  // The INTEGER 700 000 in the parameters of PBKDF2.
  return String(der.includes("\x02\x03\x0a\xae\x60"));
};
add(
  "EncryptionOptions.iterations",
  ["false", "true"],
  encrypted({}),
  encrypted({
    iterations: 700_000,
  }),
);
