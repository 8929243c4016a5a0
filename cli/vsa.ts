import { decodeUtf8, quote } from "../internal/json.ts";
import type { ResourceDescriptor } from "../intoto/resource_descriptor.ts";
import { encodeStatement, type Statement } from "../intoto/statement.ts";
import type { Signer } from "../keys/signer.ts";
import type { NewVsa, VerifiedArtifacts } from "../slsa/vsa_create.ts";
import { parseTrackLevel } from "../slsa/vsa_level.ts";
import { digestArtifact } from "../verify/artifact.ts";
import type { VerificationReport } from "../verify/report.ts";
import { parseArgs, type ParsedArgs, suggestion, usageError } from "./args.ts";
import { openLazily, parseDigest, splitPath } from "./artifacts.ts";
import { inFile } from "./in_file.ts";
import { writeReport } from "./inputs.ts";
import { REFUSED, VERIFIED } from "./main.ts";
import { PROVENANCE_OPTIONS } from "./provenance_options.ts";
import { readBounded, type Runtime } from "./runtime.ts";
import { safeJson } from "./text.ts";
import { present } from "./present.ts";
import { runVerify } from "./verify.ts";
import { verifyArguments, type VerifyDependencies } from "./verify_artifacts.ts";
import { VERIFY_OPTIONS } from "./verify_options.ts";
import { VSA_CREATE_OPTIONS } from "./vsa_options.ts";

const MAX_KEY_BYTES = 1 << 20;
const ACTIONS = ["verify", "create"];

/** `vsa verify` and `vsa create`. */
export async function runVsa(
  args: readonly string[],
  runtime: Runtime,
  dependencies?: VerifyDependencies,
): Promise<number> {
  const [action, ...rest] = args;
  if (action === "create") return await create(rest, runtime, dependencies);
  if (action === "verify") {
    if (!parseArgs(rest, VERIFY_OPTIONS).has("vsa-verifier-id")) {
      throw usageError("vsa verify needs --verifier-id: whose word is believed");
    }
    return await runVerify(rest, runtime, dependencies);
  }
  throw usageError(
    action === undefined
      ? "vsa needs an action: verify or create"
      : `Unknown action ${quote(action)}: verify or create${suggestion(action, ACTIONS)}`,
  );
}

async function create(
  args: readonly string[],
  runtime: Runtime,
  dependencies: VerifyDependencies | undefined,
): Promise<number> {
  const parsed = parseArgs(args, VSA_CREATE_OPTIONS);
  const content = readContent(parsed);
  const signer = await readSigner(parsed, runtime);
  const { report, run } = await verifyArguments(parsed, runtime, dependencies);
  if (report.policy !== undefined) {
    content.policy.digest = { sha256: report.policy.policyDigest };
  }
  runtime.write("stderr", await present(report, "text", run, false));
  if (!report.ok && !parsed.has("failed")) return REFUSED;

  const inputAttestations = await usedAttestations(report, runtime);
  const subjects = namedSubjects(report);
  const { policy } = run.enforced.options;
  if (report.policy !== undefined && policy !== undefined) {
    const { levelsByPolicy } = await import("./vsa_policy.ts");
    const levels = levelsByPolicy(policy.document, report.policy);
    const stated = content.verifiedLevels?.some((word) => parseTrackLevel(word)?.track === "BUILD");
    subjects.artifacts = subjects.artifacts.map((artifact, i) => {
      const buildLevel = levels[i] ?? (stated ? 0 : undefined);
      return {
        ...artifact,
        attestations: buildLevel === undefined ? [] : [{ ok: true, buildLevel }],
      };
    });
  }
  const { createVsa } = await import("../slsa/vsa_create.ts");
  const statement = createVsa(subjects, {
    ...content,
    timeVerified: report.policy === undefined ? new Date() : new Date(report.policy.time),
    ...(inputAttestations.length === 0 ? {} : { inputAttestations }),
  });
  const text = await encode(statement, signer);
  await writeReport(text, parsed, VSA_CREATE_OPTIONS, runtime);
  if (signer === undefined) {
    runtime.write("stderr", "notice: The VSA is not signed; nobody should rely on it as it is\n");
  }
  return report.ok ? VERIFIED : REFUSED;
}

function readContent(args: ParsedArgs): Omit<NewVsa, "timeVerified"> {
  const required = (name: string): string => {
    const value = args.get(name);
    if (value === undefined) throw usageError(`vsa create needs --${name}`);
    return value;
  };
  if (args.has("signing-keyid") && !args.has("signing-key")) {
    throw usageError("--signing-keyid needs --signing-key");
  }
  const policy: ResourceDescriptor = { uri: required("policy-uri") };
  const policyDigest = args.get("policy-digest");
  if (policyDigest !== undefined) {
    if (args.has("policy")) {
      throw usageError(
        "--policy-digest and --policy exclude each other: its own digest is written",
      );
    }
    const digest = parseDigest(policyDigest);
    if (digest === undefined) {
      throw usageError(`--policy-digest is ALG:HEX, not ${quote(policyDigest)}`);
    }
    policy.digest = digest;
  }
  const content: Omit<NewVsa, "timeVerified"> = {
    verifier: { id: required("verifier-id") },
    resourceUri: required("resource-uri"),
    policy,
  };
  const levels = args.all("level");
  const judged = args.has("policy") || PROVENANCE_OPTIONS.some(({ name }) => args.has(name));
  const unfounded = levels.find((word) => parseTrackLevel(word)?.track === "BUILD");
  if (!judged && unfounded !== undefined) {
    throw usageError(
      `--level ${quote(unfounded)} needs what provenance must say, such as --source-uri`,
    );
  }
  if (!judged && levels.length === 0) {
    throw usageError("vsa create needs --level, or what provenance must say, such as --source-uri");
  }
  if (levels.length > 0) content.verifiedLevels = levels;
  const counts = args.all("dependency-level");
  if (counts.length > 0) {
    content.dependencyLevels = Object.fromEntries(counts.map((text) => {
      const match = /^([^=]+)=(\d{1,9})$/.exec(text);
      if (match === null) throw usageError(`--dependency-level is LEVEL=N, not ${quote(text)}`);
      return [match[1], Number(match[2])];
    }));
  }
  return content;
}

async function readSigner(args: ParsedArgs, runtime: Runtime): Promise<Signer | undefined> {
  const path = args.get("signing-key");
  if (path === undefined) return undefined;
  const keyid = args.get("signing-keyid");
  const { importSigner } = await import("../keys/signer.ts");
  return await inFile(
    "signing key",
    path,
    async () =>
      await importSigner(
        decodeUtf8(await readBounded(runtime, path, MAX_KEY_BYTES)),
        keyid === undefined ? {} : { keyid },
      ),
  );
}

type Mutable<T> = { -readonly [name in keyof T]: T[name] };

/** Subjects by the name of their file: a path of this machine means nothing elsewhere. */
function namedSubjects({ ok, artifacts }: VerificationReport): Mutable<VerifiedArtifacts> {
  const short = artifacts.map(({ artifact, digest }) => {
    const isDigest = Object.entries(digest).some(([algorithm, hex]) =>
      artifact.toLowerCase() === `${algorithm}:${hex}`
    );
    return isDigest ? "" : splitPath(artifact).name;
  });
  const isUnique = new Set(short).size === short.length;
  return {
    ok,
    artifacts: artifacts.map((artifact, i) => ({
      ...artifact,
      artifact: isUnique || short[i] === "" ? short[i] : artifact.artifact,
    })),
  };
}

/** Files of the attestations that verified, each once, with the digest of its bytes. */
async function usedAttestations(
  { artifacts, ok, policy }: VerificationReport,
  runtime: Runtime,
): Promise<ResourceDescriptor[]> {
  const decisive = ok && policy !== undefined
    ? (await import("./vsa_policy.ts")).decisiveSources(policy)
    : undefined;
  const used = artifacts.flatMap(({ attestations }, i) =>
    attestations.filter(({ ok, source }) => ok && decisive?.[i].has(source) !== false)
  );
  const isFile = async (path: string) => (await runtime.stat(path))?.kind === "file";
  const paths = new Set<string>();
  for (const { source } of used) {
    const path = await isFile(source) ? source : source.replace(/#\d+$/, "");
    // SLSA VSA v1, inputAttestations: all of them with a digest, or none.
    if (!await isFile(path)) return [];
    paths.add(path);
  }
  return await Promise.all([...paths].map(async (path) => {
    const content = openLazily(runtime, path);
    const { digest } = await digestArtifact({ content }, 0, {
      algorithms: ["sha256"],
      onBytes: () => {},
    });
    return { name: splitPath(path).name, digest };
  }));
}

async function encode(statement: Statement, signer: Signer | undefined): Promise<string> {
  const bytes = encodeStatement(statement);
  if (signer === undefined) return `${decodeUtf8(bytes)}\n`;
  const { createEnvelope } = await import("../dsse/sign.ts");
  return `${safeJson(await createEnvelope("application/vnd.in-toto+json", bytes, signer))}\n`;
}
