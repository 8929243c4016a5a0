import { deepStrictEqual as deepEqual, strictEqual as equal } from "node:assert/strict";
import { describe, it } from "node:test";
import { compact, keyOf } from "../formats/_fixtures_test.ts";
import { TUF_NOW, tufRootFile, tufTargetsFile } from "../formats/_tuf_fixtures_test.ts";
import { int, map, sign1, text } from "../formats/cose/_fixtures_test.ts";
import { importTufRoot } from "../formats/mod.ts";
import { utf8 } from "../internal/bytes.ts";
import { encodeHex } from "../internal/hex.ts";
import { sha256 } from "../internal/sha256.ts";
import { ABC, brief, minisig, signed, statementAbout } from "./_fixtures_test.ts";
import { type ArtifactInput, verify, type VerifyOptions } from "./mod.ts";
import type { AttestationReport } from "./report.ts";

const TYPED = { alg: "EdDSA", cty: "vnd.in-toto+json" };
const UNTYPED = { alg: "EdDSA" };
const OCTETS = "application/octet-stream";

async function run(
  what: string | Uint8Array | object,
  artifacts: ArtifactInput | ArtifactInput[] = ABC,
  { trust, ...options }: VerifyOptions = {},
) {
  const { trustedKey } = await keyOf("Ed25519");
  return await verify(what, artifacts, { trust: { keys: [trustedKey], ...trust }, ...options });
}

/** The checks, without what goes without saying. */
function told({ checks }: AttestationReport): object[] {
  return checks.map(({ layer: _layer, origin: _origin, ...rest }) => rest);
}

const format = (name: string) => ({
  id: "envelope.format",
  outcome: "passed",
  message: `A document in the format ${name}`,
});

const SIGNERS = {
  id: "envelope.signature",
  outcome: "passed",
  message: "Trusted signers: 1, needed: 1",
  actual: "ci",
};

const typed = (actual: string) => ({
  id: "envelope.payload-type",
  outcome: "passed",
  message: "The type of the message is signed",
  actual,
});

const OPEN = {
  id: "envelope.payload-type",
  outcome: "skipped",
  message: "The format does not sign the type of its message: it is told by its content",
};

const HEADER = {
  id: "envelope.coverage",
  outcome: "passed",
  message: "Bytes that the signatures do not cover: 1",
  actual: "unprotected header",
};

const STATEMENT = [
  {
    id: "statement.format",
    outcome: "passed",
    message: "The Statement is well formed",
    actual: "https://in-toto.io/Statement/v1",
  },
  {
    id: "statement.subject",
    outcome: "passed",
    message: "Subjects that are the artifact: 1",
    actual: '"abc"',
    path: "/subject/0",
  },
];

const IMPLICIT = ["subject", "messageType", "predicateType"];

describe("verify() of other formats, layer by layer", () => {
  it("tells the format, who signed, and whether the type is signed", async () => {
    const statement = statementAbout(["abc"]);
    const octets = map([1, int(-8)], [3, text(OCTETS)]);
    const open = map([1, int(-8)]);
    const rows: [string | Uint8Array, object[], string[], string | undefined, boolean][] = [
      [
        await compact(TYPED, statement),
        [format("jws"), SIGNERS, typed("vnd.in-toto+json"), ...STATEMENT],
        [],
        "vnd.in-toto+json",
        true,
      ],
      [
        await compact(UNTYPED, statement),
        [format("jws"), SIGNERS, OPEN, ...STATEMENT],
        ["messageType"],
        undefined,
        false,
      ],
      // Whoever signs the artifact itself says nothing of it, whatever type it has.
      [await minisig(ABC), [format("minisign"), SIGNERS, OPEN], IMPLICIT, undefined, false],
      [
        await sign1({ header: open, payload: ABC, detached: true }),
        [format("cose-sign1"), SIGNERS, OPEN, HEADER],
        IMPLICIT,
        undefined,
        false,
      ],
      [
        await sign1({ header: octets, payload: ABC, detached: true }),
        [format("cose-sign1"), SIGNERS, typed(OCTETS), HEADER],
        IMPLICIT,
        OCTETS,
        true,
      ],
    ];
    for (const [document, checks, implicit, messageType, isSigned] of rows) {
      const report = await run(document);
      equal(brief(report), "ok: ok[ok]");
      const [one] = report.artifacts[0].attestations;
      deepEqual(told(one), checks);
      deepEqual(
        [one.foreign?.implicit, one.foreign?.messageType, one.foreign?.messageTypeAuthenticated],
        [implicit, messageType, isSigned],
      );
    }
  });

  it("compares the subjects with one artifact, or with all, as is asked", async () => {
    const [a, b] = [utf8("a"), utf8("b")];
    const of = async (texts: string[], artifacts: ArtifactInput[], subjects: "any" | "all") =>
      brief(
        await run(await compact(TYPED, statementAbout(texts)), artifacts, { expect: { subjects } }),
      );
    const bad = "subject-mismatch";
    equal(await of(["a"], [a, b], "any"), `${bad}: ok[ok] ${bad}[${bad}]`);
    equal(await of(["a", "b"], [a], "any"), "ok: ok[ok]");
    equal(await of(["a", "b"], [a, b], "all"), "ok: ok[ok] ok[ok]");
    equal(await of(["a", "b"], [a], "all"), `${bad}: ${bad}[${bad}]`);
    equal(await of(["a"], [a, b], "all"), `${bad}: ${bad}[${bad}] ${bad}[${bad}]`);
  });

  it("believes the roots of TUF that are given", async () => {
    const root = await importTufRoot(await tufRootFile(), "pinned");
    const targets = await tufTargetsFile();
    const of = async (tufRoots: typeof root[] | undefined, artifact = ABC) =>
      brief(await run(targets, artifact, { trust: { keys: [], tufRoots }, now: TUF_NOW }));
    equal(await of([root]), "ok: ok[ok]");
    equal(await of([root], utf8("abd")), "subject-mismatch: subject-mismatch[subject-mismatch]");
    const none = "missing-trusted-key: missing-trusted-key[missing-trusted-key]";
    equal(await of([]), none);
    equal(await of(undefined), none);
    const other = await importTufRoot(await tufRootFile({ targetSigners: ["second"] }), "other");
    equal(await of([other]), "invalid-signature: invalid-signature[invalid-signature]");
  });

  it("reads the digests of each kind that a subject may have", async () => {
    const subject = [{ name: "abc", digest: { sha512: "0".repeat(128) } }];
    const document = await compact(TYPED, statementAbout([], { subject }));
    const { artifacts: [{ digest, errorReason }] } = await run(document);
    equal(errorReason, "subject-mismatch");
    deepEqual(Object.keys(digest).sort(), ["sha256", "sha384", "sha512"]);
    const { artifacts: [alone] } = await run(await signed(statementAbout(["abc"])));
    deepEqual(alone.digest, { sha256: encodeHex(sha256(ABC)) });
  });
});

describe("verify() of what is no attestation", () => {
  it("tells a bare signature by the length and the beginning that signatures have", async () => {
    const isBare = async (content: string | Uint8Array) => {
      const { artifacts } = await run(content);
      const [{ errorReason, checks: [{ message }] }] = artifacts[0].attestations;
      const told = "it is a bare signature, which tells neither its format nor its key";
      if (!message.endsWith(told)) return false;
      equal(errorReason, "unknown-format");
      return true;
    };
    const der = (...bytes: number[]) => Uint8Array.from(bytes);
    const rows: [string | Uint8Array, boolean][] = [
      ["A".repeat(85), false],
      ["A".repeat(86), true],
      [`  ${"A".repeat(86)}==\n`, true],
      [`${"A".repeat(86)}===`, false],
      ["A".repeat(2048), true],
      ["A".repeat(2049), false],
      [der(0x30, 6, 2, 1, 1, 2, 1, 1), true],
      [der(0x31, 6, 2, 1, 1, 2, 1, 1), false],
      [der(0x30, 5, 2, 1, 1, 2, 1, 1), false],
      [der(0x30, 7, 2, 1, 1, 2, 1, 1), false],
      [der(0x30, 6, 4, 1, 1, 2, 1, 1), false],
    ];
    for (const [content, bare] of rows) {
      equal(await isBare(content), bare, `${content.length} ${String(content).slice(0, 24)}`);
    }
  });
});
