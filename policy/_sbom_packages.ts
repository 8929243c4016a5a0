import { isObject, type Json, type JsonObject, jsonText } from "../internal/json.ts";
import { otherSpelling } from "../internal/member_names.ts";
import { listPackages } from "../intoto/predicates/list_packages.ts";
import { type SbomPackage, unwrapDocument } from "../intoto/predicates/sbom.ts";
import { elementsOf, isSpdx3Context, isSpdx3Package } from "../intoto/predicates/spdx.ts";
import type { Statement } from "../intoto/statement.ts";

/** Members by which a package is known. */
const TEXTS = [
  "name",
  "purl",
  "referenceType",
  "referenceLocator",
  "software_packageUrl",
  "identifier",
  "externalIdentifierType",
  "field",
  "concludedValue",
  "type",
  "@type",
];

/** Members under which a reader finds packages, and what they are called. */
const NAMES = [
  ...TEXTS,
  "bomFormat",
  "spdxVersion",
  "@graph",
  "@context",
  "components",
  "packages",
  "metadata",
  "component",
  "group",
  "version",
  "versionInfo",
  "evidence",
  "identity",
  "externalRefs",
  "externalIdentifier",
  "software_packageVersion",
];

const isMisspelled = otherSpelling(NAMES);
const isMisspelledWhole = otherSpelling([...NAMES, "Data"]);

/**
 * What an SBOM lists; undefined for what is none, is two, or could be read in another way, such
 * as one that has a list of another form.
 */
export function packagesOf({ predicate }: Statement): SbomPackage[] | undefined {
  if (!isObject(predicate)) return undefined;
  const document = unwrapDocument(predicate);
  if (isMisspelledWhole(predicate) || isMisspelledWhole(document)) return undefined;
  if (document !== predicate && isMarked(predicate)) return undefined;
  const forms = [document.bomFormat, document.spdxVersion, document["@graph"]];
  if (forms.filter((form) => form !== undefined).length !== 1) return undefined;
  const { components, packages, "@graph": graph, metadata } = document;
  const about = metadata ?? {};
  if (!isObject(about) || isMisspelled(about)) return undefined;
  const whole = about.component ?? undefined;
  const lists = [components, packages, graph, whole === undefined ? undefined : [whole]];
  if (!lists.every(isListed)) return undefined;
  if (Array.isArray(graph) && !isPlainGraph(document["@context"], graph)) return undefined;
  return listPackages(predicate);
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
      if (!isObject(one) || !isPlain(one)) return false;
      const evidence = one.evidence ?? {};
      if (!isObject(evidence) || isMisspelled(evidence)) return false;
      // Before 1.6 there was one.
      const { identity } = evidence;
      open.push(one.components, one.externalRefs, isObject(identity) ? [identity] : identity);
    }
  }
  return true;
}

/** Its names are texts, under the names of its format. */
function isPlain(one: JsonObject): boolean {
  return !isMisspelled(one) &&
    TEXTS.every((name) => (one[name] ?? "") === jsonText(one[name] ?? ""));
}

/**
 * A graph whose members are called as SPDX 3 calls them: another context, or a name in full,
 * could be any of them.
 *
 * Source: SPDX 3.0.1, "Serialization", which fixes the context and that names are compact.
 */
function isPlainGraph(context: Json | undefined, graph: readonly Json[]): boolean {
  const contexts = context === undefined || Array.isArray(context) ? context ?? [] : [context];
  if (!contexts.every(isSpdx3Context)) return false;
  const elements = elementsOf(graph);
  const ids = new Set(elements.flatMap(({ spdxId, "@id": id }) => [spdxId, id]));
  return elements.every((element) => {
    const names = Object.keys(element);
    if (names.some((name) => name === "@context" || /^spdx:|spdx\.org\//i.test(name))) return false;
    if (!isPlain(element)) return false;
    const { externalIdentifier: found = [] } = element;
    return !isSpdx3Package(element) || (Array.isArray(found) ? found : [found])
      .every((one) => isObject(one) || ids.has(one));
  });
}
