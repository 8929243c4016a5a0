import { strictEqual as equal } from "node:assert/strict";
import { test } from "node:test";
import { parseTimestamp } from "./timestamp.ts";

function iso(text: string): string | undefined {
  return parseTimestamp(text)?.toISOString();
}

test("parseTimestamp() reads RFC 3339 in UTC, with any number of fraction digits", () => {
  equal(iso("2026-01-02T03:04:05Z"), "2026-01-02T03:04:05.000Z");
  equal(iso("2026-01-02T03:04:05.5Z"), "2026-01-02T03:04:05.500Z");
  equal(iso("2026-01-02T03:04:05.1239999999Z"), "2026-01-02T03:04:05.123Z");
  equal(iso("0001-01-01T00:00:00Z"), "0001-01-01T00:00:00.000Z");
  equal(iso("9999-12-31T23:59:59Z"), "9999-12-31T23:59:59.000Z");
});

test("parseTimestamp() knows the length of months and leap years", () => {
  equal(iso("2024-02-29T00:00:00Z"), "2024-02-29T00:00:00.000Z");
  equal(iso("2000-02-29T00:00:00Z"), "2000-02-29T00:00:00.000Z");
  for (const date of ["2026-02-29", "1900-02-29", "2026-04-31", "2026-06-31", "2026-01-32"]) {
    equal(iso(`${date}T00:00:00Z`), undefined, date);
  }
});

test("parseTimestamp() takes a leap second at the end of a month only", () => {
  equal(iso("2016-12-31T23:59:60Z"), "2017-01-01T00:00:00.000Z");
  equal(iso("2016-12-31T23:59:60.5Z"), "2017-01-01T00:00:00.000Z");
  for (const text of ["2016-12-30T23:59:60Z", "2016-12-31T22:59:60Z", "2016-12-31T23:58:60Z"]) {
    equal(iso(text), undefined, text);
  }
});

test("parseTimestamp() refuses what Date.parse() takes", () => {
  for (
    const text of [
      "",
      "2026",
      "2026-01-02",
      "2026-01-02T03:04Z",
      "2026-01-02T03:04:05",
      "2026-01-02T03:04:05+00:00",
      "2026-01-02T03:04:05-00:00",
      "2026-01-02t03:04:05Z",
      "2026-01-02T03:04:05z",
      "2026-01-02 03:04:05Z",
      "2026-01-02T03:04:05.Z",
      "2026-01-02T03:04:05,5Z",
      "2026-1-2T03:04:05Z",
      "+012026-01-02T03:04:05Z",
      "2026-00-02T03:04:05Z",
      "2026-13-02T03:04:05Z",
      "2026-01-00T03:04:05Z",
      "2026-01-02T24:00:00Z",
      "2026-01-02T03:60:05Z",
      "2026-01-02T03:04:61Z",
      " 2026-01-02T03:04:05Z",
      "2026-01-02T03:04:05Z\n",
      "٢٠٢٦-01-02T03:04:05Z",
      `2026-01-02T03:04:05.${"0".repeat(1000)}Z`,
      "Fri, 02 Jan 2026 03:04:05 GMT",
    ]
  ) equal(iso(text), undefined, text);
});
