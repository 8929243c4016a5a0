import assert from "node:assert/strict";
import { test } from "node:test";
import { encodeBase64 } from "../../internal/base64.ts";
import { utf8 } from "../../internal/bytes.ts";
import { sha256 } from "../../internal/sha256.ts";
import type { PolicyCheck } from "../../policy/verdict.ts";
import { isProportional } from "../../tests/fixtures/growth.ts";
import type { ArtifactReport, VerificationReport } from "../../verify/report.ts";
import { attestation, plainReport, policyReport, SHA } from "./_sample_test.ts";
import { MAX_ANNOTATIONS } from "./annotations.ts";
import { findingsOf, type Judgement, judgementOf, lockfileJudgement } from "./findings.ts";
import { MAX_HTML_ARTIFACTS } from "./html.ts";
import { lockfileLines } from "./lockfile_lines.ts";
import { MAX_SUMMARY_BYTES } from "./markdown.ts";
import { REPORT_FORMATS, reportText } from "./report.ts";
import { fileUri, MAX_SARIF_RESULTS } from "./sarif.ts";

// deno-lint-ignore no-explicit-any -- a document of another format, looked into by the tests
type Log = any;

const PLACES = [{ file: "SHA256SUMS", line: 3 }, { file: "dist/app.txt" }];

/** Names and messages that want to be something else. */
const ATTACKS = [
  "a\u0000b\u0007c\u001b[31m",
  "a\n::error::injected\r\n::set-env name=PATH::/evil",
  "]]><evil/><![CDATA[",
  "<script>alert(1)</script><img src=x onerror=alert(1)>",
  "::error file=x::injected",
  "a,line=9,title=b::c",
  '"><script>alert(1)</script>',
  "' onmouseover='alert(1)",
  "a\u202egpj.exe\u2066\u200b",
  "a | b `code` **bold** [link](https://evil.example) ![x](https://evil.example/x.png)",
  "https://evil.example www.evil.example @acme/team #1 :smile: $x$ ~~s~~",
  "\ud800 unpaired \udfff",
  "%0A::error::injected %25",
  "{0} {1} [text](https://evil.example) \\",
  "&lt;b&gt; &amp; &#60;script&#62;",
  "</style><style>*{display:none}",
  "\ufffe\uffff\u2028\u2029\u0085",
  "x".repeat(1 << 20),
  "",
];

async function all(judgement: Judgement): Promise<Record<string, string>> {
  const texts: Record<string, string> = {};
  for (const format of REPORT_FORMATS) texts[format] = await reportText(format, judgement);
  return texts;
}

/** A report in which every text is the attack. */
function attacked(attack: string): VerificationReport[] {
  const plain = plainReport(attack, attack);
  const one = plain.artifacts[0];
  const check = one.attestations[1].checks[1];
  Object.assign(check, { expected: attack, actual: attack, path: attack });
  Object.assign(one.attestations[1], { source: attack, predicateType: attack, signers: [attack] });
  one.attestations[1].timestamps = [{ type: "log", uri: attack, timestamp: attack } as never];
  const policy = policyReport();
  const { artifacts = [] } = policy.policy ?? {};
  policy.artifacts[0].artifact = artifacts[0].artifact = attack;
  policy.artifacts[0].attestations[0].source = attack;
  if (policy.policy !== undefined) policy.policy.policy = policy.policy.time = attack;
  const visit = (node: PolicyCheck): void => {
    node.message =
      node.expected =
      node.actual =
      node.path =
      node.source =
      node.remedy =
        attack;
    if (node.waiver !== undefined) node.waiver = { owner: attack, reason: attack, until: attack };
    node.children?.forEach(visit);
  };
  artifacts[0].rules.forEach(visit);
  return [plain, policy];
}

/** Every start of a tag in HTML or XML, and that there is no other use of `<`. */
function tagsOf(text: string): Set<string> {
  const body = text.replace(/^<!doctype html>/, "").replace(/^<\?xml[^>]*\?>/, "");
  const found = new Set<string>();
  for (const part of body.split("<").slice(1)) {
    const match = /^\/?([a-z][a-z0-9]*)(?:[\s>/]|$)/.exec(part);
    assert.ok(match !== null, part.slice(0, 40));
    found.add(match[1]);
  }
  return found;
}

/** A parser of the XML that we write, as strict as the specification is about it. */
function assertXml(text: string): void {
  assert.ok(text.isWellFormed());
  // deno-lint-ignore no-control-regex
  assert.ok(!/[\u0000-\u0008\u000b-\u001f\ufffe\uffff]/.test(text));
  const open: string[] = [];
  const token =
    /<(\/?)([a-z]+)((?: [a-z]+="(?:[^"<&]|&(?:amp|lt|gt|quot|#39);)*")*)(\/?)>|((?:[^<&]|&(?:amp|lt|gt|quot|#39);)+)/gy;
  const body = text.replace('<?xml version="1.0" encoding="UTF-8"?>\n', "");
  while (token.lastIndex < body.length) {
    const at = token.lastIndex;
    const match = token.exec(body);
    assert.ok(match !== null, body.slice(at, at + 80));
    assert.ok(match[5] === undefined || !match[5].includes("]]>"));
    if (match[2] === undefined) continue;
    if (match[1] === "/") assert.equal(open.pop(), match[2]);
    else if (match[4] === "") open.push(match[2]);
  }
  assert.equal(open.length, 0);
}

function assertHarmless(texts: Record<string, string>): void {
  for (const [format, text] of Object.entries(texts)) {
    assert.ok(text.isWellFormed(), format);
    assert.ok(
      // deno-lint-ignore no-control-regex
      !/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2066-\u2069]/.test(
        text,
      ),
      format,
    );
  }
  const { sarif, junit, annotations, markdown, html } = texts;
  assertSarif(JSON.parse(sarif));
  assertXml(junit);
  assert.deepEqual([...tagsOf(junit)].filter((tag) => !JUNIT_TAGS.has(tag)), []);
  const { length } = annotations.trimEnd().split("\n");
  for (const [i, line] of annotations.trimEnd().split("\n").entries()) {
    assert.match(
      line,
      i === length - 1
        ? /^(PASSED|FAILED): \d+ of \d+ artifacts? verified$/
        : /^::(error|warning|notice) (file=[^:,\r\n]*,line=\d+,)?title=[^:,\r\n]*::[^\r\n]*$/,
    );
    // Every percent sign is one of an escape.
    assert.ok(!/%(?!25|0D|0A|3A|2C)/.test(line), line);
  }
  assert.deepEqual([...tagsOf(html)].filter((tag) => !HTML_TAGS.has(tag)), []);
  assert.equal(html.split("<style>").length, 2);
  assert.ok(
    !/<[^>]*\son\w+=/i.test(html) &&
      !/(?:href|src|action)=/.test(html.replace(/&[^;]*;[^<]*/g, "")),
  );
  assert.ok(html.length < 3_000_000);
  for (const line of markdown.split("\n")) {
    const code = line.replaceAll(/`[a-z0-9:-]+`/g, "");
    assert.ok(!/[`[\]]|https?:\/\/|www\./.test(code), line.slice(0, 200));
    const tags = [...code.matchAll(/<(?!!-- -->)\/?([a-z!]*)/g)].map(([, tag]) => tag);
    assert.ok(tags.every((tag) => tag === "code" || tag === "br"), line.slice(0, 200));
    if (line.startsWith("|")) {
      assert.ok([6].includes(line.split("|").length - 1), line.slice(0, 200));
    }
  }
}

const JUNIT_TAGS = new Set(["testsuites", "testsuite", "testcase", "failure", "skipped"]);
const HTML_TAGS = new Set([
  ..."html head meta title style body main header h1 h2 h3 span ul li b dl dt dd code wbr".split(
    " ",
  ),
  ..."section table thead tr th tbody td p br details summary strong div footer".split(" "),
]);

/** What holds for every log, whatever is in it; the schema is checked in tests/. */
function assertSarif(log: Log): void {
  assert.equal(log.version, "2.1.0");
  assert.equal(log.runs.length, 1);
  const [{ tool, results, columnKind, automationDetails, invocations }] = log.runs;
  assert.equal(columnKind, "utf16CodeUnits");
  assert.match(automationDetails.id, /^attest\/[A-Za-z0-9._-]+\/$/);
  assert.equal(invocations[0].executionSuccessful, true);
  assert.ok(results.length <= MAX_SARIF_RESULTS);
  const prints = new Set<string>();
  for (const result of results) {
    assert.equal(tool.driver.rules[result.ruleIndex].id, result.ruleId);
    prints.add(result.partialFingerprints["attest/v1"]);
    assert.ok(!/(?<!\\)\[[^\]]*(?<!\\)\]\(/.test(result.message.text));
    assert.ok(!/(?<!\{)\{\d+\}(?!\})/.test(result.message.text));
    assert.ok(result.message.text.length < 12_000);
    for (const { physicalLocation } of [...result.locations, ...result.relatedLocations ?? []]) {
      if (physicalLocation === undefined) continue;
      const { artifactLocation: { uri }, region } = physicalLocation;
      assert.match(uri, /^(?:[A-Za-z0-9._~%@/-]|file:\/\/\/(?:[A-Z]:)?)*$/);
      assert.ok(Number.isSafeInteger(region.startLine) && region.startLine > 0);
    }
  }
  assert.equal(prints.size, results.length);
  for (const { helpUri, properties } of tool.driver.rules) {
    assert.equal(helpUri, undefined);
    const severity = Number(properties["security-severity"]);
    assert.ok(severity > 0 && severity <= 10);
  }
}

test("No text of an attestation becomes markup, a command or a control in any format", async () => {
  for (const attack of ATTACKS) {
    for (const report of attacked(attack)) {
      const places = [{ file: attack, line: 1 }];
      assertHarmless(await all(judgementOf(report, attack.length > 1000 ? [] : places)));
    }
  }
});

test("The same report gives the same bytes", async () => {
  for (const report of [plainReport(), policyReport()]) {
    const copy = structuredClone(report);
    const first = await all(judgementOf(report, PLACES));
    assert.deepEqual(await all(judgementOf(copy, PLACES)), first);
    assert.deepEqual(report, copy);
  }
});

test("A policy gives a finding for each decisive check, failed ones first", () => {
  const found = [...findingsOf(judgementOf(policyReport(), PLACES))];
  assert.deepEqual(found.map(({ node, reason, source }) => [node.id, reason, source]), [
    ["release/provenance/builder", "unexpected-builder", "dist/app.tgz.intoto.jsonl#2"],
    ["release/sbom", "missing-attestation", undefined],
    ["release/scan/vulnerabilities/severity", "severity-too-high", "scan.json"],
  ]);
});

test("Without a policy the check that decided is the finding", () => {
  const found = [...findingsOf(judgementOf(plainReport()))];
  assert.deepEqual(found.map(({ node, reason }) => [node.id, reason]), [
    ["statement.subject", "subject-mismatch"],
  ]);
  const empty = plainReport();
  empty.errorReason = empty.artifacts[0].errorReason = "attestation-not-found";
  empty.artifacts[0].attestations = [];
  const [one] = findingsOf(judgementOf(empty));
  assert.equal(one.node.id, "artifact");
  assert.equal(one.reason, "attestation-not-found");
});

test("A failed report without a failed artifact is a failure in every format", async () => {
  const report: VerificationReport = {
    ok: false,
    errorReason: "artifact-required",
    verificationResult: "FAILED",
    artifacts: [],
  };
  const { sarif, junit, annotations, markdown, html } = await all(judgementOf(report));
  assert.equal(JSON.parse(sarif).runs[0].results.length, 1);
  assert.match(junit, /<testsuites name="attest verify" tests="1" failures="1"/);
  assert.match(annotations, /^::error title=artifact-required/);
  assert.match(markdown, /^## ❌ FAILED: 0 of 1 artifact verified/);
  assert.match(html, /<h1>Failed/);
  // A verdict that no leaf explains is one all the same.
  const odd = policyReport();
  for (const artifact of odd.policy?.artifacts ?? []) artifact.rules = [];
  assert.equal([...findingsOf(judgementOf(odd))].length, 1);
  const cases = await reportText("junit", judgementOf(odd));
  assert.match(cases, /name="verdict"><failure message="Not verified" type="unexpected-builder"/);
});

test("An artifact that another attestation is about is no failure", async () => {
  const report = plainReport();
  report.ok = report.artifacts[0].ok = true;
  report.errorReason = report.artifacts[0].errorReason = null;
  report.artifacts[0].attestations.push(attestation({ source: "good.json" }));
  const { sarif, junit, annotations, markdown, html } = await all(judgementOf(report));
  assert.deepEqual(JSON.parse(sarif).runs[0].results, []);
  assert.match(junit, /tests="3" failures="0" errors="0" skipped="2"/);
  assert.equal(annotations, "PASSED: 1 of 1 artifact verified\n");
  assert.match(markdown, /^## ✅ PASSED: 1 of 1 artifact verified/);
  assert.match(html, /<h1>Passed/);
});

test("SARIF has rule, place, fingerprint, level and suppression of each result", async () => {
  const log: Log = JSON.parse(await reportText("sarif", judgementOf(policyReport(), PLACES)));
  assertSarif(log);
  const [{ results, tool, properties }] = log.runs;
  assert.deepEqual(
    results.map((one: Log) => [one.ruleId, one.level, one.suppressions.length]),
    [["unexpected-builder", "error", 0], ["missing-attestation", "error", 0], [
      "severity-too-high",
      "error",
      1,
    ]],
  );
  assert.deepEqual(results[2].suppressions[0], {
    kind: "external",
    status: "accepted",
    justification: "Waived by security@acme.example until 2027-01-01T00:00:00Z: Not reachable " +
      "from the API",
  });
  assert.deepEqual(results[0].locations[0].physicalLocation, {
    artifactLocation: { uri: "SHA256SUMS" },
    region: { startLine: 3 },
  });
  assert.deepEqual(results[0].relatedLocations[0].physicalLocation, {
    artifactLocation: { uri: "dist/app.tgz.intoto.jsonl" },
    region: { startLine: 2 },
  });
  assert.deepEqual(properties, {
    verificationResult: "FAILED",
    policyDigest: `sha256:${SHA}`,
    mode: "enforce",
  });
  assert.equal(tool.driver.rules[2].name, "UnexpectedBuilder");
  const permissive = await reportText("sarif", judgementOf(policyReport("permissive"), PLACES));
  for (const { level } of JSON.parse(permissive).runs[0].results) assert.equal(level, "warning");
});

test("SARIF fingerprints stay when lines and other failures change", async () => {
  const prints = async (report: VerificationReport, line: number) => {
    const judgement = judgementOf(report, [{ file: "SHA256SUMS", line }]);
    const log: Log = JSON.parse(await reportText("sarif", judgement));
    return new Map<string, string>(
      log.runs[0].results.map((one: Log) => [
        one.ruleId,
        one.partialFingerprints["attest/v1"],
      ]),
    );
  };
  const before = await prints(policyReport(), 3);
  const changed = policyReport();
  changed.policy?.artifacts[0].rules[0].children?.pop();
  const after = await prints(changed, 70);
  assert.equal(after.size, 2);
  for (const [rule, print] of after) assert.equal(before.get(rule), print);
  // The same check of two attestations is told apart by them, not by their order.
  const both = policyReport();
  const [node] = both.policy?.artifacts[0].rules[0].children?.[0].children ?? [];
  both.policy?.artifacts[0].rules[0].children?.[0].children?.unshift({ ...node, source: "a.json" });
  const log: Log = JSON.parse(await reportText("sarif", judgementOf(both, PLACES)));
  assertSarif(log);
  const [first, second] = log.runs[0].results;
  assert.equal(first.properties.attestation, "a.json");
  assert.equal(
    second.partialFingerprints["attest/v1"],
    before.get("unexpected-builder"),
  );
  // Two results that are equal in all but their order are told apart.
  const twice = policyReport();
  const rules = twice.policy?.artifacts[0].rules ?? [];
  rules.push(structuredClone(rules[0]));
  assertSarif(JSON.parse(await reportText("sarif", judgementOf(twice, PLACES))));
});

test("A result that no file names is at the fallback, or has a logical place only", async () => {
  const report = plainReport("sha256:" + SHA);
  report.errorReason = report.artifacts[0].errorReason = "attestation-not-found";
  report.artifacts[0].attestations = [];
  const of = async (judgement: Judgement) =>
    JSON.parse(await reportText("sarif", judgement)).runs[0].results[0].locations[0];
  assert.equal((await of(judgementOf(report))).physicalLocation, undefined);
  const { physicalLocation } = await of(judgementOf(report, [], { file: "policy.json" }));
  assert.equal(physicalLocation.artifactLocation.uri, "policy.json");
});

test("fileUri() keeps paths relative and encodes what a URI cannot have", () => {
  const cases: [string, string][] = [
    ["dist/app.tgz", "dist/app.tgz"],
    ["./dist//app.tgz", "dist/app.tgz"],
    ["../x", "../x"],
    ["a b/ü#?%.txt", "a%20b/%C3%BC%23%3F%25.txt"],
    ["javascript:alert(1)", "javascript%3Aalert%281%29"],
    ["//evil.example/x", "file:///evil.example/x"],
    ["/srv/app", "file:///srv/app"],
    ["C:\\build\\app", "file:///C:/build/app"],
    ["\ud800", "%EF%BF%BD"],
    [".", "."],
  ];
  for (const [path, uri] of cases) assert.equal(fileUri(path), uri);
});

test("JUnit tells failures, waivers and what is not applicable apart", async () => {
  const junit = await reportText("junit", judgementOf(policyReport(), PLACES));
  assertXml(junit);
  assert.match(junit, /^<\?xml .*\n<testsuites name="attest verify" tests="7" failures="2"/);
  assert.match(
    junit,
    /severity \(scan\.json\)" file="SHA256SUMS" line="3"><skipped message="Waived by security@acme/,
  );
  assert.ok(!junit.includes("scan-too-old"));
  const permissive = await reportText("junit", judgementOf(policyReport("permissive"), PLACES));
  assert.match(permissive, /failures="0" errors="0" skipped="5"/);
  assert.match(permissive, /Permissive policy, would fail \(unexpected-builder\)/);
});

test("Annotations have a place, and warn where the policy does", async () => {
  const text = await reportText("annotations", judgementOf(policyReport(), PLACES));
  assert.match(
    text,
    /^::error file=SHA256SUMS,line=3,title=unexpected-builder%3A dist\/app\.tgz::/,
  );
  assert.match(text, /\n::notice .*title=severity-too-high.*::Waived by security@acme\.example/);
  const escaped = judgementOf(plainReport("50%0A,a:b", "%0A::error::100%"), []);
  assert.match(
    await reportText("annotations", escaped),
    /title=subject-mismatch%3A 50%250A%2Ca%3Ab::%250A::error::100%25%0Aexpected: /,
  );
  const warned = await reportText("annotations", judgementOf(policyReport("permissive"), PLACES));
  assert.ok(!warned.includes("::error") && warned.startsWith("::warning "));
});

test("The page allows nothing but its own style, by its digest", async () => {
  const html = await reportText("html", judgementOf(policyReport(), PLACES));
  const [, style] = /<style>([^<]*)<\/style>/.exec(html) ?? [];
  const policy = `default-src 'none'; style-src 'sha256-${
    encodeBase64(sha256(utf8(style)))
  }'; base-uri 'none'; form-action 'none'`;
  assert.ok(html.includes(`<meta http-equiv="Content-Security-Policy" content="${policy}">`));
  assert.ok(!/url\(|@import|https?:/.test(style));
  for (
    const value of ["signed", "/<wbr>predicate/<wbr>runDetails", "security@acme.example", "waived"]
  ) {
    assert.ok(html.includes(value), value);
  }
});

/** Many artifacts that failed for long reasons. */
function manyFailed(count: number, message: string, withPolicy: boolean): VerificationReport {
  const artifacts = Array.from({ length: count }, (_, i): ArtifactReport => ({
    artifact: `dist/${i}`,
    digest: { sha256: SHA },
    ok: false,
    errorReason: "subject-mismatch",
    attestations: [],
  }));
  const report: VerificationReport = {
    ok: false,
    errorReason: "subject-mismatch",
    verificationResult: "FAILED",
    artifacts,
  };
  if (!withPolicy) return report;
  const rules: PolicyCheck[] = [{
    id: "r",
    outcome: "failed",
    reason: "subject-mismatch",
    message,
  }];
  return {
    ...report,
    policy: {
      ok: false,
      errorReason: "subject-mismatch",
      mode: "enforce",
      policyDigest: SHA,
      time: "2026-11-20T10:00:00.000Z",
      artifacts: artifacts.map((one) => ({ ...one, rules })),
    },
  };
}

test("100,000 failed artifacts stay within every limit, and what is left out is said", async () => {
  const long = "A message of some length. ".repeat(200);
  for (const withPolicy of [true, false]) {
    const judgement = judgementOf(manyFailed(100_000, long, withPolicy));
    const { sarif, junit, annotations, markdown, html } = await all(judgement);
    const log: Log = JSON.parse(sarif);
    assertSarif(log);
    assert.equal(log.runs[0].results.length, MAX_SARIF_RESULTS);
    const [notice] = log.runs[0].invocations[0].toolExecutionNotifications;
    assert.match(notice.message.text, /^75000 results of 100000 left out/);
    assert.match(junit, /tests="100000" failures="100000"/);
    assert.equal(annotations.split("\n").length, MAX_ANNOTATIONS + 3);
    assert.match(annotations, /\n99950 annotations more/);
    assert.ok(utf8(markdown).length <= MAX_SUMMARY_BYTES);
    assert.match(markdown, /\*Left out: \d+ more of 100000 rows\.\*/);
    assert.ok(html.includes(`${100_000 - MAX_HTML_ARTIFACTS} artifacts more`));
    assert.ok(html.length < 20_000_000);
  }
});

test("Reports cost in proportion to the artifacts that failed", async () => {
  const work = (count: number) => {
    const judgement = judgementOf(manyFailed(count, "A message", true));
    return () => all(judgement);
  };
  assert.ok(await isProportional(work, 16_000));
});

test("SARIF that does not compress is cut to what is accepted", async () => {
  let state = 1;
  const noise = () => {
    let text = "";
    while (text.length < 1000) {
      state = Math.imul(state, 1664525) + 1013904223 | 0;
      text += String.fromCharCode(0x4e00 + (state >>> 8) % 20_000);
    }
    return text;
  };
  const report = manyFailed(6000, "", true);
  for (const artifact of report.policy?.artifacts ?? []) {
    artifact.rules = [{ ...artifact.rules[0], message: noise() }];
  }
  const text = await reportText("sarif", judgementOf(report));
  const log: Log = JSON.parse(text);
  assertSarif(log);
  const { length } = log.runs[0].results;
  assert.ok(length > 1000 && length < 6000, String(length));
  const [{ message }] = log.runs[0].invocations[0].toolExecutionNotifications;
  assert.match(message.text, new RegExp(`^${6000 - length} results of 6000 left out`));
});

test("lockfileLines() tells where each package is named, and nothing else", () => {
  const text = `{
  "name": "packages",
  "requires": { "packages": { "node_modules/no": {} } },
  "packages": {
    "": { "name": "mine", "x": ["node_modules/no", "{"] },
    "node_modules/a": { "version": "1.0.0" },

    "node_modules/\\u0062": { "node_modules/no": { "node_modules/no": 1 } }, "node_modules/c": 1
  },
  "dependencies": { "a": {} }
}`;
  assert.deepEqual([...lockfileLines(text)], [
    ["", 5],
    ["node_modules/a", 6],
    ["node_modules/b", 8],
    ["node_modules/c", 8],
  ]);
  for (const odd of ["", '{"packages', '{"packages":{"a', "]]]]", '{"packages":["a":1]}']) {
    assert.equal(lockfileLines(odd).size, 0);
  }
});

test("A lockfile's packages are findings at their lines", async () => {
  const one = (name: string, status: "failed" | "verified" | "unattested") => ({
    name,
    version: "1.0.0",
    locations: [`node_modules/${name}`],
    status,
    errorReason: status === "failed" ? "missing-provenance" as const : null,
    tarball: "matched" as const,
  });
  const report = {
    ok: false,
    errorReason: "missing-provenance" as const,
    verificationResult: "FAILED" as const,
    summary: {} as never,
    packages: [
      one("a", "verified"),
      one("b", "unattested"),
      one("c", "failed"),
      {
        ...one("d", "failed"),
        waived: { errorReason: "provenance-lost" as const, reason: "moved", until: "2027-01-01" },
      },
    ],
  };
  const lines = new Map([["node_modules/c", 7], ["node_modules/d", 9]]);
  const judgement = lockfileJudgement(report, "package-lock.json", (at) => lines.get(at));
  const log: Log = JSON.parse(await reportText("sarif", judgement));
  assertSarif(log);
  assert.deepEqual(
    log.runs[0].results.map(({ ruleId, suppressions, locations }: Log) => [
      ruleId,
      suppressions.length,
      locations[0].physicalLocation.artifactLocation.uri,
      locations[0].physicalLocation.region.startLine,
    ]),
    [["missing-provenance", 0, "package-lock.json", 7], [
      "provenance-lost",
      1,
      "package-lock.json",
      9,
    ]],
  );
  const broken = lockfileJudgement(
    { ...report, errorReason: "malformed-lockfile" as never, packages: [], message: "no object" },
    "package-lock.json",
    () => undefined,
  );
  const [{ node }] = findingsOf(broken);
  assert.equal(node.message, "no object");
});
