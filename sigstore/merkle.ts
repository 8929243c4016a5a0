import { type Bytes, equalBytes } from "../internal/bytes.ts";
import { sha256 } from "../internal/sha256.ts";

const LEAF = Uint8Array.of(0);
const NODE = Uint8Array.of(1);

/** Hash of a leaf (RFC 9162, 2.1.1). */
export function leafHash(leaf: Uint8Array): Bytes {
  return sha256(LEAF, leaf);
}

/** Hash of an inner node (RFC 9162, 2.1.1). */
export function nodeHash(left: Uint8Array, right: Uint8Array): Bytes {
  return sha256(NODE, left, right);
}

/** A leaf's place in a tree and the hashes that lead to the root. */
export interface InclusionPath {
  /** Index of the leaf, from 0. */
  index: bigint;
  /** Number of leaves. */
  size: bigint;
  /** SHA-256 hashes from the leaf upwards. */
  hashes: readonly Uint8Array[];
}

/**
 * Tells whether a proof leads from a leaf hash to the root of the tree.
 *
 * Source: RFC 9162, 2.1.3.2.
 */
export function verifyInclusion(leaf: Uint8Array, path: InclusionPath, root: Uint8Array): boolean {
  const { index, size, hashes } = path;
  if (index < 0n || index >= size || leaf.length !== 32 || root.length !== 32) return false;
  let node = index;
  let last = size - 1n;
  let hash = leaf;
  for (const sibling of hashes) {
    if (last === 0n || sibling.length !== 32) return false;
    if ((node & 1n) === 1n || node === last) {
      hash = nodeHash(sibling, hash);
      while ((node & 1n) === 0n && node !== 0n) {
        node >>= 1n;
        last >>= 1n;
      }
    } else {
      hash = nodeHash(hash, sibling);
    }
    node >>= 1n;
    last >>= 1n;
  }
  return last === 0n && equalBytes(hash, root);
}
