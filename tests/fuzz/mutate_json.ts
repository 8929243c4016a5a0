/** Mutations of JSON: members moved, renamed, retyped; base64 inside is opened. */

import type { Bytes } from "../../internal/bytes.ts";
import { utf8 } from "../../internal/bytes.ts";
import { type Spans, spansOf } from "./json_spans.ts";
import { mutateBytes, mutatePlain, WORDS } from "./mutate_bytes.ts";
import { heldBy, mutateBase64, mutateNote, mutatePem } from "./mutate_text.ts";
import type { Random } from "./random.ts";

const NUMBERS = [0, -0, 1, -1, 0.5, 2 ** 31, 2 ** 32, 2 ** 53 - 1, 2 ** 53, 1e21, 1e-7, 64, 65];

/** One to three changes to JSON text; to its characters, if it is none. */
export function mutateJsonText(text: string, random: Random, other: () => string): string {
  if (spansOf(text) === undefined) return mutatePlain(text, random);
  if (random.once(8)) return mutateWriting(text, random);
  let changed = text;
  for (let i = random.once(3) ? random.int(3) : 0; i >= 0; i--) {
    changed = mutateOne(changed, random, other);
  }
  return random.once(16) ? mutateWriting(changed, random) : changed;
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

/** One change to one value: to what it holds, or to the member that it is. */
function mutateOne(text: string, random: Random, other: () => string): string {
  const spans = spansOf(text);
  if (spans === undefined) return mutatePlain(text, random);
  const at = random.int(spans.all.length);
  const span = spans.all[at];
  const { start, end } = span;
  const first = text.charCodeAt(start);
  const isTree = first === 123 || first === 91;
  if (isTree || random.once(3)) return mutateMember(spans, at, random, other);
  const set = (next: string) => text.slice(0, start) + next + text.slice(end);
  if (first === 34) {
    const held = unquoted(text.slice(start, end));
    return set(held === undefined ? '""' : JSON.stringify(mutateString(held, random, other)));
  }
  if (first === 116) return set("false");
  if (first === 102) return set("true");
  if (first === 110) return set(random.pick(["0", '""', "[]", "{}", "false"]));
  return set(
    String(
      random.once(2) ? random.pick(NUMBERS) : Number(text.slice(start, end)) + random.int(3) - 1,
    ),
  );
}

/** Text in a string of JSON, or undefined if it is none. */
function unquoted(string: string): string | undefined {
  if (!string.includes("\\")) return string.slice(1, -1);
  try {
    return JSON.parse(string);
  } catch {
    return undefined;
  }
}

const LITERALS = ["0", "1", '""', '"a"', "[]", "{}", "true", "false", "[[]]", '{"a":1}', "-1"];
const ADDED = ["null", "1", '"x"', "[]", "{}", `{"digest":{"sha256":"${"a".repeat(64)}"}}`];

/** One change to a member of an object or array: gone, doubled, renamed, exchanged, wrapped. */
function mutateMember(
  { text, all }: Spans,
  at: number,
  random: Random,
  other: () => string,
): string {
  const { start, end, from, name, parent, members } = all[at];
  const written = text.slice(start, end);
  const set = (next: string) => text.slice(0, start) + next + text.slice(end);
  /** Puts a member before this one, or into it where nothing is around it. */
  const add = (value: string, called: string): string => {
    if (parent >= 0) {
      const label = name === undefined ? "" : `${JSON.stringify(called)}:`;
      return `${text.slice(0, from)}${label}${value},${text.slice(from)}`;
    }
    const last = text.charCodeAt(end - 1);
    if (last !== 125 && last !== 93) return set(`[${written}]`);
    const comma = members.length === 0 ? "" : ",";
    const label = last === 125 ? `${JSON.stringify(called)}:` : "";
    return `${text.slice(0, end - 1)}${comma}${label}${value}${text.slice(end - 1)}`;
  };
  switch (random.int(12)) {
    case 0:
    case 1: {
      if (parent < 0) return "null";
      const { members: siblings } = all[parent];
      const index = siblings.indexOf(at);
      if (siblings.length === 1) return text.slice(0, from) + text.slice(end);
      return index === 0
        ? text.slice(0, from) + text.slice(all[siblings[1]].from)
        : text.slice(0, all[siblings[index - 1]].end) + text.slice(end);
    }
    case 2:
      return set("null");
    case 3:
      return set(random.pick(LITERALS));
    case 4: {
      if (name === undefined) return add(random.pick(ADDED), random.pick(WORDS));
      const next = JSON.stringify(renamed(name, random));
      return random.once(2)
        ? `${text.slice(0, from)}${next}:${text.slice(start)}`
        : `${text.slice(0, from)}${next}:${written},${text.slice(from)}`;
    }
    case 5:
      return add(random.pick(ADDED), random.pick(WORDS));
    case 6: {
      if (parent < 0) return set(random.pick(LITERALS));
      const { start: toStart, end: toEnd } = all[random.pick(all[parent].members)];
      if (toStart === start) return set(random.pick(LITERALS));
      const [a, b, c, d] = start < toStart
        ? [start, end, toStart, toEnd]
        : [toStart, toEnd, start, end];
      return text.slice(0, a) + text.slice(c, d) + text.slice(b, c) + text.slice(a, b) +
        text.slice(d);
    }
    case 7:
    case 8: {
      const borrowed = borrow(other(), name ?? "", random);
      return borrowed === undefined ? set("null") : set(borrowed);
    }
    case 9:
      return set(
        random.once(2) ? `[${written}]` : `{${JSON.stringify(random.pick(WORDS))}:${written}}`,
      );
    case 10: {
      if (!random.once(12)) return add(written, `${name ?? ""}0`);
      if (written.length > 4096) return add(written, `${name ?? ""}0`);
      let many = written;
      for (let i = 1; i < 70; i++) {
        many += name === undefined ? `,${written}` : `,${JSON.stringify(`${name}${i}`)}:${written}`;
      }
      return add(many, `${name ?? ""}0`);
    }
    default: {
      if (!random.once(6)) {
        if (members.length < 2) return set("{}");
        const list = members.map((member) => text.slice(all[member].from, all[member].end));
        return set(text[start] + list.reverse().join() + text[end - 1]);
      }
      let deep = written;
      for (let i = random.int(200); i > 0; i--) {
        deep = random.once(2) ? `[${deep}]` : `{"a":${deep}}`;
      }
      return set(deep);
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

/** A value of the same name, or any, of another document, as it is written there. */
function borrow(text: string, name: string, random: Random): string | undefined {
  const spans = spansOf(text);
  if (spans === undefined) return undefined;
  const named = spans.named.get(name);
  const { start, end } = named !== undefined && !random.once(4)
    ? random.pick(named)
    : random.pick(spans.all);
  return text.slice(start, end);
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
      return borrowed === undefined ? bytes() : heldBy(borrowed.slice(1, -1)) ?? bytes();
    });
  }
  if (/^[{[]/.test(text)) return mutateJsonText(text, random, other);
  return mutatePlain(text, random);
}
