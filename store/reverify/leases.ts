/** A piece of work that a worker may take. */
export interface LeaseRequest {
  /** Name of the work. */
  readonly name: string;
  /** Who asks; no two workers have the same. */
  readonly owner: string;
  /** Moment of now, Unix milliseconds. */
  readonly now: number;
  /** Milliseconds after which somebody else may take it. */
  readonly ttlMs: number;
}

/**
 * Says who does what. It only saves work: two workers that do the same find the same, and the
 * first file counts.
 */
export interface Leases {
  /** Takes a piece of work; false if somebody else has it. */
  take(request: LeaseRequest): Promise<boolean>;
  /** Gives it back, done or not. */
  release(name: string, owner: string): Promise<void>;
}

/** Leases within one process. */
export function memoryLeases(): Leases {
  const taken = new Map<string, { owner: string; until: number }>();
  return {
    take({ name, owner, now, ttlMs }) {
      const lease = taken.get(name);
      if (lease !== undefined && lease.owner !== owner && lease.until > now) {
        return Promise.resolve(false);
      }
      taken.set(name, { owner, until: now + ttlMs });
      return Promise.resolve(true);
    },
    release(name, owner) {
      if (taken.get(name)?.owner === owner) taken.delete(name);
      return Promise.resolve();
    },
  };
}
