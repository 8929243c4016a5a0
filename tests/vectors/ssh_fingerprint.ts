import { decodeOnePem } from "../../internal/pem.ts";
import { encodeBase64 } from "../../internal/base64.ts";
import { concat, utf8 } from "../../internal/bytes.ts";

const FIELD_BYTES: Record<string, number> = { "P-256": 32, "P-384": 48, "P-521": 66 };

/** `SHA256:` key id that OpenSSH gives an ECDSA public key (RFC 4253, 6.6; RFC 5656, 3.1). */
export async function sshFingerprint(pem: string): Promise<string> {
  const { der } = decodeOnePem(pem, "PUBLIC KEY");
  for (const [curve, size] of Object.entries(FIELD_BYTES)) {
    const point = der.subarray(der.length - 2 * size - 1);
    if (point[0] !== 4 || der.length > 2 * size + 32) continue;
    const name = `nistp${curve.slice(2)}`;
    const blob = concat(
      lengthAnd(utf8(`ecdsa-sha2-${name}`)),
      lengthAnd(utf8(name)),
      lengthAnd(point),
    );
    const digest = await crypto.subtle.digest("SHA-256", blob);
    return `SHA256:${encodeBase64(new Uint8Array(digest)).replace(/=+$/, "")}`;
  }
  throw new Error("The OpenSSH key id of this kind of key is not known here");
}

function lengthAnd(bytes: Uint8Array): Uint8Array {
  const length = new Uint8Array(4);
  new DataView(length.buffer).setUint32(0, bytes.length);
  return concat(length, bytes);
}
