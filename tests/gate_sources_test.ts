/** `gate` with a registry, its database, and a store as the places of provenance. Deno only. */

import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { after, before, describe, it } from "node:test";
import { utf8 } from "../internal/bytes.ts";
import { createFolderStore } from "../store/fs.ts";
import { sqliteDriver } from "../store/sql/sqlite.ts";
import { HAS_GIT, reasonsOf, Repository } from "./gate_machine.ts";
import {
  openRegistry,
  provenanceOf,
  signaturePolicy,
  type TestRegistry,
} from "./registry/fixture.ts";

const CARD = { name: "alice", skills: ["a"] };
const URN = "urn:acme:agent:alice";
const BASE = "https://registry.example/base";

const skip = !HAS_GIT ? "git is not installed" : "Deno" in globalThis ? false : "Deno only";

describe("gate with a registry", { skip }, () => {
  let repository: Repository;
  let registry: TestRegistry;
  let database = "";
  const asked: { url: string; key: string | null }[] = [];

  before(async () => {
    repository = await Repository.create();
    database = `${repository.folder}.db`;
    registry = await openRegistry(sqliteDriver(database));
    assert.equal((await registry.put(URN, CARD)).status, 201);
    assert.equal((await registry.put("urn:acme:svc:pay", { v: 1 })).status, 201);
    const key = JSON.stringify(await signaturePolicy());
    repository.write("policy.json", key);
    repository.write(
      "gate.json",
      JSON.stringify({
        type: "attest-gate-rules/v1",
        unmatched: "ignored",
        rules: [
          { id: "cards", paths: "cards/*.json", urn: "urn:acme:agent:{1}" },
          { id: "svc", paths: "svc/*/**", urn: "urn:acme:svc:{1}", subject: "stored" },
          { id: "dist", paths: "dist/**", artifact: true },
        ],
      }),
    );
    repository.commit();
    repository.write("cards/alice.json", JSON.stringify(CARD, undefined, 2));
    repository.write("cards/bob.json", '{"name":"bob"}');
    repository.write("svc/pay/main.ts", "code");
    repository.write("svc/mail/main.ts", "code");
    repository.commit();
  });
  after(async () => {
    await registry.db.close();
    await Deno.remove(database);
    repository.remove();
  });

  const ARGS = ["--policy=policy.json", "--rules=gate.json", "--format=json"];

  const WANTED = {
    [URN]: "ok",
    "urn:acme:agent:bob": "missing-attestation",
    "urn:acme:svc:mail": "attestation-not-found",
    "urn:acme:svc:pay": "ok",
  };

  function fetchOf(answer?: (url: string) => Response | undefined) {
    return async (url: string, init?: RequestInit): Promise<Response> => {
      asked.push({ url, key: new Headers(init?.headers).get("x-api-key") });
      const other = answer?.(url);
      if (other !== undefined) return other;
      const path = url.slice(BASE.length);
      return await registry.registry.handler(new Request(`https://r.example${path}`, init));
    };
  }

  it("looks provenance up over HTTP, with the key of the environment", async () => {
    const outcome = await repository.gate([...ARGS, `--registry=${BASE}/`], {
      runtime: { fetch: fetchOf() },
      variables: { ATTEST_API_KEY: registry.key },
    });
    assert.deepEqual(reasonsOf(outcome), WANTED, outcome.err);
    assert.equal(outcome.status, 1);
    assert.ok(asked.length > 3);
    for (const { url, key } of asked) {
      assert.ok(url.startsWith(`${BASE}/v1/`), url);
      assert.equal(key, registry.key);
    }
    assert.ok(!(outcome.out + outcome.err).includes(registry.key));
  });

  it("looks provenance up in the database, and changes nothing in it", async () => {
    const outcome = await repository.gate([...ARGS, `--db=${database}`]);
    assert.deepEqual(reasonsOf(outcome), WANTED, outcome.err);
    const absent = await repository.gate([...ARGS, `--db=${database}.not`]);
    assert.equal(absent.status, 2);
    assert.match(absent.err, /it does not exist \(store-unavailable\)/);
  });

  it("stops where the registry does not answer as one", async () => {
    const answers: [string, () => Response][] = [
      ["no registry", () => new Response("<html>", { status: 404 })],
      ["another 404", () => Response.json({ error: "not_found" }, { status: 404 })],
      ["no list", () => Response.json({ digest: `sha256:${"a".repeat(64)}` })],
      ["another digest", () => Response.json({ digest: "md5:x", records: [] })],
      ["refused", () => Response.json({ error: "invalid_api_key" }, { status: 401 })],
      ["elsewhere", () => new Response(null, { status: 302, headers: { location: "https://x" } })],
      ["without end", () =>
        Response.json({
          digest: `sha256:${"a".repeat(64)}`,
          records: [],
          attestations: [],
          cursor: "again",
        })],
    ];
    for (const [name, answer] of answers) {
      const outcome = await repository.gate([...ARGS, `--registry=${BASE}`], {
        runtime: { fetch: fetchOf(answer), sleep: () => Promise.resolve() },
      });
      assert.equal(outcome.status, 2, `${name}: ${outcome.out}`);
      assert.match(outcome.err, /\(store-unavailable\)/, name);
    }
    for (const address of ["registry", "ftp://x", `${BASE}?key=1`, "http://registry.example"]) {
      const outcome = await repository.gate([...ARGS, `--registry=${address}`], {
        runtime: { fetch: fetchOf() },
      });
      assert.equal(outcome.status, 2, address);
    }
  });

  it("believes no digest that a registry states, where the rule asks for the card", async () => {
    const other = "urn:acme:agent:alice";
    const lie = await provenanceOf(other, { name: "mallory" });
    const digest = `sha256:${"b".repeat(64)}`;
    const outcome = await repository.gate([...ARGS, `--registry=${BASE}`], {
      runtime: {
        fetch: fetchOf((url) => {
          if (url.includes("/provenance")) {
            return Response.json({
              records: [{ digest, id: "x", envelope: JSON.stringify(lie) }],
            });
          }
          return url.includes("/attestations/")
            ? Response.json({ attestations: [{ id: "y", bundle: lie }] })
            : Response.json({ digest });
        }),
      },
    });
    assert.equal(outcome.status, 1);
    assert.ok(Object.values(reasonsOf(outcome)).every((reason) => reason !== "ok"));
  });

  it("looks in stores of every kind, and says what they leave out", async () => {
    const bob = JSON.stringify(await provenanceOf("urn:acme:agent:bob", { name: "bob" }));
    const path = `${repository.folder}.pub-store`;
    mkdirSync(path);
    const folder = createFolderStore(`${path}/kept`);
    await folder.put(utf8(bob));
    writeFileSync(`${path}/all.jsonl`, `${bob}\nno attestation\n`);
    const server = "https://attested.example/of/";
    const asked: string[] = [];
    const runtime = {
      fetch: (url: string) => {
        asked.push(url);
        const isBob = url === `${server}bob.json.sigstore.json`;
        return Promise.resolve(new Response(isBob ? bob : "", { status: isBob ? 200 : 404 }));
      },
    };
    const wanted = { ...WANTED, "urn:acme:agent:bob": "ok" };
    for (const store of [`${path}/kept`, `${path}/all.jsonl`, server]) {
      const outcome = await repository.gate([...ARGS, `--store=${store}`, `--db=${database}`], {
        runtime,
      });
      assert.deepEqual(reasonsOf(outcome), wanted, `${store}: ${outcome.err}`);
      const told = /notice: .*all\.jsonl/.test(outcome.err);
      assert.equal(told, store.endsWith(".jsonl"), outcome.err);
    }
    assert.ok(asked.includes(`${server}bob.json.sigstore.json`), asked.join("\n"));
    const both = [`--store=${path}/kept`, `--store=${path}/all.jsonl`];
    assert.deepEqual(
      reasonsOf(await repository.gate([...ARGS, ...both, `--db=${database}`])),
      wanted,
    );
    const refused: [string, RegExp][] = [
      [`--store=${path}/not`, /\(store-unavailable\)/],
      [`--store=${path}/not.jsonl`, /\(store-unavailable\)/],
      [`--store=${path}`, /no store.*\(store-unavailable\)/],
      ["--store=ftp:place", /Unknown kind of store|\(store-unavailable\)/],
      ["--store=github:acme/app", /GitHub's API is not named/],
      ["--github-api=https://api.example", /needs --store/],
      ["--platform=linux/amd64", /Unknown option/],
    ];
    for (const [option, message] of refused) {
      const { status, err } = await repository.gate([...ARGS, option, `--db=${database}`], {
        variables: { GITHUB_API_URL: "" },
      });
      assert.equal(status, 2, option);
      assert.match(err, message);
    }
    await Deno.remove(path, { recursive: true });
  });
});
