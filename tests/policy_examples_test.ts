/** The worked policies of `docs/policy`, with what they accept and what they refuse. */

import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { describe, it } from "node:test";
import { main } from "../cli/main.ts";
import { isObject } from "../internal/json.ts";
import { compilePolicy } from "../policy/compile.ts";
import type { PolicyDocument } from "../policy/document.ts";
import { parsePolicy } from "../policy/parse.ts";
import type { PolicyCheck } from "../policy/verdict.ts";
import { verify } from "../verify/verify.ts";
import { type MemoryFile, MemoryRuntime } from "./cli_runtime.ts";
import { splitWords } from "./shell_words.ts";
import { EXAMPLES, NOW, type PolicyCase, withTrust } from "./policy_cases.ts";

const FOLDER = new URL("../docs/policy/examples/", import.meta.url);

function documentOf(file: string): PolicyDocument {
  return parsePolicy(readFileSync(new URL(`${file}.json`, FOLDER), "utf8"));
}

/** The innermost check that failed first. */
function firstFailure(checks: readonly PolicyCheck[]): PolicyCheck | undefined {
  const failed = checks.find(({ outcome }) => outcome === "failed");
  if (failed === undefined) return undefined;
  // Of those that disagree each may have its own reason.
  const inner = firstFailure(failed.children ?? []);
  const decides = failed.reason === "attestations-disagree" && inner?.reason !== failed.reason;
  return decides ? failed : inner ?? failed;
}

async function judge(document: PolicyDocument, one: PolicyCase) {
  const policy = await compilePolicy(await withTrust(document, one.keys));
  return await verify(await one.attestations(), [...one.artifacts], {
    policy,
    now: one.now ?? NOW,
  });
}

for (const { file, cases } of EXAMPLES) {
  describe(`docs/policy/examples/${file}.json`, () => {
    const document = documentOf(file);
    for (const one of cases) {
      it(`${one.fails === undefined ? "accepts" : "refuses"}: ${one.name}`, async () => {
        const report = await judge(document, one);
        const bad = report.policy?.artifacts.map(({ rules }) => firstFailure(rules))
          .find((check) => check !== undefined);
        const found = bad === undefined ? undefined : [bad.id, bad.reason];
        const refusals = report.artifacts.flatMap(({ attestations }) =>
          attestations.map(({ errorReason, checks }) => [
            errorReason,
            checks.find(({ outcome }) => outcome === "failed")?.message,
          ])
        );
        const placed = found?.[0]?.replace("/attestation", "");
        assert.deepEqual(
          found === undefined ? undefined : [placed, found[1]],
          one.fails,
          JSON.stringify([bad, refusals]),
        );
        assert.equal(report.ok, one.fails === undefined);
        assert.equal(report.policy?.mode, document.mode ?? "enforce");
      });
    }
  });
}

/** Runs the command of a page over the evidence of a case. */
async function runCommand(command: string, document: PolicyDocument, one: PolicyCase) {
  const [program, ...args] = splitWords(command);
  assert.equal(program, "attest");
  const option = (name: string): string => args[args.indexOf(name) + 1];
  const files: Record<string, MemoryFile> = {
    [option("--policy")]: JSON.stringify(await withTrust(document, one.keys)),
    [option("--bundle")]: (await one.attestations()).map((each) => JSON.stringify(each)).join("\n"),
  };
  for (const input of one.artifacts) {
    if (!isObject(input) || !("content" in input) || !("name" in input)) continue;
    files[String(input.name)] = input.content as unknown as Uint8Array;
  }
  const runtime = new MemoryRuntime(files, args);
  runtime.now = () => one.now ?? NOW;
  const status = await main(runtime);
  return { status, out: runtime.stdout, err: runtime.stderr };
}

describe("docs/policy", () => {
  const folder = new URL("../docs/policy/", import.meta.url);
  const read = (name: string): string => readFileSync(new URL(name, folder), "utf8");
  const pages = readdirSync(folder).filter((name) => name.endsWith(".md")).map((name) => ({
    name,
    text: read(name),
  }));

  it("has a page for every worked policy, and a worked policy for every file", () => {
    const files = readdirSync(FOLDER).map((name) => name.replace(".json", "")).sort();
    assert.deepEqual(files, EXAMPLES.map(({ file }) => file).sort());
    for (const file of files) {
      assert.ok(
        pages.some(({ text }) => text.includes(`[\`examples/${file}.json\`](examples/`)),
        file,
      );
    }
  });

  for (const { file, cases } of EXAMPLES) {
    const page = pages.find(({ text }) => text.includes(`(examples/${file}.json)`))?.text ?? "";

    it(`shows ${file} as it is, with every case`, () => {
      const at = page.indexOf(`(examples/${file}.json)`);
      const block = /```json\n([^]*?)```/.exec(page.slice(at))?.[1] ?? "";
      const shown: PolicyDocument = JSON.parse(block);
      const document = JSON.parse(readFileSync(new URL(`${file}.json`, FOLDER), "utf8"));
      // A trusted root is too long for a page.
      if (shown.trust?.roots !== undefined) document.trust.roots = shown.trust.roots;
      assert.deepEqual(shown, document);
      const lines = page.split("\n").map((line) => line.split("|").map((cell) => cell.trim()));
      for (const { name, fails } of cases) {
        const wanted = fails === undefined
          ? ["passes", ""]
          : [`\`${fails[1]}\``, `\`${fails[0]}\``];
        const found = lines.filter(([, first]) => first === name).map((cells) => cells.slice(2, 4));
        assert.ok(
          found.some((cells) => cells.join() === wanted.join()),
          `${name}: ${found.join(" ")}`,
        );
      }
    });

    it(`runs the command for ${file}`, async () => {
      const document = documentOf(file);
      const command = /```sh\n(attest verify [^\n]+)\n```/.exec(page)?.[1] ?? "";
      const [good] = cases;
      const accepted = await runCommand(command, document, good);
      assert.equal(accepted.status, 0, accepted.err + accepted.out);
      const bad = cases.find(({ artifacts, fails, keys }) =>
        fails !== undefined && Object.keys(keys ?? {}).length === 0 &&
          artifacts === good.artifacts ||
        fails !== undefined && JSON.stringify(artifacts) === JSON.stringify(good.artifacts)
      );
      assert.ok(bad?.fails !== undefined);
      const strict = { ...document, mode: "enforce" as const };
      const refused = await runCommand(command, strict, bad);
      assert.equal(refused.status, 1, refused.err + refused.out);
      assert.ok(refused.out.includes(bad.fails[1]), refused.out);
    });
  }

  it("has only links that lead somewhere", () => {
    let count = 0;
    for (const { name, text } of pages) {
      for (const [, target] of text.matchAll(/\]\((?!https?:)([^)#]+)(?:#[^)]*)?\)/g)) {
        count++;
        assert.ok(readFileSync(new URL(target, folder)).length > 0, `${name}: ${target}`);
      }
    }
    assert.ok(count > 0);
  });
});
