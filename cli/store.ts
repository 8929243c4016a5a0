import { AttestationError, isAttestationError } from "../errors.ts";
import { utf8 } from "../internal/bytes.ts";
import { isObject, type Json, parseJson, printable, quote } from "../internal/json.ts";
import { detectFormat } from "../intoto/detect.ts";
import type { DigestSet } from "../intoto/digest_set.ts";
import { readJsonLines } from "../intoto/json_lines.ts";
import { type ChecksumEntry, parseChecksums } from "../intoto/subjects/checksums.ts";
import { durationFault, parseDuration } from "../policy/duration.ts";
import { lookUp } from "../store/layered.ts";
import type {
  AttestationStore,
  PrunableStore,
  PutResult,
  StoreEntry,
  StoreNote,
} from "../store/store.ts";
import { parseArgs, type ParsedArgs, usageError } from "./args.ts";
import { parseDigest, splitPath } from "./artifacts.ts";
import { MAX_ATTESTATION_BYTES, MAX_LINES_BYTES } from "./attestations.ts";
import { inFile } from "./in_file.ts";
import { COULD_NOT_RUN, REFUSED, VERIFIED } from "./main.ts";
import { access, readBounded, type Runtime } from "./runtime.ts";
import {
  STORE_FIND_OPTIONS,
  STORE_LIST_OPTIONS,
  STORE_PRUNE_OPTIONS,
  STORE_PUT_OPTIONS,
} from "./store_options.ts";
import { digestsOf, failureText, lookupReport, noteText, openLocal, openStores } from "./stores.ts";
import { plural, safeJson, table } from "./text.ts";

const MAX_CHECKSUM_BYTES = 64 << 20;
const COMMANDS = ["put", "find", "list", "prune"];

/** `store put|find|list|prune`. */
export async function runStore(args: readonly string[], runtime: Runtime): Promise<number> {
  const [command, ...rest] = args;
  switch (command) {
    case "put":
      return await put(parseArgs(rest, STORE_PUT_OPTIONS), runtime);
    case "find":
      return await find(parseArgs(rest, STORE_FIND_OPTIONS), runtime);
    case "list":
      return await list(parseArgs(rest, STORE_LIST_OPTIONS), runtime);
    case "prune":
      return await prune(parseArgs(rest, STORE_PRUNE_OPTIONS), runtime);
  }
  const found = command === undefined ? "nothing" : quote(command);
  throw usageError(`store is followed by ${COMMANDS.join(", ")}, not by ${found}`);
}

/** The store of a command that writes or lists. */
async function localStore(args: ParsedArgs, runtime: Runtime): Promise<AttestationStore> {
  const [name] = args.all("store");
  if (name === undefined) throw usageError("Name the store: --store STORE");
  const store = await openLocal(name, args, runtime);
  if (store !== undefined) return store;
  throw usageError(`${quote(name)} can only be searched: it is filled by others`);
}

/** Notes on standard error, each once. */
function noter(runtime: Runtime): (note: StoreNote) => void {
  const told = new Set<string>();
  return (note) => {
    const text = noteText(note);
    if (!told.has(text)) runtime.write("stderr", `note: ${text}\n`);
    told.add(text);
  };
}

interface PutRow {
  source: string;
  result?: PutResult;
  error?: AttestationError;
}

async function put(args: ParsedArgs, runtime: Runtime): Promise<number> {
  if (args.operands.length === 0) throw usageError("Name the files: store put FILE… --store STORE");
  const store = await localStore(args, runtime);
  const rows: PutRow[] = [];
  for (const path of args.operands) {
    for await (const { source, content, error } of attestationsIn(path, runtime)) {
      if (error !== undefined) {
        rows.push({ source, error });
        continue;
      }
      try {
        rows.push({ source, result: await store.put(content) });
      } catch (refusal) {
        // The store failing is something about the run; all else is about the attestation.
        if (!isAttestationError(refusal) || refusal.reason === "store-unavailable") throw refusal;
        rows.push({ source, error: refusal });
      }
    }
  }
  const failed = rows.filter(({ error }) => error !== undefined).length;
  if (args.get("format") === "json") {
    const results = rows.map(({ source, result, error }) =>
      error === undefined
        ? { file: source, ok: true, errorReason: null, ...result }
        : { file: source, ok: false, errorReason: error.reason, message: error.message }
    );
    runtime.write("stdout", `${safeJson({ ok: failed === 0, store: store.name, results }, 2)}\n`);
  } else {
    runtime.write(
      "stdout",
      table(
        rows.map(({ source, result, error }) => [
          printable(source),
          error === undefined
            ? `${result?.created ? "kept" : "was there"}  ${result?.id}`
            : `REFUSED  ${failureText(error)}`,
        ]),
        "",
      ),
    );
  }
  const kept = rows.filter(({ result }) => result?.created).length;
  runtime.write("stderr", `${plural(kept, "attestation")} added to ${printable(store.name)}\n`);
  return failed > 0 || rows.length === 0 ? REFUSED : VERIFIED;
}

interface Piece {
  source: string;
  content: Uint8Array;
  error?: AttestationError;
}

const NO_CONTENT = new Uint8Array();

/** The attestations of a file: one, one a line, or a list as services answer. */
async function* attestationsIn(path: string, runtime: Runtime): AsyncGenerator<Piece> {
  if (path.endsWith(".jsonl")) {
    const info = await access("read", path, () => runtime.stat(path));
    if (info?.kind !== "file" || info.size > MAX_LINES_BYTES) {
      throw new AttestationError(
        "unreadable-file",
        `Cannot read ${quote(path)}: ${
          info?.kind === "file" ? "it is too large" : "it is no file"
        }`,
      );
    }
    for await (const line of readJsonLines(await runtime.openRead(path))) {
      const source = `${path}#${line.line}`;
      if (line.ok) yield { source, content: utf8(line.text) };
      else yield { source, content: NO_CONTENT, error: line.error };
    }
    return;
  }
  const content = await readBounded(runtime, path, MAX_ATTESTATION_BYTES);
  let value: Json;
  try {
    value = parseJson(content, { maxLength: Math.max(1, content.length) });
  } catch (error) {
    if (!isAttestationError(error)) throw error;
    yield { source: path, content: NO_CONTENT, error };
    return;
  }
  const items = Array.isArray(value)
    ? value
    : isObject(value) && detectFormat(value).endsWith("-attestations")
    ? value.attestations as Json[]
    : undefined;
  if (items === undefined) {
    yield { source: path, content };
    return;
  }
  for (const [i, item] of items.entries()) {
    yield { source: `${path}#${i + 1}`, content: utf8(JSON.stringify(innerOf(item))) };
  }
}

function innerOf(item: Json): Json {
  for (const name of ["attestation", "bundle"]) {
    if (isObject(item) && detectFormat(item) === "unknown" && isObject(item[name])) {
      item = item[name];
    }
  }
  return item;
}

async function find(args: ParsedArgs, runtime: Runtime): Promise<number> {
  const [operand, ...others] = args.operands;
  if (operand === undefined || others.length > 0) {
    throw usageError("Say of what: store find FILE|ALG:HEX --store STORE…");
  }
  const stores = await openStores(args, runtime);
  if (stores.length === 0) throw usageError("Name where to look: --store STORE");
  const info = await access("read", operand, () => runtime.stat(operand));
  const digest: DigestSet = (info === undefined ? parseDigest(operand) : undefined) ??
    await digestsOf({ name: operand, path: operand, neighbours: [], shared: [] }, runtime);
  const { attestations, tried, complete } = await lookUp(stores, digest, {
    onNote: noter(runtime),
    ...(info === undefined ? {} : { name: splitPath(operand).name }),
  });
  const output = args.get("output");
  if (output !== undefined && attestations.length > 0) {
    const lines = attestations.map(({ content }) =>
      `${JSON.stringify(JSON.parse(new TextDecoder().decode(content)))}\n`
    );
    await runtime.writeNew(output, lines.join(""));
  }
  if (args.get("format") === "json") {
    const found = attestations.map(({ id, content, source }) => ({
      id,
      source,
      size: content.length,
    }));
    const document = { digest, complete, lookups: tried.map(lookupReport), attestations: found };
    runtime.write("stdout", `${safeJson(document, 2)}\n`);
  } else {
    runtime.write(
      "stdout",
      table(attestations.map(({ id, source }) => [id, printable(source)]), ""),
    );
    for (const { store, outcome, count, error } of tried) {
      const what = outcome === "found" ? `${count} found` : outcome === "not-found" ? "none" : "";
      const text = error === undefined ? what : `COULD NOT LOOK: ${failureText(error)}`;
      runtime.write("stderr", `${printable(store)}: ${text}\n`);
    }
  }
  if (!complete) return COULD_NOT_RUN;
  return attestations.length > 0 ? VERIFIED : REFUSED;
}

async function list(args: ParsedArgs, runtime: Runtime): Promise<number> {
  if (args.operands.length > 0) throw usageError("store list takes no operand");
  if (args.all("store").length !== 1) throw usageError("Name one store: --store STORE");
  const store = await localStore(args, runtime);
  const isJson = args.get("format") === "json";
  let count = 0;
  // One a line and as they come: a store may hold more than fits in memory.
  for await (const entry of store.list({ onNote: noter(runtime) })) {
    count++;
    runtime.write("stdout", isJson ? `${safeJson(rowOf(entry))}\n` : entryText(entry));
  }
  if (!isJson) {
    runtime.write("stderr", `${plural(count, "attestation")} in ${printable(store.name)}\n`);
  }
  return VERIFIED;
}

function rowOf({ id, subjects, size, predicateType, source, storedAt }: StoreEntry): object {
  return { id, predicateType, subjects, size, source, storedAt: storedAt?.toISOString() };
}

function entryText({ id, subjects, size, predicateType, storedAt }: StoreEntry): string {
  const [[algorithm, value]] = Object.entries(subjects[0]);
  const more = subjects.length === 1 ? "" : ` and ${subjects.length - 1} more`;
  return `${id}\n` + table([
    ["predicate type", printable(predicateType ?? "none")],
    ["about", printable(`${algorithm}:${value}`) + more],
    ["size", `${size} bytes`],
    ...(storedAt === undefined ? [] : [["put", storedAt.toISOString()] as const]),
  ], "  ");
}

async function prune(args: ParsedArgs, runtime: Runtime): Promise<number> {
  if (args.operands.length > 0) throw usageError("store prune takes no operand");
  const goes = await conditionOf(args, runtime);
  const store = await localStore(args, runtime);
  if (!isPrunable(store)) throw usageError(`Nothing can be removed from ${quote(store.name)}`);
  const dryRun = args.has("dry-run");
  const onNote = noter(runtime);
  const removed: StoreEntry[] = [];
  let kept = 0;
  // All of it is judged before the first is removed: a condition that cannot be told ends it.
  for await (const entry of store.list({ onNote })) {
    if (goes(entry)) removed.push(entry);
    else kept++;
  }
  for (const entry of removed) {
    if (!dryRun) await store.remove(entry.id);
    if (args.get("format") === "json") continue;
    const type = printable(entry.predicateType ?? "no predicate type");
    runtime.write("stdout", `${dryRun ? "would remove" : "removed"} ${entry.id}  ${type}\n`);
  }
  const tidied = !dryRun && "tidy" in store
    ? await (store as PrunableStore & { tidy(): Promise<object> }).tidy()
    : undefined;
  if (args.get("format") === "json") {
    const document = { store: store.name, dryRun, removed: removed.map(rowOf), kept, tidied };
    runtime.write("stdout", `${safeJson(document, 2)}\n`);
  }
  runtime.write(
    "stderr",
    `${dryRun ? "would remove" : "removed"} ${plural(removed.length, "attestation")} of ` +
      `${removed.length + kept} from ${printable(store.name)}\n`,
  );
  return VERIFIED;
}

function isPrunable(store: AttestationStore): store is PrunableStore {
  return "remove" in store;
}

/** Whether an attestation goes: all conditions that are given must hold, and one must be. */
async function conditionOf(
  args: ParsedArgs,
  runtime: Runtime,
): Promise<(entry: StoreEntry) => boolean> {
  const conditions: ((entry: StoreEntry) => boolean)[] = [];
  const age = args.get("older-than");
  if (age !== undefined) {
    const fault = durationFault(age);
    if (fault !== undefined) throw usageError(`--older-than: ${fault}`);
    const before = (runtime.now?.() ?? new Date()).getTime() - parseDuration(age);
    conditions.push(({ storedAt, source }) => {
      if (storedAt !== undefined) return storedAt.getTime() < before;
      throw usageError(`--older-than needs a folder: nothing says when ${quote(source)} was put`);
    });
  }
  const types = args.all("predicate-type");
  if (types.length > 0) {
    const { findPredicateTypes } = await import("../intoto/predicates/short_name.ts");
    const wanted = new Set(types.flatMap((type) => findPredicateTypes(type) ?? [type]));
    conditions.push(({ predicateType = "" }) => wanted.has(predicateType));
  }
  if (args.has("keep-subjects")) {
    const kept = new Set<string>();
    for (const path of args.all("keep-subjects")) {
      const entries: ChecksumEntry[] = await inFile(
        "checksum file",
        path,
        async () => parseChecksums(await readBounded(runtime, path, MAX_CHECKSUM_BYTES)),
      );
      for (const { digest } of entries) for (const key of keysOf(digest)) kept.add(key);
    }
    conditions.push(({ subjects }) => !subjects.flatMap(keysOf).some((key) => kept.has(key)));
  }
  if (conditions.length > 0) return (entry) => conditions.every((holds) => holds(entry));
  throw usageError(
    "Say what goes: --older-than, --predicate-type or --keep-subjects; a store is never emptied " +
      "without a condition",
  );
}

function keysOf(digest: DigestSet): string[] {
  return Object.entries(digest).map(([algorithm, value]) => `${algorithm}:${value.toLowerCase()}`);
}
