/** Mutations of JSON: members moved, renamed, retyped; base64 inside is opened. */

import type { Bytes } from "../../internal/bytes.ts";
import { utf8 } from "../../internal/bytes.ts";
import type { Json, JsonObject } from "../../internal/json.ts";
import { mutateBytes, mutatePlain, WORDS } from "./mutate_bytes.ts";
import { heldBy, mutateBase64, mutateNote, mutatePem } from "./mutate_text.ts";
import type { Random } from "./random.ts";

const NUMBERS = [0, -0, 1, -1, 0.5, 2 ** 31, 2 ** 32, 2 ** 53 - 1, 2 ** 53, 1e21, 1e-7, 64, 65];

/** One to three changes to JSON text; to its characters, if it is none. */
export function mutateJsonText(text: string, random: Random, other: () => string): string {
  let value: Json;
  try {
    value = JSON.parse(text);
  } catch {
    return mutatePlain(text, random);
  }
  if (random.once(8)) return mutateWriting(text, random);
  const root: { value: Json } = { value };
  for (let i = random.once(3) ? random.int(3) : 0; i >= 0; i--) mutateOne(root, random, other);
  const written = JSON.stringify(root.value ?? null);
  return random.once(16) ? mutateWriting(written, random) : written;
}

/** Another text of (nearly) the same value: what differs between readers. */
function mutateWriting(text: string, random: Random): string {
  const at = random.int(text.length + 1);
  switch (random.int(10)) {
    case 0:
      return text.slice(0, at).replace(/"([^"\\]*)":([^,{}[\]]*),([^,]*)$/, '"$1":$2,"$1":$2,$3') +
        text.slice(at);
    case 1:
      return text.replace(
        /"([a-zA-Z])([^"\\]*)":/,
        (_, first: string, rest: string) =>
          `"\\u${first.charCodeAt(0).toString(16).padStart(4, "0")}${rest}":`,
      );
    case 2:
      return random.pick([" ", "\n\t", "\ufeff", "\u00a0", "\u2028", "//\n"]) + text;
    case 3:
      return text + random.pick([" ", "\n", "{}", "]", "\u0000", ","]);
    case 4:
      return text.replace(
        /:(\d+)/,
        (_, digits) =>
          `:${random.pick([`${digits}.0`, `${digits}e0`, `-${digits}`, `0${digits}`, "1e999"])}`,
      );
    case 5:
      return text.replaceAll(/([:,])/g, random.pick(["$1 ", "$1\n", " $1"]));
    case 6:
      return text.slice(0, at);
    case 7:
      return text.slice(0, at) + random.pick(["\\", '"', "\\ud800", ",", "{", "[", "\u0000"]) +
        text.slice(at);
    case 8: {
      const end = text.lastIndexOf("}");
      const first = /"[^"\\]+":("[^"\\]*"|\d+|null|true)/.exec(text)?.[0];
      return end < 0 || first === undefined ? text : `${text.slice(0, end)},${first}}`;
    }
    default:
      return new TextDecoder().decode(mutateBytes(utf8(text), random, () => utf8(text)));
  }
}

function mutateOne(root: { value: Json }, random: Random, other: () => string): void {
  let holder: JsonObject | Json[] = root as unknown as JsonObject;
  let name: string | number = "value";
  for (let value = root.value;;) {
    if (typeof value !== "object" || value === null || random.once(6)) break;
    const names: readonly (string | number)[] = Array.isArray(value)
      ? [...value.keys()]
      : Object.keys(value);
    if (names.length === 0) break;
    holder = value;
    name = random.pick(names);
    value = (holder as JsonObject)[name];
  }
  const value = (holder as JsonObject)[name];
  const set = (next: Json) => (holder as JsonObject)[name] = next;
  if (random.once(3)) return mutateHolder(holder, name, random, other);
  if (typeof value === "string") set(mutateString(value, random, other));
  else if (typeof value === "number") {
    set(random.once(2) ? random.pick(NUMBERS) : value + random.int(3) - 1);
  } else if (typeof value === "boolean") set(!value);
  else if (value === null || value === undefined) set(random.pick<Json>([0, "", [], {}, false]));
  else mutateHolder(value, Object.keys(value)[0] ?? "", random, other);
}

function mutateHolder(
  holder: JsonObject | Json[],
  name: string | number,
  random: Random,
  other: () => string,
): void {
  const object = holder as JsonObject;
  const value = object[name];
  const add = (member: Json, at = "") => {
    if (Array.isArray(holder)) holder.splice(random.int(holder.length + 1), 0, member);
    else {
      Object.defineProperty(holder, at === "" ? random.pick(WORDS) : at, {
        value: member,
        enumerable: true,
        configurable: true,
        writable: true,
      });
    }
  };
  switch (random.int(12)) {
    case 0:
    case 1:
      if (Array.isArray(holder)) holder.splice(Number(name), 1);
      else delete holder[name];
      return;
    case 2:
      object[name] = null;
      return;
    case 3:
      object[name] = random.pick<Json>([0, 1, "", "a", [], {}, true, false, [[]], { a: 1 }, -1]);
      return;
    case 4: {
      const next = renamed(String(name), random);
      if (value !== undefined && !Array.isArray(holder)) {
        if (random.once(2)) delete holder[name];
        add(value, next);
      }
      return;
    }
    case 5:
      add(random.pick<Json>([null, 1, "x", [], {}, { digest: { sha256: "a".repeat(64) } }]));
      return;
    case 6: {
      const names = Object.keys(holder);
      const to = random.pick(names.length === 0 ? [String(name)] : names);
      [object[name], object[to]] = [object[to] ?? null, object[name] ?? null];
      return;
    }
    case 7:
    case 8: {
      const borrowed = borrow(other(), String(name), random);
      if (borrowed !== undefined) object[name] = borrowed;
      return;
    }
    case 9:
      if (value === undefined) return;
      object[name] = random.once(2) ? [value] : { [random.pick(WORDS)]: value };
      return;
    case 10: {
      if (value === undefined) return;
      const times = random.once(12) ? 70 : 1;
      for (let i = 0; i < times; i++) add(structuredClone(value), `${name}${i}`);
      return;
    }
    default: {
      if (!random.once(6)) {
        object[name] = Array.isArray(value) ? value.toReversed() : value ?? {};
        return;
      }
      let deep: Json = value ?? null;
      for (let i = random.int(200); i > 0; i--) deep = random.once(2) ? [deep] : { a: deep };
      object[name] = deep;
    }
  }
}

function renamed(name: string, random: Random): string {
  switch (random.int(5)) {
    case 0:
      return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
    case 1:
      return name.replace(/_(.)/g, (_, letter: string) => letter.toUpperCase());
    case 2:
      return name.toUpperCase();
    case 3:
      return random.pick(WORDS);
    default:
      return mutatePlain(name, random);
  }
}

/** A member of the same name, or any, of another document. */
function borrow(text: string, name: string, random: Random): Json | undefined {
  let value: Json;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  const found: Json[] = [];
  const all: Json[] = [];
  const walk = (inner: Json, at: string) => {
    if (all.length > 500) return;
    all.push(inner);
    if (at === name) found.push(inner);
    if (typeof inner === "object" && inner !== null) {
      for (const [key, member] of Object.entries(inner)) walk(member, key);
    }
  };
  walk(value, "");
  return found.length > 0 && !random.once(4) ? random.pick(found) : random.pick(all);
}

/** One change to a text by what it seems to be: a note, PEM, base64, JSON, or only text. */
export function mutateString(text: string, random: Random, other: () => string): string {
  const bytes = (): Bytes => utf8(other().toWellFormed());
  if (text.startsWith("-----BEGIN ")) return mutatePem(text, random, bytes);
  if (text.includes("\n\n— ")) return mutateNote(text, random, bytes);
  if (heldBy(text) !== undefined && !random.once(4)) {
    return mutateBase64(text, random, () => {
      // Base64 borrows from base64, so that DER meets DER.
      const borrowed = borrow(other(), "rawBytes", random);
      return typeof borrowed === "string" ? heldBy(borrowed) ?? bytes() : bytes();
    });
  }
  if (/^[{[]/.test(text)) return mutateJsonText(text, random, other);
  return mutatePlain(text, random);
}
