import { AttestationError } from "../errors.ts";
import type { Bytes } from "../internal/bytes.ts";
import { decodeUtf8 } from "../internal/json.ts";

const MAX_BYTES = 4096;
const INTERRUPT = 3;
const END = 4;
const BACKSPACE = 8;
const NEWLINE = 10;
const RETURN = 13;
const ERASE_LINE = 21;
const DELETE = 127;

/** A line that is typed at a terminal which echoes nothing and hands on every key. */
export class SecretLine {
  #bytes: number[] = [];

  /**
   * Takes what was typed.
   *
   * @returns The line and what was typed after it, or undefined while it has no end.
   * @throws {AttestationError} `aborted` (Ctrl-C, or Ctrl-D on an empty line),
   * `limit-exceeded`, `invalid-unicode`.
   */
  feed(typed: Uint8Array): { line: string; rest: Bytes } | undefined {
    for (const [i, byte] of typed.entries()) {
      if (byte === INTERRUPT || (byte === END && this.#bytes.length === 0)) {
        throw new AttestationError("aborted", "Cannot read passphrase: the input was interrupted");
      }
      if (byte === NEWLINE || byte === RETURN || byte === END) {
        const line = decodeUtf8(new Uint8Array(this.#bytes));
        this.#bytes = [];
        return { line, rest: typed.slice(i + 1) };
      }
      if (byte === BACKSPACE || byte === DELETE) this.#eraseCharacter();
      else if (byte === ERASE_LINE) this.#bytes = [];
      else this.#bytes.push(byte);
      if (this.#bytes.length > MAX_BYTES) {
        throw new AttestationError(
          "limit-exceeded",
          `Cannot read passphrase: more than ${MAX_BYTES} bytes`,
        );
      }
    }
  }

  #eraseCharacter(): void {
    // The octets after the first of a character begin with the bits 10.
    while ((this.#bytes.at(-1) ?? 0) >> 6 === 2) this.#bytes.pop();
    this.#bytes.pop();
  }
}

/** The refusal where nobody can be asked. */
export function noTerminal(): AttestationError {
  return new AttestationError(
    "missing-passphrase",
    "Cannot ask for a passphrase: standard input is no terminal",
  );
}
