/**
 * Writes `docs/reference/` from the sources.
 *
 *     deno task reference                      writes every page again
 *     deno run -A tools/reference.ts --check   compares with what is on disk
 *
 * @module
 */
import { apiPages, readEntries } from "./reference/api.ts";
import {
  commandsPage,
  policyPage,
  reasonsPage,
  referenceIndex,
  type Schema,
  schemasPage,
} from "./reference/pages.ts";

const ROOT = new URL("..", import.meta.url).pathname;
const FOLDER = `${ROOT}docs/reference/`;

/** All pages of the reference by path in its folder, formatted. */
export async function referencePages(): Promise<ReadonlyMap<string, string>> {
  const { name, exports } = JSON.parse(await Deno.readTextFile(`${ROOT}deno.json`));
  const entries = await readEntries(ROOT, name, exports);
  const schemas = await readSchemas();
  const policy = schemas.get("policy.schema.json");
  if (policy === undefined) throw new Error("There is no schema of policies");
  const pages = new Map<string, string>([
    ["README.md", referenceIndex(entries)],
    ["cli.md", await commandsPage()],
    ["reasons.md", reasonsPage()],
    ["policy.md", policyPage(policy)],
    ["schemas.md", schemasPage(schemas)],
  ]);
  for (const [page, text] of apiPages(ROOT, entries)) pages.set(`api/${page}`, text);
  return await formatted(pages);
}

async function readSchemas(): Promise<ReadonlyMap<string, Schema>> {
  const names: string[] = [];
  for await (const { name } of Deno.readDir(`${ROOT}docs/schema`)) {
    if (name.endsWith(".schema.json")) names.push(name);
  }
  const schemas = new Map<string, Schema>();
  for (const name of names.sort()) {
    schemas.set(name, JSON.parse(await Deno.readTextFile(`${ROOT}docs/schema/${name}`)));
  }
  return schemas;
}

async function formatted(
  pages: ReadonlyMap<string, string>,
): Promise<ReadonlyMap<string, string>> {
  const folder = await Deno.makeTempDir({ prefix: "attest-reference-" });
  try {
    await Deno.mkdir(`${folder}/api`);
    for (const [path, text] of pages) await Deno.writeTextFile(`${folder}/${path}`, text);
    const { code, stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["fmt", "--quiet", "--no-config", "--line-width", "100", folder],
    }).output();
    if (code !== 0) throw new Error(new TextDecoder().decode(stderr));
    const result = new Map<string, string>();
    for (const path of pages.keys()) {
      result.set(path, await Deno.readTextFile(`${folder}/${path}`));
    }
    return result;
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** The pages on disk, by path in their folder. */
export async function pagesOnDisk(): Promise<ReadonlyMap<string, string>> {
  const pages = new Map<string, string>();
  const read = async (folder: string): Promise<void> => {
    for await (const { name, isDirectory } of Deno.readDir(FOLDER + folder)) {
      const path = folder + name;
      if (isDirectory) await read(`${path}/`);
      else pages.set(path, await Deno.readTextFile(FOLDER + path));
    }
  };
  await Deno.mkdir(FOLDER, { recursive: true });
  await read("");
  return pages;
}

/** Paths that differ: stale, missing, or there without a source. */
export function stalePages(
  wanted: ReadonlyMap<string, string>,
  found: ReadonlyMap<string, string>,
): readonly string[] {
  const paths = new Set([...wanted.keys(), ...found.keys()]);
  return [...paths].filter((path) => wanted.get(path) !== found.get(path)).sort();
}

if (import.meta.main) {
  const wanted = await referencePages();
  const stale = stalePages(wanted, await pagesOnDisk());
  if (Deno.args.includes("--check")) {
    for (const path of stale) console.log(`stale: docs/reference/${path}`);
    Deno.exit(stale.length > 0 ? 1 : 0);
  }
  await Deno.mkdir(`${FOLDER}api`, { recursive: true });
  for (const path of stale) {
    const text = wanted.get(path);
    if (text === undefined) await Deno.remove(FOLDER + path);
    else await Deno.writeTextFile(FOLDER + path, text);
    console.log(`${text === undefined ? "removed" : "wrote"} docs/reference/${path}`);
  }
}
