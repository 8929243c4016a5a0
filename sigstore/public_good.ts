import { parseTrustedRoot, type TrustedRoot } from "./trusted_root.ts";

let root: Promise<TrustedRoot> | undefined;

/**
 * Trusted root of the public-good Sigstore instance: a dated snapshot that comes with this
 * package. It is read once, on first use, and makes no request.
 *
 * @example
 * ```ts
 * import { publicGoodRoot } from "@x/attest/sigstore";
 * import assert from "node:assert/strict";
 *
 * const root = await publicGoodRoot();
 * assert.ok(root.certificateAuthorities.length > 0);
 * ```
 */
export function publicGoodRoot(): Promise<TrustedRoot> {
  root ??= import("./roots/public_good.ts").then(({ PUBLIC_GOOD_ROOT, PUBLIC_GOOD_ROOT_DATE }) =>
    parseTrustedRoot(PUBLIC_GOOD_ROOT, { name: `Sigstore public good (${PUBLIC_GOOD_ROOT_DATE})` })
  );
  return root;
}
