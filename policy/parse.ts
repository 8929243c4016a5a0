import { AttestationError, isAttestationError, type Problem } from "../errors.ts";
import { copyJson, isObject, type Json, parseJson, quote } from "../internal/json.ts";
import { checkSignedBy } from "./_requirement.ts";
import { checkRules } from "./_rules.ts";
import { type Members, ProblemList } from "./_shape.ts";
import { checkTrust, type TrustedNames } from "./_trust.ts";
import { checkWaivers, partsOf } from "./_waivers.ts";
import { POLICY_TYPE, type PolicyDocument } from "./document.ts";
import { convertSignaturePolicy, isSignaturePolicy } from "./signature_policy.ts";

const DOCUMENT = [
  "$schema",
  "type",
  "name",
  "description",
  "mode",
  "expires",
  "trust",
  "selection",
  "unselected",
  "platforms",
  "rules",
  "waivers",
  "waiverSigners",
];
const MAX_LENGTH = 32 << 20;
const MAX_DEPTH = 64;

/**
 * Reads a policy document, or a `signature-policy.json`, which is converted: see the guide
 * of policies. Refused is what the type {@linkcode PolicyDocument} does not have, and what
 * could never be met or never be asked: names that do not exist, thresholds above the number
 * of distinct signers, chains that lead in a circle, rules that are never reached, patterns
 * that look like regular expressions.
 *
 * @param source JSON text, its UTF-8 bytes, or parsed JSON, of which a copy is taken; at
 * most 32 Mi characters, 10 000 rules and 1000 requirements in one.
 * @returns The document, checked.
 * @throws {AttestationError} `malformed-policy` with the `path` of the first problem, or
 * what strict JSON refuses.
 *
 * @example A misspelt operator
 * ```ts
 * import { AttestationError } from "@x/attest";
 * import { parsePolicy } from "@x/attest/policy";
 * import assert from "node:assert/strict";
 *
 * const where = [{ path: "/predicate/result", equal: "PASSED" }];
 * try {
 *   parsePolicy({
 *     type: "attest-policy/v1",
 *     trust: { identities: { ci: { github: { repository: "acme/app" } } } },
 *     rules: [{ id: "release", require: [{ id: "tested", predicate: { where } }] }],
 *   });
 *   assert.fail("not reached");
 * } catch (error) {
 *   assert.ok(error instanceof AttestationError);
 *   assert.equal(error.reason, "malformed-policy");
 *   assert.equal(error.path, "/rules/0/require/0/predicate/where/0/equal");
 *   assert.ok(error.message.includes("did you mean equals?"));
 * }
 * ```
 */
export function parsePolicy(source: string | Uint8Array | object): PolicyDocument {
  const isText = typeof source === "string" || source instanceof Uint8Array;
  const value = isText
    ? parseJson(source, { maxLength: MAX_LENGTH, maxDepth: MAX_DEPTH })
    : copyJson(source, MAX_DEPTH);
  const list = new ProblemList("malformed-policy", "Cannot read policy");
  const document = read(value, list);
  throwFirst(list.problems);
  return document;
}

/** Throws the first problem, and says how many more there are. */
export function throwFirst(problems: readonly Problem[]): void {
  if (problems.length === 0) return;
  const { reason, path, message } = problems[0];
  const more = problems.length === 1 ? "" : ` (and ${problems.length - 1} more)`;
  const where = path === "" ? "" : ` at ${path}`;
  throw new AttestationError(reason, `${message}${where}${more}`, { path });
}

/**
 * Lists everything that is wrong with a policy document or a `signature-policy.json`. What
 * needs WebCrypto, such as a kind of key that this runtime lacks, and the inside of key sets
 * is left to `compilePolicy()`.
 *
 * @param value Parsed JSON.
 * @returns Problems with the reason `malformed-policy`, in the order of the document, at
 * most 1000; what is no JSON has one problem with the reason that strict JSON gives.
 *
 * @example Two problems at once
 * ```ts
 * import { validatePolicy } from "@x/attest/policy";
 * import assert from "node:assert/strict";
 *
 * const problems = validatePolicy({
 *   type: "attest-policy/v1",
 *   trust: { identities: { ci: { github: { repository: "acme/app" } } } },
 *   rules: [{
 *     id: "release",
 *     select: { name: ".*\\.tgz" },
 *     require: [{ id: "signed", envelope: { signedBy: { of: ["ci"], threshold: 2 } } }],
 *   }],
 * });
 * assert.deepEqual(problems.map(({ path }) => path), [
 *   "/rules/0/select/name",
 *   "/rules/0/require/0/envelope/signedBy/threshold",
 * ]);
 * ```
 */
export function validatePolicy(value: unknown): Problem[] {
  const list = new ProblemList("malformed-policy", "Cannot read policy");
  try {
    read(copyJson(value, MAX_DEPTH), list);
  } catch (error) {
    if (!isAttestationError(error)) throw error;
    return [{ reason: error.reason, path: error.path ?? "", message: error.message }];
  }
  return list.problems;
}

function read(value: Json, list: ProblemList): PolicyDocument {
  if (isSignaturePolicy(value)) {
    const converted = convertSignaturePolicy(value, list);
    // What is wrong with it has been told in its own words.
    if (list.problems.length === 0) checkDocument(copyJson(converted), list);
    return converted;
  }
  checkDocument(value, list);
  return value as unknown as PolicyDocument;
}

function checkDocument(value: Json, list: ProblemList): void {
  if (isObject(value) && typeof value.type === "string" && value.type !== POLICY_TYPE) {
    return list.wrong("/type", `type is ${quote(value.type)}, wanted ${quote(POLICY_TYPE)}`);
  }
  const policy = list.members(value, "", "a policy", DOCUMENT);
  if (policy === undefined) return;
  policy.need("type");
  if (policy.has("type")) policy.word("type", [POLICY_TYPE]);
  policy.text("$schema");
  policy.text("name", 256);
  policy.text("description");
  policy.word("mode", ["enforce", "permissive"]);
  policy.time("expires");
  policy.word("selection", ["first", "all"]);
  policy.word("unselected", ["fail", "pass"]);
  policy.word("platforms", ["attested", "from-index"]);
  const trusted = checkTrust(policy);
  checkRules(policy, trusted);
  const waivers = policy.get("waivers");
  if (waivers !== undefined) {
    checkWaivers(list, waivers, "/waivers", partsOf(policy.get("rules")), 0);
  }
  checkWaiverSigners(policy, trusted);
}

function checkWaiverSigners(policy: Members, trusted: TrustedNames): void {
  const signers = policy.get("waiverSigners");
  if (signers === undefined) return;
  checkSignedBy(policy, signers, "/waiverSigners", trusted, (name) => {
    const members = trusted.names.get(name)?.members ?? [name];
    const holder = members.find((member) => trusted.names.get(member)?.kind === "identity");
    return holder === undefined
      ? undefined
      : `${quote(holder)} is an identity: waivers are signed with keys`;
  });
  if (policy.has("waivers")) {
    policy.wrong("waivers", "waiverSigners asks for signed waivers: those in the document are not");
  }
}
