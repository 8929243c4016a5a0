/** Android packages that the real `apksigner` made, and its verdict beside ours. */

import { ok, strictEqual as equal } from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { Buffer } from "node:buffer";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { zip } from "../../formats/attached/_fixtures_test.ts";
import { createCertificateTrust, verifyFormat } from "../../formats/mod.ts";

const hasTools = ["apksigner", "keytool"].every((tool) =>
  spawnSync(tool, ["--version"]).error === undefined
);
if (!hasTools) console.log("SKIPPED apksigner: apksigner or keytool is not installed");

const PASSWORD = ["--ks-pass", "pass:changeit"];
let folder = "";

function run(tool: string, args: string[]): { status: number | null; text: string } {
  const { status, stdout, stderr } = spawnSync(tool, args, { cwd: folder, encoding: "utf8" });
  return { status, text: `${stdout}${stderr}` };
}

function sign(name: string, ...args: string[]): string {
  const { status, text } = run("apksigner", [
    "sign",
    "--v1-signing-enabled",
    "false",
    "--min-sdk-version",
    "24",
    "--out",
    name,
    ...args,
    "plain.apk",
  ]);
  equal(status, 0, text);
  return name;
}

const store = (key: string): string[] => ["--ks", `${key}.p12`, ...PASSWORD];

interface PeerVerdict {
  ok: boolean;
  /** SHA-256 of the signers' certificates. */
  certificates: string[];
}

function peer(name: string): PeerVerdict {
  const { status, text } = run("apksigner", [
    "verify",
    "--min-sdk-version",
    "24",
    "--print-certs",
    name,
  ]);
  const found = text.matchAll(/certificate SHA-256 digest: ([0-9a-f]{64})/g);
  return { ok: status === 0, certificates: [...found].map(([, hex]) => hex) };
}

async function ours(name: string, pinned: string[]): Promise<string> {
  const threshold = Math.max(1, pinned.length);
  const certificates = createCertificateTrust({ pinned });
  const result = await verifyFormat(readFileSync(join(folder, name)), { certificates, threshold });
  return result.ok ? "ok" : result.errorReason;
}

describe("APKs that apksigner made", { skip: !hasTools }, () => {
  before(async () => {
    folder = mkdtempSync(join(tmpdir(), "attest-apk-"));
    const content = new Uint8Array((1 << 20) + 100).map((_, i) => i % 251);
    const plain = await zip([
      { name: "AndroidManifest.xml", content: "x" },
      { name: "large.bin", content },
      { name: "classes.dex", content: "dex".repeat(1000), deflate: true },
    ]);
    writeFileSync(join(folder, "plain.apk"), plain);
    const kinds: [string, ...string[]][] = [
      ["rsa2048", "-keyalg", "RSA", "-keysize", "2048"],
      ["rsa4096", "-keyalg", "RSA", "-keysize", "4096"],
      ["ec256", "-keyalg", "EC", "-groupname", "secp256r1"],
      ["ec384", "-keyalg", "EC", "-groupname", "secp384r1"],
    ];
    for (const [key, ...args] of kinds) {
      const made = run("keytool", [
        "-genkeypair",
        "-keystore",
        `${key}.p12`,
        "-storetype",
        "PKCS12",
        "-storepass",
        "changeit",
        "-alias",
        "k",
        "-dname",
        `CN=${key}`,
        "-validity",
        "3650",
        ...args,
      ]);
      equal(made.status, 0, made.text);
    }
  });
  after(() => {
    if (folder !== "") rmSync(folder, { recursive: true });
  });

  it("are accepted with the certificates that it prints, and with no other", async () => {
    const names = [
      sign("rsa4096.apk", ...store("rsa4096")),
      sign("ec256.apk", ...store("ec256")),
      sign("ec384.apk", ...store("ec384"), "--v3-signing-enabled", "false"),
      sign(
        "two.apk",
        "--v3-signing-enabled",
        "false",
        ...store("rsa2048"),
        "--next-signer",
        ...store("ec256"),
      ),
    ];
    for (const name of names) {
      const { ok: accepted, certificates } = peer(name);
      ok(accepted, name);
      equal(certificates.length, name === "two.apk" ? 2 : 1);
      equal(await ours(name, certificates), "ok", name);
      equal(await ours(name, ["0".repeat(64)]), "untrusted-certificate");
    }
  });

  it("are accepted after a rotation of keys by the new certificate", async () => {
    const rotated = run("apksigner", [
      "rotate",
      "--out",
      "lineage",
      "--old-signer",
      ...store("rsa2048"),
      "--new-signer",
      ...store("ec256"),
    ]);
    equal(rotated.status, 0, rotated.text);
    const both = [...store("rsa2048"), "--next-signer", ...store("ec256")];
    const name = sign("rotated.apk", "--lineage", "lineage", ...both);
    const { ok: accepted, certificates } = peer(name);
    ok(accepted);
    equal(await ours(name, certificates), "ok");
  });

  it("are refused by both when a bit of content, central directory or signature is flipped", async () => {
    const name = sign("whole.apk", ...store("ec256"));
    const { certificates } = peer(name);
    const bytes = readFileSync(join(folder, name));
    const directory = bytes.readUInt32LE(bytes.length - 6);
    const block = Number(bytes.readBigUInt64LE(directory - 24));
    const v3 = bytes.indexOf(Buffer.from([0xc0, 0x68, 0x53, 0xf0]), directory - block);
    for (const at of [60, 1 << 20, directory + 12, bytes.length - 20, v3 + 40]) {
      const flipped = Buffer.from(bytes);
      flipped[at] ^= 1;
      writeFileSync(join(folder, "flipped.apk"), flipped);
      equal(peer("flipped.apk").ok, false, String(at));
      ok(await ours("flipped.apk", certificates) !== "ok", String(at));
    }
  });

  it("are refused by both when v3 is cut out of v2 and v3", async () => {
    const name = sign("both.apk", ...store("ec256"));
    const { certificates } = peer(name);
    const bytes = readFileSync(join(folder, name));
    const id = Buffer.from([0xc0, 0x68, 0x53, 0xf0]);
    const at = bytes.indexOf(id);
    // Another id makes the pair one that nobody knows, and keeps all lengths.
    bytes[at] ^= 0xff;
    writeFileSync(join(folder, "cut.apk"), bytes);
    equal(peer("cut.apk").ok, false);
    equal(await ours("cut.apk", certificates), "stripped-signature");
  });
});
