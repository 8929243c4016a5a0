import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { AttestationError } from "../../errors.ts";
import { compilePolicy, parsePolicy } from "../../policy/mod.ts";
import type { PolicySource } from "../../server/mod.ts";
import type { SqlDriver } from "../../store/sql/mod.ts";
import { sqliteDriver } from "../../store/sql/sqlite.ts";
import { Random } from "../fuzz/random.ts";
import {
  openRegistry,
  provenanceOf,
  sendTo,
  signaturePolicy,
  type TestRegistry,
  testSigners,
} from "./fixture.ts";
import { brokenRecords } from "./invariants.ts";

const URN = "urn:acme:app";
const PATH = `/v1/registry/${URN}`;
const CARD = { name: "app" };

const open = (options = {}) => openRegistry(sqliteDriver(":memory:"), options);

async function isEmpty({ db }: TestRegistry): Promise<boolean> {
  const rows = await db.kysely.selectFrom("manifests").select("urn").execute();
  return rows.length === 0;
}

describe("a registry under attack", () => {
  test("refuses what is no body, and keeps nothing", async () => {
    const registry = await open();
    const good = JSON.stringify({
      urn: URN,
      card: CARD,
      provenance: await provenanceOf(URN, CARD),
    });
    const cases: [number, string, unknown, Record<string, string>?][] = [
      [400, "empty-input", ""],
      [400, "empty-input", " \n"],
      [400, "malformed-json", "{"],
      [400, "malformed-json", good + "x"],
      [400, "malformed-json", "\ufeff" + good],
      [400, "malformed-manifest", "[]"],
      [400, "malformed-manifest", "null"],
      [400, "malformed-manifest", '"text"'],
      [400, "malformed-manifest", "{}"],
      [400, "duplicate-json-key", good.replace("{", `{"urn":"${URN}",`)],
      [400, "duplicate-json-key", good.replace('"name":"app"', '"name":"app","name":"evil"')],
      [400, "malformed-manifest", good.replace("{", '{"__proto__":{"a":1},')],
      [400, "malformed-manifest", good.replace('{"name":"app"}', "[]")],
      [400, "malformed-manifest", good.replace('"app"', "9007199254740993")],
      [400, "malformed-manifest", good.replace('"provenance":{', '"provenance":7,"x":{')],
      [400, "invalid-unicode", good.replace('"app"', '"\\ud800"')],
      [400, "invalid-unicode", new Uint8Array([123, 34, 255, 34, 58, 49, 125])],
      [413, "limit-exceeded", `{"urn":"${URN}","card":${"[".repeat(100)}${"]".repeat(100)}}`],
      [400, "malformed-manifest", good.replace('"app"', `"${"a".repeat(300_000)}"`)],
      [400, "urn-mismatch", good.replace(`"urn":"${URN}"`, '"urn":"urn:acme:other"')],
      [415, "unsupported-media-type", good, { "content-type": "text/plain" }],
      [415, "unsupported-media-type", good, { "content-type": "application/json; charset=utf-16" }],
      [415, "unsupported-media-type", good, { "content-type": "application/jsonp" }],
      [415, "unsupported-media-type", good, { "content-encoding": "gzip" }],
    ];
    for (const [status, reason, body, headers = {}] of cases) {
      const answer = await registry.send("PUT", PATH, { body, headers });
      assert.deepEqual(
        [answer.status, answer.body.reason],
        [status, reason],
        `${String(body).slice(0, 80)} ${JSON.stringify(answer.body)}`,
      );
      assert.equal(answer.body.error, reason.replaceAll("-", "_"));
    }
    assert.ok(await isEmpty(registry));
    assert.equal((await registry.send("PUT", PATH, { body: good })).status, 201);
  });

  test("refuses urns with metacharacters, in every spelling of the address", async () => {
    const registry = await open();
    const paths = [
      ...[
        "urn:acme:..",
        "urn:acme:%2e%2e",
        "..%2f..%2fetc%2fpasswd",
        "urn:acme:a%2Fb",
        "urn%3aacme",
      ],
      ...["urn:acme:a'%20or%20'1'='1", "urn:acme:a%00", "urn:acme:%d0%b0pp", "urn:acme:app%cc%81"],
      ...[
        "URN:acme:app",
        "urn:acme:a%253Ab",
        "urn:acme:a%0d%0aX:y",
        "urn:acme:%ff",
        "urn:acme:%zz",
      ],
      ...['urn:acme:"', "urn:acme:a;drop%20table%20manifests", "urn:acme:%25", "urn:acme:_%25"],
      ...["-", "__proto__", "constructor", `urn:acme:${"a".repeat(300)}`],
    ];
    for (const path of paths) {
      for (const [method, suffix] of [["PUT", ""], ["GET", ""], ["GET", "/provenance"]] as const) {
        const body = method === "PUT" ? { urn: decoded(path), card: CARD } : undefined;
        const answer = await registry.send(method, `/v1/registry/${path}${suffix}`, { body });
        assert.equal(answer.status, 400, `${method} ${path}: ${answer.status}`);
        assert.equal(answer.body.reason, "malformed-urn", path);
      }
    }
    for (
      const path of ["/v1/registry/", "/v1/registry/a/b/c", "//v1/registry", "/v1/../healthz/x"]
    ) {
      assert.equal((await registry.send("GET", path)).status, 404, path);
    }
    assert.ok(await isEmpty(registry));
  });

  test("refuses addresses with parameters of others", async () => {
    const { send, put } = await open();
    await put(URN, CARD);
    const cursor = btoa('["urn:a:b"]').replace(/=+$/, "");
    for (
      const path of [
        ...["/v1/registry?limit=0", "/v1/registry?limit=501", "/v1/registry?limit=1e3"],
        ...["/v1/registry?limit=5&limit=6", "/v1/registry?order=urn", "/v1/registry?verdict=good"],
        ...["/v1/registry?cursor=x", "/v1/registry?cursor=W10", "/v1/registry?cursor=bnVsbA"],
        ...["/v1/registry?builder=%00", `/v1/registry?q=${"a".repeat(1025)}`],
        ...[`${PATH}?version=0`, `${PATH}?version=-1`, `${PATH}?x=1`],
        ...[`${PATH}/provenance?cursor=${cursor}`, `${PATH}/versions?cursor=${cursor}`],
        ...["/v1/attestations/nothing", "/v1/attestations/:a"],
        `/v1/registry?prefix=${encodeURIComponent("é")}`,
      ]
    ) {
      const { status, body } = await send("GET", path);
      assert.deepEqual([status, body.reason], [400, "malformed-query"], path);
    }
    for (const id of ["x", "sha256:0", `sha256:${"A".repeat(64)}`, "..%2f..%2fx"]) {
      const { status, body } = await send("GET", `/v1/envelopes/${id}`);
      assert.deepEqual([status, body.reason], [400, "invalid-digest"], id);
    }
  });

  test("answers 405 and 404 elsewhere, and HEAD as GET", async () => {
    const { send, put } = await open();
    await put(URN, CARD);
    for (const method of ["POST", "DELETE", "PATCH", "OPTIONS"]) {
      const { status, headers } = await send(method, PATH);
      assert.deepEqual([status, headers.get("allow")], [405, "GET, PUT"], method);
    }
    const head = await send("HEAD", PATH);
    assert.deepEqual([head.status, head.body], [200, ""]);
    assert.ok(head.headers.get("etag"));
    assert.equal((await send("GET", "/")).status, 404);
    assert.equal((await send("GET", "/v2/registry")).status, 404);
  });

  test("gives up on bodies that are too large or too slow", async () => {
    const registry = await open({ limits: { maxBodyBytes: 2000, bodyTimeoutMs: 200 } });
    let sent = 0;
    const endless = () =>
      new ReadableStream<Uint8Array>({
        pull(controller) {
          sent += 1000;
          controller.enqueue(new Uint8Array(1000).fill(32));
        },
      });
    const large = await registry.send("PUT", PATH, { body: endless() });
    assert.deepEqual([large.status, large.body.reason], [413, "limit-exceeded"]);
    assert.ok(sent < 20_000, `${sent} bytes were read`);
    const streams: ReadableStreamDefaultController<Uint8Array>[] = [];
    const slow = () =>
      new ReadableStream<Uint8Array>({
        start(controller) {
          streams.push(controller);
          controller.enqueue(new Uint8Array([123]));
        },
      });
    const patient = await open({ limits: { bodyTimeoutMs: 600_000 } });
    let waits = true;
    const waiting = patient.send("PUT", PATH, { body: slow() }).finally(() => waits = false);
    const late = await registry.send("PUT", PATH, { body: slow() });
    assert.deepEqual([late.status, late.body.reason], [408, "request-timeout"]);
    assert.ok(waits, "who is given more time waits longer");
    streams[0].close();
    assert.equal((await waiting).body.reason, "malformed-json");
    const cut = new ReadableStream<Uint8Array>({
      start(controller) {
        controller.enqueue(new Uint8Array([123]));
        controller.error(new Error("gone"));
      },
    });
    assert.equal((await registry.send("PUT", PATH, { body: cut })).status, 400);
    const exact = JSON.stringify({ urn: URN, card: CARD, provenance: null });
    const padded = exact + " ".repeat(2000 - exact.length);
    assert.equal((await registry.send("PUT", PATH, { body: padded })).status, 422);
    assert.equal((await registry.send("PUT", PATH, { body: `${padded} ` })).status, 413);
    assert.ok(await isEmpty(registry));
  });

  test("bounds what is judged at once and how long, and writers without a key", async () => {
    const good = JSON.stringify({
      urn: URN,
      card: CARD,
      provenance: await provenanceOf(URN, CARD),
    });
    const busy = await open({ limits: { maxConcurrentPuts: 1 } });
    const { promise: answered, resolve: goOn } = Promise.withResolvers<void>();
    const held = new ReadableStream<Uint8Array>({
      async pull(controller) {
        await answered;
        controller.enqueue(new TextEncoder().encode(good));
        controller.close();
      },
    });
    const waiting = busy.send("PUT", PATH, { body: held });
    assert.equal((await busy.put(URN, CARD)).status, 429);
    goOn();
    assert.equal((await waiting).status, 201);
    assert.equal((await busy.put(URN, CARD)).status, 200);
    const two = await open({ limits: { maxConcurrentPuts: 2 } });
    const first = await Promise.all([two.put(URN, CARD), two.put("urn:acme:b", CARD)]);
    assert.deepEqual(first.map(({ status }) => status), [201, 201]);
    const late = () =>
      new ReadableStream<Uint8Array>({
        async pull(controller) {
          await new Promise((resolve) => setTimeout(resolve, 100));
          controller.enqueue(new TextEncoder().encode(good));
          controller.close();
        },
      });
    const hasty = await open({ limits: { requestTimeoutMs: 10 } });
    const cut = await hasty.send("PUT", PATH, { body: late() });
    assert.deepEqual([cut.status, cut.body.reason], [408, "request-timeout"]);
    assert.equal((await (await open()).send("PUT", PATH, { body: late() })).status, 201);
    const nobody = await open();
    assert.equal((await nobody.put(URN, CARD, { key: null })).status, 401);
    const anybody = await open({ unsafelyAcceptAnyWriter: true });
    assert.equal((await anybody.put(URN, CARD, { key: null })).status, 201);
  });

  test("bounds the number of attestations and of requests", async () => {
    const registry = await open({ limits: { maxAttestations: 2, maxSubjects: 1 } });
    const one = await provenanceOf(URN, CARD);
    const many = await registry.put(URN, CARD, { provenance: [one, one, one] });
    assert.deepEqual([many.status, many.body.reason], [413, "limit-exceeded"]);
    const limited = await open({ rateLimit: { perSecond: 0.001, burst: 2 } });
    const statuses: number[] = [];
    for (let i = 0; i < 4; i++) statuses.push((await limited.put(URN, CARD)).status);
    assert.deepEqual(statuses.slice(2), [429, 429]);
    const { headers, status } = await limited.put(URN, CARD);
    assert.ok(status === 429 && Number(headers.get("retry-after")) > 100);
    // Those without a key, and those who guess, are counted by where they come from.
    const guesses: number[] = [];
    for (let i = 0; i < 4; i++) guesses.push((await limited.put(URN, CARD, { key: "x" })).status);
    assert.deepEqual(guesses, [401, 401, 429, 429]);
    assert.equal((await limited.send("GET", PATH)).status, 429);
    const elsewhere = new Request(`http://registry${PATH}`);
    const other = await limited.registry.handler(elsewhere, { address: "192.0.2.2" });
    assert.equal(other.status, 200);
  });

  test("a body of changed bytes is never accepted as what it was", async () => {
    const registry = await open();
    const random = new Random("registry");
    const provenance = await provenanceOf(URN, CARD);
    const good = JSON.stringify({ urn: URN, card: CARD, provenance });
    let accepted = 0;
    for (let i = 0; i < 400; i++) {
      const bytes = new TextEncoder().encode(good);
      for (let k = 0; k <= i % 3; k++) {
        bytes[random.int(bytes.length)] = random.int(256);
      }
      const { status, body } = await registry.send("PUT", PATH, { body: bytes });
      assert.ok([200, 201, 400, 413, 422].includes(status), `${status}: ${JSON.stringify(body)}`);
      // White space, and members that nobody reads, such as the keyid.
      if (status < 300) accepted++;
    }
    assert.ok(accepted < 60, `${accepted} were accepted`);
    assert.deepEqual(await brokenRecords(registry.db), []);
    const { body } = await registry.send("GET", PATH);
    if (body.card !== undefined) assert.deepEqual(body.card, CARD);
  });

  test("reads ask for a key where they are private", async () => {
    const { send, put } = await open({ privateReads: true });
    await put(URN, CARD);
    for (const path of [PATH, "/v1/registry", `${PATH}/provenance`, `${PATH}/verdict`]) {
      assert.equal((await send("GET", path, { key: null })).status, 401, path);
      assert.equal((await send("GET", path)).status, 200, path);
    }
    assert.equal((await send("GET", "/healthz", { key: null })).status, 200);
  });

  test("a broken policy does not take effect, and readiness says so", async () => {
    const { ciPublicKey } = await testSigners();
    let document: unknown = await signaturePolicy();
    const source: PolicySource = async (known) => {
      const version = JSON.stringify(document);
      if (version === known) return undefined;
      return { version, policy: await compilePolicy(parsePolicy(document as object)) };
    };
    const { put, send, log } = await open({ policy: source, policyIntervalMs: 0 });
    assert.equal((await put(URN, CARD)).status, 201);
    const before = (await send("GET", "/readyz")).body;
    assert.deepEqual([before.status, before.policy.ok], ["ok", true]);
    for (const broken of [{ allowedIssuers: [] }, { allowedIssuers: [{ keyId: "x" }] }, []]) {
      document = broken;
      assert.equal((await put("urn:acme:next", CARD)).status < 300, true);
      const { status, body } = await send("GET", "/readyz");
      assert.deepEqual([status, body.status, body.policy.ok], [200, "degraded", false]);
      assert.equal(body.policy.reason, "malformed-policy");
      assert.equal(body.policy.digest, before.policy.digest);
      assert.match((await send("GET", "/metrics")).body, /attest_registry_policy_good 0/);
    }
    assert.ok(log.some(({ event, level }) => event === "policy" && level === "error"));
    const other = {
      allowedIssuers: [{ keyId: "y", publicKey: ciPublicKey, description: "again" }],
    };
    document = other;
    assert.equal((await put("urn:acme:more", CARD)).status, 201);
    const after = (await send("GET", "/readyz")).body;
    assert.deepEqual([after.status, after.policy.ok], ["ok", true]);
    assert.notEqual(after.policy.digest, before.policy.digest);
  });

  test("without any good policy nothing is judged", async () => {
    const source: PolicySource = () =>
      Promise.reject(new AttestationError("malformed-policy", "Cannot read policy: secret-path"));
    const registry = await open({ policy: source });
    const { status, body } = await registry.put(URN, CARD);
    assert.equal(status, 503);
    assert.ok(!JSON.stringify(body).includes("secret-path"));
    assert.equal((await registry.send("GET", "/readyz")).status, 503);
    assert.ok(await isEmpty(registry));
  });

  test("a database that is gone is told as 503, and used again when it is back", async () => {
    const inner = sqliteDriver(":memory:");
    let isGone = false;
    const gone = () =>
      Promise.reject(new AttestationError("store-unavailable", "Cannot ask database: 10.1.2.3"));
    const driver: SqlDriver = {
      dialect: inner.dialect,
      run: (statement) => isGone ? gone() : inner.run(statement),
      batch: (statements) => isGone ? gone() : inner.batch(statements),
      close: () => inner.close(),
    };
    const { put, send } = await openRegistry(driver);
    await put(URN, CARD);
    isGone = true;
    for (const path of [PATH, "/v1/registry", `${PATH}/provenance`, `${PATH}/verdict`]) {
      const { status, body, headers } = await send("GET", path);
      assert.deepEqual([status, body.reason], [503, "store-unavailable"], path);
      assert.equal(headers.get("retry-after"), "1");
      assert.ok(!JSON.stringify(body).includes("10.1.2.3"));
    }
    assert.equal((await put("urn:acme:b", CARD)).status, 503);
    assert.equal((await send("GET", "/readyz")).status, 503);
    assert.equal((await send("GET", "/healthz")).status, 200);
    isGone = false;
    assert.equal((await put("urn:acme:b", CARD)).status, 201);
    assert.equal((await send("GET", "/readyz")).status, 200);
    assert.match((await send("GET", "/metrics")).body, /store_errors_total [1-9]/);
  });

  test("a disk that is full is told, and what was there stays", async () => {
    const folder = await Deno.makeTempDir();
    try {
      const driver = sqliteDriver(`${folder}/registry.db`);
      const { put, send, db } = await openRegistry(driver);
      await put(URN, CARD);
      const { rows } = await driver.run({ sql: "pragma page_count", parameters: [] });
      const pages = Number(rows[0].page_count);
      await driver.run({ sql: `pragma max_page_count = ${pages + 2}`, parameters: [] });
      const card = { name: "large", text: "x".repeat(100_000) };
      const full = await put("urn:acme:large", card);
      assert.deepEqual([full.status, full.body.reason], [503, "store-unavailable"]);
      assert.deepEqual(await brokenRecords(db), []);
      assert.equal((await send("GET", PATH)).status, 200);
      await driver.run({ sql: "pragma max_page_count = 1000000", parameters: [] });
      assert.equal((await put("urn:acme:large", card)).status, 201);
      await db.close();
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  });

  test("no log line and no answer tells a key, a card or an envelope", async () => {
    const { put, send, log, key, db } = await open();
    const secret = "SECRET-OF-THE-CARD";
    const answers = [
      await put(URN, { secret }, { provenance: "SECRET-OF-THE-ENVELOPE" }),
      await put(URN, { secret }),
      await send("PUT", PATH, { body: `{"card":"${secret}` }),
      await put(URN, { secret }, { key: `${key}x` }),
      await send("GET", `/v1/registry?q=${secret}`),
    ];
    assert.deepEqual(answers.map(({ status }) => status), [422, 201, 400, 401, 200]);
    const lines = JSON.stringify(log);
    for (const text of [key.slice(-20), secret, "SECRET-OF-THE-ENVELOPE", "192.0.2.1"]) {
      assert.ok(!lines.includes(text), text);
    }
    const audit = JSON.stringify(await db.kysely.selectFrom("decisions").selectAll().execute());
    assert.ok(!audit.includes(secret) && !audit.includes(key.slice(-20)));
    const [refused] = answers;
    assert.ok(!JSON.stringify(refused.body).includes(secret));
  });

  test("the API is described, and the page needs nothing else", async () => {
    const { send, registry } = await open();
    const { body } = await send("GET", "/openapi.json");
    assert.equal(body.openapi, "3.1.0");
    for (const [path, methods] of Object.entries(body.paths as Record<string, object>)) {
      for (const method of Object.keys(methods)) {
        const address = path.replace("{urn}", URN).replace("{digest}", "sha256:0").replace(
          "{id}",
          "x",
        );
        const answer = await sendTo(registry, method.toUpperCase(), address, {});
        assert.notEqual(answer.status, 405, `${method} ${path}`);
        assert.notEqual(answer.body?.error, "not_found", `${method} ${path}`);
      }
    }
    const refs = [...JSON.stringify(body).matchAll(/"#\/components\/schemas\/(\w+)"/g)];
    assert.ok(refs.length > 0);
    for (const [, name] of refs) assert.ok(name in body.components.schemas, name);
    const page = await send("GET", "/docs");
    assert.match(page.headers.get("content-security-policy")!, /default-src 'none'/);
    assert.ok(!/<script|https?:\/\/(?!json)/.test(page.body.replace(/&#\d+;/g, "")));
    const places = [...page.body.matchAll(/href="#(\w+)"/g)];
    assert.ok(places.length > 0);
    for (const [, id] of places) {
      assert.ok(page.body.includes(`id="${id}"`), id);
    }
  });
});

function decoded(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    return path;
  }
}
