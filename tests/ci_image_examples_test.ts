/** The ready-made workflows for images and charts: rights, pins, commands, and what they do. */

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { parse } from "yaml";
import { checkCommand, commandsOf, splitWords } from "./shell_words.ts";

const ROOT = fileURLToPath(new URL("..", import.meta.url));

interface Step {
  id?: string;
  name?: string;
  uses?: string;
  run?: string;
  if?: string;
  with?: Record<string, unknown>;
  env?: Record<string, string>;
}

interface Job {
  if?: string;
  needs?: string | string[];
  permissions?: Record<string, string>;
  env?: Record<string, string>;
  steps: Step[];
  "timeout-minutes"?: number;
}

interface Workflow {
  permissions: Record<string, string>;
  env: Record<string, string>;
  jobs: Record<string, Job>;
}

/** Commands beside ours, and where they may be run: nothing of the project beside a token. */
const KNOWN: Readonly<Record<string, readonly string[]>> = {
  build: ["helm", "printf", "sed"],
  attest: ["jq", "mkdir", "sort", "while", "done"],
  verify: [],
};
const GITHUB_SETS = /^GITHUB_(REPOSITORY|REF|SHA|OUTPUT)$/;

for (const name of ["image.yml", "chart.yml"]) {
  const text = readFileSync(`${ROOT}examples/ci/${name}`, "utf8");
  const workflow = parse(text) as Workflow;
  const { build, attest, verify } = workflow.jobs;
  const scripts = (job: Job) => job.steps.flatMap(({ run }) => run ?? []).join("\n");

  describe(`examples/ci/${name}`, () => {
    it("pins every action by a commit, and says for what its placeholders stand", () => {
      const lines = text.split("\n");
      for (const [at, line] of lines.entries()) {
        const [, reference] = /^\s*- uses: (.*)$/.exec(line) ?? [];
        if (reference === undefined) continue;
        if (/@0{40}$/.test(reference)) {
          assert.match(lines.slice(Math.max(0, at - 1), at).join("\n"), /# REPLACE.*hash/, line);
        } else assert.match(reference, /^[\w-]+\/[\w/.-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$/, line);
      }
      assert.equal(workflow.env.ATTEST_COMMIT, "0".repeat(40));
      assert.equal(workflow.env.ATTEST_REPOSITORY, "OWNER/attest");
      assert.ok(!/pull_request_target|workflow_run|secrets: inherit/.test(text));
    });

    it("gives each job the rights that it needs, and a token for signing to one", () => {
      assert.deepEqual(workflow.permissions, {});
      assert.deepEqual(build.permissions, { contents: "read", packages: "write" });
      assert.deepEqual(attest.permissions, {
        contents: "read",
        "id-token": "write",
        packages: "write",
      });
      assert.deepEqual(verify.permissions, { contents: "read", packages: "read" });
      for (const job of Object.values(workflow.jobs)) {
        assert.ok(Number(job["timeout-minutes"]) <= 30);
        for (const { uses, with: given } of job.steps) {
          if (!uses?.startsWith("actions/checkout@")) continue;
          assert.equal(given?.["persist-credentials"], false);
          if (job === build) continue;
          assert.equal(given?.repository, "${{ env.ATTEST_REPOSITORY }}");
          assert.equal(given?.ref, "${{ env.ATTEST_COMMIT }}");
        }
      }
    });

    it("attests and verifies only what was pushed, and says so where nothing was", () => {
      assert.equal(attest.if, "github.event_name == 'push'");
      assert.equal(attest.needs, "build");
      assert.deepEqual(verify.needs, ["build", "attest"]);
      const notice = build.steps.find(({ run }) => run?.includes("::notice::"));
      assert.equal(notice?.if, "github.event_name != 'push'");
      const push = build.steps.find(({ id }) => id === "push");
      assert.equal(
        push?.with?.push ?? push?.if,
        name === "image.yml" ? "${{ github.event_name == 'push' }}" : "github.event_name == 'push'",
      );
    });

    it("names its steps after what fails in them", () => {
      assert.ok(build.steps.some(({ name }) => name === "Build and push"));
      const names = attest.steps.flatMap(({ name }) => name ?? []);
      assert.deepEqual(names.slice(-2), ["Generate", "Upload"]);
      assert.ok(!/continue-on-error|\|\| true/.test(text));
    });

    it("runs commands that there are, with variables that there are", async () => {
      const ours: Record<string, string[]> = {};
      for (const [job, { steps, env }] of Object.entries(workflow.jobs)) {
        for (const step of steps) {
          if (step.run === undefined) continue;
          const { run } = step;
          assert.ok(!run.includes("${{"), `${job}: ${run}`);
          const { status, stderr } = spawnSync("bash", ["-n"], { input: run, encoding: "utf8" });
          assert.equal(status, 0, stderr);
          const known = { ...workflow.env, ...env, ...step.env, digest: "" };
          for (const [, variable] of run.matchAll(/(?<!\\)\$\{?([A-Za-z_]\w*)/g)) {
            assert.ok(variable in known || GITHUB_SETS.test(variable), `${job}: $${variable}`);
          }
          for (const command of commandsOf(run)) {
            if (!command.startsWith("npx")) {
              assert.ok(KNOWN[job].includes(command.split(" ")[0]), `${job}: ${command}`);
              continue;
            }
            // What a redirection writes to is no argument.
            const words = splitWords(command.replace(/ > [\w.]+$/, ""));
            (ours[job] ??= []).push(await checkCommand(`${name} ${job}`, words));
          }
        }
      }
      const generate = ["trusted-root", "attest", "attach"];
      assert.deepEqual(ours, {
        attest: name === "image.yml" ? ["tree", ...generate] : generate,
        verify: name === "image.yml" ? ["verify", "verify"] : ["verify"],
      });
    });

    it("verifies what was published by its digest, and whose build it was", () => {
      for (
        const option of ["--repo", "--source-ref", "--source-digest", "--deny-self-hosted-runners"]
      ) assert.ok(scripts(verify).includes(option), option);
      for (const job of [attest, verify]) {
        for (const [reference] of scripts(job).matchAll(/oci:\/\/\S+/g)) {
          assert.match(reference, /@\$DIGEST"$/, reference);
        }
      }
    });
  });
}

describe("examples/ci/image.yml", () => {
  const { jobs } = parse(readFileSync(`${ROOT}examples/ci/image.yml`, "utf8")) as Workflow;

  it("leaves the build as it would be: QEMU, buildx, cache, and two platforms", () => {
    const uses = jobs.build.steps.flatMap(({ uses }) => uses?.replace(/@.*/, "") ?? []);
    assert.deepEqual(uses.slice(1), [
      "docker/setup-qemu-action",
      "docker/setup-buildx-action",
      "docker/login-action",
      "docker/build-push-action",
    ]);
    const { with: given = {} } = jobs.build.steps.find(({ id }) => id === "push") ?? {};
    assert.deepEqual(Object.keys(given), ["platforms", "push", "tags", "cache-from", "cache-to"]);
    assert.equal(given.platforms, "linux/amd64,linux/arm64");
  });

  it("attests every platform and the index, each digest once", () => {
    const { run = "" } = jobs.attest.steps.find(({ name }) => name === "Read the digests") ?? {};
    const [, filter] = /jq -r '([^']*)'/.exec(run) ?? [];
    const tree = {
      kind: "index",
      digest: "sha256:1",
      children: [
        { kind: "manifest", digest: "sha256:2", children: [{ kind: "attestation", digest: "x" }] },
        { kind: "manifest", digest: "sha256:3", children: [] },
        { kind: "other", digest: "sha256:4", children: [] },
      ],
    };
    const { status, stdout, error } = spawnSync("jq", ["-r", filter], {
      input: JSON.stringify(tree),
      encoding: "utf8",
    });
    if (error !== undefined) {
      console.log("  SKIPPED: there is no jq on this machine");
      return;
    }
    assert.equal(status, 0);
    assert.deepEqual(stdout.trim().split("\n").sort(), ["sha256:1", "sha256:2", "sha256:3"]);
  });
});
