import { isObject, type Json, type JsonObject, jsonText, quote } from "../internal/json.ts";
import { parsePurl, type Purl } from "../internal/purl.ts";
import { listPackages } from "../intoto/predicates/list_packages.ts";
import { type SbomPackage, unwrapDocument } from "../intoto/predicates/sbom.ts";
import type { Statement } from "../intoto/statement.ts";
import type { AddLeaf } from "./finding.ts";
import type { SbomRule } from "./document.ts";
import { anyOf, failed, type Leaf, passed } from "./finding.ts";
import { compilePattern } from "./pattern.ts";
import type { PolicyCheck } from "./verdict.ts";

/** Members by which a package is known. */
const TEXTS = ["name", "purl", "referenceLocator", "software_packageUrl", "type", "@type"];

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
  for (const entry of forbidden ?? []) {
    const names = packageMatcher(entry, true);
    add(`predicate.sbom.forbidden.${entry}`, (leaf, { statement }) => {
      const found = packagesOf(statement);
      if (found === undefined) return unknown(leaf, statement);
      const facts = { expected: `no ${quote(entry)}`, origin: "signed", remedy } as const;
      const hit = found.find(names);
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
    const names = packageMatcher(entry, false);
    add(`predicate.sbom.required.${entry}`, (leaf, { statement }) => {
      const found = packagesOf(statement);
      if (found === undefined) return unknown(leaf, statement);
      const facts = {
        expected: quote(entry),
        origin: "signed",
        remedy: "List the package, or change the rule of the SBOM",
      } as const;
      const hit = found.find(names);
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
      const hit = found.find(({ version }) => version === undefined || version === "NOASSERTION");
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

/** What an SBOM lists; undefined for what is none, is two, or has a list of another form. */
export function packagesOf({ predicate }: Statement): SbomPackage[] | undefined {
  if (!isObject(predicate)) return undefined;
  const document = unwrapDocument(predicate);
  if (document !== predicate && isMarked(predicate)) return undefined;
  const forms = [document.bomFormat, document.spdxVersion, document["@graph"]];
  if (forms.filter((form) => form !== undefined).length !== 1) return undefined;
  const { components, packages, "@graph": graph, metadata } = document;
  const whole = (isObject(metadata) ? metadata.component : metadata) ?? undefined;
  const lists = [components, packages, graph, whole === undefined ? undefined : [whole]];
  return lists.every(isListed) ? listPackages(predicate) : undefined;
}

function isMarked({ bomFormat, spdxVersion, "@graph": graph }: JsonObject): boolean {
  return bomFormat !== undefined || spdxVersion !== undefined || graph !== undefined;
}

/** Nothing, or a list of nothing but packages: what is passed over could be any of them. */
function isListed(value: Json | undefined): boolean {
  const open: (Json | undefined)[] = [value];
  while (open.length > 0) {
    const list = open.pop();
    if (list === undefined || list === null) continue;
    if (!Array.isArray(list)) return false;
    for (const one of list) {
      if (!isObject(one)) return false;
      if (TEXTS.some((name) => (one[name] ?? "") !== jsonText(one[name] ?? ""))) return false;
      open.push(one.components, one.externalRefs);
    }
  }
  return true;
}

function formatOf({ predicate }: Statement): "cyclonedx" | "spdx" | undefined {
  if (!isObject(predicate)) return undefined;
  const document = unwrapDocument(predicate);
  if (document.bomFormat === "CycloneDX") return "cyclonedx";
  return typeof document.spdxVersion === "string" || Array.isArray(document["@graph"])
    ? "spdx"
    : undefined;
}

/**
 * A package by its URL, without a version for every one, or by a pattern for its name. A
 * package that has no URL is taken for the one of that name.
 *
 * @param orUnknown What may be the package is taken for it: it has no version where one is
 * asked for, or no namespace and no URL.
 */
function packageMatcher(entry: string, orUnknown: boolean): (one: SbomPackage) => boolean {
  if (!entry.startsWith("pkg:")) {
    const matches = compilePattern(entry);
    return ({ name }) => matches(name);
  }
  const wanted = parsePurl(entry);
  const full = wanted.namespace === undefined ? wanted.name : `${wanted.namespace}/${wanted.name}`;
  const isVersion = (version: string | undefined): boolean =>
    wanted.version === undefined || version === wanted.version ||
    (orUnknown && (version === undefined || version === "NOASSERTION"));
  return ({ purls, name, version }) => {
    if (purls.length === 0) {
      return (name === full || (orUnknown && name === wanted.name)) && isVersion(version);
    }
    return purls.map((text) => parsePurl(text)).some((found) =>
      isSamePackage(found, wanted) && isVersion(found.version ?? version)
    );
  };
}

function isSamePackage(found: Purl, wanted: Purl): boolean {
  return found.type === wanted.type && found.namespace === wanted.namespace &&
    found.name === wanted.name;
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
