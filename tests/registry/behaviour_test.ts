import assert from "node:assert/strict";
import { after, describe, test } from "node:test";
import { createEnvelope } from "../../dsse/mod.ts";
import { utf8 } from "../../internal/bytes.ts";
import { encodeHex } from "../../internal/hex.ts";
import { sha256 } from "../../internal/sha256.ts";
import { compilePolicy, parsePolicy } from "../../policy/mod.ts";
import { fixedPolicy } from "../../server/mod.ts";
import { createProvenancePayload } from "../../slsa/mod.ts";
import {
  createApiKey,
  getManifest,
  getProvenance,
  listApiKeys,
  revokeApiKey,
} from "../../store/sql/mod.ts";
import { testDatabases } from "../sql/databases.ts";
import {
  BUILDER,
  cardDigest,
  IN_TOTO,
  openRegistry,
  provenanceOf,
  signaturePolicy,
  testSigners,
} from "./fixture.ts";

const URN = "urn:acme:app";
const CARD = { name: "app", version: 1, tags: ["a", "b"] };

async function permissive() {
  const policy = await compilePolicy(parsePolicy(await signaturePolicy("permissive")));
  return { policy: fixedPolicy(policy) };
}

for (const databases of testDatabases()) {
  if (databases.missing !== undefined) console.log(`skipped: ${databases.missing}`);
  describe(
    `createRegistry() on ${databases.name}`,
    { skip: databases.missing !== undefined },
    () => {
      after(() => databases.dispose());
      const open = async (options = {}) => await openRegistry(await databases.open(), options);

      test("keeps a manifest with good provenance, and gives it back", async () => {
        const { put, send, db } = await open();
        const first = await put(URN, CARD, { sig: { alg: "x" } });
        assert.equal(first.status, 201, JSON.stringify(first.body));
        assert.equal(first.headers.get("location"), `/v1/registry/${URN}`);
        const { body, status, headers } = await send("GET", `/v1/registry/${URN}`);
        assert.equal(status, 200);
        assert.equal(headers.get("etag"), first.headers.get("etag"));
        assert.deepEqual(body.card, CARD);
        assert.deepEqual(body.sig, { alg: "x" });
        assert.equal(body.digest, `sha256:${cardDigest(CARD)}`);
        assert.deepEqual([body.version, body.revision, body.verdict], [1, 1, "PASSED"]);
        assert.deepEqual(body.provenance, {
          ...{ builder: BUILDER, timestamp: "2026-11-29T12:00:00.000Z", issuer: "ci" },
          ...{ verdict: "PASSED", reason: null, attestations: 1 },
        });
        const manifest = await getManifest(db, URN);
        assert.equal(manifest?.provenance?.builder, BUILDER);
        assert.equal(await getManifest(db, "urn:acme:other"), undefined);
      });

      test("keeps envelopes byte for byte, however they are sent", async () => {
        const { send, db } = await open();
        const compact = JSON.stringify(await provenanceOf(URN, CARD, { note: "1" }));
        const spaced = JSON.stringify(await provenanceOf(URN, CARD, { note: "2" }), null, 3)
          .replaceAll("\n", "\r\n");
        const asText = `\n ${JSON.stringify(await provenanceOf(URN, CARD, { note: "3" }))} \n`;
        const body = `{"provenance" : [ ${compact} ,${spaced},${JSON.stringify(asText)}],\n` +
          `"card":${JSON.stringify(CARD)},"urn":"${URN}"}`;
        assert.equal((await send("PUT", `/v1/registry/${URN}`, { body })).status, 201);
        const wanted = [compact, spaced, asText];
        const records = await getProvenance(db, URN);
        assert.deepEqual(
          records.map(({ envelope }) => new TextDecoder().decode(envelope)).sort(),
          wanted.sort(),
        );
        for (const text of wanted) {
          const id = `sha256:${encodeHex(sha256(utf8(text)))}`;
          const answer = await send("GET", `/v1/envelopes/${id}`);
          assert.equal(answer.status, 200);
          assert.deepEqual(answer.body, JSON.parse(text));
        }
      });

      test("answers 422 and the reason, and keeps nothing", async () => {
        const { put, send, db } = await open();
        const { ci, stranger } = await testSigners();
        const minimal = createProvenancePayload({
          ...{ builderId: "ci", commit: "abc123", materials: [] },
        });
        const forged = await provenanceOf(URN, CARD);
        const cases: [string, unknown][] = [
          ["missing-provenance", null],
          ["missing-provenance", []],
          ["invalid-signature", await provenanceOf(URN, CARD, { signer: stranger })],
          ["invalid-signature", { ...forged, payloadType: "application/x+json" }],
          ["subject-mismatch", await provenanceOf(URN, { ...CARD, version: 2 })],
          ["subject-name-mismatch", await provenanceOf("urn:acme:other", CARD)],
          ["missing-subject", await createEnvelope(IN_TOTO, minimal as never, ci)],
          [
            "missing-attestation",
            await provenanceOf(URN, CARD, { predicateType: "https://a.example" }),
          ],
          ["missing-signatures", { payload: "", payloadType: IN_TOTO, signatures: [] }],
          ["unknown-format", {}],
          ["malformed-json", "no json"],
          ["empty-input", ""],
          ["unsigned-statement", {
            _type: "https://in-toto.io/Statement/v1",
            subject: [{ name: URN, digest: { sha256: cardDigest(CARD) } }],
            predicateType: "https://slsa.dev/provenance/v1",
            predicate: {},
          }],
          // One bad one beside a good one spoils the request.
          ["invalid-signature", [forged, await provenanceOf(URN, CARD, { signer: stranger })]],
          ["unknown-format", [[forged]].flat().concat({ attestations: [] } as never)],
        ];
        for (const [reason, provenance] of cases) {
          const { status, body } = await put(URN, CARD, { provenance });
          assert.equal(status, 422, `${reason}: ${JSON.stringify(body)}`);
          assert.equal(body.reason, reason, JSON.stringify(body));
          const isMissing = reason === "missing-provenance";
          assert.equal(body.error, isMissing ? "missing_provenance" : "invalid_provenance");
          assert.equal(body.report.ok, false);
          assert.equal((await send("GET", `/v1/registry/${URN}`)).status, 404);
        }
        for (const table of ["manifests", "manifest_versions", "provenance", "subjects"] as const) {
          assert.deepEqual(await db.kysely.selectFrom(table).selectAll().execute(), []);
        }
        const audit = await db.kysely.selectFrom("decisions").selectAll()
          .where("action", "=", "put").execute();
        assert.equal(audit.length, cases.length);
        assert.deepEqual(
          audit.map(({ reason }) => reason).sort(),
          cases.map(([one]) => one).sort(),
        );
        for (const { outcome, verdict, revision, report, policy_digest, actor } of audit) {
          assert.deepEqual([outcome, verdict, revision], ["refused", "FAILED", null]);
          assert.equal(JSON.parse(report!).ok, false);
          assert.match(policy_digest!, /^sha256:[0-9a-f]{64}$/);
          assert.match(actor, /^[0-9a-f]{16}$/);
        }
      });

      test("an envelope is of no use for another urn, another card or a look-alike", async () => {
        const { put } = await open();
        const provenance = await provenanceOf(URN, CARD);
        assert.equal((await put(URN, CARD, { provenance })).status, 201);
        const replays: [string, object, string, number][] = [
          ["urn:acme:app2", CARD, "subject-name-mismatch", 422],
          [URN, { ...CARD, evil: true }, "subject-mismatch", 422],
          ["urn:acme:other", { ...CARD, evil: true }, "subject-mismatch", 422],
        ];
        for (const [urn, card, reason, wanted] of replays) {
          const { status, body } = await put(urn, card as never, { provenance });
          assert.deepEqual([status, body.reason], [wanted, reason]);
        }
        const { status, body } = await put("urn:acme:APP", CARD);
        assert.deepEqual([status, body.reason], [409, "urn-look-alike"]);
      });

      test("permissive accepts, keeps the verdict and warns", async () => {
        const { put, send, db, log } = await open(await permissive());
        const { ci, stranger } = await testSigners();
        const none = await put("urn:acme:none", CARD, { provenance: [] });
        assert.deepEqual([none.status, none.body.reason], [201, "missing-provenance"]);
        const forged = await provenanceOf(URN, CARD, { signer: stranger });
        const bad = await put(URN, CARD, { provenance: forged });
        assert.deepEqual([bad.status, bad.body.verdict, bad.body.reason], [
          ...[201, "FAILED", "invalid-signature"],
        ]);
        assert.equal(bad.body.report.ok, false);
        assert.equal(log.filter(({ level }) => level === "warning").length, 2);
        const { body } = await send("GET", `/v1/registry/${URN}`);
        assert.deepEqual(body.provenance, {
          ...{ builder: null, timestamp: null, issuer: null, attestations: 1 },
          ...{ verdict: "FAILED", reason: "invalid-signature" },
        });
        assert.equal((await send("GET", "/v1/registry/urn:acme:none")).body.provenance, null);
        const payload = createProvenancePayload({
          ...{ builderId: "old-ci", commit: "abc123", materials: [], buildTool: "make" },
          ...{ timestamp: new Date("2026-01-02T03:04:05Z"), inputs: [{ name: "in" }] },
          ...{ outputs: [{ name: "out" }] },
        });
        const minimal = JSON.parse(
          JSON.stringify(await createEnvelope(IN_TOTO, payload as never, ci)),
        );
        const old = await put("urn:acme:old", CARD, { provenance: minimal });
        assert.deepEqual([old.status, old.body.reason], [201, "missing-subject"]);
        const [record] = await getProvenance(db, "urn:acme:old");
        assert.deepEqual(
          [record.builder, record.issuer, record.buildTool, record.verdict],
          ["old-ci", "ci", "make", "FAILED"],
        );
        assert.deepEqual([record.inputs, record.outputs], [[{ name: "in" }], [{ name: "out" }]]);
        assert.equal(record.timestamp, "2026-01-02T03:04:05.000Z");
        // What is enforced now decides, not what the policy said.
        const verdict = await send("GET", `/v1/registry/${URN}/verdict`);
        assert.deepEqual([verdict.body.ok, verdict.body.errorReason], [false, "invalid-signature"]);
      });

      test("the same again changes nothing", async () => {
        const { put, db } = await open();
        const provenance = await provenanceOf(URN, CARD);
        const first = await put(URN, CARD, { provenance });
        const before = await db.kysely.selectFrom("decisions").select("id").execute();
        const [second, third] = await Promise.all([
          put(URN, { tags: ["a", "b"], version: 1.0, name: "app" }, { provenance }),
          put(URN, CARD, { provenance, headers: { "if-none-match": "*" } }),
        ]);
        for (const { status, body, headers } of [second, third]) {
          assert.deepEqual([status, body.outcome, body.revision], [200, "unchanged", 1]);
          assert.equal(headers.get("etag"), first.headers.get("etag"));
        }
        const after = await db.kysely.selectFrom("decisions").select("id").execute();
        assert.equal(after.length, before.length);
      });

      test("versions and further attestations are kept beside each other, newest first", async () => {
        let time = Date.parse("2026-11-29T00:00:00Z");
        const { put, send, db } = await open({ now: () => new Date(time += 1000) });
        await put(URN, CARD);
        const more = await put(URN, CARD, {
          provenance: await provenanceOf(URN, CARD, { note: "again" }),
        });
        assert.deepEqual([more.status, more.body.outcome, more.body.version], [200, "updated", 1]);
        const next = { ...CARD, version: 2 };
        const second = await put(URN, next);
        assert.deepEqual([second.body.version, second.body.revision], [2, 3]);
        // Back to the first card: another version with the same digest.
        assert.equal((await put(URN, CARD)).body.version, 3);
        const records = await getProvenance(db, URN);
        assert.deepEqual(records.map(({ version }) => version), [2, 1, 1]);
        const times = records.map(({ committedAt }) => committedAt.getTime());
        assert.deepEqual(times, [...times].sort((a, b) => b - a));
        assert.deepEqual(records.map(({ issuer }) => issuer), ["ci", "ci", "ci"]);
        const { body } = await send("GET", `/v1/registry/${URN}/versions`);
        assert.deepEqual(body.versions.map(({ version }: { version: number }) => version), [
          3,
          2,
          1,
        ]);
        const old = await send("GET", `/v1/registry/${URN}?version=2`);
        assert.deepEqual([old.body.card, old.headers.get("etag")], [next, null]);
        assert.equal((await send("GET", `/v1/registry/${URN}?version=9`)).status, 404);
        assert.deepEqual(
          (await send("GET", `/v1/registry/${URN}`)).body.provenance.attestations,
          2,
        );
      });

      test("If-Match and If-None-Match lose no update", async () => {
        const { put, send } = await open();
        const create = { headers: { "if-none-match": "*" } };
        const first = await put(URN, CARD, create);
        assert.equal(first.status, 201);
        assert.equal((await put(URN, { v: 2 }, create)).status, 412);
        const etag = first.headers.get("etag")!;
        const match = { headers: { "if-match": etag } };
        const both = await Promise.all([put(URN, { v: 2 }, match), put(URN, { v: 3 }, match)]);
        assert.deepEqual(both.map(({ status }) => status).sort(), [200, 412]);
        assert.equal((await put(URN, { v: 4 }, match)).body.reason, "revision-mismatch");
        assert.equal(
          (await put(URN, { v: 4 }, { headers: { "if-match": `W/${etag}` } })).status,
          412,
        );
        const now = (await send("GET", `/v1/registry/${URN}`)).headers.get("etag")!;
        const listed = { headers: { "if-match": `"x", ${now}` } };
        assert.equal((await put(URN, { v: 4 }, listed)).status, 200);
        assert.equal(
          (await put("urn:acme:no", CARD, { headers: { "if-match": "*" } })).status,
          412,
        );
        const known = await send("GET", `/v1/registry/${URN}`, {
          headers: { "if-none-match": now },
        });
        assert.equal(known.status, 200);
        const newest = (await send("GET", `/v1/registry/${URN}`)).headers.get("etag")!;
        const fresh = await send("GET", `/v1/registry/${URN}`, {
          headers: { "if-none-match": newest },
        });
        assert.deepEqual([fresh.status, fresh.body], [304, ""]);
      });

      test("of many PUTs of one urn at the same time each becomes a version", async () => {
        const { put, send, db } = await open();
        const answers = await Promise.all(
          Array.from({ length: 8 }, (_, i) => put(URN, { ...CARD, version: i })),
        );
        assert.deepEqual(answers.map(({ status }) => status).sort(), [
          ...Array(7).fill(200),
          201,
        ]);
        const versions = answers.map(({ body }) => body.version).sort((a, b) => a - b);
        assert.deepEqual(versions, Array.from({ length: 8 }, (_, i) => i + 1));
        assert.equal((await send("GET", `/v1/registry/${URN}`)).body.version, 8);
        const rows = await db.kysely.selectFrom("manifest_versions").select(["version", "card"])
          .execute();
        assert.equal(new Set(rows.map(({ card }) => card)).size, 8);
        const decisions = await db.kysely.selectFrom("decisions").select("revision")
          .where("urn", "=", URN).orderBy("revision").execute();
        assert.deepEqual(decisions.map(({ revision }) => revision), versions);
      });

      test("finds attestations by the digest of a subject, in pages", async () => {
        const { put, send } = await open();
        await put(URN, CARD, {
          provenance: await Promise.all(
            ["1", "2", "3"].map((note) => provenanceOf(URN, CARD, { note })),
          ),
        });
        await put("urn:acme:other", { other: true });
        const path = `/v1/attestations/sha256:${cardDigest(CARD)}`;
        const all = await send("GET", path);
        assert.equal(all.body.attestations.length, 3);
        assert.equal(all.body.cursor, undefined);
        const ids: string[] = [];
        for (let cursor: string | undefined = "";;) {
          const more: string = cursor === "" ? "" : `&cursor=${cursor}`;
          const { body, status } = await send("GET", `${path}?limit=1${more}`);
          assert.equal(status, 200);
          ids.push(...body.attestations.map(({ id }: { id: string }) => id));
          cursor = body.cursor;
          if (cursor === undefined) break;
        }
        assert.deepEqual(ids, all.body.attestations.map(({ id }: { id: string }) => id));
        const none = await send("GET", `/v1/attestations/sha256:${"0".repeat(64)}`);
        assert.deepEqual(none.body, { attestations: [] });
        assert.equal(
          (await send("GET", "/v1/attestations/sha256:zz")).body.reason,
          "invalid-digest",
        );
      });

      test("lists and searches in pages", async () => {
        const { put, send } = await open(await permissive());
        const names = ["urn:acme:a", "urn:acme:B_1", "urn:acme:b:c", "urn:acme2:a", "urn:zoo:x"];
        for (const [i, urn] of names.entries()) {
          await put(urn, { i }, i === 2 ? { provenance: [] } : {});
        }
        const list = async (query: string): Promise<string[]> => {
          const { body, status } = await send("GET", `/v1/registry?${query}`);
          assert.equal(status, 200, JSON.stringify(body));
          return body.manifests.map(({ urn }: { urn: string }) => urn);
        };
        assert.deepEqual(await list(""), [...names].sort());
        assert.deepEqual(await list("prefix=urn:acme:"), names.slice(0, 3).sort());
        assert.deepEqual(await list("q=B"), ["urn:acme:B_1", "urn:acme:b:c"]);
        assert.deepEqual(await list("q=_"), ["urn:acme:B_1"]);
        assert.deepEqual(await list("q=%25"), []);
        assert.deepEqual(await list("verdict=FAILED"), ["urn:acme:b:c"]);
        assert.deepEqual(await list(`builder=${encodeURIComponent(BUILDER)}&prefix=urn:z`), [
          "urn:zoo:x",
        ]);
        assert.deepEqual(await list("issuer=nobody"), []);
        assert.deepEqual(await list(`digest=sha256:${cardDigest({ i: 0 })}`), ["urn:acme:a"]);
        const paged: string[] = [];
        for (let query = "limit=2"; query !== "";) {
          const { body } = await send("GET", `/v1/registry?${query}`);
          paged.push(...body.manifests.map(({ urn }: { urn: string }) => urn));
          query = body.cursor === undefined ? "" : `limit=2&cursor=${body.cursor}`;
        }
        assert.deepEqual(paged, [...names].sort());
      });

      test("gives the history in pages", async () => {
        const { put, send } = await open();
        for (let i = 0; i < 5; i++) {
          await put(URN, CARD, { provenance: await provenanceOf(URN, CARD, { note: `${i}` }) });
        }
        const seen: string[] = [];
        let path = `/v1/registry/${URN}/provenance?limit=2`;
        for (let pages = 0; path !== ""; pages++) {
          const { body, status } = await send("GET", path);
          assert.equal(status, 200);
          assert.ok(pages < 4 && body.records.length <= 2);
          for (const { id, envelope, committedAt } of body.records) {
            assert.equal(`sha256:${encodeHex(sha256(utf8(envelope)))}`, id);
            assert.ok(Date.parse(committedAt) > 0);
            seen.push(id);
          }
          path = body.cursor === undefined
            ? ""
            : `/v1/registry/${URN}/provenance?limit=2&cursor=${body.cursor}`;
        }
        assert.equal(new Set(seen).size, 5);
        const none = await send("GET", "/v1/registry/urn:acme:none/provenance");
        assert.equal(none.status, 404);
      });

      test("a dry run tells all problems at once and keeps nothing", async () => {
        const { send, db } = await open();
        const { stranger } = await testSigners();
        const path = `/v1/registry/${URN}/dry-run`;
        const good = { urn: URN, card: CARD, provenance: await provenanceOf(URN, CARD) };
        const fine = await send("POST", path, { body: good });
        assert.deepEqual([fine.status, fine.body.ok, fine.body.wouldAnswer], [200, true, 201]);
        const bad = {
          ...good,
          provenance: [
            await provenanceOf(URN, CARD, { signer: stranger }),
            await provenanceOf("urn:acme:other", CARD),
            { nothing: true },
          ],
        };
        const { body } = await send("POST", path, { body: bad });
        assert.deepEqual([body.ok, body.wouldAnswer], [false, 422]);
        const reasons = body.problems.map(({ reason }: { reason: string }) => reason);
        for (const reason of ["invalid-signature", "subject-name-mismatch", "unknown-format"]) {
          assert.ok(reasons.includes(reason), JSON.stringify(reasons));
        }
        const shape = await send("POST", path, { body: { urn: "urn:x:y", crad: 1, sig: 2 ** 60 } });
        assert.equal(shape.body.wouldAnswer, 400);
        assert.deepEqual(
          shape.body.problems.map(({ path }: { path: string }) => path),
          ["/crad", "/urn", "/card", "/sig"],
        );
        assert.deepEqual(await db.kysely.selectFrom("manifests").selectAll().execute(), []);
      });

      test("API keys are hashed, have a scope, and can be revoked", async () => {
        const { put, db, log } = await open();
        const { key, apiKey } = await createApiKey(db, { name: "web", urnPrefix: "urn:acme:web" });
        const rows = await db.kysely.selectFrom("api_keys").selectAll().execute();
        assert.ok(!JSON.stringify(rows).includes(key.slice(-20)));
        assert.equal((await put("urn:acme:web:1", CARD, { key })).status, 201);
        const bearer = { key: null, headers: { authorization: `Bearer ${key}` } };
        assert.equal((await put("urn:acme:web", CARD, bearer)).status, 201);
        const outside = await put("urn:acme:website", CARD, { key });
        assert.deepEqual([outside.status, outside.body.reason], [403, "urn-out-of-scope"]);
        const none = await put("urn:acme:web", CARD, { key: null });
        assert.deepEqual([none.status, none.body.reason], [401, "missing-api-key"]);
        const last = key.endsWith("A") ? "B" : "A";
        for (
          const wrong of [`${key.slice(0, -1)}${last}`, "", "x", `${key} `.repeat(99), "' or 1=1"]
        ) {
          const { status, body } = await put("urn:acme:web", CARD, { key: wrong });
          assert.deepEqual([status, body.reason], [401, "invalid-api-key"], wrong);
        }
        const two = { key, headers: { authorization: `Bearer ${key.slice(0, -1)}${last}` } };
        assert.equal((await put("urn:acme:web", CARD, two)).status, 401);
        assert.equal(await revokeApiKey(db, apiKey.id), true);
        assert.equal(await revokeApiKey(db, apiKey.id), false);
        assert.equal((await put("urn:acme:web:1", CARD, { key })).body.reason, "invalid-api-key");
        const listed = (await listApiKeys(db)).find(({ id }) => id === apiKey.id);
        assert.ok(listed?.revokedAt instanceof Date);
        const actions = await db.kysely.selectFrom("decisions").select("action")
          .where("actor", "=", apiKey.id).execute();
        const kinds = new Set(actions.map(({ action }) => action));
        assert.deepEqual([...kinds].sort(), ["key-created", "key-revoked", "put"]);
        await assert.rejects(createApiKey(db, { name: "x", urnPrefix: "urn:a:*" }), {
          reason: "malformed-urn",
        });
        assert.ok(!JSON.stringify(log).includes(key.slice(-20)), "a key is in the log");
      });
    },
  );
}
