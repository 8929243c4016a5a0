import { deepStrictEqual as deepEqual, strictEqual as equal } from "node:assert/strict";
import { describe, it } from "node:test";
import { isAttestationError } from "../../errors.ts";
import { ociSubject } from "./oci.ts";

const HEX = "a".repeat(64);

function reasonOf(reference: string): string {
  try {
    return `accepted as ${ociSubject(reference).name}`;
  } catch (error) {
    if (!isAttestationError(error)) throw error;
    return error.reason;
  }
}

describe("ociSubject()", () => {
  it("names the repository without tag and scheme, as it is written", () => {
    for (
      const [written, name] of [
        ["registry.example/acme/app", "registry.example/acme/app"],
        ["registry.example:5000/app:1.0", "registry.example:5000/app"],
        ["oci://registry.example/app:1", "registry.example/app"],
        ["localhost/app", "localhost/app"],
        ["[::1]:5000/app", "[::1]:5000/app"],
        ["alpine:3.20", "alpine"],
        ["acme/my__app--x.y", "acme/my__app--x.y"],
      ]
    ) {
      deepEqual(ociSubject(`${written}@sha256:${HEX}`), { name, digest: { sha256: HEX } });
    }
    deepEqual(ociSubject(`a@sha512:${HEX}${HEX}`).digest, { sha512: HEX + HEX });
  });

  it("refuses a tag in place of a digest, and digests of another form", () => {
    equal(reasonOf("registry.example/app:latest"), "missing-subject-digest");
    const digests = [`sha256:${HEX.slice(1)}`, `sha256:${HEX.toUpperCase()}`, `sha1:${HEX}`, HEX];
    digests.push("", `sha512:${HEX}`, `sha256:${HEX}@sha256:${HEX}`, `sha256:${HEX}\n`);
    for (const digest of digests) equal(reasonOf(`app@${digest}`), "invalid-digest", digest);
  });

  it("refuses names that are no repository", () => {
    const names = ["", "App", "a b", "a//b", "/a", "a/", "a:", "a:b:c", "a:-x", "https://a/b"];
    names.push("registry.example/", "registry.example:x/app", "a/../b", "a\u200bb", "[::1/app");
    for (const name of names) {
      equal(reasonOf(`${name}@sha256:${HEX}`), "malformed-image-reference", name);
    }
    equal(reasonOf("a".repeat(2000)), "limit-exceeded");
  });
});
