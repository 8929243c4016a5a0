/** What is measured of each envelope: the survey's properties, by trying them. */

import { type FormatTrust, verifyFormat } from "../../formats/mod.ts";
import { utf8 } from "../../internal/bytes.ts";
import { encodeCborBytes } from "../../internal/cbor.ts";
import type { KeyAlgorithm } from "../../keys/mod.ts";
import { type Maker, MAKERS } from "./makers.ts";

/** One envelope format, measured. */
export interface Surveyed {
  format: string;
  /** Another type of the message is noticed: the signatures cover what the message is for. */
  authenticatedPurpose: boolean;
  /** A message of any kind is signed and verified. */
  arbitraryType: boolean;
  /** White space in what is signed is noticed: the signed bytes are those that are sent. */
  avoidsCanonicalisation: boolean;
  /** Algorithms of those tried that verify. */
  algorithms: KeyAlgorithm[];
  /** Size of a document with a message of 30 000 bytes, by the message's size; undefined if it takes none. */
  overhead: number | undefined;
  /** Several digests of one subject are read. */
  severalDigests: boolean;
  /** Materials are read. */
  materials: boolean;
}

const TRIED: readonly KeyAlgorithm[] = ["Ed25519", "ES256", "ES384", "RS256", "PS256"];

async function verifies(source: string | Uint8Array, trust: FormatTrust): Promise<boolean> {
  return (await verifyFormat(source, trust)).ok;
}

/** Measures all formats that have a maker. */
export async function survey(): Promise<Surveyed[]> {
  return await Promise.all(Object.entries(MAKERS).map(([format, maker]) => measure(format, maker)));
}

async function measure(format: string, maker: Maker): Promise<Surveyed> {
  const made = await maker.make(maker.message);
  if (made === undefined) throw new Error(`${format}: its own message cannot be signed`);
  const { source, trust } = made;
  const result = await verifyFormat(source, trust);
  if (!result.ok) throw new Error(`${format}: ${result.error.message}`);
  const statement = "statement" in result.statement ? result.statement : undefined;
  return {
    format,
    authenticatedPurpose: result.envelope.messageType?.authenticated === true,
    arbitraryType: await takes(maker, "hello, \u0001\u00ff world") &&
      await takes(maker, '{"hello":1.5}'),
    avoidsCanonicalisation: trust.detached === undefined
      ? !await verifies(spaced(source, maker.message), trust)
      : !await verifies(source, {
        ...trust,
        detached: { content: utf8(`${maker.message} `), digest: {} },
      }),
    algorithms: await algorithmsOf(maker),
    overhead: await overheadOf(maker),
    severalDigests: (Object.keys(statement?.statement.subject[0].digest ?? {}).length ?? 0) > 1,
    materials: (statement?.materials ?? []).length > 0,
  };
}

async function takes(maker: Maker, message: string): Promise<boolean> {
  try {
    const made = await maker.make(message);
    return made !== undefined && await verifies(made.source, made.trust);
  } catch {
    return false;
  }
}

/** The document with three more blanks in what is signed: base64 keeps its groups of three. */
function spaced(source: string | Uint8Array, message: string): string | Uint8Array {
  if (source instanceof Uint8Array) return spacedBytes(source, message);
  const text = source;
  const whole = message.slice(0, message.length - message.length % 3);
  const changed = `${whole.slice(0, 1)}   ${whole.slice(1)}`;
  if (text.includes(whole)) return text.replace(whole, () => changed);
  for (const form of [standard, urlSafe]) {
    if (text.includes(form(whole))) return text.replace(form(whole), () => form(changed));
  }
  throw new Error("The message is not found in the document");
}

/**
 * The same in a document that has the message as it is: in CBOR with its length before it, and
 * in DER, whose lengths lie above it too, as many characters as there were.
 */
function spacedBytes(source: Uint8Array, message: string): Uint8Array {
  const latin1 = (bytes: Uint8Array) => String.fromCharCode(...bytes);
  const text = latin1(source);
  const [old, other] = [message, `${message.slice(0, 1)}   ${message.slice(1)}`].map((one) =>
    latin1(encodeCborBytes(utf8(one)))
  );
  if (text.includes(old)) {
    return Uint8Array.from(text.replace(old, () => other), (unit) => unit.charCodeAt(0));
  }
  const at = text.indexOf(message);
  const blank = message.search(/\s/);
  if (at < 0 || blank < 0) throw new Error("The message is not found in the document");
  const changed = source.slice();
  changed[at + blank] = 9;
  return changed;
}

function standard(message: string): string {
  return btoa(String.fromCharCode(...utf8(message)));
}

function urlSafe(message: string): string {
  return standard(message).replaceAll("+", "-").replaceAll("/", "_");
}

async function algorithmsOf(maker: Maker): Promise<KeyAlgorithm[]> {
  const found: KeyAlgorithm[] = [];
  for (const alg of TRIED) {
    const made = await maker.make(maker.message, alg);
    if (made !== undefined && await verifies(made.source, made.trust)) found.push(alg);
  }
  return found;
}

async function overheadOf(maker: Maker): Promise<number | undefined> {
  const { message } = maker;
  const long = message.startsWith("{")
    ? `${message.slice(0, -1)}${message === "{}" ? "" : ","}"x":"${"y".repeat(30_000)}"}`
    : `${"y".repeat(30_000)}\n${message}`;
  const made = await maker.make(long);
  if (made === undefined) return undefined;
  return (made.source.length + (made.trust.detached?.content?.length ?? 0)) / long.length;
}
