import assert from "node:assert/strict";
import { after, describe, test } from "node:test";
import { Database } from "../../store/sql/database.ts";
import { type SqlDriver, WriteConflict } from "../../store/sql/driver.ts";
import { MIGRATIONS } from "../../store/sql/migrations.ts";
import { testDatabases } from "./databases.ts";

for (const databases of testDatabases()) {
  if (databases.missing !== undefined) console.log(`skipped: ${databases.missing}`);
  describe(`SqlDriver of ${databases.name}`, { skip: databases.missing !== undefined }, () => {
    after(() => databases.dispose());
    const open = async (): Promise<{ driver: SqlDriver; db: Database }> => {
      const driver = await databases.open();
      return { driver, db: await Database.open(driver) };
    };
    const setting = (name: string, value = "v") => ({ name, value, updated_at: 1 });

    test("the schema is made once, also by two at the same time", async () => {
      const driver = await databases.open();
      await Promise.all([Database.open(driver), Database.open(driver)]);
      const db = await Database.open(driver);
      const versions = await db.kysely.selectFrom("schema_version").selectAll().execute();
      assert.deepEqual(
        versions.map(({ version }) => version),
        MIGRATIONS.map((one) => one.version),
      );
      await db.close();
    });

    test("a newer schema is refused, and an older one where it may not be changed", async () => {
      const driver = await databases.open();
      await assert.rejects(Database.open(driver, { migrate: false }), {
        reason: "store-unavailable",
      });
      const db = await Database.open(driver);
      await Database.open(driver, { migrate: false });
      const newer = { version: 99, name: "later", applied_at: 1 };
      await db.kysely.insertInto("schema_version").values(newer).execute();
      await assert.rejects(Database.open(driver), {
        reason: "store-unavailable",
        message: /version 99/,
      });
      await db.close();
    });

    test("integers are numbers and bytes are Uint8Array", async () => {
      const { db } = await open();
      const content = new Uint8Array([0, 1, 127, 128, 255]);
      const row = { digest: "sha256:a", kind: "test", content, created_at: 1_800_000_000_000 };
      await db.kysely.insertInto("documents").values(row).execute();
      const found = await db.kysely.selectFrom("documents").selectAll().executeTakeFirstOrThrow();
      assert.deepEqual(found, row);
      assert.equal(found.content.constructor, Uint8Array);
      const { count } = await db.kysely.selectFrom("documents")
        .select(({ fn }) => fn.countAll<number>().as("count")).executeTakeFirstOrThrow();
      assert.equal(count, 1);
      await db.close();
    });

    test("text is ordered by its bytes", async () => {
      const { db } = await open();
      const names = ["a", "B", "a-b", "aa", "a_b", "A", "ab", "~", "é"];
      for (const name of names) {
        await db.kysely.insertInto("settings").values(setting(name)).execute();
      }
      const rows = await db.kysely.selectFrom("settings").select("name").orderBy("name").execute();
      assert.deepEqual(rows.map(({ name }) => name), [...names].sort());
      await db.close();
    });

    test("a batch takes effect whole or not at all", async () => {
      const { db } = await open();
      const insert = (name: string) => db.kysely.insertInto("settings").values(setting(name));
      await db.batch([insert("a"), insert("b")]);
      await assert.rejects(db.batch([insert("c"), insert("a"), insert("d")]), WriteConflict);
      const invalid = db.kysely.insertInto("decisions").values({} as never);
      await assert.rejects(db.batch([insert("e"), invalid]), { reason: "store-unavailable" });
      const rows = await db.kysely.selectFrom("settings").select("name").orderBy("name").execute();
      assert.deepEqual(rows.map(({ name }) => name), ["a", "b"]);
      await db.close();
    });

    test("a key that is there already is a conflict, also of a single statement", async () => {
      const { db } = await open();
      const insert = db.kysely.insertInto("settings").values(setting("a"));
      await insert.execute();
      await assert.rejects(insert.execute(), WriteConflict);
      await db.close();
    });

    test("of many batches at the same time with one key a single one wins", async () => {
      const { db } = await open();
      const attempts = Array.from({ length: 12 }, (_, i) =>
        db.batch([
          db.kysely.insertInto("settings").values(setting(`of ${i}`)),
          db.kysely.insertInto("settings").values(setting("shared")),
        ]));
      const results = await Promise.allSettled(attempts);
      assert.equal(results.filter(({ status }) => status === "fulfilled").length, 1);
      for (const result of results) {
        if (result.status === "rejected") assert.ok(result.reason instanceof WriteConflict);
      }
      const rows = await db.kysely.selectFrom("settings").select("name").execute();
      assert.equal(rows.length, 2);
      await db.close();
    });

    test("the audit can be added to only", async () => {
      const { db } = await open();
      const decision = {
        ...{ id: "1", decided_at: 1, actor: "a", action: "put", urn: "urn:a:b", digest: null },
        ...{ revision: 1, mode: null, policy_digest: null, outcome: "accepted", report: null },
        ...{ verdict: "PASSED" as const, reason: null },
      };
      await db.kysely.insertInto("decisions").values(decision).execute();
      await assert.rejects(
        db.kysely.updateTable("decisions").set({ actor: "b" }).execute(),
        /rows are added only/,
      );
      await assert.rejects(db.kysely.deleteFrom("decisions").execute(), /rows are added only/);
      const again = { ...decision, id: "2" };
      await assert.rejects(
        db.kysely.insertInto("decisions").values(again).execute(),
        WriteConflict,
      );
      const refused = { ...decision, id: "3", revision: null };
      await db.kysely.insertInto("decisions").values(refused).execute();
      await db.kysely.insertInto("decisions").values({ ...refused, id: "4" }).execute();
      await db.close();
    });

    test("a record of a manifest without its verdict cannot be written", async () => {
      const { db } = await open();
      const row = {
        ...{ urn: "urn:a:b", digest: "sha256:a", attestation_id: "sha256:b", version: 1 },
        ...{ envelope: null, size: 1, format: "dsse", payload_type: null, predicate_type: null },
        ...{ issuer: null, builder: null, built_at: null, committed_at: 1, build_tool: null },
        ...{ inputs: null, outputs: null, verdict: "NONE" as const, reason: null },
        decision_id: null,
      };
      const insert = (change: object) =>
        db.kysely.insertInto("provenance").values({ ...row, ...change }).execute();
      await assert.rejects(insert({}), { reason: "store-unavailable" });
      await assert.rejects(insert({ verdict: "PASSED" }), { reason: "store-unavailable" });
      await assert.rejects(insert({ verdict: "FAILED", decision_id: "1" }), {
        reason: "store-unavailable",
      });
      await assert.rejects(insert({ verdict: "GOOD", decision_id: "1" }), {
        reason: "store-unavailable",
      });
      await insert({ verdict: "PASSED", decision_id: "1" });
      await insert({ urn: "", digest: "" });
      await db.close();
    });
  });
}
