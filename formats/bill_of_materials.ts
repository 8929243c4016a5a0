import { AttestationError } from "../errors.ts";
import { isObject, type Json, type JsonObject, jsonText, quote } from "../internal/json.ts";
import { DIGEST_ALGORITHMS } from "../intoto/digest_set.ts";
import { isSpdx3Context } from "../intoto/predicates/spdx.ts";
import type { ResourceDescriptor } from "../intoto/resource_descriptor.ts";

/** Predicate types of bills of materials. */
export const BILL_TYPES = {
  spdx: "https://spdx.dev/Document",
  spdx3: "https://spdx.dev/Document/v3",
  cyclonedx: "https://cyclonedx.org/bom",
} as const;

/** What an SPDX 2 document describes: its described packages and files that have checksums. */
export function subjectsOfSpdx(document: JsonObject): ResourceDescriptor[] {
  const described = new Set(
    listOf(document.documentDescribes).filter((id): id is string => typeof id === "string"),
  );
  for (const relation of listOf(document.relationships)) {
    if (!isObject(relation)) continue;
    const { spdxElementId, relationshipType, relatedSpdxElement } = relation;
    if (
      spdxElementId === "SPDXRef-DOCUMENT" && relationshipType === "DESCRIBES" &&
      typeof relatedSpdxElement === "string"
    ) described.add(relatedSpdxElement);
  }
  const elements = [...listOf(document.packages), ...listOf(document.files)];
  return elements.flatMap((element): ResourceDescriptor[] => {
    if (!isObject(element) || !described.has(jsonText(element.SPDXID))) return [];
    const { name, fileName, checksums } = element;
    return described.size === 0 ? [] : subject(name ?? fileName, checksums, {
      algorithm: "algorithm",
      value: "checksumValue",
    });
  });
}

/** Tells whether a document is SPDX 3: elements in a graph, in the words of its context. */
export function isSpdx3(document: JsonObject): boolean {
  return Array.isArray(document["@graph"]) && isSpdx3Context(document["@context"]);
}

/** Elements that collect others; what they are about are their roots. */
const COLLECTIONS: ReadonlySet<string> = new Set([
  "SpdxDocument",
  "Bundle",
  "Bom",
  "software_Sbom",
]);
/** Elements that have bytes of their own. */
const THINGS: ReadonlySet<string> = new Set(["software_Package", "software_File"]);

/**
 * What an SPDX 3 document describes: the roots of the document and of the collections that are
 * its roots, where they are packages or files that have hashes. Of a package's verification
 * code, which is no digest of it, nothing is taken.
 *
 * Source: SPDX 3.0.1, Core, "ElementCollection", "Hash"; Software, "Package".
 */
export function subjectsOfSpdx3(document: JsonObject): ResourceDescriptor[] {
  const elements = listOf(document["@graph"]).filter(isObject);
  const byId = new Map<string, JsonObject[]>();
  const described = new Map<string, Json[]>();
  for (const element of elements) {
    const id = idOf(element);
    if (id !== undefined) listIn(byId, id).push(element);
    const { relationshipType, from, to } = element;
    if (relationshipType !== "describes" || typeof from !== "string") continue;
    for (const one of listOf(to)) listIn(described, from).push(one);
  }
  // Each name is followed once: what refers to itself ends, and the work grows with the document.
  const followed = new Set<Json>();
  const found: ResourceDescriptor[] = [];
  const queue = elements.filter((element) => typeOf(element) === "SpdxDocument");
  const seen = new Set<JsonObject>(queue);
  for (const element of queue) {
    if (THINGS.has(typeOf(element))) {
      const hashes = listOf(element.verifiedUsing).filter((one) =>
        isObject(one) && typeOf(one) === "Hash"
      );
      found.push(...subject(element.name, hashes, { algorithm: "algorithm", value: "hashValue" }));
    }
    if (!COLLECTIONS.has(typeOf(element))) continue;
    const id = idOf(element) ?? "";
    const roots = [listOf(element.rootElement), described.get(id) ?? []].flat();
    described.delete(id);
    for (const root of roots) {
      if (typeof root !== "string" || followed.has(root)) continue;
      followed.add(root);
      for (const one of byId.get(root) ?? []) {
        if (seen.has(one)) continue;
        seen.add(one);
        queue.push(one);
      }
    }
  }
  return found;
}

function listIn<Item>(lists: Map<string, Item[]>, name: string): Item[] {
  let list = lists.get(name);
  if (list === undefined) lists.set(name, list = []);
  return list;
}

function idOf(element: JsonObject): string | undefined {
  const id = element.spdxId ?? element["@id"];
  return typeof id === "string" ? id : undefined;
}

function typeOf(element: JsonObject): string {
  const type = element.type ?? element["@type"];
  return typeof type === "string" ? type : "";
}

/** What a CycloneDX document is about: `metadata.component`, if it has hashes. */
export function subjectsOfCycloneDx({ metadata }: JsonObject): ResourceDescriptor[] {
  const component = isObject(metadata) ? metadata.component : undefined;
  if (!isObject(component)) return [];
  return subject(component.name, component.hashes, { algorithm: "alg", value: "content" });
}

/** Names of the members that hold a digest. */
interface DigestNames {
  algorithm: string;
  value: string;
}

/**
 * One subject, unless no digest of it is of a known kind.
 *
 * @throws {AttestationError} `malformed-statement` if two of one kind differ.
 */
function subject(
  name: Json | undefined,
  list: Json | undefined,
  names: DigestNames,
): ResourceDescriptor[] {
  const digest: Record<string, string> = {};
  for (const one of listOf(list)) {
    if (!isObject(one)) continue;
    const stated = one[names.algorithm], value = one[names.value];
    if (typeof stated !== "string" || typeof value !== "string") continue;
    const algorithm = nameOfAlgorithm(stated), hex = value.toLowerCase();
    if (!DIGEST_ALGORITHMS.has(algorithm)) continue;
    if ((digest[algorithm] ?? hex) !== hex) {
      throw new AttestationError(
        "malformed-statement",
        `Cannot read bill of materials: ${quote(jsonText(name))} has two digests by ${algorithm}`,
      );
    }
    digest[algorithm] = hex;
  }
  if (Object.keys(digest).length === 0) return [];
  return [{ ...(typeof name === "string" ? { name } : {}), digest }];
}

/** `SHA-256`, `SHA256` and `SHA3-256` as a DigestSet has them. */
function nameOfAlgorithm(stated: string): string {
  const lower = stated.toLowerCase();
  return lower.startsWith("sha3-") ? lower.replace("-", "_") : lower.replace("-", "");
}

function listOf(value: Json | undefined): Json[] {
  return Array.isArray(value) ? value : [];
}
