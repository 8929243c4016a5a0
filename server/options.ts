import { limitOption, refuseUnknown } from "../internal/options.ts";
import type { Database } from "../store/sql/database.ts";
import type { RateLimit } from "./limits.ts";
import type { PolicySource } from "./policy_holder.ts";

/** What a registry does with what its policy refuses. */
export type RegistryMode = "enforce" | "permissive";

/** A line of the log. It holds no key, no body and no attestation. */
export interface RegistryLogEntry {
  /** How bad it is. */
  level: "info" | "warning" | "error";
  /** What happened: `request`, `policy`, `database`. */
  event: string;
  /** For people. */
  message?: string;
  /** Number of the request, in this process. */
  request?: number;
  /** Method of the request. */
  method?: string;
  /** Route of the request, as in the OpenAPI document. */
  route?: string;
  /** Status of the answer. */
  status?: number;
  /** Milliseconds until the answer. */
  ms?: number;
  /** Name of the manifest. */
  urn?: string;
  /** Id of the API key. */
  actor?: string;
  /** Why it was refused. */
  reason?: string;
}

/** Bounds of a registry. */
export interface RegistryServerLimits {
  /** Bytes of a body. Default 8 MiB. */
  maxBodyBytes?: number;
  /** Milliseconds until the last byte of a body must be there. Default 10 000. */
  bodyTimeoutMs?: number;
  /** Milliseconds until an answer must be ready. Default 30 000. */
  requestTimeoutMs?: number;
  /** Attestations of one PUT. Default 32. */
  maxAttestations?: number;
  /** Subjects of one attestation. Default 1 024. */
  maxSubjects?: number;
  /** PUTs that are judged at the same time; others are told to try again. Default 64. */
  maxConcurrentPuts?: number;
}

/** How a registry works. Unknown names are refused. */
export interface RegistryServerOptions {
  /** Where everything is kept. */
  database: Database;
  /** Where the policy comes from. */
  policy: PolicySource;
  /** What becomes of what the policy refuses. Default: as the policy says in `mode`. */
  mode?: RegistryMode;
  /** Let anybody write who reaches it. Default false: an API key is needed. */
  unsafelyAcceptAnyWriter?: boolean;
  /** Ask for an API key for reading too. Default false. */
  privateReads?: boolean;
  /** Bounds. */
  limits?: RegistryServerLimits;
  /** Requests per API key, or per address where there is none; null for no limit. Default 100 a second, 200 at once. */
  rateLimit?: RateLimit | null;
  /** Milliseconds for which the policy's source is not asked again. Default 2 000. */
  policyIntervalMs?: number;
  /** Takes each line of the log. Default: nobody. */
  log?: (entry: RegistryLogEntry) => void;
  /** The clock. Default: the system's. */
  now?: () => Date;
}

/** Options with their defaults. */
export type RegistrySettings =
  & Required<Omit<RegistryServerOptions, "mode" | "limits">>
  & Pick<RegistryServerOptions, "mode">
  & { limits: Required<RegistryServerLimits> };

const OPTIONS = [
  ...["database", "policy", "mode", "unsafelyAcceptAnyWriter", "privateReads", "limits"],
  ...["rateLimit", "policyIntervalMs", "log", "now"],
];

const LIMITS: Required<RegistryServerLimits> = {
  maxBodyBytes: 8 << 20,
  bodyTimeoutMs: 10_000,
  requestTimeoutMs: 30_000,
  maxAttestations: 32,
  maxSubjects: 1024,
  maxConcurrentPuts: 64,
};

/** Checks options, and fills in the defaults. */
export function settingsOf(options: RegistryServerOptions): RegistrySettings {
  refuseUnknown(options, OPTIONS, "createRegistry()");
  const { mode, limits = {}, rateLimit = { perSecond: 100, burst: 200 } } = options;
  const { unsafelyAcceptAnyWriter = false, privateReads = false } = options;
  refuseUnknown(limits, Object.keys(LIMITS), "limits");
  if (mode !== undefined && mode !== "enforce" && mode !== "permissive") {
    throw new TypeError("mode is neither enforce nor permissive");
  }
  for (const [name, value] of Object.entries({ unsafelyAcceptAnyWriter, privateReads })) {
    if (typeof value !== "boolean") throw new TypeError(`${name} is neither true nor false`);
  }
  if (rateLimit !== null) {
    refuseUnknown(rateLimit, ["perSecond", "burst"], "rateLimit");
    const { perSecond, burst } = rateLimit;
    if (!(perSecond > 0 && Number.isFinite(perSecond) && burst >= 1)) {
      throw new RangeError("rateLimit: perSecond is not above 0, or burst not above 1");
    }
  }
  const bound = (name: keyof RegistryServerLimits) => limitOption(name, limits[name], LIMITS[name]);
  return {
    database: options.database,
    policy: options.policy,
    ...(mode === undefined ? {} : { mode }),
    unsafelyAcceptAnyWriter,
    privateReads,
    limits: {
      maxBodyBytes: bound("maxBodyBytes"),
      bodyTimeoutMs: bound("bodyTimeoutMs"),
      requestTimeoutMs: bound("requestTimeoutMs"),
      maxAttestations: bound("maxAttestations"),
      maxSubjects: bound("maxSubjects"),
      maxConcurrentPuts: bound("maxConcurrentPuts"),
    },
    rateLimit,
    policyIntervalMs: options.policyIntervalMs ?? 2000,
    log: options.log ?? (() => {}),
    now: options.now ?? (() => new Date()),
  };
}
