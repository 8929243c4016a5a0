import { AttestationError } from "../errors.ts";
import { decodeBase64 } from "../internal/base64.ts";
import { encodeHex } from "../internal/hex.ts";
import {
  isObject,
  type Json,
  type JsonObject,
  parseJson,
  printable,
  quote,
} from "../internal/json.ts";
import { pointer } from "../internal/problem.ts";
import { isNpmName, isNpmVersion } from "./purl.ts";

/** One version of a package that a lockfile asks for, once however often it is installed. */
export interface LockedPackage {
  /** Name in the registry; not the alias that it may be installed under. */
  name: string;
  /** Version, exact. */
  version: string;
  /** Where it is installed, such as `node_modules/a`; in the order of the lockfile. */
  locations: string[];
  /** Address of the tarball. */
  resolved?: string;
  /** SHA-512 of the tarball, lowercase hex. */
  sha512?: string;
  /** What it is, if it does not come from a registry. */
  local?: "link" | "workspace" | "git" | "file" | "bundled";
  /** Why the lockfile's entry cannot be used. */
  error?: AttestationError;
}

/** A `package-lock.json` that was read. */
export interface Lockfile {
  /** 2 or 3. */
  lockfileVersion: number;
  /** Packages, each version once. */
  packages: LockedPackage[];
}

const MAX_BYTES = 128 << 20;
const MAX_PACKAGES = 100_000;

/**
 * Reads a `package-lock.json` or `npm-shrinkwrap.json` of version 2 or 3. What is wrong with
 * one package is noted there; what is wrong with the whole is refused.
 *
 * Source: npm, "package-lock.json", `packages`; W3C Subresource Integrity, 3.1.
 *
 * @throws {AttestationError} `malformed-lockfile` with the place, `limit-exceeded` (more than
 * 100,000 packages), or what is wrong with the JSON.
 *
 * @example The packages of a lockfile
 * ```ts
 * import { parseLockfile } from "@x/attest/npm";
 * import assert from "node:assert/strict";
 *
 * const { packages } = parseLockfile(JSON.stringify({
 *   lockfileVersion: 3,
 *   packages: {
 *     "": { name: "mine" },
 *     "node_modules/a": { version: "1.0.0", integrity: `sha512-${"A".repeat(86)}==` },
 *   },
 * }));
 * assert.equal(packages[0].sha512, "00".repeat(64));
 * ```
 */
export function parseLockfile(source: string | Uint8Array): Lockfile {
  const document = parseJson(source, { maxLength: MAX_BYTES });
  if (!isObject(document)) throw malformed("", "it is no object");
  const { lockfileVersion, packages } = document;
  if (lockfileVersion !== 2 && lockfileVersion !== 3) {
    throw malformed(
      "/lockfileVersion",
      "its version is neither 2 nor 3: npm 7 and later write these",
    );
  }
  if (!isObject(packages)) throw malformed("/packages", "packages is no object");
  const entries = Object.entries(packages);
  if (entries.length > MAX_PACKAGES) {
    throw new AttestationError(
      "limit-exceeded",
      `Cannot read lockfile: ${entries.length} packages, at most ${MAX_PACKAGES} are accepted`,
      { path: "/packages" },
    );
  }
  const found = new Map<string, LockedPackage>();
  for (const [location, entry] of entries) {
    if (location === "") continue;
    const one = readEntry(location, entry);
    const known = found.get(keyOf(one));
    if (known === undefined) found.set(keyOf(one), one);
    else known.locations.push(...one.locations);
  }
  return { lockfileVersion, packages: [...found.values()] };
}

/** Everything that is verified about a package: two entries that differ in it are two packages. */
function keyOf({ name, version, sha512, local, error, locations }: LockedPackage): string {
  const own = error === undefined && local === undefined ? "" : locations[0];
  return JSON.stringify([name, version, sha512 ?? "", local ?? "", own]);
}

function readEntry(location: string, entry: Json): LockedPackage {
  const path = pointer("/packages", location);
  const folder = /(?:^|\/)node_modules\/((?:@[^/]+\/)?[^/]+)$/.exec(location);
  const one: LockedPackage = { name: folder?.[1] ?? location, version: "", locations: [location] };
  const fail = (where: string, why: string): LockedPackage => {
    one.name = printable(one.name);
    one.version = printable(one.version);
    return { ...one, error: malformed(`${path}${where}`, why) };
  };
  if (!isObject(entry)) return fail("", "an entry is no object");
  for (const name of ["name", "version", "resolved", "integrity"]) {
    if (entry[name] !== undefined && typeof entry[name] !== "string") {
      return fail(`/${name}`, `${name} is no text`);
    }
  }
  if (typeof entry.name === "string") one.name = entry.name;
  if (typeof entry.version === "string") one.version = entry.version;
  if (typeof entry.resolved === "string") one.resolved = printable(entry.resolved, 2048);
  const local = localKind(location, entry);
  if (local !== undefined) {
    return { ...one, name: printable(one.name), version: printable(one.version), local };
  }
  if (!isNpmName(one.name)) return fail("/name", `${quote(one.name)} is no name of a package`);
  if (!isNpmVersion(one.version)) return fail("/version", `${quote(one.version)} is no version`);
  try {
    one.sha512 = readIntegrity(entry.integrity as string | undefined, `${path}/integrity`);
  } catch (error) {
    if (!(error instanceof AttestationError)) throw error;
    one.error = error;
  }
  return one;
}

function localKind(location: string, entry: JsonObject): LockedPackage["local"] {
  if (entry.link === true) return "link";
  if (!/(?:^|\/)node_modules\//.test(location)) return "workspace";
  if (entry.inBundle === true) return "bundled";
  const { resolved } = entry;
  if (typeof resolved !== "string" || /^https?:\/\//i.test(resolved)) return undefined;
  if (/^(?:git(?:\+[a-z]+)?|github|ssh):|^git@/i.test(resolved)) return "git";
  return "file";
}

function readIntegrity(text: string | undefined, path: string): string {
  if (text === undefined || text.trim() === "") {
    throw new AttestationError(
      "missing-integrity",
      "Cannot verify package: the lockfile states no integrity",
      { path },
    );
  }
  const values = new Set<string>();
  for (const token of text.trim().split(/[\t\n\f\r ]+/)) {
    const match = /^sha512-([^?]*)(?:\?.*)?$/.exec(token);
    if (match === null) continue;
    let bytes: Uint8Array;
    try {
      bytes = decodeBase64(match[1], { alphabet: "standard", padding: "required", path });
    } catch (cause) {
      throw malformed(path, "integrity is no base64", cause);
    }
    if (bytes.length !== 64) throw malformed(path, "integrity has not the length of SHA-512");
    values.add(encodeHex(bytes));
  }
  if (values.size === 0) {
    throw new AttestationError(
      "unsupported-digest-algorithm",
      "Cannot verify package: the lockfile's integrity has no SHA-512",
      { path },
    );
  }
  if (values.size > 1) throw malformed(path, "integrity allows several contents");
  return [...values][0];
}

function malformed(path: string, why: string, cause?: unknown): AttestationError {
  return new AttestationError("malformed-lockfile", `Cannot read lockfile: ${why}`, {
    path,
    cause,
  });
}
