import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { after, before, describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { createEnvelope, verifyEnvelope } from "../dsse/mod.ts";
import { httpSigner, type HttpSignerOptions } from "../examples/http-signer/client.ts";
import { generateSigner, type TrustedKey } from "../keys/mod.ts";

const TOKEN = "0123456789abcdef0123456789abcdef";
const SERVER = fileURLToPath(new URL("../examples/http-signer/server.ts", import.meta.url));

async function listening(server: ChildProcess): Promise<string> {
  for await (const chunk of server.stdout ?? []) {
    const [address] = /http:\/\/127\.0\.0\.1:\d+\//.exec(String(chunk)) ?? [];
    if (address !== undefined) return address;
  }
  throw new Error("The server ended");
}

describe("examples/http-signer", () => {
  let folder: string;
  let server: ChildProcess;
  let other: Server;
  let otherAddress: string;
  let answer: { status: number; headers?: Record<string, string>; body?: Uint8Array };
  let seen: (string | undefined)[] = [];
  let trustedKey: TrustedKey;
  let options: HttpSignerOptions;

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), "attest-http-signer-"));
    const made = await generateSigner("ES256", { name: "ci", passphrase: "correct horse" });
    trustedKey = made.trustedKey;
    writeFileSync(join(folder, "ci.key"), made.privateKey, { mode: 0o600 });
    server = spawn(
      process.execPath,
      ["run", "--no-prompt", "--allow-net=127.0.0.1", "--allow-env", "--allow-read", SERVER],
      {
        stdio: ["ignore", "pipe", "inherit"],
        env: {
          ...process.env,
          NO_COLOR: "1",
          SIGNER_TOKEN: TOKEN,
          SIGNER_KEY: join(folder, "ci.key"),
          SIGNER_PASSPHRASE: "correct horse",
          SIGNER_PORT: "0",
        },
      },
    );
    options = { url: await listening(server), token: TOKEN, publicKey: made.publicKey };

    other = createServer((request, response) => {
      seen.push(request.headers.authorization);
      request.resume();
      response.writeHead(answer.status, answer.headers);
      response.end(answer.body);
    });
    await new Promise<void>((resolve) => other.listen(0, "127.0.0.1", resolve));
    otherAddress = `http://127.0.0.1:${(other.address() as AddressInfo).port}/`;
  });

  after(async () => {
    const ended = new Promise((resolve) => server.once("exit", resolve));
    server.kill();
    await ended;
    await new Promise((resolve) => other.close(resolve));
    rmSync(folder, { recursive: true, force: true });
  });

  test("signs an envelope that verifies", async () => {
    const signer = await httpSigner({ ...options, keyid: "ci" });
    const envelope = await createEnvelope("text/plain", new TextEncoder().encode("hello"), signer);
    assert.deepEqual(await signer.publicKey(), trustedKey.spki);
    const result = await verifyEnvelope(envelope, { keys: [trustedKey] });
    assert.ok(result.ok);
    assert.deepEqual(result.acceptedBy, ["ci"]);
  });

  test("is refused without the token, and without it in the message", async () => {
    const signer = await httpSigner({ ...options, token: `${TOKEN}x` });
    await assert.rejects(signer.sign(new Uint8Array(3)), (error: Error) => {
      assert.equal(error.message, "Cannot sign: the service answered 401");
      return true;
    });
    for (const authorization of [undefined, "", "Bearer", `Basic ${TOKEN}`, `Bearer  ${TOKEN}`]) {
      const headers = authorization === undefined ? undefined : { authorization };
      const plain = await fetch(`${options.url}sign`, { method: "POST", headers, body: "x" });
      assert.equal(plain.status, 401);
      assert.equal(await plain.text(), "");
    }
  });

  test("refuses other methods, paths and bodies that are too long", async () => {
    const headers = { authorization: `Bearer ${TOKEN}` };
    const status = async (path: string, init: RequestInit) => {
      const found = await fetch(options.url + path, { headers, ...init });
      await found.body?.cancel();
      return found.status;
    };
    assert.equal(await status("sign", { method: "GET" }), 405);
    assert.equal(await status("key", { method: "POST", body: "x" }), 404);
    assert.equal(await status("sign", { method: "POST", body: new Uint8Array(2 << 20) }), 413);
  });

  test("gives no signature on that is not of the key", async () => {
    const signer = await httpSigner({ ...options, url: otherAddress });
    for (const body of [new Uint8Array(0), new Uint8Array(70), new Uint8Array(20_000)]) {
      answer = { status: 200, body };
      await assert.rejects(signer.sign(new Uint8Array(3)), /^Error: Cannot sign: the /);
    }
    const { signer: wrong } = await generateSigner("ES256");
    answer = { status: 200, body: await wrong.sign(new Uint8Array(3)) };
    await assert.rejects(signer.sign(new Uint8Array(3)), /not of this key/);
  });

  test("does not follow a redirect with its token", async () => {
    const signer = await httpSigner({ ...options, url: otherAddress });
    seen = [];
    answer = { status: 307, headers: { location: `${otherAddress}elsewhere` } };
    await assert.rejects(signer.sign(new Uint8Array(3)), /answered (307|0)$/);
    assert.deepEqual(seen, [`Bearer ${TOKEN}`]);
  });

  test("asks no service in plain text that is on another machine", async () => {
    for (const url of ["http://signer.example/", "ftp://127.0.0.1/", "http://127.0.0.1.example/"]) {
      await assert.rejects(httpSigner({ ...options, url }), TypeError);
    }
  });
});
