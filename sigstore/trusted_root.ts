import { AttestationError, isAttestationError } from "../errors.ts";
import { type Bytes, equalBytes, utf8 } from "../internal/bytes.ts";
import { encodeHex } from "../internal/hex.ts";
import { type Json, parseJson, quote } from "../internal/json.ts";
import { refuseUnknown } from "../internal/options.ts";
import { sha256 } from "../internal/sha256.ts";
import { parseTimestamp } from "../internal/timestamp.ts";
import type { SignatureScheme } from "../keys/algorithm.ts";
import { parseSpki, type PublicKey } from "../keys/public_key.ts";
import { type Certificate, parseCertificate } from "./certificate.ts";
import { detailedScheme, isKnownKind } from "./_scheme.ts";
import { Shape } from "./_shape.ts";

/** A span of time, both ends included. */
export interface ValidityPeriod {
  /** First moment. */
  readonly start: Date;
  /** Absent while there is no end. */
  readonly end?: Date;
}

/** A transparency log or certificate transparency log that is trusted. */
export interface TrustedLog {
  /** Its address; the host names it in signed notes. */
  readonly baseUrl: string;
  /** Who runs it: logs of one operator count once. */
  readonly operator: string;
  /** Key ids by which entries and SCTs name it, lowercase hex. */
  readonly keyIds: readonly string[];
  /** Its key. */
  readonly key: PublicKey;
  /** How it signs. */
  readonly scheme: SignatureScheme;
  /** When its key is trusted. */
  readonly validFor: ValidityPeriod;
}

/** A certificate or timestamp authority that is trusted. */
export interface TrustedAuthority {
  /** Its address. */
  readonly uri: string;
  /** Who runs it: authorities of one operator count once. */
  readonly operator: string;
  /** Leaf or intermediate first; the last one is the anchor. */
  readonly chain: readonly Certificate[];
  /** When it is trusted. */
  readonly validFor: ValidityPeriod;
}

/** Keys and certificates of one or several Sigstore instances. */
export interface TrustedRoot {
  /** Name for reports. */
  readonly name: string;
  /** Transparency logs of signatures. */
  readonly logs: readonly TrustedLog[];
  /** Certificate transparency logs. */
  readonly ctLogs: readonly TrustedLog[];
  /** Issuers of certificates. */
  readonly certificateAuthorities: readonly TrustedAuthority[];
  /** Issuers of RFC 3161 timestamps. */
  readonly timestampAuthorities: readonly TrustedAuthority[];
}

const MEDIA_TYPE =
  /^application\/vnd\.dev\.sigstore\.trustedroot(\+json;version=0\.[12]|\.v0\.[12]\+json)$/;

/** Options of {@linkcode parseTrustedRoot}. */
export interface TrustedRootOptions {
  /** Name for reports. Default: the address of its first authority or log. */
  name?: string;
}

/**
 * Reads a `trusted_root.json`.
 *
 * A log whose kind of key is not known is left out; everything else that is wrong refuses
 * the document, above all a validity without its start.
 *
 * Source: sigstore/protobuf-specs, sigstore_trustroot.proto.
 *
 * @param source JSON text, its UTF-8 bytes, or the parsed object.
 * @throws {AttestationError} `malformed-trusted-root`, or what strict JSON refuses.
 *
 * @example
 * ```ts
 * import { parseTrustedRoot } from "@x/attest/sigstore";
 * import assert from "node:assert/strict";
 *
 * const root = parseTrustedRoot({
 *   mediaType: "application/vnd.dev.sigstore.trustedroot+json;version=0.1",
 * }, { name: "empty" });
 * assert.equal(root.logs.length, 0);
 * ```
 */
export function parseTrustedRoot(
  source: string | Uint8Array | object,
  options: TrustedRootOptions = {},
): TrustedRoot {
  refuseUnknown(options, ["name"], "parseTrustedRoot()");
  const isText = typeof source === "string" || source instanceof Uint8Array;
  const value: Json | object = isText ? parseJson(source, { maxLength: 8 << 20 }) : source;
  try {
    return read(new Shape(value, "malformed-trusted-root"), options.name);
  } catch (cause) {
    if (!isAttestationError(cause) || cause.reason === "malformed-trusted-root") throw cause;
    throw new AttestationError(
      "malformed-trusted-root",
      `Cannot read trusted root: ${cause.message}`,
      { cause, path: cause.path },
    );
  }
}

function read(root: Shape, name: string | undefined): TrustedRoot {
  const mediaType = root.optionalText("mediaType") ?? "";
  if (!MEDIA_TYPE.test(mediaType)) {
    throw root.refuse("mediaType", `${quote(mediaType)} is no trusted root`);
  }
  const logs = readLogs(root, "tlogs");
  const certificateAuthorities = readAuthorities(root, "certificateAuthorities");
  const timestampAuthorities = readAuthorities(root, "timestampAuthorities");
  return {
    name: name ?? certificateAuthorities[0]?.uri ?? logs[0]?.baseUrl ?? "trusted root",
    logs,
    ctLogs: readLogs(root, "ctlogs"),
    certificateAuthorities,
    timestampAuthorities,
  };
}

function readLogs(root: Shape, member: string): TrustedLog[] {
  const logs: TrustedLog[] = [];
  for (const log of root.objects(member, 256)) {
    const publicKey = log.object("publicKey");
    const validFor = readPeriod(publicKey);
    const der = publicKey.bytes("rawBytes");
    const stated = log.optionalObject("logId")?.bytes("keyId");
    const checkpoint = log.optionalObject("checkpointKeyId")?.bytes("keyId");
    const baseUrl = log.text("baseUrl");
    const keyDetails = publicKey.text("keyDetails");
    if (!isKnownKind(keyDetails)) continue;
    const key = parseSpki(der);
    const scheme = detailedScheme(keyDetails, key);
    if (scheme === undefined) throw publicKey.refuse("keyDetails", "not the kind of its key");
    const operator = log.optionalText("operator") ?? "";
    logs.push({
      baseUrl,
      operator: operator === "" ? baseUrl : operator,
      keyIds: keyIds(key, baseUrl, stated, checkpoint),
      key,
      scheme,
      validFor,
    });
  }
  return logs;
}

/**
 * The names by which a log may be called: RFC 6962's hash of the key, and for an Ed25519
 * log the key id of its signed notes (C2SP signed-note), each derived from the key.
 */
function keyIds(key: PublicKey, baseUrl: string, ...stated: (Bytes | undefined)[]): string[] {
  const ids = [sha256(key.spki)];
  if (key.kind === "Ed25519") {
    ids.push(sha256(utf8(`${hostOf(baseUrl)}\n\x01`), key.spki.subarray(-32)));
  }
  for (const id of stated) {
    if (id !== undefined && !ids.some((one) => equalBytes(one, id))) ids.push(id);
  }
  return ids.map(encodeHex);
}

/** Host (with port) of a log's address, which names it in signed notes. */
export function hostOf(baseUrl: string): string {
  return baseUrl.replace(/^[a-z]+:\/\//, "").replace(/\/.*$/, "");
}

function readAuthorities(root: Shape, member: string): TrustedAuthority[] {
  return root.objects(member, 256).map((authority) => {
    const list = authority.object("certChain").objects("certificates", 16);
    if (list.length === 0) throw authority.refuse("certChain", "no certificate");
    const uri = authority.optionalText("uri") ?? "";
    const operator = authority.optionalText("operator") ?? "";
    return {
      uri,
      operator: operator === "" ? uri : operator,
      chain: list.map((one) => parseCertificate(one.bytes("rawBytes"), `${one.path}/rawBytes`)),
      validFor: readPeriod(authority),
    };
  });
}

function readPeriod(holder: Shape): ValidityPeriod {
  const period = holder.object("validFor");
  const read = (name: string): Date => {
    const time = parseTimestamp(period.text(name));
    if (time === undefined) throw period.refuse(name, "not an RFC 3339 time in UTC");
    return time;
  };
  const start = read("start");
  return period.has("end") ? { start, end: read("end") } : { start };
}

/** Tells whether a moment lies in a period, both ends included. */
export function isWithin(time: Date, { start, end }: ValidityPeriod): boolean {
  return time >= start && (end === undefined || time <= end);
}

/**
 * Reads one trusted root, or one per line, as `gh attestation trusted-root` writes them.
 *
 * @throws {AttestationError} `malformed-trusted-root`, or what strict JSON refuses.
 *
 * @example
 * ```ts
 * import { parseTrustedRoots } from "@x/attest/sigstore";
 * import assert from "node:assert/strict";
 *
 * const line = `{"mediaType":"application/vnd.dev.sigstore.trustedroot+json;version=0.1"}`;
 * assert.equal(parseTrustedRoots(`${line}\n${line}\n`).length, 2);
 * ```
 */
export function parseTrustedRoots(text: string, options: TrustedRootOptions = {}): TrustedRoot[] {
  const lines = text.split("\n").filter((line) => line.trim() !== "");
  const isLines = lines.length > 1 &&
    lines.every((line) => line.startsWith("{") && /\}\s*$/.test(line));
  if (!isLines) return [parseTrustedRoot(text, options)];
  if (lines.length > 64) {
    throw new AttestationError("limit-exceeded", "Cannot read trusted roots: more than 64 lines");
  }
  return lines.map((line, i) =>
    parseTrustedRoot(line, {
      name: options.name === undefined ? undefined : `${options.name}#${i + 1}`,
    })
  );
}
