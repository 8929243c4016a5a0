import { isAttestationError } from "../errors.ts";
import { isObject, type Json, jsonText, quote } from "../internal/json.ts";
import { pointer } from "../internal/problem.ts";
import { KEY_SET_TYPE } from "../keys/key_set.ts";
import {
  CLAIM_EXTENSIONS,
  type GithubExpectation,
  githubIdentity,
  type IdentityExpectation,
  missingExpectation,
} from "../sigstore/identity.ts";
import { parseTrustedRoot } from "../sigstore/trusted_root.ts";
import { isOpenPgpKey, readKeyMaterial } from "./_key_material.ts";
import { matchesAnybody, regexFault } from "./_regex.ts";
import type { Members, ProblemList } from "./_shape.ts";

/** What a name of the document stands for. */
export interface TrustedName {
  readonly kind: "key" | "keySet" | "identity" | "group";
  /** Distinct signers; undefined if that cannot be told. */
  readonly signers: number;
  /** Names of a group's members. */
  readonly members?: readonly string[];
}

/** Names of a document that is being checked. */
export interface TrustedNames {
  readonly names: ReadonlyMap<string, TrustedName>;
  /** Names by which keys are told of: of keys, and of entries of key sets. */
  readonly keyNames: ReadonlySet<string>;
}

const TRUST = ["keys", "keySets", "identities", "groups", "roots", "thresholds"];
const KEY = ["publicKey", "alg", "keyid", "description"];
const THRESHOLDS = ["log", "sct", "timestamp", "timestampAuthority", "integratedTime"];
const CLAIMS: readonly string[] = [
  "subjectAlternativeName",
  "sanType",
  "issuer",
  ...CLAIM_EXTENSIONS.values(),
];
const MAX_NAMES = 10_000;
const MAX_ROOTS = 64;
const NAME = /^[A-Za-z0-9][A-Za-z0-9._@+:-]{0,127}$/;

/** Checks `trust` and collects its names. */
export function checkTrust(policy: Members): TrustedNames {
  const names = new Map<string, TrustedName>();
  const keyNames = new Set<string>();
  const trust = policy.object("trust", "trust", TRUST);
  if (trust === undefined) return { names, keyNames };
  const { list } = trust;
  const owners = new Map<string, string>();

  for (const [name, value, path] of named(trust, "keys", names)) {
    keyNames.add(name);
    names.set(name, { kind: "key", signers: 1 });
    checkKey(list, value, path, name, owners);
  }
  for (const [name, value, path] of named(trust, "keySets", names)) {
    names.set(name, {
      kind: "keySet",
      signers: checkKeySet(list, value, path, name, owners, keyNames),
    });
  }
  for (const [name, value, path] of named(trust, "identities", names)) {
    names.set(name, { kind: "identity", signers: 1 });
    checkIdentity(list, value, path);
  }
  const groups = [...named(trust, "groups", names)];
  const groupNames = new Set(groups.map(([name]) => name));
  for (const [name, value, path] of groups) {
    const members = list.each(value, path, `group ${quote(name)}`, MAX_NAMES, (entry, at) => {
      const member = list.text(entry, at, "a name");
      if (member === undefined) return undefined;
      if (groupNames.has(member)) {
        return void list.wrong(at, `${quote(member)} is a group: groups have no groups in them`);
      }
      if (names.has(member)) return member;
      list.wrong(at, `${quote(member)} is no name of a key, key set or identity`);
    });
    const signers = members.reduce((sum, member) => sum + (names.get(member)?.signers ?? 0), 0);
    names.set(name, { kind: "group", signers, members });
  }
  checkRoots(trust);
  return { names, keyNames };
}

/** Members of an object of names, without those whose names cannot be used. */
function* named(
  trust: Members,
  member: string,
  names: ReadonlyMap<string, TrustedName>,
): Iterable<[name: string, value: Json, path: string]> {
  const value = trust.get(member);
  if (value === undefined) return;
  if (!isObject(value)) return trust.wrong(member, `${member} is no JSON object`);
  const entries = Object.entries(value);
  if (entries.length > MAX_NAMES) {
    return trust.wrong(member, `${member} has more than ${MAX_NAMES} names`);
  }
  for (const [name, entry] of entries) {
    const path = pointer(trust.at(member), name);
    if (!NAME.test(name)) {
      trust.list.wrong(
        path,
        `${quote(name)} is no name: letters and digits, then also . _ @ + : and -`,
      );
    } else if (names.has(name)) {
      trust.list.wrong(
        path,
        `the name ${quote(name)} is there twice: keys, key sets, ` +
          "identities and groups share their names",
      );
    } else yield [name, entry, path];
  }
}

function checkKey(
  list: ProblemList,
  value: Json,
  path: string,
  name: string,
  owners: Map<string, string>,
): void {
  const key = list.members(value, path, `key ${quote(name)}`, KEY);
  if (key === undefined) return;
  key.text("description");
  key.text("keyid");
  const alg = key.text("alg");
  const source = key.get("publicKey");
  if (source === undefined) return key.need("publicKey");
  if (typeof source !== "string" && !isObject(source)) {
    return key.wrong("publicKey", "publicKey is neither PEM text nor a JWK");
  }
  if (isOpenPgpKey(source)) {
    // It says itself what it is; that it has no other name is seen when it is read.
    for (const member of ["alg", "keyid"]) {
      if (key.has(member)) key.wrong(member, `an OpenPGP key has no ${member}`);
    }
    return;
  }
  claimKey(list, source, alg, key.at("publicKey"), name, owners);
}

/** Refuses a key that has another name too: its owner would count twice. */
function claimKey(
  list: ProblemList,
  source: Json,
  alg: string | undefined,
  path: string,
  name: string,
  owners: Map<string, string>,
): void {
  let fingerprint: string;
  try {
    ({ fingerprint } = readKeyMaterial(source, alg));
  } catch (error) {
    if (!isAttestationError(error)) throw error;
    return list.wrong(path, error.message);
  }
  const owner = owners.get(fingerprint);
  if (owner === undefined) owners.set(fingerprint, name);
  else list.wrong(path, `it is the key of ${quote(owner)} too: one key has one name`);
}

/** Number of the keys of a set; the rest of it is for `parseKeySet()`. */
function checkKeySet(
  list: ProblemList,
  value: Json,
  path: string,
  name: string,
  owners: Map<string, string>,
  keyNames: Set<string>,
): number {
  const set = list.members(value, path, `key set ${quote(name)}`, ["type", "keys"]);
  if (set === undefined) return 0;
  set.need("type", "keys");
  if (set.has("type")) set.word("type", [KEY_SET_TYPE]);
  const keys = set.get("keys");
  const entries = keys === undefined ? [] : list.list(keys, set.at("keys"), "keys", 1000) ?? [];
  for (const [i, entry] of entries.entries()) {
    const at = `${set.at("keys")}/${i}`;
    if (!isObject(entry)) {
      list.wrong(at, "a key is no JSON object");
      continue;
    }
    const { name: own, publicKey = null, alg } = entry;
    if (typeof own === "string") keyNames.add(own);
    const label = `${name}/${typeof own === "string" ? own : i}`;
    claimKey(
      list,
      publicKey,
      typeof alg === "string" ? alg : undefined,
      `${at}/publicKey`,
      label,
      owners,
    );
  }
  return entries.length;
}

function checkIdentity(list: ProblemList, value: Json, path: string): void {
  const what = "an identity";
  if (isObject(value) && Object.hasOwn(value, "github")) {
    const short = list.members(value, path, what, ["github"]);
    if (short === undefined) return;
    const github = short.get("github");
    if (!isObject(github)) return short.wrong("github", "github is no JSON object");
    try {
      githubIdentity(github as GithubExpectation);
    } catch (error) {
      if (!(error instanceof TypeError)) throw error;
      short.wrong("github", error.message);
    }
    return;
  }
  const identity = list.members(value, path, what, CLAIMS);
  if (identity === undefined) return;
  let sound = !identity.unknown;
  for (const claim of Object.keys(identity.value).filter((name) => CLAIMS.includes(name))) {
    const fault = matcherFault(identity.value[claim]);
    if (fault === undefined) continue;
    sound = false;
    identity.wrong(claim, `${claim}: ${fault}`);
  }
  if (!sound) return;
  const naming = Object.entries(identity.value).filter(([, matcher]) => namesSomebody(matcher));
  const asked: IdentityExpectation = Object.fromEntries(naming);
  const reason = missingExpectation(asked);
  if (reason === "missing-issuer-expectation") {
    list.wrong(path, "an identity has no issuer, or one that is anybody");
  } else if (reason !== undefined) {
    list.wrong(
      path,
      "an identity names nobody: who the holder is must be said, such as in " +
        "subjectAlternativeName or sourceRepositoryURI",
    );
  }
}

function matcherFault(matcher: Json): string | undefined {
  if (typeof matcher === "string") return matcher === "" ? "the expected text is empty" : undefined;
  if (!isObject(matcher)) return "neither a text nor a pattern";
  const names = Object.keys(matcher);
  if (names.length !== 1 || typeof matcher.pattern !== "string" || matcher.pattern === "") {
    return "an object has the one member pattern, a regular expression for the whole claim";
  }
  return regexFault(matcher.pattern);
}

function namesSomebody(matcher: Json): boolean {
  if (!isObject(matcher)) return true;
  return !matchesAnybody(jsonText(matcher.pattern));
}

function checkRoots(trust: Members): void {
  const { list } = trust;
  const roots = trust.get("roots");
  if (roots !== undefined) {
    const found = list.list(roots, trust.at("roots"), "roots", MAX_ROOTS, 0) ?? [];
    for (const [i, root] of found.entries()) {
      const path = `${trust.at("roots")}/${i}`;
      if (root === "public-good") {
        if (found.indexOf(root) !== i) list.wrong(path, `${quote(root)} is there twice`);
        continue;
      }
      if (!isObject(root)) {
        list.wrong(path, 'a root is neither "public-good" nor a trusted root as its document');
        continue;
      }
      try {
        parseTrustedRoot(root);
      } catch (error) {
        if (!isAttestationError(error)) throw error;
        list.wrong(`${path}${error.path ?? ""}`, error.message);
      }
    }
    if (found.length === 0 && Array.isArray(roots) && trust.has("identities")) {
      trust.wrong("roots", "no root is trusted, so no identity can be verified");
    }
  }
  const thresholds = trust.object("thresholds", "thresholds", THRESHOLDS);
  for (const name of THRESHOLDS) thresholds?.integer(name, 0, 64);
}
