import { isAttestationError } from "../../errors.ts";
import { quote } from "../../internal/json.ts";
import { formatPurl, parsePurl } from "../../internal/purl.ts";
import { defineChecked, type PredicateKind } from "./kind.ts";

/** That a registry published a package, said by the registry. */
export interface NpmPublish {
  /** Name of the package, with its scope. */
  name: string;
  /** Version as published. */
  version: string;
  /** Address of the registry. */
  registry: string;
}

/**
 * npm publish v0.1. In a Statement there is one subject, whose name is the package URL of
 * `name` and `version` (`package-mismatch`, compared decoded) and which has a SHA-512 digest
 * (`missing-subject-digest`).
 *
 * Source: npm/attestation, specs/publish/v0.1.
 *
 * @example
 * ```ts
 * import { npmPublishPredicate } from "@x/attest/predicates";
 * import assert from "node:assert/strict";
 *
 * const subject = [{ name: "pkg:npm/%40x/app@1.0.0", digest: { sha512: "a".repeat(128) } }];
 * const statement = npmPublishPredicate.createStatement(subject, {
 *   name: "@x/app",
 *   version: "1.0.0",
 *   registry: "https://registry.example",
 * });
 * assert.equal(npmPublishPredicate.parseStatement(statement).version, "1.0.0");
 * ```
 */
export const npmPublishPredicate: PredicateKind<NpmPublish> = defineChecked<NpmPublish>({
  name: "npm-publish",
  predicateTypes: ["https://github.com/npm/attestation/tree/main/specs/publish/v0.1"],
  check(publish) {
    for (const name of ["name", "version", "registry"]) publish.text(name, "required");
  },
  relate(statement, publish, report) {
    const { name, version } = publish.value;
    const [subject] = statement.subject;
    if (statement.subject.length !== 1) {
      report(
        "package-mismatch",
        "/subject",
        `Cannot accept npm publish: ${statement.subject.length} subjects, wanted one`,
      );
    }
    if (subject === undefined || typeof name !== "string" || typeof version !== "string") return;
    if (subject.digest?.sha512 === undefined) {
      report(
        "missing-subject-digest",
        "/subject/0/digest/sha512",
        "Cannot accept npm publish: its subject has no SHA-512 digest",
      );
    }
    let wanted: string;
    let found: string;
    try {
      wanted = packageUrlOf(name, version);
      found = formatPurl(parsePurl(subject.name ?? ""));
    } catch (error) {
      if (!isAttestationError(error)) throw error;
      report(error.reason, "/subject/0/name", error.message);
      return;
    }
    if (found === wanted) return;
    report(
      "package-mismatch",
      "/subject/0/name",
      `Cannot accept npm publish: the subject is ${quote(found)}, the predicate says ${
        quote(wanted)
      }`,
    );
  },
});

function packageUrlOf(name: string, version: string): string {
  const slash = name.startsWith("@") ? name.indexOf("/") : -1;
  return formatPurl({
    type: "npm",
    namespace: slash < 0 ? undefined : name.slice(0, slash),
    name: name.slice(slash + 1),
    version,
  });
}
