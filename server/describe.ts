import type { Json } from "../internal/json.ts";
import { utf8 } from "../internal/bytes.ts";
import type { DigestSet } from "../intoto/digest_set.ts";
import type { ResourceDescriptor } from "../intoto/resource_descriptor.ts";
import type { Statement } from "../intoto/statement.ts";
import { findProvenancePayload, type ProvenancePayload } from "../slsa/ossp.ts";
import { parseProvenance, type Provenance, PROVENANCE_TYPES } from "../slsa/provenance.ts";
import type { LoadedAttestation } from "../verify/load.ts";

/** What an attestation states, for people and indexes. Nobody has verified it. */
export interface Claims {
  /** Payload type of the envelope. */
  payloadType: string | null;
  /** Predicate type of the Statement. */
  predicateType: string | null;
  /** Digests of the subjects. */
  subjects: readonly DigestSet[];
  /** `builder.id` of provenance. */
  builder: string | null;
  /** Time of the build, RFC 3339. */
  timestamp: string | null;
  /** Tool that built. */
  buildTool: string | null;
  /** What went in. */
  inputs: readonly Json[];
  /** What came out. */
  outputs: readonly Json[];
}

/** Inputs and outputs that are told; the envelope has all of them. */
const MAX_LISTED = 256;

/** What an attestation that was read states. */
export function describeAttestation(loaded: LoadedAttestation): Claims {
  const payloadType = payloadTypeOf(loaded);
  const minimal = minimalPayload(loaded);
  if (minimal !== undefined) return ofMinimal(minimal, payloadType);
  const statement = statementOf(loaded);
  if (statement === undefined) return { ...NOTHING, payloadType };
  const { predicateType, subject } = statement;
  return {
    ...NOTHING,
    payloadType,
    predicateType,
    subjects: subject.flatMap(({ digest }) => digest === undefined ? [] : [digest]),
    outputs: subject.slice(0, MAX_LISTED).map(named),
    ...ofProvenance(provenanceOf(statement)),
  };
}

/** The earlier minimal payload in an envelope, which is about no artifact. */
export function minimalPayload(loaded: LoadedAttestation): ProvenancePayload | undefined {
  return "envelope" in loaded ? findProvenancePayload(loaded.envelope.payload) : undefined;
}

function statementOf(loaded: LoadedAttestation): Statement | undefined {
  if (!("unverifiedStatement" in loaded) || loaded.unverifiedStatement === undefined) {
    return undefined;
  }
  return "value" in loaded.unverifiedStatement ? loaded.unverifiedStatement.value : undefined;
}

const NOTHING: Claims = {
  payloadType: null,
  predicateType: null,
  subjects: [],
  builder: null,
  timestamp: null,
  buildTool: null,
  inputs: [],
  outputs: [],
};

function payloadTypeOf(loaded: LoadedAttestation): string | null {
  if ("envelope" in loaded) return loaded.envelope.payloadType;
  if (!("bundle" in loaded)) return null;
  const { content } = loaded.bundle;
  return content.kind === "envelope" ? content.envelope.payloadType : null;
}

function ofMinimal(payload: ProvenancePayload, payloadType: string | null): Claims {
  const { builder, metadata, inputs = [], outputs = [] } = payload;
  return {
    ...NOTHING,
    payloadType,
    builder: builder.id,
    timestamp: metadata.timestamp ?? null,
    buildTool: metadata.buildTool ?? null,
    inputs: inputs.slice(0, MAX_LISTED).map(({ name }) => ({ name })),
    outputs: outputs.slice(0, MAX_LISTED).map(({ name }) => ({ name })),
  };
}

function provenanceOf(statement: Statement): Provenance | undefined {
  if (!PROVENANCE_TYPES.includes(statement.predicateType)) return undefined;
  try {
    return parseProvenance(statement);
  } catch {
    // What is wrong with it, the verdict tells.
    return undefined;
  }
}

function ofProvenance(
  provenance: Provenance | undefined,
): Partial<Pick<Claims, "builder" | "timestamp" | "buildTool" | "inputs">> {
  if (provenance === undefined) return {};
  const { builderId, startedOn, finishedOn, internalParameters, resolvedDependencies } = provenance;
  const { buildTool } = internalParameters;
  return {
    builder: builderId,
    timestamp: (finishedOn ?? startedOn)?.toISOString() ?? null,
    buildTool: typeof buildTool === "string" ? buildTool : provenance.buildType,
    inputs: resolvedDependencies.slice(0, MAX_LISTED).map(named),
  };
}

/** Name and digest of a resource, without what else a producer may have put there. */
function named({ name, uri, digest }: ResourceDescriptor): Json {
  const listed: Json = {
    ...(name === undefined ? {} : { name }),
    ...(uri === undefined ? {} : { uri }),
    ...(digest === undefined ? {} : { digest: { ...digest } }),
  };
  return utf8(JSON.stringify(listed)).length <= 4096 ? listed : {};
}
