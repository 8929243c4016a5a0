/**
 * Kills the registry under load, again and again, and then looks at everything that is in its
 * database: nothing that was acknowledged is missing, torn or altered, and nothing that was not
 * verified reads as verified. Deno only.
 */

import { asBytes, type Bytes, utf8 } from "../../internal/bytes.ts";
import { encodeHex } from "../../internal/hex.ts";
import { sha256 } from "../../internal/sha256.ts";
import type { Signer } from "../../keys/mod.ts";
import { type CompiledPolicy, compilePolicy, parsePolicy } from "../../policy/mod.ts";
import { judgeManifest } from "../../server/judge.ts";
import { Database } from "../../store/sql/database.ts";
import { sqliteDriver } from "../../store/sql/sqlite.ts";
import {
  registryPolicy,
  registryRecord,
  type RegistrySigners,
  registrySigners,
} from "../fixtures/provenance_registry.ts";

const SERVER = new URL("server.ts", import.meta.url).pathname;

/** Servers that are loaded while another one is under load. */
const SPARES = 2;
/** Milliseconds within which a server is killed that is to be killed before it listens. */
const EARLY_MS = 40;

/** A server that does not get on is killed as well. */
const MAX_LIFE_MS = 10_000;

/** What a PUT was answered with success for. */
export interface Acknowledged {
  urn: string;
  digest: string;
  version: number;
  /** SHA-256 of the envelope that was sent, as its id. */
  envelope: string;
}

/** What a run did, and what is wrong; nothing should be. */
export interface CrashReport {
  kills: number;
  /** Servers that were killed before they listened. */
  killedEarly: number;
  acknowledged: number;
  /** Bad manifests that were sent; each must have been refused or not answered. */
  badSent: number;
  /** Requests that were under way when the server was killed. */
  unanswered: number;
  /** Rows that were looked at. */
  scanned: number;
  /** What is wrong, one line each. */
  broken: string[];
}

/** How to run. */
export interface CrashOptions {
  kills: number;
  /** Clients at the same time. Default 4. */
  clients?: number;
  /** Seed of the moments. Default 1. */
  seed?: number;
  /** Answers after which a server is killed, at most; then within 20 ms. Default 8. */
  answers?: number;
  /** Kills between two looks at everything; the last look is at the end. Default 100. */
  scanEvery?: number;
  onProgress?: (report: Readonly<CrashReport>) => void;
}

/** Runs it in a folder of its own. */
export async function crash(options: CrashOptions): Promise<CrashReport> {
  const folder = await Deno.makeTempDir({ prefix: "attest-crash-" });
  try {
    return await new Crash(folder, options, await registrySigners(2)).run();
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

class Crash {
  readonly #folder: string;
  readonly #options: CrashOptions;
  /** The first one is trusted. */
  readonly #trusted: RegistrySigners;
  readonly #stranger: Signer;
  readonly #acknowledged: Acknowledged[] = [];
  readonly #bad = new Set<string>();
  readonly #report: CrashReport = {
    kills: 0,
    killedEarly: 0,
    acknowledged: 0,
    badSent: 0,
    unanswered: 0,
    scanned: 0,
    broken: [],
  };
  readonly #spares: Deno.ChildProcess[] = [];
  #next = 0;
  #answers = 0;
  #seed: number;

  constructor(folder: string, options: CrashOptions, signers: RegistrySigners) {
    this.#folder = folder;
    this.#options = options;
    this.#seed = options.seed ?? 1;
    const first = <T>(list: readonly T[]) => list.slice(0, 1);
    this.#trusted = {
      signers: first(signers.signers),
      publicKeys: first(signers.publicKeys),
      fingerprints: first(signers.fingerprints),
    };
    this.#stranger = signers.signers[1];
  }

  #random(): number {
    this.#seed = (this.#seed * 48271) % 0x7fffffff;
    return this.#seed / 0x7fffffff;
  }

  async run(): Promise<CrashReport> {
    const { kills, scanEvery = 100, onProgress } = this.#options;
    const policy = JSON.stringify(registryPolicy(this.#trusted));
    await Deno.writeTextFile(`${this.#folder}/policy.json`, policy);
    const compiled = await compilePolicy(parsePolicy(policy));
    try {
      for (let kill = 1; kill <= kills; kill++) {
        await this.#cycle();
        if (kill % scanEvery === 0 || kill === kills) await this.#scan(compiled);
        this.#report.acknowledged = this.#acknowledged.length;
        this.#report.badSent = this.#bad.size;
        onProgress?.(this.#report);
        if (this.#report.broken.length > 0) break;
      }
    } finally {
      for (const spare of this.#spares) await end(spare);
    }
    return this.#report;
  }

  /** A process that is loaded, or soon; another one takes its place. */
  #loaded(): Deno.ChildProcess {
    while (this.#spares.length <= SPARES) {
      this.#spares.push(
        new Deno.Command(Deno.execPath(), {
          args: [
            ...["run", "-A", "--no-check", SERVER, "serve"],
            ...["--db", `${this.#folder}/registry.db`, "--policy", `${this.#folder}/policy.json`],
            ...["--listen", "127.0.0.1:0", "--unsafe-any-writer", "--rate-limit", "0"],
            ...["--log", "none"],
          ],
          stdin: "piped",
          stdout: "piped",
          stderr: "null",
        }).spawn(),
      );
    }
    return this.#spares.shift()!;
  }

  /** One life of a server. */
  async #cycle(): Promise<void> {
    const { clients = 4, answers = 8 } = this.#options;
    const child = this.#loaded();
    const go = child.stdin.getWriter();
    await go.write(utf8("\n"));
    await go.close();
    const isEarly = this.#random() < 0.05;
    const early = isEarly ? setTimeout(() => kill(child), this.#random() * EARLY_MS) : undefined;
    const url = await listening(child.stdout);
    clearTimeout(early);
    if (url === undefined) {
      this.#report.killedEarly++;
      kill(child);
    } else {
      const stopped = new AbortController();
      const working = Array.from({ length: clients }, () => this.#client(url, stopped.signal));
      // By answers, not by the clock: the machine may be slow.
      const enough = this.#answers + Math.floor(this.#random() * (answers + 1));
      const patience = performance.now() + MAX_LIFE_MS;
      while (this.#answers < enough && performance.now() < patience) await delay(2);
      await delay(this.#random() * 20);
      kill(child);
      stopped.abort();
      await Promise.all(working);
    }
    await end(child);
    this.#report.kills++;
  }

  async #client(url: string, signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      // A new one, one of which there may be a part, or a bad one.
      const kind = this.#random();
      const number = kind < 0.1 && this.#next > 0
        ? Math.floor(this.#random() * this.#next)
        : this.#next++;
      const isBad = number % 5 === 4;
      const signers = isBad ? [this.#stranger] : this.#trusted.signers;
      const { urn, card, digest, envelope } = await registryRecord(number, { signers });
      if (isBad) this.#bad.add(urn);
      const body = `{"urn":${JSON.stringify(urn)},"card":${card},"provenance":${
        new TextDecoder().decode(envelope)
      }}`;
      try {
        const answer = await fetch(`${url}/v1/registry/${urn}`, {
          method: "PUT",
          headers: { "content-type": "application/json" },
          body,
        });
        const told = await answer.json();
        this.#answers++;
        if (answer.status === 200 || answer.status === 201) {
          const id = `sha256:${encodeHex(sha256(envelope))}`;
          this.#acknowledged.push({ urn, digest, version: told.version, envelope: id });
          if (isBad) this.#report.broken.push(`${urn}: accepted, and nobody trusts its signer`);
        } else if (answer.status !== 422 || !isBad) {
          this.#report.broken.push(
            `${urn}: ${answer.status} ${JSON.stringify(told).slice(0, 200)}`,
          );
        }
      } catch {
        this.#report.unanswered++;
      }
    }
  }

  /** Looks at every row. */
  async #scan(policy: CompiledPolicy): Promise<void> {
    const driver = sqliteDriver(`${this.#folder}/registry.db`);
    const { rows: [integrity] } = await driver.run({
      sql: "pragma integrity_check",
      parameters: [],
    });
    const db = await Database.open(driver);
    try {
      const broken = await brokenRows(db, policy, this.#acknowledged, this.#bad);
      this.#report.broken.push(...broken.lines);
      this.#report.scanned = broken.scanned;
      if (integrity.integrity_check !== "ok") {
        this.#report.broken.push(`integrity_check: ${JSON.stringify(integrity)}`);
      }
    } finally {
      await db.close();
    }
  }
}

function delay(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

function kill(child: Deno.ChildProcess): void {
  try {
    child.kill("SIGKILL");
  } catch {
    // It has ended.
  }
}

/** Kills a process, and lets go of what it had. */
async function end(child: Deno.ChildProcess): Promise<void> {
  kill(child);
  if (!child.stdin.locked) await child.stdin.close().catch(() => {});
  if (!child.stdout.locked) await child.stdout.cancel();
  await child.status;
}

/** Where the server listens; undefined if it ended before. The rest of its output is dropped. */
async function listening(stdout: ReadableStream<Uint8Array>): Promise<string | undefined> {
  const reader = stdout.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return undefined;
    text += value;
    const match = /^listening on (\S+)\n/m.exec(text);
    if (match === null) continue;
    (async () => {
      while (!(await reader.read()).done);
    })().catch(() => {});
    return match[1];
  }
}

/** What is missing, torn, altered, or reads as verified and is not. */
export async function brokenRows(
  db: Database,
  policy: CompiledPolicy,
  acknowledged: readonly Acknowledged[],
  bad: ReadonlySet<string>,
): Promise<{ lines: string[]; scanned: number }> {
  const { kysely } = db;
  const manifests = await kysely.selectFrom("manifests").selectAll().execute();
  const versions = await kysely.selectFrom("manifest_versions").selectAll().execute();
  const provenance = await kysely.selectFrom("provenance").selectAll().execute();
  const decisions = await kysely.selectFrom("decisions").selectAll().execute();
  const verdicts = await kysely.selectFrom("verdicts").selectAll().execute();
  const subjects = await kysely.selectFrom("subjects").selectAll().execute();
  const lines: string[] = [];

  const cards = new Map(versions.map((one) => [`${one.urn} ${one.version}`, one]));
  const heads = new Map(manifests.map((one) => [one.urn, one]));
  const decided = new Map(decisions.map((one) => [one.id, one]));
  const judged = new Set(verdicts.map((one) => `${one.urn} ${one.digest} ${one.attestation_id}`));
  const indexed = new Set(subjects.map((one) => `${one.attestation_id} ${one.value}`));
  const envelopes = new Map<string, Bytes[]>();
  const ids = new Set<string>();

  for (const { urn, digest, attestation_id: id, envelope, verdict, decision_id } of provenance) {
    const key = `${urn} ${digest}`;
    ids.add(`${key} ${id}`);
    if (envelope === null || `sha256:${encodeHex(sha256(envelope))}` !== id) {
      lines.push(`${urn}: attestation ${id} is torn or altered`);
      continue;
    }
    const list = envelopes.get(key);
    if (list === undefined) envelopes.set(key, [asBytes(envelope)]);
    else list.push(asBytes(envelope));
    const decision = decided.get(decision_id ?? "");
    if (decision?.urn !== urn || decision.outcome !== "accepted") {
      lines.push(`${urn}: attestation ${id} without the decision that let it in`);
    }
    if (verdict === "PASSED" && decision?.verdict !== "PASSED") {
      lines.push(`${urn}: attestation ${id} reads as verified, its decision does not`);
    }
    if (!judged.has(`${key} ${id}`)) lines.push(`${urn}: attestation ${id} without its verdict`);
    if (!indexed.has(`${id} ${digest.slice("sha256:".length)}`)) {
      lines.push(`${urn}: attestation ${id} is not found by its subject`);
    }
  }
  for (const { urn, digest, version, envelope } of acknowledged) {
    if (cards.get(`${urn} ${version}`)?.digest !== digest) {
      lines.push(`${urn}: acknowledged, and its card is not there`);
    }
    if (!ids.has(`${urn} ${digest} ${envelope}`)) {
      lines.push(`${urn}: acknowledged, and its attestation is not there`);
    }
  }
  const now = new Date();
  for (const { urn, version, digest, card, verdict } of versions) {
    if (`sha256:${encodeHex(sha256(utf8(card)))}` !== digest) {
      lines.push(`${urn}: its card is torn or altered`);
    }
    if (bad.has(urn)) lines.push(`${urn}: kept, and nobody trusts its signer`);
    if ((heads.get(urn)?.version ?? 0) < version) lines.push(`${urn}: a version without manifest`);
    if (verdict !== "PASSED") continue;
    // What reads as verified is so, by the very bytes that are there.
    const found = envelopes.get(`${urn} ${digest}`) ?? [];
    const { report } = await judgeManifest({ urn, card, provenance: found }, {
      policy,
      now,
      maxAttestations: Math.max(1, found.length),
    });
    if (!report.ok) lines.push(`${urn}: reads as verified, and is ${report.errorReason}`);
  }
  for (const { urn, version, digest } of manifests) {
    if (cards.get(`${urn} ${version}`)?.digest !== digest) {
      lines.push(`${urn}: its newest version is not there`);
    }
  }
  return { lines, scanned: manifests.length + versions.length + provenance.length };
}
