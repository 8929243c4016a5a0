/** `serve` as a process: its options, its keys, its policy, and how it ends. */

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { cardDigest, provenanceOf, signaturePolicy, testSigners } from "./registry/fixture.ts";

const ROOT = new URL("..", import.meta.url).pathname;
const URN = "urn:acme:app";
const CARD = { name: "app" };
const BY_POLICY = ["serve", "--policy", "policy.json"];

let folder: string;

function command(args: readonly string[], env: Record<string, string> = {}): Deno.Command {
  return new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-check", "--config", `${ROOT}deno.json`, `${ROOT}cli.ts`, ...args],
    cwd: folder,
    env,
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  });
}

async function run(...args: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  const { code, stdout, stderr } = await command(args).output();
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  return { code, stdout: text(stdout), stderr: text(stderr) };
}

/** A registry that runs. */
interface Serving {
  url: string;
  log(): string;
  /** Tells it to end, and answers its exit status. */
  stop(): Promise<number>;
}

async function serve(args: readonly string[], env: Record<string, string> = {}): Promise<Serving> {
  const child = command(["serve", "--listen", "127.0.0.1:0", ...args], env).spawn();
  let log = "";
  const errors = child.stderr.pipeThrough(new TextDecoderStream()).pipeTo(
    new WritableStream({ write: (text) => void (log += text) }),
  );
  const reader = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
  let out = "";
  while (!/listening on \S+\n/.test(out)) {
    const { done, value } = await reader.read();
    if (done) {
      await errors;
      throw new Error(`It did not start: ${log}`);
    }
    out += value;
  }
  return {
    url: /listening on (\S+)/.exec(out)![1],
    log: () => log,
    async stop() {
      child.kill("SIGTERM");
      const { code } = await child.status;
      await reader.cancel();
      await errors;
      return code;
    },
  };
}

async function put(
  { url }: Serving,
  headers: Record<string, string>,
  provenance: unknown,
  urn = URN,
): Promise<{ status: number; reason: string | null }> {
  const answer = await fetch(`${url}/v1/registry/${urn}`, {
    method: "PUT",
    headers: { "content-type": "application/json", ...headers },
    body: JSON.stringify({ urn, card: CARD, provenance }),
  });
  return { status: answer.status, reason: (await answer.json()).reason };
}

describe("serve", () => {
  before(async () => {
    folder = await Deno.makeTempDir();
    const { ciPublicKey } = await testSigners();
    await Deno.writeTextFile(`${folder}/ci.pub`, ciPublicKey);
    await Deno.writeTextFile(`${folder}/policy.json`, JSON.stringify(await signaturePolicy()));
  });

  after(() => Deno.remove(folder, { recursive: true }));

  test("verifies by a policy file, whose change takes effect, and ends when it is told", async () => {
    const created = await run("serve", "keys", "create", "--prefix", "urn:acme", "--name", "web");
    assert.equal(created.code, 0, created.stderr);
    const key = created.stdout.trim();
    assert.match(key, /^attest_[0-9a-f]{16}_[\w-]{43}$/);
    assert.ok(!created.stderr.includes(key));
    const serving = await serve(["--policy", "policy.json", "--rate-limit", "0"]);
    const headers = { "x-api-key": key };
    try {
      const good = await provenanceOf(URN, CARD);
      assert.equal((await put(serving, headers, good)).status, 201);
      assert.equal((await put(serving, headers, null)).reason, "missing-provenance");
      assert.equal((await put(serving, {}, good)).status, 401);
      assert.equal((await put(serving, headers, good, "urn:other:app")).status, 403);
      await Deno.writeTextFile(`${folder}/policy.json`, '{"allowedIssuers":[]}');
      let ready;
      for (let tries = 0; tries < 100; tries++) {
        ready = await (await fetch(`${serving.url}/readyz`)).json();
        if (ready.status === "degraded") break;
        await new Promise((done) => setTimeout(done, 100));
      }
      assert.deepEqual([ready.status, ready.policy.reason], ["degraded", "malformed-policy"]);
      assert.equal((await put(serving, headers, good)).status, 200);
      const { stdout } = await run("serve", "keys", "list", "--format", "json");
      const [{ id }] = JSON.parse(stdout);
      assert.equal((await run("serve", "keys", "revoke", id)).code, 0);
      assert.equal((await run("serve", "keys", "revoke", id)).code, 2);
      assert.match((await run("serve", "keys", "list")).stdout, /urn:acme .*revoked .*web/);
      assert.equal((await put(serving, headers, good)).reason, "invalid-api-key");
    } finally {
      assert.equal(await serving.stop(), 0);
    }
    assert.ok(!serving.log().includes(key));
    for (const line of serving.log().trim().split("\n")) assert.ok(JSON.parse(line).time);
  });

  test("takes its policy from the database, and keeps what it refuses where it is permissive", async () => {
    await Deno.writeTextFile(`${folder}/policy.json`, JSON.stringify(await signaturePolicy()));
    const db = ["--db", "other.db"];
    assert.equal((await run("serve", "policy", "put", "missing.json", ...db)).code, 2);
    assert.equal((await run("serve", "policy", "show", ...db)).code, 2);
    const stored = await run("serve", "policy", "put", "policy.json", ...db);
    assert.match(stored.stdout, /^sha256:[0-9a-f]{64}$/m);
    const shown = await run("serve", "policy", "show", ...db);
    assert.equal(shown.stdout, await Deno.readTextFile(`${folder}/policy.json`));
    const serving = await serve([
      ...["--mode", "permissive", "--unsafe-any-writer", "--private-reads", "--proxied"],
      ...["--max-body", "20000", "--body-timeout", "2", "--log", "warning"],
    ], { ATTEST_DATABASE_URL: "other.db" });
    try {
      const { status, reason } = await put(serving, { "x-forwarded-for": "192.0.2.7" }, null);
      assert.deepEqual([status, reason], [201, "missing-provenance"]);
      assert.equal((await put(serving, {}, "x".repeat(30_000))).status, 413);
      assert.equal((await fetch(`${serving.url}/v1/registry/${URN}`)).status, 401);
    } finally {
      assert.equal(await serving.stop(), 0);
    }
    assert.match(serving.log(), /"level":"warning"/);
    assert.ok(!serving.log().includes('"level":"info"'));
  });

  test("takes the key of a builder instead of a policy", async () => {
    const serving = await serve(["--db", "keys.db", "--key", "ci.pub", "--unsafe-any-writer"]);
    try {
      const { stranger } = await testSigners();
      const forged = await provenanceOf(URN, CARD, { signer: stranger });
      assert.equal((await put(serving, {}, forged)).reason, "invalid-signature");
      assert.equal((await put(serving, {}, await provenanceOf(URN, CARD))).status, 201);
      const about = await fetch(`${serving.url}/v1/attestations/sha256:${cardDigest(CARD)}`);
      assert.equal((await about.json()).attestations.length, 1);
    } finally {
      assert.equal(await serving.stop(), 0);
    }
  });

  test("refuses what it cannot do, before it listens", async () => {
    const root = `${ROOT}testdata/example/trusted_root.json`;
    const cases: [RegExp, string[]][] = [
      [/Say whom to believe/, ["serve", "--db", "none.db"]],
      [/exclude each other/, ["serve", "--policy", "policy.json", "--key", "ci.pub"]],
      [/needs --policy/, ["serve", "--key", "ci.pub", "--trusted-root", root]],
      [/--pool-size is about PostgreSQL/, ["serve", "--pool-size", "2"]],
      [/--pool-size is about PostgreSQL/, ["serve", "keys", "list", "--pool-size", "2"]],
      [/policy-key|DSSE|envelope/, [...BY_POLICY, "--policy-key", "ci.pub"]],
      [/needs --policy-key/, [...BY_POLICY, "--policy-threshold", "1"]],
      [/ci\.pub/, [...BY_POLICY, "--waivers", "ci.pub"]],
      [/needs --waivers/, [...BY_POLICY, "--waivers-key", "ci.pub"]],
      [/needs --revocations-key/, [...BY_POLICY, "--revocations", "policy.json"]],
      [/needs --revocations/, [...BY_POLICY, "--revocations-key", "ci.pub"]],
      [/needs --revocations/, [...BY_POLICY, "--revocations-state", "state"]],
      [/no other address/, ["serve", "--db", "mysql://x/y"]],
      [/HOST:PORT/, ["serve", "--key", "ci.pub", "--listen", "8080"]],
      [/whole number/, ["serve", "--key", "ci.pub", "--rate-limit", "1x"]],
      [/takes no argument/, ["serve", "now"]],
      [/--prefix URN, or --all-urns/, ["serve", "keys", "create"]],
      [/malformed-urn/, ["serve", "keys", "create", "--prefix", "acme"]],
      [/keys create, serve keys list/, ["serve", "keys"]],
      [/did you mean|Unknown action/, ["serve", "keys", "remove"]],
      [/malformed-policy|duplicate/, ["serve", "policy", "put", root]],
    ];
    const runs = await Promise.all(cases.map(([, args]) => run(...args)));
    for (const [i, { code, stderr }] of runs.entries()) {
      assert.equal(code, 2, `${cases[i][1].join(" ")}: ${stderr}`);
      assert.match(stderr, cases[i][0], cases[i][1].join(" "));
    }
  });
});
