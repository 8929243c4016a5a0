import { AttestationError } from "../../errors.ts";
import { quote } from "../../internal/json.ts";
import type { OciPlatform } from "./source.ts";

const FORM =
  /^([a-z0-9_]+)(?:\(([A-Za-z0-9._-]{1,64})\))?\/([a-z0-9_]+)(?:\/([a-z0-9._-]{1,32}))?$/;

/**
 * Reads the name of a platform: `os/architecture[/variant]`, such as `linux/arm/v7`; with the
 * version of the system in brackets, `windows(10.0.17763.1)/amd64`.
 *
 * Source: OCI image specification 1.1, image-index.md, "platform"; the form of the names is
 * that of containerd and Docker.
 *
 * @throws {AttestationError} `usage`.
 *
 * @example
 * ```ts
 * import { parseOciPlatform } from "@x/attest/store/oci";
 * import assert from "node:assert/strict";
 *
 * assert.deepEqual(parseOciPlatform("linux/arm/v7"), {
 *   os: "linux",
 *   architecture: "arm",
 *   variant: "v7",
 * });
 * ```
 */
export function parseOciPlatform(name: string): OciPlatform {
  const match = FORM.exec(name);
  if (match === null) {
    throw new AttestationError(
      "usage",
      `Cannot use platform ${quote(name)}: wanted os/architecture or os/architecture/variant, ` +
        "such as linux/arm64",
    );
  }
  const [, os, osVersion, architecture, variant] = match;
  return {
    os,
    architecture,
    ...(variant === undefined ? {} : { variant }),
    ...(osVersion === undefined ? {} : { osVersion }),
  };
}

/** A platform as people write it; the other way of {@linkcode parseOciPlatform}. */
export function formatOciPlatform({ os, architecture, variant, osVersion }: OciPlatform): string {
  return `${os}${osVersion === undefined ? "" : `(${osVersion})`}/${architecture}${
    variant === undefined ? "" : `/${variant}`
  }`;
}

/** Tells whether something runs there: `unknown/unknown` is what an index says of the rest. */
export function isRunnable({ os, architecture }: OciPlatform): boolean {
  return os !== "unknown" && architecture !== "unknown";
}

/**
 * Tells whether a platform is one that is asked for. What is asked for without a variant or
 * version takes each of them: all that could be picked has to be verified.
 */
export function isAskedFor(platform: OciPlatform, asked: OciPlatform): boolean {
  return platform.os === asked.os && platform.architecture === asked.architecture &&
    (asked.variant === undefined || variantOf(platform) === variantOf(asked)) &&
    (asked.osVersion === undefined || platform.osVersion === asked.osVersion);
}

/** `arm64` without a variant is `v8`, and `arm` is `v7`: so it is built and pulled. */
function variantOf({ architecture, variant }: OciPlatform): string {
  return variant ?? ({ arm64: "v8", arm: "v7" }[architecture] ?? "");
}
