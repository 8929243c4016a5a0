import { AttestationError } from "../errors.ts";
import type { Envelope } from "../dsse/envelope.ts";
import { decodeUtf8, isObject, parseJson, quote } from "../internal/json.ts";
import type { SigningContent } from "../sigstore/sign/options.ts";
import { parseArgs, type ParsedArgs, usageError } from "./args.ts";
import { inFile } from "./in_file.ts";
import {
  checkOutputOptions,
  checkOutputs,
  outputOf,
  type Product,
  STDOUT,
  tellFailure,
  tellProducts,
  tellSkipped,
  writeProducts,
} from "./output.ts";
import { refuseInputs } from "./inputs.ts";
import { inPhase } from "./phase.ts";
import { readBounded, type Runtime } from "./runtime.ts";
import { SIGN_OPTIONS } from "./sign_options.ts";
import { checkSigningOptions, readSigning, type Signing, withheld } from "./signing.ts";

/** A file that is signed as a whole is held in memory, as WebCrypto wants it. */
const MAX_FILE_BYTES = 1 << 30;
const MAX_PAYLOAD_BYTES = 16 << 20;
const MAX_ENVELOPE_BYTES = 32 << 20;
const IN_TOTO = "application/vnd.in-toto+json";

/** `sign`: files, or payloads, to signatures; another signature for an envelope. */
export async function runSign(args: readonly string[], runtime: Runtime): Promise<number> {
  const parsed = parseArgs(args, SIGN_OPTIONS);
  return await tellFailure("sign", parsed, runtime, () => sign(parsed, runtime));
}

async function sign(args: ParsedArgs, runtime: Runtime): Promise<number> {
  checkContentOptions(args);
  checkSigningOptions(args);
  checkOutputOptions(args);
  const why = await withheld(args, runtime);
  if (why !== undefined) return tellSkipped(why, args, runtime);
  const envelope = args.get("envelope");
  const paths = envelope === undefined ? args.operands : [envelope];
  const outputs = (suffix: string): string[] =>
    paths.map((path) => {
      // An envelope gets its signature where it lies, if --force says so.
      if (envelope !== undefined) return args.get("output") ?? envelope;
      return outputOf(args, path === STDOUT ? undefined : path, suffix);
    });
  await inPhase("upload", () => checkOutputs(outputs(".sigstore.json"), args, runtime));
  const signing = await inPhase("signing", () => readSigning(args, runtime));
  const isInToto = args.get("payload-type") === IN_TOTO;
  const suffix = signing.suffix === ".intoto.json" && !isInToto ? ".dsse.json" : signing.suffix;
  const files = outputs(suffix);
  await inPhase("upload", async () => {
    await refuseInputs(files, args, runtime, ["envelope"]);
    await checkOutputs(files, args, runtime);
  });
  const products: Product[] = [];
  for (const [i, path] of paths.entries()) {
    products.push(
      envelope === undefined
        ? await signFile(path, files[i], args, runtime, signing)
        : await addSignature(path, files[i], runtime, signing),
    );
  }
  await inPhase("upload", () => writeProducts(products, args, runtime));
  await tellProducts(products, args, runtime);
  return 0;
}

function checkContentOptions(args: ParsedArgs): void {
  const { operands } = args;
  if (args.has("envelope")) {
    if (operands.length > 0) throw usageError("--envelope excludes a file: it has its payload");
    for (const name of ["dsse", "payload-type", "bundle-format"]) {
      if (args.has(name)) throw usageError(`--envelope and --${name} exclude each other`);
    }
    if (!args.has("key")) {
      throw usageError("--envelope needs --key: an envelope has no place for a certificate");
    }
    return;
  }
  if (operands.length === 0) {
    throw new AttestationError("artifact-required", "Cannot sign: name a file, or give --envelope");
  }
  if (new Set(operands).size < operands.length) throw usageError("A file is named twice");
  if (operands.length > 1 && args.has("output")) {
    throw usageError("--output is for one file, not for several");
  }
  if (args.has("dsse") !== args.has("payload-type")) {
    throw usageError("--dsse and --payload-type go together");
  }
  const type = args.get("payload-type");
  if (type !== undefined && !/^[\x21-\x7e]+$/.test(type)) {
    throw usageError(`--payload-type is ASCII without spaces, not ${quote(type)}`);
  }
  const isEnvelope = args.all("key").length > 1 || args.get("bundle-format") === "dsse";
  if (isEnvelope && !args.has("dsse")) {
    throw usageError(
      "Only an envelope can have several signatures or stand alone: give --dsse --payload-type",
    );
  }
}

async function signFile(
  path: string,
  file: string,
  args: ParsedArgs,
  runtime: Runtime,
  signing: Signing,
): Promise<Product> {
  const payloadType = args.get("payload-type");
  const limit = payloadType === undefined ? MAX_FILE_BYTES : MAX_PAYLOAD_BYTES;
  const bytes = await inPhase(
    "build",
    async () =>
      path === STDOUT ? await runtime.readStdin(limit) : await readBounded(runtime, path, limit),
  );
  const content: SigningContent = payloadType === undefined
    ? { artifact: bytes }
    : { payloadType, payload: bytes };
  const signed = await inPhase("signing", () => signing.sign(content));
  const product = { file, signed, about: [path === STDOUT ? "standard input" : path] };
  if (path === STDOUT || payloadType !== undefined) return product;
  return { ...product, verify: [path.startsWith("-") ? `./${path}` : path] };
}

async function addSignature(
  path: string,
  file: string,
  runtime: Runtime,
  signing: Signing,
): Promise<Product> {
  const envelope = await inPhase("build", () =>
    inFile("envelope", path, async () => {
      const text = decodeUtf8(
        path === STDOUT
          ? await runtime.readStdin(MAX_ENVELOPE_BYTES)
          : await readBounded(runtime, path, MAX_ENVELOPE_BYTES),
      );
      const value = parseJson(text);
      if (isObject(value) && "dsseEnvelope" in value) {
        throw new AttestationError(
          "malformed-envelope",
          "Cannot add signature: a Sigstore bundle has one signature; sign its payload again",
        );
      }
      const { parseEnvelope } = await import("../dsse/envelope.ts");
      parseEnvelope(text);
      return value as unknown as Envelope;
    }));
  const signed = await inPhase("signing", () => signing.addTo(envelope));
  return { file, signed, about: [path === STDOUT ? "standard input" : path] };
}
