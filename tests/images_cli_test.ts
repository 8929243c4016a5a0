/** `download` and `verify` of images as processes, with a registry on loopback. Deno only. */

import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { image, publicKey } from "./fixtures/attested_image.ts";
import type { MemoryRegistry } from "./fixtures/registry.ts";
import { splitWords } from "./shell_words.ts";

const CLI = new URL("../cli.ts", import.meta.url).pathname;

if ("Deno" in globalThis) {
  describe("download, and verify without a network", () => {
    let folder = "";
    let registry: MemoryRegistry | undefined;
    let server: Deno.HttpServer<Deno.NetAddr> | undefined;
    let host = "";

    const run = async (permissions: string[], cwd: string, ...args: string[]) => {
      const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
        args: ["run", "--no-prompt", "--no-check", ...permissions, CLI, ...args],
        cwd,
      }).output();
      const decoder = new TextDecoder();
      return { code, out: decoder.decode(stdout), err: decoder.decode(stderr) };
    };

    before(async () => {
      folder = mkdtempSync(join(tmpdir(), "attest-"));
      server = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen: () => {} }, (request) => {
        const { method, url, headers } = request;
        return registry?.fetch(url, { method, headers }) ?? new Response("", { status: 503 });
      });
      host = `127.0.0.1:${server.addr.port}`;
      ({ registry } = await image(["amd64", "arm64"], { host }));
      writeFileSync(join(folder, "ci.pub"), await publicKey());
      const policy = {
        type: "attest-policy/v1",
        trust: { keys: { ci: { publicKey: await publicKey() } }, roots: [] },
        rules: [{
          id: "app",
          select: { oci: `${host}/acme/*` },
          require: [{ id: "signed", envelope: { signedBy: { of: ["ci"] } } }],
        }],
      };
      writeFileSync(join(folder, "policy.json"), JSON.stringify(policy));
    });
    after(async () => {
      await server?.shutdown();
      rmSync(folder, { recursive: true });
    });

    for (const [name, trust] of [["a key", "--key=ci.pub"], ["a policy", "--policy=policy.json"]]) {
      it(`verifies by the printed command with ${name}, from the folder alone`, async () => {
        const target = `out-${name.replace(" ", "-")}`;
        const reference = `oci://${host}/acme/app:1`;
        const done = await run(["-A"], folder, "download", reference, trust, "--output", target);
        assert.equal(done.code, 0, done.err);
        const [, command] = /^deno run -A cli\.ts (.*)\n$/.exec(done.out) ?? [];
        assert.ok(command !== undefined, done.out);
        assert.ok(readFileSync(join(folder, target, "VERIFY.txt"), "utf8").includes(command));
        const words = splitWords(command);
        const own = join(folder, target);
        // Nothing but reading is allowed: a request or another program would end it.
        const alone = await run([`--allow-read=${own},${CLI}`], own, ...words);
        assert.equal(alone.code, 0, alone.out + alone.err);
        assert.ok(alone.out.includes("PASSED: 2 artifacts"), alone.out);
        const [, blob] = /@(sha256:[0-9a-f]{64})#1/.exec(alone.out) ??
          /@(sha256:[0-9a-f]{64})/.exec(command) ?? [];
        const path = join(own, "image/blobs", blob.replace(":", "/"));
        writeFileSync(path, `${readFileSync(path, "utf8")} `);
        const changed = await run([`--allow-read=${own},${CLI}`], own, ...words);
        assert.notEqual(changed.code, 0, changed.out);
      });
    }
  });
}
