/** Questions that our verifier and its peers answer alike, or not. */

import { existsSync, readFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { decodeBase64, encodeBase64 } from "../../internal/base64.ts";
import { decodeUtf8, isObject, parseJson } from "../../internal/json.ts";
import { isAttestationError } from "../../errors.ts";
import { importTrustedKey } from "../../keys/mod.ts";
import { parseCertificate, parseTrustedRoot, readIdentity } from "../../sigstore/mod.ts";
import type { TrustedRoot } from "../../sigstore/mod.ts";
import { type ArtifactInput, verify, type VerifyOptions } from "../../verify/mod.ts";
import type { VectorIndex } from "../vectors/cases.ts";

/** One log entry, one time, one SCT, one exact identity, one artifact: what every peer can ask. */
export interface Question {
  id: string;
  /** Bundle as text. */
  bundle: string;
  /** Trusted root as text. */
  root: string;
  /** The artifact in base64, or its SHA-256 or SHA-512 in hex. */
  artifact: { base64: string } | { sha256: string } | { sha512: string };
  identity: string;
  issuer: string;
  /** Public key, PEM, of a bundle without a certificate. */
  key?: string;
  /** What was changed, if the bundle is a mutant. */
  change?: string;
}

/** An answer. `n/a`: the peer has no way to be asked. */
export interface Answer {
  verdict: "pass" | "fail" | "n/a";
  /** Reason of ours, message of a peer. */
  why: string;
}

const ROOT = fileURLToPath(new URL("../..", import.meta.url));

/** What is asked of a bundle without an identity of its own. */
const NOBODY = { identity: "nobody@example.com", issuer: "https://issuer.example" };

/** The bundles of the vectors, each once per artifact, root and identity. */
export function vectorQuestions(): Question[] {
  const found = new Map<string, Question>();
  for (const path of ["../shared/vectors/index.json", "testdata/index.json"]) {
    const file = resolve(ROOT, path);
    if (!existsSync(file)) {
      console.log(`SKIPPED vectors of ${path}: not there`);
      continue;
    }
    const index: VectorIndex = JSON.parse(readFileSync(file, "utf8"));
    for (const { id, kind, files, options = {}, scope } of index.cases) {
      const { bundle, trustedRoot, artifact, key } = files;
      if (kind !== "sigstore-bundle" || scope === "step:parse") continue;
      if (typeof bundle !== "string" || typeof trustedRoot !== "string") continue;
      const read = (name: string) => readFileSync(join(dirname(file), name));
      const text = read(bundle).toString("utf8");
      // Not UTF-8: what the peers are given would not be what we are given.
      if (text.includes("\ufffd")) continue;
      const subject = typeof artifact === "string"
        ? { base64: encodeBase64(read(artifact)) }
        : digestOf(options.artifactDigest) ?? firstSubject(text);
      if (subject === undefined) continue;
      const stated = identityIn(text) ?? NOBODY;
      const question: Question = {
        id,
        bundle: text,
        root: read(trustedRoot).toString("utf8"),
        artifact: subject,
        identity: textOr(options.certificateIdentity, stated.identity),
        issuer: textOr(options.certificateOidcIssuer, stated.issuer),
        ...(typeof key === "string" ? { key: read(key).toString("utf8") } : {}),
      };
      const { id: _, ...content } = question;
      const same = JSON.stringify(content);
      if (!found.has(same)) found.set(same, question);
    }
  }
  return [...found.values()];
}

function textOr(value: unknown, otherwise: string): string {
  return typeof value === "string" ? value : otherwise;
}

function digestOf(value: unknown): Question["artifact"] | undefined {
  if (!isObject(value)) return undefined;
  if (typeof value.sha256 === "string") return { sha256: value.sha256 };
  if (typeof value.sha512 === "string") return { sha512: value.sha512 };
  return undefined;
}

/** Digest of the first subject, or of the message that is signed. */
export function firstSubject(bundle: string): Question["artifact"] | undefined {
  try {
    const json = JSON.parse(bundle);
    const message = json.messageSignature?.messageDigest?.digest;
    if (typeof message === "string") {
      return {
        sha256: [...decodeBase64(message)].map((b) => b.toString(16).padStart(2, "0")).join(""),
      };
    }
    const payload = parseJson(decodeBase64(json.dsseEnvelope.payload));
    if (!isObject(payload) || !Array.isArray(payload.subject)) return undefined;
    const [subject] = payload.subject;
    return isObject(subject) ? digestOf(subject.digest) : undefined;
  } catch {
    return undefined;
  }
}

/** Who signed, by the certificate, whoever issued it. */
export function identityIn(bundle: string): { identity: string; issuer: string } | undefined {
  try {
    const { verificationMaterial: material } = JSON.parse(bundle);
    const raw = material.certificate?.rawBytes ??
      material.x509CertificateChain?.certificates?.[0]?.rawBytes;
    const { subjectAlternativeName, issuer } = readIdentity(parseCertificate(decodeBase64(raw)));
    return { identity: subjectAlternativeName, issuer: issuer ?? NOBODY.issuer };
  } catch {
    return undefined;
  }
}

const roots = new Map<string, TrustedRoot>();

function rootOf(text: string): TrustedRoot {
  const root = roots.get(text) ?? parseTrustedRoot(text);
  roots.set(text, root);
  return root;
}

/** What we say. */
export async function ours(question: Question): Promise<Answer> {
  const { bundle, root, artifact, identity, issuer, key } = question;
  try {
    const given: ArtifactInput = "base64" in artifact
      ? { content: decodeBase64(artifact.base64) }
      : { digest: artifact };
    const options: VerifyOptions = {
      trust: {
        trustedRoots: [rootOf(root)],
        onlyRoot: true,
        ...(key === undefined ? {} : { keys: [await importTrustedKey(key)] }),
      },
      expect: key === undefined ? { identity: { subjectAlternativeName: identity, issuer } } : {},
    };
    const report = await verify(bundle, given, options);
    if (report.ok) return { verdict: "pass", why: "" };
    return { verdict: "fail", why: report.errorReason ?? "refused" };
  } catch (error) {
    if (isAttestationError(error)) return { verdict: "fail", why: error.reason };
    throw error;
  }
}

/** Predicate type of a bundle's Statement: what cosign must be told. */
export function predicateTypeIn(bundle: string): string | undefined {
  try {
    const payload = decodeUtf8(decodeBase64(JSON.parse(bundle).dsseEnvelope.payload));
    const { predicateType } = JSON.parse(payload);
    return typeof predicateType === "string" ? predicateType : undefined;
  } catch {
    return undefined;
  }
}

/** SHA-256 of a question's artifact in hex; undefined if only a SHA-512 is known. */
export async function sha256Of({ artifact }: Question): Promise<string | undefined> {
  if ("sha256" in artifact) return artifact.sha256;
  if (!("base64" in artifact)) return undefined;
  const hash = await crypto.subtle.digest("SHA-256", decodeBase64(artifact.base64));
  return [...new Uint8Array(hash)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}
