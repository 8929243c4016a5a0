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
  {
    name: "registry-username",
    value: "NAME",
    group: "Registry",
    help: "Name for the registry of the command, in place of what docker login keeps; with " +
      "--registry-password-stdin",
  },
  {
    name: "registry-password-stdin",
    group: "Registry",
    help: "Read the password for --registry-username, or without it a token, from standard input",
  },
  {
    name: "docker-config",
    value: "FOLDER",
    group: "Registry",
    help: "Folder of Docker's config.json; default DOCKER_CONFIG, or .docker of the home folder",
  },
];
