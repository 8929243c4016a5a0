import { AttestationError } from "../errors.ts";
import { checkUrn, isWithin } from "../internal/urn.ts";
import { quote } from "../internal/json.ts";
import { findApiKey } from "../store/sql/api_keys.ts";
import type { ManifestTable } from "../store/sql/schema.ts";
import { RateLimiter } from "./limits.ts";
import { Metrics } from "./metrics.ts";
import type { RegistryLogEntry, RegistrySettings } from "./options.ts";
import { PolicyHolder } from "./policy_holder.ts";

/** Who calls, as the adapter knows it. */
export interface Caller {
  /** Network address, for the limit of requests without a key. */
  address?: string;
}

/** Who writes where no key is needed. */
const ANYBODY = "anybody";

/** What all requests of a registry share. */
export class RegistryContext {
  /** Options, with their defaults. */
  readonly settings: RegistrySettings;
  /** The policy in force. */
  readonly policy: PolicyHolder;
  /** Counters. */
  readonly metrics: Metrics = new Metrics();
  /** Requests under way. */
  inFlight = 0;
  /** PUTs under way. */
  puts = 0;
  readonly #limiter: RateLimiter | undefined;
  readonly #writers = new Map<string, Promise<unknown>>();

  constructor(settings: RegistrySettings) {
    this.settings = settings;
    const { policy, policyIntervalMs: intervalMs, now, rateLimit } = settings;
    if (rateLimit !== null) this.#limiter = new RateLimiter(rateLimit);
    this.policy = new PolicyHolder(policy, {
      intervalMs,
      now,
      onChange: ({ digest, problem }) => {
        if (problem === undefined) {
          this.log({ level: "info", event: "policy", message: `in force: ${digest}` });
          return;
        }
        const kept = digest === undefined ? "there is none" : `${digest} stays in force`;
        const message = `${problem.message}; ${kept}`;
        this.log({ level: "error", event: "policy", message, reason: problem.reason });
      },
    });
  }

  /** Writes a line of the log. */
  log(entry: RegistryLogEntry): void {
    this.settings.log(entry);
  }

  /**
   * Does the work of one writer of a urn after the other. Between processes the database
   * decides; within one, writers need not get in each other's way.
   */
  async inTurn<T>(urn: string, work: () => Promise<T>): Promise<T> {
    const before = this.#writers.get(urn);
    const mine = (before ?? Promise.resolve()).then(work);
    const over = mine.catch(() => {});
    this.#writers.set(urn, over);
    try {
      return await mine;
    } finally {
      if (this.#writers.get(urn) === over) this.#writers.delete(urn);
    }
  }

  /**
   * Lets a reader in.
   *
   * @throws {AttestationError} `missing-api-key`, `invalid-api-key`, `too-many-requests`,
   * `store-unavailable`.
   */
  async admitReader(request: Request, caller: Caller): Promise<void> {
    if (this.settings.privateReads) await this.#keyOf(request, caller);
    else this.#limiter?.take(`address ${caller.address ?? ""}`);
  }

  /**
   * Lets a writer of a urn in, and answers who it is.
   *
   * @throws {AttestationError} `missing-api-key`, `invalid-api-key`, `malformed-urn`,
   * `urn-out-of-scope`, `too-many-requests`, `store-unavailable`.
   */
  async admitWriter(request: Request, urn: string, caller: Caller): Promise<string> {
    if (this.settings.unsafelyAcceptAnyWriter) {
      this.#limiter?.take(`address ${caller.address ?? ""}`);
      checkUrn(urn);
      return ANYBODY;
    }
    const { id, urnPrefix } = await this.#keyOf(request, caller);
    checkUrn(urn);
    if (isWithin(urn, urnPrefix)) return id;
    throw new AttestationError(
      "urn-out-of-scope",
      `Cannot write ${quote(urn)}: the key is for ${quote(urnPrefix)}`,
    );
  }

  async #keyOf(request: Request, { address = "" }: Caller) {
    const given = keysIn(request);
    try {
      if (given.size === 0) {
        throw new AttestationError("missing-api-key", "Cannot accept request: it has no API key");
      }
      const [key] = given;
      const found = given.size === 1 ? await findApiKey(this.settings.database, key) : undefined;
      if (found !== undefined) {
        this.#limiter?.take(`key ${found.id}`);
        return found;
      }
      throw new AttestationError(
        "invalid-api-key",
        "Cannot accept request: its API key is unknown or revoked",
      );
    } catch (error) {
      const { reason } = error as AttestationError;
      // Guesses are counted by where they come from.
      if (reason === "invalid-api-key" || reason === "missing-api-key") {
        this.#limiter?.take(`address ${address}`);
      }
      throw error;
    }
  }
}

function keysIn({ headers }: Request): Set<string> {
  const keys = new Set<string>();
  const own = headers.get("x-api-key");
  if (own !== null) keys.add(own);
  const bearer = /^Bearer +(\S+)$/i.exec(headers.get("authorization") ?? "");
  if (bearer !== null) keys.add(bearer[1]);
  return keys;
}

/** Entity tag of a manifest: another one after each change. */
export function etagOf({ revision, digest }: Pick<ManifestTable, "revision" | "digest">): string {
  return `"${revision}-${digest.slice("sha256:".length, "sha256:".length + 16)}"`;
}
