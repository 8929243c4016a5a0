import { AttestationError } from "../errors.ts";
import { asRefusal } from "../internal/check_list.ts";
import { copyJson, isObject, type Json, parseJson } from "../internal/json.ts";
import { refuseUnknown } from "../internal/options.ts";
import { type DecodedEnvelope, parseEnvelope } from "../dsse/envelope.ts";

/** What `gcloud` prints about one image; nothing of it is verified. */
export interface GoogleCloudBuildDocument {
  /** `image_summary.digest`, such as `sha256:…`. */
  imageDigest?: string;
  /** `image_summary.fully_qualified_digest`: the image's name, `@` and its digest. */
  qualifiedDigest?: string;
  /** Each build record, in the order given: at least one. */
  records: GoogleCloudBuildRecord[];
}

/** One element of `provenance_summary.provenance`; nothing of it is verified. */
export interface GoogleCloudBuildRecord {
  /** What is signed, or why it cannot be read. */
  envelope: DecodedEnvelope | AttestationError;
  /**
   * The Statement as text for people, unsigned, wherever it stands: `build.intotoStatement` and
   * `build.inTotoSlsaProvenanceV1`.
   */
  texts: readonly Json[];
  /** Kind of the record; `BUILD` for provenance. */
  kind?: string;
  /** Image that the record is filed under: its name, `@` and its digest. */
  resourceUri?: string;
}

/** Bounds of {@linkcode parseGoogleCloudBuild}. */
export interface GoogleCloudBuildLimits {
  /** Bytes of the whole document. Default 24 MiB. */
  maxBytes?: number;
  /** Records. Default 1000. */
  maxRecords?: number;
}

/**
 * Reads what `gcloud artifacts docker images describe IMAGE --show-provenance --format json`
 * prints: DSSE envelopes, each beside a copy for people that nobody signed. Verifies
 * nothing; an envelope that cannot be read is reported in its place.
 *
 * Source: Google Cloud docs, Cloud Build, "View build provenance".
 *
 * @param source JSON text, UTF-8 bytes or parsed JSON.
 * @param limits Bounds.
 * @throws {AttestationError} `unknown-format` if it is something else,
 * `attestation-not-found` if it has no record, `limit-exceeded`, or those of strict JSON.
 * @throws {TypeError} If a limit is unknown.
 * @throws {RangeError} If a limit is no integer >= 1.
 *
 * @example
 * ```ts
 * import { parseGoogleCloudBuild } from "@x/attest/formats";
 * import assert from "node:assert/strict";
 *
 * const { records } = parseGoogleCloudBuild({
 *   image_summary: { digest: `sha256:${"a".repeat(64)}` },
 *   provenance_summary: {
 *     provenance: [{
 *       kind: "BUILD",
 *       envelope: {
 *         payloadType: "application/vnd.in-toto+json",
 *         payload: "e30=",
 *         signatures: [{ keyid: "projects/verified-builder/…", sig: "AA==" }],
 *       },
 *     }],
 *   },
 * });
 * assert.equal(records[0].kind, "BUILD");
 * ```
 */
export function parseGoogleCloudBuild(
  source: string | Uint8Array | object,
  limits: GoogleCloudBuildLimits = {},
): GoogleCloudBuildDocument {
  refuseUnknown(limits, ["maxBytes", "maxRecords"], "parseGoogleCloudBuild()");
  const { maxBytes = 24 << 20, maxRecords = 1000 } = limits;
  for (const [name, value] of Object.entries({ maxBytes, maxRecords })) {
    // Nothing is more than NaN: it would be no bound at all.
    if (!Number.isSafeInteger(value) || value < 1) {
      throw new RangeError(`${name} is ${value}, wanted an integer >= 1`);
    }
  }
  const value = typeof source === "string" || source instanceof Uint8Array
    ? parseJson(source, { maxLength: maxBytes })
    : copyJson(source);
  if (!isObject(value)) throw unknown("it is no JSON object", "");
  const { image_summary: image, provenance_summary: summary } = value;
  if (!isObject(summary)) throw unknown("it has no provenance_summary", "/provenance_summary");
  const { provenance } = summary;
  const path = "/provenance_summary/provenance";
  if (!Array.isArray(provenance)) throw unknown("its provenance is no list", path);
  if (provenance.length === 0) {
    throw new AttestationError(
      "attestation-not-found",
      "Cannot read build provenance: it has no record",
      { path },
    );
  }
  if (provenance.length > maxRecords) {
    throw new AttestationError(
      "limit-exceeded",
      `Cannot read build provenance: ${provenance.length} records, at most ${maxRecords}`,
      { path },
    );
  }
  const document: GoogleCloudBuildDocument = {
    records: provenance.map((record, i) => readRecord(record, `${path}/${i}`)),
  };
  if (isObject(image)) {
    const { digest, fully_qualified_digest: qualified } = image;
    if (typeof digest === "string") document.imageDigest = digest;
    if (typeof qualified === "string") document.qualifiedDigest = qualified;
  }
  return document;
}

/** Tells whether parsed JSON looks like what {@linkcode parseGoogleCloudBuild} reads. */
export function isGoogleCloudBuild(value: unknown): boolean {
  return isObject(value) && isObject(value.provenance_summary);
}

function readRecord(value: Json, path: string): GoogleCloudBuildRecord {
  if (!isObject(value)) {
    return { envelope: unknown("a record is no JSON object", path), texts: [] };
  }
  const { build, envelope, kind, resourceUri } = value;
  const texts = isObject(build)
    ? [build.intotoStatement, build.inTotoSlsaProvenanceV1].filter((text) => text !== undefined)
    : [];
  const record: GoogleCloudBuildRecord = {
    envelope: readEnvelope(envelope, path),
    texts: texts.filter((text) => text !== null),
  };
  if (typeof kind === "string") record.kind = kind;
  if (typeof resourceUri === "string") record.resourceUri = resourceUri;
  return record;
}

function readEnvelope(value: Json | undefined, path: string): DecodedEnvelope | AttestationError {
  if (!isObject(value)) return unknown("a record has no envelope", `${path}/envelope`);
  try {
    return parseEnvelope(value);
  } catch (error) {
    return asRefusal(error);
  }
}

function unknown(what: string, path: string): AttestationError {
  return new AttestationError("unknown-format", `Cannot read build provenance: ${what}`, { path });
}

const PROJECT = "projects/verified-builder/locations";
const KEY_ID =
  /^projects\/verified-builder\/locations\/[a-z0-9-]{1,64}\/keyRings\/attestor\/cryptoKeys\/([A-Za-z0-9_-]{1,63})\/cryptoKeyVersions\/[1-9]\d{0,8}$/;

/**
 * Id of the key of Google Cloud Build that a file is usually named after: `REGION.key` and
 * `global.key` for the keys called `builtByGCB`, `global-pae-NAME_VERSION.key` for the
 * global keys of any other name.
 *
 * @param fileName Name of a file, without its folder.
 * @returns The id, or undefined for any other name.
 *
 * @example
 * ```ts
 * import { googleCloudBuildKeyId } from "@x/attest/formats";
 * import assert from "node:assert/strict";
 *
 * assert.equal(
 *   googleCloudBuildKeyId("us-west2.key"),
 *   "projects/verified-builder/locations/us-west2/keyRings/attestor/cryptoKeys/builtByGCB/" +
 *     "cryptoKeyVersions/1",
 * );
 * ```
 */
export function googleCloudBuildKeyId(fileName: string): string | undefined {
  const match = /^([a-z0-9-]+?)(?:-pae-([A-Za-z0-9-]+)_([1-9]\d{0,8}))?\.(?:key|pem|pub)$/.exec(
    fileName,
  );
  if (match === null || /(^|-)pae(-|$)/.test(match[1])) return undefined;
  const [, location, name = "builtByGCB", version = "1"] = match;
  return `${PROJECT}/${location}/keyRings/attestor/cryptoKeys/${name}/cryptoKeyVersions/${version}`;
}

/**
 * What a key of Google Cloud Build signs, by its id: those called `builtByGCB`, of the times
 * before DSSE, the bare payload; all others the encoding of DSSE. Undefined for an id that
 * is none of theirs.
 */
export function signedFormOf(keyid: string): "payload" | "pae" | undefined {
  const match = KEY_ID.exec(keyid);
  if (match === null) return undefined;
  return match[1] === "builtByGCB" ? "payload" : "pae";
}
