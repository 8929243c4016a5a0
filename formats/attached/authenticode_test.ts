import { deepStrictEqual as deepEqual, ok, strictEqual as equal, throws } from "node:assert/strict";
import { describe, it } from "node:test";
import { concat, utf8 } from "../../internal/bytes.ts";
import { encodeHex } from "../../internal/hex.ts";
import { importTrustedKey } from "../../keys/mod.ts";
import {
  basicConstraints,
  certificate,
  extendedKeyUsage,
  keyUsage,
} from "../../tools/pki/certificate.ts";
import { nullValue, octetString } from "../../tools/pki/der_writer.ts";
import { digest, testKey } from "../../tools/pki/keys.ts";
import { AFTER, authority, chainOf, CODE, dates, WITHIN } from "../_notation_fixtures_test.ts";
import { createCertificateTrust, parseFormat, verifyFormat } from "../mod.ts";
import {
  attribute,
  cms,
  hashedPart,
  outcome,
  pe,
  peLayout,
  type PeRecipe,
  SHA256,
  signatureList,
  stampingAuthority,
  trust,
  winCertificate,
  X509,
  X509_SHA256,
} from "./_signed_fixtures_test.ts";
import { createEfiTrust, type EfiTrust, parseEfiSignatureLists } from "./mod.ts";

async function reason(recipe: PeRecipe): Promise<string> {
  return await outcome(await pe(recipe));
}

describe("verifyFormat() of Authenticode", () => {
  it("accepts PE32 and PE32+, and says what is covered", async () => {
    for (const is32 of [false, true]) {
      const image = await pe({ is32 });
      const result = await verifyFormat(image, await trust());
      ok(result.ok);
      const { envelope, signers, statement } = result;
      equal(envelope.format, "authenticode");
      equal(envelope.coverage, "artifact-sections");
      const { checksum, directory, end } = peLayout(is32);
      deepEqual(envelope.uncovered?.map(({ start, end }) => [start, end]), [
        [checksum, checksum + 4],
        [directory, directory + 8],
        [end, image.length],
      ]);
      equal(signers[0].name, "O=acme, CN=release");
      // The subject is the whole file: what is not covered is told beside it.
      ok("statement" in statement);
      const sha256 = encodeHex(digest("SHA-256", image));
      deepEqual(statement.statement.subject, [{ digest: { sha256 } }]);
      equal(statement.statement.predicateType, "raw-artifact-signature");
      deepEqual(statement.implicit, ["subject", "predicateType"]);
      equal(envelope.messageType?.authenticated, true);
    }
    const parsed = await parseFormat(await pe());
    equal(parsed.signatures[0].keyid, "O=acme, CN=release");
    equal(parsed.facts.image, "PE32+, subsystem 3");
  });

  it("refuses an image that was changed, and takes another checksum", async () => {
    const at = peLayout();
    const patched = (place: number) => reason({ patch: (image) => image[place] ^= 1 });
    equal(await patched(at.data + 5), "content-digest-mismatch");
    equal(await patched(0x50), "content-digest-mismatch");
    equal(await patched(at.checksum), "ok");
    equal(
      await reason({ imageHash: () => digest("SHA-256", utf8("x")) }),
      "content-digest-mismatch",
    );
    equal(await reason({ statedHash: "SHA-384" }), "content-digest-mismatch");
    equal(await reason({ statedHash: "SHA-1" }), "unsupported-algorithm");
  });

  it("refuses data in and behind the certificate table", async () => {
    equal(await reason({ overlay: new Uint8Array(8) }), "malformed-envelope");
    equal(await reason({ padding: new Uint8Array(7) }), "ok");
    equal(await reason({ padding: new Uint8Array(8) }), "malformed-envelope");
    equal(await reason({ padding: Uint8Array.of(1) }), "malformed-envelope");
    // Behind the entry, inside of the table.
    const entry = winCertificate(await cms({ message: utf8("x") }));
    equal(await reason({ entries: [entry, new Uint8Array(8)] }), "malformed-envelope");
    equal(await reason({ entries: [entry, entry] }), "malformed-envelope");
    const short = Uint8Array.from([...winCertificate(new Uint8Array(13)).subarray(0, 21), 0, 0, 1]);
    equal(await reason({ entries: [short] }), "malformed-envelope");
    equal(
      await reason({ entries: [winCertificate(new Uint8Array(8), 0x100)] }),
      "unsupported-payload-type",
    );
    equal(
      await reason({ entries: [winCertificate(new Uint8Array(8), 0x200, 1)] }),
      "unsupported-payload-type",
    );
    equal(await reason({ entries: [new Uint8Array(8)] }), "malformed-envelope");
  });

  it("refuses an image whose parts lie where nothing is signed", async () => {
    const { sections, directory, end } = peLayout();
    const lie = (at: number, value: number) => ({
      patch: (_: Uint8Array, view: DataView) => view.setUint32(at, value, true),
    });
    equal(await reason(lie(sections + 20, end)), "malformed-envelope");
    equal(await reason(lie(sections + 16, 0x10000)), "malformed-envelope");
    equal(await reason(lie(0x3c, end)), "unknown-format");
    equal(await reason(lie(directory, end - 8)), "malformed-envelope");
    equal(await reason(lie(directory, end + 4)), "malformed-envelope");
    equal(await reason(lie(directory, end + 8)), "malformed-envelope");
    equal(await reason(lie(directory + 4, 8)), "malformed-envelope");
    equal(await reason(lie(directory + 4, 0)), "malformed-envelope");
    equal(await reason(lie(directory - 36, 17)), "malformed-envelope");
    equal(await reason(lie(0x58 + 60, end + 8)), "malformed-envelope");
    equal(await reason(lie(0x58 + 60, 0x40)), "malformed-envelope");
    const short = (at: number, value: number) => ({
      patch: (_: Uint8Array, view: DataView) => view.setUint16(at, value, true),
    });
    equal(await reason(short(0x40 + 6, 97)), "malformed-envelope");
    equal(await reason(short(0x40 + 20, 96)), "malformed-envelope");
    equal(await reason(short(0x40 + 20, 0xffff)), "malformed-envelope");
    equal(await reason(short(0x58, 0x107)), "malformed-envelope");
  });

  it("refuses an image without a signature, or whose signature is lost", async () => {
    equal(await reason({ entries: [] }), "missing-signatures");
    const stripped = (await pe()).subarray(0, peLayout().end);
    equal(await outcome(stripped), "malformed-envelope");
    const view = new DataView(stripped.buffer);
    view.setUint32(peLayout().directory, 0, true);
    view.setUint32(peLayout().directory + 4, 0, true);
    equal(await outcome(stripped), "missing-signatures");
  });

  it("refuses page hashes alone, and what is signed of another type", async () => {
    equal(await reason({ dataType: "1.3.6.1.4.1.311.2.3.2" }), "unsupported-payload-type");
    equal(await reason({ cms: { type: "1.2.840.113549.1.7.1" } }), "unsupported-payload-type");
    equal(await reason({ cms: { content: undefined } }), "unsupported-payload-type");
    equal(await reason({ cms: { content: nullValue() } }), "malformed-envelope");
    equal(await reason({ cms: { signers: 2 } }), "limit-exceeded");
    equal(await reason({ cms: { signers: 0 } }), "malformed-envelope");
    equal(await reason({ cms: { bare: true } }), "malformed-envelope");
    equal(await reason({ cms: { attributes: ([type]) => [type] } }), "malformed-envelope");
  });

  it("wants a certificate that is for signing code", async () => {
    const chain = await chainOf([keyUsage("sign")]);
    equal(await reason({ cms: { chain } }), "invalid-certificate-usage");
    const other = await chainOf([keyUsage("sign"), extendedKeyUsage(["1.3.6.1.5.5.7.3.1"])]);
    equal(await reason({ cms: { chain: other } }), "invalid-certificate-usage");
    const encrypts = await chainOf([keyUsage("certificates"), extendedKeyUsage([CODE])]);
    equal(await reason({ cms: { chain: encrypts } }), "invalid-certificate-usage");
    equal(await outcome(await pe(), { certificates: undefined }), "untrusted-certificate");
    equal(await outcome(await pe(), { now: AFTER }), "certificate-not-valid");
  });

  it("ends with a certificate for lifetime signing, whatever a timestamp says", async () => {
    const { root } = await authority();
    const stamps = await stampingAuthority();
    const certificates = createCertificateTrust({
      authorities: [root],
      timestampAuthorities: [stamps.root],
      identities: ["CN=release"],
    });
    for (const [purposes, later] of [[[CODE], "ok"], [[CODE, LIFETIME], "certificate-not-valid"]]) {
      const chain = await chainOf(
        [keyUsage("sign"), extendedKeyUsage([...purposes])],
        undefined,
        ANY,
      );
      const image = await pe({ cms: { chain, ...stamps.stamped("1.3.6.1.4.1.311.3.3.1") } });
      equal(await outcome(image, { certificates }), "ok");
      equal(await outcome(image, { certificates, now: AFTER }), later);
    }
  });

  it("tells nested signatures, which it does not verify", async () => {
    const image = await pe({
      cms: {
        unsigned: () =>
          Promise.resolve([attribute("1.3.6.1.4.1.311.2.4.1", octetString(utf8("x")))]),
      },
    });
    const result = await verifyFormat(image, await trust());
    ok(result.ok);
    deepEqual(result.envelope.unauthenticated, { nestedSignatures: 1 });
    equal((await parseFormat(image)).facts["nested signatures"], "1");
  });

  it("notices each bit of the image, the directory entry and the signature", async () => {
    const image = await pe({ cms: { bag: (await chainOf()).slice(0, 1) } });
    const key = await importTrustedKey((await testKey("leaf-p256")).spki);
    const { checksum, directory } = peLayout();
    const table = peLayout().end;
    const accepted: number[] = [];
    for (let at = 0; at < image.length; at += at > 0x200 && at < table ? 13 : 1) {
      const changed = image.slice();
      changed[at] ^= 1 << (at % 8);
      const result = await verifyFormat(changed, { keys: [key] });
      if (result.ok) accepted.push(at);
      else ok(result.errorReason !== "internal-error", `byte ${at}`);
    }
    const isChecksum = (at: number) => at >= checksum && at < checksum + 4;
    deepEqual(accepted.filter((at) => at < table), [0, 1, 2, 3].map((i) => checksum + i));
    ok(!accepted.some((at) => at >= directory && at < directory + 8));
    // In the table: versions, the list of algorithms, and the certificate, of which the key counts.
    const inTable = accepted.filter((at) => !isChecksum(at));
    const signature = image.length - 90;
    ok(inTable.every((at) => at < signature), inTable.join(" "));
  });
});

const LIFETIME = "1.3.6.1.4.1.311.10.3.13", ANY = "2.5.29.37.0";
const EFI = { subsystem: 10 } as const;

async function efiOf(db: Uint8Array[], ...dbx: Uint8Array[]): Promise<{ efi: EfiTrust }> {
  return await Promise.resolve({
    efi: createEfiTrust({ db: db.map((one) => signatureList(X509, one)), dbx }),
  });
}

describe("verifyFormat() of UEFI images", () => {
  it("judges them as Authenticode, or as firmware does by its lists", async () => {
    const image = await pe(EFI);
    const result = await verifyFormat(image, await trust());
    ok(result.ok);
    equal(result.envelope.format, "uefi");
    const [leaf, intermediate, root] = await chainOf();
    for (const anchor of [leaf, intermediate, root]) {
      // Firmware looks at no clock.
      equal(await outcome(image, { ...await efiOf([anchor]), now: AFTER }), "ok");
    }
    const bare = await chainOf([keyUsage("sign")]);
    const other = await pe({ ...EFI, cms: { chain: bare } });
    equal(await outcome(other), "invalid-certificate-usage");
    equal(await outcome(other, await efiOf([root])), "ok");
    equal(await outcome(image, await efiOf([bare[0]])), "untrusted-certificate");
    // The lists are for firmware: a program of Windows is none of its.
    equal(
      await outcome(await pe(), { ...await efiOf([root]), certificates: undefined }),
      "untrusted-certificate",
    );
  });

  it("refuses what dbx has, whatever db and keys say", async () => {
    const image = await pe(EFI);
    const [leaf, intermediate, root] = await chainOf();
    const key = await importTrustedKey((await testKey("leaf-p256")).spki);
    for (const refused of [leaf, intermediate, root]) {
      const efi = await efiOf([leaf, root], signatureList(X509, refused));
      equal(await outcome(image, efi), "forbidden-by-dbx");
      equal(await outcome(image, { ...efi, keys: [key] }), "forbidden-by-dbx");
    }
    // The anchor is in dbx and does not come with the image.
    const alone = await pe({ ...EFI, cms: { bag: [leaf, intermediate] } });
    equal(await outcome(alone, await efiOf([root], signatureList(X509, root))), "forbidden-by-dbx");
    // Nor does it when db has what it issued.
    const issued = await efiOf([intermediate], signatureList(X509, root));
    equal(await outcome(alone, await efiOf([intermediate])), "ok");
    equal(await outcome(alone, issued), "forbidden-by-dbx");
    // Without its certificate nothing can be compared.
    const without = await pe({ ...EFI, cms: { bag: [] } });
    equal(
      await outcome(without, { ...await efiOf([root], signatureList(X509, leaf)), keys: [key] }),
      "forbidden-by-dbx",
    );
    equal(await outcome(without, { ...await efiOf([root]), keys: [key] }), "ok");
    const other = await chainOf(undefined, "leaf-other");
    equal(await outcome(image, await efiOf([root], signatureList(X509, other[0]))), "ok");
    const { intermediateName } = await authority();
    // Another certificate of the signer's key refuses it as well.
    const own = await testKey("leaf-p256");
    const renewed = await certificate({
      serial: 4,
      issuer: intermediateName,
      subject: intermediateName,
      ...dates,
      spki: own.spki,
      extensions: [keyUsage("sign")],
    }, own);
    equal(
      await outcome(image, await efiOf([root], signatureList(X509, renewed))),
      "forbidden-by-dbx",
    );
    // One of the intermediate's name and another key issued nothing of it.
    const stranger = await testKey("leaf-other");
    const namesake = await certificate({
      serial: 3,
      issuer: intermediateName,
      subject: intermediateName,
      ...dates,
      spki: stranger.spki,
      extensions: [keyUsage("certificates"), basicConstraints(true)],
    }, stranger);
    equal(await outcome(image, await efiOf([root], signatureList(X509, namesake))), "ok");
    const hash = digest("SHA-256", hashedPart(await pe({ ...EFI, entries: [] })));
    const forbidden = await efiOf([root], signatureList(SHA256, hash));
    equal(await outcome(image, forbidden), "forbidden-by-dbx");
    equal(await outcome(image, { ...forbidden, keys: [key] }), "forbidden-by-dbx");
    const unlike = signatureList(SHA256, digest("SHA-256", utf8("x")));
    equal(await outcome(image, await efiOf([root], unlike)), "ok");
  });

  it("refuses a certificate by the digest of what was signed of it", async () => {
    const image = await pe(EFI);
    const [leaf, , root] = await chainOf();
    const { parseCertificate } = await import("../../sigstore/certificate.ts");
    const tbs = digest("SHA-256", parseCertificate(leaf).tbs);
    const entry = Uint8Array.from([...tbs, ...new Uint8Array(16)]);
    equal(
      await outcome(image, await efiOf([root], signatureList(X509_SHA256, entry))),
      "forbidden-by-dbx",
    );
    equal((await trust()).now, WITHIN);
    // Also of the anchor, which is in db and does not come with the image.
    const anchor = digest("SHA-256", parseCertificate(root).tbs);
    const alone = await pe({ ...EFI, cms: { bag: (await chainOf()).slice(0, 2) } });
    equal(await outcome(alone, await efiOf([root])), "ok");
    const refused = signatureList(X509_SHA256, concat(anchor, new Uint8Array(16)));
    equal(await outcome(alone, await efiOf([root], refused)), "forbidden-by-dbx");
  });

  it("compares digests of each kind, of images and of certificates, at any time of revocation", async () => {
    const image = await pe(EFI);
    const hashed = hashedPart(await pe({ ...EFI, entries: [] }));
    const [leaf, , root] = await chainOf();
    const { parseCertificate } = await import("../../sigstore/certificate.ts");
    const { tbs } = parseCertificate(leaf);
    // A year that lies ahead, as EFI_TIME begins.
    const later = Uint8Array.from({ length: 16 }, (_, i) => i === 0 ? 0x34 : i === 1 ? 0x12 : 0);
    for (
      const [hash, ofImage, ofCertificate] of [
        ["SHA-256", SHA256, X509_SHA256],
        [
          "SHA-384",
          "ff3e5307-9fd0-48c9-85f1-8ad56c701e01",
          "7076876e-80c2-4ee6-aad2-28b349a6865b",
        ],
        [
          "SHA-512",
          "093e0fae-a6c4-4f50-9f1b-d41e2b89c19a",
          "446dbf63-2502-4cda-bcfa-2465d2b0fe9d",
        ],
      ] as const
    ) {
      const of = async (guid: string, ...parts: Uint8Array[]) =>
        await outcome(image, await efiOf([root], signatureList(guid, concat(...parts))));
      const other = digest(hash, utf8("x"));
      equal(await of(ofImage, digest(hash, hashed)), "forbidden-by-dbx");
      equal(await of(ofImage, other), "ok");
      equal(await of(ofCertificate, digest(hash, tbs), later), "forbidden-by-dbx");
      equal(await of(ofCertificate, other, later), "ok");
    }
  });
});

describe("createEfiTrust()", () => {
  it("wants a certificate in db, and all of dbx to be comparable", async () => {
    const [leaf] = await chainOf();
    const db = [signatureList(X509, leaf)];
    throws(() => createEfiTrust({ db: [] }), TypeError);
    throws(() => createEfiTrust({ db: [signatureList(SHA256, new Uint8Array(32))] }), TypeError);
    throws(() => createEfiTrust({ db, more: 1 } as never), TypeError);
    const sha1 = signatureList("826ca512-cf10-4ac9-b187-be01496631bd", new Uint8Array(20));
    throws(() => createEfiTrust({ db, dbx: [sha1] }), { reason: "unsupported-algorithm" });
    const unknown = signatureList("00000000-0000-0000-0000-000000000001", new Uint8Array(20));
    throws(() => createEfiTrust({ db, dbx: [unknown] }), { reason: "unsupported-algorithm" });
    equal(createEfiTrust({ db: [...db, sha1, unknown] }).db.length, 1);
    const bad = signatureList(X509, new Uint8Array(20));
    throws(() => createEfiTrust({ db: [bad] }), { reason: "malformed-certificate" });
    throws(() => createEfiTrust({ db, dbx: [bad] }), { reason: "malformed-certificate" });
  });
});

describe("parseEfiSignatureLists()", () => {
  it("reads lists of several kinds with their owners", () => {
    const hash = digest("SHA-256", utf8("x"));
    const lists = parseEfiSignatureLists(
      Uint8Array.from([...signatureList(SHA256, hash, hash), ...signatureList(X509, hash)]),
    );
    deepEqual(lists.map(({ kind, signatures }) => [kind, signatures.length]), [
      ["sha256", 2],
      ["x509", 1],
    ]);
    equal(lists[0].type, SHA256);
    equal(lists[0].signatures[0].owner, "00000000-0000-0000-0000-000000000000");
    deepEqual(lists[0].signatures[1].data, hash);
  });

  it("refuses lists that are cut off, of another size, or too many", () => {
    const hash = new Uint8Array(32);
    const good = signatureList(SHA256, hash);
    const malformed = { reason: "malformed-signature-list" };
    const changed = (at: number, value: number, of = good) => {
      const bytes = of.slice();
      new DataView(bytes.buffer).setUint32(at, value, true);
      return bytes;
    };
    for (
      const bad of [
        good.subarray(0, 27),
        good.subarray(0, good.length - 1),
        Uint8Array.from([...good, 0]),
        changed(16, 27),
        changed(16, 28),
        changed(16, 0xffffffff),
        changed(20, 4),
        changed(20, 0xffffffff),
        changed(24, 0),
        changed(24, 16),
        changed(24, 47),
        signatureList(SHA256, new Uint8Array(31)),
        signatureList(SHA256),
        changed(16, 28).subarray(0, 28),
        signatureList(X509, new Uint8Array(0)),
        // A header of the length of one signature.
        changed(20, 48, signatureList(SHA256, hash, hash)),
      ]
    ) throws(() => parseEfiSignatureLists(bad), malformed);
    // Of size 0 it would be read again and again: each signature is as long as the header.
    const still = signatureList(X509, new Uint8Array(12));
    new DataView(still.buffer).setUint32(16, 0, true);
    throws(() => parseEfiSignatureLists(still), malformed);
    throws(() => parseEfiSignatureLists(good, { maxBytes: 10 }), { reason: "limit-exceeded" });
    const two = signatureList(SHA256, hash, hash);
    throws(() => parseEfiSignatureLists(two, { maxSignatures: 1 }), { reason: "limit-exceeded" });
    throws(() => parseEfiSignatureLists(good, { max: 1 } as never), TypeError);
  });
});
