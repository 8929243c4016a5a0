import {
  deepStrictEqual as deepEqual,
  ok,
  rejects,
  strictEqual as equal,
} from "node:assert/strict";
import { describe, it } from "node:test";
import type { Envelope } from "../dsse/mod.ts";
import { decodeBase64 } from "../internal/base64.ts";
import { encodePem } from "../internal/pem.ts";
import { generateSigner, importTrustedKey } from "../keys/mod.ts";
import { cosignLayer, layerJson } from "../tests/fixtures/oci.ts";
import { ARTIFACT, bundleOf, ENVELOPE, IDENTITY, rootOf } from "../tests/fixtures/sigstore.ts";
import { type Recipe, WORKFLOW } from "../tools/pki/instance.ts";
import { testKey } from "../tools/pki/keys.ts";
import { ABC, ciKey, signed, statementAbout } from "./_fixtures_test.ts";
import { checkOptions, sigstoreTrust } from "./_settings.ts";
import { DEFAULT_LIMITS, loadAttestations } from "./load.ts";
import { type AttestationReport, verify, type VerifyOptions } from "./mod.ts";

const NONE = () => Promise.resolve([]);

/** Nobody vouches for its time, so none is asked for. */
const ALONE: VerifyOptions = {
  thresholds: { log: 0, timestamp: 0 },
  unsafelyTrustCertificateTime: true,
};

/** An envelope whose signature holds its certificate. */
async function certified(): Promise<object> {
  const bundle = await bundleOf({ ...ENVELOPE, entries: NONE }) as unknown as {
    dsseEnvelope: Envelope;
    verificationMaterial: { certificate: { rawBytes: string } };
  };
  const cert = encodePem(
    "CERTIFICATE",
    decodeBase64(bundle.verificationMaterial.certificate.rawBytes),
  );
  const { signatures: [first], ...envelope } = bundle.dsseEnvelope;
  return { ...envelope, signatures: [{ ...first, cert }] };
}

async function reportOf(input: object, options: VerifyOptions): Promise<AttestationReport> {
  const { artifacts } = await verify(input, ARTIFACT, options);
  return artifacts[0].attestations[0];
}

async function keyless(more: VerifyOptions = {}): Promise<VerifyOptions> {
  return {
    ...more,
    trust: { trustedRoots: [await rootOf()], onlyRoot: true },
    expect: { identity: IDENTITY },
  };
}

describe("verify() and the certificate in an envelope's signature", () => {
  it("is read where no key is given, and else the keys decide", async () => {
    const envelope = await certified();
    const byCertificate = await reportOf(envelope, await keyless(ALONE));
    deepEqual([byCertificate.errorReason, byCertificate.signers], [null, [WORKFLOW]]);
    const key = await importTrustedKey((await testKey("leaf-p256")).spki, { name: "leaf" });
    const byKey = await reportOf(envelope, { trust: { keys: [key] } });
    deepEqual([byKey.errorReason, byKey.signers], [null, ["leaf"]]);
    equal(byKey.identity, undefined);
    const { trustedKey } = await generateSigner("ES256");
    const options = await keyless(ALONE);
    const other = { ...options, trust: { ...options.trust, keys: [trustedKey] } };
    equal((await reportOf(envelope, other)).errorReason, "invalid-signature");
  });

  it("is looked for in signatures of any form", async () => {
    const envelope = await signed(statementAbout(["abc"]));
    const [first] = envelope.signatures;
    const rows: [unknown, string][] = [
      [[{ ...first, cert: null }], "missing-trusted-key"],
      [[{ ...first, cert: [] }], "missing-trusted-key"],
      [[{ ...first, cert: "x" }, first], "missing-trusted-key"],
      [[{ ...first, cert: "x" }], "malformed-pem"],
      [[], "missing-signatures"],
      [["x"], "malformed-envelope"],
      [[null], "malformed-envelope"],
      [{}, "malformed-envelope"],
      [null, "malformed-envelope"],
      [7, "malformed-envelope"],
      ["x", "malformed-envelope"],
    ];
    for (const [signatures, reason] of rows) {
      const { errorReason } = await reportOf({ ...envelope, signatures }, {});
      equal(errorReason, reason, JSON.stringify(signatures));
    }
  });
});

describe("verify() and what an attestation was read as", () => {
  it("names the form, and finds the type of the payload in it", async () => {
    const layer = async (recipe: Partial<Recipe>) =>
      layerJson(cosignLayer(await bundleOf({ ...ENVELOPE, version: "v0.1", ...recipe })));
    const key = await importTrustedKey((await testKey("leaf-p256")).spki);
    const keyed: VerifyOptions = { trust: { keys: [key], onlyRoot: true }, ...ALONE };
    const withCertificate = "A DSSE envelope that carries its certificate";
    const rows: [object, VerifyOptions, string][] = [
      [await certified(), await keyless(ALONE), withCertificate],
      [await layer({}), await keyless(), withCertificate],
      [await certified(), keyed, "A DSSE envelope"],
      // A log entry beside it makes no certificate.
      [await layer({ hint: "" }), { ...await keyless(), ...keyed, expect: {} }, "A DSSE envelope"],
    ];
    for (const [input, options, message] of rows) {
      const { format, checks } = await reportOf(input, options);
      const told = checks.filter(({ id }) => /^envelope\.(format|payload-type)$/.test(id));
      deepEqual([format, told.map(({ message, path }) => [message, path])], ["dsse", [
        [message, undefined],
        ["The payload is an in-toto Statement", "/payloadType"],
      ]]);
    }
  });
});

describe("sigstoreTrust()", () => {
  it("adds the public-good root where a bundle is met, and only if others may count", async () => {
    const root = await rootOf();
    const bundle = await loadAttestations(await bundleOf(ENVELOPE), 0, DEFAULT_LIMITS);
    const envelope = await loadAttestations(
      await signed(statementAbout(["abc"])),
      0,
      DEFAULT_LIMITS,
    );
    const names = async (loaded: typeof bundle, trust: VerifyOptions["trust"]) => {
      const found = await sigstoreTrust({ trust, expect: { identity: IDENTITY } }, loaded);
      return found?.trustedRoots.map(({ name }) => name.replace(/ \(.*/, ""));
    };
    const [test, publicGood] = [root.name, "Sigstore public good"];
    deepEqual(await names(bundle, {}), [publicGood]);
    deepEqual(await names(bundle, { trustedRoots: [root] }), [test, publicGood]);
    deepEqual(await names(bundle, { trustedRoots: [root], onlyRoot: false }), [test, publicGood]);
    deepEqual(await names(bundle, { trustedRoots: [root], onlyRoot: true }), [test]);
    deepEqual(await names(bundle, { onlyRoot: true }), []);
    // Who meets no bundle loads no root.
    deepEqual(await names(envelope, { trustedRoots: [root] }), [test]);
    equal(await sigstoreTrust({}, envelope), undefined);
    ok(await sigstoreTrust({}, bundle));
    ok(await sigstoreTrust({ thresholds: { log: 1 } }, envelope));
  });
});

describe("checkOptions()", () => {
  it("says which value is not of its form", async () => {
    const { trustedKey } = await ciKey();
    const trust = { keys: [trustedKey] };
    const rows: [object, string][] = [
      [{ now: "2026-01-01T00:00:00Z" }, "now is not a Date"],
      [{ now: { getTime: () => 0 } }, "now is not a Date"],
      [{ now: new Date(NaN) }, "now is not a Date"],
      [{ concurrency: 0 }, "concurrency is 0, wanted an integer >= 1"],
      [{ limits: { maxSubjects: 1.5 } }, "maxSubjects is 1.5, wanted an integer >= 1"],
      [{ trust: { ...trust, threshold: 0 } }, "trust.threshold is 0, wanted an integer >= 1"],
      [
        { trust: { ...trust, threshold: 2 } },
        "trust.threshold is 2, but only 1 distinct keys are given",
      ],
      [{ trust: { onlyRoot: 1 } }, "onlyRoot is neither true nor false"],
      [{ evidence: "no" }, "evidence is neither true nor false"],
      [{ expect: { predicateType: [] } }, "expect.predicateType is empty"],
      [{ expect: { subjects: "some" } }, 'expect.subjects is "some", wanted any, all or exact'],
      [{ trust: { keySets: {} } }, "trust.keySets is not an array"],
    ];
    for (const [options, message] of rows) {
      const own = { now: new Date(0), ...options } as VerifyOptions;
      await rejects(checkOptions(own), { name: "TypeError", message });
    }
    const envelope = await signed(statementAbout(["abc"]));
    await rejects(verify(envelope, ABC, { now: "today" as never }), {
      message: "now is not a Date",
    });
  });
});
