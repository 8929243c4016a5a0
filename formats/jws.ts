import { AttestationError } from "../errors.ts";
import { asRefusal } from "../internal/check_list.ts";
import {
  isObject,
  type Json,
  type JsonObject,
  jsonText,
  parseJson,
  printable,
  quote,
} from "../internal/json.ts";
import {
  algorithmOfJose,
  criticalRefusal,
  type Jose,
  type JoseSignature,
  parseJose,
  peekCompact,
  peekHeader,
} from "./_jose.ts";
import { NOTATION_TYPE } from "./notation_payload.ts";
import { badSigner, trySigner } from "./_signers.ts";
import { isGenericType, isJwtType } from "./statement.ts";
import type {
  Confidence,
  FormatContext,
  FormatEnvelope,
  FormatModule,
  SignerResult,
} from "./format.ts";
import type { FormatInput } from "./format_input.ts";

const NOTHING: ReadonlySet<string> = new Set();

/**
 * JSON Web Signature: compact (a JWT too), flattened and general.
 *
 * The algorithm is that of the trusted key; the protected header may only confirm it. `none`
 * and HMAC are no signatures here, and a key in the header (`jwk`, `jku`, `x5c`) is no reason
 * for trust. Every signature of a general JWS has a result of its own.
 *
 * Signatures are checked through `keys/` and WebCrypto, without a JOSE library: what one
 * would do behind these checks is a call of `crypto.subtle.verify`, and what it takes beyond
 * them (a duplicate `alg`, unused bits in base64url, an algorithm that the token chooses) is
 * what they are for.
 *
 * Source: RFC 7515; RFC 7518, 3; RFC 7519; RFC 8037; RFC 8725.
 */
export const jws: FormatModule<Jose> = {
  id: "jws",
  layer: "envelope",
  detect,
  parse(bytes, limits) {
    const jose = parseJose(bytes, limits);
    const type = typeOf(jose.signatures[0].header);
    return {
      format: "jws",
      ...(type === undefined ? {} : { messageType: printable(type) }),
      message: jose.payload,
      signatures: jose.signatures.map(({ header, signature }) => ({
        ...(typeof header.kid === "string" ? { keyid: header.kid } : {}),
        algorithm: jsonText(header.alg),
        bytes: signature.length,
      })),
      facts: { serialization: jose.serialization },
      content: jose,
    };
  },
  async verify({ content: jose }, context) {
    const signers: SignerResult[] = [];
    for (const one of jose.signatures) signers.push(await verifySignature(one, context));
    const good = jose.signatures.filter((_, i) => signers[i].ok).map(({ header }) => header);
    const types = new Set(good.map(typeOf));
    const type = types.size === 1 ? [...types][0] : undefined;
    const refusal = types.size > 1
      ? new AttestationError(
        "malformed-envelope",
        "Cannot verify JWS: its signatures state different types of the payload",
      )
      : good.some(mayBeJwt)
      ? timeRefusal(jose.payload, good.some(hasClaims), context.now)
      : undefined;
    return {
      format: "jws",
      message: jose.payload,
      ...(type === undefined ? {} : { messageType: { value: type, authenticated: true } }),
      signers,
      coverage: "message",
      unauthenticated: unauthenticatedOf(jose),
      proofs: [],
      ...(refusal === undefined ? {} : { refusal }),
    } satisfies FormatEnvelope;
  },
};

function detect(input: FormatInput): Confidence {
  const compact = peekCompact(input);
  if (compact !== undefined) return confidenceOf(compact);
  const { json } = input;
  if (json === undefined || typeof json.payload !== "string") return 0;
  if (typeof json.protected === "string") return confidenceOf(peekHeader(json.protected)) || 2;
  const { signatures } = json;
  return Array.isArray(signatures) &&
      signatures.some((one) => isObject(one) && typeof one.protected === "string")
    ? 3
    : 0;
}

/** What another format makes of a JWS has a mark of its own, which goes first. */
function confidenceOf(header: JsonObject | undefined): Confidence {
  if (typeof header?.alg !== "string") return 0;
  const isOther = header.cty === NOTATION_TYPE || header.typ === "x509" || header.typ === "gpg";
  return isOther ? 2 : 3;
}

/** `cty` is the type of the payload, `typ` that of the whole (RFC 7515, 4.1.9 and 4.1.10). */
function typeOf({ cty, typ }: JsonObject): string | undefined {
  if (typeof cty === "string") return cty;
  return typeof typ === "string" ? typ : undefined;
}

async function verifySignature(
  { header, signed, signature }: JoseSignature,
  { keys }: FormatContext,
): Promise<SignerResult> {
  const alg = jsonText(header.alg);
  const keyid = typeof header.kid === "string" ? header.kid : undefined;
  const wanted = algorithmOfJose(alg);
  if (wanted === undefined) {
    return badSigner(
      "unsupported-algorithm",
      `Cannot verify JWS: ${quote(alg)} is no signature that is taken`,
      keyid,
    );
  }
  const refusal = criticalRefusal(header, NOTHING);
  if (refusal !== undefined) return { ok: false, error: refusal };
  for (const name of ["typ", "cty"]) {
    if (header[name] !== undefined && typeof header[name] !== "string") {
      return badSigner("malformed-envelope", `Cannot verify JWS: ${name} is no text`, keyid);
    }
  }
  const fitting = keys.filter((key) => key.alg === wanted);
  if (fitting.length === 0 && keys.length > 0) {
    return badSigner(
      "key-algorithm-mismatch",
      `Cannot verify JWS: it says ${alg}, which is the algorithm of no trusted key`,
      keyid,
    );
  }
  return await trySigner(fitting, { data: signed(), signature, encoding: "p1363", keyid });
}

/** Whether a type of a header is that of a JWT. */
function isJwt(type: Json | undefined): boolean {
  return typeof type === "string" && isJwtType(type);
}

/** A type of the payload does not make a JWT another thing; nothing said of it may be one too. */
function mayBeJwt(header: JsonObject): boolean {
  const type = typeOf(header);
  return isJwt(header.typ) || isJwt(header.cty) || type === undefined || isGenericType(type);
}

/** RFC 7519, 5.2: one in another has its claims inside. */
function hasClaims({ cty, typ }: JsonObject): boolean {
  return isJwt(typ) && !isJwt(cty);
}

/** RFC 7519, 4.1.4 and 4.1.5, of what is a JWT or may be one. */
function timeRefusal(
  payload: Uint8Array,
  isExpected: boolean,
  now: Date,
): AttestationError | undefined {
  let claims: unknown;
  try {
    claims = parseJson(payload);
  } catch (error) {
    // What it is instead is for its reader to say, unless it says that it has claims.
    return isExpected ? asRefusal(error) : undefined;
  }
  if (!isObject(claims)) {
    return isExpected
      ? new AttestationError("malformed-envelope", "Cannot verify JWT: its claims are no object")
      : undefined;
  }
  const { exp, nbf } = claims;
  for (const [name, value] of [["exp", exp], ["nbf", nbf]] as const) {
    if (value !== undefined && typeof value !== "number") {
      return new AttestationError("malformed-envelope", `Cannot verify JWT: ${name} is no number`);
    }
  }
  const seconds = now.getTime() / 1000;
  if (typeof exp === "number" && seconds >= exp) {
    return new AttestationError(
      "attestation-expired",
      `Cannot accept JWT: it expired at ${exp} (Unix seconds), now it is ${Math.floor(seconds)}`,
    );
  }
  if (typeof nbf === "number" && seconds < nbf) {
    return new AttestationError(
      "attestation-not-yet-valid",
      `Cannot accept JWT: it counts from ${nbf} (Unix seconds), now it is ${Math.floor(seconds)}`,
    );
  }
}

function unauthenticatedOf({ signatures }: Jose): Record<string, unknown> {
  const headers = signatures.map(({ unprotected }) => unprotected);
  return headers.some((one) => Object.keys(one).length > 0) ? { headers } : {};
}
