/** The other verifiers: two that answer many questions each, two that are started for each. */

import { type ChildProcess, execFile, spawn } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { createInterface, type Interface } from "node:readline";
import { fileURLToPath } from "node:url";
import { decodeBase64 } from "../../internal/base64.ts";
import { findNode, npmInstall, ROOT, run, ToolAbsent } from "../runtimes/tools.ts";
import { type Answer, predicateTypeIn, type Question, sha256Of } from "./questions.ts";

/** A verifier. */
export interface Peer {
  name: string;
  /** Whether it is started anew for each question, and so asked less. */
  isSlow: boolean;
  ask(question: Question): Promise<Answer>;
  close(): void;
}

const HERE = fileURLToPath(new URL(".", import.meta.url));

/** Makes a peer by name; throws {@linkcode ToolAbsent} with the reason if it is not here. */
export const PEERS: Readonly<Record<string, () => Peer>> = {
  "sigstore-js": () => {
    const versions = ["@sigstore/verify@4.1.3", "@sigstore/bundle@5.0.1"];
    const folder = process.env.SIGSTORE_JS ??
      join(ROOT, "node_modules/.cache/attest-tools/sigstore-js-verify-4.1.3");
    if (!existsSync(join(folder, "node_modules/@sigstore/verify"))) {
      npmInstall(folder, [...versions, "@sigstore/protobuf-specs@0.5.2"]);
    }
    return lines("sigstore-js", findNode(24), [join(HERE, "peer_js.mjs"), folder]);
  },
  "sigstore-python": () => {
    const python = process.env.PY ?? "python3";
    const probe = run(python, ["-c", "import sigstore; print(sigstore.__version__)"]);
    if (probe.code !== 0) throw new ToolAbsent(`${python} has no sigstore; set PY`);
    return lines("sigstore-python", python, [join(HERE, "peer_python.py")]);
  },
  "sigstore-go": () => {
    const binary = goBinary("sigstore-go-conformance");
    return processes("sigstore-go", async (question, files) => {
      const hash = await sha256Of(question);
      if (hash === undefined) return undefined;
      return [binary, [
        "verify-bundle",
        ...["--bundle", files.bundle],
        ...(files.key === undefined
          ? [
            ...["--certificate-identity", question.identity],
            ...["--certificate-oidc-issuer", question.issuer],
          ]
          : ["--key", files.key]),
        ...["--trusted-root", files.root],
        files.artifact ?? `sha256:${hash}`,
      ]];
    });
  },
  "cosign": () => {
    const binary = goBinary("cosign");
    return processes("cosign", (question, files) => {
      const type = predicateTypeIn(question.bundle);
      const { artifact } = question;
      const isStatement = question.bundle.includes('"dsseEnvelope"');
      if (files.key !== undefined) return Promise.resolve(undefined);
      if (!isStatement && files.artifact === undefined) return Promise.resolve(undefined);
      const subject = files.artifact !== undefined
        ? [files.artifact]
        : "sha256" in artifact
        ? ["--digest", artifact.sha256, "--digestAlg", "sha256"]
        : "sha512" in artifact
        ? ["--digest", artifact.sha512, "--digestAlg", "sha512"]
        : [];
      return Promise.resolve([binary, [
        isStatement ? "verify-blob-attestation" : "verify-blob",
        ...["--bundle", files.bundle, "--trusted-root", files.root],
        ...["--certificate-identity", question.identity],
        ...["--certificate-oidc-issuer", question.issuer],
        ...(/"signedTimestamp"/.test(question.bundle) ? ["--use-signed-timestamps"] : []),
        ...(isStatement ? ["--type", type ?? "custom"] : []),
        ...subject,
      ]]);
    });
  },
};

function goBinary(name: string): string {
  const { code, out } = run("go", ["env", "GOPATH"]);
  const path = join(code === 0 ? out.trim() : "", "bin", name);
  if (existsSync(path)) return path;
  if (run(name, ["version"]).code === 127) throw new ToolAbsent(`${name} is not installed`);
  return name;
}

/** A process that answers a line with a line. */
function lines(name: string, command: string, args: string[]): Peer {
  let child: ChildProcess | undefined;
  let waiting: ((line: string | undefined) => void) | undefined;
  let reader: Interface | undefined;
  const start = () => {
    const started = spawn(command, args, { stdio: ["pipe", "pipe", "ignore"] });
    child = started;
    reader = createInterface({ input: started.stdout });
    reader.on("line", (line) => waiting?.(line));
    started.on("close", () => {
      if (child === started) child = undefined;
      waiting?.(undefined);
    });
  };
  return {
    name,
    isSlow: false,
    ask: async (question) => {
      if (child === undefined) start();
      const line = await new Promise<string | undefined>((resolve) => {
        const timer = setTimeout(() => child?.kill(), 20_000);
        waiting = (line) => {
          clearTimeout(timer);
          waiting = undefined;
          resolve(line);
        };
        child?.stdin?.write(`${JSON.stringify(question)}\n`);
      });
      return line === undefined ? { verdict: "fail", why: "crash or timeout" } : JSON.parse(line);
    },
    close: () => {
      reader?.close();
      child?.kill();
    },
  };
}

interface Files {
  bundle: string;
  root: string;
  artifact?: string;
  key?: string;
}

type Command = (question: Question, files: Files) => Promise<[string, string[]] | undefined>;

/** A command that is started for each question. */
function processes(name: string, commandFor: Command): Peer {
  const folder = mkdtempSync(join(tmpdir(), "attest-differential-"));
  const write = (file: string, content: string | Uint8Array) => {
    const path = join(folder, file);
    writeFileSync(path, content);
    return path;
  };
  return {
    name,
    isSlow: true,
    ask: async (question) => {
      const { bundle, root, artifact, key } = question;
      const command = await commandFor(question, {
        bundle: write("bundle.json", bundle),
        root: write("root.json", root),
        ...("base64" in artifact
          ? { artifact: write("artifact", decodeBase64(artifact.base64)) }
          : {}),
        ...(key === undefined ? {} : { key: write("key.pem", key) }),
      });
      if (command === undefined) return { verdict: "n/a", why: "has no way to ask" };
      return await new Promise((resolve) => {
        execFile(command[0], command[1], { timeout: 20_000 }, (error, _out, err) => {
          resolve(
            error === null ? { verdict: "pass", why: "" } : {
              verdict: "fail",
              why: (err || error.message).trim().split("\n")[0].slice(0, 300),
            },
          );
        });
      });
    },
    close: () => rmSync(folder, { recursive: true, force: true }),
  };
}
