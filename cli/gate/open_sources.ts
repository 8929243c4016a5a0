import type { ParsedArgs } from "../args.ts";
import type { Runtime } from "../runtime.ts";
import type { ProvenanceSource } from "./sources.ts";

/** The sources that the options name, in the order in which they are asked. */
export async function openSources(
  args: ParsedArgs,
  runtime: Runtime,
): Promise<ProvenanceSource[]> {
  const sources: ProvenanceSource[] = [];
  const store = args.get("store");
  if (store !== undefined) {
    const { openStoreSource } = await import("./store_source.ts");
    sources.push(await openStoreSource(store, runtime));
  }
  const database = args.get("db");
  if (database !== undefined) {
    const { openDatabaseSource } = await import("./database_source.ts");
    sources.push(await openDatabaseSource(database, runtime));
  }
  const registry = args.get("registry");
  if (registry !== undefined) {
    const { openRegistrySource } = await import("./registry_source.ts");
    sources.push(openRegistrySource(registry, runtime));
  }
  return sources;
}
