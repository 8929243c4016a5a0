import { AttestationError, isAttestationError } from "../../errors.ts";
import { asRefusal } from "../../internal/check_list.ts";
import type { Bytes } from "../../internal/bytes.ts";
import { type Cbor, type CborMap, type CborName, CborTag } from "../../internal/cbor.ts";
import { encodeHex } from "../../internal/hex.ts";
import { printable } from "../../internal/json.ts";
import { refuseUnknown } from "../../internal/options.ts";
import { lookupAlgorithm } from "../../keys/algorithm.ts";
import { verifySignature } from "../../keys/public_key.ts";
import { type Certificate, parseCertificate } from "../../sigstore/certificate.ts";
import { detectCose } from "../_cose_marks.ts";
import { checkSigningUsage } from "../_signing_certificate.ts";
import { badSigner, trySigner } from "../_signers.ts";
import { formatAttributes } from "../certificate_name.ts";
import { nameOf, verifyChain } from "../certificate_trust.ts";
import type {
  FormatContext,
  FormatEnvelope,
  FormatModule,
  ParsedFormat,
  SignerResult,
} from "../format.ts";
import {
  checkFormatTrust,
  FORMAT_LIMITS,
  type FormatResult,
  type FormatTrust,
  judgeFormat,
} from "../verify_format.ts";
import {
  algorithmsOf,
  chainOf,
  contentTypeOf,
  type CoseSign1,
  criticalNames,
  Label,
  parseSign1,
  sigStructure,
  statedAlgorithm,
} from "./_sign1.ts";

/** Options of {@linkcode verifyCoseSign1}. Unknown names are refused. */
export interface CoseTrust extends Omit<FormatTrust, "formats" | "implicitAssertion"> {
  /** What both sides know and the document does not say (`external_aad`). Default: nothing. */
  externalData?: Uint8Array;
  /** Takes a document without the tag 18 too. Default: false. */
  untagged?: boolean;
}

const UNDERSTOOD: ReadonlySet<CborName> = new Set<CborName>(Object.values(Label));
const NOTHING = new Uint8Array();
const MAX_CHAIN = 16;

const sign1: FormatModule<CoseSign1> = {
  id: "cose-sign1",
  layer: "envelope",
  detect: detectCose,
  parse: (bytes, { maxBytes }) => describe(parseSign1(bytes, { maxBytes })),
  verify: ({ content }, context) => verifySign1(content, context, NOTHING),
};

/**
 * COSE_Sign1, of whatever use.
 *
 * The algorithm is that of the trusted key or certificate; the protected header has to confirm
 * it. A certificate in the document (`x5chain`) counts only with a chain to an authority that
 * you trust, and as one for signing code.
 *
 * Source: RFC 9052, 3, 4.2 and 4.4; RFC 9053, 2; RFC 9360, 2.
 */
export const coseSign1: FormatModule = sign1;

/**
 * Verifies COSE_Sign1 as `verifyFormat()` does, with what only this format has: data that is
 * signed and lies elsewhere, and documents without a tag.
 *
 * Source: RFC 9052, 4.3 and 4.4.
 *
 * @param source The document.
 * @param trust Whom to believe.
 * @returns What was signed and by whom, or why it is refused.
 * @throws {TypeError} If an option is unknown or not of its form.
 *
 * @example
 * ```ts
 * import { verifyCoseSign1 } from "@x/attest/formats/cose";
 * import { generateSigner } from "@x/attest/keys";
 * import assert from "node:assert/strict";
 *
 * const { signer, trustedKey } = await generateSigner("Ed25519", { name: "ci" });
 * const protectedHeader = Uint8Array.of(0xa1, 1, 0x27); // { 1: -8 }, EdDSA
 * const payload = new TextEncoder().encode("hello");
 * const bytes = (one: Uint8Array) =>
 *   one.length < 24 ? [0x40 | one.length, ...one] : [0x58, one.length, ...one];
 * const toBeSigned = Uint8Array.from([
 *   ...[0x84, 0x6a, ...new TextEncoder().encode("Signature1")],
 *   ...[...bytes(protectedHeader), 0x40, ...bytes(payload)],
 * ]);
 * const signature = await signer.sign(toBeSigned);
 * const document = Uint8Array.from([
 *   ...[0xd2, 0x84, ...bytes(protectedHeader), 0xa0],
 *   ...[...bytes(payload), ...bytes(signature)],
 * ]);
 * const result = await verifyCoseSign1(document, { keys: [trustedKey] });
 * assert.ok(result.ok);
 * assert.deepEqual(result.envelope.message, payload);
 * ```
 */
export async function verifyCoseSign1(
  source: Uint8Array,
  trust: CoseTrust,
): Promise<FormatResult> {
  const { externalData = NOTHING, untagged = false, ...others } = trust;
  refuseUnknown(
    trust,
    ["keys", "certificates", "threshold", "detached", "now", "externalData", "untagged"],
    "verifyCoseSign1()",
  );
  if (!(source instanceof Uint8Array)) throw new TypeError("A COSE document is bytes");
  if (!(externalData instanceof Uint8Array)) throw new TypeError("externalData is no bytes");
  if (typeof untagged !== "boolean") throw new TypeError("untagged is neither true nor false");
  const { context, threshold } = checkFormatTrust(others);
  try {
    const { maxBytes } = FORMAT_LIMITS;
    const one = parseSign1(source, { maxBytes, untagged });
    const envelope = await verifySign1(one, context, externalData);
    return judgeFormat(envelope, { threshold, detached: context.detached });
  } catch (thrown) {
    const error = asRefusal(thrown);
    return { ok: false, errorReason: error.reason, error };
  }
}

function describe(one: CoseSign1): ParsedFormat<CoseSign1> {
  const { header, payload, signature } = one;
  const type = contentTypeOf(header);
  const keyid = keyidOf(one);
  return {
    format: "cose-sign1",
    ...(type === undefined ? {} : { messageType: printable(type) }),
    ...(payload === undefined ? {} : { message: payload }),
    signatures: [{
      ...(keyid === undefined ? {} : { keyid }),
      algorithm: statedAlgorithm(header),
      bytes: signature.length,
    }],
    facts: payload === undefined ? { payload: "lies elsewhere" } : {},
    content: one,
  };
}

/** The id that it states: text if it is some, else hex. */
function keyidOf({ header, unprotected }: CoseSign1): string | undefined {
  const kid = header.get(Label.kid) ?? unprotected.get(Label.kid);
  if (!(kid instanceof Uint8Array)) return undefined;
  const short = kid.subarray(0, 128);
  return short.every((byte) => byte >= 0x20 && byte < 0x7f)
    ? new TextDecoder().decode(short)
    : encodeHex(short);
}

async function verifySign1(
  one: CoseSign1,
  context: FormatContext,
  externalData: Uint8Array,
): Promise<FormatEnvelope> {
  const { header, payload, unprotected, uncovered } = one;
  const { detached } = context;
  const type = contentTypeOf(header);
  const message = payload ?? detached?.content;
  const signer = message === undefined
    ? badSigner(
      "artifact-required",
      "Cannot verify COSE_Sign1: what it signs lies elsewhere, and its bytes are not given",
      keyidOf(one),
    )
    : await verifySigner(one, sigStructure(one, message, externalData), context);
  return {
    format: "cose-sign1",
    ...(message === undefined ? {} : { message }),
    ...(type === undefined ? {} : { messageType: { value: type, authenticated: true } }),
    ...(payload === undefined && detached !== undefined ? { detached: detached.digest } : {}),
    signers: [signer],
    coverage: payload === undefined ? "whole-artifact" : "message",
    uncovered,
    unauthenticated: unprotected.size === 0 ? {} : { header: displayed(unprotected) },
    proofs: [],
  };
}

async function verifySigner(
  one: CoseSign1,
  data: Bytes,
  context: FormatContext,
): Promise<SignerResult> {
  const { header, signature } = one;
  const keyid = keyidOf(one);
  try {
    criticalNames(header, UNDERSTOOD);
    const algorithms = algorithmsOf(header);
    if (algorithms.length === 0) {
      throw new AttestationError(
        "unsupported-algorithm",
        `Cannot verify COSE_Sign1: ${statedAlgorithm(header)} is no signature that is taken`,
      );
    }
    const { keys, certificates } = context;
    const fitting = keys.filter(({ alg }) => algorithms.includes(alg));
    const byKey = fitting.length === 0 && keys.length > 0
      ? badSigner(
        "key-algorithm-mismatch",
        `Cannot verify COSE_Sign1: it says ${
          statedAlgorithm(header)
        }, which is the algorithm of no trusted key`,
        keyid,
      )
      : await trySigner(fitting, { data, signature, encoding: "p1363", keyid });
    const chain = chainOf(one);
    // A key that is trusted needs nobody to vouch for it.
    if (byKey.ok || chain === undefined) return byKey;
    if (certificates === undefined && keys.length > 0) return byKey;
    return await verifyByCertificate({ chain: readChain(chain), data, one }, context);
  } catch (error) {
    if (!isAttestationError(error)) {
      return badSigner("internal-error", "Cannot verify COSE_Sign1: an unexpected error");
    }
    return { ok: false, error, ...(keyid === undefined ? {} : { keyid }) };
  }
}

function readChain(chain: readonly Bytes[]): Certificate[] {
  if (chain.length > MAX_CHAIN) {
    throw new AttestationError(
      "limit-exceeded",
      `Cannot read COSE_Sign1: ${chain.length} certificates, at most ${MAX_CHAIN}`,
    );
  }
  return chain.map((der, i) => parseCertificate(der, `/x5chain/${i}`));
}

/** The signature under the first certificate's key, and its chain up to the trust store, now. */
async function verifyByCertificate(
  { chain, data, one }: { chain: readonly Certificate[]; data: Bytes; one: CoseSign1 },
  { certificates, now }: FormatContext,
): Promise<SignerResult> {
  const refuse = (reason: AttestationError["reason"], what: string) =>
    new AttestationError(reason, `Cannot verify COSE_Sign1: ${what}`);
  if (certificates === undefined) {
    throw refuse(
      "untrusted-certificate",
      "it is made with a certificate, and no authority is trusted",
    );
  }
  const [leaf] = chain;
  const { kind, curve, fingerprint } = leaf.publicKey;
  const algorithm = algorithmsOf(one.header).find((name) => {
    const entry = lookupAlgorithm(name);
    return entry.kind === kind && entry.curve === curve;
  });
  if (algorithm === undefined) {
    throw refuse(
      "key-algorithm-mismatch",
      `it says ${statedAlgorithm(one.header)}, its certificate's key is ${curve ?? kind}`,
    );
  }
  const { scheme } = lookupAlgorithm(algorithm);
  if (!await verifySignature(leaf.publicKey, scheme, one.signature, data, "p1363")) {
    throw refuse("invalid-signature", "its certificate's key did not make it");
  }
  checkSigningUsage(leaf);
  await verifyChain(chain, certificates, { verified: [], now });
  return {
    ok: true,
    name: formatAttributes(nameOf(leaf)),
    fingerprint,
    algorithm,
    certificate: leaf,
  };
}

/** A header for people: numbers and text as they are, bytes by their length. */
function displayed(header: CborMap): Record<string, string | number | boolean | null> {
  return Object.fromEntries(
    [...header].slice(0, 64).map(([name, value]) => [printable(String(name)), brief(value)]),
  );
}

function brief(value: Cbor): string | number | boolean | null {
  if (value === null || typeof value === "number" || typeof value === "boolean") return value;
  if (typeof value === "string") return printable(value);
  if (typeof value === "bigint") return String(value);
  if (value instanceof Uint8Array) return `${value.length} bytes`;
  if (value instanceof CborTag) return `a value with the tag ${value.tag}`;
  return Array.isArray(value) ? `a list of ${value.length}` : `a map of ${value.size}`;
}
