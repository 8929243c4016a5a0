/**
 * Signatures that the reference tools make at test time, and their verdict beside ours: CMS of
 * OpenSSL, JAR of jarsigner, Authenticode of osslsigncode, boot images of sbsign.
 */

import { deepStrictEqual as deepEqual, ok, strictEqual as equal } from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { zip } from "../../formats/attached/_fixtures_test.ts";
import { jarFile, pe } from "../../formats/attached/_signed_fixtures_test.ts";
import { createEfiTrust } from "../../formats/attached/mod.ts";
import {
  type CertificateTrustOptions,
  createCertificateTrust,
  type FormatTrust,
  parseFormat,
  verifyFormat,
} from "../../formats/mod.ts";

function has(...tools: string[]): boolean {
  const missing = tools.filter((tool) => spawnSync(tool, ["--help"]).error !== undefined);
  if (missing.length > 0) console.log(`SKIPPED ${tools[0]}: not installed: ${missing.join(", ")}`);
  return missing.length === 0;
}

const EFI_TOOLS = "/usr/lib/efitools";
const bootImage = existsSync(EFI_TOOLS)
  ? readdirSync(EFI_TOOLS).map((one) => join(EFI_TOOLS, one, "HashTool.efi")).find(existsSync)
  : undefined;
if (bootImage === undefined) console.log("SKIPPED sbsign: efitools has no HashTool.efi here");

let folder = "";

function run(tool: string, ...args: string[]): string {
  const { status, stdout, stderr, error } = spawnSync(tool, args, { cwd: folder });
  if (error !== undefined) throw error;
  equal(status, 0, `${tool} ${args.join(" ")}\n${stdout}${stderr}`);
  return String(stdout);
}

function statusOf(tool: string, ...args: string[]): number | null {
  return spawnSync(tool, args, { cwd: folder }).status;
}

const file = (name: string) => Uint8Array.from(readFileSync(join(folder, name)));

function certificates(options: Partial<CertificateTrustOptions> = {}): FormatTrust {
  const authorities = [file("ca.pem")];
  const identities = ["CN=interop sign"];
  return { certificates: createCertificateTrust({ authorities, identities, ...options }) };
}

async function verdict(source: Uint8Array, trust: FormatTrust): Promise<string> {
  const result = await verifyFormat(source, trust);
  return result.ok ? "ok" : result.errorReason;
}

function flipped(bytes: Uint8Array, at: number): Uint8Array {
  const changed = bytes.slice();
  changed[at < 0 ? bytes.length + at : at] ^= 1;
  return changed;
}

/** An authority, signers of two kinds, and an authority of timestamps. */
function makeKeys(): void {
  folder = mkdtempSync(join(tmpdir(), "attest-attached-"));
  writeFileSync(join(folder, "a.txt"), "hello\n");
  const curve = ["-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"];
  run(
    "openssl",
    ...["req", "-x509", "-newkey", "ec", ...curve, "-keyout", "ca.key", "-out", "ca.pem"],
    ...["-subj", "/CN=interop-ca", "-days", "30", "-addext"],
    "keyUsage=critical,keyCertSign,cRLSign",
  );
  const leaves: [string, string[], string][] = [
    ["sign", ["-newkey", "rsa:2048", "-nodes"], "codeSigning"],
    ["ec", ["-newkey", "ec", ...curve], "codeSigning"],
    ["tsa", ["-newkey", "rsa:2048", "-nodes"], "critical,timeStamping"],
    ["web", ["-newkey", "ec", ...curve], "serverAuth"],
  ];
  for (const [name, key, purpose] of leaves) {
    const subject = name === "tsa" ? "/CN=interop tsa" : "/CN=interop sign";
    run(
      "openssl",
      "req",
      ...key,
      "-keyout",
      `${name}.key`,
      "-out",
      `${name}.csr`,
      "-subj",
      subject,
    );
    writeFileSync(
      join(folder, `${name}.ext`),
      `basicConstraints=CA:FALSE\nkeyUsage=critical,digitalSignature\nextendedKeyUsage=${purpose}\n`,
    );
    run(
      "openssl",
      ...["x509", "-req", "-in", `${name}.csr`, "-CA", "ca.pem", "-CAkey", "ca.key"],
      ...["-CAcreateserial", "-days", "30", "-out", `${name}.pem`, "-extfile", `${name}.ext`],
    );
  }
}

const hasOpenssl = has("openssl");

describe("what the reference tools sign", { skip: !hasOpenssl }, () => {
  before(makeKeys);
  after(() => rmSync(folder, { recursive: true, force: true }));

  it("openssl cms: each form, and each form of trust", async () => {
    const content = file("a.txt");
    const detached = { content, digest: {} };
    const trust = { ...certificates(), detached };
    const sign = (out: string, key: string, ...more: string[]) => {
      run(
        "openssl",
        ...["cms", "-sign", "-binary", "-in", "a.txt", "-signer", `${key}.pem`, "-inkey"],
        ...[`${key}.key`, "-outform", "DER", "-out", out, ...more],
      );
      return file(out);
    };
    equal(await verdict(sign("a.p7s", "sign"), trust), "ok");
    equal(await verdict(sign("b.p7s", "ec", "-md", "sha384"), trust), "ok");
    equal(await verdict(sign("c.p7s", "ec", "-keyid"), trust), "ok");
    equal(await verdict(sign("d.p7s", "sign", "-noattr"), trust), "malformed-envelope");
    equal(await verdict(sign("e.p7s", "sign", "-md", "sha1"), trust), "unsupported-algorithm");
    equal(await verdict(sign("f.p7s", "web"), trust), "invalid-certificate-usage");
    const pss = ["-keyopt", "rsa_padding_mode:pss", "-keyopt", "rsa_pss_saltlen:digest"];
    equal(await verdict(sign("g.p7s", "sign", ...pss), trust), "ok");
    equal(await verdict(sign("h.p7s", "sign", "-nodetach"), certificates()), "ok");
    equal(await verdict(sign("i.p7s", "sign", "-nocerts"), trust), "missing-trusted-key");
    // Streaming writes BER, which is not taken.
    equal(
      await verdict(sign("j.p7s", "sign", "-nodetach", "-stream"), trust),
      "malformed-envelope",
    );
    run(
      "openssl",
      "cms",
      "-in",
      "a.p7s",
      "-inform",
      "DER",
      "-cmsout",
      "-outform",
      "PEM",
      "-out",
      "a.pem",
    );
    equal(await verdict(file("a.pem"), trust), "ok");
    const other = { ...trust, detached: { content: flipped(content, 0), digest: {} } };
    equal(await verdict(file("a.p7s"), other), "message-digest-mismatch");
    const parsed = await parseFormat(file("a.p7s"));
    equal(parsed.signatures[0].keyid, "CN=interop sign");
    // Two signers in one file.
    const two = sign("k.p7s", "sign", "-signer", "ec.pem", "-inkey", "ec.key");
    const result = await verifyFormat(two, { ...trust, threshold: 2 });
    ok(result.ok);
    deepEqual(result.signers.map(({ algorithm }) => algorithm).sort(), ["ES256", "RS256"]);
  });

  it("osslsigncode: program with timestamp, page hashes and a nested signature", {
    skip: !has("osslsigncode"),
  }, async () => {
    writeFileSync(join(folder, "plain.exe"), await pe({ entries: [] }));
    const sign = (from: string, out: string, ...more: string[]) => {
      rmSync(join(folder, out), { force: true });
      run(
        "osslsigncode",
        ...["sign", "-certs", "sign.pem", "-key", "sign.key", "-in", from, "-out", out, ...more],
      );
      return file(out);
    };
    const signed = sign("plain.exe", "signed.exe", "-h", "sha256");
    equal((await parseFormat(signed)).format, "authenticode");
    equal(await verdict(signed, certificates()), "ok");
    equal(await verdict(sign("plain.exe", "384.exe", "-h", "sha384"), certificates()), "ok");
    equal(await verdict(sign("plain.exe", "ph.exe", "-h", "sha256", "-ph"), certificates()), "ok");
    equal(
      await verdict(sign("plain.exe", "sha1.exe", "-h", "sha1"), certificates()),
      "unsupported-algorithm",
    );
    equal(await verdict(flipped(signed, 0x3f0), certificates()), "content-digest-mismatch");
    equal(statusOf("osslsigncode", "verify", "-CAfile", "ca.pem", "signed.exe"), 0);
    writeFileSync(join(folder, "flipped.exe"), flipped(signed, 0x3f0));
    ok(statusOf("osslsigncode", "verify", "-CAfile", "ca.pem", "flipped.exe") !== 0);

    const stamped = sign(
      "plain.exe",
      "stamped.exe",
      ...["-h", "sha256", "-TSA-certs", "tsa.pem", "-TSA-key", "tsa.key"],
    );
    const later = new Date(Date.now() + 60 * 86_400_000);
    const stamps = certificates({ timestampAuthorities: [file("tsa.pem"), file("ca.pem")] });
    equal(await verdict(stamped, { ...certificates(), now: later }), "certificate-not-valid");
    equal(await verdict(stamped, { ...stamps, now: later }), "ok");

    const nested = sign("signed.exe", "nested.exe", "-nest", "-h", "sha384");
    const result = await verifyFormat(nested, certificates());
    ok(result.ok);
    deepEqual(result.envelope.unauthenticated, { nestedSignatures: 1 });
  });

  it("osslsigncode takes what our own writer makes", { skip: !has("osslsigncode") }, async () => {
    writeFileSync(join(folder, "own.exe"), await pe());
    const { stdout } = spawnSync("osslsigncode", ["verify", "own.exe"], { cwd: folder });
    const [, stated, computed] =
      /Current message digest\s*: ([0-9A-F]+)\s[^]*?Calculated message digest\s*: ([0-9A-F]+)/.exec(
        String(stdout),
      ) ?? [];
    ok(stated !== undefined && stated === computed, String(stdout));
  });

  it("sbsign: a boot image, by certificates and by the firmware's lists", {
    skip: bootImage === undefined || !has("sbsign", "cert-to-efi-sig-list", "hash-to-efi-sig-list"),
  }, async () => {
    run("sbsign", "--key", "sign.key", "--cert", "sign.pem", "--output", "app.efi", bootImage!);
    for (const name of ["sign", "ca", "ec"]) {
      run("cert-to-efi-sig-list", `${name}.pem`, `${name}.esl`);
    }
    run("hash-to-efi-sig-list", "app.efi", "hash.esl");
    const image = file("app.efi");
    equal((await parseFormat(image)).format, "uefi");
    equal(await verdict(image, certificates()), "ok");
    const efi = (db: string, ...dbx: string[]) => ({
      efi: createEfiTrust({ db: [file(db)], dbx: dbx.map(file) }),
    });
    equal(await verdict(image, efi("sign.esl")), "ok");
    equal(await verdict(image, efi("ca.esl")), "ok");
    equal(await verdict(image, efi("ec.esl")), "untrusted-certificate");
    equal(await verdict(image, efi("sign.esl", "ec.esl")), "ok");
    for (const dbx of ["sign.esl", "ca.esl", "hash.esl"]) {
      equal(await verdict(image, efi("sign.esl", dbx)), "forbidden-by-dbx", dbx);
    }
    equal(await verdict(flipped(image, 0x1000), efi("sign.esl")), "content-digest-mismatch");
    equal(statusOf("sbverify", "--cert", "sign.pem", "app.efi"), 0);
    // Two signatures: a loader takes either, and which one a program shows is anybody's guess.
    run("sbsign", "--key", "ec.key", "--cert", "ec.pem", "--output", "two.efi", "app.efi");
    equal(await verdict(file("two.efi"), certificates()), "malformed-envelope");
  });

  it("jarsigner: RSA and EC, two signers, other digests, and what was added later", {
    skip: !has("jarsigner", "keytool", "jar"),
  }, async () => {
    const store = ["-keystore", "ks.p12", "-storepass", "changeit"];
    for (const [alias, ...key] of [["rsa", "RSA", "-keysize", "2048"], ["ec", "EC"]]) {
      run(
        "keytool",
        ...["-genkeypair", ...store, "-storetype", "PKCS12", "-alias", alias, "-keyalg", ...key],
        ...["-dname", `CN=${alias}`],
      );
    }
    const pem = (alias: string) => run("keytool", "-exportcert", "-rfc", ...store, "-alias", alias);
    const trust = (...aliases: string[]) =>
      certificates({ authorities: aliases.map(pem), identities: ["CN=rsa", "CN=ec"] });
    const long = `${"folder-of-a-long-name/".repeat(6)}é.txt`;
    writeFileSync(
      join(folder, "plain.jar"),
      await zip([
        { name: "META-INF/MANIFEST.MF", content: "Manifest-Version: 1.0\r\n\r\n" },
        { name: "a.txt", content: "hello\n", deflate: true },
        { name: long, content: "long" },
      ]),
    );
    const sign = (from: string, to: string, alias: string, ...more: string[]) => {
      run("jarsigner", ...store, ...more, "-signedjar", to, from, alias);
      return file(to);
    };
    const rsa = sign("plain.jar", "rsa.jar", "rsa");
    equal(await verdict(rsa, trust("rsa")), "ok");
    equal(await verdict(rsa, trust("ec")), "untrusted-certificate");
    equal(
      await verdict(sign("plain.jar", "ec.jar", "ec", "-digestalg", "SHA-512"), trust("ec")),
      "ok",
    );
    equal(
      await verdict(sign("plain.jar", "sha1.jar", "rsa", "-digestalg", "SHA1"), trust("rsa")),
      "unsupported-algorithm",
    );
    equal(await verdict(sign("plain.jar", "s.jar", "rsa", "-sectionsonly"), trust("rsa")), "ok");
    const both = sign("rsa.jar", "both.jar", "ec");
    equal(await verdict(both, { ...trust("rsa", "ec"), threshold: 2 }), "ok");
    equal(await verdict(both, { ...trust("rsa"), threshold: 2 }), "threshold-not-met");

    writeFileSync(join(folder, "Evil.class"), "evil");
    writeFileSync(join(folder, "added.jar"), rsa);
    run("jar", "uf", "added.jar", "Evil.class");
    const added = await verifyFormat(file("added.jar"), trust("rsa"));
    ok(!added.ok);
    equal(added.errorReason, "unsigned-entry");
    ok(added.error.message.includes("Evil.class"));
    // jarsigner itself only warns of it, unless it is asked to be strict.
    equal(statusOf("jarsigner", "-verify", "added.jar"), 0);
    // Who signs it again covers it; the first signer still does not.
    const again = sign("added.jar", "again.jar", "ec");
    equal(await verdict(again, trust("ec")), "ok");
    equal(await verdict(again, trust("rsa")), "unsigned-entry");
    equal(statusOf("jarsigner", "-verify", "rsa.jar"), 0);
  });

  it("jarsigner takes what our own writer makes", { skip: !has("jarsigner") }, async () => {
    writeFileSync(join(folder, "own.jar"), await jarFile());
    equal(statusOf("jarsigner", "-verify", "own.jar"), 0);
    const changed = await jarFile({
      entries: (own) => own.map((one) => one.name === "a.txt" ? { ...one, content: "x" } : one),
    });
    writeFileSync(join(folder, "changed.jar"), changed);
    ok(statusOf("jarsigner", "-verify", "changed.jar") !== 0);
  });
});
