/** Mutations of texts with a form: base64, PEM, signed notes, tokens. */

import { decodeBase64, encodeBase64, encodeBase64Url } from "../../internal/base64.ts";
import { type Bytes, utf8 } from "../../internal/bytes.ts";
import { mutateBytes, mutatePlain, WORDS } from "./mutate_bytes.ts";
import { mutateDer } from "./mutate_der.ts";
import { mutateJsonText } from "./mutate_json.ts";
import type { Random } from "./random.ts";

const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

/** Bytes as text; what is not UTF-8 becomes the replacement character. */
export function textOf(bytes: Uint8Array): string {
  return decoder.decode(bytes);
}

const texts = new WeakMap<Uint8Array, string>();

/** {@linkcode textOf} of what is asked for again and again, and never changed. */
export function keptTextOf(bytes: Uint8Array): string {
  let text = texts.get(bytes);
  if (text === undefined) texts.set(bytes, text = textOf(bytes));
  return text;
}

/** What base64 holds, or undefined if the text is none or too short to be told from a word. */
export function heldBy(text: string): Bytes | undefined {
  if (text.length < 16 || !/^[A-Za-z0-9+/_-]+={0,2}$/.test(text)) return undefined;
  try {
    return decodeBase64(text);
  } catch {
    return undefined;
  }
}

/** Bytes by what they seem to be: JSON, DER, a note, or only bytes. */
export function mutateContent(input: Bytes, random: Random, other: () => Bytes): Bytes {
  if (input[0] === 0x7b || input[0] === 0x5b) {
    return utf8(mutateJsonText(textOf(input), random, () => textOf(other())));
  }
  if (input[0] === 0x30 && input.length > 8) return mutateDer(input, random, other);
  if (input[0] === 0x2d && textOf(input.subarray(0, 11)) === "-----BEGIN ") {
    return utf8(mutatePem(textOf(input), random, other));
  }
  return mutateBytes(input, random, other);
}

/** One change to base64: to what it holds, or to how it is written. */
export function mutateBase64(text: string, random: Random, other: () => Bytes): string {
  const held = heldBy(text);
  if (held !== undefined && !random.once(4)) {
    const changed = mutateContent(held, random, other);
    return random.once(16) ? encodeBase64Url(changed) : encodeBase64(changed);
  }
  switch (random.int(9)) {
    case 0:
      return text.replace(/=+$/, "");
    case 1:
      return text + "=";
    case 2:
      return text.replaceAll("+", "-").replaceAll("/", "_");
    case 3:
      return text.replace(/[+/]/, (digit) => digit === "+" ? "-" : "_");
    case 4:
      return text.replace(/.{64}/g, "$&\n");
    case 5:
      return ` ${text}`;
    case 6: {
      // Unused bits that are not zero.
      const end = text.replace(/=+$/, "").length;
      return text.slice(0, end - 1) + random.pick([..."ABCDQRgw159+/"]) + text.slice(end);
    }
    case 7:
      return encodeBase64(other().subarray(0, 4096));
    default:
      return mutatePlain(text, random);
  }
}

/** One change to PEM: to the DER in a block, or to the lines. */
export function mutatePem(text: string, random: Random, other: () => Bytes): string {
  const block = /(-----BEGIN [^-]*-----\r?\n)([A-Za-z0-9+/=\s]*?)(\r?\n-----END [^-]*-----)/.exec(
    text,
  );
  if (block !== null && !random.once(4)) {
    const held = heldBy(block[2].replace(/\s/g, ""));
    if (held !== undefined) {
      const base64 = encodeBase64(mutateContent(held, random, () => derOf(other())));
      const lines = base64.replace(/.{64}(?=.)/g, "$&\n");
      const start = text.slice(0, block.index) + block[1];
      return start + lines + block[3] + text.slice(block.index + block[0].length);
    }
  }
  switch (random.int(9)) {
    case 0:
      return text.replaceAll("\n", random.pick(["\r\n", "\r", " ", ""]));
    case 1:
      return text.replace(
        /(BEGIN|END) [A-Z ]+/,
        `$1 ${
          random.pick(["PUBLIC KEY", "PRIVATE KEY", "CERTIFICATE", "RSA PRIVATE KEY", "X", ""])
        }`,
      );
    case 2:
      return text.replace("-----\n", "-----\nProc-Type: 4,ENCRYPTED\n\n");
    case 3:
      return text + text;
    case 4:
      return text.replace(/-----/, "----");
    case 5:
      return `${random.pick(WORDS)}\n${text}${random.pick(WORDS)}`;
    case 6:
      return text.replace(/\n/, " ".repeat(1 + random.int(random.once(8) ? 5000 : 3)) + "\n");
    case 7:
      return text.replace(/[A-Za-z0-9+/]{20,}/, (line) => mutateBase64(line, random, other));
    default:
      return mutatePlain(text, random);
  }
}

function derOf(bytes: Bytes): Bytes {
  const body = /-----\r?\n([A-Za-z0-9+/=\s]*?)\r?\n-----END/.exec(textOf(bytes))?.[1];
  return body === undefined ? bytes : heldBy(body.replace(/\s/g, "")) ?? bytes;
}

/** One change to a signed note, or another text of lines. */
export function mutateNote(text: string, random: Random, other: () => Bytes): string {
  const lines = text.split("\n");
  const at = random.int(lines.length);
  switch (random.int(10)) {
    case 0:
      lines.splice(at, 1);
      break;
    case 1:
      lines.splice(at, 0, ...Array(random.once(8) ? 300 : 1).fill(lines[at]));
      break;
    case 2:
      lines.splice(at, 0, random.pick(WORDS));
      break;
    case 3: {
      const to = random.int(lines.length);
      [lines[at], lines[to]] = [lines[to], lines[at]];
      break;
    }
    case 4:
      lines[at] = random.pick(textOf(other()).split("\n"));
      break;
    case 5:
      lines[at] += random.pick(["\r", " ", "\t", "\u00a0", "\u2028"]);
      break;
    case 6:
      lines[at] = lines[at].replace(/\S{8,}/, (word) => mutateBase64(word, random, other));
      break;
    case 7:
      lines[at] = lines[at].replace(/^\d+$/, () => random.pick(WORDS));
      break;
    default:
      lines[at] = mutatePlain(lines[at], random);
  }
  return lines.join("\n");
}

/** One change to a token of three parts. */
export function mutateToken(text: string, random: Random, other: () => Bytes): string {
  const parts = text.split(".");
  const at = random.int(parts.length);
  switch (random.int(6)) {
    case 0:
      parts.splice(at, random.int(2), ...(random.once(2) ? [""] : [parts[at]]));
      break;
    case 1:
      parts[at] = mutatePlain(parts[at], random);
      break;
    default: {
      const held = heldBy(parts[at]);
      if (held === undefined) parts[at] = mutateBase64(parts[at], random, other);
      else parts[at] = encodeBase64Url(mutateContent(held, random, other));
    }
  }
  return parts.join(".");
}
