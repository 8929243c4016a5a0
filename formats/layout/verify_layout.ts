import type { AttestationError } from "../../errors.ts";
import { asRefusal } from "../../internal/check_list.ts";
import { limitOption, refuseUnknown } from "../../internal/options.ts";
import { refuseOtherThanKeys } from "../../dsse/verify.ts";
import type { TrustedKey } from "../../keys/trusted_key.ts";
import type { Check } from "../../report.ts";
import type { FormatStatement } from "../format.ts";
import { readLink as linkStatement } from "../statement.ts";
import type { Layout, LayoutInspection } from "./layout.ts";
import type { Link, LinkArtifacts } from "./link.ts";
import { readSignedDocument } from "./_signed_document.ts";
import { LayoutVerification } from "./_verification.ts";

/**
 * Where links are: by their names, or asked for by name. A name is
 * `STEP.KEYID.link` with the first eight digits of the key's id; those of a sublayout are in
 * the folder `STEP.KEYID/`, with `/` between. `undefined` says that there is none.
 */
export type LinkSource =
  | Readonly<Record<string, string | Uint8Array>>
  | ReadonlyMap<string, string | Uint8Array>
  | ((name: string) => Promise<string | Uint8Array | undefined>);

/** What an inspection found: what was there before its command was run, and after it. */
export interface InspectionRun extends LinkArtifacts {
  /** Exit status of the command; anything but 0 refuses the whole. */
  readonly returnValue: number;
}

/** Options of {@linkcode verifyLayout}. Unknown names are refused. */
export interface LayoutTrust {
  /** Keys of the owners, who say what the supply chain has to look like. */
  keys: readonly TrustedKey[];
  /**
   * Distinct owners that must have signed; integer >= 1, default 1: in-toto's reference
   * implementation wants all of `keys`, as their number does here.
   */
  threshold?: number;
  /** Where links are. */
  links: LinkSource;
  /**
   * Runs the command of an inspection on the final product, and tells files and digests before
   * and after it. The command comes from the owners of the layout, or of a sublayout from whom
   * they trust with a step: run it where it can do no harm. Default: a layout with inspections
   * is refused with `inspection-not-run`.
   *
   * The second argument is the folder of the sublayout that it is of; empty for the layout.
   */
  runInspection?: (inspection: LayoutInspection, scope: string) => Promise<InspectionRun>;
  /** Moment against which expiry is judged. Default: now. */
  now?: Date;
  /** Sublayouts inside one another; integer >= 1, default 4. */
  maxDepth?: number;
  /** Links and sublayouts in all; integer >= 1, default 1024. */
  maxLinks?: number;
}

/** Somebody who carried out a step. */
export interface Functionary {
  /** Id of the key in the layout. */
  readonly keyid: string;
  /** SHA-256 of the key's SubjectPublicKeyInfo, by which keys are distinct. */
  readonly fingerprint: string;
  /** Name of the link. */
  readonly link: string;
  /** The supply chain of the step itself, if the link is a layout. */
  readonly sublayout?: LayoutChain;
}

/** A step that was carried out by enough of those who may. */
export interface StepReport {
  /** Its name. */
  readonly name: string;
  /** Distinct keys that were needed. */
  readonly threshold: number;
  /** Who carried it out. */
  readonly functionaries: readonly Functionary[];
  /** What went in and came out, which all of them say. */
  readonly link: Link;
}

/** A supply chain that is as its layout says. */
export interface LayoutChain {
  /** The layout. */
  readonly layout: Layout;
  /** Names of the owners' keys that signed it. */
  readonly owners: readonly string[];
  /** Its steps, in the order of the layout. */
  readonly steps: readonly StepReport[];
  /** The whole as one step: what went into the first, and what came out of the last. */
  readonly summary: Link;
}

/** Answer of {@linkcode verifyLayout}. */
export type LayoutResult = VerifiedLayout | RefusedLayout;

/** What was looked at, accepted or not. */
export interface LayoutReport {
  /** Envelope of the layout; absent if it could not be read. */
  readonly format?: "dsse" | "in-toto-metablock";
  /** Every check, in order. */
  readonly checks: readonly Check[];
  /** What is unexpected and refuses nothing, such as another command. */
  readonly warnings: readonly string[];
}

/** A supply chain that is as its owners want it. */
export interface VerifiedLayout extends LayoutReport, LayoutChain {
  /** Accepted. */
  readonly ok: true;
  /** Nothing failed. */
  readonly errorReason: null;
  /**
   * The summary as a Statement: the products of the last step are its subjects. Why there is
   * none, if there are no products.
   */
  readonly statement: FormatStatement | AttestationError;
}

/** A supply chain that was refused. */
export interface RefusedLayout extends LayoutReport {
  /** Refused. */
  readonly ok: false;
  /** Why: the reason of the first check that failed. */
  readonly errorReason: AttestationError["reason"];
  /** Why, for people. */
  readonly error: AttestationError;
}

const OPTIONS = ["keys", "threshold", "links", "runInspection", "now", "maxDepth", "maxLinks"];

/**
 * Verifies a software supply chain against an in-toto layout: who signed the layout, whether it
 * is still valid, whether each step was carried out by enough of those who may, what went from
 * step to step, and what the owners want to be looked at in the end.
 *
 * Keys are distinct by what they are, whatever ids they have. All links of a step have to say
 * the same, also where one would be enough. A link counts for the step that it names only. Files
 * are the same if all of their digests are, of which one has to be SHA-2. Links by GnuPG or with
 * certificates in place of keys do not count, and parameters are not substituted.
 *
 * Source: in-toto specification 1.0, 4.3 to 5.2.
 *
 * @param source The layout: a metablock, or a DSSE envelope; text or bytes.
 * @param trust Whom to believe, and where links are.
 * @returns The chain with a Statement about its products, or why it is refused.
 * @throws {TypeError} If an option is unknown or not of its form.
 * @throws {RangeError} If a limit is no integer >= 1.
 *
 * @example A layout that asks for nothing but a step
 * ```ts
 * import { createEnvelope } from "@x/attest/dsse";
 * import { verifyLayout } from "@x/attest/formats/layout";
 * import { generateSigner } from "@x/attest/keys";
 * import assert from "node:assert/strict";
 *
 * const owner = await generateSigner("Ed25519", { name: "owner" });
 * const layout = {
 *   _type: "layout",
 *   expires: "2030-01-01T00:00:00Z",
 *   keys: {},
 *   steps: [{
 *     _type: "step",
 *     name: "build",
 *     threshold: 1,
 *     pubkeys: [],
 *     expected_materials: [],
 *     expected_products: [],
 *   }],
 *   inspect: [],
 * };
 * const envelope = await createEnvelope("application/vnd.in-toto+json", layout, owner.signer);
 * const result = await verifyLayout(JSON.stringify(envelope), {
 *   keys: [owner.trustedKey],
 *   links: {},
 *   now: new Date("2026-01-01T00:00:00Z"),
 * });
 * assert.ok(!result.ok);
 * assert.equal(result.errorReason, "threshold-not-met");
 * ```
 */
export async function verifyLayout(
  source: string | Uint8Array,
  trust: LayoutTrust,
): Promise<LayoutResult> {
  refuseUnknown(trust, OPTIONS, "verifyLayout()");
  const { keys, threshold = 1, links, runInspection, now = new Date() } = trust;
  if (typeof source !== "string" && !(source instanceof Uint8Array)) {
    throw new TypeError("A layout is text or bytes");
  }
  refuseOtherThanKeys(keys);
  if (keys.length === 0) throw new TypeError("No key of an owner is given");
  if (!Number.isSafeInteger(threshold) || threshold < 1) {
    throw new TypeError(`threshold is ${threshold}, wanted an integer >= 1`);
  }
  if (!(now instanceof Date) || Number.isNaN(now.getTime())) throw new TypeError("now is no Date");
  if (runInspection !== undefined && typeof runInspection !== "function") {
    throw new TypeError("runInspection is no function");
  }
  const verification = new LayoutVerification({
    find: finderOf(links),
    now,
    maxDepth: limitOption("maxDepth", trust.maxDepth, 4),
    maxLinks: limitOption("maxLinks", trust.maxLinks, 1024),
    ...(runInspection === undefined ? {} : { runInspection }),
  });
  const { list, warnings } = verification;
  let chain: LayoutChain | undefined;
  let form: Pick<LayoutReport, "format"> = {};
  try {
    const document = readSignedDocument(source);
    form = { format: document.format };
    chain = await verification.layout(document, { keys, threshold, scope: "", depth: 0 });
  } catch (error) {
    list.failed("envelope.layout", error);
  }
  const { checks } = list;
  if (chain === undefined || list.error !== undefined) {
    const error = list.error ?? asRefusal(undefined);
    return { ok: false, errorReason: error.reason, error, ...form, checks, warnings };
  }
  return {
    ok: true,
    errorReason: null,
    ...chain,
    ...form,
    statement: statementOf(chain.summary),
    checks,
    warnings,
  };
}

/** Looks links up by name; what is no own member of an object is not there. */
function finderOf(links: LinkSource): (name: string) => Promise<string | Uint8Array | undefined> {
  if (typeof links === "function") return links;
  if (links instanceof Map) return (name) => Promise.resolve(links.get(name));
  if (typeof links !== "object" || links === null) {
    throw new TypeError("links is neither an object, a Map nor a function");
  }
  const byName = links as Readonly<Record<string, string | Uint8Array>>;
  return (name) => Promise.resolve(Object.hasOwn(byName, name) ? byName[name] : undefined);
}

function statementOf(
  { name, command, materials, products, byproducts }: Link,
): FormatStatement | AttestationError {
  try {
    return linkStatement({
      _type: "link",
      name,
      command: [...command],
      materials: { ...materials },
      products: { ...products },
      byproducts,
      environment: {},
    });
  } catch (error) {
    return asRefusal(error);
  }
}
