import type { CompiledPolicy } from "./compiled.ts";
import type { Requirement } from "./document.ts";
import { envelopeLeaves } from "./envelope_leaves.ts";
import type { AddLeaf, Leaf } from "./finding.ts";
import { predicateLeaves } from "./predicate_leaves.ts";
import { statementLeaves } from "./statement_leaves.ts";

/** Everything that a requirement asks of one attestation, in the order of the layers. */
export function requirementLeaves(
  requirement: Requirement,
  prefix: string,
  policy: CompiledPolicy,
): Leaf[] {
  const leaves: Leaf[] = [];
  const add: AddLeaf = (check, judge) => {
    const layer = check.slice(0, check.indexOf(".")) as Leaf["layer"];
    const leaf: Leaf = {
      id: `${prefix}/${check}`,
      layer,
      judge: (attestation, context) => judge(leaf, attestation, context),
    };
    leaves.push(leaf);
  };
  envelopeLeaves(requirement, policy, add);
  statementLeaves(requirement.statement ?? {}, add);
  predicateLeaves(requirement, policy, add);
  return leaves;
}
