/**
 * The matrix of `keyed.sh`: algorithms × forms of keys and signatures × tools, both ways. A
 * cell is `ok` only if the same key or signature arrives, and what was changed is refused:
 * another passphrase, other data.
 *
 *     keyed.ts SCRATCH        environment: PY (python with the libraries, optional)
 */

import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { createEnvelope, verifyEnvelope } from "../../dsse/mod.ts";
import { isAttestationError } from "../../errors.ts";
import {
  encryptPrivateKey,
  type GeneratedSigner,
  generateSigner,
  importSigner,
  importTrustedKey,
  type KeyAlgorithm,
  type Signer,
  type TrustedKey,
} from "../../keys/mod.ts";
import { decodeBase64 } from "../../internal/base64.ts";
import { signWithKey } from "../../sigstore/sign/mod.ts";
import { run } from "../runtimes/tools.ts";

const ALGORITHMS: readonly KeyAlgorithm[] = [
  "Ed25519",
  "ES256",
  "ES384",
  "ES512",
  "ECDSA-P384-SHA256",
  "RS256",
  "RS512",
  "PS256",
  "PS512",
  "ML-DSA-44",
  "ML-DSA-65",
  "ML-DSA-87",
];

const FORMS = [
  "PKCS#8",
  "encrypted",
  "encrypted, GCM",
  "SPKI",
  "JWK",
  "cosign file",
  "raw signature",
  "DSSE envelope",
] as const;
type Form = typeof FORMS[number];

const PASSPHRASE = "correct horse battery staple";
const WRONG = "correct horse battery stable";
const STATEMENT_TYPE = "application/vnd.in-toto+json";
const PREDICATE_TYPE = "https://example.com/interop/v1";

/** What cannot be asked of a tool; printed, and no failure. */
class NotApplicable extends Error {}

/** One direction of one cell: done, or throws. */
type Task = (alg: KeyAlgorithm) => Promise<void>;

/** What a tool is asked: from us to it, and from it to us; a text says why it is not. */
interface Question {
  to: Task | string;
  from: Task | string;
}

interface Peer {
  name: string;
  version: string;
  /** Why a tool is not asked about an algorithm at all. */
  lacks(alg: KeyAlgorithm, form: Form): string | undefined;
  questions: Partial<Record<Form, Question>>;
}

const scratch = process.argv[2];
const PY = process.env.PY ?? "";
let files = 0;

function fresh(name: string): string {
  const folder = join(scratch, String(++files));
  mkdirSync(folder);
  return join(folder, name);
}

function text(path: string): string {
  return readFileSync(path, "utf8");
}

function bytes(path: string): Uint8Array {
  return new Uint8Array(readFileSync(path));
}

function file(name: string, content: string | Uint8Array): string {
  const path = fresh(name);
  writeFileSync(path, content);
  return path;
}

function must(command: string, args: string[], env: object = {}): string {
  const { code, out } = run(command, args, { env });
  if (code !== 0) throw new Error(`${command} ${args[0]}: ${out.trim().slice(-300)}`);
  return out;
}

/** A command that must refuse. */
function mustNot(command: string, args: string[], env: object = {}): void {
  const { code } = run(command, args, { env });
  if (code === 127) throw new Error(`${command} cannot be started`);
  if (code === 0) throw new Error(`${command} ${args[0]} accepts what was changed`);
}

function check(condition: boolean, what: string): void {
  if (!condition) throw new Error(what);
}

const keys = new Map<KeyAlgorithm, GeneratedSigner & { privateFile: string; publicFile: string }>();

/** Our key of an algorithm. */
async function ours(
  alg: KeyAlgorithm,
): Promise<GeneratedSigner & { privateFile: string; publicFile: string }> {
  let made = keys.get(alg);
  if (made === undefined) {
    const generated = await generateSigner(alg, /^[RP]S/.test(alg) ? { modulusLength: 2048 } : {});
    made = {
      ...generated,
      privateFile: file("ours.key", generated.privateKey),
      publicFile: file("ours.pub", generated.publicKey),
    };
    keys.set(alg, made);
  }
  return made;
}

/** The public key in a file is this one. */
async function same(path: string, alg: KeyAlgorithm, key: { spki: Uint8Array }): Promise<void> {
  const found = await importTrustedKey(text(path), { alg });
  const { fingerprint } = await importTrustedKey(key.spki, { alg });
  check(found.fingerprint === fingerprint, "another public key");
}

async function sameSigner(signer: Signer, alg: KeyAlgorithm, publicFile: string): Promise<void> {
  check(signer.alg === alg, `read as ${signer.alg}`);
  await same(publicFile, alg, { spki: await signer.publicKey() });
}

async function refuses(reason: string, task: () => Promise<unknown>): Promise<void> {
  try {
    await task();
  } catch (error) {
    if (isAttestationError(error) && error.reason === reason) return;
    throw error;
  }
  throw new Error(`accepted, wanted ${reason}`);
}

async function opensEncrypted(path: string, alg: KeyAlgorithm, publicFile: string): Promise<void> {
  const source = text(path);
  await sameSigner(await importSigner(source, { alg, passphrase: PASSPHRASE }), alg, publicFile);
  await refuses("wrong-passphrase", () => importSigner(source, { alg, passphrase: WRONG }));
  await refuses("missing-passphrase", () => importSigner(source, { alg }));
}

const DATA = new TextEncoder().encode("interop\n");
const OTHER = new TextEncoder().encode("interoq\n");

async function acceptsRaw(key: TrustedKey, signature: Uint8Array): Promise<void> {
  check(await key.verify(DATA, signature), "we refuse the signature");
  check(!await key.verify(OTHER, signature), "we accept other data");
}

async function statement(): Promise<Uint8Array> {
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", DATA));
  const sha256 = [...digest].map((octet) => octet.toString(16).padStart(2, "0")).join("");
  return new TextEncoder().encode(JSON.stringify({
    _type: "https://in-toto.io/Statement/v1",
    subject: [{ name: "data", digest: { sha256 } }],
    predicateType: PREDICATE_TYPE,
    predicate: { made: "for interop" },
  }));
}

async function acceptsEnvelope(envelope: string | object, key: TrustedKey): Promise<void> {
  const source = typeof envelope === "string" ? envelope : JSON.stringify(envelope);
  const result = await verifyEnvelope(source, { keys: [key] });
  if (!result.ok) throw result.error;
  const other = await generateSigner(key.alg === "Ed25519" ? "ES256" : "Ed25519");
  check(
    !(await verifyEnvelope(source, { keys: [other.trustedKey] })).ok,
    "accepted by another key",
  );
  const { payload } = JSON.parse(source) as { payload: string };
  const changed = source.replace(payload, payload.replace(/^.../, "bad"));
  check(!(await verifyEnvelope(changed, { keys: [key] })).ok, "another payload is accepted");
}

/** Tells the first line that a command prints, or undefined if it is not there. */
function versionOf(command: string, args: string[], pattern: RegExp): string | undefined {
  const { code, out } = run(command, args);
  return code === 0 ? pattern.exec(out)?.[1] : undefined;
}

const isMlDsa = (alg: KeyAlgorithm): boolean => alg.startsWith("ML-DSA");

function openssl(): Peer | string {
  const version = versionOf("openssl", ["version"], /^\S+ (\S+)/);
  if (version === undefined) return "openssl is not installed";
  const hasMlDsa = /ML-DSA/.test(run("openssl", ["list", "-signature-algorithms"]).out);
  const generate: Readonly<Record<string, string[]>> = {
    Ed25519: ["ed25519"],
    ES256: ["EC", "-pkeyopt", "ec_paramgen_curve:P-256"],
    ES384: ["EC", "-pkeyopt", "ec_paramgen_curve:P-384"],
    ES512: ["EC", "-pkeyopt", "ec_paramgen_curve:P-521"],
    "ECDSA-P384-SHA256": ["EC", "-pkeyopt", "ec_paramgen_curve:P-384"],
  };
  const make = (alg: KeyAlgorithm, ...options: string[]): { key: string; pub: string } => {
    const key = fresh("openssl.key");
    const pub = join(key, "..", "openssl.pub");
    const kind = generate[alg] ??
      (isMlDsa(alg) ? [alg] : ["RSA", "-pkeyopt", "rsa_keygen_bits:2048"]);
    const plain = join(key, "..", "plain.key");
    must("openssl", ["genpkey", "-algorithm", ...kind, "-out", plain]);
    must("openssl", ["pkey", "-in", plain, "-pubout", "-out", pub]);
    const how = options.length === 0 ? ["-nocrypt"] : options;
    must("openssl", ["pkcs8", "-topk8", "-in", plain, "-out", key, ...how]);
    return { key, pub };
  };
  const hashed = (alg: KeyAlgorithm): string[] => {
    if (alg === "Ed25519" || isMlDsa(alg)) return [];
    const pss = ["rsa_padding_mode:pss", "rsa_pss_saltlen:digest"];
    const padding = alg.startsWith("PS") ? pss.flatMap((option) => ["-pkeyopt", option]) : [];
    return ["-digest", `sha${alg.slice(-3)}`, ...padding];
  };
  const raw = (alg: KeyAlgorithm, ...args: string[]): string[] => [
    "pkeyutl",
    ...args,
    "-rawin",
    ...hashed(alg),
  ];
  const readEncrypted = async (alg: KeyAlgorithm): Promise<void> => {
    const { privateKey, trustedKey } = await ours(alg);
    const key = file("ours.key", await encryptPrivateKey(privateKey, PASSPHRASE));
    const pub = fresh("ours.pub");
    const args = ["pkey", "-in", key, "-pubout", "-out", pub];
    must("openssl", [...args, "-passin", `pass:${PASSPHRASE}`]);
    await same(pub, alg, trustedKey);
    mustNot("openssl", [...args, "-passin", `pass:${WRONG}`]);
  };
  return {
    name: "openssl",
    version,
    lacks: (alg) => isMlDsa(alg) && !hasMlDsa ? `openssl ${version} has no ML-DSA` : undefined,
    questions: {
      "PKCS#8": {
        to: async (alg) => {
          const { privateFile, trustedKey } = await ours(alg);
          const pub = fresh("out.pub");
          must("openssl", ["pkey", "-in", privateFile, "-check", "-pubout", "-out", pub]);
          await same(pub, alg, trustedKey);
        },
        from: async (alg) => {
          const { key, pub } = make(alg);
          await sameSigner(await importSigner(text(key), { alg }), alg, pub);
        },
      },
      encrypted: {
        to: readEncrypted,
        from: async (alg) => {
          const passout = ["-passout", `pass:${PASSPHRASE}`];
          const made = make(alg, ...passout);
          await opensEncrypted(made.key, alg, made.pub);
          // How it is encrypted has nothing to do with what.
          if (alg !== "Ed25519") return;
          for (const cipher of ["aes-128-cbc", "aes-256-cbc"]) {
            for (const prf of ["hmacWithSHA1", "hmacWithSHA384", "hmacWithSHA512"]) {
              const { key, pub } = make(alg, "-v2", cipher, "-v2prf", prf, ...passout);
              await opensEncrypted(key, alg, pub);
            }
          }
        },
      },
      "encrypted, GCM": {
        to: "openssl takes no AEAD cipher for PBES2",
        from: "openssl takes no AEAD cipher for PBES2",
      },
      SPKI: {
        to: async (alg) => {
          const { publicFile, trustedKey } = await ours(alg);
          const pub = fresh("out.pub");
          must("openssl", ["pkey", "-pubin", "-in", publicFile, "-pubout", "-out", pub]);
          await same(pub, alg, trustedKey);
        },
        from: async (alg) => {
          const { key, pub } = make(alg);
          const trusted = await importTrustedKey(text(pub), { alg });
          await acceptsRaw(trusted, await (await importSigner(text(key), { alg })).sign(DATA));
        },
      },
      "raw signature": {
        to: async (alg) => {
          const { signer, publicFile } = await ours(alg);
          const sig = file("sig", await signer.sign(DATA));
          const verify = (data: Uint8Array): string[] =>
            raw(
              alg,
              ...["-verify", "-pubin", "-inkey", publicFile, "-sigfile", sig],
              ...["-in", file("data", data)],
            );
          must("openssl", verify(DATA));
          mustNot("openssl", verify(OTHER));
        },
        from: async (alg) => {
          const { key, pub } = make(alg);
          const sig = fresh("sig");
          const args = ["-sign", "-inkey", key, "-in", file("data", DATA), "-out", sig];
          must("openssl", raw(alg, ...args));
          await acceptsRaw(await importTrustedKey(text(pub), { alg }), bytes(sig));
        },
      },
    },
  };
}

function python(...args: string[]): [string, string[]] {
  return [PY, ["tests/interop/keyed_peer.py", ...args]];
}

function pythonVersion(packages: string): string | undefined {
  if (PY === "") return undefined;
  const script = `from importlib.metadata import version
print(", ".join(f"{name} {version(name)}" for name in "${packages}".split()))`;
  return versionOf(PY, ["-c", script], /^(.+)$/m);
}

function securesystemslib(): Peer | string {
  const version = pythonVersion("securesystemslib");
  if (version === undefined) return "python has no securesystemslib: set PY, or let keyed.sh do it";
  const ask = (...args: string[]): string => must(...python("sslib", ...args));
  const make = (alg: KeyAlgorithm): { key: string; pub: string } => {
    const key = fresh("sslib.key");
    const pub = join(key, "..", "sslib.pub");
    ask("make", alg, key, pub);
    return { key, pub };
  };
  const plainOnly = "it reads and writes keys without a passphrase only";
  return {
    name: "securesystemslib",
    version: version.replace("securesystemslib ", ""),
    lacks: (alg) =>
      isMlDsa(alg)
        ? "it signs ML-DSA over a digest of its own (TAP 21), not the data"
        : alg.startsWith("ECDSA")
        ? "it knows P-384 with SHA-384 only"
        : undefined,
    questions: {
      "PKCS#8": {
        to: async (alg) => {
          const { privateFile, publicFile, trustedKey } = await ours(alg);
          const pub = fresh("out.pub");
          ask("read", alg, privateFile, publicFile, pub);
          await same(pub, alg, trustedKey);
        },
        from: async (alg) => {
          const { key, pub } = make(alg);
          await sameSigner(await importSigner(text(key), { alg }), alg, pub);
        },
      },
      encrypted: { to: plainOnly, from: plainOnly },
      "encrypted, GCM": { to: plainOnly, from: plainOnly },
      SPKI: {
        to: async (alg) => {
          const { publicFile, trustedKey } = await ours(alg);
          const pub = fresh("out.pub");
          ask("read-public", alg, publicFile, pub);
          await same(pub, alg, trustedKey);
        },
        from: async (alg) => {
          const { key, pub } = make(alg);
          const trusted = await importTrustedKey(text(pub), { alg });
          await acceptsRaw(trusted, await (await importSigner(text(key), { alg })).sign(DATA));
        },
      },
      "raw signature": {
        to: async (alg) => {
          const { signer, publicFile } = await ours(alg);
          const sig = file("sig", await signer.sign(DATA));
          ask("verify", alg, publicFile, file("data", DATA), sig);
          mustNot(...python("sslib", "verify", alg, publicFile, file("data", OTHER), sig));
        },
        from: async (alg) => {
          const { key, pub } = make(alg);
          const sig = fresh("sig");
          ask("sign", alg, key, pub, file("data", DATA), sig);
          await acceptsRaw(await importTrustedKey(text(pub), { alg }), bytes(sig));
        },
      },
      "DSSE envelope": {
        to: async (alg) => {
          const { signer, publicFile } = await ours(alg);
          const envelope = await createEnvelope(STATEMENT_TYPE, await statement(), signer);
          ask("dsse-verify", alg, publicFile, file("env.json", JSON.stringify(envelope)));
          const other = { ...envelope, payloadType: "text/plain" };
          const changed = file("env.json", JSON.stringify(other));
          mustNot(...python("sslib", "dsse-verify", alg, publicFile, changed));
        },
        from: async (alg) => {
          const { key, pub } = make(alg);
          const out = fresh("env.json");
          const payload = file("payload", await statement());
          ask("dsse-sign", alg, key, pub, payload, STATEMENT_TYPE, out);
          await acceptsEnvelope(text(out), await importTrustedKey(text(pub), { alg }));
        },
      },
    },
  };
}

/** The signed part of a bundle. */
interface CosignBundle {
  messageSignature?: { signature: string };
  dsseEnvelope?: object;
}

function cosign(): Peer | string {
  const version = versionOf("cosign", ["version"], /GitVersion:\s+(\S+)/);
  if (version === undefined) return "cosign is not installed";
  const env = { COSIGN_PASSWORD: PASSPHRASE };
  const ask = (...args: string[]): string => must("cosign", args, env);
  const config = fresh("none.json");
  // It prints a complaint that it cannot fetch roots, which it does not need.
  ask("signing-config", "create", "--out", config);

  const imported = new Map<string, { key: string; pub: string }>();
  const importKey = async (alg: KeyAlgorithm): Promise<{ key: string; pub: string }> => {
    const known = imported.get(alg);
    if (known !== undefined) return known;
    const prefix = fresh("cosign");
    ask("import-key-pair", "--key", (await ours(alg)).privateFile, "-o", prefix, "-y");
    const made = { key: `${prefix}.key`, pub: `${prefix}.pub` };
    imported.set(alg, made);
    return made;
  };
  const signBlob = async (alg: KeyAlgorithm, data: string): Promise<string> => {
    const bundle = fresh("bundle.json");
    const { key } = await importKey(alg);
    ask("sign-blob", "--key", key, "--signing-config", config, "--bundle", bundle, "-y", data);
    return bundle;
  };
  const attest = async (alg: KeyAlgorithm, data: string): Promise<string> => {
    const bundle = fresh("bundle.json");
    const { key } = await importKey(alg);
    const predicate = file("predicate.json", "{}");
    const what = ["--predicate", predicate, "--type", PREDICATE_TYPE];
    const where = ["--signing-config", config, "--bundle", bundle, "-y"];
    ask("attest-blob", "--key", key, ...what, ...where, data);
    return bundle;
  };
  const verify = (command: string, pub: string, bundle: string, data: string): string[] => {
    const type = command === "verify-blob-attestation" ? ["--type", PREDICATE_TYPE] : [];
    const how = ["--key", pub, "--insecure-ignore-tlog", "--bundle", bundle];
    return [command, ...how, ...type, data];
  };
  /** Ours must be accepted; it may be refused only where cosign refuses its own as well. */
  const accepts = async (
    alg: KeyAlgorithm,
    command: string,
    bundle: string,
    own: () => Promise<string>,
  ): Promise<void> => {
    const { publicFile } = await ours(alg);
    const data = file("data", DATA);
    const found = run("cosign", verify(command, publicFile, bundle, data), { env });
    if (found.code !== 0) {
      const control = run("cosign", verify(command, publicFile, await own(), data), { env });
      if (control.code === 0) throw new Error(found.out.trim().slice(-300));
      throw new NotApplicable(`cosign ${command} refuses what cosign itself signs with ${alg}`);
    }
    mustNot("cosign", verify(command, publicFile, bundle, file("data", OTHER)), env);
  };
  /** What cosign signs must be accepted, unless it is refused by cosign too. */
  const fromCosign = async (
    alg: KeyAlgorithm,
    command: string,
    bundle: string,
    accept: (bundle: CosignBundle, key: TrustedKey) => Promise<void>,
  ): Promise<void> => {
    if (alg.startsWith("ECDSA")) throw new NotApplicable("cosign signs P-384 with SHA-384");
    const { publicFile, trustedKey } = await ours(alg);
    try {
      await accept(JSON.parse(text(bundle)), trustedKey);
    } catch (error) {
      const data = file("data", DATA);
      const control = run("cosign", verify(command, publicFile, bundle, data), { env });
      if (control.code === 0) throw error;
      throw new NotApplicable(`cosign ${command} refuses what cosign itself signs with ${alg}`);
    }
  };
  const noImport = "it reads no encrypted PKCS#8, and writes its own format only";
  return {
    name: "cosign",
    version,
    lacks: (alg, form) => {
      if (isMlDsa(alg)) return "cosign has no ML-DSA keys";
      const signs = form === "raw signature" || form === "DSSE envelope";
      if (signs && /^PS|512$/.test(alg) && alg !== "ES512") {
        return "cosign signs RSA with PKCS #1 v1.5 and SHA-256 only";
      }
      return undefined;
    },
    questions: {
      "PKCS#8": {
        to: async (alg) =>
          await same((await importKey(alg)).pub, alg, (await ours(alg)).trustedKey),
        from: "cosign writes its own format only",
      },
      encrypted: { to: noImport, from: noImport },
      "encrypted, GCM": { to: noImport, from: noImport },
      SPKI: {
        to: async (alg) => {
          const { publicFile, trustedKey } = await ours(alg);
          const pub = fresh("out.pub");
          const out = ask("public-key", "--key", (await importKey(alg)).key, "--outfile", pub);
          check(existsSync(pub), out);
          await same(pub, alg, trustedKey);
          await same(publicFile, alg, trustedKey);
        },
        from: async (alg) => {
          await importTrustedKey(text((await importKey(alg)).pub), { alg });
        },
      },
      "cosign file": {
        to: "we read this format and write PKCS#8",
        from: async (alg) => {
          const { key, pub } = await importKey(alg);
          await opensEncrypted(key, alg, pub);
          if (alg !== "ES256") return;
          const prefix = fresh("generated");
          ask("generate-key-pair", "--output-key-prefix", prefix);
          await opensEncrypted(`${prefix}.key`, alg, `${prefix}.pub`);
        },
      },
      "raw signature": {
        to: async (alg) => {
          const { signer } = await ours(alg);
          const { text } = await signWithKey({ artifact: DATA }, signer);
          const own = () => signBlob(alg, file("data", DATA));
          await accepts(alg, "verify-blob", file("bundle.json", text), own);
        },
        from: async (alg) => {
          const bundle = await signBlob(alg, file("data", DATA));
          await fromCosign(
            alg,
            "verify-blob",
            bundle,
            ({ messageSignature }, key) =>
              acceptsRaw(key, decodeBase64(messageSignature?.signature ?? "")),
          );
        },
      },
      "DSSE envelope": {
        to: async (alg) => {
          const { signer } = await ours(alg);
          const content = { payloadType: STATEMENT_TYPE, payload: await statement() };
          const { text } = await signWithKey(content, signer);
          const own = () => attest(alg, file("data", DATA));
          await accepts(alg, "verify-blob-attestation", file("bundle.json", text), own);
        },
        from: async (alg) => {
          const bundle = await attest(alg, file("data", DATA));
          await fromCosign(
            alg,
            "verify-blob-attestation",
            bundle,
            ({ dsseEnvelope }, key) => acceptsEnvelope(dsseEnvelope ?? {}, key),
          );
        },
      },
    },
  };
}

/** What the three tools lack, from libraries that have it. */
function libraries(): Peer | string {
  const version = pythonVersion("cryptography jwcrypto pycryptodome");
  if (version === undefined) {
    return "python lacks cryptography, jwcrypto or pycryptodome: set PY, or let keyed.sh do it";
  }
  const ask = (...args: string[]): string => must(...python(...args));
  const made = (...args: string[]): { key: string; pub: string } => {
    const key = fresh("python.key");
    const pub = join(key, "..", "python.pub");
    const [library, action, alg, ...rest] = args;
    ask(library, action, alg, key, pub, ...rest);
    return { key, pub };
  };
  const encrypted = async (
    alg: KeyAlgorithm,
    cipher: "AES-256-CBC" | "AES-256-GCM",
    read: (key: string, pub: string, passphrase: string) => string[],
  ): Promise<void> => {
    const { privateKey, trustedKey } = await ours(alg);
    const key = file("ours.key", await encryptPrivateKey(privateKey, PASSPHRASE, { cipher }));
    const pub = fresh("out.pub");
    ask(...read(key, pub, PASSPHRASE));
    await same(pub, alg, trustedKey);
    mustNot(...python(...read(key, pub, WRONG)));
  };
  return {
    name: "Python libraries",
    version,
    lacks: (alg, form) =>
      isMlDsa(alg) && (form === "JWK" || form === "encrypted, GCM")
        ? "jwcrypto and PyCryptodome have no ML-DSA"
        : form === "JWK" && alg.startsWith("ECDSA")
        ? "JOSE has no name for this algorithm"
        : undefined,
    questions: {
      "PKCS#8": {
        to: async (alg) => {
          const { privateFile, trustedKey } = await ours(alg);
          const pub = fresh("out.pub");
          ask("pyca", "read", privateFile, pub);
          await same(pub, alg, trustedKey);
        },
        from: async (alg) => {
          const { key, pub } = made("pyca", "make", alg);
          await sameSigner(await importSigner(text(key), { alg }), alg, pub);
        },
      },
      encrypted: {
        to: (alg) =>
          encrypted(alg, "AES-256-CBC", (key, pub, word) => ["pyca", "read", key, pub, word]),
        from: async (alg) => {
          const { key, pub } = made("pyca", "make", alg, PASSPHRASE);
          await opensEncrypted(key, alg, pub);
        },
      },
      "encrypted, GCM": {
        to: (alg) =>
          encrypted(
            alg,
            "AES-256-GCM",
            (key, pub, word) => ["pycryptodome", "read", generic(alg), key, pub, word],
          ),
        from: async (alg) => {
          const { key, pub } = made("pycryptodome", "make", generic(alg), PASSPHRASE);
          await opensEncrypted(key, alg, pub);
        },
      },
      SPKI: {
        to: async (alg) => {
          const { publicFile, trustedKey } = await ours(alg);
          const pub = fresh("out.pub");
          ask("pyca", "read-public", publicFile, pub);
          await same(pub, alg, trustedKey);
        },
        from: async (alg) => {
          const { key, pub } = made("pyca", "make", alg);
          const trusted = await importTrustedKey(text(pub), { alg });
          await acceptsRaw(trusted, await (await importSigner(text(key), { alg })).sign(DATA));
        },
      },
      JWK: {
        to: async (alg) => {
          const { privateJwk, publicJwk, trustedKey } = await ours(alg);
          for (const jwk of [privateJwk, publicJwk]) {
            const pub = fresh("out.pub");
            ask("jwcrypto", "read", file("ours.jwk", JSON.stringify(jwk)), pub);
            await same(pub, alg, trustedKey);
          }
        },
        from: async (alg) => {
          const { key, pub } = made("jwcrypto", "make", alg);
          await sameSigner(await importSigner(text(key), { alg }), alg, pub);
        },
      },
      "raw signature": {
        to: async (alg) => {
          const { signer, publicFile } = await ours(alg);
          const sig = file("sig", await signer.sign(DATA));
          ask("pyca", "verify", alg, publicFile, file("data", DATA), sig);
          mustNot(...python("pyca", "verify", alg, publicFile, file("data", OTHER), sig));
        },
        from: async (alg) => {
          const { key, pub } = made("pyca", "make", alg);
          const sig = fresh("sig");
          ask("pyca", "sign", alg, key, file("data", DATA), sig);
          await acceptsRaw(await importTrustedKey(text(pub), { alg }), bytes(sig));
        },
      },
    },
  };
}

/** An algorithm with the same kind of key, for a tool to which the hash is nothing. */
function generic(alg: KeyAlgorithm): string {
  return alg === "ECDSA-P384-SHA256" ? "ES384" : alg;
}

const ABSENT: Readonly<Partial<Record<Form, string>>> = {
  JWK: "it reads and writes no JWK",
  "cosign file": "the format is cosign's own",
  "DSSE envelope": "it has no envelopes; what is signed in them is a raw signature",
};

const reasons: string[] = [];
const failures: string[] = [];
const counts = { passed: 0, failed: 0, absent: 0 };

async function state(
  name: string,
  what: string,
  alg: KeyAlgorithm,
  task: Task | string,
): Promise<string> {
  try {
    if (typeof task === "string") throw new NotApplicable(task);
    await task(alg);
    counts.passed++;
    return "ok";
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    if (error instanceof NotApplicable) {
      counts.absent++;
      const reason = `${name}: ${message}`;
      if (!reasons.includes(reason)) reasons.push(reason);
      return `n/a ${reasons.indexOf(reason) + 1}`;
    }
    counts.failed++;
    failures.push(`${what}: ${message}`);
    return "FAIL";
  }
}

const peers: Peer[] = [];
for (const found of [openssl(), securesystemslib(), cosign(), libraries()]) {
  if (typeof found === "string") console.log(`SKIPPED ${found}`);
  else peers.push(found);
}
if (peers.length === 0) process.exit(3);
for (const { name, version } of peers) {
  console.log(version.startsWith(name) ? version : `${name}: ${version}`);
}

console.log("\nFrom us to the tool / from the tool to us\n");
const widths = [18, 15, ...peers.map(({ name }) => Math.max(17, name.length + 2))];
const line = (cells: string[]): string =>
  cells.map((cell, i) => cell.padEnd(widths[i])).join("").trimEnd();
console.log(line(["", "", ...peers.map(({ name }) => name)]));
for (const alg of ALGORITHMS) {
  for (const form of FORMS) {
    const cells: string[] = [];
    for (const peer of peers) {
      const lacks = peer.lacks(alg, form);
      const question = peer.questions[form];
      const absent = lacks ?? (question === undefined ? ABSENT[form] ?? "it has none" : undefined);
      const { to, from } = absent === undefined && question !== undefined
        ? question
        : { to: absent ?? "", from: absent ?? "" };
      const what = `${alg}, ${form}, ${peer.name}`;
      const there = await state(peer.name, `${what}, from us`, alg, to);
      const back = await state(peer.name, `${what}, to us`, alg, from);
      cells.push(there === back ? there : `${there} / ${back}`);
    }
    // Rows that no tool has anything to say about say nothing.
    if (cells.some((cell) => !/^n\/a \d+$/.test(cell))) console.log(line([alg, form, ...cells]));
  }
}
console.log("");
reasons.forEach((reason, i) => console.log(`n/a ${i + 1} ${reason}`));
for (const failure of failures) console.log(`FAIL ${failure}`);
console.log(
  `${counts.passed} passed, ${counts.failed} failed, ${counts.absent} not applicable`,
);
process.exit(counts.failed === 0 ? 0 : 1);
