/** Seeded, structure-aware changes of a Sigstore bundle. Pure: one seed, one sequence. */

import { decodeBase64, encodeBase64 } from "../../internal/base64.ts";
import type { Bytes } from "../../internal/bytes.ts";
import { utf8 } from "../../internal/bytes.ts";
import { isObject } from "../../internal/json.ts";

/** Numbers from a seed: mulberry32. */
export interface Random {
  /** An integer from 0 to below `end`. */
  below(end: number): number;
  /** One of several. */
  pick<T>(items: readonly T[]): T;
}

/** Makes a generator; equal seeds give equal numbers. */
export function seeded(seed: number): Random {
  let state = seed >>> 0;
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return (mixed ^ (mixed >>> 14)) >>> 0;
  };
  const below = (end: number) => Math.floor(next() / 2 ** 32 * end);
  return { below, pick: (items) => items[below(items.length)] };
}

/** A changed bundle, and what was changed: `bitflip /messageSignature/signature`. */
export interface Mutant {
  text: string;
  change: string;
}

type Json = unknown;
type Step = string | number;

interface Place {
  path: Step[];
  value: Json;
}

function places(value: Json, path: Step[] = []): Place[] {
  const found: Place[] = [{ path, value }];
  if (Array.isArray(value)) value.forEach((one, i) => found.push(...places(one, [...path, i])));
  else if (isObject(value)) {
    for (const [name, one] of Object.entries(value)) found.push(...places(one, [...path, name]));
  }
  return found;
}

/** Sets what is at a path; `undefined` removes it. */
function put(root: Json, path: readonly Step[], value: Json): Json {
  if (path.length === 0) return value;
  const [step, ...rest] = path;
  if (Array.isArray(root)) {
    const copy = [...root];
    if (rest.length === 0 && value === undefined) copy.splice(Number(step), 1);
    else copy[Number(step)] = put(copy[Number(step)], rest, value);
    return copy;
  }
  const object: Record<string, Json> = isObject(root) ? { ...root } : {};
  const changed = put(object[step], rest, value);
  if (changed === undefined) delete object[step];
  else object[step] = changed;
  return object;
}

/** A path without the numbers of its arrays. */
function nameOf(path: readonly Step[]): string {
  return `/${path.map((step) => typeof step === "number" ? "#" : step).join("/")}`;
}

function bytesOf(text: string): Bytes | undefined {
  if (text.length < 8) return undefined;
  try {
    return decodeBase64(text);
  } catch {
    return undefined;
  }
}

const NAMES: readonly (readonly [string, string])[] = [
  ["mediaType", "media_type"],
  ["verificationMaterial", "verification_material"],
  ["messageSignature", "message_signature"],
  ["dsseEnvelope", "dsse_envelope"],
  ["tlogEntries", "tlog_entries"],
  ["logIndex", "log_index"],
  ["payloadType", "payload_type"],
  ["canonicalizedBody", "canonicalized_body"],
  ["rawBytes", "raw_bytes"],
];

const EDGE_TEXTS: readonly string[] = [
  "",
  "0",
  "-1",
  " ",
  "\u0000",
  "null",
  "=",
  "AA==",
  "..",
  "%",
];
const EDGE_VALUES: readonly Json[] = [null, true, 0, -1, 1.5, 2 ** 53, "", "1", [], {}, [[]], [
  null,
]];

/** Change of the bytes that a base64 text stands for. */
function changeBytes(bytes: Bytes, random: Random): [string, Bytes] {
  const at = random.below(bytes.length);
  switch (random.below(7)) {
    case 0:
    case 1:
    case 2: {
      const copy = Uint8Array.from(bytes);
      copy[at] ^= 1 << random.below(8);
      return ["bitflip", copy];
    }
    case 3:
      return ["truncate", bytes.slice(0, at)];
    case 4:
      return ["append", Uint8Array.from([...bytes, random.pick([0, 1, 0x30, 0xff])])];
    case 5:
      return ["drop-byte", Uint8Array.from([...bytes.slice(0, at), ...bytes.slice(at + 1)])];
    default:
      return ["insert-byte", Uint8Array.from([...bytes.slice(0, at), 0, ...bytes.slice(at)])];
  }
}

/** Another spelling of the same bytes. */
function respell(text: string, random: Random): [string, string] {
  switch (random.below(5)) {
    case 0:
      return ["unpadded", text.replace(/=+$/, "")];
    case 1:
      return ["urlsafe", text.replace(/\+/g, "-").replace(/\//g, "_")];
    case 2:
      return ["newline", `${text}\n`];
    case 3:
      return ["whitespace", `${text.slice(0, 4)} ${text.slice(4)}`];
    default: {
      // The bits that a last group does not use.
      const last = text.replace(/=+$/, "");
      const spare = text.length - last.length;
      if (spare === 0) return ["padded", `${text}=`];
      const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
      const value = alphabet.indexOf(last.slice(-1));
      return ["spare-bits", `${last.slice(0, -1)}${alphabet[value ^ 1]}${"=".repeat(spare)}`];
    }
  }
}

function changeText(text: string, random: Random): [string, string] {
  const bytes = bytesOf(text);
  if (bytes !== undefined && bytes.length > 0) {
    if (random.below(4) === 0) return respell(text, random);
    const inner = new TextDecoder().decode(bytes);
    if (inner.startsWith("{") && random.below(3) > 0) {
      const [what, changed] = changeInner(inner, random);
      return [what, encodeBase64(utf8(changed))];
    }
    const [what, changed] = changeBytes(bytes, random);
    return [what, encodeBase64(changed)];
  }
  if (/^-?\d+$/.test(text)) {
    const number = BigInt(text);
    return random.pick<[string, string]>([
      ["plus-one", String(number + 1n)],
      ["minus-one", String(number - 1n)],
      ["leading-zero", `0${text}`],
      ["plus-sign", `+${text}`],
      ["fraction", `${text}.0`],
      ["exponent", `${text}e0`],
      ["wrap", String(number + 2n ** 64n)],
      ["spaced", ` ${text}`],
    ]);
  }
  const at = random.below(text.length + 1);
  return random.pick<[string, string]>([
    ["edge-text", random.pick(EDGE_TEXTS)],
    ["upper-case", text.toUpperCase()],
    [
      "insert-char",
      `${text.slice(0, at)}${random.pick(["a", "/", "\n", "\u0000", "é"])}${text.slice(at)}`,
    ],
    ["drop-char", `${text.slice(0, at)}${text.slice(at + 1)}`],
    ["newline", `${text}\n`],
    ["double", `${text}${text}`],
  ]);
}

/** JSON in base64: the canonicalized body, the payload. */
function changeInner(text: string, random: Random): [string, string] {
  try {
    const { text: changed, change } = changeJson(JSON.parse(text), random);
    return [`inner(${change})`, changed];
  } catch {
    return ["inner-text", `${text} `];
  }
}

function changeJson(root: Json, random: Random): Mutant {
  const all = places(root).filter(({ path }) => path.length > 0);
  if (all.length === 0) return { text: JSON.stringify(root), change: "none" };
  const { path, value } = random.pick(all);
  const mutant = (what: string, changed: Json): Mutant => ({
    text: JSON.stringify(put(root, path, changed)),
    change: `${what} ${nameOf(path)}`,
  });
  const kind = random.below(16);
  if (kind === 0) return mutant("remove", undefined);
  if (kind === 1) return mutant("edge-value", random.pick(EDGE_VALUES));
  if (kind === 2) {
    const parent = nameOf(path.slice(0, -1));
    const text = JSON.stringify(put(root, [...path.slice(0, -1), "unknownField"], "x"));
    if (typeof path.at(-1) === "string") return { text, change: `unknown-field ${parent}` };
  }
  if (kind === 3 && typeof value === "string") return mutant("as-number", Number(value) || 1);
  if (kind === 4 && typeof value === "number") return mutant("as-string", String(value));
  if (kind === 5 && typeof path.at(-1) === "string") {
    // The same name twice: the second, other value last.
    const name = JSON.stringify(path.at(-1));
    const copy = JSON.stringify(random.pick(all).value);
    const whole = `${name}:${JSON.stringify(value)}`;
    const text = JSON.stringify(root);
    const at = text.indexOf(whole);
    if (at >= 0) {
      return {
        text: `${text.slice(0, at)}${whole},${name}:${copy}${text.slice(at + whole.length)}`,
        change: `duplicate-name ${nameOf(path)}`,
      };
    }
  }
  if (kind === 6 && Array.isArray(value) && value.length > 0) {
    return random.pick([
      () => mutant("repeat-item", [...value, value[0]]),
      () => mutant("reverse", [...value].reverse()),
      () => mutant("drop-item", value.slice(1)),
      () => mutant("null-item", [...value, null]),
    ])();
  }
  if (kind === 7) {
    const other = random.pick(all);
    return {
      text: JSON.stringify(put(root, path, other.value)),
      change: `copy ${nameOf(path)}`,
    };
  }
  if (typeof value === "string") {
    const [what, changed] = changeText(value, random);
    return mutant(what, changed);
  }
  if (typeof value === "number") {
    return mutant("number", value + random.pick([1, -1, 0.5, 2 ** 32]));
  }
  if (typeof value === "boolean") return mutant("not", !value);
  const leaves = all.filter(({ value }) => typeof value === "string");
  if (leaves.length === 0) return mutant("edge-value", random.pick(EDGE_VALUES));
  const leaf = random.pick(leaves);
  const [what, changed] = changeText(String(leaf.value), random);
  return {
    text: JSON.stringify(put(root, leaf.path, changed)),
    change: `${what} ${nameOf(leaf.path)}`,
  };
}

/** Changes the text as a whole. */
function changeWhole(text: string, random: Random): Mutant {
  const at = random.below(text.length);
  const [long, short] = random.pick(NAMES.filter(([name]) => text.includes(`"${name}"`)));
  return random.pick<Mutant>([
    { text: `\ufeff${text}`, change: "whole-bom" },
    { text: `${text}\n\n`, change: "whole-newlines" },
    { text: `${text}x`, change: "whole-trailing" },
    { text: `${text.slice(0, at)}${text.slice(at + 1)}`, change: "whole-drop-char" },
    { text: text.slice(0, at), change: "whole-truncate" },
    { text: text.replace(`"${long}"`, `"${short}"`), change: `snake-case ${long}` },
    { text: JSON.stringify(JSON.parse(text), null, 2), change: "whole-indented" },
  ]);
}

/** Exchanges a part for that of another bundle. */
function splice(text: string, other: string, random: Random): Mutant {
  const [mine, theirs] = [JSON.parse(text), JSON.parse(other)];
  const known = new Map(places(mine).map((place) => [nameOf(place.path), place]));
  const shared = places(theirs).filter(({ path }) => path.length > 0 && known.has(nameOf(path)));
  if (shared.length === 0) return { text, change: "none" };
  const { path, value } = random.pick(shared);
  const place = known.get(nameOf(path));
  return {
    text: JSON.stringify(put(mine, place?.path ?? path, value)),
    change: `splice ${nameOf(path)}`,
  };
}

/**
 * Changes a bundle in one place.
 *
 * @param others Other bundles, whose parts may take the place of this one's.
 */
export function mutate(text: string, others: readonly string[], random: Random): Mutant {
  const kind = random.below(10);
  if (kind === 0) return changeWhole(text, random);
  if (kind === 1 && others.length > 0) return splice(text, random.pick(others), random);
  return changeJson(JSON.parse(text), random);
}
