import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import process from "node:process";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const VECTORS = fileURLToPath(new URL("../../shared/vectors/", import.meta.url));

/** Real attestations for the reader's own files in the README's commands. */
const INPUTS: readonly {
  command: string;
  replace: Readonly<Record<string, string>>;
  shows: RegExp;
}[] = [{
  command: "app.sigstore.json --repo",
  replace: {
    "app.tgz": `${VECTORS}cli-cli/pkg/cmd/attestation/test/data/sigstore-js-2.1.0.tgz`,
    "app.sigstore.json":
      `${VECTORS}cli-cli/pkg/cmd/attestation/test/data/sigstore-js-2.1.0-bundle-v0.1.json`,
    "OWNER/NAME": "sigstore/sigstore-js",
  },
  shows: /PASSED: 1 artifact verified/,
}, {
  command: "attestations.json --repo",
  replace: {
    "package.tgz":
      `${VECTORS}slsa-verifier/cli/slsa-verifier/testdata/npm/gha/gundam-visor-cli-v1-tag.tgz`,
    "attestations.json":
      `${VECTORS}slsa-verifier/cli/slsa-verifier/testdata/npm/gha/gundam-visor-cli-v1-tag.tgz.json`,
    "OWNER/NAME": "ramonpetgrave64/gundam-visor",
  },
  shows: /PASSED: 1 artifact verified/,
}, {
  command: "cosign.sigstore.json --cert-identity",
  replace: {
    "app.bin":
      `${VECTORS}sigstore-java/sigstore-java/src/test/resources/dev/sigstore/samples/bundles/artifact.txt`,
    "cosign.sigstore.json":
      `${VECTORS}sigstore-java/sigstore-java/src/test/resources/dev/sigstore/samples/bundles/bundle.sigstore`,
    "EMAIL": "appu@google.com",
  },
  shows: /PASSED: 1 artifact verified/,
}, {
  command: "app.intoto.json --key",
  replace: {
    "app.bin": `${ROOT}testdata/example/keyed/hello.txt`,
    "app.intoto.json": `${ROOT}testdata/example/keyed/hello.txt.intoto.json`,
    "key.pub": `${ROOT}testdata/example/keyed/ci.pub`,
  },
  shows: /PASSED: 1 artifact verified/,
}];

for (const { command, replace, shows } of INPUTS) {
  const missing = Object.values(replace).find((path) => path.startsWith("/") && !existsSync(path));
  if (missing !== undefined) {
    console.log(`SKIPPED the README's command with ${command}: ${missing} is not there`);
    continue;
  }
  test(`the README's command with ${command} verifies a real attestation, without network`, () => {
    const line = readFileSync(`${ROOT}README.md`, "utf8").split("\n")
      .find((line) => line.startsWith("npx -y deno@") && line.includes(command));
    assert.ok(line !== undefined, command);
    const words = line.split(" ").slice(3).map((word) => replace[word] ?? word);
    assert.deepEqual(words.slice(0, 2), ["run", "--allow-read"]);
    // What is not granted is refused: a request or a question would end the run.
    const run = spawnSync(process.execPath, ["run", "--no-prompt", ...words.slice(1)], {
      cwd: ROOT,
      encoding: "utf8",
    });
    assert.equal(run.status, 0, run.stdout + run.stderr);
    assert.ok(shows.test(run.stdout), run.stdout);

    // The same with somebody else expected is refused.
    const wrong = words.map((word) =>
      word === replace["OWNER/NAME"] ? `${word}-evil` : word === replace.EMAIL ? `x${word}` : word
    );
    if (wrong.join() === words.join()) return;
    const refused = spawnSync(process.execPath, ["run", "--no-prompt", ...wrong.slice(1)], {
      cwd: ROOT,
      encoding: "utf8",
    });
    assert.equal(refused.status, 1, refused.stdout + refused.stderr);
  });
}

test("verify needs no permission but reading the files that it is given", () => {
  const example = "testdata/example";
  const files = ["hello.txt", "hello.txt.sigstore.json", "trusted_root.json"]
    .map((name) => `${example}/${name}`);
  const run = spawnSync(process.execPath, [
    "run",
    "--no-prompt",
    `--allow-read=${files.join(",")}`,
    "cli.ts",
    "verify",
    files[0],
    "--bundle",
    files[1],
    "--trusted-root",
    files[2],
    "--only-root",
    "--repo",
    "example/hello",
  ], { cwd: ROOT, encoding: "utf8" });
  assert.equal(run.status, 0, run.stdout + run.stderr);
});
