import type { Reason } from "../errors.ts";
import type { Layer, Origin } from "../report.ts";
import type { DigestSet } from "../intoto/digest_set.ts";

/** How one check of the policy came out. */
export type Outcome = "passed" | "failed" | "waived" | "not-applicable";

/** One thing that the policy asks, and what was found. */
export interface PolicyCheck {
  /** `rule`, `rule/requirement`, `rule/requirement/check`: stable, what a waiver names. */
  id: string;
  /** Layer that it belongs to; absent for a rule or requirement as a whole. */
  layer?: Layer;
  /** How it came out. */
  outcome: Outcome;
  /** Why it failed, or would have without the waiver. */
  reason?: Reason;
  /** What was wanted. */
  expected?: string;
  /** What was found, cut and cleaned. */
  actual?: string;
  /** JSON Pointer into the attestation. */
  path?: string;
  /** How far `actual` can be believed. */
  origin?: Origin;
  /** Attestation that was judged. */
  source?: string;
  /** For people: one line, no final period. */
  message: string;
  /** What would have to change; on failures. */
  remedy?: string;
  /** The waiver that was applied. */
  waiver?: {
    /** Who answers for it. */ owner: string;
    /** Why. */ reason: string;
    /** RFC 3339. */ until: string;
  };
  /** The parts that it is decided by, in order. */
  children?: PolicyCheck[];
}

/** The verdict on one artifact. */
export interface ArtifactVerdict {
  /** Name. */
  artifact: string;
  /** Digests. */
  digest: DigestSet;
  /** Every rule that selects it passed or is waived. */
  ok: boolean;
  /** First reason that is not waived; null when `ok`. */
  errorReason: Reason | null;
  /** Every rule of the document in order: those that do not select it are `not-applicable`. */
  rules: PolicyCheck[];
}

/** The verdict on all artifacts. The same input gives the same verdict, to the byte. */
export interface PolicyVerdict {
  /** Every artifact is ok. True in `permissive` mode too only if it is. */
  ok: boolean;
  /** First reason; null when `ok`. */
  errorReason: Reason | null;
  /** Mode of the policy: a failed verdict of `permissive` is a warning. */
  mode: "enforce" | "permissive";
  /** Name of the policy. */
  policy?: string;
  /** SHA-256 of the policy's canonical JSON, lowercase hex. */
  policyDigest: string;
  /** Moment of the verdict, RFC 3339. */
  time: string;
  /** One per artifact, in the order given. */
  artifacts: ArtifactVerdict[];
}
