import type { Problem } from "../../errors.ts";
import { isObject, type JsonObject, quote } from "../../internal/json.ts";
import type { Statement } from "../statement.ts";
import { cosignCustomPredicate } from "./cosign_custom.ts";
import { cycloneDxPredicate } from "./cyclonedx.ts";
import type { PredicateKind } from "./kind.ts";
import { legacyLinkPredicate, linkPredicate } from "./link.ts";
import { npmPublishPredicate } from "./npm_publish.ts";
import { openVexPredicate } from "./openvex.ts";
import { referencePredicate } from "./reference.ts";
import { releasePredicate } from "./release.ts";
import { runtimeTracePredicate } from "./runtime_trace.ts";
import { scaiPredicate } from "./scai.ts";
import { spdx3Predicate, spdxPredicate } from "./spdx.ts";
import { svrPredicate } from "./svr.ts";
import { testResultPredicate } from "./test_result.ts";
import { cosignVulnPredicate, vulns01Predicate, vulnsPredicate } from "./vulns.ts";

/** What is known of a `predicateType`. */
export type PredicateLookup =
  | {
    /** There is a kind that reads it. */
    known: true;
    /** As it was asked for. */
    predicateType: string;
    /** Reads, judges and makes it. */
    kind: PredicateKind<object>;
  }
  | {
    /** It is passed through. */
    known: false;
    /** As it was asked for. */
    predicateType: string;
    /** There is none. */
    kind?: undefined;
  };

/** The predicate of a Statement. */
export type ParsedPredicate = PredicateLookup & {
  /** What is said; of a type that is not known, as it is. */
  predicate: object;
};

/** Kinds of predicates by `predicateType`. */
export interface PredicateRegistry {
  /** All kinds, each once. */
  readonly kinds: readonly PredicateKind<object>[];
  /** What is known of a `predicateType`, which is compared as it is. */
  lookup(predicateType: string): PredicateLookup;
  /**
   * Reads the predicate of a Statement: throws an `AttestationError` if it is of a known
   * type and wrong; one of an unknown type is passed through with `known: false`.
   */
  parse(statement: Statement): ParsedPredicate;
  /** Lists everything that is wrong with the predicate of a Statement; none if unknown. */
  validate(statement: Statement): Problem[];
}

/** Kinds of in-toto, cosign, npm, SPDX, CycloneDX and OpenVEX; SLSA has its own. */
export const IN_TOTO_PREDICATES: readonly PredicateKind<object>[] = Object.freeze([
  linkPredicate,
  legacyLinkPredicate,
  scaiPredicate,
  spdxPredicate,
  spdx3Predicate,
  cycloneDxPredicate,
  vulnsPredicate,
  vulns01Predicate,
  cosignVulnPredicate,
  testResultPredicate,
  releasePredicate,
  runtimeTracePredicate,
  referencePredicate,
  npmPublishPredicate,
  svrPredicate,
  openVexPredicate,
  cosignCustomPredicate,
]);

/**
 * A registry of the kinds given; where two read the same type, that of `own` does.
 *
 * @throws {TypeError} If two of `own` read the same type.
 */
export function makeRegistry(
  known: readonly PredicateKind<object>[],
  own: readonly PredicateKind<object>[],
): PredicateRegistry {
  const byType = new Map<string, PredicateKind<object>>();
  for (const kind of own) {
    for (const type of kind.predicateTypes) {
      if (byType.has(type)) throw new TypeError(`Two kinds of predicates read ${quote(type)}`);
      byType.set(type, kind);
    }
  }
  for (const kind of known) {
    for (const type of kind.predicateTypes) if (!byType.has(type)) byType.set(type, kind);
  }
  const lookup = (predicateType: string): PredicateLookup => {
    const kind = byType.get(predicateType);
    return kind === undefined
      ? { known: false, predicateType }
      : { known: true, predicateType, kind };
  };
  return Object.freeze<PredicateRegistry>({
    kinds: [...new Set(byType.values())],
    lookup,
    parse(statement) {
      const found = lookup(statement.predicateType);
      const predicate = found.known ? found.kind.parseStatement(statement) : passed(statement);
      return { ...found, predicate };
    },
    validate(statement) {
      const found = lookup(statement.predicateType);
      return found.known ? found.kind.validateStatement(statement) : [];
    },
  });
}

function passed({ predicate }: Statement): JsonObject {
  return isObject(predicate) ? predicate : {};
}
