/** A warm process that answers questions, and is replaced when it does not. */

import { type ChildProcessByStdio, spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { createInterface, type Interface } from "node:readline";
import type { Readable, Writable } from "node:stream";
import type { Judged, Probed, Question } from "./worker.ts";

/** Questions after which the process is replaced: each leaves instances of modules behind. */
const QUESTIONS = 300;

const WATCH_MS = 250;
/** How long a process may do nothing at all. */
const IDLE_MS = 6000;

/**
 * Calls back when a process has used so much processor time, or has been asleep for long. The
 * clock on the wall says nothing of a process that others leave no processor to.
 */
function whenSpent(
  pid: number,
  limitMs: number,
  spent: () => void,
): ReturnType<typeof setInterval> {
  const began = performance.now();
  const first = usageOf(pid);
  let last = first;
  let idle = 0;
  return setInterval(() => {
    const now = usageOf(pid);
    if (first === undefined || now === undefined) {
      if (performance.now() - began > limitMs) spent();
      return;
    }
    idle = now.asleep && now.ms === last?.ms ? idle + WATCH_MS : 0;
    last = now;
    if (now.ms - first.ms > limitMs || idle >= IDLE_MS) spent();
  }, WATCH_MS);
}

/** Processor time of a process, and whether it waits for something else; Linux only. */
function usageOf(pid: number): { ms: number; asleep: boolean } | undefined {
  let text: string;
  try {
    text = readFileSync(`/proc/${pid}/stat`, "utf8");
  } catch {
    return undefined;
  }
  // proc(5): the name in brackets may have spaces; ticks are 10 ms.
  const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
  return { ms: (Number(fields[11]) + Number(fields[12])) * 10, asleep: fields[0] === "S" };
}

/** Asks one question at a time. */
export class WarmProcess {
  readonly #folder: string;
  #child: ChildProcessByStdio<Writable, Readable, null> | undefined;
  #lines: Interface | undefined;
  #asked = 0;

  constructor(folder: string) {
    this.#folder = folder;
  }

  /** The answer; `undefined` if there was none in time. */
  async ask(question: Question, timeoutMs: number): Promise<Judged | Probed | undefined> {
    if (this.#child === undefined || this.#asked >= QUESTIONS) this.#start();
    this.#asked++;
    const child = this.#child;
    const lines = this.#lines;
    if (child === undefined || lines === undefined) throw new Error("No process");
    const { promise, resolve } = Promise.withResolvers<Judged | Probed | undefined>();
    const timer = whenSpent(child.pid ?? 0, timeoutMs, () => resolve(undefined));
    const ended = () => resolve({ killedBy: { bundle: "", failure: "the process ended" } });
    child.once("exit", ended);
    lines.once("line", (line) => resolve(JSON.parse(line)));
    child.stdin.write(`${JSON.stringify(question)}\n`);
    const answer = await promise;
    clearInterval(timer);
    child.off("exit", ended);
    lines.removeAllListeners("line");
    const isOver = child.exitCode !== null || child.signalCode !== null;
    if (answer === undefined || isOver) this.stop();
    return answer;
  }

  /** Ends the process. */
  stop(): void {
    this.#lines?.close();
    this.#child?.kill("SIGKILL");
    this.#child = undefined;
  }

  #start(): void {
    this.stop();
    this.#asked = 0;
    this.#child = spawn(
      process.execPath,
      [
        "run",
        "-A",
        "--no-check",
        "--config",
        join(this.#folder, "deno.json"),
        join(this.#folder, "tests/mutation/worker.ts"),
      ],
      { cwd: this.#folder, stdio: ["pipe", "pipe", "ignore"] },
    );
    this.#lines = createInterface({ input: this.#child.stdout });
  }
}
