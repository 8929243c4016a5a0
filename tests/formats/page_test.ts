import { strictEqual as equal } from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { formatsPage } from "../../tools/formats.ts";

test("docs/formats.md is what the code says: deno run -A tools/formats.ts", async () => {
  equal(
    readFileSync(new URL("../../docs/formats.md", import.meta.url), "utf8"),
    await formatsPage(),
  );
});
