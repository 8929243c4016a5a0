import {
  type AnswerHttp,
  cannotListen,
  type HttpServer,
  type ListenAddress,
  urlOf,
} from "./http_server.ts";

/** A server of Deno. */
export function serveDeno(address: ListenAddress, answer: AnswerHttp): Promise<HttpServer> {
  let server: Deno.HttpServer<Deno.NetAddr>;
  try {
    server = Deno.serve(
      { ...address, onListen() {}, automaticCompression: false },
      (request, { remoteAddr }) => answer(request, remoteAddr.hostname),
    );
  } catch (cause) {
    return Promise.reject(cannotListen(address, cause));
  }
  return Promise.resolve<HttpServer>({
    url: urlOf(server.addr.hostname, server.addr.port),
    async stopped(graceMs) {
      let timer: ReturnType<typeof setTimeout> | undefined;
      await new Promise<void>((resolve) => {
        const stop = () => {
          Deno.removeSignalListener("SIGINT", stop);
          Deno.removeSignalListener("SIGTERM", stop);
          resolve();
        };
        Deno.addSignalListener("SIGINT", stop);
        Deno.addSignalListener("SIGTERM", stop);
      });
      const late = new Promise<void>((resolve) => timer = setTimeout(resolve, graceMs));
      await Promise.race([server.shutdown(), late]);
      clearTimeout(timer);
    },
  });
}
