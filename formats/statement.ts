import { AttestationError, isAttestationError } from "../errors.ts";
import { utf8 } from "../internal/bytes.ts";
import { digest } from "../internal/digest.ts";
import { encodeHex } from "../internal/hex.ts";
import {
  decodeUtf8,
  isObject,
  type Json,
  type JsonObject,
  parseJson,
  quote,
} from "../internal/json.ts";
import type { DigestSet } from "../intoto/digest_set.ts";
import type { ResourceDescriptor } from "../intoto/resource_descriptor.ts";
import { parseStatement, type Statement } from "../intoto/statement.ts";
import { checksumSubjects, parseChecksums } from "../intoto/subjects/checksums.ts";
import {
  BILL_TYPES,
  isSpdx3,
  subjectsOfCycloneDx,
  subjectsOfSpdx,
  subjectsOfSpdx3,
} from "./bill_of_materials.ts";
import type { FormatEnvelope, FormatStatement, ImplicitLayer } from "./format.ts";
import type { FormatId } from "./format_id.ts";
import { type HelmProvenance, isHelmText, parseHelmText } from "./helm.ts";
import { NOTATION_TYPE, parseNotationPayload } from "./notation_payload.ts";
import { parseSimpleSigning } from "./simple_signing.ts";
import { subjectsOfTargets } from "./_tuf_subjects.ts";

const V1 = "https://in-toto.io/Statement/v1";
const LINK = "https://in-toto.io/Link/v1";
/** Predicate type of a bare signature: nothing is said of its subjects but that they are signed. */
export const RAW_TYPE = "raw-artifact-signature";
/** Predicate type of what Helm says of a chart: what its `Chart.yaml` calls it. */
export const HELM_TYPE = "helm-provenance";

const MAX_BYTES = 16 << 20;

type MessageKind =
  | "in-toto"
  | "simple-signing"
  | "notation"
  | "spdx"
  | "cyclonedx"
  | "helm"
  | "checksums"
  | "tuf-targets";

/** Kinds of messages by the media type that says how to read them. */
const KINDS: ReadonlyMap<string, MessageKind> = new Map([
  ["application/vnd.dev.cosign.simplesigning.v1+json", "simple-signing"],
  [NOTATION_TYPE, "notation"],
  ["application/spdx+json", "spdx"],
  ["application/vnd.cyclonedx+json", "cyclonedx"],
]);
/** Formats that sign the canonical form of OLPC, which nothing but themselves reads. */
const OWN_KINDS: ReadonlyMap<FormatId, MessageKind> = new Map([
  ["in-toto-metablock", "in-toto"],
  ["tuf-targets", "tuf-targets"],
]);
/**
 * What a format that states no type may hold, where it is not whatever has marks: a file that
 * somebody signed as a file, be it a Statement, is not what they say.
 */
const UNTYPED: ReadonlyMap<FormatId, readonly MessageKind[]> = new Map([
  ["binary-authorization", ["simple-signing"]],
  ["checkpoint", []],
  ["cms-signature", ["checksums"]],
  ["minisign", ["checksums"]],
  ["signed-note", []],
  ["signify", ["checksums"]],
  ["tlog-proof", []],
]);
const IN_TOTO = /^application\/vnd\.in-toto(\.[a-z0-9][a-z0-9.-]*)?\+json$/;
/** Types of JOSE that say nothing of what is in the message (RFC 7515, 4.1.9; RFC 7519, 5.1). */
const GENERIC: ReadonlySet<string> = new Set([
  "application/jwt",
  "application/jose",
  "application/jose+json",
  "application/json",
]);

/**
 * The Statement that an envelope's message makes. Only what a trusted signer's signature
 * covers becomes one: an envelope without a good signature is refused.
 *
 * @throws {AttestationError} `invalid-signature`, `unsupported-payload-type`,
 * `ambiguous-format` (its message can be read in two ways), or why the message cannot be read.
 *
 * @example
 * ```ts
 * import { importTrustedKey } from "@x/attest/keys";
 * import { readFormatStatement, verifyFormat } from "@x/attest/formats";
 * import assert from "node:assert/strict";
 *
 * const key = await importTrustedKey(
 *   new Uint8Array(32).fill(2),
 *   { alg: "Ed25519" },
 * ).catch(() => undefined);
 * const result = await verifyFormat("v4.public.AAAA", { keys: key === undefined ? [] : [key] });
 * assert.equal(result.ok, false);
 * assert.equal(typeof readFormatStatement, "function");
 * ```
 */
export function readFormatStatement(envelope: FormatEnvelope): FormatStatement {
  const { format, message, messageType, signers, statement, refusal } = envelope;
  if (refusal !== undefined) throw refusal;
  const isSigned = signers.some(({ ok }) => ok);
  if (isSigned && statement !== undefined) return statement;
  if (!isSigned || message === undefined) {
    throw new AttestationError(
      "invalid-signature",
      "Cannot read Statement: no trusted signature covers it",
    );
  }
  return decodeMessage(message, format, messageType);
}

/**
 * What a signature says that lies in its artifact: nothing but that the file is signed. The
 * subject is the file as it was given; its digest is measured, and signed by way of what the
 * signature covers of it.
 *
 * @param isTyped Whether the signature covers the type of what it is over.
 */
export async function artifactStatement(
  file: Uint8Array,
  isTyped: boolean,
): Promise<FormatStatement> {
  const sha256 = encodeHex(await digest("SHA-256", file));
  const type: ImplicitLayer[] = isTyped ? [] : ["messageType"];
  return made([{ digest: { sha256 } }], RAW_TYPE, {}, ["subject", ...type, "predicateType"]);
}

/**
 * Reads a message as a Statement. Of what is not verified it is for display only.
 *
 * @throws {AttestationError} As {@linkcode readFormatStatement}.
 */
export function decodeMessage(
  message: Uint8Array,
  format: FormatId,
  type?: { value: string; authenticated: boolean },
): FormatStatement {
  if (message.length > MAX_BYTES) {
    throw new AttestationError(
      "limit-exceeded",
      `Cannot read message: ${message.length} bytes, at most ${MAX_BYTES} are accepted`,
    );
  }
  const stated = OWN_KINDS.get(format) ?? kindOfType(type?.value);
  const implicit: ImplicitLayer[] = stated === undefined || type?.authenticated !== true
    ? ["messageType"]
    : [];
  const kind = stated ?? sniff(message);
  if (UNTYPED.get(format)?.includes(kind) === false) throw unsupported(kind);
  // A Notation payload means nothing in another envelope, nor another message in Notation's.
  if ((kind === "notation") !== (format === "notation-jws" || format === "notation-cose")) {
    throw unsupported(type?.value ?? kind);
  }
  if (kind === "simple-signing" && format === "openpgp") refuseCosign(message);
  const found = READERS[kind](OWN_KINDS.has(format) ? fromOlpc(message) : message);
  return { ...found, implicit: [...implicit, ...found.implicit] };
}

/** A media type as it is compared. RFC 7515, 4.1.9: `application/` is left out where no other slash is there. */
function fullType(type: string): string {
  const lower = type.toLowerCase();
  return lower.includes("/") ? lower : `application/${lower}`;
}

/** Tells whether a type of JOSE says nothing of what is in the message. */
export function isGenericType(type: string): boolean {
  return GENERIC.has(fullType(type));
}

/** Tells whether a type is that of a JWT: RFC 7519, 5.1; RFC 8725, 3.11. */
export function isJwtType(type: string): boolean {
  return /^application\/([a-z0-9.-]+\+)?jwt$/.test(fullType(type));
}

function kindOfType(type: string | undefined): MessageKind | undefined {
  if (type === undefined || isGenericType(type)) return undefined;
  const full = fullType(type);
  if (IN_TOTO.test(full)) return "in-toto";
  const [withoutParameters] = full.split(";", 1);
  const kind = KINDS.get(withoutParameters);
  if (kind === undefined) throw unsupported(type);
  return kind;
}

/** Kinds of messages that are about something else, and never the thing itself. */
const SAYINGS: ReadonlySet<MessageKind | undefined> = new Set<MessageKind | undefined>([
  "in-toto",
  "simple-signing",
  "notation",
]);

/** Tells whether a type says of a message that it is about something else. */
export function isStatementType(type: string): boolean {
  try {
    return SAYINGS.has(kindOfType(type));
  } catch {
    return false;
  }
}

/** Tells by its marks what a message is whose type nobody states; two marks are one too many. */
function sniff(message: Uint8Array): MessageKind {
  const start = message.findIndex((byte) => byte !== 32 && (byte < 9 || byte > 13));
  if (message[start] !== 123) {
    return isHelmText(decodeUtf8(message)) ? "helm" : "checksums";
  }
  const value = objectOf(message);
  const has = (name: string) => Object.hasOwn(value, name);
  const kinds: MessageKind[] = [];
  if (has("_type")) kinds.push("in-toto");
  if (has("critical")) kinds.push("simple-signing");
  if (has("targetArtifact")) kinds.push("notation");
  if (has("spdxVersion") || isSpdx3(value)) kinds.push("spdx");
  if (has("bomFormat")) kinds.push("cyclonedx");
  if (kinds.length > 1) {
    throw new AttestationError(
      "ambiguous-format",
      `Cannot read message: it has the marks of ${kinds.join(" and ")}`,
    );
  }
  if (kinds.length === 0) throw unsupported("JSON of no known kind");
  return kinds[0];
}

const READERS: Readonly<Record<MessageKind, (message: Uint8Array) => FormatStatement>> = {
  "in-toto": readInToto,
  "simple-signing": (message) => {
    const { type, manifestDigest, reference, optional = {} } = parseSimpleSigning(message);
    const [algorithm, hex] = manifestDigest.split(":");
    const name = reference === "" ? {} : { name: reference };
    return made([{ ...name, digest: { [algorithm]: hex } }], type, optional, []);
  },
  "notation": (message) => {
    const { mediaType, digest, ...rest } = parseNotationPayload(message);
    return made(
      [{ digest, mediaType }],
      NOTATION_TYPE,
      { targetArtifact: { mediaType, ...rest } },
      [
        "predicateType",
      ],
    );
  },
  "spdx": (message) => {
    const bill = objectOf(message);
    return isSpdx3(bill)
      ? made(subjectsOfSpdx3(bill), BILL_TYPES.spdx3, bill, ["predicateType"])
      : made(subjectsOfSpdx(bill), BILL_TYPES.spdx, bill, ["predicateType"]);
  },
  "cyclonedx": (message) => {
    const bill = objectOf(message);
    return made(subjectsOfCycloneDx(bill), BILL_TYPES.cyclonedx, bill, ["predicateType"]);
  },
  "helm": (message) => {
    const { files, name, version }: HelmProvenance = parseHelmText(decodeUtf8(message));
    const subjects = Object.entries(files).map(([file, sha256]) => ({
      name: file,
      digest: { sha256 },
    }));
    return made(subjects, HELM_TYPE, { name, version }, ["predicateType"]);
  },
  "checksums": (message) => {
    let subjects: ResourceDescriptor[];
    try {
      subjects = checksumSubjects(parseChecksums(message));
    } catch (cause) {
      if (!isAttestationError(cause) || cause.reason !== "malformed-checksums") throw cause;
      throw new AttestationError(
        "unsupported-payload-type",
        "Cannot read message: it is no Statement and no list of checksums",
        { cause },
      );
    }
    return made(subjects, RAW_TYPE, {}, ["predicateType"]);
  },
  // A list of digests too: nothing is said but that they belong together.
  "tuf-targets": (message) =>
    made(subjectsOfTargets(objectOf(message)), RAW_TYPE, {}, ["predicateType"]),
};

/** Each kind of container signature has envelopes of its own: cosign's is none of OpenPGP. */
function refuseCosign(message: Uint8Array): void {
  const { type } = parseSimpleSigning(message);
  if (type === "cosign container image signature") throw unsupported(type);
}

/**
 * Canonical JSON of OLPC as JSON: it leaves control characters as they are, which JSON wants escaped.
 */
export function fromOlpc(message: Uint8Array): Uint8Array {
  return utf8(
    decodeUtf8(message).replace(
      // deno-lint-ignore no-control-regex
      /[\u0000-\u001f]/g,
      (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`,
    ),
  );
}

function readInToto(message: Uint8Array): FormatStatement {
  const value = objectOf(message);
  if (value._type === "link") return readLink(value);
  if (value._type === "layout") {
    throw new AttestationError(
      "unsupported-statement-type",
      "Cannot read Statement: it is an in-toto layout, which says what links must say",
      { path: "/_type" },
    );
  }
  return { statement: parseStatement(value, { maxBytes: MAX_BYTES }), implicit: [] };
}

/** A link as a Statement: its products are the subjects, its materials the materials. */
export function readLink(link: JsonObject): FormatStatement {
  const found = made(artifacts(link.products, "/products"), LINK, link, ["predicateType"]);
  return { ...found, materials: artifacts(link.materials, "/materials") };
}

/** Digests by path, as links have them. */
function artifacts(value: Json | undefined, path: string): ResourceDescriptor[] {
  if (value === undefined || value === null) return [];
  if (!isObject(value)) throw malformedLink(path);
  return Object.entries(value).map(([name, digest]) => {
    if (!isObject(digest) || !Object.values(digest).every((hex) => typeof hex === "string")) {
      throw malformedLink(path);
    }
    return { name, digest: digest as DigestSet };
  });
}

function malformedLink(path: string): AttestationError {
  return new AttestationError(
    "malformed-statement",
    `Cannot read link: ${path} is no object of digests by path`,
    { path },
  );
}

function made(
  subject: ResourceDescriptor[],
  predicateType: string,
  predicate: JsonObject,
  implicit: readonly ImplicitLayer[],
): FormatStatement {
  const statement: Statement = parseStatement({ _type: V1, subject, predicateType, predicate });
  return { statement, implicit };
}

function objectOf(message: Uint8Array): JsonObject {
  const value = parseJson(message, { maxLength: MAX_BYTES });
  if (!isObject(value)) throw unsupported("JSON that is no object");
  return value;
}

function unsupported(found: string): AttestationError {
  return new AttestationError(
    "unsupported-payload-type",
    `Cannot read message: its type is ${quote(found)}, which is not read here`,
  );
}
