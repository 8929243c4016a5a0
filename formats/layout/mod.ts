/**
 * Supply chains by in-toto layouts: who may carry out which step, what goes from step to step,
 * and what has to be so in the end.
 *
 * `verifyLayout()` does all of it; what it asks of the outside, links and the running of
 * inspections, comes in as parameters.
 *
 * @module
 */

export type { Layout, LayoutInspection, LayoutItem, LayoutStep } from "./layout.ts";
export type { Artifacts, Link, LinkArtifacts } from "./link.ts";
export type { ArtifactRule, MatchRule, SimpleRule } from "./_rules.ts";
export {
  type Functionary,
  type InspectionRun,
  type LayoutChain,
  type LayoutReport,
  type LayoutResult,
  type LayoutTrust,
  type LinkSource,
  type RefusedLayout,
  type StepReport,
  type VerifiedLayout,
  verifyLayout,
} from "./verify_layout.ts";
