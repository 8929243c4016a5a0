/**
 * Runs one case of an index of verification vectors with the public API. Pure: files come
 * through `read`, so Deno, Node, Bun and workerd run the same code over the same tables.
 */

import { type Envelope, verifyEnvelope } from "../../dsse/mod.ts";
import {
  type AttestationError,
  isAttestationError,
  type Problem,
  type Reason,
} from "../../errors.ts";
import {
  parseResourceDescriptor,
  parseStatement,
  readJsonLines,
  validateResourceDescriptor,
  validateStatement,
} from "../../intoto/mod.ts";
import { parseJson } from "../../internal/json.ts";
import { importTrustedKey, type KeyAlgorithm, type TrustedKey } from "../../keys/mod.ts";
import {
  type IdentityExpectation,
  type Matcher,
  parseCheckpoint,
  parseSigstoreBundle,
  parseTrustedRoot,
  type TrustedRoot,
} from "../../sigstore/mod.ts";
import { parseProvenancePredicate, validateProvenancePredicate } from "../../slsa/mod.ts";
import { type ArtifactInput, verify, type VerifyOptions } from "../../verify/mod.ts";
import { sshFingerprint } from "./ssh_fingerprint.ts";

/** Text of a JSON file of an index, by the names that it has there. */
export interface VectorCase {
  id: string;
  origin: string;
  kind: string;
  files: Record<string, string | string[]>;
  expected: "pass" | "fail";
  why?: string;
  options?: Record<string, unknown>;
  offline?: boolean;
  scope?: string;
  contested?: string;
  /** Our own vectors name the reason. */
  expectedReason?: Reason;
}

/** An index of cases; paths are relative to its folder. */
export interface VectorIndex {
  cases: VectorCase[];
}

/** Reads a file by its path in the index. */
export type ReadFile = (path: string) => Promise<Uint8Array<ArrayBuffer>>;

/** What the library says of a case. */
export interface Verdict {
  verdict: "pass" | "fail";
  /** Why it was refused; null when it was accepted. */
  reason: Reason | null;
  message: string;
}

/** How a case is run: as it is, or with the artifact's digest in the artifact's place. */
export type Variant = "as-given" | "by-digest";

/** The ways in which a case is run: each must give its verdict. */
export function variantsOf(vector: VectorCase): Variant[] {
  const { files, options = {} } = vector;
  return files.artifact !== undefined && options.cli === "verify-bundle"
    ? ["as-given", "by-digest"]
    : ["as-given"];
}

type Runner = (vector: VectorCase, read: ReadFile, variant: Variant) => Promise<Verdict>;

const RUNNERS: Record<string, Runner> = {
  "dsse": runDsse,
  "statement": runStatement,
  "resource-descriptor": runResourceDescriptor,
  "slsa-provenance-predicate": runProvenancePredicate,
  "checkpoint": runCheckpoint,
  "attestation-jsonl": runJsonLines,
  "sigstore-bundle": runSigstoreBundle,
};

/** Tells whether the kind of a case is implemented. */
export function isImplemented(kind: string): boolean {
  return Object.hasOwn(RUNNERS, kind);
}

/**
 * Runs a case.
 *
 * @throws {Error} Whatever is no refusal: a defect of the library, or a case that cannot be
 * read. It is never a verdict.
 */
export async function runCase(
  vector: VectorCase,
  read: ReadFile,
  variant: Variant = "as-given",
): Promise<Verdict> {
  try {
    return await RUNNERS[vector.kind](vector, read, variant);
  } catch (error) {
    if (isAttestationError(error) && error.reason !== "internal-error") {
      return refusal(error.reason, error.message);
    }
    throw error;
  }
}

const ACCEPTED: Verdict = { verdict: "pass", reason: null, message: "accepted" };

function refusal(reason: Reason, message: string): Verdict {
  return { verdict: "fail", reason, message };
}

function listed(problems: readonly Problem[]): Verdict {
  if (problems.length === 0) return ACCEPTED;
  const { reason, path, message } = problems[0];
  return refusal(reason, `${message} at ${path || "the root"}`);
}

function one(vector: VectorCase, name: string): string {
  const path = vector.files[name];
  if (typeof path !== "string") throw new Error(`${vector.id}: no file "${name}"`);
  return path;
}

function many(path: string | string[] | undefined): string[] {
  return path === undefined ? [] : typeof path === "string" ? [path] : path;
}

/** A `pass` that speaks of parsing alone; a `fail` makes any complete verification fail. */
function onlyParses(vector: VectorCase): boolean {
  return vector.scope === "step:parse" && vector.expected === "pass";
}

async function runDsse(vector: VectorCase, read: ReadFile): Promise<Verdict> {
  const { options = {} } = vector;
  const keys: TrustedKey[] = [];
  for (const path of many(vector.files.key ?? vector.files.keys)) {
    keys.push(...await keysOf(text(await read(path)), options));
  }
  const envelope: Envelope | Uint8Array = await read(one(vector, "envelope"));
  const result = await verifyEnvelope(envelope, {
    keys,
    ...(typeof options.threshold === "number" ? { threshold: options.threshold } : {}),
    ...(options.keyIdRule === undefined ? {} : { keyIdRule: "must-match" }),
  });
  return result.ok ? ACCEPTED : refusal(result.errorReason, result.error.message);
}

/** A key by its configured key id and, where ids decide, by its OpenSSH fingerprint too. */
async function keysOf(pem: string, options: Record<string, unknown>): Promise<TrustedKey[]> {
  const alg = options.alg ?? options.algorithm;
  const { curve, hash, publicKeyId, signatureEncoding } = options;
  const base = {
    ...(typeof alg === "string" ? { alg: alg as KeyAlgorithm } : {}),
    ...(typeof signatureEncoding === "string"
      ? { ecdsaEncoding: encodingOf(signatureEncoding) }
      : {}),
  };
  const configured = typeof publicKeyId === "string" && publicKeyId !== ""
    ? { keyid: publicKeyId }
    : {};
  let key = await importTrustedKey(pem, { ...base, ...configured });
  if (typeof hash === "string" && typeof alg !== "string") {
    const wanted = withHash(key.alg, hash, curve);
    if (wanted !== key.alg) {
      key = await importTrustedKey(pem, { ...base, ...configured, alg: wanted });
    }
  }
  if (options.keyIdRule === undefined) return [key];
  const keyid = await sshFingerprint(pem);
  return [key, await importTrustedKey(pem, { ...base, alg: key.alg, keyid })];
}

function encodingOf(words: string): "der" | "p1363" {
  return /^p1363/i.test(words) ? "p1363" : "der";
}

const CURVES: Record<string, string> = { ES256: "P256", ES384: "P384", ES512: "P521" };

/** The algorithm of an EC key with another hash than the usual one of its curve. */
function withHash(alg: KeyAlgorithm, hash: string, curve: unknown): KeyAlgorithm {
  const own = CURVES[alg];
  if (own === undefined) return alg;
  const name = typeof curve === "string" ? curve.replace("-", "") : own;
  return `ECDSA-${name}-${hash.replace("-", "")}` as KeyAlgorithm;
}

async function runStatement(vector: VectorCase, read: ReadFile): Promise<Verdict> {
  const source = await read(one(vector, "statement"));
  if (onlyParses(vector)) {
    parseStatement(source);
    return ACCEPTED;
  }
  return listed(validateStatement(parseJson(source)));
}

async function runResourceDescriptor(vector: VectorCase, read: ReadFile): Promise<Verdict> {
  const source = await read(one(vector, "statement"));
  if (onlyParses(vector)) {
    parseResourceDescriptor(source);
    return ACCEPTED;
  }
  return listed(validateResourceDescriptor(parseJson(source)));
}

async function runProvenancePredicate(vector: VectorCase, read: ReadFile): Promise<Verdict> {
  const source = await read(one(vector, "statement"));
  if (onlyParses(vector)) {
    parseProvenancePredicate(source);
    return ACCEPTED;
  }
  return listed(validateProvenancePredicate(parseJson(source)));
}

async function runCheckpoint(vector: VectorCase, read: ReadFile): Promise<Verdict> {
  parseCheckpoint(text(await read(one(vector, "checkpoint"))));
  return ACCEPTED;
}

async function runJsonLines(vector: VectorCase, read: ReadFile): Promise<Verdict> {
  let parsed = 0;
  let last: AttestationError | undefined;
  for await (const line of readJsonLines(await read(one(vector, "jsonl")))) {
    if (line.ok) parsed++;
    else last = line.error;
  }
  const wanted = vector.options?.expectedCount;
  if (typeof wanted === "number" ? parsed === wanted : parsed > 0) return ACCEPTED;
  return refusal(
    last?.reason ?? "empty-input",
    `${parsed} lines parse, wanted ${wanted ?? "some"}`,
  );
}

const roots = new Map<string, TrustedRoot>();

async function runSigstoreBundle(
  vector: VectorCase,
  read: ReadFile,
  variant: Variant,
): Promise<Verdict> {
  const { files, options = {} } = vector;
  const bundle = await read(one(vector, "bundle"));
  if (onlyParses(vector)) {
    parseSigstoreBundle(bundle);
    return ACCEPTED;
  }
  const trustedRoots: TrustedRoot[] = [];
  for (const path of many(files.trustedRoot)) {
    const source = text(await read(path));
    // A root is judged once; its cache of imported keys and checked chains is kept.
    const root = roots.get(source) ?? parseTrustedRoot(source);
    roots.set(source, root);
    trustedRoots.push(root);
  }
  const keys: TrustedKey[] = [];
  for (const path of many(files.key)) keys.push(...await keysOf(text(await read(path)), {}));

  const artifacts = await artifactsOf(vector, read, variant);
  const identity = identitiesOf(options);
  const expect: NonNullable<VerifyOptions["expect"]> = {
    ...(identity.length > 0 ? { identity } : {}),
  };
  const verifyOptions: VerifyOptions = {
    trust: { trustedRoots, onlyRoot: true, ...(keys.length > 0 ? { keys } : {}) },
    expect,
    thresholds: thresholdsOf(vector),
    ...(acceptsAnybody(options) ? { unsafelyAcceptAnyIdentity: true } : {}),
    ...(artifacts.length === 0 ? { unsafelyVerifyWithoutArtifact: true } : {}),
    ...(vector.offline === false ? { unsafelyTrustCertificateTime: true } : {}),
  };
  const report = await verify(
    { source: one(vector, "bundle"), content: bundle },
    artifacts,
    verifyOptions,
  );
  if (report.ok) return ACCEPTED;
  const checks = report.artifacts.flatMap((artifact) =>
    artifact.attestations.flatMap((a) => a.checks)
  );
  const failed = checks.find((check) => check.outcome === "failed");
  if (report.errorReason === null || report.errorReason === "internal-error") {
    throw new Error(`${vector.id}: ${failed?.message ?? "refused without a reason"}`);
  }
  return refusal(report.errorReason, failed?.message ?? "refused");
}

async function artifactsOf(
  vector: VectorCase,
  read: ReadFile,
  variant: Variant,
): Promise<ArtifactInput[]> {
  const { files, options = {} } = vector;
  if (options.artifact === "none") return [];
  if (variant === "by-digest") {
    const artifact = await read(one(vector, "artifact"));
    const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", artifact));
    return [{
      digest: { sha256: Array.from(digest, (b) => b.toString(16).padStart(2, "0")).join("") },
    }];
  }
  if (files.artifact !== undefined) {
    const artifacts: ArtifactInput[] = [];
    for (const path of many(files.artifact)) {
      artifacts.push({ name: path, content: await read(path) });
    }
    return artifacts;
  }
  const digests = options.artifactDigests ?? options.artifactDigest;
  if (digests === undefined) return [];
  return (Array.isArray(digests) ? digests : [digests]).map((digest) => ({ digest }));
}

function identitiesOf(options: Record<string, unknown>): IdentityExpectation[] {
  const names: Matcher[] = [];
  if (typeof options.certificateIdentity === "string") names.push(options.certificateIdentity);
  if (Array.isArray(options.certificateIdentities)) names.push(...options.certificateIdentities);
  if (typeof options.certificateIdentityRegexp === "string") {
    names.push({ pattern: anchored(options.certificateIdentityRegexp) });
  }
  const rest: IdentityExpectation = {};
  if (typeof options.certificateOidcIssuer === "string") {
    rest.issuer = options.certificateOidcIssuer;
  }
  if (typeof options.sourceRepository === "string") {
    rest.sourceRepositoryURI = `https://github.com/${options.sourceRepository}`;
  }
  if (typeof options.sourceRepositoryOwner === "string") {
    rest.sourceRepositoryOwnerURI = `https://github.com/${options.sourceRepositoryOwner}`;
  }
  if (names.length === 0) return Object.keys(rest).length === 0 ? [] : [rest];
  // An origin that states no issuer takes any: said here, as our API asks for one.
  if (rest.issuer === undefined) rest.issuer = { pattern: ".+" };
  return names.map((subjectAlternativeName) => ({ ...rest, subjectAlternativeName }));
}

/**
 * An expression that matches the whole of a text in which `pattern` is found: the origins'
 * expressions search, ours match all of it. A look-ahead keeps `^`, `$` and `|` as they are.
 */
export function anchored(pattern: string): string {
  return `(?=[^]*?(?:${pattern}))[^]*`;
}

function acceptsAnybody(options: Record<string, unknown>): boolean {
  return options.identity === "any" ||
    ![
        "certificateIdentity",
        "certificateIdentities",
        "certificateIdentityRegexp",
        "sourceRepository",
      ]
        .some((name) => options[name] !== undefined) && options.certificateOidcIssuer !== undefined;
}

function thresholdsOf(vector: VectorCase): NonNullable<VerifyOptions["thresholds"]> {
  const { options = {}, offline } = vector;
  const number = (...names: string[]) => {
    const stated = names.map((name) => options[name]).filter((value) => typeof value === "number");
    return stated.length === 0 ? undefined : Math.max(...stated);
  };
  const thresholds: NonNullable<VerifyOptions["thresholds"]> = {};
  const log = offline === false ? 0 : number("tlogThreshold");
  const sct = number("ctlogThreshold");
  const timestamp = number(
    "timestampThreshold",
    "observerTimestampThreshold",
    "verifiedTimeThreshold",
  );
  const timestampAuthority = number("tsaThreshold");
  const integratedTime = number("integratedTimestampThreshold");
  if (log !== undefined) thresholds.log = log;
  if (sct !== undefined) thresholds.sct = sct;
  if (timestamp !== undefined) thresholds.timestamp = timestamp;
  if (timestampAuthority !== undefined) thresholds.timestampAuthority = timestampAuthority;
  if (integratedTime !== undefined) thresholds.integratedTime = integratedTime;
  return thresholds;
}

function text(bytes: Uint8Array): string {
  return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
}
