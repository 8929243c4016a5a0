import { decodeUtf8 } from "../../internal/json.ts";
import { refuseUnknown } from "../../internal/options.ts";
import { parseTrustedRoot, type TrustedRoot } from "../trusted_root.ts";
import type { TufCache } from "./cache.ts";
import { readCachedTargets, refreshTargets } from "./client.ts";
import { REPOSITORY_OPTIONS, type TufRepositoryOptions, type TufTargets } from "./options.ts";

/** Options of {@linkcode refreshTrust}. Unknown names are refused. */
export interface RefreshTrustOptions extends TufRepositoryOptions {
  /** Further targets to get, such as the keys of a registry. Default: none. */
  targets?: readonly string[];
  /** Name of the trusted root in reports. Default: what `parseTrustedRoot` takes. */
  name?: string;
}

/** Options of {@linkcode readCachedTrust}. Unknown names are refused. */
export interface CachedTrustOptions {
  /** `root.json` that is trusted, as it was given to the refresh, or a later one. */
  root: Uint8Array | string;
  /** What {@linkcode refreshTrust} filled. */
  cache: TufCache;
  /** Further targets that were got. Default: none. */
  targets?: readonly string[];
  /** Name of the trusted root in reports. Default: what `parseTrustedRoot` takes. */
  name?: string;
}

/** A trusted root and what belongs to it, verified along the chain of TUF metadata. */
export interface RefreshedTrust extends TufTargets {
  /** The trusted root, read. */
  readonly trustedRoot: TrustedRoot;
  /** `trusted_root.json` as it was published. */
  readonly trustedRootText: string;
  /** `signing_config.v0.2.json`, if the repository has one. */
  readonly signingConfigText?: string;
}

const TRUSTED_ROOT = "trusted_root.json";
const SIGNING_CONFIG = "signing_config.v0.2.json";

/**
 * Gets the current `trusted_root.json` of a Sigstore instance, and its signing
 * configuration, from the instance's TUF repository. The only function that makes requests
 * for trust; `verify()` never does.
 *
 * Source: Sigstore client specification, "Trust root distribution"; TUF 1.0, 5.
 *
 * @param options See {@linkcode RefreshTrustOptions}.
 * @throws {AttestationError} What {@linkcode refreshTargets} refuses, and
 * `malformed-trusted-root` or what strict JSON refuses.
 * @throws {TypeError} If an option is unknown or of the wrong type.
 *
 * @example
 * ```ts
 * import { memoryTufCache, publicGoodTufRoot, refreshTrust } from "@x/attest/sigstore/tuf";
 * import assert from "node:assert/strict";
 *
 * const { root, baseUrl } = await publicGoodTufRoot();
 * const notFound = () => Promise.resolve(new Response(null, { status: 404 }));
 * await assert.rejects(
 *   refreshTrust({ root, baseUrl, cache: memoryTufCache(), fetch: notFound }),
 *   { reason: "service-refused" },
 * );
 * ```
 */
export async function refreshTrust(options: RefreshTrustOptions): Promise<RefreshedTrust> {
  refuseUnknown(options, [...REPOSITORY_OPTIONS, "targets", "name"], "refreshTrust()");
  const { name, targets = [], ...repository } = options;
  const refreshed = await refreshTargets({
    ...repository,
    targets: [TRUSTED_ROOT, ...targets],
    optionalTargets: [SIGNING_CONFIG],
  });
  return trustOf(refreshed, name);
}

/**
 * What the last {@linkcode refreshTrust} got, from the cache and without a request;
 * undefined if the cache does not hold all of it. Signatures, versions and digests are
 * verified anew, from the root that is given. Expiry is told in `expires` and not judged:
 * whether old trust is good enough is the caller's to say.
 *
 * @param options See {@linkcode CachedTrustOptions}.
 * @throws {AttestationError} What {@linkcode refreshTargets} refuses about the root that is
 * given, and `malformed-trusted-root`.
 * @throws {TypeError} If an option is unknown or of the wrong type.
 *
 * @example Nothing is cached yet
 * ```ts
 * import { memoryTufCache, publicGoodTufRoot, readCachedTrust } from "@x/attest/sigstore/tuf";
 * import assert from "node:assert/strict";
 *
 * const { root } = await publicGoodTufRoot();
 * assert.equal(await readCachedTrust({ root, cache: memoryTufCache() }), undefined);
 * ```
 */
export async function readCachedTrust(
  options: CachedTrustOptions,
): Promise<RefreshedTrust | undefined> {
  refuseUnknown(options, ["root", "cache", "targets", "name"], "readCachedTrust()");
  const { name, root, cache, targets = [] } = options;
  const cached = await readCachedTargets({
    root,
    cache,
    targets: [TRUSTED_ROOT, ...targets],
    optionalTargets: [SIGNING_CONFIG],
  });
  return cached === undefined ? undefined : trustOf(cached, name);
}

function trustOf(refreshed: TufTargets, name: string | undefined): RefreshedTrust {
  const text = (target: string): string | undefined => {
    const bytes = refreshed.targets.get(target);
    return bytes === undefined ? undefined : decodeUtf8(bytes);
  };
  const trustedRootText = text(TRUSTED_ROOT) ?? "";
  const signingConfigText = text(SIGNING_CONFIG);
  return {
    ...refreshed,
    trustedRoot: parseTrustedRoot(trustedRootText, { name }),
    trustedRootText,
    ...(signingConfigText === undefined ? {} : { signingConfigText }),
  };
}
