/**
 * `reverify` as programs that are killed: with SQLite, and with PostgreSQL where it is. The
 * output is the same bytes as that of one process that nobody disturbed. Deno only.
 */

import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import type { ReverifySummary } from "../cli/reverify.ts";
import { Database } from "../store/sql/database.ts";
import { postgresDriver } from "../store/sql/postgres.ts";
import { sqliteDriver } from "../store/sql/sqlite.ts";
import {
  fillRegistry,
  registryPolicy,
  type RegistrySigners,
  registrySigners,
} from "./fixtures/provenance_registry.ts";
import { type PostgresServer, startPostgres } from "./sql/postgres_server.ts";

const ROOT = new URL("..", import.meta.url).pathname;
const RECORDS = 400;
const KEYS = 4;
const KILLS = 10;
/** Small segments, so that there is something to share. */
const WORK = ["--segment=10", "--lease=1", "--now=2026-03-01T00:00:00Z"];

function start(args: readonly string[]): Deno.ChildProcess {
  return new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-check", `${ROOT}cli.ts`, "reverify", ...args],
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
    env: { NO_COLOR: "1" },
  }).spawn();
}

async function run(args: readonly string[]): Promise<{ code: number; out: string; err: string }> {
  const { code, stdout, stderr } = await start(args).output();
  const decoder = new TextDecoder();
  return { code, out: decoder.decode(stdout), err: decoder.decode(stderr) };
}

/** Content of the files of a folder that are the result, by name. */
async function resultOf(folder: string): Promise<Record<string, string>> {
  const found: Record<string, string> = {};
  for (const name of ["summary.json", "changed.jsonl", "worklist.json"]) {
    found[name] = await Deno.readTextFile(`${folder}/${name}`);
  }
  try {
    for await (const { name } of Deno.readDir(`${folder}/verdicts`)) {
      if (name.endsWith(".jsonl")) {
        found[name] = await Deno.readTextFile(`${folder}/verdicts/${name}`);
      }
    }
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
  return found;
}

/** Kills a process after something was judged; answers its status if it ended before. */
async function killAtWork(
  args: readonly string[],
  judged: () => Promise<number>,
): Promise<number | "killed"> {
  const before = await judged();
  const child = start(args);
  let isOver = false;
  const ended = child.output().finally(() => isOver = true);
  while (!isOver && await judged() <= before) await delay(10);
  if (!isOver) child.kill("SIGKILL");
  const { code, signal, stderr } = await ended;
  if (signal === "SIGKILL") return "killed";
  assert.notEqual(code, 2, new TextDecoder().decode(stderr));
  return code;
}

function delay(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** Verdict files in a folder. */
async function judgedIn(folder: string): Promise<number> {
  try {
    return (await Array.fromAsync(Deno.readDir(`${folder}/verdicts`)))
      .filter(({ name }) => /^[0-9a-f]{64}\.jsonl$/.test(name)).length;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return 0;
    throw error;
  }
}

describe("reverify", { skip: "Deno" in globalThis ? false : "Deno only" }, () => {
  let folder = "";
  let signers: RegistrySigners;
  let postgres: PostgresServer | { missing: string };
  const policy = () => `--policy=${folder}/policy.json`;
  const revoked = () => `--policy=${folder}/revoked.json`;

  before(async () => {
    folder = await Deno.makeTempDir({ prefix: "attest-reverify-" });
    signers = await registrySigners(KEYS);
    await Deno.writeTextFile(`${folder}/policy.json`, JSON.stringify(registryPolicy(signers)));
    // The last key is in a set now, and was revoked.
    const sets = {
      ...registryPolicy(signers) as { trust: { keys: Record<string, unknown> } },
    };
    const { [`ci-${KEYS - 1}`]: _, ...keys } = sets.trust.keys;
    const keySet = {
      type: "attest-key-set/v1",
      keys: [{
        name: "one",
        publicKey: signers.publicKeys[KEYS - 1],
        revoked: { at: "2026-02-01T00:00:00Z", reason: "compromised" },
      }],
    };
    await Deno.writeTextFile(
      `${folder}/revoked.json`,
      JSON.stringify({ ...sets, trust: { keys, keySets: { [`ci-${KEYS - 1}`]: keySet } } }),
    );
    const db = await Database.open(sqliteDriver(`${folder}/registry.db`));
    await fillRegistry(db, signers, { to: RECORDS });
    await db.close();
    postgres = await startPostgres();
  });
  after(async () => {
    if ("url" in postgres) await postgres.dispose();
    await Deno.remove(folder, { recursive: true });
  });

  const db = () => `--db=${folder}/registry.db`;

  async function summaryOf(output: string): Promise<ReverifySummary> {
    return JSON.parse(await Deno.readTextFile(`${output}/summary.json`));
  }

  /** Keys of what changed sides: all of the revoked signer, and nothing else. */
  async function assertChanged(output: string): Promise<void> {
    const lines = (await Deno.readTextFile(`${output}/changed.jsonl`)).trim().split("\n");
    const numbers = lines.map((line) => Number(JSON.parse(line).key.split(":")[3].split(" ")[0]));
    const expected = Array.from({ length: RECORDS }, (_, i) => i).filter((i) =>
      i % KEYS === KEYS - 1
    );
    assert.deepEqual(numbers, expected);
    const first = JSON.parse(lines[0]);
    assert.deepEqual(first.before, { ok: true, reason: null });
    assert.equal(first.after.ok, false);
  }

  it("says that nothing changed, and then exactly what a revocation changed", async () => {
    const same = await run([db(), policy(), `--output=${folder}/same`, ...WORK]);
    assert.equal(same.code, 0, same.err);
    assert.match(same.out, /400 pass, 0 fail/);
    assert.equal(await Deno.readTextFile(`${folder}/same/changed.jsonl`), "");
    const one = await run([db(), revoked(), `--output=${folder}/one`, ...WORK]);
    assert.equal(one.code, 1, one.err);
    await assertChanged(`${folder}/one`);
    const summary = await summaryOf(`${folder}/one`);
    assert.equal(summary.nowFailed, RECORDS / KEYS);
    assert.equal(summary.nowPassed, 0);
    assert.equal(summary.segments, RECORDS / 10);
    assert.equal(summary.attestations, RECORDS);
    // The moment is the last one that makes a difference.
    assert.equal(summary.inputs.time, "2026-02-01T00:00:00.000Z");
  });

  it(`is the same bytes after ${KILLS} kills`, async () => {
    const args = [db(), revoked(), `--output=${folder}/killed`, ...WORK];
    for (let kills = 0; kills < KILLS; kills++) {
      assert.equal(await killAtWork(args, () => judgedIn(`${folder}/killed`)), "killed");
    }
    assert.equal((await run(args)).code, 1);
    assert.deepEqual(await resultOf(`${folder}/killed`), await resultOf(`${folder}/one`));
  });

  it("is the same bytes when three processes share it, one of which is killed", async () => {
    const args = [db(), revoked(), `--output=${folder}/three`, ...WORK];
    const [killed, ...others] = [start(args), start(args), start(args)];
    const ends = others.map((child) => child.output());
    const lost = killed.output();
    setTimeout(() => {
      try {
        killed.kill("SIGKILL");
      } catch {
        // It has ended.
      }
    }, 900);
    for (const { code, stderr } of await Promise.all(ends)) {
      assert.equal(code, 1, new TextDecoder().decode(stderr));
    }
    await lost;
    assert.deepEqual(await resultOf(`${folder}/three`), await resultOf(`${folder}/one`));
  });

  it("judges nothing again where nothing changed, and keeps its moment after a stop", async () => {
    const output = `${folder}/one`;
    const before = await resultOf(output);
    const again = await run([db(), revoked(), `--output=${output}`, "--segment=10"]);
    assert.equal(again.code, 1, again.err);
    assert.deepEqual(await resultOf(output), before);
    const other = await run([db(), revoked(), "--output", output, "--segment=0"]);
    assert.equal(other.code, 2);
    assert.equal((await run([db(), revoked()])).code, 2);
    assert.equal((await run([db(), revoked(), "--worker"])).code, 2);
  });

  it("refuses options of a policy that are not whole, and takes JSON as its format", async () => {
    const output = `--output=${folder}/one`;
    const file = `${folder}/policy.json`;
    const key = `${folder}/ci.pub`;
    await Deno.writeTextFile(key, signers.publicKeys[0]);
    const cases: [RegExp, string[]][] = [
      [/policy-key|DSSE|envelope|malformed/, [`--policy-key=${key}`]],
      [/needs --policy-key/, ["--policy-threshold=1"]],
      [/malformed/, [`--waivers=${file}`]],
      [/needs --waivers/, [`--waivers-key=${key}`]],
      [/needs --revocations-key/, [`--revocations=${file}`]],
      [/needs --revocations/, [`--revocations-key=${key}`]],
      [/needs --revocations/, [`--revocations-state=${folder}/state`]],
    ];
    for (const [message, more] of cases) {
      const { code, err } = await run([db(), revoked(), output, "--segment=10", ...more]);
      assert.equal(code, 2, more.join());
      assert.match(err, message, more.join());
    }
    const { code, out } = await run([db(), revoked(), output, "--segment=10", "--format=json"]);
    assert.equal(code, 1);
    assert.equal(JSON.parse(out).attestations, RECORDS);
  });

  it("shares the segments by a queue on PostgreSQL, also when workers are killed", async (t) => {
    if ("missing" in postgres) {
      console.log(`skipped: ${postgres.missing}`);
      t.skip(postgres.missing);
      return;
    }
    const url = await postgres.createDatabase();
    const database = await Database.open(await postgresDriver(url));
    await fillRegistry(database, signers, { to: RECORDS });
    const args = [`--db=${url}`, revoked(), ...WORK];
    const judged = async () =>
      (await database.kysely.selectFrom("reverify_files").select("name").execute()).length;
    const help = [...args.slice(0, 2), "--lease=1", "--worker"];
    const output = [...args, `--output=${folder}/postgres`];
    assert.equal(await killAtWork(output, judged), "killed");
    const ends = await Promise.all([killAtWork(help, judged), killAtWork(help, judged)]);
    assert.ok(ends.includes("killed"));
    assert.equal(await killAtWork(output, judged), "killed");
    const [helped, planned] = await Promise.all([run(help), run(output)]);
    assert.equal(helped.code, 0, helped.err);
    assert.equal(planned.code, 1, planned.err);
    await database.close();
    await assertChanged(`${folder}/postgres`);
    const { "summary.json": shared, "changed.jsonl": changed } = await resultOf(
      `${folder}/postgres`,
    );
    const { "summary.json": own, "changed.jsonl": same } = await resultOf(`${folder}/one`);
    assert.deepEqual([shared, changed], [own, same]);
  });
});
