/**
 * The provenance registry: keeps manifests that have good provenance, and refuses the others.
 * One handler for every runtime, over a database of `@x/attest/store/sql`.
 *
 * @module
 */

export type { Caller } from "./context.ts";
export type { RateLimit } from "./limits.ts";
export type {
  RegistryLogEntry,
  RegistryMode,
  RegistryServerLimits,
  RegistryServerOptions,
} from "./options.ts";
export {
  fixedPolicy,
  type PolicySource,
  type PolicyState,
  type PolicyVersion,
} from "./policy_holder.ts";
export { createRegistry, type Registry, type RegistryHandler } from "./registry.ts";
