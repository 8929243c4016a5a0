import { refuseUnknown } from "../internal/options.ts";
import type { KeySet } from "../keys/key_validity.ts";
import type { TrustedKey } from "../keys/trusted_key.ts";
import { type IdentityExpectation, missingExpectation } from "./identity.ts";
import type { TrustedRoot } from "./trusted_root.ts";

/** How much independent evidence is needed. */
export interface SigstoreThresholds {
  /**
   * Distinct transparency logs. Default 1; for a key 0, but an entry of a trusted log that is
   * there must be good. One of an unknown log is as good as none.
   */
  log?: number;
  /** Distinct certificate transparency logs. Default 1. */
  sct?: number;
  /** Verified times of any kind. Default 1; for a key 0. A certificate needs one in any case. */
  timestamp?: number;
  /** Verified times by RFC 3161 authorities. Default 0. */
  timestampAuthority?: number;
  /** Verified times by log promises. Default 0. */
  integratedTime?: number;
}

/** Who is believed, and what is expected. */
export interface SigstoreTrust {
  /** Roots; a bundle must verify against one of them alone. */
  trustedRoots: readonly TrustedRoot[];
  /** Keys for bundles that are signed with a key. */
  keys?: readonly TrustedKey[];
  /** Keys that count at certain times only. */
  keySets?: readonly KeySet[];
  /** The moment at which a key of a key set must count without a verified time. Default: now. */
  now?: Date;
  /** Whom a keyless bundle must come from: any one of these. */
  identity?: IdentityExpectation | readonly IdentityExpectation[];
  /** How much independent evidence is needed. */
  thresholds?: SigstoreThresholds;
  /** @deprecated Accepts a keyless bundle of anybody. */
  unsafelyAcceptAnyIdentity?: boolean;
  /** @deprecated Takes the certificate's `notBefore` as the time of signing. */
  unsafelyTrustCertificateTime?: boolean;
}

const TRUST = [
  "trustedRoots",
  "keys",
  "keySets",
  "now",
  "identity",
  "thresholds",
  "unsafelyAcceptAnyIdentity",
  "unsafelyTrustCertificateTime",
];
const THRESHOLDS = ["log", "sct", "timestamp", "timestampAuthority", "integratedTime"];

/** Throws a TypeError for anything in `trust` that is not of its form. */
export function checkSigstoreTrust(trust: SigstoreTrust): void {
  refuseUnknown(trust, TRUST, "verifySigstoreBundle()");
  refuseUnknown(trust.thresholds ?? {}, THRESHOLDS, "thresholds");
  for (const [name, value] of Object.entries(trust.thresholds ?? {})) {
    if (value !== undefined && (!Number.isInteger(value) || value < 0)) {
      throw new TypeError(`thresholds.${name} is ${value}, wanted an integer >= 0`);
    }
  }
  if (!Array.isArray(trust.trustedRoots)) throw new TypeError("trustedRoots is not an array");
  if (trust.now !== undefined && !(trust.now instanceof Date)) {
    throw new TypeError("now is not a Date");
  }
  for (const one of expectations(trust)) missingExpectation(one);
}

/** The expected identities, as a list. */
export function expectations({ identity }: SigstoreTrust): readonly IdentityExpectation[] {
  return identity === undefined
    ? []
    : Array.isArray(identity)
    ? identity
    : [identity as IdentityExpectation];
}
