import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import process from "node:process";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const PREFIX = "npx -y deno@2.9.6 ";

/** Commands in `sh` blocks that run the command line; lines that end in `\` go on. */
function commandsOf(markdown: string): string[] {
  const commands: string[] = [];
  for (const [, block] of markdown.matchAll(/^```sh\n([^]*?)^```$/gm)) {
    for (const line of block.replace(/\\\n\s*/g, "").split("\n")) {
      if (line.startsWith(`${PREFIX}run `)) commands.push(line);
    }
  }
  return commands;
}

test("the commands of the README that run the command line succeed", () => {
  const commands = commandsOf(readFileSync(`${ROOT}README.md`, "utf8"));
  assert.ok(commands.length > 0);
  for (const command of commands) {
    const words = command.slice(PREFIX.length).split(/\s+/).map((word) =>
      word.replace(/^(['"])(.*)\1$/, "$2")
    );
    const { status, stdout, stderr } = spawnSync(process.execPath, words, {
      cwd: ROOT,
      encoding: "utf8",
    });
    assert.equal(status, 0, `${command}\n${stdout}${stderr}`);
  }
});

test("the first command of the README prints a report that passed", () => {
  const [command] = commandsOf(readFileSync(`${ROOT}README.md`, "utf8"));
  assert.ok(command.includes("run -A cli.ts verify "), command);
  const { stdout } = spawnSync(process.execPath, command.slice(PREFIX.length).split(/\s+/), {
    cwd: ROOT,
    encoding: "utf8",
  });
  assert.ok(stdout.includes("PASSED"), stdout);
});

test("files that the README links to exist", () => {
  for (
    const [, path] of readFileSync(`${ROOT}README.md`, "utf8").matchAll(/\]\((?!\w+:|#)([^)#\s]+)/g)
  ) {
    assert.ok(existsSync(ROOT + path), path);
  }
});
