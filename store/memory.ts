import { AttestationError } from "../errors.ts";
import { limitOption, refuseUnknown } from "../internal/options.ts";
import type { DigestSet } from "../intoto/digest_set.ts";
import {
  CLAIM_LIMITS,
  type Claims,
  contentId,
  copyContent,
  hexOfId,
  keyText,
  readClaims,
  states,
  subjectKeys,
  wantedKeys,
} from "./claims.ts";
import type {
  PrunableStore,
  PutResult,
  StoredAttestation,
  StoreEntry,
  StoreOptions,
} from "./store.ts";

/** Options of {@linkcode createMemoryStore}. */
export interface MemoryStoreOptions {
  /** What it is called in reports. Default `memory`. */
  name?: string;
  /** Attestations that it keeps; one more is refused. Default 100 000. */
  maxEntries?: number;
  /** Bytes of all attestations together; more is refused. Default 256 MiB. */
  maxTotalBytes?: number;
  /** Bytes of one attestation. Default 24 MiB. */
  maxBytes?: number;
  /** Subjects of one attestation. Default 10 000. */
  maxSubjects?: number;
  /** The clock. Default: the system's. */
  now?: () => Date;
}

interface Kept {
  content: Uint8Array<ArrayBuffer>;
  claims: Claims;
  storedAt: Date;
}

/**
 * A store that lives as long as the process: for tests, and where another one is filled from.
 *
 * @throws {TypeError} For an option that there is not.
 * @throws {RangeError} If a limit is no integer >= 1.
 *
 * @example
 * ```ts
 * import { createMemoryStore } from "@x/attest/store";
 * import { createEnvelope } from "@x/attest/dsse";
 * import { createStatement } from "@x/attest/intoto";
 * import { generateSigner } from "@x/attest/keys";
 * import assert from "node:assert/strict";
 *
 * const { signer } = await generateSigner("Ed25519", { name: "ci" });
 * const digest = { sha256: "a".repeat(64) };
 * const statement = createStatement({
 *   subject: [{ name: "app.tgz", digest }],
 *   predicateType: "https://example.com/review/v1",
 * });
 * const envelope = await createEnvelope("application/vnd.in-toto+json", statement, signer);
 *
 * const store = createMemoryStore();
 * await store.put(new TextEncoder().encode(JSON.stringify(envelope)));
 * assert.equal((await store.find(digest))?.length, 1);
 * assert.equal(await store.find({ sha256: "b".repeat(64) }), undefined);
 * ```
 */
export function createMemoryStore(options: MemoryStoreOptions = {}): PrunableStore {
  refuseUnknown(
    options,
    ["name", "maxEntries", "maxTotalBytes", "maxBytes", "maxSubjects", "now"],
    "createMemoryStore()",
  );
  return new MemoryStore(options);
}

class MemoryStore implements PrunableStore {
  readonly name: string;
  readonly #maxEntries: number;
  readonly #maxTotalBytes: number;
  readonly #limits: typeof CLAIM_LIMITS;
  readonly #now: () => Date;
  readonly #kept = new Map<string, Kept>();
  readonly #index = new Map<string, Set<string>>();
  #bytes = 0;

  constructor(options: MemoryStoreOptions) {
    this.name = options.name ?? "memory";
    this.#maxEntries = limitOption("maxEntries", options.maxEntries, 100_000);
    this.#maxTotalBytes = limitOption("maxTotalBytes", options.maxTotalBytes, 256 << 20);
    this.#limits = {
      maxBytes: limitOption("maxBytes", options.maxBytes, CLAIM_LIMITS.maxBytes),
      maxSubjects: limitOption("maxSubjects", options.maxSubjects, CLAIM_LIMITS.maxSubjects),
    };
    this.#now = options.now ?? (() => new Date());
  }

  async put(given: Uint8Array, { signal }: StoreOptions = {}): Promise<PutResult> {
    signal?.throwIfAborted();
    // Its owner may go on writing into the buffer.
    const content = copyContent(given);
    const claims = await readClaims(content, this.#limits);
    const id = await contentId(content);
    signal?.throwIfAborted();
    const source = this.#sourceOf(id);
    if (this.#kept.has(id)) return { id, created: false, source };
    if (this.#kept.size >= this.#maxEntries || this.#bytes + content.length > this.#maxTotalBytes) {
      throw new AttestationError(
        "limit-exceeded",
        `Cannot keep attestation in ${this.name}: it holds ${this.#kept.size} with ` +
          `${this.#bytes} bytes, at most ${this.#maxEntries} with ${this.#maxTotalBytes} bytes`,
      );
    }
    this.#kept.set(id, { content, claims, storedAt: this.#now() });
    this.#bytes += content.length;
    for (const key of subjectKeys(claims).map(keyText)) {
      const ids = this.#index.get(key);
      if (ids === undefined) this.#index.set(key, new Set([id]));
      else ids.add(id);
    }
    return { id, created: true, source };
  }

  // deno-lint-ignore require-await
  async find(
    subject: DigestSet,
    { signal }: StoreOptions = {},
  ): Promise<StoredAttestation[] | undefined> {
    const wanted = wantedKeys(subject);
    signal?.throwIfAborted();
    const ids = new Set(wanted.flatMap((key) => [...this.#index.get(keyText(key)) ?? []]));
    const found: StoredAttestation[] = [];
    for (const id of [...ids].sort()) {
      const kept = this.#kept.get(id);
      if (kept === undefined || !states(kept.claims, wanted)) continue;
      found.push({ id, content: new Uint8Array(kept.content), source: this.#sourceOf(id) });
    }
    return found.length === 0 ? undefined : found;
  }

  async *list({ signal }: StoreOptions = {}): AsyncGenerator<StoreEntry> {
    for (const id of [...this.#kept.keys()].sort()) {
      signal?.throwIfAborted();
      const kept = this.#kept.get(id);
      if (kept === undefined) continue;
      const { content, claims, storedAt } = kept;
      yield { id, ...claims, size: content.length, source: this.#sourceOf(id), storedAt };
    }
  }

  // deno-lint-ignore require-await
  async remove(id: string, { signal }: StoreOptions = {}): Promise<boolean> {
    hexOfId(id);
    signal?.throwIfAborted();
    const kept = this.#kept.get(id);
    if (kept === undefined) return false;
    this.#kept.delete(id);
    this.#bytes -= kept.content.length;
    for (const key of subjectKeys(kept.claims).map(keyText)) {
      const ids = this.#index.get(key);
      ids?.delete(id);
      if (ids?.size === 0) this.#index.delete(key);
    }
    return true;
  }

  #sourceOf(id: string): string {
    return `${this.name}#${id}`;
  }
}
