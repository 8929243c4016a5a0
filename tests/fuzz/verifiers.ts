/** Targets that verify: the frame that they share. */

import type { Bytes } from "../../internal/bytes.ts";
import type { Json } from "../../internal/json.ts";
import type { Corpus } from "./corpus.ts";
import { differencesOf, essence, type Harmless, withoutUnknownLogs } from "./differences.ts";
import { textOf } from "./mutate_text.ts";
import { type Answer, Broken, type Seed, type Shape, type Target } from "./target.ts";

/** What was accepted. */
export interface Facts {
  /** Signed bytes, signer, identity, subject: exactly those of a good seed. */
  must: string;
  /** Log entries and times: no other than those of that seed. */
  evidence: readonly string[];
  /** What of the document counts, where that is not all of it. */
  counts?: Json;
}

/** What a verifier answers. */
export type Verdict = { reason: string } | { facts: Facts };

/** How a verifier is tried. */
export interface Verifying {
  seeds: readonly Seed[];
  verify(input: Bytes, seed: Seed): Promise<Verdict>;
  /** Key ids of the trusted logs, in hex: entries of others are not read. */
  logs?(seed: Seed): ReadonlySet<string>;
}

/**
 * A verifier as a target: what it accepts has the signed bytes, the signer and the evidence of
 * a seed that it accepts, and differs from it in harmless places only.
 */
export function verifier(
  name: string,
  prepare: (corpus: Corpus) => Promise<Verifying> | Verifying,
  harmless: readonly Harmless[],
  options: {
    covers?: readonly string[];
    shape?: Shape;
    kind?: Target["kind"];
    /** Whether a document may be a list of what the seeds are. */
    lists?: boolean;
  } = {},
): Target {
  const { covers, shape = "json", kind = "verifier", lists = false } = options;
  const matters = (at: string) => !harmless.some(({ place }) => place.test(at));
  return {
    name,
    kind,
    ...(covers === undefined ? {} : { covers }),
    async prepare(corpus) {
      const { seeds, verify, logs } = await prepare(corpus);
      const jsonOf = (text: string, seed: Seed) => read(text, logs?.(seed));
      const good: { seed: Seed; facts: Facts; json: Json | undefined }[] = [];
      for (const seed of seeds) {
        let verdict: Verdict;
        try {
          verdict = await verify(seed.bytes, seed);
        } catch (error) {
          // A function that throws is run by the engine, which judges that.
          if (kind === "verifier") throw error;
          continue;
        }
        if ("facts" in verdict) {
          const { facts } = verdict;
          good.push({ seed, facts, json: facts.counts ?? jsonOf(textOf(seed.bytes), seed) });
        }
      }
      if (good.length === 0) throw new Error(`${name}: no seed is accepted`);
      return {
        seeds,
        shape,
        async run(input, seed): Promise<Answer> {
          const verdict = await verify(input, seed);
          if ("reason" in verdict) return verdict.reason;
          const { must, evidence } = verdict.facts;
          const like = good.filter(({ facts }) => facts.must === must);
          if (like.length === 0) throw new Broken("accepted: nobody signed this");
          // Of several good seeds with one signature, each may have the evidence of the others.
          const all = new Set(like.flatMap(({ facts }) => facts.evidence));
          if (!evidence.every((one) => all.has(one))) {
            throw new Broken("accepted with evidence that is not its own");
          }
          const json = verdict.facts.counts ?? jsonOf(textOf(input), seed);
          const documents = Array.isArray(json) && lists ? json : [json];
          const [places = [""]] = documents.flatMap((one) =>
            like.map((known) => differencesOf(known.json, one).filter(matters))
          ).sort((x, y) => x.length - y.length);
          if (places.length > 0) {
            const [place] = places;
            throw new Broken(`accepted with another ${place === "" ? "document" : steady(place)}`);
          }
          return null;
        },
      };
    },
  };
}

function steady(place: string): string {
  return place.split("/").map((name) => /^[A-Za-z0-9_.-]{0,40}$/.test(name) ? name : "?").join("/");
}

function read(text: string, logs?: ReadonlySet<string>): Json | undefined {
  try {
    const value = essence(JSON.parse(text));
    return logs === undefined ? value : withoutUnknownLogs(value, logs);
  } catch {
    return undefined;
  }
}
