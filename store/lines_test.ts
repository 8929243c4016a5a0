import { deepStrictEqual as deepEqual, ok, strictEqual as equal, throws } from "node:assert/strict";
import { test } from "node:test";
import { isAttestationError } from "../errors.ts";
import { concat, utf8 } from "../internal/bytes.ts";
import { attestation, digestOf, entriesOf, refused, testStore } from "./_contract_test.ts";
import { MemoryDisk } from "./_memory_disk_test.ts";
import { LinesStore } from "./lines.ts";
import type { StoreNote } from "./store.ts";

const PATH = "folder/app.intoto.jsonl";
const APP = digestOf("app");

function emptyFile(content: Uint8Array = new Uint8Array()): MemoryDisk {
  const disk = new MemoryDisk(["folder"]);
  disk.plant(PATH, content);
  return disk;
}

testStore("LinesStore", () => new LinesStore(PATH, emptyFile()), { lines: true });

const one = attestation([APP], "1");
const two = attestation([APP, digestOf("b")], "2");

function textOf(disk: MemoryDisk): string {
  return new TextDecoder().decode(disk.nodes.get(PATH)?.bytes);
}

test("LinesStore reads what others wrote, and never destroys a line that it does not know", async () => {
  const lines = [
    utf8("\r\n  \n"),
    one,
    utf8('\r\n{"kind":"of the future"}\nno JSON\n'),
    utf8('{"a":1,"a":2}\n'),
    new Uint8Array([0xff, 0xfe, 10]),
    two,
  ];
  const disk = emptyFile(concat(...lines));
  const store = new LinesStore(PATH, disk);
  const notes: StoreNote[] = [];
  const found = await store.find(APP, { onNote: (note) => notes.push(note) });
  deepEqual(found?.map(({ source }) => source), [`${PATH}#3`, `${PATH}#8`]);
  deepEqual(found?.map(({ content }) => [...content]), [[...one], [...two]]);
  equal(notes.length, 1);
  ok(/4 lines that are no attestation$/.test(notes[0].message), notes[0].message);
  const before = disk.nodes.get(PATH)!.bytes;
  // The last line had no end: it gets one before the next.
  const put = await store.put(attestation([APP], "3"));
  equal(put.source, `${PATH}#9`);
  deepEqual([...disk.nodes.get(PATH)!.bytes.subarray(0, before.length)], [...before]);
  equal((await store.find(APP))?.length, 3);
  await store.remove(found![0].id);
  ok(textOf(disk).includes("of the future") && textOf(disk).includes("no JSON"));
  equal((await store.find(APP))?.length, 2);
});

test("LinesStore stopped at any step loses nothing that was acknowledged", async () => {
  let stopped = 0;
  for (let steps = 0;; steps++) {
    const disk = emptyFile();
    const store = new LinesStore(PATH, disk, { staleLockMs: 60 });
    const acknowledged = [(await store.put(one)).id];
    let left = steps;
    disk.before = () => {
      if (left-- <= 0) throw new Error("the power fails");
    };
    const over = await store.put(two).then(({ id }) => !!acknowledged.push(id), (error) => {
      ok(isAttestationError(error) && error.reason === "store-unavailable");
      stopped++;
      return false;
    });
    disk.before = () => {};
    const again = new LinesStore(PATH, disk, { staleLockMs: 60 });
    const found = (await again.find(APP))?.map(({ id }) => id) ?? [];
    ok(acknowledged.every((id) => found.includes(id)), `after ${steps} steps`);
    await again.put(two);
    equal((await again.find(digestOf("b")))?.length, 1);
    if (over) break;
  }
  ok(stopped > 5, `stopped ${stopped} times`);
});

test("LinesStore goes on after a line that was cut in the middle", async () => {
  for (const cut of [1, 10, two.length - 1]) {
    const disk = emptyFile(concat(one, utf8("\n"), two.subarray(0, cut)));
    const store = new LinesStore(PATH, disk);
    equal((await store.find(APP))?.length, 1);
    equal((await store.put(two)).created, true);
    equal((await store.find(APP))?.length, 2);
    equal((await new LinesStore(PATH, disk).find(APP))?.length, 2);
  }
});

test("LinesStore sees what others add, change and remove", async () => {
  const disk = emptyFile();
  const [ours, theirs] = [new LinesStore(PATH, disk), new LinesStore(PATH, disk)];
  await ours.put(one);
  equal((await theirs.find(APP))?.length, 1);
  const { id } = await theirs.put(two);
  equal((await ours.find(APP))?.length, 2);
  equal((await ours.put(two)).created, false);
  await ours.remove(id);
  equal((await theirs.find(APP))?.length, 1);
  // Another file with the same name and size.
  const other = attestation([APP], "x");
  disk.plant(PATH, concat(other, utf8("\n")));
  deepEqual([...(await theirs.find(APP))![0].content], [...other]);
});

test("LinesStore reads only what was added since", async () => {
  const disk = emptyFile();
  const store = new LinesStore(PATH, disk);
  for (let i = 0; i < 30; i++) await store.put(attestation([digestOf(`file ${i}`)]));
  let bytes = 0;
  const read = disk.readPart.bind(disk);
  disk.readPart = async (path, start, length) => {
    const part = await read(path, start, length);
    bytes += part.length;
    return part;
  };
  await store.put(attestation([APP]));
  ok(bytes < 4 * one.length, `${bytes} bytes`);
  bytes = 0;
  await store.find(APP);
  ok(bytes < 4 * one.length, `${bytes} bytes`);
});

test("LinesStore leaves out lines that are too long, and goes on behind them", async () => {
  const disk = emptyFile(concat(utf8(`{"x":"${"y".repeat(3 << 20)}"}\n`), one, utf8("\n")));
  const store = new LinesStore(PATH, disk, { maxBytes: 1 << 20 });
  const notes: StoreNote[] = [];
  const found = await store.find(APP, { onNote: (note) => notes.push(note) });
  deepEqual(found?.map(({ source }) => source), [`${PATH}#2`]);
  deepEqual(notes.map(({ reason }) => reason), ["limit-exceeded"]);
});

test("LinesStore bounds the file and the number of attestations", async () => {
  const small = new LinesStore(PATH, emptyFile(), { maxFileBytes: one.length + 10 });
  await small.put(one);
  await refused("limit-exceeded", () => small.put(two));
  equal((await small.find(APP))?.length, 1);
  await refused(
    "limit-exceeded",
    () => new LinesStore(PATH, emptyFile(concat(one, one)), { maxFileBytes: one.length }).find(APP),
  );
  const few = new LinesStore(PATH, emptyFile(), { maxEntries: 1 });
  await few.put(one);
  await refused("limit-exceeded", () => few.put(two));
});

test("LinesStore says of what is no file, or fails, that it could not look", async () => {
  const none = new LinesStore(PATH, new MemoryDisk(["folder"]));
  await refused("store-unavailable", () => none.find(APP));
  await refused("store-unavailable", () => entriesOf(none));
  equal((await none.put(one)).created, true);
  equal((await none.find(APP))?.length, 1);
  const folder = new LinesStore("folder", new MemoryDisk(["folder"]));
  await refused("store-unavailable", () => folder.find(APP));
  await refused("store-unavailable", () => folder.put(one));
  const disk = emptyFile(one);
  disk.before = () => {
    throw new Error("input/output error");
  };
  await refused("store-unavailable", () => new LinesStore(PATH, disk).find(APP));
});

test("LinesStore bounds the subjects of one attestation, and has a name", async () => {
  const store = new LinesStore(PATH, emptyFile(), { maxSubjects: 1, name: "ours" });
  await store.put(one);
  await refused("limit-exceeded", () => store.put(two));
  equal(store.name, "ours");
});

test("LinesStore refuses wrong options", () => {
  throws(() => new LinesStore("", emptyFile()), TypeError);
  throws(() => new LinesStore(PATH, emptyFile(), { max: 1 } as never), TypeError);
  throws(() => new LinesStore(PATH, emptyFile(), { maxBytes: 0 }), RangeError);
});
