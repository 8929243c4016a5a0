import { AttestationError } from "../errors.ts";
import type { DecodedEnvelope } from "../dsse/envelope.ts";
import { pae } from "../dsse/pae.ts";
import {
  type GoogleCloudBuildDocument,
  type GoogleCloudBuildRecord,
  parseGoogleCloudBuild,
  signedFormOf,
} from "../formats/google_cloud_build.ts";
import {
  differingText,
  evaluateGoogleCloudBuild,
  type GoogleCloudBuildExpectation,
} from "../formats/google_cloud_build_claims.ts";
import { asRefusal, CheckList } from "../internal/check_list.ts";
import { type JsonObject, parseJson, quote } from "../internal/json.ts";
import { refuseUnknown } from "../internal/options.ts";
import { matchSubject } from "../intoto/match.ts";
import { parseStatement, type Statement } from "../intoto/statement.ts";
import type { TrustedKey } from "../keys/trusted_key.ts";
import { refuseOtherThanKeys } from "../dsse/verify.ts";
import type { BuilderTrust } from "../slsa/builder_trust.ts";
import { assertProvenanceExpectation, type BuildLevel } from "../slsa/expectation.ts";
import { googleCloudBuildBuilders } from "../slsa/known_builders.ts";
import { assembleReport, furthestReason } from "./assemble.ts";
import type { AttestationReport, VerificationReport } from "./report.ts";

/** Options of {@linkcode verifyGoogleCloudBuild}. Unknown names are refused. */
export interface GoogleCloudBuildOptions {
  /** Digest of the image: `sha256:` and 64 hex digits. */
  imageDigest?: string;
  /**
   * Keys of Google Cloud Build, at least one, each imported with its whole id as `keyid`,
   * `projects/verified-builder/…`; `googleCloudBuildKeyId()` makes it from a file's name.
   */
  keys: readonly TrustedKey[];
  /** What the provenance must say; `sourceUri` is required. */
  expect?: GoogleCloudBuildExpectation;
  /**
   * Accepts builds of any source.
   *
   * @deprecated Anybody can build with Google Cloud Build: state the source.
   */
  unsafelyAcceptAnySource?: boolean;
  /**
   * Verifies the provenance alone when no digest is given.
   *
   * @deprecated Says nothing about any image.
   */
  unsafelyVerifyWithoutArtifact?: boolean;
}

const OPTIONS = [
  "imageDigest",
  "keys",
  "expect",
  "unsafelyAcceptAnySource",
  "unsafelyVerifyWithoutArtifact",
];
/** What can be expected of a document of Google Cloud Build. */
export const GOOGLE_CLOUD_BUILD_EXPECTATIONS: readonly string[] = [
  "sourceUri",
  "sourceBranch",
  "sourceTag",
  "sourceVersionedTag",
  "sourceCommit",
  "builderId",
  "minLevel",
];

/**
 * Verifies the provenance of a container image that Google Cloud Build made, as `gcloud
 * artifacts docker images describe IMAGE --show-provenance --format json` prints it.
 *
 * Of several records one that passes every check suffices. Each is judged by its signed
 * payload alone; what is printed beside it for people must not say anything else. Here, and
 * only here, a signature's `keyid` picks the key, and the older keys sign the bare payload:
 * that is how Google Cloud Build signs.
 *
 * Source: Google Cloud docs, Cloud Build, "View build provenance" and "Validate builds";
 * SLSA 1.2, verifying-artifacts.md.
 *
 * @param provenance JSON text, UTF-8 bytes or parsed JSON.
 * @param options Image, keys and expectations.
 * @returns A report of one artifact with one attestation per record. Reasons besides those
 * of envelopes and Statements: `unexpected-builder`, `untrusted-builder`,
 * `insufficient-level`, `build-type-mismatch`, `source-mismatch`, `branch-mismatch`,
 * `tag-mismatch`, `versioned-tag-mismatch`, `invalid-versioned-tag`, `commit-mismatch`,
 * `missing-identity-expectation` (no source is expected), `unsigned-text-mismatch`,
 * `unknown-format`.
 * @throws {TypeError} If an option is unknown or not of its form, or a key has no id of
 * Google Cloud Build.
 *
 * @example A record that somebody else signed
 * ```ts
 * import { googleCloudBuildKeyId } from "@x/attest/formats";
 * import { generateSigner, importTrustedKey } from "@x/attest/keys";
 * import { verifyGoogleCloudBuild } from "@x/attest/verify";
 * import assert from "node:assert/strict";
 *
 * // In its place: the text of global.key, as Google publishes it.
 * const { trustedKey } = await generateSigner("ES256", { name: "gcb" });
 * const keyid = googleCloudBuildKeyId("global.key");
 * const key = await importTrustedKey(trustedKey.spki, { keyid });
 * const envelope = {
 *   payloadType: "application/vnd.in-toto+json",
 *   payload: "e30=",
 *   signatures: [{ keyid, sig: "AA==" }],
 * };
 * const report = await verifyGoogleCloudBuild(
 *   { provenance_summary: { provenance: [{ kind: "BUILD", envelope }] } },
 *   {
 *     imageDigest: `sha256:${"a".repeat(64)}`,
 *     keys: [key],
 *     expect: { sourceUri: "https://github.com/acme/app" },
 *   },
 * );
 * assert.equal(report.errorReason, "invalid-signature");
 * ```
 */
export async function verifyGoogleCloudBuild(
  provenance: string | Uint8Array | object,
  options: GoogleCloudBuildOptions,
): Promise<VerificationReport> {
  const context = checkOptions(options);
  const { digest } = context;
  if (digest === undefined && options.unsafelyVerifyWithoutArtifact !== true) {
    return assembleReport([], "artifact-required");
  }
  let attestations: AttestationReport[];
  try {
    const document = parseGoogleCloudBuild(provenance);
    attestations = await Promise.all(
      document.records.map((record, i) => verifyRecord(record, i, document, context)),
    );
  } catch (error) {
    const list = new CheckList();
    list.failed("envelope.format", asRefusal(error));
    attestations = [finish("provenance", list, { signers: [] })];
  }
  const ok = attestations.some((one) => one.ok);
  return assembleReport([{
    artifact: digest === undefined ? "(no artifact)" : `sha256:${digest}`,
    digest: digest === undefined ? {} : { sha256: digest },
    ok,
    errorReason: ok ? null : furthestReason(attestations),
    attestations,
  }]);
}

interface Context {
  digest?: string;
  keys: ReadonlyMap<string, TrustedKey>;
  expect: GoogleCloudBuildExpectation;
  anySource: boolean;
  trust: BuilderTrust;
}

function checkOptions(options: GoogleCloudBuildOptions): Context {
  refuseUnknown(options, OPTIONS, "verifyGoogleCloudBuild()");
  const { imageDigest, keys, expect = {} } = options;
  refuseUnknown(expect, GOOGLE_CLOUD_BUILD_EXPECTATIONS, "expect");
  const { sourceUri } = expect;
  const isArchive = typeof sourceUri === "string" && /^gs:\/\/[^/\s]+\/\S+$/.test(sourceUri);
  assertProvenanceExpectation(isArchive ? { ...expect, sourceUri: undefined } : expect);
  for (const name of ["unsafelyAcceptAnySource", "unsafelyVerifyWithoutArtifact"] as const) {
    const value: unknown = options[name];
    if (value !== undefined && typeof value !== "boolean") {
      throw new TypeError(`${name} is neither true nor false`);
    }
  }
  const match = imageDigest === undefined ? null : /^sha256:([0-9a-f]{64})$/i.exec(imageDigest);
  if (imageDigest !== undefined && match === null) {
    throw new TypeError(`imageDigest is ${quote(String(imageDigest))}, wanted sha256:…`);
  }
  if (!Array.isArray(keys) || keys.length === 0) throw new TypeError("No trusted keys are given");
  refuseOtherThanKeys(keys);
  const byId = new Map<string, TrustedKey>();
  for (const key of keys) {
    const { keyid = "" } = key;
    if (signedFormOf(keyid) === undefined) {
      throw new TypeError(`A key has the id ${quote(keyid)}, wanted projects/verified-builder/…`);
    }
    if (byId.has(keyid)) throw new TypeError(`Two keys have the id ${quote(keyid)}`);
    byId.set(keyid, key);
  }
  return {
    digest: match?.[1].toLowerCase(),
    keys: byId,
    expect: { ...expect },
    anySource: options.unsafelyAcceptAnySource === true,
    trust: { builders: googleCloudBuildBuilders(keys.map(({ fingerprint }) => fingerprint)) },
  };
}

async function verifyRecord(
  record: GoogleCloudBuildRecord,
  index: number,
  document: GoogleCloudBuildDocument,
  context: Context,
): Promise<AttestationReport> {
  const source = `provenance#${index + 1}`;
  const list = new CheckList();
  const { envelope } = record;
  if (envelope instanceof AttestationError) {
    list.failed("envelope.format", envelope);
    return finish(source, list, { signers: [] });
  }
  list.passed("envelope.format", "A DSSE envelope of Google Cloud Build");
  const key = await acceptingKey(envelope, context.keys);
  if (key === undefined) {
    const message = "Cannot verify envelope: no signature is by the trusted key of its id";
    list.refused("envelope.signature", "invalid-signature", message, { path: "/signatures" });
    return finish(source, list, { signers: [] });
  }
  list.passed("envelope.signature", "The key of its id accepts a signature", { actual: key.name });
  const statement = readStatement(list, envelope);
  let level: BuildLevel | undefined;
  if (statement !== undefined) {
    checkRecord(list, statement, record, document, context);
    checkText(list, envelope, record);
    if (context.expect.sourceUri === undefined && !context.anySource) {
      const message =
        "Cannot accept provenance: anybody can run its builder, no source is expected";
      list.refused("predicate.source", "missing-identity-expectation", message);
    }
    const { name, keyid, fingerprint } = key;
    const evidence = { keys: [{ name, keyid, fingerprint }] };
    const found = evaluateGoogleCloudBuild(statement, evidence, context.expect, context.trust);
    list.checks.push(...found.checks.map((check) => ({ ...check, origin: "signed" as const })));
    level = found.level;
  }
  return finish(source, list, { signers: [key.name], statement, level });
}

/** The trusted key of a signature's own id that accepts it; no other key is asked. */
async function acceptingKey(
  { payloadType, payload, signatures }: DecodedEnvelope,
  keys: ReadonlyMap<string, TrustedKey>,
): Promise<TrustedKey | undefined> {
  for (const { keyid, sig } of signatures) {
    const key = keys.get(keyid);
    if (key === undefined) continue;
    const signed = signedFormOf(keyid) === "payload" ? payload : pae(payloadType, payload);
    try {
      if (await key.verify(signed, sig) === true) return key;
    } catch {
      // A key that cannot tell has not accepted.
    }
  }
  return undefined;
}

const IN_TOTO = "application/vnd.in-toto+json";

function readStatement(
  list: CheckList,
  { payloadType, payload }: DecodedEnvelope,
): Statement | undefined {
  const facts = { expected: IN_TOTO, actual: payloadType, path: "/payloadType" };
  // The older keys do not sign the type: it is compared, never used to choose a reader.
  if (payloadType !== IN_TOTO) {
    const message = `Cannot accept envelope: payloadType is ${quote(payloadType)}`;
    list.refused("envelope.payload-type", "unsupported-payload-type", message, facts);
    return undefined;
  }
  list.passed("envelope.payload-type", "The payload is an in-toto Statement", facts);
  try {
    const statement = parseStatement(payload);
    list.passed("statement.format", "The Statement is well formed", {
      actual: statement._type,
      origin: "signed",
    });
    return statement;
  } catch (error) {
    list.failed("statement.format", error, { origin: "signed" });
    return undefined;
  }
}

function checkRecord(
  list: CheckList,
  statement: Statement,
  { kind, resourceUri }: GoogleCloudBuildRecord,
  { imageDigest, qualifiedDigest }: GoogleCloudBuildDocument,
  { digest: sha256 }: Context,
): void {
  const kinds = { expected: "BUILD", actual: kind, origin: "unsigned" as const };
  if (kind === "BUILD") list.passed("statement.record", "The record is of a build", kinds);
  else {
    const message = `Cannot accept record: its kind is ${quote(kind ?? "")}`;
    list.refused("statement.record", "unknown-format", message, kinds);
  }
  if (sha256 === undefined) {
    list.skipped("statement.subject", "No image is compared, as the caller asked");
    return;
  }
  const result = matchSubject(statement, { sha256 });
  if (result.ok) {
    list.passed("statement.subject", "A subject is the image", {
      origin: "signed",
      path: `/subject/${result.matched[0].index}`,
    });
  } else {
    const facts = { expected: result.wanted, actual: result.found, origin: "signed" as const };
    list.failed("statement.subject", result.error, facts);
  }
  const expected = `sha256:${sha256}`;
  const printed: [string, string | undefined, boolean][] = [
    ["/resourceUri", resourceUri, resourceUri?.endsWith(`@${expected}`) === true],
    ["/image_summary/digest", imageDigest, imageDigest === expected],
    [
      "/image_summary/fully_qualified_digest",
      qualifiedDigest,
      qualifiedDigest?.endsWith(`@${expected}`) === true,
    ],
  ];
  for (const [path, actual, same] of printed) {
    const facts = { expected, actual, path, origin: "unsigned" as const };
    if (same) list.passed("statement.image", "What is printed is about the image", facts);
    else {
      const message = `Cannot accept record: ${path} is of another image, or not there`;
      list.refused("statement.image", "subject-mismatch", message, facts);
    }
  }
}

/** People read the copies, so none must say what nobody signed. */
function checkText(
  list: CheckList,
  { payload }: DecodedEnvelope,
  { texts }: GoogleCloudBuildRecord,
): void {
  const id = "predicate.text";
  if (texts.length === 0) {
    list.skipped(id, "There is no copy of the Statement for people");
    return;
  }
  // It was read as a Statement before.
  const signed = parseJson(payload) as JsonObject;
  const path = texts.map((text) => differingText(text, signed))
    .find((found) => found !== undefined);
  if (path === undefined) {
    list.passed(id, "The copy for people says what is signed", { origin: "unsigned" });
  } else {
    const message = `Cannot accept record: its copy for people is not what is signed, at ${path}`;
    list.refused(id, "unsigned-text-mismatch", message, { path, origin: "unsigned" });
  }
}

interface Established {
  signers: string[];
  statement?: Statement;
  level?: BuildLevel;
}

function finish(
  source: string,
  { checks }: CheckList,
  { signers, statement, level }: Established,
): AttestationReport {
  const failed = checks.find(({ outcome }) => outcome === "failed");
  const ok = statement !== undefined && failed === undefined;
  const report: AttestationReport = {
    source,
    format: "dsse",
    ok,
    errorReason: ok ? null : failed?.reason ?? "internal-error",
    signers,
    timestamps: [],
    checks,
  };
  if (statement !== undefined) {
    report.statement = statement;
    report.predicateType = statement.predicateType;
  }
  if (level !== undefined) report.buildLevel = level;
  return report;
}
