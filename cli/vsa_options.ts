import type { OptionSpec } from "./args.ts";
import { NPM_OPTIONS } from "./npm_options.ts";
import { VSA_OPTIONS } from "./provenance_options.ts";
import { LAYOUT_OPTIONS } from "./supply_chain_options.ts";
import { VERIFY_OPTIONS } from "./verify_options.ts";

const CREATE = "VSA to write";
const OUTPUT = "Output";

const OWN: readonly OptionSpec[] = [
  {
    name: "verifier-id",
    value: "URI",
    group: CREATE,
    help: "Who verifies: the key that signs must be known to speak for it; required",
  },
  {
    name: "resource-uri",
    value: "URI",
    group: CREATE,
    help: "Name under which the artifact is verified, such as pkg:npm/app@1.0.0; required",
  },
  {
    name: "policy-uri",
    value: "URI",
    group: CREATE,
    help: "What it is verified against; required",
  },
  {
    name: "policy-digest",
    value: "ALG:HEX",
    group: CREATE,
    help: "Digest of that policy",
  },
  {
    name: "level",
    aliases: ["verified-level"],
    value: "LEVEL",
    repeatable: true,
    group: CREATE,
    help: "What was established; default the Build level of the recognised builder, which no " +
      "level of that track may exceed",
  },
  {
    name: "dependency-level",
    value: "LEVEL=N",
    repeatable: true,
    group: CREATE,
    help: "Count of dependencies with that level",
  },
  {
    name: "signing-key",
    value: "FILE",
    group: CREATE,
    help: "Private key (PKCS#8 PEM or JWK) to sign with; without it a bare Statement is written",
  },
  { name: "signing-keyid", value: "TEXT", group: CREATE, help: "Hint at the key that signs" },
  {
    name: "failed",
    group: CREATE,
    help: "Write a VSA that says FAILED too, instead of none",
  },
  {
    name: "output",
    value: "FILE",
    group: OUTPUT,
    help: "Write the VSA to a file, whole or not at all; default standard output",
  },
];

/** What a verifier must not sum up, and what has no meaning for a VSA. */
const EXCLUDED: ReadonlySet<string> = new Set([
  ...[...VSA_OPTIONS, ...NPM_OPTIONS, ...LAYOUT_OPTIONS, ...OWN].map(({ name }) => name),
  "format",
  "exit-code",
  "with-evidence",
  "print-provenance",
  "unsafe-any-identity",
  "unsafe-no-artifact",
]);

/** Options of `vsa create`: those of the VSA, and of `verify`. */
export const VSA_CREATE_OPTIONS: readonly OptionSpec[] = [
  ...OWN,
  ...VERIFY_OPTIONS.filter(({ name }) => !EXCLUDED.has(name)),
];
