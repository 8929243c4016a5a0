import { encodeBase64 } from "../../internal/base64.ts";
import { refuseUnknown } from "../../internal/options.ts";
import { sha256 } from "../../internal/sha256.ts";
import { algorithmOf, lookupAlgorithm } from "../../keys/algorithm.ts";
import { parseSpki } from "../../keys/public_key.ts";
import { importSigner, type Signer } from "../../keys/signer.ts";
import { importTrustedKey } from "../../keys/trusted_key.ts";
import { type IdentityToken, parseIdentityToken } from "../oidc/token.ts";
import { type SigningPlan, SigningWork } from "./_work.ts";
import { requestCertificate } from "./fulcio.ts";
import type { KeylessOptions, KeySigningOptions, SignedBundle, SigningContent } from "./options.ts";
import { AlreadyLogged } from "./rekor_v2.ts";
import {
  type SelectedServices,
  selectServices,
  type SigningConfig,
  unsatisfied,
} from "./signing_config.ts";

const SERVICE_OPTIONS = [
  "fetch",
  "timeoutMs",
  "logTimeoutMs",
  "retries",
  "backoffMs",
  "sleep",
  "signal",
  "now",
  "randomBytes",
  "onStep",
];

const KEYLESS_OPTIONS = [
  ...SERVICE_OPTIONS,
  "trustedRoots",
  "signingConfig",
  "identityToken",
  "alg",
  "proofOfPossession",
];

const KEY_OPTIONS = [...SERVICE_OPTIONS, "keyHint", "signingConfig", "trustedRoots"];

/**
 * Signs without a key of one's own: a key is made for this signature, certified for the
 * holder of an identity token, and forgotten. The signature is stamped, then logged.
 *
 * The bundle is verified against the trusted roots, and for the certificate's identity,
 * before it is returned. After a failure nothing is returned; a log may hold an entry then,
 * which is public and of no use without its certificate.
 *
 * Source: sigstore/architecture-docs, client-spec.md, "Signing".
 *
 * @param content A payload, which is signed in a DSSE envelope, or the artifact itself.
 * @param options See {@linkcode KeylessOptions}.
 * @throws {AttestationError} `service-unavailable`, `service-refused`, `malformed-response`,
 * `limit-exceeded`, `response-mismatch`, `unsatisfied-signing-config`, `produced-invalid`
 * (its cause says why), `identity-token-expired` and what `parseIdentityToken()` refuses,
 * `aborted`. No message holds the token or the key.
 * @throws {TypeError} If an option is missing, unknown or of the wrong type.
 *
 * @example An instance that has no authority
 * ```ts
 * import { isAttestationError } from "@x/attest";
 * import { parseTrustedRoot } from "@x/attest/sigstore";
 * import { parseSigningConfig, signKeyless } from "@x/attest/sigstore/sign";
 * import assert from "node:assert/strict";
 *
 * const signingConfig = parseSigningConfig({
 *   mediaType: "application/vnd.dev.sigstore.signingconfig.v0.2+json",
 * });
 * const trustedRoot = parseTrustedRoot({
 *   mediaType: "application/vnd.dev.sigstore.trustedroot+json;version=0.1",
 * });
 * const claims = { iss: "https://issuer.example", sub: "me", aud: "sigstore", iat: 1, exp: 4e9 };
 * const encode = (json: object) => btoa(JSON.stringify(json)).replaceAll("=", "");
 * const identityToken = `${encode({ alg: "ES256" })}.${encode(claims)}.c2ln`;
 * try {
 *   const artifact = new TextEncoder().encode("hello");
 *   await signKeyless({ artifact }, { trustedRoots: [trustedRoot], signingConfig, identityToken });
 *   assert.fail("not reached");
 * } catch (error) {
 *   assert.ok(isAttestationError(error));
 *   assert.equal(error.reason, "unsatisfied-signing-config");
 * }
 * ```
 */
export async function signKeyless(
  content: SigningContent,
  options: KeylessOptions,
): Promise<SignedBundle> {
  refuseUnknown(options, KEYLESS_OPTIONS, "signKeyless()");
  const { alg = "ES256", proofOfPossession = "subject", trustedRoots } = options;
  if (alg !== "ES256" && alg !== "ES384") {
    throw new TypeError("alg must be ES256 or ES384: other keys are not made for one signature");
  }
  if (proofOfPossession !== "subject" && proofOfPossession !== "certificate-request") {
    throw new TypeError('proofOfPossession must be "subject" or "certificate-request"');
  }
  checkRoots(trustedRoots);
  const work = new SigningWork(content, options);
  const services = selectServices(options.signingConfig, work.now());
  if (services.ca === undefined) throw unsatisfied("it names no certificate authority for now");
  checkTime(services);
  const token = usableToken(options.identityToken, work.now());
  const { url } = services.ca;
  return await withFreshEntry(async () => {
    const signer = await ephemeralSigner(alg);
    const now = work.now();
    const { leaf, identity } = await work.asking(
      "certificate",
      url,
      (http) =>
        requestCertificate({ url, http, token, signer, proofOfPossession, trustedRoots, now }),
    );
    const { issuer, subjectAlternativeName, sanType } = identity;
    return await work.finish({
      signer,
      key: leaf.publicKey,
      scheme: lookupAlgorithm(alg).scheme,
      verifier: { kind: "certificate", der: leaf.raw },
      material: { certificate: leaf.raw },
      services,
      trust: { trustedRoots, identity: { issuer, subjectAlternativeName, sanType } },
    });
  });
}

/**
 * Signs again, once, when a log has the entry but its answer was lost: another signature
 * is another entry. Where a key gives the same signature again, the first loss is told.
 */
async function withFreshEntry(sign: () => Promise<SignedBundle>): Promise<SignedBundle> {
  try {
    return await sign();
  } catch (error) {
    const lost = error instanceof AlreadyLogged ? error.earlier : undefined;
    if (lost === undefined) throw error;
    return await sign().catch((again) => {
      throw again instanceof AlreadyLogged ? again.earlier ?? lost : again;
    });
  }
}

/**
 * Signs with a key that verifiers know. With a signing configuration the signature is
 * stamped and logged as well; without one no service is asked.
 *
 * The bundle is verified with the signer's public key, and against the trusted roots,
 * before it is returned.
 *
 * Source: sigstore/architecture-docs, client-spec.md, "Signing"; sigstore_bundle.proto,
 * `PublicKeyIdentifier`.
 *
 * @param content A payload, which is signed in a DSSE envelope, or the artifact itself.
 * @param signer The key, or what signs in its place.
 * @param options See {@linkcode KeySigningOptions}.
 * @throws {AttestationError} `unsupported-algorithm` (a log does not take such a key; plain
 * Ed25519 cannot be logged in version 2), and what {@linkcode signKeyless} refuses except
 * what is about tokens.
 * @throws {TypeError} If an option is unknown or of the wrong type, or services are given
 * without the roots that they must verify against.
 *
 * @example A key and no service
 * ```ts
 * import { generateSigner } from "@x/attest/keys";
 * import { verifySigstoreBundle } from "@x/attest/sigstore";
 * import { signWithKey } from "@x/attest/sigstore/sign";
 * import assert from "node:assert/strict";
 *
 * const { signer, trustedKey } = await generateSigner("Ed25519", { keyid: "ci" });
 * const payload = new TextEncoder().encode(`{"_type":"https://in-toto.io/Statement/v1"}`);
 * const { text } = await signWithKey(
 *   { payloadType: "application/vnd.in-toto+json", payload },
 *   signer,
 * );
 * const result = await verifySigstoreBundle(text, { trustedRoots: [], keys: [trustedKey] });
 * assert.ok(result.ok);
 * ```
 */
export async function signWithKey(
  content: SigningContent,
  signer: Signer,
  options: KeySigningOptions = {},
): Promise<SignedBundle> {
  refuseUnknown(options, KEY_OPTIONS, "signWithKey()");
  const { keyHint, signingConfig, trustedRoots = [] } = options;
  if (keyHint !== undefined && (typeof keyHint !== "string" || keyHint === "")) {
    throw new TypeError("keyHint is not a string, or empty");
  }
  const work = new SigningWork(content, options);
  const services = keyServices(signingConfig, work.now());
  if (services.logs.length + services.timestampAuthorities.length > 0) checkRoots(trustedRoots);
  const key = parseSpki(await signer.publicKey());
  const { scheme } = algorithmOf(key, signer.alg);
  const hint = keyHint ?? signer.keyid ?? encodeBase64(sha256(key.spki));
  const trusted = await importTrustedKey(key.spki, { alg: signer.alg, name: hint, keyid: hint });
  const plan: SigningPlan = {
    signer,
    ...(signer.keyid === hint ? { keyid: hint } : {}),
    key,
    scheme,
    verifier: { kind: "publicKey", der: key.spki },
    material: { hint },
    services,
    trust: { trustedRoots, keys: [trusted] },
  };
  return await withFreshEntry(() => work.finish(plan));
}

function keyServices(config: SigningConfig | undefined, now: Date): SelectedServices {
  return config === undefined
    ? { logs: [], timestampAuthorities: [] }
    : selectServices(config, now);
}

function checkRoots(trustedRoots: unknown): void {
  if (!Array.isArray(trustedRoots) || trustedRoots.length === 0) {
    throw new TypeError("trustedRoots is empty: what the services answer could not be verified");
  }
}

/** A certificate is judged at the time of signing, which a log of version 2 does not tell. */
function checkTime({ logs, timestampAuthorities }: SelectedServices): void {
  if (timestampAuthorities.length === 0 && logs.every((log) => log.majorApiVersion !== 1)) {
    throw unsatisfied(
      "nobody would vouch for the time of signing: it selects neither a timestamp authority " +
        "nor a log of version 1",
    );
  }
}

/** Read again when it is parsed already: it may have expired since. */
function usableToken(token: IdentityToken | string, now: Date): IdentityToken {
  if (typeof token === "string") return parseIdentityToken(token, { now });
  if (typeof token?.token !== "string") {
    throw new TypeError("identityToken is neither text nor a parsed token");
  }
  const [audience] = token.audience;
  return parseIdentityToken(token.token, audience === undefined ? { now } : { now, audience });
}

/** A key whose private half this process cannot read, let alone print. */
async function ephemeralSigner(alg: "ES256" | "ES384"): Promise<Signer> {
  const namedCurve = alg === "ES256" ? "P-256" : "P-384";
  const usages: KeyUsage[] = ["sign", "verify"];
  const pair = await crypto.subtle.generateKey({ name: "ECDSA", namedCurve }, false, usages);
  const spki = new Uint8Array(await crypto.subtle.exportKey("spki", pair.publicKey));
  return await importSigner(pair.privateKey, { alg, publicKey: spki });
}
