/** Bundles tests and vectors for workerd and runs them there, without compatibility flags. */

import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { build, type BuildOptions, type Plugin, stop } from "esbuild";
import type { ProjectCopy } from "./project.ts";
import { findWorkerd, type Ran, run } from "./tools.ts";

const COMPATIBILITY_DATE = "2026-07-01";

/** Bundles a worker's entry to `NAME.js` in the copy. */
export async function bundle(
  project: ProjectCopy,
  entry: string,
  name: string,
  more: { plugins?: Plugin[]; external?: string[] } = {},
): Promise<void> {
  const shims = join(project.folder, "tests/runtimes/shims");
  const options: BuildOptions = {
    stdin: { contents: entry, resolveDir: project.folder, loader: "ts", sourcefile: `${name}.ts` },
    absWorkingDir: project.folder,
    bundle: true,
    format: "esm",
    target: "es2024",
    platform: "browser",
    outfile: join(project.folder, `${name}.js`),
    alias: { "node:test": join(shims, "test.ts"), "node:assert/strict": join(shims, "assert.ts") },
    logLevel: "error",
    ...more,
  };
  await build(options);
  await stop();
}

/**
 * Runs a bundle of the copy.
 *
 * @param files Folder that the worker may read.
 * @param json Modules of JSON beside the worker's own, by name: files in the copy.
 */
export async function workerdTest(
  project: ProjectCopy,
  name: string,
  files?: string,
  json: Readonly<Record<string, string>> = {},
): Promise<Ran> {
  const workerd = await findWorkerd();
  const binding = files === undefined ? "" : `bindings = [(name = "files", service = "files")],`;
  const disk = files === undefined ? "" : `(name = "files", disk = ${JSON.stringify(files)}),`;
  const modules = Object.entries(json).map(([module, file]) =>
    `, (name = ${JSON.stringify(module)}, json = embed ${JSON.stringify(file)})`
  ).join("");
  writeFileSync(
    join(project.folder, `${name}.capnp`),
    `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (services = [${disk} (name = "main", worker = .main)]);
const main :Workerd.Worker = (
  modules = [(name = "worker", esModule = embed "${name}.js")${modules}],
  ${binding}
  compatibilityDate = "${COMPATIBILITY_DATE}",
);
`,
  );
  return run(workerd, ["test", join(project.folder, `${name}.capnp`)], { cwd: project.folder });
}

/** Leaves out the commands that need a database or a socket; no unit test runs one. */
function databasesApart(folder: string): Plugin {
  return {
    name: "databases-apart",
    setup(context) {
      context.onResolve({ filter: /^\./ }, ({ path, kind, resolveDir }) => {
        const source = join(resolveDir, path).slice(folder.length + 1).replaceAll("\\", "/");
        const isApart = kind === "dynamic-import" && !source.endsWith("_test.ts") &&
          /^(cli\/(serve|reverify|gate\/database)|store\/(sql|reverify)\/|server\/)/.test(source);
        return isApart ? { path, external: true } : undefined;
      });
    },
  };
}

/** Runs the unit tests in workerd. */
export async function unitTests(project: ProjectCopy): Promise<Ran> {
  // Loaded inside the handler: at its top, a module of a worker may do no I/O.
  const loads = project.unitTests.map((path) => `await import(${JSON.stringify(`./${path}`)});`);
  const shim = JSON.stringify("./tests/runtimes/shims/test.ts");
  await bundle(
    project,
    `import { runRegistered } from ${shim};
export default {
  async test() {
    ${loads.join("\n    ")}
    const { passed, failed, failures } = await runRegistered();
    for (const failure of failures) console.log("FAILED " + failure);
    console.log(passed + " passed, " + failed + " failed");
    if (failed > 0 || passed === 0) throw new Error(failed + " tests failed");
  },
};`,
    "unit",
    { plugins: [databasesApart(project.folder)] },
  );
  return workerdTest(project, "unit");
}

/** Runs the cases of an index in workerd, which reads the files through a disk service. */
export async function vectors(project: ProjectCopy, index: string): Promise<Ran> {
  const reasons = join(project.folder, "tests/vectors/reasons.json");
  const recorded = existsSync(reasons) ? readFileSync(reasons, "utf8") : "{}";
  await bundle(
    project,
    `import { countLine, formatText, gradeAll, totals } from "./tests/vectors/grade.ts";
const reasons = ${recorded};
export default {
  async test(_controller, env) {
    const read = async (path) => {
      const url = "http://files/" + path.split("/").map(encodeURIComponent).join("/");
      const answer = await env.files.fetch(url);
      if (!answer.ok) throw new Error("Cannot read " + path + ": " + answer.status);
      return new Uint8Array(await answer.arrayBuffer());
    };
    const index = JSON.parse(new TextDecoder().decode(await read(${
      JSON.stringify(baseName(index))
    })));
    const graded = await gradeAll(index, reasons, read);
    console.log(formatText(graded));
    console.log(countLine(graded));
    if (totals(graded).failed > 0) throw new Error("cases failed");
  },
};`,
    "vectors",
  );
  return workerdTest(project, "vectors", dirname(index));
}

function baseName(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}
