import { encodeBase64 } from "../../internal/base64.ts";
import { type Bytes, concat, utf8 } from "../../internal/bytes.ts";
import { children, parseDer } from "../../internal/der.ts";
import { decodeHex } from "../../internal/hex.ts";
import { createAuthority, TIME_STAMPING } from "../../tools/pki/ca.ts";
import {
  certificate,
  extendedKeyUsage,
  keyUsage,
  signatureAlgorithm,
} from "../../tools/pki/certificate.ts";
import {
  bitString,
  distinguishedName,
  element,
  integer,
  nullValue,
  octetString,
  oid,
  sequence,
  setOf,
  tagged,
  time,
} from "../../tools/pki/der_writer.ts";
import { digest, type TestHash, testKey } from "../../tools/pki/keys.ts";
import { timestamp } from "../../tools/pki/tsa.ts";
import { authority, chainOf, dates, WITHIN } from "../_notation_fixtures_test.ts";
import { createCertificateTrust, type FormatTrust, verifyFormat } from "../mod.ts";
import { type EntryRecipe, numbers, zip } from "./_fixtures_test.ts";

export const HASH_OIDS: Readonly<Record<TestHash | "SHA-1", string>> = {
  "SHA-1": "1.3.14.3.2.26",
  "SHA-256": "2.16.840.1.101.3.4.2.1",
  "SHA-384": "2.16.840.1.101.3.4.2.2",
  "SHA-512": "2.16.840.1.101.3.4.2.3",
};
export const DATA = "1.2.840.113549.1.7.1";
export const INDIRECT_DATA = "1.3.6.1.4.1.311.2.1.4";

/** How CMS is made, and what to get wrong about it. */
export interface CmsRecipe {
  /** What is signed: the contents of the content element. */
  message: Uint8Array;
  /** Type of the content. Default data. */
  type?: string;
  /** The content as it stands inside; absent: it is elsewhere. */
  content?: Uint8Array;
  /** Name of the signer's test key. */
  key?: string;
  hash?: TestHash;
  /** Hash that is stated instead of that of the signature. */
  statedHash?: keyof typeof HASH_OIDS;
  /** Certificates; the first one is the signer's. Default a chain of the test authority. */
  chain?: Uint8Array[];
  /** Certificates that are put into it. Default the chain. */
  bag?: Uint8Array[];
  /** Signed attributes that are added to, or replace, those of the type and the digest. */
  attributes?: (own: Uint8Array[]) => Uint8Array[];
  /** Signs the content itself. */
  bare?: boolean;
  /** Names the signer by its key id. */
  subjectKeyId?: Uint8Array;
  /** Unsigned attributes, made of the signature. */
  unsigned?: (signature: Uint8Array) => Promise<Uint8Array[]>;
  /** AlgorithmIdentifier of the signature. */
  algorithm?: Uint8Array;
  /** Signs instead of the key. */
  sign?: (data: Uint8Array) => Promise<Uint8Array>;
  /** How many times the signer is there. Default once. */
  signers?: number;
}

export function attribute(type: string, ...values: Uint8Array[]): Bytes {
  return sequence(oid(type), setOf(...values));
}

/** CMS SignedData, DER. */
export async function cms(recipe: CmsRecipe): Promise<Bytes> {
  const { message, type = DATA, hash = "SHA-256", signers = 1 } = recipe;
  const key = await testKey(recipe.key ?? "leaf-p256");
  const chain = recipe.chain ?? await chainOf(undefined, recipe.key);
  const tbs = children(children(parseDer(Uint8Array.from(chain[0])))[0]);
  const algorithm = sequence(oid(HASH_OIDS[recipe.statedHash ?? hash]), nullValue());
  const own = [
    attribute("1.2.840.113549.1.9.3", oid(type)),
    attribute("1.2.840.113549.1.9.5", time(WITHIN)),
    attribute("1.2.840.113549.1.9.4", octetString(digest(hash, message))),
  ];
  const attributes = setOf(...recipe.attributes?.(own) ?? own);
  const signed = recipe.bare ? message : attributes;
  const signature = await (recipe.sign?.(signed) ?? key.sign(signed, hash));
  const unsigned = await recipe.unsigned?.(signature);
  const signer = sequence(
    integer(1),
    recipe.subjectKeyId === undefined
      ? sequence(tbs[3].raw, tbs[1].raw)
      : element(0x80, recipe.subjectKeyId),
    algorithm,
    ...recipe.bare ? [] : [element(0xa0, parseDer(attributes).value)],
    recipe.algorithm ?? signatureAlgorithm(key, hash),
    octetString(signature),
    ...unsigned === undefined ? [] : [element(0xa1, ...unsigned)],
  );
  const bag = recipe.bag ?? chain;
  return sequence(
    oid("1.2.840.113549.1.7.2"),
    tagged(
      0,
      sequence(
        integer(1),
        setOf(algorithm),
        sequence(oid(type), ...recipe.content === undefined ? [] : [tagged(0, recipe.content)]),
        ...bag.length === 0 ? [] : [tagged(0, ...bag)],
        element(0x31, ...Array.from({ length: signers }, () => signer)),
      ),
    ),
  );
}

/** An authority of timestamps, and unsigned attributes with one of it: {@linkcode CmsRecipe.unsigned}. */
export async function stampingAuthority() {
  const { root, intermediate, intermediateKey, intermediateName } = await createAuthority({
    organization: "stamps",
    rootKey: await testKey("tsa-root"),
    intermediateKey: await testKey("tsa-intermediate"),
    ...dates,
    purpose: TIME_STAMPING,
  });
  const key = await testKey("tsa");
  const own = await certificate({
    serial: 5,
    issuer: intermediateName,
    subject: distinguishedName("stamps", "tsa"),
    ...dates,
    spki: key.spki,
    extensions: [keyUsage("sign"), extendedKeyUsage([TIME_STAMPING], true)],
  }, intermediateKey);
  const stamped = (type: string, of?: Uint8Array) => ({
    unsigned: async (signature: Uint8Array) => {
      const response = await timestamp({ key, certificate: own }, {
        message: of ?? signature,
        genTime: WITHIN,
        bag: [own, intermediate],
      });
      return [attribute(type, children(parseDer(response))[1].raw)];
    },
  });
  return { root, stamped };
}

/** Trust in the test authority. */
export async function trust(): Promise<FormatTrust> {
  const certificates = createCertificateTrust({
    authorities: [(await authority()).root],
    identities: ["CN=release"],
  });
  return { certificates, now: WITHIN };
}

/** `ok`, or the reason of the refusal. */
export async function outcome(
  source: string | Uint8Array,
  more: FormatTrust = {},
): Promise<string> {
  const result = await verifyFormat(source, { ...await trust(), ...more });
  return result.ok ? "ok" : result.errorReason;
}

/** How a PE image is made, and what to get wrong about it. */
export interface PeRecipe {
  /** Default PE32+. */
  is32?: boolean;
  /** Default 3, a program of the console; 10 is one of EFI. */
  subsystem?: number;
  /** Bytes of its one section. Default 512; of 512 each. */
  codeBytes?: number;
  /** Entries of the certificate table; absent: signed; empty: none. */
  entries?: Uint8Array[];
  /** How the signature is made. */
  cms?: Partial<CmsRecipe>;
  /** Hash that is stated of the image, instead of that of the image. */
  imageHash?: (bytes: Uint8Array) => Uint8Array;
  /** Hash function that is stated of the image. */
  statedHash?: keyof typeof HASH_OIDS;
  /** Type of what is signed. Default a PE image. */
  dataType?: string;
  /** Follows the DER in the entry. */
  padding?: Uint8Array;
  /** Follows the certificate table. */
  overlay?: Uint8Array;
  /** Changes the image after its table is there. */
  patch?: (image: Uint8Array, view: DataView) => void;
}

const PE = 0x40;
const OPTIONAL = PE + 24;

/** Where the parts of a PE image lie that {@linkcode pe} makes. */
export function peLayout(is32 = false) {
  const directories = OPTIONAL + (is32 ? 96 : 112);
  const sections = directories + 128;
  return {
    checksum: OPTIONAL + 64,
    directory: directories + 32,
    sections,
    data: 0x200,
    end: 0x400,
  };
}

function unsignedPe({ is32 = false, subsystem = 3, codeBytes = 0x200 }: PeRecipe): Bytes {
  const bytes = new Uint8Array(0x200 + codeBytes);
  const view = new DataView(bytes.buffer);
  const { sections, data } = peLayout(is32);
  bytes.set(utf8("MZ"));
  view.setUint32(0x3c, PE, true);
  bytes.set(utf8("PE\0\0"), PE);
  view.setUint16(PE + 4, is32 ? 0x14c : 0x8664, true);
  view.setUint16(PE + 6, 1, true);
  view.setUint16(PE + 20, sections - OPTIONAL, true);
  view.setUint16(OPTIONAL, is32 ? 0x10b : 0x20b, true);
  view.setUint32(OPTIONAL + 32, 0x1000, true);
  view.setUint32(OPTIONAL + 36, 0x200, true);
  view.setUint32(OPTIONAL + 56, 0x2000, true);
  view.setUint32(OPTIONAL + 60, data, true);
  view.setUint16(OPTIONAL + 68, subsystem, true);
  view.setUint32(peLayout(is32).directory - 36, 16, true);
  bytes.set(utf8(".text"), sections);
  view.setUint32(sections + 8, bytes.length - data, true);
  view.setUint32(sections + 12, 0x1000, true);
  view.setUint32(sections + 16, bytes.length - data, true);
  view.setUint32(sections + 20, data, true);
  bytes.fill(0x90, data);
  return bytes;
}

/** WIN_CERTIFICATE, padded. */
export function winCertificate(content: Uint8Array, revision = 0x200, type = 2): Bytes {
  const length = 8 + content.length;
  return concat(
    numbers([[4, length], [2, revision], [2, type]]),
    content,
    new Uint8Array((8 - length % 8) % 8),
  );
}

/** The bytes of an image that its hash is over. */
export function hashedPart(image: Uint8Array, is32 = false): Bytes {
  const { checksum, directory } = peLayout(is32);
  return concat(
    image.subarray(0, checksum),
    image.subarray(checksum + 4, directory),
    image.subarray(directory + 8),
  );
}

/** SpcIndirectDataContent of an image. */
export function indirectData(recipe: PeRecipe, image: Uint8Array): Bytes {
  const { statedHash = "SHA-256", dataType = "1.3.6.1.4.1.311.2.1.15" } = recipe;
  // What signtool writes for want of a file: UTF-16.
  const link = element(0x80, utf8([..."<<<Obsolete>>>"].map((char) => `\0${char}`).join("")));
  const own = recipe.imageHash?.(image) ??
    digest("SHA-256", hashedPart(image, recipe.is32));
  return sequence(
    sequence(oid(dataType), sequence(bitString(new Uint8Array()), tagged(0, tagged(2, link)))),
    sequence(sequence(oid(HASH_OIDS[statedHash]), nullValue()), octetString(own)),
  );
}

/** A PE image, signed unless the recipe says otherwise. */
export async function pe(recipe: PeRecipe = {}): Promise<Bytes> {
  const image = unsignedPe(recipe);
  const content = indirectData(recipe, image);
  const entries = recipe.entries ?? [
    winCertificate(concat(
      await cms({
        message: parseDer(content).value,
        content,
        type: INDIRECT_DATA,
        ...recipe.cms,
      }),
      recipe.padding ?? new Uint8Array(),
    )),
  ];
  const table = concat(...entries);
  const view = new DataView(image.buffer);
  const { directory } = peLayout(recipe.is32);
  if (table.length > 0) {
    view.setUint32(directory, image.length, true);
    view.setUint32(directory + 4, table.length, true);
  }
  const whole = concat(image, table, recipe.overlay ?? new Uint8Array());
  recipe.patch?.(whole, new DataView(whole.buffer));
  return whole;
}

/** EFI_SIGNATURE_LIST of one type. */
export function signatureList(guid: string, ...data: Uint8Array[]): Bytes {
  const lists = data.map((one) => concat(new Uint8Array(16), one));
  const size = lists[0]?.length ?? 16;
  const total = 28 + lists.reduce((sum, { length }) => sum + length, 0);
  return concat(guidBytes(guid), numbers([[4, total], [4, 0], [4, size]]), ...lists);
}

export const X509 = "a5c059a1-94e4-4aa7-87b5-ab155c2bf072";
export const SHA256 = "c1c41626-504c-4092-aca9-41f936934328";
export const X509_SHA256 = "3bd2a492-96c0-4079-b420-fcf98ef103ed";

export function guidBytes(guid: string): Bytes {
  const [a, b, c, d, e] = guid.split("-").map((part) => decodeHex(part));
  return concat(a.slice().reverse(), b.slice().reverse(), c.slice().reverse(), d, e);
}

/** How a JAR is made, and what to get wrong about it. */
export interface JarRecipe {
  /** Contents by name. Default one text and one class in a folder. */
  files?: Readonly<Record<string, string>>;
  /** Changes the manifest before it is signed. */
  manifest?: (text: string) => string;
  /** Changes the signature file before it is signed. */
  signatureFile?: (text: string) => string;
  /** Name of the digest attributes. Default SHA-256. */
  hash?: string;
  cms?: Partial<CmsRecipe>;
  /** Ending of the block. Default EC. */
  ending?: string;
  /** Base name of signature file and block. Default KEY. */
  name?: string;
  /** Changes the entries after they are signed. */
  entries?: (own: EntryRecipe[]) => EntryRecipe[];
}

const FILES = { "a.txt": "hello\n", "pkg/B.class": "\u0000class" };

function base64Digest(text: string): string {
  return encodeBase64(digest("SHA-256", utf8(text)));
}

/** Lines of 72 bytes at most, as the format has them. */
export function folded(line: string): string {
  const parts = [line.slice(0, 70)];
  for (let at = 70; at < line.length; at += 69) parts.push(` ${line.slice(at, at + 69)}`);
  return `${parts.join("\r\n")}\r\n`;
}

/** Manifest of a JAR. */
export function manifestOf({ files = FILES, hash = "SHA-256" }: JarRecipe): string {
  const sections = Object.entries(files).map(([name, content]) =>
    `${folded(`Name: ${name}`)}${folded(`${hash}-Digest: ${base64Digest(content)}`)}\r\n`
  );
  return `Manifest-Version: 1.0\r\nCreated-By: test\r\n\r\n${sections.join("")}`;
}

/** Signature file of a manifest. */
export function signatureFileOf(manifest: string, { hash = "SHA-256" }: JarRecipe): string {
  const parts = manifest.split(/(?<=\r\n\r\n)/);
  const sections = parts.slice(1).map((part) => {
    const name = /^Name: (.*(?:\r\n .*)*)\r\n/.exec(part)?.[1].replaceAll("\r\n ", "") ?? "";
    return `${folded(`Name: ${name}`)}${folded(`${hash}-Digest: ${base64Digest(part)}`)}\r\n`;
  });
  return "Signature-Version: 1.0\r\n" +
    folded(`${hash}-Digest-Manifest-Main-Attributes: ${base64Digest(parts[0])}`) +
    folded(`${hash}-Digest-Manifest: ${base64Digest(manifest)}`) + `\r\n${sections.join("")}`;
}

/** A signed JAR. */
export async function jarFile(recipe: JarRecipe = {}): Promise<Bytes> {
  const { files = FILES, name = "KEY", ending = "EC" } = recipe;
  const plain = manifestOf(recipe);
  const manifest = recipe.manifest?.(plain) ?? plain;
  const text = signatureFileOf(manifest, recipe);
  const file = recipe.signatureFile?.(text) ?? text;
  const block = await cms({ message: utf8(file), ...recipe.cms });
  const own: EntryRecipe[] = [
    { name: "META-INF/MANIFEST.MF", content: manifest, deflate: true, descriptor: "marked" },
    { name: `META-INF/${name}.SF`, content: file, deflate: true },
    { name: `META-INF/${name}.${ending}`, content: block },
    { name: "META-INF/" },
    ...Object.entries(files).map(([name, content]) => ({ name, content, deflate: true })),
  ];
  return await zip(recipe.entries?.(own) ?? own);
}
