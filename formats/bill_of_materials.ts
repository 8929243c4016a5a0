import { isObject, type Json, type JsonObject, jsonText } from "../internal/json.ts";
import { DIGEST_ALGORITHMS } from "../intoto/digest_set.ts";
import type { ResourceDescriptor } from "../intoto/resource_descriptor.ts";

/** Predicate types of bills of materials. */
export const BILL_TYPES = {
  spdx: "https://spdx.dev/Document",
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

/** One subject, unless no digest of it is of a known kind. */
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
    const algorithm = nameOfAlgorithm(stated);
    if (DIGEST_ALGORITHMS.has(algorithm)) digest[algorithm] = value.toLowerCase();
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
