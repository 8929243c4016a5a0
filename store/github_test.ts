import {
  deepStrictEqual as deepEqual,
  ok,
  rejects,
  strictEqual as equal,
  throws,
} from "node:assert/strict";
import { describe, test } from "node:test";
import type { AttestationError } from "../errors.ts";
import { concat } from "../internal/bytes.ts";
import { attestation, digestOf, refused } from "./_contract_test.ts";
import { FAILURES, type Handler, QUICK, serve } from "./_server_test.ts";
import { createGithubSource, type GithubSourceOptions } from "./github.ts";
import type { StoreNote } from "./store.ts";

const APP = digestOf("app");
const API = "https://api.example";
const PATH = `/repos/acme/app/attestations/sha256:${APP.sha256}`;

const bundle = (note: string, subject = APP) =>
  JSON.parse(new TextDecoder().decode(attestation([subject], note)));

function github(handler: Handler, more: Partial<GithubSourceOptions> = {}) {
  const server = serve(handler);
  const source = createGithubSource({
    api: API,
    repository: "acme/app",
    fetch: server.fetch,
    ...QUICK,
    ...more,
  });
  return { source, server };
}

/** A block of Snappy that compresses nothing. */
function snappy(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  const { length } = bytes;
  // A length of two bytes: from 128 to 16 383.
  const varint = [length & 127 | 128, length >> 7];
  const size = [length - 1 & 255, length - 1 >> 8 & 255, length - 1 >> 16];
  return concat(new Uint8Array([...varint, 62 << 2, ...size]), bytes);
}

test("createGithubSource() asks for the digest, with its version of the API and the token", async () => {
  for (
    const [more, path] of [
      [{}, PATH],
      [
        { repository: undefined, organization: "acme" },
        PATH.replace("repos/acme/app", "orgs/acme"),
      ],
      [{ repository: undefined, user: "acme" }, PATH.replace("repos/acme/app", "users/acme")],
      [{ api: `${API}/api/v3/` }, `/api/v3${PATH}`],
    ] as const
  ) {
    const answer = { attestations: [{ bundle: bundle("1") }, { bundle: bundle("2") }] };
    const given = Object.fromEntries(
      Object.entries(more).filter(([, value]) => value !== undefined),
    );
    const server = serve(() => Response.json(answer));
    const source = createGithubSource({
      api: API,
      ...("organization" in more || "user" in more ? {} : { repository: "acme/app" }),
      token: "ghp_0123456789abcdef",
      fetch: server.fetch,
      ...given,
    });
    equal((await source.find(APP))?.length, 2);
    equal(server.seen.length, 1);
    const [{ url, headers }] = server.seen;
    deepEqual([url.pathname, url.search], [path, "?per_page=100"]);
    equal(headers.get("authorization"), "Bearer ghp_0123456789abcdef");
    equal(headers.get("x-github-api-version"), "2022-11-28");
  }
});

test("createGithubSource() needs no token, and filters by predicate type on request", async () => {
  const { source, server } = github(() => Response.json({ attestations: [] }), {
    predicateType: "https://slsa.dev/provenance/v1",
  });
  equal(await source.find(APP), undefined);
  equal(server.seen[0].headers.has("authorization"), false);
  equal(server.seen[0].url.searchParams.get("predicate_type"), "https://slsa.dev/provenance/v1");
});

test("createGithubSource() takes 404 for none", async () => {
  const { source } = github(() => Response.json({ message: "Not Found" }, { status: 404 }));
  equal(await source.find(APP), undefined);
});

test("createGithubSource() follows its pages, and no others", async () => {
  const paged = (link: string) => (name: string) =>
    github(({ url }) => {
      const page = url.searchParams.get("after") ?? "1";
      const headers: HeadersInit = page === "3" ? {} : { link: link.replace("N", `${+page + 1}`) };
      return Response.json({ attestations: [{ bundle: bundle(`${name} ${page}`) }] }, { headers });
    });
  const good = paged(`<${API}${PATH}?after=N>; rel="next", <${API}${PATH}>; rel="prev"`)("a");
  equal((await good.source.find(APP))?.length, 3);
  equal(good.server.seen.length, 3);
  for (
    const link of [
      `<https://evil.example${PATH}?after=N>; rel="next"`,
      `<${API}/user/repos?after=N>; rel="next"`,
      `<${API}${PATH}?per_page=100>; rel="next"`,
      '<https://[x>; rel="next"',
    ]
  ) {
    const { source, server } = paged(link)("b");
    await refused("store-unavailable", () => source.find(APP));
    ok(server.seen.length <= 2);
    ok(server.seen.every(({ url }) => url.origin === API));
  }
});

test("createGithubSource() bounds its pages, and what one holds", async () => {
  let page = 0;
  const endless = github(() => {
    const headers = { link: `<${API}${PATH}?after=${++page}>; rel="next"` };
    return Response.json({ attestations: [] }, { headers });
  }, { maxPages: 4 });
  await refused("limit-exceeded", () => endless.source.find(APP));
  equal(endless.server.seen.length, 4);
  const many = { attestations: Array.from({ length: 101 }, () => ({ bundle: bundle("x") })) };
  await refused("store-unavailable", () => github(() => Response.json(many)).source.find(APP));
  const large = () => new Response(new Uint8Array(2000).fill(32));
  await refused("limit-exceeded", () => github(large, { maxBytes: 1000 }).source.find(APP));
});

test("createGithubSource() fetches bundles that are kept apart, without the token", async () => {
  const content = attestation([APP], "apart");
  const { source, server } = github(({ url }) => {
    if (url.origin === API) {
      return Response.json({
        attestations: ["plain", "snappy", "moved"].map((name) => ({
          bundle: null,
          bundle_url: `https://blobs.example/${name}?sig=secret0123456789`,
        })),
      });
    }
    if (url.pathname === "/moved") {
      return new Response(null, { status: 307, headers: { location: "https://far.example/x" } });
    }
    return new Response(url.pathname === "/plain" ? content : snappy(content));
  }, { token: "ghp_0123456789abcdef" });
  const found = await source.find(APP);
  deepEqual(found?.map(({ content }) => content.length), [content.length]);
  ok(!found![0].source.includes("secret"));
  equal(server.seen.length, 5);
  for (const { url, headers } of server.seen) {
    equal(headers.has("authorization"), url.origin === API);
  }
});

test("createGithubSource() refuses bundles that cannot be had, each with its cause", async () => {
  const at = (address: string, answer: () => Response) =>
    github(({ url }) =>
      url.origin === API
        ? Response.json({ attestations: [{ bundle: null, bundle_url: address }] })
        : answer()
    ).source;
  const cases: [string, string, () => Response][] = [
    ["http://blobs.example/x", "service-refused", () => new Response("{}")],
    ["file:///etc/passwd", "service-refused", () => new Response("{}")],
    ["no address", "service-refused", () => new Response("{}")],
    ["https://u:p@blobs.example/x", "service-refused", () => new Response("{}")],
    ["https://blobs.example/x", "malformed-response", () => new Response("no Snappy at all")],
    ["https://blobs.example/x", "service-refused", () => new Response("", { status: 404 })],
    ["https://blobs.example/x", "malformed-response", () => new Response("<html>")],
  ];
  for (const [address, reason, answer] of cases) {
    await rejects(() => at(address, answer).find(APP), (error: AttestationError) => {
      equal(error.reason, "store-unavailable");
      equal((error.cause as AttestationError).reason, reason, address);
      return true;
    });
  }
  const bomb = () => new Response(new Uint8Array([0xff, 0xff, 0xff, 0xff, 0x0f, 0, 97]));
  await refused("limit-exceeded", () => at("https://blobs.example/x", bomb).find(APP));
});

test("createGithubSource() leaves out what is about something else, and what is no bundle", async () => {
  const { source } = github(() =>
    Response.json({
      attestations: [
        { bundle: bundle("1", digestOf("other")) },
        { bundle: { mediaType: "x" } },
        { bundle: null },
        { bundle: bundle("2") },
      ],
    })
  );
  const notes: StoreNote[] = [];
  const found = await source.find(APP, { onNote: (note) => notes.push(note) });
  equal(found?.length, 1);
  deepEqual(notes.map(({ reason }) => reason).sort(), [
    "malformed-response",
    "subject-mismatch",
    "unknown-format",
  ]);
});

describe("createGithubSource() takes for a failure, never for absence:", () => {
  for (const [name, reason, answer] of FAILURES) {
    test(name, async () => {
      const { source } = github(answer, { token: "ghp_0123456789abcdef" });
      await rejects(() => source.find(APP), (error: AttestationError) => {
        deepEqual([error.reason, (error.cause as AttestationError).reason], [
          "store-unavailable",
          reason,
        ]);
        ok(!`${error.message}${(error.cause as Error).message}`.includes("ghp_"));
        return true;
      });
    });
  }
  for (const answer of ["[]", "{}", '{"attestations":{}}', '{"attestations":[1]}', "{"]) {
    test(answer, async () => {
      const { source } = github(() => new Response(answer));
      await refused("store-unavailable", () => source.find(APP));
    });
  }
});

test("createGithubSource() asks by sha512 too, and says of other digests that it cannot", async () => {
  const { source, server } = github(() => Response.json({ attestations: [] }));
  equal(await source.find({ sha512: "ab".repeat(64) }), undefined);
  ok(server.seen[0].url.pathname.endsWith(`/sha512:${"ab".repeat(64)}`));
  await refused("store-unavailable", () => source.find({ gitCommit: "ab".repeat(20) }));
});

test("createGithubSource() stops when it is told, with the reason of the signal", async () => {
  const controller = new AbortController();
  const { source } = github(() => {
    controller.abort(new Error("enough"));
    return Promise.reject(controller.signal.reason);
  });
  await rejects(() => source.find(APP, { signal: controller.signal }), /enough/);
});

test("createGithubSource() has a name, and takes its signal of each question", async () => {
  const signal = AbortSignal.abort(new Error("enough"));
  const { source, server } = github(() => Response.json({ attestations: [] }), { name: "ours" });
  equal(source.name, "ours");
  await rejects(() => source.find(APP, { signal }), /enough/);
  equal(server.seen.length, 0);
});

test("createGithubSource() refuses wrong options", () => {
  const make = (options: object) => () => createGithubSource({ api: API, ...options });
  throws(make({}), TypeError);
  throws(make({ repository: "acme/app", user: "acme" }), TypeError);
  for (const repository of ["acme", "acme/app/x", "../x", "acme/..", "a b/c", "acme/a?b", ""]) {
    throws(make({ repository }), TypeError, repository);
  }
  for (const user of ["-a", "a/b", "..", "a?b"]) throws(make({ user }), TypeError);
  throws(make({ user: "a", tokn: "x" }), TypeError);
  throws(make({ user: "a", api: "api.example" }), TypeError);
  throws(make({ user: "a", api: "https://u:p@api.example" }), TypeError);
  throws(make({ user: "a", api: "https://api.example/?x" }), TypeError);
  throws(make({ user: "a", maxPages: 0 }), RangeError);
});
