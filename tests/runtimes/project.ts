/** A copy of the sources that Node and Bun can run: with a package.json and node_modules. */

import { ROOMS as ALL_ROOMS } from "../architecture.ts";
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { npmInstall, ROOT } from "./tools.ts";

/** A copy of the project outside of it. */
export interface ProjectCopy {
  folder: string;
  /** Tests beside the sources, by path in the folder. */
  unitTests: string[];
  remove(): void;
}

/** Rooms whose tests need no file, no network and no host. */
const ROOMS = ["", ...ALL_ROOMS.filter((room) => room !== "server" && room !== "cli")];

/** Copies the project; Node does not strip types below a node_modules, so not into one. */
export function copyProject(): ProjectCopy {
  const folder = mkdtempSync(join(tmpdir(), "attest-runtimes-"));
  for (const entry of readdirSync(ROOT, { withFileTypes: true })) {
    if (/^(\.|node_modules$|coverage$|docs$|examples$)/.test(entry.name)) continue;
    cpSync(join(ROOT, entry.name), join(folder, entry.name), { recursive: true });
  }
  const manifest = JSON.parse(readFileSync(join(ROOT, "deno.json"), "utf8"));
  const libraries = Object.entries<string>(manifest.imports).filter(([name]) =>
    /^(?:@(?:noble|bufbuild)\/|cborg$|openpgp$|yaml$)/.test(name)
  );
  writeFileSync(
    join(folder, "package.json"),
    JSON.stringify({
      name: manifest.name,
      private: true,
      type: "module",
      exports: manifest.exports,
      dependencies: Object.fromEntries(
        libraries.map((
          [name, specifier],
        ) => [name, specifier.slice(specifier.lastIndexOf("@") + 1)]),
      ),
    }),
  );
  npmInstall(folder, []);
  return {
    folder,
    unitTests: ROOMS.flatMap((room) => testsIn(folder, room)).sort(),
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}

function testsIn(folder: string, room: string): string[] {
  const found: string[] = [];
  let entries;
  try {
    entries = readdirSync(join(folder, room), { withFileTypes: true });
  } catch {
    return found;
  }
  for (const entry of entries) {
    const path = room === "" ? entry.name : `${room}/${entry.name}`;
    if (entry.isDirectory()) {
      if (room !== "") found.push(...testsIn(folder, path));
    } else if (entry.name.endsWith("_test.ts") && !/^store\/(fs|sql)/.test(path)) found.push(path);
  }
  return found;
}
