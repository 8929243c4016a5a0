import { deepStrictEqual as deepEqual, ok } from "node:assert/strict";
import { describe, it } from "node:test";
import { artifact, KEYS } from "./_fixtures_test.ts";
import { cip, imported, ofSignatures } from "./_imports_test.ts";
import { compileSelector } from "./select.ts";

const images = [{ glob: "ghcr.io/acme/**" }];
const key = { data: KEYS.alice };

describe("importPolicy() of the images of a ClusterImagePolicy", () => {
  /** Glob, and images that policy-controller matches with it. */
  const globs: [glob: string, pattern: string, isTold: boolean, matched: string[]][] = [
    ["ghcr.io/acme/app", "ghcr.io/acme/app", false, ["ghcr.io/acme/app"]],
    ["ghcr.io/acme/app:**", "ghcr.io/acme/app", false, ["ghcr.io/acme/app"]],
    ["ghcr.io/acme/app:v1*", "ghcr.io/acme/app", true, ["ghcr.io/acme/app"]],
    ["ghcr.io/acme/app@sha256:a", "ghcr.io/acme/app", true, ["ghcr.io/acme/app"]],
    ["ghcr.io/**:v1", "ghcr.io/**", true, ["ghcr.io/acme/deep/app"]],
    ["localhost:5000/app", "localhost:5000/app", false, ["localhost:5000/app"]],
    ["ghcr.io/acme/***", "ghcr.io/acme/**", false, ["ghcr.io/acme/deep/app"]],
    ["ghcr.io/acme/a.*", "ghcr.io/acme/a?*", true, ["ghcr.io/acme/a.b"]],
    ["gcr.*/acme/app", "gcr?*/acme/app", true, ["gcr.io/acme/app"]],
    ["*.gcr.io/acme/*", "*.gcr.io/acme/*", false, ["eu.gcr.io/acme/app"]],
    ["*:5000/app", "*:5000/app", false, ["localhost:5000/app"]],
    ["nginx", "nginx", false, ["nginx", "docker.io/library/nginx"]],
    ["acme/*", "acme/*", false, ["acme/app", "index.docker.io/acme/app"]],
    ["**", "**", false, ["nginx", "ghcr.io/acme/deep/app"]],
    ["**/app", "**/app", false, ["docker.io/acme/app", "ghcr.io/app"]],
    ["*", "**", true, ["nginx", "index.docker.io/library/nginx"]],
    ["ng*", "**", true, ["nginx"]],
    ["my.a*", "**", true, ["my.app"]],
    ["*/*", "**", true, ["acme/app", "index.docker.io/acme/app"]],
    ["ac*/app", "**", true, ["acme/app"]],
    ["ac.**/app", "**", true, ["ac.example/deep/app"]],
    ["*.docker.io/acme/*", "**", true, ["acme/app", "index.docker.io/acme/app"]],
  ];

  for (const [glob, pattern, isTold, matched] of globs) {
    it(`selects what ${glob} matches`, () => {
      const { document, notCarriedOver } = imported(
        cip({ images: [{ glob }], authorities: [{ key }] }),
      );
      const { select } = document.rules[0];
      deepEqual(select, { oci: [pattern] });
      for (const ociRepository of matched) {
        ok(compileSelector(select)(artifact([], { ociRepository })), ociRepository);
      }
      const why = `Written as ${pattern}, which selects more images`;
      const told = isTold ? [{ path: "/spec/images/0", what: glob, why }] : [];
      deepEqual(notCarriedOver, [...told, ...ofSignatures(1)]);
    });
  }

  it("names a pattern once, and tells what is none", () => {
    const bad = [{ glob: 7 }, "ghcr.io/acme/**", { glob: "" }, { glob: ":v1" }];
    const { document, notCarriedOver } = imported(
      cip({ images: [...images, ...bad, ...images], authorities: [{ key }] }),
    );
    deepEqual(document.rules[0].select, { oci: ["ghcr.io/acme/**"] });
    deepEqual(notCarriedOver, [
      { path: "/spec/images/1", what: '{"glob":7}', why: "It has no glob" },
      { path: "/spec/images/2", what: "ghcr.io/acme/**", why: "It has no glob" },
      { path: "/spec/images/3", what: "", why: "the pattern is empty" },
      { path: "/spec/images/4", what: ":v1", why: "the pattern is empty" },
      ...ofSignatures(1),
    ]);
  });
});
