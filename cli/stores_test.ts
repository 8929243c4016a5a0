import assert from "node:assert/strict";
import { test } from "node:test";
import { utf8 } from "../internal/bytes.ts";
import { encodeHex } from "../internal/hex.ts";
import { sha256 } from "../internal/sha256.ts";
import { exportPublicJwk, generateSigner } from "../keys/mod.ts";
import { createEnvelope } from "../dsse/mod.ts";
import { attestation, digestOf } from "../store/_contract_test.ts";
import { serve } from "../store/_server_test.ts";
import { MemoryRuntime } from "../tests/cli_runtime.ts";
import { answerOf, integrityOf, keysFile, PACKAGE, TARBALL } from "../tests/fixtures/npm.ts";
import { provenanceOf, signaturePolicy } from "../tests/registry/fixture.ts";
import { rootJson } from "../tests/fixtures/sigstore.ts";
import type { VerificationReport } from "../verify/report.ts";
import { main } from "./main.ts";

const TYPE = "https://example.com/review/v1";
const integrity = await integrityOf(TARBALL);
const signing = generateSigner("Ed25519", { name: "ci" });

async function signed(...texts: string[]): Promise<string> {
  const { signer } = await signing;
  return JSON.stringify(
    await createEnvelope("application/vnd.in-toto+json", {
      _type: "https://in-toto.io/Statement/v1",
      subject: texts.map((name) => ({ name, digest: digestOf(name) })),
      predicateType: TYPE,
    }, signer),
  );
}

async function machine(
  files: Record<string, string | Uint8Array> = {},
): Promise<MemoryRuntime> {
  const { trustedKey } = await signing;
  return new MemoryRuntime({
    "ci.pub": JSON.stringify(await exportPublicJwk(trustedKey)),
    ...files,
  });
}

async function run(
  runtime: MemoryRuntime,
  ...args: string[]
): Promise<{ status: number; out: string; err: string }> {
  runtime.stdout = runtime.stderr = "";
  (runtime as { args: readonly string[] }).args = args;
  const status = await main(runtime);
  return { status, out: runtime.stdout, err: runtime.stderr };
}

test("store put keeps what files hold, one, one a line or a list, each once", async () => {
  const [a, b, c] = [await signed("a"), await signed("b"), await signed("c")];
  const runtime = await machine({
    "a.json": JSON.stringify(JSON.parse(a), null, 2),
    "b.jsonl": `${b}\nno JSON\n${a}\n`,
    "c.json": `{"attestations":[{"bundle":${c},"bundle_url":""}]}`,
    "d.json": "<html>",
  });
  const first = await run(runtime, "store", "put", "a.json", "c.json", "--store", "kept");
  assert.equal(first.status, 0, first.err);
  assert.ok(/2 attestations added to kept/.test(first.err), first.err);
  const second = await run(runtime, "store", "put", "b.jsonl", "a.json", "d.json", "--store=kept");
  assert.equal(second.status, 1);
  assert.ok(/b.jsonl#1 +kept/.test(second.out) && /a.json +was there/.test(second.out), second.out);
  assert.ok(/b.jsonl#2 +REFUSED .*malformed-json/.test(second.out), second.out);
  assert.ok(/d.json +REFUSED/.test(second.out), second.out);
  const json = await run(
    runtime,
    "store",
    "put",
    "a.json",
    "d.json",
    "--store=kept",
    "--format=json",
  );
  const { ok, results } = JSON.parse(json.out);
  assert.deepEqual([ok, results[0].ok, results[0].created, results[1].errorReason], [
    false,
    true,
    false,
    "malformed-json",
  ]);
  const list = await run(runtime, "store", "list", "--store=kept", "--format=json");
  const ids = list.out.trim().split("\n").map((line) => JSON.parse(line).id);
  assert.equal(ids.length, 4);
  assert.deepEqual(ids, [...ids].sort());
});

test("store find tells what each store has, and exits with 2 when one could not be asked", async () => {
  const runtime = await machine({ "a.json": await signed("a"), "a": "a" });
  await run(runtime, "store", "put", "a.json", "--store=kept");
  const found = await run(runtime, "store", "find", "a", "--store=kept", "--output=found.jsonl");
  assert.equal(found.status, 0, found.err);
  assert.ok(/^sha256:[0-9a-f]{64} +kept\/attestations\//.test(found.out), found.out);
  assert.equal(runtime.files.get("found.jsonl"), `${await signed("a")}\n`);
  const none = await run(runtime, "store", "find", `sha256:${"0".repeat(64)}`, "--store=kept");
  assert.deepEqual([none.status, none.out], [1, ""]);
  const half = await run(runtime, "store", "find", "a", "--store=kept", "--store=gone");
  assert.equal(half.status, 2);
  assert.ok(/gone: COULD NOT LOOK.*no such folder/.test(half.err), half.err);
  const json = await run(
    runtime,
    "store",
    "find",
    "a",
    "--store=kept",
    "--store=gone",
    "--format=json",
  );
  const { complete, lookups, attestations } = JSON.parse(json.out);
  assert.deepEqual([complete, attestations.length], [false, 1]);
  assert.deepEqual(lookups.map(({ outcome }: { outcome: string }) => outcome), [
    "found",
    "unavailable",
  ]);
});

test("store list shows what is there, and says what it left out", async () => {
  const runtime = await machine({ "a.json": await signed("a", "b") });
  await run(runtime, "store", "put", "a.json", "--store=kept");
  runtime.disk.plant(`kept/attestations/00`, new Uint8Array(), "directory");
  runtime.disk.plant(`kept/attestations/00/${"0".repeat(64)}.json`, utf8("{}"));
  const { status, out, err } = await run(runtime, "store", "list", "--store=kept");
  assert.equal(status, 0);
  assert.ok(out.includes(TYPE) && out.includes(`${digestOf("a").sha256} and 1 more`), out);
  assert.ok(/content-mismatch/.test(err) && /1 attestation in kept/.test(err), err);
});

test("store prune removes what all conditions hold for, and needs one", async () => {
  const runtime = await machine({
    "a.json": await signed("a"),
    "b.json": await signed("b"),
    "sums": `${digestOf("a").sha256}  a\n`,
  });
  await run(runtime, "store", "put", "a.json", "b.json", "--store=kept");
  const count = async () =>
    (await run(runtime, "store", "list", "--store=kept", "--format=json")).out
      .trim().split("\n").filter(Boolean).length;
  for (const bad of [[], ["--older-than=3 days"], ["--older-than=P1M"], ["--dry-run"]]) {
    assert.equal((await run(runtime, "store", "prune", "--store=kept", ...bad)).status, 2);
  }
  const dry = await run(
    runtime,
    "store",
    "prune",
    "--store=kept",
    "--keep-subjects=sums",
    "--dry-run",
  );
  assert.ok(
    /^would remove sha256:/.test(dry.out) && dry.out.trim().split("\n").length === 1,
    dry.out,
  );
  assert.equal(await count(), 2);
  // The disk's clock stands at 1970; so does this one, so that nothing is a day old.
  runtime.now = () => new Date(3_600_000);
  const young = await run(runtime, "store", "prune", "--store=kept", "--older-than=P1D");
  assert.ok(/removed 0 attestations of 2/.test(young.err), young.err);
  const other = await run(
    runtime,
    "store",
    "prune",
    "--store=kept",
    "--predicate-type=https://x.example",
  );
  assert.ok(/removed 0 attestations of 2/.test(other.err), other.err);
  const done = await run(
    runtime,
    "store",
    "prune",
    "--store=kept",
    "--keep-subjects=sums",
    `--predicate-type=${TYPE}`,
    "--format=json",
  );
  assert.equal(JSON.parse(done.out).removed.length, 1);
  assert.equal(await count(), 1);
  runtime.now = () => new Date(86_400_000 * 2);
  await run(runtime, "store", "prune", "--store=kept", "--older-than=P1D");
  assert.equal(await count(), 0);
  await run(runtime, "store", "put", "a.json", "--store=a.intoto.jsonl");
  const lines = await run(runtime, "store", "prune", "--store=a.intoto.jsonl", "--older-than=P1D");
  assert.deepEqual([lines.status, /--older-than needs a folder/.test(lines.err)], [2, true]);
});

test("store refuses wrong usage with status 2", async () => {
  const runtime = await machine({ a: "a", "a.json": await signed("a") });
  const cases: [string[], RegExp][] = [
    [["store"], /put, find, list, prune, not by nothing/],
    [["store", "puts"], /not by "puts"/],
    [["store", "put", "--store=x"], /Name the files/],
    [["store", "put", "a.json"], /Name the store/],
    [["store", "put", "a.json", "--store=github:acme/app"], /can only be searched/],
    [["store", "put", "a.json", "--store=https://x.example/"], /can only be searched/],
    [["store", "put", "a.json", "--store=beside:"], /path of a file/],
    [["store", "find", "--store=x"], /Say of what/],
    [["store", "find", "a"], /Name where to look/],
    [["store", "find", "a", "--store=github:acme/app"], /--github-api URL/],
    [
      ["store", "find", "a", "--store=github:acme", "--github-api=https://x.example"],
      /no name of GitHub/,
    ],
    [["store", "find", "a", "--store=npm:app", "--registry=https://x.example"], /exact version/],
    [["store", "find", "a", "--store=npm:app@1.0.0"], /No npm registry is named/],
    [["store", "find", "a", "--store=npm:app@1.0.0", "--registry=x"], /no URL/],
    [["store", "find", "a", "--store=http://u:p@x.example/"], /password/],
    [["store", "list", "--store=a", "--store=b"], /one store/],
    [["store", "list", "x", "--store=a"], /no operand/],
    [["store", "prune", "--store=beside:a", "--predicate-type=x"], /Nothing can be removed/],
    [["verify", "a", "--store=x", "--bundle=a.json", "--key=ci.pub"], /exclude each other/],
    [["verify", "a", "--github-api=https://x.example", "--key=ci.pub"], /--github-api needs/],
    [["verify", "a", "--registry=https://x.example", "--key=ci.pub"], /--registry needs/],
    [["verify", "npm:app", "--npm-keys=x"], /cannot|No such|Cannot read/i],
  ];
  for (const [args, message] of cases) {
    const { status, err } = await run(runtime, ...args);
    assert.equal(status, 2, args.join(" "));
    assert.ok(message.test(err), `${args.join(" ")}: ${err}`);
  }
});

test("verify --store finds by digest, and says where it looked", async () => {
  const runtime = await machine({ a: "a", b: "b", "a.json": await signed("a") });
  await run(runtime, "store", "put", "a.json", "--store=kept");
  await run(runtime, "store", "put", "a.json", "--store=other.intoto.jsonl");
  const trust = ["--key=ci.pub", "--store=other.intoto.jsonl", "--store=kept"];
  const good = await run(runtime, "verify", "a", ...trust, "--format=json");
  assert.equal(good.status, 0, good.err + good.out);
  const report: VerificationReport = JSON.parse(good.out);
  const [{ lookups, attestations }] = report.artifacts;
  assert.deepEqual(lookups, [
    { via: "store", place: "other.intoto.jsonl", outcome: "found", count: 1 },
    { via: "store", place: "kept", outcome: "found", count: 1 },
  ]);
  // The same bytes in two stores are one attestation.
  assert.deepEqual(attestations.map(({ source }) => source), ["other.intoto.jsonl#1"]);
  const none = await run(runtime, "verify", "b", ...trust);
  assert.equal(none.status, 1);
  for (const text of ["b.sigstore.json", "other.intoto.jsonl: none", "kept: none"]) {
    assert.ok(none.out.includes(text), none.out);
  }
});

test("verify --policy --store looks in stores, and believes whom the policy names", async () => {
  const runtime = await machine({
    a: '{"v":1}',
    "a.json": JSON.stringify(await provenanceOf("urn:acme:a", { v: 1 })),
    "policy.json": JSON.stringify(await signaturePolicy()),
  });
  await run(runtime, "store", "put", "a.json", "--store=kept");
  const args = ["verify", "a", "--policy=policy.json"];
  const good = await run(runtime, ...args, "--store=kept");
  assert.equal(good.status, 0, good.err + good.out);
  assert.equal((await run(runtime, ...args)).status, 1);
});

test("verify --store takes what lies beside the artifact as well", async () => {
  const runtime = await machine({
    a: "a",
    "a.intoto.json": await signed("a"),
    "b.json": await signed("a", "b"),
  });
  await run(runtime, "store", "put", "b.json", "--store=kept");
  const { status, out } = await run(
    runtime,
    "verify",
    "a",
    "--key=ci.pub",
    "--store=kept",
    "--format=json",
  );
  assert.equal(status, 0);
  assert.equal(JSON.parse(out).artifacts[0].attestations.length, 2);
});

test("verify --store never takes a store that failed for one that has nothing", async () => {
  const runtime = await machine({ a: "a", b: "b", "a.json": await signed("a") });
  await run(runtime, "store", "put", "a.json", "--store=kept");
  const trust = ["--key=ci.pub", "--store=kept", "--store=gone"];
  // What the other store has is enough.
  const good = await run(runtime, "verify", "a", ...trust, "--format=json");
  assert.equal(good.status, 0, good.out);
  assert.equal(JSON.parse(good.out).artifacts[0].lookups[1].outcome, "unavailable");
  const bad = await run(runtime, "verify", "b", ...trust);
  assert.equal(bad.status, 2);
  assert.ok(/store-unavailable/.test(bad.out) && /gone: COULD NOT LOOK/.test(bad.out), bad.out);
  const json = await run(runtime, "verify", "b", ...trust, "--format=json");
  const report: VerificationReport = JSON.parse(json.out);
  assert.deepEqual([report.ok, report.errorReason, json.status], [false, "store-unavailable", 2]);
  // A spoilt attestation in a store that answered is a finding: status 1.
  for (const [path, { kind }] of runtime.disk.nodes) {
    if (path.startsWith("kept/attestations/") && kind === "file") {
      runtime.disk.plant(path, utf8("x"));
    }
  }
  const spoilt = await run(runtime, "verify", "a", "--key=ci.pub", "--store=kept");
  assert.deepEqual([spoilt.status, /content-mismatch/.test(spoilt.out)], [1, true]);
});

test("verify --store asks GitHub with the token of the environment, and an address with none", async () => {
  const runtime = await machine({ "app.tgz": "app" });
  const bundle = JSON.parse(await signed("app"));
  const server = serve(({ url }) =>
    url.pathname.startsWith("/repos/acme/app/attestations/")
      ? Response.json({ attestations: [{ bundle }] })
      : new Response("", { status: 404 })
  );
  runtime.fetch = server.fetch;
  runtime.variables = { GITHUB_API_URL: "https://api.example", GH_TOKEN: "ghp_0123456789abcdef" };
  const { status, out } = await run(
    runtime,
    "verify",
    "app.tgz",
    "--key=ci.pub",
    "--store=github:acme/app",
    "--store=https://downloads.example/1.0/",
    "--format=json",
  );
  assert.equal(status, 0, out);
  const digest = encodeHex(sha256(utf8("app")));
  const asked = server.seen.map(({ url, headers }) => [url.href, headers.get("authorization")]);
  assert.deepEqual(
    asked.find(([url]) => url?.startsWith("https://api.example")),
    [
      `https://api.example/repos/acme/app/attestations/sha256:${digest}?per_page=100`,
      "Bearer ghp_0123456789abcdef",
    ],
  );
  assert.ok(
    asked.some(([url]) => url === "https://downloads.example/1.0/app.tgz.sigstore.json"),
    JSON.stringify(asked),
  );
  assert.ok(
    asked.every(([url, token]) => token === null || url?.startsWith("https://api.example")),
  );
  assert.ok(!out.includes("ghp_"));
  // The option comes before the variable.
  server.seen.length = 0;
  await run(
    runtime,
    "verify",
    "app.tgz",
    "--key=ci.pub",
    "--store=github-org:acme",
    "--github-api=https://ghe.example/api/v3",
  );
  assert.ok(
    server.seen[0].url.href.startsWith("https://ghe.example/api/v3/orgs/acme/attestations/"),
  );
});

test("verify npm:NAME@VERSION downloads, digests and verifies a package", async () => {
  const { name, version } = PACKAGE;
  const answer = await answerOf();
  const asked: [string, string | null][] = [];
  const registry = (tarball: Uint8Array<ArrayBuffer> = new Uint8Array(TARBALL)) =>
    serve(({ url, headers }) => {
      asked.push([url.href, headers.get("authorization")]);
      if (url.pathname.endsWith(".tgz")) return new Response(tarball);
      if (url.pathname.includes("/-/npm/v1/attestations/")) return Response.json(answer);
      return Response.json({
        dist: { tarball: "https://cdn.example/app.tgz", integrity },
      });
    }).fetch;
  const files = {
    "keys.json": JSON.stringify(await keysFile()),
    "root.json": JSON.stringify(await rootJson()),
    ".npmrc": "registry=https://registry.example/\n//registry.example/:_authToken=${NPM_TOKEN}\n",
  };
  const trust = ["--npm-keys=keys.json", "--trusted-root=root.json", "--only-root"];
  const operand = `npm:${name}@${version}`;
  const runtime = await machine(files);
  runtime.variables = { NPM_TOKEN: "npm_0123456789abcdef" };
  runtime.fetch = registry();
  const good = await run(runtime, "verify", operand, ...trust, "--repo=acme/app");
  assert.equal(good.status, 0, good.err + good.out);
  assert.ok(good.out.includes(operand), good.out);
  assert.ok(asked.some(([url]) => url === "https://cdn.example/app.tgz"));
  for (const [url, token] of asked) {
    const isOwn = url.startsWith("https://registry.example/");
    assert.equal(token, isOwn ? "Bearer npm_0123456789abcdef" : null, url);
  }
  // Another version is another package, whatever the answer is about.
  const other = await run(runtime, "verify", `npm:${name}@9.9.9`, ...trust, "--repo=acme/app");
  assert.deepEqual([other.status, /package-mismatch/.test(other.out)], [1, true], other.out);
  runtime.fetch = registry(utf8("another tarball"));
  const bad = await run(runtime, "verify", operand, ...trust, "--repo=acme/app");
  assert.deepEqual([bad.status, /integrity-mismatch/.test(bad.err)], [2, true], bad.err);
  runtime.fetch = serve(() => new Response("", { status: 404 })).fetch;
  const gone = await run(runtime, "verify", operand, ...trust, "--repo=acme/app");
  assert.deepEqual([gone.status, /unreadable-file/.test(gone.err)], [2, true], gone.err);
  runtime.sleep = () => Promise.resolve();
  runtime.fetch = serve(() => new Response("", { status: 503 })).fetch;
  const down = await run(runtime, "verify", operand, ...trust, "--repo=acme/app");
  assert.deepEqual([down.status, /store-unavailable/.test(down.err)], [2, true], down.err);
  // The option comes before npm's configuration.
  asked.length = 0;
  runtime.fetch = registry();
  await run(
    runtime,
    "verify",
    operand,
    ...trust,
    "--repo=acme/app",
    "--registry=https://mirror.example",
  );
  assert.ok(asked.every(([url]) => !url.startsWith("https://registry.example/")));
  for (
    const [extra, message] of [
      ["--package-name=app", /exclude each other/],
      ["--digest=sha512:" + "ab".repeat(64), /exclude each other/],
      ["app.tgz", /verified alone/],
    ] as const
  ) {
    const { status, err } = await run(runtime, "verify", operand, ...trust, "--repo=a/b", extra);
    assert.deepEqual([status, message.test(err)], [2, true], err);
  }
});

test("verify npm:NAME@VERSION of a package without attestations fails, and does not pass", async () => {
  const runtime = await machine({
    "keys.json": JSON.stringify(await keysFile()),
    "root.json": JSON.stringify(await rootJson()),
  });
  runtime.fetch = serve(({ url }) => {
    if (url.pathname.endsWith(".tgz")) return new Response(new Uint8Array(TARBALL));
    if (url.pathname.includes("/attestations/")) return new Response("", { status: 404 });
    return Response.json({ dist: { tarball: "/a.tgz", integrity } });
  }).fetch;
  const { status, out } = await run(
    runtime,
    "verify",
    "npm:app@1.0.0",
    "--npm-keys=keys.json",
    "--trusted-root=root.json",
    "--only-root",
    "--repo=acme/app",
    "--registry=https://registry.example",
  );
  assert.deepEqual([status, /missing-publish-attestation/.test(out)], [1, true], out);
});

test("attestation() of the contract suite is put and found by its unusual digests too", async () => {
  const content = new TextDecoder().decode(attestation([{ gitCommit: "ab".repeat(20) }]));
  const runtime = await machine({ "a.json": content });
  await run(runtime, "store", "put", "a.json", "--store=kept");
  const { status } = await run(
    runtime,
    "store",
    "find",
    `gitCommit:${"ab".repeat(20)}`,
    "--store=kept",
  );
  assert.equal(status, 0);
});
