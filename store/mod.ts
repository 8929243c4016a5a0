/**
 * Stores of attestations: in memory, several as one, behind a cache, and the services that
 * others fill. What comes out of a store was never verified: hand it to `verify()`.
 *
 * Stores in files are in `@x/attest/store/fs`, registries in `@x/attest/store/oci`, databases in
 * `@x/attest/store/sql`.
 *
 * @module
 */

export type { Fetch, HttpOptions } from "../internal/http.ts";
export { type CachedSource, type CacheOptions, createCache } from "./cache.ts";
export { createGithubSource, type GithubSourceOptions } from "./github.ts";
export { createHttpSource, type HttpSourceOptions } from "./http.ts";
export { type HelmChartReference, verifyHelmChart, type VerifyHelmChartOptions } from "./helm.ts";
export {
  createLayeredStore,
  type Lookup,
  lookUp,
  type LookupOptions,
  type LookupStep,
} from "./layered.ts";
export { createMemoryStore, type MemoryStoreOptions } from "./memory.ts";
export {
  createNpmRegistry,
  type NpmRegistry,
  type NpmRegistryOptions,
  type NpmTarball,
} from "./npm.ts";
export type {
  AttestationSource,
  AttestationStore,
  FindOptions,
  PrunableStore,
  PutResult,
  StoredAttestation,
  StoreEntry,
  StoreNote,
  StoreOptions,
} from "./store.ts";
