import type { DigestSet } from "../intoto/digest_set.ts";
import { ATTESTATION_SUFFIXES, digestOfName, SIGNATURE_SUFFIXES } from "../store/file_names.ts";
import { type Artifact, join, splitPath } from "./artifacts.ts";
import type { Runtime } from "./runtime.ts";

/** Attestations that lie next to an artifact. */
export interface Discovery {
  /** Paths of what is there. */
  paths: string[];
  /** Names that were looked for, for people. */
  looked: string[];
}

/**
 * Finds attestations by their names: next to the artifact, and in its folder and the current
 * one those that `gh attestation download` named by the digest.
 *
 * @param digestOf Digests of the artifact; only called when a file is named by one.
 */
export async function discover(
  artifact: Artifact,
  runtime: Runtime,
  digestOf: () => Promise<DigestSet>,
): Promise<Discovery> {
  const paths: string[] = [];
  const looked: string[] = [];
  for (const neighbour of artifact.neighbours) {
    for (const suffix of [...ATTESTATION_SUFFIXES, ...SIGNATURE_SUFFIXES]) {
      const path = neighbour + suffix;
      looked.push(path);
      if (await isFile(runtime, path)) paths.push(path);
    }
  }
  const folders = new Set(["", ...artifact.neighbours.map((path) => splitPath(path).folder)]);
  for (const folder of folders) {
    looked.push(join(folder, "sha256:<digest>.jsonl"));
    const named = await namedByDigest(runtime, folder);
    if (named.length === 0) continue;
    const digest = await digestOf();
    for (const { name, algorithm, hex } of named) {
      if (digest[algorithm] === hex) paths.push(join(folder, name));
    }
  }
  paths.push(...artifact.shared);
  return { paths: [...new Set(paths)], looked };
}

async function isFile(runtime: Runtime, path: string): Promise<boolean> {
  try {
    return (await runtime.stat(path))?.kind === "file";
  } catch {
    // What may not be looked at is not found; a permission for it is the caller's to give.
    return false;
  }
}

async function namedByDigest(
  runtime: Runtime,
  folder: string,
): Promise<{ name: string; algorithm: string; hex: string }[]> {
  try {
    const entries = await runtime.readDir(folder === "" ? "." : folder);
    return entries.flatMap(({ name, kind }) => {
      const digest = kind === "file" ? digestOfName(name) : undefined;
      return digest === undefined ? [] : [{ name, ...digest }];
    });
  } catch {
    return [];
  }
}
