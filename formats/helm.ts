import { AttestationError } from "../errors.ts";
import { decodeUtf8, quote } from "../internal/json.ts";

/** What a Helm chart calls itself. */
export interface ChartMetadata {
  /** Its name. */
  name: string;
  /** Its version. */
  version: string;
}

/** A `.prov` file: what somebody says of a chart, in OpenPGP clear text. */
export interface HelmProvenance extends ChartMetadata {
  /** SHA-256 by file name, lowercase hex. */
  files: Readonly<Record<string, string>>;
}

const PROVENANCE = "provenance of chart";
const MAX_LENGTH = 1 << 20;
const NAME = /^[A-Za-z0-9](?:[A-Za-z0-9._-]{0,251}[A-Za-z0-9])?$/;
const VERSION = /^v?[0-9A-Za-z][0-9A-Za-z.+-]{0,127}$/;
/** A plain name with its value, or what belongs to the member above it. */
const LINE = /^(?:[A-Za-z0-9_./-]+:(?:\s|$)|-(?:\s|$)|[ \t#]|$)/;
const FILE = /^ {2}("?)(?!\.{1,2}"?:)([A-Za-z0-9._+-]{1,255})\1: ("?)sha256:([0-9a-f]{64})\3$/;

/**
 * Reads name and version in the `Chart.yaml` of a packaged chart, and nothing else of it. Helm
 * writes that file itself when it packages a chart: as a block, one member a line.
 *
 * Source: Helm documentation, "Charts", "The Chart.yaml File".
 *
 * @param source Text or UTF-8 bytes, at most 1 MiB.
 * @throws {AttestationError} `malformed-chart`, `limit-exceeded`, `invalid-unicode`.
 *
 * @example
 * ```ts
 * import { parseChartMetadata } from "@x/attest/formats";
 * import assert from "node:assert/strict";
 *
 * const text = "apiVersion: v2\nname: app\nversion: 1.2.3\n";
 * assert.deepEqual(parseChartMetadata(text), { name: "app", version: "1.2.3" });
 * ```
 */
export function parseChartMetadata(source: string | Uint8Array): ChartMetadata {
  const lines = linesOf(source, "Chart.yaml");
  const odd = lines.find((line, i) => !LINE.test(line) && !(i === 0 && line === "---"));
  // Another way to write a name, such as in quotation marks, is one that is not looked for below.
  if (odd !== undefined) throw malformed("Chart.yaml", `${quote(odd)} is no member of a block`);
  const member = (name: string, form: RegExp): string => {
    const found = lines.filter((line) => line.startsWith(`${name}:`));
    if (found.length !== 1) {
      throw malformed("Chart.yaml", `it states ${name} ${found.length} times, wanted once`);
    }
    const value = scalar(found[0].slice(name.length + 1));
    if (value === undefined || !form.test(value)) {
      throw malformed("Chart.yaml", `${quote(found[0])} is no ${name} of a chart`);
    }
    return value;
  };
  return { name: member("name", NAME), version: member("version", VERSION) };
}

/**
 * Reads a `.prov` file of Helm: the chart's name and version, and the digests of its files.
 * Its OpenPGP signature is not verified: what it says is said by nobody.
 *
 * Source: Helm documentation, "Helm Provenance and Integrity", "The Provenance File".
 *
 * @param source Text or UTF-8 bytes, at most 1 MiB.
 * @throws {AttestationError} `malformed-chart`, `limit-exceeded`, `invalid-unicode`.
 *
 * @example
 * ```ts
 * import { parseHelmProvenance } from "@x/attest/formats";
 * import assert from "node:assert/strict";
 *
 * const { files } = parseHelmProvenance([
 *   "-----BEGIN PGP SIGNED MESSAGE-----",
 *   "Hash: SHA512",
 *   "",
 *   "name: app",
 *   "version: 1.2.3",
 *   "",
 *   "...",
 *   "files:",
 *   `  app-1.2.3.tgz: sha256:${"a".repeat(64)}`,
 *   "-----BEGIN PGP SIGNATURE-----",
 *   "",
 *   "wsBc…",
 *   "-----END PGP SIGNATURE-----",
 * ].join("\n"));
 * assert.deepEqual(Object.keys(files), ["app-1.2.3.tgz"]);
 * ```
 */
export function parseHelmProvenance(source: string | Uint8Array): HelmProvenance {
  const lines = linesOf(source, PROVENANCE);
  const fail = (what: string) => malformed(PROVENANCE, what);
  if (lines[0] !== "-----BEGIN PGP SIGNED MESSAGE-----") {
    throw fail("it is no OpenPGP clear text");
  }
  const start = lines.indexOf("");
  const end = lines.indexOf("-----BEGIN PGP SIGNATURE-----");
  if (start < 0 || end < start) throw fail("it has no signature after its text");
  const text = lines.slice(start + 1, end).map((line) =>
    line.startsWith("- ") ? line.slice(2) : line
  );
  return readText(text);
}

/** Tells a text of a `.prov` file from others by its two parts. */
export function isHelmText(text: string): boolean {
  return /\n\.\.\.\nfiles:\n/.test(text) && /^name:/m.test(text);
}

/**
 * Reads the text of a `.prov` file, as it was signed.
 *
 * @throws {AttestationError} `malformed-chart`, `limit-exceeded`.
 */
export function parseHelmText(text: string): HelmProvenance {
  return readText(linesOf(text, PROVENANCE));
}

function readText(text: readonly string[]): HelmProvenance {
  const fail = (what: string) => malformed(PROVENANCE, what);
  const split = text.indexOf("...");
  if (split < 0 || text.indexOf("...", split + 1) >= 0) {
    throw fail('wanted one line "..." between the chart and its files');
  }
  const rest = text.slice(split + 1).filter((line) => line.trim() !== "");
  if (rest[0] !== "files:") throw fail("it has no files");
  const files = new Map<string, string>();
  for (const line of rest.slice(1)) {
    const [, , name, , hex] = FILE.exec(line) ?? [];
    if (name === undefined) throw fail(`${quote(line)} is no file with its SHA-256`);
    if (files.has(name)) throw fail(`${quote(name)} is there twice`);
    files.set(name, hex);
  }
  if (files.size === 0) throw fail("it has no files");
  return {
    ...parseChartMetadata(text.slice(0, split).join("\n")),
    files: Object.fromEntries(files),
  };
}

function linesOf(source: string | Uint8Array, what: string): string[] {
  if (source.length > MAX_LENGTH) {
    throw new AttestationError(
      "limit-exceeded",
      `Cannot read ${what}: ${source.length} bytes, at most ${MAX_LENGTH} are accepted`,
    );
  }
  const text = typeof source === "string" ? source : decodeUtf8(source);
  const lines = text.split("\n").map((line) => line.endsWith("\r") ? line.slice(0, -1) : line);
  // For YAML these end a line too, and what follows would be hidden from this reader.
  if (lines.some((line) => /[\r\u0085\u2028\u2029]/.test(line))) {
    throw malformed(what, "the end of a line stands within one");
  }
  return lines;
}

/** A plain or quoted text without anything that YAML would resolve or escape. */
function scalar(text: string): string | undefined {
  const comment = text.search(/\s#/);
  const value = (comment < 0 ? text : text.slice(0, comment)).trim();
  const quoted = /^(["'])([^"'\\]*)\1$/.exec(value);
  return /^\s/.test(text) ? quoted?.[2] ?? value : undefined;
}

function malformed(what: string, problem: string): AttestationError {
  return new AttestationError("malformed-chart", `Cannot read ${what}: ${problem}`);
}
