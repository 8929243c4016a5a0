import { deepStrictEqual as deepEqual, strictEqual as equal, throws } from "node:assert/strict";
import { test } from "node:test";
import { KEYS } from "./_fixtures_test.ts";
import {
  attestation,
  definePolicy,
  provenance,
  sbom,
  signedBy,
  signedByAtLeast,
  verificationSummary,
  vulnerabilityScan,
} from "./builders.ts";

/** As a person writes it. */
const BY_HAND = `{
  "type": "attest-policy/v1",
  "name": "acme",
  "trust": {
    "keys": { "alice": { "publicKey": ${JSON.stringify(KEYS.alice)} },
              "bob": { "publicKey": ${JSON.stringify(KEYS.bob)} } },
    "identities": { "ci": { "github": { "repository": "acme/app" } } },
    "groups": { "maintainers": ["alice", "bob"] }
  },
  "rules": [{
    "id": "image",
    "select": { "oci": "ghcr.io/acme/**" },
    "require": [
      {
        "id": "built",
        "envelope": { "signedBy": { "of": ["ci"] } },
        "statement": { "predicateTypes": ["https://slsa.dev/provenance/v1"] },
        "predicate": { "provenance": {
          "predicateTypes": ["https://slsa.dev/provenance/v1"],
          "sourceUri": "github.com/acme/app",
          "minLevel": 3
        } }
      },
      {
        "id": "reviewed",
        "envelope": { "signedBy": { "of": ["maintainers"], "threshold": 2 } },
        "statement": { "predicateTypes": ["https://acme.example/review"], "subjects": "exact" }
      },
      {
        "id": "listed",
        "statement": { "predicateTypes": [
          "https://spdx.dev/Document",
          "https://spdx.dev/Document/v2.3",
          "https://spdx.dev/Document/v2.2",
          "https://spdx.dev/Document/v3"
        ] },
        "predicate": { "sbom": { "formats": ["spdx"], "versions": true } },
        "freshness": { "maxAge": "P30D" }
      },
      {
        "id": "scanned",
        "statement": { "predicateTypes": [
          "https://in-toto.io/attestation/vulns/v0.2",
          "https://in-toto.io/attestation/vulns/v0.1",
          "https://cosign.sigstore.dev/attestation/vuln/v1"
        ] },
        "predicate": { "vulnerabilities": { "maxSeverity": "medium" } }
      },
      {
        "id": "verified",
        "statement": { "predicateTypes": ["https://slsa.dev/verification_summary/v1"] },
        "predicate": { "vsa": {
          "verifierId": "https://v.example", "resourceUri": "pkg:npm/a@1.0.0"
        } }
      }
    ]
  }]
}`;

test("definePolicy() gives what is written by hand", () => {
  const policy = definePolicy({
    name: "acme",
    trust: {
      keys: { alice: { publicKey: KEYS.alice }, bob: { publicKey: KEYS.bob } },
      identities: { ci: { github: { repository: "acme/app" } } },
      groups: { maintainers: ["alice", "bob"] },
    },
    rules: [{
      id: "image",
      select: { oci: "ghcr.io/acme/**" },
      require: [
        provenance("built", {
          predicateTypes: ["https://slsa.dev/provenance/v1"],
          sourceUri: "github.com/acme/app",
          minLevel: 3,
        }, { envelope: signedBy("ci") }),
        attestation("reviewed", "https://acme.example/review", {
          envelope: signedByAtLeast(2, "maintainers"),
          statement: { subjects: "exact" },
        }),
        sbom("listed", { formats: ["spdx"], versions: true }, { freshness: { maxAge: "P30D" } }),
        vulnerabilityScan("scanned", { maxSeverity: "medium" }),
        verificationSummary("verified", {
          verifierId: "https://v.example",
          resourceUri: "pkg:npm/a@1.0.0",
        }),
      ],
    }],
  });
  deepEqual(policy, JSON.parse(BY_HAND));
});

test("definePolicy() refuses what cannot be", () => {
  throws(
    () =>
      definePolicy({
        trust: { keys: { alice: { publicKey: KEYS.alice } } },
        rules: [{ id: "a", require: [attestation("b", "spdx")] }],
      }),
    /did you mean https:\/\/spdx\.dev\/Document/,
  );
});

test("sbom() takes the types of each format", () => {
  const { statement } = sbom("a", {});
  equal(statement?.predicateTypes?.includes("https://cyclonedx.org/bom/v1.6"), true);
  equal(sbom("a", { formats: ["spdx"] }).statement?.predicateTypes?.length, 4);
});
