import type { AttestationError } from "../errors.ts";

/** OpenPGP keys to trust, as `createOpenPgpKeyring()` of `@x/attest/formats/openpgp` makes them. */
export interface OpenPgpKeyring {
  /** Each key once, in the order given. */
  readonly keys: readonly OpenPgpKey[];
}

/** One OpenPGP key: a primary key with its subkeys. */
export interface OpenPgpKey {
  /** Name in reports. */
  readonly name: string;
  /** OpenPGP fingerprint of the primary key, lowercase hex. */
  readonly fingerprint: string;
  /** When it says that it was made. */
  readonly created: Date;
  /** Names that it gives itself; nobody else vouches for them here. */
  readonly userIds: readonly string[];
  /** Lowercase hex SHA-256 of the primary key's SubjectPublicKeyInfo: what makes signers distinct. */
  readonly keyFingerprint?: string;
  /** Why its signatures are never accepted, such as an RSA key below 2048 bits. */
  readonly error?: AttestationError;
}

const keyrings = new WeakSet<OpenPgpKeyring>();

/** Marks what `createOpenPgpKeyring()` made. */
export function registerKeyring(keyring: OpenPgpKeyring): void {
  keyrings.add(keyring);
}

const origins = new WeakMap<OpenPgpKeyring, OpenPgpKeyring>();

/** The keyring that another was made of: what was read from the keys belongs to that. */
export function originOf(keyring: OpenPgpKeyring): OpenPgpKeyring {
  return origins.get(keyring) ?? keyring;
}

/** The same keys, of which some count no more: those for which there is a refusal. */
export function refuseOpenPgpKeys(
  keyring: OpenPgpKeyring,
  refusalOf: (key: OpenPgpKey) => AttestationError | undefined,
): OpenPgpKeyring {
  const changed: OpenPgpKeyring = Object.freeze({
    keys: Object.freeze(keyring.keys.map((key) => {
      const error = key.error ?? refusalOf(key);
      return error === undefined ? key : Object.freeze({ ...key, error });
    })),
  });
  origins.set(changed, originOf(keyring));
  registerKeyring(changed);
  return changed;
}

/** Throws a TypeError for what only looks like a keyring: its keys would not be known. */
export function refuseOtherThanKeyring(keyring: OpenPgpKeyring | undefined): void {
  if (keyring !== undefined && !keyrings.has(keyring)) {
    throw new TypeError("openpgp is not a keyring of createOpenPgpKeyring()");
  }
}

/** What makes the signers of a keyring distinct; throws a TypeError for what is none. */
export function signersOf(keyring: OpenPgpKeyring): string[] {
  refuseOtherThanKeyring(keyring);
  return keyring.keys.flatMap(({ keyFingerprint }) => keyFingerprint ?? []);
}
