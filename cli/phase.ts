import { AttestationError, isAttestationError } from "../errors.ts";

/** What a command that signs is doing: a failure of each is another one's to put right. */
export type Phase = "build" | "generation" | "signing" | "upload";

const LABELS: Readonly<Record<Phase, string>> = {
  build: "Reading what was built",
  generation: "Generation of the attestation",
  signing: "Signing",
  upload: "Writing",
};

/** A failure, and what was being done. */
export class PhaseError extends AttestationError {
  /** What was being done. */
  readonly phase: Phase;

  /** Names the phase in the message of a failure, whose causes stay. */
  constructor(phase: Phase, failure: AttestationError) {
    const { reason, message, cause, path } = failure;
    super(reason, `${LABELS[phase]} failed: ${message}`, {
      cause,
      ...(path === undefined ? {} : { path }),
    });
    this.phase = phase;
  }
}

/** Names the phase in a failure; a wrong command line is of no phase. */
export async function inPhase<T>(phase: Phase, run: () => Promise<T>): Promise<T> {
  try {
    return await run();
  } catch (error) {
    if (!isAttestationError(error) || error instanceof PhaseError) throw error;
    if (error.reason === "usage" || error.reason === "internal-error") throw error;
    throw new PhaseError(phase, error);
  }
}
