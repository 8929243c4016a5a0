import { fullMatch } from "../internal/full_match.ts";
import { quote } from "../internal/json.ts";
import { refuseUnknown } from "../internal/options.ts";
import type { IdentityExpectation, Matcher } from "../sigstore/identity.ts";
import type { TrustedRoot } from "../sigstore/trusted_root.ts";
import { assertProvenanceExpectation, type ProvenanceExpectation } from "../slsa/expectation.ts";
import type { EvidenceThresholds, Trust, VerifyLimits } from "../verify/options.ts";
import type { NpmKey } from "./keys.ts";
import { isNpmName, isNpmVersion } from "./purl.ts";

/** Who is believed about packages. */
export interface NpmTrust {
  /** Keys of the registry, for the publish attestation. */
  keys: readonly NpmKey[];
  /** Trusted roots of Sigstore instances, beside the public-good instance. */
  trustedRoots?: readonly TrustedRoot[];
  /** Believe `trustedRoots` only, not the public-good instance. Default false. */
  onlyRoot?: boolean;
}

/** What the attestations of a package must say. What is absent is not asked. */
export interface NpmExpectation {
  /** Name of the package, with its scope. */
  packageName?: string;
  /** Version, exact. */
  packageVersion?: string;
  /** Registry that published it. Default: any whose key is trusted. */
  registry?: string;
  /** Builder, or any one of several; whole, or without its `@` and version. Required. */
  builderId?: string | readonly string[];
  /** Repository that it was built from: `https://github.com/owner/name` or without scheme. */
  repository?: string;
  /** Number of that repository, decimal digits; a name can change hands, the number cannot. */
  repositoryId?: string;
  /** Number of the repository's owner, decimal digits. */
  ownerId?: string;
  /** File of the workflow that was started, such as `.github/workflows/release.yml`. */
  workflow?: string;
  /** Git ref that was built, such as `refs/tags/v1.2.3`; exact, or a pattern for all of it. */
  ref?: Matcher;
  /** Whom the provenance's certificate must name. Default: the issuer of the builder. */
  identity?: IdentityExpectation;
  /** Further expectations about the provenance, such as `minLevel` or `builders`. */
  provenance?: Omit<ProvenanceExpectation, "sourceUri" | "builderId">;
}

/** Options of {@linkcode verifyNpmPackage}. Unknown names are refused. */
export interface NpmVerifyOptions {
  /** Who is believed. */
  trust: NpmTrust;
  /** What the attestations must say. */
  expect: NpmExpectation;
  /** How much independent evidence the provenance needs. */
  thresholds?: EvidenceThresholds;
  /** Bounds on what is read. */
  limits?: VerifyLimits;
  /** Stops the work; the promise rejects with the signal's reason. */
  signal?: AbortSignal;
  /**
   * Accepts a package of any repository. `expect.repository` still counts.
   *
   * @deprecated Anybody can publish with provenance from a repository of their own: state
   * which one you expect.
   */
  unsafelyAcceptAnyRepository?: boolean;
}

const OPTIONS = [
  "trust",
  "expect",
  "thresholds",
  "limits",
  "signal",
  "unsafelyAcceptAnyRepository",
];

const TRUST = ["keys", "trustedRoots", "onlyRoot"];

const EXPECT = [
  "packageName",
  "packageVersion",
  "registry",
  "builderId",
  "repository",
  "repositoryId",
  "ownerId",
  "workflow",
  "ref",
  "identity",
  "provenance",
];

/** Options, checked and copied. */
export interface Settings {
  keys: readonly NpmKey[];
  trust: Pick<Trust, "trustedRoots" | "onlyRoot">;
  expect: NpmExpectation;
  builderIds: readonly string[];
  registry?: string;
  refMatches?: (ref: string) => boolean;
  thresholds?: EvidenceThresholds;
  limits?: VerifyLimits;
  signal?: AbortSignal;
  anyRepository: boolean;
}

/** Throws a TypeError for anything that is not of its form. */
export function checkNpmOptions(options: NpmVerifyOptions): Settings {
  refuseUnknown(options, OPTIONS, "verifyNpmPackage()");
  const { trust, unsafelyAcceptAnyRepository: anyRepository = false } = options;
  if (typeof trust !== "object" || trust === null) throw new TypeError("trust is missing");
  refuseUnknown(trust, TRUST, "trust");
  if (!Array.isArray(trust.keys)) throw new TypeError("trust.keys is not an array");
  if (typeof options.expect !== "object" || options.expect === null) {
    throw new TypeError("expect is missing");
  }
  if (typeof anyRepository !== "boolean") {
    throw new TypeError("unsafelyAcceptAnyRepository is neither true nor false");
  }
  const expect = structuredClone(options.expect);
  const { builderIds, registry, refMatches } = checkNpmExpectation(expect);
  return {
    keys: [...trust.keys],
    trust: {
      ...(trust.trustedRoots === undefined ? {} : { trustedRoots: [...trust.trustedRoots] }),
      ...(trust.onlyRoot === undefined ? {} : { onlyRoot: trust.onlyRoot }),
    },
    expect,
    builderIds,
    registry,
    refMatches,
    thresholds: structuredClone(options.thresholds),
    limits: options.limits,
    signal: options.signal,
    anyRepository,
  };
}

/** Throws a TypeError for an expectation that could never be met or would mean nothing. */
export function checkNpmExpectation(
  expect: NpmExpectation,
): Pick<Settings, "builderIds" | "registry" | "refMatches"> {
  refuseUnknown(expect, EXPECT, "expect");
  const { packageName, packageVersion, registry, ref } = expect;
  if (packageName !== undefined && !isNpmName(packageName)) {
    throw new TypeError(
      `expect.packageName is ${quote(String(packageName))}, no name of a package`,
    );
  }
  if (packageVersion !== undefined && !isNpmVersion(packageVersion)) {
    throw new TypeError(`expect.packageVersion is ${quote(String(packageVersion))}, no version`);
  }
  for (const name of ["repositoryId", "ownerId"] as const) {
    const value = expect[name];
    if (value !== undefined && (typeof value !== "string" || !/^\d{1,20}$/.test(value))) {
      throw new TypeError(`expect.${name} is no text of decimal digits`);
    }
  }
  for (const name of ["registry", "repository", "workflow"] as const) {
    const value = expect[name];
    if (value !== undefined && (typeof value !== "string" || value === "")) {
      throw new TypeError(`expect.${name} is no text`);
    }
  }
  const { builderId = [] } = expect;
  const builderIds = typeof builderId === "string" ? [builderId] : builderId;
  if (!Array.isArray(builderIds) || builderIds.some((id) => typeof id !== "string" || id === "")) {
    throw new TypeError("expect.builderId is neither a text nor several");
  }
  for (const id of builderIds) {
    assertProvenanceExpectation(provenanceOf(expect, id, expect.repository));
  }
  return {
    builderIds,
    registry: registry?.replace(/\/+$/, ""),
    ...(ref === undefined ? {} : { refMatches: matcherOf(ref) }),
  };
}

function matcherOf(ref: Matcher): (text: string) => boolean {
  if (typeof ref === "string") {
    if (!ref.startsWith("refs/")) {
      throw new TypeError(
        `expect.ref is ${quote(ref)}, wanted all of it, such as refs/tags/v1.2.3`,
      );
    }
    return (text) => text === ref;
  }
  if (typeof ref !== "object" || ref === null || typeof ref.pattern !== "string") {
    throw new TypeError("expect.ref is neither a text nor a pattern");
  }
  refuseUnknown(ref, ["pattern"], "expect.ref");
  try {
    return fullMatch(ref.pattern);
  } catch (cause) {
    const { message } = cause as SyntaxError;
    throw new TypeError(`expect.ref: ${message}`, { cause });
  }
}

/** The expectation about provenance of one builder and one repository. */
export function provenanceOf(
  { provenance }: NpmExpectation,
  builderId: string | undefined,
  sourceUri: string | undefined,
): ProvenanceExpectation {
  return {
    ...provenance,
    ...(sourceUri === undefined ? {} : { sourceUri }),
    ...(builderId === undefined ? {} : { builderId }),
  };
}
