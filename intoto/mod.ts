/**
 * in-toto Statements: what an attestation says about which artifacts, the match of
 * artifacts with subjects by digest, and files of many attestations.
 *
 * Nothing here looks at a signature. A Statement is worth something only when it is the
 * payload that `@x/attest/dsse` or `@x/attest/sigstore` accepted.
 *
 * @module
 */

export type { Json, JsonObject } from "../internal/json.ts";
export { type AttestationShape, detectFormat } from "./detect.ts";
export {
  DIGEST_ALGORITHMS,
  type DigestSet,
  normalizeDigest,
  validateDigestSet,
} from "./digest_set.ts";
export {
  type JsonLine,
  type JsonLinesOptions,
  type JsonLinesSource,
  readJsonLines,
} from "./json_lines.ts";
export {
  type MatchedSubject,
  type MatchManyOptions,
  type MatchMode,
  type MatchOptions,
  type MatchResult,
  matchSubject,
  matchSubjects,
} from "./match.ts";
export {
  parseResourceDescriptor,
  type ResourceDescriptor,
  validateResourceDescriptor,
} from "./resource_descriptor.ts";
export {
  createStatement,
  encodeStatement,
  type NewStatement,
  parseStatement,
  type ParseStatementOptions,
  type Statement,
  type StatementType,
  validateStatement,
} from "./statement.ts";
