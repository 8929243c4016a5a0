import assert from "node:assert/strict";
import { test } from "node:test";
import { createEnvelope } from "../../dsse/mod.ts";
import { AttestationError } from "../../errors.ts";
import { type Bytes, utf8 } from "../../internal/bytes.ts";
import { encodeHex } from "../../internal/hex.ts";
import { sha256 } from "../../internal/sha256.ts";
import { generateSigner } from "../../keys/mod.ts";
import { compilePolicy, definePolicy, signedBy } from "../../policy/mod.ts";
import {
  type Judge,
  knownVerdicts,
  memoryLeases,
  memoryVerdictFiles,
  mergeSummaries,
  mergeWork,
  NO_VERDICTS,
  planWork,
  policyJudge,
  readVerdictFile,
  type ReverifyEntry,
  type ReverifyInputs,
  type ReverifySource,
  runWorker,
  summarizeFile,
  summaryRoot,
  verdictFileName,
  type VerdictSummary,
} from "./mod.ts";

const INPUTS: ReverifyInputs = {
  policy: "a".repeat(64),
  trust: "b".repeat(64),
  time: "2026-01-01T00:00:00.000Z",
  version: "0",
};

interface MemorySource extends ReverifySource {
  entries: ReverifyEntry[];
  contents: Map<string, Bytes>;
  /** Attestations that were loaded. */
  loaded: number;
}

/** Entries that failed when they were stored if their number is divisible by 10. */
function sourceOf(count: number): MemorySource {
  const contents = new Map<string, Bytes>();
  const entries = Array.from({ length: count }, (_, i): ReverifyEntry => {
    const key = `urn:acme:${String(i).padStart(6, "0")}`;
    const content = utf8(`attestation ${i}`);
    const id = `sha256:${encodeHex(sha256(content))}`;
    contents.set(id, content);
    const ok = i % 10 !== 0;
    return {
      key,
      name: key,
      digest: { sha256: encodeHex(sha256(utf8(key))) },
      attestations: [id],
      recorded: { ok, reason: ok ? null : "invalid-signature" },
    };
  });
  const source: MemorySource = {
    entries,
    contents,
    loaded: 0,
    list: (after, limit) =>
      Promise.resolve(
        source.entries.filter(({ key }) => after === undefined || key > after).slice(0, limit),
      ),
    load(wanted) {
      source.loaded += wanted.length;
      return Promise.resolve(contents);
    },
  };
  return source;
}

/** Fails what failed, and what is divisible by 7. */
const judge: Judge = ({ key, recorded }) => {
  const bad = Number(key.slice(9)) % 7 === 0;
  return Promise.resolve(
    bad
      ? { ok: false, reason: "key-revoked" }
      : { ok: recorded?.ok === true, reason: recorded?.reason ?? null },
  );
};

function numbers(changed: readonly { key: string }[]): number[] {
  return changed.map(({ key }) => Number(key.slice(9)));
}

test("runWorker() and mergeWork() tell exactly what changed sides", async () => {
  const source = sourceOf(1000);
  const files = memoryVerdictFiles();
  const list = await planWork(source, INPUTS, 64);
  assert.equal(list.segments.length, 16);
  assert.equal(list.segments.reduce((sum, { attestations }) => sum + attestations, 0), 1000);
  await runWorker(list, {
    source,
    files,
    judge,
    inputs: INPUTS,
    leases: memoryLeases(),
    owner: "a",
  });
  const { summary, changed, otherReason, unrecorded } = await mergeWork(list, source, files);
  const expected = source.entries.map((_, i) => i).filter((i) => i % 7 === 0 && i % 10 !== 0);
  assert.deepEqual(numbers(changed), expected);
  assert.deepEqual(changed[0], {
    key: "urn:acme:000007",
    before: { ok: true, reason: null },
    after: { ok: false, reason: "key-revoked" },
  });
  assert.equal(otherReason, 15);
  assert.equal(unrecorded, 0);
  assert.equal(summary.entries, 1000);
  assert.equal(summary.failed, 143 + 85);
  assert.deepEqual(summary.reasons, { "invalid-signature": 85, "key-revoked": 143 });
  assert.equal(summary.failures.length, summary.failed);
});

test("any number of workers, kills and repeats give the same bytes", async () => {
  const source = sourceOf(500);
  const list = await planWork(source, INPUTS, 20);
  const alone = memoryVerdictFiles();
  await runWorker(list, {
    source,
    files: alone,
    judge,
    inputs: INPUTS,
    leases: memoryLeases(),
    owner: "a",
  });
  const wanted = await mergeWork(list, source, alone);

  const files = memoryVerdictFiles();
  const leases = memoryLeases();
  let clock = 0;
  const now = () => clock;
  const sleep = () => {
    clock += 1000;
    return Promise.resolve();
  };
  let kills = 0;
  for (let life = 0;; life++) {
    const budgets = [life * 3 + 1, 17 * life + 5];
    const ends = await Promise.all(budgets.map(async (budget, k) => {
      // A worker that is killed gives nothing back: its lease has to run out.
      const dead = new Error("killed");
      const dying: Judge = async (entry, attestations) => {
        if (budget-- <= 0) throw dead;
        return await judge(entry, attestations);
      };
      const owner = `${life}-${k}`;
      try {
        await runWorker(list, {
          source,
          files,
          judge: dying,
          inputs: INPUTS,
          leases: { take: (request) => leases.take(request), release: () => Promise.resolve() },
          owner,
          leaseMs: 5000,
          now,
          sleep,
          concurrency: k + 1,
        });
        return true;
      } catch (error) {
        assert.equal(error, dead);
        kills++;
        return false;
      }
    }));
    if (ends.some((end) => end)) break;
  }
  assert.ok(kills > 10, String(kills));
  assert.deepEqual([...files.files].sort(), [...alone.files].sort());
  assert.deepEqual(await mergeWork(list, source, files), wanted);
});

test("what did not change is not verified again", async () => {
  const source = sourceOf(300);
  const files = memoryVerdictFiles();
  const run = async (inputs: ReverifyInputs, earlier?: Awaited<ReturnType<typeof planWork>>) => {
    const list = await planWork(source, inputs, 100);
    let judged = 0;
    await runWorker(list, {
      source,
      files,
      judge,
      inputs,
      leases: memoryLeases(),
      owner: "a",
      onJudged: () => judged++,
      ...(earlier === undefined ? {} : { known: knownVerdicts(earlier, inputs, files) }),
    });
    return { judged, list };
  };
  const first = await run(INPUTS);
  assert.equal(first.judged, 300);
  assert.equal((await run(INPUTS)).judged, 0);
  // One attestation more in the middle moves all the segments behind it.
  const other = sourceOf(1).entries[0];
  source.entries.splice(150, 0, { ...other, key: "urn:acme:000149x" });
  source.loaded = 0;
  const second = await run(INPUTS, first.list);
  assert.equal(second.judged, 1);
  assert.equal(source.loaded, 1);
  const again = memoryVerdictFiles();
  await runWorker(second.list, {
    source,
    files: again,
    judge,
    inputs: INPUTS,
    leases: memoryLeases(),
    owner: "b",
  });
  for (const [name, content] of again.files) assert.deepEqual(files.files.get(name), content);
  for (const name of ["policy", "trust", "time", "version"] as const) {
    assert.equal((await run({ ...INPUTS, [name]: "other" }, second.list)).judged, 301, name);
  }
});

test("judgeSegment() refuses a segment that changed, and an attestation with other bytes", async () => {
  const source = sourceOf(10);
  const list = await planWork(source, INPUTS);
  const work = { source, files: memoryVerdictFiles(), judge, inputs: INPUTS };
  const run = () => runWorker(list, { ...work, leases: memoryLeases(), owner: "a" });
  const [id] = source.entries[3].attestations;
  source.contents.set(id, utf8("forged"));
  const isMismatch = (error: unknown) =>
    error instanceof AttestationError && error.reason === "content-mismatch";
  await assert.rejects(run, isMismatch);
  source.contents.delete(id);
  await assert.rejects(run, isMismatch);
  source.entries.splice(3, 1);
  await assert.rejects(run, isMismatch);
  assert.equal(work.files.files.size, 0);
});

test("readVerdictFile() refuses a file of another segment, of other inputs, or cut short", async () => {
  const source = sourceOf(20);
  const files = memoryVerdictFiles();
  const list = await planWork(source, INPUTS, 10);
  await runWorker(list, {
    source,
    files,
    judge,
    inputs: INPUTS,
    leases: memoryLeases(),
    owner: "a",
  });
  const [one, two] = list.segments;
  const content = await files.get(verdictFileName(one, INPUTS)) ?? new Uint8Array();
  assert.equal(readVerdictFile(content, one, INPUTS).length, 10);
  for (
    const read of [
      () => readVerdictFile(content, two, INPUTS),
      () => readVerdictFile(content, one, { ...INPUTS, policy: "x" }),
      () => readVerdictFile(content.subarray(0, content.length - 1), one, INPUTS),
      () => readVerdictFile(new Uint8Array(), one, INPUTS),
    ]
  ) {
    assert.throws(read, (error) => error instanceof AttestationError);
  }
  files.files.delete(verdictFileName(two, INPUTS));
  await assert.rejects(() => mergeWork(list, source, files), AttestationError);
});

test("runWorker() stops at its signal, and keeps no half of a segment", async () => {
  const source = sourceOf(100);
  const files = memoryVerdictFiles();
  const list = await planWork(source, INPUTS, 10);
  const controller = new AbortController();
  let judged = 0;
  const onJudged = () => {
    if (++judged === 25) controller.abort(new Error("enough"));
  };
  const { signal } = controller;
  const options = { source, files, judge, inputs: INPUTS, leases: memoryLeases(), owner: "a" };
  await assert.rejects(() => runWorker(list, { ...options, signal, onJudged }), /enough/);
  assert.equal(files.files.size, 2);
});

test("mergeSummaries() is associative, and nothing is neutral", () => {
  const parts = Array.from({ length: 7 }, (_, i): VerdictSummary =>
    summarizeFile(utf8(String(i)), [
      { key: `k${i}`, entry: "", ok: i % 2 === 0, reason: i % 2 === 0 ? null : `r${i % 3}` },
    ]));
  const left = parts.reduce(mergeSummaries, NO_VERDICTS);
  const right = parts.reduceRight((sum, one) => mergeSummaries(one, sum), NO_VERDICTS);
  assert.deepEqual(left, right);
  assert.equal(summaryRoot(left), summaryRoot(right));
  assert.notEqual(summaryRoot(left), summaryRoot(parts.slice(0, 6).reduce(mergeSummaries)));
  const [a, b, c] = parts;
  const of = (...some: VerdictSummary[]) => summaryRoot(some.reduce(mergeSummaries));
  assert.notEqual(of(a, b, c), of(b, a, c));
});

test("policyJudge() decides by the policy, at the moment of the run", async () => {
  const { signer, publicKey } = await generateSigner("Ed25519");
  const policy = await compilePolicy(definePolicy({
    expires: "2026-06-01T00:00:00Z",
    trust: { keys: { ci: { publicKey } } },
    rules: [{ id: "r", require: [{ id: "signed", envelope: signedBy("ci") }] }],
  }));
  const digest = { sha256: "a".repeat(64) };
  const statement = {
    _type: "https://in-toto.io/Statement/v1",
    subject: [{ name: "x", digest }],
    predicateType: "https://example.com/checked/v1",
    predicate: {},
  };
  const type = "application/vnd.in-toto+json";
  const envelope = await createEnvelope(type, utf8(JSON.stringify(statement)), signer);
  const content = utf8(JSON.stringify(envelope));
  const entry = { key: "k", name: "urn:acme:x", digest, attestations: ["s"] };
  const at = (time: string) => policyJudge(policy, new Date(time));
  const attestations = { attestations: [{ source: "s", content }] };
  assert.deepEqual(await at("2026-05-01T00:00:00Z")(entry, attestations), {
    ok: true,
    reason: null,
  });
  assert.equal((await at("2026-06-01T00:00:00Z")(entry, attestations)).reason, "policy-expired");
  const other = { ...entry, digest: { sha256: "b".repeat(64) } };
  assert.equal(
    (await at("2026-05-01T00:00:00Z")(other, attestations)).reason,
    "missing-attestation",
  );
  assert.equal((await at("2026-05-01T00:00:00Z")(entry, { attestations: [] })).ok, false);
});
