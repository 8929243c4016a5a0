import type { Reason } from "../../errors.ts";
import { decodeBase64, encodeBase64 } from "../../internal/base64.ts";
import { type Bytes, concat, utf8 } from "../../internal/bytes.ts";
import type { Json, JsonObject } from "../../internal/json.ts";
import { IN_TOTO, preAuthenticationEncoding } from "../pki/bundle.ts";
import { bodyV2Of, logged, makeBundle, type Recipe, rekor2, stamped } from "../pki/instance.ts";
import { digest, testKey } from "../pki/keys.ts";
import stored from "../pki/test_keys.json" with { type: "json" };
import { type Collection, edited } from "./collection.ts";
import { utf8String } from "../pki/der_writer.ts";
import { FULCIO_ARC } from "../pki/certificate.ts";
import {
  ARTIFACT,
  attested,
  blob,
  type BundleCase,
  type BundleCases,
  ENTRY,
  statementOf,
} from "./sigstore_bundle.ts";
import { payloadOf, sha256Hex, statementAbout } from "./statements.ts";

const MATERIAL = "/verificationMaterial";
const NOBODY = () => Promise.resolve([]);

/** A published fault: its number, which begins the ids, and what went wrong. */
interface Advisory {
  number: string;
  fault: string;
}

/** Vectors for faults that other programs had, as their advisories tell. */
export async function addAdvisories(collection: Collection, cases: BundleCases): Promise<void> {
  await addUnbound(cases);
  await addSwallowed(cases);
  await addTimes(cases);
  await addEncodings(cases);
  aliases(collection);
  await addEnvelopes(collection);
}

function about({ number, fault }: Advisory, id: string, why: string, reason?: Reason): BundleCase {
  return {
    id: `${number}-${id}`,
    why,
    rule: "what the advisory tells",
    advisory: fault,
    ...(reason === undefined ? {} : { reason }),
  };
}

/** Checked, but not bound together. */
async function addUnbound(cases: BundleCases): Promise<void> {
  const { instance } = cases;
  const cosign = {
    number: "GO-2026-4309",
    fault: "cosign GO-2026-4309 (CVE-2026-22703), GO-2022-0326, GO-2022-0998: any valid log " +
      "entry was accepted",
  };
  const one: Recipe = { ...attested, timestamps: stamped() };
  const other = await makeBundle(instance, {
    ...statementOf({ predicate: { approved: false } }),
    key: "leaf-other",
    leaf: { serial: 900 },
    timestamps: stamped(),
  });
  const parts: [string, Reason, string, string[]][] = [
    ["entry", "log-digest-mismatch", "log entry", [ENTRY]],
    ["promise", "invalid-inclusion-promise", "promise (SET)", [`${ENTRY}/inclusionPromise`]],
    ["proof", "invalid-inclusion-proof", "proof of inclusion", [`${ENTRY}/inclusionProof`]],
    ["body", "log-digest-mismatch", "logged body", [`${ENTRY}/canonicalizedBody`]],
    ["certificate", "invalid-signature", "certificate", [`${MATERIAL}/certificate`]],
    ["signature", "invalid-signature", "signature", ["/dsseEnvelope/signatures"]],
    ["payload", "invalid-signature", "payload", ["/dsseEnvelope/payload"]],
    ["envelope", "invalid-signature", "signed envelope", ["/dsseEnvelope"]],
    [
      "timestamp",
      "timestamp-imprint-mismatch",
      "timestamp",
      [`${MATERIAL}/timestampVerificationData`],
    ],
  ];
  for (const [id, reason, what, pointers] of parts) {
    await cases.add(
      about(cosign, id, `the ${what} of another good bundle`, reason),
      one,
      (bundle) => pointers.reduce((json, at) => edited(json, at, valueAt(other, at)), bundle),
    );
  }
  const gitsign = {
    number: "GO-2024-3252",
    fault: "gitsign GO-2024-3252: a log entry of something else was picked",
  };
  const elsewhere = await makeBundle(instance, {
    ...statementOf({ predicate: { approved: false } }),
    key: "leaf-other",
    leaf: { serial: 901 },
    entries: async (made) => [await logged(made, { index: 2 })],
  });
  const entries = (json: JsonObject) => valueAt(json, `${MATERIAL}/tlogEntries`) as Json[];
  for (const [id, why, first] of [["first", "before", true], ["second", "after", false]] as const) {
    await cases.add(
      about(
        gitsign,
        id,
        `a good entry of something else ${why} the right one`,
        "log-digest-mismatch",
      ),
      one,
      (bundle) =>
        edited(
          bundle,
          `${MATERIAL}/tlogEntries`,
          first
            ? [...entries(elsewhere), ...entries(bundle)]
            : [...entries(bundle), ...entries(elsewhere)],
        ),
    );
  }
  const reencoded = {
    number: "GO-2026-5233",
    fault: "gitsign GO-2026-5233: a form that was encoded again was verified, not what is shown",
  };
  await cases.add(
    about(
      reencoded,
      "payload",
      "the payload in another spelling of the same JSON",
      "invalid-signature",
    ),
    attested,
    (bundle) => {
      const payload = new TextDecoder().decode(
        decodeBase64(String(valueAt(bundle, "/dsseEnvelope/payload"))),
      );
      const spelt = JSON.stringify(JSON.parse(payload), null, 1);
      return edited(bundle, "/dsseEnvelope/payload", encodeBase64(utf8(spelt)));
    },
  );
  const twice = {
    number: "GO-2022-0379",
    fault: "notation-go GO-2023-1832, distribution GO-2022-0379: one document, two readings",
  };
  await cases.add(
    about(twice, "two-envelopes", "two envelopes under one name", "duplicate-json-key"),
    attested,
    (bundle) =>
      JSON.stringify(bundle).replace(
        /\}$/,
        `,"dsseEnvelope":${JSON.stringify(other.dsseEnvelope)}}`,
      ),
  );
  const bag = {
    number: "GO-2026-5763",
    fault: "timestamp-authority GO-2026-5763: one certificate of the bag was checked, another " +
      "one believed",
  };
  const { tsa, otherTsa } = { tsa: instance.tsa, otherTsa: instance.otherTsa };
  const v2 = { ...attested, entries: rekor2() };
  await cases.add(
    about(
      bag,
      "forged-first",
      "the certificate of an unknown authority stands first, and it signed",
      "untrusted-timestamp-authority",
    ),
    { ...v2, timestamps: stamped({ by: otherTsa, bag: [otherTsa.certificate, tsa.certificate] }) },
  );
  await cases.add(
    about(
      bag,
      "trusted-first",
      "the trusted authority's certificate stands first, an unknown one signed",
      "untrusted-timestamp-authority",
    ),
    { ...v2, timestamps: stamped({ by: otherTsa, bag: [tsa.certificate, otherTsa.certificate] }) },
  );
  await cases.add(
    about(
      bag,
      "named-trusted",
      "an unknown authority signed and names the trusted one's certificate",
      "invalid-timestamp-signature",
    ),
    {
      ...v2,
      timestamps: stamped({ by: { key: otherTsa.key, certificate: tsa.certificate } }),
    },
  );
}

/** Failure turned into success. */
async function addSwallowed(cases: BundleCases): Promise<void> {
  const unparsed = {
    number: "GO-2026-5694",
    fault:
      "cosign GO-2026-5694 (GHSA-w6c6): a payload that cannot be parsed was reported as verified",
  };
  const payloads: [string, Reason, string, Bytes][] = [
    ["not-json", "malformed-json", "a signed payload that is no JSON", utf8("approved: true\n")],
    ["empty", "empty-input", "a signed payload that is empty", new Uint8Array()],
    ["null", "malformed-statement", "a signed payload that is null", utf8("null")],
    [
      "list",
      "malformed-statement",
      "a signed list with the Statement in it",
      payloadOf([statementAbout(ARTIFACT)]),
    ],
  ];
  for (const [id, reason, why, payload] of payloads) {
    await cases.add(about(unparsed, id, why, reason), { content: { payload } });
  }
  const subject = {
    number: "cosign-5016",
    fault: "cosign#5016: an empty or null entry of subject",
  };
  await cases.add(
    about(
      subject,
      "null",
      "a subject that is null before the right one",
      "malformed-resource-descriptor",
    ),
    statementOf({
      subject: [null, { name: "artifact.txt", digest: { sha256: sha256Hex(ARTIFACT) } }],
    }),
  );
  await cases.add(
    about(subject, "empty-digest", "a subject whose digest is an empty text", "invalid-digest"),
    statementOf({ subject: [{ name: "artifact.txt", digest: { sha256: "" } }] }),
  );
}

async function addTimes(cases: BundleCases): Promise<void> {
  const stampOnly = {
    number: "chainloop-3217",
    fault:
      "chainloop-dev/chainloop#3217: a bundle with a timestamp was accepted without its signature",
  };
  await cases.add(
    {
      ...about(
        stampOnly,
        "signature",
        "a good timestamp over a signature of something else",
        "invalid-signature",
      ),
      root: "private",
      options: { tlogThreshold: 0, ctlogThreshold: 0 },
    },
    {
      ...attested,
      signed: utf8("something else"),
      leaf: { scts: [] },
      entries: NOBODY,
      timestamps: stamped(),
    },
  );
  const empty = {
    number: "sigstore-fp-empty-timestamps",
    fault: "sigstore-fp: empty timestampVerificationData counted as a timestamp",
  };
  for (const [id, value] of [["object", {}], ["list", { rfc3161Timestamps: [] }]] as const) {
    await cases.add(
      about(empty, id, "timestamp data without a timestamp", "timestamp-threshold-not-met"),
      { ...attested, entries: rekor2() },
      (bundle) =>
        edited(bundle, `${MATERIAL}/timestampVerificationData`, structuredClone(value) as Json),
    );
  }
  await cases.add(
    about(
      {
        number: "rekor-tiles-dsse",
        fault: "rekor-tiles: envelopes are hashedrekord 0.0.2 there, there is no dsse 0.0.2",
      },
      "kind",
      "an entry of a kind that Rekor v2 does not write for envelopes",
      "unsupported-log-entry",
    ),
    {
      ...attested,
      timestamps: stamped(),
      entries: rekor2({ body: (made) => ({ ...bodyV2Of(made), kind: "dsse" }) }),
    },
  );
}

/** Encodings that one reader takes for another thing. */
async function addEncodings(cases: BundleCases): Promise<void> {
  const arcs = {
    number: "CVE-2025-66030",
    fault: "node-forge CVE-2025-66030: arcs of object identifiers were cut to 32 bits",
  };
  await cases.add(
    about(
      arcs,
      "issuer",
      "extension 2^32 + 8, which becomes Fulcio's issuer when its arc is cut",
      "malformed-certificate",
    ),
    {
      ...blob,
      leaf: {
        claims: { 1: "", 8: "" },
        extra: [{
          oid: `${FULCIO_ARC}.${2 ** 32 + 8}`,
          value: utf8String("https://token.actions.githubusercontent.com"),
        }],
      },
    },
  );
}

/** Advisories that a case of another folder shows already. */
const SHOWN: readonly [string, string, string][] = [
  [
    "GO-2026-5212",
    "sigstore-bundle/empty-chain",
    "gitsign GO-2026-5212: an empty set of certificates made it end with success",
  ],
  [
    "GO-2022-0758",
    "sigstore-bundle/payload-type",
    "cosign GO-2022-0758, policy-controller GO-2022-0759: the type of an attestation was not checked",
  ],
  [
    "CVE-2026-48815",
    "sigstore-bundle/source-repository-look-alike",
    "sigstore-js CVE-2026-48815: certificateOIDs was ignored",
  ],
  [
    "GO-2025-3562",
    "sigstore-bundle/identity-pattern-look-alike",
    "Kyverno GO-2025-3562: subjectRegExp and issuerRegExp were ignored; peers do not anchor them",
  ],
  [
    "GO-2025-3562-issuer",
    "sigstore-bundle/issuer-expected",
    "Kyverno GO-2025-3562: subjectRegExp and issuerRegExp were ignored",
  ],
  [
    "GO-2026-5952",
    "sigstore-bundle/log-counted-once",
    "sigstore-go GO-2026-5952: a threshold counted entries, not logs",
  ],
  [
    "GO-2022-1004",
    "dsse/same-key-twice",
    "go-tuf GO-2022-1004, GO-2026-4349: a key counted twice for a threshold",
  ],
  [
    "GO-2026-6162",
    "sigstore-bundle/root-log-ended",
    "sigstore-go GO-2026-6162: the validity of a log's key was ignored",
  ],
  [
    "GO-2026-4529",
    "sigstore-bundle/root-intermediate-expired",
    "cosign GO-2026-4529: an intermediate that had expired",
  ],
  [
    "GO-2025-3381",
    "sigstore-bundle/timestamp-certificate-expired",
    "notation-go GO-2025-3381: an authority's certificate that had expired",
  ],
  [
    "GO-2026-5763-purpose",
    "sigstore-bundle/timestamp-other-purpose",
    "timestamp-authority GO-2026-5763: the purpose of another certificate was checked",
  ],
  [
    "GO-2023-2181",
    "sigstore-bundle/many-entries",
    "cosign GO-2023-2181, GO-2024-2718, sigstore-go GO-2024-3116: endless data",
  ],
  [
    "GO-2023-1589",
    "dsse/many-signatures",
    "notation GO-2023-1589, GO-2023-1829, GO-2023-1831: endless signatures",
  ],
  [
    "CVE-2025-12816",
    "sigstore-bundle/deep",
    "node-forge CVE-2025-66031, CVE-2025-12816: unbounded recursion",
  ],
  [
    "CVE-2026-33896",
    "sigstore-bundle/root-intermediate-no-ca",
    "node-forge CVE-2026-33896: an issuer without basicConstraints",
  ],
  ["ampel-108", "sigstore-bundle/bare-statement", "ampel#108: an unsigned Statement passed"],
  [
    "GO-2026-4309-key-log",
    "sigstore-bundle/dsse-key",
    "cosign GO-2026-4309: the key of the log entry was not compared",
  ],
];

function aliases(collection: Collection): void {
  for (const [number, shown, fault] of SHOWN) {
    const found = collection.cases.find(({ id }) => id === `x-attest/${shown}`);
    if (found?.expectedReason === undefined) throw new RangeError(`No case that fails: ${shown}`);
    const { kind, files, why, rule, options, scope, expectedReason } = found;
    const id = `${number}-${shown.slice(shown.indexOf("/") + 1)}`;
    collection.case({
      id,
      kind,
      files,
      why,
      rule,
      options,
      scope,
      reason: expectedReason,
      advisory: fault,
    });
  }
}

const PAYLOAD = payloadOf(statementAbout(utf8("artifact\n")));

async function addEnvelopes(collection: Collection): Promise<void> {
  const pae = preAuthenticationEncoding(IN_TOTO, PAYLOAD);
  const add = (
    { number, fault }: Advisory,
    { id, why, key, reason = "invalid-signature" }: {
      id: string;
      why: string;
      key: string;
      reason?: Reason;
    },
    signature: JsonObject,
    changes: JsonObject = {},
  ) => {
    const envelope = {
      payload: encodeBase64(PAYLOAD),
      payloadType: IN_TOTO,
      signatures: [signature],
    };
    const path = `advisories/${number}-${id}.json`;
    collection.case({
      id: `${number}-${id}`,
      kind: "dsse",
      files: {
        envelope: collection.json(path, { ...envelope, ...changes }),
        key: `keys/${key}.pub`,
      },
      why,
      rule: "what the advisory tells",
      reason,
      advisory: fault,
    });
  };
  const ed25519 = await testKey("dsse-ed25519");
  const rsa = await testKey("dsse-rsa");
  const other = await testKey("leaf-other");
  add(
    { number: "CVE-2026-33895", fault: "node-forge CVE-2026-33895: S of Ed25519 above the order" },
    { id: "large-s", why: "S plus the order of the group", key: "dsse-ed25519" },
    { sig: encodeBase64(withLargeS(await ed25519.sign(pae))) },
  );
  add(
    {
      number: "CVE-2026-33894",
      fault: "node-forge CVE-2026-33894: bytes after the hash in PKCS #1",
    },
    { id: "garbage", why: "short padding, and bytes after the hash", key: "dsse-rsa" },
    { sig: encodeBase64(paddedWithGarbage(rsa.spki, digest("SHA-256", pae))) },
  );
  const jwk = { kty: "EC", crv: "P-256", ...publicPoint("leaf-other") };
  const sig = encodeBase64(await other.sign(pae));
  const header = {
    number: "GO-2025-3460",
    fault: "distribution GO-2025-3460: a key from the document itself was believed",
  };
  add(header, { id: "jwk", why: "another key signed and is in the envelope", key: "dsse-p256" }, {
    sig,
    jwk,
    publicKey: encodeBase64(other.spki),
    x5c: [encodeBase64(other.spki)],
  }, { publicKey: encodeBase64(other.spki), jwk });
}

function valueAt(json: JsonObject, pointer: string): Json | undefined {
  return pointer.slice(1).split("/").reduce<Json | undefined>(
    (node, name) => (node as JsonObject | undefined)?.[name],
    json,
  );
}

function publicPoint(name: "leaf-other"): { x: string; y: string } {
  const { x, y } = stored[name].jwk;
  return { x, y };
}

const ORDER = 2n ** 252n + 27742317777372353535851937790883648493n;

/** The signature with S + L: the same point, and another text. */
function withLargeS(signature: Bytes): Bytes {
  const s = toNumber(signature.slice(32).reverse()) + ORDER;
  return concat(signature.slice(0, 32), fromNumber(s, 32).reverse());
}

/** PKCS #1 v1.5 with the shortest padding, the DigestInfo, and garbage up to the end. */
function paddedWithGarbage(spki: Uint8Array, hash: Uint8Array): Bytes {
  const { n, d } = stored["dsse-rsa"].jwk;
  const modulus = toNumber(decodeBase64(n, { alphabet: "url" }));
  const info = concat(
    Uint8Array.of(0x30, 0x31, 0x30, 0x0d, 6, 9, 0x60, 0x86, 0x48, 1, 0x65, 3, 4, 2, 1, 5, 0, 4, 32),
    hash,
  );
  const start = concat(Uint8Array.of(0, 1, ...Array(8).fill(0xff), 0), info);
  const garbage = new Uint8Array(256 - start.length).fill(spki[spki.length - 1]);
  const message = toNumber(concat(start, garbage));
  return fromNumber(power(message, toNumber(decodeBase64(d, { alphabet: "url" })), modulus), 256);
}

function power(base: bigint, exponent: bigint, modulus: bigint): bigint {
  let result = 1n;
  for (let rest = exponent, square = base % modulus; rest > 0n; rest >>= 1n) {
    if (rest & 1n) result = result * square % modulus;
    square = square * square % modulus;
  }
  return result;
}

function toNumber(bytes: Uint8Array): bigint {
  return bytes.reduce((number, byte) => number << 8n | BigInt(byte), 0n);
}

function fromNumber(number: bigint, length: number): Bytes {
  return Uint8Array.from(
    { length },
    (_, i) => Number(number >> BigInt(8 * (length - 1 - i)) & 255n),
  );
}
