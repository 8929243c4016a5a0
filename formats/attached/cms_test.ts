import { deepStrictEqual as deepEqual, ok, strictEqual as equal } from "node:assert/strict";
import { describe, it } from "node:test";
import { AttestationError } from "../../errors.ts";
import { utf8 } from "../../internal/bytes.ts";
import { children, parseDer } from "../../internal/der.ts";
import { encodeHex } from "../../internal/hex.ts";
import { encodePem } from "../../internal/pem.ts";
import { importTrustedKey } from "../../keys/mod.ts";
import { TIME_STAMPING } from "../../tools/pki/ca.ts";
import {
  basicConstraints,
  certificate,
  extendedKeyUsage,
  keyIdentifier,
  keyUsage,
  subjectKeyIdentifier,
} from "../../tools/pki/certificate.ts";
import {
  distinguishedName,
  integer,
  nullValue,
  octetString,
  oid,
  sequence,
  tagged,
} from "../../tools/pki/der_writer.ts";
import { digest, testKey } from "../../tools/pki/keys.ts";
import testKeys from "../../tools/pki/test_keys.json" with { type: "json" };
import { ABC, ABC_SHA256, STATEMENT } from "../_fixtures_test.ts";
import { AFTER, authority, chainOf, CODE, dates } from "../_notation_fixtures_test.ts";
import {
  createCertificateTrust,
  type DetachedMessage,
  type FormatTrust,
  parseFormat,
  verifyFormat,
} from "../mod.ts";
import { parseCms, verifyCms } from "./_cms.ts";
import {
  attribute,
  cms,
  type CmsRecipe,
  HASH_OIDS,
  jarFile,
  outcome,
  stampingAuthority,
  trust,
} from "./_signed_fixtures_test.ts";

const DETACHED: FormatTrust = { detached: { content: ABC, digest: { sha256: ABC_SHA256 } } };

const WEB = "1.3.6.1.5.5.7.3.1", MAIL = "1.3.6.1.5.5.7.3.4";

async function reason(recipe: Partial<CmsRecipe> = {}, more: FormatTrust = {}): Promise<string> {
  return await outcome(await cms({ message: ABC, ...recipe }), { ...DETACHED, ...more });
}

async function keyOf(name: string, alg?: "RS256" | "PS256") {
  return await importTrustedKey((await testKey(name)).spki, { name: "ci", ...(alg && { alg }) });
}

describe("verifyFormat() of a CMS signature", () => {
  it("accepts one over another file, in DER and PEM, by content and by digest", async () => {
    const der = await cms({ message: ABC });
    const sources = [der, encodePem("PKCS7", der), encodePem("CMS", der)];
    for (const source of sources) {
      const forms: DetachedMessage[] = [
        { content: ABC, digest: {} },
        { digest: { sha256: ABC_SHA256 } },
      ];
      for (const detached of forms) {
        const result = await verifyFormat(source, { ...await trust(), detached });
        ok(result.ok);
        equal(result.envelope.coverage, "whole-artifact");
        deepEqual(result.envelope.detached, detached.digest);
        equal(result.signers[0].name, "O=acme, CN=release");
        equal(result.signers[0].algorithm, "ES256");
      }
    }
    const parsed = await parseFormat(der);
    equal(parsed.signatures[0].keyid, "O=acme, CN=release");
    equal(parsed.facts["signing time"], "2025-06-01T00:00:00.000Z");
    equal(await outcome(der), "artifact-required");
    equal(await outcome(der, { detached: { digest: { sha512: "00" } } }), "artifact-required");
    const other = { content: utf8("abd"), digest: {} };
    equal(await outcome(der, { detached: other }), "message-digest-mismatch");
  });

  it("reads what it holds, such as a list of checksums", async () => {
    const list = utf8(`${ABC_SHA256}  abc\n`);
    const result = await verifyFormat(
      await cms({ message: list, content: octetString(list) }),
      await trust(),
    );
    ok(result.ok && "statement" in result.statement);
    equal(result.envelope.coverage, "message");
    equal(result.envelope.detached, undefined);
    deepEqual(result.statement.statement.subject[0].digest, { sha256: ABC_SHA256 });
    deepEqual(result.statement.implicit, ["messageType", "predicateType"]);
    const other = utf8(JSON.stringify(STATEMENT));
    const untyped = await verifyFormat(
      await cms({ message: other, content: octetString(other) }),
      await trust(),
    );
    ok(untyped.ok && "reason" in untyped.statement);
    equal(untyped.statement.reason, "unsupported-payload-type");
  });

  it("takes each kind of key with its algorithm, and no other", async () => {
    for (
      const [key, hash, found] of [
        ["leaf-p384", "SHA-384", "ES384"],
        ["leaf-p384", "SHA-256", "ECDSA-P384-SHA256"],
        ["leaf-rsa", "SHA-256", "RS256"],
        ["leaf-ed25519", "SHA-512", "Ed25519"],
      ] as const
    ) {
      const result = await verifyFormat(await cms({ message: ABC, key, hash }), {
        ...await trust(),
        ...DETACHED,
      });
      ok(result.ok, key);
      equal(result.signers[0].algorithm, found);
    }
    // RFC 8419: the digest that goes with Ed25519 is SHA-512.
    equal(await reason({ key: "leaf-ed25519", hash: "SHA-256" }), "unsupported-algorithm");
    equal(await reason({ statedHash: "SHA-1" }), "unsupported-algorithm");
    equal(await reason({ statedHash: "SHA-384" }), "unsupported-algorithm");
    const rsa = sequence(oid("1.2.840.113549.1.1.11"), nullValue());
    equal(await reason({ algorithm: rsa }), "key-algorithm-mismatch");
    const dsa = sequence(oid("2.16.840.1.101.3.4.3.2"));
    equal(await reason({ algorithm: dsa }), "unsupported-algorithm");
  });

  it("takes RSA-PSS with the hash of the content everywhere, and its length of salt", async () => {
    const { key_ops: _, alg: __, ...jwk } = testKeys["leaf-rsa"].jwk as JsonWebKey;
    const algorithm = { name: "RSA-PSS", hash: "SHA-256" };
    const key = await crypto.subtle.importKey("jwk", jwk, algorithm, false, ["sign"]);
    const sign = async (data: Uint8Array) =>
      new Uint8Array(
        await crypto.subtle.sign({ name: "RSA-PSS", saltLength: 32 }, key, Uint8Array.from(data)),
      );
    const pss = (
      hash: "SHA-256" | "SHA-384",
      mask: "SHA-256" | "SHA-384",
      salt: number,
      generator = "1.2.840.113549.1.1.8",
    ) =>
      sequence(
        oid("1.2.840.113549.1.1.10"),
        sequence(
          tagged(0, sequence(oid(HASH_OIDS[hash]))),
          tagged(1, sequence(oid(generator), sequence(oid(HASH_OIDS[mask])))),
          tagged(2, integer(salt)),
        ),
      );
    const recipe = { key: "leaf-rsa", sign };
    equal(await reason({ ...recipe, algorithm: pss("SHA-256", "SHA-256", 32) }), "ok");
    for (
      const other of [
        pss("SHA-384", "SHA-256", 32),
        pss("SHA-256", "SHA-384", 32),
        pss("SHA-256", "SHA-256", 20),
        pss("SHA-256", "SHA-256", 32, "1.2.840.113549.1.1.9"),
      ]
    ) equal(await reason({ ...recipe, algorithm: other }), "unsupported-algorithm");
  });

  it("wants type and digest in the signed attributes, each once and as they are", async () => {
    const type = attribute("1.2.840.113549.1.9.3", oid("1.2.840.113549.1.7.1"));
    const other = attribute("1.2.840.113549.1.9.3", oid("1.3.6.1.4.1.311.2.1.4"));
    const value = octetString(digest("SHA-256", ABC));
    const twice = attribute("1.2.840.113549.1.9.4", value, octetString(digest("SHA-256", value)));
    const wrong = attribute("1.2.840.113549.1.9.4", octetString(digest("SHA-256", value)));
    equal(await reason({ attributes: ([, time, digest]) => [time, digest] }), "malformed-envelope");
    equal(await reason({ attributes: ([type]) => [type] }), "malformed-envelope");
    equal(await reason({ attributes: (own) => [...own, type] }), "malformed-envelope");
    equal(
      await reason({ attributes: ([, ...rest]) => [other, ...rest] }),
      "malformed-envelope",
    );
    equal(await reason({ attributes: ([type]) => [type, twice] }), "malformed-envelope");
    equal(await reason({ attributes: ([type]) => [type, wrong] }), "message-digest-mismatch");
    // Without attributes, those of another signature could be shown as the content.
    equal(await reason({ bare: true }), "malformed-envelope");
  });

  it("signs its attributes in the order of DER, whatever the order is that they have", async () => {
    const source = await cms({ message: ABC });
    const order = source.slice();
    // The first two attributes in the other order.
    const at = (await cms({ message: ABC })).findIndex((_, i) =>
      encodeHex(source.subarray(i, i + 13)) === "301806092a864886f70d010903"
    );
    ok(at > 0);
    const first = source.subarray(at, at + 26), second = source.subarray(at + 26, at + 56);
    order.set(second, at);
    order.set(first, at + 30);
    equal(await outcome(order, DETACHED), "ok");
  });

  it("finds the signer by issuer and number or key id, and tries keys where there is none", async () => {
    const id = await keyIdentifier((await testKey("leaf-p256")).spki);
    const extensions = [keyUsage("sign"), extendedKeyUsage([CODE])];
    const named = await chainOf([...extensions, subjectKeyIdentifier(id)]);
    equal(await reason({ chain: named, subjectKeyId: id }), "ok");
    equal(await reason({ subjectKeyId: id }), "missing-trusted-key");
    equal(await reason({ bag: [] }), "missing-trusted-key");
    equal(await reason({ bag: [] }, { keys: [await keyOf("leaf-p256")] }), "ok");
    equal(await reason({ bag: [] }, { keys: [await keyOf("leaf-other")] }), "invalid-signature");
    const rsa = { bag: [], key: "leaf-rsa" };
    equal(await reason(rsa, { keys: [await keyOf("leaf-rsa", "PS256")] }), "invalid-signature");
  });

  it("takes the certificate that its signer named for the signer's, and no other of the same key", async () => {
    const { intermediateKey, intermediateName } = await authority();
    const [own, ...issuers] = await chainOf();
    const other = await certificate({
      serial: 99,
      issuer: intermediateName,
      subject: distinguishedName("acme", "mallory"),
      ...dates,
      spki: (await testKey("leaf-p256")).spki,
      extensions: [keyUsage("sign"), extendedKeyUsage([CODE])],
    }, intermediateKey);
    const { root } = await authority();
    const certificates = createCertificateTrust({
      authorities: [root],
      identities: ["CN=mallory", "CN=release"],
    });
    const named = (attributes: Uint8Array[], leaf: Uint8Array = other): Partial<CmsRecipe> => ({
      chain: [leaf, ...issuers],
      attributes: (stated) => [...stated, ...attributes],
    });
    const v2 = attribute(
      "1.2.840.113549.1.9.16.2.47",
      sequence(sequence(sequence(octetString(digest("SHA-256", own))))),
    );
    equal(await reason(named([]), { certificates }), "ok");
    equal(await reason(named([v2], own), { certificates }), "ok");
    equal(await reason(named([v2]), { certificates }), "invalid-signature");
    const v1 = attribute(
      "1.2.840.113549.1.9.16.2.12",
      sequence(sequence(sequence(octetString(new Uint8Array(20))))),
    );
    equal(await reason(named([v1], own), { certificates }), "invalid-signature");
    const broken = attribute("1.2.840.113549.1.9.16.2.47", nullValue());
    equal(await reason(named([broken], own), { certificates }), "malformed-envelope");
  });

  it("takes the key of the certificate from the trusted keys, with its own algorithm", async () => {
    const none = { certificates: undefined };
    const result = await verifyFormat(await cms({ message: ABC }), {
      keys: [await keyOf("leaf-p256")],
      ...DETACHED,
    });
    ok(result.ok);
    equal(result.signers[0].name, "ci");
    equal(
      await reason({}, { ...none, keys: [await keyOf("leaf-other")] }),
      "untrusted-certificate",
    );
    const rsa = { key: "leaf-rsa" };
    equal(await reason(rsa, { ...none, keys: [await keyOf("leaf-rsa", "RS256")] }), "ok");
    equal(
      await reason(rsa, { ...none, keys: [await keyOf("leaf-rsa", "PS256")] }),
      "key-algorithm-mismatch",
    );
  });

  it("follows the chain to an authority, at the time that holds", async () => {
    equal(await reason({}, { certificates: undefined }), "untrusted-certificate");
    equal(await reason({}, { now: AFTER }), "certificate-not-valid");
    equal(await reason({ bag: (await chainOf()).slice(0, 1) }), "untrusted-certificate");
    const { root } = await authority();
    const others = createCertificateTrust({ authorities: [root], identities: ["CN=other"] });
    equal(await reason({}, { certificates: others }), "identity-mismatch");
    const [leaf] = await chainOf();
    const pinned = createCertificateTrust({
      pinned: [encodeHex(digest("SHA-256", leaf))],
      identities: ["CN=release"],
    });
    equal(await reason({}, { certificates: pinned }), "ok");
    equal(
      await reason({ key: "leaf-p384", hash: "SHA-384" }, { certificates: pinned }),
      "untrusted-certificate",
    );
  });

  it("refuses certificates that are not for signing files", async () => {
    for (
      const extensions of [
        [keyUsage("certificates"), basicConstraints(false), extendedKeyUsage([CODE])],
        [keyUsage("sign"), extendedKeyUsage([TIME_STAMPING])],
      ]
    ) equal(await reason({ chain: await chainOf(extensions) }), "invalid-certificate-usage");
    equal(await reason({ chain: await chainOf([keyUsage("sign")]) }), "ok");
  });

  it("takes the purposes of an authority for those of a certificate that states none", async () => {
    const issued = (purpose: string) => chainOf([keyUsage("sign")], "leaf-p256", purpose);
    equal(await reason({ chain: await issued(WEB) }), "invalid-certificate-usage");
    equal(await reason({ chain: await issued(MAIL) }), "ok");
    equal(await reason({ chain: await issued("2.5.29.37.0") }), "ok");
    const stating = await chainOf([keyUsage("sign"), extendedKeyUsage([CODE])], "leaf-p256", WEB);
    equal(await reason({ chain: stating }), "invalid-certificate-usage");
    // Of JARs code signing alone is one.
    for (const purpose of [CODE, "2.5.29.37.0"]) {
      equal(await outcome(await jarFile({ cms: { chain: await issued(purpose) } })), "ok");
    }
    for (const purpose of [WEB, MAIL]) {
      const jar = await jarFile({ cms: { chain: await issued(purpose) } });
      equal(await outcome(jar), "invalid-certificate-usage");
    }
  });

  it("takes the time of a timestamp over the signature, once an authority of such is trusted", async () => {
    const { root } = await authority();
    const stamps = await stampingAuthority();
    const { stamped } = stamps;
    const certificates = createCertificateTrust({
      authorities: [root],
      timestampAuthorities: [stamps.root],
      identities: ["CN=release"],
    });
    for (const type of ["1.2.840.113549.1.9.16.2.14", "1.3.6.1.4.1.311.3.3.1"]) {
      equal(await reason(stamped(type), { now: AFTER, certificates }), "ok");
      equal(
        await reason(stamped(type, utf8("other")), { certificates }),
        "timestamp-imprint-mismatch",
      );
      // Nobody believes it: what holds is now.
      equal(await reason(stamped(type), { now: AFTER }), "certificate-not-valid");
    }
    // Four at most, in both attributes together.
    const several = (first: number, second: number) => ({
      unsigned: async (signature: Uint8Array) => {
        const [one] = await stamped("1.2.840.113549.1.9.16.2.14").unsigned(signature);
        const [token] = children(children(parseDer(one))[1]);
        const copies = (count: number) => Array.from({ length: count }, () => token.raw);
        return [
          attribute("1.2.840.113549.1.9.16.2.14", ...copies(first)),
          attribute("1.3.6.1.4.1.311.3.3.1", ...copies(second)),
        ];
      },
    });
    equal(await reason(several(2, 2), { now: AFTER, certificates }), "ok");
    equal(await reason(several(3, 2), { now: AFTER, certificates }), "limit-exceeded");
    const result = await verifyFormat(
      await cms({ message: ABC, ...stamped("1.3.6.1.4.1.311.3.3.1") }),
      {
        ...DETACHED,
        certificates,
        now: AFTER,
      },
    );
    ok(result.ok);
    equal(result.signers[0].time?.toISOString(), "2025-06-01T00:00:00.000Z");
  });

  it("gives each signature its own result, and refuses what is none", async () => {
    const two = await verifyFormat(await cms({ message: ABC, signers: 2 }), {
      ...await trust(),
      ...DETACHED,
    });
    ok(two.ok);
    equal(two.envelope.signers.length, 2);
    equal(two.signers.length, 1);
    equal(await reason({ signers: 2 }, { threshold: 2 }), "threshold-not-met");
    equal(await reason({ signers: 0 }), "missing-signatures");
    equal(await reason({ signers: 65 }), "limit-exceeded");
    equal(await reason({ type: "1.2.3" }), "unsupported-payload-type");
    equal(await reason({ content: nullValue() }), "malformed-envelope");
  });

  it("reads a signature whose certificate has no name that can be read", async () => {
    const key = await testKey("leaf-p256");
    const issuer = distinguishedName("acme", "release");
    const odd = await certificate({
      serial: 1,
      issuer,
      subject: sequence(nullValue()),
      ...dates,
      spki: key.spki,
      extensions: [keyUsage("sign")],
    }, key);
    const der = await cms({ message: ABC, chain: [odd] });
    equal((await parseFormat(der)).signatures[0].keyid, undefined);
    equal(await outcome(der, DETACHED), "malformed-certificate");
  });

  it("judges a chain once, however many signers have it", async () => {
    const chains: number[] = [];
    const data = parseCms(await cms({ message: ABC, signers: 8 }), "signature", 8);
    const results = await verifyCms(data, {
      what: "signature",
      contentType: data.contentType,
      digest: (hash) => Promise.resolve(digest(hash, ABC)),
      misuse: () => undefined,
      trust: (chain) => {
        chains.push(chain.length);
        return Promise.reject(new AttestationError("untrusted-certificate", "Cannot trust it"));
      },
    }, { keys: [], now: AFTER });
    deepEqual(
      results.map((one) => one.ok ? "ok" : one.error.reason),
      Array.from({ length: 8 }, () => "untrusted-certificate"),
    );
    deepEqual(chains, [3]);
  });

  it("asks for the digest of what is signed once, however many signers there are", async () => {
    const der = await cms({ message: ABC, signers: 8 });
    let asked = 0;
    const detached: DetachedMessage = {
      digest: {},
      get content() {
        asked++;
        return ABC;
      },
    };
    const { cmsSignature } = await import("./cms.ts");
    const { now = new Date(0), certificates } = await trust();
    const parsed = await cmsSignature.parse(der, { maxBytes: 1 << 20, maxSignatures: 8 });
    const envelope = await cmsSignature.verify(parsed, {
      keys: [],
      now,
      detached,
      ...(certificates === undefined ? {} : { certificates }),
    });
    equal(envelope.signers.filter(({ ok }) => ok).length, 8);
    // Once to see whether it is there, once to digest it, once for the message.
    equal(asked, 3);
  });

  it("refuses BER, and what is cut off or goes on", async () => {
    const der = await cms({ message: ABC });
    const ber = der.slice();
    ok(ber[1] === 0x82);
    equal(await outcome(Uint8Array.from([...der, 0]), DETACHED), "malformed-envelope");
    equal(await outcome(der.subarray(0, der.length - 1), DETACHED), "malformed-envelope");
    const indefinite = Uint8Array.from([0x30, 0x80, ...der.subarray(4), 0, 0]);
    equal(await outcome(indefinite, DETACHED), "malformed-envelope");
    const pem = encodePem("CMS", der);
    equal(await outcome(pem + pem, DETACHED), "malformed-pem");
  });

  it("notices each bit of what is signed and of the signature", async () => {
    const der = await cms({ message: ABC, bag: (await chainOf()).slice(0, 2) });
    const [one, two] = await chainOf();
    const end = 60 + one.length + two.length;
    const accepted: number[] = [];
    for (let at = 0; at < der.length; at++) {
      // Of the certificates, some: each has to lead to the authority.
      if (at > 80 && at < end - 40 && at % 7 !== 0) continue;
      const changed = der.slice();
      changed[at] ^= 1 << (at % 8);
      const found = await outcome(changed, DETACHED);
      ok(found !== "internal-error", `byte ${at}`);
      if (found === "ok") accepted.push(at);
    }
    // Versions, and the list of digest algorithms: nobody signs them, and nothing comes of them.
    const isVersion = (at: number) => der[at - 2] === 2 && der[at - 1] === 1;
    ok(accepted.every((at) => (at > 25 && at < 45) || isVersion(at)), accepted.join(" "));
  });
});
