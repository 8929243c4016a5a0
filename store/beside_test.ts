import { deepStrictEqual as deepEqual, ok, strictEqual as equal, throws } from "node:assert/strict";
import { test } from "node:test";
import { concat, utf8 } from "../internal/bytes.ts";
import { attestation, digestOf, entriesOf, refused, testStore } from "./_contract_test.ts";
import { MemoryDisk } from "./_memory_disk_test.ts";
import { BesideStore } from "./beside.ts";
import { digestOfName, namesByDigest } from "./file_names.ts";
import type { StoreNote } from "./store.ts";

const PATH = "folder/app.tgz";
const APP = digestOf("app");

testStore("BesideStore", () => new BesideStore(PATH, new MemoryDisk(["folder"])), { lines: true });

test("BesideStore finds by every name that attestations have beside an artifact", async () => {
  const names = [
    "app.tgz.sigstore.json",
    "app.tgz.sigstore",
    "app.tgz.intoto.jsonl",
    "app.tgz.intoto.json",
    "app.tgz.att.json",
    `sha256:${APP.sha256}.jsonl`,
    `sha256-${APP.sha256}.jsonl`,
  ];
  const disk = new MemoryDisk(["folder"]);
  for (const [i, name] of names.entries()) {
    disk.plant(`folder/${name}`, attestation([APP], `${i}`));
  }
  disk.plant("folder/other.sigstore.json", attestation([APP], "not beside it"));
  const found = await new BesideStore(PATH, disk).find(APP);
  deepEqual(
    found?.map(({ source }) => source.replace(/#1$/, "").replace("folder/", "")),
    names,
  );
});

test("BesideStore leaves out what is about something else, and what is no attestation", async () => {
  const disk = new MemoryDisk(["folder"]);
  disk.plant(`${PATH}.sigstore.json`, attestation([digestOf("other")]));
  disk.plant(`${PATH}.sigstore`, utf8("<!DOCTYPE html>"));
  disk.plant(`${PATH}.intoto.jsonl`, concat(utf8("not JSON\n"), attestation([APP])));
  disk.plant(`${PATH}.att.json`, new Uint8Array((24 << 20) + 1));
  disk.plant(`${PATH}.intoto.json`, utf8(""), "directory");
  const notes: StoreNote[] = [];
  const store = new BesideStore(PATH, disk);
  equal((await store.find(APP, { onNote: (note) => notes.push(note) }))?.length, 1);
  deepEqual(notes.map(({ reason }) => reason), [
    "malformed-json",
    "malformed-json",
    "limit-exceeded",
  ]);
  equal((await entriesOf(store)).length, 2);
});

test("BesideStore adds to the lines, and changes nothing that others wrote", async () => {
  const disk = new MemoryDisk(["folder"]);
  const theirs = attestation([APP], "theirs");
  disk.plant(`${PATH}.sigstore.json`, theirs);
  const store = new BesideStore(PATH, disk);
  await store.put(attestation([APP], "ours"));
  equal(disk.nodes.get(`${PATH}.sigstore.json`)?.bytes.length, theirs.length);
  deepEqual((await store.find(APP))?.map(({ source }) => source), [
    `${PATH}.sigstore.json`,
    `${PATH}.intoto.jsonl#1`,
  ]);
});

test("BesideStore says of a disk that fails that it could not look", async () => {
  const disk = new MemoryDisk(["folder"]);
  disk.plant(`${PATH}.sigstore.json`, attestation([APP]));
  for (const operation of ["entry", "read"]) {
    disk.before = (name) => {
      if (name === operation) throw new Error("input/output error");
    };
    await refused("store-unavailable", () => new BesideStore(PATH, disk).find(APP));
  }
  equal(new BesideStore(PATH, disk, { name: "ours" }).name, "ours");
  throws(() => new BesideStore("folder/", disk), TypeError);
  throws(() => new BesideStore(PATH, disk, { x: 1 } as never), TypeError);
});

test("namesByDigest() names files only by digests that are hex", () => {
  deepEqual(namesByDigest({ sha256: "AB".repeat(32) }), [
    `sha256:${"ab".repeat(32)}.jsonl`,
    `sha256-${"ab".repeat(32)}.jsonl`,
  ]);
  deepEqual(
    namesByDigest({ sha256: "../../x", "../x": "ab".repeat(32), md5: "ab".repeat(16) }),
    [],
  );
  ok(digestOfName(`sha256:${"ab".repeat(32)}.jsonl`) !== undefined);
  equal(digestOfName("sha256:ab.jsonl"), undefined);
});
