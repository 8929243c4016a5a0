import { AttestationError } from "../errors.ts";
import { utf8 } from "../internal/bytes.ts";
import { encodeHex } from "../internal/hex.ts";
import { canonicalJson, copyJson, type JsonObject, quote } from "../internal/json.ts";
import { sha256 } from "../internal/sha256.ts";
import { compilePolicy } from "../policy/compile.ts";
import type { CompiledPolicy } from "../policy/compiled.ts";
import { POLICY_TYPE, type PolicyDocument } from "../policy/document.ts";
import { parsePolicy } from "../policy/parse.ts";
import type { PolicySource, PolicyVersion } from "../server/policy_holder.ts";
import { PROVENANCE_TYPES } from "../slsa/provenance.ts";
import type { Database } from "../store/sql/database.ts";
import { activateDocument, activeDocument } from "../store/sql/documents.ts";
import { parseArgs, type ParsedArgs, suggestion, usageError } from "./args.ts";
import { VERIFIED } from "./main.ts";
import { hasPolicy } from "./policy_options.ts";
import { celOption, compilePolicyFile, readJsonFile, readPolicyFile } from "./policy_file.ts";
import { readBounded, type Runtime } from "./runtime.ts";
import { openDatabase } from "./serve_database.ts";
import { DATABASE_OPTIONS } from "./serve_options.ts";

const NAME = "policy";
const MAX_KEY_BYTES = 1 << 20;
const MAX_POLICY_BYTES = 48 << 20;

/**
 * Where `serve` gets its policy from: a file, keys, or the database. What is in files is read
 * each time it is asked for; whether it is another one, its content tells.
 *
 * @throws {AttestationError} `usage` if there is none.
 */
export async function policySource(
  args: ParsedArgs,
  runtime: Runtime,
  db: Database,
): Promise<PolicySource> {
  const roots = args.all("trusted-root");
  if (hasPolicy(args)) {
    if (args.has("key")) {
      throw usageError("--policy and --key exclude each other: the policy names its keys");
    }
    return async (known) => {
      const file = await readPolicyFile(args.get("policy") ?? "", args, runtime);
      const document = await withRoots(file.document, roots, runtime);
      return newer(known, await compilePolicyFile({ ...file, document }, args, runtime));
    };
  }
  if (args.has("key")) {
    if (roots.length > 0) {
      throw usageError("--trusted-root needs --policy, which says whose certificates count");
    }
    return async (known) => newer(known, await policyOfKeys(args.all("key"), runtime));
  }
  if (await activeDocument(db, NAME) !== undefined) {
    return async (known) => {
      const found = await activeDocument(db, NAME);
      if (found === undefined) {
        throw new AttestationError("malformed-policy", "Cannot read policy: the database has none");
      }
      if (found.digest === known) return undefined;
      const document = await withRoots(parsePolicy(found.content), roots, runtime);
      const policy = await compilePolicy(document, await celOption(document));
      return { version: found.digest, policy };
    };
  }
  if (args.get("mode") === "permissive") {
    return async (known) => newer(known, await compilePolicy(nobody()));
  }
  throw usageError(
    "Say whom to believe: --policy FILE, --key FILE, or serve policy put FILE; with " +
      "--mode permissive everything is kept, and nothing counts as verified",
  );
}

/** `serve policy put|show`: the policy that the database keeps for all registries on it. */
export async function runServePolicy(args: readonly string[], runtime: Runtime): Promise<number> {
  const [action, ...rest] = args;
  if (action !== "put" && action !== "show") {
    throw usageError(
      action === undefined || action.startsWith("-")
        ? "Say what to do: serve policy put FILE, or serve policy show"
        : `Unknown action ${quote(action)}${suggestion(action, ["put", "show"])}`,
    );
  }
  const parsed = parseArgs(rest, DATABASE_OPTIONS);
  if (parsed.operands.length !== (action === "put" ? 1 : 0)) {
    throw usageError(action === "put" ? "serve policy put takes one FILE" : "show takes no file");
  }
  let content: Uint8Array | undefined;
  if (action === "put") {
    content = await readBounded(runtime, parsed.operands[0], MAX_POLICY_BYTES);
    const document = parsePolicy(content);
    // It takes effect everywhere at once: one that cannot must not get there.
    await compilePolicy(document, await celOption(document));
  }
  const db = await openDatabase(parsed, runtime);
  try {
    if (content !== undefined) {
      runtime.write("stdout", `${await activateDocument(db, NAME, content)}\n`);
      return VERIFIED;
    }
    const active = await activeDocument(db, NAME);
    if (active === undefined) {
      throw new AttestationError("malformed-policy", "Cannot show policy: the database has none");
    }
    runtime.write("stdout", new TextDecoder().decode(active.content));
    runtime.write("stderr", `${active.digest}\n`);
    return VERIFIED;
  } finally {
    await db.close();
  }
}

/** A policy, if it is another one; waivers of other files are part of it. */
function newer(known: string | undefined, policy: CompiledPolicy): PolicyVersion | undefined {
  const version = encodeHex(sha256(utf8(canonicalJson(copyJson(policy.document)))));
  return version === known ? undefined : { version, policy };
}

async function withRoots(
  document: PolicyDocument,
  paths: readonly string[],
  runtime: Runtime,
): Promise<PolicyDocument> {
  if (paths.length === 0) return document;
  const added = await Promise.all(
    paths.map((path) => readJsonFile(runtime, path, "trusted root")),
  );
  const { trust = {} } = document;
  const roots = [...trust.roots ?? ["public-good" as const], ...added as JsonObject[]];
  return parsePolicy({ ...document, trust: { ...trust, roots } });
}

/** SLSA provenance that one of the keys signed, as `signature-policy.json` asks for it. */
async function policyOfKeys(paths: readonly string[], runtime: Runtime): Promise<CompiledPolicy> {
  const allowedIssuers = await Promise.all(paths.map(async (path, i) => ({
    keyId: path.replace(/^.*[/\\]/, "").replace(/\.(?:pub|pem|jwk|json)$/i, "") || `key-${i + 1}`,
    publicKey: new TextDecoder().decode(await readBounded(runtime, path, MAX_KEY_BYTES)),
  })));
  return await compilePolicy(parsePolicy({ allowedIssuers }));
}

/** A policy that nothing meets: whom to believe was not said. */
function nobody(): PolicyDocument {
  return parsePolicy({
    type: POLICY_TYPE,
    name: "nobody-is-believed",
    mode: "permissive",
    trust: { roots: [] },
    rules: [{
      id: "provenance",
      require: [{ id: "present", statement: { predicateTypes: [...PROVENANCE_TYPES] } }],
    }],
  });
}
