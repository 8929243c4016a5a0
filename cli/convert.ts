import { AttestationError } from "../errors.ts";
import { RAW_TYPE } from "../formats/statement.ts";
import { createConversion, type VerifiedSaying } from "../formats/convert.ts";
import { quote } from "../internal/json.ts";
import { encodeStatement } from "../intoto/statement.ts";
import type { AttestationReport, VerificationReport } from "../verify/report.ts";
import { parseArgs, ParsedArgs, usageError } from "./args.ts";
import { splitPath } from "./artifacts.ts";
import { CONVERT_OPTIONS, CONVERT_TRUST_OPTIONS } from "./convert_options.ts";
import type { Enforced } from "./expectations.ts";
import { refuseInputs } from "./inputs.ts";
import { REFUSED, VERIFIED } from "./main.ts";
import {
  checkOutputOptions,
  checkOutputs,
  describeSubject,
  outputOf,
  type Product,
  tellFailure,
  tellProducts,
  writeProducts,
} from "./output.ts";
import { inPhase } from "./phase.ts";
import { present } from "./present.ts";
import type { Runtime } from "./runtime.ts";
import { checkSigningOptions, readSigning } from "./signing.ts";
import { safeJson } from "./text.ts";
import { type Run, verifyArguments, type VerifyDependencies } from "./verify_artifacts.ts";

const PAYLOAD_TYPE = "application/vnd.in-toto+json";
const URI = /^[A-Za-z][A-Za-z0-9+.-]*:[!-~]+$/;

/** `convert`: what was verified in an old form becomes a Statement that somebody else signs. */
export async function runConvert(
  args: readonly string[],
  runtime: Runtime,
  dependencies?: VerifyDependencies,
): Promise<number> {
  const parsed = parseArgs(args, CONVERT_OPTIONS);
  return await tellFailure(
    "convert",
    parsed,
    runtime,
    () => convert(parsed, runtime, dependencies),
  );
}

async function convert(
  args: ParsedArgs,
  runtime: Runtime,
  dependencies: VerifyDependencies | undefined,
): Promise<number> {
  const { document, artifacts, origin } = readWork(args);
  const signingArgs = signerArgs(args);
  checkSigningOptions(signingArgs);
  checkOutputOptions(args);
  const beside = artifacts.length === 1 && !args.has("digest") && !args.has("checksums")
    ? artifacts[0]
    : undefined;
  const isDsse = args.get("bundle-format") === "dsse";
  const file = outputOf(args, beside, isDsse ? ".intoto.json" : ".sigstore.json");
  await inPhase("upload", async () => {
    await refuseInputs([file], args, runtime);
    await checkOutputs([file], args, runtime);
  });
  const signing = await inPhase("signing", () => readSigning(signingArgs, runtime));

  const { report, run } = await verifyArguments(
    verifyArgs(args, document, artifacts),
    runtime,
    dependencies,
  );
  if (!report.ok) return await tellRefused(report, run, args, runtime);
  const bytes = await documentOf(document, run);
  const statement = await inPhase(
    "generation",
    () => Promise.resolve(createConversion(sayingOf(report, run), { ...origin, document: bytes })),
  );
  const product: Product = {
    file,
    signed: await inPhase(
      "signing",
      () => signing.sign({ payloadType: PAYLOAD_TYPE, payload: encodeStatement(statement) }),
    ),
    about: statement.subject.map(describeSubject),
    predicateType: statement.predicateType,
    subjects: statement.subject,
    verify: artifacts.length > 0
      ? artifacts.map((path) => path.startsWith("-") ? `./${path}` : path)
      : statement.subject.flatMap(({ digest = {} }) =>
        Object.entries(digest).slice(0, 1).map(([algorithm, hex]) => `${algorithm}:${hex}`)
      ),
  };
  await inPhase("upload", () => writeProducts([product], args, runtime));
  await tellProducts([product], args, runtime);
  return VERIFIED;
}

/** What is to be converted, and what is said of it. */
function readWork(args: ParsedArgs) {
  const [document, ...artifacts] = args.operands;
  if (document === undefined) throw usageError("convert takes a file: the old form");
  if (document.endsWith(".jsonl")) {
    throw usageError(`${quote(document)} holds lines of attestations: give one in a file`);
  }
  const required = (name: string): string => {
    const value = args.get(name);
    if (value === undefined) throw usageError(`convert needs --${name}`);
    return value;
  };
  const uri = (name: string): string => {
    const value = required(name);
    if (!URI.test(value)) throw usageError(`--${name} is a URI, not ${quote(value)}`);
    return value;
  };
  const mediaType = args.get("media-type");
  if (mediaType !== undefined && !/^[!-.0-~]+\/[!-~]+$/.test(mediaType)) {
    throw usageError(`--media-type is a type such as application/jose, not ${quote(mediaType)}`);
  }
  required("signing-key");
  return {
    document,
    artifacts,
    origin: {
      attester: uri("attester"),
      downloadLocation: uri("download-location"),
      ...(mediaType === undefined ? {} : { mediaType }),
    },
  };
}

/** The same as `attest` is told: a trusted key and one that signs have options of their own here. */
function signerArgs(args: ParsedArgs): ParsedArgs {
  const own = new ParsedArgs();
  const names = [
    ["signing-key", "key"],
    ["signing-keyid", "keyid"],
    ["passphrase-file", "passphrase-file"],
    ["bundle-format", "bundle-format"],
  ] as const;
  for (const [name, other] of names) {
    for (const value of args.all(name)) own.add(other, value);
  }
  return own;
}

/** The same as `verify` is told. Without an artifact the new Statement says no more than the old. */
function verifyArgs(args: ParsedArgs, document: string, artifacts: readonly string[]): ParsedArgs {
  const own = new ParsedArgs();
  own.operands.push(...artifacts);
  for (const { name } of CONVERT_TRUST_OPTIONS) {
    for (const value of args.all(name)) own.add(name, value);
  }
  own.add("bundle", document);
  if (artifacts.length === 0 && !args.has("digest") && !args.has("checksums")) {
    own.add("unsafe-no-artifact", "");
  }
  return own;
}

async function tellRefused(
  report: VerificationReport,
  run: Run,
  args: ParsedArgs,
  runtime: Runtime,
): Promise<number> {
  runtime.write("stderr", await present(report, "text", run, false));
  runtime.write("stderr", "Nothing is written: the old form was not verified\n");
  if (args.get("format") === "json") {
    const { errorReason, artifacts } = report;
    const failure = { ok: false, phase: "verification", errorReason, artifacts };
    runtime.write("stdout", `${safeJson(failure, 2)}\n`);
  }
  return REFUSED;
}

/** The bytes that were verified: the file is not read again. */
async function documentOf(path: string, { files }: Run): Promise<Uint8Array> {
  const { attestations } = await files.load([path]);
  const content = attestations[0]?.content;
  if (attestations.length !== 1 || !(content instanceof Uint8Array)) {
    throw usageError(`${quote(path)} is no single attestation`);
  }
  return content;
}

/** What the one attestation of a report said; nothing of it is from what nobody signed. */
function sayingOf({ artifacts }: VerificationReport, { enforced }: Run): VerifiedSaying {
  const rows = artifacts.map(({ artifact, digest, attestations }) => ({
    artifact,
    digest,
    one: attestations.length === 1 ? attestations[0] : undefined,
  }));
  const [{ one }] = rows;
  if (one === undefined) throw usageError("convert takes one attestation: the file holds several");
  const { statement, format } = one;
  const signers = signersOf(one, enforced);
  if (statement !== undefined) {
    const { subject, predicateType } = statement;
    return { format, subject, predicateType, signers, coverage: one.foreign?.coverage };
  }
  if (rows.some(({ digest }) => Object.keys(digest).length === 0)) {
    throw new AttestationError(
      "unsupported-payload-type",
      "Cannot convert: what was signed is neither a Statement nor an artifact that is given",
    );
  }
  // The artifact itself is signed: its name is what the caller says, its digest what was hashed.
  const subject = rows.map(({ artifact, digest }) => {
    const isName = !/^[A-Za-z0-9-]+:[0-9a-f]+$/.test(artifact);
    return { ...(isName ? { name: splitPath(artifact).name } : {}), digest };
  });
  return { format, subject, predicateType: RAW_TYPE, signers };
}

/** SHA-256 of keys; the identity of whoever signed with a certificate of Sigstore. */
function signersOf(
  { signers, foreign }: AttestationReport,
  { options: { trust = {} } }: Enforced,
): readonly string[] {
  if (foreign !== undefined) return foreign.fingerprints;
  const { keys = [], keySets = [] } = trust;
  const all = [...keys, ...keySets.flatMap((set) => set.keys.map(({ key }) => key))];
  return signers.map((name) => {
    const own = new Set(all.filter((key) => key.name === name).map((key) => key.fingerprint));
    if (own.size > 1) throw usageError(`Several trusted keys have the name ${quote(name)}`);
    return [...own][0] ?? name;
  });
}
