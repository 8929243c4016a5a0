/**
 * Conformance runner: `deno task vectors [--index FILE] [--origin O] [--kind K] [--id ID]
 * [--format text|json] [--record]`. Runs unchanged in Node 24 and Bun.
 */

import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import type { ReadFile, VectorIndex } from "./cases.ts";
import {
  countLine,
  formatText,
  gradeAll,
  type Graded,
  type RecordedReasons,
  recordReasons,
  totals,
} from "./grade.ts";

const HERE = dirname(fileURLToPath(import.meta.url));
const ROOT = resolve(HERE, "../..");
const REASONS = join(HERE, "reasons.json");

const { values } = parseArgs({
  options: {
    index: { type: "string", multiple: true },
    origin: { type: "string" },
    kind: { type: "string" },
    id: { type: "string" },
    format: { type: "string", default: "text" },
    record: { type: "boolean", default: false },
  },
});
if (values.format !== "text" && values.format !== "json") {
  console.error(`--format is ${JSON.stringify(values.format)}, wanted text or json`);
  process.exit(2);
}

const reasons: RecordedReasons = existsSync(REASONS)
  ? JSON.parse(readFileSync(REASONS, "utf8"))
  : {};
const indexes = values.index ?? defaultIndexes();
if (indexes.length === 0) {
  console.error("No index of vectors: give --index FILE");
  process.exit(2);
}

const graded: Graded[] = [];
const recorded: RecordedReasons = {};
for (const path of indexes) {
  const folder = dirname(resolve(path));
  const index: VectorIndex = JSON.parse(readFileSync(path, "utf8"));
  const read: ReadFile = async (file) => new Uint8Array(await readFile(join(folder, file)));
  const known = values.record ? {} : reasons;
  const one = await gradeAll(index, known, read, values);
  // Reasons that an index states itself are not recorded a second time.
  const stated = new Set(
    index.cases.filter((c) => c.expectedReason !== undefined).map((c) => c.id),
  );
  for (const [id, reason] of Object.entries(recordReasons(one))) {
    if (!stated.has(id.replace(/#.*$/, ""))) recorded[id] = reason;
  }
  graded.push(...one);
  if (values.format === "text" && indexes.length > 1) {
    console.log(`== ${path}\n${formatText(one)}\n`);
  }
}

if (values.record) {
  const all = { ...reasons, ...recorded };
  const sorted = Object.fromEntries(Object.entries(all).sort(([a], [b]) => a < b ? -1 : 1));
  writeFileSync(REASONS, `${JSON.stringify(sorted, null, 2)}\n`);
}
if (values.format === "json") {
  console.log(JSON.stringify({ ...totals(graded), runs: graded }, null, 2));
} else {
  console.log(indexes.length > 1 ? countLine(graded) : formatText(graded));
}
process.exit(totals(graded).failed === 0 ? 0 : 1);

function defaultIndexes(): string[] {
  return [join(ROOT, "../shared/vectors/index.json"), join(ROOT, "testdata/index.json")].filter(
    existsSync,
  );
}
