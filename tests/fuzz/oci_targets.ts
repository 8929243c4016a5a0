/** Targets that read what registries and image layouts hold. */

import { concat, utf8 } from "../../internal/bytes.ts";
import { sha256 } from "../../internal/sha256.ts";
import { encodeHex } from "../../internal/hex.ts";
import {
  bytesAccess,
  createLayout,
  createTarFiles,
  dockerCredentials,
  expandShortName,
  formatOciReference,
  isOciDigest,
  parseAuthChallenges,
  parseOciManifest,
  parseOciReference,
} from "../../store/oci/mod.ts";
import { jsonSeed, textSeeds } from "./corpus.ts";
import { textOf } from "./mutate_text.ts";
import { parser } from "./parsers.ts";
import { Broken, type Target } from "./target.ts";

const HEX = "a".repeat(64);
const DIGEST = `sha256:${HEX}`;

const DESCRIPTOR = {
  mediaType: "application/vnd.oci.image.manifest.v1+json",
  digest: DIGEST,
  size: 402,
};
const IMAGE = {
  schemaVersion: 2,
  mediaType: "application/vnd.oci.image.manifest.v1+json",
  artifactType: "application/vnd.dev.sigstore.bundle.v0.3+json",
  config: { mediaType: "application/vnd.oci.empty.v1+json", digest: DIGEST, size: 2 },
  layers: [{ ...DESCRIPTOR, mediaType: "application/vnd.dsse.envelope.v1+json" }],
  subject: DESCRIPTOR,
  annotations: { "org.opencontainers.image.created": "2026-01-01T00:00:00Z" },
};
const INDEX = {
  schemaVersion: 2,
  mediaType: "application/vnd.oci.image.index.v1+json",
  manifests: [
    { ...DESCRIPTOR, platform: { architecture: "arm64", os: "linux", variant: "v8" } },
    {
      ...DESCRIPTOR,
      platform: { architecture: "amd64", os: "windows", "os.version": "10", "os.features": ["a"] },
      annotations: { "vnd.docker.reference.type": "attestation-manifest" },
    },
  ],
};

/** A tar file of a layout with one image. */
function layoutTar(): Uint8Array<ArrayBuffer> {
  const manifest = utf8(JSON.stringify(IMAGE));
  const hex = encodeHex(sha256(manifest));
  const entry = {
    ...DESCRIPTOR,
    digest: `sha256:${hex}`,
    size: manifest.length,
    annotations: { "org.opencontainers.image.ref.name": "1.0" },
  };
  const files: [string, Uint8Array][] = [
    ["oci-layout", utf8('{"imageLayoutVersion":"1.0.0"}')],
    ["index.json", utf8(JSON.stringify({ schemaVersion: 2, manifests: [entry] }))],
    [`blobs/sha256/${hex}`, manifest],
  ];
  const parts = files.flatMap(([name, bytes]) => {
    const header = new Uint8Array(512);
    header.set(utf8(name));
    header.set(utf8(bytes.length.toString(8).padStart(11, "0")), 124);
    header.set(utf8("        0"), 148);
    header.set(utf8("ustar\x0000"), 257);
    const sum = header.reduce((total, byte) => total + byte, 0);
    header.set(utf8(`${sum.toString(8).padStart(6, "0")}\0 `), 148);
    return [header, bytes, new Uint8Array((512 - bytes.length % 512) % 512)];
  });
  return concat(...parts, new Uint8Array(1024));
}

/** Headers with the right sum: a wrong one hides whatever else was changed. */
function withSums(input: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(input);
  for (let at = 0; at + 512 <= bytes.length; at += 512) {
    const header = bytes.subarray(at, at + 512);
    if (header[257] !== 0x75 || header[258] !== 0x73) continue;
    header.fill(32, 148, 156);
    const sum = header.reduce((total, byte) => total + byte, 0);
    header.set(utf8(`${sum.toString(8).padStart(6, "0")}\0 `), 148);
  }
  return bytes;
}

/** One for each. */
export const OCI_TARGETS: readonly Target[] = [
  parser(
    "parseOciReference",
    () =>
      textSeeds(
        "registry.example/acme/app:1.0",
        `oci://registry.example:5000/acme/my__app--x.y:1.0@${DIGEST}`,
        `[::1]:5000/app@sha512:${HEX}${HEX}`,
        "localhost/app",
      ),
    (source) => parseOciReference(source as string),
    {
      shape: "text",
      covers: ["expandShortName"],
      textOnly: true,
      write: formatOciReference,
      holds: (reference) => {
        const text = formatOciReference(reference);
        if (expandShortName(text) !== text) throw new Broken("a full name is expanded");
        // Two dots are harmless at the end of a tag, and no segment of a path.
        if (/(^|[/:@])\.\.?([/:@]|$)|[^!-~]|[\\?#%]/.test(text)) {
          throw new Broken("a name that leads elsewhere");
        }
      },
    },
  ),
  parser(
    "parseAuthChallenges",
    () =>
      textSeeds(
        'Bearer realm="https://auth.example/token",service="r",scope="repository:app:pull,push"',
        'Negotiate YWJj==, Basic realm="a \\"b\\"", , Digest a=b , c="d"',
      ),
    (source) => parseAuthChallenges(source as string),
    { shape: "text", textOnly: true },
  ),
  parser(
    "parseOciManifest",
    () => [jsonSeed("image", IMAGE), jsonSeed("index", INDEX)],
    (source) =>
      parseOciManifest(typeof source === "string" ? utf8(source) : source as Uint8Array, {
        digest: DIGEST,
      }),
    {
      holds: ({ kind, layers, manifests, config, subject }) => {
        const all = [
          ...layers,
          ...manifests,
          ...[config, subject].filter((one) => one !== undefined),
        ];
        if (!all.every(({ digest }) => isOciDigest(digest))) {
          throw new Broken("a digest that is none");
        }
        if (kind === "index" ? config !== undefined : manifests.length > 0) {
          throw new Broken("an index and an image at once");
        }
      },
    },
  ),
  {
    name: "dockerCredentials",
    kind: "parser",
    prepare: () => ({
      seeds: [
        jsonSeed("auths", {
          auths: {
            "registry.example": { auth: btoa("ci:pass") },
            "b.example": { identitytoken: "t" },
          },
          credHelpers: { "c.example": "ecr-login" },
          credsStore: "desktop",
        }),
      ],
      shape: "json",
      async run(input) {
        const helper = (name: string) => {
          if (!/^[\w.-]+$/.test(name)) throw new Broken("a helper whose name leads elsewhere");
          return Promise.resolve(undefined);
        };
        const lookup = dockerCredentials(input, { helper });
        if (await lookup("registry.example.evil") !== undefined) throw new Broken("another host");
        return await lookup("registry.example") === undefined ? "registry-access-denied" : null;
      },
    }),
  },
  {
    name: "createTarFiles",
    kind: "parser",
    covers: ["createLayout"],
    prepare: () => ({
      seeds: [{ name: "layout", bytes: layoutTar() }],
      shape: "der",
      async run(input) {
        const files = createTarFiles(bytesAccess("a.tar", withSums(input)));
        for (const name of await files.names("blobs")) {
          if (/(^|\/)\.\.(\/|$)|\\/.test(textOf(utf8(name)))) throw new Broken("a name with ..");
        }
        const layout = createLayout(files);
        for (const { digest } of await layout.entries()) await layout.manifest(digest);
        return null;
      },
    }),
  },
];
