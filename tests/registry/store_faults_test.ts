import assert from "node:assert/strict";
import { after, describe, test } from "node:test";
import { AttestationError } from "../../errors.ts";
import { compilePolicy, parsePolicy } from "../../policy/mod.ts";
import { fixedPolicy } from "../../server/mod.ts";
import { getManifest, type SqlDriver, type SqlStatement } from "../../store/sql/mod.ts";
import { testDatabases } from "../sql/databases.ts";
import { openRegistry, provenanceOf, signaturePolicy, testSigners } from "./fixture.ts";
import { brokenRecords } from "./invariants.ts";

/** Where in the N-th use of the database it fails. */
type Place = "before" | "within" | "after";

/** A driver whose N-th use fails. */
class FaultyDriver implements SqlDriver {
  readonly dialect: SqlDriver["dialect"];
  readonly #inner: SqlDriver;
  #count = 0;
  #at: { n: number; place: Place } | undefined;
  happened = false;

  constructor(inner: SqlDriver) {
    this.#inner = inner;
    this.dialect = inner.dialect;
  }

  arm(n: number, place: Place): void {
    this.#count = 0;
    this.#at = { n, place };
    this.happened = false;
  }

  disarm(): void {
    this.#at = undefined;
  }

  run(statement: SqlStatement) {
    return this.#use(() => this.#inner.run(statement));
  }

  batch(statements: readonly SqlStatement[]) {
    const { place } = this.#at ?? {};
    const isNext = this.#at !== undefined && this.#count + 1 === this.#at.n;
    if (!isNext || place !== "within") return this.#use(() => this.#inner.batch(statements));
    // The last statement of the transaction fails: those before it must not remain.
    return this.#use(() =>
      this.#inner.batch([...statements, {
        sql: "select no_such_column from manifests",
        parameters: [],
      }])
    );
  }

  close() {
    return this.#inner.close();
  }

  async #use<T>(work: () => Promise<T>): Promise<T> {
    this.#count++;
    const at = this.#at;
    if (at === undefined || this.#count !== at.n) return await work();
    this.happened = true;
    const gone = new AttestationError("store-unavailable", "Cannot ask database: injected");
    if (at.place === "before") throw gone;
    const result = await work();
    if (at.place === "within") return result;
    throw gone;
  }
}

const CARD = { name: "app" };

for (const databases of testDatabases()) {
  if (databases.missing !== undefined) console.log(`skipped: ${databases.missing}`);
  // What is atomic in the driver, its own tests show; here two kinds of transactions suffice.
  const isSlow = databases.name === "D1" || databases.name === "PGlite";
  const skip = databases.missing !== undefined || isSlow;
  if (isSlow) console.log(`skipped: ${databases.name}, whose driver has tests of its own`);
  describe(`PUT with a fault at the N-th use of ${databases.name}`, { skip }, () => {
    after(() => databases.dispose());

    for (const place of ["before", "within", "after"] as const) {
      test(`${place} it takes effect`, async () => {
        const driver = new FaultyDriver(await databases.open());
        const { put, db } = await openRegistry(driver);
        let faults = 0;
        for (let n = 1;; n++) {
          const urn = `urn:acme:app${n}`;
          const provenance = [
            await provenanceOf(urn, CARD),
            await provenanceOf(urn, CARD, { note: "2" }),
          ];
          driver.arm(n, place);
          const answer = await put(urn, CARD, { provenance });
          driver.disarm();
          assert.deepEqual(await brokenRecords(db), [], `use ${n}`);
          const kept = await getManifest(db, urn);
          if (!driver.happened) {
            assert.equal(answer.status, 201);
            assert.ok(n > 3, "nothing was made to fail");
            break;
          }
          if (answer.status < 300) assert.equal(kept?.verdict, "PASSED");
          else {
            faults++;
            assert.equal(answer.status, 503, JSON.stringify(answer.body));
            assert.equal(answer.body.reason, "store-unavailable");
            assert.ok(!JSON.stringify(answer.body).includes("injected"));
          }
          // The caller tries again: the very same request is done once.
          const again = await put(urn, CARD, { provenance });
          assert.equal(again.status, kept === undefined ? 201 : 200);
          assert.deepEqual([again.body.version, again.body.revision], [1, 1]);
          assert.deepEqual(await brokenRecords(db), []);
        }
        // "Within" is about transactions: PUT has one.
        assert.ok(faults >= (place === "within" ? 1 : 3));
        await db.close();
      });
    }

    test("what is refused stays refused, and is never acknowledged", async () => {
      const driver = new FaultyDriver(await databases.open());
      const { stranger } = await testSigners();
      const { put, db } = await openRegistry(driver);
      for (let n = 1;; n++) {
        const urn = `urn:acme:app${n}`;
        const provenance = await provenanceOf(urn, CARD, { signer: stranger });
        driver.arm(n, "before");
        const { status } = await put(urn, CARD, { provenance });
        driver.disarm();
        assert.ok(status >= 400, `${n}: ${status}`);
        assert.equal(await getManifest(db, urn), undefined);
        if (!driver.happened) break;
      }
      await db.close();
    });

    test("permissive: what failed never reads as verified", async () => {
      const driver = new FaultyDriver(await databases.open());
      const policy = await compilePolicy(parsePolicy(await signaturePolicy("permissive")));
      const { stranger } = await testSigners();
      const { put, db } = await openRegistry(driver, { policy: fixedPolicy(policy) });
      for (let n = 1;; n++) {
        const urn = `urn:acme:app${n}`;
        driver.arm(n, "after");
        await put(urn, CARD, { provenance: await provenanceOf(urn, CARD, { signer: stranger }) });
        driver.disarm();
        assert.deepEqual(await brokenRecords(db), []);
        const { verdict = "FAILED" } = await getManifest(db, urn) ?? {};
        assert.equal(verdict, "FAILED");
        if (!driver.happened) break;
      }
      await db.close();
    });
  });
}
