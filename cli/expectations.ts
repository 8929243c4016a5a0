import type { EfiTrust } from "../formats/attached/efi_trust.ts";
import type { CertificateTrust } from "../formats/certificate_trust.ts";
import type { OpenPgpKeyring } from "../formats/openpgp_keyring.ts";
import { AttestationError } from "../errors.ts";
import { decodeUtf8, printable, quote } from "../internal/json.ts";
import type { TufRootTrust } from "../formats/tuf_targets.ts";
import type { KeyAlgorithm } from "../keys/algorithm.ts";
import { findPredicateTypes, PREDICATE_SHORT_NAMES } from "../intoto/predicates/short_name.ts";
import type { KeySet } from "../keys/key_validity.ts";
import type { TrustedKey } from "../keys/trusted_key.ts";
import {
  githubIdentity,
  type IdentityExpectation,
  type Matcher,
  missingExpectation,
} from "../sigstore/identity.ts";
import type { TrustedRoot } from "../sigstore/trusted_root.ts";
import type { EvidenceThresholds, VerifyOptions } from "../verify/options.ts";
import { type ParsedArgs, suggestion, usageError } from "./args.ts";
import { inFile } from "./in_file.ts";
import { PROVENANCE_OPTIONS, VSA_OPTIONS } from "./provenance_options.ts";
import { readBounded, type Runtime } from "./runtime.ts";
import { plural } from "./text.ts";

/** What is enforced: as `verify()` takes it, and in words. */
export interface Enforced {
  /** For `verify()`. */
  options: VerifyOptions;
  /** Name and value of each expectation, for the report. */
  rows: [string, string][];
}

/** A trust store. */
const MAX_CHAIN_BYTES = 4 << 20;
const MAX_KEY_BYTES = 1 << 20;
const MAX_ROOT_BYTES = 16 << 20;

/** Options of which at most one may be given. */
const EXCLUSIVE: readonly (readonly string[])[] = [
  ["owner", "repo"],
  ["cert-identity", "cert-identity-regex", "signer-repo", "signer-workflow"],
  ["source-tag", "source-versioned-tag"],
  ["vsa", "bundle"],
];

/** Options that say whose certificate is accepted. */
const NAMING: readonly string[] = ["owner", "repo", "cert-identity", "cert-identity-regex"];

/** What to give instead of an option about a certificate where no certificate is named. */
const INSTEAD: Readonly<Record<string, string>> = {
  "signer-digest": "--builder-id",
  "source-ref": "--source-tag or --source-branch",
  "deny-self-hosted-runners": "--min-level 2",
  "cert-oidc-issuer": "--builder-id",
};

/**
 * Reads whom and what the command line expects, and the keys and roots that it names. With
 * `provenance`, provenance is judged even if no option is about it.
 *
 * @throws {AttestationError} `usage`, `unreadable-file`, `malformed-trusted-root`, or what is
 * wrong with a key.
 */
export async function readExpectations(
  args: ParsedArgs,
  runtime: Runtime,
  { provenance = false }: { provenance?: boolean } = {},
): Promise<Enforced> {
  for (const names of EXCLUSIVE) {
    const given = names.filter((name) => args.has(name));
    if (given.length > 1) throw usageError(`--${given.join(" and --")} exclude each other`);
  }
  if (args.has("only-root") && !args.has("trusted-root")) {
    throw usageError("--only-root needs --trusted-root");
  }
  if (args.has("key-alg") && !args.has("key")) throw usageError("--key-alg needs --key");
  if (args.has("threshold") && !args.has("key") && !args.has("key-set")) {
    throw usageError("--threshold needs --key or --key-set");
  }
  const rows: [string, string][] = [];
  const options: VerifyOptions = { trust: {}, expect: {} };
  if (runtime.now !== undefined) options.now = runtime.now();

  const expectsProvenance = provenance || PROVENANCE_OPTIONS.some(({ name }) => args.has(name));
  const expectsVsa = VSA_OPTIONS.some(({ name }) => args.has(name));
  if (expectsProvenance && expectsVsa) {
    const [first, second] = [PROVENANCE_OPTIONS, VSA_OPTIONS].map((options) =>
      options.find(({ name }) => args.has(name))?.name
    );
    throw usageError(`--${first} and --${second} exclude each other: provenance or a VSA`);
  }

  const identity = readIdentityExpectation(args);
  if (identity !== undefined) {
    options.expect = { ...options.expect, identity };
    for (const [claim, matcher] of Object.entries(identity)) {
      if (matcher !== undefined) rows.push([claimLabel(claim), describe(matcher)]);
    }
  } else if (args.has("unsafe-any-identity")) rows.push(["signer", "ANYBODY (unsafe)"]);
  if (args.has("unsafe-any-identity")) options.unsafelyAcceptAnyIdentity = true;

  const { keys, openpgp } = await readKeys(args, runtime);
  const keySets = await readKeySets(args, runtime, keys);
  const inSets = keySets.flatMap((set) => set.keys);
  const ofOpenPgp = openpgp?.keys ?? [];
  const hasKeys = keys.length + inSets.length + ofOpenPgp.length > 0;
  if (hasKeys) {
    const threshold = readCount(args, "threshold", 1) ?? 1;
    const all = [...keys, ...inSets.map(({ key }) => key)];
    const distinct = new Set([
      ...all.map(({ fingerprint }) => fingerprint),
      ...ofOpenPgp.flatMap(({ keyFingerprint }) => keyFingerprint ?? []),
    ]).size;
    if (threshold > distinct) {
      throw usageError(
        `--threshold ${threshold} cannot be met: ${plural(distinct, "distinct key")} given`,
      );
    }
    options.trust = { ...options.trust, keys, threshold };
    if (keySets.length > 0) options.trust.keySets = keySets;
    if (openpgp !== undefined) options.trust.openpgp = openpgp;
    const described = ({ name, alg, fingerprint }: TrustedKey) =>
      `${printable(name)} (${alg}, ${fingerprint.slice(0, 16)}…)`;
    for (const key of keys) rows.push(["key", described(key)]);
    for (const { name, fingerprint } of ofOpenPgp) {
      rows.push(["key", `${printable(name)} (OpenPGP, ${fingerprint})`]);
    }
    if (inSets.length > 0) {
      const { describeValidity } = await import("../keys/key_validity.ts");
      for (const entry of inSets) {
        rows.push(["key", `${described(entry.key)}\n${describeValidity(entry)}`]);
      }
    }
    if (threshold > 1) rows.push(["keys needed", String(threshold)]);
  }
  const isHolderStated = [
    "certificate-authority",
    "certificate-sha256",
    "signing-authority",
    "efi-db",
    "tuf-root",
  ].some((name) => args.has(name));
  if (
    identity === undefined && !hasKeys && !isHolderStated && !args.has("unsafe-any-identity")
  ) {
    rows.push([
      "signer",
      args.has("source-uri")
        ? "whoever may speak for the builder"
        : "NOT STATED: give --source-uri, --repo, --owner, --cert-identity or --key",
    ]);
  }

  const formats = args.all("accept-format");
  if (formats.length > 0) {
    options.expect = { ...options.expect, formats };
    rows.push(["formats", formats.join(", ")]);
  }
  const efi = await readEfiTrust(args, runtime);
  if (efi !== undefined) {
    options.trust = { ...options.trust, efi };
    rows.push(["firmware trusts", args.all("efi-db").join("\n")]);
    if (args.has("efi-dbx")) rows.push(["firmware refuses", args.all("efi-dbx").join("\n")]);
  }
  const certificates = await readCertificateTrust(args, runtime);
  if (certificates !== undefined) {
    options.trust = { ...options.trust, certificates };
    const authorities = args.all("certificate-authority");
    if (authorities.length > 0) rows.push(["certificate authorities", authorities.join("\n")]);
    for (const hex of certificates.pinned) rows.push(["certificate", `sha256:${hex}`]);
    for (const subject of args.all("certificate-subject")) {
      rows.push(["certificate subject", printable(subject)]);
    }
  }

  const tufRoots = await readTufRoots(args, runtime);
  if (tufRoots.length > 0) {
    options.trust = { ...options.trust, tufRoots };
    for (const { name, keys, threshold } of tufRoots) {
      rows.push(["TUF root", `${printable(name)} (${threshold} of ${plural(keys.length, "key")})`]);
    }
  }

  const types = args.all("predicate-type").flatMap(predicateTypes);
  if (types.length > 0) options.expect = { ...options.expect, predicateType: types };
  let type = types.length === 0 ? "any" : types.map((t) => printable(t)).join("\n");
  if (expectsProvenance) {
    const { readProvenanceExpectation } = await import("./provenance_expectation.ts");
    const expected = await readProvenanceExpectation(args, runtime, types);
    options.expect = { ...options.expect, provenance: expected.provenance };
    if (types.length === 0) type = "SLSA provenance of any version";
    rows.push(["predicate type", type], ...expected.rows);
  } else if (expectsVsa) {
    const { readVsaExpectation } = await import("./vsa_expectation.ts");
    const expected = readVsaExpectation(args, types);
    options.expect = { ...options.expect, vsa: expected.vsa };
    if (types.length === 0) type = "SLSA verification summary (VSA)";
    rows.push(["predicate type", type], ...expected.rows);
  } else rows.push(["predicate type", type]);

  const subjects = args.get("subjects") ?? "any";
  if (subjects === "any" || subjects === "all" || subjects === "exact") {
    options.expect = { ...options.expect, subjects };
  }
  rows.push(["subjects", subjects]);

  const thresholds: EvidenceThresholds = {};
  const evidence: string[] = [];
  const count = (option: string, member: keyof EvidenceThresholds, usual: number, what: string) => {
    const value = readCount(args, option, 0);
    if (value !== undefined) thresholds[member] = value;
    if ((value ?? usual) > 0 || value !== undefined) evidence.push(`${value ?? usual} ${what}`);
  };
  const certificateTime = args.has("unsafe-certificate-time");
  if (certificateTime) {
    options.unsafelyTrustCertificateTime = true;
    thresholds.log = 0;
    evidence.push("THE CERTIFICATE'S OWN TIME (unsafe)");
  }
  count("tlog-threshold", "log", certificateTime ? 0 : 1, "log");
  count("sct-threshold", "sct", 1, "SCT");
  count("timestamp-threshold", "timestamp", 1, "verified time");
  count("tsa-threshold", "timestampAuthority", 0, "timestamp authority");
  if (Object.keys(thresholds).length > 0) options.thresholds = thresholds;

  // Keyless evidence is not what a caller with a key alone asks for.
  const { certificates: others, efi: firmware } = options.trust ?? {};
  const hasOthers = others !== undefined || firmware !== undefined || tufRoots.length > 0;
  if (identity !== undefined || args.has("unsafe-any-identity") || !(hasKeys || hasOthers)) {
    rows.push(["evidence", evidence.join(", ")]);
    const { trustedRoots, described } = await readRoots(args, runtime);
    if (trustedRoots.length > 0) options.trust = { ...options.trust, trustedRoots };
    rows.push(["trusted root", described.join("\n")]);
  } else if (args.has("trusted-root")) {
    const { trustedRoots, described } = await readRoots(args, runtime);
    options.trust = { ...options.trust, trustedRoots };
    rows.push(["trusted root", described.join("\n")]);
  }
  if (args.has("only-root")) options.trust = { ...options.trust, onlyRoot: true };
  if (args.has("subject-digest") && args.operands.length === 0) {
    if (!args.has("digest") && !args.has("checksums")) {
      // The expectation itself says which subject is meant.
      options.unsafelyVerifyWithoutArtifact = true;
    }
  }
  if (args.has("unsafe-no-artifact")) {
    options.unsafelyVerifyWithoutArtifact = true;
    rows.push(["artifact", "NONE (unsafe)"]);
  }
  return { options, rows };
}

function readIdentityExpectation(args: ParsedArgs): IdentityExpectation | undefined {
  const owner = args.get("owner");
  const repository = args.get("repo");
  for (const name of ["signer-repo", "signer-workflow"]) {
    if (args.has(name) && owner === undefined && repository === undefined) {
      throw usageError(`--${name} needs --repo or --owner: whose build it signed`);
    }
  }
  if (args.has("source-uri") && !NAMING.some((name) => args.has(name))) {
    for (const [name, instead] of Object.entries(INSTEAD)) {
      if (!args.has(name)) continue;
      throw usageError(
        `--${name} needs --repo, --owner or --cert-identity; with --source-uri give ${instead}`,
      );
    }
    return undefined;
  }
  try {
    const identity: IdentityExpectation = owner === undefined && repository === undefined
      ? {}
      : githubIdentity({
        owner,
        repository,
        signerRepository: args.get("signer-repo"),
        signerWorkflow: args.get("signer-workflow"),
      });
    const exact = args.get("cert-identity");
    const pattern = args.get("cert-identity-regex");
    if (exact !== undefined) identity.subjectAlternativeName = exact;
    if (pattern !== undefined) identity.subjectAlternativeName = { pattern };
    identity.issuer = args.get("cert-oidc-issuer") ?? identity.issuer;
    identity.buildSignerDigest = args.get("signer-digest");
    identity.sourceRepositoryRef = args.get("source-ref");
    identity.sourceRepositoryDigest = args.get("source-digest");
    if (args.has("deny-self-hosted-runners")) identity.runnerEnvironment = "github-hosted";
    const stated = Object.fromEntries(
      Object.entries(identity).filter(([, matcher]) => matcher !== undefined),
    );
    if (Object.keys(stated).length === 0) return undefined;
    missingExpectation(stated);
    return stated;
  } catch (cause) {
    if (cause instanceof TypeError) throw new AttestationError("usage", cause.message);
    throw cause;
  }
}

/** A matcher in words; a slash needs no escape where no slash ends the pattern. */
function describe(matcher: Matcher): string {
  return typeof matcher === "string"
    ? printable(matcher)
    : `${printable(matcher.pattern.replaceAll("\\/", "/"))} (pattern for the whole)`;
}

const LABELS: Readonly<Record<string, string>> = {
  subjectAlternativeName: "signer",
  issuer: "issuer",
  sourceRepositoryURI: "source repository",
  sourceRepositoryOwnerURI: "source owner",
  sourceRepositoryRef: "source ref",
  sourceRepositoryDigest: "source commit",
  buildSignerDigest: "signer commit",
  runnerEnvironment: "runner",
};

/** Name of a claim for people. */
export function claimLabel(claim: string): string {
  return Object.hasOwn(LABELS, claim) ? LABELS[claim] : claim;
}

function predicateTypes(value: string): readonly string[] {
  const types = findPredicateTypes(value);
  if (types !== undefined) return types;
  const names = [...PREDICATE_SHORT_NAMES.keys()];
  throw usageError(
    `--predicate-type is a URI or one of ${names.join(", ")}, not ${quote(value)}${
      suggestion(value, names)
    }`,
  );
}

function readCount(args: ParsedArgs, name: string, least: number): number | undefined {
  const value = args.get(name);
  if (value === undefined) return undefined;
  if (!/^\d{1,4}$/.test(value) || Number(value) < least) {
    throw usageError(`--${name} is a whole number from ${least} on, not ${quote(value)}`);
  }
  return Number(value);
}

/** Keys to trust; those of OpenPGP are put together in one keyring. */
async function readKeys(
  args: ParsedArgs,
  runtime: Runtime,
): Promise<{ keys: TrustedKey[]; openpgp?: OpenPgpKeyring }> {
  const paths = args.all("key");
  if (paths.length === 0) return { keys: [] };
  const { importKeyFile, isOpenPgpKey } = await import("./key_file.ts");
  const alg = args.get("key-alg") as KeyAlgorithm | undefined;
  const found = await Promise.all(paths.map((path) =>
    inFile("key", path, async () => {
      const content = await readBounded(runtime, path, MAX_KEY_BYTES);
      if (isOpenPgpKey(content)) {
        if (alg !== undefined) throw usageError("--key-alg is not for OpenPGP keys: they say it");
        // Alone first, so that a fault is told with its file.
        const { createOpenPgpKeyring } = await import("../formats/openpgp/mod.ts");
        await createOpenPgpKeyring(content);
        return { name: path, content };
      }
      const text = decodeUtf8(content);
      const key = await importKeyFile(text, path, alg);
      // in-toto signs with RSA by PSS only, and its key files do not say so.
      const isPss = args.has("layout") && alg === undefined && key.alg === "RS256";
      return isPss ? await importKeyFile(text, path, "PS256") : key;
    })
  ));
  const sources = found.flatMap((one) => "content" in one ? one : []);
  const keys = found.flatMap((one) => "content" in one ? [] : one);
  if (sources.length === 0) return { keys };
  const { createOpenPgpKeyring } = await import("../formats/openpgp/mod.ts");
  return { keys, openpgp: await createOpenPgpKeyring(sources) };
}

/** What firmware trusts and refuses. */
async function readEfiTrust(args: ParsedArgs, runtime: Runtime): Promise<EfiTrust | undefined> {
  const db = await readFiles(args.all("efi-db"), runtime);
  const dbx = await readFiles(args.all("efi-dbx"), runtime);
  if (db.length === 0) {
    if (dbx.length > 0) throw usageError("--efi-dbx needs --efi-db: it is no trust by itself");
    return undefined;
  }
  const { createEfiTrust } = await import("../formats/attached/mod.ts");
  try {
    return createEfiTrust({ db, dbx });
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    throw usageError(`--efi-db: ${error.message}`);
  }
}

/** Authorities of certificates in formats other than Sigstore's, and whom they may name. */
async function readCertificateTrust(
  args: ParsedArgs,
  runtime: Runtime,
): Promise<CertificateTrust | undefined> {
  const authorities = await readFiles(args.all("certificate-authority"), runtime);
  const timestampAuthorities = await readFiles(args.all("timestamp-authority"), runtime);
  const signingAuthorities = await readFiles(args.all("signing-authority"), runtime);
  const identities = args.all("certificate-subject");
  const pinned = args.all("certificate-sha256");
  if (authorities.length + signingAuthorities.length + pinned.length === 0) {
    if (timestampAuthorities.length + identities.length === 0) return undefined;
    throw usageError(
      "--certificate-subject and --timestamp-authority need --certificate-authority",
    );
  }
  const { createCertificateTrust } = await import("../formats/certificate_trust.ts");
  try {
    return createCertificateTrust({
      authorities,
      signingAuthorities,
      timestampAuthorities,
      pinned,
      identities,
      ...(args.has("unsafe-any-identity") ? { unsafelyAcceptAnyIdentity: true } : {}),
    });
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    throw usageError(
      identities.length === 0 && authorities.length + signingAuthorities.length > 0
        ? "--certificate-authority needs --certificate-subject: it issues certificates to many"
        : error.message,
    );
  }
}

/** Pinned roots of TUF repositories. */
async function readTufRoots(args: ParsedArgs, runtime: Runtime): Promise<TufRootTrust[]> {
  const paths = args.all("tuf-root");
  if (paths.length === 0) return [];
  const { importTufRoot } = await import("../formats/tuf_targets.ts");
  return await Promise.all(
    paths.map((path) =>
      inFile(
        "TUF root",
        path,
        async () => await importTufRoot(await readBounded(runtime, path, MAX_ROOT_BYTES), path),
      )
    ),
  );
}

async function readFiles(paths: readonly string[], runtime: Runtime): Promise<Uint8Array[]> {
  return await Promise.all(paths.map((path) => readBounded(runtime, path, MAX_CHAIN_BYTES)));
}

/** Key sets; one key must not have two rules. */
async function readKeySets(
  args: ParsedArgs,
  runtime: Runtime,
  keys: readonly TrustedKey[],
): Promise<KeySet[]> {
  const paths = args.all("key-set");
  if (paths.length === 0) return [];
  const { parseKeySet } = await import("../keys/key_set.ts");
  const { combineKeys } = await import("../keys/key_validity.ts");
  const sets = await Promise.all(
    paths.map((path) =>
      inFile(
        "key set",
        path,
        async () => await parseKeySet(await readBounded(runtime, path, MAX_KEY_BYTES)),
      )
    ),
  );
  try {
    combineKeys(keys, sets);
  } catch (error) {
    if (error instanceof TypeError) throw usageError(error.message);
    throw error;
  }
  return sets;
}

/** Reads the trusted roots that the command line names, and describes all that are believed. */
export async function readRoots(
  args: ParsedArgs,
  runtime: Runtime,
): Promise<{ trustedRoots: TrustedRoot[]; described: string[] }> {
  const described: string[] = [];
  const trustedRoots: TrustedRoot[] = [];
  const paths = args.all("trusted-root");
  if (paths.length > 0) {
    const { parseTrustedRoots } = await import("../sigstore/trusted_root.ts");
    for (const path of paths) {
      const roots = await inFile(
        "trusted root",
        path,
        async () => {
          const text = decodeUtf8(await readBounded(runtime, path, MAX_ROOT_BYTES));
          if (!text.includes("clienttrustconfig")) return parseTrustedRoots(text, { name: path });
          const { parseTrustConfig } = await import("../sigstore/sign/signing_config.ts");
          return [parseTrustConfig(text).trustedRoot];
        },
      );
      trustedRoots.push(...roots);
      described.push(`${printable(path)}${roots.length > 1 ? ` (${roots.length} roots)` : ""}`);
    }
  }
  if (!args.has("only-root")) {
    const { PUBLIC_GOOD_ROOT_DATE } = await import("../sigstore/roots/public_good.ts");
    described.push(`Sigstore public-good instance, snapshot of ${PUBLIC_GOOD_ROOT_DATE}`);
  }
  return { trustedRoots, described };
}
