import { type DecodedEnvelope, parseEnvelope } from "../dsse/envelope.ts";
import { pae } from "../dsse/pae.ts";
import { printable } from "../internal/json.ts";
import { trySigner } from "./_signers.ts";
import type { FormatModule } from "./format.ts";

/**
 * DSSE, the project's own envelope, among the others: `verify()` and `verifyEnvelope()` read
 * it without this.
 *
 * Source: DSSE 1.0.2, protocol.md and envelope.md.
 */
export const dsse: FormatModule<DecodedEnvelope> = {
  id: "dsse",
  layer: "envelope",
  detect: ({ json }) =>
    typeof json?.payloadType === "string" && "payload" in json && Array.isArray(json.signatures)
      ? 3
      : 0,
  parse(bytes, { maxBytes, maxSignatures }) {
    const content = parseEnvelope(bytes, { maxPayloadBytes: maxBytes, maxSignatures });
    const { payloadType, payload, signatures } = content;
    return {
      format: "dsse",
      messageType: printable(payloadType),
      message: payload,
      signatures: signatures.map(({ keyid, sig }) => ({ keyid, bytes: sig.length })),
      facts: {},
      content,
    };
  },
  async verify({ content: { payloadType, payload, signatures } }, { keys }) {
    const data = pae(payloadType, payload);
    return {
      format: "dsse",
      message: payload,
      messageType: { value: payloadType, authenticated: true },
      signers: await Promise.all(
        signatures.map(({ sig, keyid }) =>
          trySigner(keys, { data, signature: sig, encoding: "any", keyid })
        ),
      ),
      coverage: "message",
      unauthenticated: {},
      proofs: [],
    };
  },
};
