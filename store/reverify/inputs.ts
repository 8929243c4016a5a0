import { utf8 } from "../../internal/bytes.ts";
import { encodeHex } from "../../internal/hex.ts";
import { canonicalJson, copyJson } from "../../internal/json.ts";
import { sha256 } from "../../internal/sha256.ts";
import { VERSION } from "../../internal/version.ts";
import type { CompiledPolicy } from "../../policy/compiled.ts";
import { judgementTime } from "../../policy/judgement_time.ts";
import type { ReverifyInputs } from "./verdict_file.ts";

/**
 * What the verdicts of a policy at a moment depend on. The moment is taken back to the last one
 * that the policy can tell from it, so that verdicts stay those of today until something ends.
 *
 * `policy` is the digest of its document, roots in it included; `trust` is that of what comes
 * from elsewhere: keys with their revocations, waivers in other files, and which public-good
 * root this library has.
 */
export async function reverifyInputs(policy: CompiledPolicy, now: Date): Promise<ReverifyInputs> {
  const { digest, document, keys, keySets, publicGood } = policy;
  const root = publicGood
    ? (await import("../../sigstore/roots/public_good.ts")).PUBLIC_GOOD_ROOT
    : undefined;
  const trust = {
    keys: keys.map(({ name, fingerprint }) => [name, fingerprint]),
    keySets: keySets.map((set) =>
      set.keys.map(({ name, key, validFrom, validUntil, revoked }) => ({
        name,
        fingerprint: key.fingerprint,
        validFrom: validFrom?.toISOString(),
        validUntil: validUntil?.toISOString(),
        revoked: revoked && { at: revoked.at.toISOString(), reason: revoked.reason },
      }))
    ),
    waivers: document.waivers,
    publicGood: root === undefined ? undefined : encodeHex(sha256(utf8(root))),
  };
  return Object.freeze({
    policy: digest,
    trust: encodeHex(sha256(utf8(canonicalJson(copyJson(trust))))),
    time: judgementTime(policy, now).time.toISOString(),
    version: VERSION,
  });
}
