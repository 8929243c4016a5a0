import { deepStrictEqual as deepEqual, strictEqual as equal } from "node:assert/strict";
import { describe, it } from "node:test";
import { decodeHex, encodeHex } from "../internal/hex.ts";
import { sha256 } from "../internal/sha256.ts";
import { type InclusionPath, leafHash, nodeHash, verifyInclusion } from "./merkle.ts";

const LEAVES = [
  "",
  "00",
  "10",
  "2021",
  "3031",
  "40414243",
  "5051525354555657",
  "606162636465666768696a6b6c6d6e6f",
].map((text) => decodeHex(text));

const ROOTS = [
  "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
  "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
  "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
  "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
  "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
  "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
  "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
  "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
  "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
].map((text) => decodeHex(text));

const PROOFS: readonly (readonly [index: number, size: number, hashes: readonly string[]])[] = [
  [0, 1, []],
  [2, 3, [encodeHex(ROOTS[2])]],
  [6, 7, [
    "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
    encodeHex(ROOTS[4]),
  ]],
  [5, 8, [
    "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
    "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
    encodeHex(ROOTS[4]),
  ]],
  [0, 8, [
    "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
    "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
    "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
  ]],
];

/** Root by the recursive definition (RFC 9162, 2.1.1). */
function rootOf(hashes: readonly Uint8Array[]): Uint8Array {
  if (hashes.length === 0) return sha256(new Uint8Array());
  if (hashes.length === 1) return hashes[0];
  const split = splitOf(hashes.length);
  return nodeHash(rootOf(hashes.slice(0, split)), rootOf(hashes.slice(split)));
}

function splitOf(count: number): number {
  let split = 1;
  while (split * 2 < count) split *= 2;
  return split;
}

/** Audit path by the recursive definition (RFC 9162, 2.1.3.1). */
function pathOf(index: number, hashes: readonly Uint8Array[]): Uint8Array[] {
  if (hashes.length === 1) return [];
  const split = splitOf(hashes.length);
  return index < split
    ? [...pathOf(index, hashes.slice(0, split)), rootOf(hashes.slice(split))]
    : [...pathOf(index - split, hashes.slice(split)), rootOf(hashes.slice(0, split))];
}

const HASHES = LEAVES.map(leafHash);

describe("leafHash() and nodeHash()", () => {
  it("give the roots of the reference trees", () => {
    for (const [size, root] of ROOTS.entries()) {
      equal(encodeHex(rootOf(HASHES.slice(0, size))), encodeHex(root), `size ${size}`);
    }
  });

  it("keep a leaf from being taken for a node", () => {
    const [left, right] = HASHES;
    const both = new Uint8Array(64);
    both.set(left);
    both.set(right, 32);
    equal(encodeHex(leafHash(both)) === encodeHex(nodeHash(left, right)), false);
  });
});

describe("verifyInclusion()", () => {
  for (const [index, size, hex] of PROOFS) {
    const hashes = hex.map((text) => decodeHex(text));
    const path: InclusionPath = { index: BigInt(index), size: BigInt(size), hashes };
    const verify = (changes: Partial<InclusionPath>, root = ROOTS[size], leaf = HASHES[index]) =>
      verifyInclusion(leaf, { ...path, ...changes }, root);

    it(`accepts the reference proof of ${index} in ${size}`, () => {
      deepEqual(hashes, pathOf(index, HASHES.slice(0, size)).map((hash) => hash.slice()));
      equal(verify({}), true);
    });

    it(`refuses what is near the proof of ${index} in ${size}`, () => {
      const wrong: [string, boolean][] = [
        ["index is the size", verify({ index: BigInt(size) })],
        ["index below 0", verify({ index: -1n })],
        ["extra hash", verify({ hashes: [...hashes, ROOTS[1]] })],
        ["extra hash in front", verify({ hashes: [ROOTS[1], ...hashes] })],
        ["root of one leaf less", verify({}, ROOTS[size - 1])],
        ["root of the empty tree", verify({}, ROOTS[0])],
        ["another leaf", verify({}, ROOTS[size], HASHES[(index + 1) % 8])],
        ["size 0", verify({ index: 0n, size: 0n })],
        ["a leaf that is no hash", verify({}, ROOTS[size], new Uint8Array())],
        ["nothing at all", verify({ hashes: [] }, new Uint8Array(), new Uint8Array())],
      ];
      if (hashes.length > 0) {
        wrong.push(
          ["missing hash", verify({ hashes: hashes.slice(0, -1) })],
          ["first hash missing", verify({ hashes: hashes.slice(1) })],
          ["short hash", verify({ hashes: [hashes[0].subarray(1), ...hashes.slice(1)] })],
          ["sibling index", verify({ index: BigInt(index ^ 1) })],
        );
      }
      if (hashes.length > 1) wrong.push(["order", verify({ hashes: hashes.toReversed() })]);
      deepEqual(wrong.filter(([, accepted]) => accepted), []);
    });
  }

  it("refuses what the hashes make, where the tree is smaller than the path", () => {
    const [leaf, left, right] = HASHES;
    const verify = (size: bigint, hashes: Uint8Array[], root: Uint8Array) =>
      verifyInclusion(leaf, { index: 0n, size, hashes }, root);
    const two = nodeHash(leaf, right);
    equal(verify(2n, [right], two), true);
    equal(verify(1n, [left], nodeHash(left, leaf)), false);
    equal(verify(1n, [right], two), false);
    equal(verify(2n, [right, left], nodeHash(left, two)), false);
    equal(verify(2n, [right, left], nodeHash(two, left)), false);
  });

  it("refuses a leaf or a sibling that is no hash, also where it makes the root", () => {
    const [leaf, sibling] = HASHES;
    for (const length of [0, 31, 33, 64]) {
      const other = new Uint8Array(length);
      const path = (hash: Uint8Array) => ({ index: 0n, size: 2n, hashes: [hash] });
      equal(verifyInclusion(other, path(sibling), nodeHash(other, sibling)), false, `${length}`);
      equal(verifyInclusion(leaf, path(other), nodeHash(leaf, other)), false, `${length}`);
    }
  });

  it("refuses another size when the shape of the path differs", () => {
    const hashes = pathOf(2, HASHES.slice(0, 3));
    for (const size of [4n, 5n, 8n]) {
      equal(verifyInclusion(HASHES[2], { index: 2n, size, hashes }, ROOTS[3]), false, `${size}`);
    }
  });

  it("agrees with the recursive definition for each leaf of each tree up to 40", () => {
    const all = Array.from({ length: 40 }, (_, i) => leafHash(Uint8Array.of(i)));
    let accepted = 0;
    for (let size = 1; size <= all.length; size++) {
      const tree = all.slice(0, size);
      const root = rootOf(tree);
      for (let index = 0; index < size; index++) {
        const hashes = pathOf(index, tree);
        const path = { index: BigInt(index), size: BigInt(size), hashes };
        equal(verifyInclusion(tree[index], path, root), true, `${index} in ${size}`);
        for (let other = 0; other < size; other++) {
          if (verifyInclusion(tree[other], path, root)) accepted++;
        }
      }
    }
    equal(accepted, 40 * 41 / 2, "each path is of one leaf only");
  });

  it("counts beyond 2^53", () => {
    // The last leaf of a tree of 2^62 + 1 leaves has one sibling: the full tree to its left.
    const left = HASHES[1];
    const size = (1n << 62n) + 1n;
    const root = nodeHash(left, HASHES[0]);
    const verify = (index: bigint) =>
      verifyInclusion(HASHES[0], { index, size, hashes: [left] }, root);
    equal(verify(size - 1n), true);
    equal(verify(size - 2n), false);
    // Equal to the index above when read as a double.
    equal(Number(size - 1n), Number(size));
    equal(verify(size), false);
  });
});
