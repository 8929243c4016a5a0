import {
  deepStrictEqual as deepEqual,
  ok,
  rejects,
  strictEqual as equal,
  throws,
} from "node:assert/strict";
import { describe, it } from "node:test";
import { concat, utf8 } from "../../internal/bytes.ts";
import { crc32 } from "../../internal/crc32.ts";
import { encodeHex } from "../../internal/hex.ts";
import { importTrustedKey } from "../../keys/mod.ts";
import { basicConstraints, extendedKeyUsage, keyUsage } from "../../tools/pki/certificate.ts";
import { octetString } from "../../tools/pki/der_writer.ts";
import { digest, testKey } from "../../tools/pki/keys.ts";
import { AFTER, chainOf, CODE } from "../_notation_fixtures_test.ts";
import { parseFormat, verifyFormat } from "../mod.ts";
import { deflate, type EntryRecipe, zip } from "./_fixtures_test.ts";
import { parseManifest } from "./_manifest.ts";
import {
  cms,
  folded,
  jarFile,
  type JarRecipe,
  manifestOf,
  outcome,
  signatureFileOf,
  trust,
} from "./_signed_fixtures_test.ts";

async function reason(recipe: JarRecipe): Promise<string> {
  return await outcome(await jarFile(recipe));
}

/** Changes the entry with a name after everything is signed. */
function swapped(name: string, change: Partial<EntryRecipe>): JarRecipe {
  return { entries: (own) => own.map((one) => one.name === name ? { ...one, ...change } : one) };
}

const EXTRA: EntryRecipe = { name: "pkg/Evil.class", content: "evil" };

describe("verifyFormat() of a JAR", () => {
  it("accepts one whose every entry is signed, and says what is covered", async () => {
    const file = await jarFile();
    const result = await verifyFormat(file, await trust());
    ok(result.ok);
    const { envelope, signers, statement } = result;
    equal(envelope.format, "jar");
    equal(envelope.coverage, "artifact-sections");
    equal(signers[0].name, "O=acme, CN=release");
    ok("statement" in statement);
    deepEqual(statement.statement.subject, [{
      digest: { sha256: encodeHex(digest("SHA-256", file)) },
    }]);
    deepEqual(statement.implicit, ["subject", "messageType", "predicateType"]);
    const kinds = new Set(envelope.uncovered?.map(({ what }) => what));
    deepEqual([...kinds], [
      "ZIP headers",
      'part of a signature: "META-INF/KEY.SF"',
      'part of a signature: "META-INF/KEY.EC"',
      "ZIP headers and directory",
    ]);
    const parsed = await parseFormat(file);
    equal(parsed.signatures[0].keyid, "O=acme, CN=release");
    equal(parsed.facts.entries, "6");
  });

  it("takes old blocks without attributes, and content inside of the block", async () => {
    equal(await reason({ cms: { bare: true } }), "ok");
    const text = signatureFileOf(manifestOf({}), {});
    equal(await reason({ cms: { content: octetString(utf8(text)) } }), "ok");
    equal(await reason({ cms: { content: octetString(utf8("x")) } }), "malformed-envelope");
    equal(await reason({ cms: { type: "1.2.3" } }), "malformed-envelope");
    equal(await reason({ cms: { signers: 0 } }), "malformed-envelope");
    equal(await reason({ cms: { key: "leaf-rsa" }, ending: "RSA" }), "ok");
  });

  it("refuses an entry that was added, removed or changed", async () => {
    const added = { entries: (own: EntryRecipe[]) => [...own, EXTRA] };
    const result = await verifyFormat(await jarFile(added), await trust());
    ok(!result.ok);
    equal(result.errorReason, "unsigned-entry");
    ok(result.error.message.includes('"pkg/Evil.class"'));
    const inMeta = { ...EXTRA, name: "META-INF/services/x.Y" };
    equal(await reason({ entries: (own) => [...own, inMeta] }), "unsigned-entry");
    equal(await reason({ entries: (own) => own.slice(0, -1) }), "content-digest-mismatch");
    equal(await reason(swapped("a.txt", { content: "hallo\n" })), "content-digest-mismatch");
    equal(await reason(swapped("a.txt", { name: "b.txt" })), "content-digest-mismatch");
    equal(
      await reason({ entries: (own) => [...own, { name: "a.txt", content: "x" }] }),
      "ambiguous-zip",
    );
    equal(await reason(swapped("a.txt", { before: utf8("hidden") })), "ambiguous-zip");
    equal(await reason(swapped("META-INF/MANIFEST.MF", { before: utf8("#!") })), "unknown-format");
  });

  it("refuses a manifest that was changed, as a whole and by sections", async () => {
    const manifest = manifestOf({});
    const evil = `${folded("Name: pkg/Evil.class")}SHA-256-Digest: ${
      btoa(String.fromCharCode(...digest("SHA-256", utf8("evil"))))
    }\r\n\r\n`;
    // Another section was added after it was signed: nobody signed it, with an entry or without.
    const more = {
      entries: (own: EntryRecipe[]) => [
        { ...own[0], content: manifest + evil },
        ...own.slice(1),
        EXTRA,
      ],
    };
    equal(await reason(more), "unsigned-entry");
    const only = {
      entries: (own: EntryRecipe[]) => [{ ...own[0], content: manifest + evil }, ...own.slice(1)],
    };
    equal(await reason(only), "unsigned-entry");
    const section = swapped("META-INF/MANIFEST.MF", {
      content: manifest.replace("Name: a.txt\r\n", "Name: a.txt\r\nX: y\r\n"),
    });
    equal(await reason(section), "content-digest-mismatch");
    const main = swapped("META-INF/MANIFEST.MF", {
      content: manifest.replace("Created-By: test", "Class-Path: evil.jar"),
    });
    equal(await reason(main), "content-digest-mismatch");
    const gone = swapped("META-INF/MANIFEST.MF", {
      content: manifest.replace(/Name: a\.txt[^]*?\r\n\r\n/, ""),
    });
    equal(await reason(gone), "content-digest-mismatch");
    equal(
      await reason({ entries: (own) => own.slice(1) }),
      "malformed-envelope",
    );
  });

  it("takes signature files that have digests of sections alone", async () => {
    const without = (...names: string[]) => ({
      signatureFile: (text: string) =>
        names.reduce(
          (rest, name) => rest.replace(new RegExp(`SHA-256-${name}: (.*\\r\\n )*.*\\r\\n`), ""),
          text,
        ),
    });
    equal(await reason(without("Digest-Manifest")), "ok");
    // Of the main section as well: it says which class is run, and what else is loaded.
    const sections = without("Digest-Manifest", "Digest-Manifest-Main-Attributes");
    const swap = swapped("META-INF/MANIFEST.MF", {
      content: manifestOf({}).replace("Created-By: test", "Class-Path: evil.jar"),
    });
    equal(await reason(sections), "unsigned-entry");
    equal(await reason({ ...sections, ...swap }), "unsigned-entry");
    equal(
      await reason({ ...without("Digest-Manifest-Main-Attributes"), ...swap }),
      "unsigned-entry",
    );
    equal(await reason(without("Digest-Manifest-Main-Attributes")), "ok");
    // A section that is not in it is not signed, though the manifest as a whole is.
    const lacks = {
      signatureFile: (text: string) => text.replace(/Name: a\.txt[^]*?\r\n\r\n/, ""),
    };
    equal(await reason(lacks), "unsigned-entry");
    const none = { signatureFile: (text: string) => text.replace(/\r\nName: [^]*$/, "\r\n") };
    equal(await reason(none), "malformed-envelope");
  });

  it("covers sections of packages, and tells a manifest that it does not cover", async () => {
    const sealed = (text: string) => `${text}Name: pkg/\r\nSealed: true\r\n\r\n`;
    equal(await reason({ manifest: sealed }), "ok");
    const weak = (text: string) => `${text}Name: pkg/\r\nMD5-Digest: AA==\r\n\r\n`;
    equal(await reason({ manifest: weak }), "unsupported-algorithm");
    const later = await verifyFormat(
      await jarFile(swapped("META-INF/MANIFEST.MF", { content: sealed(manifestOf({})) })),
      await trust(),
    );
    ok(!later.ok);
    equal(later.errorReason, "unsigned-entry");
    ok(later.error.message.includes('section of "pkg/"'));
    const kinds = later.envelope?.uncovered?.map(({ what }) => what) ?? [];
    ok(kinds.includes('part of a signature: "META-INF/MANIFEST.MF"'));
    ok(!kinds.some((what) => what.includes("a.txt")));
  });

  it("refuses parts in which other entries could hide, also those of no signature", async () => {
    const raw = utf8("Signature-Version: 1.0\r\n\r\n");
    const packed = await deflate(raw);
    const content = concat(packed, await zip([EXTRA]));
    const both = { method: 8, packed: content.length, size: raw.length, crc: crc32(raw) };
    const orphan = (one: Partial<EntryRecipe>) => ({
      entries: (own: EntryRecipe[]) => [...own, { name: "META-INF/X.SF", ...one }],
    });
    equal(await reason(orphan({ content, both })), "malformed-zip");
    const key = await importTrustedKey((await testKey("leaf-p256")).spki);
    const plain = await verifyFormat(await jarFile(orphan({ content: raw })), { keys: [key] });
    ok(plain.ok);
  });

  it("bounds the manifest and all parts of signatures together", async () => {
    const large = { content: new Uint8Array(11 << 20), deflate: true };
    const parts = (count: number) => ({
      entries: (own: EntryRecipe[]) => [
        ...own,
        ...Array.from({ length: count }, (_, i) => ({ name: `META-INF/K${i}.SF`, ...large })),
      ],
    });
    await rejects(parseFormat(await jarFile(parts(3))), { reason: "limit-exceeded" });
    equal((await parseFormat(await jarFile(parts(2)))).signatures.length, 3);
  });

  it("refuses digests of SHA-1 and MD5, wherever they stand", async () => {
    for (const hash of ["SHA1", "MD5", "SHA-1", "SHA-512/256"]) {
      equal(await reason({ hash: hash.replace("/", "_") }), "unsupported-algorithm");
    }
    const downgraded = (text: string) => text.replaceAll("SHA-256-", "SHA1-");
    equal(await reason({ signatureFile: downgraded }), "unsupported-algorithm");
    equal(await reason({ manifest: downgraded }), "unsupported-algorithm");
    const sections = (text: string) =>
      text.replace(/SHA-256-Digest-Manifest: .*\r\n/, "").replaceAll(
        "SHA-256-Digest:",
        "MD5-Digest:",
      );
    equal(await reason({ signatureFile: sections }), "unsupported-algorithm");
    // One of SHA-2 beside them is enough, and has to be right.
    const both = (text: string) =>
      text.replaceAll("SHA-256-Digest:", "MD5-Digest: AA==\r\nSHA-256-Digest:");
    equal(await reason({ manifest: both }), "ok");
    const wrong = (text: string) =>
      text.replace("SHA-256-Digest:", `SHA-512-Digest: ${"A".repeat(86)}==\r\nSHA-256-Digest:`);
    equal(await reason({ manifest: wrong }), "content-digest-mismatch");
    equal(
      await reason({ manifest: (text) => text.replace("SHA-256-Digest: ", "SHA-256-Digest: !") }),
      "malformed-envelope",
    );
  });

  it("refuses signature files without block, blocks without file, and two of one name", async () => {
    equal(
      await reason(swapped("META-INF/KEY.EC", { name: "META-INF/OTHER.EC" })),
      "malformed-envelope",
    );
    equal(
      await reason({ entries: (own) => own.filter(({ name }) => name !== "META-INF/KEY.EC") }),
      "malformed-envelope",
    );
    for (
      const name of [
        "META-INF/KEY.RSA",
        "META-INF/key.ec",
        "META-INF/key.sf",
        "META-INF/Manifest.mf",
      ]
    ) {
      equal(await reason({ entries: (own) => [...own, { name }] }), "ambiguous-zip", name);
    }
    // Nor is a name whose letters have no case in ASCII, or what jarsigner leaves out beside them.
    for (
      const name of [
        "META-INF/SIG-x.class",
        "META-INF/SIG-x",
        "META-INF/KEY2.\u017fF",
        "META-\u0131NF/MANIFEST.MF",
      ]
    ) {
      equal(
        await reason({ entries: (own) => [...own, { name, content: "x" }] }),
        "unsigned-entry",
        name,
      );
    }
    const empty = swapped("META-INF/KEY.EC", { content: "" });
    equal(await reason(empty), "malformed-envelope");
    equal((await parseFormat(await jarFile(empty))).signatures[0].keyid, "KEY");
    // A folder below is no place of signatures.
    equal(
      await reason({ entries: (own) => [...own, { name: "META-INF/x/K.SF" }] }),
      "unsigned-entry",
    );
    const bare = await zip([{ name: "META-INF/MANIFEST.MF", content: manifestOf({}) }]);
    equal(await outcome(bare), "missing-signatures");
    const signed = await verifyFormat(
      await jarFile({ name: "other", ending: "RSA" }),
      await trust(),
    );
    ok(signed.ok);
  });

  it("refuses what demands a stronger signature or understands more", async () => {
    const demands = (text: string) => text.replace("\r\n", "\r\nX-Android-APK-Signed: 2, 3\r\n");
    equal(await reason({ signatureFile: demands }), "stripped-signature");
    const magic = (text: string) => text.replace("Name: a.txt\r\n", "Name: a.txt\r\nMagic: x\r\n");
    equal(await reason({ manifest: magic }), "unsupported-critical-header");
    const version = (text: string) =>
      text.replace("Signature-Version: 1.0", "Signature-Version: 2.0");
    equal(await reason({ signatureFile: version }), "malformed-envelope");
  });

  it("gives each signer a result of its own", async () => {
    const stranger = "leaf-other";
    const file = signatureFileOf(manifestOf({}), {});
    const other = await cms({
      message: utf8(file),
      key: stranger,
      chain: await selfSigned(stranger),
    });
    const more: EntryRecipe[] = [
      { name: "META-INF/S.SF", content: file },
      { name: "META-INF/S.EC", content: other },
    ];
    const result = await verifyFormat(
      await jarFile({ entries: (own) => [...more, ...own] }),
      await trust(),
    );
    ok(result.ok);
    deepEqual(result.envelope.signers.map(({ ok }) => ok), [true, false]);
    equal(result.signers.length, 1);
    // The second one signed all entries, the first one not the last.
    const files = { "a.txt": "hello\n", "pkg/B.class": "\u0000class", "new.txt": "new" };
    const later = manifestOf({ files });
    const laterFile = signatureFileOf(later, {});
    const both = await jarFile({
      entries: (own) => [
        { ...own[0], content: later },
        ...own.slice(1),
        { name: "new.txt", content: "new" },
        { name: "META-INF/S.SF", content: laterFile },
      ],
    });
    equal(await outcome(both), "unsigned-entry");
    const block = await cms({
      message: utf8(laterFile),
      key: stranger,
      chain: await selfSigned(stranger),
    });
    const whole = await jarFile({
      entries: (own) => [
        { ...own[0], content: later },
        ...own.slice(1),
        { name: "new.txt", content: "new" },
        { name: "META-INF/S.SF", content: laterFile },
        { name: "META-INF/S.EC", content: block },
      ],
    });
    equal(await outcome(whole), "unsigned-entry");
    const key = await importTrustedKey((await testKey(stranger)).spki);
    const byKey = await verifyFormat(whole, { ...await trust(), keys: [key] });
    ok(byKey.ok);
    deepEqual(byKey.envelope.signers.map(({ ok }) => ok), [true, false]);
  });

  it("judges certificates, of which a purpose need not be stated", async () => {
    equal(await reason({ cms: { chain: await chainOf([keyUsage("sign")]) } }), "ok");
    const web = await chainOf([keyUsage("sign"), extendedKeyUsage(["1.3.6.1.5.5.7.3.1"])]);
    equal(await reason({ cms: { chain: web } }), "invalid-certificate-usage");
    const issuer = await chainOf([
      keyUsage("certificates"),
      basicConstraints(false),
      extendedKeyUsage([CODE]),
    ]);
    equal(await reason({ cms: { chain: issuer } }), "invalid-certificate-usage");
    equal(await outcome(await jarFile(), { now: AFTER }), "certificate-not-valid");
    equal(await outcome(await jarFile(), { certificates: undefined }), "untrusted-certificate");
    equal(
      await reason({ signatureFile: (text) => text, cms: { message: utf8("x") } }),
      "message-digest-mismatch",
    );
  });

  it("notices each bit of entries, manifest and signature", async () => {
    const file = await jarFile({
      files: { "a.txt": "hello\n" },
      // The last byte of what is deflated may have bits that say nothing.
      entries: (own) => own.map((one) => ({ ...one, deflate: false })),
      cms: { bag: (await chainOf()).slice(0, 1) },
    });
    const key = await importTrustedKey((await testKey("leaf-p256")).spki);
    const whole = await verifyFormat(file, { keys: [key] });
    ok(whole.ok);
    const { uncovered = [] } = whole.envelope;
    const isCovered = (at: number) => !uncovered.some(({ start, end }) => at >= start && at < end);
    let covered = 0;
    for (let at = 0; at < file.length; at++) {
      if (!isCovered(at) && at % 5 !== 0) continue;
      const changed = file.slice();
      changed[at] ^= 1 << (at % 8);
      const result = await verifyFormat(changed, { keys: [key] });
      if (isCovered(at)) {
        covered++;
        ok(!result.ok, `byte ${at}`);
      }
      // What nobody signed is changed without another thing being said.
      if (result.ok) deepEqual(result.envelope.message, whole.envelope.message);
      else ok(result.errorReason !== "internal-error", `byte ${at}`);
    }
    ok(covered > 100);
  });

  it("refuses more signatures than are accepted", async () => {
    const many = Array.from({ length: 65 }, (_, i) => ({ name: `META-INF/K${i}.SF` }));
    const file = await jarFile({ entries: (own) => [...own, ...many] });
    equal(await outcome(file), "limit-exceeded");
    await rejects(parseFormat(file), { reason: "limit-exceeded" });
    // However many of them a block has: most tools write one.
    const full = await cms({ message: utf8("x"), signers: 8 });
    const none = await cms({ message: utf8("x"), signers: 0 });
    const blocks = (count: number, block = full) => ({
      entries: (own: EntryRecipe[]) => [
        ...own,
        ...Array.from({ length: count }, (_, i) => ({ name: `META-INF/K${i}.EC`, content: block })),
      ],
    });
    equal((await parseFormat(await jarFile(blocks(7)))).signatures.length, 57);
    await rejects(parseFormat(await jarFile(blocks(8))), { reason: "limit-exceeded" });
    await rejects(parseFormat(await jarFile(blocks(64, none))), { reason: "limit-exceeded" });
  });
});

async function selfSigned(key: string): Promise<Uint8Array[]> {
  return await chainOf(undefined, key).then(async ([leaf]) => {
    const { certificate } = await import("../../tools/pki/certificate.ts");
    const { distinguishedName } = await import("../../tools/pki/der_writer.ts");
    ok(leaf.length > 0);
    const name = distinguishedName("mallory", key);
    return [
      await certificate({
        serial: 21,
        issuer: name,
        subject: name,
        notBefore: new Date("2025-01-01T00:00:00Z"),
        notAfter: new Date("2026-01-01T00:00:00Z"),
        spki: (await testKey(key)).spki,
        extensions: [keyUsage("sign")],
      }, await testKey(key)),
    ];
  });
}

describe("parseManifest()", () => {
  const parse = (text: string | Uint8Array) =>
    parseManifest(typeof text === "string" ? utf8(text) : text, "manifest");

  it("reads lines that go on, in each form of newline", () => {
    for (const end of ["\n", "\r\n", "\r"]) {
      const name = `${"x".repeat(80)}é`;
      const text = `A: b\n\nName: ${name.slice(0, 60)}\n ${name.slice(60)}\nX: y\n\n\n`.replaceAll(
        "\n",
        end,
      );
      const { main, sections } = parse(text);
      equal(main.attributes.get("a"), "b");
      equal(new TextDecoder().decode(main.raw), `A: b${end}${end}`);
      equal(sections.get(name)?.attributes.get("x"), "y");
    }
    // A character of two bytes may be cut between two lines.
    const bytes = utf8("A: b\n\nName: \u00e9\n");
    const at = bytes.indexOf(0xc3) + 1;
    const cut = Uint8Array.from([...bytes.subarray(0, at), 10, 32, ...bytes.subarray(at)]);
    ok(parse(cut).sections.has("\u00e9"));
    // As many pieces as there are: each is copied once.
    const pieces = parse(`A: b\n${" x\n".repeat(1_000_000)}`);
    equal(pieces.main.attributes.get("a"), `b${"x".repeat(1_000_000)}`);
  });

  it("refuses what two readers take for two things", () => {
    for (
      const text of [
        "",
        "\n",
        "\nA: b\n",
        "Name: a\n",
        "A: b",
        "A: b\n\nX: y\n",
        "A: b\n\nX: y\nName: a\n",
        "A: b\n\nName: a\n\nName: a\n",
        "A: b\na: c\n",
        "A b\n",
        "A:b\n",
        " A: b\n",
        "A: b\n\n c\n",
        "A: b\u0000\n",
        "\u00e9: b\n",
      ]
    ) throws(() => parse(text), { reason: "malformed-envelope" }, JSON.stringify(text));
    throws(() => parse(Uint8Array.of(65, 58, 32, 0xff, 10)), { reason: "malformed-envelope" });
    throws(() => parse(`A: b\n${"\nName: x\n".repeat(100_002)}`), { reason: "limit-exceeded" });
  });
});
