import { type Bytes, concat, utf8 } from "../../internal/bytes.ts";
import { encodeCborBytes, encodeCborHead } from "../../internal/cbor.ts";
import type { KeyAlgorithm } from "../../keys/mod.ts";
import { testKey } from "../../tools/pki/keys.ts";
import { keyOf, raw, STATEMENT } from "../_fixtures_test.ts";
import { chainOf, PAYLOAD, SCHEME, TYPE } from "../_notation_fixtures_test.ts";

/** CBOR as it is to stand in a document. */
export const int = (value: number): Bytes =>
  value < 0 ? encodeCborHead(1, -1 - value) : encodeCborHead(0, value);
export const bytes = encodeCborBytes;
export const text = (value: string): Bytes => {
  const encoded = utf8(value);
  return concat(encodeCborHead(3, encoded.length), encoded);
};
export const list = (...items: Uint8Array[]): Bytes =>
  concat(encodeCborHead(4, items.length), ...items);
export const tag = (number: number, item: Uint8Array): Bytes =>
  concat(encodeCborHead(6, number), item);
/** A map, in the order given. */
export const map = (...entries: [number | string, Uint8Array][]): Bytes =>
  concat(
    encodeCborHead(5, entries.length),
    ...entries.flatMap(([name, value]) => [
      typeof name === "number" ? int(name) : text(name),
      value,
    ]),
  );
export const NULL: Bytes = Uint8Array.of(0xf6);

export const IN_TOTO = "application/vnd.in-toto+json";
export const ALG: Readonly<Partial<Record<KeyAlgorithm, number>>> = {
  "ES256": -7,
  "ES384": -35,
  "Ed25519": -8,
  "PS256": -37,
  "RS256": -257,
};

/** Parts of a document of COSE_Sign1; each may be replaced. */
export interface Parts {
  /** The encoded map. */
  header?: Bytes;
  unprotected?: Bytes;
  payload?: Uint8Array;
  /** Leaves the payload out. */
  detached?: boolean;
  externalData?: Uint8Array;
  alg?: KeyAlgorithm;
  name?: string;
  /** Signs instead of the key of `alg`. */
  sign?: (data: Bytes) => Promise<Uint8Array>;
  /** Wraps the list; default the tag 18. */
  wrap?: (item: Bytes) => Bytes;
}

/** What is signed: RFC 9052, 4.4, written down once more. */
export function toBeSigned(header: Bytes, payload: Uint8Array, externalData: Uint8Array): Bytes {
  const isEmpty = header.length === 1 && header[0] === 0xa0;
  return list(
    text("Signature1"),
    bytes(isEmpty ? new Uint8Array() : header),
    bytes(externalData),
    bytes(payload),
  );
}

export async function sign1(parts: Parts = {}): Promise<Bytes> {
  const { alg = "Ed25519", name = "ci", wrap = (item: Bytes) => tag(18, item) } = parts;
  const {
    header = map([1, int(ALG[alg] ?? 0)], [3, text(IN_TOTO)]),
    unprotected = map(),
    payload = utf8(JSON.stringify(STATEMENT)),
    externalData = new Uint8Array(),
    sign = async (data: Bytes) => raw(alg, await (await keyOf(alg, name)).signer.sign(data)),
  } = parts;
  const signature = await sign(toBeSigned(header, payload, externalData));
  return wrap(list(
    bytes(header),
    unprotected,
    parts.detached === true ? NULL : bytes(payload),
    bytes(signature),
  ));
}

/** Entries of a map, by their names: undefined leaves one out. */
export type Entries = Record<string, Bytes | undefined>;

export const time = (text: string): Bytes => tag(1, int(Date.parse(text) / 1000));

/** A Notation signature; `changes` are to its protected header, by name. */
export async function notation(
  changes: Entries = {},
  parts: Parts & {
    key?: string;
    chain?: Uint8Array[];
    stamp?: (signature: Uint8Array) => Promise<Uint8Array>;
    more?: [number | string, Uint8Array][];
  } = {},
): Promise<Bytes> {
  const all: Entries = {
    "1": int(-7),
    "2": list(text(SCHEME)),
    "3": text(TYPE),
    [SCHEME]: text("notary.x509"),
    "io.cncf.notary.signingTime": time("2025-05-01T08:00:00Z"),
    ...changes,
  };
  const header = map(
    ...Object.entries(all).flatMap(([name, value]): [number | string, Bytes][] =>
      value === undefined ? [] : [[/^\d+$/.test(name) ? Number(name) : name, value]]
    ),
  );
  const chain = parts.chain ?? await chainOf();
  const own = await testKey(parts.key ?? "leaf-p256");
  const payload = parts.payload ?? utf8(JSON.stringify(PAYLOAD));
  const signature = raw("ES256", await own.sign(toBeSigned(header, payload, new Uint8Array())));
  const token = await parts.stamp?.(signature);
  return await sign1({
    ...parts,
    header,
    payload,
    sign: () => Promise.resolve(signature),
    unprotected: parts.unprotected ?? map(
      [33, list(...chain.map((one) => bytes(one)))],
      ["io.cncf.notary.signingAgent", text("test/1")],
      ...(token === undefined ? [] : [
        ["io.cncf.notary.timestampSignature", bytes(token)] as [string, Bytes],
      ]),
      ...parts.more ?? [],
    ),
  });
}
