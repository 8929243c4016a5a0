import { AttestationError } from "../errors.ts";
import { isObject, type Json, type JsonObject, quote } from "../internal/json.ts";
import { pointer } from "../internal/problem.ts";
import type { IdentityExpectation, Matcher } from "../sigstore/identity.ts";
import { importedName, type ImportedPolicy, Losses, shown, withConditions } from "./_import.ts";
import { patternsOfGlobs } from "./_import_glob.ts";
import { readKeyMaterial } from "./_key_material.ts";
import { matchesAnybody, regexFault } from "./_regex.ts";
import {
  type Condition,
  POLICY_TYPE,
  type PolicyKey,
  type PolicyRule,
  type Requirement,
} from "./document.ts";

const COSIGN_SIGNATURE = "https://sigstore.dev/cosign/sign/v1";

/** Source: sigstore/cosign, pkg/cosign/attestation, the names of `--type`. */
const COSIGN_TYPES: Readonly<Record<string, string>> = {
  custom: "https://cosign.sigstore.dev/attestation/v1",
  slsaprovenance: "https://slsa.dev/provenance/v0.2",
  slsaprovenance02: "https://slsa.dev/provenance/v0.2",
  slsaprovenance1: "https://slsa.dev/provenance/v1",
  spdx: "https://spdx.dev/Document",
  spdxjson: "https://spdx.dev/Document",
  cyclonedx: "https://cyclonedx.org/bom",
  link: "https://in-toto.io/Link/v1",
  vuln: "https://cosign.sigstore.dev/attestation/vuln/v1",
  openvex: "https://openvex.dev/ns",
};
const LISTS: readonly Json[] = ["List", "ClusterImagePolicyList"];
const SPEC = ["images", "authorities", "mode", "match", "policy"];
const AUTHORITY = [
  "name",
  "key",
  "keyless",
  "attestations",
  "ctlog",
  "rfc3161timestamp",
  "source",
  "static",
  "signatureFormat",
];
const ATTESTATION = ["name", "predicateType", "policy"];
const KEY = ["data", "hashAlgorithm", "kms", "secretRef"];
const KEYLESS = ["url", "identities", "ca-cert", "trustRootRef", "insecureIgnoreSCT"];
const IDENTITY = ["issuer", "issuerRegExp", "subject", "subjectRegExp"];
const PUBLIC_FULCIO = /^https:\/\/fulcio\.sigstore\.dev\/?$/;
const PUBLIC_REKOR = /^https:\/\/rekor\.sigstore\.dev\/?$/;

interface Authority {
  names: string[];
  types: { type: string; conditions: Condition[] }[];
  conditions: Condition[];
  log: boolean;
  path: string;
}

interface Context {
  losses: Losses;
  taken: Set<string>;
  keys: Record<string, PolicyKey>;
  identities: Record<string, IdentityExpectation>;
  /** Some key has to be in the public log. */
  logs: boolean;
}

/**
 * A rule for each ClusterImagePolicy. Of the authorities of one, any suffices; where a policy
 * cannot say that without accepting more, the first one that can be carried over stands.
 *
 * Source: sigstore/policy-controller, config/300-clusterimagepolicy.yaml.
 */
export function importClusterImagePolicies(documents: readonly Json[]): ImportedPolicy {
  const losses = new Losses();
  const context: Context = { losses, taken: new Set(), keys: {}, identities: {}, logs: false };
  const rules: PolicyRule[] = [];
  const ids = new Set<string>();
  const modes = new Set<string>();
  documents.flatMap(itemsOf).forEach(([document, at]) => {
    if (!isObject(document)) {
      throw new AttestationError("malformed-policy", "Cannot import policy: it is no object", {
        path: at,
      });
    }
    if (document.kind !== "ClusterImagePolicy") {
      losses.add(
        `${at}/kind`,
        shown(document.kind),
        "Only ClusterImagePolicy is read; put trusted roots into trust.roots by hand",
      );
      return;
    }
    const rule = importOne(document, at, context, ids);
    modes.add(modeOf(document, at, losses));
    if (rule !== undefined) rules.push(rule);
  });
  const keyless = Object.keys(context.identities).length > 0;
  // Without a rule there is no signer either.
  if (!keyless && Object.keys(context.keys).length === 0) throw nothingLeft(losses);
  const mode = modes.size === 1 && modes.has("warn") ? "permissive" : "enforce";
  if (modes.size > 1) losses.add("/spec/mode", "warn", "A policy has one mode: enforce for all");
  return {
    document: {
      type: POLICY_TYPE,
      name: "cluster-image-policy",
      mode,
      trust: {
        ...(Object.keys(context.keys).length === 0 ? {} : { keys: context.keys }),
        ...(keyless ? { identities: context.identities } : {}),
        roots: keyless || context.logs ? ["public-good"] : [],
      },
      // Every ClusterImagePolicy whose pattern matches has to be met.
      selection: "all",
      rules,
    },
    notCarriedOver: losses.list,
  };
}

/** The policies of a document, which may be a list as kubectl prints it, and where they are. */
function itemsOf(document: Json, i: number, { length }: readonly Json[]): [Json, at: string][] {
  const at = length === 1 ? "" : `/${i}`;
  if (!isObject(document) || !LISTS.includes(document.kind) || !Array.isArray(document.items)) {
    return [[document, at]];
  }
  return document.items.map((item, k) => [item, `${at}/items/${k}`]);
}

/** Nothing could be carried over: an empty policy would be no policy. */
export function nothingLeft({ list }: Losses): AttestationError {
  const told = list.slice(0, 3).map(({ path, why }) => `${path}: ${why}`).join("; ");
  return new AttestationError(
    "malformed-policy",
    `Cannot import policy: nothing of it can be carried over${told === "" ? "" : ` (${told})`}`,
  );
}

function modeOf(document: JsonObject, at: string, losses: Losses): string {
  const mode = isObject(document.spec) ? document.spec.mode : undefined;
  if (mode === undefined || mode === "enforce" || mode === "warn") return mode ?? "enforce";
  losses.add(`${at}/spec/mode`, shown(mode), "Unknown; enforce stands");
  return "enforce";
}

function importOne(
  { metadata, spec }: JsonObject,
  at: string,
  context: Context,
  ids: Set<string>,
): PolicyRule | undefined {
  const { losses } = context;
  if (!isObject(spec)) return void losses.add(`${at}/spec`, "", "It is no object");
  const common = unknownOf(spec, SPEC, `${at}/spec`, losses);
  const name = isObject(metadata) && typeof metadata.name === "string" ? metadata.name : "image";
  const oci = patternsOfGlobs(spec.images, `${at}/spec/images`, losses);
  if (oci.length === 0) {
    return void losses.add(`${at}/spec`, name, "No image pattern is left: the policy is left out");
  }
  if (spec.match !== undefined) {
    losses.add(
      `${at}/spec/match`,
      JSON.stringify(spec.match),
      "Resources of a cluster are not known",
    );
  }
  const authorities: Authority[] = [];
  const list = Array.isArray(spec.authorities) ? spec.authorities : [];
  list.forEach((one, i) => {
    const found = importAuthority(one, `${at}/spec/authorities/${i}`, context);
    if (found !== undefined) authorities.push(found);
  });
  if (authorities.length === 0) {
    // Left out, it would leave the images to the other policies.
    const condition = losses.placeholder(`${at}/spec/authorities`, name, "None is left");
    return {
      id: importedName(name, "image", ids),
      select: { oci },
      require: [withConditions({ id: "authority" }, [condition, ...common])],
    };
  }
  const merged = mergeAuthorities(authorities, losses);
  if (spec.policy !== undefined) {
    common.push(losses.placeholder(
      `${at}/spec/policy`,
      `${typeOf(spec.policy)} policy of ${name}`,
      "CUE and Rego are not read",
    ));
  }
  const taken = new Set<string>();
  const require = merged.types.map(({ type, conditions }): Requirement =>
    withConditions({
      id: importedName(type === COSIGN_SIGNATURE ? "signed" : shortOf(type), "attestation", taken),
      envelope: {
        signedBy: { of: [...new Set(merged.names)] },
        ...(merged.log ? { log: 1 } : {}),
      },
      statement: { predicateTypes: [type] },
    }, [...merged.conditions, ...conditions, ...common])
  );
  return { id: importedName(name, "image", ids), select: { oci }, require };
}

/** Any authority suffices, each with all of its attestations. */
function mergeAuthorities(all: readonly Authority[], losses: Losses): Authority {
  const [first, ...others] = all;
  const isPlain = ({ types, conditions, log }: Authority): boolean =>
    types.length === 1 && types[0].conditions.length === 0 && conditions.length === 0 &&
    types[0].type === first.types[0].type && log === first.log;
  if (all.every(isPlain)) return { ...first, names: all.flatMap(({ names }) => names) };
  for (const { path, names } of others) {
    losses.add(
      path,
      names.join(", "),
      "An alternative with attestations of its own: only the first authority is accepted",
    );
  }
  return first;
}

function importAuthority(value: Json, at: string, context: Context): Authority | undefined {
  const { losses } = context;
  if (!isObject(value)) return void losses.add(at, JSON.stringify(value), "It is no object");
  if (refuseUnknown(value, AUTHORITY, at, losses)) return undefined;
  const name = typeof value.name === "string" ? value.name : "authority";
  if (value.static !== undefined) {
    return void losses.add(
      `${at}/static`,
      JSON.stringify(value.static),
      "Nothing passes or fails unseen: the authority is left out",
    );
  }
  const authority: Authority = { names: [], types: [], conditions: [], log: false, path: at };
  if (isObject(value.key)) authority.names = keyOf(value.key, `${at}/key`, name, context);
  if (isObject(value.keyless)) {
    authority.names = identitiesOf(value.keyless, `${at}/keyless`, name, context);
  }
  if (authority.names.length === 0) {
    return void losses.add(at, name, "No signer of it is left: the authority is left out");
  }
  if (value.ctlog !== undefined) {
    if (isPublicLog(value.ctlog)) authority.log = isObject(value.key);
    else {
      authority.conditions.push(losses.placeholder(
        `${at}/ctlog`,
        `log ${shown(value.ctlog)}`,
        "A log of one's own is a root of the policy: put it into trust.roots",
      ));
    }
    if (authority.log) context.logs = true;
  }
  if (value.rfc3161timestamp !== undefined) {
    authority.conditions.push(losses.placeholder(
      `${at}/rfc3161timestamp`,
      JSON.stringify(value.rfc3161timestamp),
      "Which authority must vouch for the time is a root of the policy: put it into trust.roots",
    ));
  }
  if (value.source !== undefined) {
    losses.add(`${at}/source`, JSON.stringify(value.source), "Where attestations lie is not asked");
  }
  const { attestations = [] } = value;
  if (!Array.isArray(attestations)) {
    return void losses.add(`${at}/attestations`, shown(attestations), "It is no list");
  }
  attestations.forEach((one, i) => {
    const path = `${at}/attestations/${i}`;
    const stated = isObject(one) ? one.predicateType : undefined;
    const type = typeof stated !== "string"
      ? undefined
      : Object.hasOwn(COSIGN_TYPES, stated)
      ? COSIGN_TYPES[stated]
      : /^[a-z][a-z0-9+.-]*:/i.test(stated)
      ? stated
      : undefined;
    const conditions = isObject(one) ? unknownOf(one, ATTESTATION, path, losses) : [];
    if (type === undefined) {
      const what = `predicate type ${shown(stated)}`;
      conditions.push(losses.placeholder(`${path}/predicateType`, what, "It is no known name"));
    }
    if (isObject(one) && one.policy !== undefined) {
      const what = `${typeOf(one.policy)} policy of ${shown(one.name ?? name)}`;
      conditions.push(losses.placeholder(`${path}/policy`, what, "CUE and Rego are not read"));
    }
    authority.types.push({ type: type ?? COSIGN_TYPES.custom, conditions });
  });
  if (authority.types.length === 0) {
    authority.types.push({ type: COSIGN_SIGNATURE, conditions: [] });
    losses.add(
      at,
      "signature of the image",
      `Only signatures as attestations of the type ${COSIGN_SIGNATURE} count, not those of ` +
        "simple signing",
    );
  }
  return authority;
}

function isPublicLog(ctlog: Json): boolean {
  if (!isObject(ctlog) || Object.keys(ctlog).some((member) => member !== "url")) return false;
  const { url } = ctlog;
  return url === undefined || (typeof url === "string" && PUBLIC_REKOR.test(url));
}

function keyOf(key: JsonObject, at: string, name: string, context: Context): string[] {
  const { losses, keys, taken } = context;
  if (refuseUnknown(key, KEY, at, losses)) return [];
  const { data, hashAlgorithm } = key;
  if (typeof data !== "string") {
    const where = typeof key.kms === "string" ? key.kms : JSON.stringify(key.secretRef ?? null);
    losses.add(at, where, "The key is not in the document: put its public half into trust.keys");
    return [];
  }
  if (hashAlgorithm !== undefined && hashAlgorithm !== "sha256") {
    losses.add(`${at}/hashAlgorithm`, shown(hashAlgorithm), "State it as alg in trust.keys");
    return [];
  }
  try {
    const { fingerprint } = readKeyMaterial(data, undefined);
    const known = Object.entries(keys).find(([, { description }]) => description === fingerprint);
    if (known !== undefined) return [known[0]];
    const own = importedName(name, "key", taken);
    keys[own] = { publicKey: data, description: fingerprint };
    return [own];
  } catch (error) {
    losses.add(`${at}/data`, name, error instanceof Error ? error.message : "It is no key");
    return [];
  }
}

function identitiesOf(
  keyless: JsonObject,
  at: string,
  name: string,
  context: Context,
): string[] {
  const { losses, identities, taken } = context;
  if (refuseUnknown(keyless, KEYLESS, at, losses)) return [];
  const { url } = keyless;
  if (keyless.trustRootRef !== undefined || keyless["ca-cert"] !== undefined) {
    losses.add(at, name, "Its certificates are of an own root: put that into trust.roots by hand");
    return [];
  }
  if (url !== undefined && !(typeof url === "string" && PUBLIC_FULCIO.test(url))) {
    losses.add(`${at}/url`, shown(url), "Its certificates are of another instance");
    return [];
  }
  if (keyless.insecureIgnoreSCT === true) {
    losses.add(`${at}/insecureIgnoreSCT`, "true", "An SCT is asked for: see trust.thresholds.sct");
  }
  const found: string[] = [];
  const list = Array.isArray(keyless.identities) ? keyless.identities : [];
  if (list.length === 0) {
    losses.add(at, name, "It names no identity: anybody can get a certificate");
  }
  list.forEach((one, i) => {
    const path = `${at}/identities/${i}`;
    if (!isObject(one)) return losses.add(path, JSON.stringify(one), "It is no object");
    if (refuseUnknown(one, IDENTITY, path, losses)) return;
    const issuer = matcherOf(one, "issuer", path, losses);
    const subject = matcherOf(one, "subject", path, losses);
    if (issuer === undefined || subject === undefined) {
      return losses.add(path, JSON.stringify(one), "The identity is left out");
    }
    const own = importedName(list.length === 1 ? name : `${name}-${i + 1}`, "identity", taken);
    identities[own] = { issuer, subjectAlternativeName: subject };
    found.push(own);
  });
  return found;
}

/** A value, or a pattern that here must match the whole. */
function matcherOf(
  identity: JsonObject,
  member: "issuer" | "subject",
  at: string,
  losses: Losses,
): Matcher | undefined {
  const exact = identity[member];
  const expression = identity[`${member}RegExp`];
  if (typeof exact === "string" && exact !== "") {
    if (expression === undefined) return exact;
    return void losses.add(`${at}/${member}RegExp`, shown(expression), "There is a text too");
  }
  if (typeof expression !== "string" || expression === "") {
    return void losses.add(`${at}/${member}`, "", `It states no ${member}`);
  }
  const path = `${at}/${member}RegExp`;
  const starts = expression.startsWith("^");
  const ends = /(?<!\\)(?:\\\\)*\$$/.test(expression);
  const pattern = expression.slice(starts ? 1 : 0, ends ? -1 : undefined);
  // What the two languages do not mean the same by.
  const fault = /\\[sSbB]|\(\?(?!:)|\[\[:/.test(pattern)
    ? "It has parts that mean something else in JavaScript"
    : regexFault(pattern);
  if (fault !== undefined) return void losses.add(path, expression, fault);
  if (pattern === "") return void losses.add(path, expression, `It accepts no ${member}`);
  if (!starts || !ends) {
    losses.add(path, expression, "It is not anchored: here it must match the whole text");
  }
  if (matchesAnybody(pattern)) {
    return void losses.add(path, expression, `It accepts every ${member}`);
  }
  return { pattern };
}

function refuseUnknown(
  value: JsonObject,
  known: readonly string[],
  at: string,
  losses: Losses,
): boolean {
  const others = Object.keys(value).filter((name) => !known.includes(name));
  for (const name of others) losses.add(pointer(at, name), name, "It is not known: left out");
  return others.length > 0;
}

/** Members that are not known may restrict: a condition that never holds for each. */
function unknownOf(
  value: JsonObject,
  known: readonly string[],
  at: string,
  losses: Losses,
): Condition[] {
  return Object.keys(value).filter((name) => !known.includes(name))
    .map((name) => losses.placeholder(pointer(at, name), name, "It is not known"));
}

function typeOf(policy: Json): string {
  return isObject(policy) && typeof policy.type === "string" ? quote(policy.type) : "unknown";
}

function shortOf(type: string): string {
  return Object.entries(COSIGN_TYPES).find(([, uri]) => uri === type)?.[0] ??
    type.split(/[/:]/).filter((part) => part !== "" && !/^v\d/.test(part)).at(-1) ?? "";
}
