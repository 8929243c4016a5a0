import { encodePem } from "../internal/pem.ts";
import {
  decodeUtf8,
  isObject,
  type JsonObject,
  parseJson,
  printable,
  quote,
} from "../internal/json.ts";
import type { TrustedKey } from "../keys/trusted_key.ts";
import { compilePolicy } from "../policy/compile.ts";
import type { PolicyKey } from "../policy/document.ts";
import { derivePolicy } from "../policy/init.ts";
import { POLICY_TEMPLATES } from "../policy/templates.ts";
import { AttestationError } from "../errors.ts";
import { evidenceOfReports } from "../verify/evidence.ts";
import { judgeReports } from "../verify/policy.ts";
import { parseArgs, type ParsedArgs, suggestion, usageError } from "./args.ts";
import { REFUSED, VERIFIED } from "./main.ts";
import { INIT_OPTIONS } from "./policy_command_options.ts";
import { nowOf } from "./policy_file.ts";
import { writePolicy } from "./policy_import.ts";
import { readBounded, type Runtime } from "./runtime.ts";
import { table } from "./text.ts";
import { present } from "./present.ts";
import { verifyArguments, type VerifyDependencies } from "./verify_artifacts.ts";

const MAX_ROOT_BYTES = 16 << 20;

/**
 * `policy init`: a first policy of an attestation that verifies under the trust that the
 * command line states, or of a template; for review.
 */
export async function runPolicyInit(
  args: readonly string[],
  runtime: Runtime,
  dependencies?: VerifyDependencies,
): Promise<number> {
  const parsed = parseArgs(args, INIT_OPTIONS);
  const template = parsed.get("template");
  if (template !== undefined) {
    const others = INIT_OPTIONS.slice(4).find(({ name }) => parsed.has(name));
    if (others !== undefined || parsed.operands.length > 0) {
      throw usageError("--template takes no artifact, and nothing about one");
    }
    return await fromTemplate(template, parsed, runtime);
  }
  parsed.add("with-evidence", "");
  const { report, run } = await verifyArguments(parsed, runtime, dependencies);
  if (report.artifacts.length !== 1) throw usageError("policy init takes one artifact");
  if (!report.ok) {
    runtime.write("stderr", await present(report, "text", run, false));
    runtime.write("stderr", "No policy is written: the artifact does not verify\n");
    return REFUSED;
  }
  const { trust = {}, thresholds } = run.enforced.options;
  const all = [
    ...trust.keys ?? [],
    ...(trust.keySets ?? []).flatMap(({ keys }) => keys.map(({ key }) => key)),
  ];
  const { document, facts, open } = derivePolicy(evidenceOfReports(report.artifacts, false)[0], {
    name: parsed.get("name"),
    keys: new Map(all.map((key) => [key.fingerprint, policyKeyOf(key)])),
    roots: await rootsOf(parsed, runtime),
    publicGood: !parsed.has("only-root"),
    thresholds,
  });
  const policy = await compilePolicy(document);
  const own = judgeReports(policy, report.artifacts, nowOf(runtime));
  if (!own.ok) {
    throw new AttestationError(
      "produced-invalid",
      `Cannot derive policy: it would refuse this artifact (${own.errorReason})`,
    );
  }
  await writePolicy(document, parsed, runtime);
  const rows = facts.map(({ path, value, from }): [string, string] => [
    path,
    `${printable(value)}\nfrom ${printable(from)}`,
  ]);
  runtime.write("stderr", `Taken from what verified (trust on first use):\n${table(rows, "  ")}`);
  runtime.write("stderr", "Left open, for you to decide:\n");
  for (const one of open) runtime.write("stderr", `  ${one}\n`);
  if (trust.keySets !== undefined && trust.keySets.length > 0) {
    runtime.write(
      "stderr",
      "  From when until when keys count: put the key set into trust.keySets\n",
    );
  }
  return VERIFIED;
}

async function fromTemplate(
  name: string,
  args: ParsedArgs,
  runtime: Runtime,
): Promise<number> {
  const known = Object.keys(POLICY_TEMPLATES);
  if (!known.includes(name)) {
    throw usageError(
      `--template is one of ${known.join(", ")}, not ${quote(name)}${suggestion(name, known)}`,
    );
  }
  const { document, summary, change } = POLICY_TEMPLATES[name];
  const own = args.get("name");
  await writePolicy(own === undefined ? document : { ...document, name: own }, args, runtime);
  runtime.write("stderr", `Template ${name}: ${summary}\nChange before you use it:\n`);
  for (const one of change) runtime.write("stderr", `  ${one}\n`);
  return VERIFIED;
}

function policyKeyOf({ spki, alg }: TrustedKey): PolicyKey {
  return { publicKey: encodePem("PUBLIC KEY", spki), alg };
}

/** Roots of the command line, as their documents. */
async function rootsOf(args: ParsedArgs, runtime: Runtime): Promise<JsonObject[]> {
  const roots: JsonObject[] = [];
  for (const path of args.all("trusted-root")) {
    const text = decodeUtf8(await readBounded(runtime, path, MAX_ROOT_BYTES)).trim();
    const isLines = path.endsWith(".jsonl");
    for (const one of isLines ? text.split("\n").filter((line) => line.trim() !== "") : [text]) {
      const root = parseJson(one);
      if (!isObject(root)) continue;
      roots.push(isObject(root.trustedRoot) ? root.trustedRoot : root);
    }
  }
  return roots;
}
