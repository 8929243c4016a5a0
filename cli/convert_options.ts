import type { OptionSpec } from "./args.ts";
import { PLATFORM_OPTIONS } from "./image_options.ts";
import { NPM_OPTIONS } from "./npm_options.ts";
import { PASSPHRASE_OPTION } from "./passphrase.ts";
import { VERIFY_POLICY_OPTIONS } from "./policy_options.ts";
import { VSA_OPTIONS } from "./provenance_options.ts";
import { REGISTRY_OPTIONS } from "./registry_options.ts";
import { OUTPUT_OPTIONS } from "./signing_options.ts";
import { STORE_OPTIONS } from "./store_options.ts";
import { LAYOUT_OPTIONS } from "./supply_chain_options.ts";
import { VERIFY_OPTIONS } from "./verify_options.ts";

const ORIGIN = "What is said of the old form";
const SIGN = "Signer of the new one";
const OUTPUT = "Output";

const OWN: readonly OptionSpec[] = [
  {
    name: "attester",
    value: "URI",
    group: ORIGIN,
    help: "Who verified the old form and vouches for the new one; required",
  },
  {
    name: "download-location",
    value: "URI",
    group: ORIGIN,
    help: "Where the old form can be had; required",
  },
  {
    name: "media-type",
    value: "TYPE",
    group: ORIGIN,
    help: "Media type of the old form; default application/octet-stream",
  },
  {
    name: "signing-key",
    value: "FILE",
    group: SIGN,
    help: "Private key: PKCS#8 PEM, encrypted or not, JWK, or cosign's encrypted key; required",
  },
  { name: "signing-keyid", value: "TEXT", group: SIGN, help: "Hint at the key that signs" },
  { ...PASSPHRASE_OPTION, group: SIGN },
  {
    name: "output",
    value: "FILE",
    group: OUTPUT,
    help: "File to write, whole or not at all, - for standard output; default beside the only " +
      "artifact: NAME.sigstore.json, of DSSE NAME.intoto.json",
  },
  ...OUTPUT_OPTIONS.filter(({ name }) => name !== "output"),
];

/**
 * The old form is one document, given by name: nothing is looked for. Nobody vouches for what
 * anybody may have signed.
 */
const EXCLUDED: ReadonlySet<string> = new Set([
  ...[
    ...[VSA_OPTIONS, NPM_OPTIONS, VERIFY_POLICY_OPTIONS, PLATFORM_OPTIONS],
    ...[REGISTRY_OPTIONS, STORE_OPTIONS, LAYOUT_OPTIONS, OWN],
  ].flat().map(({ name }) => name),
  "bundle",
  "exit-code",
  "print-provenance",
  "with-evidence",
  "unsafe-any-identity",
  "unsafe-no-artifact",
]);

/** Options of `verify` that say whom and what to believe of the old form. */
export const CONVERT_TRUST_OPTIONS: readonly OptionSpec[] = VERIFY_OPTIONS.filter(({ name }) =>
  !EXCLUDED.has(name)
);

/** Options of `convert`. */
export const CONVERT_OPTIONS: readonly OptionSpec[] = [...OWN, ...CONVERT_TRUST_OPTIONS];
