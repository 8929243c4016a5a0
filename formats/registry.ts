import { AttestationError } from "../errors.ts";
import type { JsonObject } from "../internal/json.ts";
import { isAuthenticode, isCmsSignature, isJar, isUefi } from "./_attached_marks.ts";
import { isApk } from "./_zip_marks.ts";
import { cycloneDxDocument, spdxDocument } from "./bare_documents.ts";
import { binaryAuthorization } from "./binary_authorization.ts";
import { detectCose, detectNotationCose } from "./_cose_marks.ts";
import { dsse } from "./dsse_format.ts";
import { explainedModule, EXPLANATIONS } from "./explained.ts";
import type { Confidence, FormatHint, FormatLayer, FormatModule } from "./format.ts";
import type { FormatId } from "./format_id.ts";
import { FormatInput } from "./format_input.ts";
import { inTotoMetablock } from "./in_toto_metablock.ts";
import { jws } from "./jws.ts";
import { minisign, signify } from "./minisign.ts";
import { notationJws } from "./notation_jws.ts";
import { openPgpConfidence, rpmConfidence } from "./_openpgp_marks.ts";
import { paseto } from "./paseto.ts";
import { checkpoint, signedNote, tlogProof } from "./signed_note.ts";
import { isTufTargets } from "./_tuf_subjects.ts";

/** A format as the registry knows it: its detection, and its module on use. */
export interface FormatEntry {
  /** Its name. */
  readonly id: FormatId;
  /** Its place in the model. */
  readonly layer: FormatLayer;
  /** `verified`, `unsigned` (there is no signature in it), or `explained` only. */
  readonly support: "verified" | "unsigned" | "explained";
  /** How sure it is that a document is its own. */
  detect(input: FormatInput): Confidence;
  /** The module; one with a dependency is loaded only here. */
  load(): Promise<FormatModule<unknown>>;
}

function entryOf(module: FormatModule<never>, support: FormatEntry["support"]): FormatEntry {
  const { id, layer } = module;
  return {
    id,
    layer,
    support,
    detect: (input) => module.detect(input),
    load: () => Promise.resolve(module as FormatModule<unknown>),
  };
}

/** A format whose module lies in an entry of its own: only its marks are here. */
interface OptionalFormat extends Pick<FormatEntry, "id" | "layer" | "detect" | "load"> {
  support?: FormatEntry["support"];
}

const OPTIONAL: readonly OptionalFormat[] = [
  {
    id: "cms-signature",
    layer: "envelope",
    detect: isCmsSignature,
    load: async () => (await import("./attached/mod.ts")).cmsSignature,
  },
  {
    id: "authenticode",
    layer: "attached",
    detect: isAuthenticode,
    load: async () => (await import("./attached/mod.ts")).authenticode,
  },
  {
    id: "uefi",
    layer: "attached",
    detect: isUefi,
    load: async () => (await import("./attached/mod.ts")).uefi,
  },
  {
    id: "apk",
    layer: "attached",
    detect: (input) => isApk(input) ? 3 : 0,
    load: async () => (await import("./attached/mod.ts")).apk,
  },
  {
    id: "jar",
    layer: "attached",
    detect: isJar,
    load: async () => (await import("./attached/mod.ts")).jar,
  },
  {
    id: "cose-sign1",
    layer: "envelope",
    detect: detectCose,
    load: async () => (await import("./cose/mod.ts")).coseSign1,
  },
  {
    id: "notation-cose",
    layer: "envelope",
    detect: detectNotationCose,
    load: async () => (await import("./cose/mod.ts")).notationCose,
  },
  {
    id: "tuf-targets",
    layer: "envelope",
    detect: isTufTargets,
    // Loaded on use, with the readers of TUF.
    load: async () => (await import("./tuf_targets.ts")).tufTargets,
  },
  {
    id: "openpgp",
    layer: "envelope",
    detect: openPgpConfidence,
    load: async () => (await import("./openpgp/mod.ts")).openPgpFormat,
  },
  {
    id: "rpm",
    layer: "attached",
    detect: rpmConfidence,
    load: async () => (await import("./openpgp/mod.ts")).rpmFormat,
  },
];

/** Every format that is read here. */
export const FORMATS: readonly FormatEntry[] = [
  ...[
    binaryAuthorization,
    checkpoint,
    dsse,
    inTotoMetablock,
    jws,
    minisign,
    notationJws,
    paseto,
    signedNote,
    signify,
    tlogProof,
  ].map((module) => entryOf(module as FormatModule<never>, "verified")),
  ...[cycloneDxDocument, spdxDocument].map((module) =>
    entryOf(module as FormatModule<never>, "unsigned")
  ),
  ...OPTIONAL.map((one): FormatEntry => ({ support: "verified", ...one })),
  ...EXPLANATIONS.map((one) =>
    entryOf(
      explainedModule(one, (bytes) => new FormatInput(bytes)) as FormatModule<never>,
      "explained",
    )
  ),
];

/**
 * Tells what format a document is in, by its marks; undefined if by none.
 *
 * @throws {AttestationError} `ambiguous-format` if it has the marks of two.
 */
export function identify(bytes: Uint8Array, hint?: FormatHint): FormatEntry | undefined {
  const input = new FormatInput(bytes, hint);
  let best: Confidence = 0;
  let found: FormatEntry[] = [];
  for (const entry of FORMATS) {
    const confidence = safely(entry, input);
    if (confidence === 0 || confidence < best) continue;
    if (confidence > best) found = [];
    best = confidence;
    found.push(entry);
  }
  const names: string[] = found.map(({ id }) => id);
  if (found.length > 0) names.push(...ownMarks(input.json));
  if (names.length > 1) {
    throw new AttestationError(
      "ambiguous-format",
      `Cannot read document: it has the marks of ${names.join(" and ")}`,
    );
  }
  return found[0];
}

/** Marks of what `verify()` reads without this registry. */
function ownMarks(json: JsonObject | undefined): string[] {
  if (json === undefined) return [];
  const has = (name: string) => Object.hasOwn(json, name);
  const marks: string[] = [];
  const isBundleType = typeof json.mediaType === "string" &&
    json.mediaType.startsWith("application/vnd.dev.sigstore.bundle");
  if (has("verificationMaterial") || has("dsseEnvelope") || isBundleType) {
    marks.push("sigstore-bundle");
  }
  if (has("_type") && has("predicateType")) marks.push("statement");
  return marks;
}

/** A detection that fails has not recognised anything. */
function safely(entry: FormatEntry, input: FormatInput): Confidence {
  try {
    return entry.detect(input);
  } catch {
    return 0;
  }
}
