import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { createEnvelope } from "../dsse/mod.ts";
import type { Bytes } from "../internal/bytes.ts";
import { generateSigner } from "../keys/mod.ts";
import {
  cleartext,
  makeKey,
  NOW,
  publicKey,
  type TestKey,
} from "../formats/openpgp/_fixtures_test.ts";
import { createOpenPgpKeyring } from "../formats/openpgp/mod.ts";
import { gzip, prov, provText, tar } from "../tests/fixtures/chart.ts";
import { digestOf, IN_TOTO, statementOf } from "../tests/fixtures/oci.ts";
import { verifyHelmChart } from "./helm.ts";

const BASE = "https://charts.example/stable";
const PACKAGE = `${BASE}/app-1.2.3.tgz`;
const key = generateSigner("Ed25519", { name: "ci" });

/** A repository with the chart app 1.2.3; changes are other files, or none. */
async function repository(changes: Record<string, string | Bytes | number | undefined> = {}) {
  const packed = await gzip(tar("app/Chart.yaml", "name: app\nversion: 1.2.3\n"));
  const hex = digestOf(packed).slice(7);
  const files = new Map<string, string | Bytes | number | undefined>(Object.entries({
    [`${BASE}/index.yaml`]: indexOf(hex),
    [PACKAGE]: packed,
    [`${PACKAGE}.intoto.json`]: await attestation(hex),
    ...changes,
  }));
  const asked: string[] = [];
  const fetch = (url: string) => {
    asked.push(url);
    const file = files.get(url);
    if (typeof file === "number") return Promise.resolve(new Response("", { status: file }));
    return Promise.resolve(
      file === undefined ? new Response("", { status: 404 }) : new Response(file),
    );
  };
  return { fetch, asked, hex };
}

function indexOf(hex: string, more = ""): string {
  return "apiVersion: v1\nentries:\n  app:\n  - name: app\n    version: 1.2.3\n    urls:\n" +
    `    - app-1.2.3.tgz\n    digest: ${hex}\n${more}  - name: app\n    version: 1.10\n    urls: []\n`;
}

async function attestation(hex: string, name = "app-1.2.3.tgz"): Promise<string> {
  const statement = statementOf(`sha256:${hex}`);
  statement.subject[0].name = name;
  return JSON.stringify(await createEnvelope(IN_TOTO, statement, (await key).signer));
}

async function run(
  { fetch }: Awaited<ReturnType<typeof repository>>,
  chart: { name?: string; version?: string } = {},
) {
  return await verifyHelmChart({ repository: BASE, name: "app", version: "1.2.3", ...chart }, {
    verify: { trust: { keys: [(await key).trustedKey], onlyRoot: true } },
    http: { fetch, retries: 0 },
  });
}

describe("verifyHelmChart()", () => {
  it("accepts a chart by the attestation beside its package", async () => {
    const charts = await repository({ [`${PACKAGE}.prov`]: prov((await repository()).hex) });
    const report = await run(charts);
    assert.equal(report.errorReason, null);
    assert.equal(report.artifacts[0].artifact, `helm:${BASE}/app@1.2.3`);
    assert.deepEqual(report.images![0].chart, { name: "app", version: "1.2.3" });
    assert.ok(report.images![0].others?.[0].what.includes("is not verified"));
    assert.equal(new Set(charts.asked).size, charts.asked.length);
  });

  it("accepts one by the address that the index names", async () => {
    const { hex } = await repository();
    const charts = await repository({
      [`${PACKAGE}.intoto.json`]: undefined,
      [`${BASE}/index.yaml`]: indexOf(hex, "    annotations:\n      attestations: a/app.json\n"),
      [`${BASE}/a/app.json`]: await attestation(hex),
    });
    const report = await run(charts);
    assert.equal(report.errorReason, null);
    assert.equal(report.artifacts[0].lookups?.length, 2);
  });

  it("believes neither the index nor names nor a .prov file", async () => {
    const { hex } = await repository();
    const other = "b".repeat(64);
    const elsewhere = await gzip(tar("app/Chart.yaml", "name: app\nversion: 1.2.2\n"));
    const cases: [Record<string, string | Bytes | undefined>, string][] = [
      [{ [`${BASE}/index.yaml`]: indexOf(other) }, "content-mismatch"],
      [{ [`${PACKAGE}.prov`]: prov(other) }, "content-mismatch"],
      [
        { [`${PACKAGE}.intoto.json`]: await attestation(hex, "app-1.2.4.tgz") },
        "subject-name-mismatch",
      ],
      [{ [`${PACKAGE}.intoto.json`]: await attestation(other) }, "attestation-not-found"],
      [{ [`${PACKAGE}.intoto.json`]: undefined }, "attestation-not-found"],
      [{
        [PACKAGE]: elsewhere,
        [`${BASE}/index.yaml`]: indexOf(digestOf(elsewhere).slice(7)),
        [`${PACKAGE}.intoto.json`]: await attestation(digestOf(elsewhere).slice(7)),
      }, "subject-name-mismatch"],
    ];
    for (const [changes, reason] of cases) {
      assert.equal((await run(await repository(changes))).errorReason, reason);
    }
  });

  it("accepts its .prov file where its OpenPGP key is trusted", async () => {
    const signer = await makeKey();
    const openpgp = await createOpenPgpKeyring(await publicKey(signer));
    const { hex } = await repository();
    const signedBy = async (by: TestKey, of = hex) => {
      const { fetch } = await repository({
        [`${PACKAGE}.intoto.json`]: undefined,
        [`${PACKAGE}.prov`]: await cleartext(by, provText(of)),
      });
      return await verifyHelmChart({ repository: BASE, name: "app", version: "1.2.3" }, {
        verify: { trust: { openpgp, onlyRoot: true }, now: NOW },
        http: { fetch, retries: 0 },
      });
    };
    const report = await signedBy(signer);
    assert.equal(report.errorReason, null);
    assert.equal(report.artifacts[0].attestations[0].format, "openpgp");
    assert.equal(report.images?.[0].others, undefined);
    assert.equal((await signedBy(await makeKey())).errorReason, "missing-trusted-key");
    assert.equal((await signedBy(signer, "b".repeat(64))).errorReason, "subject-mismatch");
  });

  it("tells what is not there from what could not be asked", async () => {
    const down = await repository({ [`${PACKAGE}.intoto.json`]: 503 });
    assert.equal((await run(down)).errorReason, "store-unavailable");
    const rejects = async (
      changes: Record<string, string | number | undefined>,
      reason: string,
      chart = {},
    ) => assert.rejects(run(await repository(changes), chart), { reason });
    await rejects({ [`${BASE}/index.yaml`]: undefined }, "image-not-found");
    await rejects({ [`${BASE}/index.yaml`]: 503 }, "service-unavailable");
    await rejects({ [PACKAGE]: undefined }, "image-not-found");
    await rejects({}, "image-not-found", { version: "1.2.4" });
    await rejects({}, "image-not-found", { name: "__proto__" });
    await rejects({}, "malformed-chart", { version: "1.10" });
    await rejects({ [PACKAGE]: "x" }, "malformed-chart");
    await rejects({ [`${PACKAGE}.prov`]: "x" }, "malformed-chart");
    for (const index of ["[", "- a", "a: &a 1\nentries: *a", "entries: {}\nentries: {}"]) {
      await rejects({ [`${BASE}/index.yaml`]: index }, "malformed-chart");
    }
  });

  it("refuses options that nobody reads", async () => {
    const chart = { repository: BASE, name: "app", version: "1.2.3" };
    await assert.rejects(verifyHelmChart(chart, { more: 1 } as object), TypeError);
    await assert.rejects(verifyHelmChart({ ...chart, more: 1 } as typeof chart), TypeError);
    await assert.rejects(verifyHelmChart({ ...chart, repository: "x" }), TypeError);
  });
});
