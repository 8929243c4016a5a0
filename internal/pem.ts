import { AttestationError } from "../errors.ts";
import { decodeBase64, encodeBase64 } from "./base64.ts";
import type { Bytes } from "./bytes.ts";

/** One block of a PEM text. */
export interface PemBlock {
  /** What stands between `BEGIN` and the dashes, such as `PUBLIC KEY`. */
  label: string;
  der: Bytes;
}

const BLOCK =
  /^-----BEGIN ([A-Z0-9 ]{1,64})-----[ \t]*\r?\n([^-]*?)^-----END ([A-Z0-9 ]{1,64})-----[ \t]*\r?$/gm;

/**
 * All blocks of a PEM text (RFC 7468). Text outside the blocks is ignored, as the RFC
 * allows; inside only base64 in lines. Headers (RFC 1421) are refused, and so is a text
 * with a BEGIN or END that belongs to no block: a damaged block must not go unnoticed.
 */
export function decodePem(text: string, maxBlocks = 64): PemBlock[] {
  const blocks: PemBlock[] = [];
  for (const [, label, body, end] of text.matchAll(BLOCK)) {
    if (label !== end) throw malformed(`BEGIN ${label} is closed by END ${end}`);
    if (blocks.length >= maxBlocks) {
      throw new AttestationError(
        "limit-exceeded",
        `Cannot read PEM: more than ${maxBlocks} blocks`,
      );
    }
    try {
      // The look-behind starts a run of blanks once: without it a long one costs its square.
      const base64 = body.replace(/(?<![ \t])[ \t]*\r?\n/g, "");
      blocks.push({
        label,
        der: decodeBase64(base64, { alphabet: "standard", padding: "required" }),
      });
    } catch (cause) {
      throw new AttestationError("malformed-pem", `Cannot read PEM: ${label} is not base64`, {
        cause,
      });
    }
  }
  if (blocks.length === 0) throw malformed("no block between BEGIN and END lines");
  if (text.split(/-----(?:BEGIN|END) /).length - 1 !== 2 * blocks.length) {
    throw malformed("a BEGIN or END line that belongs to no block");
  }
  return blocks;
}

/** The one block of a PEM text with one of the labels. */
export function decodeOnePem(text: string, ...labels: string[]): PemBlock {
  const blocks = decodePem(text);
  if (blocks.length !== 1) throw malformed(`${blocks.length} blocks, wanted one`);
  if (!labels.includes(blocks[0].label)) {
    throw malformed(`found ${blocks[0].label}, wanted ${labels.join(" or ")}`);
  }
  return blocks[0];
}

/** PEM text of one block, in lines of 64 characters. */
export function encodePem(label: string, der: Uint8Array): string {
  const lines = encodeBase64(der).replace(/.{64}(?=.)/g, "$&\n");
  return `-----BEGIN ${label}-----\n${lines}\n-----END ${label}-----\n`;
}

function malformed(what: string): AttestationError {
  return new AttestationError("malformed-pem", `Cannot read PEM: ${what}`);
}
