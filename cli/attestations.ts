import { AttestationError, isAttestationError } from "../errors.ts";
import { printable, quote } from "../internal/json.ts";
import type { AttestationContent } from "../verify/options.ts";
import type { AttestationReport } from "../verify/report.ts";
import { attestationLimit } from "./carried_signature.ts";
import { access, readBounded, type Runtime } from "./runtime.ts";
import { plural } from "./text.ts";

/** An attestation with the name to report it by. */
export interface NamedAttestation {
  /** File, with `#` and the line for JSON Lines. */
  source: string;
  /** Text, bytes or parsed JSON. */
  content: AttestationContent;
  /** What a detached signature is over, where it is not the artifact. */
  message?: Uint8Array;
}

/** What the files of attestations hold. */
export interface Loaded {
  /** Attestations, in the order of the files. */
  attestations: NamedAttestation[];
  /** Reports of files in which nothing can be used. */
  unusable: AttestationReport[];
}

/** Largest file that is read as a whole. */
export const MAX_ATTESTATION_BYTES = 32 << 20;
/** Largest file of JSON Lines; it is read line by line. */
export const MAX_LINES_BYTES = 4 * 2 ** 30;
/** Most attestations of one run. */
const MAX_ATTESTATIONS = 100_000;
/** Bad lines that are told one by one. */
const MAX_NOTICES = 5;

/** Reads files of attestations, each once. */
export class AttestationFiles {
  readonly #runtime: Runtime;
  readonly #files = new Map<string, Promise<Loaded>>();
  readonly #notices: string[];

  /** Notices about what is skipped are added to `notices`. */
  constructor(runtime: Runtime, notices: string[]) {
    this.#runtime = runtime;
    this.#notices = notices;
  }

  /** The files that were read. */
  get paths(): string[] {
    return [...this.#files.keys()];
  }

  /**
   * Attestations of several files.
   *
   * @throws {AttestationError} `unreadable-file`, `limit-exceeded`.
   */
  async load(paths: readonly string[]): Promise<Loaded> {
    const all: Loaded = { attestations: [], unusable: [] };
    for (const path of paths) {
      let file = this.#files.get(path);
      if (file === undefined) this.#files.set(path, file = this.#read(path));
      const { attestations, unusable } = await file;
      for (const attestation of attestations) all.attestations.push(attestation);
      all.unusable.push(...unusable);
    }
    return all;
  }

  async #read(path: string): Promise<Loaded> {
    if (path.endsWith(".jsonl")) return await this.#readLines(path);
    try {
      const content = await readBounded(
        this.#runtime,
        path,
        await attestationLimit(this.#runtime, path, MAX_ATTESTATION_BYTES),
      );
      return { attestations: [{ source: path, content }], unusable: [] };
    } catch (error) {
      // Too large is something about the attestation; not readable is something about the run.
      if (!isAttestationError(error) || error.reason !== "limit-exceeded") throw error;
      return { attestations: [], unusable: [unusableAttestation(path, error)] };
    }
  }

  async #readLines(path: string): Promise<Loaded> {
    const { readJsonLines } = await import("../intoto/json_lines.ts");
    const info = await access("read", path, () => this.#runtime.stat(path));
    if (info?.kind !== "file") {
      const state = info === undefined ? "it does not exist" : "it is no file";
      throw new AttestationError("unreadable-file", `Cannot read ${quote(path)}: ${state}`);
    }
    if (info.size > MAX_LINES_BYTES) {
      const message = `Cannot read ${quote(path)}: more than ${MAX_LINES_BYTES} bytes`;
      return {
        attestations: [],
        unusable: [unusableAttestation(path, new AttestationError("limit-exceeded", message))],
      };
    }
    const attestations: NamedAttestation[] = [];
    let bad = 0;
    let first: AttestationReport | undefined;
    const stream = await access("read", path, () => this.#runtime.openRead(path));
    for await (const line of readJsonLines(stream)) {
      const source = `${path}#${line.line}`;
      if (line.ok) {
        if (attestations.length === MAX_ATTESTATIONS) {
          throw new AttestationError(
            "limit-exceeded",
            `Cannot read ${quote(path)}: more than ${MAX_ATTESTATIONS} attestations`,
          );
        }
        attestations.push({ source, content: line.value });
        continue;
      }
      first ??= unusableAttestation(source, line.error);
      if (++bad <= MAX_NOTICES) {
        this.#notices.push(
          `Skipped ${printable(source)}: ${printable(line.error.message)} (${line.errorReason})`,
        );
      }
    }
    if (bad > MAX_NOTICES) {
      this.#notices.push(
        `Skipped ${plural(bad - MAX_NOTICES, "more line")} of ${printable(path)}`,
      );
    }
    if (attestations.length === 0) {
      first ??= unusableAttestation(
        path,
        new AttestationError("empty-input", `Cannot read ${quote(path)}: it has no line`),
      );
      return { attestations, unusable: [first] };
    }
    return { attestations, unusable: [] };
  }
}

/** The report of an attestation that could not be read, or of a store that could not be asked. */
export function unusableAttestation(source: string, error: AttestationError): AttestationReport {
  return {
    source,
    format: "unknown",
    ok: false,
    errorReason: error.reason,
    signers: [],
    timestamps: [],
    checks: [{
      id: "storage.read",
      layer: "storage",
      outcome: "failed",
      reason: error.reason,
      message: error.message,
    }],
  };
}
