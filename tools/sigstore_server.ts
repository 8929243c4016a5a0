/**
 * The throw-away Sigstore instance of `tools/pki/` on a port of 127.0.0.1: certificate
 * authority, transparency logs, timestamp authority, issuer of tokens, and the address at
 * which a job of GitHub Actions asks for its token. Its keys are published: nothing that it
 * signs means anything.
 *
 *     deno run -A tools/sigstore_server.ts DIR [PORT]
 *
 * writes `signing_config.json`, `trusted_root.json` and `token` into DIR, prints what to set
 * in the environment, and serves until it is stopped.
 *
 * @module
 */

import type { JsonObject } from "../internal/json.ts";
import { createServices, REQUEST_TOKEN, type Services } from "./pki/services.ts";
import { type FaultPlan, listen, type Received } from "./loopback.ts";

/** Issuer of the tokens of GitHub Actions. */
const GITHUB_ISSUER = "https://token.actions.githubusercontent.com";

/** A running instance. */
export interface SigstoreServer {
  /** `http://127.0.0.1:PORT`. */
  readonly url: string;
  /** The services; their faults can be set at any time. */
  readonly services: Services;
  /** All requests, in order. */
  readonly received: readonly Received[];
  /** What goes wrong on the way, before a service is asked; may be changed at any time. */
  plan: FaultPlan;
  /**
   * Environment by which a job on GitHub Actions asks for its token, here: one of GitHub's
   * issuer, with other claims where they are given.
   */
  githubEnvironment(claims?: JsonObject): Record<string, string>;
  /** Stops it. */
  close(): void;
}

/** Starts the instance. */
export async function startSigstore(
  { port, now }: { port?: number; now?: () => Date } = {},
): Promise<SigstoreServer> {
  let plan: FaultPlan = () => undefined;
  const claimsOfJobs: JsonObject[] = [];
  const answer = async (request: Request): Promise<Response> => {
    const { pathname, searchParams } = new URL(request.url);
    const job = /^\/github\/(\d+)\/token$/.exec(pathname);
    if (job === null) return await (await services).handler(request);
    if (request.headers.get("authorization")?.toLowerCase() !== `bearer ${REQUEST_TOKEN}`) {
      return new Response("{}", { status: 401 });
    }
    const audience = searchParams.get("audience") ?? "";
    const value = await (await services).token({
      iss: GITHUB_ISSUER,
      ...claimsOfJobs[Number(job[1])],
      aud: audience,
    });
    return Response.json({ value });
  };
  const server = listen(answer, { port, plan: (request) => plan(request) });
  const services = createServices({ origin: server.url, ...(now === undefined ? {} : { now }) });
  return {
    url: server.url,
    services: await services,
    received: server.received,
    get plan() {
      return plan;
    },
    set plan(value) {
      plan = value;
    },
    githubEnvironment(claims = {}): Record<string, string> {
      const job = claimsOfJobs.push(claims) - 1;
      return {
        ACTIONS_ID_TOKEN_REQUEST_URL: `${server.url}/github/${job}/token?api-version=2.0`,
        ACTIONS_ID_TOKEN_REQUEST_TOKEN: REQUEST_TOKEN,
      };
    },
    close: () => server.close(),
  };
}

/** Writes what a signer needs into a folder. */
export async function writeInstance(
  folder: string,
  { services }: SigstoreServer,
): Promise<{ signingConfig: string; trustedRoot: string; token: string }> {
  const paths = {
    signingConfig: `${folder}/signing_config.json`,
    trustedRoot: `${folder}/trusted_root.json`,
    token: `${folder}/token`,
  };
  await Deno.mkdir(folder, { recursive: true });
  await Deno.writeTextFile(paths.signingConfig, JSON.stringify(services.signingConfig()));
  await Deno.writeTextFile(paths.trustedRoot, JSON.stringify(services.trustedRoot));
  const token = await services.token({ iss: GITHUB_ISSUER });
  await Deno.writeTextFile(paths.token, token, { mode: 0o600 });
  return paths;
}

if (import.meta.main) {
  const [folder, port] = Deno.args;
  if (folder === undefined) {
    console.error("Usage: tools/sigstore_server.ts DIR [PORT]");
    Deno.exit(2);
  }
  const server = await startSigstore({ port: Number(port ?? 0) });
  const { signingConfig, trustedRoot, token } = await writeInstance(folder, server);
  console.log(`SIGNING_CONFIG=${signingConfig}\nTRUSTED_ROOT=${trustedRoot}\nTOKEN_FILE=${token}`);
  for (const [name, value] of Object.entries(server.githubEnvironment())) {
    console.log(`${name}=${value}`);
  }
}
