import type { Reason } from "../../../errors.ts";
import type { JsonObject } from "../../../internal/json.ts";
import { publicKeyPem, testKey } from "../../pki/keys.ts";
import type { Collection } from "../collection.ts";

/** The artifact that all documents are about. */
export const ARTIFACT = "artifact\n";

/** One document, and whom to trust for it. */
export interface FormatCase {
  id: string;
  why: string;
  document: string | Uint8Array;
  /** Why it is refused; absent for one that passes. */
  reason?: Reason;
  /** Names of test keys as PEM, or files as a format has them by name. Default `dsse-ed25519`. */
  keys?: readonly (string | { name: string; text: string })[];
  /** What a detached signature is over. */
  message?: string | Uint8Array;
  /** What the Statement is compared with; `null`: the format has none, or says nothing of files. */
  artifact?: string | null;
  /** Further files by the name that the index has for them. */
  files?: Readonly<Record<string, { name: string; content: string | Uint8Array }>>;
  options?: JsonObject;
}

/** Cases of one format. */
export class FormatCases {
  readonly #collection: Collection;
  readonly #format: string;
  readonly #rule: string;

  /** @param rule The specification that cases keep or break. */
  constructor(collection: Collection, format: string, rule: string) {
    this.#collection = collection;
    this.#format = format;
    this.#rule = rule;
  }

  /** Adds a document and a case for it. */
  async add(one: FormatCase): Promise<void> {
    const { why, document, reason, artifact = ARTIFACT, message, options } = one;
    const id = `${this.#format}-${one.id}`;
    const file = (name: string, content: string | Uint8Array) =>
      this.#collection.file(`format/${name}`, content);
    const key = await Promise.all(
      (one.keys ?? ["dsse-ed25519"]).map(async (name) =>
        typeof name === "string"
          ? this.#collection.file(`keys/${name}.pub`, publicKeyPem(await testKey(name)))
          : file(`keys/${name.name}`, name.text)
      ),
    );
    const more = Object.entries(one.files ?? {}).map(([name, { name: path, content }]) => [
      name,
      file(path, content),
    ]);
    this.#collection.case({
      id,
      kind: "format",
      files: {
        document: file(`${id}${endingOf(document)}`, document),
        ...(key.length === 0 ? {} : { key: key.length === 1 ? key[0] : key }),
        ...(message === undefined ? {} : { message: file(`${id}.message`, message) }),
        ...(artifact === null ? {} : { artifact: file(nameOf(artifact), artifact) }),
        ...Object.fromEntries(more),
      },
      why,
      rule: this.#rule,
      ...(reason === undefined ? {} : { reason }),
      options: { format: this.#format, ...options },
    });
  }
}

function endingOf(document: string | Uint8Array): string {
  if (typeof document !== "string") return ".bin";
  return document.startsWith("{") ? ".json" : ".txt";
}

function nameOf(artifact: string): string {
  return artifact === ARTIFACT ? "artifact.txt" : "other.txt";
}
