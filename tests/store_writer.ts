/**
 * Puts attestations into a store until it is stopped, and says of each that it is kept:
 * `deno run -A tests/store_writer.ts folder|lines PATH NAME COUNT STALE_LOCK_MS`.
 */

import { writeSync } from "node:fs";
import process from "node:process";
import { createFolderStore, createLinesStore } from "../store/fs.ts";
import { attestation, digestOf } from "../store/_contract_test.ts";

const [kind, path, name, count, stale] = process.argv.slice(2);
const staleLockMs = Number(stale);
const store = kind === "folder"
  ? createFolderStore(path, { staleLockMs })
  : createLinesStore(path, { staleLockMs });
for (let i = 0; i < Number(count); i++) {
  const subjects = [digestOf("all"), digestOf(name), { sha512: "0a".repeat(64) }];
  // Long enough that writing takes several steps.
  const { id } = await store.put(attestation(subjects, `${name} ${i} ${"x".repeat(40_000)}`));
  writeSync(1, `${id}\n`);
}
