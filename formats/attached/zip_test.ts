import assert, { deepStrictEqual as deepEqual, strictEqual as equal } from "node:assert/strict";
import { test } from "node:test";
import { concat, utf8 } from "../../internal/bytes.ts";
import { crc32 } from "../../internal/crc32.ts";
import { type ArchiveRecipe, deflate, type EntryRecipe, numbers, zip } from "./_fixtures_test.ts";
import { parseZip, readZipEntry, streamZipEntry, type ZipOptions } from "./zip.ts";

const text = new TextDecoder();
const LONG = "the same again and again, ".repeat(4000);

/** `ok`, or the reason of the refusal of the structure or of a content. */
async function verdict(
  entries: EntryRecipe[] | Uint8Array,
  recipe?: ArchiveRecipe,
  options?: ZipOptions,
): Promise<string> {
  const bytes = entries instanceof Uint8Array ? entries : await zip(entries, recipe);
  try {
    const archive = parseZip(bytes, options);
    for (const entry of archive.entries) await readZipEntry(archive, entry, 1 << 20);
    return "ok";
  } catch (error) {
    return String((error as { reason?: string }).reason ?? error);
  }
}

test("parseZip() reads stored and deflated entries, with and without data descriptors", async () => {
  const bytes = await zip([
    { name: "META-INF/" },
    { name: "META-INF/MANIFEST.MF", content: LONG, deflate: true, descriptor: "marked" },
    { name: "stored", content: "abc", descriptor: "bare" },
    { name: "ä/ö.txt", content: "äöü", localExtra: new Uint8Array(3) },
    { name: "empty", deflate: true },
  ]);
  const archive = parseZip(bytes);
  deepEqual(archive.entries.map(({ name }) => name), [
    "META-INF/",
    "META-INF/MANIFEST.MF",
    "stored",
    "ä/ö.txt",
    "empty",
  ]);
  equal(archive.entries[0].isFolder, true);
  const contents: string[] = [];
  for (const entry of archive.entries) {
    contents.push(text.decode(await readZipEntry(archive, entry, 1 << 20)));
  }
  deepEqual(contents, ["", LONG, "abc", "äöü", ""]);
  deepEqual(archive.gaps, []);
  equal(archive.end.end, bytes.length);
  equal(archive.directory.end, archive.end.start);
  deepEqual(parseZip(await zip([])).entries, []);
});

test("parseZip() finds all of it again in a view into a larger buffer", async () => {
  const bytes = await zip([{ name: "a", content: "abc", deflate: true }]);
  const view = concat(Uint8Array.of(1, 2, 3), bytes).subarray(3);
  equal(await verdict(view), "ok");
});

const ABC = { name: "a", content: "abc" };
const MARK = numbers([[4, 0x06054b50]]);
const WHOLE_END = numbers([[4, 0x06054b50], [8, 0], [8, 0], [2, 0]]);

const refused: [what: string, reason: string, EntryRecipe[], ArchiveRecipe?][] = [
  ["a name twice", "ambiguous-zip", [ABC, { ...ABC, content: "abd" }]],
  ["a file and a folder of one name", "ambiguous-zip", [ABC, { name: "a/" }]],
  ["prepended data", "ambiguous-zip", [{ ...ABC, before: utf8("#!/bin/sh\n") }]],
  ["data between entries", "ambiguous-zip", [ABC, { ...ABC, name: "b", before: utf8("x") }]],
  ["data before the directory", "ambiguous-zip", [ABC], { block: utf8("x") }],
  ["an entry that the directory hides", "ambiguous-zip", [ABC, { name: "b", hidden: true }]],
  ["an entry in front that is hidden", "ambiguous-zip", [{ name: "b", hidden: true }, ABC]],
  ["another name in its own header", "ambiguous-zip", [{ ...ABC, localName: "b" }]],
  ["another size", "ambiguous-zip", [{ ...ABC, local: { size: 4 } }]],
  ["another packed size", "ambiguous-zip", [{ ...ABC, local: { packed: 4 } }]],
  ["another method", "ambiguous-zip", [{ ...ABC, local: { method: 8 } }]],
  ["another checksum", "ambiguous-zip", [{ ...ABC, local: { crc: 1 } }]],
  ["other flags", "ambiguous-zip", [{ ...ABC, local: { flags: 0 } }]],
  ["sizes left out without a descriptor", "ambiguous-zip", [{
    ...ABC,
    local: { crc: 0, packed: 0, size: 0 },
  }]],
  ["a descriptor that says something else", "ambiguous-zip", [
    { ...ABC, descriptor: "marked", described: { crc: 7 } },
    { name: "b", content: "x".repeat(99) },
  ]],
  ["a descriptor that is shorter than the data", "ambiguous-zip", [
    { ...ABC, descriptor: "bare", described: { packed: 2 } },
  ]],
  ["stored with two sizes", "ambiguous-zip", [{ ...ABC, both: { size: 4 } }]],
  ["a second end record in its comment", "ambiguous-zip", [ABC], { comment: WHOLE_END }],
  ["the mark of an end record in its comment", "ambiguous-zip", [ABC], { comment: MARK }],
  ["data behind the directory", "ambiguous-zip", [ABC], { afterDirectory: utf8("x") }],
  ["fewer entries stated than there are", "ambiguous-zip", [ABC, { name: "b" }], { count: 1 }],
  ["more entries stated than there are", "malformed-zip", [ABC], { count: 2 }],
  ["a Unicode path", "ambiguous-zip", [{ ...ABC, extra: numbers([[2, 0x7075], [2, 1], [2, 0]]) }]],
  ["a Unicode path in its own header", "ambiguous-zip", [{
    ...ABC,
    localExtra: numbers([[2, 0x7075], [2, 2], [2, 0]]),
  }]],
  ["ZIP64 of an entry", "unsupported-zip", [{
    ...ABC,
    extra: numbers([[2, 1], [2, 8], [8, 3]]),
  }]],
  ["ZIP64 of the archive", "unsupported-zip", [ABC], {
    afterDirectory: numbers([[4, 0x07064b50], [8, 0], [8, 0]]),
  }],
  ["encryption", "unsupported-zip", [{ ...ABC, both: { flags: 0x0801 } }]],
  ["another method", "unsupported-zip", [{ ...ABC, both: { method: 12 } }]],
  ["a wrong checksum", "malformed-zip", [{ ...ABC, both: { crc: 1 } }]],
  ["a wrong checksum of what is packed", "malformed-zip", [{
    ...ABC,
    deflate: true,
    both: { crc: 1 },
  }]],
  ["more than it says", "malformed-zip", [{ ...ABC, deflate: true, both: { size: 2 } }]],
  ["less than it says", "malformed-zip", [{ ...ABC, deflate: true, both: { size: 4 } }]],
  ["what does not inflate", "malformed-zip", [{ ...ABC, both: { method: 8 } }]],
  ["a folder with content", "malformed-zip", [{ name: "a/", content: "x" }]],
  ["a name that is no UTF-8", "malformed-zip", [{ name: Uint8Array.of(0x61, 0xff) }]],
  ...["../a", "a/../b", "..", "/a", "\\a", "a\\b", "C:a", "a\0b", "a\nb", "./a", "a//b", "", "/"]
    .map((name): [string, string, EntryRecipe[]] => [
      `the name ${JSON.stringify(name)}`,
      "unsupported-file-name",
      [{ name, content: name.endsWith("/") ? "" : "x" }],
    ]),
];

for (const [what, reason, entries, recipe] of refused) {
  test(`parseZip() refuses ${what}: ${reason}`, async () => {
    equal(await verdict(entries, recipe), reason);
  });
}

/** Lies in the headers of an archive of two entries: place, width, value, reason. */
const lies: [
  what: string,
  reason: string,
  (at: { directory: number; end: number }) => {
    at: number;
    width: 2 | 4;
    value: number;
  },
][] = [
  ["that it is on another disk", "unsupported-zip", ({ end }) => lie(end + 4, 2, 1)],
  ["that its directory is on another disk", "unsupported-zip", ({ end }) => lie(end + 6, 2, 1)],
  ["that other entries are on another disk", "unsupported-zip", ({ end }) => lie(end + 8, 2, 1)],
  [
    "that an entry is on another disk",
    "unsupported-zip",
    ({ directory }) => lie(directory + 34, 2, 1),
  ],
  [
    "that its directory is where ZIP64 says",
    "unsupported-zip",
    ({ end }) => lie(end + 16, 4, 0xffffffff),
  ],
  [
    "that its directory is as long as ZIP64 says",
    "unsupported-zip",
    ({ end }) => lie(end + 12, 4, 0xffffffff),
  ],
  ["that its directory is shorter", "ambiguous-zip", ({ end }) => lie(end + 12, 4, 47)],
  [
    "that the comment of an entry reaches out",
    "malformed-zip",
    ({ directory }) => lie(directory + 32, 2, 99),
  ],
  ["that an entry begins elsewhere", "malformed-zip", ({ directory }) => lie(directory + 42, 4, 1)],
  ["that an entry begins without its mark", "malformed-zip", () => lie(34, 4, 0x04034b51)],
];

function lie(at: number, width: 2 | 4, value: number) {
  return { at, width, value };
}

for (const [what, reason, place] of lies) {
  test(`parseZip() refuses an archive that says ${what}: ${reason}`, async () => {
    const bytes = await zip([ABC, { name: "b", content: "xyz" }]);
    const { directory, end } = parseZip(bytes);
    const { at, width, value } = place({ directory: directory.start, end: end.start });
    bytes.set(numbers([[width, value]]), at);
    equal(await verdict(bytes), reason);
  });
}

test("parseZip() refuses what neither its entries nor its directory account for, gaps or not", async () => {
  const two = [ABC, { name: "b" }];
  equal(await verdict(two, { count: 1 }, { allowGaps: true }), "ambiguous-zip");
  // Entries that reach over the directory, and into a signing block that begins inside of one.
  equal(await verdict([{ ...ABC, both: { packed: 99, size: 99 } }]), "malformed-zip");
  const magic = utf8("APK Sig Block 42");
  const size = numbers([[8, 24]]);
  const inside = await zip([{ name: "a", content: size }], { block: concat(size, magic) });
  equal(await verdict(inside, {}, { allowGaps: true }), "ambiguous-zip");
});

test("parseZip() refuses entries in which others could hide from a reader of the directory", async () => {
  const hidden = await zip([{ name: "evil", content: "x" }]);
  const nothing = Uint8Array.of(3, 0);
  const folder = (content: Uint8Array): EntryRecipe[] => [{
    name: "a/",
    content,
    both: { method: 8, packed: content.length, size: 0, crc: 0 },
  }];
  equal(await verdict(folder(nothing)), "ok");
  // Nobody reads the content of a folder: its header is enough.
  const hiding = await zip(folder(concat(nothing, hidden)));
  assert.throws(() => parseZip(hiding), { reason: "malformed-zip" });
  const packed = await deflate(utf8("abc"));
  for (const more of [Uint8Array.of(0), hidden, new Uint8Array(40_000)]) {
    const content = concat(packed, more);
    const both = { method: 8, packed: content.length, size: 3, crc: crc32(utf8("abc")) };
    equal(await verdict([{ name: "a", content, both }]), "malformed-zip");
  }
  // What is stored and has its size behind it ends, for some, where a descriptor seems to stand.
  const inner = await zip([{ ...ABC, descriptor: "marked" }]);
  equal(await verdict([{ name: "a.zip", content: inner }]), "ok");
  equal(
    await verdict([{ name: "a.zip", content: inner, deflate: true, descriptor: "marked" }]),
    "ok",
  );
  equal(await verdict([{ name: "a.zip", content: inner, descriptor: "marked" }]), "ambiguous-zip");
  const stated = { crc: crc32(inner), packed: inner.length, size: inner.length };
  const full: EntryRecipe = { name: "a.zip", content: inner, descriptor: "marked", local: stated };
  equal(await verdict([full]), "ok");
});

test("parseZip() tells gaps instead of refusing them when asked", async () => {
  const bytes = await zip([ABC, { name: "b", before: utf8("xyz") }], { block: utf8("w") });
  const { gaps, directory } = parseZip(bytes, { allowGaps: true });
  equal(gaps.length, 2);
  equal(gaps[0].end - gaps[0].start, 3);
  equal(gaps[1].end, directory.start);
});

test("parseZip() refuses entries that share bytes", async () => {
  const bytes = await zip([ABC, { name: "b", content: "xyz" }]);
  const { directory } = parseZip(bytes);
  const view = new DataView(bytes.buffer);
  // The first entry's data would reach over the second entry.
  const size = directory.start - 31;
  for (const at of [18, 22, directory.start + 20, directory.start + 24]) {
    view.setUint32(at, size, true);
  }
  equal(await verdict(bytes), "ambiguous-zip");
});

test("parseZip() bounds entries and output, and streams stop at the stated size", async () => {
  const two = [ABC, { name: "b", content: "abc" }];
  equal(await verdict(two, {}, { maxEntries: 1 }), "limit-exceeded");
  equal(await verdict(two, {}, { maxOutputBytes: 5 }), "limit-exceeded");
  equal(await verdict(two, {}, { maxEntries: 2, maxOutputBytes: 6 }), "ok");
  const bomb = await deflate(new Uint8Array(4 << 20));
  const lying = await zip([{
    name: "bomb",
    content: bomb,
    both: { method: 8, packed: bomb.length, size: 10 },
  }]);
  equal(await verdict(lying), "malformed-zip");
  let unpacked = 0;
  const stream = async () => {
    const opened = parseZip(lying);
    for await (const { length } of streamZipEntry(opened, opened.entries[0])) unpacked += length;
  };
  await assert.rejects(stream, { reason: "malformed-zip" });
  equal(unpacked, 0);
  const archive = parseZip(await zip([{ name: "a", content: LONG, deflate: true }]));
  await assert.rejects(readZipEntry(archive, archive.entries[0], 10), { reason: "limit-exceeded" });
});

test("parseZip() refuses every cut of an archive, and bytes behind it", async () => {
  const bytes = await zip([ABC, { name: "b", content: LONG, deflate: true }]);
  for (let length = 0; length < bytes.length; length++) {
    assert.notEqual(await verdict(bytes.subarray(0, length)), "ok");
  }
  equal(await verdict(concat(bytes, utf8("x"))), "malformed-zip");
});

test("parseZip() takes a ZIP archive that is stored in an archive", async () => {
  const inner = await zip([ABC]);
  equal(await verdict([{ name: "inner.zip", content: inner }]), "ok");
});

test("parseZip() gives the range of an APK signing block and refuses one that contradicts itself", async () => {
  const magic = utf8("APK Sig Block 42");
  const block = concat(numbers([[8, 24]]), numbers([[8, 24]]), magic);
  const bytes = await zip([ABC], { block });
  const { signingBlock, directory } = parseZip(bytes);
  deepEqual(signingBlock, { start: directory.start - 32, end: directory.start });
  for (
    const [first, second, reason] of [
      [25, 24, "malformed-signing-block"],
      [24, 23, "malformed-signing-block"],
      [24, 4096, "malformed-signing-block"],
      [24, 16, "malformed-signing-block"],
      [24, 2 ** 40, "limit-exceeded"],
    ] as const
  ) {
    const bad = concat(numbers([[8, first]]), numbers([[8, second]]), magic);
    equal(await verdict([ABC], { block: bad }), reason);
  }
  const padding = 4096 - (directory.start - 32);
  for (
    const [fill, length, reason] of [
      [0, padding, "ok"],
      [1, padding, "ambiguous-zip"],
      [0, padding - 1, "ambiguous-zip"],
      [0, padding + 4096, "ambiguous-zip"],
    ] as const
  ) {
    const aligned = concat(new Uint8Array(length).fill(fill), block);
    equal(await verdict([ABC], { block: aligned }), reason);
  }
  const reaching = concat(numbers([[8, 24]]), numbers([[8, 40]]), magic);
  equal(await verdict([ABC], { block: reaching }), "malformed-signing-block");
});
