import { AttestationError } from "../errors.ts";
import { decodeBase64 } from "../internal/base64.ts";
import type { Bytes } from "../internal/bytes.ts";
import { type Json, type JsonObject, jsonText, quote } from "../internal/json.ts";
import { parseOffsetTimestamp } from "../internal/timestamp.ts";
import { type Certificate, parseCertificate } from "../sigstore/certificate.ts";
import {
  algorithmOfJose,
  criticalRefusal,
  type JoseSignature,
  parseJose,
  peekHeader,
} from "./_jose.ts";
import { notationRefusal, type NotationSignature, verifyNotation } from "./_notation.ts";
import { NOTATION_TYPE } from "./notation_payload.ts";
import { formatAttributes } from "./certificate_name.ts";
import { nameOf } from "./certificate_trust.ts";
import type { FormatModule } from "./format.ts";

/** A Notation signature in a JWS, read and not verified. */
export interface NotationJws extends NotationSignature {
  /** What is said. */
  readonly payload: Bytes;
  /** Tool that signed, as it says. */
  readonly signingAgent?: string;
}

const SCHEME = "io.cncf.notary.signingScheme";
const TIME = "io.cncf.notary.signingTime";
const AUTHENTIC = "io.cncf.notary.authenticSigningTime";
const EXPIRY = "io.cncf.notary.expiry";
const PLUGIN = "io.cncf.notary.verificationPlugin";
const PLUGIN_VERSION = "io.cncf.notary.verificationPluginMinVersion";
const UNDERSTOOD: ReadonlySet<string> = new Set([SCHEME, AUTHENTIC, EXPIRY]);
const MAX_CHAIN = 16;

/**
 * Signatures of Notation (Notary Project) in a flattened JWS: about an OCI artifact, by
 * whoever has a certificate of an authority that you trust.
 *
 * A signature that demands a verification plugin is refused; revocation is not asked for, as
 * nothing here makes a request.
 *
 * Source: Notary Project, specs/signature-specification.md and signature-envelope-jws.md.
 */
export const notationJws: FormatModule<NotationJws> = {
  id: "notation-jws",
  layer: "envelope",
  detect({ json }) {
    if (typeof json?.protected !== "string" || typeof json.payload !== "string") return 0;
    return peekHeader(json.protected)?.cty === NOTATION_TYPE ? 3 : 0;
  },
  parse(bytes, limits) {
    const { payload, signatures, serialization } = parseJose(bytes, limits);
    if (serialization !== "flattened") throw malformed("it is not flattened", "");
    const content: NotationJws = { ...readNotation(signatures[0]), payload };
    const { algorithm, chain, signature, scheme, expiry, signingAgent, signingTime } = content;
    return {
      format: "notation-jws",
      messageType: NOTATION_TYPE,
      message: payload,
      signatures: [{
        keyid: formatAttributes(nameOf(chain[0])),
        algorithm,
        bytes: signature.length,
      }],
      facts: {
        scheme,
        ...(expiry === undefined ? {} : { expiry: expiry.toISOString() }),
        ...(signingTime === undefined ? {} : { "signing time": signingTime.toISOString() }),
        ...(signingAgent === undefined ? {} : { "signing agent": signingAgent }),
      },
      content,
    };
  },
  async verify({ content }, context) {
    const refusal = notationRefusal(content, context);
    const { signingAgent } = content;
    return {
      format: "notation-jws",
      message: content.payload,
      messageType: { value: NOTATION_TYPE, authenticated: true },
      signers: [await verifyNotation(content, context)],
      coverage: "message",
      unauthenticated: signingAgent === undefined ? {} : { signingAgent },
      proofs: [],
      ...(refusal === undefined ? {} : { refusal }),
    };
  },
};

type Read = Omit<NotationJws, "payload">;

function readNotation({ header, unprotected, signed, signature }: JoseSignature): Read {
  if (header.cty !== NOTATION_TYPE) {
    throw malformed(`its cty is ${quote(jsonText(header.cty))}`, "/protected");
  }
  const algorithm = algorithmOfJose(jsonText(header.alg));
  if (algorithm === undefined || !/^(PS|ES)/.test(algorithm)) {
    throw new AttestationError(
      "unsupported-algorithm",
      `Cannot read Notation signature: ${quote(jsonText(header.alg))} is no algorithm of Notation`,
      { path: "/protected" },
    );
  }
  const refusal = criticalRefusal(header, UNDERSTOOD);
  if (refusal !== undefined) throw refusal;
  const critical = Array.isArray(header.crit) ? header.crit : [];
  for (const name of [SCHEME, AUTHENTIC, EXPIRY, PLUGIN, PLUGIN_VERSION]) {
    const mustBeThere = name === SCHEME;
    if ((mustBeThere || Object.hasOwn(header, name)) && !critical.includes(name)) {
      throw new AttestationError(
        "unsupported-critical-header",
        `Cannot verify Notation signature: ${name} has to be critical, and is not`,
        { path: "/protected" },
      );
    }
  }
  const scheme = header[SCHEME];
  if (scheme !== "notary.x509" && scheme !== "notary.x509.signingAuthority") {
    throw malformed(`its signing scheme is ${quote(jsonText(scheme))}`, "/protected");
  }
  const byAuthority = scheme === "notary.x509.signingAuthority";
  const authenticSigningTime = timeOf(header, AUTHENTIC);
  const signingTime = timeOf(header, TIME);
  const expiry = timeOf(header, EXPIRY);
  // Each scheme has its own time, and must not have the other's.
  if (byAuthority ? signingTime !== undefined : authenticSigningTime !== undefined) {
    throw malformed("it states the time of the other signing scheme", "/protected");
  }
  if (byAuthority && authenticSigningTime === undefined) {
    throw malformed(`it lacks ${AUTHENTIC}`, "/protected");
  }
  const agent = unprotected["io.cncf.notary.signingAgent"];
  const timestamp = unprotected["io.cncf.notary.timestampSignature"];
  return {
    algorithm,
    scheme,
    ...(expiry === undefined ? {} : { expiry }),
    ...(authenticSigningTime === undefined ? {} : { authenticSigningTime }),
    ...(signingTime === undefined ? {} : { signingTime }),
    chain: readChain(unprotected.x5c),
    ...(typeof timestamp === "string"
      ? { timestamp: base64(timestamp, "/header/io.cncf.notary.timestampSignature") }
      : {}),
    ...(typeof agent === "string" ? { signingAgent: agent } : {}),
    signed,
    signature,
  };
}

function readChain(x5c: Json | undefined): Certificate[] {
  const path = "/header/x5c";
  if (!Array.isArray(x5c) || x5c.length === 0) throw malformed("it has no certificate", path);
  if (x5c.length > MAX_CHAIN) {
    throw new AttestationError(
      "limit-exceeded",
      `Cannot read Notation signature: ${x5c.length} certificates, at most ${MAX_CHAIN}`,
      { path },
    );
  }
  return x5c.map((one, i) => {
    if (typeof one !== "string") throw malformed("a certificate is no text", `${path}/${i}`);
    return parseCertificate(base64(one, `${path}/${i}`), `${path}/${i}`);
  });
}

function timeOf(header: JsonObject, name: string): Date | undefined {
  const value = header[name];
  if (value === undefined) return undefined;
  const time = typeof value === "string" ? parseOffsetTimestamp(value) : undefined;
  if (time === undefined) throw malformed(`${name} is no RFC 3339 time`, "/protected");
  return time;
}

/** RFC 7515, 4.1.6: standard base64, with padding. */
function base64(text: string, path: string): Bytes {
  return decodeBase64(text, { alphabet: "standard", padding: "required", path });
}

function malformed(what: string, path: string): AttestationError {
  return new AttestationError(
    "malformed-envelope",
    `Cannot read Notation signature: ${what}`,
    { path },
  );
}
