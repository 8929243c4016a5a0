/** One try's time, which the caller's signal may end earlier. */
export class TimeLimit {
  readonly #controller = new AbortController();
  readonly #outer: AbortSignal | undefined;
  readonly #ended: Promise<never>;
  #timeout: ReturnType<typeof setTimeout> | undefined;
  readonly #stop = () => this.#controller.abort();
  isOver = false;

  constructor(ms: number, outer: AbortSignal | undefined) {
    this.#outer = outer;
    this.#timeout = setTimeout(() => {
      this.isOver = true;
      this.#controller.abort();
    }, ms);
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
    clearTimeout(this.#timeout);
    this.#outer?.removeEventListener("abort", this.#stop);
  }
}
