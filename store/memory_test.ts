import { rejects, strictEqual as equal, throws } from "node:assert/strict";
import { test } from "node:test";
import { attestation, digestOf, entriesOf, refused, testStore } from "./_contract_test.ts";
import { createMemoryStore } from "./memory.ts";

testStore("createMemoryStore()", () => createMemoryStore());

test("createMemoryStore() keeps as much as it may, and refuses one more", async () => {
  const one = attestation([digestOf("a")], "1");
  const two = attestation([digestOf("a")], "2");
  for (const options of [{ maxEntries: 1 }, { maxTotalBytes: one.length + two.length - 1 }]) {
    const store = createMemoryStore(options);
    await store.put(one);
    await refused("limit-exceeded", () => store.put(two));
    // What is there already needs no room, and what is removed makes some.
    equal((await store.put(one)).created, false);
    const [{ id }] = await entriesOf(store);
    await store.remove(id);
    equal((await store.put(two)).created, true);
  }
});

test("createMemoryStore() bounds the bytes and the subjects of one attestation", async () => {
  const content = attestation([digestOf("a"), digestOf("b")]);
  await createMemoryStore({ maxBytes: content.length, maxSubjects: 2 }).put(content);
  const small = createMemoryStore({ maxBytes: content.length - 1 });
  await refused("limit-exceeded", () => small.put(content));
  await refused("limit-exceeded", () => createMemoryStore({ maxSubjects: 1 }).put(content));
});

test("createMemoryStore() says when each was put, and what it is called", async () => {
  const storedAt = new Date("2026-01-02T03:04:05Z");
  const store = createMemoryStore({ name: "scratch", now: () => storedAt });
  const { source } = await store.put(attestation([digestOf("a")]));
  equal(source.startsWith("scratch#sha256:"), true);
  equal((await entriesOf(store))[0].storedAt, storedAt);
});

test("createMemoryStore() refuses wrong options", async () => {
  throws(() => createMemoryStore({ maxEntrys: 1 } as never), TypeError);
  throws(() => createMemoryStore({ maxEntries: 0 }), RangeError);
  throws(() => createMemoryStore({ maxBytes: 1.5 }), RangeError);
  await rejects(() => createMemoryStore().put("text" as never), TypeError);
});
