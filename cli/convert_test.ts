import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { createEnvelope } from "../dsse/mod.ts";
import { jarFile } from "../formats/attached/_signed_fixtures_test.ts";
import { compact, joseSignature, keyOf, STATEMENT } from "../formats/_fixtures_test.ts";
import { map, sign1, text } from "../formats/cose/_fixtures_test.ts";
import { encodeBase64 } from "../internal/base64.ts";
import { blake2b512 } from "../internal/blake2b.ts";
import { concat, utf8 } from "../internal/bytes.ts";
import { encodeHex } from "../internal/hex.ts";
import { encodePem } from "../internal/pem.ts";
import { sha256 } from "../internal/sha256.ts";
import { generateSigner } from "../keys/mod.ts";
import { type MemoryFile, MemoryRuntime } from "../tests/cli_runtime.ts";
import { testKey } from "../tools/pki/keys.ts";
import { payloadOf } from "../tests/signing_machine.ts";
import { CONVERT_OPTIONS } from "./convert_options.ts";
import { main } from "./main.ts";

const GOOD = { alg: "EdDSA", cty: "vnd.in-toto+json" };
const ORIGIN = [
  ...["--attester=https://acme.example/ci", "--download-location=https://acme.example/old"],
  "--signing-key=new.key",
];
const KEY = "--key=old.pub";
const made = generateSigner("ES256");

async function machine(more: Record<string, MemoryFile>) {
  const { privateKey, publicKey } = await made;
  const { trustedKey } = await keyOf("Ed25519");
  return {
    "abc": "abc",
    "old.pub": encodePem("PUBLIC KEY", trustedKey.spki),
    "new.key": privateKey,
    "new.pub": publicKey,
    ...more,
  };
}

async function convert(more: Record<string, MemoryFile>, ...args: string[]) {
  const runtime = new MemoryRuntime(await machine(more), ["convert", ...args, ...ORIGIN]);
  const before = [...runtime.files.keys()];
  const status = await main(runtime);
  const written = [...runtime.files.keys()].filter((name) => !before.includes(name));
  return { status, out: runtime.stdout, err: runtime.stderr, files: runtime.files, written };
}

/** Nothing is written, with the status and the reason. */
async function refuses(
  more: Record<string, MemoryFile>,
  reason: string,
  ...args: string[]
): Promise<void> {
  const { status, err, written, out } = await convert(more, ...args);
  assert.ok(err.includes(`(${reason})`), `${reason}: ${err}`);
  assert.equal(status, reason === "usage" ? 2 : 1);
  assert.deepEqual(written, []);
  assert.equal(out, "");
}

const statementIn = (file: MemoryFile | undefined) => JSON.parse(payloadOf(String(file)));

async function minisig(over: Uint8Array): Promise<string> {
  const { signer } = await keyOf("Ed25519");
  const signature = await signer.sign(blake2b512(over));
  const global = await signer.sign(concat(signature, utf8("t")));
  const line = encodeBase64(concat(utf8("ED"), new Uint8Array(8), signature));
  return `untrusted comment: x\n${line}\ntrusted comment: t\n${encodeBase64(global)}\n`;
}

describe("attest convert", () => {
  it("makes a Statement of a JWS, which verify takes beside the artifact", async () => {
    const token = await compact(GOOD, { ...STATEMENT, predicate: { secret: "old words" } });
    const done = await convert({ "a.jws": token }, "a.jws", "abc", KEY);
    assert.equal(done.status, 0, done.err);
    assert.deepEqual(done.written, ["abc.sigstore.json"]);
    const statement = statementIn(done.files.get("abc.sigstore.json"));
    assert.deepEqual(statement.subject, STATEMENT.subject);
    const [reference] = statement.predicate.references;
    const { trustedKey } = await keyOf("Ed25519");
    assert.deepEqual(reference, {
      downloadLocation: "https://acme.example/old",
      mediaType: "application/octet-stream",
      digest: { sha256: encodeHex(sha256(utf8(token))) },
      annotations: {
        format: "jws",
        predicateType: STATEMENT.predicateType,
        signers: [trustedKey.fingerprint],
      },
    });
    assert.equal(JSON.stringify(statement).includes("old words"), false);
    const line = /Verify it with:\n {2}attest (.*)\n/.exec(done.out)?.[1] ?? "";
    const verified = new MemoryRuntime(Object.fromEntries(done.files), line.split(" "));
    assert.equal(await main(verified), 0, verified.stdout + verified.stderr);
  });

  it("takes COSE, a bundle of its own making, and a document without an artifact", async () => {
    const source = await sign1();
    const first = await convert({ "a.cose": source }, "a.cose", KEY, "--output=b.json");
    assert.equal(first.status, 0, first.err);
    const again = await convert(
      { "b.json": first.files.get("b.json")! },
      ...["b.json", "abc", "--key=new.pub", "--output=-", "--bundle-format=dsse"],
    );
    assert.equal(again.status, 0, again.err);
    const statement = statementIn(again.out);
    assert.deepEqual(statement.subject, STATEMENT.subject);
    const { annotations } = statement.predicate.references[0];
    assert.equal(annotations.format, "sigstore-bundle");
    assert.deepEqual(again.written, []);
  });

  it("takes a signature over the artifact, and one over a list of checksums", async () => {
    const over = await convert({ "s": await minisig(utf8("abc")) }, "s", "abc", KEY);
    assert.equal(over.status, 0, over.err);
    const hex = encodeHex(sha256(utf8("abc")));
    const own = statementIn(over.files.get("abc.sigstore.json"));
    assert.equal(own.subject[0].name, "abc");
    assert.equal(own.subject[0].digest.sha256, hex);
    assert.equal(own.predicate.references[0].annotations.predicateType, "raw-artifact-signature");
    const list = `${hex}  abc\n${"0".repeat(64)}  other\n`;
    const files = { "SUMS": list, "SUMS.minisig": await minisig(utf8(list)) };
    const words = ["SUMS.minisig", "--message=SUMS", KEY, "--output=n.json"];
    const listed = await convert(files, ...words);
    assert.equal(listed.status, 0, listed.err);
    assert.deepEqual(
      statementIn(listed.files.get("n.json")).subject.map(({ name }: { name: string }) => name),
      ["abc", "other"],
    );
    await refuses({ ...files, SUMS: `${list} ` }, "invalid-signature", ...words);
  });

  it("converts nothing that is read and not verified", async () => {
    const token = await compact(GOOD, STATEMENT);
    const out = "--output=n.json";
    await refuses({ "a.jws": token }, "missing-trusted-key", "a.jws", out);
    await refuses({ "a.jws": token }, "key-algorithm-mismatch", "a.jws", "--key=new.pub", out);
    const stranger = await compact(GOOD, STATEMENT, "Ed25519", "mallory");
    await refuses({ "a.jws": stranger }, "invalid-signature", "a.jws", KEY, out);
    const jose = await joseSignature(GOOD, STATEMENT);
    const changed = JSON.stringify({ ...jose, payload: jose.payload.replace(/^.{8}/, "eyJfdHl1") });
    await refuses({ "a.json": changed }, "invalid-signature", "a.json", KEY, out);
    await refuses(
      { "s.json": JSON.stringify(STATEMENT) },
      "unsigned-statement",
      "s.json",
      KEY,
      out,
    );
    const bom = JSON.stringify({ bomFormat: "CycloneDX", specVersion: "1.6" });
    await refuses({ "s.json": bom }, "unsigned-statement", "s.json", KEY, out);
    const proof = `version=2\nlog=${"a".repeat(64)}\nleaf=00 11\n`;
    await refuses({ "t.proof": proof }, "format-not-verified", "t.proof", KEY, out);
    await refuses({ "x": "hello" }, "malformed-json", "x", KEY, out);
    const other = await compact(GOOD, { hello: 1 });
    await refuses({ "a.jws": other }, "malformed-statement", "a.jws", KEY, out);
    const { signer } = await keyOf("Ed25519");
    const text = JSON.stringify(await createEnvelope("text/plain", utf8("hello"), signer));
    await refuses({ "a.json": text }, "unsupported-payload-type", "a.json", KEY, out);
  });

  it("converts no detached signature without what it is over, and none about another artifact", async () => {
    const out = "--output=n.json";
    await refuses({ "s": await minisig(utf8("abc")) }, "artifact-required", "s", KEY, out);
    await refuses({ "s": await minisig(utf8("abd")) }, "invalid-signature", "s", "abc", KEY, out);
    const token = await compact(GOOD, STATEMENT);
    await refuses({ "a": token, "b": "b" }, "subject-mismatch", "a", "b", KEY, out);
    const digest = `--digest=sha256:${"0".repeat(64)}`;
    await refuses({ "a": token }, "subject-mismatch", "a", digest, KEY, out);
    const type = "--predicate-type=https://example.com/other/v1";
    await refuses({ "a": token }, "predicate-type-mismatch", "a", type, KEY, out);
    await refuses({ "a": token }, "format-not-accepted", "a", "--accept-format=dsse", KEY, out);
  });

  it("copies nothing that nobody signed", async () => {
    const jose = await joseSignature(GOOD, STATEMENT);
    const source = JSON.stringify({ ...jose, header: { note: "unsigned words", kid: "unsigned" } });
    const done = await convert({ "a.json": source }, "a.json", KEY, "--output=-");
    assert.equal(done.status, 0, done.err);
    assert.equal(payloadOf(done.out).includes("unsigned"), false);
    const cose = await sign1({ unprotected: map(["note", text("unsigned")]) });
    const other = await convert({ "a.cose": cose }, "a.cose", KEY, "--output=-");
    assert.equal(other.status, 0, other.err);
    assert.equal(payloadOf(other.out).includes("unsigned"), false);
  });

  it("says of a file that carries its signature that parts of it are not signed", async () => {
    const files = {
      "app.jar": await jarFile(),
      "release.pub": encodePem("PUBLIC KEY", (await testKey("leaf-p256")).spki),
    };
    const done = await convert(files, "app.jar", "app.jar", "--key=release.pub");
    assert.equal(done.status, 0, done.err);
    const { predicate } = statementIn(done.files.get("app.jar.sigstore.json"));
    assert.equal(predicate.references[0].annotations.coverage, "artifact-sections");
  });

  it("tells a program why nothing was written", async () => {
    const token = await compact(GOOD, STATEMENT, "Ed25519", "mallory");
    const words = ["a.jws", "abc", KEY, "--format=json"];
    const { status, out, written } = await convert({ "a.jws": token }, ...words);
    assert.equal(status, 1);
    assert.deepEqual(written, []);
    const told = JSON.parse(out);
    assert.equal(told.ok, false);
    assert.equal(told.phase, "verification");
    assert.equal(told.errorReason, "invalid-signature");
    const good = await convert({ "a.jws": await compact(GOOD) }, ...words);
    assert.equal(JSON.parse(good.out).attestations[0].file, "abc.sigstore.json");
  });

  it("writes over nothing that it is told to read", async () => {
    const others = ["output", "signing-key"];
    const names = CONVERT_OPTIONS.filter(({ value }) => value === "FILE").map(({ name }) => name);
    assert.ok(names.length > 12, names.join());
    for (const name of names.filter((one) => !others.includes(one))) {
      const given = { "a.jws": await compact(GOOD), "f": "kept" };
      const words = ["a.jws", KEY, `--${name}=f`, "--output=./f", "--force"];
      const { status, err, files } = await convert(given, ...words);
      assert.equal(status, 2, name);
      assert.ok(err.includes("is read and would be lost"), `${name}: ${err}`);
      assert.equal(files.get("f"), "kept");
    }
  });

  it("takes no layout: nothing of one is in the new form", async () => {
    for (const more of ["--layout=root.layout", "--links=links"]) {
      await refuses({ "a.jws": await compact(GOOD) }, "usage", "a.jws", KEY, more);
    }
  });

  it("refuses a command line that is wrong, before anything is read", async () => {
    const token = await compact(GOOD, STATEMENT);
    const files = { "a.jws": token, "a.jsonl": token, "n.json": "mine" };
    for (
      const words of [
        [],
        ["a.jsonl", "--output=x.json"],
        ["a.jws"],
        ["a.jws", "abc", "--attester=x"],
        ["a.jws", "abc", "--media-type=x"],
        ["a.jws", "abc", "--unsafe-any-identity"],
        ["a.jws", "--output=a.jws", "--force"],
        ["a.jws", "--output=new.key", "--force"],
        ["a.jws", "--output=old.pub", "--force"],
        ["a.jws", "abc", "--policy=p.json"],
      ]
    ) await refuses(files, "usage", ...words, KEY);
    const there = await convert(files, "a.jws", KEY, "--output=n.json");
    assert.equal(there.status, 2);
    assert.ok(there.err.includes("file-exists"));
    const forced = await convert(files, "a.jws", KEY, "--output=n.json", "--force");
    assert.equal(forced.status, 0, forced.err);
    const readonly = { ...files, "readonly/a": "" };
    const failed = await convert(readonly, "a.jws", KEY, "--output=readonly/n.json");
    assert.equal(failed.status, 2);
    assert.deepEqual(failed.written, []);
  });
});
