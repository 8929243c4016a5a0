import {
  deepStrictEqual as deepEqual,
  ok,
  rejects,
  strictEqual as equal,
  throws,
} from "node:assert/strict";
import { describe, it } from "node:test";
import { createEnvelope } from "../dsse/sign.ts";
import { isAttestationError, type Reason } from "../errors.ts";
import { validateStatement } from "../intoto/statement.ts";
import { generateSigner } from "../keys/signer.ts";
import {
  createProvenancePayload,
  findProvenancePayload,
  type ProvenancePayload,
  upgradeProvenancePayload,
  validateProvenance,
} from "./ossp.ts";
import { parseProvenance } from "./provenance.ts";

const COMMIT = "c".repeat(40);
const PAYLOAD = createProvenancePayload({
  builderId: "ci",
  commit: COMMIT,
  materials: [{ uri: "pkg:npm/a@1" }, "src/main.ts"],
  timestamp: new Date("2026-01-01T00:00:00Z"),
  buildTool: "make",
  inputs: [{ name: "main.ts" }],
  outputs: [{ name: "app.tgz" }],
});
const TYPE = "application/vnd.in-toto+json";
const key = generateSigner("ES256");

async function reasonOf(payload: object, type = TYPE): Promise<Reason | null> {
  const { signer, publicKey } = await key;
  const envelope = await createEnvelope(type, payload, signer);
  return (await validateProvenance(envelope, { pubkey: publicKey, alg: "ES256" })).errorReason;
}

function refused(action: () => unknown, reason: Reason): void {
  throws(action, (error: unknown) => isAttestationError(error) && error.reason === reason, reason);
}

describe("validateProvenance()", () => {
  it("accepts what createProvenancePayload() makes, and gives the payload", async () => {
    const { signer, publicKey } = await key;
    const envelope = await createEnvelope(TYPE, PAYLOAD, signer);
    const result = await validateProvenance(envelope, { pubkey: publicKey, alg: "ES256" });
    ok(result.ok);
    deepEqual(result.payload, PAYLOAD);
    equal(await reasonOf({ builder: { id: "a" }, materials: [], metadata: { commit: "b" } }), null);
  });

  it("names what is missing: builder, then materials, then commit", async () => {
    const { builder: _b, ...noBuilder } = PAYLOAD;
    const { materials: _m, ...noMaterials } = PAYLOAD;
    const { metadata: _d, ...noMetadata } = PAYLOAD;
    equal(await reasonOf({}), "missing-builder-id");
    equal(await reasonOf(noBuilder), "missing-builder-id");
    equal(await reasonOf(noMaterials), "missing-materials");
    equal(await reasonOf(noMetadata), "missing-commit");
    for (const id of [null, "", undefined]) {
      equal(await reasonOf({ ...PAYLOAD, builder: { id } }), "missing-builder-id");
    }
    equal(await reasonOf({ ...PAYLOAD, materials: null }), "missing-materials");
    for (const commit of [null, "", undefined]) {
      equal(await reasonOf({ ...PAYLOAD, metadata: { commit } }), "missing-commit");
    }
  });

  it("refuses members of the wrong type", async () => {
    for (
      const changes of [
        { builder: { id: 5 } },
        { materials: {} },
        { metadata: { commit: 5 } },
        { metadata: { commit: "a", timestamp: 5 } },
        { buildType: 5 },
        { inputs: {} },
        { outputs: [{}] },
        { outputs: [{ name: 5 }] },
        { inputs: [null] },
        { outputs: ["app.tgz"] },
      ]
    ) equal(await reasonOf({ ...PAYLOAD, ...changes }), "malformed-predicate");
    equal(await reasonOf([]), "malformed-predicate");
  });

  it("refuses another key, another payload and another type", async () => {
    const { signer, publicKey } = await key;
    const other = await generateSigner("ES256");
    const envelope = await createEnvelope(TYPE, PAYLOAD, signer);
    const trust = { pubkey: publicKey, alg: "ES256" as const };
    equal(
      (await validateProvenance(envelope, { ...trust, pubkey: other.publicKey })).errorReason,
      "invalid-signature",
    );
    const forged = await createEnvelope(TYPE, { ...PAYLOAD, builder: { id: "evil" } }, signer);
    const mixed = { ...envelope, payload: forged.payload };
    equal((await validateProvenance(mixed, trust)).errorReason, "invalid-signature");
    equal(await reasonOf(PAYLOAD, "text/plain"), "unsupported-payload-type");
    const typed = await createEnvelope("text/plain", PAYLOAD, signer);
    ok((await validateProvenance(typed, { ...trust, payloadTypes: ["text/plain"] })).ok);
    equal((await validateProvenance("{", trust)).errorReason, "malformed-json");
    equal((await validateProvenance(envelope, { pubkey: "x" })).ok, false);
  });
});

describe("validateProvenance(), asked wrongly", () => {
  it("believes the key for the algorithm that is named only", async () => {
    const { signer, publicKey } = await key;
    const envelope = await createEnvelope(TYPE, PAYLOAD, signer);
    for (const alg of ["ES384", "Ed25519", "RS256"] as const) {
      equal((await validateProvenance(envelope, { pubkey: publicKey, alg })).ok, false, alg);
    }
    ok((await validateProvenance(envelope, { pubkey: publicKey })).ok);
  });

  it("throws for a mistake of who asks, in place of refusing what is asked about", async () => {
    const { signer, publicKey } = await key;
    const envelope = await createEnvelope(TYPE, PAYLOAD, signer);
    const wrong: object[] = [{ algorithm: "ES256" }, { payloadType: TYPE }, { payloadTypes: 5 }];
    for (const options of wrong) {
      await rejects(
        validateProvenance(envelope, { pubkey: publicKey, ...options }),
        TypeError,
        JSON.stringify(options),
      );
    }
  });
});

describe("findProvenancePayload()", () => {
  const find = (text: string) => findProvenancePayload(new TextEncoder().encode(text));

  it("finds the minimal payload", () => {
    deepEqual(find(JSON.stringify(PAYLOAD)), PAYLOAD);
  });

  it("finds none in anything else, a Statement least of all", () => {
    const { metadata: _, ...without } = PAYLOAD;
    const others = [
      JSON.stringify({ ...PAYLOAD, subject: [] }),
      JSON.stringify({ ...PAYLOAD, subject: null }),
      JSON.stringify(without),
      JSON.stringify([PAYLOAD]),
      "null",
      "5",
      "{}",
      "{",
      "",
    ];
    for (const text of others) equal(find(text), undefined, text);
  });
});

describe("createProvenancePayload()", () => {
  it("cannot make an invalid one", () => {
    const good = { builderId: "ci", commit: "abc123", materials: [] };
    refused(() => createProvenancePayload({ ...good, builderId: "" }), "missing-builder-id");
    refused(() => createProvenancePayload({ ...good, commit: "" }), "missing-commit");
    const without = { builderId: "ci", commit: "abc123" } as unknown as typeof good;
    refused(() => createProvenancePayload(without), "missing-materials");
    throws(() => createProvenancePayload({ ...good, builder: "x" } as typeof good), TypeError);
    throws(
      () => createProvenancePayload({ ...good, timestamp: new Date(Number.NaN) }),
      TypeError,
    );
  });

  it("is no Statement to anybody else", () => {
    deepEqual(validateStatement(PAYLOAD).map(({ path }) => path), [
      "/subject",
      "/predicateType",
      "/predicate",
    ]);
  });
});

describe("upgradeProvenancePayload()", () => {
  const digests = { "app.tgz": { sha256: "a".repeat(64) } };

  it("makes provenance v1 of the outputs whose digests are given", () => {
    const statement = upgradeProvenancePayload(PAYLOAD, { digests, sourceUri: "github.com/a/b" });
    deepEqual(statement.subject, [{ name: "app.tgz", digest: digests["app.tgz"] }]);
    const provenance = parseProvenance(statement);
    equal(provenance.builderId, "urn:ossp-v0:builder:ci");
    equal(provenance.buildType, "urn:ossp-v0:build-type:ossp-manifest-v1");
    deepEqual(provenance.externalParameters, { inputs: [{ name: "main.ts" }] });
    deepEqual(provenance.internalParameters, { buildTool: "make" });
    deepEqual(provenance.finishedOn, new Date("2026-01-01T00:00:00Z"));
    deepEqual(provenance.resolvedDependencies, [
      { digest: { gitCommit: COMMIT }, uri: "git+https://github.com/a/b" },
      { uri: "pkg:npm/a@1" },
      { name: "src/main.ts" },
    ]);
    const named = { ...PAYLOAD, builder: { id: "https://ci.example/b" } };
    equal(
      parseProvenance(upgradeProvenancePayload(named, { digests })).builderId,
      "https://ci.example/b",
    );
  });

  it("refuses what cannot be upgraded", () => {
    const upgrade = (changes: Partial<ProvenancePayload>, given: object = { digests }) => () =>
      upgradeProvenancePayload({ ...PAYLOAD, ...changes }, given as { digests: typeof digests });
    refused(upgrade({ outputs: [] }), "missing-legacy-subject");
    refused(upgrade({}, { digests: {} }), "missing-legacy-subject");
    refused(
      upgrade({ outputs: [{ name: "app.tgz" }, { name: "constructor" }] }),
      "missing-legacy-subject",
    );
    refused(upgrade({ metadata: { commit: "abc123" } }), "invalid-digest");
    refused(upgrade({ metadata: { commit: COMMIT, timestamp: "now" } }), "invalid-timestamp");
    refused(upgrade({}, { digests, sourceUri: "app" }), "invalid-uri");
    refused(upgrade({ materials: [5] }), "malformed-resource-descriptor");
    refused(upgrade({ builder: { id: "" } }), "missing-builder-id");
    throws(upgrade({}, { digest: {} }), TypeError);
    throws(upgrade({}, { digests, source: "github.com/acme/app" }), TypeError);
    throws(upgrade({ metadata: { commit: "abc123" } }), { path: "/metadata/commit" });
  });
});
