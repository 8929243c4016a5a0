/** Targets of in-toto layouts: the layout of a chain that is else in order, and one of its links. */

import {
  layout,
  link,
  linkName,
  NOW,
  person,
  signed,
  step,
} from "../../formats/layout/_fixtures_test.ts";
import { type LinkSource, verifyLayout } from "../../formats/layout/mod.ts";
import { type Bytes, utf8 } from "../../internal/bytes.ts";
import { isObject, type Json } from "../../internal/json.ts";
import { textOf } from "./mutate_text.ts";
import { printOf } from "./parsers.ts";
import type { Seed, Target } from "./target.ts";
import { type Verdict, verifier } from "./verifiers.ts";

interface Chain {
  /** The layout in both envelopes. */
  layouts: string[];
  links: Record<string, string>;
}

/** Alice writes, bob builds by a layout of his own. */
async function chain(): Promise<Chain> {
  const rules = {
    expected_materials: [
      ["MATCH", "*.c", "IN", "src", "WITH", "PRODUCTS", "IN", "src", "FROM", "write"],
      ["DISALLOW", "*"],
    ],
    expected_products: [["REQUIRE", "app"], ["CREATE", "a?p"], ["ALLOW", "src/[a-z].c"], [
      "DISALLOW",
      "*",
    ]],
  };
  const outer = await layout(["alice", "bob"], [
    await step("write", ["alice"], { expected_command: ["vi"] }),
    await step("build", ["bob"], rules),
  ]);
  const own = await layout(["carol"], [await step("compile", ["carol"])]);
  const folder = (await linkName("build", "bob")).replace(/\.link$/, "");
  const files = { "src/a.c": "code" };
  return {
    layouts: [await signed(outer, ["owner"]), await signed(outer, ["owner"], "dsse")],
    links: {
      [await linkName("write", "alice")]: await signed(link("write", {}, files), ["alice"]),
      [`${folder}.link`]: await signed(own, ["bob"]),
      [`${folder}/${await linkName("compile", "carol")}`]: await signed(
        link("compile", files, { ...files, app: "program" }),
        ["carol"],
        "dsse",
      ),
    },
  };
}

async function verdictOf(
  source: Uint8Array | string,
  links: LinkSource,
  input: Bytes,
): Promise<Verdict> {
  const keys = [(await person("owner")).trustedKey];
  const result = await verifyLayout(source, { keys, links, now: NOW });
  if (!result.ok) return { reason: result.errorReason };
  const { owners, steps, summary } = result;
  const names = steps.map(({ name, functionaries }) => [name, functionaries.length]);
  return {
    facts: { must: printOf({ owners, names, summary }), evidence: [], counts: signedIn(input) },
  };
}

/** What is signed in a document: ids of keys and white space around it are nobody's. */
function signedIn(input: Bytes): Json {
  const value = JSON.parse(textOf(input) ?? "null") as Json;
  return isObject(value) ? value.signed ?? value.payload ?? null : null;
}

/** All of them. */
export const LAYOUT_TARGETS: readonly Target[] = [
  verifier("verifyLayout", async () => {
    const { layouts, links } = await chain();
    return {
      seeds: layouts.map((text, i): Seed => ({ name: `layout ${i}`, bytes: utf8(text) })),
      verify: (input) => verdictOf(input, links, input),
    };
  }, [{ place: /^$/, why: "base64 has two alphabets" }]),
  verifier("verifyLayout: links", async () => {
    const { layouts, links } = await chain();
    const names = Object.keys(links);
    return {
      seeds: names.map((name): Seed => ({ name, bytes: utf8(links[name]) })),
      verify: (input, { name }) => verdictOf(layouts[0], { ...links, [name]: input }, input),
    };
  }, [{ place: /^$/, why: "base64 has two alphabets" }]),
];
