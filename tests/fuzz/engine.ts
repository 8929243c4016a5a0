/** Runs a target over changed inputs and judges what it does. */

import { isAttestationError } from "../../errors.ts";
import { type Bytes, utf8 } from "../../internal/bytes.ts";
import { REASONS } from "../../reasons.ts";
import { mutateBytes, mutatePlain, WORDS } from "./mutate_bytes.ts";
import { mutateCbor } from "./mutate_cbor.ts";
import { mutateDer } from "./mutate_der.ts";
import { mutateJsonText } from "./mutate_json.ts";
import { keptTextOf, mutateNote, mutatePem, mutateToken, textOf } from "./mutate_text.ts";
import { Random } from "./random.ts";
import { type Answer, Broken, type Ready, type Seed, type Target } from "./target.ts";

/** Longest time that one input may take. */
const HANG_MS = 1000;
/** Cheaper than this nothing is called expensive, whatever it is compared with. */
const FLOOR_MS = 1;
/** How much dearer than the median of its size an accepted input may be. */
const MAX_RATIO = 10;
const MAX_INPUT_BYTES = 256 * 1024;
const MINIMISE_MS = 2000;
const MAX_POOL = 512;
const DEAD_ENDS: ReadonlySet<string> = new Set([
  "malformed-json",
  "invalid-unicode",
  "empty-input",
  "limit-exceeded",
]);
const MAX_GROWTH_BYTES = 768 << 20;

/** How long a target is run. */
export interface Budget {
  /** Inputs; whichever ends first. */
  inputs?: number;
  /** Seconds. */
  seconds?: number;
}

/** Something that is wrong. */
export interface Finding {
  target: string;
  /** What is wrong, without what varies. */
  what: string;
  /** How often it was met. */
  count: number;
  /** The smallest input that shows it. */
  input: Bytes;
  /** Seed that the input was made from. */
  seed: string;
}

/** What was found out about a target. */
export interface Row {
  target: string;
  kind: Target["kind"];
  inputs: number;
  accepted: number;
  /** Refusals by reason. */
  refused: Map<string, number>;
  /** Inputs left out because they state their own cost. */
  costly: number;
  /** Longest time of one input. */
  worstMs: number;
  /** Dearest accepted input to the median of its size. */
  ratio: number;
  seconds: number;
  /** Processor time of the process, which on a shared machine is less. */
  cpuSeconds: number;
  findings: Finding[];
}

/** What a run needs from outside. */
export interface Outside {
  /** Resident memory, in bytes. */
  memory(): number;
  /** Milliseconds from anywhere. */
  clock(): number;
  /** Milliseconds of processor time of this process. */
  cpu(): number;
}

type Verdict = { answer: Answer } | { broken: string };

/** Runs one target. */
export async function fuzz(
  target: Target,
  ready: Ready,
  seed: string,
  budget: Budget,
  outside: Outside,
): Promise<Row> {
  const random = new Random(`${seed} ${target.name}`);
  const pool: { bytes: Bytes; seed: Seed }[] = ready.seeds.map((one) => ({
    bytes: one.bytes,
    seed: one,
  }));
  /** Seeds that are accepted: half of the inputs begin with one. */
  const good: typeof pool = [];
  const known = new Set<string>();
  const findings = new Map<string, Finding>();
  const costs = new Costs(random);
  const row: Row = {
    target: target.name,
    kind: target.kind,
    inputs: 0,
    accepted: 0,
    refused: new Map(),
    costly: 0,
    worstMs: 0,
    ratio: 0,
    seconds: 0,
    cpuSeconds: 0,
    findings: [],
  };
  const start = outside.clock();
  const startCpu = outside.cpu();
  const memory = outside.memory();
  const { inputs = Infinity, seconds = Infinity } = budget;
  const other = () => random.pick(pool).bytes;
  const report = (what: string, input: Bytes, from: Seed) => {
    const found = findings.get(what);
    if (found !== undefined) {
      found.count++;
      if (input.length < found.input.length) found.input = input;
    } else if (findings.size < 100) {
      findings.set(what, { target: target.name, what, count: 1, input, seed: from.name });
    }
  };
  const { stackTraceLimit } = Error;
  Error.stackTraceLimit = 0;
  for (let i = 0; i < inputs; i++) {
    if (i % 16 === 0 && outside.clock() - start >= seconds * 1000) break;
    // Every seed as it is, then changed.
    const from = i < ready.seeds.length
      ? pool[i]
      : pickShort(good.length > 0 && random.once(2) ? good : pool, random);
    const input = i < ready.seeds.length ? from.bytes : change(ready, from.bytes, random, other);
    if (input.length > MAX_INPUT_BYTES) continue;
    if (ready.isCostly?.(input) === true) {
      row.costly++;
      continue;
    }
    const before = outside.clock();
    const running = attempt(target, ready, input, from.seed);
    let { verdict, signal } = running instanceof Promise ? await running : running;
    const took = outside.clock() - before;
    if ("broken" in verdict) {
      // Once more for the place, which costs too much to be asked for each time.
      Error.stackTraceLimit = 10;
      ({ verdict, signal } = await attempt(target, ready, input, from.seed));
      Error.stackTraceLimit = 0;
    }
    row.inputs++;
    if (took > row.worstMs) row.worstMs = took;
    if (took > HANG_MS && (await fastest(target, ready, input, from.seed, outside)) > HANG_MS) {
      report("takes longer than a second", input, from.seed);
    }
    if ("broken" in verdict) report(verdict.broken, input, from.seed);
    else if (verdict.answer === null) {
      row.accepted++;
      if (i < ready.seeds.length) good.push(from);
      costs.add(took, input, from.seed);
    } else row.refused.set(verdict.answer, (row.refused.get(verdict.answer) ?? 0) + 1);
    if (!known.has(signal)) {
      known.add(signal);
      // What is no JSON any more is a dead end.
      const dead = "answer" in verdict && DEAD_ENDS.has(verdict.answer ?? "");
      if (i >= ready.seeds.length && pool.length < MAX_POOL && !dead) {
        pool.push({ bytes: input, seed: from.seed });
      }
    }
    if (i % 1024 === 0 && outside.memory() - memory > MAX_GROWTH_BYTES) {
      report("memory grows without end", input, from.seed);
      break;
    }
  }
  Error.stackTraceLimit = stackTraceLimit;
  const dearest = await costs.dearest((input, from) =>
    fastest(target, ready, input, from, outside)
  );
  if (dearest !== undefined) {
    row.ratio = dearest.ratio;
    if (dearest.ratio > MAX_RATIO && dearest.ms > FLOOR_MS) {
      report(
        `an accepted input costs ${dearest.ratio.toFixed(0)} times the median of its size`,
        dearest.input,
        dearest.seed,
      );
    }
  }
  row.seconds = (outside.clock() - start) / 1000;
  row.cpuSeconds = (outside.cpu() - startCpu) / 1000;
  row.findings = [...findings.values()];
  return row;
}

/** Mostly a short one: it costs less, and a change meets what matters more often. */
function pickShort<T extends { bytes: Bytes }>(pool: readonly T[], random: Random): T {
  let best = random.pick(pool);
  if (random.once(8)) return best;
  for (let i = 0; i < 2; i++) {
    const one = random.pick(pool);
    if (one.bytes.length < best.bytes.length) best = one;
  }
  return best;
}

/** The smallest input found that shows the same finding. */
export async function minimise(
  target: Target,
  ready: Ready,
  finding: Finding,
  { clock }: Outside,
): Promise<Bytes> {
  const end = clock() + MINIMISE_MS;
  const seed = ready.seeds.find(({ name }) => name === finding.seed) ?? ready.seeds[0];
  let best = finding.input;
  const shows = async (input: Bytes): Promise<boolean> => {
    if (ready.isCostly?.(input) === true) return false;
    const { verdict } = await attempt(target, ready, input, seed);
    return "broken" in verdict && verdict.broken === finding.what;
  };
  if (!await shows(best)) return best;
  for (let size = best.length >> 1; size >= 1 && clock() < end; size >>= 1) {
    for (let at = 0; at < best.length && clock() < end;) {
      const shorter = new Uint8Array(best.length - Math.min(size, best.length - at));
      shorter.set(best.subarray(0, at));
      shorter.set(best.subarray(at + size), at);
      if (await shows(shorter)) best = shorter;
      else at += size;
    }
  }
  return best;
}

interface Attempt {
  verdict: Verdict;
  /** Reason, place and message without what varies: a new one is worth keeping the input. */
  signal: string;
}

function attempt(
  target: Target,
  ready: Ready,
  input: Bytes,
  seed: Seed,
): Attempt | Promise<Attempt> {
  try {
    const answer = ready.run(input, seed);
    if (!(answer instanceof Promise)) return judged(answer);
    return answer.then(judged, (error) => thrown(target, error));
  } catch (error) {
    return thrown(target, error);
  }
}

function judged(answer: Answer): Attempt {
  if (answer !== null && !Object.hasOwn(REASONS, answer)) {
    return broken(`the reason ${answer} is not in the table`);
  }
  return { verdict: { answer }, signal: answer ?? "" };
}

function thrown(target: Target, error: unknown): Attempt {
  if (error instanceof Broken) return broken(error.message);
  if (!isAttestationError(error) || target.kind === "verifier") {
    const text = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
    const place = error instanceof Error
      ? /\n\s+at [^\n]*?([\w/]+\.ts:\d+)/.exec(error.stack ?? "")?.[1] ?? ""
      : "";
    return broken(`throws ${steady(text).slice(0, 160)} at ${place}`);
  }
  const { reason, message, path = "" } = error;
  const key = `${reason} ${path} ${message}`;
  const known = refusals.get(key);
  if (known !== undefined) return known;
  const fault = faultOf(message) ?? (typeof path === "string" ? undefined : "its path is no text");
  if (fault !== undefined) return broken(`a message (${reason}): ${fault}`);
  const refusal = { ...judged(reason), signal: `${reason} ${steady(path)} ${steady(message)}` };
  if (refusals.size >= MAX_REFUSALS) refusals.clear();
  refusals.set(key, refusal);
  return refusal;
}

/** Refusals that were judged, by reason, place and message. */
const refusals = new Map<string, Attempt>();
const MAX_REFUSALS = 20_000;

/** What people must not be shown. */
export function faultOf(message: string): string | undefined {
  if (message.length > 2000) return "it is longer than 2000 characters";
  if (/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/u.test(message)) return "it has control characters";
  if (!/^[\p{Lu}"'`\d]/u.test(message)) return "it does not start with a capital letter";
  // The place of a fault may be a member of any name.
  if (message.replace(/ at \/\S*$/, "").endsWith(".")) return "it ends with a period";
}

function broken(what: string): Attempt {
  return { verdict: { broken: what }, signal: what };
}

/** A text without what an input brought into it. */
function steady(text: string): string {
  return text.replace(/"(?:[^"\\]|\\.)*"/g, '""').replace(/[0-9a-f]*\d[0-9a-f]*/g, "0")
    .replace(/\/[^/ ]{24,}/g, "/…").slice(0, 200);
}

/** Processor time of the quickest of five: the clock tells what else the machine does. */
async function fastest(
  target: Target,
  ready: Ready,
  input: Bytes,
  seed: Seed,
  { cpu }: Outside,
): Promise<number> {
  let least = Infinity;
  for (let i = 0; i < 5; i++) {
    const before = cpu();
    await attempt(target, ready, input, seed);
    least = Math.min(least, cpu() - before);
  }
  return least;
}

interface Cost {
  ms: number;
  input: Bytes;
  seed: Seed;
}

/** Times of accepted inputs by their size: a sample for the median, and the dearest ones. */
class Costs {
  readonly #random: Random;
  readonly #sizes = new Map<number, { count: number; sample: Cost[]; worst: Cost[] }>();

  constructor(random: Random) {
    this.#random = random;
  }

  add(ms: number, input: Bytes, seed: Seed): void {
    const size = Math.floor(Math.log2(input.length + 1));
    let one = this.#sizes.get(size);
    if (one === undefined) this.#sizes.set(size, one = { count: 0, sample: [], worst: [] });
    one.count++;
    if (one.sample.length < 32) one.sample.push({ ms, input, seed });
    else {
      const at = this.#random.int(one.count);
      if (at < 32) one.sample[at] = { ms, input, seed };
    }
    if (one.worst.length < 3 || ms > one.worst[2].ms) {
      one.worst.push({ ms, input, seed });
      one.worst.sort((a, b) => b.ms - a.ms);
      one.worst.length = Math.min(one.worst.length, 3);
    }
  }

  /** Measured again, as a single time on a shared machine says little. */
  async dearest(
    measure: (input: Bytes, seed: Seed) => Promise<number>,
  ): Promise<Cost & { ratio: number } | undefined> {
    let dearest: Cost & { ratio: number } | undefined;
    for (const { count, sample, worst } of this.#sizes.values()) {
      if (count < 32) continue;
      const times: number[] = [];
      for (const { input, seed } of sample) times.push(await measure(input, seed));
      const median = times.sort((a, b) => a - b)[times.length >> 1];
      for (const { input, seed } of worst) {
        const ms = await measure(input, seed);
        const ratio = ms / Math.max(median, 0.001);
        if (dearest === undefined || ratio > dearest.ratio) dearest = { ms, ratio, input, seed };
      }
    }
    return dearest;
  }
}

/** One changed input: mostly by its form, sometimes by its bytes. */
export function change(ready: Ready, input: Bytes, random: Random, other: () => Bytes): Bytes {
  const otherText = () => keptTextOf(other());
  const byForm = (bytes: Bytes): Bytes => {
    const textOfIt = () => bytes === input ? keptTextOf(bytes) : textOf(bytes);
    switch (ready.shape) {
      case "json":
        return utf8(mutateJsonText(textOfIt(), random, otherText).toWellFormed());
      case "json-lines": {
        const lines = textOfIt().split("\n");
        const at = random.int(lines.length);
        if (random.once(4)) return utf8(mutateNote(lines.join("\n"), random, other).toWellFormed());
        lines[at] = mutateJsonText(lines[at], random, () => random.pick(otherText().split("\n")));
        return utf8(lines.join("\n").toWellFormed());
      }
      case "cbor":
        return mutateCbor(bytes, random, other);
      case "der":
        return mutateDer(bytes, random, other);
      case "pem":
        if (bytes[0] === 0x7b) {
          return utf8(mutateJsonText(textOfIt(), random, otherText).toWellFormed());
        }
        return utf8(mutatePem(textOfIt(), random, other).toWellFormed());
      case "note":
        return utf8(mutateNote(textOfIt(), random, other).toWellFormed());
      case "token":
        return utf8(mutateToken(textOfIt(), random, other).toWellFormed());
      case "text":
        return utf8(mutatePlain(textOfIt(), random).toWellFormed());
      case "arguments":
        return mutateArguments(bytes, random, otherText);
    }
  };
  let changed = input;
  const times = random.once(4) ? 2 + random.int(3) : 1;
  for (let i = 0; i < times; i++) {
    changed = random.once(8) ? mutateBytes(changed, random, other) : byForm(changed);
  }
  return changed;
}

/** Arguments of a command line stand one in a line. */
function mutateArguments(input: Bytes, random: Random, other: () => string): Bytes {
  const args = textOf(input).split("\n");
  const at = random.int(args.length);
  switch (random.int(8)) {
    case 0:
      args.splice(at, 1);
      break;
    case 1:
      args.splice(at, 0, args[at]);
      break;
    case 2:
      args.splice(at, 0, random.pick(other().split("\n")));
      break;
    case 3:
      args[at] = random.pick(other().split("\n"));
      break;
    case 4:
      args[at] = args[at].includes("=") ? args[at].replace("=", "\n") : `${args[at]}=`;
      break;
    case 5: {
      const to = random.int(args.length);
      [args[at], args[to]] = [args[to], args[at]];
      break;
    }
    case 6:
      args[at] = `--${random.pick(WORDS)}`;
      break;
    default:
      args[at] = mutatePlain(args[at], random);
  }
  return utf8(args.join("\n").toWellFormed());
}
