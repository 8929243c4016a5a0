import { AttestationError } from "../../errors.ts";
import type { Bytes } from "../../internal/bytes.ts";
import type { HttpOptions } from "../../internal/http.ts";
import type { JsonObject } from "../../internal/json.ts";
import type { PublicKey } from "../../keys/public_key.ts";
import type { Signer } from "../../keys/signer.ts";
import type { Scheme } from "../_scheme.ts";
import type { SignedFacts } from "../log_body.ts";
import type { SignedArtifact } from "../signed_artifact.ts";
import type { SigstoreTrust } from "../sigstore_trust.ts";
import { verifySigstoreBundle } from "../verify.ts";
import { type CheckedContent, checkedContent, signContent } from "./_content.ts";
import { type BundleParts, writeBundle } from "./bundle_writer.ts";
import type { LoggedEntry, LogRequest } from "./log_request.ts";
import type { ServiceOptions, SignedBundle, SigningContent, SigningStep } from "./options.ts";
import { checkKeyForV1, logInRekorV1 } from "./rekor_v1.ts";
import { checkKeyForV2, logInRekorV2 } from "./rekor_v2.ts";
import type { SelectedServices, SigningService } from "./signing_config.ts";
import { requestTimestamp } from "./timestamp_request.ts";

/** A log blocks until its next checkpoint (rekor-tiles, CLIENTS.md). */
const LEAST_LOG_TIMEOUT_MS = 20_000;

/** Who signs, how, and what is made of it. */
export interface SigningPlan {
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
export class SigningWork {
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
