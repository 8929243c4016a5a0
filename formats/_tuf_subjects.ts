import { decodeBase64 } from "../internal/base64.ts";
import { encodeHex } from "../internal/hex.ts";
import { isObject, type Json, type JsonObject } from "../internal/json.ts";
import type { Confidence } from "./format.ts";
import type { FormatInput } from "./format_input.ts";
import type { ResourceDescriptor } from "../intoto/resource_descriptor.ts";

/** Tells a targets file of TUF 1.0 or Notary v1 by its type. */
export function isTufTargets({ json }: FormatInput): Confidence {
  const type = isObject(json?.signed) ? json.signed._type : undefined;
  const isTargets = typeof type === "string" && type.toLowerCase() === "targets";
  return isTargets && Array.isArray(json?.signatures) ? 3 : 0;
}

/**
 * The files that a targets file of TUF names, with their digests; one whose digests are none
 * is left out. TUF 1.0 has digests in hex, Notary v1 in base64: a digest's length tells which.
 */
export function subjectsOfTargets({ targets }: JsonObject): ResourceDescriptor[] {
  if (!isObject(targets)) return [];
  return Object.entries(targets).flatMap(([name, info]) => {
    const digest = isObject(info) ? digestsOf(info.hashes) : {};
    return Object.keys(digest).length === 0 ? [] : [{ name, digest }];
  });
}

function digestsOf(hashes: Json | undefined): Record<string, string> {
  const digest: Record<string, string> = {};
  if (!isObject(hashes)) return digest;
  for (const [algorithm, value] of Object.entries(hashes)) {
    if (typeof value !== "string") continue;
    digest[algorithm] = value.endsWith("=")
      ? encodeHex(decodeBase64(value, { alphabet: "standard", padding: "required" }))
      : value;
  }
  return digest;
}
