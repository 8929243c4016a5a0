import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  layout,
  link,
  linkName,
  NOW,
  person,
  signed,
  step,
} from "../formats/layout/_fixtures_test.ts";
import { apkCertificate, apkOf } from "../formats/attached/_apk_fixtures_test.ts";
import { encodeHex } from "../internal/hex.ts";
import { encodePem } from "../internal/pem.ts";
import { sha256 } from "../internal/sha256.ts";
import { MemoryRuntime } from "../tests/cli_runtime.ts";
import { main } from "./main.ts";

type Files = Record<string, string | Uint8Array>;

async function run(files: Files, ...args: string[]) {
  const runtime = new MemoryRuntime(files as Record<string, string>, ["verify", ...args]);
  runtime.now = () => NOW;
  const status = await main(runtime);
  return { status, out: runtime.stdout, err: runtime.stderr };
}

/** The reason of the JSON report, or what is said instead of one. */
async function reason(files: Files, ...args: string[]): Promise<string> {
  const { out, err } = await run(files, ...args, "--format=json");
  return out === "" ? err : JSON.parse(out).errorReason ?? "ok";
}

/** A layout whose step `build` bob carries out, in its folder with its link. */
async function chain(more: Parameters<typeof step>[2] = {}): Promise<Files> {
  const made = link("build", {}, { "app": "program", "app.txt": "text" });
  return {
    "c/root.layout": await signed(
      await layout(["bob"], [await step("build", ["bob"], more)]),
      ["owner"],
    ),
    [`c/${await linkName("build", "bob")}`]: await signed(made, ["bob"]),
    "owner.pub": encodePem("PUBLIC KEY", (await person("owner")).trustedKey.spki),
    "app": "program",
    "app.txt": "text",
    "other": "other",
  };
}
const WORDS = ["--layout=c/root.layout", "--key=owner.pub"];

describe("attest verify --layout", () => {
  it("accepts what the last step made, and nothing else", async () => {
    const files = await chain();
    assert.equal(await reason(files, "app", ...WORDS), "ok");
    assert.equal(await reason(files, "app", "app.txt", ...WORDS), "ok");
    assert.equal(await reason(files, "other", ...WORDS), "subject-mismatch");
    assert.equal(await reason(files, "app", "other", ...WORDS), "subject-mismatch");
    assert.equal(await reason(files, "app", "app.txt", ...WORDS, "--subjects=exact"), "ok");
    assert.equal(await reason(files, "app", ...WORDS, "--subjects=exact"), "subject-mismatch");
    const digest = `--digest=sha256:${encodeHex(sha256(new TextEncoder().encode("text")))}`;
    assert.equal(await reason(files, digest, ...WORDS), "ok");
  });

  it("prints the chain, and warns of another command", async () => {
    const files = await chain({ expected_command: ["cc"] });
    const { status, out, err } = await run(files, "app", ...WORDS);
    assert.equal(status, 0);
    assert.match(out, /layout +c\/root\.layout/);
    assert.match(out, /Step "build": 1 keys signed, needed: 1/);
    assert.match(out, /Products that are the artifact: 1/);
    assert.match(err, /notice: Step "build" was carried out by the command "make"/);
  });

  it("finds links in the folder that is named, and says which are missing", async () => {
    const files = await chain();
    assert.equal(await reason(files, "app", ...WORDS, "--links=c"), "ok");
    assert.equal(await reason(files, "app", ...WORDS, "--links=."), "threshold-not-met");
  });

  it("could not run when a link cannot be read", async () => {
    const files = await chain();
    const name = `c/${await linkName("build", "bob")}`;
    const runtime = new MemoryRuntime(files as Record<string, string>, ["verify", "app", ...WORDS]);
    const readFile = runtime.readFile.bind(runtime);
    runtime.readFile = (path) =>
      path === name ? Promise.reject(new Error("denied")) : readFile(path);
    assert.equal(await main(runtime), 2);
    assert.match(runtime.stderr, /Cannot read/);
  });

  it("writes its report over no link", async () => {
    const files = await chain();
    const name = `c/${await linkName("build", "bob")}`;
    for (const output of [name, `./${name}`]) {
      const { status, err } = await run(files, "app", ...WORDS, `--output=${output}`);
      assert.equal(status, 2);
      assert.match(err, /is read and would be lost/);
    }
    const done = await run({ ...files, "r.txt": "old" }, "app", ...WORDS, "--output=r.txt");
    assert.equal(done.status, 0, done.err);
  });

  it("refuses inspections: nothing runs commands here", async () => {
    const files = await chain();
    const value = await layout(["bob"], [await step("build", ["bob"])], {
      inspect: [{ name: "untar", run: ["tar"], expected_materials: [], expected_products: [] }],
    });
    files["c/root.layout"] = await signed(value, ["owner"]);
    assert.equal(await reason(files, "app", ...WORDS), "inspection-not-run");
  });

  it("does not go with what a layout does not know", async () => {
    const files = await chain();
    for (
      const [words, wanted] of [
        [["app", "--layout=c/root.layout"], /--layout needs --key/],
        [["app", "--links=c", "--key=owner.pub"], /--links needs --layout/],
        [["app", ...WORDS, "--bundle=app"], /--layout and --bundle exclude each other/],
        [["app", ...WORDS, "--repo=a/b"], /--layout and --repo exclude each other/],
        [["app", ...WORDS, "--policy=p.json"], /--policy and .*--key.* exclude each other/],
        [["app", ...WORDS, "--format=gh"], /no report in the form of gh/],
        [[...WORDS], /artifact-required/],
      ] as const
    ) {
      const { status, err } = await run(files, ...words);
      assert.equal(status, 2, words.join(" "));
      assert.match(err, wanted);
    }
  });
});

describe("attest verify of an Android package", () => {
  it("takes the digest of a certificate as tools print it", async () => {
    const files = { "app.apk": await apkOf() };
    const hex = encodeHex(sha256(await apkCertificate()));
    const colons = hex.toUpperCase().replace(/..(?!$)/g, "$&:");
    assert.equal(await reason(files, "app.apk", `--certificate-sha256=${hex}`), "ok");
    assert.equal(await reason(files, "app.apk", `--certificate-sha256=${colons}`), "ok");
    assert.equal(
      await reason(files, "app.apk", `--certificate-sha256=${"0".repeat(64)}`),
      "untrusted-certificate",
    );
    assert.match(await reason(files, "app.apk", "--certificate-sha256=x"), /usage/);
  });
});
