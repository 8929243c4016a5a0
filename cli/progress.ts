import type { VerifyProgress } from "../verify/options.ts";
import type { Runtime } from "./runtime.ts";
import { plural } from "./text.ts";

const DELAY_MS = 1000;
const INTERVAL_MS = 100;
const WIDTH = 24;

/** A bar on standard error; silent when nobody sees it, or when the work is short. */
export interface Progress {
  /** Takes what `verify()` tells. */
  update(progress: VerifyProgress): void;
  /** Wipes the bar. */
  end(): void;
}

/** Shows how far the work has got, on a terminal and from the first second on. */
export function progressBar(
  runtime: Runtime,
  now: () => number = () => Date.now(),
  noun = "attestation",
): Progress {
  if (!runtime.isTerminal("stderr")) return { update: () => {}, end: () => {} };
  const start = now();
  let shown = start;
  let wrote = false;
  return {
    update(progress): void {
      const time = now();
      if (time - start < DELAY_MS || time - shown < INTERVAL_MS) return;
      shown = time;
      wrote = true;
      runtime.write("stderr", `\r\x1b[K${line(progress, noun)}`);
    },
    end(): void {
      if (wrote) runtime.write("stderr", "\r\x1b[K");
      wrote = false;
    },
  };
}

function line({ phase, done, total }: VerifyProgress, noun: string): string {
  const amount = phase === "digest" ? `${(done / 2 ** 20).toFixed(0)} MiB` : plural(done, noun);
  const what = phase === "digest" ? "hashing" : "verifying";
  if (total === undefined || total <= 0) return `${what} ${amount}`;
  const part = Math.min(1, done / total);
  const full = Math.round(part * WIDTH);
  const bar = "#".repeat(full).padEnd(WIDTH, ".");
  return `${what} [${bar}] ${(part * 100).toFixed(0).padStart(3)} % ${amount}`;
}
