import { AttestationError, isAttestationError } from "../../errors.ts";
import type { Bytes } from "../../internal/bytes.ts";
import { decodeUtf8, quote } from "../../internal/json.ts";
import { usageError } from "../args.ts";
import { runGit } from "../git.ts";
import type { CommandResult, Runtime } from "../runtime.ts";

/** One entry of a commit's tree. */
export interface TreeEntry {
  /** From the top of the repository, with `/`; U+FFFD where it is not UTF-8. */
  path: string;
  /** The name is UTF-8, and no other name is read as the same text. */
  isText: boolean;
  /** What it is; a `link` is symbolic, and a `submodule` names a commit of elsewhere. */
  kind: "file" | "link" | "submodule" | "other";
  /** Object id, lowercase hex. */
  id: string;
}

/** What is in a commit, by the bytes of the path as Latin-1 text. */
export type Tree = ReadonlyMap<string, TreeEntry>;

/** A path that is not the same in both commits. */
export interface Change {
  /** What became of it. */
  change: "added" | "modified" | "removed";
  /** The entry as it is now; of a removed path as it was. */
  entry: TreeEntry;
}

/** What changed since a ref. */
export interface Changes {
  /** The ref, as it was given. */
  since: string;
  /** Commits that are compared with: the merge bases. None: everything is new. */
  bases: readonly string[];
  /** The commit that is looked at. */
  head: string;
  /** Everything that is in it. */
  tree: Tree;
  /** Changed paths, in the order of their bytes. */
  changes: readonly Change[];
}

/** Tells each step, for `DEBUG=1`. */
export type Trace = (step: string) => void;

const SHALLOW_HINT = "; this clone is shallow: fetch the history, as with fetch-depth: 0 of " +
  "actions/checkout, GIT_DEPTH: 0 of GitLab, or git fetch --unshallow";

/**
 * Compares the commit that is checked out with the ones that it and a ref have in common.
 *
 * Two trees are compared entry by entry, without git's diff: no attribute, filter, order file,
 * `ignore` of a submodule or similarity of names has a say, and nothing is run.
 *
 * @param since Ref, or undefined for the commit before.
 * @throws {AttestationError} `usage`, `git-failed`, `git-ref-not-found`.
 */
export async function readChanges(
  runtime: Runtime,
  since: string | undefined,
  trace: Trace,
): Promise<Changes> {
  const head = await commitOf(runtime, "HEAD");
  if (head === undefined) {
    throw new AttestationError("git-failed", "Cannot find changes: there is no commit yet");
  }
  const bases = await basesOf(runtime, since, head);
  const name = since ?? "HEAD^";
  trace(`head ${head}`);
  trace(`compared with ${bases.length === 0 ? "nothing" : bases.join(", ")} (since ${name})`);
  const tree = await readTree(runtime, head);
  trace(`${tree.size} paths in the commit`);
  const changed = new Map<string, Change>();
  if (bases.length === 0) {
    for (const [key, entry] of tree) changed.set(key, { change: "added", entry });
  }
  // Of several bases a path counts as changed if it differs from any: none is picked by chance.
  for (const base of bases) compare(await readTree(runtime, base), tree, changed);
  const changes = [...changed].sort(([a], [b]) => a < b ? -1 : 1).map(([, one]) => one);
  trace(`${changes.length} paths changed`);
  return { since: name, bases, head, tree, changes };
}

function compare(before: Tree, after: Tree, changed: Map<string, Change>): void {
  for (const [key, entry] of after) {
    const old = before.get(key);
    if (old === undefined) changed.set(key, { change: "added", entry });
    else if (old.id !== entry.id || old.kind !== entry.kind) {
      if (!changed.has(key)) changed.set(key, { change: "modified", entry });
    }
  }
  for (const [key, entry] of before) {
    if (!after.has(key)) changed.set(key, { change: "removed", entry });
  }
}

async function basesOf(
  runtime: Runtime,
  since: string | undefined,
  head: string,
): Promise<readonly string[]> {
  // What a push event names as the commit before, where a branch begins.
  if (since !== undefined && /^(?:0{40}|0{64})$/.test(since)) return [];
  if (since !== undefined && !/^(?!-)[^\s\p{Cc}:]{1,1024}$/u.test(since)) {
    throw usageError(`--since is a branch, tag or commit, not ${quote(since)}`);
  }
  const commit = await commitOf(runtime, since ?? "HEAD^");
  const isShallow = async () =>
    lineOf(await git(runtime, "rev-parse", "--is-shallow-repository")) === "true";
  if (commit === undefined) {
    if (since === undefined && !await isShallow()) return [];
    throw new AttestationError(
      "git-ref-not-found",
      `Cannot find changes: ${quote(since ?? "HEAD^")} is no commit of this clone${
        await isShallow() ? SHALLOW_HINT : ""
      }`,
    );
  }
  const { status, stdout } = await run(runtime, ["merge-base", "--all", commit, head]);
  const bases = decodeUtf8(stdout).split("\n").filter((line) => /^[0-9a-f]{40,64}$/.test(line));
  if (status === 0 && bases.length > 0) return bases.sort();
  throw new AttestationError(
    "git-ref-not-found",
    `Cannot find changes: ${quote(since ?? "HEAD^")} and HEAD have no commit in common${
      await isShallow() ? SHALLOW_HINT : ""
    }`,
  );
}

async function commitOf(runtime: Runtime, revision: string): Promise<string | undefined> {
  const words = ["rev-parse", "--verify", "--quiet", "--end-of-options", `${revision}^{commit}`];
  const { status, stdout } = await run(runtime, words);
  if (status !== 0 && status !== 1) throw failed(words[0], status);
  const line = lineOf(stdout);
  return status === 0 && /^[0-9a-f]{40,64}$/.test(line) ? line : undefined;
}

async function readTree(runtime: Runtime, commit: string): Promise<Tree> {
  const bytes = await git(runtime, "ls-tree", "-r", "-z", "--full-tree", commit);
  const tree = new Map<string, TreeEntry>();
  const names = new Set<string>();
  for (let start = 0; start < bytes.length;) {
    let end = bytes.indexOf(0, start);
    if (end < 0) end = bytes.length;
    const tab = bytes.indexOf(9, start);
    const [mode, , id] = decodeUtf8(bytes.subarray(start, tab)).split(" ");
    const raw = bytes.subarray(tab + 1, end);
    const entry: TreeEntry = { ...nameOf(raw), kind: KINDS[mode] ?? "other", id };
    names.add(entry.path);
    tree.set(latin1(raw), entry);
    start = end + 1;
  }
  return tree;
}

const KINDS: Readonly<Record<string, TreeEntry["kind"]>> = {
  "100644": "file",
  "100664": "file",
  "100755": "file",
  "120000": "link",
  "160000": "submodule",
};

function nameOf(raw: Uint8Array): { path: string; isText: boolean } {
  try {
    return { path: decodeUtf8(raw), isText: true };
  } catch {
    return { path: new TextDecoder().decode(raw), isText: false };
  }
}

function latin1(bytes: Uint8Array): string {
  let text = "";
  for (const byte of bytes) text += String.fromCharCode(byte);
  return text;
}

/** The key of a path in a {@linkcode Tree}. */
export function treeKey(path: string): string {
  return latin1(new TextEncoder().encode(path));
}

/** Content of a file of a commit, as git keeps it: no filter is run. */
export async function readBlob(runtime: Runtime, id: string): Promise<Bytes> {
  return await git(runtime, "cat-file", "blob", id);
}

/** Path of a file from the top of the repository; undefined if it is not in it. */
export async function pathInRepository(
  runtime: Runtime,
  path: string,
): Promise<string | undefined> {
  const prefix = lineOf(await git(runtime, "rev-parse", "--show-prefix"));
  const top = lineOf(await git(runtime, "rev-parse", "--show-toplevel"));
  const full = path.startsWith("/") ? path : `${top}/${prefix}${path}`;
  const parts: string[] = [];
  for (const part of full.split("/")) {
    if (part === "..") parts.pop();
    else if (part !== "." && part !== "") parts.push(part);
  }
  const plain = `/${parts.join("/")}`;
  return plain.startsWith(`${top}/`) ? plain.slice(top.length + 1) : undefined;
}

/** The tree of a commit that {@linkcode readChanges} found. */
export function readBaseTree(runtime: Runtime, commit: string): Promise<Tree> {
  return readTree(runtime, commit);
}

async function git(runtime: Runtime, ...words: string[]): Promise<Bytes> {
  const { status, stdout } = await run(runtime, words);
  if (status !== 0) throw failed(words[0], status);
  return stdout;
}

async function run(runtime: Runtime, words: readonly string[]): Promise<CommandResult> {
  try {
    return await runGit(runtime, words);
  } catch (cause) {
    if (isAttestationError(cause) && cause.reason !== "unreadable-file") throw cause;
    throw new AttestationError("git-failed", "Cannot run git", { cause });
  }
}

function failed(command: string, status: number): AttestationError {
  return new AttestationError(
    "git-failed",
    `Cannot find changes: git ${command} ended with status ${status}; is this folder in a ` +
      "working copy of yours?",
  );
}

function lineOf(bytes: Uint8Array): string {
  return decodeUtf8(bytes).replace(/\n$/, "");
}
