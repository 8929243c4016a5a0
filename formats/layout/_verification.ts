import { AttestationError, type Reason } from "../../errors.ts";
import { asRefusal, CheckList } from "../../internal/check_list.ts";
import { type JsonObject, printable, quote } from "../../internal/json.ts";
import type { TrustedKey } from "../../keys/trusted_key.ts";
import { importInTotoKey } from "../in_toto_metablock.ts";
import { Work } from "./_glob.ts";
import { applyRules, sameArtifacts } from "./_rules.ts";
import { readSignedDocument, type SignedDocument } from "./_signed_document.ts";
import { type Layout, type LayoutItem, type LayoutStep, readLayout } from "./layout.ts";
import { artifactsOf, type Link, type LinkArtifacts, readLink } from "./link.ts";
import type { Functionary, LayoutChain, LayoutTrust, StepReport } from "./verify_layout.ts";

/** What holds for a layout and all of its sublayouts. */
export interface VerificationSettings extends Pick<LayoutTrust, "runInspection"> {
  /** Finds a link by its name. */
  readonly find: (name: string) => Promise<string | Uint8Array | undefined>;
  readonly now: Date;
  readonly maxDepth: number;
  readonly maxLinks: number;
}

/** Whose a layout has to be, and where its links are. */
interface LayoutPlace {
  readonly keys: readonly TrustedKey[];
  readonly threshold: number;
  /** Folder of its links, with a `/` at the end unless it is the outermost. */
  readonly scope: string;
  readonly depth: number;
}

/** Why a link is not just one that does not count. */
const FATAL: readonly Reason[] = [
  "internal-error",
  "limit-exceeded",
  "store-unavailable",
  "unreadable-file",
];

/** A link that counts. */
interface CountedLink {
  readonly functionary: Functionary;
  readonly link: Link;
}

/** One verification of a layout with its sublayouts; writes down what it looked at. */
export class LayoutVerification {
  /** What was looked at. */
  readonly list = new CheckList();
  /** What is unexpected and refuses nothing. */
  readonly warnings: string[] = [];
  readonly #settings: VerificationSettings;
  readonly #work = new Work();
  #links = 0;

  constructor(settings: VerificationSettings) {
    this.#settings = settings;
  }

  /**
   * Verifies one layout; undefined if it is refused, which a check then tells.
   *
   * Source: in-toto specification 1.0, 5.2.
   */
  async layout(
    document: SignedDocument,
    { keys, threshold, scope, depth }: LayoutPlace,
  ): Promise<LayoutChain | undefined> {
    const { list } = this;
    const before = list.checks.length;
    const of = scope === "" ? "layout" : `sublayout ${printable(scope, 160)}`;
    const accepted = await document.signedBy(keys, this.#settings.now);
    if (accepted.length < threshold) {
      return void list.refused(
        "envelope.layout-signature",
        accepted.length === 0 ? "invalid-signature" : "threshold-not-met",
        `Cannot accept ${of}: ${accepted.length} of ${threshold} required owners signed it`,
      );
    }
    const owners = accepted.map(({ name }) => name);
    list.passed("envelope.layout-signature", `Owners who signed the ${of}: ${accepted.length}`, {
      actual: owners.join(", "),
    });
    const layout = readLayout(document.value);
    this.#judgeExpiry(layout, of);
    const steps: StepReport[] = [];
    for (const step of layout.steps) {
      const found = await this.#step(step, { layout, scope, depth });
      if (found !== undefined) steps.push(found);
    }
    // Rules look at all steps: without one of them they would say what is not so.
    if (steps.length < layout.steps.length) return undefined;
    const links = new Map<string, LinkArtifacts>(steps.map(({ name, link }) => [name, link]));
    layout.steps.forEach((step, i) => this.#judgeRules(step, links, { scope, at: `/steps/${i}` }));
    await this.#inspect(layout, links, scope);
    if (list.checks.slice(before).some(({ outcome }) => outcome === "failed")) return undefined;
    return { layout, owners, steps, summary: summaryOf(steps) };
  }

  #judgeExpiry({ expires }: Layout, of: string): void {
    const actual = expires.toISOString();
    if (this.#settings.now <= expires) {
      this.list.passed("envelope.layout-expiry", `The ${of} is valid until ${actual}`);
      return;
    }
    this.list.refused(
      "envelope.layout-expiry",
      "attestation-expired",
      `Cannot accept ${of}: it expired at ${actual}`,
      { actual },
    );
  }

  /** Who carried out a step, and what they say of it. */
  async #step(
    step: LayoutStep,
    { layout, scope, depth }: { layout: Layout; scope: string; depth: number },
  ): Promise<StepReport | undefined> {
    const { list } = this;
    const id = "envelope.step";
    const called = quote(`${scope}${step.name}`);
    const keyids = [...new Set(step.pubkeys)];
    const prefixes = keyids.map((keyid) => keyid.slice(0, 8));
    if (new Set(prefixes).size < prefixes.length) {
      return void list.refused(
        id,
        "link-collision",
        `Cannot verify step ${called}: two of its keys have ids that begin alike`,
      );
    }
    const counted: CountedLink[] = [];
    const distinct = new Set<string>();
    let refusal: AttestationError | undefined;
    for (const keyid of keyids) {
      const name = `${scope}${step.name}.${keyid.slice(0, 8)}`;
      try {
        const source = await this.#settings.find(`${name}.link`);
        if (source === undefined) continue;
        this.#count();
        const key = await keyOf(layout.keys, keyid);
        const document = readSignedDocument(source);
        if ((await document.signedBy([key], this.#settings.now)).length === 0) {
          throw refused("invalid-signature", `the key ${keyid.slice(0, 8)} did not sign ${name}`);
        }
        const found = await this.#linkOf(document, { step, key, name, depth });
        if (found === undefined) return undefined;
        distinct.add(key.fingerprint);
        const { link, sublayout } = found;
        const functionary: Functionary = {
          keyid,
          fingerprint: key.fingerprint,
          link: `${name}.link`,
          ...(sublayout === undefined ? {} : { sublayout }),
        };
        counted.push({ functionary, link });
      } catch (thrown) {
        const error = asRefusal(thrown);
        // One that could not be asked for or is too large may be the one that disagrees.
        if (FATAL.includes(error.reason)) return void list.failed(id, error);
        refusal ??= error;
      }
    }
    if (distinct.size < step.threshold) {
      const reason = distinct.size === 0 ? refusal?.reason : undefined;
      const why = refusal === undefined ? "" : `; ${refusal.message}`;
      return void list.refused(
        id,
        reason ?? "threshold-not-met",
        `Cannot verify step ${called}: ${distinct.size} of ${step.threshold} required keys ` +
          `that may carry it out signed a link${why}`,
      );
    }
    const [{ link }, ...others] = counted;
    const other = others.find((one) =>
      !sameArtifacts(one.link.materials, link.materials) ||
      !sameArtifacts(one.link.products, link.products)
    );
    if (other !== undefined) {
      const names = [counted[0], other].map(({ functionary }) => quote(functionary.link));
      return void list.refused(
        "statement.links",
        "links-disagree",
        `Cannot verify step ${called}: ${names.join(" and ")} have other materials or products`,
      );
    }
    list.passed(id, `Step ${called}: ${distinct.size} keys signed, needed: ${step.threshold}`, {
      actual: counted.map(({ functionary }) => functionary.link).join(", "),
      origin: "signed",
    });
    this.#compareCommands(step, counted, called);
    return {
      name: step.name,
      threshold: step.threshold,
      functionaries: counted.map(({ functionary }) => functionary),
      link,
    };
  }

  #count(): void {
    if (++this.#links > this.#settings.maxLinks) {
      throw refused("limit-exceeded", `more than ${this.#settings.maxLinks} links`);
    }
  }

  /** A link, or the summary of a sublayout; undefined if the sublayout is refused. */
  async #linkOf(
    document: SignedDocument,
    { step, key, name, depth }: { step: LayoutStep; key: TrustedKey; name: string; depth: number },
  ): Promise<{ link: Link; sublayout?: LayoutChain } | undefined> {
    if (document.value._type !== "layout") {
      const link = readLink(document.value);
      if (link.name !== step.name) {
        throw refused(
          "link-mismatch",
          `${name} is a link of the step ${quote(link.name)}, not of ${quote(step.name)}`,
        );
      }
      return { link };
    }
    if (depth === this.#settings.maxDepth) {
      throw refused("limit-exceeded", `sublayouts more than ${depth} deep`);
    }
    let sublayout: LayoutChain | undefined;
    try {
      // Whoever may carry out the step owns its layout, and nobody else.
      const place = { keys: [key], threshold: 1, scope: `${name}/`, depth: depth + 1 };
      sublayout = await this.layout(document, place);
    } catch (error) {
      this.list.failed("envelope.sublayout", error);
    }
    if (sublayout === undefined) return undefined;
    return { link: { ...sublayout.summary, name: step.name }, sublayout };
  }

  #compareCommands(
    { expectedCommand }: LayoutStep,
    counted: readonly CountedLink[],
    called: string,
  ): void {
    if (expectedCommand.length === 0) return;
    for (const { functionary, link } of counted) {
      const isSame = link.command.length === expectedCommand.length &&
        link.command.every((word, i) => word === expectedCommand[i]);
      if (isSame || functionary.sublayout !== undefined) continue;
      this.warnings.push(
        `Step ${called} was carried out by the command ${quote(link.command.join(" "))}, ` +
          `expected ${quote(expectedCommand.join(" "))}`,
      );
    }
  }

  #judgeRules(
    { name, materialRules, productRules }: LayoutItem,
    links: ReadonlyMap<string, LinkArtifacts>,
    { scope, at }: { scope: string; at: string },
  ): void {
    const called = quote(`${scope}${name}`);
    for (
      const [side, rules] of [["materials", materialRules], ["products", productRules]] as const
    ) {
      const id = `statement.${side}`;
      try {
        const path = `${at}/expected_${side}`;
        applyRules({ name, side, rules }, links, { path, work: this.#work });
        this.list.passed(id, `The ${side} of ${called} keep ${rules.length} rules`);
      } catch (error) {
        this.list.failed(id, error);
      }
    }
  }

  async #inspect(
    { inspections }: Layout,
    links: Map<string, LinkArtifacts>,
    scope: string,
  ): Promise<void> {
    const { runInspection } = this.#settings;
    for (const inspection of inspections) {
      const id = "statement.inspection";
      const called = quote(`${scope}${inspection.name}`);
      if (runInspection === undefined) {
        const message = `Cannot verify inspection ${called}: nothing runs its command`;
        this.list.refused(id, "inspection-not-run", message);
        continue;
      }
      // No command of a layout that is refused is run.
      if (this.list.error !== undefined) return;
      try {
        const { returnValue, materials, products } = await runInspection(inspection, scope);
        if (returnValue !== 0) {
          throw refused("inspection-failed", `its exit status is ${String(returnValue)}`);
        }
        links.set(inspection.name, {
          materials: artifactsOf(materials, "/materials"),
          products: artifactsOf(products, "/products"),
        });
        this.list.passed(id, `The command of ${called} ran`);
      } catch (cause) {
        const why = cause instanceof Error ? `: ${printable(cause.message, 200)}` : "";
        const message = `Cannot verify inspection ${called}${why}`;
        this.list.failed(id, new AttestationError("inspection-failed", message, { cause }));
        return;
      }
    }
    if (runInspection === undefined) return;
    inspections.forEach((one, i) => this.#judgeRules(one, links, { scope, at: `/inspect/${i}` }));
  }
}

async function keyOf(
  keys: Readonly<Record<string, JsonObject>>,
  keyid: string,
): Promise<TrustedKey> {
  if (!Object.hasOwn(keys, keyid)) {
    throw refused("missing-trusted-key", `the layout has no key ${keyid.slice(0, 8)}`);
  }
  return await importInTotoKey(keys[keyid], keyid.slice(0, 8));
}

function summaryOf(steps: readonly StepReport[]): Link {
  const first = steps.at(0)?.link, last = steps.at(-1)?.link;
  return {
    name: "",
    command: last?.command ?? [],
    materials: first?.materials ?? {},
    products: last?.products ?? {},
    byproducts: last?.byproducts ?? {},
  };
}

function refused(reason: Reason, what: string): AttestationError {
  return new AttestationError(reason, `Cannot verify supply chain: ${what}`);
}
