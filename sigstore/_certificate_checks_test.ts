import { deepStrictEqual as deepEqual, strictEqual as equal } from "node:assert/strict";
import { describe, it } from "node:test";
import type { JsonObject } from "../internal/json.ts";
import {
  BLOB,
  bundleOf,
  edited,
  ENVELOPE,
  rootOf,
  theInstance,
  verifyAgainst,
} from "../tests/fixtures/sigstore.ts";
import { issueLeaf } from "../tools/pki/ca.ts";
import { basicConstraints } from "../tools/pki/certificate.ts";
import {
  END,
  GITHUB_ISSUER,
  LEAF_END,
  LEAF_START,
  logged,
  rekor,
  trustedCa,
  WORKFLOW,
} from "../tools/pki/instance.ts";
import { testKey } from "../tools/pki/keys.ts";
import type { SigstoreTrust } from "./sigstore_trust.ts";
import type { TrustedRoot } from "./trusted_root.ts";

const ENTRY = "/verificationMaterial/tlogEntries/0";
const AUTHORITY_KEY_ID = "2.5.29.35";
const KEY_USAGE = "2.5.29.15";

/** Reason of each check that is not passed, by its id. */
async function refusals(
  bundle: JsonObject,
  changes: Partial<SigstoreTrust> = {},
): Promise<Record<string, string>> {
  const { checks } = await verifyAgainst(bundle, changes);
  return Object.fromEntries(
    checks.filter(({ outcome }) => outcome !== "passed")
      .map(({ id, outcome, reason }) => [id, reason ?? outcome]),
  );
}

/** A root that trusts these chains, one authority each. */
async function trusting(...chains: Uint8Array[][]): Promise<TrustedRoot> {
  const { authority } = await theInstance();
  const certificateAuthorities = chains.map((chain) => ({ ...trustedCa(authority), chain }));
  return await rootOf({ certificateAuthorities });
}

const MISUSED = {
  "envelope.certificate": "invalid-certificate-usage",
  "envelope.certificate-validity": "untrusted-certificate",
};

describe("checkCertificate()", () => {
  const misused = {
    "for servers": { purposes: ["1.3.6.1.5.5.7.3.1"] },
    "without a purpose": { purposes: [] },
    "without an extended key usage": { omit: ["2.5.29.37"] },
    "without a key usage": { omit: [KEY_USAGE] },
    "whose key signs certificates only": { keyUse: "certificates" as const },
    "of an authority": { extra: [basicConstraints(true)] },
  };
  for (const [what, leaf] of Object.entries(misused)) {
    it(`refuses a certificate ${what}`, async () => {
      deepEqual(await refusals(await bundleOf({ ...BLOB, leaf })), MISUSED);
    });
  }

  it("takes a certificate that says that it is no authority's", async () => {
    const json = await bundleOf({ ...BLOB, leaf: { extra: [basicConstraints(false)] } });
    deepEqual(await refusals(json), {});
  });

  it("records why there is no path, and what cannot be judged without one", async () => {
    const { otherAuthority } = await theInstance();
    const root = await trusting([otherAuthority.intermediate, otherAuthority.root]);
    deepEqual(await refusals(await bundleOf({ ...BLOB }), { trustedRoots: [root] }), {
      "envelope.certificate": "untrusted-certificate",
      "envelope.certificate-validity": "untrusted-certificate",
      "envelope.sct": "untrusted-certificate",
    });
  });

  it("records each check that is passed, in order", async () => {
    const { checks } = await verifyAgainst(await bundleOf({ ...ENVELOPE }));
    equal(checks[1].message, "The signature is by the certificate's key");
    deepEqual(checks.map(({ id }) => id.slice("envelope.".length)), [
      "certificate",
      "signature",
      "log-entry",
      "log",
      "time",
      "certificate-validity",
      "sct",
      "identity",
      "identity",
    ]);
  });
});

describe("checkValidity()", () => {
  it("takes no time that nothing proves, also where no time is needed", async () => {
    const json = edited(await bundleOf({ ...BLOB }), `${ENTRY}/inclusionPromise`, undefined);
    deepEqual(await refusals(json, { thresholds: { timestamp: 0 } }), {
      "envelope.certificate-validity": "timestamp-threshold-not-met",
    });
  });

  it("does not look at the time of a log that nobody trusts", async () => {
    const json = await bundleOf({
      ...BLOB,
      entries: async (made) => [
        ...await rekor(made),
        await logged(made, { log: made.instance.otherRekor, integratedTime: END }),
      ],
    });
    deepEqual(await refusals(json), {});
  });
});

describe("certificateScts()", () => {
  const unnamed = { ...BLOB, leaf: { omit: [AUTHORITY_KEY_ID] } };

  it("asks the issuer that signed, among two of one name", async () => {
    const { authority, otherAuthority } = await theInstance();
    const chains = [authority, otherAuthority].map((one) => [one.intermediate, one.root]);
    const json = await bundleOf(unnamed);
    for (const both of [chains, chains.toReversed()]) {
      deepEqual(await refusals(json, { trustedRoots: [await trusting(...both)] }), {});
    }
  });

  it("asks the issuer that came with the bundle, beside a trusted one of its name", async () => {
    const { authority, otherAuthority } = await theInstance();
    const root = await trusting([otherAuthority.intermediate, otherAuthority.root], [
      authority.root,
    ]);
    const chain = [authority.intermediate];
    const json = await bundleOf({ ...unnamed, version: "v0.2", chain });
    deepEqual(await refusals(json, { trustedRoots: [root] }), {});
  });

  it("refuses a certificate that is trusted itself, and has no issuer to ask", async () => {
    const { authority } = await theInstance();
    const leaf = await issueLeaf(authority, {
      key: await testKey("leaf-p256"),
      san: { type: "uri", value: WORKFLOW },
      issuer: GITHUB_ISSUER,
      notBefore: LEAF_START,
      notAfter: LEAF_END,
      scts: [],
    });
    const json = await bundleOf({ ...BLOB, leaf: { scts: [] } });
    deepEqual(await refusals(json, { trustedRoots: [await trusting([leaf])] }), {
      "envelope.sct": "invalid-sct",
    });
  });
});

describe("thresholds beside the certificate's own time", () => {
  const unsafelyTrustCertificateTime = true;

  it("are those of before, but for times", async () => {
    const bare = await bundleOf({ ...BLOB, entries: () => Promise.resolve([]) });
    deepEqual(await refusals(bare, { unsafelyTrustCertificateTime }), {
      "envelope.log": "log-threshold-not-met",
    });
    const withoutScts = await bundleOf({ ...BLOB, leaf: { scts: [] } });
    deepEqual(await refusals(withoutScts, { unsafelyTrustCertificateTime }), {
      "envelope.sct": "sct-threshold-not-met",
    });
  });

  it("ask for a time unless the caller says so", async () => {
    const bare = await bundleOf({ ...BLOB, entries: () => Promise.resolve([]) });
    deepEqual(await refusals(bare), {
      "envelope.log": "log-threshold-not-met",
      "envelope.time": "timestamp-threshold-not-met",
      "envelope.certificate-validity": "timestamp-threshold-not-met",
    });
  });
});
