import { isObject, type Json, type JsonObject, jsonText, quote } from "../../internal/json.ts";
import type { Fields } from "./_fields.ts";
import { defineChecked, type PredicateKind } from "./kind.ts";
import { objectsOf, type SbomPackage, sbomPackage, unwrapDocument } from "./sbom.ts";
import { innerDocument } from "./spdx.ts";

/** A CycloneDX document; members that are not listed are as CycloneDX defines them. */
export interface CycloneDxBom {
  /** Always `CycloneDX`. */
  bomFormat: string;
  /** `1.6`. */
  specVersion: string;
  /** What it lists; components may hold components. */
  components?: CycloneDxComponent[] | null;
  /** What depends on what. */
  dependencies?: CycloneDxDependency[] | null;
  /** Members as CycloneDX defines them. */
  [member: string]: Json | CycloneDxComponent[] | CycloneDxDependency[] | undefined;
}

/** A component; members that are not listed are as CycloneDX defines them. */
export interface CycloneDxComponent {
  /** `library`, `application`, `container`. */
  type: string;
  /** Name of the component. */
  name: string;
  /** Its version. */
  version?: string | null;
  /** Its package URL. */
  purl?: string | null;
  /** Its digests. */
  hashes?: { alg: string; content: string }[] | null;
  /** Components that it holds. */
  components?: CycloneDxComponent[] | null;
  /** Members as CycloneDX defines them. */
  [member: string]: unknown;
}

/** What one component depends on. */
export interface CycloneDxDependency {
  /** `bom-ref` of the component. */
  ref: string;
  /** `bom-ref`s of what it depends on. */
  dependsOn?: string[] | null;
}

const MAX_NESTING = 100;

/**
 * CycloneDX 1.0 to 1.7: the frame is checked, and that the document is of the version that
 * `predicateType` names, if it names one (`inconsistent-predicate`). Package URLs that
 * cannot be read are listed by `validate` (`malformed-purl`), and do not keep anyone from
 * reading.
 *
 * A document that older cosign wrapped in `Data` is read too.
 *
 * Source: in-toto attestation, spec/predicates/cyclonedx.md; ECMA-424.
 *
 * @example
 * ```ts
 * import { cycloneDxPredicate } from "@x/attest/predicates";
 * import assert from "node:assert/strict";
 *
 * assert.deepEqual(cycloneDxPredicate.validate({ bomFormat: "CycloneDX", specVersion: "1.6" }), []);
 * assert.equal(cycloneDxPredicate.validate({ bomFormat: "SPDX" })[0].path, "/bomFormat");
 * ```
 */
export const cycloneDxPredicate: PredicateKind<CycloneDxBom> = defineChecked<CycloneDxBom>({
  name: "cyclonedx",
  predicateTypes: [
    "https://cyclonedx.org/bom",
    ...["1.0", "1.1", "1.2", "1.3", "1.4", "1.5", "1.6", "1.7"].map((version) =>
      `https://cyclonedx.org/bom/v${version}`
    ),
  ],
  check(predicate, predicateType) {
    const bom = innerDocument(predicate, "bomFormat");
    if (bom === undefined) return;
    const format = bom.text("bomFormat", "required");
    if (format !== undefined && format !== "CycloneDX") bom.wrong("bomFormat", "CycloneDX");
    const version = bom.text("specVersion", "required");
    if (version !== undefined && !/^1\.\d{1,3}$/.test(version)) {
      bom.wrong("specVersion", "1 and a minor version");
    }
    const named = predicateType?.split("/v")[1];
    if (named !== undefined && version !== undefined && version !== named) {
      bom.contradiction(
        "specVersion",
        `the document is ${quote(version)}, predicateType says ${named}`,
      );
    }
    bom.text("serialNumber");
    bom.integer("version");
    const metadata = bom.object("metadata");
    metadata?.timestamp("timestamp", "optional", "any");
    const main = metadata?.object("component");
    if (main !== undefined) checkComponent(main, MAX_NESTING);
    for (const component of bom.objects("components")) checkComponent(component, MAX_NESTING);
    for (const dependency of bom.objects("dependencies")) {
      dependency.text("ref", "required");
      dependency.texts("dependsOn");
    }
  },
});

/**
 * Components of a CycloneDX document with their versions, package URLs and digests; those
 * that lie in others follow them, and so do those of the component in `metadata`. A package URL
 * that the evidence of a component concludes is one of its own.
 *
 * @param bom A document that {@linkcode cycloneDxPredicate} read; also one that older cosign
 * wrapped.
 * @returns The components, without that of `metadata`, which is the subject.
 *
 * @example
 * ```ts
 * import { listCycloneDxComponents } from "@x/attest/predicates";
 * import assert from "node:assert/strict";
 *
 * const found = listCycloneDxComponents({
 *   components: [{ type: "library", name: "a", purl: "pkg:npm/a@1.0.0" }],
 * });
 * assert.deepEqual(found[0].purls, ["pkg:npm/a@1.0.0"]);
 * ```
 */
export function listCycloneDxComponents(bom: object): SbomPackage[] {
  const { components } = unwrapDocument(bom);
  return flatten([...objectsOf(components), ...objectsOf(subjectOf(bom).components)]);
}

/** The component that a CycloneDX document is about; none if it does not say, or is none. */
export function listCycloneDxSubject(bom: object): SbomPackage[] {
  const subject = subjectOf(bom);
  return Object.keys(subject).length === 0 ? [] : [readComponent(subject)];
}

function subjectOf(bom: object): JsonObject {
  const { metadata } = unwrapDocument(bom);
  return isObject(metadata) && isObject(metadata.component) ? metadata.component : {};
}

function flatten(components: JsonObject[]): SbomPackage[] {
  const found: SbomPackage[] = [];
  const open = components.reverse();
  for (let item = open.pop(); item !== undefined; item = open.pop()) {
    found.push(readComponent(item));
    for (const inner of objectsOf(item.components).reverse()) open.push(inner);
  }
  return found;
}

function readComponent(item: JsonObject): SbomPackage {
  const { identity } = isObject(item.evidence) ? item.evidence : {};
  const concluded = objectsOf(Array.isArray(identity) ? identity : [identity])
    .filter(({ field }) => jsonText(field).toLowerCase() === "purl")
    .map(({ concludedValue }) => concludedValue);
  return sbomPackage({
    id: item["bom-ref"],
    name: nameOf(item),
    version: item.version,
    purls: [...new Set([item.purl, ...concluded])],
    digests: objectsOf(item.hashes).map(({ alg, content }) => [alg, content]),
  });
}

/**
 * What depends on what in a CycloneDX document, by `bom-ref`.
 *
 * @param bom A document that {@linkcode cycloneDxPredicate} read; also one that older cosign
 * wrapped.
 * @returns For each component that the document speaks of, what it depends on; an empty list
 * says that it depends on nothing, a component that is not there was not looked at.
 *
 * @example
 * ```ts
 * import { mapCycloneDxDependencies } from "@x/attest/predicates";
 * import assert from "node:assert/strict";
 *
 * const found = mapCycloneDxDependencies({ dependencies: [{ ref: "app", dependsOn: ["a"] }] });
 * assert.deepEqual(found.get("app"), ["a"]);
 * assert.equal(found.get("a"), undefined);
 * ```
 */
export function mapCycloneDxDependencies(bom: object): Map<string, string[]> {
  const found = new Map<string, string[]>();
  for (const { ref, dependsOn } of objectsOf(unwrapDocument(bom).dependencies)) {
    if (typeof ref !== "string") continue;
    const list = found.get(ref) ?? [];
    for (const name of Array.isArray(dependsOn) ? dependsOn : []) {
      if (typeof name === "string") list.push(name);
    }
    found.set(ref, list);
  }
  return found;
}

function checkComponent(component: Fields, depth: number): void {
  component.text("name", "required");
  component.text("type", "required");
  component.text("version");
  component.advising(() => component.purl("purl"));
  for (const hash of component.objects("hashes")) {
    hash.text("alg", "required");
    hash.text("content", "required");
  }
  const inner = component.objects("components");
  if (inner.length > 0 && depth === 0) {
    component.problem("limit-exceeded", "components", `nested deeper than ${MAX_NESTING}`);
  } else for (const part of inner) checkComponent(part, depth - 1);
}

/** A group is a part of the name in npm and Maven. */
function nameOf({ group, name }: JsonObject): unknown {
  return typeof group === "string" && group !== "" && typeof name === "string"
    ? `${group}/${name}`
    : name;
}
