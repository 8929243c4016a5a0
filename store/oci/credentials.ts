import { AttestationError, isAttestationError } from "../../errors.ts";
import { decodeBase64 } from "../../internal/base64.ts";
import { decodeUtf8, isObject, type JsonObject, parseJson, quote } from "../../internal/json.ts";
import { refuseUnknown } from "../../internal/options.ts";

/** What a registry is given: a name and password, an identity token, or a ready-made token. */
export type RegistryCredentials =
  | { readonly username: string; readonly password: string }
  | {
    /** Refresh token of OAuth 2, which buys access tokens at the registry's token service. */
    readonly identityToken: string;
  }
  | {
    /** Access token that is sent as it is. */
    readonly token: string;
  };

/** Looks up credentials for exactly one host, such as `registry.example:5000`. */
export type CredentialLookup = (host: string) => Promise<RegistryCredentials | undefined>;

/**
 * Asks a helper program of the Docker configuration for the credentials of a server; what it
 * prints for `get`, or undefined if it has none.
 */
export type CredentialHelper = (name: string, server: string) => Promise<string | undefined>;

/** Options of {@linkcode dockerCredentials}. */
export interface DockerCredentialsOptions {
  /** Runs `docker-credential-NAME get`. Default: helpers are not asked, which is an error. */
  helper?: CredentialHelper;
}

/** Names that Docker's own registry has in a configuration. */
const HUB_NAMES: readonly string[] = ["docker.io", "index.docker.io", "registry-1.docker.io"];

const MAX_CONFIG_BYTES = 1 << 20;

/**
 * Credentials of a Docker configuration, `~/.docker/config.json`: `credHelpers`, `credsStore`
 * and `auths` with `auth` or `identitytoken`. A host is matched whole, port included: never by
 * a part of its name.
 *
 * @param config Text of the file.
 * @throws {AttestationError} `malformed-json` and other reasons of strict JSON. The lookup
 * throws `registry-access-denied` for an entry that cannot be used.
 *
 * @example
 * ```ts
 * import { dockerCredentials } from "@x/attest/store/oci";
 * import assert from "node:assert/strict";
 *
 * const auth = btoa("ci:se:cret");
 * const lookup = dockerCredentials(JSON.stringify({ auths: { "registry.example": { auth } } }));
 * assert.deepEqual(await lookup("registry.example"), { username: "ci", password: "se:cret" });
 * assert.equal(await lookup("registry.example.evil.example"), undefined);
 * ```
 */
export function dockerCredentials(
  config: string | Uint8Array,
  options: DockerCredentialsOptions = {},
): CredentialLookup {
  refuseUnknown(options, ["helper"], "dockerCredentials()");
  const document = parseJson(config, { maxLength: MAX_CONFIG_BYTES, maxDepth: 16 });
  if (!isObject(document)) {
    throw new AttestationError("malformed-json", "Cannot read Docker configuration: no object");
  }
  const auths = objectOf(document.auths);
  const helpers = objectOf(document.credHelpers);
  return async (host) => {
    const names = HUB_NAMES.includes(host) ? HUB_NAMES : [host];
    const helper = memberOf(helpers, names) ??
      (typeof document.credsStore === "string"
        ? [serverOf(host), document.credsStore] as const
        : undefined);
    if (helper !== undefined && helper[1] !== "") {
      const found = await askHelper(helper[1], helper[0], options.helper);
      if (found !== undefined) return found;
    }
    const [, entry] = memberOf(auths, names) ?? [];
    return entry === undefined ? undefined : entryCredentials(host, entry);
  };
}

/** The name that a server has in `docker login`. */
function serverOf(host: string): string {
  return HUB_NAMES.includes(host) ? "https://index.docker.io/v1/" : host;
}

function objectOf(value: unknown): JsonObject {
  return isObject(value) ? value : {};
}

/** The member for one of these hosts; keys may be written as addresses. */
function memberOf(map: JsonObject, hosts: readonly string[]): [string, unknown] | undefined {
  return Object.entries(map).find(([name]) => {
    const host = name.replace(/^https?:\/\//, "").replace(/\/(?:v[12]\/?)?$/, "");
    return hosts.includes(host.toLowerCase());
  });
}

function entryCredentials(host: string, entry: unknown): RegistryCredentials | undefined {
  const { identitytoken, registrytoken, auth, username, password } = objectOf(entry);
  if (typeof identitytoken === "string" && identitytoken !== "") {
    return { identityToken: identitytoken };
  }
  if (typeof registrytoken === "string" && registrytoken !== "") return { token: registrytoken };
  if (typeof username === "string" && typeof password === "string" && username !== "") {
    return { username, password };
  }
  if (typeof auth !== "string" || auth === "") return undefined;
  let text: string;
  try {
    text = decodeUtf8(decodeBase64(auth)).replace(/\0+$/, "");
  } catch (cause) {
    if (!isAttestationError(cause)) throw cause;
    throw unusable(host, cause.reason);
  }
  const colon = text.indexOf(":");
  if (colon < 1) throw unusable(host, "auth is no base64 of name and password");
  return { username: text.slice(0, colon), password: text.slice(colon + 1) };
}

async function askHelper(
  name: unknown,
  server: string,
  helper: CredentialHelper | undefined,
): Promise<RegistryCredentials | undefined> {
  // It becomes the name of a program.
  if (typeof name !== "string" || !/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/.test(name)) {
    throw unusable(server, "the name of its credential helper is not accepted");
  }
  if (helper === undefined) throw unusable(server, `credential helper ${quote(name)} is not run`);
  const answer = await helper(name, server);
  if (answer === undefined) return undefined;
  let document: unknown;
  try {
    document = parseJson(answer, { maxLength: MAX_CONFIG_BYTES, maxDepth: 8 });
  } catch (cause) {
    if (!isAttestationError(cause)) throw cause;
    // Without the parser's words, which may quote a part of the secret.
    throw unusable(server, `credential helper ${quote(name)} answered no JSON: ${cause.reason}`);
  }
  const { Username: username, Secret: secret } = objectOf(document);
  if (typeof username !== "string" || typeof secret !== "string" || secret === "") {
    return undefined;
  }
  return username === "<token>" ? { identityToken: secret } : { username, password: secret };
}

function unusable(host: string, what: string): AttestationError {
  return new AttestationError(
    "registry-access-denied",
    `Cannot use credentials for ${quote(host)}: ${what}`,
  );
}
