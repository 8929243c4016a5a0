import { deepStrictEqual as deepEqual, strictEqual as equal, throws } from "node:assert/strict";
import { describe, it } from "node:test";
import { utf8 } from "../internal/bytes.ts";
import { encodeHex } from "../internal/hex.ts";
import { sha256 } from "../internal/sha256.ts";
import { integrityOf, sha512Of } from "../tests/fixtures/npm.ts";
import { reasonOf } from "../tests/fixtures/sigstore.ts";
import { createFolderSource, type LockedPackage, type NpmFolders } from "./mod.ts";

const CONTENT = utf8("content");
const PLAIN: LockedPackage = { name: "app", version: "1.0.0", locations: [] };
const SCOPED: LockedPackage = { name: "@acme/app", version: "1.0.0", locations: [] };

function sourceOf(files: Record<string, Uint8Array>, folders: NpmFolders) {
  const looked: string[] = [];
  const get = (path: string) => {
    looked.push(path);
    return Promise.resolve(files[path]);
  };
  return { looked, source: createFolderSource({ read: get, open: get }, folders) };
}

function sharded(hex: string): string {
  return `${hex.slice(0, 2)}/${hex.slice(2, 4)}/${hex.slice(4)}`;
}

describe("createFolderSource()", () => {
  it("finds tarballs by the names of npm and of the registry", async () => {
    for (
      const path of ["t/@acme%2fapp-1.0.0.tgz", "t/@acme/app-1.0.0.tgz", "t/acme-app-1.0.0.tgz"]
    ) {
      const { source } = sourceOf({ [path]: CONTENT }, { tarballs: "t" });
      equal(await source.tarball(SCOPED), CONTENT, path);
      equal(await source.tarball(PLAIN), undefined);
    }
    const { source } = sourceOf({ "t/app-1.0.0.tgz": CONTENT }, { tarballs: "t" });
    equal(await source.tarball(PLAIN), CONTENT);
    equal(await source.tarball(SCOPED), undefined);
  });

  it("finds answers by name and version", async () => {
    for (const name of ["@acme%2fapp@1.0.0", "@acme%2Fapp@1.0.0", "@acme/app@1.0.0"]) {
      const { source } = sourceOf({ [`a/${name}.json`]: CONTENT }, { attestations: "a" });
      equal(await source.attestations(SCOPED), CONTENT, name);
    }
    const { source } = sourceOf({ "a/app@1.0.0.json": CONTENT }, { attestations: "a" });
    equal(await source.attestations(PLAIN), CONTENT);
    equal(await source.attestations(SCOPED), undefined);
  });

  it("finds tarballs in the cache by their SHA-512", async () => {
    const sha512 = await sha512Of(CONTENT);
    for (const root of ["npm/_cacache", "npm"]) {
      const path = `${root}/content-v2/sha512/${sharded(sha512)}`;
      const { source } = sourceOf({ [path]: CONTENT }, { cache: "npm" });
      equal(await source.tarball({ ...PLAIN, sha512 }), CONTENT);
      equal(await source.tarball(PLAIN), undefined);
    }
  });

  it("finds answers in the cache by their address, the last one that was written", async () => {
    const url = "https://registry.example/-/npm/v1/attestations/@acme%2fapp@1.0.0";
    const key = `make-fetch-happen:request-cache:${url}`;
    const index = `npm/_cacache/index-v5/${sharded(encodeHex(sha256(utf8(key))))}`;
    const content = `npm/_cacache/content-v2/sha512/${sharded(await sha512Of(CONTENT))}`;
    const line = (entry: object) => `\n${"0".repeat(40)}\t${JSON.stringify(entry)}`;
    const good = line({ key, integrity: await integrityOf(CONTENT) });
    const old = line({ key, integrity: await integrityOf(utf8("old")) });
    const found = async (text: string, bytes: Uint8Array = CONTENT) => {
      const files = { [index]: utf8(text), [content]: bytes };
      return await sourceOf(files, { cache: "npm" }).source.attestations({
        ...SCOPED,
        resolved: "https://registry.example/@acme/app/-/app-1.0.0.tgz",
      });
    };
    equal(await found(old + good), CONTENT);
    equal(await found(`${good}\nbroken\t{"key`), CONTENT);
    equal(await found(good + line({ key: "another" })), CONTENT);
    equal(await found(good + old), undefined);
    // Removed from the cache.
    equal(await found(good + line({ key, integrity: null })), undefined);
    equal(await found(line({ key: "another", integrity: await integrityOf(CONTENT) })), undefined);
    equal(await reasonOf(() => found(good, utf8("evil"))), "integrity-mismatch");
  });

  it("makes no path of what is no name", async () => {
    const folders = { tarballs: "t", attestations: "a", cache: "c" };
    const { source, looked } = sourceOf({}, folders);
    for (const name of ["../../etc/passwd", "..", "@../x", "a/b", ""]) {
      equal(await source.tarball({ ...PLAIN, name, sha512: "0".repeat(128) }), undefined);
      equal(await source.attestations({ name, version: "1.0.0" }), undefined);
    }
    equal(await source.attestations({ name: "app", version: "../1.0.0" }), undefined);
    deepEqual(looked, []);
  });

  it("refuses folders that it does not know", () => {
    const folders = { tarball: "t" } as NpmFolders;
    throws(() => sourceOf({}, folders), TypeError);
  });
});
