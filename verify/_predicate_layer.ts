import type { Context, EnvelopeLayer } from "./_envelope_layer.ts";
import { type Loaded, statementOf } from "./_statement_layer.ts";
import { notJudged, type PredicateLayer } from "./predicate.ts";

/** What is expected of the predicate, judged by whoever accepted the envelope. */
export function predicateLayer(
  one: Loaded,
  { list, identity, keys }: EnvelopeLayer,
  { judge }: Context,
): PredicateLayer | undefined {
  if (judge === undefined) return undefined;
  const statement = statementOf(one);
  if (statement === undefined) return notJudged(false);
  if (list.error !== undefined) return notJudged(true);
  return judge(statement, { identity, keys });
}
