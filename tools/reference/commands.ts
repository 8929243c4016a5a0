import { overview, runHelp } from "../../cli/help.ts";
import { MemoryRuntime } from "../../tests/cli_runtime.ts";

/** Commands with options, in the order of the overview. */
export function commandNames(): readonly string[] {
  const [, table] = /^Commands:\n([^]*?)\n\n/m.exec(overview("attest")) ?? [];
  if (table === undefined) throw new Error("The overview lists no commands");
  return table.split("\n").map((row) => row.trim().split(" ")[0])
    .filter((name) => name !== "help" && name !== "version");
}

/** What `help` prints about a command, or about all of them. */
export async function helpOf(name: string | undefined): Promise<string> {
  const runtime = new MemoryRuntime();
  await runHelp(name === undefined ? [] : [name], runtime);
  return runtime.stdout;
}
