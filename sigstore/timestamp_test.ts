import { deepStrictEqual as deepEqual, strictEqual as equal } from "node:assert/strict";
import { describe, it } from "node:test";
import { AttestationError } from "../errors.ts";
import { type Bytes, concat, utf8 } from "../internal/bytes.ts";
import { children, type Der, parseDer } from "../internal/der.ts";
import { later, reasonOf, rootOf, theInstance } from "../tests/fixtures/sigstore.ts";
import { issueTimestampCertificate } from "../tools/pki/ca.ts";
import {
  basicConstraints,
  certificate,
  extendedKeyUsage,
  type Extension,
  keyIdentifier,
  keyUsage,
} from "../tools/pki/certificate.ts";
import {
  distinguishedName,
  element,
  integer,
  nullValue,
  octetString,
  oid,
  sequence,
  tagged,
} from "../tools/pki/der_writer.ts";
import { END, SIGNED, START, trustedTsa } from "../tools/pki/instance.ts";
import { testKey } from "../tools/pki/keys.ts";
import { timestamp, type TimestampAuthority, type TimestampOptions } from "../tools/pki/tsa.ts";
import { parseTimestampResponse, verifyTimestamp } from "./timestamp.ts";
import type { TrustedAuthority } from "./trusted_root.ts";

const MESSAGE = utf8("a signature");

async function stamp(
  options: Partial<TimestampOptions> = {},
  by?: TimestampAuthority,
): Promise<Bytes> {
  const { tsa } = await theInstance();
  return await timestamp(by ?? tsa, { message: MESSAGE, genTime: SIGNED, ...options });
}

async function authorities(): Promise<readonly TrustedAuthority[]> {
  return (await rootOf()).timestampAuthorities;
}

async function verdictOf(
  der: Bytes,
  trusted?: readonly TrustedAuthority[],
  message: Bytes = MESSAGE,
): Promise<string> {
  const known = trusted ?? await authorities();
  return await reasonOf(() => verifyTimestamp(der, message, known));
}

/** A root that has the authority's issuers, but not its own certificate. */
async function unpinned(): Promise<TrustedAuthority[]> {
  const [first] = await authorities();
  return [{ ...first, chain: first.chain.slice(1) }];
}

type Path = readonly number[];

/** The encoding with one element exchanged, and all lengths above it written anew. */
function replace(element_: Der, path: Path, change: (old: Der) => Uint8Array): Uint8Array {
  if (path.length === 0) return change(element_);
  const inner = children(element_);
  const [index, ...rest] = path;
  return element(
    element_.tag,
    ...inner.map((one, i) => i === index ? replace(one, rest, change) : one.raw),
  );
}

function changed(der: Bytes, path: Path, change: (old: Der) => Uint8Array): Bytes {
  return Uint8Array.from(replace(parseDer(der), path, change));
}

/** The encoding with one element more at the end of a sequence. */
function appended(der: Bytes, path: Path): Bytes {
  const more = (old: Der) => sequence(...children(old).map(({ raw }) => raw), nullValue());
  return changed(der, path, more);
}

// Places in a response with an embedded certificate.
const STATUS = [0];
const TOKEN = [1];
const SIGNED_DATA = [1, 1, 0];
const CERTIFICATES = [...SIGNED_DATA, 3];
const SIGNERS = [...SIGNED_DATA, 4];
const SIGNER = [...SIGNERS, 0];

describe("verifyTimestamp()", () => {
  it("accepts a stamp with the certificate or without, with larger hashes", async () => {
    for (
      const options of [
        {},
        { embed: false },
        { imprintHash: "SHA-512", signatureHash: "SHA-512" },
        { imprintHash: "SHA-384", signatureHash: "SHA-256" },
        { status: 1 },
      ] as const
    ) equal(await verdictOf(await stamp(options)), "ok", JSON.stringify(options));
  });

  it("gives the time and the authority", async () => {
    const { secondTsa } = await theInstance();
    const known = await authorities();
    const found = await verifyTimestamp(await stamp({}, secondTsa), MESSAGE, known);
    equal(found.time.getTime(), SIGNED.getTime());
    equal(found.authority, known[1]);
  });

  const refused: [string, Partial<TimestampOptions>, string][] = [
    ["a corrupt signature", { corruptSignature: true }, "invalid-timestamp-signature"],
    ["a wrong signed digest", { corruptMessageDigest: true }, "invalid-timestamp-signature"],
    ["no name of the certificate", { omitSigningCertificate: true }, "invalid-timestamp-signature"],
    ["another message", { message: utf8("another") }, "timestamp-imprint-mismatch"],
    ["status 2", { status: 2 }, "timestamp-rejected"],
    ["status 5", { status: 5 }, "timestamp-rejected"],
    [
      "a time before the authority",
      { genTime: later(START, -1000) },
      "timestamp-authority-not-valid",
    ],
    ["a time after the authority", { genTime: later(END, 1000) }, "timestamp-authority-not-valid"],
  ];
  for (const [what, options, reason] of refused) {
    it(`refuses ${what}`, async () => equal(await verdictOf(await stamp(options)), reason));
  }

  it("includes the first and the last second", async () => {
    equal(await verdictOf(await stamp({ genTime: START })), "ok");
    equal(await verdictOf(await stamp({ genTime: END })), "ok");
  });

  it("keeps to the period of the authority in the root, both ends included", async () => {
    const [first] = await authorities();
    const found: string[] = [];
    for (
      const validFor of [
        { start: SIGNED },
        { start: later(SIGNED, 1000) },
        { start: START, end: SIGNED },
        { start: START, end: later(SIGNED, -1000) },
      ]
    ) found.push(await verdictOf(await stamp(), [{ ...first, validFor }]));
    const late = "timestamp-authority-not-valid";
    deepEqual(found, ["ok", late, "ok", late]);
  });

  it("takes the attribute of another certificate for no name of this one", async () => {
    const { secondTsa } = await theInstance();
    const der = await stamp({ otherCertificate: secondTsa.certificate });
    equal(await verdictOf(der), "invalid-timestamp-signature");
  });

  it("takes a re-issued certificate for the one that the root pins, by issuer and number", async () => {
    const { tsa, tsaAuthority } = await theInstance();
    const twin = await issueTimestampCertificate(tsaAuthority, {
      key: tsa.key,
      name: "throw-away tsa",
      notBefore: START,
      notAfter: later(END, 1000),
    });
    const [serial, , issuer] = children(children(parseDer(tsa.certificate))[0]).slice(1)
      .map(({ raw }) => raw);
    const name = tagged(4, issuer);
    const otherName = tagged(4, distinguishedName("tsa.example", "other"));
    const named = (names: Uint8Array[], number: Uint8Array = serial) => [
      sequence(sequence(...names), number),
    ];
    const invalid = "invalid-timestamp-signature";
    // RFC 5035, 5: GeneralNames with a directoryName, [4], and the serial number.
    const cases: [string, Uint8Array[] | undefined, string][] = [
      ["its own", undefined, "ok"],
      ["the same", named([name]), "ok"],
      ["none", [], invalid],
      ["what is no sequence", [octetString(issuer)], invalid],
      ["another issuer", named([otherName]), invalid],
      ["no issuer", named([]), invalid],
      ["another issuer beside it", named([name, otherName]), invalid],
      ["a name of another kind", named([tagged(5, issuer)]), invalid],
      ["another number", named([name], integer(7)), invalid],
    ];
    for (const [what, issuerSerial, reason] of cases) {
      const der = await stamp({ otherCertificate: twin, issuerSerial });
      equal(await verdictOf(der), reason, what);
      // One that came with the token must have the signed hash.
      equal(await verdictOf(der, await unpinned()), invalid, what);
      equal(await verdictOf(await stamp({ issuerSerial })), "ok", `${what}, and its hash`);
    }
  });

  it("says whose stamp it is: of the authority that the root pins before its issuer's", async () => {
    const [pinned] = await authorities();
    const [issuer] = await unpinned();
    for (const known of [[issuer, pinned], [pinned, issuer]]) {
      equal((await verifyTimestamp(await stamp(), MESSAGE, known)).authority, pinned);
    }
  });

  it("finds a certificate by its subject key id", async () => {
    const { tsa, tsaAuthority } = await theInstance();
    // RFC 5652, 5.3: [0] in the place of issuer and serial number.
    const by = async (id: Uint8Array) =>
      changed(await stamp(), [...SIGNER, 1], () => element(0x80, id));
    const own = await by(await keyIdentifier(tsa.key.spki));
    equal(await verdictOf(own), "ok");
    equal(await verdictOf(own, await unpinned()), "ok");
    for (const id of [new Uint8Array(20), new Uint8Array()]) {
      equal(await verdictOf(await by(id)), "untrusted-timestamp-authority");
    }
    const without = await certificate({
      serial: 401,
      issuer: tsaAuthority.intermediateName,
      subject: distinguishedName("tsa.example", "no key id"),
      notBefore: START,
      notAfter: END,
      spki: tsa.key.spki,
      extensions: [extendedKeyUsage(["1.3.6.1.5.5.7.3.8"], true)],
    }, tsaAuthority.intermediateKey);
    const bag = changed(own, CERTIFICATES, () => tagged(0, without));
    equal(await verdictOf(bag, await unpinned()), "untrusted-timestamp-authority");
  });

  it("needs its purpose to be critical", async () => {
    const { tsa, tsaAuthority } = await theInstance();
    const certificate = await issueTimestampCertificate(tsaAuthority, {
      key: tsa.key,
      name: "throw-away tsa",
      notBefore: START,
      notAfter: END,
      criticalPurposes: false,
    });
    const by = { key: tsa.key, certificate };
    const root = await rootOf({ timestampAuthorities: [trustedTsa(by, tsaAuthority)] });
    equal(
      await verdictOf(await stamp({}, by), root.timestampAuthorities),
      "untrusted-timestamp-authority",
    );
  });

  it("needs the signed attributes of RFC 5652, 11.1 and 11.2", async () => {
    const der = await stamp();
    const without = (index: number) =>
      changed(
        der,
        [...SIGNER, 3],
        (old) =>
          element(0xa0, ...children(old).filter((_, i) => i !== index).map(({ raw }) => raw)),
      );
    equal(await verdictOf(without(0)), "malformed-timestamp", "no content type");
    equal(await verdictOf(without(2)), "invalid-timestamp-signature", "no digest");
    const data = await stamp({ contentType: "1.2.840.113549.1.7.1" });
    equal(await verdictOf(data), "malformed-timestamp", "of other content");
  });

  it("takes lists of revoked certificates along", async () => {
    const der = await stamp();
    const crls = changed(der, SIGNED_DATA, (old) => {
      const fields = children(old).map(({ raw }) => raw);
      return sequence(...fields.toSpliced(-1, 0, tagged(1, sequence())));
    });
    equal(await verdictOf(crls), "ok");
  });

  it("does not know an authority outside the root, embedded or not", async () => {
    const { otherTsa } = await theInstance();
    for (const embed of [true, false]) {
      equal(await verdictOf(await stamp({ embed }, otherTsa)), "untrusted-timestamp-authority");
    }
    equal(await verdictOf(await stamp(), []), "untrusted-timestamp-authority");
  });

  it("does not look at what a stranger stamped", async () => {
    const { otherTsa } = await theInstance();
    const der = await stamp({ message: utf8("another") }, otherTsa);
    equal(await verdictOf(der), "untrusted-timestamp-authority");
    equal(await verdictOf(der, await unpinned()), "untrusted-timestamp-authority");
  });

  it("refuses a stranger with the name and serial number of the authority", async () => {
    const { lookAlikeTsa } = await theInstance();
    for (const embed of [true, false]) {
      const der = await stamp({ embed }, lookAlikeTsa);
      equal(await verdictOf(der), "invalid-timestamp-signature");
      const without = await verdictOf(der, await unpinned());
      equal(without, "untrusted-timestamp-authority");
    }
  });

  it("refuses another stamper of the same issuer where the root pins one", async () => {
    const { secondTsa } = await theInstance();
    const [first] = await authorities();
    equal(await verdictOf(await stamp({}, secondTsa), [first]), "untrusted-timestamp-authority");
    equal(await verdictOf(await stamp({}, secondTsa), await unpinned()), "ok");
  });

  it("needs the certificate in the token where the root does not have it", async () => {
    equal(await verdictOf(await stamp(), await unpinned()), "ok");
    equal(
      await verdictOf(await stamp({ embed: false }), await unpinned()),
      "untrusted-timestamp-authority",
    );
  });

  it("finds its certificate among others, in any order, beside a forged twin", async () => {
    const { tsa, otherTsa, lookAlikeTsa, secondTsa } = await theInstance();
    const [own, stranger, forged, second] = [tsa, otherTsa, lookAlikeTsa, secondTsa].map((one) =>
      one.certificate
    );
    const der = await stamp();
    const bags = [[own, stranger], [stranger, own], [forged, own], [own, forged], [
      second,
      stranger,
      forged,
      own,
    ]];
    for (const bag of bags) {
      const filled = changed(der, CERTIFICATES, () => tagged(0, ...bag));
      equal(await verdictOf(filled), "ok");
      equal(await verdictOf(filled, await unpinned()), "ok");
    }
    const without = changed(der, CERTIFICATES, () => tagged(0, stranger, forged));
    equal(await verdictOf(without), "ok", "the root has it");
    equal(await verdictOf(without, await unpinned()), "invalid-timestamp-signature");
    const rubbish = changed(der, CERTIFICATES, () => tagged(0, sequence(), own));
    equal(await verdictOf(rubbish, await unpinned()), "ok");
  });

  it("bounds the certificates of a token", async () => {
    const { tsa } = await theInstance();
    const bag = (count: number) => tagged(0, ...Array<Bytes>(count).fill(tsa.certificate));
    const der = await stamp();
    equal(await verdictOf(changed(der, CERTIFICATES, () => bag(16))), "ok");
    equal(await verdictOf(changed(der, CERTIFICATES, () => bag(17))), "limit-exceeded");
  });

  const purposes: [string, string[]][] = [
    ["another purpose", ["1.3.6.1.5.5.7.3.3"]],
    ["a second purpose", ["1.3.6.1.5.5.7.3.8", "1.3.6.1.5.5.7.3.3"]],
    ["any purpose", ["2.5.29.37.0"]],
    ["no purpose", []],
  ];
  for (const [what, list] of purposes) {
    it(`refuses an authority's certificate with ${what}`, async () => {
      const { tsa, tsaAuthority } = await theInstance();
      const certificate = await issueTimestampCertificate(tsaAuthority, {
        key: tsa.key,
        name: "throw-away tsa",
        notBefore: START,
        notAfter: END,
        purposes: list,
      });
      const by = { key: tsa.key, certificate };
      const root = await rootOf({ timestampAuthorities: [trustedTsa(by, tsaAuthority)] });
      equal(
        await verdictOf(await stamp({}, by), root.timestampAuthorities),
        "untrusted-timestamp-authority",
      );
      equal(
        await verdictOf(await stamp({}, by), await unpinned()),
        "untrusted-timestamp-authority",
      );
    });
  }

  it("does not take a certificate authority for a stamper", async () => {
    const { tsaAuthority } = await theInstance();
    const by = { key: tsaAuthority.intermediateKey, certificate: tsaAuthority.intermediate };
    equal(await verdictOf(await stamp({}, by)), "untrusted-timestamp-authority");
    equal(await verdictOf(await stamp({}, by), await unpinned()), "untrusted-timestamp-authority");
  });

  it("takes no stamper whose certificate is an authority's, or not for signatures", async () => {
    const { tsa, tsaAuthority } = await theInstance();
    const made = async (...extensions: Extension[]) => {
      const der = await certificate({
        serial: 400,
        issuer: tsaAuthority.intermediateName,
        subject: distinguishedName("tsa.example", "odd"),
        notBefore: START,
        notAfter: END,
        spki: tsa.key.spki,
        extensions: [extendedKeyUsage(["1.3.6.1.5.5.7.3.8"], true), ...extensions],
      }, tsaAuthority.intermediateKey);
      const by = { key: tsa.key, certificate: der };
      return await verdictOf(await stamp({}, by), await unpinned());
    };
    equal(await made(), "ok");
    equal(await made(keyUsage("sign")), "ok");
    equal(await made(keyUsage("certificates")), "untrusted-timestamp-authority");
    equal(await made(basicConstraints(true)), "untrusted-timestamp-authority");
  });

  it("judges the issuers at the time of the stamp", async () => {
    const { tsaAuthority, secondTsa } = await theInstance();
    const short = await issueTimestampCertificate(tsaAuthority, {
      key: await testKey("tsa"),
      name: "short",
      notBefore: START,
      notAfter: SIGNED,
      serial: 300,
    });
    const by = { key: await testKey("tsa"), certificate: short };
    const root = await rootOf({ timestampAuthorities: [trustedTsa(by, tsaAuthority)] });
    const at = async (genTime: Date) =>
      await verdictOf(await stamp({ genTime }, by), root.timestampAuthorities);
    equal(await at(SIGNED), "ok");
    equal(await at(later(SIGNED, 1000)), "timestamp-authority-not-valid");
    equal(secondTsa.certificate.length > 0, true);
  });

  it("hashes with the algorithms that the token names", async () => {
    const { tsa } = await theInstance();
    equal(tsa.key.algorithm === "P-384" || tsa.key.algorithm === "P-256", true);
    const der = await stamp({ signatureHash: "SHA-256" });
    const lying = changed(der, [...SIGNER, 2, 0], () => oid("2.16.840.1.101.3.4.2.3"));
    equal(await verdictOf(lying), "invalid-timestamp-signature");
    const other = changed(der, [...SIGNER, 4, 0], () => oid("1.2.840.10045.4.3.4"));
    equal(await verdictOf(other), "invalid-timestamp-signature");
    const unknown = changed(der, [...SIGNER, 4, 0], () => oid("1.2.3.4"));
    equal(await verdictOf(unknown), "invalid-timestamp-signature");
    const bare = changed(der, [...SIGNER, 4, 0], () => oid("1.2.840.10045.2.1"));
    equal(await verdictOf(bare), "ok", "a bare key type leaves the hash to the digest algorithm");
  });
});

describe("parseTimestampResponse()", () => {
  const shape: Record<string, (der: Bytes) => Uint8Array> = {
    "nothing": () => new Uint8Array(),
    "a bare token": (der) => children(parseDer(der))[1].raw,
    "bytes after it": (der) => concat(der, Uint8Array.of(0)),
    "no token": () => sequence(sequence(integer(0))),
    "an element after the token": (der) =>
      sequence(...children(parseDer(der)).map(({ raw }) => raw), nullValue()),
    "an element after the signed data": (der) => appended(der, TOKEN),
    "an element after the content": (der) => appended(der, [...SIGNED_DATA, 2]),
    "an element after the signers": (der) => appended(der, SIGNED_DATA),
    "an element after a signer's signature": (der) => appended(der, SIGNER),
    "an element after a signer's serial number": (der) => appended(der, [...SIGNER, 1]),
    "an element after the values of an attribute": (der) => appended(der, [...SIGNER, 3, 0]),
    "content that is elsewhere": (der) =>
      changed(der, [...SIGNED_DATA, 2], (old) => sequence(children(old)[0].raw)),
    "a negative status": (der) =>
      changed(der, STATUS, () => sequence(element(2, Uint8Array.of(0xff)))),
    "another content type": (der) => changed(der, [...TOKEN, 0], () => oid("1.2.840.113549.1.7.1")),
    "another content": (der) =>
      changed(der, [...SIGNED_DATA, 2, 0], () => oid("1.2.840.113549.1.7.1")),
    "content in pieces": (der) =>
      changed(der, [...SIGNED_DATA, 2, 1, 0], (old) => element(0x24, old.raw)),
    "no signer": (der) => changed(der, SIGNERS, () => element(0x31)),
    "two signers": (der) => changed(der, SIGNERS, (old) => element(0x31, old.value, old.value)),
    "no signed attributes": (der) =>
      changed(
        der,
        SIGNER,
        (old) => sequence(...children(old).filter(({ tag }) => tag !== 0xa0).map(({ raw }) => raw)),
      ),
    "an attribute twice": (der) =>
      changed(der, [...SIGNER, 3], (old) => element(0xa0, old.value, children(old)[0].raw)),
    "an attribute with two values": (der) =>
      changed(der, [...SIGNER, 3, 0, 1], (old) => element(0x31, old.value, old.value)),
    "an attribute without value": (der) => changed(der, [...SIGNER, 3, 0, 1], () => element(0x31)),
    "SHA-1 for the signature": (der) => changed(der, [...SIGNER, 2, 0], () => oid("1.3.14.3.2.26")),
    "an indefinite length": (der) => {
      const copy = der.slice();
      copy[1] = 0x80;
      return copy;
    },
  };
  for (const [what, change] of Object.entries(shape)) {
    it(`refuses ${what}`, async () => {
      const der = Uint8Array.from(change(await stamp()));
      equal(await verdictOf(der), "malformed-timestamp");
    });
  }

  /** The stamp with another TSTInfo; its signature is of no matter to the reader. */
  async function withInfo(change: (fields: Bytes[]) => Uint8Array[]): Promise<Bytes> {
    return changed(await stamp(), [...SIGNED_DATA, 2, 1, 0], (old) => {
      const fields = children(parseDer(old.value)).map(({ raw }) => raw);
      return octetString(sequence(...change(fields)));
    });
  }

  const at = (index: number, value: Uint8Array) => (fields: Bytes[]) =>
    fields.with(index, Uint8Array.from(value));
  const time = (text: string) => at(4, element(0x18, utf8(text)));
  const infos: Record<string, (fields: Bytes[]) => Uint8Array[]> = {
    "version 2": at(0, integer(2)),
    "an imprint by SHA-1": at(
      2,
      sequence(sequence(oid("1.3.14.3.2.26")), octetString(new Uint8Array(20))),
    ),
    "an imprint by MD5": at(
      2,
      sequence(sequence(oid("1.2.840.113549.2.5")), octetString(new Uint8Array(16))),
    ),
    "a time as UTCTime": at(4, element(0x17, utf8("250203100005Z"))),
    "a time with an offset": time("20250203100005+0100"),
    "a time without zone": time("20250203100005"),
    "a time without seconds": time("202502031000Z"),
    "a time with a comma": time("20250203100005,5Z"),
    "a fraction that ends in zero": time("20250203100005.50Z"),
    "a fraction without digits": time("20250203100005.Z"),
    "second 60": time("20250203100060Z"),
    "month 13": time("20251303100005Z"),
    "an extension": (fields) => [...fields, tagged(1, sequence())],
    "fields in another order": (fields) => [...fields.slice(0, 4), fields[5], fields[4]],
    "no time": (fields) => fields.filter((_, i) => i !== 4),
  };
  for (const [what, change] of Object.entries(infos)) {
    it(`refuses ${what}`, async () => {
      equal(
        await reasonOf(async () => parseTimestampResponse(await withInfo(change))),
        "malformed-timestamp",
      );
    });
  }

  it("reads a fraction of a second, cut to milliseconds", async () => {
    const token = parseTimestampResponse(await withInfo(time("20250203100005.1239Z")));
    equal(token.time.toISOString(), "2025-02-03T10:00:05.123Z");
  });

  it("notices each changed field of the TSTInfo", async () => {
    for (const change of [time("20250203100006Z"), at(1, oid("1.2.3.4")), at(3, integer(1))]) {
      equal(await verdictOf(await withInfo(change)), "invalid-timestamp-signature");
    }
  });

  it("never fails but with a reason: each byte of a stamp changed", async () => {
    const der = await stamp();
    const known = await authorities();
    const reasons = new Map<string, number>();
    const accepted: number[] = [];
    for (let i = 0; i < der.length; i++) {
      const copy = der.slice();
      copy[i] ^= 0x21;
      try {
        await verifyTimestamp(copy, MESSAGE, known);
        accepted.push(i);
      } catch (error) {
        const reason = error instanceof AttestationError ? error.reason : String(error);
        reasons.set(reason, (reasons.get(reason) ?? 0) + 1);
      }
    }
    const expected = [
      "invalid-timestamp-signature",
      "malformed-timestamp",
      "timestamp-imprint-mismatch",
      "timestamp-rejected",
      "untrusted-timestamp-authority",
    ];
    deepEqual([...reasons.keys()].filter((one) => !expected.includes(one)), []);
    // What the root has already does not have to be right in the token, nor do the fields
    // that repeat what SignerInfo says.
    const harmless = await stamp({ embed: false });
    const repeated = der.length - harmless.length + 64;
    equal(accepted.length < repeated, true, `${accepted.length} of at most ${repeated}`);
  });
});
