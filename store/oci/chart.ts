import { decompress } from "../../internal/decompress.ts";
import { AttestationError, isAttestationError } from "../../errors.ts";
import {
  type ChartMetadata,
  type HelmProvenance,
  parseChartMetadata,
  parseHelmProvenance,
} from "../../formats/helm.ts";
import { concat } from "../../internal/bytes.ts";
import { CheckList } from "../../internal/check_list.ts";
import { isObject, parseJson, quote } from "../../internal/json.ts";
import type { Check } from "../../report.ts";
import type { AttestationReport } from "../../verify/report.ts";
import { isOciTag } from "./reference.ts";
import type { OciDescriptor, OciManifest, OciOptions, OciSource } from "./source.ts";
import { bytesAccess, createTarFiles } from "./tar.ts";

/** A Helm chart in a registry. */
export interface OciChart {
  /** Name, as its package states it. */
  readonly name: string;
  /** Version, as its package states it. */
  readonly version: string;
  /** Name of the package: `NAME-VERSION.tgz`. */
  readonly file: string;
  /** The package. */
  readonly content: OciDescriptor;
  /** What its `.prov` file says; its signature is not verified by that. */
  readonly provenance?: HelmProvenance;
  /** That file as it is: an attestation, where OpenPGP keys are trusted. */
  readonly provenanceFile?: Uint8Array;
  /** What is wrong with it, whatever is attested: failed checks. */
  readonly faults: readonly Check[];
}

const CONFIG = "application/vnd.cncf.helm.config.v1+json";
const CONTENT = "application/vnd.cncf.helm.chart.content.v1.tar+gzip";
/** Media type of the layer that is a `.prov` file. */
export const PROVENANCE_TYPE = "application/vnd.cncf.helm.chart.provenance.v1.prov";

const CONFIG_BYTES = 1 << 20;
const PROVENANCE_BYTES = 1 << 20;
const PACKAGE_BYTES = 32 << 20;
const UNPACKED_BYTES = 64 << 20;

/** Tells whether a manifest is that of a Helm chart. */
export function isChart({ kind, config }: OciManifest): boolean {
  return kind === "image" && config?.mediaType === CONFIG;
}

/**
 * Reads what a chart says of itself: name and version in its config and in the package, and the
 * digest in its `.prov` file. They have to agree with each other and with the tag.
 *
 * Source: Helm documentation, "Use OCI-based registries"; HIP-0006.
 *
 * @param reference Tag or digest by which it was reached.
 * @throws {AttestationError} Those of {@linkcode OciSource}; `malformed-chart` or
 * `limit-exceeded` if it cannot be read.
 */
export async function readChart(
  source: OciSource,
  manifest: OciManifest,
  { reference, signal }: OciOptions & { reference: string },
): Promise<OciChart> {
  const contents = manifest.layers.filter(({ mediaType }) => mediaType === CONTENT);
  if (contents.length !== 1 || manifest.config === undefined) {
    throw malformed(`it has ${contents.length} packages, wanted one`);
  }
  const [content] = contents;
  const [config, packed] = await Promise.all([
    source.blob(manifest.config, { signal, maxBytes: CONFIG_BYTES }),
    source.blob(content, { signal, maxBytes: PACKAGE_BYTES }),
  ]);
  const stated = configOf(config);
  const inside = await readPackage(packed, stated.name);
  const list = new CheckList();
  const agree = (what: string, found: string, wanted: string) => {
    if (found === wanted) return;
    const message = `Cannot accept chart: ${what}`;
    list.refused("statement.chart", "subject-name-mismatch", message, {
      actual: found,
      expected: wanted,
    });
  };
  agree("its config has another name than its package", stated.name, inside.name);
  agree("its config has another version than its package", stated.version, inside.version);
  // A tag cannot have a plus: Helm writes an underscore.
  if (isOciTag(reference)) {
    agree("its tag is of another version", reference, inside.version.replaceAll("+", "_"));
  }
  const file = `${inside.name}-${inside.version}.tgz`;
  const layer = manifest.layers.find(({ mediaType }) => mediaType === PROVENANCE_TYPE);
  const provenanceFile = layer === undefined
    ? undefined
    : await source.blob(layer, { signal, maxBytes: PROVENANCE_BYTES });
  const provenance = provenanceFile === undefined ? undefined : parseHelmProvenance(provenanceFile);
  if (provenance !== undefined) compareProvenance(list, provenance, { file, content });
  return {
    ...inside,
    file,
    content,
    ...(provenance === undefined ? {} : { provenance, provenanceFile }),
    faults: list.checks,
  };
}

/** A `.prov` file about another package is no reason to believe this one. */
export function compareProvenance(
  list: CheckList,
  { files }: HelmProvenance,
  { file, content }: Pick<OciChart, "file" | "content">,
): void {
  const hex = Object.hasOwn(files, file) ? files[file] : undefined;
  if (`sha256:${hex}` === content.digest) return;
  const message = "Cannot accept chart: its .prov file is about another package";
  list.refused("statement.chart", "content-mismatch", message, {
    actual: hex === undefined ? Object.keys(files).join(", ") : `sha256:${hex}`,
    expected: hex === undefined ? file : content.digest,
  });
}

/**
 * An attestation about a chart: of its manifest, or of its package, which the manifest names by
 * its digest. The subject's name has to be that of the package, if it names a package.
 */
export function judgeChart(
  chart: OciChart,
  ofManifest: AttestationReport,
  ofPackage: AttestationReport,
): AttestationReport {
  const byPackage = !ofManifest.ok && ofPackage.ok;
  const one = byPackage ? ofPackage : ofManifest;
  const list = new CheckList();
  if (byPackage) {
    list.passed("statement.chart", `The subject is the package of the chart, ${chart.file}`, {
      actual: chart.content.digest,
    });
  }
  const name = one.ok ? packageName(one, chart) : undefined;
  if (name !== undefined) {
    const facts = { actual: name, expected: chart.file };
    if (name === chart.file) list.passed("statement.subject-name", "It is called as it is", facts);
    else {
      const message = "Cannot accept attestation: its subject is called as another package";
      list.refused("statement.subject-name", "subject-name-mismatch", message, facts);
    }
  }
  const checks = [...one.checks, ...list.checks, ...chart.faults];
  const failed = checks.find(({ outcome }) => outcome === "failed");
  if (!one.ok || failed === undefined) return { ...one, checks };
  // What a policy needs to know is told of accepted attestations alone.
  const { evidence: _, ...rest } = one;
  return { ...rest, ok: false, errorReason: failed.reason ?? "internal-error", checks };
}

/** File name of the subject that is the package or manifest, if it is one of a package. */
function packageName({ statement }: AttestationReport, { content }: OciChart): string | undefined {
  const hex = content.digest.slice(content.digest.indexOf(":") + 1);
  const subject = statement?.subject.find(({ digest = {} }) => Object.values(digest).includes(hex));
  const name = subject?.name?.split("/").at(-1);
  return name?.endsWith(".tgz") === true ? name : undefined;
}

function configOf(bytes: Uint8Array): { name: string; version: string } {
  try {
    const value = parseJson(bytes);
    if (isObject(value) && typeof value.name === "string" && typeof value.version === "string") {
      return { name: value.name, version: value.version };
    }
  } catch (cause) {
    if (!isAttestationError(cause)) throw cause;
  }
  throw malformed("its config has no name and version");
}

/**
 * Name and version in the package of a chart.
 *
 * @param name Name that its folder in the package has.
 * @throws {AttestationError} `malformed-chart`, `limit-exceeded`.
 */
export async function readPackage(
  packed: Uint8Array<ArrayBuffer>,
  name: string,
): Promise<ChartMetadata> {
  const files = createTarFiles(bytesAccess("package of chart", await gunzip(packed)));
  const path = `${name}/Chart.yaml`;
  let size: number | undefined;
  try {
    size = await files.size(path);
  } catch (cause) {
    if (!isAttestationError(cause) || cause.reason === "limit-exceeded") throw cause;
    throw new AttestationError("malformed-chart", "Cannot read chart: its package is no tar file", {
      cause,
    });
  }
  if (size === undefined) throw malformed(`its package has no ${quote(path)}`);
  return parseChartMetadata(
    new Uint8Array(await new Response(await files.open(path)).arrayBuffer()),
  );
}

/** Unpacks as far as it is accepted: a small file may claim to be endless. */
async function gunzip(packed: Uint8Array<ArrayBuffer>): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  let length = 0;
  try {
    const reader = decompress(new Blob([packed]).stream(), "gzip");
    for (let next = await reader.read(); !next.done; next = await reader.read()) {
      const part = next.value;
      length += part.length;
      if (length > UNPACKED_BYTES) {
        await reader.cancel().catch(() => {});
        throw new AttestationError(
          "limit-exceeded",
          `Cannot read chart: unpacked it has more than ${UNPACKED_BYTES} bytes`,
        );
      }
      parts.push(part);
    }
  } catch (cause) {
    if (isAttestationError(cause)) throw cause;
    throw new AttestationError(
      "malformed-chart",
      "Cannot read chart: its package is no gzip file",
      {
        cause,
      },
    );
  }
  return concat(...parts);
}

function malformed(what: string): AttestationError {
  return new AttestationError("malformed-chart", `Cannot read chart: ${what}`);
}
