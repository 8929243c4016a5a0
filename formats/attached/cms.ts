import { AttestationError, isAttestationError } from "../../errors.ts";
import type { Bytes } from "../../internal/bytes.ts";
import { readOctetString } from "../../internal/der.ts";
import { digest, type HashName } from "../../internal/digest.ts";
import { decodeHex } from "../../internal/hex.ts";
import { HASHES } from "../../internal/hasher.ts";
import { decodeOnePem } from "../../internal/pem.ts";
import { type Certificate, Purpose } from "../../sigstore/certificate.ts";
import { DATA, type SignedData } from "../../sigstore/cms.ts";
import { isCmsSignature } from "../_attached_marks.ts";
import type { DetachedMessage, FormatLimits, FormatModule } from "../format.ts";
import {
  asEnvelopeFault,
  parseCms,
  signingMisuse,
  statedSignatures,
  statedTime,
  verifyCms,
} from "./_cms.ts";

/** A CMS signature over data, read and not verified. */
export interface CmsSignature {
  /** Its signatures and certificates. */
  readonly data: SignedData;
  /** What is signed, where it is inside. */
  readonly message?: Bytes;
}

const WHAT = "CMS signature";

/** Purposes for which a certificate may sign a file: code, mail, documents, or anything. */
const PURPOSES: ReadonlySet<string> = new Set([
  Purpose.codeSigning,
  Purpose.any,
  "1.3.6.1.5.5.7.3.4",
  "1.3.6.1.5.5.7.3.36",
]);

/**
 * CMS (PKCS #7) signatures over a file beside them, or over what they hold, in DER or PEM; by
 * whoever has a certificate of an authority that you trust, or one of the trusted keys.
 *
 * Signed attributes are mandatory, so that those of one signature cannot be shown as the
 * content of another. Revocation is not asked for, as nothing here makes a request.
 *
 * Source: RFC 5652, 5 and 11; RFC 3161, appendix A.
 */
export const cmsSignature: FormatModule = {
  id: "cms-signature",
  layer: "envelope",
  detect: isCmsSignature,
  parse(bytes, limits) {
    const data = parseCms(derOf(bytes, limits), WHAT, limits.maxSignatures);
    if (data.contentType !== DATA) {
      throw new AttestationError(
        "unsupported-payload-type",
        `Cannot read ${WHAT}: its content is of the type ${data.contentType}, wanted data`,
      );
    }
    const message = messageOf(data);
    return {
      format: "cms-signature",
      ...(message === undefined ? {} : { message }),
      signatures: statedSignatures(data),
      facts: statedTime(data),
      content: { data, ...(message === undefined ? {} : { message }) },
    };
  },
  async verify({ content: { data, message } }, context) {
    const { detached } = context;
    const signers = await verifyCms(data, {
      what: WHAT,
      contentType: DATA,
      digest: (hash) => message === undefined ? digestOf(hash, detached) : digest(hash, message),
      misuse,
      purposes: PURPOSES,
    }, context);
    const signed = message ?? detached?.content;
    return {
      format: "cms-signature",
      ...(signed === undefined ? {} : { message: signed }),
      ...(message === undefined && detached !== undefined ? { detached: detached.digest } : {}),
      signers,
      coverage: message === undefined ? "whole-artifact" : "message",
      unauthenticated: {},
      proofs: [],
      ...(signers.length > 0 ? {} : {
        refusal: new AttestationError("missing-signatures", `Cannot verify ${WHAT}: nobody signed`),
      }),
    };
  },
} satisfies FormatModule<CmsSignature> as FormatModule;

function messageOf({ content }: SignedData): Bytes | undefined {
  try {
    return content && readOctetString(content);
  } catch (error) {
    throw isAttestationError(error) ? asEnvelopeFault(error, WHAT) : error;
  }
}

function misuse(certificate: Certificate): string | undefined {
  const purposes = certificate.extendedKeyUsage?.purposes;
  return purposes !== undefined && !purposes.some((one) => PURPOSES.has(one))
    ? "its certificate is neither for code nor for mail or documents"
    : signingMisuse(certificate);
}

function derOf(bytes: Uint8Array, { maxBytes }: FormatLimits): Uint8Array {
  if (bytes.length > maxBytes) {
    throw new AttestationError(
      "limit-exceeded",
      `Cannot read ${WHAT}: ${bytes.length} bytes, at most ${maxBytes} are accepted`,
    );
  }
  if (bytes[0] === 0x30) return bytes;
  return decodeOnePem(new TextDecoder().decode(bytes), "PKCS7", "CMS").der;
}

async function digestOf(
  hash: HashName,
  detached: DetachedMessage | undefined,
): Promise<Bytes | undefined> {
  if (detached?.content !== undefined) return await digest(hash, detached.content);
  const name = [...HASHES].find(([, one]) => one === hash)?.[0] ?? "";
  const hex = detached?.digest[name];
  return hex !== undefined && /^([0-9a-f]{2})+$/i.test(hex) ? decodeHex(hex) : undefined;
}
