/** Where two documents differ in what is read of them, and which of the places mean nothing. */

import { encodeHex } from "../../internal/hex.ts";
import type { Json } from "../../internal/json.ts";
import { heldBy } from "./mutate_text.ts";

/** Members that the formats define; protobuf-JSON has each in two spellings. */
const DEFINED: ReadonlySet<string> = new Set(
  ("mediaType verificationMaterial certificate rawBytes x509CertificateChain certificates " +
    "publicKey hint tlogEntries logIndex logId keyId kindVersion kind version integratedTime " +
    "inclusionPromise signedEntryTimestamp inclusionProof rootHash treeSize hashes checkpoint " +
    "envelope canonicalizedBody timestampVerificationData rfc3161Timestamps signedTimestamp " +
    "messageSignature messageDigest algorithm digest signature dsseEnvelope payload payloadType " +
    "signatures sig keyid attestations bundle predicateType imageSummary fullyQualifiedDigest " +
    "provenanceSummary provenance build intotoStatement inTotoSlsaProvenanceV1 resourceUri")
    .split(" "),
);

/**
 * What is left of a document: members in their first spelling and in one order, null as absent,
 * base64 as bytes.
 */
export function essence(value: Json, depth = 0): Json {
  if (typeof value === "string") {
    const held = heldBy(value);
    return held === undefined ? value : encodeHex(held);
  }
  if (typeof value !== "object" || value === null) return value === null ? null : String(value);
  if (Array.isArray(value)) return value.map((member) => essence(member, depth + 1));
  const entries: [string, Json][] = [];
  for (const [name, member] of Object.entries(value)) {
    const first = name.replace(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());
    if (member === null || !DEFINED.has(first)) continue;
    const inner = essence(member, depth + 1);
    // Which of several attestations comes first has no meaning.
    const isSet = first === "attestations" && Array.isArray(inner);
    entries.push([first, isSet ? inner.sort(byText) : inner]);
  }
  return Object.fromEntries(entries.sort(([a], [b]) => a < b ? -1 : 1));
}

/** An essence without the entries of logs that are not trusted: nothing of them is read. */
export function withoutUnknownLogs(value: Json, keyIds: ReadonlySet<string>): Json {
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return value.map((member) => withoutUnknownLogs(member, keyIds));
  return Object.fromEntries(
    Object.entries(value).map(([name, member]) => {
      const isEntries = name === "tlogEntries" && Array.isArray(member);
      const known = isEntries ? member.filter((entry) => keyIds.has(keyIdOf(entry))) : member;
      return [name, withoutUnknownLogs(known, keyIds)];
    }),
  );
}

function keyIdOf(entry: Json): string {
  const { logId } = Object(entry);
  return String(Object(logId).keyId);
}

function byText(a: Json, b: Json): number {
  return JSON.stringify(a) < JSON.stringify(b) ? -1 : 1;
}

/** JSON Pointers at which two values differ; indexes of arrays as `-`. */
export function differencesOf(a: Json | undefined, b: Json | undefined, at = ""): string[] {
  if (a === b) return [];
  if (Array.isArray(a) && Array.isArray(b)) {
    if (a.length !== b.length) return [`${at}/-`];
    return a.flatMap((member, i) => differencesOf(member, b[i], `${at}/-`));
  }
  const isTree = (value: Json | undefined): value is { [name: string]: Json } =>
    typeof value === "object" && value !== null && !Array.isArray(value);
  if (isTree(a) && isTree(b)) {
    const names = new Set([...Object.keys(a), ...Object.keys(b)]);
    return [...names].flatMap((name) => {
      const place = `${at}/${name}`;
      const [x, y] = [memberOf(a, name), memberOf(b, name)];
      return x === undefined || y === undefined ? [place] : differencesOf(x, y, place);
    });
  }
  return [at];
}

function memberOf(tree: { [name: string]: Json }, name: string): Json | undefined {
  return Object.hasOwn(tree, name) ? tree[name] : undefined;
}

/** A place that may differ, and why nothing follows from it. */
export interface Harmless {
  place: RegExp;
  why: string;
}
