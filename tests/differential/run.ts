/**
 * Asks our verifier and its peers the same questions:
 *
 *     deno run -A tests/differential/run.ts [--seed 7] [--mutants 3000] [--slow-mutants 200]
 *         [--peers sigstore-js,sigstore-python,sigstore-go,cosign] [--local DIR] [--json FILE]
 *
 * `--local DIR` is the folder of a local Sigstore that runs: bundles are signed there first.
 * What is not installed is skipped with its reason. Exit 0: each disagreement has an
 * explanation in `explained.json`; 1: some have none; 3: no peer is installed.
 */

import { readFileSync, writeFileSync } from "node:fs";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { ToolAbsent } from "../runtimes/tools.ts";
import { type Disagreement, explain, type Explanation } from "./explain.ts";
import { freshQuestions, localQuestions } from "./fresh.ts";
import { mutate, seeded } from "./mutate.ts";
import { type Peer, PEERS } from "./peers.ts";
import { type Answer, ours, type Question, vectorQuestions } from "./questions.ts";

const { values } = parseArgs({
  options: {
    seed: { type: "string", default: "7" },
    mutants: { type: "string", default: "3000" },
    "slow-mutants": { type: "string", default: "200" },
    peers: { type: "string", default: Object.keys(PEERS).join(",") },
    local: { type: "string" },
    json: { type: "string" },
  },
});
const explanations: Explanation[] = JSON.parse(
  readFileSync(fileURLToPath(new URL("explained.json", import.meta.url)), "utf8"),
);

const peers: Peer[] = [];
for (const name of values.peers.split(",")) {
  try {
    peers.push(PEERS[name]());
  } catch (error) {
    if (!(error instanceof ToolAbsent)) throw error;
    console.log(`SKIPPED ${name}: ${error.message}`);
  }
}
if (peers.length === 0) process.exit(3);

const vectors = vectorQuestions();
const fresh = await freshQuestions(Number(values.seed));
const local = values.local === undefined ? [] : await localQuestions(values.local);
if (values.local === undefined) console.log("SKIPPED local Sigstore: no --local DIR");
const originals = [...vectors, ...fresh, ...local];
const good: Question[] = [];
for (const question of originals) {
  if ((await ours(question)).verdict === "pass") good.push(question);
}
console.log(
  `${vectors.length} vectors, ${fresh.length} fresh, ${local.length} of a local Sigstore; ` +
    `${good.length} accepted and mutated`,
);

const random = seeded(Number(values.seed));
const texts = good.map(({ bundle }) => bundle);
const mutants: Question[] = [];
while (mutants.length < Number(values.mutants)) {
  const base = good[mutants.length % good.length];
  let { text, change } = mutate(base.bundle, texts, random);
  if (random.below(8) === 0) {
    try {
      const second = mutate(text, texts, random);
      ({ text } = second);
      change = `${change} + ${second.change}`;
    } catch {
      // No JSON any more: it stays with one change.
    }
  }
  if (text === base.bundle || isSame(text, base.bundle, change)) continue;
  mutants.push({ ...base, id: `${base.id}~${mutants.length}`, bundle: text, change });
}

/** A change that changed nothing: a member that came to be what it was. */
function isSame(changed: string, original: string, change: string): boolean {
  if (/^(whole|snake|duplicate)/.test(change)) return false;
  try {
    return JSON.stringify(JSON.parse(changed)) === JSON.stringify(JSON.parse(original));
  } catch {
    return false;
  }
}

const found: Disagreement[] = [];
const tables = new Map<string, Map<string, number>>();
// Peers that are started for each question get the first mutants only.
const slow = Number(values["slow-mutants"]);
for (const [set, questions] of [["originals", originals], ["mutants", mutants]] as const) {
  const mine: Answer[] = [];
  for (const question of questions) mine.push(await ours(question));
  await Promise.all(peers.map(async (peer) => {
    const asked = peer.isSlow && set === "mutants" ? questions.slice(0, slow) : questions;
    for (const [i, question] of asked.entries()) {
      note(set, peer.name, question, mine[i], await peer.ask(question));
    }
  }));
}
for (const peer of peers) peer.close();

function note(set: string, peer: string, question: Question, mine: Answer, theirs: Answer): void {
  const name = `${peer} ${set}`;
  const table = tables.get(name) ?? new Map<string, number>();
  tables.set(name, table);
  const cell = `${mine.verdict}/${theirs.verdict}`;
  table.set(cell, (table.get(cell) ?? 0) + 1);
  if (theirs.verdict === "n/a" || theirs.verdict === mine.verdict) return;
  found.push({
    peer,
    id: question.id,
    change: question.change ?? "",
    ours: mine.verdict === "pass" ? "accepted" : mine.why,
    theirs: theirs.verdict === "pass" ? "accepted" : theirs.why,
    bundle: question.bundle,
  });
}

if (values.json !== undefined) writeFileSync(values.json, JSON.stringify(found, null, 1));

const cells = ["pass/pass", "fail/fail", "fail/pass", "pass/fail", "pass/n/a", "fail/n/a"];
console.log(`\n| peer, set (ours/theirs) | ${cells.join(" | ")} |\n| --- ${"| ---: ".repeat(6)}|`);
for (const [name, table] of tables) {
  console.log(`| ${name} | ${cells.map((cell) => table.get(cell) ?? 0).join(" | ")} |`);
}

const classes = new Map<string, Disagreement[]>();
const unexplained: Disagreement[] = [];
// What a peer refuses as it was made, it refuses changed as well: no cause of its own.
const refused = new Set(
  found.filter(({ ours, change }) => ours === "accepted" && change === "")
    .map(({ peer, id }) => `${peer} ${id}`),
);
let inherited = 0;
for (const one of found) {
  if (
    one.change !== "" && one.ours === "accepted" &&
    refused.has(`${one.peer} ${one.id.replace(/~\d+$/, "")}`)
  ) {
    inherited++;
    continue;
  }
  const id = explain(one, explanations)?.id;
  if (id === undefined) unexplained.push(one);
  else classes.set(id, [...classes.get(id) ?? [], one]);
}
console.log("\nDisagreements by cause:");
for (const [id, members] of [...classes].sort(([, a], [, b]) => b.length - a.length)) {
  const by = new Map<string, number>();
  for (const { peer } of members) by.set(peer, (by.get(peer) ?? 0) + 1);
  const { right } = explanations.find((one) => one.id === id)!;
  console.log(`  ${members.length} ${id} (${right}):`, Object.fromEntries(by));
}
for (const one of unexplained.slice(0, 60)) {
  console.log(
    `UNEXPLAINED ${one.peer} ${one.id} [${one.change}] ours: ${one.ours}; theirs: ${one.theirs}`,
  );
}
console.log(
  `${found.length} disagreements, ${inherited} of them those of the original, ` +
    `${classes.size} causes, ${unexplained.length} unexplained`,
);
process.exit(unexplained.length === 0 ? 0 : 1);
