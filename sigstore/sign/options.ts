import type { Bytes } from "../../internal/bytes.ts";
import type { Fetch } from "../../internal/http.ts";
import type { JsonObject } from "../../internal/json.ts";
import type { CertificateIdentity } from "../identity.ts";
import type { IdentityToken } from "../oidc/token.ts";
import type { TrustedRoot } from "../trusted_root.ts";
import type { VerifiedTimestamp } from "../verified_times.ts";
import type { SigningConfig } from "./signing_config.ts";

/** What is signed: a payload in a DSSE envelope, or the artifact itself. */
export type SigningContent = {
  /** Type of the payload, such as `application/vnd.in-toto+json`. */
  payloadType: string;
  /** The payload; exactly these bytes are signed and stored. */
  payload: Uint8Array;
} | {
  /** The artifact, whole. */
  artifact: Uint8Array;
};

/** A step of the work, told when it begins. */
export interface SigningStep {
  /** What is done. */
  readonly step: "certificate" | "sign" | "timestamp" | "log" | "verify";
  /** Address of the service that is asked. */
  readonly url?: string;
}

/** How services are asked, and what is told of it. */
export interface ServiceOptions {
  /** Default: the runtime's `fetch`. */
  fetch?: Fetch;
  /** Milliseconds for each try. Default 30 000. */
  timeoutMs?: number;
  /**
   * Milliseconds for each try at a log, which answers only after its next checkpoint.
   * Default `timeoutMs`, but not below 20 000.
   */
  logTimeoutMs?: number;
  /** Further tries after a failure that may pass. Default 3. */
  retries?: number;
  /** Milliseconds before the second try; each further wait is twice as long. Default 500. */
  backoffMs?: number;
  /** Waits between two tries. Default: a timer. */
  sleep?: (ms: number, signal?: AbortSignal) => Promise<void>;
  /** Stops the work. */
  signal?: AbortSignal;
  /** The clock that chooses services and judges the token. Default: the system's. */
  now?: () => Date;
  /** Random bytes for nonces. Default: the runtime's. */
  randomBytes?: (length: number) => Bytes;
  /** Told at the beginning of each step. */
  onStep?: (step: SigningStep) => void;
}

/** Options of `signKeyless()`. Unknown names are refused. */
export interface KeylessOptions extends ServiceOptions {
  /** Roots that what is produced must verify against, one of them alone. */
  trustedRoots: readonly TrustedRoot[];
  /** The services. */
  signingConfig: SigningConfig;
  /** Who signs: a token for the audience `sigstore`, parsed or as text. */
  identityToken: IdentityToken | string;
  /** Algorithm of the key that is made for this one signature. Default ES256. */
  alg?: "ES256" | "ES384";
  /**
   * How the key is shown to be held: a signature over the token's subject, or a certificate
   * signing request, which needs no knowledge of what the authority takes for the subject.
   * Default `subject`.
   */
  proofOfPossession?: "subject" | "certificate-request";
}

/** Options of `signWithKey()`. Unknown names are refused. */
export interface KeySigningOptions extends ServiceOptions {
  /** Hint at the key in the bundle. Default: `keyid` of the signer, else base64 of SHA-256(SPKI). */
  keyHint?: string;
  /** Log and timestamp authorities to use; without it no service is asked. */
  signingConfig?: SigningConfig;
  /** Roots that log entries and timestamps must verify against. */
  trustedRoots?: readonly TrustedRoot[];
}

/** A signature with its evidence; it has been verified. */
export interface SignedBundle {
  /** Sigstore bundle of version 0.3. */
  readonly bundle: JsonObject;
  /** The bundle as JSON text: one line, without a newline. */
  readonly text: string;
  /** Who signed, of a keyless bundle. */
  readonly identity?: CertificateIdentity;
  /** Verified times of signing. */
  readonly timestamps: readonly VerifiedTimestamp[];
  /** Where it was logged. */
  readonly logEntries: readonly {
    /** Index in the log: over all shards in version 1. */
    readonly logIndex: string;
    /** Address of the log. */
    readonly url: string;
  }[];
}
