import type { DigestSet } from "../intoto/digest_set.ts";

/** Endings that make a file an attestation, in the order in which they are looked for. */
export const ATTESTATION_SUFFIXES: readonly string[] = [
  ".sigstore.json",
  ".sigstore",
  ".intoto.jsonl",
  ".intoto.json",
  ".att.json",
];

/**
 * Endings of signatures that lie beside the file that they are of. They name no subject, so that
 * no store can find them by one.
 */
export const SIGNATURE_SUFFIXES: readonly string[] = [".minisig", ".sig", ".asc", ".prov"];

/** File name that `gh attestation download` gives; on Windows with a dash. */
const BY_DIGEST = /^(sha256|sha384|sha512)[:-]([0-9a-f]{64,128})\.jsonl$/;

/** Algorithm and digest in the name of a file of attestations, or undefined. */
export function digestOfName(name: string): { algorithm: string; hex: string } | undefined {
  const match = BY_DIGEST.exec(name);
  return match === null ? undefined : { algorithm: match[1], hex: match[2] };
}

/** Names of files that hold attestations of a subject, whatever it is called. */
export function namesByDigest(subject: DigestSet): string[] {
  return Object.entries(subject).flatMap(([algorithm, value]) =>
    [":", "-"].map((mark) => `${algorithm}${mark}${value.toLowerCase()}.jsonl`)
      .filter((name) => digestOfName(name) !== undefined)
  );
}
