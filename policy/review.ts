import { quote } from "../internal/json.ts";
import { parseTimestamp } from "../internal/timestamp.ts";
import type { PolicyDocument, Selector } from "./document.ts";

/** What is allowed in a policy, but may not be meant. */
export interface PolicyWarning {
  /** JSON Pointer into the document. */
  path: string;
  /** For people: one line, no final period. */
  message: string;
  /** What to do about it. */
  suggestion: string;
}

const DAY = 86_400_000;
const MAX_WARNINGS = 1000;

/**
 * Lists what a reviewer of a policy should look at: each is allowed, and weakens it or is of
 * no effect.
 *
 * @param policy As `parsePolicy()` gives it.
 * @param now Moment of the review.
 *
 * @example
 * ```ts
 * import { parsePolicy, reviewPolicy } from "@x/attest/policy";
 * import assert from "node:assert/strict";
 *
 * const policy = parsePolicy({
 *   type: "attest-policy/v1",
 *   mode: "permissive",
 *   trust: { identities: { ci: { github: { repository: "acme/app" } } } },
 *   rules: [{ id: "release", require: [{ id: "signed", envelope: { signedBy: { of: ["ci"] } } }] }],
 * });
 * assert.equal(reviewPolicy(policy, new Date())[0].path, "/mode");
 * ```
 */
export function reviewPolicy(policy: PolicyDocument, now: Date): PolicyWarning[] {
  const found: PolicyWarning[] = [];
  const warn = (path: string, message: string, suggestion: string): void => {
    if (found.length < MAX_WARNINGS) found.push({ path, message, suggestion });
  };
  if (policy.mode === "permissive") {
    warn("/mode", "The policy refuses nothing: it only warns", 'Say "enforce" when all is signed');
  }
  const left = (parseTimestamp(policy.expires ?? "")?.getTime() ?? Infinity) - now.getTime();
  if (left <= 0) {
    warn(
      "/expires",
      `The policy ended at ${policy.expires}: every verdict fails`,
      "Set a later end",
    );
  } else if (left < 30 * DAY) {
    const days = Math.max(1, Math.floor(left / DAY));
    warn("/expires", `The policy ends in ${days} days`, "Review it and set a later end");
  }
  if (policy.unselected === "pass") {
    warn(
      "/unselected",
      "An artifact that no rule selects passes, whatever its name is",
      'Say "fail", and select what may pass by a rule',
    );
  }
  reviewTrust(policy, warn);
  for (const [i, { select, require }] of policy.rules.entries()) {
    reviewSelector(select, `/rules/${i}/select`, warn);
    for (const [k, { envelope, statement, predicate }] of require.entries()) {
      const path = `/rules/${i}/require/${k}`;
      for (const [n, name] of (statement?.subjectNames ?? []).entries()) {
        if (!isEverything(name)) continue;
        warn(
          `${path}/statement/subjectNames/${n}`,
          `The pattern ${quote(name)} matches every name`,
          "Leave subjectNames out, or name the subjects",
        );
      }
      if (envelope?.signedBy === undefined && predicate?.provenance?.sourceUri === undefined) {
        warn(
          path,
          "Anybody whom the policy names may sign, whatever for",
          "Say in envelope.signedBy who it is",
        );
      }
      if (statement?.predicateTypes === undefined && predicate === undefined) {
        warn(
          path,
          "Any attestation is enough, whatever it says",
          "Say in statement.predicateTypes what must be attested",
        );
      }
      for (const [n, pattern] of (predicate?.dependencies?.allowed ?? []).entries()) {
        if (!isEverything(pattern)) continue;
        warn(
          `${path}/predicate/dependencies/allowed/${n}`,
          `The pattern ${quote(pattern)} allows every dependency`,
          "Name the sources that are allowed",
        );
      }
    }
  }
  for (const [i, { artifact, until, rule }] of (policy.waivers ?? []).entries()) {
    const path = `/waivers/${i}`;
    reviewSelector(artifact, `${path}/artifact`, warn);
    const time = parseTimestamp(until)?.getTime() ?? 0;
    if (time <= now.getTime()) {
      warn(`${path}/until`, `The waiver for ${quote(rule)} has ended`, "Remove it");
    } else if (time - now.getTime() > 366 * DAY) {
      warn(
        `${path}/until`,
        `The waiver for ${quote(rule)} counts for more than a year`,
        "Set an earlier end, so that somebody looks at it again",
      );
    }
  }
  return found;
}

type Warn = (path: string, message: string, suggestion: string) => void;

function reviewTrust({ trust = {}, rules, waiverSigners }: PolicyDocument, warn: Warn): void {
  const identities = Object.keys(trust.identities ?? {});
  const { roots = ["public-good"] } = trust;
  if (trust.roots !== undefined && roots.length > 0 && identities.length === 0) {
    const needsCertificates = rules.some(({ require }) =>
      require.some(({ predicate }) => predicate?.provenance?.sourceUri !== undefined)
    );
    if (!needsCertificates) {
      warn(
        "/trust/roots",
        "Roots are trusted, but no identity: no certificate counts",
        "Name the identities that may sign, or trust no root: []",
      );
    }
  }
  const signers = rules.flatMap(({ require }) => require.map(({ envelope }) => envelope?.signedBy));
  if (signers.includes(undefined)) return;
  const used = new Set([
    ...signers.flat().flatMap((one) => one === undefined ? [] : [...one.of]),
    ...(waiverSigners?.of ?? []),
  ]);
  for (const [name, members] of Object.entries(trust.groups ?? {})) {
    if (used.has(name)) { for (const member of members) used.add(member); }
  }
  // Expectations of provenance and summaries name keys too.
  const predicates = JSON.stringify(
    rules.map(({ require }) => require.map(({ predicate }) => predicate ?? null)),
  );
  for (const member of ["keys", "keySets", "identities", "groups"] as const) {
    for (const name of Object.keys(trust[member] ?? {})) {
      if (used.has(name) || predicates.includes(JSON.stringify(name))) continue;
      const path = `/trust/${member}/${name.replaceAll("~", "~0").replaceAll("/", "~1")}`;
      warn(path, `Nothing asks for ${quote(name)}`, "Use it in a rule, or remove it");
    }
  }
}

function reviewSelector(selector: Selector | undefined, path: string, warn: Warn): void {
  for (const member of ["name", "oci", "npm"] as const) {
    const value = selector?.[member];
    if (value === undefined) continue;
    for (const pattern of typeof value === "string" ? [value] : value) {
      if (!isEverything(pattern)) continue;
      warn(
        `${path}/${member}`,
        `The pattern ${quote(pattern)} selects everything`,
        "Leave the selector out if that is meant, else narrow it",
      );
    }
  }
}

function isEverything(pattern: string): boolean {
  return /^\*\*[*?/]*$/.test(pattern) || pattern === "*";
}
