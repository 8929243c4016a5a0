/**
 * SLSA provenance: how the subjects of a Statement were built, as its builder tells it.
 *
 * Shapes only. Whether the builder may be believed is decided by who signed.
 *
 * @module
 */

export {
  type BuildDefinition,
  type Builder,
  type BuildMetadata,
  parseProvenancePredicate,
  PROVENANCE_V1,
  type ProvenanceV1,
  type RunDetails,
  validateProvenancePredicate,
} from "./provenance.ts";
