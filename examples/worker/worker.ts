/**
 * Cloudflare Worker: `POST /verify` with an attestation, the digest of an artifact and whom
 * to expect, answered by the report of `verify()`: 200 when it passed, 422 when not.
 */

import { AttestationError, verify, type VerifyOptions } from "@x/attest";
import { importTrustedKey } from "@x/attest/keys";
import { parseTrustedRoot } from "@x/attest/sigstore";

/** Bindings of the worker. */
export interface Env {
  /** A `trusted_root.json` to believe besides the public-good Sigstore instance. */
  TRUSTED_ROOT?: string;
  /** A public key to believe, PEM. */
  PUBLIC_KEY?: string;
}

/** Body of the request. */
export interface VerifyRequest {
  /** Sigstore bundle or DSSE envelope: JSON, or its text. */
  attestation: object | string;
  /** Digests of the artifact, such as `{ "sha256": "…" }`. */
  digest: Record<string, string>;
  /** Whom a keyless attestation must come from. */
  identity?: NonNullable<VerifyOptions["expect"]>["identity"];
  /** What the attestation must be about. */
  predicateType?: string;
}

const MAX_BODY_BYTES = 4 << 20;

export default {
  async fetch(request: Request, env: Env): Promise<Response> {
    if (new URL(request.url).pathname !== "/verify") return problem(404, "Not found: POST /verify");
    if (request.method !== "POST") return problem(405, "Not allowed: POST /verify");
    try {
      const body = await readText(request);
      if (body === undefined) return problem(413, `Too large: at most ${MAX_BODY_BYTES} bytes`);
      const { attestation, digest, identity, predicateType }: VerifyRequest = JSON.parse(body);
      const report = await verify(attestation, { digest }, {
        trust: {
          keys: env.PUBLIC_KEY ? [await importTrustedKey(env.PUBLIC_KEY)] : [],
          trustedRoots: env.TRUSTED_ROOT ? [parseTrustedRoot(env.TRUSTED_ROOT)] : [],
        },
        expect: { ...(identity ? { identity } : {}), ...(predicateType ? { predicateType } : {}) },
      });
      return Response.json(report, { status: report.ok ? 200 : 422 });
    } catch (error) {
      if (error instanceof AttestationError) return problem(400, error.message, error.reason);
      if (
        error instanceof TypeError || error instanceof SyntaxError || error instanceof RangeError
      ) {
        return problem(400, error.message);
      }
      throw error;
    }
  },
};

/** The body, or undefined if it is larger than what is read at most. */
async function readText(request: Request): Promise<string | undefined> {
  const decoder = new TextDecoder("utf-8", { fatal: true });
  let text = "";
  let bytes = 0;
  for await (const chunk of request.body ?? []) {
    bytes += chunk.length;
    // Read to its end without being kept: a caller who still sends hears no answer.
    if (bytes <= MAX_BODY_BYTES) text += decoder.decode(chunk, { stream: true });
  }
  return bytes <= MAX_BODY_BYTES ? text + decoder.decode() : undefined;
}

function problem(status: number, message: string, errorReason = "usage"): Response {
  return Response.json({ ok: false, errorReason, message }, { status });
}
