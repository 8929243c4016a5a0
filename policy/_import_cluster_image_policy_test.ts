import { deepStrictEqual as deepEqual, strictEqual as equal } from "node:assert/strict";
import { describe, it } from "node:test";
import { AttestationError } from "../errors.ts";
import type { Json, JsonObject } from "../internal/json.ts";
import { artifact, attestation, ISSUER, judge, KEYS, signer } from "./_fixtures_test.ts";
import { cip, imported, ofSignatures, SIGNATURE } from "./_imports_test.ts";
import type { PolicyRule } from "./document.ts";
import type { NotCarriedOver } from "./import.ts";

const images = [{ glob: "ghcr.io/acme/**" }];
const key = { data: KEYS.alice };
const subject = "https://github.com/acme/app/.github/workflows/r.yml@refs/heads/main";
const keyless = { identities: [{ issuer: ISSUER, subject }] };

function messageOf(...documents: Json[]): string {
  try {
    imported(...documents);
  } catch (error) {
    if (error instanceof AttestationError && error.reason === "malformed-policy") {
      return `${error.path ?? "-"} ${error.message}`;
    }
    throw error;
  }
  return "accepted";
}

function lossesOf(spec: JsonObject): NotCarriedOver[] {
  return imported(cip(spec)).notCarriedOver;
}

function placeholders({ require }: PolicyRule): string[][] {
  return require.map(({ predicate }) =>
    (predicate?.where ?? []).map(({ id, path, equals }) => {
      equal(path, "/_type");
      return `${id}: ${equals}`.replace("replace this condition: ", "");
    })
  );
}

describe("importPolicy() of several ClusterImagePolicies", () => {
  it("makes a rule of each, all of which must be met", () => {
    const found = imported(
      cip({ images, authorities: [{ name: "ci", key }] }),
      cip({ images, authorities: [{ name: "ci", key: { data: KEYS.bob } }] }),
      cip({ images, authorities: [{ key }] }, { name: 7 }),
      cip({ images, authorities: [{ keyless }] }, "text"),
    );
    deepEqual(found.document, {
      type: "attest-policy/v1",
      name: "cluster-image-policy",
      mode: "enforce",
      trust: {
        keys: {
          ci: { publicKey: KEYS.alice, description: found.document.trust?.keys?.ci.description },
          "ci-2": {
            publicKey: KEYS.bob,
            description: found.document.trust?.keys?.["ci-2"].description,
          },
        },
        identities: { authority: { issuer: ISSUER, subjectAlternativeName: subject } },
        roots: ["public-good"],
      },
      selection: "all",
      rules: [["images", "ci"], ["images-2", "ci-2"], ["image", "ci"], ["image-2", "authority"]]
        .map(([id, signer]) => ({
          id,
          select: { oci: ["ghcr.io/acme/**"] },
          require: [{
            id: "signed",
            envelope: { signedBy: { of: [signer] } },
            statement: { predicateTypes: [SIGNATURE] },
          }],
        })),
    });
    deepEqual(
      found.notCarriedOver,
      ofSignatures(4).map((one, i) => ({ ...one, path: `/${i}/spec/authorities/0` })),
    );
  });

  it("reads lists of them", () => {
    const policies = [cip({ images, authorities: [{ key }] }), cip({ images: [], mode: "warn" })];
    const list = (kind: string): Json => ({ apiVersion: "v1", kind, items: policies });
    const [one] = policies;
    const { document, notCarriedOver } = imported(list("List"));
    deepEqual(document, imported(...policies).document);
    deepEqual(notCarriedOver.map(({ path }) => path), [
      "/items/0/spec/authorities/0",
      "/items/1/spec",
      "/spec/mode",
    ]);
    const both = imported(one, list("ClusterImagePolicyList"));
    deepEqual(both.document.rules.map(({ id }) => id), ["images", "images-2"]);
    equal(both.notCarriedOver[1].path, "/1/items/0/spec/authorities/0");
    const odd: Json[] = [{ kind: "List" }, { kind: "Lists", items: policies }];
    for (const one of odd) {
      equal(imported(policies[0], one).notCarriedOver[1].path, "/1/kind");
    }
  });

  it("gives names that ids can have, each once", () => {
    deepEqual(
      imported(cip({ images, authorities: [{ key }] }, null)).document.rules[0].id,
      "image",
    );
    const names = ["across", "**", "", "-a b/c", "a-b-c", "x".repeat(65), "x".repeat(64)];
    const found = imported(
      ...names.map((name) => cip({ images, authorities: [{ key }] }, { name })),
    );
    const x = "x".repeat(64);
    deepEqual(
      found.document.rules.map(({ id }) => id),
      ["image", "image-2", "image-3", "a-b-c", "a-b-c-2", x, `${x}-2`],
    );
  });

  it("lists 10 000 losses, and no more", () => {
    const many = (count: number) => {
      const bad = Array.from({ length: count }, () => ({}));
      const spec = { images: [...images, ...bad], authorities: [{ key }] };
      return imported(cip(spec)).notCarriedOver.length;
    };
    equal(many(9_998), 9_999);
    equal(many(9_999), 10_000);
    equal(many(10_000), 10_000);
  });

  it("is permissive only if all are", () => {
    const modes: [modes: Json[], mode: string, told: number][] = [
      [["warn", "warn"], "permissive", 0],
      [["warn", "enforce"], "enforce", 1],
      [["enforce", "warn"], "enforce", 1],
      [["enforce", "enforce"], "enforce", 0],
    ];
    for (const [all, mode, told] of modes) {
      const found = imported(...all.map((mode) => cip({ images, mode, authorities: [{ key }] })));
      equal(found.document.mode, mode);
      const losses = found.notCarriedOver.filter(({ path }) => path === "/spec/mode");
      deepEqual(
        losses,
        told === 0 ? [] : [
          { path: "/spec/mode", what: "warn", why: "A policy has one mode: enforce for all" },
        ],
      );
    }
    const one = (mode: Json | undefined) => {
      const spec = { images, authorities: [{ key }], ...(mode === undefined ? {} : { mode }) };
      const { document, notCarriedOver } = imported(cip(spec));
      return [document.mode, ...notCarriedOver.filter(({ path }) => path === "/spec/mode")];
    };
    deepEqual(one(undefined), ["enforce"]);
    deepEqual(one("enforce"), ["enforce"]);
    deepEqual(one("warn"), ["permissive"]);
    const told = { path: "/spec/mode", what: "Warn", why: "Unknown; enforce stands" };
    deepEqual(one("Warn"), ["enforce", told]);
  });

  it("leaves out what is no ClusterImagePolicy, and says why nothing is left", () => {
    const found = imported({ kind: "TrustRoot" }, cip({ images, authorities: [{ key }] }));
    equal(found.document.rules.length, 1);
    deepEqual(found.notCarriedOver[0], {
      path: "/0/kind",
      what: "TrustRoot",
      why: "Only ClusterImagePolicy is read; put trusted roots into trust.roots by hand",
    });
    const nothing = "- Cannot import policy: nothing of it can be carried over";
    equal(messageOf(), nothing);
    equal(
      messageOf({ kind: "TrustRoot" }),
      `${nothing} (/kind: Only ClusterImagePolicy is read; put trusted roots into trust.roots ` +
        "by hand)",
    );
    equal(messageOf(cip("text")), `${nothing} (/spec: It is no object)`);
    equal(
      messageOf(cip({ images: {}, authorities: [{ key }] })),
      `${nothing} (/spec: No image pattern is left: the policy is left out)`,
    );
    // A rule without anybody who could meet it is no policy either.
    equal(
      messageOf(cip({ images })),
      `${nothing} (/spec/authorities: None is left; the ` +
        'condition "replace-1" refuses everything until it is replaced)',
    );
    equal(messageOf("text"), " Cannot import policy: it is no object");
    equal(messageOf(null), " Cannot import policy: it is no object");
    equal(messageOf(cip({ images }), []), "/1 Cannot import policy: it is no object");
  });

  it("refuses everything of a policy none of whose authorities is left", () => {
    const { document } = imported(
      cip({ images, authorities: [{ key }] }),
      cip({ images: [{ glob: "ghcr.io/acme/app" }], authorities: [{ static: {} }], later: 1 }, {
        name: "strict",
      }),
    );
    deepEqual(document.rules[1].id, "strict");
    deepEqual(document.rules[1].select, { oci: ["ghcr.io/acme/app"] });
    deepEqual(placeholders(document.rules[1]), [["replace-2: strict", "replace-1: later"]]);
  });

  it("refuses everything, whatever a signer calls an attestation", async () => {
    const found = imported(
      cip({ images, authorities: [{ key }] }),
      cip({ images, authorities: [{ static: {} }] }, { name: "strict" }),
    );
    const alice = await signer("alice");
    const types = [SIGNATURE, "replace this condition: strict"];
    const attestations = types.map((predicateType) => attestation([alice], {}, { predicateType }));
    const evidence = artifact(attestations, { ociRepository: "ghcr.io/acme/app" });
    const [{ rules }] = (await judge(found.document, [evidence])).artifacts;
    deepEqual(rules.map(({ outcome }) => outcome), ["passed", "failed"]);
  });
});

describe("importPolicy() of the authorities of a ClusterImagePolicy", () => {
  it("takes alternatives together only where they ask the same of different signers", () => {
    const plain = { name: "a", key };
    const bob = { name: "b", key: { data: KEYS.bob } };
    const typed = (predicateType: string, more: JsonObject = {}) => ({
      attestations: [{ predicateType, ...more }],
    });
    const together: [JsonObject, JsonObject][] = [
      [plain, bob],
      [{ ...plain, ctlog: {} }, { ...bob, ctlog: { url: "https://rekor.sigstore.dev/" } }],
      [{ ...plain, ...typed("spdx") }, { ...bob, ...typed("https://spdx.dev/Document") }],
    ];
    for (const authorities of together) {
      const [rule] = imported(cip({ images, authorities })).document.rules;
      deepEqual(rule.require.map(({ envelope }) => envelope?.signedBy), [{ of: ["a", "b"] }]);
    }
    const apart: [JsonObject, JsonObject][] = [
      [plain, { ...bob, ctlog: {} }],
      [{ ...plain, ctlog: {} }, bob],
      [plain, { ...bob, ...typed("spdx") }],
      [{ ...plain, ...typed("spdx") }, bob],
      [plain, { ...bob, rfc3161timestamp: {} }],
      [{ ...plain, rfc3161timestamp: {} }, { ...bob, rfc3161timestamp: {} }],
      [{ ...plain, ...typed("spdx") }, { ...bob, ...typed("spdx", { policy: {} }) }],
      [{ ...plain, ...typed("spdx", { policy: {} }) }, { ...bob, ...typed("spdx") }],
      [plain, {
        ...bob,
        attestations: ["spdx", "vuln"].map((predicateType) => ({ predicateType })),
      }],
    ];
    for (const authorities of apart) {
      const { document, notCarriedOver } = imported(cip({ images, authorities }));
      for (const { envelope } of document.rules[0].require) {
        deepEqual(envelope?.signedBy, { of: ["a"] }, JSON.stringify(authorities));
      }
      deepEqual(notCarriedOver.at(-1), {
        path: "/spec/authorities/1",
        what: "b",
        why: "An alternative with attestations of its own: only the first authority is accepted",
      });
    }
  });

  it("asks for the public log, and for no other", () => {
    const logOf = (authority: JsonObject) => {
      const { document } = imported(cip({ images, authorities: [authority] }));
      return [
        document.rules[0].require[0].envelope?.log,
        document.trust?.roots,
        placeholders(document.rules[0])[0].length,
      ];
    };
    const rekor = "https://rekor.sigstore.dev";
    deepEqual(logOf({ key }), [undefined, [], 0]);
    deepEqual(logOf({ key, ctlog: {} }), [1, ["public-good"], 0]);
    deepEqual(logOf({ key, ctlog: { url: rekor } }), [1, ["public-good"], 0]);
    // Certificates have to be in a log in any case.
    deepEqual(logOf({ keyless, ctlog: { url: rekor } }), [undefined, ["public-good"], 0]);
    const others: Json[] = [
      { url: `${rekor}.example` },
      { url: 7 },
      { url: [rekor] },
      { trustRootRef: "own" },
      { url: rekor, trustRootRef: "own" },
      { url: rekor, threshold: 2 },
      rekor,
      [],
    ];
    for (const ctlog of others) deepEqual(logOf({ key, ctlog }), [undefined, [], 1]);
    deepEqual(lossesOf({ images, authorities: [{ key, ctlog: { trustRootRef: "own" } }] })[0], {
      path: "/spec/authorities/0/ctlog",
      what: 'log {"trustRootRef":"own"}',
      why: "A log of one's own is a root of the policy: put it into trust.roots; the condition " +
        '"replace-1" refuses everything until it is replaced',
    });
  });

  it("names requirements after what they ask for", () => {
    const idsOf = (...types: Json[]) => {
      const attestations = types.map((predicateType) => ({ predicateType }));
      const { document } = imported(cip({ images, authorities: [{ key, attestations }] }));
      return document.rules[0].require.map(({ id, statement }) =>
        `${id}: ${statement?.predicateTypes}`
      );
    };
    deepEqual(idsOf("slsaprovenance", "spdx", "spdxjson"), [
      "slsaprovenance: https://slsa.dev/provenance/v0.2",
      "spdx: https://spdx.dev/Document",
      "spdx-2: https://spdx.dev/Document",
    ]);
    deepEqual(
      idsOf("https://acme.example/scan/v1", "https://acme.example/notes/", "urn:acme:v2:review"),
      [
        "scan: https://acme.example/scan/v1",
        "notes: https://acme.example/notes/",
        "review: urn:acme:v2:review",
      ],
    );
    deepEqual(idsOf("v1:v2"), ["attestation: v1:v2"]);
  });

  it("lists what restricts nothing here", () => {
    const spec = {
      images,
      match: [{ resource: "pods" }],
      authorities: [{
        keyless: { ...keyless, insecureIgnoreSCT: true },
        source: [{ oci: "ghcr.io/acme/sigs" }],
        signatureFormat: "bundle",
      }],
    };
    deepEqual(lossesOf(spec), [
      {
        path: "/spec/match",
        what: '[{"resource":"pods"}]',
        why: "Resources of a cluster are not known",
      },
      {
        path: "/spec/authorities/0/keyless/insecureIgnoreSCT",
        what: "true",
        why: "An SCT is asked for: see trust.thresholds.sct",
      },
      {
        path: "/spec/authorities/0/source",
        what: '[{"oci":"ghcr.io/acme/sigs"}]',
        why: "Where attestations lie is not asked",
      },
      ...ofSignatures(1),
    ]);
  });

  it("refuses everything of a member that it does not know, and of a policy", () => {
    const attestation = { name: "bom", predicateType: "spdx" };
    const authority = { key, attestations: [attestation] };
    const cases: [spec: JsonObject, path: string, what: string, why: string][] = [
      [
        { images, authorities: [authority], "un/less": {} },
        "/spec/un~1less",
        "un/less",
        "It is not known",
      ],
      [
        { images, authorities: [{ key, attestations: [{ ...attestation, of: 2 }] }] },
        "/spec/authorities/0/attestations/0/of",
        "of",
        "It is not known",
      ],
      [
        { images, authorities: [{ key, attestations: ["spdx"] }] },
        "/spec/authorities/0/attestations/0/predicateType",
        "predicate type ",
        "It is no known name",
      ],
      [
        { images, authorities: [{ key, attestations: [null] }] },
        "/spec/authorities/0/attestations/0/predicateType",
        "predicate type ",
        "It is no known name",
      ],
      [
        {
          images,
          authorities: [{ key, attestations: [{ ...attestation, policy: { type: "cue" } }] }],
        },
        "/spec/authorities/0/attestations/0/policy",
        '"cue" policy of bom',
        "CUE and Rego are not read",
      ],
      [
        { images, authorities: [authority], policy: { type: 7 } },
        "/spec/policy",
        "unknown policy of images",
        "CUE and Rego are not read",
      ],
      [
        { images, authorities: [authority], policy: null },
        "/spec/policy",
        "unknown policy of images",
        "CUE and Rego are not read",
      ],
    ];
    for (const [spec, path, what, why] of cases) {
      const { document, notCarriedOver } = imported(cip(spec));
      deepEqual(notCarriedOver, [{
        path,
        what,
        why: `${why}; the condition "replace-1" refuses everything until it is replaced`,
      }]);
      deepEqual(placeholders(document.rules[0]), [[`replace-1: ${what}`]]);
    }
  });
});
