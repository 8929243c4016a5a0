import { cosignature, logSignature } from "../pki/checkpoint.ts";
import { leafIndexExtension } from "../pki/ct_log.ts";
import { unknownExtension } from "../pki/certificate.ts";
import { intotoBody } from "../pki/rekor_v1.ts";
import {
  bodyOf,
  LEAF_END,
  LEAF_START,
  logged,
  rekor,
  rekor2,
  SIGNED,
  stamped,
  WORKFLOW,
} from "../pki/instance.ts";
import { testKey } from "../pki/keys.ts";
import { edited, textAt } from "./collection.ts";
import {
  ARTIFACT,
  attested,
  blob,
  type BundleCases,
  ENTRY,
  statementOf,
} from "./sigstore_bundle.ts";
import { GITHUB_CLAIMS } from "./example.ts";
import { sha256Hex, STATEMENT_V01, statementAbout } from "./statements.ts";

/** One bundle for each thing that a verifier has to accept. */
export async function addGoodBundles(cases: BundleCases): Promise<void> {
  const { instance } = cases;
  const witness = await testKey("witness");
  const rekor2Ecdsa = await testKey("rekor2-ecdsa");
  const intermediate = [instance.authority.intermediate];

  const shape = "protobuf-specs, sigstore_bundle.proto";
  await cases.add(
    { id: "v0.1-promise-only", why: "bundle v0.1: inclusion promise, no proof", rule: shape },
    { ...blob, version: "v0.1", chain: intermediate },
    (bundle) => edited(bundle, `${ENTRY}/inclusionProof`, undefined),
  );
  await cases.add(
    { id: "v0.1-with-proof", why: "bundle v0.1 with a proof too", rule: shape },
    { ...blob, version: "v0.1" },
  );
  await cases.add(
    { id: "v0.2-chain", why: "bundle v0.2: chain with the intermediate, envelope", rule: shape },
    { ...attested, version: "v0.2", chain: intermediate },
  );
  await cases.add(
    { id: "v0.2-proof-only", why: "bundle v0.2: proof and timestamp, no promise", rule: shape },
    { ...blob, version: "v0.2", timestamps: stamped() },
    (bundle) => edited(bundle, `${ENTRY}/inclusionPromise`, undefined),
  );
  await cases.add(
    { id: "v0.3-first-media-type", why: "bundle v0.3 with the parameter form", rule: shape },
    { ...blob, version: "v0.3-old" },
  );
  const message = await cases.add(
    { id: "v0.3-message", why: "bundle v0.3, signature over the artifact", rule: shape },
    blob,
  );
  const envelope = await cases.add(
    { id: "v0.3-envelope", why: "bundle v0.3, signature over a Statement", rule: shape },
    attested,
  );
  await cases.add(
    {
      id: "protojson-leniency",
      why: "numbers for 64-bit integers, URL-safe base64 without padding, unknown members",
      rule: "protobuf JSON mapping",
    },
    blob,
    (bundle) => {
      let changed = edited(
        bundle,
        `${ENTRY}/logIndex`,
        Number(textAt(bundle, `${ENTRY}/logIndex`)),
      );
      const pointer = "/messageSignature/signature";
      const urlSafe = textAt(bundle, pointer).replace(/\+/g, "-").replace(/\//g, "_").replace(
        /=/g,
        "",
      );
      changed = edited(changed, pointer, urlSafe);
      return edited(changed, "/x_unknown", { anything: [1, null] });
    },
  );
  const byDigest = { artifact: null, options: { artifactDigest: { sha256: sha256Hex(ARTIFACT) } } };
  cases.again(
    { id: "v0.3-message-by-digest", why: "ECDSA over a digest", rule: "client spec", ...byDigest },
    message,
  );
  cases.again(
    {
      id: "v0.3-envelope-by-digest",
      why: "digest for the artifact",
      rule: "client spec",
      ...byDigest,
    },
    envelope,
  );
  cases.again({
    id: "identity-pattern",
    why: "the expected identity is a pattern",
    rule: "client spec, identity policy",
    anonymous: true,
    options: {
      certificateIdentityRegexp: "^https://github\\.com/example/hello/.*$",
      certificateOidcIssuer: "https://token.actions.githubusercontent.com",
    },
  }, envelope);
  cases.again({
    id: "identity-any-of",
    why: "one of several expected identities",
    rule: "client spec, identity policy",
    anonymous: true,
    options: {
      certificateIdentities: ["https://github.com/example/other", WORKFLOW],
      certificateOidcIssuer: "https://token.actions.githubusercontent.com",
    },
  }, envelope);
  cases.again({
    id: "root-v0.2",
    why: "trusted root with the newer media type",
    rule: "protobuf-specs, sigstore_trustroot.proto",
    root: "v0.2",
  }, envelope);
  cases.again({
    id: "root-unknown-key-kind",
    why: "a log of the root that cannot be used does not spoil the others",
    rule: "protobuf-specs, sigstore_trustroot.proto",
    root: "unknown-key-kind",
  }, envelope);
  await cases.add({
    id: "statement-v0.1",
    why: "Statement v0.1",
    rule: "in-toto attestation v0.1.0",
  }, statementOf({ _type: STATEMENT_V01 }));
  const { subject } = statementAbout(ARTIFACT);
  await cases.add({
    id: "many-subjects",
    why: "the artifact is one of several subjects",
    rule: "in-toto attestation, validation",
  }, {
    ...statementOf({
      subject: [{ name: "another.txt", digest: { sha256: "0".repeat(64) } }].concat(
        subject as { name: string; digest: { sha256: string } }[],
      ),
    }),
  });

  const v1 = "rekor types";
  await cases.add(
    { id: "rekor1-intoto", why: "intoto 0.0.2 entry of an envelope", rule: v1 },
    {
      ...attested,
      entries: async (made) => [
        await logged(made, {
          body: made.envelope === undefined ? {} : intotoBody(made.envelope, made.verifier),
        }),
      ],
    },
  );
  await cases.add({
    id: "two-logs",
    why: "entries of two logs, both asked for",
    rule: "client spec, transparency log",
    options: { tlogThreshold: 2 },
  }, {
    ...attested,
    entries: async (made) => [
      await logged(made),
      await logged(made, { log: instance.secondRekor, index: 0, size: 1 }),
    ],
  });
  const v2 = "rekor-tiles, CLIENTS.md";
  await cases.add(
    { id: "rekor2-message", why: "hashedrekord 0.0.2 of an artifact", rule: v2 },
    { ...blob, entries: rekor2(), timestamps: stamped() },
  );
  await cases.add(
    { id: "rekor2-envelope", why: "hashedrekord 0.0.2 of an envelope's PAE", rule: v2 },
    { ...attested, entries: rekor2(), timestamps: stamped() },
  );
  await cases.add({ id: "rekor2-cosigned", why: "checkpoint with a witness's line", rule: v2 }, {
    ...blob,
    entries: rekor2({
      lines: async (text, own) => [
        own,
        await cosignature(text, { name: "witness.example", key: witness, time: SIGNED }),
      ],
    }),
    timestamps: stamped(),
  });
  await cases.add(
    { id: "rekor2-log-line-second", why: "the witness's line before the log's", rule: v2 },
    {
      ...blob,
      entries: rekor2({
        lines: async (text, own) => [
          await cosignature(text, { name: "witness.example", key: witness, time: SIGNED }),
          own,
        ],
      }),
      timestamps: stamped(),
    },
  );
  await cases.add({
    id: "rekor2-two-lines-of-origin",
    why: "one more line under the log's name by a key that is not trusted",
    rule: v2,
  }, {
    ...blob,
    entries: rekor2({
      lines: async (text, own) => [
        own,
        await logSignature(text, instance.rekor2.name, rekor2Ecdsa),
      ],
    }),
    timestamps: stamped(),
  });
  await cases.add(
    { id: "rekor2-extension-lines", why: "checkpoint with extension lines", rule: v2 },
    { ...blob, entries: rekor2({ extensions: ["Timestamp: 1738576805"] }), timestamps: stamped() },
  );
  await cases.add(
    { id: "rekor2-only-entry", why: "tree of one leaf: empty proof, index 0", rule: v2 },
    { ...blob, entries: rekor2({ index: 0, size: 1 }), timestamps: stamped() },
    (bundle) => {
      let changed = edited(bundle, `${ENTRY}/logIndex`, undefined);
      changed = edited(changed, `${ENTRY}/inclusionProof/logIndex`, undefined);
      return edited(changed, `${ENTRY}/inclusionProof/hashes`, undefined);
    },
  );
  await cases.add(
    { id: "rekor2-public-key", why: "key in place of a certificate", rule: v2, keys: ["managed"] },
    { ...blob, key: "managed", hint: "managed", entries: rekor2(), timestamps: stamped() },
  );

  const stamp = "RFC 3161";
  const withStamp = { ...attested, entries: rekor2() };
  await cases.add(
    {
      id: "timestamp-without-certificate",
      why: "the authority's certificate is not embedded",
      rule: stamp,
    },
    { ...withStamp, timestamps: stamped({ embed: false }) },
  );
  await cases.add(
    { id: "timestamp-sha512", why: "imprint and signature with SHA-512", rule: stamp },
    { ...withStamp, timestamps: stamped({ imprintHash: "SHA-512", signatureHash: "SHA-512" }) },
  );
  const both = await cases.add({
    id: "timestamp-and-promise",
    why: "two verified times of different kinds",
    rule: "client spec, timestamps",
    options: { timestampThreshold: 2, tsaThreshold: 1, integratedTimestampThreshold: 1 },
  }, { ...attested, timestamps: stamped() });
  cases.again({
    id: "timestamp-authority-ends-then",
    why: "the authority's validity ends with the very second",
    rule: "closed interval",
    root: "tsa-ends-as-signed",
  }, both);
  await cases.add({
    id: "timestamp-two-authorities",
    why: "two authorities, both asked for",
    rule: "client spec, timestamps",
    options: { tsaThreshold: 2 },
  }, {
    ...attested,
    timestamps: async (made) => [
      ...await stamped()(made),
      ...await stamped({ by: instance.secondTsa })(made),
    ],
  });
  await cases.add({
    id: "private-instance",
    why: "no log and no SCT log: a timestamp alone",
    rule: "GitHub's instance for private repositories",
    root: "private",
    options: { tlogThreshold: 0, ctlogThreshold: 0 },
  }, {
    ...attested,
    leaf: { scts: [] },
    entries: () => Promise.resolve([]),
    timestamps: stamped(),
  });

  const certificate = "fulcio certificate specification";
  await cases.add(
    { id: "leaf-p384", why: "P-384 with SHA-384", rule: certificate },
    { ...blob, key: "leaf-p384" },
  );
  await cases.add(
    { id: "leaf-ed25519", why: "Ed25519", rule: certificate },
    { ...attested, key: "leaf-ed25519" },
  );
  await cases.add(
    { id: "leaf-rsa", why: "RSA 2048, PKCS #1 v1.5 with SHA-256", rule: certificate },
    { ...blob, key: "leaf-rsa" },
  );
  await cases.add({
    id: "san-email",
    why: "e-mail address",
    rule: certificate,
    options: {
      certificateIdentity: "dev@example.com",
      certificateOidcIssuer: "https://accounts.example.com",
    },
  }, {
    ...blob,
    leaf: {
      san: { type: "email", value: "dev@example.com" },
      issuer: "https://accounts.example.com",
    },
  });
  await cases.add({
    id: "san-other-name",
    why: "otherName with a user name",
    rule: certificate,
    options: {
      certificateIdentity: "dev!accounts.example.com",
      certificateOidcIssuer: "https://accounts.example.com",
    },
  }, {
    ...blob,
    leaf: {
      san: { type: "otherName", value: "dev!accounts.example.com" },
      issuer: "https://accounts.example.com",
    },
  });
  const claims = await cases.add(
    { id: "all-claims", why: "every extension of Fulcio", rule: "fulcio, oid-info.md" },
    {
      ...blob,
      leaf: {
        claims: {
          ...GITHUB_CLAIMS,
          23: "production",
          24: "repo:example/hello:ref:refs/tags/v1.0.0",
        },
      },
    },
  );
  cases.again({
    id: "source-repository",
    why: "repository and owner expected",
    rule: "fulcio, oid-info.md",
    options: { sourceRepository: "example/hello", sourceRepositoryOwner: "example" },
  }, claims);
  cases.again({
    id: "source-repository-look-alike",
    why: "the expected repository is the beginning of the certificate's",
    rule: "fulcio, oid-info.md",
    reason: "certificate-claim-mismatch",
    options: { sourceRepository: "example/hell", sourceRepositoryOwner: "example" },
  }, claims);
  await cases.add(
    { id: "issuer-old-only", why: "issuer in extension 1 alone", rule: "fulcio, oid-info.md" },
    { ...blob, leaf: { claims: { 8: "" } } },
  );
  await cases.add(
    {
      id: "unknown-extension",
      why: "an unknown extension that is not critical",
      rule: "RFC 5280, 4.2",
    },
    { ...blob, leaf: { extra: [unknownExtension(false)] } },
  );
  await cases.add(
    {
      id: "sct-extensions",
      why: "SCT of a static log: extensions are signed",
      rule: "RFC 6962, 3.2",
    },
    {
      ...blob,
      leaf: {
        scts: [{
          log: instance.ctLog,
          timestamp: LEAF_START,
          extensions: leafIndexExtension(123456789),
        }],
      },
    },
  );
  const two = {
    scts: [
      { log: instance.ctLog, timestamp: LEAF_START },
      { log: instance.otherCtLog, timestamp: LEAF_START },
    ],
  };
  const twoScts = await cases.add({
    id: "two-scts",
    why: "SCTs of two logs, both asked for",
    rule: "client spec, certificate",
    root: "two-sct-logs",
    options: { ctlogThreshold: 2 },
  }, { ...blob, leaf: two });
  cases.again({
    id: "two-scts-one-unknown",
    why: "an SCT of an unknown log beside one of a known",
    contested: "sigstore-js and sigstore-python refuse the bundle",
    rule: "client spec, certificate",
  }, twoScts);
  await cases.add(
    {
      id: "signed-at-the-end",
      why: "logged in the certificate's last second",
      rule: "RFC 5280, 4.1.2.5",
    },
    { ...blob, entries: async (made) => [await logged(made, { integratedTime: LEAF_END })] },
  );
  cases.again({
    id: "log-ends-then",
    why: "the log's validity ends with the very second",
    rule: "closed interval",
    root: "log-ends-as-signed",
  }, message);
  cases.again({
    id: "authority-ends-then",
    why: "the authority's validity ends with the very second",
    rule: "closed interval",
    root: "ca-ends-as-signed",
  }, message);

  const managed = "client spec, self-managed keys";
  await cases.add(
    { id: "key-message", why: "key in place of a certificate", rule: managed, keys: ["managed"] },
    { ...blob, key: "managed", hint: "managed" },
  );
  await cases.add({
    id: "key-envelope",
    why: "key, envelope with a key id that equals the hint",
    rule: managed,
    keys: ["managed"],
  }, { ...attested, key: "managed", hint: "managed", keyid: "managed" });
  await cases.add({
    id: "key-second-of-two",
    why: "the second of two trusted keys signed",
    rule: managed,
    keys: ["managed-other", "managed"],
  }, { ...attested, key: "managed", hint: "" });
  await cases.add({
    id: "key-without-log",
    why: "key, neither log nor time asked for",
    rule: managed,
    keys: ["managed"],
    options: { tlogThreshold: 0, timestampThreshold: 0 },
  }, { ...attested, key: "managed", hint: "managed", entries: () => Promise.resolve([]) });
  await cases.add({
    id: "unknown-log-beside-known",
    why: "an entry of an unknown log beside one of a known",
    contested: "sigstore-js and sigstore-python refuse the bundle",
    rule: "client spec, transparency log",
  }, {
    ...blob,
    entries: async (made) => [
      ...await rekor(made),
      await logged(made, { log: instance.otherRekor, body: bodyOf(made) }),
    ],
  });
}
