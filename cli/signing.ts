import type { Envelope } from "../dsse/envelope.ts";
import { decodeUtf8, quote } from "../internal/json.ts";
import type { KeyAlgorithm } from "../keys/algorithm.ts";
import type { Signer } from "../keys/signer.ts";
import type { CertificateIdentity } from "../sigstore/identity.ts";
import type { IdentityToken } from "../sigstore/oidc/token.ts";
import type {
  ServiceOptions,
  SignedBundle,
  SigningContent,
  SigningStep,
} from "../sigstore/sign/options.ts";
import type { TrustedRoot } from "../sigstore/trusted_root.ts";
import { type ParsedArgs, usageError } from "./args.ts";
import { inFile } from "./in_file.ts";
import { readToken, requestOptions } from "./identity_token.ts";
import { refuseSharedStdin } from "./inputs.ts";
import { readBounded, type Runtime } from "./runtime.ts";
import { readServices } from "./signing_services.ts";
import { safeJson } from "./text.ts";

/** A signature that was made, and by whom; it has been verified. */
export interface Signed {
  /** Sigstore bundle or DSSE envelope: one line of JSON, without a newline. */
  readonly text: string;
  /** What `text` is. */
  readonly format: "sigstore-bundle" | "dsse-envelope";
  /** Who signed with a certificate. */
  readonly identity?: CertificateIdentity;
  /** Who signed with a key. */
  readonly keys: readonly UsedKey[];
  /** Verified times of signing. */
  readonly timestamps: SignedBundle["timestamps"];
  /** Where it was logged. */
  readonly logEntries: SignedBundle["logEntries"];
  /** Options of `verify` besides the signer: the roots and what the evidence lacks. */
  readonly evidence: readonly string[];
}

/** A key that signed. */
export interface UsedKey {
  /** Its file. */
  readonly path: string;
  /** Algorithm of the signature. */
  readonly alg: string;
  /** SHA-256 of its SubjectPublicKeyInfo, lowercase hex. */
  readonly fingerprint: string;
}

/** What signs, as a command line says. */
export interface Signing {
  /** In words, for what is told before it is done. */
  readonly how: string;
  /** Suffix of a file for what is signed. */
  readonly suffix: ".sigstore.json" | ".intoto.json";
  /** Signs a payload, or an artifact itself. */
  sign(content: SigningContent): Promise<Signed>;
  /** Adds signatures to an envelope, whose payload stays as it is. */
  addTo(envelope: Envelope): Promise<Signed>;
  /** The identity that keyless signing has; undefined of keys. */
  identityToken?(): Promise<IdentityToken>;
}

const MAX_KEY_BYTES = 1 << 20;

/** Options that mean nothing for a key. */
const KEYLESS_ONLY = [
  "identity-token-file",
  "device-flow",
  "oidc-issuer",
  "oidc-client-id",
  "if-possible",
];

/** Options that mean nothing without a key. */
const KEY_ONLY = ["keyid", "key-alg", "passphrase-file"];

/** Refuses options that contradict each other, before anything is read. */
export function checkSigningOptions(args: ParsedArgs): void {
  refuseSharedStdin(args);
  const withKey = args.has("key");
  const stray = (withKey ? KEYLESS_ONLY : KEY_ONLY).find((name) => args.has(name));
  if (stray !== undefined) {
    throw usageError(
      withKey ? `--${stray} and --key exclude each other` : `--${stray} needs --key`,
    );
  }
  if (args.has("trust-config")) {
    const other = ["signing-config", "trusted-root"].find((name) => args.has(name));
    if (other !== undefined) {
      throw usageError(`--trust-config and --${other} exclude each other: it has both`);
    }
  }
  for (const name of ["oidc-issuer", "oidc-client-id"]) {
    if (args.has(name) && !args.has("device-flow")) {
      throw usageError(`--${name} needs --device-flow`);
    }
  }
  if (args.has("device-flow") && args.has("identity-token-file")) {
    throw usageError("--device-flow and --identity-token-file exclude each other");
  }
  const keys = args.all("key");
  if (new Set(keys).size < keys.length) throw usageError("--key names a file twice");
  if (keys.length > 1) {
    const services = ["signing-config", "trust-config"].find((name) => args.has(name));
    if (services !== undefined) throw usageError(`--${services} is for one --key, not for several`);
    if (args.get("bundle-format") === "sigstore") {
      throw usageError(
        "--bundle-format sigstore is for one --key: such a bundle has one signature",
      );
    }
    if (args.has("keyid")) throw usageError("--keyid is for one --key, not for several");
  }
  if (args.get("bundle-format") === "dsse") {
    if (!withKey) throw usageError("--bundle-format dsse needs --key: it has no certificate");
    const services = ["signing-config", "trust-config"].find((name) => args.has(name));
    if (services !== undefined) {
      throw usageError(`--bundle-format dsse and --${services} exclude each other`);
    }
  }
  const seconds = args.get("timeout");
  if (seconds !== undefined && !/^[1-9]\d{0,3}$/.test(seconds)) {
    throw usageError(`--timeout is a whole number of seconds from 1 on, not ${quote(seconds)}`);
  }
}

/** Why a platform withholds an identity from this build; undefined if it does not. */
export async function withheld(args: ParsedArgs, runtime: Runtime): Promise<string | undefined> {
  if (!args.has("if-possible")) return undefined;
  // Whoever brings an identity has one.
  if (args.has("identity-token-file") || args.has("device-flow")) return undefined;
  const { signingPossible } = await import("../slsa/ci/signing_possible.ts");
  const answer = signingPossible(runtime.environment());
  return answer.possible ? undefined : answer.why;
}

/**
 * Reads what signs: the keys and configurations that a command line names. No service is
 * asked before something is signed.
 *
 * @throws {AttestationError} `usage`, `unreadable-file`, and what is wrong with a key, its
 * passphrase or a configuration.
 */
export async function readSigning(args: ParsedArgs, runtime: Runtime): Promise<Signing> {
  checkSigningOptions(args);
  return args.has("key") ? await withKeys(args, runtime) : await keyless(args, runtime);
}

interface KeyOfFile extends UsedKey {
  readonly signer: Signer;
}

async function withKeys(args: ParsedArgs, runtime: Runtime): Promise<Signing> {
  const keys: KeyOfFile[] = [];
  for (const path of args.all("key")) keys.push(await readKey(path, args, runtime));
  if (new Set(keys.map(({ fingerprint }) => fingerprint)).size < keys.length) {
    throw usageError("--key names one key twice");
  }
  const services = await readServices(args, runtime, false);
  const isEnvelope = keys.length > 1 || args.get("bundle-format") === "dsse";
  const used = keys.map(({ path, alg, fingerprint }) => ({ path, alg, fingerprint }));
  const signers = keys.map(({ signer }) => signer);
  const enveloped = (envelope: Envelope): Signed => ({
    text: safeJson(envelope),
    format: "dsse-envelope",
    keys: used,
    timestamps: [],
    logEntries: [],
    evidence: keys.length > 1 ? [`--threshold=${keys.length}`] : [],
  });
  return {
    how: keys.length === 1 ? "with a key" : `with ${keys.length} keys`,
    suffix: isEnvelope ? ".intoto.json" : ".sigstore.json",
    async sign(content): Promise<Signed> {
      if (isEnvelope) {
        if (!("payload" in content)) {
          throw usageError("An envelope has a payload: give --dsse with --payload-type");
        }
        const { createEnvelope } = await import("../dsse/sign.ts");
        return enveloped(await createEnvelope(content.payloadType, content.payload, signers));
      }
      const { signWithKey } = await import("../sigstore/sign/sign.ts");
      const bundle = await signWithKey(content, signers[0], {
        ...serviceOptions(args, runtime),
        ...services,
      });
      return { ...signedOf(bundle), keys: used, evidence: evidenceOf(args, bundle, undefined) };
    },
    async addTo(envelope): Promise<Signed> {
      const { signEnvelope } = await import("../dsse/sign.ts");
      return enveloped(await signEnvelope(envelope, signers));
    },
  };
}

async function readKey(path: string, args: ParsedArgs, runtime: Runtime): Promise<KeyOfFile> {
  const keyid = args.get("keyid");
  const alg = args.get("key-alg") as KeyAlgorithm | undefined;
  const options = {
    ...(keyid === undefined ? {} : { keyid }),
    ...(alg === undefined ? {} : { alg }),
  };
  const { importSigner } = await import("../keys/signer.ts");
  const { spkiFingerprint } = await import("../keys/key_id.ts");
  return await inFile("private key", path, async () => {
    const text = decodeUtf8(await readBounded(runtime, path, MAX_KEY_BYTES));
    const isEncrypted = /^-----BEGIN ENCRYPTED /m.test(text);
    const cosign = /^-----BEGIN ENCRYPTED (?:SIGSTORE|COSIGN) PRIVATE KEY-----/m.test(text);
    let passphrase: string | undefined;
    if (isEncrypted) {
      const { passphraseFor } = await import("./passphrase.ts");
      passphrase = await passphraseFor(args, runtime, { path, cosign });
    }
    const signer = await importSigner(text, {
      ...options,
      ...(passphrase === undefined ? {} : { passphrase }),
    });
    const fingerprint = await spkiFingerprint(await signer.publicKey());
    return { path, alg: signer.alg, fingerprint, signer };
  });
}

async function keyless(args: ParsedArgs, runtime: Runtime): Promise<Signing> {
  const { signingConfig, trustedRoots } = await readServices(args, runtime, true);
  if (signingConfig === undefined) throw new TypeError("There is no signing configuration");
  let token: Promise<IdentityToken> | undefined;
  const identityToken = () => token ??= readToken(args, runtime, signingConfig);
  return {
    how: "keyless",
    suffix: ".sigstore.json",
    identityToken,
    async sign(content): Promise<Signed> {
      const { signKeyless } = await import("../sigstore/sign/sign.ts");
      const bundle = await signKeyless(content, {
        ...serviceOptions(args, runtime),
        trustedRoots,
        signingConfig,
        identityToken: await identityToken(),
      });
      return { ...signedOf(bundle), keys: [], evidence: evidenceOf(args, bundle, trustedRoots) };
    },
    addTo(): Promise<Signed> {
      throw usageError("--envelope needs --key: an envelope has no place for a certificate");
    },
  };
}

function serviceOptions(args: ParsedArgs, runtime: Runtime): ServiceOptions {
  return {
    ...requestOptions(args, runtime),
    ...(runtime.now === undefined ? {} : { now: runtime.now }),
    ...(runtime.isTerminal("stderr")
      ? { onStep: (step) => runtime.write("stderr", `${describeStep(step)}\n`) }
      : {}),
  };
}

const STEPS: Readonly<Record<SigningStep["step"], string>> = {
  certificate: "asking for a certificate",
  sign: "signing",
  timestamp: "asking for a timestamp",
  log: "writing to the transparency log",
  verify: "verifying what was produced",
};

function describeStep({ step, url }: SigningStep): string {
  return url === undefined ? STEPS[step] : `${STEPS[step]}: ${quote(url)}`;
}

function signedOf(bundle: SignedBundle): Omit<Signed, "keys" | "evidence"> {
  const { text, identity, timestamps, logEntries } = bundle;
  return {
    text,
    format: "sigstore-bundle",
    ...(identity === undefined ? {} : { identity }),
    timestamps,
    logEntries,
  };
}

/** How `verify` is told of the instance, and of evidence that it has not. */
function evidenceOf(
  args: ParsedArgs,
  bundle: SignedBundle,
  roots: readonly TrustedRoot[] | undefined,
): string[] {
  const options = [...args.all("trusted-root"), ...args.all("trust-config")]
    .map((path) => `--trusted-root=${path}`);
  if (options.length > 0 && roots !== undefined) options.push("--only-root");
  if (roots === undefined) return bundle.logEntries.length === 0 ? [] : options;
  if (bundle.logEntries.length === 0) options.push("--tlog-threshold=0");
  if (roots.every(({ ctLogs }) => ctLogs.length === 0)) options.push("--sct-threshold=0");
  return options;
}
