import { AttestationError } from "../../errors.ts";
import { type Cbor, type CborName, CborTag } from "../../internal/cbor.ts";
import type { KeyAlgorithm } from "../../keys/algorithm.ts";
import { detectNotationCose } from "../_cose_marks.ts";
import { describeNotation, type NotationContent, verifyNotationEnvelope } from "../_notation.ts";
import {
  malformedNotation,
  NOTATION_AGENT,
  NOTATION_CRITICAL,
  NOTATION_TIMESTAMP,
  readNotationChain,
  readNotationHeader,
} from "../_notation_header.ts";
import type { FormatLimits, FormatModule } from "../format.ts";
import {
  chainOf,
  contentTypeOf,
  criticalNames,
  Label,
  parseSign1,
  sigStructure,
  statedAlgorithm,
} from "./_sign1.ts";

const module: FormatModule<NotationContent> = {
  id: "notation-cose",
  layer: "envelope",
  detect: detectNotationCose,
  parse: (bytes, limits) => describeNotation("notation-cose", readNotation(bytes, limits)),
  verify: ({ content }, context) => verifyNotationEnvelope("notation-cose", content, context),
};

/**
 * Signatures of Notation (Notary Project) in COSE_Sign1: about an OCI artifact, by whoever has
 * a certificate of an authority that you trust. What holds for `notation-jws` holds here.
 *
 * Source: Notary Project, specs/signature-specification.md and signature-envelope-cose.md.
 */
export const notationCose: FormatModule = module;

/** Names that may be critical: those of COSE that are read here, and Notation's. */
const UNDERSTOOD: ReadonlySet<CborName> = new Set<CborName>([
  Label.alg,
  Label.contentType,
  ...NOTATION_CRITICAL,
]);
/** signature-envelope-cose.md, "Protected Headers": one for each kind of key. */
const ALGORITHMS: ReadonlyMap<unknown, KeyAlgorithm> = new Map<unknown, KeyAlgorithm>([
  [-7, "ES256"],
  [-35, "ES384"],
  [-36, "ES512"],
  [-37, "PS256"],
  [-38, "PS384"],
  [-39, "PS512"],
]);
const NOTHING = new Uint8Array();

function readNotation(bytes: Uint8Array, { maxBytes }: FormatLimits): NotationContent {
  const one = parseSign1(bytes, { maxBytes });
  const { header, unprotected, payload, signature, uncovered } = one;
  if (payload === undefined) throw malformedNotation("its payload lies elsewhere", "");
  const algorithm = ALGORITHMS.get(header.get(Label.alg));
  if (algorithm === undefined) {
    throw new AttestationError(
      "unsupported-algorithm",
      `Cannot read Notation signature: ${statedAlgorithm(header)} is no algorithm of Notation`,
      { path: "/protected" },
    );
  }
  const agent = unprotected.get(NOTATION_AGENT);
  const timestamp = unprotected.get(NOTATION_TIMESTAMP);
  return {
    algorithm,
    ...readNotationHeader({
      critical: criticalNames(header, UNDERSTOOD),
      contentType: contentTypeOf(header),
      get: (name) => header.get(name),
      readTime,
    }),
    chain: readNotationChain(chainOf(one), (der) => der, "/unprotected/x5chain"),
    ...(timestamp instanceof Uint8Array ? { timestamp } : {}),
    ...(typeof agent === "string" ? { signingAgent: agent } : {}),
    payload,
    signed: sigStructure(one, payload, NOTHING),
    signature,
    uncovered,
  };
}

/** Whole seconds with the tag 1: RFC 8949, 3.4.2. */
function readTime(value: unknown): Date | undefined {
  if (!(value instanceof CborTag) || value.tag !== 1) return undefined;
  const seconds: Cbor = value.value;
  if (typeof seconds !== "number" || !Number.isInteger(seconds)) return undefined;
  const time = new Date(seconds * 1000);
  return Number.isNaN(time.getTime()) ? undefined : time;
}
