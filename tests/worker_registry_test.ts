import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { Miniflare } from "miniflare";
import { createApiKey, Database } from "../store/sql/mod.ts";
import { type D1Binding, d1Driver } from "../store/sql/d1.ts";
import { bundleEntry } from "./package/bundle.ts";
import { cardDigest, provenanceOf, signaturePolicy, testSigners } from "./registry/fixture.ts";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const URN = "urn:acme:app";
const CARD = { name: "app" };

interface TestBucket {
  get(key: string): Promise<{ text(): Promise<string> } | null>;
  put(key: string, value: string): Promise<unknown>;
  delete(key: string): Promise<void>;
}

describe("examples/worker-registry", () => {
  let worker: Miniflare;
  let key: string;

  before(async () => {
    worker = new Miniflare({
      modules: [{
        type: "ESModule",
        path: "worker.js",
        contents: await bundleEntry(`${ROOT}examples/worker-registry/worker.ts`),
      }],
      compatibilityDate: "2026-07-01",
      bindings: { POLICY: JSON.stringify(await signaturePolicy()) },
      d1Databases: ["DB"],
      r2Buckets: ["ENVELOPES"],
    });
    const binding = await worker.getD1Database("DB") as unknown as D1Binding;
    const db = await Database.open(d1Driver(binding));
    ({ key } = await createApiKey(db, { name: "edge", urnPrefix: "urn:acme" }));
  });

  after(() => worker.dispose());

  async function send(method: string, path: string, body?: unknown) {
    const answer = await worker.dispatchFetch(`http://registry${path}`, {
      method,
      headers: { "x-api-key": key, "content-type": "application/json" },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    // deno-lint-ignore no-explicit-any
    return { status: answer.status, body: await answer.json() as any };
  }

  const put = (urn: string, card: object, provenance: unknown) =>
    send("PUT", `/v1/registry/${urn}`, { urn, card, provenance });

  test("keeps a manifest with good provenance, and gives it back", async () => {
    const { status, body } = await put(URN, CARD, await provenanceOf(URN, CARD));
    assert.equal(status, 201, JSON.stringify(body));
    const found = await send("GET", `/v1/registry/${URN}`);
    assert.equal(found.body.provenance.verdict, "PASSED");
    assert.deepEqual(found.body.card, CARD);
    const about = await send("GET", `/v1/attestations/sha256:${cardDigest(CARD)}`);
    assert.equal(about.body.attestations.length, 1);
    const verdict = await send("GET", `/v1/registry/${URN}/verdict`);
    assert.equal(verdict.body.ok, true);
  });

  test("refuses what has none, or that of a stranger or another card", async () => {
    const { stranger } = await testSigners();
    const cases: [string, unknown][] = [
      ["missing-provenance", null],
      ["invalid-signature", await provenanceOf(URN, CARD, { signer: stranger })],
      ["subject-mismatch", await provenanceOf(URN, { other: true })],
      ["subject-name-mismatch", await provenanceOf("urn:acme:other", CARD)],
    ];
    for (const [reason, provenance] of cases) {
      const { status, body } = await put(URN, CARD, provenance);
      assert.deepEqual([status, body.reason], [422, reason]);
    }
    assert.equal((await put("urn:other:app", CARD, null)).status, 403);
  });

  test("keeps a large envelope in R2, byte for byte", async () => {
    const urn = "urn:acme:large";
    const provenance = await provenanceOf(urn, CARD, { note: "x".repeat(200_000) });
    const { status, body } = await put(urn, CARD, provenance);
    assert.equal(status, 201, JSON.stringify(body));
    const [{ id }] = body.attestations;
    const bucket = await worker.getR2Bucket("ENVELOPES") as unknown as TestBucket;
    const object = await bucket.get(id);
    assert.deepEqual(JSON.parse(await object!.text()), provenance);
    const answer = await worker.dispatchFetch(`http://registry/v1/envelopes/${id}`);
    assert.equal(answer.status, 200);
    assert.equal(await answer.text(), JSON.stringify(provenance));
    assert.equal((await send("GET", `/v1/registry/${urn}/verdict`)).body.ok, true);
    // What is gone from R2 is told, and what was altered is no attestation.
    await bucket.put(id, "{}");
    assert.equal((await send("GET", `/v1/envelopes/${id}`)).body.reason, "content-mismatch");
    await bucket.delete(id);
    assert.equal((await send("GET", `/v1/envelopes/${id}`)).status, 503);
    // Putting it again repairs nothing silently: it is unchanged, and still missing.
    assert.equal((await send("GET", `/v1/registry/${urn}`)).status, 200);
  });

  test("answers health, readiness and the API", async () => {
    for (const path of ["/healthz", "/readyz", "/openapi.json"]) {
      assert.equal((await send("GET", path)).status, 200, path);
    }
  });
});
