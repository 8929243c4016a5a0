import { AttestationError, type Reason } from "../errors.ts";
import { pae } from "../dsse/pae.ts";
import type { Bytes } from "../internal/bytes.ts";
import { asRefusal, CheckList } from "../internal/check_list.ts";
import type { HashName } from "../internal/digest.ts";
import { decodeHex, encodeHex } from "../internal/hex.ts";
import { refuseUnknown } from "../internal/options.ts";
import { lookupAlgorithm } from "../keys/algorithm.ts";
import {
  defaultScheme,
  parseSpki,
  type PublicKey,
  verifyDigestSignature,
  verifySignature,
} from "../keys/public_key.ts";
import type { CombinedKeys, KeySet } from "../keys/key_validity.ts";
import type { TrustedKey } from "../keys/trusted_key.ts";
import type { Check } from "../report.ts";
import type { Scheme } from "./_scheme.ts";
import { parseSigstoreBundle, type SigstoreBundle } from "./bundle.ts";
import { type Certificate, Purpose, readIdentity } from "./certificate.ts";
import { type CertificatePath, findPaths, mayHaveIssued, mayLeadTo, refusalAt } from "./chain.ts";
import {
  type CertificateIdentity,
  compareIdentity,
  type IdentityExpectation,
  missingExpectation,
} from "./identity.ts";
import type { SignedFacts } from "./log_body.ts";
import { verifyScts } from "./sct.ts";
import { verifyTimestamp } from "./timestamp.ts";
import { type LogFinding, verifyLogEntry } from "./transparency_log.ts";
import { isWithin, type TrustedRoot } from "./trusted_root.ts";

/** The artifact that a signature may be over: its digests, and its bytes if they are at hand. */
export interface SignedArtifact {
  /** Digests, lowercase hex, by `sha256`, `sha384`, `sha512`. */
  digest: Readonly<Record<string, string>>;
  /** The bytes themselves; without them only ECDSA signatures can be checked. */
  content?: Uint8Array;
}

/** How much independent evidence is needed. */
export interface SigstoreThresholds {
  /**
   * Distinct transparency logs. Default 1; for a key 0, but an entry of a trusted log that is
   * there must be good. One of an unknown log is as good as none.
   */
  log?: number;
  /** Distinct certificate transparency logs. Default 1. */
  sct?: number;
  /** Verified times of any kind. Default 1; for a key 0. A certificate needs one in any case. */
  timestamp?: number;
  /** Verified times by RFC 3161 authorities. Default 0. */
  timestampAuthority?: number;
  /** Verified times by log promises. Default 0. */
  integratedTime?: number;
}

/** Who is believed, and what is expected. */
export interface SigstoreTrust {
  /** Roots; a bundle must verify against one of them alone. */
  trustedRoots: readonly TrustedRoot[];
  /** Keys for bundles that are signed with a key. */
  keys?: readonly TrustedKey[];
  /** Keys that count at certain times only. */
  keySets?: readonly KeySet[];
  /** The moment at which a key of a key set must count without a verified time. Default: now. */
  now?: Date;
  /** Whom a keyless bundle must come from: any one of these. */
  identity?: IdentityExpectation | readonly IdentityExpectation[];
  /** How much independent evidence is needed. */
  thresholds?: SigstoreThresholds;
  /** @deprecated Accepts a keyless bundle of anybody. */
  unsafelyAcceptAnyIdentity?: boolean;
  /** @deprecated Takes the certificate's `notBefore` as the time of signing. */
  unsafelyTrustCertificateTime?: boolean;
}

/** A moment that somebody other than the signer vouches for. */
export interface VerifiedTimestamp {
  /** Who vouches: a transparency log (SET) or an RFC 3161 authority. */
  type: "transparency-log" | "timestamp-authority";
  /** Address or name of the log or authority, as the trusted root states it. */
  uri: string;
  /** RFC 3339 in UTC. */
  timestamp: string;
}

/** Answer of {@linkcode verifySigstoreBundle}. */
export type SigstoreResult = VerifiedSigstoreBundle | RefusedSigstoreBundle;

/** A bundle that verified. */
export interface VerifiedSigstoreBundle {
  /** Accepted. */
  ok: true;
  /** Nothing failed. */
  errorReason: null;
  /** Every check, in order. */
  checks: Check[];
  /** Signed payload and its type; absent when the artifact itself was signed. */
  envelope?: { payloadType: string; payload: Bytes };
  /** Who signed, of a keyless bundle. */
  identity?: CertificateIdentity;
  /** Name of the key, or of the certificate's holder. */
  signer: string;
  /** The key, of a bundle that is signed with a key. */
  trustedKey?: TrustedKey;
  /** Key of the certificate, or the trusted one. */
  publicKey: PublicKey;
  /** Distinct logs that include it. */
  logs: number;
  /** Verified times. */
  timestamps: VerifiedTimestamp[];
  /** Name of the root that was used. */
  trustedRoot: string;
}

/** A bundle that was refused. */
export interface RefusedSigstoreBundle {
  /** Refused. */
  ok: false;
  /** Why: of the first check that failed. */
  errorReason: Reason;
  /** Where and what, for people. */
  error: AttestationError;
  /** Every check, in order. */
  checks: Check[];
}

const TRUST = [
  "trustedRoots",
  "keys",
  "keySets",
  "now",
  "identity",
  "thresholds",
  "unsafelyAcceptAnyIdentity",
  "unsafelyTrustCertificateTime",
];
const THRESHOLDS = ["log", "sct", "timestamp", "timestampAuthority", "integratedTime"];

/** Throws a TypeError for anything in `trust` that is not of its form. */
export function checkSigstoreTrust(trust: SigstoreTrust): void {
  refuseUnknown(trust, TRUST, "verifySigstoreBundle()");
  refuseUnknown(trust.thresholds ?? {}, THRESHOLDS, "thresholds");
  for (const [name, value] of Object.entries(trust.thresholds ?? {})) {
    if (value !== undefined && (!Number.isInteger(value) || value < 0)) {
      throw new TypeError(`thresholds.${name} is ${value}, wanted an integer >= 0`);
    }
  }
  if (!Array.isArray(trust.trustedRoots)) throw new TypeError("trustedRoots is not an array");
  if (trust.now !== undefined && !(trust.now instanceof Date)) {
    throw new TypeError("now is not a Date");
  }
  for (const one of expectations(trust)) missingExpectation(one);
}

function expectations({ identity }: SigstoreTrust): readonly IdentityExpectation[] {
  return identity === undefined
    ? []
    : Array.isArray(identity)
    ? identity
    : [identity as IdentityExpectation];
}

/**
 * Verifies a Sigstore bundle offline: signature, certificate at the verified times, SCTs,
 * log entries, timestamps and identity. Whether an envelope's Statement is about the
 * artifact is the next layer's question: see `verify()`.
 *
 * Source: sigstore/architecture-docs, client-spec.md, "Verification".
 *
 * @param source Bundle as JSON text, bytes or parsed.
 * @param trust Roots or keys, expected identity, thresholds.
 * @param artifact The artifact, for bundles that sign the artifact itself.
 * @returns `ok: true` with the signed envelope and who signed it, or `ok: false` with the
 * reason of the first check that failed; the checks are there in both cases.
 * @throws {TypeError} If `trust` is not of its form.
 *
 * @example A file that is no bundle
 * ```ts
 * import { verifySigstoreBundle } from "@x/attest/sigstore";
 * import assert from "node:assert/strict";
 *
 * const result = await verifySigstoreBundle("<html>", { trustedRoots: [] });
 * assert.equal(result.errorReason, "malformed-json");
 * ```
 */
export async function verifySigstoreBundle(
  source: string | Uint8Array | object,
  trust: SigstoreTrust,
  artifact?: SignedArtifact,
): Promise<SigstoreResult> {
  checkSigstoreTrust(trust);
  await combinedKeys(trust);
  let bundle: SigstoreBundle;
  try {
    bundle = parseSigstoreBundle(source);
  } catch (error) {
    const list = new CheckList();
    list.failed("envelope.format", error);
    return refused(list);
  }
  return await verifyParsedBundle(bundle, trust, artifact);
}

/** {@linkcode verifySigstoreBundle} from the parsed bundle on; `trust` has been checked. */
export async function verifyParsedBundle(
  bundle: SigstoreBundle,
  trust: SigstoreTrust,
  artifact?: SignedArtifact,
): Promise<SigstoreResult> {
  try {
    const results: SigstoreResult[] = [];
    for (const { root, signer } of attempts(bundle, trust, await combinedKeys(trust))) {
      const result = await new Verification(bundle, trust, root, signer, artifact).run();
      if (result.ok) return result;
      results.push(result);
    }
    return results.reduce((best, one) => passedChecks(one) > passedChecks(best) ? one : best);
  } catch (error) {
    const list = new CheckList();
    list.failed("envelope.signature", error);
    return refused(list);
  }
}

const NO_RULES: CombinedKeys["rules"] = new Map();

/** Rules of keys are loaded where there are any: a keyless bundle has no use for them. */
async function combinedKeys({ keys = [], keySets }: SigstoreTrust): Promise<CombinedKeys> {
  if (keySets === undefined) return { keys, rules: NO_RULES };
  return (await import("../keys/key_validity.ts")).combineKeys(keys, keySets);
}

const NO_ROOT: TrustedRoot = {
  name: "none",
  logs: [],
  ctLogs: [],
  certificateAuthorities: [],
  timestampAuthorities: [],
};

type Signer =
  | { kind: "certificate"; leaf: Certificate; key: PublicKey; scheme: Scheme }
  | {
    kind: "publicKey";
    trusted?: TrustedKey;
    rules?: CombinedKeys["rules"];
    key?: PublicKey;
    scheme?: Scheme;
  };

/** Roots and keys to try, each alone: evidence of two is never mixed. */
function attempts(
  { signer, logEntries }: SigstoreBundle,
  { trustedRoots }: SigstoreTrust,
  { keys, rules }: CombinedKeys,
): { root: TrustedRoot; signer: Signer }[] {
  if (signer.kind === "certificate") {
    const { leaf, intermediates } = signer;
    const key = leaf.publicKey;
    const by: Signer = { kind: "certificate", leaf, key, scheme: defaultScheme(key) };
    const leading = trustedRoots.filter(({ certificateAuthorities }) =>
      mayLeadTo(leaf, intermediates, certificateAuthorities)
    );
    const roots = leading.length > 0 ? leading : [trustedRoots[0] ?? NO_ROOT];
    return roots.map((root) => ({ root, signer: by }));
  }
  const ids = logEntries.map(({ keyId }) => encodeHex(keyId));
  const knowing = trustedRoots.filter(({ logs }) =>
    logs.some(({ keyIds }) => keyIds.some((id) => ids.includes(id)))
  );
  const roots = knowing.length > 0 ? knowing : trustedRoots.length > 0 ? trustedRoots : [NO_ROOT];
  if (keys.length === 0) return [{ root: roots[0], signer: { kind: "publicKey" } }];
  const named = keys.filter(({ keyid, name }) =>
    signer.hint !== "" && (keyid ?? name) === signer.hint
  );
  const ordered = [...named, ...keys.filter((key) => !named.includes(key))];
  return roots.flatMap((root) =>
    ordered.map((trusted) => ({
      root,
      signer: {
        kind: "publicKey" as const,
        trusted,
        rules,
        key: parseSpki(trusted.spki),
        scheme: lookupAlgorithm(trusted.alg).scheme,
      },
    }))
  );
}

function passedChecks({ checks }: SigstoreResult): number {
  return checks.filter(({ outcome }) => outcome === "passed").length;
}

function refused(list: CheckList): RefusedSigstoreBundle {
  const error = list.error ?? asRefusal(undefined);
  return { ok: false, errorReason: error.reason, error, checks: list.checks };
}

/** A promise whose rejection is handled: it may be awaited late. */
type Settled<T> = Promise<{ value: T } | { error: unknown }>;

function settle<T>(work: Promise<T>): Settled<T> {
  return work.then((value) => ({ value }), (error: unknown) => ({ error }));
}

/** One bundle against one root and one signer. */
class Verification {
  readonly #list = new CheckList();
  readonly #bundle: SigstoreBundle;
  readonly #trust: SigstoreTrust;
  readonly #root: TrustedRoot;
  readonly #signer: Signer;
  readonly #artifact: SignedArtifact | undefined;
  readonly #signed: Bytes | undefined;
  readonly #timestamps: { stamp: VerifiedTimestamp; time: Date; operator: string }[] = [];
  readonly #logged: { finding: LogFinding; path: string }[] = [];

  constructor(
    bundle: SigstoreBundle,
    trust: SigstoreTrust,
    root: TrustedRoot,
    signer: Signer,
    artifact: SignedArtifact | undefined,
  ) {
    this.#bundle = bundle;
    this.#trust = trust;
    this.#root = root;
    this.#signer = signer;
    this.#artifact = artifact;
    const { content } = bundle;
    if (content.kind === "envelope") {
      this.#signed = pae(content.envelope.payloadType, content.envelope.payload);
    }
  }

  async run(): Promise<SigstoreResult> {
    const { content } = this.#bundle;
    // The independent checks are started together and reported in order.
    const facts = this.#facts();
    const signature = settle(this.#verifyContent());
    const paths = settle(this.#findPaths());
    const scts = settle(this.#verifyScts(paths));
    const entries = this.#usesLog && facts !== undefined
      ? this.#bundle.logEntries.map((entry) =>
        settle(verifyLogEntry(entry, facts, this.#root.logs))
      )
      : [];
    const stamps = this.#bundle.timestamps.map((der) => settle(this.#verifyStamp(der)));

    this.#checkExpectation();
    const trusted = await this.#checkCertificate(paths);
    await this.#checkSignature(signature);
    await this.#checkLog(entries);
    await this.#checkTimestamps(stamps);
    this.#checkLogKeys();
    await this.#checkKeyValidity();
    this.#checkValidity(trusted);
    await this.#checkScts(scts);
    const identity = this.#checkIdentity();

    if (this.#list.error !== undefined) return refused(this.#list);
    const signer = this.#signer;
    const result: VerifiedSigstoreBundle = {
      ok: true,
      errorReason: null,
      checks: this.#list.checks,
      signer: signer.kind === "certificate"
        ? identity!.subjectAlternativeName
        : signer.trusted!.name,
      publicKey: signer.key!,
      logs: new Set(this.#logged.map(({ finding }) => finding.log.operator)).size,
      timestamps: this.#timestamps.map(({ stamp }) => stamp),
      trustedRoot: this.#root.name,
    };
    if (identity !== undefined) result.identity = identity;
    if (signer.kind === "publicKey") result.trustedKey = signer.trusted;
    if (content.kind === "envelope") {
      const { payloadType, payload } = content.envelope;
      result.envelope = { payloadType, payload };
    }
    return result;
  }

  get #keyless(): boolean {
    return this.#signer.kind === "certificate";
  }

  #threshold(name: keyof SigstoreThresholds): number {
    const defaults = { log: 1, sct: 1, timestamp: 1, timestampAuthority: 0, integratedTime: 0 };
    const { thresholds, unsafelyTrustCertificateTime } = this.#trust;
    const set = thresholds?.[name];
    // The certificate's own time stands for a verified one, as the caller asked.
    if (name === "timestamp" && unsafelyTrustCertificateTime === true) return set ?? 0;
    return set ?? (this.#keyless ? defaults[name] : 0);
  }

  /** A threshold of 0 for a certificate means that the log is not looked at. */
  get #usesLog(): boolean {
    return this.#threshold("log") > 0 || this.#trust.thresholds?.log === undefined;
  }

  #facts(): SignedFacts | undefined {
    const { content } = this.#bundle;
    const signer = this.#signer;
    if (signer.key === undefined || signer.scheme === undefined) return undefined;
    return {
      signature: content.signature,
      verifier: signer.kind === "certificate"
        ? { kind: "certificate", der: signer.leaf.raw }
        : { kind: "publicKey", der: signer.key.spki },
      key: signer.key,
      scheme: signer.scheme,
      envelope: content.kind === "envelope"
        ? { ...content.envelope, pae: this.#signed! }
        : undefined,
      artifact: this.#artifact?.digest,
    };
  }

  async #verifyContent(): Promise<void> {
    const { content } = this.#bundle;
    const { key, scheme } = this.#signer;
    if (key === undefined || scheme === undefined) {
      throw new AttestationError(
        "missing-trusted-key",
        "Cannot verify bundle: it is signed with a key, and no trusted key is given",
      );
    }
    if (this.#signed !== undefined) {
      if (!await verifySignature(key, scheme, content.signature, this.#signed)) {
        throw badSignature();
      }
      return;
    }
    const artifact = this.#artifact;
    if (artifact === undefined) {
      throw new AttestationError(
        "artifact-required",
        "Cannot verify bundle: it signs the artifact itself, and none is given",
      );
    }
    if (content.kind === "message" && content.digest !== undefined) {
      const { algorithm, value } = content.digest;
      const known = artifact.digest[algorithm];
      if (known !== undefined && known.toLowerCase() !== encodeHex(value)) {
        throw new AttestationError(
          "message-digest-mismatch",
          `Cannot verify bundle: it states ${algorithm} ${
            encodeHex(value)
          }, the artifact has ${known}`,
          { path: "/messageSignature/messageDigest" },
        );
      }
    }
    if (!await verifyArtifactSignature(key, scheme, content.signature, artifact)) {
      throw badSignature();
    }
  }

  async #verifyStamp(der: Bytes): ReturnType<typeof verifyTimestamp> {
    const { content: { signature }, stamped } = this.#bundle;
    const { timestampAuthorities } = this.#root;
    try {
      return await verifyTimestamp(der, signature, timestampAuthorities);
    } catch (error) {
      if (stamped === undefined || asRefusal(error).reason !== "timestamp-imprint-mismatch") {
        throw error;
      }
      return await verifyTimestamp(der, stamped, timestampAuthorities);
    }
  }

  async #findPaths(): Promise<CertificatePath[]> {
    const { signer } = this.#bundle;
    if (signer.kind !== "certificate") return [];
    return await findPaths(signer.leaf, signer.intermediates, this.#root.certificateAuthorities);
  }

  async #verifyScts(paths: Settled<CertificatePath[]>): ReturnType<typeof verifyScts> {
    const { signer } = this.#bundle;
    if (signer.kind !== "certificate" || this.#threshold("sct") === 0) {
      return { logs: [], unknown: 0 };
    }
    const verify = (issuer: Certificate) => verifyScts(signer.leaf, issuer, this.#root.ctLogs);
    // With one possible issuer there is no need to wait for its signature.
    const issuers = possibleIssuers(signer.leaf, this.#root);
    if (issuers.length === 1 && signer.intermediates.length === 0) return await verify(issuers[0]);
    const found = await paths;
    if ("error" in found) throw found.error;
    const issuer = found.value[0].certificates[1];
    if (issuer === undefined) {
      throw new AttestationError("invalid-sct", "The certificate has no issuer");
    }
    return await verify(issuer);
  }

  #checkExpectation(): void {
    if (!this.#keyless) return;
    const id = "envelope.identity-expectation";
    if (this.#trust.unsafelyAcceptAnyIdentity === true) {
      this.#list.skipped(id, "Anybody's identity is accepted, as the caller asked");
      return;
    }
    const all = expectations(this.#trust);
    const reason = all.length === 0
      ? "missing-identity-expectation"
      : all.map(missingExpectation).find((one) => one !== undefined);
    if (reason === undefined) return;
    const what = reason === "missing-issuer-expectation" ? "OIDC issuer" : "identity";
    this.#list.refused(id, reason, `Cannot accept bundle: no expected ${what} is given`);
  }

  async #checkSignature(work: Settled<void>): Promise<void> {
    const outcome = await work;
    const by = this.#keyless ? "the certificate's key" : "a trusted key";
    if ("error" in outcome) this.#list.failed("envelope.signature", outcome.error);
    else this.#list.passed("envelope.signature", `The signature is by ${by}`);
  }

  async #checkLog(entries: Settled<LogFinding | undefined>[]): Promise<void> {
    const id = "envelope.log";
    if (!this.#usesLog) {
      return this.#list.skipped(id, "Logs are not looked at, as the caller asked");
    }
    const { logEntries } = this.#bundle;
    const seen = new Set<string>();
    let unknown = 0;
    for (const [i, entry] of logEntries.entries()) {
      const name = `${encodeHex(entry.keyId)}/${entry.logIndex}`;
      if (seen.has(name)) {
        this.#list.refused(
          "envelope.log-entry",
          "duplicate-log-entry",
          `Cannot accept log entry: ${entry.logIndex} of the same log is there twice`,
          { path: entry.path },
        );
      }
      seen.add(name);
      const outcome = await entries[i];
      if (outcome === undefined) continue;
      if ("error" in outcome) {
        this.#list.failed("envelope.log-entry", outcome.error, { path: entry.path });
      } else if (outcome.value === undefined) {
        unknown++;
      } else {
        this.#logged.push({ finding: outcome.value, path: entry.path });
        const { log, time } = outcome.value;
        this.#list.passed(
          "envelope.log-entry",
          `Entry ${entry.logIndex} of ${log.baseUrl} holds this signature`,
          { path: entry.path, origin: "log" },
        );
        if (time !== undefined) this.#addTime("transparency-log", log.baseUrl, log.operator, time);
      }
    }
    const operators = new Set(this.#logged.map(({ finding }) => finding.log.operator)).size;
    const need = this.#threshold("log");
    const facts = { expected: `${need}`, actual: `${operators}` };
    if (operators >= need) {
      if (need > 0) {
        this.#list.passed(
          id,
          `Distinct logs that include it: ${operators}, needed: ${need}`,
          facts,
        );
      }
      return;
    }
    this.#list.refused(
      id,
      logEntries.length > 0 && unknown === logEntries.length
        ? "untrusted-log"
        : "log-threshold-not-met",
      `Cannot accept bundle: distinct logs that include it: ${operators}, needed: ${need}`,
      facts,
    );
  }

  #addTime(type: VerifiedTimestamp["type"], uri: string, operator: string, time: Date): void {
    this.#timestamps.push({ stamp: { type, uri, timestamp: time.toISOString() }, time, operator });
  }

  /** Operators that vouch for a time: each counts once, whatever it says how often. */
  #vouching(type: VerifiedTimestamp["type"]): number {
    const by = this.#timestamps.filter(({ stamp }) => stamp.type === type);
    return new Set(by.map(({ operator }) => operator)).size;
  }

  /**
   * An entry without a promise has no time of its own. Its log's key must have been valid
   * when the authorities stamped the signature, or a key that was retired could still log.
   */
  #checkLogKeys(): void {
    const times = this.#timestamps.filter(({ stamp }) => stamp.type === "timestamp-authority");
    for (const { finding, path } of this.#logged) {
      if (finding.time !== undefined) continue;
      const late = times.find(({ time }) =>
        !finding.sameKey.some(({ validFor }) => isWithin(time, validFor))
      );
      if (late === undefined) continue;
      const message = `Cannot accept log entry: at ${late.stamp.timestamp}, the time of the ` +
        "timestamp, the log's key was not valid";
      this.#list.refused("envelope.log-entry", "log-not-valid", message, { path });
    }
  }

  async #checkTimestamps(
    stamps: ReturnType<typeof settle<Awaited<ReturnType<typeof verifyTimestamp>>>>[],
  ): Promise<void> {
    let untrusted: unknown;
    for (const [i, work] of stamps.entries()) {
      const path = `/verificationMaterial/timestampVerificationData/rfc3161Timestamps/${i}`;
      const outcome = await work;
      if ("error" in outcome) {
        // A stamp by an authority that is not trusted proves nothing; the threshold decides.
        if (asRefusal(outcome.error).reason === "untrusted-timestamp-authority") {
          untrusted ??= outcome.error;
        } else this.#list.failed("envelope.timestamp", outcome.error, { path });
        continue;
      }
      const { authority, time } = outcome.value;
      this.#addTime("timestamp-authority", authority.uri, authority.operator, time);
      this.#list.passed("envelope.timestamp", `${authority.uri} stamped the signature`, {
        actual: time.toISOString(),
        origin: "timestamp",
        path,
      });
    }
    const authorities = this.#vouching("timestamp-authority");
    const logs = this.#vouching("transparency-log");
    const needs = [
      ["timestamp", authorities + logs, "Verified times"],
      ["timestampAuthority", authorities, "Times by timestamp authorities"],
      ["integratedTime", logs, "Times by log promises"],
    ] as const;
    for (const [name, have, what] of needs) {
      const need = this.#threshold(name);
      if (need === 0) continue;
      const facts = { expected: `${need}`, actual: `${have}` };
      if (have >= need) {
        this.#list.passed("envelope.time", `${what}: ${have}, needed: ${need}`, facts);
      } else if (untrusted !== undefined && name !== "integratedTime") {
        this.#list.failed("envelope.time", untrusted, facts);
      } else {
        const message = `Cannot accept bundle: ${what.toLowerCase()}: ${have}, needed: ${need}`;
        this.#list.refused("envelope.time", "timestamp-threshold-not-met", message, facts);
      }
    }
  }

  async #checkCertificate(work: Settled<CertificatePath[]>): Promise<CertificatePath[]> {
    const signer = this.#signer;
    if (signer.kind !== "certificate") return [];
    const id = "envelope.certificate";
    const outcome = await work;
    const misuse = leafMisuse(signer.leaf);
    if ("error" in outcome) {
      const expected = `an authority of ${this.#root.name}`;
      this.#list.failed(id, outcome.error, { expected });
      return [];
    }
    if (misuse !== undefined) {
      this.#list.failed(id, misuse);
      return [];
    }
    const uris = new Set(outcome.value.map(({ authority }) => authority.uri));
    this.#list.passed(id, `The certificate is by ${[...uris].join(" or ")}`, {
      expected: `an authority of ${this.#root.name}`,
    });
    return outcome.value;
  }

  async #checkKeyValidity(): Promise<void> {
    const signer = this.#signer;
    if (signer.kind !== "publicKey" || signer.trusted === undefined) return;
    const { trusted, rules = NO_RULES } = signer;
    if (!rules.has(trusted.fingerprint)) return;
    const { countKeys } = await import("../keys/key_validity.ts");
    const verifiedTimes = this.#timestamps.map(({ time }) => time);
    const moments = { verifiedTimes, now: this.#trust.now ?? new Date() };
    countKeys(this.#list, [trusted], { rules, needed: 1, moments });
  }

  #checkValidity(paths: readonly CertificatePath[]): void {
    const signer = this.#signer;
    if (signer.kind !== "certificate") return;
    const id = "envelope.certificate-validity";
    const times = this.#timesOfSigning(signer.leaf);
    if (times.length === 0) {
      const message = "Cannot verify certificate: there is no verified time of signing";
      return this.#list.refused(id, "timestamp-threshold-not-met", message);
    }
    const refusals = paths.map((path) =>
      times.map((time) => refusalAt(path, time, "certificate-not-valid"))
        .find((one) => one !== undefined)
    );
    const actual = times.map((time) => time.toISOString()).join(", ");
    if (refusals.includes(undefined)) {
      return this.#list.passed(id, "The certificate was valid at every time of signing", {
        actual,
      });
    }
    if (refusals.length > 0) return this.#list.failed(id, refusals[0], { actual });
    const message = "Cannot verify certificate: there is no trusted path to judge";
    this.#list.refused(id, "untrusted-certificate", message, { actual });
  }

  #timesOfSigning(leaf: Certificate): Date[] {
    const times = this.#timestamps.map(({ time }) => time);
    // A time that no promise proves is no evidence, but a wrong one is a contradiction.
    if (this.#usesLog) {
      for (const { promise, integratedTime } of this.#bundle.logEntries) {
        if (promise === undefined && integratedTime > 0n && times.length > 0) {
          times.push(new Date(Number(integratedTime) * 1000));
        }
      }
    }
    if (times.length === 0 && this.#trust.unsafelyTrustCertificateTime === true) {
      return [leaf.notBefore];
    }
    return times;
  }

  async #checkScts(
    work: ReturnType<typeof settle<Awaited<ReturnType<typeof verifyScts>>>>,
  ): Promise<void> {
    if (!this.#keyless) return;
    const id = "envelope.sct";
    const need = this.#threshold("sct");
    if (need === 0) return this.#list.skipped(id, "SCTs are not looked at, as the caller asked");
    const outcome = await work;
    if ("error" in outcome) {
      // Without a path there is no issuer to check it with; the path's refusal is recorded.
      return this.#list.failed(id, outcome.error);
    }
    const have = outcome.value.logs.length;
    const facts = { expected: `${need}`, actual: `${have}` };
    if (have >= need) {
      return this.#list.passed(
        id,
        `Certificate logs that promised to include it: ${have}, needed: ${need}`,
        facts,
      );
    }
    this.#list.refused(
      id,
      "sct-threshold-not-met",
      `Cannot accept certificate: certificate logs that promised to include it: ${have}, needed: ${need}`,
      facts,
    );
  }

  #checkIdentity(): CertificateIdentity | undefined {
    const signer = this.#signer;
    const id = "envelope.identity";
    if (signer.kind !== "certificate") {
      if (expectations(this.#trust).length > 0) {
        const message = "Cannot accept bundle: it is signed with a key, an identity is expected";
        this.#list.refused(id, "identity-mismatch", message);
      }
      return undefined;
    }
    let identity: CertificateIdentity;
    try {
      identity = readIdentity(signer.leaf);
    } catch (error) {
      this.#list.failed(id, error);
      return undefined;
    }
    const compared = expectations(this.#trust).map((one) => compareIdentity(identity, one));
    const best = compared.find((all) => all.every(({ reason }) => reason === undefined)) ??
      compared.sort((a, b) => failures(a) - failures(b))[0] ?? [];
    for (const { claim, reason, expected, actual } of best) {
      const facts = { expected, actual: actual ?? "(absent)", origin: "certificate" as const };
      if (reason === undefined) this.#list.passed(id, `${claim} is as expected`, facts);
      else {this.#list.refused(
          id,
          reason,
          `Cannot accept certificate: ${claim} is not as expected`,
          facts,
        );}
    }
    return identity;
  }
}

function failures(findings: readonly { reason?: Reason }[]): number {
  return findings.filter(({ reason }) => reason !== undefined).length;
}

function possibleIssuers(
  leaf: Certificate,
  { certificateAuthorities }: TrustedRoot,
): Certificate[] {
  return certificateAuthorities.flatMap(({ chain }) =>
    chain.filter((one) => mayHaveIssued(one, leaf))
  );
}

/** Why a certificate may not sign code (client-spec.md; RFC 5280, 4.2.1.3 and 4.2.1.12). */
function leafMisuse(leaf: Certificate): AttestationError | undefined {
  const misused = (what: string) =>
    new AttestationError("invalid-certificate-usage", `Cannot verify certificate: ${what}`);
  if (leaf.basicConstraints?.ca === true) return misused("it is an authority's");
  if (leaf.keyUsage === undefined || (leaf.keyUsage & 0x80) === 0) {
    return misused("its key is not for digital signatures");
  }
  if (!leaf.extendedKeyUsage?.purposes.includes(Purpose.codeSigning)) {
    return misused("its extended key usage is not code signing");
  }
}

/** Checks a signature over the artifact itself, by its bytes or, for ECDSA, its digest. */
async function verifyArtifactSignature(
  key: PublicKey,
  scheme: Scheme,
  signature: Bytes,
  { content, digest }: SignedArtifact,
): Promise<boolean> {
  if (content !== undefined) return await verifySignature(key, scheme, signature, content);
  const hash: HashName | undefined = "hash" in scheme ? scheme.hash : undefined;
  const hex = hash === undefined ? undefined : digest[hash.toLowerCase().replace("-", "")];
  if (scheme.name === "ECDSA" && hex !== undefined) {
    return await verifyDigestSignature(key, signature, decodeHex(hex)) === true;
  }
  throw new AttestationError(
    "artifact-required",
    `Cannot verify bundle: its ${scheme.name} signature needs the artifact itself` +
      (hash === undefined || scheme.name !== "ECDSA" ? "" : ` or its ${hash} digest`),
  );
}

function badSignature(): AttestationError {
  return new AttestationError(
    "invalid-signature",
    "Cannot verify bundle: the signature does not verify",
  );
}
