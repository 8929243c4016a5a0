import { AttestationError } from "../errors.ts";
import { type DecodedEnvelope, parseEnvelope } from "../dsse/envelope.ts";
import type { FormatId } from "../formats/format_id.ts";
import type { OpenedFormat } from "../formats/verify_format.ts";
import { asRefusal } from "../internal/check_list.ts";
import { copyJson, isObject, type Json, type JsonObject, parseJson } from "../internal/json.ts";
import { detectFormat } from "../intoto/detect.ts";
import { readJsonLines } from "../intoto/json_lines.ts";
import { parseStatement, type Statement } from "../intoto/statement.ts";
import type { SigstoreBundle } from "../sigstore/bundle.ts";
import type { SignedImage } from "./cosign.ts";
import type { AttestationContent, AttestationInput, VerifyLimits } from "./options.ts";

/** An attestation that was read; nothing of it is verified. */
export type LoadedAttestation =
  & { source: string }
  & (
    | {
      format: "sigstore-bundle" | "dsse";
      bundle: SigstoreBundle;
      unverifiedStatement?: UnverifiedStatement;
    }
    | { format: "dsse"; envelope: DecodedEnvelope; unverifiedStatement: UnverifiedStatement }
    | {
      format: "cosign-signature";
      bundle: SigstoreBundle;
      image: SignedImage;
      unverifiedStatement?: undefined;
    }
    | { format: "statement"; unverifiedStatement: UnverifiedStatement }
    | {
      format: FormatId;
      foreign: OpenedFormat;
      algorithms: readonly string[];
      message?: Uint8Array;
      unverifiedStatement?: UnverifiedStatement;
    }
    | { format: "sigstore-bundle" | "dsse" | "unknown" | FormatId; error: AttestationError }
  );

/**
 * The Statement in a payload, or why there is none. It is read before the signature is
 * checked, for the digest algorithms that it names, and belongs in no answer until then.
 */
export type UnverifiedStatement = { value: Statement } | { error: AttestationError };

/** Bounds with their defaults. */
export type Limits = Required<VerifyLimits> & {
  /** Read the certificate in an envelope's signature: there is no key to verify it with. */
  certificates?: boolean;
};

/** The defaults of {@linkcode VerifyLimits}. */
export const DEFAULT_LIMITS: Limits = {
  maxAttestationBytes: 24 << 20,
  maxAttestations: 100_000,
  maxSignatures: 64,
  maxSubjects: 100_000,
};

/**
 * Reads one input: an attestation, JSON Lines of attestations, or the answer of a registry
 * that lists them. What cannot be read is reported in its place.
 */
export async function loadAttestations(
  input: AttestationInput,
  index: number,
  limits: Limits,
): Promise<LoadedAttestation[]> {
  let source = `attestation ${index + 1}`;
  let content: AttestationContent = input;
  let value: Json;
  try {
    let message: Uint8Array | undefined;
    ({ source, content, message } = named(input, source));
    if (typeof content !== "string" && !(content instanceof Uint8Array)) {
      value = copyJson(content);
    } else if (content[0] === "\0" || content[0] === 0) {
      // The first line of what containers/image keeps; no JSON begins so.
      const { withoutMagic } = await import("../sigstore/cosign_layer.ts");
      value = parseJson(withoutMagic(content), { maxLength: limits.maxAttestationBytes });
    } else if (!isJson(content)) {
      const found = await loadForeign(content, source, limits, message);
      if (found !== undefined) return [found];
      value = parseJson(content, { maxLength: limits.maxAttestationBytes });
    } else if (isJsonLines(content)) return await loadLines(content, source, limits);
    else value = parseJson(content, { maxLength: limits.maxAttestationBytes });
  } catch (thrown) {
    const error = asRefusal(thrown);
    if (typeof content !== "string" && !(content instanceof Uint8Array)) {
      return [{ source, format: "unknown", error }];
    }
    const lines = await linesAfterAll(content, source, limits, error);
    return lines ?? [{ source, format: "unknown", error }];
  }
  return await unwrap(value, source, limits);
}

/** Tells what may be JSON, or nothing, from all else by its first character. */
function isJson(content: string | Uint8Array): boolean {
  return /^\s*([\[{"]|$)/.test(textOf(content, 0, 64));
}

/** What it is in another format, which are loaded only here; undefined if in none. */
async function loadForeign(
  content: string | Uint8Array,
  source: string,
  limits: Limits,
  message?: Uint8Array,
): Promise<LoadedAttestation | undefined> {
  const { readForeign } = await import("./foreign.ts");
  return await readForeign(content, { source, message }, limits);
}

/** JSON Lines that begin with a bad line: it must not hide the others. */
async function linesAfterAll(
  content: string | Uint8Array,
  source: string,
  limits: Limits,
  { reason }: AttestationError,
): Promise<LoadedAttestation[] | undefined> {
  if (reason !== "malformed-json" && reason !== "invalid-unicode" && reason !== "limit-exceeded") {
    return undefined;
  }
  const newline = typeof content === "string" ? content.indexOf("\n") : content.indexOf(10);
  if (newline < 0) return undefined;
  const lines = await loadLines(content, source, limits);
  return lines.some(({ format }) => format !== "unknown") ? lines : undefined;
}

function named(
  input: AttestationInput,
  otherwise: string,
): { source: string; content: AttestationContent; message?: Uint8Array } {
  if (typeof input === "object" && input !== null && !(input instanceof Uint8Array)) {
    const { source, content, message }: {
      source?: unknown;
      content?: AttestationContent;
      message?: Uint8Array;
    } = input;
    if (typeof source === "string" && content !== undefined) return { source, content, message };
  }
  return { source: otherwise, content: input };
}

/** JSON Lines: an object ends on the first line, and another line follows. */
function isJsonLines(content: string | Uint8Array): boolean {
  const newline = typeof content === "string" ? content.indexOf("\n") : content.indexOf(10);
  if (newline < 0) return false;
  return /\}\s*$/.test(textOf(content, Math.max(0, newline - 64), newline)) &&
    /^\s*\S/.test(textOf(content, newline + 1, newline + 4096));
}

function textOf(content: string | Uint8Array, start: number, end: number): string {
  return typeof content === "string"
    ? content.slice(start, end)
    : new TextDecoder().decode(content.subarray(start, end));
}

async function loadLines(
  content: string | Uint8Array,
  source: string,
  limits: Limits,
): Promise<LoadedAttestation[]> {
  const loaded: LoadedAttestation[] = [];
  for await (const line of readJsonLines(content, { maxLineBytes: limits.maxAttestationBytes })) {
    const at = `${source}#${line.line}`;
    if (loaded.length >= limits.maxAttestations) {
      loaded.push({ source: at, format: "unknown", error: tooMany() });
      break;
    }
    if (line.ok) loaded.push(await loadOne(line.value, at, limits));
    else loaded.push({ source: at, format: "unknown", error: line.error });
  }
  return loaded;
}

/** Lists of attestations: npm's and GitHub's answers, and the report of `gh attestation verify`. */
async function unwrap(value: Json, source: string, limits: Limits): Promise<LoadedAttestation[]> {
  let list: Json[] | undefined;
  if (Array.isArray(value)) list = value;
  else if (isObject(value) && /^(npm|github)-attestations$/.test(detectFormat(value))) {
    list = value.attestations as Json[];
  }
  if (list === undefined) return [await loadOne(value, source, limits)];
  if (list.length > limits.maxAttestations) {
    return [{ source, format: "unknown", error: tooMany() }];
  }
  return await Promise.all(list.map((one, i) => loadOne(one, `${source}#${i + 1}`, limits)));
}

/** What an element of such a list holds. */
export function opened(value: Json): Json {
  for (const name of ["attestation", "bundle"]) {
    if (isObject(value) && detectFormat(value) === "unknown" && isObject(value[name])) {
      value = value[name];
    }
  }
  return value;
}

async function loadOne(wrapped: Json, source: string, limits: Limits): Promise<LoadedAttestation> {
  const value = opened(wrapped);
  const other = async () =>
    await loadForeign(JSON.stringify(value), source, limits) as LoadedAttestation;
  if (!isObject(value)) return await other();
  const format = detectFormat(value);
  if (format === "cosign-layer") {
    return await (await import("./cosign.ts")).loadCosignLayer(value, source, limits);
  }
  if (format !== "sigstore-bundle" && format !== "dsse" && format !== "statement") {
    return await other();
  }
  if (format === "statement") {
    return { source, format, unverifiedStatement: readUnverified(value, limits) };
  }
  try {
    if (format === "dsse") {
      const { maxSignatures, maxAttestationBytes: maxPayloadBytes } = limits;
      if (limits.certificates === true && hasCertificate(value)) {
        const { readCertificateEnvelope } = await import("../sigstore/bundle.ts");
        const bundle = readCertificateEnvelope(value, { maxPayloadBytes });
        if (bundle?.content.kind === "envelope") {
          const unverifiedStatement = readUnverified(bundle.content.envelope.payload, limits);
          return { source, format, bundle, unverifiedStatement };
        }
      }
      const envelope = parseEnvelope(value, { maxSignatures, maxPayloadBytes });
      return {
        source,
        format,
        envelope,
        unverifiedStatement: readUnverified(envelope.payload, limits),
      };
    }
    // Loaded on use: verification with a key alone does not need it.
    const { parseSigstoreBundle } = await import("../sigstore/bundle.ts");
    const bundle = parseSigstoreBundle(value, { maxPayloadBytes: limits.maxAttestationBytes });
    return bundle.content.kind === "message" ? { source, format, bundle } : {
      source,
      format,
      bundle,
      unverifiedStatement: readUnverified(bundle.content.envelope.payload, limits),
    };
  } catch (error) {
    return { source, format, error: asRefusal(error) };
  }
}

function hasCertificate({ signatures }: JsonObject): boolean {
  return (signatures as { cert?: Json }[] | null)?.[0]?.cert !== undefined;
}

/** The Statement in a payload, before anybody vouches for it. */
export function readUnverified(
  payload: Uint8Array | JsonObject,
  limits: Limits,
): UnverifiedStatement {
  try {
    const { maxSubjects, maxAttestationBytes: maxBytes } = limits;
    return { value: parseStatement(payload, { maxSubjects, maxBytes }) };
  } catch (error) {
    return { error: asRefusal(error) };
  }
}

/** The refusal of what is beyond the limit. */
export function tooMany(): AttestationError {
  const message = "Cannot read attestations: more than are accepted in one call";
  return new AttestationError("limit-exceeded", message);
}
