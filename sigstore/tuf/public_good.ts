import type { Bytes } from "../../internal/bytes.ts";
import { utf8 } from "../../internal/bytes.ts";

/** Where the TUF repository of a Sigstore instance is, and its root. */
export interface TufRepository {
  /** Folder of the metadata. */
  readonly baseUrl: string;
  /** `root.json` to start from. */
  readonly root: Bytes;
  /** Where the root was taken from and when, for people. */
  readonly source: string;
}

/**
 * TUF repository of the public-good Sigstore instance: a dated snapshot of its root that
 * comes with this package. It is loaded on first use, and makes no request.
 *
 * @example
 * ```ts
 * import { publicGoodTufRoot } from "@x/attest/sigstore/tuf";
 * import assert from "node:assert/strict";
 *
 * const { baseUrl, root } = await publicGoodTufRoot();
 * assert.ok(baseUrl.startsWith("https://"));
 * assert.ok(root.length > 0);
 * ```
 */
export async function publicGoodTufRoot(): Promise<TufRepository> {
  const { PUBLIC_GOOD_TUF_ROOT, PUBLIC_GOOD_TUF_SOURCE, PUBLIC_GOOD_TUF_URL } = await import(
    "../roots/public_good_tuf.ts"
  );
  return {
    baseUrl: PUBLIC_GOOD_TUF_URL,
    root: utf8(PUBLIC_GOOD_TUF_ROOT),
    source: PUBLIC_GOOD_TUF_SOURCE,
  };
}
