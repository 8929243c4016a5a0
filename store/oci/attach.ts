import { AttestationError } from "../../errors.ts";
import { type Bytes, utf8 } from "../../internal/bytes.ts";
import { isObject, parseJson, quote } from "../../internal/json.ts";
import { refuseUnknown } from "../../internal/options.ts";
import { mapWindow } from "../../internal/window.ts";
import { detectFormat } from "../../intoto/detect.ts";
import { type Claims, readClaims, states } from "../claims.ts";
import { sha256Digest } from "./_verified.ts";
import { EMPTY_TYPE, IMAGE_TYPE } from "./media_types.ts";
import type { OciDescriptor, OciOptions, OciSource, OciTarget, OciWritten } from "./source.ts";

/** Options of {@linkcode attachAttestation}. */
export interface AttachOptions extends OciOptions {
  /** When it is attached, for an annotation that nobody signs. Default: now. */
  now?: () => Date;
}

/** An attestation as an artifact of a registry. */
export interface AttestationArtifact {
  /** Manifest, whose `subject` is what the attestation is about. */
  readonly manifest: Bytes;
  /** Blobs of the manifest: the attestation, and the config `{}`. */
  readonly blobs: readonly { readonly descriptor: OciDescriptor; readonly content: Bytes }[];
  /** Type by which it is listed. */
  readonly artifactType: string;
}

/** What was attached. */
export interface Attached extends OciWritten {
  /** Type by which it is listed. */
  readonly artifactType: string;
  /** Type of the predicate, where there is one. */
  readonly predicateType?: string;
}

const ENVELOPE_TYPE = "application/vnd.dsse.envelope.v1+json";
const STATEMENT_TYPE = "application/vnd.in-toto+json";
const EMPTY = utf8("{}");
/** Referrers of the same type that are compared with what is to be attached. */
const MAX_COMPARED = 64;

/**
 * Attaches an attestation to a manifest, as cosign 3 and GitHub do: an artifact that names the
 * manifest as its subject, listed by the referrers API, or by the fallback tag where there is
 * none. Blobs are written first, then the manifest, then the list, so that whatever stops it
 * leaves nothing that is half there. The very same attestation is attached once.
 *
 * Nothing is verified; but what is about another digest is refused.
 *
 * Source: OCI image specification 1.1, manifest.md, "Guidelines for Artifact Usage";
 * sigstore/cosign, specs/BUNDLE_SPEC.md.
 *
 * @param target Repository or layout.
 * @param subject The image, index or other manifest, as `resolve()` gives it.
 * @param content A Sigstore bundle or a DSSE envelope.
 * @throws {AttestationError} What parsing it refuses; `subject-mismatch`,
 * `unsigned-statement`, and what an `OciTarget` throws.
 *
 * @example
 * ```ts
 * import { attachAttestation, createLayout, createMemoryFiles } from "@x/attest/store/oci";
 * import { createEnvelope } from "@x/attest/dsse";
 * import { createStatement } from "@x/attest/intoto";
 * import { generateSigner } from "@x/attest/keys";
 * import assert from "node:assert/strict";
 *
 * const target = createLayout(createMemoryFiles("a layout"));
 * const index = { schemaVersion: 2, mediaType: "application/vnd.oci.image.index.v1+json" };
 * const bytes = new TextEncoder().encode(JSON.stringify({ ...index, manifests: [] }));
 * const { digest } = await target.putManifest(bytes, { tag: "1.0" });
 *
 * const { signer } = await generateSigner("Ed25519", { name: "ci" });
 * const statement = createStatement({
 *   subject: [{ name: "app", digest: { sha256: digest.slice("sha256:".length) } }],
 *   predicateType: "https://example.com/review/v1",
 * });
 * const envelope = await createEnvelope("application/vnd.in-toto+json", statement, signer);
 * const content = new TextEncoder().encode(JSON.stringify(envelope));
 * await attachAttestation(target, await target.resolve("1.0"), { content });
 * assert.equal((await target.referrers(digest)).manifests.length, 1);
 * ```
 */
export async function attachAttestation(
  target: OciTarget,
  subject: OciDescriptor,
  { content, ...options }: AttachOptions & {
    /** A Sigstore bundle or a DSSE envelope, as bytes. */
    content: Uint8Array;
  },
): Promise<Attached> {
  refuseUnknown(options, ["now", "signal"], "attachAttestation()");
  refuseUnsigned(content);
  const claims = await readClaims(content);
  requireSubject(claims, subject, target);
  const { signal } = options;
  const stop = signal === undefined ? {} : { signal };
  const artifact = await createAttestationArtifact(content, subject, { now: options.now });
  const [{ descriptor: layer }] = artifact.blobs;
  const facts = {
    artifactType: artifact.artifactType,
    ...(claims.predicateType === undefined ? {} : { predicateType: claims.predicateType }),
  };
  const known = await findAttached(target, subject, { ...stop, ...facts, layer: layer.digest });
  if (known !== undefined) return { ...facts, ...known };
  for (const { descriptor, content } of artifact.blobs) {
    await target.putBlob(descriptor, content, stop);
  }
  return { ...facts, ...await target.putManifest(artifact.manifest, stop) };
}

/**
 * The artifact that {@linkcode attachAttestation} writes, without writing it.
 *
 * @throws {AttestationError} As there.
 */
export async function createAttestationArtifact(
  content: Uint8Array,
  subject: OciDescriptor,
  options: Pick<AttachOptions, "now"> = {},
): Promise<AttestationArtifact> {
  refuseUnknown(options, ["now"], "createAttestationArtifact()");
  const { now = () => new Date() } = options;
  refuseUnsigned(content);
  const { predicateType } = await readClaims(content);
  const { mediaType, annotations } = describeContent(content, predicateType);
  const layer = { mediaType, digest: await sha256Digest(content), size: content.length };
  const config = { mediaType: EMPTY_TYPE, digest: await sha256Digest(EMPTY), size: EMPTY.length };
  const manifest = utf8(JSON.stringify({
    schemaVersion: 2,
    mediaType: IMAGE_TYPE,
    artifactType: mediaType,
    config,
    layers: [layer],
    subject: { mediaType: subject.mediaType, digest: subject.digest, size: subject.size },
    annotations: { ...annotations, "org.opencontainers.image.created": rfc3339(now()) },
  }));
  const blobs = [
    { descriptor: layer, content: new Uint8Array(content) },
    { descriptor: config, content: EMPTY },
  ];
  return { manifest, blobs, artifactType: mediaType };
}

/** Media type of the content, and what lists may say of it without anyone signing for that. */
export function describeContent(
  content: Uint8Array,
  predicateType: string | undefined,
): { mediaType: string; annotations: Record<string, string> } {
  const value = parseJson(content);
  const shape = isObject(value) ? detectFormat(value) : "unknown";
  if (shape === "sigstore-bundle" && isObject(value) && typeof value.mediaType === "string") {
    const isEnvelope = value.dsseEnvelope !== undefined;
    return {
      mediaType: value.mediaType,
      annotations: {
        "dev.sigstore.bundle.content": isEnvelope ? "dsse-envelope" : "message-signature",
        ...(predicateType === undefined
          ? {}
          : { "dev.sigstore.bundle.predicateType": predicateType }),
      },
    };
  }
  return {
    mediaType: shape === "dsse" ? ENVELOPE_TYPE : STATEMENT_TYPE,
    annotations: predicateType === undefined ? {} : { "in-toto.io/predicate-type": predicateType },
  };
}

function refuseUnsigned(content: Uint8Array): void {
  const value = parseJson(content);
  const shape = isObject(value) ? detectFormat(value) : "unknown";
  if (shape === "sigstore-bundle" || shape === "dsse") return;
  throw new AttestationError(
    shape === "statement" ? "unsigned-statement" : "unknown-format",
    "Cannot attach attestation: wanted a Sigstore bundle or a DSSE envelope",
  );
}

function requireSubject(claims: Claims, { digest }: OciDescriptor, { name }: OciTarget): void {
  const colon = digest.indexOf(":");
  const wanted = { algorithm: digest.slice(0, colon), value: digest.slice(colon + 1) };
  if (states(claims, [wanted])) return;
  const stated = claims.subjects.flatMap((one) => Object.entries(one)).slice(0, 3)
    .map(([algorithm, value]) => quote(`${algorithm}:${value}`));
  throw new AttestationError(
    "subject-mismatch",
    `Cannot attach attestation to ${name}@${digest}: it is about ${stated.join(", ")}`,
  );
}

/** The very same bytes, if they are attached already. */
async function findAttached(
  source: OciSource,
  subject: OciDescriptor,
  { layer, artifactType, signal }: OciOptions & { layer: string; artifactType: string },
): Promise<OciWritten | undefined> {
  const stop = signal === undefined ? {} : { signal };
  const { manifests, via } = await source.referrers(subject.digest, { artifactType, ...stop });
  if (via === "none") return undefined;
  const found = await mapWindow(manifests.slice(0, MAX_COMPARED), 8, async (descriptor) => {
    const manifest = await source.manifest(descriptor.digest, stop).catch(() => undefined);
    const isSame = manifest?.subject?.digest === subject.digest &&
      manifest.layers.some(({ digest }) => digest === layer);
    return isSame ? descriptor.digest : undefined;
  });
  const digest = found.find((one) => one !== undefined);
  return digest === undefined ? undefined : { digest, created: false, listedBy: via };
}

/** Seconds, as tools write the annotation. */
function rfc3339(date: Date): string {
  return `${date.toISOString().slice(0, 19)}Z`;
}
