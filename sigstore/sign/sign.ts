import { AttestationError } from "../../errors.ts";
import { pae } from "../../dsse/pae.ts";
import { encodeBase64 } from "../../internal/base64.ts";
import { asBytes, type Bytes } from "../../internal/bytes.ts";
import { digest, type HashName } from "../../internal/digest.ts";
import { encodeHex } from "../../internal/hex.ts";
import type { HttpOptions } from "../../internal/http.ts";
import type { JsonObject } from "../../internal/json.ts";
import { refuseUnknown } from "../../internal/options.ts";
import { sha256 } from "../../internal/sha256.ts";
import { algorithmOf, lookupAlgorithm } from "../../keys/algorithm.ts";
import { parseSpki, type PublicKey } from "../../keys/public_key.ts";
import { importSigner, type Signer } from "../../keys/signer.ts";
import { importTrustedKey } from "../../keys/trusted_key.ts";
import type { Scheme } from "../_scheme.ts";
import type { SignedFacts } from "../log_body.ts";
import { type IdentityToken, parseIdentityToken } from "../oidc/token.ts";
import { type SignedArtifact, type SigstoreTrust, verifySigstoreBundle } from "../verify.ts";
import { type BundleMember, type BundleParts, writeBundle } from "./bundle_writer.ts";
import { requestCertificate } from "./fulcio.ts";
import type { LoggedEntry, LogRequest } from "./log_request.ts";
import type {
  KeylessOptions,
  KeySigningOptions,
  ServiceOptions,
  SignedBundle,
  SigningContent,
  SigningStep,
} from "./options.ts";
import { checkKeyForV1, logInRekorV1 } from "./rekor_v1.ts";
import { AlreadyLogged, checkKeyForV2, logInRekorV2 } from "./rekor_v2.ts";
import {
  type SelectedServices,
  selectServices,
  type SigningConfig,
  type SigningService,
  unsatisfied,
} from "./signing_config.ts";
import { requestTimestamp } from "./timestamp_request.ts";

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

/** A log blocks until its next checkpoint (rekor-tiles, CLIENTS.md). */
const LEAST_LOG_TIMEOUT_MS = 20_000;

/** What a verifier reads of an envelope when nothing else is said. */
const MAX_PAYLOAD_BYTES = 16 << 20;

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
  if (typeof token !== "object" || token === null || typeof token.token !== "string") {
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

/** Who signs, how, and what is made of it. */
interface SigningPlan {
  signer: Signer;
  /** Of the envelope's signature. */
  keyid?: string;
  key: PublicKey;
  scheme: Scheme;
  verifier: SignedFacts["verifier"];
  material: BundleParts["signer"];
  services: SelectedServices;
  trust: SigstoreTrust;
}

/** One signature and its services. */
class SigningWork {
  readonly #content: CheckedContent;
  readonly #options: ServiceOptions;

  constructor(content: SigningContent, options: ServiceOptions) {
    this.#content = checkedContent(content);
    this.#options = options;
    this.#refuseAborted();
  }

  now(): Date {
    return this.#options.now?.() ?? new Date();
  }

  #tell(step: SigningStep["step"], url?: string): void {
    this.#options.onStep?.(url === undefined ? { step } : { step, url });
  }

  #refuseAborted(): void {
    if (this.#options.signal?.aborted) {
      throw new AttestationError("aborted", "Cannot sign: the caller stopped it");
    }
  }

  #http(step: SigningStep["step"], signal: AbortSignal | undefined): HttpOptions {
    const { fetch, timeoutMs = 30_000, logTimeoutMs, retries, backoffMs, sleep } = this.#options;
    const limit = step === "log"
      ? logTimeoutMs ?? Math.max(timeoutMs, LEAST_LOG_TIMEOUT_MS)
      : timeoutMs;
    return { fetch, timeoutMs: limit, retries, backoffMs, sleep, signal };
  }

  asking<T>(
    step: SigningStep["step"],
    url: string,
    ask: (http: HttpOptions) => Promise<T>,
    signal = this.#options.signal,
  ): Promise<T> {
    this.#tell(step, url);
    return ask(this.#http(step, signal));
  }

  /** Asks several services at once; when one fails the others are stopped. */
  async #askingAll<T>(
    step: SigningStep["step"],
    services: readonly SigningService[],
    ask: (service: SigningService, http: HttpOptions) => Promise<T>,
  ): Promise<T[]> {
    const { signal } = this.#options;
    const controller = new AbortController();
    const stop = () => controller.abort();
    signal?.addEventListener("abort", stop, { once: true });
    if (signal?.aborted) stop();
    let first: { error: unknown } | undefined;
    try {
      const results = await Promise.allSettled(services.map(async (service) => {
        try {
          return await this.asking(
            step,
            service.url,
            (http) => ask(service, http),
            controller.signal,
          );
        } catch (error) {
          first ??= { error };
          stop();
          throw error;
        }
      }));
      if (first !== undefined) throw (first as { error: unknown }).error;
      return results.flatMap((one) => one.status === "fulfilled" ? [one.value] : []);
    } finally {
      signal?.removeEventListener("abort", stop);
    }
  }

  /** Signs, stamps, logs, writes and verifies. */
  async finish(plan: SigningPlan): Promise<SignedBundle> {
    const content = this.#content;
    const { services, key, scheme, verifier, trust } = plan;
    for (const { majorApiVersion } of services.logs) {
      if (majorApiVersion === 1) checkKeyForV1({ key, scheme }, "payload" in content);
      else checkKeyForV2({ key, scheme });
    }
    this.#tell("sign");
    const signed = await signContent(content, plan);
    const { signature } = signed;
    const roots = trust.trustedRoots;
    const timestamps = await this.#askingAll(
      "timestamp",
      services.timestampAuthorities,
      ({ url }, http) =>
        requestTimestamp({
          url,
          http,
          signature,
          randomBytes: this.#options.randomBytes ?? systemRandom,
          authorities: roots.flatMap(({ timestampAuthorities }) => timestampAuthorities),
        }),
    );
    const facts: SignedFacts = {
      signature,
      verifier,
      key,
      scheme,
      ...("payload" in content ? { envelope: { ...content, pae: signed.message } } : {}),
      ...(signed.artifact === undefined ? {} : { artifact: signed.artifact.digest }),
    };
    const logEntries = await this.#askingAll(
      "log",
      services.logs,
      (service, http) =>
        logEntry(service, {
          url: service.url,
          http,
          facts,
          ...("dsseEnvelope" in signed.member ? { envelope: signed.member.dsseEnvelope } : {}),
          logs: roots.flatMap(({ logs }) => logs),
        }),
    );
    this.#refuseAborted();
    const bundle = writeBundle({
      signer: plan.material,
      content: signed.member,
      logEntries: logEntries.map(({ json }) => json),
      timestamps,
    });
    this.#tell("verify");
    return await verified(bundle, { ...plan, logEntries, artifact: signed.artifact });
  }
}

/** Content whose payload cannot change under the work. */
type CheckedContent = { payloadType: string; payload: Bytes } | { artifact: Uint8Array };

function checkedContent(content: SigningContent): CheckedContent {
  if ("artifact" in content) {
    if (!(content.artifact instanceof Uint8Array)) throw new TypeError("artifact is no Uint8Array");
    return { artifact: content.artifact };
  }
  const { payloadType, payload } = content;
  if (typeof payloadType !== "string" || payloadType === "" || !payloadType.isWellFormed()) {
    throw new TypeError("payloadType is not a well-formed string, or empty");
  }
  if (!(payload instanceof Uint8Array)) throw new TypeError("payload is no Uint8Array");
  if (payload.length > MAX_PAYLOAD_BYTES) {
    throw new AttestationError(
      "limit-exceeded",
      `Cannot sign: the payload has ${payload.length} bytes, verifiers read at most ` +
        `${MAX_PAYLOAD_BYTES}`,
    );
  }
  return { payloadType, payload: new Uint8Array(payload) };
}

interface SignedContent {
  signature: Bytes;
  /** What the signature is over. */
  message: Bytes;
  member: BundleMember;
  artifact?: SignedArtifact;
}

async function signContent(
  content: CheckedContent,
  { signer, keyid, scheme }: SigningPlan,
): Promise<SignedContent> {
  if ("payload" in content) {
    const { payloadType, payload } = content;
    const message = pae(payloadType, payload);
    const signature = await signer.sign(message);
    const sig = encodeBase64(signature);
    const dsseEnvelope: JsonObject = {
      payload: encodeBase64(payload),
      payloadType,
      signatures: [keyid === undefined ? { sig } : { sig, keyid }],
    };
    return { signature, message, member: { dsseEnvelope } };
  }
  const message = asBytes(content.artifact);
  const hash: HashName = "hash" in scheme ? scheme.hash : "SHA-256";
  const [signature, hashed] = await Promise.all([signer.sign(message), digest(hash, message)]);
  const messageSignature: JsonObject = {
    messageDigest: { algorithm: hash.replace("SHA-", "SHA2_"), digest: encodeBase64(hashed) },
    signature: encodeBase64(signature),
  };
  const name = hash.toLowerCase().replace("-", "");
  const artifact = { digest: { [name]: encodeHex(hashed) }, content: message };
  return { signature, message, member: { messageSignature }, artifact };
}

function logEntry(service: SigningService, asked: LogRequest): Promise<LoggedEntry> {
  return service.majorApiVersion === 1 ? logInRekorV1(asked) : logInRekorV2(asked);
}

function systemRandom(length: number): Bytes {
  return crypto.getRandomValues(new Uint8Array(length));
}

/** Verifies what was made, with everything that was asked for as its threshold. */
async function verified(
  bundle: JsonObject,
  made: SigningPlan & { logEntries: readonly LoggedEntry[]; artifact?: SignedArtifact },
): Promise<SignedBundle> {
  const { services, trust, logEntries, artifact } = made;
  const text = JSON.stringify(bundle);
  const isKeyless = trust.identity !== undefined;
  const thresholds = {
    log: services.logs.length,
    timestampAuthority: services.timestampAuthorities.length,
    timestamp: isKeyless ? 1 : 0,
    sct: isKeyless ? 1 : 0,
  };
  const result = await verifySigstoreBundle(text, { ...trust, thresholds }, artifact);
  if (!result.ok) {
    throw new AttestationError(
      "produced-invalid",
      "Cannot return bundle: what was produced does not verify",
      { cause: result.error },
    );
  }
  return {
    bundle,
    text,
    ...(result.identity === undefined ? {} : { identity: result.identity }),
    timestamps: result.timestamps,
    logEntries: logEntries.map(({ logIndex, url }) => ({ logIndex, url })),
  };
}
