import { AttestationError } from "../../errors.ts";
import { asBytes, type Bytes, concat, equalBytes } from "../../internal/bytes.ts";
import { crc32 } from "../../internal/crc32.ts";
import { decodeUtf8, quote } from "../../internal/json.ts";
import { inflate } from "./_inflate.ts";
import { findSigningBlock } from "./_signing_block.ts";

/** A part of an archive: bytes from `start` up to, not including, `end`. */
export interface ZipRange {
  /** First byte. */
  readonly start: number;
  /** Byte after the last. */
  readonly end: number;
}

/** An entry of an archive, of which both headers say the same. */
export interface ZipEntry {
  /** Its name; that of a folder ends in `/`. */
  readonly name: string;
  /** Whether it is a folder. */
  readonly isFolder: boolean;
  /** Whether it is deflated; it is stored as it is if not. */
  readonly isDeflated: boolean;
  /** CRC-32 of the content. */
  readonly crc32: number;
  /** Bytes of the content. */
  readonly size: number;
  /** Where its bytes lie as they are stored. */
  readonly data: ZipRange;
  /** Where the whole entry lies, from its header to the end of its data descriptor. */
  readonly range: ZipRange;
}

/** An archive that every reader reads in the same way. */
export interface ZipArchive {
  /** The whole file. */
  readonly bytes: Bytes;
  /** Its entries, in the order of the central directory. */
  readonly entries: readonly ZipEntry[];
  /** An APK signing block between the entries and the central directory. */
  readonly signingBlock?: ZipRange;
  /** The central directory. */
  readonly directory: ZipRange;
  /** The end record with its comment. */
  readonly end: ZipRange;
  /** What lies between entries, save zeros that align a signing block; none unless asked for. */
  readonly gaps: readonly ZipRange[];
}

/** Options of {@linkcode parseZip}. */
export interface ZipOptions {
  /** Entries at most; default 65,535, which is as many as an archive without ZIP64 has. */
  maxEntries?: number;
  /** Bytes of all contents together at most; default 1 GiB. */
  maxOutputBytes?: number;
  /** Accepts bytes between entries, for archives of which a signature covers all bytes. */
  allowGaps?: boolean;
}

const LOCAL = 0x04034b50;
const CENTRAL = 0x02014b50;
const END = 0x06054b50;
const DESCRIPTOR = 0x08074b50;
const END_BYTES = 22;
const MAX_COMMENT = 0xffff;
/** Bytes of nothing at all, deflated: one block, coded or stored. */
const MAX_EMPTY = 5;

/** Bits of the flags that change how an entry is read: 4.4.4. */
const ENCRYPTED = 0x2041;
const HAS_DESCRIPTOR = 0x0008;
/** Bits that both headers must have alike; bits 1 and 2 tell only how hard the deflater tried. */
const SHARED = ENCRYPTED | HAS_DESCRIPTOR | 0x0800;

/**
 * Reads the structure of a ZIP archive, and refuses whatever two readers could take for two
 * archives: a reader of the central directory and one that goes from entry to entry find the
 * same entries with the same names, sizes and checksums, and nothing else.
 *
 * Names are UTF-8. No content is looked at; {@linkcode readZipEntry} does.
 *
 * Source: PKWARE APPNOTE.TXT 6.3.10, 4.3 to 4.5.
 *
 * @throws {AttestationError} `malformed-zip`, `ambiguous-zip`, `unsupported-zip` (encrypted,
 * split, ZIP64, other methods than stored and deflated), `unsupported-file-name`,
 * `limit-exceeded`.
 */
export function parseZip(source: Uint8Array, options: ZipOptions = {}): ZipArchive {
  const shared = asBytes(source);
  // A plain view: `slice` of a Buffer of Node is none of its own bytes.
  const bytes = new Uint8Array(shared.buffer, shared.byteOffset, shared.byteLength);
  const { maxEntries = 0xffff, maxOutputBytes = 1 << 30, allowGaps = false } = options;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const end = findEnd(view);
  const { count, directory } = readEnd(view, end);
  if (count > maxEntries) {
    throw new AttestationError(
      "limit-exceeded",
      `Cannot read ZIP: ${count} entries, at most ${maxEntries} are accepted`,
    );
  }
  const entries = readDirectory({ bytes, view, directory, count });
  const output = entries.reduce((sum, { size }) => sum + size, 0);
  if (output > maxOutputBytes) {
    throw new AttestationError(
      "limit-exceeded",
      `Cannot read ZIP: ${output} bytes when unpacked, at most ${maxOutputBytes} are accepted`,
    );
  }
  refuseTwice(entries);
  const signingBlock = findSigningBlock(bytes, directory.start);
  const stop = signingBlock?.start ?? directory.start;
  const gaps = gapsBetween(entries, stop)
    .filter((gap) => signingBlock === undefined || !isAlignment(bytes, gap, signingBlock));
  if (gaps.length > 0 && !allowGaps) {
    const [{ start, end }] = gaps;
    const where = start === 0 ? "before the first entry" : "that belong to no entry";
    throw ambiguous(`${end - start} bytes at ${start} ${where}`);
  }
  return {
    bytes,
    entries,
    directory,
    end: { start: end, end: bytes.length },
    gaps,
    ...(signingBlock === undefined ? {} : { signingBlock }),
  };
}

/** Where the one end record is: 4.3.16. */
function findEnd(view: DataView): number {
  const found: number[] = [];
  const last = view.byteLength - END_BYTES;
  for (let at = view.byteLength - 4; at >= 0 && at >= last - MAX_COMMENT; at--) {
    if (view.getUint32(at, true) !== END) continue;
    const isWhole = at <= last &&
      at + END_BYTES + view.getUint16(at + 20, true) === view.byteLength;
    if (isWhole) found.push(at);
    // In a comment: some readers take the last mark for the record.
    else if (found.length === 0) found.push(-1);
  }
  if (found.every((at) => at < 0)) throw malformed("it has no end record, or bytes after it");
  if (found[0] < 0 || found.length > 1) throw ambiguous("it has two end records");
  return found[0];
}

function readEnd(view: DataView, end: number): { count: number; directory: ZipRange } {
  // The locator of ZIP64 stands right before: whoever knows it would read another directory.
  if (end >= 20 && view.getUint32(end - 20, true) === 0x07064b50) throw unsupported("is ZIP64");
  const disk = view.getUint16(end + 4, true) | view.getUint16(end + 6, true);
  const here = view.getUint16(end + 8, true);
  const count = view.getUint16(end + 10, true);
  const size = view.getUint32(end + 12, true);
  const start = view.getUint32(end + 16, true);
  if (size === 0xffffffff || start === 0xffffffff) throw unsupported("is ZIP64");
  if (disk !== 0 || here !== count) throw unsupported("is one of several parts");
  if (start + size !== end) {
    throw ambiguous("its central directory does not end where its end record begins");
  }
  return { count, directory: { start, end } };
}

/** What {@linkcode readDirectory} goes through. */
interface DirectorySource {
  readonly bytes: Bytes;
  readonly view: DataView;
  readonly directory: ZipRange;
  readonly count: number;
}

function readDirectory({ bytes, view, directory, count }: DirectorySource): ZipEntry[] {
  const entries: ZipEntry[] = [];
  let at = directory.start;
  for (let i = 0; i < count; i++) {
    if (at + 46 > directory.end || view.getUint32(at, true) !== CENTRAL) {
      throw malformed(`entry ${i} of its central directory is cut short or has no mark`);
    }
    const nameEnd = at + 46 + view.getUint16(at + 28, true);
    const extraEnd = nameEnd + view.getUint16(at + 30, true);
    const end = extraEnd + view.getUint16(at + 32, true);
    if (end > directory.end) throw malformed(`entry ${i} of its central directory is cut short`);
    if (view.getUint16(at + 34, true) !== 0) throw unsupported("is one of several parts");
    const rawName = bytes.subarray(at + 46, nameEnd);
    const name = readName(rawName);
    refuseExtra(bytes.subarray(nameEnd, extraEnd), name);
    entries.push(readEntry({
      bytes,
      view,
      limit: directory.start,
      header: view.getUint32(at + 42, true),
      name,
      rawName,
      flags: view.getUint16(at + 8, true),
      method: view.getUint16(at + 10, true),
      crc: view.getUint32(at + 16, true),
      packed: view.getUint32(at + 20, true),
      size: view.getUint32(at + 24, true),
    }));
    at = end;
  }
  if (at !== directory.end) throw ambiguous("its central directory has more than it says");
  return entries;
}

/** What the central directory says of an entry. */
interface StatedEntry {
  readonly bytes: Bytes;
  readonly view: DataView;
  /** Where entries must have ended. */
  readonly limit: number;
  /** Where its own header stands. */
  readonly header: number;
  readonly name: string;
  readonly rawName: Bytes;
  readonly flags: number;
  readonly method: number;
  readonly crc: number;
  readonly packed: number;
  readonly size: number;
}

/** Compares an entry's own header with what the directory says of it. */
function readEntry(stated: StatedEntry): ZipEntry {
  const { bytes, view, limit, header, name, rawName, flags, method, crc, packed, size } = stated;
  if ((flags & ENCRYPTED) !== 0) throw unsupported(`has the encrypted entry ${quote(name)}`);
  if (method !== 0 && method !== 8) {
    throw unsupported(`has ${quote(name)} packed by method ${method}`);
  }
  if (header + 30 > limit || view.getUint32(header, true) !== LOCAL) {
    throw malformed(`${quote(name)} has no header where the central directory says`);
  }
  const nameEnd = header + 30 + view.getUint16(header + 26, true);
  const start = nameEnd + view.getUint16(header + 28, true);
  const dataEnd = start + packed;
  if (dataEnd > limit) throw malformed(`${quote(name)} is cut short`);
  if (!equalBytes(bytes.subarray(header + 30, nameEnd), rawName)) {
    throw disagreement(name, "name");
  }
  refuseExtra(bytes.subarray(nameEnd, start), name);
  const localFlags = view.getUint16(header + 6, true);
  if (((localFlags ^ flags) & SHARED) !== 0) throw disagreement(name, "flags");
  if (view.getUint16(header + 8, true) !== method) throw disagreement(name, "method");
  const hasDescriptor = (flags & HAS_DESCRIPTOR) !== 0;
  const found = [14, 18, 22].map((offset) => view.getUint32(header + offset, true));
  const isLeftOut = hasDescriptor && found.every((value) => value === 0);
  if (!isLeftOut) {
    [crc, packed, size].forEach((value, i) => {
      if (found[i] !== value) throw disagreement(name, ["checksum", "packed size", "size"][i]);
    });
  }
  if (method === 0 && packed !== size) throw disagreement(name, "size");
  // A reader from entry to entry has nothing but the mark of the descriptor to find the end by.
  if (method === 0 && isLeftOut && has(bytes.subarray(start, dataEnd), DESCRIPTOR)) {
    throw ambiguous(`${quote(name)} does not say at its beginning where it ends`);
  }
  const isFolder = name.endsWith("/");
  if (isFolder && (size !== 0 || packed > MAX_EMPTY)) {
    throw malformed(`the folder ${quote(name)} has content`);
  }
  return {
    name,
    isFolder,
    isDeflated: method === 8,
    crc32: crc,
    size,
    data: { start, end: dataEnd },
    range: { start: header, end: hasDescriptor ? endOfDescriptor(stated, dataEnd) : dataEnd },
  };
}

/** Tells whether a mark stands anywhere in the bytes. */
function has(bytes: Bytes, mark: number): boolean {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let at = bytes.indexOf(mark & 0xff); at >= 0; at = bytes.indexOf(mark & 0xff, at + 1)) {
    if (at + 4 <= bytes.length && view.getUint32(at, true) === mark) return true;
  }
  return false;
}

/** 4.3.9: the mark is usual and not required; sizes are of four bytes without ZIP64. */
function endOfDescriptor({ view, limit, crc, packed, size, name }: StatedEntry, at: number) {
  for (const [offset, length] of [[4, 16], [0, 12]]) {
    if (at + length > limit) continue;
    if (offset === 4 && view.getUint32(at, true) !== DESCRIPTOR) continue;
    const isSame = [crc, packed, size].every((value, i) =>
      view.getUint32(at + offset + 4 * i, true) === value
    );
    if (isSame) return at + length;
  }
  throw disagreement(name, "data descriptor");
}

/** 4.5: fields that replace what the headers say. Padding need not be fields: aligners write zeros. */
function refuseExtra(extra: Uint8Array, name: string): void {
  for (let at = 0; at + 4 <= extra.length;) {
    const id = extra[at] | extra[at + 1] << 8;
    if (id === 0x0001) throw unsupported(`has ${quote(name)} in ZIP64`);
    // Info-ZIP's Unicode path: another name, for those who know it.
    if (id === 0x7075) throw ambiguous(`${quote(name)} has a second name`);
    at += 4 + (extra[at + 2] | extra[at + 3] << 8);
  }
}

function readName(raw: Bytes): string {
  let name: string;
  try {
    name = decodeUtf8(raw);
  } catch {
    throw malformed("the name of an entry is not in UTF-8");
  }
  const path = name.endsWith("/") ? name.slice(0, -1) : name;
  const isUnsafe = /[\p{Cc}\\]|^[A-Za-z]:/u.test(path) ||
    path.split("/").some((part) => part === "" || part === "." || part === "..");
  if (isUnsafe) {
    throw new AttestationError(
      "unsupported-file-name",
      `Cannot read ZIP: an entry has the name ${quote(name)}`,
    );
  }
  return name;
}

/** Also of a file and a folder: only one of them can be unpacked. */
function refuseTwice(entries: readonly ZipEntry[]): void {
  const seen = new Set<string>();
  for (const { name } of entries) {
    const path = name.replace(/\/$/, "");
    if (seen.has(path)) throw ambiguous(`it has ${quote(name)} twice`);
    seen.add(path);
  }
}

/** What lies between the entries up to `stop`; entries that overlap are refused. */
function gapsBetween(entries: readonly ZipEntry[], stop: number): ZipRange[] {
  const gaps: ZipRange[] = [];
  let at = 0;
  for (const { name, range } of [...entries].sort((a, b) => a.range.start - b.range.start)) {
    if (range.start < at) throw ambiguous(`${quote(name)} begins inside another entry`);
    if (range.start > at) gaps.push({ start: at, end: range.start });
    at = range.end;
  }
  if (at > stop) throw ambiguous("an entry reaches into the signing block");
  if (at < stop) gaps.push({ start: at, end: stop });
  return gaps;
}

/** Zeros up to a multiple of 4,096 in front of a signing block: apksigner puts them there for v4. */
function isAlignment(bytes: Bytes, { start, end }: ZipRange, block: ZipRange): boolean {
  return end === block.start && end % 4096 === 0 && end - start < 4096 &&
    bytes.subarray(start, end).every((byte) => byte === 0);
}

/**
 * Content of an entry in pieces, whose size and checksum are those that its headers state. The
 * checksum is compared at the end: what came before it must not be used if that throws.
 *
 * @throws {AttestationError} `malformed-zip`.
 */
export async function* streamZipEntry(
  { bytes }: ZipArchive,
  entry: ZipEntry,
): AsyncGenerator<Bytes, void> {
  const packed = bytes.subarray(entry.data.start, entry.data.end);
  let size = 0;
  let crc = 0;
  for await (const piece of entry.isDeflated ? unpack(packed, entry) : [packed]) {
    size += piece.length;
    if (size > entry.size) throw malformed(`${quote(entry.name)} is longer than it says`);
    crc = crc32(piece, crc);
    yield piece;
  }
  if (size !== entry.size) throw malformed(`${quote(entry.name)} is shorter than it says`);
  if (crc !== entry.crc32) throw malformed(`${quote(entry.name)} has another checksum`);
}

/**
 * Content of an entry.
 *
 * @param maxBytes Bytes at most; its stated size is looked at before anything is unpacked.
 * @throws {AttestationError} `malformed-zip`, `limit-exceeded`.
 */
export async function readZipEntry(
  archive: ZipArchive,
  entry: ZipEntry,
  maxBytes: number,
): Promise<Bytes> {
  if (entry.size > maxBytes) {
    throw new AttestationError(
      "limit-exceeded",
      `Cannot read ZIP: ${
        quote(entry.name)
      } has ${entry.size} bytes, at most ${maxBytes} are accepted`,
    );
  }
  const parts: Bytes[] = [];
  for await (const piece of streamZipEntry(archive, entry)) parts.push(piece);
  return parts.length === 1 ? parts[0] : concat(...parts);
}

async function* unpack(packed: Bytes, { name }: ZipEntry): AsyncGenerator<Bytes, void> {
  try {
    yield* inflate(packed);
  } catch (cause) {
    throw malformed(`${quote(name)} cannot be inflated`, cause);
  }
}

function disagreement(name: string, what: string): AttestationError {
  return ambiguous(`the two headers of ${quote(name)} differ in its ${what}`);
}

function ambiguous(what: string): AttestationError {
  return new AttestationError("ambiguous-zip", `Cannot read ZIP: ${what}`);
}

function malformed(what: string, cause?: unknown): AttestationError {
  return new AttestationError("malformed-zip", `Cannot read ZIP: ${what}`, { cause });
}

function unsupported(what: string): AttestationError {
  return new AttestationError("unsupported-zip", `Cannot read ZIP: it ${what}`);
}
