/**
 * Images and what hangs on them: references, registries and image layouts, over `fetch` and in
 * any runtime.
 *
 * Everything that a registry answers is untrusted: what is asked for by digest is checked
 * against it, and tags, annotations and types only ever steer where to look.
 *
 * @example Read a reference, and ask its registry
 * ```ts
 * import { createRepository, parseOciReference } from "@x/attest/store/oci";
 * import assert from "node:assert/strict";
 *
 * const reference = parseOciReference("registry.example/acme/app:1.0");
 * const registry = createRepository(reference, {
 *   fetch: () => Promise.resolve(new Response("", { status: 404 })),
 * });
 * assert.equal(await registry.tag("1.0"), undefined);
 * ```
 *
 * @module
 */

export type { Bytes } from "../../internal/bytes.ts";
export type { Fetch, HttpOptions } from "../../internal/http.ts";
export {
  attachAttestation,
  type Attached,
  type AttachOptions,
  type AttestationArtifact,
  createAttestationArtifact,
} from "./attach.ts";
export { type AuthChallenge, parseAuthChallenges } from "./challenge.ts";
export { copyImage, type CopyOptions, type CopyResult, type CopyStep } from "./copy.ts";
export {
  type CredentialHelper,
  type CredentialLookup,
  dockerCredentials,
  type DockerCredentialsOptions,
  type RegistryCredentials,
} from "./credentials.ts";
export {
  createLayout,
  createMemoryFiles,
  type LayoutFiles,
  type LayoutWriter,
  type OciLayout,
} from "./layout.ts";
export type { AttestationPart } from "./image.ts";
export {
  findOciAttestations,
  type OciAttachment,
  type OciAttestation,
  type OciFindings,
  type OciLookupOptions,
  type OciPlace,
} from "./lookup.ts";
export {
  descriptorOf,
  MAX_MANIFEST_BYTES,
  type OciManifestOptions,
  parseOciManifest,
} from "./manifest.ts";
export { formatOciPlatform, parseOciPlatform } from "./platform.ts";
export {
  expandShortName,
  formatOciReference,
  isOciDigest,
  isOciTag,
  type OciReference,
  parseOciReference,
} from "./reference.ts";
export { createRepository, type RepositoryOptions } from "./repository.ts";
export type {
  OciBlobOptions,
  OciDescriptor,
  OciManifest,
  OciNote,
  OciOptions,
  OciPlatform,
  OciPutOptions,
  OciReferrers,
  OciReferrersOptions,
  OciSource,
  OciTarget,
  OciWritten,
} from "./source.ts";
export { createOciStore, type OciStoreOptions } from "./store.ts";
export { bytesAccess, createTarFiles, type RandomAccess } from "./tar.ts";
export { verifyImage, type VerifyImageOptions } from "./verify_image.ts";
