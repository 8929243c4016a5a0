import { AttestationError } from "../errors.ts";
import { quote } from "../internal/json.ts";

const DURATION =
  /^P(?:(\d{1,6})W|(?=\d|T)(?:(\d{1,6})D)?(?:T(?=\d)(?:(\d{1,8})H)?(?:(\d{1,8})M)?(?:(\d{1,10})S)?)?)$/;

const MAX_MS = 36_525 * 86_400_000;

/** What is wrong with a duration, or undefined. */
export function durationFault(text: string): string | undefined {
  const found = read(text);
  return typeof found === "string" ? found : undefined;
}

/**
 * Milliseconds of a duration: `P2W`, `P30D`, `P1DT12H`, `PT90S`. Years and months are
 * refused, for they are of different lengths, and so is a duration of nothing.
 *
 * Source: ISO 8601-1, 5.5.2.
 *
 * @throws {AttestationError} `malformed-policy`.
 */
export function parseDuration(text: string): number {
  const found = read(text);
  if (typeof found === "number") return found;
  throw new AttestationError("malformed-policy", `Cannot read duration: ${found}`);
}

function read(text: string): number | string {
  const match = DURATION.exec(text);
  if (match === null) {
    return /^P(?=.*\d+[YM])[^T]*$|^P[^T]*\d[YM]/.test(text)
      ? `${quote(text)} has years or months, which are of different lengths; count days, as P30D`
      : `${quote(text)} is no duration such as P30D, P2W or PT12H`;
  }
  const [weeks, days, hours, minutes, seconds] = match.slice(1).map((part) => Number(part ?? 0));
  const ms = 1000 * (seconds + 60 * (minutes + 60 * (hours + 24 * (days + 7 * weeks))));
  if (ms === 0) return `${quote(text)} is no time at all`;
  if (ms > MAX_MS) return `${quote(text)} is more than a hundred years`;
  return ms;
}
