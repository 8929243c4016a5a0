import { isObject, type Json, type JsonObject, jsonText, quote } from "../../internal/json.ts";
import type { Fields } from "./_fields.ts";
import { defineChecked, type PredicateKind } from "./kind.ts";
import { objectsOf, type SbomPackage, sbomPackage, unwrapDocument } from "./sbom.ts";

/** An SPDX 2 document; members that are not listed are as SPDX defines them. */
export interface SpdxDocument {
  /** `SPDX-2.3`. */
  spdxVersion: string;
  /** Always `SPDXRef-DOCUMENT`. */
  SPDXID: string;
  /** Name of the document. */
  name?: string | null;
  /** What it lists. */
  packages?: SpdxPackage[] | null;
  /** Members as SPDX defines them. */
  [member: string]: Json | SpdxPackage[] | undefined;
}

/** A package of an SPDX 2 document; members that are not listed are as SPDX defines them. */
export interface SpdxPackage {
  /** Id in the document. */
  SPDXID: string;
  /** Name of the package. */
  name: string;
  /** Its version. */
  versionInfo?: string | null;
  /** Its digests. */
  checksums?: { algorithm: string; checksumValue: string }[] | null;
  /** Its names elsewhere; those of `referenceType` `purl` are package URLs. */
  externalRefs?:
    | { referenceCategory: string; referenceType: string; referenceLocator: string }[]
    | null;
  /** Members as SPDX defines them. */
  [member: string]: unknown;
}

/** An SPDX 3 document in JSON-LD. */
export interface Spdx3Document {
  /** The context of SPDX 3. */
  "@context": Json;
  /** Its elements. */
  "@graph": JsonObject[];
  /** Members as SPDX defines them. */
  [member: string]: Json;
}

/**
 * SPDX 2.2 and 2.3: the frame is checked, and that the document is of the version that
 * `predicateType` names (`inconsistent-predicate`). Package URLs that cannot be read are
 * listed by `validate` (`malformed-purl`), and do not keep anyone from reading.
 *
 * A document that older cosign wrapped in `Data` is read too.
 *
 * Source: in-toto attestation, spec/predicates/spdx.md; SPDX 2.3, 6 and 7.
 *
 * @example
 * ```ts
 * import { spdxPredicate } from "@x/attest/predicates";
 * import assert from "node:assert/strict";
 *
 * const document = { spdxVersion: "SPDX-2.3", SPDXID: "SPDXRef-DOCUMENT" };
 * assert.deepEqual(spdxPredicate.validate(document), []);
 * ```
 */
export const spdxPredicate: PredicateKind<SpdxDocument> = defineChecked<SpdxDocument>({
  name: "spdx",
  predicateTypes: [
    "https://spdx.dev/Document/v2.3",
    "https://spdx.dev/Document",
    "https://spdx.dev/Document/v2.2",
  ],
  check(predicate, predicateType) {
    const document = innerDocument(predicate, "spdxVersion");
    if (document === undefined) return;
    const version = document.text("spdxVersion", "required");
    if (version !== undefined && !/^SPDX-2\.\d{1,3}$/.test(version)) {
      document.wrong("spdxVersion", "SPDX-2 and a minor version");
    }
    const named = predicateType?.split("/v")[1];
    if (named !== undefined && version !== undefined && version !== `SPDX-${named}`) {
      document.contradiction(
        "spdxVersion",
        `the document is ${quote(version)}, predicateType says ${named}`,
      );
    }
    const id = document.text("SPDXID", "required");
    if (id !== undefined && id !== "SPDXRef-DOCUMENT") {
      document.wrong("SPDXID", "SPDXRef-DOCUMENT");
    }
    document.text("name");
    document.text("documentNamespace");
    const creation = document.object("creationInfo");
    creation?.timestamp("created");
    creation?.texts("creators");
    for (const item of document.objects("packages")) checkPackage(item);
    document.objects("files");
    document.objects("relationships");
  },
});

/**
 * SPDX 3: the frame is checked.
 *
 * Source: in-toto attestation, spec/predicates/spdx.md; SPDX 3.0.1, "JSON-LD".
 *
 * @example
 * ```ts
 * import { spdx3Predicate } from "@x/attest/predicates";
 * import assert from "node:assert/strict";
 *
 * const document = {
 *   "@context": "https://spdx.org/rdf/3.0.1/spdx-context.jsonld",
 *   "@graph": [{ type: "SpdxDocument" }],
 * };
 * assert.deepEqual(spdx3Predicate.validate(document), []);
 * ```
 */
export const spdx3Predicate: PredicateKind<Spdx3Document> = defineChecked<Spdx3Document>({
  name: "spdx-v3",
  predicateTypes: ["https://spdx.dev/Document/v3"],
  check(document) {
    const context = document.value["@context"];
    if (context === undefined || context === null) document.missing("@context");
    else if (!isSpdx3Context(context)) document.wrong("@context", "the context of SPDX 3");
    document.objects("@graph", "required");
  },
});

/** Tells by its address whether a context is that of SPDX 3; none is ever fetched. */
export function isSpdx3Context(context: Json | undefined): boolean {
  return (Array.isArray(context) ? context : [context]).some((item) =>
    typeof item === "string" &&
    /^https:\/\/spdx\.org\/rdf\/3\.\d{1,3}(?:\.\d{1,3})?\/spdx-context\.jsonld$/.test(item)
  );
}

/**
 * Packages of an SPDX document, 2 or 3, with their versions, package URLs and digests; in
 * SPDX 3 also those that lie in other elements, of AI and of data sets. References of SPDX 2 to
 * npm, NuGet, Bower and Maven Central are given as package URLs.
 *
 * @param document A document that {@linkcode spdxPredicate} or {@linkcode spdx3Predicate}
 * read; also one that older cosign wrapped.
 * @returns The packages in their order.
 *
 * @example
 * ```ts
 * import { listSpdxPackages } from "@x/attest/predicates";
 * import assert from "node:assert/strict";
 *
 * const [found] = listSpdxPackages({
 *   packages: [{
 *     SPDXID: "SPDXRef-a",
 *     name: "left-pad",
 *     versionInfo: "1.3.0",
 *     externalRefs: [{ referenceType: "purl", referenceLocator: "pkg:npm/left-pad@1.3.0" }],
 *   }],
 * });
 * assert.deepEqual(found.purls, ["pkg:npm/left-pad@1.3.0"]);
 * ```
 */
export function listSpdxPackages(document: object): SbomPackage[] {
  const found = unwrapDocument(document);
  if (Array.isArray(found["@graph"])) return packagesOfGraph(found["@graph"]);
  return objectsOf(found.packages).map((item) =>
    sbomPackage({
      id: item.SPDXID,
      name: item.name,
      version: item.versionInfo,
      purls: objectsOf(item.externalRefs).map(purlOfReference),
      digests: objectsOf(item.checksums).map(({ algorithm, checksumValue }) => [
        algorithm,
        checksumValue,
      ]),
    })
  );
}

/** The document itself, or what older cosign wrapped around it. */
export function innerDocument(predicate: Fields, mark: string): Fields | undefined {
  if (predicate.has(mark) || !predicate.has("Data")) return predicate;
  // A text in it is a document in another notation, or JSON that cosign did not decode.
  return typeof predicate.value.Data === "string" ? undefined : predicate.object("Data");
}

function checkPackage(item: Fields): void {
  item.text("SPDXID", "required");
  item.text("name", "required");
  item.text("versionInfo");
  for (const checksum of item.objects("checksums")) {
    checksum.text("algorithm", "required");
    checksum.text("checksumValue", "required");
  }
  for (const reference of item.objects("externalRefs")) {
    if (isPurlReference(reference.value)) {
      reference.advising(() => reference.purl("referenceLocator", "required"));
    }
  }
}

function isPurlReference(reference: JsonObject): boolean {
  return referenceType(reference) === "purl";
}

/** Last part of the type, which is a name or a URI. */
function referenceType({ referenceType: type }: JsonObject): string {
  return jsonText(type).replace(/^.*\//s, "").toLowerCase();
}

/**
 * The package URL that a reference is, or means in the terms of a package manager.
 *
 * Source: SPDX 2.3, Annex F.3.
 */
function purlOfReference(reference: JsonObject): Json | undefined {
  const { referenceLocator: locator } = reference;
  const type = referenceType(reference);
  if (type === "purl" || typeof locator !== "string" || /^\s*pkg:/i.test(locator)) return locator;
  const [ecosystem, separator] = MANAGERS.get(type) ?? [];
  if (ecosystem === undefined || separator === undefined) return undefined;
  const at = locator.lastIndexOf(separator);
  const [name, version] = at > 0 ? [locator.slice(0, at), locator.slice(at + 1)] : [locator];
  const [path, suffix = ""] = type === "maven-central" ? mavenParts(locator) : [name, version];
  return `pkg:${ecosystem}/${path.split("/").map(encodeURIComponent).join("/")}` +
    (suffix === "" ? "" : `@${encodeURIComponent(suffix)}`);
}

/** Types of package URLs, and what is between name and version in a reference of SPDX. */
const MANAGERS: ReadonlyMap<string, [type: string, separator: string]> = new Map([
  ["npm", ["npm", "@"]],
  ["nuget", ["nuget", "/"]],
  ["bower", ["bower", "#"]],
  ["maven-central", ["maven", ":"]],
]);

/** `group:artifact`, and a version if there is one. */
function mavenParts(locator: string): [path: string, version?: string] {
  const [group, artifact, version] = locator.split(":");
  return [artifact === undefined ? group : `${group}/${artifact}`, version];
}

/** Every object in a graph, also those that lie in others, in the order of the document. */
export function elementsOf(graph: readonly Json[]): JsonObject[] {
  const found: JsonObject[] = [];
  const open: Json[] = [...graph].reverse();
  for (let value = open.pop(); value !== undefined; value = open.pop()) {
    const inner = Array.isArray(value) ? value : isObject(value) ? Object.values(value) : [];
    if (isObject(value)) found.push(value);
    for (let i = inner.length - 1; i >= 0; i--) open.push(inner[i]);
  }
  return found;
}

/**
 * Tells whether an element is a package, also one of AI or of a data set.
 *
 * Source: SPDX 3.0.1, Software, "Package", and its subclasses.
 */
export function isSpdx3Package({ type, "@type": name }: JsonObject): boolean {
  return [type, name].some((text) => /Package$/.test(jsonText(text)));
}

function packagesOfGraph(graph: readonly Json[]): SbomPackage[] {
  const elements = elementsOf(graph);
  const byId = new Map<unknown, JsonObject>();
  for (const element of elements) {
    for (const id of [element["@id"], element.spdxId]) if (id !== undefined) byId.set(id, element);
  }
  const resolve = (list: unknown): JsonObject[] =>
    (Array.isArray(list) ? list : [list]).map((item) => isObject(item) ? item : byId.get(item))
      .filter((item) => item !== undefined);
  return elements.filter(isSpdx3Package).map((element) =>
    sbomPackage({
      id: element.spdxId ?? element["@id"],
      name: element.name,
      version: element.software_packageVersion,
      purls: [
        ...new Set([
          element.software_packageUrl,
          ...resolve(element.externalIdentifier).filter(isPurlIdentifier)
            .map(({ identifier }) => identifier),
        ]),
      ],
      digests: resolve(element.verifiedUsing).map(({ algorithm, hashValue }) => [
        algorithm,
        hashValue,
      ]),
    })
  );
}

/** By its type, or by what it is. */
function isPurlIdentifier({ externalIdentifierType: type, identifier }: JsonObject): boolean {
  return /package_?url$/i.test(jsonText(type)) || /^\s*pkg:/i.test(jsonText(identifier));
}
