import assert from "node:assert/strict";
import { test } from "node:test";
import { editDistance, type OptionSpec, parseArgs, suggestion } from "./args.ts";
import { INSPECT_OPTIONS } from "./inspect_options.ts";
import { VERIFY_OPTIONS } from "./verify_options.ts";

const OPTIONS: readonly OptionSpec[] = [
  {
    name: "bundle",
    short: "b",
    aliases: ["path"],
    value: "FILE",
    repeatable: true,
    group: "",
    help: "",
  },
  { name: "owner", value: "OWNER", group: "", help: "" },
  { name: "format", value: "F", choices: ["text", "json"], group: "", help: "" },
  { name: "strict", group: "", help: "" },
];

function refusal(...args: string[]): string {
  try {
    parseArgs(args, OPTIONS);
  } catch (error) {
    assert.ok(error instanceof Error && "reason" in error);
    assert.equal(error.reason, "usage");
    return error.message;
  }
  throw new Error(`accepted ${args.join(" ")}`);
}

test("parseArgs() reads values in each way that they are written", () => {
  const forms = [
    ["--bundle", "x"],
    ["--bundle=x"],
    ["-b", "x"],
    ["-b=x"],
    ["-bx"],
    ["--path", "x"],
    ["--path=x"],
  ];
  for (const args of forms) assert.deepEqual([...parseArgs(args, OPTIONS).all("bundle")], ["x"]);
  assert.equal(parseArgs(["--owner=a=b"], OPTIONS).get("owner"), "a=b");
  assert.equal(parseArgs(["--owner=-x"], OPTIONS).get("owner"), "-x");
});

test("parseArgs() keeps operands in order, and all after --", () => {
  const parsed = parseArgs(["a", "--strict", "b", "--", "--owner", "-b"], OPTIONS);
  assert.deepEqual(parsed.operands, ["a", "b", "--owner", "-b"]);
  assert.ok(parsed.has("strict"));
  assert.ok(!parsed.has("owner"));
  assert.equal(parsed.get("owner"), undefined);
});

test("parseArgs() repeats only what may be repeated", () => {
  assert.deepEqual([...parseArgs(["-b", "x", "--path", "y"], OPTIONS).all("bundle")], ["x", "y"]);
  assert.equal(refusal("--owner", "a", "--owner", "b"), "--owner is given twice");
  assert.equal(refusal("--strict", "--strict"), "--strict is given twice");
});

test("parseArgs() refuses what is missing, empty or too much", () => {
  assert.equal(refusal("--owner"), "--owner needs a value (OWNER)");
  assert.ok(refusal("--owner", "--strict").startsWith("--owner needs a value (OWNER)"));
  assert.equal(refusal("--owner="), "--owner has an empty value");
  assert.equal(refusal("--owner", ""), "--owner has an empty value");
  assert.equal(refusal("--owner", "  "), "--owner has an empty value");
  assert.equal(refusal("--strict=yes"), "--strict takes no value");
  assert.equal(
    refusal("--format", "jsn"),
    '--format is one of text, json, not "jsn"; did you mean json?',
  );
});

test("parseArgs() suggests the option that is meant", () => {
  assert.equal(refusal("--bundel", "x"), 'Unknown option "--bundel"; did you mean --bundle?');
  assert.equal(refusal("--onwer"), 'Unknown option "--onwer"; did you mean --owner?');
  assert.equal(refusal("--xyzzy"), 'Unknown option "--xyzzy"');
  assert.equal(refusal("-x"), 'Unknown option "-x"');
  assert.equal(refusal("--constructor"), 'Unknown option "--constructor"');
  assert.ok(!refusal("--\x1b[31m").includes("\x1b"));
});

test("suggestion() proposes nothing far away", () => {
  assert.equal(suggestion("verfy", ["verify", "inspect"]), "; did you mean verify?");
  assert.equal(suggestion("frobnicate", ["verify", "inspect"]), "");
  assert.equal(suggestion("x", ["verify"]), "");
});

test("editDistance() counts insertions, deletions, replacements and exchanges", () => {
  assert.equal(editDistance("verify", "verify"), 0);
  assert.equal(editDistance("verfiy", "verify"), 1);
  assert.equal(editDistance("verif", "verify"), 1);
  assert.equal(editDistance("kitten", "sitting"), 3);
  assert.equal(editDistance("", "abc"), 3);
  assert.equal(editDistance("a".repeat(100_000), "b", 4), 4);
});

test("The tables of options have each name once", () => {
  for (const options of [VERIFY_OPTIONS, INSPECT_OPTIONS]) {
    const names = options.flatMap((
      { name, short = [], aliases = [] },
    ) => [name, ...short, ...aliases]);
    assert.equal(new Set(names).size, names.length);
  }
});

test("Every option of verify can be misspelt and is suggested", () => {
  for (const { name } of VERIFY_OPTIONS) {
    const misspelt = name.slice(0, 1) + name[2] + name[1] + name.slice(3) + "z";
    assert.ok(suggestion(misspelt, VERIFY_OPTIONS.map(({ name }) => name), "--") !== "", name);
  }
});
