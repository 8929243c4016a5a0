/**
 * One try's time, which the caller's signal may end earlier.
 *
 * A `fetch` of the runtime keeps the process running while it waits, so that the timer need
 * not: `AbortSignal.timeout()` does, and spares Deno the loading of its timers, tens of
 * milliseconds of a short command. One that is passed in may wait for nothing at all.
 */
export class TimeLimit {
  readonly #controller = new AbortController();
  readonly #outer: AbortSignal | undefined;
  readonly #ended: Promise<never>;
  readonly #own: AbortSignal | undefined;
  readonly #timeout: ReturnType<typeof setTimeout> | undefined;
  readonly #stop = () => this.#controller.abort();
  readonly #end = () => {
    this.isOver = true;
    this.#controller.abort();
  };
  isOver = false;

  /** @param isPassedIn Whether the work is that of a `fetch` which was passed in. */
  constructor(ms: number, outer: AbortSignal | undefined, isPassedIn: boolean) {
    this.#outer = outer;
    if (isPassedIn) this.#timeout = setTimeout(this.#end, ms);
    else {
      this.#own = AbortSignal.timeout(ms);
      this.#own.addEventListener("abort", this.#end, { once: true });
    }
    this.#ended = new Promise((_, reject) => {
      this.signal.addEventListener("abort", () => reject(new Error("stopped")), { once: true });
    });
    this.#ended.catch(() => {});
    outer?.addEventListener("abort", this.#stop, { once: true });
    if (outer?.aborted) this.#stop();
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Not every `fetch` that is passed in looks at its signal. */
  race<T>(work: Promise<T>): Promise<T> {
    work.catch(() => {});
    return Promise.race([work, this.#ended]);
  }

  clear(): void {
    if (this.#timeout !== undefined) clearTimeout(this.#timeout);
    this.#own?.removeEventListener("abort", this.#end);
    this.#outer?.removeEventListener("abort", this.#stop);
  }
}
