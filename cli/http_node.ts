import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import process from "node:process";
import { Readable } from "node:stream";
import {
  type AnswerHttp,
  cannotListen,
  type HttpServer,
  type ListenAddress,
  urlOf,
} from "./http_server.ts";

/** A server of Node, and of what has its modules. */
export async function serveNode(address: ListenAddress, answer: AnswerHttp): Promise<HttpServer> {
  const server = createServer({ headersTimeout: 10_000, requestTimeout: 60_000 }, (from, to) => {
    respond(from, to, answer).catch(() => to.destroy());
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", (cause) => reject(cannotListen(address, cause)));
    server.listen(address.port, address.hostname, resolve);
  });
  const { address: hostname, port } = server.address() as AddressInfo;
  return {
    url: urlOf(hostname, port),
    async stopped(graceMs) {
      await new Promise<void>((resolve) => {
        process.once("SIGINT", () => resolve());
        process.once("SIGTERM", () => resolve());
      });
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      server.closeIdleConnections();
      let timer: ReturnType<typeof setTimeout> | undefined;
      const late = new Promise<void>((resolve) => timer = setTimeout(resolve, graceMs));
      await Promise.race([closed, late]);
      clearTimeout(timer);
      server.closeAllConnections();
    },
  };
}

async function respond(
  from: IncomingMessage,
  to: ServerResponse,
  answer: AnswerHttp,
): Promise<void> {
  const response = await answer(requestOf(from), from.socket.remoteAddress ?? "");
  const headers = Object.fromEntries(response.headers);
  // The body of a request that was not read to its end: the connection is of no more use.
  if (!from.complete) headers.connection = "close";
  to.writeHead(response.status, headers);
  if (response.body === null) to.end();
  else Readable.fromWeb(response.body as never).pipe(to);
}

function requestOf(from: IncomingMessage): Request {
  const headers = new Headers();
  for (let i = 0; i < from.rawHeaders.length; i += 2) {
    headers.append(from.rawHeaders[i], from.rawHeaders[i + 1]);
  }
  const { method = "GET", url = "/" } = from;
  const hasBody = method !== "GET" && method !== "HEAD";
  const init = {
    method,
    headers,
    duplex: "half",
    ...(hasBody ? { body: Readable.toWeb(from) as unknown as ReadableStream } : {}),
  };
  // The name of the host is the caller's word: nothing is made of it.
  return new Request(new URL(url.startsWith("/") ? url : "/", "http://registry"), init);
}
