import { type Bytes, concat, utf8 } from "../../internal/bytes.ts";
import { encodeBase64 } from "../../internal/base64.ts";
import { sha256Of, type TestKey } from "./keys.ts";

/** Type octet of an Ed25519 key in a key id. */
export const ED25519_NOTE = 0x01;

/** Type octet of a timestamped cosignature in a key id. */
export const COSIGNATURE = 0x04;

/** Raw 32 bytes of an Ed25519 public key. */
export function rawEd25519(key: TestKey): Bytes {
  return key.spki.slice(-32);
}

/** Untruncated key id of a signed note (C2SP signed-note). */
export function noteKeyId(name: string, key: TestKey, type = ED25519_NOTE): Bytes {
  if (key.algorithm !== "Ed25519") return sha256Of(key.spki);
  return sha256Of(concat(utf8(`${name}\n`), Uint8Array.of(type), rawEd25519(key)));
}

/** Text of a checkpoint (C2SP tlog-checkpoint) with its final newline. */
export function checkpointText(
  origin: string,
  size: number,
  root: Uint8Array,
  extensions: string[] = [],
): string {
  return [origin, String(size), encodeBase64(root), ...extensions].map((line) => `${line}\n`)
    .join("");
}

/** Signature line of a log over a checkpoint. */
export async function logSignature(text: string, name: string, key: TestKey): Promise<string> {
  return signatureLine(name, noteKeyId(name, key), await key.sign(utf8(text)));
}

/** Signature line of a witness: time and Ed25519 over the time and the text. */
export async function cosignature(
  text: string,
  { name, key, time }: { name: string; key: TestKey; time: Date },
): Promise<string> {
  const seconds = Math.floor(time.getTime() / 1000);
  const stamp = new Uint8Array(8);
  new DataView(stamp.buffer).setBigUint64(0, BigInt(seconds));
  const signature = await key.sign(utf8(`cosignature/v1\ntime ${seconds}\n${text}`));
  return signatureLine(name, noteKeyId(name, key, COSIGNATURE), concat(stamp, signature));
}

/** `— name base64(first four octets of the key id, signature)`. */
export function signatureLine(name: string, keyId: Uint8Array, signature: Uint8Array): string {
  return `\u2014 ${name} ${encodeBase64(concat(keyId.subarray(0, 4), signature))}\n`;
}

/** A checkpoint with its signature lines. */
export function signedNote(text: string, lines: string[]): string {
  return `${text}\n${lines.join("")}`;
}
