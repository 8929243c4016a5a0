import {
  deepStrictEqual as deepEqual,
  ok,
  rejects,
  strictEqual as equal,
} from "node:assert/strict";
import { describe, it } from "node:test";
import { isAttestationError } from "../../errors.ts";
import { utf8 } from "../../internal/bytes.ts";
import { matchSubject } from "../match.ts";
import { createStatement } from "../statement.ts";
import {
  createDirectoryManifest,
  type DirectoryFile,
  directorySubject,
  fileSubjects,
} from "./directory.ts";

/** What `find . -type f`, `LC_ALL=C sort` and `sha256sum` say of FILES. */
const LISTED = `4e07408562bedb8b60ce05c1decfe3ad16b72230967de01f640b7e4729b49fce  .dot
7692c3ad3540bb803c020b3aee66cd8887123234ea0c6e7143c0add73ff431ed  a
3fc4ccfe745870e2c0d99f71f30ff0656c8dedd41cc1d7d3d376b0dbe685e2f3  b/c
3f79bb7b435b05321651daefd374cdc681dc06faa65e374e38337b88ca046dea  \u00e9
cd0aa9856147b6c5b4ff2b7dfee5da20aa38253099ef1b4a64aced233c9afe29  \uff00
252f10c83610ebca1a059c0bae8255eba2f95be4d1d7bcfa89d7248a82d9f111  \u{1d538}
`;
const H1 = "a1a2567b45b1bfe4568e9470443f9a44822f74a311af69f43a48d6162549bc80";
const FILES: Record<string, string> = {
  "\u{1d538}": "f",
  "\uff00": "g",
  "b/c": "two",
  ".dot": "3",
  "\u00e9": "e",
  a: "one",
};

function entries(files: Record<string, string>): DirectoryFile[] {
  return Object.entries(files).map(([path, text]) => ({ path, content: utf8(text) }));
}

async function hashOf(files: Record<string, string>): Promise<string | undefined> {
  const manifest = await createDirectoryManifest(entries(files));
  return (await directorySubject(manifest)).digest?.dirHash;
}

function refusedFor(reason: string): (error: unknown) => boolean {
  return (error) => isAttestationError(error) && error.reason === reason;
}

describe("createDirectoryManifest()", () => {
  it("writes what sha256sum writes, by code point and not by UTF-16 unit", async () => {
    const manifest = await createDirectoryManifest(entries(FILES));
    equal(manifest.text, LISTED);
    const subject = await directorySubject(manifest, { name: "d" });
    deepEqual(subject.digest, { sha256: H1, dirHash: H1 });
  });

  it("opens each file when its turn comes, once, and adds digests that are asked for", async () => {
    const opened: string[] = [];
    async function* files(): AsyncGenerator<DirectoryFile> {
      for (const path of ["b", "a"]) {
        await Promise.resolve();
        yield {
          path,
          content: () => {
            opened.push(path);
            return new Blob([path]).stream();
          },
        };
      }
    }
    let bytes = 0;
    const manifest = await createDirectoryManifest(files(), {
      algorithms: ["sha512"],
      onBytes: (count) => bytes += count,
    });
    deepEqual(opened, ["b", "a"]);
    equal(bytes, 2);
    deepEqual(Object.keys(manifest.files[0].digest), ["sha256", "sha512"]);
    deepEqual(fileSubjects(manifest, "dist").map(({ name }) => name), ["dist/a", "dist/b"]);
  });

  it("tells a file that is changed, added, removed, renamed or moved", async () => {
    const before = await hashOf({ a: "1", "b/c": "2" });
    const others: Record<string, string>[] = [
      { a: "2", "b/c": "2" },
      { a: "1", "b/c": "2", d: "" },
      { a: "1" },
      { A: "1", "b/c": "2" },
      { a: "1", "c/b": "2" },
      { a: "2", "b/c": "1" },
    ];
    const hashes = await Promise.all(others.map(hashOf));
    equal(new Set([before, ...hashes]).size, others.length + 1);
    equal(await hashOf({ "b/c": "2", a: "1" }), before);
  });

  it("refuses names that can be read in two ways or lead elsewhere", async () => {
    const names = [
      "a\nb",
      "a\r",
      "a\0b",
      "\u001b[31m",
      "a\u0085b",
      "a\\b",
      "/etc/passwd",
      "../a",
      "a/../b",
      "a/..",
      "./a",
      "a//b",
      "a/",
      "",
      "C:/a",
      "c:a",
      "\ud800",
      "x".repeat(4097),
    ];
    for (const path of names) {
      await rejects(
        createDirectoryManifest([{ path, content: utf8("") }]),
        refusedFor("unsupported-file-name"),
        JSON.stringify(path),
      );
    }
    ok(await createDirectoryManifest([{ path: "..a/b..", content: utf8("") }]));
    ok(await createDirectoryManifest([{ path: "__proto__", content: utf8("") }]));
  });

  it("does not open a file whose name it refuses", async () => {
    let opened = false;
    const content = () => {
      opened = true;
      return utf8("");
    };
    await rejects(createDirectoryManifest([{ path: "../a", content }]));
    equal(opened, false);
  });

  it("refuses an empty folder, a path given twice, and too many files", async () => {
    await rejects(createDirectoryManifest([]), refusedFor("empty-directory"));
    await rejects(
      createDirectoryManifest([...entries({ a: "1" }), ...entries({ a: "1" })]),
      refusedFor("duplicate-subject-name"),
    );
    function* endless(): Generator<DirectoryFile> {
      for (let i = 0;; i++) yield { path: `${i}`, content: new Uint8Array() };
    }
    await rejects(createDirectoryManifest(endless()), refusedFor("limit-exceeded"));
  });

  it("refuses options that nothing reads", async () => {
    const options = { algorithm: ["sha512"] } as object;
    await rejects(createDirectoryManifest(entries({ a: "1" }), options), TypeError);
    const manifest = await createDirectoryManifest(entries({ a: "1" }));
    await rejects(directorySubject(manifest, { uri: "x" } as object), TypeError);
  });
});

describe("directorySubject()", () => {
  it("matches a folder by dirHash, and a file that holds the manifest is no folder", async () => {
    const manifest = await createDirectoryManifest(entries(FILES));
    const predicateType = "https://example.com/t";
    const ofFolder = createStatement({
      subject: [await directorySubject(manifest, { name: "d", algorithms: ["sha512"] })],
      predicateType,
    });
    deepEqual(Object.keys(ofFolder.subject[0].digest ?? {}), ["sha512", "dirHash"]);
    equal(ofFolder.subject[0].name, "d");
    const plain = await directorySubject(manifest);
    deepEqual([Object.keys(plain.digest ?? {}), "name" in plain], [["sha256", "dirHash"], false]);
    equal(matchSubject(ofFolder, { dirHash: H1 }).ok, true);
    equal(matchSubject(ofFolder, { dirHash: H1.replace("a", "b") }).ok, false);
    const ofFile = createStatement({ subject: [{ digest: { sha256: H1 } }], predicateType });
    equal(matchSubject(ofFile, { dirHash: H1 }).ok, false);
  });
});
