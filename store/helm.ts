import { AttestationError, isAttestationError } from "../errors.ts";
import { parseHelmProvenance } from "../formats/helm.ts";
import { CheckList } from "../internal/check_list.ts";
import { digest } from "../internal/digest.ts";
import { encodeHex } from "../internal/hex.ts";
import { type HttpOptions, request } from "../internal/http.ts";
import { decodeUtf8, isObject, type Json, type JsonObject, quote } from "../internal/json.ts";
import { refuseUnknown } from "../internal/options.ts";
import { furthestReason } from "../verify/assemble.ts";
import type { VerifyOptions } from "../verify/options.ts";
import type { LookupReport, VerificationReport } from "../verify/report.ts";
import { verify } from "../verify/verify.ts";
import { createHttpSource } from "./http.ts";
import { lookUp, type LookupStep } from "./layered.ts";
import { compareProvenance, judgeChart, type OciChart, readPackage } from "./oci/chart.ts";
import { judgeImages } from "./oci/verify_image.ts";

/** A chart in a repository that is reached by HTTP. */
export interface HelmChartReference {
  /** Address of the repository: the folder of its `index.yaml`. */
  repository: string;
  /** Name of the chart. */
  name: string;
  /** Its version, exact. */
  version: string;
}

/** Options of {@linkcode verifyHelmChart}. Unknown names are refused. */
export interface VerifyHelmChartOptions {
  /** Whom to believe and what to expect, as in `verify()`. */
  verify?: VerifyOptions;
  /** How the repository is asked. */
  http?: HttpOptions;
}

/** Annotation of a chart in an index that names the address of its attestations. */
const ANNOTATION = "attestations";
const INDEX_BYTES = 32 << 20;
const PACKAGE_BYTES = 32 << 20;
const PROVENANCE_BYTES = 1 << 20;
const REDIRECTS = 5;

/**
 * Verifies a chart of a Helm repository: the index is asked for the chart's package, and
 * attestations are looked for beside that (`app-1.2.3.tgz.sigstore.json` and the like) and at
 * the address that the chart's annotation `attestations` names.
 *
 * Nobody signs an index: its digest, the names and a `.prov` file have to agree with the
 * package, and none of them is believed. A `.prov` file is an attestation where OpenPGP keys are
 * trusted; elsewhere its signature is not verified.
 *
 * Source: Helm documentation, "The Chart Repository Guide"; "Helm Provenance and Integrity".
 *
 * @returns The report of `verify()` with one artifact, the package, and where was looked.
 * @throws {AttestationError} `image-not-found` if there is no such chart, `malformed-chart`,
 * `service-unavailable`, `service-refused`, `limit-exceeded`.
 * @throws {TypeError} If an option is unknown or an address is none.
 *
 * @example A chart that is not listed
 * ```ts
 * import { isAttestationError } from "@x/attest";
 * import { verifyHelmChart } from "@x/attest/store";
 * import assert from "node:assert/strict";
 *
 * const chart = { repository: "https://charts.example/stable", name: "app", version: "1.2.3" };
 * const fetch = () => Promise.resolve(new Response("entries: {}"));
 * await assert.rejects(
 *   verifyHelmChart(chart, { http: { fetch } }),
 *   (error) => isAttestationError(error) && error.reason === "image-not-found",
 * );
 * ```
 */
export async function verifyHelmChart(
  chart: HelmChartReference,
  options: VerifyHelmChartOptions = {},
): Promise<VerificationReport> {
  refuseUnknown(options, ["verify", "http"], "verifyHelmChart()");
  refuseUnknown(chart, ["repository", "name", "version"], "a chart");
  const { verify: settings = {}, http = {} } = options;
  const { name, version } = chart;
  const base = new URL(chart.repository.replace(/\/*$/, "/"));
  const entry = await entryOf(base, chart, http);
  const url = packageUrl(entry, base);
  const packed = await get("fetch chart", url.href, PACKAGE_BYTES, http);
  if (packed === undefined) throw absent(`${name} ${version}: ${quote(url.href)} is not there`);
  const sha256 = encodeHex(await digest("SHA-256", packed));
  const found: OciChart = {
    ...await readPackage(packed, name),
    file: `${name}-${version}.tgz`,
    content: { mediaType: "application/gzip", digest: `sha256:${sha256}`, size: packed.length },
    faults: [],
  };
  const list = new CheckList();
  compareEntry(list, found, entry, chart);
  const provenance = await provenanceOf(url, http);
  if (provenance !== undefined) {
    compareProvenance(list, parseHelmProvenance(provenance.content), found);
  }
  const isSigned = provenance !== undefined && settings.trust?.openpgp !== undefined;
  const named = attestationsUrl(entry, base);
  const sources = [url, ...named === undefined ? [] : [named]].map(({ href }) =>
    createHttpSource({ ...http, url: href })
  );
  const { attestations, tried } = await lookUp(sources, { sha256 });
  const artifact = { name: `helm:${base.href}${name}@${version}`, digest: { sha256 } };
  const { artifacts: [row] } = await verify(
    [
      ...attestations.map(({ source, content }) => ({ source, content })),
      ...isSigned ? [provenance] : [],
    ],
    artifact,
    settings,
  );
  const judged = row.attestations.map((one) =>
    judgeChart({ ...found, faults: list.checks }, one, one)
  );
  const ok = judged.some((one) => one.ok);
  const report = await judgeImages([{
    ...row,
    ok,
    errorReason: ok ? null : furthestReason(judged),
    attestations: judged,
    lookups: tried.map(lookupOf),
  }], settings);
  report.images = [{
    reference: artifact.name,
    digest: found.content.digest,
    mediaType: found.content.mediaType,
    requires: "manifest",
    inheritFromIndex: false,
    chart: { name: found.name, version: found.version },
    ...(provenance === undefined || isSigned ? {} : {
      others: [{
        source: provenance.source,
        artifactType: "application/pgp-signature",
        what: "A provenance file of Helm; its signature is not verified: no OpenPGP key is trusted",
      }],
    }),
  }];
  return report;
}

function lookupOf({ store, outcome, count, errorReason, error }: LookupStep): LookupReport {
  return {
    via: "http",
    place: store,
    outcome: outcome === "failed" ? "unavailable" : outcome === "found" ? "found" : "not-found",
    count,
    ...(errorReason === null ? {} : { reason: errorReason, message: error?.message ?? "" }),
  };
}

/** What the index says of the very version that is asked for. */
async function entryOf(
  base: URL,
  { name, version }: HelmChartReference,
  http: HttpOptions,
): Promise<JsonObject> {
  const bytes = await get(
    "fetch index of charts",
    new URL("index.yaml", base).href,
    INDEX_BYTES,
    http,
  );
  if (bytes === undefined) throw absent(`${name}: ${quote(base.href)} has no index.yaml`);
  const { entries } = await indexOf(bytes);
  const versions = isObject(entries) && Object.hasOwn(entries, name) ? entries[name] : undefined;
  const found = (Array.isArray(versions) ? versions : []).filter((one): one is JsonObject =>
    isObject(one) && one.version === version
  );
  if (found.length === 1) return found[0];
  throw found.length === 0
    ? absent(`${name} ${version}: the index does not list it`)
    : malformed(`it lists ${name} ${version} ${found.length} times`);
}

/** YAML in which every value is a text: a version such as 1.10 is no number. */
async function indexOf(bytes: Uint8Array): Promise<JsonObject> {
  const { parseDocument } = await import("yaml");
  const document = parseDocument(decodeUtf8(bytes), {
    uniqueKeys: true,
    schema: "failsafe",
    strict: true,
  });
  const [error] = [...document.errors, ...document.warnings];
  if (error !== undefined) throw malformed("it is no YAML");
  let value: Json;
  try {
    value = document.toJS({ maxAliasCount: 0 });
  } catch (cause) {
    throw malformed("it has aliases", cause);
  }
  if (!isObject(value)) throw malformed("it is no index");
  return value;
}

function packageUrl({ urls }: JsonObject, base: URL): URL {
  const [first] = Array.isArray(urls) ? urls : [];
  const url = addressOf(first, base);
  if (url === undefined) {
    throw malformed("it has no address of a package");
  }
  return url;
}

function addressOf(text: unknown, base: URL): URL | undefined {
  if (typeof text !== "string") return undefined;
  try {
    const url = new URL(text, base);
    return /^https?:$/.test(url.protocol) ? url : undefined;
  } catch {
    return undefined;
  }
}

function attestationsUrl({ annotations }: JsonObject, base: URL): URL | undefined {
  const text = isObject(annotations) ? annotations[ANNOTATION] : undefined;
  if (text === undefined) return undefined;
  const url = addressOf(text, base);
  if (url === undefined) throw malformed(`its annotation ${ANNOTATION} is no address`);
  return url;
}

function compareEntry(
  list: CheckList,
  found: OciChart,
  entry: JsonObject,
  { name, version }: HelmChartReference,
): void {
  const compare = (what: string, actual: string, expected: string, isDigest: boolean) => {
    if (actual === expected) return;
    const reason = isDigest ? "content-mismatch" : "subject-name-mismatch";
    const message = `Cannot accept chart: ${what}`;
    list.refused("statement.chart", reason, message, { actual, expected });
  };
  compare("its package has another name", found.name, name, false);
  compare("its package has another version", found.version, version, false);
  if (typeof entry.digest === "string") {
    const stated = entry.digest.replace(/^sha256:/, "");
    const own = found.content.digest.replace(/^sha256:/, "");
    compare("the index states another digest", own, stated, true);
  }
}

async function provenanceOf(
  url: URL,
  http: HttpOptions,
): Promise<{ source: string; content: Uint8Array } | undefined> {
  const address = new URL(url);
  address.pathname += ".prov";
  const bytes = await get("fetch provenance of chart", address.href, PROVENANCE_BYTES, http);
  return bytes === undefined ? undefined : { source: address.href, content: bytes };
}

/** What is at an address; undefined if nothing is. */
async function get(
  action: string,
  url: string,
  maxBytes: number,
  http: HttpOptions,
): Promise<Uint8Array<ArrayBuffer> | undefined> {
  const init = { accept: [200, 404, 410], redirects: REDIRECTS };
  const { status, body } = await request(action, url, init, { ...http, maxBytes });
  return status === 200 ? body : undefined;
}

function absent(what: string): AttestationError {
  return new AttestationError("image-not-found", `Cannot find chart ${what}`);
}

function malformed(what: string, cause?: unknown): AttestationError {
  return new AttestationError("malformed-chart", `Cannot use index of charts: ${what}`, {
    ...(isAttestationError(cause) || cause instanceof Error ? { cause } : {}),
  });
}
