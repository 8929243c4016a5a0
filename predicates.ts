/**
 * Kinds of predicates: what is said about subjects, each with a parser, a validator and a
 * builder. A registry finds the kind of a `predicateType`, and takes kinds of one's own.
 *
 * What is read here is worth something only when it is of a Statement that
 * `@x/attest/dsse` or `@x/attest/sigstore` accepted.
 *
 * @example What an SBOM lists
 * ```ts
 * import { cycloneDxPredicate, listPackages } from "@x/attest/predicates";
 * import assert from "node:assert/strict";
 *
 * const bom = cycloneDxPredicate.parse(JSON.stringify({
 *   bomFormat: "CycloneDX",
 *   specVersion: "1.6",
 *   components: [{ type: "library", name: "a", version: "1.0.0", purl: "pkg:npm/a@1.0.0" }],
 * }));
 * assert.deepEqual(listPackages(bom)?.map(({ name, version }) => [name, version]), [
 *   ["a", "1.0.0"],
 * ]);
 * ```
 *
 * @module
 */

export type { JsonObject } from "./internal/json.ts";
export { formatPurl, parsePurl, type Purl } from "./internal/purl.ts";
export { type CosignCustom, cosignCustomPredicate } from "./intoto/predicates/cosign_custom.ts";
export {
  type CycloneDxBom,
  type CycloneDxComponent,
  type CycloneDxDependency,
  cycloneDxPredicate,
  listCycloneDxComponents,
  mapCycloneDxDependencies,
} from "./intoto/predicates/cyclonedx.ts";
export {
  definePredicate,
  type PredicateDefinition,
  type PredicateKind,
} from "./intoto/predicates/kind.ts";
export {
  createLegacyLink,
  type LegacyLink,
  legacyLinkPredicate,
  type Link,
  linkPredicate,
} from "./intoto/predicates/link.ts";
export { listPackages } from "./intoto/predicates/list_packages.ts";
export { type NpmPublish, npmPublishPredicate } from "./intoto/predicates/npm_publish.ts";
export {
  listVexStatements,
  type OpenVex,
  openVexPredicate,
  type OpenVexStatement,
  type VexFinding,
  type VexJustification,
  type VexStatus,
} from "./intoto/predicates/openvex.ts";
export { type Reference, referencePredicate } from "./intoto/predicates/reference.ts";
export {
  IN_TOTO_PREDICATES,
  type ParsedPredicate,
  type PredicateLookup,
  type PredicateRegistry,
} from "./intoto/predicates/registry.ts";
export { type Release, releasePredicate } from "./intoto/predicates/release.ts";
export { type RuntimeTrace, runtimeTracePredicate } from "./intoto/predicates/runtime_trace.ts";
export type { SbomPackage } from "./intoto/predicates/sbom.ts";
export {
  type AttributeAssertion,
  type AttributeReport,
  scaiPredicate,
} from "./intoto/predicates/scai.ts";
export { findPredicateTypes, PREDICATE_SHORT_NAMES } from "./intoto/predicates/short_name.ts";
export {
  listSpdxPackages,
  type Spdx3Document,
  spdx3Predicate,
  type SpdxDocument,
  type SpdxPackage,
  spdxPredicate,
} from "./intoto/predicates/spdx.ts";
export { type SimpleVerificationResult, svrPredicate } from "./intoto/predicates/svr.ts";
export { type TestResult, testResultPredicate } from "./intoto/predicates/test_result.ts";
export {
  type CosignVulnerabilityScan,
  cosignVulnPredicate,
  listVulnerabilities,
  type ScanMetadata,
  type VulnerabilityFinding,
  type VulnerabilityScan,
  type VulnerabilityScanner,
  type VulnerabilityScanV01,
  type VulnerabilitySeverity,
  vulns01Predicate,
  vulnsPredicate,
} from "./intoto/predicates/vulns.ts";
export {
  createPredicateRegistry,
  lookupPredicate,
  provenance01Predicate,
  provenance02Predicate,
  provenancePredicate,
  SLSA_PREDICATES,
  vsaPredicate,
} from "./slsa/predicate_registry.ts";
