import { AttestationError } from "../errors.ts";
import { isObject, type JsonObject, jsonText, parseJson, quote } from "../internal/json.ts";
import { parseTimestamp } from "../internal/timestamp.ts";
import { KEY_SET_TYPE, parseKeySet } from "../keys/key_set.ts";
import { suggestion, usageError } from "./args.ts";
import { inFile } from "./in_file.ts";
import { type NewFile, readBounded, type Runtime } from "./runtime.ts";

const MAX_BYTES = 1 << 20;

/** A change of a key set document. */
export interface KeySetChange {
  /** The document may be made anew; else it must be there. */
  mayBeNew: boolean;
  /** Changes the entries; what results is read as strictly as by whoever verifies. */
  change(entries: JsonObject[]): void;
  /** Files that are written together with it, or not at all. */
  alongWith?: readonly NewFile[];
}

/** Changes a key set document under its lock, whole or not at all. */
export async function changeKeySet(
  runtime: Runtime,
  path: string,
  { mayBeNew, change, alongWith = [] }: KeySetChange,
): Promise<void> {
  await runtime.withLock(path, async (real) => {
    const isThere = await runtime.stat(real) !== undefined;
    if (!isThere && !mayBeNew) {
      throw new AttestationError(
        "unreadable-file",
        `Cannot change key set ${quote(path)}: it does not exist`,
      );
    }
    const entries = isThere ? await readEntries(runtime, path, real) : [];
    change(entries);
    const document = { type: KEY_SET_TYPE, keys: entries };
    await inFile("key set, as it would be", path, () => parseKeySet(document));
    const text = `${JSON.stringify(document, undefined, 2)}\n`;
    // The document last: it must name no key whose files could not be written.
    await runtime.writeAllNew([...alongWith, { path: real, text, force: isThere }]);
  });
}

async function readEntries(runtime: Runtime, path: string, real: string): Promise<JsonObject[]> {
  return await inFile("key set", path, async () => {
    const bytes = await readBounded(runtime, real, MAX_BYTES);
    await parseKeySet(bytes);
    const document = parseJson(bytes);
    const keys = isObject(document) && Array.isArray(document.keys) ? document.keys : [];
    return keys.filter(isObject);
  });
}

/**
 * Adds a key; the one whose place it takes counts no longer than until it does. An interval
 * is only ever made shorter.
 *
 * @returns What became of that key, for people.
 */
export function addKey(
  entries: JsonObject[],
  entry: JsonObject & { name: string; validFrom?: string },
  { successorOf, now }: { successorOf: string | undefined; now: Date },
): string | undefined {
  if (entries.some(({ name }) => name === entry.name)) {
    throw usageError(`The key set has a key ${quote(entry.name)} already: give another --name`);
  }
  if (successorOf === undefined) {
    entries.push(entry);
    return undefined;
  }
  const old = find(entries, successorOf, "successor-of");
  if (typeof old.successor === "string") {
    throw usageError(
      `${quote(successorOf)} has a successor already: --successor-of ${quote(old.successor)}`,
    );
  }
  const from = entry.validFrom ?? now.toISOString();
  const end = typeof old.validUntil === "string" ? old.validUntil : undefined;
  const isEarlier = end !== undefined && timeOf(end) <= timeOf(from);
  old.successor = entry.name;
  if (!isEarlier) old.validUntil = from;
  entries.push({ ...entry, validFrom: from });
  return `${quote(successorOf)}, which is valid until ${isEarlier ? end : from}`;
}

/**
 * Takes a key out of use.
 *
 * @returns Name of its successor.
 */
export function revokeKey(
  entries: JsonObject[],
  name: string,
  { revoked, force }: { revoked: JsonObject; force: boolean },
): string | undefined {
  const entry = find(entries, name, "revoke");
  if (isObject(entry.revoked) && !force) {
    const { at, reason } = entry.revoked;
    throw usageError(
      `${quote(name)} was revoked at ${jsonText(at)} (${jsonText(reason)}); --force replaces that`,
    );
  }
  entry.revoked = revoked;
  return typeof entry.successor === "string" ? entry.successor : undefined;
}

function find(entries: readonly JsonObject[], name: string, option: string): JsonObject {
  const found = entries.find((entry) => entry.name === name);
  if (found !== undefined) return found;
  const names = entries.map((entry) => jsonText(entry.name));
  throw usageError(
    `--${option}: the key set has no key ${quote(name)}${suggestion(name, names)}`,
  );
}

function timeOf(text: string): number {
  return parseTimestamp(text)?.getTime() ?? NaN;
}
