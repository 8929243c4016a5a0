/** GitHub, npm registries and HTTP locations as servers on this machine. Deno only. */

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { isAttestationError } from "../errors.ts";
import { createGithubSource, createHttpSource, createNpmRegistry } from "../store/mod.ts";
import type { AttestationSource } from "../store/store.ts";
import { attestation, digestOf } from "../store/_contract_test.ts";
import { integrityOf } from "./fixtures/npm.ts";

const APP = digestOf("app");
const CONTENT = attestation([APP]);
const BUNDLE = JSON.parse(new TextDecoder().decode(CONTENT));
const LIMITS = { timeoutMs: 1500, retries: 1, backoffMs: 5, maxBytes: 1 << 20 };

type Handler = (request: Request, url: URL) => Response | Promise<Response>;

/** What a server was asked. */
interface Asked {
  url: string;
  authorization: string | null;
}

/** Runs with a server on this machine; answers what it was asked. */
async function serving(
  handler: Handler,
  run: (base: string) => Promise<void>,
): Promise<Asked[]> {
  const seen: Asked[] = [];
  const server = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen: () => {} }, (request) => {
    seen.push({ url: request.url, authorization: request.headers.get("authorization") });
    return handler(request, new URL(request.url));
  });
  try {
    await run(`http://127.0.0.1:${server.addr.port}`);
  } finally {
    await server.shutdown();
  }
  return seen;
}

/** The three kinds of sources, all asking the same address. */
function sources(base: string): AttestationSource[] {
  return [
    createGithubSource({
      api: base,
      repository: "acme/app",
      token: "ghp_secret0123456",
      ...LIMITS,
    }),
    createNpmRegistry({ registry: base, token: "npm_secret0123456", ...LIMITS })
      .source({ name: "app", version: "1.0.0" }),
    createHttpSource({
      url: `${base}/app.tgz`,
      headers: { authorization: "Bearer secret0123456" },
      ...LIMITS,
    }),
  ];
}

async function reasonOf(work: Promise<unknown>): Promise<string> {
  try {
    return await work === undefined ? "not-found" : "found";
  } catch (error) {
    if (!isAttestationError(error)) throw error;
    const { cause } = error;
    return isAttestationError(cause) ? `${error.reason}: ${cause.reason}` : error.reason;
  }
}

/** A body that never ends, a byte at a time. */
function dripping(): Response {
  let timer: ReturnType<typeof setInterval> | undefined;
  const body = new ReadableStream({
    start(controller) {
      timer = setInterval(() => controller.enqueue(new Uint8Array([32])), 20);
    },
    cancel: () => clearInterval(timer),
  });
  return new Response(body, { headers: { "content-type": "application/json" } });
}

/** A body of many bytes whose length is not stated. */
function endless(): Response {
  const chunk = new Uint8Array(1 << 20).fill(32);
  return new Response(
    new ReadableStream({ pull: (controller) => controller.enqueue(chunk) }),
    { headers: { "content-type": "application/json" } },
  );
}

const ANSWERS: readonly [string, () => Response, string][] = [
  ["404", () => new Response("no", { status: 404 }), "not-found"],
  ["401", () => new Response("no", { status: 401 }), "store-unavailable: registry-access-denied"],
  ["403", () => new Response("no", { status: 403 }), "store-unavailable: registry-access-denied"],
  [
    "429 with Retry-After",
    () => new Response("", { status: 429, headers: { "retry-after": "0" } }),
    "store-unavailable: registry-rate-limited",
  ],
  ["503", () => new Response("", { status: 503 }), "store-unavailable: service-unavailable"],
  [
    "a web page",
    () => new Response("<!doctype html>", { headers: { "content-type": "text/html" } }),
    "store-unavailable: malformed-response",
  ],
  [
    "a redirect to a file",
    () => new Response(null, { status: 302, headers: { location: "file:///etc/passwd" } }),
    "store-unavailable: service-refused",
  ],
  [
    "a redirect to plain http of another machine",
    () => new Response(null, { status: 302, headers: { location: "http://192.0.2.1/x" } }),
    "store-unavailable: service-refused",
  ],
  ["a slow drip", dripping, "store-unavailable: service-unavailable"],
  ["an endless body", endless, "limit-exceeded"],
];

if ("Deno" in globalThis) {
  describe("sources over real connections", () => {
    for (const [name, answer, wanted] of ANSWERS) {
      it(`tell ${name} from absence`, async () => {
        await serving(answer, async (base) => {
          const found = await Promise.all(
            sources(base).map((source) =>
              reasonOf(source.find({ ...APP, sha512: "ab".repeat(64) }))
            ),
          );
          assert.deepEqual(found, [wanted, wanted, wanted]);
        });
      });
    }

    it("tell a server that is not there from absence", async () => {
      const listener = Deno.listen({ port: 0, hostname: "127.0.0.1" });
      const { port } = listener.addr as Deno.NetAddr;
      listener.close();
      for (const source of sources(`http://127.0.0.1:${port}`)) {
        assert.equal(
          await reasonOf(source.find(APP)),
          "store-unavailable: service-unavailable",
        );
      }
    });

    it("carry no credential to another origin", async () => {
      const others = await serving(() => new Response(CONTENT), async (other) => {
        await serving(
          (_request, { pathname }) =>
            pathname.includes("/attestations/")
              ? Response.json({ attestations: [{ bundle: null, bundle_url: `${other}/bundle` }] })
              : new Response(null, { status: 302, headers: { location: `${other}/moved` } }),
          async (base) => {
            const [github, , location] = sources(base);
            assert.equal(await reasonOf(github.find(APP)), "found");
            assert.equal(await reasonOf(location.find(APP)), "found");
          },
        );
      });
      assert.ok(others.length > 1);
      for (const { authorization } of others) assert.equal(authorization, null);
    });

    it("find what GitHub pages over, and what lies beside a download", async () => {
      const seen = await serving((request, url) => {
        if (url.pathname === "/app.tgz.sigstore.json") return new Response(CONTENT);
        if (!url.pathname.startsWith("/repos/")) return new Response("", { status: 404 });
        const page = Number(url.searchParams.get("page") ?? 1);
        const next = new URL(request.url);
        next.searchParams.set("page", String(page + 1));
        return Response.json(
          { attestations: [{ bundle: { ...BUNDLE, page } }] },
          { headers: page < 3 ? { link: `<${next.href}>; rel="next"` } : {} },
        );
      }, async (base) => {
        const [github, , location] = sources(base);
        assert.equal((await github.find(APP))?.length, 3);
        assert.equal((await location.find(APP))?.length, 1);
      });
      const urls = seen.map(({ url }) => url);
      assert.equal(new Set(urls).size, urls.length, "a request was made twice");
    });

    it("digest a tarball as it comes", async () => {
      const tarball = crypto.getRandomValues(new Uint8Array(65_536));
      const integrity = await integrityOf(tarball);
      await serving(
        (_request, { pathname }) =>
          pathname.endsWith(".tgz")
            ? new Response(tarball)
            : Response.json({ dist: { tarball: "/a.tgz", integrity } }),
        async (base) => {
          const registry = createNpmRegistry({ registry: base, ...LIMITS });
          const found = await registry.tarball({ name: "a", version: "1.0.0" });
          assert.equal(found?.size, tarball.length);
        },
      );
    });
  });
}
