/**
 * Supply chains judged by the reference implementation of in-toto and by `verifyLayout()`. Its
 * Python is named by `ATTEST_IN_TOTO_PYTHON`; default: `python3`.
 */

import { deepStrictEqual as deepEqual, ok, strictEqual as equal } from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import process from "node:process";
import { describe, it } from "node:test";
import { importKeyFile } from "../../cli/key_file.ts";
import {
  layout,
  link,
  linkName,
  person,
  signed,
  step,
} from "../../formats/layout/_fixtures_test.ts";
import { verifyLayout } from "../../formats/layout/mod.ts";
import type { JsonObject } from "../../internal/json.ts";

const PYTHON = process.env.ATTEST_IN_TOTO_PYTHON ?? "python3";
const asked = spawnSync(PYTHON, ["-c", "import in_toto; print(in_toto.__version__)"], {
  encoding: "utf8",
});
const isThere = asked.status === 0;
if (!isThere) console.log(`SKIPPED in-toto: ${PYTHON} has no module in_toto`);

/** Reads cases from standard input and writes the verdict of each. */
const PEER = `
import json, os, sys
from in_toto.models.metadata import Metadata
from in_toto.verifylib import in_toto_verify
out = {}
for case in json.load(sys.stdin):
    os.chdir(case["folder"])
    try:
        in_toto_verify(Metadata.load("root.layout"), case["keys"], link_dir_path=".",
                       persist_inspection_links=False)
        out[case["name"]] = "ok"
    except Exception as error:
        out[case["name"]] = type(error).__name__
        print(case["name"], repr(error)[:200], file=sys.stderr)
json.dump(out, sys.stdout)
`;

interface Case {
  layout: string;
  links: Record<string, string>;
  /** Verdict of the reference implementation. */
  peer: string;
  /** Ours: `ok` or the reason. */
  ours: string;
  /** Why they differ, where one accepts what the other refuses. */
  why?: string;
  /** Owners whose keys are given. */
  owners?: string[];
}

const BUILD = {
  expected_materials: [["MATCH", "*.c", "WITH", "PRODUCTS", "FROM", "write"], ["DISALLOW", "*"]],
  expected_products: [["MODIFY", "log"], ["CREATE", "out/[a-c]pp"], ["ALLOW", "*.c"], [
    "DISALLOW",
    "*",
  ]],
};

async function cases(form: "metablock" | "dsse"): Promise<Record<string, Case>> {
  const write = link("write", {}, { "a.c": "code" });
  const made = { "a.c": "code", "out/app": "program" };
  const build = link("build", { "a.c": "code" }, made);
  const sign = async (value: JsonObject, ...names: string[]) => await signed(value, names, form);
  const rules = async (own: JsonObject = BUILD, more: JsonObject = {}) =>
    await layout(["alice", "bob", "carol"], [
      await step("write", ["alice"]),
      await step("build", ["bob", "carol"], own),
    ], more);
  const names = {
    write: await linkName("write", "alice"),
    bob: await linkName("build", "bob"),
    carol: await linkName("build", "carol"),
  };
  const links = {
    [names.write]: await sign(write, "alice"),
    [names.bob]: await sign(build, "bob"),
  };
  const of = async (more: Partial<Case> & Pick<Case, "peer" | "ours">): Promise<Case> => ({
    layout: await sign(await rules(), "owner"),
    links,
    ...more,
  });
  const withBuild = async (products: Record<string, string>, materials = { "a.c": "code" }) => ({
    ...links,
    [names.bob]: await sign(link("build", materials, products), "bob"),
  });
  const sub = names.bob.replace(/\.link$/, "");
  const own = await layout(["carol"], [await step("compile", ["carol"])]);
  const VIOLATED = { peer: "RuleVerificationError", ours: "artifact-rule-violated" };
  const TOO_FEW = { peer: "ThresholdVerificationError", ours: "invalid-signature" };
  const SIGNATURE = { peer: "SignatureVerificationError", ours: "invalid-signature" };
  return {
    "as it should be": await of({ peer: "ok", ours: "ok" }),
    "signed by a stranger": await of({
      ...SIGNATURE,
      layout: await sign(await rules(), "stranger"),
    }),
    "expired": await of({
      peer: "LayoutExpiredError",
      ours: "attestation-expired",
      layout: await sign(await rules(BUILD, { expires: "2020-01-01T00:00:00Z" }), "owner"),
    }),
    "a link is missing": await of({
      peer: "LinkNotFoundError",
      ours: "threshold-not-met",
      links: { [names.write]: links[names.write] },
    }),
    "a link by a stranger": await of({
      ...TOO_FEW,
      links: { ...links, [names.bob]: await sign(build, "stranger") },
    }),
    "a link by a key of another step": await of({
      ...TOO_FEW,
      links: { ...links, [names.bob]: await sign(build, "alice") },
    }),
    "threshold 2, met by one": await of({
      peer: "LinkNotFoundError",
      ours: "threshold-not-met",
      layout: await sign(await rules({ ...BUILD, threshold: 2 }), "owner"),
    }),
    "threshold 2, met by two": await of({
      peer: "ok",
      ours: "ok",
      layout: await sign(await rules({ ...BUILD, threshold: 2 }), "owner"),
      links: { ...links, [names.carol]: await sign(build, "carol") },
    }),
    "threshold 2, by two who disagree": await of({
      peer: "ThresholdVerificationError",
      ours: "links-disagree",
      layout: await sign(await rules({ ...BUILD, threshold: 2 }), "owner"),
      links: {
        ...links,
        [names.carol]: await sign(link("build", { "a.c": "code" }, { "a.c": "x" }), "carol"),
      },
    }),
    "threshold 1, by two who disagree": await of({
      peer: "ok",
      ours: "links-disagree",
      why: "The reference takes the first of them; ours wants all that count to agree",
      links: {
        ...links,
        [names.carol]: await sign(link("build", { "a.c": "code" }, { "a.c": "x" }), "carol"),
      },
    }),
    "a link of another step under its name": await of({
      peer: "ok",
      ours: "link-mismatch",
      why: "The reference does not look at the name in a link",
      links: {
        ...links,
        [names.bob]: await sign(link("test", { "a.c": "code" }, made), "bob"),
      },
    }),
    "another material": await of({ ...VIOLATED, links: await withBuild(made, { "a.c": "evil" }) }),
    "a product that nobody expects": await of({
      ...VIOLATED,
      links: await withBuild({ ...made, "out/dpp": "x" }),
    }),
    "a product in another folder": await of({
      ...VIOLATED,
      links: await withBuild({ "a.c": "code", "in/app": "x" }),
    }),
    "a product that was not modified": await of({
      ...VIOLATED,
      layout: await sign(await rules({ ...BUILD, expected_materials: [] }), "owner"),
      links: await withBuild({ log: "1" }, { log: "1" } as never),
    }),
    "REQUIRE of what is there, and of what is not": await of({
      ...VIOLATED,
      layout: await sign(
        await rules({ expected_products: [["REQUIRE", "out/app"], ["REQUIRE", "app"]] }),
        "owner",
      ),
    }),
    "MATCH with folders": await of({
      peer: "ok",
      ours: "ok",
      layout: await sign(
        await rules({
          expected_products: [
            ["ALLOW", "out/*"],
            ["MATCH", "?.c", "IN", "src/", "WITH", "PRODUCTS", "FROM", "write"],
            ["DISALLOW", "*"],
          ],
        }),
        "owner",
      ),
      links: await withBuild({ "src/a.c": "code", "out/app": "x" }),
    }),
    "a rule that is none": await of({
      peer: "FormatError",
      ours: "malformed-layout",
      layout: await sign(await rules({ expected_products: [["FORBID", "*"]] }), "owner"),
    }),
    "another command": await of({
      peer: "ok",
      ours: "ok",
      layout: await sign(await rules({ ...BUILD, expected_command: ["cc"] }), "owner"),
    }),
    "a sublayout": await of({
      peer: "ok",
      ours: "ok",
      links: {
        ...links,
        [names.bob]: await sign(own, "bob"),
        [`${sub}/${await linkName("compile", "carol")}`]: await sign(
          link("compile", { "a.c": "code" }, made),
          "carol",
        ),
      },
    }),
    "a sublayout by the owner": await of({
      peer: "ThresholdVerificationError",
      ours: "invalid-signature",
      links: {
        ...links,
        [names.bob]: await sign(own, "owner"),
        [`${sub}/${await linkName("compile", "carol")}`]: await sign(
          link("compile", { "a.c": "code" }, made),
          "carol",
        ),
      },
    }),
    "a sublayout whose link lies outside": await of({
      peer: "LinkNotFoundError",
      ours: "threshold-not-met",
      links: {
        ...links,
        [names.bob]: await sign(own, "bob"),
        [await linkName("compile", "carol")]: await sign(
          link("compile", { "a.c": "code" }, made),
          "carol",
        ),
      },
    }),
    "two owners are given, one signed": await of({
      peer: "SignatureVerificationError",
      ours: "ok",
      why: "The reference wants every key that is given; ours as many as the threshold says",
      owners: ["owner", "second"],
    }),
  };
}

describe("supply chains, by in-toto's reference implementation", { skip: !isThere }, () => {
  for (const form of ["metablock", "dsse"] as const) {
    it(`are judged alike as ${form}, or it is known why not`, async () => {
      const all = await cases(form);
      const root = mkdtempSync(join(tmpdir(), "attest-in-toto-"));
      try {
        const input = await Promise.all(
          Object.entries(all).map(async ([name, one], i) => {
            const folder = join(root, String(i));
            for (
              const [path, text] of Object.entries({ "root.layout": one.layout, ...one.links })
            ) {
              mkdirSync(dirname(join(folder, path)), { recursive: true });
              writeFileSync(join(folder, path), text);
            }
            const owners = await Promise.all((one.owners ?? ["owner"]).map(person));
            const keys = Object.fromEntries(
              owners.map(({ keyid, key }) => [keyid, { ...key, keyid }]),
            );
            return { name, folder, keys };
          }),
        );
        const { status, stdout, stderr } = spawnSync(PYTHON, ["-c", PEER], {
          input: JSON.stringify(input),
          encoding: "utf8",
        });
        equal(status, 0, stderr);
        const peer = JSON.parse(stdout) as Record<string, string>;
        for (const [name, one] of Object.entries(all)) {
          const owners = await Promise.all((one.owners ?? ["owner"]).map(person));
          const result = await verifyLayout(one.layout, {
            keys: owners.map(({ trustedKey }) => trustedKey),
            links: one.links,
          });
          const ours = result.ok ? "ok" : result.errorReason;
          deepEqual({ name, peer: peer[name], ours }, { name, peer: one.peer, ours: one.ours });
          ok((peer[name] === "ok") === (ours === "ok") || one.why !== undefined, name);
        }
      } finally {
        rmSync(root, { recursive: true });
      }
    });
  }
});

const GOLANG = new URL("../../../shared/vectors/in-toto-golang/test/data/", import.meta.url);
const hasGolang = existsSync(GOLANG);
if (!hasGolang) console.log("SKIPPED in-toto-golang: ../shared/vectors is not there");

describe("layouts of in-toto-golang's tests", { skip: !hasGolang }, () => {
  const read = (name: string) => readFileSync(new URL(name, GOLANG));
  const judge = async (name: string, links?: (name: string) => Promise<Uint8Array | undefined>) => {
    const key = await importKeyFile(read("alice.pub").toString(), "alice", "PS256");
    const find = (path: string) =>
      Promise.resolve(existsSync(new URL(path, GOLANG)) ? read(path) : undefined);
    return await verifyLayout(read(name), {
      keys: [key],
      links: links ?? find,
      now: new Date("2026-01-01T00:00:00Z"),
    });
  };

  it("have good signatures, steps and rules, in both envelopes", async () => {
    for (const name of ["demo.layout", "demo.dsse.layout"]) {
      const result = await judge(name);
      ok(!result.ok);
      equal(result.errorReason, "inspection-not-run");
      equal(result.checks.filter(({ outcome }) => outcome === "failed").length, 1);
    }
    const result = await judge("dsse-only.root.layout");
    ok(result.ok, JSON.stringify(result));
    deepEqual(result.steps.map(({ name }) => name), [
      "clone-dsse",
      "update-version-dsse",
      "package-dsse",
    ]);
  });

  it("are refused without signature, and with a link of another step", async () => {
    const unsigned = await judge("super.layout");
    ok(!unsigned.ok);
    equal(unsigned.errorReason, "missing-signatures");
    const swapped = await judge("demo.layout", (name) =>
      Promise.resolve(
        name.startsWith("package.") ? read("foo.d3ffd108.link") : read(name),
      ));
    ok(!swapped.ok);
    equal(swapped.errorReason, "link-mismatch");
  });
});
