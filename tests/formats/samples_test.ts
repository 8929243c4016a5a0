/**
 * Samples that the reference tools made with throw-away keys: `make-formats.sh FOLDER`, and
 * `ATTEST_FORMAT_SAMPLES=FOLDER`. Each is verified as it is, and again with one bit flipped in
 * the signed part, in the signature, and in what nobody signed.
 */

import { strictEqual as equal } from "node:assert/strict";
import { Buffer } from "node:buffer";
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { describe, it } from "node:test";
import { importKeyFile } from "../../cli/key_file.ts";
import { createCertificateTrust, parseFormat, verifyFormat } from "../../formats/mod.ts";
import { verifyLayout } from "../../formats/layout/mod.ts";
import { verify } from "../../verify/mod.ts";

const FOLDER = process.env.ATTEST_FORMAT_SAMPLES ?? "";
const isThere = FOLDER !== "" && existsSync(FOLDER);
const options = isThere ? {} : { skip: "no samples: set ATTEST_FORMAT_SAMPLES" };
if (!isThere) console.log(`skipped: ${options.skip}`);

/** Where a bit is flipped, as text that stands there, and what comes of it. */
interface Flip {
  /** File of the sample. */
  file: "document" | "artifact";
  /** The bit is in the byte behind this text; absent: in the first byte. */
  after?: string;
  /** `ok`, or the reason. */
  outcome: string;
}

interface Sample {
  document: string;
  artifact: string;
  key: string;
  format: string;
  /** In what is signed, in the signature, and in what is not signed. */
  signed: Flip;
  signature: Flip;
  unsigned: Flip;
}

const SAMPLES: readonly Sample[] = [
  {
    document: "minisign/a.txt.minisig",
    artifact: "minisign/a.txt",
    key: "minisign/k.pub",
    format: "minisign",
    signed: { file: "artifact", outcome: "invalid-signature" },
    signature: { file: "document", after: "RUQgfEDFtfOY", outcome: "invalid-signature" },
    unsigned: { file: "document", after: "untrusted comment: sig", outcome: "ok" },
  },
  {
    document: "minisign/a.txt.minisig",
    artifact: "minisign/a.txt",
    key: "minisign/k.pub",
    format: "minisign",
    signed: { file: "document", after: "\ntrusted comment: ", outcome: "invalid-signature" },
    signature: { file: "document", after: "interop sample\nw", outcome: "invalid-signature" },
    unsigned: { file: "document", after: "untrusted comment: sign", outcome: "ok" },
  },
  {
    document: "signify/a.txt.sig",
    artifact: "signify/a.txt",
    key: "signify/k.pub",
    format: "signify",
    signed: { file: "artifact", outcome: "invalid-signature" },
    signature: { file: "document", after: "\nRWQCI9gpsiTBS", outcome: "invalid-signature" },
    unsigned: { file: "document", after: "untrusted comment: ", outcome: "ok" },
  },
  {
    document: "signify/SHA256.sig",
    artifact: "signify/a.txt",
    key: "signify/k.pub",
    format: "signify",
    signed: { file: "document", after: "SHA256 (", outcome: "invalid-signature" },
    signature: { file: "document", after: "\nRWQCI9gpsiTBSo", outcome: "invalid-signature" },
    unsigned: { file: "document", after: "untrusted comment: ", outcome: "ok" },
  },
  {
    document: "in-toto-link/LINK",
    artifact: "in-toto-link/out.txt",
    key: "in-toto-link/k.pub.pem",
    format: "in-toto-metablock",
    signed: { file: "document", after: '"name": "', outcome: "invalid-signature" },
    signature: { file: "document", after: '"sig": "', outcome: "invalid-signature" },
    unsigned: { file: "document", after: '"keyid": "', outcome: "ok" },
  },
];

/** A sample that is trusted by a certificate. */
interface CertifiedSample {
  document: string;
  /** The document itself, where it carries its signature. */
  artifact: string;
  /** Certificate of the authority. */
  authority: () => Uint8Array | string;
  holder: string;
  format: string;
  /** Where a bit is flipped, and what comes of it. */
  flips: readonly [part: string, at: (bytes: Uint8Array) => number, outcome: string][];
}

const CMS_FLIPS: CertifiedSample["flips"] = [
  ["signature", (bytes) => bytes.length - 9, "invalid-signature"],
  ["signed attributes", (bytes) => find(bytes, MESSAGE_DIGEST) + 20, "invalid-signature"],
  // The version of the whole: it is in no signature.
  ["unsigned part", () => 25, "ok"],
];
const PE_FLIPS: CertifiedSample["flips"] = [
  ["signed part", () => 0x1000, "content-digest-mismatch"],
  ["signature", (bytes) => bytes.length - 32, "invalid-signature"],
  ["signed attributes", (bytes) => find(bytes, MESSAGE_DIGEST) + 20, "invalid-signature"],
  // The checksum, which the loader of Windows alone looks at.
  ["unsigned part", (bytes) => 64 + 24 + new DataView(bytes.buffer).getUint32(0x3c, true), "ok"],
];
const MESSAGE_DIGEST = "\x2a\x86\x48\x86\xf7\x0d\x01\x09\x04";

const CERTIFIED: readonly CertifiedSample[] = [
  {
    document: "cms-pkcs7/a.p7s",
    artifact: "cms-pkcs7/a.txt",
    authority: () => read("cms-pkcs7/ca.pem"),
    holder: "CN=interop sign",
    format: "cms-signature",
    flips: CMS_FLIPS,
  },
  {
    document: "cms-pkcs7/a.p7.pem",
    artifact: "cms-pkcs7/a.txt",
    authority: () => read("cms-pkcs7/ca.pem"),
    holder: "CN=interop sign",
    format: "cms-signature",
    flips: [],
  },
  {
    document: "authenticode/app.exe",
    artifact: "authenticode/app.exe",
    authority: () => read("authenticode/ca.pem"),
    holder: "CN=interop sign",
    // It is made of a program for EFI.
    format: "uefi",
    flips: PE_FLIPS,
  },
  {
    document: "secureboot/app.efi",
    artifact: "secureboot/app.efi",
    authority: () => read("secureboot/ca.pem"),
    holder: "CN=interop sign",
    format: "uefi",
    flips: PE_FLIPS,
  },
  {
    document: "jar/app.jar",
    artifact: "jar/app.jar",
    authority: () =>
      execFileSync("keytool", [
        ...["-exportcert", "-rfc", "-storepass", "changeit", "-alias", "k"],
        ...["-keystore", join(FOLDER, "jar/ks.p12")],
      ], { encoding: "utf8" }),
    holder: "CN=interop",
    format: "jar",
    flips: [
      ["signed part", (bytes) => Buffer.from(bytes).indexOf("a.txt") + 8, "malformed-zip"],
      ["signature", (bytes) => Buffer.from(bytes).indexOf("META-INF/K.RSA") + 800, "malformed-zip"],
      // The time of the last entry, in its header of the central directory.
      ["unsigned part", (bytes) => find(bytes, "PK\x01\x02") + 12, "ok"],
    ],
  },
  {
    document: "apk/app.apk",
    artifact: "apk/app.apk",
    authority: () =>
      execFileSync("keytool", [
        ...["-exportcert", "-rfc", "-storepass", "changeit", "-alias", "k"],
        ...["-keystore", join(FOLDER, "apk/ks.p12")],
      ], { encoding: "utf8" }),
    holder: "CN=interop",
    format: "apk",
    flips: [
      [
        "signed part",
        (bytes) => Buffer.from(bytes).indexOf("a.txt") + 8,
        "content-digest-mismatch",
      ],
      // The last SubjectPublicKeyInfo is that of v3, and the signature lies before it.
      ["signature", (bytes) => find(bytes, "\x30\x82\x01\xa2\x30\x0d") - 20, "invalid-signature"],
      // Zeros that fill the signing block up.
      ["unsigned part", (bytes) => find(bytes, "\x77\x65\x72\x42") + 8, "ok"],
    ],
  },
];

function find(bytes: Uint8Array, text: string): number {
  return Buffer.from(bytes).lastIndexOf(Buffer.from(text, "latin1"));
}

/** Samples that are told and explained, or that other entries verify. */
const EXPLAINED: Readonly<Record<string, string>> = {
  "apk/app.apk.idsig": "apk-v4",
  "rfc3161/a.tsr": "rfc3161-timestamp",
};

function read(path: string): Uint8Array<ArrayBuffer> {
  // The link is named after its key, which is another one each time.
  if (path.endsWith("/LINK")) {
    const layout = JSON.parse(readFileSync(join(FOLDER, "in-toto-link/root.layout"), "utf8"));
    path = `in-toto-link/build.${layout.signatures[0].keyid.slice(0, 8)}.link`;
  }
  return Uint8Array.from(readFileSync(join(FOLDER, path)));
}

function flipped(bytes: Uint8Array<ArrayBuffer>, after = ""): Uint8Array<ArrayBuffer> {
  const text = new TextDecoder("latin1").decode(bytes);
  // Keys differ each time: a text of base64 stands for a place in its line.
  const line = /\n(R[UW])/.exec(text);
  const at = after.includes("RW") || after.includes("RU")
    ? (line?.index ?? 0) + 30
    : text.indexOf(after) + after.length;
  const changed = bytes.slice();
  changed[at] ^= 1;
  return changed;
}

async function outcome(
  sample: Sample,
  flip: Flip | undefined,
): Promise<string> {
  const { document, artifact, key } = sample;
  const change = (file: Flip["file"], bytes: Uint8Array<ArrayBuffer>) =>
    flip?.file === file ? flipped(bytes, flip.after) : bytes;
  const trusted = await importKeyFile(new TextDecoder().decode(read(key)), "key", undefined);
  const report = await verify(
    change("document", read(document)),
    change("artifact", read(artifact)),
    { trust: { keys: [trusted] } },
  );
  if (flip === undefined) equal(report.artifacts[0].attestations[0].format, sample.format);
  return report.errorReason ?? "ok";
}

describe("samples of the reference tools", options, () => {
  for (const sample of SAMPLES) {
    it(`${sample.document}: as it is, and with each bit flipped`, async () => {
      equal(await outcome(sample, undefined), "ok");
      for (const part of ["signed", "signature", "unsigned"] as const) {
        equal(await outcome(sample, sample[part]), sample[part].outcome, part);
      }
    });
  }

  for (const { document, artifact, authority, holder, format, flips } of CERTIFIED) {
    it(`${document}: as it is, and with each bit flipped`, async () => {
      const certificates = createCertificateTrust({
        authorities: [authority()],
        identities: [holder],
      });
      const outcomeOf = async (bytes: Uint8Array) => {
        const file = artifact === document ? bytes : read(artifact);
        const report = await verify(bytes, file, { trust: { certificates } });
        const [one] = report.artifacts[0].attestations;
        if (report.ok) equal(one.format, format);
        return report.errorReason ?? "ok";
      };
      const whole = read(document);
      equal(await outcomeOf(whole), "ok");
      if (artifact !== document) {
        const report = await verify(whole, Uint8Array.of(1), { trust: { certificates } });
        equal(report.errorReason, "message-digest-mismatch");
      }
      for (const [part, at, outcome] of flips) {
        const changed = whole.slice();
        changed[at(whole)] ^= 1;
        equal(await outcomeOf(changed), outcome, part);
      }
    });
  }

  it("in-toto-link/root.layout: as it is, and with each bit flipped", async () => {
    const key = await importKeyFile(
      new TextDecoder().decode(read("in-toto-link/k.pub.pem")),
      "owner",
      undefined,
    );
    const outcomeOf = async (layout: Uint8Array, link = read("in-toto-link/LINK")) => {
      const links = () => Promise.resolve(link);
      const result = await verifyLayout(layout, { keys: [key], links });
      return result.ok ? "ok" : result.errorReason;
    };
    const whole = read("in-toto-link/root.layout");
    equal(await outcomeOf(whole), "ok");
    equal(await outcomeOf(flipped(whole, '"name": "')), "invalid-signature");
    equal(await outcomeOf(flipped(whole, '"sig": "')), "invalid-signature");
    equal(await outcomeOf(flipped(whole, '"keyid": "')), "ok");
    const link = flipped(read("in-toto-link/LINK"), '"name": "');
    equal(await outcomeOf(whole, link), "invalid-signature");
    // One of the same step in an envelope says something else: it was another run.
    const name = JSON.parse(new TextDecoder().decode(whole)).signatures[0].keyid.slice(0, 8);
    const other = read(`in-toto-link/dsse/build.${name}.link`);
    equal(await outcomeOf(whole, other), "artifact-rule-violated");
  });

  for (const [path, format] of Object.entries(EXPLAINED)) {
    it(`${path} is told and explained`, async () => {
      equal((await parseFormat(read(path))).format, format);
      const result = await verifyFormat(read(path), {});
      equal(result.ok ? "ok" : result.errorReason, "format-not-verified");
    });
  }
});
