/**
 * Runs one case of an index of verification vectors with the public API. Pure: files come
 * through `read`, so Deno, Node, Bun and workerd run the same code over the same tables.
 */

import { type Envelope, type EnvelopeTrust, verifyEnvelope } from "../../dsse/mod.ts";
import {
  type AttestationError,
  isAttestationError,
  type Problem,
  type Reason,
} from "../../errors.ts";
import { createCertificateTrust, googleCloudBuildKeyId, verifyFormat } from "../../formats/mod.ts";
import { decodeBase64 } from "../../internal/base64.ts";
import { type CborMap, type CborTag, decodeCbor } from "../../internal/cbor.ts";
import {
  parseResourceDescriptor,
  parseStatement,
  readJsonLines,
  validateResourceDescriptor,
  validateStatement,
} from "../../intoto/mod.ts";
import { parseJson } from "../../internal/json.ts";
import {
  importTrustedKey,
  type KeyAlgorithm,
  opensshFingerprint,
  type TrustedKey,
} from "../../keys/mod.ts";
import {
  NPM_GITHUB_HOSTED,
  type NpmKey,
  parseNpmAttestations,
  parseNpmKeys,
  verifyNpmPackage,
} from "../../npm/mod.ts";
import {
  type IdentityExpectation,
  type Matcher,
  parseCheckpoint,
  parseSigstoreBundle,
  parseTrustedRoot,
  type TrustedRoot,
} from "../../sigstore/mod.ts";
import {
  parseProvenancePredicate,
  type ProvenanceExpectation,
  validateProvenancePredicate,
} from "../../slsa/mod.ts";
import {
  type ArtifactInput,
  type VerificationReport,
  verify,
  verifyGoogleCloudBuild,
  type VerifyOptions,
} from "../../verify/mod.ts";
import { createLayout } from "../../store/oci/layout.ts";
import { verifyImage } from "../../store/oci/verify_image.ts";
import { runFormatCase } from "./format_case.ts";
import { ORIGIN_BUILDERS } from "./slsa_builders.ts";

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
  "public-key": runPublicKey,
  "attestation-jsonl": runJsonLines,
  "sigstore-bundle": runSigstoreBundle,
  "npm-attestations": runNpm,
  "gcb-provenance": runGoogleCloudBuild,
  "vsa": runVsa,
  "slsa": runSlsa,
  "cosign-image-signature": runCosignSignature,
  "slsa-oci-layout": runLayout,
  "notation-cose": runNotation,
  "notation-jws": runNotation,
  "format": runFormat,
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
    // What cannot be expected is refused before anything is verified.
    if (error instanceof TypeError && error.message.startsWith("Cannot expect")) {
      return refusal("usage", error.message);
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
  const envelope: Envelope | Uint8Array = await read(one(vector, "envelope"));
  const result = await verifyEnvelope(envelope, await dsseTrust(vector, read));
  return result.ok ? ACCEPTED : refusal(result.errorReason, result.error.message);
}

/** Whom a case with an envelope trusts. */
export async function dsseTrust(vector: VectorCase, read: ReadFile): Promise<EnvelopeTrust> {
  const { options = {} } = vector;
  const keys: TrustedKey[] = [];
  for (const path of many(vector.files.key ?? vector.files.keys)) {
    keys.push(...await keysOf(text(await read(path)), options));
  }
  return {
    keys,
    ...(typeof options.threshold === "number" ? { threshold: options.threshold } : {}),
    ...(options.keyIdRule === undefined ? {} : { keyIdRule: "must-match" }),
  };
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
  const keyid = opensshFingerprint(key);
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

async function runPublicKey(vector: VectorCase, read: ReadFile): Promise<Verdict> {
  await importTrustedKey(text(await read(one(vector, "key"))));
  return ACCEPTED;
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

/** What `verify()` is given for a case with a bundle. */
export interface BundleArguments {
  input: { source: string; content: Uint8Array };
  artifacts: ArtifactInput[];
  verifyOptions: VerifyOptions;
}

/** Reads a case with a bundle. */
export async function bundleArguments(
  vector: VectorCase,
  read: ReadFile,
  variant: Variant = "as-given",
): Promise<BundleArguments> {
  const { files, options = {} } = vector;
  const input = { source: one(vector, "bundle"), content: await read(one(vector, "bundle")) };
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
  return { input, artifacts, verifyOptions };
}

async function runSigstoreBundle(
  vector: VectorCase,
  read: ReadFile,
  variant: Variant,
): Promise<Verdict> {
  if (onlyParses(vector)) {
    parseSigstoreBundle(await read(one(vector, "bundle")));
    return ACCEPTED;
  }
  const { input, artifacts, verifyOptions } = await bundleArguments(vector, read, variant);
  const report = await verify(input, artifacts, verifyOptions);
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

const npmKeys = new Map<string, Promise<NpmKey[]>>();

async function runNpm(vector: VectorCase, read: ReadFile): Promise<Verdict> {
  return verdictOf(vector, await npmReport(vector, read));
}

/** Both attestations of a package; a case of one step gives no expectations. */
export async function npmReport(
  vector: VectorCase,
  read: ReadFile,
): Promise<VerificationReport> {
  const { files, options = {} } = vector;
  const rootText = text(await read(one(vector, "trustedRoot")));
  const root = roots.get(rootText) ?? parseTrustedRoot(rootText);
  roots.set(rootText, root);
  const keysText = text(await read(one(vector, "npmKeys")));
  const keys = npmKeys.get(keysText) ?? parseNpmKeys(keysText);
  npmKeys.set(keysText, keys);
  const given = (name: string) => {
    const value = options[name];
    return typeof value === "string" ? value : undefined;
  };
  // Cases of one step say nothing about the rest: what they leave open is as the files have it.
  const step = vector.scope?.startsWith("step:") === true;
  const builderId = given("builderId") ?? (step ? NPM_GITHUB_HOSTED : undefined);
  const answer = await read(one(vector, "attestations"));
  const tarball: ArtifactInput = files.artifact === undefined
    ? { digest: { sha512: given("expectedHash") ?? statedDigest(answer) } }
    : { name: one(vector, "artifact"), content: await read(one(vector, "artifact")) };
  return await verifyNpmPackage(answer, tarball, {
    trust: { keys: await keys, trustedRoots: [root], onlyRoot: true },
    expect: {
      packageName: given("packageName"),
      packageVersion: given("packageVersion"),
      repository: given("sourceUri"),
      ...(builderId === undefined ? {} : { builderId }),
    },
    ...(step ? { unsafelyAcceptAnyRepository: true } : {}),
  });
}

/** The tarball of a case of one step, which has none: the first that a Statement speaks of. */
function statedDigest(answer: Uint8Array): string {
  for (const { bundle } of parseNpmAttestations(answer)) {
    const { content } = parseSigstoreBundle(bundle);
    if (content.kind !== "envelope") continue;
    try {
      const digest = parseStatement(content.envelope.payload).subject[0].digest?.sha512;
      if (digest !== undefined) return digest;
    } catch (error) {
      if (!isAttestationError(error)) throw error;
    }
  }
  throw new Error("No Statement states a sha512");
}

/** Every builder id that the case names must give the same verdict. */
async function runGoogleCloudBuild(vector: VectorCase, read: ReadFile): Promise<Verdict> {
  const verdicts = (await googleCloudBuildReports(vector, read))
    .map((report) => verdictOf(vector, report));
  const [first] = verdicts;
  if (verdicts.some(({ verdict }) => verdict !== first.verdict)) {
    throw new Error(`${vector.id}: its builder ids give different verdicts`);
  }
  return first;
}

/** A report for each builder id that the case names. */
export async function googleCloudBuildReports(
  vector: VectorCase,
  read: ReadFile,
): Promise<VerificationReport[]> {
  const { files, options = {}, scope } = vector;
  const source = await read(one(vector, "provenance"));
  const keys = files.key === undefined
    ? await googleCloudBuildKeys(text(source), String(options.keysDir), read)
    : await Promise.all(many(files.key).map((path) => googleCloudBuildKey(path, read)));
  const expect: Record<string, string> = {};
  for (const name of ["sourceUri", "sourceBranch", "sourceTag", "sourceVersionedTag"]) {
    const value = options[name];
    if (typeof value === "string") expect[name] = value;
  }
  const { builderId = null, builderIdVariants = [builderId] } = options;
  const reports: VerificationReport[] = [];
  for (const builder of Array.isArray(builderIdVariants) ? builderIdVariants : [null]) {
    reports.push(
      await verifyGoogleCloudBuild(source, {
        keys,
        expect: { ...expect, ...(typeof builder === "string" ? { builderId: builder } : {}) },
        ...(typeof options.imageDigest === "string"
          ? { imageDigest: options.imageDigest }
          : { unsafelyVerifyWithoutArtifact: true }),
        ...(scope === "full" ? {} : { unsafelyAcceptAnySource: true }),
      }),
    );
  }
  return reports;
}

/** The keys that the signatures name, by the names of their files. */
async function googleCloudBuildKeys(
  source: string,
  folder: string,
  read: ReadFile,
): Promise<TrustedKey[]> {
  const names = new Set(["global.key"]);
  const ids =
    /locations\/([a-z0-9-]+)\/keyRings\/attestor\/cryptoKeys\/([\w-]+)\/cryptoKeyVersions\/(\d+)/g;
  for (const [, location, name, version] of source.matchAll(ids)) {
    names.add(name === "builtByGCB" ? `${location}.key` : `${location}-pae-${name}_${version}.key`);
  }
  const keys: TrustedKey[] = [];
  for (const name of names) {
    try {
      await read(folder + name);
    } catch {
      // A location that does not exist has no key, and the signature none that accepts it.
      continue;
    }
    keys.push(await googleCloudBuildKey(folder + name, read));
  }
  return keys;
}

/** A key by the name of its file, which says what its id is. */
async function googleCloudBuildKey(path: string, read: ReadFile): Promise<TrustedKey> {
  const name = path.slice(path.lastIndexOf("/") + 1);
  return await importTrustedKey(text(await read(path)), {
    keyid: googleCloudBuildKeyId(name),
    name,
  });
}

async function runVsa(vector: VectorCase, read: ReadFile): Promise<Verdict> {
  const found = await vsaReport(vector, read);
  return "verdict" in found ? found : verdictOf(vector, found);
}

/** A summary attestation; a case without expectations is about its signature. */
export async function vsaReport(
  vector: VectorCase,
  read: ReadFile,
): Promise<VerificationReport | Verdict> {
  const { options = {} } = vector;
  const keys = await keysOf(text(await read(one(vector, "key"))), options);
  const envelope = await read(one(vector, "envelope"));
  const { publicKeyId, verifierId, resourceUri, verifiedLevels, subjectDigests } = options;
  if (publicKeyId !== undefined) {
    const result = await verifyEnvelope(envelope, { keys, keyIdRule: "must-match" });
    if (!result.ok) return refusal(result.errorReason, result.error.message);
  }
  if (typeof verifierId !== "string" || typeof resourceUri !== "string") return ACCEPTED;
  const digest: Record<string, string> = {};
  for (const pair of Array.isArray(subjectDigests) ? subjectDigests.map(String) : []) {
    digest[pair.slice(0, pair.indexOf(":"))] = pair.slice(pair.indexOf(":") + 1);
  }
  return await verify(envelope, undefined, {
    trust: { keys },
    expect: {
      vsa: {
        verifierId,
        resourceUri,
        ...(Array.isArray(verifiedLevels) ? { verifiedLevels: verifiedLevels.map(String) } : {}),
        ...(Object.keys(digest).length > 0 ? { digest } : {}),
      },
    },
    unsafelyVerifyWithoutArtifact: true,
  });
}

/**
 * Provenance of GitHub Actions. Every builder id that the case names must give the same
 * verdict. A file without a log entry is judged at its certificate's own time: the origin
 * asked the log's search, which needs the network.
 */
async function runSlsa(vector: VectorCase, read: ReadFile): Promise<Verdict> {
  const { offline } = vector;
  const source = one(vector, "provenance");
  const content = await read(source);
  const artifacts = await artifactsOf(vector, read, "as-given");
  const more: VerifyOptions = offline === false
    ? { thresholds: { log: 0 }, unsafelyTrustCertificateTime: true }
    : {};
  return await byEachBuilder(
    vector,
    read,
    (options) => verify({ source, content }, artifacts, { ...options, ...more }),
  );
}

/**
 * Provenance of an image in a layout on disk. The origin verifies the digest that is given,
 * which is an index.
 */
async function runLayout(vector: VectorCase, read: ReadFile): Promise<Verdict> {
  const folder = one(vector, "ociLayout");
  const files = new Map<string, Promise<Uint8Array<ArrayBuffer> | undefined>>();
  const file = (path: string) => {
    const known = files.get(path) ?? read(`${folder}${path}`).catch(() => undefined);
    files.set(path, known);
    return known;
  };
  const layout = createLayout({
    name: folder,
    size: async (path) => (await file(path))?.length,
    open: async (path) => new Blob([await file(path) ?? new Uint8Array()]).stream(),
    // What refers to an image is in its index here; folders cannot be listed in every runtime.
    names: () => Promise.resolve([]),
  });
  return await byEachBuilder(
    vector,
    read,
    (options) =>
      verifyImage(layout, String(vector.options?.imageDigest), {
        indexOnly: true,
        verify: options,
      }),
  );
}

/** The verdict that every builder id of a case has to give. */
async function byEachBuilder(
  vector: VectorCase,
  read: ReadFile,
  run: (options: VerifyOptions) => Promise<VerificationReport>,
): Promise<Verdict> {
  const { options = {} } = vector;
  const rootText = text(await read(one(vector, "trustedRoot")));
  const root = roots.get(rootText) ?? parseTrustedRoot(rootText);
  roots.set(rootText, root);
  const provenance: ProvenanceExpectation = { builders: ORIGIN_BUILDERS };
  for (
    const name of ["sourceUri", "sourceBranch", "sourceTag", "sourceVersionedTag"] as const
  ) {
    const value = options[name];
    if (typeof value === "string") provenance[name] = value;
  }
  const inputs = options.buildWorkflowInputs;
  if (typeof inputs === "object" && inputs !== null) {
    provenance.workflowInputs = Object.fromEntries(
      Object.entries(inputs).map(([name, value]) => [name, String(value)]),
    );
  }
  const { builderId = null, builderIdVariants = [builderId] } = options;
  const verdicts: Verdict[] = [];
  for (const builder of Array.isArray(builderIdVariants) ? builderIdVariants : [builderId]) {
    const report = await run({
      trust: { trustedRoots: [root], onlyRoot: true },
      expect: {
        provenance: typeof builder === "string"
          ? { ...provenance, builderId: builder }
          : provenance,
      },
    });
    verdicts.push(verdictOf(vector, report));
  }
  const [first] = verdicts;
  if (verdicts.some(({ verdict }) => verdict !== first.verdict)) {
    throw new Error(`${vector.id}: its builder ids give different verdicts`);
  }
  return first;
}

/** A signature over an image as containers/image keeps it, beside the image's manifest. */
async function runCosignSignature(vector: VectorCase, read: ReadFile): Promise<Verdict> {
  const keys = await keysOf(text(await read(one(vector, "key"))), {});
  const source = one(vector, "signature");
  const artifact = { name: one(vector, "manifest"), content: await read(one(vector, "manifest")) };
  const report = await verify({ source, content: await read(source) }, artifact, {
    trust: { keys, onlyRoot: true },
  });
  return verdictOf(vector, report);
}

/**
 * A Notation signature. Cases of one step take the chain's own root for trusted, so that they
 * say nothing of authenticity; a case without a trust store is one of them.
 */
async function runNotation(vector: VectorCase, read: ReadFile): Promise<Verdict> {
  const { options = {}, scope } = vector;
  const signature = await read(one(vector, "signature"));
  const files = async (name: string) => {
    const paths = options[name];
    return await Promise.all((Array.isArray(paths) ? paths.map(String) : []).map(read));
  };
  const timestampAuthorities = await files("trustStoreTsa");
  const own = scope?.startsWith("step:") === true ? ownRootOf(signature) : undefined;
  const authorities = own === undefined ? await files("trustStoreCa") : [own];
  const certificates = createCertificateTrust({
    authorities,
    signingAuthorities: own === undefined ? await files("trustStoreSigningAuthority") : [own],
    timestampAuthorities,
    unsafelyAcceptAnyIdentity: true,
  });
  const result = await verifyFormat(signature, { certificates });
  return result.ok ? ACCEPTED : refusal(result.errorReason, result.error.message);
}

/** The last certificate of a signature of Notation. */
function ownRootOf(signature: Uint8Array): Uint8Array | undefined {
  if (signature[0] === 0xd2) {
    const { value } = decodeCbor(signature) as CborTag;
    const chain = (value[1] as CborMap).get(33);
    return Array.isArray(chain) ? chain.at(-1) as Uint8Array : undefined;
  }
  const value = parseJson(signature) as { header?: { x5c?: unknown } };
  const chain = value.header?.x5c;
  const last: unknown = Array.isArray(chain) ? chain.at(-1) : undefined;
  return typeof last === "string" ? decodeBase64(last) : undefined;
}

async function runFormat(vector: VectorCase, read: ReadFile): Promise<Verdict> {
  await runFormatCase(vector, read);
  return ACCEPTED;
}

function verdictOf({ id }: VectorCase, report: VerificationReport): Verdict {
  if (report.ok) return ACCEPTED;
  const failed = report.artifacts.flatMap(({ attestations }) => attestations)
    .flatMap(({ checks }) => checks).find(({ reason }) => reason === report.errorReason);
  if (report.errorReason === null || report.errorReason === "internal-error") {
    throw new Error(`${id}: ${failed?.message ?? "refused without a reason"}`);
  }
  return refusal(report.errorReason, failed?.message ?? "refused");
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
 * expressions search, ours match all of it. The group keeps `^`, `$` and `|` as they are.
 */
export function anchored(pattern: string): string {
  return `[^]*(?:${pattern})[^]*`;
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
