import { AttestationError } from "../errors.ts";
import { VERIFIED_FORMATS } from "../formats/format_id.ts";
import { asRefusal } from "../internal/check_list.ts";
import { copyJson, isObject, type Json, type JsonObject, parseJson } from "../internal/json.ts";
import { parseTimestamp } from "../internal/timestamp.ts";
import { parseStatement } from "../intoto/statement.ts";
import type { ArtifactReport, AttestationReport } from "./report.ts";

/** A report that was stored: what somebody says that was verified. */
export interface StoredReport {
  /** One per artifact. */
  artifacts: ArtifactReport[];
  /** Moment of its verdict, if a policy decided. */
  time?: Date;
  /** Digest of that policy. */
  policyDigest?: string;
}

const MAX_LENGTH = 1 << 28;

/** Formats in which something can be accepted. */
const FORMATS: readonly string[] = ["sigstore-bundle", ...VERIFIED_FORMATS];

/**
 * Reads a stored report as far as a policy needs it: the JSON of `verify()` with evidence.
 * Whoever can write the file can write anything into it: it is no evidence of anything.
 *
 * @throws {AttestationError} `malformed-report` with the `path`, or what strict JSON refuses.
 */
export function parseStoredReport(source: string | Uint8Array | object): StoredReport {
  const isText = typeof source === "string" || source instanceof Uint8Array;
  const value = isText
    ? parseJson(source, { maxLength: MAX_LENGTH, maxDepth: 256 })
    : copyJson(source, 256);
  const report = objectAt(value, "");
  const artifacts = listAt(report.artifacts, "/artifacts").map((one, i) =>
    artifactAt(one, `/artifacts/${i}`)
  );
  if (report.policy === undefined) return { artifacts };
  const policy = objectAt(report.policy, "/policy");
  const time = parseTimestamp(textAt(policy.time, "/policy/time"));
  if (time === undefined) throw wrong("/policy/time", "it is no time");
  return { artifacts, time, policyDigest: textAt(policy.policyDigest, "/policy/policyDigest") };
}

function artifactAt(value: Json, path: string): ArtifactReport {
  const one = objectAt(value, path);
  const ok = flagAt(one.ok, `${path}/ok`);
  const digest = objectAt(one.digest, `${path}/digest`);
  for (const [name, hex] of Object.entries(digest)) textAt(hex, `${path}/digest/${name}`);
  return {
    artifact: textAt(one.artifact, `${path}/artifact`),
    digest: digest as Record<string, string>,
    ...(one.oci === undefined ? {} : { oci: textAt(one.oci, `${path}/oci`) }),
    ...(one.npm === undefined ? {} : { npm: textAt(one.npm, `${path}/npm`) }),
    ok,
    errorReason: reasonAt(one.errorReason, ok, `${path}/errorReason`),
    attestations: listAt(one.attestations, `${path}/attestations`).map((entry, i) =>
      attestationAt(entry, `${path}/attestations/${i}`)
    ),
  };
}

function attestationAt(value: Json, path: string): AttestationReport {
  const one = objectAt(value, path);
  const ok = flagAt(one.ok, `${path}/ok`);
  const format = textAt(one.format, `${path}/format`);
  if (ok && !FORMATS.includes(format)) {
    throw wrong(`${path}/format`, "it is no format that is verified");
  }
  listAt(one.checks, `${path}/checks`).forEach((check, i) => {
    const at = `${path}/checks/${i}`;
    textAt(objectAt(check, at).message, `${at}/message`);
    textAt(objectAt(check, at).outcome, `${at}/outcome`);
  });
  listAt(one.timestamps, `${path}/timestamps`).forEach((entry, i) => {
    const at = `${path}/timestamps/${i}`;
    const time = objectAt(entry, at);
    for (const name of ["type", "uri"]) textAt(time[name], `${at}/${name}`);
    if (parseTimestamp(textAt(time.timestamp, `${at}/timestamp`)) === undefined) {
      throw wrong(`${at}/timestamp`, "it is no time");
    }
  });
  textAt(one.source, `${path}/source`);
  reasonAt(one.errorReason, ok, `${path}/errorReason`);
  if (!ok) return one as unknown as AttestationReport;
  if (one.evidence === undefined) {
    throw wrong(
      `${path}/evidence`,
      "it is not there; make the report with --policy or --with-evidence",
    );
  }
  const isImplicit = evidenceAt(one.evidence, `${path}/evidence`);
  if (!isImplicit) statementAt(one.statement, `${path}/statement`);
  return one as unknown as AttestationReport;
}

function statementAt(value: Json | undefined, path: string): void {
  const statement = objectAt(value, path);
  try {
    parseStatement(statement);
  } catch (thrown) {
    const cause = asRefusal(thrown);
    throw new AttestationError("malformed-report", `Cannot read report: ${cause.message}`, {
      cause,
      path: `${path}${cause.path ?? ""}`,
    });
  }
}

/** Checks evidence; tells whether the artifact itself was signed. */
function evidenceAt(value: Json, path: string): boolean {
  const evidence = objectAt(value, path);
  textAt(evidence.payloadType, `${path}/payloadType`);
  textAt(evidence.payloadDigest, `${path}/payloadDigest`);
  countAt(evidence.logs, `${path}/logs`);
  flagAt(evidence.allSubjectsMatched, `${path}/allSubjectsMatched`);
  if (evidence.coverage !== undefined) textAt(evidence.coverage, `${path}/coverage`);
  if (evidence.messageTypeAuthenticated !== undefined) {
    flagAt(evidence.messageTypeAuthenticated, `${path}/messageTypeAuthenticated`);
  }
  listAt(evidence.matched, `${path}/matched`).forEach((entry, i) => {
    const at = `${path}/matched/${i}`;
    const match = objectAt(entry, at);
    countAt(match.index, `${at}/index`);
    listAt(match.algorithms, `${at}/algorithms`).forEach((name, k) =>
      textAt(name, `${at}/algorithms/${k}`)
    );
  });
  const signers = listAt(evidence.signers, `${path}/signers`);
  if (signers.length === 0) throw wrong(`${path}/signers`, "nobody signed");
  signers.forEach((entry, i) => signerAt(entry, `${path}/signers/${i}`));
  return evidence.implicit === undefined ? false : flagAt(evidence.implicit, `${path}/implicit`);
}

function signerAt(value: Json, path: string): void {
  const signer = objectAt(value, path);
  for (const name of ["name", "distinct", "algorithm"]) textAt(signer[name], `${path}/${name}`);
  const key = objectAt(signer.key, `${path}/key`);
  textAt(key.kind, `${path}/key/kind`);
  countAt(key.bits, `${path}/key/bits`);
  if (signer.kind === "key") textAt(signer.fingerprint, `${path}/fingerprint`);
  else if (signer.kind === "certificate") {
    const identity = objectAt(signer.identity, `${path}/identity`);
    for (const [name, claim] of Object.entries(identity)) {
      textAt(claim, `${path}/identity/${name}`);
    }
    for (const name of ["issuer", "subjectAlternativeName"]) {
      textAt(identity[name], `${path}/identity/${name}`);
    }
  } else throw wrong(`${path}/kind`, "it is neither key nor certificate");
}

function wrong(path: string, what: string): AttestationError {
  const at = path === "" ? "" : ` at ${path}`;
  return new AttestationError("malformed-report", `Cannot read report${at}: ${what}`, { path });
}

function objectAt(value: Json | undefined, path: string): JsonObject {
  if (!isObject(value)) throw wrong(path, "it is no JSON object");
  return value;
}

function listAt(value: Json | undefined, path: string): Json[] {
  if (!Array.isArray(value)) throw wrong(path, "it is no list");
  return value;
}

function textAt(value: Json | undefined, path: string): string {
  if (typeof value !== "string") throw wrong(path, "it is no text");
  return value;
}

function flagAt(value: Json | undefined, path: string): boolean {
  if (typeof value !== "boolean") throw wrong(path, "it is neither true nor false");
  return value;
}

function countAt(value: Json | undefined, path: string): void {
  if (!Number.isInteger(value) || (value as number) < 0) throw wrong(path, "it is no number");
}

function reasonAt(
  value: Json | undefined,
  ok: boolean,
  path: string,
): ArtifactReport["errorReason"] {
  if (ok !== (value === null)) throw wrong(path, "it does not go with ok");
  return value === null ? null : textAt(value, path) as ArtifactReport["errorReason"];
}
