/**
 * Identity tokens (OpenID Connect) for keyless signing: read, asked of the platform that a
 * build runs on, or given after a person identified at the issuer.
 *
 * A token is a secret for as long as it is valid. It is in no message, and no request takes
 * it along a redirect.
 *
 * @module
 */

export type { Fetch, HttpOptions } from "../../internal/http.ts";
export { ambientIdentityToken, type AmbientTokenOptions, type Environment } from "./ambient.ts";
export { deviceIdentityToken, type DevicePrompt, type DeviceTokenOptions } from "./device.ts";
export { type IdentityToken, type IdentityTokenOptions, parseIdentityToken } from "./token.ts";
