import { deepStrictEqual as deepEqual, ok, strictEqual as equal } from "node:assert/strict";
import { describe, it } from "node:test";
import { encodeBase64 } from "../internal/base64.ts";
import { children, parseDer } from "../internal/der.ts";
import { createAuthority, TIME_STAMPING } from "../tools/pki/ca.ts";
import {
  basicConstraints,
  certificate,
  extendedKeyUsage,
  keyUsage,
} from "../tools/pki/certificate.ts";
import { distinguishedName } from "../tools/pki/der_writer.ts";
import { testKey } from "../tools/pki/keys.ts";
import { timestamp } from "../tools/pki/tsa.ts";
import { ABC_SHA256, b64 } from "./_fixtures_test.ts";
import {
  AFTER,
  authority,
  chainOf,
  CODE,
  dates,
  HEADER,
  PAYLOAD,
  sample,
  SCHEME,
  TYPE,
  WITHIN,
} from "./_notation_fixtures_test.ts";
import { type CertificateTrustOptions, createCertificateTrust, verifyFormat } from "./mod.ts";

async function reason(
  source: string,
  trust: Partial<CertificateTrustOptions> = {},
  now = WITHIN,
): Promise<string> {
  const { root } = await authority();
  const certificates = createCertificateTrust({
    authorities: [root],
    identities: ["O=acme, CN=release"],
    ...trust,
  });
  const result = await verifyFormat(source, { certificates, now });
  return result.ok ? "ok" : result.errorReason;
}

describe("verifyFormat() of a Notation JWS", () => {
  it("accepts a chain to the trust store, and reads the artifact", async () => {
    const { root } = await authority();
    const certificates = createCertificateTrust({
      authorities: [root],
      identities: ["CN=release"],
    });
    const result = await verifyFormat(await sample(), { certificates, now: WITHIN });
    ok(result.ok);
    equal(result.signers[0].name, "O=acme, CN=release");
    deepEqual(result.envelope.messageType, { value: TYPE, authenticated: true });
    deepEqual(result.envelope.unauthenticated, { signingAgent: "test/1" });
    ok("statement" in result.statement);
    deepEqual(result.statement.statement.subject[0].digest, { sha256: ABC_SHA256 });
    deepEqual(result.statement.implicit, ["predicateType"]);
  });

  it("refuses whoever is not expected, and any chain that ends elsewhere", async () => {
    equal(await reason(await sample(), { identities: ["CN=other"] }), "identity-mismatch");
    equal(await reason(await sample(), { identities: ["O=acme, OU=x"] }), "identity-mismatch");
    equal(await reason(await sample(), { identities: ["CN=x", "CN=release"] }), "ok");
    const other = await certificate({
      serial: 3,
      issuer: distinguishedName("mallory", "root"),
      subject: distinguishedName("mallory", "root"),
      ...dates,
      spki: (await testKey("other-root")).spki,
      extensions: [keyUsage("certificates"), basicConstraints(true, 1)],
    }, await testKey("other-root"));
    equal(await reason(await sample(), { authorities: [other] }), "untrusted-certificate");
    const self = await certificate({
      serial: 4,
      issuer: distinguishedName("acme", "release"),
      subject: distinguishedName("acme", "release"),
      ...dates,
      spki: (await testKey("leaf-p256")).spki,
      extensions: [keyUsage("sign")],
    }, await testKey("leaf-p256"));
    equal(await reason(await sample({ chain: [self] })), "untrusted-certificate");
    equal(await reason(await sample({ chain: [self] }), { authorities: [self] }), "ok");
    equal(
      (await verifyFormat(await sample(), {})).ok === false &&
        (await verifyFormat(await sample(), {}) as { errorReason: string }).errorReason,
      "untrusted-certificate",
    );
  });

  it("refuses a certificate that is not for signing code alone", async () => {
    for (
      const extensions of [
        [keyUsage("certificates"), basicConstraints(false)],
        [keyUsage("sign"), extendedKeyUsage([CODE, TIME_STAMPING])],
        [keyUsage("sign"), extendedKeyUsage([CODE, "2.5.29.37.0"])],
        [extendedKeyUsage([CODE])],
        [keyUsage("sign"), basicConstraints(true), extendedKeyUsage([CODE])],
      ]
    ) {
      const source = await sample({ chain: await chainOf(extensions) });
      equal(await reason(source), "invalid-certificate-usage");
    }
    const leaf = await chainOf([keyUsage("sign"), extendedKeyUsage([CODE, "1.3.6.1.5.5.7.3.1"])]);
    equal(await reason(await sample({ chain: leaf })), "invalid-certificate-usage");
  });

  it("refuses what another key signed, and altered parts", async () => {
    equal(await reason(await sample({ key: "leaf-other" })), "invalid-signature");
    const parsed = JSON.parse(await sample());
    const target = { ...PAYLOAD.targetArtifact, size: 4 };
    const changed = { ...parsed, payload: b64({ targetArtifact: target }) };
    equal(await reason(JSON.stringify(changed)), "invalid-signature");
    const swapped = { ...parsed, header: { x5c: (await chainOf()).slice(1).map(encodeBase64) } };
    equal(await reason(JSON.stringify(swapped)), "key-algorithm-mismatch");
  });

  it("takes the one algorithm that goes with the key", async () => {
    for (const alg of ["HS256", "none", "RS256", "EdDSA"]) {
      equal(await reason(await sample({ header: { ...HEADER, alg } })), "unsupported-algorithm");
    }
    for (const alg of ["PS256", "ES384"]) {
      equal(await reason(await sample({ header: { ...HEADER, alg } })), "key-algorithm-mismatch");
    }
  });

  it("wants its headers critical, each with its scheme, and no plugin", async () => {
    const withHeader = async (changes: object) =>
      await reason(await sample({ header: { ...HEADER, ...changes } }));
    const EXPIRY = "io.cncf.notary.expiry", AUTHENTIC = "io.cncf.notary.authenticSigningTime";
    const expiry = "2025-12-01T00:00:00Z";
    equal(await withHeader({ crit: undefined }), "unsupported-critical-header");
    const none = { [SCHEME]: undefined, crit: undefined };
    equal(await withHeader(none), "unsupported-critical-header");
    equal(await reason(await sample({ chain: [] })), "malformed-envelope");
    const parsed = JSON.parse(await sample());
    const { x5c } = parsed.header;
    for (const [value, expected] of [[[1], "malformed-envelope"], [["*"], "invalid-base64"]]) {
      const changed = { ...parsed, header: { x5c: value } };
      equal(await reason(JSON.stringify(changed)), expected);
    }
    // A chain that is signed is none: nobody looks for one there.
    const inside = await sample({ header: { ...HEADER, x5c } });
    const bare = { ...JSON.parse(inside), header: {} };
    equal(await reason(JSON.stringify(bare)), "malformed-envelope");
    equal(await withHeader({ [EXPIRY]: expiry }), "unsupported-critical-header");
    equal(await withHeader({ crit: [SCHEME, EXPIRY], [EXPIRY]: expiry }), "ok");
    const PLUGIN = "io.cncf.notary.verificationPlugin";
    equal(await withHeader({ [PLUGIN]: "x" }), "unsupported-critical-header");
    equal(
      await withHeader({ crit: [SCHEME, PLUGIN], [PLUGIN]: "x" }),
      "unsupported-critical-header",
    );
    equal(await withHeader({ crit: [SCHEME, "x"], x: 1 }), "unsupported-critical-header");
    equal(await withHeader({ [SCHEME]: "notary.pgp" }), "malformed-envelope");
    const authority = { [SCHEME]: "notary.x509.signingAuthority" };
    equal(await withHeader(authority), "malformed-envelope");
    const time = "2025-05-01T00:00:00Z";
    equal(
      await withHeader({ crit: [SCHEME, AUTHENTIC], [AUTHENTIC]: time }),
      "malformed-envelope",
    );
    equal(await withHeader({ "io.cncf.notary.signingTime": "yesterday" }), "malformed-envelope");
    // Without its type it is a JWS like others, where nobody knows the header.
    equal(await withHeader({ cty: "text/plain" }), "unsupported-critical-header");
  });

  it("refuses what has expired, whoever signed it", async () => {
    const EXPIRY = "io.cncf.notary.expiry";
    const header = { ...HEADER, crit: [SCHEME, EXPIRY], [EXPIRY]: "2025-05-02T00:00:00Z" };
    equal(await reason(await sample({ header })), "attestation-expired");
    const end = new Date("2025-05-02T00:00:00Z");
    equal(await reason(await sample({ header }), {}, end), "attestation-expired");
    equal(await reason(await sample({ header }), {}, new Date(end.getTime() - 1)), "ok");
  });

  it("judges certificates now, or at a time that a trusted authority stamped", async () => {
    equal(await reason(await sample(), {}, AFTER), "certificate-not-valid");
    const key = await testKey("tsa");
    const stamper = await createAuthority({
      organization: "clock",
      rootKey: await testKey("tsa-root"),
      intermediateKey: await testKey("tsa-intermediate"),
      purpose: TIME_STAMPING,
      ...dates,
    });
    const own = await certificate({
      serial: 7,
      issuer: stamper.intermediateName,
      subject: distinguishedName("clock", "tsa"),
      ...dates,
      spki: key.spki,
      extensions: [keyUsage("sign"), extendedKeyUsage([TIME_STAMPING], true)],
    }, stamper.intermediateKey);
    const stamp = (genTime: Date) => async (signature: Uint8Array) => {
      const response = await timestamp({ key, certificate: own }, {
        message: signature,
        genTime,
        bag: [own, stamper.intermediate],
      });
      return children(parseDer(response))[1].raw;
    };
    const trust = { timestampAuthorities: [stamper.root] };
    equal(await reason(await sample({ stamp: stamp(WITHIN) }), trust, AFTER), "ok");
    equal(await reason(await sample(), trust), "ok");
    equal(await reason(await sample(), trust, AFTER), "certificate-not-valid");
    equal(
      await reason(await sample({ stamp: stamp(new Date("2024-06-01T00:00:00Z")) }), trust, AFTER),
      "timestamp-authority-not-valid",
    );
    // An authority that nobody trusts stamps no time, and is not asked where none is trusted.
    equal(await reason(await sample({ stamp: stamp(WITHIN) }), {}, AFTER), "certificate-not-valid");
    const { root } = await authority();
    equal(
      await reason(
        await sample({ stamp: stamp(WITHIN) }),
        { timestampAuthorities: [root] },
        AFTER,
      ),
      "untrusted-timestamp-authority",
    );
    const other = async (signature: Uint8Array) =>
      await stamp(WITHIN)(Uint8Array.from(signature, (b) => b ^ 1));
    equal(await reason(await sample({ stamp: other }), trust, AFTER), "timestamp-imprint-mismatch");
  });

  it("believes the time of a signing authority, from its own trust store only", async () => {
    const AUTHENTIC = "io.cncf.notary.authenticSigningTime";
    const { "io.cncf.notary.signingTime": _, ...rest } = HEADER;
    const header = {
      ...rest,
      crit: [SCHEME, AUTHENTIC],
      [SCHEME]: "notary.x509.signingAuthority",
      [AUTHENTIC]: "2025-05-01T00:00:00Z",
    };
    const { root } = await authority();
    equal(await reason(await sample({ header }), { signingAuthorities: [root] }, AFTER), "ok");
    equal(await reason(await sample({ header }), {}, WITHIN), "untrusted-certificate");
  });

  it("refuses a payload of another form", async () => {
    const { root } = await authority();
    const certificates = createCertificateTrust({
      authorities: [root],
      identities: ["CN=release"],
    });
    const read = async (payload: unknown) => {
      const result = await verifyFormat(await sample({ payload }), { certificates, now: WITHIN });
      ok(result.ok);
      return "statement" in result.statement ? "ok" : result.statement.reason;
    };
    const { targetArtifact } = PAYLOAD;
    equal(await read({ ...PAYLOAD, more: 1 }), "malformed-signature-payload");
    equal(
      await read({ targetArtifact: { ...targetArtifact, size: -1 } }),
      "malformed-signature-payload",
    );
    equal(
      await read({ targetArtifact: { ...targetArtifact, digest: "sha256:00" } }),
      "invalid-digest",
    );
  });
});

describe("createCertificateTrust()", () => {
  it("wants an authority and an identity", async () => {
    const { root } = await authority();
    for (
      const options of [
        { authorities: [], identities: ["CN=x"] },
        { authorities: [root] },
        { authorities: [root], identities: [] },
        { authorities: [root], identities: ["release"] },
        { authorities: [root], identities: ["CN=a, CN=b"] },
        { authorities: [root], identities: ["CN=a"], identity: "CN=a" },
      ]
    ) {
      let thrown: unknown;
      try {
        createCertificateTrust(options);
      } catch (error) {
        thrown = error;
      }
      ok(thrown instanceof TypeError);
    }
    ok(createCertificateTrust({ authorities: [root], unsafelyAcceptAnyIdentity: true }));
  });
});
