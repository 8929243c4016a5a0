import { AttestationError } from "../../errors.ts";
import { isObject, type Json, type JsonObject, quote } from "../../internal/json.ts";
import { parseTimestamp } from "../../internal/timestamp.ts";
import { type ArtifactRule, readRules } from "./_rules.ts";

/** What a supply chain has to look like, as its owner says: the content of an in-toto layout. */
export interface Layout {
  /** Moment after which it counts for nothing. */
  readonly expires: Date;
  /** What it is for, in words. */
  readonly readme: string;
  /** Public keys by their ids, as in-toto has them; see `importInTotoKey()`. */
  readonly keys: Readonly<Record<string, JsonObject>>;
  /** Steps that somebody has to have carried out. */
  readonly steps: readonly LayoutStep[];
  /** Commands that are run when it is verified. */
  readonly inspections: readonly LayoutInspection[];
}

/** What steps and inspections have in common. */
export interface LayoutItem {
  /** Its name, which no other item has. */
  readonly name: string;
  /** Rules for what went in. */
  readonly materialRules: readonly ArtifactRule[];
  /** Rules for what came out. */
  readonly productRules: readonly ArtifactRule[];
}

/** A step of a supply chain. */
export interface LayoutStep extends LayoutItem {
  /** Distinct keys that have to have signed that they carried it out. */
  readonly threshold: number;
  /** Ids of the keys that may. */
  readonly pubkeys: readonly string[];
  /** Command that they are expected to have run; another one is a warning. */
  readonly expectedCommand: readonly string[];
}

/** A command that is run when a layout is verified, on the final product. */
export interface LayoutInspection extends LayoutItem {
  /** The command and its arguments. */
  readonly run: readonly string[];
}

const MAX_ITEMS = 256;
const MAX_KEYS = 256;

/**
 * Reads a layout; verifies nothing. `verifyLayout()` does both.
 *
 * Members that are not known are ignored: they can only demand less or authorise more, and
 * neither is granted.
 *
 * Source: in-toto specification 1.0, 4.3.
 *
 * @param value What was signed, as JSON.
 * @throws {AttestationError} `malformed-layout`, `limit-exceeded`.
 */
export function readLayout(value: Json): Layout {
  if (!isObject(value) || value._type !== "layout") throw malformed("_type is no layout", "/_type");
  const { expires, readme = "", keys, steps, inspect = [] } = value;
  const moment = typeof expires === "string" ? parseTimestamp(expires) : undefined;
  if (moment === undefined) throw malformed("expires is no RFC 3339 time in UTC", "/expires");
  if (typeof readme !== "string") throw malformed("readme is no text", "/readme");
  if (!isObject(keys)) throw malformed("keys is no object", "/keys");
  bound(Object.keys(keys).length, MAX_KEYS, "keys", "/keys");
  for (const [keyid, key] of Object.entries(keys)) {
    const isOwn = isObject(key) && (key.keyid === undefined || key.keyid === keyid);
    if (!isOwn) throw malformed(`the key ${quote(keyid)} is none, or has another id`, "/keys");
  }
  const layout: Layout = {
    expires: moment,
    readme,
    keys: keys as Record<string, JsonObject>,
    steps: itemsOf(steps, "/steps").map((step, i) => readStep(step, `/steps/${i}`)),
    inspections: itemsOf(inspect, "/inspect").map((one, i) => readInspection(one, `/inspect/${i}`)),
  };
  const names = [...layout.steps, ...layout.inspections].map(({ name }) => name);
  const twice = names.find((name, i) => names.indexOf(name) !== i);
  if (twice !== undefined) throw malformed(`two items have the name ${quote(twice)}`, "");
  if (names.length === 0) throw malformed("it has neither steps nor inspections", "/steps");
  return layout;
}

function itemsOf(value: Json | undefined, path: string): JsonObject[] {
  if (!Array.isArray(value)) throw malformed("it is no list", path);
  bound(value.length, MAX_ITEMS, "items", path);
  return value.map((one, i) => {
    if (!isObject(one)) throw malformed("an item is no object", `${path}/${i}`);
    return one;
  });
}

function readStep(step: JsonObject, path: string): LayoutStep {
  const { threshold = 1, expected_command: command = [] } = step;
  const pubkeys = textsOf(step.pubkeys, `${path}/pubkeys`);
  bound(pubkeys.length, MAX_KEYS, "keys", `${path}/pubkeys`);
  if (typeof threshold !== "number" || !Number.isSafeInteger(threshold) || threshold < 1) {
    throw malformed("its threshold is no integer >= 1", `${path}/threshold`);
  }
  for (const keyid of pubkeys) {
    // Their first eight digits are in the names of files.
    if (!/^[0-9a-f]{8,128}$/.test(keyid)) {
      throw malformed(`${quote(keyid)} is no id of a key in hex`, `${path}/pubkeys`);
    }
  }
  return {
    ...readItem(step, path),
    threshold,
    pubkeys,
    expectedCommand: commandOf(command, `${path}/expected_command`),
  };
}

function readInspection(inspection: JsonObject, path: string): LayoutInspection {
  return { ...readItem(inspection, path), run: commandOf(inspection.run, `${path}/run`) };
}

function readItem(item: JsonObject, path: string): LayoutItem {
  const { name } = item;
  // It is in the names of files: never a path, and never another's name with an id behind it.
  // deno-lint-ignore no-control-regex
  if (typeof name !== "string" || !/^[^\x00-\x1f\x7f/\\]{1,128}$/.test(name)) {
    throw malformed("its name is no text that a file could have as its name", `${path}/name`);
  }
  return {
    name,
    materialRules: readRules(item.expected_materials ?? [], `${path}/expected_materials`),
    productRules: readRules(item.expected_products ?? [], `${path}/expected_products`),
  };
}

/** Layouts of old have a command as one text. */
function commandOf(value: Json | undefined, path: string): string[] {
  if (typeof value === "string") return value.split(/\s+/).filter((word) => word !== "");
  return textsOf(value, path);
}

function textsOf(value: Json | undefined, path: string): string[] {
  if (!Array.isArray(value) || !value.every((one) => typeof one === "string")) {
    throw malformed("it is no list of texts", path);
  }
  return value as string[];
}

function bound(count: number, most: number, what: string, path: string): void {
  if (count <= most) return;
  throw new AttestationError(
    "limit-exceeded",
    `Cannot read layout: ${count} ${what}, at most ${most} are accepted`,
    { path },
  );
}

function malformed(what: string, path: string): AttestationError {
  return new AttestationError("malformed-layout", `Cannot read layout: ${what}`, { path });
}
