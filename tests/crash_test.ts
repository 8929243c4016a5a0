/** A short share of the crash test; in full: `deno task crash`. Deno only. */

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { compilePolicy, parsePolicy } from "../policy/mod.ts";
import type { Database } from "../store/sql/database.ts";
import { sqliteDriver } from "../store/sql/sqlite.ts";
import { brokenRows, crash } from "./crash/crash.ts";
import { openRegistry, signaturePolicy } from "./registry/fixture.ts";

describe("the registry under load", {
  skip: "Deno" in globalThis ? false : "Deno only",
}, () => {
  it("would be seen to lose, tear or believe something", async () => {
    const policy = await compilePolicy(parsePolicy(await signaturePolicy()));
    const urn = "urn:acme:a";
    const cases: [string, (db: Database) => Promise<unknown>, RegExp][] = [
      ["nothing", () => Promise.resolve(), /^$/],
      [
        "a card that is gone",
        ({ kysely }) => kysely.deleteFrom("manifest_versions").where("urn", "=", urn).execute(),
        /its card is not there/,
      ],
      [
        "a card that was altered",
        ({ kysely }) => kysely.updateTable("manifest_versions").set({ card: "{}" }).execute(),
        /torn or altered/,
      ],
      [
        "an attestation that is gone",
        ({ kysely }) => kysely.deleteFrom("provenance").where("urn", "=", urn).execute(),
        /its attestation is not there/,
      ],
      [
        "an attestation that is torn",
        ({ kysely }) =>
          kysely.updateTable("provenance").set({ envelope: new Uint8Array(3) }).execute(),
        /is torn or altered/,
      ],
      [
        "an index that is not whole",
        ({ kysely }) => kysely.deleteFrom("subjects").execute(),
        /not found by its subject/,
      ],
      [
        "no verdict",
        ({ kysely }) => kysely.deleteFrom("verdicts").execute(),
        /without its verdict/,
      ],
      [
        "no decision",
        ({ kysely }) => kysely.updateTable("provenance").set({ decision_id: "x" }).execute(),
        /without the decision/,
      ],
      [
        "a verdict that nobody reached",
        async ({ kysely }) => {
          await kysely.deleteFrom("provenance").execute();
        },
        /reads as verified, and is missing-provenance/,
      ],
    ];
    for (const [name, damage, expected] of cases) {
      const { put, db } = await openRegistry(sqliteDriver(":memory:"));
      const { body } = await put(urn, { a: 1 });
      const [row] = await db.kysely.selectFrom("provenance").selectAll().execute();
      const acknowledged = {
        urn,
        digest: row.digest,
        version: body.version,
        envelope: row.attestation_id,
      };
      await damage(db);
      const { lines } = await brokenRows(db, policy, [acknowledged], new Set());
      assert.match(lines.join("\n"), expected, name);
      await db.close();
    }
    const { put, db } = await openRegistry(sqliteDriver(":memory:"));
    await put(urn, { a: 1 });
    const { lines } = await brokenRows(db, policy, [], new Set([urn]));
    assert.match(lines.join("\n"), /kept, and nobody trusts its signer/);
    await db.close();
  });

  it("has lost nothing that it acknowledged, and believes nothing more, after 8 kills", async () => {
    const report = await crash({ kills: 8, scanEvery: 4 });
    assert.deepEqual(report.broken, []);
    assert.equal(report.kills, 8);
    assert.ok(report.acknowledged > 0 && report.badSent > 0, JSON.stringify(report));
    assert.ok(report.scanned > 0);
  });
});
