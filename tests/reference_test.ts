/** `docs/reference/` against the sources that it is written from. Deno only. */

import assert from "node:assert/strict";
import { before, describe, it } from "node:test";
import { REASONS } from "../reasons.ts";
import { pagesOnDisk, referencePages, stalePages } from "../tools/reference.ts";
import { anchor, code, firstSentence, plain } from "../tools/reference/markdown.ts";

if ("Deno" in globalThis) {
  describe("docs/reference/", () => {
    let pages: ReadonlyMap<string, string>;
    before(async () => {
      pages = await referencePages();
    });

    it("is what deno task reference writes", async () => {
      const found = await pagesOnDisk();
      const [stale] = stalePages(pages, found);
      assert.equal(
        stale === undefined ? "" : firstDifference(pages.get(stale), found.get(stale)),
        "",
        `docs/reference/${stale} is not what the sources say; run: deno task reference`,
      );
    });

    it("has every name that a key of the export map exports", async () => {
      const { exports } = JSON.parse(
        await Deno.readTextFile(new URL("../deno.json", import.meta.url)),
      );
      for (const [key, target] of Object.entries<string>(exports)) {
        const page = pages.get(
          `api/${key === "." ? "main" : key.slice(2).replaceAll("/", "-")}.md`,
        );
        assert.ok(page !== undefined, key);
        const values = await import(new URL(`../${target}`, import.meta.url).href);
        for (const name of Object.keys(values)) {
          assert.match(page, new RegExp(`^### ${name}\\b|^- \\[\`${name}\`\\]`, "m"), key);
        }
      }
    });

    it("has every reason and every schema", async () => {
      const reasons = pages.get("reasons.md") ?? "";
      for (const reason of Object.keys(REASONS)) {
        assert.ok(reasons.includes(`\n### \`${reason}\`\n`), reason);
      }
      const schemas = pages.get("schemas.md") ?? "";
      for await (const { name } of Deno.readDir(new URL("../docs/schema", import.meta.url))) {
        assert.ok(schemas.includes(`](../schema/${name})`), name);
      }
    });
  });
}

describe("stalePages()", () => {
  it("finds what differs, is missing or has no source", () => {
    const wanted = new Map([["a", "1"], ["b", "1"], ["c", "1"]]);
    const found = new Map([["a", "1"], ["b", "2"], ["d", "1"]]);
    assert.deepEqual(stalePages(wanted, found), ["b", "c", "d"]);
  });
});

describe("the Markdown of the reference", () => {
  it("takes the first sentence, with names in code", () => {
    assert.equal(
      firstSentence("Reads {@linkcode X}\nof DSSE 1.0.2, e.g. now. Then more.\n\nNext."),
      "Reads `X` of DSSE 1.0.2, e.g. now.",
    );
    assert.equal(firstSentence(undefined), "");
  });

  it("writes text as text and code as code", () => {
    assert.equal(plain("a*b_c [x](y) <z>"), "a\\*b\\_c \\[x\\](y) \\<z\\>");
    assert.equal(code("a`b"), "``a`b``");
    assert.equal(code("`a"), "`` `a ``");
  });

  it("names anchors as GitHub does", () => {
    assert.equal(anchor("verifyEnvelope()"), "verifyenvelope");
    assert.equal(anchor("`a-b`: what, and why_not"), "a-b-what-and-why_not");
  });
});

/** The first line in which two pages differ, of both. */
function firstDifference(wanted = "(no page)", found = "(no page)"): string {
  const other = found.split("\n");
  const at = wanted.split("\n").findIndex((line, i) => line !== other[i]);
  return at < 0
    ? "the page on disk has more lines"
    : `line ${at + 1}, wanted: ${wanted.split("\n")[at]}\nfound: ${other[at]}`;
}
