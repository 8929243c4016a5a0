import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { ABC_SHA256, compact, keyOf, STATEMENT } from "../formats/_fixtures_test.ts";
import {
  armor,
  cleartext,
  makeKey,
  publicKey,
  rpmHeader,
  rpmOf,
  signaturePacket,
} from "../formats/openpgp/_fixtures_test.ts";
import { authority, sample } from "../formats/_notation_fixtures_test.ts";
import { tufRootFile, tufTargetsFile } from "../formats/_tuf_fixtures_test.ts";
import { utf8 } from "../internal/bytes.ts";
import { encodeHex } from "../internal/hex.ts";
import { sha256 } from "../internal/sha256.ts";
import { jarFile, pe, signatureList, X509 } from "../formats/attached/_signed_fixtures_test.ts";
import { encodePem } from "../internal/pem.ts";
import { MemoryRuntime } from "../tests/cli_runtime.ts";
import { testKey } from "../tools/pki/keys.ts";
import { main } from "./main.ts";

const HELLO = "hello\n";
const MINISIGN_KEY = `untrusted comment: minisign public key 8898F3B5C5407C20
RWQgfEDFtfOYiE3MPO4t6UY5vJen+drgBYJTr55HPLKmy0ySbnYI4/37
`;
const MINISIG = `untrusted comment: signature from minisign secret key
RUQgfEDFtfOYiDfBT+WjJWfTNtNTGv3tHC9e8QwXEk1uBuH+Vn8pdFxakaKtBNqDJBSTjXmpnTkOjO2Jzu+mZ9G4XF9nMj18Ygs=
trusted comment: interop sample
wnTqfzfbj0BiOxyX6NV3yWs8sEatSAzb3Fqtbm7xW9K+DH8xyXOwAyfJEjnqXmLo5t+8FBLLOLt1kA7P5TdTDg==
`;

async function run(files: Record<string, string | Uint8Array>, ...args: string[]) {
  const runtime = new MemoryRuntime(files as Record<string, string>, args);
  const status = await main(runtime);
  return { status, out: runtime.stdout, err: runtime.stderr };
}

/** The reason of `verify --format json`, or what it says instead of a report. */
async function reason(files: Record<string, string | Uint8Array>, ...args: string[]) {
  const { out, err } = await run(files, "verify", ...args, "--format=json");
  return out === "" ? err : JSON.parse(out).errorReason ?? "ok";
}

describe("attest verify", () => {
  it("takes minisign's files as they are", async () => {
    const files = { "a.txt": HELLO, "a.txt.minisig": MINISIG, "k.pub": MINISIGN_KEY };
    const args = ["--bundle=a.txt.minisig", "--key=k.pub"];
    assert.equal(await reason(files, "a.txt", ...args), "ok");
    assert.equal(
      await reason({ ...files, "a.txt": "other" }, "a.txt", ...args),
      "invalid-signature",
    );
    assert.equal(await reason(files, "a.txt", ...args, "--accept-format=minisign"), "ok");
    assert.equal(
      await reason(files, "a.txt", ...args, "--accept-format=dsse"),
      "format-not-accepted",
    );
  });

  it("finds signatures beside their files, and says what it found", async () => {
    const files = { "a.txt": HELLO, "a.txt.minisig": MINISIG, "k.pub": MINISIGN_KEY };
    assert.equal(await reason(files, "a.txt", "--key=k.pub"), "ok");
    const { out } = await run(files, "verify", "a.txt", "--key=k.pub");
    assert.match(out, /a\.txt\.minisig \(minisign\)/);
    assert.match(out, /trusted comment +interop sample \(signed\)/);
    assert.equal(
      await reason({ ...files, "a.txt": "x" }, "a.txt", "--key=k.pub"),
      "invalid-signature",
    );
    const bare = { "a.txt": HELLO, "k.pub": MINISIGN_KEY, "a.txt.sig": `${"A".repeat(88)}\n` };
    assert.equal(await reason(bare, "a.txt", "--key=k.pub"), "unknown-format");
    assert.equal(await reason({ ...files, ...bare }, "a.txt", "--key=k.pub"), "ok");
    for (const name of ["a.txt.asc", "a.txt.sig", "a.txt.prov"]) {
      const one = { "a.txt": HELLO, "k.pub": MINISIGN_KEY, [name]: "hello" };
      const { out } = await run(one, "verify", "a.txt", "--key=k.pub");
      assert.ok(out.includes(name), name);
    }
  });

  it("takes no signature in a folder for an artifact, unless it is of none", async () => {
    const files = { "d/a.txt": HELLO, "d/a.txt.minisig": MINISIG, "k.pub": MINISIGN_KEY };
    assert.equal(await reason(files, "d", "--key=k.pub"), "ok");
    const alone = { ...files, "d/b.sig": "hello" };
    assert.equal(await reason(alone, "d", "--key=k.pub"), "attestation-not-found");
  });

  it("takes a list of checksums with --message", async () => {
    // It is no list: that is said, and the signature is good.
    const files = { "b.txt": "b", "a.txt": HELLO, "a.txt.minisig": MINISIG, "k.pub": MINISIGN_KEY };
    const args = ["--bundle=a.txt.minisig", "--key=k.pub", "--message=a.txt"];
    assert.equal(await reason(files, "b.txt", ...args), "unsupported-payload-type");
    assert.match(await reason(files, "b.txt", "--message=a.txt"), /--message needs --bundle/);
  });

  it("reads the keys of each format by their marks", async () => {
    const { trustedKey } = await keyOf("Ed25519");
    const hex = Array.from(trustedKey.spki.subarray(-32), (b) => b.toString(16).padStart(2, "0"));
    const point = btoa(String.fromCharCode(...trustedKey.spki.subarray(-32)));
    const keys = [
      JSON.stringify({
        keytype: "ed25519",
        scheme: "ed25519",
        keyval: { public: hex.join("") },
      }),
      `k4.public.${point.replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "")}\n`,
      encodePem("PUBLIC KEY", trustedKey.spki),
    ];
    const token = await compact({ alg: "EdDSA", cty: "vnd.in-toto+json" });
    for (const key of keys) {
      const files = { abc: "abc", "a.jws": token, "k.pub": key };
      assert.equal(await reason(files, "abc", "--bundle=a.jws", "--key=k.pub"), "ok");
    }
    const vkey = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW\n";
    const files = { abc: "abc", "a.jws": token, "k.pub": vkey };
    assert.equal(await reason(files, "abc", "--bundle=a.jws", "--key=k.pub"), "invalid-signature");
  });

  it("takes targets of a TUF repository by a root that is pinned", async () => {
    const files = {
      "abc": "abc",
      "other": "x",
      "targets.json": await tufTargetsFile(),
      "root.json": await tufRootFile(),
      "stranger.json": await tufRootFile({ targetSigners: ["stranger"] }),
    };
    const args = ["--bundle=targets.json", "--tuf-root=root.json"];
    assert.equal(await reason(files, "abc", ...args), "ok");
    assert.equal(await reason(files, `sha256:${ABC_SHA256}`, ...args), "ok");
    assert.equal(await reason(files, "other", ...args), "subject-mismatch");
    assert.equal(await reason(files, "abc", args[0]), "missing-trusted-key");
    assert.equal(
      await reason(files, "abc", args[0], "--tuf-root=stranger.json"),
      "invalid-signature",
    );
    assert.match(
      await reason(files, "abc", args[0], "--tuf-root=targets.json"),
      /another type than root/,
    );
    const { out } = await run(files, "verify", "abc", ...args);
    assert.match(out, /TUF root +root\.json \(1 of 1 key\)/);
    assert.match(out, /version +2 \(signed\)/);
    assert.ok(!out.includes("NOT STATED"));
  });

  it("takes OpenPGP keys, armored and not, beside others", async () => {
    const key = await makeKey();
    const stranger = await makeKey();
    const list = `${encodeHex(sha256(utf8("abc")))}  abc`;
    const { trustedKey } = await keyOf("Ed25519");
    const files = {
      "abc": "abc",
      "list.asc": await cleartext(key, list),
      "abc.asc": armor("SIGNATURE", await signaturePacket(key, utf8("abc"))),
      "pub.asc": armor("PUBLIC KEY BLOCK", await publicKey(key)),
      "pub.gpg": await publicKey(key),
      "other.gpg": await publicKey(stranger),
      "k.pub": encodePem("PUBLIC KEY", trustedKey.spki),
      "bad.asc": armor("PRIVATE KEY BLOCK", await publicKey(key)),
    };
    for (const bundle of ["--bundle=list.asc", "--bundle=abc.asc"]) {
      assert.equal(await reason(files, "abc", bundle, "--key=pub.asc"), "ok");
      assert.equal(await reason(files, "abc", bundle, "--key=pub.gpg", "--key=k.pub"), "ok");
      assert.equal(await reason(files, "abc", bundle, "--key=other.gpg"), "missing-trusted-key");
      assert.equal(await reason(files, "abc", bundle, "--key=k.pub"), "missing-trusted-key");
    }
    assert.equal(await reason(files, "abc", "--key=pub.asc"), "ok");
    const two = ["abc", "--bundle=list.asc", "--key=pub.asc", "--threshold=2"];
    assert.match(await reason(files, ...two), /1 distinct key/);
    assert.equal(await reason(files, ...two, "--key=other.gpg"), "threshold-not-met");
    assert.match(await reason(files, "abc", "--bundle=list.asc", "--key=bad.asc"), /bad\.asc/);
    const { out } = await run(files, "verify", "abc", "--bundle=list.asc", "--key=pub.asc");
    assert.ok(out.includes(`pub.asc (OpenPGP, ${encodeHex(key.fingerprint)})`), out);
    assert.match(
      await reason(files, "abc", "--bundle=list.asc", "--key=pub.asc", "--key-alg=Ed25519"),
      /--key-alg/,
    );
  });

  it("takes an RPM package by the signature that is in it", async () => {
    const key = await makeKey();
    const payload = utf8("payload");
    const header = rpmHeader(63, [
      [1000, "app"],
      [1001, "1"],
      [1002, "1"],
      [1022, "noarch"],
      [5092, [encodeHex(sha256(payload))]],
      [5093, 8],
    ]);
    const app = rpmOf(rpmHeader(62, [[267, await signaturePacket(key, header)]]), header, payload);
    const other = app.slice();
    other[20] ^= 1;
    const files = { "app.rpm": app, "other.rpm": other, "pub.gpg": await publicKey(key) };
    assert.equal(await reason(files, "app.rpm", "--bundle=app.rpm", "--key=pub.gpg"), "ok");
    assert.equal(await reason(files, "app.rpm", "--key=pub.gpg"), "ok");
    assert.equal(
      await reason(files, "app.rpm", "--bundle=other.rpm", "--key=pub.gpg"),
      "subject-mismatch",
    );
    const { out } = await run(files, "inspect", "app.rpm");
    assert.match(out, /app-1-1\.noarch\.rpm/);
    assert.ok(!out.includes("another file"), out);
  });

  it("takes authorities and the holders that they may name", async () => {
    const { root } = await authority();
    const ca = encodePem("CERTIFICATE", root);
    const files = { abc: "abc", "n.json": await sample(), "ca.pem": ca };
    const args = ["abc", "--bundle=n.json"];
    const subject = "--certificate-subject=CN=release";
    // The sample's certificate was valid in 2025.
    assert.equal(
      await reason(files, ...args, "--certificate-authority=ca.pem", subject),
      "certificate-not-valid",
    );
    assert.equal(
      await reason(files, ...args, "--signing-authority=ca.pem", subject),
      "untrusted-certificate",
    );
    assert.equal(
      await reason(
        files,
        ...args,
        "--certificate-authority=ca.pem",
        "--timestamp-authority=ca.pem",
        subject,
      ),
      "certificate-not-valid",
    );
    assert.equal(
      await reason(files, ...args, "--certificate-authority=ca.pem", "--unsafe-any-identity"),
      "certificate-not-valid",
    );
    assert.match(await reason(files, ...args, subject), /need --certificate-authority/);
    assert.match(
      await reason(files, ...args, "--certificate-authority=ca.pem"),
      /needs --certificate-subject/,
    );
    assert.match(
      await reason(
        files,
        ...args,
        "--certificate-authority=ca.pem",
        "--certificate-subject=release",
      ),
      /wanted C=/,
    );
  });
});

describe("attest verify of files that carry their signature", () => {
  const files = async () => ({
    "app.jar": await jarFile(),
    "app.exe": await pe(),
    "boot.efi": await pe({ subsystem: 10 }),
    "ca.pem": encodePem("CERTIFICATE", (await authority()).root),
    "db.esl": signatureList(X509, (await authority()).root),
    "release.pub": encodePem("PUBLIC KEY", (await testKey("leaf-p256")).spki),
    "plain.jar": utf8("PK\u0003\u0004"),
  });
  const CERTIFICATE = ["--certificate-authority=ca.pem", "--certificate-subject=CN=release"];

  it("takes them as they are, once somebody is trusted who signs so", async () => {
    const own = await files();
    for (const name of ["app.jar", "app.exe", "boot.efi"]) {
      // The certificate was valid in 2025.
      assert.equal(await reason(own, name, ...CERTIFICATE), "certificate-not-valid");
      assert.equal(await reason(own, name, "--key=release.pub"), "ok");
      // No identity of Sigstore signs in a file: what is missing is an attestation.
      const repo = ["--repo=acme/app"];
      assert.equal(await reason(own, name, ...repo), "attestation-not-found");
      // What lies beside it is what counts.
      const beside = { ...own, [`${name}.att.json`]: "{}" };
      assert.equal(await reason(beside, name, "--key=release.pub"), "unknown-format");
    }
    assert.equal(await reason(own, "plain.jar", "--key=release.pub"), "malformed-json");
    const { status, out } = await run(own, "verify", "app.jar", "--key=release.pub");
    assert.equal(status, 0);
    assert.match(out, /envelope\.coverage +Bytes that the signatures do not cover: \d+/);
  });

  it("reads a large file only if its first bytes say that it may", async () => {
    const overlay = new Uint8Array(33 << 20);
    const own = { ...await files(), "big.exe": await pe({ overlay }), "big.bin": overlay };
    // Bytes after the signature are refused: it was read.
    assert.equal(await reason(own, "big.exe", "--key=release.pub"), "malformed-envelope");
    const { status, out } = await run(own, "verify", "app.exe", "-b=big.bin", "--key=release.pub");
    assert.equal(status, 1);
    assert.match(out, /it has 34603008 bytes, at most 33554432 are accepted/);
    // inspect reads no less, and no more.
    const signed = { ...own, "large.exe": await pe({ codeBytes: overlay.length }) };
    const shown = await run(signed, "inspect", "large.exe");
    assert.equal(shown.status, 0, shown.err);
    assert.match(shown.out, /large\.exe \(authenticode\)/);
    const refused = await run(own, "inspect", "big.bin");
    assert.equal(refused.status, 2);
    assert.match(refused.err, /at most 33554432/);
  });

  it("judges boot images by --efi-db and --efi-dbx", async () => {
    const own = await files();
    assert.equal(await reason(own, "boot.efi", "--efi-db=db.esl"), "ok");
    assert.equal(
      await reason(own, "boot.efi", "--efi-db=db.esl", "--efi-dbx=db.esl"),
      "forbidden-by-dbx",
    );
    assert.match(await reason(own, "boot.efi", "--efi-dbx=db.esl"), /--efi-dbx needs --efi-db/);
    const empty = { ...own, "db.esl": "" };
    assert.match(await reason(empty, "boot.efi", "--efi-db=db.esl"), /db has no certificate/);
    const bad = { ...own, "db.esl": "x" };
    assert.match(await reason(bad, "boot.efi", "--efi-db=db.esl"), /a list is cut off/);
    assert.equal(await reason(own, "app.exe", "--efi-db=db.esl"), "untrusted-certificate");
    const { out } = await run(own, "inspect", "boot.efi", "db.esl", "app.jar");
    for (const text of ["PE32+, subsystem 10", "1 x509", "the file itself", "O=acme, CN=release"]) {
      assert.ok(out.includes(text), text);
    }
  });
});

describe("attest inspect", () => {
  it("shows the layers of other formats, and what is explained", async () => {
    const files = {
      "a.jws": await compact({ alg: "EdDSA", cty: "vnd.in-toto+json" }),
      "a.minisig": MINISIG,
      "n.json": await sample(),
      "t.json": JSON.stringify({ signatures: [], signed: { _type: "root", version: 1 } }),
      "targets.json": await tufTargetsFile(),
      "s.json": JSON.stringify({ bomFormat: "CycloneDX", specVersion: "1.6" }),
    };
    const { status, out } = await run(files, "inspect", ...Object.keys(files));
    assert.equal(status, 0);
    for (
      const text of [
        "a.jws (jws)  NOT VERIFIED",
        STATEMENT.predicateType,
        "Ed25519 over BLAKE2b-512",
        "another file, which is signed",
        "interop sample",
        "O=acme, CN=release",
        "The Update Framework",
        "targets.json (tuf-targets)  NOT VERIFIED",
        "latest",
        "s.json (cyclonedx)",
      ]
    ) assert.ok(out.includes(text), text);
  });

  it("refuses what is of two formats, and what is of none", async () => {
    const two = JSON.stringify({ bomFormat: "CycloneDX", spdxVersion: "SPDX-2.3" });
    const { status, out } = await run({ "a.json": two, "b": "hello" }, "inspect", "a.json", "b");
    assert.equal(status, 1);
    assert.ok(out.includes("ambiguous-format"));
    assert.ok(out.includes("malformed-json"));
  });
});
