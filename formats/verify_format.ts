import { AttestationError } from "../errors.ts";
import { asRefusal } from "../internal/check_list.ts";
import { equalBytes } from "../internal/bytes.ts";
import { parseJson } from "../internal/json.ts";
import { refuseUnknown } from "../internal/options.ts";
import { refuseOtherThanKeys } from "../dsse/verify.ts";
import type { TrustedKey } from "../keys/trusted_key.ts";
import type { EfiTrust } from "./attached/efi_trust.ts";
import type { CertificateTrust } from "./certificate_trust.ts";
import type { TufRootTrust } from "./tuf_targets.ts";
import { type OpenPgpKeyring, refuseOtherThanKeyring } from "./openpgp_keyring.ts";
import type {
  DetachedMessage,
  FormatContext,
  FormatEnvelope,
  FormatHint,
  FormatLimits,
  FormatStatement,
  GoodSigner,
  ParsedFormat,
} from "./format.ts";
import { documentBytes } from "./format_input.ts";
import { type FormatEntry, identify } from "./registry.ts";
import { readFormatStatement } from "./statement.ts";

/** The bounds that hold where none are given. */
export const FORMAT_LIMITS: FormatLimits = { maxBytes: 32 << 20, maxSignatures: 64 };

/** Options of {@linkcode verifyFormat}. Unknown names are refused. */
export interface FormatTrust {
  /** Trusted keys. Default: none. */
  keys?: readonly TrustedKey[];
  /** Trusted authorities, for formats that carry certificates. Default: none. */
  certificates?: CertificateTrust;
  /** Pinned roots of TUF repositories, for their targets. Default: none. */
  tufRoots?: readonly TufRootTrust[];
  /** What firmware trusts and refuses, for images of UEFI. Default: nothing of the kind. */
  efi?: EfiTrust;
  /** Trusted OpenPGP keys, of `@x/attest/formats/openpgp`. Default: none. */
  openpgp?: OpenPgpKeyring;
  /** Distinct signers that must be trusted; integer >= 1, default 1. */
  threshold?: number;
  /**
   * What a detached signature is over. Given, a document that holds another message is refused:
   * its signer need not know of this one.
   */
  detached?: DetachedMessage;
  /** What both sides of a PASETO token know and the token does not say. Default: nothing. */
  implicitAssertion?: Uint8Array;
  /** Formats that are accepted, by name. Default: all. */
  formats?: readonly string[];
  /** Moment against which validity is judged. Default: now. */
  now?: Date;
}

/** Answer of {@linkcode verifyFormat}. */
export type FormatResult = VerifiedFormat | RefusedFormat;

/** A document that enough trusted signers signed. */
export interface VerifiedFormat {
  /** Accepted. */
  ok: true;
  /** Nothing failed. */
  errorReason: null;
  /** The envelope; its `message` is what was signed. */
  envelope: FormatEnvelope;
  /** The trusted signers, each distinct one once. */
  signers: readonly GoodSigner[];
  /** What the message says, or why it says nothing that can be read. */
  statement: FormatStatement | AttestationError;
}

/** A document that was refused. */
export interface RefusedFormat {
  /** Refused. */
  ok: false;
  /** Why. */
  errorReason: AttestationError["reason"];
  /** Why, for people. */
  error: AttestationError;
  /** The envelope, if it could be read: of it nothing may be believed. */
  envelope?: FormatEnvelope;
}

const OPTIONS = [
  "keys",
  "certificates",
  "tufRoots",
  "efi",
  "openpgp",
  "threshold",
  "detached",
  "implicitAssertion",
  "formats",
  "now",
];

/**
 * Verifies a document in any format that is verified here.
 *
 * @param source The document: text or bytes.
 * @param trust Whom to believe.
 * @returns What was signed and by whom, or why it is refused. The `statement` is made of the
 * signed bytes alone.
 * @throws {TypeError} If an option is unknown or not of its form.
 *
 * @example A JWS with a Statement
 * ```ts
 * import { verifyFormat } from "@x/attest/formats";
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
 * assert.equal(result.envelope.format, "jws");
 * assert.ok("statement" in result.statement);
 * ```
 */
export async function verifyFormat(
  source: string | Uint8Array,
  trust: FormatTrust,
): Promise<FormatResult> {
  refuseUnknown(trust, OPTIONS, "verifyFormat()");
  const { formats } = trust;
  const { context, threshold } = checkFormatTrust(trust);
  if (formats !== undefined && !Array.isArray(formats)) {
    throw new TypeError("formats is not an array");
  }
  try {
    const { entry, parsed } = await openFormat(documentBytes(source));
    if (formats !== undefined && !formats.includes(entry.id)) {
      throw new AttestationError(
        "format-not-accepted",
        `Cannot accept document: its format is ${entry.id}, wanted ${formats.join(" or ")}`,
      );
    }
    const module = await entry.load();
    return judgeFormat(await module.verify(parsed, context), {
      threshold,
      detached: context.detached,
    });
  } catch (thrown) {
    const error = asRefusal(thrown);
    return { ok: false, errorReason: error.reason, error };
  }
}

/**
 * What a format is verified with, from options that are of their form.
 *
 * @throws {TypeError} If one is not.
 */
export function checkFormatTrust(
  trust: FormatTrust,
): { context: FormatContext; threshold: number } {
  const { keys = [], threshold = 1, now = new Date() } = trust;
  const { certificates, detached, efi, implicitAssertion, openpgp, tufRoots } = trust;
  refuseOtherThanKeys(keys);
  refuseOtherThanKeyring(openpgp);
  if (!Number.isInteger(threshold) || threshold < 1) {
    throw new TypeError(`threshold is ${threshold}, wanted an integer >= 1`);
  }
  if (!(now instanceof Date && isFinite(+now))) throw new TypeError("now is not a Date");
  return {
    context: {
      keys,
      now,
      ...(certificates === undefined ? {} : { certificates }),
      ...(efi === undefined ? {} : { efi }),
      ...(openpgp === undefined ? {} : { openpgp }),
      ...(tufRoots === undefined ? {} : { tufRoots }),
      ...(detached === undefined ? {} : { detached }),
      ...(implicitAssertion === undefined ? {} : { implicitAssertion }),
    },
    threshold,
  };
}

/** The answer for an envelope whose signatures were checked. */
export function judgeFormat(
  envelope: FormatEnvelope,
  { threshold, detached }: { threshold: number; detached?: DetachedMessage },
): FormatResult {
  const error = refusalOf(envelope, threshold) ?? refusalOfMessage(envelope, detached);
  if (error !== undefined) return { ok: false, errorReason: error.reason, error, envelope };
  let statement: FormatStatement | AttestationError;
  try {
    statement = readFormatStatement(envelope);
  } catch (thrown) {
    statement = asRefusal(thrown);
  }
  return { ok: true, errorReason: null, envelope, signers: distinctSigners(envelope), statement };
}

/** The trusted signers of an envelope, each distinct one once. */
export function distinctSigners({ signers }: FormatEnvelope): GoodSigner[] {
  const found = new Map<string, GoodSigner>();
  for (const one of signers) {
    if (one.ok && !found.has(one.fingerprint)) found.set(one.fingerprint, one);
  }
  return [...found.values()];
}

/** Why an envelope is refused, or undefined if enough distinct signers are trusted. */
export function refusalOf(
  envelope: FormatEnvelope,
  threshold: number,
): AttestationError | undefined {
  const { signers, refusal } = envelope;
  const count = distinctSigners(envelope).length;
  if (count === 0) {
    const bad = signers.find((one) => !one.ok);
    if (bad !== undefined && !bad.ok) return bad.error;
    return refusal ?? new AttestationError(
      "unsigned-statement",
      "Cannot accept document: nobody signed it",
    );
  }
  if (refusal !== undefined) return refusal;
  if (count < threshold) {
    return new AttestationError(
      "threshold-not-met",
      `Cannot verify document: ${count} of ${threshold} required signers are trusted`,
    );
  }
}

/** Why an envelope with a message of its own is none of what was given, or undefined. */
function refusalOfMessage(
  { message, detached: covered }: FormatEnvelope,
  detached: DetachedMessage | undefined,
): AttestationError | undefined {
  if (detached === undefined || covered !== undefined) return undefined;
  const { content } = detached;
  if (content !== undefined && message !== undefined && equalBytes(message, content)) return;
  return new AttestationError(
    "subject-mismatch",
    "Cannot accept document: it holds what it signs, which is not what is given",
  );
}

/** A document with the module that read it. */
export interface OpenedFormat {
  /** Its format. */
  entry: FormatEntry;
  /** What it holds; nothing of it is verified. */
  parsed: ParsedFormat;
}

/**
 * Identifies and reads a document.
 *
 * @throws {AttestationError} `unknown-format`, `ambiguous-format`, or why it cannot be read.
 */
export async function openFormat(
  bytes: Uint8Array,
  hint?: FormatHint,
  limits: FormatLimits = FORMAT_LIMITS,
): Promise<OpenedFormat> {
  const entry = identify(bytes, hint);
  if (entry === undefined) {
    // What is wrong with its JSON says more than that nothing was recognised in it.
    const start = bytes.find((byte) => byte !== 32 && (byte < 9 || byte > 13));
    if (start === 0x7b && bytes.length <= limits.maxBytes) {
      parseJson(bytes, { maxLength: limits.maxBytes });
    }
    throw new AttestationError(
      "unknown-format",
      "Cannot read document: it has the marks of no format that is known here",
    );
  }
  if (bytes.length > limits.maxBytes && entry.layer !== "attached") {
    throw new AttestationError(
      "limit-exceeded",
      `Cannot read document: ${bytes.length} bytes, at most ${limits.maxBytes} are accepted`,
    );
  }
  const module = await entry.load();
  return { entry, parsed: await module.parse(bytes, limits) };
}

/**
 * Reads a document in any known format, without verifying anything.
 *
 * @param source The document: text or bytes.
 * @returns What it says of itself, for display.
 * @throws {AttestationError} `unknown-format`, `ambiguous-format`, or why it cannot be read.
 *
 * @example
 * ```ts
 * import { parseFormat } from "@x/attest/formats";
 * import assert from "node:assert/strict";
 *
 * const token = "eyJhbGciOiJFUzI1NiJ9.e30.AAAA";
 * assert.equal((await parseFormat(token)).format, "jws");
 * await assert.rejects(parseFormat("hello"), { reason: "unknown-format" });
 * ```
 */
export async function parseFormat(
  source: string | Uint8Array,
): Promise<ParsedFormat> {
  return (await openFormat(documentBytes(source))).parsed;
}
