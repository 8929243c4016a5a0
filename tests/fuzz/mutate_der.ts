/** Mutations of DER: elements moved, doubled, renamed and given wrong lengths. */

import { type Bytes, concat } from "../../internal/bytes.ts";
import { mutateBytes } from "./mutate_bytes.ts";
import type { Random } from "./random.ts";

/** An element, by where it stands. */
interface Node {
  tag: number;
  /** Offsets of its tag, its content, and what follows it. */
  start: number;
  content: number;
  end: number;
  /** What is around it. */
  parent: Node | undefined;
  /** Elements of what is constructed, or of an octet or bit string that holds some. */
  children: readonly Node[];
}

const MAX_NODES = 4096;

const EMPTY = new Uint8Array();

const kept = new WeakMap<Bytes, readonly Node[]>();

/** One to three changes to DER; to its bytes, if it is none. */
export function mutateDer(input: Bytes, random: Random, other: () => Bytes): Bytes {
  if (random.once(8)) return mutateBytes(input, random, other);
  let changed = input;
  for (let i = random.once(3) ? random.int(3) : 0; i >= 0; i--) {
    changed = mutateOne(changed, random, other);
  }
  return changed;
}

/** The elements, the outermost first; none if it is no DER. Read once. */
function nodesOf(bytes: Bytes): readonly Node[] {
  let nodes = kept.get(bytes);
  if (nodes === undefined) {
    const all: Node[] = [];
    nodes = readNodes(bytes, 0, bytes.length, undefined, all, 0) === undefined ? [] : all;
    kept.set(bytes, nodes);
  }
  return nodes;
}

function mutateOne(bytes: Bytes, random: Random, other: () => Bytes): Bytes {
  const nodes = nodesOf(bytes);
  if (nodes.length === 0) return mutateBytes(bytes, random, other);
  const node = random.pick(nodes);
  const content = bytes.subarray(node.content, node.end);
  const whole = bytes.subarray(node.start, node.end);
  const set = (next: Bytes) => spliced(bytes, node, next);
  switch (random.int(13)) {
    case 0:
      return set(EMPTY);
    case 1:
      return set(concat(...Array(random.once(16) ? 100 : 2).fill(whole)));
    case 2: {
      // Exchanged with the next one.
      const siblings = node.parent?.children ?? [];
      const next = siblings[siblings.indexOf(node) + 1];
      if (next === undefined) return set(concat(whole, whole));
      const both = { ...node, end: next.end };
      return spliced(bytes, both, concat(bytes.subarray(next.start, next.end), whole));
    }
    case 3: {
      const tag = random.pick([1, 2, 3, 4, 5, 6, 12, 19, 23, 24, 0x30, 0x31, 0x80, 0xa0, 0xa1]);
      return set(element(tag, content));
    }
    case 4:
      return set(element(node.tag ^ (1 << random.int(8)), content));
    case 5:
      return set(concat(Uint8Array.of(node.tag), wrongLength(content.length, random), content));
    case 6: {
      const from = other();
      const borrowed = nodesOf(from);
      if (borrowed.length === 0) return set(mutateBytes(whole, random, other));
      const one = random.pick(borrowed);
      return set(from.slice(one.start, one.end));
    }
    case 7:
      return set(element(node.tag, EMPTY));
    case 8: {
      // Wrapped in itself, sometimes deeper than anybody wants.
      let inner: Bytes = whole;
      for (let i = random.once(8) ? 200 : 1; i > 0; i--) inner = element(0x30, inner);
      return set(inner);
    }
    case 9:
      return set(
        element(node.tag, concat(Uint8Array.of(random.pick([0, 0xff, 0x80])), content)),
      );
    default:
      return set(element(node.tag, mutateBytes(content, random, other)));
  }
}

function element(tag: number, content: Bytes): Bytes {
  return concat(Uint8Array.of(tag), lengthOf(content.length), content);
}

/** The whole with another element in the place of this one, and right lengths around it. */
function spliced(bytes: Bytes, node: Node, replacement: Bytes): Bytes {
  let inner = replacement;
  let { start, end, parent } = node;
  for (; parent !== undefined; { start, end, parent } = parent) {
    const before = bytes.subarray(parent.content, start);
    const after = bytes.subarray(end, parent.end);
    const length = lengthOf(before.length + inner.length + after.length);
    inner = concat(Uint8Array.of(parent.tag), length, before, inner, after);
  }
  return concat(bytes.subarray(0, start), inner, bytes.subarray(end));
}

function wrongLength(length: number, random: Random): Bytes {
  switch (random.int(5)) {
    case 0:
      return Uint8Array.of(0x80);
    case 1:
      return Uint8Array.of(0x82, (length >> 8) & 255, length & 255);
    case 2:
      return Uint8Array.of(0x84, 0xff, 0xff, 0xff, 0xff);
    case 3:
      return Uint8Array.of(0x88, 0, 0x20, 0, 0, 0, 0, 0, 0);
    default:
      return Uint8Array.of((length + random.int(5) - 2) & 127);
  }
}

/** The elements from one offset to another, all of them added to `all`; undefined if it is no DER. */
function readNodes(
  bytes: Bytes,
  from: number,
  to: number,
  parent: Node | undefined,
  all: Node[],
  depth: number,
): readonly Node[] | undefined {
  const nodes: Node[] = [];
  let at = from;
  while (at < to) {
    if (all.length >= MAX_NODES || depth > 32 || at + 2 > to) return undefined;
    const start = at;
    const tag = bytes[at++];
    let length = bytes[at++];
    if (length > 0x80) {
      const octets = length & 127;
      if (octets > 3 || at + octets > to) return undefined;
      length = 0;
      for (let i = 0; i < octets; i++) length = length * 256 + bytes[at++];
    } else if (length === 0x80) return undefined;
    if (at + length > to) return undefined;
    const node: Node = { tag, start, content: at, end: at + length, parent, children: [] };
    at += length;
    nodes.push(node);
    all.push(node);
    const inBits = tag === 3 && length > 3 && bytes[node.content] === 0 &&
      bytes[node.content + 1] === 0x30;
    if ((tag & 0x20) !== 0 || (tag === 4 && length > 2) || inBits) {
      const known = all.length;
      const inside = node.content + (inBits ? 1 : 0);
      const children = readNodes(bytes, inside, node.end, node, all, depth + 1);
      if (children === undefined) all.length = known;
      else node.children = children;
    }
  }
  return nodes;
}

function lengthOf(length: number): Bytes {
  if (length < 128) return Uint8Array.of(length);
  if (length < 256) return Uint8Array.of(0x81, length);
  if (length < 65536) return Uint8Array.of(0x82, length >> 8, length & 255);
  return Uint8Array.of(0x83, length >> 16, (length >> 8) & 255, length & 255);
}
