/**
 * Runs in a copy whose modules are instrumented: makes each site that a PUT reaches fail in
 * turn, looks at what is in the database then, and prints as JSON what was wrong.
 * `--stride N`: every Nth site; `--skip K`: from the Kth on.
 */

import process from "node:process";
import { compilePolicy, parsePolicy } from "../../policy/mod.ts";
import { fixedPolicy } from "../../server/mod.ts";
import { getManifest } from "../../store/sql/mod.ts";
import { sqliteDriver } from "../../store/sql/sqlite.ts";
import { openRegistry, provenanceOf, signaturePolicy, testSigners } from "./fixture.ts";
import { brokenRecords } from "./invariants.ts";

/** What was found about one kind of PUT. */
export interface PutProbe {
  scenario: string;
  /** Sites that were made to fail. */
  sites: number;
  /** PUTs that were refused, that threw, and that were acknowledged all the same. */
  refused: number;
  thrown: number;
  acknowledged: number;
  /** What must not be. */
  wrong: string[];
}

declare global {
  // The instrumented modules call it; one that is not being attacked passes.
  var attack: ((site: string) => void) | undefined;
}

const CARD = { name: "app" };
const value = (name: string, otherwise: number) => {
  const at = process.argv.indexOf(`--${name}`);
  return at < 0 ? otherwise : Number(process.argv[at + 1]);
};
const stride = value("stride", 1);
const skip = value("skip", 0);

/** An answer, or undefined if there is none within ten seconds. */
async function inTime<T>(answer: Promise<T>): Promise<T | undefined> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<undefined>((resolve) => {
    timer = setTimeout(() => resolve(undefined), 10_000);
  });
  try {
    return await Promise.race([answer, late]);
  } finally {
    clearTimeout(timer);
  }
}

async function probe(
  scenario: string,
  { mode, isGood }: { mode: "enforce" | "permissive"; isGood: boolean },
): Promise<PutProbe> {
  const { ci, stranger } = await testSigners();
  const policy = await compilePolicy(parsePolicy(await signaturePolicy(mode)));
  const { put, db } = await openRegistry(sqliteDriver(":memory:"), { policy: fixedPolicy(policy) });
  const found: PutProbe = {
    ...{ scenario, sites: 0, refused: 0, thrown: 0, acknowledged: 0, wrong: [] },
  };
  let next = 0;
  const prepare = async () => {
    const urn = `urn:acme:app${++next}`;
    const signer = isGood ? ci : stranger;
    const provenance = [await provenanceOf(urn, CARD, { signer })];
    return { urn, put: () => put(urn, CARD, { provenance }) };
  };
  const isAccepted = isGood || mode === "permissive";
  // What is loaded once, is loaded now.
  await (await prepare()).put();
  const counts = new Set<string>();
  const clean = await prepare();
  globalThis.attack = (site) => void counts.add(site);
  const { status } = await clean.put();
  globalThis.attack = undefined;
  if ((status < 300) !== isAccepted) throw new Error(`${scenario}: ${status} without a fault`);

  for (const [i, site] of [...counts].entries()) {
    if (i % stride !== skip % stride) continue;
    found.sites++;
    const one = await prepare();
    globalThis.attack = (reached) => {
      if (reached === site) throw new Error("injected");
    };
    let status = 500;
    try {
      const answer = await inTime(one.put());
      if (answer === undefined) found.wrong.push(`${site}: no answer`);
      else ({ status } = answer);
    } catch {
      found.thrown++;
    }
    globalThis.attack = undefined;
    // What nobody waits for any more may still be under way.
    await new Promise((done) => setTimeout(done, 5));
    const kept = await getManifest(db, one.urn);
    const wrong = (what: string) => found.wrong.push(`${site}: ${what}`);
    if (status < 300) {
      found.acknowledged++;
      if (!isAccepted) wrong(`${status} for what is refused`);
      if (kept === undefined) wrong(`${status} without the record`);
    } else found.refused++;
    if (!isGood && kept?.verdict === "PASSED") wrong("reads as verified");
    for (const broken of await brokenRecords(db)) wrong(broken);
    const again = await inTime(one.put()).catch(() => undefined) ?? { status: 500, body: "" };
    if ((again.status < 300) !== isAccepted) wrong(`${again.status} without the fault, later`);
    if (isAccepted && again.body?.version !== 1) wrong(`version ${again.body?.version} of 1`);
  }
  await db.close();
  return found;
}

console.log(JSON.stringify([
  await probe("good, enforce", { mode: "enforce", isGood: true }),
  await probe("forged, enforce", { mode: "enforce", isGood: false }),
  await probe("forged, permissive", { mode: "permissive", isGood: false }),
]));
