import { strictEqual as equal, throws } from "node:assert/strict";
import { test } from "node:test";
import { AttestationError } from "../errors.ts";
import { durationFault, parseDuration } from "./duration.ts";

test("parseDuration() reads weeks, days and times", () => {
  const day = 86_400_000;
  equal(parseDuration("P2W"), 14 * day);
  equal(parseDuration("P30D"), 30 * day);
  equal(parseDuration("P1DT12H"), 1.5 * day);
  equal(parseDuration("PT1H30M"), 5_400_000);
  equal(parseDuration("PT90S"), 90_000);
  // The longest that there is.
  equal(parseDuration("P36525D"), 36_525 * day);
  throws(() => parseDuration("P36525DT1S"), /a hundred years/);
});

test("parseDuration() refuses what has no one length or none at all", () => {
  const bad = [
    "",
    "P",
    "PT",
    "P1DT",
    "P1M",
    "P1Y",
    "P1Y2M3D",
    "P0D",
    "PT0S",
    "30D",
    "P-1D",
    "-P1D",
    "P1.5D",
    "P1D ",
    "P1D\n",
    "p1d",
    "P1W1D",
    "PT1S1M",
    "7 days",
    "P999999W",
    "PT99999999999S",
  ];
  for (const text of bad) {
    throws(
      () => parseDuration(text),
      (error) => error instanceof AttestationError && error.reason === "malformed-policy",
      text,
    );
  }
  equal(durationFault("P1D"), undefined);
  equal(durationFault("P3M")?.includes("count days"), true);
});
