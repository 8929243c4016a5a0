import { AttestationError } from "../errors.ts";
import { decodeBase64 } from "../internal/base64.ts";
import type { Bytes } from "../internal/bytes.ts";
import { type Json, jsonText, quote } from "../internal/json.ts";
import { parseOffsetTimestamp } from "../internal/timestamp.ts";
import {
  algorithmOfJose,
  criticalRefusal,
  type JoseSignature,
  parseJose,
  peekHeader,
} from "./_jose.ts";
import { describeNotation, type NotationContent, verifyNotationEnvelope } from "./_notation.ts";
import {
  malformedNotation,
  NOTATION_AGENT,
  NOTATION_CRITICAL,
  NOTATION_TIMESTAMP,
  readNotationChain,
  readNotationHeader,
} from "./_notation_header.ts";
import { NOTATION_TYPE } from "./notation_payload.ts";
import type { FormatModule } from "./format.ts";

/**
 * Signatures of Notation (Notary Project) in a flattened JWS: about an OCI artifact, by
 * whoever has a certificate of an authority that you trust.
 *
 * A signature that demands a verification plugin is refused; revocation is not asked for, as
 * nothing here makes a request.
 *
 * Source: Notary Project, specs/signature-specification.md and signature-envelope-jws.md.
 */
export const notationJws: FormatModule<NotationContent> = {
  id: "notation-jws",
  layer: "envelope",
  detect({ json }) {
    if (typeof json?.protected !== "string" || typeof json.payload !== "string") return 0;
    return peekHeader(json.protected)?.cty === NOTATION_TYPE ? 3 : 0;
  },
  parse(bytes, limits) {
    const { payload, signatures, serialization } = parseJose(bytes, limits);
    if (serialization !== "flattened") throw malformedNotation("it is not flattened", "");
    const content: NotationContent = { ...readNotation(signatures[0]), payload };
    return describeNotation("notation-jws", content);
  },
  verify: ({ content }, context) => verifyNotationEnvelope("notation-jws", content, context),
};

function readNotation(
  { header, unprotected, signed, signature }: JoseSignature,
): Omit<NotationContent, "payload"> {
  const algorithm = algorithmOfJose(jsonText(header.alg));
  if (algorithm === undefined || !/^(PS|ES)/.test(algorithm)) {
    throw new AttestationError(
      "unsupported-algorithm",
      `Cannot read Notation signature: ${quote(jsonText(header.alg))} is no algorithm of Notation`,
      { path: "/protected" },
    );
  }
  const refusal = criticalRefusal(header, NOTATION_CRITICAL);
  if (refusal !== undefined) throw refusal;
  const agent = unprotected[NOTATION_AGENT];
  const timestamp = unprotected[NOTATION_TIMESTAMP];
  const path = "/header/x5c";
  const chain = unprotected.x5c;
  return {
    algorithm,
    ...readNotationHeader({
      critical: Array.isArray(header.crit) ? header.crit : [],
      contentType: header.cty,
      get: (name) => header[name],
      readTime: (value) => typeof value === "string" ? parseOffsetTimestamp(value) : undefined,
    }),
    chain: readNotationChain<Json>(Array.isArray(chain) ? chain : undefined, (one, path) => {
      if (typeof one !== "string") throw malformedNotation("a certificate is no text", path);
      return base64(one, path);
    }, path),
    ...(typeof timestamp === "string"
      ? { timestamp: base64(timestamp, `/header/${NOTATION_TIMESTAMP}`) }
      : {}),
    ...(typeof agent === "string" ? { signingAgent: agent } : {}),
    signed: signed(),
    signature,
  };
}

/** RFC 7515, 4.1.6: standard base64, with padding. */
function base64(text: string, path: string): Bytes {
  return decodeBase64(text, { alphabet: "standard", padding: "required", path });
}
