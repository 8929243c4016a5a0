import { utf8 } from "../../internal/bytes.ts";
import { quote } from "../../internal/json.ts";
import { readArmor, refuseMore } from "./_armor.ts";
import { malformed, readPackets } from "./_packets.ts";
import { hashName, isHashName, type OpenPgpSignature, parseSignaturePacket } from "./_signature.ts";

/** What the parts of any form of message are. */
export interface OpenPgpMessage {
  /** Its form. */
  readonly form: "cleartext" | "detached" | "inline";
  /** Each signature. */
  readonly signatures: readonly OpenPgpSignature[];
  /** What is signed, for display and, once it is verified, to be read; absent of detached ones. */
  readonly message?: Uint8Array;
  /** What the signatures are computed over; absent of detached ones. */
  readonly signed?: Uint8Array;
  /** What stands in it and nobody signs. */
  readonly unsigned: Readonly<Record<string, string>>;
}

const BEGIN = "-----BEGIN PGP SIGNED MESSAGE-----";
const HASH = /^Hash: ?([A-Za-z0-9-]+(?:, ?[A-Za-z0-9-]+)*)$/;
/** Tab is the only control character; others end a line for some readers. */
const FORBIDDEN = /[^\P{Cc}\t]|[\u2028\u2029\ufeff]/u;

/** Tells whether a text has the beginning of clear text in one of its lines. */
export function isCleartext(lines: readonly string[]): boolean {
  return lines.some((line) => line.trim() === BEGIN);
}

/**
 * Reads a text that is signed as it stands. The whole input is one message: outside of it
 * there is only white space, before the text there are only headers `Hash`, and each line that
 * begins with a dash is escaped. Blanks at the end of a line are not signed and left out.
 *
 * Source: RFC 9580, 7.
 *
 * @throws {AttestationError} `malformed-envelope`, `missing-signatures`, and what
 * {@linkcode readArmor} and {@linkcode parseSignaturePacket} throw.
 */
export function parseCleartext(
  lines: readonly string[],
  maxSignatures: number,
): OpenPgpMessage {
  const start = lines.findIndex((line) => line.trim() !== "");
  if (lines[start] !== BEGIN) {
    throw malformed(`${quote(lines[start] ?? "")} stands before the signed text`);
  }
  const hashes = new Set<string>();
  let at = start + 1;
  for (; lines[at] !== undefined && lines[at] !== ""; at++) {
    const [, names] = HASH.exec(lines[at]) ?? [];
    if (names === undefined) {
      throw malformed(`${quote(lines[at])} stands before the signed text, wanted Hash`);
    }
    for (const name of names.split(/, ?/)) {
      if (!isHashName(name)) throw malformed(`${quote(name)} is no digest of OpenPGP`);
      hashes.add(name);
    }
  }
  const text: string[] = [];
  for (at++; lines[at] !== undefined && !lines[at].startsWith("-----"); at++) {
    text.push(unescaped(lines[at]));
  }
  const block = at < lines.length ? readArmor(lines, at) : undefined;
  if (block?.label !== "PGP SIGNATURE") throw malformed("no signature follows its text");
  refuseMore(lines, block.next);
  const signatures = readPackets(block.bytes, maxSignatures).map(parseSignaturePacket);
  refuseOtherHashes(hashes, signatures);
  return {
    form: "cleartext",
    signatures,
    message: utf8(text.join("\n")),
    signed: utf8(text.join("\r\n")),
    unsigned: block.headers,
  };
}

function unescaped(line: string): string {
  if (line.startsWith("-") && !line.startsWith("- ")) {
    throw malformed(`${quote(line)} begins with a dash that is not escaped`);
  }
  const text = withoutBlanks(line.startsWith("- ") ? line.slice(2) : line);
  if (FORBIDDEN.test(text)) throw malformed("the text has a control character");
  return text;
}

/** Without blanks at its end: a pattern for that would look at each run of them again and again. */
function withoutBlanks(line: string): string {
  let end = line.length;
  while (line[end - 1] === " " || line[end - 1] === "\t") end--;
  return line.slice(0, end);
}

/**
 * The header tells readers in one pass what to compute, and has to be true. Version 6 has none:
 * RFC 9580, 7.
 */
function refuseOtherHashes(
  hashes: ReadonlySet<string>,
  signatures: readonly OpenPgpSignature[],
): void {
  for (const { version, hashAlgorithm } of signatures) {
    const name = hashName(hashAlgorithm);
    if (!hashes.has(name) && !(version === 6 && hashes.size === 0)) {
      const stated = [...hashes].join(", ") || "nothing";
      throw malformed(`a signature is over ${name}, the header says ${quote(stated)}`);
    }
  }
}
