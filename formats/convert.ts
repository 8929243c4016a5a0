import { encodeHex } from "../internal/hex.ts";
import type { JsonObject } from "../internal/json.ts";
import { refuseUnknown } from "../internal/options.ts";
import { sha256 } from "../internal/sha256.ts";
import type { ResourceDescriptor } from "../intoto/resource_descriptor.ts";
import { createStatement, type Statement } from "../intoto/statement.ts";
import type { Coverage } from "./format.ts";
import type { VerifiedFormat } from "./verify_format.ts";

/** What {@linkcode convertToStatement} records of where the old form was. */
export interface ConversionOrigin {
  /** URI of the one who verified it and vouches for the conversion. */
  attester: string;
  /** Where the old form can be had. */
  downloadLocation: string;
  /** Its bytes: the digest is recorded. */
  document: Uint8Array;
  /** Its media type. Default `application/octet-stream`. */
  mediaType?: string;
}

const REFERENCE = "https://in-toto.io/attestation/reference/v0.1";

/**
 * Makes a fresh Statement of what was verified in an old form, for you to sign: the same
 * subjects, and a reference to the old form by its digest. It says what you verified, and
 * makes nothing of the old form's own words yours.
 *
 * Source: in-toto attestation, spec/predicates/reference.md, v0.1.
 *
 * @param result Of `verifyFormat()`.
 * @param origin Where the old form was, and who vouches.
 * @returns A Statement v1 whose predicate is a reference; the resource descriptor of the old
 * form names its format, the predicate type that it had, its signers by the SHA-256 of their
 * keys, and `coverage: "artifact-sections"` if they signed parts of the subject only.
 * @throws {AttestationError} `unsupported-payload-type` and others, why the old form has no
 * Statement; those of `createStatement()`.
 * @throws {TypeError} If a member of `origin` is unknown.
 *
 * @example A JWS becomes a DSSE envelope
 * ```ts
 * import { createEnvelope } from "@x/attest/dsse";
 * import { convertToStatement, verifyFormat } from "@x/attest/formats";
 * import { encodeStatement } from "@x/attest/intoto";
 * import { generateSigner } from "@x/attest/keys";
 * import assert from "node:assert/strict";
 *
 * const { signer, trustedKey } = await generateSigner("Ed25519", { name: "ci" });
 * const encode = (text: string) =>
 *   btoa(text).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
 * const header = encode('{"alg":"EdDSA","cty":"vnd.in-toto+json"}');
 * const payload = encode(JSON.stringify({
 *   _type: "https://in-toto.io/Statement/v1",
 *   subject: [{ digest: { sha256: "a".repeat(64) } }],
 *   predicateType: "https://example.com/checked/v1",
 *   predicate: {},
 * }));
 * const signature = await signer.sign(new TextEncoder().encode(`${header}.${payload}`));
 * const token = `${header}.${payload}.${encode(String.fromCharCode(...signature))}`;
 * const result = await verifyFormat(token, { keys: [trustedKey] });
 * assert.ok(result.ok);
 * const statement = convertToStatement(result, {
 *   attester: "https://example.com/me",
 *   downloadLocation: "https://example.com/old.jws",
 *   document: new TextEncoder().encode(token),
 * });
 * assert.equal(statement.subject[0].digest?.sha256, "a".repeat(64));
 * await createEnvelope("application/vnd.in-toto+json", encodeStatement(statement), signer);
 * ```
 */
export function convertToStatement(result: VerifiedFormat, origin: ConversionOrigin): Statement {
  refuseUnknown(
    origin,
    ["attester", "downloadLocation", "document", "mediaType"],
    "convertToStatement()",
  );
  const { statement: read, envelope: { format, coverage } } = result;
  if (!("statement" in read)) throw read;
  const { subject, predicateType } = read.statement;
  const signers = result.signers.map(({ fingerprint }) => fingerprint);
  return createConversion({ format, subject, predicateType, signers, coverage }, origin);
}

/** What an old form said, once it was verified. */
export interface VerifiedSaying {
  /** What it was read as. */
  format: string;
  /** What it is about. */
  subject: readonly ResourceDescriptor[];
  /** Type of what it said. */
  predicateType: string;
  /** Who signed: SHA-256 of keys, or the name in a certificate of Sigstore. */
  signers: readonly string[];
  /** How much of it they signed, where the format may leave something out. */
  coverage?: Coverage;
}

/** The Statement of {@linkcode convertToStatement}, of what was verified by whatever way. */
export function createConversion(
  { format, subject, predicateType, signers, coverage }: VerifiedSaying,
  { attester, downloadLocation, document, mediaType = "application/octet-stream" }:
    ConversionOrigin,
): Statement {
  const annotations: JsonObject = {
    format,
    predicateType,
    signers: [...signers],
    ...(coverage === "artifact-sections" ? { coverage } : {}),
  };
  return createStatement({
    subject: [...subject],
    predicateType: REFERENCE,
    predicate: {
      attester: { id: attester },
      references: [{
        downloadLocation,
        mediaType,
        digest: { sha256: encodeHex(sha256(document)) },
        annotations,
      }],
    },
  });
}
