import type { AttestationError } from "../errors.ts";
import { CheckList } from "../internal/check_list.ts";
import { quote } from "../internal/json.ts";
import type { MatchResult } from "../intoto/match.ts";
import type { Statement } from "../intoto/statement.ts";
import type { Check } from "../report.ts";
import type { Context } from "./_envelope_layer.ts";
import type { LoadedAttestation } from "./load.ts";

const IN_TOTO = "application/vnd.in-toto+json";

/** in-toto attestation v1.2, envelope.md: the predicate may be hinted at. */
const DSSE_TYPE = /^application\/vnd\.in-toto(\.[a-z0-9][a-z0-9.-]*)?\+json$/;

/** sigstore/architecture-docs, client-spec.md, 4.5: inside a bundle exactly this. */
const BUNDLE_TYPE = /^application\/vnd\.in-toto\+json$/;

interface EnvelopeType {
  payloadType: string;
  path: string;
  isAccepted: boolean;
}

function envelopeOf(one: LoadedAttestation): EnvelopeType | undefined {
  const isDsse = "envelope" in one;
  const content = "bundle" in one ? one.bundle.content : one;
  if (!("envelope" in content)) return undefined;
  const { payloadType } = content.envelope;
  return {
    payloadType,
    path: one.format === "dsse" ? "/payloadType" : "/dsseEnvelope/payloadType",
    isAccepted: (isDsse ? DSSE_TYPE : BUNDLE_TYPE).test(payloadType),
  };
}

/** The Statement in a payload of its type; nothing is read of one of another type. */
export function statementOf(one: LoadedAttestation): Statement | undefined {
  const stated = "unverifiedStatement" in one ? one.unverifiedStatement : undefined;
  if (stated === undefined || "error" in stated) return undefined;
  return envelopeOf(one)?.isAccepted === false ? undefined : stated.value;
}

/** An attestation that could be read. */
export type Loaded = Exclude<LoadedAttestation, { error: AttestationError }>;

/** A bundle that signs the artifact itself says nothing more about it. */
export function messageLayer({ predicateTypes }: Context): Check[] {
  const list = new CheckList();
  if (predicateTypes !== undefined) {
    const message = "Cannot accept bundle: it signs the artifact itself, without a predicate";
    list.refused("predicate.type", "predicate-type-mismatch", message, {
      expected: predicateTypes.join(" or "),
      actual: "none",
    });
  }
  return list.checks;
}

/** Checks what the payload says it is about, and of which kind it is. */
export function statementLayer(
  one: Loaded,
  { predicateTypes, judge, options }: Context,
  match: ((statement: Statement) => MatchResult) | undefined,
): Check[] {
  const list = new CheckList();
  const { unverifiedStatement: statement } = one;
  if (statement === undefined) return [];
  const envelope = envelopeOf(one);
  if (envelope !== undefined) {
    const { payloadType, isAccepted } = envelope;
    const id = "envelope.payload-type";
    const facts = { expected: IN_TOTO, actual: payloadType, path: envelope.path };
    if (!isAccepted) {
      if (match === undefined && predicateTypes === undefined && judge === undefined) {
        list.skipped("statement.format", `The payload is ${quote(payloadType)}, which is not read`);
      } else {
        const message = `Cannot accept envelope: payloadType is ${quote(payloadType)}`;
        list.refused(id, "unsupported-payload-type", message, facts);
      }
      return list.checks;
    }
    list.passed(id, "The payload is an in-toto Statement", facts);
  }
  if ("error" in statement) {
    list.failed("statement.format", statement.error);
    return list.checks;
  }
  const { value } = statement;
  list.passed("statement.format", "The Statement is well formed", { actual: value._type });
  if (match === undefined) {
    if (options.unsafelyVerifyWithoutArtifact === true) {
      list.skipped("statement.subject", "No artifact is compared, as the caller asked");
    }
  } else {
    const result = match(value);
    if (result.ok) {
      const names = result.matched.slice(0, 4).map(({ subject: { name } }) => quote(name ?? ""));
      list.passed("statement.subject", `Subjects that are the artifact: ${result.matched.length}`, {
        actual: names.join(", "),
        path: `/subject/${result.matched[0].index}`,
      });
    } else {
      list.failed("statement.subject", result.error, {
        expected: result.wanted,
        actual: result.found,
      });
    }
  }
  if (predicateTypes !== undefined) {
    const facts = {
      expected: predicateTypes.join(" or "),
      actual: value.predicateType,
      path: "/predicateType",
    };
    if (predicateTypes.includes(value.predicateType)) {
      list.passed("predicate.type", "The predicate type is as expected", facts);
    } else {
      const message = `Cannot accept predicate: its type is ${quote(value.predicateType)}`;
      list.refused("predicate.type", "predicate-type-mismatch", message, facts);
    }
  }
  return list.checks;
}
