import { AttestationError } from "../errors.ts";
import { canonicalJson, quote } from "../internal/json.ts";
import { VERSION } from "../internal/version.ts";
import { getManifest, getProvenance } from "../store/sql/manifests.ts";
import {
  commitManifest,
  type ManifestChange,
  type ManifestDecision,
  recordRefusal,
  type RevisionExpectation,
} from "../store/sql/commit.ts";
import { asError as failure, json, refusal, withFacts } from "./answers.ts";
import { type Caller, etagOf, type RegistryContext } from "./context.ts";
import { judgeManifest, type Judgement, problemsOf, type RegistryReport } from "./judge.ts";
import { readBody } from "./limits.ts";
import { asError, type ManifestBody, readManifestBody } from "./manifest_body.ts";
import type { RegistryMode } from "./options.ts";
import { rootDigest } from "./policy_holder.ts";

/** Characters of a report that the audit keeps whole. */
const MAX_REPORT = 256 << 10;

/** What was asked, and what was found. */
interface Decision {
  body: ManifestBody;
  judgement: Judgement;
  mode: RegistryMode;
  rootDigest: string;
}

/**
 * `PUT /v1/registry/:urn`. In this order: who, form, limits, envelope, subject, predicate,
 * policy, one transaction. It answers 2xx only after that transaction.
 */
export async function putManifest(
  request: Request,
  urn: string,
  caller: Caller,
  context: RegistryContext,
): Promise<Response> {
  const actor = await context.admitWriter(request, urn, caller);
  return await withPlace(context, async (signal) => {
    const { settings: { database, now }, metrics } = context;
    const { body, problems } = readManifestBody(await bodyOf(request, context), urn);
    if (body === undefined) return refusal(asError(problems), problems);
    const expected = expectationOf(request);
    const decided = await decide(body, urn, context, signal);
    const { judgement: { report, attestations }, mode } = decided;
    const { errorReason: reason } = report;
    const decision: ManifestDecision = {
      ...{ urn, digest: report.digest, actor, now: now(), mode, reason },
      policyDigest: report.policyDigest,
      verdict: report.verificationResult,
      report: reportText(report),
    };
    if (!report.ok && mode === "enforce") {
      await recordRefusal(database, decision);
      metrics.decision("refused", mode, reason);
      return withFacts(refused(report, body), { actor, reason: reason ?? undefined });
    }
    const change: ManifestChange = {
      ...decision,
      ...{ card: body.card, sig: body.sig, attestations, rootDigest: decided.rootDigest },
      libraryVersion: VERSION,
      ...(expected === undefined ? {} : { expected }),
    };
    const result = await context.inTurn(urn, () => commitManifest(database, change));
    metrics.decision("accepted", mode, reason);
    if (!report.ok) {
      const message = `permissive: ${quote(urn)} was accepted though its verdict is FAILED`;
      const entry = { event: "permissive", message, urn, actor, reason: reason ?? undefined };
      context.log({ level: "warning", ...entry });
    }
    const { outcome, version, revision } = result;
    const answer = json(outcome === "created" ? 201 : 200, {
      ...{ urn, digest: report.digest, version, revision, outcome, mode },
      ...{ verdict: report.verificationResult, reason, policyDigest: report.policyDigest },
      attestations: report.attestations.map(({ id, ok, errorReason }) => ({
        id,
        verdict: ok ? "PASSED" : "FAILED",
        reason: errorReason,
      })),
      ...(report.ok ? {} : { report }),
    }, {
      etag: etagOf({ revision, digest: report.digest }),
      ...(outcome === "created" ? { location: `/v1/registry/${urn}` } : {}),
    });
    return withFacts(answer, { actor, ...(reason === null ? {} : { reason }) });
  });
}

/** `POST /v1/registry/:urn/dry-run`: what PUT would answer, with all problems at once. */
export async function dryRun(
  request: Request,
  urn: string,
  caller: Caller,
  context: RegistryContext,
): Promise<Response> {
  await context.admitWriter(request, urn, caller);
  return await withPlace(context, async (signal) => {
    const { body, problems: found } = readManifestBody(await bodyOf(request, context), urn);
    if (body === undefined) {
      const { status } = refusal(asError(found));
      return json(200, { ok: false, wouldAnswer: status, problems: found });
    }
    const { judgement: { report }, mode } = await decide(body, urn, context, signal);
    const problems = body.provenance.length === 0
      ? [{ reason: "missing-provenance", path: "/provenance", message: MISSING }]
      : problemsOf(report);
    const current = await getManifest(context.settings.database, urn);
    const expected = expectationOf(request);
    const mayChange = expected?.(current?.revision ?? 0, current?.digest ?? "") ?? true;
    if (!mayChange) {
      const message = "Cannot commit: the manifest was changed since its ETag was read";
      problems.push({ reason: "revision-mismatch", path: "", message });
    }
    const isRefused = !report.ok && mode === "enforce";
    const wouldAnswer = isRefused ? 422 : !mayChange ? 412 : current === undefined ? 201 : 200;
    const ok = wouldAnswer < 300;
    return json(200, { ok, wouldAnswer, mode, problems, report });
  });
}

/**
 * `GET /v1/registry/:urn/verdict`: the verdict on what is kept, by the policy in force now.
 */
export async function verdictNow(urn: string, context: RegistryContext): Promise<Response> {
  return await withPlace(context, async (signal) => {
    const { settings: { database, now, limits }, metrics } = context;
    const manifest = await getManifest(database, urn);
    if (manifest === undefined) throw notFound(urn);
    const records = await getProvenance(database, urn, { digest: manifest.digest });
    if (records.length < (manifest.provenance?.attestations ?? 0)) {
      throw new AttestationError(
        "limit-exceeded",
        `Cannot judge ${quote(urn)}: its attestations are more than are judged in one request`,
      );
    }
    const { report, verifyMs } = await judgeManifest({
      urn,
      card: canonicalJson(manifest.card),
      provenance: records.map(({ envelope }) => envelope),
    }, {
      policy: await context.policy.current(),
      now: now(),
      maxAttestationBytes: limits.maxBodyBytes,
      maxAttestations: Math.max(1, records.length),
      maxSubjects: limits.maxSubjects,
      signal,
    });
    metrics.verified(verifyMs);
    return json(200, { version: manifest.version, revision: manifest.revision, ...report });
  });
}

/** There is no such manifest. */
export function notFound(urn: string): AttestationError {
  return new AttestationError("manifest-not-found", `Cannot find manifest ${quote(urn)}`);
}

const MISSING = "Cannot accept manifest: it has no provenance";

async function decide(
  body: ManifestBody,
  urn: string,
  context: RegistryContext,
  signal: AbortSignal,
): Promise<Decision> {
  const { settings: { limits, now, mode }, metrics } = context;
  const policy = await context.policy.current();
  const judgement = await judgeManifest({ urn, ...body }, {
    policy,
    now: now(),
    maxAttestationBytes: limits.maxBodyBytes,
    maxAttestations: limits.maxAttestations,
    maxSubjects: limits.maxSubjects,
    signal,
  });
  metrics.verified(judgement.verifyMs);
  return {
    body,
    judgement,
    mode: mode ?? policy.document.mode ?? "enforce",
    rootDigest: rootDigest(policy),
  };
}

/** `422`: what the policy refuses, in the words of its two causes. */
function refused(report: RegistryReport, { provenance }: ManifestBody): Response {
  if (provenance.length === 0) {
    return json(422, { error: "missing_provenance", reason: "missing-provenance", report });
  }
  const { errorReason: reason } = report;
  return json(422, {
    error: "invalid_provenance",
    reason,
    message: problemsOf(report)[0]?.message,
    problems: problemsOf(report),
    report,
  });
}

/** Reads the body of a request that declares JSON. */
async function bodyOf(request: Request, { settings }: RegistryContext): Promise<Uint8Array> {
  const type = request.headers.get("content-type") ?? "";
  if (!/^application\/(?:[\w.-]+\+)?json\s*(?:;\s*charset="?utf-8"?\s*)?$/i.test(type)) {
    throw new AttestationError(
      "unsupported-media-type",
      `Cannot read request: its type is ${quote(type)}, wanted application/json`,
    );
  }
  const encoding = request.headers.get("content-encoding") ?? "identity";
  if (encoding.toLowerCase() !== "identity") {
    throw new AttestationError(
      "unsupported-media-type",
      `Cannot read request: its encoding is ${quote(encoding)}, wanted none`,
    );
  }
  const { maxBodyBytes: maxBytes, bodyTimeoutMs: timeoutMs } = settings.limits;
  return await readBody(request, { maxBytes, timeoutMs });
}

/** What `If-Match` and `If-None-Match` ask for (RFC 9110, 13.1); undefined if they are absent. */
function expectationOf({ headers }: Request): RevisionExpectation | undefined {
  const match = headers.get("if-match");
  const noneMatch = headers.get("if-none-match");
  if (match === null && noneMatch === null) return undefined;
  // A weak tag is equal to none here.
  const listed = (list: string, tag: string) => list.split(",").some((one) => one.trim() === tag);
  return (revision, digest) => {
    const isThere = revision > 0;
    const tag = etagOf({ revision, digest });
    if (match !== null && !(match.trim() === "*" ? isThere : isThere && listed(match, tag))) {
      return false;
    }
    if (noneMatch === null) return true;
    return noneMatch.trim() === "*" ? !isThere : !(isThere && listed(noneMatch, tag));
  };
}

/** One of the places for work that costs; without a free one the caller is told to try again. */
async function withPlace(
  context: RegistryContext,
  work: (signal: AbortSignal) => Promise<Response>,
): Promise<Response> {
  const { maxConcurrentPuts, requestTimeoutMs } = context.settings.limits;
  if (context.puts >= maxConcurrentPuts) {
    throw new AttestationError(
      "too-many-requests",
      `Cannot accept request: ${maxConcurrentPuts} are under way`,
    );
  }
  context.puts++;
  const stop = new AbortController();
  const late = new AttestationError(
    "request-timeout",
    `Cannot judge manifest: it was not done within ${requestTimeoutMs} ms`,
  );
  const timer = setTimeout(() => stop.abort(late), requestTimeoutMs);
  try {
    return await work(stop.signal);
  } catch (error) {
    throw failure(error);
  } finally {
    clearTimeout(timer);
    context.puts--;
  }
}

/** A report for the audit; of one that is too long what counts. */
function reportText(report: RegistryReport): string {
  const text = JSON.stringify(report);
  if (text.length <= MAX_REPORT) return text;
  const { policy: _, attestations, ...rest } = report;
  return JSON.stringify({
    ...rest,
    shortened: true,
    attestations: attestations.map(({ source, id, ok, errorReason }) => ({
      ...{ source, id, ok, errorReason },
    })),
  });
}
