import {
  deepStrictEqual as deepEqual,
  ok,
  rejects,
  strictEqual as equal,
  throws,
} from "node:assert/strict";
import { describe, test } from "node:test";
import type { AttestationError } from "../errors.ts";
import { attestation, digestOf, refused } from "./_contract_test.ts";
import { FAILURES, type Handler, QUICK, serve } from "./_server_test.ts";
import { ATTESTATION_SUFFIXES } from "./file_names.ts";
import { createHttpSource, type HttpSourceOptions } from "./http.ts";
import type { StoreNote } from "./store.ts";

const APP = digestOf("app");
const URL_ = "https://downloads.example/1.0/app.tgz";
const NONE = () => new Response("nothing", { status: 404 });

function source(handler: Handler, more: Partial<HttpSourceOptions> = {}) {
  const server = serve(handler);
  return {
    server,
    source: createHttpSource({ url: URL_, fetch: server.fetch, ...QUICK, ...more }),
  };
}

function only(path: string, body: BodyInit, headers: HeadersInit = {}): Handler {
  return ({ url }) => url.pathname === path ? new Response(body, { headers }) : NONE();
}

test("createHttpSource() looks beside an artifact, by every name that attestations have", async () => {
  const { source: none, server } = source(NONE);
  equal(await none.find(APP), undefined);
  deepEqual(
    server.seen.map(({ url }) => url.href).sort(),
    [
      ...ATTESTATION_SUFFIXES.map((suffix) => `${URL_}${suffix}`),
      `https://downloads.example/1.0/sha256-${APP.sha256}.jsonl`,
    ].sort(),
  );
  for (const { url } of server.seen) {
    const { source: one } = source(only(url.pathname, attestation([APP])));
    equal((await one.find(APP))?.length, 1);
  }
  const { source: gone } = source(() => new Response("", { status: 410 }));
  equal(await gone.find(APP), undefined);
});

test("createHttpSource() looks in a folder by the name of the artifact", async () => {
  const url = "https://downloads.example/1.0/?sv=1";
  const { source: folder, server } = source(NONE, { url });
  await folder.find(APP, { name: "my app#1.tgz" });
  ok(
    server.seen.some((one) =>
      one.url.href === "https://downloads.example/1.0/my%20app%231.tgz.sigstore.json?sv=1"
    ),
  );
  for (const name of ["..", "../x", "a/b", "a\\b", "."]) {
    const { source: one, server } = source(NONE, { url });
    await one.find(APP, { name });
    deepEqual(server.seen.map(({ url }) => url.pathname), [`/1.0/sha256-${APP.sha256}.jsonl`]);
  }
});

test("createHttpSource() reads one file: an attestation, a list, or one a line", async () => {
  const [one, two] = ["1", "2"].map((note) => new TextDecoder().decode(attestation([APP], note)));
  const cases: [string, number][] = [
    [one, 1],
    [`${one}\n`, 1],
    [`${one}\n${two}\n`, 2],
    [`no JSON\n${one}\r\n\n${two}`, 2],
    [`[${one},${two}]`, 2],
    [`{"attestations":[{"bundle":${one},"bundle_url":""},{"bundle":${two}}]}`, 2],
    [`{"attestations":[{"predicateType":"x","bundle":${one}}]}`, 1],
  ];
  for (const [text, count] of cases) {
    const url = "https://downloads.example/all.jsonl";
    const { source: file, server } = source(only("/all.jsonl", text), { url });
    const found = await file.find(APP);
    equal(found?.length, count, text);
    equal(server.seen.length, 1);
    ok(found!.every(({ source }) => source.startsWith(url)));
  }
});

test("createHttpSource() leaves out what is no attestation, and what is about something else", async () => {
  const text = "plain text, as a server may have under any name";
  for (
    const [body, reason] of [
      [text, "malformed-json"],
      ["{}", "unknown-format"],
      [attestation([digestOf("other")]), "subject-mismatch"],
    ] as const
  ) {
    const { source: one } = source(only("/1.0/app.tgz.sigstore.json", body));
    const notes: StoreNote[] = [];
    equal(await one.find(APP, { onNote: (note) => notes.push(note) }), undefined);
    deepEqual(notes.map(({ reason }) => reason), [reason]);
  }
});

test("createHttpSource() sends its headers to the origin that was named, and to no other", async () => {
  const { source: one, server } = source(({ url }) => {
    if (url.pathname.endsWith(".sigstore.json") && url.origin === "https://downloads.example") {
      const location = "https://cdn.example/signed?x=1";
      return new Response(null, { status: 302, headers: { location } });
    }
    return url.origin === "https://cdn.example" ? new Response(attestation([APP])) : NONE();
  }, { headers: { authorization: "Bearer 0123456789abcdef", cookie: "a=b" } });
  equal((await one.find(APP))?.length, 1);
  for (const { url, headers } of server.seen) {
    const isOwn = url.origin === "https://downloads.example";
    deepEqual([headers.has("authorization"), headers.has("cookie")], [isOwn, isOwn], url.href);
  }
  equal(server.seen.filter(({ url }) => url.origin === "https://cdn.example").length, 1);
});

test("createHttpSource() ends a redirect that goes in circles", async () => {
  const { source: one, server } = source(({ url }) =>
    new Response(null, { status: 302, headers: { location: url.href } })
  );
  await refused("store-unavailable", () => one.find(APP));
  ok(server.seen.length <= 4 * 2 * 6, `${server.seen.length} requests`);
});

test("createHttpSource() bounds what it reads", async () => {
  const large = source(only("/1.0/app.tgz.sigstore.json", "x".repeat(1001)), { maxBytes: 1000 });
  await refused("limit-exceeded", () => large.source.find(APP));
  const stated = source(() => new Response("", { headers: { "content-length": "99999999999" } }));
  await refused("limit-exceeded", () => stated.source.find(APP));
  const lines = `${new TextDecoder().decode(attestation([APP]))}\n`.repeat(3);
  const many = source(only("/1.0/app.tgz.intoto.jsonl", lines), { maxAttestations: 2 });
  await refused("limit-exceeded", () => many.source.find(APP));
});

describe("createHttpSource() takes for a failure, never for absence:", () => {
  for (const [name, reason, answer] of FAILURES) {
    test(name, async () => {
      const headers = { authorization: "Bearer 0123456789abcdef" };
      // Of one file only: the others are not there.
      const { source: one } = source(
        ({ url }) => url.pathname.endsWith(".intoto.json") ? answer() : NONE(),
        { headers },
      );
      await rejects(() => one.find(APP), (error: AttestationError) => {
        deepEqual([error.reason, (error.cause as AttestationError).reason], [
          "store-unavailable",
          reason,
        ]);
        ok(!`${error.message}${(error.cause as Error).message}`.includes("0123456789abcdef"));
        return true;
      });
    });
  }
});

test("createHttpSource() has a name, and takes its signal of each question", async () => {
  const signal = AbortSignal.abort(new Error("enough"));
  const { source: one, server } = source(NONE, { name: "ours" });
  equal(one.name, "ours");
  await rejects(() => one.find(APP, { signal }), /enough/);
  equal(server.seen.length, 0);
});

test("createHttpSource() refuses wrong options", async () => {
  const make = (url: string, more = {}) => () => createHttpSource({ url, ...more });
  for (
    const url of ["", "app.tgz", "file:///x", "https://u:p@x.example/a", "https://x.example/#a"]
  ) {
    throws(make(url), TypeError, url);
  }
  throws(make(URL_, { header: {} }), TypeError);
  throws(make(URL_, { maxAttestations: 0 }), RangeError);
  // Plain HTTP is for this machine.
  const { source: plain, server } = source(NONE, { url: "http://downloads.example/app.tgz" });
  await refused("store-unavailable", () => plain.find(APP));
  equal(server.seen.length, 0);
  const { source: local } = source(NONE, { url: "http://127.0.0.1:8000/app.tgz" });
  equal(await local.find(APP), undefined);
});
