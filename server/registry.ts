import { Hono } from "hono";
import type { AttestationError } from "../errors.ts";
import { printable } from "../internal/json.ts";
import { asError, factsOf, json, refusal } from "./answers.ts";
import { type Caller, RegistryContext } from "./context.ts";
import { docsPage } from "./docs_page.ts";
import { openApiDocument } from "./openapi.ts";
import { type RegistryServerOptions, settingsOf } from "./options.ts";
import type { PolicyState } from "./policy_holder.ts";
import { dryRun, putManifest, verdictNow } from "./put.ts";
import {
  readAttestations,
  readEnvelope,
  readHistory,
  readList,
  readManifest,
  readVersions,
} from "./reads.ts";

/** Answers requests. It throws nothing. */
export type RegistryHandler = (request: Request, caller?: Caller) => Promise<Response>;

/** A registry that refuses what has no good provenance. */
export interface Registry {
  /** Answers a request: for `Deno.serve`, `Bun.serve`, a worker's `fetch`. */
  readonly handler: RegistryHandler;
  /** Looks for a newer policy now. */
  refreshPolicy(): Promise<PolicyState>;
}

type Handle = (request: Request, parameter: string, caller: Caller) => Promise<Response>;

/**
 * Makes a registry: an HTTP API over a database and a policy, that needs nothing else of its
 * host. Any number of them, in any number of processes, may work on one database.
 *
 * A manifest is `{ urn, card, sig, provenance }`. Its attestations are verified before it is
 * kept; each must have a subject with the name of the urn and the SHA-256 of the canonical card
 * (RFC 8785). In the mode `enforce` what the policy refuses is answered with `422`.
 *
 * @throws {TypeError} If an option is unknown or not of its form.
 * @throws {RangeError} If a bound is no integer >= 1.
 *
 * @example A registry in a process of its own
 * ```ts ignore
 * import { createRegistry, fixedPolicy } from "@x/attest/server";
 * import { Database } from "@x/attest/store/sql";
 * import { sqliteDriver } from "@x/attest/store/sql/sqlite";
 *
 * const database = await Database.open(sqliteDriver("registry.db"));
 * const { handler } = createRegistry({ database, policy: fixedPolicy(policy) });
 * Deno.serve({ hostname: "127.0.0.1", port: 8080 }, (request) => handler(request));
 * ```
 */
export function createRegistry(options: RegistryServerOptions): Registry {
  const settings = settingsOf(options);
  const context = new RegistryContext(settings);
  const app = new Hono<{ Bindings: Caller }>({ strict: true });
  let count = 0;

  const route = (
    path: string,
    methods: Readonly<Record<string, Handle>>,
  ): void => {
    const parameter = /:(\w+)/.exec(path)?.[1] ?? "";
    const answer = async (request: Request, value: string, caller: Caller): Promise<Response> => {
      const method = request.method === "HEAD" ? "GET" : request.method;
      const handle = Object.hasOwn(methods, method) ? methods[method] : undefined;
      const label = handle === undefined ? "other" : `${method} ${path}`;
      const start = performance.now();
      const number = ++count;
      context.inFlight++;
      let response: Response;
      let reason: string | undefined;
      try {
        response = handle === undefined
          ? notAllowed(Object.keys(methods))
          : await handle(request, value, caller);
      } catch (thrown) {
        const error = asError(thrown);
        ({ reason } = error);
        if (reason === "store-unavailable") context.metrics.storeError();
        response = refusal(error);
        if (response.status >= 500) {
          const message = describe(error);
          context.log({ level: "error", event: "failure", message, request: number, reason });
        }
      } finally {
        context.inFlight--;
      }
      const ms = performance.now() - start;
      context.metrics.request(label, response.status, ms / 1000);
      const { status } = response;
      const urn = parameter === "urn" ? printable(value, 255) : undefined;
      context.log({
        level: status >= 500 ? "error" : "info",
        event: "request",
        ...{ request: number, method: printable(request.method, 16), route: path, status },
        ms: Math.round(ms * 10) / 10,
        ...(urn === undefined ? {} : { urn }),
        ...factsOf(response),
        ...(reason === undefined ? {} : { reason }),
      });
      return request.method === "HEAD" ? withoutBody(response) : response;
    };
    app.all(path, (c) => {
      const value = parameter === "" ? "" : c.req.param(parameter) ?? "";
      return answer(c.req.raw, value, c.env ?? {});
    });
  };

  /** What a reader may ask. */
  const read = (answer: (request: Request, parameter: string) => Promise<Response>): Handle => {
    return async (request, parameter, caller) => {
      await context.admitReader(request, caller);
      return await answer(request, parameter);
    };
  };
  route("/v1/registry", { GET: read((request) => readList(request, context)) });
  route("/v1/registry/:urn", {
    GET: read((request, urn) => readManifest(request, urn, context)),
    PUT: (request, urn, caller) => putManifest(request, urn, caller, context),
  });
  route("/v1/registry/:urn/dry-run", {
    POST: (request, urn, caller) => dryRun(request, urn, caller, context),
  });
  route("/v1/registry/:urn/provenance", {
    GET: read((request, urn) => readHistory(request, urn, context)),
  });
  route("/v1/registry/:urn/versions", {
    GET: read((request, urn) => readVersions(request, urn, context)),
  });
  route("/v1/registry/:urn/verdict", { GET: read((_, urn) => verdictNow(urn, context)) });
  route("/v1/attestations/:digest", {
    GET: read((request, digest) => readAttestations(request, digest, context)),
  });
  route("/v1/envelopes/:id", { GET: read((_, id) => readEnvelope(id, context)) });
  route("/healthz", { GET: () => Promise.resolve(json(200, { status: "ok" })) });
  route("/readyz", { GET: () => readiness(context) });
  route("/metrics", { GET: () => Promise.resolve(metricsAnswer(context)) });
  route("/openapi.json", { GET: () => Promise.resolve(json(200, openApiDocument())) });
  route("/docs", { GET: () => Promise.resolve(docsPage(openApiDocument())) });
  app.notFound((c) => {
    c.req.raw.body?.cancel().catch(() => {});
    return json(404, { error: "not_found", message: "Not found; /docs tells what is here" });
  });
  app.onError((error) => {
    context.log({ level: "error", event: "failure", message: printable(error.message) });
    return refusal(asError(error));
  });

  return {
    handler: async (request, caller = {}) => await app.fetch(request, caller),
    async refreshPolicy() {
      await context.policy.refresh();
      return context.policy.state;
    },
  };
}

/** `GET /readyz`: 503 if it cannot answer; what is wrong with the newest policy is told. */
async function readiness({ policy, settings: { database } }: RegistryContext): Promise<Response> {
  const inForce = await policy.current().then(() => true, () => false);
  const { digest, since, problem } = policy.state;
  let isThere = true;
  try {
    await database.kysely.selectFrom("schema_version").select("version").limit(1).execute();
  } catch {
    isThere = false;
  }
  const ready = inForce && isThere;
  return json(ready ? 200 : 503, {
    ready,
    status: !ready ? "unavailable" : problem === undefined ? "ok" : "degraded",
    database: { ok: isThere },
    policy: {
      ok: problem === undefined && inForce,
      ...(digest === undefined ? {} : { digest, since }),
      ...(problem === undefined ? {} : {
        reason: problem.reason,
        message: printable(problem.message, 400),
        ...(problem.path === undefined ? {} : { path: printable(problem.path) }),
      }),
    },
  });
}

function metricsAnswer({ metrics, policy, inFlight }: RegistryContext): Response {
  const { digest, since, problem } = policy.state;
  const text = metrics.text({
    policyGood: digest !== undefined && problem === undefined,
    ...(since === undefined ? {} : { policySince: since.getTime() / 1000 }),
    inFlight,
  });
  return new Response(text, {
    headers: { "content-type": "text/plain; version=0.0.4; charset=utf-8" },
  });
}

function notAllowed(methods: readonly string[]): Response {
  const allow = methods.join(", ");
  return json(405, { error: "method_not_allowed", message: `Not allowed here; use ${allow}` }, {
    allow,
  });
}

function withoutBody({ status, headers }: Response): Response {
  return new Response(null, { status, headers });
}

/** An error and its causes, for the log of the machine. */
function describe(error: AttestationError): string {
  const lines: string[] = [];
  for (let one: unknown = error; one instanceof Error && lines.length < 4; one = one.cause) {
    lines.push(printable(one.message, 200));
  }
  return lines.join(": ");
}
