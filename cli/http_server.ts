import { AttestationError } from "../errors.ts";
import { quote } from "../internal/json.ts";

/** Where to listen. */
export interface ListenAddress {
  /** Name or address of an interface. */
  hostname: string;
  /** Port; 0 takes a free one. */
  port: number;
}

/** Answers a request that came from an address. */
export type AnswerHttp = (request: Request, address: string) => Promise<Response>;

/** A server that answers. */
export interface HttpServer {
  /** Its own address. */
  readonly url: string;
  /**
   * Waits until the process is told to end (SIGINT, SIGTERM), then lets requests that are under
   * way come to their end, for so many milliseconds.
   */
  stopped(graceMs: number): Promise<void>;
}

/** Starts a server of the runtime. */
export type ServeHttp = (address: ListenAddress, answer: AnswerHttp) => Promise<HttpServer>;

/** Address of a server, for people and programs. */
export function urlOf(hostname: string, port: number): string {
  return `http://${hostname.includes(":") ? `[${hostname}]` : hostname}:${port}`;
}

/** The refusal of an address that cannot be listened at. */
export function cannotListen({ hostname, port }: ListenAddress, cause: unknown): AttestationError {
  return new AttestationError("usage", `Cannot listen at ${quote(`${hostname}:${port}`)}`, {
    cause,
  });
}
