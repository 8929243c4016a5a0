import { deepStrictEqual as deepEqual, strictEqual as equal } from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { utf8 } from "../../internal/bytes.ts";
import { Database } from "../../store/sql/database.ts";
import { sqlLeases, sqlReverifySource, sqlVerdictFiles } from "../../store/sql/reverify.ts";
import { fillRegistry, registrySigners } from "../fixtures/provenance_registry.ts";
import { testDatabases } from "./databases.ts";

for (const databases of testDatabases()) {
  const { missing } = databases;
  if (missing !== undefined) console.log(`skipped: ${missing}`);
  // D1 takes a hundred values in a statement: it is filled by the server, not by the fixture.
  const isD1 = databases.name === "D1";
  describe(`reverify on ${databases.name}`, { skip: missing !== undefined }, () => {
    let db: Database;
    before(async () => {
      db = await Database.open(await databases.open());
    });
    after(async () => {
      await db.close();
      await databases.dispose();
    });

    it("keeps a verdict file once, byte for byte", async () => {
      const files = sqlVerdictFiles(db);
      const content = Uint8Array.of(0, 255, 10, 1);
      equal(await files.has("a"), false);
      equal(await files.get("a"), undefined);
      equal(await files.create("a", content), true);
      equal(await files.create("a", utf8("other")), false);
      equal(await files.has("a"), true);
      deepEqual([...await files.get("a") ?? []], [...content]);
    });

    it("gives a lease to one, until it runs out or is given back", async () => {
      const leases = sqlLeases(db);
      const take = (owner: string, now: number) =>
        leases.take({ name: "s", owner, now, ttlMs: 100 });
      const first = await Promise.all(["a", "b", "c", "d"].map((owner) => take(owner, 1000)));
      equal(first.filter((one) => one).length, 1);
      const winner = ["a", "b", "c", "d"][first.indexOf(true)];
      equal(await take(winner, 1050), true);
      equal(await take("e", 1149), false);
      equal(await take("e", 1150), true);
      await leases.release("s", winner);
      equal(await take("f", 1151), false);
      await leases.release("s", "e");
      equal(await take("f", 1151), true);
    });

    it("lists all versions in the order of their keys, with attestations and verdicts", {
      skip: isD1,
    }, async () => {
      const signers = await registrySigners(2);
      await fillRegistry(db, signers, { to: 250 });
      await db.kysely.updateTable("manifest_versions")
        .set({ verdict: "FAILED", reason: "missing-attestation" })
        .where("urn", "=", "urn:acme:agent:00000007").execute();
      const source = sqlReverifySource(db);
      const keys: string[] = [];
      let after: string | undefined;
      for (;;) {
        const page = await source.list(after, 60);
        if (page.length === 0) break;
        keys.push(...page.map(({ key }) => key));
        after = page[page.length - 1].key;
      }
      equal(keys.length, 250);
      deepEqual(keys, [...keys].sort());
      const page = await source.list(undefined, 250);
      deepEqual(page.map(({ key }) => key), keys);
      deepEqual(page[7].recorded, { ok: false, reason: "missing-attestation" });
      deepEqual(page[8].recorded, { ok: true, reason: null });
      const contents = await source.load(page);
      // The attestations, and the cards that they are about.
      equal(contents.size, 500);
      for (const { attestations, digest } of page) {
        equal(contents.has(attestations[0]), true);
        equal(contents.has(`sha256:${digest.sha256}`), true);
      }
    });
  });
}
