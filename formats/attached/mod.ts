/**
 * Signatures in CMS, and those that lie in the artifact that they are of. `verifyFormat()` and
 * `verify()` load this by themselves when they meet one.
 *
 * @module
 */

export { authenticode, uefi } from "./authenticode.ts";
export { cmsSignature } from "./cms.ts";
export {
  type EfiSignature,
  type EfiSignatureKind,
  type EfiSignatureLimits,
  type EfiSignatureList,
  parseEfiSignatureLists,
} from "./efi_signature_list.ts";
export {
  createEfiTrust,
  type EfiDigest,
  type EfiTrust,
  type EfiTrustOptions,
} from "./efi_trust.ts";
export { type Apk, apk } from "./apk.ts";
export type { ApkScheme, ApkSigner, ByAlgorithm, SdkRange } from "./_apk_signers.ts";
export type { ZipArchive, ZipEntry, ZipRange } from "./zip.ts";
export { jar } from "./jar.ts";
