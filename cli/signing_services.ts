import { AttestationError } from "../errors.ts";
import type { SigningConfig } from "../sigstore/sign/signing_config.ts";
import type { TrustedRoot } from "../sigstore/trusted_root.ts";
import type { RefreshedTrust } from "../sigstore/tuf/trust.ts";
import { ParsedArgs, usageError } from "./args.ts";
import { readRoots } from "./trust.ts";
import { inFile } from "./in_file.ts";
import { readBounded, type Runtime } from "./runtime.ts";

const MAX_CONFIG_BYTES = 8 << 20;

/** The services of an instance and what their answers must verify against. */
export interface Services {
  signingConfig?: SigningConfig;
  trustedRoots: readonly TrustedRoot[];
}

/** The configuration of an instance and what it must verify against. */
export async function readServices(
  args: ParsedArgs,
  runtime: Runtime,
  required: boolean,
): Promise<Services> {
  const path = args.get("trust-config");
  if (path !== undefined) {
    const { parseTrustConfig } = await import("../sigstore/sign/signing_config.ts");
    const { trustedRoot, signingConfig } = await inFile(
      "trust configuration",
      path,
      async () => parseTrustConfig(await readBounded(runtime, path, MAX_CONFIG_BYTES)),
    );
    return { signingConfig, trustedRoots: [trustedRoot] };
  }
  const file = args.get("signing-config");
  if (file === undefined) {
    if (args.has("trusted-root")) throw usageError("--trusted-root needs --signing-config");
    return required ? await readCachedServices(runtime) : { trustedRoots: [] };
  }
  const { parseSigningConfig } = await import("../sigstore/sign/signing_config.ts");
  const signingConfig = await inFile(
    "signing configuration",
    file,
    async () => parseSigningConfig(await readBounded(runtime, file, MAX_CONFIG_BYTES)),
  );
  const { trustedRoots } = await readRoots(args, runtime);
  if (trustedRoots.length > 0) return { signingConfig, trustedRoots };
  const { publicGoodRoot } = await import("../sigstore/public_good.ts");
  return { signingConfig, trustedRoots: [await publicGoodRoot()] };
}

/** The public-good instance, as the last `trusted-root update` got it. */
async function readCachedServices(runtime: Runtime): Promise<Services> {
  const { readRepository } = await import("./trusted_root.ts");
  const { readCachedTrust } = await import("../sigstore/tuf/trust.ts");
  const { HOME, XDG_CACHE_HOME, LOCALAPPDATA } = runtime.environment();
  const hasCache = [HOME, XDG_CACHE_HOME, LOCALAPPDATA].some((folder) => folder !== undefined);
  if (!hasCache) throw unknownServices();
  const { root, cache } = await readRepository(new ParsedArgs(), runtime);
  return await servicesOfTrust(
    await readCachedTrust({ root, cache }),
    runtime.now?.() ?? new Date(),
  );
}

/**
 * Services and root of an instance out of a cache, if there are any and they are not stale.
 *
 * @throws {AttestationError} `usage`, `tuf-expired`, `malformed-signing-config`.
 */
export async function servicesOfTrust(
  trust: Pick<RefreshedTrust, "expires" | "trustedRoot" | "signingConfigText"> | undefined,
  now: Date,
): Promise<Services & { signingConfig: SigningConfig }> {
  if (trust?.signingConfigText === undefined) throw unknownServices();
  if (trust.expires <= now) {
    throw new AttestationError(
      "tuf-expired",
      `Cannot use the cached signing configuration: it was good until ${trust.expires.toISOString()}; ` +
        "run trusted-root update",
    );
  }
  const { parseSigningConfig } = await import("../sigstore/sign/signing_config.ts");
  return {
    signingConfig: parseSigningConfig(trust.signingConfigText),
    trustedRoots: [trust.trustedRoot],
  };
}

function unknownServices(): AttestationError {
  return usageError(
    "Say how to sign: --key FILE, or keyless --signing-config FILE with --trusted-root FILE; for " +
      "the public-good instance run trusted-root update before",
  );
}
