import { AttestationError } from "../errors.ts";
import { type Bytes, utf8 } from "../internal/bytes.ts";
import { isObject, type JsonObject, parseJson, printable, quote } from "../internal/json.ts";
import { lookupAlgorithm } from "../keys/algorithm.ts";
import type { TrustedKey } from "../keys/trusted_key.ts";
import { parseTufFile, type TufFile } from "../sigstore/tuf/metadata.ts";
import { readNotaryFile, readNotaryKey } from "./_notary_metadata.ts";
import { isTufTargets } from "./_tuf_subjects.ts";
import { accepts, badSigner, goodSigner } from "./_signers.ts";
import type { FormatContext, FormatEnvelope, FormatModule, SignerResult } from "./format.ts";
import { importInTotoKey } from "./in_toto_metablock.ts";

/** The keys that a pinned `root.json` of a TUF repository names for its targets. */
export interface TufRootTrust {
  /** Name in reports. */
  readonly name: string;
  /** Keys of the targets role that can be used, each once. */
  readonly keys: readonly TrustedKey[];
  /** How many of them must have signed. */
  readonly threshold: number;
  /** From then on the root counts for nothing. */
  readonly expires: Date;
}

/** A targets file, read and not verified. */
export type TufTargetsDocument = TufFile<"targets">;

const MAX_ROOT_BYTES = 512 << 10;
const TARGETS = "targets.json";

/**
 * `targets.json` of The Update Framework, alone: names with lengths and digests, signed for a
 * role that a root names. Notary v1 (Docker Content Trust) has one for each image, with the
 * tags as names.
 *
 * It is verified against a root that is pinned: signatures by as many keys of the targets role
 * as the root asks for, expiry of both, and the digests by who compares the Statement. Nobody
 * asks for a timestamp and a snapshot, so that an older `targets.json` that has not expired is
 * not noticed; its version is told. Delegated roles, such as `targets/releases`, are not read.
 *
 * Source: TUF 1.0, 4.5 and 5.6; Notary v0.7.
 */
export const tufTargets: FormatModule<TufTargetsDocument> = {
  id: "tuf-targets",
  layer: "envelope",
  detect: isTufTargets,
  parse(bytes, { maxBytes, maxSignatures }) {
    refuseLonger(bytes.length, maxBytes);
    const content = readFile(TARGETS, "targets", Uint8Array.from(bytes));
    const { signatures, canonical, signed } = content;
    if (signatures.size === 0) {
      throw new AttestationError(
        "missing-signatures",
        "Cannot read targets.json: nobody signed it",
        { path: "/signatures" },
      );
    }
    if (signatures.size > maxSignatures) {
      throw new AttestationError(
        "limit-exceeded",
        `Cannot read targets.json: ${signatures.size} signatures, at most ${maxSignatures}`,
      );
    }
    return {
      format: "tuf-targets",
      messageType: "targets",
      message: canonical,
      signatures: [...signatures].map(([keyid, { length }]) => ({ keyid, bytes: length })),
      facts: { ...factsOf(content), targets: String(signed.targets.size) },
      content,
    };
  },
  async verify({ content }, context) {
    const { keyid, roots } = { keyid: [...content.signatures.keys()][0], roots: context.tufRoots };
    const base = {
      format: "tuf-targets",
      message: content.canonical,
      messageType: { value: "targets", authenticated: true },
      coverage: "message",
      unauthenticated: {},
      proofs: [],
    } as const;
    if (roots === undefined || roots.length === 0) {
      const signers = [badSigner(
        "missing-trusted-key",
        "Cannot verify targets.json: no root.json of its repository is trusted",
        keyid,
      )];
      return { ...base, signers };
    }
    let last: Pick<FormatEnvelope, "signers" | "refusal"> = { signers: [] };
    for (const root of roots) {
      last = await verifyBy(root, content, context);
      if (last.refusal === undefined && last.signers.some(({ ok }) => ok)) {
        return { ...base, ...last, authenticated: factsOf(content) };
      }
    }
    return { ...base, ...last };
  },
};

function factsOf({ signed: { version, expires } }: TufTargetsDocument): Record<string, string> {
  return { version: String(version), expires: expires.toISOString() };
}

/** What comes of one root: its own keys and threshold, never those of two. */
async function verifyBy(
  root: TufRootTrust,
  { canonical, signatures, signed }: TufTargetsDocument,
  { now }: FormatContext,
): Promise<Pick<FormatEnvelope, "signers" | "refusal">> {
  const signers: SignerResult[] = [];
  for (const [keyid, signature] of signatures) {
    const key = root.keys.find((one) => one.keyid === keyid);
    if (key === undefined) {
      signers.push(badSigner(
        "invalid-signature",
        `Cannot verify targets.json: ${quote(keyid)} is no key of the targets role of the root`,
        keyid,
      ));
    } else if (await accepts(key, canonical, signature, encodingOf(key, signature))) {
      signers.push(goodSigner(key));
    } else {
      signers.push(badSigner(
        "invalid-signature",
        `Cannot verify targets.json: ${printable(root.name)} names the key, which did not sign it`,
        keyid,
      ));
    }
  }
  const refusal = refusalOf(root, signers, { now, expires: signed.expires });
  return refusal === undefined ? { signers } : { signers, refusal };
}

function refusalOf(
  { name, threshold, expires }: TufRootTrust,
  signers: readonly SignerResult[],
  targets: { now: Date; expires: Date },
): AttestationError | undefined {
  // TUF 1.0, 4.2.1: one key under two ids is one.
  const good = new Set(signers.flatMap((one) => one.ok ? one.fingerprint : []));
  if (good.size > 0 && good.size < threshold) {
    return new AttestationError(
      "threshold-not-met",
      `Cannot verify targets.json: ${good.size} of ${threshold} required keys of the root signed it`,
    );
  }
  for (const [file, end] of [[name, expires], [TARGETS, targets.expires]] as const) {
    if (targets.now >= end) {
      return new AttestationError(
        "tuf-expired",
        `Cannot accept ${quote(file)}: it expired at ${end.toISOString()}`,
      );
    }
  }
}

/** Notary writes r and s one after the other, later versions and TUF 1.0 DER. */
function encodingOf({ alg }: TrustedKey, signature: Uint8Array): "p1363" | "der" {
  const { curve } = lookupAlgorithm(alg);
  const size = curve === "P-256" ? 32 : curve === "P-384" ? 48 : 66;
  return signature.length === 2 * size ? "p1363" : "der";
}

/** TUF 1.0 says so in `spec_version`; Notary has none. */
function readFile<T extends "root" | "targets">(name: string, type: T, bytes: Bytes): TufFile<T> {
  let signed: unknown;
  try {
    const value = parseJson(bytes, { maxLength: bytes.length });
    signed = isObject(value) ? value.signed : undefined;
  } catch {
    // The reader says what is wrong.
  }
  const isNotary = isObject(signed) && !Object.hasOwn(signed, "spec_version");
  return isNotary ? readNotaryFile(name, type, bytes) : parseTufFile(name, type, bytes);
}

function refuseLonger(found: number, most: number): void {
  if (found <= most) return;
  throw new AttestationError(
    "limit-exceeded",
    `Cannot read TUF metadata: ${found} bytes, at most ${most} are accepted`,
  );
}

/**
 * Imports a `root.json` of a TUF repository, pinned: got by another way than the repository.
 * Of TUF 1.0 and of Notary v1, where it is in `~/.docker/trust/tuf/HOST/IMAGE/metadata/`.
 *
 * Source: TUF 1.0, 4.3; Notary v0.7.
 *
 * @param source The file: text or bytes.
 * @param name Name in reports. Default `root.json`.
 * @returns The keys of its targets role.
 * @throws {AttestationError} `malformed-tuf-metadata`, `limit-exceeded`.
 *
 * @example
 * ```ts
 * import { importTufRoot } from "@x/attest/formats";
 * import assert from "node:assert/strict";
 *
 * await assert.rejects(importTufRoot("{}"), { reason: "malformed-tuf-metadata" });
 * ```
 */
export async function importTufRoot(
  source: string | Uint8Array,
  name = "root.json",
): Promise<TufRootTrust> {
  const bytes = typeof source === "string" ? utf8(source) : Uint8Array.from(source);
  refuseLonger(bytes.length, MAX_ROOT_BYTES);
  const { signed } = readFile(printable(name), "root", bytes);
  const { keyids, threshold } = signed.roles.targets;
  const keys: TrustedKey[] = [];
  for (const keyid of keyids) {
    const stated = signed.keys.get(keyid);
    const key = stated === undefined
      ? undefined
      : await importKey(stated, { keyid, name: `${name}: ${keyid.slice(0, 16)}` });
    if (key !== undefined) keys.push(key);
  }
  return { name, keys, threshold, expires: signed.expires };
}

/** A key that cannot be used does not count, and the root stays good: TUF 1.0, 4.3. */
async function importKey(
  stated: JsonObject,
  as: { keyid: string; name: string },
): Promise<TrustedKey | undefined> {
  if (!Object.hasOwn(stated, "scheme")) return await readNotaryKey(stated, as);
  try {
    return { ...await importInTotoKey(stated, as.name), keyid: as.keyid };
  } catch {
    return undefined;
  }
}
