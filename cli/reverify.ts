import {
  canonicalJson,
  copyJson,
  isObject,
  type Json,
  parseJson,
  quote,
} from "../internal/json.ts";
import { parseTimestamp } from "../internal/timestamp.ts";
import type { CompiledPolicy } from "../policy/compiled.ts";
import {
  inputsDigest,
  knownVerdicts,
  MAX_FAILURES,
  mergeWork,
  planWork,
  type ReverifyInputs,
  reverifyInputs,
  type ReverifyResult,
  runWorker,
  type Segment,
  SEGMENT_ATTESTATIONS,
  type VerdictFiles,
  type WorkerOptions,
  type WorkList,
  workListDigest,
} from "../store/reverify/mod.ts";
import type { Database } from "../store/sql/database.ts";
import { sqlLeases, sqlReverifySource, sqlVerdictFiles } from "../store/sql/reverify.ts";
import { parseArgs, type ParsedArgs, usageError } from "./args.ts";
import { join } from "./artifacts.ts";
import { openRegistryDatabase } from "./gate/database_source.ts";
import { REFUSED, VERIFIED } from "./main.ts";
import { compilePolicyFile, nowOf, readPolicyFile } from "./policy_file.ts";
import { folderVerdictFiles } from "./reverify/folder_files.ts";
import { registryJudge } from "./reverify/registry_judge.ts";
import { REVERIFY_OPTIONS } from "./reverify_options.ts";
import { access, readBounded, type Runtime } from "./runtime.ts";
import { plural, safeJson } from "./text.ts";

/** The `type` of `summary.json`. */
export const SUMMARY_TYPE = "attest-reverify/v1";

/** What `reverify` writes to `summary.json`: the same for the same work, whoever did it. */
export interface ReverifySummary {
  type: typeof SUMMARY_TYPE;
  /** What the verdicts depend on. */
  inputs: ReverifyInputs;
  /** SHA-256 of the work list, lowercase hex. */
  workList: string;
  segments: number;
  attestations: number;
  entries: number;
  passed: number;
  failed: number;
  reasons: Readonly<Record<string, number>>;
  /** Entries that passed when they were stored and fail now. */
  nowFailed: number;
  /** Entries that failed when they were stored and pass now. */
  nowPassed: number;
  /** Entries that failed both times, by another reason. */
  otherReason: number;
  /** Root of the Merkle tree over the verdict files, lowercase hex. */
  root: string;
  /** The first ones that fail. */
  failures: readonly { key: string; reason: string }[];
}

const MAX_LIST_BYTES = 256 << 20;

/** `reverify`: judges anew all that a registry has stored. */
export async function runReverify(args: readonly string[], runtime: Runtime): Promise<number> {
  const parsed = parseArgs(args, REVERIFY_OPTIONS);
  if (parsed.operands.length > 0) {
    throw usageError(`reverify takes no argument, found ${quote(parsed.operands[0])}`);
  }
  const place = needed(parsed, "db");
  const policyFile = await readPolicyFile(needed(parsed, "policy"), parsed, runtime);
  const isWorker = parsed.has("worker");
  if (isWorker === parsed.has("output")) {
    throw usageError(
      isWorker
        ? "--worker writes nothing: leave --output out"
        : "reverify needs --output DIR, or --worker",
    );
  }
  const policy = await compilePolicyFile(policyFile, parsed, runtime);
  const db = await openRegistryDatabase(place, runtime, { migrate: true });
  try {
    if (isWorker && db.dialect !== "postgres") {
      throw usageError("--worker needs PostgreSQL: with SQLite run the same command twice");
    }
    const run: Run = { parsed, runtime, policy, db, place };
    return isWorker ? await workOnly(run) : await planWorkAndSumUp(run);
  } finally {
    await db.close();
  }
}

interface Run {
  parsed: ParsedArgs;
  runtime: Runtime;
  policy: CompiledPolicy;
  db: Database;
  place: string;
}

async function planWorkAndSumUp(run: Run): Promise<number> {
  const { parsed, runtime, db } = run;
  const folder = needed(parsed, "output");
  const isShared = db.dialect === "postgres";
  const verdicts = join(folder, "verdicts");
  await access("write", folder, () => runtime.makeFolder(isShared ? folder : verdicts));
  const files = isShared ? sqlVerdictFiles(db) : folderVerdictFiles(runtime, verdicts);
  const inputs = await inputsOf(run, folder);
  const source = sqlReverifySource(db);
  const list = await planWork(source, inputs, countOf(parsed, "segment", SEGMENT_ATTESTATIONS));
  const earlier = await readEarlier(run, folder, inputs);
  const work = workOf(run, inputs, files, earlier);
  runtime.write(
    "stderr",
    `${plural(list.segments.length, "segment")}, judged at ${inputs.time}\n`,
  );
  if (isShared) {
    const { queueSegments, workOnQueue } = await import("./reverify/queue.ts");
    await queueSegments(list, files, { url: run.place });
    const isOurs = (other: ReverifyInputs) => inputsDigest(other) === inputsDigest(inputs);
    await workOnQueue(
      (other) => Promise.resolve(isOurs(other) ? work : undefined),
      { url: run.place },
    );
  }
  // With a queue: what workers had taken that have gone.
  await runWorker(list, work);
  const result = await mergeWork(list, source, files);
  await write(run, folder, list, result);
  const { summary: { failed } } = result;
  return failed === 0 ? VERIFIED : REFUSED;
}

async function workOnly(run: Run): Promise<number> {
  const { workOnQueue } = await import("./reverify/queue.ts");
  const { db, policy, place, runtime } = run;
  const files = sqlVerdictFiles(db);
  const done = await workOnQueue(
    // The process that planned says at which moment; all else must be the same here.
    async (inputs) => {
      const own = await reverifyInputs(policy, new Date(inputs.time));
      return inputsDigest(own) === inputsDigest(inputs) ? workOf(run, inputs, files) : undefined;
    },
    { url: place },
  );
  runtime.write("stderr", `${plural(done, "segment")} judged\n`);
  return VERIFIED;
}

function workOf(
  { policy, db, parsed }: Run,
  inputs: ReverifyInputs,
  files: VerdictFiles,
  earlier?: WorkList,
): WorkerOptions {
  return {
    leases: sqlLeases(db),
    owner: crypto.randomUUID(),
    leaseMs: countOf(parsed, "lease", 86_400, 60) * 1000,
    source: sqlReverifySource(db),
    files,
    inputs,
    judge: registryJudge(policy, new Date(inputs.time)),
    ...(earlier === undefined ? {} : { known: knownVerdicts(earlier, inputs, files) }),
  };
}

/**
 * What the run depends on. A run that was stopped goes on at its own moment: `run.json` names it
 * until the run has ended.
 */
async function inputsOf({ parsed, policy, runtime }: Run, folder: string): Promise<ReverifyInputs> {
  const text = parsed.get("now");
  const now = text === undefined ? nowOf(runtime) : parseTimestamp(text);
  if (now === undefined) throw usageError(`--now is RFC 3339 in UTC, not ${quote(text ?? "")}`);
  const inputs = await reverifyInputs(policy, now);
  const path = join(folder, "run.json");
  const stopped = await readFile(runtime, path);
  if (text === undefined && isObject(stopped) && typeof stopped.time === "string") {
    const time = parseTimestamp(stopped.time);
    const same = time !== undefined && canonicalJson(stopped) ===
        canonicalJson(copyJson({ ...inputs, time: stopped.time }));
    if (time !== undefined && same) return { ...inputs, time: stopped.time };
  }
  const line = `${canonicalJson(copyJson(inputs))}\n`;
  await access("write", path, () => runtime.writeFileAtomic(path, line));
  return inputs;
}

/** The work list of the last run that ended with the same inputs. */
async function readEarlier(
  { runtime }: Run,
  folder: string,
  inputs: ReverifyInputs,
): Promise<WorkList | undefined> {
  const value = await readFile(runtime, join(folder, "worklist.json"));
  if (!isObject(value) || !Array.isArray(value.segments)) return undefined;
  if (canonicalJson(value.inputs ?? null) !== canonicalJson(copyJson(inputs))) return undefined;
  return { inputs, segments: value.segments as unknown as Segment[] };
}

/** JSON of a file of ours; undefined if it is not there. */
async function readFile(runtime: Runtime, path: string): Promise<Json | undefined> {
  if (await access("read", path, () => runtime.stat(path)) === undefined) return undefined;
  return parseJson(await readBounded(runtime, path, MAX_LIST_BYTES), {
    maxLength: MAX_LIST_BYTES,
  });
}

async function write(
  { parsed, runtime, db }: Run,
  folder: string,
  list: WorkList,
  result: ReverifyResult,
): Promise<void> {
  const { summary: { entries, passed, failed, reasons, failures }, changed, root } = result;
  const nowFailed = changed.filter(({ after }) => !after.ok).length;
  const summary: ReverifySummary = {
    type: SUMMARY_TYPE,
    inputs: list.inputs,
    workList: workListDigest(list),
    segments: list.segments.length,
    attestations: list.segments.reduce((sum, one) => sum + one.attestations, 0),
    entries,
    passed,
    failed,
    reasons,
    nowFailed,
    nowPassed: changed.length - nowFailed,
    otherReason: result.otherReason,
    root,
    failures,
  };
  const put = async (name: string, text: string) => {
    const path = join(folder, name);
    await access("write", path, () => runtime.writeFileAtomic(path, text));
  };
  await put("changed.jsonl", changed.map((one) => `${safeJson(one)}\n`).join(""));
  await put("summary.json", `${safeJson(summary, 2)}\n`);
  await put("worklist.json", `${canonicalJson(copyJson(list))}\n`);
  await put("run.json", "{}\n");
  runtime.write(
    "stdout",
    parsed.get("format") === "json" ? `${safeJson(summary, 2)}\n` : textOf(summary, db, folder),
  );
}

function textOf(summary: ReverifySummary, { dialect }: Database, folder: string): string {
  const { inputs, entries, passed, failed, reasons, nowFailed, nowPassed, root } = summary;
  const rows = Object.entries(reasons).map(([reason, count]) => `  ${count} ${reason}\n`).join("");
  const more = failed > MAX_FAILURES ? `, the first ${MAX_FAILURES} of them in summary.json` : "";
  return `Judged by policy sha256:${inputs.policy} at ${inputs.time}\n` +
    `  ${entries} of ${dialect === "postgres" ? "PostgreSQL" : "SQLite"}: ` +
    `${passed} pass, ${failed} fail${more}\n${rows}` +
    `Changed sides: ${nowFailed} fail now, ${nowPassed} pass now (${
      join(folder, "changed.jsonl")
    })\n` +
    `Merkle root ${root}\n`;
}

function needed(parsed: ParsedArgs, name: string): string {
  const value = parsed.get(name);
  if (value === undefined) throw usageError(`reverify needs --${name}`);
  return value;
}

function countOf(parsed: ParsedArgs, name: string, max: number, otherwise = max): number {
  const text = parsed.get(name);
  if (text === undefined) return otherwise;
  const count = /^[1-9]\d{0,8}$/.test(text) ? Number(text) : NaN;
  if (!(count <= max)) throw usageError(`--${name} is a whole number from 1 to ${max}`);
  return count;
}
