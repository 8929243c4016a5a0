import { isOpenPgpKey } from "./_key_material.ts";
import { printable, quote } from "../internal/json.ts";
import { describeMatcher, githubIdentity, type Matcher } from "../sigstore/identity.ts";
import type {
  Condition,
  CrossRule,
  PolicyDocument,
  PolicyIdentity,
  PolicyRule,
  Requirement,
  Selector,
  SignedBy,
} from "./document.ts";
import type { PolicyCheck, PolicyVerdict } from "./verdict.ts";

/** A line of an explanation, and what it consists of. */
export interface Explanation {
  /** For people: one line. */
  text: string;
  /** How a check came out; only of a verdict. */
  outcome?: PolicyCheck["outcome"];
  /** Its parts, in order. */
  children: Explanation[];
}

/** What is said of one thing at most. */
const MAX_TEXT = 400;
/** Entries of a list that are told one by one. */
const MAX_LISTED = 20;

function node(text: string, children: readonly Explanation[] = []): Explanation {
  return { text: printable(text, MAX_TEXT), children: [...children] };
}

function listed(values: readonly string[]): string {
  const shown = values.slice(0, MAX_LISTED).map(quote);
  if (values.length > MAX_LISTED) shown.push(`${values.length - MAX_LISTED} more`);
  return shown.join(", ");
}

function entries<T>(value: T | readonly T[]): readonly T[] {
  return Array.isArray(value) ? value : [value as T];
}

/**
 * What a policy demands, in plain words, as a tree.
 *
 * @param policy As `parsePolicy()` gives it.
 *
 * @example
 * ```ts
 * import { explainPolicy, parsePolicy } from "@x/attest/policy";
 * import assert from "node:assert/strict";
 *
 * const { text, children } = explainPolicy(parsePolicy({
 *   type: "attest-policy/v1",
 *   name: "acme",
 *   trust: { identities: { ci: { github: { repository: "acme/app" } } } },
 *   rules: [{ id: "release", require: [{ id: "signed", envelope: { signedBy: { of: ["ci"] } } }] }],
 * }));
 * assert.equal(text, 'Policy "acme": a failed verdict is a refusal');
 * assert.ok(children.some((one) => one.text.startsWith('Rule "release"')));
 * ```
 */
export function explainPolicy(policy: PolicyDocument): Explanation {
  const name = policy.name === undefined ? "Policy" : `Policy ${quote(policy.name)}`;
  const what = policy.mode === "permissive"
    ? "a failed verdict is only a warning"
    : "a failed verdict is a refusal";
  const parts: Explanation[] = [];
  if (policy.description !== undefined) parts.push(node(policy.description));
  if (policy.expires !== undefined) parts.push(node(`From ${policy.expires} on, everything fails`));
  parts.push(explainTrust(policy));
  parts.push(node(
    policy.selection === "all"
      ? "Every rule that selects an artifact judges it"
      : "The first rule that selects an artifact judges it",
  ));
  parts.push(node(
    policy.unselected === "pass"
      ? "An artifact that no rule selects PASSES without any attestation"
      : "An artifact that no rule selects fails",
  ));
  if (policy.platforms === "from-index") {
    parts.push(node("Attestations of an image's index count for each platform that it lists"));
  }
  for (const rule of policy.rules) parts.push(explainRule(rule));
  if (policy.waivers !== undefined && policy.waivers.length > 0) {
    parts.push(node(
      `Accepted for a time: ${policy.waivers.length}`,
      policy.waivers.map(({ rule, artifact, reason, owner, until, reasons }) =>
        node(
          `${quote(rule)} for ${selectorText(artifact)} until ${until}, by ${quote(owner)}: ${
            quote(reason)
          }${reasons === undefined ? "" : ` (only ${reasons.join(", ")})`}`,
        )
      ),
    ));
  }
  if (policy.waiverSigners !== undefined) {
    parts.push(node(`Waivers come in files, signed by ${signedByText(policy.waiverSigners)}`));
  }
  return node(`${name}: ${what}`, parts);
}

function explainTrust({ trust = {} }: PolicyDocument): Explanation {
  const parts: Explanation[] = [];
  for (const [name, { publicKey, alg, description }] of Object.entries(trust.keys ?? {})) {
    const kind = isOpenPgpKey(publicKey)
      ? "OpenPGP"
      : alg ?? (typeof publicKey === "string" ? "PEM" : "JWK");
    const more = description === undefined ? "" : `: ${description}`;
    parts.push(node(`Key ${quote(name)} (${kind})${more}`));
  }
  for (const name of Object.keys(trust.keySets ?? {})) {
    parts.push(node(`Keys of the set ${quote(name)}, each in its time`));
  }
  for (const [name, identity] of Object.entries(trust.identities ?? {})) {
    parts.push(node(`Identity ${quote(name)}: a certificate that says`, identityParts(identity)));
  }
  for (const [name, members] of Object.entries(trust.groups ?? {})) {
    parts.push(node(`Group ${quote(name)}: ${listed(members)}`));
  }
  const { roots = ["public-good"] } = trust;
  const own = roots.filter((root) => typeof root !== "string").length;
  const named = [
    ...(roots.includes("public-good") ? ["the public-good Sigstore instance"] : []),
    ...(own > 0 ? [`${own} trusted ${own === 1 ? "root" : "roots"} of its own`] : []),
  ];
  parts.push(node(`Certificates, logs and times: ${named.join(" and ") || "of nobody"}`));
  for (const [name, count] of Object.entries(trust.thresholds ?? {})) {
    parts.push(node(`Keyless evidence: ${name} at least ${count}`));
  }
  return node("Who is trusted", parts);
}

function identityParts(identity: PolicyIdentity): Explanation[] {
  const claims = "github" in identity ? githubIdentity(identity.github) : identity;
  return Object.entries(claims).flatMap(([claim, matcher]) =>
    matcher === undefined ? [] : [node(`${claim} ${describeMatcher(matcher as Matcher)}`)]
  );
}

function explainRule({ id, description, select, require, across = [] }: PolicyRule): Explanation {
  const about = description === undefined ? "" : ` (${description})`;
  return node(`Rule ${quote(id)}${about}: for ${selectorText(select)}`, [
    ...require.map(explainRequirement),
    ...across.map(explainAcross),
  ]);
}

function selectorText(selector: Selector | undefined): string {
  if (selector === undefined) return "every artifact";
  const words: [keyof Selector, string][] = [
    ["name", "whose name matches"],
    ["digest", "with the digest"],
    ["oci", "of the OCI repository"],
    ["npm", "of the npm package"],
  ];
  const parts = words.flatMap(([member, word]) => {
    const value = selector[member];
    return value === undefined ? [] : [`${word} ${entries(value).map(quote).join(" or ")}`];
  });
  return `artifacts ${parts.join(" and ")}`;
}

function signedByText({ of, threshold = 1 }: SignedBy): string {
  return threshold === 1
    ? of.length === 1 ? quote(of[0]) : `one of ${listed(of)}`
    : `${threshold} distinct signers of ${listed(of)}`;
}

function explainRequirement(requirement: Requirement): Explanation {
  const { id, description, envelope = {}, statement = {}, predicate = {}, freshness } = requirement;
  const parts: Explanation[] = [];
  const add = (text: string, children: readonly Explanation[] = []): void => {
    parts.push(node(text, children));
  };
  const { formats, payloadTypes, algorithms, minKeyBits, signedBy, log, timestamp } = envelope;
  if (statement.predicateTypes !== undefined) {
    add(`Of the type ${entries(statement.predicateTypes).map(quote).join(" or ")}`);
  }
  if (formats !== undefined) add(`In the format ${formats.join(" or ")}`);
  if (envelope.coverage !== undefined) add(`Signatures cover ${envelope.coverage.join(" or ")}`);
  if (envelope.signedMessageType === true) add("With a signed type of the message");
  if (payloadTypes !== undefined) add(`With the payload type ${listed(payloadTypes)}`);
  if (signedBy !== undefined) {
    for (const one of entries<SignedBy>(signedBy)) add(`Signed by ${signedByText(one)}`);
  } else if (predicate.provenance?.sourceUri !== undefined) {
    add("Signed by whoever may speak for its builder");
  } else add("Signed by anybody whom the policy names");
  if (algorithms !== undefined) add(`With a signature of ${algorithms.join(" or ")}`);
  for (const [kind, bits] of Object.entries(minKeyBits ?? {})) {
    add(`${kind} keys of ${bits} bits or more`);
  }
  if (log !== undefined) add(`In ${log} or more transparency logs`);
  if (timestamp !== undefined) add(`With ${timestamp} or more verified times`);
  if (freshness !== undefined) add(`Signed at most ${freshness.maxAge} ago`);
  if (statement.digestAlgorithms !== undefined) {
    add(`Matched by a digest of ${statement.digestAlgorithms.join(" or ")}`);
  }
  if (statement.subjectNames !== undefined) {
    add(`The subject's name matches ${statement.subjectNames.map(quote).join(" or ")}`);
  }
  if (statement.subjects === "exact") add("The artifact is its only subject");
  if (statement.subjects === "all") add("All its subjects are artifacts of the run");
  const { provenance, dependencies, sbom, vulnerabilities, vsa, where = [], cel } = predicate;
  const groups: [string, object | undefined][] = [
    ["SLSA provenance that says", provenance],
    ["Dependencies", dependencies],
    ["An SBOM", sbom],
    ["A vulnerability scan", vulnerabilities],
    ["A verification summary", vsa],
  ];
  for (const [what, rules] of groups) if (rules !== undefined) add(what, memberParts(rules));
  for (const condition of where) add(conditionText(condition));
  if (cel !== undefined) add(`The CEL expression is true: ${cel}`);
  const { count = 1, conflict = "any" } = requirement;
  const many = count === 1 ? "an attestation" : `${count} distinct attestations`;
  const which = conflict === "all"
    ? ", and every one of the type must hold"
    : conflict === "latest"
    ? ", and the latest of the type must hold"
    : "";
  const about = description === undefined ? "" : ` (${description})`;
  return node(`Needs ${many}${which} – ${quote(id)}${about}`, parts);
}

function memberParts(rules: object): Explanation[] {
  return Object.entries(rules).map(([name, value]) => {
    const text = typeof value === "string" ? quote(value) : JSON.stringify(value);
    return node(`${name}: ${text}`);
  });
}

function conditionText(condition: Condition): string {
  const { id: _id, path, quantifier = "every", ...operators } = condition;
  const [operator, value] = Object.entries(operators)[0] ?? ["", undefined];
  const of = quantifier === "every" ? "" : ` of ${quantifier} value`;
  if (operator === "exists") {
    return value === true ? `There is something at ${path}` : `There is nothing at ${path}`;
  }
  return `At ${path}${of}: ${operator} ${JSON.stringify(value)}`;
}

function explainAcross(cross: CrossRule): Explanation {
  const { id, distinctSigners, equal, signers, chain } = cross;
  const text = distinctSigners !== undefined
    ? `${listed(distinctSigners)} are signed by different people`
    : equal !== undefined
    ? `Equal: ${
      equal.map(({ requirement, path }) => `${path} of ${quote(requirement)}`).join(", ")
    }`
    : signers !== undefined
    ? `${signers.min} or more distinct signers over ${listed(signers.of)}`
    : chain !== undefined
    ? `A dependency ${quote(chain.dependency)} of ${quote(chain.from)} passed the rule ${
      quote(chain.rule)
    }`
    : "Nothing";
  return node(`Across – ${quote(id)}: ${text}`);
}

/**
 * The reasoning of a verdict as a tree: every rule and check with what was wanted, what was
 * found, where, and how far that can be believed.
 *
 * @param verdict As `evaluatePolicy()` gives it.
 *
 * @example
 * ```ts
 * import { compilePolicy, evaluatePolicy, explainVerdict, parsePolicy } from "@x/attest/policy";
 * import assert from "node:assert/strict";
 *
 * const policy = await compilePolicy(parsePolicy({
 *   type: "attest-policy/v1",
 *   trust: { identities: { ci: { github: { repository: "acme/app" } } } },
 *   rules: [{ id: "release", require: [{ id: "signed", envelope: { signedBy: { of: ["ci"] } } }] }],
 * }));
 * const evidence = { artifact: "app", digest: { sha256: "a".repeat(64) }, attestations: [], refused: [] };
 * const { children } = explainVerdict(evaluatePolicy(policy, [evidence], new Date()));
 * assert.equal(children[0].text, '"app": FAILED (missing-attestation)');
 * ```
 */
export function explainVerdict(verdict: PolicyVerdict): Explanation {
  const { ok, mode, policy, policyDigest, time, errorReason } = verdict;
  const name = policy === undefined ? "" : ` ${quote(policy)}`;
  const result = ok ? "PASSED" : `FAILED (${errorReason})`;
  return node(
    `${result}: policy${name} (sha256:${policyDigest}), ${mode}, at ${time}`,
    verdict.artifacts.map((one) => ({
      ...node(
        `${quote(one.artifact)}: ${one.ok ? "PASSED" : `FAILED (${one.errorReason})`}`,
        one.rules.map(explainCheck),
      ),
      outcome: one.ok ? "passed" as const : "failed" as const,
    })),
  );
}

function explainCheck(check: PolicyCheck): Explanation {
  const { id, outcome, reason, message, source, expected, actual, path, origin, remedy } = check;
  const facts: Explanation[] = [];
  if (actual !== undefined) {
    facts.push(node(`found: ${actual}${origin === undefined ? "" : ` (${origin})`}`));
  }
  if (expected !== undefined) facts.push(node(`wanted: ${expected}`));
  if (path !== undefined && path !== "") facts.push(node(`at: ${path}`));
  if (check.waiver !== undefined) {
    const { owner, reason, until } = check.waiver;
    facts.push(node(`waived by ${owner} until ${until}: ${reason}`));
  }
  if (remedy !== undefined) facts.push(node(`remedy: ${remedy}`));
  const where = source === undefined ? "" : ` of ${source}`;
  const why = reason === undefined ? "" : ` (${reason})`;
  return {
    ...node(`${id}${where}: ${message}${why}`, facts),
    outcome,
    children: [...facts, ...(check.children ?? []).map(explainCheck)],
  };
}
