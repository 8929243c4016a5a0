import { AttestationError } from "../errors.ts";
import { isObject, type Json, parseJson } from "../internal/json.ts";
import { isSameRepository, type NpmSource } from "./source.ts";

/** What was found about one version of a package. */
export type LockfileStatus =
  /** Both attestations verified. */
  | "verified"
  /** It has none, and none is required. */
  | "unattested"
  /** It does not come from a registry. */
  | "local"
  /** Something is wrong. */
  | "failed";

/** What an earlier run found about one version of a package. */
export interface NpmRecord {
  /** Name of the package. */
  name: string;
  /** Version. */
  version: string;
  /** What was found. */
  status: LockfileStatus;
  /** Where it came from, when it was verified. */
  source?: NpmSource;
}

/** What an earlier run found; a report of `verifyLockfile()` is one. */
export interface NpmHistory {
  /** Every version of every package. */
  packages: readonly NpmRecord[];
}

const STATUSES: readonly string[] = ["verified", "unattested", "local", "failed"];
const MEMBERS: readonly (keyof NpmSource)[] = [
  "repository",
  "repositoryId",
  "ownerId",
  "ref",
  "commit",
  "workflow",
];
const MAX_BYTES = 256 << 20;

/**
 * Reads the report of an earlier `verifyLockfile()`, as JSON, for the detection of what got
 * worse. The file is believed: keep it where nobody else writes.
 *
 * @throws {AttestationError} `malformed-npm-history` with the place, or what is wrong with
 * the JSON.
 *
 * @example A package that had provenance
 * ```ts
 * import { parseNpmHistory } from "@x/attest/npm";
 * import assert from "node:assert/strict";
 *
 * const history = parseNpmHistory(
 *   '{"packages":[{"name":"a","version":"1.0.0","status":"verified"}]}',
 * );
 * assert.equal(history.packages[0].status, "verified");
 * ```
 */
export function parseNpmHistory(source: string | Uint8Array): NpmHistory {
  const document = parseJson(source, { maxLength: MAX_BYTES });
  const list = isObject(document) ? document.packages : undefined;
  if (!Array.isArray(list)) throw malformed("/packages", "packages is no array");
  return { packages: list.map((value, index) => readRecord(value, `/packages/${index}`)) };
}

function readRecord(value: Json, path: string): NpmRecord {
  if (!isObject(value)) throw malformed(path, "a package is no object");
  const { name, version, status, source } = value;
  if (typeof name !== "string" || typeof version !== "string") {
    throw malformed(path, "a package has no name or version");
  }
  if (!isStatus(status)) throw malformed(`${path}/status`, "the status is not known");
  const record: NpmRecord = { name, version, status };
  if (source === undefined) return record;
  if (!isObject(source)) throw malformed(`${path}/source`, "source is no object");
  record.source = {};
  for (const member of MEMBERS) {
    const text = source[member];
    if (text === undefined) continue;
    if (typeof text !== "string") throw malformed(`${path}/source/${member}`, "it is no text");
    record.source[member] = text;
  }
  return record;
}

function isStatus(value: Json | undefined): value is LockfileStatus {
  return typeof value === "string" && STATUSES.includes(value);
}

function malformed(path: string, why: string): AttestationError {
  return new AttestationError("malformed-npm-history", `Cannot read earlier report: ${why}`, {
    path,
  });
}

/** What an earlier run found, by the name of the package. */
export class History {
  readonly #records = new Map<string, NpmRecord[]>();

  constructor({ packages }: NpmHistory) {
    for (const record of packages) {
      const known = this.#records.get(record.name);
      if (known === undefined) this.#records.set(record.name, [record]);
      else known.push(record);
    }
  }

  /** A package without attestations, of which another version or this one had them. */
  lost(name: string, version: string): AttestationError | undefined {
    const records = this.#records.get(name) ?? [];
    // A version that never had any is no news.
    if (records.some((one) => one.version === version && one.status === "unattested")) {
      return undefined;
    }
    const earlier = records.find(({ status }) => status === "verified");
    if (earlier === undefined) return undefined;
    return new AttestationError(
      "provenance-lost",
      `Cannot accept package: it has no provenance, ${earlier.version} had`,
    );
  }

  /** A verified package that comes from another repository than every version before. */
  changed(name: string, source: NpmSource): AttestationError | undefined {
    const sources = (this.#records.get(name) ?? [])
      .filter(({ status }) => status === "verified")
      .flatMap(({ source }) => source === undefined ? [] : [source]);
    if (sources.length === 0 || sources.some((earlier) => isSameOrigin(earlier, source))) {
      return undefined;
    }
    const [earlier] = sources;
    return new AttestationError(
      "repository-changed",
      `Cannot accept package: it is built from ${describe(source)}, before from ${
        describe(earlier)
      }`,
    );
  }
}

/** The number decides where there is one: a name can be given up and taken by somebody else. */
function isSameOrigin(earlier: NpmSource, now: NpmSource): boolean {
  if (earlier.ownerId !== undefined && earlier.ownerId !== now.ownerId) return false;
  if (earlier.repositoryId !== undefined) return earlier.repositoryId === now.repositoryId;
  return isSameRepository(earlier.repository ?? "", now.repository ?? "");
}

function describe({ repository = "an unnamed repository", repositoryId, ownerId }: NpmSource) {
  return `${repository} (repository ${repositoryId ?? "?"}, owner ${ownerId ?? "?"})`;
}
