import { AttestationError } from "../../errors.ts";
import { type Bytes, concat } from "../../internal/bytes.ts";
import { decompress } from "../../internal/decompress.ts";
import { encodeHex } from "../../internal/hex.ts";
import { printable } from "../../internal/json.ts";
import type { FormatLimits } from "../format.ts";
import { linesOf, readArmor, refuseMore } from "./_armor.ts";
import { isCleartext, type OpenPgpMessage, parseCleartext } from "./_cleartext.ts";
import { malformed, type Packet, PacketReader, readPackets, Tag } from "./_packets.ts";
import { type OpenPgpSignature, parseSignaturePacket } from "./_signature.ts";

const MAX_COMPRESSIONS = 2;

/**
 * Reads what is signed with OpenPGP, in any of its forms: clear text, signatures beside another
 * file, or a message that holds what it signs.
 *
 * @throws {AttestationError} `malformed-envelope`, `missing-signatures`, `limit-exceeded`,
 * `invalid-base64`, `invalid-unicode`, `unsupported-algorithm`, `unsupported-signature-type`.
 */
export async function parseMessage(
  bytes: Uint8Array,
  { maxBytes, maxSignatures }: FormatLimits,
): Promise<OpenPgpMessage> {
  if (bytes.length > maxBytes) throw tooLong(maxBytes);
  // A packet begins with a set bit, and no text in ASCII does.
  const lines = (bytes[0] & 0x80) === 0 ? linesOf(bytes) : undefined;
  if (lines !== undefined && isCleartext(lines)) return parseCleartext(lines, maxSignatures);
  const { packets, unsigned } = lines === undefined
    ? { packets: bytes, unsigned: {} }
    : fromArmor(lines);
  // A signed message has a packet before and one behind what each signature is over.
  const most = 2 * maxSignatures + 1;
  let found = readPackets(packets, most);
  for (let depth = 0; found.length === 1 && found[0].tag === Tag.compressed; depth++) {
    if (depth === MAX_COMPRESSIONS) throw malformed("it is compressed again and again");
    found = readPackets(await unpack(found[0].body, maxBytes), most);
  }
  if (found.length === 0) throw missing();
  const message = found.every(({ tag }) => tag === Tag.signature)
    ? { form: "detached" as const, signatures: found.map(parseBeside), unsigned: {} }
    : parseInline(found);
  if (message.signatures.length > maxSignatures) {
    throw new AttestationError(
      "limit-exceeded",
      `Cannot read OpenPGP: ${message.signatures.length} signatures, at most ${maxSignatures}`,
    );
  }
  return { ...message, unsigned: { ...message.unsigned, ...unsigned } };
}

/** A signature of a file: text has its line ends open, and such a one does not fix the file. */
function parseBeside(packet: Packet): OpenPgpSignature {
  const signature = parseSignaturePacket(packet);
  if (signature.type === 0) return signature;
  const refusal = new AttestationError(
    "unsupported-signature-type",
    "Cannot accept signature: it is over text, whose line ends it leaves open",
  );
  return { refusal, ...signature };
}

/** The packets of a text that is one block of armor. */
function fromArmor(
  lines: readonly string[],
): { packets: Bytes; unsigned: Readonly<Record<string, string>> } {
  const start = lines.findIndex((line) => line.startsWith("-----"));
  refuseMore(lines, 0, start < 0 ? lines.length : start);
  const block = readArmor(lines, start);
  refuseMore(lines, block.next);
  if (block.label !== "PGP SIGNATURE" && block.label !== "PGP MESSAGE") {
    throw malformed(`its armor is of ${block.label}`);
  }
  return { packets: block.bytes, unsigned: block.headers };
}

/**
 * One-pass signatures, what they are over, and the signatures in reverse order; or, as older
 * programs wrote it, signatures and what they are over.
 *
 * Source: RFC 9580, 5.4 and 10.3.
 */
function parseInline(packets: readonly Packet[]): OpenPgpMessage {
  const at = packets.findIndex(({ tag }) => tag === Tag.literal);
  const before = packets.slice(0, at), after = packets.slice(at + 1);
  if (at < 0 || [...before, ...after].some(({ tag }) => tag === Tag.literal)) {
    throw malformed("it holds no signed message: it is encrypted, or of other packets");
  }
  if (packets.length === 1) throw missing();
  const { data, unsigned } = parseLiteral(packets[at].body);
  let signatures: OpenPgpSignature[];
  if (after.length === 0) signatures = before.map(parseSignaturePacket);
  else {
    signatures = after.map(parseSignaturePacket);
    if (before.length !== after.length) {
      throw malformed(`${before.length} announcements of ${after.length} signatures`);
    }
    before.forEach((packet, i) =>
      compareOnePass(packet, signatures[after.length - 1 - i], i === before.length - 1)
    );
  }
  const isText = signatures.some(({ type }) => type === 1);
  if (isText && signatures.some(({ type }) => type === 0)) {
    throw malformed("one signature is over bytes and another over text");
  }
  const signed = isText ? withLineEnds(data) : data;
  return { form: "inline", signatures, message: signed, signed, unsigned };
}

/** What is announced has to be what comes. */
function compareOnePass({ tag, body }: Packet, signature: OpenPgpSignature, isLast: boolean): void {
  if (tag !== Tag.onePass) throw malformed(`a packet of type ${tag} stands before the message`);
  const reader = new PacketReader(body);
  const version = reader.number(1);
  const isSix = version === 6;
  if (version !== (signature.version === 6 ? 6 : 3)) {
    throw malformed("a signature is announced in another version");
  }
  const algorithms = [reader.number(1), reader.number(1), reader.number(1)];
  if (isSix) reader.take(reader.number(1));
  const keyid = encodeHex(reader.take(isSix ? 32 : 8));
  // Zero: another announcement follows, of a signature over the same message.
  const isInner = reader.number(1) !== 0;
  const { type, hashAlgorithm, keyAlgorithm, issuer } = signature;
  const wanted = [type, hashAlgorithm, keyAlgorithm];
  if (
    reader.left > 0 || isInner !== isLast || algorithms.some((one, i) => one !== wanted[i]) ||
    (isSix ? keyid.slice(0, 16) : keyid) !== issuer.keyid
  ) throw malformed("a signature is another than is announced");
}

/** RFC 9580, 5.9: nobody signs the name and the time. */
function parseLiteral(body: Bytes): { data: Bytes; unsigned: Record<string, string> } {
  const reader = new PacketReader(body);
  const kind = reader.number(1);
  if (kind !== 0x62 && kind !== 0x74 && kind !== 0x75) {
    throw malformed("its data is neither bytes nor text");
  }
  const name = new TextDecoder().decode(reader.take(reader.number(1)));
  reader.number(4);
  const data = reader.take(reader.left);
  return { data, unsigned: name === "" ? {} : { "file name": printable(name) } };
}

/** RFC 9580, 5.2.4.1: text is signed with CR LF at the end of each line. */
function withLineEnds(data: Bytes): Bytes {
  const isBare = (at: number) => data[at] === 10 && data[at - 1] !== 13;
  let more = 0;
  for (let at = 0; at < data.length; at++) if (isBare(at)) more++;
  const text = new Uint8Array(data.length + more);
  let to = 0;
  for (let at = 0; at < data.length; at++) {
    if (isBare(at)) text[to++] = 13;
    text[to++] = data[at];
  }
  return text;
}

/** Unpacks as far as it is accepted: a small message may claim to be endless. */
async function unpack(body: Bytes, maxBytes: number): Promise<Bytes> {
  const [algorithm] = body;
  const packed = body.subarray(1);
  if (algorithm === 0) return packed;
  if (algorithm !== 1 && algorithm !== 2) {
    throw new AttestationError(
      "unsupported-algorithm",
      `Cannot read OpenPGP: it is compressed by algorithm ${algorithm}, wanted ZIP or ZLIB`,
    );
  }
  const parts: Uint8Array[] = [];
  let length = 0;
  try {
    const format = algorithm === 1 ? "deflate-raw" : "deflate";
    const reader = decompress(new Blob([packed]).stream(), format);
    for (let next = await reader.read(); !next.done; next = await reader.read()) {
      length += next.value.length;
      if (length > maxBytes) {
        await reader.cancel().catch(() => {});
        break;
      }
      parts.push(next.value);
    }
  } catch (cause) {
    throw new AttestationError(
      "malformed-envelope",
      "Cannot read OpenPGP: what is compressed cannot be unpacked",
      { cause },
    );
  }
  if (length > maxBytes) throw tooLong(maxBytes);
  return concat(...parts);
}

function missing(): AttestationError {
  return new AttestationError("missing-signatures", "Cannot read OpenPGP: nobody signed it");
}

function tooLong(maxBytes: number): AttestationError {
  return new AttestationError(
    "limit-exceeded",
    `Cannot read OpenPGP: more than ${maxBytes} bytes`,
  );
}
