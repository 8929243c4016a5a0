import { AttestationError, isAttestationError } from "../errors.ts";
import { encodeHex } from "../internal/hex.ts";
import { decodeUtf8, printable, quote } from "../internal/json.ts";
import { sha256 } from "../internal/sha256.ts";
import type { PublicKey } from "../keys/public_key.ts";
import type { Certificate } from "../sigstore/certificate.ts";
import {
  parseTrustedRoots,
  type TrustedAuthority,
  type TrustedLog,
  type TrustedRoot,
  type ValidityPeriod,
} from "../sigstore/trusted_root.ts";
import type { TufVersions } from "../sigstore/tuf/options.ts";
import { parseArgs, type ParsedArgs, usageError } from "./args.ts";
import { formatName } from "./distinguished_name.ts";
import { inFile } from "./in_file.ts";
import { VERIFIED } from "./main.ts";
import { readBounded, type Runtime } from "./runtime.ts";
import { safeJson, type Style, style, table } from "./text.ts";
import { readRepository } from "./trusted_root.ts";
import { SHOW_OPTIONS } from "./trusted_root_options.ts";

/** A validity, RFC 3339 in UTC. */
interface Period {
  start: string;
  end?: string;
}

/** A transparency log of a trusted root. */
export interface ShownLog {
  /** Its address. */
  uri: string;
  /** Who runs it, where that is not its address. */
  operator?: string;
  /** Kind of its key. */
  publicKey: string;
  /** SHA-256 of its key's SPKI, hex. */
  keyFingerprint: string;
  /** When its key is trusted. */
  validFor: Period;
}

/** A certificate or timestamp authority of a trusted root. */
export interface ShownAuthority {
  /** Its address. */
  uri: string;
  /** Who runs it, where that is not its address. */
  operator?: string;
  /** When it is trusted. */
  validFor: Period;
  /** Its chain, the anchor last. */
  certificates: { subject: string; publicKey: string; fingerprint: string; validFor: Period }[];
}

/** One trusted root for people and programs. */
export interface ShownRoot {
  /** Where it is from. */
  source: string;
  /** TUF metadata that it was got with. */
  tuf?: { versions: TufVersions; expires: string };
  /** Transparency logs. */
  tlogs: ShownLog[];
  /** Certificate transparency logs. */
  ctlogs: ShownLog[];
  /** Issuers of certificates. */
  certificateAuthorities: ShownAuthority[];
  /** Issuers of timestamps. */
  timestampAuthorities: ShownAuthority[];
  /** What will soon, or does already, keep new signatures from being verified. */
  warnings: string[];
}

const MAX_BYTES = 64 << 20;
const DAY = 24 * 60 * 60 * 1000;
/** So much before its end, an end is worth a warning. */
const WARN_DAYS = 30;
/** A snapshot that is older may lack keys that are in use. */
const MAX_SNAPSHOT_DAYS = 180;

/** `trusted-root show [FILE…]`. */
export async function runShow(args: readonly string[], runtime: Runtime): Promise<number> {
  const parsed = parseArgs(args, SHOW_OPTIONS);
  const now = runtime.now?.() ?? new Date();
  const shown = await readShown(parsed, runtime, now);
  if (parsed.get("format") === "json") runtime.write("stdout", `${safeJson(shown, 2)}\n`);
  else {
    const paint = style(runtime.isTerminal("stdout") && !runtime.noColor);
    runtime.write("stdout", shown.map((one) => rootText(one, now, paint)).join("\n"));
  }
  return VERIFIED;
}

async function readShown(args: ParsedArgs, runtime: Runtime, now: Date): Promise<ShownRoot[]> {
  if (args.has("cached")) {
    if (args.operands.length > 0) throw usageError("--cached and FILE exclude each other");
    return [await readCached(args, runtime, now)];
  }
  const needless = ["tuf-url", "tuf-root", "cache"].find((name) => args.has(name));
  if (needless !== undefined) throw usageError(`--${needless} needs --cached`);
  if (args.operands.length === 0) return [await readSnapshot(now)];
  const shown: ShownRoot[] = [];
  for (const path of args.operands) {
    const bytes = await readBounded(runtime, path, MAX_BYTES);
    const roots = await inFile(
      "trusted root",
      path,
      () => Promise.resolve(parseTrustedRoots(decodeUtf8(bytes))),
    );
    roots.forEach((root, i) => {
      const source = roots.length === 1 ? path : `${path}#${i + 1}`;
      shown.push(describeRoot(source, root, now));
    });
  }
  return shown;
}

async function readSnapshot(now: Date): Promise<ShownRoot> {
  const { publicGoodRoot } = await import("../sigstore/public_good.ts");
  const { PUBLIC_GOOD_ROOT_DATE, PUBLIC_GOOD_ROOT_SOURCE } = await import(
    "../sigstore/roots/public_good.ts"
  );
  const source = `${PUBLIC_GOOD_ROOT_SOURCE}, ${PUBLIC_GOOD_ROOT_DATE}`;
  const shown = describeRoot(source, await publicGoodRoot(), now);
  const days = Math.floor((now.getTime() - Date.parse(PUBLIC_GOOD_ROOT_DATE)) / DAY);
  if (days > MAX_SNAPSHOT_DAYS) {
    shown.warnings.unshift(`This snapshot is ${days} days old: run trusted-root update`);
  }
  return shown;
}

async function readCached(args: ParsedArgs, runtime: Runtime, now: Date): Promise<ShownRoot> {
  const { root, cache, folder, baseUrl } = await readRepository(args, runtime);
  const { readCachedTrust } = await import("../sigstore/tuf/trust.ts");
  const trust = await readCachedTrust({ root, cache });
  if (trust === undefined) {
    throw new AttestationError(
      "unreadable-file",
      `Cannot show the cached trusted root: ${quote(folder)} holds none that can be verified; ` +
        "run trusted-root update",
    );
  }
  const { versions, expires, trustedRoot } = trust;
  const shown = describeRoot(baseUrl, trustedRoot, now);
  shown.tuf = { versions, expires: rfc3339(expires) };
  if (expires <= now) {
    shown.warnings.unshift(
      `Its TUF metadata expired at ${rfc3339(expires)}: run trusted-root update`,
    );
  }
  return shown;
}

/** What a trusted root holds, and what of it ends. */
export function describeRoot(source: string, root: TrustedRoot, now: Date): ShownRoot {
  return {
    source,
    tlogs: root.logs.map(describeLog),
    ctlogs: root.ctLogs.map(describeLog),
    certificateAuthorities: root.certificateAuthorities.map(describeAuthority),
    timestampAuthorities: root.timestampAuthorities.map(describeAuthority),
    warnings: warningsOf(root, now),
  };
}

function describeLog(log: TrustedLog): ShownLog {
  return {
    uri: log.baseUrl,
    ...operatorOf(log.operator, log.baseUrl),
    publicKey: describeKey(log.key),
    keyFingerprint: log.key.fingerprint,
    validFor: period(log.validFor),
  };
}

function describeAuthority(authority: TrustedAuthority): ShownAuthority {
  return {
    uri: authority.uri,
    ...operatorOf(authority.operator, authority.uri),
    validFor: period(authority.validFor),
    certificates: authority.chain.map((certificate) => ({
      subject: subjectOf(certificate),
      publicKey: describeKey(certificate.publicKey),
      fingerprint: encodeHex(sha256(certificate.raw)),
      validFor: period({ start: certificate.notBefore, end: certificate.notAfter }),
    })),
  };
}

function operatorOf(operator: string, address: string): { operator?: string } {
  return operator === address ? {} : { operator };
}

function subjectOf({ subject }: Certificate): string {
  try {
    return formatName(subject);
  } catch (error) {
    if (isAttestationError(error)) return "";
    throw error;
  }
}

function describeKey({ kind, curve, modulusBits }: PublicKey): string {
  const size = curve ?? modulusBits;
  return size === undefined ? kind : `${kind} ${size}`;
}

/**
 * What ends soon or has ended although it counts as valid, and kinds of which nothing is
 * valid now. An authority that was replaced is no reason to worry: what it signed stays.
 */
function warningsOf(root: TrustedRoot, now: Date): string[] {
  const warnings: string[] = [];
  const soon = new Date(now.getTime() + WARN_DAYS * DAY);
  const isCurrent = ({ start, end }: ValidityPeriod) =>
    start <= now && (end === undefined || end >= now);
  const kinds: [string, readonly { uri: string; validFor: ValidityPeriod; ends: Date[] }[]][] = [
    ["log", root.logs.map(logEnds)],
    ["CT log", root.ctLogs.map(logEnds)],
    ["certificate authority", root.certificateAuthorities.map(authorityEnds)],
    ["timestamp authority", root.timestampAuthorities.map(authorityEnds)],
  ];
  for (const [kind, all] of kinds) {
    const current = all.filter(({ validFor }) => isCurrent(validFor));
    if (all.length > 0 && current.length === 0) warnings.push(`No ${kind} is valid now`);
    for (const { uri, ends } of current) {
      const first = new Date(Math.min(...ends.map((end) => end.getTime())));
      if (ends.length > 0 && first <= soon) {
        const word = first < now ? "ended" : "ends";
        warnings.push(`The ${kind} ${printable(uri)} ${word} at ${rfc3339(first)}`);
      }
    }
  }
  return warnings;
}

function logEnds({ baseUrl, validFor }: TrustedLog) {
  return { uri: baseUrl, validFor, ends: validFor.end === undefined ? [] : [validFor.end] };
}

function authorityEnds({ uri, validFor, chain }: TrustedAuthority) {
  const ends = chain.map(({ notAfter }) => notAfter);
  return { uri, validFor, ends: validFor.end === undefined ? ends : [...ends, validFor.end] };
}

function period({ start, end }: ValidityPeriod): Period {
  return end === undefined
    ? { start: rfc3339(start) }
    : { start: rfc3339(start), end: rfc3339(end) };
}

function rfc3339(time: Date): string {
  return time.toISOString().replace(/\.000Z$/, "Z");
}

function rootText(root: ShownRoot, now: Date, paint: Style): string {
  let text = `${paint.bold(printable(root.source))}\n`;
  if (root.tuf !== undefined) {
    const versions = Object.entries(root.tuf.versions).map(([name, one]) => `${name} ${one}`);
    text += `  TUF: ${versions.join(", ")}; good until ${root.tuf.expires}\n`;
  }
  const groups: [string, [string, string][]][] = [
    ["transparency logs", root.tlogs.map((log) => logRow(log, now, paint))],
    ["certificate transparency logs", root.ctlogs.map((log) => logRow(log, now, paint))],
    ["certificate authorities", root.certificateAuthorities.map((one) => row(one, now, paint))],
    ["timestamp authorities", root.timestampAuthorities.map((one) => row(one, now, paint))],
  ];
  for (const [name, rows] of groups) {
    text += `\n  ${name}${rows.length === 0 ? ": none" : ""}\n${table(rows, "    ")}`;
  }
  if (root.warnings.length > 0) {
    const lines = root.warnings.map((one) => `  ${paint.yellow("warning:")} ${one}\n`);
    text += `\n${lines.join("")}`;
  }
  return text;
}

function logRow(log: ShownLog, now: Date, paint: Style): [string, string] {
  const lines = [validity(log.validFor, now, paint)];
  if (log.operator !== undefined) lines.push(`run by ${printable(log.operator)}`);
  lines.push(`key ${log.publicKey} ${log.keyFingerprint}`);
  return [printable(log.uri), lines.join("\n")];
}

function row(authority: ShownAuthority, now: Date, paint: Style): [string, string] {
  const lines = [validity(authority.validFor, now, paint)];
  if (authority.operator !== undefined) lines.push(`run by ${printable(authority.operator)}`);
  for (const { subject, publicKey, fingerprint, validFor } of authority.certificates) {
    lines.push(`${printable(subject)} (${publicKey}), until ${validFor.end}`);
    lines.push(`  ${fingerprint}`);
  }
  return [printable(authority.uri), lines.join("\n")];
}

function validity({ start, end }: Period, now: Date, paint: Style): string {
  if (now < new Date(start)) return paint.dim(`from ${start}`);
  if (end === undefined) return paint.green(`since ${start}`);
  const text = `${start} to ${end}`;
  return now > new Date(end) ? paint.dim(`${text}, for what was signed then`) : paint.green(text);
}
