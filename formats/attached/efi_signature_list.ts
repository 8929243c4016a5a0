import { AttestationError } from "../../errors.ts";
import { asBytes, type Bytes } from "../../internal/bytes.ts";
import { encodeHex } from "../../internal/hex.ts";
import { refuseUnknown } from "../../internal/options.ts";

/** Kinds of signatures that a list may hold, or `unknown`. */
export type EfiSignatureKind =
  | "x509"
  | "sha1"
  | "sha224"
  | "sha256"
  | "sha384"
  | "sha512"
  | "rsa2048"
  | "x509-sha256"
  | "x509-sha384"
  | "x509-sha512"
  | "unknown";

/** One list of signatures of one kind. */
export interface EfiSignatureList {
  /** What it holds. */
  readonly kind: EfiSignatureKind;
  /** GUID of the kind, lowercase, as it is written. */
  readonly type: string;
  /** Its signatures. */
  readonly signatures: readonly EfiSignature[];
}

/** One signature: a certificate, or a digest. */
export interface EfiSignature {
  /** GUID of whoever added it, lowercase. */
  readonly owner: string;
  /** Certificate in DER, digest, or what else the kind says. */
  readonly data: Uint8Array;
}

/** Bounds of {@linkcode parseEfiSignatureLists}. Unknown names are refused. */
export interface EfiSignatureLimits {
  /** Bytes of all lists. Default 4 MiB. */
  maxBytes?: number;
  /** Signatures of all lists. Default 100 000. */
  maxSignatures?: number;
}

/** UEFI Specification, 32.4.1: signature types, and the size of what they hold. */
const KINDS: ReadonlyMap<string, { kind: EfiSignatureKind; size?: number }> = new Map([
  ["a5c059a1-94e4-4aa7-87b5-ab155c2bf072", { kind: "x509" }],
  ["826ca512-cf10-4ac9-b187-be01496631bd", { kind: "sha1", size: 20 }],
  ["0b6e5233-a65c-44c9-9407-d9ab83bfc8bd", { kind: "sha224", size: 28 }],
  ["c1c41626-504c-4092-aca9-41f936934328", { kind: "sha256", size: 32 }],
  ["ff3e5307-9fd0-48c9-85f1-8ad56c701e01", { kind: "sha384", size: 48 }],
  ["093e0fae-a6c4-4f50-9f1b-d41e2b89c19a", { kind: "sha512", size: 64 }],
  ["3c5766e8-269c-4e34-aa14-ed776e85b3b6", { kind: "rsa2048", size: 256 }],
  ["3bd2a492-96c0-4079-b420-fcf98ef103ed", { kind: "x509-sha256", size: 48 }],
  ["7076876e-80c2-4ee6-aad2-28b349a6865b", { kind: "x509-sha384", size: 64 }],
  ["446dbf63-2502-4cda-bcfa-2465d2b0fe9d", { kind: "x509-sha512", size: 80 }],
]);

const HEADER = 28;
const GUID = 16;
const MAX_BYTES = 4 << 20;
const MAX_SIGNATURES = 100_000;

/**
 * Reads EFI signature lists: what firmware trusts (`db`) or refuses (`dbx`), as `.esl` files and
 * variables hold them. They are trust, and nobody signed them.
 *
 * Source: UEFI Specification 2.10, 32.4.1, EFI_SIGNATURE_LIST.
 *
 * @throws {AttestationError} `malformed-signature-list` or `limit-exceeded`.
 * @throws {TypeError} If an option is unknown.
 *
 * @example
 * ```ts
 * import { parseEfiSignatureLists } from "@x/attest/formats/attached";
 * import assert from "node:assert/strict";
 *
 * assert.deepEqual(parseEfiSignatureLists(new Uint8Array()), []);
 * assert.throws(() => parseEfiSignatureLists(new Uint8Array(8)), {
 *   reason: "malformed-signature-list",
 * });
 * ```
 */
export function parseEfiSignatureLists(
  bytes: Uint8Array,
  limits: EfiSignatureLimits = {},
): EfiSignatureList[] {
  refuseUnknown(limits, ["maxBytes", "maxSignatures"], "parseEfiSignatureLists()");
  const { maxBytes = MAX_BYTES, maxSignatures = MAX_SIGNATURES } = limits;
  if (bytes.length > maxBytes) throw tooMuch(`${bytes.length} bytes`, maxBytes);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const lists: EfiSignatureList[] = [];
  let total = 0;
  for (let at = 0; at < bytes.length;) {
    if (at + HEADER > bytes.length) throw malformed("a list is cut off");
    const size = view.getUint32(at + GUID, true);
    const headerSize = view.getUint32(at + GUID + 4, true);
    const each = view.getUint32(at + GUID + 8, true);
    const end = at + size;
    const start = at + HEADER + headerSize;
    if (end > bytes.length || start > end) throw malformed("a list does not fit its size");
    if (each <= GUID || start === end || (end - start) % each !== 0) {
      throw malformed("a list is not filled by its signatures");
    }
    const type = guidAt(bytes, at);
    const { kind, size: own }: { kind: EfiSignatureKind; size?: number } = KINDS.get(type) ??
      { kind: "unknown" };
    // No kind that is known here has a header.
    if (kind !== "unknown" && headerSize !== 0) throw malformed("a list has a header");
    if (own !== undefined && each !== GUID + own) {
      throw malformed(`signatures of ${kind} have ${each - GUID} bytes, wanted ${own}`);
    }
    total += (end - start) / each;
    if (total > maxSignatures) throw tooMuch(`${total} signatures`, maxSignatures);
    const signatures: EfiSignature[] = [];
    for (let one = start; one < end; one += each) {
      const data: Bytes = asBytes(bytes).slice(one + GUID, one + each);
      signatures.push({ owner: guidAt(bytes, one), data });
    }
    lists.push({ kind, type, signatures });
    at = end;
  }
  return lists;
}

/** UEFI Specification, appendix A: the first three parts are little-endian. */
function guidAt(bytes: Uint8Array, at: number): string {
  const part = (...places: number[]) =>
    encodeHex(Uint8Array.from(places.map((place) => bytes[at + place])));
  return [
    part(3, 2, 1, 0),
    part(5, 4),
    part(7, 6),
    part(8, 9),
    part(10, 11, 12, 13, 14, 15),
  ].join("-");
}

function malformed(what: string): AttestationError {
  return new AttestationError(
    "malformed-signature-list",
    `Cannot read EFI signature lists: ${what}`,
  );
}

function tooMuch(found: string, most: number): AttestationError {
  return new AttestationError(
    "limit-exceeded",
    `Cannot read EFI signature lists: ${found}, at most ${most} are accepted`,
  );
}
