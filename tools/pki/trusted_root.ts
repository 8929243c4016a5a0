import { encodeBase64 } from "../../internal/base64.ts";
import type { JsonObject } from "../../internal/json.ts";
import { noteKeyId } from "./checkpoint.ts";
import { sha256Of, type TestKey } from "./keys.ts";
import { KEY_DETAILS } from "./rekor_v2.ts";

/** Media type that the public-good instance serves. */
export const TRUSTED_ROOT_V01 = "application/vnd.dev.sigstore.trustedroot+json;version=0.1";

/** When something in a root is believed. */
export interface ValidFor {
  start?: Date;
  end?: Date;
}

/** A log in a trusted root. */
export interface TrustedLog {
  key: TestKey;
  baseUrl: string;
  validFor: ValidFor;
  /** Name of a Rekor v2 log; its id is then that of a signed note. */
  noteName?: string;
}

/** An authority in a trusted root: leaf or intermediate first, anchor last. */
export interface TrustedAuthority {
  uri: string;
  organization: string;
  commonName: string;
  chain: Uint8Array[];
  validFor: ValidFor;
}

/** Contents of a trusted root. */
export interface TrustedRootParts {
  mediaType?: string;
  tlogs: TrustedLog[];
  ctlogs: TrustedLog[];
  certificateAuthorities: TrustedAuthority[];
  timestampAuthorities: TrustedAuthority[];
}

/** `trusted_root.json` of an instance. */
export function trustedRoot(parts: TrustedRootParts): JsonObject {
  return {
    mediaType: parts.mediaType ?? TRUSTED_ROOT_V01,
    tlogs: parts.tlogs.map(log),
    certificateAuthorities: parts.certificateAuthorities.map(authority),
    ctlogs: parts.ctlogs.map(log),
    timestampAuthorities: parts.timestampAuthorities.map(authority),
  };
}

function log({ key, baseUrl, validFor, noteName }: TrustedLog): JsonObject {
  const keyId = noteName === undefined ? sha256Of(key.spki) : noteKeyId(noteName, key);
  return {
    baseUrl,
    hashAlgorithm: "SHA2_256",
    publicKey: {
      rawBytes: encodeBase64(key.spki),
      keyDetails: KEY_DETAILS[key.algorithm],
      validFor: period(validFor),
    },
    logId: { keyId: encodeBase64(keyId) },
  };
}

function authority(parts: TrustedAuthority): JsonObject {
  return {
    subject: { organization: parts.organization, commonName: parts.commonName },
    uri: parts.uri,
    certChain: {
      certificates: parts.chain.map((der) => ({ rawBytes: encodeBase64(der) })),
    },
    validFor: period(parts.validFor),
  };
}

function period({ start, end }: ValidFor): JsonObject {
  const json: JsonObject = {};
  if (start !== undefined) json.start = rfc3339(start);
  if (end !== undefined) json.end = rfc3339(end);
  return json;
}

function rfc3339(date: Date): string {
  return date.toISOString().replace(".000Z", "Z");
}
