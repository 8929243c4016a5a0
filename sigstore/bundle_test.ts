import { deepStrictEqual as deepEqual, strictEqual as equal } from "node:assert/strict";
import { describe, it } from "node:test";
import { isAttestationError } from "../errors.ts";
import { encodeBase64 } from "../internal/base64.ts";
import type { Json, JsonObject } from "../internal/json.ts";
import { encodePem } from "../internal/pem.ts";
import {
  BLOB,
  bundleOf,
  edited,
  ENVELOPE,
  reasonOf,
  theInstance,
  valueAt,
} from "../tests/fixtures/sigstore.ts";
import { stamped } from "../tools/pki/instance.ts";
import { parseSigstoreBundle, readCertificateEnvelope } from "./bundle.ts";
import { parseCertificate } from "./certificate.ts";

const MATERIAL = "/verificationMaterial";
const ENTRY = `${MATERIAL}/tlogEntries/0`;
type Change = [
  pointer: string,
  value: Json | undefined | ((old: Json | undefined) => Json | undefined),
];

const full = () => bundleOf({ ...ENVELOPE, timestamps: stamped() });
const chained = async (version: "v0.1" | "v0.2", ...chain: Uint8Array[]) =>
  await bundleOf({ ...BLOB, version, chain });

function refusal(bundle: JsonObject | string | Uint8Array): Promise<string> {
  return reasonOf(() => parseSigstoreBundle(bundle));
}

const changed = (bundle: JsonObject, ...changes: Change[]) =>
  changes.reduce((json, [pointer, value]) => edited(json, pointer, value), bundle);

describe("parseSigstoreBundle()", () => {
  it("reads each version into one shape, from text, bytes or an object", async () => {
    const versions: [string, string][] = [];
    for (const version of ["v0.1", "v0.2", "v0.3-old", "v0.3"] as const) {
      const json = await bundleOf({ ...BLOB, version });
      const text = JSON.stringify(json);
      const read = parseSigstoreBundle(text);
      deepEqual(read.logEntries, parseSigstoreBundle(json).logEntries);
      deepEqual(read.logEntries, parseSigstoreBundle(new TextEncoder().encode(text)).logEntries);
      versions.push([version, read.version]);
    }
    deepEqual(versions, [["v0.1", "0.1"], ["v0.2", "0.2"], ["v0.3-old", "0.3"], ["v0.3", "0.3"]]);
  });

  it("reads patch forms of version 0.3 and nothing near it", async () => {
    const json = await full();
    const type = (name: string) => refusal(edited(json, "/mediaType", name));
    equal(await type("application/vnd.dev.sigstore.bundle.v0.3.2+json"), "ok");
    for (
      const name of [
        "application/vnd.dev.sigstore.bundle.v0.3.+json",
        "application/vnd.dev.sigstore.bundle.v0.3.00001+json",
        "application/vnd.dev.sigstore.bundle.v0.4+json",
        "application/vnd.dev.sigstore.bundle.v0.30+json",
        "application/vnd.dev.sigstore.bundle.v0x3+json",
        "application/vnd.dev.sigstore.bundle.v0.2+json",
        "application/vnd.dev.sigstore.bundle+json;version=0.4",
        "application/vnd.dev.sigstore.bundle+json; version=0.3",
        "Application/vnd.dev.sigstore.bundle.v0.3+json",
        "application/vnd.dev.sigstore.bundle.v0.3+json\n",
        "application/json",
        "",
      ]
    ) equal(await type(name), "unsupported-bundle-version", JSON.stringify(name));
    equal(await refusal(edited(json, "/mediaType", undefined)), "unsupported-bundle-version");
    equal(await refusal(edited(json, "/mediaType", 3)), "malformed-sigstore-bundle");
  });

  it("takes null for absent, defaults for zero, and numbers for int64", async () => {
    const json = await full();
    const read = (...changes: Change[]) =>
      parseSigstoreBundle(changed(json, ...changes)).logEntries[0];
    equal(read([`${ENTRY}/logIndex`, undefined]).logIndex, 0n);
    equal(read([`${ENTRY}/logIndex`, null]).logIndex, 0n);
    equal(read([`${ENTRY}/logIndex`, 9007199254740991]).logIndex, 9007199254740991n);
    equal(read([`${ENTRY}/logIndex`, "9223372036854775807"]).logIndex, 9223372036854775807n);
    equal(read([`${ENTRY}/integratedTime`, undefined]).integratedTime, 0n);
    equal(read([`${ENTRY}/inclusionProof/hashes`, undefined]).proof?.hashes.length, 0);
    equal(read([`${ENTRY}/integratedTime`, "253402300799"]).integratedTime, 253402300799n);
    for (const none of [undefined, null]) {
      equal(read([`${ENTRY}/inclusionPromise`, none]).promise, undefined);
    }
    equal(await refusal(edited(json, `${MATERIAL}/timestampVerificationData`, null)), "ok");
  });

  it("ignores members that it does not know, and does not take snake case", async () => {
    const json = await full();
    equal(await refusal(changed(json, ["/x", 1], [`${ENTRY}/x`, 1])), "ok");
    const snake = changed(json, [MATERIAL, undefined], [
      "/verification_material",
      valueAt(json, MATERIAL),
    ]);
    equal(await refusal(snake), "malformed-sigstore-bundle");
  });

  const cases: [string, string, ...Change[]][] = [
    ["no material", "malformed-sigstore-bundle", [MATERIAL, undefined]],
    ["material that is a list", "malformed-sigstore-bundle", [MATERIAL, []]],
    ["no signer", "malformed-sigstore-bundle", [`${MATERIAL}/certificate`, undefined]],
    ["two signers", "malformed-sigstore-bundle", [`${MATERIAL}/publicKey`, { hint: "x" }]],
    ["a certificate without bytes", "malformed-sigstore-bundle", [`${MATERIAL}/certificate`, {}]],
    ["an empty certificate", "malformed-sigstore-bundle", [`${MATERIAL}/certificate/rawBytes`, ""]],
    ["a certificate that is none", "malformed-certificate", [
      `${MATERIAL}/certificate/rawBytes`,
      "AAAA",
    ]],
    ["base64 with a space", "invalid-base64", [`${MATERIAL}/certificate/rawBytes`, "AA AA"]],
    ["base64 with unused bits", "invalid-base64", [`${ENTRY}/logId/keyId`, "AB=="]],
    ["mixed base64", "invalid-base64", [`${ENTRY}/logId/keyId`, "-+AA"]],
    ["no content", "malformed-sigstore-bundle", ["/dsseEnvelope", undefined]],
    ["two contents", "malformed-sigstore-bundle", ["/messageSignature", { signature: "AAAA" }]],
    ["no signature", "missing-signatures", ["/dsseEnvelope/signatures", []]],
    ["two signatures", "malformed-sigstore-bundle", [
      "/dsseEnvelope/signatures",
      (old) => [...old as Json[], ...old as Json[]],
    ]],
    ["an envelope without payload", "malformed-envelope", ["/dsseEnvelope/payload", undefined]],
    ["log entries that are no list", "malformed-sigstore-bundle", [`${MATERIAL}/tlogEntries`, {}]],
    ["a log entry that is null", "malformed-sigstore-bundle", [ENTRY, null]],
    ["no log id", "malformed-sigstore-bundle", [`${ENTRY}/logId`, undefined]],
    ["no kind", "malformed-sigstore-bundle", [`${ENTRY}/kindVersion`, undefined]],
    ["no body", "malformed-sigstore-bundle", [`${ENTRY}/canonicalizedBody`, undefined]],
    ["no proof", "missing-inclusion-proof", [`${ENTRY}/inclusionProof`, undefined]],
    ["a proof without checkpoint", "missing-inclusion-proof", [
      `${ENTRY}/inclusionProof/checkpoint`,
      undefined,
    ]],
    ["an empty checkpoint", "missing-inclusion-proof", [
      `${ENTRY}/inclusionProof/checkpoint/envelope`,
      "",
    ]],
    ["a negative index", "malformed-sigstore-bundle", [`${ENTRY}/logIndex`, "-1"]],
    ["a negative number", "malformed-sigstore-bundle", [`${ENTRY}/logIndex`, -1]],
    ["a fraction", "malformed-sigstore-bundle", [`${ENTRY}/logIndex`, 1.5]],
    ["a number above 2^53", "malformed-sigstore-bundle", [`${ENTRY}/logIndex`, 9007199254740992]],
    ["a leading zero", "malformed-sigstore-bundle", [`${ENTRY}/logIndex`, "01"]],
    ["a plus sign", "malformed-sigstore-bundle", [`${ENTRY}/logIndex`, "+1"]],
    ["an exponent", "malformed-sigstore-bundle", [`${ENTRY}/logIndex`, "1e3"]],
    ["an index of 2^63", "malformed-sigstore-bundle", [`${ENTRY}/logIndex`, "9223372036854775808"]],
    [
      "an index that cannot be made a text",
      "malformed-sigstore-bundle",
      [`${ENTRY}/logIndex`, { toString: 2 }],
    ],
    ["an index in a list", "malformed-sigstore-bundle", [`${ENTRY}/logIndex`, [1]]],
    ["an empty kind", "malformed-sigstore-bundle", [`${ENTRY}/kindVersion/kind`, ""]],
    ["hashes that are no list", "malformed-sigstore-bundle", [
      `${ENTRY}/inclusionProof/hashes`,
      {},
    ]],
    ["hashes as one text", "malformed-sigstore-bundle", [
      `${ENTRY}/inclusionProof/hashes`,
      "AAAA",
    ]],
    ["an index that is true", "malformed-sigstore-bundle", [`${ENTRY}/logIndex`, true]],
    ["a time after the year 9999", "malformed-sigstore-bundle", [
      `${ENTRY}/integratedTime`,
      "253402300800",
    ]],
    ["the largest time", "malformed-sigstore-bundle", [
      `${ENTRY}/integratedTime`,
      "9223372036854775807",
    ]],
    ["an index in the tree that is its size", "malformed-sigstore-bundle", [
      `${ENTRY}/inclusionProof/logIndex`,
      "7",
    ]],
    ["an empty tree", "malformed-sigstore-bundle", [`${ENTRY}/inclusionProof/treeSize`, "0"]],
    ["a short root hash", "malformed-sigstore-bundle", [
      `${ENTRY}/inclusionProof/rootHash`,
      "AAAA",
    ]],
    ["a short hash", "malformed-sigstore-bundle", [`${ENTRY}/inclusionProof/hashes/0`, "AAAA"]],
    ["a hash that is no text", "malformed-sigstore-bundle", [
      `${ENTRY}/inclusionProof/hashes/0`,
      1,
    ]],
    ["an empty promise", "malformed-sigstore-bundle", [
      `${ENTRY}/inclusionPromise/signedEntryTimestamp`,
      "",
    ]],
    ["a timestamp without bytes", "malformed-sigstore-bundle", [
      `${MATERIAL}/timestampVerificationData/rfc3161Timestamps/0`,
      {},
    ]],
    ["a chain in version 0.3", "forbidden-certificate-chain", [
      `${MATERIAL}/certificate`,
      undefined,
    ], [`${MATERIAL}/x509CertificateChain`, { certificates: [] }]],
  ];
  for (const [what, reason, ...changes] of cases) {
    it(`refuses ${what}`, async () =>
      equal(await refusal(changed(await full(), ...changes)), reason));
  }

  it("says where", async () => {
    const json = await full();
    const said = (source: object) => {
      try {
        parseSigstoreBundle(source);
      } catch (error) {
        if (isAttestationError(error)) return [error.path, error.message];
      }
      throw new Error("not reached");
    };
    const [path, message] = said(edited(json, MATERIAL, undefined));
    deepEqual([path, message], [MATERIAL, `Cannot read ${MATERIAL}: not an object`]);
    equal(said(edited(json, `${MATERIAL}/publicKey`, { hint: "x" }))[0], MATERIAL);
    equal(said(edited(json, `${ENTRY}/kindVersion/kind`, 1))[0], `${ENTRY}/kindVersion/kind`);
    deepEqual(said([]), ["", "Cannot read document: not an object"]);
  });

  it("needs a promise in version 0.1 and a proof from 0.2 on", async () => {
    const one = await chained("v0.1");
    equal(
      await refusal(edited(one, `${ENTRY}/inclusionPromise`, undefined)),
      "missing-inclusion-promise",
    );
    equal(await refusal(edited(one, `${ENTRY}/inclusionProof`, undefined)), "ok");
    const two = await chained("v0.2");
    equal(await refusal(edited(two, `${ENTRY}/inclusionPromise`, undefined)), "ok");
    equal(
      await refusal(edited(two, `${ENTRY}/inclusionProof`, undefined)),
      "missing-inclusion-proof",
    );
  });

  it("refuses an empty chain, and a self-signed certificate in it", async () => {
    const { authority: { intermediate, root } } = await theInstance();
    const chain = `${MATERIAL}/x509CertificateChain/certificates`;
    for (const version of ["v0.1", "v0.2"] as const) {
      equal(await refusal(edited(await chained(version), chain, [])), "malformed-sigstore-bundle");
      equal(await refusal(await chained(version, intermediate)), "ok");
      equal(await refusal(await chained(version, root)), "root-in-bundle");
      equal(await refusal(await chained(version, root, intermediate)), "root-in-bundle");
    }
    equal(await refusal(await chained("v0.2", intermediate, root)), "root-in-bundle");
  });

  it("drops the root that ends a whole chain of version 0.1, and nothing else", async () => {
    const { authority, otherAuthority } = await theInstance();
    const { intermediate, root } = authority;
    const { signer } = parseSigstoreBundle(await chained("v0.1", intermediate, root));
    equal(signer.kind === "certificate" && signer.intermediates.length, 1);
    const twin = await chained("v0.1", intermediate, root, root);
    equal(await refusal(twin), "root-in-bundle");
    const rootName = parseCertificate(root).subject;
    const above = { ...authority, intermediateKey: authority.rootKey, intermediateName: rootName };
    const direct = await bundleOf({ ...BLOB, version: "v0.1", authority: above, chain: [root] });
    const { signer: byRoot } = parseSigstoreBundle(direct);
    equal(byRoot.kind === "certificate" && byRoot.intermediates.length, 0);
    // Of the same name, so in order; it is dropped as well and never trusted.
    const other =
      parseSigstoreBundle(await chained("v0.1", intermediate, otherAuthority.root)).signer;
    equal(other.kind === "certificate" && other.intermediates.length, 1);
  });

  it("refuses a key id that differs from the hint at the key", async () => {
    const signed = (hint: string, keyid?: string) =>
      bundleOf({ ...ENVELOPE, key: "managed", hint, ...(keyid === undefined ? {} : { keyid }) });
    equal(await refusal(await signed("a", "b")), "key-hint-mismatch");
    for (const [hint, keyid] of [["a", "a"], ["a", undefined], ["", "b"], ["a", ""]] as const) {
      equal(await refusal(await signed(hint, keyid)), "ok");
    }
    equal(await refusal(await bundleOf({ ...ENVELOPE, keyid: "a" })), "ok", "no key, no hint");
  });

  it("refuses what is no strict JSON", async () => {
    const text = JSON.stringify(await full());
    equal(await refusal(""), "empty-input");
    equal(await refusal("<!doctype html>"), "malformed-json");
    equal(await refusal(text.slice(0, -1)), "malformed-json");
    equal(await refusal(text.replace("{", `{"mediaType":"x",`)), "duplicate-json-key");
    equal(await refusal("[".repeat(200)), "limit-exceeded");
    equal(await refusal(Uint8Array.of(0xff)), "invalid-unicode");
    for (const text of ["null", "[]", "1", `"x"`]) {
      equal(await refusal(text), "malformed-sigstore-bundle");
    }
  });

  it("takes digests of the artifact that it knows, of their length", async () => {
    const json = await bundleOf({ ...BLOB });
    const digest = "/messageSignature/messageDigest";
    const of = (algorithm: Json, length: number) =>
      refusal(edited(json, digest, { algorithm, digest: encodeBase64(new Uint8Array(length)) }));
    equal(await of("SHA2_384", 48), "ok");
    equal(await of("SHA2_512", 64), "ok");
    equal(await of("SHA2_256", 31), "malformed-sigstore-bundle");
    equal(await of("SHA2_256", 48), "malformed-sigstore-bundle");
    for (const name of ["SHA1", "sha256", "toString", 1]) {
      equal(await of(name, 32), "malformed-sigstore-bundle");
    }
    equal(await refusal(edited(json, digest, undefined)), "ok");
    equal(
      await refusal(edited(json, "/messageSignature/signature", "")),
      "malformed-sigstore-bundle",
    );
  });

  it("accepts 32 entries, timestamps and certificates, and refuses 33", async () => {
    const json = await full();
    const many = (count: number) => (old: Json | undefined) =>
      Array<Json>(count).fill((old as Json[])[0]);
    const stamps = `${MATERIAL}/timestampVerificationData/rfc3161Timestamps`;
    for (const pointer of [`${MATERIAL}/tlogEntries`, stamps]) {
      equal(await refusal(edited(json, pointer, many(32))), "ok");
      equal(await refusal(edited(json, pointer, many(33))), "limit-exceeded");
    }
    const { authority: { intermediate } } = await theInstance();
    const chain = (count: number) =>
      chained("v0.2", ...Array<Uint8Array>(count).fill(intermediate));
    equal(await refusal(await chain(31)), "ok");
    equal(await refusal(await chain(32)), "limit-exceeded");
    const hashes = (count: number) =>
      edited(
        json,
        `${ENTRY}/inclusionProof/hashes`,
        Array<Json>(count).fill(encodeBase64(new Uint8Array(32))),
      );
    equal(await refusal(hashes(64)), "ok");
    equal(await refusal(hashes(65)), "limit-exceeded");
  });

  it("bounds the payload", async () => {
    const json = await full();
    const length = parseSigstoreBundle(json).content;
    const size = length.kind === "envelope" ? length.envelope.payload.length : 0;
    equal(await reasonOf(() => parseSigstoreBundle(json, { maxPayloadBytes: size })), "ok");
    equal(
      await reasonOf(() => parseSigstoreBundle(json, { maxPayloadBytes: size - 1 })),
      "limit-exceeded",
    );
    equal(
      await reasonOf(() => parseSigstoreBundle(json, { maxPayloadBytes: 1 })),
      "limit-exceeded",
    );
  });

  it("throws a TypeError for limits that are none", async () => {
    const json = await bundleOf({ ...BLOB });
    for (
      const limits of [
        { maxPayloadBytes: NaN },
        { maxPayloadBytes: -1 },
        { maxPayloadBytes: 0 },
        { maxBytes: 1 },
      ]
    ) {
      let thrown: unknown;
      try {
        parseSigstoreBundle(json, limits);
      } catch (error) {
        thrown = error;
      }
      equal(thrown instanceof TypeError, true, JSON.stringify(limits));
    }
  });
});

describe("readCertificateEnvelope()", () => {
  const parts = async () => {
    const { authority: { intermediate, root } } = await theInstance();
    const cert = [intermediate, root].map((der) => encodePem("CERTIFICATE", der)).join("");
    const payload = encodeBase64(new TextEncoder().encode("{}"));
    const of = (...signatures: Json[]) => ({ payloadType: "t", payload, signatures });
    return { cert, of, signature: { sig: "AAAA", cert } };
  };

  it("reads the certificates beside the one signature", async () => {
    const { of, signature } = await parts();
    const bundle = readCertificateEnvelope(of(signature));
    equal(bundle?.signer.kind, "certificate");
    equal(bundle?.signer.kind === "certificate" && bundle.signer.intermediates.length, 1);
    deepEqual([bundle?.logEntries, bundle?.timestamps], [[], []]);
  });

  it("takes nothing else for one", async () => {
    const { of, signature, cert } = await parts();
    const others = [
      of(),
      of(null),
      of("sig"),
      of({ sig: "AAAA" }),
      of({ sig: "AAAA", cert: null }),
      of({ sig: "AAAA", cert: [cert] }),
      of(signature, signature),
      of(signature, { sig: "AAAA" }),
      { ...of(), signatures: { 0: signature, length: 1 } },
      {},
    ];
    for (const value of others) equal(readCertificateEnvelope(value), undefined);
  });

  it("refuses certificates that are none, and payloads beyond the bound", async () => {
    const { of, signature } = await parts();
    const bad = of({ sig: "AAAA", cert: encodePem("CERTIFICATE", Uint8Array.of(0x30, 0)) });
    equal(await reasonOf(() => readCertificateEnvelope(bad)), "malformed-certificate");
    const bounded = () => readCertificateEnvelope(of(signature), { maxPayloadBytes: 1 });
    equal(await reasonOf(bounded), "limit-exceeded");
  });
});
