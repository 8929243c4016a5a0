/** A warm process that answers questions, and is replaced when it does not. */

import { type ChildProcessByStdio, spawn } from "node:child_process";
import { join } from "node:path";
import process from "node:process";
import { createInterface, type Interface } from "node:readline";
import type { Readable, Writable } from "node:stream";
import type { Judged, Probed, Question } from "./worker.ts";

/** Questions after which the process is replaced: each leaves instances of modules behind. */
const QUESTIONS = 120;

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
    const timer = setTimeout(() => resolve(undefined), timeoutMs);
    const ended = () => resolve({ killedBy: { bundle: "", failure: "the process ended" } });
    child.once("exit", ended);
    lines.once("line", (line) => resolve(JSON.parse(line)));
    child.stdin.write(`${JSON.stringify(question)}\n`);
    const answer = await promise;
    clearTimeout(timer);
    child.off("exit", ended);
    lines.removeAllListeners("line");
    if (answer === undefined || child.exitCode !== null) this.stop();
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
