/**
 * Writes `testdata/`: the vectors that other implementations can run too.
 *
 *     deno run -A tools/testdata.ts            writes every file again, byte for byte
 *     deno run -A tools/testdata.ts --check    compares with what is on disk
 *
 * @module
 */
import { equalBytes } from "../internal/bytes.ts";
import { createInstance } from "./pki/instance.ts";
import { addAdvisories } from "./testdata/advisories.ts";
import { Collection } from "./testdata/collection.ts";
import { addDsse } from "./testdata/dsse.ts";
import { addExample } from "./testdata/example.ts";
import { indexOf, schemaOf } from "./testdata/index_file.ts";
import { addCheckpoints, addJsonLines } from "./testdata/other_cases.ts";
import { addFormats } from "./testdata/formats/mod.ts";
import { addPublicKeys } from "./testdata/keys.ts";
import { addCloudBuilds, addNpmAnswers, addSummaries } from "./testdata/packages.ts";
import { readme } from "./testdata/readme.ts";
import { addBadBundles } from "./testdata/sigstore_bad.ts";
import { addKeys, BundleCases } from "./testdata/sigstore_bundle.ts";
import { addGoodBundles } from "./testdata/sigstore_good.ts";
import { addRoots } from "./testdata/sigstore_roots.ts";
import { addStatements } from "./testdata/statement_cases.ts";

const FOLDER = new URL("../testdata/", import.meta.url);

/** All files of `testdata/` by path, as the generator makes them. */
export async function generate(): Promise<ReadonlyMap<string, Uint8Array>> {
  const collection = new Collection();
  const instance = await createInstance();
  await addExample(collection, instance);
  await addKeys(collection, [
    "dsse-ed25519",
    "dsse-p256",
    "dsse-p384",
    "dsse-rsa",
    "managed",
    "managed-other",
  ]);
  await addRoots(collection, instance);
  const bundles = new BundleCases(collection, instance);
  await addGoodBundles(bundles);
  await addBadBundles(bundles);
  await addDsse(collection);
  addStatements(collection);
  await addCheckpoints(collection, instance);
  await addJsonLines(collection, instance);
  await addPublicKeys(collection);
  await addSummaries(collection);
  await addCloudBuilds(collection);
  await addNpmAnswers(collection);
  await addFormats(collection);
  await addAdvisories(collection, bundles);
  collection.json("index.json", indexOf(collection));
  collection.json("schema.json", schemaOf(collection));
  collection.file("README.md", readme(collection));
  return collection.files;
}

async function write(files: ReadonlyMap<string, Uint8Array>): Promise<void> {
  await Deno.mkdir(FOLDER, { recursive: true });
  for await (const path of onDisk(FOLDER)) {
    if (!files.has(path)) await Deno.remove(new URL(path, FOLDER));
  }
  for (const [path, bytes] of files) {
    const url = new URL(path, FOLDER);
    await Deno.mkdir(new URL(".", url), { recursive: true });
    await Deno.writeFile(url, bytes);
  }
}

async function* onDisk(folder: URL, prefix = ""): AsyncGenerator<string> {
  for await (const entry of Deno.readDir(folder)) {
    const path = prefix + entry.name;
    if (entry.isDirectory) yield* onDisk(new URL(`${entry.name}/`, folder), `${path}/`);
    else yield path;
  }
}

/** Paths that differ from what is on disk, or are there on one side only. */
async function differences(files: ReadonlyMap<string, Uint8Array>): Promise<string[]> {
  const different: string[] = [];
  for (const [path, bytes] of files) {
    try {
      if (!equalBytes(bytes, await Deno.readFile(new URL(path, FOLDER)))) different.push(path);
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
      different.push(path);
    }
  }
  for await (const path of onDisk(FOLDER)) if (!files.has(path)) different.push(path);
  return different;
}

if (import.meta.main) {
  const files = await generate();
  if (Deno.args.includes("--check")) {
    const different = await differences(files);
    for (const path of different) console.error(`differs: testdata/${path}`);
    Deno.exit(different.length === 0 ? 0 : 1);
  }
  await write(files);
  let total = 0;
  for (const bytes of files.values()) total += bytes.length;
  console.log(`wrote ${files.size} files, ${total} bytes`);
}
