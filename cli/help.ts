import { quote } from "../internal/json.ts";
import { type OptionSpec, parseArgs, suggestion, usageError } from "./args.ts";
import type { Runtime } from "./runtime.ts";
import { wrap } from "./text.ts";
import { VERSION } from "./version.ts";

interface CommandHelp {
  /** One line for the overview. */
  summary: string;
  /** Arguments after the name. */
  usage: string;
  /** What there is to know beside the options. */
  notes: readonly string[];
  /** What for, and the arguments after the program's name. */
  examples: readonly (readonly [string, string])[];
  /** Loads the table of options. */
  options: () => Promise<readonly OptionSpec[]>;
}

const NONE = () => Promise.resolve([]);

const COMMANDS: Readonly<Record<string, CommandHelp>> = {
  verify: {
    summary: "verify artifacts by their attestations",
    usage: "[ARTIFACT…] [OPTION…]",
    notes: [
      "ARTIFACT is a file, a folder (all files in it), or ALG:HEX. Its attestation is looked for " +
      "next to it: NAME.sigstore.json, NAME.sigstore, NAME.intoto.jsonl, NAME.intoto.json, " +
      "NAME.att.json, or sha256:<digest>.jsonl as gh attestation download writes it.",
      "A keyless attestation needs an expected signer: anybody can get a certificate. With " +
      "--source-uri, SLSA provenance is expected, and its signer must be one that may speak for " +
      "its builder: see --builder-id, --builders and --min-level.",
      "What gcloud prints about an image (--show-provenance --format json) is given as --bundle, " +
      "with --digest and the keys of Google Cloud Build in files by their usual names, such as " +
      "global.key.",
      "No request is made; everything is read from the given files.",
      "Exit status: 0 everything verified, 1 something is missing or invalid, 2 could not run.",
    ],
    examples: [
      ["What a GitHub repository released", "verify app.tgz --repo acme/app"],
      [
        "A release built by a reusable workflow, from a tag",
        "verify app.tgz --repo acme/app --signer-repo acme/workflows --source-ref refs/tags/v1.2.3",
      ],
      [
        "What a person signed with cosign",
        "verify app.tgz --bundle app.sigstore.json --cert-identity dev@acme.example " +
        "--cert-oidc-issuer https://accounts.google.com",
      ],
      [
        "SLSA provenance of level 3 for a release, with the words of slsa-verifier",
        "verify app.tgz --provenance-path app.intoto.jsonl --source-uri github.com/acme/app " +
        "--source-versioned-tag v1.2 --min-level 3",
      ],
      [
        "By the summary of a verifier that you trust",
        "verify app.tgz --vsa app.vsa.json --key verifier.pub " +
        "--verifier-id https://verifier.example --resource-uri pkg:npm/app@1.2.3 " +
        "--verified-level SLSA_BUILD_LEVEL_3 --vsa-max-age 30",
      ],
      ["Signed with a key", "verify app.tgz --bundle app.intoto.json --key ci.pub"],
      [
        "Two of three keys",
        "verify app.tgz --key a.pub --key b.pub --key c.pub --threshold 2",
      ],
      [
        "A private repository on GitHub, with GitHub's own instance",
        "verify app.tgz --repo acme/app --trusted-root trusted_root.jsonl --only-root " +
        "--tlog-threshold 0 --tsa-threshold 1 --sct-threshold 0",
      ],
      ["All of a folder, for a program", "verify dist/ --owner acme --format json"],
      [
        "By digest, without the file",
        "verify --digest sha256:<64 hex digits> --bundle app.sigstore.json --repo acme/app",
      ],
    ],
    options: async () => (await import("./verify_options.ts")).VERIFY_OPTIONS,
  },
  inspect: {
    summary: "show the layers of an attestation, without verifying it",
    usage: "FILE… [OPTION…]",
    notes: [
      "FILE is a Sigstore bundle, a DSSE envelope, a Statement, JSON Lines of them, or a trusted " +
      "root. Nothing of what is shown was verified.",
      "Exit status: 0 all files were read, 1 one is malformed, 2 could not run.",
    ],
    examples: [
      ["Who claims to have signed", "inspect app.tgz.sigstore.json"],
      ["All of it, for a program", "inspect app.tgz.sigstore.json --format json"],
    ],
    options: async () => (await import("./inspect_options.ts")).INSPECT_OPTIONS,
  },
  diff: {
    summary: "compare two provenances, after verifying both",
    usage: "A B [OPTION…]",
    notes: [
      "A and B are files with one provenance each. Both are verified first, with the same " +
      "expectations, as verify does; without --artifact-a and --artifact-b nothing is said about " +
      "any artifact. Compared are level, signer, builder, build type, source, ref, commit, " +
      "workflow, external parameters and dependencies; not runs, times and internal parameters.",
      "Exit status: 0 both are verified and the same, 1 they differ or one is not verified, " +
      "2 could not run.",
    ],
    examples: [
      [
        "What changed between two releases",
        "diff 1.0.intoto.jsonl 1.1.intoto.jsonl --source-uri github.com/acme/app",
      ],
      [
        "Which build each artifact came from, for a program",
        "diff a.json b.json --artifact-a a.tgz --artifact-b b.tgz --repo acme/app --format json",
      ],
    ],
    options: async () => (await import("./diff_options.ts")).DIFF_OPTIONS,
  },
  vsa: {
    summary: "verify by a verification summary (VSA), or write one",
    usage: "verify|create [ARTIFACT…] [OPTION…]",
    notes: [
      "vsa verify is verify with --vsa: see help verify for its options.",
      "vsa create verifies as verify does, and writes what it found as a VSA. The report goes to " +
      "standard error. Nothing is written when an artifact is not verified, unless --failed is " +
      "given. A Build level is stated only where provenance was judged.",
      "Exit status: 0 everything verified, 1 something is missing or invalid, 2 could not run.",
      "Options of vsa create:",
    ],
    examples: [
      [
        "Sum up what provenance shows, and sign it",
        "vsa create app.tgz --source-uri github.com/acme/app " +
        "--verifier-id https://verifier.example --resource-uri pkg:npm/app@1.2.3 " +
        "--policy-uri https://verifier.example/policy --signing-key verifier.pem " +
        "--output app.vsa.json",
      ],
      [
        "Rely on it",
        "vsa verify app.tgz --vsa app.vsa.json --key verifier.pub " +
        "--verifier-id https://verifier.example --resource-uri pkg:npm/app@1.2.3 " +
        "--verified-level SLSA_BUILD_LEVEL_2",
      ],
    ],
    options: async () => (await import("./vsa_options.ts")).VSA_CREATE_OPTIONS,
  },
  explain: {
    summary: "say what a reason means and how to put it right",
    usage: "[REASON…]",
    notes: ["Without REASON, lists them all."],
    examples: [["A reason of a report", "explain subject-mismatch"]],
    options: NONE,
  },
  help: {
    summary: "show this, or the help of a command",
    usage: "[COMMAND]",
    notes: [],
    examples: [["All options of verify", "help verify"]],
    options: NONE,
  },
  version: {
    summary: "show the version",
    usage: "",
    notes: [],
    examples: [],
    options: NONE,
  },
};

const COLUMNS = 96;

/** The commands, one a line. */
export function overview(program: string): string {
  const rows = Object.entries(COMMANDS).map(([name, { summary }]) =>
    `  ${name.padEnd(10)}${summary}\n`
  );
  return `Verifies software-supply-chain attestations: DSSE, in-toto, SLSA, Sigstore.

Usage: ${program} COMMAND [ARGUMENT…]

Commands:
${rows.join("")}
Example:
  ${program} verify app.tgz --repo acme/app

Run \`${program} help COMMAND\` for its options and examples.
`;
}

/** `help [COMMAND]`. */
export async function runHelp(args: readonly string[], runtime: Runtime): Promise<number> {
  const { operands } = parseArgs(args, []);
  if (operands.length > 1) throw usageError("help takes one command");
  const [name] = operands;
  if (name === undefined) {
    runtime.write("stdout", overview(runtime.program));
    return 0;
  }
  if (!Object.hasOwn(COMMANDS, name)) {
    throw usageError(`Unknown command ${quote(name)}${suggestion(name, Object.keys(COMMANDS))}`);
  }
  const command = COMMANDS[name];
  runtime.write("stdout", commandHelp(name, command, await command.options(), runtime.program));
  return 0;
}

/** `version`. */
export function runVersion(args: readonly string[], runtime: Runtime): Promise<number> {
  if (parseArgs(args, []).operands.length > 0) throw usageError("version takes no argument");
  runtime.write("stdout", `attest ${VERSION} (${runtime.platform})\n`);
  return Promise.resolve(0);
}

function commandHelp(
  name: string,
  command: CommandHelp,
  options: readonly OptionSpec[],
  program: string,
): string {
  let text = `${command.summary[0].toUpperCase()}${command.summary.slice(1)}.\n\n`;
  text += `Usage: ${program} ${name} ${command.usage}`.trimEnd() + "\n";
  for (const note of command.notes) text += `\n${wrap(note, COLUMNS).join("\n")}\n`;
  const left = (option: OptionSpec) =>
    `${option.short === undefined ? "    " : `-${option.short}, `}--${option.name}${
      option.value === undefined ? "" : ` ${option.value}`
    }`;
  const width = Math.max(0, ...options.map((option) => left(option).length));
  for (const group of new Set(options.map((option) => option.group))) {
    text += `\n${group}:\n`;
    for (const option of options.filter((option) => option.group === group)) {
      const lines = wrap(describe(option), Math.max(40, COLUMNS - width - 4));
      text += `  ${left(option).padEnd(width)}  ${lines.join(`\n${" ".repeat(width + 4)}`)}\n`;
    }
  }
  if (command.examples.length > 0) {
    text += "\nExamples:\n";
    for (const [what, line] of command.examples) text += `  # ${what}\n  ${program} ${line}\n`;
  }
  return text;
}

function describe(option: OptionSpec): string {
  const parts = [option.help];
  if (option.choices !== undefined) parts.push(`(${option.choices.join(", ")})`);
  if (option.repeatable) parts.push("(repeatable)");
  if (option.aliases !== undefined) {
    parts.push(`(also ${option.aliases.map((alias) => `--${alias}`).join(", ")})`);
  }
  return parts.join(" ");
}
