import { AttestationError, type Reason } from "../errors.ts";
import type { JsonObject } from "../internal/json.ts";
import { refuseUnknown } from "../internal/options.ts";
import { refuse } from "../internal/problem.ts";
import { checkDigestSet } from "../intoto/digest_set.ts";
import type { ResourceDescriptor } from "../intoto/resource_descriptor.ts";
import { createStatement, type Statement } from "../intoto/statement.ts";
import { checkProvenance, PROVENANCE_V1, type ProvenanceV1 } from "./provenance_v1.ts";

/** What {@linkcode createProvenance} is made from. */
export interface NewProvenance {
  /** What was built: at least one, each with digests in lowercase hex. */
  subject: readonly ResourceDescriptor[];
  /** URI of the meaning of the parameters. */
  buildType: string;
  /** Parameters from outside, all of them; at least one. */
  externalParameters: JsonObject;
  /** Parameters of the platform; no name of an external one. */
  internalParameters?: JsonObject;
  /** What was fetched for the build. */
  resolvedDependencies?: readonly ResourceDescriptor[];
  /** URI of the builder and its mode. */
  builderId: string;
  /** Version of each component of the builder. */
  builderVersion?: Readonly<Record<string, string>>;
  /** What the builder itself is made of. */
  builderDependencies?: readonly ResourceDescriptor[];
  /** Name of the run, unique for the builder. */
  invocationId?: string;
  /** Start of the run. */
  startedOn?: Date;
  /** End of the run, not before its start. */
  finishedOn?: Date;
  /** What else came out of it. */
  byproducts?: readonly ResourceDescriptor[];
}

const MEMBERS = [
  "subject",
  "buildType",
  "externalParameters",
  "internalParameters",
  "resolvedDependencies",
  "builderId",
  "builderVersion",
  "builderDependencies",
  "invocationId",
  "startedOn",
  "finishedOn",
  "byproducts",
];

const URI = /^[a-z][a-z0-9+.-]*:[^\s\p{C}"<>\\^`{|}]+$/u;

/**
 * Makes a Statement with SLSA provenance v1, as strictly as the specification can be read.
 * Sign it with the builder's own key or identity: its level depends on who signs.
 *
 * Source: SLSA 1.2, build-provenance.md, "Schema".
 *
 * @returns A Statement that shares nothing with what was given.
 * @throws {AttestationError} `missing-predicate-field`, `malformed-predicate` (also a name
 * that is both an internal and an external parameter), `invalid-uri` (`buildType`,
 * `builderId`), `invalid-digest`, `invalid-timestamp` (an end before the start), and what
 * `createStatement()` refuses.
 * @throws {TypeError} If a member is unknown or a time is no valid Date.
 *
 * @example
 * ```ts
 * import { createProvenance, parseProvenance } from "@x/attest/slsa";
 * import assert from "node:assert/strict";
 *
 * const statement = createProvenance({
 *   subject: [{ name: "app.tgz", digest: { sha256: "a".repeat(64) } }],
 *   buildType: "https://ci.example/build/v1",
 *   externalParameters: { ref: "refs/tags/v1.0.0" },
 *   builderId: "https://ci.example/builder",
 *   finishedOn: new Date("2026-01-01T00:00:00Z"),
 * });
 * assert.equal(parseProvenance(statement).builderId, "https://ci.example/builder");
 * ```
 */
export function createProvenance(content: NewProvenance): Statement {
  refuseUnknown(content, MEMBERS, "createProvenance()");
  const { startedOn, finishedOn, internalParameters = {} } = content;
  const metadata = defined({
    invocationId: content.invocationId,
    startedOn: timeOf(startedOn, "startedOn"),
    finishedOn: timeOf(finishedOn, "finishedOn"),
  });
  if (startedOn !== undefined && finishedOn !== undefined && finishedOn < startedOn) {
    throw cannot(
      "invalid-timestamp",
      "/runDetails/metadata/finishedOn",
      "it ends before it starts",
    );
  }
  const predicate = defined({
    buildDefinition: defined({
      buildType: content.buildType,
      externalParameters: content.externalParameters,
      internalParameters: content.internalParameters,
      resolvedDependencies: content.resolvedDependencies,
    }),
    runDetails: defined({
      builder: defined({
        id: content.builderId,
        version: content.builderVersion,
        builderDependencies: content.builderDependencies,
      }),
      metadata: Object.keys(metadata).length === 0 ? undefined : metadata,
      byproducts: content.byproducts,
    }),
  });
  const { subject } = content;
  checkProvenance(predicate, refuse);
  const statement = createStatement({ subject, predicateType: PROVENANCE_V1, predicate });
  const made = statement.predicate as unknown as ProvenanceV1;
  for (const name of Object.keys(internalParameters)) {
    if (!Object.hasOwn(made.buildDefinition.externalParameters, name)) continue;
    throw cannot(
      "malformed-predicate",
      "/buildDefinition/internalParameters",
      "a parameter is both internal and external",
    );
  }
  checkUri(made.buildDefinition.buildType, "/buildDefinition/buildType");
  checkUri(made.runDetails.builder.id, "/runDetails/builder/id");
  checkDigests(made.buildDefinition.resolvedDependencies, "/buildDefinition/resolvedDependencies");
  checkDigests(
    made.runDetails.builder.builderDependencies,
    "/runDetails/builder/builderDependencies",
  );
  checkDigests(made.runDetails.byproducts, "/runDetails/byproducts");
  return statement;
}

function timeOf(time: Date | undefined, name: string): string | undefined {
  if (time === undefined) return undefined;
  if (!(time instanceof Date) || Number.isNaN(time.getTime())) {
    throw new TypeError(`Cannot create provenance: ${name} is no valid Date`);
  }
  const year = time.getUTCFullYear();
  if (year < 0 || year > 9999) {
    throw new TypeError(`Cannot create provenance: the year of ${name} has not four digits`);
  }
  return time.toISOString();
}

function checkUri(text: string, path: string): void {
  if (URI.test(text)) return;
  throw cannot("invalid-uri", path, `${path} is no absolute URI`);
}

function checkDigests(resources: ResourceDescriptor[] | null | undefined, path: string): void {
  (resources ?? []).forEach(({ digest }, index) => {
    if (digest !== undefined) checkDigestSet(digest, path, index, true, refuse);
  });
}

function cannot(reason: Reason, path: string, what: string): AttestationError {
  return new AttestationError(reason, `Cannot create provenance: ${what}`, { path });
}

/** The same object without what is undefined, which JSON cannot say. */
function defined(object: object): object {
  return Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined));
}
