import { AttestationError } from "../errors.ts";
import { isObject, type JsonObject, parseJson, quote } from "../internal/json.ts";
import { pointer } from "../internal/problem.ts";
import type { DigestSet } from "../intoto/digest_set.ts";

/** Type of the payload, which every envelope of Notation has to state. */
export const NOTATION_TYPE = "application/vnd.cncf.notary.payload.v1+json";

/** What a Notation signature is about. */
export interface NotationPayload {
  /** Media type of the artifact. */
  mediaType: string;
  /** Its digest. */
  digest: DigestSet;
  /** Its size in bytes. */
  size: number;
  /** Artifact type, if there is one. */
  artifactType?: string;
  /** What the signer adds. */
  annotations?: JsonObject;
}

/**
 * Reads `application/vnd.cncf.notary.payload.v1+json`.
 *
 * Source: Notary Project, specs/signature-specification.md, "Payload".
 *
 * @param source UTF-8 bytes, at most 1 MiB.
 * @throws {AttestationError} `malformed-signature-payload`, `invalid-digest`, or those of
 * strict JSON.
 */
export function parseNotationPayload(source: Uint8Array): NotationPayload {
  const value = parseJson(source, { maxLength: 1 << 20 });
  if (!isObject(value)) throw malformed("it is no object", "");
  for (const name of Object.keys(value)) {
    // The specification says that only the one member may be there.
    if (name !== "targetArtifact") {
      throw malformed(`it has the unknown member ${quote(name)}`, pointer("", name));
    }
  }
  const target = value.targetArtifact;
  const path = "/targetArtifact";
  if (!isObject(target)) throw malformed("targetArtifact is no object", path);
  const { mediaType, digest, size, artifactType, annotations } = target;
  if (typeof mediaType !== "string" || mediaType === "") {
    throw malformed("mediaType is no text", `${path}/mediaType`);
  }
  if (typeof size !== "number" || !Number.isSafeInteger(size) || size < 0) {
    throw malformed("size is no number of bytes", `${path}/size`);
  }
  if (artifactType !== undefined && typeof artifactType !== "string") {
    throw malformed("artifactType is no text", `${path}/artifactType`);
  }
  if (annotations !== undefined && annotations !== null && !isObject(annotations)) {
    throw malformed("annotations is no object", `${path}/annotations`);
  }
  return {
    mediaType,
    digest: digestOf(digest),
    size,
    ...(artifactType === undefined ? {} : { artifactType }),
    ...(isObject(annotations) ? { annotations } : {}),
  };
}

const LENGTHS: ReadonlyMap<string, number> = new Map([["sha256", 64], ["sha384", 96], [
  "sha512",
  128,
]]);

function digestOf(value: unknown): DigestSet {
  const match = typeof value === "string" ? /^([a-z0-9]+):([0-9a-f]+)$/.exec(value) : null;
  if (match === null || LENGTHS.get(match[1]) !== match[2].length) {
    throw new AttestationError(
      "invalid-digest",
      "Cannot read Notation payload: digest is no digest such as sha256:…",
      { path: "/targetArtifact/digest" },
    );
  }
  return { [match[1]]: match[2] };
}

function malformed(what: string, path: string): AttestationError {
  return new AttestationError(
    "malformed-signature-payload",
    `Cannot read Notation payload: ${what}`,
    { path },
  );
}
