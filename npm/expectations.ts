import { AttestationError } from "../errors.ts";
import { isObject, type Json, type JsonObject, parseJson, quote } from "../internal/json.ts";
import { pointer } from "../internal/problem.ts";
import { parseTimestamp } from "../internal/timestamp.ts";
import type { Matcher } from "../sigstore/identity.ts";
import type { BuildLevel } from "../slsa/expectation.ts";
import { checkNpmExpectation, type NpmExpectation } from "./package_options.ts";
import { NPM_GITHUB_HOSTED } from "./package.ts";
import { isNpmName, type NpmPackage } from "./purl.ts";

/** A change that {@linkcode NpmWaiver} can accept for a while. */
export type NpmWaivable = "missing-provenance" | "provenance-lost" | "repository-changed";

/** A change that is known, and accepted up to a date. */
export interface NpmWaiver {
  /** What is accepted. */
  accept: readonly NpmWaivable[];
  /** Why; it is in the report. */
  reason: string;
  /** Last moment at which it counts. */
  until: Date;
}

/** What is expected of the versions of one package, or of all. */
export interface NpmRule {
  /** Builder, or any one of several. */
  builderId?: string | readonly string[];
  /** Repository, `https://github.com/owner/name` or without scheme. */
  repository?: string;
  /** Number of the repository. */
  repositoryId?: string;
  /** Number of its owner. */
  ownerId?: string;
  /** File of the workflow, such as `.github/workflows/release.yml`. */
  workflow?: string;
  /** Git ref; `{version}` in it stands for the version of the package. */
  ref?: Matcher;
  /** Least Build level. */
  minLevel?: BuildLevel;
  /** Registry. */
  registry?: string;
  /** Refuses the package without attestations. Default: true where a repository is named. */
  required?: boolean;
  /** Accepts provenance of any repository: for trust on first use. Default false. */
  anyRepository?: boolean;
  /** Known changes. */
  waiver?: NpmWaiver;
}

/** What is expected of packages: one document for a whole lockfile. */
export interface NpmExpectations {
  /** What holds for every package, unless a closer rule says otherwise. */
  defaults?: NpmRule;
  /** Rules by name, `@scope/name`, or by `@scope/*` for the others of a scope. */
  packages?: Readonly<Record<string, NpmRule>>;
}

/** Members of {@linkcode NpmRule}. */
export const RULE_MEMBERS: readonly string[] = [
  "builderId",
  "repository",
  "repositoryId",
  "ownerId",
  "workflow",
  "ref",
  "minLevel",
  "registry",
  "required",
  "anyRepository",
  "waiver",
];
const WAIVABLE: readonly string[] = ["missing-provenance", "provenance-lost", "repository-changed"];
const MAX_BYTES = 16 << 20;

/**
 * Reads a document of expectations about packages:
 * `{ "defaults": RULE, "packages": { "NAME": RULE, "@scope/*": RULE } }`. Unknown members are
 * refused: a misspelt one would expect nothing.
 *
 * A rule's members are those of {@linkcode NpmRule}; `waiver.until` is an RFC 3339 time.
 *
 * @throws {AttestationError} `malformed-npm-expectations` with the place, or what is wrong
 * with the JSON.
 *
 * @example One package from its repository, the rest from anywhere
 * ```ts
 * import { parseNpmExpectations } from "@x/attest/npm";
 * import assert from "node:assert/strict";
 *
 * const expectations = parseNpmExpectations(JSON.stringify({
 *   defaults: { anyRepository: true },
 *   packages: {
 *     "@acme/app": { repository: "github.com/acme/app", ref: "refs/tags/v{version}" },
 *   },
 * }));
 * assert.equal(expectations.packages?.["@acme/app"].ref, "refs/tags/v{version}");
 * ```
 */
export function parseNpmExpectations(source: string | Uint8Array): NpmExpectations {
  const document = parseJson(source, { maxLength: MAX_BYTES });
  if (!isObject(document)) throw malformed("", "it is no object");
  refuseMembers(document, ["$schema", "defaults", "packages"], "");
  const { defaults, packages = {} } = document;
  if (!isObject(packages)) throw malformed("/packages", "packages is no object");
  const rules: [string, NpmRule][] = [];
  for (const [name, rule] of Object.entries(packages)) {
    const path = pointer("/packages", name);
    if (!isNpmName(name.replace(/^(@[^/]+)\/\*$/, "$1/any"))) {
      throw malformed(path, `${quote(name)} is no name of a package, nor @scope/*`);
    }
    rules.push([name, readRule(rule, path)]);
  }
  return {
    ...(defaults === undefined ? {} : { defaults: readRule(defaults, "/defaults") }),
    packages: Object.fromEntries(rules),
  };
}

function readRule(value: Json, path: string): NpmRule {
  if (!isObject(value)) throw malformed(path, "a rule is no object");
  refuseMembers(value, RULE_MEMBERS, path);
  const { minLevel, required, anyRepository, waiver } = value;
  if (minLevel !== undefined && minLevel !== 1 && minLevel !== 2 && minLevel !== 3) {
    throw malformed(`${path}/minLevel`, "minLevel is none of 1, 2 and 3");
  }
  for (const [name, flag] of Object.entries({ required, anyRepository })) {
    if (flag !== undefined && typeof flag !== "boolean") {
      throw malformed(`${path}/${name}`, `${name} is neither true nor false`);
    }
  }
  const { waiver: _, ...rest } = value;
  const rule = rest as NpmRule;
  try {
    checkNpmExpectation(toExpectation(rule, { name: "any", version: "0.0.0" }));
  } catch (cause) {
    if (!(cause instanceof TypeError)) throw cause;
    throw malformed(path, cause.message.replace(/^expect\./, ""), cause);
  }
  return waiver === undefined ? rule : { ...rule, waiver: readWaiver(waiver, `${path}/waiver`) };
}

function readWaiver(value: Json, path: string): NpmWaiver {
  if (!isObject(value)) throw malformed(path, "a waiver is no object");
  refuseMembers(value, ["accept", "reason", "until"], path);
  const { accept, reason, until } = value;
  if (
    !Array.isArray(accept) || accept.length === 0 ||
    !accept.every((one): one is NpmWaivable => typeof one === "string" && WAIVABLE.includes(one))
  ) {
    throw malformed(`${path}/accept`, `accept is no list of ${WAIVABLE.join(", ")}`);
  }
  if (typeof reason !== "string" || reason === "") {
    throw malformed(`${path}/reason`, "a waiver has no reason");
  }
  const end = typeof until === "string" ? parseTimestamp(until) : undefined;
  if (end === undefined) throw malformed(`${path}/until`, "until is not RFC 3339 with Z");
  return { accept, reason, until: end };
}

function refuseMembers(value: JsonObject, known: readonly string[], path: string): void {
  for (const name of Object.keys(value)) {
    if (!known.includes(name)) {
      throw malformed(pointer(path, name), `${quote(name)} is not known here`);
    }
  }
}

function malformed(path: string, why: string, cause?: unknown): AttestationError {
  return new AttestationError(
    "malformed-npm-expectations",
    `Cannot read expectations of npm packages: ${why}`,
    { path, cause },
  );
}

/** The rule of a package: that of its name, of its scope, and the defaults, member by member. */
export function ruleOf({ defaults = {}, packages = {} }: NpmExpectations, name: string): NpmRule {
  const scope = name.startsWith("@") ? `${name.split("/")[0]}/*` : undefined;
  const own = Object.hasOwn(packages, name)
    ? packages[name]
    : scope !== undefined && Object.hasOwn(packages, scope)
    ? packages[scope]
    : undefined;
  if (own === undefined) return defaults;
  const rule: NpmRule = { ...defaults, ...own };
  if (namesRepository(own)) {
    rule.required = own.required ?? true;
    // The defaults' repository is another one.
    if (own.repository === undefined) delete rule.repository;
    if (own.repositoryId === undefined) delete rule.repositoryId;
    if (own.ownerId === undefined) delete rule.ownerId;
  }
  return rule;
}

function namesRepository({ repository, repositoryId }: NpmRule): boolean {
  return repository !== undefined || repositoryId !== undefined;
}

/** Whether a package without attestations is refused. */
export function isRequired(rule: NpmRule): boolean {
  return rule.required ?? namesRepository(rule);
}

/** A rule about one version of a package, as `verifyNpmPackage()` takes it. */
export function toExpectation(rule: NpmRule, { name, version }: NpmPackage): NpmExpectation {
  const { builderId = NPM_GITHUB_HOSTED, ref, minLevel, registry, workflow } = rule;
  const { repository, repositoryId, ownerId } = rule;
  const stated = { registry, workflow, repository, repositoryId, ownerId };
  const expectation: NpmExpectation = { packageName: name, packageVersion: version, builderId };
  for (const member of Object.keys(stated) as (keyof typeof stated)[]) {
    if (stated[member] !== undefined) expectation[member] = stated[member];
  }
  if (ref !== undefined) expectation.ref = withVersion(ref, version);
  if (minLevel !== undefined) expectation.provenance = { minLevel };
  return expectation;
}

function withVersion(ref: Matcher, version: string): Matcher {
  if (typeof ref === "string") return ref.replaceAll("{version}", () => version);
  if (typeof ref !== "object" || ref === null || typeof ref.pattern !== "string") return ref;
  const escaped = version.replace(/[.+*?^$()[\]{}|\\/]/g, "\\$&");
  return { ...ref, pattern: ref.pattern.replaceAll("{version}", () => escaped) };
}
