import { test } from "node:test";
import assert from "node:assert/strict";
import { readdirSync, readFileSync, statSync } from "node:fs";
import { equalBytes } from "../internal/bytes.ts";
import { encodeHex } from "../internal/hex.ts";
import { isObject, type JsonObject, parseJson } from "../internal/json.ts";
import { sha256 } from "../internal/sha256.ts";
import { generate } from "./testdata.ts";

const FOLDER = new URL("../testdata/", import.meta.url);
const files = await generate();

function object(path: string): JsonObject {
  const value = parseJson(files.get(path) ?? "");
  assert.ok(isObject(value));
  return value;
}

function cases(): JsonObject[] {
  const list = object("index.json").cases;
  assert.ok(Array.isArray(list));
  return list.filter(isObject);
}

test("generate() gives the bytes that are on disk, and no file besides", () => {
  const different = [...files].filter(([path, bytes]) =>
    !equalBytes(bytes, readFileSync(new URL(path, FOLDER)))
  );
  assert.deepEqual(different.map(([path]) => path), []);
  const onDisk = readdirSync(FOLDER, { recursive: true }).map(String)
    .filter((path) => statSync(new URL(path, FOLDER)).isFile())
    .map((path) => path.replaceAll("\\", "/"));
  assert.deepEqual(onDisk.sort(), [...files.keys()].sort());
});

test("generate() gives the same bytes in each run", async () => {
  for (const [path, bytes] of await generate()) {
    assert.ok(equalBytes(bytes, files.get(path) ?? new Uint8Array()), path);
  }
});

test("generate() asks no question twice: what an advisory asks again has the same files", () => {
  const asked = new Map<string, { id: string; paths: string }>();
  const repeated: string[] = [];
  for (const { id, kind, files: named, options = null } of cases()) {
    const paths = Object.entries(isObject(named) ? named : {})
      .map(([name, path]) => [name, [path].flat().map(String)] as const);
    const contents = paths.map(([name, all]) => [name, all.map((path) => hexOf(path))]);
    const question = JSON.stringify([kind, contents, options]);
    const one = { id: String(id), paths: JSON.stringify(paths) };
    const other = asked.get(question) ?? one;
    if (other.paths !== one.paths) repeated.push(`${other.id} and ${one.id}`);
    asked.set(question, other);
  }
  assert.ok(asked.size > 500, `${asked.size} questions`);
  assert.deepEqual(repeated, []);
});

function hexOf(path: string): string {
  return encodeHex(sha256(files.get(path) ?? assert.fail(path)));
}

test("generate() stays below 3 MB", () => {
  let total = 0;
  for (const bytes of files.values()) total += bytes.length;
  assert.ok(total < 3_000_000, `${total} bytes`);
});

test("index.json names files that are there, and every file but the example is named", () => {
  const named = new Set<unknown>();
  for (const one of cases()) {
    assert.ok(isObject(one.files));
    for (const path of Object.values(one.files).flat()) named.add(path);
  }
  for (const path of named) assert.ok(files.has(String(path)), String(path));
  const unnamed = [...files.keys()].filter((path) => !named.has(path));
  assert.deepEqual(unnamed.sort(), [
    "README.md",
    "example/keyed/hello.txt",
    "index.json",
    "schema.json",
  ]);
});

test("index.json names a reason for each case that fails, and ids are unique", () => {
  const ids = new Set<unknown>();
  for (const one of cases()) {
    assert.equal(one.expected === "fail", typeof one.expectedReason === "string", String(one.id));
    assert.ok(!ids.has(one.id), String(one.id));
    ids.add(one.id);
  }
});

test("index.json uses no option and no file that schema.json does not list", () => {
  const definition = object("schema.json").$defs;
  assert.ok(isObject(definition) && isObject(definition.case));
  const { properties } = definition.case;
  assert.ok(isObject(properties) && isObject(properties.options) && isObject(properties.files));
  const options = properties.options.properties;
  const names = properties.files.propertyNames;
  assert.ok(isObject(options) && isObject(names) && Array.isArray(names.enum));
  const known = names.enum;
  for (const one of cases()) {
    assert.ok(isObject(one.options) && isObject(one.files));
    for (const name of Object.keys(one.options)) assert.ok(Object.hasOwn(options, name), name);
    for (const name of Object.keys(one.files)) assert.ok(known.includes(name), name);
    for (const name of Object.keys(one)) assert.ok(Object.hasOwn(properties, name), name);
  }
});

test("test_keys.json marks every key", () => {
  const stored = parseJson(readFileSync(new URL("./pki/test_keys.json", import.meta.url)));
  assert.ok(isObject(stored));
  for (const [name, key] of Object.entries(stored)) {
    assert.ok(isObject(key) && key.note === "TEST KEY - never trust", name);
  }
});
