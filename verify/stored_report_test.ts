import { deepStrictEqual as deepEqual, ok, strictEqual as equal, throws } from "node:assert/strict";
import { describe, it } from "node:test";
import { createEnvelope } from "../dsse/sign.ts";
import { AttestationError } from "../errors.ts";
import { utf8 } from "../internal/bytes.ts";
import { createStatement, encodeStatement } from "../intoto/statement.ts";
import { generateSigner } from "../keys/signer.ts";
import { compilePolicy } from "../policy/compile.ts";
import { derivePolicy } from "../policy/init.ts";
import { parsePolicy } from "../policy/parse.ts";
import { evidenceOfReports } from "./evidence.ts";
import { judgeReports } from "./policy.ts";
import { parseStoredReport } from "./stored_report.ts";
import { verify } from "./verify.ts";

const ABC = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
const NOW = new Date("2026-06-01T00:00:00Z");

async function made() {
  const { signer, trustedKey, publicKey } = await generateSigner("ES256", { name: "ci" });
  const statement = encodeStatement(createStatement({
    subject: [{ name: "abc", digest: { sha256: ABC } }],
    predicateType: "https://example.com/review/v1",
    predicate: {},
  }));
  const envelope = await createEnvelope("application/vnd.in-toto+json", statement, signer);
  const artifact = { name: "abc", content: utf8("abc"), npm: "@acme/abc" };
  const rule = (select: object) => ({
    type: "attest-policy/v1",
    trust: { keys: { ci: { publicKey } }, roots: [] },
    rules: [{ id: "r", select, require: [{ id: "signed", statement: { subjects: "all" } }] }],
  });
  const policyOf = async (select: object) => await compilePolicy(parsePolicy(rule(select)));
  return { envelope, artifact, policyOf, trustedKey, publicKey };
}

describe("judgeReports()", () => {
  it("decides of a stored report as of a fresh one", async () => {
    const { envelope, artifact, policyOf, trustedKey } = await made();
    const policy = await policyOf({ npm: "@acme/*" });
    const fresh = await verify([envelope, "{}"], artifact, { policy, now: NOW });
    ok(fresh.ok);
    const text = JSON.stringify(fresh);
    const stored = parseStoredReport(text);
    equal(stored.time?.toISOString(), NOW.toISOString());
    equal(stored.policyDigest, policy.digest);
    deepEqual(judgeReports(policy, stored.artifacts, NOW).policy, fresh.policy);
    const other = await policyOf({ npm: "@other/*" });
    equal(judgeReports(other, stored.artifacts, NOW).errorReason, "unselected-artifact");
    const options = { trust: { keys: [trustedKey] }, now: NOW };
    const bare = await verify(envelope, artifact, options);
    throws(() => judgeReports(policy, bare.artifacts, NOW), isMalformed);
    const told = await verify(envelope, artifact, { ...options, evidence: true });
    ok(told.ok);
    ok(judgeReports(policy, told.artifacts, NOW).ok);
  });

  it("compares subjects anew over reports of several calls", async () => {
    const { envelope, artifact, policyOf } = await made();
    const policy = await policyOf({ name: "**" });
    const { artifacts } = await verify(envelope, artifact, { policy, now: NOW });
    const [report] = structuredClone(artifacts);
    report.attestations[0].evidence = {
      ...report.attestations[0].evidence!,
      allSubjectsMatched: false,
    };
    equal(judgeReports(policy, [report], NOW).errorReason, "subject-mismatch");
    ok(judgeReports(policy, [report], NOW, { recount: true }).ok);
  });
});

function isMalformed(error: unknown): boolean {
  return error instanceof AttestationError && error.reason === "malformed-report" &&
    error.path !== undefined;
}

describe("parseStoredReport()", () => {
  it("refuses members of other types, with their path", async () => {
    const { envelope, artifact, policyOf } = await made();
    const policy = await policyOf({ name: "**" });
    const report = JSON.parse(
      JSON.stringify(await verify(envelope, artifact, { policy, now: NOW })),
    );
    parseStoredReport(report);
    const unsigned = structuredClone(report);
    unsigned.artifacts[0].attestations[0].evidence.signers = [];
    throws(() => parseStoredReport(unsigned), isMalformed);
    // Nobody verifies these: a report that says so was not made by verify().
    for (const format of ["statement", "unknown", "spdx", "macho-signature", "x"]) {
      const copy = structuredClone(report);
      copy.artifacts[0].attestations[0].format = format;
      throws(() => parseStoredReport(copy), isMalformed, format);
    }
    const paths = [
      ["artifacts"],
      ["artifacts", 0, "artifact"],
      ["artifacts", 0, "digest"],
      ["artifacts", 0, "digest", "sha256"],
      ["artifacts", 0, "npm"],
      ["artifacts", 0, "ok"],
      ["artifacts", 0, "attestations"],
      ...["source", "format", "ok", "timestamps", "statement", "evidence", "checks"].map((name) => [
        "artifacts",
        0,
        "attestations",
        0,
        name,
      ]),
      ...[
        ["payloadType"],
        ["payloadDigest"],
        ["signers"],
        ["signers", 0, "kind"],
        ["signers", 0, "distinct"],
        ["signers", 0, "fingerprint"],
        ["signers", 0, "key"],
        ["signers", 0, "key", "bits"],
        ["logs"],
        ["matched"],
        ["matched", 0, "index"],
        ["matched", 0, "algorithms"],
        ["allSubjectsMatched"],
        ["coverage"],
        ["messageTypeAuthenticated"],
      ].map((rest) => ["artifacts", 0, "attestations", 0, "evidence", ...rest]),
      ["policy", "time"],
    ];
    for (const path of paths) {
      for (const value of [null, 7.5, [7], { x: 1 }]) {
        const copy = structuredClone(report);
        let at = copy;
        for (const part of path.slice(0, -1)) at = at[part];
        const name = path[path.length - 1];
        at[name] = value;
        throws(() => parseStoredReport(copy), isMalformed, `${path.join("/")} ${value}`);
      }
    }
  });
});

describe("derivePolicy()", () => {
  it("asks of the next what this one has", async () => {
    const { envelope, artifact, trustedKey, publicKey } = await made();
    const { artifacts } = await verify(envelope, artifact, {
      trust: { keys: [trustedKey] },
      evidence: true,
      now: NOW,
    });
    const [evidence] = evidenceOfReports(artifacts, false);
    const keys = new Map([[trustedKey.fingerprint, { publicKey }]]);
    const { document, facts, open } = derivePolicy(evidence, { keys });
    ok(judgeReports(await compilePolicy(document), artifacts, NOW).ok);
    ok(facts.some(({ path }) => path === "/trust/keys/ci"));
    ok(open.length > 0);
    deepEqual(document.trust?.roots, []);
    throws(() => derivePolicy(evidence), TypeError);
    throws(() => derivePolicy({ ...evidence, attestations: [] }), AttestationError);
  });
});
