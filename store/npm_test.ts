import {
  deepStrictEqual as deepEqual,
  ok,
  rejects,
  strictEqual as equal,
  throws,
} from "node:assert/strict";
import { describe, test } from "node:test";
import type { AttestationError } from "../errors.ts";
import { encodeBase64 } from "../internal/base64.ts";
import { utf8 } from "../internal/bytes.ts";
import { digest } from "../internal/digest.ts";
import { encodeHex } from "../internal/hex.ts";
import { attestation, refused } from "./_contract_test.ts";
import { FAILURES, type Handler, QUICK, serve } from "./_server_test.ts";
import { createNpmRegistry, type NpmRegistryOptions } from "./npm.ts";

const REGISTRY = "https://registry.example/npm";
const APP = { name: "@acme/app", version: "1.0.0+x" };
const TARBALL = utf8("a tarball");
const SHA512 = await digest("SHA-512", TARBALL);
const INTEGRITY = `sha512-${encodeBase64(SHA512)}`;
const AT = `${REGISTRY}/@acme/app/-/app-1.0.0.tgz`;

function registry(handler: Handler, more: Partial<NpmRegistryOptions> = {}) {
  const server = serve(handler);
  const options = { registry: `${REGISTRY}/`, fetch: server.fetch, ...QUICK, ...more };
  return { server, registry: createNpmRegistry(options) };
}

function serving(dist: unknown, tarball: () => Response = () => new Response(TARBALL)): Handler {
  return ({ url }) => url.pathname.endsWith(".tgz") ? tarball() : Response.json({ dist });
}

test("createNpmRegistry() digests the tarball of a version, and compares it", async () => {
  const { registry: one, server } = registry(serving({ tarball: AT, integrity: INTEGRITY }));
  deepEqual(await one.tarball(APP), { sha512: encodeHex(SHA512), size: TARBALL.length, url: AT });
  deepEqual(server.seen.map(({ url }) => url.pathname), [
    "/npm/@acme%2fapp/1.0.0%2Bx",
    "/npm/@acme/app/-/app-1.0.0.tgz",
  ]);
});

test("createNpmRegistry() refuses a tarball that is not what the registry says", async () => {
  const bad: [string, unknown, (() => Response)?][] = [
    ["integrity-mismatch", { tarball: AT, integrity: INTEGRITY }, () => new Response("another")],
    ["missing-integrity", { tarball: AT }],
    ["missing-integrity", { tarball: AT, integrity: "sha1-xxx" }],
    ["missing-integrity", { tarball: AT, integrity: `${INTEGRITY} sha512-${"A".repeat(86)}==` }],
    ["store-unavailable", { integrity: INTEGRITY }],
    ["store-unavailable", undefined],
    ["store-unavailable", { tarball: "http://evil.example/x.tgz", integrity: INTEGRITY }],
    ["store-unavailable", { tarball: "file:///etc/passwd.tgz", integrity: INTEGRITY }],
    [
      "store-unavailable",
      { tarball: AT, integrity: INTEGRITY },
      () => new Response("", { status: 404 }),
    ],
  ];
  for (const [reason, dist, tarball] of bad) {
    const { registry: one } = registry(serving(dist, tarball));
    await refused(reason as "integrity-mismatch", () => one.tarball(APP));
  }
  const { registry: small } = registry(serving({ tarball: AT, integrity: INTEGRITY }), {
    maxTarballBytes: TARBALL.length - 1,
  });
  await refused("limit-exceeded", () => small.tarball(APP));
});

test("createNpmRegistry() gives its token to the registry, and to no other origin", async () => {
  const { registry: one, server } = registry(
    serving({ tarball: "https://cdn.example/app.tgz", integrity: INTEGRITY }),
    { token: "npm_0123456789abcdef" },
  );
  await one.tarball(APP);
  await one.attestations(APP);
  equal(server.seen.length, 3);
  for (const { url, headers } of server.seen) {
    equal(headers.has("authorization"), url.origin === "https://registry.example", url.href);
  }
});

test("createNpmRegistry() answers undefined for what the registry does not have", async () => {
  const { registry: one, server } = registry(() => new Response("{}", { status: 404 }));
  equal(await one.tarball(APP), undefined);
  equal(await one.attestations(APP), undefined);
  equal(await one.source(APP).find({ sha512: encodeHex(SHA512) }), undefined);
  equal(server.seen[1].url.pathname, "/npm/-/npm/v1/attestations/@acme%2fapp@1.0.0%2Bx");
});

test("createNpmRegistry() finds attestations by the digest of the tarball", async () => {
  const subject = { sha512: encodeHex(SHA512) };
  const bundle = (note: string, digest: Record<string, string> = subject) => ({
    predicateType: "x",
    bundle: JSON.parse(new TextDecoder().decode(attestation([digest], note))),
  });
  const { registry: one } = registry(() =>
    Response.json({
      attestations: [bundle("1"), bundle("2"), bundle("3", { sha512: "ab".repeat(64) })],
    })
  );
  const found = await one.source(APP).find(subject);
  deepEqual(found?.map(({ source }) => source), [
    "npm:@acme/app@1.0.0+x#1",
    "npm:@acme/app@1.0.0+x#2",
  ]);
  const { registry: odd } = registry(() => new Response('{"attestations":[{"bundle":{}}]}'));
  await refused("store-unavailable", () => odd.source(APP).find(subject));
});

describe("createNpmRegistry() takes for a failure, never for absence:", () => {
  for (const [name, reason, answer] of FAILURES) {
    test(name, async () => {
      const { registry: one } = registry(answer, { token: "npm_0123456789abcdef" });
      for (const work of [() => one.tarball(APP), () => one.attestations(APP)]) {
        await rejects(work, (error: AttestationError) => {
          deepEqual([error.reason, (error.cause as AttestationError).reason], [
            "store-unavailable",
            reason,
          ]);
          ok(!`${error.message}${(error.cause as Error).message}`.includes("npm_"));
          return true;
        });
      }
    });
  }
  test("a tarball that drips", async () => {
    const drip = FAILURES.find(([name]) => name === "a body that drips")![2] as () => Response;
    const { registry: one } = registry(serving({ tarball: AT, integrity: INTEGRITY }, drip));
    await rejects(() => one.tarball(APP), { reason: "store-unavailable" });
  });
});

test("createNpmRegistry() takes its signal of each question, and bounds an answer", async () => {
  const signal = AbortSignal.abort(new Error("enough"));
  const { registry: one, server } = registry(() => new Response("{}"));
  await rejects(() => one.tarball(APP, { signal }), /enough/);
  await rejects(() => one.attestations(APP, { signal }), /enough/);
  equal(server.seen.length, 0);
  const { registry: small } = registry(() => new Response("x".repeat(11)), { maxBytes: 10 });
  await refused("limit-exceeded", () => small.attestations(APP));
});

test("createNpmRegistry() refuses wrong options, and names that are none", async () => {
  for (
    const address of ["", "registry.example", "ftp://registry.example", "https://r.example/?a"]
  ) {
    throws(() => createNpmRegistry({ registry: address }), TypeError);
  }
  throws(() => createNpmRegistry({ registry: REGISTRY, tokn: "x" } as never), TypeError);
  throws(() => createNpmRegistry({ registry: REGISTRY, maxTarballBytes: 0 }), RangeError);
  const { registry: one, server } = registry(() => new Response("{}"));
  for (const name of ["../x", "a/b/c", "@a", "..", "a?b", ""]) {
    await rejects(() => one.tarball({ name, version: "1.0.0" }), TypeError);
  }
  for (const version of ["latest", "1.0", "^1.0.0", "1.0.0/../x"]) {
    await rejects(() => one.attestations({ name: "a", version }), TypeError);
  }
  equal(server.seen.length, 0);
});
