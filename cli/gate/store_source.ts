import { AttestationError, isAttestationError } from "../../errors.ts";
import { quote } from "../../internal/json.ts";
import { createMemoryStore } from "../../store/memory.ts";
import { join } from "../artifacts.ts";
import { access, readBounded, type Runtime } from "../runtime.ts";
import { type ProvenanceSource, storeSource } from "./sources.ts";

const MAX_FILES = 100_000;
const MAX_DEPTH = 8;
const MAX_FILE_BYTES = 64 << 20;

/** A folder of attestations, or a file of JSON Lines, as a source; all of it is read once. */
export async function openStoreSource(path: string, runtime: Runtime): Promise<ProvenanceSource> {
  const store = createMemoryStore();
  const info = await access("read", path, () => runtime.stat(path));
  const files: string[] = [];
  if (info?.kind === "directory") await walk(path, 0, runtime, files);
  else if (info?.kind === "file") files.push(path);
  else {
    throw new AttestationError(
      "store-unavailable",
      `Cannot open store ${quote(path)}: ${
        info === undefined ? "it does not exist" : "it is neither a file nor a folder"
      }`,
    );
  }
  for (const file of files) {
    const bytes = await readBounded(runtime, file, MAX_FILE_BYTES);
    for (const part of file.endsWith(".jsonl") ? linesOf(bytes) : [bytes]) {
      try {
        await store.put(part);
      } catch (error) {
        // What is no attestation is about nothing, and so in nobody's way.
        if (!isAttestationError(error) || error.reason === "store-unavailable") throw error;
      }
    }
  }
  return { ...storeSource(store), name: `store ${path}` };
}

async function walk(
  folder: string,
  depth: number,
  runtime: Runtime,
  files: string[],
): Promise<void> {
  const entries = await access("read folder", folder, () => runtime.readDir(folder));
  for (const { name, kind } of entries) {
    if (kind === "directory" && depth < MAX_DEPTH) {
      await walk(join(folder, name), depth + 1, runtime, files);
    } else if (kind === "file" && /\.jsonl?$|^[0-9a-f]{64}$/.test(name)) {
      files.push(join(folder, name));
    }
    if (files.length > MAX_FILES) {
      throw new AttestationError(
        "limit-exceeded",
        `Cannot read store: more than ${MAX_FILES} files`,
      );
    }
  }
}

function* linesOf(bytes: Uint8Array): Generator<Uint8Array> {
  for (let start = 0; start < bytes.length;) {
    const newline = bytes.indexOf(10, start);
    const end = newline < 0 ? bytes.length : newline;
    if (end > start) yield bytes.slice(start, end);
    start = end + 1;
  }
}
