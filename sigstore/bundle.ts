import { type DecodedEnvelope, parseEnvelope } from "../dsse/envelope.ts";
import { type Bytes, equalBytes } from "../internal/bytes.ts";
import { isObject, type Json, type JsonObject, parseJson, quote } from "../internal/json.ts";
import { decodePem } from "../internal/pem.ts";
import { refuseUnknown } from "../internal/options.ts";
import { type Certificate, parseCertificate } from "./certificate.ts";
import { Shape } from "./_shape.ts";

/** A Sigstore bundle with its base64 decoded and its shape checked; nothing is verified. */
export interface SigstoreBundle {
  /** Version of the format: one shape for all of them from here on. */
  readonly version: "0.1" | "0.2" | "0.3";
  /** Whose key signed. */
  readonly signer: BundleSigner;
  /** What was signed. */
  readonly content: BundleContent;
  /** Entries in transparency logs. */
  readonly logEntries: readonly LogEntry[];
  /** RFC 3161 TimeStampResp, DER. */
  readonly timestamps: readonly Bytes[];
  /** What timestamps may be of in place of the signature; the signature is in it. */
  readonly stamped?: Bytes;
}

/** The signer: a certificate (keyless) or a key that the verifier must know. */
export type BundleSigner = {
  /** Keyless. */
  readonly kind: "certificate";
  /** Leaf certificate. */
  readonly leaf: Certificate;
  /** Untrusted certificates that may lead to a trusted one. */
  readonly intermediates: readonly Certificate[];
} | {
  /** Self-managed key. */
  readonly kind: "publicKey";
  /** Unauthenticated hint at the key. */
  readonly hint: string;
};

/** The signed content: an envelope, or a signature over the artifact itself. */
export type BundleContent = {
  /** A DSSE envelope with exactly one signature. */
  readonly kind: "envelope";
  /** The envelope. */
  readonly envelope: DecodedEnvelope;
  /** The signature of the envelope. */
  readonly signature: Bytes;
} | {
  /** A signature over the artifact. */
  readonly kind: "message";
  /** The signature. */
  readonly signature: Bytes;
  /** Unauthenticated digest of the artifact. */
  readonly digest?: { readonly algorithm: "sha256" | "sha384" | "sha512"; readonly value: Bytes };
};

/** One entry in a transparency log. */
export interface LogEntry {
  /** JSON Pointer into the bundle. */
  readonly path: string;
  /** Index over all shards (v1) or in the log (v2). */
  readonly logIndex: bigint;
  /** Key id of the log. */
  readonly keyId: Bytes;
  /** Kind and version of the body. */
  readonly kind: string;
  /** Version of that kind. */
  readonly kindVersion: string;
  /** Unix seconds; 0 when there is none. Proved by `promise` only. */
  readonly integratedTime: bigint;
  /** Signed entry timestamp. */
  readonly promise?: Bytes;
  /** Proof of inclusion. */
  readonly proof?: InclusionProof;
  /** The leaf of the log. */
  readonly body: Bytes;
}

/** Proof that a leaf is in the tree of a checkpoint. */
export interface InclusionProof {
  /** Index of the leaf in the tree. */
  readonly logIndex: bigint;
  /** Leaves of the tree. */
  readonly treeSize: bigint;
  /** SHA-256 of the tree's root. */
  readonly rootHash: Bytes;
  /** Hashes from the leaf upwards. */
  readonly hashes: readonly Bytes[];
  /** Signed note. */
  readonly checkpoint: string;
}

const MEDIA_TYPES: readonly (readonly [RegExp, SigstoreBundle["version"]])[] = [
  [/^application\/vnd\.dev\.sigstore\.bundle\+json;version=0\.1$/, "0.1"],
  [/^application\/vnd\.dev\.sigstore\.bundle\+json;version=0\.2$/, "0.2"],
  [/^application\/vnd\.dev\.sigstore\.bundle\+json;version=0\.3$/, "0.3"],
  [/^application\/vnd\.dev\.sigstore\.bundle\.v0\.3(\.\d{1,4})?\+json$/, "0.3"],
];

const DIGESTS: Readonly<Record<string, readonly ["sha256" | "sha384" | "sha512", number]>> = {
  SHA2_256: ["sha256", 32],
  SHA2_384: ["sha384", 48],
  SHA2_512: ["sha512", 64],
};

/** Most entries, timestamps and certificates of one bundle. */
const MAX_ELEMENTS = 32;

/** 9999-12-31T23:59:59Z in Unix seconds: later times have no RFC 3339 text. */
const LAST_SECOND = 253_402_300_799n;

/** Bounds of {@linkcode parseSigstoreBundle}. */
export interface SigstoreBundleLimits {
  /** Bytes of the envelope's payload. Default 16 MiB. */
  maxPayloadBytes?: number;
}

/**
 * Reads a Sigstore bundle of version 0.1, 0.2 or 0.3, strictly; verifies nothing.
 *
 * Source: sigstore/protobuf-specs, sigstore_bundle.proto; sigstore/architecture-docs,
 * client-spec.md, "Verification".
 *
 * @param source JSON text, its UTF-8 bytes, or the parsed object.
 * @param limits Bounds. At most 32 log entries, 32 timestamps and 32 certificates.
 * @throws {AttestationError} `unsupported-bundle-version`, `malformed-sigstore-bundle`,
 * `missing-inclusion-promise` (0.1), `missing-inclusion-proof` (from 0.2 on),
 * `forbidden-certificate-chain` (0.3), `root-in-bundle`, `key-hint-mismatch`,
 * `malformed-certificate`, `invalid-base64`, `limit-exceeded`, or what strict JSON and
 * {@linkcode parseEnvelope} refuse.
 * @throws {TypeError} If `limits` is not of its form.
 *
 * @example
 * ```ts
 * import { isAttestationError } from "@x/attest";
 * import { parseSigstoreBundle } from "@x/attest/sigstore";
 * import assert from "node:assert/strict";
 *
 * try {
 *   parseSigstoreBundle(`{"mediaType":"text/html"}`);
 *   assert.fail("not reached");
 * } catch (error) {
 *   assert.ok(isAttestationError(error));
 *   assert.equal(error.reason, "unsupported-bundle-version");
 * }
 * ```
 */
export function parseSigstoreBundle(
  source: string | Uint8Array | object,
  limits: SigstoreBundleLimits = {},
): SigstoreBundle {
  refuseUnknown(limits, ["maxPayloadBytes"], "parseSigstoreBundle()");
  const { maxPayloadBytes = 16 << 20 } = limits;
  if (!Number.isSafeInteger(maxPayloadBytes) || maxPayloadBytes < 1) {
    throw new TypeError(`maxPayloadBytes is ${maxPayloadBytes}, wanted an integer >= 1`);
  }
  const isText = typeof source === "string" || source instanceof Uint8Array;
  const value: Json | object = isText
    ? parseJson(source, { maxLength: 2 * maxPayloadBytes + (4 << 20) })
    : source;
  const bundle = new Shape(value, "malformed-sigstore-bundle");
  const mediaType = bundle.optionalText("mediaType") ?? "";
  const version = MEDIA_TYPES.find(([pattern]) => pattern.test(mediaType))?.[1];
  if (version === undefined) {
    throw bundle.refuse(
      "mediaType",
      `${quote(mediaType)} is no version 0.1 to 0.3`,
      "unsupported-bundle-version",
    );
  }
  const material = bundle.object("verificationMaterial");
  const signer = readSigner(material, version);
  const content = readContent(bundle, maxPayloadBytes);
  if (signer.kind === "publicKey" && content.kind === "envelope") {
    const { keyid } = content.envelope.signatures[0];
    if (keyid !== "" && signer.hint !== "" && keyid !== signer.hint) {
      throw bundle.refuse(
        "dsseEnvelope/signatures/0/keyid",
        "differs from the hint at the key",
        "key-hint-mismatch",
      );
    }
  }
  return {
    version,
    signer,
    content,
    logEntries: material.objects("tlogEntries", MAX_ELEMENTS).map((entry) =>
      readLogEntry(entry, version)
    ),
    timestamps: material.optionalObject("timestampVerificationData")
      ?.objects("rfc3161Timestamps", MAX_ELEMENTS)
      .map((timestamp) => timestamp.bytes("signedTimestamp")) ?? [],
  };
}

/**
 * Reads a DSSE envelope whose one signature carries its certificate as PEM, in the member
 * `cert`, as a keyless signature without log entry. Producers wrote it so before there were
 * bundles. Undefined if it is none.
 *
 * @throws {AttestationError} `malformed-certificate`, `malformed-pem`, or what
 * {@linkcode parseEnvelope} refuses.
 */
export function readCertificateEnvelope(
  value: JsonObject,
  limits: SigstoreBundleLimits = {},
): SigstoreBundle | undefined {
  const { signatures } = value;
  const [first, ...more] = Array.isArray(signatures) ? signatures : [];
  if (!isObject(first) || typeof first.cert !== "string" || more.length > 0) return undefined;
  const { maxPayloadBytes = 16 << 20 } = limits;
  const envelope = parseEnvelope(value, { maxPayloadBytes });
  const [leaf, ...intermediates] = decodePem(first.cert, MAX_ELEMENTS)
    .map(({ der }) => parseCertificate(der, "/signatures/0/cert"));
  return {
    version: "0.3",
    signer: { kind: "certificate", leaf, intermediates },
    content: { kind: "envelope", envelope, signature: envelope.signatures[0].sig },
    logEntries: [],
    timestamps: [],
  };
}

function readSigner(material: Shape, version: SigstoreBundle["version"]): BundleSigner {
  const kinds = ["certificate", "x509CertificateChain", "publicKey"].filter((kind) =>
    material.has(kind)
  );
  if (kinds.length !== 1) {
    throw material.refuse("", `${kinds.length} kinds of key or certificate, wanted one`);
  }
  if (kinds[0] === "publicKey") {
    return { kind: "publicKey", hint: material.object("publicKey").optionalText("hint") ?? "" };
  }
  if (kinds[0] === "certificate") {
    return {
      kind: "certificate",
      leaf: readCertificate(material.object("certificate")),
      intermediates: [],
    };
  }
  if (version === "0.3") {
    throw material.refuse(
      "x509CertificateChain",
      "version 0.3 holds the leaf certificate only",
      "forbidden-certificate-chain",
    );
  }
  const chain = material.object("x509CertificateChain");
  const shapes = chain.objects("certificates", MAX_ELEMENTS);
  if (shapes.length === 0) throw chain.refuse("certificates", "empty");
  const [leaf, ...intermediates] = shapes.map(readCertificate);
  const isOrdered = [leaf, ...intermediates].every(({ issuer }, i, { length }) =>
    i + 1 === length || equalBytes(issuer, intermediates[i].subject)
  );
  const root = intermediates.findIndex(({ issuer, subject }) => equalBytes(issuer, subject));
  // Producers of version 0.1 sent the whole chain. There its root, if it ends an ordered
  // chain, is dropped and never trusted; anywhere else it is refused.
  if (root >= 0 && version === "0.1" && isOrdered && root === intermediates.length - 1) {
    return { kind: "certificate", leaf, intermediates: intermediates.slice(0, -1) };
  }
  if (root >= 0) {
    throw chain.refuse(
      `certificates/${root + 1}`,
      "a self-signed certificate, which only the verifier may bring",
      "root-in-bundle",
    );
  }
  return { kind: "certificate", leaf, intermediates };
}

function readCertificate(shape: Shape): Certificate {
  return parseCertificate(shape.bytes("rawBytes"), `${shape.path}/rawBytes`);
}

function readContent(bundle: Shape, maxPayloadBytes: number): BundleContent {
  if (bundle.has("dsseEnvelope") === bundle.has("messageSignature")) {
    throw bundle.refuse("", "neither or both of dsseEnvelope and messageSignature");
  }
  if (bundle.has("dsseEnvelope")) {
    const envelope = parseEnvelope(bundle.raw("dsseEnvelope") as JsonObject, {
      maxPayloadBytes,
      maxSignatures: MAX_ELEMENTS,
    });
    if (envelope.signatures.length !== 1) {
      throw bundle.refuse(
        "dsseEnvelope/signatures",
        `${envelope.signatures.length} signatures, wanted exactly one`,
      );
    }
    return { kind: "envelope", envelope, signature: envelope.signatures[0].sig };
  }
  const message = bundle.object("messageSignature");
  const signature = message.bytes("signature");
  const digest = message.optionalObject("messageDigest");
  if (digest === undefined) return { kind: "message", signature };
  const name = digest.text("algorithm");
  if (!Object.hasOwn(DIGESTS, name)) {
    throw digest.refuse("algorithm", `${quote(name)} is not accepted`);
  }
  const [algorithm, length] = DIGESTS[name];
  const value = digest.bytes("digest");
  if (value.length !== length) throw digest.refuse("digest", `not ${length} bytes`);
  return { kind: "message", signature, digest: { algorithm, value } };
}

/** Reads one entry; what it must have depends on the version of the bundle around it. */
export function readLogEntry(entry: Shape, version: SigstoreBundle["version"]): LogEntry {
  const promise = entry.optionalObject("inclusionPromise")?.bytes("signedEntryTimestamp");
  const proof = entry.optionalObject("inclusionProof");
  if (version === "0.1" && promise === undefined) {
    throw entry.refuse(
      "inclusionPromise",
      "version 0.1 needs a signed entry timestamp",
      "missing-inclusion-promise",
    );
  }
  if (version !== "0.1" && proof === undefined) {
    throw entry.refuse(
      "inclusionProof",
      `version ${version} needs a proof of inclusion`,
      "missing-inclusion-proof",
    );
  }
  const kind = entry.object("kindVersion");
  const integratedTime = entry.int64("integratedTime");
  if (integratedTime > LAST_SECOND) throw entry.refuse("integratedTime", "after the year 9999");
  return {
    path: entry.path,
    logIndex: entry.int64("logIndex"),
    keyId: entry.object("logId").bytes("keyId"),
    kind: kind.text("kind"),
    kindVersion: kind.text("version"),
    integratedTime,
    promise,
    proof: proof === undefined ? undefined : readProof(proof),
    body: entry.bytes("canonicalizedBody"),
  };
}

function readProof(proof: Shape): InclusionProof {
  const hashes = proof.bytesList("hashes", 64);
  const rootHash = proof.bytes("rootHash");
  for (const hash of [rootHash, ...hashes]) {
    if (hash.length !== 32) throw proof.refuse("", "a hash that is not 32 bytes");
  }
  const treeSize = proof.int64("treeSize");
  const logIndex = proof.int64("logIndex");
  if (logIndex >= treeSize) throw proof.refuse("logIndex", "not below treeSize");
  const checkpoint = proof.optionalObject("checkpoint")?.optionalText("envelope");
  if (checkpoint === undefined || checkpoint === "") {
    throw proof.refuse("checkpoint", "missing", "missing-inclusion-proof");
  }
  return { logIndex, treeSize, rootHash, hashes, checkpoint };
}
