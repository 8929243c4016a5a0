import { deepStrictEqual as deepEqual, strictEqual as equal } from "node:assert/strict";
import { describe, it } from "node:test";
import { generateSigner, type TrustedKey } from "../keys/mod.ts";
import { ABC, brief, ciKey, signed, statementAbout } from "./_fixtures_test.ts";
import { verify, type VerifyOptions } from "./mod.ts";

async function run(
  attestations: Parameters<typeof verify>[0],
  options: VerifyOptions = {},
  artifact: Uint8Array | undefined = ABC,
) {
  const { trustedKey } = await ciKey();
  return await verify(attestations, artifact, { trust: { keys: [trustedKey] }, ...options });
}

describe("verify() of several attestations", () => {
  it("takes as many as the limit says, over all inputs together", async () => {
    const envelope = await signed(statementAbout(["abc"]));
    const lines = (count: number) => `${JSON.stringify(envelope)}\n`.repeat(count);
    const of = async (...inputs: (string | object)[]) =>
      brief(await run(inputs, { limits: { maxAttestations: 3 } }));
    const all = "ok: ok[ok ok ok]";
    const more = "ok: ok[ok ok ok limit-exceeded]";
    equal(await of(envelope, envelope, envelope), all);
    equal(await of(envelope, envelope, envelope, envelope), more);
    equal(await of(envelope, envelope, envelope, envelope, envelope), more);
    equal(await of(lines(2), envelope), all);
    equal(await of(envelope, lines(2)), all);
    equal(await of(envelope, lines(3)), more);
    equal(await of(lines(3), "{}"), more);
    const report = await run(Array(4).fill(envelope), { limits: { maxAttestations: 3 } });
    deepEqual(report.artifacts[0].attestations.map(({ source, format }) => [source, format]), [
      ["attestation 1", "dsse"],
      ["attestation 2", "dsse"],
      ["attestation 3", "dsse"],
      ["attestation 4", "unknown"],
    ]);
  });

  it("tells of one whose key breaks, and of the others too", async () => {
    const { trustedKey } = await ciKey();
    const other = await generateSigner("Ed25519");
    let isBroken = false;
    // A key that is elsewhere is foreign code: it may fail at any moment.
    const broken: TrustedKey = Object.defineProperty({ ...other.trustedKey }, "name", {
      get: () => {
        if (isBroken) throw new RangeError("the device is gone");
        return "elsewhere";
      },
    });
    broken.verify = async (data, signature) =>
      isBroken = await other.trustedKey.verify(data, signature);
    const statement = statementAbout(["abc"]);
    const envelopes = [await signed(statement, other.signer), await signed(statement)];
    const report = await run(envelopes, { trust: { keys: [broken, trustedKey] }, concurrency: 1 });
    equal(brief(report), "ok: ok[internal-error ok]");
    const [{ signers, checks, ...rest }] = report.artifacts[0].attestations;
    equal("statement" in rest, false);
    deepEqual(signers, []);
    deepEqual(checks, [{
      id: "envelope.signature",
      layer: "envelope",
      outcome: "failed",
      message: "Cannot verify: an unexpected error",
      reason: "internal-error",
    }]);
  });
});
