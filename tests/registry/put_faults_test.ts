import assert from "node:assert/strict";
import { test } from "node:test";
import { runInstrumented } from "../attack/fail_closed.ts";
import type { PutProbe } from "./put_faults_probe.ts";

const PROBE = "tests/registry/put_faults_probe.ts";

test("a fault at any await, function and dependency of PUT: no 2xx without the whole record", () => {
  const probes = runInstrumented(PROBE, ["--stride", "5"]) as PutProbe[];
  assert.equal(probes.length, 3);
  for (const { scenario, sites, refused, thrown, wrong } of probes) {
    assert.deepEqual(wrong, [], scenario);
    assert.ok(sites > 40, `${scenario}: ${sites} sites`);
    assert.ok(refused + thrown > sites / 2, scenario);
  }
});

test("an acknowledgement before the transaction is found", () => {
  const probes = runInstrumented(PROBE, ["--stride", "9"], (source, path) => {
    if (path !== "store/sql/commit.ts") return source;
    const changed = source.replace(
      "await db.batch(queries);",
      "setTimeout(() => db.batch(queries).catch(() => {}), 50);",
    );
    assert.notEqual(changed, source);
    return changed;
  }) as PutProbe[];
  assert.ok(probes.some(({ wrong }) => wrong.some((one) => one.includes("without the record"))));
});
