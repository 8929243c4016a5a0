/**
 * Signs over HTTP with a key that its callers never see. On loopback; see README.md.
 *
 *   SIGNER_TOKEN=… SIGNER_KEY=ci.key [SIGNER_PASSPHRASE=…] [SIGNER_PORT=8750] \
 *     deno run --allow-net=127.0.0.1 --allow-env --allow-read server.ts
 */

import { importSigner, type Signer } from "@x/attest/keys";

const MAX_BODY_BYTES = 1 << 20;
const MIN_TOKEN_LENGTH = 32;

/** Answers `POST /sign`: the body is what is signed, the answer is the signature. */
export function signingHandler(
  signer: Signer,
  token: string,
): (request: Request) => Promise<Response> {
  if (token.length < MIN_TOKEN_LENGTH) {
    throw new TypeError(`The token must have at least ${MIN_TOKEN_LENGTH} characters`);
  }
  return async (request) => {
    if (new URL(request.url).pathname !== "/sign") return new Response(null, { status: 404 });
    if (request.method !== "POST") return new Response(null, { status: 405 });
    const [scheme, given = ""] = (request.headers.get("authorization") ?? "").split(" ");
    if (scheme !== "Bearer" || !await isSame(given, token)) {
      return new Response(null, { status: 401, headers: { "www-authenticate": "Bearer" } });
    }
    const data = await readBounded(request);
    if (data === undefined) return new Response(null, { status: 413 });
    return new Response(await signer.sign(data), {
      headers: { "content-type": "application/octet-stream", "cache-control": "no-store" },
    });
  };
}

/** Compares digests, so that the time tells nothing of the token. */
async function isSame(a: string, b: string): Promise<boolean> {
  const [x, y] = await Promise.all(
    [a, b].map(async (text) =>
      new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text)))
    ),
  );
  return x.reduce((difference, octet, i) => difference | (octet ^ y[i]), 0) === 0;
}

async function readBounded(request: Request): Promise<Uint8Array | undefined> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of request.body ?? []) {
    length += chunk.length;
    if (length > MAX_BODY_BYTES) return undefined;
    chunks.push(chunk);
  }
  const bytes = new Uint8Array(length);
  let at = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, at);
    at += chunk.length;
  }
  return bytes;
}

if (import.meta.main) {
  const setting = (name: string): string => {
    const value = Deno.env.get(name);
    if (value === undefined) throw new Error(`${name} is not set`);
    return value;
  };
  const signer = await importSigner(await Deno.readTextFile(setting("SIGNER_KEY")), {
    passphrase: Deno.env.get("SIGNER_PASSPHRASE"),
  });
  Deno.serve({
    hostname: "127.0.0.1",
    port: Number(Deno.env.get("SIGNER_PORT") ?? 8750),
    onListen: ({ hostname, port }) => console.log(`http://${hostname}:${port}/`),
  }, signingHandler(signer, setting("SIGNER_TOKEN")));
}
