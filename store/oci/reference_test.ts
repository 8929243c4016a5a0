import { deepStrictEqual as deepEqual, strictEqual as equal } from "node:assert/strict";
import { describe, it } from "node:test";
import { isAttestationError } from "../../errors.ts";
import { expandShortName, formatOciReference, parseOciReference } from "./reference.ts";

const HEX = "a".repeat(64);

function reasonOf(run: () => unknown): string {
  try {
    return `accepted: ${JSON.stringify(run())}`;
  } catch (error) {
    if (isAttestationError(error)) return error.reason;
    throw error;
  }
}

describe("parseOciReference()", () => {
  it("tells host, repository, tag and digest apart, and writes them again", () => {
    const digest = `sha256:${HEX}`;
    const cases: [string, ReturnType<typeof parseOciReference>][] = [
      ["registry.example/app", { host: "registry.example", repository: "app" }],
      ["registry.example:5000/a/b:1", {
        host: "registry.example:5000",
        repository: "a/b",
        tag: "1",
      }],
      ["localhost/app:latest", { host: "localhost", repository: "app", tag: "latest" }],
      ["localhost:1/app", { host: "localhost:1", repository: "app" }],
      ["127.0.0.1:5000/app", { host: "127.0.0.1:5000", repository: "app" }],
      ["[::1]:5000/app", { host: "[::1]:5000", repository: "app" }],
      [`registry.example/app@${digest}`, { host: "registry.example", repository: "app", digest }],
      [`r.example/app:v1@${digest}`, { host: "r.example", repository: "app", tag: "v1", digest }],
      ["host:5000/app", { host: "host:5000", repository: "app" }],
    ];
    for (const [text, reference] of cases) {
      deepEqual(parseOciReference(text), reference);
      deepEqual(parseOciReference(`oci://${text}`), reference);
      equal(formatOciReference(reference), text);
    }
    equal(parseOciReference("Registry.Example/app").host, "registry.example");
  });

  it("refuses names without a registry, and names that lead elsewhere", () => {
    const names = ["", "app", "acme/app", "app:1.0", "host/app", "App", "registry.example"];
    names.push("registry.example/", "registry.example//app", "registry.example/../app");
    names.push("registry.example/a/./b", "registry.example/App", "registry.example/a%2fb");
    names.push("registry.example/app:", "registry.example/app:-x", "registry.example/app:a:b");
    names.push("registry.example/app?x", "registry.example/app#x", "registry.example/a\u200bb");
    names.push(
      "user@registry.example/app",
      "https://registry.example/app",
      "oci:registry.example/a",
    );
    names.push("registry.example:0/app", "registry.example:65536/app", "registry.example:/app");
    names.push("-a.example/app", "a..example/app", "[::1/app", "[x]/app", "a_b.example/app");
    names.push(`registry.example/${"a".repeat(256)}`, `registry.example/app:${"a".repeat(129)}`);
    names.push("registry.example\\app/b", "registry.example/app\n", " registry.example/app");
    for (const name of names) {
      const reason = reasonOf(() => parseOciReference(name));
      equal(
        ["malformed-image-reference", "invalid-digest"].includes(reason),
        true,
        `${name}: ${reason}`,
      );
    }
  });

  it("refuses digests of another form", () => {
    for (
      const digest of [
        "",
        "sha256:",
        `sha256:${HEX.slice(1)}`,
        `sha256:${HEX.toUpperCase()}`,
        `sha512:${HEX}`,
        `sha1:${HEX.slice(24)}`,
        `sha256:${HEX}@sha256:${HEX}`,
        `sha256:${HEX}/..`,
      ]
    ) equal(reasonOf(() => parseOciReference(`r.example/app@${digest}`)), "invalid-digest", digest);
    equal(reasonOf(() => parseOciReference(`r.example/${"a/".repeat(600)}`)), "limit-exceeded");
  });
});

describe("expandShortName()", () => {
  it("writes out the default registry, and leaves every other name as it is", () => {
    equal(expandShortName("alpine"), "docker.io/library/alpine");
    equal(expandShortName(`acme/app:1@sha256:${HEX}`), `docker.io/acme/app:1@sha256:${HEX}`);
    equal(expandShortName("docker.io/library/alpine:3"), "docker.io/library/alpine:3");
    equal(expandShortName("localhost/app"), "localhost/app");
    equal(reasonOf(() => expandShortName("Alpine")), "malformed-image-reference");
  });
});
