import type { Reason } from "../../errors.ts";
import { utf8 } from "../../internal/bytes.ts";
import { encodeBase64 } from "../../internal/base64.ts";
import type { Json, JsonObject } from "../../internal/json.ts";
import type { Collection, Kind } from "./collection.ts";
import { edited } from "./collection.ts";
import { provenance, STATEMENT_V01, statementAbout } from "./statements.ts";

const SHA256 = "a948904f2f0f479b8f8197694b30184b0d2ed1c1cd2a1ec0fb85d299a192a447";

type Add = (id: string, why: string, content: Json | string, reason?: Reason) => void;

function adder(collection: Collection, kind: Kind, rule: string): Add {
  return (id, why, content, reason) => {
    const path = `${kind}/${id}.json`;
    const statement = typeof content === "string"
      ? collection.file(path, content)
      : collection.json(path, content);
    const about = { id, kind, files: { statement }, why, rule };
    collection.case(reason === undefined ? about : { ...about, reason });
  };
}

/** Statements, resource descriptors and predicates that keep or break one rule each. */
export function addStatements(collection: Collection): void {
  addWholeStatements(adder(collection, "statement", "in-toto attestation v1, statement.md"));
  addDescriptors(
    adder(collection, "resource-descriptor", "in-toto attestation v1, resource_descriptor.md"),
  );
  addProvenance(
    adder(collection, "slsa-provenance-predicate", "SLSA v1.2, build provenance"),
  );
}

function addWholeStatements(add: Add): void {
  const base = statementAbout(utf8("artifact\n"));
  const subject = (member: JsonObject): JsonObject => ({ ...base, subject: [member] });
  const digest = { sha256: SHA256 };
  add("v1", "Statement v1", base);
  add("v0.1", "Statement v0.1", { ...base, _type: STATEMENT_V01 });
  add("unknown-members", "unknown members are ignored", { ...base, type: "x", "https://x": 1 });
  add("empty-predicate", "an empty predicate", { ...base, predicate: {} });
  add("subject-without-name", "v1 asks for no name", subject({ digest }));
  add("same-name-twice", "v1 lets names repeat", {
    ...base,
    subject: [{ name: "_", digest }, { name: "_", digest: { sha256: "0".repeat(64) } }],
  });
  add("own-algorithm", "an algorithm of the producer's own", subject({ digest: { arn: "ARN:1" } }));
  add(
    "upper-case-hex",
    "hex is read in either case",
    subject({ digest: { sha256: SHA256.toUpperCase() } }),
  );
  add("git-sha256", "a git object id of 32 bytes", subject({ digest: { gitCommit: SHA256 } }));

  add("type", "a version that nobody knows", {
    ...base,
    _type: "https://in-toto.io/Statement/v1.0",
  }, "unsupported-statement-type");
  add(
    "type-slash",
    "types are not normalised",
    { ...base, _type: `${base._type}/` },
    "unsupported-statement-type",
  );
  add("type-link", "legacy link", { ...base, _type: "link" }, "unsupported-statement-type");
  add("no-type", "no _type", edited(base, "/_type", undefined), "malformed-statement");
  add("type-number", "_type is a number", { ...base, _type: 1 }, "malformed-statement");
  add("no-subject", "no subject", edited(base, "/subject", undefined), "malformed-statement");
  add("subject-object", "subject is an object", { ...base, subject: {} }, "malformed-statement");
  add("subject-empty", "no subject in the list", { ...base, subject: [] }, "missing-subject");
  add(
    "subject-text",
    "a subject is a text",
    { ...base, subject: ["x"] },
    "malformed-resource-descriptor",
  );
  add(
    "subject-no-digest",
    "a subject without digest",
    subject({ name: "x" }),
    "missing-subject-digest",
  );
  add(
    "subject-empty-digest",
    "an empty digest",
    subject({ name: "x", digest: {} }),
    "missing-subject-digest",
  );
  add("subject-second-no-digest", "the second subject has no digest", {
    ...base,
    subject: [{ digest }, { name: "x" }],
  }, "missing-subject-digest");
  add(
    "digest-number",
    "a digest is a number",
    subject({ digest: { sha256: 1 } }),
    "invalid-digest",
  );
  add(
    "digest-short",
    "a digest too short",
    subject({ digest: { sha256: SHA256.slice(2) } }),
    "invalid-digest",
  );
  add(
    "digest-prefixed",
    "a digest with its algorithm",
    subject({ digest: { sha256: `sha256:${SHA256}` } }),
    "invalid-digest",
  );
  add(
    "digest-base64",
    "a digest in base64",
    subject({ digest: { sha256: encodeBase64(utf8("a".repeat(32))) } }),
    "invalid-digest",
  );
  add(
    "digest-not-hex",
    "a digest that is no hex",
    subject({ digest: { sha256: "z".repeat(64) } }),
    "invalid-digest",
  );
  add(
    "git-length",
    "a git object id of 21 bytes",
    subject({ digest: { gitCommit: "ab".repeat(21) } }),
    "invalid-digest",
  );
  add(
    "no-predicate-type",
    "no predicate type",
    edited(base, "/predicateType", undefined),
    "missing-predicate-type",
  );
  add(
    "predicate-type-empty",
    "an empty predicate type",
    { ...base, predicateType: "" },
    "missing-predicate-type",
  );
  add(
    "predicate-type-number",
    "predicate type is a number",
    { ...base, predicateType: 1 },
    "malformed-statement",
  );
  add(
    "no-predicate",
    "no predicate; widely used validators ask for one",
    edited(base, "/predicate", undefined),
    "missing-predicate",
  );
  add("predicate-text", "predicate is a text", { ...base, predicate: "x" }, "malformed-predicate");
  add(
    "predicate-array",
    "predicate is an array",
    { ...base, predicate: [] },
    "malformed-predicate",
  );
  add(
    "v0.1-no-name",
    "v0.1 asks for names",
    { ...subject({ digest }), _type: STATEMENT_V01 },
    "missing-subject-name",
  );
  add("v0.1-same-name", "v0.1 asks for unique names", {
    ...base,
    _type: STATEMENT_V01,
    subject: [{ name: "_", digest }, { name: "_", digest: { sha256: "0".repeat(64) } }],
  }, "duplicate-subject-name");
  add("array", "an array", [base], "malformed-statement");
}

function addDescriptors(add: Add): void {
  const digest = { sha256: SHA256 };
  add("uri", "a URI alone", { uri: "pkg:npm/app@1.0.0" });
  add("digest", "a digest alone", { digest });
  add("content", "content alone", { content: encodeBase64(utf8("content")) });
  add("everything", "every member", {
    name: "app.tgz",
    uri: "https://example.com/app.tgz",
    digest,
    content: encodeBase64(utf8("content")),
    downloadLocation: "https://example.com/app.tgz",
    mediaType: "application/gzip",
    annotations: { a: [1, null] },
  });
  add("snake-case", "names of the protobuf definition are unknown members", {
    digest,
    download_location: 1,
  });
  add("empty", "nothing", {}, "empty-resource-descriptor");
  add("download-location", "where it is does not say what it is", {
    downloadLocation: "https://example.com/a",
  }, "empty-resource-descriptor");
  add("array", "an array", [], "malformed-resource-descriptor");
  add("name-number", "name is a number", { digest, name: 1 }, "malformed-resource-descriptor");
  add("uri-number", "uri is a number", { digest, uri: 1 }, "malformed-resource-descriptor");
  add(
    "media-type-number",
    "mediaType is a number",
    { digest, mediaType: 1 },
    "malformed-resource-descriptor",
  );
  add(
    "annotations-array",
    "annotations is an array",
    { digest, annotations: [] },
    "malformed-resource-descriptor",
  );
  add("digest-array", "digest is an array", { digest: [] }, "malformed-resource-descriptor");
  add(
    "digest-length",
    "a SHA-1 of SHA-256's length",
    { digest: { sha1: SHA256 } },
    "invalid-digest",
  );
  add("content-base64", "content that is no base64", { content: "a b" }, "invalid-base64");
}

function addProvenance(add: Add): void {
  const base = provenance();
  add("workflow", "what the attest action of GitHub writes", base);
  add(
    "all-members",
    "every member",
    edited(base, "/runDetails", {
      builder: {
        id: "https://builder.example/v1",
        version: { runner: "1.2.3" },
        builderDependencies: [{ uri: "pkg:docker/builder@1" }],
      },
      metadata: {
        invocationId: "1",
        startedOn: "2025-02-03T10:00:00Z",
        finishedOn: "2025-02-03T10:00:05.123456789Z",
      },
      byproducts: [{ uri: "https://builder.example/log" }],
    }),
  );
  add("extension-fields", "fields of a vendor", edited(base, "/runDetails/metadata/vendor_x", 1));
  for (
    const [id, pointer] of [
      ["no-build-definition", "/buildDefinition"],
      ["no-build-type", "/buildDefinition/buildType"],
      ["no-external-parameters", "/buildDefinition/externalParameters"],
      ["no-run-details", "/runDetails"],
      ["no-builder", "/runDetails/builder"],
      ["no-builder-id", "/runDetails/builder/id"],
    ]
  ) add(id, `no ${pointer.slice(1)}`, edited(base, pointer, undefined), "missing-predicate-field");
  add(
    "builder-id-empty",
    "an empty builder id",
    edited(base, "/runDetails/builder/id", ""),
    "missing-predicate-field",
  );
  add(
    "external-parameters-empty",
    "empty is the same as absent",
    edited(base, "/buildDefinition/externalParameters", {}),
    "missing-predicate-field",
  );
  for (
    const [id, pointer, value] of [
      ["build-type-number", "/buildDefinition/buildType", 1],
      ["external-parameters-array", "/buildDefinition/externalParameters", [1]],
      ["builder-text", "/runDetails/builder", "x"],
      ["builder-version-number", "/runDetails/builder/version", { runner: 1 }],
      ["dependencies-object", "/buildDefinition/resolvedDependencies", {}],
      ["metadata-array", "/runDetails/metadata", []],
    ] as const
  ) {
    add(
      id,
      `wrong JSON type of ${pointer.slice(1)}`,
      edited(base, pointer, value as Json),
      "malformed-predicate",
    );
  }
  add(
    "dependency-digest",
    "a dependency's digest too short",
    edited(base, "/buildDefinition/resolvedDependencies", [{ digest: { sha256: "ab" } }]),
    "invalid-digest",
  );
  for (
    const [id, value] of [
      ["timestamp-offset", "2025-02-03T10:00:00+00:00"],
      ["timestamp-date", "2025-02-03"],
      ["timestamp-day", "2025-02-30T10:00:00Z"],
      ["timestamp-words", "yesterday"],
    ]
  ) {
    add(
      id,
      `a time that is not RFC 3339 in UTC: ${value}`,
      edited(base, "/runDetails/metadata/startedOn", value),
      "invalid-timestamp",
    );
  }
}
