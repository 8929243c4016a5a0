import type { OptionSpec } from "./args.ts";

/** Options of every command that asks a registry. */
export const REGISTRY_OPTIONS: readonly OptionSpec[] = [
  {
    name: "plain-http",
    value: "HOST",
    repeatable: true,
    group: "Registry",
    help: "Host, with its port, that is reached without TLS; loopback addresses are so anyway",
  },
];
