import {
  deepStrictEqual as deepEqual,
  ok,
  rejects,
  strictEqual as equal,
  throws,
} from "node:assert/strict";
import { describe, it } from "node:test";
import { encodeBase64 } from "../internal/base64.ts";
import { concat, utf8 } from "../internal/bytes.ts";
import { pae } from "../dsse/pae.ts";
import { createEnvelope } from "../dsse/mod.ts";
import {
  ABC_SHA256,
  b64,
  compact,
  joseSignature,
  keyOf,
  STATEMENT,
  verdict,
} from "./_fixtures_test.ts";
import { EXPLANATIONS } from "./explained.ts";
import {
  FORMATS,
  parseBuildKitStatement,
  parseFormat,
  readFormatStatement,
  verifyFormat,
} from "./mod.ts";
import { decodeMessage } from "./statement.ts";

const CRITICAL = {
  type: "Google cloud binauthz container signature",
  image: { "docker-manifest-digest": `sha256:${ABC_SHA256}` },
  identity: { "docker-reference": "registry.example/app" },
};
const ci = async () => ({ keys: [(await keyOf("ES256")).trustedKey] });

async function attestation(payload: Uint8Array, data = payload): Promise<string> {
  const { signer } = await keyOf("ES256");
  const signature = encodeBase64(await signer.sign(data));
  return JSON.stringify({
    serializedPayload: encodeBase64(payload),
    signatures: [{ publicKeyId: "//kms/1", signature }],
  });
}

describe("verifyFormat() of Binary Authorization", () => {
  it("accepts both forms of signatures over the payload", async () => {
    const payload = utf8(JSON.stringify({ critical: CRITICAL }));
    const type = "application/vnd.dev.cosign.simplesigning.v1+json";
    for (const data of [payload, pae(type, payload)]) {
      const result = await verifyFormat(await attestation(payload, data), await ci());
      ok(result.ok && "statement" in result.statement);
      deepEqual(result.statement.statement.subject, [
        { name: "registry.example/app", digest: { sha256: ABC_SHA256 } },
      ]);
      equal(result.statement.statement.predicateType, CRITICAL.type);
      deepEqual(result.statement.implicit, ["messageType"]);
    }
    const changed = await attestation(payload, utf8("other"));
    equal(await verdict(changed, await ci()), "invalid-signature");
    equal(await verdict(changed, { keys: [] }), "missing-trusted-key");
    const none = JSON.stringify({ serializedPayload: "", signatures: [] });
    equal(await verdict(none, await ci()), "missing-signatures");
  });

  it("makes a Statement of container signatures only: a file that was signed as such is none", async () => {
    for (const text of [JSON.stringify(STATEMENT), `${ABC_SHA256}  abc\n`]) {
      const result = await verifyFormat(await attestation(utf8(text)), await ci());
      ok(result.ok && "reason" in result.statement, text);
      equal(result.statement.reason, "unsupported-payload-type");
    }
  });

  it("refuses critical members that nobody knows", async () => {
    for (
      const payload of [
        { critical: { ...CRITICAL, more: 1 } },
        { critical: { ...CRITICAL, image: { ...CRITICAL.image, other: 1 } } },
        { critical: { ...CRITICAL, type: "another" } },
        { critical: CRITICAL, more: 1 },
        { critical: CRITICAL, optional: null },
        { critical: { ...CRITICAL, type: "atomic container signature" }, optional: null },
      ]
    ) {
      const source = await attestation(utf8(JSON.stringify(payload)));
      const result = await verifyFormat(source, await ci());
      ok(result.ok);
      ok("reason" in result.statement, JSON.stringify(payload));
      equal(result.statement.reason, "malformed-signature-payload");
    }
    const twice =
      `{"critical":{"type":"${CRITICAL.type}","image":{"docker-manifest-digest":"a","docker-manifest-digest":"b"}}}`;
    const result = await verifyFormat(await attestation(utf8(twice)), await ci());
    ok(result.ok && "reason" in result.statement);
    equal(result.statement.reason, "duplicate-json-key");
  });
});

describe("readFormatStatement()", () => {
  it("reads nothing of an envelope that is refused", async () => {
    const keys = [(await keyOf("Ed25519")).trustedKey];
    const of = async (source: string) => {
      const { envelope } = await verifyFormat(source, { keys });
      ok(envelope !== undefined);
      return envelope;
    };
    equal(readFormatStatement(await of(await compact({ alg: "EdDSA" }))).materials, undefined);
    const stranger = await of(await compact({ alg: "EdDSA" }, STATEMENT, "Ed25519", "stranger"));
    throws(() => readFormatStatement(stranger), { reason: "invalid-signature" });
    const expired = await of(await compact({ alg: "EdDSA" }, { ...STATEMENT, exp: 1 }));
    throws(() => readFormatStatement(expired), { reason: "attestation-expired" });
  });

  it("reads a Notation payload in Notation's envelopes only, and no message that is too long", async () => {
    const payload = {
      targetArtifact: { mediaType: "a/b", digest: `sha256:${ABC_SHA256}`, size: 3 },
    };
    const keys = [(await keyOf("Ed25519")).trustedKey];
    const result = await verifyFormat(await compact({ alg: "EdDSA" }, payload), { keys });
    ok(result.ok && "reason" in result.statement);
    equal(result.statement.reason, "unsupported-payload-type");
    throws(() => decodeMessage(utf8(JSON.stringify(STATEMENT)), "notation-jws"), {
      reason: "unsupported-payload-type",
    });
    const long = new Uint8Array((16 << 20) + 1).fill(97);
    throws(() => decodeMessage(long, "openpgp"), { reason: "limit-exceeded" });
  });
});

describe("documents that nobody signed", () => {
  it("are told and never accepted", async () => {
    const documents: [string, object][] = [
      ["spdx", { spdxVersion: "SPDX-2.3", SPDXID: "SPDXRef-DOCUMENT", documentNamespace: "x" }],
      ["cyclonedx", { bomFormat: "CycloneDX", specVersion: "1.6", signature: {} }],
    ];
    for (const [format, document] of documents) {
      const source = JSON.stringify(document);
      equal((await parseFormat(source)).format, format);
      equal(await verdict(source, await ci()), "unsigned-statement");
    }
  });

  it("have the subjects that they describe, once they are signed", async () => {
    const component = { name: "abc", hashes: [{ alg: "SHA-256", content: ABC_SHA256 }] };
    const bom = { bomFormat: "CycloneDX", specVersion: "1.6", metadata: { component } };
    const header = { alg: "EdDSA", cty: "vnd.cyclonedx+json" };
    const keys = [(await keyOf("Ed25519")).trustedKey];
    const result = await verifyFormat(await compact(header, bom), { keys });
    ok(result.ok && "statement" in result.statement);
    deepEqual(result.statement.statement.subject, [
      { name: "abc", digest: { sha256: ABC_SHA256 } },
    ]);
    const spdx = {
      spdxVersion: "SPDX-2.3",
      documentDescribes: ["SPDXRef-a"],
      packages: [{
        SPDXID: "SPDXRef-a",
        name: "abc",
        checksums: [{ algorithm: "SHA256", checksumValue: ABC_SHA256 }],
      }, {
        SPDXID: "SPDXRef-b",
        checksums: [{ algorithm: "SHA256", checksumValue: "0".repeat(64) }],
      }],
    };
    const bytes = utf8(JSON.stringify(spdx));
    deepEqual(decodeMessage(bytes, "jws").statement.subject, [
      { name: "abc", digest: { sha256: ABC_SHA256 } },
    ]);
    // A type of any length is looked at once.
    const type = { value: `x/y${";".repeat(1 << 18)}\n`, authenticated: false };
    throws(() => decodeMessage(utf8("{}"), "jws", type), { reason: "unsupported-payload-type" });
    throws(() => decodeMessage(utf8('{"spdxVersion":"SPDX-2.3"}'), "jws"), {
      reason: "missing-subject",
    });
    const again = (content: string) => {
      const hashes = [...component.hashes, { alg: "SHA-256", content }];
      return utf8(JSON.stringify({ ...bom, metadata: { component: { ...component, hashes } } }));
    };
    equal(decodeMessage(again(ABC_SHA256.toUpperCase()), "jws").statement.subject.length, 1);
    throws(() => decodeMessage(again("0".repeat(64)), "jws"), { reason: "malformed-statement" });
  });
});

describe("an SPDX 3 document", () => {
  const CONTEXT = "https://spdx.org/rdf/3.0.1/spdx-context.jsonld";
  const hash = (value: string, type = "Hash") => ({
    type,
    algorithm: "sha256",
    hashValue: value,
  });
  const thing = (name: string, hashes: object[], type = "software_Package") => ({
    type,
    spdxId: `urn:${name}`,
    name,
    verifiedUsing: hashes,
  });
  const documentOf = (roots: unknown, ...more: object[]) => ({
    "@context": CONTEXT,
    "@graph": [
      { type: "SpdxDocument", spdxId: "urn:doc", rootElement: roots },
      { type: "software_Sbom", spdxId: "urn:bom", rootElement: ["urn:abc"] },
      thing("abc", [hash(ABC_SHA256)]),
      thing("other", [hash("0".repeat(64))], "software_File"),
      ...more,
    ],
  });
  const read = (document: object) => decodeMessage(utf8(JSON.stringify(document)), "jws");
  const names = (document: object) =>
    read(document).statement.subject.map(({ name }) => name).sort();

  it("is about its roots, and those of the collections among them", () => {
    const { statement, implicit } = read(documentOf(["urn:bom"]));
    equal(statement.predicateType, "https://spdx.dev/Document/v3");
    deepEqual(statement.subject, [{ name: "abc", digest: { sha256: ABC_SHA256 } }]);
    deepEqual(implicit, ["messageType", "predicateType"]);
    deepEqual(names(documentOf(["urn:bom", "urn:other", "urn:abc"])), ["abc", "other"]);
    const describes = {
      type: "Relationship",
      relationshipType: "describes",
      from: "urn:doc",
      to: ["urn:other"],
    };
    deepEqual(names(documentOf([], describes)), ["other"]);
  });

  it("says nothing of what it only contains, and of what is no digest", () => {
    const nothing = (document: object) =>
      throws(() => read(document), { reason: "missing-subject" });
    nothing(documentOf([]));
    nothing(documentOf(["urn:gone", 1, null, { type: "software_Package" }]));
    // A bill by itself is no root of the document.
    nothing({ ...documentOf([]), "@graph": documentOf([])["@graph"].slice(1) });
    const code = thing("code", [hash("1".repeat(64), "PackageVerificationCode")]);
    nothing(documentOf(["urn:code"], code));
    const contains = { type: "Relationship", relationshipType: "contains", from: "urn:doc" };
    nothing(documentOf([], { ...contains, to: ["urn:other"] }));
    const cycle = { type: "Bundle", spdxId: "urn:cycle", rootElement: ["urn:cycle", "urn:doc"] };
    nothing(documentOf(["urn:cycle"], cycle));
  });

  it("is read in time that grows with it, whatever refers to what", () => {
    const many = Array.from({ length: 20_000 }, () => thing("same", []));
    const roots = Array.from({ length: 20_000 }, () => "urn:same");
    const documents = many.map(() => ({
      type: "SpdxDocument",
      spdxId: "urn:doc",
      rootElement: [],
    }));
    const describes = { type: "Relationship", relationshipType: "describes", from: "urn:doc" };
    const graph = [...many, ...documents, { ...describes, to: roots }];
    throws(() => read({ "@context": CONTEXT, "@graph": graph }), { reason: "missing-subject" });
  });

  it("is told by its context, which is not fetched, and signed like others", async () => {
    const document = documentOf(["urn:abc"]);
    equal((await parseFormat(JSON.stringify(document))).format, "spdx");
    equal(await verdict(JSON.stringify(document), await ci()), "unsigned-statement");
    const keys = [(await keyOf("Ed25519")).trustedKey];
    const token = await compact({ alg: "EdDSA", cty: "spdx+json" }, document);
    const result = await verifyFormat(token, { keys });
    ok(result.ok && "statement" in result.statement);
    equal(result.statement.statement.subject[0].name, "abc");
    for (const context of ["https://schema.org", "https://example.com/spdx.org", {}, [{}]]) {
      const other = { ...document, "@context": context };
      await rejects(parseFormat(JSON.stringify(other)), { reason: "unknown-format" });
      throws(() => read(other), { reason: "unsupported-payload-type" });
    }
    throws(() => read({ ...document, bomFormat: "CycloneDX" }), { reason: "ambiguous-format" });
  });
});

describe("parseBuildKitStatement()", () => {
  it("wants the annotation and the Statement to agree", () => {
    const annotations = { "in-toto.io/predicate-type": STATEMENT.predicateType };
    const bytes = utf8(JSON.stringify(STATEMENT));
    const mediaType = "application/vnd.in-toto+json";
    equal(parseBuildKitStatement(bytes, { mediaType, annotations }).subject.length, 1);
    throws(() => parseBuildKitStatement(bytes, { mediaType }), {
      reason: "predicate-type-mismatch",
    });
    throws(() => parseBuildKitStatement(bytes, { mediaType: "text/plain", annotations }), {
      reason: "unknown-format",
    });
  });
});

/** Beginnings of documents by what they are told to be. */
const MARKS: Readonly<Record<string, string | Uint8Array>> = {
  "apk-v4": Uint8Array.of(2, 0, 0, 0, 8, 0, 0, 0, 1, 0, 0, 0, 12, 0),
  "appx": utf8("PKCX\u0000"),
  "efi-signature-list": Uint8Array.of(0xa1, 0x59, 0xc0, 0xa5, 0xe4, 0x94, 0xa7, 0x4a, 0x87),
  "efi-variable": concat(new Uint8Array(20), Uint8Array.of(0, 2, 0xf1, 0x0e)),
  "jss": JSON.stringify({
    signatures: [{ hash_algorithm: "sha-256", algorithm: "Ed25519", signature: "" }],
  }),
  "macho-signature": Uint8Array.of(0xcf, 0xfa, 0xed, 0xfe, 0),
  "msi": Uint8Array.of(0xd0, 0xcf, 0x11, 0xe0, 0xa1, 0xb1, 0x1a, 0xe1),
  "nv2-jwt": `${b64({ alg: "RS256", typ: "x509" })}.${b64({ digest: "sha256:00", size: 3 })}.AA`,
  "rfc3161-timestamp": concat(
    Uint8Array.of(0x30, 0x20, 0x30, 3, 2, 1, 0),
    Uint8Array.of(6, 0x0b, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 9, 0x10, 1, 4),
  ),
  "scitt-statement": Uint8Array.of(0xd2, 0x84, 0x43, 0xa1, 0x0f, 0xa0, 0xa0, 0xf6, 0x40),
  "security-catalog": concat(
    Uint8Array.of(0x30, 0x82, 0x10, 0x00),
    Uint8Array.of(6, 9, 0x2b, 6, 1, 4, 1, 0x82, 0x37, 0x0a, 1),
  ),
  "sigsum-proof": `version=2\nlog=${"a".repeat(64)}\nleaf=00 11\n`,
  "tuf-metadata": JSON.stringify({
    signatures: [],
    signed: { _type: "Root", version: 3, expires: "2027-01-01T00:00:00Z" },
  }),
};

describe("formats that are explained", () => {
  it("are told by their marks, described, and never accepted", async () => {
    deepEqual(Object.keys(MARKS).sort(), EXPLANATIONS.map(({ id }) => id).sort());
    for (const [id, source] of Object.entries(MARKS)) {
      const parsed = await parseFormat(source);
      equal(parsed.format, id);
      ok((parsed.facts.about ?? "").length > 40);
      equal(await verdict(source, await ci()), "format-not-verified");
    }
    equal((await parseFormat(MARKS["nv2-jwt"])).facts.size, "3");
    equal((await parseFormat(MARKS["tuf-metadata"])).facts.role, "Root");
  });
});

describe("identification", () => {
  it("refuses what has the marks of two formats", async () => {
    const { signer } = await keyOf("Ed25519");
    const dsse = await createEnvelope("application/vnd.in-toto+json", STATEMENT, signer);
    const jose = await joseSignature({ alg: "EdDSA" }, STATEMENT);
    const both: object[] = [
      { ...dsse, signed: { _type: "link" } },
      { ...dsse, bomFormat: "CycloneDX" },
      { ...jose, verificationMaterial: {} },
      { ...jose, ...STATEMENT },
      { spdxVersion: "SPDX-2.3", bomFormat: "CycloneDX" },
      { signed: { _type: "link" }, signatures: [], serializedPayload: "" },
    ];
    for (const one of both) {
      await rejects(parseFormat(JSON.stringify(one)), { reason: "ambiguous-format" });
    }
  });

  it("knows nothing in what is empty, short, or of no format", async () => {
    for (
      const one of [
        "",
        "{}",
        "[]",
        "hello",
        "\u0000",
        "v4.public",
        "eyJ.a.b",
        "untrusted comment: ",
      ]
    ) {
      await rejects(parseFormat(one), { reason: "unknown-format" });
    }
  });

  it("never throws in a detection, and knows every name once", () => {
    const names = FORMATS.map(({ id }) => id);
    equal(new Set(names).size, names.length);
  });
});

describe("verifyFormat()", () => {
  it("accepts only the formats that are asked for, and known options", async () => {
    const keys = [(await keyOf("Ed25519")).trustedKey];
    const token = await compact({ alg: "EdDSA" });
    equal(await verdict(token, { keys, formats: ["jws"] }), "ok");
    equal(await verdict(token, { keys, formats: ["dsse"] }), "format-not-accepted");
    for (
      const bad of [
        { key: [] },
        { threshold: 0 },
        { now: 1 },
        { now: new Date("never") },
        { formats: "jws" },
        { keys: ["x"] },
      ]
    ) {
      await rejects(verifyFormat(token, bad as never), TypeError);
    }
  });

  it("refuses what is longer than a document may be", async () => {
    const long = concat(utf8(await compact({ alg: "EdDSA" })), new Uint8Array(33 << 20).fill(32));
    equal(await verdict(long, await ci()), "limit-exceeded");
  });

  it("reads a DSSE envelope among the others", async () => {
    const { signer, trustedKey } = await keyOf("Ed25519");
    const dsse = await createEnvelope("application/vnd.in-toto+json", STATEMENT, signer);
    const result = await verifyFormat(JSON.stringify(dsse), { keys: [trustedKey] });
    ok(result.ok && "statement" in result.statement);
    equal(result.envelope.messageType?.authenticated, true);
  });
});
