import assert from "node:assert/strict";
import { before, describe, it } from "node:test";
import { generateSigner, type TrustedKey } from "../keys/mod.ts";
import type { Envelope } from "./envelope.ts";
import { createEnvelope } from "./sign.ts";
import { verifyEnvelopes } from "./verify_many.ts";

describe("verifyEnvelopes()", () => {
  let good: Envelope;
  let key: TrustedKey;

  before(async () => {
    const { signer, trustedKey } = await generateSigner("Ed25519", { name: "ci" });
    key = trustedKey;
    good = await createEnvelope("text/plain", new Uint8Array([1]), signer);
  });

  it("answers in the order of the source, however long the single ones take", async () => {
    const slow: TrustedKey = {
      ...key,
      verify: async (data, signature) => {
        await new Promise((resolve) => setTimeout(resolve, 20));
        return await key.verify(data, signature);
      },
    };
    const bad = { ...good, payload: "AA==" };
    const source = Array.from(
      { length: 200 },
      (_, i) => i % 3 === 0 ? bad : i % 7 === 0 ? {} : good,
    );
    const wanted = source.map((one) =>
      one === good ? null : one === bad ? "invalid-signature" : "malformed-envelope"
    );
    const reasons: (string | null)[] = [];
    for await (const { errorReason } of verifyEnvelopes(source, { keys: [slow] })) {
      reasons.push(errorReason);
    }
    assert.deepEqual(reasons, wanted);
  });

  it("reads at most 64 ahead of the answers that are taken", async () => {
    let read = 0;
    async function* endless(): AsyncGenerator<Envelope> {
      for (;;) {
        read++;
        yield await Promise.resolve(good);
      }
    }
    let taken = 0;
    for await (const { ok } of verifyEnvelopes(endless(), { keys: [key] })) {
      assert.ok(ok);
      assert.ok(read <= ++taken + 63, `${read} read, ${taken} taken`);
      // As many are under way at once, from the first one on.
      assert.equal(read, taken + 63);
      if (taken === 300) break;
    }
  });

  it("answers nothing for an empty source", async () => {
    for await (const result of verifyEnvelopes([], { keys: [key] })) {
      throw new Error(`Unexpected ${result.errorReason}`);
    }
  });

  it("throws for wrong trust before it reads", async () => {
    let read = false;
    function* source(): Generator<Envelope> {
      read = true;
      yield good;
    }
    await assert.rejects(() => verifyEnvelopes(source(), { keys: [] }).next(), TypeError);
    const threshold = { keys: [key], threshold: 2 };
    await assert.rejects(() => verifyEnvelopes(source(), threshold).next(), TypeError);
    assert.equal(read, false);
  });

  it("passes on what the source throws", async () => {
    async function* broken(): AsyncGenerator<Envelope> {
      yield await Promise.resolve(good);
      throw new RangeError("torn");
    }
    await assert.rejects(async () => {
      for await (const { ok } of verifyEnvelopes(broken(), { keys: [key] })) assert.ok(ok);
    }, RangeError);
  });
});
