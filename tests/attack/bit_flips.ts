/**
 * Every bit of a good vector, flipped one at a time. Pure: files come through `read`, so that
 * every runtime can run it.
 */

import { verifyEnvelope } from "../../dsse/mod.ts";
import { isAttestationError } from "../../errors.ts";
import type { Bytes } from "../../internal/bytes.ts";
import { decodeBase64 } from "../../internal/base64.ts";
import { children, type Der, parseDer, Tag } from "../../internal/der.ts";
import { encodeHex } from "../../internal/hex.ts";
import { importTrustedKey } from "../../keys/mod.ts";
import { parseResourceDescriptor, parseStatement, readJsonLines } from "../../intoto/mod.ts";
import { parseCheckpoint } from "../../sigstore/mod.ts";
import { parseProvenancePredicate } from "../../slsa/mod.ts";
import type { VerifiedFormat } from "../../formats/mod.ts";
import type { VerificationReport } from "../../verify/report.ts";
import { verify } from "../../verify/verify.ts";
import {
  bundleArguments,
  dsseTrust,
  googleCloudBuildReports,
  npmReport,
  type ReadFile,
  type VectorCase,
  vsaReport,
} from "../vectors/cases.ts";
import { verifyFormatCase } from "../vectors/format_case.ts";
import { jsonPlaces, type Place } from "./json_places.ts";

/** A flip that was not refused. */
export interface Accepted extends Place {
  id: string;
  file: string;
  bit: number;
}

/** What the flips of one case came to. */
export interface FlipCounts {
  flips: number;
  /** Refusals by reason. */
  reasons: Map<string, number>;
  /** Accepted, and what was established is not what was signed. */
  wrong: Accepted[];
  /** Accepted, and the same was established. */
  accepted: Accepted[];
}

/** Places where a flipped bit changes nothing that is established, and why. */
export interface HarmlessPlace {
  /** Which vectors, where it is not all. */
  cases?: RegExp;
  pointer: RegExp;
  role?: Place["role"];
  why: string;
}

const STAMPS = "/verificationMaterial/timestampVerificationData";
const ENTRIES = "/verificationMaterial/tlogEntries";

/** Places where a flip is no forgery: the same is established, by no more evidence. */
export const HARMLESS: readonly HarmlessPlace[] = [
  {
    pointer: new RegExp(
      "^/messageSignature/messageDigest$" +
        `|^${STAMPS}(/rfc3161Timestamps)?$` +
        `|^${ENTRIES}(/\\d/(inclusionPromise|integratedTime|logIndex))?$` +
        `|^${ENTRIES}/\\d/inclusionProof(/hashes|/logIndex)?$` +
        "|^/verificationMaterial/publicKey/hint$" +
        "|^/signatures/\\d/keyid$|^(/attestations/\\d/bundle)?/dsseEnvelope/signatures/0/keyid$",
    ),
    role: "name",
    why: "The name of a member that may be absent becomes one that nobody knows: a hint, or " +
      "evidence beside enough other; numbers and lists that are absent are zero and empty",
  },
  {
    cases: /^x-attest\/format\//,
    pointer: /^/,
    why:
      "The same bytes are signed, by the same keys, under the same type: the flip is in what the " +
      "format does not sign, which its envelope tells as unauthenticated or uncovered",
  },
  {
    cases: /unknown-members|protojson-leniency|everything|extension-fields|all-members/,
    pointer: /./,
    why: "A member that nobody knows, or the name of one that may be absent",
  },
  {
    pointer: new RegExp(
      `^${STAMPS}/rfc3161Timestamps/\\d/signedTimestamp#(certificates|digestAlgorithms|version)$`,
    ),
    role: "value",
    why: "CMS has it outside of the signature: the root pins the authority's certificate, and " +
      "SignerInfo, which is compared, repeats the digest algorithm",
  },
  {
    pointer: new RegExp(`^${STAMPS}/rfc3161Timestamps/\\d/signedTimestamp#signerInfos$`),
    role: "value",
    why: "The version of SignerInfo is not signed; a stamp of an authority that nobody knows " +
      "is ignored where other evidence is enough",
  },
  {
    pointer: /^\/verificationMaterial\/x509CertificateChain\/certificates\/[1-9]\/rawBytes$/,
    role: "value",
    why: "The trusted root has this intermediate itself",
  },
  {
    cases: /proof-only$/,
    pointer: /^\/verificationMaterial\/tlogEntries\/0\/(logIndex|integratedTime)$/,
    role: "value",
    why: "Without a promise nobody signs the place in the whole log, nor the time: the proof has " +
      "the place in its tree, and the time counts for nothing",
  },
  {
    cases: /npm-attestations\//,
    pointer: /^\/attestations\/\d\/bundle\/mediaType$/,
    role: "value",
    why: "The next version of the format, whose demands the bundle meets; nobody signs which it is",
  },
  {
    cases: /rekor2-(cosigned|log-line-second|two-lines-of-origin)$/,
    pointer: /\/checkpoint\/envelope$/,
    role: "value",
    why: "A line of a key that nobody trusts is ignored",
  },
  {
    cases: /unknown-log-beside-known$/,
    pointer: /^\/verificationMaterial\/tlogEntries\/1(\/|$)/,
    why: "The entry of a log that nobody knows is ignored beside one of a known",
  },
  {
    cases: /\/(key-|rekor2-public-key)/,
    pointer: /\/logId\/keyId$|\/logId$/,
    why: "A key needs no log: the entry of one that nobody knows is ignored",
  },
  {
    pointer: /^\/verificationMaterial\/publicKey\/hint$|\/signatures\/\d\/keyid$/,
    role: "value",
    why: "A hint orders the tries, it picks no trust",
  },
  {
    cases: /dsse\/unknown-key-too$/,
    pointer: /^\/signatures\/0\//,
    why: "A signature by a key that nobody trusts does not count",
  },
  {
    cases: /gcb-provenance\/bad-beside-good$/,
    pointer: /^\/provenance_summary\/provenance\/0(\/|$)/,
    why: "A record that nobody signed counts for nothing beside one that is signed",
  },
  {
    cases: /gcb-provenance\//,
    pointer:
      /^\/image_summary\/fully_qualified_digest$|^\/provenance_summary\/provenance\/\d\/resourceUri$/,
    role: "value",
    why: "The name of the repository, which nobody signs; the digest behind it is compared",
  },
  {
    cases: /gcb-provenance\//,
    pointer: /^\/provenance_summary\/provenance\/\d\/build(\/intotoStatement)?$/,
    role: "name",
    why: "The copy for people may be absent: what is signed is read",
  },
  {
    cases: /attestation-jsonl\//,
    pointer: /^$/,
    role: "value",
    why: "A carriage return becomes another white space, or a line that cannot be read another " +
      "such line",
  },
];

/** Why a flip there is harmless; undefined when it is not. */
export function harmless({ id, pointer, role }: Accepted): string | undefined {
  return HARMLESS.find((one) =>
    (one.role === undefined || one.role === role) && (one.cases?.test(id) ?? true) &&
    one.pointer.test(pointer)
  )?.why;
}

/** What a case establishes: its claims as text, and who vouches for which time. */
interface Established {
  claims: string;
  timestamps?: readonly string[];
}

/** What a case establishes, or why it is refused. */
type Reading = (read: ReadFile) => Promise<Established | { reason: string }>;

function parsing(file: string, parse: (bytes: Bytes) => unknown | Promise<unknown>): Reading {
  return async (read) => {
    try {
      return { claims: text(await parse(await read(file))) };
    } catch (error) {
      if (isAttestationError(error)) return { reason: error.reason };
      throw error;
    }
  };
}

function text(value: unknown): string {
  return JSON.stringify(
    value,
    (_, one) =>
      typeof one === "bigint" ? `${one}` : one instanceof Uint8Array ? encodeHex(one) : one,
  );
}

async function linesOf(bytes: Bytes): Promise<unknown> {
  const lines = [];
  for await (const line of readJsonLines(bytes)) lines.push(line);
  return lines;
}

/** The file of a case that is attacked, and its artifact; what is trusted stays as it is. */
function targets({ files }: VectorCase): string[] {
  const names = [
    "bundle",
    "envelope",
    "statement",
    "checkpoint",
    "jsonl",
    "provenance",
    "attestations",
    "document",
    "message",
    "artifact",
  ];
  const paths = names.map((name) => files[name]).filter((path) => typeof path === "string");
  return paths.length > 0 || typeof files.key !== "string" ? paths : [files.key];
}

async function reading(vector: VectorCase, read: ReadFile): Promise<Reading> {
  const [file] = targets(vector);
  switch (vector.kind) {
    case "statement":
      return parsing(file, (bytes) => parseStatement(bytes));
    case "resource-descriptor":
      return parsing(file, (bytes) => parseResourceDescriptor(bytes));
    case "slsa-provenance-predicate":
      return parsing(file, (bytes) => parseProvenancePredicate(bytes));
    case "checkpoint":
      return parsing(file, (bytes) => parseCheckpoint(new TextDecoder().decode(bytes)));
    case "attestation-jsonl":
      return parsing(file, linesOf);
    case "dsse": {
      const trust = await dsseTrust(vector, read);
      return async (changed) => {
        const result = await verifyEnvelope(await changed(file), trust);
        if (!result.ok) return { reason: result.errorReason };
        const { payloadType, payload, acceptedBy } = result;
        return { claims: text({ payloadType, payload, acceptedBy }) };
      };
    }
    case "sigstore-bundle": {
      // What is trusted and expected is read once: a flip is of the bundle or of its artifact.
      const { input, artifacts, verifyOptions } = await bundleArguments(vector, read);
      const path = vector.files.artifact;
      return async (changed) => {
        const content = await changed(file);
        const given = typeof path === "string"
          ? [{ name: path, content: await changed(path) }]
          : artifacts;
        return establishedBy(await verify({ ...input, content }, given, verifyOptions));
      };
    }
    case "public-key":
      return parsing(file, async (bytes) => {
        const { alg, spki } = await importTrustedKey(new TextDecoder().decode(bytes));
        return { alg, spki };
      });
    case "vsa":
      return async (changed) => {
        const found = await vsaReport(vector, changed);
        return "verdict" in found ? { reason: found.reason ?? "none" } : establishedBy(found);
      };
    case "gcb-provenance":
      return async (changed) => {
        const [report] = await googleCloudBuildReports(vector, changed);
        return establishedBy(report);
      };
    case "npm-attestations":
      return async (changed) => establishedBy(await npmReport(vector, changed));
    case "format":
      return async (changed) => {
        try {
          return { claims: formatClaims(await verifyFormatCase(vector, changed)) };
        } catch (error) {
          if (isAttestationError(error)) return { reason: error.reason };
          throw error;
        }
      };
  }
  throw new RangeError(`No reading of ${vector.kind}`);
}

/** What was signed, by whom, as what. */
function formatClaims({ envelope, signers }: VerifiedFormat): string {
  const { format, message, messageType, detached, authenticated } = envelope;
  const by = signers.map(({ name, fingerprint, time }) => ({ name, fingerprint, time }));
  return text({ format, message, messageType, detached, authenticated, by });
}

function establishedBy(report: VerificationReport): Established | { reason: string } {
  if (!report.ok) return { reason: report.errorReason ?? "none" };
  const attestations = report.artifacts.flatMap((one) => one.attestations);
  return {
    claims: text(
      attestations.map(({ signers, identity, statement, predicateType }) => ({
        signers,
        identity,
        statement,
        predicateType,
      })),
    ),
    timestamps: attestations.flatMap(({ timestamps }) => timestamps.map(text)),
  };
}

/** The part of an RFC 3161 answer in which a character of its base64 lies. */
function timestampPart(base64: string, character: number): string {
  const octet = Math.floor(character * 6 / 8);
  const bytes = decodeBase64(base64);
  const endOf = (element: Der) => element.raw.byteOffset - bytes.byteOffset + element.raw.length;
  const [, contentInfo] = children(parseDer(bytes));
  const [, content] = children(contentInfo);
  const [signedData] = children(content);
  const parts = children(signedData);
  const names = ["version", "digestAlgorithms", "encapContentInfo"];
  for (const [i, part] of parts.entries()) {
    if (octet < endOf(part)) {
      const inside = octet >= endOf(part) - part.raw.length;
      if (!inside) return "header";
      return names[i] ?? (part.tag === Tag.set ? "signerInfos" : "certificates");
    }
  }
  return "header";
}

/** What the bytes of a file belong to. */
function placesIn(bytes: Bytes): (offset: number) => Place {
  // One character for each byte, whatever it is.
  const source = new TextDecoder("latin1").decode(bytes);
  const places = jsonPlaces(source);
  return (offset) => {
    const place = places(offset);
    if (place.role !== "value" || !place.pointer.endsWith("/signedTimestamp")) return place;
    const start = source.lastIndexOf('"', offset - 1) + 1;
    const base64 = source.slice(start, source.indexOf('"', offset));
    return { ...place, pointer: `${place.pointer}#${timestampPart(base64, offset - start)}` };
  };
}

/** Flips bits of a good case: every `stride`th, from `start` on. */
export async function flipBits(
  vector: VectorCase,
  read: ReadFile,
  { stride = 1, start = 0 }: { stride?: number; start?: number } = {},
): Promise<FlipCounts> {
  const establish = await reading(vector, read);
  const good = await establish(read);
  if (!("claims" in good)) throw new Error(`${vector.id} is no good vector: ${good.reason}`);
  const counts: FlipCounts = { flips: 0, reasons: new Map(), wrong: [], accepted: [] };
  // Nobody signed these: another text may well be read, as long as it is not taken for this one.
  const unsigned = vector.scope === "step:parse" ||
    !["dsse", "sigstore-bundle", "vsa", "gcb-provenance", "npm-attestations", "format"].includes(
      vector.kind,
    );
  for (const file of targets(vector)) {
    const bytes = (await read(file)).slice();
    const places = /\.json$/.test(file) && file !== vector.files.artifact
      ? placesIn(bytes)
      : () => ({ pointer: "", role: "value" as const });
    const changed: ReadFile = (path) => path === file ? Promise.resolve(bytes) : read(path);
    for (let bit = start; bit < bytes.length * 8; bit += stride) {
      bytes[bit >> 3] ^= 1 << (bit & 7);
      const outcome = await establish(changed);
      bytes[bit >> 3] ^= 1 << (bit & 7);
      counts.flips++;
      if ("reason" in outcome) {
        counts.reasons.set(outcome.reason, (counts.reasons.get(outcome.reason) ?? 0) + 1);
        if (outcome.reason === "internal-error" || outcome.reason === "none") {
          counts.wrong.push({ id: vector.id, file, bit, ...places(bit >> 3) });
        }
        continue;
      }
      // Evidence may get lost where it is more than enough; it never gets other, or more.
      const same = outcome.claims === good.claims &&
        (outcome.timestamps ?? []).every((one) => good.timestamps?.includes(one));
      if (unsigned && !same) {
        counts.reasons.set(
          "(reads as something else)",
          (counts.reasons.get("(reads as something else)") ?? 0) + 1,
        );
        continue;
      }
      const place = { id: vector.id, file, bit, ...places(bit >> 3) };
      (same ? counts.accepted : counts.wrong).push(place);
    }
  }
  return counts;
}
