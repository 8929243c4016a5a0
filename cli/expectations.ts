import { printable, quote } from "../internal/json.ts";
import { findPredicateTypes, PREDICATE_SHORT_NAMES } from "../intoto/predicates/short_name.ts";
import type { EvidenceThresholds, VerifyOptions } from "../verify/options.ts";
import { type ParsedArgs, readCount, suggestion, usageError } from "./args.ts";
import { claimLabel, matcherInWords, readIdentityExpectation } from "./identity_expectation.ts";
import { PROVENANCE_OPTIONS, VSA_OPTIONS } from "./provenance_options.ts";
import type { Runtime } from "./runtime.ts";
import { readKeyTrust, readOtherTrust, readRoots } from "./trust.ts";

/** What is enforced: as `verify()` takes it, and in words. */
export interface Enforced {
  /** For `verify()`. */
  options: VerifyOptions;
  /** Name and value of each expectation, for the report. */
  rows: [string, string][];
}

/** Options of which at most one may be given. */
const EXCLUSIVE: readonly (readonly string[])[] = [
  ["owner", "repo"],
  ["cert-identity", "cert-identity-regex", "signer-repo", "signer-workflow"],
  ["source-tag", "source-versioned-tag"],
  ["vsa", "bundle"],
];

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
      if (matcher !== undefined) rows.push([claimLabel(claim), matcherInWords(matcher)]);
    }
  } else if (args.has("unsafe-any-identity")) rows.push(["signer", "ANYBODY (unsafe)"]);
  if (args.has("unsafe-any-identity")) options.unsafelyAcceptAnyIdentity = true;

  const keyTrust = await readKeyTrust(args, runtime);
  options.trust = { ...options.trust, ...keyTrust.trust };
  rows.push(...keyTrust.rows);
  const hasKeys = keyTrust.rows.length > 0;
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
  const otherTrust = await readOtherTrust(args, runtime);
  options.trust = { ...options.trust, ...otherTrust.trust };
  rows.push(...otherTrust.rows);

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
  const hasOthers = Object.keys(otherTrust.trust).length > 0;
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
