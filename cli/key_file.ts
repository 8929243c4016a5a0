import { isObject, parseJson } from "../internal/json.ts";
import type { KeyAlgorithm } from "../keys/algorithm.ts";
import { importTrustedKey, type TrustedKey } from "../keys/trusted_key.ts";

/** Tells a file of OpenPGP keys by its armor, or by its first packet: of a public or private key. */
export function isOpenPgpKey(bytes: Uint8Array): boolean {
  const [first] = bytes;
  const tag = (first & 0x40) === 0 ? first >> 2 & 15 : first & 63;
  return (first & 0x80) !== 0
    ? tag === 5 || tag === 6
    : /^\s*-----BEGIN PGP /.test(new TextDecoder().decode(bytes.subarray(0, 256)));
}

/**
 * A public key as its file has it: PEM or JWK, or a key of minisign, signify, PASETO, in-toto
 * or signed notes, each told by its own mark.
 */
export async function importKeyFile(
  text: string,
  name: string,
  alg: KeyAlgorithm | undefined,
): Promise<TrustedKey> {
  const line = text.trim();
  if (alg === undefined) {
    if (/^untrusted comment: |^RW[A-Za-z0-9+/]{54}$/.test(line)) {
      return await (await import("../formats/minisign.ts"))
        .importMinisignKey(text, name);
    }
    if (/^k[0-9]+\.[a-z-]+\./.test(line)) {
      return await (await import("../formats/paseto.ts"))
        .importPaserk(line, name);
    }
    if (/^[^\s+{]+\+[0-9a-f]{8}\+[A-Za-z0-9+/=]+$/.test(line)) {
      return await (await import("../formats/signed_note.ts")).importNoteKey(line, name);
    }
    if (line.startsWith("{") && line.includes('"keytype"')) {
      const value = parseJson(line);
      if (isObject(value) && "keytype" in value) {
        return await (await import("../formats/in_toto_metablock.ts")).importInTotoKey(value, name);
      }
    }
  }
  return await importTrustedKey(text, alg === undefined ? { name } : { name, alg });
}
