import { deepStrictEqual as deepEqual, strictEqual as equal } from "node:assert/strict";
import { describe, it } from "node:test";
import { isAttestationError } from "../../errors.ts";
import { utf8 } from "../../internal/bytes.ts";
import { digestOf } from "../../tests/fixtures/registry.ts";
import { createLayout, createMemoryFiles, type OciLayout } from "./layout.ts";
import type { OciDescriptor } from "./source.ts";

const HEX = "a".repeat(64);

function memory(
  files?: Map<string, Uint8Array>,
): { layout: OciLayout; files: Map<string, Uint8Array> } {
  const all = files ?? new Map<string, Uint8Array>();
  return { layout: createLayout(createMemoryFiles("a layout", all)), files: all };
}

async function reasonOf(work: Promise<unknown>): Promise<string> {
  try {
    await work;
    return "accepted";
  } catch (error) {
    if (isAttestationError(error)) return error.reason;
    throw error;
  }
}

function blobOf(text: string): { descriptor: OciDescriptor; bytes: Uint8Array } {
  const bytes = utf8(text);
  return { descriptor: { mediaType: "a/b", digest: digestOf(bytes), size: bytes.length }, bytes };
}

async function put(layout: OciLayout, name: string, more: object = {}, tag?: string) {
  const { descriptor, bytes } = blobOf(name);
  await layout.putBlob(descriptor, bytes);
  const manifest = utf8(JSON.stringify({
    schemaVersion: 2,
    mediaType: "application/vnd.oci.image.manifest.v1+json",
    config: descriptor,
    layers: [],
    ...more,
  }));
  const { digest } = await layout.putManifest(manifest, tag === undefined ? {} : { tag });
  const mediaType = "application/vnd.oci.image.manifest.v1+json";
  return { mediaType, digest, size: manifest.length };
}

describe("createLayout()", () => {
  it("keeps images by tag, and gives a tag to the last one", async () => {
    const { layout, files } = memory();
    const one = await put(layout, "one", {}, "1.0");
    deepEqual(await layout.resolve("1.0"), one);
    const two = await put(layout, "two", {}, "1.0");
    await put(layout, "two", {}, "latest");
    deepEqual(await layout.tags(), ["1.0", "latest"]);
    equal((await layout.resolve("1.0")).digest, two.digest);
    equal((await layout.entries()).length, 2);
    equal((await layout.manifest(one.digest)).kind, "image");
    equal(await layout.tag("none"), undefined);
    equal(await reasonOf(layout.resolve("none")), "image-not-found");
    equal(await reasonOf(layout.manifest(`sha256:${HEX}`)), "image-not-found");
    equal(new TextDecoder().decode(files.get("oci-layout")), '{"imageLayoutVersion":"1.0.0"}');
  });

  it("finds referrers among its blobs and under the fallback tag", async () => {
    const { layout } = memory();
    const image = await put(layout, "image", {}, "1.0");
    const subject = { ...image };
    const one = await put(layout, "one", { subject, artifactType: "application/x.one" });
    const two = await put(layout, "two", { subject, artifactType: "application/x.two" });
    const all = await layout.referrers(image.digest);
    equal(all.via, "layout");
    deepEqual(all.manifests.map(({ digest }) => digest).sort(), [one.digest, two.digest].sort());
    const some = await layout.referrers(image.digest, { artifactType: "application/x.one" });
    deepEqual(some.manifests.map(({ digest }) => digest), [one.digest]);
    deepEqual((await layout.referrers(one.digest)).manifests, []);
    equal((await layout.entries()).length, 3);
  });

  it("checks every byte that it reads and writes", async () => {
    const { layout, files } = memory();
    const image = await put(layout, "one", {}, "1.0");
    const { descriptor, bytes } = blobOf("one");
    equal((await layout.blob(descriptor)).length, 3);
    const path = `blobs/sha256/${descriptor.digest.slice(7)}`;
    for (const changed of ["two", "ones"]) {
      files.set(path, utf8(changed));
      equal(await reasonOf(layout.blob(descriptor)), "content-mismatch");
      const stream = await layout.blobStream(descriptor);
      equal(await reasonOf(new Response(stream).arrayBuffer()), "content-mismatch");
    }
    const at = `blobs/sha256/${image.digest.slice(7)}`;
    files.set(at, utf8(`${new TextDecoder().decode(files.get(at))} `));
    equal(await reasonOf(layout.manifest(image.digest)), "content-mismatch");
    const wrong = { ...descriptor, digest: `sha256:${HEX}` };
    equal(await reasonOf(layout.putBlob(wrong, bytes)), "content-mismatch");
    const streamed = () => Promise.resolve(new Response("one").body!);
    equal(await reasonOf(layout.putBlob(wrong, streamed)), "content-mismatch");
    equal(files.has(`blobs/sha256/${HEX}`), false);
  });

  it("refuses what is no layout", async () => {
    const index = '{"schemaVersion":2,"manifests":[]}';
    const marker = '{"imageLayoutVersion":"1.0.0"}';
    for (
      const [files, reason] of [
        [{}, "malformed-image-layout"],
        [{ "index.json": index }, "malformed-image-layout"],
        [{ "oci-layout": marker }, "malformed-image-layout"],
        [{ "oci-layout": "{}", "index.json": index }, "malformed-image-layout"],
        [
          { "oci-layout": '{"imageLayoutVersion":"2"}', "index.json": index },
          "malformed-image-layout",
        ],
        [{ "oci-layout": marker, "index.json": "{" }, "malformed-image-manifest"],
        [{ "oci-layout": "[", "index.json": index }, "malformed-json"],
        [{ "oci-layout": marker.padEnd(5000), "index.json": index }, "limit-exceeded"],
        [{ "oci-layout": marker, "index.json": index.padEnd(5 << 20) }, "limit-exceeded"],
      ] as const
    ) {
      const all = new Map(Object.entries(files).map(([path, text]) => [path, utf8(text)]));
      equal(
        await reasonOf(memory(all).layout.tag("1.0")),
        reason,
        JSON.stringify(files).slice(0, 99),
      );
    }
  });

  it("refuses a tag that names several, and names that lead elsewhere", async () => {
    const { layout, files } = memory();
    const one = await put(layout, "one");
    const two = await put(layout, "two");
    const annotations = { "org.opencontainers.image.ref.name": "1.0" };
    const manifests = [{ ...one, annotations }, { ...two, annotations }];
    files.set("oci-layout", utf8('{"imageLayoutVersion":"1.0.0"}'));
    files.set("index.json", utf8(JSON.stringify({ schemaVersion: 2, manifests })));
    equal(await reasonOf(layout.tag("1.0")), "malformed-image-layout");
    equal(await reasonOf(layout.tag("../1.0")), "malformed-image-reference");
    for (const digest of ["sha256:../../index.json", "sha256:", `sha256:${HEX}/x`]) {
      equal(await reasonOf(layout.manifest(digest)), "invalid-digest");
      equal(await reasonOf(layout.blob({ ...one, digest })), "invalid-digest");
      equal(await reasonOf(layout.referrers(digest)), "invalid-digest");
    }
  });

  it("bounds what it reads, and writes only where it can", async () => {
    const { layout } = memory();
    await put(layout, "one", {}, "1.0");
    const { descriptor, bytes } = blobOf("one");
    equal(await reasonOf(layout.blob(descriptor, { maxBytes: 2 })), "limit-exceeded");
    const { writer: _, ...files } = createMemoryFiles("read only");
    const other = blobOf("other");
    const target = createLayout(files);
    equal(await reasonOf(target.putBlob(other.descriptor, other.bytes)), "unwritable-file");
    const signal = AbortSignal.abort();
    equal(await reasonOf(layout.resolve("1.0", { signal })), "aborted");
    equal(await reasonOf(layout.putBlob(descriptor, bytes, { signal })), "aborted");
  });
});
