import { AttestationError, isAttestationError } from "../errors.ts";
import { utf8 } from "../internal/bytes.ts";
import { encodeHex } from "../internal/hex.ts";
import { canonicalJson, copyJson } from "../internal/json.ts";
import { sha256 } from "../internal/sha256.ts";
import type { CompiledPolicy } from "../policy/compiled.ts";

/** A policy, and what tells whether it has changed. */
export interface PolicyVersion {
  /** Another text for every other policy, such as the digest of its file. */
  version: string;
  /** The policy, checked. */
  policy: CompiledPolicy;
}

/**
 * Where the policy comes from. It is asked again and again; undefined means that it is still
 * the one of `known`. What it throws is told by readiness, and the policy before stays.
 */
export type PolicySource = (known: string | undefined) => Promise<PolicyVersion | undefined>;

/** State of the policy, for readiness and metrics. */
export interface PolicyState {
  /** `sha256:` and hex of the one in force; undefined before the first. */
  digest?: string;
  /** When it came in force. */
  since?: Date;
  /** Why the newest one is not in force. */
  problem?: AttestationError;
}

/** Keeps the policy that is in force, and looks for a newer one. */
export class PolicyHolder {
  readonly #source: PolicySource;
  readonly #intervalMs: number;
  readonly #now: () => Date;
  readonly #onChange: (state: PolicyState) => void;
  #current: (PolicyVersion & { since: Date }) | undefined;
  #problem: AttestationError | undefined;
  #checkedAt = -Infinity;
  #underWay: Promise<void> | undefined;

  /** @param intervalMs Milliseconds for which the source is not asked again. */
  constructor(
    source: PolicySource,
    { intervalMs, now, onChange }: {
      intervalMs: number;
      now: () => Date;
      onChange: (state: PolicyState) => void;
    },
  ) {
    this.#source = source;
    this.#intervalMs = intervalMs;
    this.#now = now;
    this.#onChange = onChange;
  }

  /**
   * The policy in force.
   *
   * @throws {AttestationError} Of the source, if there never was a good one.
   */
  async current(): Promise<CompiledPolicy> {
    if (this.#now().getTime() - this.#checkedAt >= this.#intervalMs) await this.refresh();
    if (this.#current !== undefined) return this.#current.policy;
    throw this.#problem ??
      new AttestationError("malformed-policy", "Cannot judge: there is no policy");
  }

  /** Asks the source now; those who ask meanwhile wait for the same answer. */
  async refresh(): Promise<void> {
    this.#underWay ??= this.#ask().finally(() => this.#underWay = undefined);
    await this.#underWay;
  }

  /** What is in force, and what is wrong with what is not. */
  get state(): PolicyState {
    const { policy, since } = this.#current ?? {};
    return {
      ...(policy === undefined ? {} : { digest: `sha256:${policy.digest}`, since }),
      ...(this.#problem === undefined ? {} : { problem: this.#problem }),
    };
  }

  async #ask(): Promise<void> {
    const before = `${this.#current?.version} ${this.#problem?.message}`;
    try {
      const found = await this.#source(this.#current?.version);
      if (found !== undefined) this.#current = { ...found, since: this.#now() };
      this.#problem = undefined;
    } catch (error) {
      this.#problem = isAttestationError(error)
        ? error
        : new AttestationError("internal-error", "Cannot read policy: an unexpected error", {
          cause: error,
        });
    }
    this.#checkedAt = this.#now().getTime();
    if (`${this.#current?.version} ${this.#problem?.message}` !== before) {
      this.#onChange(this.state);
    }
  }
}

/** A source of one policy that never changes. */
export function fixedPolicy(policy: CompiledPolicy): PolicySource {
  return (known) => {
    return Promise.resolve(known === undefined ? { version: policy.digest, policy } : undefined);
  };
}

/** `sha256:` and hex of the roots that a policy trusts: a verdict may change when they do. */
export function rootDigest({ document }: CompiledPolicy): string {
  const roots = canonicalJson(copyJson(document.trust?.roots ?? ["public-good"]));
  return `sha256:${encodeHex(sha256(utf8(roots)))}`;
}
