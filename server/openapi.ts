import type { Json, JsonObject } from "../internal/json.ts";
import { MAX_URN_LENGTH } from "../internal/urn.ts";
import { VERSION } from "../internal/version.ts";

const ref = (name: string): JsonObject => ({ $ref: `#/components/schemas/${name}` });
const text = (description: string, more: JsonObject = {}): JsonObject => ({
  type: "string",
  description,
  ...more,
});
const count = (description: string): JsonObject => ({ type: "integer", minimum: 0, description });
const object = (
  required: readonly string[],
  properties: Record<string, Json>,
  more: JsonObject = {},
): JsonObject => ({ type: "object", required: [...required], properties, ...more });
const list = (items: Json): JsonObject => ({ type: "array", items });
const nullable = (schema: JsonObject): JsonObject => ({ ...schema, type: ["string", "null"] });

const SHA256 = { pattern: "^sha256:[0-9a-f]{64}$" };
const VERDICT: JsonObject = { enum: ["PASSED", "FAILED"], description: "What was found" };

const FACTS: Record<string, Json> = {
  id: text("SHA-256 of the envelope", SHA256),
  urn: ref("Urn"),
  digest: text("SHA-256 of the canonical card that it is about", SHA256),
  version: count("Version that it was first committed with"),
  format: text("dsse, sigstore-bundle, statement or unknown"),
  payloadType: nullable(text("As the envelope states it")),
  predicateType: nullable(text("As the Statement states it")),
  issuer: nullable(text("Trusted key or identity that signed; null if that was not verified")),
  builder: nullable(text("builder.id; null unless the signature was verified")),
  timestamp: nullable(text("Time of the build; null unless the signature was verified")),
  committedAt: text("When it was committed", { format: "date-time" }),
  buildTool: nullable(text("As the payload states it")),
  inputs: list({}),
  outputs: list({}),
  verdict: VERDICT,
  reason: nullable(text("Why it failed")),
};

const SCHEMAS: Record<string, Json> = {
  Urn: text(
    "One spelling only: urn:, a namespace in lower case, parts of A-Z a-z 0-9 . _ ~ @ + = - " +
      "between colons. A urn that differs from one that is there in case only is refused",
    {
      maxLength: MAX_URN_LENGTH,
      pattern: "^urn:[a-z0-9][a-z0-9-]{0,30}[a-z0-9](:[A-Za-z0-9@_~][A-Za-z0-9._~@+=-]*)+$",
      examples: ["urn:acme:app:1.2.3"],
    },
  ),
  Attestation: {
    description: "A DSSE envelope or a Sigstore bundle, as an object or as its text. One of its " +
      "subjects has the name of the urn, and as sha256 the digest of the canonical card " +
      "(RFC 8785)",
    type: ["object", "string"],
  },
  ManifestRequest: object(["urn", "card"], {
    urn: ref("Urn"),
    card: { type: "object", description: "The manifest; at most 256 KiB" },
    sig: { description: "Kept and given back; never checked; at most 16 KiB" },
    provenance: {
      anyOf: [ref("Attestation"), list(ref("Attestation")), { type: "null" }],
      description: "Attestations; each must be good in the mode enforce",
    },
  }, { additionalProperties: false }),
  ProvenanceSummary: object(["builder", "timestamp", "issuer", "verdict", "attestations"], {
    builder: FACTS.builder,
    timestamp: FACTS.timestamp,
    issuer: FACTS.issuer,
    verdict: VERDICT,
    reason: FACTS.reason,
    attestations: count("How many there are"),
  }),
  ManifestEntry: object(["urn", "version", "revision", "digest", "verdict", "provenance"], {
    urn: ref("Urn"),
    version: count("Number of the newest version"),
    revision: count("Raised with each change"),
    digest: text("SHA-256 of the canonical card", SHA256),
    createdAt: text("When the first version was committed", { format: "date-time" }),
    updatedAt: text("When the last change was committed", { format: "date-time" }),
    verdict: VERDICT,
    reason: FACTS.reason,
    provenance: { anyOf: [ref("ProvenanceSummary"), { type: "null" }] },
  }),
  Manifest: {
    allOf: [
      ref("ManifestEntry"),
      object(["card", "committedAt"], {
        card: { type: "object" },
        sig: {},
        committedAt: text("When this version was committed", { format: "date-time" }),
      }),
    ],
  },
  ManifestList: object(["manifests"], {
    manifests: list(ref("ManifestEntry")),
    cursor: text("Where the next page begins; absent on the last one"),
  }),
  Committed: object(["urn", "digest", "version", "revision", "outcome", "verdict"], {
    urn: ref("Urn"),
    digest: text("SHA-256 of the canonical card", SHA256),
    version: count("Number of the version"),
    revision: count("Revision after the change"),
    outcome: { enum: ["created", "updated", "unchanged"] },
    mode: { enum: ["enforce", "permissive"] },
    verdict: VERDICT,
    reason: FACTS.reason,
    policyDigest: text("SHA-256 of the policy", SHA256),
    attestations: list(object(["id", "verdict"], {
      id: FACTS.id,
      verdict: VERDICT,
      reason: FACTS.reason,
    })),
    report: ref("Report"),
  }),
  ProvenanceRecord: object(["id", "urn", "digest", "committedAt", "issuer", "verdict"], {
    ...FACTS,
    envelope: nullable(text("The attestation, byte for byte")),
  }),
  ProvenanceHistory: object(["urn", "records"], {
    urn: ref("Urn"),
    records: list(ref("ProvenanceRecord")),
    cursor: text("Where the next page begins; absent on the last one"),
  }),
  Versions: object(["urn", "versions"], {
    urn: ref("Urn"),
    versions: list(object(["version", "digest", "committedAt", "actor", "verdict"], {
      version: count("Number"),
      digest: text("SHA-256 of the canonical card", SHA256),
      committedAt: FACTS.committedAt,
      actor: text("Id of the API key"),
      verdict: VERDICT,
      reason: FACTS.reason,
    })),
    cursor: text("Where the next page begins; absent on the last one"),
  }),
  Attestations: object(["attestations"], {
    attestations: list(object(["id", "urn", "digest", "verdict", "bundle"], {
      ...FACTS,
      bundle: { type: ["object", "null"], description: "The attestation, parsed" },
    })),
    cursor: text("Where the next page begins; absent on the last one"),
  }),
  Report: object(["ok", "errorReason", "verificationResult", "attestations", "policy"], {
    ok: { type: "boolean" },
    errorReason: FACTS.reason,
    verificationResult: VERDICT,
    urn: ref("Urn"),
    digest: text("SHA-256 of the canonical card", SHA256),
    time: text("Moment of the verdict", { format: "date-time" }),
    policyDigest: text("SHA-256 of the policy", SHA256),
    attestations: list(object(["source", "id", "ok", "errorReason", "checks"], {
      source: text("Its place in the request"),
      id: FACTS.id,
      format: FACTS.format,
      ok: { type: "boolean" },
      errorReason: FACTS.reason,
      predicateType: text("Of a verified one"),
      signers: list({ type: "string" }),
      checks: list({ type: "object" }),
    })),
    policy: { type: "object", description: "Verdict of the policy, rule by rule" },
  }),
  Problem: object(["reason", "message"], {
    reason: text("A word of the vocabulary of reasons: attest explain REASON"),
    path: text("Where, as a JSON Pointer"),
    message: text("For people"),
  }),
  Refusal: object(["error"], {
    error: text("missing_provenance, invalid_provenance, or the reason with underscores"),
    reason: text("A word of the vocabulary of reasons"),
    path: text("Where, as a JSON Pointer"),
    message: text("For people"),
    problems: list(ref("Problem")),
    report: ref("Report"),
  }),
  DryRun: object(["ok", "wouldAnswer", "problems"], {
    ok: { type: "boolean", description: "PUT would be accepted" },
    wouldAnswer: count("Status that PUT would answer"),
    mode: { enum: ["enforce", "permissive"] },
    problems: list(ref("Problem")),
    report: ref("Report"),
  }),
  Readiness: object(["ready", "status", "database", "policy"], {
    ready: { type: "boolean" },
    status: { enum: ["ok", "degraded", "unavailable"] },
    database: { type: "object" },
    policy: { type: "object", description: "In force, and what is wrong with the newest one" },
  }),
};

const URN: JsonObject = {
  name: "urn",
  in: "path",
  required: true,
  schema: ref("Urn"),
};
const LIMIT: JsonObject = {
  name: "limit",
  in: "query",
  schema: { type: "integer", minimum: 1, maximum: 500 },
};
const CURSOR: JsonObject = { name: "cursor", in: "query", schema: { type: "string" } };
const parameter = (name: string, description: string, schema: JsonObject): JsonObject => ({
  ...{ name, in: "query", description, schema },
});
const header = (name: string, description: string): JsonObject => ({
  ...{ name, in: "header", description, schema: { type: "string" } },
});
const content = (name: string): JsonObject => ({ "application/json": { schema: ref(name) } });
const answer = (description: string, name: string): JsonObject => ({
  description,
  content: content(name),
});
const refusals = (statuses: Record<string, string>): JsonObject =>
  Object.fromEntries(
    Object.entries(statuses).map(([status, description]) => [
      status,
      answer(description, "Refusal"),
    ]),
  );

const READ = { "429": "Too many requests", "503": "The database cannot be asked" };
const WRITE = {
  "400": "Malformed address, urn or body",
  "401": "No API key, or one that is unknown or revoked",
  "403": "The urn is not in the scope of the key",
  "408": "The body did not arrive in time",
  "413": "Too large or too many",
  "415": "Not declared as JSON",
  ...READ,
};
const KEYS: Json = [{ apiKey: [] }, { bearer: [] }];
const BODY: JsonObject = { required: true, content: content("ManifestRequest") };

const PATHS: Record<string, Json> = {
  "/v1/registry": {
    get: {
      operationId: "listManifests",
      summary: "Lists and searches manifests, in the order of their urns",
      parameters: [
        parameter("prefix", "Urns that begin with this", { type: "string" }),
        parameter("q", "Urns that contain this, in any case; slower", { type: "string" }),
        parameter("builder", "builder.id, exact", { type: "string" }),
        parameter("issuer", "Who signed, exact", { type: "string" }),
        parameter("verdict", "What was found", VERDICT),
        parameter("digest", "SHA-256 of the canonical card", text("", SHA256)),
        ...[LIMIT, CURSOR],
      ],
      responses: {
        "200": answer("A page", "ManifestList"),
        ...refusals({ "400": "Bad", ...READ }),
      },
    },
  },
  "/v1/registry/{urn}": {
    get: {
      operationId: "getManifest",
      summary: "A manifest, with the summary of its provenance",
      parameters: [
        URN,
        parameter("version", "An older version", { type: "integer", minimum: 1 }),
        header("if-none-match", "ETag that is known: 304 if it is still the same"),
      ],
      responses: {
        "200": {
          ...answer("The manifest", "Manifest"),
          headers: { etag: { schema: { type: "string" } } },
        },
        "304": { description: "It is as it was" },
        ...refusals({ "400": "Malformed urn", "404": "There is none", ...READ }),
      },
    },
    put: {
      operationId: "putManifest",
      summary: "Puts a manifest with its provenance",
      description: "The same again changes nothing. Without If-Match two changes at the same " +
        "time both become versions, one after the other; with it one of them is refused.",
      security: KEYS,
      parameters: [
        URN,
        header("if-match", "ETag that the manifest must have: 412 if somebody changed it"),
        header("if-none-match", "`*`: 412 if the manifest is there"),
      ],
      requestBody: BODY,
      responses: {
        "200": answer("A new version, more attestations, or nothing new", "Committed"),
        "201": answer("The urn is new", "Committed"),
        ...refusals({
          ...WRITE,
          "409": "The urn looks like one that is there",
          "412": "The manifest was changed by somebody else",
          "422": "missing_provenance, or invalid_provenance with reason and report",
        }),
      },
    },
  },
  "/v1/registry/{urn}/dry-run": {
    post: {
      operationId: "dryRun",
      summary: "What PUT would answer, with all problems at once; nothing is kept",
      security: KEYS,
      parameters: [URN],
      requestBody: BODY,
      responses: { "200": answer("The answer", "DryRun"), ...refusals(WRITE) },
    },
  },
  "/v1/registry/{urn}/provenance": {
    get: {
      operationId: "getProvenance",
      summary: "The attestations of all versions, newest first",
      parameters: [URN, LIMIT, CURSOR],
      responses: {
        "200": answer("A page", "ProvenanceHistory"),
        ...refusals({ "400": "Malformed", "404": "There is none", ...READ }),
      },
    },
  },
  "/v1/registry/{urn}/versions": {
    get: {
      operationId: "getVersions",
      summary: "All versions of a manifest, newest first",
      parameters: [URN, LIMIT, CURSOR],
      responses: {
        "200": answer("A page", "Versions"),
        ...refusals({ "400": "Malformed", "404": "There is none", ...READ }),
      },
    },
  },
  "/v1/registry/{urn}/verdict": {
    get: {
      operationId: "getVerdict",
      summary: "The verdict on what is kept, by the policy in force now",
      parameters: [URN],
      responses: {
        "200": answer("The report", "Report"),
        ...refusals({ "400": "Malformed urn", "404": "There is none", ...READ }),
      },
    },
  },
  "/v1/attestations/{digest}": {
    get: {
      operationId: "findAttestations",
      summary: "Attestations that state a subject with this digest",
      description: "Verify them: what they state is a claim, and the verdict that is given is " +
        "about the manifest that they came with.",
      parameters: [
        {
          name: "digest",
          in: "path",
          required: true,
          description: "alg:value, such as sha256:…",
          schema: { type: "string" },
        },
        LIMIT,
        CURSOR,
      ],
      responses: {
        "200": answer("A page", "Attestations"),
        ...refusals({ "400": "Malformed", ...READ }),
      },
    },
  },
  "/v1/envelopes/{id}": {
    get: {
      operationId: "getEnvelope",
      summary: "An attestation, byte for byte",
      parameters: [{ name: "id", in: "path", required: true, schema: text("", SHA256) }],
      responses: {
        "200": { description: "The bytes", content: { "application/json": {} } },
        ...refusals({ "400": "Malformed", "404": "There is none", ...READ }),
      },
    },
  },
  "/healthz": {
    get: {
      operationId: "health",
      summary: "The process answers",
      responses: { "200": { description: "It does" } },
    },
  },
  "/readyz": {
    get: {
      operationId: "readiness",
      summary: "Database and policy can be used",
      description: "A newer policy that is not good is told as degraded: the last good one " +
        "stays in force.",
      responses: {
        "200": answer("Ready", "Readiness"),
        "503": answer("Not ready", "Readiness"),
      },
    },
  },
  "/metrics": {
    get: {
      operationId: "metrics",
      summary: "Counters of this process for Prometheus",
      responses: { "200": { description: "Text", content: { "text/plain": {} } } },
    },
  },
  "/openapi.json": {
    get: {
      operationId: "openapi",
      summary: "This document",
      responses: { "200": { description: "OpenAPI 3.1", content: { "application/json": {} } } },
    },
  },
  "/docs": {
    get: {
      operationId: "docs",
      summary: "This document, to read",
      responses: { "200": { description: "A page", content: { "text/html": {} } } },
    },
  },
};

/** The API of a registry, OpenAPI 3.1. */
export function openApiDocument(): JsonObject {
  return {
    openapi: "3.1.0",
    info: {
      title: "Provenance registry",
      version: VERSION,
      license: { name: "Apache-2.0", identifier: "Apache-2.0" },
      description: "Keeps manifests that have good provenance, and refuses the others.",
    },
    paths: PATHS,
    components: {
      securitySchemes: {
        apiKey: { type: "apiKey", in: "header", name: "X-API-Key" },
        bearer: { type: "http", scheme: "bearer" },
      },
      schemas: SCHEMAS,
    },
  };
}
