import type { OptionSpec } from "./args.ts";
import { POLICY_FILE_OPTIONS } from "./policy_options.ts";

const DATABASE = "Database";
const NETWORK = "Network";
const LIMITS = "Limits";
const POLICY = "Policy";
const KEYS = "API keys";

/** The database of a registry. */
export const DATABASE_OPTIONS: readonly OptionSpec[] = [
  {
    name: "db",
    aliases: ["database"],
    value: "DB",
    group: DATABASE,
    help: "SQLite file, or postgres://USER@HOST/NAME. Default: ATTEST_DATABASE_URL of the " +
      "environment, where a password belongs; else registry.db",
  },
  {
    name: "pool-size",
    value: "N",
    group: DATABASE,
    help: "Connections to PostgreSQL of this process; default 4",
  },
];

/** Options of `serve`. */
export const SERVE_OPTIONS: readonly OptionSpec[] = [
  ...DATABASE_OPTIONS,
  {
    name: "mode",
    value: "MODE",
    choices: ["enforce", "permissive"],
    group: POLICY,
    help: "enforce refuses what the policy refuses; permissive keeps it, with the verdict. " +
      "Default: as the policy says",
  },
  {
    name: "policy",
    value: "FILE",
    group: POLICY,
    help: "Policy that decides (JSON, also signature-policy.json); read again when it changes. " +
      "Default: the one that serve policy put keeps in the database",
  },
  ...POLICY_FILE_OPTIONS,
  {
    name: "key",
    value: "FILE",
    repeatable: true,
    group: POLICY,
    help: "Instead of a policy: public key of a builder, whose SLSA provenance is asked for",
  },
  {
    name: "trusted-root",
    value: "FILE",
    repeatable: true,
    group: POLICY,
    help: "trusted_root.json of a Sigstore instance to believe besides those of the policy",
  },
  {
    name: "listen",
    value: "HOST:PORT",
    group: NETWORK,
    help: "Address to listen at; default 127.0.0.1:8080. Port 0 takes a free one",
  },
  {
    name: "proxied",
    group: NETWORK,
    help: "A proxy is in front: the last address of X-Forwarded-For is the caller's",
  },
  {
    name: "private-reads",
    group: NETWORK,
    help: "Ask for an API key for reading too",
  },
  {
    name: "unsafe-any-writer",
    group: NETWORK,
    help: "Let anybody write who reaches the address, without an API key",
  },
  {
    name: "rate-limit",
    value: "N",
    group: LIMITS,
    help: "Requests a second per API key, or per address without one; 0 for no limit; default 100",
  },
  {
    name: "max-body",
    value: "BYTES",
    group: LIMITS,
    help: "Bytes of a request; default 8388608",
  },
  {
    name: "body-timeout",
    value: "SECONDS",
    group: LIMITS,
    help: "Seconds within which a request must have arrived; default 10",
  },
  {
    name: "log",
    value: "LEVEL",
    choices: ["info", "warning", "error", "none"],
    group: NETWORK,
    help: "Lines of JSON on standard error from this level on; default info",
  },
];

/** Options of `serve keys create`. */
export const KEYS_CREATE_OPTIONS: readonly OptionSpec[] = [
  ...DATABASE_OPTIONS,
  {
    name: "name",
    value: "NAME",
    group: KEYS,
    help: "What people call the key, such as the pipeline that has it",
  },
  {
    name: "prefix",
    value: "URN",
    group: KEYS,
    help: "Urns that the key may write: urn:acme is urn:acme:…, not urn:acme-2:…",
  },
  {
    name: "all-urns",
    group: KEYS,
    help: "The key may write every urn",
  },
];

/** Options of `serve keys list`. */
export const KEYS_LIST_OPTIONS: readonly OptionSpec[] = [
  ...DATABASE_OPTIONS,
  {
    name: "format",
    value: "FORMAT",
    choices: ["text", "json"],
    group: "Output",
    help: "text (default) or json",
  },
];
