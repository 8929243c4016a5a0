import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { createEnvelope } from "../../dsse/mod.ts";
import { isAttestationError } from "../../errors.ts";
import { utf8 } from "../../internal/bytes.ts";
import { generateSigner, type TrustedKey } from "../../keys/mod.ts";
import { compilePolicy } from "../../policy/mod.ts";
import {
  BUNDLE,
  cosignLayer,
  cosignTag,
  DSSE,
  IN_TOTO,
  type Layer,
  simpleSigning,
  statementOf,
  TestRepository,
} from "../../tests/fixtures/oci.ts";
import { rootJson, rootOf, theInstance } from "../../tests/fixtures/sigstore.ts";
import { GITHUB_ISSUER, makeBundle, WORKFLOW } from "../../tools/pki/instance.ts";
import type { VerificationReport, VerifyOptions } from "../../verify/mod.ts";
import type { OciDescriptor } from "./source.ts";
import { verifyImage, type VerifyImageOptions } from "./verify_image.ts";

const AMD64 = { os: "linux", architecture: "amd64" };
const ARM64 = { os: "linux", architecture: "arm64" };

/** A bundle about a manifest, as cosign 3 and GitHub push it. */
async function bundle(digest: string, predicateType?: string): Promise<Layer> {
  const json = await makeBundle(await theInstance(), {
    content: { payload: utf8(JSON.stringify(statementOf(digest, predicateType))) },
  });
  return { mediaType: BUNDLE, bytes: utf8(JSON.stringify(json)) };
}

async function oldBundle(digest: string) {
  return await makeBundle(await theInstance(), {
    version: "v0.1",
    content: { payload: utf8(JSON.stringify(statementOf(digest))) },
  });
}

async function attach(repository: TestRepository, about: OciDescriptor, layer?: Layer) {
  const { mediaType, digest, size } = about;
  return repository.push({
    artifactType: BUNDLE,
    layers: [layer ?? await bundle(digest)],
    subject: { mediaType, digest, size },
  });
}

/** An index of two platforms, tagged `1`. */
function multiArch() {
  const repository = new TestRepository();
  const amd64 = repository.image(AMD64), arm64 = repository.image(ARM64);
  const index = repository.index([amd64, arm64], "1");
  return { repository, amd64, arm64, index };
}

async function trust(more: Partial<VerifyOptions> = {}): Promise<VerifyOptions> {
  return {
    trust: { trustedRoots: [await rootOf()], onlyRoot: true },
    expect: { identity: { subjectAlternativeName: WORKFLOW, issuer: GITHUB_ISSUER } },
    ...more,
  };
}

async function run(
  repository: TestRepository,
  options: Omit<VerifyImageOptions, "verify"> = {},
  reference = "1",
  more: Partial<VerifyOptions> = {},
): Promise<VerificationReport> {
  return await verifyImage(repository, reference, { verify: await trust(more), ...options });
}

/** Each artifact by its platform: `ok` or the reason. */
function brief({ artifacts, errorReason }: VerificationReport): string {
  const rows = artifacts.map((row) => `${row.platform ?? "-"} ${row.errorReason ?? "ok"}`);
  return `${errorReason ?? "ok"}: ${rows.join(", ")}`;
}

describe("verifyImage()", () => {
  it("verifies every platform of an index, each by an attestation of its own", async () => {
    const { repository, amd64, arm64, index } = multiArch();
    await attach(repository, amd64);
    await attach(repository, arm64);
    const report = await run(repository);
    assert.equal(brief(report), "ok: linux/amd64 ok, linux/arm64 ok");
    assert.deepEqual(report.artifacts.map(({ digest }) => `sha256:${digest.sha256}`), [
      amd64.digest,
      arm64.digest,
    ]);
    const [image] = report.images!;
    assert.equal(image.digest, index.digest);
    assert.equal(image.requires, "every-platform");
    assert.equal(image.index?.errorReason, "attestation-not-found");
    assert.equal(image.hint, undefined);
    assert.ok(/^oci:\/\/registry\.example\/acme\/app@sha256:[0-9a-f]{64}#1$/.test(
      report.artifacts[0].attestations[0].source,
    ));
  });

  it("names the platform that has none", async () => {
    const { repository, amd64 } = multiArch();
    await attach(repository, amd64);
    const report = await run(repository);
    assert.equal(
      brief(report),
      "attestation-not-found: linux/amd64 ok, linux/arm64 attestation-not-found",
    );
    assert.ok(report.images![0].hint?.includes("linux/arm64"));
    assert.deepEqual(report.artifacts[1].lookups!.map(({ via, outcome }) => `${via} ${outcome}`), [
      "referrers not-found",
      "cosign-attestations not-found",
      "cosign-signatures not-found",
    ]);
  });

  it("asks nothing twice, resolves the tag once, and asks about both platforms at once", async () => {
    const { repository, amd64, arm64 } = multiArch();
    await attach(repository, amd64);
    await attach(repository, arm64);
    await run(repository);
    const { asked } = repository;
    assert.equal(new Set(asked).size, asked.length, asked.join("\n"));
    assert.deepEqual(asked.filter((one) => one.startsWith("resolve")), ["resolve 1"]);
    // Tag, index; of three digests referrers and two tags; of two referrers manifest and blob.
    assert.equal(asked.length, 2 + 3 * 3 + 2 * 2);
    const about = (digest: string) => asked.findIndex((one) => one === `referrers ${digest}`);
    const answered = asked.findIndex((one) => one.startsWith("blob"));
    assert.ok(about(amd64.digest) < answered && about(arm64.digest) < answered);
  });

  it("goes on with the digest when the tag is moved in between", async () => {
    const { repository, amd64, arm64, index } = multiArch();
    await attach(repository, amd64);
    await attach(repository, arm64);
    const evil = repository.image(AMD64, "evil");
    const moved = new Proxy(repository, {
      get(target, name) {
        if (name === "manifest") target.tagged.set("1", evil);
        const value = Reflect.get(target, name, target);
        return typeof value === "function" ? value.bind(target) : value;
      },
    });
    const report = await run(moved);
    assert.equal(report.images![0].digest, index.digest);
    assert.equal(brief(report), "ok: linux/amd64 ok, linux/arm64 ok");
    assert.equal((await run(repository)).ok, false);
  });

  it("verifies what stands alone by its digest", async () => {
    const repository = new TestRepository();
    const image = repository.image(undefined);
    await attach(repository, image);
    const report = await run(repository, {}, image.digest);
    assert.equal(brief(report), "ok: - ok");
    assert.equal(report.images![0].requires, "manifest");
  });

  it("reads the platform of what stands alone from its config", async () => {
    const repository = new TestRepository();
    const image = repository.image(undefined);
    await attach(repository, image);
    const arm64 = await run(repository, { platforms: ["linux/arm64"] }, image.digest);
    assert.equal(brief(arm64), "platform-not-found: linux/arm64 platform-not-found");
    const amd64 = await run(repository, { platforms: ["linux/amd64"] }, image.digest);
    assert.equal(brief(amd64), "ok: linux/amd64 ok");
  });

  it("throws what is wrong with the image itself", async () => {
    const { repository } = multiArch();
    await assert.rejects(run(repository, {}, "2"), { reason: "image-not-found" });
    repository.down = ["resolve"];
    await assert.rejects(run(repository), { reason: "service-unavailable" });
  });

  it("refuses options that nobody reads", async () => {
    const { repository } = multiArch();
    await assert.rejects(run(repository, { platform: "linux/amd64" } as object), TypeError);
    await assert.rejects(run(repository, { inheritFromIndex: "no" as never }), TypeError);
    await assert.rejects(run(repository, { platforms: ["amd64"] }), { reason: "usage" });
  });
});

describe("verifyImage() of platforms", () => {
  it("takes those that are asked for, and misses the others", async () => {
    const { repository, amd64 } = multiArch();
    await attach(repository, amd64);
    assert.equal(
      brief(await run(repository, { platforms: ["linux/amd64"] })),
      "ok: linux/amd64 ok",
    );
    assert.equal(
      brief(await run(repository, { platforms: ["linux/amd64", "linux/s390x"] })),
      "platform-not-found: linux/amd64 ok, linux/s390x platform-not-found",
    );
  });

  it("has variants and versions apart, and takes each where none is asked for", async () => {
    const repository = new TestRepository();
    const v6 = repository.image({ os: "linux", architecture: "arm", variant: "v6" });
    const v7 = repository.image({ os: "linux", architecture: "arm", variant: "v7" });
    repository.index([v6, v7], "1");
    await attach(repository, v7);
    assert.equal(
      brief(await run(repository, { platforms: ["linux/arm/v7"] })),
      "ok: linux/arm/v7 ok",
    );
    assert.equal(
      brief(await run(repository, { platforms: ["linux/arm"] })),
      "attestation-not-found: linux/arm/v6 attestation-not-found, linux/arm/v7 ok",
    );
  });

  it("counts what is unknown/unknown for no platform, and what has none for one", async () => {
    const repository = new TestRepository();
    const amd64 = repository.image(AMD64);
    const unknown = repository.image({ os: "unknown", architecture: "unknown" }, "notes");
    const bare = repository.image(undefined, "bare");
    repository.index([amd64, unknown], "1");
    repository.index([amd64, bare], "2");
    await attach(repository, amd64);
    assert.equal(brief(await run(repository)), "ok: linux/amd64 ok");
    assert.equal(
      brief(await run(repository, {}, "2")),
      "attestation-not-found: linux/amd64 ok, - attestation-not-found",
    );
  });

  it("counts a platform that an annotation hides", async () => {
    const repository = new TestRepository();
    const amd64 = repository.image(AMD64), arm64 = repository.image(ARM64, "evil");
    const annotations = {
      "vnd.docker.reference.type": "attestation-manifest",
      "vnd.docker.reference.digest": amd64.digest,
    };
    repository.index([amd64, { ...arm64, annotations }], "1");
    await attach(repository, amd64);
    assert.equal(
      brief(await run(repository)),
      "attestation-not-found: linux/amd64 ok, linux/arm64 attestation-not-found",
    );
  });

  it("goes into an index in an index, and no deeper", async () => {
    const repository = new TestRepository();
    const amd64 = repository.image(AMD64), arm64 = repository.image(ARM64);
    const inner = repository.index([arm64]);
    const outer = repository.index([amd64, inner], "2");
    repository.index([outer], "3");
    await attach(repository, amd64);
    await attach(repository, arm64);
    assert.equal(brief(await run(repository, {}, "2")), "ok: linux/amd64 ok, linux/arm64 ok");
    await assert.rejects(run(repository, {}, "3"), { reason: "limit-exceeded" });
  });

  it("passes no index that lists nothing", async () => {
    const repository = new TestRepository();
    const index = repository.index([], "1");
    await attach(repository, index);
    assert.equal(brief(await run(repository)), "platform-not-found: - platform-not-found");
    assert.equal(
      brief(await run(repository, { inheritFromIndex: true })),
      "platform-not-found: - platform-not-found",
    );
  });
});

describe("verifyImage() and the index's own attestations", () => {
  it("lets them count only if asked", async () => {
    const { repository, index } = multiArch();
    await attach(repository, index);
    const own = await run(repository);
    assert.equal(own.ok, false);
    assert.equal(own.images![0].index?.ok, true);
    assert.ok(own.images![0].hint?.startsWith("Only the index has attestations (1)"));
    const inherited = await run(repository, { inheritFromIndex: true });
    assert.equal(brief(inherited), "ok: linux/amd64 ok, linux/arm64 ok");
    const [row] = inherited.artifacts[0].attestations;
    assert.equal(row.checks.at(-1)?.id, "statement.inherited");
  });

  it("lets none count that is not accepted", async () => {
    const { repository, index, amd64 } = multiArch();
    await attach(repository, index, await bundle(amd64.digest));
    const report = await run(repository, { inheritFromIndex: true });
    // What is attested of amd64 is so wherever it hangs; arm64 gets nothing of it.
    assert.equal(
      brief(report),
      "attestation-not-found: linux/amd64 ok, linux/arm64 attestation-not-found",
    );
  });

  it("does as the policy says", async () => {
    const { repository, index, amd64 } = multiArch();
    await attach(repository, index);
    const document = async (platforms?: "from-index") => ({
      type: "attest-policy/v1" as const,
      ...(platforms === undefined ? {} : { platforms }),
      trust: {
        identities: { ci: { subjectAlternativeName: WORKFLOW, issuer: GITHUB_ISSUER } },
        roots: [await rootJson()],
      },
      rules: [{
        id: "app",
        require: [{ id: "signed", envelope: { signedBy: { of: ["ci"] } } }],
      }],
    });
    const judge = async (platforms?: "from-index") => {
      const policy = await compilePolicy(await document(platforms));
      return await verifyImage(repository, "1", { verify: { policy } });
    };
    const refused = await judge();
    assert.equal(refused.ok, false);
    assert.equal(refused.policy?.artifacts.length, 2);
    const accepted = await judge("from-index");
    assert.equal(brief(accepted), "ok: linux/amd64 ok, linux/arm64 ok");
    // Somebody's own attestation of a platform takes nothing away.
    const instance = await theInstance();
    const json = await makeBundle(instance, {
      content: { payload: utf8(JSON.stringify(statementOf(amd64.digest))) },
      leaf: { san: { type: "uri", value: "https://elsewhere.example" } },
    });
    await attach(repository, amd64, { mediaType: BUNDLE, bytes: utf8(JSON.stringify(json)) });
    assert.equal(brief(await judge("from-index")), "ok: linux/amd64 ok, linux/arm64 ok");
    const one = await verifyImage(repository, "1", {
      platforms: ["linux/s390x"],
      verify: { policy: await compilePolicy(await document("from-index")) },
    });
    assert.equal(brief(one), "platform-not-found: linux/s390x platform-not-found");
  });
});

describe("verifyImage() of what lies", () => {
  const refused = "attestation-not-found: linux/amd64 attestation-not-found";

  function oneArch() {
    const repository = new TestRepository();
    const amd64 = repository.image(AMD64);
    const index = repository.index([amd64], "1");
    return { repository, amd64, index };
  }

  it("takes no referrer whose subject is another manifest", async () => {
    const { repository, amd64 } = oneArch();
    const other = repository.image(ARM64);
    const { mediaType, size } = other;
    repository.push({
      artifactType: BUNDLE,
      layers: [await bundle(amd64.digest)],
      subject: { mediaType, digest: other.digest, size },
      listedAt: amd64.digest,
    });
    const report = await run(repository);
    assert.equal(brief(report), refused);
    assert.ok(report.artifacts[0].lookups![0].notes?.[0].includes("is about"));
    const none = oneArch();
    none.repository.push({
      artifactType: BUNDLE,
      layers: [await bundle(none.amd64.digest)],
      listedAt: none.amd64.digest,
    });
    assert.equal(brief(await run(none.repository)), refused);
  });

  it("takes no bundle about another platform", async () => {
    const { repository, amd64, arm64 } = multiArch();
    await attach(repository, amd64);
    await attach(repository, arm64, await bundle(amd64.digest));
    assert.equal(
      brief(await run(repository)),
      "subject-mismatch: linux/amd64 ok, linux/arm64 subject-mismatch",
    );
  });

  it("takes no type from an annotation", async () => {
    const { repository, amd64 } = oneArch();
    const predicateType = "https://slsa.dev/provenance/v1";
    const annotations = { "dev.sigstore.bundle.predicateType": predicateType };
    await attach(repository, amd64, { ...await bundle(amd64.digest), annotations });
    const { expect } = await trust();
    const report = await run(repository, {}, "1", { expect: { ...expect, predicateType } });
    assert.equal(
      brief(report),
      "predicate-type-mismatch: linux/amd64 predicate-type-mismatch",
    );
  });

  it("finds a bundle whose listed type is another", async () => {
    const { repository, amd64 } = oneArch();
    const { mediaType, digest, size } = amd64;
    repository.push({
      artifactType: "application/vnd.example.picture",
      layers: [await bundle(digest)],
      subject: { mediaType, digest, size },
    });
    assert.equal(brief(await run(repository)), "ok: linux/amd64 ok");
  });

  it("takes no signature of another image from a tag", async () => {
    const { repository, amd64 } = oneArch();
    const payload = simpleSigning(repository.image(ARM64).digest);
    const json = await makeBundle(await theInstance(), {
      version: "v0.1",
      content: { artifact: payload },
    });
    repository.push({ layers: [cosignLayer(json, payload)], tag: cosignTag(amd64.digest, "sig") });
    assert.equal(brief(await run(repository)), "subject-mismatch: linux/amd64 subject-mismatch");
  });

  it("mixes nothing of two layers", async () => {
    const { repository, amd64 } = oneArch();
    const good = cosignLayer(await oldBundle(amd64.digest));
    const other = cosignLayer(await oldBundle(repository.image(ARM64).digest));
    const bare = { mediaType: DSSE, bytes: good.bytes };
    const evidence = { ...other, annotations: good.annotations };
    repository.push({ layers: [bare, evidence], tag: cosignTag(amd64.digest, "att") });
    const report = await run(repository);
    assert.equal(report.ok, false);
    const reasons = report.artifacts[0].attestations.map((one) => one.errorReason);
    assert.ok(reasons[0] === "missing-trusted-key" && reasons[1] !== null, reasons.join());
    repository.push({ layers: [bare, good], tag: cosignTag(amd64.digest, "att") });
    assert.equal((await run(repository)).ok, true);
  });

  it("takes no Statement of BuildKit for signed, and binds it to its platform", async () => {
    const repository = new TestRepository();
    const amd64 = repository.image(AMD64), arm64 = repository.image(ARM64);
    const statement = (digest: string) => ({
      mediaType: IN_TOTO,
      bytes: utf8(JSON.stringify(statementOf(digest))),
      annotations: { "in-toto.io/predicate-type": "https://slsa.dev/provenance/v1" },
    });
    const reference = (about: string) => {
      const manifest = repository.push({ layers: [statement(about)] });
      const annotations = {
        "vnd.docker.reference.type": "attestation-manifest",
        "vnd.docker.reference.digest": about,
      };
      const platform = { os: "unknown", architecture: "unknown" };
      return { ...manifest, platform, annotations };
    };
    const orphan = repository.image(ARM64, "elsewhere");
    repository.index([amd64, arm64, reference(amd64.digest), reference(orphan.digest)], "1");
    const report = await run(repository);
    assert.equal(
      brief(report),
      "unsigned-statement: linux/amd64 unsigned-statement, linux/arm64 attestation-not-found",
    );
    assert.equal(report.artifacts[0].attestations[0].predicateType, undefined);
    assert.ok(report.images![0].notes?.[0].includes("does not list"));
  });

  it("tells a failure of the network from absence", async () => {
    const { repository, amd64 } = oneArch();
    repository.down = ["referrers"];
    const report = await run(repository);
    assert.equal(brief(report), "store-unavailable: linux/amd64 store-unavailable");
    const [lookup] = report.artifacts[0].lookups!;
    assert.equal(lookup.outcome, "unavailable");
    assert.equal(lookup.reason, "service-unavailable");
    // What another place has counts all the same.
    repository.push({
      layers: [cosignLayer(await oldBundle(amd64.digest))],
      tag: cosignTag(amd64.digest, "att"),
    });
    assert.equal(brief(await run(repository)), "ok: linux/amd64 ok");
  });

  it("uses no blob that has another digest, and says so", async () => {
    const { repository, amd64 } = oneArch();
    const layer = await bundle(amd64.digest);
    await attach(repository, amd64, layer);
    const digest = repository.asked.length === 0 ? await digestOfLayer(layer) : "";
    repository.tamper(digest, utf8("{}"));
    const report = await run(repository);
    assert.equal(brief(report), refused);
    assert.ok(report.artifacts[0].lookups![0].notes?.[0].includes("another digest"));
  });

  it("reads no more than a thousand referrers of one manifest", async () => {
    const { repository, amd64 } = oneArch();
    const { mediaType, digest, size } = amd64;
    for (let i = 0; i <= 1000; i++) {
      repository.push({
        artifactType: "application/vnd.example",
        layers: [{ mediaType: "text/plain", bytes: utf8(`${i}`) }],
        subject: { mediaType, digest, size },
      });
    }
    const report = await run(repository);
    assert.equal(brief(report), "store-unavailable: linux/amd64 store-unavailable");
    assert.equal(report.artifacts[0].lookups![0].reason, "limit-exceeded");
    assert.ok(repository.asked.length < 20);
  });
});

describe("verifyImage() as its options say", () => {
  it("calls the image, its repository and what hangs on it as it is told to", async () => {
    const { repository, amd64, arm64 } = multiArch();
    await attach(repository, amd64);
    await attach(repository, arm64);
    const report = await verifyImage(repository, "1", {
      verify: await trust({ evidence: true }),
      name: "the app",
      label: "here",
      repository: "registry.example/acme/app",
    });
    assert.equal(report.images![0].reference, "the app");
    const [row] = report.artifacts;
    assert.equal(row.artifact, "the app (linux/amd64)");
    assert.equal(row.oci, "registry.example/acme/app");
    assert.ok(row.attestations[0].source.startsWith("here@sha256:"));
  });

  it("verifies the index alone when asked to, whatever its platforms have", async () => {
    const { repository, amd64, index } = multiArch();
    await attach(repository, amd64);
    const without = await run(repository, { indexOnly: true });
    assert.equal(brief(without), "attestation-not-found: - attestation-not-found");
    assert.equal(without.images![0].requires, "index");
    await attach(repository, index);
    assert.equal(brief(await run(repository, { indexOnly: true })), "ok: - ok");
    const both = { indexOnly: true, platforms: ["linux/amd64"] };
    await assert.rejects(run(repository, both), TypeError);
    await assert.rejects(run(repository, { indexOnly: true, inheritFromIndex: true }), TypeError);
  });

  it("stops when it is told to", async () => {
    const { repository } = multiArch();
    const signal = AbortSignal.abort();
    await assert.rejects(run(repository, { signal }), { reason: "aborted" });
  });
});

describe("verifyImage() of attestations that were given", () => {
  it("looks for no others", async () => {
    const { repository, amd64, arm64 } = multiArch();
    await attach(repository, arm64);
    const content = (await bundle(amd64.digest)).bytes;
    const report = await run(repository, { attestations: [{ source: "a.json", content }] });
    assert.equal(
      brief(report),
      "subject-mismatch: linux/amd64 ok, linux/arm64 subject-mismatch",
    );
    assert.equal(repository.asked.filter((one) => one.startsWith("referrers")).length, 0);
  });
});

describe("verifyImage() of envelopes that are signed with a key", () => {
  it("accepts what keys sign, at a tag and as a referrer", async () => {
    const { signer, trustedKey } = await generateSigner("Ed25519", { name: "ci" });
    const { repository, amd64, arm64 } = multiArch();
    const envelope = async (digest: string) =>
      utf8(JSON.stringify(await createEnvelope(IN_TOTO, statementOf(digest), signer)));
    repository.push({
      layers: [{
        mediaType: DSSE,
        bytes: await envelope(amd64.digest),
        annotations: { "dev.cosignproject.cosign/signature": "" },
      }],
      tag: cosignTag(amd64.digest, "att"),
    });
    await attach(repository, arm64, { mediaType: IN_TOTO, bytes: await envelope(arm64.digest) });
    const keys: TrustedKey[] = [trustedKey];
    const verify = { trust: { keys, onlyRoot: true } };
    const report = await verifyImage(repository, "1", { verify });
    assert.equal(brief(report), "ok: linux/amd64 ok, linux/arm64 ok");
  });

  it("lists what it does not verify", async () => {
    const { repository, amd64 } = multiArch();
    const { mediaType, digest, size } = amd64;
    repository.push({
      artifactType: "application/vnd.cncf.notary.signature",
      layers: [{ mediaType: "application/jose+json", bytes: utf8("{}") }],
      subject: { mediaType, digest, size },
    });
    const report = await run(repository);
    assert.ok(report.images![0].others?.[0].what.includes("Notation"));
    assert.ok(!isAttestationError(report));
  });
});

async function digestOfLayer({ bytes }: Layer): Promise<string> {
  const hash = new Uint8Array(await crypto.subtle.digest("SHA-256", Uint8Array.from(bytes)));
  return `sha256:${Array.from(hash, (one) => one.toString(16).padStart(2, "0")).join("")}`;
}
