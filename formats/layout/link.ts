import { AttestationError } from "../../errors.ts";
import { isObject, type Json, type JsonObject } from "../../internal/json.ts";
import type { DigestSet } from "../../intoto/digest_set.ts";

/** Digests of artifacts by their names. */
export type Artifacts = Readonly<Record<string, DigestSet>>;

/** What went into a step and what came out of it. */
export interface LinkArtifacts {
  /** What went in. */
  readonly materials: Artifacts;
  /** What came out. */
  readonly products: Artifacts;
}

/** What somebody says of a step that they carried out: the content of an in-toto link. */
export interface Link extends LinkArtifacts {
  /** Name of the step. */
  readonly name: string;
  /** Command that was run. */
  readonly command: readonly string[];
  /** What else came of it, such as its output. */
  readonly byproducts: JsonObject;
}

const MAX_ARTIFACTS = 65_536;
/** Characters of a name: as many as paths have on Linux. */
const MAX_NAME = 4096;
const MAX_DIGESTS = 16;

/**
 * Reads a link; verifies nothing.
 *
 * Source: in-toto specification 1.0, 4.4.
 *
 * @throws {AttestationError} `malformed-statement`, `limit-exceeded`.
 */
export function readLink(value: Json): Link {
  if (!isObject(value) || value._type !== "link") throw malformed("_type is no link", "/_type");
  const { name, command = [], byproducts = {} } = value;
  if (typeof name !== "string") throw malformed("its name is no text", "/name");
  if (!isObject(byproducts)) throw malformed("byproducts is no object", "/byproducts");
  const words = typeof command === "string" ? [command] : command;
  if (!Array.isArray(words) || !words.every((word) => typeof word === "string")) {
    throw malformed("its command is no list of texts", "/command");
  }
  return {
    name,
    command: words as string[],
    byproducts,
    materials: artifactsOf(value.materials, "/materials"),
    products: artifactsOf(value.products, "/products"),
  };
}

/**
 * Reads digests by name.
 *
 * @throws {AttestationError} `malformed-statement`, `limit-exceeded`.
 */
export function artifactsOf(value: unknown, path: string): Artifacts {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw malformed(`${path} is no object of digests by name`, path);
  }
  const names = Object.entries(value);
  bound(names.length, MAX_ARTIFACTS, "artifacts", path);
  for (const [name, digest] of names) {
    bound(name.length, MAX_NAME, "characters of a name", path);
    const count = isObject(digest) ? Object.keys(digest).length : 0;
    bound(count, MAX_DIGESTS, "digests of an artifact", path);
    const isDigest = isObject(digest) && count > 0 &&
      Object.values(digest).every((hex) => typeof hex === "string" && /^[0-9a-f]+$/.test(hex));
    if (!isDigest) throw malformed(`${path} has an artifact without digests in hex`, path);
  }
  return value as Artifacts;
}

function bound(count: number, most: number, what: string, path: string): void {
  if (count <= most) return;
  throw new AttestationError(
    "limit-exceeded",
    `Cannot read link: ${count} ${what}, at most ${most} are accepted`,
    { path },
  );
}

function malformed(what: string, path: string): AttestationError {
  return new AttestationError("malformed-statement", `Cannot read link: ${what}`, { path });
}
