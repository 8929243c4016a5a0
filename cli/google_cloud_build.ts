import { googleCloudBuildKeyId } from "../formats/mod.ts";
import type { TrustedKey } from "../keys/trusted_key.ts";
import {
  GOOGLE_CLOUD_BUILD_EXPECTATIONS,
  type GoogleCloudBuildOptions,
  verifyGoogleCloudBuild,
} from "../verify/google_cloud_build.ts";
import type { VerifyOptions } from "../verify/options.ts";
import type { ArtifactReport } from "../verify/report.ts";
import { usageError } from "./args.ts";
import { type Artifact, splitPath } from "./artifacts.ts";
import type { NamedAttestation } from "./attestations.ts";

/**
 * Verifies what gcloud prints about an image. The keys are those of Google Cloud Build,
 * each in a file by the usual name, such as `global.key`.
 *
 * @throws {AttestationError} `usage` if it cannot be judged by what is expected.
 */
export async function verifyCloudBuild(
  { source, content }: NamedAttestation,
  artifact: Artifact | undefined,
  { trust, expect = {} }: VerifyOptions,
): Promise<ArtifactReport> {
  const { provenance = {}, identity, predicateType, vsa } = expect;
  const other = Object.keys(provenance).find((name) =>
    !GOOGLE_CLOUD_BUILD_EXPECTATIONS.includes(name)
  );
  if (identity !== undefined || predicateType !== undefined || vsa !== undefined || other) {
    throw usageError(
      "Of Google Cloud Build only --source-…, --builder-id and --min-level can be expected",
    );
  }
  if (trust?.keySets !== undefined) {
    throw usageError("Google Cloud Build's keys are given as --key, not in a --key-set");
  }
  if ((trust?.threshold ?? 1) > 1) throw usageError("Google Cloud Build signs with one key each");
  const sha256 = artifact?.digest?.sha256;
  if (artifact !== undefined && sha256 === undefined) {
    throw usageError("Google Cloud Build attests images: give --digest sha256:… instead of a file");
  }
  const options: GoogleCloudBuildOptions = {
    keys: cloudBuildKeys(trust?.keys),
    expect: provenance,
  };
  if (sha256 === undefined) options.unsafelyVerifyWithoutArtifact = true;
  else options.imageDigest = `sha256:${sha256}`;
  const { artifacts: [report] } = await verifyGoogleCloudBuild(content, options);
  return {
    ...report,
    artifact: artifact?.name ?? report.artifact,
    attestations: report.attestations.map((one) => ({
      ...one,
      source: one.source.replace(/^provenance/, () => source),
    })),
  };
}

function cloudBuildKeys(keys: readonly TrustedKey[] = []): TrustedKey[] {
  const named = keys.map((key) => {
    const keyid = googleCloudBuildKeyId(splitPath(key.name).name);
    if (keyid === undefined) {
      throw usageError(
        "A key of Google Cloud Build is in a file by its usual name, such as global.key",
      );
    }
    const { name, alg, fingerprint, spki } = key;
    return {
      name,
      keyid,
      alg,
      fingerprint,
      spki,
      verify: (data: Uint8Array, signature: Uint8Array) => key.verify(data, signature),
    };
  });
  if (named.length === 0) throw usageError("Google Cloud Build needs --key, such as global.key");
  return named;
}
