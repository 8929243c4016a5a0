import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { importSigner, importTrustedKey, jwkThumbprint, parseKeySet } from "../keys/mod.ts";
import { MemoryRuntime } from "../tests/cli_runtime.ts";
import { main } from "./main.ts";

const NOW = "2026-06-01T00:00:00.000Z";
const SECRET = "correct horse battery";

interface Outcome {
  status: number;
  out: string;
  err: string;
  runtime: MemoryRuntime;
}

type Files = ConstructorParameters<typeof MemoryRuntime>[0];

async function keygen(
  files: Files,
  args: string[],
  prepare: (runtime: MemoryRuntime) => void = () => {},
): Promise<Outcome> {
  const runtime = new MemoryRuntime(files, ["keygen", ...args]);
  runtime.now = () => new Date(NOW);
  prepare(runtime);
  const status = await main(runtime);
  const { stdout: out, stderr: err } = runtime;
  const shown = out + err;
  assert.ok(!/\n\s+at .*[:(]/.test(shown), err);
  // Neither the passphrase nor any part of a private key is ever shown.
  assert.ok(!shown.includes(SECRET), shown);
  for (const path of runtime.secret) {
    for (const line of textOf(runtime, path).match(/[A-Za-z0-9+/_=-]{20,}/g) ?? []) {
      assert.ok(!shown.includes(line), `${path} is in the output`);
    }
  }
  return { status, out, err, runtime };
}

function textOf(runtime: MemoryRuntime, path: string): string {
  const text = runtime.files.get(path);
  assert.ok(typeof text === "string", `${path} is not there`);
  return text;
}

const OPEN = "--no-passphrase";

/** Makes a key set step by step: the files of each step are those of the next. */
async function steps(...commands: string[][]): Promise<Outcome> {
  let files: Files = {};
  let last: Outcome | undefined;
  for (const args of commands) {
    last = await keygen(files, [...args, "--key-set=keys.json"]);
    assert.equal(last.status, 0, last.err);
    files = Object.fromEntries(last.runtime.files);
  }
  assert.ok(last !== undefined);
  return last;
}

async function setOf({ runtime }: Outcome) {
  return await parseKeySet(textOf(runtime, "keys.json"));
}

describe("keygen", () => {
  it("writes an encrypted private key for its owner only, and the public key", async () => {
    const { status, out, err, runtime } = await keygen({}, ["-o", "keys/ci"], (runtime) => {
      runtime.variables = { ATTEST_PASSPHRASE: SECRET };
    });
    assert.equal(status, 0, err);
    assert.deepEqual([...runtime.files.keys()], ["keys/ci.key", "keys/ci.pub"]);
    assert.deepEqual([...runtime.secret], ["keys/ci.key"]);
    const text = textOf(runtime, "keys/ci.key");
    assert.match(text, /^-----BEGIN ENCRYPTED PRIVATE KEY-----\n/);
    const signer = await importSigner(text, { passphrase: SECRET });
    const key = await importTrustedKey(textOf(runtime, "keys/ci.pub"));
    assert.equal(key.alg, "Ed25519");
    const data = new Uint8Array(3);
    assert.ok(await key.verify(data, await signer.sign(data)));
    assert.ok(out.includes(key.fingerprint) && out.includes(jwkThumbprint(key)), out);
    assert.match(out, /SHA256:/);
    assert.match(
      err,
      /next: attest sign FILE --key keys\/ci\.key\n +attest verify FILE --key keys\/ci\.pub/,
    );
  });

  it("asks twice at a terminal, and takes a file or standard input", async () => {
    const asked = await keygen({}, [], (runtime) => runtime.typed = [SECRET, SECRET]);
    assert.equal(asked.status, 0, asked.err);
    assert.equal(asked.runtime.prompts.length, 2);
    await importSigner(textOf(asked.runtime, "attest.key"), { passphrase: SECRET });
    const piped = await keygen({}, ["--passphrase-file=-"], (runtime) => {
      runtime.stdin = `${SECRET}\n`;
    });
    await importSigner(textOf(piped.runtime, "attest.key"), { passphrase: SECRET });
    const filed = await keygen({ p: SECRET }, ["--passphrase-file", "p"]);
    await importSigner(textOf(filed.runtime, "attest.key"), { passphrase: SECRET });
  });

  it("makes no key without a passphrase unless that is said", async () => {
    const without = await keygen({}, []);
    assert.equal(without.status, 2);
    assert.match(without.err, /--no-passphrase \(missing-passphrase\)/);
    assert.equal(without.runtime.files.size, 0);
    const empty = await keygen({}, [], (runtime) => runtime.variables = { ATTEST_PASSPHRASE: "" });
    assert.match(empty.err, /\(missing-passphrase\)/);
    assert.equal(empty.runtime.files.size, 0);
    const said = await keygen({}, [OPEN]);
    assert.equal(said.status, 0, said.err);
    assert.match(said.out, /NOT ENCRYPTED/);
    assert.match(textOf(said.runtime, "attest.key"), /^-----BEGIN PRIVATE KEY-----\n/);
  });

  it("replaces no file, and asks nothing before it says so", async () => {
    for (const name of ["attest.key", "attest.pub"]) {
      const found = await keygen({ [name]: "precious" }, [], (runtime) => {
        runtime.typed = [SECRET, SECRET];
      });
      assert.equal(found.status, 2);
      assert.match(found.err, /\(file-exists\)/);
      assert.deepEqual(found.runtime.prompts, []);
      assert.deepEqual([...found.runtime.files], [[name, "precious"]]);
    }
    const forced = await keygen({ "attest.pub": "old" }, [OPEN, "--force"]);
    assert.equal(forced.status, 0, forced.err);
    assert.match(textOf(forced.runtime, "attest.pub"), /BEGIN PUBLIC KEY/);
  });

  it("leaves nothing when a file cannot be written", async () => {
    const { status, err, runtime } = await keygen({}, [OPEN, "--out=readonly/ci"]);
    assert.equal(status, 2);
    assert.match(err, /\(unwritable-file\)/);
    assert.equal(runtime.files.size, 0);
  });

  it("makes keys of each algorithm, with the option that verification needs", async () => {
    const cases: [string[], string, string][] = [
      [["--alg=Ed25519"], "Ed25519", ""],
      [["--alg=ES256"], "ES256", ""],
      [["--alg=ES384"], "ES384", ""],
      [["--alg=RS256", "--bits=2048"], "RS256", ""],
      [["--alg=PS256", "--bits=2048"], "PS256", " --key-alg PS256"],
      [["--alg=ECDSA-P384-SHA256"], "ECDSA-P384-SHA256", " --key-alg ECDSA-P384-SHA256"],
    ];
    for (const [args, alg, option] of cases) {
      const { status, out, err, runtime } = await keygen({}, [OPEN, ...args]);
      assert.equal(status, 0, err);
      assert.match(out, new RegExp(`algorithm +${alg}\n`));
      assert.ok(err.includes(`verify FILE --key attest.pub${option}\n`), err);
      assert.ok(err.includes(`sign FILE --key attest.key${option}\n`), err);
      await importSigner(textOf(runtime, "attest.key"));
    }
  });

  it("makes ML-DSA keys, or says that this runtime has none", async () => {
    const { status, out, err, runtime } = await keygen({}, [OPEN, "--alg=ML-DSA-65"]);
    if (status === 0) {
      assert.match(out, /algorithm +ML-DSA-65\n/);
      await importSigner(textOf(runtime, "attest.key"));
    } else {
      assert.equal(status, 2);
      assert.match(err, /\(unsupported-algorithm\)/);
      assert.equal(runtime.files.size, 0);
    }
  });

  it("writes JWK, only when it is said that it is not encrypted", async () => {
    const args = ["--format=jwk", "--keyid=ci", "--alg=PS256", "--bits=2048"];
    const { status, err, runtime } = await keygen({}, [...args, OPEN]);
    assert.equal(status, 0, err);
    const signer = await importSigner(textOf(runtime, "attest.key"));
    assert.equal(signer.alg, "PS256");
    assert.equal(signer.keyid, "ci");
    const key = await importTrustedKey(textOf(runtime, "attest.pub"));
    assert.deepEqual([key.alg, key.keyid], ["PS256", "ci"]);
    assert.ok(!textOf(runtime, "attest.pub").includes('"d"'));
    const encrypted = await keygen({}, args, (runtime) => {
      runtime.variables = { ATTEST_PASSPHRASE: SECRET };
    });
    assert.match(encrypted.err, /--no-passphrase.*\(usage\)/);
    assert.equal(encrypted.runtime.files.size, 0);
  });

  it("refuses what it would have to ignore", async () => {
    const cases = [
      ["x"],
      ["--bits=2048"],
      ["--alg=ES256", "--bits=2048"],
      ["--alg=RS256", "--bits=1024"],
      ["--alg=RS256", "--bits=2049"],
      ["--alg=RS256", "--bits=2e3"],
      ["--alg=none"],
      ["--keyid=x"],
      ["--name=x"],
      ["--successor-of=x"],
      ["--valid-from=2026-01-01T00:00:00Z"],
      ["--valid-until=2026-01-01T00:00:00Z"],
      ["--key-set=k", "--valid-until=2026-01-01"],
      ["--key-set=k", "--valid-until=2026-01-01T00:00:00+01:00"],
      ["--reason=retired"],
      ["--note=x"],
      ["--revoked-at=2026-01-01T00:00:00Z"],
      ["--revoke=a"],
      ["--revoke=a", "--key-set=k"],
      ["--revoke=a", "--key-set=k", "--reason=bored"],
      ["--revoke=a", "--key-set=k", "--reason=retired", "--alg=ES256"],
      ["--revoke=a", "--key-set=k", "--reason=retired", "--no-passphrase"],
      ["--passphrase-file=p"],
    ];
    for (const args of cases) {
      const open = args.some((arg) => /^--(revoke=|no-pass)/.test(arg)) ? [] : [OPEN];
      const { status, err, runtime } = await keygen({}, [...open, ...args]);
      assert.equal(status, 2, args.join(" "));
      assert.match(err, /\(usage\)/, args.join(" "));
      assert.equal(runtime.files.size, 0);
    }
  });
});

describe("keygen --key-set", () => {
  it("makes the document, and adds to it", async () => {
    const outcome = await steps(
      [OPEN, "--out=keys/a", "--keyid=k", "--valid-until=2027-01-01T00:00:00Z"],
      [OPEN, "--out=b", "--name=second", "--alg=ES256"],
    );
    const { keys } = await setOf(outcome);
    assert.deepEqual(keys.map(({ name }) => name), ["a", "second"]);
    assert.equal(keys[0].key.keyid, "k");
    assert.equal(keys[0].validUntil?.toISOString(), "2027-01-01T00:00:00.000Z");
    assert.equal(keys[0].validFrom, undefined);
    assert.equal(keys[1].key.alg, "ES256");
    assert.match(outcome.err, /verify FILE --key-set keys\.json/);
    assert.ok(!outcome.runtime.secret.has("keys.json"));
    assert.ok(!textOf(outcome.runtime, "keys.json").includes("PRIVATE"));
  });

  it("rotates: the old key counts until the new one does, never longer than before", async () => {
    const outcome = await steps(
      [OPEN, "--out=a"],
      [OPEN, "--out=b", "--successor-of=a"],
      [OPEN, "--out=c", "--successor-of=b", "--valid-from=2026-09-01T00:00:00Z"],
    );
    const { keys } = await setOf(outcome);
    assert.equal(keys[0].successor, "b");
    assert.equal(keys[0].validUntil?.toISOString(), NOW);
    assert.equal(keys[1].validFrom?.toISOString(), NOW);
    assert.equal(keys[1].successor, "c");
    assert.equal(keys[1].validUntil?.toISOString(), "2026-09-01T00:00:00.000Z");
    assert.equal(keys[2].validUntil, undefined);
    const ended = await steps(
      [OPEN, "--out=a", "--valid-until=2026-02-01T00:00:00Z"],
      [OPEN, "--out=b", "--successor-of=a"],
    );
    const [old] = (await setOf(ended)).keys;
    assert.equal(old.validUntil?.toISOString(), "2026-02-01T00:00:00.000Z");
  });

  it("changes nothing and writes no key when the set refuses it", async () => {
    const { runtime } = await steps([OPEN, "--out=a"], [OPEN, "--out=b", "--successor-of=a"]);
    const before = Object.fromEntries(runtime.files);
    const cases: [string[], RegExp][] = [
      [["--name=a"], /already.*\(usage\)/],
      [["--successor-of=c"], /no key "c".*\(usage\)/],
      [["--successor-of=a"], /has a successor already.*\(usage\)/],
      [
        ["--successor-of=b", "--valid-from=2026-01-01T00:00:00Z"],
        /malformed-key-set/,
      ],
      [
        ["--valid-from=2026-02-01T00:00:00Z", "--valid-until=2026-01-01T00:00:00Z"],
        /malformed-key-set/,
      ],
    ];
    for (const [args, wanted] of cases) {
      const found = await keygen({ ...before }, [OPEN, "-o", "c", "--key-set=keys.json", ...args]);
      assert.equal(found.status, 2, args.join(" "));
      assert.match(found.err, wanted);
      assert.deepEqual(Object.fromEntries(found.runtime.files), before);
    }
    for (const text of ["{}", "not JSON", '{"type":"attest-key-set/v1","keys":[],"x":1}']) {
      const files = { "keys.json": text };
      const found = await keygen(files, [OPEN, "--key-set=keys.json"]);
      assert.equal(found.status, 2);
      assert.deepEqual(Object.fromEntries(found.runtime.files), files);
    }
    const none = await keygen({}, [OPEN, "--key-set=keys.json", "--successor-of=a"]);
    assert.match(none.err, /\(unreadable-file\)/);
    assert.equal(none.runtime.files.size, 0);
  });

  it("waits for no lock for ever", async () => {
    const { status, err, runtime } = await keygen({}, [OPEN, "--key-set=keys.json"], (runtime) => {
      runtime.locked.add("keys.json");
    });
    assert.equal(status, 2);
    assert.match(err, /\(locked-file\)/);
    assert.equal(runtime.files.size, 0);
  });
});

describe("keygen --revoke", () => {
  it("revokes, with reason, time and note, and names the successor", async () => {
    const outcome = await steps(
      [OPEN, "--out=a"],
      [OPEN, "--out=b", "--successor-of=a"],
      [
        "--revoke=a",
        "--reason=compromised",
        "--revoked-at=2026-03-01T00:00:00Z",
        "--note=laptop stolen",
      ],
    );
    const [{ revoked }] = (await setOf(outcome)).keys;
    assert.equal(revoked?.at.toISOString(), "2026-03-01T00:00:00.000Z");
    assert.equal(revoked?.reason, "compromised");
    assert.equal(revoked?.note, "laptop stolen");
    assert.match(outcome.out, /successor +"b"/);
    assert.deepEqual(
      [...outcome.runtime.files.keys()].sort(),
      ["a.key", "a.pub", "b.key", "b.pub", "keys.json"],
    );
  });

  it("takes now, and proposes a successor where there is none", async () => {
    const outcome = await steps([OPEN, "--out=a"], ["--revoke=a", "--reason=retired"]);
    const [{ revoked }] = (await setOf(outcome)).keys;
    assert.equal(revoked?.at.toISOString(), NOW);
    assert.match(outcome.err, /keygen --key-set keys\.json --successor-of a/);
  });

  it("replaces a revocation only with --force, and finds what is misspelt", async () => {
    const { runtime } = await steps([OPEN, "--out=ci-2026"], [
      "--revoke=ci-2026",
      "--reason=retired",
    ]);
    const files = Object.fromEntries(runtime.files);
    const args = ["--key-set=keys.json", "--reason=compromised"];
    const twice = await keygen({ ...files }, ["--revoke=ci-2026", ...args]);
    assert.match(twice.err, /was revoked at.*--force.*\(usage\)/);
    const forced = await keygen({ ...files }, ["--revoke=ci-2026", "--force", ...args]);
    assert.equal(forced.status, 0, forced.err);
    assert.equal((await setOf(forced)).keys[0].revoked?.reason, "compromised");
    const misspelt = await keygen({ ...files }, ["--revoke=ci-2062", ...args]);
    assert.match(misspelt.err, /did you mean ci-2026/);
    const none = await keygen({}, ["--revoke=a", ...args]);
    assert.match(none.err, /\(unreadable-file\)/);
  });
});
