/** Mutations of DER: elements moved, doubled, renamed and given wrong lengths. */

import { type Bytes, concat } from "../../internal/bytes.ts";
import { mutateBytes } from "./mutate_bytes.ts";
import type { Random } from "./random.ts";

interface Node {
  tag: number;
  /** Elements of what is constructed, or of an octet or bit string that holds some. */
  children?: Node[];
  /** Octets before the children: the unused bits of a bit string. */
  prefix?: Bytes;
  value: Bytes;
  /** A length that is written instead of the right one, as it stands. */
  length?: Bytes;
}

const MAX_NODES = 4096;

/** One to three changes to DER; to its bytes, if it is none. */
export function mutateDer(input: Bytes, random: Random, other: () => Bytes): Bytes {
  const nodes = readNodes(input, { left: MAX_NODES });
  if (nodes === undefined || nodes.length === 0 || random.once(8)) {
    return mutateBytes(input, random, other);
  }
  for (let i = random.once(3) ? random.int(3) : 0; i >= 0; i--) mutateOne(nodes, random, other);
  return writeNodes(nodes);
}

function mutateOne(nodes: Node[], random: Random, other: () => Bytes): void {
  let list = nodes;
  let at = random.int(list.length);
  while (list[at]?.children !== undefined && list[at].children!.length > 0 && !random.once(5)) {
    list = list[at].children!;
    at = random.int(list.length);
  }
  const node = list[at];
  if (node === undefined) return;
  switch (random.int(13)) {
    case 0:
      list.splice(at, 1);
      return;
    case 1: {
      const times = random.once(16) ? 100 : 1;
      list.splice(at, 0, ...Array.from({ length: times }, () => structuredClone(node)));
      return;
    }
    case 2: {
      const to = random.int(list.length);
      [list[at], list[to]] = [list[to], list[at]];
      return;
    }
    case 3:
      node.tag = random.pick([1, 2, 3, 4, 5, 6, 12, 19, 23, 24, 0x30, 0x31, 0x80, 0xa0, 0xa1]);
      return;
    case 4:
      node.tag ^= 1 << random.int(8);
      return;
    case 5:
      node.length = wrongLength(contentOf(node).length, random);
      return;
    case 6: {
      const borrowed = readNodes(other(), { left: MAX_NODES });
      if (borrowed !== undefined && borrowed.length > 0) list[at] = nodeIn(borrowed, random);
      return;
    }
    case 7:
      delete node.children;
      node.value = new Uint8Array();
      return;
    case 8: {
      // Wrapped in itself, sometimes deeper than anybody wants.
      let inner = node;
      const depth = random.once(8) ? 200 : 1;
      for (let i = 0; i < depth; i++) {
        inner = { tag: 0x30, children: [inner], value: new Uint8Array() };
      }
      list[at] = inner;
      return;
    }
    case 9:
      node.value = concat(Uint8Array.of(random.pick([0, 0xff, 0x80])), contentOf(node));
      delete node.children;
      return;
    default: {
      const content = contentOf(node);
      delete node.children;
      node.value = mutateBytes(content, random, other);
    }
  }
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

function nodeIn(nodes: Node[], random: Random): Node {
  const node = random.pick(nodes);
  return node.children !== undefined && node.children.length > 0 && !random.once(3)
    ? nodeIn(node.children, random)
    : node;
}

function readNodes(bytes: Bytes, budget: { left: number }, depth = 0): Node[] | undefined {
  const nodes: Node[] = [];
  let at = 0;
  while (at < bytes.length) {
    if (--budget.left < 0 || depth > 32 || at + 2 > bytes.length) return undefined;
    const tag = bytes[at++];
    let length = bytes[at++];
    if (length > 0x80) {
      const octets = length & 127;
      if (octets > 3 || at + octets > bytes.length) return undefined;
      length = 0;
      for (let i = 0; i < octets; i++) length = length * 256 + bytes[at++];
    } else if (length === 0x80) return undefined;
    if (at + length > bytes.length) return undefined;
    const value = bytes.slice(at, at + length);
    at += length;
    const node: Node = { tag, value };
    if ((tag & 0x20) !== 0) node.children = readNodes(value, budget, depth + 1);
    else if (tag === 4 && length > 2) node.children = readNodes(value, budget, depth + 1);
    else if (tag === 3 && length > 3 && value[0] === 0 && value[1] === 0x30) {
      node.children = readNodes(value.slice(1), budget, depth + 1);
      if (node.children !== undefined) node.prefix = value.slice(0, 1);
    }
    nodes.push(node);
  }
  return nodes;
}

function contentOf(node: Node): Bytes {
  if (node.children === undefined) return node.value;
  const inner = writeNodes(node.children);
  return node.prefix === undefined ? inner : concat(node.prefix, inner);
}

function writeNodes(nodes: readonly Node[]): Bytes {
  const parts: Bytes[] = [];
  for (const node of nodes) {
    const content = contentOf(node);
    parts.push(Uint8Array.of(node.tag), node.length ?? lengthOf(content.length), content);
  }
  return concat(...parts);
}

function lengthOf(length: number): Bytes {
  if (length < 128) return Uint8Array.of(length);
  if (length < 256) return Uint8Array.of(0x81, length);
  if (length < 65536) return Uint8Array.of(0x82, length >> 8, length & 255);
  return Uint8Array.of(0x83, length >> 16, (length >> 8) & 255, length & 255);
}
