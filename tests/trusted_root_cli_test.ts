/** `trusted-root` as a process, with a TUF repository on loopback and files. Deno only. */

import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { PUBLIC_GOOD_ROOT } from "../sigstore/roots/public_good.ts";
import { TestTufRepository } from "../tools/pki/tuf_repository.ts";

const ROOT = new URL("..", import.meta.url);

async function attest(
  args: readonly string[],
  permissions: readonly string[],
): Promise<{ code: number; out: string; err: string }> {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--no-prompt", "--no-check", ...permissions, "cli.ts", "trusted-root", ...args],
    cwd: ROOT,
  }).output();
  const decoder = new TextDecoder();
  return { code, out: decoder.decode(stdout), err: decoder.decode(stderr) };
}

if ("Deno" in globalThis) {
  describe("trusted-root as a process", () => {
    let folder = "";
    let repository: TestTufRepository;
    let server: Deno.HttpServer<Deno.NetAddr>;
    let which: string[] = [];

    before(async () => {
      folder = await Deno.makeTempDir({ prefix: "attest-tuf-" });
      const targets = { "trusted_root.json": PUBLIC_GOOD_ROOT };
      repository = await TestTufRepository.create(targets, "ecdsa-sha2-nistp256", new Date());
      await Deno.writeFile(`${folder}/root.json`, repository.firstRoot);
      server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, (request) => {
        const { pathname } = new URL(request.url);
        return repository.fetch(`${repository.baseUrl}/${decodeURI(pathname.slice(1))}`);
      });
      which = [
        `--tuf-url=http://127.0.0.1:${server.addr.port}`,
        `--tuf-root=${folder}/root.json`,
        `--cache=${folder}/cache`,
      ];
    });
    after(async () => {
      await server.shutdown();
      await Deno.remove(folder, { recursive: true });
    });

    it("gets the trusted root, keeps it in files, and shows it without the network", async () => {
      const permissions = ["--allow-read", `--allow-write=${folder}`, "--allow-env"];
      const net = `--allow-net=127.0.0.1:${server.addr.port}`;
      const output = `${folder}/trusted_root.json`;
      const first = await attest(["update", ...which, `--output=${output}`], [...permissions, net]);
      assert.equal(first.code, 0, first.out + first.err);
      assert.equal(await Deno.readTextFile(output), PUBLIC_GOOD_ROOT);

      repository.requested.length = 0;
      const again = await attest(["update", ...which], [...permissions, net]);
      assert.equal(again.code, 0, again.err);
      assert.deepEqual(repository.requested, ["2.root.json", "timestamp.json"]);

      repository.requested.length = 0;
      const shown = await attest(["show", "--cached", ...which], ["--allow-read", "--allow-env"]);
      assert.equal(shown.code, 0, shown.err);
      assert.match(shown.out, /TUF: root 1, timestamp 1, snapshot 1, targets 1/);
      const snapshot = await attest(["show"], ["--allow-read=."]);
      assert.equal(snapshot.code, 0, snapshot.err);
      assert.deepEqual(repository.requested, []);

      const [cache] = [...Deno.readDirSync(`${folder}/cache`)];
      const kept = [...Deno.readDirSync(`${folder}/cache/${cache.name}`)].map(({ name }) => name);
      assert.equal(kept.length, 4);
      assert.ok(kept.every((name) => !name.endsWith(".tmp")), kept.join(" "));
    });

    it("leaves the file that is there when the repository was tampered with", async () => {
      const output = `${folder}/kept.json`;
      await Deno.writeTextFile(output, "mine");
      repository.targets.set("trusted_root.json", new TextEncoder().encode(`${PUBLIC_GOOD_ROOT} `));
      await repository.publish();
      for (const name of repository.files.keys()) {
        if (name.startsWith("targets/")) repository.files.set(name, new Uint8Array(3));
      }
      const { code, err } = await attest(
        ["update", ...which, `--output=${output}`, "--force"],
        ["-A"],
      );
      assert.equal(code, 1);
      assert.match(err, /tuf-target-mismatch/);
      assert.equal(await Deno.readTextFile(output), "mine");
    });
  });
}
