import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { createEnvelope } from "../../dsse/mod.ts";
import { utf8 } from "../../internal/bytes.ts";
import { generateSigner } from "../../keys/mod.ts";
import {
  chart,
  type ChartRecipe,
  gzip,
  prov,
  provText,
  type PushedChart,
  tar,
} from "../../tests/fixtures/chart.ts";
import { digestOf, IN_TOTO, statementOf } from "../../tests/fixtures/oci.ts";
import {
  cleartext,
  makeKey,
  NOW,
  publicKey,
  type TestKey,
} from "../../formats/openpgp/_fixtures_test.ts";
import { createOpenPgpKeyring } from "../../formats/openpgp/mod.ts";
import { verifyImage } from "./verify_image.ts";

const key = generateSigner("Ed25519", { name: "ci" });

/** Attaches a Statement about a digest to a chart. */
async function attest(
  { repository, manifest }: PushedChart,
  digest: string,
  name: string,
) {
  const statement = statementOf(digest);
  statement.subject[0].name = name;
  const envelope = await createEnvelope(IN_TOTO, statement, (await key).signer);
  repository.push({
    artifactType: IN_TOTO,
    layers: [{ mediaType: IN_TOTO, bytes: utf8(JSON.stringify(envelope)) }],
    subject: manifest,
  });
}

async function run({ repository, tag }: PushedChart) {
  return await verifyImage(repository, tag, {
    verify: { trust: { keys: [(await key).trustedKey], onlyRoot: true } },
  });
}

describe("verifyImage() of a Helm chart", () => {
  it("accepts what is attested of its manifest", async () => {
    const pushed = await chart({ prov });
    await attest(pushed, pushed.manifest.digest, "registry.example/charts/app");
    const report = await run(pushed);
    assert.equal(report.errorReason, null);
    const [image] = report.images!;
    assert.deepEqual(image.chart, { name: "app", version: "1.2.3" });
    assert.ok(image.others?.[0].what.includes("is not verified"));
    assert.deepEqual(report.artifacts[0].digest, { sha256: pushed.manifest.digest.slice(7) });
  });

  it("accepts what is attested of its package, under the package's name", async () => {
    const pushed = await chart();
    await attest(pushed, pushed.digest, "app-1.2.3.tgz");
    const report = await run(pushed);
    assert.equal(report.errorReason, null);
    const ids = report.artifacts[0].attestations[0].checks.map(({ id }) => id);
    assert.ok(ids.includes("statement.chart") && ids.includes("statement.subject-name"));
    const other = await chart();
    await attest(other, other.digest, "app-1.2.4.tgz");
    assert.equal((await run(other)).errorReason, "subject-name-mismatch");
    const elsewhere = await chart();
    await attest(elsewhere, digestOf(utf8("other")), "app-1.2.3.tgz");
    assert.equal((await run(elsewhere)).errorReason, "subject-mismatch");
  });

  it("refuses one whose tag, config or package is of another chart", async () => {
    const cases: ChartRecipe[] = [
      { tag: "1.2.4" },
      { config: { name: "app", version: "1.2.4" } },
      { yaml: "name: other\nversion: 1.2.3\n" },
    ];
    for (const recipe of cases) {
      const pushed = await chart(recipe);
      await attest(pushed, pushed.manifest.digest, "registry.example/charts/app");
      const report = await run(pushed);
      assert.equal(report.errorReason, "subject-name-mismatch", JSON.stringify(recipe));
      assert.equal(report.artifacts[0].attestations[0].ok, false);
    }
    const plus = await chart({
      config: { name: "app", version: "1.2.3+b" },
      yaml: "name: app\nversion: 1.2.3+b\n",
      tag: "1.2.3_b",
    });
    await attest(plus, plus.manifest.digest, "registry.example/charts/app");
    assert.equal((await run(plus)).errorReason, null);
  });

  it("refuses one whose .prov file is about another package", async () => {
    for (
      const wrong of [
        () => prov("a".repeat(64)),
        (hex: string) => prov(hex).replace("app-1", "b-1"),
      ]
    ) {
      const pushed = await chart({ prov: wrong });
      await attest(pushed, pushed.manifest.digest, "registry.example/charts/app");
      assert.equal((await run(pushed)).errorReason, "content-mismatch");
    }
  });

  it("reads a package within bounds", async () => {
    const endless = await gzip(new Uint8Array(65 << 20));
    const cases: [ChartRecipe, string][] = [
      [{ content: endless }, "limit-exceeded"],
      [{ content: utf8("no gzip") }, "malformed-chart"],
      [{ content: await gzip(utf8("no tar")) }, "malformed-chart"],
      [
        { content: await gzip(tar("other/Chart.yaml", "name: app\nversion: 1.2.3\n")) },
        "malformed-chart",
      ],
      [{ yaml: "name: app\n" }, "malformed-chart"],
      [{ config: {} }, "malformed-chart"],
      [{ prov: () => "x" }, "malformed-chart"],
    ];
    for (const [recipe, reason] of cases) {
      await assert.rejects(run(await chart(recipe)), { reason });
    }
  });

  it("accepts its .prov file where its OpenPGP key is trusted", async () => {
    const signer = await makeKey();
    const openpgp = await createOpenPgpKeyring(await publicKey(signer));
    const signedBy = async (by: TestKey) => {
      const { digest } = await chart();
      const text = await cleartext(by, provText(digest.slice(7)));
      const { repository, tag } = await chart({ prov: () => text });
      return await verifyImage(repository, tag, {
        verify: { trust: { openpgp, onlyRoot: true }, now: NOW },
      });
    };
    const report = await signedBy(signer);
    assert.equal(report.errorReason, null);
    assert.equal(report.artifacts[0].attestations[0].format, "openpgp");
    assert.equal(report.artifacts[0].attestations[0].predicateType, "helm-provenance");
    assert.equal(report.images?.[0].others, undefined);
    assert.equal((await signedBy(await makeKey())).errorReason, "missing-trusted-key");
  });

  it("is nothing without an attestation", async () => {
    assert.equal((await run(await chart({ prov }))).errorReason, "attestation-not-found");
  });
});
