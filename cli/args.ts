import { AttestationError } from "../errors.ts";
import { quote } from "../internal/json.ts";
import { suggestion } from "../internal/suggestion.ts";

export { editDistance, suggestion } from "../internal/suggestion.ts";

/** One option of a command. The table of them is also what `--help` prints. */
export interface OptionSpec {
  /** Long name, without dashes. */
  name: string;
  /** One letter. */
  short?: string;
  /** Names that other tools use. */
  aliases?: readonly string[];
  /** What its value is, such as `FILE`; a switch has none. */
  value?: string;
  /** May be given more than once. */
  repeatable?: boolean;
  /** The only values that are accepted. */
  choices?: readonly string[];
  /** Heading in the help text. */
  group: string;
  /** One line for the help text. */
  help: string;
}

/** Arguments of a command, told apart. */
export class ParsedArgs {
  /** What is no option, in order. */
  readonly operands: string[] = [];
  readonly #values = new Map<string, string[]>();

  /** Keeps a value; a switch keeps an empty one. */
  add(name: string, value: string): void {
    const values = this.#values.get(name);
    if (values === undefined) this.#values.set(name, [value]);
    else values.push(value);
  }

  /** Tells whether an option was given. */
  has(name: string): boolean {
    return this.#values.has(name);
  }

  /** Value of an option that is given at most once. */
  get(name: string): string | undefined {
    return this.#values.get(name)?.[0];
  }

  /** Values of an option, in order. */
  all(name: string): readonly string[] {
    return this.#values.get(name) ?? [];
  }
}

/** Other names of commands. */
const COMMAND_ALIASES: ReadonlyMap<string, string> = new Map([["attest-verify", "gate"]]);

/** The command that a name stands for. */
export function commandOf(name: string): string {
  return COMMAND_ALIASES.get(name) ?? name;
}

/** A wrong command line. */
export function usageError(message: string): AttestationError {
  return new AttestationError("usage", message);
}

/**
 * Reads the arguments of a command, strictly: an option that is unknown, is given twice, or
 * has no or an empty value is an error. `--name VALUE` and `--name=VALUE` are the same, and
 * so are `-n VALUE`, `-n=VALUE` and `-nVALUE`; after `--` all are operands.
 *
 * @throws {AttestationError} `usage`.
 */
export function parseArgs(args: readonly string[], options: readonly OptionSpec[]): ParsedArgs {
  const parsed = new ParsedArgs();
  for (let i = 0; i < args.length; i++) {
    const arg = args[i];
    if (arg === "--") {
      parsed.operands.push(...args.slice(i + 1));
      break;
    }
    if (!arg.startsWith("-") || arg === "-") {
      parsed.operands.push(arg);
      continue;
    }
    const { option, written, attached } = find(arg, options);
    if (option.value === undefined) {
      if (attached !== undefined) throw usageError(`${written} takes no value`);
      if (parsed.has(option.name)) throw usageError(`${written} is given twice`);
      parsed.add(option.name, "");
      continue;
    }
    let value = attached;
    if (value === undefined) {
      value = args[++i];
      if (value === undefined || (value.startsWith("-") && value !== "-")) {
        const hint = value === undefined
          ? ""
          : `; write ${written}=${quote(value)} if that is meant`;
        throw usageError(`${written} needs a value (${option.value})${hint}`);
      }
    }
    // An empty value is mostly a variable that is not set; it must never mean "no expectation".
    if (value.trim() === "") throw usageError(`${written} has an empty value`);
    if (option.choices !== undefined && !option.choices.includes(value)) {
      throw usageError(
        `${written} is one of ${option.choices.join(", ")}, not ${quote(value)}${
          suggestion(value, option.choices)
        }`,
      );
    }
    if (!option.repeatable && parsed.has(option.name)) {
      throw usageError(`--${option.name} is given twice`);
    }
    parsed.add(option.name, value);
  }
  return parsed;
}

interface Found {
  option: OptionSpec;
  /** The option as the user wrote it. */
  written: string;
  /** Value in the same argument. */
  attached: string | undefined;
}

function find(arg: string, options: readonly OptionSpec[]): Found {
  if (!arg.startsWith("--")) {
    const letter = arg[1];
    const option = options.find((option) => option.short === letter);
    if (option === undefined) {
      throw usageError(`Unknown option ${quote(arg)}${suggestion(arg.slice(1), names(options))}`);
    }
    const rest = arg.slice(2);
    const attached = rest === "" ? undefined : rest.startsWith("=") ? rest.slice(1) : rest;
    return { option, written: `-${letter}`, attached };
  }
  const equals = arg.indexOf("=");
  const name = arg.slice(2, equals < 0 ? undefined : equals);
  const option = options.find((option) => option.name === name || option.aliases?.includes(name));
  if (option === undefined) {
    throw usageError(
      `Unknown option ${quote(`--${name}`)}${suggestion(name, names(options), "--")}`,
    );
  }
  return { option, written: `--${name}`, attached: equals < 0 ? undefined : arg.slice(equals + 1) };
}

function names(options: readonly OptionSpec[]): string[] {
  return options.flatMap((option) => [option.name, ...option.aliases ?? []]);
}

/** The value of an option that is a whole number of at most four digits. */
export function readCount(args: ParsedArgs, name: string, least: number): number | undefined {
  const value = args.get(name);
  if (value === undefined) return undefined;
  if (!/^\d{1,4}$/.test(value) || Number(value) < least) {
    throw usageError(`--${name} is a whole number from ${least} on, not ${quote(value)}`);
  }
  return Number(value);
}
