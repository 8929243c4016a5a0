import { deepStrictEqual as deepEqual, strictEqual as equal, throws } from "node:assert/strict";
import { describe, it } from "node:test";
import { isAttestationError } from "../../errors.ts";
import { utf8 } from "../../internal/bytes.ts";
import { descriptorOf, parseOciManifest } from "./manifest.ts";

const DIGEST = `sha256:${"a".repeat(64)}`;
const OCI_IMAGE = "application/vnd.oci.image.manifest.v1+json";
const OCI_INDEX = "application/vnd.oci.image.index.v1+json";
const DOCKER_IMAGE = "application/vnd.docker.distribution.manifest.v2+json";
const DOCKER_LIST = "application/vnd.docker.distribution.manifest.list.v2+json";

const CONFIG = { mediaType: "application/vnd.oci.image.config.v1+json", digest: DIGEST, size: 2 };
const IMAGE = { schemaVersion: 2, mediaType: OCI_IMAGE, config: CONFIG, layers: [CONFIG] };
const INDEX = { schemaVersion: 2, mediaType: OCI_INDEX, manifests: [CONFIG] };

function reasonOf(value: unknown, mediaType?: string): string {
  const text = typeof value === "string" ? value : JSON.stringify(value);
  const options = { digest: DIGEST, ...(mediaType === undefined ? {} : { mediaType }) };
  try {
    return `${parseOciManifest(utf8(text), options).kind}`;
  } catch (error) {
    if (isAttestationError(error)) return error.reason;
    throw error;
  }
}

describe("parseOciManifest()", () => {
  it("reads an image with all that it may state", () => {
    const annotations = { a: "b" };
    const subject = { ...CONFIG, mediaType: OCI_IMAGE };
    const value = { ...IMAGE, artifactType: "application/x.test", subject, annotations };
    const bytes = utf8(JSON.stringify(value));
    const manifest = parseOciManifest(bytes, { digest: DIGEST });
    deepEqual(manifest, {
      kind: "image",
      mediaType: OCI_IMAGE,
      digest: DIGEST,
      bytes,
      artifactType: "application/x.test",
      config: CONFIG,
      layers: [CONFIG],
      manifests: [],
      subject,
      annotations,
    });
    deepEqual(descriptorOf(manifest), {
      mediaType: OCI_IMAGE,
      digest: DIGEST,
      size: bytes.length,
      artifactType: "application/x.test",
      annotations,
    });
  });

  it("reads an index with platforms, and takes the config's type for the artifact's", () => {
    const platform = { architecture: "arm64", os: "linux", variant: "v8" };
    const windows = {
      architecture: "amd64",
      os: "windows",
      "os.version": "10.0",
      "os.features": ["a"],
    };
    const value = {
      ...INDEX,
      manifests: [{ ...CONFIG, platform }, { ...CONFIG, platform: windows }],
    };
    const { manifests, layers } = parseOciManifest(utf8(JSON.stringify(value)), { digest: DIGEST });
    deepEqual(manifests.map(({ platform }) => platform), [
      platform,
      { architecture: "amd64", os: "windows", osVersion: "10.0", osFeatures: ["a"] },
    ]);
    deepEqual(layers, []);
    const image = parseOciManifest(utf8(JSON.stringify(IMAGE)), { digest: DIGEST });
    equal(image.artifactType, CONFIG.mediaType);
    equal("artifactType" in descriptorOf(image), false);
  });

  it("takes the registry's media type where the manifest states none", () => {
    const { mediaType: _, ...image } = IMAGE;
    const read = (mediaType?: string) =>
      parseOciManifest(utf8(JSON.stringify(image)), {
        digest: DIGEST,
        ...(mediaType === undefined ? {} : { mediaType }),
      }).mediaType;
    equal(read(), OCI_IMAGE);
    equal(read(DOCKER_IMAGE), DOCKER_IMAGE);
    equal(read("application/json; charset=utf-8"), OCI_IMAGE);
    equal(reasonOf(image, OCI_INDEX), "malformed-image-manifest");
  });

  it("compares the two media types without parameters", () => {
    equal(reasonOf(IMAGE, `${OCI_IMAGE}; charset=utf-8`), "image");
    equal(reasonOf(IMAGE, "text/plain"), "image");
    for (const other of [OCI_INDEX, DOCKER_IMAGE, DOCKER_LIST]) {
      equal(reasonOf(IMAGE, other), "malformed-image-manifest");
    }
    equal(reasonOf({ ...INDEX, mediaType: DOCKER_LIST }, DOCKER_LIST), "index");
  });

  const refused: Record<string, unknown> = {
    "both an index and an image": { ...INDEX, ...IMAGE },
    "an index with a config": { ...INDEX, config: CONFIG },
    "an index that says that it is an image": { ...INDEX, mediaType: OCI_IMAGE },
    "an image that says that it is an index": { ...IMAGE, mediaType: OCI_INDEX },
    "neither": { schemaVersion: 2, mediaType: OCI_IMAGE },
    "the first schema": { schemaVersion: 1, fsLayers: [], signatures: [] },
    "no schema": { ...IMAGE, schemaVersion: undefined },
    "another media type": { ...IMAGE, mediaType: "application/json" },
    "a media type that is no text": { ...IMAGE, mediaType: 1 },
    "no config": { ...IMAGE, config: undefined },
    "no layers": { ...IMAGE, layers: undefined },
    "layers that are no list": { ...IMAGE, layers: {} },
    "a digest that leads elsewhere": { ...IMAGE, layers: [{ ...CONFIG, digest: "sha256:../.." }] },
    "a digest of another algorithm": { ...IMAGE, layers: [{ ...CONFIG, digest: "md5:aa" }] },
    "upper case": { ...IMAGE, layers: [{ ...CONFIG, digest: DIGEST.toUpperCase() }] },
    "a negative size": { ...IMAGE, layers: [{ ...CONFIG, size: -1 }] },
    "a size with a fraction": { ...IMAGE, layers: [{ ...CONFIG, size: 0.5 }] },
    "a size beyond all": { ...IMAGE, layers: [{ ...CONFIG, size: 1e300 }] },
    "a descriptor without type": { ...IMAGE, layers: [{ digest: DIGEST, size: 1 }] },
    "a type that is none": { ...IMAGE, layers: [{ ...CONFIG, mediaType: "a b" }] },
    "an artifact's type that is none": { ...IMAGE, artifactType: "a\nb/c" },
    "a subject that is none": { ...IMAGE, subject: "sha256" },
    "annotations that are no texts": { ...IMAGE, annotations: { a: 1 } },
    "annotations that are a list": { ...IMAGE, annotations: [] },
    "a platform without system": {
      ...INDEX,
      manifests: [{ ...CONFIG, platform: { os: "linux" } }],
    },
    "a platform with a control": {
      ...INDEX,
      manifests: [{ ...CONFIG, platform: { os: "lin\u0000ux", architecture: "a" } }],
    },
    "a list": [],
    "a text": '"x"',
    "no JSON": "{",
    "nothing": "",
    "a name twice": '{"schemaVersion":2,"schemaVersion":2,"manifests":[]}',
  };
  for (const [what, value] of Object.entries(refused)) {
    it(`refuses ${what}`, () => equal(reasonOf(value), "malformed-image-manifest"));
  }

  it("bounds bytes, entries and annotations", () => {
    equal(reasonOf(JSON.stringify(INDEX).padEnd((4 << 20) + 1)), "limit-exceeded");
    equal(reasonOf({ ...INDEX, manifests: Array(10_001).fill(CONFIG) }), "limit-exceeded");
    const annotations = Object.fromEntries(Array.from({ length: 1001 }, (_, i) => [`${i}`, ""]));
    equal(reasonOf({ ...INDEX, annotations }), "malformed-image-manifest");
  });

  it("wants a digest of the caller", () => {
    throws(() => parseOciManifest(utf8("{}"), { digest: "sha256:" }), TypeError);
  });
});
