import { type AddJobsJobSpec, makeWorkerUtils, runOnce, type TaskList } from "graphile-worker";
import { AttestationError, isAttestationError } from "../../errors.ts";
import {
  type ReverifyInputs,
  runWorker,
  type Segment,
  verdictFileName,
  type VerdictFiles,
  type WorkerOptions,
  type WorkList,
} from "../../store/reverify/mod.ts";

/** Name of the task; its version is that of the payload. */
const TASK = "attest-reverify/v1";
/** Jobs that are queued in one call. */
const JOBS_AT_ONCE = 1000;

/** What a job says. */
interface Payload {
  inputs: ReverifyInputs;
  segment: Segment;
}

/** Where the queue is. */
export interface QueueOptions {
  /** `postgres://…`: the database that has the registry. */
  url: string;
}

/** Puts the segments of a list that nobody has judged yet into the queue, each once. */
export async function queueSegments(
  { inputs, segments }: WorkList,
  files: VerdictFiles,
  { url }: QueueOptions,
): Promise<void> {
  await guarded(async () => {
    const utils = await makeWorkerUtils({ connectionString: url, logger: await silent() });
    try {
      await utils.migrate();
      let jobs: AddJobsJobSpec[] = [];
      for (const segment of segments) {
        const jobKey = verdictFileName(segment, inputs);
        if (await files.has(jobKey)) continue;
        jobs.push({ identifier: TASK, payload: { inputs, segment }, jobKey, maxAttempts: 5 });
        if (jobs.length < JOBS_AT_ONCE) continue;
        await utils.addJobs(jobs);
        jobs = [];
      }
      if (jobs.length > 0) await utils.addJobs(jobs);
    } finally {
      await utils.release();
    }
  });
}

/**
 * Judges segments of the queue until none is left.
 *
 * @param workFor What the judgement needs; undefined if this process has another policy or
 * version than the one that planned: the job goes back into the queue.
 * @returns How many were judged.
 */
export async function workOnQueue(
  workFor: (inputs: ReverifyInputs) => Promise<WorkerOptions | undefined>,
  { url }: QueueOptions,
): Promise<number> {
  let done = 0;
  const taskList: TaskList = {
    async [TASK](payload) {
      const { inputs, segment } = payload as Payload;
      const work = await workFor(inputs);
      if (work === undefined) {
        throw new Error(
          "This worker has another policy, root or version than the one that planned",
        );
      }
      await runWorker({ inputs, segments: [segment] }, work);
      done++;
    },
  };
  await guarded(async () => {
    const logger = await silent();
    await runOnce({
      connectionString: url,
      taskList,
      concurrency: 1,
      noHandleSignals: true,
      logger,
    });
  });
  return done;
}

async function silent() {
  const { Logger } = await import("graphile-worker");
  return new Logger(() => () => {});
}

async function guarded(run: () => Promise<void>): Promise<void> {
  try {
    await run();
  } catch (cause) {
    if (isAttestationError(cause)) throw cause;
    throw new AttestationError("store-unavailable", "Cannot use job queue", { cause });
  }
}
