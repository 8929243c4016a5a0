import { AttestationError } from "../errors.ts";
import type { FormatEnvelope, FormatStatement, GoodSigner } from "../formats/format.ts";
import { documentBytes } from "../formats/format_input.ts";
import { isStatementType, readFormatStatement } from "../formats/statement.ts";
import {
  distinctSigners,
  type OpenedFormat,
  openFormat,
  refusalOf,
} from "../formats/verify_format.ts";
import type { EfiTrust } from "../formats/attached/efi_trust.ts";
import type { CertificateTrust } from "../formats/certificate_trust.ts";
import type { TufRootTrust } from "../formats/tuf_targets.ts";
import type { OpenPgpKeyring } from "../formats/openpgp_keyring.ts";
import { utf8 } from "../internal/bytes.ts";
import { asRefusal, CheckList } from "../internal/check_list.ts";
import { matchSubject, matchSubjects } from "../intoto/match.ts";
import { countKeys } from "../keys/key_validity.ts";
import { HASHES } from "../internal/hasher.ts";
import { quote } from "../internal/json.ts";
import type { TrustedKey } from "../keys/trusted_key.ts";
import type { Context, EnvelopeLayer } from "./_envelope_layer.ts";
import { finish, type Row } from "./_finding.ts";
import { predicateLayer } from "./_predicate_layer.ts";
import { messageLayer, statementLayer } from "./_statement_layer.ts";
import type { DigestedArtifact } from "./artifact.ts";
import type { Limits, LoadedAttestation, UnverifiedStatement } from "./load.ts";
import type { ForeignFacts } from "./report.ts";

type ForeignAttestation = Extract<LoadedAttestation, { foreign: unknown }>;

/**
 * Reads a document in one of the formats of `formats/`; undefined for text that is in none,
 * and may be JSON that went wrong.
 *
 * @param message What a detached signature is over.
 */
export async function readForeign(
  content: string | Uint8Array,
  { source, message }: { source: string; message?: Uint8Array },
  { maxAttestationBytes: maxBytes, maxSignatures }: Limits,
): Promise<LoadedAttestation | undefined> {
  try {
    const bytes = documentBytes(content);
    const foreign = await openFormat(bytes, { name: source }, { maxBytes, maxSignatures });
    const format = foreign.entry.id;
    // What it states is not verified yet: digests of all kinds that it may state are needed.
    const algorithms = [...HASHES.keys(), ...foreign.parsed.digestAlgorithms ?? []];
    return { source, format, foreign, algorithms, ...(message === undefined ? {} : { message }) };
  } catch (thrown) {
    const error = asRefusal(thrown);
    const known = error.reason === "unknown-format" ? explain(content, error) : error;
    return known === undefined ? undefined : { source, format: "unknown", error: known };
  }
}

/** Says what was given instead of an attestation, where that is easy to see. */
function explain(
  content: string | Uint8Array,
  cause: AttestationError,
): AttestationError | undefined {
  const start = typeof content === "string"
    ? content.slice(0, 256)
    : new TextDecoder().decode(content.subarray(0, 256));
  const what = /^\s*<(!doctype|html|\?xml)/i.test(start)
    ? "it is a web page, wanted JSON"
    : /^-----BEGIN /.test(start)
    ? "it is a PEM file, wanted JSON"
    : isBareSignature(content)
    ? "it is a bare signature, which tells neither its format nor its key"
    : /^\s*[{["\d-]|^(true|false|null)$/.test(start)
    ? "neither a Sigstore bundle, a DSSE envelope nor a Statement"
    : undefined;
  if (what === undefined) return undefined;
  return new AttestationError("unknown-format", `Cannot read attestation: ${what}`, { cause });
}

/** Bytes of ECDSA or RSA signatures, and of their base64. */
const MOST_SIGNATURE_BYTES = 2048;

/** Base64 of the length of a signature, or the DER of one of ECDSA. */
function isBareSignature(content: string | Uint8Array): boolean {
  if (content.length > MOST_SIGNATURE_BYTES) return false;
  const bytes = typeof content === "string" ? utf8(content) : content;
  const isDer = bytes[0] === 0x30 && bytes[1] === bytes.length - 2 && bytes[2] === 0x02;
  if (isDer) return true;
  const text = new TextDecoder().decode(bytes).trim();
  return text.length >= 86 && /^[A-Za-z0-9+/]+={0,2}$/.test(text);
}

/** The refusal of a format that nobody asked for. */
export function refuseFormat(
  layer: EnvelopeLayer,
  format: string,
  formats: readonly string[],
): EnvelopeLayer {
  const message = `Cannot accept attestation: its format is ${quote(format)}`;
  layer.list.refused("envelope.format", "format-not-accepted", message, {
    expected: formats.join(" or "),
    actual: format,
  });
  return layer;
}

/** A document in another format: its layer is made anew for each artifact it may be over. */
export async function foreignRow(
  one: ForeignAttestation,
  subjects: readonly (DigestedArtifact | undefined)[],
  context: Context,
): Promise<Row> {
  const { keyTrust, options } = context;
  const trust = {
    keys: keyTrust?.keys ?? [],
    threshold: options.trust?.threshold ?? 1,
    now: options.now ?? new Date(),
    ...(options.trust?.certificates === undefined
      ? {}
      : { certificates: options.trust.certificates }),
    ...(options.trust?.tufRoots === undefined ? {} : { tufRoots: options.trust.tufRoots }),
    ...(options.trust?.efi === undefined ? {} : { efi: options.trust.efi }),
    ...(options.trust?.openpgp === undefined ? {} : { openpgp: options.trust.openpgp }),
  };
  const all = subjects.flatMap((artifact) => artifact ?? []);
  const mode = options.expect?.subjects ?? "any";
  return await Promise.all(subjects.map(async (artifact) => {
    const list = new CheckList();
    const layer: EnvelopeLayer = { list, signers: [], keys: [], timestamps: [], logs: 0 };
    const formats = options.expect?.formats;
    if (formats !== undefined && !formats.includes(one.format)) {
      return finish(one, refuseFormat(layer, one.format, formats), []);
    }
    const opened = { opened: one.foreign, message: one.message };
    const found = await verifyForeign(opened, artifact, { trust, list });
    if (found.error === undefined) {
      const fingerprints = countSigners(layer, found.signers, context);
      if (found.facts !== undefined) layer.foreign = { ...found.facts, fingerprints };
    }
    if (found.statement === undefined) {
      return finish(one, layer, found.error === undefined ? messageLayer(context) : []);
    }
    const own = { ...one, unverifiedStatement: found.statement };
    const checks = statementLayer(
      own,
      context,
      artifact === undefined
        ? undefined
        : (statement) =>
          mode === "any"
            ? matchSubject(statement, artifact.digest)
            : matchSubjects(statement, all.map(({ digest }) => digest), { mode }),
    );
    return finish(own, layer, checks, predicateLayer(own, layer, context));
  }));
}

/** Keys of a key set count at their times only; answers the fingerprints of those that count. */
function countSigners(
  layer: EnvelopeLayer,
  signers: readonly GoodSigner[],
  { keyTrust, options }: Context,
): string[] {
  const keys = signers.flatMap(({ key }) => key ?? []);
  const others = signers.filter(({ key }) => key === undefined);
  const rules = keyTrust?.rules ?? new Map();
  layer.keys = keys;
  if (rules.size > 0) {
    const needed = Math.max(0, (options.trust?.threshold ?? 1) - others.length);
    const moments = { now: options.now ?? new Date() };
    layer.keys = countKeys(layer.list, keys, { rules, needed, moments });
  }
  const counted = [...layer.keys, ...others];
  layer.signers = counted.map(({ name }) => name);
  if (options.expect?.identity !== undefined) {
    layer.list.refused(
      "envelope.identity",
      "identity-mismatch",
      "Cannot accept document: its signer is none of Sigstore, an identity is expected",
    );
  }
  return counted.map(({ fingerprint }) => fingerprint);
}

/** Who is believed. */
interface ForeignTrust {
  keys: readonly TrustedKey[];
  threshold: number;
  certificates?: CertificateTrust;
  tufRoots?: readonly TufRootTrust[];
  efi?: EfiTrust;
  openpgp?: OpenPgpKeyring;
  now: Date;
}

/** What a document in another format says, after its signatures were checked. */
interface ForeignLayer {
  /** Signers that count. */
  signers: readonly GoodSigner[];
  /** What it says; undefined where the artifact itself is signed. */
  statement?: UnverifiedStatement;
  /** What a report and a policy are told of the format. */
  facts?: Omit<ForeignFacts, "fingerprints">;
  /** Why it is refused. */
  error?: AttestationError;
}

/** Tells whether the signature is over another file than the document. */
function isDetached({ entry, parsed }: OpenedFormat): boolean {
  return entry.layer !== "attached" && parsed.message === undefined;
}

/**
 * Verifies a document in one of the formats of `formats/`.
 *
 * @param artifact What a detached signature is over, unless `message` is given.
 * @param message What a detached signature is over: a list of checksums, say.
 */
async function verifyForeign(
  { opened, message }: { opened: OpenedFormat; message?: Uint8Array },
  artifact: DigestedArtifact | undefined,
  { trust, list }: { trust: ForeignTrust; list: CheckList },
): Promise<ForeignLayer> {
  const { entry, parsed } = opened;
  list.passed("envelope.format", `A document in the format ${entry.id}`);
  const module = await entry.load();
  const detached = message === undefined ? artifact : { content: message, digest: {} };
  const envelope = await module.verify(parsed, {
    keys: trust.keys,
    now: trust.now,
    ...(trust.certificates === undefined ? {} : { certificates: trust.certificates }),
    ...(trust.tufRoots === undefined ? {} : { tufRoots: trust.tufRoots }),
    ...(trust.efi === undefined ? {} : { efi: trust.efi }),
    ...(trust.openpgp === undefined ? {} : { openpgp: trust.openpgp }),
    ...(detached === undefined ? {} : { detached: pick(detached) }),
  });
  const error = refusalOf(envelope, trust.threshold);
  if (error !== undefined) {
    list.failed("envelope.signature", error);
    return { signers: [], error };
  }
  const signers = distinctSigners(envelope);
  const names = signers.map(({ name }) => name).join(", ");
  list.passed(
    "envelope.signature",
    `Trusted signers: ${signers.length}, needed: ${trust.threshold}`,
    { actual: names },
  );
  // What is signed as a Statement is none of an artifact, wherever it lies.
  const isArtifact = message === undefined && isDetached(opened) &&
    !isStatementType(envelope.messageType?.value ?? "");
  const read = isArtifact ? undefined : statementOf(envelope);
  const facts = factsOf(envelope, read);
  tellType(list, facts);
  tellCoverage(list, envelope);
  return {
    signers,
    facts,
    ...(read === undefined
      ? {}
      : { statement: "error" in read ? read : { value: read.statement } }),
  };
}

function pick({ content, digest }: Pick<DigestedArtifact, "content" | "digest">) {
  return content === undefined ? { digest } : { content, digest };
}

function statementOf(envelope: FormatEnvelope): FormatStatement | { error: AttestationError } {
  try {
    return readFormatStatement(envelope);
  } catch (error) {
    return { error: asRefusal(error) };
  }
}

function factsOf(
  { format, coverage, messageType, authenticated }: FormatEnvelope,
  read: FormatStatement | { error: AttestationError } | undefined,
): Omit<ForeignFacts, "fingerprints"> {
  const implicit = read === undefined
    ? ["subject", "messageType", "predicateType"] as const
    : "error" in read
    ? []
    : read.implicit;
  return {
    format,
    coverage,
    ...(authenticated === undefined ? {} : { authenticated: { ...authenticated } }),
    ...(messageType === undefined ? {} : { messageType: messageType.value }),
    // A signed type that says nothing of what is in the message, such as JWT, leaves it open.
    messageTypeAuthenticated: messageType?.authenticated === true &&
      (read === undefined || !implicit.some((layer) => layer === "messageType")),
    implicit: [...implicit],
  };
}

function tellType(
  list: CheckList,
  { messageType, messageTypeAuthenticated }: Pick<
    ForeignFacts,
    "messageType" | "messageTypeAuthenticated"
  >,
): void {
  const id = "envelope.payload-type";
  if (messageTypeAuthenticated) {
    list.passed(id, "The type of the message is signed", { actual: messageType });
  } else {
    list.skipped(id, "The format does not sign the type of its message: it is told by its content");
  }
}

/** What lies in the file and nobody signed; of many parts each kind once. */
function tellCoverage(list: CheckList, { uncovered = [] }: FormatEnvelope): void {
  if (uncovered.length === 0) return;
  const total = uncovered.reduce((sum, { start, end }) => sum + end - start, 0);
  const kinds = [...new Set(uncovered.map(({ what }) => what))];
  list.passed("envelope.coverage", `Bytes that the signatures do not cover: ${total}`, {
    actual: kinds.slice(0, 16).join(", "),
  });
}
