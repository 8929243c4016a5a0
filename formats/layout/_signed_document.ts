import { AttestationError } from "../../errors.ts";
import { isObject, type JsonObject, parseJson } from "../../internal/json.ts";
import type { TrustedKey } from "../../keys/trusted_key.ts";
import { dsse } from "../dsse_format.ts";
import type { FormatModule, ParsedFormat } from "../format.ts";
import { documentBytes } from "../format_input.ts";
import { inTotoMetablock } from "../in_toto_metablock.ts";
import { fromOlpc } from "../statement.ts";

/** A layout or link with its signatures, read and not verified. */
export interface SignedDocument {
  /** Envelope that it is in. */
  readonly format: "dsse" | "in-toto-metablock";
  /** What is signed, as JSON. */
  readonly value: JsonObject;
  /**
   * Those of the keys that made one of its signatures, each distinct key once.
   *
   * @param now No moment counts for signatures by keys; envelopes want one.
   */
  signedBy(keys: readonly TrustedKey[], now: Date): Promise<TrustedKey[]>;
}

/** Type of what in-toto puts into DSSE envelopes. */
const IN_TOTO = "application/vnd.in-toto+json";
const LIMITS = { maxBytes: 16 << 20, maxSignatures: 64 };

/**
 * Reads a metablock of in-toto, or a DSSE envelope with the same content.
 *
 * @throws {AttestationError} `malformed-envelope`, `unsupported-payload-type`, `limit-exceeded`,
 * or those of strict JSON.
 */
export function readSignedDocument(source: string | Uint8Array): SignedDocument {
  const bytes = documentBytes(source);
  if (bytes.length > 2 * LIMITS.maxBytes) {
    throw new AttestationError(
      "limit-exceeded",
      `Cannot read in-toto metadata: ${bytes.length} bytes, at most ${2 * LIMITS.maxBytes}`,
    );
  }
  const json = parseJson(bytes, { maxLength: bytes.length, maxDepth: 64 });
  const isEnvelope = isObject(json) && Object.hasOwn(json, "payload");
  return isEnvelope ? read(dsse, bytes) : read(inTotoMetablock, bytes);
}

function read<Content>(module: FormatModule<Content>, bytes: Uint8Array): SignedDocument {
  // Both of them read at once.
  const parsed = module.parse(bytes, LIMITS) as ParsedFormat<Content>;
  const { message = new Uint8Array(), messageType } = parsed;
  if (module.id === "dsse" && messageType !== IN_TOTO) {
    throw new AttestationError(
      "unsupported-payload-type",
      `Cannot read in-toto metadata: its payloadType is not ${IN_TOTO}`,
      { path: "/payloadType" },
    );
  }
  // What counts is what is signed, never the document around it.
  const signed = module.id === "dsse" ? message : fromOlpc(message);
  const value = parseJson(signed, { maxLength: 2 * LIMITS.maxBytes, maxDepth: 64 });
  if (!isObject(value)) {
    throw new AttestationError(
      "malformed-envelope",
      "Cannot read in-toto metadata: what is signed is no object",
    );
  }
  return {
    format: module.id === "dsse" ? "dsse" : "in-toto-metablock",
    value,
    async signedBy(keys, now) {
      const accepted = new Set<string>();
      // One key at a time: a signature under two names of one key counts once.
      for (const key of keys) {
        if (accepted.has(key.fingerprint)) continue;
        const { signers } = await module.verify(parsed, { keys: [key], now });
        if (signers.some(({ ok }) => ok)) accepted.add(key.fingerprint);
      }
      return keys.filter(({ fingerprint }) => accepted.delete(fingerprint));
    },
  };
}
