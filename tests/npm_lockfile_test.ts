/**
 * A lockfile of many packages in one run, and what a package costs beside the bare
 * verification of its provenance bundle. Times are printed, not judged: the machine is shared.
 */

import assert from "node:assert/strict";
import { test } from "node:test";
import { utf8 } from "../internal/bytes.ts";
import type { JsonObject } from "../internal/json.ts";
import { mapWindow } from "../internal/window.ts";
import { type LockfileReport, type NpmPackageSource, verifyLockfile } from "../npm/mod.ts";
import { verifySigstoreBundle } from "../sigstore/mod.ts";
import { answerOf, integrityOf, keysOf } from "./fixtures/npm.ts";
import { rootOf } from "./fixtures/sigstore.ts";

/** A thousand with ATTEST_PACKAGES=1000. */
const PACKAGES = Number(Deno.env.get("ATTEST_PACKAGES") ?? 250);
const ROUNDS = 2;

interface Made {
  name: string;
  tarball: Uint8Array<ArrayBuffer>;
  answer: string;
  bundle: JsonObject;
}

async function make(index: number): Promise<Made> {
  const name = `package-${index}`;
  const tarball = utf8(`Tarball of ${name}\n`.repeat(500));
  const answer = await answerOf({ name, version: "1.2.3", tarball });
  return { name, tarball, answer: JSON.stringify(answer), bundle: answer.attestations[1].bundle };
}

test("verifyLockfile() verifies many packages in one run with one summary", async () => {
  const made = new Map<string, Made>();
  for (let i = 0; i < PACKAGES; i++) {
    const one = await make(i);
    made.set(one.name, one);
  }
  const packages: Record<string, JsonObject> = { "": {} };
  for (const { name, tarball } of made.values()) {
    packages[`node_modules/${name}`] = { version: "1.2.3", integrity: await integrityOf(tarball) };
  }
  const lockfile = JSON.stringify({ lockfileVersion: 3, packages });
  const source: NpmPackageSource = {
    tarball: ({ name }) => Promise.resolve(made.get(name)?.tarball),
    attestations: ({ name }) => Promise.resolve(made.get(name)?.answer),
  };
  const trustedRoot = await rootOf();
  const keys = await keysOf();

  const bare = async () => {
    const results = await mapWindow(
      [...made.values()],
      16,
      ({ bundle }) =>
        verifySigstoreBundle(bundle, {
          trustedRoots: [trustedRoot],
          unsafelyAcceptAnyIdentity: true,
        }),
    );
    assert.ok(results.every(({ ok }) => ok));
  };
  let report: LockfileReport | undefined;
  let told = 0;
  const whole = async () => {
    told = 0;
    report = await verifyLockfile(lockfile, source, {
      trust: { keys, trustedRoots: [trustedRoot], onlyRoot: true },
      expectations: { defaults: { repositoryId: "1001" } },
      onProgress: () => told++,
    });
  };

  let least = [Infinity, Infinity];
  for (let round = 0; round < ROUNDS; round++) {
    least = [Math.min(least[0], await timed(bare)), Math.min(least[1], await timed(whole))];
  }
  assert.ok(report?.ok, report?.packages.find(({ status }) => status === "failed")?.message);
  const { total, verified } = report.summary;
  assert.deepEqual([total, verified, told], [PACKAGES, PACKAGES, PACKAGES]);
  const [bundle, one] = least.map((ms) => (ms / PACKAGES).toFixed(3));
  console.log(
    `${one} ms a package (2 bundles and a tarball), ${bundle} ms a bare bundle: ` +
      `${(least[1] / least[0]).toFixed(2)} times`,
  );
});

async function timed(work: () => Promise<void>): Promise<number> {
  const start = performance.now();
  await work();
  return performance.now() - start;
}
