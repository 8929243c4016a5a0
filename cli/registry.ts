import { AttestationError } from "../errors.ts";
import { quote } from "../internal/json.ts";
import {
  type CredentialHelper,
  type CredentialLookup,
  dockerCredentials,
  type RegistryCredentials,
} from "../store/oci/credentials.ts";
import { type OciReference, parseOciReference } from "../store/oci/reference.ts";
import { createRepository } from "../store/oci/repository.ts";
import type { OciTarget } from "../store/oci/source.ts";
import { type ParsedArgs, usageError } from "./args.ts";
import { join } from "./artifacts.ts";
import { readBounded, type Runtime } from "./runtime.ts";

/** Variables that hold credentials, and the one host that they are for. */
const HOST = "ATTEST_REGISTRY";
const USERNAME = "ATTEST_REGISTRY_USERNAME";
const PASSWORD = "ATTEST_REGISTRY_PASSWORD";
const TOKEN = "ATTEST_REGISTRY_TOKEN";

const MAX_CONFIG_BYTES = 1 << 20;
const MAX_WARNINGS = 8;
const MAX_PASSWORD_BYTES = 64 << 10;

/**
 * The repository of a reference, asked with what the machine has for its registry: the
 * environment, then the configuration of Docker with its helper programs.
 *
 * @throws {AttestationError} `malformed-image-reference`, `usage`.
 */
export function openRegistry(
  reference: OciReference | string,
  args: ParsedArgs,
  runtime: Runtime,
): OciTarget {
  const named = typeof reference === "string" ? parseOciReference(reference) : reference;
  const warned = new Set<string>();
  return createRepository(named, {
    ...(runtime.fetch === undefined ? {} : { fetch: runtime.fetch }),
    ...(runtime.sleep === undefined ? {} : { sleep: runtime.sleep }),
    ...(runtime.now === undefined ? {} : { now: runtime.now }),
    credentials: givenCredentials(named.host, args, runtime),
    plainHosts: args.all("plain-http"),
    onWarning: (text) => {
      // The same with every answer, and at most as many as somebody reads.
      if (warned.size < MAX_WARNINGS && warned.size < warned.add(text).size) {
        runtime.write("stderr", `warning: ${named.host}: ${text}\n`);
      }
    },
  });
}

/** Passwords that were read: standard input can be read once. */
const passwords = new WeakMap<ParsedArgs, Promise<RegistryCredentials>>();

/**
 * Refuses options of credentials that cannot be meant: for two registries, or one half.
 *
 * @param hosts Hosts of all registries of the command.
 * @throws {AttestationError} `usage`.
 */
export function checkCredentialOptions(hosts: readonly string[], args: ParsedArgs): void {
  const isGiven = args.has("registry-password-stdin");
  if (args.has("registry-username") && !isGiven) {
    throw usageError("--registry-username needs --registry-password-stdin: a command line is seen");
  }
  if (!isGiven) return;
  const all = [...new Set(hosts)];
  if (all.length === 1) return;
  throw usageError(
    all.length === 0
      ? "--registry-password-stdin needs a registry: oci://REFERENCE"
      : `--registry-password-stdin is for one registry, not for ${all.map(quote).join(" and ")}; ` +
        "use docker login",
  );
}

/** What the options say for this host, and what the machine has. */
function givenCredentials(host: string, args: ParsedArgs, runtime: Runtime): CredentialLookup {
  checkCredentialOptions([host], args);
  if (!args.has("registry-password-stdin")) {
    return machineCredentials(runtime, args.get("docker-config"));
  }
  return () => {
    let read = passwords.get(args);
    if (read === undefined) passwords.set(args, read = readPassword(args, runtime));
    return read;
  };
}

async function readPassword(args: ParsedArgs, runtime: Runtime): Promise<RegistryCredentials> {
  const text = new TextDecoder().decode(await runtime.readStdin(MAX_PASSWORD_BYTES));
  const secret = text.replace(/\r?\n$/, "");
  if (secret === "") throw usageError("Standard input holds no password");
  const username = args.get("registry-username");
  return username === undefined ? { token: secret } : { username, password: secret };
}

/**
 * Credentials of this machine, read when a registry first asks for some.
 *
 * @param folder Folder of Docker's configuration. Default: where Docker looks.
 */
export function machineCredentials(runtime: Runtime, folder?: string): CredentialLookup {
  let docker: Promise<CredentialLookup> | undefined;
  return async (host) => {
    const own = environmentCredentials(host, runtime);
    if (own !== undefined) return own;
    docker ??= readDocker(runtime, folder);
    return await (await docker)(host);
  };
}

function environmentCredentials(
  host: string,
  runtime: Runtime,
): Awaited<ReturnType<CredentialLookup>> {
  const token = runtime.env(TOKEN) ?? "", username = runtime.env(USERNAME) ?? "";
  if (token === "" && username === "") return undefined;
  const meant = runtime.env(HOST) ?? "";
  if (meant === "") {
    throw new AttestationError(
      "usage",
      `Set ${HOST} to the host that ${
        token === "" ? USERNAME : TOKEN
      } is for: no other one gets it`,
    );
  }
  if (meant.toLowerCase() !== host) return undefined;
  return token !== "" ? { token } : { username, password: runtime.env(PASSWORD) ?? "" };
}

const NOBODY: CredentialLookup = () => Promise.resolve(undefined);

async function readDocker(
  runtime: Runtime,
  named: string | undefined,
): Promise<CredentialLookup> {
  const home = runtime.env("HOME") ?? runtime.env("USERPROFILE") ?? "";
  const folder = named ?? runtime.env("DOCKER_CONFIG") ??
    (home === "" ? "" : join(home, ".docker"));
  if (folder === "") return NOBODY;
  const path = join(folder, "config.json");
  // Without a permission to look there is nothing to authenticate with, as without the file.
  const info = await runtime.stat(path).catch(() => undefined);
  if (info?.kind !== "file") {
    if (named === undefined) return NOBODY;
    throw usageError(`--docker-config is a folder with a config.json, not ${quote(named)}`);
  }
  const text = await readBounded(runtime, path, MAX_CONFIG_BYTES);
  try {
    return dockerCredentials(text, { helper: helperOf(runtime) });
  } catch (cause) {
    throw new AttestationError("unreadable-file", `Cannot use ${quote(path)}`, { cause });
  }
}

/** Runs `docker-credential-NAME get`, which is how Docker keeps credentials elsewhere. */
function helperOf(runtime: Runtime): CredentialHelper {
  return async (name, server) => {
    const { status, stdout } = await runtime.run(`docker-credential-${name}`, ["get"], {
      stdin: `${server}\n`,
    });
    // It ends with 1 for a server that it does not know.
    return status === 0 ? new TextDecoder().decode(stdout) : undefined;
  };
}
