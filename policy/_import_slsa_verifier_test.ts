import { deepStrictEqual as deepEqual, strictEqual as equal, throws } from "node:assert/strict";
import { describe, it } from "node:test";
import { AttestationError } from "../errors.ts";
import { KEYS } from "./_fixtures_test.ts";
import { type ImportedPolicy, importPolicy } from "./import.ts";

const keys = new Map([["v.pub", KEYS.alice]]);
const SOURCE = "--source-uri=github.com/acme/app";
const VSA = [
  "--verifier-id=https://v.example",
  "--resource-uri=pkg:npm/a",
  "--public-key-path=v.pub",
];

function imported(...words: string[]): ImportedPolicy {
  return importPolicy({ kind: "slsa-verifier", words, keys });
}

/** A policy of slsa-verifier with this rule. */
function policy(rule: unknown, more: object = {}): unknown {
  return {
    type: "attest-policy/v1",
    name: "slsa-verifier",
    mode: "enforce",
    ...more,
    rules: [rule],
  };
}

function refuses(words: string[], what: string): void {
  throws(
    () => imported(...words),
    (error) =>
      error instanceof AttestationError && error.reason === "malformed-policy" &&
      error.message === `Cannot import flags of slsa-verifier: ${what}`,
    what,
  );
}

describe("importPolicy() of flags of slsa-verifier: provenance", () => {
  const provenance = (sourceUri: string, minLevel: number, more: object = {}) => ({
    id: "provenance",
    predicate: { provenance: { sourceUri, ...more, minLevel } },
  });

  it("carries over every flag that provenance is compared with", () => {
    const { document, notCarriedOver } = imported(
      "/usr/bin/slsa-verifier",
      "verify-artifact",
      "app.tgz",
      "--source-uri",
      "github.com/other/app",
      SOURCE,
      "--source-branch=main",
      "--source-versioned-tag=v1.2",
      "--builder-id=https://b.example",
      "--build-workflow-input=a=b=c",
      "--build-workflow-input",
      "d=",
      "--provenance-path=app.intoto.jsonl",
      "--print-provenance",
      "app2.tgz",
    );
    deepEqual(
      document,
      policy({
        id: "provenance",
        require: [provenance("github.com/acme/app", 3, {
          sourceBranch: "main",
          sourceVersionedTag: "v1.2",
          builderId: "https://b.example",
          workflowInputs: { a: "b=c", d: "" },
        })],
      }),
    );
    const { require } = imported("verify-artifact", SOURCE, "--source-tag=v1").document.rules[0];
    deepEqual(require, [provenance("github.com/acme/app", 3, { sourceTag: "v1" })]);
    const operand = "Which artifacts are meant: see select of the rule";
    deepEqual(notCarriedOver, [
      {
        path: "--provenance-path",
        what: "app.intoto.jsonl",
        why: "Where it lies is told to verify",
      },
      { path: "operand", what: "app.tgz", why: operand },
      { path: "operand", what: "app2.tgz", why: operand },
    ]);
  });

  it("selects the image or the package that is named", () => {
    const selectOf = (...words: string[]) => imported(...words, SOURCE).document.rules[0].select;
    const digest = `@sha256:${"a".repeat(64)}`;
    deepEqual(selectOf("verify-image", `ghcr.io/acme/app:v1${digest}`), {
      oci: "ghcr.io/acme/app",
    });
    deepEqual(selectOf("verify-image", `ghcr.io/acme/app${digest}`), { oci: "ghcr.io/acme/app" });
    deepEqual(selectOf("verify-image", "localhost:5000/app:v1"), { oci: "localhost:5000/app" });
    deepEqual(selectOf("verify-image", "localhost:5000/app"), { oci: "localhost:5000/app" });
    equal(selectOf("verify-image"), undefined);
    throws(() => imported("verify-image", ":v1", SOURCE), /oci is empty/);
    // In a selector, these would be patterns.
    refuses(["verify-image", "ghcr.io/acme/*", SOURCE], '"ghcr.io/acme/*" is no name');
    refuses(["verify-npm-package", SOURCE, "--package-name=ap?"], '"ap?" is no name');
    const { document, notCarriedOver } = imported(
      "verify-npm-package",
      SOURCE,
      "--package-name=@acme/app",
      "--package-version=1.0.0",
      "--attestations-path=a.json",
    );
    deepEqual(
      document,
      policy({
        id: "provenance",
        select: { npm: "@acme/app" },
        require: [provenance("github.com/acme/app", 2)],
      }),
    );
    deepEqual(notCarriedOver, [
      { path: "--attestations-path", what: "a.json", why: "Where it lies is told to verify" },
      {
        path: "--package-version",
        what: "1.0.0",
        why: "It is of one release: no selector is for versions",
      },
    ]);
    deepEqual(
      imported("verify-image", "a", SOURCE, "--provenance-repository=b").notCarriedOver[0],
      {
        path: "--provenance-repository",
        what: "b",
        why: "Where it lies is told to verify",
      },
    );
  });

  it("refuses what the command does not have, or what lacks", () => {
    const commands = "verify-artifact, verify-image, verify-npm-package, verify-vsa";
    refuses([], `"" is none of ${commands}`);
    refuses(["slsa-verifier"], `"" is none of ${commands}`);
    refuses(["verify", SOURCE], `"verify" is none of ${commands}`);
    refuses(["verify-artifact", "--source-tag=v1"], "--source-uri is missing");
    refuses(["verify-npm-package", SOURCE], "--package-name is missing");
    refuses(["verify-artifact", SOURCE, "--source-tag"], "--source-tag has no value");
    refuses(["verify-artifact", SOURCE, "--source-tag="], "--source-tag has no value");
    refuses(["verify-artifact", SOURCE, "--source-tag", ""], "--source-tag has no value");
    refuses(["verify-artifact", SOURCE, "-x"], 'the flag "-x" is not known');
    refuses(["verify-artifact", SOURCE, "--"], 'the flag "--" is not known');
    refuses(["verify-artifact", SOURCE, "--=x"], 'the flag "--" is not known');
    refuses(
      ["verify-artifact", SOURCE, "--build-workflow-input==x"],
      '--build-workflow-input is K=V, not "=x"',
    );
  });

  it("overlooks no flag of another command", () => {
    const flags: [command: string, flags: string[]][] = [
      ["verify-artifact", [SOURCE]],
      ["verify-image", [SOURCE]],
      ["verify-npm-package", [SOURCE, "--package-name=a"]],
      ["verify-vsa", VSA],
    ];
    const own = new Map([
      ["source-branch", ["verify-artifact", "verify-image", "verify-npm-package"]],
      ["builder-id", ["verify-artifact", "verify-image", "verify-npm-package"]],
      ["provenance-path", ["verify-artifact", "verify-image"]],
      ["provenance-repository", ["verify-image"]],
      ["package-version", ["verify-npm-package"]],
      ["attestations-path", ["verify-npm-package"]],
      ["attestation-path", ["verify-vsa"]],
      ["subject-digest", ["verify-vsa"]],
      ["verified-level", ["verify-vsa"]],
      ["public-key-id", ["verify-vsa"]],
    ]);
    for (const [name, commands] of own) {
      for (const [command, needed] of flags) {
        const words = [command, ...needed, `--${name}=x`];
        if (commands.includes(command)) imported(...words);
        else refuses(words, `the flag "--${name}" is not known`);
      }
    }
  });
});

describe("importPolicy() of flags of slsa-verifier: summaries", () => {
  it("carries over the verifier, its key, and what it must have verified", () => {
    const { document, notCarriedOver } = imported(
      "verify-vsa",
      ...VSA,
      "--verified-level=SLSA_BUILD_LEVEL_3,SLSA_SOURCE_LEVEL_1",
      "--verified-level=TRUSTED",
      "--subject-digest=sha256:aa",
      "--attestation-path=vsa.jsonl",
      "--public-key-id=v1",
      "--public-key-signing-hash-algo=SHA256",
      "--print-attestation",
    );
    const ruleOf = (levels: object) => ({
      id: "summary",
      require: [{
        id: "summary",
        envelope: { signedBy: { of: ["verifier"] } },
        statement: { predicateTypes: ["https://slsa.dev/verification_summary/v1"] },
        predicate: {
          vsa: { verifierId: "https://v.example", resourceUri: "pkg:npm/a", ...levels },
        },
      }],
    });
    const trustOf = (more: object) => ({
      trust: { keys: { verifier: { publicKey: KEYS.alice, ...more } }, roots: [] },
    });
    const verifiedLevels = ["SLSA_BUILD_LEVEL_3", "SLSA_SOURCE_LEVEL_1", "TRUSTED"];
    deepEqual(document, policy(ruleOf({ verifiedLevels }), trustOf({ keyid: "v1" })));
    deepEqual(notCarriedOver, [
      { path: "--attestation-path", what: "vsa.jsonl", why: "Where it lies is told to verify" },
      {
        path: "--subject-digest",
        what: "sha256:aa",
        why: "It is of one artifact: the artifact is told to verify",
      },
    ]);
    deepEqual(imported("verify-vsa", ...VSA), {
      document: policy(ruleOf({}), trustOf({})),
      notCarriedOver: [],
    });
  });

  it("refuses flags without which nothing is verified, and keys that are not given", () => {
    for (const flag of VSA) {
      const name = flag.slice(0, flag.indexOf("="));
      refuses(["verify-vsa", ...VSA.filter((one) => one !== flag)], `${name} is missing`);
    }
    refuses(["verify-vsa", ...VSA, "--public-key-path=w.pub"], 'the key "w.pub" is not given');
    refuses(
      ["verify-vsa", ...VSA, "--public-key-signing-hash-algo=SHA512"],
      '--public-key-signing-hash-algo "SHA512": state it as alg in trust.keys',
    );
  });
});
