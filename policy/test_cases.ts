import { copyJson, isObject, type Json, parseJson, quote } from "../internal/json.ts";
import { pointer } from "../internal/problem.ts";
import { DIGEST_ALGORITHMS, digestFault } from "../intoto/digest_set.ts";
import { type Members, ProblemList } from "./_shape.ts";
import { throwFirst } from "./parse.ts";
import type { Outcome, PolicyCheck, PolicyVerdict } from "./verdict.ts";

/** The `type` of every table of cases of this version. */
export const POLICY_TESTS_TYPE = "attest-policy-tests/v1";

/** An artifact of a case: a file, or its digest. */
export interface PolicyTestArtifact {
  /** File, relative to the table; not outside of its folder. */
  file?: string;
  /** Digest, `alg:hex`, instead of a file. */
  digest?: string;
  /** Name in the verdict. Default: the file, or the digest. */
  name?: string;
  /** OCI repository that it belongs to. */
  oci?: string;
  /** npm package that it is. */
  npm?: string;
}

/** One case: what is given, and how the policy must decide. */
export interface PolicyTestCase {
  /** Name, unique. */
  name: string;
  /** For people. */
  description?: string;
  /** Artifacts; at least one. */
  artifacts: readonly PolicyTestArtifact[];
  /** Files of attestations, relative to the table. Default none. */
  attestations?: readonly string[];
  /** Moment of the verdict, RFC 3339. */
  now: string;
  /** Files of public keys that stand for those of the policy, by name. */
  keys?: Readonly<Record<string, string>>;
  /** Files of trusted roots that stand for those of the policy. */
  roots?: readonly string[];
  /** How the policy must decide. */
  expect: {
    /** The verdict. */
    ok: boolean;
    /** Reasons of the failed checks that must be among them; only if it fails. */
    reasons?: readonly string[];
    /** Outcome of rules, requirements or checks, by their ids; of the first artifact. */
    outcomes?: Readonly<Record<string, Outcome>>;
  };
}

/** A table of cases that lies beside a policy. */
export interface PolicyTests {
  /** Address of the schema, for editors; it has no meaning. */
  $schema?: string;
  /** Always {@linkcode POLICY_TESTS_TYPE}. */
  type: typeof POLICY_TESTS_TYPE;
  /** The cases; at least one. */
  cases: readonly PolicyTestCase[];
}

const TABLE = ["$schema", "type", "cases"];
const CASE = ["name", "description", "artifacts", "attestations", "now", "keys", "roots", "expect"];
const ARTIFACT = ["file", "digest", "name", "oci", "npm"];
const EXPECT = ["ok", "reasons", "outcomes"];
const OUTCOMES: readonly Outcome[] = ["passed", "failed", "waived", "not-applicable"];
const MAX_CASES = 10_000;
const MAX_FILES = 1000;

/**
 * Reads a table of cases for a policy. Paths are relative and stay in the table's folder.
 *
 * @param source JSON text, its UTF-8 bytes, or parsed JSON.
 * @throws {AttestationError} `malformed-policy-tests` with the `path` of the first problem, or
 * what strict JSON refuses.
 *
 * @example
 * ```ts
 * import { parsePolicyTests } from "@x/attest/policy";
 * import assert from "node:assert/strict";
 *
 * const { cases } = parsePolicyTests({
 *   type: "attest-policy-tests/v1",
 *   cases: [{
 *     name: "an artifact without attestation is refused",
 *     artifacts: [{ file: "app.tgz" }],
 *     now: "2026-06-01T00:00:00Z",
 *     expect: { ok: false, reasons: ["missing-attestation"] },
 *   }],
 * });
 * assert.equal(cases.length, 1);
 * ```
 */
export function parsePolicyTests(source: string | Uint8Array | object): PolicyTests {
  const isText = typeof source === "string" || source instanceof Uint8Array;
  const value = isText
    ? parseJson(source, { maxLength: 8 << 20, maxDepth: 16 })
    : copyJson(source, 16);
  const list = new ProblemList("malformed-policy-tests", "Cannot read policy tests");
  checkTable(value, list);
  throwFirst(list.problems);
  return value as unknown as PolicyTests;
}

function checkTable(value: Json, list: ProblemList): void {
  const table = list.members(value, "", "a table of cases", TABLE);
  if (table === undefined) return;
  table.need("type", "cases");
  if (table.has("type")) table.word("type", [POLICY_TESTS_TYPE]);
  table.text("$schema");
  const cases = table.get("cases");
  if (cases === undefined) return;
  const names = new Set<string>();
  for (const [i, one] of (list.list(cases, "/cases", "cases", MAX_CASES) ?? []).entries()) {
    const row = list.members(one, `/cases/${i}`, "a case", CASE);
    if (row === undefined) continue;
    row.need("name", "artifacts", "now", "expect");
    const name = row.text("name", 256);
    if (name !== undefined) {
      if (names.has(name)) row.wrong("name", `${quote(name)} is there twice`);
      names.add(name);
    }
    row.text("description");
    row.time("now");
    checkArtifacts(row, list);
    checkFiles(row, "attestations");
    checkFiles(row, "roots");
    const keys = row.get("keys");
    if (keys !== undefined && !isObject(keys)) row.wrong("keys", "keys is no JSON object");
    if (isObject(keys)) {
      for (const [key, file] of Object.entries(keys)) {
        checkFile(list, file, pointer(row.at("keys"), key), "a file of a key");
      }
    }
    checkExpect(row);
  }
}

function checkArtifacts(row: Members, list: ProblemList): void {
  const artifacts = row.get("artifacts");
  if (artifacts === undefined) return;
  const path = row.at("artifacts");
  for (const [i, one] of (list.list(artifacts, path, "artifacts", MAX_FILES) ?? []).entries()) {
    const artifact = list.members(one, `${path}/${i}`, "an artifact", ARTIFACT);
    if (artifact === undefined) continue;
    for (const name of ["name", "oci", "npm"]) artifact.text(name, 1024);
    const file = artifact.get("file");
    if (file !== undefined) checkFile(list, file, artifact.at("file"), "file");
    const digest = artifact.text("digest");
    if ((file === undefined) === (digest === undefined)) {
      artifact.wrong("", "an artifact has either a file or a digest");
    }
    if (digest === undefined) continue;
    const [algorithm, ...rest] = digest.split(":");
    const fault = DIGEST_ALGORITHMS.has(algorithm)
      ? digestFault(algorithm, rest.join(":"), false)
      : "it begins with no known algorithm";
    if (fault !== undefined) artifact.wrong("digest", `the digest ${quote(digest)}: ${fault}`);
  }
}

function checkFiles(row: Members, name: string): void {
  const files = row.get(name);
  if (files === undefined) return;
  for (
    const [i, file] of (row.list.list(files, row.at(name), name, MAX_FILES, 0) ?? []).entries()
  ) {
    checkFile(row.list, file, `${row.at(name)}/${i}`, `an entry of ${name}`);
  }
}

function checkFile(list: ProblemList, value: Json, path: string, what: string): void {
  const text = list.text(value, path, what, 1024);
  if (text === undefined) return;
  const parts = text.split("/");
  // deno-lint-ignore no-control-regex
  if (/[\\:\u0000-\u001f]/.test(text) || parts.some((part) => /^\.{0,2}$/.test(part))) {
    list.wrong(path, `${what} ${quote(text)} is no relative path within the folder of the table`);
  }
}

function checkExpect(row: Members): void {
  const expect = row.object("expect", "expect", EXPECT);
  if (expect === undefined) return;
  expect.need("ok");
  expect.flag("ok");
  for (const [i, reason] of (expect.texts("reasons", 100) ?? []).entries()) {
    if (/^[a-z][a-z0-9]*(?:-[a-z0-9]+)*$/.test(reason)) continue;
    expect.list.wrong(`${expect.at("reasons")}/${i}`, `${quote(reason)} is no reason`);
  }
  if (expect.has("reasons") && expect.get("ok") === true) {
    expect.wrong("reasons", "a case that passes has no reasons");
  }
  const outcomes = expect.get("outcomes");
  if (outcomes !== undefined && !isObject(outcomes)) {
    expect.wrong("outcomes", "outcomes is no JSON object");
  }
  if (!isObject(outcomes)) return;
  for (const [id, outcome] of Object.entries(outcomes)) {
    expect.list.word(outcome, pointer(expect.at("outcomes"), id), quote(id), OUTCOMES);
  }
}

/**
 * Compares a verdict with what a case expects.
 *
 * @returns What is otherwise, one line each; empty if the case holds.
 */
export function compareVerdict(verdict: PolicyVerdict, expect: PolicyTestCase["expect"]): string[] {
  const wrong: string[] = [];
  if (verdict.ok !== expect.ok) {
    const found = verdict.ok ? "passed" : `failed (${verdict.errorReason})`;
    wrong.push(`wanted ${expect.ok ? "passed" : "failed"}, ${found}`);
  }
  const reasons = new Set<string>();
  const outcomes = new Map<string, Outcome>();
  const visit = (check: PolicyCheck, first: boolean): void => {
    if (check.outcome === "failed" && check.reason !== undefined) reasons.add(check.reason);
    // Of several attestations under one id the one that stands.
    const known = outcomes.get(check.id);
    if (first && (known === undefined || known === "failed")) outcomes.set(check.id, check.outcome);
    for (const child of check.children ?? []) visit(child, first);
  };
  verdict.artifacts.forEach(({ rules }, i) => {
    for (const rule of rules) visit(rule, i === 0);
  });
  for (const reason of expect.reasons ?? []) {
    if (reasons.has(reason)) continue;
    const found = [...reasons].join(", ") || "no failure";
    wrong.push(`wanted the reason ${reason}, found ${found}`);
  }
  for (const [id, outcome] of Object.entries(expect.outcomes ?? {})) {
    const found = outcomes.get(id);
    if (found === outcome) continue;
    wrong.push(`${quote(id)}: wanted ${outcome}, found ${found ?? "no such check"}`);
  }
  return wrong;
}
