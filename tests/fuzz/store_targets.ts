/** Targets that keep and find what others wrote. */

import { encodeHex } from "../../internal/hex.ts";
import { sha256 } from "../../internal/sha256.ts";
import { decodeSnappy } from "../../internal/snappy.ts";
import { attestation, digestOf } from "../../store/_contract_test.ts";
import { MemoryDisk } from "../../store/_memory_disk_test.ts";
import { FolderStore } from "../../store/folder.ts";
import { LinesStore } from "../../store/lines.ts";
import { createMemoryStore } from "../../store/mod.ts";
import type { AttestationStore, StoredAttestation } from "../../store/store.ts";
import { reasonOf } from "./parsers.ts";
import { Broken, type Target } from "./target.ts";

const APP = digestOf("app");
const FOLDER = "store";
const LINES = "store/app.intoto.jsonl";

function checkIds(found: readonly StoredAttestation[]): void {
  for (const { id, content } of found) {
    if (id !== `sha256:${encodeHex(sha256(content))}`) throw new Broken("an id that is another's");
  }
}

/** What is put is found by everything that it is listed under, and is the same bytes. */
async function putAndFind(store: AttestationStore, input: Uint8Array): Promise<void> {
  const { id } = await store.put(input);
  for await (const entry of store.list()) {
    for (const subject of entry.subjects) {
      const found = await store.find(subject) ?? [];
      checkIds(found);
      if (!found.some((one) => one.id === id)) throw new Broken("what was put is not found");
    }
  }
}

const SEEDS = [
  { name: "envelope", bytes: attestation([APP, { gitCommit: "ab".repeat(20), "x/../y": "z" }]) },
  { name: "other", bytes: attestation([digestOf("b")], "note") },
];

/** One for each. */
export const STORE_TARGETS: readonly Target[] = [
  {
    name: "createMemoryStore",
    kind: "parser",
    prepare: () => ({
      seeds: SEEDS,
      shape: "json",
      async run(input) {
        await putAndFind(createMemoryStore(), input);
        const disk = new MemoryDisk([FOLDER]);
        await putAndFind(new FolderStore(FOLDER, disk), input);
        for (const path of disk.nodes.keys()) {
          if (!/^store(\/(?!\.)[\w.]+){0,5}$/.test(path)) throw new Broken(`a file ${path}`);
        }
        return null;
      },
    }),
  },
  {
    name: "createLinesStore",
    kind: "parser",
    prepare: () => ({
      seeds: SEEDS,
      shape: "json-lines",
      async run(input) {
        const disk = new MemoryDisk([FOLDER]);
        disk.plant(LINES, input);
        const store = new LinesStore(LINES, disk);
        checkIds(await store.find(APP) ?? []);
        await store.put(SEEDS[1].bytes);
        if (await store.find(digestOf("b")) === undefined) throw new Broken("a put that is lost");
        const kept = disk.nodes.get(LINES)?.bytes.subarray(0, input.length) ?? new Uint8Array();
        if (encodeHex(kept) !== encodeHex(input)) throw new Broken("a line was changed");
        return null;
      },
    }),
  },
  {
    name: "decodeSnappy",
    kind: "parser",
    prepare: () => ({
      seeds: [
        { name: "literal", bytes: new Uint8Array([3, 2 << 2, 97, 98, 99]) },
        { name: "copy", bytes: new Uint8Array([12, 1 << 2, 97, 98, 1, 2, 22, 2, 0]) },
      ],
      shape: "der",
      run(input) {
        try {
          const decoded = decodeSnappy(input, 4096);
          if (decoded.length > 4096) throw new Broken("more than is accepted");
          return null;
        } catch (error) {
          if (error instanceof Broken) throw error;
          return reasonOf(error);
        }
      },
    }),
  },
];
