import { deepStrictEqual as deepEqual, ok, strictEqual as equal } from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { test } from "node:test";

const ROOT = new URL("../", import.meta.url);
const text = readFileSync(new URL("SECURITY.md", ROOT), "utf8");
const rows = text.slice(text.indexOf("## Threat model"), text.indexOf("## What the caller decides"))
  .split("\n").filter((line) => line.startsWith("| ")).slice(2)
  .map((line) => line.split("|").slice(1, -1).map((cell) => cell.trim()));

test("SECURITY.md names somebody, a lie, a check and a test in each row", () => {
  ok(rows.length >= 20, `${rows.length} rows`);
  for (const row of rows) {
    equal(row.length, 4, row.join(" | "));
    ok(row.every((cell) => cell !== ""), row.join(" | "));
  }
});

test("SECURITY.md speaks of everybody who may lie", () => {
  const liars = new Set(rows.map(([who]) => who));
  const wanted = [
    "Author of an attestation",
    "Registry",
    "Log",
    "Certificate authority",
    "Timestamp authority",
    "TUF mirror",
    "CI environment",
    "Event file",
    "Policy author",
    "Waiver",
    "File names",
    "OCI registry",
    "Writer of a store's folder",
    "Client of the registry",
    "Holder of an API key",
    "Writer of the database",
    "Author of a pull request",
    "Author of a document",
    "Maker of a signed file",
    "Holder of an OpenPGP key",
    "Maker of an RPM package",
    "Author of a COSE message",
    "Functionary of a layout",
    "Author of a layout",
    "Signer of TUF targets",
  ];
  deepEqual(wanted.filter((who) => !liars.has(who)), []);
});

test("every test that SECURITY.md names exists", () => {
  for (const [, , , proof] of rows) {
    const [, path, name] = /^`([^`]+)`: "(.+)"$/.exec(proof) ?? [];
    ok(path !== undefined, `no test in ${proof}`);
    ok(existsSync(new URL(path, ROOT)), `${path} does not exist`);
    const source = readFileSync(new URL(path, ROOT), "utf8");
    const stated = new RegExp(`\\b(?:it|test|describe)\\(\\s*"([^"]+)"`, "g");
    const names = [...source.matchAll(stated)].map(([, title]) => title);
    ok(names.some((title) => title.endsWith(name)), `${path} has no test "${name}"`);
  }
});

test("every folder and file that SECURITY.md names exists", () => {
  const paths = [...text.matchAll(/`([\w-]+\/[\w./-]*)`/g)].map(([, path]) => path);
  ok(paths.length > 20, `${paths.length} paths`);
  for (const path of paths) {
    ok(existsSync(new URL(path, ROOT)), path);
  }
});
