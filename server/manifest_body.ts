import { AttestationError, type Problem } from "../errors.ts";
import { type Bytes, utf8 } from "../internal/bytes.ts";
import {
  canonicalJson,
  decodeUtf8,
  isObject,
  type Json,
  parseJson,
  quote,
} from "../internal/json.ts";
import { elementSlices, memberSlice } from "../internal/json_slice.ts";
import { pointer } from "../internal/problem.ts";
import { suggestion } from "../internal/suggestion.ts";

/** What is put. */
export interface ManifestBody {
  /** The card, canonical JSON (RFC 8785). */
  card: string;
  /** `sig`, JSON, or null. */
  sig: string | null;
  /** The attestations, byte for byte as they were sent. */
  provenance: Bytes[];
}

const MEMBERS = ["urn", "card", "sig", "provenance"];
const MAX_CARD_BYTES = 256 << 10;
const MAX_SIG_BYTES = 16 << 10;
const MAX_DEPTH = 64;

/**
 * Reads the body of a PUT: `{ urn, card, sig, provenance }`.
 *
 * `provenance` is a DSSE envelope, a Sigstore bundle, or a list of them, each as an object or
 * as text. Of an object the very bytes of the request are kept.
 *
 * @param urn The urn of the address.
 * @returns The body, or all that is wrong with it.
 * @throws {AttestationError} What strict JSON refuses.
 */
export function readManifestBody(
  bytes: Uint8Array,
  urn: string,
): { body: ManifestBody; problems: [] } | { body?: undefined; problems: Problem[] } {
  const text = decodeUtf8(bytes);
  const value = parseJson(text, { maxDepth: MAX_DEPTH });
  const problems: Problem[] = [];
  const wrong = (path: string, what: string, reason: Problem["reason"] = "malformed-manifest") => {
    problems.push({ reason, path, message: `Cannot read manifest: ${what}` });
  };
  if (!isObject(value)) {
    wrong("", "the body is no JSON object with urn, card, sig and provenance");
    return { problems };
  }
  for (const name of Object.keys(value)) {
    if (MEMBERS.includes(name)) continue;
    wrong(pointer("", name), `the member ${quote(name)} is unknown${suggestion(name, MEMBERS)}`);
  }
  if (typeof value.urn !== "string") wrong("/urn", "urn is missing or no string");
  else if (value.urn !== urn) {
    wrong("/urn", `urn is ${quote(value.urn)}, the address has ${quote(urn)}`, "urn-mismatch");
  }
  const card = canonical(value.card, "/card", MAX_CARD_BYTES, wrong);
  if (value.card !== undefined && !isObject(value.card)) wrong("/card", "card is no JSON object");
  if (value.card === undefined) wrong("/card", "card is missing");
  const sig = value.sig === undefined || value.sig === null
    ? null
    : canonical(value.sig, "/sig", MAX_SIG_BYTES, wrong);
  const provenance = attestationsOf(text, value.provenance, wrong);
  if (problems.length > 0) return { problems };
  return { body: { card, sig, provenance }, problems: [] };
}

type Wrong = (path: string, what: string) => void;

/**
 * Canonical text of a value. Integers beyond 2^53 have none that all readers agree on
 * (RFC 8785, 3.2.2.3; RFC 7493, 2.2): two different cards would be one.
 */
function canonical(value: Json | undefined, path: string, maxBytes: number, wrong: Wrong): string {
  if (value === undefined) return "";
  const unsafe = unsafeNumber(value, path);
  if (unsafe !== undefined) wrong(unsafe, "an integer is beyond 2^53; write it as a string");
  const text = canonicalJson(value);
  const { length } = utf8(text);
  if (length > maxBytes) wrong(path, `it has ${length} bytes, at most ${maxBytes} are accepted`);
  return text;
}

function unsafeNumber(value: Json, path: string): string | undefined {
  if (typeof value === "number") {
    return Number.isInteger(value) && !Number.isSafeInteger(value) ? path : undefined;
  }
  if (typeof value !== "object" || value === null) return undefined;
  for (const [name, member] of Object.entries(value)) {
    const found = unsafeNumber(member, pointer(path, name));
    if (found !== undefined) return found;
  }
}

function attestationsOf(text: string, value: Json | undefined, wrong: Wrong): Bytes[] {
  const slice = memberSlice(text, "provenance");
  if (value === undefined || value === null || slice === undefined) return [];
  const isOne = !Array.isArray(value);
  const values = isOne ? [value] : value;
  const slices = isOne ? [slice] : elementSlices(text, slice);
  return values.flatMap((one, i) => {
    if (typeof one === "string") return [utf8(one)];
    if (isObject(one)) return [utf8(text.slice(slices[i].start, slices[i].end))];
    wrong(isOne ? "/provenance" : `/provenance/${i}`, "an attestation is neither object nor text");
    return [];
  });
}

/** The first problem, as it is thrown. */
export function asError(problems: readonly Problem[]): AttestationError {
  const [{ reason, path, message }] = problems;
  return new AttestationError(reason, message, { path });
}
