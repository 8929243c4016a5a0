/** Allowed difference of the clocks of who wrote a moment and who reads it, in milliseconds. */
export const CLOCK_SKEW_MS = 300_000;

const TIMESTAMP = /^(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(\.\d{1,32})?Z$/;

/**
 * Moment of an RFC 3339 text in UTC with `Z`, cut to milliseconds, or undefined if the
 * text is anything else. Offsets, lower-case letters and dates that do not exist are
 * refused; `Date.parse` takes all of them. A leap second, which may end any month, is the
 * moment after it.
 *
 * Source: RFC 3339, 5.6 and 5.7; in-toto attestation v1, field_types.md, "Timestamp".
 */
export function parseTimestamp(text: string): Date | undefined {
  const match = TIMESTAMP.exec(text);
  if (match === null) return undefined;
  const [year, month, day, hour, minute, second] = match.slice(1, 7).map(Number);
  if (month < 1 || month > 12 || day < 1 || day > daysOf(year, month)) return undefined;
  if (hour > 23 || minute > 59 || second > 60) return undefined;
  if (second === 60 && (hour !== 23 || minute !== 59 || day !== daysOf(year, month))) {
    return undefined;
  }
  const millis = second === 60 ? 0 : Number((match[7] ?? ".").slice(1, 4).padEnd(3, "0"));
  const time = new Date(0);
  time.setUTCFullYear(year, month - 1, day);
  time.setUTCHours(hour, minute, second, millis);
  return time;
}

/**
 * Moment of an RFC 3339 text with `Z` or an offset, cut to milliseconds, or undefined if the
 * text is anything else. For formats whose own writers use offsets.
 *
 * Source: RFC 3339, 5.6.
 */
export function parseOffsetTimestamp(text: string): Date | undefined {
  const match = /^(.{10}T[\d:.]{8,41})([+-])([01]\d|2[0-3]):([0-5]\d)$/.exec(text);
  if (match === null) return parseTimestamp(text);
  const base = parseTimestamp(`${match[1]}Z`);
  if (base === undefined) return undefined;
  const minutes = Number(match[3]) * 60 + Number(match[4]);
  return new Date(base.getTime() - (match[2] === "-" ? -1 : 1) * minutes * 60_000);
}

function daysOf(year: number, month: number): number {
  if (month === 2) return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0) ? 29 : 28;
  return month === 4 || month === 6 || month === 9 || month === 11 ? 30 : 31;
}
