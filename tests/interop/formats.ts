/**
 * The table of `formats.sh`: each sample as the reference tool made it, and with one bit flipped
 * in what is signed, in the signature, and in what nobody signed; and what `inspect` and `verify`
 * say of each.
 *
 *     formats.ts SAMPLES SCRATCH
 */

import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { cpSync, existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import process from "node:process";

const [samples, scratch] = process.argv.slice(2);

/** Where the bit is: an offset in a file of the sample. */
type Place = (sample: Sample) => [path: string, at: number];

/** A bit, and what comes of it: `ok`, or the reason. */
interface Flip {
  place: Place;
  outcome: string;
}

/** One document of the reference tools. */
interface Row {
  /** Its name in RESULTS.tsv. */
  sample: string;
  /** What the row is, where a sample has several documents. */
  what: string;
  /** The document, in the folder of the sample; `*` stands for what differs each time. */
  document: string;
  /** What `inspect` tells that it is. */
  format: string;
  /** Arguments of `verify`. */
  verify: (sample: Sample) => string[];
  /** What it says of the sample as it is: `ok`, or the reason. */
  outcome: string;
  signed: Flip;
  signature: Flip;
  unsigned: Flip;
}

/** A copy of a sample's folder, in which a bit may be flipped. */
class Sample {
  readonly folder: string;
  readonly row: Row;

  constructor(folder: string, row: Row) {
    this.folder = folder;
    this.row = row;
  }

  /** The path of a file. */
  path(name: string): string {
    const folder = join(this.folder, dirname(name));
    const base = name.slice(name.lastIndexOf("/") + 1);
    if (!base.includes("*")) return join(folder, base);
    const [start, end] = base.split("*");
    const found = readdirSync(folder).find((one) => one.startsWith(start) && one.endsWith(end));
    if (found === undefined) throw new Error(`${this.row.sample}: no file ${name}`);
    return join(folder, found);
  }

  get document(): string {
    return this.path(this.row.document);
  }

  bytes(name: string): Uint8Array {
    return readFileSync(this.path(name));
  }

  /** Bytes as text, one character each. */
  text(name: string): string {
    return new TextDecoder("latin1").decode(this.bytes(name));
  }
}

/** Behind a text that stands in a file. */
function behind(name: string, text: string, more = 0): Place {
  return (sample) => {
    const at = sample.text(name).indexOf(text);
    if (at < 0) throw new Error(`${sample.row.sample}: ${name} has no ${JSON.stringify(text)}`);
    return [name, at + text.length + more];
  };
}

/** An offset; below zero from the end. */
function offset(name: string, at: number): Place {
  return (sample) => [name, at < 0 ? sample.bytes(name).length + at : at];
}

/** From a place on, the first character whose last bit may be flipped and stay in the alphabet. */
function within(alphabet: RegExp, place: Place): Place {
  return (sample) => {
    const [name, from] = place(sample);
    const text = sample.text(name);
    for (let at = from; at < text.length; at++) {
      const other = String.fromCharCode(text.charCodeAt(at) ^ 1);
      if (alphabet.test(text[at]) && alphabet.test(other)) return [name, at];
    }
    throw new Error(`${sample.row.sample}: no ${alphabet} in ${name}`);
  };
}

const inBase64 = (place: Place) => within(/[A-Za-z0-9+/]/, place);
// The last bit of `a` and of `f` leaves the alphabet, and hexadecimal is refused before any key.
const inHex = (place: Place) => within(/[0-9a-f]/, place);

/** The start of the content of an entry in a ZIP file. */
function entryOf(name: string, entry: RegExp, more = 0): Place {
  return (sample) => {
    const bytes = sample.bytes(name);
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    for (let at = 0; at + 30 < bytes.length; at++) {
      if (view.getUint32(at, true) !== 0x04034b50) continue;
      const [nameLength, extra] = [view.getUint16(at + 26, true), view.getUint16(at + 28, true)];
      const own = sample.text(name).slice(at + 30, at + 30 + nameLength);
      if (entry.test(own)) return [name, at + 30 + nameLength + extra + more];
    }
    throw new Error(`${sample.row.sample}: ${name} has no entry ${entry}`);
  };
}

/** The checksum of a program of Windows. */
function checksum(name: string): Place {
  return (sample) => {
    const bytes = sample.bytes(name);
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    return [name, view.getUint32(0x3c, true) + 24 + 64];
  };
}

/** The payload of an RPM package, or the end of the signature over its header. */
function rpm(section: "payload" | "signature"): Place {
  return (sample) => {
    const bytes = sample.bytes("app.rpm");
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    const store = (at: number) => at + 16 + 16 * view.getUint32(at + 8);
    const end = (at: number) => store(at) + view.getUint32(at + 12);
    if (section === "payload") return ["app.rpm", end(Math.ceil(end(96) / 8) * 8) + 100];
    for (let entry = 96 + 16; entry < store(96); entry += 16) {
      // RPM, tags 267 (DSA, EdDSA) and 268 (RSA).
      if (![267, 268].includes(view.getUint32(entry))) continue;
      return ["app.rpm", store(96) + view.getUint32(entry + 8) + view.getUint32(entry + 12) - 1];
    }
    throw new Error(`${sample.row.sample}: no signature over the header`);
  };
}

/** The id of the key in the part of an OpenPGP signature that is not hashed. */
const unhashedIssuer: Place = (sample) => {
  const bytes = sample.bytes(sample.row.document);
  // RFC 9580, 5.2.3: the part's length in two bytes, then subpacket 16, of nine bytes.
  const start = [0, 10, 9, 16];
  for (let at = bytes.length - 14; at > 0; at--) {
    if (start.every((byte, i) => bytes[at + i] === byte)) return [sample.row.document, at + 7];
  }
  throw new Error(`${sample.row.sample}: no unhashed issuer`);
};

function certificateOf(sample: Sample): string {
  const args = ["-exportcert", "-keystore", sample.path("ks.p12")];
  const { stdout, status } = spawnSync("keytool", [
    ...args,
    "-storepass",
    "changeit",
    "-alias",
    "k",
  ]);
  if (status !== 0) throw new Error("keytool exports no certificate");
  return createHash("sha256").update(stdout).digest("hex");
}

const key = (file: string, ...more: string[]) => (sample: Sample) => [
  sample.path(more[0]),
  `--bundle=${sample.document}`,
  `--key=${sample.path(file)}`,
];
const authority = (...more: string[]) => (sample: Sample) => [
  sample.path(more[0]),
  ...(more[0] === sample.row.document ? [] : [`--bundle=${sample.document}`]),
  `--certificate-authority=${sample.path("ca.pem")}`,
  "--certificate-subject=CN=interop sign",
];

const BAD = "invalid-signature";
const MALFORMED = "malformed-envelope";
const EXPLAINED = "format-not-verified";

/** The same three bits of both OpenPGP samples. */
const openpgp = (sample: string): Row[] => [
  {
    sample,
    what: "clear text",
    document: "SHASUMS256.txt.asc",
    format: "openpgp",
    verify: key("pub.asc", "a.txt"),
    outcome: "ok",
    signed: { place: behind("SHASUMS256.txt.asc", "\n\n"), outcome: BAD },
    // The armor has a checksum of its own.
    signature: {
      place: inBase64(behind("SHASUMS256.txt.asc", "-----BEGIN PGP SIGNATURE-----\n\n", 150)),
      outcome: MALFORMED,
    },
    // The name of the hash stands in what is signed too, and has to agree.
    unsigned: { place: behind("SHASUMS256.txt.asc", "Hash: SHA"), outcome: MALFORMED },
  },
  {
    sample,
    what: "detached",
    document: "SHASUMS256.txt.sig",
    format: "openpgp",
    verify: key("pub.asc", "SHASUMS256.txt"),
    outcome: "ok",
    signed: { place: offset("SHASUMS256.txt", 0), outcome: BAD },
    signature: { place: offset("SHASUMS256.txt.sig", -1), outcome: BAD },
    // It has to be the key that the part that is hashed names.
    unsigned: { place: unhashedIssuer, outcome: MALFORMED },
  },
];

const SIGNED_LINE = /\n(?=R[UW])/;
const signatureLine = (name: string): Place =>
  inBase64((sample) => [name, sample.text(name).search(SIGNED_LINE) + 31]);

const TABLE: readonly Row[] = [
  ...openpgp("openpgp-ed25519"),
  ...openpgp("openpgp-rsa"),
  {
    sample: "minisign",
    what: "file",
    document: "a.txt.minisig",
    format: "minisign",
    // Found beside the file.
    verify: (sample) => [sample.path("a.txt"), `--key=${sample.path("k.pub")}`],
    outcome: "ok",
    signed: { place: offset("a.txt", 0), outcome: BAD },
    signature: { place: signatureLine("a.txt.minisig"), outcome: BAD },
    unsigned: { place: behind("a.txt.minisig", "untrusted comment: si"), outcome: "ok" },
  },
  {
    sample: "minisign",
    what: "trusted comment",
    document: "a.txt.minisig",
    format: "minisign",
    verify: key("k.pub", "a.txt"),
    outcome: "ok",
    signed: { place: behind("a.txt.minisig", "\ntrusted comment: "), outcome: BAD },
    signature: { place: inBase64(behind("a.txt.minisig", "interop sample\n", 9)), outcome: BAD },
    unsigned: { place: behind("a.txt.minisig", "untrusted comment: sig"), outcome: "ok" },
  },
  {
    sample: "signify",
    what: "file",
    document: "a.txt.sig",
    format: "signify",
    verify: (sample) => [sample.path("a.txt"), `--key=${sample.path("k.pub")}`],
    outcome: "ok",
    signed: { place: offset("a.txt", 0), outcome: BAD },
    signature: { place: signatureLine("a.txt.sig"), outcome: BAD },
    unsigned: { place: behind("a.txt.sig", "untrusted comment: "), outcome: "ok" },
  },
  {
    sample: "signify",
    what: "list of checksums",
    document: "SHA256.sig",
    format: "signify",
    verify: key("k.pub", "a.txt"),
    outcome: "ok",
    signed: { place: behind("SHA256.sig", "SHA256 ("), outcome: BAD },
    signature: { place: signatureLine("SHA256.sig"), outcome: BAD },
    unsigned: { place: behind("SHA256.sig", "untrusted comment: "), outcome: "ok" },
  },
  {
    sample: "rfc3161",
    what: "timestamp",
    document: "a.tsr",
    format: "rfc3161-timestamp",
    verify: (sample) => [sample.path("a.txt"), `--bundle=${sample.document}`],
    outcome: EXPLAINED,
    signed: { place: offset("a.txt", 0), outcome: EXPLAINED },
    signature: { place: offset("a.tsr", -1), outcome: EXPLAINED },
    unsigned: { place: offset("a.tsr", -2), outcome: EXPLAINED },
  },
  {
    sample: "cms-pkcs7",
    what: "DER",
    document: "a.p7s",
    format: "cms-signature",
    verify: authority("a.txt"),
    outcome: "ok",
    signed: { place: offset("a.txt", 0), outcome: "message-digest-mismatch" },
    signature: { place: offset("a.p7s", -1), outcome: BAD },
    // The authority's certificate, which is trusted from elsewhere.
    unsigned: { place: behind("a.p7s", "interop-ca", -3), outcome: "ok" },
  },
  {
    sample: "jar",
    what: "archive",
    document: "app.jar",
    format: "jar",
    verify: (sample) => [sample.document, `--certificate-sha256=${certificateOf(sample)}`],
    outcome: "ok",
    signed: { place: entryOf("app.jar", /^a\.txt$/, 1), outcome: "malformed-zip" },
    signature: { place: entryOf("app.jar", /\.RSA$/, 400), outcome: "malformed-zip" },
    // The time of an entry, in its local header.
    unsigned: { place: entryOf("app.jar", /^a\.txt$/, -30 - 5 + 11), outcome: "ok" },
  },
  {
    sample: "apk",
    what: "package",
    document: "app.apk",
    format: "apk",
    verify: (sample) => [sample.document, `--certificate-sha256=${certificateOf(sample)}`],
    outcome: "ok",
    signed: { place: entryOf("app.apk", /^a\.txt$/), outcome: "content-digest-mismatch" },
    signature: { place: behind("app.apk", "APK Sig Block 42", -1200), outcome: BAD },
    unsigned: { place: behind("app.apk", "APK Sig Block 42", -1), outcome: "ambiguous-zip" },
  },
  {
    sample: "apk",
    what: "v4",
    document: "app.apk.idsig",
    format: "apk-v4",
    verify: (sample) => [sample.path("app.apk"), `--bundle=${sample.document}`],
    outcome: EXPLAINED,
    signed: { place: offset("app.apk", 0), outcome: EXPLAINED },
    signature: { place: offset("app.apk.idsig", 200), outcome: EXPLAINED },
    unsigned: { place: offset("app.apk.idsig", -1), outcome: EXPLAINED },
  },
  {
    sample: "authenticode",
    what: "program",
    document: "app.exe",
    format: "uefi",
    verify: authority("app.exe"),
    outcome: "ok",
    signed: { place: offset("app.exe", 0x600), outcome: "content-digest-mismatch" },
    signature: { place: offset("app.exe", -40), outcome: BAD },
    unsigned: { place: checksum("app.exe"), outcome: "ok" },
  },
  {
    sample: "secureboot",
    what: "boot image",
    document: "app.efi",
    format: "uefi",
    verify: authority("app.efi"),
    outcome: "ok",
    signed: { place: offset("app.efi", 0x600), outcome: "content-digest-mismatch" },
    signature: { place: offset("app.efi", -40), outcome: BAD },
    unsigned: { place: checksum("app.efi"), outcome: "ok" },
  },
  {
    sample: "rpm",
    what: "package",
    document: "app.rpm",
    format: "rpm",
    verify: (sample) => [sample.document, `--key=${sample.path("pub.asc")}`],
    outcome: "ok",
    signed: { place: rpm("payload"), outcome: "content-digest-mismatch" },
    signature: { place: rpm("signature"), outcome: BAD },
    // The name in the lead, of which nothing is read.
    unsigned: { place: offset("app.rpm", 12), outcome: "ok" },
  },
  {
    sample: "helm-prov",
    what: "chart",
    document: "mychart-0.1.0.tgz.prov",
    format: "openpgp",
    // Found beside the chart.
    verify: (sample) => [sample.path("mychart-0.1.0.tgz"), `--key=${sample.path("pub.asc")}`],
    outcome: "ok",
    signed: { place: offset("mychart-0.1.0.tgz", 20), outcome: "subject-mismatch" },
    signature: {
      place: inBase64(
        behind("mychart-0.1.0.tgz.prov", "-----BEGIN PGP SIGNATURE-----\n\n", 300),
      ),
      outcome: BAD,
    },
    unsigned: {
      place: behind("mychart-0.1.0.tgz.prov", "Hash: SHA"),
      outcome: "malformed-envelope",
    },
  },
  {
    sample: "in-toto-link",
    what: "metablock",
    document: "build.*.link",
    format: "in-toto-metablock",
    verify: key("k.pub.pem", "out.txt"),
    outcome: "ok",
    signed: { place: behind("build.*.link", '"name": "'), outcome: BAD },
    signature: { place: inHex(behind("build.*.link", '"sig": "')), outcome: BAD },
    unsigned: { place: inHex(behind("build.*.link", '"keyid": "')), outcome: "ok" },
  },
  {
    sample: "in-toto-link",
    what: "supply chain",
    document: "root.layout",
    format: "in-toto-metablock",
    verify: (sample) => [
      sample.path("out.txt"),
      `--layout=${sample.document}`,
      `--key=${sample.path("k.pub.pem")}`,
    ],
    outcome: "ok",
    signed: { place: offset("out.txt", 0), outcome: "subject-mismatch" },
    signature: { place: inHex(behind("root.layout", '"sig": "')), outcome: BAD },
    unsigned: { place: inHex(behind("root.layout", '"keyid": "')), outcome: "ok" },
  },
  {
    sample: "model-signing",
    what: "model",
    document: "model.sig",
    format: "sigstore-bundle",
    // Of a folder's files in their order: the digest of their digests.
    verify: (sample) => {
      const digest = (data: Uint8Array) => createHash("sha256").update(data).digest();
      const all = digest(digest(sample.bytes("model/weights.bin"))).toString("hex");
      return [`sha256:${all}`, `--bundle=${sample.document}`, `--key=${sample.path("k.pub.pem")}`];
    },
    outcome: "ok",
    signed: { place: offset("model/weights.bin", 0), outcome: "subject-mismatch" },
    signature: { place: inBase64(behind("model.sig", '"sig":"', 20)), outcome: BAD },
    unsigned: { place: behind("model.sig", '"hint":"'), outcome: "ok" },
  },
  ...([["attest", "Statement"], ["blob", "file"]] as const).map(([name, what]): Row => ({
    sample: "cosign-key",
    what,
    document: `${name}.sigstore.json`,
    format: "sigstore-bundle",
    verify: key("cosign.pub", "a.txt"),
    outcome: "ok",
    signed: {
      place: offset("a.txt", 0),
      outcome: name === "attest" ? "subject-mismatch" : "message-digest-mismatch",
    },
    signature: {
      place: inBase64(
        behind(`${name}.sigstore.json`, name === "attest" ? '"sig":"' : '"signature":"', 20),
      ),
      outcome: BAD,
    },
    unsigned: { place: inBase64(behind(`${name}.sigstore.json`, '"hint":"', 4)), outcome: "ok" },
  })),
];

/** Rows of formats that are not built yet. */
const NOT_BUILT: readonly string[] = [];

const results = new Map(
  readFileSync(join(samples, "RESULTS.tsv"), "utf8").trim().split("\n").map((line) => {
    const [name, result] = line.split("\t");
    return [name, result];
  }),
);

const deno = process.env.DENO ?? "deno";

function attest(...args: string[]): { status: number | null; out: string; err: string } {
  const { status, stdout, stderr } = spawnSync(
    deno,
    ["run", "-A", "--quiet", "--no-check", "cli.ts", ...args],
    { encoding: "utf8", env: { ...process.env, NO_COLOR: "1" } },
  );
  return { status, out: stdout, err: stderr };
}

/** `ok`, or why `verify` refuses it. */
function outcomeOf(sample: Sample): string {
  const { out, err } = attest("verify", ...sample.row.verify(sample), "--format=json");
  try {
    return JSON.parse(out).errorReason ?? "ok";
  } catch {
    return /\(([a-z-]+)\)/.exec(err)?.[1] ?? `no report: ${err.slice(0, 200)}`;
  }
}

/** What `inspect` tells that it is. */
function formatOf(sample: Sample): string {
  const { out, err } = attest("inspect", sample.document, "--format=json");
  try {
    return JSON.parse(out)[0].format;
  } catch {
    return err.slice(0, 200);
  }
}

let passed = 0;
const failures: string[] = [];

function expect(what: string, wanted: string, found: () => string): void {
  let actual: string;
  try {
    actual = found();
  } catch (error) {
    actual = error instanceof Error ? error.message : String(error);
  }
  if (actual === wanted) passed++;
  else failures.push(`FAILED ${what}: wanted ${wanted}, found ${actual}`);
}

const skipped = new Set<string>();
for (const row of TABLE) {
  const name = `${row.sample}: ${row.what}`;
  const folder = join(samples, row.sample);
  const result = results.get(row.sample);
  if (NOT_BUILT.includes(row.format) || result !== "ok" || !existsSync(folder)) {
    const why = NOT_BUILT.includes(row.format) ? "is not built yet" : `was not made (${result})`;
    if (!skipped.has(row.sample)) console.log(`SKIPPED ${row.sample} ${why}`);
    skipped.add(row.sample);
    continue;
  }
  const copy = (part: string) => {
    const own = join(scratch, `${row.sample}-${part}`);
    rmSync(own, { recursive: true, force: true });
    cpSync(folder, own, { recursive: true });
    return new Sample(own, row);
  };
  const whole = copy("whole");
  expect(`${name}, inspect`, row.format, () => formatOf(whole));
  expect(`${name}, as it is`, row.outcome, () => outcomeOf(whole));
  for (const part of ["signed", "signature", "unsigned"] as const) {
    const sample = copy(part);
    const { place, outcome } = row[part];
    expect(`${name}, a bit of the ${part} part`, outcome, () => {
      const [file, at] = place(sample);
      const bytes = sample.bytes(file);
      if (at < 0 || at >= bytes.length) throw new Error(`${file} has no byte ${at}`);
      bytes[at] ^= 1;
      writeFileSync(sample.path(file), bytes);
      return outcomeOf(sample);
    });
  }
}

const known = new Set(TABLE.map(({ sample }) => sample));
for (const name of results.keys()) {
  if (!known.has(name)) failures.push(`FAILED ${name}: no row of the table has it`);
}
for (const failure of failures) console.log(failure);
if (skipped.size > 0) console.log(`${skipped.size} samples skipped`);
console.log(`${passed} passed, ${failures.length} failed`);
process.exit(failures.length > 0 ? 1 : passed === 0 ? 3 : 0);
