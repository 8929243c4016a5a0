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
 * is left out. TUF 1.0, which says so in `spec_version`, has digests in hex, Notary v1 in base64.
 */
export function subjectsOfTargets(signed: JsonObject): ResourceDescriptor[] {
  const { targets } = signed;
  if (!isObject(targets)) return [];
  const read = Object.hasOwn(signed, "spec_version") ? (hex: string) => hex : hexOf;
  return Object.entries(targets).flatMap(([name, info]) => {
    const digest = isObject(info) ? digestsOf(info.hashes, read) : {};
    return Object.keys(digest).length === 0 ? [] : [{ name, digest }];
  });
}

function digestsOf(
  hashes: Json | undefined,
  read: (text: string) => string,
): Record<string, string> {
  if (!isObject(hashes)) return {};
  return Object.fromEntries(
    Object.entries(hashes).flatMap(([algorithm, value]) =>
      typeof value === "string" ? [[algorithm, read(value)]] : []
    ),
  );
}

function hexOf(base64: string): string {
  return encodeHex(decodeBase64(base64, { alphabet: "standard", padding: "required" }));
}
