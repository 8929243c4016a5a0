import assert from "node:assert/strict";
import { test } from "node:test";
import { createEnvelope } from "../dsse/mod.ts";
import { utf8 } from "../internal/bytes.ts";
import { encodeHex } from "../internal/hex.ts";
import { sha256 } from "../internal/sha256.ts";
import { generateSigner } from "../keys/mod.ts";
import { REVOCATIONS_PAYLOAD_TYPE } from "../policy/mod.ts";
import { type MemoryFile, MemoryRuntime } from "../tests/cli_runtime.ts";
import { main } from "./main.ts";

const NOW = new Date("2026-03-10T00:00:00Z");

async function machine() {
  const ci = await generateSigner("Ed25519", { name: "ci" });
  const owner = await generateSigner("Ed25519", { name: "security" });
  const statement = {
    _type: "https://in-toto.io/Statement/v1",
    subject: [{ name: "app", digest: { sha256: encodeHex(sha256(utf8("app"))) } }],
    predicateType: "https://example.com/checked/v1",
    predicate: {},
  };
  const type = "application/vnd.in-toto+json";
  const list = async (sequence: number, at: string, more: object = {}) =>
    JSON.stringify(
      await createEnvelope(
        REVOCATIONS_PAYLOAD_TYPE,
        utf8(JSON.stringify({
          type: "attest-revocations/v1",
          sequence,
          issuedAt: "2026-03-09T00:00:00Z",
          expires: "2026-03-16T00:00:00Z",
          revocations: [{ key: `sha256:${ci.trustedKey.fingerprint}`, at, reason: "retired" }],
          ...more,
        })),
        owner.signer,
      ),
    );
  const files: Record<string, MemoryFile> = {
    app: "app",
    "app.att.json": JSON.stringify(
      await createEnvelope(type, utf8(JSON.stringify(statement)), ci.signer),
    ),
    "owner.pub": owner.publicKey,
    "ci.pub": ci.publicKey,
    "policy.json": JSON.stringify({
      type: "attest-policy/v1",
      trust: { keys: { ci: { publicKey: ci.publicKey } } },
      rules: [{ id: "r", require: [{ id: "s", envelope: { signedBy: { of: ["ci"] } } }] }],
    }),
    "late.json": await list(1, "2026-06-01T00:00:00Z"),
    "now.json": await list(2, "2026-03-01T00:00:00Z"),
    "old.json": await list(3, "2026-03-01T00:00:00Z", { expires: "2026-03-09T12:00:00Z" }),
  };
  return async (...args: string[]) => {
    const runtime = new MemoryRuntime(files, ["verify", "app", ...args]);
    runtime.now = () => NOW;
    const status = await main(runtime);
    for (const [name, file] of runtime.files) files[name] = file;
    return { status, out: runtime.stdout, err: runtime.stderr };
  };
}

test("--revocations takes keys of a policy out of use, from the moment that the list says", async () => {
  const run = await machine();
  const by = ["--policy=policy.json", "--revocations-key=owner.pub"];
  assert.equal((await run("--policy=policy.json")).status, 0);
  assert.equal((await run(...by, "--revocations=late.json")).status, 0);
  const refused = await run(...by, "--revocations=now.json");
  assert.equal(refused.status, 1);
  assert.match(refused.out, /key-revoked/);
});

test("--revocations-state keeps the newest list, and refuses an older one", async () => {
  const run = await machine();
  const by = ["--policy=policy.json", "--revocations-key=owner.pub", "--revocations-state=state"];
  assert.equal((await run(...by, "--revocations=late.json")).status, 0);
  assert.equal((await run(...by, "--revocations=now.json")).status, 1);
  assert.equal((await run(...by, "--revocations=now.json")).status, 1);
  const back = await run(...by, "--revocations=late.json");
  assert.equal(back.status, 2);
  assert.match(back.err, /revocation-list-rollback/);
  const broken = await run(...by.slice(0, 2), "--revocations-state=app", "--revocations=now.json");
  assert.equal(broken.status, 2);
});

test("--revocations refuses what is not signed, is over, or is given without its other options", async () => {
  const run = await machine();
  const by = ["--policy=policy.json"];
  const cases: [string[], RegExp][] = [
    [[...by, "--revocations=now.json"], /--revocations needs --revocations-key/],
    [[...by, "--revocations-key=owner.pub"], /--revocations-key needs --revocations/],
    [["--key=ci.pub", "--revocations=now.json"], /--revocations needs --policy/],
    [[...by, "--revocations=now.json", "--revocations-key=ci.pub"], /invalid-signature/],
    [[...by, "--revocations=old.json", "--revocations-key=owner.pub"], /revocation-list-expired/],
    [[...by, "--revocations=policy.json", "--revocations-key=owner.pub"], /malformed-envelope/],
  ];
  for (const [args, message] of cases) {
    const { status, out, err } = await run(...args);
    assert.equal(status, 2, out);
    assert.match(err, message);
  }
});
