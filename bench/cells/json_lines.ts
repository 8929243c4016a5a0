/**
 * Verifies a file of JSON Lines with one key, and reads each Statement. Arguments: folder of
 * fixtures, file. Prints one line of JSON: wall and CPU milliseconds, MiB before and at most.
 */

import { createReadStream, readFileSync } from "node:fs";
import process from "node:process";
import { verifyEnvelopes } from "../../dsse/mod.ts";
import { parseStatement, readJsonLines } from "../../intoto/mod.ts";
import { importTrustedKey } from "../../keys/mod.ts";
import { cpuNs, peakMiB, runtimeName } from "../measure.ts";

const [folder, file] = process.argv.slice(2);
const keys = [await importTrustedKey(readFileSync(`${folder}/p256.pub.pem`, "utf8"))];

async function* envelopesOf(path: string): AsyncGenerator<object> {
  for await (const line of readJsonLines(createReadStream(path, { highWaterMark: 1 << 20 }))) {
    if (!line.ok) throw line.error;
    yield line.value;
  }
}

const before = peakMiB(), cpu = cpuNs(), start = performance.now();
let count = 0;
for await (const result of verifyEnvelopes(envelopesOf(`${folder}/${file}`), { keys })) {
  if (!result.ok) throw result.error;
  parseStatement(result.payload);
  count++;
}
const ms = performance.now() - start, used = (cpuNs() - cpu) / 1e6;
console.log(
  JSON.stringify({ runtime: runtimeName(), count, ms, cpu: used, before, peak: peakMiB() }),
);
