import { isAttestationError } from "../errors.ts";
import { decodeUtf8, isObject, type JsonObject, parseJson, printable } from "../internal/json.ts";
import { pointer } from "../internal/problem.ts";
import { AttestationError } from "../errors.ts";
import { compilePolicy } from "../policy/compile.ts";
import type { PolicyDocument } from "../policy/document.ts";
import { parsePolicy } from "../policy/parse.ts";
import { compareVerdict, parsePolicyTests, type PolicyTestCase } from "../policy/test_cases.ts";
import { verify } from "../verify/verify.ts";
import { parseArgs, usageError } from "./args.ts";
import { join, openLazily, parseDigest, splitPath } from "./artifacts.ts";
import { AttestationFiles } from "./attestations.ts";
import { inFile } from "./in_file.ts";
import { REFUSED, VERIFIED } from "./main.ts";
import { TEST_OPTIONS } from "./policy_command_options.ts";
import { celOption, readJsonFile, readPolicyFile } from "./policy_file.ts";
import { readBounded, type Runtime } from "./runtime.ts";
import { errorChain, plural, safeJson, style } from "./text.ts";

const MAX_TABLE_BYTES = 8 << 20;
const MAX_ROOT_BYTES = 16 << 20;
const MAX_KEY_BYTES = 1 << 20;

/** How one case came out. */
interface CaseResult {
  name: string;
  ok: boolean;
  problems: string[];
}

/** `policy test FILE`: the cases of the table beside the policy. */
export async function runPolicyTest(args: readonly string[], runtime: Runtime): Promise<number> {
  const parsed = parseArgs(args, TEST_OPTIONS);
  const [path] = parsed.operands;
  if (path === undefined || parsed.operands.length > 1) {
    throw usageError("policy test takes one policy");
  }
  const { document } = await readPolicyFile(path, parsed, runtime);
  const table = parsed.get("tests") ?? `${path.replace(/\.json$/, "")}.tests.json`;
  const json = await readJsonFile(runtime, table, "table of cases", MAX_TABLE_BYTES);
  const { cases } = await inFile(
    "table of cases",
    table,
    () => Promise.resolve(parsePolicyTests(isObject(json) ? json : [json])),
  );
  const { folder } = splitPath(table);
  const results: CaseResult[] = [];
  for (const [i, one] of cases.entries()) {
    const problems = await inFile(
      `table of cases (case ${i + 1})`,
      table,
      () => runCase(one, document, folder, runtime),
    );
    results.push({ name: one.name, ok: problems.length === 0, problems });
  }
  const failed = results.filter(({ ok }) => !ok).length;
  if (parsed.get("format") === "json") {
    const summary = { passed: results.length - failed, failed };
    runtime.write("stdout", `${safeJson({ ok: failed === 0, ...summary, cases: results }, 2)}\n`);
  } else {
    const paint = style(runtime.isTerminal("stdout") && !runtime.noColor);
    for (const { name, ok, problems } of results) {
      runtime.write(
        "stdout",
        `${ok ? paint.green("ok  ") : paint.red("FAIL")}  ${printable(name)}\n` +
          problems.map((problem) => `        ${printable(problem, 500)}\n`).join(""),
      );
    }
    runtime.write(
      "stdout",
      `${plural(results.length - failed, "case")} passed, ${failed} failed\n`,
    );
  }
  return failed === 0 ? VERIFIED : REFUSED;
}

async function runCase(
  { artifacts, attestations = [], now, keys = {}, roots, expect }: PolicyTestCase,
  document: PolicyDocument,
  folder: string,
  runtime: Runtime,
): Promise<string[]> {
  const moment = new Date(now);
  const own = await withTestTrust(document, keys, roots, folder, runtime);
  const policy = await compilePolicy(own, await celOption(own));
  const notices: string[] = [];
  const files = new AttestationFiles(runtime, notices);
  const paths = attestations.map((file) => join(folder, file));
  for (const { file } of artifacts) {
    if (file === undefined) continue;
    const info = await runtime.stat(join(folder, file));
    if (info?.kind !== "file") {
      throw new AttestationError(
        "unreadable-file",
        `Cannot read ${printable(file)}: it is no file`,
      );
    }
  }
  const { attestations: loaded, unusable } = await files.load(paths);
  if (unusable.length > 0) notices.push(...unusable.map(({ checks }) => checks[0].message));
  const inputs = artifacts.map(({ file, digest, name, oci, npm }) => {
    const place = { ...(oci === undefined ? {} : { oci }), ...(npm === undefined ? {} : { npm }) };
    return file === undefined
      ? { name: name ?? digest ?? "", digest: parseDigest(digest ?? "") ?? {}, ...place }
      : { name: name ?? file, content: openLazily(runtime, join(folder, file)), ...place };
  });
  try {
    const { policy: verdict } = await verify(loaded, inputs, { policy, now: moment });
    if (verdict === undefined) throw new TypeError("The report has no verdict");
    return compareVerdict(verdict, expect);
  } catch (error) {
    if (!isAttestationError(error)) throw error;
    return [errorChain(error).join(": ")];
  }
}

/** The policy with keys and roots whose private halves the tests have. */
async function withTestTrust(
  document: PolicyDocument,
  keys: Readonly<Record<string, string>>,
  roots: readonly string[] | undefined,
  folder: string,
  runtime: Runtime,
): Promise<PolicyDocument> {
  if (Object.keys(keys).length === 0 && roots === undefined) return document;
  const { trust = {} } = document;
  const own = { ...trust.keys };
  for (const [name, file] of Object.entries(keys)) {
    if (!Object.hasOwn(own, name)) {
      throw new AttestationError(
        "malformed-policy-tests",
        `Cannot run case: the policy has no key ${printable(name)}`,
        { path: pointer("/keys", name) },
      );
    }
    const { alg: _alg, ...key } = own[name];
    const text = decodeUtf8(await readBounded(runtime, join(folder, file), MAX_KEY_BYTES));
    own[name] = { ...key, publicKey: text };
  }
  const documents: JsonObject[] = [];
  for (const file of roots ?? []) {
    const root = parseJson(await readBounded(runtime, join(folder, file), MAX_ROOT_BYTES));
    if (isObject(root)) documents.push(root);
  }
  return parsePolicy({
    ...document,
    trust: {
      ...trust,
      ...(trust.keys === undefined ? {} : { keys: own }),
      ...(roots === undefined ? {} : { roots: documents }),
    },
  });
}
