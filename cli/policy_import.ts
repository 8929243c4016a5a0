import { AttestationError } from "../errors.ts";
import { decodeUtf8, type Json, parseJson, printable } from "../internal/json.ts";
import { type ForeignPolicy, importPolicy } from "../policy/import.ts";
import { parseArgs, type ParsedArgs, usageError } from "./args.ts";
import { inFile } from "./in_file.ts";
import { VERIFIED } from "./main.ts";
import { checkOutputs } from "./output.ts";
import { IMPORT_OPTIONS } from "./policy_command_options.ts";
import { readJsonFile } from "./policy_file.ts";
import { readBounded, type Runtime } from "./runtime.ts";
import { plural, safeJson } from "./text.ts";

const MAX_YAML_BYTES = 4 << 20;
const MAX_KEY_BYTES = 1 << 20;

/** `policy import`: a policy of a document of another tool; what is lost goes to standard error. */
export async function runPolicyImport(args: readonly string[], runtime: Runtime): Promise<number> {
  const parsed = parseArgs(args, IMPORT_OPTIONS);
  const source = await readSource(parsed, runtime);
  const { document, notCarriedOver } = importPolicy(source);
  for (const { path, what, why } of notCarriedOver) {
    runtime.write(
      "stderr",
      `not carried over: ${printable(path)}: ${printable(what)}: ${printable(why, 300)}\n`,
    );
  }
  runtime.write(
    "stderr",
    `notice: ${plural(notCarriedOver.length, "thing")} not carried over; the policy accepts ` +
      "nothing that the other would refuse, review it before use\n",
  );
  await writePolicy(document, parsed, runtime);
  return VERIFIED;
}

/** Writes a policy where the command line says. */
export async function writePolicy(
  document: object,
  args: ParsedArgs,
  runtime: Runtime,
): Promise<void> {
  const text = `${safeJson(document, 2)}\n`;
  const output = args.get("output");
  if (output === undefined || output === "-") {
    if (args.has("force")) throw usageError("--force needs --output FILE");
    runtime.write("stdout", text);
    return;
  }
  await checkOutputs([output], args, runtime);
  await runtime.writeNew(output, text, { force: args.has("force") });
}

async function readSource(args: ParsedArgs, runtime: Runtime): Promise<ForeignPolicy> {
  const kind = args.get("from");
  const { operands } = args;
  if (kind === undefined) throw usageError("policy import needs --from: what is imported");
  if (kind === "slsa-verifier") {
    if (operands.length === 0) {
      throw usageError("Give the flags of slsa-verifier after --: -- verify-artifact app.tgz …");
    }
    return { kind, words: operands, keys: await keysOf(operands, runtime) };
  }
  const [path] = operands;
  if (path === undefined || operands.length > 1) throw usageError("policy import takes one file");
  if (kind === "in-toto-layout") {
    return { kind, layout: await readJsonFile(runtime, path, "layout", MAX_YAML_BYTES) };
  }
  return { kind: "cluster-image-policy", documents: await readYaml(path, runtime) };
}

async function keysOf(words: readonly string[], runtime: Runtime): Promise<Map<string, string>> {
  const keys = new Map<string, string>();
  for (const [i, word] of words.entries()) {
    const path = word.startsWith("--public-key-path=")
      ? word.slice("--public-key-path=".length)
      : words[i - 1] === "--public-key-path"
      ? word
      : undefined;
    if (path === undefined || path === "") continue;
    keys.set(path, decodeUtf8(await readBounded(runtime, path, MAX_KEY_BYTES)));
  }
  return keys;
}

/** Documents of a YAML file, which JSON is too; no tags, no aliases that grow. */
async function readYaml(path: string, runtime: Runtime): Promise<Json[]> {
  return await inFile("ClusterImagePolicy", path, async () => {
    const text = decodeUtf8(await readBounded(runtime, path, MAX_YAML_BYTES));
    if (/^\s*\{/.test(text)) return [parseJson(text)];
    const { parseAllDocuments } = await import("yaml");
    const documents = parseAllDocuments(text, { uniqueKeys: true, schema: "core", strict: true });
    if (!Array.isArray(documents)) {
      throw new AttestationError("empty-input", "Cannot read YAML: it has no document");
    }
    return documents.map((document) => {
      const [error] = [...document.errors, ...document.warnings];
      if (error !== undefined) {
        throw new AttestationError("malformed-policy", `Cannot read YAML: ${firstLine(error)}`);
      }
      try {
        // What is left is as JSON has it, or is refused.
        return parseJson(JSON.stringify(document.toJS({ maxAliasCount: 100 })) ?? "");
      } catch (cause) {
        throw new AttestationError("malformed-policy", "Cannot read YAML: it is not as JSON", {
          cause,
        });
      }
    });
  });
}

function firstLine({ message }: Error): string {
  return printable(message.split("\n")[0], 200);
}
