/** Writers of stores that are killed at any moment, and many that write at once. Deno only. */

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { createFolderStore, createLinesStore } from "../store/fs.ts";
import { digestOf } from "../store/_contract_test.ts";
import type { PrunableStore, StoreNote } from "../store/store.ts";

const ROOT = new URL("../", import.meta.url).pathname;
const STALE_LOCK_MS = 700;
/** Kills of a folder's writers, half as many of a file's; more with STORE_KILLS. */
const KILLS = Number(Deno.env.get("STORE_KILLS") ?? 60);
const AT_ONCE = 20;

type Kind = "folder" | "lines";

function open(kind: Kind, path: string): PrunableStore {
  return kind === "folder"
    ? createFolderStore(path, { maxFound: 1_000_000, staleLockMs: STALE_LOCK_MS })
    : createLinesStore(path, { staleLockMs: STALE_LOCK_MS });
}

/** Starts a writer; answers what it said, and ends with it. */
function startWriter(kind: Kind, path: string, name: string, count: number) {
  const child = new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      "-A",
      "--no-check",
      `${ROOT}tests/store_writer.ts`,
      kind,
      path,
      name,
      String(count),
      String(STALE_LOCK_MS),
    ],
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
  let text = "";
  let begin = () => {};
  const begun = new Promise<void>((resolve) => begin = resolve);
  const read = (async () => {
    for await (const chunk of child.stdout) {
      text += new TextDecoder().decode(chunk);
      begin();
    }
    begin();
  })();
  return {
    child,
    begun,
    /** How many it acknowledged so far. */
    said: () => text.split("\n").length - 1,
    /** Ids of what was acknowledged; a line that was cut is none. */
    async ended(): Promise<string[]> {
      await read;
      await child.status;
      return text.split("\n").slice(0, -1);
    },
  };
}

async function inFolder(run: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "store-crash-" });
  try {
    await run(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** Checks that all that was acknowledged is found, by every subject, and that all is sound. */
async function checkStore(kind: Kind, path: string, acknowledged: ReadonlySet<string>) {
  const notes: StoreNote[] = [];
  const onNote = (note: StoreNote) => notes.push(note);
  const store = open(kind, path);
  for (const subject of [digestOf("all"), { sha512: "0a".repeat(64) }]) {
    const found = new Set((await store.find(subject, { onNote }))?.map(({ id }) => id));
    const lost = [...acknowledged].filter((id) => !found.has(id));
    assert.deepEqual(lost, [], `${lost.length} of ${acknowledged.size} lost`);
  }
  const listed = new Set<string>();
  for await (const { id } of store.list({ onNote })) listed.add(id);
  assert.deepEqual([...acknowledged].filter((id) => !listed.has(id)), []);
  // What a killed writer left in a folder leads to nothing; in a file it is a line that is cut.
  const left = kind === "folder" ? /attestation-not-found/ : /malformed-json|empty-input/;
  for (const note of notes) assert.match(note.reason, left, note.message);
}

for (const kind of ["folder", "lines"] as const) {
  const kills = kind === "folder" ? KILLS : KILLS / 2;
  describe(`a store in ${kind === "folder" ? "a folder" : "a file of lines"}`, () => {
    it(`loses nothing when ${kills} of its writers are killed`, () =>
      inFolder(async (folder) => {
        const path = kind === "folder" ? folder : `${folder}/app.intoto.jsonl`;
        if (kind === "lines") await Deno.writeFile(path, new Uint8Array());
        const acknowledged = new Set<string>();
        let killed = 0;
        for (let round = 0; killed < kills; round++) {
          const writers = Array.from(
            { length: AT_ONCE },
            (_, i) => startWriter(kind, path, `${round}-${i}`, 1_000_000),
          );
          await Promise.race(writers.map(({ begun }) => begun));
          // They are in the middle of it when the first one is killed.
          while (writers.reduce((sum, writer) => sum + writer.said(), 0) < AT_ONCE / 2) {
            await new Promise((resolve) => setTimeout(resolve, 5));
          }
          for (const { child } of writers) {
            await new Promise((resolve) => setTimeout(resolve, Math.random() * 12));
            child.kill("SIGKILL");
            killed++;
          }
          for (const writer of writers) {
            for (const id of await writer.ended()) acknowledged.add(id);
          }
        }
        assert.ok(acknowledged.size >= kills / 2, `only ${acknowledged.size} were put`);
        await checkStore(kind, path, acknowledged);
        if (kind === "folder") {
          await createFolderStore(path, { staleLockMs: STALE_LOCK_MS }).tidy();
          await checkStore(kind, path, acknowledged);
        }
        console.log(`  ${acknowledged.size} puts acknowledged, ${killed} writers killed`);
      }));

    it("keeps what several processes write at once", () =>
      inFolder(async (folder) => {
        const path = kind === "folder" ? `${folder}/store` : `${folder}/app.intoto.jsonl`;
        const [processes, each] = [6, 15];
        // Two of each name write the same.
        const writers = Array.from(
          { length: processes },
          (_, i) => startWriter(kind, path, `writer-${i >> 1}`, each),
        );
        const said = await Promise.all(writers.map((writer) => writer.ended()));
        for (const ids of said) assert.equal(ids.length, each);
        const acknowledged = new Set(said.flat());
        assert.equal(acknowledged.size, processes / 2 * each);
        await checkStore(kind, path, acknowledged);
        let entries = 0;
        for await (const _ of open(kind, path).list()) entries++;
        assert.equal(entries, acknowledged.size);
        if (kind === "lines") {
          const lines = Deno.readTextFileSync(path).split("\n");
          assert.equal(lines.length, acknowledged.size + 1);
          for (const line of lines.slice(0, -1)) JSON.parse(line);
        }
      }));
  });
}
