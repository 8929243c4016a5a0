/**
 * An HTTP server on 127.0.0.1 that can misbehave: answers late, cut off or not at all. It
 * speaks just enough HTTP/1.1 for one request per connection; Deno's own server cannot break
 * a promise that it has made in `Content-Length`. For tests only.
 *
 * @module
 */

import { type Bytes, utf8 } from "../internal/bytes.ts";

/** How an answer is spoilt. */
export type Fault =
  /** The connection is closed without an answer. */
  | { kind: "down" }
  /** The answer comes after so many milliseconds. */
  | { kind: "slow"; ms: number }
  /** The service is not asked: this status and text are answered. */
  | { kind: "status"; status: number; body?: string; headers?: Record<string, string> }
  /** The service does its work, and something else is answered with its status. */
  | { kind: "body"; change: (body: Bytes, request: Request) => Bytes | string }
  /** `Content-Length` is right, the body ends half way. */
  | { kind: "truncated" };

/** One request as it came. */
export interface Received {
  method: string;
  /** Path with query. */
  path: string;
  headers: Headers;
  body: Bytes;
}

/** Answers requests. */
export type Handler = (request: Request) => Response | Promise<Response>;

/** Picks the fault for a request. */
export type FaultPlan = (request: Request) => Fault | undefined;

/** A server that listens. */
export interface Loopback {
  /** `http://127.0.0.1:PORT`. */
  readonly url: string;
  /** All requests, in order. */
  readonly received: Received[];
  /** Stops listening and closes what is open. */
  close(): void;
}

/** Bytes of a request; more closes the connection. */
const MAX_REQUEST = 4 << 20;

/** Listens on a port of 127.0.0.1; 0 is any. */
export function listen(
  handler: Handler,
  { port = 0, plan = () => undefined }: { port?: number; plan?: FaultPlan } = {},
): Loopback {
  const listener = Deno.listen({ hostname: "127.0.0.1", port });
  const url = `http://127.0.0.1:${listener.addr.port}`;
  const received: Received[] = [];
  const open = new Set<Deno.TcpConn>();
  const timers = new Set<ReturnType<typeof setTimeout>>();
  const wait = (ms: number) =>
    new Promise<void>((resolve) => {
      const timer = setTimeout(() => {
        timers.delete(timer);
        resolve();
      }, ms);
      timers.add(timer);
    });

  const serve = async (connection: Deno.TcpConn) => {
    open.add(connection);
    try {
      const parts = await readRequest(connection);
      if (parts === undefined) return;
      received.push(parts);
      const request = new Request(url + parts.path, {
        method: parts.method,
        headers: parts.headers,
        ...(parts.body.length === 0 ? {} : { body: parts.body }),
      });
      const fault = plan(request);
      if (fault?.kind === "down") return;
      if (fault?.kind === "slow") await wait(fault.ms);
      const answer = fault?.kind === "status"
        ? new Response(fault.body ?? "", { status: fault.status, headers: fault.headers })
        : await answerOf(handler, request);
      if (answer === undefined) return;
      let body: Bytes = new Uint8Array(await answer.arrayBuffer());
      if (fault?.kind === "body") {
        const changed = fault.change(body, request);
        body = typeof changed === "string" ? utf8(changed) : changed;
      }
      await writeAll(connection, head(answer, body.length));
      const end = fault?.kind === "truncated" ? Math.floor(body.length / 2) : body.length;
      await writeAll(connection, body.subarray(0, end));
    } catch (error) {
      // A client that gives up closes its side; anything else is a fault of the test.
      const gone = error instanceof Deno.errors.BrokenPipe ||
        error instanceof Deno.errors.ConnectionReset || error instanceof Deno.errors.BadResource ||
        error instanceof Deno.errors.Interrupted;
      if (!gone) console.error(error);
    } finally {
      open.delete(connection);
      close(connection);
    }
  };
  const accept = async () => {
    for await (const connection of listener) void serve(connection);
  };
  void accept();
  return {
    url,
    received,
    close(): void {
      listener.close();
      for (const timer of timers) clearTimeout(timer);
      for (const connection of open) close(connection);
    },
  };
}

/** A handler that rejects is one that is down: nothing is answered. */
async function answerOf(handler: Handler, request: Request): Promise<Response | undefined> {
  try {
    return await handler(request);
  } catch {
    return undefined;
  }
}

function close(connection: Deno.TcpConn): void {
  try {
    connection.close();
  } catch (error) {
    if (!(error instanceof Deno.errors.BadResource)) throw error;
  }
}

function head(answer: Response, length: number): Bytes {
  const headers = new Headers(answer.headers);
  // An answer that states more than it has is cut short on purpose.
  const stated = Number(headers.get("content-length") ?? 0);
  headers.set("content-length", String(Math.max(stated, length)));
  headers.set("connection", "close");
  const lines = [...headers].map(([name, value]) => `${name}: ${value}`);
  return utf8(`HTTP/1.1 ${answer.status} Answer\r\n${lines.join("\r\n")}\r\n\r\n`);
}

async function writeAll(connection: Deno.TcpConn, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.length;) at += await connection.write(bytes.subarray(at));
}

/** One request with `Content-Length` or without a body; undefined when the client goes away. */
async function readRequest(connection: Deno.TcpConn): Promise<Received | undefined> {
  let data = new Uint8Array(0);
  let end = -1;
  const more = async (): Promise<boolean> => {
    const buffer = new Uint8Array(64 << 10);
    const length = await connection.read(buffer);
    if (length === null || data.length + length > MAX_REQUEST) return false;
    const joined = new Uint8Array(data.length + length);
    joined.set(data);
    joined.set(buffer.subarray(0, length), data.length);
    data = joined;
    return true;
  };
  while (end < 0) {
    if (!await more()) return undefined;
    end = endOfHead(data);
  }
  const [first, ...lines] = new TextDecoder().decode(data.subarray(0, end)).split("\r\n");
  const [method, path] = first.split(" ");
  const headers = new Headers();
  for (const line of lines) {
    const colon = line.indexOf(":");
    headers.append(line.slice(0, colon), line.slice(colon + 1).trim());
  }
  const length = Number(headers.get("content-length") ?? 0);
  const start = end + 4;
  while (data.length < start + length) if (!await more()) return undefined;
  return { method, path, headers, body: data.slice(start, start + length) };
}

function endOfHead(data: Uint8Array): number {
  for (let i = 0; i + 3 < data.length; i++) {
    if (data[i] === 13 && data[i + 1] === 10 && data[i + 2] === 13 && data[i + 3] === 10) return i;
  }
  return -1;
}
