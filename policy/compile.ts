import { AttestationError, isAttestationError } from "../errors.ts";
import type { Envelope } from "../dsse/envelope.ts";
import { utf8 } from "../internal/bytes.ts";
import { fullMatch } from "../internal/full_match.ts";
import { encodeHex } from "../internal/hex.ts";
import { canonicalJson, copyJson, quote } from "../internal/json.ts";
import { refuseUnknown } from "../internal/options.ts";
import { pointer } from "../internal/problem.ts";
import { sha256 } from "../internal/sha256.ts";
import type { OpenPgpKeyring } from "../formats/openpgp_keyring.ts";
import { parseKeySet } from "../keys/key_set.ts";
import { type KeySet, validKeys } from "../keys/key_validity.ts";
import { importTrustedKey, type TrustedKey } from "../keys/trusted_key.ts";
import {
  type CertificateIdentity,
  type ClaimName,
  githubIdentity,
  type IdentityExpectation,
  type Matcher,
} from "../sigstore/identity.ts";
import { parseTrustedRoot, type TrustedRoot } from "../sigstore/trusted_root.ts";
import type { CelEvaluator, CompiledPolicy, SignerSlot } from "./compiled.ts";
import type { PolicyDocument, PolicyIdentity, Waiver } from "./document.ts";
import { isOpenPgpKey } from "./_key_material.ts";
import { parsePolicy } from "./parse.ts";
import { openSignedWaivers } from "./signed.ts";
import { parseWaivers } from "./waivers.ts";

/** Options of {@linkcode compilePolicy}. Unknown names are refused. */
export interface CompileOptions {
  /** Runs the CEL expressions of the document; without one a rule with `cel` fails. */
  cel?: CelEvaluator;
  /** Signed waivers, each as a DSSE envelope; only for a policy with `waiverSigners`. */
  signedWaivers?: readonly (Envelope | object | string | Uint8Array)[];
  /** The moment at which keys of key sets must count for `signedWaivers`; goes with them. */
  now?: Date;
}

/** Characters of a claim that a pattern is tried on. */
const MAX_CLAIM = 2048;

/**
 * Makes a policy ready to judge: checks it, imports its keys, resolves its names, and
 * verifies signed waivers.
 *
 * @param document As `parsePolicy()` gives it; it is checked again, and a copy is kept.
 * @throws {AttestationError} `malformed-policy` with its `path`; `unsupported-algorithm` if
 * this runtime lacks an algorithm of a key; of signed waivers `invalid-signature`,
 * `threshold-not-met`, `unsupported-payload-type`, `malformed-waivers`.
 * @throws {TypeError} If an option is unknown, or `signedWaivers` come without `now` or for a
 * policy without `waiverSigners`.
 *
 * @example
 * ```ts
 * import { compilePolicy, parsePolicy } from "@x/attest/policy";
 * import assert from "node:assert/strict";
 *
 * const policy = await compilePolicy(parsePolicy({
 *   type: "attest-policy/v1",
 *   trust: { identities: { ci: { github: { repository: "acme/app" } } } },
 *   rules: [{ id: "release", require: [{ id: "signed", envelope: { signedBy: { of: ["ci"] } } }] }],
 * }));
 * assert.equal(policy.slots.get("ci")?.length, 1);
 * assert.equal(policy.publicGood, true);
 * ```
 */
export async function compilePolicy(
  document: PolicyDocument,
  options: CompileOptions = {},
): Promise<CompiledPolicy> {
  refuseUnknown(options, ["cel", "signedWaivers", "now"], "compilePolicy()");
  const policy = parsePolicy(document);
  const { trust = {} } = policy;
  const slots = new Map<string, readonly SignerSlot[]>();

  const keys: TrustedKey[] = [];
  const armored: { name: string; content: string }[] = [];
  for (const [name, { publicKey, alg, keyid }] of Object.entries(trust.keys ?? {})) {
    if (isOpenPgpKey(publicKey)) {
      armored.push({ name, content: publicKey as string });
      continue;
    }
    const key = await at(pointer("/trust/keys", name), () =>
      importTrustedKey(publicKey as string, {
        name,
        ...(alg === undefined ? {} : { alg }),
        ...(keyid === undefined ? {} : { keyid }),
      }));
    keys.push(key);
    slots.set(name, [keySlot(name, key)]);
  }
  const others: Pick<TrustedKey, "name" | "fingerprint">[] = [...keys];
  const keySets = new Map<string, KeySet>();
  for (const [name, value] of Object.entries(trust.keySets ?? {})) {
    const set = await at(pointer("/trust/keySets", name), () => parseKeySet(value));
    keySets.set(name, set);
    slots.set(name, set.keys.map((entry) => keySlot(`${name}/${entry.name}`, entry.key)));
    others.push(
      ...set.keys.map(({ name: own, key }) => ({
        name: `${name}/${own}`,
        fingerprint: key.fingerprint,
      })),
    );
  }
  const openpgp = armored.length === 0 ? undefined : await readOpenPgpKeys(armored, others);
  for (const { name, keyFingerprint: fingerprint = "" } of openpgp?.keys ?? []) {
    slots.set(name, [keySlot(name, { fingerprint })]);
  }
  const identities = new Map<string, IdentityExpectation>();
  for (const [name, value] of Object.entries(trust.identities ?? {})) {
    const identity = expectationOf(value);
    identities.set(name, identity);
    slots.set(name, [identitySlot(name, identity)]);
  }
  for (const [name, members] of Object.entries(trust.groups ?? {})) {
    slots.set(name, members.flatMap((member) => slots.get(member) ?? []));
  }

  const { cel } = options;
  if (cel !== undefined) await compileExpressions(policy, cel);
  const { roots = ["public-good"] } = trust;
  const trustedRoots: TrustedRoot[] = [];
  for (const root of roots) if (typeof root !== "string") trustedRoots.push(parseTrustedRoot(root));
  const waivers = await readSignedWaivers(policy, options, keys, keySets);
  return Object.freeze({
    document: freeze(waivers === undefined ? policy : { ...policy, waivers }),
    digest: encodeHex(sha256(utf8(canonicalJson(copyJson(policy))))),
    slots,
    keys,
    ...(openpgp === undefined ? {} : { openpgp }),
    keySets: [...keySets.values()],
    identities,
    trustedRoots,
    publicGood: roots.includes("public-good"),
    ...(cel === undefined ? {} : { cel }),
  });
}

/** OpenPGP keys, one to a name; no key has two names. */
async function readOpenPgpKeys(
  sources: readonly { name: string; content: string }[],
  others: readonly Pick<TrustedKey, "name" | "fingerprint">[],
): Promise<OpenPgpKeyring> {
  const { createOpenPgpKeyring } = await import("../formats/openpgp/mod.ts");
  const owners = new Map(others.map(({ name, fingerprint }) => [fingerprint, name]));
  for (const source of sources) {
    const { name } = source;
    await at(pointer("/trust/keys", name), async () => {
      const { keys: [{ keyFingerprint = "" }, second] } = await createOpenPgpKeyring(source);
      const owner = owners.get(keyFingerprint);
      if (second === undefined && owner === undefined) {
        owners.set(keyFingerprint, name);
        return;
      }
      const problem = second !== undefined
        ? "it holds several OpenPGP keys, wanted one"
        : `it is the key of ${quote(owner ?? "")} too: one key has one name`;
      throw new AttestationError("malformed-policy", problem);
    });
  }
  return await createOpenPgpKeyring(sources);
}

/** A refusal of another room, with the place in the policy. */
async function at<T>(path: string, read: () => Promise<T> | T): Promise<T> {
  try {
    return await read();
  } catch (cause) {
    if (!isAttestationError(cause)) throw cause;
    const reason = cause.reason === "unsupported-algorithm" ? cause.reason : "malformed-policy";
    throw new AttestationError(reason, `Cannot read policy: ${cause.message}`, {
      cause,
      path: `${path}${cause.path ?? ""}`,
    });
  }
}

function keySlot(name: string, { fingerprint }: Pick<TrustedKey, "fingerprint">): SignerSlot {
  return { name, matches: (signer) => signer.kind === "key" && signer.fingerprint === fingerprint };
}

function identitySlot(name: string, expectation: IdentityExpectation): SignerSlot {
  const tests = Object.entries(expectation).map(([claim, matcher]) => {
    const test = compileMatcher(matcher);
    return ({ [claim as ClaimName]: found }: CertificateIdentity): boolean =>
      typeof found === "string" && test(found);
  });
  return {
    name,
    matches: ({ kind, identity }) =>
      kind === "certificate" && identity !== undefined && tests.every((test) => test(identity)),
  };
}

function compileMatcher(matcher: Matcher): (text: string) => boolean {
  if (typeof matcher === "string") return (text) => text === matcher;
  const matches = fullMatch(matcher.pattern);
  return (text) => text.length <= MAX_CLAIM && matches(text);
}

function expectationOf(identity: PolicyIdentity): IdentityExpectation {
  return "github" in identity ? githubIdentity(identity.github) : identity;
}

/** An expression that is none is told of now, not when it is first needed. */
async function compileExpressions(policy: PolicyDocument, cel: CelEvaluator): Promise<void> {
  for (const [i, rule] of policy.rules.entries()) {
    for (const [k, { predicate }] of rule.require.entries()) {
      const expression = predicate?.cel;
      if (expression === undefined) continue;
      const path = ["", "rules", i, "require", k, "predicate", "cel"].join("/");
      await at(path, () => cel.compile(expression));
    }
  }
}

async function readSignedWaivers(
  policy: PolicyDocument,
  { signedWaivers = [], now }: CompileOptions,
  keys: readonly TrustedKey[],
  keySets: ReadonlyMap<string, KeySet>,
): Promise<Waiver[] | undefined> {
  if (signedWaivers.length === 0) return undefined;
  const { waiverSigners, trust } = policy;
  if (waiverSigners === undefined) {
    throw new TypeError("Signed waivers are given, but the policy has no waiverSigners");
  }
  if (now === undefined || Number.isNaN(now.getTime())) {
    throw new TypeError("Signed waivers are given without a valid now");
  }
  const groups = new Map(Object.entries(trust?.groups ?? {}));
  const names = new Set(waiverSigners.of.flatMap((name) => groups.get(name) ?? [name]));
  const pinned = [
    ...keys.filter(({ name }) => names.has(name)),
    ...[...keySets].flatMap(([name, set]) => names.has(name) ? validKeys(set, now) : []),
  ];
  const { threshold = 1 } = waiverSigners;
  if (pinned.length < threshold) {
    throw new AttestationError(
      "threshold-not-met",
      `Cannot open waivers: ${pinned.length} keys of ${
        waiverSigners.of.map(quote).join(", ")
      } count now, wanted ${threshold}`,
      { path: "/waiverSigners" },
    );
  }
  const waivers: Waiver[] = [];
  for (const envelope of signedWaivers) {
    const { document } = await openSignedWaivers(envelope, pinned, { threshold });
    waivers.push(...parseWaivers(document, policy).waivers);
  }
  return waivers;
}

function freeze<T>(value: T): T {
  // What is no object counts as frozen.
  if (Object.isFrozen(value)) return value;
  for (const member of Object.values(value as object)) freeze(member);
  return Object.freeze(value);
}
