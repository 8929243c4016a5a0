/** Throw-away git repositories, and the command line in them, for tests of `gate`. */

import { execFileSync, spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import process from "node:process";
import { type GateDependencies, type GateReport, runGate } from "../cli/gate.ts";
import { describeFailure } from "../cli/main.ts";
import type { Runtime } from "../cli/runtime.ts";
import { nodeRuntime } from "../cli/runtime_node.ts";
import { createEnvelope } from "../dsse/mod.ts";
import { utf8 } from "../internal/bytes.ts";
import { encodeHex } from "../internal/hex.ts";
import { sha256 } from "../internal/sha256.ts";
import { generateSigner, type Signer } from "../keys/mod.ts";

/** Whether git is there. */
export const HAS_GIT: boolean = spawnSync("git", ["--version"]).status === 0;

/** The environment of every git: nobody's configuration, and dates that do not change. */
const ENV: NodeJS.ProcessEnv = {
  ...process.env,
  GIT_CONFIG_GLOBAL: "/dev/null",
  GIT_CONFIG_SYSTEM: "/dev/null",
  GIT_AUTHOR_NAME: "a",
  GIT_AUTHOR_EMAIL: "a@acme.example",
  GIT_COMMITTER_NAME: "a",
  GIT_COMMITTER_EMAIL: "a@acme.example",
};

/** What one run did. */
export interface GateOutcome {
  status: number;
  out: string;
  err: string;
  /** The report, where `--format json` was given. */
  report?: GateReport;
}

/** A repository in a folder of its own. */
export class Repository {
  readonly folder: string;
  #signer?: Signer;
  publicKey = "";

  constructor(folder: string = mkdtempSync(join(tmpdir(), "attest-gate-"))) {
    this.folder = folder;
  }

  /** A repository with a key whose public half is in `ci.pub` outside of it. */
  static async create(): Promise<Repository> {
    const repository = new Repository();
    repository.git("init", "-q", "-b", "main", ".");
    const { signer, publicKey } = await generateSigner("Ed25519", { name: "ci" });
    repository.#signer = signer;
    repository.publicKey = publicKey;
    writeFileSync(`${repository.folder}.pub`, publicKey);
    return repository;
  }

  get key(): string {
    return `${this.folder}.pub`;
  }

  git(...args: string[]): string {
    return execFileSync("git", args, { cwd: this.folder, env: ENV, encoding: "utf8" });
  }

  write(path: string, content: string | Uint8Array): void {
    const full = join(this.folder, path);
    mkdirSync(dirname(full), { recursive: true });
    writeFileSync(full, content);
  }

  /** Commits all that is there; answers the commit. */
  commit(message = "change"): string {
    this.git("add", "-A");
    this.git("commit", "-q", "--allow-empty", "-m", message);
    return this.git("rev-parse", "HEAD").trim();
  }

  /** An envelope about bytes, by the key. */
  async attest(content: string | Uint8Array, predicate: object = {}): Promise<string> {
    const bytes = typeof content === "string" ? utf8(content) : content;
    return await this.attestDigest({ sha256: encodeHex(sha256(bytes)) }, predicate);
  }

  /** An envelope about a digest, by the key. */
  async attestDigest(digest: Record<string, string>, predicate: object = {}): Promise<string> {
    if (this.#signer === undefined) throw new TypeError("The repository has no key");
    const statement = {
      _type: "https://in-toto.io/Statement/v1",
      subject: [{ name: "it", digest }],
      predicateType: "https://example.com/checked/v1",
      predicate,
    };
    const type = "application/vnd.in-toto+json";
    return JSON.stringify(
      await createEnvelope(type, utf8(JSON.stringify(statement)), this.#signer),
    );
  }

  /** Writes a file and its attestation beside it. */
  async writeAttested(path: string, content: string): Promise<void> {
    this.write(path, content);
    this.write(`${path}.intoto.json`, await this.attest(content));
  }

  /** Runs `gate` in the repository, in this process. */
  async gate(args: readonly string[], more: {
    dependencies?: GateDependencies;
    variables?: Record<string, string>;
    runtime?: Partial<Runtime>;
  } = {}): Promise<GateOutcome> {
    let out = "";
    let err = "";
    const base = nodeRuntime();
    const at = (path: string) => path.startsWith("/") ? path : join(this.folder, path);
    const runtime: Runtime = Object.assign(Object.create(base) as Runtime, {
      program: "attest",
      noColor: true,
      stat: (path: string) => base.stat(at(path)),
      readFile: (path: string) => base.readFile(at(path)),
      readDir: (path: string) => base.readDir(at(path)),
      openRead: (path: string) => base.openRead(at(path)),
      realPath: (path: string) => base.realPath(at(path)),
      writeFileAtomic: (path: string, text: string) => base.writeFileAtomic(at(path), text),
      env: (name: string) => more.variables?.[name],
      run: (command: string, words: readonly string[], options = {}) =>
        base.run(command, words, { cwd: this.folder, ...options }),
      write: (stream: string, text: string) => {
        if (stream === "stdout") out += text;
        else err += text;
      },
      isTerminal: () => false,
      ...more.runtime,
    });
    let status: number;
    try {
      status = await runGate(args, runtime, more.dependencies);
    } catch (error) {
      status = 2;
      err += describeFailure(error, "gate", "attest");
    }
    const isJson = args.includes("--format=json") && out.startsWith("{");
    return { status, out, err, ...(isJson ? { report: JSON.parse(out) } : {}) };
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
    rmSync(`${this.folder}.pub`, { force: true });
  }
}

/** What became of each changed path, as `PATH outcome`, sorted. */
export function pathsOf({ report, err }: GateOutcome): string[] {
  if (report === undefined) throw new Error(err);
  return report.gate.paths.map(({ path, outcome }) => `${path} ${outcome}`).sort();
}

/** Reasons by the name of the artifact; `ok` where it is. */
export function reasonsOf({ report, err }: GateOutcome): Record<string, string> {
  if (report === undefined) throw new Error(err);
  return Object.fromEntries(
    report.artifacts.map(({ artifact, errorReason }) => [artifact, errorReason ?? "ok"]),
  );
}
