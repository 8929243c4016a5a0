import { AttestationError } from "../errors.ts";
import { decodeBase64 } from "../internal/base64.ts";
import { type Bytes, equalBytes } from "../internal/bytes.ts";
import { asRefusal } from "../internal/check_list.ts";
import { isObject, type Json, parseJson } from "../internal/json.ts";
import { pae } from "../dsse/pae.ts";
import { openPgpConfidence } from "./_openpgp_marks.ts";
import { accepts, badSigner, goodSigner, signatureList } from "./_signers.ts";
import type {
  FormatContext,
  FormatEnvelope,
  FormatLimits,
  FormatModule,
  SignerResult,
} from "./format.ts";
import { FormatInput } from "./format_input.ts";

/** An attestation of Binary Authorization, read and not verified. */
export interface BinaryAuthorization {
  /** What is signed. */
  readonly payload: Bytes;
  /** Each signature. */
  readonly signatures: readonly { readonly publicKeyId: string; readonly signature: Bytes }[];
}

/** Type that newer tools sign together with the payload. */
const TYPE = "application/vnd.dev.cosign.simplesigning.v1+json";

const OPENPGP_LIMITS: FormatLimits = { maxBytes: 1 << 20, maxSignatures: 16 };

/**
 * An attestation of Google's Binary Authorization: a container signature's payload, signed
 * with PKIX keys or OpenPGP. `publicKeyId` is a hint. JWTs beside it repeat the claim in another form
 * and are not read: give one by itself.
 *
 * Source: Google Cloud docs, Binary Authorization, "Attestations"; grafeas,
 * attestation.proto.
 */
export const binaryAuthorization: FormatModule<BinaryAuthorization> = {
  id: "binary-authorization",
  layer: "envelope",
  detect({ json }) {
    return json !== undefined && typeof json.serializedPayload === "string" &&
        Array.isArray(json.signatures)
      ? 3
      : 0;
  },
  parse(bytes, limits) {
    const content = parseAttestation(bytes, limits);
    return {
      format: "binary-authorization",
      message: content.payload,
      signatures: content.signatures.map(({ publicKeyId, signature }) => ({
        keyid: publicKeyId,
        bytes: signature.length,
      })),
      facts: {},
      content,
    };
  },
  async verify({ content: { payload, signatures } }, context) {
    return {
      format: "binary-authorization",
      message: payload,
      signers: (await Promise.all(signatures.map((one) => verifyOne(payload, one, context))))
        .flat(),
      coverage: "message",
      unauthenticated: {},
      proofs: [],
    } satisfies FormatEnvelope;
  },
};

async function verifyOne(
  payload: Bytes,
  { publicKeyId: keyid, signature }: BinaryAuthorization["signatures"][number],
  context: FormatContext,
): Promise<readonly SignerResult[]> {
  const { keys } = context;
  for (const data of [payload, pae(TYPE, payload)]) {
    for (const key of keys) {
      if (await accepts(key, data, signature, "der")) return [goodSigner(key)];
    }
  }
  if (openPgpConfidence(new FormatInput(signature)) > 0) {
    return await verifyOpenPgp(payload, signature, context);
  }
  if (keys.length === 0) {
    const message = "Cannot verify attestation: it is made with a key, and no trusted key is given";
    return [badSigner("missing-trusted-key", message, keyid)];
  }
  const message = "Cannot verify attestation: no trusted key made its signature";
  return [badSigner("invalid-signature", message, keyid)];
}

/** A message of OpenPGP that holds the payload, or a signature of OpenPGP over it. */
async function verifyOpenPgp(
  payload: Bytes,
  signature: Bytes,
  context: FormatContext,
): Promise<readonly SignerResult[]> {
  // Loaded on use: the entry carries a library.
  const { openPgpFormat } = await import("./openpgp/mod.ts");
  try {
    const parsed = await openPgpFormat.parse(signature, OPENPGP_LIMITS);
    const { message, signers } = await openPgpFormat.verify(parsed, {
      ...context,
      detached: { content: payload, digest: {} },
    });
    if (message !== undefined && equalBytes(message, payload)) return signers;
  } catch (thrown) {
    return [{ ok: false, error: asRefusal(thrown) }];
  }
  const message = "Cannot verify attestation: what its OpenPGP message holds is not its payload";
  return [badSigner("invalid-signature", message)];
}

function parseAttestation(
  bytes: Uint8Array,
  { maxBytes, maxSignatures }: FormatLimits,
): BinaryAuthorization {
  const value = parseJson(bytes, { maxLength: maxBytes, maxDepth: 32 });
  if (!isObject(value)) throw malformed("it is no object", "");
  const { serializedPayload, signatures } = value;
  if (typeof serializedPayload !== "string") {
    throw malformed("serializedPayload is no text", "/serializedPayload");
  }
  const list = signatureList(signatures, "attestation", maxSignatures);
  return {
    payload: decodeBase64(serializedPayload, { path: "/serializedPayload" }),
    signatures: list.map(readSignature),
  };
}

function readSignature(value: Json, index: number): BinaryAuthorization["signatures"][number] {
  const path = `/signatures/${index}`;
  if (!isObject(value)) throw malformed("a signature is no object", path);
  const { publicKeyId = "", signature } = value;
  if (typeof publicKeyId !== "string") throw malformed("publicKeyId is no text", path);
  if (typeof signature !== "string") throw malformed("a signature is no text", path);
  return { publicKeyId, signature: decodeBase64(signature, { path: `${path}/signature` }) };
}

function malformed(what: string, path: string): AttestationError {
  return new AttestationError("malformed-envelope", `Cannot read attestation: ${what}`, { path });
}
