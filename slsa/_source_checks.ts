import { quote } from "../internal/json.ts";
import { isVersionOf, parseVersion } from "../internal/semver.ts";
import type { Origin } from "../report.ts";
import { found, type ProvenanceCase } from "./_case.ts";
import { branchRef, repositoryOf } from "./_github.ts";
import type { BuildLevel } from "./expectation.ts";
import { canonicalRepository } from "./source.ts";

/** A value by each who states it. */
type Stated = [value: string | undefined, origin: Origin][];

/** The first that is not as wanted, or undefined if one states it and all that do agree. */
function disagreement(
  stated: Stated,
  isWanted: (value: string) => boolean,
): { actual?: string; origin?: Origin } | undefined {
  let isStated = false;
  for (const [value, origin] of stated) {
    if (value === undefined) continue;
    isStated = true;
    if (!isWanted(value)) return { actual: value, origin };
  }
  return isStated ? undefined : {};
}

/** Whether everybody who states a repository states the expected one. */
export function checkSource(judged: ProvenanceCase): void {
  const { list, provenance, certified, evidence, expectation, facts } = judged;
  const { sourceUri } = expectation;
  if (sourceUri === undefined) {
    if (evidence.identity === undefined || evidence.identityExpected === true) return;
    list.refused(
      "predicate.source",
      "missing-identity-expectation",
      "Cannot accept provenance: anybody can run its builder, and no source is expected",
    );
    return;
  }
  const expected = canonicalRepository(sourceUri) ?? sourceUri;
  const stated: Stated = [[certified.uri, "certificate"], [provenance.source?.uri, "signed"]];
  const isExpected = (value: string) => value === expected;
  // The variables of a run name no server: they can contradict, and state nothing themselves.
  const told = repositoryOf(facts, evidence.identity);
  const wrong = disagreement(stated, isExpected) ??
    (told === undefined ? undefined : disagreement([[told, "signed"]], isExpected));
  if (wrong === undefined) {
    const actual = certified.uri ?? provenance.source?.uri;
    list.passed("predicate.source", "Its source is the expected repository", {
      expected,
      actual,
      origin: certified.uri === undefined ? "signed" : "certificate",
    });
    return;
  }
  list.refused(
    "predicate.source",
    "source-mismatch",
    `Cannot accept provenance: ${found(wrong.actual, "repository")}, wanted ${quote(expected)}`,
    { ...wrong, expected },
  );
}

function refs({ provenance, certified, facts }: ProvenanceCase): Stated {
  return [
    [certified.ref, "certificate"],
    [provenance.source?.ref, "signed"],
    [facts.ref, "signed"],
  ];
}

/** The same for the branch. */
export function checkBranch(judged: ProvenanceCase, level: BuildLevel): void {
  const { expectation: { sourceBranch }, facts } = judged;
  if (sourceBranch === undefined) return;
  const expected = `refs/heads/${sourceBranch}`;
  // The event of a tag names its branch in parameters that only a builder of level 3 keeps
  // out of the reach of the build.
  const stated = refs(judged).map(([ref, origin]): Stated[number] => {
    const branch = level === 3 ? branchRef(facts, ref) : undefined;
    return branch === undefined || branch === ref ? [ref, origin] : [branch, "signed"];
  });
  report(judged, "predicate.branch", "branch-mismatch", "branch", expected, stated);
}

/** The same for the tag. */
export function checkTag(judged: ProvenanceCase): void {
  const { sourceTag } = judged.expectation;
  if (sourceTag === undefined) return;
  report(judged, "predicate.tag", "tag-mismatch", "tag", `refs/tags/${sourceTag}`, refs(judged));
}

function report(
  { list }: ProvenanceCase,
  id: string,
  reason: "branch-mismatch" | "tag-mismatch" | "commit-mismatch",
  what: string,
  expected: string,
  stated: Stated,
): void {
  const wrong = disagreement(stated, (value) => value === expected);
  if (wrong === undefined) {
    const origin = stated.find(([value]) => value !== undefined)?.[1];
    list.passed(id, `Its ${what} is the expected one`, { expected, actual: expected, origin });
    return;
  }
  list.refused(
    id,
    reason,
    `Cannot accept provenance: ${found(wrong.actual, what)}, wanted ${quote(expected)}`,
    { ...wrong, expected },
  );
}

/** The same for a tag that is a version of the expected one. */
export function checkVersionedTag(judged: ProvenanceCase): void {
  const { list, expectation: { sourceVersionedTag } } = judged;
  const wanted = sourceVersionedTag === undefined
    ? undefined
    : parseVersion(sourceVersionedTag.slice(1));
  if (sourceVersionedTag === undefined || wanted === undefined) return;
  const id = "predicate.versioned-tag";
  const expected = `refs/tags/${sourceVersionedTag}`;
  let isStated = false;
  for (const [ref, origin] of refs(judged)) {
    if (ref === undefined) continue;
    isStated = true;
    const facts = { expected, actual: ref, origin };
    if (!ref.startsWith("refs/tags/")) {
      list.refused(
        id,
        "versioned-tag-mismatch",
        `Cannot accept provenance: found ${quote(ref)}, wanted a tag`,
        facts,
      );
      return;
    }
    const tag = ref.slice(10);
    const version = tag.startsWith("v") ? parseVersion(tag.slice(1)) : undefined;
    if (version === undefined) {
      list.refused(
        id,
        "invalid-versioned-tag",
        `Cannot accept provenance: its tag ${quote(tag)} is no version`,
        facts,
      );
      return;
    }
    if (!isVersionOf(version, wanted)) {
      list.refused(
        id,
        "versioned-tag-mismatch",
        `Cannot accept provenance: found tag ${quote(tag)}, wanted ${quote(sourceVersionedTag)}`,
        facts,
      );
      return;
    }
  }
  if (isStated) return list.passed(id, "Its tag is of the expected version", { expected });
  list.refused(id, "versioned-tag-mismatch", "Cannot accept provenance: it states no tag", {
    expected,
  });
}

/** The same for the commit. */
export function checkCommit(judged: ProvenanceCase): void {
  const { provenance, certified, facts, expectation: { sourceCommit } } = judged;
  if (sourceCommit === undefined) return;
  report(
    judged,
    "predicate.commit",
    "commit-mismatch",
    "commit",
    sourceCommit.toLowerCase(),
    [
      [certified.commit, "certificate"],
      [provenance.source?.commit, "signed"],
      [facts.commit?.toLowerCase(), "signed"],
    ],
  );
}
