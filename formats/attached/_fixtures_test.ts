import { type Bytes, concat, utf8 } from "../../internal/bytes.ts";
import { crc32 } from "../../internal/crc32.ts";

/** An entry of an archive that {@linkcode zip} writes, and the lies in its headers. */
export interface EntryRecipe {
  /** Its name. */
  name: string | Uint8Array;
  /** Its content; text is UTF-8. Default: empty. */
  content?: string | Uint8Array;
  /** Packs it. Default: stored. */
  deflate?: boolean;
  /** Writes sizes and checksum behind the data: with the usual mark, or without. */
  descriptor?: "marked" | "bare";
  /** What the data descriptor says that is other than the headers. */
  described?: Partial<HeaderFields>;
  /** Name in its own header, if that is another. */
  localName?: string;
  /** Extra field of its own header. */
  localExtra?: Uint8Array;
  /** Extra field in the central directory. */
  extra?: Uint8Array;
  /** Fields of its own header that are other than the directory's. */
  local?: Partial<HeaderFields>;
  /** Fields in both headers that are not what they should be. */
  both?: Partial<HeaderFields>;
  /** Bytes in front of it that belong to no entry. */
  before?: Uint8Array;
  /** Leaves it out of the central directory. */
  hidden?: boolean;
}

/** What both headers of an entry say. */
export interface HeaderFields {
  flags: number;
  method: number;
  crc: number;
  packed: number;
  size: number;
}

/** What {@linkcode zip} does beside its entries. */
export interface ArchiveRecipe {
  /** Bytes between the entries and the central directory, such as a signing block. */
  block?: Uint8Array;
  /** Comment of the end record. */
  comment?: Uint8Array;
  /** Bytes behind the central directory. */
  afterDirectory?: Uint8Array;
  /** Count of entries that it states. */
  count?: number;
}

/** Writes a ZIP archive; it is a correct one unless the recipes say otherwise. */
export async function zip(
  entries: readonly EntryRecipe[],
  recipe: ArchiveRecipe = {},
): Promise<Bytes> {
  const parts: Uint8Array[] = [];
  const directory: Uint8Array[] = [];
  let at = 0;
  const write = (...more: Uint8Array[]) => {
    for (const part of more) at += part.length;
    parts.push(...more);
  };
  for (const entry of entries) {
    const content = bytesOf(entry.content ?? "");
    const name = bytesOf(entry.name);
    const packed = entry.deflate ? await deflate(content) : content;
    if (entry.before !== undefined) write(entry.before);
    const fields: HeaderFields = {
      flags: 0x0800 | (entry.descriptor === undefined ? 0 : 8),
      method: entry.deflate ? 8 : 0,
      crc: crc32(content),
      packed: packed.length,
      size: content.length,
      ...entry.both,
    };
    const left = entry.descriptor === undefined ? {} : { crc: 0, packed: 0, size: 0 };
    const localName = entry.localName === undefined ? name : utf8(entry.localName);
    const localExtra = entry.localExtra ?? new Uint8Array();
    const start = at;
    write(
      header(0x04034b50, { ...fields, ...left, ...entry.local }, [
        [2, localName.length],
        [2, localExtra.length],
      ]),
      localName,
      localExtra,
      packed,
    );
    if (entry.descriptor !== undefined) {
      const { crc, packed, size } = { ...fields, ...entry.described };
      const mark: Numbers = entry.descriptor === "marked" ? [[4, 0x08074b50]] : [];
      write(numbers([...mark, [4, crc], [4, packed], [4, size]]));
    }
    if (entry.hidden) continue;
    const extra = entry.extra ?? new Uint8Array();
    directory.push(
      header(0x02014b50, fields, [
        [2, name.length],
        [2, extra.length],
        [2, 0], // comment
        [2, 0], // disk
        [2, 0], // internal attributes
        [4, 0], // external attributes
        [4, start],
      ]),
      name,
      extra,
    );
  }
  if (recipe.block !== undefined) write(recipe.block);
  const start = at;
  write(...directory);
  const size = at - start;
  const count = recipe.count ?? entries.filter(({ hidden }) => hidden !== true).length;
  const comment = recipe.comment ?? new Uint8Array();
  if (recipe.afterDirectory !== undefined) write(recipe.afterDirectory);
  write(
    numbers([
      [4, 0x06054b50],
      [2, 0],
      [2, 0],
      [2, count],
      [2, count],
      [4, size],
      [4, start],
      [2, comment.length],
    ]),
    comment,
  );
  return concat(...parts);
}

/** Numbers with their widths in bytes. */
export type Numbers = readonly (readonly [width: 2 | 4 | 8, value: number])[];

/** Little-endian numbers. */
export function numbers(list: Numbers): Bytes {
  const bytes = new Uint8Array(list.reduce((sum, [width]) => sum + width, 0));
  let at = 0;
  for (const [width, value] of list) {
    for (let i = 0; i < width; i++) bytes[at++] = Math.floor(value / 256 ** i) % 256;
  }
  return bytes;
}

function header(mark: number, fields: HeaderFields, rest: Numbers): Bytes {
  const { flags, method, crc, packed, size } = fields;
  const madeBy: Numbers = mark === 0x02014b50 ? [[2, 20]] : [];
  return numbers([
    [4, mark],
    ...madeBy,
    [2, 20], // version needed
    [2, flags],
    [2, method],
    [2, 0], // time
    [2, 0x21], // date: 1980-01-01
    [4, crc],
    [4, packed],
    [4, size],
    ...rest,
  ]);
}

function bytesOf(content: string | Uint8Array): Uint8Array {
  return typeof content === "string" ? utf8(content) : content;
}

/** Content in raw deflate. */
export async function deflate(content: Uint8Array): Promise<Bytes> {
  const stream = new Blob([content as Bytes]).stream()
    .pipeThrough(new CompressionStream("deflate-raw"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}
