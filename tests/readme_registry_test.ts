import assert from "node:assert/strict";
import { test } from "node:test";

const ROOT = new URL("..", import.meta.url).pathname;

/** The lines of the README that start a registry. */
async function linesOf(): Promise<string> {
  const readme = await Deno.readTextFile(`${ROOT}README.md`);
  const [, section] = readme.split("## A registry that refuses\n");
  return /^```bash\n([^]*?)^```$/m.exec(section)?.[1] ?? "";
}

async function missingTools(): Promise<string[]> {
  const found = await Promise.all(
    ["bash", "curl", "git"].map(async (name) => {
      const run = new Deno.Command(name, { args: ["--version"], stdout: "null", stderr: "null" });
      return await run.output().then(() => [], () => [name]);
    }),
  );
  return found.flat();
}

const missing = await missingTools();
if (missing.length > 0) console.log(`skipped: there is no ${missing.join(", ")}`);

test("the README's registry starts, takes, refuses and is asked by a gate", {
  skip: missing.length > 0,
}, async () => {
  const lines = await linesOf();
  assert.ok(lines.trim().split("\n").length <= 10, "more than ten lines");
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr as Deno.NetAddr;
  listener.close();
  const folder = await Deno.makeTempDir();
  try {
    await Deno.mkdir(`${folder}/bin`);
    const command = `#!/bin/sh\nexec "${Deno.execPath()}" run -A --config "${ROOT}deno.json" ` +
      `"${ROOT}cli.ts" "$@"\n`;
    await Deno.writeTextFile(`${folder}/bin/attest`, command, { mode: 0o755 });
    const script = lines.replace("--key ci.pub &", `--key ci.pub --listen 127.0.0.1:${port} &`)
      .replaceAll("127.0.0.1:8080", `127.0.0.1:${port}`);
    await Deno.writeTextFile(`${folder}/lines.sh`, script);
    const { stdout, stderr } = await new Deno.Command("timeout", {
      args: ["-k", "5", "120", "bash", "lines.sh"],
      cwd: folder,
      env: {
        PATH: `${folder}/bin:${Deno.env.get("PATH")}`,
        ...{
          GIT_AUTHOR_NAME: "a",
          GIT_AUTHOR_EMAIL: "a@example.com",
          GIT_CONFIG_GLOBAL: "/dev/null",
        },
        ...{ GIT_COMMITTER_NAME: "a", GIT_COMMITTER_EMAIL: "a@example.com" },
      },
      stdout: "piped",
      stderr: "piped",
    }).output();
    const out = new TextDecoder().decode(stdout);
    const all = `${out}\n${new TextDecoder().decode(stderr)}`;
    assert.match(out, /"outcome":"created"[^]*^201$/m, all);
    assert.match(out, /"error":"invalid_provenance","reason":"subject-mismatch"[^]*^422$/m, all);
    assert.match(out, /"error":"missing_provenance"[^]*^422$/m, all);
    assert.match(out, /"provenance":\{"builder":"https:\/\/acme\.example\/ci"/, all);
    assert.match(out, /^PASSED: 1 artifact verified$/m, all);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
