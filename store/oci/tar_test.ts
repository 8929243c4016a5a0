import { deepStrictEqual as deepEqual, strictEqual as equal } from "node:assert/strict";
import { describe, it } from "node:test";
import { isAttestationError } from "../../errors.ts";
import { concat, utf8 } from "../../internal/bytes.ts";
import { digestOf } from "../../tests/fixtures/registry.ts";
import { createLayout } from "./layout.ts";
import { bytesAccess, createTarFiles } from "./tar.ts";

interface Entry {
  name: string;
  content?: string | Uint8Array;
  type?: string;
  size?: string;
  prefix?: string;
}

/** A tar file as POSIX has it. */
function tar(entries: readonly Entry[], end = true): Uint8Array {
  const parts = entries.flatMap(({ name, content = "", type = "0", size, prefix = "" }) => {
    const bytes = typeof content === "string" ? utf8(content) : content;
    const header = new Uint8Array(512);
    header.set(utf8(name).subarray(0, 100));
    header.set(utf8("0000644\0"), 100);
    header.set(utf8(size ?? bytes.length.toString(8).padStart(11, "0")), 124);
    header.set(utf8("        "), 148);
    header.set(utf8(type), 156);
    header.set(utf8("ustar\x0000"), 257);
    header.set(utf8(prefix), 345);
    const sum = header.reduce((total, byte) => total + byte, 0);
    header.set(utf8(`${sum.toString(8).padStart(6, "0")}\0 `), 148);
    return [header, bytes, new Uint8Array((512 - bytes.length % 512) % 512)];
  });
  return concat(...parts, new Uint8Array(end ? 1024 : 0));
}

function pax(name: string, value: string): Entry {
  const record = ` ${name}=${value}\n`;
  const length = utf8(record).length;
  const digits = String(length + String(length + 2).length).length;
  return { name: "pax", type: "x", content: `${length + digits}${record}` };
}

async function read(bytes: Uint8Array, path = "a"): Promise<string> {
  try {
    const files = createTarFiles(bytesAccess("a.tar", bytes));
    if (await files.size(path) === undefined) return "absent";
    return `has ${await new Response(await files.open(path)).text()}`;
  } catch (error) {
    if (isAttestationError(error)) return error.reason;
    throw error;
  }
}

describe("createTarFiles()", () => {
  it("reads a layout, from bytes and from a Blob", async () => {
    const config = utf8("{}");
    const digest = digestOf(config);
    const manifest = utf8(JSON.stringify({
      schemaVersion: 2,
      mediaType: "application/vnd.oci.image.manifest.v1+json",
      config: { mediaType: "application/vnd.oci.empty.v1+json", digest, size: 2 },
      layers: [],
    }));
    const annotations = { "org.opencontainers.image.ref.name": "1.0" };
    const mediaType = "application/vnd.oci.image.manifest.v1+json";
    const entry = { mediaType, digest: digestOf(manifest), size: manifest.length, annotations };
    const bytes = tar([
      { name: "./", type: "5" },
      { name: "./blobs/", type: "5" },
      { name: "blobs/sha256/", type: "5" },
      { name: `blobs/sha256/${digest.slice(7)}`, content: config },
      { name: `blobs/sha256/${digestOf(manifest).slice(7)}`, content: manifest },
      { name: "index.json", content: JSON.stringify({ schemaVersion: 2, manifests: [entry] }) },
      { name: "./oci-layout", content: '{"imageLayoutVersion":"1.0.0"}' },
      { name: "manifest.json", content: "[]" },
    ]);
    for (const content of [bytes, new Blob([new Uint8Array(bytes)])]) {
      const layout = createLayout(createTarFiles(bytesAccess("a.tar", content)));
      const found = await layout.manifest(await layout.resolve("1.0"));
      deepEqual(await layout.blob(found.config!), config);
      deepEqual(await layout.tags(), ["1.0"]);
      deepEqual((await layout.referrers(found.digest)).manifests, []);
    }
  });

  const long = `${"d/".repeat(60)}file`;
  const accepted: [string, Entry[], string][] = [
    ["a file", [{ name: "a", content: "x" }], "a"],
    ["an old file", [{ name: "a", content: "x", type: "\0" }], "a"],
    ["a prefix", [{ name: "b", content: "x", prefix: "a/c" }], "a/c/b"],
    ["a pax path", [pax("path", long), { name: "cut", content: "x" }], long],
    ["a GNU long name", [{ name: "L", type: "L", content: `${long}\0` }, {
      name: "c",
      content: "x",
    }], long],
    ["a pax size", [pax("size", "1"), { name: "a", content: "x", size: "00000000000" }], "a"],
    ["a global header", [{ name: "g", type: "g", content: "10 a=bcde\n" }, {
      name: "a",
      content: "x",
    }], "a"],
    ["a size in base 256", [{ name: "a", content: "x", size: "\u0080" }], "a"],
    ["a folder twice", [{ name: "b/", type: "5" }, { name: "b", type: "5" }, {
      name: "a",
      content: "x",
    }], "a"],
  ];
  for (const [what, entries, path] of accepted) {
    it(`reads ${what}`, async () => {
      const bytes = tar(entries);
      if (what === "a size in base 256") {
        bytes.fill(0, 124, 136);
        bytes[124] = 0x80;
        bytes[135] = 1;
        bytes.set(utf8("        "), 148);
        const sum = bytes.subarray(0, 512).reduce((total, byte) => total + byte, 0);
        bytes.set(utf8(`${sum.toString(8).padStart(6, "0")}\0 `), 148);
      }
      equal(await read(bytes, path), "has x");
    });
  }

  const tricks: Record<string, Entry[]> = {
    "a name with ..": [{ name: "../a" }],
    "a name with .. inside": [{ name: "b/../../a" }],
    "a name with . inside": [{ name: "b/./a" }],
    "an absolute name": [{ name: "/a" }],
    "a name with a drive": [{ name: "C:a" }],
    "a name with backslashes": [{ name: "..\\a" }],
    "a name with a control": [{ name: "a\u0001" }],
    "an empty part": [{ name: "b//a" }],
    "a pax path with ..": [pax("path", "../a"), { name: "a" }],
    "a long name with ..": [{ name: "L", type: "L", content: "../a" }, { name: "a" }],
    "a symbolic link": [{ name: "a", type: "2" }],
    "a hard link": [{ name: "a", type: "1" }],
    "a device": [{ name: "a", type: "3" }],
    "a pipe": [{ name: "a", type: "6" }],
    "another kind": [{ name: "a", type: "S" }],
    "a name twice": [{ name: "a", content: "x" }, { name: "./a", content: "y" }],
    "a file with a folder's name": [{ name: "a/", type: "5" }, { name: "a", content: "x" }],
    "a size past the end": [{ name: "a", size: "77777777777" }],
    "a size that is no number": [{ name: "a", size: "9" }],
    "a pax size that is no number": [pax("size", "-1"), { name: "a" }],
    "a pax record that is none": [{ name: "x", type: "x", content: "99 path=b\n" }, { name: "a" }],
    "a pax record without length": [{ name: "x", type: "x", content: "path=b\n" }, { name: "a" }],
    "a pax link": [pax("linkpath", "b"), { name: "a" }],
    "a sparse file": [pax("GNU.sparse.major", "1"), { name: "a" }],
    "a large extended header": [{ name: "x", type: "x", content: "x".repeat(70_000) }, {
      name: "a",
    }],
    "the folder as a file": [{ name: "./" }],
  };
  for (const [what, entries] of Object.entries(tricks)) {
    it(`refuses ${what}`, async () => equal(await read(tar(entries)), "malformed-image-layout"));
  }

  it("refuses what is no tar file, is compressed or cut short", async () => {
    const bytes = tar([{ name: "a", content: "x" }]);
    for (const length of [0, 1, 511, 512, 1000]) {
      equal(await read(bytes.subarray(0, length)), "malformed-image-layout", `${length}`);
    }
    equal(await read(tar([{ name: "a", content: "x" }], false)), "malformed-image-layout");
    equal(await read(utf8("x".repeat(2048))), "malformed-image-layout");
    const gzip = new Uint8Array(2048);
    gzip.set([0x1f, 0x8b]);
    equal(await read(gzip), "malformed-image-layout");
    equal(await read(new Uint8Array(1024)), "malformed-image-layout");
    for (let at = 0; at < 512; at++) {
      const changed = new Uint8Array(bytes);
      changed[at] ^= 1;
      if (changed[at] === 0 && bytes[at] === 0) continue;
      const answer = await read(changed);
      equal(["malformed-image-layout", "has x"].includes(answer), true, `${at}: ${answer}`);
    }
  });

  it("reads no more than the headers until it is asked", async () => {
    const bytes = tar([{ name: "big", content: new Uint8Array(1 << 20) }, {
      name: "a",
      content: "x",
    }]);
    let total = 0;
    const source = bytesAccess("a.tar", bytes);
    const files = createTarFiles({
      ...source,
      read: (offset, length) => {
        total += length;
        return source.read(offset, length);
      },
    });
    equal(await files.size("big"), 1 << 20);
    equal(await files.size("b"), undefined);
    equal(total <= 4 * 512, true);
  });
});
