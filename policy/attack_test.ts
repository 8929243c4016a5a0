import { strictEqual as equal } from "node:assert/strict";
import { describe, it } from "node:test";
import type { JsonObject } from "../internal/json.ts";
import {
  artifact,
  attestation,
  holder,
  judge,
  judgeOne,
  KEYS,
  policyOf,
  PROVENANCE,
  SHA,
  signer,
} from "./_fixtures_test.ts";
import type { CrossRule, PolicyDocument, Requirement, Waiver } from "./document.ts";
import type { EvidenceAttestation } from "./evidence.ts";
import { importPolicy } from "./import.ts";

const alice = await signer("alice");
const bob = await signer("bob");
const stranger = holder("https://stranger.example/ci");
const A = "https://a.example/a";
const B = "https://a.example/b";
const BASE = "pkg:oci/base@1";

function waiver(rule: string, reasons?: string[]): Waiver {
  return {
    rule,
    artifact: { name: "app" },
    reason: "A ticket",
    owner: "security",
    until: "2026-12-31T00:00:00Z",
    ...(reasons === undefined ? {} : { reasons }),
  };
}

function built(dependencies: JsonObject[], more: JsonObject = {}): JsonObject {
  return {
    buildDefinition: {
      buildType: "https://x.example/build",
      externalParameters: { a: 1 },
      resolvedDependencies: dependencies,
      ...more,
    },
    runDetails: { builder: { id: "https://x.example/builder" } },
  };
}

async function reasonOf(
  requirement: Partial<Requirement>,
  attestations: EvidenceAttestation[],
  more: Partial<PolicyDocument> = {},
): Promise<string | null> {
  return (await judgeOne(requirement, attestations, more)).errorReason;
}

describe("a waiver for some reasons", () => {
  const bad = { path: "/predicate/ok", equals: true, id: "ok" };
  const other = { path: "/predicate/n", semver: ">=1.0.0", id: "n" };

  it("covers no failure of another reason in the same requirement", async () => {
    const waivers = [waiver("release/signed", ["condition-not-met"])];
    const require = { predicate: { where: [bad, other] } };
    const of = (predicate: JsonObject) =>
      reasonOf(require, [attestation([alice], predicate)], { waivers });
    equal(await of({ ok: false, n: "1.0.0" }), null);
    equal(await of({ ok: false, n: "none" }), "condition-not-met");
  });

  it("of a rule covers no other requirement", async () => {
    const policy = policyOf({
      require: [
        { id: "a", predicate: { where: [bad] } },
        { id: "b", statement: { predicateTypes: [B] } },
      ],
    }, { waivers: [waiver("release", ["condition-not-met"])] });
    const first = attestation([alice], { ok: false });
    const of = async (all: EvidenceAttestation[]) => (await judge(policy, [artifact(all)])).ok;
    equal(await of([first]), false);
    equal(await of([first, attestation([alice], { ok: true }, { predicateType: B })]), true);
  });

  it("covers one attestation of several, but each where all have to hold", async () => {
    const waivers = [waiver("release/signed", ["condition-not-met"])];
    const predicate = { where: [bad, other] };
    const all = [
      attestation([alice], { ok: true, n: "0.1.0" }),
      attestation([alice], { ok: "false", n: "1.0.0" }),
    ];
    equal(await reasonOf({ predicate }, all, { waivers }), null);
    equal(await reasonOf({ predicate }, [all[0], attestation([stranger])], { waivers }), null);
    const strict = await reasonOf({ predicate, conflict: "all" }, all, { waivers });
    equal(strict, "condition-not-met");
  });
});

describe("provenance with a sourceUri and no signedBy", () => {
  const predicate = { provenance: { sourceUri: "https://github.com/acme/app" } };
  const predicateType = PROVENANCE;
  const says = built([], {
    buildType: "https://slsa-framework.github.io/github-actions-buildtypes/workflow/v1",
    externalParameters: {
      workflow: {
        repository: "https://github.com/acme/app",
        path: ".github/workflows/x.yml",
        ref: "refs/heads/main",
      },
    },
  });

  it("is no stranger's, whatever of the builder is waived", async () => {
    for (const check of ["predicate.builder", "predicate.shape", "predicate.provenance"]) {
      const waivers = [waiver(`release/signed/${check}`)];
      const statement = check === "predicate.builder" ? says : {};
      const by = (who: typeof alice) =>
        reasonOf({ predicate }, [attestation([who], statement, { predicateType })], { waivers });
      equal(await by(stranger) === null, false, check);
      if (check === "predicate.builder") equal(await by(stranger), "signer-mismatch");
      if (check !== "predicate.provenance") equal(await by(alice), null, check);
    }
  });
});

describe("a rule across", () => {
  const require = [
    { id: "a", statement: { predicateTypes: [A] }, envelope: { algorithms: ["Ed25519"] } },
    { id: "b", statement: { predicateTypes: [B] } },
  ];
  const across = async (rule: Omit<CrossRule, "id">, all: EvidenceAttestation[]) => {
    const policy = policyOf({ require, across: [{ id: "x", ...rule } as CrossRule] });
    return (await judge(policy, [artifact(all)])).artifacts[0].errorReason;
  };

  it("counts no signer whose algorithm does not", async () => {
    const weak = { ...bob, algorithm: "ES256" };
    const b = attestation([alice], {}, { predicateType: B });
    const signers = { of: ["a", "b"], min: 2 };
    const of = (other: typeof alice) =>
      across({ signers }, [attestation([alice, other], {}, { predicateType: A }), b]);
    equal(await of(weak), "insufficient-signers");
    equal(await of(bob), null);
  });

  it("takes no numbers for equal that JSON does not keep, and nothing for a value", async () => {
    const equalFields = ["a", "b"].map((requirement) => ({ requirement, path: "/predicate/n" }));
    const of = (text: string, other: string) =>
      across({ equal: equalFields }, [
        attestation([alice], JSON.parse(text), { predicateType: A }),
        attestation([alice], JSON.parse(other), { predicateType: B }),
      ]);
    equal(await of('{"n":9007199254740993}', '{"n":9007199254740992}'), "condition-error");
    equal(await of('{"n":null}', '{"n":null}'), "condition-error");
    equal(await of('{"n":7}', '{"n":7}'), null);
  });
});

describe("a chain", () => {
  const policy = {
    type: "attest-policy/v1",
    trust: { keys: { alice: { publicKey: KEYS.alice } } },
    rules: [
      {
        id: "app",
        select: { name: "app" },
        require: [{ id: "p", statement: { predicateTypes: [PROVENANCE] } }],
        across: [{ id: "c", chain: { from: "p", dependency: "pkg:oci/base@**", rule: "base" } }],
      },
      { id: "base", select: { name: "base" }, require: [{ id: "s" }] },
    ],
  };
  const of = async (dependencies: JsonObject[], digest: Record<string, string>) => {
    const app = attestation([alice], built(dependencies), { predicateType: PROVENANCE });
    const base = artifact([attestation([alice])], { artifact: "base", digest });
    return (await judge(policy, [artifact([app]), base])).errorReason;
  };
  const sha512 = "d".repeat(128);

  it("leads to no artifact that another digest contradicts", async () => {
    const digest = { sha256: SHA, sha512 };
    equal(await of([{ uri: BASE, digest }], digest), null);
    const other = { sha256: "c".repeat(64), sha512 };
    equal(await of([{ uri: BASE, digest: other }], digest), "chain-not-met");
  });

  it("knows nothing by a weak digest or one that nobody has heard of", async () => {
    const sha1 = "b".repeat(40);
    equal(await of([{ uri: BASE, digest: { sha1 } }], { sha256: SHA, sha1 }), "chain-not-met");
    const own = { checksum: "1" };
    equal(await of([{ uri: BASE, digest: own }], { sha256: SHA, ...own }), "chain-not-met");
  });

  it("misses no dependency by the spelling of its package URL", async () => {
    const good = { uri: BASE, digest: { sha256: SHA } };
    const bad = { uri: "PKG:oci/base@2", digest: { sha256: "c".repeat(64) } };
    equal(await of([good], { sha256: SHA }), null);
    equal(await of([good, bad], { sha256: SHA }), "chain-not-met");
  });
});

describe("dependencies", () => {
  const digest = { sha256: SHA };
  const of = (rule: object, uri: string) =>
    reasonOf({ predicate: { dependencies: rule } }, [
      attestation([alice], built([{ uri, digest }]), { predicateType: PROVENANCE }),
    ]);

  it("are not allowed by an address that leads elsewhere", async () => {
    const allowed = ["https://github.com/acme/**", "https://*.acme.example/**"];
    for (
      const uri of [
        "https://github.com/acme/x%2f..%2f..%2fevil",
        "https://github.com/acme/x%5c..%5c..%5cevil",
        "https://github.com/acme/%252e%252e/evil",
        "https://github.com/acme/..;/evil",
        "https://github.com/acme/.\t./evil",
        "https://evil.example?.acme.example/x",
        "https://evil.example#.acme.example/x",
        "https://evil.example\\.acme.example/x",
      ]
    ) equal(await of({ allowed }, uri), "dependency-not-allowed", uri);
    equal(await of({ allowed }, "https://github.com/acme/app?a=b%20c#d..e"), null);
  });

  it("are forbidden however the address is spelled", async () => {
    const forbidden = [
      "https://github.com/evil/**",
      "git+https://github.com/evil/**",
      "pkg:npm/evil@**",
    ];
    for (
      const uri of [
        "HTTPS://GitHub.com/evil/x",
        "git+https://GITHUB.com/evil/x",
        "https://github.com/%65vil/x",
        "https://github.com/ok/../evil/x",
        "https://github.com//evil/x",
        "https://github.com:443/evil/x",
        "https://somebody@github.com/evil/x",
        "git+https://some:body@github.com/evil/x",
        "https://a%5c@github.com/evil/x",
        "https://github.com./evil/x",
        " https://github.com/evil/x",
        "ht\ttps://github.com/evil/x",
        "git+ht\ntps://github.com/evil/x",
        "PKG:npm/%65vil@1",
      ]
    ) equal(await of({ forbidden }, uri), "forbidden-dependency", uri);
    const others = [
      "https://github.com/ok/evil",
      "https://github.com.example/evil/x",
      "https://github.com@other.example/evil/x",
      "https://",
      "https://[",
      "https://a b/evil",
    ];
    for (const uri of others) equal(await of({ forbidden }, uri), null, uri);
  });

  it("are not pinned by a digest that is none", async () => {
    const bom = (content: string) => ({
      bomFormat: "CycloneDX",
      components: [{ name: "x", hashes: [{ alg: "SHA-256", content }] }],
    });
    const pinned = (content: string) =>
      reasonOf({ predicate: { dependencies: { digests: ["sha256"] } } }, [
        attestation([alice], bom(content)),
      ]);
    equal(await pinned(SHA), null);
    equal(await pinned(""), "unpinned-dependency");
  });
});

describe("an SBOM", () => {
  const of = (sbom: object, predicate: unknown) =>
    reasonOf({ predicate: { sbom } }, [attestation([alice], predicate as JsonObject)]);
  const bom = (components: unknown, more: object = {}) => ({
    bomFormat: "CycloneDX",
    components,
    ...more,
  });
  const evil = { name: "evil", version: "1.0.0", purl: "pkg:npm/evil@1.0.0" };

  it("hides no version in another member, or by leaving it out", async () => {
    const forbidden = ["pkg:npm/evil@1.0.0"];
    equal(await of({ forbidden }, bom([{ ...evil, purl: "pkg:npm/evil" }])), "forbidden-package");
    const unknown = { name: "evil", purl: "pkg:npm/evil" };
    equal(await of({ forbidden }, bom([unknown])), "forbidden-package");
    equal(await of({ forbidden }, bom([{ ...unknown, version: "1.0.1" }])), null);
    equal(await of({ required: forbidden }, bom([unknown])), "missing-package");
    equal(await of({ required: forbidden }, bom([{ name: "evil" }])), "missing-package");
    equal(await of({ required: ["pkg:npm/%40a/b"] }, bom([{ name: "b" }])), "missing-package");
    equal(await of({ required: forbidden }, bom([evil])), null);
  });

  it("that is two, or has lists of another form, is not judged", async () => {
    const forbidden = ["pkg:npm/evil"];
    const good = { name: "good" };
    for (
      const predicate of [
        bom([good], { spdxVersion: "SPDX-2.3", packages: [{ name: "evil" }] }),
        bom([evil], { Data: bom([good]) }),
        bom({ 0: evil }),
        bom([[evil], good]),
        bom([good, { name: "x", components: evil }]),
        bom([{ name: "x", purl: [evil.purl] }]),
      ]
    ) equal(await of({ forbidden }, predicate), "condition-error");
    equal(await of({ forbidden }, bom([good])), null);
    equal(await of({ forbidden }, { Data: bom([evil]) }), "forbidden-package");
  });

  it("lists what lies in the component that it is about", async () => {
    const metadata = { component: { name: "app", components: [evil] } };
    const predicate = bom([{ name: "good" }], { metadata });
    equal(await of({ forbidden: ["pkg:npm/evil"] }, predicate), "forbidden-package");
  });
});

describe("a selector by name", () => {
  it("is not got round by dots in a path", async () => {
    const policy = {
      type: "attest-policy/v1",
      unselected: "pass",
      trust: { keys: { alice: { publicKey: KEYS.alice }, bob: { publicKey: KEYS.bob } } },
      rules: [
        {
          id: "strict",
          select: { name: ["app-*", "../app-*", "/app-*"] },
          require: [{ id: "s", envelope: { signedBy: { of: ["alice"] } } }],
        },
        {
          id: "lax",
          select: { name: "lax/**" },
          require: [{ id: "s", envelope: { signedBy: { of: ["bob"] } } }],
        },
      ],
    };
    const of = async (name: string) =>
      (await judge(policy, [artifact([attestation([bob])], { artifact: name })])).errorReason;
    for (
      const name of [
        "app-1",
        "./app-1",
        "././app-1",
        "x/../app-1",
        "lax/../app-1",
        "x/../../app-1",
        "/../app-1",
      ]
    ) equal(await of(name), "signer-mismatch", name);
    equal(await of("lax/./app-1"), null);
  });
});

describe("importPolicy() of several ClusterImagePolicies", () => {
  it("leaves no images to the others where a policy has no signer that can be used", async () => {
    const one = (name: string, glob: string, key: JsonObject) => ({
      kind: "ClusterImagePolicy",
      metadata: { name },
      spec: { images: [{ glob }], authorities: [{ key }] },
    });
    const { document } = importPolicy({
      kind: "cluster-image-policy",
      documents: [
        one("all", "**", { data: KEYS.alice }),
        one("prod", "ghcr.io/acme/prod", { kms: "gcpkms://projects/x" }),
      ],
    });
    const signed = attestation([alice], {}, {
      predicateType: "https://sigstore.dev/cosign/sign/v1",
    });
    const of = async (ociRepository: string) =>
      (await judge(document, [artifact([signed], { ociRepository })])).errorReason;
    equal(await of("ghcr.io/acme/test"), null);
    equal(await of("ghcr.io/acme/prod"), "condition-not-met");
  });
});
