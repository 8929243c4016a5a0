/** The client of registries in a worker, against a registry on loopback. */

import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { after, before, describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { Miniflare } from "miniflare";
import { attestation } from "../store/_contract_test.ts";
import { MemoryRegistry, type RegistryBehaviour } from "./fixtures/registry.ts";
import { bundleEntry } from "./package/bundle.ts";

const ROOT = fileURLToPath(new URL("..", import.meta.url));

/** Serves a registry on loopback. */
async function serve(
  behaviour: RegistryBehaviour,
): Promise<{ registry: MemoryRegistry; server: Server }> {
  const served: { registry?: MemoryRegistry } = {};
  const server = createServer(async (request, response) => {
    const parts: Uint8Array[] = [];
    for await (const part of request) parts.push(part);
    const body = Buffer.concat(parts);
    const answer = await served.registry!.fetch(`http://${request.headers.host}${request.url}`, {
      method: request.method ?? "GET",
      headers: Object.entries(request.headers).map(([name, value]) => [name, String(value)]),
      ...(body.length === 0 ? {} : { body: new Uint8Array(body) }),
    });
    const bytes = new Uint8Array(await answer.arrayBuffer());
    response.writeHead(answer.status, [...answer.headers].flat());
    response.end(request.method === "HEAD" ? undefined : bytes);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const registry = new MemoryRegistry({ ...behaviour, host: `127.0.0.1:${port}` });
  served.registry = registry;
  return { registry, server };
}

describe("createRepository() in a worker", () => {
  let worker: Miniflare;
  const servers: Server[] = [];

  before(async () => {
    worker = new Miniflare({
      modules: [{
        type: "ESModule",
        path: "worker.js",
        contents: await bundleEntry(`${ROOT}tests/fixtures/registry_worker.ts`),
      }],
      compatibilityDate: "2026-07-01",
    });
  });

  after(async () => {
    await worker.dispose();
    for (const server of servers) server.close();
  });

  async function ask(task: object): Promise<{ status: number; answer: Record<string, unknown> }> {
    const body = JSON.stringify(task);
    const answer = await worker.dispatchFetch("http://worker/", { method: "POST", body });
    return { status: answer.status, answer: await answer.json() as Record<string, unknown> };
  }

  for (const behaviour of [{}, { referrers: "none" }, { user: "ci:pass", bearer: true }] as const) {
    test(`reads, attaches and finds: ${JSON.stringify(behaviour)}`, async () => {
      const { registry, server } = await serve(behaviour);
      servers.push(server);
      const image = registry.image("app", "1.0");
      const content = attestation([{ sha256: image.digest.slice("sha256:".length) }]);
      const { status, answer } = await ask({
        reference: registry.reference,
        tag: "1.0",
        credentials: { username: "ci", password: "pass" },
        attach: new TextDecoder().decode(content),
      });
      assert.equal(status, 200, JSON.stringify(answer));
      assert.equal(answer.root, image.digest);
      assert.equal(answer.streamed, "layer of app".length);
      assert.equal(answer.referrers, 1);
      assert.equal(answer.via, "referrers" in behaviour ? "fallback-tag" : "referrers-api");
    });
  }

  test("refuses other bytes, and a redirect that leaves https or asks for a password", async () => {
    const { registry, server } = await serve({ user: "ci:pass" });
    servers.push(server);
    registry.image("app", "1.0");
    const task = {
      reference: registry.reference,
      tag: "1.0",
      credentials: { username: "ci", password: "pass" },
    };
    registry.lie = async ({ path }, honest) => {
      const answer = await honest();
      return path.startsWith("blobs/") && answer.ok ? new Response("other bytes!") : answer;
    };
    assert.equal((await ask(task)).answer.reason, "content-mismatch");
    registry.lie = async ({ path }, honest) => {
      const answer = await honest();
      return path.startsWith("blobs/") && answer.ok
        ? new Response(null, { status: 307, headers: { location: "http://registry.example/" } })
        : answer;
    };
    assert.equal((await ask(task)).answer.reason, "service-refused");
    assert.equal((await ask({ ...task, tag: "2.0" })).answer.reason, "image-not-found");
    const other = { ...task, credentials: { username: "ci", password: "wrong" } };
    const { answer } = await ask(other);
    assert.equal(answer.reason, "registry-access-denied");
    assert.ok(!JSON.stringify(answer).includes("wrong"));
  });
});
