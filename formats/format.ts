import type { AttestationError } from "../errors.ts";
import type { DigestSet } from "../intoto/digest_set.ts";
import type { ResourceDescriptor } from "../intoto/resource_descriptor.ts";
import type { Statement } from "../intoto/statement.ts";
import type { KeyAlgorithm } from "../keys/algorithm.ts";
import type { TrustedKey } from "../keys/trusted_key.ts";
import type { Certificate } from "../sigstore/certificate.ts";
import type { FormatInput } from "./format_input.ts";
import type { FormatId } from "./format_id.ts";
import type { EfiTrust } from "./attached/efi_trust.ts";
import type { CertificateTrust } from "./certificate_trust.ts";
import type { TufRootTrust } from "./tuf_targets.ts";
import type { OpenPgpKeyring } from "./openpgp_keyring.ts";

/**
 * What a format is of the model: an `envelope` signs a message; a `statement` is one that
 * nobody signed; a `bundle` collects; `attached` signatures lie in the artifact that they are
 * about; a `log-proof` tells what a log holds.
 */
export type FormatLayer = "envelope" | "statement" | "bundle" | "attached" | "log-proof";

/**
 * How sure a format is that a document is its own: 0 it is not, 1 it may be, 2 it has the
 * shape, 3 it has the mark that only this format has.
 */
export type Confidence = 0 | 1 | 2 | 3;

/** What is known of a document beside its bytes; a hint, never more. */
export interface FormatHint {
  /** Name of its file. */
  name?: string;
  /** Media type that somebody states. */
  mediaType?: string;
}

/** Bounds on what is read; anything above is refused with `limit-exceeded`. */
export interface FormatLimits {
  /** Bytes of the document. */
  maxBytes: number;
  /** Signatures of one document. */
  maxSignatures: number;
}

/** A document that was read; nothing of it is verified, and nothing of it may be believed. */
export interface ParsedFormat<Content = unknown> {
  /** What it was read as. */
  readonly format: FormatId;
  /** What it says of its message, for display. */
  readonly messageType?: string;
  /** What would be signed if it verified, for display; absent where that is another file. */
  readonly message?: Uint8Array;
  /** The signatures, for display. */
  readonly signatures: readonly StatedSignature[];
  /** Digests of a detached message that a signature can be checked by, beside SHA-2. */
  readonly digestAlgorithms?: readonly string[];
  /** Further facts, for display. */
  readonly facts: Readonly<Record<string, string>>;
  /** What only the format's own module reads. */
  readonly content: Content;
}

/** What a signature says of itself. */
export interface StatedSignature {
  /** Id of the key, or the holder of the certificate. */
  readonly keyid?: string;
  /** Algorithm as it is stated; it never decides. */
  readonly algorithm?: string;
  /** Bytes of the signature. */
  readonly bytes: number;
}

/** Bytes that a detached signature is over, or their digests where they are not at hand. */
export interface DetachedMessage {
  /** The bytes themselves. */
  content?: Uint8Array;
  /** Digests, lowercase hex. */
  digest: DigestSet;
}

/** Who is believed, and what a signature may be over. */
export interface FormatContext {
  /** Trusted keys. */
  readonly keys: readonly TrustedKey[];
  /** Trusted authorities, for formats that carry certificates. */
  readonly certificates?: CertificateTrust;
  /** Pinned roots of TUF repositories. */
  readonly tufRoots?: readonly TufRootTrust[];
  /** What firmware trusts and refuses, for images of UEFI. */
  readonly efi?: EfiTrust;
  /** Trusted OpenPGP keys. */
  readonly openpgp?: OpenPgpKeyring;
  /** What a detached signature is over. */
  readonly detached?: DetachedMessage;
  /** What both sides of a PASETO token know and the token does not say. */
  readonly implicitAssertion?: Uint8Array;
  /** The moment against which validity is judged where no time of signing is verified. */
  readonly now: Date;
}

/** One signature of a document, good or bad. */
export type SignerResult = GoodSigner | BadSigner;

/** A signature that somebody who is trusted made. */
export interface GoodSigner {
  /** Accepted. */
  readonly ok: true;
  /** Name of the trusted key, or of the certificate's holder. */
  readonly name: string;
  /** What makes signers distinct: SHA-256 of the key's SubjectPublicKeyInfo. */
  readonly fingerprint: string;
  /** Algorithm of the signature. */
  readonly algorithm: KeyAlgorithm;
  /** The trusted key that accepted. */
  readonly key?: TrustedKey;
  /** The certificate, verified up to a trusted authority. */
  readonly certificate?: Certificate;
  /** Verified time of signing. */
  readonly time?: Date;
}

/** A signature that counts for nothing. */
export interface BadSigner {
  /** Refused. */
  readonly ok: false;
  /** Id that it states; anybody can have written it. */
  readonly keyid?: string;
  /** Why. */
  readonly error: AttestationError;
}

/** How much of what was given the signatures cover. */
export type Coverage = "message" | "whole-artifact" | "artifact-sections";

/** Bytes from `start` up to, not including, `end`. */
export interface ByteRange {
  /** First byte. */
  readonly start: number;
  /** Byte after the last. */
  readonly end: number;
  /** What lies there. */
  readonly what: string;
}

/** What a log says of a document: verified by its own key, and no signer. */
export interface LogProof {
  /** Name of the log. */
  readonly origin: string;
  /** Leaves of the tree. */
  readonly size: bigint;
  /** Root hash, lowercase hex. */
  readonly rootHash: string;
}

/** A document whose signatures were checked, each by itself; whether enough of them are good is the caller's. */
export interface FormatEnvelope {
  /** What it was read as. */
  readonly format: FormatId;
  /**
   * Exactly the bytes that a good signature covers; believe it only if there is one. Absent
   * where only the digest of the artifact is signed and its bytes are not at hand.
   */
  readonly message?: Uint8Array;
  /** How the message is to be read, and whether the signatures cover that too. */
  readonly messageType?: { readonly value: string; readonly authenticated: boolean };
  /** Digests of a detached message, which is the artifact itself. */
  readonly detached?: DigestSet;
  /** One per signature, good and bad. */
  readonly signers: readonly SignerResult[];
  /**
   * What a good signature covers beside the message, as text: a comment, a footer. Absent where
   * there is no good signature.
   */
  readonly authenticated?: Readonly<Record<string, string>>;
  /** How much the signatures cover. */
  readonly coverage: Coverage;
  /** What they do not cover, where it lies in the document. */
  readonly uncovered?: readonly ByteRange[];
  /** What the document says and nobody signed. */
  readonly unauthenticated: Readonly<Record<string, unknown>>;
  /** Proofs of logs that verified. */
  readonly proofs: readonly LogProof[];
  /**
   * What the module itself makes of the bytes that are covered: of a signature that is attached
   * to its artifact, which is no message. Believe it only if there is a good signature.
   */
  readonly statement?: FormatStatement;
  /** Why it is refused whatever its signatures are, such as that it has expired. */
  readonly refusal?: AttestationError;
}

/** Layers that a format has not; constants stand for them. */
export type ImplicitLayer = "subject" | "messageType" | "predicateType";

/** A Statement as a format says it. */
export interface FormatStatement {
  /** The Statement, with constants for what is implicit. */
  readonly statement: Statement;
  /** What the format does not say, and a constant stands for. */
  readonly implicit: readonly ImplicitLayer[];
  /** What it was made from, where the format tells. */
  readonly materials?: readonly ResourceDescriptor[];
}

/** One format: tells it from others, reads it and checks its signatures. */
export interface FormatModule<Content = unknown> {
  /** Its name. */
  readonly id: FormatId;
  /** Its place in the model. */
  readonly layer: FormatLayer;
  /** How sure it is that a document is its own. Looks at a bounded part; never throws. */
  detect(input: FormatInput): Confidence;
  /**
   * Reads the structure; claims nothing.
   *
   * @throws {AttestationError} Why it cannot be read.
   */
  parse(
    bytes: Uint8Array,
    limits: FormatLimits,
  ): ParsedFormat<Content> | Promise<ParsedFormat<Content>>;
  /** Checks every signature by itself. Never throws on bad data. */
  verify(parsed: ParsedFormat<Content>, context: FormatContext): Promise<FormatEnvelope>;
}
