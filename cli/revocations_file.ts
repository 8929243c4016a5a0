import { AttestationError } from "../errors.ts";
import { isObject } from "../internal/json.ts";
import type { TrustedKey } from "../keys/trusted_key.ts";
import type { CompiledPolicy } from "../policy/compiled.ts";
import {
  openRevocationList,
  type RevocationState,
  withRevocations,
} from "../policy/revocations.ts";
import { type ParsedArgs, usageError } from "./args.ts";
import { inFile } from "./in_file.ts";
import { access, readBounded, type Runtime } from "./runtime.ts";
import { nowOf, readJsonFile } from "./policy_file.ts";

const MAX_LIST_BYTES = 48 << 20;

/**
 * The policy without the keys that the list of `--revocations` takes out of use; the policy
 * itself where there is none.
 *
 * @throws {AttestationError} As `openRevocationList()`; `usage`, `unreadable-file`.
 */
export async function applyRevocations(
  policy: CompiledPolicy,
  keys: readonly TrustedKey[],
  { args, runtime }: { args: ParsedArgs; runtime: Runtime },
): Promise<CompiledPolicy> {
  const path = args.get("revocations");
  const stateFile = args.get("revocations-state");
  if (path === undefined) {
    const option = ["revocations-key", "revocations-state"].find((name) => args.has(name));
    if (option !== undefined) throw usageError(`--${option} needs --revocations`);
    return policy;
  }
  if (keys.length === 0) throw usageError("--revocations needs --revocations-key");
  const seen = stateFile === undefined ? undefined : await readState(stateFile, runtime);
  const list = await inFile(
    "revocation list",
    path,
    async () =>
      await openRevocationList(await readBounded(runtime, path, MAX_LIST_BYTES), keys, {
        now: nowOf(runtime),
        ...(seen === undefined ? {} : { seen }),
      }),
  );
  const { state } = list;
  if (stateFile !== undefined && seen?.sequence !== state.sequence) {
    const text = `${JSON.stringify(state)}\n`;
    await access("write", stateFile, () => runtime.writeFileAtomic(stateFile, text));
  }
  return withRevocations(policy, list);
}

/** Only "not there" is a first time: a state that cannot be read is no reason to believe any list. */
async function readState(path: string, runtime: Runtime): Promise<RevocationState | undefined> {
  if (await access("read", path, () => runtime.stat(path)) === undefined) return undefined;
  const value = await readJsonFile(runtime, path, "state of revocations", 1024);
  if (isObject(value)) {
    const { sequence, digest } = value;
    if (
      Number.isSafeInteger(sequence) && typeof digest === "string" && /^[0-9a-f]{64}$/.test(digest)
    ) return { sequence: sequence as number, digest };
  }
  throw new AttestationError(
    "malformed-revocation-list",
    "Cannot read state of revocations: it has no sequence and digest",
  );
}
