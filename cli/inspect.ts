import { AttestationError, isAttestationError, type Reason } from "../errors.ts";
import type { DecodedEnvelope } from "../dsse/envelope.ts";
import { encodeBase64 } from "../internal/base64.ts";
import { encodeHex } from "../internal/hex.ts";
import { isObject, type Json, type JsonObject, parseJson, quote } from "../internal/json.ts";
import { detectFormat } from "../intoto/detect.ts";
import type { Statement } from "../intoto/statement.ts";
import type { Certificate } from "../sigstore/certificate.ts";
import type { CertificateIdentity } from "../sigstore/identity.ts";
import type { LogEntry, SigstoreBundle } from "../sigstore/bundle.ts";
import type { TrustedAuthority, TrustedLog } from "../sigstore/trusted_root.ts";
import { parseArgs, usageError } from "./args.ts";
import type { InspectedPredicate } from "./inspect_predicate.ts";
import { INSPECT_OPTIONS } from "./inspect_options.ts";
import { inspectText } from "./inspect_text.ts";
import { writeReport } from "./inputs.ts";
import { REFUSED, VERIFIED } from "./main.ts";
import { attestationLimit } from "./carried_signature.ts";
import { access, readBounded, type Runtime } from "./runtime.ts";
import { safeJson, style } from "./text.ts";

/** Validity of a key or certificate, RFC 3339 in UTC. */
interface Period {
  start: string;
  end?: string;
}

/** What a certificate says. */
export interface InspectedCertificate {
  /** Holder and Fulcio's extensions; absent when it is none of Fulcio's. */
  identity?: CertificateIdentity;
  /** When it is valid. */
  validFor: Period;
  /** Serial number, hex. */
  serialNumber: string;
  /** Type of its key. */
  publicKey: string;
  /** SHA-256 of its key's SPKI, hex. */
  keyFingerprint: string;
}

/** What a log entry says. */
export interface InspectedLogEntry {
  /** Index as the bundle states it. */
  logIndex: string;
  /** Key id of the log, base64. */
  logId: string;
  /** Kind and version of the body. */
  kindVersion: string;
  /** RFC 3339, if there is one. */
  integratedTime?: string;
  /** True if there is a signed promise (SET). */
  inclusionPromise: boolean;
  /** Proof of inclusion. */
  inclusionProof?: { logIndex: string; treeSize: string; rootHash: string; checkpoint: string };
  /** The body of the entry, if it is JSON. */
  canonicalizedBody?: unknown;
}

/** One attestation or trusted root, layer by layer. Nothing of it is verified. */
export interface Inspected {
  /** File, with `#` and the line for JSON Lines. */
  source: string;
  /** Always false. */
  verified: false;
  /** What it was read as. */
  format: string;
  /** Version of the Sigstore bundle. */
  bundleVersion?: string;
  /** The envelope layer. */
  envelope?: {
    payloadType: string;
    payloadBytes?: number;
    signatures: { keyid: string; algorithm?: string; bytes: number }[];
  };
  /** What another format says of itself. */
  facts?: Record<string, string>;
  /** A signature over the artifact itself. */
  messageSignature?: { messageDigest?: Record<string, string>; bytes: number };
  /** Who is to have signed. */
  verificationMaterial?: {
    certificates?: InspectedCertificate[];
    publicKey?: { hint: string };
    tlogEntries: InspectedLogEntry[];
    timestamps: { time?: string; problem?: string }[];
  };
  /** The statement layer. */
  statement?: Statement;
  /** What the predicate says, in short. */
  predicate?: InspectedPredicate;
  /** What a trusted root holds. */
  trustedRoot?: Record<string, { uri: string; validFor: Period }[]>;
  /** What a key set holds. */
  keySet?: { name: string; key: string; fingerprint: string; rule: string; successor?: string }[];
  /** What is wrong with its shape. */
  problems: { reason: Reason; message: string; path?: string }[];
}

const MAX_BYTES = 32 << 20;
const MAX_LINES = 1000;
const MAX_PROBLEMS = 100;

/** `inspect FILE…`: the layers of attestations, without verifying anything. */
export async function runInspect(args: readonly string[], runtime: Runtime): Promise<number> {
  const parsed = parseArgs(args, INSPECT_OPTIONS);
  if (parsed.operands.length === 0) throw usageError("Cannot inspect: name a file");
  const inspected: Inspected[] = [];
  for (const path of parsed.operands) {
    if (path.endsWith(".jsonl")) await inspectLines(path, runtime, inspected);
    else {
      const limit = await attestationLimit(runtime, path, MAX_BYTES);
      inspected.push(...await inspectFile(path, await readBounded(runtime, path, limit)));
    }
  }
  const output = parsed.get("output");
  const coloured = output === undefined && runtime.isTerminal("stdout") && !runtime.noColor;
  const text = parsed.get("format") === "json"
    ? `${safeJson(inspected, 2)}\n`
    : inspectText(inspected, style(coloured));
  await writeReport(text, parsed, INSPECT_OPTIONS, runtime);
  return inspected.some(({ problems }) => problems.length > 0) ? REFUSED : VERIFIED;
}

async function inspectLines(path: string, runtime: Runtime, into: Inspected[]): Promise<void> {
  const { readJsonLines } = await import("../intoto/json_lines.ts");
  if ((await access("read", path, () => runtime.stat(path)))?.kind !== "file") {
    await readBounded(runtime, path, MAX_BYTES);
  }
  const stream = await access("read", path, () => runtime.openRead(path));
  let count = 0;
  for await (const line of readJsonLines(stream)) {
    if (++count > MAX_LINES) {
      runtime.write(
        "stderr",
        `notice: Only the first ${MAX_LINES} lines of ${quote(path)} are shown\n`,
      );
      break;
    }
    const source = `${path}#${line.line}`;
    into.push(line.ok ? await inspect(source, line.value) : failed(source, line.error));
  }
  if (count === 0) into.push(...await inspectFile(path, new Uint8Array()));
}

/** Reads a file; a registry's answer holds several bundles. */
async function inspectFile(path: string, bytes: Uint8Array): Promise<Inspected[]> {
  let value: Json;
  try {
    value = parseJson(bytes, { maxLength: MAX_BYTES });
  } catch (error) {
    if (!isAttestationError(error)) throw error;
    return [await inspectOther(path, bytes) ?? failed(path, error)];
  }
  if (Array.isArray(value)) {
    // A list of attestations, such as `gh attestation verify --format json` prints.
    const { opened } = await import("../verify/load.ts");
    if (value.length === 0) return [failed(path, unknownFormat())];
    return await Promise.all(
      value.slice(0, MAX_LINES).map((one, index) => {
        const entry = opened(one), source = `${path}#${index + 1}`;
        return isObject(entry) ? inspect(source, entry) : failed(source, unknownFormat());
      }),
    );
  }
  if (!isObject(value)) return [failed(path, unknownFormat())];
  if (isObject(value.provenance_summary)) return await inspectGoogleCloudBuild(path, value);
  const shape = detectFormat(value);
  const isAnswer = shape === "npm-attestations" || shape === "github-attestations";
  if (!isAnswer || !Array.isArray(value.attestations)) {
    const isOther = shape === "unknown" && !isTrustedRoot(value) && value.type === undefined;
    return [(isOther ? await inspectOther(path, bytes) : undefined) ?? await inspect(path, value)];
  }
  const entries = value.attestations.slice(0, MAX_LINES);
  return await Promise.all(entries.map((entry, index) => {
    const source = `${path}#${index + 1}`;
    return isObject(entry) && isObject(entry.bundle)
      ? inspect(source, entry.bundle)
      : failed(source, unknownFormat());
  }));
}

/** What it is in another format; undefined if it is in none. */
async function inspectOther(path: string, bytes: Uint8Array): Promise<Inspected | undefined> {
  const { inspectFormat } = await import("./inspect_format.ts");
  try {
    return await inspectFormat(path, bytes);
  } catch (error) {
    if (!isAttestationError(error)) throw error;
    return error.reason === "unknown-format" ? undefined : failed(path, error);
  }
}

/** What gcloud prints about an image: an envelope per record, and a copy that nobody signed. */
async function inspectGoogleCloudBuild(path: string, value: JsonObject): Promise<Inspected[]> {
  const { parseGoogleCloudBuild } = await import("../formats/google_cloud_build.ts");
  try {
    const { records } = parseGoogleCloudBuild(value);
    return await Promise.all(records.map(async ({ envelope }, index) => {
      const source = `${path}#${index + 1}`;
      if (envelope instanceof AttestationError) return failed(source, envelope);
      const format = "google-cloud-build";
      const result: Inspected = { source, verified: false, format, problems: [] };
      await inspectEnvelope(envelope, result);
      return result;
    }));
  } catch (error) {
    if (!isAttestationError(error)) throw error;
    return [failed(path, error)];
  }
}

/** Reads one attestation, trusted root or key set as far as it can be read. */
export async function inspect(
  source: string,
  value: JsonObject,
): Promise<Inspected> {
  const result: Inspected = { source, verified: false, format: "unknown", problems: [] };
  await attempt(result, async () => {
    if (isTrustedRoot(value)) {
      result.format = "trusted-root";
      const { parseTrustedRoot } = await import("../sigstore/trusted_root.ts");
      const root = parseTrustedRoot(value);
      result.trustedRoot = {
        tlogs: root.logs.map(describeLog),
        ctlogs: root.ctLogs.map(describeLog),
        certificateAuthorities: root.certificateAuthorities.map(describeAuthority),
        timestampAuthorities: root.timestampAuthorities.map(describeAuthority),
      };
      return;
    }
    if (value.type === "attest-key-set/v1") {
      result.format = "key-set";
      const { parseKeySet } = await import("../keys/key_set.ts");
      const { describeValidity } = await import("../keys/key_validity.ts");
      result.keySet = (await parseKeySet(value)).keys.map((entry) => ({
        name: entry.name,
        key: entry.key.alg,
        fingerprint: entry.key.fingerprint,
        rule: describeValidity(entry),
        ...(entry.successor === undefined ? {} : { successor: entry.successor }),
      }));
      return;
    }
    result.format = detectFormat(value);
    if (result.format === "sigstore-bundle") await inspectBundle(value, result);
    else if (result.format === "dsse") {
      await attempt(result, () => inspectOwnCertificate(value, result));
      const { parseEnvelope } = await import("../dsse/envelope.ts");
      await inspectEnvelope(parseEnvelope(value), result);
    } else if (result.format === "statement") await inspectStatement(value, result, false);
    else throw unknownFormat();
  });
  return result;
}

function unknownFormat(): AttestationError {
  return new AttestationError(
    "unknown-format",
    "Cannot inspect: it is JSON, but no attestation, no trusted root and no key set",
  );
}

function failed(source: string, error: AttestationError): Inspected {
  const { reason, message } = error;
  return { source, verified: false, format: "unknown", problems: [{ reason, message }] };
}

/** Runs a step; what it refuses becomes a problem of the result. */
async function attempt(result: Inspected, run: () => Promise<void>): Promise<void> {
  try {
    await run();
  } catch (error) {
    if (!isAttestationError(error)) throw error;
    const { reason, message, path } = error;
    result.problems.push(path === undefined ? { reason, message } : { reason, message, path });
  }
}

function isTrustedRoot(value: JsonObject): boolean {
  return typeof value.mediaType === "string" &&
    value.mediaType.startsWith("application/vnd.dev.sigstore.trustedroot");
}

async function inspectBundle(value: JsonObject, result: Inspected): Promise<void> {
  const { parseSigstoreBundle } = await import("../sigstore/bundle.ts");
  const bundle = parseSigstoreBundle(value);
  result.bundleVersion = bundle.version;
  await attempt(result, async () => {
    result.verificationMaterial = {
      ...await describeSigner(bundle, result),
      tlogEntries: bundle.logEntries.map(describeEntry),
      timestamps: await describeTimestamps(bundle),
    };
  });
  if (bundle.content.kind === "envelope") await inspectEnvelope(bundle.content.envelope, result);
  else {
    const { digest, signature } = bundle.content;
    result.messageSignature = { bytes: signature.length };
    if (digest !== undefined) {
      result.messageSignature.messageDigest = { [digest.algorithm]: encodeHex(digest.value) };
    }
  }
}

/** The certificate that producers wrote into the envelope before there were bundles. */
async function inspectOwnCertificate(value: JsonObject, result: Inspected): Promise<void> {
  const [first] = Array.isArray(value.signatures) ? value.signatures : [];
  if (!isObject(first) || !("cert" in first)) return;
  const { readCertificateEnvelope } = await import("../sigstore/bundle.ts");
  const bundle = readCertificateEnvelope(value);
  if (bundle === undefined) return;
  const signer = await describeSigner(bundle, result);
  result.verificationMaterial = { ...signer, tlogEntries: [], timestamps: [] };
}

async function describeSigner(
  { signer }: SigstoreBundle,
  result: Inspected,
): Promise<{ certificates: InspectedCertificate[] } | { publicKey: { hint: string } }> {
  if (signer.kind === "publicKey") return { publicKey: { hint: signer.hint } };
  const { readIdentity } = await import("../sigstore/certificate.ts");
  const leaf = describeCertificate(signer.leaf);
  await attempt(result, () => {
    leaf.identity = readIdentity(signer.leaf);
    return Promise.resolve();
  });
  return { certificates: [leaf, ...signer.intermediates.map(describeCertificate)] };
}

function describeCertificate(certificate: Certificate): InspectedCertificate {
  const { publicKey } = certificate;
  const size = publicKey.curve ?? publicKey.modulusBits;
  return {
    validFor: period(certificate.notBefore, certificate.notAfter),
    serialNumber: encodeHex(certificate.serialNumber),
    publicKey: size === undefined ? publicKey.kind : `${publicKey.kind} ${size}`,
    keyFingerprint: publicKey.fingerprint,
  };
}

function describeEntry(entry: LogEntry): InspectedLogEntry {
  const described: InspectedLogEntry = {
    logIndex: String(entry.logIndex),
    logId: encodeBase64(entry.keyId),
    kindVersion: `${entry.kind} ${entry.kindVersion}`,
    inclusionPromise: entry.promise !== undefined,
  };
  const seconds = Number(entry.integratedTime);
  // Beyond this, Date has no value.
  if (seconds > 0 && seconds < 8.64e12) {
    described.integratedTime = rfc3339(new Date(seconds * 1000));
  }
  if (entry.proof !== undefined) {
    const { logIndex, treeSize, rootHash, checkpoint } = entry.proof;
    described.inclusionProof = {
      logIndex: String(logIndex),
      treeSize: String(treeSize),
      rootHash: encodeHex(rootHash),
      checkpoint,
    };
  }
  try {
    described.canonicalizedBody = parseJson(entry.body);
  } catch (error) {
    if (!isAttestationError(error)) throw error;
  }
  return described;
}

async function describeTimestamps(
  bundle: SigstoreBundle,
): Promise<{ time?: string; problem?: string }[]> {
  if (bundle.timestamps.length === 0) return [];
  const { parseTimestampResponse } = await import("../sigstore/timestamp.ts");
  return bundle.timestamps.map((der) => {
    try {
      return { time: rfc3339(parseTimestampResponse(der).time) };
    } catch (error) {
      if (!isAttestationError(error)) throw error;
      return { problem: error.reason };
    }
  });
}

async function inspectEnvelope(envelope: DecodedEnvelope, result: Inspected): Promise<void> {
  const { payloadType, payload, signatures } = envelope;
  result.envelope = {
    payloadType,
    payloadBytes: payload.length,
    signatures: signatures.map(({ keyid, sig }) => ({ keyid, bytes: sig.length })),
  };
  if (/^application\/vnd\.in-toto(\.[^+]+)?\+json$/.test(payloadType)) {
    await inspectStatement(payload, result);
  }
}

async function inspectStatement(
  source: Uint8Array | JsonObject,
  result: Inspected,
  isSigned = true,
): Promise<void> {
  const { parseStatement } = await import("../intoto/statement.ts");
  await attempt(result, async () => {
    const statement = parseStatement(source);
    result.statement = statement;
    const { inspectPredicate } = await import("./inspect_predicate.ts");
    const identity = result.verificationMaterial?.certificates?.[0].identity;
    const { predicate, problems } = inspectPredicate(statement, identity, isSigned);
    result.predicate = predicate;
    result.problems.push(...problems.slice(0, MAX_PROBLEMS));
  });
}

function describeLog(log: TrustedLog): { uri: string; validFor: Period } {
  return { uri: log.baseUrl, validFor: period(log.validFor.start, log.validFor.end) };
}

function describeAuthority(authority: TrustedAuthority): { uri: string; validFor: Period } {
  const { start, end } = authority.validFor;
  return { uri: authority.uri, validFor: period(start, end) };
}

function period(start: Date, end?: Date): Period {
  return end === undefined
    ? { start: rfc3339(start) }
    : { start: rfc3339(start), end: rfc3339(end) };
}

function rfc3339(time: Date): string {
  return time.toISOString().replace(/\.000Z$/, "Z");
}
