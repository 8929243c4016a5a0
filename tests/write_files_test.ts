/** What writes files, with the files of both runtimes on a real disk. Deno only. */

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { isAttestationError } from "../errors.ts";
import { denoFiles, denoRuntime } from "../cli/runtime_deno.ts";
import { nodeRuntime } from "../cli/runtime_node.ts";
import { nodeFiles } from "../store/disk.ts";
import type { Runtime } from "../cli/runtime.ts";
import {
  appendLine,
  type LockTimes,
  withLock,
  type WritableFiles,
  writeAllNew,
} from "../internal/write_files.ts";

const QUICK: LockTimes = { touchMs: 40, staleMs: 250, waitMs: 8000 };

async function inFolder(run: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    await run(folder);
  } finally {
    await Deno.chmod(folder, 0o700);
    await Deno.remove(folder, { recursive: true });
  }
}

function names(folder: string): string[] {
  return [...Deno.readDirSync(folder)].map(({ name }) => name).sort();
}

async function reasonOf(work: Promise<unknown>): Promise<string> {
  try {
    await work;
    return "none";
  } catch (error) {
    return isAttestationError(error) ? error.reason : `not a refusal: ${error}`;
  }
}

/** Files on which something goes wrong. */
function broken(files: WritableFiles, changes: Partial<WritableFiles>): WritableFiles {
  return { ...files, ...changes };
}

const isRoot = Deno.uid() === 0;

for (const [name, files] of [["Deno", denoFiles], ["Node", nodeFiles]] as const) {
  const write = (path: string, text: string, options = {}) =>
    writeAllNew(files, [{ path, text, ...options }]);

  describe(`writeAllNew() with the files of ${name}`, () => {
    it("writes a file whole and leaves nothing else", () =>
      inFolder(async (folder) => {
        await write(`${folder}/a`, "one\n");
        assert.equal(Deno.readTextFileSync(`${folder}/a`), "one\n");
        assert.deepEqual(names(folder), ["a"]);
      }));

    it("lets one of many writers win, and tells the others", () =>
      inFolder(async (folder) => {
        const texts = Array.from({ length: 40 }, (_, i) => `${i}`.repeat(5000));
        const outcomes = await Promise.all(
          texts.map((text) => reasonOf(write(`${folder}/a`, text))),
        );
        assert.equal(outcomes.filter((one) => one === "none").length, 1);
        assert.equal(outcomes.filter((one) => one === "file-exists").length, 39);
        assert.equal(
          Deno.readTextFileSync(`${folder}/a`),
          texts[outcomes.indexOf("none")],
        );
        assert.deepEqual(names(folder), ["a"]);
      }));

    it("lets one of many writers win where there are no hard links", () =>
      inFolder(async (folder) => {
        const plain = broken(files, {
          link: () => Promise.reject(new Error("operation not permitted")),
        });
        const outcomes = await Promise.all(
          Array.from(
            { length: 40 },
            (_, i) => reasonOf(writeAllNew(plain, [{ path: `${folder}/a`, text: `${i}` }])),
          ),
        );
        assert.equal(outcomes.filter((one) => one === "none").length, 1);
        assert.equal(outcomes.filter((one) => one === "file-exists").length, 39);
        assert.equal(Deno.readTextFileSync(`${folder}/a`), `${outcomes.indexOf("none")}`);
        assert.deepEqual(names(folder), ["a"]);
      }));

    it("replaces a file only with force", () =>
      inFolder(async (folder) => {
        await write(`${folder}/a`, "old");
        assert.equal(await reasonOf(write(`${folder}/a`, "new")), "file-exists");
        assert.equal(Deno.readTextFileSync(`${folder}/a`), "old");
        await write(`${folder}/a`, "new", { force: true });
        assert.equal(Deno.readTextFileSync(`${folder}/a`), "new");
        assert.deepEqual(names(folder), ["a"]);
      }));

    it("has a secret under mode 0600 from its first byte on, also over an open file", () =>
      inFolder(async (folder) => {
        const modes: number[] = [];
        const watched = broken(files, {
          link: async (path, link) => {
            modes.push(Deno.statSync(path).mode! & 0o777);
            await files.link(path, link);
          },
          rename: async (path, to) => {
            modes.push(Deno.statSync(path).mode! & 0o777);
            await files.rename(path, to);
          },
        });
        const path = `${folder}/a`;
        await writeAllNew(watched, [{ path, text: "s", secret: true }]);
        assert.equal(Deno.statSync(path).mode! & 0o777, 0o600);
        Deno.chmodSync(path, 0o644);
        await writeAllNew(watched, [{ path, text: "s", secret: true, force: true }]);
        assert.equal(Deno.statSync(path).mode! & 0o777, 0o600);
        assert.deepEqual(modes, [0o600, 0o600]);
      }));

    it("leaves the old file when it is stopped in the middle", () =>
      inFolder(async (folder) => {
        await write(`${folder}/a`, "old");
        const stopped = broken(files, {
          rename: () => Promise.reject(new Error("power failure")),
        });
        const work = writeAllNew(stopped, [{ path: `${folder}/a`, text: "new", force: true }]);
        assert.equal(await reasonOf(work), "unwritable-file");
        assert.equal(Deno.readTextFileSync(`${folder}/a`), "old");
        assert.deepEqual(names(folder), ["a"]);
      }));

    it("leaves nothing when the disk is full", () =>
      inFolder(async (folder) => {
        const full = broken(files, {
          createNew: async (path, bytes, mode) => {
            await files.createNew(path, bytes.slice(0, 1), mode);
            throw new Error("no space left on device");
          },
        });
        const work = writeAllNew(full, [{ path: `${folder}/a`, text: "new" }]);
        assert.equal(await reasonOf(work), "unwritable-file");
        assert.deepEqual(names(folder), []);
      }));

    it("follows no link: one to a file, to nowhere, and to another folder", () =>
      inFolder(async (folder) => {
        Deno.mkdirSync(`${folder}/in`);
        Deno.writeTextFileSync(`${folder}/target`, "precious");
        Deno.symlinkSync(`${folder}/target`, `${folder}/in/a`);
        Deno.symlinkSync(`${folder}/nowhere`, `${folder}/in/b`);
        assert.equal(await reasonOf(write(`${folder}/in/a`, "new")), "file-exists");
        assert.equal(await reasonOf(write(`${folder}/in/b`, "new")), "file-exists");
        await write(`${folder}/in/a`, "new", { force: true });
        await write(`${folder}/in/b`, "new", { force: true });
        assert.equal(Deno.readTextFileSync(`${folder}/target`), "precious");
        assert.ok(Deno.lstatSync(`${folder}/in/a`).isFile);
        assert.deepEqual(names(folder), ["in", "target"]);
      }));

    it("refuses a folder that cannot be written, that is not there, and a folder as the file", () =>
      inFolder(async (folder) => {
        Deno.mkdirSync(`${folder}/d`);
        assert.equal(await reasonOf(write(`${folder}/none/a`, "x")), "unwritable-file");
        assert.equal(await reasonOf(write(`${folder}/d`, "x")), "file-exists");
        assert.equal(await reasonOf(write(`${folder}/d`, "x", { force: true })), "unwritable-file");
        Deno.chmodSync(`${folder}/d`, 0o500);
        if (!isRoot) {
          assert.equal(await reasonOf(write(`${folder}/d/a`, "x")), "unwritable-file");
        }
        assert.deepEqual(names(folder), ["d"]);
        assert.deepEqual(names(`${folder}/d`), []);
      }));

    it("writes two files or none, new ones and with force", () =>
      inFolder(async (folder) => {
        const pair = (text: string, force = false) => [
          { path: `${folder}/k`, text, secret: true, force },
          { path: `${folder}/p`, text, force },
        ];
        Deno.writeTextFileSync(`${folder}/p`, "old p");
        assert.equal(await reasonOf(writeAllNew(files, pair("new"))), "file-exists");
        assert.deepEqual(names(folder), ["p"]);

        Deno.writeTextFileSync(`${folder}/k`, "old k");
        let renames = 0;
        const second = broken(files, {
          rename: (path, to) =>
            ++renames === 2 ? Promise.reject(new Error("I/O error")) : files.rename(path, to),
        });
        assert.equal(await reasonOf(writeAllNew(second, pair("new", true))), "unwritable-file");
        assert.equal(Deno.readTextFileSync(`${folder}/k`), "old k");
        assert.equal(Deno.readTextFileSync(`${folder}/p`), "old p");
        assert.deepEqual(names(folder), ["k", "p"]);

        // Without hard links the old one cannot be kept, but it is never left without any.
        renames = 0;
        const plain = broken(second, { link: () => Promise.reject(new Error("not permitted")) });
        assert.equal(await reasonOf(writeAllNew(plain, pair("new", true))), "unwritable-file");
        assert.deepEqual(names(folder), ["k", "p"]);

        await writeAllNew(files, pair("new", true));
        assert.equal(Deno.readTextFileSync(`${folder}/k`), "new");
        assert.equal(Deno.readTextFileSync(`${folder}/p`), "new");
        assert.deepEqual(names(folder), ["k", "p"]);
      }));
  });

  describe(`appendLine() with the files of ${name}`, () => {
    const append = (path: string, line: string, times = QUICK) =>
      appendLine(files, path, line, times);

    it("loses and tears no line of many writers at once", () =>
      inFolder(async (folder) => {
        const lines = Array.from({ length: 60 }, (_, i) => `{"n":${i},"x":"${"y".repeat(9000)}"}`);
        // Whoever is slow between looking and writing must not be overtaken.
        const slow = broken(files, {
          lastByte: async (path) => {
            const last = await files.lastByte(path);
            await new Promise((resolve) => setTimeout(resolve, 2));
            return last;
          },
        });
        await Promise.all(lines.map((line) => appendLine(slow, `${folder}/a`, line, QUICK)));
        const found = Deno.readTextFileSync(`${folder}/a`).split("\n");
        assert.equal(found.pop(), "");
        assert.deepEqual(found.sort(), lines.sort());
        assert.deepEqual(names(folder), ["a"]);
      }));

    it("ends a last line that has no end, also one that was torn, exactly once", () =>
      inFolder(async (folder) => {
        Deno.writeTextFileSync(`${folder}/a`, '{"a":1}\n{"b"');
        await Promise.all([append(`${folder}/a`, '{"c":3}'), append(`${folder}/a`, '{"c":3}')]);
        assert.equal(
          Deno.readTextFileSync(`${folder}/a`),
          '{"a":1}\n{"b"\n{"c":3}\n{"c":3}\n',
        );
        Deno.writeTextFileSync(`${folder}/empty`, "");
        await append(`${folder}/empty`, "x");
        assert.equal(Deno.readTextFileSync(`${folder}/empty`), "x\n");
      }));

    it("refuses a line with a line break", () =>
      inFolder(async (folder) => {
        await assert.rejects(append(`${folder}/a`, "x\ny"), TypeError);
        await assert.rejects(append(`${folder}/a`, "x\r"), TypeError);
        assert.deepEqual(names(folder), []);
      }));

    it("takes over the lock of a process that ended, once for many that wait", () =>
      inFolder(async (folder) => {
        Deno.writeTextFileSync(`${folder}/a.lock`, "gone\n");
        await Promise.all(Array.from({ length: 12 }, (_, i) => append(`${folder}/a`, `${i}`)));
        assert.equal(Deno.readTextFileSync(`${folder}/a`).trim().split("\n").length, 12);
        assert.deepEqual(names(folder), ["a"]);
      }));

    it("takes over when whoever took over ended too", () =>
      inFolder(async (folder) => {
        Deno.writeTextFileSync(`${folder}/a.lock`, "gone\n");
        Deno.writeTextFileSync(`${folder}/a.lock.stale`, "");
        await Promise.all(Array.from({ length: 4 }, (_, i) => append(`${folder}/a`, `${i}`)));
        assert.equal(Deno.readTextFileSync(`${folder}/a`).trim().split("\n").length, 4);
        assert.deepEqual(names(folder), ["a"]);
      }));

    it("does not take over a lock whose holder is slow but alive, nor one with an old date", () =>
      inFolder(async (folder) => {
        let active = 0;
        const busy = () =>
          withLock(files, `${folder}/a`, async () => {
            assert.equal(++active, 1);
            await Deno.utime(`${folder}/a.lock`, new Date(0), new Date(0));
            await new Promise((resolve) => setTimeout(resolve, 700));
            active--;
          }, QUICK);
        await Promise.all([busy(), busy(), busy()]);
        assert.deepEqual(names(folder), []);
      }));

    it("waits no longer than it was told, and leaves the lock of the other", () =>
      inFolder(async (folder) => {
        const times = { ...QUICK, staleMs: 60_000 };
        let waiting: Promise<unknown> = Promise.resolve();
        await withLock(files, `${folder}/a`, async () => {
          let waits = true;
          waiting = append(`${folder}/a`, "x", { ...times, waitMs: 600_000 })
            .finally(() => waits = false);
          const work = append(`${folder}/a`, "y", { ...times, waitMs: 600 });
          assert.equal(await reasonOf(work), "locked-file");
          assert.ok(waits, "who may wait longer does");
          assert.deepEqual(names(folder), ["a.lock"]);
        }, times);
        await waiting;
        assert.equal(Deno.readTextFileSync(`${folder}/a`), "x\n");
        assert.deepEqual(names(folder), ["a"]);
      }));

    it("locks the file itself under whatever name it is called", () =>
      inFolder(async (folder) => {
        Deno.writeTextFileSync(`${folder}/a`, "");
        Deno.symlinkSync(`${folder}/a`, `${folder}/b`);
        await withLock(files, `${folder}/a`, async () => {
          const work = append(`${folder}/b`, "x", { ...QUICK, waitMs: 400 });
          assert.equal(await reasonOf(work), "locked-file");
        }, QUICK);
      }));

    it("frees the lock when the work fails, but not one that has become another's", () =>
      inFolder(async (folder) => {
        const failed = withLock(files, `${folder}/a`, () => Promise.reject(new Error("x")), QUICK);
        assert.match(await reasonOf(failed), /not a refusal/);
        assert.deepEqual(names(folder), []);
        await withLock(files, `${folder}/a`, () => {
          Deno.writeTextFileSync(`${folder}/a.lock`, "another\n");
          return Promise.resolve();
        }, QUICK);
        assert.deepEqual(names(folder), ["a.lock"]);
      }));

    it("refuses what cannot be written", () =>
      inFolder(async (folder) => {
        Deno.mkdirSync(`${folder}/d`);
        assert.equal(await reasonOf(append(`${folder}/none/a`, "x")), "unwritable-file");
        assert.equal(await reasonOf(append(`${folder}/d`, "x")), "unwritable-file");
        assert.deepEqual(names(folder), ["d"]);
      }));
  });
}

const PROCESSES = `
  const { denoRuntime } = await import(Deno.args[0]);
  const runtime = denoRuntime();
  let won = 0;
  for (let i = 0; i < 15; i++) {
    await runtime.appendLine(Deno.args[1] + "/lines", Deno.args[2] + " " + i + "x".repeat(5000));
    try {
      await runtime.writeNew(Deno.args[1] + "/new" + i, Deno.args[2]);
      won++;
    } catch (error) {
      if (error.reason !== "file-exists") throw error;
    }
  }
  console.log(won);
`;

describe("processes that write at once", () => {
  it("lose no line, and one of them makes each file", () =>
    inFolder(async (folder) => {
      const script = `${folder}/script.ts`;
      Deno.writeTextFileSync(script, PROCESSES);
      const module = new URL("../cli/runtime_deno.ts", import.meta.url).href;
      const outcomes = await Promise.all(["a", "b", "c", "d"].map(async (id) => {
        const { stdout, stderr, success } = await new Deno.Command(Deno.execPath(), {
          args: ["run", "-A", "--no-check", script, module, folder, id],
        }).output();
        assert.ok(success, new TextDecoder().decode(stderr));
        return Number(new TextDecoder().decode(stdout));
      }));
      assert.equal(outcomes.reduce((sum, one) => sum + one, 0), 15);
      const lines = Deno.readTextFileSync(`${folder}/lines`).split("\n");
      assert.equal(lines.pop(), "");
      assert.equal(lines.length, 60);
      assert.ok(lines.every((line) => /^[abcd] \d+x{5000}$/.test(line)));
      assert.equal(new Set(lines).size, 60);
      assert.ok(!names(folder).some((name) => /lock|tmp/.test(name)));
    }));
});

for (
  const [name, runtime] of [
    ["Deno", denoRuntime()],
    ["Node", nodeRuntime()],
  ] as [string, Runtime][]
) {
  describe(`the runtime of ${name}`, () => {
    it("reads the environment", () => {
      Deno.env.set("ATTEST_TEST_VARIABLE", "value");
      assert.equal(runtime.env("ATTEST_TEST_VARIABLE"), "value");
      assert.equal(runtime.environment().ATTEST_TEST_VARIABLE, "value");
      Deno.env.delete("ATTEST_TEST_VARIABLE");
      assert.equal(runtime.env("ATTEST_TEST_VARIABLE"), undefined);
    });

    it("runs a program in a folder, and tells how it ended", () =>
      inFolder(async (folder) => {
        Deno.writeTextFileSync(`${folder}/x.ts`, "console.log(Deno.cwd()); Deno.exit(3);");
        const args = ["run", "-A", "--no-check", `${folder}/x.ts`];
        const { status, stdout } = await runtime.run(Deno.execPath(), args, { cwd: folder });
        assert.equal(status, 3);
        assert.equal(
          new TextDecoder().decode(stdout).trim(),
          Deno.realPathSync(folder),
        );
        assert.equal(await reasonOf(runtime.run("no-such-program-here", [])), "unreadable-file");
      }));

    it("asks for a secret at a terminal only", async () => {
      if (Deno.stdin.isTerminal()) return;
      assert.equal(await reasonOf(runtime.readSecret("? ")), "missing-passphrase");
    });
  });
}
