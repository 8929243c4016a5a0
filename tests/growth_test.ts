import assert from "node:assert/strict";
import { test } from "node:test";
import { growth, isProportional } from "./fixtures/growth.ts";

test("isProportional() tells work that grows with its size from work that grows with its square", async () => {
  let sum = 0;
  const turns = (count: number) => {
    for (let i = 0; i < count; i++) sum = Math.imul(sum, 31) + i | 0;
  };
  assert.ok(await isProportional((size) => () => turns(100 * size), 2000));
  // Large enough for the sixteenths to be measured on a busy machine.
  const square = await growth((size) => () => turns(size * size), 8000);
  assert.ok(square > 8, String(square));
});
