import { AttestationError } from "../errors.ts";
import { quote } from "../internal/json.ts";
import { type Certificate, parseCertificate } from "../sigstore/certificate.ts";
import type { NotationSignature } from "./_notation.ts";
import { NOTATION_TYPE } from "./notation_payload.ts";

const SCHEME = "io.cncf.notary.signingScheme";
const TIME = "io.cncf.notary.signingTime";
const AUTHENTIC = "io.cncf.notary.authenticSigningTime";
const EXPIRY = "io.cncf.notary.expiry";
const PLUGIN = "io.cncf.notary.verificationPlugin";
const PLUGIN_VERSION = "io.cncf.notary.verificationPluginMinVersion";
const MAX_CHAIN = 16;

/** Attributes that may be critical: they are understood here. */
export const NOTATION_CRITICAL: ReadonlySet<string> = new Set([SCHEME, AUTHENTIC, EXPIRY]);
/** Attribute of an RFC 3161 token over the signature; nobody signed it. */
export const NOTATION_TIMESTAMP = "io.cncf.notary.timestampSignature";
/** Attribute of the tool that signed; nobody signed it. */
export const NOTATION_AGENT = "io.cncf.notary.signingAgent";

/** The protected header of a Notation envelope, whether it is JWS or COSE. */
export interface NotationHeader {
  /** Names that it lists as critical. */
  readonly critical: readonly unknown[];
  /** Type of the payload. */
  readonly contentType: unknown;
  /** The value of an attribute; undefined if it is not there. */
  get(name: string): unknown;
  /** A moment as the envelope writes it; undefined for anything else. */
  readTime(value: unknown): Date | undefined;
}

/**
 * The attributes that Notation signs: each critical that has to be, the time that goes with
 * the signing scheme and no other.
 *
 * Source: Notary Project, specs/signature-specification.md, "Signed Attributes".
 *
 * @throws {AttestationError} `malformed-envelope`, `unsupported-critical-header`.
 */
export function readNotationHeader(
  header: NotationHeader,
): Pick<NotationSignature, "scheme" | "expiry" | "authenticSigningTime" | "signingTime"> {
  if (header.contentType !== NOTATION_TYPE) {
    throw malformedNotation(
      `its content type is ${shown(header.contentType)}`,
      "/protected",
    );
  }
  for (const name of [SCHEME, AUTHENTIC, EXPIRY, PLUGIN, PLUGIN_VERSION]) {
    const mustBeThere = name === SCHEME;
    if (
      (mustBeThere || header.get(name) !== undefined) && !header.critical.includes(name)
    ) {
      throw new AttestationError(
        "unsupported-critical-header",
        `Cannot verify Notation signature: ${name} has to be critical, and is not`,
        { path: "/protected" },
      );
    }
  }
  const scheme = header.get(SCHEME);
  if (scheme !== "notary.x509" && scheme !== "notary.x509.signingAuthority") {
    throw malformedNotation(`its signing scheme is ${shown(scheme)}`, "/protected");
  }
  const byAuthority = scheme === "notary.x509.signingAuthority";
  const authenticSigningTime = timeOf(header, AUTHENTIC);
  const signingTime = timeOf(header, TIME);
  const expiry = timeOf(header, EXPIRY);
  // Each scheme has its own time, and must not have the other's.
  if (byAuthority ? signingTime !== undefined : authenticSigningTime !== undefined) {
    throw malformedNotation("it states the time of the other signing scheme", "/protected");
  }
  if (byAuthority && authenticSigningTime === undefined) {
    throw malformedNotation(`it lacks ${AUTHENTIC}`, "/protected");
  }
  return {
    scheme,
    ...(expiry === undefined ? {} : { expiry }),
    ...(authenticSigningTime === undefined ? {} : { authenticSigningTime }),
    ...(signingTime === undefined ? {} : { signingTime }),
  };
}

function timeOf(header: NotationHeader, name: string): Date | undefined {
  const value = header.get(name);
  if (value === undefined) return undefined;
  const time = header.readTime(value);
  if (time === undefined) throw malformedNotation(`${name} is no time`, "/protected");
  return time;
}

/**
 * The chain of an envelope, the signer's certificate first.
 *
 * @param chain Undefined if there is none.
 * @param decode Gives the DER of one entry, or refuses it.
 * @param path Where the chain is.
 * @throws {AttestationError} `malformed-envelope`, `malformed-certificate`, `limit-exceeded`,
 * and what `decode` throws.
 */
export function readNotationChain<Entry>(
  chain: readonly Entry[] | undefined,
  decode: (entry: Entry, path: string) => Uint8Array,
  path: string,
): Certificate[] {
  if (chain === undefined || chain.length === 0) {
    throw malformedNotation("it has no certificate", path);
  }
  if (chain.length > MAX_CHAIN) {
    throw new AttestationError(
      "limit-exceeded",
      `Cannot read Notation signature: ${chain.length} certificates, at most ${MAX_CHAIN}`,
      { path },
    );
  }
  return chain.map((one, i) => {
    const own = `${path}/${i}`;
    return parseCertificate(decode(one, own), own);
  });
}

/** A refusal of what is no Notation signature. */
export function malformedNotation(what: string, path: string): AttestationError {
  return new AttestationError(
    "malformed-envelope",
    `Cannot read Notation signature: ${what}`,
    { path },
  );
}

/** A value of either encoding, for people. */
function shown(value: unknown): string {
  return typeof value === "string" ? quote(value) : `no text but ${typeof value}`;
}
