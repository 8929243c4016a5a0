import { isAttestationError } from "../../errors.ts";
import { decodeUtf8 } from "../../internal/json.ts";
import type { VerdictFiles } from "../../store/reverify/mod.ts";
import { join } from "../artifacts.ts";
import { access, type Runtime } from "../runtime.ts";

/** Verdict files in a folder, which several processes may share. */
export function folderVerdictFiles(runtime: Runtime, folder: string): VerdictFiles {
  const pathOf = (name: string) => join(folder, `${name}.jsonl`);
  const has = async (name: string) => {
    const path = pathOf(name);
    return (await access("read", path, () => runtime.stat(path)))?.kind === "file";
  };
  return {
    has,
    async get(name): Promise<Uint8Array | undefined> {
      const path = pathOf(name);
      if (!await has(name)) return undefined;
      return await access("read", path, () => runtime.readFile(path));
    },
    async create(name, content): Promise<boolean> {
      try {
        await runtime.writeNew(pathOf(name), decodeUtf8(content));
        return true;
      } catch (error) {
        // Another worker was faster, with the same bytes.
        if (isAttestationError(error) && error.reason === "file-exists") return false;
        throw error;
      }
    },
  };
}
