import { deepStrictEqual as deepEqual, strictEqual as equal } from "node:assert/strict";
import { describe, it } from "node:test";
import { type Bytes, concat, utf8 } from "../internal/bytes.ts";
import { children, parseDer } from "../internal/der.ts";
import { reasonOf, theInstance } from "../tests/fixtures/sigstore.ts";
import { issueLeaf, type LeafOptions } from "../tools/pki/ca.ts";
import {
  basicConstraints,
  certificate,
  type CertificateFields,
  extendedKeyUsage,
  type Extension,
  fulcioExtension,
  keyUsage,
  serialNumber,
  signatureAlgorithm,
  subjectAlternativeName,
  unknownExtension,
} from "../tools/pki/certificate.ts";
import {
  bitString,
  boolean,
  distinguishedName,
  element,
  generalizedTime,
  integer,
  nullValue,
  octetString,
  oid,
  sequence,
  tagged,
  time,
  utf8String,
} from "../tools/pki/der_writer.ts";
import { LEAF_END, LEAF_START, WORKFLOW } from "../tools/pki/instance.ts";
import { testKey } from "../tools/pki/keys.ts";
import { parseCertificate, readIdentity } from "./certificate.ts";
import { CLAIM_EXTENSIONS } from "./identity.ts";

const ISSUER = "https://token.actions.githubusercontent.com";
const NAME = distinguishedName("sigstore.example", "somebody");

async function fields(changes: Partial<CertificateFields> = {}): Promise<CertificateFields> {
  return {
    serial: 7,
    issuer: NAME,
    subject: sequence(),
    notBefore: LEAF_START,
    notAfter: LEAF_END,
    spki: (await testKey("leaf-p256")).spki,
    extensions: [keyUsage("sign"), extendedKeyUsage(["1.3.6.1.5.5.7.3.3"])],
    ...changes,
  };
}

async function withExtensions(...extensions: Extension[]): Promise<Bytes> {
  return await certificate(await fields({ extensions }), await testKey("fulcio-intermediate"));
}

/** A certificate from its fields as DER; the signature is of no matter to the reader. */
async function assembled(
  change: (tbs: Bytes[]) => Uint8Array[],
  outer: (parts: Bytes[]) => Uint8Array[] = (parts) => parts,
): Promise<Bytes> {
  const der = await withExtensions(keyUsage("sign"));
  const [tbs, algorithm, signature] = children(parseDer(der));
  const parts = change(children(tbs).map(({ raw }) => raw));
  return sequence(...outer([sequence(...parts), algorithm.raw, signature.raw]));
}

function replaced(index: number, value: Uint8Array): (tbs: Bytes[]) => Uint8Array[] {
  return (tbs) => tbs.with(index, Uint8Array.from(value));
}

const refusalOf = async (der: Promise<Bytes>) => {
  const bytes = await der;
  return await reasonOf(() => parseCertificate(bytes));
};

const validity = (start: Uint8Array, end: Uint8Array) => replaced(4, sequence(start, end));

describe("parseCertificate()", () => {
  it("reads what was written", async () => {
    const der = await withExtensions(
      keyUsage("certificates"),
      basicConstraints(true, 3),
      extendedKeyUsage(["1.3.6.1.5.5.7.3.3", "2.5.29.37.0"], true),
      unknownExtension(true),
      unknownExtensionOf("1.3.6.1.4.1.99999.2", false),
    );
    const read = parseCertificate(der);
    deepEqual(read.basicConstraints, { ca: true, pathLength: 3 });
    equal(read.keyUsage, 0x06);
    deepEqual(read.extendedKeyUsage, {
      purposes: ["1.3.6.1.5.5.7.3.3", "2.5.29.37.0"],
      critical: true,
    });
    deepEqual(read.unknownCritical, ["1.3.6.1.4.1.99999.1"]);
    equal(read.notBefore.getTime(), LEAF_START.getTime());
    equal(read.notAfter.getTime(), LEAF_END.getTime());
    deepEqual(read.scheme, { name: "ECDSA", hash: "SHA-384" });
    deepEqual(read.raw, der);
  });

  it("does not take an algorithm that is not supported for another one", async () => {
    const sha1 = sequence(oid("1.2.840.10045.4.1"));
    const der = await assembled(replaced(2, sha1), (parts) => parts.with(1, sha1));
    equal(parseCertificate(der).scheme, undefined);
    const odd = sequence(oid("1.2.840.10045.4.3.2"), integer(1));
    const parameters = await assembled(replaced(2, odd), (parts) => parts.with(1, odd));
    equal(parseCertificate(parameters).scheme, undefined);
  });

  const cases: Record<string, () => Promise<Bytes>> = {
    "trailing bytes": async () => concat(await withExtensions(), Uint8Array.of(0)),
    "an element after the signature": () =>
      assembled((tbs) => tbs, (parts) => [...parts, nullValue()]),
    "version 1": () => assembled((tbs) => tbs.slice(1)),
    "version 1, stated": () => assembled(replaced(0, tagged(0, integer(0)))),
    "an empty version": () => assembled(replaced(0, tagged(0))),
    "version 2": () => assembled(replaced(0, tagged(0, integer(1)))),
    "version 4": () => assembled(replaced(0, tagged(0, integer(3)))),
    "two versions": () => assembled(replaced(0, tagged(0, integer(2), integer(2)))),
    "a negative serial number": () => assembled(replaced(1, element(2, Uint8Array.of(0x80)))),
    "a serial number that is not minimal": () =>
      assembled(replaced(1, element(2, Uint8Array.of(0, 1)))),
    "an empty serial number": () => assembled(replaced(1, element(2))),
    "a serial number of 21 octets": () =>
      assembled(replaced(1, integer(new Uint8Array(21).fill(0x7f)))),
    "two signature algorithms": () => assembled(replaced(2, sequence(oid("1.2.840.10045.4.3.2")))),
    "algorithms that differ in NULL": () =>
      assembled(replaced(2, sequence(oid("1.2.840.10045.4.3.3"), nullValue()))),
    "an empty issuer": () => assembled(replaced(3, sequence())),
    "one time only": () => assembled(replaced(4, sequence(time(LEAF_START)))),
    "three times": () =>
      assembled(replaced(4, sequence(time(LEAF_START), time(LEAF_END), time(LEAF_END)))),
    "a time without seconds": () =>
      assembled(validity(element(0x17, utf8("2502031000Z")), time(LEAF_END))),
    "a time with an offset": () =>
      assembled(validity(element(0x17, utf8("250203100000+0100")), time(LEAF_END))),
    "a time with a fraction": () =>
      assembled(validity(time(LEAF_START), element(0x18, utf8("20550203100000.5Z")))),
    "GeneralizedTime before 2050": () =>
      assembled(validity(time(LEAF_START), generalizedTime(LEAF_END))),
    "30 February": () => assembled(validity(element(0x17, utf8("250230100000Z")), time(LEAF_END))),
    "unique identifiers": () =>
      assembled((tbs) => [...tbs.slice(0, 7), element(0x81, Uint8Array.of(0)), ...tbs.slice(7)]),
    "a signature with unused bits": () =>
      assembled((tbs) => tbs, (parts) => parts.with(2, bitString(Uint8Array.of(0x80), 1))),
    "an extension twice": () => withExtensions(keyUsage("sign"), keyUsage("sign")),
    "a claim twice": () => withExtensions(fulcioExtension(8, "a"), fulcioExtension(8, "b")),
    "an empty list of extensions": () => withExtensions(),
    "extensions in a SET": () =>
      assembled(
        replaced(7, tagged(3, element(0x31, sequence(oid("1.2.3"), octetString(utf8("")))))),
      ),
    "two lists of extensions": () =>
      assembled((tbs) =>
        tbs.with(7, tagged(3, ...children(parseDer(tbs[7])).map((e) => e.raw), sequence()))
      ),
    "criticality FALSE, encoded": () =>
      assembled(
        replaced(
          7,
          tagged(3, sequence(sequence(oid("1.2.3"), boolean(false), octetString(utf8(""))))),
        ),
      ),
    "criticality 01": () =>
      assembled(
        replaced(
          7,
          tagged(
            3,
            sequence(sequence(oid("1.2.3"), element(1, Uint8Array.of(1)), octetString(utf8("")))),
          ),
        ),
      ),
    "an extension with more than a value": () =>
      assembled(
        replaced(
          7,
          tagged(3, sequence(sequence(oid("1.2.3"), octetString(utf8("")), octetString(utf8(""))))),
        ),
      ),
    "an extension without value": () =>
      assembled(replaced(7, tagged(3, sequence(sequence(oid("1.2.3")))))),
    "CA FALSE, encoded": () =>
      withExtensions({ oid: "2.5.29.19", value: sequence(boolean(false)) }),
    "a path length without CA": () =>
      withExtensions({ oid: "2.5.29.19", value: sequence(integer(1)) }),
    "a negative path length": () =>
      withExtensions({
        oid: "2.5.29.19",
        value: sequence(boolean(true), element(2, Uint8Array.of(255))),
      }),
    "basic constraints with more": () =>
      withExtensions({ oid: "2.5.29.19", value: sequence(boolean(true), integer(1), integer(1)) }),
    "bytes after an extension's value": () =>
      withExtensions({
        oid: "2.5.29.15",
        value: concat(bitString(Uint8Array.of(0x80), 7), Uint8Array.of(0)),
      }),
    "key usage that is not minimal": () =>
      withExtensions({ oid: "2.5.29.15", value: bitString(Uint8Array.of(0x80), 0) }),
    "key usage with stray unused bits": () =>
      withExtensions({ oid: "2.5.29.15", value: bitString(Uint8Array.of(0x81), 7) }),
    "an extended key usage that is no list": () =>
      withExtensions({ oid: "2.5.29.37", value: oid("1.3.6.1.5.5.7.3.3") }),
    "an SCT list that is no OCTET STRING": () =>
      withExtensions({ oid: "1.3.6.1.4.1.11129.2.4.2", value: integer(1) }),
    "no certificate": () => Promise.resolve(utf8("-----BEGIN CERTIFICATE-----")),
    "nothing": () => Promise.resolve(new Uint8Array()),
  };
  for (const [what, make] of Object.entries(cases)) {
    it(`refuses ${what}`, async () => equal(await refusalOf(make()), "malformed-certificate"));
  }

  it("refuses keys as it does elsewhere", async () => {
    const spki = (await testKey("leaf-p256")).spki;
    const off = spki.slice();
    off[off.length - 1] ^= 1;
    equal(await refusalOf(assembled(replaced(6, off))), "malformed-key");
    const dsa = sequence(sequence(oid("1.2.840.10040.4.1")), bitString(utf8("x")));
    equal(await refusalOf(assembled(replaced(6, dsa))), "unsupported-algorithm");
  });

  it("accepts 64 KiB and refuses one octet more, before it reads", async () => {
    const der = new Uint8Array((64 << 10) + 1);
    equal(await reasonOf(() => parseCertificate(der)), "limit-exceeded");
    equal(await reasonOf(() => parseCertificate(der.subarray(1))), "malformed-certificate");
  });

  it("takes 128 extensions and refuses 129", async () => {
    const many = (count: number) =>
      withExtensions(
        ...Array.from({ length: count }, (_, i) => unknownExtensionOf(`1.2.3.${i}`, false)),
      );
    equal(await refusalOf(many(128)), "ok");
    equal(await refusalOf(many(129)), "limit-exceeded");
  });

  it("counts constraints as binding, marked critical or not", async () => {
    for (const critical of [true, false]) {
      for (const oid of ["2.5.29.30", "2.5.29.36"]) {
        const der = await withExtensions({ oid, critical, value: sequence() });
        deepEqual(parseCertificate(der).unknownCritical, [oid]);
      }
    }
  });

  it("reads times to 2049 as UTCTime, then as GeneralizedTime", async () => {
    const end = new Date("2050-01-01T00:00:00Z");
    const der = await assembled(
      validity(element(0x17, utf8("491231235959Z")), generalizedTime(end)),
    );
    equal(parseCertificate(der).notBefore.toISOString(), "2049-12-31T23:59:59.000Z");
    equal(parseCertificate(der).notAfter.getTime(), end.getTime());
  });

  it("keeps serial numbers apart that differ by a sign octet only", async () => {
    const serial = await assembled(replaced(1, serialNumber(5)));
    equal(parseCertificate(serial).serialNumber.length, 16);
    deepEqual(signatureAlgorithm(await testKey("leaf-p256")), sequence(oid("1.2.840.10045.4.3.2")));
  });
});

function unknownExtensionOf(id: string, critical: boolean): Extension {
  return { oid: id, critical, value: nullValue() };
}

async function leaf(changes: Partial<LeafOptions> = {}): Promise<Bytes> {
  const { authority } = await theInstance();
  return await issueLeaf(authority, {
    key: await testKey("leaf-p256"),
    san: { type: "uri", value: WORKFLOW },
    issuer: ISSUER,
    notBefore: LEAF_START,
    notAfter: LEAF_END,
    scts: [],
    ...changes,
  });
}

const san = (...names: Uint8Array[]): Extension => ({
  oid: "2.5.29.17",
  value: sequence(...names),
});
const issuers = [fulcioExtension(1, ISSUER), fulcioExtension(8, ISSUER)];
const uri = subjectAlternativeName({ type: "uri", value: WORKFLOW });

describe("readIdentity()", () => {
  it("reads every claim by its name", async () => {
    const claims: Record<number, string> = {};
    for (const number of CLAIM_EXTENSIONS.keys()) claims[number] = `claim ${number}`;
    const identity = readIdentity(parseCertificate(await leaf({ claims })));
    const expected: Record<string, string> = {
      subjectAlternativeName: WORKFLOW,
      sanType: "uri",
      issuer: ISSUER,
    };
    for (const [number, name] of CLAIM_EXTENSIONS) expected[name] = `claim ${number}`;
    deepEqual({ ...identity }, expected);
    equal(CLAIM_EXTENSIONS.size, 21, "2 to 6 and 9 to 24");
  });

  it("reads an e-mail address and Fulcio's otherName", async () => {
    const email = parseCertificate(
      await leaf({ san: { type: "email", value: "dev@example.com" } }),
    );
    equal(readIdentity(email).sanType, "email");
    equal(readIdentity(email).subjectAlternativeName, "dev@example.com");
    const other = parseCertificate(await leaf({ san: { type: "otherName", value: "dev!é" } }));
    equal(readIdentity(other).sanType, "otherName");
    equal(readIdentity(other).subjectAlternativeName, "dev!é");
  });

  it("takes either issuer extension alone", async () => {
    for (const missing of [1, 8]) {
      const der = await leaf({ claims: { [missing]: "" } });
      equal(readIdentity(parseCertificate(der)).issuer, ISSUER);
    }
  });

  it("refuses two issuers that differ, also by what the eye does not see", async () => {
    for (const other of ["https://evil.example", `${ISSUER}/`, `${ISSUER}\0`, `${ISSUER} `]) {
      const der = await leaf({ claims: { 1: other } });
      equal(await reasonOf(() => readIdentity(parseCertificate(der))), "issuer-conflict");
    }
  });

  const name = (tag: number, text: string) => element(tag, utf8(text));
  const otherName = (...parts: Uint8Array[]) => element(0xa0, ...parts);
  const type = oid("1.3.6.1.4.1.57264.1.7");
  const cases: Record<string, Extension[]> = {
    "no name": [...issuers],
    "no issuer": [uri],
    "an empty list of names": [san(), ...issuers],
    "two names": [san(name(0x86, "a:b"), name(0x86, "c:d")), ...issuers],
    "a name and an e-mail address": [san(name(0x86, "a:b"), name(0x81, "c@d")), ...issuers],
    "an empty name": [san(name(0x86, "")), ...issuers],
    "a name with a space": [san(name(0x86, "a:b c")), ...issuers],
    "a name with a line feed": [san(name(0x86, "a:b\nc")), ...issuers],
    "a name with a DEL": [san(name(0x86, "a:b\x7fc")), ...issuers],
    "a name with a NUL": [san(name(0x81, "a@b\0.evil")), ...issuers],
    "a name that is not ASCII": [san(name(0x86, "https://gіthub.com")), ...issuers],
    "a DNS name": [san(name(0x82, "example.com")), ...issuers],
    "an IP address": [san(element(0x87, Uint8Array.of(127, 0, 0, 1))), ...issuers],
    "a directory name": [san(element(0xa4, NAME)), ...issuers],
    "an otherName of another type": [
      san(otherName(oid("1.3.6.1.4.1.311.20.2.3"), tagged(0, utf8String("a")))),
      ...issuers,
    ],
    "an otherName without value": [san(otherName(type)), ...issuers],
    "an otherName with nothing in it": [san(otherName()), ...issuers],
    "an otherName whose value has another tag": [
      san(otherName(type, tagged(1, utf8String("a")))),
      ...issuers,
    ],
    "an X.400 address that looks like it": [
      san(element(0xa3, type, tagged(0, utf8String("a")))),
      ...issuers,
    ],
    "an otherName that is no UTF8String": [
      san(otherName(type, tagged(0, element(0x16, utf8("a"))))),
      ...issuers,
    ],
    "an otherName with two values": [
      san(otherName(type, tagged(0, utf8String("a")), tagged(0, utf8String("b")))),
      ...issuers,
    ],
    "an issuer (8) that is bare text": [uri, { oid: "1.3.6.1.4.1.57264.1.8", value: utf8(ISSUER) }],
    "an issuer (8) with bytes after it": [
      uri,
      { oid: "1.3.6.1.4.1.57264.1.8", value: concat(utf8String(ISSUER), Uint8Array.of(0)) },
    ],
    "an issuer (8) of another string type": [
      uri,
      { oid: "1.3.6.1.4.1.57264.1.8", value: element(0x13, utf8(ISSUER)) },
    ],
    "an issuer (8) with a length that is not minimal": [
      uri,
      { oid: "1.3.6.1.4.1.57264.1.8", value: concat(Uint8Array.of(0x0c, 0x81, 1), utf8("a")) },
    ],
    "a claim that is not UTF-8": [
      uri,
      ...issuers,
      { oid: "1.3.6.1.4.1.57264.1.12", value: element(0x0c, Uint8Array.of(0xff)) },
    ],
    "an old claim that is not UTF-8": [
      uri,
      ...issuers,
      { oid: "1.3.6.1.4.1.57264.1.5", value: Uint8Array.of(0xff) },
    ],
  };
  for (const [what, extensions] of Object.entries(cases)) {
    it(`refuses ${what}`, async () => {
      const read = parseCertificate(await withExtensions(...extensions));
      equal(await reasonOf(() => readIdentity(read)), "malformed-certificate");
    });
  }

  it("does not read extensions of a longer arc as claims", async () => {
    const long = { oid: "1.3.6.1.4.1.57264.1.12.1", value: utf8String("evil") };
    const read = parseCertificate(await withExtensions(uri, ...issuers, long));
    equal(readIdentity(read).sourceRepositoryURI, undefined);
  });
});
