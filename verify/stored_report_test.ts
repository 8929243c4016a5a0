import { deepStrictEqual as deepEqual, ok, strictEqual as equal, throws } from "node:assert/strict";
import { describe, it } from "node:test";
import { createEnvelope } from "../dsse/sign.ts";
import { AttestationError } from "../errors.ts";
import { utf8 } from "../internal/bytes.ts";
import type { JsonObject } from "../internal/json.ts";
import { createStatement, encodeStatement } from "../intoto/statement.ts";
import { generateSigner } from "../keys/signer.ts";
import { compilePolicy } from "../policy/compile.ts";
import { derivePolicy } from "../policy/init.ts";
import { parsePolicy } from "../policy/parse.ts";
import { ARTIFACT, bundleOf, ENVELOPE, IDENTITY, rootOf } from "../tests/fixtures/sigstore.ts";
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

/** A report of a bundle and of what was refused, as JSON. */
async function keylessReport() {
  const report = await verify([await bundleOf(ENVELOPE), "junk"], ARTIFACT, {
    trust: { trustedRoots: [await rootOf()], onlyRoot: true },
    expect: { identity: IDENTITY },
    evidence: true,
    now: NOW,
  });
  return JSON.parse(JSON.stringify(report));
}

/** A copy with another value at a path of names; undefined leaves it out. */
function changed(report: JsonObject, path: readonly (string | number)[], value: unknown) {
  const copy = structuredClone(report);
  // deno-lint-ignore no-explicit-any
  let at: any = copy;
  for (const part of path.slice(0, -1)) at = at[part];
  const name = path[path.length - 1];
  if (value === undefined) delete at[name];
  else at[name] = value;
  return copy;
}

function refusalOf(source: Parameters<typeof parseStoredReport>[0]): [string, string | undefined] {
  try {
    parseStoredReport(source);
  } catch (error) {
    if (error instanceof AttestationError) {
      equal(error.reason, "malformed-report");
      return [error.message, error.path];
    }
    throw error;
  }
  return ["accepted", undefined];
}

const ONE = ["artifacts", 0, "attestations", 0];
const EVIDENCE = [...ONE, "evidence"];
const SIGNER = [...EVIDENCE, "signers", 0];

describe("parseStoredReport()", () => {
  it("reads text, bytes and values", async () => {
    const { envelope, artifact, policyOf } = await made();
    const policy = await policyOf({ name: "**" });
    const report = await verify(envelope, artifact, { policy, now: NOW });
    const text = JSON.stringify(report);
    for (const source of [text, utf8(text), report, JSON.parse(text)]) {
      const { artifacts, time, policyDigest } = parseStoredReport(source);
      deepEqual(artifacts, JSON.parse(JSON.stringify(report.artifacts)));
      deepEqual([time, policyDigest], [NOW, policy.digest]);
    }
    const keyless = await keylessReport();
    const { artifacts, ...rest } = parseStoredReport(keyless);
    deepEqual(artifacts, keyless.artifacts);
    deepEqual(rest, {});
  });

  it("refuses members of other types, with their path", async () => {
    const { envelope, artifact, policyOf } = await made();
    const policy = await policyOf({ name: "**" });
    const fresh = await verify(envelope, { ...artifact, oci: "registry.example/app" }, {
      policy,
      now: NOW,
    });
    const keyed: JsonObject = JSON.parse(JSON.stringify(fresh));
    const keyless = await keylessReport();
    const flag = "it is neither true nor false";
    const rows: Record<string, [JsonObject, (string | number)[]][]> = {
      "it is no JSON object": [
        [keyed, ["policy"]],
        [keyed, ["artifacts", 0]],
        [keyed, ["artifacts", 0, "digest"]],
        [keyed, ONE],
        [keyed, [...ONE, "statement"]],
        [keyed, EVIDENCE],
        [keyed, SIGNER],
        [keyed, [...SIGNER, "key"]],
        [keyed, [...EVIDENCE, "matched", 0]],
        [keyed, [...ONE, "checks", 0]],
        [keyless, [...ONE, "timestamps", 0]],
        [keyless, [...SIGNER, "identity"]],
      ],
      "it is no list": [
        [keyed, ["artifacts"]],
        [keyed, ["artifacts", 0, "attestations"]],
        [keyed, [...ONE, "checks"]],
        [keyed, [...ONE, "timestamps"]],
        [keyed, [...EVIDENCE, "signers"]],
        [keyed, [...EVIDENCE, "matched"]],
        [keyed, [...EVIDENCE, "matched", 0, "algorithms"]],
      ],
      "it is no text": [
        [keyed, ["policy", "time"]],
        [keyed, ["policy", "policyDigest"]],
        ...["artifact", "oci", "npm"].map((name): [JsonObject, (string | number)[]] => [
          keyed,
          ["artifacts", 0, name],
        ]),
        [keyed, ["artifacts", 0, "digest", "sha256"]],
        [keyed, [...ONE, "source"]],
        [keyed, [...ONE, "format"]],
        [keyed, [...ONE, "checks", 0, "message"]],
        [keyed, [...ONE, "checks", 0, "outcome"]],
        [keyed, [...EVIDENCE, "payloadType"]],
        [keyed, [...EVIDENCE, "payloadDigest"]],
        [keyed, [...EVIDENCE, "coverage"]],
        [keyed, [...EVIDENCE, "matched", 0, "algorithms", 0]],
        ...["name", "distinct", "algorithm", "fingerprint"].map(
          (name): [JsonObject, (string | number)[]] => [keyed, [...SIGNER, name]],
        ),
        [keyed, [...SIGNER, "key", "kind"]],
        ...["type", "uri", "timestamp"].map((name): [JsonObject, (string | number)[]] => [
          keyless,
          [...ONE, "timestamps", 0, name],
        ]),
        ...["issuer", "subjectAlternativeName", "buildSignerUri"].map(
          (name): [JsonObject, (string | number)[]] => [keyless, [...SIGNER, "identity", name]],
        ),
        [keyless, ["artifacts", 0, "attestations", 1, "errorReason"]],
        [keyless, ["artifacts", 0, "attestations", 1, "source"]],
      ],
      [flag]: [
        [keyed, ["artifacts", 0, "ok"]],
        [keyed, [...ONE, "ok"]],
        [keyed, [...EVIDENCE, "allSubjectsMatched"]],
        [keyed, [...EVIDENCE, "messageTypeAuthenticated"]],
        [keyed, [...EVIDENCE, "implicit"]],
      ],
      "it is no number": [
        [keyed, [...EVIDENCE, "logs"]],
        [keyed, [...EVIDENCE, "matched", 0, "index"]],
        [keyed, [...SIGNER, "key", "bits"]],
      ],
    };
    for (const [what, members] of Object.entries(rows)) {
      for (const [report, path] of members) {
        for (const value of [7.5, -1]) {
          const at = path.map((name) => `/${name}`).join("");
          deepEqual(refusalOf(changed(report, path, value)), [
            `Cannot read report at ${at}: ${what}`,
            at,
          ]);
        }
      }
    }
    for (const source of ["[]", "7", '"x"']) {
      deepEqual(refusalOf(source), ["Cannot read report: it is no JSON object", ""]);
    }
    deepEqual(refusalOf({}), ["Cannot read report at /artifacts: it is no list", "/artifacts"]);
  });

  it("refuses what verify() does not say", async () => {
    const report = await keylessReport();
    const evidence = "it is not there; make the report with --policy or --with-evidence";
    const disagree = "it does not go with ok";
    const time = "it is no time";
    const signers = [...EVIDENCE, "signers"];
    const rows: [(string | number)[], unknown, string][] = [
      [EVIDENCE, undefined, evidence],
      [[...ONE, "errorReason"], "invalid-signature", disagree],
      [["artifacts", 0, "errorReason"], "invalid-signature", disagree],
      [["artifacts", 0, "attestations", 1, "errorReason"], null, disagree],
      [[...ONE, "timestamps", 0, "timestamp"], "yesterday", time],
      [[...SIGNER, "kind"], "nobody", "it is neither key nor certificate"],
      [[...SIGNER, "kind"], 7, "it is neither key nor certificate"],
      [signers, [], "nobody signed"],
      // Nobody verifies these: a report that says so was not made by verify().
      ...["statement", "unknown", "spdx", "macho-signature", "x"].map(
        (format): [(string | number)[], unknown, string] => [
          [...ONE, "format"],
          format,
          "it is no format that is verified",
        ],
      ),
      [[...ONE, "statement"], undefined, "it is no JSON object"],
      [[...SIGNER, "identity", "issuer"], undefined, "it is no text"],
      [[...SIGNER, "identity", "subjectAlternativeName"], undefined, "it is no text"],
    ];
    for (const [path, value, what] of rows) {
      const at = path.map((name) => `/${name}`).join("");
      deepEqual(refusalOf(changed(report, path, value)), [
        `Cannot read report at ${at}: ${what}`,
        at,
      ]);
    }
    const dated = { ...report, policy: { time: "yesterday", policyDigest: "" } };
    deepEqual(refusalOf(dated), [`Cannot read report at /policy/time: ${time}`, "/policy/time"]);
    const subject = [...ONE, "statement", "subject"];
    const [message, path] = refusalOf(changed(report, subject, []));
    equal(path, "/artifacts/0/attestations/0/statement/subject");
    ok(message.startsWith("Cannot read report: Cannot "), message);
    // Nothing is asked of what was refused but that it can be told.
    const refused = ["artifacts", 0, "attestations", 1];
    deepEqual(refusalOf(changed(report, [...refused, "format"], "x")), ["accepted", undefined]);
    deepEqual(refusalOf(changed(report, [...EVIDENCE, "logs"], 0)), ["accepted", undefined]);
    deepEqual(
      refusalOf(
        changed(changed(report, [...EVIDENCE, "implicit"], true), [...ONE, "statement"], 7),
      ),
      ["accepted", undefined],
    );
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
