import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import process from "node:process";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const VECTORS = fileURLToPath(new URL("../../shared/vectors/", import.meta.url));

const DELEGATED =
  "slsa-verifier/cli/slsa-verifier/testdata/gha_delegator/v1.10.0/binary-linux-amd64-push-v14.2";

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
  command: "app.intoto.jsonl --source-uri",
  replace: {
    "app": `${VECTORS}${DELEGATED}`,
    "app.intoto.jsonl": `${VECTORS}${DELEGATED}.build.slsa`,
    "github.com/OWNER/NAME": "github.com/slsa-framework/example-package",
    "v1.2": "v14.2",
    "BUILDER":
      "https://github.com/slsa-framework/example-trw/.github/workflows/builder_high-perms_slsa3.yml",
  },
  shows: /SLSA_BUILD_LEVEL_3|level\s+3/i,
}, {
  command: "attestations.json --npm-keys",
  replace: {
    "package.tgz":
      `${VECTORS}slsa-verifier/cli/slsa-verifier/testdata/npm/gha/gundam-visor-cli-v1-tag.tgz`,
    "attestations.json":
      `${VECTORS}slsa-verifier/cli/slsa-verifier/testdata/npm/gha/gundam-visor-cli-v1-tag.tgz.json`,
    "keys.json": `${VECTORS}root-signing/targets/npm/keys.json`,
    "NAME": "gundam-visor",
    "1.2.3": "1.0.1",
    "OWNER/NAME": "ramonpetgrave64/gundam-visor",
  },
  shows: /PASSED/,
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
    const people = [replace["OWNER/NAME"], replace["github.com/OWNER/NAME"]];
    const wrong = words.map((word) =>
      people.includes(word) ? `${word}-evil` : word === replace.EMAIL ? `x${word}` : word
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
