/** What a target of the fuzzer is. */

import type { Bytes } from "../../internal/bytes.ts";
import type { Corpus } from "./corpus.ts";

/** A good or bad input to begin with. */
export interface Seed {
  /** Where it is from. */
  name: string;
  /** The input, as it would stand in a file. */
  bytes: Bytes;
}

/** What an input is made of, which decides how it is changed. */
export type Shape =
  | "cbor"
  | "json"
  | "json-lines"
  | "der"
  | "pem"
  | "note"
  | "token"
  | "text"
  | "arguments";

/** What a target answers: the reason of the refusal, or null for accepted. */
export type Answer = string | null;

/** A target that is ready to be run. */
export interface Ready {
  /** What the inputs are made from. */
  seeds: readonly Seed[];
  /** How they are changed. */
  shape: Shape;
  /**
   * Runs one input. What a parser throws is judged by the engine; what a verifier throws is
   * a finding. A broken property is a {@linkcode Broken}.
   */
  run(input: Bytes, seed: Seed): Answer | Promise<Answer>;
  /** Inputs whose cost their own text states, such as rounds of a key derivation: left out. */
  isCostly?(input: Bytes): boolean;
}

/** One exported function, or the command line. */
export interface Target {
  /** Name of the exported function. */
  name: string;
  /** A verifier never throws on bad data; a parser throws `AttestationError` only. */
  kind: "parser" | "verifier";
  /** Further exported functions that it runs on every input. */
  covers?: readonly string[];
  /** Reads or makes the inputs. */
  prepare(corpus: Corpus): Promise<Ready> | Ready;
}

/** A property that does not hold. */
export class Broken extends Error {
  override readonly name = "Broken";
}
