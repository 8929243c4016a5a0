import { type Bytes, concat } from "../../internal/bytes.ts";
import { sha256Of } from "./keys.ts";

/** Hash of a leaf (RFC 9162, section 2.1.1). */
export function leafHash(leaf: Uint8Array): Bytes {
  return sha256Of(concat(Uint8Array.of(0), leaf));
}

function nodeHash(left: Uint8Array, right: Uint8Array): Bytes {
  return sha256Of(concat(Uint8Array.of(1), left, right));
}

/** Root over the hashes of the leaves, at least one. */
export function treeRoot(hashes: Bytes[]): Bytes {
  if (hashes.length === 1) return hashes[0];
  const split = largestPowerBelow(hashes.length);
  return nodeHash(treeRoot(hashes.slice(0, split)), treeRoot(hashes.slice(split)));
}

/** Audit path of a leaf, from the leaf up (RFC 9162, section 2.1.3.1). */
export function inclusionPath(index: number, hashes: Bytes[]): Bytes[] {
  if (hashes.length === 1) return [];
  const split = largestPowerBelow(hashes.length);
  const left = hashes.slice(0, split);
  const right = hashes.slice(split);
  return index < split
    ? [...inclusionPath(index, left), treeRoot(right)]
    : [...inclusionPath(index - split, right), treeRoot(left)];
}

function largestPowerBelow(count: number): number {
  let power = 1;
  while (power * 2 < count) power *= 2;
  return power;
}

/** Hashes of a log of `size` entries, ours at `index` among made-up ones. */
export function logHashes(leaf: Uint8Array, index: number, size: number): Bytes[] {
  return Array.from(
    { length: size },
    (_, i) => i === index ? leafHash(leaf) : leafHash(sha256Of(`made-up entry ${i}`)),
  );
}
