import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { after, before, describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { Miniflare } from "miniflare";
import { createEnvelope } from "../dsse/mod.ts";
import { encodePem } from "../internal/pem.ts";
import { createStatement } from "../intoto/mod.ts";
import { generateSigner } from "../keys/mod.ts";
import { bundleEntry } from "./package/bundle.ts";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const SHA256 = "2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae";

describe("examples/worker", () => {
  let worker: Miniflare;
  let attestation: object;

  before(async () => {
    const { signer, trustedKey } = await generateSigner("Ed25519", { name: "ci" });
    const statement = createStatement({
      subject: [{ name: "foo", digest: { sha256: SHA256 } }],
      predicateType: "https://example.com/test/v1",
      predicate: {},
    });
    attestation = await createEnvelope("application/vnd.in-toto+json", statement, signer);
    const example = `${ROOT}testdata/example/trusted_root.json`;
    worker = new Miniflare({
      modules: [{
        type: "ESModule",
        path: "worker.js",
        contents: await bundleEntry(`${ROOT}examples/worker/worker.ts`),
      }],
      compatibilityDate: "2026-07-01",
      bindings: {
        PUBLIC_KEY: encodePem("PUBLIC KEY", trustedKey.spki),
        ...(existsSync(example) ? { TRUSTED_ROOT: readFileSync(example, "utf8") } : {}),
      },
    });
  });

  after(() => worker.dispose());

  async function post(body: unknown): Promise<{ status: number; report: Record<string, unknown> }> {
    const answer = await worker.dispatchFetch("http://worker/verify", {
      method: "POST",
      body: typeof body === "string" ? body : JSON.stringify(body),
    });
    return { status: answer.status, report: await answer.json() as Record<string, unknown> };
  }

  test("answers 200 and the report when the attestation verifies", async () => {
    const { status, report } = await post({ attestation, digest: { sha256: SHA256 } });
    assert.equal(status, 200, JSON.stringify(report));
    assert.equal(report.verificationResult, "PASSED");
  });

  test("answers 422 and the reason for another artifact", async () => {
    const { status, report } = await post({ attestation, digest: { sha256: "0".repeat(64) } });
    assert.equal(status, 422);
    assert.equal(report.errorReason, "subject-mismatch");
  });

  test("answers 422 for another predicate type than the one expected", async () => {
    const { status, report } = await post({
      attestation,
      digest: { sha256: SHA256 },
      predicateType: "https://example.com/other/v1",
    });
    assert.equal(status, 422);
    assert.equal(report.errorReason, "predicate-type-mismatch");
  });

  test("answers 400 to what is no request", async () => {
    for (const body of ["", "<html>", "[]", "{}", { attestation }, { attestation, digest: 1 }]) {
      const { status, report } = await post(body);
      assert.equal(status, 400, JSON.stringify([body, report]));
    }
  });

  test("answers 413 to a body that is too large", async () => {
    const { status } = await post(`{"attestation":"${"a".repeat(5 << 20)}"}`);
    assert.equal(status, 413);
  });

  test("answers 404 and 405 elsewhere", async () => {
    const get = await worker.dispatchFetch("http://worker/verify");
    assert.equal(get.status, 405);
    await get.text();
    const other = await worker.dispatchFetch("http://worker/", { method: "POST", body: "{}" });
    assert.equal(other.status, 404);
    await other.text();
  });
});
