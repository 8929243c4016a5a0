/** Buckets of durations, in seconds. */
const BUCKETS: readonly number[] = [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10];

interface Histogram {
  counts: number[];
  sum: number;
  count: number;
}

/** Values that are known at the moment of the answer. */
export interface Gauges {
  /** Whether a policy is in force and the newest one is good. */
  policyGood: boolean;
  /** Unix seconds since when it is in force; undefined before the first. */
  policySince?: number;
  /** Requests that are being answered. */
  inFlight: number;
}

/**
 * Counters of one process, in the text format of Prometheus. The values of labels are words of
 * this program, never of a request, so that nobody can make them grow.
 */
export class Metrics {
  readonly #requests = new Map<string, number>();
  readonly #durations = new Map<string, Histogram>();
  readonly #decisions = new Map<string, number>();
  #verifySeconds = 0;
  #storeErrors = 0;

  /** A request was answered. */
  request(route: string, status: number, seconds: number): void {
    add(this.#requests, labels({ route, status: String(status) }));
    const histogram = this.#durations.get(route) ??
      { counts: BUCKETS.map(() => 0), sum: 0, count: 0 };
    this.#durations.set(route, histogram);
    histogram.sum += seconds;
    histogram.count++;
    BUCKETS.forEach((bound, i) => {
      if (seconds <= bound) histogram.counts[i]++;
    });
  }

  /** A PUT was decided. */
  decision(outcome: "accepted" | "refused", mode: string, reason: string | null): void {
    add(this.#decisions, labels({ outcome, mode, reason: reason ?? "none" }));
  }

  /** So long was spent on verification. */
  verified(ms: number): void {
    this.#verifySeconds += ms / 1000;
  }

  /** The database could not be asked. */
  storeError(): void {
    this.#storeErrors++;
  }

  /** All of it, as text. */
  text({ policyGood, policySince, inFlight }: Gauges): string {
    const lines: string[] = [];
    const family = (name: string, type: string, help: string, samples: string[]) => {
      const full = `attest_registry_${name}`;
      lines.push(`# HELP ${full} ${help}`, `# TYPE ${full} ${type}`);
      for (const sample of samples) lines.push(full + sample);
    };
    const counted = (map: ReadonlyMap<string, number>) =>
      [...map].map(([labels, count]) => `${labels} ${count}`);
    family("requests_total", "counter", "Answered requests", counted(this.#requests));
    const durations = [...this.#durations].flatMap(([route, { counts, sum, count }]) => [
      ...counts.map((n, i) => `_bucket${labels({ route, le: String(BUCKETS[i]) })} ${n}`),
      `_bucket${labels({ route, le: "+Inf" })} ${count}`,
      `_sum${labels({ route })} ${sum}`,
      `_count${labels({ route })} ${count}`,
    ]);
    family("request_seconds", "histogram", "Time until the answer", durations);
    family("decisions_total", "counter", "Decided PUTs", counted(this.#decisions));
    family("verify_seconds_total", "counter", "Time of verification", [` ${this.#verifySeconds}`]);
    family("store_errors_total", "counter", "Failed uses of the database", [
      ` ${this.#storeErrors}`,
    ]);
    family("in_flight", "gauge", "Requests under way", [` ${inFlight}`]);
    family("policy_good", "gauge", "1 if the newest policy is in force", [
      ` ${policyGood ? 1 : 0}`,
    ]);
    if (policySince !== undefined) {
      family("policy_since_seconds", "gauge", "Since when the policy is in force", [
        ` ${policySince}`,
      ]);
    }
    return lines.join("\n") + "\n";
  }
}

function add(map: Map<string, number>, key: string): void {
  map.set(key, (map.get(key) ?? 0) + 1);
}

function labels(values: Readonly<Record<string, string>>): string {
  const pairs = Object.entries(values).map(([name, value]) =>
    `${name}="${value.replace(/[\\"\n]/g, "")}"`
  );
  return `{${pairs.join(",")}}`;
}
