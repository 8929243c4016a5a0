import assert from "node:assert/strict";
import { test } from "node:test";
import type { Reason } from "./errors.ts";
import { type ReasonExplanation, REASONS } from "./reasons.ts";

const FIELDS: readonly (keyof ReasonExplanation)[] = ["cause", "check", "repair", "example"];

test("REASONS explains every reason in four different texts of one line", () => {
  const reasons = Object.entries(REASONS);
  assert.ok(reasons.length > 80);
  for (const [reason, explanation] of reasons) {
    assert.ok(/^[a-z]+(-[a-z0-9]+)*$/.test(reason), reason);
    const texts = FIELDS.map((field) => explanation[field]);
    assert.equal(new Set(texts).size, FIELDS.length, `${reason} repeats a text`);
    for (const field of FIELDS) {
      const text = explanation[field];
      assert.ok(text.length >= 8 && text.length <= 320, `${reason}.${field}: ${text.length}`);
      assert.ok(!/[\n\t]|\s{2}/.test(text), `${reason}.${field} is not one line`);
      assert.ok(field === "example" || !/[.\s]$/.test(text), `${reason}.${field} ends in a period`);
    }
  }
});

test("REASONS has no explanation twice", () => {
  const causes = Object.values(REASONS).map(({ cause }) => cause);
  assert.equal(new Set(causes).size, causes.length);
});

test("REASONS keeps the reasons of one layer together", () => {
  const seen: string[] = [];
  for (const { layer } of Object.values(REASONS)) {
    if (seen.at(-1) !== layer) seen.push(layer);
  }
  const apart = seen.filter((layer, index) => seen.indexOf(layer) !== index);
  assert.deepEqual(apart.filter((layer) => layer !== "statement" && layer !== "predicate"), []);
});

test("REASONS names only options and commands that exist in its texts", async () => {
  const { optionsOf } = await import("./cli/help.ts");
  const commands = [
    "verify",
    "gate",
    "keygen",
    "sign",
    "attest",
    "provenance",
    "trusted-root",
  ];
  const options = (await Promise.all(commands.map(optionsOf))).flatMap((table) => table ?? []);
  const known = new Set(options.flatMap(({ name, aliases = [] }) => [name, ...aliases]));
  // Options of other tools, in the texts with the tool's name.
  const foreign = new Set(["fail", "location", "check", "tlog-upload", "format"]);
  for (const word of ["show-toplevel", "is-shallow-repository", "all", "unshallow"]) {
    foreign.add(word);
  }
  for (const access of ["read", "write", "net", "env", "run"]) foreign.add(`allow-${access}`);
  for (const [reason, explanation] of Object.entries(REASONS) as [Reason, ReasonExplanation][]) {
    for (const field of FIELDS) {
      for (const [, name] of explanation[field].matchAll(/(?<![\w-])--([a-z][a-z-]+)/g)) {
        const misspelt = reason === "usage" && name === "bundel";
        assert.ok(known.has(name) || foreign.has(name) || misspelt, `${reason}: --${name}`);
      }
    }
  }
});
