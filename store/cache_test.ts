import {
  deepStrictEqual as deepEqual,
  ok,
  rejects,
  strictEqual as equal,
  throws,
} from "node:assert/strict";
import { test } from "node:test";
import { AttestationError } from "../errors.ts";
import type { DigestSet } from "../intoto/digest_set.ts";
import { attestation, digestOf, refused, testStore } from "./_contract_test.ts";
import { createCache } from "./cache.ts";
import { createMemoryStore } from "./memory.ts";
import type { AttestationSource, FindOptions, PrunableStore } from "./store.ts";

/** A store behind a cache that is told of every change. */
testStore("createCache() before a store", () => {
  const store = createMemoryStore();
  const cached = createCache(store, { maxAbsenceMs: 60_000 });
  return {
    name: store.name,
    find: (...args) => cached.find(...args),
    list: (options) => store.list(options),
    async put(...args) {
      const result = await store.put(...args);
      cached.forget();
      return result;
    },
    async remove(...args) {
      const result = await store.remove(...args);
      cached.forget();
      return result;
    },
  } satisfies PrunableStore;
});

const APP = digestOf("app");

/** A store that counts how often it is asked, and a clock. */
async function counting(...texts: string[]) {
  const store = createMemoryStore();
  for (const text of texts) await store.put(attestation([digestOf(text)]));
  const state = { asked: 0, time: 1_000_000, fails: false };
  const source: AttestationSource = {
    name: "counted",
    async find(subject: DigestSet, options?: FindOptions) {
      state.asked++;
      await Promise.resolve();
      if (state.fails) throw new AttestationError("store-unavailable", "Cannot ask: down");
      return await store.find(subject, options);
    },
  };
  return { store, source, state, now: () => new Date(state.time) };
}

test("createCache() asks once for as long as an answer counts", async () => {
  const { source, state, now } = await counting("app");
  const cached = createCache(source, { maxAgeMs: 1000, now });
  equal((await cached.find(APP))?.length, 1);
  state.time += 999;
  equal((await cached.find(APP))?.length, 1);
  equal(state.asked, 1);
  state.time += 1;
  equal((await cached.find(APP))?.length, 1);
  equal(state.asked, 2);
  // A clock that is set back does not lengthen it.
  state.time -= 10_000;
  await cached.find(APP);
  equal(state.asked, 3);
});

test("createCache() remembers absence only when it is told how long", async () => {
  const { store, source, state, now } = await counting();
  const cached = createCache(source, { now });
  await cached.find(APP);
  await cached.find(APP);
  equal(state.asked, 2);
  const remembering = createCache(source, { now, maxAbsenceMs: 100 });
  await remembering.find(APP);
  await store.put(attestation([APP]));
  state.time += 99;
  equal(await remembering.find(APP), undefined);
  equal(state.asked, 3);
  state.time += 1;
  equal((await remembering.find(APP))?.length, 1);
});

test("createCache() keeps no failure", async () => {
  const { source, state, now } = await counting("app");
  const cached = createCache(source, { now, maxAbsenceMs: 1000 });
  state.fails = true;
  await refused("store-unavailable", () => cached.find(APP));
  await refused("store-unavailable", () => cached.find(APP));
  equal(state.asked, 2);
  state.fails = false;
  equal((await cached.find(APP))?.length, 1);
  // What is remembered outlives a failure that comes later.
  state.fails = true;
  equal((await cached.find(APP))?.length, 1);
});

test("createCache() drops what was asked for longest ago, by count and by bytes", async () => {
  const texts = ["a", "b", "c"];
  const { source, state, now } = await counting(...texts);
  const size = attestation([digestOf("a")]).length;
  for (const bound of [{ maxEntries: 2 }, { maxTotalBytes: 2 * size }]) {
    state.asked = 0;
    const cached = createCache(source, { now, ...bound });
    await cached.find(digestOf("a"));
    await cached.find(digestOf("b"));
    await cached.find(digestOf("a"));
    await cached.find(digestOf("c"));
    equal(state.asked, 3);
    await cached.find(digestOf("a"));
    equal(state.asked, 3);
    await cached.find(digestOf("b"));
    equal(state.asked, 4);
  }
  state.asked = 0;
  const small = createCache(source, { now, maxTotalBytes: size - 1 });
  await small.find(digestOf("a"));
  await small.find(digestOf("a"));
  equal(state.asked, 2);
});

test("createCache() asks one question once at a time", async () => {
  const { source, state, now } = await counting("app", "other");
  const cached = createCache(source, { now });
  const answers = await Promise.all([
    cached.find(APP),
    cached.find(APP),
    cached.find(digestOf("other")),
  ]);
  deepEqual(answers.map((found) => found?.length), [1, 1, 1]);
  equal(state.asked, 2);
  answers[0]![0].content.fill(0);
  ok(answers[1]![0].content.some((byte) => byte !== 0));
  ok((await cached.find(APP))![0].content.some((byte) => byte !== 0));
});

test("createCache() stops the question when nobody waits for it any more, not before", async () => {
  const signals: AbortSignal[] = [];
  let answer = (_found: undefined) => {};
  const cached = createCache({
    name: "slow",
    find: (_subject, { signal } = {}) => {
      signals.push(signal!);
      return new Promise((resolve) => answer = resolve);
    },
  });
  const [one, two, three] = [1, 2, 3].map(() => new AbortController());
  const first = cached.find(APP, { signal: one.signal });
  const second = cached.find(APP, { signal: two.signal });
  one.abort(new Error("one"));
  await rejects(first, /one/);
  equal(signals[0].aborted, false);
  two.abort(new Error("two"));
  await rejects(second, /two/);
  equal(signals[0].aborted, true);
  const third = cached.find(APP, { signal: three.signal });
  equal(signals.length, 2);
  answer(undefined);
  equal(await third, undefined);
});

test("createCache() does not keep an answer that was asked for before something was forgotten", async () => {
  const { store, source, state, now } = await counting();
  const cached = createCache(source, { now, maxAbsenceMs: 60_000 });
  const before = cached.find(APP);
  await store.put(attestation([APP]));
  cached.forget(APP);
  await before;
  equal((await cached.find(APP))?.length, 1);
  equal(state.asked, 2);
});

test("createCache() forgets one subject, or all", async () => {
  const { source, state, now } = await counting("app", "other");
  const cached = createCache(source, { now });
  await cached.find(APP);
  await cached.find({ ...APP, gitCommit: "ab".repeat(20) });
  await cached.find(digestOf("other"));
  cached.forget({ gitCommit: "ab".repeat(20) });
  await cached.find(APP);
  equal(state.asked, 3);
  cached.forget(APP);
  await cached.find(digestOf("other"));
  equal(state.asked, 3);
  cached.forget();
  await cached.find(digestOf("other"));
  equal(state.asked, 4);
});

test("createCache() refuses wrong options", () => {
  const source = createMemoryStore();
  throws(() => createCache(source, { maxAge: 1 } as never), TypeError);
  for (const name of ["maxEntries", "maxTotalBytes", "maxAgeMs"]) {
    throws(() => createCache(source, { [name]: 0 }), RangeError);
  }
  throws(() => createCache(source, { maxAbsenceMs: -1 }), RangeError);
});
