import type { OptionSpec } from "./args.ts";
import { PASSPHRASE_OPTION } from "./passphrase.ts";
import { KEY_ALGORITHMS } from "./verify_options.ts";

const KEY = "Signer, with a key";
const KEYLESS = "Signer, keyless: default without --key";
const OUTPUT = "Output";

/** How a command signs. */
export const SIGNING_OPTIONS: readonly OptionSpec[] = [
  {
    name: "key",
    short: "k",
    value: "FILE",
    repeatable: true,
    group: KEY,
    help: "Private key: PKCS#8 PEM, encrypted or not, JWK, or cosign's encrypted key; several " +
      "sign one DSSE envelope",
  },
  {
    name: "keyid",
    value: "TEXT",
    group: KEY,
    help: "Hint at the key, for whoever looks for it; default of a bundle: from its digest",
  },
  {
    name: "key-alg",
    value: "ALG",
    choices: KEY_ALGORITHMS,
    group: KEY,
    help: "Algorithm of the key, when it is not the usual one of its type",
  },
  { ...PASSPHRASE_OPTION, group: KEY },
  {
    name: "signing-config",
    value: "FILE",
    group: KEYLESS,
    help:
      "signing_config.json: the services of a Sigstore instance; default the public-good one, " +
      "as trusted-root update got it. With --key only logs and timestamp authorities are used",
  },
  {
    name: "trusted-root",
    value: "FILE",
    repeatable: true,
    group: KEYLESS,
    help: "trusted_root.json of that instance, which the result must verify against; default " +
      "that of the public-good instance",
  },
  {
    name: "trust-config",
    value: "FILE",
    group: KEYLESS,
    help: "Both in one document, in place of them",
  },
  {
    name: "identity-token-file",
    value: "FILE",
    group: KEYLESS,
    help: "File with an OIDC token, - for standard input; else the environment variable " +
      "SIGSTORE_ID_TOKEN, else that of the platform that the build runs on",
  },
  {
    name: "device-flow",
    group: KEYLESS,
    help: "Log in as a person, in a browser on this or another machine",
  },
  {
    name: "oidc-issuer",
    value: "URL",
    group: KEYLESS,
    help: "Where to log in with --device-flow; default that of the signing configuration",
  },
  {
    name: "oidc-client-id",
    value: "TEXT",
    group: KEYLESS,
    help: "Client at that issuer; default sigstore",
  },
  {
    name: "timeout",
    value: "SECONDS",
    group: KEYLESS,
    help: "For each request, of which one that may succeed later is made up to four times; " +
      "default 30",
  },
  {
    name: "if-possible",
    group: KEYLESS,
    help: "Exit with 0 and a notice where the platform withholds an identity, as in a pull " +
      "request from a fork",
  },
];

/** Where a command that signs writes to. */
export const OUTPUT_OPTIONS: readonly OptionSpec[] = [
  {
    name: "output",
    short: "o",
    aliases: ["bundle"],
    value: "FILE",
    group: OUTPUT,
    help: "File to write, whole or not at all, - for standard output; default beside the " +
      "artifact: NAME.sigstore.json, of DSSE NAME.intoto.json",
  },
  {
    name: "force",
    group: OUTPUT,
    help: "Replace a file that is there",
  },
  {
    name: "bundle-format",
    value: "FORMAT",
    choices: ["sigstore", "dsse"],
    group: OUTPUT,
    help: "sigstore: bundle v0.3, default; dsse: the envelope alone, default for several keys",
  },
  {
    name: "format",
    value: "FORMAT",
    choices: ["text", "json"],
    group: OUTPUT,
    help: "Of what is told about the result: text (default), or json, also for a failure",
  },
];
