import { AttestationError, isAttestationError, type Reason } from "../errors.ts";
import { refuseUnknown } from "../internal/options.ts";
import type { DigestSet } from "../intoto/digest_set.ts";
import { wantedKeys } from "./claims.ts";
import type {
  AttestationSource,
  AttestationStore,
  FindOptions,
  PutResult,
  StoredAttestation,
  StoreEntry,
  StoreOptions,
} from "./store.ts";

/** What became of asking one store. */
export interface LookupStep {
  /** Its name. */
  readonly store: string;
  /**
   * `found`; `not-found`: it was asked whole and has none; `failed`: it could not be asked, or
   * what it has cannot be used; `skipped`: another one had been enough.
   */
  readonly outcome: "found" | "not-found" | "failed" | "skipped";
  /** Attestations that it gave, also those that another store gave before. */
  readonly count: number;
  /** Why it failed. */
  readonly errorReason: Reason | null;
  /** The same with words and causes; only on `failed`. */
  readonly error?: AttestationError;
}

/** Attestations, and where they were looked for. */
export interface Lookup {
  /** Each once, in the order of the stores. */
  readonly attestations: readonly StoredAttestation[];
  /** What was tried, in the order of the stores. */
  readonly tried: readonly LookupStep[];
  /**
   * True if no store failed. When it is false, nobody knows that there is no other attestation:
   * take an empty list for absence only if this is true.
   */
  readonly complete: boolean;
}

/** How {@linkcode lookUp} looks. */
export interface LookupOptions extends FindOptions {
  /**
   * `all`: every store is asked, at the same time. `first`: one after the other until one has
   * something. Default `all`: the first one may have nothing that verifies.
   */
  until?: "all" | "first";
}

/**
 * Asks several stores for attestations, and tells what became of each. One that fails hides
 * nothing that the others have, and is never taken for one that has nothing.
 *
 * @throws {AttestationError} `invalid-digest`. What stores throw is in the result.
 * @throws {TypeError} If there is no digest to look for, or no store.
 *
 * @example
 * ```ts
 * import { createMemoryStore, lookUp } from "@x/attest/store";
 * import assert from "node:assert/strict";
 *
 * const stores = [createMemoryStore({ name: "near" }), createMemoryStore({ name: "far" })];
 * const { attestations, tried, complete } = await lookUp(stores, { sha256: "a".repeat(64) });
 * assert.deepEqual(attestations, []);
 * assert.deepEqual(tried.map(({ store, outcome }) => `${store}: ${outcome}`), [
 *   "near: not-found",
 *   "far: not-found",
 * ]);
 * assert.ok(complete);
 * ```
 */
export async function lookUp(
  stores: readonly AttestationSource[],
  subject: DigestSet,
  options: LookupOptions = {},
): Promise<Lookup> {
  refuseUnknown(options, ["signal", "onNote", "name", "until"], "lookUp()");
  const { until = "all", ...findOptions } = options;
  if (until !== "all" && until !== "first") throw new TypeError("Option until is all or first");
  if (stores.length === 0) throw new TypeError("There is no store to ask");
  wantedKeys(subject);
  findOptions.signal?.throwIfAborted();
  const answers: Answer[] = [];
  if (until === "all") {
    answers.push(...await Promise.all(stores.map((store) => ask(store, subject, findOptions))));
  } else {
    for (const store of stores) {
      const enough = answers.some(({ step }) => step.outcome === "found");
      answers.push(
        enough ? { step: stepOf(store, "skipped") } : await ask(store, subject, findOptions),
      );
    }
  }
  const attestations = new Map<string, StoredAttestation>();
  for (const { found = [] } of answers) {
    for (const one of found) if (!attestations.has(one.id)) attestations.set(one.id, one);
  }
  const tried = answers.map(({ step }) => step);
  return {
    attestations: [...attestations.values()],
    tried,
    complete: tried.every(({ outcome }) => outcome !== "failed"),
  };
}

interface Answer {
  step: LookupStep;
  found?: StoredAttestation[];
}

function stepOf(
  { name }: AttestationSource,
  outcome: LookupStep["outcome"],
  count = 0,
): LookupStep {
  return { store: name, outcome, count, errorReason: null };
}

async function ask(
  store: AttestationSource,
  subject: DigestSet,
  options: FindOptions,
): Promise<Answer> {
  try {
    const found = await store.find(subject, options);
    if (found === undefined) return { step: stepOf(store, "not-found") };
    return { step: stepOf(store, "found", found.length), found };
  } catch (cause) {
    options.signal?.throwIfAborted();
    const error = isAttestationError(cause) ? cause : new AttestationError(
      "store-unavailable",
      `Cannot ask ${store.name}: an unexpected error`,
      { cause },
    );
    return { step: { ...stepOf(store, "failed"), errorReason: error.reason, error } };
  }
}

/**
 * Several stores as one: it finds what any of them has, and keeps what is put in the first.
 *
 * Its `find` throws `store-unavailable` if any store failed, even when others have something:
 * who can go on with a part of the answer asks {@linkcode lookUp}.
 *
 * @param stores The first one keeps what is put; the others are only read.
 */
export function createLayeredStore(
  stores: readonly [AttestationStore, ...AttestationStore[]],
): AttestationStore {
  return new LayeredStore(stores);
}

class LayeredStore implements AttestationStore {
  readonly name: string;
  readonly #stores: readonly AttestationStore[];

  constructor(stores: readonly AttestationStore[]) {
    if (stores.length === 0) throw new TypeError("There is no store");
    this.#stores = [...stores];
    this.name = stores.map(({ name }) => name).join(", ");
  }

  put(content: Uint8Array, options?: StoreOptions): Promise<PutResult> {
    return this.#stores[0].put(content, options);
  }

  async find(
    subject: DigestSet,
    options: FindOptions = {},
  ): Promise<StoredAttestation[] | undefined> {
    const { attestations, tried, complete } = await lookUp(this.#stores, subject, options);
    if (!complete) throw incomplete(tried);
    return attestations.length === 0 ? undefined : [...attestations];
  }

  async *list(options: StoreOptions = {}): AsyncGenerator<StoreEntry> {
    const lists = this.#stores.map((store) => store.list(options)[Symbol.asyncIterator]());
    const heads = await Promise.all(lists.map((list) => list.next()));
    let last: string | undefined;
    try {
      for (;;) {
        let least = -1;
        heads.forEach(({ done, value }, i) => {
          if (!done && (least < 0 || value.id < heads[least].value.id)) least = i;
        });
        if (least < 0) return;
        const entry: StoreEntry = heads[least].value;
        heads[least] = await lists[least].next();
        if (entry.id !== last) yield entry;
        last = entry.id;
      }
    } finally {
      await Promise.all(lists.map((list) => list.return?.()));
    }
  }
}

/** The error of a lookup in which a store failed. */
export function incomplete(tried: readonly LookupStep[]): AttestationError {
  const failed = tried.filter(({ outcome }) => outcome === "failed");
  const found = tried.reduce((sum, { count }) => sum + count, 0);
  return new AttestationError(
    "store-unavailable",
    `Cannot look in all stores: ${failed.length} of ${tried.length} failed (${
      failed.map(({ store }) => store).join(", ")
    }), the others have ${found === 0 ? "none" : found}`,
    { cause: failed[0]?.error },
  );
}
