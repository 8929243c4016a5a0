import { isAttestationError, type Reason } from "../../errors.ts";
import { type Bytes, utf8 } from "../../internal/bytes.ts";
import { type HttpOptions, request } from "../../internal/http.ts";
import { quote } from "../../internal/json.ts";
import { refuseUnknown } from "../../internal/options.ts";
import {
  HASHES,
  metaOf,
  refusal,
  refuseLonger,
  refuseOlder,
  refuseOther,
  refuseUnknownDigests,
  refuseVersion,
  verifyRole,
} from "./_check.ts";
import { checkTargetName, folder, nameDigest } from "./_names.ts";
import { memoryTufCache, type TufCache } from "./cache.ts";
import { isDelegated } from "./delegation.ts";
import {
  parseTufFile,
  type TufDelegation,
  type TufFile,
  type TufFileInfo,
  type TufMetaInfo,
  type TufRole,
  type TufRoot,
  type TufTargetsFile,
  type TufType,
} from "./metadata.ts";
import {
  HTTP,
  type RefreshTargetsOptions,
  REPOSITORY_OPTIONS,
  type TufRepositoryOptions,
  type TufTargets,
} from "./options.ts";

/** Bytes of a file whose metadata states no length, and the most that it may state. */
const MAX_BYTES: Readonly<Record<TufType | "target", number>> = {
  root: 512 << 10,
  timestamp: 16 << 10,
  snapshot: 2 << 20,
  targets: 5 << 20,
  target: 16 << 20,
};

const MAX_ROTATIONS = 256;

const MAX_DELEGATED_ROLES = 32;

const MAX_TARGETS = 64;

/**
 * Brings the metadata of a TUF repository up to date and gets some of its targets: a chain
 * of roots, each signed by the one before and by itself; timestamp, snapshot and targets
 * with their signatures, versions, digests and expiry; one level of delegation. An older
 * state than what the cache has seen is refused, unless a new root replaced the keys that
 * signed it.
 *
 * Source: TUF 1.0, 5.3 to 5.7.
 *
 * @param options See {@linkcode RefreshTargetsOptions}.
 * @throws {AttestationError} `malformed-tuf-metadata`, `invalid-tuf-signature`,
 * `tuf-expired`, `tuf-rollback`, `tuf-version-mismatch`, `tuf-target-mismatch`,
 * `tuf-target-not-found`, `unsupported-digest-algorithm`, `limit-exceeded` (a file too
 * long, more than 256 new roots), and those of a service that does not answer as it
 * should: `service-unavailable`, `service-refused`, `malformed-response`, `aborted`.
 * @throws {TypeError} If an option is unknown or of the wrong type, or the name of a target
 * is no relative path.
 *
 * @example A repository that does not answer
 * ```ts
 * import { publicGoodTufRoot, refreshTargets } from "@x/attest/sigstore/tuf";
 * import assert from "node:assert/strict";
 *
 * const { root, baseUrl } = await publicGoodTufRoot();
 * await assert.rejects(
 *   refreshTargets({
 *     root,
 *     baseUrl,
 *     targets: ["trusted_root.json"],
 *     fetch: () => Promise.resolve(new Response(null, { status: 503 })),
 *     retries: 0,
 *   }),
 *   { reason: "service-unavailable" },
 * );
 * ```
 */
export async function refreshTargets(options: RefreshTargetsOptions): Promise<TufTargets> {
  refuseUnknown(options, [...REPOSITORY_OPTIONS, "targets", "optionalTargets"], "refreshTargets()");
  const { targets = [], optionalTargets = [] } = options;
  return await new TufClient(options, false).run(targets, optionalTargets);
}

/**
 * The state of the last refresh, verified again, without a request; undefined if the cache
 * does not hold all of it. Expiry is told, not judged.
 */
export async function readCachedTargets(
  options: Omit<RefreshTargetsOptions, "baseUrl">,
): Promise<TufTargets | undefined> {
  const { targets = [], optionalTargets = [] } = options;
  try {
    const client = new TufClient({ ...options, baseUrl: "https://offline.invalid" }, true);
    return await client.run(targets, optionalTargets);
  } catch (error) {
    if (error instanceof NotCached) return undefined;
    throw error;
  }
}

/** Thrown where a request would be needed and none may be made. */
class NotCached extends Error {}

/** One refresh: it takes place at one moment (TUF 1.0, 5.2) and ends at the first refusal. */
class TufClient {
  readonly #cache: TufCache;
  readonly #http: HttpOptions;
  readonly #metadataUrl: string;
  readonly #targetsUrl: string;
  readonly #now: number;
  readonly #offline: boolean;
  #root: TufFile<"root">;

  constructor(options: TufRepositoryOptions, offline: boolean) {
    const { root, baseUrl, targetsUrl, cache = memoryTufCache(), now = new Date() } = options;
    if (!(now instanceof Date) || Number.isNaN(now.getTime())) {
      throw new TypeError("The time of a refresh must be a valid Date");
    }
    if (typeof root !== "string" && !(root instanceof Uint8Array)) {
      throw new TypeError("The trusted root of TUF must be text or bytes");
    }
    this.#metadataUrl = folder(baseUrl);
    this.#targetsUrl = targetsUrl === undefined
      ? `${this.#metadataUrl}targets/`
      : folder(targetsUrl);
    this.#http = Object.fromEntries(
      Object.entries(options).filter(([name]) => HTTP.includes(name)),
    );
    this.#cache = cache;
    this.#now = now.getTime();
    this.#offline = offline;
    const bytes = typeof root === "string" ? utf8(root) : root.slice();
    refuseLonger("the trusted root.json", bytes.length, MAX_BYTES.root);
    this.#root = parseTufFile("the trusted root.json", "root", bytes);
  }

  async run(
    wanted: readonly string[],
    optional: readonly string[],
  ): Promise<TufTargets> {
    const names = [...new Set([...wanted, ...optional])];
    if (names.length > MAX_TARGETS) throw new TypeError(`More than ${MAX_TARGETS} targets`);
    names.forEach(checkTargetName);
    const root = await this.#updateRoot();
    const timestamp = await this.#updateTimestamp();
    const snapshot = await this.#updateSnapshot(timestamp.signed.snapshot);
    const top = await this.#updateTargets(snapshot);
    const targets = new Map<string, Bytes>();
    for (const name of names) {
      const info = await this.#find(name, top.signed, snapshot);
      if (info !== undefined) targets.set(name, await this.#target(name, info));
      else if (wanted.includes(name)) {
        throw refusal("tuf-target-not-found", name, "the repository has no such target");
      }
    }
    const roles = [root, timestamp, snapshot, top];
    return {
      targets,
      versions: {
        root: root.signed.version,
        timestamp: timestamp.signed.version,
        snapshot: snapshot.signed.version,
        targets: top.signed.version,
      },
      expires: new Date(Math.min(...roles.map(({ signed }) => signed.expires.getTime()))),
    };
  }

  /** TUF 1.0, 5.3. */
  async #updateRoot(): Promise<TufFile<"root">> {
    await verifyRole(this.#root, this.#root.signed.roles.root, this.#root.signed.keys);
    for (let rotations = 0;; rotations++) {
      const version = this.#root.signed.version + 1;
      const name = `${version}.root.json`;
      const accept = (bytes: Bytes) => this.#acceptRoot(name, bytes, version);
      const next = await this.#cached(name, MAX_BYTES.root, accept);
      if (next !== undefined) this.#root = next;
      else {
        const bytes = this.#offline ? undefined : await this.#fetch(
          name,
          this.#metadataUrl + name,
          MAX_BYTES.root,
          true,
        );
        if (bytes === undefined) break;
        const fetched = await accept(bytes);
        await this.#recover(this.#root.signed, fetched.signed);
        await this.#cache.write(name, bytes);
        this.#root = fetched;
      }
      if (rotations >= MAX_ROTATIONS) {
        throw refusal("limit-exceeded", name, `more than ${MAX_ROTATIONS} roots in a row`);
      }
    }
    this.#refuseExpired(this.#root);
    return this.#root;
  }

  async #acceptRoot(name: string, bytes: Bytes, version: number): Promise<TufFile<"root">> {
    const next = parseTufFile(name, "root", bytes);
    await verifyRole(next, this.#root.signed.roles.root, this.#root.signed.keys);
    await verifyRole(next, next.signed.roles.root, next.signed.keys);
    refuseVersion(next, version);
    return next;
  }

  /**
   * Forgets timestamp and snapshot when a key of theirs was withdrawn: whoever had it may
   * have pushed the versions so far that honest ones would look old (TUF 1.0, 5.3.11).
   */
  async #recover(before: TufRoot, after: TufRoot): Promise<void> {
    const withdrawn = (["timestamp", "snapshot"] as const).some((role) =>
      before.roles[role].keyids.some((keyid) => !after.roles[role].keyids.includes(keyid))
    );
    if (!withdrawn) return;
    await this.#cache.write("timestamp.json", new Uint8Array());
    await this.#cache.write("snapshot.json", new Uint8Array());
  }

  /** TUF 1.0, 5.4. */
  async #updateTimestamp(): Promise<TufFile<"timestamp">> {
    const name = "timestamp.json";
    const { keys, roles } = this.#root.signed;
    const read = async (bytes: Bytes): Promise<TufFile<"timestamp">> => {
      const file = parseTufFile(name, "timestamp", bytes);
      await verifyRole(file, roles.timestamp, keys);
      return file;
    };
    const known = await this.#cached(name, MAX_BYTES.timestamp, read);
    if (this.#offline) return known ?? notCached();
    const bytes = await this.#fetch(name, this.#metadataUrl + name, MAX_BYTES.timestamp);
    const fetched = await read(bytes);
    if (known !== undefined) {
      refuseOlder(name, fetched.signed.version, known.signed.version);
      if (fetched.signed.version === known.signed.version) {
        this.#refuseExpired(known);
        return known;
      }
      refuseOlder("snapshot.json", fetched.signed.snapshot.version, known.signed.snapshot.version);
    }
    this.#refuseExpired(fetched);
    await this.#cache.write(name, bytes);
    return fetched;
  }

  /** TUF 1.0, 5.5. */
  async #updateSnapshot(info: TufMetaInfo): Promise<TufFile<"snapshot">> {
    const { keys, roles } = this.#root.signed;
    const known = await this.#cached("snapshot.json", MAX_BYTES.snapshot, async (bytes) => {
      const file = parseTufFile("snapshot.json", "snapshot", bytes);
      await verifyRole(file, roles.snapshot, keys);
      return file;
    });
    return await this.#updateFile("snapshot.json", "snapshot.json", "snapshot", info, {
      role: roles.snapshot,
      keys,
    }, ({ signed }) => {
      for (const [file, { version }] of known?.signed.meta ?? []) {
        refuseOlder(file, signed.meta.get(file)?.version ?? 0, version);
      }
    });
  }

  /** TUF 1.0, 5.6. */
  async #updateTargets(snapshot: TufFile<"snapshot">): Promise<TufFile<"targets">> {
    const { keys, roles } = this.#root.signed;
    const info = metaOf(snapshot, "targets.json");
    return await this.#updateFile("targets.json", "targets.json", "targets", info, {
      role: roles.targets,
      keys,
    });
  }

  /** TUF 1.0, 5.6.7, of which the roles that the delegated ones name are left out. */
  async #find(
    target: string,
    top: TufTargetsFile,
    snapshot: TufFile<"snapshot">,
  ): Promise<TufFileInfo | undefined> {
    const own = top.targets.get(target);
    if (own !== undefined) return own;
    const roles = top.delegations.filter((role) => isDelegated(target, role));
    for (const role of roles.slice(0, MAX_DELEGATED_ROLES)) {
      const { targets } = (await this.#updateDelegated(role, top, snapshot)).signed;
      const info = targets.get(target);
      if (info !== undefined) return info;
      if (role.terminating) return undefined;
    }
    if (roles.length > MAX_DELEGATED_ROLES) {
      throw refusal("limit-exceeded", target, `more than ${MAX_DELEGATED_ROLES} roles to ask`);
    }
    return undefined;
  }

  async #updateDelegated(
    role: TufDelegation,
    { keys }: TufTargetsFile,
    snapshot: TufFile<"snapshot">,
  ): Promise<TufFile<"targets">> {
    const info = metaOf(snapshot, `${role.name}.json`);
    const cacheName = `role-${nameDigest(role.name)}.json`;
    return await this.#updateFile(`${role.name}.json`, cacheName, "targets", info, { role, keys });
  }

  /** A file that another one names with its version: from the cache if it is the one. */
  async #updateFile<T extends "snapshot" | "targets">(
    name: string,
    cacheName: string,
    type: T,
    info: TufMetaInfo,
    { role, keys }: { role: TufRole; keys: TufRoot["keys"] },
    checkOlder: (file: TufFile<T>) => void = () => {},
  ): Promise<TufFile<T>> {
    const read = async (bytes: Bytes): Promise<TufFile<T>> => {
      await refuseOther("tuf-version-mismatch", name, bytes, info);
      const file = parseTufFile(name, type, bytes);
      await verifyRole(file, role, keys);
      refuseVersion(file, info.version);
      checkOlder(file);
      this.#refuseExpired(file);
      return file;
    };
    const known = await this.#cached(cacheName, MAX_BYTES[type], read);
    if (known !== undefined) return known;
    const path = encodeURIComponent(name.slice(0, -".json".length)) + ".json";
    const bytes = await this.#fetchExactly(
      "tuf-version-mismatch",
      name,
      this.#metadataUrl + (this.#root.signed.consistentSnapshot ? `${info.version}.${path}` : path),
      MAX_BYTES[type],
      info,
    );
    const file = await read(bytes);
    await this.#cache.write(cacheName, bytes);
    return file;
  }

  /** TUF 1.0, 5.7. */
  async #target(name: string, info: TufFileInfo): Promise<Bytes> {
    const cacheName = `target-${nameDigest(name)}`;
    const check = async (bytes: Bytes): Promise<Bytes> => {
      await refuseOther("tuf-target-mismatch", name, bytes, info);
      return bytes;
    };
    const known = await this.#cached(cacheName, MAX_BYTES.target, check);
    if (known !== undefined) return known;
    const at = name.lastIndexOf("/") + 1;
    const path = name.split("/").map(encodeURIComponent).join("/");
    const consistent = this.#root.signed.consistentSnapshot;
    const prefix = Object.keys(HASHES).map((hash) => info.hashes[hash]).find((hex) =>
      hex !== undefined
    );
    const file = consistent && prefix !== undefined
      ? path.slice(0, path.lastIndexOf("/") + 1) + `${prefix}.${encodeURIComponent(name.slice(at))}`
      : path;
    const url = this.#targetsUrl + file;
    const bytes = await this.#fetchExactly(
      "tuf-target-mismatch",
      name,
      url,
      MAX_BYTES.target,
      info,
    );
    await this.#cache.write(cacheName, await check(bytes));
    return bytes;
  }

  /** A cached file that still passes; whatever is wrong with it, it is as if it were not there. */
  async #cached<T>(
    name: string,
    maxBytes: number,
    read: (bytes: Bytes) => Promise<T>,
  ): Promise<T | undefined> {
    const bytes = await this.#cache.read(name);
    if (bytes === undefined || bytes.length > maxBytes) return undefined;
    try {
      return await read(bytes);
    } catch (error) {
      if (isAttestationError(error)) return undefined;
      throw error;
    }
  }

  /** Asks for no more than what is stated, and for nothing that could not be checked. */
  async #fetchExactly(
    reason: Reason,
    name: string,
    url: string,
    limit: number,
    { length, hashes }: TufFileInfo,
  ): Promise<Bytes> {
    refuseUnknownDigests(name, hashes);
    if (length === undefined) return await this.#fetch(name, url, limit);
    refuseLonger(name, length, limit);
    try {
      return await this.#fetch(name, url, length);
    } catch (cause) {
      if (!isAttestationError(cause) || cause.reason !== "limit-exceeded") throw cause;
      throw refusal(reason, name, `longer than the ${length} bytes that are stated`, cause);
    }
  }

  async #fetch(name: string, url: string, maxBytes: number): Promise<Bytes>;
  async #fetch(
    name: string,
    url: string,
    maxBytes: number,
    mayBeMissing: true,
  ): Promise<Bytes | undefined>;
  async #fetch(
    name: string,
    url: string,
    maxBytes: number,
    mayBeMissing = false,
  ): Promise<Bytes | undefined> {
    if (this.#offline) return notCached();
    const action = `get ${quote(name)} of the TUF repository`;
    // Storage services answer 403 for what is not there, if it cannot be listed.
    const accept = mayBeMissing ? [200, 403, 404] : [200];
    const { status, body } = await request(action, url, { accept }, { ...this.#http, maxBytes });
    return status === 200 ? body : undefined;
  }

  #refuseExpired({ name, signed: { expires } }: TufFile<TufType>): void {
    if (!this.#offline && expires.getTime() <= this.#now) {
      throw refusal("tuf-expired", name, `it expired at ${expires.toISOString()}`);
    }
  }
}

function notCached(): never {
  throw new NotCached("Not in the cache");
}
