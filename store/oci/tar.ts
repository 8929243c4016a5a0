import { AttestationError } from "../../errors.ts";
import { asBytes } from "../../internal/bytes.ts";
import { printable, quote } from "../../internal/json.ts";
import type { LayoutFiles } from "./layout.ts";

/** A file of which any part can be read. */
export interface RandomAccess {
  /** What it is called in reports. */
  readonly name: string;
  /** Bytes. */
  readonly size: number;
  /** So many bytes from an offset on; fewer only at the end. */
  read(offset: number, length: number): Promise<Uint8Array>;
}

interface TarEntry {
  offset: number;
  size: number;
}

const BLOCK = 512;
const CHUNK = 1 << 20;
const MAX_ENTRIES = 100_000;
/** Bytes of an extended header. */
const MAX_EXTENDED = 64 << 10;

/**
 * The files of a tar file, as an image layout has them: `docker save`, `skopeo copy …
 * oci-archive:`. Only its headers are read until something is asked for.
 *
 * Strict: what a layout does not need is refused: links, devices, names that are absolute or
 * hold `..`, a name twice, sizes that lead past the end, a compressed file.
 *
 * Source: POSIX.1-2017, pax, "ustar Interchange Format" and "pax Extended Header".
 *
 * @param source The file; {@linkcode bytesAccess} for one in memory.
 * @throws {AttestationError} From its methods: `malformed-image-layout`, `limit-exceeded`.
 *
 * @example
 * ```ts
 * import { bytesAccess, createLayout, createTarFiles } from "@x/attest/store/oci";
 * import { isAttestationError } from "@x/attest/errors";
 * import assert from "node:assert/strict";
 *
 * const layout = createLayout(createTarFiles(bytesAccess("a.tar", new Uint8Array(1024))));
 * await assert.rejects(layout.entries(), (error) =>
 *   isAttestationError(error) && error.reason === "malformed-image-layout");
 * ```
 */
export function createTarFiles(source: RandomAccess): LayoutFiles {
  let entries: Promise<Map<string, TarEntry>> | undefined;
  const all = () => entries ??= readTar(source);
  return {
    name: source.name,
    size: async (path) => (await all()).get(path)?.size,
    names: async (folder) =>
      [...(await all()).keys()].filter((path) => path.startsWith(`${folder}/`))
        .map((path) => path.slice(folder.length + 1)),
    open: async (path) => {
      const { offset, size } = (await all()).get(path) ?? { offset: 0, size: 0 };
      let at = 0;
      return new ReadableStream<Uint8Array>({
        async pull(controller) {
          const length = Math.min(CHUNK, size - at);
          if (length === 0) return controller.close();
          const part = await source.read(offset + at, length);
          if (part.length === 0) throw malformed(source, "it became shorter");
          at += part.length;
          controller.enqueue(part);
        },
      }, { highWaterMark: 0 });
    },
  };
}

/** A file in memory, or what can be sliced as one. */
export function bytesAccess(name: string, content: Uint8Array | Blob): RandomAccess {
  const blob = content instanceof Uint8Array ? undefined : content;
  return {
    name,
    size: blob === undefined ? (content as Uint8Array).length : blob.size,
    read: async (offset, length) =>
      blob === undefined
        ? (content as Uint8Array).subarray(offset, offset + length)
        : new Uint8Array(await blob.slice(offset, offset + length).arrayBuffer()),
  };
}

/** Where each file of a tar file lies. */
async function readTar(source: RandomAccess): Promise<Map<string, TarEntry>> {
  const entries = new Map<string, TarEntry>();
  const folders = new Set<string>();
  let extended: { path?: string; size?: number } = {};
  let count = 0;
  for (let at = 0; at < source.size;) {
    const header = await readExactly(source, at, BLOCK);
    if (header.every((byte) => byte === 0)) {
      if (count === 0) throw malformed(source, "it has no files");
      return entries;
    }
    if (++count > MAX_ENTRIES) {
      throw new AttestationError(
        "limit-exceeded",
        `Cannot read ${quote(source.name)}: more than ${MAX_ENTRIES} entries`,
      );
    }
    checkSum(source, header);
    const type = String.fromCharCode(header[156]);
    const size = extended.size ?? number(source, header.subarray(124, 136));
    const offset = at + BLOCK;
    at = offset + Math.ceil(size / BLOCK) * BLOCK;
    if (offset + size > source.size) throw malformed(source, "an entry leads past its end");
    if (type === "x" || type === "g" || type === "L") {
      if (size > MAX_EXTENDED) throw malformed(source, "an extended header is too large");
      const body = await readExactly(source, offset, size);
      if (type === "L") extended = { ...extended, path: text(source, body) };
      if (type === "x") extended = { ...extended, ...readPax(source, body) };
      // A global header is about no entry of its own; archivers write a commit into it.
      continue;
    }
    const name = extended.path ?? headerName(source, header);
    extended = {};
    const path = cleanPath(source, name);
    if (type === "5") {
      folders.add(path);
      continue;
    }
    if (type !== "0" && type !== "\0") {
      throw malformed(source, `${quote(path)} is no file: ${typeName(type)}`);
    }
    if (path === "" || entries.has(path) || folders.has(path)) {
      throw malformed(source, `${quote(path)} occurs twice`);
    }
    entries.set(path, { offset, size });
  }
  throw malformed(source, "it has no end");
}

async function readExactly(
  source: RandomAccess,
  offset: number,
  length: number,
): Promise<Uint8Array> {
  const bytes = await source.read(offset, length);
  if (bytes.length === length) return bytes;
  throw malformed(source, "it is cut short");
}

/** The sum of all bytes of a header, those of the sum itself taken for blanks. */
function checkSum(source: RandomAccess, header: Uint8Array): void {
  let sum = 0;
  for (let i = 0; i < BLOCK; i++) sum += i >= 148 && i < 156 ? 32 : header[i];
  if (sum === number(source, header.subarray(148, 156))) return;
  const isGzip = header[0] === 0x1f && header[1] === 0x8b;
  throw malformed(source, isGzip ? "it is compressed; decompress it first" : "it is no tar file");
}

/** A number in octal digits, or in base 256 when the first bit is set. */
function number(source: RandomAccess, field: Uint8Array): number {
  if ((field[0] & 0x80) === 0) {
    const digits = String.fromCharCode(...field).replace(/[\0 ]+$/, "").replace(/^ +/, "");
    if (/^[0-7]{0,12}$/.test(digits)) return digits === "" ? 0 : parseInt(digits, 8);
    throw malformed(source, "a number of a header is none");
  }
  let value = field[0] & 0x7f;
  for (const byte of field.subarray(1)) value = value * 256 + byte;
  if (Number.isSafeInteger(value)) return value;
  throw malformed(source, "an entry is larger than any file");
}

function headerName(source: RandomAccess, header: Uint8Array): string {
  const isUstar = text(source, header.subarray(257, 262)) === "ustar";
  const name = text(source, header.subarray(0, 100));
  const prefix = isUstar && header[263] === 0x30 ? text(source, header.subarray(345, 500)) : "";
  return prefix === "" ? name : `${prefix}/${name}`;
}

/** Records `LENGTH NAME=VALUE\n`, of which path and size count here. */
function readPax(source: RandomAccess, body: Uint8Array): { path?: string; size?: number } {
  const found: { path?: string; size?: number } = {};
  for (let at = 0; at < body.length;) {
    const blank = body.indexOf(32, at);
    const digits = blank < 0
      ? ""
      : String.fromCharCode(...body.subarray(at, Math.min(blank, at + 8)));
    const end = at + Number(digits);
    if (
      !/^[1-9]\d{0,6}$/.test(digits) || end > body.length || body[end - 1] !== 10 || end <= blank
    ) {
      throw malformed(source, "an extended header is none");
    }
    const record = text(source, body.subarray(blank + 1, end - 1));
    const equals = record.indexOf("=");
    const [name, value] = [record.slice(0, equals), record.slice(equals + 1)];
    if (name === "path") found.path = value;
    if (name === "size") {
      if (!/^\d{1,15}$/.test(value)) throw malformed(source, "a size of a header is none");
      found.size = Number(value);
    }
    if (name === "linkpath" || name.startsWith("GNU.sparse.")) {
      throw malformed(source, "it holds links or sparse files");
    }
    at = end;
  }
  return found;
}

function text(source: RandomAccess, bytes: Uint8Array): string {
  const end = bytes.indexOf(0);
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(
      asBytes(end < 0 ? bytes : bytes.subarray(0, end)),
    );
  } catch {
    throw malformed(source, "a name is no UTF-8");
  }
}

/** A path without `./` and a last slash; empty for the folder itself. */
function cleanPath(source: RandomAccess, name: string): string {
  const path = name.replace(/^(?:\.\/)+/, "").replace(/\/$/, "");
  if (path === "." || path === "") return "";
  const parts = path.split("/");
  const isBad = path.startsWith("/") || /[\\\p{Cc}]/u.test(path) ||
    parts.some((part) => part === "" || part === "." || part === "..") ||
    /^[A-Za-z]:/.test(path);
  if (!isBad) return path;
  throw malformed(source, `the name ${quote(name)} leads elsewhere`);
}

function typeName(type: string): string {
  const names: Record<string, string> = {
    "1": "a link",
    "2": "a symbolic link",
    "3": "a device",
    "4": "a device",
    "6": "a pipe",
  };
  return names[type] ?? "an entry of another kind";
}

function malformed(source: RandomAccess, what: string): AttestationError {
  return new AttestationError(
    "malformed-image-layout",
    `Cannot read tar file ${printable(quote(source.name), 140)}: ${what}`,
  );
}
