import { isObject, quote } from "../internal/json.ts";
import { listCycloneDxSubject } from "../intoto/predicates/cyclonedx.ts";
import { type SbomPackage, unwrapDocument } from "../intoto/predicates/sbom.ts";
import type { Statement } from "../intoto/statement.ts";
import { plainVersion } from "./_package_names.ts";
import { type Claims, claimsOf, forbidsPackage, requiresPackage } from "./_package_matcher.ts";
import { packagesOf } from "./_sbom_packages.ts";
import type { SbomRule } from "./document.ts";
import { type AddLeaf, anyOf, failed, type Leaf, passed } from "./finding.ts";
import type { PolicyCheck } from "./verdict.ts";

/** What is asked of a bill of materials, one leaf for each member of the rule. */
export function sbomLeaves(rule: SbomRule, add: AddLeaf): void {
  const { formats, forbidden, required, versions, min = 1 } = rule;
  const remedy = "Ship without that package, or change the rule of the SBOM";
  add("predicate.sbom", (leaf, { statement }) => {
    const found = packagesOf(statement);
    if (found === undefined) return unknown(leaf, statement);
    const facts = { expected: `${min} or more packages`, origin: "signed", remedy } as const;
    return found.length >= min
      ? passed(leaf, "The packages are listed", facts, String(found.length))
      : failed(
        leaf,
        "missing-package",
        `Cannot accept SBOM: it lists ${found.length} packages, wanted ${min} or more`,
        facts,
        String(found.length),
      );
  });
  if (formats !== undefined) {
    add("predicate.sbom.format", (leaf, { statement }) => {
      const found = formatOf(statement);
      const facts = {
        expected: anyOf(formats),
        origin: "signed",
        remedy: "Write the SBOM in that format",
      } as const;
      return formats.some((one) => one === found)
        ? passed(leaf, "The SBOM's format is accepted", facts, found)
        : failed(
          leaf,
          "format-not-accepted",
          `Cannot accept SBOM: its format is ${found ?? "not known"}, wanted ${facts.expected}`,
          facts,
          found,
        );
    });
  }
  const claims = new WeakMap<Statement, { listed: Claims[]; all: Claims[] }>();
  const claimsIn = (statement: Statement): { listed: Claims[]; all: Claims[] } | undefined => {
    const known = claims.get(statement);
    if (known !== undefined) return known;
    const listed = packagesOf(statement)?.map(claimsOf);
    if (listed === undefined) return undefined;
    const found = { listed, all: [...listed, ...subjectOf(statement).map(claimsOf)] };
    claims.set(statement, found);
    return found;
  };
  for (const entry of forbidden ?? []) {
    const isForbidden = forbidsPackage(entry);
    add(`predicate.sbom.forbidden.${entry}`, (leaf, { statement }) => {
      const found = claimsIn(statement);
      if (found === undefined) return unknown(leaf, statement);
      const facts = { expected: `no ${quote(entry)}`, origin: "signed", remedy } as const;
      const hit = found.all.find(isForbidden)?.one;
      return hit === undefined ? passed(leaf, "The package is not listed", facts) : failed(
        leaf,
        "forbidden-package",
        `Cannot accept SBOM: it lists ${describe(hit)}, wanted ${facts.expected}`,
        facts,
        describe(hit),
      );
    });
  }
  for (const entry of required ?? []) {
    const isRequired = requiresPackage(entry);
    add(`predicate.sbom.required.${entry}`, (leaf, { statement }) => {
      const found = claimsIn(statement);
      if (found === undefined) return unknown(leaf, statement);
      const facts = {
        expected: quote(entry),
        origin: "signed",
        remedy: "List the package, or change the rule of the SBOM",
      } as const;
      const hit = found.listed.find(isRequired)?.one;
      return hit !== undefined
        ? passed(leaf, "The package is listed", facts, describe(hit))
        : failed(
          leaf,
          "missing-package",
          `Cannot accept SBOM: it does not list ${facts.expected}`,
          facts,
        );
    });
  }
  if (versions === true) {
    add("predicate.sbom.versions", (leaf, { statement }) => {
      const found = packagesOf(statement);
      if (found === undefined) return unknown(leaf, statement);
      const facts = {
        expected: "a version of every package",
        origin: "signed",
        remedy: "State every package's version",
      } as const;
      const hit = found.find(({ version }) => plainVersion(version) === undefined);
      return hit === undefined ? passed(leaf, "Every package has a version", facts) : failed(
        leaf,
        "unversioned-package",
        `Cannot accept SBOM: ${describe(hit)} has no version`,
        facts,
        describe(hit),
      );
    });
  }
}

/** What a CycloneDX document is about: forbidden as what it lists is, as in SPDX. */
function subjectOf({ predicate }: Statement): SbomPackage[] {
  return isObject(predicate) ? listCycloneDxSubject(predicate) : [];
}

function formatOf({ predicate }: Statement): "cyclonedx" | "spdx" | undefined {
  if (!isObject(predicate)) return undefined;
  const document = unwrapDocument(predicate);
  if (document.bomFormat === "CycloneDX") return "cyclonedx";
  return typeof document.spdxVersion === "string" || Array.isArray(document["@graph"])
    ? "spdx"
    : undefined;
}

function describe({ name, version }: SbomPackage): string {
  return quote(version === undefined ? name : `${name} ${version}`);
}

function unknown(leaf: Leaf, { predicateType }: Statement): PolicyCheck {
  return failed(
    leaf,
    "condition-error",
    `Cannot list packages: the form of ${quote(predicateType)} is not known`,
    { path: "/predicate" },
  );
}
