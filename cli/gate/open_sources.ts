import { ParsedArgs, usageError } from "../args.ts";
import { REGISTRY_OPTIONS } from "../registry_options.ts";
import type { Runtime } from "../runtime.ts";
import { STORE_OPTIONS } from "../store_options.ts";
import { type ProvenanceSource, storeSource } from "./sources.ts";

/** The sources that the options name, in the order in which they are asked. */
export async function openSources(
  args: ParsedArgs,
  runtime: Runtime,
  onNotice: (text: string) => void,
): Promise<ProvenanceSource[]> {
  const sources: ProvenanceSource[] = [];
  if (args.has("store")) {
    const { noteText, openStores } = await import("../stores.ts");
    for (const store of await openStores(argsOfStores(args), runtime)) {
      sources.push(storeSource(store, (note) => onNotice(noteText(note))));
    }
  } else if (args.has("github-api")) {
    throw usageError("--github-api needs --store github:OWNER/NAME");
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

/** What stores are opened with: `--registry` of `gate` is no registry of npm packages. */
function argsOfStores(args: ParsedArgs): ParsedArgs {
  const own = new ParsedArgs();
  for (const name of STORE_ARGS) {
    for (const value of args.all(name)) own.add(name, value);
  }
  return own;
}

const STORE_ARGS: readonly string[] = [...STORE_OPTIONS, ...REGISTRY_OPTIONS]
  .map(({ name }) => name).filter((name) => name !== "registry");
