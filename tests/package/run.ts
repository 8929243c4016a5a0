/**
 * Packs the package as npm gets it, installs it in Node 20, Node 24 and Bun, imports every
 * key of the export map and verifies the example of `testdata/` with it. Last line:
 * `N passed, N failed`.
 */

import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { findBun, findNode, npmInstall, ROOT, run, ToolAbsent } from "../runtimes/tools.ts";

const manifest = JSON.parse(readFileSync(join(ROOT, "deno.json"), "utf8"));
const example = join(ROOT, "testdata/example");

const PROGRAM = `
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
const keys = ${JSON.stringify(Object.keys(manifest.exports))};
// Node has SQLite from version 22 on: there the import must fail by that name, and by no other.
const hasSqlite = process.getBuiltinModule?.("node:sqlite") !== undefined;
for (const key of keys) {
  if (key === "./store/sql/sqlite" && !hasSqlite) {
    await assert.rejects(import("@x/attest/store/sql/sqlite"), /node:sqlite/);
    continue;
  }
  const module = await import(key.replace(".", "@x/attest"));
  assert.ok(Object.keys(module).length > 0, key + " exports nothing");
}
await assert.rejects(import("@x/attest/internal/json.ts"), "internal/ can be imported");
const { createEnvelope, verifyEnvelope } = await import("@x/attest/dsse");
const { generateSigner } = await import("@x/attest/keys");
const { signer, trustedKey } = await generateSigner("Ed25519", { name: "ci" });
const envelope = await createEnvelope("text/plain", "hello", signer);
const result = await verifyEnvelope(envelope, { keys: [trustedKey] });
assert.deepEqual(result.acceptedBy, ["ci"]);
const [example] = process.argv.slice(2);
const { verify } = await import("@x/attest");
const { githubIdentity, parseTrustedRoot } = await import("@x/attest/sigstore");
const read = (name) => new Uint8Array(readFileSync(example + "/" + name));
const report = await verify(read("hello.txt.sigstore.json"), read("hello.txt"), {
  trust: { trustedRoots: [parseTrustedRoot(read("trusted_root.json"))], onlyRoot: true },
  expect: { identity: githubIdentity({ repository: "example/hello" }) },
});
assert.equal(report.errorReason, null);
assert.ok(report.ok);
console.log("imported", keys.length);
`;

const folder = mkdtempSync(join(tmpdir(), "attest-package-"));
let passed = 0, failed = 0;
try {
  const tarball = join(folder, "attest.tgz");
  const packed = run(process.execPath, [
    "pack",
    "--no-source-maps",
    "--allow-dirty",
    "-o",
    tarball,
  ]);
  report("deno pack", packed.code === 0 && existsSync(tarball), packed.out);
  const listed = run("tar", ["-tzf", tarball]);
  const stray = listed.out.split("\n").filter((name) =>
    /_test\.|(^|\/)(tests|tools|bench|testdata|examples)\//.test(name)
  );
  report(
    "the tarball holds the library only",
    listed.code === 0 && stray.length === 0,
    stray.join("\n"),
  );
  const types = listed.out.includes("package/mod.d.ts");
  report("the tarball holds types", types, listed.out);
  npmInstall(folder, [tarball]);
  writeFileSync(join(folder, "program.mjs"), PROGRAM);
  const runtimes: [string, () => string][] = [
    ["Node 20", () => findNode(20)],
    ["Node 24", () => findNode(24)],
    ["Bun", findBun],
  ];
  for (const [name, find] of runtimes) {
    try {
      const { code, out } = run(find(), ["program.mjs", example], { cwd: folder });
      report(
        `${name} imports every key of the export map and verifies the example`,
        code === 0,
        out,
      );
    } catch (error) {
      if (!(error instanceof ToolAbsent)) throw error;
      console.log(`SKIPPED ${name}: ${error.message}`);
    }
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed === 0 ? 0 : 1);

function report(name: string, good: boolean, details: string): void {
  console.log(`${good ? "ok" : "FAILED"} ${name}`);
  if (good) passed++;
  else {
    failed++;
    console.log(details.slice(-3000));
  }
}
