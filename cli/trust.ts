import type { EfiTrust } from "../formats/attached/efi_trust.ts";
import type { CertificateTrust } from "../formats/certificate_trust.ts";
import type { OpenPgpKeyring } from "../formats/openpgp_keyring.ts";
import type { TufRootTrust } from "../formats/tuf_targets.ts";
import { decodeUtf8, printable } from "../internal/json.ts";
import type { KeyAlgorithm } from "../keys/algorithm.ts";
import type { KeySet } from "../keys/key_validity.ts";
import type { TrustedKey } from "../keys/trusted_key.ts";
import type { TrustedRoot } from "../sigstore/trusted_root.ts";
import type { Trust } from "../verify/options.ts";
import { type ParsedArgs, readCount, usageError } from "./args.ts";
import { inFile } from "./in_file.ts";
import { readBounded, type Runtime } from "./runtime.ts";
import { plural } from "./text.ts";

/** A trust store. */
const MAX_CHAIN_BYTES = 4 << 20;
const MAX_KEY_BYTES = 1 << 20;
const MAX_ROOT_BYTES = 16 << 20;

/** Options that name files of certificates, and what they are called in a report. */
const AUTHORITIES: readonly (readonly [string, string])[] = [
  ["certificate-authority", "certificate authorities"],
  ["signing-authority", "signing authorities"],
  ["timestamp-authority", "timestamp authorities"],
];

/** What the command line trusts: as `verify()` takes it, and in words. */
export interface ReadTrust {
  /** For `verify()`; without members when no option is about it. */
  trust: Trust;
  /** Name and value of each, for the report. */
  rows: [string, string][];
}

/**
 * Keys and key sets, and how many of them must accept.
 *
 * @throws {AttestationError} `usage`, `unreadable-file`, or what is wrong with a key.
 */
export async function readKeyTrust(args: ParsedArgs, runtime: Runtime): Promise<ReadTrust> {
  const { keys, openpgp } = await readKeys(args, runtime);
  const keySets = await readKeySets(args, runtime, keys);
  const inSets = keySets.flatMap((set) => set.keys);
  const ofOpenPgp = openpgp?.keys ?? [];
  if (keys.length + inSets.length + ofOpenPgp.length === 0) return { trust: {}, rows: [] };
  const threshold = readCount(args, "threshold", 1) ?? 1;
  const all = [...keys, ...inSets.map(({ key }) => key)];
  const distinct = new Set([
    ...all.map(({ fingerprint }) => fingerprint),
    ...ofOpenPgp.flatMap(({ keyFingerprint }) => keyFingerprint ?? []),
  ]).size;
  if (threshold > distinct) {
    throw usageError(
      `--threshold ${threshold} cannot be met: ${plural(distinct, "distinct key")} given`,
    );
  }
  const trust: Trust = { keys, threshold };
  if (keySets.length > 0) trust.keySets = keySets;
  if (openpgp !== undefined) trust.openpgp = openpgp;
  const rows: ReadTrust["rows"] = [];
  const described = ({ name, alg, fingerprint }: TrustedKey) =>
    `${printable(name)} (${alg}, ${fingerprint.slice(0, 16)}…)`;
  for (const key of keys) rows.push(["key", described(key)]);
  for (const { name, fingerprint } of ofOpenPgp) {
    rows.push(["key", `${printable(name)} (OpenPGP, ${fingerprint})`]);
  }
  if (inSets.length > 0) {
    const { describeValidity } = await import("../keys/key_validity.ts");
    for (const entry of inSets) {
      rows.push(["key", `${described(entry.key)}\n${describeValidity(entry)}`]);
    }
  }
  if (threshold > 1) rows.push(["keys needed", String(threshold)]);
  return { trust, rows };
}

/**
 * Certificate authorities, lists of firmware and roots of TUF: what other formats are trusted by.
 *
 * @throws {AttestationError} `usage`, `unreadable-file`, or what is wrong with one of them.
 */
export async function readOtherTrust(args: ParsedArgs, runtime: Runtime): Promise<ReadTrust> {
  const trust: Trust = {};
  const rows: ReadTrust["rows"] = [];
  const efi = await readEfiTrust(args, runtime);
  if (efi !== undefined) {
    trust.efi = efi;
    rows.push(["firmware trusts", args.all("efi-db").join("\n")]);
    if (args.has("efi-dbx")) rows.push(["firmware refuses", args.all("efi-dbx").join("\n")]);
  }
  const certificates = await readCertificateTrust(args, runtime);
  if (certificates !== undefined) {
    trust.certificates = certificates;
    for (const [option, what] of AUTHORITIES) {
      const paths = args.all(option);
      if (paths.length > 0) rows.push([what, paths.join("\n")]);
    }
    for (const hex of certificates.pinned) rows.push(["certificate", `sha256:${hex}`]);
    for (const subject of args.all("certificate-subject")) {
      rows.push(["certificate subject", printable(subject)]);
    }
  }
  const tufRoots = await readTufRoots(args, runtime);
  if (tufRoots.length > 0) {
    trust.tufRoots = tufRoots;
    for (const { name, keys, threshold } of tufRoots) {
      rows.push(["TUF root", `${printable(name)} (${threshold} of ${plural(keys.length, "key")})`]);
    }
  }
  return { trust, rows };
}

/** Keys to trust; those of OpenPGP are put together in one keyring. */
async function readKeys(
  args: ParsedArgs,
  runtime: Runtime,
): Promise<{ keys: TrustedKey[]; openpgp?: OpenPgpKeyring }> {
  const paths = args.all("key");
  if (paths.length === 0) return { keys: [] };
  const { importKeyFile, isOpenPgpKey } = await import("./key_file.ts");
  const alg = args.get("key-alg") as KeyAlgorithm | undefined;
  const found = await Promise.all(paths.map((path) =>
    inFile("key", path, async () => {
      const content = await readBounded(runtime, path, MAX_KEY_BYTES);
      if (isOpenPgpKey(content)) {
        if (alg !== undefined) throw usageError("--key-alg is not for OpenPGP keys: they say it");
        // Alone first, so that a fault is told with its file.
        const { createOpenPgpKeyring } = await import("../formats/openpgp/mod.ts");
        await createOpenPgpKeyring(content);
        return { name: path, content };
      }
      const text = decodeUtf8(content);
      const key = await importKeyFile(text, path, alg);
      // in-toto signs with RSA by PSS only, and its key files do not say so.
      const isPss = args.has("layout") && alg === undefined && key.alg === "RS256";
      return isPss ? await importKeyFile(text, path, "PS256") : key;
    })
  ));
  const sources = found.flatMap((one) => "content" in one ? one : []);
  const keys = found.flatMap((one) => "content" in one ? [] : one);
  if (sources.length === 0) return { keys };
  const { createOpenPgpKeyring } = await import("../formats/openpgp/mod.ts");
  return { keys, openpgp: await createOpenPgpKeyring(sources) };
}

/** What firmware trusts and refuses. */
async function readEfiTrust(args: ParsedArgs, runtime: Runtime): Promise<EfiTrust | undefined> {
  const db = await readFiles(args.all("efi-db"), runtime);
  const dbx = await readFiles(args.all("efi-dbx"), runtime);
  if (db.length === 0) {
    if (dbx.length > 0) throw usageError("--efi-dbx needs --efi-db: it is no trust by itself");
    return undefined;
  }
  const { createEfiTrust } = await import("../formats/attached/mod.ts");
  try {
    return createEfiTrust({ db, dbx });
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    throw usageError(`--efi-db: ${error.message}`);
  }
}

/** Authorities of certificates in formats other than Sigstore's, and whom they may name. */
async function readCertificateTrust(
  args: ParsedArgs,
  runtime: Runtime,
): Promise<CertificateTrust | undefined> {
  const authorities = await readFiles(args.all("certificate-authority"), runtime);
  const timestampAuthorities = await readFiles(args.all("timestamp-authority"), runtime);
  const signingAuthorities = await readFiles(args.all("signing-authority"), runtime);
  const identities = args.all("certificate-subject");
  const pinned = args.all("certificate-sha256");
  if (authorities.length + signingAuthorities.length + pinned.length === 0) {
    if (timestampAuthorities.length + identities.length === 0) return undefined;
    throw usageError(
      "--certificate-subject and --timestamp-authority need --certificate-authority",
    );
  }
  const { createCertificateTrust } = await import("../formats/certificate_trust.ts");
  try {
    return createCertificateTrust({
      authorities,
      signingAuthorities,
      timestampAuthorities,
      pinned,
      identities,
      ...(args.has("unsafe-any-identity") ? { unsafelyAcceptAnyIdentity: true } : {}),
    });
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    throw usageError(
      identities.length === 0 && authorities.length + signingAuthorities.length > 0
        ? "--certificate-authority needs --certificate-subject: it issues certificates to many"
        : error.message,
    );
  }
}

/** Pinned roots of TUF repositories. */
async function readTufRoots(args: ParsedArgs, runtime: Runtime): Promise<TufRootTrust[]> {
  const paths = args.all("tuf-root");
  if (paths.length === 0) return [];
  const { importTufRoot } = await import("../formats/tuf_targets.ts");
  return await Promise.all(
    paths.map((path) =>
      inFile(
        "TUF root",
        path,
        async () => await importTufRoot(await readBounded(runtime, path, MAX_ROOT_BYTES), path),
      )
    ),
  );
}

async function readFiles(paths: readonly string[], runtime: Runtime): Promise<Uint8Array[]> {
  return await Promise.all(paths.map((path) => readBounded(runtime, path, MAX_CHAIN_BYTES)));
}

/** Key sets; one key must not have two rules. */
async function readKeySets(
  args: ParsedArgs,
  runtime: Runtime,
  keys: readonly TrustedKey[],
): Promise<KeySet[]> {
  const paths = args.all("key-set");
  if (paths.length === 0) return [];
  const { parseKeySet } = await import("../keys/key_set.ts");
  const { combineKeys } = await import("../keys/key_validity.ts");
  const sets = await Promise.all(
    paths.map((path) =>
      inFile(
        "key set",
        path,
        async () => await parseKeySet(await readBounded(runtime, path, MAX_KEY_BYTES)),
      )
    ),
  );
  try {
    combineKeys(keys, sets);
  } catch (error) {
    if (error instanceof TypeError) throw usageError(error.message);
    throw error;
  }
  return sets;
}

/** Reads the trusted roots that the command line names, and describes all that are believed. */
export async function readRoots(
  args: ParsedArgs,
  runtime: Runtime,
): Promise<{ trustedRoots: TrustedRoot[]; described: string[] }> {
  const described: string[] = [];
  const trustedRoots: TrustedRoot[] = [];
  const paths = args.all("trusted-root");
  if (paths.length > 0) {
    const { parseTrustedRoots } = await import("../sigstore/trusted_root.ts");
    for (const path of paths) {
      const roots = await inFile(
        "trusted root",
        path,
        async () => {
          const text = decodeUtf8(await readBounded(runtime, path, MAX_ROOT_BYTES));
          if (!text.includes("clienttrustconfig")) return parseTrustedRoots(text, { name: path });
          const { parseTrustConfig } = await import("../sigstore/sign/signing_config.ts");
          return [parseTrustConfig(text).trustedRoot];
        },
      );
      trustedRoots.push(...roots);
      described.push(`${printable(path)}${roots.length > 1 ? ` (${roots.length} roots)` : ""}`);
    }
  }
  if (!args.has("only-root")) {
    const { PUBLIC_GOOD_ROOT_DATE } = await import("../sigstore/roots/public_good.ts");
    described.push(`Sigstore public-good instance, snapshot of ${PUBLIC_GOOD_ROOT_DATE}`);
  }
  return { trustedRoots, described };
}
