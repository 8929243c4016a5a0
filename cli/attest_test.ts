import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { utf8 } from "../internal/bytes.ts";
import { encodeHex } from "../internal/hex.ts";
import type { JsonObject } from "../internal/json.ts";
import { sha256 } from "../internal/sha256.ts";
import { generateSigner } from "../keys/mod.ts";
import type { MemoryFile } from "../tests/cli_runtime.ts";
import {
  failure,
  KEY,
  keylessMachine,
  keys,
  machine,
  type Outcome,
  payloadOf,
  proposed,
  refused,
  run,
  SERVICES,
  textOf,
} from "../tests/signing_machine.ts";

const TYPE = "https://acme.example/review/v1";
const REVIEW = [`--type=${TYPE}`, "--predicate=p.json"];
const shaOf = (text: string): string => encodeHex(sha256(utf8(text)));

function statementIn(outcome: Outcome, path: string) {
  return JSON.parse(payloadOf(textOf(outcome, path)));
}

describe("attest with a key", () => {
  it("writes a bundle beside the file that the proposed command verifies", async () => {
    const made = await run(await machine(), "attest", "app.tgz", ...REVIEW, KEY);
    assert.equal(made.status, 0, made.err);
    assert.deepEqual(statementIn(made, "app.tgz.sigstore.json"), {
      _type: "https://in-toto.io/Statement/v1",
      subject: [{ name: "app.tgz", digest: { sha256: shaOf("hello\n") } }],
      predicateType: TYPE,
      predicate: { approved: true },
    });
    const checked = await proposed(made);
    assert.equal(checked.status, 0, checked.out + checked.err);
    const changed = { ...Object.fromEntries(made.runtime.files), "app.tgz": "hell0\n" };
    const other = await run({ files: changed }, "verify", "app.tgz", "--key=ci.pub");
    assert.equal(other.status, 1);
  });

  it("keeps the predicate to the letter, so that no number loses digits", async () => {
    const text = '{"id": 90071992547409931234, "x":1.10,\n "y":"\\u00e9"}';
    const made = await run(
      await machine({ "p.json": ` ${text}\n` }),
      "attest",
      "app.tgz",
      ...REVIEW,
      KEY,
    );
    assert.ok(payloadOf(textOf(made, "app.tgz.sigstore.json")).endsWith(`"predicate":${text}}`));
    assert.equal((await proposed(made)).status, 0);
  });

  it("signs several files as one Statement, or each for itself", async () => {
    const given = await machine({ "dist/a": "1", "dist/b": "2" });
    assert.equal(await refused(given, "attest", "dist/a", "dist/b", ...REVIEW, KEY), "usage");
    const one = await run(given, "attest", "dist/a", "dist/b", ...REVIEW, KEY, "-o", "all.json");
    assert.equal(one.status, 0, one.err);
    const { subject } = statementIn(one, "all.json");
    assert.deepEqual(subject.map(({ name }: { name: string }) => name), ["a", "b"]);
    assert.equal((await proposed(one)).status, 0);

    const each = await run(given, "attest", "dist/a", "dist/b", ...REVIEW, KEY, "--each");
    assert.equal(each.status, 0, each.err);
    for (const name of ["a", "b"]) {
      const { subject } = statementIn(each, `dist/${name}.sigstore.json`);
      assert.equal(subject.length, 1);
      assert.equal(subject[0].name, name);
    }
  });

  it("tells files of one name apart by their folders, and refuses one file twice", async () => {
    const given = await machine({ "x/a": "1", "y/a": "2" });
    const made = await run(given, "attest", "./x/a", "y/a", ...REVIEW, KEY, "-o", "all.json");
    assert.equal(made.status, 0, made.err);
    const { subject } = statementIn(made, "all.json");
    assert.deepEqual(subject.map(({ name }: { name: string }) => name), ["x/a", "y/a"]);
    const twice = ["attest", "x/a", "x/a", ...REVIEW, KEY, "-o", "all.json"];
    assert.equal(await refused(given, ...twice), "duplicate-subject-name");
    const outside = ["attest", "/x/a", "/y/a", ...REVIEW, KEY, "-o", "all.json"];
    assert.equal(
      await refused(await machine({ "/x/a": "1", "/y/a": "2" }), ...outside),
      "duplicate-subject-name",
    );
  });

  it("refuses a file that is there, before any work, and replaces it if told to", async () => {
    const given = await machine({ "app.tgz.sigstore.json": "old" });
    const kept = await run(given, "attest", "app.tgz", ...REVIEW, KEY);
    assert.equal(kept.status, 2);
    assert.equal(failure(kept, given).reason, "file-exists");
    assert.equal(textOf(kept, "app.tgz.sigstore.json"), "old");
    assert.ok(!kept.runtime.reads.includes("app.tgz"), "it was hashed all the same");
    const forced = await run(given, "attest", "app.tgz", ...REVIEW, KEY, "--force");
    assert.equal(forced.status, 0, forced.err);
    assert.equal((await proposed(forced)).status, 0);
  });

  it("writes all files of --each or none", async () => {
    const given = await machine({ "readonly/a": "1" });
    const args = ["attest", "app.tgz", "readonly/a", ...REVIEW, KEY, "--each"];
    assert.equal(await refused(given, ...args), "unwritable-file");
    assert.equal(
      await refused(given, "attest", "app.tgz", ...REVIEW, KEY, "-o", "none/x.json"),
      "unwritable-file",
    );
    assert.equal(
      await refused(await machine({ "d/x": "1" }), "attest", "app.tgz", ...REVIEW, KEY, "-o", "d"),
      "unwritable-file",
    );
  });

  it("adds a line to a file of lines, whose lines all verify", async () => {
    const given = await machine();
    const args = ["attest", "app.tgz", ...REVIEW, KEY, "--append"];
    const first = await run(given, ...args);
    assert.equal(first.status, 0, first.err);
    const files = Object.fromEntries(first.runtime.files);
    const second = await run({ files }, ...args);
    const lines = textOf(second, "app.tgz.intoto.jsonl").split("\n");
    assert.equal(lines.length, 3);
    const checked = await proposed(second);
    assert.equal(checked.status, 0, checked.err);
    assert.ok(checked.out.includes("app.tgz.intoto.jsonl#2"));
    assert.equal(await refused(given, ...args, "--force"), "usage");
  });

  it("writes to standard output, where nothing else is told then", async () => {
    const made = await run(await machine(), "attest", "app.tgz", ...REVIEW, KEY, "-o", "-");
    assert.equal(made.status, 0);
    assert.equal(JSON.parse(payloadOf(made.out)).predicateType, TYPE);
    assert.ok(made.err.startsWith("Signed 1 subject:"));
    assert.equal(
      await refused(
        await machine(),
        "attest",
        "app.tgz",
        ...REVIEW,
        KEY,
        "-o",
        "-",
        "--format=json",
      ),
      "usage",
    );
  });

  it("signs one envelope with several keys, all of which verify asks for", async () => {
    const args = ["attest", "app.tgz", ...REVIEW, KEY, "--key=second.key"];
    const made = await run(await machine(), ...args);
    assert.equal(made.status, 0, made.err);
    assert.equal(JSON.parse(textOf(made, "app.tgz.intoto.json")).signatures.length, 2);
    const checked = await proposed(made);
    assert.equal(checked.status, 0, checked.out);
    assert.ok(checked.out.includes("keys needed"));
    const twice = await machine({ "copy.key": (await keys())["ci.key"] });
    assert.equal(
      await refused(twice, "attest", "app.tgz", ...REVIEW, KEY, "--key=copy.key"),
      "usage",
    );
  });

  it("opens an encrypted key by its passphrase, which is told nowhere", async () => {
    const { privateKey, publicKey } = await generateSigner("ES256", { passphrase: "zaphod" });
    const given = await machine({ "ci.key": privateKey, "ci.pub": publicKey, pass: "zaphod\n" });
    const made = await run(given, "attest", "app.tgz", ...REVIEW, KEY, "--passphrase-file=pass");
    assert.equal(made.status, 0, made.err);
    assert.equal((await proposed(made)).status, 0);
    assert.ok(!(made.out + made.err).includes("zaphod"));
    assert.equal(await refused(given, "attest", "app.tgz", ...REVIEW, KEY), "missing-passphrase");
    const wrong = { ...given, variables: { ATTEST_PASSPHRASE: "marvin" } };
    const failed = await run(wrong, "attest", "app.tgz", ...REVIEW, KEY);
    assert.equal(failure(failed, wrong).reason, "wrong-passphrase");
    assert.ok(!(failed.out + failed.err).includes("marvin"));
  });
});

describe("attest of folders", () => {
  const FOLDER = { "dist/a": "1", "dist/sub/.b": "2" };

  /** Status of `verify dist` after something was done to the files. */
  async function after(outcome: Outcome, change: (files: Map<string, MemoryFile>) => void) {
    const files = new Map(outcome.runtime.files);
    change(files);
    return (await run({ files: Object.fromEntries(files) }, "verify", "dist", "--key=ci.pub"))
      .status;
  }

  it("signs a folder as one, of which no file may be changed, added, removed or renamed", async () => {
    const made = await run(await machine(FOLDER), "attest", "dist/", ...REVIEW, KEY);
    assert.equal(made.status, 0, made.err);
    const [{ name, digest }] = statementIn(made, "dist.sigstore.json").subject;
    assert.equal(name, "dist");
    const list = `${shaOf("1")}  a\n${shaOf("2")}  sub/.b\n`;
    assert.deepEqual(digest, { sha256: shaOf(list), dirHash: shaOf(list) });
    assert.equal((await proposed(made)).status, 0);
    assert.equal(await after(made, () => {}), 0);
    assert.equal(await after(made, (files) => files.set("dist/a", "0")), 1);
    assert.equal(await after(made, (files) => files.set("dist/c", "")), 1);
    assert.equal(await after(made, (files) => files.set("dist/x.sigstore.json", "{}")), 1);
    assert.equal(await after(made, (files) => files.delete("dist/a")), 1);
    assert.equal(
      await after(made, (files) => {
        files.set("dist/A", files.get("dist/a")!);
        files.delete("dist/a");
      }),
      1,
    );
    assert.notEqual(await after(made, (files) => files.set("dist/l", { link: "ci.pub" })), 0);
  });

  it("takes a file that holds the list of a folder for no folder", async () => {
    const list = `${shaOf("1")}  a\n${shaOf("2")}  sub/.b\n`;
    const given = await machine({ ...FOLDER, "list": list });
    const made = await run(given, "attest", "list", ...REVIEW, KEY, "-o", "dist.sigstore.json");
    assert.equal(made.status, 0, made.err);
    assert.equal(await after(made, () => {}), 1);
    const statement = JSON.stringify({
      _type: "https://in-toto.io/Statement/v1",
      subject: [{ digest: { dirHash: "0".repeat(64) } }, { digest: { sha256: shaOf(list) } }],
      predicateType: TYPE,
      predicate: {},
    });
    const both = await machine({ ...FOLDER, "s.json": statement });
    const other = await run(both, "attest", "--statement=s.json", KEY, "-o", "dist.sigstore.json");
    assert.equal(other.status, 0, other.err);
    assert.equal(await after(other, () => {}), 1);
  });

  it("signs each file of a folder, and leaves out what is named like an attestation", async () => {
    const given = await machine({ ...FOLDER, "dist/a.sigstore.json": "{}" });
    const args = ["attest", "dist", ...REVIEW, KEY, "--subjects=many"];
    const made = await run(given, ...args, "--digest-algorithm=sha512");
    assert.equal(made.status, 0, made.err);
    const { subject } = statementIn(made, "dist.sigstore.json");
    assert.deepEqual(subject.map(({ name }: { name: string }) => name), ["a", "sub/.b"]);
    assert.deepEqual(Object.keys(subject[0].digest), ["sha512"]);
    assert.ok(made.err.includes("not attested: 1 file"));
    assert.ok(made.out.includes("verify dist --subjects=all"));
    const checked = await proposed(made);
    assert.equal(checked.status, 0, checked.out);
    assert.equal(await after(made, (files) => files.set("dist/a", "0")), 1);
    const files = Object.fromEntries([...made.runtime.files].filter(([path]) => path !== "dist/a"));
    const verify = ["verify", "dist", "--key=ci.pub", "--subjects=all"];
    assert.equal((await run({ files }, ...verify)).status, 1);
  });

  it("refuses an empty folder, links, and an attestation in the folder that it is about", async () => {
    const link = await machine({ ...FOLDER, "dist/l": { link: "p.json" } });
    const self = await machine({ ...FOLDER, "dist/sub/up": { link: "dist" } });
    for (const mode of ["one", "many"]) {
      const args = ["attest", "dist", ...REVIEW, KEY, `--subjects=${mode}`];
      assert.equal(await refused(link, ...args), "unsupported-file-name");
      assert.equal(await refused(self, ...args), "unsupported-file-name");
    }
    for (const output of ["dist/x.json", "./dist/sub/x.json", "dist/sub/../x.json"]) {
      const args = ["attest", "dist/", ...REVIEW, KEY, "-o", output];
      assert.equal(await refused(await machine(FOLDER), ...args), "usage", output);
    }
    const root = ["attest", ".", ...REVIEW, KEY, "-o", "x.json"];
    assert.equal(await refused(await machine(FOLDER), ...root), "usage");
    const beside = ["attest", "dist", ...REVIEW, KEY, "-o", "dist2.json"];
    assert.equal((await run(await machine(FOLDER), ...beside)).status, 0);
    const names = await machine({ "dist/a\\b": "1" });
    assert.equal(
      await refused(names, "attest", "dist", ...REVIEW, KEY),
      "unsupported-file-name",
    );
  });
});

describe("attest of what is no file", () => {
  it("takes checksum files, and refuses names that lead elsewhere", async () => {
    const sums = `${shaOf("hello\n")}  ./app.tgz\n${"a".repeat(128)}  other\n`;
    const made = await run(
      await machine({ SHA256SUMS: sums }),
      "attest",
      "--checksums=SHA256SUMS",
      ...REVIEW,
      KEY,
    );
    assert.equal(made.status, 0, made.err);
    const { subject } = statementIn(made, "SHA256SUMS.sigstore.json");
    assert.deepEqual(subject.map(({ name }: { name: string }) => name), ["app.tgz", "other"]);
    assert.equal((await proposed(made)).status, 0);
    for (const name of ["../../etc/passwd", "/etc/passwd", "a\\\\b", "C:/x"]) {
      const evil = await machine({ SUMS: `\\${"a".repeat(64)}  ${name}\n` });
      assert.equal(
        await refused(evil, "attest", "--checksums=SUMS", ...REVIEW, KEY),
        "unsupported-file-name",
        name,
      );
    }
    const bad = await machine({ SUMS: "<html>" });
    assert.equal(
      await refused(bad, "attest", "--checksums=SUMS", ...REVIEW, KEY),
      "malformed-checksums",
    );
  });

  it("takes images and other things by their digests, which verify asks for", async () => {
    const given = await machine();
    const image = `oci://registry.example/app:1@sha256:${"a".repeat(64)}`;
    for (const args of [[image], [`--subject-digest=app@sha256:${"b".repeat(64)}`]]) {
      const made = await run(given, "attest", ...args, ...REVIEW, KEY, "-o", "x.json");
      assert.equal(made.status, 0, made.err);
      assert.equal((await proposed(made)).status, 0);
    }
    const digest = `--subject-digest=gitCommit:${"c".repeat(40)}`;
    const made = await run(given, "attest", digest, "--subject-name=HEAD", ...REVIEW, KEY, "-o=x");
    assert.deepEqual(statementIn(made, "x").subject, [
      { name: "HEAD", digest: { gitCommit: "c".repeat(40) } },
    ]);
    const wrong: [string[], string][] = [
      [["oci://registry.example/app:1"], "missing-subject-digest"],
      [[`registry.example/app@sha256:${"a".repeat(64)}`], "usage"],
      [[`sha256:${"a".repeat(64)}`], "usage"],
      [["--subject-digest=app@sha256:abc"], "usage"],
      [["--subject-digest=app"], "usage"],
      [[image, digest, "--subject-name=x"], "usage"],
      [["nothing"], "unreadable-file"],
      [["app.tgz", "--digest-algorithm=sha1"], "usage"],
      [["app.tgz", "--digest-algorithm=sha256,sha256"], "usage"],
      [[], "artifact-required"],
    ];
    for (const [args, reason] of wrong) {
      assert.equal(
        await refused(given, "attest", ...args, ...REVIEW, KEY, "-o=x"),
        reason,
        args.join(" "),
      );
    }
  });

  it("takes commits and tags whose bytes have the id, and nothing else of git", async () => {
    const id = "91c197871db52ec628bdc306b03ac959a5e370ed";
    const who = "A <a@acme.example> 1700000000 +0000";
    const object = `tree 4b825dc642cb6eb9a060e54bf8d69288fbee4904\nauthor ${who}\n` +
      `committer ${who}\n\nx\n`;
    const commands = (type: string, content: string): Record<string, string> => ({
      "git rev-parse --verify --end-of-options HEAD": `${id}\n`,
      [`git cat-file -t ${id}`]: `${type}\n`,
      [`git cat-file ${type} ${id}`]: content,
    });
    const given = await machine();
    const args = ["attest", "--git=HEAD", ...REVIEW, KEY, "-o=x.json"];
    const made = await run({ ...given, commands: commands("commit", object) }, ...args);
    assert.equal(made.status, 0, made.err);
    assert.deepEqual(statementIn(made, "x.json").subject, [
      { name: "HEAD", digest: { gitCommit: id } },
    ]);
    assert.equal((await proposed(made)).status, 0);
    const lying = commands("commit", object.replace("\nx", "\ny"));
    assert.equal(await refused({ ...given, commands: lying }, ...args), "subject-mismatch");
    const blob = commands("blob", "x");
    assert.equal(await refused({ ...given, commands: blob }, ...args), "unsupported-git-object");
    assert.equal(await refused(given, ...args), "unreadable-file");
    assert.equal(
      await refused(given, "attest", "--git=--output=x", ...REVIEW, KEY, "-o=x.json"),
      "usage",
    );
  });
});

describe("attest and what is said", () => {
  it("refuses predicates that are no object, and what is wrong for their type", async () => {
    const given = await machine({
      "text.json": '"text"',
      "list.json": "[]",
      "null.json": "null",
      "twice.json": '{"a":1,"a":2}',
      "bom.json": '{"bomFormat":"CycloneDX"}',
      "no.json": "{}",
      "large.json": `{"a":"${"x".repeat((16 << 20) - 50)}"}`,
      "deep.json": `{"a":${"[".repeat(127)}${"]".repeat(127)}}`,
    });
    const cases: [string, string, string][] = [
      ["text.json", TYPE, "malformed-predicate"],
      ["list.json", TYPE, "malformed-predicate"],
      ["null.json", TYPE, "malformed-predicate"],
      ["twice.json", TYPE, "duplicate-json-key"],
      ["deep.json", TYPE, "limit-exceeded"],
      ["large.json", TYPE, "limit-exceeded"],
      ["none.json", TYPE, "unreadable-file"],
      ["bom.json", "cyclonedx", "missing-predicate-field"],
      ["no.json", "slsaprovenance1", "missing-predicate-field"],
      ["no.json", "vuln", "missing-predicate-field"],
      ["p.json", "no-such-type", "usage"],
      ["p.json", "HTTPS://acme.example/x", "invalid-uri"],
    ];
    for (const [file, type, reason] of cases) {
      const args = ["attest", "app.tgz", `--type=${type}`, `--predicate=${file}`, KEY];
      assert.equal(await refused(given, ...args), reason, `${file} ${type}`);
    }
    const wrong = ["attest", "app.tgz", "--type=slsaprovenance1", "--predicate=no.json", KEY];
    const told = await run(given, ...wrong);
    assert.equal(told.status, 1);
    assert.ok(told.err.includes("Generation of the attestation failed"), told.err);
    assert.ok(told.err.includes("/buildDefinition"), told.err);
    assert.equal((await run(given, ...wrong, "--no-validate")).status, 0);
  });

  it("makes predicates of options, and finds the type of an SBOM", async () => {
    const given = await machine({
      "ci.yml": "on: push",
      "bom.json": '{"bomFormat":"CycloneDX","specVersion":"1.6"}',
      "spdx.json": JSON.stringify({
        spdxVersion: "SPDX-2.3",
        SPDXID: "SPDXRef-DOCUMENT",
        name: "app",
        dataLicense: "CC0-1.0",
        documentNamespace: "https://acme.example/spdx/1",
        creationInfo: { created: "2025-01-01T00:00:00Z", creators: ["Tool: x"] },
        packages: [],
      }),
      "scan.json": '{"findings":[]}',
    });
    const cases: [string[], string, JsonObject | undefined][] = [
      [
        ["--type=release", "--purl=pkg:npm/app@1.2.3", "--package-id=7"],
        "https://in-toto.io/attestation/release/v0.2",
        { purl: "pkg:npm/app@1.2.3", packageId: "7" },
      ],
      [
        [
          "--type=test-result",
          "--result=WARNED",
          "--configuration=ci.yml",
          "--configuration=https://ci.example/1",
          "--url=https://ci.example/runs/1",
          "--passed-test=quick",
          "--warned-test=slow",
        ],
        "https://in-toto.io/attestation/test-result/v0.1",
        {
          result: "WARNED",
          url: "https://ci.example/runs/1",
          passedTests: ["quick"],
          configuration: [
            { name: "ci.yml", digest: { sha256: shaOf("on: push") } },
            { uri: "https://ci.example/1" },
          ],
          warnedTests: ["slow"],
        },
      ],
      [
        ["--type=test-result", "--result=FAILED", "--configuration=ci.yml", "--failed-test=flaky"],
        "https://in-toto.io/attestation/test-result/v0.1",
        {
          result: "FAILED",
          configuration: [{ name: "ci.yml", digest: { sha256: shaOf("on: push") } }],
          failedTests: ["flaky"],
        },
      ],
      [["--sbom=bom.json"], "https://cyclonedx.org/bom", undefined],
      [["--sbom=spdx.json"], "https://spdx.dev/Document/v2.3", undefined],
      [["--sbom=bom.json", "--type=cyclonedx"], "https://cyclonedx.org/bom", undefined],
      [
        [
          "--type=vuln",
          "--scan-result=scan.json",
          "--scanner=https://scanner.example",
          "--scan-started=2025-01-01T00:00:00Z",
        ],
        "https://cosign.sigstore.dev/attestation/vuln/v1",
        undefined,
      ],
    ];
    for (const [args, type, predicate] of cases) {
      const made = await run(given, "attest", "app.tgz", ...args, KEY);
      assert.equal(made.status, 0, `${args.join(" ")}: ${made.err}`);
      const statement = statementIn(made, "app.tgz.sigstore.json");
      assert.equal(statement.predicateType, type);
      if (predicate !== undefined) assert.deepEqual(statement.predicate, predicate);
      assert.equal((await proposed(made)).status, 0);
    }
    const custom = ["attest", "app.tgz", "--type=custom", "--predicate=ci.yml", KEY];
    const { predicate } = statementIn(await run(given, ...custom), "app.tgz.sigstore.json");
    assert.equal(predicate.Data, "on: push");
  });

  it("refuses options that contradict each other or say nothing", async () => {
    const given = await machine({ "s.json": "{}" });
    const cases: string[][] = [
      [],
      [`--type=${TYPE}`],
      ["--predicate=p.json"],
      ["--type=release"],
      ["--type=test-result", "--purl=pkg:npm/a@1"],
      ["--purl=pkg:npm/a@1"],
      [...REVIEW, "--purl=pkg:npm/a@1"],
      [...REVIEW, "--sbom=p.json"],
      [...REVIEW, "--statement=s.json"],
      ["--statement=s.json", "--provenance"],
      ["--provenance", `--type=${TYPE}`],
      [...REVIEW, "--device-flow"],
      [...REVIEW, "--identity-token-file=x"],
      [...REVIEW, "--trusted-root=x"],
      [...REVIEW, "--trust-config=x", "--signing-config=y"],
      [...REVIEW, "--timeout=0"],
      [...REVIEW, "--each", "-o=x"],
      [...REVIEW, "--predcate=x"],
      [`--type=${TYPE}`, "--predicate=-", "--passphrase-file=-"],
    ];
    for (const args of cases) {
      assert.equal(
        await refused(given, "attest", "app.tgz", ...args, KEY),
        "usage",
        args.join(" "),
      );
    }
    assert.equal(await refused(given, "attest", "app.tgz", ...REVIEW), "usage");
    assert.equal(await refused(given, "attest", "app.tgz", ...REVIEW, "--keyid=x"), "usage");
  });

  it("signs a Statement byte for byte, if it is about the artifact", async () => {
    const text = JSON.stringify(
      {
        predicateType: TYPE,
        _type: "https://in-toto.io/Statement/v1",
        subject: [{ digest: { sha256: shaOf("hello\n") }, x: 1 }],
        predicate: { n: 1.0 },
      },
      undefined,
      3,
    ) + "\n";
    const given = await machine({ "s.json": text, other: "x" });
    const made = await run(given, "attest", "app.tgz", "--statement=s.json", KEY);
    assert.equal(made.status, 0, made.err);
    assert.equal(payloadOf(textOf(made, "app.tgz.sigstore.json")), text);
    assert.equal((await proposed(made)).status, 0);
    const alone = await run(given, "attest", "--statement=s.json", KEY, "-o=x.json");
    assert.equal(alone.status, 0, alone.err);
    assert.equal((await proposed(alone)).status, 0);
    assert.equal(
      await refused(given, "attest", "other", "--statement=s.json", KEY),
      "subject-mismatch",
    );
    const empty = JSON.stringify({ ...JSON.parse(text), subject: [] });
    for (
      const [statement, reason] of [
        [empty, "missing-subject"],
        ["{}", "malformed-statement"],
        [text.replace(TYPE, "https://slsa.dev/provenance/v1"), "missing-predicate-field"],
      ]
    ) {
      const bad = await machine({ "s.json": statement });
      const args = ["attest", "--statement=s.json", KEY, "-o=x.json"];
      assert.equal(await refused(bad, ...args), reason);
    }
  });
});

describe("attest without a key", () => {
  it("signs for the identity of a token, and the proposed command verifies it", async () => {
    const given = await keylessMachine();
    for (const rekor of [1, 2] as const) {
      given.files["signing_config.json"] = JSON.stringify(given.services!.signingConfig({ rekor }));
      const made = await run(given, "attest", "app.tgz", ...REVIEW, ...SERVICES);
      assert.equal(made.status, 0, made.err);
      assert.ok(made.out.includes("log entry"), made.out);
      assert.ok(made.out.includes("https://github.com/acme/app/.github/workflows/release.yml"));
      const checked = await proposed(made);
      assert.equal(checked.status, 0, checked.out + checked.err);
    }
  });

  it("proposes a command that verifies what has no log, or a root in a trust configuration", async () => {
    const given = await keylessMachine();
    const { services, files } = given;
    files["signing_config.json"] = JSON.stringify(services!.signingConfig({ rekor: "none" }));
    const made = await run(given, "attest", "app.tgz", ...REVIEW, ...SERVICES);
    assert.equal(made.status, 0, made.err);
    const checked = await proposed(made);
    assert.equal(checked.status, 0, checked.out + checked.err);

    files["trust.json"] = JSON.stringify({
      mediaType: "application/vnd.dev.sigstore.clienttrustconfig.v0.1+json",
      trustedRoot: services!.trustedRoot,
      signingConfig: services!.signingConfig(),
    });
    const other = await run(given, "attest", "app.tgz", ...REVIEW, "--trust-config=trust.json");
    assert.equal(other.status, 0, other.err);
    const again = await proposed(other);
    assert.equal(again.status, 0, again.out + again.err);
  });

  it("takes the token of a file, of standard input, or of the environment", async () => {
    const given = await keylessMachine();
    const token = given.variables!.SIGSTORE_ID_TOKEN;
    const email = await given.services!.token({ email: "dev@acme.example" });
    const args = ["attest", "app.tgz", ...REVIEW, ...SERVICES];
    const file = { ...given, files: { ...given.files, token: `${email}\n` } };
    const made = await run(file, ...args, "--identity-token-file=token");
    assert.ok(made.out.includes("dev@acme.example"), made.err);
    const stdin = { ...given, variables: {}, stdin: token };
    assert.equal((await run(stdin, ...args, "--identity-token-file=-")).status, 0);
    assert.equal(
      await refused({ ...given, variables: {} }, ...args),
      "missing-identity-token",
    );
    const bad = { ...given, variables: { SIGSTORE_ID_TOKEN: "eyJhbGciOiJub25lIn0.e30." } };
    assert.equal(await refused(bad, ...args), "malformed-identity-token");
    const old = await given.services!.token({ exp: 1_700_000_000 });
    assert.equal(
      await refused({ ...given, variables: { SIGSTORE_ID_TOKEN: old } }, ...args),
      "identity-token-expired",
    );
  });

  it("makes provenance of the build, of which the token's claims decide", async () => {
    const given = await keylessMachine({ "event.json": "{}" });
    const github: Record<string, string> = {
      GITHUB_ACTIONS: "true",
      GITHUB_EVENT_PATH: "event.json",
      GITHUB_EVENT_NAME: "push",
      GITHUB_REPOSITORY: "acme/app",
      GITHUB_REPOSITORY_ID: "1001",
      GITHUB_REPOSITORY_OWNER_ID: "2002",
      GITHUB_SERVER_URL: "https://github.com",
      GITHUB_REF: "refs/heads/main",
      GITHUB_SHA: "5ba5ee8b0f9c3f4d4f3f7a0c1d2e3f4a5b6c7d8e",
      GITHUB_RUN_ID: "42",
      GITHUB_RUN_ATTEMPT: "1",
      GITHUB_WORKFLOW_REF: "acme/app/.github/workflows/release.yml@refs/heads/main",
      RUNNER_ENVIRONMENT: "github-hosted",
    };
    const iss = "https://token.actions.githubusercontent.com";
    given.variables = { SIGSTORE_ID_TOKEN: await given.services!.token({ iss }), ...github };
    const args = ["attest", "app.tgz", "--provenance", ...SERVICES];
    const made = await run(given, ...args);
    assert.equal(made.status, 0, made.err);
    const { predicateType, predicate } = statementIn(made, "app.tgz.sigstore.json");
    assert.equal(predicateType, "https://slsa.dev/provenance/v1");
    assert.equal(
      predicate.buildDefinition.resolvedDependencies[0].digest.gitCommit,
      github.GITHUB_SHA,
    );
    const checked = await proposed(made);
    assert.equal(checked.status, 0, checked.out + checked.err);

    const other = { ...given, variables: { ...given.variables, GITHUB_SHA: "0".repeat(40) } };
    const failed = await run(other, ...args, "--format=json");
    assert.equal(failed.status, 1);
    assert.equal(JSON.parse(failed.out).phase, "generation");
    const nowhere = {
      ...given,
      variables: { SIGSTORE_ID_TOKEN: given.variables.SIGSTORE_ID_TOKEN },
    };
    assert.equal(await refused(nowhere, ...args), "unknown-build-environment");
    assert.equal(await refused(given, "attest", "app.tgz", ...REVIEW, KEY, "--ci=github"), "usage");
    assert.equal(await refused(given, ...args, "--no-identity"), "usage");
  });

  it("leaves nothing behind when a service fails, names phase and reason, tells no secret", async () => {
    const faults = [
      ["fulcio", "down", "service-unavailable"],
      ["fulcio", "400-echo", "service-refused"],
      ["fulcio", "other-key", "response-mismatch"],
      ["tsa", "500", "service-unavailable"],
      ["tsa", "wrong-nonce", "response-mismatch"],
      ["rekor2", "429", "service-unavailable"],
      ["tsa", "truncated", "malformed-response"],
      ["rekor2", "redirect", "service-refused"],
    ] as const;
    for (const [service, fault, reason] of faults) {
      const given = await keylessMachine();
      given.services!.faults[service] = fault;
      const args = ["attest", "app.tgz", ...REVIEW, ...SERVICES, "--format=json"];
      const outcome = await run(given, ...args);
      assert.equal(outcome.status, 2, `${service} ${fault}`);
      assert.deepEqual(failure(outcome, given), { reason, left: [] }, `${service} ${fault}`);
      const { ok, phase, errorReason } = JSON.parse(outcome.out);
      assert.deepEqual({ ok, phase, errorReason }, {
        ok: false,
        phase: "signing",
        errorReason: reason,
      });
      assert.ok(outcome.err.startsWith("error: Signing failed: "), outcome.err);
      assert.ok(!(outcome.out + outcome.err).includes(given.variables!.SIGSTORE_ID_TOKEN));
    }
  });

  it("asks no service when the output cannot be written", async () => {
    const given = await keylessMachine({ "app.tgz.sigstore.json": "old" });
    const outcome = await run(given, "attest", "app.tgz", ...REVIEW, ...SERVICES, "--format=json");
    assert.equal(JSON.parse(outcome.out).phase, "upload");
    assert.deepEqual(given.services!.requests, []);
  });

  it("tells a program who signed what, where it was logged and how to check it", async () => {
    const given = await keylessMachine();
    const outcome = await run(given, "attest", "app.tgz", ...REVIEW, ...SERVICES, "--format=json");
    assert.equal(outcome.status, 0, outcome.err);
    const { ok, errorReason, attestations: [one] } = JSON.parse(outcome.out);
    assert.deepEqual([ok, errorReason], [true, null]);
    assert.equal(one.file, "app.tgz.sigstore.json");
    assert.equal(one.format, "sigstore-bundle");
    assert.equal(one.predicateType, TYPE);
    assert.equal(one.identity.sourceRepositoryURI, "https://github.com/acme/app");
    assert.equal(one.logEntries.length, 1);
    assert.equal(one.timestamps.length, 1);
    const files = Object.fromEntries(outcome.runtime.files);
    assert.equal((await run({ files }, ...one.verify)).status, 0);
  });
});
