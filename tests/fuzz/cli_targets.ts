/** The command line as a target: any arguments, and never an exception or a wrong success. */

import { main } from "../../cli/main.ts";
import { MemoryRuntime } from "../cli_runtime.ts";
import { textSeed } from "./corpus.ts";
import { textOf } from "./mutate_text.ts";
import { Broken, type Target } from "./target.ts";

const SIGNER = "https://github.com/example/hello/.github/workflows/release.yml@refs/tags/v1.0.0";
const ISSUER = "https://token.actions.githubusercontent.com";
const GOOD = [
  "verify",
  "hello.txt",
  "--bundle",
  "hello.txt.sigstore.json",
  "--trusted-root",
  "trusted_root.json",
  "--certificate-identity",
  SIGNER,
  "--certificate-oidc-issuer",
  ISSUER,
];

/** Command lines to begin with; all stay in memory, and none asks a service. */
const LINES: readonly (readonly string[])[] = [
  GOOD,
  [...GOOD, "--format", "json"],
  ["verify", "hello.txt", "--bundle", "keyed.json", "--key", "ci.pub"],
  [
    "verify",
    "--digest",
    `sha256:${"a".repeat(64)}`,
    "--bundle",
    "keyed.json",
    "--key",
    "ci.pub",
  ],
  ["inspect", "hello.txt.sigstore.json"],
  ["diff", "hello.txt.sigstore.json", "keyed.json"],
  ["policy", "check", "policy.json"],
  ["policy", "explain", "policy.json"],
  ["explain", "invalid-signature"],
  ["help", "verify"],
  ["version"],
  ["--", "x"],
];

/** One target. */
export const CLI_TARGETS: readonly Target[] = [{
  name: "cli",
  kind: "verifier",
  async prepare(corpus) {
    const files = {
      "hello.txt": corpus.file("testdata/example/hello.txt"),
      "hello.txt.sigstore.json": corpus.file("testdata/example/hello.txt.sigstore.json"),
      "trusted_root.json": corpus.file("testdata/example/trusted_root.json"),
      "keyed.json": corpus.file("testdata/example/keyed/hello.txt.intoto.json"),
      "ci.pub": corpus.file("testdata/example/keyed/ci.pub"),
      "policy.json": corpus.file("docs/policy/examples/image.json"),
    };
    const run = async (args: readonly string[]) => {
      const runtime = new MemoryRuntime(files, args);
      runtime.fetch = () => Promise.reject(new TypeError("no network"));
      runtime.sleep = () => Promise.resolve();
      return { status: await main(runtime), runtime };
    };
    const { status, runtime } = await run(GOOD);
    if (status !== 0) throw new Error(`The good command line fails: ${runtime.stderr}`);
    return {
      seeds: LINES.map((args, i) => textSeed(`line ${i + 1}`, args.join("\n"))),
      shape: "arguments" as const,
      async run(input) {
        const args = textOf(input).split("\n");
        // What makes keys is dear, and writes in memory only.
        if (args[0] === "keygen") return "usage";
        const { status, runtime } = await run(args);
        if (![0, 1, 2].includes(status)) throw new Broken(`exit status ${status}`);
        if (status !== 0 && runtime.stderr === "" && runtime.stdout === "") {
          throw new Broken("it fails and says nothing");
        }
        if (/\(internal-error\)/.test(runtime.stderr)) {
          throw new Broken(`internal-error: ${runtime.stderr.split("\n")[0].slice(0, 120)}`);
        }
        const said = /\((?<reason>[a-z][a-z-]+)\)\n/.exec(runtime.stderr)?.groups?.reason;
        const help = args.includes("--help") || args.includes("-h");
        if (args[0] === "verify" && status === 0 && !help) {
          const isKeyed = args.some((arg) => arg.includes("ci.pub"));
          const named = args.some((arg) => arg.includes("example/hello") || arg === "--key") ||
            isKeyed || args.some((arg) => arg.startsWith("--unsafely"));
          if (!named) throw new Broken("verified without an expected signer");
        }
        return status === 0 ? null : said ?? "usage";
      },
    };
  },
}];
