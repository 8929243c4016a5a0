/**
 * Runs in a copy whose modules are instrumented: makes each site fail in turn, and prints as
 * JSON what came of it. `--stride N`: every Nth site; `--hits N`: at N of its times; `--site TEXT`: sites that
 * contain it.
 */

import process from "node:process";
import { main } from "../../cli/main.ts";
import { createEnvelope } from "../../dsse/mod.ts";
import { AttestationError, type Reason } from "../../errors.ts";
import { generateSigner } from "../../keys/mod.ts";
import { compilePolicy, parsePolicy } from "../../policy/mod.ts";
import { parseTrustedRoot } from "../../sigstore/mod.ts";
import { rekor2, SIGNED, stamped, WORKFLOW } from "../../tools/pki/instance.ts";
import { verify } from "../../verify/mod.ts";
import { MemoryRuntime } from "../cli_runtime.ts";
import { ARTIFACT, bundleOf, ENVELOPE, IDENTITY, rootJson } from "../fixtures/sigstore.ts";
import { provenanceBundle, REPOSITORY } from "../fixtures/provenance.ts";

/** What was found out about one scenario. */
export interface Probe {
  scenario: string;
  /** Sites that were made to fail. */
  sites: number;
  faults: number;
  /** Refused with a report or an exit status, and thrown. */
  refused: number;
  thrown: number;
  /** Sites whose failure did not matter, with what was thrown there. */
  accepted: { site: string; hit: number; thrown: string }[];
  /** Rejections that nobody handled, and runs that did not end. */
  unhandled: string[];
  hangs: string[];
  /** Faults that did not happen. */
  unreached: string[];
}

declare global {
  // The instrumented modules call it; one that is not being attacked passes.
  var attack: ((site: string) => void) | undefined;
}

type Scenario = () => Promise<boolean>;

async function scenarios(): Promise<Record<string, Scenario>> {
  const root = await rootJson();
  const keyless = JSON.stringify(
    await bundleOf({ ...ENVELOPE, entries: rekor2(), timestamps: stamped() }),
  );
  const promised = JSON.stringify(await bundleOf(ENVELOPE));
  const built = JSON.stringify(await provenanceBundle());
  const one = await generateSigner("ES256", { name: "one" });
  const two = await generateSigner("Ed25519", { name: "two" });
  const statement = {
    _type: "https://in-toto.io/Statement/v1",
    subject: JSON.parse(atob(JSON.parse(promised).dsseEnvelope.payload)).subject,
    predicateType: "https://example.com/review/v1",
    predicate: { approved: true },
  };
  const envelope = JSON.stringify(
    await createEnvelope("application/vnd.in-toto+json", statement, [one.signer, two.signer]),
  );
  const policy = JSON.stringify({
    type: "attest-policy/v1",
    trust: {
      identities: {
        release: { issuer: IDENTITY.issuer, subjectAlternativeName: WORKFLOW },
      },
      roots: [root],
    },
    rules: [{
      id: "release",
      require: [{ id: "signed", envelope: { signedBy: { of: ["release"] } } }],
    }],
  });
  const files = {
    "artifact.txt": ARTIFACT,
    "bundle.json": promised,
    "root.json": JSON.stringify(root),
  };
  const trust = () => ({ trustedRoots: [parseTrustedRoot(root)], onlyRoot: true });
  const stream = () => new Blob([ARTIFACT]).stream();
  return {
    "keyless, Rekor v2 and a timestamp": async () =>
      (await verify(keyless, ARTIFACT, { trust: trust(), expect: { identity: IDENTITY } })).ok,
    "keyless, Rekor v1, a stream": async () =>
      (await verify(promised, stream(), { trust: trust(), expect: { identity: IDENTITY } })).ok,
    "SLSA provenance": async () =>
      (await verify(built, ARTIFACT, {
        trust: trust(),
        expect: { provenance: { sourceUri: REPOSITORY } },
      })).ok,
    "two of two keys": async () =>
      (await verify(envelope, ARTIFACT, {
        trust: { keys: [one.trustedKey, two.trustedKey], threshold: 2 },
        expect: { predicateType: statement.predicateType, subjects: "exact" },
      })).ok,
    "a policy": async () => {
      const compiled = await compilePolicy(parsePolicy(policy));
      return (await verify(promised, ARTIFACT, { policy: compiled, now: SIGNED })).ok;
    },
    "command line": async () => {
      const runtime = new MemoryRuntime(files, [
        "verify",
        "artifact.txt",
        "--bundle",
        "bundle.json",
        "--trusted-root",
        "root.json",
        "--only-root",
        "--cert-identity",
        WORKFLOW,
        "--cert-oidc-issuer",
        String(IDENTITY.issuer),
      ]);
      return await main(runtime) === 0;
    },
  };
}

const LENIENT: readonly Reason[] = [
  "untrusted-timestamp-authority",
  "unsupported-algorithm",
  "unknown-format",
];

/** What is thrown: some of it is what catching code may take for something else. */
const FAULTS: readonly (readonly [string, () => unknown])[] = [
  ["Error", () => new Error("injected")],
  ["undefined", () => undefined],
  ...LENIENT.map((reason) => [reason, () => new AttestationError(reason, "Injected")] as const),
  ["DOMException", () => new DOMException("injected", "OperationError")],
];

type Outcome = "accepted" | "refused" | "thrown" | "unreached" | "hang";

async function attempt(
  run: Scenario,
  { site, hit, make }: { site: string; hit: number; make: () => unknown },
): Promise<Outcome> {
  let seen = 0;
  globalThis.attack = (reached) => {
    if (reached === site && ++seen === hit) throw make();
  };
  let timer: ReturnType<typeof setTimeout> | undefined;
  try {
    const passed = await Promise.race([
      run(),
      new Promise<"hang">((done) => timer = setTimeout(done, 10_000, "hang")),
    ]);
    return passed === "hang" ? "hang" : seen < hit ? "unreached" : passed ? "accepted" : "refused";
  } catch {
    return "thrown";
  } finally {
    clearTimeout(timer);
  }
}

async function probe(
  scenario: string,
  run: Scenario,
  { stride, hits, skip, only }: { stride: number; hits: number; skip: number; only: string },
): Promise<Probe> {
  const counts = new Map<string, number>();
  globalThis.attack = (site) => void counts.set(site, (counts.get(site) ?? 0) + 1);
  if (!await run()) throw new Error(`${scenario} does not pass without a fault`);
  const found: Probe = {
    scenario,
    sites: 0,
    faults: 0,
    refused: 0,
    thrown: 0,
    accepted: [],
    unhandled: [],
    hangs: [],
    unreached: [],
  };
  let current = "";
  const onUnhandled = (error: unknown) => void found.unhandled.push(`${current}: ${error}`);
  process.on("unhandledRejection", onUnhandled);
  for (const [i, [site, count]] of [...counts].entries()) {
    if (i % stride !== skip % stride || !site.includes(only)) continue;
    found.sites++;
    const at = new Set(
      Array.from(
        { length: Math.min(hits, count) },
        (_, n) =>
          hits === 1 ? 1 : 1 + Math.floor(n * (count - 1) / Math.max(1, Math.min(hits, count) - 1)),
      ),
    );
    for (const hit of at) {
      const faults = hits === 1 ? [FAULTS[i % FAULTS.length]] : FAULTS;
      for (const [thrown, make] of faults) {
        current = `${site} (${hit}, ${thrown})`;
        found.faults++;
        let outcome = await attempt(run, { site, hit, make });
        // What an earlier run left going may have met the fault: again, in quiet.
        for (
          let again = 0;
          again < 3 && (outcome === "accepted" || outcome === "unreached");
          again++
        ) {
          await new Promise((done) => setTimeout(done, 30));
          outcome = await attempt(run, { site, hit, make });
        }
        if (outcome === "accepted") found.accepted.push({ site, hit, thrown });
        else if (outcome === "hang") found.hangs.push(current);
        else if (outcome === "unreached") found.unreached.push(current);
        else found[outcome]++;
      }
    }
  }
  globalThis.attack = () => {};
  await new Promise((done) => setTimeout(done, 20));
  process.off("unhandledRejection", onUnhandled);
  return found;
}

function word(name: string): string {
  const at = process.argv.indexOf(`--${name}`);
  return at < 0 ? "" : process.argv[at + 1];
}

function option(name: string, otherwise: number): number {
  const value = word(name);
  return value === "" ? otherwise : Number(value);
}

const options = {
  stride: option("stride", 1),
  hits: option("hits", 1),
  skip: option("skip", 0),
  only: word("site"),
};
const probes: Probe[] = [];
for (const [name, run] of Object.entries(await scenarios())) {
  probes.push(await probe(name, run, options));
}
console.log(JSON.stringify(probes));
