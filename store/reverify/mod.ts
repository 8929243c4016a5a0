/**
 * Judges anew everything that is stored after a key, a policy or a root has changed, and tells
 * exactly what changed sides.
 *
 * The work is cut into segments ({@linkcode planWork}); any number of workers share them
 * ({@linkcode runWorker}), each may end at any moment, and the verdict file of a segment is
 * named by everything that it depends on and made once. So the result ({@linkcode mergeWork}) is
 * the same bytes, however many workers there were and however often one was killed; what did not
 * change is not verified again.
 *
 * @example One worker, all in memory
 * ```ts
 * import {
 *   memoryLeases,
 *   memoryVerdictFiles,
 *   mergeWork,
 *   planWork,
 *   type ReverifySource,
 *   runWorker,
 * } from "@x/attest/store/reverify";
 * import assert from "node:assert/strict";
 *
 * const entries = ["a", "b"].map((key) => ({
 *   key,
 *   name: key,
 *   digest: { sha256: "a".repeat(64) },
 *   attestations: [],
 *   recorded: { ok: true, reason: null },
 * }));
 * const source: ReverifySource = {
 *   list: (after = "") => Promise.resolve(entries.filter(({ key }) => key > after)),
 *   load: () => Promise.resolve(new Map()),
 * };
 * const inputs = { policy: "p", trust: "t", time: "2026-01-01T00:00:00Z", version: "1" };
 * const list = await planWork(source, inputs);
 * const files = memoryVerdictFiles();
 * await runWorker(list, {
 *   source,
 *   files,
 *   inputs,
 *   judge: ({ key }) =>
 *     Promise.resolve(key === "a" ? { ok: true, reason: null } : { ok: false, reason: "key-revoked" }),
 *   leases: memoryLeases(),
 *   owner: "worker 1",
 * });
 * const { changed } = await mergeWork(list, source, files);
 * assert.deepEqual(changed.map(({ key }) => key), ["b"]);
 * ```
 *
 * @module
 */

export { reverifyInputs } from "./inputs.ts";
export {
  type EntryContent,
  type Judge,
  judgeSegment,
  policyJudge,
  type SegmentWork,
} from "./judge.ts";
export { type LeaseRequest, type Leases, memoryLeases } from "./leases.ts";
export {
  type ChangedVerdict,
  MAX_FAILURES,
  mergeSummaries,
  mergeWork,
  NO_VERDICTS,
  type ReverifyResult,
  summarizeFile,
  summaryRoot,
  type VerdictSummary,
} from "./merge.ts";
export { planSegments, type Segment, SEGMENT_ATTESTATIONS } from "./segment.ts";
export type { ReverifyEntry, ReverifySource, Verdict } from "./source.ts";
export {
  encodeVerdictFile,
  type EntryVerdict,
  inputsDigest,
  memoryVerdictFiles,
  readVerdictFile,
  type ReverifyInputs,
  verdictFileName,
  type VerdictFiles,
  VERDICTS_TYPE,
} from "./verdict_file.ts";
export {
  knownVerdicts,
  planWork,
  runWorker,
  type WorkerOptions,
  type WorkList,
  workListDigest,
} from "./work.ts";
