import assert from "node:assert/strict";
import { test } from "node:test";
import { utf8 } from "../../internal/bytes.ts";
import { checksumSubjects, MAX_CHECKSUM_LINES, parseChecksums } from "./checksums.ts";

const A = "a".repeat(64);
const B = "b".repeat(64);
const LONG = "c".repeat(128);

function refusal(text: string): string {
  try {
    parseChecksums(utf8(text));
  } catch (error) {
    assert.ok(error instanceof Error && "reason" in error);
    return `${error.reason}: ${error.message}`;
  }
  throw new Error("accepted");
}

test("parseChecksums() reads text and binary lines, upper case, CR LF and blank lines", () => {
  const text = `${A}  one.txt\r\n\n${B.toUpperCase()} *two  spaces.bin\n${"d".repeat(96)}  three`;
  assert.deepEqual(parseChecksums(utf8(text)), [
    { name: "one.txt", digest: { sha256: A }, line: 1 },
    { name: "two  spaces.bin", digest: { sha256: B }, line: 3 },
    { name: "three", digest: { sha384: "d".repeat(96) }, line: 4 },
  ]);
});

test("parseChecksums() reads tagged lines and puts lines of one name together", () => {
  const text = `SHA256 (a (1).txt) = ${A}\nSHA512 (a (1).txt) = ${LONG}\n${A}  a (1).txt\n`;
  assert.deepEqual(parseChecksums(utf8(text)), [
    { name: "a (1).txt", digest: { sha256: A, sha512: LONG }, line: 1 },
  ]);
});

test("parseChecksums() undoes escapes only in lines that say so", () => {
  const text = `\\${A}  new\\nline\\\\\n${B}  back\\slash\n\\SHA256 (x\\ny) = ${A}\n`;
  assert.deepEqual(parseChecksums(utf8(text)).map(({ name }) => name), [
    "new\nline\\",
    "back\\slash",
    "x\ny",
  ]);
  assert.equal(
    refusal(`\\${A}  a\\tb`),
    'malformed-checksums: Cannot read checksums: line 1: "a\\tb" has an unknown escape',
  );
});

test("parseChecksums() refuses weak, cut and contradicting digests", () => {
  assert.ok(refusal(`${"a".repeat(32)}  md5.txt`).startsWith("malformed-checksums: "));
  assert.ok(refusal(`${"a".repeat(40)}  sha1.txt`).startsWith("malformed-checksums: "));
  assert.ok(refusal(`${A.slice(1)}  cut.txt`).startsWith("malformed-checksums: "));
  assert.ok(refusal(`SHA256 (x) = ${LONG}`).startsWith("malformed-checksums: "));
  assert.ok(refusal(`MD5 (x) = ${"a".repeat(32)}`).startsWith("malformed-checksums: "));
  assert.ok(refusal(`${A}  x\n${B}  x`).includes("line 2"));
  assert.ok(refusal(`${A}`).startsWith("malformed-checksums: "));
  assert.ok(refusal("<!doctype html>").startsWith("malformed-checksums: "));
});

test("parseChecksums() refuses nothing, too much, and what is not UTF-8", () => {
  assert.ok(refusal("\n\n").startsWith("empty-input: "));
  assert.ok(refusal("\n".repeat(MAX_CHECKSUM_LINES)).startsWith("limit-exceeded: "));
  assert.ok(refusal("\n".repeat(MAX_CHECKSUM_LINES - 1)).startsWith("empty-input: "));
  assert.throws(() => parseChecksums(Uint8Array.of(0xff)), { reason: "invalid-unicode" });
});

test("parseChecksums() takes names of object members as names", () => {
  const [entry] = parseChecksums(utf8(`${A}  __proto__`));
  assert.equal(entry.name, "__proto__");
  assert.deepEqual(entry.digest, { sha256: A });
});

test("checksumSubjects() names the files as the list does, less a leading ./", () => {
  const entries = parseChecksums(utf8(`${A}  ./dist/a\n${B}  b\n${LONG}  b\n`));
  assert.deepEqual(checksumSubjects(entries), [
    { name: "dist/a", digest: { sha256: A } },
    { name: "b", digest: { sha256: B, sha512: LONG } },
  ]);
});

test("checksumSubjects() refuses names that lead elsewhere or are written twice", () => {
  const reasonOf = (name: string): unknown => {
    try {
      return checksumSubjects([{ name, digest: { sha256: A } }]).length;
    } catch (error) {
      return error instanceof Error && "reason" in error ? error.reason : error;
    }
  };
  const names = [
    "../../etc/passwd",
    "/etc/passwd",
    "a/../../b",
    "C:\\x",
    "a\nb",
    "\u001b[2J",
    "./..",
  ];
  for (const name of names) assert.equal(reasonOf(name), "unsupported-file-name", name);
  assert.equal(reasonOf("..."), 1);
  const twice = parseChecksums(utf8(`${A}  a\n${B}  ./a\n`));
  assert.throws(() => checksumSubjects(twice), /written in two ways/);
});
