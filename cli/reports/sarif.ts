import type { Reason } from "../../errors.ts";
import { utf8 } from "../../internal/bytes.ts";
import { encodeHex } from "../../internal/hex.ts";
import { printable } from "../../internal/json.ts";
import { sha256 } from "../../internal/sha256.ts";
import { type ReasonLayer, REASONS } from "../../reasons.ts";
import { plural, safeJson } from "../text.ts";
import { VERSION } from "../version.ts";
import {
  type Finding,
  findingsOf,
  type Judgement,
  type Place,
  placeOf,
  placeOfSource,
} from "./findings.ts";

/** Results of one run that code scanning accepts; it shows the first 5,000. */
export const MAX_SARIF_RESULTS = 25_000;
/** Compressed size that code scanning accepts. */
export const MAX_SARIF_GZIP_BYTES = 10_000_000;

const MAX_NAME = 300;
const MAX_TEXT = 1000;

/** CVSS-like weight of a refusal: the closer to the signature, the heavier. */
const SEVERITY: Readonly<Record<ReasonLayer, string>> = {
  envelope: "9.5",
  bundle: "9.5",
  certificate: "9.5",
  keys: "9.5",
  trust: "9.1",
  log: "9.1",
  timestamp: "9.1",
  identity: "9.1",
  statement: "8.8",
  predicate: "8.1",
  policy: "7.5",
  input: "7.0",
  storage: "7.0",
  registry: "7.0",
  output: "5.0",
  generation: "5.0",
  signing: "5.0",
};

/**
 * SARIF 2.1.0 within the limits of code scanning: one result for each check that failed, or
 * is waived. What does not fit is left out, waived ones first, and said.
 */
export async function sarifReport(judgement: Judgement): Promise<string> {
  const all = [...findingsOf(judgement)];
  const failed = all.filter(({ node }) => node.outcome !== "waived").length;
  for (let limit = Math.min(all.length, MAX_SARIF_RESULTS);; limit = Math.floor(limit * 0.7)) {
    const text = `${safeJson(logOf(judgement, all.slice(0, limit), all.length))}\n`;
    if (limit === 0 || await fits(text)) return text;
    // Reached only by texts that hardly compress; the failed ones are first.
    if (limit > failed) limit = Math.max(failed, Math.floor(limit * 0.7));
  }
}

async function fits(text: string): Promise<boolean> {
  if (text.length * 3 < MAX_SARIF_GZIP_BYTES) return true;
  const packed = new Blob([text]).stream().pipeThrough(new CompressionStream("gzip"));
  let size = 0;
  for await (const chunk of packed) {
    size += chunk.length;
    if (size > MAX_SARIF_GZIP_BYTES) return false;
  }
  return true;
}

function logOf(judgement: Judgement, findings: readonly Finding[], total: number): unknown {
  const { policy, mode } = judgement;
  const reasons = [...new Set(findings.map(({ reason }) => reason))].sort();
  const index = new Map(reasons.map((reason, i) => [reason, i]));
  const seen = new Map<string, number>();
  const suppresses = findings.some(({ node }) => node.outcome === "waived");
  const results = findings.map((finding) => {
    const { node, reason, source, artifact } = finding;
    const place = placeOf(finding, judgement);
    const attested = source === undefined ? undefined : placeOfSource(source);
    return {
      ruleId: reason,
      ruleIndex: index.get(reason),
      kind: "fail",
      level: mode === "permissive" ? "warning" : "error",
      message: { text: messageOf(finding) },
      locations: [{
        ...(place === undefined ? {} : { physicalLocation: physical(place) }),
        logicalLocations: [{
          name: printable(artifact.name, MAX_NAME),
          fullyQualifiedName: `${printable(artifact.name, MAX_NAME)} ${node.id}`,
          kind: "resource",
        }],
      }],
      ...(attested === undefined || samePlace(attested, place) ? {} : {
        relatedLocations: [{
          id: 1,
          physicalLocation: physical(attested),
          message: { text: "The attestation that was judged" },
        }],
      }),
      partialFingerprints: { "attest/v1": fingerprint(finding, seen) },
      ...(suppresses ? { suppressions: suppressionsOf(finding) } : {}),
      properties: propertiesOf(finding),
    };
  });
  return {
    $schema: "https://json.schemastore.org/sarif-2.1.0.json",
    version: "2.1.0",
    runs: [{
      tool: {
        driver: {
          name: "attest",
          version: VERSION,
          semanticVersion: VERSION,
          rules: reasons.map(ruleOf),
        },
      },
      automationDetails: { id: `attest/${categoryOf(policy?.name)}/` },
      columnKind: "utf16CodeUnits",
      invocations: [{
        executionSuccessful: true,
        ...(total > findings.length
          ? {
            toolExecutionNotifications: [{
              level: "warning",
              descriptor: { id: "results-left-out" },
              message: {
                text: `${plural(total - findings.length, "result")} of ${total} left out: at ` +
                  `most ${MAX_SARIF_RESULTS} results and 10 MB are accepted by code scanning`,
              },
            }],
          }
          : {}),
      }],
      results,
      properties: {
        verificationResult: judgement.ok ? "PASSED" : "FAILED",
        ...(policy === undefined ? {} : { policyDigest: `sha256:${policy.digest}`, mode }),
      },
    }],
  };
}

function categoryOf(name: string | undefined): string {
  return (name || "verify").slice(0, 100).replace(/[^A-Za-z0-9._-]+/g, "-");
}

function ruleOf(reason: Reason): unknown {
  const { layer, cause, check, repair, example } = REASONS[reason];
  return {
    id: reason,
    name: reason.replace(/(?:^|-)(\w)/g, (_, letter: string) => letter.toUpperCase()),
    shortDescription: { text: plain(cause) },
    fullDescription: { text: plain(`${cause}. Example: ${example}.`) },
    help: {
      text: plain(`${cause}.\n\nCheck: ${check}.\n\nRepair: ${repair}.\n\nExample: ${example}.`),
      markdown: `${escapeMarkdown(cause)}.\n\n**Check:** ${escapeMarkdown(check)}\n\n` +
        `**Repair:** ${escapeMarkdown(repair)}\n\n**Example:** ${escapeMarkdown(example)}\n`,
    },
    defaultConfiguration: { level: "error" },
    properties: {
      tags: ["security", "supply-chain", layer],
      precision: "very-high",
      "problem.severity": "error",
      "security-severity": SEVERITY[layer],
    },
  };
}

function escapeMarkdown(text: string): string {
  return text.replace(/[\\`*_{}[\]<>|~&]/g, "\\$&");
}

function messageOf({ artifact, node }: Finding): string {
  const parts = [`${printable(artifact.name, MAX_NAME)}: ${printable(node.message, MAX_TEXT)}`];
  const add = (label: string, value: string | undefined) => {
    if (value !== undefined && value !== "") parts.push(`${label}: ${printable(value, MAX_TEXT)}`);
  };
  add("Expected", node.expected);
  add("Found", node.actual);
  add("At", node.path);
  add("Remedy", node.remedy);
  return plain(parts.join(". "));
}

/**
 * Text for a SARIF message: brackets cannot become links (3.11.6) or braces placeholders
 * (3.11.5).
 */
function plain(text: string): string {
  return text.replace(/[\\[\]]/g, "\\$&").replace(/\{(\d+)\}/g, "{{$1}}");
}

function propertiesOf({ artifact, node, source }: Finding): unknown {
  const text = (value: string) => printable(value, MAX_TEXT);
  return {
    artifact: text(artifact.name),
    check: node.id,
    ...(Object.keys(artifact.digest).length === 0 ? {} : { digest: artifact.digest }),
    ...(source === undefined ? {} : { attestation: text(source) }),
    ...(node.layer === undefined ? {} : { layer: node.layer }),
    ...(node.expected === undefined ? {} : { expected: text(node.expected) }),
    ...(node.actual === undefined ? {} : { actual: text(node.actual) }),
    ...(node.path === undefined ? {} : { path: text(node.path) }),
    ...(node.origin === undefined ? {} : { origin: node.origin }),
  };
}

function suppressionsOf({ node: { outcome, waiver } }: Finding): unknown[] {
  if (outcome !== "waived") return [];
  if (waiver === undefined) return [{ kind: "external", status: "accepted" }];
  const owner = waiver.owner === undefined ? "" : ` by ${printable(waiver.owner)}`;
  return [{
    kind: "external",
    status: "accepted",
    justification: `Waived${owner} until ${printable(waiver.until)}: ${
      printable(waiver.reason, MAX_TEXT)
    }`,
  }];
}

/** The same for the same failure of the next run, whatever its line; distinct in one run. */
function fingerprint({ reason, artifact, node, source }: Finding, seen: Map<string, number>) {
  const key = JSON.stringify([reason, artifact.name, node.id, source ?? "", node.path ?? ""]);
  const count = seen.get(key) ?? 0;
  seen.set(key, count + 1);
  return encodeHex(sha256(utf8((count === 0 ? key : `${key}#${count}`).toWellFormed())));
}

function physical({ file, line = 1 }: Place): unknown {
  return { artifactLocation: { uri: fileUri(file) }, region: { startLine: line } };
}

function samePlace(a: Place, b: Place | undefined): boolean {
  return a.file === b?.file && (a.line ?? 1) === (b.line ?? 1);
}

/** A path as a URI, relative if it is: RFC 3986, 4.2, with no first segment like a scheme. */
export function fileUri(path: string): string {
  const drive = /^[A-Za-z]:[\\/]/.test(path);
  const parts = (drive ? path.replaceAll("\\", "/") : path).toWellFormed().split("/");
  const encoded = parts.map((part, i) => {
    if (drive && i === 0) return part;
    return encodeURIComponent(part).replace(
      /[!'()*]/g,
      (letter) => `%${letter.charCodeAt(0).toString(16).toUpperCase()}`,
    );
  });
  if (drive) return `file:///${encoded.join("/")}`;
  const kept = encoded.filter((part, i) => part !== "." && (part !== "" || i === 0));
  return path.startsWith("/") ? `file://${kept.join("/")}` : kept.join("/") || ".";
}
