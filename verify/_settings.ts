import { refuseOtherThanKeys } from "../dsse/verify.ts";
import { quote } from "../internal/json.ts";
import { refuseUnknown } from "../internal/options.ts";
import type { CombinedKeys } from "../keys/key_validity.ts";
import type { IdentityExpectation } from "../sigstore/identity.ts";
import type { TrustedRoot } from "../sigstore/trusted_root.ts";
import { checkSigstoreTrust, type SigstoreTrust } from "../sigstore/sigstore_trust.ts";
import { DEFAULT_LIMITS, type Limits, type LoadedAttestation } from "./load.ts";
import type { VerifyOptions } from "./options.ts";

/** Keys for envelopes, their rules, and how many must count. */
interface KeyTrust extends CombinedKeys {
  threshold: number;
}

/** What the options come to, once they are checked. */
export interface Settings {
  limits: Limits;
  keyTrust?: KeyTrust;
  predicateTypes?: readonly string[];
}

const OPTIONS = [
  "trust",
  "expect",
  "policy",
  "evidence",
  "thresholds",
  "limits",
  "concurrency",
  "now",
  "signal",
  "onProgress",
  "unsafelyAcceptAnyIdentity",
  "unsafelyTrustCertificateTime",
  "unsafelyVerifyWithoutArtifact",
];

/** A copy: what the caller changes while the work goes on has no effect on it. */
export function ownOptions(options: VerifyOptions): VerifyOptions {
  const { trust, expect, thresholds } = options;
  return {
    ...options,
    now: options.now ?? new Date(),
    trust: { ...trust },
    expect: structuredClone(expect),
    thresholds: structuredClone(thresholds),
  };
}

/** A copy with the trust that a policy supplies. */
export async function ownByPolicy(options: VerifyOptions): Promise<VerifyOptions> {
  const own = { ...options };
  const { trustOfPolicy } = await import("./policy.ts");
  return { ...own, ...trustOfPolicy(own, own.policy!) };
}

/** Throws a TypeError for anything that is not of its form. */
export async function checkOptions(options: VerifyOptions): Promise<Settings> {
  refuseUnknown(options, OPTIONS, "verify()");
  const { trust = {}, expect = {}, limits = {}, concurrency = 64 } = options;
  refuseUnknown(
    trust,
    [
      "keys",
      "keySets",
      "threshold",
      "trustedRoots",
      "onlyRoot",
      "certificates",
      "efi",
      "openpgp",
      "tufRoots",
    ],
    "trust",
  );
  refuseUnknown(
    expect,
    ["identity", "predicateType", "formats", "subjects", "provenance", "vsa"],
    "expect",
  );
  if (options.now !== undefined && !(options.now instanceof Date && isFinite(+options.now))) {
    throw new TypeError("now is not a Date");
  }
  refuseUnknown(limits, Object.keys(DEFAULT_LIMITS), "limits");
  for (const [name, value] of Object.entries({ ...limits, concurrency })) {
    if (value !== undefined && (!Number.isInteger(value) || value < 1)) {
      throw new TypeError(`${name} is ${value}, wanted an integer >= 1`);
    }
  }
  const { keySets, trustedRoots = [], threshold = 1, onlyRoot } = trust;
  for (const list of [trust.keys ?? [], trustedRoots, trust.tufRoots ?? [], expect.formats ?? []]) {
    if (!Array.isArray(list)) {
      throw new TypeError("A list in trust or expect is not an array");
    }
  }
  refuseOtherThanKeys(trust.keys ?? []);
  trust.keys = [...trust.keys ?? []];
  trust.trustedRoots = [...trustedRoots];
  let combined: CombinedKeys = { keys: trust.keys, rules: new Map() };
  if (keySets !== undefined) {
    if (!Array.isArray(keySets)) throw new TypeError("trust.keySets is not an array");
    trust.keySets = [...keySets];
    // Loaded on use, as are the checks below: keys without times do without.
    const { combineKeys } = await import("../keys/key_validity.ts");
    combined = combineKeys(trust.keys, trust.keySets);
  }
  const { keys } = combined;
  const { unsafelyAcceptAnyIdentity, unsafelyTrustCertificateTime } = options;
  const { unsafelyVerifyWithoutArtifact } = options;
  // A text such as "false" is true to an `if`.
  for (
    const [name, value] of Object.entries({
      onlyRoot,
      evidence: options.evidence,
      unsafelyAcceptAnyIdentity,
      unsafelyTrustCertificateTime,
      unsafelyVerifyWithoutArtifact,
    })
  ) {
    if (value !== undefined && typeof value !== "boolean") {
      throw new TypeError(`${name} is neither true nor false`);
    }
  }
  if (!Number.isInteger(threshold) || threshold < 1) {
    throw new TypeError(`trust.threshold is ${threshold}, wanted an integer >= 1`);
  }
  const { openpgp } = trust;
  const others = openpgp && (await import("../formats/openpgp_keyring.ts")).signersOf(openpgp);
  const distinct = new Set([
    ...keys.map(({ fingerprint }) => fingerprint),
    ...others ?? [],
  ]).size;
  if (threshold > 1 && threshold > distinct) {
    throw new TypeError(
      `trust.threshold is ${threshold}, but only ${distinct} distinct keys are given`,
    );
  }
  if (!["any", "all", "exact", undefined].includes(expect.subjects)) {
    throw new TypeError(
      `expect.subjects is ${quote(String(expect.subjects))}, wanted any, all or exact`,
    );
  }
  const { predicateType } = expect;
  const predicateTypes = predicateType === undefined ? undefined : [predicateType].flat();
  if (
    predicateTypes?.length === 0 ||
    predicateTypes?.some((one) => typeof one !== "string" || one === "")
  ) {
    throw new TypeError("expect.predicateType is empty");
  }
  const stated = Object.entries(limits).filter(([, value]) => value !== undefined);
  return {
    limits: {
      ...DEFAULT_LIMITS,
      ...Object.fromEntries(stated),
      certificates: keys.length === 0,
    },
    keyTrust: keys.length === 0 ? undefined : { ...combined, threshold },
    predicateTypes,
  };
}

/** Whom bundles are verified against; undefined if there are none and nothing asks for one. */
export async function sigstoreTrust(
  options: VerifyOptions,
  loaded: readonly LoadedAttestation[],
): Promise<SigstoreTrust | undefined> {
  const { trust = {}, expect = {} } = options;
  const usesSigstore = loaded.some((one) => "bundle" in one);
  if (!usesSigstore && expect.identity === undefined && options.thresholds === undefined) {
    return undefined;
  }
  const trustedRoots: TrustedRoot[] = [...trust.trustedRoots ?? []];
  if (trust.onlyRoot !== true && usesSigstore) {
    const { publicGoodRoot } = await import("../sigstore/public_good.ts");
    trustedRoots.push(await publicGoodRoot());
  }
  const assembled: SigstoreTrust = {
    trustedRoots,
    keys: trust.keys,
    keySets: trust.keySets,
    now: options.now,
    identity: expect.identity as IdentityExpectation | readonly IdentityExpectation[] | undefined,
    thresholds: options.thresholds,
    // A recognised builder of an expected source is an identity; predicate.builder checks it.
    unsafelyAcceptAnyIdentity: options.unsafelyAcceptAnyIdentity === true ||
      (expect.identity === undefined && expect.provenance?.sourceUri !== undefined),
    unsafelyTrustCertificateTime: options.unsafelyTrustCertificateTime,
  };
  checkSigstoreTrust(assembled);
  return assembled;
}
