import type { KeySet } from "../keys/key_validity.ts";
import type { OpenPgpKeyring } from "../formats/openpgp_keyring.ts";
import type { TrustedKey } from "../keys/trusted_key.ts";
import type { IdentityExpectation } from "../sigstore/identity.ts";
import type { TrustedRoot } from "../sigstore/trusted_root.ts";
import type { PolicyDocument } from "./document.ts";
import type { EvidenceSigner } from "./evidence.ts";

/** One signer that a name stands for; a key set has one for each of its keys. */
export interface SignerSlot {
  /** Name in reports, such as `alice` or `team/alice`. */
  readonly name: string;
  /** Tells whether a verified signer is this one: by key material, or by the whole identity. */
  matches(signer: EvidenceSigner): boolean;
}

/** What a CEL expression sees. */
export interface CelInput {
  /** The verified Statement. */ statement: object;
  /** Verified signers. */ signers: readonly EvidenceSigner[];
  /** Verified times, RFC 3339. */ timestamps: readonly string[];
  /** Moment of the verdict. */ now: Date;
}

/** Runs CEL expressions; `@x/attest/policy/cel` has one. */
export interface CelEvaluator {
  /** Reads an expression; throws `malformed-policy` for one that is none. */
  compile(expression: string): (input: CelInput) => unknown;
}

/** A policy that is ready to judge: checked, its keys imported, its names resolved. */
export interface CompiledPolicy {
  /** The document, frozen. */
  readonly document: PolicyDocument;
  /** SHA-256 of its canonical JSON, lowercase hex. */
  readonly digest: string;
  /** Signers by name of a key, key set, identity or group. */
  readonly slots: ReadonlyMap<string, readonly SignerSlot[]>;
  /** Keys of `trust.keys`, without those of OpenPGP. */
  readonly keys: readonly TrustedKey[];
  /** OpenPGP keys of `trust.keys`. */
  readonly openpgp?: OpenPgpKeyring;
  /** Key sets of `trust.keySets`. */
  readonly keySets: readonly KeySet[];
  /** Identities of `trust.identities`, resolved. */
  readonly identities: ReadonlyMap<string, IdentityExpectation>;
  /** Roots of `trust.roots` given as documents. */
  readonly trustedRoots: readonly TrustedRoot[];
  /** The public-good root is one of them. */
  readonly publicGood: boolean;
  /** Runs the CEL expressions of the document. */
  readonly cel?: CelEvaluator;
}
