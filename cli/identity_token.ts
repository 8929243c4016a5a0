import { AttestationError } from "../errors.ts";
import { decodeUtf8, quote } from "../internal/json.ts";
import type { IdentityToken } from "../sigstore/oidc/token.ts";
import type { ServiceOptions } from "../sigstore/sign/options.ts";
import type { SigningConfig } from "../sigstore/sign/signing_config.ts";
import { type ParsedArgs, usageError } from "./args.ts";
import { readBounded, type Runtime } from "./runtime.ts";

const MAX_TOKEN_BYTES = 1 << 20;

/**
 * The identity: a person's who logs in, a token in a file, one in the environment, or that of
 * the platform.
 */
export async function readToken(
  args: ParsedArgs,
  runtime: Runtime,
  config: SigningConfig,
): Promise<IdentityToken> {
  const now = runtime.now?.() ?? new Date();
  const http = requestOptions(args, runtime);
  if (args.has("device-flow")) {
    const { deviceIdentityToken } = await import("../sigstore/oidc/device.ts");
    const { selectServices } = await import("../sigstore/sign/signing_config.ts");
    const issuer = args.get("oidc-issuer") ?? selectServices(config, now).oidc?.url;
    if (issuer === undefined) {
      throw usageError("--device-flow needs --oidc-issuer: the signing configuration has none");
    }
    const clientId = args.get("oidc-client-id");
    return await deviceIdentityToken(issuer, {
      ...http,
      ...(clientId === undefined ? {} : { clientId }),
      now: () => runtime.now?.() ?? new Date(),
      show: ({ verificationUri, verificationUriComplete, userCode }) =>
        runtime.write(
          "stderr",
          `Open ${quote(verificationUriComplete ?? verificationUri)} and enter ${
            quote(userCode)
          }\n`,
        ),
    });
  }
  const { parseIdentityToken } = await import("../sigstore/oidc/token.ts");
  const path = args.get("identity-token-file");
  if (path !== undefined) {
    const bytes = path === "-"
      ? await runtime.readStdin(MAX_TOKEN_BYTES)
      : await readBounded(runtime, path, MAX_TOKEN_BYTES);
    return parseIdentityToken(decodeUtf8(bytes).trim(), { now });
  }
  const variable = runtime.env("SIGSTORE_ID_TOKEN");
  if (variable !== undefined && variable !== "") {
    return parseIdentityToken(variable.trim(), { now });
  }
  const { ambientIdentityToken } = await import("../sigstore/oidc/ambient.ts");
  const found = await ambientIdentityToken(runtime.environment(), {
    ...http,
    now,
    run: async (command, given) => {
      const { status, stdout } = await runtime.run(command, given);
      if (status !== 0) {
        throw new AttestationError(
          "missing-identity-token",
          `Cannot get identity token: ${quote(command)} ended with status ${status}`,
        );
      }
      return decodeUtf8(stdout);
    },
  });
  if (found !== undefined) return found;
  throw new AttestationError(
    "missing-identity-token",
    "Cannot sign without a key: no platform gives an identity here, and there is neither " +
      "--identity-token-file, SIGSTORE_ID_TOKEN nor --device-flow",
  );
}

/** What the command line says about requests. */
export function requestOptions(
  args: ParsedArgs,
  runtime: Runtime,
): Pick<ServiceOptions, "fetch" | "timeoutMs" | "sleep"> {
  const seconds = args.get("timeout");
  return {
    ...(runtime.fetch === undefined ? {} : { fetch: runtime.fetch }),
    ...(runtime.sleep === undefined ? {} : { sleep: runtime.sleep }),
    ...(seconds === undefined ? {} : { timeoutMs: 1000 * Number(seconds) }),
  };
}
