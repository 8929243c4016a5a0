import { isObject, type Json, type JsonObject } from "../internal/json.ts";
import { type CertificateIdentity, GITHUB_ISSUER } from "../sigstore/identity.ts";
import type { Provenance } from "./provenance.ts";
import { canonicalRepository } from "./source.ts";

/**
 * What provenance says of the run of GitHub Actions that made it, besides its source.
 * Builders write it into their internal parameters, each in its own spelling.
 */
export interface GithubFacts {
  /** Event that started the workflow. */
  eventName?: string;
  /** What came with the event. */
  eventPayload?: JsonObject;
  /** Git ref of the run. */
  ref?: string;
  /** Base of the ref, where the event has one. */
  baseRef?: string;
  /** `owner/name`. */
  repository?: string;
  /** Number of the repository. */
  repositoryId?: string;
  /** Number of the owner. */
  ownerId?: string;
  /** Commit of the run. */
  commit?: string;
  /** `github-hosted` or `self-hosted`. */
  runnerEnvironment?: string;
}

/** Reads what internal parameters say of a run of GitHub Actions. */
export function githubFacts({ internalParameters: parameters }: Provenance): GithubFacts {
  const facts: GithubFacts = {};
  const github = isObject(parameters.github) ? parameters.github : {};
  const read = (variable: string, member: string): string | undefined =>
    text(parameters[`GITHUB_${variable}`]) ??
      text(parameters[`github_${variable.toLowerCase()}`]) ??
      text(github[member]);
  set(facts, "eventName", read("EVENT_NAME", "event_name"));
  set(facts, "ref", read("REF", "ref"));
  set(facts, "baseRef", read("BASE_REF", "base_ref"));
  set(facts, "repository", read("REPOSITORY", "repository"));
  set(facts, "repositoryId", read("REPOSITORY_ID", "repository_id"));
  set(facts, "ownerId", read("REPOSITORY_OWNER_ID", "repository_owner_id"));
  set(facts, "commit", text(parameters.GITHUB_SHA) ?? text(parameters.github_sha1));
  set(facts, "runnerEnvironment", read("RUNNER_ENVIRONMENT", "runner_environment"));
  const payload = parameters.GITHUB_EVENT_PAYLOAD ?? parameters.github_event_payload;
  if (isObject(payload)) facts.eventPayload = payload;
  return facts;
}

/** Tells whether tokens of this issuer are of runs on github.com, an enterprise's own included. */
export function isGithubIssuer(issuer: string): boolean {
  return issuer === GITHUB_ISSUER || issuer.startsWith(`${GITHUB_ISSUER}/`);
}

/**
 * Repository of a run on github.com, canonical where it can be. Other forges run the same
 * workflows, with the same variables: `owner/name` of a run that another issuer vouches for is
 * a name there.
 */
export function repositoryOf(
  { repository }: GithubFacts,
  identity: CertificateIdentity | undefined,
): string | undefined {
  const isElsewhere = identity !== undefined && !isGithubIssuer(identity.issuer);
  if (repository === undefined || isElsewhere) return undefined;
  const address = `https://github.com/${repository}`;
  return canonicalRepository(address) ?? address;
}

/**
 * Branch of a run: its ref, or for a tag the branch that the event names. Undefined if it
 * is not told.
 */
export function branchRef(facts: GithubFacts, ref: string | undefined): string | undefined {
  if (ref === undefined || !ref.startsWith("refs/tags/")) return ref;
  const base = facts.baseRef ?? text(facts.eventPayload?.base_ref);
  if (base !== undefined) return base.startsWith("refs/") ? base : `refs/heads/${base}`;
  const release = facts.eventPayload?.release;
  const target = isObject(release) ? text(release.target_commitish) : undefined;
  return target === undefined ? undefined : `refs/heads/${target}`;
}

/** Inputs of a workflow that was started by hand, if the provenance tells them. */
export function workflowInputsOf(
  provenance: Provenance,
  facts: GithubFacts,
): JsonObject | undefined {
  if (facts.eventName !== "workflow_dispatch") return undefined;
  const inputs = facts.eventPayload?.inputs;
  if (isObject(inputs)) return inputs;
  const { workflow, inputs: beside } = provenance.externalParameters;
  if (!isObject(workflow)) return undefined;
  if (isObject(workflow.inputs)) return workflow.inputs;
  return isObject(beside) ? beside : undefined;
}

function text(value: Json | undefined): string | undefined {
  if (typeof value === "number") return String(value);
  return typeof value === "string" && value !== "" ? value : undefined;
}

function set(facts: GithubFacts, name: TextFact, value: string | undefined): void {
  if (value !== undefined) facts[name] = value;
}

type TextFact = Exclude<keyof GithubFacts, "eventPayload">;
