/** Registries as processes, and clients that put and get. */

import { registryRecord, type RegistrySigners } from "../../tests/fixtures/provenance_registry.ts";

const ROOT = new URL("../..", import.meta.url).pathname;

/** A running registry. */
export interface Replica {
  url: string;
  pid: number;
  stop(): Promise<void>;
}

/** Starts `serve`. */
export async function startReplica(
  db: string,
  policy: string,
  more: readonly string[] = [],
): Promise<Replica> {
  const child = new Deno.Command(Deno.execPath(), {
    args: [
      ...["run", "-A", "--no-check", `${ROOT}cli.ts`, "serve", "--db", db, "--policy", policy],
      ...["--listen", "127.0.0.1:0", "--unsafe-any-writer", "--rate-limit", "0", "--log", "none"],
      ...more,
    ],
    stdin: "null",
    stdout: "piped",
    stderr: "null",
  }).spawn();
  const reader = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  let url: string | undefined;
  while (url === undefined) {
    const { done, value } = await reader.read();
    if (done) throw new Error(`serve ended: ${text}`);
    text += value;
    url = /^listening on (\S+)\n/m.exec(text)?.[1];
  }
  return {
    url,
    pid: child.pid,
    async stop() {
      child.kill("SIGTERM");
      await reader.cancel();
      await child.status;
    },
  };
}

/** Requests that are ready to be sent. */
export interface PreparedPut {
  urn: string;
  body: string;
}

/** Signs so many manifests, so that clients have nothing to compute. */
export async function prepare(
  signers: RegistrySigners,
  from: number,
  count: number,
): Promise<PreparedPut[]> {
  const puts: PreparedPut[] = [];
  for (let i = from; i < from + count; i++) {
    const { urn, card, envelope } = await registryRecord(i, signers);
    const provenance = new TextDecoder().decode(envelope);
    puts.push({ urn, body: `{"urn":"${urn}","card":${card},"provenance":${provenance}}` });
  }
  return puts;
}

/** What clients saw. */
export interface Load {
  perSecond: number;
  /** Milliseconds. */
  median: number;
  p99: number;
}

/** Sends requests from so many clients, round about over the replicas. */
export async function load(
  replicas: readonly Replica[],
  count: number,
  send: (url: string, i: number) => Promise<Response>,
  clients: number,
): Promise<Load> {
  const times: number[] = [];
  let next = 0;
  const start = performance.now();
  await Promise.all(
    Array.from({ length: clients }, async (_, client) => {
      const { url } = replicas[client % replicas.length];
      while (next < count) {
        const i = next++;
        const begin = performance.now();
        const answer = await send(url, i);
        const text = await answer.text();
        if (!answer.ok) throw new Error(`${answer.status} ${text.slice(0, 300)}`);
        times.push(performance.now() - begin);
      }
    }),
  );
  const seconds = (performance.now() - start) / 1000;
  times.sort((a, b) => a - b);
  const at = (part: number) => times[Math.min(times.length - 1, Math.floor(times.length * part))];
  return { perSecond: count / seconds, median: at(0.5), p99: at(0.99) };
}

/** Puts what was prepared. */
export function sendPut(puts: readonly PreparedPut[]) {
  return (url: string, i: number): Promise<Response> =>
    fetch(`${url}/v1/registry/${puts[i].urn}`, {
      method: "PUT",
      headers: { "content-type": "application/json" },
      body: puts[i].body,
    });
}

/** A value of `/metrics`, all labels summed up. */
export async function metric({ url }: Replica, name: string): Promise<number> {
  const text = await (await fetch(`${url}/metrics`)).text();
  const lines = text.split("\n").filter((line) =>
    line.startsWith(`${name} `) || line.startsWith(`${name}{`)
  );
  if (lines.length === 0) throw new Error(`No metric ${name}: ${text.slice(0, 400)}`);
  return lines.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(" "))), 0);
}
