import { pae } from "../dsse/pae.ts";
import type { Bytes } from "../internal/bytes.ts";
import { CheckList } from "../internal/check_list.ts";
import { encodeHex } from "../internal/hex.ts";
import { lookupAlgorithm } from "../keys/algorithm.ts";
import type { CombinedKeys } from "../keys/key_validity.ts";
import { defaultScheme, parseSpki, type PublicKey } from "../keys/public_key.ts";
import type { TrustedKey } from "../keys/trusted_key.ts";
import type { Scheme } from "./_scheme.ts";
import type { SigstoreBundle } from "./bundle.ts";
import type { Certificate } from "./certificate.ts";
import { mayLeadTo } from "./chain.ts";
import type { SignedArtifact } from "./signed_artifact.ts";
import type { SigstoreThresholds, SigstoreTrust } from "./sigstore_trust.ts";
import type { TrustedRoot } from "./trusted_root.ts";

/** Who signed, by the bundle's word: the holder of a certificate, or a key. */
export type Signer =
  | { kind: "certificate"; leaf: Certificate; key: PublicKey; scheme: Scheme }
  | {
    kind: "publicKey";
    trusted?: TrustedKey;
    rules?: CombinedKeys["rules"];
    key?: PublicKey;
    scheme?: Scheme;
  };

/** One bundle against one root and one signer. */
export interface Attempt {
  bundle: SigstoreBundle;
  trust: SigstoreTrust;
  root: TrustedRoot;
  signer: Signer;
  /** The artifact, where there is one. */
  artifact?: SignedArtifact;
  /** What an envelope's signature is over. */
  signed?: Bytes;
  /** Where the checks go. */
  list: CheckList;
}

const NO_ROOT: TrustedRoot = {
  name: "none",
  logs: [],
  ctLogs: [],
  certificateAuthorities: [],
  timestampAuthorities: [],
};

/** Roots and keys to try, each alone: evidence of two is never mixed. */
export function attempts(
  { signer, logEntries }: SigstoreBundle,
  { trustedRoots }: SigstoreTrust,
  { keys, rules }: CombinedKeys,
): { root: TrustedRoot; signer: Signer }[] {
  if (signer.kind === "certificate") {
    const { leaf, intermediates } = signer;
    const key = leaf.publicKey;
    const by: Signer = { kind: "certificate", leaf, key, scheme: defaultScheme(key) };
    const leading = trustedRoots.filter(({ certificateAuthorities }) =>
      mayLeadTo(leaf, intermediates, certificateAuthorities)
    );
    const roots = leading.length > 0 ? leading : [trustedRoots[0] ?? NO_ROOT];
    return roots.map((root) => ({ root, signer: by }));
  }
  const ids = logEntries.map(({ keyId }) => encodeHex(keyId));
  const knowing = trustedRoots.filter(({ logs }) =>
    logs.some(({ keyIds }) => keyIds.some((id) => ids.includes(id)))
  );
  const roots = knowing.length > 0 ? knowing : trustedRoots.length > 0 ? trustedRoots : [NO_ROOT];
  if (keys.length === 0) return [{ root: roots[0], signer: { kind: "publicKey" } }];
  const named = keys.filter(({ keyid, name }) =>
    signer.hint !== "" && (keyid ?? name) === signer.hint
  );
  const ordered = [...named, ...keys.filter((key) => !named.includes(key))];
  return roots.flatMap((root) =>
    ordered.map((trusted) => ({
      root,
      signer: {
        kind: "publicKey" as const,
        trusted,
        rules,
        key: parseSpki(trusted.spki),
        scheme: lookupAlgorithm(trusted.alg).scheme,
      },
    }))
  );
}

/** One bundle against one root and one signer. */
export function attempt(
  bundle: SigstoreBundle,
  by: { root: TrustedRoot; signer: Signer },
  { trust, artifact }: { trust: SigstoreTrust; artifact?: SignedArtifact },
): Attempt {
  const { content } = bundle;
  return {
    bundle,
    trust,
    ...by,
    artifact,
    signed: content.kind === "envelope"
      ? pae(content.envelope.payloadType, content.envelope.payload)
      : undefined,
    list: new CheckList(),
  };
}

const NEEDED = { log: 1, sct: 1, timestamp: 1, timestampAuthority: 0, integratedTime: 0 };

/** How much evidence of a kind is needed. */
export function threshold({ trust, signer }: Attempt, name: keyof SigstoreThresholds): number {
  const set = trust.thresholds?.[name];
  // The certificate's own time stands for a verified one, as the caller asked.
  if (name === "timestamp" && trust.unsafelyTrustCertificateTime === true) return set ?? 0;
  return set ?? (signer.kind === "certificate" ? NEEDED[name] : 0);
}

/** A threshold of 0 for a certificate means that the log is not looked at. */
export function usesLog(one: Attempt): boolean {
  return threshold(one, "log") > 0 || one.trust.thresholds?.log === undefined;
}

/** A promise whose rejection is handled: it may be awaited late. */
export type Settled<T> = Promise<{ value: T } | { error: unknown }>;

/** Work that is started together with other work, and looked at in its turn. */
export function settle<T>(work: Promise<T>): Settled<T> {
  return work.then((value) => ({ value }), (error: unknown) => ({ error }));
}
