import assert from "node:assert/strict";
import { test } from "node:test";
import { bundleSize } from "./package/bundle.ts";
import { BUDGETS } from "./package/size.ts";

for (const { name, code, lazy, limit } of BUDGETS) {
  test(`a bundle of ${name} is at most ${limit} bytes of gzip and holds no package`, async () => {
    const size = await bundleSize(code, lazy);
    assert.deepEqual(size.packages, []);
    assert.ok(
      size.gzip <= limit,
      `${size.gzip} bytes: ${JSON.stringify(size.inputs.slice(0, 20))}`,
    );
  });
}

test("a package that is imported at the start is noticed", async () => {
  const size = await bundleSize(
    'import { sha256 } from "@noble/hashes/sha2.js"; console.log(sha256);',
  );
  assert.deepEqual(size.packages, ["@noble/hashes/sha2.js"]);
  const lazy = await bundleSize('console.log(await import("@noble/hashes/sha2.js"));');
  assert.deepEqual(lazy.packages, []);
});

test("what is loaded on use counts, unless it is named", async () => {
  const code = 'export const load = () => import("@x/attest/keys");';
  const all = await bundleSize(code);
  assert.ok(all.inputs.some(([path]) => path.startsWith("keys/")));
  const without = await bundleSize(code, /^keys\//);
  assert.ok(!without.inputs.some(([path]) => path.startsWith("keys/")));
});
