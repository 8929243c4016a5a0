import { AttestationError } from "../../errors.ts";
import { asBytes, type Bytes } from "../../internal/bytes.ts";
import type { HashName } from "../../internal/digest.ts";
import { createHasher } from "../../internal/hasher.ts";
import type { ByteRange } from "../format.ts";

/** A PE image, read as far as its signature asks for it. */
export interface PeImage {
  /** PE32+ or PE32. */
  readonly is64: boolean;
  /** What it is for: 10 to 13 are those of EFI. */
  readonly subsystem: number;
  /** What the image hash leaves out, in order: checksum, directory entry, certificate table. */
  readonly uncovered: readonly ByteRange[];
  /** PKCS #7 of the one signature, with what pads it; absent where there is none. */
  readonly pkcs7?: Bytes;
}

const PE32 = 0x10b;
const PE32_PLUS = 0x20b;
/** What Windows loads at most. */
const MAX_SECTIONS = 96;
const SECURITY_DIRECTORY = 4;
const REVISION_2 = 0x0200;
const PKCS_SIGNED_DATA = 2;

/**
 * Reads a PE image, PE32 or PE32+, and its certificate table: the table is the end of the file,
 * nothing that is loaded lies in it, and it holds one signature in PKCS #7.
 *
 * Source: Microsoft, PE Format; Windows Authenticode Portable Executable Signature Format.
 *
 * @throws {AttestationError} `malformed-envelope`, or `unsupported-payload-type` if the
 * signature is of another kind.
 */
export function parsePe(bytes: Uint8Array): PeImage {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const header = bytes.length < 64 ? 0 : view.getUint32(0x3c, true);
  if (header < 64 || header + 24 > bytes.length || view.getUint32(header) !== 0x50450000) {
    throw malformed("it has no PE header");
  }
  const sections = view.getUint16(header + 6, true);
  const optional = header + 24;
  const optionalSize = view.getUint16(header + 20, true);
  const table = optional + optionalSize;
  if (sections > MAX_SECTIONS) throw malformed(`it has ${sections} sections`);
  if (optionalSize < 2 || table + 40 * sections > bytes.length) throw malformed("it is cut off");
  const magic = view.getUint16(optional, true);
  if (magic !== PE32 && magic !== PE32_PLUS) throw malformed("it is neither PE32 nor PE32+");
  const directories = optional + (magic === PE32 ? 96 : 112);
  if (directories > table) throw malformed("its optional header is too short");
  const count = view.getUint32(directories - 4, true);
  if (count > 16 || directories + 8 * count > table) {
    throw malformed("its data directories do not fit their header");
  }
  const entry = directories + 8 * SECURITY_DIRECTORY;
  const [start, size] = count <= SECURITY_DIRECTORY
    ? [0, 0]
    : [view.getUint32(entry, true), view.getUint32(entry + 4, true)];
  const isSigned = start !== 0 || size !== 0;
  const end = isSigned ? start : bytes.length;
  const headers = view.getUint32(optional + 60, true);
  if (headers < table + 40 * sections || headers > end) {
    throw malformed("its headers do not end before what they describe");
  }
  for (let i = 0; i < sections; i++) {
    const length = view.getUint32(table + 40 * i + 16, true);
    const at = view.getUint32(table + 40 * i + 20, true);
    if (length > 0 && at + length > end) {
      throw malformed("a section lies outside of what is signed");
    }
  }
  const uncovered = [{ start: optional + 64, end: optional + 68, what: "checksum" }];
  if (count > SECURITY_DIRECTORY) {
    uncovered.push({ start: entry, end: entry + 8, what: "certificate table's directory entry" });
  }
  const image = {
    is64: magic === PE32_PLUS,
    subsystem: view.getUint16(optional + 68, true),
    uncovered,
  };
  if (!isSigned) return image;
  if (start % 8 !== 0 || size === 0) throw malformed("its certificate table is out of place");
  if (start + size !== bytes.length) {
    throw malformed(
      start + size < bytes.length
        ? "data follow its certificate table"
        : "its certificate table is cut off",
    );
  }
  uncovered.push({ start, end: start + size, what: "certificate table" });
  return { ...image, pkcs7: readTable(asBytes(bytes).subarray(start)) };
}

/** WIN_CERTIFICATE, exactly one: of two, nobody knows which one another program reads. */
function readTable(table: Bytes): Bytes {
  const view = new DataView(table.buffer, table.byteOffset, table.byteLength);
  const length = table.length < 8 ? 0 : view.getUint32(0, true);
  if (length < 8 || length > table.length) throw malformed("its certificate table is malformed");
  const padded = Math.ceil(length / 8) * 8;
  if (table.length > padded) {
    throw malformed("its certificate table has more than one entry");
  }
  if (table.subarray(length).some((byte) => byte !== 0)) {
    throw malformed("data follow its signature");
  }
  const revision = view.getUint16(4, true), type = view.getUint16(6, true);
  if (revision !== REVISION_2 || type !== PKCS_SIGNED_DATA) {
    throw new AttestationError(
      "unsupported-payload-type",
      `Cannot read PE image: its signature is of the type ${type} in revision ${revision}, ` +
        "wanted PKCS #7 in revision 512",
    );
  }
  return table.subarray(8, length);
}

/**
 * The image hash: all bytes in their order, without those that are not covered. Where sections
 * leave no gap it is what Authenticode and UEFI compute section by section.
 */
export async function hashPe(
  bytes: Uint8Array,
  { uncovered }: PeImage,
  hash: HashName,
): Promise<Bytes> {
  const hasher = await createHasher(hash);
  const own = asBytes(bytes);
  let at = 0;
  for (const { start, end } of uncovered) {
    await hasher.update(own.subarray(at, start));
    at = end;
  }
  await hasher.update(own.subarray(at));
  return await hasher.digest();
}

function malformed(what: string): AttestationError {
  return new AttestationError("malformed-envelope", `Cannot read PE image: ${what}`);
}
