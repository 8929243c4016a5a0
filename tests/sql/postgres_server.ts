import { existsSync, readdirSync } from "node:fs";

/** A PostgreSQL server of this machine's packages, on a port of the loopback. */
export interface PostgresServer {
  /** Address of its database. */
  readonly url: string;
  /** Makes an empty database, and answers its address. */
  createDatabase(): Promise<string>;
  /** Ends it as a crash would (`immediate`), or after the work that is under way (`fast`). */
  stop(mode?: "fast" | "immediate"): Promise<void>;
  /** Starts it again with what it had. */
  start(): Promise<void>;
  /** Ends it and removes its files. */
  dispose(): Promise<void>;
}

/** Folder of PostgreSQL's programs as Debian installs them, newest first. */
function programs(): string | undefined {
  const root = "/usr/lib/postgresql";
  if (!existsSync(root)) return undefined;
  const versions = readdirSync(root).map(Number).filter(Number.isFinite).sort((a, b) => b - a);
  return versions.map((version) => `${root}/${version}/bin`).find((bin) =>
    existsSync(`${bin}/initdb`)
  );
}

/** Whether this machine has the packages. */
export function hasPostgres(): boolean {
  return programs() !== undefined;
}

async function run(command: string, args: string[]): Promise<string> {
  // The server refuses to run as root.
  const isRoot = Deno.uid() === 0;
  const { success, stdout, stderr } = await new Deno.Command(isRoot ? "runuser" : command, {
    args: isRoot ? ["-u", "postgres", "--", command, ...args] : args,
    cwd: "/",
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).output();
  const text = new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr);
  if (!success) throw new Error(`${command}: ${text.slice(-800)}`);
  return text;
}

function freePort(): number {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return (listener.addr as Deno.NetAddr).port;
}

/** Starts a server, or tells why there is none. */
export async function startPostgres(): Promise<PostgresServer | { missing: string }> {
  const bin = programs();
  if (bin === undefined) return { missing: "no PostgreSQL below /usr/lib/postgresql" };
  const folder = await Deno.makeTempDir({ prefix: "attest-postgres-" });
  await Deno.chmod(folder, 0o777);
  const data = `${folder}/data`;
  const port = freePort();
  const options = `-p ${port} -k ${folder} -c listen_addresses=127.0.0.1 -c max_connections=64`;
  const start = async (): Promise<void> => {
    await run(`${bin}/pg_ctl`, [
      ...["-D", data, "-l", `${folder}/log`, "-w", "-t", "30", "-o", options],
      "start",
    ]);
  };
  try {
    await run(`${bin}/initdb`, ["-D", data, "-U", "attest", "-A", "trust", "-E", "UTF8"]);
    await start();
  } catch (error) {
    await Deno.remove(folder, { recursive: true });
    return { missing: `PostgreSQL does not start: ${error instanceof Error ? error.message : ""}` };
  }
  let count = 0;
  const stop = async (mode: "fast" | "immediate" = "fast"): Promise<void> => {
    await run(`${bin}/pg_ctl`, ["-D", data, "-m", mode, "-w", "stop"]);
  };
  return {
    url: `postgres://attest@127.0.0.1:${port}/postgres`,
    async createDatabase() {
      const name = `attest_${++count}`;
      await run(`${bin}/createdb`, ["-h", "127.0.0.1", "-p", String(port), "-U", "attest", name]);
      return `postgres://attest@127.0.0.1:${port}/${name}`;
    },
    start,
    stop,
    async dispose() {
      await stop("immediate").catch(() => {});
      await Deno.remove(folder, { recursive: true });
    },
  };
}
