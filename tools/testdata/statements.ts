import { type Bytes, utf8 } from "../../internal/bytes.ts";
import { encodeHex } from "../../internal/hex.ts";
import type { Json, JsonObject } from "../../internal/json.ts";
import { sha256Of } from "../pki/keys.ts";

/** `_type` of a Statement v1. */
export const STATEMENT_V1 = "https://in-toto.io/Statement/v1";

/** `_type` of a Statement v0.1. */
export const STATEMENT_V01 = "https://in-toto.io/Statement/v0.1";

/** Predicate type of SLSA provenance v1. */
export const PROVENANCE_V1 = "https://slsa.dev/provenance/v1";

/** Commit that everything is built from. */
export const COMMIT = "a8bd4ddd9c2a1f2f3b1c8a6d5e4f3a2b1c0d9e8f";

/** SHA-256 in hex. */
export function sha256Hex(data: Uint8Array): string {
  return encodeHex(sha256Of(data));
}

/** A Statement v1 about one artifact, as JSON. */
export function statementAbout(
  artifact: Uint8Array,
  { name = "artifact.txt", ...changes }: { name?: string } & Record<string, Json | undefined> = {},
): JsonObject {
  const statement: Record<string, Json | undefined> = {
    _type: STATEMENT_V1,
    subject: [{ name, digest: { sha256: sha256Hex(artifact) } }],
    predicateType: "https://example.com/review/v1",
    predicate: { approved: true },
    ...changes,
  };
  return Object.fromEntries(
    Object.entries(statement).filter((entry): entry is [string, Json] => entry[1] !== undefined),
  );
}

/** Payload bytes of some JSON. */
export function payloadOf(value: Json): Bytes {
  return utf8(JSON.stringify(value));
}

/** SLSA provenance v1 as the attest action of GitHub writes it. */
export function provenance(): JsonObject {
  return {
    buildDefinition: {
      buildType: "https://actions.github.io/buildtypes/workflow/v1",
      externalParameters: {
        workflow: {
          ref: "refs/tags/v1.0.0",
          repository: "https://github.com/example/hello",
          path: ".github/workflows/release.yml",
        },
      },
      internalParameters: {
        github: {
          event_name: "push",
          repository_id: "1234567",
          repository_owner_id: "89101112",
          runner_environment: "github-hosted",
        },
      },
      resolvedDependencies: [{
        uri: "git+https://github.com/example/hello@refs/tags/v1.0.0",
        digest: { gitCommit: COMMIT },
      }],
    },
    runDetails: {
      builder: {
        id: "https://github.com/example/hello/.github/workflows/release.yml@refs/tags/v1.0.0",
      },
      metadata: {
        invocationId: "https://github.com/example/hello/actions/runs/4242424242/attempts/1",
      },
    },
  };
}
