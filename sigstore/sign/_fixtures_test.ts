/** What the tests of signing share; no test is in here. */

import { isAttestationError } from "../../errors.ts";
import { utf8 } from "../../internal/bytes.ts";
import { digest } from "../../internal/digest.ts";
import { encodeHex } from "../../internal/hex.ts";
import type { JsonObject } from "../../internal/json.ts";
import {
  type ConfigOptions,
  createServices,
  type Services,
  type ServicesOptions,
} from "../../tools/pki/services.ts";
import type { SignedArtifact } from "../signed_artifact.ts";
import { parseTrustedRoot, type TrustedRoot } from "../trusted_root.ts";
import type { KeylessOptions, SignedBundle, SigningContent } from "./options.ts";
import { signKeyless } from "./sign.ts";
import { parseSigningConfig } from "./signing_config.ts";

export const ARTIFACT = utf8("what is signed itself\n");

/** The artifact as `verifySigstoreBundle()` takes it. */
export async function signedArtifact(): Promise<SignedArtifact> {
  const sha256 = encodeHex(await digest("SHA-256", ARTIFACT));
  const sha384 = encodeHex(await digest("SHA-384", ARTIFACT));
  return { digest: { sha256, sha384 }, content: ARTIFACT };
}

export const BLOB: SigningContent = { artifact: ARTIFACT };

export const ENVELOPE: SigningContent = {
  payloadType: "application/vnd.in-toto+json",
  payload: utf8(`{ "_type": "https://in-toto.io/Statement/v1", "subject": [] }`),
};

/** The throw-away instance and how it is signed with. */
export interface Setting {
  services: Services;
  root: TrustedRoot;
  token: string;
  /** Options for `signKeyless()`, without waits. */
  options(config?: ConfigOptions): KeylessOptions;
}

export async function setting(
  options: ServicesOptions & { claims?: JsonObject } = {},
): Promise<Setting> {
  const { claims, ...rest } = options;
  const services = await createServices(rest);
  const root = parseTrustedRoot(services.trustedRoot);
  const token = await services.token(claims);
  return {
    services,
    root,
    token,
    options: (config) => ({
      trustedRoots: [root],
      signingConfig: parseSigningConfig(services.signingConfig(config)),
      identityToken: token,
      fetch: services.fetch,
      sleep: () => Promise.resolve(),
      ...(rest.now === undefined ? {} : { now: rest.now }),
    }),
  };
}

/** Signs, and gives the bundle or the error. */
export async function attempt(
  content: SigningContent,
  options: KeylessOptions,
): Promise<SignedBundle | Error> {
  try {
    return await signKeyless(content, options);
  } catch (error) {
    if (error instanceof Error) return error;
    throw error;
  }
}

/** `ok`, or the reasons of an error and its causes, joined by ` < `. */
export function reasons(outcome: SignedBundle | Error): string {
  if (!(outcome instanceof Error)) return "ok";
  const found: string[] = [];
  for (let error: unknown = outcome; error instanceof Error; error = error.cause) {
    found.push(isAttestationError(error) ? error.reason : error.name);
  }
  return found.join(" < ");
}

/** All text in a value: own and inherited members, enumerable or not, and its JSON. */
export function everyText(value: unknown, seen: Set<unknown> = new Set()): string {
  if (typeof value === "string") return `${value}\n`;
  if (value instanceof Uint8Array) return `${new TextDecoder().decode(value)}\n`;
  if ((typeof value !== "object" && typeof value !== "function") || value === null) {
    return `${String(value)}\n`;
  }
  if (seen.has(value)) return "";
  seen.add(value);
  let text = value instanceof Error ? `${value}\n${value.stack}\n` : "";
  for (let holder: object | null = value; holder !== null; holder = Object.getPrototypeOf(holder)) {
    if (holder === Object.prototype || holder === Function.prototype) break;
    for (const name of Reflect.ownKeys(holder)) {
      text += `${String(name)}\n`;
      try {
        text += everyText(Reflect.get(holder, name, value), seen);
      } catch {
        continue; // A getter that wants another `this`.
      }
    }
  }
  return text;
}
