/**
 * Kinds of predicates: what in-toto, cosign, npm, SPDX, CycloneDX and OpenVEX say about
 * subjects, each with a parser, a validator and a builder.
 *
 * @module
 */

export type { JsonObject } from "../../internal/json.ts";
export { formatPurl, parsePurl, type Purl } from "../../internal/purl.ts";
export { type CosignCustom, cosignCustomPredicate } from "./cosign_custom.ts";
export {
  type CycloneDxBom,
  type CycloneDxComponent,
  type CycloneDxDependency,
  cycloneDxPredicate,
  listCycloneDxComponents,
  mapCycloneDxDependencies,
} from "./cyclonedx.ts";
export { definePredicate, type PredicateDefinition, type PredicateKind } from "./kind.ts";
export {
  createLegacyLink,
  type LegacyLink,
  legacyLinkPredicate,
  type Link,
  linkPredicate,
} from "./link.ts";
export { listPackages } from "./list_packages.ts";
export { type NpmPublish, npmPublishPredicate } from "./npm_publish.ts";
export {
  listVexStatements,
  type OpenVex,
  openVexPredicate,
  type OpenVexStatement,
  type VexFinding,
  type VexJustification,
  type VexStatus,
} from "./openvex.ts";
export { type Reference, referencePredicate } from "./reference.ts";
export {
  IN_TOTO_PREDICATES,
  type ParsedPredicate,
  type PredicateLookup,
  type PredicateRegistry,
} from "./registry.ts";
export { type Release, releasePredicate } from "./release.ts";
export { type RuntimeTrace, runtimeTracePredicate } from "./runtime_trace.ts";
export type { SbomPackage } from "./sbom.ts";
export { type AttributeAssertion, type AttributeReport, scaiPredicate } from "./scai.ts";
export { findPredicateTypes, PREDICATE_SHORT_NAMES } from "./short_name.ts";
export {
  listSpdxPackages,
  type Spdx3Document,
  spdx3Predicate,
  type SpdxDocument,
  type SpdxPackage,
  spdxPredicate,
} from "./spdx.ts";
export { type SimpleVerificationResult, svrPredicate } from "./svr.ts";
export { type TestResult, testResultPredicate } from "./test_result.ts";
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
} from "./vulns.ts";
