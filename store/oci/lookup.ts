import { AttestationError, isAttestationError, type Reason } from "../../errors.ts";
import { encodeBase64 } from "../../internal/base64.ts";
import { isObject, parseJson, quote } from "../../internal/json.ts";
import { limitOption, refuseUnknown } from "../../internal/options.ts";
import { mapWindow } from "../../internal/window.ts";
import { ENVELOPE_TYPES, SIMPLE_SIGNING_TYPE } from "../../sigstore/cosign_media_types.ts";
import type { AttestationContent } from "../../verify/options.ts";
import type { LookupReport } from "../../verify/report.ts";
import type { AttestationPart } from "./image.ts";
import type { OciLayout } from "./layout.ts";
import type { OciDescriptor, OciManifest, OciNote, OciOptions, OciSource } from "./source.ts";

/** An attestation that was found at a manifest; nothing of it is verified. */
export interface OciAttestation {
  /** Where it was found: reference of the manifest that holds it, `#` and the number of the layer. */
  readonly source: string;
  /** What it is meant to be; `verify()` finds out itself. */
  readonly kind: "sigstore-bundle" | "dsse" | "cosign-signature" | "statement";
  /** The mechanism by which it was found. */
  readonly via: OciPlace;
  /** As `verify()` takes it. */
  readonly content: AttestationContent;
  /** Digest of the manifest that holds it. */
  readonly manifest: string;
  /** The layer that it is. */
  readonly layer: OciDescriptor;
}

/** Something else that hangs on a manifest: listed, and not verified here. */
export interface OciAttachment {
  /** Where it was found. */
  readonly source: string;
  /** Type that its manifest states. */
  readonly artifactType: string;
  /** What it is, for people. */
  readonly what: string;
  /** Digest of the manifest that holds it. */
  readonly manifest: string;
}

/** Where attestations of an image can be. */
export type OciPlace = "referrers" | "cosign-attestations" | "cosign-signatures" | "buildkit";

/** What was found at one manifest. */
export interface OciFindings {
  /** Attestations, each once, in the order of the places. */
  readonly attestations: readonly OciAttestation[];
  /** What else hangs on it. */
  readonly others: readonly OciAttachment[];
  /** Where was looked, and what came of it. */
  readonly lookups: readonly LookupReport[];
}

/** Options of {@linkcode findOciAttestations}. */
export interface OciLookupOptions extends OciOptions {
  /** How the repository is called in reports. Default `oci://` and the source's name. */
  label?: string;
  /** BuildKit's manifests in the index that are about this one. Default none. */
  buildkit?: readonly AttestationPart[];
  /** Most attestations of one manifest. Default 1000. */
  maxAttestations?: number;
}

const OPTIONS = ["label", "buildkit", "maxAttestations", "signal"];
const MAX_ATTESTATIONS = 1000;
const BLOB_BYTES = 32 << 20;
const WINDOW = 16;

const BUNDLE_TYPE = "application/vnd.dev.sigstore.bundle";
const STATEMENT_TYPE = "application/vnd.in-toto+json";

/**
 * Finds what is attested of one manifest, wherever its producer put it: referrers by API or
 * fallback tag (bundles of cosign 3 and GitHub, envelopes), cosign's tags `sha256-….att` and
 * `sha256-….sig`, and BuildKit's manifests in the index.
 *
 * All places are asked at the same time. That one is not there makes no other one fail; that
 * one could not be asked is `unavailable` in `lookups`, never `not-found`. Types and
 * annotations are claims: every referrer is fetched, and its own `subject` compared.
 *
 * Source: OCI distribution specification 1.1, "Listing Referrers"; sigstore/cosign,
 * specs/SIGNATURE_SPEC.md and BUNDLE_SPEC.md; moby/buildkit, docs/attestations/.
 *
 * @param source Repository or layout.
 * @param digest Digest of the manifest.
 * @throws {AttestationError} `aborted`.
 * @throws {TypeError} If an option is unknown.
 * @throws {RangeError} If `maxAttestations` is no integer >= 1.
 *
 * @example A registry that has nothing
 * ```ts
 * import { createRepository, findOciAttestations } from "@x/attest/store/oci";
 * import assert from "node:assert/strict";
 *
 * const registry = createRepository("registry.example/acme/app", {
 *   fetch: () => Promise.resolve(new Response("", { status: 404 })),
 * });
 * const found = await findOciAttestations(registry, `sha256:${"a".repeat(64)}`);
 * assert.deepEqual(found.attestations, []);
 * assert.ok(found.lookups.every(({ outcome }) => outcome === "not-found"));
 * ```
 */
export async function findOciAttestations(
  source: OciSource,
  digest: string,
  options: OciLookupOptions = {},
): Promise<OciFindings> {
  refuseUnknown(options, OPTIONS, "findOciAttestations()");
  const { buildkit = [], signal } = options;
  const lookup = new Lookup(source, digest, options);
  const steps = [
    lookup.at("referrers", () => lookup.referrers()),
    lookup.at("cosign-attestations", () => lookup.tag("cosign-attestations", ".att")),
    lookup.at("cosign-signatures", () => lookup.tag("cosign-signatures", ".sig")),
    ...buildkit.length === 0 ? [] : [lookup.at("buildkit", () => lookup.buildkit(buildkit))],
  ];
  const found = await Promise.all(steps);
  if (signal?.aborted === true) {
    throw new AttestationError("aborted", "Cannot look for attestations: the work was stopped");
  }
  return {
    attestations: unique(found.flatMap(({ attestations }) => attestations)),
    others: found.flatMap(({ others }) => others),
    lookups: found.map(({ report }) => report),
  };
}

/** The very same bytes at two places are one attestation. */
function unique(all: readonly OciAttestation[]): OciAttestation[] {
  const seen = new Set<string>();
  return all.filter(({ layer, kind }) => {
    // A layer's annotations are part of what a signature of cosign says.
    const annotations = kind === "sigstore-bundle" ? "" : JSON.stringify(layer.annotations ?? {});
    const key = `${layer.digest} ${annotations}`;
    return seen.size < seen.add(key).size;
  });
}

interface Found {
  attestations: OciAttestation[];
  others: OciAttachment[];
  notes: OciNote[];
  /** What was asked. */
  place: string;
}

class Lookup {
  readonly #source: OciSource;
  readonly #digest: string;
  readonly #label: string;
  readonly #options: OciOptions;
  readonly #limit: number;
  #room: number;

  constructor(source: OciSource, digest: string, options: OciLookupOptions) {
    const { label = `oci://${source.name}`, maxAttestations } = options;
    this.#source = source;
    this.#digest = digest;
    this.#label = label;
    this.#options = { signal: options.signal };
    this.#room = limitOption("maxAttestations", maxAttestations, MAX_ATTESTATIONS);
    this.#limit = this.#room;
  }

  /** Runs one place; what it could not do is told, and hides nothing of the others. */
  async at(
    via: OciPlace,
    work: () => Promise<Found>,
  ): Promise<Pick<Found, "attestations" | "others"> & { report: LookupReport }> {
    try {
      const { attestations, others, notes, place } = await work();
      const count = attestations.length;
      const report: LookupReport = {
        via,
        place,
        outcome: count === 0 ? "not-found" : "found",
        count,
        ...(others.length === 0 ? {} : { others: others.length }),
        ...(notes.length === 0 ? {} : { notes: notes.map(({ message }) => message) }),
      };
      return { attestations, others, report };
    } catch (error) {
      if (!isAttestationError(error)) throw error;
      const report: LookupReport = {
        via,
        place: this.#placeOf(via),
        outcome: "unavailable",
        count: 0,
        reason: error.reason,
        message: error.message,
      };
      return { attestations: [], others: [], report };
    }
  }

  #placeOf(via: OciPlace): string {
    const tag = this.#digest.replace(":", "-");
    if (via === "cosign-attestations") return `${this.#label}:${tag}.att`;
    if (via === "cosign-signatures") return `${this.#label}:${tag}.sig`;
    return `${
      via === "referrers" ? "referrers of" : "index that lists"
    } ${this.#label}@${this.#digest}`;
  }

  async referrers(): Promise<Found> {
    const { manifests, notes, source } = await this.#source.referrers(this.#digest, this.#options);
    const found: Found = {
      attestations: [],
      others: [],
      notes: [...notes],
      place: source === "" ? this.#placeOf("referrers") : source,
    };
    this.#take(manifests.length, "referrers");
    const all = await mapWindow(manifests, WINDOW, (descriptor) => this.#referrer(descriptor));
    for (const one of all) {
      found.attestations.push(...one.attestations);
      found.others.push(...one.others);
      found.notes.push(...one.notes);
    }
    return found;
  }

  async #referrer(descriptor: OciDescriptor): Promise<Omit<Found, "place">> {
    let manifest: OciManifest;
    try {
      manifest = await this.#source.manifest(descriptor, this.#options);
    } catch (error) {
      // A referrer that is listed and cannot be read is one that is not known: whatever it
      // says cannot make others fail, but nobody may take it for absent either.
      if (!isUnusable(error)) throw error;
      return { attestations: [], others: [], notes: [note(error.reason, error.message)] };
    }
    if (manifest.subject?.digest !== this.#digest) {
      const about = manifest.subject?.digest ?? "nothing";
      const message = `Referrer ${manifest.digest} is about ${quote(about)}, not about this`;
      return { attestations: [], others: [], notes: [note("referrer-mismatch", message)] };
    }
    return await this.#layers("referrers", manifest);
  }

  async tag(via: "cosign-attestations" | "cosign-signatures", suffix: string): Promise<Found> {
    const place = this.#placeOf(via);
    const none: Found = { attestations: [], others: [], notes: [], place };
    const named = await this.#source.tag(
      `${this.#digest.replace(":", "-")}${suffix}`,
      this.#options,
    );
    const saved = named === undefined ? await this.#saved(via) : [named];
    for (const descriptor of saved) {
      const manifest = await this.#source.manifest(descriptor, this.#options);
      if (manifest.kind === "index") continue;
      const { attestations, others, notes } = await this.#layers(via, manifest);
      none.attestations.push(...attestations);
      none.others.push(...others);
      none.notes.push(...notes);
    }
    return none;
  }

  /**
   * What `cosign save` writes beside an image: entries of the layout's index that say what they
   * are, and not of which image.
   */
  async #saved(via: "cosign-attestations" | "cosign-signatures"): Promise<OciDescriptor[]> {
    const source: Partial<OciLayout> = this.#source;
    if (source.entries === undefined) return [];
    const entries = await source.entries(this.#options);
    if (!entries.some(({ digest }) => digest === this.#digest)) return [];
    const kind = `dev.cosignproject.cosign/${via === "cosign-signatures" ? "sigs" : "atts"}`;
    return entries.filter(({ annotations }) => annotations?.kind === kind);
  }

  async buildkit(parts: readonly AttestationPart[]): Promise<Found> {
    const found: Found = {
      attestations: [],
      others: [],
      notes: [],
      place: this.#placeOf("buildkit"),
    };
    for (const { descriptor, about } of parts) {
      const manifest = await this.#source.manifest(descriptor, this.#options);
      const subject = manifest.subject?.digest ?? about;
      if (about !== this.#digest || subject !== this.#digest) {
        const message = `Attestation manifest ${manifest.digest} is about ${quote(subject)}, ` +
          "not about this";
        found.notes.push(note("referrer-mismatch", message));
        continue;
      }
      const { attestations, others, notes } = await this.#layers("buildkit", manifest);
      found.attestations.push(...attestations);
      found.others.push(...others);
      found.notes.push(...notes);
    }
    return found;
  }

  /** Every layer by what it is; what is no attestation is listed. */
  async #layers(via: OciPlace, manifest: OciManifest): Promise<Omit<Found, "place">> {
    const found: Omit<Found, "place"> = { attestations: [], others: [], notes: [] };
    const { digest, layers, artifactType = "" } = manifest;
    const at = `${this.#label}@${digest}`;
    const read = layers.map((layer, i) => ({ layer, source: `${at}#${i + 1}` }))
      .filter(({ layer }) => isRead(layer.mediaType));
    if (read.length === 0) {
      found.others.push({
        source: at,
        artifactType: artifactType === "" ? manifest.mediaType : artifactType,
        what: describeOther(artifactType, layers),
        manifest: digest,
      });
      return found;
    }
    this.#take(read.length, "layers");
    const contents = await mapWindow(read, WINDOW, async ({ layer, source }) => {
      try {
        const bytes = await this.#source.blob(layer, { ...this.#options, maxBytes: BLOB_BYTES });
        return { kind: kindOf(layer, bytes), bytes, layer, source };
      } catch (error) {
        if (!isUnusable(error)) throw error;
        found.notes.push(note(error.reason, `${source}: ${error.message}`));
        return undefined;
      }
    });
    for (const one of contents) {
      if (one === undefined) continue;
      const { kind, bytes, layer, source } = one;
      // What cosign signs with and what proves it are in the annotations of that very layer.
      const content = kind === "sigstore-bundle" || kind === "statement" ? bytes : {
        mimeType: layer.mediaType,
        payload: encodeBase64(bytes),
        annotations: { ...layer.annotations },
      };
      found.attestations.push({ source, kind, via, content, manifest: digest, layer });
    }
    return found;
  }

  /** Counts down what may be fetched: the list is of whoever can push. */
  #take(count: number, what: string): void {
    this.#room -= count;
    if (this.#room >= 0) return;
    throw new AttestationError(
      "limit-exceeded",
      `Cannot look for attestations: ${this.#label}@${this.#digest} has too many ${what}; more ` +
        `than ${this.#limit} are not read`,
    );
  }
}

/** It is there and cannot be used; what could not be asked is another thing. */
function isUnusable(error: unknown): error is AttestationError {
  return isAttestationError(error) && UNUSABLE.includes(error.reason);
}

const UNUSABLE: readonly Reason[] = [
  "content-mismatch",
  "image-not-found",
  "malformed-image-manifest",
  "limit-exceeded",
];

function note(reason: Reason, message: string): OciNote {
  return { reason, message };
}

function isRead(mediaType: string): boolean {
  return mediaType.startsWith(BUNDLE_TYPE) || mediaType === SIMPLE_SIGNING_TYPE ||
    ENVELOPE_TYPES.includes(mediaType);
}

function kindOf({ mediaType }: OciDescriptor, bytes: Uint8Array): OciAttestation["kind"] {
  if (mediaType.startsWith(BUNDLE_TYPE)) return "sigstore-bundle";
  if (mediaType === SIMPLE_SIGNING_TYPE) return "cosign-signature";
  return mediaType === STATEMENT_TYPE && isStatement(bytes) ? "statement" : "dsse";
}

/** The same media type is used for bare Statements and for envelopes that hold one. */
function isStatement(bytes: Uint8Array): boolean {
  try {
    const value = parseJson(bytes);
    return isObject(value) && !("payload" in value);
  } catch {
    return false;
  }
}

/** What hangs on an image and is no attestation that is read here. */
function describeOther(artifactType: string, layers: readonly OciDescriptor[]): string {
  const types = [artifactType, ...layers.map(({ mediaType }) => mediaType)];
  const has = (pattern: RegExp) => types.some((type) => pattern.test(type));
  if (has(/^application\/vnd\.cncf\.notary\.signature$/)) {
    return "A signature by Notation, not verified here";
  }
  if (has(/cyclonedx|spdx|syft/i)) return "A bill of materials that nobody signed";
  if (has(/^application\/vnd\.dev\.cosign\.artifact\.sbom/)) {
    return "A bill of materials that nobody signed";
  }
  return "No attestation";
}
