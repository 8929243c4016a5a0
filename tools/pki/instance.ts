import type { Bytes } from "../../internal/bytes.ts";
import type { JsonObject } from "../../internal/json.ts";
import {
  type Authority,
  createAuthority,
  issueLeaf,
  issueTimestampCertificate,
  type LeafOptions,
  TIME_STAMPING,
} from "./ca.ts";
import {
  type BundleParts,
  MEDIA_TYPES,
  messageSignature,
  type SignedEnvelope,
  signEnvelope,
  sigstoreBundle,
} from "./bundle.ts";
import { digest, type TestHash, type TestKey, testKey } from "./keys.ts";
import {
  dsseBody,
  type EntryOptions,
  hashedRekordBody,
  type RekorV1,
  rekorV1Entry,
  type Verifier,
} from "./rekor_v1.ts";
import {
  type EntryV2Options,
  hashedRekordV002Body,
  type RekorV2,
  rekorV2Entry,
} from "./rekor_v2.ts";
import { timestamp, type TimestampAuthority, type TimestampOptions } from "./tsa.ts";
import type { TrustedAuthority, TrustedLog, TrustedRootParts } from "./trusted_root.ts";

/** When everything in the instance begins to be believed. */
export const START: Date = new Date("2025-01-01T00:00:00Z");

/** When the certificates of the authorities end. */
export const END: Date = new Date("2035-01-01T00:00:00Z");

/** First moment of a signer's certificate. */
export const LEAF_START: Date = new Date("2025-02-03T10:00:00Z");

/** Last moment of a signer's certificate. */
export const LEAF_END: Date = new Date("2025-02-03T10:10:00Z");

/** When something is signed, logged and stamped. */
export const SIGNED: Date = new Date("2025-02-03T10:00:05Z");

/** OIDC issuer of GitHub Actions. */
export const GITHUB_ISSUER = "https://token.actions.githubusercontent.com";

/** Workflow that signs when nothing else is said. */
export const WORKFLOW =
  "https://github.com/example/hello/.github/workflows/release.yml@refs/tags/v1.0.0";

/** The throw-away instance: keys, certificates and logs, the same in each run. */
export interface Instance {
  authority: Authority;
  otherAuthority: Authority;
  tsaAuthority: Authority;
  otherTsaAuthority: Authority;
  ctLog: TestKey;
  otherCtLog: TestKey;
  rekor: RekorV1;
  secondRekor: RekorV1;
  otherRekor: RekorV1;
  rekor2: RekorV2;
  otherRekor2: RekorV2;
  tsa: TimestampAuthority;
  secondTsa: TimestampAuthority;
  otherTsa: TimestampAuthority;
  /** Name and serial number of `tsa`, keys of `otherTsa`. */
  lookAlikeTsa: TimestampAuthority;
}

/** Makes the throw-away instance. */
export async function createInstance(): Promise<Instance> {
  const period = { notBefore: START, notAfter: END };
  const organization = "sigstore.example";
  const authority = await createAuthority({
    organization,
    rootKey: await testKey("fulcio-root"),
    intermediateKey: await testKey("fulcio-intermediate"),
    ...period,
  });
  const otherAuthority = await createAuthority({
    organization,
    rootKey: await testKey("other-root"),
    intermediateKey: await testKey("other-intermediate"),
    ...period,
  });
  const tsaAuthority = await createAuthority({
    organization: "tsa.example",
    rootKey: await testKey("tsa-root"),
    intermediateKey: await testKey("tsa-intermediate"),
    purpose: TIME_STAMPING,
    ...period,
  });
  const otherTsaParts = {
    rootKey: await testKey("tsa-other-root"),
    intermediateKey: await testKey("tsa-other-intermediate"),
    purpose: TIME_STAMPING,
    ...period,
  };
  const otherTsaAuthority = await createAuthority({
    organization: "tsa.other.example",
    ...otherTsaParts,
  });
  const lookAlike = await createAuthority({ organization: "tsa.example", ...otherTsaParts });
  const stamper = async (by: Authority, name: string, keyName: string, serial = 200) => {
    const key = await testKey(keyName);
    const options = { key, name, serial, ...period };
    return { key, certificate: await issueTimestampCertificate(by, options) };
  };
  const rekor = async (keyName: string, name: string, treeId: string, offset: number) => ({
    key: await testKey(keyName),
    name,
    treeId,
    offset,
  });
  return {
    authority,
    otherAuthority,
    tsaAuthority,
    otherTsaAuthority,
    ctLog: await testKey("ctlog"),
    otherCtLog: await testKey("ctlog-other"),
    rekor: await rekor("rekor", "rekor.sigstore.example", "1193050959916656506", 4163431),
    secondRekor: await rekor("rekor-second", "rekor.second.example", "2605736670972794746", 0),
    otherRekor: await rekor("rekor-other", "rekor.other.example", "3904496407287907110", 12),
    rekor2: { key: await testKey("rekor2"), name: "log2025-1.rekor.sigstore.example" },
    otherRekor2: { key: await testKey("rekor2-other"), name: "log2025-1.rekor.other.example" },
    tsa: await stamper(tsaAuthority, "throw-away tsa", "tsa"),
    secondTsa: await stamper(tsaAuthority, "second tsa", "tsa-second", 201),
    otherTsa: await stamper(otherTsaAuthority, "throw-away tsa", "tsa-other"),
    lookAlikeTsa: await stamper(lookAlike, "throw-away tsa", "tsa-other"),
  };
}

/** A Rekor v1 log as a trusted root lists it. */
export function trustedRekor(log: RekorV1): TrustedLog {
  return { key: log.key, baseUrl: `https://${log.name}`, validFor: { start: START } };
}

/** A Rekor v2 log as a trusted root lists it. */
export function trustedRekor2(log: RekorV2): TrustedLog {
  return {
    key: log.key,
    baseUrl: `https://${log.name}`,
    validFor: { start: START },
    noteName: log.name,
  };
}

/** A certificate authority as a trusted root lists it. */
export function trustedCa(authority: Authority): TrustedAuthority {
  return {
    uri: "https://fulcio.sigstore.example",
    organization: authority.organization,
    commonName: "throw-away root",
    chain: [authority.intermediate, authority.root],
    validFor: { start: START },
  };
}

/** A time stamping authority as a trusted root lists it. */
export function trustedTsa(
  tsa: TimestampAuthority,
  by: Authority,
  host = "tsa.sigstore.example",
): TrustedAuthority {
  return {
    uri: `https://${host}/api/v1/timestamp`,
    organization: by.organization,
    commonName: "throw-away tsa",
    chain: [tsa.certificate, by.intermediate, by.root],
    validFor: { start: START },
  };
}

/** Everything that the instance is trusted for; the `other…` parts are not in it. */
export function instanceRoot(instance: Instance): TrustedRootParts {
  const ctLog = { key: instance.ctLog, baseUrl: "https://ctlog.sigstore.example/2025" };
  return {
    tlogs: [
      trustedRekor(instance.rekor),
      trustedRekor(instance.secondRekor),
      trustedRekor2(instance.rekor2),
    ],
    ctlogs: [{ ...ctLog, validFor: { start: START } }],
    certificateAuthorities: [trustedCa(instance.authority)],
    timestampAuthorities: [
      trustedTsa(instance.tsa, instance.tsaAuthority),
      trustedTsa(instance.secondTsa, instance.tsaAuthority, "tsa.second.example"),
    ],
  };
}

/** What has been signed, for those who log and stamp it. */
export interface Made {
  instance: Instance;
  key: TestKey;
  /** Certificate of the signer, DER; absent when a bare key signs. */
  leaf?: Bytes;
  verifier: Verifier;
  hash: TestHash;
  /** The artifact, when it is signed itself. */
  artifact?: Uint8Array;
  /** The envelope, when a payload is signed. */
  envelope?: SignedEnvelope;
  signature: Bytes;
}

/** How a bundle is made; what is absent is as the instance has it. */
export interface Recipe {
  version?: keyof typeof MEDIA_TYPES;
  /** What is signed: the artifact itself, or a payload. */
  content: { artifact: Uint8Array } | { payload: Uint8Array; payloadType?: string };
  /** Name of the signer's key. */
  key?: string;
  /** `keyid` of the envelope. */
  keyid?: string;
  /** No certificate: the hint at a key that the verifier has. */
  hint?: string;
  leaf?: Partial<LeafOptions>;
  authority?: Authority;
  /** Certificates after the leaf; makes a chain of it. */
  chain?: Uint8Array[];
  /** What is signed in place of the artifact or the encoded payload. */
  signed?: Uint8Array;
  entries?: (made: Made) => Promise<JsonObject[]>;
  timestamps?: (made: Made) => Promise<Bytes[]>;
}

/** Makes a bundle. */
export async function makeBundle(instance: Instance, recipe: Recipe): Promise<JsonObject> {
  const { content, version = "v0.3", hint } = recipe;
  const key = await testKey(recipe.key ?? "leaf-p256");
  const leaf = hint === undefined
    ? await issueLeaf(recipe.authority ?? instance.authority, {
      key,
      san: { type: "uri", value: WORKFLOW },
      issuer: GITHUB_ISSUER,
      notBefore: LEAF_START,
      notAfter: LEAF_END,
      scts: [{ log: instance.ctLog, timestamp: LEAF_START }],
      ...recipe.leaf,
    })
    : undefined;
  const made: Made = {
    instance,
    key,
    verifier: leaf === undefined
      ? { der: key.spki, label: "PUBLIC KEY" }
      : { der: leaf, label: "CERTIFICATE" },
    hash: key.hash,
    signature: new Uint8Array(),
  };
  if (leaf !== undefined) made.leaf = leaf;
  let parts: BundleParts["content"];
  if ("artifact" in content) {
    made.artifact = content.artifact;
    made.signature = await key.sign(recipe.signed ?? content.artifact);
    parts = {
      messageSignature: messageSignature(content.artifact, made.signature, made.hash),
    };
  } else {
    made.envelope = await signEnvelope(content.payload, key, {
      payloadType: content.payloadType,
      keyid: recipe.keyid,
      signed: recipe.signed,
    });
    made.signature = made.envelope.signature;
    parts = { dsseEnvelope: made.envelope.json };
  }
  const { chain = version === "v0.1" || version === "v0.2" ? [] : undefined } = recipe;
  const bundle: BundleParts = {
    mediaType: MEDIA_TYPES[version],
    material: leaf === undefined
      ? { hint: hint ?? "" }
      : chain === undefined
      ? { certificate: leaf }
      : { chain: [leaf, ...chain] },
    tlogEntries: await (recipe.entries ?? rekor)(made),
    content: parts,
  };
  const stamps = await recipe.timestamps?.(made);
  if (stamps !== undefined) bundle.timestamps = stamps;
  return sigstoreBundle(bundle);
}

/** One entry of the instance's Rekor v1 log: hashedrekord of a blob, dsse of an envelope. */
export async function rekor(made: Made): Promise<JsonObject[]> {
  return [await logged(made)];
}

/** {@linkcode rekor} with something else about it. */
export function logged(
  made: Made,
  options: Partial<EntryOptions> & { log?: RekorV1; body?: JsonObject } = {},
): Promise<JsonObject> {
  const { log = made.instance.rekor, body = bodyOf(made), ...rest } = options;
  return rekorV1Entry(log, body, { integratedTime: SIGNED, ...rest });
}

/** Body of the Rekor v1 entry for what has been signed. */
export function bodyOf(made: Made): JsonObject {
  if (made.envelope !== undefined) return dsseBody(made.envelope, made.verifier);
  const algorithm = made.hash.replace("SHA-", "sha");
  const value = digest(made.hash, made.artifact ?? new Uint8Array());
  return hashedRekordBody({ algorithm, value }, made.signature, made.verifier);
}

/** Body of the Rekor v2 entry for what has been signed. */
export function bodyV2Of(made: Made): JsonObject {
  const message = made.envelope?.pae ?? made.artifact ?? new Uint8Array();
  return hashedRekordV002Body({
    algorithm: made.hash.replace("SHA-", "SHA2_"),
    digest: digest(made.hash, message),
    signature: made.signature,
    key: made.key,
    ...(made.leaf === undefined ? {} : { certificate: made.leaf }),
  });
}

/** One entry of the instance's Rekor v2 log. */
export function rekor2(
  options: EntryV2Options & { log?: RekorV2; body?: (made: Made) => JsonObject } = {},
): (made: Made) => Promise<JsonObject[]> {
  const { log, body = bodyV2Of, ...rest } = options;
  return async (made) => [await rekorV2Entry(log ?? made.instance.rekor2, body(made), rest)];
}

/** One timestamp over the signature. */
export function stamped(
  options: Partial<TimestampOptions> & { by?: TimestampAuthority } = {},
): (made: Made) => Promise<Bytes[]> {
  const { by, ...rest } = options;
  return async (made) => [
    await timestamp(by ?? made.instance.tsa, {
      message: made.signature,
      genTime: SIGNED,
      ...rest,
    }),
  ];
}
