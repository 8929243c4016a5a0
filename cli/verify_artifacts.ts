import { AttestationError } from "../errors.ts";
import { parseJson, quote } from "../internal/json.ts";
import type { DigestSet } from "../intoto/digest_set.ts";
import type { AttestationSource, StoredAttestation } from "../store/store.ts";
import type { ArtifactInput, AttestationInput, VerifyOptions } from "../verify/options.ts";
import type {
  ArtifactReport,
  AttestationReport,
  LookupReport,
  VerificationReport,
} from "../verify/report.ts";
import { type ParsedArgs, usageError } from "./args.ts";
import { type Artifact, readArtifacts, toInput } from "./artifacts.ts";
import {
  AttestationFiles,
  type Loaded,
  MAX_ATTESTATION_BYTES,
  type NamedAttestation,
  unusableAttestation,
} from "./attestations.ts";
import { believesCarried, mayCarrySignature } from "./carried_signature.ts";
import { discover } from "./discover.ts";
import { type Enforced, readExpectations } from "./expectations.ts";
import { hasImageOption } from "./image_options.ts";
import { hasPolicy } from "./policy_options.ts";
import { type Progress, progressBar } from "./progress.ts";
import type { Place } from "./reports/findings.ts";
import { readBounded, type Runtime } from "./runtime.ts";

/** The library's `verify()`. */
export type Verify = (
  attestations: AttestationInput | AttestationInput[],
  artifacts: ArtifactInput | ArtifactInput[] | undefined,
  options: VerifyOptions,
) => Promise<VerificationReport>;

/** What the command needs of the library; given by tests. */
export interface VerifyDependencies {
  /** The library's `verify()`. */
  verify: Verify;
}

/** The work of one run. */
export interface Run {
  /** The machine. */
  runtime: Runtime;
  /** The library's `verify()`. */
  verify: Verify;
  /** What is enforced. */
  enforced: Enforced;
  /** Files of attestations, each read once. */
  files: AttestationFiles;
  /** Attestations that were verified, by the name that the report has for them; for gh only. */
  loaded?: Loaded["attestations"];
  /** Stores that are asked about each artifact, with notes about what they leave out. */
  stores?: { sources: readonly AttestationSource[]; notices: Set<string> };
  /** Links of a supply chain that were read. */
  links?: readonly string[];
  /** Shows how far it has got. */
  progress?: Progress;
  /** Where an attestation was looked for, by the artifact's place in the report. */
  looked: Map<number, readonly string[]>;
  /** Where a failure is shown that no file names. */
  fallback?: Place;
  /** What names each artifact of the report, if a file does. */
  places?: readonly (Place | undefined)[];
}

/** What was verified, and with what. */
export interface Verification {
  /** Answer of the library. */
  report: VerificationReport;
  /** The work of the run. */
  run: Run;
}

/** Verifies the artifacts of a command line; notices go to standard error. */
export async function verifyArguments(
  parsed: ParsedArgs,
  runtime: Runtime,
  dependencies?: VerifyDependencies,
): Promise<Verification> {
  const policy = hasPolicy(parsed) ? await import("./policy_enforced.ts") : undefined;
  const enforced = policy === undefined
    ? await readExpectations(parsed, runtime)
    : await policy.readPolicyExpectations(parsed, runtime);
  if (parsed.has("with-evidence")) enforced.options.evidence = true;
  const chain = parsed.has("layout") || parsed.has("links")
    ? (await import("./supply_chain.ts")).supplyChain(parsed, enforced)
    : undefined;
  const notices: string[] = [];
  const files = new AttestationFiles(runtime, notices);
  const { artifacts, images, notices: leftOut } = await readArtifacts(parsed, runtime, files);
  notices.push(...leftOut);
  requireArtifact(parsed, [...artifacts, ...images]);
  policy?.placeArtifacts(parsed, artifacts);
  if (chain !== undefined && images.length > 0) {
    throw usageError("--layout is about files: give an image by --digest");
  }
  const imagesModule = images.length > 0 || hasImageOption(parsed)
    ? await import("./images.ts")
    : undefined;
  if (images.length === 0) imagesModule?.refuseImageOptions(parsed);
  else enforced.rows.push(...imagesModule?.imageRows(parsed) ?? []);

  const stores = await storesOf(parsed, artifacts, runtime);
  const progress = progressBar(runtime, undefined, artifacts.length > 1 ? "artifact" : undefined);
  enforced.options.onProgress = progress.update;
  const run: Run = {
    runtime,
    verify: dependencies?.verify ?? (await import("../verify/verify.ts")).verify,
    enforced,
    files,
    looked: new Map(),
    places: artifacts.map(placeOfArtifact),
    progress,
    ...(stores === undefined ? {} : { stores }),
    ...(parsed.get("format") === "gh" ? { loaded: [] } : {}),
    ...fallbackOf(parsed),
  };
  try {
    if (chain !== undefined) return { report: await chain(artifacts, run), run };
    if (images.length > 0 && imagesModule !== undefined) {
      const report = await verifyWithImages({ parsed, artifacts, images }, run, imagesModule);
      return { report, run };
    }
    const report = await verifyAll(parsed, artifacts, run);
    return { report: policy?.decide(report, enforced) ?? report, run };
  } finally {
    progress.end();
    for (const notice of stores?.notices ?? []) notices.push(notice);
    for (const notice of notices) runtime.write("stderr", `notice: ${notice}\n`);
  }
}

/** The stores of `--store`, which have no meaning beside files of attestations. */
async function storesOf(
  args: ParsedArgs,
  artifacts: readonly Artifact[],
  runtime: Runtime,
): Promise<Run["stores"]> {
  if (!args.has("store")) {
    if (args.has("github-api")) throw usageError("--github-api needs --store github:OWNER/NAME");
    return undefined;
  }
  if (bundlesOf(args).length > 0) {
    throw usageError("--store and --bundle exclude each other: a bundle is all that is looked at");
  }
  if (artifacts.length === 0) {
    throw usageError("--store needs an artifact: a file, folder or digest");
  }
  const { openStores } = await import("./stores.ts");
  return { sources: await openStores(args, runtime), notices: new Set() };
}

/** Files and images of one run: verified on their own, judged together. */
async function verifyWithImages(
  { parsed, artifacts, images }: {
    parsed: ParsedArgs;
    artifacts: readonly Artifact[];
    images: readonly string[];
  },
  run: Run,
  { judgeAll, lookupText, verifyImages }: typeof import("./images.ts"),
): Promise<VerificationReport> {
  const { runtime, enforced: { options } } = run;
  if (options.expect?.subjects !== undefined && options.expect.subjects !== "any") {
    throw usageError("--subjects is any for an image: its manifests are verified one by one");
  }
  const bundles = bundlesOf(parsed);
  const given = bundles.length === 0 ? undefined : await run.files.load(bundles);
  const files = artifacts.length === 0 ? [] : (await verifyAll(parsed, artifacts, run)).artifacts;
  const found = await verifyImages(images, {
    args: parsed,
    runtime,
    options,
    ...(given === undefined ? {} : { attestations: given.attestations }),
  });
  const unusable = given?.unusable ?? [];
  const rows = unusable.length === 0
    ? found.artifacts
    : found.artifacts.map((row) => withUnusable(row, unusable));
  for (const [i, { lookups = [] }] of rows.entries()) {
    run.looked.set(files.length + i, lookups.map(lookupText));
  }
  return await judgeAll(files, { ...found, artifacts: rows }, options);
}

function requireArtifact(args: ParsedArgs, artifacts: readonly unknown[]): void {
  if (args.has("unsafe-no-artifact")) {
    if (artifacts.length > 0) throw usageError("--unsafe-no-artifact excludes an artifact");
    if (bundlesOf(args).length === 0) throw usageError("--unsafe-no-artifact needs --bundle");
  } else if (artifacts.length === 0 && args.has("subject-digest")) {
    if (bundlesOf(args).length === 0) throw usageError("--subject-digest needs --vsa");
  } else if (artifacts.length === 0) {
    throw new AttestationError(
      "artifact-required",
      "Cannot verify: name the artifact, a file or folder, or give --digest or --checksums",
    );
  }
}

/** The line that names an artifact, else its file. */
export function placeOfArtifact({ namedIn, path }: Artifact): Place | undefined {
  return namedIn ?? (path === undefined ? undefined : { file: path });
}

function fallbackOf(args: ParsedArgs): Pick<Run, "fallback"> {
  const policy = args.get("policy");
  return policy === undefined ? {} : { fallback: { file: policy } };
}

/** Files of attestations; a VSA is one. */
function bundlesOf(args: ParsedArgs): readonly string[] {
  return [...args.all("bundle"), ...args.all("vsa")];
}

async function verifyAll(
  args: ParsedArgs,
  artifacts: readonly Artifact[],
  run: Run,
): Promise<VerificationReport> {
  const bundles = bundlesOf(args);
  if (bundles.length > 0) {
    const loaded = await withMessage(args, await run.files.load(bundles), run.runtime);
    return await verifyGroup(artifacts, loaded, run);
  }
  if (args.has("message")) throw usageError("--message needs --bundle, a signature over it");
  if ((args.get("subjects") ?? "any") !== "any") {
    // These modes compare all subjects with all artifacts.
    const found: Discovered[] = [];
    for (const [i, artifact] of artifacts.entries()) found.push(await look(artifact, i, run));
    const paths = [...new Set(found.flatMap(({ paths }) => paths))];
    const loaded = await run.files.load(paths);
    const report = await verifyGroup(
      artifacts,
      merged(loaded, ...found.map(({ kept }) => kept)),
      run,
    );
    return withLookups(report, found);
  }
  // Neighbours with the same attestations are verified together, so that each is read once.
  const reports: ArtifactReport[] = [];
  let group: Discovered[] = [];
  const flush = async () => {
    if (group.length === 0) return;
    const loaded = merged(await run.files.load(group[0].paths), group[0].kept);
    const report = await verifyGroup(group.map(({ artifact }) => artifact), loaded, run);
    reports.push(...withLookups(report, group).artifacts);
    group = [];
  };
  const isMany = artifacts.length > 1;
  for (const [i, artifact] of artifacts.entries()) {
    const one = await look(artifact, i, run);
    if (group.length > 0 && (one.lookups !== undefined || !isSame(one.paths, group[0].paths))) {
      await flush();
    }
    group.push(one);
    if (one.lookups !== undefined) await flush();
    // Of many artifacts the bar tells which one it is at, not how far that one is.
    if (isMany && (reports.length > 0 || run.stores !== undefined)) {
      run.enforced.options.onProgress = undefined;
      run.progress?.update({ phase: "verify", done: reports.length, total: artifacts.length });
    }
  }
  await flush();
  return summarize(reports);
}

/** What a detached signature is over, where it is not the artifact. */
async function withMessage(args: ParsedArgs, loaded: Loaded, runtime: Runtime): Promise<Loaded> {
  const path = args.get("message");
  if (path === undefined) return loaded;
  const message = await readBounded(runtime, path, MAX_ATTESTATION_BYTES);
  return { ...loaded, attestations: loaded.attestations.map((one) => ({ ...one, message })) };
}

function isSame(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((path, i) => path === b[i]);
}

/** An artifact, and what was found for it. */
interface Discovered {
  artifact: Artifact;
  /** Files beside it. */
  paths: string[];
  /** What stores have. */
  kept: Loaded;
  /** What became of asking each store; absent where there is none. */
  lookups?: LookupReport[];
}

/** Looks for the attestations of an artifact: beside it, and in the stores. */
async function look(artifact: Artifact, index: number, run: Run): Promise<Discovered> {
  const { stores, runtime } = run;
  const digestOf = async (): Promise<DigestSet> =>
    artifact.digest ?? (await verifyGroup([artifact], NOTHING, run)).artifacts[0].digest;
  const { paths, looked } = await discover(artifact, runtime, digestOf);
  if (
    paths.length === 0 && artifact.path !== undefined &&
    believesCarried(run.enforced.options) && await mayCarrySignature(runtime, artifact.path)
  ) paths.push(artifact.path);
  run.looked.set(index, looked);
  if (stores === undefined) return { artifact, paths, kept: NOTHING };
  const { digestsOf, lookupReport, lookUpArtifact, noteText } = await import("./stores.ts");
  const digest = await digestsOf(artifact, runtime);
  const { attestations, tried } = await lookUpArtifact(stores.sources, {
    digest,
    artifact,
    onNote: (note) => stores.notices.add(noteText(note)),
  });
  const lookups = tried.map(lookupReport);
  const { lookupText } = await import("./images.ts");
  run.looked.set(index, [...looked, ...lookups.map(lookupText)]);
  const unusable = tried.flatMap(({ store, error }) =>
    error === undefined ? [] : [unusableAttestation(store, error)]
  );
  // It was read once: only a signature over the content itself needs it again.
  const isKnown = paths.length === 0 && attestations.length > 0 &&
    !attestations.some(isOverContent);
  const { path: _, ...named } = artifact;
  return {
    artifact: isKnown ? { ...named, digest: { ...digest } } : artifact,
    paths,
    kept: { attestations: [...attestations], unusable },
    lookups,
  };
}

/** A bundle over the artifact itself, without a Statement. */
function isOverContent({ content }: StoredAttestation): boolean {
  return new TextDecoder().decode(content).includes('"messageSignature"');
}

function merged(...all: readonly Loaded[]): Loaded {
  return {
    attestations: all.flatMap(({ attestations }) => attestations),
    unusable: all.flatMap(({ unusable }) => unusable),
  };
}

function withLookups(report: VerificationReport, found: readonly Discovered[]): VerificationReport {
  if (found.every(({ lookups }) => lookups === undefined)) return report;
  const artifacts = report.artifacts.map((artifact, i) => {
    const { lookups } = found[i];
    return lookups === undefined ? artifact : { ...artifact, lookups };
  });
  return { ...report, artifacts };
}

const NOTHING: Loaded = { attestations: [], unusable: [] };

/** Verifies artifacts by attestations; what could not be read is reported beside them. */
export async function verifyGroup(
  artifacts: readonly Artifact[],
  { attestations, unusable }: Loaded,
  { verify, enforced, loaded, runtime }: Run,
): Promise<VerificationReport> {
  for (const attestation of attestations) loaded?.push(attestation);
  const printed = await cloudBuildAmong(attestations);
  if (printed !== undefined) {
    if (attestations.length > 1) {
      throw usageError(`${quote(printed.source)} is of Google Cloud Build: give it alone`);
    }
    if (enforced.options.policy !== undefined) {
      throw usageError(`${quote(printed.source)} is of Google Cloud Build: no policy judges it`);
    }
    const { verifyCloudBuild } = await import("./google_cloud_build.ts");
    const wanted = artifacts.length === 0 ? [undefined] : artifacts;
    return summarize(
      await Promise.all(wanted.map((one) => verifyCloudBuild(printed, one, enforced.options))),
    );
  }
  const inputs = artifacts.map((artifact) => toInput(artifact, runtime));
  const report = await verify(
    attestations,
    inputs.length === 0 ? undefined : inputs,
    enforced.options,
  );
  if (unusable.length === 0) return report;
  return summarize(report.artifacts.map((artifact) => withUnusable(artifact, unusable)));
}

function withUnusable(
  artifact: ArtifactReport,
  unusable: readonly AttestationReport[],
): ArtifactReport {
  return {
    ...artifact,
    // Nothing was found because nothing could be read.
    errorReason: artifact.errorReason === "attestation-not-found"
      ? unusable[0].errorReason
      : artifact.errorReason,
    attestations: [...artifact.attestations, ...unusable],
  };
}

/** What gcloud prints about an image is no attestation but holds some. */
async function cloudBuildAmong(
  attestations: readonly NamedAttestation[],
): Promise<NamedAttestation | undefined> {
  for (const one of attestations) {
    const { content } = one;
    if (!(content instanceof Uint8Array) || content.length > MAX_ATTESTATION_BYTES) continue;
    const text = new TextDecoder().decode(content);
    if (!text.includes('"provenance_summary"')) continue;
    const { isGoogleCloudBuild } = await import("../formats/google_cloud_build.ts");
    try {
      if (isGoogleCloudBuild(parseJson(text, { maxLength: MAX_ATTESTATION_BYTES }))) return one;
    } catch {
      // Whatever it is, it is read as any other document.
    }
  }
}

function summarize(artifacts: ArtifactReport[]): VerificationReport {
  const failed = artifacts.find((artifact) => !artifact.ok);
  const ok = artifacts.length > 0 && failed === undefined;
  return {
    ok,
    errorReason: failed?.errorReason ?? null,
    verificationResult: ok ? "PASSED" : "FAILED",
    artifacts,
  };
}
