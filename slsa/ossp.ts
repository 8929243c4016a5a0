import { AttestationError, isAttestationError, type Reason } from "../errors.ts";
import type { Envelope } from "../dsse/envelope.ts";
import { verifyEnvelope } from "../dsse/verify.ts";
import { isObject, type Json, type JsonObject, parseJson, quote } from "../internal/json.ts";
import { refuseUnknown } from "../internal/options.ts";
import { parseTimestamp } from "../internal/timestamp.ts";
import type { DigestSet } from "../intoto/digest_set.ts";
import type { ResourceDescriptor } from "../intoto/resource_descriptor.ts";
import type { Statement } from "../intoto/statement.ts";
import type { KeyAlgorithm } from "../keys/algorithm.ts";
import { importTrustedKey } from "../keys/trusted_key.ts";
import { createProvenance } from "./create.ts";
import { canonicalRepository, isCommit } from "./source.ts";

/** Something that goes into a build or comes out of it, by its name. */
export interface NamedArtifact {
  /** Its name. */
  name: string;
}

/**
 * The earlier minimal payload, `ossp-v0`. It looks like a Statement v0.1 and is none: it
 * has neither subject nor predicate, so its signature is about no artifact, and it can be
 * shown again for another one.
 */
export interface ProvenancePayload {
  /** Always that of Statement v0.1. */
  _type: "https://in-toto.io/Statement/v0.1";
  /** Kind of build; no URI. */
  buildType: string;
  /** Who built. */
  builder: {
    /** Name of the builder. */
    id: string;
  };
  /** What was built from. */
  materials: Json[];
  /** The run. */
  metadata: {
    /** Commit that was built. */
    commit: string;
    /** Time of the build. */
    timestamp?: string;
    /** Tool that built. */
    buildTool?: string;
  };
  /** What went in. */
  inputs?: NamedArtifact[];
  /** What came out, without digests. */
  outputs?: NamedArtifact[];
}

/** What {@linkcode createProvenancePayload} is made from. */
export interface NewProvenancePayload {
  /** Name of the builder. */
  builderId: string;
  /** Commit that was built. */
  commit: string;
  /** What was built from; may be empty. */
  materials: readonly Json[];
  /** Kind of build. Default `ossp-manifest-v1`. */
  buildType?: string;
  /** Time of the build. */
  timestamp?: Date;
  /** Tool that built. */
  buildTool?: string;
  /** What went in. */
  inputs?: readonly NamedArtifact[];
  /** What came out. */
  outputs?: readonly NamedArtifact[];
}

/** Whose signature {@linkcode validateProvenance} accepts. */
export interface ProvenancePayloadTrust {
  /** Public key: PEM (SPKI) or JWK text. */
  pubkey: string;
  /** Its algorithm. Default: the usual one of its kind. */
  alg?: KeyAlgorithm;
  /** Accepted payload types, exact. Default `application/vnd.in-toto+json`. */
  payloadTypes?: readonly string[];
}

/** Answer of {@linkcode validateProvenance}. */
export type ProvenancePayloadResult =
  | {
    /** Accepted. */
    ok: true;
    /** Nothing failed. */
    errorReason: null;
    /** What was signed; it is about no artifact in particular. */
    payload: ProvenancePayload;
  }
  | {
    /** Refused. */
    ok: false;
    /** Why. */
    errorReason: Reason;
    /** Where and what, for people. */
    error: AttestationError;
  };

/** What a minimal payload lacks to become a Statement. */
export interface PayloadUpgrade {
  /** Digests of each output, by its name. */
  digests: Readonly<Record<string, DigestSet>>;
  /** Repository of the commit. Default: the commit stands alone. */
  sourceUri?: string;
}

const STATEMENT_V0_1 = "https://in-toto.io/Statement/v0.1";
const IN_TOTO = "application/vnd.in-toto+json";

/**
 * Makes a payload of the earlier minimal format `ossp-v0`. For readers that know nothing
 * else: new attestations are made by {@linkcode createProvenance}.
 *
 * @throws {AttestationError} `missing-builder-id`, `missing-commit`, `missing-materials`.
 * @throws {TypeError} If a member is unknown, or the time is no valid Date.
 *
 * @example
 * ```ts
 * import { createEnvelope } from "@x/attest/dsse";
 * import { generateSigner } from "@x/attest/keys";
 * import { createProvenancePayload, validateProvenance } from "@x/attest/slsa";
 * import assert from "node:assert/strict";
 *
 * const { signer, publicKey } = await generateSigner("Ed25519");
 * const payload = createProvenancePayload({ builderId: "ci", commit: "abc123", materials: [] });
 * const envelope = await createEnvelope("application/vnd.in-toto+json", payload, signer);
 * const result = await validateProvenance(envelope, { pubkey: publicKey, alg: "Ed25519" });
 * assert.ok(result.ok);
 * ```
 */
export function createProvenancePayload(content: NewProvenancePayload): ProvenancePayload {
  refuseUnknown(content, [
    "builderId",
    "commit",
    "materials",
    "buildType",
    "timestamp",
    "buildTool",
    "inputs",
    "outputs",
  ], "createProvenancePayload()");
  const { builderId, commit, materials, buildType = "ossp-manifest-v1" } = content;
  const payload: ProvenancePayload = {
    _type: STATEMENT_V0_1,
    buildType,
    builder: { id: builderId },
    materials: Array.isArray(materials) ? structuredClone([...materials]) : materials as Json[],
    metadata: { commit },
  };
  if (content.timestamp !== undefined) {
    if (Number.isNaN(content.timestamp.getTime())) {
      throw new TypeError("Cannot create provenance: timestamp is no valid Date");
    }
    payload.metadata.timestamp = content.timestamp.toISOString();
  }
  if (content.buildTool !== undefined) payload.metadata.buildTool = content.buildTool;
  if (content.inputs !== undefined) payload.inputs = content.inputs.map(({ name }) => ({ name }));
  if (content.outputs !== undefined) {
    payload.outputs = content.outputs.map(({ name }) => ({ name }));
  }
  checkPayload(payload);
  return payload;
}

/**
 * Verifies the signature of an envelope with the earlier minimal payload `ossp-v0`, and
 * that the payload names its builder, materials and commit.
 *
 * It binds no artifact: `verify()` refuses this format, and this function is its only
 * reader. The name is the one that its users know.
 *
 * @param envelope DSSE envelope as JSON text, bytes or parsed.
 * @param trust The one key that is believed.
 * @returns `ok: true` with the payload as signed, or `ok: false` with `invalid-signature`,
 * `missing-builder-id`, `missing-materials`, `missing-commit`, `malformed-predicate`,
 * `unsupported-payload-type`, or the reasons of `verifyEnvelope()` and strict JSON.
 * @throws {TypeError} If an option is unknown.
 *
 * @example Nobody says who built it
 * ```ts
 * import { createEnvelope } from "@x/attest/dsse";
 * import { generateSigner } from "@x/attest/keys";
 * import { validateProvenance } from "@x/attest/slsa";
 * import assert from "node:assert/strict";
 *
 * const { signer, publicKey } = await generateSigner("ES256");
 * const payload = { builder: {}, materials: [], metadata: { commit: "abc123" } };
 * const envelope = await createEnvelope("application/vnd.in-toto+json", payload, signer);
 * const { errorReason } = await validateProvenance(envelope, { pubkey: publicKey, alg: "ES256" });
 * assert.equal(errorReason, "missing-builder-id");
 * ```
 */
export async function validateProvenance(
  envelope: Envelope | object | string | Uint8Array,
  trust: ProvenancePayloadTrust,
): Promise<ProvenancePayloadResult> {
  refuseUnknown(trust, ["pubkey", "alg", "payloadTypes"], "validateProvenance()");
  const { pubkey, alg, payloadTypes = [IN_TOTO] } = trust;
  try {
    const key = await importTrustedKey(pubkey, alg === undefined ? {} : { alg });
    const verified = await verifyEnvelope(envelope, {
      keys: [key],
      payloadTypes: [...payloadTypes],
    });
    if (!verified.ok) return verified;
    const payload = parseJson(verified.payload);
    checkPayload(payload);
    return { ok: true, errorReason: null, payload };
  } catch (error) {
    if (!isAttestationError(error)) throw error;
    return { ok: false, errorReason: error.reason, error };
  }
}

/** The minimal payload in the bytes of an envelope, or undefined; nothing of it is verified. */
export function findProvenancePayload(bytes: Uint8Array): ProvenancePayload | undefined {
  try {
    const payload = parseJson(bytes);
    // With a subject it is a Statement, good or bad.
    if (!isObject(payload) || Object.hasOwn(payload, "subject")) return undefined;
    checkPayload(payload);
    return payload;
  } catch (error) {
    if (isAttestationError(error)) return undefined;
    throw error;
  }
}

/**
 * Translates the earlier minimal payload to a Statement with SLSA provenance v1, which has
 * to be signed anew. Names that are no URI become `urn:ossp-v0:…`.
 *
 * @param payload What {@linkcode validateProvenance} accepted.
 * @param upgrade What it lacks: digests of its outputs, which become the subjects.
 * @throws {AttestationError} `missing-legacy-subject` (an output without digest, or no
 * output), `invalid-digest` (the commit is not 40 or 64 hex digits), `invalid-timestamp`,
 * `invalid-uri` (`sourceUri`), and what {@linkcode createProvenance} refuses.
 * @throws {TypeError} If a member of `upgrade` is unknown.
 *
 * @example
 * ```ts
 * import { createProvenancePayload, upgradeProvenancePayload } from "@x/attest/slsa";
 * import assert from "node:assert/strict";
 *
 * const payload = createProvenancePayload({
 *   builderId: "ci",
 *   commit: "c".repeat(40),
 *   materials: [],
 *   outputs: [{ name: "app.tgz" }],
 * });
 * const statement = upgradeProvenancePayload(payload, {
 *   digests: { "app.tgz": { sha256: "a".repeat(64) } },
 *   sourceUri: "github.com/acme/app",
 * });
 * assert.equal(statement.predicateType, "https://slsa.dev/provenance/v1");
 * ```
 */
export function upgradeProvenancePayload(
  payload: ProvenancePayload,
  upgrade: PayloadUpgrade,
): Statement {
  refuseUnknown(upgrade, ["digests", "sourceUri"], "upgradeProvenancePayload()");
  checkPayload(payload);
  const { digests, sourceUri } = upgrade;
  const { buildType, builder, metadata, inputs = [], outputs = [] } = payload;
  if (outputs.length === 0) throw noSubject("it names no output");
  const subject = outputs.map(({ name }): ResourceDescriptor => {
    const digest = Object.hasOwn(digests, name) ? digests[name] : undefined;
    if (digest === undefined) throw noSubject(`no digest of ${quote(name)} is given`);
    return { name, digest };
  });
  if (!isCommit(metadata.commit)) {
    throw new AttestationError(
      "invalid-digest",
      `Cannot upgrade payload: commit ${quote(metadata.commit)} is not 40 or 64 hex digits`,
      { path: "/metadata/commit" },
    );
  }
  const source: ResourceDescriptor = { digest: { gitCommit: metadata.commit.toLowerCase() } };
  if (sourceUri !== undefined) {
    source.uri = canonicalRepository(sourceUri);
    if (source.uri === undefined) {
      throw new AttestationError(
        "invalid-uri",
        `Cannot upgrade payload: ${quote(sourceUri)} is no repository`,
      );
    }
  }
  const finishedOn = metadata.timestamp === undefined ? undefined : timeOf(metadata.timestamp);
  return createProvenance({
    subject,
    buildType: uriOf(buildType, "build-type"),
    externalParameters: { inputs: inputs.map(({ name }) => ({ name })) },
    ...(metadata.buildTool === undefined
      ? {}
      : { internalParameters: { buildTool: metadata.buildTool } }),
    resolvedDependencies: [source, ...payload.materials.map(resourceOf)],
    builderId: uriOf(builder.id, "builder"),
    ...(finishedOn === undefined ? {} : { finishedOn }),
  });
}

function resourceOf(material: Json): ResourceDescriptor {
  if (typeof material === "string") return { name: material };
  return material as ResourceDescriptor;
}

function timeOf(text: string): Date {
  const time = parseTimestamp(text);
  if (time !== undefined) return time;
  throw new AttestationError(
    "invalid-timestamp",
    `Cannot upgrade payload: found time ${quote(text)}, wanted RFC 3339 in UTC with Z`,
    { path: "/metadata/timestamp" },
  );
}

function uriOf(name: string, kind: string): string {
  return /^[a-z][a-z0-9+.-]*:/.test(name)
    ? name
    : `urn:ossp-v0:${kind}:${encodeURIComponent(name)}`;
}

function noSubject(what: string): AttestationError {
  return new AttestationError("missing-legacy-subject", `Cannot upgrade payload: ${what}`, {
    path: "/outputs",
  });
}

function checkPayload(value: unknown): asserts value is ProvenancePayload {
  if (!isObject(value)) throw malformed("", "it is no JSON object");
  const { builder, materials, metadata, buildType } = value;
  if (!isObject(builder) || builder.id === undefined || builder.id === null || builder.id === "") {
    throw missing("missing-builder-id", "/builder/id", "it names no builder");
  }
  if (typeof builder.id !== "string") throw malformed("/builder/id", "it is not a string");
  if (materials === undefined || materials === null) {
    throw missing("missing-materials", "/materials", "it has no list of materials");
  }
  if (!Array.isArray(materials)) throw malformed("/materials", "it is not an array");
  const commit = isObject(metadata) ? metadata.commit : undefined;
  if (commit === undefined || commit === null || commit === "") {
    throw missing("missing-commit", "/metadata/commit", "it names no commit");
  }
  if (typeof commit !== "string") throw malformed("/metadata/commit", "it is not a string");
  const texts: [string, Json | undefined][] = [
    ["/buildType", buildType],
    ["/metadata/timestamp", (metadata as JsonObject).timestamp],
    ["/metadata/buildTool", (metadata as JsonObject).buildTool],
  ];
  for (const [path, text] of texts) {
    if (text !== undefined && typeof text !== "string") throw malformed(path, "it is not a string");
  }
  for (const name of ["inputs", "outputs"]) {
    const list = value[name];
    if (list === undefined) continue;
    const isNamed = Array.isArray(list) &&
      list.every((item) => isObject(item) && typeof item.name === "string");
    if (!isNamed) throw malformed(`/${name}`, "it is no list of objects with a name");
  }
}

function missing(reason: Reason, path: string, what: string): AttestationError {
  return new AttestationError(reason, `Cannot accept payload: ${what}`, { path });
}

function malformed(path: string, what: string): AttestationError {
  return new AttestationError("malformed-predicate", `Cannot read payload: ${what}`, { path });
}
