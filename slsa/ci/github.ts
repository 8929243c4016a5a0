import { isAttestationError } from "../../errors.ts";
import { isObject, type Json, type JsonObject, parseJson } from "../../internal/json.ts";
import type { ResourceDescriptor } from "../../intoto/resource_descriptor.ts";
import { isGithubIssuer } from "../_github.ts";
import { GITHUB_BUILD_TYPE } from "../build_types.ts";
import { conflict, type FactReader, malformed, type Spelling, type Told } from "./facts.ts";
import { decimal, gitCommit, gitRef, ownerAndName, sourceOf, word } from "./git.ts";
import type { PlatformBuild, PlatformOptions } from "./platform.ts";

/** Bytes of an event file; GitHub sends no payload above 25 MB. */
export const MAX_EVENT_BYTES: number = 25 << 20;

/**
 * A build by GitHub Actions, with the parameters that GitHub's own action writes, and what
 * it leaves out: the inputs of a workflow that was started by hand, and the job.
 *
 * Source: actions/toolkit, packages/attest; GitHub docs, "Store information in variables"
 * and "OpenID Connect reference"; webhook payloads of the events that are compared.
 */
export function githubBuild(facts: FactReader, options: PlatformOptions): PlatformBuild {
  const event = readEvent(options.event);
  const server = facts.need("server", [
    ["the token's issuer", serverOf(facts)],
    facts.variable("GITHUB_SERVER_URL"),
  ], serverUrl);
  const repository = facts.need("repository", [
    facts.claim("repository"),
    facts.variable("GITHUB_REPOSITORY"),
    eventFact(event, "repository", "full_name"),
  ], ownerAndName);
  const isKnown = server !== "" && repository !== "";
  const eventName = facts.need("event_name", [
    facts.claim("event_name"),
    facts.variable("GITHUB_EVENT_NAME"),
  ], word);
  const source = sourceOf(facts, {
    repository: [["the platform", isKnown ? `${server}/${repository}` : null]],
    ref: [
      facts.claim("ref"),
      facts.variable("GITHUB_REF"),
      ...eventRefs(event, eventName),
    ],
    commit: [
      facts.claim("sha"),
      facts.variable("GITHUB_SHA"),
      ...eventCommits(event, eventName),
    ],
  }, options.source);
  const workflowRef = facts.need("workflow_ref", [
    facts.claim("workflow_ref"),
    facts.variable("GITHUB_WORKFLOW_REF"),
  ]);
  const workflow = splitWorkflow(workflowRef, "workflow_ref");
  if (workflow.repository !== "" && repository !== "" && workflow.repository !== repository) {
    throw conflict("workflow_ref", "the workflow is of another repository than the source");
  }
  const isElsewhere = workflow.ref !== "" && source.ref !== "" && workflow.ref !== source.ref;
  if (facts.issuer === undefined && isElsewhere) {
    throw conflict("workflow_ref", "the workflow is of another ref than the source");
  }
  facts.find("path", [["the workflow's path", workflow.path || undefined], [
    "the given path",
    options.source?.path,
  ]]);
  const called = facts.find("job_workflow_ref", [facts.claim("job_workflow_ref")]);
  const run = facts.need("run_id", [
    facts.claim("run_id"),
    facts.variable("GITHUB_RUN_ID"),
  ], decimal);
  const attempt = facts.need("run_attempt", [
    facts.claim("run_attempt"),
    facts.variable("GITHUB_RUN_ATTEMPT"),
  ], decimal);
  const internal = {
    event_name: eventName,
    repository_id: facts.need("repository_id", [
      facts.claim("repository_id"),
      facts.variable("GITHUB_REPOSITORY_ID"),
      eventFact(event, "repository", "id"),
    ], decimal),
    repository_owner_id: facts.need("repository_owner_id", [
      facts.claim("repository_owner_id"),
      facts.variable("GITHUB_REPOSITORY_OWNER_ID"),
    ], decimal),
    runner_environment: facts.need("runner_environment", [
      facts.claim("runner_environment"),
      facts.variable("RUNNER_ENVIRONMENT"),
    ], word),
    job: facts.find("job", [facts.variable("GITHUB_JOB")]),
    check_run_id: facts.find("check_run_id", [facts.claim("check_run_id")], decimal),
  };
  const inputs = inputsOf(facts, event, eventName);
  return {
    buildType: GITHUB_BUILD_TYPE,
    builderId: `${server}/${builderOf(called, workflowRef)}`,
    isBuilderCertain: called !== undefined,
    source,
    workflow: { ref: workflow.ref, repository: source.repository, path: workflow.path },
    ...(inputs === undefined ? {} : { parameters: { inputs } }),
    internal: ["github", internal],
    dependencies: calledWorkflow(facts, server, called, repository),
    invocationId: `${server}/${repository}/actions/runs/${run}/attempts/${attempt}`,
  };
}

/** Only the token knows of a reusable workflow; without one it is the workflow itself. */
function builderOf(called: string | undefined, workflowRef: string): string {
  if (called === undefined) return workflowRef;
  splitWorkflow(called, "job_workflow_ref");
  return called;
}

/** The repository of a reusable workflow is an input of the build too. */
function calledWorkflow(
  facts: FactReader,
  server: string,
  called: string | undefined,
  repository: string,
): ResourceDescriptor[] {
  const commit = facts.find("job_workflow_sha", [facts.claim("job_workflow_sha")], gitCommit);
  if (called === undefined || commit === undefined) return [];
  const workflow = splitWorkflow(called, "job_workflow_ref");
  if (workflow.repository === repository) return [];
  const uri = `git+${server}/${workflow.repository}@${workflow.ref}`;
  return [{ uri, digest: { gitCommit: commit } }];
}

interface Workflow {
  repository: string;
  path: string;
  ref: string;
}

const WORKFLOW =
  /^([A-Za-z0-9._-]+\/[A-Za-z0-9._-]+)\/(\.github\/workflows\/[^/@:\\]+\.ya?ml)@(.+)$/;

/** Takes `owner/name/.github/workflows/file.yml@ref` apart; a ref may have an `@` itself. */
function splitWorkflow(text: string, fact: string): Workflow {
  if (text === "") return { repository: "", path: "", ref: "" };
  const match = WORKFLOW.exec(text);
  if (match === null || (gitRef(match[3]) ?? gitCommit(match[3])) === undefined) {
    throw malformed(fact, fact, "it is no workflow file of a repository at a ref");
  }
  return { repository: match[1], path: match[2], ref: match[3] };
}

/** Server of an instance: an origin, nothing behind it. */
const serverUrl: Spelling = (text) => {
  if (!URL.canParse(text)) return undefined;
  const { origin, protocol, href } = new URL(text);
  return protocol === "https:" && href === `${origin}/` ? origin : undefined;
};

/**
 * The server whose jobs an issuer speaks for. An issuer that is not known may be that of an
 * instance of one's own, if it names a workflow of GitHub at all.
 */
function serverOf(facts: FactReader): string | undefined {
  const { issuer } = facts;
  if (issuer === undefined) return undefined;
  if (facts.claim("job_workflow_ref")[1] === undefined) {
    throw conflict("issuer", "the token is not of a job of GitHub Actions");
  }
  if (isGithubIssuer(issuer)) return "https://github.com";
  const match = /^https:\/\/token\.actions\.([a-z0-9-]+\.ghe\.com)$/.exec(issuer) ??
    /^https:\/\/([A-Za-z0-9.:-]+)\/_services\/token$/.exec(issuer);
  return match === null ? undefined : `https://${match[1]}`;
}

function readEvent(event: string | Uint8Array | undefined): JsonObject | undefined {
  if (event === undefined) return undefined;
  let value: Json;
  try {
    value = parseJson(event, { maxLength: MAX_EVENT_BYTES, maxDepth: 64 });
  } catch (cause) {
    if (!isAttestationError(cause) || cause.reason === "limit-exceeded") throw cause;
    // The parser's message may quote a part of the event.
    throw malformed("the event file", "event", `it is not strict JSON (${cause.reason})`);
  }
  if (isObject(value)) return value;
  throw malformed("the event file", "event", "it is no JSON object");
}

function memberOf(value: Json | undefined, ...names: string[]): Json | undefined {
  for (const name of names) {
    if (!isObject(value) || !Object.hasOwn(value, name)) return undefined;
    value = value[name];
  }
  return value;
}

function eventFact(event: JsonObject | undefined, ...names: string[]): Told {
  const value = memberOf(event, ...names);
  const text = typeof value === "number" ? String(value) : value;
  return [`the event's ${names.join(".")}`, typeof text === "string" ? text : undefined];
}

function eventRefs(event: JsonObject | undefined, eventName: string): Told[] {
  if (eventName === "push" || eventName === "workflow_dispatch") {
    const [where, ref] = eventFact(event, "ref");
    // Who starts a workflow by hand may name a branch without its folder.
    return [[where, ref?.startsWith("refs/") ? ref : undefined]];
  }
  if (eventName === "release") {
    const [where, tag] = eventFact(event, "release", "tag_name");
    return [[where, tag === undefined ? undefined : `refs/tags/${tag}`]];
  }
  return [];
}

function eventCommits(event: JsonObject | undefined, eventName: string): Told[] {
  // `after` is the tag itself where an annotated tag was pushed, so it is not compared.
  if (eventName === "push") return [eventFact(event, "head_commit", "id")];
  if (eventName === "merge_group") return [eventFact(event, "merge_group", "head_sha")];
  return [];
}

/** What was entered by hand: parameters from outside, so they must be known. */
function inputsOf(
  facts: FactReader,
  event: JsonObject | undefined,
  eventName: string,
): JsonObject | undefined {
  if (eventName !== "workflow_dispatch") return undefined;
  facts.need("inputs", [["the event file", event === undefined ? undefined : "known"]]);
  const inputs = memberOf(event, "inputs");
  if (inputs === undefined || inputs === null) return undefined;
  if (!isObject(inputs)) throw malformed("the event's inputs", "inputs", "they are no JSON object");
  return Object.keys(inputs).length === 0 ? undefined : inputs;
}
