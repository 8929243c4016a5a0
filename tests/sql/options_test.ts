import assert from "node:assert/strict";
import { test } from "node:test";
import { attestation, digestOf } from "../../store/_contract_test.ts";
import {
  createApiKey,
  createSqlStore,
  Database,
  findProvenance,
  getManifest,
  getProvenance,
  listManifests,
} from "../../store/sql/mod.ts";
import { postgresDriver } from "../../store/sql/postgres.ts";
import { sqliteDriver } from "../../store/sql/sqlite.ts";
import { BUILDER, cardDigest, openRegistry, provenanceOf } from "../registry/fixture.ts";

const URN = "urn:acme:app";
const CARD = { name: "app" };

test("getProvenance() reads each of its options", async () => {
  let time = 1_000_000;
  const { put, db } = await openRegistry(sqliteDriver(":memory:"), { now: () => new Date(time++) });
  for (const version of [1, 2, 3]) await put(URN, { ...CARD, version });
  const all = await getProvenance(db, URN);
  const ids = (records: typeof all) => records.map(({ id }) => id);
  assert.equal(all.length, 3);
  assert.deepEqual(ids(await getProvenance(db, URN, { limit: 1 })), ids(all.slice(0, 1)));
  assert.deepEqual(ids(await getProvenance(db, URN, { before: all[0] })), ids(all.slice(1)));
  assert.deepEqual(ids(await getProvenance(db, URN, { maxBytes: 1 })), ids(all.slice(0, 1)));
  const digest = `sha256:${cardDigest({ ...CARD, version: 2 })}`;
  assert.deepEqual(ids(await getProvenance(db, URN, { digest })), ids(all.slice(1, 2)));
});

test("listManifests() reads each of its options", async () => {
  const { put, db } = await openRegistry(sqliteDriver(":memory:"));
  await put(URN, CARD);
  const other = "urn:zoo:other";
  await put(other, CARD, {
    provenance: await provenanceOf(other, CARD, { builder: "https://other.example" }),
  });
  const count = async (filter: object) => (await listManifests(db, filter)).length;
  assert.equal(await count({}), 2);
  assert.equal(await count({ prefix: "urn:zoo" }), 1);
  assert.equal(await count({ text: "APP" }), 1);
  assert.equal(await count({ builder: BUILDER }), 1);
  assert.equal(await count({ issuer: "nobody" }), 0);
  assert.equal(await count({ verdict: "FAILED" }), 0);
  assert.equal(await count({ digest: `sha256:${"0".repeat(64)}` }), 0);
  assert.equal(await count({ after: URN }), 1);
  assert.equal(await count({ limit: 1 }), 1);
});

test("createSqlStore() and createApiKey() read each of their options", async () => {
  const db = await Database.open(sqliteDriver(":memory:", { busyTimeoutMs: 10 }));
  const content = attestation([digestOf("a"), digestOf("b")]);
  const now = () => new Date(5000);
  const store = createSqlStore(db, { name: "kept", now, maxFound: 1 });
  assert.match((await store.put(content)).source, /^kept#/);
  for await (const { storedAt } of store.list()) assert.equal(storedAt?.getTime(), 5000);
  await store.put(attestation([digestOf("a")], "2"));
  await assert.rejects(store.find(digestOf("a")), { reason: "limit-exceeded" });
  for (const options of [{ maxBytes: content.length - 1 }, { maxSubjects: 1 }]) {
    await assert.rejects(createSqlStore(db, options).put(content), { reason: "limit-exceeded" });
  }
  const { apiKey } = await createApiKey(db, { name: "n", urnPrefix: "urn:a1", now: new Date(7) });
  assert.deepEqual([apiKey.name, apiKey.urnPrefix, apiKey.createdAt.getTime()], ["n", "urn:a1", 7]);
  await db.close();
});

test("postgresDriver() reads each of its options, and tells no password", async () => {
  const driver = await postgresDriver("postgres://user:hidden@127.0.0.1:1/none", {
    poolSize: 1,
    connectTimeoutMs: 200,
    statementTimeoutMs: 200,
  });
  await assert.rejects(driver.run({ sql: "select 1", parameters: [] }), (error: Error) => {
    assert.equal((error as { reason?: string }).reason, "store-unavailable");
    assert.ok(!String(error.message).includes("hidden"));
    return true;
  });
  await driver.close();
  await assert.rejects(postgresDriver("mysql://user:hidden@host/db"), (error: Error) => {
    return (error as { reason?: string }).reason === "store-unavailable" &&
      !error.message.includes("hidden");
  });
});

test("options that nobody reads are refused", async () => {
  const db = await Database.open(sqliteDriver(":memory:"));
  const unknown = { nobodyReadsThis: 1 } as never;
  await assert.rejects(getProvenance(db, URN, unknown), TypeError);
  await assert.rejects(listManifests(db, unknown), TypeError);
  await assert.rejects(getManifest(db, URN, unknown), TypeError);
  await assert.rejects(findProvenance(db, digestOf("a"), unknown), TypeError);
  for (const limit of [0, -1, 1.5, NaN]) {
    await assert.rejects(getProvenance(db, URN, { limit }), RangeError);
    await assert.rejects(listManifests(db, { limit }), RangeError);
    await assert.rejects(findProvenance(db, digestOf("a"), { limit }), RangeError);
  }
  await assert.rejects(createApiKey(db, unknown), TypeError);
  await assert.rejects(postgresDriver("postgres://h/d", unknown), TypeError);
  await assert.rejects(Database.open(sqliteDriver(":memory:"), unknown), TypeError);
  assert.throws(() => sqliteDriver(":memory:", unknown), TypeError);
  assert.throws(() => createSqlStore(db, unknown), TypeError);
  await db.close();
});
