import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { verifyEnvelope } from "../dsse/mod.ts";
import { generateSigner, importTrustedKey } from "../keys/mod.ts";
import {
  failure,
  KEY,
  keylessMachine,
  keys,
  machine,
  payloadOf,
  proposed,
  refused,
  run,
  SERVICES,
  textOf,
} from "../tests/signing_machine.ts";

const DSSE = ["--dsse", "--payload-type=text/plain"];

async function trusted(...names: string[]) {
  const files = await keys();
  return await Promise.all(names.map((name) => importTrustedKey(files[`${name}.pub`], { name })));
}

describe("sign", () => {
  it("signs a file with a key, of any algorithm, and the proposed command verifies it", async () => {
    for (const alg of ["Ed25519", "ES256", "ES384"] as const) {
      const { privateKey, publicKey } = await generateSigner(alg);
      const given = await machine({ "ci.key": privateKey, "ci.pub": publicKey });
      const made = await run(given, "sign", "app.tgz", KEY);
      assert.equal(made.status, 0, made.err);
      assert.ok("messageSignature" in JSON.parse(textOf(made, "app.tgz.sigstore.json")));
      const checked = await proposed(made);
      assert.equal(checked.status, 0, `${alg}: ${checked.out}`);
      const changed = { ...Object.fromEntries(made.runtime.files), "app.tgz": "hell0\n" };
      assert.equal((await run({ files: changed }, "verify", "app.tgz", "--key=ci.pub")).status, 1);
    }
  });

  it("signs a file for an identity", async () => {
    const made = await run(await keylessMachine(), "sign", "app.tgz", ...SERVICES);
    assert.equal(made.status, 0, made.err);
    const checked = await proposed(made);
    assert.equal(checked.status, 0, checked.out);
  });

  it("signs several files, each for itself, all written or none", async () => {
    const given = await machine({ other: "x", "readonly/a": "y" });
    const made = await run(given, "sign", "app.tgz", "other", KEY);
    assert.equal(made.status, 0, made.err);
    assert.ok(made.runtime.files.has("other.sigstore.json"));
    assert.equal(await refused(given, "sign", "app.tgz", "readonly/a", KEY), "unwritable-file");
    assert.equal(await refused(given, "sign", "app.tgz", "none", KEY), "unreadable-file");
    assert.equal(await refused(given, "sign", "app.tgz", "other", KEY, "-o=x"), "usage");
    assert.equal(await refused(given, "sign", "app.tgz", "app.tgz", KEY), "usage");
  });

  it("signs a payload of any type in an envelope, in a bundle or alone", async () => {
    const given = await machine();
    const bundle = await run(given, "sign", "app.tgz", KEY, ...DSSE);
    assert.equal(payloadOf(textOf(bundle, "app.tgz.sigstore.json")), "hello\n");
    const alone = await run(given, "sign", "app.tgz", KEY, ...DSSE, "--bundle-format=dsse");
    assert.equal(alone.status, 0, alone.err);
    const envelope = textOf(alone, "app.tgz.dsse.json");
    const result = await verifyEnvelope(envelope, { keys: await trusted("ci") });
    assert.ok(result.ok);
    assert.equal(result.payloadType, "text/plain");
    const hinted = await run(
      given,
      "sign",
      "app.tgz",
      KEY,
      ...DSSE,
      "--bundle-format=dsse",
      "--keyid=k",
    );
    assert.equal(JSON.parse(textOf(hinted, "app.tgz.dsse.json")).signatures[0].keyid, "k");
  });

  it("adds a signature to an envelope without touching its payload", async () => {
    const given = await machine();
    const first = await run(given, "sign", "app.tgz", KEY, ...DSSE, "--bundle-format=dsse");
    const files = Object.fromEntries(first.runtime.files);
    const loose = JSON.parse(textOf(first, "app.tgz.dsse.json"));
    loose.payload = loose.payload.replace(/=+$/, "");
    loose.extra = { kept: true };
    files["e.json"] = JSON.stringify(loose);
    const add = ["sign", "--envelope=e.json", "--key=second.key"];
    assert.equal(await refused({ files }, ...add), "file-exists");
    const made = await run({ files }, ...add, "-o=both.json");
    assert.equal(made.status, 0, made.err);
    const both = JSON.parse(textOf(made, "both.json"));
    assert.equal(both.payload, loose.payload);
    assert.deepEqual(both.extra, { kept: true });
    assert.deepEqual(both.signatures[0], loose.signatures[0]);
    const wanted = { keys: await trusted("ci", "second"), threshold: 2 };
    assert.ok((await verifyEnvelope(JSON.stringify(both), wanted)).ok);
    assert.ok(!(await verifyEnvelope(JSON.stringify(loose), wanted)).ok);
    const inPlace = await run({ files }, ...add, "--force");
    assert.equal(JSON.parse(textOf(inPlace, "e.json")).signatures.length, 2);
  });

  it("adds no signature to what is no envelope, or has room for one only", async () => {
    const given = await machine({ "x.json": "{}", "no.json": "no" });
    const bundle = await run(given, "sign", "app.tgz", KEY, ...DSSE);
    const files = Object.fromEntries(bundle.runtime.files);
    const add = (file: string) => ["sign", `--envelope=${file}`, KEY, "-o=out.json"];
    assert.equal(await refused({ files }, ...add("app.tgz.sigstore.json")), "malformed-envelope");
    assert.equal(await refused({ files }, ...add("x.json")), "malformed-envelope");
    assert.equal(await refused({ files }, ...add("no.json")), "malformed-json");
    const keyless = await keylessMachine({ "x.json": "{}" });
    const args = ["sign", "--envelope=x.json", ...SERVICES, "-o=out.json"];
    assert.equal(await refused(keyless, ...args), "usage");
  });

  it("refuses options that contradict each other or say nothing", async () => {
    const given = await machine({ "e.json": "{}" });
    const cases: string[][] = [
      ["app.tgz"],
      ["app.tgz", KEY, "--dsse"],
      ["app.tgz", KEY, "--payload-type=text/plain"],
      ["app.tgz", KEY, "--dsse", "--payload-type=text plain"],
      ["app.tgz", KEY, "--key=second.key"],
      ["app.tgz", KEY, "--key=ci.key", ...DSSE],
      ["app.tgz", KEY, "--bundle-format=dsse"],
      ["app.tgz", ...DSSE, "--bundle-format=dsse"],
      ["app.tgz", KEY, "--key=second.key", ...DSSE, "--bundle-format=sigstore"],
      ["app.tgz", KEY, "--key=second.key", ...DSSE, "--keyid=x"],
      ["app.tgz", KEY, "--key=second.key", ...DSSE, "--signing-config=x"],
      ["--envelope=e.json", "app.tgz", KEY],
      ["--envelope=e.json", ...DSSE, KEY],
      ["-", KEY],
      ["app.tgz", KEY, "-o=-", "--force"],
      ["app.tgz", "--oidc-issuer=https://x.example", "--signing-config=x"],
      ["app.tgz", KEY, "--append"],
    ];
    for (const args of cases) {
      assert.equal(await refused(given, "sign", ...args), "usage", args.join(" "));
    }
    assert.equal(await refused(given, "sign", KEY), "artifact-required");
  });

  it("names the phase of each failure", async () => {
    const given = await machine({ "bad.key": "no key", "app.tgz.sigstore.json": "old" });
    const cases: [string[], string, string][] = [
      [["none", KEY], "build", "unreadable-file"],
      [["p.json", "--key=bad.key"], "signing", "malformed-pem"],
      [["p.json", "--key=none.key"], "signing", "unreadable-file"],
      [["p.json", "--key=ci.pub"], "signing", "malformed-key"],
      [["app.tgz", KEY], "upload", "file-exists"],
    ];
    for (const [args, phase, reason] of cases) {
      const outcome = await run(given, "sign", ...args, "--format=json");
      assert.equal(outcome.status, 2, args.join(" "));
      assert.deepEqual(failure(outcome, given), { reason, left: [] }, args.join(" "));
      assert.equal(JSON.parse(outcome.out).phase, phase, args.join(" "));
    }
  });

  it("signs standard input, to standard output", async () => {
    const given = { ...await machine(), stdin: "hello\n" };
    const made = await run(given, "sign", "-", KEY, "-o=-");
    assert.equal(made.status, 0, made.err);
    const files = { ...given.files, "app.tgz.sigstore.json": made.out };
    assert.equal((await run({ files }, "verify", "app.tgz", "--key=ci.pub")).status, 0);
  });

  it("skips with a notice where the platform withholds an identity", async () => {
    const keyless = await keylessMachine();
    const variables = {
      GITHUB_ACTIONS: "true",
      GITHUB_EVENT_NAME: "pull_request",
      GITHUB_REPOSITORY: "acme/app",
    };
    const args = ["sign", "app.tgz", ...SERVICES];
    const skipped = await run({ ...keyless, variables }, ...args, "--if-possible", "--format=json");
    assert.equal(skipped.status, 0, skipped.err);
    assert.ok(skipped.err.startsWith("notice: Nothing is signed: "));
    assert.equal(JSON.parse(skipped.out).attestations.length, 0);
    assert.deepEqual(keyless.services!.requests, []);
    const tried = await run({ ...keyless, variables }, ...args);
    assert.notEqual(tried.status, 0);
  });
});
