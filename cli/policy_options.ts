import { type OptionSpec, type ParsedArgs, usageError } from "./args.ts";

const POLICY = "Policy";

/** Options that name a policy's signers and waivers. */
export const POLICY_FILE_OPTIONS: readonly OptionSpec[] = [
  {
    name: "policy-key",
    value: "FILE",
    repeatable: true,
    group: POLICY,
    help: "Public key that the policy must be signed with: it is a DSSE envelope then",
  },
  {
    name: "policy-threshold",
    value: "N",
    group: POLICY,
    help: "Distinct keys of --policy-key that must have signed the policy; default 1",
  },
  {
    name: "waivers",
    value: "FILE",
    repeatable: true,
    group: POLICY,
    help: "Waivers beside those of the policy; signed if it says so in waiverSigners, or with " +
      "--waivers-key",
  },
  {
    name: "waivers-key",
    value: "FILE",
    repeatable: true,
    group: POLICY,
    help: "Public key that every file of waivers must be signed with",
  },
  {
    name: "revocations",
    value: "FILE",
    group: POLICY,
    help: "Signed list of keys that were taken out of use (DSSE); it may only take trust away",
  },
  {
    name: "revocations-key",
    value: "FILE",
    repeatable: true,
    group: POLICY,
    help: "Public key that the list of --revocations must be signed with",
  },
  {
    name: "revocations-state",
    value: "FILE",
    group: POLICY,
    help: "File that keeps which list was used last: an older one is refused",
  },
];

/** Options of `verify` about a policy. */
export const VERIFY_POLICY_OPTIONS: readonly OptionSpec[] = [
  {
    name: "policy",
    value: "FILE",
    group: POLICY,
    help: "Policy that decides: who is believed and what must be attested (JSON, also " +
      "signature-policy.json)",
  },
  ...POLICY_FILE_OPTIONS,
];

/** Tells whether a policy decides, and refuses options that only a policy has. */
export function hasPolicy(args: ParsedArgs): boolean {
  if (args.has("policy")) return true;
  const stated = POLICY_FILE_OPTIONS.find(({ name }) => args.has(name));
  if (stated !== undefined) throw usageError(`--${stated.name} needs --policy`);
  return false;
}
