import { deepStrictEqual as deepEqual, strictEqual as equal } from "node:assert/strict";
import { describe, it } from "node:test";
import { isAttestationError } from "../../errors.ts";
import { type Bytes, utf8 } from "../../internal/bytes.ts";
import { decodeBase64 } from "../../internal/base64.ts";
import { type Json, parseJson } from "../../internal/json.ts";
import { canonicalTufJson } from "../../sigstore/tuf/canonical.ts";
import { memoryTufCache, refreshTargets, type TufVersions } from "../../sigstore/tuf/mod.ts";
import { list, load, options, present, ran } from "./corpus.ts";
import reasons from "./tuf_reasons.json" with { type: "json" };

/*
 * Third-party vectors: the recorded cases of the TUF client conformance suite, and canonical
 * JSON of securesystemslib.
 */

interface Step {
  op: "init" | "refresh" | "download";
  root?: string;
  at?: string;
  files?: Record<string, string>;
  targets?: string[];
  trusted?: Record<string, number | null>;
  result: "valid" | "invalid";
}

interface Case {
  steps: Step[];
  blobs: Record<string, { text?: string; base64?: string }>;
}

/** What a step gave: `valid`, or the reason; and the versions when it is valid. */
interface Outcome {
  result: string;
  versions?: TufVersions;
}

async function run({ steps, blobs }: Case): Promise<Outcome[]> {
  const blob = (id: string): Bytes => {
    const { text, base64 } = blobs[id];
    return text === undefined ? decodeBase64(base64 ?? "") : utf8(text);
  };
  const cache = memoryTufCache();
  let root: Bytes | undefined;
  const outcomes: Outcome[] = [];
  for (const { op, root: initial, at, files = {}, targets } of steps) {
    if (op === "init") {
      root = blob(initial ?? "");
      continue;
    }
    try {
      const { versions } = await refreshTargets({
        root: root ?? new Uint8Array(),
        baseUrl: "https://tuf.example/metadata",
        targetsUrl: "https://tuf.example/targets",
        cache,
        now: new Date(at ?? ""),
        targets,
        retries: 0,
        fetch: (url) => {
          const path = url.slice("https://tuf.example/".length);
          const id = files[path] ?? files[decodeURIComponent(path)];
          const body = id === undefined ? null : blob(id);
          return Promise.resolve(new Response(body, { status: body === null ? 404 : 200 }));
        },
      });
      outcomes.push({ result: "valid", versions });
    } catch (error) {
      if (!isAttestationError(error)) throw error;
      outcomes.push({ result: error.reason });
    }
  }
  return outcomes;
}

/**
 * Steps that the suite's client gets through and this one refuses. All else must end as in
 * the suite, and what is refused for the reason that `tuf_reasons.json` records.
 */
const DISAGREEMENTS: Readonly<Record<string, string>> = {
  "targetfile_search_targetpath_with_separators_x_#1":
    "The target is named by a role of a delegated role; this client follows one level, which " +
    "is what the repositories of Sigstore instances have",
  "targetfile_search_targetpath_with_separators_y_#1":
    "As before: targets delegates to B, and B to D, which has the target",
};

describe("tuf-conformance", options, () => {
  for (const file of list("tuf-conformance/cases")) {
    const name = file.replace(/^test_|\.json$/g, "");
    it(name, async () => {
      const one = load<Case>(`tuf-conformance/cases/${file}`);
      const steps = one.steps.filter(({ op }) => op !== "init");
      const otherwise = steps.filter((_, i) => `${name}#${i + 1}` in DISAGREEMENTS);
      ran("tuf-conformance", steps.length, otherwise.length);
      const outcomes = await run(one);
      outcomes.forEach(({ result, versions }, i) => {
        const id = `${name}#${i + 1}`;
        const isRefused = steps[i].result === "invalid" || id in DISAGREEMENTS;
        equal(result, isRefused ? (reasons as Record<string, string>)[id] : "valid", id);
        if (versions !== undefined) {
          const { root, timestamp, snapshot, targets } = steps[i].trusted ?? {};
          deepEqual(versions, { root, timestamp, snapshot, targets }, id);
        }
      });
    });
  }
});

describe("canonicalTufJson() on olpc-cjson", options, () => {
  interface CanonicalCase {
    source: string;
    input: string;
    output?: string;
    result: "valid" | "invalid";
  }
  const { cases }: { cases: CanonicalCase[] } = present
    ? load("olpc-cjson/cases.json")
    : { cases: [] };
  for (const { source, input, output, result } of cases) {
    it(`${source}: ${input}`, () => {
      let text: string | undefined;
      try {
        text = canonicalTufJson(parseJson(input) as Json);
      } catch (error) {
        if (!isAttestationError(error)) throw error;
        equal(error.reason, "malformed-tuf-metadata");
      }
      equal(text, result === "valid" ? output : undefined);
      ran("olpc-cjson", 1);
    });
  }
});
