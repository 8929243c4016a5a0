import { deepStrictEqual as deepEqual, rejects, strictEqual as equal } from "node:assert/strict";
import { test } from "node:test";
import { AttestationError } from "../errors.ts";
import { attestation, digestOf, entriesOf, refused, testStore } from "./_contract_test.ts";
import { createLayeredStore, lookUp } from "./layered.ts";
import { createMemoryStore } from "./memory.ts";
import type { AttestationStore } from "./store.ts";

testStore(
  "createLayeredStore()",
  () =>
    createLayeredStore([createMemoryStore({ name: "near" }), createMemoryStore({ name: "far" })]),
);

const APP = digestOf("app");

/** A store that fails. */
function broken(error: unknown): AttestationStore {
  return { ...createMemoryStore(), name: "broken", find: () => Promise.reject(error) } as never;
}

const DOWN = new AttestationError("store-unavailable", "Cannot ask broken: it is down");

test("lookUp() tells of each store what became of it, and gives each attestation once", async () => {
  const [near, middle, far] = ["near", "middle", "far"].map((name) => createMemoryStore({ name }));
  const [one, two] = [attestation([APP], "1"), attestation([APP], "2")];
  await near.put(one);
  await far.put(one);
  await far.put(two);
  const { attestations, tried, complete } = await lookUp([near, middle, broken(DOWN), far], APP);
  equal(attestations.length, 2);
  equal(attestations[0].source.startsWith("near#"), true);
  equal(attestations[1].source.startsWith("far#"), true);
  equal(complete, false);
  deepEqual(
    tried.map(({ store, outcome, count, errorReason }) => [store, outcome, count, errorReason]),
    [
      ["near", "found", 1, null],
      ["middle", "not-found", 0, null],
      ["broken", "failed", 0, "store-unavailable"],
      ["far", "found", 2, null],
    ],
  );
  equal(tried[2].error, DOWN);
});

test("lookUp() never takes a store that failed for one that has nothing", async () => {
  const failures: [unknown, string][] = [
    [DOWN, "store-unavailable"],
    [new AttestationError("content-mismatch", "x"), "content-mismatch"],
    [new TypeError("a bug"), "store-unavailable"],
    ["a text", "store-unavailable"],
    [undefined, "store-unavailable"],
  ];
  for (const [failure, reason] of failures) {
    const { attestations, tried, complete } = await lookUp(
      [createMemoryStore(), broken(failure)],
      APP,
    );
    deepEqual([attestations.length, complete, tried[1].errorReason], [0, false, reason]);
  }
});

test("lookUp() with until first goes on after a failure, and stops at the first that has some", async () => {
  const near = createMemoryStore({ name: "near" });
  await near.put(attestation([APP]));
  const { tried, complete } = await lookUp(
    [broken(DOWN), createMemoryStore({ name: "empty" }), near, broken(new Error("not asked"))],
    APP,
    { until: "first" },
  );
  deepEqual(tried.map(({ outcome }) => outcome), ["failed", "not-found", "found", "skipped"]);
  equal(complete, false);
});

test("lookUp() asks all stores at the same time", async () => {
  let asked = 0;
  let open = () => {};
  const all = new Promise<void>((resolve) => open = resolve);
  const waiting: AttestationStore = {
    ...createMemoryStore(),
    name: "waiting",
    async find() {
      if (++asked === 3) open();
      await all;
      return undefined;
    },
  } as never;
  const { tried } = await lookUp([waiting, waiting, waiting], APP);
  equal(tried.length, 3);
});

test("lookUp() refuses wrong arguments, and passes on what stores note", async () => {
  await rejects(() => lookUp([], APP), TypeError);
  await rejects(() => lookUp([createMemoryStore()], {}), TypeError);
  await rejects(() => lookUp([createMemoryStore()], APP, { untl: "all" } as never), TypeError);
  await rejects(() => lookUp([createMemoryStore()], APP, { until: "last" } as never), TypeError);
  await refused("invalid-digest", () => lookUp([createMemoryStore()], { sha256: "x" }));
  const notes: string[] = [];
  const noting: AttestationStore = {
    ...createMemoryStore(),
    name: "noting",
    find(_subject: unknown, { onNote, name }: { onNote(note: object): void; name: string }) {
      onNote({ reason: "content-mismatch", message: name });
      return Promise.resolve(undefined);
    },
  } as never;
  const onNote = ({ message }: { message: string }) => notes.push(message);
  await lookUp([noting], APP, { onNote, name: "app.tgz" });
  deepEqual(notes, ["app.tgz"]);
});

test("createLayeredStore() puts into the first, and lists what several have once", async () => {
  const [near, far] = [createMemoryStore({ name: "near" }), createMemoryStore({ name: "far" })];
  const both = createLayeredStore([near, far]);
  await both.put(attestation([APP], "1"));
  for (const note of ["1", "2", "3"]) await far.put(attestation([APP], note));
  equal((await entriesOf(near)).length, 1);
  const ids = (await entriesOf(both)).map(({ id }) => id);
  deepEqual(ids, (await entriesOf(far)).map(({ id }) => id));
  equal(both.name, "near, far");
});

test("createLayeredStore() does not answer for a store that failed", async () => {
  const near = createMemoryStore();
  await near.put(attestation([APP]));
  const both = createLayeredStore([near, broken(DOWN)]);
  await refused("store-unavailable", () => both.find(APP));
  await refused("store-unavailable", () => both.find(digestOf("other")));
});
