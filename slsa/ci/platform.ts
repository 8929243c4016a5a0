import type { JsonObject } from "../../internal/json.ts";
import type { ResourceDescriptor } from "../../intoto/resource_descriptor.ts";
import type { BuildSource, SourceFacts } from "./git.ts";

/** What one platform tells of a build. Texts are empty where a fact is missing. */
export interface PlatformBuild {
  /** Meaning of the parameters. */
  buildType: string;
  /** URI of the builder. */
  builderId: string;
  /** The token names the builder: nobody else may. */
  isBuilderCertain: boolean;
  /** Where the source came from; `ref` may be absent. */
  source: Omit<BuildSource, "ref"> & { ref?: string };
  /** How the build is found in the source or on the platform. */
  workflow: JsonObject;
  /** Further external parameters. */
  parameters?: JsonObject;
  /** Member of the internal parameters, and what is in it. */
  internal: readonly [name: string, parameters: Readonly<Record<string, string | undefined>>];
  /** Dependencies besides the source. */
  dependencies?: readonly ResourceDescriptor[];
  /** Name of the run. */
  invocationId?: string;
  /** Start of the build. */
  startedOn?: Date;
}

/** What a platform's reader is told besides the facts. */
export interface PlatformOptions {
  /** Content of the event file. */
  event?: string | Uint8Array;
  /** What the caller says of the source. */
  source?: SourceFacts;
  /** A local build may differ from its commit. */
  allowDirty?: boolean;
  /** Name of the run where the platform has none. */
  invocationId?: string;
}
