/**
 * OpenPGP signatures, and what is signed with them: lists of checksums in clear text, files with
 * an `.asc` beside them, messages, provenance of Helm charts, container signatures, RPM packages.
 *
 * This entry carries the library `openpgp`. `verifyFormat()` and `verify()` load it when they
 * meet such a document; a program imports it to make the keyring that both take.
 *
 * @module
 */

export type { OpenPgpKey, OpenPgpKeyring } from "../openpgp_keyring.ts";
export {
  createOpenPgpKeyring,
  type OpenPgpKeyringOptions,
  type OpenPgpKeySource,
} from "./keyring.ts";
export { openPgpFormat } from "./openpgp_format.ts";
export { rpmFormat } from "./rpm_format.ts";
