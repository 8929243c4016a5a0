import { AttestationError, isAttestationError, type Reason } from "../errors.ts";
import { utf8 } from "../internal/bytes.ts";
import { printable, quote } from "../internal/json.ts";
import { attachAttestation } from "../store/oci/attach.ts";
import { type Claims, readClaims, states } from "../store/claims.ts";
import { resolveImage, selectParts } from "../store/oci/image.ts";
import { formatOciPlatform, parseOciPlatform } from "../store/oci/platform.ts";
import type { OciDescriptor, OciSource, OciTarget } from "../store/oci/source.ts";
import { parseArgs, type ParsedArgs, usageError } from "./args.ts";
import { ATTACH_OPTIONS } from "./attach_options.ts";
import { MAX_ATTESTATION_BYTES } from "./attestations.ts";
import { namesImage, noImage, openImage } from "./images.ts";
import { COULD_NOT_RUN, describeFailure, REFUSED, VERIFIED } from "./main.ts";
import { readBounded, type Runtime } from "./runtime.ts";
import { plural, safeJson } from "./text.ts";

/** A manifest of the image, to which something can be attached. */
interface Place {
  descriptor: OciDescriptor;
  /** What it is, for people: platforms, or that it is the index. */
  what: string;
  isIndex: boolean;
}

/** An attestation and where it goes. */
interface Work {
  source: string;
  content: Uint8Array;
  predicateType?: string;
  places: readonly Place[];
}

interface Done {
  attestation: string;
  predicateType?: string;
  subject: string;
  what: string;
  artifactType?: string;
  manifest?: string;
  listedBy?: string;
  outcome: "attached" | "was-there" | "would-attach";
}

/** Reasons that speak against an attestation, not against the run. */
const REFUSALS: readonly Reason[] = ["subject-mismatch", "unsigned-statement"];

/** `attach IMAGE`: hangs attestations on the manifests that they are about. */
export async function runAttach(args: readonly string[], runtime: Runtime): Promise<number> {
  const parsed = parseArgs(args, ATTACH_OPTIONS);
  const [operand, ...files] = [...parsed.operands, ...parsed.all("attestation")];
  if (operand === undefined || !namesImage(operand)) throw noImage(operand ?? "");
  if (files.length === 0) throw usageError("Say what to attach: attach IMAGE FILE…");
  if (parsed.has("index") && parsed.has("platform")) {
    throw usageError("--index and --platform exclude each other: an index has all platforms");
  }
  const { source, reference, label } = await openImage(operand, parsed, runtime);
  const target = writable(source);
  const attestations = (await Promise.all(files.map((file) => readFile(file, runtime)))).flat();
  const places = await placesOf(source, reference, parsed);
  let work: Work[];
  try {
    work = [];
    for (const one of attestations) work.push(await place(one, places, { args: parsed, label }));
  } catch (error) {
    if (!isAttestationError(error) || !REFUSALS.includes(error.reason)) throw error;
    runtime.write("stderr", describeFailure(error, "attach", runtime.program));
    return REFUSED;
  }
  const done: Done[] = [];
  try {
    for (const one of work) {
      for (const at of one.places) {
        done.push(await attach(one, at, { target, args: parsed, runtime }));
      }
    }
  } catch (error) {
    runtime.write("stderr", describeFailure(error, "attach", runtime.program));
    tell(done, { args: parsed, runtime, label });
    return COULD_NOT_RUN;
  }
  tell(done, { args: parsed, runtime, label });
  return VERIFIED;
}

/** A registry or a layout in a folder; a tar file refuses at the first write. */
function writable(source: OciSource): OciTarget {
  return source as OciTarget;
}

/** One attestation, or one a line. */
async function readFile(
  path: string,
  runtime: Runtime,
): Promise<{ source: string; content: Uint8Array }[]> {
  const bytes = await readBounded(runtime, path, MAX_ATTESTATION_BYTES);
  if (!path.endsWith(".jsonl")) return [{ source: path, content: bytes }];
  const lines = new TextDecoder().decode(bytes).split("\n");
  return lines.flatMap((line, i) =>
    line.trim() === "" ? [] : [{ source: `${path}#${i + 1}`, content: utf8(line.trim()) }]
  );
}

async function placesOf(
  source: OciSource,
  reference: string,
  args: ParsedArgs,
): Promise<Place[]> {
  const image = await resolveImage(source, reference);
  const asked = args.all("platform").map(parseOciPlatform);
  const { parts, missing } = await selectParts(source, image, asked);
  if (missing.length > 0) {
    const names = missing.map((one) => quote(formatOciPlatform(one))).join(", ");
    throw usageError(`The image has no platform ${names}`);
  }
  const platforms = parts.map(({ descriptor, platforms }) => ({
    descriptor,
    what: platforms.length === 0 ? "image" : platforms.map(formatOciPlatform).join(", "),
    isIndex: false,
  }));
  const { kind, mediaType, digest, bytes } = image.manifest;
  if (kind !== "index") return platforms;
  const index = {
    descriptor: { mediaType, digest, size: bytes.length },
    what: "index",
    isIndex: true,
  };
  return [index, ...platforms];
}

/** The manifests that an attestation is about, of those that are asked for. */
async function place(
  { source, content }: { source: string; content: Uint8Array },
  places: readonly Place[],
  { args, label }: { args: ParsedArgs; label: string },
): Promise<Work> {
  let claims: Claims;
  try {
    claims = await readClaims(content);
  } catch (cause) {
    if (!isAttestationError(cause)) throw cause;
    throw new AttestationError(cause.reason, `Cannot attach ${quote(source)}`, { cause });
  }
  const about = places.filter(({ descriptor: { digest } }) => {
    const colon = digest.indexOf(":");
    return states(claims, [{ algorithm: digest.slice(0, colon), value: digest.slice(colon + 1) }]);
  });
  const kept = about.filter(({ isIndex }) => !isIndex || args.has("index"));
  if (kept.length > 0) {
    const { predicateType } = claims;
    return {
      source,
      content,
      places: kept,
      ...(predicateType === undefined ? {} : { predicateType }),
    };
  }
  if (about.length > 0) {
    throw usageError(
      `${quote(source)} is about the index, not about a platform: add --index if that is meant`,
    );
  }
  const asked = args.has("platform") ? "the platforms that are asked for" : "any manifest";
  throw new AttestationError(
    "subject-mismatch",
    `Cannot attach ${quote(source)}: it is not about ${asked} of ${printable(label)}`,
  );
}

async function attach(
  { source, content, predicateType }: Work,
  { descriptor, what }: Place,
  { target, args, runtime }: { target: OciTarget; args: ParsedArgs; runtime: Runtime },
): Promise<Done> {
  const facts = {
    attestation: source,
    ...(predicateType === undefined ? {} : { predicateType }),
    subject: descriptor.digest,
    what,
  };
  if (args.has("dry-run")) return { ...facts, outcome: "would-attach" };
  const { now } = runtime;
  const { digest, created, listedBy, artifactType } = await attachAttestation(target, descriptor, {
    content,
    ...(now === undefined ? {} : { now }),
  });
  return {
    ...facts,
    artifactType,
    manifest: digest,
    ...(listedBy === undefined ? {} : { listedBy }),
    outcome: created ? "attached" : "was-there",
  };
}

const OUTCOMES = {
  "attached": "attached",
  "was-there": "was there already",
  "would-attach": "would be attached",
} as const;

function tell(
  done: readonly Done[],
  { args, runtime, label }: { args: ParsedArgs; runtime: Runtime; label: string },
): void {
  if (args.get("format") === "json") {
    runtime.write("stdout", `${safeJson({ image: label, attached: done }, 2)}\n`);
    return;
  }
  for (const { attestation, predicateType, subject, what, listedBy, outcome } of done) {
    const type = predicateType === undefined ? "" : ` (${printable(predicateType)})`;
    const by = listedBy === undefined ? "" : `, listed by ${listedBy}`;
    runtime.write(
      "stdout",
      `${printable(attestation)}${type}: ${OUTCOMES[outcome]}: ${
        printable(what)
      }, ${subject}${by}\n`,
    );
  }
  const count = done.filter(({ outcome }) => outcome === "attached").length;
  if (args.has("dry-run")) return;
  runtime.write("stderr", `${plural(count, "attestation")} attached to ${printable(label)}\n`);
}
