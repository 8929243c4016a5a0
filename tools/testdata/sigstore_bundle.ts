import type { Reason } from "../../errors.ts";
import { type Bytes, concat, utf8 } from "../../internal/bytes.ts";
import { decodeBase64, encodeBase64 } from "../../internal/base64.ts";
import type { Json, JsonObject } from "../../internal/json.ts";
import {
  GITHUB_ISSUER,
  type Instance,
  makeBundle,
  type Recipe,
  WORKFLOW,
} from "../pki/instance.ts";
import { publicKeyPem, testKey } from "../pki/keys.ts";
import { type Collection, edited, type NewCase, textAt } from "./collection.ts";
import { payloadOf, statementAbout } from "./statements.ts";

/** The artifact of most cases. */
export const ARTIFACT: Bytes = utf8("An artifact of the throw-away Sigstore instance.\n");

const FOLDER = "sigstore-bundle";

/** What a case of a bundle states beyond its recipe. */
export interface BundleCase {
  id: string;
  why: string;
  rule: string;
  reason?: Reason;
  options?: JsonObject;
  /** Trusted root by its short name. Default `main`. */
  root?: string;
  /** Path of the artifact; null when a digest is given or there is none. */
  artifact?: string | null;
  /** Names of the keys that the verifier trusts. */
  keys?: string[];
  /** No expectation of an identity. */
  anonymous?: boolean;
  /** Who decides otherwise. */
  contested?: string;
  /** The published fault of another program that it guards against. */
  advisory?: string;
}

/** Adds bundles with their cases; the trusted roots have to be there. */
export class BundleCases {
  readonly #collection: Collection;
  readonly #instance: Instance;
  readonly #artifact: string;

  constructor(collection: Collection, instance: Instance) {
    this.#collection = collection;
    this.#instance = instance;
    this.#artifact = collection.file(`${FOLDER}/artifact.txt`, ARTIFACT);
  }

  get instance(): Instance {
    return this.#instance;
  }

  /** Path of one more artifact. */
  artifact(name: string, content: Uint8Array): string {
    return this.#collection.file(`${FOLDER}/${name}`, content);
  }

  /** Makes a bundle, perhaps changes it, and adds a case for it. */
  async add(
    about: BundleCase,
    recipe: Recipe,
    change: (bundle: JsonObject) => JsonObject | string | Uint8Array = (bundle) => bundle,
  ): Promise<string> {
    const made = change(await makeBundle(this.#instance, recipe));
    const folder = about.advisory === undefined ? FOLDER : "advisories";
    const path = `${folder}/${about.id}.sigstore.json`;
    const bundle = typeof made === "string" || made instanceof Uint8Array
      ? this.#collection.file(path, made)
      : this.#collection.json(path, made);
    this.again(about, bundle);
    return bundle;
  }

  /** Adds one more case for a bundle that is there. */
  again(about: BundleCase, bundle: string): void {
    const { artifact = this.#artifact, keys = [], root = "main", anonymous } = about;
    const files: NewCase["files"] = { bundle, trustedRoot: `${FOLDER}/roots/${root}.json` };
    if (artifact !== null) files.artifact = artifact;
    if (keys.length > 0) {
      const paths = keys.map((name) => `keys/${name}.pub`);
      files.key = paths.length === 1 ? paths[0] : paths;
    }
    const identity: JsonObject = anonymous || keys.length > 0
      ? {}
      : { certificateIdentity: WORKFLOW, certificateOidcIssuer: GITHUB_ISSUER };
    this.#collection.case({
      id: about.id,
      kind: "sigstore-bundle",
      files,
      why: about.why,
      rule: about.rule,
      ...(about.reason === undefined ? {} : { reason: about.reason }),
      ...(about.contested === undefined ? {} : { contested: about.contested }),
      ...(about.advisory === undefined ? {} : { advisory: about.advisory }),
      options: { ...identity, ...about.options },
    });
  }
}

/** A blob that is signed itself. */
export const blob: Pick<Recipe, "content"> = { content: { artifact: ARTIFACT } };

/** A Statement about the artifact. */
export const attested: Pick<Recipe, "content"> = statementOf({});

/** A Statement about the artifact with something else about it. */
export function statementOf(
  changes: Record<string, Json | undefined>,
  payloadType?: string,
): Pick<Recipe, "content"> {
  const payload = payloadOf(statementAbout(ARTIFACT, changes));
  return { content: payloadType === undefined ? { payload } : { payload, payloadType } };
}

/** Pointer of the first log entry of a bundle. */
export const ENTRY = "/verificationMaterial/tlogEntries/0";

/** The bundle with the last bit of some base64 flipped. */
export function flipped(bundle: JsonObject, pointer: string): JsonObject {
  const bytes = decodeBase64(textAt(bundle, pointer));
  bytes[bytes.length - 1] ^= 1;
  return edited(bundle, pointer, encodeBase64(bytes));
}

/** Writes the keys that cases name. */
export async function addKeys(collection: Collection, names: string[]): Promise<void> {
  for (const name of names) {
    collection.file(`keys/${name}.pub`, publicKeyPem(await testKey(name)));
  }
}

/** Some bytes after one another. */
export function joined(...parts: (Uint8Array | string)[]): Bytes {
  return concat(...parts.map((part) => typeof part === "string" ? utf8(part) : part));
}
