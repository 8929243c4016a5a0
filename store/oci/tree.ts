import type { Reason } from "../../errors.ts";
import { DEFAULT_LIMITS, loadAttestations, type LoadedAttestation } from "../../verify/load.ts";
import type { AttestationReport, LookupReport, VerificationReport } from "../../verify/report.ts";
import { platformName } from "./image.ts";
import type { LookedImage } from "./look.ts";
import type { OciAttestation, OciFindings } from "./lookup.ts";

/** What hangs on what: a manifest, or something that is about it. */
export interface ImageTreeNode {
  /** What it is. */
  kind: "index" | "manifest" | "attestation" | "other";
  /** Its name for people: the reference, a platform, a type. */
  name: string;
  /** Digest of the manifest; of an attestation, of its layer. */
  digest: string;
  /** Where it was found, of an attestation and of what else hangs there. */
  source?: string;
  /** How it was found: `referrers`, `cosign-attestations`, `cosign-signatures`, `buildkit`. */
  via?: string;
  /** What an attestation was read as. */
  format?: string;
  /** Type of its predicate, as it states it; believe it only beside an accepted verdict. */
  predicateType?: string;
  /** What came of it, where somebody was to be believed. */
  verdict?: {
    /** Every check passed. */ ok: boolean;
    /** Why not; null when `ok`. */ errorReason: Reason | null;
    /** Who signed, where that was established. */ signers: string[];
  };
  /** Where was looked for what hangs on it, if a place could not be asked or was odd. */
  lookups?: LookupReport[];
  /** What hangs on it or is in it. */
  children: ImageTreeNode[];
}

/**
 * An image as a tree: the index, its platforms, and on each of them what was found.
 *
 * @param looked As `lookAtImage()` gives it.
 * @param name How the image is called.
 * @param report Report of `verifyLooked()`, for the verdicts. Default: none.
 */
export async function createImageTree(
  looked: LookedImage,
  name: string,
  report?: VerificationReport,
): Promise<ImageTreeNode> {
  const { image, parts, findings } = looked;
  const verdicts = verdictsOf(report);
  const isIndex = image.manifest.kind === "index";
  const root: ImageTreeNode = {
    kind: isIndex ? "index" : "manifest",
    name,
    digest: image.digest,
    children: [],
  };
  await hang(root, findings.get(image.digest), verdicts);
  if (!isIndex) return root;
  for (const part of parts) {
    const { digest } = part.descriptor;
    const platform = platformName(part);
    const node: ImageTreeNode = {
      kind: "manifest",
      name: platform === "" ? "no platform" : platform,
      digest,
      children: [],
    };
    await hang(node, findings.get(digest), verdicts);
    root.children.push(node);
  }
  return root;
}

/** Verdicts by the digest of the artifact and the source of the attestation. */
function verdictsOf(report: VerificationReport | undefined): Map<string, AttestationReport> {
  const verdicts = new Map<string, AttestationReport>();
  const rows = [
    ...report?.artifacts ?? [],
    ...report?.images?.flatMap(({ index }) => index === undefined ? [] : [index]) ?? [],
  ];
  for (const { digest, attestations } of rows) {
    for (const one of attestations) {
      for (const pair of Object.entries(digest)) {
        verdicts.set(`${pair.join(":")} ${one.source}`, one);
      }
    }
  }
  return verdicts;
}

async function hang(
  node: ImageTreeNode,
  found: OciFindings | undefined,
  verdicts: ReadonlyMap<string, AttestationReport>,
): Promise<void> {
  if (found === undefined) return;
  for (const attestation of found.attestations) {
    const verdict = verdicts.get(`${node.digest} ${attestation.source}`);
    node.children.push(await nodeOf(attestation, verdict));
  }
  for (const { source, artifactType, what, manifest } of found.others) {
    node.children.push({
      kind: "other",
      name: `${what} (${artifactType})`,
      digest: manifest,
      source,
      children: [],
    });
  }
  const odd = found.lookups.filter(({ outcome, notes }) =>
    outcome === "unavailable" || notes !== undefined
  );
  if (odd.length > 0) node.lookups = odd;
}

async function nodeOf(
  { source, content, via, kind, layer }: OciAttestation,
  verdict: AttestationReport | undefined,
): Promise<ImageTreeNode> {
  const [loaded] = await loadAttestations({ source, content }, 0, {
    ...DEFAULT_LIMITS,
    certificates: true,
  });
  const predicateType = statedType(loaded);
  return {
    kind: "attestation",
    name: predicateType ?? (kind === "cosign-signature" ? "image signature" : "unreadable"),
    digest: layer.digest,
    source,
    via,
    format: loaded.format,
    ...(predicateType === undefined ? {} : { predicateType }),
    ...(verdict === undefined ? {} : {
      verdict: {
        ok: verdict.ok,
        errorReason: verdict.errorReason,
        signers: verdict.signers,
      },
    }),
    children: [],
  };
}

function statedType(loaded: LoadedAttestation): string | undefined {
  if ("error" in loaded || loaded.unverifiedStatement === undefined) return undefined;
  return "value" in loaded.unverifiedStatement
    ? loaded.unverifiedStatement.value.predicateType
    : undefined;
}
