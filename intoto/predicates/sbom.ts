import { isObject, type JsonObject } from "../../internal/json.ts";
import type { DigestSet } from "../digest_set.ts";

/** A package or component of an SBOM, whatever its format. */
export interface SbomPackage {
  /** Name as the document has it. */
  name: string;
  /** Version, if the document has one. */
  version?: string;
  /** Package URLs as the document has them, or as its references mean; may be empty. */
  purls: string[];
  /** Digests under in-toto's names, lower-case hex; may be empty. */
  digest: DigestSet;
  /** Id in the document: `SPDXID`, `spdxId`, `bom-ref`. */
  id?: string;
}

/** What to make a package of. */
export interface PackageParts {
  name: unknown;
  version: unknown;
  purls: unknown[];
  /** Algorithm and value. */
  digests: [unknown, unknown][];
  id: unknown;
}

/** A package of what a document says; what is no text is left out. */
export function sbomPackage(parts: PackageParts): SbomPackage {
  const found: SbomPackage = {
    name: textOf(parts.name),
    purls: parts.purls.filter((purl): purl is string => typeof purl === "string" && purl !== ""),
    digest: Object.fromEntries(
      parts.digests.filter((pair): pair is [string, string] =>
        typeof pair[0] === "string" && typeof pair[1] === "string"
      ).map(([algorithm, value]) => [digestName(algorithm), value.toLowerCase()]),
    ),
  };
  if (textOf(parts.version) !== "") found.version = textOf(parts.version);
  if (textOf(parts.id) !== "") found.id = textOf(parts.id);
  return found;
}

/** The objects of a list; anything else is passed over. */
export function objectsOf(value: unknown): JsonObject[] {
  return Array.isArray(value) ? value.filter(isObject) : [];
}

/** The document in what older cosign wrapped around it. */
export function unwrapDocument(predicate: object): JsonObject {
  const { Data } = predicate as JsonObject;
  return isObject(Data) ? Data : predicate as JsonObject;
}

/** in-toto's name of a digest: `SHA-256` and `SHA256` are `sha256`, `SHA3-256` is `sha3_256`. */
function digestName(algorithm: string): string {
  const name = algorithm.toLowerCase().replace(/^sha-/, "sha").replaceAll("-", "_");
  return name === "blake2b_512" ? "blake2b" : name;
}

function textOf(value: unknown): string {
  return typeof value === "string" ? value : "";
}
