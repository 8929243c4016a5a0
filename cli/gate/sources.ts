import { AttestationError } from "../../errors.ts";
import { quote } from "../../internal/json.ts";
import type { DigestSet } from "../../intoto/digest_set.ts";
import type { AttestationSource, StoreNote } from "../../store/store.ts";
import { ATTESTATION_SUFFIXES } from "../../store/file_names.ts";
import { join, splitPath } from "../artifacts.ts";
import type { NamedAttestation } from "../attestations.ts";
import type { Runtime } from "../runtime.ts";
import { readBlob, type Tree, type TreeEntry, treeKey } from "./git_tree.ts";

/** What is known of a URN. */
export interface UrnRecord {
  /** Digest that its current attestations are about, as it is stored. */
  digest?: DigestSet;
  /** Attestations of it. */
  attestations: NamedAttestation[];
}

/** Where the provenance of what changed is looked up. What comes out of it is a claim. */
export interface ProvenanceSource {
  /** What it is called in reports. */
  readonly name: string;
  /**
   * Attestations that state a digest.
   *
   * @param name File name of what has it, for stores that keep by name.
   * @throws {AttestationError} If it could not be asked.
   */
  byDigest(digest: DigestSet, name?: string): Promise<NamedAttestation[]>;
  /** What is known of a URN; undefined if nothing. Only registries and databases know URNs. */
  byUrn?(urn: string): Promise<UrnRecord | undefined>;
  /** Ends connections. */
  close?(): Promise<void>;
}

/** A store as a source. */
export function storeSource(
  store: AttestationSource,
  onNote: (note: StoreNote) => void,
): ProvenanceSource {
  return {
    name: `store ${store.name}`,
    async byDigest(digest, name): Promise<NamedAttestation[]> {
      const options = { onNote, ...(name === undefined ? {} : { name }) };
      const found = await store.find(digest, options) ?? [];
      return found.map(({ content, source }) => ({ source, content }));
    },
  };
}

/** Attestations that lie in the commit beside a file, by the usual names. */
export async function besideInTree(
  runtime: Runtime,
  tree: Tree,
  { path, digest }: { path: string; digest: string },
): Promise<NamedAttestation[]> {
  const names = ATTESTATION_SUFFIXES.map((suffix) => path + suffix);
  for (const folder of new Set(["", splitPath(path).folder])) {
    for (const mark of [":", "-"]) names.push(join(folder, `sha256${mark}${digest}.jsonl`));
  }
  const found: NamedAttestation[] = [];
  for (const name of names) {
    const entry = tree.get(treeKey(name));
    if (entry?.kind !== "file") continue;
    const bytes = await readBlob(runtime, entry.id);
    found.push({ source: name, content: bytes });
  }
  return found;
}

/**
 * The runtime with some files as they were in a commit, whatever is in the working copy.
 *
 * @param files Entries of the commit by the path as it is given on the command line.
 */
export function runtimeOfCommit(
  runtime: Runtime,
  files: ReadonlyMap<string, TreeEntry>,
): Runtime {
  return Object.assign(Object.create(runtime) as Runtime, {
    async stat(path: string) {
      const entry = files.get(path);
      if (entry === undefined) return await runtime.stat(path);
      return { kind: "file" as const, size: (await readBlob(runtime, entry.id)).length };
    },
    async readFile(path: string) {
      const entry = files.get(path);
      return entry === undefined ? await runtime.readFile(path) : await readBlob(runtime, entry.id);
    },
  });
}

/** Refuses what is no regular file of the commit. */
export function fileOfTree(tree: Tree, path: string, commit: string): TreeEntry {
  const entry = tree.get(treeKey(path));
  if (entry?.kind === "file") return entry;
  throw new AttestationError(
    "unreadable-file",
    `Cannot read ${quote(path)} of ${commit}: ${
      entry === undefined ? "it is not in that commit" : "it is no regular file there"
    }`,
  );
}
