import type { ParsedArgs } from "./args.ts";
import { usageError } from "./args.ts";
import { join } from "./artifacts.ts";
import { readBounded, type Runtime } from "./runtime.ts";

/** The registry of a package, and the token for it. */
export interface NpmConfig {
  /** Address. */
  registry: string;
  /** Token, if npm has one for this address. */
  token?: string;
}

const MAX_BYTES = 1 << 20;

/**
 * The registry of a package: `--registry`, else npm's configuration: the environment, `.npmrc`
 * of this folder, `.npmrc` of the user. There is no default: none is built in.
 *
 * Source: npm documentation, "npmrc" and "config", `registry`, `@scope:registry`, `_authToken`.
 *
 * @throws {AttestationError} `usage` if none is named.
 */
export async function npmConfig(
  packageName: string,
  args: ParsedArgs,
  runtime: Runtime,
): Promise<NpmConfig> {
  const settings = await readSettings(runtime);
  const scope = packageName.startsWith("@") ? packageName.split("/")[0] : undefined;
  const registry = args.get("registry") ??
    (scope === undefined ? undefined : settings.get(`${scope}:registry`)) ??
    runtime.env("npm_config_registry") ?? runtime.env("NPM_CONFIG_REGISTRY") ??
    settings.get("registry");
  if (registry === undefined) {
    throw usageError("No npm registry is named: give --registry URL, or set registry in .npmrc");
  }
  const token = tokenFor(registry, settings);
  return { registry, ...(token === undefined ? {} : { token }) };
}

/** Settings by name; those of this folder before those of the user. */
async function readSettings(runtime: Runtime): Promise<Map<string, string>> {
  const settings = new Map<string, string>();
  const home = runtime.env("HOME") ?? runtime.env("USERPROFILE");
  const user = runtime.env("npm_config_userconfig") ??
    (home === undefined ? undefined : join(home, ".npmrc"));
  for (const path of [".npmrc", user]) {
    if (path === undefined || await isAbsent(path, runtime)) continue;
    const text = new TextDecoder().decode(await readBounded(runtime, path, MAX_BYTES));
    for (const line of text.split(/\r?\n/)) {
      const match = /^\s*([^;#=\s][^=]*?)\s*=\s*(.*?)\s*$/.exec(line);
      if (match === null || settings.has(match[1])) continue;
      const value = match[2].replace(/^(["'])(.*)\1$/, "$2");
      settings.set(
        match[1],
        value.replace(/\$\{(\w+)\}/g, (all, name) => runtime.env(name) ?? all),
      );
    }
  }
  return settings;
}

async function isAbsent(path: string, runtime: Runtime): Promise<boolean> {
  try {
    return (await runtime.stat(path))?.kind !== "file";
  } catch {
    // Without leave to look it is as if it were not there: then the registry is to be named.
    return true;
  }
}

/** The token of the longest path that the registry begins with, as npm looks for it. */
function tokenFor(registry: string, settings: ReadonlyMap<string, string>): string | undefined {
  let url: URL;
  try {
    url = new URL(registry.endsWith("/") ? registry : `${registry}/`);
  } catch {
    return undefined;
  }
  for (let path = url.pathname; path !== ""; path = path.replace(/[^/]*\/$/, "")) {
    for (const key of [`//${url.host}${path}`, `//${url.host}${path.slice(0, -1)}`]) {
      const token = settings.get(`${key}:_authToken`);
      if (token !== undefined && !token.includes("${")) return token;
    }
  }
  return undefined;
}
