import type { AttestationError } from "../errors.ts";
import { refuseOtherThanKeys, verifyDecodedEnvelope } from "../dsse/verify.ts";
import { CheckList } from "../internal/check_list.ts";
import { HASHES } from "../internal/hasher.ts";
import { quote } from "../internal/json.ts";
import { refuseUnknown } from "../internal/options.ts";
import { mapWindow } from "../internal/window.ts";
import { type MatchResult, matchSubject, matchSubjects } from "../intoto/match.ts";
import type { Statement } from "../intoto/statement.ts";
import type { Check } from "../report.ts";
import type { CombinedKeys } from "../keys/key_validity.ts";
import type { PublicKey } from "../keys/public_key.ts";
import type { TrustedKey } from "../keys/trusted_key.ts";
import type { CertificateIdentity, IdentityExpectation } from "../sigstore/identity.ts";
import type { TrustedRoot } from "../sigstore/trusted_root.ts";
import type { SigstoreTrust, VerifiedTimestamp } from "../sigstore/verify.ts";
import { assembleReport, furthestReason } from "./assemble.ts";
import { describeDigest, digestArtifact, type DigestedArtifact } from "./artifact.ts";
import {
  DEFAULT_LIMITS,
  type Limits,
  loadAttestations,
  type LoadedAttestation,
  tooMany,
} from "./load.ts";
import type { EnvelopeFacts, Finding } from "./evidence.ts";
import type { ArtifactInput, AttestationInput, VerifyOptions } from "./options.ts";
import {
  notJudged,
  type PredicateJudge,
  predicateJudge,
  type PredicateLayer,
} from "./predicate.ts";
import type { ArtifactReport, AttestationReport, VerificationReport } from "./report.ts";

/**
 * Verifies attestations about artifacts, layer by layer: who signed (envelope), about what
 * (Statement), and what kind of thing is said (predicate type).
 *
 * Makes no request. Each artifact needs one attestation that passes every check; fields of
 * several attestations are never mixed. An attestation that is unreadable, of somebody
 * else or about something else is reported in its place and makes no other one fail.
 *
 * @param attestations One or several: Sigstore bundles, DSSE envelopes, JSON Lines of them,
 * or the answer of npm's or GitHub's attestations API; text, bytes or parsed.
 * @param artifacts What they should be about: bytes, a stream, a Blob, or digests.
 * @param options Whom to believe and what to expect.
 * @returns A report with every check, passed or failed; `ok` only if every artifact is.
 * @throws {TypeError} If an option is unknown or not of its form.
 * @throws The reason of `options.signal`, when it is aborted.
 *
 * @example An artifact and an envelope that is signed with a key
 * ```ts
 * import { verify } from "@x/attest";
 * import { createEnvelope } from "@x/attest/dsse";
 * import { createStatement, encodeStatement } from "@x/attest/intoto";
 * import { generateSigner } from "@x/attest/keys";
 * import assert from "node:assert/strict";
 *
 * const sha256 = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
 * const statement = createStatement({
 *   subject: [{ name: "abc.txt", digest: { sha256 } }],
 *   predicateType: "https://example.com/checked/v1",
 *   predicate: {},
 * });
 * const { signer, trustedKey } = await generateSigner("Ed25519", { name: "ci" });
 * const envelope = await createEnvelope(
 *   "application/vnd.in-toto+json",
 *   encodeStatement(statement),
 *   signer,
 * );
 * const artifact = new TextEncoder().encode("abc");
 * const report = await verify(envelope, artifact, { trust: { keys: [trustedKey] } });
 * assert.equal(report.verificationResult, "PASSED");
 * ```
 */
export async function verify(
  attestations: AttestationInput | readonly AttestationInput[],
  artifacts: ArtifactInput | readonly ArtifactInput[] | undefined,
  options: VerifyOptions = {},
): Promise<VerificationReport> {
  const own = options.policy === undefined ? ownOptions(options) : await ownByPolicy(options);
  const settings = await checkOptions(own);
  const { signal, onProgress } = own;
  signal?.throwIfAborted();

  const inputs: readonly AttestationInput[] = Array.isArray(attestations)
    ? attestations
    : [attestations as AttestationInput];
  const loaded: LoadedAttestation[] = [];
  for (const [i, input] of inputs.entries()) {
    const room = settings.limits.maxAttestations - loaded.length;
    if (room < 1) {
      const source = `attestation ${i + 1}`;
      loaded.push({ source, format: "unknown", error: tooMany() });
      break;
    }
    const limits = { ...settings.limits, maxAttestations: room };
    for (const one of await loadAttestations(input, i, limits)) loaded.push(one);
  }

  const wanted: readonly ArtifactInput[] = artifacts === undefined
    ? []
    : Array.isArray(artifacts)
    ? artifacts
    : [artifacts as ArtifactInput];
  const algorithms = neededAlgorithms(loaded);
  let bytes = 0;
  const digested = await mapWindow(wanted, 4, (input, i) => {
    signal?.throwIfAborted();
    return digestArtifact(input, i, {
      algorithms,
      signal,
      onBytes: (count) => {
        signal?.throwIfAborted();
        bytes += count;
        onProgress?.({ phase: "digest", done: bytes });
      },
    });
  });

  // A summary may be of a revision or an image: the digest that it must have stands for it.
  const stated = own.expect?.vsa?.digest;
  if (digested.length === 0 && stated === undefined && own.unsafelyVerifyWithoutArtifact !== true) {
    return assembleReport([], "artifact-required");
  }
  const trust = await sigstoreTrust(own, loaded);
  const judge = await predicateJudge(own.expect ?? {}, own.now ?? new Date());
  let done = 0;
  const rows: Row[] = await mapWindow(loaded, own.concurrency ?? 64, async (one) => {
    signal?.throwIfAborted();
    const row = await verifyOne(one, digested, { ...settings, trust, judge, options: own });
    onProgress?.({ phase: "verify", done: ++done, total: loaded.length });
    return row;
  });
  signal?.throwIfAborted();

  if (digested.length === 0) {
    const name = stated === undefined ? "(no artifact)" : describeDigest(stated);
    return assembleReport([about({ name, digest: stated ?? {} }, rows, 0)]);
  }
  const reports = digested.map((artifact, i) => about(artifact, rows, i));
  if (own.policy === undefined && own.evidence !== true) return assembleReport(reports);
  const { addEvidence, judgeReports } = await import("./policy.ts");
  const found = digested.map((artifact, i) => ({
    artifact,
    rows: loaded.map((one, j) => ({ one, finding: rows[j][i] })),
  }));
  const told = addEvidence(reports, found);
  return own.policy === undefined
    ? assembleReport(told)
    : judgeReports(own.policy, told, own.now ?? new Date());
}

/** One finding per artifact, of one attestation. */
type Row = Finding[];

/** Keys for envelopes, their rules, and how many must count. */
interface KeyTrust extends CombinedKeys {
  threshold: number;
}

interface Settings {
  limits: Limits;
  keyTrust?: KeyTrust;
  predicateTypes?: readonly string[];
}

interface Context extends Settings {
  trust?: SigstoreTrust;
  judge?: PredicateJudge;
  options: VerifyOptions;
}

const OPTIONS = [
  "trust",
  "expect",
  "policy",
  "evidence",
  "thresholds",
  "limits",
  "concurrency",
  "now",
  "signal",
  "onProgress",
  "unsafelyAcceptAnyIdentity",
  "unsafelyTrustCertificateTime",
  "unsafelyVerifyWithoutArtifact",
];

/** A copy: what the caller changes while the work goes on has no effect on it. */
function ownOptions(options: VerifyOptions): VerifyOptions {
  const { trust, expect, thresholds } = options;
  return {
    ...options,
    now: options.now ?? new Date(),
    trust: { ...trust },
    expect: structuredClone(expect),
    thresholds: structuredClone(thresholds),
  };
}

async function ownByPolicy(options: VerifyOptions): Promise<VerifyOptions> {
  const own = { ...options };
  const { trustOfPolicy } = await import("./policy.ts");
  return { ...own, ...trustOfPolicy(own, own.policy!) };
}

async function checkOptions(options: VerifyOptions): Promise<Settings> {
  refuseUnknown(options, OPTIONS, "verify()");
  const { trust = {}, expect = {}, limits = {}, concurrency = 64 } = options;
  refuseUnknown(trust, ["keys", "keySets", "threshold", "trustedRoots", "onlyRoot"], "trust");
  refuseUnknown(
    expect,
    ["identity", "predicateType", "subjects", "provenance", "vsa"],
    "expect",
  );
  if (options.now !== undefined && !(options.now instanceof Date)) {
    throw new TypeError("now is not a Date");
  }
  refuseUnknown(limits, Object.keys(DEFAULT_LIMITS), "limits");
  for (const [name, value] of Object.entries({ ...limits, concurrency })) {
    if (value !== undefined && (!Number.isInteger(value) || value < 1)) {
      throw new TypeError(`${name} is ${value}, wanted an integer >= 1`);
    }
  }
  const { keySets, trustedRoots = [], threshold = 1, onlyRoot } = trust;
  if (!Array.isArray(trust.keys ?? []) || !Array.isArray(trustedRoots)) {
    throw new TypeError("trust.keys or trust.trustedRoots is not an array");
  }
  refuseOtherThanKeys(trust.keys ?? []);
  trust.keys = [...trust.keys ?? []];
  trust.trustedRoots = [...trustedRoots];
  let combined: CombinedKeys = { keys: trust.keys, rules: new Map() };
  if (keySets !== undefined) {
    if (!Array.isArray(keySets)) throw new TypeError("trust.keySets is not an array");
    trust.keySets = [...keySets];
    // Loaded on use, as are the checks below: keys without times do without.
    const { combineKeys } = await import("../keys/key_validity.ts");
    combined = combineKeys(trust.keys, trust.keySets);
  }
  const { keys } = combined;
  const { unsafelyAcceptAnyIdentity, unsafelyTrustCertificateTime } = options;
  const { unsafelyVerifyWithoutArtifact } = options;
  // A text such as "false" is true to an `if`.
  for (
    const [name, value] of Object.entries({
      onlyRoot,
      evidence: options.evidence,
      unsafelyAcceptAnyIdentity,
      unsafelyTrustCertificateTime,
      unsafelyVerifyWithoutArtifact,
    })
  ) {
    if (value !== undefined && typeof value !== "boolean") {
      throw new TypeError(`${name} is neither true nor false`);
    }
  }
  if (!Number.isInteger(threshold) || threshold < 1) {
    throw new TypeError(`trust.threshold is ${threshold}, wanted an integer >= 1`);
  }
  const distinct = new Set(keys.map(({ fingerprint }) => fingerprint)).size;
  if (threshold > 1 && threshold > distinct) {
    throw new TypeError(
      `trust.threshold is ${threshold}, but only ${distinct} distinct keys are given`,
    );
  }
  if (!["any", "all", "exact", undefined].includes(expect.subjects)) {
    throw new TypeError(
      `expect.subjects is ${quote(String(expect.subjects))}, wanted any, all or exact`,
    );
  }
  const { predicateType } = expect;
  const predicateTypes = predicateType === undefined ? undefined : [predicateType].flat();
  if (
    predicateTypes?.length === 0 ||
    predicateTypes?.some((one) => typeof one !== "string" || one === "")
  ) {
    throw new TypeError("expect.predicateType is empty");
  }
  const stated = Object.entries(limits).filter(([, value]) => value !== undefined);
  return {
    limits: {
      ...DEFAULT_LIMITS,
      ...Object.fromEntries(stated),
      certificates: keys.length === 0,
    },
    keyTrust: keys.length === 0 ? undefined : { ...combined, threshold },
    predicateTypes,
  };
}

async function sigstoreTrust(
  options: VerifyOptions,
  loaded: readonly LoadedAttestation[],
): Promise<SigstoreTrust | undefined> {
  const { trust = {}, expect = {} } = options;
  const usesSigstore = loaded.some((one) => "bundle" in one);
  if (!usesSigstore && expect.identity === undefined && options.thresholds === undefined) {
    return undefined;
  }
  const { checkSigstoreTrust } = await import("../sigstore/verify.ts");
  const trustedRoots: TrustedRoot[] = [...trust.trustedRoots ?? []];
  if (trust.onlyRoot !== true && usesSigstore) {
    const { publicGoodRoot } = await import("../sigstore/public_good.ts");
    trustedRoots.push(await publicGoodRoot());
  }
  const assembled: SigstoreTrust = {
    trustedRoots,
    keys: trust.keys,
    keySets: trust.keySets,
    now: options.now,
    identity: expect.identity as IdentityExpectation | readonly IdentityExpectation[] | undefined,
    thresholds: options.thresholds,
    // A recognised builder of an expected source is an identity; predicate.builder checks it.
    unsafelyAcceptAnyIdentity: options.unsafelyAcceptAnyIdentity === true ||
      (expect.identity === undefined && expect.provenance?.sourceUri !== undefined),
    unsafelyTrustCertificateTime: options.unsafelyTrustCertificateTime,
  };
  checkSigstoreTrust(assembled);
  return assembled;
}

/** SHA-256, and what subjects and signatures state besides; a stream is read only once. */
function neededAlgorithms(loaded: readonly LoadedAttestation[]): string[] {
  const needed = new Set(["sha256"]);
  for (const one of loaded) {
    if ("image" in one) {
      needed.add(one.image.algorithm);
      continue;
    }
    if ("bundle" in one && one.bundle.content.kind === "message") {
      const { digest } = one.bundle.content;
      if (digest !== undefined) needed.add(digest.algorithm);
      const { signer } = one.bundle;
      const curve = signer.kind === "certificate" ? signer.leaf.publicKey.curve : undefined;
      if (curve === "P-384") needed.add("sha384");
      if (curve === "P-521") needed.add("sha512");
    }
    if (!("statement" in one) || one.statement === undefined || "error" in one.statement) continue;
    for (const { digest } of one.statement.value.subject) {
      for (const algorithm of Object.keys(digest ?? {})) {
        if (HASHES.has(algorithm)) needed.add(algorithm);
      }
      if (needed.size === HASHES.size) return [...needed];
    }
  }
  return [...needed];
}

async function verifyOne(
  one: LoadedAttestation,
  artifacts: readonly DigestedArtifact[],
  context: Context,
): Promise<Row> {
  const subjects: (DigestedArtifact | undefined)[] = artifacts.length === 0
    ? [undefined]
    : [...artifacts];
  try {
    if ("image" in one) {
      const { imageLayer, signedPayload } = await import("./cosign.ts");
      const layer = await verifyEnvelopeLayer(one, context, signedPayload(one.image));
      const { predicateTypes } = context;
      return subjects.map((artifact) => {
        const checks = imageLayer(one.image, artifact, predicateTypes);
        return finish(one, layer, checks, predicateLayer(one, layer, context));
      });
    }
    if ("bundle" in one && one.bundle.content.kind === "message") {
      return await Promise.all(
        subjects.map(async (artifact) => {
          const layer = await verifyEnvelopeLayer(one, context, artifact);
          return finish(one, layer, messageLayer(context), predicateLayer(one, layer, context));
        }),
      );
    }
    const envelope = await verifyEnvelopeLayer(one, context, undefined);
    if ("error" in one) return subjects.map(() => finish(one, envelope, []));
    const predicate = predicateLayer(one, envelope, context);
    const mode = context.options.expect?.subjects ?? "any";
    const shared = mode === "any" || artifacts.length === 0
      ? undefined
      : statementLayer(one, context, (statement) =>
        matchSubjects(
          statement,
          artifacts.map(({ digest }) => digest),
          mode,
        ));
    return subjects.map((artifact) =>
      finish(
        one,
        envelope,
        shared ?? statementLayer(
          one,
          context,
          artifact === undefined
            ? undefined
            : (statement) => matchSubject(statement, artifact.digest),
        ),
        predicate,
      )
    );
  } catch (error) {
    const list = new CheckList();
    list.failed("envelope.signature", error);
    const nobody = { list, signers: [], keys: [], timestamps: [], logs: 0 };
    return subjects.map(() => finish(one, nobody, []));
  }
}

function predicateLayer(
  one: Loaded,
  { list, identity, keys }: EnvelopeLayer,
  { judge }: Context,
): PredicateLayer | undefined {
  if (judge === undefined) return undefined;
  const { statement } = one;
  if (statement === undefined || "error" in statement) return notJudged(false);
  if (list.error !== undefined) return notJudged(true);
  return judge(statement.value, { identity, keys });
}

/** What the envelope layer established. */
interface EnvelopeLayer {
  list: CheckList;
  identity?: CertificateIdentity;
  signers: string[];
  keys: TrustedKey[];
  /** Key of the certificate. */
  publicKey?: PublicKey;
  timestamps: VerifiedTimestamp[];
  /** Distinct logs that include it. */
  logs: number;
}

const IN_TOTO = "application/vnd.in-toto+json";
/** in-toto attestation v1.2, envelope.md: the predicate may be hinted at. */
const DSSE_TYPE = /^application\/vnd\.in-toto(\.[a-z0-9][a-z0-9.-]*)?\+json$/;
/** sigstore/architecture-docs, client-spec.md, 4.5: inside a bundle exactly this. */
const BUNDLE_TYPE = /^application\/vnd\.in-toto\+json$/;

async function verifyEnvelopeLayer(
  one: LoadedAttestation,
  { keyTrust, trust, options }: Context,
  artifact: DigestedArtifact | undefined,
): Promise<EnvelopeLayer> {
  const list = new CheckList();
  const layer: EnvelopeLayer = { list, signers: [], keys: [], timestamps: [], logs: 0 };
  if ("error" in one) {
    list.failed("envelope.format", one.error);
    return layer;
  }
  if (one.format === "statement") {
    list.refused(
      "envelope.signature",
      "unsigned-statement",
      "Cannot accept Statement: nobody signed it",
    );
    return layer;
  }
  list.passed(
    "envelope.format",
    one.format === "sigstore-bundle"
      ? `A Sigstore bundle, version ${one.bundle.version}`
      : one.format === "cosign-signature"
      ? "An image signature by cosign"
      : "bundle" in one && one.bundle.signer.kind === "certificate"
      ? "A DSSE envelope that carries its certificate"
      : "A DSSE envelope",
  );
  if ("bundle" in one) {
    const { verifyParsedBundle } = await import("../sigstore/verify.ts");
    if ((options.trust?.threshold ?? 1) > 1 && one.bundle.signer.kind === "publicKey") {
      list.refused(
        "envelope.signature",
        "threshold-not-met",
        "Cannot verify bundle: it has one signature only",
      );
    }
    const result = await verifyParsedBundle(one.bundle, trust!, artifact);
    // Whom a policy expects is its own check.
    const isChosen = options.unsafelyAcceptAnyIdentity === true && options.policy === undefined;
    list.checks.push(
      ...result.checks.filter(({ id, outcome }) =>
        isChosen || id !== "envelope.identity-expectation" || outcome !== "skipped"
      ),
    );
    if (!result.ok) list.error ??= result.error;
    else if (list.error === undefined) {
      layer.signers.push(result.signer);
      layer.timestamps.push(...result.timestamps);
      layer.identity = result.identity;
      layer.logs = result.logs;
      layer.publicKey = result.publicKey;
      if (result.trustedKey !== undefined) layer.keys.push(result.trustedKey);
    }
    return layer;
  }
  if (keyTrust === undefined) {
    list.refused(
      "envelope.signature",
      "missing-trusted-key",
      "Cannot verify envelope: it is signed with a key, and no trusted key is given",
    );
    return layer;
  }
  const { keys, rules, threshold } = keyTrust;
  const result = await verifyDecodedEnvelope(one.envelope, { keys: [...keys], threshold });
  if (result.ok) {
    const message = `Trusted keys that accept: ${result.acceptedBy.length}, needed: ${threshold}`;
    list.passed("envelope.signature", message, { actual: result.acceptedBy.join(", ") });
    layer.keys = result.acceptedKeys;
    if (rules.size > 0) {
      const { countKeys } = await import("../keys/key_validity.ts");
      // Nobody vouches for the time of a bare envelope.
      const moments = { now: options.now ?? new Date() };
      layer.keys = countKeys(list, layer.keys, { rules, needed: threshold, moments });
    }
    layer.signers = layer.keys.map(({ name }) => name);
  } else list.failed("envelope.signature", result.error);
  if (options.expect?.identity !== undefined) {
    list.refused(
      "envelope.identity",
      "identity-mismatch",
      "Cannot accept envelope: it is signed with a key, an identity is expected",
    );
  }
  return layer;
}

interface EnvelopeType {
  payloadType: string;
  path: string;
  accepted: RegExp;
}

function envelopeOf(one: Loaded): EnvelopeType | undefined {
  if ("envelope" in one) {
    return { payloadType: one.envelope.payloadType, path: "/payloadType", accepted: DSSE_TYPE };
  }
  if (!("bundle" in one) || one.bundle.content.kind !== "envelope") return undefined;
  const { payloadType } = one.bundle.content.envelope;
  const path = one.format === "dsse" ? "/payloadType" : "/dsseEnvelope/payloadType";
  return { payloadType, path, accepted: BUNDLE_TYPE };
}

type Loaded = Exclude<LoadedAttestation, { error: AttestationError }>;

/** A bundle that signs the artifact itself says nothing more about it. */
function messageLayer({ predicateTypes }: Context): Check[] {
  const list = new CheckList();
  if (predicateTypes !== undefined) {
    const message = "Cannot accept bundle: it signs the artifact itself, without a predicate";
    list.refused("predicate.type", "predicate-type-mismatch", message, {
      expected: predicateTypes.join(" or "),
      actual: "none",
    });
  }
  return list.checks;
}

function statementLayer(
  one: Loaded,
  { predicateTypes, options }: Context,
  match: ((statement: Statement) => MatchResult) | undefined,
): Check[] {
  const list = new CheckList();
  const { statement } = one;
  if (statement === undefined) return [];
  const envelope = envelopeOf(one);
  if (envelope !== undefined) {
    const { payloadType } = envelope;
    const id = "envelope.payload-type";
    const facts = { expected: IN_TOTO, actual: payloadType, path: envelope.path };
    if (envelope.accepted.test(payloadType)) {
      list.passed(id, "The payload is an in-toto Statement", facts);
    } else if (match === undefined && predicateTypes === undefined) {
      list.skipped("statement.format", `The payload is ${quote(payloadType)}, which is not read`);
      return list.checks;
    } else {
      const message = `Cannot accept envelope: payloadType is ${quote(payloadType)}`;
      list.refused(id, "unsupported-payload-type", message, facts);
    }
  }
  if ("error" in statement) {
    list.failed("statement.format", statement.error);
    return list.checks;
  }
  const { value } = statement;
  list.passed("statement.format", "The Statement is well formed", { actual: value._type });
  if (match === undefined) {
    if (options.unsafelyVerifyWithoutArtifact === true) {
      list.skipped("statement.subject", "No artifact is compared, as the caller asked");
    }
  } else {
    const result = match(value);
    if (result.ok) {
      const names = result.matched.slice(0, 4).map(({ subject: { name } }) => quote(name ?? ""));
      list.passed("statement.subject", `Subjects that are the artifact: ${result.matched.length}`, {
        actual: names.join(", "),
        path: `/subject/${result.matched[0].index}`,
      });
    } else {
      list.failed("statement.subject", result.error, {
        expected: result.wanted,
        actual: result.found,
      });
    }
  }
  if (predicateTypes !== undefined) {
    const facts = {
      expected: predicateTypes.join(" or "),
      actual: value.predicateType,
      path: "/predicateType",
    };
    if (predicateTypes.includes(value.predicateType)) {
      list.passed("predicate.type", "The predicate type is as expected", facts);
    } else {
      const message = `Cannot accept predicate: its type is ${quote(value.predicateType)}`;
      list.refused("predicate.type", "predicate-type-mismatch", message, facts);
    }
  }
  return list.checks;
}

function finish(
  one: LoadedAttestation,
  envelope: EnvelopeLayer,
  statement: readonly Check[],
  predicate: PredicateLayer = { checks: [] },
): Finding {
  const signed = envelope.list.error === undefined;
  // Who signed decides how far the Statement's own words can be believed.
  const checks = [
    ...envelope.list.checks,
    ...[...statement, ...predicate.checks].map((check) => ({
      ...check,
      origin: signed ? check.origin ?? "signed" : "unsigned" as const,
    })),
  ];
  const failed = checks.find(({ outcome }) => outcome === "failed");
  const ok = signed && failed === undefined && checks.some(({ outcome }) => outcome === "passed");
  const result: AttestationReport = {
    source: one.source,
    format: one.format,
    ok,
    errorReason: ok ? null : envelope.list.error?.reason ?? failed?.reason ?? "internal-error",
    signers: envelope.signers,
    timestamps: envelope.timestamps,
    checks,
  };
  const finding: Finding = { report: result, facts: factsOf(envelope) };
  if (!signed) return finding;
  if (predicate.level !== undefined) result.buildLevel = predicate.level;
  if (envelope.identity !== undefined) result.identity = envelope.identity;
  if ("statement" in one && one.statement !== undefined && "value" in one.statement) {
    result.predicateType = one.statement.value.predicateType;
    result.statement = one.statement.value;
  }
  return finding;
}

function factsOf({ keys, identity, publicKey, logs }: EnvelopeLayer): EnvelopeFacts {
  return identity === undefined || publicKey === undefined
    ? { keys, logs }
    : { keys, logs, certificate: { identity, publicKey } };
}

function about(
  { name, digest }: Pick<DigestedArtifact, "name" | "digest">,
  rows: readonly Row[],
  index: number,
): ArtifactReport {
  const attestations = rows.map((row) => row[index].report);
  const ok = attestations.some((one) => one.ok);
  return {
    artifact: name,
    digest,
    ok,
    errorReason: ok ? null : furthestReason(attestations),
    attestations,
  };
}
