import { badSigner } from "../_signers.ts";
import { openPgpConfidence } from "../_openpgp_marks.ts";
import type { FormatEnvelope, FormatModule } from "../format.ts";
import type { OpenPgpMessage } from "./_cleartext.ts";
import { parseMessage } from "./_message.ts";
import { verifyEach } from "./_signers.ts";
import { statedSignature } from "./_stated.ts";

const openPgp: FormatModule<OpenPgpMessage> = {
  id: "openpgp",
  layer: "envelope",
  detect: openPgpConfidence,
  async parse(bytes, limits) {
    const content = await parseMessage(bytes, limits);
    const { form, message, signatures, unsigned } = content;
    return {
      format: "openpgp",
      ...(message === undefined ? {} : { message }),
      signatures: signatures.map(statedSignature),
      facts: {
        // Headers of armor may have any name, and never stand for what is read.
        ...unsigned,
        form,
        created: signatures.map(({ created }) => created.toISOString()).join(", "),
      },
      content,
    };
  },
  async verify({ content }, context) {
    const { form, signatures, message, signed, unsigned } = content;
    const { detached } = context;
    const base = { format: "openpgp", unauthenticated: unsigned, proofs: [] } as const;
    if (form !== "detached") {
      return {
        ...base,
        message,
        signers: await verifyEach(signatures, signed ?? new Uint8Array(), context),
        coverage: "message",
      } satisfies FormatEnvelope;
    }
    const data = detached?.content;
    return {
      ...base,
      ...(data === undefined ? {} : { message: data }),
      ...(detached === undefined ? {} : { detached: detached.digest }),
      signers: data === undefined
        ? signatures.map(({ issuer }) =>
          badSigner(
            "artifact-required",
            "Cannot verify signature: it is over another file, which is not given",
            issuer.fingerprint ?? issuer.keyid,
          )
        )
        : await verifyEach(signatures, data, context),
      coverage: "whole-artifact",
    } satisfies FormatEnvelope;
  },
};

/**
 * OpenPGP: clear text with a signature behind it, signatures beside another file, and messages
 * that hold what they sign.
 *
 * A file that is signed as text is refused where it lies beside its signature: such a signature
 * leaves its line ends open, so that it does not fix the file.
 *
 * Source: RFC 9580.
 */
export const openPgpFormat: FormatModule = openPgp as FormatModule;
