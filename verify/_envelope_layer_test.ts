import { deepStrictEqual as deepEqual, ok, strictEqual as equal } from "node:assert/strict";
import { describe, it } from "node:test";
import { compilePolicy, parsePolicy } from "../policy/mod.ts";
import { generateSigner, importTrustedKey } from "../keys/mod.ts";
import { ARTIFACT, bundleOf, ENVELOPE, IDENTITY, rootOf } from "../tests/fixtures/sigstore.ts";
import { encodePem } from "../internal/pem.ts";
import { testKey } from "../tools/pki/keys.ts";
import { ABC, brief, ciKey, signed, statementAbout } from "./_fixtures_test.ts";
import { type AttestationReport, verify, type VerifyOptions } from "./mod.ts";

const KEY = "managed";
const EXPECTATION = "envelope.identity-expectation";

/** A bundle that is signed with a key. */
const keyed = () => bundleOf({ ...ENVELOPE, key: KEY, hint: "managed" });

const managed = async () => await importTrustedKey((await testKey(KEY)).spki, { name: "managed" });

async function ofBundle(bundle: object, options: VerifyOptions): Promise<AttestationReport> {
  const { trust, ...rest } = options;
  const report = await verify(bundle, ARTIFACT, {
    ...rest,
    trust: { trustedRoots: [await rootOf()], onlyRoot: true, ...trust },
  });
  return report.artifacts[0].attestations[0];
}

describe("verifyEnvelopeLayer()", () => {
  it("does not take the one signature of a bundle for as many as the threshold says", async () => {
    const other = await generateSigner("ES256");
    const keys = [await managed(), other.trustedKey];
    const bundle = await keyed();
    equal((await ofBundle(bundle, { trust: { keys } })).errorReason, null);
    equal((await ofBundle(bundle, { trust: { keys, threshold: 1 } })).errorReason, null);
    const one = await ofBundle(bundle, { trust: { keys, threshold: 2 } });
    equal(one.errorReason, "threshold-not-met");
    deepEqual(one.signers, []);
    equal(one.statement, undefined);
  });

  it("does not count a certificate by the threshold of keys, but by the identity", async () => {
    const other = await generateSigner("ES256");
    const trust = { keys: [await managed(), other.trustedKey], threshold: 2 };
    const expect = { identity: IDENTITY };
    equal((await ofBundle(await bundleOf(ENVELOPE), { trust, expect })).errorReason, null);
  });

  it("tells the key of a bundle as its signer", async () => {
    const key = await managed();
    const one = await ofBundle(await keyed(), { trust: { keys: [key] }, evidence: true });
    deepEqual(one.evidence?.signers.map(({ kind, distinct }) => [kind, distinct]), [
      ["key", key.fingerprint],
    ]);
  });

  it("says that anybody is accepted only where the caller has chosen it", async () => {
    const bundle = await bundleOf(ENVELOPE);
    const outcomes = (one: AttestationReport) =>
      one.checks.filter(({ id }) => id === EXPECTATION).map(({ outcome }) => outcome);
    const chosen = await ofBundle(bundle, { unsafelyAcceptAnyIdentity: true });
    deepEqual(outcomes(chosen), ["skipped"]);
    const stated = await ofBundle(bundle, { expect: { identity: IDENTITY } });
    equal(stated.errorReason, null);
    ok(!outcomes(stated).includes("skipped"));
    const missing = await ofBundle(bundle, {});
    deepEqual(outcomes(missing), ["failed"]);
    // Whom a policy expects, or a recognised builder, is judged by a check of its own.
    const sourceUri = "git+https://github.com/example/hello";
    deepEqual(outcomes(await ofBundle(bundle, { expect: { provenance: { sourceUri } } })), []);
    // An identity that says too little is not made up for by a source.
    const half = { identity: { issuer: IDENTITY.issuer }, provenance: { sourceUri } };
    const incomplete = await ofBundle(bundle, { expect: half as VerifyOptions["expect"] });
    deepEqual(outcomes(incomplete), ["failed"]);
    equal(incomplete.errorReason, "missing-identity-expectation");
    const { spki } = await testKey(KEY);
    const policy = await compilePolicy(parsePolicy({
      type: "attest-policy/v1",
      trust: { keys: { managed: { publicKey: encodePem("PUBLIC KEY", spki) } }, roots: [] },
      rules: [{ id: "r", require: [{ id: "a" }] }],
    }));
    const judged = await verify(bundle, ARTIFACT, { policy });
    deepEqual(outcomes(judged.artifacts[0].attestations[0]), []);
  });

  it("keeps all other checks that were skipped", async () => {
    const bundle = await bundleOf({ ...ENVELOPE, entries: () => Promise.resolve([]) });
    const options = { expect: { identity: IDENTITY }, thresholds: { log: 0, timestamp: 0 } };
    const { checks } = await ofBundle(bundle, {
      ...options,
      unsafelyTrustCertificateTime: true,
    });
    ok(checks.some(({ outcome }) => outcome === "skipped"), JSON.stringify(checks));
  });

  it("takes the formats that are expected only, and says which it is", async () => {
    const { trustedKey } = await ciKey();
    const envelope = await signed(statementAbout(["abc"]));
    const of = async (formats: string[]) =>
      brief(
        await verify(envelope, ABC, {
          trust: { keys: [trustedKey] },
          expect: { formats: formats as [] },
        }),
      );
    equal(await of(["jws", "dsse"]), "ok: ok[ok]");
    const refused = "format-not-accepted: format-not-accepted[format-not-accepted]";
    equal(await of(["sigstore-bundle"]), refused);
    equal(await of([]), refused);
    const expect = { identity: IDENTITY };
    const [format] = (await ofBundle(await bundleOf(ENVELOPE), { expect })).checks;
    equal(format.id, "envelope.format");
    ok(/^A Sigstore bundle, version 0\.3/.test(format.message), format.message);
  });
});
