import { quote } from "../internal/json.ts";
import { commandOf, type OptionSpec, parseArgs, suggestion, usageError } from "./args.ts";
import { type CommandHelp, COMMANDS } from "./commands.ts";
import type { Runtime } from "./runtime.ts";
import { wrap } from "./text.ts";
import { VERSION } from "./version.ts";

const COLUMNS = 96;

/** The commands, one a line. */
export function overview(program: string): string {
  const rows = Object.entries(COMMANDS).map(([name, { summary }]) =>
    `  ${name.padEnd(14)}${summary}\n`
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

/** Options of a command; undefined if there is no such command. */
export async function optionsOf(command: string): Promise<readonly OptionSpec[] | undefined> {
  return Object.hasOwn(COMMANDS, command) ? await COMMANDS[command].options() : undefined;
}

/** `help [COMMAND]`. */
export async function runHelp(args: readonly string[], runtime: Runtime): Promise<number> {
  const { operands } = parseArgs(args, []);
  if (operands.length > 1) throw usageError("help takes one command");
  const name = operands.length === 0 ? undefined : commandOf(operands[0]);
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
