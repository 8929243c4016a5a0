import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { encryptPrivateKey } from "../keys/mod.ts";
import { KEY, machine, refused, run, textOf } from "../tests/signing_machine.ts";

const REVIEW = ["--type=https://acme.example/review/v1", "--predicate=p.json", KEY];

describe("refuseInputs()", () => {
  it("lets no output take the place of what is read", async () => {
    const given = await machine({ link: { link: "app.tgz" }, "sums": "" });
    const commands = [
      ["sign", "app.tgz", KEY, "--force", "-o=app.tgz"],
      ["sign", "app.tgz", KEY, "--force", "-o=./app.tgz"],
      ["sign", "app.tgz", KEY, "--force", "-o=ci.key"],
      ["sign", "app.tgz", KEY, "--force", "-o=link"],
      ["attest", "app.tgz", ...REVIEW, "--append", "-o=app.tgz"],
      ["attest", "app.tgz", ...REVIEW, "--force", "-o=app.tgz"],
      ["attest", "app.tgz", ...REVIEW, "--force", "-o=p.json"],
      ["attest", "app.tgz", ...REVIEW, "--force", "-o=ci.key"],
      ["provenance", "app.tgz", "--ci=local", "--force", "-o=app.tgz"],
    ];
    for (const args of commands) {
      const outcome = await run(given, ...args);
      assert.equal(outcome.status, 2, args.join(" "));
      assert.match(outcome.err, /is read and would be lost; give another --output \(usage\)/);
      assert.deepEqual(Object.fromEntries(outcome.runtime.files), given.files, args.join(" "));
    }
  });

  it("lets no report take the place of what it is about", async () => {
    const given = await machine({ "app.tgz.sigstore.json": "{}", "p.txt": "" });
    const whom = ["--cert-identity=a@example.com", "--cert-oidc-issuer=https://example.com"];
    const bundle = "app.tgz.sigstore.json";
    const commands = [
      ["verify", "app.tgz", ...whom, "--format=json", "--output=app.tgz"],
      ["verify", "app.tgz", ...whom, `-b=${bundle}`, `--output=./${bundle}`],
      ["inspect", bundle, `--output=./${bundle}`],
    ];
    for (const args of commands) {
      const outcome = await run(given, ...args);
      assert.equal(outcome.status, 2, args.join(" "));
      assert.match(outcome.err, /is read and would be lost/);
      assert.deepEqual(Object.fromEntries(outcome.runtime.files), given.files, args.join(" "));
    }
    const fine = await run(given, ...commands[0].slice(0, -1), "--output=p.txt");
    assert.equal(fine.status, 1, fine.err);
    assert.ok(textOf(fine, "p.txt").startsWith("{"));
  });

  it("lets an attestation that is no input be replaced", async () => {
    const given = await machine({ "app.tgz.sigstore.json": "old" });
    const made = await run(given, "attest", "app.tgz", ...REVIEW, "--force");
    assert.equal(made.status, 0, made.err);
    assert.ok(textOf(made, "app.tgz.sigstore.json").startsWith("{"));
  });

  it("lets no file be an artifact of the next run that was written by the last one", async () => {
    const given = await machine({ "dist/a": "1" });
    const many = ["attest", "dist", "--subjects=many", ...REVIEW];
    assert.equal(await refused(given, ...many, "-o=dist/review.json"), "usage");
    const one = ["attest", "dist", ...REVIEW];
    for (const path of ["dist/r.sigstore.json", "./dist/r.json", "/dist/r.sigstore.json"]) {
      assert.equal(await refused(given, ...one, `-o=${path}`), "usage", path);
    }
    const made = await run(given, ...many, "-o=dist/review.sigstore.json");
    assert.equal(made.status, 0, made.err);
  });
});

describe("refuseSharedStdin()", () => {
  it("does not sign nothing because the passphrase was all of standard input", async () => {
    const given = await machine();
    given.files["ci.key"] = await encryptPrivateKey(`${given.files["ci.key"]}`, "secret");
    for (
      const args of [
        ["sign", "-", KEY, "--passphrase-file=-", "-o=out"],
        ["sign", "--envelope=-", KEY, "--passphrase-file=-", "-o=out"],
        ["attest", "app.tgz", REVIEW[0], "--predicate=-", KEY, "--passphrase-file=-"],
        ["attest", "--statement=-", KEY, "--passphrase-file=-", "-o=out"],
        ["sign", "-", "--identity-token-file=-", "-o=out"],
      ]
    ) {
      const outcome = await run(given, ...args);
      assert.equal(outcome.status, 2, args.join(" "));
      assert.match(outcome.err, /^error: Standard input is one thing: it is named by .* and /);
      assert.equal(outcome.out, "");
    }
  });
});
