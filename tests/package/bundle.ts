/** Bundles of the library as an application makes them. */

import { Buffer } from "node:buffer";
import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { build, type BuildOptions, type Plugin, stop } from "esbuild";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));

/** Resolves the package's own name to the sources, and leaves its lazy dependencies out. */
const self: Plugin = {
  name: "self",
  setup(context) {
    context.onResolve({ filter: SELF }, ({ path }) => ({ path: sourceOf(path) }));
  },
};

const SELF = /^@x\/attest(\/|$)/;

function sourceOf(name: string): string {
  const manifest = JSON.parse(readFileSync(join(ROOT, "deno.json"), "utf8"));
  return resolve(ROOT, manifest.exports[name.replace("@x/attest", ".")]);
}

/** Leaves packages out of the bundle and in its metafile. */
const packagesApart: Plugin = {
  name: "packages-apart",
  setup(context) {
    context.onResolve(
      { filter: /^[^./]/ },
      ({ path, kind }) =>
        kind === "entry-point" || path.startsWith("@x/attest")
          ? undefined
          : { path, external: true },
    );
  },
};

/** Finds packages where Deno keeps them. */
const packagesInside: Plugin = {
  name: "packages-inside",
  setup(context) {
    context.onResolve(
      { filter: /^(@noble\/|(cborg|hono|kysely|openpgp)$)/ },
      ({ path }) => ({ path: inBrowser(path, fileURLToPath(import.meta.resolve(path))) }),
    );
  },
};

/** The file that a package has for browsers, where it says so: Deno takes that for Node. */
function inBrowser(name: string, file: string): string {
  const end = file.indexOf("/dist/node/");
  if (end < 0) return file;
  const folder = file.slice(0, end);
  const { exports } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
  const browser: unknown = exports?.["."]?.browser;
  if (typeof browser !== "string") throw new Error(`${name} has nothing for browsers`);
  return join(folder, browser);
}

/** Leaves out what is loaded on use, and with it all that only it needs. */
function lazyApart(lazy: RegExp): Plugin {
  return {
    name: "lazy-apart",
    setup(context) {
      context.onResolve({ filter: /^(\.|@x\/attest)/ }, ({ path, kind, resolveDir }) => {
        const file = SELF.test(path) ? sourceOf(path) : resolve(resolveDir, path);
        const source = file.slice(ROOT.length).replaceAll("\\", "/");
        return kind === "dynamic-import" && lazy.test(source)
          ? { path: source, external: true }
          : undefined;
      });
    },
  };
}

const COMMON: BuildOptions = {
  absWorkingDir: ROOT,
  bundle: true,
  format: "esm",
  target: "es2024",
  platform: "browser",
  write: false,
  logLevel: "error",
};

/** One file with all that an entry point loads, at the start and on use. */
export async function bundleEntry(path: string): Promise<string> {
  const { outputFiles } = await build({
    ...COMMON,
    plugins: [self, packagesInside],
    entryPoints: [path],
    outfile: "worker.js",
  });
  await stop();
  return outputFiles?.[0].text ?? "";
}

/** What an optional entry adds to the one that it belongs to. */
export interface EntrySize {
  /** Bytes, minified and compressed as gzip -9 does, with the packages that it loads. */
  gzip: number;
  /** Packages in it. */
  packages: string[];
}

/**
 * Measures what an entry adds to another one.
 *
 * @param entry Its name, such as `@x/attest/formats/cose`.
 * @param base The other one.
 * @param lazy Sources that the other one does not carry.
 */
export async function entrySize(entry: string, base: string, lazy: RegExp): Promise<EntrySize> {
  const { inputs } = await bundleSize(`export * from "${base}";`, lazy);
  const there = new Set(inputs.map(([path]) => path));
  const thereApart: Plugin = {
    name: "there-apart",
    setup(context) {
      context.onResolve({ filter: /^\./ }, ({ path, resolveDir }) => {
        const source = resolve(resolveDir, path).slice(ROOT.length).replaceAll("\\", "/");
        return there.has(source) ? { path: source, external: true } : undefined;
      });
    },
  };
  const { metafile, outputFiles } = await build({
    ...COMMON,
    plugins: [thereApart, self, packagesInside],
    stdin: { contents: `export * from "${entry}";`, resolveDir: ROOT, loader: "ts" },
    minify: true,
    metafile: true,
  });
  await stop();
  const packages = Object.keys(metafile?.inputs ?? {}).flatMap((path) =>
    /node_modules\/((?:@[^/]+\/)?[^/]+)\/(?!.*node_modules\/)/.exec(path)?.[1] ??
      /\/npm\/[^/]+\/((?:@[^/]+\/)?[^/]+)\/\d/.exec(path)?.[1] ?? []
  );
  const { contents = new Uint8Array() } = outputFiles?.[0] ?? {};
  return {
    gzip: gzipSync(Buffer.from(contents), { level: 9 }).length,
    packages: [...new Set(packages)].sort(),
  };
}

/** Size of the library's own code in a bundle. */
export interface BundleSize {
  /** Bytes, minified. */
  minified: number;
  /** Bytes, minified and compressed as gzip -9 does. */
  gzip: number;
  /** Packages that are loaded at the start. */
  packages: string[];
  /** Sources that are part of it, the largest first, with their bytes. */
  inputs: [path: string, bytes: number][];
}

/**
 * Measures what an application that holds this code carries.
 *
 * @param lazy Sources whose chunks are left out as they are loaded on use only, and not for
 * this use. Packages that are loaded on use are no part of it either.
 */
export async function bundleSize(code: string, lazy: RegExp = /$^/): Promise<BundleSize> {
  const { metafile, outputFiles } = await build({
    ...COMMON,
    plugins: [lazyApart(lazy), self, packagesApart],
    stdin: { contents: code, resolveDir: ROOT, loader: "ts", sourcefile: "entry.ts" },
    outdir: "/bundle",
    entryNames: "entry",
    splitting: true,
    minify: true,
    metafile: true,
  });
  await stop();
  const outputs = metafile?.outputs ?? {};
  const size: BundleSize = { minified: 0, gzip: 0, packages: [], inputs: [] };
  const chunks: Uint8Array[] = [];
  const open = Object.keys(outputs).filter((name) => name.endsWith("/entry.js"));
  const seen = new Set(open);
  for (const name of open) {
    const { contents } = outputFiles?.find(({ path }) => baseName(path) === baseName(name)) ?? {};
    if (contents === undefined) throw new Error(`No output ${name}`);
    size.minified += contents.length;
    chunks.push(contents);
    for (const [path, { bytesInOutput }] of Object.entries(outputs[name].inputs)) {
      size.inputs.push([path, bytesInOutput]);
    }
    for (const { path, kind, external } of outputs[name].imports) {
      if (external) {
        if (kind === "import-statement") size.packages.push(path);
        continue;
      }
      if (seen.has(path)) continue;
      seen.add(path);
      open.push(path);
    }
  }
  // Together, as one file would be: chunks that are compressed one by one weigh more.
  size.gzip = gzipSync(Buffer.concat(chunks), { level: 9 }).length;
  size.inputs.sort(([, a], [, b]) => b - a);
  return size;
}

function baseName(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}
