import type { Reason } from "../errors.ts";
import type { DigestSet } from "../intoto/digest_set.ts";

/** An attestation as it is kept: the bytes that were put, and where they are. */
export interface StoredAttestation {
  /** `sha256:` and lowercase hex of {@linkcode StoredAttestation.content}: its name in any store. */
  readonly id: string;
  /** The bytes, as they were put. As untrusted as any other file. */
  readonly content: Uint8Array<ArrayBuffer>;
  /** Where it was found, for reports: a path, an address, a reference. */
  readonly source: string;
}

/** What a store has, without its content. */
export interface StoreEntry {
  /** `sha256:` and lowercase hex of the content. */
  readonly id: string;
  /** Digests of all subjects, as the attestation states them; nothing of it is verified. */
  readonly subjects: readonly DigestSet[];
  /** Bytes of the content. */
  readonly size: number;
  /** Predicate type, as stated; absent where there is no Statement. */
  readonly predicateType?: string;
  /** Where it is, for reports. */
  readonly source: string;
  /** When it was put, where the store knows. */
  readonly storedAt?: Date;
}

/** What `put` did. */
export interface PutResult {
  /** `sha256:` and lowercase hex of the content. */
  readonly id: string;
  /** False if the very same bytes were there already. */
  readonly created: boolean;
  /** Where it is now, for reports. */
  readonly source: string;
}

/** Something that was noticed on the way and left out: for reports. */
export interface StoreNote {
  /** Why, by the word that a refusal would have. */
  readonly reason: Reason;
  /** For people: what and where, one line, no final period. */
  readonly message: string;
}

/** What every operation of a store takes. */
export interface StoreOptions {
  /** Stops the work; the promise rejects with the signal's reason. */
  signal?: AbortSignal;
  /** Called with what was left out: a file that is corrupt, an entry of an index that lies. */
  onNote?: (note: StoreNote) => void;
}

/** How attestations are looked for. */
export interface FindOptions extends StoreOptions {
  /** File name of the artifact, without a folder: a hint for stores that keep by name. */
  name?: string;
}

/** Something that can be asked for attestations: a store, or a service that others fill. */
export interface AttestationSource {
  /** What it is called in reports. */
  readonly name: string;
  /**
   * All attestations that state a subject with one of these digests; `undefined` if none does.
   *
   * @throws {AttestationError} `store-unavailable` if it could not be asked whole, with the
   * cause; `content-mismatch` if all that there is is corrupt; `limit-exceeded`;
   * `invalid-digest`.
   * @throws {TypeError} If there is no digest to look for.
   */
  find(subject: DigestSet, options?: FindOptions): Promise<StoredAttestation[] | undefined>;
}

/**
 * Keeps attestations and finds them by the digest of a subject.
 *
 * What comes out of a store is a claim that was never verified: hand it to `verify()`. "Not
 * there" is `undefined`; "could not look" is `store-unavailable`, never the former.
 */
export interface AttestationStore extends AttestationSource {
  /**
   * Keeps an attestation under the digests of all its subjects, byte for byte. When the promise
   * resolves it survives the end of the process. Putting the same bytes again changes nothing.
   *
   * @throws {AttestationError} What parsing it refuses; `unknown-format` for a list of several;
   * `missing-subject-digest` if nothing could find it again; `limit-exceeded`;
   * `store-unavailable`.
   * @throws {TypeError} If it is no Uint8Array.
   */
  put(content: Uint8Array, options?: StoreOptions): Promise<PutResult>;
  /** Everything in the store, in the order of its ids. */
  list(options?: StoreOptions): AsyncIterable<StoreEntry>;
}

/** A store that can also forget. */
export interface PrunableStore extends AttestationStore {
  /**
   * Removes an attestation; false if it was not there.
   *
   * @param id `sha256:` and lowercase hex.
   * @throws {AttestationError} `invalid-digest` for any other id; `store-unavailable`.
   */
  remove(id: string, options?: StoreOptions): Promise<boolean>;
}
