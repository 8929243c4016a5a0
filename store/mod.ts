/**
 * Stores: where attestations are kept, and found by the digest of a subject.
 *
 * @module
 */

export type {
  AttestationStore,
  PrunableStore,
  PutResult,
  StoredAttestation,
  StoreEntry,
  StoreOptions,
} from "./store.ts";
