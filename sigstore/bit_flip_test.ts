import { deepStrictEqual as deepEqual, ok } from "node:assert/strict";
import { describe, it } from "node:test";
import { type Accepted, flipBits, harmless } from "../tests/attack/bit_flips.ts";
import {
  ARTIFACT,
  BLOB,
  bundleOf,
  ENVELOPE,
  IDENTITY,
  rootJson,
} from "../tests/fixtures/sigstore.ts";
import type { ReadFile, VectorCase } from "../tests/vectors/cases.ts";
import { type Recipe, rekor2, stamped } from "../tools/pki/instance.ts";

/** A prime, from one flip to the next; `tests/attack` flips every bit of every vector. */
const STRIDE = 197;

const RECIPES: Record<string, Recipe> = {
  "rekor1-blob": { ...BLOB, timestamps: stamped({ embed: false }) },
  "rekor2-envelope": { ...ENVELOPE, entries: rekor2(), timestamps: stamped() },
};

for (const [name, recipe] of Object.entries(RECIPES)) {
  describe(`each bit of a bundle (${name})`, () => {
    it("is checked, or in the list of harmless places", async () => {
      const text = new TextEncoder();
      const files: Record<string, Uint8Array<ArrayBuffer>> = {
        "bundle.json": text.encode(JSON.stringify(await bundleOf(recipe), null, 1)),
        "root.json": text.encode(JSON.stringify(await rootJson())),
        "artifact.txt": ARTIFACT,
      };
      const read: ReadFile = (path) => Promise.resolve(files[path].slice());
      const vector: VectorCase = {
        id: `x-attest/sigstore-bundle/${name}`,
        origin: "x-attest",
        kind: "sigstore-bundle",
        files: { bundle: "bundle.json", trustedRoot: "root.json", artifact: "artifact.txt" },
        expected: "pass",
        options: {
          certificateIdentity: IDENTITY.subjectAlternativeName,
          certificateOidcIssuer: IDENTITY.issuer,
        },
      };
      const { flips, reasons, wrong, accepted } = await flipBits(vector, read, { stride: STRIDE });
      const unexplained = accepted.filter((place: Accepted) => harmless(place) === undefined);
      deepEqual([...wrong, ...unexplained], []);
      ok(flips > 200, `${flips} flips`);
      ok(reasons.size >= 8, `for ${reasons.size} reasons`);
    });
  });
}
