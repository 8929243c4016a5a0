/** Targets that read and verify what hangs on images. */

import { parseChartMetadata, parseHelmProvenance, parseSimpleSigning } from "../../formats/mod.ts";
import { decodeBase64, encodeBase64 } from "../../internal/base64.ts";
import { isObject } from "../../internal/json.ts";
import { parseCosignLayer } from "../../sigstore/mod.ts";
import { formatOciPlatform, parseOciPlatform, verifyImage } from "../../store/oci/mod.ts";
import { verifyHelmChart } from "../../store/mod.ts";
import { gzip, prov, tar } from "../fixtures/chart.ts";
import {
  cosignTag,
  digestOf,
  SIMPLE_SIGNING,
  simpleSigning,
  TestRepository,
} from "../fixtures/oci.ts";
import { jsonSeed, textSeeds } from "./corpus.ts";
import { textOf } from "./mutate_text.ts";
import { parser, printOf } from "./parsers.ts";
import { Broken, type Target } from "./target.ts";
import { verifier } from "./verifiers.ts";
import { signerOf } from "./verify_targets.ts";

const DIGEST = `sha256:${"a".repeat(64)}`;
const SIGNATURE = "dev.cosignproject.cosign/signature";

export const IMAGE_TARGETS: readonly Target[] = [
  parser(
    "parseSimpleSigning",
    () => [
      { name: "cosign", bytes: simpleSigning(DIGEST) },
      jsonSeed("atomic", {
        critical: {
          type: "atomic container signature",
          image: { "docker-manifest-digest": DIGEST },
          identity: { "docker-reference": "registry.example/app:1" },
        },
        optional: { creator: "a", timestamp: 1 },
      }),
    ],
    (source) => parseSimpleSigning(source),
    {
      objects: true,
      holds({ manifestDigest }, input) {
        if (!/^sha(256|512):[0-9a-f]+$/.test(manifestDigest)) throw new Broken("no digest");
        if (!textOf(input).includes(manifestDigest.slice(0, 3))) throw new Broken("another digest");
      },
    },
  ),
  parser(
    "parseCosignLayer",
    () => [
      jsonSeed("signature", {
        mimeType: SIMPLE_SIGNING,
        payload: encodeBase64(simpleSigning(DIGEST)),
        annotations: { [SIGNATURE]: "AA==", "__proto__": "x" },
      }),
      jsonSeed("bare", { mimeType: "a", payload: "", annotations: null }),
    ],
    (source) => parseCosignLayer(source),
    {
      objects: true,
      write: ({ payload, ...rest }) => JSON.stringify({ ...rest, payload: encodeBase64(payload) }),
    },
  ),
  parser(
    "parseChartMetadata",
    () => textSeeds("apiVersion: v2\nname: app\nversion: 1.2.3\n", "name: 'a'\nversion: \"1\" # b"),
    (source) => parseChartMetadata(source as string | Uint8Array),
    {
      shape: "text",
      write: ({ name, version }) => `name: ${name}\nversion: ${version}\n`,
    },
  ),
  parser(
    "parseHelmProvenance",
    () => textSeeds(prov("a".repeat(64)), prov("b".repeat(64)).replace("app-1", "- x")),
    (source) => parseHelmProvenance(source as string | Uint8Array),
    { shape: "text" },
  ),
  parser(
    "parseOciPlatform",
    () => textSeeds("linux/amd64", "linux/arm/v7", "windows(10.0.17763.1)/amd64", "linux"),
    (source) => parseOciPlatform(String(source)),
    { shape: "text", textOnly: true, covers: ["formatOciPlatform"], write: formatOciPlatform },
  ),
  {
    name: "verifyHelmChart",
    kind: "parser",
    async prepare() {
      const packed = await gzip(tar("app/Chart.yaml", "name: app\nversion: 1.2.3\n"));
      const index = "entries:\n  app:\n  - name: app\n    version: 1.2.3\n    urls: [app.tgz]\n" +
        `    digest: ${digestOf(packed).slice(7)}\n    annotations: {attestations: a.json}\n`;
      const chart = { repository: "https://charts.example", name: "app", version: "1.2.3" };
      return {
        seeds: textSeeds(index, "entries: {app: [{version: 1.2.3, urls: ['https://a.example']}]}"),
        shape: "text",
        async run(input) {
          const fetch = (url: string) => {
            const body = url.endsWith("/index.yaml") ? input : url.endsWith(".tgz") ? packed : null;
            return Promise.resolve(new Response(body, { status: body === null ? 404 : 200 }));
          };
          const report = await verifyHelmChart(chart, { http: { fetch, retries: 0 } });
          if (report.ok) throw new Broken("passed without an attestation");
          return report.errorReason;
        },
      };
    },
  },
  verifier("verifyImage", async () => {
    const { signer, key } = await signerOf("managed");
    const repository = new TestRepository();
    const image = repository.image(undefined);
    const tag = cosignTag(image.digest, "sig");
    const signed = async (digest: string) => {
      const payload = simpleSigning(digest);
      return {
        payload: encodeBase64(payload),
        signature: encodeBase64(await signer.sign(payload)),
      };
    };
    return {
      seeds: [
        jsonSeed("signature", await signed(image.digest)),
        jsonSeed("of another image", await signed(DIGEST)),
      ],
      async verify(input) {
        const layer = layerOf(textOf(input));
        if (layer === undefined) return { reason: "malformed-json" };
        repository.push({ layers: [layer], tag });
        const report = await verifyImage(repository, image.digest, {
          verify: { trust: { keys: [key], onlyRoot: true } },
        });
        if (!report.ok) return { reason: report.errorReason ?? "" };
        const { digest, attestations } = report.artifacts[0];
        const signers = attestations.filter(({ ok }) => ok).map((one) => one.signers);
        if (signers.length === 0) throw new Broken("passed without an attestation that passed");
        return { facts: { must: printOf({ digest, signers }), evidence: [] } };
      },
    };
  }, []),
];

/** A layer under a tag, of what a seed keeps. */
function layerOf(text: string) {
  try {
    const value = JSON.parse(text);
    const { payload, signature } = isObject(value) ? value : {};
    if (typeof payload !== "string" || typeof signature !== "string") return undefined;
    // Strictly: a blank that is passed over would be another payload.
    const bytes = decodeBase64(payload);
    const annotations = { [SIGNATURE]: signature };
    return { mediaType: SIMPLE_SIGNING, bytes: new Uint8Array(bytes), annotations };
  } catch {
    return undefined;
  }
}
