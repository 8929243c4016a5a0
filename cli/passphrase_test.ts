import { deepStrictEqual as deepEqual, rejects, strictEqual as equal } from "node:assert/strict";
import { describe, it } from "node:test";
import { isAttestationError } from "../errors.ts";
import { MemoryRuntime } from "../tests/cli_runtime.ts";
import { parseArgs } from "./args.ts";
import { newPassphrase, PASSPHRASE_OPTION, passphraseFor } from "./passphrase.ts";
import { SecretLine } from "./secret_line.ts";

const OPTIONS = [
  { ...PASSPHRASE_OPTION, group: "Key" },
  { name: "no-passphrase", group: "Key", help: "None" },
];

function args(...words: string[]) {
  return parseArgs(words, OPTIONS);
}

function reason(wanted: string): (error: unknown) => boolean {
  return (error) => isAttestationError(error) && error.reason === wanted;
}

describe("passphraseFor()", () => {
  it("takes the file before the environment, and the environment before the terminal", async () => {
    const runtime = new MemoryRuntime({ p: "from file\r\n" });
    runtime.stdin = "from input\n";
    runtime.variables = { ATTEST_PASSPHRASE: "from variable", COSIGN_PASSWORD: "cosign's" };
    runtime.typed = ["typed"];
    const key = { path: "k", cosign: true };
    equal(await passphraseFor(args("--passphrase-file", "p"), runtime, "k"), "from file");
    equal(await passphraseFor(args("--passphrase-file", "-"), runtime, "k"), "from input");
    equal(await passphraseFor(args(), runtime, key), "from variable");
    runtime.variables = { COSIGN_PASSWORD: "cosign's" };
    equal(await passphraseFor(args(), runtime, key), "cosign's");
    runtime.variables = { COSIGN_PASSWORD: "" };
    equal(await passphraseFor(args(), runtime, key), "");
    equal(await passphraseFor(args(), runtime, "k"), "typed");
    deepEqual(runtime.prompts, ['Passphrase for "k": ']);
  });

  it("keeps blanks, and takes one line end away", async () => {
    const runtime = new MemoryRuntime({ p: "  a b \n" });
    equal(await passphraseFor(args("--passphrase-file", "p"), runtime, "k"), "  a b ");
  });

  it("refuses what is empty, has several lines, is long or not UTF-8", async () => {
    const runtime = new MemoryRuntime({
      empty: "\n",
      marked: "\ufeffsecret\n",
      lines: "a\nb\n",
      long: "x".repeat(5000),
      binary: new Uint8Array([0xff]),
    });
    const cases = [
      ["empty", "missing-passphrase"],
      ["marked", "missing-passphrase"],
      ["lines", "missing-passphrase"],
      ["long", "limit-exceeded"],
      ["binary", "invalid-unicode"],
      ["none", "unreadable-file"],
    ];
    for (const [file, wanted] of cases) {
      await rejects(passphraseFor(args("--passphrase-file", file), runtime, "k"), reason(wanted));
    }
    runtime.variables = { ATTEST_PASSPHRASE: "" };
    runtime.typed = ["typed"];
    await rejects(passphraseFor(args(), runtime, "k"), reason("missing-passphrase"));
  });

  it("refuses without a terminal to ask at", async () => {
    const runtime = new MemoryRuntime();
    await rejects(passphraseFor(args(), runtime, "k"), reason("missing-passphrase"));
  });
});

describe("newPassphrase()", () => {
  it("asks twice, and again when they differ or are empty", async () => {
    const runtime = new MemoryRuntime();
    runtime.typed = ["a", "b", "", "c", "c"];
    equal(await newPassphrase(args(), runtime, "k"), "c");
    equal(runtime.prompts.length, 5);
    runtime.typed = ["a", "b", "a", "b", "", "c", "c"];
    await rejects(newPassphrase(args(), runtime, "k"), reason("missing-passphrase"));
  });

  it("makes a key without only when that is said", async () => {
    const runtime = new MemoryRuntime();
    await rejects(newPassphrase(args(), runtime, "k"), reason("missing-passphrase"));
    runtime.variables = { ATTEST_PASSPHRASE: "x" };
    equal(await newPassphrase(args("--no-passphrase"), runtime, "k"), undefined);
    const both = args("--no-passphrase", "--passphrase-file", "p");
    await rejects(newPassphrase(both, runtime, "k"), reason("usage"));
  });
});

describe("SecretLine", () => {
  const bytes = (text: string) => new TextEncoder().encode(text);

  it("reads a line from whatever pieces it comes in, and keeps what follows", () => {
    const line = new SecretLine();
    equal(line.feed(bytes("pa")), undefined);
    const done = line.feed(bytes("ss\rsecond\n"));
    equal(done?.line, "pass");
    equal(new SecretLine().feed(done?.rest ?? bytes(""))?.line, "second");
  });

  it("erases whole characters, and the line", () => {
    equal(new SecretLine().feed(bytes("ab\x7fc\n"))?.line, "ac");
    equal(new SecretLine().feed(bytes("aé€😀\x7f\x7f\x08b\n"))?.line, "ab");
    equal(new SecretLine().feed(bytes("\x7f\x7fa\n"))?.line, "a");
    equal(new SecretLine().feed(bytes("wrong\x15right\n"))?.line, "right");
  });

  it("stops on Ctrl-C, and on Ctrl-D when nothing was typed", async () => {
    const feed = (text: string) => Promise.resolve().then(() => new SecretLine().feed(bytes(text)));
    await rejects(feed("abc\x03"), reason("aborted"));
    await rejects(feed("\x04"), reason("aborted"));
    equal((await feed("abc\x04"))?.line, "abc");
    await rejects(feed("x".repeat(5000)), reason("limit-exceeded"));
  });
});
