import { deepStrictEqual as deepEqual, ok, strictEqual as equal } from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import {
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { after, before, describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { isAttestationError } from "../errors.ts";
import { utf8 } from "../internal/bytes.ts";
import { attestation, digestOf } from "../store/_contract_test.ts";
import { createLayoutFolder, createLayoutTar } from "../store/fs.ts";
import { createOciStore, type OciLayout } from "../store/oci/mod.ts";
import { digestOf as digestOfBytes } from "./fixtures/registry.ts";

const WRITER = fileURLToPath(new URL("layout_writer.ts", import.meta.url));

async function reasonOf(work: Promise<unknown>): Promise<string> {
  try {
    await work;
    return "accepted";
  } catch (error) {
    if (isAttestationError(error)) return error.reason;
    throw error;
  }
}

/** An image in a new layout; the config is its only blob. */
async function image(layout: OciLayout, text: string, tag: string) {
  const bytes = utf8(JSON.stringify({ text }));
  const config = {
    mediaType: "application/vnd.oci.image.config.v1+json",
    digest: digestOfBytes(bytes),
    size: bytes.length,
  };
  await layout.putBlob(config, bytes);
  const manifest = utf8(JSON.stringify({
    schemaVersion: 2,
    mediaType: "application/vnd.oci.image.manifest.v1+json",
    config,
    layers: [],
  }));
  await layout.putManifest(manifest, { tag });
  return { config, digest: digestOfBytes(manifest) };
}

/** Runs a writer and kills it after a while; what it had acknowledged. */
async function killed(folder: string, name: string, afterMs: number): Promise<string[]> {
  const child = spawn(process.execPath, ["run", "-A", "--no-prompt", WRITER, folder, name], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  let out = "";
  let timeout: ReturnType<typeof setTimeout> | undefined;
  child.stdout.on("data", (part) => {
    out += part;
    timeout ??= setTimeout(() => child.kill("SIGKILL"), afterMs);
  });
  await new Promise((resolve) => child.on("close", resolve));
  clearTimeout(timeout);
  return out.split("\n").slice(0, -1);
}

describe("createLayoutFolder()", () => {
  let root = "";
  before(() => {
    root = mkdtempSync(join(tmpdir(), "attest-layout-"));
  });
  after(() => rmSync(root, { recursive: true, force: true }));

  test("writes a layout that it reads again, also as a tar file", async (t) => {
    const folder = join(root, "one");
    equal(await reasonOf(createLayoutFolder(folder).tags()), "malformed-image-layout");
    const { config, digest } = await image(createLayoutFolder(folder), "one", "1.0");
    const layout = createLayoutFolder(`${folder}/`);
    equal((await layout.resolve("1.0")).digest, digest);
    equal((await layout.blob(config)).length, config.size);
    deepEqual(readdirSync(folder).sort(), ["blobs", "index.json", "oci-layout"]);
    const tar = join(root, "one.tar");
    if (spawnSync("tar", ["-cf", tar, "-C", folder, "."]).status !== 0) {
      t.skip("tar is not installed");
      return;
    }
    const packed = await createLayoutTar(tar);
    equal((await packed.resolve("1.0")).digest, digest);
    equal(await reasonOf(packed.putBlob({ ...config, size: 1 }, utf8("x"))), "content-mismatch");
    const x = { mediaType: "a/b", digest: digestOfBytes(utf8("x")), size: 1 };
    equal(await reasonOf(packed.putBlob(x, utf8("x"))), "unwritable-file");
    equal(await reasonOf(createLayoutTar(folder)), "unreadable-file");
  });

  test("follows no link, and takes no changed or unfinished file for a blob", async () => {
    const folder = join(root, "two");
    const layout = createLayoutFolder(folder);
    const { config } = await image(layout, "two", "1.0");
    const path = join(folder, "blobs/sha256", config.digest.slice(7));
    renameSync(path, join(root, "elsewhere"));
    symlinkSync(join(root, "elsewhere"), path);
    equal(await reasonOf(layout.blob(config)), "image-not-found");
    rmSync(path);
    writeFileSync(`${path}.${crypto.randomUUID()}.tmp`, "half");
    equal(await reasonOf(layout.blob(config)), "image-not-found");
    writeFileSync(path, readFileSync(join(root, "elsewhere"), "utf8").replace("two", "owt"));
    equal(await reasonOf(layout.blob(config)), "content-mismatch");
    equal((await layout.referrers(config.digest)).manifests.length, 0);
  });

  test("lets large content flow, and leaves nothing of what is not right", async () => {
    const folder = join(root, "three");
    const layout = createLayoutFolder(folder);
    const bytes = new Uint8Array(20 << 20).fill(7);
    const blob = { mediaType: "a/b", digest: digestOfBytes(bytes), size: bytes.length };
    const stream = () => Promise.resolve(new Blob([bytes]).stream());
    await layout.putBlob(blob, stream);
    let size = 0;
    for await (const part of await layout.blobStream(blob)) size += part.length;
    equal(size, bytes.length);
    const wrong = { ...blob, digest: `sha256:${"a".repeat(64)}` };
    equal(await reasonOf(layout.putBlob(wrong, stream)), "content-mismatch");
    deepEqual(readdirSync(join(folder, "blobs/sha256")), [blob.digest.slice(7)]);
  });

  test("loses nothing that was acknowledged when writers are killed", async () => {
    const folder = join(root, "four");
    await image(createLayoutFolder(folder), "four", "1.0");
    const acknowledged: string[] = [];
    for (const afterMs of [5, 60]) {
      const both = ["a", "b"].map((name) => killed(folder, `${name}${afterMs}`, afterMs));
      acknowledged.push(...(await Promise.all(both)).flat());
    }
    ok(acknowledged.length >= 4, `${acknowledged.length}`);
    const layout = createLayoutFolder(folder);
    const store = createOciStore(layout);
    const notes: string[] = [];
    const found = await store.find(digestOf("app"), { onNote: ({ reason }) => notes.push(reason) });
    const ids = new Set(found?.map(({ id }) => id));
    deepEqual(acknowledged.filter((id) => !ids.has(id)), []);
    deepEqual(notes, []);
    for (const { digest } of await layout.entries()) await layout.manifest(digest);
    equal((await layout.resolve("1.0")).mediaType, "application/vnd.oci.image.manifest.v1+json");
    // A lock of a process that was killed is given up, and the next put goes on.
    ok((await store.put(attestation([digestOf("app")], "after"))).created);
  });
});
