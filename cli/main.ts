import { isAttestationError } from "../errors.ts";
import { quote } from "../internal/json.ts";
import { commandOf, suggestion, usageError } from "./args.ts";
import type { Runtime } from "./runtime.ts";
import { errorChain } from "./text.ts";

/** Runs one command with its arguments; answers the exit status. */
export type Command = (args: readonly string[], runtime: Runtime) => Promise<number>;

/** Everything was verified. */
export const VERIFIED = 0;
/** Something is missing or invalid. */
export const REFUSED = 1;
/** The command could not do its work. */
export const COULD_NOT_RUN = 2;

/** The commands; each is loaded when it is run. */
const COMMANDS: ReadonlyMap<string, () => Promise<Command>> = new Map([
  ["verify", async () => (await import("./verify.ts")).runVerify],
  ["tree", async () => (await import("./tree.ts")).runTree],
  ["download", async () => (await import("./download.ts")).runDownload],
  ["inspect", async () => (await import("./inspect.ts")).runInspect],
  ["diff", async () => (await import("./diff.ts")).runDiff],
  ["policy", async () => (await import("./policy.ts")).runPolicy],
  ["gate", async () => (await import("./gate.ts")).runGate],
  ["reverify", async () => (await import("./reverify.ts")).runReverify],
  ["serve", async () => (await import("./serve.ts")).runServe],
  ["vsa", async () => (await import("./vsa.ts")).runVsa],
  ["store", async () => (await import("./store.ts")).runStore],
  ["keygen", async () => (await import("./keygen.ts")).runKeygen],
  ["sign", async () => (await import("./sign.ts")).runSign],
  ["attest", async () => (await import("./attest.ts")).runAttest],
  ["convert", async () => (await import("./convert.ts")).runConvert],
  ["attach", async () => (await import("./attach.ts")).runAttach],
  ["copy", async () => (await import("./copy.ts")).runCopy],
  [
    "provenance",
    async () => (await import("./provenance.ts")).runProvenance,
  ],
  [
    "trusted-root",
    async () => (await import("./trusted_root.ts")).runTrustedRoot,
  ],
  ["explain", async () => (await import("./explain.ts")).runExplain],
  ["help", async () => (await import("./help.ts")).runHelp],
  ["version", async () => (await import("./help.ts")).runVersion],
]);

/**
 * The command line as a function: reads the arguments, runs a command, and answers the
 * exit status: 0 everything verified, 1 something is missing or invalid, 2 could not run.
 * Nothing is thrown.
 */
export async function main(runtime: Runtime): Promise<number> {
  const [first, ...rest] = runtime.args;
  const name = first === undefined ? undefined : commandOf(first);
  try {
    if (name === "--version" || name === "-V") return await run("version", [], runtime);
    if (name === "--help" || name === "-h") return await run("help", rest, runtime);
    if (name === undefined) {
      const { overview } = await import("./help.ts");
      runtime.write("stderr", overview(runtime.program));
      return COULD_NOT_RUN;
    }
    if (!COMMANDS.has(name)) {
      throw usageError(`Unknown command ${quote(name)}${suggestion(name, [...COMMANDS.keys()])}`);
    }
    const asksHelp = untilOperands(rest).some((arg) => arg === "--help" || arg === "-h");
    if (asksHelp) return await run("help", [name], runtime);
    return await run(name, rest, runtime);
  } catch (error) {
    runtime.write("stderr", describeFailure(error, name, runtime.program));
    return COULD_NOT_RUN;
  }
}

async function run(name: string, args: readonly string[], runtime: Runtime): Promise<number> {
  const load = COMMANDS.get(name);
  if (load === undefined) throw usageError(`Unknown command ${quote(name)}`);
  return await (await load())(args, runtime);
}

function untilOperands(args: readonly string[]): readonly string[] {
  const end = args.indexOf("--");
  return end < 0 ? args : args.slice(0, end);
}

/** An error for people: one line for each cause, and where to read on; never a stack. */
export function describeFailure(
  error: unknown,
  command: string | undefined,
  program: string,
): string {
  const reason = isAttestationError(error) ? error.reason : "internal-error";
  const [first, ...causes] = errorChain(error);
  const lines = [`error: ${first} (${reason})`, ...causes.map((cause) => `  cause: ${cause}`)];
  if (reason === "usage") {
    lines.push(`  run: ${program} help${isCommand(command) ? ` ${command}` : ""}`);
  } else lines.push(`  run: ${program} explain ${reason}`);
  return lines.join("\n") + "\n";
}

function isCommand(name: string | undefined): boolean {
  return name !== undefined && COMMANDS.has(name);
}
