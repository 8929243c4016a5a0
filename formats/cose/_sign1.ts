import { AttestationError } from "../../errors.ts";
import { type Bytes, concat, utf8 } from "../../internal/bytes.ts";
import {
  type Cbor,
  type CborMap,
  type CborName,
  CborTag,
  decodeCbor,
  encodeCborBytes,
  encodeCborHead,
} from "../../internal/cbor.ts";
import { Major } from "../../internal/cbor_scan.ts";
import { quote } from "../../internal/json.ts";
import type { KeyAlgorithm } from "../../keys/algorithm.ts";
import type { ByteRange } from "../format.ts";

/** COSE_Sign1, read and not verified. */
export interface CoseSign1 {
  /** The protected header as it is signed; empty if it has no parameters. */
  readonly protectedBytes: Bytes;
  /** The protected header. */
  readonly header: CborMap;
  /** The header that nobody signed. */
  readonly unprotected: CborMap;
  /** The payload; absent if it lies elsewhere. */
  readonly payload?: Bytes;
  /** The signature. */
  readonly signature: Bytes;
  /** Where the header that nobody signed is, in the document. */
  readonly uncovered: readonly ByteRange[];
}

/** Parameters of headers: RFC 9052, 3.1; RFC 9360, 2. */
export const Label = { alg: 1, crit: 2, contentType: 3, kid: 4, x5chain: 33 } as const;

const SIGN1 = 18;
const MAX_HEADER = 256 << 10;

/**
 * Reads COSE_Sign1: its tag, two headers that have no name in common, the payload and the
 * signature. The protected header has to name the algorithm.
 *
 * Source: RFC 9052, 2, 3, 4.2.
 *
 * @throws {AttestationError} `malformed-envelope`, `malformed-cbor`, `limit-exceeded`,
 * `invalid-unicode`.
 */
export function parseSign1(
  source: Uint8Array,
  { maxBytes, untagged = false }: { maxBytes: number; untagged?: boolean },
): CoseSign1 {
  const whole = decodeCbor(source, { maxBytes });
  const isTagged = whole instanceof CborTag;
  if (isTagged ? whole.tag !== SIGN1 : !untagged) {
    throw malformedCose(isTagged ? `its tag is ${whole.tag}, wanted 18` : "it lacks the tag 18");
  }
  const parts: Cbor = isTagged ? whole.value : whole;
  if (!Array.isArray(parts) || parts.length !== 4) throw malformedCose("it is no list of four");
  const [encoded, unprotected, payload, signature] = parts;
  if (!(encoded instanceof Uint8Array)) throw malformedCose("its protected header is no bytes");
  if (!(unprotected instanceof Map)) throw malformedCose("its unprotected header is no map");
  if (payload !== null && !(payload instanceof Uint8Array)) {
    throw malformedCose("its payload is no bytes");
  }
  if (!(signature instanceof Uint8Array)) throw malformedCose("its signature is no bytes");
  const header = encoded.length === 0
    ? new Map<CborName, Cbor>()
    : decodeCbor(encoded, { maxBytes: MAX_HEADER });
  if (!(header instanceof Map)) throw malformedCose("its protected header is no map");
  for (const name of unprotected.keys()) {
    if (header.has(name)) throw malformedCose(`${describeName(name)} stands in both headers`);
  }
  // RFC 9052, 3.1: what is not signed must not say what has to be understood.
  if (unprotected.has(Label.crit)) throw malformedCose("its crit is in the unprotected header");
  const alg = header.get(Label.alg);
  if (typeof alg !== "number" && typeof alg !== "string") {
    throw malformedCose("its protected header names no algorithm");
  }
  return {
    // RFC 9052, 4.4: a header without parameters is signed as the empty string.
    protectedBytes: header.size === 0 ? new Uint8Array() : encoded,
    header,
    unprotected,
    ...(payload === null ? {} : { payload }),
    signature,
    uncovered: [unsignedRange(source.length, { isTagged, encoded, payload, signature })],
  };
}

/** Lengths are definite and shortest: what lies between is the unprotected header. */
function unsignedRange(
  length: number,
  { isTagged, encoded, payload, signature }: {
    isTagged: boolean;
    encoded: Bytes;
    payload: Bytes | null;
    signature: Bytes;
  },
): ByteRange {
  const size = (bytes: Bytes | null) =>
    bytes === null ? 1 : encodeCborHead(Major.bytes, bytes.length).length + bytes.length;
  return {
    start: (isTagged ? 2 : 1) + size(encoded),
    end: length - size(payload) - size(signature),
    what: "unprotected header",
  };
}

/**
 * The bytes that are signed.
 *
 * Source: RFC 9052, 4.4.
 */
export function sigStructure(
  { protectedBytes }: Pick<CoseSign1, "protectedBytes">,
  payload: Uint8Array,
  externalData: Uint8Array,
): Bytes {
  return concat(
    encodeCborHead(Major.array, 4),
    encodeCborHead(Major.text, 10),
    utf8("Signature1"),
    encodeCborBytes(protectedBytes),
    encodeCborBytes(externalData),
    encodeCborBytes(payload),
  );
}

/** A header parameter's name, for people. */
export function describeName(name: CborName): string {
  return typeof name === "string" ? quote(name) : `the parameter ${name}`;
}

/**
 * Names that the protected header lists as critical; empty if it lists none.
 *
 * Source: RFC 9052, 3.1.
 *
 * @throws {AttestationError} `malformed-envelope`, or `unsupported-critical-header` for one
 * that is not in `understood`.
 */
export function criticalNames(
  header: CborMap,
  understood: ReadonlySet<CborName>,
): readonly CborName[] {
  const crit = header.get(Label.crit);
  if (crit === undefined) return [];
  if (!Array.isArray(crit) || crit.length === 0 || new Set(crit).size !== crit.length) {
    throw malformedCose("its crit is no list of different names");
  }
  return crit.map((name) => {
    const isName = typeof name === "number" || typeof name === "string" ||
      typeof name === "bigint";
    if (!isName || !header.has(name)) {
      throw malformedCose("its crit names a parameter that is not there");
    }
    if (!understood.has(name)) {
      throw new AttestationError(
        "unsupported-critical-header",
        `Cannot verify COSE_Sign1: ${describeName(name)} is critical and not understood`,
        { path: "/protected" },
      );
    }
    return name;
  });
}

/** Media types of the CoAP content formats that are met here: IANA, "CoAP Content-Formats". */
const COAP: ReadonlyMap<number, string> = new Map([
  [0, "text/plain;charset=utf-8"],
  [42, "application/octet-stream"],
  [50, "application/json"],
  [60, "application/cbor"],
  [61, "application/cwt"],
]);

/**
 * Type of the payload that the protected header states, if it does: numbers of CoAP as the
 * media types that they stand for.
 *
 * @throws {AttestationError} `malformed-envelope`.
 */
export function contentTypeOf(header: CborMap): string | undefined {
  const type = header.get(Label.contentType);
  if (type === undefined) return undefined;
  if (typeof type === "string") return type;
  if (typeof type === "number" && Number.isInteger(type) && type >= 0 && type < 65536) {
    return COAP.get(type) ?? `coap-content-format/${type}`;
  }
  throw malformedCose("its content type is neither text nor a number");
}

/**
 * Algorithms of keys that an `alg` confirms, by its number. Those of ECDSA without a curve in
 * their name go with each curve; the rest stand for one key.
 *
 * Source: RFC 9053, 2; RFC 8812, 2; RFC 9864, 4.1.1; draft-ietf-cose-dilithium.
 */
const ALGORITHMS: ReadonlyMap<number, readonly KeyAlgorithm[]> = new Map<
  number,
  readonly KeyAlgorithm[]
>([
  [-7, ["ES256", "ECDSA-P384-SHA256", "ECDSA-P521-SHA256"]],
  [-35, ["ES384", "ECDSA-P256-SHA384", "ECDSA-P521-SHA384"]],
  [-36, ["ES512", "ECDSA-P256-SHA512", "ECDSA-P384-SHA512"]],
  [-8, ["Ed25519"]],
  [-9, ["ES256"]],
  [-19, ["Ed25519"]],
  [-51, ["ES384"]],
  [-52, ["ES512"]],
  [-37, ["PS256"]],
  [-38, ["PS384"]],
  [-39, ["PS512"]],
  [-48, ["ML-DSA-44"]],
  [-49, ["ML-DSA-65"]],
  [-50, ["ML-DSA-87"]],
  [-257, ["RS256"]],
  [-258, ["RS384"]],
  [-259, ["RS512"]],
]);

/** Algorithms of keys that the header confirms; none for what is not taken. */
export function algorithmsOf(header: CborMap): readonly KeyAlgorithm[] {
  const alg = header.get(Label.alg);
  return typeof alg === "number" ? ALGORITHMS.get(alg) ?? [] : [];
}

/** The algorithm as it is stated, for people. */
export function statedAlgorithm(header: CborMap): string {
  const [name] = algorithmsOf(header);
  const alg = header.get(Label.alg);
  return name ??
    (typeof alg === "string" ? quote(alg) : typeof alg === "number" ? `${alg}` : "no algorithm");
}

/**
 * The chain of certificates in either header, the signer's first.
 *
 * Source: RFC 9360, 2, x5chain: one certificate is no list.
 *
 * @throws {AttestationError} `malformed-envelope`.
 */
export function chainOf({ header, unprotected }: CoseSign1): readonly Bytes[] | undefined {
  const value = header.get(Label.x5chain) ?? unprotected.get(Label.x5chain);
  if (value === undefined) return undefined;
  if (value instanceof Uint8Array) return [value];
  // A list of one is against the RFC, and what some tools write.
  if (Array.isArray(value) && value.length > 0) {
    const bytes = value.filter((one) => one instanceof Uint8Array);
    if (bytes.length === value.length) return bytes;
  }
  throw malformedCose("its x5chain is no certificate and no list of them");
}

/** A refusal of what is no COSE_Sign1. */
export function malformedCose(what: string): AttestationError {
  return new AttestationError("malformed-envelope", `Cannot read COSE_Sign1: ${what}`);
}
