/** Runs a case of the kind `format`: a document in one of the formats of `formats/`. */

import { importKeyFile } from "../../cli/key_file.ts";
import {
  createCertificateTrust,
  type FormatTrust,
  importTufRoot,
  type VerifiedFormat,
  verifyFormat,
} from "../../formats/mod.ts";
import { utf8 } from "../../internal/bytes.ts";
import { digest } from "../../internal/digest.ts";
import { encodeHex } from "../../internal/hex.ts";
import { matchSubject } from "../../intoto/mod.ts";
import type { TrustedKey } from "../../keys/mod.ts";
import type { ReadFile, VectorCase } from "./cases.ts";

/** All cases are judged at one moment. */
const NOW = new Date("2025-02-03T10:00:05Z");

/**
 * Verifies the document, and compares what it says with the artifact, if one is given.
 *
 * @throws {AttestationError} Why it is refused.
 */
export async function runFormatCase(vector: VectorCase, read: ReadFile): Promise<void> {
  const { envelope: { format } } = await verifyFormatCase(vector, read);
  if (format !== vector.options?.format) throw new Error(`${vector.id}: read as ${format}`);
}

/**
 * What is verified of the document of a case.
 *
 * @throws {AttestationError} Why it is refused.
 */
export async function verifyFormatCase(
  vector: VectorCase,
  read: ReadFile,
): Promise<VerifiedFormat> {
  const { files } = vector;
  const paths = (name: string) => [files[name] ?? []].flat();
  const all = async (name: string) => await Promise.all(paths(name).map(read));
  const [document, message, artifact] = await Promise.all(
    ["document", "message", "artifact"].map(async (name) => (await all(name))[0]),
  );
  const result = await verifyFormat(document, await trustOf(vector, all, message));
  if (!result.ok) throw result.error;
  if (artifact === undefined) return result;
  if (!("statement" in result.statement)) throw result.statement;
  const matched = matchSubject(result.statement.statement, {
    sha256: encodeHex(await digest("SHA-256", artifact)),
    sha512: encodeHex(await digest("SHA-512", artifact)),
  });
  if (!matched.ok) throw matched.error;
  return result;
}

async function trustOf(
  { files, options = {} }: VectorCase,
  all: (name: string) => Promise<Uint8Array<ArrayBuffer>[]>,
  message: Uint8Array<ArrayBuffer> | undefined,
): Promise<FormatTrust> {
  const text = (bytes: Uint8Array) => new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  const keys: TrustedKey[] = [];
  for (const bytes of await all("key")) {
    keys.push(await importKeyFile(text(bytes), `key ${keys.length + 1}`, undefined));
  }
  const authorities = await all("certificateAuthority");
  const signingAuthorities = await all("signingAuthority");
  const identities = [options.certificateSubject ?? []].flat().map(String);
  const tufRoots = await Promise.all((await all("tufRoot")).map((bytes) => importTufRoot(bytes)));
  return {
    keys,
    now: NOW,
    ...(tufRoots.length === 0 ? {} : { tufRoots }),
    ...(files.certificateAuthority === undefined && files.signingAuthority === undefined ? {} : {
      certificates: createCertificateTrust({ authorities, signingAuthorities, identities }),
    }),
    ...(message === undefined ? {} : { detached: { content: message, digest: {} } }),
    ...(typeof options.threshold === "number" ? { threshold: options.threshold } : {}),
    ...(typeof options.implicitAssertion === "string"
      ? { implicitAssertion: utf8(options.implicitAssertion) }
      : {}),
  };
}
