/** A copy of the project whose tests are bundled with all mutants of its rooms in them. */

import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync } from "node:fs";
import { rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { build, type BuildResult, type Plugin, stop } from "esbuild";
import { type Mutant, mutate } from "./mutate.ts";

/** The project's folder. */
export const ROOT: string = fileURLToPath(new URL("../..", import.meta.url));

/** Rooms whose checks are put to the test. */
export const ROOMS = ["dsse", "sigstore", "intoto", "slsa", "policy", "keys", "verify"];

/** How far a test is from the source. */
export type Distance = "unit" | "wide";

/** A test file, bundled. */
export interface TestBundle {
  /** From the project's folder. */
  file: string;
  url: string;
  /** What it is made of, from the project's folder. */
  sources: ReadonlySet<string>;
  distance: Distance;
}

/** The copy. */
export interface Laboratory {
  folder: string;
  mutants: Mutant[];
  bundles: TestBundle[];
  remove(): void;
}

/** Sources of a room, tests left out, by path from the project's folder. */
export function sourcesOf(root: string, room: string): string[] {
  return filesIn(root, room).filter((file) => !file.endsWith("_test.ts"));
}

function filesIn(root: string, folder: string): string[] {
  if (!existsSync(join(root, folder))) return [];
  return readdirSync(join(root, folder), { withFileTypes: true }).flatMap((entry) => {
    const path = folder === "" ? entry.name : `${folder}/${entry.name}`;
    if (entry.isDirectory()) return folder === "" ? [] : filesIn(root, path);
    return entry.name.endsWith(".ts") ? [path] : [];
  }).sort();
}

const UNIT = ["", ...ROOMS, "internal", "formats", "npm"];
const WIDE = ["tests", "tests/torture", "tests/vectors", "cli"];

/** Bundled test files that start other processes, sockets or bundlers: the switch is not there. */
const ELSEWHERE =
  /(?:worker|size|http_signer|cli|ci_examples|comparison|docs_\w+|readme|architecture|write_files|sign_cli_faults|trusted_root_cli|cli_attest|cli_slsa|option_matrix|fuzz\w*)_test\.ts$/;

const VECTORS = `
import { readFileSync } from "node:fs";
import { test, runRegistered } from "./tests/runtimes/shims/test.ts";
import { gradeAll } from "./tests/vectors/grade.ts";
const folder = FOLDER;
const index = JSON.parse(readFileSync(folder + "testdata/index.json", "utf8"));
const recorded = JSON.parse(readFileSync(folder + "tests/vectors/reasons.json", "utf8"));
const read = (file) => Promise.resolve(new Uint8Array(readFileSync(folder + "testdata/" + file)));
for (const vector of index.cases) {
  test(vector.id, async () => {
    for (const { outcome, message } of await gradeAll({ ...index, cases: [vector] }, recorded, read)) {
      if (outcome === "failed") throw new Error(message);
    }
  });
}
export { runRegistered };
`;

/** Copies the project and bundles its tests, of the wide ones those wanted, with all mutants in them. */
export async function makeLaboratory(isWanted: (file: string) => boolean): Promise<Laboratory> {
  const outer = mkdtempSync(join(tmpdir(), "attest-mutants-"));
  const folder = join(outer, "main");
  cpSync(ROOT, folder, {
    recursive: true,
    filter: (path) => !/^(?:\.git|node_modules|coverage)$/.test(path.slice(ROOT.length)),
  });
  const shared = resolve(ROOT, "../shared");
  if (existsSync(shared)) symlinkSync(shared, join(outer, "shared"));

  const mutants: Mutant[] = [];
  const instrumented = new Map<string, string>();
  for (const file of ROOMS.flatMap((room) => sourcesOf(folder, room))) {
    const found = mutate(file, readFileSync(join(folder, file), "utf8"), mutants.length + 1);
    mutants.push(...found.mutants);
    instrumented.set(join(folder, file), found.instrumented);
  }

  const output = join(folder, ".bundles");
  mkdirSync(output);
  const bundles: TestBundle[] = [];
  const add = async (file: string, distance: Distance, contents: string) => {
    const outfile = join(output, `${file.replaceAll("/", "__")}.js`);
    const { metafile } = await bundle(folder, contents, outfile, instrumented);
    const sources = new Set(Object.keys(metafile.inputs));
    bundles.push({ file, url: pathToFileURL(outfile).href, sources, distance });
  };
  const tests = (folders: string[]) =>
    folders.flatMap((name) => filesIn(folder, name)).filter((file) => file.endsWith("_test.ts"));
  const shim = `export { runRegistered } from "./tests/runtimes/shims/test.ts";`;
  for (const file of new Set(tests(UNIT))) {
    await add(file, "unit", `import "./${file}"; ${shim}`);
  }
  const vectors = "testdata/index.json";
  if (isWanted(vectors)) {
    await add(vectors, "wide", VECTORS.replace("FOLDER", JSON.stringify(`${folder}/`)));
  }
  for (const file of new Set(tests(WIDE).filter((file) => !ELSEWHERE.test(file)))) {
    if (isWanted(file)) await add(file, "wide", `import "./${file}"; ${shim}`);
  }
  await stop();
  return {
    folder,
    mutants,
    bundles,
    remove: () => rmSync(outer, { recursive: true, force: true }),
  };
}

function bundle(
  folder: string,
  contents: string,
  outfile: string,
  instrumented: ReadonlyMap<string, string>,
): Promise<BuildResult<{ metafile: true }>> {
  const shims = join(folder, "tests/runtimes/shims");
  const manifest = JSON.parse(readFileSync(join(folder, "deno.json"), "utf8"));
  const plugin: Plugin = {
    name: "mutants",
    setup(context) {
      context.onResolve({ filter: /^@x\/attest(\/|$)/ }, ({ path }) => ({
        path: resolve(folder, manifest.exports[path.replace("@x/attest", ".")]),
      }));
      context.onResolve({ filter: /^node:(test|assert\/strict)$/ }, ({ path }) => ({
        path: join(shims, path === "node:test" ? "test.ts" : "assert.ts"),
      }));
      context.onResolve(
        { filter: /^[^./]/ },
        ({ path, kind }) => kind === "entry-point" ? undefined : { path, external: true },
      );
      context.onLoad({ filter: /\.ts$/ }, ({ path }) => ({
        contents: (instrumented.get(path) ?? readFileSync(path, "utf8"))
          .replaceAll("import.meta.url", JSON.stringify(pathToFileURL(path).href))
          .replaceAll("import.meta.dirname", JSON.stringify(dirname(path))),
        loader: "ts",
      }));
    },
  };
  return build({
    stdin: { contents, resolveDir: folder, loader: "ts", sourcefile: "entry.ts" },
    absWorkingDir: folder,
    bundle: true,
    format: "esm",
    target: "es2024",
    platform: "neutral",
    outfile,
    plugins: [plugin],
    metafile: true,
    logLevel: "error",
  });
}

/** Writes the source as it reads with one mutant in it, and gives back how to undo that. */
export function writeInto(folder: string, file: string, text: string): () => void {
  const path = join(folder, file);
  const before = readFileSync(path, "utf8");
  writeFileSync(path, text);
  return () => writeFileSync(path, before);
}
