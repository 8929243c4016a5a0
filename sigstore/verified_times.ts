import { asRefusal } from "../internal/check_list.ts";
import { encodeHex } from "../internal/hex.ts";
import { type Attempt, type Settled, threshold, usesLog } from "./_attempt.ts";
import type { verifyTimestamp } from "./timestamp.ts";
import type { LogFinding } from "./transparency_log.ts";
import { isWithin } from "./trusted_root.ts";

/** A moment that somebody other than the signer vouches for. */
export interface VerifiedTimestamp {
  /** Who vouches: a transparency log (SET) or an RFC 3161 authority. */
  type: "transparency-log" | "timestamp-authority";
  /** Address or name of the log or authority, as the trusted root states it. */
  uri: string;
  /** RFC 3339 in UTC. */
  timestamp: string;
}

/** What logs and timestamp authorities vouch for, of one attempt. */
export class VerifiedTimes {
  readonly #stamps: { stamp: VerifiedTimestamp; time: Date; operator: string }[] = [];
  readonly #logged: { finding: LogFinding; path: string }[] = [];

  add(type: VerifiedTimestamp["type"], by: { uri: string; operator: string }, time: Date): void {
    const stamp = { type, uri: by.uri, timestamp: time.toISOString() };
    this.#stamps.push({ stamp, time, operator: by.operator });
  }

  addEntry(finding: LogFinding, path: string): void {
    this.#logged.push({ finding, path });
    const { log: { baseUrl: uri, operator }, time } = finding;
    if (time !== undefined) this.add("transparency-log", { uri, operator }, time);
  }

  times(): Date[] {
    return this.#stamps.map(({ time }) => time);
  }

  stamps(): VerifiedTimestamp[] {
    return this.#stamps.map(({ stamp }) => stamp);
  }

  /** Distinct logs that include the signature. */
  logs(): number {
    return new Set(this.#logged.map(({ finding }) => finding.log.operator)).size;
  }

  /** Operators that vouch for a time: each counts once, whatever it says how often. */
  vouching(type: VerifiedTimestamp["type"]): number {
    const by = this.#stamps.filter(({ stamp }) => stamp.type === type);
    return new Set(by.map(({ operator }) => operator)).size;
  }

  /**
   * An entry without a promise has no time of its own. Its log's key must have been valid
   * when the authorities stamped the signature, or a key that was retired could still log.
   */
  checkLogKeys({ list }: Attempt): void {
    const times = this.#stamps.filter(({ stamp }) => stamp.type === "timestamp-authority");
    for (const { finding, path } of this.#logged) {
      if (finding.time !== undefined) continue;
      const late = times.find(({ time }) =>
        !finding.sameKey.some(({ validFor }) => isWithin(time, validFor))
      );
      if (late === undefined) continue;
      const message = `Cannot accept log entry: at ${late.stamp.timestamp}, the time of the ` +
        "timestamp, the log's key was not valid";
      list.refused("envelope.log-entry", "log-not-valid", message, { path });
    }
  }
}

/** Checks that enough logs include the signature. */
export async function checkLog(
  one: Attempt,
  verified: VerifiedTimes,
  entries: Settled<LogFinding | undefined>[],
): Promise<void> {
  const id = "envelope.log";
  if (!usesLog(one)) {
    return one.list.skipped(id, "Logs are not looked at, as the caller asked");
  }
  const { logEntries } = one.bundle;
  const seen = new Set<string>();
  let unknown = 0;
  for (const [i, entry] of logEntries.entries()) {
    const name = `${encodeHex(entry.keyId)}/${entry.logIndex}`;
    if (seen.has(name)) {
      one.list.refused(
        "envelope.log-entry",
        "duplicate-log-entry",
        `Cannot accept log entry: ${entry.logIndex} of the same log is there twice`,
        { path: entry.path },
      );
    }
    seen.add(name);
    const outcome = await entries[i];
    if (outcome === undefined) continue;
    if ("error" in outcome) {
      one.list.failed("envelope.log-entry", outcome.error, { path: entry.path });
    } else if (outcome.value === undefined) {
      unknown++;
    } else {
      verified.addEntry(outcome.value, entry.path);
      const { log } = outcome.value;
      one.list.passed(
        "envelope.log-entry",
        `Entry ${entry.logIndex} of ${log.baseUrl} holds this signature`,
        { path: entry.path, origin: "log" },
      );
    }
  }
  const operators = verified.logs();
  const need = threshold(one, "log");
  const facts = { expected: `${need}`, actual: `${operators}` };
  if (operators >= need) {
    if (need > 0) {
      one.list.passed(
        id,
        `Distinct logs that include it: ${operators}, needed: ${need}`,
        facts,
      );
    }
    return;
  }
  one.list.refused(
    id,
    logEntries.length > 0 && unknown === logEntries.length
      ? "untrusted-log"
      : "log-threshold-not-met",
    `Cannot accept bundle: distinct logs that include it: ${operators}, needed: ${need}`,
    facts,
  );
}

/** Checks that enough times are vouched for. */
export async function checkTimestamps(
  one: Attempt,
  verified: VerifiedTimes,
  stamps: Settled<Awaited<ReturnType<typeof verifyTimestamp>>>[],
): Promise<void> {
  let untrusted: unknown;
  for (const [i, work] of stamps.entries()) {
    const path = `/verificationMaterial/timestampVerificationData/rfc3161Timestamps/${i}`;
    const outcome = await work;
    if ("error" in outcome) {
      // A stamp by an authority that is not trusted proves nothing; the threshold decides.
      if (asRefusal(outcome.error).reason === "untrusted-timestamp-authority") {
        untrusted ??= outcome.error;
      } else one.list.failed("envelope.timestamp", outcome.error, { path });
      continue;
    }
    const { authority, time } = outcome.value;
    verified.add("timestamp-authority", authority, time);
    one.list.passed("envelope.timestamp", `${authority.uri} stamped the signature`, {
      actual: time.toISOString(),
      origin: "timestamp",
      path,
    });
  }
  const authorities = verified.vouching("timestamp-authority");
  const logs = verified.vouching("transparency-log");
  const needs = [
    ["timestamp", authorities + logs, "Verified times"],
    ["timestampAuthority", authorities, "Times by timestamp authorities"],
    ["integratedTime", logs, "Times by log promises"],
  ] as const;
  for (const [name, have, what] of needs) {
    const need = threshold(one, name);
    if (need === 0) continue;
    const facts = { expected: `${need}`, actual: `${have}` };
    if (have >= need) {
      one.list.passed("envelope.time", `${what}: ${have}, needed: ${need}`, facts);
    } else if (untrusted !== undefined && name !== "integratedTime") {
      one.list.failed("envelope.time", untrusted, facts);
    } else {
      const message = `Cannot accept bundle: ${what.toLowerCase()}: ${have}, needed: ${need}`;
      one.list.refused("envelope.time", "timestamp-threshold-not-met", message, facts);
    }
  }
}
