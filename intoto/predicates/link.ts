import { quote } from "../../internal/json.ts";
import type { JsonObject } from "../../internal/json.ts";
import type { DigestSet } from "../digest_set.ts";
import type { ResourceDescriptor } from "../resource_descriptor.ts";
import type { Statement } from "../statement.ts";
import type { Fields } from "./_fields.ts";
import { defineChecked, type PredicateKind } from "./kind.ts";

/**
 * One step of a supply chain: what was run on which materials. Its products are the
 * subjects of the Statement.
 */
export interface Link {
  /** Name of the step. */
  name: string;
  /** What was run, with its arguments; may be empty. */
  command?: string[] | null;
  /** What went in; each has a name of its own and a digest. */
  materials?: ResourceDescriptor[] | null;
  /** What else came out, such as the exit status and the output. */
  byproducts?: JsonObject | null;
  /** Where it was run. */
  environment?: JsonObject | null;
}

/** Link metadata as in-toto layouts of before the attestation framework read it. */
export interface LegacyLink {
  /** Always `link`. */
  _type: "link";
  /** Name of the step. */
  name: string;
  /** What was run. */
  command: string[];
  /** Digests of what went in, by name. */
  materials: Record<string, DigestSet>;
  /** Digests of what came out, by name. */
  products: Record<string, DigestSet>;
  /** What else came out. */
  byproducts: JsonObject;
  /** Where it was run. */
  environment: JsonObject;
}

/**
 * Link v0.3. Every material has a name of its own and a digest
 * (`malformed-predicate`, `missing-predicate-field`), and so has every subject
 * (`missing-subject-name`, `duplicate-subject-name`).
 *
 * Source: in-toto attestation, spec/predicates/link.md, v0.3.
 *
 * @example
 * ```ts
 * import { linkPredicate } from "@x/attest/predicates";
 * import assert from "node:assert/strict";
 *
 * const link = linkPredicate.create({ name: "build", command: ["make", "all"] });
 * assert.deepEqual(linkPredicate.parse(JSON.stringify(link)), link);
 * assert.equal(linkPredicate.validate({})[0].path, "/name");
 * ```
 */
export const linkPredicate: PredicateKind<Link> = defineChecked<Link>({
  name: "link",
  predicateTypes: ["https://in-toto.io/attestation/link/v0.3"],
  check(link) {
    link.text("name", "required");
    link.texts("command");
    const seen = new Set<string>();
    for (const material of link.resources("materials")) {
      material.object("digest", "required");
      const name = material.text("name", "required");
      if (name === undefined) continue;
      if (seen.has(name)) {
        material.problem("malformed-predicate", "name", `the name ${quote(name)} is not unique`);
      }
      seen.add(name);
    }
    link.object("byproducts");
    link.object("environment");
  },
  relate(statement, _, report) {
    const seen = new Set<string>();
    for (const [index, { name }] of statement.subject.entries()) {
      const path = `/subject/${index}/name`;
      if (!name) {
        report("missing-subject-name", path, "Cannot accept link: a product has no name");
      } else if (seen.has(name)) {
        report(
          "duplicate-subject-name",
          path,
          `Cannot accept link: another product has the name ${quote(name)} too`,
        );
      }
      if (name) seen.add(name);
    }
  },
});

/**
 * The link object of before v0.3, as cosign's `link` and v0.1 hold it. It is recognised
 * and passed through: only the types of its members are looked at.
 *
 * Source: in-toto specification 1.0, 4.4; in-toto attestation, spec/predicates/link.md,
 * "Changelog".
 *
 * @example
 * ```ts
 * import { legacyLinkPredicate } from "@x/attest/predicates";
 * import assert from "node:assert/strict";
 *
 * const link = legacyLinkPredicate.parse('{"_type":"link","name":"build","products":{}}');
 * assert.equal(link.name, "build");
 * ```
 */
export const legacyLinkPredicate: PredicateKind<Partial<LegacyLink>> = defineChecked<
  Partial<LegacyLink>
>({
  name: "legacy-link",
  predicateTypes: [
    "https://in-toto.io/Link/v1",
    "https://in-toto.io/attestation/link/v0.1",
    "https://in-toto.io/attestation/link/v0.2",
  ],
  check(link: Fields) {
    link.text("name");
    for (const name of ["byproducts", "environment"]) link.object(name);
    // v0.2 has resources where the older ones have digests by name.
    for (const name of ["materials", "products"]) {
      if (Array.isArray(link.value[name])) link.resources(name);
      else link.object(name);
    }
  },
});

/**
 * A Link v0.3 and its subjects as the link object that in-toto layouts read.
 *
 * Source: in-toto attestation, spec/predicates/link.md, "Converting to old-style links".
 *
 * @param statement Statement with a Link v0.3, not verified here.
 * @throws {AttestationError} With the reasons of {@linkcode linkPredicate}.
 *
 * @example
 * ```ts
 * import { createLegacyLink, linkPredicate } from "@x/attest/predicates";
 * import assert from "node:assert/strict";
 *
 * const subject = [{ name: "app.tgz", digest: { sha256: "a".repeat(64) } }];
 * const link = createLegacyLink(linkPredicate.createStatement(subject, { name: "build" }));
 * assert.deepEqual(link.products, { "app.tgz": { sha256: "a".repeat(64) } });
 * ```
 */
export function createLegacyLink(statement: Statement): LegacyLink {
  const link = linkPredicate.parseStatement(statement);
  return {
    _type: "link",
    name: link.name,
    command: link.command ?? [],
    materials: digestsByName(link.materials ?? []),
    products: digestsByName(statement.subject),
    byproducts: link.byproducts ?? {},
    environment: link.environment ?? {},
  };
}

function digestsByName(resources: readonly ResourceDescriptor[]): Record<string, DigestSet> {
  return Object.fromEntries(resources.map(({ name, digest }) => [name ?? "", { ...digest }]));
}
