/** Many files with attestations in a folder, verified in one run. Deno only. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { main } from "../cli/main.ts";
import { denoRuntime } from "../cli/runtime_deno.ts";
import { createEnvelope } from "../dsse/mod.ts";
import { utf8 } from "../internal/bytes.ts";
import { mapWindow } from "../internal/window.ts";
import { exportPublicJwk, generateSigner } from "../keys/mod.ts";
import { digestOf } from "../store/_contract_test.ts";
import { createFolderStore } from "../store/fs.ts";

/** A thousand with ATTEST_FILES=1000. */
const FILES = Number(Deno.env.get("ATTEST_FILES") ?? 250);
const MEMORY_MIB = 160;

interface Outcome {
  status: number;
  out: string;
  err: string;
}

/** Runs the command with a terminal on standard error, and a clock on which all takes long. */
async function run(...args: string[]): Promise<Outcome> {
  const outcome = { status: 0, out: "", err: "" };
  const runtime = {
    ...denoRuntime(),
    args,
    write: (stream: "stdout" | "stderr", text: string) => {
      if (stream === "stdout") outcome.out += text;
      else outcome.err += text;
    },
    isTerminal: (stream: string) => stream === "stderr",
  };
  const now = Date.now;
  let time = now();
  Date.now = () => time += 50;
  try {
    outcome.status = await main(runtime);
  } finally {
    Date.now = now;
  }
  return outcome;
}

async function inFolder(work: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "many-" });
  try {
    await work(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

async function makeFiles(folder: string, keep: (name: string, content: string) => Promise<void>) {
  const { signer, trustedKey } = await generateSigner("Ed25519", { name: "ci" });
  await Deno.mkdir(`${folder}/files`);
  await Deno.writeTextFile(`${folder}/ci.pub`, JSON.stringify(exportPublicJwk(trustedKey)));
  await mapWindow(Array.from({ length: FILES }), 32, async (_, i) => {
    const name = `file-${String(i).padStart(4, "0")}.bin`;
    await Deno.writeTextFile(`${folder}/files/${name}`, name);
    const envelope = await createEnvelope("application/vnd.in-toto+json", {
      _type: "https://in-toto.io/Statement/v1",
      subject: [{ name, digest: digestOf(name) }],
      predicateType: "https://example.com/review/v1",
    }, signer);
    await keep(name, JSON.stringify(envelope));
  });
}

function checkAll({ status, out, err }: Outcome): void {
  assert.equal(status, 0, err.slice(-2000) + out.slice(-500));
  assert.equal(out.match(/^PASSED {2}\S*file-\d{4}\.bin /gm)?.length, FILES);
  assert.match(out, new RegExp(`PASSED: ${FILES} artifacts verified\n$`));
  // eslint-disable-next-line no-control-regex
  const shown = [...err.matchAll(/verifying \[[#.]{24}\] +(\d+) % (\d+) artifact/g)];
  assert.ok(shown.length > 5, `the bar was shown ${shown.length} times`);
  const parts = shown.map(([, part]) => Number(part));
  assert.deepEqual(parts, [...parts].sort((a, b) => a - b));
}

test(`verify of ${FILES} files with their attestations beside them: a table, a bar, one status`, () =>
  inFolder(async (folder) => {
    await makeFiles(
      folder,
      (name, content) => Deno.writeTextFile(`${folder}/files/${name}.intoto.json`, content),
    );
    checkAll(await run("verify", `${folder}/files`, "--key", `${folder}/ci.pub`));
    // One bad file among them: what is wrong is told in full, the others stay a line each.
    await Deno.writeTextFile(`${folder}/files/file-0200.bin`, "changed");
    const bad = await run("verify", `${folder}/files`, "--key", `${folder}/ci.pub`);
    assert.equal(bad.status, 1);
    assert.equal(bad.out.match(/^PASSED {2}/gm)?.length, FILES - 1);
    assert.match(bad.out, /^FAILED {2}\S*file-0200\.bin$/m);
    assert.match(
      bad.out,
      new RegExp(
        `FAILED: ${FILES - 1} of ${FILES} artifacts verified \\(subject-mismatch\\)\n$`,
      ),
    );
  }));

test(`verify of ${FILES} files with their attestations in a store: the same, in bounded memory`, () =>
  inFolder(async (folder) => {
    const store = createFolderStore(`${folder}/store`);
    await makeFiles(folder, async (_name, content) => void await store.put(utf8(content)));
    const args = ["verify", `${folder}/files`, "--key", `${folder}/ci.pub`];
    checkAll(await run(...args, "--store", `${folder}/store`));
    const { code, stdout } = await new Deno.Command("/usr/bin/env", {
      args: [
        "bash",
        "-c",
        '"$@" >/dev/null & pid=$!; peak=0; while kill -0 $pid 2>/dev/null; do ' +
        "rss=$(awk '/VmHWM/{print $2}' /proc/$pid/status 2>/dev/null); " +
        '[ -n "$rss" ] && peak=$rss; sleep 0.05; done; wait $pid; echo "$? $peak"',
        "-",
        Deno.execPath(),
        "run",
        "-A",
        "--no-check",
        new URL("../cli.ts", import.meta.url).pathname,
        ...args,
        "--store",
        `${folder}/store`,
      ],
      stdout: "piped",
    }).output();
    assert.equal(code, 0);
    const [status, peak] = new TextDecoder().decode(stdout).trim().split(" ").map(Number);
    assert.equal(status, 0);
    assert.ok(peak > 0 && peak < MEMORY_MIB * 1024, `${peak} KiB`);
    console.log(`  ${Math.round(peak / 1024)} MiB at most`);
  }));
