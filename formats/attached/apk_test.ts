import assert, { deepStrictEqual as deepEqual, strictEqual as equal } from "node:assert/strict";
import { describe, test } from "node:test";
import { concat, utf8 } from "../../internal/bytes.ts";
import { encodeHex } from "../../internal/hex.ts";
import { sha256 } from "../../internal/sha256.ts";
import { importTrustedKey } from "../../keys/mod.ts";
import { testKey } from "../../tools/pki/keys.ts";
import {
  createCertificateTrust,
  type FormatResult,
  type FormatTrust,
  parseFormat,
  verifyFormat,
} from "../mod.ts";
import {
  apkCertificate,
  apkOf,
  type ApkRecipe,
  lineage,
  signingBlock,
  V2,
  V3,
  V31,
} from "./_apk_fixtures_test.ts";
import { numbers, zip } from "./_fixtures_test.ts";
import { schemesDemanded } from "./_apk_signed.ts";
import { readSigningBlock } from "./_signing_block.ts";
import { parseZip } from "./zip.ts";

/** What v3 says of v3.1. */
const FROM_28: [number, Uint8Array][] = [[0x559f8b02, Uint8Array.of(28, 0, 0, 0)]];
const P256 = "dsse-p256", P384 = "dsse-p384", RSA = "dsse-rsa";

async function pinned(...names: string[]): Promise<FormatTrust> {
  const hashes = await Promise.all(
    names.map(async (name) => encodeHex(sha256(await apkCertificate(name)))),
  );
  return { certificates: createCertificateTrust({ pinned: hashes }) };
}

async function keys(...names: string[]): Promise<FormatTrust> {
  const all = names.map(async (name) =>
    await importTrustedKey((await testKey(name)).spki, { name })
  );
  return { keys: await Promise.all(all) };
}

function word(result: FormatResult): string {
  return result.ok ? "ok" : result.errorReason;
}

async function verdict(recipe: ApkRecipe | Uint8Array, trust?: FormatTrust): Promise<string> {
  const bytes = recipe instanceof Uint8Array ? recipe : await apkOf(recipe);
  return word(await verifyFormat(bytes, trust ?? await pinned(P256)));
}

describe("verifyFormat() of an APK", () => {
  test("accepts a signer whose key or certificate is pinned, by v2, by v3 and by both", async () => {
    for (const schemes of [[V2], [V3], [V2, V3], [V3, V31], [V2, V3, V31]]) {
      const signers = schemes.map((scheme) => ({ scheme }));
      equal(await verdict({ signers }), "ok", String(schemes));
      equal(await verdict({ signers }, await keys(P256)), "ok");
    }
    for (
      const [key, ids] of [[RSA, [0x0103]], [P384, [0x0202]], [RSA, [
        0x0101,
        0x0102,
        0x0104,
      ]]] as const
    ) {
      equal(await verdict({ signers: [{ key, ids: [...ids] }] }, await keys(key)), "ok");
    }
  });

  test("takes digests of certificates as tools print them, and certificates of authorities", async () => {
    const der = await apkCertificate();
    const hex = encodeHex(sha256(der)).toUpperCase().replace(/..(?!$)/g, "$&:");
    const bytes = await apkOf();
    equal(
      await verdict(bytes, { certificates: createCertificateTrust({ pinned: [hex] }) }),
      "ok",
    );
    const named = (identity: string) =>
      createCertificateTrust({ authorities: [der], identities: [identity] });
    equal(await verdict(bytes, { certificates: named(`CN=${P256}`) }), "ok");
    equal(await verdict(bytes, { certificates: named("CN=other") }), "identity-mismatch");
    assert.throws(() => createCertificateTrust({ pinned: ["ab"] }), TypeError);
  });

  test("says what is covered, and makes a Statement about the file itself", async () => {
    const bytes = await apkOf();
    const result = await verifyFormat(bytes, await pinned(P256));
    assert.ok(result.ok && "statement" in result.statement);
    const { envelope, statement: { statement, implicit } } = result;
    equal(envelope.coverage, "whole-artifact");
    const [{ start, end, what }] = envelope.uncovered ?? [];
    equal(what, "APK signing block");
    equal(new TextDecoder().decode(bytes.subarray(end - 16, end)), "APK Sig Block 42");
    assert.ok(start > 0);
    deepEqual(statement.subject, [{ digest: { sha256: encodeHex(sha256(bytes)) } }]);
    deepEqual(implicit, ["subject", "messageType", "predicateType"]);
    deepEqual(result.signers.map(({ name, algorithm }) => [name, algorithm]), [
      [`O=acme, CN=${P256}`, "ES256"],
    ]);
    const parsed = await parseFormat(bytes);
    deepEqual(parsed.facts, { schemes: "v2", entries: "2" });
  });

  test("does not believe whom nobody pinned", async () => {
    equal(await verdict({}, {}), "missing-trusted-key");
    equal(await verdict({}, await pinned(P384)), "untrusted-certificate");
    equal(await verdict({}, await keys(P384)), "untrusted-certificate");
  });

  test("gives each signer its own result, and counts distinct ones", async () => {
    const signers = [{}, { key: RSA, ids: [0x0103] }];
    const bytes = await apkOf({ signers });
    const one = await verifyFormat(bytes, await pinned(P256));
    assert.ok(one.ok);
    deepEqual(one.envelope.signers.map(({ ok }) => ok), [true, false]);
    equal(
      word(await verifyFormat(bytes, { ...await pinned(P256), threshold: 2 })),
      "threshold-not-met",
    );
    equal(word(await verifyFormat(bytes, { ...await pinned(P256, RSA), threshold: 2 })), "ok");
    // The same signer by two schemes is one signer.
    const twice = await apkOf({ signers: [{}, { scheme: V3 }] });
    equal(
      word(await verifyFormat(twice, { ...await pinned(P256), threshold: 2 })),
      "threshold-not-met",
    );
  });

  test("refuses the whole when one signature is broken, as a device does", async () => {
    const signers = [{}, { key: RSA, ids: [0x0103], signature: new Uint8Array(256) }];
    equal(await verdict({ signers }), "invalid-signature");
  });

  test("leaves the bytes as they are that it was given", async () => {
    class Shared extends Uint8Array {
      override slice(start?: number, end?: number): Uint8Array<ArrayBuffer> {
        return this.subarray(start, end) as Uint8Array<ArrayBuffer>;
      }
    }
    const bytes = await apkOf();
    const shared = new Shared(bytes);
    equal(await verdict(shared), "ok");
    deepEqual(Array.from(shared), Array.from(bytes));
  });

  test("judges large contents chunk by chunk", async () => {
    const content = new Uint8Array((3 << 20) + 5).map((_, i) => i * 31);
    const bytes = await apkOf({ entries: [{ name: "large", content }] });
    equal(await verdict(bytes), "ok");
    bytes[2 << 20] ^= 1;
    equal(await verdict(bytes), "content-digest-mismatch");
  });

  const PINNED = [3, 0, 0, 0];
  const refused: [what: string, reason: string, recipe: ApkRecipe][] = [
    ["a signature by another key", "invalid-signature", {
      signers: [{ key: P384, certificateKey: P256, statedKey: P256 }],
    }],
    ["a key that is not the certificate's", "malformed-signing-block", {
      signers: [{ statedKey: P384 }],
    }],
    ["another digest", "content-digest-mismatch", { signers: [{ digest: new Uint8Array(32) }] }],
    ["an algorithm of another kind of key", "key-algorithm-mismatch", {
      signers: [{ ids: [0x0103] }],
    }],
    ["DSA", "unsupported-algorithm", { signers: [{ ids: [0x0301] }] }],
    ["verity", "unsupported-algorithm", { signers: [{ ids: [0x0423] }] }],
    ["an unknown algorithm", "unsupported-algorithm", { signers: [{ ids: [0x9999] }] }],
    ["other algorithms than those that are signed", "malformed-signing-block", {
      signers: [{ ids: [0x0201], digestIds: [0x0202] }],
    }],
    ["an algorithm taken away from those that are signed", "malformed-signing-block", {
      signers: [{ ids: [0x0201], digestIds: [0x0201, 0x0202] }],
    }],
    ["an algorithm twice", "malformed-signing-block", { signers: [{ ids: [0x0201, 0x0201] }] }],
    ["v3 cut out of v2 and v3", "stripped-signature", {
      signers: [{ attributes: [[0xbeeff00d, Uint8Array.from(PINNED)]] }],
    }],
    ["v3.1 cut out", "stripped-signature", {
      signers: [{ scheme: V3, attributes: [[0x559f8b02, Uint8Array.of(33, 0, 0, 0)]] }],
    }],
    ["v3.1 without v3", "malformed-signing-block", { signers: [{ scheme: V31 }] }],
    ["v3.1 for other Android versions than v3 says", "malformed-signing-block", {
      signers: [{ scheme: V3, attributes: FROM_28 }, { scheme: V31, sdk: { min: 33, max: 99 } }],
    }],
    ["v3.1 by somebody else than v3", "malformed-signing-block", {
      signers: [{ scheme: V3, attributes: FROM_28 }, { scheme: V31, key: P384, ids: [0x0202] }],
    }],
    ["v3 by two for different Android versions", "malformed-signing-block", {
      signers: [{ scheme: V3, sdk: { min: 28, max: 30 } }, {
        scheme: V3,
        sdk: { min: 31, max: 99 },
        key: P384,
        ids: [0x0202],
      }],
    }],
    ["a main section of v1 without end", "limit-exceeded", {
      entries: [{ name: "META-INF/CERT.SF", content: "A: b\n".repeat(14_000), deflate: true }],
    }],
    ["more of v1 than is read", "limit-exceeded", {
      entries: ["A", "B", "C"].map((name) => ({
        name: `META-INF/${name}.SF`,
        content: new Uint8Array(11 << 20),
        deflate: true,
      })),
    }],
    ["v3 cut out of which v1 tells", "stripped-signature", {
      entries: [{
        name: "META-INF/CERT.SF",
        content: "Signature-Version: 1.0\r\nX-Android-APK-Signed: 2, 3\r\n\r\nName: a\r\n",
        deflate: true,
      }],
    }],
    ["other Android versions outside than those that are signed", "malformed-signing-block", {
      signers: [{ scheme: V3, outsideSdk: { min: 24, max: 0x7fffffff } }],
    }],
    ["another last Android version outside", "malformed-signing-block", {
      signers: [{ scheme: V3, outsideSdk: { min: 28, max: 30 } }],
    }],
    ["bytes behind what is signed", "malformed-signing-block", {
      signers: [{ rest: Uint8Array.of(0) }],
    }],
    ["more zeros than apksigner writes", "malformed-signing-block", {
      signers: [{ rest: new Uint8Array(8) }],
    }],
    ["four bytes that are no zeros", "malformed-signing-block", {
      signers: [{ rest: Uint8Array.of(0, 0, 0, 1) }],
    }],
    ["zeros behind what v3 signs", "malformed-signing-block", {
      signers: [{ scheme: V3, rest: new Uint8Array(4) }],
    }],
    ["bytes behind a signer", "malformed-signing-block", {
      signers: [{ behind: new Uint8Array(4) }],
    }],
    ["bytes behind a signature", "malformed-signing-block", {
      signers: [{ behindEach: new Uint8Array(4) }],
    }],
    ["no certificate", "malformed-signing-block", { signers: [{ isBare: true }] }],
    ["no signature and no digest", "malformed-signing-block", { signers: [{ ids: [] }] }],
    ["an attribute twice", "malformed-signing-block", {
      signers: [{ attributes: [[7, new Uint8Array()], [7, new Uint8Array()]] }],
    }],
    ["a stripping protection that goes on", "malformed-signing-block", {
      signers: [{ attributes: [[0xbeeff00d, Uint8Array.of(3, 0, 0, 0, 0)]] }, { scheme: V3 }],
    }],
    ["a first version of v3.1 that goes on", "malformed-signing-block", {
      signers: [{ scheme: V3, attributes: [[0x559f8b02, Uint8Array.of(28, 0, 0, 0, 0)]] }, {
        scheme: V31,
      }],
    }],
    ["two signers of v3.1 for one Android version", "malformed-signing-block", {
      signers: [
        { scheme: V3 },
        { scheme: V31, sdk: { min: 33, max: 40 } },
        { scheme: V31, sdk: { min: 40, max: 50 } },
      ],
    }],
    ["more signers than Android reads", "malformed-signing-block", {
      signers: Array.from({ length: 11 }, () => ({})),
    }],
    ["a signer for no Android version", "malformed-signing-block", {
      signers: [{ scheme: V3, sdk: { min: 30, max: 29 } }],
    }],
    ["two signers for one Android version", "malformed-signing-block", {
      signers: [{ scheme: V3, sdk: { min: 28, max: 30 } }, {
        scheme: V3,
        sdk: { min: 30, max: 33 },
      }],
    }],
    ["v3 by somebody else than v2", "malformed-signing-block", {
      signers: [{}, { scheme: V3, key: RSA, ids: [0x0103] }],
    }],
    ["no signer", "missing-signatures", { signers: [] }],
    ["a scheme that is not known alone", "missing-signatures", {
      signers: [],
      pairs: [[0x42726577, new Uint8Array(8)]],
    }],
    ["v2 twice", "malformed-signing-block", { pairs: [[V2, new Uint8Array(4)]] }],
    ["a pair without an id", "malformed-signing-block", { signers: [], pairs: [[V2, utf8("x")]] }],
    ["an empty list of signers", "malformed-signing-block", {
      signers: [],
      pairs: [[V2, new Uint8Array(4)]],
    }],
    ["an entry twice", "ambiguous-zip", { entries: [{ name: "a" }, { name: "a" }] }],
    ["a name that leads out", "unsupported-file-name", { entries: [{ name: "../a" }] }],
  ];
  for (const [what, reason, recipe] of refused) {
    test(`refuses ${what}: ${reason}`, async () => {
      equal(await verdict(recipe), reason);
    });
  }

  test("accepts algorithms that are not verified beside one that is, and v3 that v2 demands", async () => {
    equal(await verdict({ signers: [{ ids: [0x0423, 0x0201] }] }), "ok");
    const protection: [number, Uint8Array] = [0xbeeff00d, Uint8Array.from(PINNED)];
    equal(await verdict({ signers: [{ attributes: [protection] }, { scheme: V3 }] }), "ok");
    equal(
      await verdict({
        signers: [{ scheme: V3, sdk: { min: 28, max: 30 } }, {
          scheme: V3,
          sdk: { min: 31, max: 33 },
        }],
      }),
      "ok",
    );
    equal(await verdict({ entries: [{ name: "a" }, { name: "b", before: utf8("gap") }] }), "ok");
    equal(await verdict({ signers: [{ rest: new Uint8Array() }] }), "ok");
    // Another stripping protection than that of v3, and what v2 has no place for.
    const later: [number, Uint8Array] = [0xbeeff00d, Uint8Array.of(4, 0, 0, 0)];
    equal(await verdict({ signers: [{ attributes: [later] }] }), "ok");
    equal(await verdict({ signers: [{ attributes: [[0x3ba06f8c, new Uint8Array(4)]] }] }), "ok");
    equal(await verdict({ signers: [{ scheme: V3, attributes: [protection] }] }), "ok");
  });

  test("refuses an entry that was added, removed or changed, and a block that was cut out", async () => {
    const bytes = await apkOf();
    const result = await verifyFormat(bytes, await pinned(P256));
    const [{ start, end }] = result.ok ? result.envelope.uncovered ?? [] : [];
    const block = bytes.slice(start, end);
    const entry = (name: string, content: string) => ({ name, content });
    for (
      const entries of [
        [entry("AndroidManifest.xml", "<manifest/>")],
        [entry("AndroidManifest.xml", "<manifesto/>"), entry("classes.dex", "x")],
        [entry("AndroidManifest.xml", "<manifest/>"), entry("x", "x"), entry("y", "y")],
      ]
    ) {
      equal(await verdict(await zip(entries, { block })), "content-digest-mismatch");
    }
    const cut = concat(bytes.slice(0, start), bytes.slice(end));
    new DataView(cut.buffer).setUint32(cut.length - 6, start, true);
    assert.notEqual(await verdict(cut), "ok");
  });

  test("accepts no bit flip but in what is told as uncovered, and there none that is signed", async () => {
    const bytes = await apkOf();
    const trust = await pinned(P256);
    const result = await verifyFormat(bytes, trust);
    assert.ok(result.ok);
    const [{ start, end }] = result.envelope.uncovered ?? [];
    const accepted: number[] = [];
    for (let at = 0; at < bytes.length; at++) {
      const flipped = bytes.slice();
      flipped[at] ^= 1 << at % 8;
      if ((await verifyFormat(flipped, trust)).ok) accepted.push(at);
    }
    deepEqual(accepted.filter((at) => at < start || at >= end), []);
    // A block with nothing but a signer has nothing that could be changed.
    deepEqual(accepted, []);
  });
});

describe("a proof of rotation in an APK", () => {
  const rotated = async (levels: Parameters<typeof lineage>[0], version?: number) => ({
    signers: [{
      scheme: V3,
      attributes: [[0x3ba06f8c, await lineage(levels, version)] as [number, Uint8Array]],
    }],
  });

  test("is verified, and the new certificate is what has to be pinned", async () => {
    const recipe = await rotated([{ key: RSA, next: 0x0103 }, { key: P256, id: 0x0103 }]);
    equal(await verdict(recipe), "ok");
    const old = await verifyFormat(await apkOf(recipe), await pinned(RSA));
    assert.ok(!old.ok);
    equal(old.errorReason, "untrusted-certificate");
    assert.match(old.error.message, /pin the new one/);
  });

  test("lets v2 be signed by the oldest key", async () => {
    const { signers } = await rotated([{ key: RSA, next: 0x0103 }, { key: P256, id: 0x0103 }]);
    equal(await verdict({ signers: [{ key: RSA, ids: [0x0103] }, ...signers] }), "ok");
    equal(
      await verdict({ signers: [{ key: P384, ids: [0x0202] }, ...signers] }),
      "malformed-signing-block",
    );
  });

  test("lets v3 be signed by the oldest key and v3.1 by the newest", async () => {
    const { signers: [newest] } = await rotated([
      { key: RSA, next: 0x0103 },
      { key: P256, id: 0x0103 },
    ]);
    const oldest = { scheme: V3, key: RSA, ids: [0x0103], attributes: FROM_28 };
    equal(await verdict({ signers: [oldest, { ...newest, scheme: V31 }] }), "ok");
    equal(
      await verdict({ signers: [oldest, { scheme: V31 }] }),
      "malformed-signing-block",
    );
  });

  test("is one signer with all keys of its owner, the one of the newest scheme", async () => {
    const { signers } = await rotated([{ key: RSA, next: 0x0103 }, { key: P256, id: 0x0103 }]);
    const apk = await apkOf({ signers: [{ key: RSA, ids: [0x0103] }, ...signers] });
    const both = await pinned(RSA, P256);
    const one = await verifyFormat(apk, both);
    assert.ok(one.ok);
    const newest = await verifyFormat(apk, await pinned(P256));
    assert.ok(newest.ok);
    assert.deepEqual(one.signers, newest.signers);
    equal(one.signers.length, 1);
    const two = await verifyFormat(apk, { ...both, threshold: 2 });
    equal(two.errorReason, "threshold-not-met");
  });

  test("is refused unread if it has more levels than are read", async () => {
    const long = Array.from({ length: 17 }, () => ({ key: "leaf-other" }));
    const result = await verifyFormat(await apkOf(await rotated(long)), await pinned(P256));
    assert.ok(!result.ok);
    assert.match(result.error.message, /more than 16 levels/);
  });

  const levels: [what: string, reason: string, Parameters<typeof rotated>][] = [
    ["a level that a stranger signed", "invalid-signature", [[{ key: "leaf-other" }, {
      key: P256,
      by: "leaf-p256",
    }]]],
    ["the end in another certificate", "malformed-signing-block", [[{ key: P256 }, {
      key: "leaf-other",
    }]]],
    ["a certificate twice", "malformed-signing-block", [[{ key: P256 }, { key: P256 }]]],
    ["another version", "malformed-signing-block", [[{ key: P256 }], 2]],
    ["two algorithms for one level", "malformed-signing-block", [[
      { key: "leaf-other", next: 0x0202 },
      { key: P256 },
    ]]],
    ["an algorithm that is not verified", "unsupported-algorithm", [[
      { key: "leaf-other", next: 0x0301 },
      { key: P256, id: 0x0301 },
    ]]],
    ["no level", "malformed-signing-block", [[]]],
    ["bytes behind a level", "malformed-signing-block", [[
      { key: RSA, next: 0x0103, behind: Uint8Array.of(0) },
      { key: P256, id: 0x0103 },
    ]]],
    ["bytes behind what is signed of a level", "malformed-signing-block", [[
      { key: RSA, next: 0x0103 },
      { key: P256, id: 0x0103, behindSigned: Uint8Array.of(0) },
    ]]],
  ];
  for (const [what, reason, args] of levels) {
    test(`is refused with ${what}: ${reason}`, async () => {
      equal(await verdict(await rotated(...args)), reason);
    });
  }
});

test("schemesDemanded() reads the main section of a signature file, with its folded lines", () => {
  const read = (text: string) => schemesDemanded(utf8(text));
  deepEqual(read("Signature-Version: 1.0\r\nX-Android-APK-Signed: 2, 3\r\n\r\n"), [2, 3]);
  deepEqual(read("X-Android-APK-Sig\n ned: 2\n\n"), [2]);
  deepEqual(read("x-android-apk-signed: 2,x,99999999999\r\r"), [2]);
  deepEqual(read("A: b\n\nX-Android-APK-Signed: 2\n"), []);
  deepEqual(read(""), []);
});

test("a scheme with bytes behind its list of signers is refused", async () => {
  const bytes = await apkOf();
  const { signingBlock: range } = parseZip(bytes);
  assert.ok(range);
  const value = readSigningBlock(bytes, range).get(V2) ?? new Uint8Array();
  const rebuilt = (more: number) =>
    concat(
      bytes.subarray(0, range.start),
      signingBlock([[V2, concat(value, new Uint8Array(more))]]),
      bytes.subarray(range.end),
    );
  equal(await verdict(rebuilt(0)), "ok");
  const longer = rebuilt(4);
  new DataView(longer.buffer).setUint32(longer.length - 6, range.end + 4, true);
  equal(await verdict(longer), "malformed-signing-block");
});

test("an Android package has to be of whom is expected, also where its certificate is pinned", async () => {
  const hash = encodeHex(sha256(await apkCertificate(P256)));
  const of = (identity: string) => ({
    certificates: createCertificateTrust({ pinned: [hash], identities: [identity] }),
  });
  equal(await verdict({}, of("O=acme")), "ok");
  equal(await verdict({}, of("O=other")), "identity-mismatch");
});

test("a signing block of lies is refused with its reason", async () => {
  const entries = [{ name: "a" }];
  const pair = (length: number) => concat(numbers([[8, length], [4, V2]]), new Uint8Array(4));
  for (const length of [3, 0, 9, 2 ** 40]) {
    const body = pair(length);
    const size = numbers([[8, body.length + 24]]);
    const block = concat(size, body, size, utf8("APK Sig Block 42"));
    equal(await verdict(await zip(entries, { block })), "malformed-signing-block");
  }
  const many = Array.from({ length: 65 }, (_, i): [number, Uint8Array] => [i, new Uint8Array()]);
  equal(
    await verdict(await zip(entries, { block: signingBlock(many) })),
    "malformed-signing-block",
  );
});
