import { AttestationError } from "../errors.ts";
import { digest } from "../internal/digest.ts";
import { encodeHex } from "../internal/hex.ts";
import { isObject, parseJson, quote } from "../internal/json.ts";
import { detectFormat } from "../intoto/detect.ts";
import { digestFault, type DigestSet, normalizeDigest } from "../intoto/digest_set.ts";
import { DEFAULT_LIMITS, loadAttestations } from "../verify/load.ts";

/** What an attestation says that it is about. Nobody has verified it. */
export interface Claims {
  /** Digests of each subject that has one, as stated. */
  readonly subjects: readonly DigestSet[];
  /** Type of the predicate; absent where there is no Statement. */
  readonly predicateType?: string;
}

/** A copy of what is put, which its caller cannot change while it is read and written. */
export function copyContent(given: Uint8Array): Uint8Array<ArrayBuffer> {
  if (!(given instanceof Uint8Array)) throw new TypeError("An attestation is put as its bytes");
  return new Uint8Array(given);
}

/** Bounds of {@linkcode readClaims}. */
export interface ClaimLimits {
  /** Bytes of the attestation. */
  maxBytes: number;
  /** Subjects of its Statement. */
  maxSubjects: number;
}

/** What stores accept unless told otherwise. */
export const CLAIM_LIMITS: ClaimLimits = {
  maxBytes: DEFAULT_LIMITS.maxAttestationBytes,
  maxSubjects: 10_000,
};

const ID = /^sha256:([0-9a-f]{64})$/;

/**
 * Reads what one attestation is about: a Sigstore bundle, a DSSE envelope or a bare Statement.
 *
 * @throws {AttestationError} What parsing it refuses; `unknown-format` for anything else, a
 * list of several included; `missing-subject-digest`; `limit-exceeded`.
 */
export async function readClaims(
  content: Uint8Array,
  limits: ClaimLimits = CLAIM_LIMITS,
): Promise<Claims> {
  const { maxBytes, maxSubjects } = limits;
  if (content.length > maxBytes) {
    throw new AttestationError(
      "limit-exceeded",
      `Cannot keep attestation: it has ${content.length} bytes, at most ${maxBytes} are accepted`,
    );
  }
  const value = parseJson(content, { maxLength: Math.max(1, content.length) });
  if (!isObject(value) || detectFormat(value).endsWith("-attestations")) {
    throw new AttestationError(
      "unknown-format",
      "Cannot keep attestation: it is a list of several, or no JSON object; keep each by itself",
    );
  }
  const [loaded] = await loadAttestations({ source: "attestation", content: value }, 0, {
    ...DEFAULT_LIMITS,
    maxAttestationBytes: maxBytes,
    maxSubjects,
  });
  if ("error" in loaded) throw loaded.error;
  if (loaded.unverifiedStatement !== undefined) {
    if ("error" in loaded.unverifiedStatement) throw loaded.unverifiedStatement.error;
    const { subject, predicateType } = loaded.unverifiedStatement.value;
    return withDigest({ subjects: subject.map(({ digest = {} }) => digest), predicateType });
  }
  if ("bundle" in loaded && loaded.bundle.content.kind === "message") {
    const { digest } = loaded.bundle.content;
    const subject = digest === undefined ? {} : { [digest.algorithm]: encodeHex(digest.value) };
    return withDigest({ subjects: [subject] });
  }
  throw new AttestationError("unknown-format", "Cannot keep attestation: it has no subject");
}

function withDigest(claims: Claims): Claims {
  const subjects = claims.subjects.filter((digest) => Object.keys(digest).length > 0);
  if (subjects.length > 0) return { ...claims, subjects };
  throw new AttestationError(
    "missing-subject-digest",
    "Cannot keep attestation: no subject has a digest, so nothing could find it again",
  );
}

/** Name of content in a store. */
export async function contentId(content: Uint8Array): Promise<string> {
  return `sha256:${encodeHex(await digest("SHA-256", content))}`;
}

/**
 * The hex of an id, which is safe as a file name.
 *
 * @throws {AttestationError} `invalid-digest`.
 */
export function hexOfId(id: string): string {
  const match = ID.exec(id);
  if (match !== null) return match[1];
  throw new AttestationError(
    "invalid-digest",
    `Cannot use ${quote(id)} as the id of an attestation: wanted sha256: and 64 lowercase hex`,
  );
}

/** One digest of a subject, as an index knows it. */
export interface SubjectKey {
  /** Name of the algorithm, as stated. */
  readonly algorithm: string;
  /** Its value, hex in lower case. */
  readonly value: string;
}

/**
 * The digests to look for.
 *
 * @throws {AttestationError} `invalid-digest`.
 * @throws {TypeError} If there is none.
 */
export function wantedKeys(subject: DigestSet): SubjectKey[] {
  const keys = Object.entries(subject).map(([algorithm, value]) => {
    const fault = digestFault(algorithm, value, false);
    if (fault === undefined) return { algorithm, value: normalizeDigest(algorithm, value) };
    throw new AttestationError(
      "invalid-digest",
      `Cannot look for digest ${quote(algorithm)}: ${fault}`,
    );
  });
  if (keys.length === 0) throw new TypeError("A subject to look for has no digest");
  return keys;
}

/** All digests that an attestation can be found by, each once. */
export function subjectKeys({ subjects }: Claims): SubjectKey[] {
  const keys = new Map<string, SubjectKey>();
  for (const digests of subjects) {
    for (const [algorithm, stated] of Object.entries(digests)) {
      const value = normalizeDigest(algorithm, stated);
      keys.set(keyText({ algorithm, value }), { algorithm, value });
    }
  }
  return [...keys.values()];
}

/** A digest as one text, another one for every other digest. */
export function keyText({ algorithm, value }: SubjectKey): string {
  return JSON.stringify([algorithm, value]);
}

/** Whether an attestation states a subject with one of the digests. */
export function states({ subjects }: Claims, wanted: readonly SubjectKey[]): boolean {
  return subjects.some((digests) =>
    wanted.some(({ algorithm, value }) =>
      Object.hasOwn(digests, algorithm) &&
      normalizeDigest(algorithm, digests[algorithm]) === value
    )
  );
}
