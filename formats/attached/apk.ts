import { AttestationError, isAttestationError, type Reason } from "../../errors.ts";
import { type Bytes, equalBytes } from "../../internal/bytes.ts";
import { asRefusal } from "../../internal/check_list.ts";
import { digest, type HashName } from "../../internal/digest.ts";
import { encodeHex } from "../../internal/hex.ts";
import { quote } from "../../internal/json.ts";
import { type KeyAlgorithm, lookupAlgorithm } from "../../keys/algorithm.ts";
import { type PublicKey, verifySignature } from "../../keys/public_key.ts";
import { isApk } from "../_zip_marks.ts";
import { checkHolder, pinnedBy } from "../certificate_trust.ts";
import type { BadSigner, FormatContext, FormatModule, SignerResult } from "../format.ts";
import { artifactStatement } from "../statement.ts";
import { apkAlgorithm, keyAlgorithmOf, nameOfAlgorithm } from "./_apk_algorithms.ts";
import { type ApkCertificate, holderOf, readApkCertificate } from "./_apk_certificate.ts";
import { apkContentDigest } from "./_apk_digest.ts";
import { verifyLineage } from "./_apk_lineage.ts";
import { schemesDemandedBy } from "./_apk_signed.ts";
import { APK_SCHEMES, type ApkSigner, readApkSigners } from "./_apk_signers.ts";
import { ByteReader, malformedBlock } from "./_byte_reader.ts";
import { readSigningBlock } from "./_signing_block.ts";
import { parseZip, type ZipArchive, type ZipRange } from "./zip.ts";

/** An APK, read and not verified. */
export interface Apk {
  /** The archive. */
  readonly archive: ZipArchive;
  /** Where the signing block lies. */
  readonly block: ZipRange;
  /** Signers of all schemes, in the order of the schemes. */
  readonly signers: readonly ApkSigner[];
}

/** Attributes of signers. */
const STRIPPING_PROTECTION = 0xbeeff00d;
const ROTATION_MIN_SDK = 0x559f8b02;
const PROOF_OF_ROTATION = 0x3ba06f8c;

/**
 * Android packages signed by scheme v2, v3 or v3.1: the signatures lie in a block between the
 * entries and the central directory, and cover everything else.
 *
 * A signer is whoever's key or certificate you pin, as nobody vouches for certificates of
 * Android apps: their names and validity count for nothing. One broken signature refuses the
 * whole, as it does on a device; one by somebody whom you do not know is a signer that counts
 * for nothing. A proof of rotation is verified, and does not make a new key one that you pinned.
 *
 * Source: Android, "APK Signature Scheme v2" and "APK Signature Scheme v3".
 */
export const apk: FormatModule<Apk> = {
  id: "apk",
  layer: "attached",
  detect: (input) => isApk(input) ? 3 : 0,
  parse(bytes, { maxSignatures }) {
    // Build tools leave gaps where they take an entry out; the signatures cover them as well.
    const archive = parseZip(bytes, { allowGaps: true });
    const block = archive.signingBlock;
    if (block === undefined) throw missing("it has no APK signing block");
    const pairs = readSigningBlock(archive.bytes, block);
    const signers = APK_SCHEMES.flatMap((scheme) => {
      const value = pairs.get(scheme.id);
      return value === undefined ? [] : readApkSigners(scheme, value);
    });
    if (signers.length === 0) throw missing("its signing block has neither v2 nor v3");
    if (signers.length > maxSignatures) {
      throw new AttestationError(
        "limit-exceeded",
        `Cannot read APK: ${signers.length} signers, at most ${maxSignatures} are accepted`,
      );
    }
    return {
      format: "apk",
      signatures: signers.flatMap(({ scheme, certificates, signatures }) =>
        signatures.map(({ id, value }) => ({
          keyid: holderOf(certificates[0]),
          algorithm: `${scheme.name}: ${nameOfAlgorithm(id)}`,
          bytes: value.length,
        }))
      ),
      facts: {
        schemes: [...new Set(signers.map(({ scheme }) => scheme.name))].join(", "),
        entries: String(archive.entries.length),
      },
      content: { archive, block, signers },
    };
  },
  async verify({ content }, context) {
    const { archive, block, signers } = content;
    const judged = await judgeAll(content);
    const results = await Promise.all(judged.map((one) => trusted(one, context)));
    const refusal = judged.find((one): one is BadSigner => "ok" in one)?.error ??
      await refusalOfSchemes(archive, signers, judged);
    // Newer schemes are one owner's, before and after rotations: who signed the newest counts.
    const isOwned = signers.some(({ scheme }) => scheme.hasSdk);
    const at = isOwned ? results.findLastIndex(({ ok }) => ok) : results.findIndex(({ ok }) => ok);
    const best = Math.max(0, at);
    return {
      format: "apk",
      message: signers[best].signed,
      statement: await artifactStatement(archive.bytes, false),
      signers: isOwned ? results.filter(({ ok }, i) => !ok || i === best) : results,
      coverage: "whole-artifact",
      uncovered: [{ ...block, what: "APK signing block" }],
      unauthenticated: {},
      proofs: [],
      ...(refusal === undefined ? {} : { refusal }),
    };
  },
};

/** A signer whose signatures, digests and rotation are good; whether it is trusted is open. */
interface SoundSigner {
  readonly signer: ApkSigner;
  readonly certificate: ApkCertificate;
  /** Of its strongest signature. */
  readonly algorithm: KeyAlgorithm;
  /** Certificates before its own, oldest first. */
  readonly earlier: readonly ApkCertificate[];
}

type Judged = SoundSigner | BadSigner;

async function judgeAll({ archive, signers }: Apk): Promise<Judged[]> {
  const digests = new Map<HashName, Promise<Bytes>>();
  const contentDigest = (hash: HashName): Promise<Bytes> => {
    let known = digests.get(hash);
    if (known === undefined) digests.set(hash, known = apkContentDigest(archive, hash));
    return known;
  };
  return await Promise.all(signers.map(async (signer): Promise<Judged> => {
    try {
      return await judge(signer, contentDigest);
    } catch (error) {
      const keyid = holderOf(signer.certificates[0]);
      return { ok: false, keyid, error: asRefusal(error) };
    }
  }));
}

async function judge(
  signer: ApkSigner,
  contentDigest: (hash: HashName) => Promise<Bytes>,
): Promise<SoundSigner> {
  const certificate = readApkCertificate(signer.certificates[0]);
  const { publicKey } = certificate;
  if (!equalBytes(publicKey.spki, signer.publicKey)) {
    throw malformedBlock("the key of a signer is not that of its certificate");
  }
  const algorithm = await checkSignatures(signer, publicKey);
  for (const { id, value } of signer.digests) {
    const known = apkAlgorithm(id);
    if (known === undefined || equalBytes(value, await contentDigest(known.hash))) continue;
    throw refused(
      "content-digest-mismatch",
      `its content has not the ${known.hash} digest that ${signer.scheme.name} signs`,
    );
  }
  const proof = signer.attributes.get(PROOF_OF_ROTATION);
  const lineage = proof === undefined || !signer.scheme.hasSdk
    ? [certificate]
    : await verifyLineage(proof, certificate);
  return { signer, certificate, algorithm, earlier: lineage.slice(0, -1) };
}

/** Every signature of an algorithm that is verified here is; others beside them may stand there. */
async function checkSignatures(
  { scheme, signatures, signed }: ApkSigner,
  publicKey: PublicKey,
): Promise<KeyAlgorithm> {
  const found: KeyAlgorithm[] = [];
  for (const { id, value } of signatures) {
    const algorithm = apkAlgorithm(id);
    if (algorithm === undefined) continue;
    const alg = keyAlgorithmOf(algorithm, publicKey);
    if (alg === undefined) {
      throw refused(
        "key-algorithm-mismatch",
        `${scheme.name} states ${algorithm.name} with a key that is ${publicKey.kind}`,
      );
    }
    if (!await verifySignature(publicKey, lookupAlgorithm(alg).scheme, value, signed, "der")) {
      throw refused("invalid-signature", `a signature of ${scheme.name} is not by its key`);
    }
    found.push(alg);
  }
  if (found.length === 0) {
    const names = signatures.map(({ id }) => nameOfAlgorithm(id)).join(", ");
    throw refused("unsupported-algorithm", `${scheme.name} has only ${names}`);
  }
  return found.find((alg) => alg.endsWith("512")) ?? found[0];
}

/** Whether a sound signer is one whom the caller pinned. */
async function trusted(one: Judged, { keys, certificates }: FormatContext): Promise<SignerResult> {
  if ("ok" in one) return one;
  const { certificate, algorithm, earlier } = one;
  const { publicKey, raw } = certificate;
  const keyid = holderOf(raw);
  const key = keys.find(({ fingerprint }) => fingerprint === publicKey.fingerprint);
  const base = { ok: true, fingerprint: publicKey.fingerprint, algorithm } as const;
  if (key !== undefined) return { ...base, name: key.name, key };
  try {
    if (certificates !== undefined && await pinnedBy(certificates, certificate)) {
      checkHolder(certificate, certificates.identities);
      return { ...base, name: keyid };
    }
    const older = certificates === undefined
      ? []
      : await Promise.all(earlier.map((before) => pinnedBy(certificates, before)));
    const isOlderKnown = older.includes(true) ||
      earlier.some((before) =>
        keys.some(({ fingerprint }) => fingerprint === before.publicKey.fingerprint)
      );
    const hex = encodeHex(await digest("SHA-256", raw));
    if (keys.length === 0 && certificates === undefined) {
      throw refused(
        "missing-trusted-key",
        `no key or certificate is pinned; ${quote(keyid)} with sha256 ${hex} signed it`,
      );
    }
    throw refused(
      "untrusted-certificate",
      `the certificate of ${quote(keyid)} with sha256 ${hex} is not pinned${
        isOlderKnown ? "; one before it is, and vouches for it: pin the new one" : ""
      }`,
    );
  } catch (error) {
    return { ok: false, keyid, error: asRefusal(error) };
  }
}

/** What the schemes say of one another. */
async function refusalOfSchemes(
  archive: ZipArchive,
  signers: readonly ApkSigner[],
  judged: readonly Judged[],
): Promise<AttestationError | undefined> {
  try {
    const sound = judged.filter((one): one is SoundSigner => !("ok" in one));
    const present = new Set(signers.map(({ scheme }) => scheme.name));
    for (const { signer: { scheme, attributes } } of sound) {
      const demanded = attributes.get(STRIPPING_PROTECTION);
      if (scheme.name === "v2" && demanded !== undefined) {
        const reader = new ByteReader(demanded);
        if (reader.u32() === 3 && !present.has("v3")) throw stripped("v2", "v3");
        reader.end("the stripping protection");
      }
    }
    checkRotation(sound);
    for (const number of await schemesDemandedBy(archive)) {
      const name = `v${number}`;
      if ((name === "v2" || name === "v3") && !present.has(name)) throw stripped("v1", name);
    }
    checkRanges(sound);
    checkContinuity(sound);
  } catch (error) {
    if (!isAttestationError(error)) throw error;
    return error;
  }
}

/** v3.1 stands beside v3, which may say from which version of Android on it counts. */
function checkRotation(sound: readonly SoundSigner[]): void {
  const stated = sound.flatMap(({ signer: { scheme, attributes } }) => {
    const value = scheme.name === "v3" ? attributes.get(ROTATION_MIN_SDK) : undefined;
    if (value === undefined) return [];
    const reader = new ByteReader(value);
    const min = reader.u32();
    reader.end("the first Android version of v3.1");
    return [min];
  });
  const own = sound.flatMap(({ signer: { scheme, sdk } }) =>
    scheme.name === "v3.1" && sdk !== undefined ? [sdk.min] : []
  );
  if (own.length === 0) {
    if (stated.length > 0) throw stripped("v3", "v3.1");
    return;
  }
  if (!sound.some(({ signer: { scheme } }) => scheme.name === "v3")) {
    throw malformedBlock("v3.1 stands there without v3");
  }
  if (stated.some((min) => min !== Math.min(...own))) {
    throw malformedBlock("v3.1 is for other Android versions than v3 says");
  }
}

/** On one version of Android one signer of v3 counts; v3.1 takes the place of v3 on newer ones. */
function checkRanges(sound: readonly SoundSigner[]): void {
  for (const name of ["v3", "v3.1"]) {
    const ranges = sound.flatMap(({ signer }) =>
      signer.scheme.name === name && signer.sdk !== undefined ? [signer.sdk] : []
    ).sort((a, b) => a.min - b.min);
    for (let i = 1; i < ranges.length; i++) {
      if (ranges[i].min <= ranges[i - 1].max) {
        throw malformedBlock(`two signers of ${name} are for one Android version`);
      }
    }
  }
}

/**
 * What v3 and v3.1 sign, for whatever Android version, is by one and the same, who signed v2 as
 * well, or by one whom that key vouched for.
 */
function checkContinuity(sound: readonly SoundSigner[]): void {
  const oldest = sound.map(({ earlier, certificate }) => earlier[0] ?? certificate);
  const isNewer = sound.some(({ signer }) => signer.scheme.hasSdk);
  if (isNewer && oldest.some(({ raw }) => !equalBytes(raw, oldest[0].raw))) {
    throw malformedBlock("its schemes are signed by several, of whom none vouches for the other");
  }
}

function stripped(by: string, what: string): AttestationError {
  return refused("stripped-signature", `${by} says that there is ${what}, which is not there`);
}

function missing(what: string): AttestationError {
  return new AttestationError("missing-signatures", `Cannot read APK: ${what}`);
}

function refused(reason: Reason, what: string): AttestationError {
  return new AttestationError(reason, `Cannot verify APK: ${what}`);
}
