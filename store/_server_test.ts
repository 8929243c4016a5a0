import type { Fetch } from "../internal/http.ts";

/** A request as a server saw it. */
export interface Seen {
  method: string;
  url: URL;
  headers: Headers;
}

/** A server in this process: its `fetch`, and what it was asked. */
export interface FakeServer {
  fetch: Fetch;
  seen: Seen[];
}

/** What a server does with a request. */
export type Handler = (request: Seen) => Response | Promise<Response>;

/** A server that answers each request by a function, without a socket. */
export function serve(handler: Handler): FakeServer {
  const seen: Seen[] = [];
  return {
    seen,
    async fetch(input, init = {}) {
      const one = {
        method: init.method ?? "GET",
        url: new URL(input),
        headers: new Headers(init.headers),
      };
      seen.push(one);
      init.signal?.throwIfAborted();
      return await handler(one);
    },
  };
}

/** Answers that every service can give and that are no answer, with the reason of each. */
export const FAILURES: readonly [string, string, () => Response | Promise<Response>][] = [
  ["401", "registry-access-denied", () => new Response("no", { status: 401 })],
  ["403", "registry-access-denied", () => new Response("no", { status: 403 })],
  [
    "429 with Retry-After",
    "registry-rate-limited",
    () => new Response("slow down", { status: 429, headers: { "retry-after": "1" } }),
  ],
  ["400", "service-refused", () => new Response("what", { status: 400 })],
  ["500", "service-unavailable", () => new Response("", { status: 500 })],
  ["503", "service-unavailable", () => new Response("", { status: 503 })],
  [
    "a web page",
    "malformed-response",
    () => new Response("<!DOCTYPE html><p>log in", { headers: { "content-type": "text/html" } }),
  ],
  [
    "a web page that says it is JSON",
    "malformed-response",
    () => new Response("\n<html>", { headers: { "content-type": "application/json" } }),
  ],
  [
    "a redirect to plain http",
    "service-refused",
    () => new Response(null, { status: 302, headers: { location: "http://other.example/" } }),
  ],
  [
    "a redirect without an address",
    "service-refused",
    () => new Response(null, { status: 302 }),
  ],
  [
    "an answer that is cut short",
    "malformed-response",
    () => new Response("{}", { headers: { "content-length": "100" } }),
  ],
  ["a connection that fails", "service-unavailable", () => Promise.reject(new TypeError("reset"))],
  [
    "a body that drips",
    "service-unavailable",
    () =>
      new Response(
        new ReadableStream({
          async pull(controller) {
            await new Promise((resolve) => setTimeout(resolve, 20));
            controller.enqueue(new Uint8Array([32]));
          },
        }),
      ),
  ],
];

/** Requests that do not wait, and give up soon. */
export const QUICK = {
  retries: 1,
  timeoutMs: 150,
  backoffMs: 1,
  sleep: (): Promise<void> => Promise.resolve(),
};
