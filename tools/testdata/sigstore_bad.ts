import { type Bytes, utf8 } from "../../internal/bytes.ts";
import { encodeBase64 } from "../../internal/base64.ts";
import type { JsonObject } from "../../internal/json.ts";
import { signEnvelope } from "../pki/bundle.ts";
import {
  authorityKeyIdentifier,
  basicConstraints,
  certificate as encodeCertificate,
  keyIdentifier,
  keyUsage,
  subjectKeyIdentifier,
  unknownExtension,
} from "../pki/certificate.ts";
import { distinguishedName, sequence } from "../pki/der_writer.ts";
import {
  bodyOf,
  bodyV2Of,
  END,
  GITHUB_ISSUER,
  LEAF_END,
  LEAF_START,
  logged,
  type Made,
  makeBundle,
  rekor2,
  SIGNED,
  stamped,
  START,
} from "../pki/instance.ts";
import { sha256Of, testKey } from "../pki/keys.ts";
import { dsseBody, hashedRekordBody, intotoBody } from "../pki/rekor_v1.ts";
import { edited, textAt } from "./collection.ts";
import {
  ARTIFACT,
  attested,
  blob,
  type BundleCases,
  ENTRY,
  flipped,
  joined,
  statementOf,
} from "./sigstore_bundle.ts";
import { unfitTsas } from "./sigstore_roots.ts";
import { payloadOf, sha256Hex, statementAbout } from "./statements.ts";

const LATER = new Date(LEAF_END.getTime() + 1000);
const EARLIER = new Date(LEAF_START.getTime() - 1000);
const PROOF = `${ENTRY}/inclusionProof`;
const SIGNATURES = "/dsseEnvelope/signatures";

/** One bundle for each thing that a verifier has to refuse. */
export async function addBadBundles(cases: BundleCases): Promise<void> {
  await addShapes(cases);
  await addContents(cases);
  await addCertificates(cases);
  await addLogs(cases);
  await addTimestamps(cases);
  await addKeySigned(cases);
}

async function addShapes(cases: BundleCases): Promise<void> {
  const { instance } = cases;
  const rule = "protobuf-specs, sigstore_bundle.proto";
  const json = JSON.stringify(await makeBundle(instance, blob));
  const text = (id: string, why: string, content: string | Uint8Array) => ({
    about: { id, why, rule: "RFC 8259; protobuf JSON mapping" },
    content,
  });
  const texts = {
    "empty-input": text("empty", "an empty file", ""),
    "unknown-format": text("html", "an HTML page", "<!doctype html><title>404</title>\n"),
    "duplicate-json-key": text(
      "duplicate-key",
      "a member twice",
      json.replace("{", '{"mediaType":"application/vnd.dev.sigstore.bundle+json;version=0.1",'),
    ),
    "limit-exceeded": text(
      "deep",
      "nested 1000 deep",
      json.replace("{", `{"x":${"[".repeat(1000)}${"]".repeat(1000)},`),
    ),
  } as const;
  for (const [reason, { about, content }] of Object.entries(texts)) {
    await cases.add({ ...about, reason: reason as keyof typeof texts }, blob, () => content);
  }
  await cases.add(
    {
      id: "truncated",
      why: "cut in the middle",
      rule: "RFC 8259",
      reason: "malformed-json",
    },
    blob,
    () => json.slice(0, json.length / 2),
  );
  await cases.add(
    {
      id: "lone-surrogate",
      why: "an unpaired surrogate in a text",
      rule: "RFC 8259, 8.2",
      reason: "invalid-unicode",
    },
    blob,
    () => json.replace("{", '{"x":"\\ud800",'),
  );
  await cases.add(
    {
      id: "invalid-utf8",
      why: "a byte that is no UTF-8",
      rule: "RFC 8259, 8.1",
      reason: "invalid-unicode",
    },
    blob,
    () => joined('{"x":"', Uint8Array.of(0xff), '",', json.slice(1)),
  );

  await cases.add(
    {
      id: "bare-statement",
      why: "a Statement that nobody signed",
      rule: "in-toto attestation, validation",
      reason: "unsigned-statement",
    },
    blob,
    () => statementAbout(ARTIFACT),
  );

  const shape = (id: string, why: string) => ({
    id,
    why,
    rule,
    reason: "malformed-sigstore-bundle" as const,
  });
  await cases.add(
    { id: "media-type", why: "unknown version", rule, reason: "unsupported-bundle-version" },
    blob,
    (it) => edited(it, "/mediaType", "application/vnd.dev.sigstore.bundle.v0.4+json"),
  );
  await cases.add(
    { id: "media-type-missing", why: "no media type", rule, reason: "unsupported-bundle-version" },
    blob,
    (it) => edited(it, "/mediaType", undefined),
  );
  await cases.add(
    shape("no-material", "no verification material"),
    blob,
    (it) => edited(it, "/verificationMaterial", undefined),
  );
  await cases.add(
    shape("no-signer", "neither certificate nor key"),
    blob,
    (it) => edited(it, "/verificationMaterial/certificate", undefined),
  );
  await cases.add(
    shape("two-signers", "a certificate and a key"),
    blob,
    (it) => edited(it, "/verificationMaterial/publicKey", { hint: "x" }),
  );
  await cases.add(
    shape("no-content", "neither envelope nor message signature"),
    blob,
    (it) => edited(it, "/messageSignature", undefined),
  );
  await cases.add(
    shape("two-contents", "an envelope and a message signature"),
    blob,
    (it) =>
      edited(it, "/dsseEnvelope", { payload: "", payloadType: "t", signatures: [{ sig: "AA==" }] }),
  );
  await cases.add(
    shape("empty-chain", "a chain without certificates"),
    { ...blob, version: "v0.2" },
    (it) => edited(it, "/verificationMaterial/x509CertificateChain/certificates", []),
  );
  await cases.add(
    shape("negative-log-index", "a log index below zero"),
    blob,
    (it) => edited(it, `${ENTRY}/logIndex`, "-1"),
  );
  await cases.add(
    shape("snake-case", "names of the protobuf definition, not of its JSON"),
    blob,
    (it) => {
      const { verificationMaterial, ...rest } = it;
      return { ...rest, verification_material: verificationMaterial };
    },
  );
  await cases.add(
    shape("digest-algorithm", "a digest of an algorithm that is not accepted"),
    blob,
    (it) => edited(it, "/messageSignature/messageDigest/algorithm", "SHA1"),
  );
  await cases.add(
    shape("digest-length", "a digest of another length than its algorithm's"),
    blob,
    (it) => edited(it, "/messageSignature/messageDigest/digest", "AAAA"),
  );
  await cases.add(
    shape("hash-length", "a hash of the proof that is too short"),
    blob,
    (it) => edited(it, `${PROOF}/hashes/0`, "AAAA"),
  );
  await cases.add(
    shape("index-not-below-size", "an index that the tree does not have"),
    blob,
    (it) => edited(it, `${PROOF}/logIndex`, "7"),
  );
  await cases.add(
    shape("log-index-too-large", "an integer above 64 bits"),
    blob,
    (it) => edited(it, `${ENTRY}/logIndex`, "9223372036854775808"),
  );
  await cases.add(
    {
      id: "many-entries",
      why: "more log entries than anybody needs",
      rule: "bounds of widely used clients: 32",
      reason: "limit-exceeded",
    },
    blob,
    (it) => edited(it, "/verificationMaterial/tlogEntries", Array(100).fill({})),
  );
  await cases.add(
    {
      id: "invalid-base64",
      why: "white space in base64",
      rule: "RFC 4648, 3.3",
      reason: "invalid-base64",
    },
    blob,
    (it) =>
      edited(it, "/messageSignature/signature", ` ${textAt(it, "/messageSignature/signature")}`),
  );
  await cases.add(
    {
      id: "promise-missing",
      why: "v0.1 without a promise",
      rule,
      reason: "missing-inclusion-promise",
    },
    { ...blob, version: "v0.1" },
    (it) => edited(it, `${ENTRY}/inclusionPromise`, undefined),
  );
  for (const version of ["v0.2", "v0.3"] as const) {
    await cases.add(
      {
        id: `proof-missing-${version}`,
        why: `${version} without a proof`,
        rule,
        reason: "missing-inclusion-proof",
      },
      { ...blob, version },
      (it) => edited(it, PROOF, undefined),
    );
  }
  await cases.add(
    {
      id: "checkpoint-missing",
      why: "a proof without a checkpoint",
      rule,
      reason: "missing-inclusion-proof",
    },
    blob,
    (it) => edited(it, `${PROOF}/checkpoint`, undefined),
  );
  await cases.add(
    { id: "chain-in-v0.3", why: "v0.3 with a chain", rule, reason: "forbidden-certificate-chain" },
    { ...blob, chain: [instance.authority.intermediate] },
  );
  await cases.add(
    {
      id: "root-in-chain",
      why: "the chain brings its own root",
      rule: "sigstore-conformance",
      reason: "root-in-bundle",
    },
    {
      ...blob,
      version: "v0.2",
      chain: [instance.authority.intermediate, instance.authority.root],
    },
  );
  await cases.add(
    shape("two-envelope-signatures", "an envelope with two signatures"),
    attested,
    (it) => edited(it, `${SIGNATURES}/1`, { sig: textAt(it, `${SIGNATURES}/0/sig`) }),
  );
  await cases.add(
    {
      id: "no-envelope-signature",
      why: "an envelope without a signature",
      rule: "DSSE envelope.md",
      reason: "missing-signatures",
    },
    attested,
    (it) => edited(it, SIGNATURES, []),
  );
}

async function addContents(cases: BundleCases): Promise<void> {
  const changed = cases.artifact("artifact-changed.txt", utf8(flipBit(ARTIFACT)));
  const client = "client spec, verification";
  await cases.add(
    {
      id: "artifact-changed",
      why: "one bit of the artifact differs",
      rule: client,
      reason: "message-digest-mismatch",
      artifact: changed,
    },
    { ...blob, timestamps: stamped() },
  );
  await cases.add(
    {
      id: "artifact-changed-no-hint",
      why: "one bit of the artifact differs, the bundle states no digest",
      rule: client,
      reason: "invalid-signature",
      artifact: changed,
    },
    blob,
    (it) => edited(it, "/messageSignature/messageDigest", undefined),
  );
  await cases.add(
    {
      id: "message-digest",
      why: "stated digest of something else, signature right",
      rule: client,
      reason: "message-digest-mismatch",
    },
    blob,
    (it) => flipped(it, "/messageSignature/messageDigest/digest"),
  );
  await cases.add(
    {
      id: "signature-of-other",
      why: "signature of something else",
      rule: client,
      reason: "invalid-signature",
    },
    { ...blob, signed: utf8("something else") },
  );
  await cases.add(
    {
      id: "signature-over-payload",
      why: "payload signed without its type",
      rule: "DSSE protocol",
      reason: "invalid-signature",
    },
    { ...attested, signed: payloadOf(statementAbout(ARTIFACT)) },
  );
  await cases.add(
    {
      id: "payload-changed",
      why: "payload changed after it was signed",
      rule: "DSSE protocol",
      reason: "invalid-signature",
    },
    attested,
    (it) =>
      edited(
        it,
        "/dsseEnvelope/payload",
        encodeBase64(payloadOf(statementAbout(ARTIFACT, { predicate: { approved: false } }))),
      ),
  );
  await cases.add(
    {
      id: "payload-type-changed",
      why: "payload type changed after it was signed",
      rule: "DSSE protocol",
      reason: "invalid-signature",
    },
    attested,
    (it) => edited(it, "/dsseEnvelope/payloadType", "application/vnd.in-toto.provenance+json"),
  );

  const statement = "in-toto attestation v1, statement.md";
  await cases.add(
    {
      id: "payload-type",
      why: "signed payload that is no Statement",
      rule: "client spec, DSSE",
      reason: "unsupported-payload-type",
    },
    statementOf({}, "application/json"),
  );
  await cases.add(
    {
      id: "statement-type",
      why: "a version that nobody knows",
      rule: statement,
      reason: "unsupported-statement-type",
    },
    statementOf({ _type: "https://in-toto.io/Statement/v2" }),
  );
  await cases.add(
    { id: "no-subject", why: "no subject", rule: statement, reason: "missing-subject" },
    statementOf({ subject: [] }),
  );
  await cases.add(
    {
      id: "subject-without-digest",
      why: "a subject without a digest",
      rule: statement,
      reason: "missing-subject-digest",
    },
    statementOf({ subject: [{ name: "artifact.txt" }] }),
  );
  await cases.add(
    {
      id: "no-predicate-type",
      why: "no predicate type",
      rule: statement,
      reason: "missing-predicate-type",
    },
    statementOf({ predicateType: undefined }),
  );
  await cases.add(
    {
      id: "predicate-string",
      why: "a predicate that is a string",
      rule: statement,
      reason: "malformed-predicate",
    },
    statementOf({ predicate: "SPDXVersion: SPDX-2.3" }),
  );
  const text = JSON.stringify(statementAbout(ARTIFACT));
  await cases.add({
    id: "statement-duplicate-key",
    why: "a signed Statement with a member twice",
    rule: "RFC 8259, 4",
    reason: "duplicate-json-key",
  }, { content: { payload: utf8(text.replace("{", '{"subject":[],')) } });
  await cases.add({
    id: "statement-not-utf8",
    why: "a signed Statement that is no UTF-8",
    rule: statement,
    reason: "invalid-unicode",
  }, { content: { payload: joined(text.slice(0, -1), ',"x":"', Uint8Array.of(0xc3), '"}') } });
  await cases.add(
    {
      id: "subject-of-other",
      why: "a Statement about something else",
      rule: "in-toto attestation, validation",
      reason: "subject-mismatch",
    },
    statementOf({ subject: [{ name: "artifact.txt", digest: { sha256: "ab".repeat(32) } }] }),
  );
  const sha1 = "2bd5ca6ea7dc7d4b1e1fb0c5b29ff0f5fd0f2cd4";
  await cases.add(
    {
      id: "subject-sha1-only",
      why: "SHA-1 never counts as the only match",
      rule: "in-toto attestation, digest_set.md",
      reason: "unsupported-digest-algorithm",
      artifact: null,
      options: { artifactDigest: { sha1, sha256: sha256Hex(ARTIFACT) } },
    },
    statementOf({ subject: [{ name: "artifact.txt", digest: { sha1 } }] }),
  );
  await cases.add(
    {
      id: "subject-conflict",
      why: "SHA-256 equal, SHA-512 different",
      rule: "in-toto attestation, digest_set.md; the stricter reading",
      reason: "subject-conflict",
      artifact: null,
      options: { artifactDigest: { sha256: sha256Hex(ARTIFACT), sha512: "cd".repeat(64) } },
    },
    statementOf({
      subject: [{
        name: "artifact.txt",
        digest: { sha256: sha256Hex(ARTIFACT), sha512: "ef".repeat(64) },
      }],
    }),
  );
}

async function addCertificates(cases: BundleCases): Promise<void> {
  const { instance } = cases;
  const certificate = "fulcio certificate specification";
  const good = await cases.add({
    id: "no-identity-expected",
    why: "the verifier states no identity",
    rule: "client spec, identity policy",
    reason: "missing-identity-expectation",
    anonymous: true,
  }, attested);
  const expecting = (id: string, why: string, name: string, issuer = GITHUB_ISSUER) => ({
    id,
    why,
    rule: "client spec, identity policy",
    anonymous: true,
    options: { certificateIdentity: name, certificateOidcIssuer: issuer },
  });
  const workflow = "/.github/workflows/release.yml@refs/tags/v1.0.0";
  cases.again({
    ...expecting(
      "issuer-expected",
      "another issuer expected",
      `https://github.com/example/hello${workflow}`,
      `${GITHUB_ISSUER}/example`,
    ),
    reason: "issuer-mismatch",
  }, good);
  cases.again({
    ...expecting(
      "identity-prefix",
      "the expected identity is a prefix of the certificate's",
      "https://github.com/example/hello",
    ),
    reason: "identity-mismatch",
  }, good);
  cases.again({
    ...expecting(
      "identity-case",
      "the expected identity differs in case",
      `https://github.com/Example/hello${workflow}`,
    ),
    reason: "identity-mismatch",
  }, good);
  await cases.add({
    id: "identity-look-alike",
    why: "a repository whose name begins like the expected one",
    rule: "client spec, identity policy",
    reason: "identity-mismatch",
  }, {
    ...attested,
    leaf: { san: { type: "uri", value: `https://github.com/example/hello-evil${workflow}` } },
  });
  await cases.add({
    id: "identity-pattern-look-alike",
    why: "a pattern must not match within the identity",
    rule: "client spec, identity policy",
    reason: "identity-mismatch",
    anonymous: true,
    options: {
      certificateIdentityRegexp: "^https://github\\.com/example/hello/.*$",
      certificateOidcIssuer: GITHUB_ISSUER,
    },
  }, {
    ...attested,
    leaf: {
      san: {
        type: "uri",
        value: `https://evil.example/?x=https://github.com/example/hello${workflow}`,
      },
    },
  });
  await cases.add({
    id: "issuer-conflict",
    why: "extensions 1 and 8 name different issuers",
    rule: "fulcio, oid-info.md",
    reason: "issuer-conflict",
  }, { ...attested, leaf: { claims: { 1: "https://accounts.example.com" } } });
  await cases.add({
    id: "no-issuer",
    why: "no extension names the issuer",
    rule: "fulcio, oid-info.md",
    reason: "malformed-certificate",
  }, { ...attested, leaf: { claims: { 1: "", 8: "" } } });
  await cases.add({
    id: "two-names",
    why: "a SAN with two names",
    rule: certificate,
    reason: "malformed-certificate",
  }, {
    ...attested,
    leaf: {
      san: [
        { type: "uri", value: `https://github.com/example/hello${workflow}` },
        { type: "email", value: "dev@example.com" },
      ],
    },
  });
  await cases.add({
    id: "unknown-critical-extension",
    why: "a critical extension that nobody knows",
    rule: "RFC 5280, 4.2",
    reason: "unsupported-critical-extension",
  }, { ...attested, leaf: { extra: [unknownExtension(true)] } });
  await cases.add({
    id: "duplicate-extension",
    why: "an extension twice",
    rule: "RFC 5280, 4.2",
    reason: "malformed-certificate",
  }, { ...attested, leaf: { extra: [unknownExtension(false), unknownExtension(false)] } });
  await cases.add({
    id: "other-purpose",
    why: "a certificate for e-mail",
    rule: certificate,
    reason: "invalid-certificate-usage",
  }, { ...attested, leaf: { purposes: ["1.3.6.1.5.5.7.3.4"] } });
  await cases.add({
    id: "expired-when-signed",
    why: "logged after the certificate ended",
    rule: "client spec, certificate",
    reason: "certificate-not-valid",
  }, {
    ...attested,
    leaf: {
      notBefore: new Date("2025-02-03T09:40:00Z"),
      notAfter: new Date("2025-02-03T09:50:00Z"),
    },
  });
  await cases.add({
    id: "not-yet-valid-when-signed",
    why: "logged before the certificate began",
    rule: "client spec, certificate",
    reason: "certificate-not-valid",
  }, { ...attested, leaf: { notBefore: LATER, notAfter: new Date(LATER.getTime() + 600_000) } });
  await cases.add({
    id: "other-authority",
    why: "issued by an authority of the same name with another key",
    rule: "client spec, certificate",
    reason: "untrusted-certificate",
  }, { ...attested, authority: instance.otherAuthority });
  await cases.add({
    id: "other-authority-brings-chain",
    why: "the same, with its intermediate in the bundle",
    rule: "client spec, certificate",
    reason: "untrusted-certificate",
  }, {
    ...attested,
    version: "v0.2",
    authority: instance.otherAuthority,
    chain: [instance.otherAuthority.intermediate],
  });
  await cases.add({
    id: "certificate-signature",
    why: "names the trusted intermediate and its key, signed by another",
    rule: "RFC 5280, 6.1.3",
    reason: "untrusted-certificate",
  }, { ...attested, leaf: { signer: instance.otherAuthority.intermediateKey } });
  const usage = {
    rule: certificate,
    reason: "invalid-certificate-usage",
  } as const;
  await cases.add({ id: "leaf-no-purpose", why: "a certificate for no purpose", ...usage }, {
    ...attested,
    leaf: { omit: ["2.5.29.37"] },
  });
  await cases.add({ id: "leaf-no-key-usage", why: "a key for no use", ...usage }, {
    ...attested,
    leaf: { omit: ["2.5.29.15"] },
  });
  await cases.add({ id: "leaf-certifies", why: "a key for certificates only", ...usage }, {
    ...attested,
    leaf: { keyUse: "certificates" },
  });
  await cases.add({ id: "leaf-is-ca", why: "a certificate of an authority", ...usage }, {
    ...attested,
    leaf: { extra: [basicConstraints(true)] },
  });
  const malformed = { rule: certificate, reason: "malformed-certificate" } as const;
  await cases.add({ id: "no-name", why: "no SAN", ...malformed }, {
    ...attested,
    leaf: { omit: ["2.5.29.17"] },
  });
  await cases.add({ id: "name-of-host", why: "a SAN of another kind", ...malformed }, {
    ...attested,
    leaf: { san: { type: "dns", value: "example.com" } },
  });
  await cases.add({ id: "name-with-nul", why: "a SAN with a NUL", ...malformed }, {
    ...attested,
    leaf: { san: { type: "uri", value: `https://github.com/example/hello${workflow}\u0000.evil` } },
  });
  const { authority, otherAuthority } = instance;
  const tooDeep = {
    ...authority,
    intermediateKey: otherAuthority.intermediateKey,
    intermediateName: distinguishedName(authority.organization, "one too many"),
  };
  const below = await encodeCertificate({
    serial: 3,
    issuer: authority.intermediateName,
    subject: tooDeep.intermediateName,
    notBefore: START,
    notAfter: END,
    spki: tooDeep.intermediateKey.spki,
    extensions: [
      keyUsage("certificates"),
      basicConstraints(true),
      subjectKeyIdentifier(await keyIdentifier(tooDeep.intermediateKey.spki)),
      authorityKeyIdentifier(await keyIdentifier(authority.intermediateKey.spki)),
    ],
  }, authority.intermediateKey);
  await cases.add({
    id: "path-length",
    why: "one intermediate more than the trusted one allows",
    rule: "RFC 5280, 4.2.1.9",
    reason: "invalid-certificate-usage",
  }, { ...attested, version: "v0.2", authority: tooDeep, chain: [below] });

  const roots = [
    ["other-instance", "untrusted-certificate", "root of another instance"],
    ["intermediate-expired", "certificate-not-valid", "the intermediate ended before"],
    ["ca-ended", "certificate-not-valid", "the root's trust in the authority ended before"],
    ["intermediate-no-ca", "invalid-certificate-usage", "the intermediate is no authority"],
    [
      "intermediate-other-purpose",
      "invalid-certificate-usage",
      "the intermediate is for timestamps",
    ],
    [
      "intermediate-signs-messages",
      "invalid-certificate-usage",
      "the intermediate's key is not for certificates",
    ],
    ["media-type", "malformed-trusted-root", "a root of unknown version"],
    ["empty-chain", "malformed-trusted-root", "an authority without certificates"],
    ["log-without-start", "malformed-trusted-root", "a log without a beginning"],
    ["log-ended", "log-not-valid", "the log's validity ended a second before"],
    ["other-ct-log", "sct-threshold-not-met", "the SCT is of an unknown log"],
    ["ct-log-ended", "invalid-sct", "the SCT log's validity ended before"],
  ] as const;
  for (const [root, reason, why] of roots) {
    cases.again({
      id: `root-${root}`,
      why,
      rule: "protobuf-specs, sigstore_trustroot.proto",
      reason,
      root,
    }, good);
  }

  const sct = "RFC 6962, 3.2";
  await cases.add({
    id: "sct-missing",
    why: "no SCT",
    rule: sct,
    reason: "sct-threshold-not-met",
  }, { ...attested, leaf: { scts: [] } });
  await cases.add({
    id: "sct-signature",
    why: "one bit of the SCT's signature differs",
    rule: sct,
    reason: "invalid-sct",
  }, {
    ...attested,
    leaf: { scts: [{ log: instance.ctLog, timestamp: LEAF_START, corrupt: true }] },
  });
  await cases.add({
    id: "sct-counted-once",
    why: "two SCTs of one log, two logs asked for",
    rule: "client spec, certificate",
    reason: "sct-threshold-not-met",
    options: { ctlogThreshold: 2 },
  }, {
    ...attested,
    leaf: {
      scts: [
        { log: instance.ctLog, timestamp: LEAF_START },
        { log: instance.ctLog, timestamp: SIGNED },
      ],
    },
  });
}

async function addLogs(cases: BundleCases): Promise<void> {
  const { instance } = cases;
  const log = "client spec, transparency log";
  const single = (change: Parameters<typeof logged>[1]) => async (made: Made) => [
    await logged(made, change),
  ];
  const bodied = (body: (made: Made) => JsonObject) => async (made: Made) => [
    await logged(made, { body: body(made) }),
  ];
  await cases.add(
    { id: "log-unknown", why: "an unknown log", rule: log, reason: "untrusted-log" },
    {
      ...attested,
      entries: single({ log: instance.otherRekor }),
    },
  );
  await cases.add(
    { id: "log-missing", why: "no entry", rule: log, reason: "log-threshold-not-met" },
    { ...attested, entries: () => Promise.resolve([]), timestamps: stamped() },
  );
  await cases.add({
    id: "log-counted-once",
    why: "two entries of one log, two logs asked for",
    rule: log,
    reason: "log-threshold-not-met",
    options: { tlogThreshold: 2 },
  }, {
    ...attested,
    entries: async (made) => [await logged(made), await logged(made, { index: 2 })],
  });
  await cases.add(
    { id: "log-duplicate", why: "one entry twice", rule: log, reason: "duplicate-log-entry" },
    { ...attested, entries: async (made) => [await logged(made), await logged(made)] },
  );
  await cases.add({
    id: "promise-signature",
    why: "the promise is signed by another key",
    rule: log,
    reason: "invalid-inclusion-promise",
  }, { ...attested, entries: single({ promiseKey: instance.otherRekor.key }) });
  await cases.add(
    {
      id: "promise-time-changed",
      why: "integrated time changed after it was promised",
      rule: log,
      reason: "invalid-inclusion-promise",
    },
    attested,
    (it) => edited(it, `${ENTRY}/integratedTime`, String(SIGNED.getTime() / 1000 + 1)),
  );
  await cases.add({
    id: "integrated-time-after",
    why: "integrated after the certificate ended",
    rule: "client spec, timestamps",
    reason: "certificate-not-valid",
  }, { ...attested, entries: single({ integratedTime: LATER }) });
  await cases.add({
    id: "integrated-time-before",
    why: "integrated before the certificate began",
    rule: "client spec, timestamps",
    reason: "certificate-not-valid",
  }, { ...attested, entries: single({ integratedTime: EARLIER }) });

  const proof = "RFC 9162, 2.1.3.2";
  const invalid = (id: string, why: string) => ({
    id,
    why,
    rule: proof,
    reason: "invalid-inclusion-proof" as const,
  });
  await cases.add(
    invalid("proof-hash", "one bit of a hash differs"),
    attested,
    (it) => flipped(it, `${PROOF}/hashes/0`),
  );
  await cases.add(
    invalid("proof-hash-missing", "a hash too few"),
    attested,
    (it) => edited(it, `${PROOF}/hashes/2`, undefined),
  );
  await cases.add(
    invalid("proof-hash-extra", "a hash too many"),
    attested,
    (it) => edited(it, `${PROOF}/hashes/3`, textAt(it, `${PROOF}/hashes/0`)),
  );
  await cases.add(
    invalid("proof-index", "another index in the tree"),
    attested,
    (it) => edited(it, `${PROOF}/logIndex`, "5"),
  );
  await cases.add({
    id: "checkpoint-signature",
    why: "the checkpoint is signed by another key under the log's name",
    rule: "C2SP signed-note",
    reason: "invalid-checkpoint-signature",
  }, { ...attested, entries: single({ checkpointKey: instance.otherRekor.key }) });
  await cases.add(
    {
      id: "checkpoint-changed",
      why: "the checkpoint's size and the proof's, changed alike",
      rule: "C2SP signed-note",
      reason: "invalid-checkpoint-signature",
    },
    attested,
    (it) => {
      const changed = edited(it, `${PROOF}/treeSize`, "8");
      const pointer = `${PROOF}/checkpoint/envelope`;
      return edited(changed, pointer, textAt(it, pointer).replace("\n7\n", "\n8\n"));
    },
  );
  await cases.add(
    {
      id: "checkpoint-malformed",
      why: "a checkpoint without a blank line",
      rule: "C2SP tlog-checkpoint",
      reason: "malformed-checkpoint",
    },
    attested,
    (it) => {
      const pointer = `${PROOF}/checkpoint/envelope`;
      return edited(it, pointer, textAt(it, pointer).replace("\n\n", "\n"));
    },
  );
  await cases.add({
    id: "checkpoint-root",
    why: "the checkpoint is of another root than the proof",
    rule: "client spec, transparency log",
    reason: "checkpoint-mismatch",
  }, { ...attested, entries: single({ checkpointRoot: sha256Of("another root") }) });

  const types = "rekor types";
  const other = await testKey("leaf-other");
  const body = (id: string, why: string) => ({ id, why, rule: types });
  await cases.add({
    ...body("body-kind", "an entry of a kind that nobody knows"),
    reason: "unsupported-log-entry",
  }, { ...attested, entries: bodied((made) => ({ ...bodyOf(made), kind: "rpm" })) });
  await cases.add({
    ...body("body-kind-differs", "the bundle states another kind than the entry"),
    reason: "malformed-log-entry",
  }, {
    ...attested,
    entries: single({ kindVersion: { kind: "intoto", version: "0.0.2" } }),
  });
  const twice = (body: JsonObject, pointer: string, member: string) =>
    edited(body, `${pointer}/1`, { [member]: "", verifier: "", publicKey: "" });
  await cases.add({
    ...body("dsse-two-signatures", "a dsse entry with one more signature"),
    reason: "log-signature-mismatch",
  }, {
    ...attested,
    entries: bodied((made) => twice(bodyOf(made), "/spec/signatures", "signature")),
  });
  const intotoOf = (made: Made): JsonObject =>
    made.envelope === undefined ? {} : intotoBody(made.envelope, made.verifier);
  await cases.add({
    ...body("intoto-two-signatures", "an intoto entry with one more signature"),
    reason: "log-signature-mismatch",
  }, {
    ...attested,
    entries: bodied((made) => twice(intotoOf(made), "/spec/content/envelope/signatures", "sig")),
  });
  await cases.add({
    ...body("intoto-payload-type", "an intoto entry with another payload type"),
    reason: "log-digest-mismatch",
  }, {
    ...attested,
    entries: bodied((made) =>
      edited(intotoOf(made), "/spec/content/envelope/payloadType", "application/json")
    ),
  });
  await cases.add({
    ...body("rekor2-key-details", "an entry that states another kind of key"),
    reason: "log-key-mismatch",
  }, {
    ...attested,
    entries: rekor2({
      body: (made) =>
        edited(
          bodyV2Of(made),
          "/spec/hashedRekordV002/signature/verifier/keyDetails",
          "PKIX_ECDSA_P384_SHA_384",
        ),
    }),
    timestamps: stamped(),
  });
  const mismatches = {
    "log-digest-mismatch": "digest",
    "log-signature-mismatch": "signature",
    "log-key-mismatch": "key",
  } as const;
  const otherPayload = payloadOf(statementAbout(ARTIFACT, { predicate: { approved: false } }));
  for (const [reason, what] of Object.entries(mismatches) as [keyof typeof mismatches, string][]) {
    const verifier = (made: Made) =>
      what === "key"
        ? { ...made.verifier, der: made.instance.authority.intermediate }
        : made.verifier;
    const signature = async (made: Made) =>
      what === "signature" ? await other.sign(made.artifact ?? ARTIFACT) : made.signature;
    const payload = (made: Made) =>
      what === "digest" ? otherPayload : made.envelope?.payload ?? new Uint8Array();
    const value = (made: Made) =>
      sha256Of(what === "digest" ? utf8("another artifact") : made.artifact ?? ARTIFACT);
    await cases.add({
      ...body(`hashedrekord-${what}`, `hashedrekord 0.0.1 with another ${what}`),
      reason,
    }, {
      ...blob,
      entries: async (made) => [
        await logged(made, {
          body: hashedRekordBody(
            { algorithm: "sha256", value: value(made) },
            await signature(made),
            verifier(made),
          ),
        }),
      ],
    });
    for (const [name, encode] of [["dsse", dsseBody], ["intoto", intotoBody]] as const) {
      await cases.add({
        ...body(`${name}-${what}`, `${name} entry with another ${what}`),
        reason,
      }, {
        ...attested,
        entries: async (made) => {
          const envelope = made.envelope ?? await signEnvelope(new Uint8Array(), made.key);
          return [
            await logged(made, {
              body: encode(
                { ...envelope, payload: payload(made), signature: await signature(made) },
                verifier(made),
              ),
            }),
          ];
        },
      });
    }
    await cases.add({
      ...body(`rekor2-${what}`, `hashedrekord 0.0.2 with another ${what}`),
      reason,
    }, {
      ...attested,
      entries: async (made) => {
        const base = bodyV2Of(made);
        const path = "/spec/hashedRekordV002";
        const bytes = encodeBase64;
        const changed = what === "digest"
          ? edited(base, `${path}/data/digest`, bytes(sha256Of("another")))
          : what === "signature"
          ? edited(base, `${path}/signature/content`, bytes(await signature(made)))
          : edited(
            base,
            `${path}/signature/verifier/x509Certificate/rawBytes`,
            bytes(made.instance.authority.intermediate),
          );
        return await rekor2({ body: () => changed })(made);
      },
      timestamps: stamped(),
    });
  }
  await cases.add(
    {
      ...body("body-not-json", "a body that is no JSON"),
      reason: "malformed-log-entry",
    },
    attested,
    (it) => edited(it, `${ENTRY}/canonicalizedBody`, encodeBase64(utf8("body"))),
  );

  const v2 = "rekor-tiles, CLIENTS.md";
  await cases.add({
    id: "rekor2-unknown-log",
    why: "an unknown Rekor v2 log",
    rule: v2,
    reason: "untrusted-log",
  }, { ...attested, entries: rekor2({ log: instance.otherRekor2 }), timestamps: stamped() });
  await cases.add({
    id: "rekor2-checkpoint-signature",
    why: "the checkpoint is signed by another key under the log's name",
    rule: v2,
    reason: "invalid-checkpoint-signature",
  }, {
    ...attested,
    entries: rekor2({ checkpointKey: instance.otherRekor2.key }),
    timestamps: stamped(),
  });
  await cases.add({
    id: "rekor2-checkpoint-origin",
    why: "the log signed a checkpoint of another origin",
    rule: v2,
    reason: "invalid-checkpoint-signature",
  }, { ...attested, entries: rekor2({ origin: "log.other.example" }), timestamps: stamped() });
  await cases.add({
    id: "rekor2-checkpoint-root",
    why: "the checkpoint is of another root",
    rule: v2,
    reason: "checkpoint-mismatch",
  }, {
    ...attested,
    entries: rekor2({ checkpointRoot: sha256Of("another root") }),
    timestamps: stamped(),
  });
  await cases.add({
    id: "rekor2-no-timestamp",
    why: "Rekor v2 gives no time",
    rule: v2,
    reason: "timestamp-threshold-not-met",
  }, { ...attested, entries: rekor2() });
  await cases.add(
    {
      id: "rekor2-integrated-time",
      why: "a time that nobody signed does not count",
      rule: v2,
      reason: "timestamp-threshold-not-met",
    },
    { ...attested, entries: rekor2() },
    (it) => edited(it, `${ENTRY}/integratedTime`, String(SIGNED.getTime() / 1000)),
  );
}

async function addTimestamps(cases: BundleCases): Promise<void> {
  const { instance } = cases;
  const rule = "RFC 3161; client spec, timestamps";
  const base = { ...attested, entries: rekor2() };
  await cases.add({
    id: "timestamp-root-ended",
    why: "the root's trust in the authority ended a second before",
    rule,
    reason: "timestamp-authority-not-valid",
    root: "tsa-ended",
  }, { ...base, timestamps: stamped() });
  const unfit = await unfitTsas(instance);
  await cases.add({
    id: "timestamp-other-purpose",
    why: "the authority's certificate is for code",
    rule,
    reason: "untrusted-timestamp-authority",
    root: "tsa-other-purpose",
  }, { ...base, timestamps: stamped({ by: unfit["tsa-other-purpose"] }) });
  await cases.add({
    id: "timestamp-purpose-not-critical",
    why: "the purpose of the authority's certificate is not critical",
    rule,
    reason: "untrusted-timestamp-authority",
    root: "tsa-purpose-not-critical",
  }, { ...base, timestamps: stamped({ by: unfit["tsa-purpose-not-critical"] }) });
  await cases.add({
    id: "timestamp-certificate-expired",
    why: "the authority's certificate ended a second before",
    rule,
    reason: "timestamp-authority-not-valid",
    root: "tsa-certificate-expired",
  }, { ...base, timestamps: stamped({ by: unfit["tsa-certificate-expired"] }) });

  const wrong = [
    ["imprint", "timestamp-imprint-mismatch", "of something else than the signature", {
      message: ARTIFACT,
    }],
    ["rejected", "timestamp-rejected", "the authority refused", { status: 2 }],
    ["signature", "invalid-timestamp-signature", "one bit of its signature differs", {
      corruptSignature: true,
    }],
    ["content", "invalid-timestamp-signature", "signed for another content", {
      corruptMessageDigest: true,
    }],
    ["names-other", "invalid-timestamp-signature", "it names another certificate", {
      otherCertificate: instance.secondTsa.certificate,
    }],
    ["content-type", "malformed-timestamp", "signed as another type of content", {
      contentType: "1.2.840.113549.1.7.1",
    }],
    ["names-none", "invalid-timestamp-signature", "it names no certificate", {
      omitSigningCertificate: true,
    }],
    ["untrusted", "untrusted-timestamp-authority", "by another authority", {
      by: instance.otherTsa,
    }],
    ["untrusted-bare", "untrusted-timestamp-authority", "the same, its certificate not embedded", {
      by: instance.otherTsa,
      embed: false,
    }],
    [
      "look-alike",
      "invalid-timestamp-signature",
      "by another authority of the same name and serial number",
      {
        by: instance.lookAlikeTsa,
      },
    ],
    ["after", "certificate-not-valid", "after the signer's certificate ended", { genTime: LATER }],
    ["before", "certificate-not-valid", "before the signer's certificate began", {
      genTime: EARLIER,
    }],
  ] as const;
  for (const [id, reason, why, options] of wrong) {
    await cases.add(
      { id: `timestamp-${id}`, why, rule, reason },
      { ...base, timestamps: stamped(options) },
    );
  }
  await cases.add({
    id: "timestamp-malformed",
    why: "bytes that are no timestamp",
    rule,
    reason: "malformed-timestamp",
  }, { ...base, timestamps: () => Promise.resolve([sequence()]) });
  await cases.add({
    id: "timestamp-counted-once",
    why: "two of one authority, two asked for",
    rule,
    reason: "timestamp-threshold-not-met",
    options: { tsaThreshold: 2 },
  }, {
    ...base,
    timestamps: async (made) => [
      ...await stamped()(made),
      ...await stamped({ genTime: new Date(SIGNED.getTime() + 1000) })(made),
    ],
  });
}

async function addKeySigned(cases: BundleCases): Promise<void> {
  const rule = "client spec, self-managed keys";
  const recipe = { ...attested, key: "managed", hint: "managed" };
  const bundle = await cases.add({
    id: "key-other",
    why: "another key is trusted",
    rule,
    reason: "invalid-signature",
    keys: ["managed-other"],
  }, recipe);
  cases.again({
    id: "key-none",
    why: "an identity is expected of a bundle that is signed with a key",
    rule,
    reason: "missing-trusted-key",
  }, bundle);
  cases.again({
    id: "key-not-given",
    why: "neither a key nor an identity is given",
    rule,
    reason: "missing-trusted-key",
    anonymous: true,
  }, bundle);
  await cases.add({
    id: "key-hint",
    why: "the envelope's key id differs from the hint",
    rule,
    reason: "key-hint-mismatch",
    keys: ["managed"],
  }, { ...recipe, keyid: "another" });
}

function flipBit(bytes: Bytes): string {
  const copy = bytes.slice();
  copy[0] ^= 1;
  return new TextDecoder().decode(copy);
}
