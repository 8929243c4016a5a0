/** What inputs are made from: `testdata/`, and the vectors of others where they are at hand. */

import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type Bytes, utf8 } from "../../internal/bytes.ts";
import type { Seed } from "./target.ts";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const VECTORS = join(ROOT, "../shared/vectors");
const TORTURE = join(ROOT, "../shared/torture");
const MAX_SEED_BYTES = 48 * 1024;
const MAX_FOREIGN = 48;

interface VectorCase {
  kind: string;
  files: Record<string, string>;
  expected: string;
}

/** Files to begin with, by kind. */
export class Corpus {
  /** Whether the vectors of others are read too. */
  readonly #foreign: boolean;
  #cases: VectorCase[] | undefined;

  constructor(foreign: boolean) {
    this.#foreign = foreign;
  }

  /** One file of the project. */
  file(path: string): Bytes {
    return new Uint8Array(readFileSync(join(ROOT, path)));
  }

  /** One file of the project as text. */
  text(path: string): string {
    return new TextDecoder().decode(this.file(path));
  }

  /** Files of a folder of the project. */
  folder(path: string, ending = ""): Seed[] {
    return readdirSync(join(ROOT, path)).filter((name) => name.endsWith(ending)).sort()
      .filter((name) => statSync(join(ROOT, path, name)).isFile())
      .map((name) => ({ name: `${path}/${name}`, bytes: this.file(`${path}/${name}`) }))
      .filter(({ bytes }) => bytes.length <= MAX_SEED_BYTES);
  }

  /** Files that vectors of a kind name by a role, such as `bundle`. */
  vectors(kind: string, role: string, expected?: string): Seed[] {
    if (!this.#foreign) return [];
    this.#cases ??= readCases();
    const names = new Set<string>();
    for (const one of this.#cases) {
      const name = one.files[role];
      if (
        one.kind === kind && typeof name === "string" && one.expected === (expected ?? one.expected)
      ) {
        names.add(name);
      }
    }
    const found: Seed[] = [];
    // Spread over the whole list, as neighbours are alike.
    const all = [...names];
    const step = Math.max(1, Math.floor(all.length / MAX_FOREIGN));
    for (let i = 0; i < all.length && found.length < MAX_FOREIGN; i += step) {
      const path = join(VECTORS, all[i]);
      if (!existsSync(path) || !statSync(path).isFile()) continue;
      if (statSync(path).size > MAX_SEED_BYTES) continue;
      found.push({ name: all[i], bytes: new Uint8Array(readFileSync(path)) });
    }
    return found;
  }

  /** A JSON file of torture cases, or undefined. */
  torture(path: string): unknown {
    const file = join(TORTURE, path);
    if (!this.#foreign || !existsSync(file)) return undefined;
    return JSON.parse(readFileSync(file, "utf8"));
  }
}

function readCases(): VectorCase[] {
  const index = join(VECTORS, "index.json");
  return existsSync(index) ? JSON.parse(readFileSync(index, "utf8")).cases : [];
}

/** A seed of text. */
export function textSeed(name: string, text: string): Seed {
  return { name, bytes: utf8(text) };
}

/** A seed of JSON. */
export function jsonSeed(name: string, value: unknown): Seed {
  return textSeed(name, JSON.stringify(value));
}

/** Seeds of a list of texts. */
export function textSeeds(...texts: string[]): Seed[] {
  return texts.map((text, i) => textSeed(`text ${i + 1}`, text));
}
