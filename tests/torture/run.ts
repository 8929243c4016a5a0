/**
 * Runs the third-party vectors in each runtime and prints a table of what was run:
 * `deno run -A tests/torture/run.ts [deno] [node24] [bun] [workerd]`. Exit 0 all passed, 1 a
 * failure, 3 a runtime or the vectors cannot be had here.
 */

import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { encodeBase64 } from "../../internal/base64.ts";
import { copyProject, type ProjectCopy } from "../runtimes/project.ts";
import { findBun, findNode, type Ran, ROOT, run, ToolAbsent } from "../runtimes/tools.ts";
import { bundle, workerdTest } from "../runtimes/workerd.ts";
import { present } from "./corpus.ts";

const CORPUS = process.env.ATTEST_TORTURE ?? join(ROOT, "../shared/torture");
const TESTS = readdirSync(join(ROOT, "tests/torture")).filter((name) => name.endsWith("_test.ts"))
  .sort().map((name) => `tests/torture/${name}`);

const RUNTIMES: Readonly<Record<string, (project: ProjectCopy) => Promise<Ran> | Ran>> = {
  deno: () => run("deno", ["test", "-A", ...TESTS]),
  node24: ({ folder }) =>
    run(findNode(24), ["--test", "--test-reporter=tap", ...TESTS], {
      cwd: folder,
      env: { ATTEST_TORTURE: CORPUS },
    }),
  bun: ({ folder }) =>
    run(findBun(), ["test", "--timeout", "120000", ...TESTS.map((path) => `./${path}`)], {
      cwd: folder,
      env: { ATTEST_TORTURE: CORPUS },
    }),
  workerd: async (project) => {
    const json = JSON.stringify(filesIn(CORPUS));
    writeFileSync(join(project.folder, "torture-corpus.json"), json);
    const loads = TESTS.map((path) => `await import(${JSON.stringify(`./${path}`)});`);
    await bundle(
      project,
      `import files from "torture-corpus";
import { runRegistered } from "./tests/runtimes/shims/test.ts";
export default {
  async test() {
    globalThis.tortureFiles = files;
    ${loads.join("\n    ")}
    const { passed, failed, failures } = await runRegistered();
    for (const failure of failures) console.log("FAILED " + failure);
    console.log(passed + " passed, " + failed + " failed");
    if (failed > 0 || passed === 0) throw new Error(failed + " tests failed");
  },
};`,
      "torture",
      {
        external: ["torture-corpus"],
        plugins: [{
          name: "corpus",
          setup: (build) =>
            build.onResolve({ filter: /\/corpus\.ts$/ }, () => ({
              path: join(project.folder, "tests/torture/corpus_embedded.ts"),
            })),
        }],
      },
    );
    return workerdTest(project, "torture", undefined, { "torture-corpus": "torture-corpus.json" });
  },
};

function filesIn(folder: string, path = ""): Record<string, string> {
  const files: Record<string, string> = {};
  for (const entry of readdirSync(join(folder, path), { withFileTypes: true })) {
    const name = path === "" ? entry.name : `${path}/${entry.name}`;
    if (entry.isDirectory()) Object.assign(files, filesIn(folder, name));
    else {
      const bytes = readFileSync(join(folder, name));
      files[name] = /\.(json|txt|md)$/.test(name)
        ? bytes.toString("utf8")
        : `base64:${encodeBase64(bytes)}`;
    }
  }
  return files;
}

if (!present) process.exit(3);
const names = process.argv.slice(2);
if (names.some((name) => !Object.hasOwn(RUNTIMES, name))) {
  console.error(`Usage: run.ts [${Object.keys(RUNTIMES).join("] [")}]`);
  process.exit(2);
}
const wanted = names.length > 0 ? names : Object.keys(RUNTIMES);
const tables = new Map<string, Map<string, [number, number]>>();
const asides = new Map<string, string[]>();
let status = 0;
const project = copyProject();
try {
  for (const name of wanted) {
    try {
      const { code, out } = await RUNTIMES[name](project);
      const counts = new Map<string, [number, number]>();
      for (
        const [, origin, cases, otherwise] of out.matchAll(
          /^(?:# )?TORTURE (\S+) (\d+) (\d+)$/gm,
        )
      ) {
        const [a, b] = counts.get(origin) ?? [0, 0];
        counts.set(origin, [a + Number(cases), b + Number(otherwise)]);
      }
      tables.set(name, counts);
      asides.set(name, [...out.matchAll(/^(?:# )?WEBCRYPTO (.*)$/gm)].map(([, text]) => text));
      console.log(`${name}: ${code === 0 ? "passed" : "FAILED"}`);
      if (code !== 0) {
        status = 1;
        console.log(
          out.split("\n").filter((line) => !/^\s*(ok |# Subtest)/.test(line)).slice(-60).join("\n"),
        );
      }
    } catch (error) {
      if (!(error instanceof ToolAbsent)) throw error;
      console.log(`SKIPPED ${name}: ${error.message}`);
      status ||= 3;
    }
  }
} finally {
  project.remove();
}

const runtimes = [...tables.keys()];
const origins = [...new Set(runtimes.flatMap((name) => [...tables.get(name)!.keys()]))].sort();
console.log(`\n| cases (of which decided otherwise) | ${runtimes.join(" | ")} |`);
console.log(`| --- ${"| ---: ".repeat(runtimes.length)}|`);
const sums = runtimes.map(() => 0);
for (const origin of origins) {
  const cells = runtimes.map((name, i) => {
    const [cases, otherwise] = tables.get(name)!.get(origin) ?? [0, 0];
    sums[i] += cases;
    return otherwise === 0 ? String(cases) : `${cases} (${otherwise})`;
  });
  console.log(`| ${origin} | ${cells.join(" | ")} |`);
}
console.log(`| all | ${sums.join(" | ")} |`);
for (const [name, lines] of asides) {
  for (const line of lines) console.log(`${name}: ${line}`);
}
if (sums.some((sum) => sum !== sums[0])) {
  console.log("FAILED: the runtimes did not run the same cases");
  status = 1;
}
process.exit(status);
