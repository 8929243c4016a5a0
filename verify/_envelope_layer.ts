import { verifyDecodedEnvelope } from "../dsse/verify.ts";
import { CheckList } from "../internal/check_list.ts";
import type { PublicKey } from "../keys/public_key.ts";
import type { TrustedKey } from "../keys/trusted_key.ts";
import type { CertificateIdentity } from "../sigstore/identity.ts";
import type { SigstoreTrust } from "../sigstore/sigstore_trust.ts";
import type { VerifiedTimestamp } from "../sigstore/verified_times.ts";
import type { Settings } from "./_settings.ts";
import type { DigestedArtifact } from "./artifact.ts";
import type { LoadedAttestation } from "./load.ts";
import type { VerifyOptions } from "./options.ts";
import type { PredicateJudge } from "./predicate.ts";
import type { ForeignFacts } from "./report.ts";

/** What every attestation of a call is judged with. */
export interface Context extends Settings {
  trust?: SigstoreTrust;
  judge?: PredicateJudge;
  options: VerifyOptions;
}

/** What the envelope layer established. */
export interface EnvelopeLayer {
  list: CheckList;
  identity?: CertificateIdentity;
  signers: string[];
  keys: TrustedKey[];
  /** Key of the certificate. */
  publicKey?: PublicKey;
  timestamps: VerifiedTimestamp[];
  /** Distinct logs that include it. */
  logs: number;
  /** What is to be known of another format. */
  foreign?: ForeignFacts;
}

/** Checks who signed; after a refusal nothing of the layer but its checks counts. */
export async function verifyEnvelopeLayer(
  one: Exclude<LoadedAttestation, { foreign: unknown }>,
  { keyTrust, trust, options }: Context,
  artifact: DigestedArtifact | undefined,
): Promise<EnvelopeLayer> {
  const list = new CheckList();
  const layer: EnvelopeLayer = { list, signers: [], keys: [], timestamps: [], logs: 0 };
  if ("error" in one) {
    list.failed("envelope.format", one.error);
    return layer;
  }
  if (one.format === "statement") {
    list.refused(
      "envelope.signature",
      "unsigned-statement",
      "Cannot accept Statement: nobody signed it",
    );
    return layer;
  }
  const formats = options.expect?.formats;
  if (formats !== undefined && !formats.includes(one.format)) {
    const { refuseFormat } = await import("./foreign.ts");
    return refuseFormat(layer, one.format, formats);
  }
  list.passed(
    "envelope.format",
    one.format === "sigstore-bundle"
      ? `A Sigstore bundle, version ${one.bundle.version}`
      : one.format === "cosign-signature"
      ? "An image signature by cosign"
      : "bundle" in one && one.bundle.signer.kind === "certificate"
      ? "A DSSE envelope that carries its certificate"
      : "A DSSE envelope",
  );
  if ("bundle" in one) {
    const { verifyParsedBundle } = await import("../sigstore/verify.ts");
    if ((options.trust?.threshold ?? 1) > 1 && one.bundle.signer.kind === "publicKey") {
      list.refused(
        "envelope.signature",
        "threshold-not-met",
        "Cannot verify bundle: it has one signature only",
      );
    }
    const result = await verifyParsedBundle(one.bundle, trust!, artifact);
    // Whom a policy expects is its own check.
    const isChosen = options.unsafelyAcceptAnyIdentity === true && options.policy === undefined;
    list.checks.push(
      ...result.checks.filter(({ id, outcome }) =>
        isChosen || id !== "envelope.identity-expectation" || outcome !== "skipped"
      ),
    );
    if (!result.ok) list.error ??= result.error;
    else if (list.error === undefined) {
      layer.signers.push(result.signer);
      layer.timestamps.push(...result.timestamps);
      layer.identity = result.identity;
      layer.logs = result.logs;
      layer.publicKey = result.publicKey;
      if (result.trustedKey !== undefined) layer.keys.push(result.trustedKey);
    }
    return layer;
  }
  if (keyTrust === undefined) {
    list.refused(
      "envelope.signature",
      "missing-trusted-key",
      "Cannot verify envelope: it is signed with a key, and no trusted key is given",
    );
    return layer;
  }
  const { keys, rules, threshold } = keyTrust;
  const result = await verifyDecodedEnvelope(one.envelope, { keys: [...keys], threshold });
  if (result.ok) {
    const message = `Trusted keys that accept: ${result.acceptedBy.length}, needed: ${threshold}`;
    list.passed("envelope.signature", message, { actual: result.acceptedBy.join(", ") });
    layer.keys = result.acceptedKeys;
    if (rules.size > 0) {
      const { countKeys } = await import("../keys/key_validity.ts");
      // Nobody vouches for the time of a bare envelope.
      const moments = { now: options.now ?? new Date() };
      layer.keys = countKeys(list, layer.keys, { rules, needed: threshold, moments });
    }
    layer.signers = layer.keys.map(({ name }) => name);
  } else list.failed("envelope.signature", result.error);
  if (options.expect?.identity !== undefined) {
    list.refused(
      "envelope.identity",
      "identity-mismatch",
      "Cannot accept envelope: it is signed with a key, an identity is expected",
    );
  }
  return layer;
}
