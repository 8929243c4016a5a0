import { createEnvelope } from "../dsse/mod.ts";
import type { Envelope } from "../dsse/mod.ts";
import { keyOf } from "../formats/_fixtures_test.ts";
import { encodeBase64 } from "../internal/base64.ts";
import { blake2b512 } from "../internal/blake2b.ts";
import { concat, utf8 } from "../internal/bytes.ts";
import { encodeHex } from "../internal/hex.ts";
import { sha256 } from "../internal/sha256.ts";
import { type GeneratedSigner, generateSigner, type Signer } from "../keys/mod.ts";
import type { VerificationReport } from "./mod.ts";

export const TYPE = "application/vnd.in-toto+json";
export const PREDICATE = "https://example.com/checked/v1";
export const ABC = utf8("abc");
export const ABC_SHA256 = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

export function hexOf(text: string): string {
  return encodeHex(sha256(utf8(text)));
}

let key: Promise<GeneratedSigner> | undefined;

/** One key for all tests: they differ in what they sign. */
export function ciKey(): Promise<GeneratedSigner> {
  return key ??= generateSigner("Ed25519", { name: "ci", keyid: "k" });
}

/** A Statement about texts, each a subject by its SHA-256. */
export function statementAbout(texts: readonly string[], more: object = {}): object {
  return {
    _type: "https://in-toto.io/Statement/v1",
    subject: texts.map((text) => ({ name: text, digest: { sha256: hexOf(text) } })),
    predicateType: PREDICATE,
    predicate: {},
    ...more,
  };
}

/** An envelope with such a Statement, signed by the key of all tests. */
export async function signed(
  payload: object | string,
  signers?: Signer | Signer[],
  type: string = TYPE,
): Promise<Envelope> {
  return await createEnvelope(type, payload, signers ?? (await ciKey()).signer);
}

/** A signature of minisign over the BLAKE2b-512 of some bytes, by `keyOf("Ed25519")`. */
export async function minisig(over: Uint8Array): Promise<string> {
  const { signer } = await keyOf("Ed25519");
  const signature = await signer.sign(blake2b512(over));
  const global = await signer.sign(concat(signature, utf8("t")));
  const line = encodeBase64(concat(utf8("ED"), new Uint8Array(8), signature));
  return `untrusted comment: x\n${line}\ntrusted comment: t\n${encodeBase64(global)}\n`;
}

/** A report in short: `ok` or the reason, and the same of each attestation of each artifact. */
export function brief(report: VerificationReport): string {
  const word = (one: { ok: boolean; errorReason: string | null }) =>
    one.ok && one.errorReason === null ? "ok" : `${one.ok ? "ok?" : ""}${one.errorReason}`;
  const artifacts = report.artifacts.map((one) =>
    `${word(one)}[${one.attestations.map(word).join(" ")}]`
  );
  return `${word(report)}: ${artifacts.join(" ")}`.trim();
}
