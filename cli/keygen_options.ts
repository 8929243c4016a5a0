import { REVOCATION_REASONS } from "../keys/key_set.ts";
import type { OptionSpec } from "./args.ts";
import { PASSPHRASE_OPTION } from "./passphrase.ts";
import { KEY_ALGORITHMS } from "./verify_options.ts";

const KEY = "Key";
const SET = "Key set: which keys count, and when";
const REVOKE = "Revocation, in place of a new key";

/** Options of `keygen`. */
export const KEYGEN_OPTIONS: readonly OptionSpec[] = [
  {
    name: "alg",
    value: "ALG",
    choices: KEY_ALGORITHMS,
    group: KEY,
    help: "Algorithm; default Ed25519. Not every runtime has ML-DSA",
  },
  {
    name: "bits",
    value: "N",
    group: KEY,
    help: "Size of an RSA key; default 3072",
  },
  {
    name: "out",
    short: "o",
    aliases: ["output-key-prefix"],
    value: "PREFIX",
    group: KEY,
    help: "Files: PREFIX.key, which only its owner may read, and PREFIX.pub; default attest",
  },
  {
    name: "format",
    value: "FORMAT",
    choices: ["pem", "jwk"],
    group: KEY,
    help: "pem: PKCS#8 and SubjectPublicKeyInfo, default; jwk, which is not encrypted",
  },
  {
    name: "keyid",
    value: "TEXT",
    group: KEY,
    help: "Hint at the key, kept in a JWK and in the key set",
  },
  { ...PASSPHRASE_OPTION, group: KEY },
  {
    name: "no-passphrase",
    group: KEY,
    help: "Do not encrypt the private key",
  },
  {
    name: "force",
    group: KEY,
    help: "Replace files that are there, or a revocation: an old key is lost",
  },
  {
    name: "key-set",
    value: "FILE",
    group: SET,
    help: "Add the public key to this document, which is made when it is not there",
  },
  {
    name: "name",
    value: "NAME",
    group: SET,
    help: "Name in the set; default the last part of PREFIX",
  },
  {
    name: "successor-of",
    value: "NAME",
    group: SET,
    help: "The key that the new one takes the place of: it counts no longer than until the new " +
      "one does",
  },
  {
    name: "valid-from",
    value: "TIME",
    group: SET,
    help: "First moment at which it counts, such as 2026-01-01T00:00:00Z; default of a " +
      "successor now",
  },
  {
    name: "valid-until",
    value: "TIME",
    group: SET,
    help: "Last moment at which it counts; default no end",
  },
  {
    name: "revoke",
    value: "NAME",
    group: REVOKE,
    help: "Take a key of the --key-set out of use",
  },
  {
    name: "reason",
    value: "REASON",
    choices: REVOCATION_REASONS,
    group: REVOKE,
    help: "Why; what a compromised key signed counts only if a timestamp or log shows that it " +
      "was before",
  },
  {
    name: "revoked-at",
    value: "TIME",
    group: REVOKE,
    help: "From when on; of a compromised key the earliest moment at which somebody else may " +
      "have had it. Default now",
  },
  {
    name: "note",
    value: "TEXT",
    group: REVOKE,
    help: "What whoever meets the key should read",
  },
];
