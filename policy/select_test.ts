import { deepStrictEqual as deepEqual, strictEqual as equal } from "node:assert/strict";
import { describe, it } from "node:test";
import type { Selector } from "./document.ts";
import type { ArtifactEvidence } from "./evidence.ts";
import { canonicalOci, compileSelector } from "./select.ts";

const HEX = "ab".repeat(32);

function selects(selector: Selector | undefined, more: Partial<ArtifactEvidence> = {}): boolean {
  return compileSelector(selector)({
    artifact: "dist/app.tgz",
    digest: { sha256: HEX },
    attestations: [],
    refused: [],
    ...more,
  });
}

describe("canonicalOci()", () => {
  it("names the registry, and the library of the default one", () => {
    const rows: [text: string, canonical: string][] = [
      ["nginx", "docker.io/library/nginx"],
      ["ngin?", "docker.io/library/ngin?"],
      ["acme/app", "docker.io/acme/app"],
      ["acme/*", "docker.io/acme/*"],
      ["acme/a/b", "docker.io/acme/a/b"],
      ["docker.io/nginx", "docker.io/library/nginx"],
      ["docker.io/ngin?", "docker.io/library/ngin?"],
      ["docker.io/acme/app", "docker.io/acme/app"],
      ["Docker.IO/nginx", "docker.io/library/nginx"],
      ["index.docker.io/nginx", "docker.io/library/nginx"],
      ["registry-1.docker.io/nginx", "docker.io/library/nginx"],
      ["registry-2.docker.io/nginx", "registry-2.docker.io/nginx"],
      ["ghcr.io/app", "ghcr.io/app"],
      ["GHCR.io/acme/app", "ghcr.io/acme/app"],
      ["registry:5000/app", "registry:5000/app"],
      ["localhost/app", "localhost/app"],
      ["LocalHost/app", "localhost/app"],
      ["localhost", "docker.io/library/localhost"],
      // A registry without dot and port is known by its capital letters alone.
      ["Registry/app", "registry/app"],
      ["registry/App", "docker.io/registry/App"],
      // Patterns for more than one registry, or for what is in the default one and its library.
      ["*", "*"],
      ["**", "**"],
      ["ng*", "ng*"],
      ["*/acme/app", "*/acme/app"],
      ["ghcr.?o/app", "ghcr.?o/app"],
      ["docker.io/*", "docker.io/*"],
      ["docker.io/**", "docker.io/**"],
    ];
    for (const [text, canonical] of rows) equal(canonicalOci(text), canonical, text);
  });
});

describe("compileSelector()", () => {
  it("selects every artifact when there is none, and none when it says nothing", () => {
    equal(selects(undefined), true);
    equal(selects({}), false);
  });

  it("wants all members, and of one member any entry", () => {
    equal(selects({ name: ["x", "dist/*"] }), true);
    equal(selects({ name: "*" }), false);
    equal(selects({ name: "dist/*", digest: `sha256:${HEX}` }), true);
    equal(selects({ name: "dist/*", digest: `sha256:${"0".repeat(64)}` }), false);
    equal(selects({ name: "dist/*", npm: "**" }), false);
    equal(selects({ oci: "**" }), false);
  });

  it("compares digests normalised, under their own algorithm", () => {
    equal(selects({ digest: `sha256:${HEX.toUpperCase()}` }), true);
    equal(selects({ digest: `sha3_256:${HEX}` }), false);
    equal(selects({ digest: [`sha256:${"0".repeat(64)}`, `sha256:${HEX}`] }), true);
  });

  it("takes an OCI repository under each of its names", () => {
    const at = (ociRepository: string, oci: string) => selects({ oci }, { ociRepository });
    equal(at("ghcr.io/acme/app", "ghcr.io/acme/*"), true);
    equal(at("GHCR.IO/acme/app", "ghcr.io/acme/*"), true);
    equal(at("ghcr.io/acme/app", "GHCR.io/acme/app"), true);
    equal(at("ghcr.io/acme/a/b", "ghcr.io/acme/*"), false);
    equal(at("ghcr.io/acme/a/b", "ghcr.io/acme/**"), true);
    equal(at("ghcr.io/acme-evil/app", "ghcr.io/acme/**"), false);
    equal(at("evil.example/ghcr.io/acme/app", "ghcr.io/acme/**"), false);
    equal(at("nginx", "docker.io/library/nginx"), true);
    equal(at("docker.io/library/nginx", "nginx"), true);
    equal(at("index.docker.io/library/nginx", "nginx"), true);
    equal(at("docker.io/nginx", "nginx"), true);
    equal(at("evil/nginx", "nginx"), false);
    equal(at("localhost:5000/app", "localhost:5000/*"), true);
    equal(at("app", "localhost/*"), false);
    equal(at("evil", "*/evil"), false);
  });

  it("knows a name without dots in its path, and one that climbs by its dots", () => {
    const rows: [artifact: string, plain: string][] = [
      ["app", "app"],
      ["app.d/..a", "app.d/..a"],
      ["./app", "app"],
      ["a/./b", "a/b"],
      ["a/.", "a"],
      ["a/b/../c", "a/c"],
      ["a/b/../../c", "c"],
      ["a/b/..", "a"],
      ["../app", "../app"],
      ["../../app", "../../app"],
      ["a/../../app", "../app"],
      ["/app", "/app"],
      ["/./app", "/app"],
      ["/../app", "/app"],
      ["/../../app", "/app"],
      ["/a/../../app", "/app"],
    ];
    const names = [...new Set(rows.map(([, plain]) => plain))];
    for (const [artifact, plain] of rows) {
      const found = names.filter((name) => selects({ name }, { artifact }));
      deepEqual(found, [plain], artifact);
    }
  });

  it("does not take a scope for a package, nor a name without scope for one with", () => {
    const at = (npmPackage: string, npm: string) => selects({ npm }, { npmPackage });
    equal(at("@acme/app", "@acme/*"), true);
    equal(at("@acme-evil/app", "@acme/*"), false);
    equal(at("app", "@acme/*"), false);
    equal(at("@acme/app", "*"), false);
    equal(at("left-pad", "left-pad"), true);
    equal(at("left-padd", "left-pad"), false);
  });
});
