import { printable } from "../internal/json.ts";
import type { Statement } from "../intoto/statement.ts";
import { claimLabel } from "./identity_expectation.ts";
import type { Inspected, InspectedCertificate, InspectedLogEntry } from "./inspect.ts";
import type { InspectedLevel, InspectedPredicate } from "./inspect_predicate.ts";
import { plural, type Style, table } from "./text.ts";

const MAX_SUBJECTS = 10;

/** Formats that nobody signs. */
const UNSIGNED: ReadonlySet<string> = new Set(["statement", "spdx", "cyclonedx"]);

type Rows = [string, string][];

/** The layers for people, each file under a heading that says that nothing is verified. */
export function inspectText(inspected: readonly Inspected[], paint: Style): string {
  return inspected.map((one) => {
    const heading = `${paint.bold(printable(one.source))} (${one.format})  ${
      paint.yellow("NOT VERIFIED")
    }\n`;
    return heading + layersOf(one).map(([name, rows]) =>
      `  ${paint.bold(name)}\n${table(rows, "    ")}`
    ).join("") +
      one.problems.map(({ reason, message, path }) =>
        `  ${paint.red("problem")}  ${printable(message, 500)} (${reason})${
          path === undefined ? "" : ` at ${printable(path)}`
        }\n`
      ).join("");
  }).join("\n");
}

function layersOf(one: Inspected): [string, Rows][] {
  const layers: [string, Rows][] = [];
  if (one.bundleVersion !== undefined) layers.push(["bundle", [["version", one.bundleVersion]]]);
  if (one.envelope !== undefined) {
    const { payloadType, payloadBytes, signatures } = one.envelope;
    const rows: Rows = [["payloadType", printable(payloadType)], [
      "payload",
      payloadBytes === undefined ? "another file, which is signed" : `${payloadBytes} bytes`,
    ]];
    for (const { keyid, algorithm, bytes } of signatures.slice(0, MAX_SUBJECTS)) {
      const by = algorithm === undefined ? "" : `${printable(algorithm)}, `;
      const id = keyid === "" ? "none" : printable(keyid);
      rows.push(["signature", `${by}${bytes} bytes, keyid ${id}`]);
    }
    if (signatures.length > MAX_SUBJECTS) {
      rows.push(["", `and ${plural(signatures.length - MAX_SUBJECTS, "more signature")}`]);
    }
    layers.push(["envelope", rows]);
  }
  if (one.facts !== undefined) {
    layers.push([
      "as it states",
      Object.entries(one.facts).map(([name, text]): [string, string] => [
        printable(name),
        printable(text, 500),
      ]),
    ]);
  }
  if (one.messageSignature !== undefined) {
    const { messageDigest = {}, bytes } = one.messageSignature;
    layers.push(["message signature", [
      ["signature", `${bytes} bytes over the artifact itself`],
      ...Object.entries(messageDigest).map(([name, hex]): [string, string] => [
        "messageDigest",
        `${name}:${hex}`,
      ]),
    ]]);
  }
  const material = one.verificationMaterial;
  if (material !== undefined) {
    material.certificates?.forEach((certificate, index) => {
      layers.push([
        index === 0 ? "certificate" : "certificate of an authority",
        rowsOf(certificate),
      ]);
    });
    if (material.publicKey !== undefined) {
      layers.push(["public key", [["hint", printable(material.publicKey.hint)]]]);
    }
    for (const entry of material.tlogEntries) layers.push(["log entry", entryRows(entry)]);
    for (const { time, problem } of material.timestamps) {
      layers.push(["timestamp (RFC 3161)", [
        time === undefined ? ["problem", problem ?? ""] : ["time", time],
      ]]);
    }
  }
  if (one.statement !== undefined) {
    layers.push(["statement", statementRows(one.statement, one.format)]);
  }
  if (one.predicate !== undefined) {
    layers.push(["predicate", predicateRows(one.predicate)]);
  }
  for (const { name, key, fingerprint, rule, successor } of one.keySet ?? []) {
    layers.push([`key ${printable(name)}`, [
      ["algorithm", key],
      ["fingerprint", fingerprint],
      ["rule", rule],
      ["successor", successor === undefined ? "none" : printable(successor)],
    ]]);
  }
  for (const [name, entries] of Object.entries(one.trustedRoot ?? {})) {
    layers.push([
      name,
      entries.map(({ uri, validFor }): [string, string] => [
        printable(uri),
        `${validFor.start} to ${validFor.end ?? "now"}`,
      ]),
    ]);
  }
  return layers;
}

function rowsOf(certificate: InspectedCertificate): Rows {
  const rows: Rows = [["stated by", "the authority that issued it"]];
  for (const [claim, value] of Object.entries(certificate.identity ?? {})) {
    if (typeof value === "string") rows.push([claimLabel(claim), printable(value)]);
  }
  rows.push(["valid", `${certificate.validFor.start} to ${certificate.validFor.end}`]);
  rows.push(["public key", `${certificate.publicKey}, ${certificate.keyFingerprint}`]);
  rows.push(["serial number", printable(certificate.serialNumber)]);
  return rows;
}

function entryRows(entry: InspectedLogEntry): Rows {
  const rows: Rows = [
    ["stated by", "the log"],
    ["kindVersion", printable(entry.kindVersion)],
    ["logId", entry.logId],
    ["logIndex", entry.logIndex],
    ["integratedTime", entry.integratedTime ?? "none"],
    ["inclusionPromise", entry.inclusionPromise ? "present" : "none"],
  ];
  if (entry.inclusionProof === undefined) rows.push(["inclusionProof", "none"]);
  else {
    const { treeSize, rootHash, checkpoint } = entry.inclusionProof;
    rows.push(["inclusionProof", `tree size ${treeSize}, root hash ${rootHash}`]);
    rows.push(["checkpoint of", printable(checkpoint.split("\n")[0])]);
  }
  return rows;
}

function statementRows({ _type, subject, predicateType }: Statement, format: string): Rows {
  const rows: Rows = [
    ["stated by", UNSIGNED.has(format) ? "NOBODY: it is not signed" : "who signed"],
    ["_type", printable(_type)],
    ["predicateType", printable(predicateType)],
  ];
  for (const { name, digest } of subject.slice(0, MAX_SUBJECTS)) {
    const digests = Object.entries(digest ?? {}).map(([algorithm, value]) =>
      printable(`${algorithm}:${value}`)
    );
    rows.push(["subject", [printable(name ?? "(no name)"), ...digests].join("\n  ")]);
  }
  if (subject.length > MAX_SUBJECTS) {
    rows.push(["", `and ${plural(subject.length - MAX_SUBJECTS, "more subject")}`]);
  }
  return rows;
}

/** What the predicate says, each with who says it, and what follows from that. */
function predicateRows(predicate: InspectedPredicate): Rows {
  const rows: Rows = [["kind", predicate.kind ?? "not known here; passed through as it is"]];
  for (const { name, value, origins } of predicate.fields) {
    const lines = value.split("\n").map((line) => printable(line));
    const by = `(${origins.join(", ")})`;
    const text = lines.length > 1 ? [by, ...lines].join("\n") : `${lines[0]} ${by}`;
    rows.push([printable(name, 60), text]);
  }
  if (predicate.buildLevel !== undefined) {
    rows.push(["Build level", levelText(predicate.buildLevel)]);
  }
  for (const contradiction of predicate.contradictions) {
    rows.push(["CONTRADICTION", printable(contradiction)]);
  }
  return rows;
}

function levelText({ recognised, named, expected }: InspectedLevel): string {
  const parts: string[] = [];
  if (recognised > 0) parts.push(`${recognised} with --source-uri`);
  if (named > recognised) parts.push(`${named} with --source-uri and --builder-id`);
  if (expected > Math.max(recognised, named)) parts.push(`${expected} with --cert-identity`);
  if (parts.length === 0) return "0: its signer may not speak for this builder";
  return `${parts.join(", ")}, if it verifies`;
}
