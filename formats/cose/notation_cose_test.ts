import { deepStrictEqual as deepEqual, ok, strictEqual as equal } from "node:assert/strict";
import { describe, it } from "node:test";
import { type Bytes, utf8 } from "../../internal/bytes.ts";
import { children, parseDer } from "../../internal/der.ts";
import { createAuthority, TIME_STAMPING } from "../../tools/pki/ca.ts";
import { certificate, extendedKeyUsage, keyUsage } from "../../tools/pki/certificate.ts";
import { distinguishedName } from "../../tools/pki/der_writer.ts";
import { testKey } from "../../tools/pki/keys.ts";
import { timestamp } from "../../tools/pki/tsa.ts";
import { ABC_SHA256 } from "../_fixtures_test.ts";
import {
  AFTER,
  authority,
  chainOf,
  dates,
  PAYLOAD,
  SCHEME,
  TYPE,
  WITHIN,
} from "../_notation_fixtures_test.ts";
import {
  type CertificateTrustOptions,
  createCertificateTrust,
  parseFormat,
  verifyFormat,
} from "../mod.ts";
import { bytes, int, list, map, notation, tag, text, time } from "./_fixtures_test.ts";
import { verifyCoseSign1 } from "./mod.ts";

const EXPIRY = "io.cncf.notary.expiry", AUTHENTIC = "io.cncf.notary.authenticSigningTime";
const PLUGIN = "io.cncf.notary.verificationPlugin", TIME = "io.cncf.notary.signingTime";

async function trustOf(trust: Partial<CertificateTrustOptions> = {}, now = WITHIN) {
  const certificates = createCertificateTrust({
    authorities: [(await authority()).root],
    identities: ["O=acme, CN=release"],
    ...trust,
  });
  return { certificates, now };
}

async function reason(
  source: Uint8Array,
  trust: Partial<CertificateTrustOptions> = {},
  now = WITHIN,
): Promise<string> {
  const result = await verifyFormat(source, await trustOf(trust, now));
  return result.ok ? "ok" : result.errorReason;
}

describe("verifyFormat() of a Notation signature in COSE", () => {
  it("accepts a chain to the trust store, and reads the artifact", async () => {
    const source = await notation();
    const result = await verifyFormat(source, await trustOf());
    ok(result.ok && "statement" in result.statement);
    equal(result.envelope.format, "notation-cose");
    equal(result.signers[0].name, "O=acme, CN=release");
    deepEqual(result.envelope.messageType, { value: TYPE, authenticated: true });
    deepEqual(result.envelope.unauthenticated, { signingAgent: "test/1" });
    deepEqual(result.statement.statement.subject[0].digest, { sha256: ABC_SHA256 });
    deepEqual(result.statement.implicit, ["predicateType"]);
    const [{ start, end }] = result.envelope.uncovered ?? [];
    ok(start > 0 && new TextDecoder("latin1").decode(source.slice(start, end)).includes("test/1"));
    const { facts } = await parseFormat(source);
    equal(facts["signing time"], "2025-05-01T08:00:00.000Z");
    // By the other door it is COSE_Sign1 with parameters that nobody there understands.
    const other = await verifyCoseSign1(source, await trustOf());
    equal(other.ok ? "ok" : other.errorReason, "unsupported-critical-header");
  });

  it("refuses whoever is not expected or not trusted, and other keys", async () => {
    equal(await reason(await notation(), { identities: ["CN=other"] }), "identity-mismatch");
    const stranger = await testKey("other-root");
    const name = distinguishedName("mallory", "root");
    const self = await certificate({
      serial: 3,
      issuer: name,
      subject: distinguishedName("acme", "release"),
      ...dates,
      spki: (await testKey("leaf-p256")).spki,
      extensions: [keyUsage("sign")],
    }, stranger);
    equal(await reason(await notation({}, { chain: [self] })), "untrusted-certificate");
    equal(await reason(await notation({}, { key: "leaf-other" })), "invalid-signature");
    const result = await verifyFormat(await notation(), {});
    equal(result.ok ? "ok" : result.errorReason, "untrusted-certificate");
  });

  it("takes the one algorithm that goes with the key", async () => {
    for (const alg of [5, -8, -257, -9, -999]) {
      equal(await reason(await notation({ "1": int(alg) })), "unsupported-algorithm");
    }
    equal(await reason(await notation({ "1": text("ES256") })), "unsupported-algorithm");
    for (const alg of [-37, -35]) {
      equal(await reason(await notation({ "1": int(alg) })), "key-algorithm-mismatch");
    }
  });

  it("wants its attributes critical, each with its scheme, and no plugin", async () => {
    const crit = (...names: string[]) => list(...names.map(text));
    const changed = async (changes: Record<string, Bytes | undefined>) =>
      await reason(await notation(changes));
    const expiry = time("2025-12-01T00:00:00Z");
    equal(await changed({ "2": undefined }), "unsupported-critical-header");
    equal(await changed({ [EXPIRY]: expiry }), "unsupported-critical-header");
    equal(await changed({ "2": crit(SCHEME, EXPIRY), [EXPIRY]: expiry }), "ok");
    equal(await changed({ [PLUGIN]: text("x") }), "unsupported-critical-header");
    const plugin = { "2": crit(SCHEME, PLUGIN), [PLUGIN]: text("x") };
    equal(await changed(plugin), "unsupported-critical-header");
    equal(await changed({ "2": crit(SCHEME, "x"), x: int(1) }), "unsupported-critical-header");
    equal(await changed({ "2": crit(SCHEME, EXPIRY) }), "malformed-envelope");
    equal(await changed({ [SCHEME]: text("notary.pgp") }), "malformed-envelope");
    equal(await changed({ [SCHEME]: bytes(utf8("notary.x509")) }), "malformed-envelope");
    const byAuthority = text("notary.x509.signingAuthority");
    equal(await changed({ [SCHEME]: byAuthority }), "malformed-envelope");
    equal(await changed({ [SCHEME]: byAuthority, [TIME]: undefined }), "malformed-envelope");
    const authentic = { "2": crit(SCHEME, AUTHENTIC), [AUTHENTIC]: time("2025-05-01T00:00:00Z") };
    equal(await changed(authentic), "malformed-envelope");
  });

  it("takes whole seconds with the tag 1 for a time, and nothing else", async () => {
    const expired = { "2": list(text(SCHEME), text(EXPIRY)) };
    for (
      const value of [
        int(1764547200),
        text("2025-12-01T00:00:00Z"),
        tag(0, text("2025-12-01T00:00:00Z")),
        tag(100, int(1764547200)),
        tag(1, text("x")),
        tag(1, Uint8Array.of(0xfb, 0x41, 0xda, 0x4b, 0x26, 0x00, 0x20, 0, 0)),
        tag(1, Uint8Array.of(0x1b, 0, 0x1f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff)),
        tag(1, tag(1, int(1))),
      ]
    ) equal(await reason(await notation({ ...expired, [EXPIRY]: value })), "malformed-envelope");
  });

  it("refuses what has expired, whoever signed it", async () => {
    const changes = {
      "2": list(text(SCHEME), text(EXPIRY)),
      [EXPIRY]: time("2025-05-02T00:00:00Z"),
    };
    equal(await reason(await notation(changes)), "attestation-expired");
  });

  it("believes the time of a signing authority, from its own trust store only", async () => {
    const source = await notation({
      "2": list(text(SCHEME), text(AUTHENTIC)),
      [SCHEME]: text("notary.x509.signingAuthority"),
      [AUTHENTIC]: time("2025-05-01T00:00:00Z"),
      [TIME]: undefined,
    });
    const { root } = await authority();
    equal(await reason(source, { signingAuthorities: [root] }, AFTER), "ok");
    equal(await reason(source), "untrusted-certificate");
  });

  it("judges certificates now, or at a time that a trusted authority stamped", async () => {
    equal(await reason(await notation(), {}, AFTER), "certificate-not-valid");
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
    const stamp = async (signature: Uint8Array) => {
      const response = await timestamp({ key, certificate: own }, {
        message: signature,
        genTime: WITHIN,
        bag: [own, stamper.intermediate],
      });
      return children(parseDer(response))[1].raw;
    };
    const trust = { timestampAuthorities: [stamper.root] };
    equal(await reason(await notation({}, { stamp }), trust, AFTER), "ok");
    const other = async (signature: Uint8Array) => await stamp(signature.map((b) => b ^ 1));
    equal(
      await reason(await notation({}, { stamp: other }), trust, AFTER),
      "timestamp-imprint-mismatch",
    );
    equal(await reason(await notation({}, { stamp }), {}, AFTER), "certificate-not-valid");
  });

  it("has a chain, and its payload inside", async () => {
    const chain = await chainOf();
    for (const unprotected of [map(), map([33, list()]), map([33, text("x")])]) {
      equal(await reason(await notation({}, { unprotected })), "malformed-envelope");
    }
    equal(await reason(await notation({}, { chain: Array(17).fill(chain[0]) })), "limit-exceeded");
    equal(await reason(await notation({}, { detached: true })), "malformed-envelope");
    const untagged = await notation({}, { wrap: (item) => item });
    equal(await reason(untagged), "unknown-format");
  });

  it("is told by its type, which is signed; in another envelope its payload means nothing", async () => {
    equal((await parseFormat(await notation())).format, "notation-cose");
    const plain = await notation({ "3": text("text/plain") });
    equal((await parseFormat(plain)).format, "cose-sign1");
    equal(await reason(plain), "unsupported-critical-header");
    const statementOf = async (payload: unknown) => {
      const source = await notation({}, { payload: utf8(JSON.stringify(payload)) });
      const result = await verifyFormat(source, await trustOf());
      ok(result.ok);
      return "statement" in result.statement ? "ok" : result.statement.reason;
    };
    equal(await statementOf(PAYLOAD), "ok");
    equal(await statementOf({ ...PAYLOAD, more: 1 }), "malformed-signature-payload");
  });
});
