import { AttestationError } from "../../errors.ts";
import { asBytes, type Bytes, concat, utf8 } from "../../internal/bytes.ts";
import { encodeHex } from "../../internal/hex.ts";
import { quote } from "../../internal/json.ts";
import { refuseUnknown } from "../../internal/options.ts";
import type { ResourceDescriptor } from "../resource_descriptor.ts";

/** A git object, as `git cat-file TYPE ID` prints it. */
export interface GitObject {
  /** Kind of the object. */
  type: "commit" | "tag";
  /** Its content, without git's header. */
  content: Uint8Array;
  /** Id that it is known by: 40 digits of lowercase hex, or 64 in a SHA-256 repository. */
  id: string;
}

/** Options of {@linkcode gitSubject}. Unknown names are refused. */
export interface GitSubjectOptions {
  /** Name of the subject, such as the ref or tag. */
  name?: string;
  /** Global name, such as `git+https://git.example/acme/app@refs/tags/v1.0.0`. */
  uri?: string;
}

const MAX_BYTES = 16 << 20;

const HEADER: Readonly<Record<GitObject["type"], RegExp>> = {
  commit:
    /^tree ([0-9a-f]{40}|[0-9a-f]{64})\n(?:parent (?:[0-9a-f]{40}|[0-9a-f]{64})\n)*author [^\n\0]*\ncommitter [^\n\0]*\n/,
  tag: /^object ([0-9a-f]{40}|[0-9a-f]{64})\ntype (?:commit|tag|tree|blob)\ntag [^\n\0]+\n/,
};

/** Bytes of an object in which its header is looked for. */
const HEADER_BYTES = 1 << 20;
const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

/**
 * A git commit or annotated tag as a subject: `gitCommit` or `gitTag`. The id is computed
 * from the object's bytes, and has to be the one that is stated: whoever signs has seen what
 * the id stands for.
 *
 * In a SHA-1 repository the id is as strong as SHA-1, without git's own detection of crafted
 * collisions.
 *
 * Source: in-toto attestation v1, digest_set.md, `gitCommit` and `gitTag`; git,
 * gitformat-pack(5) and hash-function-transition: the hash of `TYPE SIZE\0` and content.
 *
 * @param object The object; see {@linkcode GitObject}.
 * @param options See {@linkcode GitSubjectOptions}.
 * @throws {AttestationError} `unsupported-git-object` (neither commit nor annotated tag, or
 * not of their form), `invalid-digest` (of the id), `subject-mismatch` (the bytes are another
 * object), `limit-exceeded` (above 16 MiB).
 * @throws {TypeError} If an option is unknown.
 *
 * @example
 * ```ts
 * import { gitSubject } from "@x/attest/intoto/subjects";
 * import assert from "node:assert/strict";
 *
 * const who = "A <a@acme.example> 1700000000 +0000";
 * const text = `tree 4b825dc642cb6eb9a060e54bf8d69288fbee4904\nauthor ${who}\ncommitter ${who}\n\nx\n`;
 * const subject = await gitSubject({
 *   type: "commit",
 *   content: new TextEncoder().encode(text),
 *   id: "91c197871db52ec628bdc306b03ac959a5e370ed",
 * });
 * assert.equal(subject.digest?.gitCommit.length, 40);
 * ```
 */
export async function gitSubject(
  object: GitObject,
  options: GitSubjectOptions = {},
): Promise<ResourceDescriptor> {
  refuseUnknown(options, ["name", "uri"], "gitSubject()");
  const { type, content, id } = object;
  if (type !== "commit" && type !== "tag") {
    throw unsupported(`${quote(String(type))} is neither a commit nor an annotated tag`);
  }
  if (!/^(?:[0-9a-f]{40}|[0-9a-f]{64})$/.test(id)) {
    throw new AttestationError(
      "invalid-digest",
      `Cannot use git object: ${quote(id)} is no id, wanted 40 or 64 digits of lowercase hex`,
    );
  }
  if (content.length > MAX_BYTES) {
    throw new AttestationError("limit-exceeded", "Cannot use git object: it is above 16 MiB");
  }
  const text = decoder.decode(content.subarray(0, HEADER_BYTES));
  const match = HEADER[type].exec(text);
  if (match === null) throw unsupported(`its content is not that of a ${type}`);
  if (match[1].length !== id.length) {
    throw unsupported("it refers to an object of the other object format than its id");
  }
  const computed = await gitObjectId(type, content, id.length === 40 ? "SHA-1" : "SHA-256");
  if (computed !== id) {
    throw new AttestationError(
      "subject-mismatch",
      `Cannot use git object: its bytes are ${type} ${computed}, not ${id}`,
    );
  }
  const { name, uri } = options;
  return {
    ...(name === undefined ? {} : { name }),
    ...(uri === undefined ? {} : { uri }),
    digest: { [type === "commit" ? "gitCommit" : "gitTag"]: id },
  };
}

async function gitObjectId(
  type: string,
  content: Uint8Array,
  hash: "SHA-1" | "SHA-256",
): Promise<string> {
  const bytes: Bytes = concat(utf8(`${type} ${content.length}\0`), asBytes(content));
  return encodeHex(new Uint8Array(await crypto.subtle.digest(hash, bytes)));
}

function unsupported(what: string): AttestationError {
  return new AttestationError("unsupported-git-object", `Cannot use git object: ${what}`);
}
