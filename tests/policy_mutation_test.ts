/**
 * Takes away, weakens and turns round each single member of the rules of the worked policies:
 * some verdict of their cases has to change.
 */

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, it } from "node:test";
import { isAttestationError } from "../errors.ts";
import { isObject, type Json, type JsonObject } from "../internal/json.ts";
import { compilePolicy } from "../policy/compile.ts";
import type { PolicyDocument } from "../policy/document.ts";
import { parsePolicy } from "../policy/parse.ts";
import { judgeReports } from "../verify/policy.ts";
import type { VerificationReport } from "../verify/report.ts";
import { verify } from "../verify/verify.ts";
import { EXAMPLES, NOW, type PolicyCase, type PolicyExample, withTrust } from "./policy_cases.ts";

/** A policy that says something else in one place. */
interface Mutant {
  /** JSON Pointer and what was done there. */
  what: string;
  document: Json;
}

/** Members that are for people, or that a policy cannot do without and has in one place only. */
const UNASKED: ReadonlySet<string> = new Set(["description", "name", "reason", "owner", "$schema"]);

/** Mutants that say the same as the policy, each with the reason. */
const EQUIVALENT: Readonly<Record<string, string>> = {
  "key-signed-releases/rules/0/require/0/envelope/minKeyBits/RSA = 3071":
    "the moduli of RSA keys come in steps of eight bits",
  "github-by-repository-id/rules/0/require/0/statement removed":
    "the rule of provenance and the path of the trigger are of version 1 already",
  'two-person-release/rules/0/require/1/conflict = "latest"':
    "bare envelopes have no time, so of several none is the latest: refused all the same",
  "image/rules/0/require/0/statement removed":
    "the rule of provenance and the path of the commit are of version 1 already",
  "image/rules/0/require/1/statement removed":
    "the rule of the SBOM and the path of the commit are of CycloneDX already",
  "image/rules/0/require/2/envelope removed":
    "it names everybody whom the policy knows, which is what is asked without it",
  "migration-enforce/mode removed": "enforce is what a policy does that does not say its mode",
};

const WEAKER: Readonly<Record<string, readonly Json[]>> = {
  maxAge: ["P36500D"],
  maxDatabaseAge: ["P36500D"],
  expires: ["2999-01-01T00:00:00Z", "2000-01-01T00:00:00Z"],
  until: ["2999-01-01T00:00:00Z", "2000-01-01T00:00:00Z"],
  after: ["P36500D"],
  maxSeverity: ["none", "critical"],
  conflict: ["any", "all", "latest"],
  subjects: ["any", "all", "exact"],
  quantifier: ["every", "some", "none"],
};

/** Other values of a leaf: weaker, and its opposite. */
function others(name: string, value: Json): Json[] {
  const known = WEAKER[name];
  if (known !== undefined) return known.filter((other) => other !== value);
  if (typeof value === "boolean") return [!value];
  if (typeof value === "number") return [value - 1, value + 1];
  return [];
}

/** What a condition says turned round, and what is left of it when only something has to be there. */
function conditions(value: JsonObject): JsonObject[] {
  const { id, path, quantifier, ...operator } = value;
  const base = { ...(id === undefined ? {} : { id }), path };
  return [
    { ...base, exists: true },
    { ...base, exists: false },
    { ...base, quantifier: quantifier === "none" ? "every" : "none", ...operator },
  ];
}

/** Lists of which any entry is enough: with `**` everything is. */
const PATTERNS: ReadonlySet<string> = new Set([
  "allowed",
  "scanners",
  "subjectNames",
  "forbidden",
  "name",
  "oci",
  "npm",
]);

function* changes(name: string, value: Json, pointer: string): Iterable<[string, Json]> {
  const isPattern = PATTERNS.has(name) && !pointer.endsWith("/sbom/forbidden");
  if (isPattern) yield [`${pointer} = **`, Array.isArray(value) ? ["**"] : "**"];
  for (const other of others(name, value)) yield [`${pointer} = ${JSON.stringify(other)}`, other];
  if (Array.isArray(value)) {
    for (const i of value.keys()) {
      if (value.length > 1) yield [`${pointer}/${i} removed`, value.toSpliced(i, 1)];
      for (const [what, inner] of changes("", value[i], `${pointer}/${i}`)) {
        yield [what, value.with(i, inner)];
      }
    }
  } else if (isObject(value)) {
    if (typeof value.path === "string" && value.requirement === undefined) {
      for (const other of conditions(value)) {
        yield [`${pointer} = ${JSON.stringify(other)}`, other];
      }
    }
    for (const member of Object.keys(value)) {
      // The id of a condition is its name in reports.
      if (member === "id" && value.path !== undefined) continue;
      if (UNASKED.has(member) && pointer !== "" && member !== "name") continue;
      if (member === "name" && !pointer.endsWith("/select") && !pointer.endsWith("/artifact")) {
        continue;
      }
      const { [member]: inner, ...rest } = value;
      yield [`${pointer}/${member} removed`, rest];
      for (const [what, changed] of changes(member, inner, `${pointer}/${member}`)) {
        yield [what, { ...value, [member]: changed }];
      }
    }
  }
}

function mutantsOf(document: PolicyDocument): Mutant[] {
  const whole = document as unknown as JsonObject;
  const mutants: Mutant[] = [];
  for (const member of ["mode", "expires", "rules", "waivers", "selection", "unselected"]) {
    const value = whole[member];
    if (value === undefined) continue;
    const { [member]: _, ...rest } = whole;
    mutants.push({ what: `/${member} removed`, document: rest });
    for (const [what, changed] of changes(member, value, `/${member}`)) {
      mutants.push({ what, document: { ...whole, [member]: changed } });
    }
  }
  const mode = whole.mode === "permissive" ? "enforce" : "permissive";
  mutants.push({ what: `/mode = ${mode}`, document: { ...whole, mode } });
  const trust = whole.trust as JsonObject | undefined;
  for (const member of ["identities", "groups", "thresholds"]) {
    if (trust?.[member] === undefined) continue;
    for (const [what, changed] of changes(member, trust[member], `/trust/${member}`)) {
      mutants.push({ what, document: { ...whole, trust: { ...trust, [member]: changed } } });
    }
  }
  const selecting = document.rules.every(({ select }) => select !== undefined);
  if (selecting) {
    mutants.push({ what: "/unselected = pass", document: { ...whole, unselected: "pass" } });
  }
  return mutants;
}

interface Judged {
  one: PolicyCase;
  attestations: object[];
  report: VerificationReport;
}

const FOLDER = new URL("../docs/policy/examples/", import.meta.url);

/** What somebody who heeds the verdict does. */
function decisionOf({ ok, policy }: VerificationReport): string {
  return `${ok} in ${policy?.mode}`;
}

async function judgeAll({ cases }: PolicyExample, document: PolicyDocument): Promise<Judged[]> {
  return await Promise.all(cases.map(async (one): Promise<Judged> => {
    const attestations = await one.attestations();
    const policy = await compilePolicy(await withTrust(document, one.keys));
    const report = await verify(attestations, [...one.artifacts], {
      policy,
      now: one.now ?? NOW,
    });
    return { one, attestations, report };
  }));
}

/** The first case whose verdict is another, or `refused`. */
async function killer(
  { what, document }: Mutant,
  judged: readonly Judged[],
): Promise<string | undefined> {
  const compiled = new Map<string, Awaited<ReturnType<typeof compilePolicy>>>();
  for (const { one, attestations, report } of judged) {
    const names = JSON.stringify(one.keys ?? {});
    let policy = compiled.get(names);
    if (policy === undefined) {
      try {
        policy = await compilePolicy(await withTrust(parsePolicy(document as object), one.keys));
      } catch (error) {
        if (isAttestationError(error) && error.reason === "malformed-policy") return "refused";
        throw error;
      }
      compiled.set(names, policy);
    }
    const now = one.now ?? NOW;
    // How much evidence a certificate needs is decided before the policy judges.
    const found = what.startsWith("/trust/thresholds")
      ? await verify(attestations, [...one.artifacts], { policy, now })
      : judgeReports(policy, report.artifacts, now);
    if (decisionOf(found) !== decisionOf(report)) return one.name;
  }
}

describe("Mutations of the worked policies", () => {
  const seen = new Set<string>();
  for (const example of EXAMPLES) {
    it(`each changes a verdict: ${example.file}`, async () => {
      const text = readFileSync(new URL(`${example.file}.json`, FOLDER), "utf8");
      const document = parsePolicy(text);
      const judged = await judgeAll(example, document);
      const survivors: string[] = [];
      let judgedMutants = 0;
      for (const mutant of mutantsOf(document)) {
        const by = await killer(mutant, judged);
        if (by !== "refused") judgedMutants++;
        const name = `${example.file}${mutant.what}`;
        if (by === undefined && EQUIVALENT[name] !== undefined) seen.add(name);
        else if (by === undefined) survivors.push(mutant.what);
      }
      assert.ok(judgedMutants >= 8, `${judgedMutants} mutants`);
      assert.deepEqual(survivors, []);
    });
  }

  it("has no exception that is not needed", () => {
    assert.deepEqual(Object.keys(EQUIVALENT).filter((name) => !seen.has(name)), []);
    for (const reason of Object.values(EQUIVALENT)) assert.ok(reason.length > 20);
  });
});
