import assert from "node:assert/strict";
import { test } from "node:test";
import { createEnvelope } from "../dsse/mod.ts";
import { utf8 } from "../internal/bytes.ts";
import { encodeHex } from "../internal/hex.ts";
import { sha256 } from "../internal/sha256.ts";
import { generateSigner } from "../keys/mod.ts";
import { MemoryRuntime } from "../tests/cli_runtime.ts";
import type { VerifyOptions } from "../verify/options.ts";
import type { VerificationReport } from "../verify/report.ts";
import { main } from "./main.ts";
import { NPM_OPTIONS } from "./npm_options.ts";
import { LAYOUT_OPTIONS } from "./supply_chain_options.ts";
import { PLATFORM_OPTIONS } from "./image_options.ts";
import { REGISTRY_OPTIONS } from "./registry_options.ts";
import { VERIFY_POLICY_OPTIONS } from "./policy_options.ts";
import { runVerify } from "./verify.ts";
import type { Verify } from "./verify_artifacts.ts";
import { STORE_OPTIONS } from "./store_options.ts";
import { VERIFY_OPTIONS } from "./verify_options.ts";

const TYPE = "application/vnd.in-toto+json";
const SLSA = "https://slsa.dev/provenance/v1";

const shaOf = (text: string): string => encodeHex(sha256(utf8(text)));

function statement(subjects: Record<string, string>): string {
  return JSON.stringify({
    _type: "https://in-toto.io/Statement/v1",
    subject: Object.entries(subjects).map(([name, text]) => ({
      name,
      digest: { sha256: shaOf(text) },
    })),
    predicateType: SLSA,
    predicate: {},
  });
}

interface Signed {
  /** Public key, PEM. */
  pub: string;
  /** Signs a Statement about named texts. */
  sign(subjects: Record<string, string>): Promise<string>;
}

async function newSigner(): Promise<Signed> {
  const { signer, publicKey } = await generateSigner("Ed25519");
  return {
    pub: publicKey,
    sign: async (subjects) =>
      JSON.stringify(await createEnvelope(TYPE, utf8(statement(subjects)), signer)),
  };
}

let memo: Promise<Signed> | undefined;
const ci = (): Promise<Signed> => memo ??= newSigner();

interface Outcome {
  status: number;
  out: string;
  err: string;
  runtime: MemoryRuntime;
}

async function run(runtime: MemoryRuntime): Promise<Outcome> {
  const status = await main(runtime);
  const { stdout: out, stderr: err } = runtime;
  // Never a stack trace, and nothing that acts on a terminal.
  assert.ok(!/\n\s+at .*[:(]/.test(out + err), err);
  // deno-lint-ignore no-control-regex
  assert.ok(!/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202a-\u202e]/.test(out + err));
  return { status, out, err, runtime };
}

type Files = ConstructorParameters<typeof MemoryRuntime>[0];

async function verifyFiles(files: Files, ...args: string[]): Promise<Outcome> {
  return await run(new MemoryRuntime(files, ["verify", ...args]));
}

function reportOf(outcome: Outcome): VerificationReport {
  return JSON.parse(outcome.out);
}

test("verify accepts an artifact with the attestation next to it", async () => {
  const { pub, sign } = await ci();
  for (
    const suffix of [".sigstore.json", ".sigstore", ".intoto.jsonl", ".intoto.json", ".att.json"]
  ) {
    const files = {
      "dist/app.tgz": "app",
      ["dist/app.tgz" + suffix]: await sign({ "app.tgz": "app" }),
      "ci.pub": pub,
    };
    const { status, out, err } = await verifyFiles(files, "dist/app.tgz", "--key", "ci.pub");
    assert.equal(status, 0, out + err);
    assert.equal(err, "");
    assert.ok(out.indexOf("Expected\n  key ") === 0);
    assert.ok(out.indexOf("Expected") < out.indexOf("PASSED"));
    assert.ok(out.endsWith("PASSED: 1 artifact verified\n"));
  }
});

test("verify finds what gh attestation download named by the digest", async () => {
  const { pub, sign } = await ci();
  for (const separator of [":", "-"]) {
    const name = `sha256${separator}${shaOf("app")}.jsonl`;
    const files = { "app.tgz": "app", [name]: await sign({ "app.tgz": "app" }), "ci.pub": pub };
    const found = await verifyFiles(files, "app.tgz", "--key=ci.pub", "--format=json");
    assert.equal(found.status, 0, found.out + found.err);
    assert.equal(reportOf(found).artifacts[0].attestations[0].source, `${name}#1`);
  }
  const other = `sha256:${shaOf("other")}.jsonl`;
  const files = { "app.tgz": "app", [other]: await sign({ "app.tgz": "app" }), "ci.pub": pub };
  assert.equal((await verifyFiles(files, "app.tgz", "--key=ci.pub")).status, 1);
});

test("verify says where it looked when nothing is found", async () => {
  const { pub } = await ci();
  const { status, out } = await verifyFiles(
    { "d/app": "app", "ci.pub": pub },
    "d/app",
    "--key=ci.pub",
  );
  assert.equal(status, 1);
  for (const name of ["d/app.sigstore.json", "d/app.att.json", "d/sha256:<digest>.jsonl"]) {
    assert.ok(out.includes(name), name);
  }
  assert.ok(out.includes("attest explain attestation-not-found"));
  assert.ok(out.endsWith("FAILED: 0 of 1 artifact verified (attestation-not-found)\n"));
});

test("verify refuses an artifact of which one bit changed", async () => {
  const { pub, sign } = await ci();
  const files = { "app": "bpp", "app.att.json": await sign({ app: "app" }), "ci.pub": pub };
  const { status, out } = await verifyFiles(files, "app", "--key=ci.pub");
  assert.equal(status, 1);
  assert.ok(out.includes("FAIL  statement.subject"));
  assert.ok(out.includes(`found `) && out.includes("wanted") && out.includes("next  "));
  assert.ok(out.includes("run     attest explain subject-mismatch"));
  assert.ok(out.endsWith("(subject-mismatch)\n"));
});

test("verify refuses a signature of another key", async () => {
  const { sign } = await ci();
  const { pub } = await newSigner();
  const files = { app: "app", "app.att.json": await sign({ app: "app" }), "other.pub": pub };
  const outcome = await verifyFiles(files, "app", "--key=other.pub", "--format=json");
  assert.equal(outcome.status, 1);
  assert.equal(reportOf(outcome).errorReason, "invalid-signature");
});

test("verify refuses every kind of file that is no attestation, with a reason", async () => {
  const { pub } = await ci();
  const deep = "[".repeat(10_000) + "]".repeat(10_000);
  const signatures = Array.from({ length: 100_000 }, () => ({ sig: "AAAA" }));
  const cases: [string, string | Uint8Array | { size: number }, string][] = [
    ["empty.json", "", "empty-input"],
    ["blank.json", " \n\n", "empty-input"],
    ["page.json", "<!DOCTYPE html><html><body>Sign in</body></html>", "unknown-format"],
    ["cut.json", '{"payloadType":"application/vnd.in-toto+json","payload":"e30', "malformed-json"],
    ["other.json", '{"name":"left-pad","version":"1.0.0"}', "unknown-format"],
    ["number.json", "7", "unknown-format"],
    ["key.json", pub, "unknown-format"],
    [
      "twice.json",
      '{"payload":"","payload":"","payloadType":"","signatures":[]}',
      "duplicate-json-key",
    ],
    ["latin1.json", Uint8Array.of(0x22, 0xe9, 0x22), "invalid-unicode"],
    ["deep.json", deep, "limit-exceeded"],
    ["large.json", { size: 100_000_000 }, "limit-exceeded"],
    ["large.jsonl", { size: 5e9 }, "limit-exceeded"],
    ["many.json", JSON.stringify({ payload: "", payloadType: TYPE, signatures }), "limit-exceeded"],
    ["bare.json", statement({ app: "app" }), "unsigned-statement"],
    [
      "none.json",
      JSON.stringify({ payload: "", payloadType: TYPE, signatures: [] }),
      "missing-signatures",
    ],
    ["empty.jsonl", "", "empty-input"],
    ["page.jsonl", "<html>\n</html>\n", "malformed-json"],
  ];
  for (const [name, content, reason] of cases) {
    const files = { app: "app", [name]: content, "ci.pub": pub };
    const outcome = await verifyFiles(
      files,
      "app",
      "--bundle",
      name,
      "--key=ci.pub",
      "--format=json",
    );
    assert.equal(outcome.status, 1, name + outcome.err);
    const report = reportOf(outcome);
    assert.equal(report.errorReason, reason, name);
    assert.equal(report.artifacts[0].attestations[0].errorReason, reason, name);
    if (typeof content === "object" && "size" in content) {
      assert.ok(!outcome.runtime.reads.includes(name), "a large file must not be read");
    }
    const text = await verifyFiles(files, "app", "--bundle", name, "--key=ci.pub");
    assert.equal(text.status, 1);
    assert.ok(text.out.includes(`explain ${reason}`), `${name}: ${text.out}`);
  }
});

test("verify bounds 100 000 subjects and reads them", async () => {
  const { pub } = await ci();
  const { signer, publicKey } = await generateSigner("Ed25519");
  const subject = Array.from({ length: 100_000 }, (_, i) => ({
    name: `f${i}`,
    digest: { sha256: i === 99_999 ? shaOf("app") : i.toString(16).padStart(64, "0") },
  }));
  const body = {
    _type: "https://in-toto.io/Statement/v1",
    subject,
    predicateType: SLSA,
    predicate: {},
  };
  const signed = async (value: unknown) =>
    JSON.stringify(await createEnvelope(TYPE, utf8(JSON.stringify(value)), signer));
  const files = {
    app: "app",
    "ok.json": await signed(body),
    "more.json": await signed({ ...body, subject: [...subject, subject[0]] }),
    "ci.pub": publicKey,
    "other.pub": pub,
  };
  assert.equal((await verifyFiles(files, "app", "-b", "ok.json", "--key=ci.pub")).status, 0);
  const more = await verifyFiles(files, "app", "-b", "more.json", "--key=ci.pub", "--format=json");
  assert.equal(reportOf(more).errorReason, "limit-exceeded");
});

test("verify skips bad lines with a notice and keeps their neighbours", async () => {
  const { pub, sign } = await ci();
  const good = await sign({ app: "app" });
  const bad = Array.from({ length: 9 }, () => "{bad\x1b[31m");
  const files = { app: "app", "all.jsonl": [...bad, "", good].join("\n"), "ci.pub": pub };
  const outcome = await verifyFiles(
    files,
    "app",
    "-b",
    "all.jsonl",
    "--key=ci.pub",
    "--format=json",
  );
  assert.equal(outcome.status, 0);
  assert.equal(reportOf(outcome).artifacts[0].attestations.length, 1);
  assert.equal(reportOf(outcome).artifacts[0].attestations[0].source, "all.jsonl#11");
  assert.ok(outcome.err.includes("Skipped all.jsonl#1: "));
  assert.ok(outcome.err.includes("Skipped 4 more lines of all.jsonl"));
});

test("verify takes nothing for a print of gcloud that only speaks of one", async () => {
  const { pub, sign } = await ci();
  const other = JSON.stringify({ note: { "provenance_summary": {} } });
  const files = {
    app: "app",
    "good.json": await sign({ app: "app" }),
    "other.json": other,
    "printed.json": JSON.stringify({ provenance_summary: { provenance: [] } }),
    "ci.pub": pub,
  };
  const args = ["app", "-b", "good.json", "--key=ci.pub", "--format=json", "-b"];
  const outcome = await verifyFiles(files, ...args, "other.json");
  assert.equal(outcome.status, 0, outcome.err);
  const sources = reportOf(outcome).artifacts[0].attestations.map(({ source, ok }) => [source, ok]);
  assert.deepEqual(sources, [["good.json", true], ["other.json", false]]);
  const printed = await verifyFiles(files, ...args, "printed.json");
  assert.equal(printed.status, 2);
  assert.match(printed.err, /"printed.json" is of Google Cloud Build: give it alone/);
});

test("verify could not run: paths that cannot be read", async () => {
  const { pub } = await ci();
  const files = {
    app: "app",
    locked: { unreadable: true as const },
    "locked.att.json": "{}",
    "locked.json": { unreadable: true as const },
    "dir/x": "x",
    "ci.pub": pub,
  };
  for (
    const args of [
      ["missing", "--key=ci.pub"],
      ["app", "--key=missing.pub"],
      ["app", "--key=ci.pub", "-b", "missing.json"],
      ["app", "--key=ci.pub", "-b", "missing.jsonl"],
      ["app", "--key=ci.pub", "-b", "locked.json"],
      ["app", "--key=ci.pub", "-b", "dir"],
      ["app", "--key=ci.pub", "-b", "dir/x", "--trusted-root", "missing"],
      ["locked", "--key=ci.pub"],
      ["--checksums", "missing.txt", "--key=ci.pub", "-b", "dir/x"],
      ["app", "--key=ci.pub", "--output", "readonly/report.txt"],
    ]
  ) {
    const { status, out, err } = await verifyFiles(files, ...args);
    assert.equal(status, 2, `${args.join(" ")}\n${out}`);
    assert.equal(out, "");
    assert.ok(/^error: Cannot (read|write) .*\(unreadable-file\)$/m.test(err), err);
    assert.ok(err.includes("run: attest explain unreadable-file"));
  }
});

test("verify could not run: malformed keys, roots and checksum files", async () => {
  const { pub, sign } = await ci();
  const files = {
    app: "app",
    "app.att.json": await sign({ app: "app" }),
    "ci.pub": pub,
    "bad.pub": "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n",
    "text.pub": "ssh-ed25519 AAAA",
    "root.json": "{}",
    "huge.json": { size: 1e9 },
    "sums.txt": "d41d8cd98f00b204e9800998ecf8427e  app",
  };
  const cases: [string[], string][] = [
    [["app", "--key=bad.pub"], "malformed-"],
    [["app", "--key=text.pub"], "malformed-"],
    [["app", "--key=huge.json"], "limit-exceeded"],
    [["app", "--key=ci.pub", "--key-alg=ES256"], "key-algorithm-mismatch"],
    [["app", "--trusted-root=root.json", "--owner=acme"], "malformed-trusted-root"],
    [["app", "--trusted-root=huge.json", "--owner=acme"], "limit-exceeded"],
    [["--checksums=sums.txt", "--key=ci.pub"], "malformed-checksums"],
  ];
  for (const [args, reason] of cases) {
    const { status, out, err } = await verifyFiles(files, ...args);
    assert.equal(status, 2, args.join(" ") + out);
    assert.equal(out, "");
    assert.ok(err.split("\n")[0].includes(`(${reason}`), err);
    assert.ok(err.includes("  cause: ") || reason === "limit-exceeded", err);
  }
});

const VSA = ["--vsa=b.json", "--verifier-id=urn:v", "--resource-uri=urn:r"];

test("verify refuses wrong usage with status 2 and points to the help", async () => {
  const { pub } = await ci();
  const files = { app: "app", "ci.pub": pub, "b.json": "{}" };
  const cases: [string[], RegExp][] = [
    [["app", "--bundel", "b.json"], /did you mean --bundle\?/],
    [["app", "--owner=a", "--repo=a/b"], /--owner and --repo exclude each other/],
    [["app", "--repo=a/b", "--signer-repo=c/d", "--cert-identity=x"], /exclude each other/],
    [["app", "--cert-identity=x", "--cert-identity-regex=y"], /exclude each other/],
    [["app", "--signer-workflow=a/b/c.yml"], /needs --repo or --owner/],
    [["app", "--repo=https://github.com/a/b"], /is no repository/],
    [["app", "--repo="], /empty value/],
    [["app", "--cert-identity-regex=(", "--cert-oidc-issuer=x"], /no regular expression/],
    [["app", "--only-root", "--owner=a"], /--only-root needs --trusted-root/],
    [["app", "--threshold=2", "--owner=a"], /--threshold needs --key/],
    [["app", "--key=ci.pub", "--threshold=0"], /whole number from 1 on/],
    [["app", "--key=ci.pub", "--threshold=1.5"], /whole number from 1 on/],
    [["app", "--key=ci.pub", "--key=ci.pub", "--threshold=2"], /1 distinct key given/],
    [["app", "--owner=a", "--tlog-threshold=-1"], /whole number from 0 on/],
    [["app", "--owner=a", "--tlog-threshold=NaN"], /whole number from 0 on/],
    [["app", "--owner=a", "--type=slsaprovenance3"], /did you mean slsaprovenance\?/],
    [["app", "--owner=a", "--format=jso"], /did you mean json\?/],
    [["app", "--owner=a", "--format=xml"], /is one of text, json, gh, sarif, junit/],
    [["app", "--owner=a", "--exit-code"], /--exit-code needs --format sarif/],
    [["app", "--owner=a", "--policy=x"], /--policy and --owner exclude each other/],
    [["app", "--owner=a", "--waivers=x"], /--waivers needs --policy/],
    [["app", "--owner=a", "--platform=linux/amd64"], /--platform needs an image/],
    [["oci://r.example/a", "--platform=linux/s390x", "--every-platform"], /exclude each other/],
    [["oci://r.example/a", "--owner=a", "--subjects=all"], /--subjects is any for an image/],
    [["npm:left-pad@1.0.0", "--owner=a"], /--owner has no meaning for an npm package/],
    [["https://x.example/app.tgz", "--owner=a"], /not supported yet/],
    [["--digest=sha256:abc", "--owner=a", "-b", "b.json"], /3 characters, wanted 64/],
    [["--digest=abc", "--owner=a", "-b", "b.json"], /--digest is ALG:HEX/],
    [["--digest=SHA256:" + "a".repeat(64), "--owner=a"], /did you mean sha256\?/],
    [["app", "--unsafe-no-artifact", "-b", "b.json"], /excludes an artifact/],
    [["--unsafe-no-artifact", "--owner=a"], /needs --bundle/],
    [["app", "--owner=a", "--print-provenance", "--format=gh"], /exclude each other/],
    [["app", "--source-uri=x"], /--source-uri|sourceUri/],
    [["app", "--source-uri=github.com/a/b@refs/heads/main"], /--source-branch or --source-tag/],
    [["app", "--source-uri=a.example/b", "--source-branch=refs/heads/x"], /--source-branch is/],
    [["app", "--source-uri=a.example/b", "--source-versioned-tag=1.2"], /is no v1, v1\.2/],
    [["app", "--source-uri=a.example/b", "--source-digest=abc"], /--source-digest is not 40/],
    [["app", "--source-tag=a", "--source-versioned-tag=v1"], /exclude each other/],
    [["app", "--source-uri=a.example/b", "--source-ref=r"], /give --source-tag or/],
    [["app", "--source-uri=a.example/b", "--deny-self-hosted-runners"], /give --min-level 2/],
    [["app", "--source-uri=a.example/b", "--signer-digest=d"], /give --builder-id/],
    [["app", "--source-uri=a.example/b", "--cert-oidc-issuer=i"], /give --builder-id/],
    [["app", "--source-uri=a.example/b", "--type=spdx"], /is no provenance/],
    [["app", "--owner=a", "--min-level=4"], /is one of 1, 2, 3/],
    [["app", "--owner=a", "--build-workflow-input=x"], /NAME=VALUE/],
    [["app", "--owner=a", "--build-workflow-input=x=1", "--build-workflow-input=x=2"], /twice/],
    [["app", "--vsa=b.json"], /needs --vsa-verifier-id/],
    [["app", "--vsa=b.json", "--verifier-id=urn:v"], /needs --vsa-resource-uri/],
    [["app", "--vsa=b.json", "-b", "b.json"], /exclude each other/],
    [["app", "--vsa=b.json", "--source-uri=a.example/b"], /--source-uri and --vsa exclude/],
    [["app", ...VSA, "--vsa-max-age=0"], /number of days above 0/],
    [["app", ...VSA, "--vsa-max-age=1e9"], /number of days above 0/],
    [["app", ...VSA, "--vsa-source-ref=main"], /refs\//],
    [["app", ...VSA, "--vsa-dependency-level=X"], /no level that every dependency/],
    [["app", ...VSA, "--subject-digest=abc"], /ALG:VALUE/],
    [["app", ...VSA, "--subject-digest=a:"], /ALG:VALUE/],
    [["app", ...VSA, "--subject-digest=a:1", "--subject-digest=a:2"], /twice/],
    [["app", ...VSA, "--type=slsaprovenance"], /is no VSA/],
    [["--verifier-id=urn:v", "--resource-uri=urn:r", "--subject-digest=a:1"], /needs --vsa/],
  ];
  for (const [args, message] of cases) {
    const { status, out, err } = await verifyFiles(files, ...args);
    assert.equal(status, 2, args.join(" "));
    assert.equal(out, "");
    assert.ok(message.test(err), `${args.join(" ")}: ${err}`);
    assert.ok(err.includes("(usage)") && err.includes("run: attest help verify"), err);
  }
  const none = await verifyFiles(files, "--owner=a");
  assert.equal(none.status, 2);
  assert.ok(none.err.includes("(artifact-required)"));
});

test("verify refuses to verify without anybody expected, and says how to", async () => {
  const { sign } = await ci();
  const files = { app: "app", "app.att.json": await sign({ app: "app" }) };
  const outcome = await verifyFiles(files, "app");
  assert.equal(outcome.status, 1);
  assert.ok(
    outcome.out.includes(
      "NOT STATED: give --source-uri, --repo, --owner, --cert-identity or --key",
    ),
  );
});

test("verify verifies each file of a folder with its own attestation", async () => {
  const { pub, sign } = await ci();
  const files: Record<string, string> = {
    "d/a.txt": "a",
    "d/a.txt.att.json": await sign({ "a.txt": "a" }),
    "d/sub/b.txt": "b",
    "d/sub/b.txt.intoto.jsonl": await sign({ "b.txt": "b" }),
    "ci.pub": pub,
  };
  const good = await verifyFiles(files, "d", "--key=ci.pub", "--format=json");
  assert.equal(good.status, 0, good.out + good.err);
  assert.deepEqual(reportOf(good).artifacts.map(({ artifact }) => artifact), [
    "d/a.txt",
    "d/sub/b.txt",
  ]);
  assert.ok(good.err.includes("Taken for attestations"));

  const bad = await verifyFiles(
    { ...files, "d/c.txt": "c" },
    "d/",
    "--key=ci.pub",
    "--format=json",
  );
  assert.equal(bad.status, 1);
  assert.deepEqual(reportOf(bad).artifacts.map(({ ok }) => ok), [true, false, true]);
  assert.equal(reportOf(bad).errorReason, "attestation-not-found");
});

test("verify takes an attestation without a file of its name for all of its folder", async () => {
  const { pub, sign } = await ci();
  const files = {
    "d/a": "a",
    "d/b": "b",
    "d/multiple.intoto.jsonl": await sign({ a: "a", b: "b" }),
    "ci.pub": pub,
  };
  assert.equal((await verifyFiles(files, "d", "--key=ci.pub")).status, 0);
  const changed = await verifyFiles({ ...files, "d/b": "B" }, "d", "--key=ci.pub");
  assert.equal(changed.status, 1);
});

test("verify reports a folder without attestations, without files, and does not follow links", async () => {
  const { pub, sign } = await ci();
  const none = await verifyFiles({ "d/a": "a", "ci.pub": pub }, "d", "--key=ci.pub");
  assert.equal(none.status, 1);
  assert.ok(none.out.endsWith("FAILED: 0 of 1 artifact verified (attestation-not-found)\n"));

  const att = await sign({ x: "x" });
  const empty = await verifyFiles({ "d/x.att.json": att, "ci.pub": pub }, "d", "--key=ci.pub");
  assert.equal(empty.status, 2);
  assert.ok(empty.err.includes('Cannot verify "d": no file is in it (artifact-required)'));

  const linked = await verifyFiles(
    { "d/x": "x", "d/x.att.json": att, "d/out": { link: "secret" }, secret: "s", "ci.pub": pub },
    "d",
    "--key=ci.pub",
  );
  assert.equal(linked.status, 0, linked.out);
  assert.ok(linked.err.includes("Not followed"));
  assert.ok(!linked.runtime.reads.some((path) => path.includes("out") || path.includes("secret")));
});

test("verify takes the digests of a checksum file, and names in it lead nowhere", async () => {
  const { pub, sign } = await ci();
  const sums = `${shaOf("a")}  a.txt\n${shaOf("b")}  ../b.txt\n`;
  const files = {
    "d/SHA256SUMS": sums,
    "d/a.txt.att.json": await sign({ a: "a" }),
    "b.txt.att.json": await sign({ b: "b" }),
    "d/../b.txt.att.json": await sign({ b: "b" }),
    "ci.pub": pub,
  };
  const outcome = await verifyFiles(
    files,
    "--checksums=d/SHA256SUMS",
    "--key=ci.pub",
    "--format=json",
  );
  assert.equal(outcome.status, 1);
  assert.deepEqual(reportOf(outcome).artifacts.map(({ ok }) => ok), [true, false]);

  const all = { ...files, "d/SHA256SUMS.intoto.jsonl": await sign({ a: "a", b: "b" }) };
  assert.equal((await verifyFiles(all, "--checksums=d/SHA256SUMS", "--key=ci.pub")).status, 0);
});

test("verify takes digests as operands and as an option", async () => {
  const { pub, sign } = await ci();
  const files = { "b.json": await sign({ a: "a" }), "ci.pub": pub };
  const digest = `sha256:${shaOf("a")}`;
  const upper = `sha256:${shaOf("a").toUpperCase()}`;
  for (const args of [[digest], ["--digest", digest], ["--digest", upper]]) {
    const outcome = await verifyFiles(files, ...args, "-b", "b.json", "--key=ci.pub");
    assert.equal(outcome.status, 0, args.join(" ") + outcome.err);
  }
  const other = await verifyFiles(files, `sha256:${shaOf("z")}`, "-b", "b.json", "--key=ci.pub");
  assert.equal(other.status, 1);
});

test("verify prints names with control characters harmlessly, in every format", async () => {
  const { pub, sign } = await ci();
  const evil = "a\x1b[2J\x1b]0;pwned\x07\u202egnp.\u009b31m\r\nPASSED";
  const files = {
    [evil]: "app",
    [`${evil}.att.json`]: await sign({ [evil]: "app" }),
    "ci.pub": pub,
  };
  for (const format of ["text", "json", "gh"]) {
    const { status, out } = await verifyFiles(files, evil, "--key=ci.pub", `--format=${format}`);
    assert.equal(status, 0);
    assert.ok(!out.includes("\nPASSED\n"));
    if (format !== "text") JSON.parse(out);
  }
  const changed = await verifyFiles({ ...files, [evil]: "b" }, evil, "--key=ci.pub");
  assert.equal(changed.status, 1);
  const missing = await verifyFiles({ "ci.pub": pub }, evil, "--key=ci.pub");
  assert.equal(missing.status, 2);
});

test("verify prints the gh document on success, and nothing on standard output on failure", async () => {
  const { pub, sign } = await ci();
  const files = { app: "app", "app.att.json": await sign({ app: "app" }), "ci.pub": pub };
  const good = await verifyFiles(files, "app", "--key=ci.pub", "--format=gh");
  assert.equal(good.status, 0);
  const [entry, ...rest] = JSON.parse(good.out);
  assert.equal(rest.length, 0);
  assert.equal(
    entry.verificationResult.mediaType,
    "application/vnd.dev.sigstore.verificationresult+json;version=0.1",
  );
  assert.equal(entry.verificationResult.statement.predicateType, SLSA);
  assert.deepEqual(entry.verificationResult.signature, { publicKeyId: "ci.pub" });
  assert.equal(entry.attestation.bundle.dsseEnvelope.payloadType, TYPE);

  const bad = await verifyFiles({ ...files, app: "x" }, "app", "--key=ci.pub", "--format=gh");
  assert.equal(bad.status, 1);
  assert.equal(bad.out, "");
  assert.ok(bad.err.includes("FAILED: 0 of 1 artifact"));
});

test("verify prints the verified Statements alone, and none on failure", async () => {
  const { pub, sign } = await ci();
  const files = { app: "app", "app.att.json": await sign({ app: "app" }), "ci.pub": pub };
  const good = await verifyFiles(files, "app", "--key=ci.pub", "--print-provenance");
  assert.equal(good.status, 0);
  assert.equal(good.out.split("\n").length, 2);
  assert.deepEqual(JSON.parse(good.out), JSON.parse(statement({ app: "app" })));
  assert.ok(good.err.includes("PASSED: 1 artifact verified"));

  const bad = await verifyFiles(
    { ...files, app: "x" },
    "app",
    "--key=ci.pub",
    "--print-provenance",
  );
  assert.equal(bad.status, 1);
  assert.equal(bad.out, "");
});

test("verify prints no Statement when one of several artifacts fails", async () => {
  const { pub, sign } = await ci();
  const files = { a: "a", "a.att.json": await sign({ a: "a" }), b: "b", "ci.pub": pub };
  const { status, out, err } = await verifyFiles(
    files,
    "a",
    "b",
    "--key=ci.pub",
    "--print-provenance",
  );
  assert.equal(status, 1);
  assert.equal(out, "");
  assert.ok(err.includes("FAILED: 1 of 2 artifacts verified (attestation-not-found)"));
});

test("verify compares all subjects with all artifacts when asked to", async () => {
  const { pub, sign } = await ci();
  const apart = {
    "d/a": "a",
    "d/a.att.json": await sign({ a: "a" }),
    "d/b": "b",
    "d/b.att.json": await sign({ b: "b" }),
    "ci.pub": pub,
  };
  const together = {
    "d/a": "a",
    "d/b": "b",
    "d/all.intoto.jsonl": await sign({ a: "a", b: "b" }),
    "ci.pub": pub,
  };
  for (const mode of ["all", "exact"]) {
    const args = ["--key=ci.pub", `--subjects=${mode}`];
    assert.equal((await verifyFiles(apart, "d", ...args)).status, 1);
    assert.equal((await verifyFiles(together, "d", ...args)).status, 0);
    assert.equal(
      (await verifyFiles(together, "d/a", "-b", "d/all.intoto.jsonl", ...args)).status,
      1,
    );
  }
  assert.equal((await verifyFiles(apart, "d", "--key=ci.pub")).status, 0);
});

test("verify tells causes of the system harmlessly", async () => {
  const { pub } = await ci();
  const evil = "x\x1b[2J\r\nerror";
  const files = { app: "app", [evil]: { unreadable: true as const }, "ci.pub": pub };
  const { status, err } = await verifyFiles(files, "app", "-b", evil, "--key=ci.pub");
  assert.equal(status, 2);
  assert.equal(err.split("\n").length, 4);
  assert.ok(err.includes("  cause: permission denied: x\ufffd[2J error\n"));
});

test("verify writes the report to a file, whole", async () => {
  const { pub, sign } = await ci();
  const files = { app: "app", "app.att.json": await sign({ app: "app" }), "ci.pub": pub };
  const { status, out, err, runtime } = await verifyFiles(
    files,
    "app",
    "--key=ci.pub",
    "--format=json",
    "--output=report.json",
  );
  assert.equal(status, 0);
  assert.equal(out, "");
  assert.equal(err, "PASSED\n");
  const written = runtime.files.get("report.json");
  assert.ok(typeof written === "string" && JSON.parse(written).ok === true);
});

test("verify writes the report over nothing that it found", async () => {
  const { pub, sign } = await ci();
  const attestation = await sign({ app: "app" });
  const files = {
    ...{ app: "app", "app.att.json": attestation, "ci.pub": pub, "r.txt": "old" },
    ...{ "d/app": "app", "d/app.att.json": attestation },
  };
  for (
    const [artifact, output] of [
      ["app", "app.att.json"],
      ["app", "./app.att.json"],
      ["d", "d/app"],
      ["d", "d/app.att.json"],
    ]
  ) {
    const found = await verifyFiles(files, artifact, "--key=ci.pub", `--output=${output}`);
    assert.equal(found.status, 2, output);
    assert.match(found.err, /is read and would be lost/);
    for (const [name, text] of Object.entries(files)) {
      assert.equal(found.runtime.files.get(name), text, name);
    }
  }
  const done = await verifyFiles(files, "d", "--key=ci.pub", "--output=r.txt");
  assert.equal(done.status, 0, done.err);
  assert.notEqual(done.runtime.files.get("r.txt"), "old");
});

test("verify colours on a terminal only, and not with NO_COLOR", async () => {
  const { pub, sign } = await ci();
  const files = { app: "app", "app.att.json": await sign({ app: "app" }), "ci.pub": pub };
  const args = ["verify", "app", "--key=ci.pub"];
  const terminal = new MemoryRuntime(files, args);
  terminal.terminal = true;
  assert.equal(await main(terminal), 0);
  assert.ok(terminal.stdout.includes("\x1b[32mPASSED\x1b[0m"));
  terminal.stdout = "";
  terminal.noColor = true;
  assert.equal(await main(terminal), 0);
  assert.ok(!terminal.stdout.includes("\x1b"));
});

test("verify prints a text report of this form", async () => {
  const { pub, sign } = await ci();
  const files = { app: "xpp", "app.att.json": await sign({ app: "app" }), "ci.pub": pub };
  const { out } = await verifyFiles(files, "app", "--key=ci.pub", "--type=slsaprovenance1");
  const fingerprint = /\(Ed25519, ([0-9a-f]{16})…\)/.exec(out)?.[1];
  const lines = out.split("\n");
  assert.deepEqual(lines.slice(0, 8), [
    "Expected",
    `  key             ci.pub (Ed25519, ${fingerprint}…)`,
    "  predicate type  https://slsa.dev/provenance/v1",
    "  subjects        any",
    "",
    "FAILED  app",
    `  sha256  ${shaOf("xpp")}`,
    "  FAILED  app.att.json (dsse)",
  ]);
  assert.deepEqual(lines.slice(-3), [
    "",
    "FAILED: 0 of 1 artifact verified (subject-mismatch)",
    "",
  ]);
});

/** Options that verify() is called with. */
async function optionsFor(args: string[], files: Files = {}): Promise<VerifyOptions> {
  let seen: VerifyOptions | undefined;
  const verify: Verify = (_attestations, _artifacts, options) => {
    seen = options;
    return Promise.resolve({
      ok: true,
      errorReason: null,
      verificationResult: "PASSED",
      artifacts: [],
    });
  };
  const runtime = new MemoryRuntime({ app: "app", "b.json": "{}", ...files });
  await runVerify(["-b", "b.json", ...args], runtime, { verify });
  if (seen === undefined) throw new Error("verify() was not called");
  return seen;
}

function keySetOf(...keys: object[]): string {
  return JSON.stringify({ type: "attest-key-set/v1", keys });
}

test("verify judges a key of --key-set at the moment, and shows its rules", async () => {
  const { pub, sign } = await ci();
  const attestation = await sign({ app: "app" });
  const verifyAt = async (now: string, entry: object, ...args: string[]) => {
    const files = {
      app: "app",
      "app.intoto.jsonl": attestation,
      "keys.json": keySetOf({ name: "ci", publicKey: pub, ...entry }),
      "ci.pub": pub,
    };
    const runtime = new MemoryRuntime(files, ["verify", "app", "--key-set=keys.json", ...args]);
    runtime.now = () => new Date(now);
    return await run(runtime);
  };
  const year = { validFrom: "2026-01-01T00:00:00Z", validUntil: "2026-12-31T23:59:59Z" };
  const good = await verifyAt("2026-06-01T00:00:00Z", year);
  assert.equal(good.status, 0, good.out + good.err);
  assert.match(good.out, /valid from 2026-01-01T00:00:00\.000Z until 2026-12-31T23:59:59\.000Z/);
  const late = await verifyAt("2027-06-01T00:00:00Z", year, "--format=json");
  assert.equal(late.status, 1);
  assert.equal(reportOf(late).errorReason, "key-not-valid");
  const revoked = { revoked: { at: "2026-03-01T00:00:00Z", reason: "compromised", note: "Lost" } };
  const stolen = await verifyAt("2026-06-01T00:00:00Z", revoked);
  assert.equal(stolen.status, 1);
  assert.match(stolen.out, /key-revoked/);
  assert.match(stolen.out, /compromised/);
  assert.match(stolen.out, /Lost/);
  // The same key, once with rules and once without.
  const both = await verifyAt("2026-06-01T00:00:00Z", year, "--key=ci.pub");
  assert.equal(both.status, 2);
  assert.match(both.err, /same key is given twice with different rules.*\(usage\)/);
  const few = await verifyAt("2026-06-01T00:00:00Z", year, "--threshold=2");
  assert.match(few.err, /cannot be met.*\(usage\)/);
  const malformed = await verifyAt("2026-06-01T00:00:00Z", { valid_until: "x" });
  assert.equal(malformed.status, 2);
  assert.match(malformed.err, /"keys\.json" as a key set \(malformed-key-set\)/);
});

test("Every option of verify reaches verify() or the output", async () => {
  const { pub } = await ci();
  const other = (await newSigner()).pub;
  const root = `{"mediaType":"application/vnd.dev.sigstore.trustedroot+json;version=0.1"}`;
  const files = { "a.pub": pub, "b.pub": other, "root.json": root };
  const issuer = "https://token.actions.githubusercontent.com";
  const repo = {
    issuer,
    sourceRepositoryURI: "https://github.com/a/b",
    subjectAlternativeName: { pattern: "https:\\/\\/github\\.com\\/a\\/b/.+" },
  };
  const identity = (args: string[], wanted: object) => async () =>
    assert.deepEqual((await optionsFor(["app", ...args])).expect?.identity, wanted);
  const provenance = (args: string[], wanted: object) => async () =>
    assert.deepEqual((await optionsFor(["app", ...args])).expect?.provenance, wanted);
  const vsa = (args: string[], wanted: object) => async () => {
    const required = ["--verifier-id=urn:v", "--resource-uri=urn:r"];
    const { expect } = await optionsFor(["app", ...required, ...args]);
    assert.deepEqual(expect?.vsa, { verifierId: "urn:v", resourceUri: "urn:r", ...wanted });
  };
  const cases: Record<string, () => Promise<void>> = {
    repo: identity(["-R", "a/b"], repo),
    owner: identity(["-o", "a"], {
      issuer,
      sourceRepositoryOwnerURI: "https://github.com/a",
      subjectAlternativeName: { pattern: "https:\\/\\/github\\.com\\/a/.+" },
    }),
    "signer-repo": identity(["--repo=a/b", "--signer-repo=c/d"], {
      ...repo,
      subjectAlternativeName: { pattern: "https:\\/\\/github\\.com\\/c\\/d/.+" },
    }),
    "signer-workflow": identity(["--repo=a/b", "--signer-workflow=c/d/.github/workflows/x.yml"], {
      ...repo,
      subjectAlternativeName: {
        pattern: "https:\\/\\/github\\.com\\/c\\/d\\/\\.github\\/workflows\\/x\\.yml@.+",
      },
    }),
    "signer-digest": identity(["--repo=a/b", "--signer-digest=f00"], {
      ...repo,
      buildSignerDigest: "f00",
    }),
    "source-ref": identity(["--repo=a/b", "--source-ref=r"], { ...repo, sourceRepositoryRef: "r" }),
    "source-digest": identity(["--repo=a/b", "--source-digest=f"], {
      ...repo,
      sourceRepositoryDigest: "f",
    }),
    "deny-self-hosted-runners": identity(["--repo=a/b", "--deny-self-hosted-runners"], {
      ...repo,
      runnerEnvironment: "github-hosted",
    }),
    "cert-identity": identity(["--certificate-identity=x"], { subjectAlternativeName: "x" }),
    "cert-identity-regex": identity(["-i", "x.*", "--cert-oidc-issuer=y"], {
      subjectAlternativeName: { pattern: "x.*" },
      issuer: "y",
    }),
    "cert-oidc-issuer": identity(["--repo=a/b", "--certificate-oidc-issuer=y"], {
      ...repo,
      issuer: "y",
    }),
    key: async () => {
      const { trust, thresholds } = await optionsFor(["app", "--key=a.pub"], files);
      assert.deepEqual(trust?.keys?.map(({ name }) => name), ["a.pub"]);
      assert.equal(trust?.threshold, 1);
      assert.equal(thresholds, undefined);
    },
    threshold: async () => {
      const { trust } = await optionsFor(
        ["app", "--key=a.pub", "--key=b.pub", "--threshold=2"],
        files,
      );
      assert.equal(trust?.threshold, 2);
    },
    "key-alg": async () => {
      const { publicKey } = await generateSigner("ES384");
      const { trust } = await optionsFor(["app", "--key=p384.pub", "--key-alg=ECDSA-P384-SHA256"], {
        "p384.pub": publicKey,
      });
      assert.equal(trust?.keys?.[0].alg, "ECDSA-P384-SHA256");
    },
    "key-set": async () => {
      const { trust } = await optionsFor(
        ["app", "--key=a.pub", "--key-set=keys.json", "--threshold=2"],
        { ...files, "keys.json": keySetOf({ name: "b", publicKey: other }) },
      );
      assert.deepEqual(trust?.keys?.map(({ name }) => name), ["a.pub"]);
      assert.deepEqual(trust?.keySets?.[0].keys.map(({ name }) => name), ["b"]);
      assert.equal(trust?.threshold, 2);
    },
    "predicate-type": async () => {
      const { expect } = await optionsFor([
        "app",
        "--owner=a",
        "--type=spdx",
        "--predicate-type=urn:x",
      ]);
      const types = [expect?.predicateType ?? []].flat();
      assert.ok(types.includes("https://spdx.dev/Document/v2.3") && types.includes("urn:x"));
    },
    subjects: async () => {
      assert.equal((await optionsFor(["app", "--owner=a"])).expect?.subjects, "any");
      assert.equal(
        (await optionsFor(["app", "--owner=a", "--subjects=all"])).expect?.subjects,
        "all",
      );
    },
    "trusted-root": async () => {
      const { trust } = await optionsFor(
        ["app", "--owner=a", "--custom-trusted-root=root.json"],
        files,
      );
      assert.equal(trust?.trustedRoots?.length, 1);
      assert.equal(trust?.onlyRoot, undefined);
    },
    "only-root": async () => {
      const args = ["app", "--owner=a", "--trusted-root=root.json", "--only-root"];
      assert.equal((await optionsFor(args, files)).trust?.onlyRoot, true);
    },
    "source-uri": provenance(["--source-uri=github.com/a/b"], { sourceUri: "github.com/a/b" }),
    "source-branch": provenance(["--owner=a", "--source-branch=main"], { sourceBranch: "main" }),
    "source-tag": provenance(["--owner=a", "--source-tag=v1"], { sourceTag: "v1" }),
    "source-versioned-tag": provenance(["--owner=a", "--source-versioned-tag=v1.2"], {
      sourceVersionedTag: "v1.2",
    }),
    "builder-id": provenance(["--owner=a", "--builder-id=urn:b"], { builderId: "urn:b" }),
    "build-type": provenance(["--owner=a", "--build-type=urn:t"], { buildType: "urn:t" }),
    "build-workflow-input": provenance(
      ["--owner=a", "--build-workflow-input=a=b=c", "--build-workflow-input=d="],
      { workflowInputs: { a: "b=c", d: "" } },
    ),
    "min-level": provenance(["--owner=a", "--min-level=3"], { minLevel: 3 }),
    builders: async () => {
      const builder = { signer: { keys: ["ci"] }, builderId: "urn:b", maxBuildLevel: 2 };
      const trust = { builders: [builder] };
      const { expect } = await optionsFor(["app", "--owner=a", "--builders=t.json"], {
        "t.json": JSON.stringify(trust),
      });
      assert.deepEqual(expect?.provenance, { builders: trust });
    },
    vsa: vsa([], {}),
    "vsa-verifier-id": vsa([], {}),
    "vsa-resource-uri": vsa([], {}),
    "vsa-level": vsa(["--verified-level=A", "--vsa-level=B"], { verifiedLevels: ["A", "B"] }),
    "vsa-dependency-level": vsa(["--vsa-dependency-level=SLSA_BUILD_LEVEL_1"], {
      dependencyLevels: ["SLSA_BUILD_LEVEL_1"],
    }),
    "vsa-max-age": vsa(["--vsa-max-age=1.5"], { maxAge: 129_600 }),
    "vsa-policy-uri": vsa(["--vsa-policy-uri=urn:p"], { policy: { uri: "urn:p" } }),
    "vsa-source-ref": vsa(["--vsa-source-ref=refs/heads/main"], { sourceRef: "refs/heads/main" }),
    "subject-digest": async () => {
      await vsa(["--subject-digest=gce_image_id:12"], { digest: { gce_image_id: "12" } })();
      const args = ["--verifier-id=urn:v", "--resource-uri=urn:r", "--subject-digest=x:1"];
      assert.equal((await optionsFor(args)).unsafelyVerifyWithoutArtifact, true);
      const both = await optionsFor([...args, "app"]);
      assert.equal(both.unsafelyVerifyWithoutArtifact, undefined);
    },
    "unsafe-certificate-time": async () => {
      const args = ["app", "--source-uri=github.com/a/b", "--unsafe-certificate-time"];
      const options = await optionsFor(args);
      assert.equal(options.unsafelyTrustCertificateTime, true);
      assert.deepEqual(options.thresholds, { log: 0 });
      assert.deepEqual((await optionsFor([...args, "--tlog-threshold=1"])).thresholds, { log: 1 });
      assert.equal((await optionsFor(["app"])).unsafelyTrustCertificateTime, undefined);
    },
    "unsafe-any-identity": async () => {
      assert.equal((await optionsFor(["app"])).unsafelyAcceptAnyIdentity, undefined);
      assert.equal(
        (await optionsFor(["app", "--unsafe-any-identity"])).unsafelyAcceptAnyIdentity,
        true,
      );
    },
    "unsafe-no-artifact": async () => {
      const options = await optionsFor(["--unsafe-no-artifact", "--owner=a"]);
      assert.equal(options.unsafelyVerifyWithoutArtifact, true);
    },
  };
  const members = {
    "tlog-threshold": "log",
    "sct-threshold": "sct",
    "tsa-threshold": "timestampAuthority",
    "timestamp-threshold": "timestamp",
  };
  for (const [name, member] of Object.entries(members)) {
    cases[name] = async () => {
      const options = await optionsFor(["app", "--owner=a", `--${name}=3`]);
      assert.deepEqual(options.thresholds, { [member]: 3 });
      const zero = await optionsFor(["app", "--owner=a", `--${name}=0`]);
      assert.deepEqual(zero.thresholds, { [member]: 0 });
    };
  }
  // Those have tests of their own above.
  const elsewhere = [
    "bundle",
    "digest",
    "checksums",
    "format",
    "output",
    "print-provenance",
    // It has one in reports_test.ts.
    "exit-code",
    // Those have theirs in policy_test.ts.
    "with-evidence",
    ...VERIFY_POLICY_OPTIONS.map(({ name }) => name),
    // Those have theirs in formats_test.ts.
    "accept-format",
    "certificate-authority",
    "certificate-subject",
    "efi-db",
    "efi-dbx",
    "message",
    // Those have theirs in supply_chain_test.ts.
    "certificate-sha256",
    ...LAYOUT_OPTIONS.map(({ name }) => name),
    "signing-authority",
    "timestamp-authority",
    "tuf-root",
    // Those have theirs in stores_test.ts.
    ...STORE_OPTIONS.map(({ name }) => name),
    // Those have theirs in images_test.ts.
    ...PLATFORM_OPTIONS.map(({ name }) => name),
    ...REGISTRY_OPTIONS.map(({ name }) => name),
  ];
  assert.deepEqual(
    // Those about npm packages reach verifyNpmPackage() and verifyLockfile(): npm_test.ts.
    VERIFY_OPTIONS.filter((one) => !NPM_OPTIONS.includes(one)).map(({ name }) => name).sort(),
    [...Object.keys(cases), ...elsewhere].sort(),
  );
  for (const check of Object.values(cases)) await check();
});

test("An error that nobody expected is one line and status 2", async () => {
  const runtime = new MemoryRuntime({ app: "app", "b.json": "{}" }, [
    "verify",
    "app",
    "-b",
    "b.json",
    "--owner=a",
  ]);
  const verify: Verify = () => Promise.reject(new TypeError("x is not a function"));
  try {
    await runVerify(runtime.args.slice(1), runtime, { verify });
    assert.ok(false, "not reached");
  } catch (error) {
    assert.ok(error instanceof TypeError);
  }
  runtime.stat = () => Promise.reject(new TypeError("broken"));
  const { status, err } = await run(runtime);
  assert.equal(status, 2);
  assert.ok(err.startsWith('error: Cannot read "app" (unreadable-file)\n  cause: broken\n'));
});
