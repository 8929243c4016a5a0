/**
 * The ready-made workflows of `examples/ci/` and `action.yml`: what they may do, what they
 * pin, and that every command in them is one that the command line has.
 */

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { after, before, describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { parse } from "yaml";
import { parseArgs } from "../cli/args.ts";
import { optionsOf } from "../cli/help.ts";
import { type SigstoreServer, startSigstore, writeInstance } from "../tools/sigstore_server.ts";
import { jobClaims, jobEnvironment } from "./fixtures/github_job.ts";
import { HAS_GIT, Repository } from "./gate_machine.ts";
import { checkCommand, commandsOf, splitWords } from "./shell_words.ts";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const EXAMPLES = `${ROOT}examples/ci/`;

type Fields = Record<string, unknown>;

interface Step extends Fields {
  uses?: string;
  run?: string;
  name?: string;
  with?: Record<string, unknown>;
  env?: Record<string, string>;
}

interface Job extends Fields {
  uses?: string;
  needs?: string | string[];
  permissions?: Record<string, string>;
  env?: Record<string, string>;
  steps?: Step[];
}

interface Workflow extends Fields {
  permissions?: Record<string, string>;
  env?: Record<string, string>;
  jobs: Record<string, Job>;
}

function read(path: string): string {
  return readFileSync(ROOT + path, "utf8");
}

const GATE = "provenance-gate.yml";
const github = readdirSync(EXAMPLES).filter((name) => name.startsWith("github-") || name === GATE)
  .sort();
const workflows = github.map((name) => {
  const text = read(`examples/ci/${name}`);
  return { name, text, workflow: parse(text) as Workflow };
});
const action = parse(read("action.yml")) as {
  inputs: Record<string, { description?: string; default?: string }>;
  outputs: Record<string, { value: string }>;
  runs: { using: string; steps: Step[] };
};

function stepsOf(workflow: Workflow): { job: string; step: Step }[] {
  return Object.entries(workflow.jobs).flatMap(([job, { steps = [] }]) =>
    steps.map((step) => ({ job, step }))
  );
}

/** Commands that the workflows use beside ours. */
const KNOWN = new Set(["bash", "cd", "curl", "for", "gh", "git", "mkdir", "printf", "rm"]);

/** What a script runs: every command is known, and ours have the options that they are given. */
async function checkScript(where: string, script: string): Promise<string[]> {
  const syntax = spawnSync("bash", ["-n"], { input: script, encoding: "utf8" });
  assert.equal(syntax.status, 0, `${where}: ${syntax.stderr}`);
  const ours: string[] = [];
  for (const command of commandsOf(script)) {
    const words = splitWords(command);
    if (words[0] === "npx") ours.push(await checkCommand(where, words));
    else assert.ok(KNOWN.has(words[0]), `${where}: unknown command ${words[0]} in ${command}`);
  }
  return ours;
}

/** Names of variables that a script reads and does not set. */
function variablesOf(script: string): string[] {
  const set = new Set([...script.matchAll(/\bfor (\w+) in\b/g)].map(([, name]) => name));
  const read = [...script.matchAll(/\$\{?([A-Za-z_]\w*)/g)].map(([, name]) => name);
  return read.filter((name) => !set.has(name));
}

/** Set by the platform for each job. */
const GITHUB_SETS =
  /^(GITHUB_(ACTION_PATH|REPOSITORY|REF|REF_NAME|SHA|OUTPUT|STEP_SUMMARY)|RUNNER_TEMP)$/;
const GITLAB_SETS =
  /^CI_(API_V4_URL|PROJECT_ID|PROJECT_URL|SERVER_URL|CONFIG_PATH|COMMIT_TAG|JOB_TOKEN)$/;

describe("workflows for GitHub Actions", () => {
  it("are all there", () => {
    assert.deepEqual(github, [
      "github-matrix.yml",
      "github-plain.yml",
      "github-reusable-caller.yml",
      "github-reusable.yml",
      GATE,
    ]);
  });

  for (const { name, text, workflow } of workflows) {
    it(`${name} pins every action by a commit, with its version beside it`, () => {
      const lines = text.split("\n");
      const uses = lines.filter((line) => /^\s*(- )?uses:/.test(line));
      assert.ok(uses.length > 0);
      for (const line of uses) {
        const reference = line.replace(/^\s*(- )?uses:\s*/, "");
        if (reference === "./.attest") continue;
        if (/@0{40}$/.test(reference)) {
          const at = lines.indexOf(line);
          assert.match(lines.slice(Math.max(0, at - 4), at).join("\n"), /# REPLACE: .*hash/, line);
          continue;
        }
        assert.match(reference, /^[\w-]+\/[\w/.-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$/, line);
      }
    });

    it(`${name} says for what its placeholders stand, and has no other`, () => {
      for (const [placeholder] of text.matchAll(/\b0{40}\b|OWNER\/\w+/g)) {
        const at = text.indexOf(placeholder);
        assert.ok(text.lastIndexOf("# REPLACE", at) >= 0, placeholder);
      }
      const { ATTEST_COMMIT, ATTEST_REPOSITORY } = workflow.env ?? {};
      assert.equal(ATTEST_COMMIT, "0".repeat(40));
      assert.equal(ATTEST_REPOSITORY, "OWNER/attest");
    });

    it(`${name} gives each job the rights that it needs and no more`, () => {
      assert.deepEqual(workflow.permissions, {});
      for (const [job, { permissions, steps = [], uses }] of Object.entries(workflow.jobs)) {
        assert.ok(permissions !== undefined, `${job} inherits its permissions`);
        for (const [right, value] of Object.entries(permissions)) {
          const allowed = right === "contents" && value === "read" ||
            right === "contents" && value === "write" && job === "publish" ||
            right === "id-token" && value === "write" && (job === "attest" || uses !== undefined);
          assert.ok(allowed, `${job}: ${right}: ${value}`);
        }
        const isTrusted = permissions.contents === "write" || permissions["id-token"] === "write";
        if (!isTrusted || uses !== undefined) continue;
        // Where a token can be had, nothing of the project is fetched and nothing is run but gh.
        for (const step of steps) {
          if (step.uses?.startsWith("actions/checkout@")) {
            assert.equal(step.with?.repository, "${{ env.ATTEST_REPOSITORY }}", job);
          }
          for (const command of commandsOf(step.run ?? "")) {
            assert.match(command, /^gh release /, job);
          }
        }
      }
      assert.ok(!/pull_request_target|workflow_run|secrets: inherit/.test(text));
    });

    it(`${name} limits time and leaves no credentials behind`, () => {
      for (const [job, { "timeout-minutes": minutes, uses }] of Object.entries(workflow.jobs)) {
        if (uses === undefined) assert.ok(Number(minutes) <= 30, job);
      }
      for (const { job, step } of stepsOf(workflow)) {
        if (!step.uses?.startsWith("actions/checkout@")) continue;
        assert.equal(step.with?.["persist-credentials"], false, job);
        const isTool = step.with?.repository !== undefined;
        assert.equal(step.with?.ref, isTool ? "${{ env.ATTEST_COMMIT }}" : undefined, job);
      }
    });

    it(`${name} puts no expression into a script, and only known variables`, () => {
      for (const { job, step } of stepsOf(workflow)) {
        if (step.run === undefined) continue;
        assert.ok(!step.run.includes("${{"), `${job}: ${step.run}`);
        const known = { ...workflow.env, ...workflow.jobs[job].env, ...step.env };
        for (const variable of variablesOf(step.run)) {
          assert.ok(variable in known || GITHUB_SETS.test(variable), `${job}: $${variable}`);
        }
      }
    });

    it(`${name} runs commands that there are`, async () => {
      for (const { job, step } of stepsOf(workflow)) {
        if (step.run !== undefined) await checkScript(`${name} ${job}`, step.run);
        if (step.uses !== "./.attest") continue;
        for (const input of Object.keys(step.with ?? {})) {
          assert.ok(input in action.inputs, `${job}: the action has no input ${input}`);
        }
      }
    });

    if (name === GATE) continue;
    it(`${name} verifies right after it published`, async () => {
      if (name === "github-reusable.yml") {
        assert.ok(!("publish" in workflow.jobs));
        return;
      }
      const { verify } = workflow.jobs;
      assert.equal(verify.needs, "publish");
      assert.deepEqual(verify.permissions, { contents: "read" });
      const scripts = (verify.steps ?? []).flatMap(({ run }) => run ?? []);
      const ours = (await Promise.all(scripts.map((script) => checkScript(name, script)))).flat();
      assert.deepEqual(ours, ["verify"]);
      const script = scripts.join("\n");
      for (
        const option of ["--repo", "--source-ref", "--source-digest", "--deny-self-hosted-runners"]
      ) assert.ok(script.includes(option), option);
      assert.ok(!/\|\| true|continue-on-error/.test(JSON.stringify(verify)));
    });
  }
});

describe("release gate for GitHub Actions", () => {
  const { text, workflow } = workflows.find(({ name }) => name === GATE)!;
  const [step] = workflow.jobs.gate.steps!.filter(({ run }) => run !== undefined);

  it("runs on pull requests and on pushes to main, with the whole history", () => {
    const { on } = workflow as unknown as { on: Record<string, unknown> };
    assert.deepEqual(on, { pull_request: null, push: { branches: ["main"] } });
    const [own] = workflow.jobs.gate.steps ?? [];
    assert.equal(own.with?.["fetch-depth"], 0);
    assert.ok(!/\|\| true|continue-on-error/.test(text));
  });

  it("gates a change in the form that it has, by the rules of before", async () => {
    if (!HAS_GIT) return void console.log("skipped: git is not installed");
    const repository = await Repository.create();
    try {
      const policy = {
        type: "attest-policy/v1",
        trust: { keys: { ci: { publicKey: repository.publicKey } } },
        rules: [{ id: "r", require: [{ id: "s", envelope: { signedBy: { of: ["ci"] } } }] }],
      };
      const rules = {
        type: "attest-gate-rules/v1",
        unmatched: "ignored",
        rules: [{ id: "dist", paths: "dist/**", artifact: true }],
      };
      repository.write("policy.json", JSON.stringify(policy));
      repository.write("gate.json", JSON.stringify(rules));
      const before = repository.commit();
      await repository.writeAttested("dist/app.js", "app");
      const good = repository.commit();
      repository.write("dist/app.js", "other");
      repository.write(
        "gate.json",
        JSON.stringify({ ...rules, rules: [{ ...rules.rules[0], id: "x", paths: "x" }] }),
      );
      repository.commit();
      const [command] = commandsOf(step.run ?? "");
      /** What the shell makes of the line, for each kind of event. */
      const gate = async (variables: Record<string, string>) => {
        const script = `printf '%s\\n' ${
          command.slice(command.indexOf(" gate ") + 6).replace(/ >> .*$/, "")
        }`;
        const { stdout } = spawnSync("bash", ["-eu", "-c", script], {
          encoding: "utf8",
          env: { ...process.env, REGISTRY: "https://registry.acme.example", ...variables },
        });
        return await repository.gate(stdout.trim().split("\n"), {
          runtime: {
            fetch: (url) =>
              Promise.resolve(
                url.includes("/v1/attestations/")
                  ? Response.json({ attestations: [] })
                  : Response.json({ reason: "manifest-not-found" }, { status: 404 }),
              ),
          },
        });
      };
      const refused = await gate({ BASE_SHA: before, BEFORE_SHA: "" });
      assert.equal(refused.status, 1, refused.err);
      assert.match(refused.out, /dist\/app\.js/);
      assert.match(refused.err, /"gate\.json" decides what passes/);
      repository.git("checkout", "-q", good);
      const passed = await gate({ BASE_SHA: "", BEFORE_SHA: before });
      assert.equal(passed.status, 0, passed.err);
      assert.match(passed.out, /PASSED: 1 of 1 artifact verified/);
    } finally {
      repository.remove();
    }
  });
});

describe("pipeline for GitLab", () => {
  const text = read("examples/ci/gitlab.yml");
  const { stages, variables, default: defaults, workflow: _, ...jobs } = parse(text) as
    & { stages: string[]; variables: Record<string, string> }
    & Record<string, Fields & { script?: string[]; before_script?: string[] }>;

  it("gives the token for signing to the job that signs alone", () => {
    for (const [name, job] of Object.entries(jobs)) {
      const expected = name === "attest" ? { SIGSTORE_ID_TOKEN: { aud: "sigstore" } } : undefined;
      assert.deepEqual(job.id_tokens, expected, name);
    }
    assert.deepEqual(stages, ["build", "attest", "publish", "verify"]);
    assert.equal(jobs.attest.extends, ".attest-tool");
    const { variables: own } = jobs[".attest-tool"] as { variables?: Record<string, string> };
    assert.equal(own?.GIT_STRATEGY, "none");
  });

  it("pins the tool by a commit and the image by a digest", () => {
    assert.equal(variables.ATTEST_COMMIT, "0".repeat(40));
    assert.match(variables.NODE_IMAGE, /^node@sha256:0{64}$/);
    assert.equal((defaults as Fields).image, "$NODE_IMAGE");
    for (const job of Object.values(jobs)) assert.equal(job.image, undefined);
  });

  it("runs commands that there are, with variables that there are", async () => {
    const found: Record<string, string[]> = {};
    for (const [name, job] of Object.entries(jobs)) {
      for (const script of [...job.before_script ?? [], ...job.script ?? []]) {
        assert.equal(typeof script, "string", name);
        found[name] = [...found[name] ?? [], ...await checkScript(name, script)];
        for (const variable of variablesOf(script)) {
          assert.ok(variable in variables || GITLAB_SETS.test(variable), `${name}: $${variable}`);
        }
      }
    }
    assert.deepEqual(found.attest, ["trusted-root", "attest"]);
    assert.deepEqual(found.verify, ["verify"]);
  });
});

describe("composite action", () => {
  const [step, ...more] = action.runs.steps;

  it("hands inputs on as variables and never as parts of a script", () => {
    assert.equal(action.runs.using, "composite");
    assert.deepEqual(more, []);
    assert.ok(!String(step.run).includes("${{"));
    const inputs = Object.entries(step.env ?? {}).filter(([name]) => name !== "ATTEST_CLI");
    assert.deepEqual(
      inputs.map(([name]) => name.toLowerCase().replaceAll("_", "-")).sort(),
      Object.keys(action.inputs).sort(),
    );
    for (const [name, value] of inputs) {
      const input = name.toLowerCase().replaceAll("_", "-");
      assert.equal(value, `\${{ inputs.${input} }}`);
      assert.ok((action.inputs[input].description ?? "").length > 10, input);
    }
  });

  for (const file of ["dist/my app.tgz", "dist/$(touch pwned).tgz", "dist/`touch pwned`;.tgz"]) {
    it(`attests a file with the name ${JSON.stringify(file)}, and nothing else happens`, () => {
      const { calls, status, outputs, error, names } = runAction({ SUBJECT_PATH: file }, [file]);
      assert.equal(status, 0, error);
      const [update, attest] = calls;
      assert.deepEqual(update.slice(0, 2), ["trusted-root", "update"]);
      assert.deepEqual(attest.slice(0, 3), ["attest", file, "--provenance"]);
      assert.equal(calls.length, 2);
      assert.deepEqual(names, ["dist"]);
      // The stand-in writes nothing.
      assert.deepEqual(outputs, []);
    });
  }

  it("gives the command line what the inputs say, with options that it has", async () => {
    const files = ["a.txt", "b.txt", "-c.txt", "sums", "sbom.json", "claim.json"];
    const instance = { SIGNING_CONFIG: "s.json", TRUSTED_ROOT: "t.json" };
    const named = ["--signing-config=s.json", "--trusted-root=t.json"];
    const cases: [Record<string, string>, string[]][] = [
      [{ SUBJECT_PATH: "?.txt\n\n  \n" }, ["a.txt", "b.txt", "--provenance", "--each"]],
      [{ SUBJECT_PATH: "-c.txt" }, ["./-c.txt", "--provenance"]],
      [
        { SUBJECT_PATH: "a.txt\nb.txt", BUNDLE_PATH: "all.json" },
        ["a.txt", "b.txt", "--provenance", "--output=all.json"],
      ],
      [
        { SUBJECT_DIGEST: "sha256:ab", SUBJECT_NAME: "x y", BUNDLE_PATH: "x.json" },
        ["--subject-digest=sha256:ab", "--subject-name=x y", "--provenance", "--output=x.json"],
      ],
      [
        { SUBJECT_CHECKSUMS: "sums", PROVENANCE: "true", IF_POSSIBLE: "true" },
        ["--checksums=sums", "--provenance", "--if-possible"],
      ],
      [{ SUBJECT_PATH: "a.txt", SBOM_PATH: "sbom.json" }, ["a.txt", "--sbom=sbom.json"]],
      [
        {
          SUBJECT_PATH: "a.txt",
          PREDICATE_PATH: "claim.json",
          PREDICATE_TYPE: "https://e.example",
        },
        ["a.txt", "--predicate=claim.json", "--type=https://e.example"],
      ],
    ];
    for (const [inputs, expected] of cases) {
      const { calls, status, error } = runAction({ ...inputs, ...instance }, files);
      assert.equal(status, 0, error);
      assert.equal(calls.length, 1);
      assert.deepEqual([...calls[0].slice(1)].sort(), [...expected, ...named].sort());
      const options = await optionsOf(calls[0][0]);
      assert.ok(options !== undefined);
      parseArgs(calls[0].slice(1), options);
    }
  });

  it("refuses inputs that contradict each other, before anything is run", () => {
    const cases: [Record<string, string>, RegExp][] = [
      [{}, /Give subject-path/],
      [{ SUBJECT_PATH: "nothing/*" }, /matches nothing: nothing/],
      [{ SUBJECT_PATH: "a.txt", PREDICATE_PATH: "p.json" }, /needs predicate-type/],
      [{ SUBJECT_PATH: "a.txt", PREDICATE_TYPE: "spdx" }, /needs predicate-path/],
      [{ SUBJECT_PATH: "a.txt", PROVENANCE: "false" }, /provenance is false/],
      [{ SUBJECT_PATH: "a.txt", PROVENANCE: "yes" }, /true or false/],
      [{ SUBJECT_PATH: "a.txt", IF_POSSIBLE: "maybe" }, /true or false/],
      [{ SUBJECT_PATH: "a.txt", PROVENANCE: "true", SBOM_PATH: "s.json" }, /a step of its own/],
      [{ SUBJECT_PATH: "a.txt", PREDICATE_PATH: "p", SBOM_PATH: "s" }, /use two steps/],
      [{ SUBJECT_PATH: "a.txt", TRUSTED_ROOT: "t.json" }, /go together/],
    ];
    for (const [inputs, message] of cases) {
      const { calls, status, error } = runAction(inputs, ["a.txt"]);
      assert.equal(status, 2, error);
      assert.match(error, message);
      assert.match(error, /^::error title=Attest::/m);
      assert.deepEqual(calls, []);
    }
  });
});

if ("Deno" in globalThis) {
  describe("composite action in a job", () => {
    let folder = "";
    let server: SigstoreServer;
    before(async () => {
      folder = await Deno.makeTempDir({ prefix: "attest-action-" });
      server = await startSigstore();
      await writeInstance(`${folder}/instance`, server);
      await Deno.mkdir(`${folder}/bin`);
      const npx = `#!/bin/sh\nshift 2\nexec '${Deno.execPath()}' "$@"\n`;
      await Deno.writeTextFile(`${folder}/bin/npx`, npx, { mode: 0o755 });
    });
    after(async () => {
      server.close();
      await Deno.remove(folder, { recursive: true });
    });

    async function inJob(name: string, variables: Record<string, string>) {
      const work = `${folder}/${name}`;
      await Deno.mkdir(`${work}/dist`, { recursive: true });
      for (const file of ["my app.txt", "other.txt"]) {
        await Deno.writeTextFile(`${work}/dist/${file}`, file);
      }
      const { PATH = "", HOME = "", DENO_DIR } = Deno.env.toObject();
      const { code, stdout, stderr } = await new Deno.Command("bash", {
        args: ["-eo", "pipefail", "-c", String(step().run)],
        cwd: work,
        clearEnv: true,
        stdin: "null",
        env: {
          ...environmentOf(`${work}/output`),
          HOME,
          ...DENO_DIR === undefined ? {} : { DENO_DIR },
          PATH: `${folder}/bin:${PATH}`,
          NO_COLOR: "1",
          SIGNING_CONFIG: `${folder}/instance/signing_config.json`,
          TRUSTED_ROOT: `${folder}/instance/trusted_root.json`,
          SUBJECT_PATH: "dist/*.txt",
          ...variables,
        },
      }).output();
      const decoder = new TextDecoder();
      const said = decoder.decode(stdout) + decoder.decode(stderr);
      return { code, said, work, outputs: outputsIn(`${work}/output`) };
    }

    it("attests each file with provenance of the job, which verify accepts", async () => {
      const { code, said, work, outputs } = await inJob("push", {
        ...jobEnvironment({ ref: "refs/tags/v1.0.0" }),
        ...server.githubEnvironment(jobClaims({ ref: "refs/tags/v1.0.0" })),
        MATRIX: '{"target":"linux-x64"}',
      });
      assert.equal(code, 0, said);
      const bundles = ["dist/my app.txt.sigstore.json", "dist/other.txt.sigstore.json"];
      assert.deepEqual(outputs, bundles);
      for (const bundle of bundles) {
        const { code, stdout } = await new Deno.Command(Deno.execPath(), {
          args: [
            ...["run", "--no-prompt", `--allow-read`, `${ROOT}cli.ts`, "verify"],
            ...[bundle.replace(/\.sigstore\.json$/, ""), `--bundle=${bundle}`, "--repo=acme/app"],
            ...["--source-ref=refs/tags/v1.0.0", "--deny-self-hosted-runners"],
            ...[`--trusted-root=${folder}/instance/trusted_root.json`, "--only-root"],
            ...["--type=slsaprovenance1", "--print-provenance"],
          ],
          cwd: work,
          stderr: "null",
        }).output();
        const text = new TextDecoder().decode(stdout);
        assert.equal(code, 0, text);
        assert.match(text, /linux-x64/);
      }
    });

    it("leaves a pull request of a fork with a notice, if it may", async () => {
      const fork = jobEnvironment({ event: "pull_request", ref: "refs/pull/7/merge" });
      const skipped = await inJob("fork", { ...fork, IF_POSSIBLE: "true" });
      assert.equal(skipped.code, 0, skipped.said);
      assert.match(skipped.said, /^notice: Nothing is signed/m);
      assert.deepEqual(skipped.outputs, []);
      const failed = await inJob("fork-failed", fork);
      assert.equal(failed.code, 2, failed.said);
      assert.match(failed.said, /missing-identity-token/);
      const push = await inJob("push-without", { ...jobEnvironment(), IF_POSSIBLE: "true" });
      assert.equal(push.code, 2, push.said);
      for (const work of ["fork", "fork-failed", "push-without"]) {
        const names = [...Deno.readDirSync(`${folder}/${work}/dist`)].map(({ name }) => name);
        assert.deepEqual(names.sort(), ["my app.txt", "other.txt"]);
      }
    });
  });
}

/** Environment of the action's step without any input. */
function environmentOf(output: string): Record<string, string> {
  const empty = Object.fromEntries(Object.keys(step().env ?? {}).map((name) => [name, ""]));
  return {
    ...empty,
    GITHUB_ACTION_PATH: ROOT,
    GITHUB_OUTPUT: output,
    ATTEST_CLI: `${ROOT}cli.ts`,
    IF_POSSIBLE: action.inputs["if-possible"].default ?? "",
  };
}

/** Lines of the output `bundle-path`, as the runner reads it. */
function outputsIn(file: string): string[] {
  if (!existsSync(file)) return [];
  const [, list = ""] = /^bundle-path<<(\S+)\n([^]*?)\1\n$/.exec(readFileSync(file, "utf8"))
    ?.slice(1) ?? [];
  return list.split("\n").filter((line) => line !== "");
}

interface ActionRun {
  /** Arguments after `cli.ts`, of each start. */
  calls: string[][];
  status: number | null;
  outputs: string[];
  error: string;
  /** What lies in the folder afterwards, besides the files that were there. */
  names: string[];
}

/** Runs the action's script with a stand-in for npx that notes its arguments. */
function runAction(inputs: Record<string, string>, files: string[] = []): ActionRun {
  const folder = mkdtempSync(join(tmpdir(), "attest-action-"));
  try {
    const bin = join(folder, "bin"), work = join(folder, "work"), log = join(folder, "calls");
    for (const path of [bin, work]) mkdirSync(path);
    const stand = `#!/bin/sh\nprintf '%s\\n' "$@" >>'${log}'\nprintf '\\0' >>'${log}'\n`;
    writeFileSync(join(bin, "npx"), stand);
    chmodSync(join(bin, "npx"), 0o755);
    for (const file of files) {
      mkdirSync(join(work, file, ".."), { recursive: true });
      writeFileSync(join(work, file), "content");
    }
    const { status, stderr, stdout } = spawnSync(
      "bash",
      ["--noprofile", "--norc", "-eo", "pipefail", "-c", String(step().run)],
      {
        cwd: work,
        encoding: "utf8",
        env: {
          PATH: `${bin}:${process.env.PATH}`,
          ...environmentOf(join(folder, "output")),
          ...inputs,
        },
      },
    );
    const calls = existsSync(log) ? readFileSync(log, "utf8").split("\0").slice(0, -1) : [];
    return {
      calls: calls.map((call) => {
        const words = call.split("\n").slice(0, -1);
        assert.deepEqual(words.slice(0, 3), ["-y", "deno@2.9.6", "run"]);
        return words.slice(words.indexOf(`${ROOT}cli.ts`) + 1);
      }),
      status,
      outputs: outputsIn(join(folder, "output")),
      error: stdout + stderr,
      names: readdirSync(work).sort(),
    };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function step(): Step {
  return action.runs.steps[0];
}
