import { AttestationError } from "../errors.ts";
import { decodeUtf8, isObject, type Json, parseJson, printable, quote } from "../internal/json.ts";
import { importTrustedKey, type TrustedKey } from "../keys/trusted_key.ts";
import { type CompileOptions, compilePolicy } from "../policy/compile.ts";
import type { CompiledPolicy } from "../policy/compiled.ts";
import type { PolicyDocument, Waiver } from "../policy/document.ts";
import { parsePolicy } from "../policy/parse.ts";
import { openSignedPolicy, openSignedWaivers } from "../policy/signed.ts";
import { parseWaivers } from "../policy/waivers.ts";
import { type ParsedArgs, usageError } from "./args.ts";
import { inFile } from "./in_file.ts";
import { readBounded, type Runtime } from "./runtime.ts";

const MAX_POLICY_BYTES = 48 << 20;
const MAX_KEY_BYTES = 1 << 20;
const REVOCATIONS = ["revocations", "revocations-key", "revocations-state"];

/** A policy that was read from a file. */
export interface PolicyFile {
  /** Where it was. */
  path: string;
  /** The document. */
  document: PolicyDocument;
  /** Names of the keys that signed it; undefined of an unsigned one. */
  acceptedBy?: string[];
}

/** JSON of a file, strictly read. */
export async function readJsonFile(
  runtime: Runtime,
  path: string,
  what: string,
  maxBytes = MAX_POLICY_BYTES,
): Promise<Json> {
  return await inFile(
    what,
    path,
    async () =>
      parseJson(await readBounded(runtime, path, maxBytes), {
        maxLength: maxBytes,
        maxDepth: 128,
      }),
  );
}

/**
 * Reads a policy; a signed one is opened with the keys of `--policy-key` before anything of
 * it is read.
 *
 * @throws {AttestationError} `usage`, `unreadable-file`, `malformed-policy`, and what is wrong
 * with its signatures.
 */
export async function readPolicyFile(
  path: string,
  args: ParsedArgs,
  runtime: Runtime,
): Promise<PolicyFile> {
  const pinned = await readKeys("policy-key", args, runtime);
  const threshold = thresholdOf(args, pinned);
  const value = await readJsonFile(runtime, path, "policy");
  return await inFile("policy", path, async () => {
    if (pinned.length > 0) {
      const envelope = signedObject(value, "policy", "--policy-key");
      const { document, acceptedBy } = await openSignedPolicy(envelope, pinned, { threshold });
      return { path, document, acceptedBy };
    }
    if (looksSigned(value)) {
      throw usageError(
        `${quote(path)} is a signed policy: say with --policy-key whose signature counts`,
      );
    }
    return { path, document: parsePolicy(objectOf(value)) };
  });
}

/**
 * Makes a policy ready to judge, with its waivers; CEL is loaded only if it is used.
 *
 * @throws {AttestationError} As `compilePolicy()`; `malformed-waivers`, `usage`.
 */
export async function compilePolicyFile(
  { path, document }: PolicyFile,
  args: ParsedArgs,
  runtime: Runtime,
): Promise<CompiledPolicy> {
  const options: CompileOptions = await celOption(document);
  const paths = args.all("waivers");
  const waiversKeys = await readKeys("waivers-key", args, runtime);
  if (waiversKeys.length > 0 && paths.length === 0) {
    throw usageError("--waivers-key needs --waivers");
  }
  if (document.waiverSigners !== undefined && waiversKeys.length > 0) {
    throw usageError("The policy says in waiverSigners who signs waivers: leave --waivers-key out");
  }
  const waivers: Waiver[] = [];
  const envelopes: object[] = [];
  for (const one of paths) {
    const value = await readJsonFile(runtime, one, "file of waivers");
    await inFile("file of waivers", one, async () => {
      if (document.waiverSigners !== undefined) {
        envelopes.push(signedObject(value, "file of waivers", "waiverSigners of the policy"));
      } else if (waiversKeys.length > 0) {
        const envelope = signedObject(value, "file of waivers", "--waivers-key");
        const opened = await openSignedWaivers(envelope, waiversKeys);
        waivers.push(...parseWaivers(opened.document, document).waivers);
      } else if (looksSigned(value)) {
        throw usageError(
          `${quote(one)} is a signed file: say with --waivers-key whose signature counts`,
        );
      } else waivers.push(...parseWaivers(objectOf(value), document).waivers);
    });
  }
  if (envelopes.length > 0) {
    options.signedWaivers = envelopes;
    options.now = nowOf(runtime);
  }
  const compiled = await withoutRevoked(
    await inFile("policy", path, () => compilePolicy(document, options)),
    args,
    runtime,
  );
  if (waivers.length === 0) return compiled;
  return Object.freeze({
    ...compiled,
    document: { ...compiled.document, waivers: [...compiled.document.waivers ?? [], ...waivers] },
  });
}

async function withoutRevoked(
  policy: CompiledPolicy,
  args: ParsedArgs,
  runtime: Runtime,
): Promise<CompiledPolicy> {
  if (!REVOCATIONS.some((name) => args.has(name))) return policy;
  const { applyRevocations } = await import("./revocations_file.ts");
  const keys = await readKeys("revocations-key", args, runtime);
  return await applyRevocations(policy, keys, { args, runtime });
}

/** Options of `compilePolicy()` with CEL, if the document has any. */
export async function celOption(document: PolicyDocument): Promise<CompileOptions> {
  const usesCel = document.rules.some(({ require }) =>
    require.some(({ predicate }) => predicate?.cel !== undefined)
  );
  if (!usesCel) return {};
  const { celEvaluator } = await import("../policy/cel.ts");
  return { cel: celEvaluator() };
}

/** The policy in words, for reports. */
export function policyRows(
  { path, acceptedBy }: PolicyFile,
  { document, digest }: CompiledPolicy,
): [string, string][] {
  const name = document.name === undefined ? "" : ` (${printable(document.name)})`;
  const rows: [string, string][] = [
    ["policy", `${printable(path)}${name}`],
    ["policy digest", `sha256:${digest}`],
    ["mode", document.mode ?? "enforce"],
  ];
  if (acceptedBy !== undefined) {
    rows.push(["policy signed by", acceptedBy.map((key) => printable(key)).join("\n")]);
  }
  if (document.expires !== undefined) rows.push(["policy ends", document.expires]);
  const count = document.waivers?.length ?? 0;
  if (count > 0) rows.push(["waivers", String(count)]);
  return rows;
}

/** The clock of the run. */
export function nowOf(runtime: Runtime): Date {
  return runtime.now?.() ?? new Date();
}

function thresholdOf(args: ParsedArgs, pinned: readonly TrustedKey[]): number {
  const text = args.get("policy-threshold");
  if (text === undefined) return 1;
  if (pinned.length === 0) throw usageError("--policy-threshold needs --policy-key");
  const distinct = new Set(pinned.map(({ fingerprint }) => fingerprint)).size;
  if (!/^[1-9]\d{0,3}$/.test(text)) {
    throw usageError(`--policy-threshold is a whole number from 1 on, not ${quote(text)}`);
  }
  if (Number(text) > distinct) {
    throw usageError(`--policy-threshold ${text} cannot be met: ${distinct} distinct keys given`);
  }
  return Number(text);
}

async function readKeys(
  option: string,
  args: ParsedArgs,
  runtime: Runtime,
): Promise<TrustedKey[]> {
  return await Promise.all(
    args.all(option).map((path) =>
      inFile(
        "key",
        path,
        async () =>
          await importTrustedKey(decodeUtf8(await readBounded(runtime, path, MAX_KEY_BYTES)), {
            name: path,
          }),
      )
    ),
  );
}

function signedObject(value: Json, what: string, who: string): object {
  if (looksSigned(value)) return objectOf(value);
  throw new AttestationError(
    "missing-signatures",
    `Cannot believe ${what}: it is not signed, and ${who} asks for that`,
  );
}

/** What is no object is refused by its reader, in its words. */
function objectOf(value: Json): object {
  return isObject(value) ? value : [value];
}

/** A guess, for messages: no trust comes of it. */
export function looksSigned(value: Json): boolean {
  return isObject(value) && Object.hasOwn(value, "payload") && Object.hasOwn(value, "payloadType");
}
