import { deepStrictEqual as deepEqual, ok, strictEqual as equal, throws } from "node:assert/strict";
import { test } from "node:test";
import { isAttestationError } from "../errors.ts";
import { utf8 } from "../internal/bytes.ts";
import { attestation, digestOf, entriesOf, refused, testStore } from "./_contract_test.ts";
import { MemoryDisk } from "./_memory_disk_test.ts";
import { FolderStore } from "./folder.ts";
import type { StoreNote } from "./store.ts";

const ROOT = "store";
const APP = digestOf("app");

testStore("FolderStore", () => new FolderStore(ROOT, new MemoryDisk([ROOT])));

function opened(disk = new MemoryDisk([ROOT])) {
  return { disk, store: new FolderStore(ROOT, disk, { staleLockMs: 60 }) };
}

async function notesOf(store: FolderStore, subject = APP): Promise<[number | undefined, string[]]> {
  const notes: StoreNote[] = [];
  const found = await store.find(subject, { onNote: (note) => notes.push(note) });
  return [found?.length, notes.map(({ reason }) => reason)];
}

function pathOf(id: string): string {
  const hex = id.slice("sha256:".length);
  return `${ROOT}/attestations/${hex.slice(0, 2)}/${hex}.json`;
}

test("FolderStore finds by reading one folder of the index, however much it holds", async () => {
  const { disk, store } = opened();
  for (let i = 0; i < 50; i++) await store.put(attestation([digestOf(`file ${i}`)]));
  await store.put(attestation([APP]));
  const steps: string[] = [];
  disk.before = (operation, path) => steps.push(`${operation} ${path}`);
  await store.find(APP);
  equal(steps.filter((step) => step.startsWith("names")).length, 1);
  ok(steps.length <= 6, steps.join("\n"));
});

test("FolderStore stopped at any step loses nothing that was acknowledged", async () => {
  // Each run is stopped one step later, until one is not stopped any more.
  const first = attestation([APP], "first");
  const second = attestation([APP, digestOf("b"), { arn: "x" }], "second");
  let stopped = 0;
  for (let steps = 0;; steps++) {
    const disk = new MemoryDisk([ROOT]);
    const acknowledged: string[] = [];
    const store = new FolderStore(ROOT, disk, { staleLockMs: 60 });
    acknowledged.push((await store.put(first)).id);
    let left = steps;
    disk.before = () => {
      if (left-- <= 0) throw new Error("the power fails");
    };
    let over = false;
    try {
      acknowledged.push((await store.put(second)).id);
      over = true;
    } catch (error) {
      ok(isAttestationError(error) && error.reason === "store-unavailable", String(error));
      stopped++;
    }
    disk.before = () => {};
    const again = new FolderStore(ROOT, disk, { staleLockMs: 60 });
    const found = (await again.find(APP))?.map(({ id }) => id) ?? [];
    ok(acknowledged.every((id) => found.includes(id)), `after ${steps} steps`);
    deepEqual((await entriesOf(again)).map(({ id }) => id), found);
    // Whoever comes next finishes the work, also with the lock that was left behind.
    equal((await again.put(second)).id.length, 71);
    equal((await again.find(digestOf("b")))?.length, 1);
    equal((await again.find({ arn: "x" }))?.length, 1);
    if (over) break;
  }
  ok(stopped > 15, `stopped ${stopped} times`);
});

test("FolderStore stopped in a removal has the attestation or has it not", async () => {
  let stopped = 0;
  for (let steps = 0;; steps++) {
    const { disk, store } = opened();
    const { id } = await store.put(attestation([APP, digestOf("b")]));
    const { id: other } = await store.put(attestation([APP], "other"));
    let left = steps;
    disk.before = () => {
      if (left-- <= 0) throw new Error("the power fails");
    };
    const over = await store.remove(id).then(() => true, () => false);
    if (!over) stopped++;
    disk.before = () => {};
    const ids = (await store.find(APP))?.map((one) => one.id) ?? [];
    ok(ids.includes(other));
    equal((await store.find(digestOf("b")))?.length ?? 0, ids.includes(id) ? 1 : 0);
    equal((await store.put(attestation([APP, digestOf("b")]))).id, id);
    equal((await store.find(digestOf("b")))?.length, 1);
    if (over) break;
  }
  ok(stopped > 8, `stopped ${stopped} times`);
});

test("FolderStore leaves no room between a put and a removal of the same content", async () => {
  const { store } = opened();
  const content = attestation([APP]);
  for (let round = 0; round < 20; round++) {
    const { id } = await store.put(content);
    await Promise.all([store.remove(id), store.put(content)]);
    // Whoever was first: what is there can be found.
    const listed = (await entriesOf(store)).length;
    equal((await store.find(APP))?.length ?? 0, listed);
  }
});

test("FolderStore refuses content that is not what its name says", async () => {
  const spoilt: [
    string,
    (content: Uint8Array) => [Uint8Array, "file" | "link" | "directory" | "other"],
  ][] = [
    ["content-mismatch", (content) => [content.with(-2, 32), "file"]],
    ["content-mismatch", (content) => [content.subarray(1), "file"]],
    ["content-mismatch", () => [new Uint8Array(), "file"]],
    ["content-mismatch", (content) => [content, "link"]],
    ["content-mismatch", (content) => [content, "directory"]],
    ["content-mismatch", (content) => [content, "other"]],
    ["limit-exceeded", () => [new Uint8Array((24 << 20) + 1), "file"]],
  ];
  for (const [reason, change] of spoilt) {
    const { disk, store } = opened();
    const content = attestation([APP]);
    const { id } = await store.put(content);
    disk.plant(pathOf(id), ...change(content));
    // Nothing but what is spoilt is there: that is not absence.
    await refused(reason as "content-mismatch", () => store.find(APP));
    await store.put(attestation([APP], "good"));
    deepEqual(await notesOf(store), [1, [reason]]);
    equal((await entriesOf(store)).length, 1);
  }
});

test("FolderStore puts content anew where it was spoilt", async () => {
  const { disk, store } = opened();
  const content = attestation([APP]);
  const { id } = await store.put(content);
  disk.plant(pathOf(id), content.with(-2, 32));
  equal((await store.put(content)).created, true);
  equal((await store.find(APP))?.[0].content.length, content.length);
});

test("FolderStore leaves out what its index says and is not so", async () => {
  const { disk, store } = opened();
  const { id } = await store.put(attestation([digestOf("other")]));
  const hex = id.slice("sha256:".length);
  const folder = `${ROOT}/subjects/sha256/${APP.sha256.slice(0, 2)}/${APP.sha256}`;
  await disk.makeFolder(folder);
  disk.plant(`${folder}/${hex}`, new Uint8Array());
  deepEqual(await notesOf(store), [undefined, ["subject-mismatch"]]);
  disk.plant(`${folder}/${"0".repeat(64)}`, new Uint8Array());
  disk.plant(`${folder}/..%2f..%2fetc`, new Uint8Array());
  deepEqual(await notesOf(store), [
    undefined,
    ["content-mismatch", "attestation-not-found", "subject-mismatch"],
  ]);
  // A file that is no attestation, under its true name.
  const text = utf8("no attestation");
  const { contentId } = await import("./claims.ts");
  const name = (await contentId(text)).slice("sha256:".length);
  await disk.makeFolder(`${ROOT}/attestations/${name.slice(0, 2)}`);
  disk.plant(pathOf(`sha256:${name}`), text);
  disk.plant(`${folder}/${name}`, new Uint8Array());
  deepEqual((await notesOf(store))[1].includes("malformed-json"), true);
  equal(await store.find(APP), undefined);
});

test("FolderStore makes no name of what an attestation says", async () => {
  const { disk, store } = opened();
  await store.put(attestation([
    JSON.parse('{"../../../x":"..","__proto__":"/etc","sha256":"' + APP.sha256 + '"}'),
    { sha256: "A".repeat(64), "other": "x", "subjects/sha256": "y" },
  ]));
  for (const path of disk.nodes.keys()) {
    ok(
      /^store(\/(store\.json|tmp|(attestations|subjects\/(sha256|other))(\/[0-9a-f]{2}(\/[0-9a-f]{64}(\.json|\/[0-9a-f]{64})?)?)?|subjects))?$/
        .test(path),
      path,
    );
  }
});

test("FolderStore says of what is no store that it could not look", async () => {
  const marker = (text: string) => {
    const disk = new MemoryDisk([ROOT]);
    disk.plant(`${ROOT}/store.json`, utf8(text));
    return disk;
  };
  const foreign = new MemoryDisk([ROOT]);
  foreign.plant(`${ROOT}/app.tgz`, utf8("x"));
  const file = new MemoryDisk();
  file.plant(ROOT, utf8("x"));
  const link = new MemoryDisk([ROOT]);
  link.plant(`${ROOT}/store.json`, utf8('{"format":"attestation-store","version":1}'), "link");
  const disks = [
    foreign,
    file,
    link,
    marker(""),
    marker("{}"),
    marker('{"format":"attestation-store","version":2}'),
    marker('{"format":"attestation-store","format":"attestation-store","version":1}'),
    marker(" ".repeat(5000)),
  ];
  for (const disk of disks) {
    const { store } = opened(disk);
    const before = [...disk.nodes.keys()];
    await refused("store-unavailable", () => store.find(APP));
    await refused("store-unavailable", () => store.put(attestation([APP])));
    await refused("store-unavailable", () => entriesOf(store));
    deepEqual([...disk.nodes.keys()], before);
  }
  const { store } = opened(new MemoryDisk());
  await refused("store-unavailable", () => store.find(APP));
  await store.put(attestation([APP]));
  equal((await store.find(APP))?.length, 1);
});

test("FolderStore says of a disk that fails that it could not look", async () => {
  const { disk, store } = opened();
  await store.put(attestation([APP]));
  for (const operation of ["entry", "names", "read"]) {
    disk.before = (name) => {
      if (name === operation) throw new Error("input/output error");
    };
    await refused("store-unavailable", () => store.find(APP));
    await refused("store-unavailable", () => entriesOf(store));
  }
});

test("FolderStore takes over the lock of a process that ended", async () => {
  const { disk, store } = opened();
  const content = attestation([APP]);
  const { id } = await store.put(content);
  disk.plant(`${ROOT}/tmp/${id.slice(7)}.lock`, utf8("somebody\n"));
  equal((await store.put(content)).created, false);
  deepEqual(await disk.names(`${ROOT}/tmp`), []);
});

test("FolderStore bounds how many attestations of a subject it reads", async () => {
  const disk = new MemoryDisk([ROOT]);
  const store = new FolderStore(ROOT, disk, { maxFound: 2 });
  for (const note of ["1", "2"]) await store.put(attestation([APP], note));
  equal((await store.find(APP))?.length, 2);
  await store.put(attestation([APP], "3"));
  await refused("limit-exceeded", () => store.find(APP));
});

test("FolderStore tidies what stopped writers left, and mends its index", async () => {
  const { disk, store } = opened();
  const { id } = await store.put(attestation([APP, digestOf("b")]));
  const entry = `${ROOT}/subjects/sha256/${APP.sha256.slice(0, 2)}/${APP.sha256}`;
  await disk.remove(`${entry}/${id.slice(7)}`);
  const dangling = `${ROOT}/subjects/sha256/00/${"0".repeat(64)}`;
  await disk.makeFolder(dangling);
  disk.plant(`${dangling}/${"1".repeat(64)}`, new Uint8Array());
  disk.plant(`${ROOT}/tmp/${crypto.randomUUID()}.tmp`, utf8("half"));
  equal(await store.find(APP), undefined);
  // The clock of this disk begins in 1970: what was planted is old.
  deepEqual(await store.tidy(), { temporary: 1, dangling: 1, repaired: 1 });
  equal((await store.find(APP))?.length, 1);
  equal(disk.nodes.has(dangling), false);
  deepEqual(await store.tidy(), { temporary: 0, dangling: 0, repaired: 0 });
});

test("FolderStore refuses wrong options", () => {
  const disk = new MemoryDisk();
  throws(() => new FolderStore("", disk), TypeError);
  throws(() => new FolderStore(ROOT, disk, { max: 1 } as never), TypeError);
  throws(() => new FolderStore(ROOT, disk, { maxFound: 0 }), RangeError);
});

test("FolderStore bounds the bytes and the subjects of one attestation, and has a name", async () => {
  const content = attestation([APP, digestOf("b")]);
  const bounded = (options: object) =>
    new FolderStore(ROOT, new MemoryDisk([ROOT]), { name: "ours", ...options });
  equal((await bounded({ maxBytes: content.length, maxSubjects: 2 }).put(content)).created, true);
  await refused("limit-exceeded", () => bounded({ maxBytes: content.length - 1 }).put(content));
  await refused("limit-exceeded", () => bounded({ maxSubjects: 1 }).put(content));
  equal(bounded({}).name, "ours");
});
