/**
 * Cloudflare Worker: the provenance registry on D1, with large envelopes in R2. The handler is
 * the one that `attest serve` runs.
 */

import { compilePolicy, parsePolicy } from "@x/attest/policy";
import { createRegistry, fixedPolicy, type Registry } from "@x/attest/server";
import { type Blobs, Database } from "@x/attest/store/sql";
import { type D1Binding, d1Driver } from "@x/attest/store/sql/d1";

/** The part of Cloudflare's `R2Bucket` that is needed. */
export interface Bucket {
  /** Keeps an object; null if there is one already and `onlyIf` forbids it. */
  put(key: string, value: Uint8Array, options?: object): Promise<unknown>;
  /** An object, or null. */
  get(key: string): Promise<{ arrayBuffer(): Promise<ArrayBuffer> } | null>;
}

/** Bindings of the worker. */
export interface Env {
  /** The tables. */
  DB: D1Binding;
  /** Envelopes that are too large for a row. */
  ENVELOPES: Bucket;
  /** The policy, or a `signature-policy.json`. */
  POLICY: string;
}

let registry: Promise<Registry> | undefined;

async function open(env: Env): Promise<Registry> {
  const database = await Database.open(d1Driver(env.DB), { blobs: blobsOf(env.ENVELOPES) });
  const policy = await compilePolicy(parsePolicy(env.POLICY));
  return createRegistry({
    database,
    policy: fixedPolicy(policy),
    log: (entry) => console.log(JSON.stringify(entry)),
  });
}

/** What is named by its digest is the same whoever puts it: it is written once. */
function blobsOf(bucket: Bucket): Blobs {
  return {
    async put(id, content) {
      await bucket.put(id, content, { onlyIf: { etagDoesNotMatch: "*" } });
    },
    async get(id) {
      const object = await bucket.get(id);
      return object === null ? undefined : new Uint8Array(await object.arrayBuffer());
    },
  };
}

export default {
  async fetch(request: Request, env: Env): Promise<Response> {
    registry ??= open(env);
    try {
      const { handler } = await registry;
      return await handler(request, {
        address: request.headers.get("cf-connecting-ip") ?? "",
      });
    } catch {
      // The next request tries again.
      registry = undefined;
      return Response.json({ error: "store_unavailable" }, { status: 503 });
    }
  },
};
