/** `convert` as a process, with real files. Deno only. */

import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, it } from "node:test";
import { compact, keyOf } from "../formats/_fixtures_test.ts";
import { sign1 } from "../formats/cose/_fixtures_test.ts";
import { encodePem } from "../internal/pem.ts";
import { generateSigner } from "../keys/mod.ts";

const CLI = new URL("../cli.ts", import.meta.url).pathname;
const ORIGIN = [
  ...["--attester=https://acme.example/ci", "--download-location=https://acme.example/old"],
  "--signing-key=new.key",
];

if ("Deno" in globalThis) {
  describe("convert as a process", () => {
    const folder = mkdtempSync(join(tmpdir(), "attest-convert-"));
    after(() => rmSync(folder, { recursive: true }));
    const put = (path: string, content: string | Uint8Array) =>
      writeFileSync(join(folder, path), content);
    const attest = async (flags: readonly string[], ...args: string[]) => {
      const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
        args: ["run", "--no-prompt", "--no-check", ...flags, CLI, ...args],
        cwd: folder,
      }).output();
      const decoder = new TextDecoder();
      return { code, out: decoder.decode(stdout), err: decoder.decode(stderr) };
    };
    // Neither the network nor the environment is needed.
    const OFFLINE = ["--allow-read", "--allow-write", "--allow-env"];

    it("makes what verify takes, of a token and of COSE, and nothing of what is refused", async () => {
      const { privateKey, publicKey } = await generateSigner("Ed25519");
      const { trustedKey } = await keyOf("Ed25519");
      put("abc", "abc");
      put("new.key", privateKey);
      put("new.pub", publicKey);
      put("old.pub", encodePem("PUBLIC KEY", trustedKey.spki));
      put("a.jws", await compact({ alg: "EdDSA", cty: "vnd.in-toto+json" }));
      put("a.cose", await sign1());
      for (const document of ["a.jws", "a.cose"]) {
        const words = ["convert", document, "abc", ...ORIGIN, "--force"];
        const refused = await attest(OFFLINE, ...words, "--key=new.pub");
        assert.equal(refused.code, 1, refused.err);
        assert.ok(!readdirSync(folder).includes("abc.sigstore.json"));
        const done = await attest(OFFLINE, ...words, "--key=old.pub");
        assert.equal(done.code, 0, done.err);
        const line = /Verify it with:\n {2}deno run -A cli.ts (.*)\n/.exec(done.out)?.[1] ?? "";
        const verified = await attest(OFFLINE, ...line.split(" "));
        assert.equal(verified.code, 0, verified.err);
        rmSync(join(folder, "abc.sigstore.json"));
      }
    });

    it("leaves what was there when it is refused, and nothing half written", async () => {
      put("there.json", "mine");
      const words = ["convert", "a.jws", "abc", ...ORIGIN, "--output=there.json"];
      const kept = await attest(OFFLINE, ...words, "--key=old.pub");
      assert.equal(kept.code, 2);
      const refused = await attest(OFFLINE, ...words, "--key=new.pub", "--force");
      assert.equal(refused.code, 1);
      assert.equal(readFileSync(join(folder, "there.json"), "utf8"), "mine");
      const files = readdirSync(folder).sort();
      const replaced = await attest(OFFLINE, ...words, "--key=old.pub", "--force");
      assert.equal(replaced.code, 0, replaced.err);
      assert.ok(readFileSync(join(folder, "there.json"), "utf8").includes("dsseEnvelope"));
      assert.deepEqual(readdirSync(folder).sort(), files);
    });
  });
}
