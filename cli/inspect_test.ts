import assert from "node:assert/strict";
import { test } from "node:test";
import { encodeBase64 } from "../internal/base64.ts";
import { utf8 } from "../internal/bytes.ts";
import { type MemoryFile, MemoryRuntime } from "../tests/cli_runtime.ts";
import { main } from "./main.ts";

const STATEMENT = {
  _type: "https://in-toto.io/Statement/v1",
  subject: [{ name: "a\x1b[31mpp", digest: { sha256: "a".repeat(64) } }],
  predicateType: "https://slsa.dev/provenance/v1",
  predicate: {
    buildDefinition: {
      buildType: "urn:build",
      externalParameters: { a: 1 },
      resolvedDependencies: [{ uri: "urn:dep" }],
    },
    runDetails: { builder: { id: "urn:builder" } },
  },
};

function envelope(payload: unknown, payloadType = "application/vnd.in-toto+json"): string {
  return JSON.stringify({
    payloadType,
    payload: encodeBase64(utf8(JSON.stringify(payload))),
    signatures: [{ sig: "AAAA", keyid: "ci" }],
  });
}

async function inspect(
  files: Record<string, MemoryFile>,
  ...args: string[]
): Promise<{ status: number; out: string; err: string }> {
  const runtime = new MemoryRuntime(files, ["inspect", ...args]);
  const status = await main(runtime);
  return { status, out: runtime.stdout, err: runtime.stderr };
}

test("inspect shows the layers of an envelope under the words NOT VERIFIED", async () => {
  const { status, out } = await inspect({ "a.json": envelope(STATEMENT) }, "a.json");
  assert.equal(status, 0, out);
  assert.ok(out.startsWith("a.json (dsse)  NOT VERIFIED\n  envelope\n"));
  for (
    const text of [
      "signature    3 bytes, keyid ci",
      "predicateType  https://slsa.dev/provenance/v1",
      "kind          provenance",
      "builder       urn:builder (signed)",
      "build type    urn:build (signed)",
      "dependencies  urn:dep (signed)",
    ]
  ) assert.ok(out.includes(text), `${text} in ${out}`);
  assert.ok(!out.includes("\x1b"));
});

test("inspect gives the same as JSON, never verified", async () => {
  const { out } = await inspect({ "a.json": envelope(STATEMENT) }, "a.json", "--format=json");
  const [one] = JSON.parse(out);
  assert.equal(one.verified, false);
  assert.equal(one.statement.predicateType, STATEMENT.predicateType);
  assert.deepEqual(one.envelope.signatures, [{ keyid: "ci", bytes: 3 }]);
});

test("inspect shows what is not in-toto by its type only", async () => {
  const { status, out } = await inspect({ "a.json": envelope("x", "text/plain") }, "a.json");
  assert.equal(status, 0);
  assert.ok(out.includes("payloadType  text/plain"));
  assert.ok(!out.includes("statement"));
});

test("inspect reads each line, and goes on after a bad one", async () => {
  const lines = [envelope(STATEMENT), "{bad", JSON.stringify(STATEMENT)].join("\n");
  const { status, out } = await inspect({ "a.jsonl": lines }, "a.jsonl", "--format=json");
  assert.equal(status, 1);
  const all = JSON.parse(out);
  assert.deepEqual(all.map(({ source }: { source: string }) => source), [
    "a.jsonl#1",
    "a.jsonl#2",
    "a.jsonl#3",
  ]);
  assert.deepEqual(all.map(({ format }: { format: string }) => format), [
    "dsse",
    "unknown",
    "statement",
  ]);
  assert.equal(all[1].problems[0].reason, "malformed-json");
});

test("inspect opens the answer of a registry", async () => {
  const answer = JSON.stringify({
    attestations: [{ predicateType: "x", bundle: JSON.parse(envelope(STATEMENT)) }, {
      predicateType: "y",
    }],
  });
  const { status, out } = await inspect({ "npm.json": answer }, "npm.json", "--format=json");
  assert.equal(status, 1);
  const [one, two] = JSON.parse(out);
  assert.equal(one.source, "npm.json#1");
  assert.equal(one.format, "dsse");
  assert.equal(two.problems[0].reason, "unknown-format");
});

test("inspect opens a list, as verify does, and what gh prints of each", async () => {
  const one = JSON.parse(envelope(STATEMENT));
  const list = JSON.stringify([one, { attestation: { bundle: one } }, 7]);
  const { status, out } = await inspect({ "a.json": list }, "a.json", "--format=json");
  assert.equal(status, 1);
  const found = JSON.parse(out);
  assert.deepEqual(
    found.map((
      { source, format, statement, problems }: {
        source: string;
        format: string;
        statement?: { predicateType: string };
        problems: { reason: string }[];
      },
    ) => [source, format, statement?.predicateType, problems.map(({ reason }) => reason)]),
    [
      ["a.json#1", "dsse", STATEMENT.predicateType, []],
      ["a.json#2", "dsse", STATEMENT.predicateType, []],
      ["a.json#3", "unknown", undefined, ["unknown-format"]],
    ],
  );
  assert.equal((await inspect({ "a.json": "[]" }, "a.json")).status, 1);
});

test("inspect keeps what could be read beside a problem", async () => {
  const { status, out } = await inspect(
    { "a.json": envelope({ _type: "x" }) },
    "a.json",
    "--format=json",
  );
  assert.equal(status, 1);
  const [one] = JSON.parse(out);
  assert.ok(one.envelope !== undefined && one.statement === undefined);
  assert.equal(one.problems.length, 1);
});

test("inspect refuses what cannot be read, with status 1 or 2", async () => {
  const files: Record<string, MemoryFile> = {
    "empty.json": "",
    "empty.jsonl": "",
    "page.json": "<html>",
    "list.json": "[]",
    "package.json": '{"name":"x"}',
    "deep.json": "[".repeat(10_000),
    "locked.json": { unreadable: true },
    "large.json": { size: 1e9 },
  };
  const reasons: Record<string, string> = {
    "empty.json": "empty-input",
    "empty.jsonl": "empty-input",
    "page.json": "malformed-json",
    "list.json": "unknown-format",
    "package.json": "unknown-format",
    "deep.json": "limit-exceeded",
  };
  for (const [name, reason] of Object.entries(reasons)) {
    const { status, out } = await inspect(files, name);
    assert.equal(status, 1, name);
    assert.ok(out.includes(`(${reason})`), out);
  }
  for (
    const [name, reason] of [["locked.json", "unreadable-file"], ["no.jsonl", "unreadable-file"], [
      "large.json",
      "limit-exceeded",
    ]]
  ) {
    const { status, out, err } = await inspect(files, name);
    assert.equal(status, 2, name);
    assert.equal(out, "");
    assert.ok(err.includes(`(${reason})`), err);
  }
  assert.ok((await inspect(files)).err.includes("(usage)"));
});

test("inspect shows what a trusted root holds", async () => {
  const root = '{"mediaType":"application/vnd.dev.sigstore.trustedroot+json;version=0.1"}';
  const { status, out } = await inspect({ "root.json": root }, "root.json", "--format=json");
  assert.equal(status, 0, out);
  assert.deepEqual(JSON.parse(out)[0].trustedRoot.tlogs, []);
});

test("inspect shows what a key set holds, and what is wrong with one", async () => {
  const publicKey = "-----BEGIN PUBLIC KEY-----\n" +
    "MCowBQYDK2VwAyEA11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=\n" +
    "-----END PUBLIC KEY-----\n";
  const revoked = { at: "2026-03-01T00:00:00Z", reason: "compromised" };
  const of = (more: object) =>
    JSON.stringify({ type: "attest-key-set/v1", keys: [{ name: "a", publicKey, ...more }] });
  const files = { "good.json": of({ revoked }), "bad.json": of({ successor: "b" }) };
  const { status, out } = await inspect(files, "good.json");
  assert.equal(status, 0, out);
  assert.match(out, /key a/);
  assert.match(out, /valid at any time, revoked at 2026-03-01T00:00:00\.000Z \(compromised\)/);
  const json = await inspect(files, "good.json", "--format=json");
  assert.equal(JSON.parse(json.out)[0].keySet[0].name, "a");
  const bad = await inspect(files, "bad.json");
  assert.equal(bad.status, 1);
  assert.match(bad.out, /malformed-key-set/);
});
