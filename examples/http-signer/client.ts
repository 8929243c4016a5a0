/** A `Signer` whose private key is elsewhere, behind HTTP. */

import { importTrustedKey, type KeyAlgorithm, type Signer } from "@x/attest/keys";

const MAX_ANSWER_BYTES = 16_384;

/** Where the key is. */
export interface HttpSignerOptions {
  /** Address of the service; `https:`, or `http:` on this machine. */
  url: string;
  /** Bearer token. It is sent to `url` only and is in no message. */
  token: string;
  /** SubjectPublicKeyInfo PEM: what the service says and signs is checked against it. */
  publicKey: string;
  /** Algorithm of the signatures. Default: as for `importTrustedKey()`. */
  alg?: KeyAlgorithm;
  /** What its owner calls the key. */
  keyid?: string;
  /** Milliseconds for one request. Default 10 000. */
  timeoutMs?: number;
}

/**
 * Makes a `Signer` of a service. Each signature is verified before it is given on: the
 * service, or whoever stands before it, can refuse to sign but cannot give a wrong one.
 */
export async function httpSigner(options: HttpSignerOptions): Promise<Signer> {
  const { url, token, publicKey, alg, keyid, timeoutMs = 10_000 } = options;
  const address = new URL("sign", url.endsWith("/") ? url : `${url}/`);
  const local = ["127.0.0.1", "[::1]", "localhost"].includes(address.hostname);
  if (address.protocol !== "https:" && !(local && address.protocol === "http:")) {
    throw new TypeError("The signing service must be https:, or http: on this machine");
  }
  const key = await importTrustedKey(publicKey, { alg, keyid });
  return {
    alg: key.alg,
    ...(keyid === undefined ? {} : { keyid }),
    async sign(data: Uint8Array): Promise<Uint8Array<ArrayBuffer>> {
      const answer = await fetch(address, {
        method: "POST",
        headers: { authorization: `Bearer ${token}`, "content-type": "application/octet-stream" },
        body: new Uint8Array(data),
        // A token never follows a redirect.
        redirect: "manual",
        signal: AbortSignal.timeout(timeoutMs),
      });
      if (answer.status !== 200) {
        await answer.body?.cancel();
        throw new Error(`Cannot sign: the service answered ${answer.status}`);
      }
      const signature = await readBounded(answer);
      if (!await key.verify(data, signature)) {
        throw new Error("Cannot sign: the service gave a signature that is not of this key");
      }
      return signature;
    },
    publicKey: () => Promise.resolve(key.spki.slice()),
  };
}

async function readBounded(answer: Response): Promise<Uint8Array<ArrayBuffer>> {
  const bytes = new Uint8Array(MAX_ANSWER_BYTES);
  let length = 0;
  for await (const chunk of answer.body ?? []) {
    if (length + chunk.length > bytes.length) {
      throw new Error("Cannot sign: the answer of the service is too long");
    }
    bytes.set(chunk, length);
    length += chunk.length;
  }
  return bytes.slice(0, length);
}
