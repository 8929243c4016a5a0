import { type Bytes, concat, utf8 } from "../../internal/bytes.ts";
import type { HashName } from "../../internal/digest.ts";
import { certificate, keyUsage } from "../../tools/pki/certificate.ts";
import { distinguishedName } from "../../tools/pki/der_writer.ts";
import { importSigner, type KeyAlgorithm } from "../../keys/mod.ts";
import { testKey } from "../../tools/pki/keys.ts";
import storedKeys from "../../tools/pki/test_keys.json" with { type: "json" };
import { type ArchiveRecipe, type EntryRecipe, numbers, zip } from "./_fixtures_test.ts";

export const V2 = 0x7109871a, V3 = 0xf05368c0, V31 = 0x1b93ad61;

/** Algorithms by their ids, as far as the keys at hand make them. */
const HASHES: Readonly<Record<number, HashName>> = {
  0x0101: "SHA-256",
  0x0102: "SHA-512",
  0x0103: "SHA-256",
  0x0104: "SHA-512",
  0x0201: "SHA-256",
  0x0202: "SHA-512",
};

/** How a signer of an APK is made; it is a correct one unless the recipe says otherwise. */
export interface SignerRecipe {
  /** Scheme: id in the signing block. Default: v2. */
  scheme?: number;
  /** Name of its key in `tools/pki/test_keys.json`. Default: one on P-256. */
  key?: string;
  /** Algorithms. Default: ECDSA with SHA-256. */
  ids?: number[];
  /** Algorithms of the digests, if they are others. */
  digestIds?: number[];
  /** What replaces its digests. */
  digest?: Uint8Array;
  /** Key of the certificate, if it is another. */
  certificateKey?: string;
  /** Key that its public key is, if it is another. */
  statedKey?: string;
  /** Attributes in what is signed. */
  attributes?: [id: number, value: Uint8Array][];
  /** Android versions in what is signed and outside. */
  sdk?: { min: number; max: number };
  outsideSdk?: { min: number; max: number };
  /** Leaves its certificates out. */
  isBare?: boolean;
  /** What ends what is signed. Default: the zeros of apksigner under v2. */
  rest?: Uint8Array;
  /** Bytes behind the signer, and behind each of its signatures. */
  behind?: Uint8Array;
  behindEach?: Uint8Array;
  /** What replaces its signatures. */
  signature?: Uint8Array;
}

/** How an APK is made. */
export interface ApkRecipe {
  /** Its entries. */
  entries?: EntryRecipe[];
  /** What its ZIP archive has beside them. */
  archive?: ArchiveRecipe;
  /** Its signers. Default: one of v2. */
  signers?: SignerRecipe[];
  /** Pairs in front of those of the signers. */
  pairs?: [id: number, value: Uint8Array][];
}

const ENTRIES: EntryRecipe[] = [
  { name: "AndroidManifest.xml", content: "<manifest/>" },
  { name: "classes.dex", content: "dex".repeat(100), deflate: true },
];
const DATES = { notBefore: new Date("2020-01-01"), notAfter: new Date("2021-01-01") };

/** A self-signed certificate, long expired, as those of Android apps may be. */
export async function apkCertificate(name = "dsse-p256"): Promise<Bytes> {
  const key = await testKey(name);
  const holder = distinguishedName("acme", name);
  return await certificate({
    serial: 1,
    issuer: holder,
    subject: holder,
    ...DATES,
    spki: key.spki,
    extensions: [keyUsage("sign")],
  }, key);
}

/** Makes an APK. */
export async function apkOf(
  { entries = ENTRIES, archive = {}, signers = [{}], pairs = [] }: ApkRecipe = {},
): Promise<Bytes> {
  const plain = await zip(entries, archive);
  const end = plain.length - 22 - (archive.comment?.length ?? 0);
  const start = new DataView(plain.buffer).getUint32(end + 16, true);
  const sections = [plain.subarray(0, start), plain.subarray(start, end), plain.subarray(end)];
  const byScheme = new Map<number, Uint8Array[]>();
  for (const signer of signers) {
    const { scheme = V2 } = signer;
    byScheme.set(scheme, [...byScheme.get(scheme) ?? [], await signerOf(signer, sections)]);
  }
  const all: [number, Uint8Array][] = [
    ...pairs,
    ...[...byScheme].map((
      [id, list],
    ): [number, Uint8Array] => [id, part(...list.map((one) => part(one)))]),
  ];
  return await zip(entries, { ...archive, block: signingBlock(all) });
}

/** A signing block with these pairs. */
export function signingBlock(pairs: readonly [id: number, value: Uint8Array][]): Bytes {
  const body = concat(
    ...pairs.flatMap(([id, value]) => [numbers([[8, value.length + 4], [4, id]]), value]),
  );
  const size = numbers([[8, body.length + 24]]);
  return concat(size, body, size, utf8("APK Sig Block 42"));
}

async function signerOf(recipe: SignerRecipe, sections: Uint8Array[]): Promise<Bytes> {
  const { scheme = V2, key = "dsse-p256", ids = [0x0201], attributes = [] } = recipe;
  const { certificateKey = key, statedKey = key, digestIds = ids } = recipe;
  const { sdk = { min: 28, max: 0x7fffffff } } = recipe;
  const sdkOf = ({ min, max }: { min: number; max: number }) =>
    scheme === V2 ? new Uint8Array() : numbers([[4, min], [4, max]]);
  const digests = await Promise.all(digestIds.map(async (id) => {
    const value = recipe.digest ?? await contentDigest(HASHES[id] ?? "SHA-256", sections);
    return part(numbers([[4, id]]), part(value));
  }));
  const signed = concat(
    part(...digests),
    recipe.isBare ? part() : part(part(await apkCertificate(certificateKey))),
    sdkOf(sdk),
    part(...attributes.map(([id, value]) => part(numbers([[4, id]]), value))),
    recipe.rest ?? (scheme === V2 ? part() : new Uint8Array()),
  );
  const signatures = await Promise.all(
    ids.map(async (id) =>
      part(
        numbers([[4, id]]),
        part(recipe.signature ?? await signature(key, id, signed)),
        recipe.behindEach ?? new Uint8Array(),
      )
    ),
  );
  return concat(
    part(signed),
    sdkOf(recipe.outsideSdk ?? sdk),
    part(...signatures),
    part((await testKey(statedKey)).spki),
    recipe.behind ?? new Uint8Array(),
  );
}

async function signature(name: string, id: number, signed: Uint8Array): Promise<Uint8Array> {
  const key = await testKey(name);
  const hash = HASHES[id] ?? "SHA-256";
  if (key.algorithm !== "RSA-2048") return await key.sign(signed, hash);
  const { key_ops: _, alg: __, ...jwk } = storedKeys["dsse-rsa"].jwk as JsonWebKey;
  const alg = `${id < 0x0103 ? "PS" : "RS"}${hash.slice(4)}` as KeyAlgorithm;
  return await (await importSigner(jwk, { alg })).sign(signed);
}

/** Bytes with their length in front. */
export function part(...contents: Uint8Array[]): Bytes {
  const content = concat(...contents);
  return concat(numbers([[4, content.length]]), content);
}

/** A level of a proof of rotation: who is next, signed by the one before. */
export interface LevelRecipe {
  key: string;
  /** Who signs it, if not the one before. */
  by?: string;
  /** Algorithm that the level states for the next one. */
  next?: number;
  /** Algorithm in what is signed. */
  id?: number;
  /** Bytes behind the level, and behind what of it is signed. */
  behind?: Uint8Array;
  behindSigned?: Uint8Array;
}

/** A proof of rotation. */
export async function lineage(levels: readonly LevelRecipe[], version = 1): Promise<Bytes> {
  const encoded = await Promise.all(levels.map(async (level, i) => {
    const {
      key,
      by,
      next = 0x0201,
      id,
      behind = new Uint8Array(),
      behindSigned = new Uint8Array(),
    } = level;
    const own = id ?? (i === 0 ? 0 : 0x0201);
    const signed = concat(part(await apkCertificate(key)), numbers([[4, own]]), behindSigned);
    const signer = by ?? levels[i - 1]?.key;
    const signature = signer === undefined
      ? new Uint8Array()
      : await (await testKey(signer)).sign(signed, "SHA-256");
    return part(part(signed), numbers([[4, 31], [4, next]]), part(signature), behind);
  }));
  return concat(numbers([[4, version]]), ...encoded);
}

/** Written apart from what is tested: one chunk at a time. */
async function contentDigest(hash: HashName, sections: Uint8Array[]): Promise<Bytes> {
  const digests: Uint8Array[] = [];
  for (const section of sections) {
    for (let at = 0; at < section.length; at += 1 << 20) {
      const chunk = section.slice(at, at + (1 << 20));
      digests.push(
        await hashed(hash, concat(Uint8Array.of(0xa5), numbers([[4, chunk.length]]), chunk)),
      );
    }
  }
  const count = numbers([[4, digests.length]]);
  return await hashed(hash, concat(Uint8Array.of(0x5a), count, ...digests));
}

async function hashed(hash: HashName, data: Bytes): Promise<Bytes> {
  return new Uint8Array(await crypto.subtle.digest(hash, data));
}
