import { AttestationError } from "../../errors.ts";
import { utf8 } from "../../internal/bytes.ts";
import { encodeHex } from "../../internal/hex.ts";
import {
  canonicalJson,
  copyJson,
  decodeUtf8,
  isObject,
  type Json,
  parseJson,
} from "../../internal/json.ts";
import { sha256 } from "../../internal/sha256.ts";
import type { Segment } from "./segment.ts";
import type { Verdict } from "./source.ts";

/** The `type` of every verdict file of this version. */
export const VERDICTS_TYPE = "attest-verdicts/v1";

/** Everything that a verdict depends on beside what is judged. */
export interface ReverifyInputs {
  /** SHA-256 of the policy, lowercase hex. */
  readonly policy: string;
  /** SHA-256 of the trusted roots and of what takes trust away, lowercase hex. */
  readonly trust: string;
  /** Moment of the judgement, RFC 3339; see `judgementTime()`. */
  readonly time: string;
  /** Version of the library. */
  readonly version: string;
}

/** What was found of one entry. */
export interface EntryVerdict extends Verdict {
  /** Key of the entry. */
  readonly key: string;
  /** SHA-256 of the entry: what it is, and which attestations it has. */
  readonly entry: string;
}

/** Keeps verdict files by their names. */
export interface VerdictFiles {
  /** A file; undefined if it is not there. Half a file is never there. */
  get(name: string): Promise<Uint8Array | undefined>;
  /** Whether there is one of that name. */
  has(name: string): Promise<boolean>;
  /**
   * Keeps a file unless there is one of that name. It is durable when the promise resolves.
   *
   * @returns False if there was one.
   */
  create(name: string, content: Uint8Array<ArrayBuffer>): Promise<boolean>;
}

/** What verdict files and runs with the same inputs are named after. */
export function inputsDigest(inputs: ReverifyInputs): string {
  return encodeHex(sha256(utf8(canonicalJson(copyJson(inputs)))));
}

/** Name of the verdict file of a segment: 64 digits of lowercase hex. */
export function verdictFileName(segment: Pick<Segment, "digest">, inputs: ReverifyInputs): string {
  return encodeHex(sha256(utf8(headerOf(segment, inputs))));
}

function headerOf({ digest }: Pick<Segment, "digest">, inputs: ReverifyInputs): string {
  const { policy, trust, time, version } = inputs;
  return canonicalJson({ type: VERDICTS_TYPE, segment: digest, policy, trust, time, version });
}

/** A verdict file: a line about what it depends on, and one for each entry; all canonical JSON. */
export function encodeVerdictFile(
  segment: Pick<Segment, "digest">,
  inputs: ReverifyInputs,
  verdicts: readonly EntryVerdict[],
): Uint8Array<ArrayBuffer> {
  const lines = verdicts.map(({ key, entry, ok, reason }) =>
    canonicalJson({ key, entry, ok, reason })
  );
  return utf8([headerOf(segment, inputs), ...lines].map((line) => `${line}\n`).join(""));
}

/**
 * Reads a verdict file.
 *
 * @throws {AttestationError} `content-mismatch` if it is not of this segment and these inputs.
 */
export function readVerdictFile(
  content: Uint8Array,
  segment: Pick<Segment, "digest">,
  inputs: ReverifyInputs,
): EntryVerdict[] {
  const [header, ...lines] = decodeUtf8(content).split("\n");
  if (header !== headerOf(segment, inputs) || lines.pop() !== "") throw mismatch();
  return lines.map((line) => verdictOf(parseJson(line, { maxLength: 1 << 20, maxDepth: 4 })));
}

function verdictOf(value: Json): EntryVerdict {
  if (!isObject(value)) throw mismatch();
  const { key, entry, ok, reason } = value;
  if (typeof key !== "string" || typeof entry !== "string") throw mismatch();
  if (ok === true && reason === null) return { key, entry, ok, reason };
  if (ok === false && typeof reason === "string") return { key, entry, ok, reason };
  throw mismatch();
}

function mismatch(): AttestationError {
  return new AttestationError(
    "content-mismatch",
    "Cannot use verdicts: the file is not what its name says; remove it, and it is made anew",
  );
}

/** Verdict files in memory. */
export function memoryVerdictFiles(): VerdictFiles & {
  readonly files: Map<string, Uint8Array<ArrayBuffer>>;
} {
  const files = new Map<string, Uint8Array<ArrayBuffer>>();
  return {
    files,
    get: (name) => Promise.resolve(files.get(name)),
    has: (name) => Promise.resolve(files.has(name)),
    create(name, content) {
      if (files.has(name)) return Promise.resolve(false);
      files.set(name, content);
      return Promise.resolve(true);
    },
  };
}
