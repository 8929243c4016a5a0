/**
 * The registry under load, its tables with many rows, and `reverify`: `deno task bench:registry`.
 * `--small` for a look at whether it works; `--only NAME` for one part, `--engine NAME` for one
 * database, `--count N` for another number of requests or records. Linux.
 *
 * PostgreSQL is that of this machine's packages, where it is; what is absent is named.
 */

import { cpus, release } from "node:os";
import {
  fillRegistry,
  multiplyRegistry,
  registryPolicy,
  type RegistrySigners,
  registrySigners,
} from "../tests/fixtures/provenance_registry.ts";
import { startPostgres } from "../tests/sql/postgres_server.ts";
import { Database } from "../store/sql/database.ts";
import { findProvenance, getManifest, getProvenance } from "../store/sql/manifests.ts";
import { postgresDriver } from "../store/sql/postgres.ts";
import { sqliteDriver } from "../store/sql/sqlite.ts";
import { cpuNs } from "./measure.ts";
import { load, metric, prepare, type Replica, sendPut, startReplica } from "./registry/servers.ts";

const ROOT = new URL("..", import.meta.url).pathname;
const isSmall = Deno.args.includes("--small");
const option = (name: string): string | undefined =>
  Deno.args.includes(name) ? Deno.args[Deno.args.indexOf(name) + 1] : undefined;
const only = option("--only");
const onlyEngine = option("--engine");
const wanted = option("--count");
/** A number of the full run, or a small one. */
const size = (full: number, small: number): number =>
  wanted === undefined ? isSmall ? small : full : Number(wanted);

const folder = await Deno.makeTempDir({ prefix: "attest-bench-registry-" });
const signers: RegistrySigners = await registrySigners(2);
const policyFile = `${folder}/policy.json`;
await Deno.writeTextFile(policyFile, JSON.stringify(registryPolicy(signers)));
const postgres = onlyEngine === "SQLite" ? { missing: "--engine SQLite" } : await startPostgres();
const rows: [string, string][] = [];

function tell(what: string, measured: string): void {
  rows.push([what, measured]);
  console.error(`${(performance.now() / 1000).toFixed(0).padStart(5)} s  ${what}: ${measured}`);
}

/** Memory of a process, MiB. */
function residentMiB(pid: number): number {
  const status = Deno.readTextFileSync(`/proc/${pid}/status`);
  return Math.round(Number(/VmRSS:\s+(\d+)/.exec(status)?.[1] ?? NaN) / 1024);
}

type Engine = "SQLite" | "PostgreSQL";

/** Opens an empty database of each kind that there is. */
async function databases(): Promise<[Engine, string][]> {
  const all: [Engine, string][] = onlyEngine === "PostgreSQL"
    ? []
    : [["SQLite", `${folder}/${crypto.randomUUID()}.db`]];
  if ("missing" in postgres) tell("PostgreSQL", `skipped: ${postgres.missing}`);
  else all.push(["PostgreSQL", await postgres.createDatabase()]);
  return all;
}

async function open(place: string, poolSize?: number): Promise<Database> {
  // A million rows take longer to write than any statement of a registry may.
  const options = { statementTimeoutMs: 900_000, ...(poolSize === undefined ? {} : { poolSize }) };
  return await Database.open(
    place.startsWith("postgres") ? await postgresDriver(place, options) : sqliteDriver(place),
  );
}

/** PUT and GET per second, with so many replicas on one database. */
async function putAndGet(): Promise<void> {
  const count = size(5000, 300);
  const clients = 16;
  for (const replicaCount of [1, 2, 4]) {
    for (const [engine, place] of await databases()) {
      const replicas: Replica[] = [];
      for (let i = 0; i < replicaCount; i++) replicas.push(await startReplica(place, policyFile));
      try {
        const puts = await prepare(signers, 0, count + 100);
        await load(replicas, 100, sendPut(puts.slice(count)), clients);
        const sum = async (name: string) =>
          (await Promise.all(replicas.map((one) => metric(one, name)))).reduce((a, b) => a + b, 0);
        const cpu = () => replicas.reduce((all, { pid }) => all + cpuNs(pid), 0);
        const spentOn = async () => ({
          verify: await sum("attest_registry_verify_seconds_total"),
          all: await sum("attest_registry_request_seconds_sum"),
        });
        const [before, began] = [await spentOn(), cpu()];
        const put = await load(replicas, count, sendPut(puts), clients);
        const spent = (cpu() - began) / 1e9;
        const after = await spentOn();
        const share = (after.verify - before.verify) / (after.all - before.all);
        const get = await load(
          replicas,
          count,
          (url, i) => fetch(`${url}/v1/registry/${puts[i].urn}`),
          clients,
        );
        const name = `${engine}, ${replicaCount} replica${replicaCount === 1 ? "" : "s"}`;
        const text = (one: typeof put) =>
          `${one.perSecond.toFixed(0)}/s, median ${one.median.toFixed(1)} ms, ` +
          `p99 ${one.p99.toFixed(1)} ms`;
        tell(
          `PUT, ${name}`,
          `${text(put)}; ${(spent / count * 1000).toFixed(2)} ms of CPU each, verification ${
            (share * 100).toFixed(0)
          } % of the time of requests`,
        );
        tell(`GET, ${name}`, text(get));
      } finally {
        for (const one of replicas) await one.stop();
      }
    }
  }
}

/** Memory of one server over many PUTs. */
async function memory(): Promise<void> {
  const count = size(100_000, 2000);
  for (const [engine, place] of await databases()) {
    const replica = await startReplica(place, policyFile);
    const seen: number[] = [];
    try {
      const part = Math.ceil(count / 20);
      for (let i = 0; i < count; i += part) {
        const puts = await prepare(signers, i, Math.min(part, count - i));
        await load([replica], puts.length, sendPut(puts), 16);
        seen.push(residentMiB(replica.pid));
        console.error(`${i + puts.length} PUTs: ${seen.at(-1)} MiB`);
      }
      tell(`Memory after each twentieth of ${count} PUTs, ${engine}`, `${seen.join(", ")} MiB`);
    } finally {
      await replica.stop();
    }
  }
}

/** The same look-ups in a small and in a large table. */
async function lookups(): Promise<void> {
  const [few, many] = [1000, size(1_000_000, 10_000)];
  for (const [engine, place] of await databases()) {
    const db = await open(place);
    // SQLite works in this process: its CPU tells the same on a busy machine.
    const clock = engine === "SQLite" ? () => cpuNs() / 1e6 : () => performance.now();
    await fillRegistry(db, signers, { to: few });
    const real = await db.kysely.selectFrom("manifests").select(["urn", "digest"]).execute();
    const measure = async (): Promise<Record<string, number>> => {
      const found: Record<string, number> = {};
      // Those that are in both tables, all over the large one.
      const digests = real.filter((_, i) => i % 5 === 0);
      const works: Record<string, (one: { urn: string; digest: string }) => Promise<unknown>> = {
        "urn": ({ urn }) => getManifest(db, urn),
        "history": ({ urn }) => getProvenance(db, urn),
        "digest": ({ digest }) => findProvenance(db, { sha256: digest.slice(7) }),
      };
      for (const [name, work] of Object.entries(works)) {
        let best = Infinity;
        for (let round = 0; round < 3; round++) {
          const start = clock();
          for (const one of digests) await work(one);
          best = Math.min(best, (clock() - start) / digests.length);
        }
        found[name] = best;
      }
      return found;
    };
    // Code that runs for the first time is slow, whatever the size.
    await measure();
    const small = await measure();
    await multiplyRegistry(db, many / few);
    const large = await measure();
    for (const [name, ms] of Object.entries(large)) {
      tell(
        `Look-up by ${name}, ${engine}, ${many} rows against ${few}`,
        `${(ms * 1000).toFixed(0)} µs${engine === "SQLite" ? " of CPU" : ""}, ${
          (ms / small[name]).toFixed(2)
        } x (goal <= 2 x)`,
      );
    }
    await db.close();
  }
}

/** Connections of one process to PostgreSQL. */
async function pool(): Promise<void> {
  if ("missing" in postgres) return tell("Pool size", `skipped: ${postgres.missing}`);
  const place = await postgres.createDatabase();
  const filled = await open(place);
  await fillRegistry(filled, signers, { to: 2000 });
  await filled.close();
  const count = size(6000, 600);
  for (const poolSize of [1, 2, 4, 8, 16, 32]) {
    const db = await open(place, poolSize);
    const run = async (work: (i: number) => Promise<unknown>): Promise<number> => {
      let next = 0;
      const start = performance.now();
      await Promise.all(Array.from({ length: 64 }, async () => {
        while (next < count) await work(next++);
      }));
      return count / (performance.now() - start) * 1000;
    };
    const began = cpuNs();
    const gets = await run((i) =>
      getManifest(db, `urn:acme:agent:${String(i % 2000).padStart(8, "0")}`)
    );
    const name = crypto.randomUUID();
    const puts = await run((i) =>
      db.batch([
        db.kysely.insertInto("documents").values({
          digest: `${name}${i}`,
          kind: "bench",
          content: new Uint8Array(4096),
          created_at: 0,
        }),
        db.kysely.insertInto("settings").values({ name: `${name}${i}`, value: "x", updated_at: 0 }),
      ])
    );
    const cpu = (cpuNs() - began) / 2e6 / count;
    tell(
      `Pool of ${poolSize}, 64 requests at once`,
      `${gets.toFixed(0)} look-ups/s, ${puts.toFixed(0)} transactions/s of 2 rows and 4 KiB, ` +
        `${cpu.toFixed(2)} ms of CPU each without the database's own`,
    );
    await db.close();
  }
}

/** `reverify` after a revocation, by one and by two processes. */
async function reverify(): Promise<void> {
  const count = size(100_000, 2000);
  const place = `${folder}/reverify.db`;
  const db = await open(place);
  await fillRegistry(db, signers, { to: count });
  await db.close();
  const { trust, ...rest } = registryPolicy(signers) as {
    trust: { keys: Record<string, unknown> };
  };
  const { "ci-1": _, ...keys } = trust.keys;
  const keySet = {
    type: "attest-key-set/v1",
    keys: [{
      name: "one",
      publicKey: signers.publicKeys[1],
      revoked: { at: "2026-02-01T00:00:00Z", reason: "compromised" },
    }],
  };
  const revoked = `${folder}/revoked.json`;
  await Deno.writeTextFile(
    revoked,
    JSON.stringify({ ...rest, trust: { keys, keySets: { "ci-1": keySet } } }),
  );
  const seconds: number[] = [];
  const summaries: string[] = [];
  for (const workers of [1, 2]) {
    const output = `${folder}/reverify-${workers}`;
    const start = performance.now();
    // The shell tells the CPU time of a process that has ended.
    const command = [
      ...[Deno.execPath(), "run", "-A", "--no-check", `${ROOT}cli.ts`, "reverify", "--db", place],
      ...["--policy", revoked, "--output", output, "--segment", String(Math.ceil(count / 50))],
      ...["--now", "2026-03-01T00:00:00Z"],
    ].map((word) => `'${word}'`).join(" ");
    const script = `TIMEFORMAT='cpu %U %S'; time ${command}`;
    const ends = await Promise.all(
      Array.from(
        { length: workers },
        () =>
          new Deno.Command("bash", { args: ["-c", script], stdin: "null", stdout: "null" })
            .output(),
      ),
    );
    const cpu = ends.reduce((sum, { stderr }) => {
      const [, user, system] = /^cpu (\S+) (\S+)$/m.exec(new TextDecoder().decode(stderr)) ?? [];
      return sum + Number(user) + Number(system);
    }, 0);
    if (ends.some(({ code }) => code !== 1)) throw new Error("reverify did not end with 1");
    seconds.push((performance.now() - start) / 1000);
    summaries.push(await Deno.readTextFile(`${output}/summary.json`));
    const { nowFailed } = JSON.parse(summaries[0]);
    tell(
      `reverify of ${count} records, ${workers} process${workers === 1 ? "" : "es"}`,
      `${seconds[workers - 1].toFixed(1)} s, ${(count / seconds[workers - 1]).toFixed(0)}/s, ` +
        `${(cpu / count * 1000).toFixed(3)} ms of CPU each, ${nowFailed} changed sides`,
    );
  }
  if (summaries[0] !== summaries[1]) throw new Error("Two processes found something else than one");
  tell(
    "reverify, two processes against one",
    `${(seconds[0] / seconds[1]).toFixed(2)} x (goal >= 1.8 x on two idle cores)`,
  );
}

const PARTS = { putAndGet, memory, lookups, pool, reverify };

try {
  for (const [name, part] of Object.entries(PARTS)) {
    if (only === undefined || only === name) await part();
  }
} finally {
  if ("url" in postgres) await postgres.dispose();
  await Deno.remove(folder, { recursive: true });
}
console.log(
  `\n${cpus()[0]?.model}, ${cpus().length} cores, Linux ${release()}, Deno ${Deno.version.deno}${
    isSmall ? ", --small: the figures mean nothing" : ""
  }\n`,
);
const width = Math.max(...rows.map(([what]) => what.length));
for (const [what, measured] of rows) console.log(`${what.padEnd(width)}  ${measured}`);
