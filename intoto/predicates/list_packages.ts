import { listCycloneDxComponents } from "./cyclonedx.ts";
import { type SbomPackage, unwrapDocument } from "./sbom.ts";
import { listSpdxPackages } from "./spdx.ts";

/**
 * What an SBOM lists, whatever its format: SPDX 2, SPDX 3 or CycloneDX.
 *
 * @param document The predicate; also one that older cosign wrapped in `Data`.
 * @returns The packages in their order, those that lie in others after these; undefined if
 * the document is in no format that is known, which does not say that it lists nothing.
 *
 * @example
 * ```ts
 * import { listPackages } from "@x/attest/predicates";
 * import assert from "node:assert/strict";
 *
 * const [found] = listPackages({
 *   bomFormat: "CycloneDX",
 *   specVersion: "1.6",
 *   components: [{ type: "library", name: "left-pad", version: "1.3.0" }],
 * }) ?? [];
 * assert.equal(`${found.name} ${found.version}`, "left-pad 1.3.0");
 * assert.equal(listPackages({ hello: "world" }), undefined);
 * ```
 */
export function listPackages(document: object): SbomPackage[] | undefined {
  const found = unwrapDocument(document);
  if (found.bomFormat === "CycloneDX") return listCycloneDxComponents(found);
  if (typeof found.spdxVersion === "string" || Array.isArray(found["@graph"])) {
    return listSpdxPackages(found);
  }
  return undefined;
}
