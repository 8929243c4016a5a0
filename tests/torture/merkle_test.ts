import { deepStrictEqual as deepEqual, strictEqual as equal } from "node:assert/strict";
import { describe, it } from "node:test";
import { decodeBase64 } from "../../internal/base64.ts";
import { verifyInclusion } from "../../sigstore/merkle.ts";
import { load, options, ran } from "./corpus.ts";

/* Third-party vectors: transparency-dev/merkle. */

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
    const { cases } = load<{ cases: InclusionCase[] }>("merkle/inclusion.json");
    const bytes = (text: string | null) => decodeBase64(text ?? "");
    const wrong = cases.filter(({ leafIdx, treeSize, root, leafHash, proof, wantErr }) => {
      const hashes = (proof ?? []).map((one) => bytes(one));
      const path = { index: BigInt(leafIdx), size: BigInt(treeSize), hashes };
      return verifyInclusion(bytes(leafHash), path, bytes(root)) === wantErr;
    });
    deepEqual(wrong.map(({ name }) => name), []);
    equal(cases.length, 98);
    ran("merkle", cases.length);
  });
});
