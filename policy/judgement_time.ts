import { parseTimestamp } from "../internal/timestamp.ts";
import type { CompiledPolicy } from "./compiled.ts";
import type { Requirement } from "./document.ts";

/** The moment that stands for another one in judgements by a policy. */
export interface JudgementTime {
  /** Judge at this moment: every verdict is the one of the moment that was asked for. */
  readonly time: Date;
  /** The policy counts ages: each moment is one of its own. */
  readonly isExact: boolean;
}

/**
 * The earliest moment that a policy cannot tell from another one: the last of its ends,
 * starts and revocations before it. What was judged at it need not be judged again until the
 * next one has come. A policy that counts ages, or that asks CEL, can tell all moments apart.
 *
 * @param policy A policy, with revocations if there are any.
 * @param now The moment of the verdict.
 * @throws {TypeError} If `now` is no valid Date.
 *
 * @example
 * ```ts
 * import { compilePolicy, definePolicy, judgementTime, signedBy } from "@x/attest/policy";
 * import { generateSigner } from "@x/attest/keys";
 * import assert from "node:assert/strict";
 *
 * const { publicKey } = await generateSigner("Ed25519");
 * const policy = await compilePolicy(definePolicy({
 *   expires: "2026-06-01T00:00:00Z",
 *   trust: { keys: { ci: { publicKey } } },
 *   rules: [{ id: "r", require: [{ id: "signed", envelope: signedBy("ci") }] }],
 * }));
 * const [may, june] = ["2026-05-05T00:00:00Z", "2026-06-05T00:00:00Z"].map((text) =>
 *   judgementTime(policy, new Date(text)).time.toISOString()
 * );
 * assert.equal(may, "1970-01-01T00:00:00.000Z");
 * assert.equal(june, "2026-06-01T00:00:00.000Z");
 * ```
 */
export function judgementTime(policy: CompiledPolicy, now: Date): JudgementTime {
  const ms = now.getTime();
  if (Number.isNaN(ms)) throw new TypeError("now is no valid Date");
  const { document, keySets } = policy;
  if (document.rules.some(({ require }) => require.some(countsAges))) {
    return { time: new Date(ms), isExact: true };
  }
  let latest = 0;
  const add = (moment = 0): void => {
    if (moment <= ms) latest = Math.max(latest, moment);
  };
  for (const text of [document.expires, ...(document.waivers ?? []).map(({ until }) => until)]) {
    if (text !== undefined) add(parseTimestamp(text)?.getTime());
  }
  for (const { validFrom, validUntil, revoked } of keySets.flatMap(({ keys }) => keys)) {
    add(validFrom?.getTime());
    add(revoked?.at.getTime());
    // The last moment at which it counts: the next one is another.
    add(validUntil === undefined ? undefined : validUntil.getTime() + 1);
  }
  return { time: new Date(latest), isExact: false };
}

function countsAges({ freshness, predicate }: Requirement): boolean {
  if (freshness !== undefined) return true;
  if (predicate === undefined) return false;
  const { vsa, vulnerabilities, cel, where = [] } = predicate;
  return vsa !== undefined || vulnerabilities !== undefined || cel !== undefined ||
    where.some(({ time }) => time !== undefined);
}
