import { isObject, type JsonObject, printable } from "../internal/json.ts";
import type { Statement } from "../intoto/statement.ts";
import { claimLabel } from "./expectations.ts";
import type { Inspected, InspectedCertificate, InspectedLogEntry } from "./inspect.ts";
import { plural, type Style, table } from "./text.ts";

const MAX_SUBJECTS = 10;

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
      `${payloadBytes} bytes`,
    ]];
    for (const { keyid, bytes } of signatures.slice(0, MAX_SUBJECTS)) {
      rows.push(["signature", `${bytes} bytes, keyid ${keyid === "" ? "none" : printable(keyid)}`]);
    }
    if (signatures.length > MAX_SUBJECTS) {
      rows.push(["", `and ${plural(signatures.length - MAX_SUBJECTS, "more signature")}`]);
    }
    layers.push(["envelope", rows]);
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
    layers.push(["statement", statementRows(one.statement)]);
    layers.push(["predicate", predicateRows(one.statement.predicate)]);
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
  const rows: Rows = [];
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

function statementRows({ _type, subject, predicateType }: Statement): Rows {
  const rows: Rows = [["_type", printable(_type)], ["predicateType", printable(predicateType)]];
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

/** What most readers look for in provenance; of any other predicate, what it has. */
function predicateRows(predicate: JsonObject | undefined): Rows {
  if (predicate === undefined) return [["", "none"]];
  const rows: Rows = [];
  const add = (name: string, ...path: string[]) => {
    const value = at(predicate, path);
    if (typeof value === "string") rows.push([name, printable(value)]);
    else if (Array.isArray(value)) rows.push([name, `${value.length}`]);
  };
  add("builder.id", "runDetails", "builder", "id");
  add("buildType", "buildDefinition", "buildType");
  add("invocationId", "runDetails", "metadata", "invocationId");
  add("resolvedDependencies", "buildDefinition", "resolvedDependencies");
  if (rows.length === 0) {
    add("builder.id", "builder", "id");
    add("buildType", "buildType");
    add("configSource.uri", "invocation", "configSource", "uri");
    add("materials", "materials");
  }
  const members = Object.keys(predicate).slice(0, MAX_SUBJECTS).map((name) => printable(name, 40));
  rows.push(["members", members.length === 0 ? "none" : members.join(", ")]);
  return rows;
}

function at(value: unknown, path: readonly string[]): unknown {
  for (const name of path) {
    if (!isObject(value) || !Object.hasOwn(value, name)) return undefined;
    value = value[name];
  }
  return value;
}
