/** Reads the code blocks of Markdown pages, and runs those that are for a shell. Deno only. */

/** A fenced code block. */
export interface Block {
  language: string;
  /** What follows the language, such as `ci=github`. */
  where: string;
  text: string;
  /** Line of the fence. */
  line: number;
}

/** The fenced code blocks of a page, in order. */
export function blocksOf(markdown: string): Block[] {
  return [...markdown.matchAll(/^```(\w+)(?: (\S+))?\n([^]*?)^```$/gm)].map((match) => ({
    language: match[1],
    where: match[2] ?? "",
    text: match[3],
    line: markdown.slice(0, match.index).split("\n").length,
  }));
}

/** A word of a shell that means itself. */
export function quoted(word: string): string {
  return `'${word.replaceAll("'", `'\\''`)}'`;
}

/** The line of output before what a block prints. */
export function markOf({ line }: Block): string {
  return `echo ${quoted(`== line ${line}`)}\n`;
}

/** What a script did. */
export interface ShellResult {
  code: number;
  out: string;
  err: string;
  /** Standard output of each block by the line of its fence, where it was marked. */
  sections: ReadonlyMap<number, string>;
}

/**
 * Runs a script as one shell, in which each failure is fatal. `npx -y deno@2.9.6` is the Deno
 * that runs this test, and files go to `folder`, which must exist.
 */
export async function runShell(script: string, root: string, folder: string): Promise<ShellResult> {
  await Deno.mkdir(`${folder}/bin`, { recursive: true });
  const npx = `#!/bin/sh\n[ "$1 $2" = "-y deno@2.9.6" ] || { echo "npx $*" >&2; exit 99; }\n` +
    `shift 2\nexec ${quoted(Deno.execPath())} "$@"\n`;
  await Deno.writeTextFile(`${folder}/bin/npx`, npx, { mode: 0o755 });
  const env: Record<string, string> = { TMPDIR: folder, NO_COLOR: "1" };
  for (const name of ["PATH", "HOME", "DENO_DIR"]) {
    const value = Deno.env.get(name);
    if (value !== undefined) env[name] = value;
  }
  env.PATH = `${folder}/bin:${env.PATH}`;
  const { code, stdout, stderr } = await new Deno.Command("bash", {
    args: ["-eu", "-o", "pipefail", "-c", script],
    cwd: root,
    clearEnv: true,
    env,
    stdin: "null",
  }).output();
  const out = new TextDecoder().decode(stdout), err = new TextDecoder().decode(stderr);
  const sections = new Map(
    out.split(/^== line /m).slice(1).map((part) => [Number(part.split("\n")[0]), part]),
  );
  return { code, out, err, sections };
}
