/** The guide of policies by its letter: documents, patterns, members, and what is signed. */

import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { describe, it } from "node:test";
import { main } from "../cli/main.ts";
import { createEnvelope } from "../dsse/sign.ts";
import { generateSigner } from "../keys/signer.ts";
import { celEvaluator } from "../policy/cel.ts";
import { compilePolicy } from "../policy/compile.ts";
import { OPERATORS } from "../policy/condition.ts";
import { parsePolicy } from "../policy/parse.ts";
import { compilePattern } from "../policy/pattern.ts";
import { parseWaivers } from "../policy/waivers.ts";
import { MemoryRuntime } from "./cli_runtime.ts";
import { EXAMPLES, withTrust } from "./policy_cases.ts";
import { splitWords } from "./shell_words.ts";

const FOLDER = new URL("../docs/policy/", import.meta.url);
const PAGES = readdirSync(FOLDER).filter((name) => name.endsWith(".md")).map((name) => ({
  name,
  text: readFileSync(new URL(name, FOLDER), "utf8"),
}));

function pageOf(name: string): string {
  return PAGES.find((page) => page.name === name)?.text ?? "";
}

function rowsOf(text: string): string[][] {
  return text.split("\n").filter((line) => line.startsWith("| "))
    .map((line) => line.replaceAll("\\|", "¦").split("|").slice(1, -1).map((cell) => cell.trim()));
}

function codesOf(cell: string): string[] {
  return [...cell.matchAll(/`([^`]+)`/g)].map(([, code]) => code);
}

/** A policy around a part of one. */
function policyWith(predicate: object): object {
  return {
    type: "attest-policy/v1",
    trust: { identities: { ci: { github: { repository: "acme/app" } } } },
    rules: [{ id: "image", require: [{ id: "scan", predicate }] }],
  };
}

const READERS: Readonly<Record<string, (value: never) => unknown>> = {
  condition: (value) => parsePolicy(policyWith({ where: [value] })),
  predicate: async (value) =>
    await compilePolicy(parsePolicy(policyWith(value)), { cel: celEvaluator() }),
  waiver: (value) =>
    parsePolicy({
      ...policyWith({ vulnerabilities: { maxSeverity: "low" } }),
      waivers: [value],
    }),
  waivers: (value) => parseWaivers(value),
};

describe("Guide of policies", () => {
  it("has documents that are read", async () => {
    const kinds = new Set<string>();
    for (const { name, text } of PAGES) {
      for (const [, kind, json] of text.matchAll(/^```json ?(\w*)\n([^]*?)^```$/gm)) {
        if (name === "air-gapped.md" || name === "signature-policy.md") continue;
        const read = READERS[kind] ?? parsePolicy;
        assert.ok(kind === "" || kind in READERS, `${name}: ${kind}`);
        kinds.add(kind);
        await read(JSON.parse(json) as never);
      }
    }
    assert.deepEqual([...kinds].sort(), ["", ...Object.keys(READERS)].sort());
  });

  it("explains every member of the document, and every operator", () => {
    const types = readFileSync(new URL("../policy/document.ts", import.meta.url), "utf8");
    const names = new Set(
      [...types.matchAll(/^(?: {2,}|.*\*\/ )(\$?\w+)\??: /gm)].map(([, name]) => name),
    );
    assert.ok(names.size > 70, String(names.size));
    const text = ["document.md", "conditions.md", "waivers.md", "cel.md"].map(pageOf).join("\n");
    const missing = [...names].filter((name) =>
      !new RegExp(`[\`"./ ]${name.replace("$", "\\$")}[\`":]`).test(text)
    );
    assert.deepEqual(missing, []);
    const operators = rowsOf(pageOf("conditions.md")).flatMap(([cell]) => codesOf(cell));
    for (const operator of OPERATORS) assert.ok(operators.includes(operator), operator);
  });

  it("has patterns that fit what it says, and nothing that it says they do not", () => {
    const rows = rowsOf(pageOf("conditions.md").split("## Patterns")[1]).slice(2);
    assert.ok(rows.length >= 4);
    for (const [pattern, fits, not] of rows) {
      const test = compilePattern(codesOf(pattern)[0]);
      for (const text of codesOf(fits)) assert.ok(test(text), `${pattern} ${text}`);
      for (const text of codesOf(not)) assert.ok(!test(text), `${pattern} ${text}`);
    }
  });

  it("signs a policy, and believes it only as it was signed", async () => {
    const commands = /```sh\n([^]*?)```/.exec(pageOf("signed.md"))?.[1].trim().split("\n") ?? [];
    const example = EXAMPLES.find(({ file }) => file === "github-by-repository-id")!;
    const [one] = example.cases;
    const json = readFileSync(new URL(`examples/${example.file}.json`, FOLDER), "utf8");
    const document = JSON.stringify(await withTrust(parsePolicy(json)));
    const owner = await generateSigner("ES256");
    const [input] = one.artifacts as unknown as { name: string; content: Uint8Array }[];
    const files = {
      "policy.json": document,
      "security.key": owner.privateKey,
      "security.pub": owner.publicKey,
      [input.name]: input.content,
      "app-1.2.3.json": JSON.stringify((await one.attestations())[0]),
    };
    const runtime = (command: string, more: Record<string, string> = {}) => {
      const [program, ...args] = splitWords(command);
      assert.equal(program, "attest");
      const machine = new MemoryRuntime({ ...files, ...more }, args);
      machine.now = () => one.now ?? new Date("2025-02-05T00:00:00Z");
      return machine;
    };
    const signing = runtime(commands[0]);
    assert.equal(await main(signing), 0, signing.stderr);
    const signed = String(signing.files.get("policy.signed.json"));
    const good = runtime(commands[1], { "policy.signed.json": signed });
    assert.equal(await main(good), 0, good.stderr);
    const thief = await generateSigner("ES256");
    const type = "application/vnd.attest.policy+json";
    const forged = JSON.stringify(await createEnvelope(type, document, thief.signer));
    for (const other of [forged, document, signed.replace(/"payload":"ey/, '"payload":"eX')]) {
      const bad = runtime(commands[1], { "policy.signed.json": other });
      assert.ok([1, 2].includes(await main(bad)), bad.stdout);
      assert.equal(bad.stdout.includes("PASSED"), false);
    }
  });
});
