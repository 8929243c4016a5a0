import { refuseUnknown } from "../../internal/options.ts";
import type { DigestSet } from "../../intoto/digest_set.ts";
import { assembleReport, furthestReason } from "../../verify/assemble.ts";
import type { ArtifactInput, AttestationInput, VerifyOptions } from "../../verify/options.ts";
import type {
  ArtifactReport,
  AttestationReport,
  ImageReport,
  VerificationReport,
} from "../../verify/report.ts";
import { verify } from "../../verify/verify.ts";
import { judgeChart, type OciChart, PROVENANCE_TYPE } from "./chart.ts";
import { type ImagePart, platformName, type ResolvedImage } from "./image.ts";
import { lookAtImage, type LookedImage } from "./look.ts";
import type { OciAttestation, OciFindings } from "./lookup.ts";
import { formatOciPlatform } from "./platform.ts";
import type { OciPlatform, OciSource } from "./source.ts";

/** Options of {@linkcode verifyImage}. Unknown names are refused. */
export interface VerifyImageOptions {
  /** Whom to believe and what to expect of each manifest, as in `verify()`. */
  verify?: VerifyOptions;
  /**
   * Platforms that must be verified, `os/architecture[/variant]`. Default: every one that the
   * image has.
   */
  platforms?: readonly string[];
  /**
   * Lets an attestation of the index count for the manifests that it lists by digest. Default
   * false, or what the policy says: an attestation is about the digest in its subject alone.
   */
  inheritFromIndex?: boolean;
  /**
   * Verifies the index itself and none of the platforms in it: as for what is only passed on.
   * Default false. Not together with `platforms` and `inheritFromIndex`.
   */
  indexOnly?: boolean;
  /** Attestations that are given; with them nothing is looked for beside the image. */
  attestations?: readonly AttestationInput[];
  /** How the image is called in the report. Default: `oci://`, the source's name, the reference. */
  name?: string;
  /** How its repository is called in the report. Default: `oci://` and the source's name. */
  label?: string;
  /** Repository without tag and digest that a policy may select by. Default: none. */
  repository?: string;
  /** Stops the work: `aborted`. */
  signal?: AbortSignal;
}

const OPTIONS = [
  "verify",
  "platforms",
  "inheritFromIndex",
  "indexOnly",
  "attestations",
  "name",
  "label",
  "repository",
  "signal",
];

/**
 * Verifies an image: what its reference names is resolved once, the attestations of every
 * manifest are looked for wherever their producers put them, all at the same time, and every
 * platform has to have one of its own that satisfies everything.
 *
 * An attestation of an index says nothing of the platforms in it unless `inheritFromIndex`
 * is set, and one of a platform says nothing of another. What is `unknown/unknown` in an index
 * is no platform. BuildKit's Statements are reported as `unsigned-statement`.
 *
 * @param source A repository of a registry, or a layout on disk.
 * @param reference Tag or digest.
 * @param options Whom to believe, what to expect, which platforms.
 * @returns The report of `verify()`: one artifact for each manifest, with its platform and
 * where was looked, and `images` with what the reference named. An artifact without an accepted
 * attestation has `store-unavailable` if a place could not be asked.
 * @throws {AttestationError} Those of {@linkcode OciSource} if the image itself cannot be
 * read; `usage` for a platform that is none.
 * @throws {TypeError} If an option is unknown or not of its form.
 *
 * @example An image and an attestation that is signed with a key, in a layout in memory
 * ```ts
 * import { createEnvelope } from "@x/attest/dsse";
 * import { generateSigner } from "@x/attest/keys";
 * import {
 *   attachAttestation,
 *   createLayout,
 *   createMemoryFiles,
 *   verifyImage,
 * } from "@x/attest/store/oci";
 * import assert from "node:assert/strict";
 *
 * const layout = createLayout(createMemoryFiles("a layout"));
 * const bytes = (value: object) => new TextEncoder().encode(JSON.stringify(value));
 * const config = { mediaType: "application/vnd.oci.image.config.v1+json", size: 2 };
 * const digest = "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a";
 * const mediaType = "application/vnd.oci.image.manifest.v1+json";
 * const manifest = { schemaVersion: 2, mediaType, config: { ...config, digest }, layers: [] };
 * await layout.putManifest(bytes(manifest), { tag: "1.0" });
 *
 * const image = await layout.resolve("1.0");
 * const { signer, trustedKey } = await generateSigner("Ed25519", { name: "ci" });
 * const envelope = await createEnvelope("application/vnd.in-toto+json", {
 *   _type: "https://in-toto.io/Statement/v1",
 *   subject: [{ name: "app", digest: { sha256: image.digest.slice("sha256:".length) } }],
 *   predicateType: "https://example.com/checked/v1",
 *   predicate: {},
 * }, signer);
 * await attachAttestation(layout, image, { content: bytes(envelope) });
 *
 * const report = await verifyImage(layout, "1.0", { verify: { trust: { keys: [trustedKey] } } });
 * assert.equal(report.verificationResult, "PASSED");
 * assert.equal(report.images?.[0].digest, image.digest);
 * ```
 */
export async function verifyImage(
  source: OciSource,
  reference: string,
  options: VerifyImageOptions = {},
): Promise<VerificationReport> {
  refuseUnknown(options, OPTIONS, "verifyImage()");
  const { verify: verifyOptions = {}, platforms = [], signal } = options;
  const { policy } = verifyOptions;
  const inheritFromIndex = options.inheritFromIndex ??
    policy?.document.platforms === "from-index";
  const { indexOnly = false } = options;
  for (const [name, value] of Object.entries({ inheritFromIndex, indexOnly })) {
    if (typeof value !== "boolean") throw new TypeError(`${name} is neither true nor false`);
  }
  if (indexOnly && (platforms.length > 0 || options.inheritFromIndex === true)) {
    throw new TypeError("indexOnly excludes platforms and inheritFromIndex");
  }
  const { attestations, label } = options;
  const bare = attestations !== undefined;
  const looked = await lookAtImage(source, reference, {
    platforms,
    indexOnly,
    bare,
    label,
    signal,
  });
  return await verifyLooked(looked, { ...options, inheritFromIndex });
}

/** {@linkcode verifyImage} of what was looked at; the options have been checked. */
export async function verifyLooked(
  looked: LookedImage,
  options: VerifyImageOptions & { inheritFromIndex: boolean },
): Promise<VerificationReport> {
  const { image, parts, missing, findings, chart } = looked;
  const { verify: verifyOptions = {}, inheritFromIndex, indexOnly = false, signal } = options;
  const { policy } = verifyOptions;
  const isIndex = image.manifest.kind === "index";
  const work = new ImageWork(looked, options);
  const digests = [...findings.keys()];
  const inputs = uniqueInputs([...findings.values()]);
  const names = new Map(parts.map((part) => [part.descriptor.digest, part]));
  const artifacts: ArtifactInput[] = digests.map((digest) => ({
    name: work.nameOf(digest, names.get(digest)),
    digest: digestSet(digest),
    ...(options.repository === undefined ? {} : { oci: options.repository }),
  }));
  // What is attested of a chart's package is attested of the chart: its manifest names it.
  if (chart !== undefined) {
    artifacts.push({ name: chart.file, digest: digestSet(chart.content.digest) });
  }
  const given = [...options.attestations ?? [], ...work.provenance()];
  const settings: VerifyOptions = { signal, ...verifyOptions };
  const found = await verify([...given, ...inputs.map(toInput)], artifacts, settings);
  const rows = found.artifacts.slice(0, digests.length).map((row, i) =>
    work.row(
      chart === undefined ? row : chartRow(chart, row, found.artifacts[digests.length]),
      findings.get(digests[i]),
      names.get(digests[i]),
    )
  );
  const index = isIndex ? rows[0] : undefined;
  let counted = isIndex && !indexOnly ? rows.slice(1) : rows;
  if (inheritFromIndex && index !== undefined) {
    // Beside a policy `ok` says that somebody signed: what counts is for the policy to say.
    counted = counted.map((row) =>
      row.ok && policy === undefined ? row : inherit(row, index, image.digest)
    );
  }
  counted = [...counted, ...missing.map((platform) => work.missing(platform))];
  if (counted.length === 0) counted = [work.missing()];
  const report = await judgeImages(counted, settings);
  const judged = index === undefined || indexOnly
    ? undefined
    : (await judgeImages([index], settings)).artifacts[0];
  report.images = [work.report(report, judged, findings)];
  return report;
}

/**
 * The verdict over manifests of images, and what else was verified with them, by the policy if
 * there is one. What is missing or could not be looked for stays so whatever the policy says.
 */
export async function judgeImages(
  artifacts: readonly ArtifactReport[],
  { policy, now = new Date() }: VerifyOptions,
): Promise<VerificationReport> {
  if (policy === undefined) return assembleReport(artifacts.map(unavailable));
  const { judgeReports } = await import("../../verify/policy.ts");
  const report = judgeReports(policy, artifacts, now, { recount: true });
  const rows = report.artifacts.map((row, i) =>
    artifacts[i].errorReason === "platform-not-found" ? artifacts[i] : unavailable(row)
  );
  const failed = rows.find(({ ok }) => !ok);
  const missing = rows.some(({ errorReason }) => errorReason === "platform-not-found");
  return {
    ...report,
    ok: report.ok && !missing,
    errorReason: report.ok && !missing ? null : failed?.errorReason ?? report.errorReason,
    verificationResult: report.ok && !missing ? "PASSED" : "FAILED",
    artifacts: rows,
  };
}

/** Nothing is missing where it could not be looked for: the refusal says which it was. */
function unavailable(row: ArtifactReport): ArtifactReport {
  const isUnknown = !row.ok && row.lookups?.some(({ outcome }) => outcome === "unavailable");
  return isUnknown === true ? { ...row, errorReason: "store-unavailable" } : row;
}

function chartRow(chart: OciChart, row: ArtifactReport, ofPackage: ArtifactReport): ArtifactReport {
  const attestations = row.attestations.map((one, i) =>
    judgeChart(chart, one, ofPackage.attestations[i])
  );
  return { ...row, attestations };
}

/** One attestation that was found, at whichever manifests. */
interface Input {
  attestation: OciAttestation;
}

function toInput({ attestation: { source, content } }: Input): AttestationInput {
  return { source, content };
}

/** What hangs on two manifests is verified once. */
function uniqueInputs(findings: readonly OciFindings[]): Input[] {
  const seen = new Map<string, Input>();
  for (const { attestations } of findings) {
    for (const attestation of attestations) {
      if (!seen.has(attestation.source)) seen.set(attestation.source, { attestation });
    }
  }
  return [...seen.values()];
}

class ImageWork {
  readonly #image: ResolvedImage;
  readonly #options: VerifyImageOptions & { inheritFromIndex: boolean };
  readonly #name: string;
  readonly #label: string;
  readonly #chart: OciChart | undefined;

  constructor(
    { image, label, chart }: LookedImage,
    options: VerifyImageOptions & { inheritFromIndex: boolean },
  ) {
    this.#image = image;
    this.#label = label;
    this.#chart = chart;
    this.#options = options;
    this.#name = options.name ?? `${label}@${image.digest}`;
  }

  /** The `.prov` file of a chart, which somebody signed with OpenPGP, if such keys are trusted. */
  provenance(): { source: string; content: Uint8Array }[] {
    const content = this.#chart?.provenanceFile;
    return content === undefined || this.#options.verify?.trust?.openpgp === undefined
      ? []
      : [{ source: `${this.#label}@${this.#image.digest}.prov`, content }];
  }

  nameOf(digest: string, part: ImagePart | undefined): string {
    if (part === undefined || part.index === undefined) return this.#name;
    const platform = platformName(part);
    return `${this.#name} (${platform === "" ? digest : platform})`;
  }

  /** An artifact with what belongs to it: what was found elsewhere only if it is about this. */
  row(
    row: ArtifactReport,
    findings: OciFindings | undefined,
    part: ImagePart | undefined,
  ): ArtifactReport {
    const own = new Set([
      ...findings?.attestations.map(({ source }) => source) ?? [],
      ...this.provenance().map(({ source }) => source),
    ]);
    const given = (this.#options.attestations?.length ?? 0) > 0;
    const attestations = row.attestations.filter(({ ok, source }) =>
      ok || given || own.has(source)
    );
    const ok = attestations.some((one) => one.ok);
    const platform = part === undefined ? "" : platformName(part);
    const { lookups } = findings ?? {};
    return {
      ...row,
      ...(platform === "" ? {} : { platform }),
      ok,
      errorReason: ok ? null : furthestReason(attestations),
      attestations,
      ...(lookups === undefined || lookups.length === 0 ? {} : { lookups: [...lookups] }),
    };
  }

  /** A platform that is asked for and not there; without one, an index that lists none. */
  missing(platform?: OciPlatform): ArtifactReport {
    const name = platform === undefined ? undefined : formatOciPlatform(platform);
    return {
      artifact: name === undefined ? this.#name : `${this.#name} (${name})`,
      digest: digestSet(this.#image.digest),
      ...(name === undefined ? {} : { platform: name }),
      ok: false,
      errorReason: "platform-not-found",
      attestations: [],
    };
  }

  report(
    report: VerificationReport,
    index: ArtifactReport | undefined,
    findings: ReadonlyMap<string, OciFindings>,
  ): ImageReport {
    const { digest, manifest, notes } = this.#image;
    const { platforms = [], inheritFromIndex, indexOnly } = this.#options;
    const others = [
      ...[...findings.values()].flatMap((one) => one.others),
      ...this.#chart?.provenance === undefined || this.provenance().length > 0 ? [] : [{
        source: `${this.#label}@${digest}`,
        artifactType: PROVENANCE_TYPE,
        what: "A provenance file of Helm about this package; its signature is not verified: no " +
          "OpenPGP key is trusted",
      }],
    ];
    const hint = this.#hint(report.artifacts, index);
    return {
      reference: this.#name,
      digest,
      mediaType: manifest.mediaType,
      requires: manifest.kind !== "index"
        ? "manifest"
        : indexOnly === true
        ? "index"
        : platforms.length > 0
        ? "platforms"
        : "every-platform",
      inheritFromIndex,
      ...(this.#chart === undefined ? {} : {
        chart: { name: this.#chart.name, version: this.#chart.version },
      }),
      ...(index === undefined ? {} : { index }),
      ...(others.length === 0 ? {} : {
        others: others.map(({ source, artifactType, what }) => ({ source, artifactType, what })),
      }),
      ...(hint === undefined ? {} : { hint }),
      ...(notes.length === 0 ? {} : { notes: notes.map(({ message }) => message) }),
    };
  }

  /** Where the attestations are that were wanted elsewhere. */
  #hint(rows: readonly ArtifactReport[], index: ArtifactReport | undefined): string | undefined {
    if (index === undefined || rows.every(({ ok }) => ok)) return undefined;
    const without = rows.filter(({ attestations }) => !attestations.some(isSigned));
    const names = without.map(({ platform, digest }) => platform ?? Object.values(digest)[0]);
    const few = names.slice(0, 4).join(", ") + (names.length > 4 ? ", …" : "");
    const onIndex = index.attestations.filter(isSigned).length;
    if (without.length === rows.length && onIndex > 0) {
      return `Only the index has attestations (${onIndex}), its platforms have none: attest each ` +
        "platform's digest, or let those of the index count with inheritFromIndex " +
        "(--inherit-from-index)";
    }
    if (without.length > 0 && without.length < rows.length) {
      return `Not every platform has attestations, these have none: ${few}; attest the digest ` +
        "of each, or name the platforms that you use (--platform)";
    }
    if (without.length === rows.length) {
      return `Neither the index nor its platforms have a signed attestation: ${few}; attest the ` +
        "digest of each platform after the push";
    }
    return undefined;
  }
}

function isSigned({ format }: AttestationReport): boolean {
  return format !== "statement";
}

/** The bytes of the index name the manifest by its digest; whoever signed them meant it too. */
function inherit(row: ArtifactReport, index: ArtifactReport, digest: string): ArtifactReport {
  if (!index.ok) return row;
  const attestations = index.attestations.filter(({ ok }) => ok).map((one) => ({
    ...one,
    checks: [...one.checks, {
      id: "statement.inherited",
      layer: "statement" as const,
      outcome: "passed" as const,
      message: `The index ${digest} lists this manifest, and what is attested of it counts, as ` +
        "the caller asked",
    }],
  }));
  return {
    ...row,
    ok: true,
    errorReason: null,
    attestations: [...row.attestations, ...attestations],
  };
}

function digestSet(digest: string): DigestSet {
  const colon = digest.indexOf(":");
  return { [digest.slice(0, colon)]: digest.slice(colon + 1) };
}
