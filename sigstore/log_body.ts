import { AttestationError, isAttestationError, type Reason } from "../errors.ts";
import { decodeBase64 } from "../internal/base64.ts";
import { type Bytes, equalBytes } from "../internal/bytes.ts";
import { digest, type HashName } from "../internal/digest.ts";
import { encodeHex } from "../internal/hex.ts";
import { decodeUtf8, parseJson, quote } from "../internal/json.ts";
import { decodePem } from "../internal/pem.ts";
import type { PublicKey } from "../keys/public_key.ts";
import { detailedScheme, type Scheme } from "./_scheme.ts";
import { Shape } from "./_shape.ts";
import type { LogEntry } from "./bundle.ts";

/** What the bundle says was signed, by whom: every log entry must say the same. */
export interface SignedFacts {
  readonly signature: Bytes;
  /** DER of the leaf certificate, or of the public key (SPKI). */
  readonly verifier: { readonly kind: "certificate" | "publicKey"; readonly der: Bytes };
  readonly key: PublicKey;
  readonly scheme: Scheme;
  /** The envelope; absent when the artifact itself was signed. */
  readonly envelope?: {
    readonly payloadType: string;
    readonly payload: Bytes;
    readonly pae: Bytes;
  };
  /** Digest of the artifact, lowercase hex by `sha256`, `sha384`, `sha512`. */
  readonly artifact?: Readonly<Record<string, string>>;
}

const HASHES: Readonly<Record<string, HashName>> = {
  sha256: "SHA-256",
  sha384: "SHA-384",
  sha512: "SHA-512",
  SHA2_256: "SHA-256",
  SHA2_384: "SHA-384",
  SHA2_512: "SHA-512",
};

/**
 * Compares the body of a log entry with the bundle: payload or artifact, signature, and
 * key. Each may be good in isolation; only together do they say that THIS was logged.
 *
 * Source: sigstore/rekor type schemas; sigstore/rekor-tiles, CLIENTS.md.
 *
 * @throws {AttestationError} `malformed-log-entry`, `unsupported-log-entry`,
 * `log-digest-mismatch`, `log-signature-mismatch` or `log-key-mismatch`.
 */
export async function compareLogBody(entry: LogEntry, facts: SignedFacts): Promise<void> {
  try {
    const body = new Shape(parseJson(entry.body), "malformed-log-entry");
    const kind = body.text("kind"), version = body.text("apiVersion");
    if (kind !== entry.kind || version !== entry.kindVersion) {
      throw body.refuse("kind", `${quote(kind)} ${quote(version)} is not what the bundle states`);
    }
    const spec = body.object("spec");
    const isEnvelope = facts.envelope !== undefined;
    switch (`${kind} ${version}`) {
      case "hashedrekord 0.0.1":
        return await compareHashedRekord(spec, facts);
      case "hashedrekord 0.0.2":
        return await compareHashedRekordV2(spec.object("hashedRekordV002"), facts);
      case "dsse 0.0.1":
        if (!isEnvelope) break;
        return await compareDsse(spec, facts);
      case "intoto 0.0.1":
        if (!isEnvelope) break;
        return await compareIntoto(spec, facts);
      case "intoto 0.0.2":
        if (!isEnvelope) break;
        return await compareIntotoV2(spec.object("content"), facts);
    }
    throw body.refuse(
      "kind",
      `${quote(kind)} ${quote(version)} is not supported`,
      "unsupported-log-entry",
    );
  } catch (cause) {
    if (!isAttestationError(cause) || OWN.includes(cause.reason)) throw cause;
    throw new AttestationError("malformed-log-entry", `Cannot read log entry: ${cause.message}`, {
      cause,
    });
  }
}

const OWN: readonly Reason[] = [
  "unsupported-log-entry",
  "log-digest-mismatch",
  "log-signature-mismatch",
  "log-key-mismatch",
];

async function compareHashedRekord(spec: Shape, facts: SignedFacts): Promise<void> {
  const hash = spec.object("data").object("hash");
  await compareDigest(hash, "algorithm", hash.text("value"), facts);
  const signature = spec.object("signature");
  compareSignature(signature.bytes("content"), facts);
  comparePem(signature.object("publicKey").bytes("content"), facts);
}

async function compareHashedRekordV2(spec: Shape, facts: SignedFacts): Promise<void> {
  const data = spec.object("data");
  await compareDigest(data, "algorithm", encodeHex(data.bytes("digest")), facts);
  const signature = spec.object("signature");
  compareSignature(signature.bytes("content"), facts);
  const verifier = signature.object("verifier");
  const certificate = verifier.optionalObject("x509Certificate");
  const key = verifier.optionalObject("publicKey");
  if ((certificate === undefined) === (key === undefined)) {
    throw verifier.refuse("", "neither or both of certificate and key");
  }
  compareVerifier(
    certificate === undefined ? "publicKey" : "certificate",
    (certificate ?? key)!.bytes("rawBytes"),
    facts,
  );
  const scheme = detailedScheme(verifier.text("keyDetails"), facts.key);
  if (scheme === undefined || JSON.stringify(scheme) !== JSON.stringify(facts.scheme)) {
    throw mismatch("log-key-mismatch", "it states another kind of key");
  }
}

async function compareDsse(spec: Shape, facts: SignedFacts): Promise<void> {
  await comparePayload(spec.object("payloadHash"), facts);
  const signatures = spec.objects("signatures", 32);
  if (signatures.length !== 1) {
    throw mismatch("log-signature-mismatch", `it holds ${signatures.length} signatures`);
  }
  compareSignature(signatures[0].bytes("signature"), facts);
  comparePem(signatures[0].bytes("verifier"), facts);
}

/** Version 0.0.1 keeps no signature: the payload and the key are all there is to compare. */
async function compareIntoto(spec: Shape, facts: SignedFacts): Promise<void> {
  await comparePayload(spec.object("content").object("payloadHash"), facts);
  comparePem(spec.bytes("publicKey"), facts);
}

async function compareIntotoV2(content: Shape, facts: SignedFacts): Promise<void> {
  await comparePayload(content.object("payloadHash"), facts);
  const envelope = content.object("envelope");
  if (envelope.text("payloadType") !== facts.envelope!.payloadType) {
    throw mismatch("log-digest-mismatch", "it holds another payload type");
  }
  const signatures = envelope.objects("signatures", 32);
  if (signatures.length !== 1) {
    throw mismatch("log-signature-mismatch", `it holds ${signatures.length} signatures`);
  }
  compareSignature(innerSignature(signatures[0].bytes("sig"), facts), facts);
  comparePem(signatures[0].bytes("publicKey"), facts);
}

/** Rekor v1 keeps the base64 of the base64 text; some logs keep the signature itself. */
function innerSignature(sig: Bytes, facts: SignedFacts): Bytes {
  if (equalBytes(sig, facts.signature)) return sig;
  try {
    return decodeBase64(decodeUtf8(sig));
  } catch {
    return sig;
  }
}

async function comparePayload(hash: Shape, facts: SignedFacts): Promise<void> {
  const name = hashName(hash, "algorithm");
  const computed = encodeHex(await digest(name, facts.envelope!.payload));
  if (hash.text("value").toLowerCase() !== computed) {
    throw mismatch("log-digest-mismatch", "it is of another payload");
  }
}

/** The digest of what was signed: the artifact, or the envelope's encoding (PAE). */
async function compareDigest(
  holder: Shape,
  member: string,
  value: string,
  { envelope, artifact }: SignedFacts,
): Promise<void> {
  const name = hashName(holder, member);
  const known = envelope === undefined
    ? artifact?.[name.toLowerCase().replace("-", "")]
    : encodeHex(await digest(name, envelope.pae));
  if (known === undefined) {
    throw mismatch("log-digest-mismatch", `it states ${name}, which is not known of the artifact`);
  }
  if (value.toLowerCase() !== known.toLowerCase()) {
    throw mismatch(
      "log-digest-mismatch",
      envelope === undefined ? "it is of another artifact" : "it is of another envelope",
    );
  }
}

function hashName(holder: Shape, member: string): HashName {
  const name = holder.text(member);
  if (Object.hasOwn(HASHES, name)) return HASHES[name];
  throw holder.refuse(member, `${quote(name)} is not accepted`, "unsupported-log-entry");
}

function compareSignature(signature: Bytes, facts: SignedFacts): void {
  if (!equalBytes(signature, facts.signature)) {
    throw mismatch("log-signature-mismatch", "it holds another signature");
  }
}

function comparePem(pem: Bytes, facts: SignedFacts): void {
  const [first] = decodePem(decodeUtf8(pem));
  const kind = first.label === "CERTIFICATE" ? "certificate" : "publicKey";
  compareVerifier(kind, first.der, facts);
}

function compareVerifier(kind: string, der: Bytes, { verifier }: SignedFacts): void {
  if (kind !== verifier.kind || !equalBytes(der, verifier.der)) {
    throw mismatch("log-key-mismatch", `it holds another ${verifier.kind}`);
  }
}

function mismatch(reason: Reason, what: string): AttestationError {
  return new AttestationError(reason, `Cannot accept log entry: ${what}`);
}
