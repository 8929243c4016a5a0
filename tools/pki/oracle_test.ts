import { test } from "node:test";
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { utf8 } from "../../internal/bytes.ts";
import { decodeHex, encodeHex } from "../../internal/hex.ts";
import { encodePem } from "../../internal/pem.ts";
import { issueLeaf } from "./ca.ts";
import { leafIndexExtension } from "./ct_log.ts";
import {
  createInstance,
  GITHUB_ISSUER,
  LEAF_END,
  LEAF_START,
  SIGNED,
  WORKFLOW,
} from "./instance.ts";
import { publicKeyPem, sha256Of, testKey } from "./keys.ts";
import { inclusionPath, leafHash, treeRoot } from "./merkle.ts";
import { timestamp } from "./tsa.ts";

// The oracle is another implementation: OpenSSL. Without it these tests say so and stop.
const hasOpenssl = spawnSync("openssl", ["version"]).status === 0;
const skip = hasOpenssl ? false : "openssl is not installed";
const instance = await createInstance();
const AT = String(SIGNED.getTime() / 1000);

function withFiles(files: Record<string, string | Uint8Array>, args: string[]): {
  ok: boolean;
  text: string;
} {
  const folder = mkdtempSync(join(tmpdir(), "pki-"));
  try {
    for (const [name, content] of Object.entries(files)) {
      writeFileSync(join(folder, name), content);
    }
    const { status, stdout, stderr } = spawnSync("openssl", args, { cwd: folder });
    return { ok: status === 0, text: `${stdout}${stderr}` };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function certificatePem(der: Uint8Array): string {
  return encodePem("CERTIFICATE", der);
}

async function leaf(keyName: string): Promise<Uint8Array> {
  return await issueLeaf(instance.authority, {
    key: await testKey(keyName),
    san: { type: "uri", value: WORKFLOW },
    issuer: GITHUB_ISSUER,
    notBefore: LEAF_START,
    notAfter: LEAF_END,
    scts: [{
      log: instance.ctLog,
      timestamp: LEAF_START,
      extensions: leafIndexExtension(7),
    }],
  });
}

for (const name of ["leaf-p256", "leaf-p384", "leaf-ed25519", "leaf-rsa"]) {
  test(`issueLeaf() of ${name} leads to its root for OpenSSL`, { skip }, async () => {
    const files = {
      "root.pem": certificatePem(instance.authority.root),
      "intermediate.pem": certificatePem(instance.authority.intermediate),
      "leaf.pem": certificatePem(await leaf(name)),
    };
    const args = ["-CAfile", "root.pem", "-untrusted", "intermediate.pem", "leaf.pem"];
    const found = withFiles(files, ["verify", "-x509_strict", "-attime", AT, ...args]);
    assert.ok(found.ok, found.text);
    const late = withFiles(files, [
      "verify",
      "-attime",
      String(LEAF_END.getTime() / 1000 + 1),
      ...args,
    ]);
    assert.ok(!late.ok && late.text.includes("expired"), late.text);
    const other = withFiles(
      { ...files, "intermediate.pem": certificatePem(instance.otherAuthority.intermediate) },
      ["verify", "-attime", AT, ...args],
    );
    assert.ok(!other.ok, other.text);
  });
}

test("issueLeaf() writes names, purposes and SCTs as OpenSSL reads them", { skip }, async () => {
  const { ok, text } = withFiles({ "leaf.pem": certificatePem(await leaf("leaf-p256")) }, [
    "x509",
    "-in",
    "leaf.pem",
    "-noout",
    "-text",
  ]);
  assert.ok(ok, text);
  for (
    const line of [
      `URI:${WORKFLOW}`,
      "Code Signing",
      "Digital Signature",
      "CT Precertificate SCTs",
      "Extensions: 00:00:05:00:00:00:00:07",
      "Subject: \n",
    ]
  ) assert.ok(text.includes(line), `${line} in ${text}`);
});

for (const embed of [true, false]) {
  test(`timestamp() ${embed ? "with" : "without"} certificate verifies in OpenSSL`, {
    skip,
  }, async () => {
    const message = utf8("a signature");
    const files = {
      "stamp.tsr": await timestamp(instance.tsa, { message, genTime: SIGNED, embed }),
      "data": message,
      "root.pem": certificatePem(instance.tsaAuthority.root),
      "chain.pem": certificatePem(instance.tsaAuthority.intermediate) +
        certificatePem(instance.tsa.certificate),
    };
    const args = [
      "-in",
      "stamp.tsr",
      "-CAfile",
      "root.pem",
      "-untrusted",
      "chain.pem",
      "-attime",
      AT,
    ];
    const found = withFiles(files, ["ts", "-verify", "-data", "data", ...args]);
    assert.ok(found.ok, found.text);
    const other = withFiles({ ...files, data: utf8("another") }, [
      "ts",
      "-verify",
      "-data",
      "data",
      ...args,
    ]);
    assert.ok(!other.ok, other.text);
    const broken = {
      ...files,
      "stamp.tsr": await timestamp(instance.tsa, {
        message,
        genTime: SIGNED,
        embed,
        corruptSignature: true,
      }),
    };
    assert.ok(!withFiles(broken, ["ts", "-verify", "-data", "data", ...args]).ok);
  });
}

test("sign() of every kind of key verifies in OpenSSL", { skip }, async () => {
  const message = utf8("a message");
  for (
    const [name, hash] of [["leaf-p256", "-sha256"], ["leaf-p384", "-sha384"], [
      "leaf-rsa",
      "-sha256",
    ]]
  ) {
    const key = await testKey(name);
    const { ok, text } = withFiles({
      "key.pem": publicKeyPem(key),
      "signature": await key.sign(message),
      "message": message,
    }, ["dgst", hash, "-verify", "key.pem", "-signature", "signature", "message"]);
    assert.ok(ok, `${name}: ${text}`);
  }
});

test("sign() gives the same bytes twice", async () => {
  for (const name of ["leaf-p256", "leaf-p384", "leaf-ed25519", "leaf-rsa"]) {
    const key = await testKey(name);
    const message = utf8("a message");
    assert.deepEqual(await key.sign(message), await key.sign(message));
  }
});

test("treeRoot() and inclusionPath() give the published vectors", () => {
  const leaves = [
    "",
    "00",
    "10",
    "2021",
    "3031",
    "40414243",
    "5051525354555657",
    "606162636465666768696a6b6c6d6e6f",
  ].map((hex) => leafHash(decodeHex(hex)));
  assert.equal(
    encodeHex(treeRoot(leaves)),
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
  );
  assert.equal(
    encodeHex(treeRoot(leaves.slice(0, 7))),
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
  );
  assert.deepEqual(inclusionPath(5, leaves).map(encodeHex), [
    "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
    "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
  ]);
  assert.deepEqual(inclusionPath(0, [sha256Of("one")]), []);
});
