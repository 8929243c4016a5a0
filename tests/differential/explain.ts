/** Which known cause a disagreement has. */

/** A question to which we and a peer gave different answers. */
export interface Disagreement {
  peer: string;
  id: string;
  /** What was changed; empty for a bundle as it was made. */
  change: string;
  /** `accepted`, or our reason. */
  ours: string;
  /** `accepted`, or the peer's message. */
  theirs: string;
  bundle: string;
}

/** A cause, and who is right. All patterns that are given must be found. */
export interface Explanation {
  id: string;
  peers?: string[];
  /** `accepted`, or our reasons. */
  ours: string[];
  /** Pattern in the change. */
  change?: string;
  /** Pattern in the id of the question. */
  question?: string;
  /** Pattern in the peer's message. */
  theirs?: string;
  /** Pattern in the bundle. */
  bundle?: string;
  right: "ours" | "theirs" | "both";
  /** Section of the specification. */
  by: string;
  why: string;
}

/** The first explanation that fits. */
export function explain(
  one: Disagreement,
  explanations: readonly Explanation[],
): Explanation | undefined {
  return explanations.find(({ peers, ours, change, question, theirs, bundle }) =>
    (peers === undefined || peers.includes(one.peer)) && ours.includes(one.ours) &&
    fits(change, one.change) && fits(question, one.id) && fits(theirs, one.theirs) &&
    fits(bundle, one.bundle)
  );
}

function fits(pattern: string | undefined, text: string): boolean {
  return pattern === undefined || new RegExp(pattern).test(text);
}
