import assert from "node:assert/strict";
import { test } from "node:test";
import { REASONS } from "../reasons.ts";
import { MemoryRuntime } from "../tests/cli_runtime.ts";
import { main } from "./main.ts";
import { progressBar } from "./progress.ts";
import { safeJson, table, wrap } from "./text.ts";
import { VERIFY_OPTIONS } from "./verify_options.ts";

async function run(...args: string[]): Promise<{ status: number; out: string; err: string }> {
  const runtime = new MemoryRuntime({}, args);
  const status = await main(runtime);
  return { status, out: runtime.stdout, err: runtime.stderr };
}

test("main() without a command shows the commands on standard error, status 2", async () => {
  const { status, out, err } = await run();
  assert.equal(status, 2);
  assert.equal(out, "");
  for (const name of ["verify", "inspect", "explain", "help"]) {
    assert.ok(err.includes(`  ${name} `));
  }
});

test("main() suggests the command that is meant", async () => {
  const { status, err } = await run("verfiy", "app");
  assert.equal(status, 2);
  assert.equal(
    err,
    'error: Unknown command "verfiy"; did you mean verify? (usage)\n  run: attest help\n',
  );
  assert.ok(!(await run("\x1b[31m")).err.includes("\x1b"));
  assert.equal((await run("constructor")).status, 2);
});

test("help has every option of a command, and examples", async () => {
  const forms = [["help", "verify"], ["verify", "--help"], ["verify", "x", "-h"], [
    "--help",
    "verify",
  ]];
  const texts = await Promise.all(forms.map((args) => run(...args)));
  for (const { status, out, err } of texts) {
    assert.equal(status, 0);
    assert.equal(err, "");
    assert.equal(out, texts[0].out);
  }
  for (const { name } of VERIFY_OPTIONS) assert.ok(texts[0].out.includes(`--${name}`), name);
  assert.ok(texts[0].out.includes("\nExamples:\n"));
  for (const line of texts[0].out.split("\n")) {
    assert.ok(line.length <= 100 || line.startsWith("  attest "), line);
  }
  for (const command of ["inspect", "explain", "help", "version"]) {
    assert.equal((await run("help", command)).status, 0, command);
  }
  assert.ok((await run("help", "inspct")).err.includes("did you mean inspect?"));
  assert.equal((await run("help", "toString")).status, 2);
});

test("help after -- is an operand", async () => {
  const { status, err } = await run("verify", "--owner=a", "--", "--help");
  assert.equal(status, 2);
  assert.ok(err.includes('"--help": it does not exist (unreadable-file)'));
});

test("version names the version and the runtime", async () => {
  for (const args of [["version"], ["--version"], ["-V"]]) {
    const { status, out } = await run(...args);
    assert.equal(status, 0);
    assert.ok(/^attest \d+\.\d+\.\d+ \(memory 1\.0\)\n$/.test(out), out);
  }
});

test("explain prints cause, check, repair and example of every reason", async () => {
  for (const [reason, explanation] of Object.entries(REASONS)) {
    const { status, out, err } = await run("explain", reason);
    assert.equal(status, 0);
    assert.equal(err, "");
    assert.ok(out.startsWith(`${reason}\n`));
    const text = out.replace(/\s+/g, " ");
    for (const field of ["layer", "cause", "check", "repair", "example"] as const) {
      assert.ok(text.includes(`${field} ${explanation[field]}`), `${reason}.${field}`);
    }
  }
});

test("explain lists all reasons, and suggests for an unknown one", async () => {
  const { status, out } = await run("explain");
  assert.equal(status, 0);
  for (const reason of Object.keys(REASONS)) assert.ok(out.includes(`  ${reason}\n`));
  const unknown = await run("explain", "subject-missmatch");
  assert.equal(unknown.status, 2);
  assert.ok(unknown.err.includes("did you mean subject-mismatch?"));
  assert.equal((await run("explain", "toString")).status, 2);
  const two = await run("explain", "usage", "weak-key");
  assert.ok(two.out.includes("usage\n") && two.out.includes("\nweak-key\n"));
});

test("progressBar() waits a second and is silent without a terminal", () => {
  let time = 0;
  const runtime = new MemoryRuntime();
  const silent = progressBar(runtime, () => time);
  time = 5000;
  silent.update({ phase: "digest", done: 1 });
  silent.end();
  assert.equal(runtime.stderr, "");

  runtime.terminal = true;
  time = 0;
  const bar = progressBar(runtime, () => time);
  time = 999;
  bar.update({ phase: "verify", done: 1, total: 4 });
  assert.equal(runtime.stderr, "");
  time = 1000;
  bar.update({ phase: "verify", done: 2, total: 4 });
  assert.ok(runtime.stderr.includes("[############............]  50 % 2 attestations"));
  const before = runtime.stderr;
  time = 1050;
  bar.update({ phase: "verify", done: 3, total: 4 });
  assert.equal(runtime.stderr, before);
  bar.end();
  assert.ok(runtime.stderr.endsWith("\r\x1b[K"));
});

test("safeJson() escapes what acts on a terminal and stays the same value", () => {
  const value = { "\u202e": "\u009b31m\u2028\x7f\x1b" };
  const text = safeJson(value, 2);
  assert.ok(/^[\x20-\x7e\n]*$/.test(text));
  assert.deepEqual(JSON.parse(text), value);
});

test("table() and wrap() keep columns", () => {
  assert.equal(table([["a", "1\n2"], ["bcd", "3"]], "  "), "  a    1\n       2\n  bcd  3\n");
  assert.deepEqual(wrap("aa bb cc", 5), ["aa bb", "cc"]);
  assert.deepEqual(wrap("abcdefgh i", 4), ["abcdefgh", "i"]);
});
