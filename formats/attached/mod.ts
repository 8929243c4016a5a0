/**
 * Signatures that lie in the artifact that they are of. `verifyFormat()` and `verify()` load
 * this by themselves when they meet one.
 *
 * @module
 */

export { type Apk, apk } from "./apk.ts";
export type { ApkScheme, ApkSigner, ByAlgorithm, SdkRange } from "./_apk_signers.ts";
export type { ZipArchive, ZipEntry, ZipRange } from "./zip.ts";
