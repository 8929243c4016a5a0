import { AttestationError, isAttestationError, type Reason } from "../../errors.ts";
import { asRefusal } from "../../internal/check_list.ts";
import { type Bytes, equalBytes } from "../../internal/bytes.ts";
import { readOctetString } from "../../internal/der.ts";
import { digest, type HashName } from "../../internal/digest.ts";
import { createHasher } from "../../internal/hasher.ts";
import { quote } from "../../internal/json.ts";
import { DATA } from "../../sigstore/cms.ts";
import { isJar } from "../_attached_marks.ts";
import type {
  ByteRange,
  FormatContext,
  FormatModule,
  SignerResult,
  StatedSignature,
} from "../format.ts";
import { artifactStatement } from "../statement.ts";
import {
  asEnvelopeFault,
  codeSigningMisuse,
  parseCms,
  statedSignatures,
  verifyCms,
} from "./_cms.ts";
import {
  hasDigests,
  type Manifest,
  type ManifestSection,
  parseManifest,
  type StatedDigest,
  statedDigests,
} from "./_manifest.ts";
import { parseZip, readZipEntry, streamZipEntry, type ZipArchive, type ZipEntry } from "./zip.ts";

/** A JAR, read and not verified. */
export interface Jar {
  /** The archive. */
  readonly archive: ZipArchive;
  /** The manifest; absent where there is none. */
  readonly manifest?: ZipEntry;
  /** Signature files with the block that signs each; either may be missing. */
  readonly signatures: readonly JarSignature[];
}

/** A signature file and the block that signs it. */
export interface JarSignature {
  /** Name without folder and ending, upper case. */
  readonly name: string;
  /** `NAME.SF`. */
  readonly file?: ZipEntry;
  /** `NAME.RSA`, `.EC` or `.DSA`. */
  readonly block?: ZipEntry;
}

const WHAT = "JAR signature";
const MANIFEST = "META-INF/MANIFEST.MF";
const SIGNATURE = /^META-INF\/([^/]+)\.(SF|RSA|EC|DSA)$/;
/** Bytes of the manifest, of all signature files and of all blocks, together. */
const MAX_PART_BYTES = 32 << 20;
/** Signatures of one block; tools write one. */
const MAX_SIGNERS = 8;

/**
 * JAR files signed by jarsigner and the like: by whoever has a certificate of an authority that
 * you trust, or one of the trusted keys.
 *
 * A block signs a signature file, which has the digests of the manifest or of its sections, and
 * those have the digests of the entries. A signer has to cover every entry and all of the
 * manifest: what was added later, or is gone, refuses the signer, for whoever runs a JAR runs all
 * of it. Each signature has its own result.
 *
 * Source: Java SE, JAR File Specification, "Signed JAR File"; Android, "APK signature scheme
 * with JAR signing" (`X-Android-APK-Signed`).
 */
export const jar: FormatModule = {
  id: "jar",
  layer: "attached",
  detect: isJar,
  async parse(bytes, { maxSignatures }) {
    const archive = parseZip(bytes);
    const content = readJar(archive);
    const stated: StatedSignature[] = [];
    for (const one of content.signatures) {
      stated.push(...await statedIn(archive, one));
      if (stated.length > maxSignatures) {
        throw new AttestationError(
          "limit-exceeded",
          `Cannot read JAR: more than ${maxSignatures} signatures, which is what is accepted`,
        );
      }
    }
    return {
      format: "jar",
      signatures: stated,
      facts: { entries: String(archive.entries.length) },
      content,
    };
  },
  async verify({ content }, context) {
    const { archive } = content;
    const checked = (await verifyJar(content, context)).sort((a, b) => rankOf(a) - rankOf(b));
    const covered = new Set(checked.flatMap(({ names }) => [...names]));
    return {
      format: "jar",
      ...(checked[0]?.file === undefined ? {} : { message: checked[0].file }),
      statement: await artifactStatement(archive.bytes, false),
      signers: checked.map(({ signer }) => signer),
      coverage: "artifact-sections",
      uncovered: uncoveredOf(archive, covered),
      unauthenticated: {},
      proofs: [],
      ...(checked.length > 0 ? {} : { refusal: failure("missing-signatures", "there is none") }),
    };
  },
} satisfies FormatModule<Jar> as FormatModule;

/** What a block says of itself, for display: at least one, whatever is wrong with it. */
async function statedIn(
  archive: ZipArchive,
  { name, block }: JarSignature,
): Promise<StatedSignature[]> {
  const none = { keyid: name, bytes: block?.size ?? 0 };
  if (block === undefined) return [none];
  try {
    const der = await readZipEntry(archive, block, MAX_PART_BYTES);
    const stated = statedSignatures(parseCms(der, WHAT, MAX_SIGNERS));
    return stated.length > 0 ? stated : [none];
  } catch (error) {
    if (!isAttestationError(error)) throw error;
    return [none];
  }
}

/** Names in META-INF are the same in either case; two that are so are one too many. */
function readJar(archive: ZipArchive): Jar {
  let manifest: ZipEntry | undefined;
  const found = new Map<string, { file?: ZipEntry; block?: ZipEntry }>();
  let bytes = 0;
  for (const entry of archive.entries) {
    const name = upperCase(entry.name);
    if (isPart(entry)) bytes += entry.size;
    const twice = new AttestationError(
      "ambiguous-zip",
      `Cannot read JAR: it has more than one ${quote(entry.name)}`,
    );
    if (name === MANIFEST) {
      if (manifest !== undefined) throw twice;
      manifest = entry;
    }
    const [, base, kind] = SIGNATURE.exec(name) ?? [];
    if (base === undefined) continue;
    const one = found.get(base) ?? {};
    const place = kind === "SF" ? "file" : "block";
    if (one[place] !== undefined) throw twice;
    found.set(base, { ...one, [place]: entry });
  }
  if (bytes > MAX_PART_BYTES) {
    throw new AttestationError(
      "limit-exceeded",
      `Cannot read JAR: its manifest and signatures have ${bytes} bytes when unpacked, ` +
        `at most ${MAX_PART_BYTES} are accepted`,
    );
  }
  const signatures = [...found].map(([name, one]) => ({ name, ...one }));
  return { archive, ...(manifest === undefined ? {} : { manifest }), signatures };
}

/**
 * The manifest, a signature file or a block: nothing of them is in the manifest. What jarsigner
 * leaves out beside them, `META-INF/SIG-*`, is content like any other: nobody signed it.
 */
function isPart({ name }: ZipEntry): boolean {
  const upper = upperCase(name);
  return upper === MANIFEST || SIGNATURE.test(upper);
}

/** Of ASCII alone: a dotless i is no I, though its capital letter is. */
function upperCase(name: string): string {
  return name.replace(/[a-z]/g, (letter) => letter.toUpperCase());
}

/** A signature that was checked. */
interface Checked {
  signer: SignerResult;
  /** The signature file, if somebody who is trusted signed it. */
  file?: Bytes;
  /** Entries whose content is what it signs, the manifest among them; of a good signer all. */
  names: ReadonlySet<string>;
}

const NONE: ReadonlySet<string> = new Set();

/** Good signers first, then whoever is trusted and did not sign all: that is what there is to say. */
function rankOf({ signer, file }: Checked): number {
  return signer.ok ? 0 : file === undefined ? 2 : 1;
}

async function verifyJar({ archive, manifest, signatures }: Jar, context: FormatContext) {
  if (signatures.length === 0) return [];
  let contents: Contents;
  try {
    // All of them, also those that belong to no signature: what cannot be read hides something.
    const parts = new Map<ZipEntry, Bytes>();
    for (const entry of archive.entries.filter(isPart)) {
      parts.set(entry, await readZipEntry(archive, entry, MAX_PART_BYTES));
    }
    const raw = manifest === undefined ? undefined : parts.get(manifest);
    if (manifest === undefined || raw === undefined) {
      throw failure("malformed-envelope", "there is no manifest");
    }
    const entries = new Map(archive.entries.map((entry) => [entry.name, entry]));
    contents = {
      archive,
      entries,
      parts,
      manifestName: manifest.name,
      manifest: parseManifest(raw, "manifest"),
      verdicts: new Map(),
    };
  } catch (error) {
    return signatures.map(({ name }): Checked => ({
      signer: { ok: false, error: asRefusal(error), keyid: name },
      names: NONE,
    }));
  }
  const checked: Checked[] = [];
  for (const one of signatures) checked.push(...await verifyOne(one, contents, context));
  return checked;
}

/** What all signatures are about. */
interface Contents {
  archive: ZipArchive;
  entries: ReadonlyMap<string, ZipEntry>;
  /** Contents of the manifest, of signature files and of blocks. */
  parts: ReadonlyMap<ZipEntry, Bytes>;
  manifestName: string;
  manifest: Manifest;
  /** What was found of each entry; each is read once. */
  verdicts: Map<string, Promise<AttestationError | undefined>>;
}

async function verifyOne(
  { name, file, block }: JarSignature,
  contents: Contents,
  context: FormatContext,
): Promise<Checked[]> {
  try {
    const signed = file && contents.parts.get(file);
    const der = block && contents.parts.get(block);
    if (signed === undefined || der === undefined) {
      throw failure(
        "malformed-envelope",
        `${quote(name)} lacks its ${file ? "block" : ".SF file"}`,
      );
    }
    const data = parseCms(der, WHAT, MAX_SIGNERS);
    const isOther = data.content !== undefined &&
      !equalBytes(readOctetString(data.content), signed);
    if (data.contentType !== DATA || isOther || data.signers.length === 0) {
      throw failure("malformed-envelope", `the block of ${quote(name)} is of something else`);
    }
    const signers = await verifyCms(data, {
      what: WHAT,
      contentType: DATA,
      // Older tools sign the file itself: it is text, which no attributes can pass for.
      bare: signed,
      digest: (hash) => digest(hash, signed),
      misuse: (certificate) => codeSigningMisuse(certificate, false),
    }, context);
    if (!signers.some(({ ok }) => ok)) return signers.map((signer) => ({ signer, names: NONE }));
    const { names, error } = await coverageOf(signed, contents);
    return signers.map((signer) => ({
      signer: signer.ok && error !== undefined ? { ok: false, error, keyid: signer.name } : signer,
      ...(signer.ok ? { file: signed } : {}),
      names: signer.ok ? names : NONE,
    }));
  } catch (thrown) {
    const error = asEnvelopeFault(asRefusal(thrown), WHAT);
    return [{ signer: { ok: false, error, keyid: name }, names: NONE }];
  }
}

/** Entries that a signature file covers, and why that is not all of them. */
async function coverageOf(
  bytes: Bytes,
  contents: Contents,
): Promise<{ names: Set<string>; error?: AttestationError }> {
  const names = new Set<string>();
  const file = parseManifest(bytes, "signature file");
  checkMain(file);
  const { archive, manifest, manifestName } = contents;
  const whole = statedDigests(file.main, "-digest-manifest");
  const isWhole = whole.accepted.length > 0 && await hasDigests(manifest.raw, whole.accepted);
  if (!isWhole) await checkMainAttributes(file, manifest, whole.hasOthers);
  let error: AttestationError | undefined;
  /** Sections of the manifest that are as they were signed. */
  let sections = 0;
  for (const [name, section] of file.sections) {
    const own = manifest.sections.get(name);
    const { accepted } = statedDigests(section, "-digest");
    if (own === undefined) {
      error ??= failure("content-digest-mismatch", `the manifest has no section of ${quote(name)}`);
    } else if (section.attributes.has("magic") || own.attributes.has("magic")) {
      error ??= failure("unsupported-critical-header", `${quote(name)} has a magic attribute`);
    } else if (!isWhole && accepted.length === 0) {
      error ??= failure(
        "unsupported-algorithm",
        `the section of ${quote(name)} is signed by no digest of SHA-2`,
      );
    } else if (!isWhole && !await hasDigests(own.raw, accepted)) {
      error ??= failure("content-digest-mismatch", `the section of ${quote(name)} was changed`);
    } else {
      sections++;
      // Of a package, which may be sealed or have a version: there is no content to digest.
      if (name.endsWith("/") && isWithoutDigest(own)) continue;
      const fault = await entryFault(name, contents);
      if (fault === undefined) names.add(name);
      else error ??= fault;
    }
  }
  if (names.size === 0) error ??= failure("malformed-envelope", "it covers no entry");
  if (isWhole || sections === manifest.sections.size) names.add(manifestName);
  if (error !== undefined) return { names, error };
  const extra = archive.entries.filter((entry) => isContent(entry) && !names.has(entry.name))
    .map(({ name }) => quote(name));
  if (!names.has(manifestName)) {
    const name = [...manifest.sections.keys()].find((one) => !file.sections.has(one)) ?? "";
    extra.push(`the manifest's section of ${quote(name)}`);
  }
  if (extra.length === 0) return { names };
  const more = extra.length > 4 ? ` and ${extra.length - 4} more` : "";
  return {
    names,
    error: failure("unsigned-entry", `it does not cover ${extra.slice(0, 4).join(", ")}${more}`),
  };
}

function isWithoutDigest(section: ManifestSection): boolean {
  const { accepted, hasOthers } = statedDigests(section, "-digest");
  return accepted.length === 0 && !hasOthers;
}

/** Files that are no part of signatures; folders have no content. */
function isContent(entry: ZipEntry): boolean {
  return !entry.isFolder && !isPart(entry);
}

function checkMain({ main: { attributes } }: Manifest): void {
  if (attributes.get("signature-version") !== "1.0") {
    throw failure("malformed-envelope", "its signature file is of no version 1.0");
  }
  // Who signed for Android said that a stronger signature is there; then it is no mere JAR.
  if (attributes.has("x-android-apk-signed")) {
    throw failure("stripped-signature", "the APK signing block that it demands is not there");
  }
}

/**
 * Without the manifest as a whole, its main section and each other one count by themselves. The
 * main section says which class is run and which other files are loaded.
 */
async function checkMainAttributes(
  file: Manifest,
  manifest: Manifest,
  hasOthers: boolean,
): Promise<void> {
  const main = statedDigests(file.main, "-digest-manifest-main-attributes");
  if (main.accepted.length === 0) {
    throw main.hasOthers || hasOthers
      ? failure("unsupported-algorithm", "the manifest is signed by no digest of SHA-2")
      : failure("unsigned-entry", "it does not cover the manifest's main section");
  }
  if (!await hasDigests(manifest.main.raw, main.accepted)) {
    throw failure("content-digest-mismatch", "the manifest's main section was changed");
  }
}

/** Why an entry is not what the manifest says, or undefined. */
function entryFault(name: string, contents: Contents): Promise<AttestationError | undefined> {
  const known = contents.verdicts.get(name) ?? findFault(name, contents);
  contents.verdicts.set(name, known);
  return known;
}

async function findFault(
  name: string,
  { archive, entries, manifest }: Contents,
): Promise<AttestationError | undefined> {
  try {
    const { accepted } = statedDigests(manifest.sections.get(name)!, "-digest");
    if (accepted.length === 0) {
      return failure("unsupported-algorithm", `${quote(name)} has no digest of SHA-2`);
    }
    const entry = entries.get(name);
    if (entry === undefined) {
      return failure("content-digest-mismatch", `the entry ${quote(name)} is gone`);
    }
    if (!await hasContent(archive, entry, accepted)) {
      return failure("content-digest-mismatch", `the entry ${quote(name)} was changed`);
    }
  } catch (error) {
    return asRefusal(error);
  }
}

async function hasContent(
  archive: ZipArchive,
  entry: ZipEntry,
  digests: readonly StatedDigest[],
): Promise<boolean> {
  const hashes: HashName[] = digests.map(({ hash }) => hash);
  const hashers = await Promise.all(hashes.map((hash) => createHasher(hash)));
  for await (const piece of streamZipEntry(archive, entry)) {
    for (const hasher of hashers) await hasher.update(piece);
  }
  const found = await Promise.all(hashers.map((hasher) => hasher.digest()));
  return found.every((one, i) => equalBytes(one, digests[i].value));
}

/** Everything but the content of the entries that are covered. */
function uncoveredOf(archive: ZipArchive, covered: ReadonlySet<string>): ByteRange[] {
  const ranges: ByteRange[] = [];
  let at = 0;
  for (const entry of [...archive.entries].sort((a, b) => a.range.start - b.range.start)) {
    const { name, data, range, isFolder } = entry;
    if (covered.has(name) && data.end > data.start) {
      if (data.start > at) ranges.push({ start: at, end: data.start, what: "ZIP headers" });
      at = data.end;
    } else if (!isFolder) {
      if (range.start > at) ranges.push({ start: at, end: range.start, what: "ZIP headers" });
      const kind = isPart(entry) ? "part of a signature:" : "entry";
      ranges.push({ start: range.start, end: range.end, what: `${kind} ${quote(name)}` });
      at = range.end;
    }
  }
  ranges.push({ start: at, end: archive.bytes.length, what: "ZIP headers and directory" });
  return ranges;
}

function failure(reason: Reason, what: string): AttestationError {
  return new AttestationError(reason, `Cannot verify ${WHAT}: ${what}`);
}
