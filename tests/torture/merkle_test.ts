import { deepStrictEqual as deepEqual, strictEqual as equal } from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { describe, it } from "node:test";
import { decodeBase64 } from "../../internal/base64.ts";
import { verifyInclusion } from "../../sigstore/merkle.ts";

/* Third-party vectors, not part of this repository: transparency-dev/merkle. */
const ROOT = new URL("../../../shared/torture/merkle/", import.meta.url);
const present = existsSync(ROOT);
const options = present ? {} : { skip: `no third-party vectors at ${ROOT.pathname}` };
if (!present) console.log(`skipped: ${options.skip}`);

interface InclusionCase {
  name: string;
  leafIdx: number;
  treeSize: number;
  root: string | null;
  leafHash: string | null;
  proof: string[] | null;
  wantErr: boolean;
}

describe("verifyInclusion() on transparency-dev/merkle", options, () => {
  it("decides inclusion.json", () => {
    const { cases } = JSON.parse(readFileSync(new URL("inclusion.json", ROOT), "utf8")) as {
      cases: InclusionCase[];
    };
    const bytes = (text: string | null) => decodeBase64(text ?? "");
    const wrong = cases.filter(({ leafIdx, treeSize, root, leafHash, proof, wantErr }) => {
      const hashes = (proof ?? []).map((one) => bytes(one));
      const path = { index: BigInt(leafIdx), size: BigInt(treeSize), hashes };
      return verifyInclusion(bytes(leafHash), path, bytes(root)) === wantErr;
    });
    deepEqual(wrong.map(({ name }) => name), []);
    equal(cases.length, 98);
  });
});
