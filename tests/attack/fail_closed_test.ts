import { deepStrictEqual as deepEqual, ok } from "node:assert/strict";
import { test } from "node:test";
import { unexplained, WITHOUT_EFFECT } from "./closed_places.ts";
import { failClosed } from "./fail_closed.ts";
import { instrument } from "./instrument.ts";

test("a fault anywhere in verify(), in a policy or in the command line refuses", () => {
  const probes = failClosed(["--stride", "9"]);
  deepEqual(probes.flatMap(unexplained), []);
  ok(probes.length >= 6);
  for (const { scenario, sites, refused, thrown } of probes) {
    ok(sites > 10, `${scenario}: ${sites} sites`);
    ok(refused + thrown > sites * 0.9, scenario);
  }
  for (const { why } of WITHOUT_EFFECT) ok(why.length > 20);
});

test("a check whose failure is swallowed is found", () => {
  const probes = failClosed(
    ["--stride", "1", "--site", "sigstore/merkle.ts"],
    (source, path) =>
      path === "sigstore/transparency_log.ts"
        ? source.replace('.find(({ status }) => status === "rejected")', ".find(() => false)")
        : source,
  );
  const found = probes.flatMap(unexplained);
  ok(found.some((line) => line.includes("accepted with a fault at")), found.join("\n"));
});

test("instrument() reaches functions, awaits and calls of dependencies", () => {
  const made = instrument(
    'import { x } from "lib";\n' +
      "export async function f(a = () => 1) { return await x(await a()); }\n",
    "a.ts",
  );
  deepEqual(
    [...made.matchAll(/attack\?\.\("(\w+) a\.ts:(\d+):/g)].map(([, kind, line]) => [
      kind,
      line,
    ]),
    [["enter", "2"], ["enter", "2"], ["await", "2"], ["call", "2"], ["await", "2"]],
  );
});
