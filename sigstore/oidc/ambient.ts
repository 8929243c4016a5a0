import { AttestationError, isAttestationError } from "../../errors.ts";
import { HTTP_OPTIONS, type HttpOptions, jsonAnswer, request } from "../../internal/http.ts";
import { decodeUtf8 } from "../../internal/json.ts";
import { refuseUnknown } from "../../internal/options.ts";
import {
  type IdentityToken,
  type IdentityTokenOptions,
  parseIdentityToken,
  SIGSTORE_AUDIENCE,
} from "./token.ts";

/** Environment variables by name. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** Options of {@linkcode ambientIdentityToken}. */
export interface AmbientTokenOptions extends HttpOptions {
  /** Whom the token is for. Default `sigstore`. */
  audience?: string;
  /** When it must be valid. Default: now, when it was given. */
  now?: Date;
  /**
   * Runs a program of the build's platform and answers its standard output; rejects when
   * it fails. CircleCI gives a token for a chosen audience in this way only.
   */
  run?: (command: string, args: readonly string[]) => Promise<string>;
}

/** One platform that gives identity tokens. */
interface Provider {
  /** Tells whether a build runs there. */
  is: (environment: Environment) => boolean;
  /** Gets the token, or undefined where it is withheld. */
  get: (environment: Environment, audience: string, options: AmbientTokenOptions) => Promise<
    IdentityToken | undefined
  >;
  /** What gives the job a token. */
  remedy: string;
}

const PROVIDERS: readonly Provider[] = [
  {
    is: ({ GITHUB_ACTIONS }) => GITHUB_ACTIONS === "true",
    get: fromGithub,
    remedy: "GitHub Actions gives a job one that has `permissions: id-token: write`",
  },
  {
    is: ({ GITLAB_CI }) => GITLAB_CI === "true",
    get: () => Promise.resolve(undefined),
    remedy: "GitLab CI gives a job one that has `id_tokens: SIGSTORE_ID_TOKEN: aud: sigstore`",
  },
  {
    is: ({ BUILDKITE }) => BUILDKITE === "true",
    get: fromBuildkite,
    remedy: "Buildkite gives a job one by its agent: BUILDKITE_AGENT_ACCESS_TOKEN and " +
      "BUILDKITE_JOB_ID must be passed on to containers",
  },
  {
    is: ({ CIRCLECI }) => CIRCLECI === "true",
    get: fromCircle,
    remedy: 'CircleCI gives a job one by `circleci run oidc get --claims \'{"aud":"sigstore"}\'`',
  },
  {
    is: isGoogleCloudBuild,
    get: fromGoogle,
    remedy: "Google Cloud Build gives one by its metadata server",
  },
];

/**
 * Asks the platform that a build runs on for an identity token: `SIGSTORE_ID_TOKEN`, which
 * is how GitLab CI passes one on and everybody else may, before GitHub Actions, Buildkite,
 * CircleCI and Google Cloud Build.
 *
 * Nothing but the named variables is read. What the platform gives as a credential goes to
 * the platform's own address only, and never along a redirect.
 *
 * Source: GitHub docs, "OpenID Connect reference"; GitLab docs, "ID tokens"; Buildkite docs,
 * "buildkite-agent oidc"; CircleCI docs, "OIDC tokens with custom claims"; Google Cloud docs,
 * "Get an ID token from the metadata server".
 *
 * @param environment Variables of the process; they are not read from anywhere else.
 * @returns The token, or undefined if no such platform is recognised.
 * @throws {AttestationError} `missing-identity-token` if the platform gives this job none,
 * what `parseIdentityToken()` refuses, and what a request can fail with:
 * `service-unavailable`, `service-refused`, `malformed-response`, `limit-exceeded`, `aborted`.
 * @throws {TypeError} If an option is unknown.
 *
 * @example Outside of a build
 * ```ts
 * import { ambientIdentityToken } from "@x/attest/sigstore/oidc";
 * import assert from "node:assert/strict";
 *
 * assert.equal(await ambientIdentityToken({ PATH: "/usr/bin" }), undefined);
 * ```
 */
export async function ambientIdentityToken(
  environment: Environment,
  options: AmbientTokenOptions = {},
): Promise<IdentityToken | undefined> {
  refuseUnknown(options, [...HTTP_OPTIONS, "audience", "now", "run"], "ambientIdentityToken()");
  const { audience = SIGSTORE_AUDIENCE } = options;
  const explicit = environment.SIGSTORE_ID_TOKEN?.trim() ?? "";
  if (explicit !== "") return read(explicit, audience, options);
  const provider = PROVIDERS.find(({ is }) => is(environment));
  if (provider === undefined) return undefined;
  const token = await provider.get(environment, audience, options);
  if (token !== undefined) return token;
  throw new AttestationError(
    "missing-identity-token",
    `Cannot get an identity token: ${provider.remedy}`,
  );
}

/**
 * Tells whether variables are those of Google Cloud Build, which sets none by itself: those
 * that `automapSubstitutions` adds.
 */
export function isGoogleCloudBuild({ BUILD_ID, PROJECT_ID }: Environment): boolean {
  return PROJECT_ID !== undefined && PROJECT_ID !== "" &&
    /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(BUILD_ID ?? "");
}

async function fromGithub(
  environment: Environment,
  audience: string,
  options: AmbientTokenOptions,
): Promise<IdentityToken | undefined> {
  const address = environment.ACTIONS_ID_TOKEN_REQUEST_URL ?? "";
  const secret = environment.ACTIONS_ID_TOKEN_REQUEST_TOKEN ?? "";
  if (address === "" || secret === "") return undefined;
  const url = addressOf(address, "ACTIONS_ID_TOKEN_REQUEST_URL");
  url.searchParams.set("audience", audience);
  const headers = { authorization: `bearer ${secret}`, accept: "application/json" };
  return await ask("ask GitHub Actions for an identity token", url.href, "value", { headers }, {
    audience,
    options,
  });
}

async function fromBuildkite(
  environment: Environment,
  audience: string,
  options: AmbientTokenOptions,
): Promise<IdentityToken | undefined> {
  const secret = environment.BUILDKITE_AGENT_ACCESS_TOKEN ?? "";
  const job = environment.BUILDKITE_JOB_ID ?? "";
  if (secret === "" || job === "") return undefined;
  const endpoint = environment.BUILDKITE_AGENT_ENDPOINT || "https://agent.buildkite.com/v3";
  const url = addressOf(endpoint, "BUILDKITE_AGENT_ENDPOINT");
  const path = `${url.pathname.replace(/\/+$/, "")}/jobs/${encodeURIComponent(job)}/oidc/tokens`;
  url.pathname = path;
  const headers = {
    authorization: `Token ${secret}`,
    "content-type": "application/json",
    accept: "application/json",
  };
  const body = JSON.stringify({ audience });
  return await ask("ask Buildkite for an identity token", url.href, "token", { headers, body }, {
    audience,
    options,
  });
}

async function fromCircle(
  environment: Environment,
  audience: string,
  options: AmbientTokenOptions,
): Promise<IdentityToken | undefined> {
  // Its audience is fixed: the organization. It serves only who asks for just that.
  for (const name of ["CIRCLE_OIDC_TOKEN_V2", "CIRCLE_OIDC_TOKEN"]) {
    const given = environment[name]?.trim() ?? "";
    if (given === "") continue;
    try {
      return read(given, audience, options);
    } catch (error) {
      if (!isAttestationError(error) || error.reason !== "audience-mismatch") throw error;
    }
  }
  if (options.run === undefined) return undefined;
  let output: string;
  try {
    const claims = JSON.stringify({ aud: audience });
    output = await options.run("circleci", ["run", "oidc", "get", "--claims", claims]);
  } catch (cause) {
    throw new AttestationError(
      "missing-identity-token",
      "Cannot get an identity token: the program circleci gave none",
      { cause },
    );
  }
  return read(output.trim(), audience, options);
}

const METADATA_HOST = "metadata.google.internal";

async function fromGoogle(
  environment: Environment,
  audience: string,
  options: AmbientTokenOptions,
): Promise<IdentityToken | undefined> {
  const host = environment.GCE_METADATA_HOST || METADATA_HOST;
  const url = addressOf(
    `http://${host}/computeMetadata/v1/instance/service-accounts/default/identity`,
    "GCE_METADATA_HOST",
  );
  url.searchParams.set("audience", audience);
  // With the address of the account, which is what a certificate names.
  url.searchParams.set("format", "full");
  const { body } = await request(
    "ask Google Cloud for an identity token",
    url.href,
    { headers: { "metadata-flavor": "Google" }, plainHosts: [METADATA_HOST] },
    httpOf(options),
  );
  return read(textOf(body).trim(), audience, options);
}

interface Asked {
  audience: string;
  options: AmbientTokenOptions;
}

async function ask(
  action: string,
  url: string,
  member: string,
  init: { headers: Record<string, string>; body?: string },
  { audience, options }: Asked,
): Promise<IdentityToken> {
  const answer = jsonAnswer(action, await request(action, url, init, httpOf(options)));
  const token = answer[member];
  if (typeof token !== "string") {
    throw new AttestationError(
      "malformed-response",
      `Cannot ${action}: the answer has no text ${member}`,
    );
  }
  return read(token, audience, options);
}

function read(text: string, audience: string, { now }: AmbientTokenOptions): IdentityToken {
  const options: IdentityTokenOptions = { audience };
  if (now !== undefined) options.now = now;
  return parseIdentityToken(text, options);
}

function httpOf(options: AmbientTokenOptions): HttpOptions {
  const { audience: _audience, now: _now, run: _run, ...http } = options;
  return { maxBytes: 64 << 10, ...http };
}

function textOf(bytes: Uint8Array): string {
  try {
    return decodeUtf8(bytes);
  } catch {
    return "";
  }
}

/** A variable of the environment as an address; what it holds is not repeated. */
function addressOf(text: string, variable: string): URL {
  try {
    return new URL(text);
  } catch {
    throw new AttestationError(
      "missing-identity-token",
      `Cannot get an identity token: ${variable} holds no address`,
    );
  }
}
