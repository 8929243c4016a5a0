import { AttestationError } from "../errors.ts";
import { isObject, printable, quote } from "../internal/json.ts";
import { parseTimestamp } from "../internal/timestamp.ts";
import type { KeyAlgorithm } from "../keys/algorithm.ts";
import { jwkThumbprint, opensshFingerprint } from "../keys/key_id.ts";
import { type GeneratedSigner, generateSigner } from "../keys/signer.ts";
import { parseArgs, type ParsedArgs, usageError } from "./args.ts";
import { splitPath } from "./artifacts.ts";
import { KEYGEN_OPTIONS } from "./keygen_options.ts";
import { addKey, changeKeySet, revokeKey } from "./key_set.ts";
import { newPassphrase } from "./passphrase.ts";
import type { NewFile, Runtime } from "./runtime.ts";
import { table } from "./text.ts";

const SET_ONLY = ["name", "successor-of", "valid-from", "valid-until"];
const REVOKE_ONLY = ["reason", "revoked-at", "note"];
const KEY_ONLY = [
  "alg",
  "bits",
  "out",
  "format",
  "keyid",
  "passphrase-file",
  "no-passphrase",
  ...SET_ONLY,
];

/** `keygen`: a new key pair, in files and in a key set; or the revocation of a key. */
export async function runKeygen(args: readonly string[], runtime: Runtime): Promise<number> {
  const parsed = parseArgs(args, KEYGEN_OPTIONS);
  if (parsed.operands.length > 0) {
    throw usageError(`keygen takes no argument such as ${quote(parsed.operands[0])}; see --out`);
  }
  if (parsed.has("revoke")) await revoke(parsed, runtime);
  else await generate(parsed, runtime);
  return 0;
}

async function generate(args: ParsedArgs, runtime: Runtime): Promise<void> {
  checkOptions(args);
  const now = runtime.now?.() ?? new Date();
  const validFrom = readTime(args, "valid-from");
  const validUntil = readTime(args, "valid-until");
  const prefix = args.get("out") ?? "attest";
  const files = { private: `${prefix}.key`, public: `${prefix}.pub` };
  const force = args.has("force");
  // Nobody should be asked for a passphrase in vain; when it is written, it is looked at again.
  for (const path of force ? [] : Object.values(files)) await refuseExisting(path, runtime);
  const passphrase = await newPassphrase(args, runtime, files.private);
  const key = await make(args, passphrase);
  const { privateKey, publicKey } = textsOf(key, args);
  const wanted: NewFile[] = [
    { path: files.private, text: privateKey, secret: true, force },
    { path: files.public, text: publicKey, force },
  ];
  const set = args.get("key-set");
  const name = args.get("name") ?? splitPath(prefix).name;
  let previous: string | undefined;
  if (set === undefined) await runtime.writeAllNew(wanted);
  else {
    const keyid = args.get("keyid");
    const successorOf = args.get("successor-of");
    const entry = {
      name,
      publicKey: key.publicKey,
      alg: key.trustedKey.alg,
      ...(keyid === undefined ? {} : { keyid }),
      ...(validFrom === undefined ? {} : { validFrom }),
      ...(validUntil === undefined ? {} : { validUntil }),
    };
    await changeKeySet(runtime, set, {
      mayBeNew: successorOf === undefined,
      change: (document) => {
        previous = addKey(document, entry, { successorOf, now });
      },
      alongWith: wanted,
    });
  }
  tell(args, runtime, { key, files, encrypted: passphrase !== undefined, set, name, previous });
}

function checkOptions(args: ParsedArgs): void {
  const stray = REVOKE_ONLY.find((name) => args.has(name));
  if (stray !== undefined) throw usageError(`--${stray} needs --revoke`);
  if (!args.has("key-set")) {
    const set = SET_ONLY.find((name) => args.has(name));
    if (set !== undefined) throw usageError(`--${set} needs --key-set`);
    if (args.has("keyid") && args.get("format") !== "jwk") {
      throw usageError("--keyid needs --format jwk or --key-set: PEM has no place for it");
    }
  }
  if (args.get("format") === "jwk" && !args.has("no-passphrase")) {
    throw usageError("--format jwk needs --no-passphrase: a JWK is not encrypted");
  }
  const isRsa = /^[RP]S\d/.test(args.get("alg") ?? "");
  const bits = args.get("bits");
  if (bits === undefined) return;
  if (!isRsa) throw usageError("--bits is for RSA: give --alg RS256 or PS256");
  if (!/^\d{4}$/.test(bits) || Number(bits) < 2048 || Number(bits) > 8192 || Number(bits) % 8) {
    throw usageError(`--bits is a multiple of 8 from 2048 to 8192, not ${quote(bits)}`);
  }
}

async function refuseExisting(path: string, runtime: Runtime): Promise<void> {
  let info;
  try {
    info = await runtime.stat(path);
  } catch (cause) {
    throw new AttestationError("unwritable-file", `Cannot look at ${quote(path)}`, { cause });
  }
  if (info === undefined) return;
  throw new AttestationError(
    "file-exists",
    `Cannot write ${quote(path)}: it exists; --force replaces it, and what it holds is lost`,
  );
}

async function make(
  args: ParsedArgs,
  passphrase: string | undefined,
): Promise<GeneratedSigner> {
  const alg = (args.get("alg") ?? "Ed25519") as KeyAlgorithm;
  const bits = args.get("bits");
  const keyid = args.get("keyid");
  return await generateSigner(alg, {
    ...(keyid === undefined ? {} : { keyid }),
    ...(bits === undefined ? {} : { modulusLength: Number(bits) }),
    ...(passphrase === undefined ? {} : { passphrase }),
  });
}

function textsOf(
  { privateKey, publicKey, privateJwk, publicJwk, trustedKey }: GeneratedSigner,
  args: ParsedArgs,
): { privateKey: string; publicKey: string } {
  if (args.get("format") !== "jwk") return { privateKey, publicKey };
  const keyid = args.get("keyid");
  const about = { alg: trustedKey.alg, ...(keyid === undefined ? {} : { kid: keyid }) };
  const text = (jwk: unknown) => `${JSON.stringify(isObject(jwk) ? { ...jwk, ...about } : jwk)}\n`;
  return { privateKey: text(privateJwk), publicKey: text(publicJwk) };
}

interface Done {
  key: GeneratedSigner;
  files: { private: string; public: string };
  encrypted: boolean;
  set: string | undefined;
  name: string;
  previous: string | undefined;
}

function tell(
  args: ParsedArgs,
  runtime: Runtime,
  { key, files, encrypted, set, name, previous }: Done,
): void {
  const { alg, fingerprint } = key.trustedKey;
  const rows: [string, string][] = [
    ["private key", `${printable(files.private)} (${encrypted ? "encrypted" : "NOT ENCRYPTED"})`],
    ["public key", printable(files.public)],
    ["algorithm", alg],
    ["fingerprint", `sha256:${fingerprint}`],
    ["JWK thumbprint", jwkThumbprint(key.trustedKey)],
  ];
  if (!alg.startsWith("ML-DSA")) rows.push(["OpenSSH", opensshFingerprint(key.trustedKey)]);
  if (set !== undefined) {
    rows.push(["key set", `${printable(set)}, as ${quote(name)}`]);
    if (previous !== undefined) rows.push(["took the place of", previous]);
  }
  runtime.write("stdout", table(rows, ""));
  const option = alg === usualAlgorithm(alg) || args.get("format") === "jwk"
    ? ""
    : ` --key-alg ${alg}`;
  const trust = set === undefined
    ? `--key ${word(files.public)}${option}`
    : `--key-set ${word(set)}`;
  runtime.write(
    "stderr",
    `next: ${runtime.program} sign FILE --key ${word(files.private)}${option}\n` +
      `      ${runtime.program} verify FILE ${trust}\n`,
  );
}

/** The algorithm that a key in PEM is taken for when nobody says it. */
function usualAlgorithm(alg: string): string {
  const curve = /^ECDSA-P(\d+)/.exec(alg)?.[1];
  if (curve !== undefined) return curve === "521" ? "ES512" : `ES${curve}`;
  return /^[RP]S/.test(alg) ? "RS256" : alg;
}

/** A word of a command that can be pasted into a shell. */
function word(text: string): string {
  const plain = printable(text);
  return /^[\w@%+=:,./-]+$/.test(plain) ? plain : `'${plain.replaceAll("'", `'\\''`)}'`;
}

async function revoke(args: ParsedArgs, runtime: Runtime): Promise<void> {
  const stray = KEY_ONLY.find((name) => args.has(name));
  if (stray !== undefined) throw usageError(`--${stray} and --revoke exclude each other`);
  const set = args.get("key-set");
  if (set === undefined) throw usageError("--revoke needs --key-set: where the key is");
  const reason = args.get("reason");
  if (reason === undefined) throw usageError("--revoke needs --reason");
  const name = args.get("revoke") ?? "";
  const at = readTime(args, "revoked-at") ?? (runtime.now?.() ?? new Date()).toISOString();
  const note = args.get("note");
  const revoked = { at, reason, ...(note === undefined ? {} : { note }) };
  let successor: string | undefined;
  await changeKeySet(runtime, set, {
    mayBeNew: false,
    change: (document) => {
      successor = revokeKey(document, name, { revoked, force: args.has("force") });
    },
  });
  runtime.write(
    "stdout",
    table([
      ["revoked", `${quote(name)} of ${printable(set)}`],
      ["from", at],
      ["reason", reason],
      ["successor", successor === undefined ? "none" : quote(successor)],
    ], ""),
  );
  if (successor === undefined) {
    runtime.write(
      "stderr",
      `next: ${runtime.program} keygen --key-set ${word(set)} --successor-of ${word(name)} ` +
        "--out PREFIX\n",
    );
  }
}

function readTime(args: ParsedArgs, name: string): string | undefined {
  const text = args.get(name);
  if (text === undefined) return undefined;
  if (parseTimestamp(text) === undefined) {
    throw usageError(
      `--${name} is a time in UTC such as 2026-01-01T00:00:00Z, not ${quote(text)}`,
    );
  }
  return text;
}
